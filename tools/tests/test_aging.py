import unittest

from hypothesis import given
from hypothesis import strategies as st

from tools import aging


class TestAging(unittest.TestCase):
    @given(st.integers(-1000, 1000))
    def test_every_day_has_one_bucket(self, days_late):
        bucket = aging.bucket_of(days_late)
        self.assertIn(bucket, [code for code, _first in aging.BUCKETS])
        self.assertEqual(bucket == "not_due", days_late <= 0)

    @given(st.integers(-1000, 1000))
    def test_later_never_means_a_younger_bucket(self, days_late):
        codes = [code for code, _first in aging.BUCKETS]
        self.assertLessEqual(codes.index(aging.bucket_of(days_late)), codes.index(aging.bucket_of(days_late + 1)))
