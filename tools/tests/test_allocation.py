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
