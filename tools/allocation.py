"""Which payment keeps which promise.

Several promises may cover parts of one open item, and a payment can keep only one of them.

>>> first = Demand("first", 400, after=0, since=0, until=10)
>>> second = Demand("second", 600, after=0, since=0, until=20)
>>> allocate([first, second], [Payment(7, 5, 400), Payment(8, 15, 100)])
{'first': 400, 'second': 100}
"""

from collections.abc import Sequence
from typing import Any, NamedTuple


class Payment(NamedTuple):
    """Money that arrived on an item: ``number`` grows with time, ``day`` is when it arrived."""

    number: int
    day: Any
    amount: float


class Demand(NamedTuple):
    """What a promise waits for: payments numbered above ``after`` that arrive from ``since`` to ``until``."""

    key: Any
    amount: float
    after: int
    since: Any
    until: Any


def allocate(demands: Sequence[Demand], payments: Sequence[Payment]) -> dict:
    """Allocate each payment to the demands in their order, no part of it twice.

    :param demands: in the order in which they are served.
    :param payments: all on the same item and in the same currency.
    :return: ``{demand.key: amount received}``, 0 where nothing fits.
    """
    left = {payment.number: payment.amount for payment in payments}
    received = {}
    for demand in demands:
        missing = demand.amount
        for payment in sorted(payments, key=lambda payment: (payment.day, payment.number)):
            if missing <= 0:
                break
            if payment.number > demand.after and demand.since <= payment.day <= demand.until:
                taken = min(left[payment.number], missing)
                left[payment.number] -= taken
                missing -= taken
        received[demand.key] = demand.amount - missing
    return received
