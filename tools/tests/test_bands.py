import unittest

from hypothesis import given
from hypothesis import strategies as st

from tools import bands

WORDS = st.from_regex(r"[A-Za-z][A-Za-z ]{0,10}[A-Za-z]", fullmatch=True).filter(
    lambda word: word.lower().replace(" ", "") not in ("nan", "inf", "infinity")
)
BOUNDS = st.one_of(st.integers(-9999, 9999).map(float), st.sampled_from((0.5, 8.25, 30.75)), WORDS)


class TestBands(unittest.TestCase):
    @given(st.lists(st.tuples(BOUNDS, st.integers(0, 100)), max_size=6))
    def test_what_is_written_is_read_again(self, rows):
        self.assertEqual(bands.parse(bands.dump(rows)), rows)

    def test_whole_numbers_are_written_without_decimals(self):
        self.assertEqual(bands.dump([(1.0, 20), (8.5, 35), ("Bad payer", 100)]), "1: 20, 8.5: 35, Bad payer: 100")

    def test_ways_to_write_a_band(self):
        for text, expected in (
            ("8.5: 35", (8.5, 35)),
            ("≥ 8: 35 %", (8.0, 35)),
            ("1 000: 5", (1000.0, 5)),
            ("8: 35,5", (8.0, 36)),
            ("8: 35,4", (8.0, 35)),
            ("Bad payer: 100", ("Bad payer", 100)),
        ):
            with self.subTest(text=text):
                self.assertEqual(bands.parse(text), [expected])

    def test_nothing_written_is_no_band(self):
        for text in ("", " ; ", None, False):
            self.assertEqual(bands.parse(text), [])

    def test_percent_from_none_to_all(self):
        self.assertEqual(bands.parse("1: 0, 2: 100"), [(1.0, 0), (2.0, 100)])

    def test_part_that_is_no_band_is_named(self):
        for part in ("20", "1:", ": 20", "1: lots", "1: 101", "1: -1", "1: 100.5", "1: inf", "1: nan"):
            for text in (part, f"3: 20; {part}"):
                with self.subTest(text=text), self.assertRaises(ValueError) as caught:
                    bands.parse(text)
                self.assertEqual(str(caught.exception), part)
