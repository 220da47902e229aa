from odoo.tests import Form, tagged

from odoo.addons.mail.tests.common import MailCommon

from ..common import CollectionCommon


@tagged("post_install", "-at_install")
class TestReminder(CollectionCommon, MailCommon):
    """A reminder is looked at before it goes out, in the customer's language, and never sent twice."""

    @classmethod
    def default_env_context(cls):
        return {}  # e-mails are what this is about

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._load_french()
        cls.contact = cls.env["res.partner"].create(
            {
                "name": "Marie Dupont",
                "parent_id": cls.customer.id,
                "type": "invoice",
                "email": "marie@petit.example",
                "lang": "fr_FR",
            }
        )
        cls.invoice = cls._create_invoice(amount=1500, days_late=40)
        cls._create_invoice(cls.other_customer, amount=77, days_late=40)
        cls.debtor = cls._get_debtor()

    def _open(self, debtor=None, user=None):
        return Form(
            self.env["collection.reminder.send"]
            .with_user(user or self.collector)
            .with_context(default_debtor_id=(debtor or self.debtor).id)
        )

    def _send(self, form):
        with self.mock_mail_gateway():
            form.save().action_send()

    def test_send(self):
        form = self._open()
        self.assertIn(self.invoice.name, form.body)
        self._send(form)
        [mail] = self._mails
        self.assertEqual(mail["email_to"], ['"Marie Dupont" <marie@petit.example>'])
        self.assertIn("compta@moreau.example", mail["email_from"])
        self.assertIn(self.invoice.name, mail["body"])
        self.assertIn("max-width: 680px", mail["body"], "in the letterhead")
        self.assertEqual(len(mail["attachments"]), 1)
        [action] = self.debtor.action_ids.filtered(lambda action: action.state == "done")
        self.assertRecordValues(
            action, [{"channel": "email", "user_id": self.collector.id, "amount": 1500, "contact_id": self.contact.id}]
        )
        self.assertEqual(action.mail_message_id, self.debtor.message_ids[0])

    def test_only_what_may_be_claimed(self):
        """Not due, paid, promised and disputed parts stay out; credits are shown; the other customer's too."""
        not_due = self._create_invoice(amount=11, days_late=-3)
        paid = self._create_invoice(amount=12)
        self._pay(paid)
        disputed = self._create_invoice(amount=200)
        self._pay_on_account(amount=300)
        self._pay(self.invoice, amount=200)
        self._dispute(self.debtor, self._get_items(disputed))
        body = self._plain(self._open().body)
        for move in (not_due, paid, disputed):
            self.assertNotIn(move.name, body)
        self.assertIn("1 300,00", body)  # still owed of the invoice
        self.assertIn("300,00", body)  # the credit
        self.assertIn("1 000,00", body)  # what is left to pay
        self.assertNotIn("77,00", body)

    def test_two_currencies_are_never_added(self):
        dollar = self.setup_other_currency("USD", rates=[("1900-01-01", 2.0)])
        self._create_invoice(amount=300, currency=dollar)
        self._synchronize()
        body = self._plain(self._open().body)
        self.assertIn("1 500,00", body)
        self.assertIn("300,00", body)
        self.assertNotIn("1 650", body)
        self.assertNotIn("1 800", body)

    def test_html_in_a_name_is_inert(self):
        self.contact.name = "<script>alert(1)</script>"
        self.env.invalidate_all()
        body = self._plain(self._open().body)
        self.assertNotIn("<script>", body)

    def test_paid_between_preview_and_sending(self):
        form = self._open()
        self._pay(self.invoice)
        with self.assertRefused("Nothing is overdue"):
            self._send(form)
        self.assertFalse(self.debtor.action_ids)

    def test_never_two_reminders_for_one_debt(self):
        """Whatever the campaign, whoever asks: a second reminder within the gap is refused."""
        self._send(self._open())
        form = self._open(user=self.team_user)
        self.assertIn("Collector reminded this customer", form.silence_reason)
        with self.assertRefused("Leave 3 days between two reminders"):
            self._send(form)
        self.assertEqual(len(self.debtor.action_ids.filtered(lambda action: action.channel == "email")), 1)

    def test_without_address(self):
        self.contact.email = False
        self.customer.email = False
        with self.assertRefused("no e-mail address"):
            self._send(self._open())
        self.assertFalse(self.debtor.action_ids)
        self.customer.email = "nonsense"
        form = self._open()
        form.contact_id = self.customer
        with self.assertRefused("no valid e-mail address"):
            self._send(form)

    def test_nobody_else_follows_the_thread(self):
        self._send(self._open())
        self.assertNotIn(self.contact, self.debtor.message_partner_ids)

    def test_case_waits_for_the_answer(self):
        campaign = self._start_campaign(member_ids=[(6, 0, self.collector.ids)])
        case = campaign.case_ids.filtered(lambda case: case.debtor_id == self.debtor).with_user(self.collector)
        form = Form(
            self.env["collection.reminder.send"]
            .with_user(self.collector)
            .with_context(**case.action_send_reminder()["context"])
        )
        self._send(form)
        self.assertEqual(case.state, "waiting")
        self.assertEqual(case.action_ids.campaign_id, campaign)
