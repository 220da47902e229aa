"""Arithmetic of the priority score: whole points that always add up.

A score is a sum of criteria. Each criterion has a weight and bands; a band turns the
criterion's value into 0 to 100 percent of what the criterion can give.

>>> maxima([1, 1, 1])
[33, 34, 33]
>>> contribution(percent=40, maximum=33)
13
>>> pick_band(64, [(0, "recent"), (30, "late"), (60, "old")])
'old'
"""

from collections.abc import Iterable, Sequence


def maxima(weights: Sequence[float], total: int = 100) -> list[int]:
    """Share ``total`` whole points among ``weights``.

    The cumulated shares are rounded, not each share by itself, so that the result always
    adds up to ``total`` and no share is more than one point away from its exact value.

    :param weights: non-negative numbers, at least one of them positive.
    :return: one whole number per weight, in the same order.
    :raises ValueError: when a weight is negative or all are zero.
    """
    if any(weight < 0 for weight in weights):
        raise ValueError("A weight can't be negative.")
    whole = sum(weights)
    if not whole:
        raise ValueError("At least one weight must be above zero.")
    result, cumulated, given = [], 0.0, 0
    for weight in weights:
        cumulated += weight
        reached = int(total * cumulated / whole + 0.5)
        result.append(reached - given)
        given = reached
    return result


def contribution(percent: int, maximum: int) -> int:
    """Points that a band gives: ``percent`` of ``maximum``, rounded half up to a whole point."""
    return (percent * maximum + 50) // 100


def pick_band(value: float, bands: Iterable[tuple]):
    """Return what belongs to the highest lower bound that ``value`` reaches, else ``None``.

    :param bands: pairs ``(lower bound, result)`` in any order; a lower bound belongs to its band.
    """
    reached = [band for band in bands if value >= band[0]]
    return max(reached, key=lambda band: band[0])[1] if reached else None
