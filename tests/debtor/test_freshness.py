from datetime import timedelta
from unittest.mock import patch

from odoo.fields import Command
from odoo.sql_db import db_connect
from odoo.tests import freeze_time, tagged

from ..common import CollectionCommon


@tagged("post_install", "-at_install")
class TestFreshness(CollectionCommon):
    """A form shows the truth of the moment, and accounting never waits for it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(amount=100, days_late=20)
        cls.debtor = cls._get_debtor()
        cls.company.collection_refresh_date = cls.today
        cls.provider = cls.env["payment.provider"].sudo().search([("company_id", "=", cls.company.id)], limit=1)
        cls.provider = cls.provider or cls.env["payment.provider"].sudo().create({"name": "Test"})
        cls.env["collection.refresh.queue"].sudo().search([]).unlink()

    def test_form_shows_what_was_just_paid(self):
        debtor = self.debtor.with_user(self.collector)
        specification = {"claimable_amount": {}, "score": {}}
        self.assertEqual(debtor.web_read(specification)[0]["claimable_amount"], 100)
        self._pay(self.invoice)
        self.assertEqual(debtor.web_read(specification), [{"id": debtor.id, "claimable_amount": 0, "score": 0}])

    def test_case_form_too(self):
        campaign = self._start_campaign()
        case = campaign.case_ids
        self._pay(self.invoice)
        values = case.with_user(case.collector_id).web_read({"state": {}, "collected_amount": {}})[0]
        self.assertEqual((values["state"], values["collected_amount"]), ("closed", 100))

    def test_new_day_counts_as_a_change(self):
        item = self._create_invoice(self.other_customer, days_late=0)
        debtor = self._get_debtor(self.other_customer)
        self.env["collection.refresh.queue"].sudo().search([]).unlink()
        with freeze_time(self.today + timedelta(days=1, hours=9)):
            self.assertEqual(debtor.web_read({"claimable_amount": {}})[0]["claimable_amount"], 100)
        self.assertTrue(item)

    def test_every_event_of_the_ledger_is_heard(self):
        queue = self.env["collection.refresh.queue"].sudo()
        item = self._get_items(self.invoice)

        def assertHeard(event):
            self.assertIn(self.customer, queue.search([]).partner_id, event)
            queue.search([]).unlink()

        self._create_invoice()
        assertHeard("post")
        item.date_maturity = self.today
        assertHeard("due date")
        self.invoice.no_followup = True
        assertHeard("no follow-up")
        self.invoice.action_toggle_block_payment()
        assertHeard("block")
        self.invoice.action_toggle_block_payment()
        assertHeard("unblock")
        self._pay(self.invoice)
        assertHeard("reconcile")
        item.remove_move_reconcile()
        assertHeard("unreconcile")
        self.invoice.button_draft()
        assertHeard("reset to draft")
        self.invoice.action_post()
        assertHeard("post again")
        self.invoice.button_cancel()
        assertHeard("cancel")

    def assertHeard(self, event, *partners, company=None):
        """Check that all of these customers, and nobody else, wait to be refreshed."""
        queue = self.env["collection.refresh.queue"].sudo()
        found = queue.search([("company_id", "=", (company or self.company).id)])
        self.assertEqual(found.partner_id, self.env["res.partner"].union(*partners).sorted(), event)
        found.unlink()

    def test_both_sides_of_a_reconciliation_are_heard(self):
        """A parent pays for its daughter: the money on account is used up, too."""
        payer = self._create_customer("Holding")
        payment = self._pay_on_account(payer, amount=100)
        self.assertEqual(self._get_debtor(payer).credit_amount, 100)
        items = self._get_items(self.invoice) + self._get_items(payment.move_id)
        items.reconcile()
        self.assertHeard("reconcile", self.customer, payer)
        items.remove_move_reconcile()
        self.assertHeard("unreconcile", self.customer, payer)
        items.reconcile()
        self._process_queue()
        self.assertEqual((self._get_debtor(payer).credit_amount, self.debtor.due_amount), (0, 0))

    def test_online_payments_are_heard(self):
        """Also of somebody who pays another customer's invoice."""
        self._create_invoice(self.other_customer)
        self._process_queue()
        transaction = (
            self.env["payment.transaction"]
            .sudo()
            .create(
                {
                    "provider_id": self.provider.id,
                    "payment_method_id": self.env.ref("payment.payment_method_unknown").id,
                    "amount": 100,
                    "currency_id": self.company.currency_id.id,
                    "reference": "TX-1",
                    "partner_id": self.other_customer.id,
                    "invoice_ids": [Command.set(self.invoice.ids)],
                }
            )
        )
        both = (self.customer, self.other_customer)
        self.assertHeard("create", *both)
        transaction._set_pending()
        self.assertHeard("pending", *both)
        transaction.amount = 50
        self.assertHeard("amount", *both)
        transaction.invoice_ids = False
        self.assertHeard("invoices", *both)
        transaction._set_canceled()
        self.assertHeard("cancelled", self.other_customer)
        transaction.landing_route = "/my"
        self.assertHeard("something else")

    def test_bank_statement_lines_are_heard(self):
        journal = self.company_data["default_journal_bank"]
        Line = self.env["account.bank.statement.line"]
        known = Line.create(
            {"journal_id": journal.id, "amount": 100, "payment_ref": "Transfer", "partner_id": self.customer.id}
        )
        self.assertHeard("create", self.customer)
        known.amount = 90
        self.assertHeard("amount", self.customer)
        unknown = Line.create(
            {"journal_id": journal.id, "amount": 100, "payment_ref": f"Payment of {self.invoice.name}, thanks"}
        )
        self.assertHeard("an invoice is named", self.customer)
        unknown.payment_ref = "Something"
        self.assertHeard("it is named no more", self.customer)
        unknown.payment_ref = "Something else 12"
        self.assertHeard("nobody is named")
        unknown.partner_name = "boulangerie petit "
        self.assertHeard("the payer has a customer's name", self.customer)
        unknown.partner_name = False
        self.assertHeard("nobody's name", self.customer)
        known.partner_id = False
        self.assertHeard("somebody else's", self.customer)
        known.partner_id = self.customer
        self.assertHeard("partner", self.customer)
        _liquidity, suspense, _others = known._seek_for_lines()
        suspense.account_id = self.company_data["default_account_revenue"]
        self.assertTrue(known.is_reconciled)
        self.assertHeard("written off", self.customer)
        known.action_undo_reconciliation()
        self.assertHeard("undone", self.customer)
        _liquidity, suspense, _others = known._seek_for_lines()
        suspense.account_id = self._get_items(self.invoice).account_id
        self.assertHeard("assigned to the customer", self.customer)
        known.action_undo_reconciliation()
        self.assertHeard("undone again", self.customer)
        known.unlink()
        self.assertHeard("deleted", self.customer)

    def test_customers_are_heard(self):
        self.customer.email = False
        self.assertHeard("e-mail", self.customer)
        contact = self._create_customer("Clerk", parent_id=self.customer.id, is_company=False)
        self.assertHeard("new contact", self.customer)
        contact.email = "clerk@customer.example"
        self.assertHeard("e-mail of a contact", self.customer)
        contact.unlink()
        self.assertHeard("deleted contact", self.customer)
        self.customer.collection_company_size = "large"
        self.assertHeard("size", self.customer)
        self.customer.credit_limit = 50
        self.assertHeard("credit limit", self.customer)
        self.customer.credit_limit = 25
        self.assertEqual(self._get_debtor().credit_limit_use, 400)
        self.customer.write({"comment": "Nice"})
        self.assertHeard("something else")
        parent = self._create_customer("Holding")
        person = self._create_customer("Person", is_company=False)
        self._create_invoice(person)
        self._process_queue()
        person.parent_id = parent
        self.assertHeard("parent", person, parent)
        self.env["base.partner.merge.automatic.wizard"].create({})._merge((self.customer + parent).ids, parent)
        self.assertHeard("merged", parent)

    def test_settings_are_heard(self):
        other = self.setup_other_company(name="Other")["company"]
        criterion = self.env["collection.criterion"].search([("company_id", "=", False)], limit=1)
        for event, change, is_heard in (
            ("grades", lambda: self.company.write({"collection_grade_a": 71}), True),
            ("the same", lambda: self.company.write({"collection_grade_a": 71}), False),
            ("no fact", lambda: self.company.write({"collection_bank_fresh_days": 3}), False),
            ("default", lambda: self.env["ir.default"].set("res.partner", "credit_limit", 9, company_id=True), True),
            ("criterion", lambda: criterion.write({"active": False}), True),
            ("band", lambda: criterion.with_context(active_test=False).band_ids[:1].write({"percent": 12}), True),
        ):
            (self.company + other).collection_refresh_date = self.today
            change()
            self.assertEqual(not self.company.collection_refresh_date, is_heard, event)
        (self.company + other).collection_refresh_date = self.today
        self.company.collection_small_amount = 3
        self.assertEqual(other.collection_refresh_date, self.today, "only of its own company")

    def test_one_refresh_for_one_click(self):
        """A call in which a promise was made brings the customer up to date once."""
        counted = []
        Run = self.env.registry["collection.run"]
        original = Run._synchronize

        def count(run, *args):
            counted.append(args)
            return original(run, *args)

        with patch.object(Run, "_synchronize", count):
            self._log_call(self.debtor, next_step="promise", promise_date=self._days(3), promise_amount=40)
        self.assertEqual(len(counted), 1)
        self.assertEqual(self.debtor.promised_amount, 40)

    def test_one_transaction_wakes_the_scheduler_once(self):
        cron = self.env.ref("account_collection.cron_refresh_debtors")
        Trigger = self.env["ir.cron.trigger"].sudo()
        self.env.cr.precommit.data.pop("account_collection.cron_triggered", None)
        before = Trigger.search_count([("cron_id", "=", cron.id)])
        self._create_invoice()
        self._create_invoice(self.other_customer)
        self.assertEqual(Trigger.search_count([("cron_id", "=", cron.id)]), before + 1)

    def test_two_transactions_on_one_customer_never_wait(self):
        """Two accountants post for the same customer while a refresh holds its rows: nobody waits, nothing fails."""
        database = db_connect(self.env.cr.dbname)
        insert = "INSERT INTO collection_refresh_queue (company_id, partner_id) VALUES (1, 1)"
        with database.cursor() as first, database.cursor() as second, database.cursor() as refresh:
            try:
                for cursor in (first, second, refresh):
                    cursor.execute("SET LOCAL lock_timeout = '500ms'")
                first.execute(insert)
                refresh.execute(
                    "DELETE FROM collection_refresh_queue WHERE id IN "
                    "(SELECT id FROM collection_refresh_queue ORDER BY id LIMIT 100 FOR UPDATE SKIP LOCKED)"
                )
                second.execute(insert)
                first.execute(insert)
            finally:
                for cursor in (first, second, refresh):
                    cursor.rollback()
