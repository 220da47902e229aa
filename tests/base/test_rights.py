from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from ..common import CollectionCommon


@tagged("post_install", "-at_install")
class TestRights(CollectionCommon):
    """Each role sees and changes what its work needs, in its own companies."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(amount=5000, days_late=40)
        cls.debtor = cls._get_debtor()

    def test_own_cases(self):
        campaign = self._start_campaign(member_ids=[Command.set(self.collector.ids)])
        case = campaign.case_ids
        self.assertTrue(case.with_user(self.collector).has_access("write"))
        self.assertFalse(case.with_user(self.other_collector).has_access("read"))
        self.assertTrue(case.with_user(self.team_user).has_access("write"))
        self.assertTrue(case.item_ids.with_user(self.collector).has_access("read"))
        self.assertFalse(case.item_ids.with_user(self.other_collector).has_access("read"))

    def test_own_debtors(self):
        self.assertTrue(self.debtor.with_user(self.collector).has_access("write"))
        self.debtor.collector_id = self.other_collector
        self.assertFalse(self.debtor.with_user(self.collector).has_access("read"))
        # A case makes the customer mine for as long as it is open.
        self.debtor.collector_id = False
        campaign = self._start_campaign(member_ids=[Command.set(self.collector.ids)])
        self.debtor.collector_id = self.other_collector
        self.assertTrue(self.debtor.with_user(self.collector).has_access("read"))
        campaign.action_close()
        self.assertFalse(self.debtor.with_user(self.collector).has_access("read"))

    def test_promises_disputes_and_actions_follow_the_debtor(self):
        self.debtor.collector_id = self.collector
        self._promise(self.debtor, amount=10)
        self._dispute(self.debtor, self._get_items(self.invoice), amount=10)
        for records in (self.debtor.promise_ids, self.debtor.dispute_ids, self.debtor.action_ids):
            with self.subTest(model=records._name):
                self.assertTrue(records.with_user(self.collector).has_access("read"))
                self.assertFalse(records.with_user(self.other_collector).has_access("read"))
                self.assertTrue(records.with_user(self.team_user).has_access("read"))

    def test_configuration_is_the_manager_s(self):
        for model in ("collection.criterion", "collection.criterion.band", "collection.reason"):
            with self.subTest(model=model):
                self.assertTrue(self.env[model].with_user(self.manager).has_access("create"))
                self.assertFalse(self.env[model].with_user(self.team_user).has_access("write"))
        self.assertFalse(self.env["collection.campaign"].with_user(self.collector).has_access("create"))
        self.assertTrue(self.env["collection.campaign"].with_user(self.team_user).has_access("create"))

    def test_facts_and_ledger_are_read_only(self):
        self.assertTrue(self.invoice.with_user(self.collector).has_access("read"))
        self.assertFalse(self.invoice.with_user(self.team_user).has_access("write"))
        campaign = self._start_campaign()
        self.assertFalse(campaign.case_ids.item_ids.with_user(self.manager).has_access("write"))

    def test_days_of_silence_stay_those_of_own_customers(self):
        """Nobody turns a holiday of a customer into one of everybody, or of a colleague's customer."""
        self.debtor.collector_id = self.collector
        self._create_invoice(self.other_customer)
        other = self._get_debtor(self.other_customer)
        other.collector_id = self.other_collector
        values = {"name": "Closed", "date_from": "2026-08-01", "date_to": "2026-08-20"}
        Period = self.env["collection.quiet.period"]
        period = Period.with_user(self.collector).create({**values, "debtor_id": self.debtor.id})
        for change in ({"debtor_id": False}, {"debtor_id": False, "company_id": False}, {"debtor_id": other.id}):
            with self.subTest(change=change), self.assertRaises(AccessError), self.env.cr.savepoint():
                period.write(change)
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            Period.with_user(self.collector).create({**values, "debtor_id": other.id})
        period.with_user(self.team_user).debtor_id = other
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            period.with_user(self.team_user).debtor_id = False
        period.with_user(self.manager).debtor_id = False
        self.assertFalse(period.debtor_id)

    def test_other_entries_stay_out_of_sight(self):
        bill = self.env["account.move"].create(
            {
                "move_type": "in_invoice",
                "partner_id": self.other_customer.id,
                "invoice_date": self.today,
                "invoice_line_ids": [Command.create({"name": "Rent", "price_unit": 10})],
            }
        )
        self.assertFalse(bill.with_user(self.collector).has_access("read"))
        self.assertFalse(bill.line_ids.with_user(self.collector)._filtered_access("read"))

    def test_companies_don_t_mix(self):
        company = self.setup_other_company(name="Moreau Belgique")["company"]
        invoice = self._create_invoice(amount=9, company=company)
        self._synchronize(company)
        debtor = self.env["collection.debtor"].sudo().search([("company_id", "=", company.id)])
        debtor = debtor.with_context(allowed_company_ids=self.company.ids)
        invoice = invoice.with_context(allowed_company_ids=self.company.ids)
        self.assertEqual(debtor.claimable_amount, 9)
        self.assertFalse(debtor.with_user(self.manager).has_access("read"))
        self.assertFalse(invoice.with_user(self.manager).has_access("read"))
        belgian = new_test_user(
            self.env,
            login="belgian",
            groups="base.group_user,account_collection.group_collection_manager",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        self.assertEqual(self.env["collection.debtor"].with_user(belgian).search([]), debtor)
        self.assertFalse(self.debtor.with_user(belgian).has_access("read"))

    def test_people_without_the_application_notice_nothing(self):
        """Accountants and other employees work on as before: no field, no error, no right."""
        accountant = new_test_user(self.env, login="accountant", groups="account.group_account_invoice")
        employee = new_test_user(self.env, login="employee", groups="base.group_user")
        move = self.invoice.with_user(accountant)
        self.assertNotIn("collection_score", move.fields_get())
        draft = move.copy({"invoice_date": self.today})
        draft.action_post()
        draft.button_draft()
        self.assertNotIn("collection_score", self.customer.with_user(employee).fields_get())
        self.customer.with_user(employee).read(["name", "commercial_partner_id"])
        with self.assertRaises(AccessError):
            self.env["collection.debtor"].with_user(employee).search([])
