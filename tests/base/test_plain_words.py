from markupsafe import Markup

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from ...tools.plain_html import to_html
from ..plan_common import PlanCommon

WORDS = "3 < 5 <img src=x onerror=alert(1)>\n<a href='https://evil.example'>here</a> https://evil.example/login"


@tagged("post_install", "-at_install")
class TestPlainWords(PlanCommon):
    """What a customer, a colleague or a file says stays words: no picture, no link, nothing that runs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(amount=500, days_late=40)
        cls.item = cls._get_items(cls.invoice)
        cls.campaign = cls._start_campaign(member_ids=[Command.set(cls.collector.ids)])
        cls.case = cls.campaign.case_ids.filtered(lambda case: case.partner_id == cls.customer)
        cls.debtor = cls.case.debtor_id
        cls.debtor.collector_id = cls.collector

    def setUp(self):
        super().setUp()
        self.known = {model: self.env[model].search([]) for model in ("mail.message", "mail.activity")}

    def _assert_words(self, **expected):
        """Check what activities and messages came about hold, and that the words are among them."""
        for model, name in (("mail.activity", "note"), ("mail.message", "body")):
            new = self.env[model].search([]) - self.known[model]
            texts = [str(record[name] or "") for record in new]
            for text in texts:
                self.assertNotIn("<img", text)
                self.assertNotRegex(text, r"<a [^>]*evil")
            if name in expected:
                self.assertTrue(any("3 &lt; 5" in text for text in texts), f"said in {model}: {texts}")

    def test_helper(self):
        self.assertEqual(to_html("a\nb <b>"), Markup("<p>a<br/>b &lt;b&gt;</p>"))
        self.assertEqual(to_html(False), Markup())
        self.assertNotIn("<a", to_html(WORDS))

    def test_dispute(self):
        salesperson = self._create_user("seller", "base.group_user")
        self.customer.user_id = salesperson
        dispute = self._dispute(self.debtor, self.item, amount=100, description=WORDS, case=self.case)
        self._assert_words(note=True)
        dispute.with_user(self.solver).action_ask_salesperson()
        self.assertTrue(self.customer.activity_ids)
        dispute._ask_accounting(self.invoice)
        self.assertTrue(self.invoice.activity_ids)
        dispute.resolution = WORDS
        dispute.with_user(self.solver).action_accept()
        self._assert_words(note=True, body=True)

    def test_promise(self):
        """The name of a customer is somebody's words, too."""
        self.customer.name = WORDS
        promise = self._promise(self.debtor, note=WORDS, case=self.case)
        promise.sudo()._set_judgement("broken", self.today)
        self._assert_words(note=True, body=True)

    def test_dialogues(self):
        self._log_call(self.debtor, case=self.case, note=WORDS)
        pause = self.env["collection.pause.set"].with_user(self.collector)
        pause.create({"debtor_id": self.debtor.id, "reason": WORDS}).action_confirm()
        close = self.env["collection.case.close"].with_user(self.collector)
        close.create({"case_id": self.case.id, "result": "refused", "note": WORDS}).action_confirm()
        self._assert_words(body=True)

    def test_outside_caller(self):
        provider = self.env["collection.provider"].create(
            {"partner_id": self.env["res.partner"].create({"name": "Phone House", "is_company": True}).id}
        )
        cases = self.case.with_user(self.team_user)
        wizard = cases.env["collection.handover.create"].browse(cases.action_hand_over()["res_id"])
        wizard.provider_id = provider
        handover = cases.env["collection.handover"].browse(wizard.action_confirm()["res_id"])
        self.debtor.contact_id = self.env["res.partner"].create({"name": "Marie", "parent_id": self.customer.id})
        handover.line_ids._correct_contact(name=WORDS, phone=WORDS)
        self._assert_words(note=True)

    def test_what_fails_in_a_run(self):
        """A scheduled action that stumbles names the record and the reason."""
        self.customer.name = WORDS
        self.env["collection.run"].sudo()._notify_failure(self.debtor, "Refreshing", UserError(WORDS))
        self._assert_words(note=True)
