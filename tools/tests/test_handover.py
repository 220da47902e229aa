import unittest

from hypothesis import given
from hypothesis import strategies as st

from tools import handover

answers = st.dictionaries(
    st.sampled_from([*handover.ANSWERS, "item", "call_time"]), st.text(max_size=12) | st.none(), max_size=8
)


class TestHandover(unittest.TestCase):
    @given(st.text())
    def test_a_reference_is_one_or_none(self, text):
        reference = handover.clean_reference(text)
        self.assertEqual(handover.clean_reference(reference), reference)

    @given(st.sampled_from(["", " ", "-", "–", "."]), st.booleans())
    def test_a_reference_survives_typing(self, sign, is_lower):
        reference = handover.make_reference("C")
        typed = reference.replace("-", sign)
        self.assertEqual(handover.clean_reference(typed.lower() if is_lower else typed), reference)

    def test_references_differ(self):
        references = {handover.make_reference("I") for _number in range(5000)}
        self.assertEqual(len(references), 5000)

    @given(answers)
    def test_what_is_said_is_known_again(self, answer):
        parts = handover.get_parts(answer)
        self.assertEqual(parts, handover.get_parts({key: (value or "") for key, value in answer.items()}))
        self.assertEqual("call" in parts, bool(handover.get_outcome(answer)))

    @given(answers, st.sampled_from(["promise_date", "note", "new_phone"]))
    def test_something_else_is_not_known(self, answer, name):
        changed = {**answer, name: f"{answer.get(name) or ''}x1"}
        self.assertNotEqual(handover.get_parts(answer), handover.get_parts(changed))

    @given(st.lists(st.text("abcéÀô 1", max_size=8), max_size=4))
    def test_keys_follow_the_content(self, values):
        self.assertEqual(handover.make_key(*values), handover.make_key(*map(str.upper, map(str.lower, values))))

    @given(st.text())
    def test_time_is_read_or_left(self, text):
        date, moment = handover.split_time(text)
        self.assertTrue(moment is not None or date == text)
