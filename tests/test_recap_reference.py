from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from ..report import recap_numbers
from .recap_reference import PARTS, Notebook
from .test_conservation import INVOICE, STEPS, RandomLife
from .test_recap import RecapCommon
from .test_reference import AMOUNTS, CHOICE, EXAMPLES, SHARE, SOAK, event

OUTCOMES = st.sampled_from(("right_person", "someone_else", "voicemail", "no_answer", "wrong_number"))
METHODS = st.sampled_from(("transfer", "cheque", "card", "debit"))
REASONS = st.sampled_from(("", "", "cash", "oversight"))
CASE_STEPS = (
    event("call", case=CHOICE, outcome=OUTCOMES, by=CHOICE, reason=REASONS),
    event("call", case=CHOICE, outcome=OUTCOMES, by=CHOICE, reason=REASONS),
    event("said_promise", case=CHOICE, share=SHARE, days=st.integers(0, 9), method=METHODS, by=CHOICE),
    event("said_promise", case=CHOICE, share=SHARE, days=st.integers(0, 9), method=METHODS, by=CHOICE),
    event("contest", case=CHOICE, share=SHARE, document=st.booleans(), by=CHOICE),
    event("message", case=CHOICE, channel=st.sampled_from(("email", "email", "letter", "sms", "note"))),
    event("failure", message=CHOICE),
    event("handover", case=CHOICE),
    event("handover_end"),
    event("insolvency", case=CHOICE),
    event("escalation", case=CHOICE),
    event("closing_of_case", case=CHOICE, result=st.sampled_from(("refused", "unreachable", "escalated", "open"))),
    event("acceptance", dispute=CHOICE),
    event("write_off_on_payment", invoice=CHOICE, share=SHARE),
    event("correction", invoice=CHOICE, share=SHARE),
)
LATER_STEPS = (
    *STEPS,
    event("failure", message=CHOICE),
    event("acceptance", dispute=CHOICE),
    event("handover_end"),
    event("correction", invoice=CHOICE, share=SHARE),
    event("second_thoughts", promise=CHOICE, method=METHODS),
)
# Something old enough to be in the campaign, then whatever there is.
LEDGERS = st.tuples(
    st.lists(
        event(
            "invoice",
            customer=CHOICE,
            amount=AMOUNTS,
            days_late=st.integers(1, 200),
            currency=st.sampled_from(("EUR", "EUR", "USD")),
            instalments=st.booleans(),
            elsewhere=st.just(False),
        ),
        min_size=2,
        max_size=4,
    ),
    st.lists(
        st.one_of(
            INVOICE,
            event("history", customer=CHOICE, count=st.integers(2, 4), amount=AMOUNTS, days_after=st.integers(-3, 50)),
            event("payment", invoice=CHOICE, share=SHARE, days_after=st.integers(-20, 60)),
            event(
                "payment_on_account", customer=CHOICE, amount=AMOUNTS, days_ago=st.integers(0, 30), dollar=st.booleans()
            ),
            event("credit_note", invoice=CHOICE, share=SHARE, allocated=st.booleans()),
            event("promise", customer=CHOICE, share=SHARE, days_ago=st.just(0)),
            event("dispute", invoice=CHOICE, share=SHARE, accepted=st.booleans()),
            event("no_followup", invoice=CHOICE),
        ),
        max_size=3,
    ),
).map(lambda parts: parts[0] + parts[1])

# Words, and what the campaign itself says; figures are all the rest.
TEXTS = {
    "Recap": {
        "campaign_id",
        "name",
        "company",
        "currency",
        "decimal_places",
        "timezone",
        "date_start",
        "date_end",
        "state",
        "state_label",
        "in_charge",
        "team",
        "scope",
    },
    "CaseRow": {"status", "result_note", "profile_label", "size_label", "last_contact", "next_step"},
    "PromiseRow": {"method_label", "state_label"},
    "DisputeRow": {"reason", "state_label"},
    "CollectorRow": {"label"},
}
PROPERTIES = {
    "Recap": ("case_count", "goal_share", "expected", "expected_share", "gain"),
    "PromiseResults": ("kept_share", "kept_amount_share"),
    "Contacts": (
        "answered_share",
        "right_person_share",
        "failed_email_share",
        "contacted_share",
        "called_share",
        "reached_share",
    ),
    "CollectorRow": ("right_person_share",),
    "Baseline": ("owed", "collected", "is_known", "collected_share"),
}
# Rows of tables, and the column that they are known by.
KEYS = {"CaseRow": "case_id", "PromiseRow": "promise_id", "DisputeRow": "dispute_id", "CollectorRow": "user_id"}
# Breakdowns of which a part stands for nothing, so that one column of counts is meaningless.
WITHOUT_ITEMS = ("outcome", "reasons")
WITHOUT_CASES = ("collected_by_week", "collected_by_method")


class RecapReference:
    """Compares a recap, figure by figure, with the plain route."""

    def assertRecap(self, recap, expected):
        shown = {name: getattr(recap, name) for name in self._names(recap)}
        self.assertEqual(set(shown), set(expected), "the reference must know each figure")
        for name, value in expected.items():
            self.assertSame(self._plain(name, shown[name]), value, name)
        self.assertSorted(recap)

    def _names(self, row):
        """Return the names of all figures of one of the plain objects."""
        kind = type(row).__name__
        names = set(type(row).__dataclass_fields__) - TEXTS.get(kind, set()) - {KEYS.get(kind)}
        return names | set(PROPERTIES.get(kind, ()))

    def _plain(self, name, value):
        """Return a part of a recap as the reference writes it."""
        if isinstance(value, recap_numbers.Amounts):
            self.assertTrue(value.is_balanced)
            self.assertEqual(value.residual, value.initial - value.collected - value.settled_otherwise)
            self.assertEqual(value.collected_share, float(value.collected / value.initial) if value.initial else 0)
            return {part: getattr(value, part) for part in PARTS}
        if isinstance(value, recap_numbers.Breakdown):
            return self._plain_breakdown(name, value)
        if name == "weeks":
            return [(row.monday, row.collected, row.promised) for row in value]
        if name == "buckets":
            return {code: (owed, collected) for code, owed, collected in value if owed or collected}
        if isinstance(value, tuple) and value and isinstance(value[0], recap_numbers.SegmentRow):
            return {row.key: (row.case_count, self._plain(name, row.amounts)) for row in value}
        if isinstance(value, tuple):
            return {getattr(row, KEYS[type(row).__name__]): self._plain(name, row) for row in value}
        if hasattr(value, "__dataclass_fields__"):
            return {part: self._plain(part, getattr(value, part)) for part in self._names(value)}
        return value

    def _plain_breakdown(self, name, breakdown):
        rows = {}
        for row in breakdown:
            whole = sum((other.amount for other in breakdown), Decimal(0))
            self.assertAlmostEqual(breakdown.share(row), float(row.amount / whole) if whole else 0, 12)
            self.assertNotIn(row.key, rows, f"{name} names a part twice")
            counts = ([] if name in WITHOUT_CASES else [row.case_count]) + (
                [] if name in WITHOUT_ITEMS else [row.item_count]
            )
            rows[row.key] = (row.amount, *counts)
        return rows

    def assertSame(self, shown, expected, where):
        """Compare to the cent; ratios and days, which are no amounts, to six digits."""
        if isinstance(expected, dict):
            self.assertEqual(set(shown), set(expected), where)
            for key, value in expected.items():
                self.assertSame(shown[key], value, f"{where} {key}")
        elif isinstance(expected, list | tuple):
            self.assertEqual(len(shown), len(expected), where)
            for number, value in enumerate(expected):
                self.assertSame(shown[number], value, f"{where} {number}")
        elif isinstance(expected, float):
            self.assertAlmostEqual(shown, expected, 6, where)
        else:
            self.assertEqual(shown, expected, where)

    def assertSorted(self, recap):
        """Tables are in the order that the document promises."""
        for rows, key in (
            (recap.cases, lambda case: (-case.amounts.residual, -case.amounts.initial, case.case_id)),
            (recap.promises, lambda promise: (promise.date, promise.promise_id)),
            (recap.disputes, lambda dispute: (dispute.deadline, dispute.dispute_id)),
            (recap.collectors, lambda row: (-row.amounts.collected, row.label)),
            (recap.collected_by_method.rows, lambda row: -row.amount),
            (recap.collected_by_week.rows, lambda row: row.key),
            (recap.promised_by_date.rows, lambda row: row.key),
            (recap.promised_by_method.rows, lambda row: -row.amount),
            (recap.disputed_by_reason.rows, lambda row: -row.amount),
            (recap.reasons.rows, lambda row: (not row.key, -row.amount)),
        ):
            self.assertEqual(list(rows), sorted(rows, key=key))

    def assertStill(self, later, closed):
        """Nothing in the recap of a closed campaign has moved."""
        for name in recap_numbers.Recap.__dataclass_fields__:
            self.assertEqual(getattr(later, name), getattr(closed, name), name)


@tagged("post_install", "-at_install")
class TestRecapByHand(RecapReference, RecapCommon):
    """The campaign in which everything happened, figure by figure."""

    def test_every_figure(self):
        notebook = Notebook(self.campaign)
        self.assertRecap(self._recap(), notebook.expect(self.today))
        self._live()
        self.assertRecap(self._recap(), notebook.expect(self.today))
        day = self.today + timedelta(days=20)
        with freeze_time(f"{day} 12:00:00"):
            self.campaign.action_close()
            self.assertRecap(self._recap(), notebook.expect(day))


@tagged("post_install", "-at_install")
class TestRecapReference(RecapReference, RandomLife):
    """The recap of random campaigns is what plain Python makes of the definitions of its figures."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        partner = cls.env["res.partner"].create({"name": "Phone House", "is_company": True, "lang": "en_US"})
        cls.provider = cls.env["collection.provider"].create({"partner_id": partner.id})
        cls.team = cls.collector + cls.other_collector

    # === STEPS === #

    def _choose_case(self, number):
        """Return a case of the campaign that is still worked on, or nothing."""
        return self._choose(self.campaign.case_ids.filtered(lambda case: case.state != "closed"), number)

    def _make_call(self, case, outcome, by, reason):
        case = self._choose_case(case)
        if case:
            reason = (
                self.env.ref(f"account_collection.collection_reason_{reason}")
                if reason
                else self.env["collection.reason"]
            )
            # Who may not see the case works for its collector.
            user = case.collector_id if by % 3 else self.env.user
            self._log_call(case.debtor_id, outcome, user=user, case=case, reason_id=reason.id)

    def _make_said_promise(self, case, share, days, method, by):
        case = self._choose_case(case)
        claims = self._get_debtor(case.partner_id)._get_claim() if case else []
        if claims and case.state != "closed":
            claim = self._choose(claims, by)
            self._promise(
                case.debtor_id,
                user=case.collector_id if by % 3 else self.env.user,
                case=case,
                move_line_ids=[Command.set([row["item"].id for row in claim["rows"] if row["claimable"]])],
                amount=min(self._share_of(claim["amount"], share), claim["amount"]),
                date=self.today + timedelta(days=days),
                method=method,
            )

    def _make_contest(self, case, share, document, by):
        case = self._choose_case(case)
        claims = self._get_debtor(case.partner_id)._get_claim() if case else []
        if claims and case.state != "closed":
            row = self._choose([row for row in claims[0]["rows"] if row["claimable"]], by)
            reason = "missing_document" if document else "price"
            self._dispute(
                case.debtor_id,
                row["item"],
                min(self._share_of(row["claimable"], share), row["claimable"]),
                user=case.collector_id if by % 3 else self.env.user,
                case=case,
                reason_id=self.env.ref(f"account_collection.collection_reason_{reason}").id,
            )

    def _make_message(self, case, channel):
        case = self._choose_case(case)
        if case:
            self.env["collection.action"].sudo()._log(case.debtor_id, channel, case=case)

    def _make_failure(self, message):
        messages = self.campaign.case_ids.action_ids.filtered(
            lambda action: action.state == "done" and action.channel in ("email", "sms")
        )
        self._choose(messages.sorted("id"), message)._set_state("failed")

    def _make_handover(self, case):
        case = self._choose_case(case)
        if case and not case.debtor_id.handover_id and case.debtor_id.claimable_amount > 0:
            case = case.with_user(self.team_user)
            wizard = case.env["collection.handover.create"].browse(case.action_hand_over()["res_id"])
            wizard.provider_id = self.provider
            wizard.action_confirm()

    def _make_handover_end(self):
        self.campaign.sudo().handover_ids.filtered(lambda handover: handover.state == "out").action_end()

    def _make_insolvency(self, case):
        self._choose_case(case).debtor_id.insolvency = True

    def _make_escalation(self, case):
        case = self._choose_case(case)
        if case.state != "escalated":
            case.action_escalate()

    def _make_closing_of_case(self, case, result):
        self._choose_case(case)._close(result, "By hand")

    def _make_acceptance(self, dispute):
        disputes = self._search_debtors().dispute_ids.filtered(lambda dispute: dispute.state == "open")
        dispute = self._choose(disputes.sorted("id"), dispute)
        dispute.resolution = "The customer is right."
        dispute.action_accept()

    def _make_correction(self, invoice, share):
        """An invoice is reset to draft, and posted with another amount."""
        invoice = self._choose(self.invoices, invoice)
        if invoice.state == "posted" and invoice.company_id == self.company and not invoice.inalterable_hash:
            invoice.button_draft()
            invoice.invoice_line_ids.price_unit = self._share_of(invoice.amount_total, share)
            invoice.action_post()

    def _make_second_thoughts(self, promise, method):
        self._choose(self._search_debtors().promise_ids.sorted("id"), promise).method = method

    # === TESTS === #

    def _run(self, steps):
        """Let things happen, each at the noon of its day."""
        for name, values in steps:
            with freeze_time(self.today + timedelta(hours=11)):
                getattr(self, f"_make_{name}")(**values)

    def _check_now(self, notebook):
        with freeze_time(self.today + timedelta(hours=13)):
            self._synchronize()
            recap = self._recap()
            self.assertRecap(recap, notebook.expect(self.today))
        return recap

    def _recap(self):
        self.env.invalidate_all()
        return self.campaign.with_context(lang="en_US")._recap()

    @settings(EXAMPLES, max_examples=EXAMPLES.max_examples if SOAK else 6)
    @given(
        events=LEDGERS,
        steps=st.lists(st.one_of(*STEPS, *CASE_STEPS, *CASE_STEPS), min_size=6, max_size=14),
        later=st.lists(st.one_of(LATER_STEPS), min_size=2, max_size=6),
        goal=st.sampled_from((0, 500)),
    )
    def test_every_figure_of_every_campaign(self, events, steps, later, goal):
        self.addCleanup(setattr, type(self), "today", self.first_day)
        type(self).today = self.first_day
        with self.example(events):
            self._synchronize()
            try:
                self.campaign = self._start_campaign(goal_amount=goal)
            except UserError:
                return  # nothing is owed, or nothing may be asked for
            notebook = Notebook(self.campaign)
            self._run(steps[: len(steps) // 2])
            self._check_now(notebook)
            self._run(steps[len(steps) // 2 :])
            running = self._check_now(notebook)
            self._check_closed(notebook, running, later)

    def _check_closed(self, notebook, running, later):
        """The closing changes no amount, and nothing that comes after it changes the recap."""
        results = notebook.expect_results()
        with freeze_time(self.today + timedelta(hours=14)):
            self.campaign.action_close()
            closed = self._recap()
            self.assertEqual({case: case.result for case in results}, results)
            self.assertRecap(closed, notebook.expect(self.today))
        for name in ("total", "outcome", "promised_by_date", "disputed_by_reason", "collected_by_week", "contacts"):
            self.assertEqual(getattr(closed, name), getattr(running, name), name)
        type(self).today += timedelta(days=1)
        self._run(later)
        with freeze_time(self.today + timedelta(hours=13)):
            self._synchronize()
            self.assertStill(self._recap(), closed)
