import unittest
from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tools import metrics
from tools.metrics import CountBack, Month, Move, Position, PromiseResult

DAY = date(2026, 3, 10)
amounts = st.integers(-10_000, 1_000_000).map(Fraction)
positive = st.integers(1, 1_000_000).map(Fraction)
months = st.lists(st.builds(Month, amounts, st.integers(28, 31)), max_size=24)
items = st.lists(st.tuples(st.integers(-60, 300).map(lambda late: DAY - timedelta(days=late)), amounts), max_size=20)


class TestDso(unittest.TestCase):
    def test_vectors(self):
        for receivables, sales, days, expected in (
            (20_000, 45_000, 90, 40),
            (30_000, 60_000, 90, 45),
            (0, 45_000, 90, 0),
            (20_000, 0, 90, None),
            (20_000, -1, 90, None),
            (0, 0, 90, None),
        ):
            with self.subTest(receivables=receivables, sales=sales):
                self.assertEqual(metrics.dso(receivables, sales, days), expected)

    def test_count_back_vectors(self):
        for receivables, sales, expected in (
            (2_500, ((1_200, 30), (800, 31), (700, 30)), 82.43),
            (500, ((1_200, 30),), 12.5),
            # Exactly a month: its days, and none of the month before.
            (1_200, ((1_200, 30), (0, 31)), 30),
            # A month without sales, or with more credit notes, adds its days and takes nothing off.
            (1_300, ((1_200, 30), (0, 31), (-400, 28), (200, 31)), 30 + 31 + 28 + 15.5),
            (0, ((1_200, 30),), 0),
            (-50, ((1_200, 30),), 0),
        ):
            with self.subTest(receivables=receivables):
                result = metrics.dso_count_back(receivables, [Month(*month) for month in sales])
                self.assertEqual((round(result.days, 2), result.is_more), (expected, False))

    def test_history_that_is_too_short_is_marked(self):
        result = metrics.dso_count_back(5_000, [Month(1_200, 30), Month(800, 31)])
        self.assertEqual(result, CountBack(61, True))
        self.assertEqual(str(result), ">61")
        self.assertEqual(str(metrics.dso_count_back(5_000, [])), ">0")

    @given(amounts, months)
    def test_count_back_takes_off_what_is_owed(self, receivables, months):
        result = metrics.dso_count_back(receivables, months)
        days = sum(month.days for month in months)
        sales = sum(max(month.sales, 0) for month in months)
        self.assertTrue(0 <= result.days <= days)
        self.assertEqual(result.is_more, max(receivables, 0) > sales)
        if result.is_more:
            self.assertEqual(result.days, days)

    @given(positive, positive, months)
    def test_more_owed_is_never_fewer_days(self, receivables, more, months):
        self.assertLessEqual(
            metrics.dso_count_back(receivables, months).days, metrics.dso_count_back(receivables + more, months).days
        )

    @given(positive, st.integers(1, 12), st.data())
    def test_both_ways_agree_on_even_sales(self, sales, count, data):
        receivables = data.draw(st.fractions(0, sales * count))
        result = metrics.dso_count_back(receivables, [Month(sales, 30)] * count)
        self.assertEqual(result.days, metrics.dso(receivables, sales * count, 30 * count))

    @given(items, positive)
    def test_nothing_but_what_is_late_keeps_dso_from_its_best(self, items, sales):
        position = metrics.position(items, DAY)
        actual, best = metrics.dso(position.receivables, sales, 90), metrics.best_possible_dso(position, sales, 90)
        late = metrics.average_days_delinquent(actual, best)
        self.assertEqual(late, max(position.overdue - position.credits, 0) * 90 / sales)


class TestCei(unittest.TestCase):
    def test_vector(self):
        self.assertEqual(metrics.cei(100_000, 50_000, 90_000, 70_000), 75)

    def test_several_months(self):
        self.assertEqual(metrics.cei(100_000, 150_000, 90_000, 70_000, months=3), 75)

    def test_nothing_to_collect_is_none(self):
        self.assertIsNone(metrics.cei(0, 100, 100, 100))

    @given(positive, positive, st.integers(0, 100), st.integers(0, 100))
    def test_hundred_when_nothing_is_late(self, opening, sales, unpaid, late):
        closing = (opening + sales) * unpaid / 100
        current = closing * (100 - late) / 100
        result = metrics.cei(opening, sales, closing, current)
        if result is not None:
            self.assertTrue(0 <= result <= 100)
            self.assertEqual(result == 100, closing == current)


class TestPosition(unittest.TestCase):
    @given(items)
    def test_buckets_and_credits_add_up(self, items):
        position = metrics.position(items, DAY)
        self.assertEqual(position.receivables, sum(amount for _due_date, amount in items))
        self.assertEqual(position.due, position.not_due + position.overdue)
        self.assertLessEqual(position.at_risk, position.overdue)
        self.assertTrue(all(amount >= 0 for amount in position.buckets.values()))

    def test_boundaries(self):
        position = metrics.position([(DAY - timedelta(days=late), 1) for late in (0, 1, 90, 91, 121)], DAY)
        self.assertEqual(position.not_due, 1)
        self.assertEqual(position.overdue, 4)
        self.assertEqual(position.at_risk, 2)
        self.assertEqual(metrics.weighted_days_late(position), (1 + 90 + 91 + 121) / 4)

    def test_rates(self):
        position = Position({"not_due": 600, "1_30": 300, "over_120": 200}, credits=100)
        self.assertEqual(metrics.overdue_rate(position), 50)
        self.assertEqual(metrics.at_risk_rate(position), 20)
        self.assertIsNone(metrics.overdue_rate(Position({"1_30": 100}, credits=100)))
        self.assertIsNone(metrics.at_risk_rate(Position({})))
        self.assertIsNone(metrics.weighted_days_late(Position({"not_due": 100})))

    @given(
        st.lists(
            st.builds(
                lambda start, later, opening, paid: Move(
                    metrics.BUCKET_CODES[start],
                    metrics.BUCKET_CODES[min(start + later, 5)],
                    opening,
                    opening * paid / 100,
                ),
                st.integers(0, 5),
                st.integers(0, 5),
                positive,
                st.integers(0, 100),
            )
        )
    )
    def test_roll_rates_are_shares(self, moves):
        rates = metrics.roll_rates(moves)
        self.assertEqual(set(rates), set(metrics.BUCKET_CODES))
        for code, value in rates.items():
            self.assertEqual(value is None, not any(move.opening_bucket == code for move in moves))
            self.assertTrue(value is None or 0 <= value <= 100)


class TestRatios(unittest.TestCase):
    @given(st.lists(st.tuples(positive, st.integers(-30, 300)), min_size=1))
    def test_weighted_average_lies_between(self, values):
        days = [days for _amount, days in values]
        self.assertTrue(min(days) <= metrics.weighted_average(values) <= max(days))

    def test_division_by_zero_is_none(self):
        self.assertIsNone(metrics.weighted_average([]))
        self.assertIsNone(metrics.rate(0, 0))
        self.assertIsNone(metrics.recovery_rate(10, 0))
        self.assertEqual(set(metrics.contact_rates(0, 0, 0)), {None})
        self.assertEqual(metrics.promise_kept_ratio([], DAY), (None, None, 0, 0))
        figures = metrics.dispute_figures([])
        self.assertEqual((figures.days_to_resolve, figures.accepted_rate), (None, None))

    @given(
        st.lists(
            st.builds(
                PromiseResult,
                st.sampled_from(("open", "kept", "partly", "broken", "cancelled")),
                st.integers(-30, 30).map(lambda days: DAY + timedelta(days=days)),
                positive,
                st.integers(0, 2_000_000).map(Fraction),
            )
        )
    )
    def test_promises_kept(self, promises):
        ratio = metrics.promise_kept_ratio(promises, DAY)
        counted = [promise for promise in promises if promise.deadline < DAY and promise.state != "cancelled"]
        self.assertEqual(ratio.count, len(counted))
        self.assertEqual(ratio.by_count is None, not counted)
        for share in (ratio.by_count, ratio.by_amount):
            self.assertTrue(share is None or 0 <= share <= 100)

    def test_promise_due_today_is_pending(self):
        self.assertEqual(metrics.promise_kept_ratio([PromiseResult("open", DAY, 10, 0)], DAY).count, 0)

    @given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
    def test_right_party_per_attempt_is_the_stricter(self, others, answered, right):
        rates = metrics.contact_rates(others + answered + right, answered + right, right)
        if rates.right_party_per_answer is not None:
            self.assertLessEqual(rates.right_party_per_attempt, rates.right_party_per_answer)
