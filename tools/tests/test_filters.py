import ast
import unittest

from hypothesis import given
from hypothesis import strategies as st

from tools.filters import OPERATORS, FilterError, iter_conditions, parse

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(-1e15, 1e15, allow_nan=False)
    | st.text(max_size=8)
)
_PATHS = st.from_regex(r"[a-z_]{1,8}(\.[a-z_]{1,8}){0,3}", fullmatch=True)
_FLAT_OPERATORS = st.sampled_from(sorted(OPERATORS - {"any", "not any"}))
_CONDITIONS = st.tuples(_PATHS, _FLAT_OPERATORS, _SCALARS | st.lists(_SCALARS, max_size=4))


def _join(children):
    return st.one_of(
        st.tuples(st.sampled_from("&|"), children, children).map(lambda parts: [parts[0], *parts[1], *parts[2]]),
        children.map(lambda part: ["!", *part]),
        st.tuples(_PATHS, st.sampled_from(("any", "not any")), children).map(lambda condition: [condition]),
    )


_FILTERS = st.recursive(_CONDITIONS.map(lambda condition: [condition]), _join, max_leaves=6)


def _depth(conditions):
    return 1 + max(
        (_depth(value) for _path, operator, value in iter_conditions(conditions) if operator in ("any", "not any")),
        default=0,
    )


class TestFilters(unittest.TestCase):
    def assert_refused(self, text, code, **names):
        with self.assertRaises(FilterError) as caught:
            parse(text, names)
        self.assertEqual(caught.exception.code, code, text)

    @given(_FILTERS)
    def test_what_is_written_is_read(self, conditions):
        """Whatever is made of conditions, words and nested filters comes back as it was."""
        if _depth(conditions) <= 10:
            self.assertEqual(parse(repr(conditions)), conditions)

    @given(st.text(max_size=60))
    def test_any_text_is_read_or_refused(self, text):
        """Nothing but a filter comes out, and nothing but a ``FilterError``."""
        try:
            conditions = parse(text)
        except FilterError:
            return
        for _path, operator, _value in iter_conditions(conditions):
            self.assertIn(operator, OPERATORS)

    @given(st.recursive(st.sampled_from(["1", "x", "''", "None"]), lambda part: st.one_of(
        part.map(lambda one: f"[{one}]"),
        st.tuples(part, part).map(lambda two: f"({two[0]}, {two[1]})"),
        st.tuples(part, part).map(lambda two: f"{two[0]} + {two[1]}"),
        part.map(lambda one: f"f({one})"),
        part.map(lambda one: f"{one}.a"),
        part.map(lambda one: f"[{one} for i in {one}]"),
    ), max_leaves=8))  # fmt: skip
    def test_no_program_is_carried_out(self, text):
        """What is not a list of literals is refused as it stands, not worked out."""
        try:
            parsed = parse(text, {"x": 1})
        except FilterError:
            return
        if "x" not in text:
            self.assertEqual(parsed, list(ast.literal_eval(text)))

    def test_nothing_means_everybody(self):
        for text in (None, False, "", "  ", "[]", "()"):
            with self.subTest(text=text):
                self.assertEqual(parse(text), [])

    def test_names(self):
        self.assertEqual(parse("[('user_id', 'in', [uid, False])]", {"uid": 7}), [("user_id", "in", [7, False])])
        self.assert_refused("[('user_id', '=', uid)]", "name")
        self.assert_refused("[('user_id', '=', user.id)]", "value", user=1)
        self.assert_refused("[('date', '=', time)]", "name", uid=1)
        self.assert_refused("[('n', '=', -uid)]", "value", uid=1)

    def test_always_and_never(self):
        self.assertEqual(parse("[(1, '=', 1)]"), [(1, "=", 1)])
        self.assertEqual(parse("[(0, '=', 1)]"), [(0, "=", 1)])
        self.assert_refused("[(7, '=', 1)]", "condition")

    def test_programs_are_refused(self):
        for text, code in (
            ("[('id', '=', sum([i for i in range(10**12)]))]", "value"),
            ("[('id', '=', 10**12)]", "value"),
            ("[('id', 'in', [i for i in (1, 2)])]", "value"),
            ("[('id', '=', 'a' * 99)]", "value"),
            ("[('id', '=', f'{1}')]", "value"),
            ("[('id', '=', b'x')]", "value"),
            ("[('id', '=', 1j)]", "value"),
            ("[('id', '=', {1: 2})]", "value"),
            ("[('id', '=', -'x')]", "value"),
            ("[('id', '=', ~1)]", "value"),
            ("[('id', 'in', [[1]])]", "value"),
            ("[(name, '=', 1)]", "condition"),
            ("[('id', '=')]", "condition"),
            ("[('', '=', 1)]", "condition"),
            ("[*x]", "condition"),
            ("[lambda: 1]", "condition"),
            ("{}", "list"),
            ("'x'", "list"),
            ("f()", "list"),
            ("[('id', 'any', 'x')]", "list"),
            ("[('id', 'any!', [])]", "operator"),
            ("[('id', 'inselect', 'x')]", "operator"),
            ("[('id', 1, 'x')]", "operator"),
            ("[('id', '=', 1)", "syntax"),
            ("import os", "syntax"),
            ("[('id', '=', '\0')]", "syntax"),
            ("['?', ('id', '=', 1)]", "words"),
            ("[1]", "words"),
            ("['|', ('id', '=', 1)]", "words"),
            ("['!']", "words"),
            ("['&', '|', ('id', '=', 1), ('id', '=', 2)]", "words"),
        ):
            with self.subTest(text=text):
                self.assert_refused(text, code)

    def test_sizes(self):
        self.assert_refused("[('id', '=', 10000000000000001)]", "number")
        self.assert_refused("[('id', '=', -10000000000000001)]", "number")
        self.assert_refused("[('id', '=', 1e999)]", "number")
        self.assertEqual(parse("[('id', '=', -1000000000000000)]"), [("id", "=", -(10**15))])
        self.assert_refused("[" * 5000 + "]" * 5000, "syntax")
        self.assert_refused("[('id', '=', " + "-" * 50 + "1)]", "value")
        self.assert_refused("[('name', '=', '" + "x" * 20_000 + "')]", "size")
        nested = "[('a', '=', 1)]"
        for _level in range(12):
            nested = f"[('a', 'any', {nested})]"
        self.assertEqual(len(parse(nested)), 1)
        self.assert_refused(f"[('a', 'any', {nested})]", "size")

    def test_words(self):
        condition = ("a", "=", 1)
        for text, expected in (
            ("['|', ('a', '=', 1), ('a', '=', 1)]", ["|", condition, condition]),
            ("['!', ('a', '=', 1), ('a', '=', 1)]", ["!", condition, condition]),
            ("[('a', '=', 1), '|', ('a', '=', 1), ('a', '=', 1)]", [condition, "|", condition, condition]),
            ("['&', '!', ('a', '=', 1), ('a', '=', 1)]", ["&", "!", condition, condition]),
        ):
            with self.subTest(text=text):
                self.assertEqual(parse(text), expected)
                self.assertEqual(len(list(iter_conditions(expected))), text.count("("))
