# What people write in a test needs no translation.
# pylint: disable=translation-required

from datetime import timedelta

from odoo import SUPERUSER_ID, fields
from odoo.tests import freeze_time, tagged

from odoo.addons.mail.tests.common import MailCommon

from ...models.base.mail_gateway import _GATEWAY
from ...models.provider.collection_provider_mixin import Origin
from ..plan_common import PlanCommon


@tagged("post_install", "-at_install")
class TestContact(PlanCommon, MailCommon):
    """What counts as said to a customer, what came of it, and what it changes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(amount=1000, days_late=10)
        cls.debtor = cls._get_debtor()

    @classmethod
    def _answer(cls):
        """Have the customer answer by e-mail."""
        cls.debtor.sudo()._note_reply()

    def _remind(self, debtor=None, **values):
        """Send a reminder by hand; return its action. The mail waits in Odoo's queue."""
        wizard = (
            self.env["collection.reminder.send"]
            .with_user(self.collector)
            .with_context(mail_notify_force_send=False)
            .create({"debtor_id": (debtor or self.debtor).id, **values})
        )
        return wizard._send()

    def _get_mail(self, action):
        return self.env["mail.mail"].sudo().search([("mail_message_id", "=", action.mail_message_id.id)])

    def _bounce(self, action, address="boulangerie@customer.example"):
        """Have the mail server give a message back, as Odoo's gateway reads it."""
        self.env["mail.thread"].sudo().with_context(collection_gateway=_GATEWAY)._routing_handle_bounce(
            None,
            {
                "email_from": "MAILER-DAEMON@customer.example",
                "to": "bounce@moreau.example",
                "message_id": "<1@customer.example>",
                "bounced_email": address,
                "bounced_partner": self.customer,
                "bounced_msg_ids": [action.mail_message_id.message_id],
                "bounced_message": action.mail_message_id,
                "body": "no such user",
            },
        )

    def _collect(self):
        self.env["collection.action"].sudo()._collect_results()

    # == Answers ==

    def test_call_reads_the_answer(self):
        self._answer()
        self.assertEqual(self._decide().reason, "unread_reply")
        self._log_call(self.debtor, outcome="no_answer", next_step="none")
        self.assertTrue(self.debtor.reply_date, "nobody was spoken to")
        self._log_call(self.debtor, next_step="none")
        self.assertFalse(self.debtor.reply_date)
        with freeze_time("2026-03-13 12:00:00"):
            self.assertEqual(self._decide().reason, "due", "the plan goes on after the gap")

    def test_only_our_people_read_answers(self):
        Action = self.env["collection.action"]
        self._answer()
        origin = Origin(False, self.today, fields.Datetime.now())
        for words, act in {
            "an automatic message": lambda: Action.with_user(SUPERUSER_ID)._log(self.debtor, "email"),
            "a note": lambda: Action.with_user(self.collector)._log(self.debtor, "note"),
            "a task": lambda: Action.with_user(self.collector)._log(self.debtor, "task"),
            "an outside caller": lambda: Action.with_context(collection_origin=origin)._log(
                self.debtor, "call", outcome="right_person"
            ),
        }.items():
            with self.subTest(words):
                act()
                self.assertTrue(self.debtor.reply_date)
        with freeze_time("2026-03-16 12:00:00"):
            self._remind(send_anyway=True)
            self.assertFalse(self.debtor.reply_date)

    def test_statement_of_the_night_leaves_answers_unread(self):
        self._answer()
        statement = self.env["collection.statement"].with_user(SUPERUSER_ID)._request(self.debtor)
        self.patch(
            type(self.debtor), "_render_statement_pdf", lambda debtor, *args, **kwargs: ("statement.pdf", b"%PDF-1.4")
        )
        statement.with_user(SUPERUSER_ID)._send_alone()
        self.assertEqual(statement.state, "sent", statement.result_text)
        self.assertTrue(self.debtor.reply_date)

    # == What came of messages ==

    def test_reminder_by_hand_is_followed(self):
        action = self._remind()
        self.assertRecordValues(
            action,
            [{"delivery_state": "queued", "address": "boulangerie@customer.example", "state": "done", "try_count": 1}],
        )
        self.assertEqual(action.item_ids.amount, 1000)
        self._collect()
        self.assertEqual(action.delivery_state, "queued", "nothing is known before it goes")
        with self.mock_mail_gateway():
            self._get_mail(action).send()
        self._collect()
        self.assertEqual(action.delivery_state, "sent")

    def _assert_lost(self, action, words):
        self.assertRecordValues(action, [{"state": "failed", "delivery_state": "failed"}])
        self.assertIn(words, action.result_text)
        self._synchronize()
        self.assertEqual(self._decide().reason, "due", "no contact: neither for the days between two")
        self.assertFalse(self.debtor.last_contact_on)

    def test_reminder_by_hand_that_bounces(self):
        campaign = self._start_campaign()
        action = self._remind()
        self.env["collection.case"]._record_contacts(action)
        self.assertTrue(campaign.case_ids.last_contact_date)
        self.assertEqual(self._decide().reason, "gap")
        self._bounce(action)
        self._assert_lost(action, "came back")
        self.assertFalse(campaign.case_ids.last_contact_date)
        self.assertEqual(self.debtor.bounced_emails, "boulangerie@customer.example")

    def test_bounce_names_its_message(self):
        """The message that came back, not the last one to that address."""
        first = self._remind()
        with freeze_time("2026-03-16 12:00:00"):
            second = self._remind()
            self._bounce(first)
        self.assertEqual((first.state, second.state), ("failed", "done"))

    def test_reminder_by_hand_that_fails(self):
        action = self._remind()
        mail = self._get_mail(action)
        mail.state = "exception"
        mail._postprocess_sent_message([], [], failure_reason="nowhere", failure_type="mail_email_invalid")
        self._collect()
        self._assert_lost(action, "nowhere")

    def test_messages_that_never_leave(self):
        for words, lose in {
            "cancelled": lambda action: self._get_mail(action).cancel(),
            "deleted": lambda action: self._get_mail(action).unlink(),
            "message was deleted": lambda action: action.mail_message_id.sudo().unlink(),
        }.items():
            with self.subTest(words):
                action = self._remind()
                lose(action)
                self._collect()
                self._assert_lost(action, words)

    def test_message_deleted_after_it_was_sent(self):
        action = self._remind()
        with self.mock_mail_gateway():
            self._get_mail(action).send()
        action.mail_message_id.sudo().unlink()
        self.assertRecordValues(action, [{"state": "done", "delivery_state": "sent"}])

    def test_bounce_of_a_promise_s_confirmation(self):
        promise = self._promise(self.debtor, date=self._days(5), channel="call", send_confirmation=True)
        action = self.debtor.action_ids.filtered(lambda action: action.channel == "email")
        self.assertEqual(action.promise_id, promise)
        self.assertFalse(action.item_ids, "a confirmation asks for nothing")
        self._bounce(action)
        self.assertEqual(action.state, "failed")
        self.assertEqual(self.debtor.bounced_emails, "boulangerie@customer.example")
        self.assertIn("came back", self.debtor.message_ids[0].body)

    def test_statement_that_bounces(self):
        self.patch(
            type(self.debtor), "_render_statement_pdf", lambda debtor, *args, **kwargs: ("statement.pdf", b"%PDF-1.4")
        )
        statement = self.env["collection.statement"].with_user(self.collector)._request(self.debtor).sudo()
        statement.with_context(mail_notify_force_send=False)._send_alone()
        self.assertEqual(statement.state, "sent", statement.result_text)
        note = self.debtor.action_ids.filtered(lambda action: action.channel == "note")
        self.assertRecordValues(note, [{"delivery_state": "queued", "address": "boulangerie@customer.example"}])
        self._bounce(note)
        self.assertRecordValues(statement, [{"state": "failed", "result_text": note.result_text}])

    def test_other_people_s_mails_are_left_alone(self):
        partner = self.other_customer
        message = partner.message_post(
            body="Hello", partner_ids=partner.ids, message_type="comment", subtype_xmlid="mail.mt_comment"
        )
        notification = message.sudo().notification_ids
        notification.write({"notification_status": "exception", "failure_type": "mail_smtp"})
        mail = self.env["mail.mail"].sudo().create({"mail_message_id": message.id, "state": "exception"})
        mail.mark_outgoing()
        self.assertEqual(notification.notification_status, "exception")
        action = self._remind()
        mail = self._get_mail(action)
        mail.state = "exception"
        action.mail_message_id.sudo().notification_ids.notification_status = "exception"
        mail.mark_outgoing()
        self.assertEqual(action.mail_message_id.notification_ids.notification_status, "ready")

    # == What a contact changes ==

    def test_call_cancels_calls_only(self):
        create = self.env["collection.action"].sudo().create
        planned = {
            channel: create({"debtor_id": self.debtor.id, "channel": channel, "date_planned": self.today})
            for channel in ("call", "email", "task", "letter")
        }
        planned["letter"].printed_on = "2026-03-10 08:00:00"
        self._log_call(self.debtor, outcome="no_answer", next_step="call", next_date=self._days(2))
        self.assertRecordValues(planned["call"], [{"state": "cancelled", "cancel_code": "called"}])
        for channel in ("email", "task", "letter"):
            self.assertEqual(planned[channel].state, "planned")
        later = self._actions(self.debtor, state="planned", channel="call")
        self._log_call(self.debtor, outcome="no_answer", next_step="call", next_date=self._days(3))
        self.assertIn(later.cancel_code, ("called", "replaced"))
        self._promise(self.debtor, date=self._days(5), channel="call")
        self.assertEqual(self._actions(self.debtor, channel="call")[-2:].mapped("cancel_code"), ["promised", False])
        self.assertEqual(planned["letter"].state, "planned")

    def test_last_contact_is_the_latest(self):
        case = self._start_campaign().case_ids
        self._log_call(self.debtor, case=case, next_step="none")
        last = case.last_contact_date
        self.assertTrue(last)
        older = Origin(False, self.today, last.replace(day=3))
        action = (
            self.env["collection.action"]
            .with_context(collection_origin=older)
            ._log(self.debtor, "call", outcome="right_person")
        )
        self.env["collection.case"]._after_contact(action)
        self.assertEqual(action.date_done.day, 3)
        self.assertEqual(case.last_contact_date, last)
        with freeze_time("2026-03-11 12:00:00"):
            self._log_call(self.debtor, case=case, outcome="no_answer", next_step="none")
            self.assertEqual(case.last_contact_date, last, "nobody was spoken to")
            self._log_call(self.debtor, case=case, next_step="none")
            self.assertEqual(case.last_contact_date.day, 11)

    def test_one_customer_s_values_stay_with_them(self):
        """What a text sets for one customer only doesn't show up in the next one's message, on paper neither."""
        self.template.body_html = (
            '<p><t t-if="object.partner_id.ref"><t t-set="sign" t-value="object.partner_id.ref"/></t>'
            '<t t-if="sign">Secret <t t-out="sign"/></t> <t t-out="contact.name"/></p>'
        )
        self.customer.ref = "R-4711"
        self._create_invoice(self.other_customer, days_late=10)
        third = self._create_customer("Zinguerie Roux")
        self._create_invoice(third, days_late=10)
        self._synchronize()
        self._run_cron()
        bodies = {
            action.partner_id: action.mail_message_id.body for action in self._actions(state="done", channel="email")
        }
        self.assertEqual(set(bodies), {self.customer, self.other_customer, third})
        self.assertIn("R-4711", bodies[self.customer])
        for partner in (self.other_customer, third):
            self.assertNotIn("Secret", bodies[partner])
            self.assertIn(partner.name, bodies[partner])

    # == What counts as a contact ==

    def _log_on(self, moment, channel="call", outcome="right_person"):
        """Log a contact at a moment in UTC."""
        with freeze_time(moment):
            return (
                self.env["collection.action"]
                .with_user(self.collector)
                ._log(self.debtor, channel, outcome=outcome if channel == "call" else False)
            )

    def test_one_meaning_of_contact(self):
        """The decision, the facts, the invoice and the analysis agree on what a contact is."""
        for channel, outcome, is_contact in (
            ("call", "no_answer", False),
            ("call", "voicemail", False),
            ("note", False, False),
            ("task", False, False),
            ("call", "someone_else", True),
            ("letter", False, True),
        ):
            with self.subTest(channel=channel, outcome=outcome):
                action = self._log_on("2026-03-09 10:00:00", channel, outcome)
                self._synchronize()
                yesterday = self.today - timedelta(days=1) if is_contact else False
                self.assertEqual(self._decide().reason, "gap" if is_contact else "due")
                self.assertEqual(self.debtor.last_contact_on, yesterday)
                self.invoice.invalidate_recordset()
                self.assertEqual(self.invoice.collection_last_contact_on, yesterday)
                self.assertEqual(bool(action.filtered_domain(action._get_contact_domain())), is_contact)
                action._set_state("failed")
                self._synchronize()
                self.assertFalse(self.debtor.last_contact_on)

    def test_unanswered_calls_are_no_pressure(self):
        self.company.collection_pressure_cap = 2
        for day in ("2026-02-13", "2026-02-20"):
            self._log_on(f"{day} 10:00:00", outcome="no_answer")
        self.assertEqual(self._decide().reason, "due")
        self._log_on("2026-02-13 11:00:00")
        self.assertEqual(self._decide().reason, "due")

    def test_pressure_of_thirty_days(self):
        """Contacts of weeks ago count for the limit, until the thirtieth day after them."""
        self.company.collection_pressure_cap = 2
        for day in ("2026-02-14", "2026-02-20"):
            self._log_on(f"{day} 10:00:00")
        decision = self._decide()
        self.assertEqual(decision.reason, "pressure")
        self.assertEqual(fields.Date.to_string(decision.day), "2026-03-16")

    def test_day_of_a_contact_is_the_company_s(self):
        """Half past eleven at night in Greenwich is the next day in Paris, for everybody."""
        action = self._log_on("2026-03-07 23:30:00")
        self.assertEqual(fields.Date.to_string(action.with_context(tz="UTC")._get_done_on()), "2026-03-08")
        decision = self._decide()
        self.assertEqual((decision.reason, fields.Date.to_string(decision.day)), ("gap", "2026-03-11"))
        self._synchronize()
        self.assertEqual(fields.Date.to_string(self.debtor.last_contact_on), "2026-03-08")
        wizard = self.env["collection.reminder.send"].with_user(self.collector).create({"debtor_id": self.debtor.id})
        self.assertIn("03/08/2026", wizard.silence_reason)
        with freeze_time("2026-03-11 06:00:00"):
            self.assertFalse(self.debtor._get_silence_reason("email"), "the third day has begun")

    # == Who can be written to ==

    def test_one_meaning_of_reachable(self):
        """Facts, file, dialogue and delivery agree on who can be written to."""
        self.customer.email = "nonsense"
        plant = self.env["res.partner"].create(
            {"name": "Plant", "parent_id": self.customer.id, "type": "delivery", "email": "plant@customer.example"}
        )
        self._synchronize()
        self.assertFalse(self.debtor.has_email, "nobody writes to a delivery address")
        self.assertFalse(self.debtor._get_recipients(with_email=True))
        chief = self.env["res.partner"].create(
            {"name": "Chief", "parent_id": plant.id, "type": "contact", "email": "chief@customer.example"}
        )
        self._synchronize()
        self.debtor.invalidate_recordset()
        self.assertTrue(self.debtor.has_email)
        self.assertEqual(self.debtor.email, "chief@customer.example")
        self.assertEqual(self.debtor._get_statement_contact(), chief)
        self._run_cron()
        self.assertEqual(self._actions(self.debtor).address, "chief@customer.example")
        chief.active = False
        self._synchronize()
        self.debtor.invalidate_recordset()
        self.assertFalse(self.debtor.has_email)
        self.debtor.contact_id = plant
        self._synchronize()
        self.assertTrue(self.debtor.has_email, "who is named on the file")
        self.assertEqual(self.debtor._get_recipients(with_email=True), plant)

    def test_invoice_is_printed_once_in_the_reader_s_language(self):
        """Reminders and answers to disputes carry the same file; one that changed is printed anew."""
        Report = type(self.env["ir.actions.report"])
        self.patch(Report, "get_wkhtmltopdf_state", lambda report: "ok")
        self.patch(
            Report,
            "_render_qweb_pdf",
            lambda report, name, ids, data=None: (f"%PDF-1.4 {report.env.lang} {ids}".encode(), "pdf"),
        )
        document = self.invoice.with_context(lang="en_US")._get_collection_documents()
        self.assertIn(b"en_US", document.raw)
        self.assertEqual(self.invoice._get_collection_file("en_US"), (document.name, document.raw))
        self.assertEqual(self.invoice.with_context(lang="en_US")._get_collection_documents(), document)
        self._load_french()
        self.assertIn(b"fr_FR", self.invoice._get_collection_file("fr_FR")[1])
        count = [("res_model", "=", "account.move"), ("res_id", "=", self.invoice.id)]
        self.assertEqual(self.env["ir.attachment"].sudo().search_count(count), 2)
