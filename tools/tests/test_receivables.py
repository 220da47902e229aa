import unittest

from hypothesis import given
from hypothesis import strategies as st

from tools.receivables import Known, Listed, Reduction, compare, set_off

partners = st.sampled_from(["Petit", "Lemoine"])
numbers = st.sampled_from(["F1", "f 1", "F2", "F3"])
dues = st.integers(0, 3)
cents = st.integers(-500, 500).filter(bool).map(lambda amount: amount / 100)
known_lists = st.lists(st.tuples(partners, numbers, dues, cents), max_size=6)


def make(kind, rows):
    return [
        kind(index, partner, number, "EUR", due, amount) for index, (partner, number, due, amount) in enumerate(rows)
    ]


class TestCompare(unittest.TestCase):
    @given(known_lists, known_lists)
    def test_after_the_changes_both_sides_agree(self, before, now):
        known, listed = make(Known, before), make(Listed, now)
        changes = compare(known, listed)
        residuals = {item.key: item.residual for item in known}
        added = 0.0
        for change in changes:
            if change.known:
                residuals[change.known.key] += change.amount
            else:
                added += change.amount
        self.assertAlmostEqual(sum(residuals.values()) + added, sum(line.remaining for line in listed))
        # Each item and each line is spoken of once.
        self.assertEqual(sorted(change.known.key for change in changes if change.known), list(range(len(known))))
        self.assertEqual([change.listed.key for change in changes if change.listed], list(range(len(listed))))

    @given(known_lists)
    def test_same_list_changes_nothing(self, rows):
        changes = compare(make(Known, rows), make(Listed, rows))
        self.assertEqual({change.kind for change in changes} - {"unchanged"}, set())

    @given(known_lists, known_lists)
    def test_part_of_a_list_pays_nothing(self, before, now):
        changes = compare(make(Known, before), make(Listed, now), complete=False)
        self.assertNotIn("paid", {change.kind for change in changes})

    def test_line_in_error_pays_nothing(self):
        [known] = make(Known, [("Petit", "f 1", 0, 5.0)])
        self.assertEqual(compare([known], [], untouched={"F1"}), [])

    def test_instalments_are_told_apart_by_due_date(self):
        known = make(Known, [("Petit", "F1", 1, 50.0), ("Petit", "F1", 2, 50.0)])
        listed = make(Listed, [("Petit", "F1", 2, 50.0)])
        self.assertEqual(
            [(change.kind, change.known.key) for change in compare(known, listed)], [("unchanged", 1), ("paid", 0)]
        )

    def test_moved_due_date_is_a_change(self):
        [change] = compare(make(Known, [("Petit", "F1", 1, 50.0)]), make(Listed, [("Petit", "F1", 9, 50.0)]))
        self.assertEqual((change.kind, change.amount), ("changed", 0))

    def test_credit_does_not_become_an_invoice(self):
        changes = compare(make(Known, [("Petit", "F1", 1, -50.0)]), make(Listed, [("Petit", "F1", 1, 50.0)]))
        self.assertEqual([change.kind for change in changes], ["new", "paid"])

    def test_credit_of_cents_is_a_credit(self):
        for due in (1, 2):
            for known, listed in ((-0.5, 0.5), (0.5, -0.5)):
                with self.subTest(known=known, due=due):
                    changes = compare(
                        make(Known, [("Petit", "F1", 1, known)]), make(Listed, [("Petit", "F1", due, listed)])
                    )
                    self.assertEqual(
                        [(change.kind, change.amount) for change in changes], [("new", listed), ("paid", -known)]
                    )

    def test_amounts_below_one(self):
        """Cents that are owed are no credit, and cents of credit are nothing owed."""
        for before, now in ((0.5, 0.4), (-0.5, -0.4), (0.01, 0.02)):
            with self.subTest(before=before, now=now):
                [change] = compare(make(Known, [("Petit", "F1", 1, before)]), make(Listed, [("Petit", "F1", 2, now)]))
                self.assertEqual((change.kind, change.amount), ("changed", round(now - before, 2)))
        self.assertEqual(
            set_off([Reduction("invoice", 0.5), Reduction("credit", -0.3)]),
            ([("invoice", "credit", 0.3)], {"invoice": 0.2}),
        )

    def test_invoice_of_cents_is_an_invoice(self):
        for due in (1, 2):
            [change] = compare(make(Known, [("Petit", "F1", 1, 0.5)]), make(Listed, [("Petit", "F1", due, 0.75)]))
            self.assertEqual((change.kind, change.amount), ("changed", 0.25))

    def test_nothing_owed_is_no_credit(self):
        known = make(Known, [("Petit", "F1", 1, 100.0), ("Petit", "F1", 2, 100.0)])
        changes = compare(known, make(Listed, [("Petit", "F1", 2, 0.0)]))
        self.assertEqual(
            [(change.kind, change.known.key, change.amount) for change in changes],
            [("changed", 1, -100.0), ("paid", 0, -100.0)],
        )
        known = make(Known, [("Petit", "F1", 1, 100.0), ("Petit", "F1", 2, 0.0)])
        changes = compare(known, make(Listed, [("Petit", "F1", 2, 30.0)]))
        self.assertEqual(
            [(change.kind, change.known.key, change.amount) for change in changes],
            [("changed", 1, 30.0), ("paid", 0, -100.0)],
        )

    def test_nothing_owed_on_another_day(self):
        for before, now in ((100.0, 0.0), (0.0, 100.0)):
            [change] = compare(make(Known, [("Petit", "F1", 1, before)]), make(Listed, [("Petit", "F1", 2, now)]))
            self.assertEqual((change.kind, change.amount), ("changed", now - before))

    def test_lines_may_come_one_by_one(self):
        known, listed = make(Known, [("Petit", "F1", 1, 50.0)]), make(Listed, [("Petit", "F1", 1, 50.0)])
        self.assertEqual([change.kind for change in compare(iter(known), iter(listed))], ["unchanged"])

    def test_line_without_a_due_date_moves_nothing(self):
        [change] = compare(make(Known, [("Petit", "F1", 1, 50.0)]), make(Listed, [("Petit", "F1", None, 50.0)]))
        self.assertEqual(change.kind, "unchanged")

    def test_amounts_are_compared_to_the_cent(self):
        known, listed = make(Known, [("Petit", "F1", 1, 50.0)]), make(Listed, [("Petit", "F1", 1, 50.004)])
        self.assertEqual([change.kind for change in compare(known, listed)], ["unchanged"])
        self.assertEqual([change.amount for change in compare(known, listed, digits=3)], [0.004])


class TestSetOff(unittest.TestCase):
    @given(st.lists(cents, max_size=8))
    def test_no_cent_is_lost(self, amounts):
        reductions = [Reduction(index, amount) for index, amount in enumerate(amounts)]
        pairs, rest = set_off(reductions)
        left = {reduction.key: reduction.amount for reduction in reductions}
        for invoice, credit, amount in pairs:
            self.assertGreater(amount, 0)
            left[invoice] -= amount
            left[credit] += amount
        for key, amount in left.items():
            self.assertAlmostEqual(amount, rest.get(key, 0))
        # Either all credits are used up or all invoices are covered.
        self.assertFalse(any(amount > 0 for amount in rest.values()) and any(amount < 0 for amount in rest.values()))

    def test_less_than_a_cent_is_nothing(self):
        reductions = [Reduction("invoice", 100.004), Reduction("credit", -100.0)]
        self.assertEqual(set_off(reductions), ([("invoice", "credit", 100.0)], {}))
        self.assertEqual(set_off(reductions, digits=3)[1], {"invoice": 0.004})
