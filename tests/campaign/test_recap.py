import doctest
from collections import Counter
from datetime import timedelta
from decimal import Decimal

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged

from ...report.recap import build as recap_module
from ...report.recap import charts as recap_charts
from ...report.recap import numbers as recap_numbers
from ...report.recap import xlsx as recap_xlsx
from ..common import CollectionCommon


class RecapCommon(CollectionCommon):
    """A campaign in which everything happened that can happen to a debt."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dollar = cls.setup_other_currency("USD", rates=[("2020-01-01", 1.3)])
        names = ("Payer", "Credited", "Promiser", "Disputer", "Silent", "Refuser", "Foreign", "=cmd|'/c calc'!A1")
        cls.partners = {name: cls._create_customer(name) for name in names}
        cls.invoices = {
            name: cls._create_invoice(
                partner,
                amount,
                days_late=days_late,
                currency=cls.dollar if name == "Foreign" else None,
            )
            for (name, partner), amount, days_late in zip(
                cls.partners.items(),
                (1000.10, 333.33, 800.0, 512.57, 99.99, 4000.0, 777.77, 123.45),
                (5, 31, 61, 100, 200, 1, 45, 12),
                strict=True,
            )
        }
        cls.campaign = cls._start_campaign(goal_amount=5000.0)

    def _get_case(self, name):
        return self.campaign.case_ids.filtered(lambda case: case.partner_id == self.partners[name])

    def _live(self):
        """Let the campaign happen: payments, a credit note, calls, a promise, disputes, a refusal."""
        self._pay(self.invoices["Payer"], 600.05)
        self._pay(self.invoices["Foreign"], 100.0)
        self._credit(self.invoices["Credited"], 133.33)
        for name, outcome in (("Promiser", "right_person"), ("Silent", "voicemail"), ("Refuser", "someone_else")):
            case = self._get_case(name)
            self._log_call(case.debtor_id, outcome, case=case)
        promiser, disputer, foreign = (self._get_case(name) for name in ("Promiser", "Disputer", "Foreign"))
        self._promise(promiser.debtor_id, case=promiser, date=self._days(10), method="cheque")
        self._dispute(disputer.debtor_id, self._get_items(self.invoices["Disputer"]), 212.57, case=disputer)
        self._dispute(
            foreign.debtor_id,
            self._get_items(self.invoices["Foreign"]),
            33.33,
            case=foreign,
            reason_id=self.env.ref("account_collection.collection_reason_missing_document").id,
        )
        self._get_case("Refuser").sudo()._close("refused", "Won't pay")

    def _recap(self, campaign=None, lang="en_US"):
        return (campaign or self.campaign).with_context(lang=lang)._recap()


@tagged("post_install", "-at_install")
class TestRecap(RecapCommon):
    def test_doctests(self):
        """The examples in the plain modules hold."""
        for module in (recap_numbers, recap_charts, recap_xlsx, recap_module):
            with self.subTest(module=module.__name__):
                self.assertEqual(doctest.testmod(module).failed, 0)

    def test_not_started(self):
        """A campaign that never started has nothing to sum up."""
        with self.assertRaises(UserError):
            self._create_campaign()._recap()

    def test_at_the_start(self):
        """Right after the start, all is owed and nothing happened."""
        recap = self._recap()
        self.assertEqual(recap.case_count, 8)
        self.assertEqual(recap.item_count, 8)
        self.assertEqual(recap.total.initial, self._sum_of_residuals())
        self.assertEqual(recap.total.rest, recap.total.initial)
        self.assertEqual(recap.outcome.get("open"), recap.total.initial)
        self.assertFalse(recap.collected_by_week)
        self.assertFalse(recap.is_final)

    def test_amounts_equal_the_ledger(self):
        """Added up anew from journal items and reconciliations, every amount is the same to the cent."""
        initial = self._sum_of_residuals()
        self._live()
        recap = self._recap()
        partials = self._get_items(self.env["account.move"].union(*self.invoices.values())).matched_credit_ids
        collected = sum(
            Decimal(str(partial.amount)) for partial in partials if partial.credit_move_id.journal_id.type == "bank"
        )
        credited = sum(
            Decimal(str(partial.amount))
            for partial in partials
            if partial.credit_move_id.move_id.move_type == "out_refund"
        )
        self.assertEqual(recap.total.initial, initial)
        self.assertEqual(recap.total.collected, collected)
        self.assertEqual(recap.total.credited, credited)
        self.assertEqual(recap.total.credited, Decimal("133.33"))
        self.assertEqual(recap.total.other, 0)
        self.assertEqual(recap.total.residual, self._sum_of_residuals())
        self.assertEqual(recap.total.promised, Decimal("800.00"))
        # 33.33 dollars at the invoice's rate, and the disputed part of the other invoice.
        self.assertEqual(recap.total.disputed, Decimal("212.57") + Decimal("25.64"))
        self.assertBalanced(recap)

    def test_outcome(self):
        """Every part of the initial amount is in one row, under what became of it."""
        self._live()
        recap = self._recap()
        amounts = {row.key: row.amount for row in recap.outcome}
        self.assertEqual(amounts["refused"], Decimal("4000.00"))
        self.assertEqual(amounts["unreachable"], Decimal("99.99"))
        self.assertEqual(amounts["promised"], Decimal("800.00"))
        self.assertEqual(amounts["escalated"], 0)
        counts = {row.key: row.case_count for row in recap.outcome}
        self.assertEqual((counts["collected"], counts["credited"], counts["disputed"]), (2, 1, 2))
        self.assertEqual(sum(recap.outcome.share(row) for row in recap.outcome), 1)

    def test_escalated(self):
        """What is left of an escalated case counts as escalated."""
        self._get_case("Silent").action_escalate()
        self.assertEqual(self._recap().outcome.get("escalated"), Decimal("99.99"))

    def test_reasons(self):
        """What is owed is broken down by the reason of disputes, else by what the customer said."""
        self._live()
        cash = self.env.ref("account_collection.collection_reason_cash")
        self._get_case("Refuser").sudo().reason_id = cash
        recap = self._recap()
        price = self.env.ref("account_collection.collection_reason_price")
        document = self.env.ref("account_collection.collection_reason_missing_document")
        self.assertEqual(recap.disputed_by_reason.get(price.id), Decimal("212.57"))
        self.assertEqual(recap.disputed_by_reason.get(document.id), Decimal("25.64"))
        # What is left of an item that is disputed in part is owed for the reason that the customer gave.
        self.assertEqual(recap.reasons.get(price.id), Decimal("512.57"))
        self.assertEqual(recap.reasons.get(cash.id), Decimal("4000.00"))
        self.assertEqual(recap.reasons.total, recap.total.residual)
        self.assertEqual(recap.reasons.rows[-1].key, 0, "No reason given comes last.")
        self.assertEqual(recap.disputed_by_reason.total, recap.total.disputed)

    def test_two_disputes_on_one_item(self):
        """An item under two disputes is shared out, and nothing gets lost."""
        case = self._get_case("Refuser")
        item = self._get_items(self.invoices["Refuser"])
        document = self.env.ref("account_collection.collection_reason_missing_document")
        self._dispute(case.debtor_id, item, 1000.01, case=case)
        self._dispute(case.debtor_id, item, 2000.02, case=case, reason_id=document.id)
        recap = self._recap()
        self.assertEqual([row.amount for row in recap.disputed_by_reason], [Decimal("2000.02"), Decimal("1000.01")])

    def test_aging_and_segments(self):
        """The initial amount is broken down by days late, profile, size and smallness."""
        recap = self._recap()
        self.assertEqual(
            {row.key: row.item_count for row in recap.aging},
            {"1_30": 3, "31_60": 2, "61_90": 1, "91_120": 1, "over_120": 1},
        )
        small = {segment.key: segment.case_count for segment in recap.debt_sizes}
        self.assertEqual(small, {True: 2, False: 6})

    def test_promises(self):
        """Promises show by date and method, and what those that are due were worth."""
        self._live()
        case = self._get_case("Silent")
        self._promise(case.debtor_id, case=case, date=self._days(0))
        recap = self._recap()
        self.assertEqual(
            {row.key: row.amount for row in recap.promised_by_date},
            {self.today: Decimal("99.99"), self.today + timedelta(days=10): Decimal("800.00")},
        )
        self.assertEqual(
            {row.key: row.amount for row in recap.promised_by_method},
            {"transfer": Decimal("99.99"), "cheque": Decimal("800.00")},
        )
        self.assertEqual(recap.promise_results.due_count, 0)
        with freeze_time(f"{self._days(20)} 12:00:00"):
            self._pay(self.invoices["Promiser"], on=self._days(10))
            recap = self._recap()
        results = recap.promise_results
        self.assertEqual((results.due_count, results.kept_count, results.kept_share), (2, 1, 0.5))
        self.assertEqual({row.key: row.item_count for row in results.by_state}, {"kept": 1, "broken": 1})

    def test_contacts_and_collectors(self):
        """Calls are counted with whoever made them, amounts with whose case it is."""
        self._live()
        foreign = self._get_case("Foreign")
        self._log_call(foreign.debtor_id, "voicemail", case=foreign, user=self.team_user)
        recap = self._recap()
        contacts = recap.contacts
        # A promise and two disputes were told on the telephone, too.
        self.assertEqual((contacts.call_count, contacts.answered_count, contacts.right_person_count), (7, 5, 4))
        self.assertEqual((contacts.customer_count, contacts.contacted_count, contacts.reached_count), (8, 5, 3))
        calls = {row.user_id: row.call_count for row in recap.collectors if row.call_count}
        # Each of the six was in the care of whoever logged it; nobody's case is the team's.
        owners = Counter(
            self._get_case(name).collector_id.id
            for name in ("Promiser", "Silent", "Refuser", "Promiser", "Disputer", "Foreign")
        )
        self.assertEqual(calls, {**owners, self.team_user.id: 1})
        cases = Counter(self.campaign.case_ids.mapped("collector_id").ids)
        self.assertEqual(sum(row.case_count for row in recap.collectors), 8)
        self.assertGreaterEqual(len(recap.collectors), len(cases))

    def test_closed_stands_still(self):
        """What comes in after the closing, or is undone, changes nothing in the recap."""
        self._live()
        with freeze_time(f"{self._days(20)} 12:00:00"):
            self.campaign.action_close()
            closed = self._recap()
        self.assertTrue(closed.is_final)
        self.assertBalanced(closed)
        self.assertEqual(closed.outcome.get("unreachable"), Decimal("99.99"))
        with freeze_time(f"{self._days(25)} 12:00:00"):
            self._pay(self.invoices["Promiser"])
            self._pay(self.invoices["Silent"])
            self._credit(self.invoices["Disputer"], 212.57)
            self._get_items(self.invoices["Payer"]).remove_move_reconcile()
            self._synchronize()
            later = self._recap()
        self.assertBalanced(later)
        for name in recap_numbers.Recap.__dataclass_fields__:
            with self.subTest(figure=name):
                self.assertEqual(getattr(later, name), getattr(closed, name))

    def test_deleted_entry(self):
        """An invoice that was cancelled is no debt any more, and no money either; one that is corrected is a debt."""
        self.invoices["Silent"].button_draft()
        self.assertEqual(self._recap().total.other, 0)
        self.invoices["Silent"].button_cancel()
        recap = self._recap()
        self.assertEqual(recap.total.other, Decimal("99.99"))
        self.assertBalanced(recap)

    def test_rights(self):
        """Who sees only their own cases gets no recap; who sees all gets the same as everybody."""
        with self.assertRaises(AccessError):
            self.campaign.with_user(self.collector)._recap()
        team, manager = (self.campaign.with_user(user)._recap() for user in (self.team_user, self.manager))
        self.assertEqual(team, manager)

    def test_query_count(self):
        """As many statements for many cases as for few."""
        few = self._count_queries(self.campaign)
        for index in range(20):
            self._create_invoice(self._create_customer(f"Customer {index}"), 150.0 + index)
        many = self._count_queries(self._start_campaign(name="Second"))
        self.assertEqual(few, many)

    def test_merged_customers_leave_a_closed_campaign_as_it_was(self):
        """Two customers who become one were two when the campaign ended, each with what they had paid."""
        self._live()
        self._synchronize()
        self.campaign.with_user(self.manager).action_close()
        before = self._recap()
        cases = self.campaign.case_ids
        payer, foreign = self.partners["Payer"], self.partners["Foreign"]
        self.env["base.partner.merge.automatic.wizard"].create({})._merge((payer + foreign).ids, payer)
        self.env.invalidate_all()
        self.assertEqual(self.campaign.case_ids, cases)
        self.assertEqual(len(cases.filtered(lambda case: case.partner_id == payer)), 2)
        after = self._recap()
        self.assertEqual(after.total, before.total)
        self.assertEqual(
            sorted((row.amounts.initial, row.amounts.collected) for row in after.cases),
            sorted((row.amounts.initial, row.amounts.collected) for row in before.cases),
        )
        # A campaign that goes on has one case of one customer.
        self._create_invoice(payer, 50.0)
        self._synchronize()
        running = self._start_campaign(name="Second")
        self.assertEqual(len(running.case_ids.filtered(lambda case: case.partner_id == payer)), 1)

    def test_print(self):
        """The document renders in English and in French, and names the customers."""
        self._load_french()
        self._live()
        for lang in ("en_US", "fr_FR"):
            with self.subTest(lang=lang):
                html, _type = (
                    self.env["ir.actions.report"]
                    .with_user(self.team_user)
                    .with_context(lang=lang)
                    ._render_qweb_html("account_collection.report_campaign_recap", self.campaign.ids)
                )
                text = html.decode()
                self.assertIn("Refuser", text)
                self.assertIn("data:image/svg+xml", text)
                self.assertIn("800,00" if lang == "fr_FR" else "800.00", text)

    # === HELPERS === #

    def assertBalanced(self, recap):
        """Every breakdown adds up to its amount, exactly."""
        self.assertTrue(recap.total.is_balanced)
        for case in recap.cases:
            self.assertTrue(case.amounts.is_balanced, case.customer)
        for breakdown, amount in (
            (recap.outcome, recap.total.initial),
            (recap.aging, recap.total.initial),
            (recap.collected_by_week, recap.total.collected),
            (recap.collected_by_method, recap.total.collected),
            (recap.promised_by_date, recap.total.promised),
            (recap.promised_by_method, recap.total.promised),
            (recap.disputed_by_reason, recap.total.disputed),
            (recap.reasons, recap.total.residual),
        ):
            self.assertEqual(breakdown.total, amount)
        for segments in (recap.results, recap.profiles, recap.sizes, recap.debt_sizes, recap.collectors):
            self.assertEqual(recap_numbers.total_of(segment.amounts for segment in segments), recap.total)

    def _sum_of_residuals(self):
        moves = self.env["account.move"].union(*self.invoices.values())
        return sum(Decimal(str(item.amount_residual)) for item in self._get_items(moves))

    def _count_queries(self, campaign):
        self._recap(campaign)  # fill the caches of names and labels
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        self._recap(campaign)
        return self.env.cr.sql_log_count - before
