"""A payment plan: equal parts on regular days.

>>> from datetime import date
>>> split(100, 3)
[33.33, 33.33, 33.34]
>>> dates(date(2026, 1, 31), 3, "month")
[datetime.date(2026, 1, 31), datetime.date(2026, 2, 28), datetime.date(2026, 3, 31)]
"""

from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal

from dateutil.relativedelta import relativedelta

STEPS = {"week": timedelta(days=7), "fortnight": timedelta(days=14)}


def split(amount: float, count: int, digits: int = 2) -> list[float]:
    """Return ``count`` parts that add up to ``amount``: equal ones, the last takes what rounding leaves.

    :param amount: in the currency's unit, 0 or more.
    :param count: 1 or more.
    :param digits: decimal places of the currency.
    """
    whole = Decimal(str(round(amount, digits)))
    part = (whole / count).quantize(Decimal(1).scaleb(-digits), ROUND_DOWN)
    return [float(part)] * (count - 1) + [float(whole - part * (count - 1))]


def dates(first: date, count: int, interval: str) -> list[date]:
    """Return ``count`` days from ``first`` on, a ``week``, a ``fortnight`` or a ``month`` apart.

    Months are counted from the first day, so that the 31st comes back after a shorter month.
    """
    if interval == "month":
        return [first + relativedelta(months=number) for number in range(count)]
    return [first + STEPS[interval] * number for number in range(count)]
