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

    def test_keys_never_change(self):
        """Keys are stored: another derivation would take back everything twice after an update."""
        answer = {
            "call_date": "2026-03-10",
            "call_time": "14:30",
            "outcome": "right_person",
            "item": 42,
            "promise_date": "2026-03-20",
            "promise_amount": "100.00",
            "method": "transfer",
            "reason": 7,
            "new_contact": "Éva Martin",
            "new_phone": "01 02",
            "new_email": "eva@x.fr",
            "note": "Calls  back",
        }
        self.assertEqual(
            handover.get_parts(answer),
            {
                "call": "6420b697b78e53a2191f8d1bfb2f1b8c",
                "promise": "c406fff6141e35d180310eb0a4683ac8",
                "contact": "d01616d281515fcd9d6ce99e9dd1864a",
                "note": "27d7fd0ee665a108aeb68ec88a102a85",
            },
        )
        answer = {"item": 42, "reason": 7, "is_dispute": True, "disputed_amount": "12.50"}
        self.assertEqual(
            handover.get_parts(answer),
            {
                "call": "f8b26a1f4eabb0186f22cee8a0f52c51",
                "dispute": "44155bce6c6f9b4f37cad8368b978981",
            },
        )

    def test_what_tells_of_a_call(self):
        for answer, outcome in (
            ({"outcome": "voicemail"}, "voicemail"),
            ({"reason": 7}, "right_person"),
            ({"promise_date": "2026-03-20"}, "right_person"),
            ({"note": "Nobody in"}, ""),
        ):
            with self.subTest(answer=answer):
                self.assertEqual(handover.get_outcome(answer), outcome)
        self.assertEqual(list(handover.get_parts({"reason": 7})), ["call", "note"])
        self.assertEqual(list(handover.get_parts({"reason": 7, "is_dispute": True})), ["call", "dispute"])

    def test_signs_that_no_reference_has(self):
        self.assertEqual(handover.clean_reference("C-AEIO-BCDF-GHJK"), "")
        self.assertEqual(handover.clean_reference("7-BCDF-GHJK-LMNP"), "")
        self.assertEqual(handover.clean_reference("C-BCDF-GHJK-LMN"), "")

    def test_what_looks_like_a_reference_is_none(self):
        for text in ("C-AKQ4-9XMB-T2RW", "C-7KQ4-9XMB-T2R1", "C-7KQ4-9XMB-T2RWW", "", None):
            with self.subTest(text=text):
                self.assertEqual(handover.clean_reference(text), "")

    def test_first_letter_may_be_any(self):
        self.assertEqual(handover.clean_reference("i7kq49xmbt2rw"), "I-7KQ4-9XMB-T2RW")

    def test_outcome_is_what_the_caller_says(self):
        self.assertEqual(handover.get_outcome({"outcome": "voicemail", "reason": "Oversight"}), "voicemail")
        self.assertEqual(list(handover.get_parts({"outcome": "no_answer"})), ["call"])
