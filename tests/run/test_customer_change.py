from datetime import timedelta

from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from ..plan_common import PlanCommon


@tagged("post_install", "-at_install")
class TestCustomerChange(PlanCommon):
    """What people decided about a customer follows it when a contact joins or leaves a company, or customers merge."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.person = cls.env["res.partner"].create(
            {
                "name": "Marie Curier",
                "email": "marie@curier.example",
                "lang": "en_US",
                "property_payment_term_id": False,
            }
        )
        cls.invoice = cls._create_invoice(cls.person, amount=1000, days_late=4)
        cls.file = cls._get_debtor(cls.person)
        cls.employer = cls._create_customer("Curier SARL")

    def _join(self):
        self.person.parent_id = self.employer
        return self._get_file(self.employer)

    def _get_file(self, partner):
        self.env.flush_all()
        self._process_queue()
        return self.env["collection.debtor"].search([("partner_id", "=", partner.id)])

    def _merge(self, merged, kept):
        self.env["base.partner.merge.automatic.wizard"].create({})._merge((merged + kept).ids, kept)
        self.env.invalidate_all()
        return self._get_file(kept)

    def test_insolvency_follows_into_the_company(self):
        self.file.write({"insolvency": True, "paused_until": self._days(30), "pause_reason": "Lawyer"})
        self.assertEqual(self._decide(self.file).reason, "insolvency")
        target = self._join()
        self.assertRecordValues(
            target,
            [
                {
                    "due_amount": 1000,
                    "insolvency": True,
                    "paused_until": self.today + timedelta(days=30),
                    "pause_reason": "Lawyer",
                }
            ],
        )
        self.assertEqual(self._decide(target).reason, "insolvency")
        self.assertRecordValues(self.file, [{"due_amount": 0, "insolvency": True}])
        self.assertIn("Marie Curier", target.message_ids[0].body + target.message_ids[1].body)

    def test_what_stands_on_the_file_that_goes_on_wins(self):
        self._create_invoice(self.employer, amount=20, days_late=1)
        target = self._get_debtor(self.employer)
        target.write(
            {
                "collector_id": self.other_collector.id,
                "comment": "Calls back",
                "paused_until": self._days(9),
                "pause_reason": "Fair",
                "closed_weekday": "2",
            }
        )
        self.file.write(
            {
                "collector_id": self.collector.id,
                "comment": "Rings twice",
                "paused_until": self._days(5),
                "pause_reason": "Move",
                "payment_days": "10",
                "closed_weekday": "4",
                "plan_id": self.plan.id,
                "payer_profile_manual": "bad",
            }
        )
        self.assertEqual(self._join(), target)
        self.assertRecordValues(
            target,
            [
                {
                    "due_amount": 1020,
                    "insolvency": False,
                    "collector_id": self.other_collector.id,
                    "comment": "Calls back\nRings twice",
                    "paused_until": self.today + timedelta(days=9),
                    "pause_reason": "Fair",
                    "payment_days": "10",
                    "closed_weekday": "2",
                    "plan_id": self.plan.id,
                    "payer_profile": "bad",
                }
            ],
        )

    def test_level_and_contacts_follow_the_items(self):
        """The next step comes at the same day as before; what was said stays on the person's file."""
        self._run_cron()
        action = self._actions(self.file, state="done")
        self.assertEqual(action.step_id, self._step(3))
        before = self._decide(self.file)
        target = self._join()
        decision = self._decide(target)
        self.assertEqual((decision.reason, decision.step, decision.day), (before.reason, before.step, before.day))
        self.assertEqual((action.debtor_id, action.partner_id), (self.file, self.person))
        # Another debt of the company, due for its own first step, waits for the gap after that contact.
        self._create_invoice(self.employer, amount=50, days_late=4)
        decision = self._decide(self._get_debtor(self.employer))
        self.assertEqual((decision.reason, decision.step), ("gap", self._step(3)))
        with freeze_time(self.today + timedelta(days=4, hours=12)):
            self._synchronize()
            self.assertEqual(self._decide(target).step, self._step(8))

    def test_items_that_leave_again_keep_level_and_decisions(self):
        """A company that is followed up with its parent for a while: items are its own all the time."""
        branch = self._create_customer("Filiale", parent_id=self.employer.id)
        self._create_invoice(branch, amount=300, days_late=4)
        own = self._get_debtor(branch)
        self._run_cron()
        before = self._decide(own)
        branch.is_company = False
        target = self._get_file(self.employer)
        self.assertEqual((own.due_amount, target.due_amount), (0, 300))
        decision = self._decide(target)
        self.assertEqual((decision.reason, decision.step, decision.day), (before.reason, before.step, before.day))
        promise = self._promise(target, amount=100)
        target.comment = "Said by the parent"
        branch.is_company = True
        self._get_file(branch)
        self.assertEqual((own.due_amount, target.due_amount), (300, 0))
        self.assertEqual((own.comment, promise.debtor_id, own.promised_amount), ("Said by the parent", own, 100))

    def test_contact_who_left_is_not_asked_any_more(self):
        clerk = self._create_customer("Clerk", is_company=False, parent_id=self.employer.id)
        self._create_invoice(self.employer)
        debtor = self._get_debtor(self.employer)
        debtor.contact_id = debtor.legal_contact_id = clerk
        clerk.parent_id = self.other_customer
        self.assertFalse(debtor.contact_id | debtor.legal_contact_id)
        self.assertNotEqual(debtor.email, clerk.email)

    def test_contact_who_leaves_without_debts_takes_nothing_along(self):
        self._create_invoice(self.employer)
        target = self._get_debtor(self.employer)
        target.insolvency = True
        clerk = self._create_customer("Clerk", is_company=False, parent_id=self.employer.id)
        clerk.parent_id = False
        self.assertFalse(self._get_file(clerk).insolvency)
        self.assertTrue(target.insolvency)

    def test_items_follow_from_one_company_to_another(self):
        branch = self._create_customer("Filiale", parent_id=self.employer.id)
        self._create_invoice(branch, amount=300, days_late=4)
        branch.is_company = False
        first = self._get_file(self.employer)
        first.insolvency = True
        other = self._create_customer("Autre SARL")
        branch.parent_id = other
        self.assertRecordValues(self._get_file(other), [{"due_amount": 300, "insolvency": True}])
        self.assertEqual(first.due_amount, 0)

    def test_what_is_open_follows_the_items(self):
        campaign = self._start_campaign(member_ids=[Command.set(self.collector.ids)])
        case = campaign.case_ids
        promise = self._promise(self.file, amount=100, case=case)
        dispute = self._dispute(self.file, self._get_items(self.invoice), amount=200, case=case)
        call = self.env["collection.action"]._plan_call(self.file, self.today + timedelta(days=2), "Ask", case=case)
        target = self._join()
        for record in (case, promise, dispute, call):
            self.assertEqual((record.debtor_id, record.partner_id), (target, self.employer), record)
        self.assertEqual(call.state, "planned")
        self.assertRecordValues(
            target, [{"due_amount": 1000, "promised_amount": 100, "disputed_amount": 200, "claimable_amount": 700}]
        )
        self.assertEqual(sum(case.item_ids.mapped("residual")), target.due_amount)
        self.assertEqual(case.claimable_amount, 700)
        self._pay(self.invoice)
        self._process_queue()
        self.assertEqual((promise.state, case.state, case.collected_amount), ("kept", "closed", 1000))

    def test_two_cases_of_one_campaign_become_one(self):
        self._create_invoice(self.employer, amount=50, days_late=4)
        self._get_debtor(self.employer)
        campaign = self._start_campaign(member_ids=[Command.set(self.collector.ids)])
        self.assertEqual(len(campaign.case_ids), 2)
        target = self._join()
        self.assertRecordValues(
            campaign.case_ids, [{"debtor_id": target.id, "initial_amount": 1050, "residual_amount": 1050}]
        )

    def test_merged_customer_stays_silent(self):
        self._create_invoice(self.other_customer, amount=500)
        target = self._get_debtor(self.other_customer)
        self.file.write(
            {
                "insolvency": True,
                "paused_until": self._days(30),
                "pause_reason": "Lawyer",
                "comment": "Administrator: Mr. Legrand",
                "payment_habit": "Cheques on Fridays",
            }
        )
        self.person.is_company = True
        self.assertEqual(self._merge(self.person, self.other_customer), target)
        self.assertRecordValues(
            target,
            [
                {
                    "due_amount": 1500,
                    "insolvency": True,
                    "paused_until": self.today + timedelta(days=30),
                    "comment": "Administrator: Mr. Legrand",
                    "payment_habit": "Cheques on Fridays",
                }
            ],
        )

    def test_merged_customer_is_refreshed(self):
        """Journal items change their customer by SQL: the facts follow without a full refresh."""
        self.company.collection_refresh_date = self.today
        self._create_invoice(self.other_customer, amount=500)
        self._get_debtor(self.other_customer)
        self.person.is_company = True
        kept = self._merge(self.person, self.other_customer)
        self.assertEqual(kept.due_amount, 1500)

    def test_statements_of_both_stay_on_file(self):
        self._create_invoice(self.other_customer, amount=500)
        target = self._get_debtor(self.other_customer)
        month = self.today.replace(day=1)
        Statement = self.env["collection.statement"].sudo()
        for debtor in (self.file, target):
            Statement.create({"debtor_id": debtor.id, "kind": "open", "period": month})
        self.person.is_company = True
        self._merge(self.person, self.other_customer)
        self.assertEqual(len(target.statement_ids), 2)
