"""How long the proof with processes takes."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Size:
    """How much is done.

    :param int debtors: customers with something to say to
    :param int kills: workers that are killed while they plan and deliver, and again while they send
    :param int batch: actions that are delivered in one transaction
    """

    debtors: int
    kills: int
    batch: int


SIZES = {"short": Size(60, 5, 10), "long": Size(1_000, 50, 25)}
# The name of the last proof: without it the run broke off.
LAST = "nothing is left over"
