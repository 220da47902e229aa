from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from ...report.recap import numbers as recap_numbers
from ...report.recap.outcome import REST_RESULTS
from ..common import CollectionCommon
from ..ledger.test_conservation import INVOICE, MERGES, STEPS, RandomLife
from ..ledger.test_reference import AMOUNTS, CHOICE, EXAMPLES, SHARE, SOAK, event
from ..recap_reference import PARTS, Notebook
from .test_recap import RecapCommon

OUTCOMES = st.sampled_from(("right_person", "someone_else", "voicemail", "no_answer", "wrong_number"))
METHODS = st.sampled_from(("transfer", "cheque", "card", "debit"))
REASONS = st.sampled_from(("", "", "cash", "oversight"))
CALL = event("call", case=CHOICE, outcome=OUTCOMES, by=CHOICE, reason=REASONS)
PROMISE = event("said_promise", case=CHOICE, share=SHARE, days=st.integers(0, 9), method=METHODS, by=CHOICE)
CONTEST = event("contest", case=CHOICE, share=SHARE, document=st.booleans(), by=CHOICE)
PAYMENT = event("payment_today", invoice=CHOICE, share=st.one_of(st.just(100), SHARE))
DAYS = event("days_passing", count=st.integers(1, 20))
MESSAGE = event(
    "message", case=CHOICE, channel=st.sampled_from(("email", "email", "letter", "sms", "note")), fails=st.booleans()
)
CASE_STEPS = (
    event("handover", case=CHOICE),
    event("handover_end"),
    event("insolvency", case=CHOICE),
    event("escalation", case=CHOICE),
    event("closing_of_case", case=CHOICE, result=st.sampled_from(("refused", "unreachable", "escalated", "open"))),
    event("acceptance", dispute=CHOICE),
    event("write_off_on_payment", invoice=CHOICE, share=SHARE),
    event("correction", invoice=CHOICE, share=SHARE),
    event("credit_note", invoice=CHOICE, share=SHARE, allocated=st.just(True)),
)
# What happens every day happens more often; a one_of in a one_of is drawn as one.
OFTEN = st.sampled_from((CALL, PROMISE, CONTEST, PAYMENT, PAYMENT, PAYMENT, DAYS, MESSAGE)).flatmap(lambda step: step)
SELDOM = st.sampled_from((*STEPS, *MERGES, *CASE_STEPS, *CASE_STEPS)).flatmap(lambda step: step)
LIVES = st.lists(st.booleans().flatmap(lambda is_often: OFTEN if is_often else SELDOM), min_size=8, max_size=16)
LATER_STEPS = (
    *STEPS,
    PAYMENT,
    PAYMENT,
    DAYS,
    event("unreconciliation", invoice=CHOICE),
    event("cancelled_payment", payment=CHOICE),
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
        event("history", customer=CHOICE, count=st.integers(1, 3), amount=AMOUNTS, days_after=st.integers(-3, 50)),
        max_size=1,
    ),
    st.lists(
        st.one_of(
            INVOICE,
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
).map(lambda parts: parts[0] + parts[1] + parts[2])

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
    "SentRow": {"label"},
}
PROPERTIES = {
    "Recap": ("case_count", "goal_share", "expected", "expected_share", "gain"),
    "PromiseResults": ("kept_share", "kept_amount_share"),
    "Contacts": (
        "email_count",
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
KEYS = {
    "CaseRow": "case_id",
    "PromiseRow": "promise_id",
    "DisputeRow": "dispute_id",
    "CollectorRow": "user_id",
    "SentRow": "channel",
}
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

    def test_case_of_a_closed_campaign(self):
        """Who followed a customer up, and why they did not pay, stays as it was printed."""
        self.campaign.action_close()
        case = self.campaign.case_ids[0].with_user(self.manager)
        with self.assertRefused("is over"):
            case.collector_id = self.team_user
        with self.assertRefused("is over"):
            case.reason_id = self.env.ref("account_collection.collection_reason_cash")


@tagged("post_install", "-at_install")
class TestRecapEdgeFigures(RecapReference, CollectionCommon):
    """At the edge of what can happen, the figures are those of the plain route."""

    def _start(self):
        self.campaign = self._start_campaign(goal_amount=1000)
        self.notebook = Notebook(self.campaign)

    def _check(self):
        recap = self.campaign._recap()
        self.assertRecap(recap, self.notebook.expect(self.today))
        return recap

    def test_nothing_collected(self):
        self._create_invoice(amount=100.0)
        self._start()
        self.assertEqual(self._check().total.rest, 100)
        self.campaign.action_close()
        self.assertEqual(self._check().goal_share, 0)

    def test_everything_collected(self):
        invoice = self._create_invoice(amount=100.0)
        self._start()
        self._pay(invoice)
        self.assertEqual(self._check().results[0].key, "paid")
        self.campaign.action_close()
        recap = self._check()
        self.assertEqual((recap.total.collected, recap.total.collected_share, recap.goal_share), (100, 1, 0.1))
        self.assertFalse(recap.aging_after)

    def test_two_currencies(self):
        dollar = self.setup_other_currency("USD", rates=[("2020-01-01", 1.3), ("2026-03-01", 1.1)])
        invoices = self._create_invoice(amount=100.0, days_late=60, currency=dollar) | self._create_invoice(amount=70.0)
        self._start()
        self.assertEqual(self._check().total.initial, Decimal("146.92"))  # 100 / 1.3 + 70
        for invoice in invoices:
            self._pay(invoice, 33.33)
        recap = self._check()
        self.assertEqual(recap.total.residual, Decimal("51.28") + Decimal("36.67"))  # 66.67 / 1.3, 70 − 33.33

    def test_amounts_above_a_billion(self):
        invoice = self._create_invoice(amount=12345678901.23)
        other = self._create_invoice(self.other_customer, 9876543210.98)
        self._start()
        self._pay(invoice, 1234567890.12)
        debtor = self._get_debtor(self.other_customer)
        self._promise(debtor, case=debtor.case_ids, amount=9876543210.97)
        recap = self._check()
        self.assertEqual(recap.total.collected, Decimal("1234567890.12"))
        self.assertEqual(
            (recap.total.promised, recap.total.rest), (Decimal("9876543210.97"), Decimal("11111111011.12"))
        )
        self.campaign.action_close()
        closed = self._check()
        self.assertEqual(closed.promised_by_date.total, Decimal("9876543210.97"))
        self._pay(other)
        self._synchronize()
        self.assertStill(self.campaign._recap(), closed)

    def test_payment_cancelled_after_the_closing(self):
        """Even the only one: there is no reconciliation left, and another comes later."""
        invoice = self._create_invoice(amount=100.0)
        self._start()
        debtor = self._get_debtor()
        self._promise(debtor, case=debtor.case_ids, date=self.today)
        payment = self._pay(invoice)
        self.campaign.action_close()
        closed = self._check()
        self.assertEqual([promise.state for promise in closed.promises], ["kept"])
        with freeze_time(f"{self._days(9)} 12:00:00"):
            payment.action_cancel()
            self._synchronize()
            self.assertEqual(debtor.promise_ids.state, "broken")
            self.assertStill(self.campaign._recap(), closed)
            self._pay(invoice, 30.0)
            self.assertStill(self.campaign._recap(), closed)


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

    def _make_message(self, case, channel, fails=False):
        case = self._choose_case(case)
        if case:
            action = self.env["collection.action"].sudo()._log(case.debtor_id, channel, case=case)
            if fails and channel in ("email", "sms"):
                action._set_state("failed")

    def _make_failure(self, message):
        messages = self.campaign.case_ids.action_ids.filtered(
            lambda action: action.state == "done" and action.channel in ("email", "sms")
        )
        self._choose(messages.sorted("id"), message)._set_state("failed")

    def _make_handover(self, case):
        case = self._choose_case(case)
        if case and not case.debtor_id.handover_id and case.debtor_id.claimable_amount > 0:
            self._hand_over(case)

    def _hand_over(self, case):
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
        """An invoice is reset to draft, and posted with another amount and in parts."""
        invoice = self._choose(self.invoices, invoice)
        if invoice.state == "posted" and invoice.company_id == self.company and not invoice.inalterable_hash:
            self._correct(invoice, self._share_of(invoice.amount_total, share))

    def _correct(self, invoice, amount):
        invoice.button_draft()
        invoice.invoice_line_ids.price_unit = amount
        # Other instalments are other journal items.
        invoice.invoice_payment_term_id = self.instalments if amount > 10 else False
        invoice.action_post()

    @contextmanager
    def _deciding(self, before, after):
        """Two cases of the campaign may become one: what was frozen of both is that one's."""
        cases = self.campaign.sudo().case_ids
        with super()._deciding(before, after):
            yield
        gone = cases - cases.exists()
        self.notebook.replace(gone, (cases - gone).filtered(lambda case: case.partner_id == after))

    def _make_second_thoughts(self, promise, method):
        # What was judged or withdrawn is on file.
        promises = self._search_debtors().promise_ids.filtered(lambda promise: promise.state == "open")
        self._choose(promises.sorted("id"), promise).method = method

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

    @settings(EXAMPLES, max_examples=EXAMPLES.max_examples if SOAK else 4)
    @given(
        events=LEDGERS,
        steps=LIVES,
        later=st.lists(st.sampled_from(LATER_STEPS).flatmap(lambda step: step), min_size=3, max_size=6),
        goal=st.sampled_from((0, 500)),
    )
    def test_every_figure_of_every_campaign(self, events, steps, later, goal):
        self._check_life(events, steps, later, goal)

    def test_a_full_life(self):
        """One campaign in which everything happens, so that no figure is compared with nothing."""
        self.addCleanup(setattr, type(self), "today", self.first_day)
        type(self).today = self.first_day
        with self.example([]):
            self._start_full_life()
            notebook = Notebook(self.campaign)
            self._live_first_week()
            self._check_now(notebook)
            self._live_second_week()
            closed = self._check_closed(notebook, self._check_now(notebook), self._get_later_life())
        self.assertFalse([row.key for row in closed.outcome if not row.amount])
        states = {row.key for row in closed.promise_results.by_state}
        self.assertEqual(states, {"open", "kept", "partly", "broken", "cancelled"})
        self.assertEqual({promise.currency for promise in closed.promises if promise.open_amount}, {"EUR", "USD"})
        self.assertEqual({dispute.state for dispute in closed.disputes}, {"open", "accepted", "rejected"})
        self.assertEqual(
            {row.key for row in closed.results}, {"paid", "credited", *REST_RESULTS, "open", "promised", "disputed"}
        )
        for name in ("aging", "aging_after", "collected_by_week", "promised_by_date", "promised_by_method"):
            self.assertGreater(len(getattr(closed, name)), 1, name)
        self.assertGreater(len(closed.disputed_by_reason), 1)
        self.assertGreater(len(closed.reasons), 2)
        contacts = closed.contacts
        for name in ("failed_email_count", "reached_count"):
            self.assertTrue(getattr(contacts, name), name)
        self.assertTrue(all(row.count for row in contacts.sent))
        self.assertTrue(closed.baseline.collected and closed.after.dso and closed.promise_results.kept_amount)
        self.assertEqual(len([row for row in closed.collectors if row.call_count and row.amounts.collected]), 2)

    def _start_full_life(self):
        """Make a ledger with some history, and start a campaign on it."""
        names = (
            *("Payer", "Credited", "Keeper", "Half", "Breaker", "Promiser", "Disputer", "Accepted"),
            *("Silent", "Refuser", "Escalated", "Handed", "Insolvent", "Dollar", "Contester"),
        )
        self.partners = {name: self._create_customer(name, ref=name[:3]) for name in names}
        for days_late, delay in ((45, 20), (80, 40), (110, 5)):
            paid = self._create_invoice(self.partners["Payer"], 200.0 + delay, days_late)
            self._pay(paid, on=paid.invoice_date_due + timedelta(days=delay))
        self.open = {
            name: self._create_invoice(
                partner, 100.01 + 33.33 * number, 3 + 11 * number, currency=self.dollar if name == "Dollar" else None
            )
            for number, (name, partner) in enumerate(self.partners.items())
        }
        self.invoices = self.env["account.move"].union(*self.open.values())
        # Money that was there before, to be allocated later; and an invoice that isn't due yet.
        self._pay_on_account(self.partners["Credited"], 30.0, on=self.today - timedelta(days=3))
        self._create_invoice(self.partners["Payer"], 77.0, days_late=-5)
        self.partners["Silent"].collection_company_size = "large"
        self._synchronize()
        self.campaign = self._start_campaign(goal_amount=900)
        self.cases = {case.partner_id.name: case for case in self.campaign.case_ids}
        for number, name in enumerate(names):
            self.cases[name].collector_id = self.team[number % 2]

    def _say(self, helper, name, *args, **values):
        """Let the collector of a customer write something down."""
        case = self.cases[name]
        return getattr(self, helper)(case.debtor_id, *args, user=case.collector_id, case=case, **values)

    def _pay_part(self, name, amount):
        self._pay(self.open[name], amount)

    def _live_first_week(self):
        item = {name: self._get_items(invoice) for name, invoice in self.open.items()}
        reason = self.env.ref("account_collection.collection_reason_cash")
        document = self.env.ref("account_collection.collection_reason_missing_document")
        with freeze_time(self.today + timedelta(hours=9)):
            for name, outcome in (
                ("Payer", "right_person"),
                ("Credited", "someone_else"),
                ("Silent", "voicemail"),
                ("Escalated", "wrong_number"),
                ("Handed", "no_answer"),
            ):
                self._say("_log_call", name, outcome)
            self._say("_log_call", "Refuser", "right_person", reason_id=reason.id)
            for days, amount, name, method in (
                (1, 60.0, "Keeper", "transfer"),
                (1, 80.0, "Half", "card"),
                (2, 90.0, "Breaker", "cheque"),
                (20, 70.0, "Promiser", "cheque"),
                (25, 196.66, "Promiser", "transfer"),
                (20, 111.11, "Dollar", "transfer"),
            ):
                date = self.today + timedelta(days=days)
                self._say("_promise", name, amount=amount, date=date, method=method)
            self._say("_promise", "Payer", amount=10.0, date=self.today).action_cancel()
            self._say("_dispute", "Disputer", item["Disputer"], 55.55)
            self._say("_dispute", "Contester", item["Contester"])
            self._say("_dispute", "Dollar", item["Dollar"], 33.33, reason_id=document.id)
            self._say("_dispute", "Breaker", item["Breaker"], 20.0).write({"resolution": "Delivered."})
            self._say("_dispute", "Accepted", item["Accepted"]).write({"resolution": "A mistake."})
            for name, channel, fails in (
                ("Payer", "email", False),
                ("Silent", "email", True),
                ("Insolvent", "letter", False),
                ("Half", "sms", False),
                ("Half", "note", False),
                ("Breaker", "email", False),
            ):
                action = (
                    self.env["collection.action"]
                    .sudo()
                    ._log(self.cases[name].debtor_id, channel, case=self.cases[name])
                )
                action.filtered(lambda _action, fails=fails: fails)._set_state("failed")
            self._pay_part("Payer", 50.0)
            self._pay_part("Keeper", 60.0)
            self.cases["Insolvent"].debtor_id.insolvency = True
            self.cases["Escalated"].action_escalate()
            self.cases["Refuser"]._close("refused", "Won't pay")

    def _live_second_week(self):
        type(self).today += timedelta(days=9)
        with freeze_time(self.today + timedelta(hours=9)):
            self.cases["Breaker"].debtor_id.dispute_ids.action_reject()
            self.cases["Accepted"].debtor_id.dispute_ids.action_accept()
            self._pay_part("Dollar", 20.0)
            self._pay_part("Promiser", 30.0)
            # Half of it came in time, booked late.
            self._pay(self.open["Half"], 40.0, on=self.today - timedelta(days=8))
            self._pay(self.open["Payer"])
            self._allocate(self.partners["Credited"])
            self._credit(self.open["Credited"])
            invoice = self.open["Insolvent"]
            self._make_write_off_entry(list(self._get_items(self.invoices)).index(self._get_items(invoice)), 50)
            self._hand_over(self.cases["Handed"])
            self._correct(self.open["Refuser"], 300.0)

    def _get_later_life(self):
        return [
            *(("cancelled_payment", {"payment": payment}) for payment in (0, 3, 4)),
            ("days_passing", {"count": 3}),
            ("unreconciliation", {"invoice": 13}),
            ("failure", {"message": 0}),
            ("acceptance", {"dispute": 0}),
            *(("payment_today", {"invoice": invoice, "share": 100}) for invoice in range(6)),
            *(("second_thoughts", {"promise": promise, "method": "debit"}) for promise in range(8)),
            ("handover_end", {}),
            ("draft", {"invoice": 10}),
            ("correction", {"invoice": 11, "share": 40}),
            ("days_passing", {"count": 30}),
        ]

    def _check_life(self, events, steps, later, goal):
        """Compare the recap of one campaign half-way, at its end, and after what happened later.

        :return: the recap at the closing; ``None`` when there was nothing to start with.
        """
        self.addCleanup(setattr, type(self), "today", self.first_day)
        type(self).today = self.first_day
        with self.example(events):
            self._synchronize()
            try:
                self.campaign = self._start_campaign(goal_amount=goal)
            except UserError:
                return None  # nothing is owed, or nothing may be asked for
            notebook = self.notebook = Notebook(self.campaign)
            self._run(steps[: len(steps) // 2])
            self._check_now(notebook)
            self._run(steps[len(steps) // 2 :])
            running = self._check_now(notebook)
            return self._check_closed(notebook, running, later)

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
            contacts = list(self.env["collection.recap"]._iter_contacts(closed))
            failed = [contact for contact in contacts if (contact["channel"], contact["state"]) == ("email", "failed")]
            self.assertEqual(len(contacts), closed.contacts.logged_count, "the list of contacts stands still, too")
            self.assertEqual(len(failed), closed.contacts.failed_email_count)
        return closed
