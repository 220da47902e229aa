from odoo.tests import freeze_time, tagged

from .plan_common import PlanCommon


@tagged("post_install", "-at_install")
class TestPlanDelivery(PlanCommon):
    """The right message, once, at the right moment."""

    def test_reminder_goes_once(self):
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        self._run_cron()
        action = self._actions(debtor)
        self.assertRecordValues(
            action,
            [
                {
                    "state": "done",
                    "channel": "email",
                    "delivery_state": "queued",
                    "address": "boulangerie@customer.example",
                }
            ],
        )
        self.assertEqual(action.step_id, self._step(3), "a plan begins at its first step, however late the debt is")
        self.assertEqual(action.item_ids.mapped("level"), [3])
        message = action.mail_message_id
        self.assertIn("Boulangerie", message.record_name)
        self.assertIn("100.00", message.body)
        self.assertEqual(message.notification_ids.res_partner_id, self.customer)
        self._run_cron()
        self.assertEqual(self._actions(debtor), action, "the same day, nothing more is said")
        with freeze_time("2026-03-13 09:00:00"):
            self._synchronize()
            self._run_cron()
            self.assertEqual(self._actions(debtor)[-1:].step_id, self._step(8), "the next step after the gap")

    def test_nothing_goes_to_who_paid_meanwhile(self):
        invoice = self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        action = (
            self.env["collection.action"]
            .sudo()
            .create(self.env["collection.plan"]._prepare_action(debtor, self._decide(debtor)))
        )
        self._pay(invoice)
        self._run_cron()
        self.assertEqual(action.state, "cancelled")
        self.assertEqual(action.result_text, "Nothing is overdue.")
        self.assertFalse(action.mail_message_id)
