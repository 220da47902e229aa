import unittest
from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tools import metrics
from tools.metrics import CountBack, DisputeResult, Figures, Month, Move, Payments, Position, PromiseResult

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

    def test_less_than_one_is_still_owed(self):
        self.assertEqual(metrics.dso_count_back(1_200.5, [Month(1_200, 30)]), CountBack(30, True))
        self.assertEqual(metrics.dso_count_back(0.5, [Month(1_200, 30)]), CountBack(0.0125, False))

    def test_no_delinquency_without_both(self):
        for actual, best in ((None, 30.0), (40.0, None), (None, None)):
            self.assertIsNone(metrics.average_days_delinquent(actual, best))

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

    def test_amounts_below_one(self):
        late = DAY - timedelta(days=40)
        self.assertEqual(
            metrics.position([(late, 0.4), (DAY, 0.25), (late, -0.3)], DAY),
            Position({**dict.fromkeys(metrics.BUCKET_CODES, 0), "31_60": 0.4, "not_due": 0.25}, 0.3, 16.0, 40, 1),
        )

    def test_position_without_more_said(self):
        self.assertEqual(Position({}), Position({}, credits=0, late_product=0, late_days=0, late_count=0))
        self.assertIsNone(metrics.average_days_late(Position({"1_30": 100})))

    def test_what_is_still_in_the_last_bucket_counts(self):
        rates = metrics.roll_rates(
            [
                Move("over_120", "over_120", 100, 40),
                Move("91_120", "91_120", 100, 100),
                Move("91_120", "over_120", 300, 100),
                Move("1_30", "1_30", 100, 100),
            ]
        )
        self.assertEqual(
            rates,
            {"not_due": None, "1_30": 0, "31_60": None, "61_90": None, "91_120": 25, "over_120": 40},
        )

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

    def test_one_promise_of_three_is_kept(self):
        last = DAY - timedelta(days=1)
        promises = [
            PromiseResult("kept", last, 100, 130),
            PromiseResult("broken", last, 200, 0),
            PromiseResult("partly", last, 100, 60),
        ]
        self.assertEqual(metrics.promise_kept_ratio(promises, DAY), (100 / 3, 40, 3, 400))

    def test_one_dispute_of_three_is_accepted(self):
        results = [
            DisputeResult(state, "price", 0, DAY - timedelta(days=days), DAY)
            for state, days in (("accepted", 3), ("rejected", 5), ("rejected", 10), ("cancelled", 90))
        ]
        open_ones = [DisputeResult("open", "price", amount, DAY) for amount in (80, 30)]
        open_ones.append(DisputeResult("open", "delivery", 7, DAY))
        figures = metrics.dispute_figures([*results, *open_ones])
        self.assertEqual(figures, ({"price": 110, "delivery": 7}, 3, 3, 6, 100 / 3))

    def test_calls_without_promises(self):
        self.assertEqual(metrics.contact_rates(20, 10, 5), (50, 25, 50, 0))
        self.assertEqual(metrics.contact_rates(20, 10, 5, 2), (50, 25, 50, 40))

    def test_promise_due_today_is_pending(self):
        self.assertEqual(metrics.promise_kept_ratio([PromiseResult("open", DAY, 10, 0)], DAY).count, 0)

    @given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
    def test_right_party_per_attempt_is_the_stricter(self, others, answered, right):
        rates = metrics.contact_rates(others + answered + right, answered + right, right)
        if rates.right_party_per_answer is not None:
            self.assertLessEqual(rates.right_party_per_attempt, rates.right_party_per_answer)


class TestFigures(unittest.TestCase):
    """All figures of one company, worked out by hand."""

    def setUp(self):
        super().setUp()
        self.figures = Figures(
            day=DAY,
            position=Position(
                {"not_due": 600, "1_30": 200, "31_60": 100, "over_120": 150},
                credits=50,
                late_product=30_000,
                late_days=240,
                late_count=6,
            ),
            opening=Position({"not_due": 500, "1_30": 400}, credits=100),
            months=[Month(400, 10), Month(900, 28), Month(1_100, 31), Month(5_000, 31)],
            payments=Payments(200, 9_000, 3_000),
        )

    def test_every_figure(self):
        for name, expected in (
            ("sales", 400),
            ("period", Month(2_400, 69)),
            ("dso", 1_000 * 69 / 2_400),
            ("best_possible_dso", 600 * 69 / 2_400),
            ("average_days_delinquent", 400 * 69 / 2_400),
            ("dso_count_back", CountBack(10 + 600 * 28 / 900, False)),
            ("cei", 100 * (800 + 400 - 1_000) / (800 + 400 - 600)),
            ("overdue_rate", 45),
            ("at_risk_rate", 15),
            ("weighted_days_late", 30_000 / 450),
            ("average_days_late", 40),
            ("days_to_pay", 45),
            ("average_delay", 15),
            ("average_delay_with_open", 33_000 / 650),
        ):
            with self.subTest(figure=name):
                self.assertEqual(getattr(self.figures, name), expected)

    def test_nothing_to_measure(self):
        nothing = Figures(DAY, Position({}), Position({}), [])
        self.assertEqual((nothing.sales, nothing.period), (0, Month(0, 0)))
        self.assertEqual(
            (nothing.collected, nothing.payments, nothing.promised, nothing.disputed), (0, Payments(0, 0, 0), 0, 0)
        )
        for name in (
            "dso",
            "best_possible_dso",
            "average_days_delinquent",
            "cei",
            "overdue_rate",
            "at_risk_rate",
            "weighted_days_late",
            "average_days_late",
            "days_to_pay",
            "average_delay",
            "average_delay_with_open",
        ):
            with self.subTest(figure=name):
                self.assertIsNone(getattr(nothing, name))
        self.assertEqual(nothing.dso_count_back, CountBack(0, False))
