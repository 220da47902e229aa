"""Bank days: the days on which a transfer can arrive.

Public holidays come from the ``holidays`` package, never from a table of our own.

>>> from datetime import date
>>> add_bank_days(date(2026, 5, 13), 1, "FR")  # Ascension Day on the 14th
datetime.date(2026, 5, 15)
>>> add_bank_days(date(2026, 5, 15), 1, "FR")  # a Friday
datetime.date(2026, 5, 18)
>>> previous_bank_day(date(2026, 5, 18), "FR")  # a Monday
datetime.date(2026, 5, 15)
>>> subtract_bank_days(date(2026, 5, 18), 2, "FR")  # Ascension Day on the 14th
datetime.date(2026, 5, 13)
"""

from datetime import date, timedelta
from functools import lru_cache

import holidays


@lru_cache(maxsize=256)
def _public_holidays(country_code: str | None):
    """Return the public holidays of a country as a container, empty for an unknown country."""
    if not country_code or country_code not in holidays.list_supported_countries():
        return ()
    return holidays.country_holidays(country_code)


def is_bank_day(day: date, country_code: str | None = None) -> bool:
    """Return whether banks work on this day: neither a weekend nor a public holiday."""
    return day.weekday() < 5 and day not in _public_holidays(country_code)


def add_bank_days(day: date, count: int, country_code: str | None = None) -> date:
    """Return the ``count``-th bank day after ``day``; ``day`` itself when ``count`` is 0.

    :param day: the day to start from, a bank day or not.
    :param count: number of bank days, 0 or more.
    :param country_code: ISO 3166 code of the country whose holidays count.
    """
    while count > 0:
        day += timedelta(days=1)
        count -= is_bank_day(day, country_code)
    return day


def subtract_bank_days(day: date, count: int, country_code: str | None = None) -> date:
    """Return the ``count``-th bank day before ``day``; ``day`` itself when ``count`` is 0.

    :param day: the day to start from, a bank day or not.
    :param count: number of bank days, 0 or more.
    :param country_code: ISO 3166 code of the country whose holidays count.
    """
    for _number in range(count):
        day = previous_bank_day(day, country_code)
    return day


def previous_bank_day(day: date, country_code: str | None = None) -> date:
    """Return the last bank day before ``day``."""
    day -= timedelta(days=1)
    while not is_bank_day(day, country_code):
        day -= timedelta(days=1)
    return day
