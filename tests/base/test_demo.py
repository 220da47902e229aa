from odoo.tests import TransactionCase, tagged

from ...demo import campaigns, customers, stories


@tagged("post_install", "-at_install")
class TestDemoTables(TransactionCase):
    """What is written down about the demo data fits together."""

    def test_stories_are_about_customers(self):
        keys = {customer.key for customer in customers.FRENCH_COMPANY_CUSTOMERS}
        events = stories.BEFORE_STORY + stories.CLOSED_STORY + stories.BETWEEN_STORY + stories.RUNNING_STORY
        self.assertLessEqual({event.key for event in events}, keys)
        self.assertLessEqual({item.key for item in stories.UNPAID}, keys)
        self.assertLessEqual(customers.HABIT_NOTES.keys() | customers.COMMENTS.keys(), keys)
        self.assertEqual(len(keys), len(customers.FRENCH_COMPANY_CUSTOMERS), "each customer stands there once")
        for event in events:
            self.assertTrue(hasattr(campaigns.Campaigns, f"_do_{event.verb}"), event.verb)
            if event.values.get("reason") and event.verb != "pause":
                self.env.ref(f"account_collection.collection_reason_{event.values['reason']}")


# Not among the standard tests: it runs where the demo data are installed anyway.
@tagged("post_install", "-at_install", "-standard", "collection_demo")
class TestDemo(TransactionCase):
    """The demo data can be built on any day, shows everything, and adds up."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["collection.demo"]._build()
        cls.company = cls.env.ref("account_collection.demo_company")
        cls.closed = cls.env.ref("account_collection.demo_campaign_closed")
        cls.running = cls.env.ref("account_collection.demo_campaign_running")
        cls.debtors = cls.env["collection.debtor"].search([("company_id", "=", cls.company.id)])

    def test_everything_is_shown(self):
        def keys(model, name):
            return {key for key, _label in self.env[model]._fields[name].selection}

        self.assertEqual(set(self.debtors.mapped("payer_profile")), keys("collection.debtor", "payer_profile"))
        self.assertEqual(set(self.debtors.mapped("company_size")), keys("collection.debtor", "company_size"))
        self.assertEqual(set(self.debtors.filtered("overdue_amount").mapped("grade")), {"a", "b", "c", "d"})
        self.assertEqual(set(self.running.case_ids.mapped("state")), keys("collection.case", "state"))
        self.assertLessEqual(
            {"paid", "promised", "disputed", "unreachable", "refused", "escalated", "open"},
            set(self.closed.case_ids.mapped("result")),
        )
        self.assertLessEqual({"open", "kept", "partly", "broken"}, set(self.debtors.promise_ids.mapped("state")))
        self.assertLessEqual({"open", "accepted", "rejected"}, set(self.debtors.dispute_ids.mapped("state")))
        handover = self.env.ref("account_collection.demo_handover")
        self.assertEqual(handover.state, "out")
        self.assertTrue(handover.file_id)
        self.assertEqual(handover.line_ids.debtor_id.handover_id, handover)
        self.assertIn("USD", self.debtors.open_item_ids.currency_id.mapped("name"))

    def test_the_plan_is_alive(self):
        plan = self.env["collection.plan"].search([("company_id", "=", self.company.id), ("is_running", "=", True)])
        self.assertEqual(len(plan), 1)
        actions = self.debtors.action_ids.filtered(lambda action: action.plan_id == plan)
        self.assertEqual(set(actions.mapped("state")), {"done", "failed", "planned"})
        self.assertEqual(
            set(actions.filtered(lambda action: action.state == "done").mapped("delivery_state")), {"sent"}
        )
        self.assertTrue(actions.filtered("needs_confirmation"))
        self.assertEqual(actions.filtered("fallback_of_id").mapped("state"), ["planned"])
        self.assertEqual(len(self.debtors.filtered("reply_date")), 1)
        self.assertEqual(len(self.debtors.filtered("bounced_emails")), 1)

    def test_campaigns_add_up(self):
        self.assertEqual((self.closed.state, self.running.state), ("closed", "running"))
        for item in (self.closed + self.running).case_ids.item_ids:
            self.assertAlmostEqual(
                item.initial_residual,
                item.collected_amount + item.credited_amount + item.other_amount + item.residual,
                2,
            )

    def test_nothing_happens_before_its_time(self):
        today = self.company._collection_today()
        actions = self.debtors.action_ids.filtered(lambda action: action.state == "done")
        for action in actions:
            self.assertLess(action.date_done.date(), today)
            self.assertEqual(action.date_done.date(), action.date_planned)
        for promise in self.debtors.promise_ids:
            self.assertGreaterEqual(promise.date, promise.create_date.date())
        for case in self.running.case_ids:
            self.assertGreaterEqual(case.create_date.date(), self.running.started_on)

    def test_no_mail_waits(self):
        notifications = self.env["mail.notification"].search(
            [("mail_message_id.model", "=", "collection.debtor"), ("notification_type", "=", "email")]
        )
        self.assertEqual(set(notifications.mapped("notification_status")), {"sent"})
        self.assertFalse(notifications.mail_mail_id)

    def test_built_once(self):
        self.env["collection.demo"]._build()
        self.assertEqual(self.env["res.company"].search_count([("name", "=", self.company.name)]), 1)
