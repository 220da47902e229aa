from . import (  # noqa: I001 - the order in which the models build on each other
    res_partner,
    ir_default,
    collection_criterion,
    collection_criterion_band,
    collection_debtor,
    collection_debtor_items,
    collection_debtor_claim,
    collection_debtor_refresh,
    collection_score_history,
    collection_pause,
    account_move,
)
