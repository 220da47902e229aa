import unittest

from hypothesis import given
from hypothesis import strategies as st

from tools.replacement import Item, Part, fill, find_replacements

cents = st.integers(1, 50_000).map(lambda amount: amount / 100)
lists = st.lists(st.tuples(st.integers(1, 5), cents), max_size=5)


def make(rows, first):
    return [Item(first + index, due, amount) for index, (due, amount) in enumerate(rows)]


class TestReplacement(unittest.TestCase):
    @given(lists, lists)
    def test_nothing_is_lost(self, before, now):
        old, new = make(before, 1), make(now, 101)
        found = find_replacements(old, new)
        self.assertEqual(set(found), {item.key for item in old})
        parts = [part for parts in found.values() for part in parts]
        self.assertEqual(all(found.values()), bool(new) or not old, "each old item goes on, if it can")
        if old:
            self.assertEqual({part.key for part in parts}, {item.key for item in new})
            self.assertEqual(
                sorted(part.key for part in parts if part.is_main),
                [item.key for item in new],
                "each new item has one old item that it replaces in the main",
            )
        if len(old) != len(new):
            owed = {item.key: item.amount for item in new}
            for item in old:
                self.assertLessEqual(round(sum(part.amount for part in found[item.key]), 2), item.amount)
            for key, amount in owed.items():
                self.assertLessEqual(round(sum(part.amount for part in parts if part.key == key), 2), amount)
            total = min(sum(item.amount for item in old), sum(owed.values()))
            self.assertAlmostEqual(sum(part.amount for part in parts), total if old and new else 0)

    def test_same_items_with_other_days(self):
        old = [Item(1, 10, 30), Item(2, 20, 70)]
        new = [Item(1, 40, 25), Item(2, 30, 75)]
        self.assertEqual(find_replacements(old, new), {1: [Part(1, 25, True)], 2: [Part(2, 75, True)]})

    def test_as_many_on_one_day(self):
        old = [Item(2, 10, 70), Item(1, 10, 30)]
        new = [Item(9, 10, 50), Item(8, 10, 50)]
        self.assertEqual(find_replacements(old, new), {1: [Part(8, 50, True)], 2: [Part(9, 50, True)]})

    def test_fewer_items(self):
        old = [Item(1, 10, 20), Item(2, 20, 50), Item(3, 30, 30)]
        new = [Item(8, 10, 45), Item(9, 20, 55)]
        self.assertEqual(
            find_replacements(old, new),
            {
                1: [Part(8, 20, False)],
                2: [Part(8, 25, True), Part(9, 25, False)],
                3: [Part(9, 30, True)],
            },
        )

    def test_first_of_equal_parts_is_the_main_one(self):
        old = [Item(1, 10, 50), Item(2, 20, 50)]
        self.assertEqual(find_replacements(old, [Item(9, 10, 100)]), {1: [Part(9, 50, True)], 2: [Part(9, 50, False)]})

    def test_more_is_owed_than_before(self):
        old = [Item(1, 10, 0.4), Item(2, 20, 0.2)]
        new = [Item(7, 10, 0.5), Item(8, 20, 10), Item(9, 30, 5)]
        self.assertEqual(
            find_replacements(old, new),
            {1: [Part(7, 0.4, True)], 2: [Part(7, 0.1, False), Part(8, 0.1, True), Part(9, 0, True)]},
        )

    def test_less_is_owed_than_before(self):
        old = [Item(1, 10, 10), Item(2, 20, 20), Item(3, 30, 30)]
        self.assertEqual(
            find_replacements(old, [Item(8, 10, 10), Item(9, 20, 5)]),
            {1: [Part(8, 10, True)], 2: [Part(9, 5, True)], 3: [Part(9, 0, False)]},
        )

    def test_no_items_any_more(self):
        self.assertEqual(find_replacements([Item(1, 10, 50)], []), {1: []})
        self.assertEqual(find_replacements([], [Item(1, 10, 50)]), {})

    def test_decimals(self):
        old = [Item(1, 10, 1.004)]
        new = [Item(8, 10, 1.0), Item(9, 20, 1.0)]
        self.assertEqual(find_replacements(old, new), {1: [Part(8, 1.0, True), Part(9, 0, True)]})
        self.assertEqual(find_replacements(old, new, 3), {1: [Part(8, 1.0, True), Part(9, 0.004, True)]})


class TestFill(unittest.TestCase):
    @given(cents, st.lists(cents, max_size=5))
    def test_as_much_as_fits_in_order(self, amount, rooms):
        left = dict(enumerate(rooms))
        parts = fill(amount, left)
        self.assertAlmostEqual(sum(parts.values()), min(amount, sum(rooms)))
        for key, room in enumerate(rooms):
            self.assertAlmostEqual(left[key] + parts.get(key, 0), room)
            if parts.get(key, 0) < room:
                self.assertFalse([later for later in parts if later > key], "the first places are filled first")

    def test_places_that_are_full(self):
        left = {"a": 0.0, "b": 0.3, "c": 5}
        self.assertEqual(fill(0.5, left), {"b": 0.3, "c": 0.2})
        self.assertEqual(left, {"a": 0.0, "b": 0.0, "c": 4.8})
        self.assertEqual(fill(1.004, {"a": 1, "b": 1}), {"a": 1})
        self.assertEqual(fill(0.001, {"a": 0.001, "b": 1}), {"a": 0.001})
