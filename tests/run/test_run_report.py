import logging
from datetime import timedelta

from odoo import fields
from odoo.tests import Form, freeze_time, tagged

from ..plan_common import PlanCommon

LOGGER = "odoo.addons.account_collection.models.run.collection_run_report"


@tagged("post_install", "-at_install")
class TestRunReport(PlanCommon):
    """The log and a screen say what the plans did today, what they did not, and why."""

    def _run_logged(self):
        """Run the scheduled action; return today's report and the line in the log."""
        with self.assertLogs(LOGGER, logging.INFO) as logs:
            self._run_cron()
        [line] = [line for line in logs.output if self.company.name in line]
        report = self.env["collection.run.report"].search([("company_id", "=", self.company.id)])
        return report, line

    def _owe(self):
        self._create_invoice(days_late=10)
        self._create_invoice(self.other_customer, days_late=10)
        self._synchronize()

    def test_what_was_sent(self):
        self._owe()
        report, line = self._run_logged()
        self.assertRecordValues(
            report,
            [{"day": self.today, "decided_count": 2, "done_count": 2, "waiting_count": 0, "cancelled_count": 0}],
        )
        self.assertIn("Contacts decided today: 2. Done: E-mail 2.", line)
        again, _line = self._run_logged()
        self.assertEqual(again, report, "one for each day")
        self.assertEqual(again.done_count, 2)

    def test_outside_the_hours_of_sending(self):
        self._owe()
        with freeze_time("2026-03-10 20:30:00"):
            report, line = self._run_logged()
        self.assertRecordValues(report, [{"decided_count": 2, "done_count": 0, "waiting_count": 2}])
        self.assertEqual(report.next_at, fields.Datetime.to_datetime("2026-03-11 07:30:00"))
        self.assertIn("for the hours of sending (from", line)
        self.assertIn("8:30:00", line)

    def test_on_a_friday_evening_the_next_hours_are_on_monday(self):
        with freeze_time("2026-03-13 21:00:00"):
            self.assertEqual(
                self.company._get_collection_next_sending(), fields.Datetime.to_datetime("2026-03-16 07:30:00")
            )
        with freeze_time("2026-03-13 05:00:00"):
            self.assertEqual(
                self.company._get_collection_next_sending(), fields.Datetime.to_datetime("2026-03-13 07:30:00")
            )
        with freeze_time("2026-03-13 10:00:00"):
            self.assertEqual(self.company._get_collection_next_sending(), fields.Datetime.now())

    def test_bank_that_is_not_up_to_date(self):
        """What is cancelled is not done."""
        self._owe()
        self._enter_bank_statement(self._days(-20))
        with freeze_time("2026-03-10 20:30:00"):
            self._run_cron()
        self.company.collection_bank_fresh_days = 5
        with freeze_time("2026-03-10 13:00:00"):
            with self.assertLogs("odoo.addons.base.models.ir_cron", logging.INFO) as job:
                report, line = self._run_logged()
        # The look at what waits for people counts as one; customers who are left alone don't.
        self.assertIn("done 1; remaining 0", " ".join(job.output))
        self.assertRecordValues(report, [{"decided_count": 2, "done_count": 0, "cancelled_count": 2}])
        self.assertIn("Cancelled: Bank journal not up to date 2.", line)
        self.assertIn("nobody is contacted until it is up to date", line)

    def test_why_nobody_is_contacted(self):
        self._owe()
        self._get_debtor().sudo().insolvency = True
        self._get_debtor(self.other_customer).sudo().paused_until = self._days(30)
        report, line = self._run_logged()
        self.assertRecordValues(report, [{"decided_count": 0, "done_count": 0}])
        self.assertIn("Nothing today for others: Insolvency proceedings 1, Paused 1.", line)

    def test_what_waits_for_people(self):
        self._step(3).write({"channel": "call", "template_id": False})
        self._owe()
        report, line = self._run_logged()
        self.assertRecordValues(report, [{"decided_count": 2, "done_count": 0, "waiting_count": 2}])
        self.assertIn("Waiting: for people (calls, letters, tasks) 2.", line)
        action = report.with_user(self.manager).action_view_actions()
        self.assertEqual(self.env["collection.action"].search(action["domain"]), self._actions(plan_id=self.plan.id))

    def test_what_waits_for_attachments(self):
        self.plan.step_ids.attach_invoices = "all"
        self.patch(self.registry["ir.actions.report"], "get_wkhtmltopdf_state", lambda report: "install")
        self._owe()
        report, line = self._run_logged()
        self.assertEqual(report.waiting_count, 2)
        self.assertIn("Waiting: for their attachments 2.", line)
        self.assertIn("wkhtmltopdf is missing", line)
        plan = self._create_plan()
        plan.step_ids.attach_invoices = "all"
        dialogue = self.env["collection.plan.start"].with_user(self.manager).create({"plan_id": plan.id})
        self.assertIn("wkhtmltopdf is missing", dialogue.warnings)

    def test_no_mail_server(self):
        servers = self.env["ir.mail_server"].sudo().search([])
        servers.active = False
        self._owe()
        _report, line = self._run_logged()
        self.assertIn("No outgoing mail server", line)
        dialogue = self.env["collection.plan.start"].with_user(self.manager).create({"plan_id": self._create_plan().id})
        self.assertIn("No outgoing mail server", dialogue.warnings)
        self.env["ir.mail_server"].sudo().create({"name": "Ours", "smtp_host": "mail.moreau.example"})
        _report, line = self._run_logged()
        self.assertNotIn("No outgoing mail server", line)

    def test_in_the_language_of_the_reader(self):
        self._load_french()
        self._owe()
        report, _line = self._run_logged()
        self.assertIn("E-mail 2", report.explanation)
        french = report.with_user(self.manager).with_context(lang="fr_FR").explanation
        self.assertNotIn("decided", french)

    def test_administrators_alone_read_it(self):
        self._owe()
        report, _line = self._run_logged()
        with Form(report.with_user(self.manager)) as form:
            self.assertEqual(form.done_count, 2)
        for user in (self.collector, self.team_user):
            self.assertFalse(report.with_user(user).has_access("read"))

    def test_old_days_are_deleted(self):
        self._owe()
        report, _line = self._run_logged()
        report.sudo().run_at = fields.Datetime.now() - timedelta(days=91)
        self.env["collection.run.report"]._gc_old_reports()
        self.assertFalse(report.exists())
