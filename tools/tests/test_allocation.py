import unittest

from hypothesis import given
from hypothesis import strategies as st

from tools.allocation import Demand, Payment, allocate

days = st.integers(0, 30)
cents = st.integers(1, 10_000)


class TestAllocation(unittest.TestCase):
    @given(
        st.lists(st.tuples(cents, days, days), max_size=8),
        st.lists(st.tuples(days, cents), max_size=8),
    )
    def test_no_cent_is_given_twice(self, demands, payments):
        demands = [Demand(index, amount, after, 0, until) for index, (amount, after, until) in enumerate(demands)]
        payments = [Payment(index, day, amount) for index, (day, amount) in enumerate(payments)]
        received = allocate(demands, payments)
        self.assertLessEqual(sum(received.values()), sum(payment.amount for payment in payments))
        for demand in demands:
            fitting = sum(
                payment.amount for payment in payments if payment.number > demand.after and payment.day <= demand.until
            )
            self.assertLessEqual(received[demand.key], min(demand.amount, fitting))

    def test_earlier_demand_comes_first(self):
        first, second = Demand("first", 50, 0, 0, 10), Demand("second", 50, 0, 0, 20)
        self.assertEqual(allocate([first, second], [Payment(1, 5, 60)]), {"first": 50, "second": 10})

    def test_late_payment_serves_who_still_waits(self):
        first, second = Demand("first", 50, 0, 0, 10), Demand("second", 50, 0, 0, 20)
        self.assertEqual(allocate([first, second], [Payment(1, 15, 60)]), {"first": 0, "second": 50})

    def test_first_and_last_day_belong_to_the_demand(self):
        for day, received in ((9, 0), (10, 50), (15, 50), (20, 50), (21, 0)):
            with self.subTest(day=day):
                self.assertEqual(allocate([Demand("a", 50, 0, 10, 20)], [Payment(1, day, 80)]), {"a": received})

    def test_payment_that_was_known_does_not_count(self):
        payments = [Payment(3, 5, 10), Payment(4, 5, 25)]
        self.assertEqual(allocate([Demand("a", 50, 3, 0, 10)], payments), {"a": 25})

    def test_last_euro_counts(self):
        payments = [Payment(1, 5, 99), Payment(2, 6, 0.75), Payment(3, 7, 40)]
        self.assertEqual(allocate([Demand("a", 100, 0, 0, 10)], payments), {"a": 100})

    @given(cents, days, days, days, st.lists(st.tuples(days, cents), max_size=8))
    def test_one_demand_gets_all_that_fits(self, amount, after, since, until, payments):
        payments = [Payment(index, day, amount) for index, (day, amount) in enumerate(payments)]
        fitting = sum(
            payment.amount for payment in payments if payment.number > after and since <= payment.day <= until
        )
        self.assertEqual(allocate([Demand("a", amount, after, since, until)], payments), {"a": min(amount, fitting)})
