"""Which new item takes the place of which old one, when an invoice is corrected and posted again.

An invoice that is set back to draft may get other due dates or another number of instalments. Promises,
disputes and messages of customers then go on with the items that took the place of the old ones.

>>> jan, feb = Item(1, "2026-01-31", 30), Item(2, "2026-02-28", 70)

As many as before: one for one, in the order of their due dates.

>>> find_replacements([feb, jan], [Item(8, "2026-02-15", 20), Item(9, "2026-03-15", 75)])
{1: [Part(key=8, amount=20, is_main=True)], 2: [Part(key=9, amount=75, is_main=True)]}

More or fewer: the oldest first, by their amounts. A new item has one old item that it replaces in the main.

>>> find_replacements([jan, feb], [Item(7, "2026-02-28", 100)])
{1: [Part(key=7, amount=30, is_main=False)], 2: [Part(key=7, amount=70, is_main=True)]}
>>> find_replacements([jan], [Item(8, "2026-01-31", 10), Item(9, "2026-02-28", 20)])
{1: [Part(key=8, amount=10, is_main=True), Part(key=9, amount=20, is_main=True)]}

Nothing that was said is lost when less is owed than before.

>>> find_replacements([jan, feb], [Item(7, "2026-02-28", 30)])
{1: [Part(key=7, amount=30, is_main=True)], 2: [Part(key=7, amount=0, is_main=False)]}
"""

from collections.abc import Sequence
from typing import Any, NamedTuple


class Item(NamedTuple):
    """A journal item: ``amount`` is what was invoiced on it, in its currency."""

    key: Any
    due: Any
    amount: float


class Part(NamedTuple):
    """The part of a new item that takes the place of an old one."""

    key: Any
    amount: float
    # Of all old items this one has the biggest part in the new item.
    is_main: bool


def find_replacements(old: Sequence[Item], new: Sequence[Item], digits: int = 2) -> dict[Any, list[Part]]:
    """Return which new items take the place of each old one.

    :param old: the items as they were.
    :param new: the items as they are now.
    :param digits: decimal places of the amounts.
    :return: ``{old key: parts of new items, oldest first}``; without parts when there are no new items.
    """
    old, new = (sorted(items, key=lambda item: (item.due, item.key)) for items in (old, new))
    by_key = {item.key: item for item in new}
    if {item.key for item in old} == by_key.keys():
        pairs = [(item, by_key[item.key]) for item in old]
    elif len(old) == len(new):
        pairs = list(zip(old, new, strict=True))
    else:
        return _divide(old, new, digits)
    return {before.key: [Part(after.key, after.amount, is_main=True)] for before, after in pairs}


def _divide(old: Sequence[Item], new: Sequence[Item], digits: int) -> dict[Any, list[Part]]:
    """Divide the new items among the old ones by amount, both from the oldest on."""
    left = {item.key: item.amount for item in new}
    taken = {}
    for item in old:
        taken[item.key] = fill(item.amount, left, digits)
        if new and not taken[item.key]:
            taken[item.key] = {new[-1].key: 0}
    main = {}
    for key, parts in taken.items():
        for new_key, amount in parts.items():
            if new_key not in main or amount > taken[main[new_key]][new_key]:
                main[new_key] = key
    if old:
        # More is owed than before: what is left over belongs with the last of the old items.
        for new_key in left:
            if new_key not in main:
                main[new_key] = old[-1].key
                taken[old[-1].key][new_key] = 0
    return {
        key: [Part(new_key, amount, main[new_key] == key) for new_key, amount in parts.items()]
        for key, parts in taken.items()
    }


def fill(amount: float, left: dict[Any, float], digits: int = 2) -> dict[Any, float]:
    """Spread an amount over what is left of several places, in their order, and use these up.

    >>> left = {"a": 33.34, "b": 33.33, "c": 33.33}
    >>> fill(40, left), left
    ({'a': 33.34, 'b': 6.66}, {'a': 0.0, 'b': 26.67, 'c': 33.33})
    >>> fill(100, {"a": 30})
    {'a': 30}

    :param left: ``{key: amount}``.
    :return: ``{key: part of the amount}``, without the parts for which there is no room.
    """
    parts = {}
    for key, room in left.items():
        part = min(room, amount)
        if part > 0:
            parts[key] = part
            left[key] = round(room - part, digits)
            amount = round(amount - part, digits)
    return parts
