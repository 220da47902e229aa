from datetime import timedelta

from odoo.fields import Command
from odoo.sql_db import db_connect
from odoo.tests import freeze_time, tagged

from ..plan_common import PlanCommon

# Enough for work that grows with the fourth power to take very long.
CUSTOMERS = 40


@tagged("post_install", "-at_install")
class TestWithoutStatistics(PlanCommon):
    """PostgreSQL takes tables that it looked at too early for empty: after a big import, on the first day.

    Then each join is planned as if for one row. That may cost some time, but never hours.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partners = cls.env["res.partner"].create(
            [
                {"name": f"Customer {number}", "is_company": True, "email": f"c{number}@customer.example"}
                for number in range(CUSTOMERS)
            ]
        )
        cls._create_invoices(200)._post()
        paid = cls.env["account.move"].search([("partner_id", "in", cls.partners.ids)])
        cls._pay(paid, on=cls.today - timedelta(days=120))
        cls._create_invoices(50)._post()
        cls.env.flush_all()
        with db_connect(cls.env.cr.dbname).cursor() as cr:
            cr._cnx.rollback()
            cr._cnx.autocommit = True
            # Sees nothing of this transaction but the size of the files.
            cr.execute("ANALYZE")
        cls.env.cr.execute("SET LOCAL statement_timeout = '60s'")

    @classmethod
    def _create_invoices(cls, days_late):
        due_date = cls.today - timedelta(days=days_late)
        return cls.env["account.move"].create(
            [
                {
                    "move_type": "out_invoice",
                    "partner_id": partner.id,
                    "invoice_date": due_date - timedelta(days=30),
                    "invoice_date_due": due_date,
                    "invoice_line_ids": [
                        Command.create({"name": "Work", "price_unit": 100.0, "tax_ids": [Command.clear()]})
                    ],
                }
                for partner in cls.partners
            ]
        )

    def test_work_of_a_day(self):
        self._synchronize()
        self._process_queue()
        debtors = self.env["collection.debtor"].search([("partner_id", "in", self.partners.ids)])
        self.assertEqual(len(debtors), CUSTOMERS)
        campaign = self._start_campaign()
        self.assertEqual(len(campaign.case_ids), CUSTOMERS)
        self._log_call(debtors[0], "right_person")
        self._promise(debtors[1], amount=100.0, date=self.today + timedelta(days=5))
        self._synchronize()
        self.assertEqual(campaign._recap().case_count, CUSTOMERS)
        with freeze_time(f"{self._days(40)} 12:00:00"):
            self._synchronize()
            campaign.action_close()
            self.assertEqual(campaign._recap().case_count, CUSTOMERS)

    def test_figures(self):
        self._synchronize()
        metrics = self.env["collection.metrics"]
        days = (self.today - timedelta(days=60), self.today)
        self.assertEqual(len(metrics._get_figures_by_day(self.company, days)), 2)
        self.assertTrue(metrics._get_roll_rates(self.company, *days))
        self.assertTrue(self.env["collection.dashboard"].get_data())
        self.assertEqual(len(self.env["collection.item.report"].search([("days_late", ">", 0)])), CUSTOMERS)
        debtors = self.env["collection.debtor"].search([("partner_id", "in", self.partners.ids)])
        for debtor in debtors:
            self.env["collection.action"].sudo()._log(debtor, "letter")
        self.assertEqual(len(self.env["collection.action.report"].search([])), CUSTOMERS)

    def test_plans(self):
        self._synchronize()
        self._create_plan(((3, "email"), (8, "call")))
        self._run_cron()
        self.assertEqual(self.env["collection.action"].search_count([("state", "!=", "cancelled")]), CUSTOMERS)
