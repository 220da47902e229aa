from odoo.exceptions import UserError
from odoo.tests import Form, freeze_time, tagged

from odoo.addons.mail.tests.common import MailCommon

from ..common import CollectionCommon


@tagged("post_install", "-at_install")
class TestStatementSend(CollectionCommon, MailCommon):
    """Statements are looked at, sent by hand or regularly, once per period, and are no reminders."""

    @classmethod
    def default_env_context(cls):
        return {}  # e-mails are what this is about

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._load_french()
        cls.customer.lang = "fr_FR"
        cls._create_invoice(amount=1500, days_late=40)
        cls._create_invoice(cls.other_customer, amount=77, days_late=-5)
        cls.debtor = cls._get_debtor()
        cls.other_debtor = cls._get_debtor(cls.other_customer)
        cls.Statement = cls.env["collection.statement"]

    def _open(self, debtors, user=None):
        return Form(
            self.env["collection.statement.print"]
            .with_user(user or self.collector)
            .with_context(default_debtor_ids=debtors.ids)
        )

    def _run_cron(self):
        with self.mock_mail_gateway(), self.enter_registry_test_mode():
            self.env.ref("account_collection.cron_send_statements").method_direct_trigger()
        return self.Statement.search([])

    def test_send_one(self):
        """Looked at, then sent with its PDF; on file as a note, so that the next reminder is not held back."""
        form = self._open(self.debtor)
        self.assertIn("1\xa0500,00", form.preview)
        with self.mock_mail_gateway():
            form.save().action_send()
        [mail] = self._mails
        self.assertEqual(mail["email_to"], ['"Boulangerie Petit" <boulangerie@customer.example>'])
        self.assertIn("compta@moreau.example", mail["email_from"])
        self.assertEqual(len(mail["attachments"]), 1)
        self.assertTrue(mail["attachments"][0][0].endswith(".pdf"))
        statement = self.debtor.statement_ids
        self.assertRecordValues(statement, [{"state": "sent", "user_id": self.collector.id, "kind": "open"}])
        self.assertIn(statement.mail_message_id, self.debtor.message_ids)
        self.assertEqual(self.debtor.action_ids.channel, "note")
        self._synchronize()
        self.assertFalse(self.debtor.last_contact_on)
        self.assertFalse(self.debtor._get_silence_reason("email"))

    def test_own_words(self):
        """What the user wrote is what is sent; a workbook goes along when asked for."""
        form = self._open(self.debtor)
        form.subject = "Point de compte"
        form.attach_xlsx = True
        form.kind = "movements"
        with self.mock_mail_gateway():
            form.save().action_send()
        [mail] = self._mails
        self.assertEqual(mail["subject"], "Point de compte")
        self.assertEqual(sorted(name[-4:] for name, *_rest in mail["attachments"]), [".pdf", "xlsx"])

    def test_send_many(self):
        """Many are sent in the background, each once; what can't be sent says why and can be sent again."""
        self.other_customer.email = False
        form = self._open(self.debtor + self.other_debtor)
        self.assertEqual(form.debtor_count, 2)
        form.save().action_send()
        statements = self._run_cron()
        by_debtor = {statement.debtor_id: statement for statement in statements}
        self.assertEqual(by_debtor[self.debtor].state, "sent")
        self.assertEqual(by_debtor[self.other_debtor].state, "failed")
        self.assertIn("e-mail address", by_debtor[self.other_debtor].result_text)
        self.assertEqual(len(self._new_mails), 1)
        self.other_customer.email = "garage@customer.example"
        by_debtor[self.other_debtor].with_user(self.collector).action_retry()
        self._run_cron()
        self.assertEqual(by_debtor[self.other_debtor].state, "sent")
        self.assertEqual(len(self._new_mails), 1, "The first one is not sent twice.")

    def test_contact_without_address(self):
        """When the one to ask for has no address, the statement goes to another of this customer."""
        self.debtor.contact_id = self.env["res.partner"].create(
            {"name": "Odile", "parent_id": self.customer.id, "phone": "+33 1 99 00 12 34"}
        )
        form = self._open(self.debtor)
        self.assertEqual(form.contact_id, self.customer)
        self.Statement.with_user(self.collector)._request(self.debtor)
        statement = self._run_cron()
        self.assertRecordValues(statement, [{"state": "sent", "contact_id": self.customer.id}])
        self.assertEqual(self._new_mails.recipient_ids, self.customer)

    def test_regular_statement_respects_who_asked_for_none(self):
        """Nothing is sent regularly to an address that asked not to be written to; another one is taken."""
        self.company.write({"collection_statement_period": "monthly", "collection_statement_day": 5})
        self.env["mail.blacklist"]._add(self.customer.email)
        self.env["mail.blacklist"]._add(self.other_customer.email)
        deputy = self.env["res.partner"].create(
            {"name": "Odile", "parent_id": self.customer.id, "email": "odile@customer.example"}
        )
        by_debtor = {statement.debtor_id: statement for statement in self._run_cron()}
        self.assertEqual(by_debtor[self.debtor].contact_id, deputy)
        self.assertEqual(by_debtor[self.other_debtor].state, "failed")
        self.assertIn("e-mail address that works", by_debtor[self.other_debtor].result_text)
        self.assertEqual(self._new_mails.recipient_ids, deputy)

    def test_language_of_what_is_on_file(self):
        """The customer's language is the statement's; the file is kept in that of the company's people."""
        self.company.partner_id.lang = "fr_FR"
        self.customer.lang = "en_US"
        self.company.write({"collection_statement_period": "monthly", "collection_statement_day": 5})
        self.other_customer.email = "no address"
        statements = self._run_cron()
        by_debtor = {statement.debtor_id: statement for statement in statements}
        self.assertEqual(self.debtor.action_ids.summary, "Relevé de compte envoyé par e-mail")
        self.assertIn("your statement of account", by_debtor[self.debtor].mail_message_id.subject)
        self.assertIn("adresse e-mail", by_debtor[self.other_debtor].result_text)

    def test_one_fault_stops_nobody(self):
        self.Statement.with_user(self.collector)._request(self.debtor + self.other_debtor)
        Debtor = type(self.env["collection.debtor"])
        original = Debtor._render_statement_pdf

        def broken(debtor, *args, **kwargs):
            if debtor.partner_id == self.customer:
                raise ValueError("broken")
            return original(debtor, *args, **kwargs)

        self.patch(Debtor, "_render_statement_pdf", broken)
        with self.assertLogs("odoo.addons.account_collection.models.statement.collection_statement", level="ERROR"):
            statements = self._run_cron()
        self.assertEqual(sorted(statements.mapped("state")), ["failed", "sent"])

    def test_regularly(self):
        """Once per period, from the chosen day, as the company or the customer's file says."""
        self.company.write({"collection_statement_period": "monthly", "collection_statement_day": 5})
        with freeze_time("2026-03-04 12:00:00"):
            self.assertFalse(self._run_cron())
        statements = self._run_cron()
        self.assertEqual(statements.debtor_id, self.debtor + self.other_debtor)
        self.assertEqual(set(statements.mapped("state")), {"sent"})
        self.assertFalse(statements.user_id)
        self.assertEqual(len(self._run_cron()), 2)
        self.other_debtor.statement_period = "never"
        with freeze_time("2026-04-06 12:00:00"):
            self.assertEqual(len(self._run_cron()), 2, "Easter Monday: nothing leaves")
        with freeze_time("2026-04-07 12:00:00"):
            self.assertEqual(len(self._run_cron()), 3)

    def test_paid_before_it_was_sent(self):
        """Who paid since a regular statement was planned gets none, and it is no failure."""
        self.company.write({"collection_statement_period": "monthly", "collection_statement_day": 5})
        self.Statement._plan_regular(self.company)
        for move in self.env["account.move"].search([("partner_id", "=", self.other_customer.id)]):
            self._pay(move)
        by_debtor = {statement.debtor_id: statement for statement in self._run_cron()}
        self.assertEqual(by_debtor[self.debtor].state, "sent")
        self.assertEqual(by_debtor[self.other_debtor].state, "cancelled")
        self.assertIn("settled", by_debtor[self.other_debtor].result_text)

    def test_only_to_the_customer(self):
        wizard = self._open(self.debtor).save()
        with self.assertRefused("no contact of Boulangerie Petit"):
            wizard.contact_id = self.other_customer
        # A contact that left the customer while the dialogue stood open.
        wizard.flush_recordset()
        self.env.cr.execute(
            "UPDATE collection_statement_print SET contact_id = %s WHERE id = %s", (self.other_customer.id, wizard.id)
        )
        wizard.invalidate_recordset()
        with self.assertRefused("no contact of Boulangerie Petit"):
            wizard.action_send()
        self.assertFalse(self.debtor.statement_ids)

    def test_quarterly(self):
        self.debtor.with_user(self.collector).statement_period = "quarterly"
        statements = self._run_cron()
        self.assertRecordValues(
            statements, [{"debtor_id": self.debtor.id, "period": self.today.replace(month=1, day=1)}]
        )
        with freeze_time("2026-03-31 12:00:00"):
            self.assertEqual(len(self._run_cron()), 1)

    def test_not_regularly(self):
        """No regular statement without open items or address, in insolvency, while paused, or to archived files."""
        self.company.collection_statement_period = "monthly"
        self._pay(self._create_invoice(self._create_customer("Paid"), 5))
        for name, values in (
            ("Insolvent", {"insolvency": True}),
            ("Paused", {"paused_until": self._days(9)}),
            ("Archived", {"active": False}),
            ("Mute", {}),
        ):
            partner = self._create_customer(name, **({"email": False} if name == "Mute" else {}))
            self._create_invoice(partner, 50)
            self._get_debtor(partner).write(values)
        statements = self._run_cron()
        self.assertEqual(statements.debtor_id, self.debtor + self.other_debtor)

    def test_refusals(self):
        """No statement without address or content, and no forged ones."""
        self.customer.email = False
        with self.assertRefused("no valid e-mail address"):
            self._open(self.debtor).save().action_send()
        self.customer.email = "a@customer.example"
        self._pay(self.env["account.move"].search([("partner_id", "=", self.customer.id)]))
        with self.assertRefused("nothing to list"):
            self._open(self.debtor).save().action_send()
        with self.assertRefused("first day"):
            form = self._open(self.debtor)
            form.kind = "movements"
            form.date_from, form.date_to = self._days(1), self._days(0)
            form.save().action_print()
        with self.assertRaises(UserError), self.cr.savepoint():
            self.company.collection_statement_day = 31
        self.assertFalse(self.Statement.with_user(self.manager).has_access("create"))
        self.assertFalse(self.Statement.with_user(self.manager).has_access("write"))

    def test_rights(self):
        """Statements follow their debtor."""
        self.debtor.collector_id = self.other_collector
        statement = self.Statement._request(self.debtor)
        self.assertFalse(statement.with_user(self.collector).has_access("read"))
        self.assertTrue(statement.with_user(self.other_collector).has_access("read"))
        self.assertTrue(statement.with_user(self.team_user).has_access("read"))
        statement.with_user(self.other_collector).action_cancel()
        self.assertEqual(statement.state, "cancelled")
