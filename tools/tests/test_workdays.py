import unittest
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from tools.workdays import add_bank_days, is_bank_day, previous_bank_day, subtract_bank_days


class TestWorkdays(unittest.TestCase):
    def test_weekend_and_holiday(self):
        self.assertFalse(is_bank_day(date(2026, 5, 1), "FR"))  # Labour Day, a Friday
        self.assertTrue(is_bank_day(date(2026, 5, 1), "US"))
        self.assertFalse(is_bank_day(date(2026, 5, 2), "FR"))  # a Saturday
        self.assertTrue(is_bank_day(date(2026, 5, 4), "FR"))

    def test_unknown_country_has_weekends_only(self):
        self.assertTrue(is_bank_day(date(2026, 5, 1), "XX"))
        self.assertTrue(is_bank_day(date(2026, 5, 1), None))

    def test_zero_days_is_the_day_itself(self):
        self.assertEqual(add_bank_days(date(2026, 5, 2), 0, "FR"), date(2026, 5, 2))

    # The first look at a country's holidays takes its time.
    @settings(deadline=None)
    @given(st.dates(date(2020, 1, 1), date(2035, 1, 1)), st.integers(1, 15), st.sampled_from(["FR", "DE", "US", None]))
    def test_counts_bank_days_only(self, day, count, country):
        end = add_bank_days(day, count, country)
        between = [date.fromordinal(number) for number in range(day.toordinal() + 1, end.toordinal() + 1)]
        self.assertEqual(sum(is_bank_day(other, country) for other in between), count)
        self.assertTrue(is_bank_day(end, country))

    def test_bank_day_before(self):
        for day, before in (
            (date(2026, 3, 11), date(2026, 3, 10)),  # a Wednesday
            (date(2026, 3, 9), date(2026, 3, 6)),  # a Monday
            (date(2026, 4, 7), date(2026, 4, 3)),  # the day after Easter Monday
            (date(2026, 5, 2), date(2026, 4, 30)),  # a Saturday after a holiday
        ):
            with self.subTest(day=day):
                self.assertEqual(previous_bank_day(day, "FR"), before)

    def test_bank_days_before(self):
        for count, before in ((0, date(2026, 4, 7)), (1, date(2026, 4, 3)), (3, date(2026, 4, 1))):
            with self.subTest(count=count):
                self.assertEqual(subtract_bank_days(date(2026, 4, 7), count, "FR"), before)
