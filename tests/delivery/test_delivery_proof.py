from unittest.mock import patch

from odoo.tests import tagged

from ..plan_common import PlanCommon


@tagged("post_install", "-at_install")
class TestDeliveryProof(PlanCommon):
    """Deliveries don't slow down with their number, and what goes wrong stays where it is.

    What needs real processes (workers at once, killed workers, a mail server that fails) is proven by dev/soak.
    """

    def _plan_many(self, count, start=0):
        """Return planned actions for new customers with two overdue invoices each."""
        partners = self.env["res.partner"].create(
            [
                {"name": f"Customer {number}", "email": f"c{number}@customer.example", "is_company": True}
                for number in range(start, start + count)
            ]
        )
        for partner in partners:
            for days_late in (10, 20):
                self._create_invoice(partner, days_late=days_late)
        self._synchronize()
        debtors = self.env["collection.debtor"].search([("partner_id", "in", partners.ids)])
        decisions = self.env["collection.plan"]._decide(debtors, self.company._collection_today())
        return (
            self.env["collection.action"]
            .sudo()
            .create([self.env["collection.plan"]._prepare_action(*pair) for pair in decisions.items()])
        )

    def _count_queries(self, work, *args):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        work(*args)
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    # == Queries ==

    def test_decisions_don_t_need_more_queries_for_more_debtors(self):
        debtors = self.env["collection.debtor"].browse(self._plan_many(20).debtor_id.ids)
        self.env["collection.action"].sudo().search([("debtor_id", "in", debtors.ids)]).unlink()
        today = self.company._collection_today()

        def decide(some):
            decisions = self.env["collection.plan"]._decide(some, today)
            self.assertEqual({decision.reason for decision in decisions.values()}, {"due"})

        decide(debtors)  # what is read once per process
        counts = [self._count_queries(decide, some) for some in (debtors[:4], debtors)]
        self.assertEqual(*counts)

    def test_deliveries_don_t_need_more_queries_for_more_customers(self):
        Action = self.env["collection.action"].sudo()

        def deliver(count):
            self.assertEqual(len(Action._deliver_next(100)), count)

        self._plan_many(2)
        deliver(2)  # what is read once per process
        self._plan_many(5, start=100)
        few = self._count_queries(deliver, 5)
        actions = self._plan_many(20, start=200)
        many = self._count_queries(deliver, 20)
        self.assertEqual(set(actions.mapped("state")), {"done"})
        # Rows are written by the hundred: nothing grows with the customers.
        self.assertLessEqual(many - few, 2, f"{few} queries for 5 customers, {many} for 20")

    def test_results_don_t_need_more_queries_for_more_messages(self):
        Action = self.env["collection.action"].sudo()

        def collect(actions):
            Action.flush_model()
            Action._collect_results(actions[0].id - 1)
            self.assertEqual(set(actions.mapped("delivery_state")), {"sent"})

        counts = []
        for number, count in enumerate((2, 3, 12)):
            actions = self._plan_many(count, start=100 * number)
            Action._deliver_next(100)
            actions.mail_message_id.notification_ids.notification_status = "sent"
            counts.append(self._count_queries(collect, actions.sorted("id")))
        self.assertEqual(*counts[1:])

    # == Failures ==

    def test_one_customer_s_fault_doesn_t_hold_up_the_others(self):
        actions = self._plan_many(3)
        channel = type(self.env["collection.channel.email"])
        original = channel._get_recipients

        def break_for_one(channel, some):
            if actions[1] in some:
                raise ValueError("no such thing")
            return original(channel, some)

        with patch.object(channel, "_get_recipients", break_for_one):
            self.env["collection.action"].sudo()._deliver_next(100)
        self.assertEqual(actions.mapped("state"), ["done", "failed", "done"])
        self.assertEqual(actions[1].result_text, "no such thing")
        self.assertEqual(self._actions(actions[1].debtor_id, state="planned").channel, "call", "it falls back")

    def _answer(self, action, failure_type, reason):
        """Have the mail server answer a message as Odoo writes it down."""
        mail = self.env["mail.mail"].sudo().search([("mail_message_id", "=", action.mail_message_id.id)])
        mail.state = "exception"
        mail._postprocess_sent_message([], [], failure_reason=reason, failure_type=failure_type)
        self.env["collection.action"].sudo()._collect_results()
        return mail

    def test_address_that_the_mail_server_refuses_for_good(self):
        action = self._plan_many(1)
        self.env["collection.action"].sudo()._deliver_next(1)
        reason = (
            "Mail Delivery Failed\nMail delivery failed via SMTP server 'None'.\n"
            "SMTPRecipientsRefused: {'c0@customer.example': (550, b'5.1.1 no such user')}"
        )
        self._answer(action, "unknown", reason)
        self.assertRecordValues(action, [{"state": "failed", "delivery_state": "failed", "try_count": 1}])
        self.assertIn("c0@customer.example", action.result_text)
        self.assertEqual(action.debtor_id.bounced_emails, "c0@customer.example")
        self.assertEqual(self._actions(action.debtor_id, state="planned").channel, "call")

    def test_mail_server_that_is_down_is_tried_a_few_times(self):
        action = self._plan_many(1)
        self.env["collection.action"].sudo()._deliver_next(1)
        reason = "SMTPRecipientsRefused: {'c0@customer.example': (451, b'try again later')}"
        for number in range(2, 6):
            mail = self._answer(action, "unknown", reason)
            self.assertRecordValues(action, [{"state": "done", "delivery_state": "queued", "try_count": number}])
            self.assertEqual(mail.state, "outgoing", "it goes again")
        self._answer(action, "mail_smtp", False)
        self.assertRecordValues(action, [{"state": "failed", "delivery_state": "failed"}])
        self.assertFalse(action.debtor_id.bounced_emails, "the address is not at fault")

    def test_uncertain_message_goes_again_when_a_person_says_so(self):
        action = self._plan_many(1)
        self.env["collection.action"].sudo()._deliver_next(1)
        mail = self.env["mail.mail"].sudo().search([("mail_message_id", "=", action.mail_message_id.id)])
        mail.write({"state": "exception", "collection_sending_since": "2026-03-10", "collection_is_uncertain": True})
        action.mail_message_id.notification_ids.notification_status = "exception"
        self.env["collection.action"].sudo()._collect_results()
        self.assertRecordValues(action, [{"state": "done", "delivery_state": "uncertain"}])
        mail.action_retry()
        self.assertRecordValues(
            mail, [{"state": "outgoing", "collection_sending_since": False, "collection_is_uncertain": False}]
        )
        self.assertEqual(action.delivery_state, "queued")
        self.env["collection.action"].sudo()._collect_results()
        self.assertEqual(action.delivery_state, "queued", "nothing is known before it goes")

    def test_step_that_is_moved_is_not_said_again(self):
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        self._run_cron()
        self._step(3).delay = 5
        self.assertEqual(self._decide(debtor, self._days(5)).step, self._step(8))
