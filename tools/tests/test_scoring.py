import unittest

from hypothesis import given
from hypothesis import strategies as st

from tools import scoring


class TestScoring(unittest.TestCase):
    @given(st.lists(st.integers(0, 1000), min_size=1, max_size=30).filter(any))
    def test_maxima_add_up_and_stay_close(self, weights):
        result = scoring.maxima(weights)
        self.assertEqual(sum(result), 100)
        for weight, points in zip(weights, result, strict=True):
            self.assertLess(abs(points - 100 * weight / sum(weights)), 1.0001)

    @given(st.integers(0, 100), st.integers(0, 100))
    def test_contribution_is_never_more_than_the_maximum(self, percent, maximum):
        self.assertLessEqual(0, scoring.contribution(percent, maximum))
        self.assertLessEqual(scoring.contribution(percent, maximum), maximum)
        self.assertEqual(scoring.contribution(100, maximum), maximum)

    def test_contribution_is_rounded_half_up(self):
        self.assertEqual(scoring.contribution(50, 33), 17, "16.5")
        self.assertEqual(scoring.contribution(7, 7), 0, "0.49")
        self.assertEqual(scoring.contribution(51, 100), 51)

    @given(
        st.floats(-1e6, 1e6),
        st.dictionaries(st.floats(-1e6, 1e6), st.integers(0, 100), min_size=1, max_size=10),
    )
    def test_band_is_the_last_one_reached(self, value, bands):
        reached = [lower for lower in sorted(bands) if lower <= value]
        expected = bands[reached[-1]] if reached else None
        self.assertEqual(scoring.pick_band(value, bands.items()), expected)

    def test_nonsense_is_refused(self):
        for weights in ([], [0, 0], [5, -1]):
            with self.subTest(weights=weights), self.assertRaises(ValueError):
                scoring.maxima(weights)
