"""Days of the story: offsets from its last day, on days on which people work."""

from datetime import timedelta

from ..tools.workdays import is_bank_day


def working_day_before(day, country_code="FR"):
    """Return ``day``, or the last bank day before it."""
    while not is_bank_day(day, country_code):
        day -= timedelta(days=1)
    return day


def working_day_after(day, country_code="FR"):
    """Return ``day``, or the first bank day after it."""
    while not is_bank_day(day, country_code):
        day += timedelta(days=1)
    return day
