from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import freeze_time, tagged

from ..plan_common import PlanCommon


@tagged("post_install", "-at_install")
class TestFilesOfMessages(PlanCommon):
    """What messages carry is made before customers are locked, kept one by one, and stops nobody else."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan.step_ids.attach_invoices = "all"
        cls.invoice = cls._create_invoice(amount=1500, days_late=10)
        cls.other_invoice = cls._create_invoice(cls.other_customer, amount=800, days_late=10)
        cls._synchronize()
        cls.debtor, cls.other_debtor = cls._get_debtor(), cls._get_debtor(cls.other_customer)

    def setUp(self):
        super().setUp()
        self.events = []
        self.broken = self.env["account.move"]
        Report = self.registry["ir.actions.report"]
        commit = self.registry["ir.cron"]._commit_progress
        test = self

        def render(report, _ref, res_ids, **options):
            test.events.append(f"print {res_ids}")
            if set(res_ids) & set(test.broken.ids):
                raise ValueError("The printer burns.")
            return b"%PDF-1.4 paper", "pdf"

        def commit_progress(cron, *args, **options):
            test.events.append("commit")
            return commit(cron, *args, **options)

        self.patch(Report, "_render_qweb_pdf", render)
        self.patch(Report, "get_wkhtmltopdf_state", lambda report: "ok")
        self.patch(self.registry["ir.cron"], "_commit_progress", commit_progress)

    def _without_commits(self, seconds=float("inf")):
        return patch.object(self.registry["ir.cron"], "_commit_progress", lambda cron, *args, **options: seconds)

    def _printed(self):
        return [event for event in self.events if event != "commit"]

    def test_one_by_one_and_kept(self):
        second = self._create_invoice(amount=200, days_late=9)
        self._synchronize()
        take = self.registry["collection.action"]._take_due

        def take_due(actions, *args, **options):
            self.events.append("lock")
            return take(actions, *args, **options)

        self.patch(self.registry["collection.action"], "_take_due", take_due)
        self._run_cron()
        action = self._actions(self.debtor)
        self.assertEqual(action.state, "done")
        self.assertEqual(len(action.mail_message_id.attachment_ids), 2)
        self.assertEqual(len(self._actions(self.other_debtor).mail_message_id.attachment_ids), 1)
        events = self.events
        for move in self.invoice + second + self.other_invoice:
            place = events.index(f"print {move.ids}")
            self.assertEqual(
                (events[place - 1], events[place + 1]), ("commit", "commit"), "a transaction of its own for each"
            )
        last_print = max(place for place, event in enumerate(events) if event.startswith("print"))
        self.assertIn("lock", events[last_print:], "customers are locked once their files are there")

    def test_messages_without_files_go_first(self):
        self.plan.step_ids.attach_invoices = "no"
        other_plan = self._create_plan(sequence=1, debtor_domain=f"[('partner_id', '=', {self.customer.id})]")
        other_plan.step_ids.attach_invoices = "all"
        other_plan._start()
        self.broken = self.invoice
        self._run_cron()
        self.assertEqual(self._actions(self.debtor).state, "planned")
        self.assertEqual(self._actions(self.other_debtor).state, "done")

    def test_who_fails_stops_nobody_and_is_tried_again_later(self):
        self.broken = self.invoice
        self._run_cron()
        action = self._actions(self.debtor)
        self.assertEqual(self._actions(self.other_debtor).state, "done")
        self.assertEqual((action.state, action.file_try_count), ("planned", 1))
        self.assertIn("The printer burns.", action.result_text)
        self.assertEqual(action.retry_at, fields.Datetime.now() + timedelta(minutes=10))
        self.events.clear()
        self._run_cron()
        self.assertFalse(self._printed(), "not before its time")
        with freeze_time("2026-03-10 12:11:00"):
            self._run_cron()
            self.assertEqual((action.state, action.file_try_count), ("planned", 2))
            self.assertEqual(action.retry_at, fields.Datetime.now() + timedelta(minutes=20))
        self.broken = self.env["account.move"]
        with freeze_time("2026-03-10 12:32:00"):
            self._run_cron()
        self.assertRecordValues(
            action, [{"state": "done", "file_try_count": 0, "retry_at": False, "result_text": False}]
        )

    def test_who_can_t_even_be_looked_at_stops_nobody(self):
        Channel = self.registry["collection.channel.email"]
        look = Channel._get_files_to_make

        def fail_for_one(channel, action):
            if action.debtor_id == self.debtor:
                raise ValueError("Nobody knows why.")
            return look(channel, action)

        self.patch(Channel, "_get_files_to_make", fail_for_one)
        self._run_cron()
        action = self._actions(self.debtor)
        self.assertEqual(self._actions(self.other_debtor).state, "done")
        self.assertEqual((action.state, action.file_try_count), ("planned", 1))
        self.assertIn("Nobody knows why.", action.result_text)

    def test_after_three_tries_the_next_channel_follows(self):
        self.broken = self.invoice
        for minute in (0, 11, 32):
            with freeze_time(f"2026-03-10 12:{minute:02}:00"):
                self._run_cron()
        failed, call = self._actions(self.debtor)
        self.assertEqual((failed.state, failed.result_text), ("failed", "ValueError: The printer burns."))
        self.assertEqual((call.state, call.channel), ("planned", "call"))

    def test_a_server_that_stops_each_time(self):
        """Whoever is killed leaves the note of its try: others come first, and after three times a person calls."""
        self._run_planning()
        action = self._actions(self.debtor)
        guard = action._get_guard()
        action.sudo().with_context(**guard).write(
            {"file_try_count": 1, "retry_at": fields.Datetime.now() + timedelta(minutes=10)}
        )
        self._run_cron()
        self.assertEqual((action.state, action.file_try_count), ("planned", 1))
        self.assertEqual(self._actions(self.other_debtor).state, "done")
        action.sudo().with_context(**guard).write({"file_try_count": 3, "retry_at": False})
        self._run_cron()
        self.assertEqual(action.state, "failed")
        self.assertIn("stopped each time", action.result_text)

    def _run_planning(self):
        with patch.object(self.registry["collection.action"], "_deliver", lambda actions, limit=None: 0):
            self._run_cron()

    def test_time_runs_out_between_two_files(self):
        second = self._create_invoice(amount=200, days_late=9)
        self._synchronize()
        self._run_planning()
        action = self._actions(self.debtor).sudo()
        with self._without_commits(0):
            self.assertFalse(action._make_files())
        self.assertEqual(self._printed(), [f"print {self.invoice.ids}"])
        self.assertRecordValues(action, [{"state": "planned", "file_try_count": 0, "retry_at": False}])
        self.events.clear()
        self._run_cron()
        self.assertNotIn(f"print {self.invoice.ids}", self._printed(), "what was made is kept")
        self.assertIn(f"print {second.ids}", self._printed())
        self.assertEqual(len(action.mail_message_id.attachment_ids), 2)

    def test_a_server_that_can_t_print(self):
        """A step that asks for attachments waits instead of going without them, and says so."""
        self.patch(self.registry["ir.actions.report"], "get_wkhtmltopdf_state", lambda report: "install")
        self._run_cron()
        action = self._actions(self.debtor)
        self.assertEqual((action.state, action.file_try_count), ("planned", 0))
        self.assertIn("wkhtmltopdf is missing", action.result_text)
        self.assertFalse(self._printed())
        self.patch(self.registry["ir.actions.report"], "get_wkhtmltopdf_state", lambda report: "ok")
        with freeze_time("2026-03-10 13:01:00"):
            self._run_cron()
        self.assertRecordValues(action, [{"state": "done", "result_text": False}])

    def test_a_reminder_by_hand_says_that_nothing_can_be_attached(self):
        self.patch(self.registry["ir.actions.report"], "get_wkhtmltopdf_state", lambda report: "install")
        dialogue = self.env["collection.reminder.send"].with_user(self.collector)
        dialogue = dialogue.create({"debtor_id": self.debtor.id})
        with self.assertRefused("can't be attached"):
            dialogue.action_send()
        dialogue.attach_invoices = False
        dialogue.action_send()

    def test_statement_that_changed_is_made_anew(self):
        self.plan.step_ids.write({"attach_invoices": "no", "attach_statement": True})
        self._run_planning()
        made = []
        Debtor = self.registry["collection.debtor"]

        def render(debtor, *args, **options):
            made.append(debtor.id)
            return f"Statement {made.count(debtor.id)}.pdf", b"%PDF-1.4 statement"

        self.patch(Debtor, "_render_statement_pdf", render)
        action = self._actions(self.debtor).sudo()
        with self._without_commits():
            self.assertTrue(action._make_files())
            self.assertTrue(action._make_files())
        self.assertEqual(len(made), 1, "kept")
        self._create_invoice(amount=77, days_late=5)
        self._run_cron()
        self.assertEqual(made.count(self.debtor.id), 2)
        self.assertEqual(action.mail_message_id.attachment_ids.name, "Statement 2.pdf")

    def test_statements_that_went_with_no_message_are_deleted(self):
        self.plan.step_ids.write({"attach_invoices": "no", "attach_statement": True})
        render = lambda debtor, *args, **options: ("Statement.pdf", b"%PDF-1.4 statement")  # noqa: E731
        self.patch(self.registry["collection.debtor"], "_render_statement_pdf", render)
        self._run_planning()
        with self._without_commits():
            self.assertTrue(self._actions(self.debtor).sudo()._make_files())
        self._pay(self.invoice)
        self._run_cron()
        Attachment = self.env["ir.attachment"]
        made = Attachment.search([("res_model", "=", "collection.debtor"), ("name", "=", "Statement.pdf")])
        self.assertEqual(made.sorted("res_id").mapped("res_id"), [self.debtor.id, self.other_debtor.id])
        self.env.flush_all()
        self.env.cr.execute("UPDATE ir_attachment SET create_date = '2026-03-01' WHERE id = ANY(%s)", [made.ids])
        made.invalidate_recordset()
        self.env["collection.action"]._gc_unsent_statements()
        self.assertEqual(made.exists().res_id, self.other_debtor.id, "what was sent stays")
