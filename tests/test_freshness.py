from datetime import timedelta

from odoo.sql_db import db_connect
from odoo.tests import freeze_time, tagged

from .common import CollectionCommon


@tagged("post_install", "-at_install")
class TestFreshness(CollectionCommon):
    """A form shows the truth of the moment, and accounting never waits for it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(amount=100, days_late=20)
        cls.debtor = cls._get_debtor()
        cls.company.collection_refresh_date = cls.today
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
