from lxml import etree

from odoo.exceptions import ValidationError
from odoo.tests import Form, freeze_time, tagged

from .common import ExampleCommon


@tagged("post_install", "-at_install")
class TestExampleChannel(ExampleCommon):
    """Another addon's channel is a channel like any other, wherever one speaks of channels."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(days_late=10)
        cls.debtor = cls._get_debtor()

    def _deliver(self):
        self._run_cron()
        return self._actions(self.debtor)

    # == Delivery ==

    def test_it_goes(self):
        action = self._deliver()
        self.assertRecordValues(
            action, [{"state": "done", "channel": "chat", "address": "petit", "delivery_state": "queued"}]
        )
        self.assertIn("100.00", action.mail_message_id.body)
        self.assertEqual(action.item_ids.mapped("level"), [3])
        self.env["collection.action"]._collect_results()
        self.assertEqual(action.delivery_state, "sent")
        self.assertEqual(action.with_user(self.collector).display_name, "Chat: Boulangerie Petit")

    def test_nobody_in_the_chat_is_called(self):
        self.customer.example_chat_name = False
        first, second = self._deliver()
        self.assertRecordValues(
            first + second,
            [{"channel": "chat", "state": "failed"}, {"channel": "call", "state": "planned"}],
        )
        self.assertIn("No contact of Boulangerie Petit has a name in the chat", first.result_text)

    def test_it_replaces_an_email(self):
        self._step(3).write({"channel": "email", "fallback": "chat"})
        self.customer.email = False
        self._run_cron()
        self._run_cron()
        self.assertRecordValues(
            self._actions(self.debtor),
            [{"channel": "email", "state": "failed"}, {"channel": "chat", "state": "done"}],
        )
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            self._step(3).with_user(self.manager).fallback = "pigeon"

    def test_courtesy_before_the_due_date(self):
        self._step(-7).channel = "chat"
        self._create_invoice(self.other_customer, days_late=-5)
        self.other_customer.example_chat_name = "garage"
        self._synchronize()
        self._run_cron()
        action = self._actions(self._get_debtor(self.other_customer))
        self.assertRecordValues(action, [{"step_id": self._step(-7).id, "channel": "chat", "state": "done"}])

    def test_needs_a_text(self):
        with self.assertRefused("choose a text"):
            self._step(3).with_user(self.manager).template_id = False

    # == Other reminders ==

    def test_another_reminder_comes_too_soon(self):
        self._deliver()
        dialogue = Form(
            self.env["collection.reminder.send"]
            .with_user(self.collector)
            .with_context(default_debtor_id=self.debtor.id)
        )
        self.assertIn("Leave 3 days between two reminders", dialogue.silence_reason)
        for channel, is_too_soon in (("email", True), ("chat", True), ("call", False)):
            reasons = {silence.reason for silence in self.debtor._get_silences(channel)[self.debtor]}
            self.assertEqual("too_soon" in reasons, is_too_soon, channel)

    def test_pressure_counts_it(self):
        self.company.collection_pressure_cap = 1
        self._deliver()
        with freeze_time("2026-03-20 10:00:00"):
            self._synchronize()
            self.assertReason("pressure", self.debtor)

    # == Screens ==

    def test_flags_of_the_step(self):
        form = Form(self._step(3).with_user(self.manager), view="account_collection.collection_plan_step_view_form")
        self.assertTrue(form.is_message)
        self.assertFalse(form.is_for_people or form.says_nothing or form.can_attach)
        self.assertTrue(form.needs_template and form.has_template)
        form.channel = "call"
        self.assertTrue(form.is_for_people)
        self.assertFalse(form.is_message or form.needs_template)
        self.assertIn("fa-comments-o", self._step(3).channel_label)
        self.assertEqual(self._step(3).text_name, self.template.name)

    def test_every_selection_of_channels(self):
        for model, name in (
            ("collection.step.preview", "channel"),
            ("collection.plan.simulation.step", "channel"),
            ("collection.plan.simulation.line", "channel"),
            ("collection.plan.simulation.line", "channel_before"),
            ("collection.action.report", "channel"),
            ("collection.promise.record", "channel"),
            ("collection.dispute.open", "channel"),
            ("collection.plan.step", "fallback"),
        ):
            words = self.env[model].fields_get([name], ["selection"])[name]["selection"]
            self.assertEqual(dict(words).get("chat"), "Chat", f"{model} {name}")

    def test_filters(self):
        for model in ("collection.action", "collection.plan.simulation.line"):
            arch = etree.fromstring(self.env[model].with_user(self.manager).get_view(view_type="search")["arch"])
            names = arch.xpath("//filter/@name")
            self.assertLessEqual({"chat", "email", "call"}, set(names), model)
            self.assertNotIn("channels", names)
            self.assertEqual(arch.xpath("//filter[@name='chat']/@string"), ["Chat"])

    def test_preview(self):
        opened = self._step(3).with_user(self.manager).action_preview()
        preview = self.env["collection.step.preview"].with_user(self.manager).with_context(**opened["context"])
        preview = preview.create({"debtor_id": self.debtor.id})
        self.assertRecordValues(preview, [{"channel": "chat", "address": "petit", "sender": "Ateliers Exemple"}])
        self.assertIn("100.00", preview.body)
        self.assertTrue(preview.is_due)
        self.assertFalse(self._actions(self.debtor))

    def test_next_days_and_try_changes(self):
        action = self.plan.with_user(self.manager).action_try_changes()
        simulation = self.env[action["res_model"]].with_user(self.manager).browse(action["res_id"])
        by_delay = {step.delay: step for step in simulation.step_ids}
        by_delay[-7].channel = "chat"
        by_delay[8].channel = "chat"
        simulation.action_run()
        rows = simulation.line_ids.filtered(lambda line: line.debtor_id == self.debtor).sorted("date")
        self.assertEqual(rows[:2].mapped("channel"), ["chat", "chat"])
        self.assertTrue(all(rows[:2].mapped("is_automatic")))
        self.assertEqual(rows[1].channel_before, "email")
        self.assertIn("Chat", simulation.summary)
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            by_delay[8].channel = "pigeon"
        by_delay[-7].channel = "call"
        with self.assertRefused("before the due date"):
            simulation.action_run()

    def test_start_dialogue(self):
        plan = self._create_plan([(3, "call")], name="By chat", user_id=False)
        plan.step_ids.write({"channel": "chat", "template_id": self.template.id})
        dialogue = self.env["collection.plan.start"].with_user(self.manager).create({"plan_id": plan.id})
        self.assertFalse(
            [words for words in dialogue._get_warnings() if "collector" in words or "nothing to say" in words]
        )
        self.template.body_html = False
        self.assertTrue([words for words in dialogue._get_warnings() if "nothing to say" in words])

    def test_why_and_the_digest_name_it(self):
        self._deliver()
        why = self.env["collection.debtor.why"].with_user(self.collector).create({"debtor_id": self.debtor.id})
        self.assertIn("Chat", why.facts)
        facts = self.env["collection.digest"]._get_facts(self.company)
        self.assertEqual(facts["sent"]["chat"], 1)
        self.assertIn(("Chat", 1), self.env["collection.digest"]._get_words(self.company, facts)["sent"])

    # == Silence, e-mails ==

    def test_silence_of_another_addon(self):
        """Plans, “Why?”, dialogues, cases and hand-overs all ask the one hook."""
        campaign = self._start_campaign()
        self.customer.example_hands_off = True
        words = "The management speaks to this customer."
        decision = self.assertReason("own_reason", self.debtor)
        self.assertEqual(self.plan._describe(decision, self.debtor), words)
        self.assertFalse(self._deliver())
        why = self.env["collection.debtor.why"].with_user(self.collector).create({"debtor_id": self.debtor.id})
        self.assertEqual(why.answer, words)
        for dialogue in ("collection.reminder.send", "collection.call.log"):
            form = Form(self.env[dialogue].with_user(self.collector).with_context(default_debtor_id=self.debtor.id))
            self.assertIn(words, form.silence_reason, dialogue)
        self.assertEqual(campaign.case_ids.warning, words)
        case = campaign.case_ids.with_user(self.team_user)
        self.assertEqual(self.env["collection.handover"]._get_obstacles(case), {case: words})

    def test_emails_carry_more(self):
        self._step(3).channel = "email"
        self._create_invoice(self.other_customer, days_late=10)
        self._synchronize()
        self._run_cron()
        copies = {
            action.partner_id: self.env["mail.mail"]
            .sudo()
            .search([("mail_message_id", "=", action.mail_message_id.id)])
            .email_cc
            for action in self._actions(channel="email")
        }
        self.assertEqual(copies, {self.customer: "archive@example.com", self.other_customer: False})

    # == Leaving ==

    def test_leaving(self):
        """What ``ondelete`` does: nothing planned waits for a channel that is gone, what was said stays."""
        said = self._deliver()
        self._create_invoice(self.other_customer, days_late=10)
        self.other_customer.example_chat_name = "garage"
        self._step(-7).channel = "chat"
        self._synchronize()
        self.env["collection.plan"]._plan_company(self.company)
        planned = self._actions(channel="chat", state="planned")
        self.assertTrue(planned)
        steps = self._step(3) + self._step(-7)
        (said + planned)._leave_channel()
        steps._leave_channel()
        self.assertRecordValues(said + planned, [{"state": "done"}, {"state": "cancelled"}])
        self.assertRecordValues(steps, [{"channel": "call", "active": True}, {"channel": "call", "active": False}])
