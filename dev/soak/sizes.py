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


@dataclasses.dataclass(frozen=True)
class Work:
    """What Odoo's own workers have to do.

    :param int reminders: customers who are written to with their invoices
    :param int invoices: invoices of each, none of them printed
    :param int letters: letters that are printed in the background
    :param int statements: statements that are printed, and sent, in the background
    :param int minutes: after how many it must be done
    """

    reminders: int
    invoices: int
    letters: int
    statements: int
    minutes: int


WORKERS = {"short": Work(10, 3, 8, 25, 15), "long": Work(500, 3, 200, 2_000, 180)}
# The name of the last proof: without it the run broke off.
LAST = "nothing is left over"
