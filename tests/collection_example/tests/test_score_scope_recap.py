import io

from openpyxl import load_workbook

from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import ExampleCommon


@tagged("post_install", "-at_install")
class TestExampleScoreScopeRecap(ExampleCommon):
    """Another addon's indicator, filter and figures."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_invoice(amount=300, days_late=10)
        cls._create_invoice(cls.other_customer, amount=100, days_late=10)
        cls._synchronize()

    # == Score ==

    def test_indicator(self):
        criterion = (
            self.env["collection.criterion"]
            .with_user(self.manager)
            .create(
                {
                    "name": "Public",
                    "company_id": self.company.id,
                    "indicator": "example_is_public",
                    "weight": 50,
                    "band_ids": [Command.create({"lower": 1, "percent": 100})],
                }
            )
        )
        public, other = self._get_debtor(), self._get_debtor(self.other_customer)
        self._synchronize()
        given = {
            debtor: row["points"]
            for debtor in public + other
            for row in debtor.score_breakdown
            if row["criterion"] == criterion.id
        }
        self.assertGreater(given[public], 0)
        self.assertEqual(given[other], 0)
        self.assertEqual(public.score, sum(row["points"] for row in public.score_breakdown))
        self.customer.example_is_public = False
        points = {row["criterion"]: row["points"] for row in self._get_debtor().score_breakdown}
        self.assertEqual(points[criterion.id], 0)
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            criterion.indicator = "moon"

    def test_indicator_that_is_gone(self):
        """A criterion of an addon that was uninstalled counts for nothing, and stops nobody."""
        before = self._get_debtor().score_breakdown
        criterion = self.env["collection.criterion"].create(
            {
                "name": "Public",
                "company_id": self.company.id,
                "indicator": "example_is_public",
                "weight": 50,
                "band_ids": [Command.create({"lower": 1, "percent": 100})],
            }
        )
        self.env.flush_all()
        self.env.cr.execute("UPDATE collection_criterion SET indicator = 'gone' WHERE id = %s", [criterion.id])
        self.env.invalidate_all()
        self._synchronize()
        self.assertEqual(self._get_debtor().score_breakdown, before)

    # == Campaigns ==

    def test_scope(self):
        form = Form(self.env["collection.campaign"].with_user(self.team_user))
        form.name = "Public"
        form.example_only_public = True
        campaign = form.save()
        self.assertEqual(campaign._get_scope().partner_id, self.customer)
        campaign.action_prepare()
        campaign.action_start()
        self.assertEqual(campaign.case_ids.partner_id, self.customer)
        self.assertIn(("Public Customers only", "Yes"), campaign._recap().scope)
        page = self._print(campaign)
        self.assertIn("Public Customers only: Yes", page)

    def test_scope_in_words(self):
        """What the filters of the addon itself let in reads as before."""
        campaign = self._start_campaign(
            min_amount=50, max_days_late=99, max_debtors=7, salesperson_ids=[Command.set([])]
        )
        scope = [(name, self._plain(words)) for name, words in campaign._recap().scope]
        self.assertEqual([words for _name, words in scope], ["50.00 €", "1", "99", "7"])

    def _print(self, campaign):
        page, _kind = (
            self.env["ir.actions.report"]
            .with_user(self.team_user)
            ._render_qweb_html("account_collection.report_campaign_recap", campaign.ids)
        )
        return self._plain(page.decode())

    def test_figures(self):
        campaign = self._start_campaign()
        self._run_cron()
        self.env.invalidate_all()
        recap = campaign._recap()
        self.assertEqual(
            [(figure.key, figure.kind, float(figure.value)) for figure in recap.extra],
            [
                ("example_public_count", "integer", 1),
                ("example_public_owed", "money", 300),
                ("example_public_share", "percent", 0.75),
            ],
        )
        # A message by chat was sent; nobody in the chat, the other one is to be called.
        self.assertEqual((recap.contacts.get_sent("chat"), recap.contacts.email_count), (1, 0))
        page = self._print(campaign)
        for words in ("More figures", "Still owed by public customers", "300.00", "75.0%", "Chat messages sent"):
            self.assertIn(words, page)
        output = io.BytesIO()
        self.env["collection.recap.workbook"]._write(recap, output)
        output.seek(0)
        rows = {row[0]: row[1] for row in load_workbook(output)["Summary"].values if row[0]}
        self.assertEqual(rows["Public customers"], 1)
        self.assertEqual(rows["Still owed by public customers"], 300)
        self.assertEqual(rows["Of what is still owed"], 0.75)
        self.assertEqual(rows["Chat messages sent"], 1)
