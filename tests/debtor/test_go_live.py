from odoo.exceptions import AccessError
from odoo.tests import Form, tagged

from ..plan_common import PlanCommon


@tagged("post_install", "-at_install")
class TestGoLive(PlanCommon):
    """A plan is switched on by somebody who saw what happens then."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan.action_stop()
        cls.plan.sudo().write({"started_on": False})
        cls.customers = [cls._create_customer(f"Old{number}") for number in range(5)]
        for number, customer in enumerate(cls.customers):
            cls._create_invoice(customer, amount=1000 * (number + 1), days_late=20 + 10 * number)
        cls._create_invoice(days_late=-3, amount=50)
        cls._synchronize()

    def _start_form(self, user=None):
        action = self.plan.with_user(user or self.manager).action_start()
        return Form(self.env[action["res_model"]].with_user(user or self.manager).with_context(**action["context"]))

    def _text(self, html):
        return " ".join(self._plain(html).split())

    def test_preview_follows_what_is_chosen(self):
        form = self._start_form()
        form.old_debt_step_id = self.env["collection.plan.step"]
        form.old_debts_per_day = 2
        text = self._text(form.preview)
        self.assertIn("D+3 Step 3", text)
        self.assertNotIn("D+30 Step 30", text)
        self.assertIn("50.00", text, "a courtesy message names what is not due yet")
        self.assertIn("working days until all are begun: 3", text)
        form.old_debt_step_id = self._step(30)
        text = self._text(form.preview)
        self.assertIn("D+30 Step 30", text)
        self.assertIn("D+15 Step 15", text, "a debt of 20 days begins at the step of its age")
        form.old_debts_per_day = 0
        self.assertIn("at once", self._text(form.preview))

    def test_nothing_is_written_before_confirmation(self):
        before = self.plan.read(["is_running", "started_on", "old_debt_step_id", "old_debts_per_day"])
        form = self._start_form()
        form.old_debts_per_day = 1
        form.old_debt_step_id = self._step(8)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(self.plan.read(["is_running", "started_on", "old_debt_step_id", "old_debts_per_day"]), before)
        self.assertFalse(self._actions())

    def test_confirmed_then_as_shown(self):
        form = self._start_form()
        form.old_debt_step_id = self._step(8)
        form.old_debts_per_day = 2
        start = form.save()
        preview = start._get_preview()
        start.action_confirm()
        self.assertRecordValues(
            self.plan,
            [
                {
                    "is_running": True,
                    "started_on": self.today,
                    "old_debt_step_id": self._step(8).id,
                    "old_debts_per_day": 2,
                }
            ],
        )
        self._run_cron()
        done = self._actions(state="done")
        self.assertEqual(len(done), preview["days"][0][1])
        self.assertEqual(done.filtered("is_old_debt").step_id, self._step(8))
        self.assertEqual(len(done.filtered("is_old_debt")), 2)
        with self.assertRefused("switched on already"):
            start.action_confirm()

    def test_warnings(self):
        self.plan.user_id = False
        self.customers[0].email = False
        self._synchronize()
        self.company.write({"email": False, "collection_bank_fresh_days": 5})
        self._enter_bank_statement("2026-02-01")
        text = self._text(self._start_form().warnings)
        for words in (
            "no entry since",
            "no e-mail address: write a sender",
            "without an e-mail address: 1",
            "without a collector: 6",
        ):
            self.assertIn(words, text)

    def test_only_managers_switch_on(self):
        with self.assertRaises(AccessError):
            self._start_form(self.team_user).save()
        with self.assertRaises(AccessError):
            self.plan.with_user(self.team_user)._start()
        with self.assertRefused("Use the buttons"):
            self.plan.with_user(self.manager).is_running = True


@tagged("post_install", "-at_install")
class TestPlanScreens(PlanCommon):
    """Plans, bank journals and files of customers, as people use them."""

    def test_bank_journals_are_watched_without_accounting_rights(self):
        journal = self.company_data["default_journal_bank"]
        self.assertTrue(journal.collection_is_watched)
        with self.assertRaises(AccessError):
            journal.with_user(self.manager).write({"collection_is_watched": False})
        journal.with_user(self.manager).action_collection_watch()
        self.assertFalse(journal.collection_is_watched)
        with self.assertRaises(AccessError):
            journal.with_user(self.team_user).action_collection_watch()
        sales = self.company_data["default_journal_sale"]
        sales.with_user(self.manager).action_collection_watch()
        self.assertTrue(sales.collection_is_watched, "only bank journals")

    def test_customers_of_a_plan_are_found(self):
        self._create_invoice(days_late=10)
        self._create_invoice(self.other_customer, days_late=10)
        strict = self._create_plan(name="Strict", sequence=1, debtor_domain="[('partner_id.name', 'like', 'Garage')]")
        debtors = self._get_debtor() + self._get_debtor(self.other_customer)
        Debtor = self.env["collection.debtor"].with_user(self.manager)
        self.assertEqual(Debtor.search([("plan_used_id", "=", strict.id)]), debtors[1])
        self.assertEqual(Debtor.search([("plan_used_id", "=", self.plan.id)]), debtors[0])
        self.assertEqual(Debtor.search([("plan_used_id.name", "=", "Strict")]), debtors[1])
        debtors[0].plan_id = strict
        self.assertEqual(Debtor.search([("plan_used_id", "=", strict.id)]), debtors)
        self.assertEqual(strict.with_user(self.manager).debtor_count, 2)

    def test_reminders_of_an_invoice(self):
        invoice = self._create_invoice(days_late=10)
        self._synchronize()
        self._run_cron()
        action = invoice.with_user(self.team_user).action_view_collection_reminders()
        items = self.env[action["res_model"]].with_user(self.team_user).search(action["domain"])
        self.assertRecordValues(items, [{"channel": "email", "step_id": self._step(3).id, "amount": 100}])

    def test_cancelled_in_a_word(self):
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        plan = self.env["collection.plan"]
        action = self.env["collection.action"].sudo().create(plan._prepare_action(debtor, self._decide(debtor)))
        debtor.sudo().reply_date = self.today
        self._run_cron()
        self.assertRecordValues(action, [{"state": "cancelled", "cancel_code": "unread_reply"}])
        with self.assertRefused("can't be"):
            action.with_user(self.collector).write({"cancel_code": "other"})
