class PendingRefresh:
    """Collects debtors that are brought up to date together, at the end of a batch or of a request.

    It travels in the context. One that comes from RPC can't contain it.
    """

    def __init__(self):
        self.debtor_ids = set()
