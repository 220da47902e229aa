from odoo.tests import freeze_time, tagged

from ..plan_common import PlanCommon


@tagged("post_install", "-at_install")
class TestDigest(PlanCommon):
    """In the evening, managers read what happened; once, and only when there is something to say."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.company"].search([("id", "!=", cls.company.id)]).collection_digest_is_on = False
        cls.company.collection_digest_user_ids = cls.manager

    def _evening(self, day="2026-03-10", hour="17:30"):
        """Run the digest at a moment in UTC; 17:30 is half past six in Paris in winter."""
        before = self.env["mail.mail"].sudo().search([])
        with freeze_time(f"{day} {hour}:00"), self.enter_registry_test_mode():
            self.env.ref("account_collection.cron_digest").method_direct_trigger()
        self.env.invalidate_all()
        return self.env["mail.mail"].sudo().search([("id", "not in", before.ids)], order="id")

    def _text(self, mail):
        return " ".join(self._plain(mail.body_html).split())

    def test_what_happened_and_what_waits(self):
        without = self._create_customer("Sans Adresse", email=False)
        answered = self._create_customer("Réponse SARL")
        paid = self._create_customer("Paid")
        paused = self._create_customer("Paused")
        for customer in (self.customer, without, answered, paid, paused):
            self._create_invoice(customer, days_late=10)
        self._create_invoice(self.other_customer, days_late=10)
        self._synchronize()
        Plan, Action = self.env["collection.plan"], self.env["collection.action"].sudo()
        for customer in (paid, paused):
            debtor = self._get_debtor(customer)
            Action.create(Plan._prepare_action(debtor, self._decide(debtor)))
        self._get_debtor(paused).write({"paused_until": self._days(9), "pause_reason": "Fair"})
        self._get_debtor(paid).insolvency = True
        self._step(3).is_automatic = True
        self._get_debtor(answered).sudo().reply_date = self.today
        self._run_cron()
        waiting = self._create_customer("To Confirm")
        self._create_invoice(waiting, days_late=10)
        self._step(3).is_automatic = False
        debtor = self._get_debtor(waiting)
        Action.create(Plan._prepare_action(debtor, self._decide(debtor)))
        mail = self._evening()
        self.assertEqual(len(mail), 1)
        self.assertEqual(mail.recipient_ids, self.manager.partner_id)
        self.assertIn("Ateliers Moreau: reminders of 03/10/2026", mail.subject)
        text = self._text(mail)
        for words in (
            "E-mail: <strong>2</strong>",
            "Failed: 1",
            "Sans Adresse",
            "No contact of Sans Adresse has an e-mail address",
            "Insolvency proceedings: <strong>1</strong>",
            "Paused: <strong>1</strong>",
            "Messages to confirm</a>: <strong>1</strong>",
            # What failed is to be called instead.
            "Calls and tasks</a>: <strong>1</strong>",
            "Réponse SARL",
            "/odoo/collection-to-confirm?cids=",
        ):
            self.assertIn(words, text)

    def test_once_a_day_in_the_evening_of_a_working_day(self):
        self._create_invoice(days_late=10)
        self._synchronize()
        self._run_cron()
        self.assertFalse(self._evening(hour="16:30"), "half past five in Paris: not yet")
        self.assertEqual(len(self._evening()), 1)
        self.assertFalse(self._evening(hour="18:30"), "once a day")
        self.assertFalse(self._evening("2026-03-11"), "nothing happened since")

    def test_weekend_waits_for_monday(self):
        self._create_invoice(days_late=10)
        self._synchronize()
        with freeze_time("2026-03-13 12:00:00"):
            self._run_cron()
        self.company.collection_digest_at = "2026-03-12 18:00:00"
        self.assertFalse(self._evening("2026-03-14"))
        self.assertFalse(self._evening("2026-03-15"))
        self.assertIn("E-mail: <strong>1</strong>", self._text(self._evening("2026-03-16")))

    def test_nothing_to_say(self):
        self.assertFalse(self._evening())
        self.assertTrue(self.company.collection_digest_at, "it was looked at")

    def test_switched_off(self):
        self._create_invoice(days_late=10)
        self._synchronize()
        self._run_cron()
        self.company.collection_digest_is_on = False
        self.assertFalse(self._evening())

    def test_managers_of_the_company_by_default_in_their_language(self):
        self._load_french()
        french = self._create_user("french", "account_collection.group_collection_manager")
        french.lang = "fr_FR"
        other_company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self._create_user("stranger", "account_collection.group_collection_manager")
        stranger.write({"company_ids": [(6, 0, other_company.ids)], "company_id": other_company.id})
        self.company.collection_digest_user_ids = False
        self._create_invoice(days_late=10)
        self._synchronize()
        self._run_cron()
        mails = self._evening()
        self.assertIn(self.manager.partner_id, mails.recipient_ids)
        self.assertIn(french.partner_id, mails.recipient_ids)
        self.assertNotIn(stranger.partner_id, mails.recipient_ids)
        self.assertNotIn(self.team_user.partner_id, mails.recipient_ids)
        own = mails.filtered(lambda mail: mail.recipient_ids == french.partner_id)
        self.assertIn("10/03/2026", own.subject)

    def test_bank_journal_not_up_to_date(self):
        self.company.collection_bank_fresh_days = 5
        self._enter_bank_statement("2026-02-01")
        self.assertIn("no entry since 02/01/2026", self._text(self._evening()))
