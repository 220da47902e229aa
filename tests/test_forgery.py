from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from .common import CollectionCommon


@tagged("post_install", "-at_install")
class TestForgery(CollectionCommon):
    """Nothing that a form, an import or RPC sends can write facts: not even an administrator's."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(amount=100, days_late=20)
        cls.item = cls._get_items(cls.invoice)
        cls.campaign = cls._start_campaign(member_ids=[Command.set(cls.collector.ids)])
        cls.case = cls.campaign.case_ids
        cls.debtor = cls.case.debtor_id

    def _assert_each_refused(self, records, **values):
        for name, value in values.items():
            with self.subTest(model=records._name, field=name), self.assertRefused("by hand|as it was said|changed"):
                records.with_user(self.manager).write({name: value})

    def test_facts_of_debtors_and_cases(self):
        self._assert_each_refused(self.debtor, score=1, claimable_amount=1, partner_id=self.other_customer.id)
        self._assert_each_refused(
            self.case, collected_amount=1, initial_amount=1, result="paid", debtor_id=self.debtor.id, attempt_count=9
        )
        self._assert_each_refused(self.campaign, start_partial_id=1, started_on=self._days(-9), case_ids=[])
        with self.assertRaises(AccessError):
            self.env["collection.debtor"].with_user(self.manager).create(
                {"company_id": self.company.id, "partner_id": self.other_customer.id}
            )
        with self.assertRaises(AccessError):
            self.case.item_ids.with_user(self.manager).write({"collected_amount": 1})

    def test_promises(self):
        promise = self._promise(self.debtor, amount=60)
        self._assert_each_refused(
            promise, date=self._days(40), start_partial_id=1, cancel_reason="x", user_id=self.manager.id, line_ids=[]
        )
        self._assert_each_refused(promise.line_ids, amount=1, settled_amount=60)
        line = {"move_line_id": self.item.id, "amount": 10}
        with self.assertRefused("as it was said"):
            promise.line_ids.with_user(self.manager).create({**line, "promise_id": promise.id})
        values = {"debtor_id": self.debtor.id, "date": self._days(3), "currency_id": self.company.currency_id.id}
        Promise = self.env["collection.promise"].with_user(self.manager)
        with self.assertRefused("by hand"):
            Promise.create({**values, "line_ids": [Command.create({**line, "settled_amount": 10})]})
        with self.assertRefused("by hand"):
            Promise.create({**values, "start_partial_id": 5, "line_ids": [Command.create(line)]})
        with self.assertRefused("follows what happened"):
            Promise.create({**values, "state": "kept", "line_ids": [Command.create(line)]})
        self.assertEqual(Promise.create({**values, "line_ids": [Command.create(line)]}).state, "open")

    def test_disputes(self):
        dispute = self._dispute(self.debtor, self.item, amount=60)
        self._assert_each_refused(dispute, closed_date=self._days(-1), start_partial_id=1, line_ids=[])
        self._assert_each_refused(dispute.line_ids, amount=1, settled_amount=60)
        dispute.with_user(self.manager).date_deadline = self._days(30)

    def test_actions(self):
        action = self._log_call(self.debtor, "voicemail", case=self.case)
        self._assert_each_refused(action, date_done="2026-01-01 10:00:00", outcome="right_person", user_id=1)
        action.with_user(self.manager).note = "He called back"
        with self.assertRefused("follows what happened"):
            action.with_user(self.manager).create({"debtor_id": self.debtor.id, "state": "done"})

    def test_every_pair_of_states(self):
        """A state is reached through its facts, or not at all."""
        promise = self._promise(self.debtor, amount=60)
        dispute = self._dispute(self.debtor, self.item, amount=10)
        planned = self.env["collection.action"].create({"debtor_id": self.debtor.id})
        for record in (promise, dispute, planned, self.case, self.campaign):
            for state in record._fields["state"].get_values(self.env):
                if state != record.state:
                    with self.subTest(model=record._name, state=state), self.assertRefused("follows what happened"):
                        record.with_user(self.manager).state = state
