"""What stands in the cells of a table."""

import datetime


class CellError(str):
    """What a cell shows when its formula failed, such as ``#N/A``."""

    __slots__ = ()


def as_plain_value(value):
    """Return a cell of a library as one of the types that ``Row.cells`` holds."""
    if value is None or isinstance(value, str | bool | int | float | datetime.date):
        return value
    # Times of the day and durations have no date to stand for.
    return str(value)
