from odoo.fields import Command
from odoo.tests import HttpCase, tagged

from ..common import CollectionCommon


@tagged("post_install", "-at_install")
class TestTours(CollectionCommon, HttpCase):
    """The paths that a user takes, in a real browser."""

    freeze = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.contact = cls.env["res.partner"].create(
            {"name": "Marie Dupont", "parent_id": cls.customer.id, "type": "invoice", "email": "marie@petit.example"}
        )
        cls.invoice = cls._create_invoice(amount=5000, days_late=40)
        cls._create_invoice(cls.other_customer, amount=20, days_late=3)
        cls.debtor = cls._get_debtor()

    def test_campaign(self):
        campaign = self._create_campaign(name="Tour campaign", member_ids=[(6, 0, self.team_user.ids)])
        self.start_tour("/odoo/collection-campaigns", "account_collection_campaign", login="team_user")
        self.assertEqual(campaign.state, "running")
        case = campaign.case_ids.filtered(lambda case: case.partner_id == self.customer)
        self.assertRecordValues(case, [{"state": "promised", "attempt_count": 1, "is_reached": True}])
        self.assertRecordValues(case.promise_ids, [{"amount": 5000, "state": "open", "note": "Pays next week"}])
        other_case = campaign.case_ids - case
        self.assertEqual(other_case.state, "waiting")
        self.assertEqual(other_case.action_ids.filtered(lambda action: action.state == "done").channel, "email")

    def test_hand_over(self):
        partner = self.env["res.partner"].create({"name": "Phone House", "lang": "en_US"})
        self.env["collection.provider"].create({"partner_id": partner.id})
        campaign = self._start_campaign(name="Tour campaign")
        self.start_tour("/odoo/collection-campaigns", "account_collection_hand_over", login="team_user")
        self.assertEqual(self.env["collection.handover"].search([]).state, "returned")
        cases = campaign.case_ids.sorted(lambda case: case.partner_id == self.other_customer)
        self.assertRecordValues(
            cases, [{"state": "promised", "attempt_count": 1}, {"state": "to_contact", "attempt_count": 1}]
        )
        promise = cases[:1].promise_ids
        self.assertRecordValues(promise, [{"amount": 5000, "note": "Pays next week", "user_id": self.team_user.id}])
        self.assertEqual(promise.provider_id.name, "Phone House")

    def test_dispute_owner(self):
        dispute = self._dispute(self.debtor, self._get_items(self.invoice), amount=100)
        self._dispute(self.debtor, self._get_items(self.invoice), amount=5, owner_id=self.collector.id)
        self.start_tour("/odoo/collection-my-disputes", "account_collection_dispute_owner", login="solver")
        self.assertRecordValues(dispute, [{"state": "rejected", "resolution": "Delivery note sent again"}])

    def test_plan(self):
        template = self.env.ref("account_collection.mail_template_reminder")
        self.env["collection.plan"].search([("company_id", "=", self.company.id)]).active = False
        self.company.collection_bank_fresh_days = 0
        plan = self.env["collection.plan"].create(
            {
                "name": "Tour plan",
                "company_id": self.company.id,
                "step_ids": [
                    Command.create({"name": f"Step {delay}", "delay": delay, "template_id": template.id})
                    for delay in (3, 8, 30)
                ],
            }
        )
        self.start_tour("/odoo/collection-plans", "account_collection_plan", login="manager")
        self.assertRecordValues(plan, [{"is_running": True, "old_debts_per_day": 1}])

    def test_promise_in_two_clicks(self):
        campaign = self._start_campaign(member_ids=[(6, 0, self.collector.ids)])
        case = campaign.case_ids.filtered(lambda case: case.partner_id == self.customer)
        self.start_tour(f"/odoo/collection.case/{case.id}", "account_collection_promise", login="collector")
        self.assertRecordValues(case.promise_ids, [{"amount": 5000, "state": "open", "method": "transfer"}])

    def test_payment_plan(self):
        self.start_tour(
            f"/odoo/collection.debtor/{self.debtor.id}", "account_collection_payment_plan", login="collector"
        )
        self.assertRecordValues(
            self.debtor.promise_ids.sorted("date"),
            [{"amount": 1666.66}, {"amount": 1666.66}, {"amount": 1666.68}],
        )
        self.assertEqual(self.debtor.promise_ids.plan_id.state, "running")

    def test_dispute_solved_without_accounting_rights(self):
        """Accepted by its owner: accounting is asked for the credit note."""
        dispute = self._dispute(self.debtor, self._get_items(self.invoice), amount=100)
        self.start_tour(
            f"/odoo/collection-my-disputes/{dispute.id}", "account_collection_dispute_accepted", login="solver"
        )
        self.assertEqual((dispute.state, dispute.credit_asked_on), ("accepted", self.company._collection_today()))
        self.assertTrue(self.invoice.activity_ids)
