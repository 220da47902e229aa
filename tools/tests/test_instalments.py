import unittest
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tools.instalments import dates, split

CENTS = st.integers(1, 10**9).map(lambda cents: cents / 100)


class TestInstalments(unittest.TestCase):
    @given(CENTS, st.integers(1, 36))
    def test_parts_add_up(self, amount, count):
        parts = split(amount, count)
        self.assertEqual(len(parts), count)
        self.assertEqual(sum(Decimal(str(part)) for part in parts), Decimal(str(amount)))
        self.assertLess(max(parts) - min(parts), count / 100 + 0.001)

    @given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, 36))
    def test_dates_rise(self, first, count):
        for interval, shortest in (("week", 7), ("fortnight", 14), ("month", 28)):
            days = dates(first, count, interval)
            self.assertEqual((days[0], len(days)), (first, count))
            for earlier, later in zip(days, days[1:], strict=False):
                self.assertGreaterEqual((later - earlier).days, shortest)

    def test_dates_of_each_interval(self):
        first = date(2026, 1, 31)
        for interval, second, third in (
            ("week", date(2026, 2, 7), date(2026, 2, 14)),
            ("fortnight", date(2026, 2, 14), date(2026, 2, 28)),
            ("month", date(2026, 2, 28), date(2026, 3, 31)),
        ):
            with self.subTest(interval=interval):
                self.assertEqual(dates(first, 3, interval), [first, second, third])
