from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import tagged
from odoo.tools import SQL

from ..common import CollectionCommon


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

    def test_derived_fields(self):
        """Sums and dates that Odoo works out can't be written either: not one of them, on any model with a state."""
        guarded = {"collection.promise", "collection.dispute", "collection.action", "collection.case"}
        seen = set()
        for record in self._get_documents():
            if record._name not in guarded:
                continue
            seen.add(record._name)
            for name in record._get_derived_fields():
                value = self._get_other_value(record, name)
                with self.subTest(model=record._name, field=name), self.assertRefused("by hand"):
                    record.with_user(self.manager).write({name: value})
        self.assertEqual(seen, guarded)

    def _get_other_value(self, record, name):
        field = record._fields[name]
        if field.type in ("date", "datetime"):
            return "2030-01-01"
        return {"char": "x", "text": "x", "boolean": not record[name], "selection": record[name]}.get(field.type, 1)

    def test_actions(self):
        action = self._log_call(self.debtor, "voicemail", case=self.case)
        self._assert_each_refused(action, date_done="2026-01-01 10:00:00", outcome="right_person", user_id=1)
        action.with_user(self.manager).note = "He called back"
        with self.assertRefused("follows what happened"):
            action.with_user(self.manager).create({"debtor_id": self.debtor.id, "state": "done"})

    # === EVERY PAIR OF STATES === #

    def _get_documents(self):
        """Return a promise, a dispute, a planned action, the case and its campaign."""
        promise = self._promise(self.debtor, amount=60)
        dispute = self._dispute(self.debtor, self.item, amount=10)
        planned = self.env["collection.action"].create({"debtor_id": self.debtor.id})
        return promise, dispute, planned, self.case, self.campaign

    def _put(self, record, state):
        """Bring a record into a state behind everybody's back, as if the facts had."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL("UPDATE %s SET state = %s WHERE id = %s", SQL.identifier(record._table), state, record.id)
        )
        record.invalidate_recordset(["state"])

    def _get_pairs(self, record):
        states = record._fields["state"].get_values(self.env)
        return [(before, after) for before in states for after in states if before != after]

    def _get_people(self):
        """Whoever may write at all: a collector, the manager, and an administrator with every role."""
        admin = self._create_user("all_roles", "base.group_system,account_collection.group_collection_manager")
        return self.collector, self.team_user, self.manager, admin

    def _assert_state_stays(self, record, before, what, *arguments):
        """Check that what somebody sends is refused, and that the state is what it was."""
        with self.assertRaises(UserError), self.env.cr.savepoint():
            what(*arguments)
        record.invalidate_recordset(["state"])
        self.assertEqual(record.state, before)

    def test_every_pair_of_states(self):
        """A state is reached through its facts, or not at all: by a form, RPC or an import, whoever tries."""
        people = self._get_people()
        for record in self._get_documents():
            for before, after in self._get_pairs(record):
                self._put(record, before)
                for user in people:
                    own = record.with_user(user)
                    with self.subTest(model=record._name, before=before, after=after, user=user.login):
                        self._assert_state_stays(record, before, own.write, {"state": after})
                        self._assert_state_stays(record, before, own.web_save, {"state": after}, {"state": {}})
                        self._assert_state_stays(
                            record, before, call_kw, own.browse(), "write", [record.ids, {"state": after}], {}
                        )

    def test_every_pair_of_states_by_a_forged_context(self):
        """The key of the guard is an object that nobody can send."""
        for record in self._get_documents():
            for before, after in self._get_pairs(record):
                self._put(record, before)
                for key in (True, "object", {}, 1):
                    arguments = [record.ids, {"state": after}]
                    context = {"collection_state_guard": key, "install_mode": True, "tracking_disable": True}
                    with self.subTest(model=record._name, before=before, after=after, key=key):
                        self._assert_state_stays(
                            record,
                            before,
                            call_kw,
                            record.with_user(self.manager).browse(),
                            "write",
                            arguments,
                            {"context": context},
                        )

    def test_every_pair_of_states_by_an_import(self):
        for record in self._get_documents():
            model = record.with_user(self.manager).browse()
            for before, after in self._get_pairs(record):
                self._put(record, before)
                with self.subTest(model=record._name, before=before, after=after):
                    result = model.load([".id", "state"], [[str(record.id), after]])
                    self.assertFalse(result["ids"])
                    self.assertTrue(result["messages"])
                    record.invalidate_recordset(["state"])
                    self.assertEqual(record.state, before)

    def test_nothing_is_made_in_a_later_state(self):
        line = [Command.create({"move_line_id": self.item.id, "amount": 10})]
        common = {"debtor_id": self.debtor.id, "currency_id": self.company.currency_id.id, "line_ids": line}
        values = {
            "collection.promise": {**common, "date": self._days(3)},
            "collection.dispute": {
                **common,
                "date_deadline": self._days(3),
                "owner_id": self.solver.id,
                "reason_id": self.env.ref("account_collection.collection_reason_price").id,
            },
            "collection.action": {"debtor_id": self.debtor.id},
        }
        people = self._get_people()[:3]
        for model, vals in values.items():
            for state in self.env[model]._fields["state"].get_values(self.env):
                if state == self.env[model]._state_initial:
                    continue
                for user in people:
                    with self.subTest(model=model, state=state), self.assertRefused("follows what happened"):
                        call_kw(self.env[model].with_user(user), "create", [[{**vals, "state": state}]], {})
            self.assertTrue(call_kw(self.env[model].with_user(self.manager), "create", [[vals]], {}))

    def test_only_transitions_that_exist(self):
        """The setter itself refuses what the facts don't lead to, and writes down when the state changed."""
        for record in self._get_documents():
            for before, after in self._get_pairs(record):
                self._put(record, before)
                exists = after in record._state_transitions.get(before, ())
                with self.subTest(model=record._name, before=before, after=after):
                    try:
                        with self.env.cr.savepoint():
                            record.sudo()._set_state(after)
                            self.assertEqual(record.state_date, fields.Datetime.now())
                        self.assertTrue(exists)
                    except UserError as error:
                        self.assertFalse(exists, error)

    def test_state_changes_leave_a_trace(self):
        promise, dispute = self._get_documents()[:2]
        self.env.flush_all()
        self.env.cr.precommit.run()
        promise.with_env(self.env(user=self.collector.id, context={})).action_cancel()
        dispute.resolution = "Delivered"
        dispute.with_env(self.env(context={})).action_reject()
        self.env.flush_all()
        self.env.cr.precommit.run()  # where Odoo writes what it tracked
        self.env.invalidate_all()
        for record in (promise, dispute):
            values = record.message_ids.sudo().tracking_value_ids.filtered(lambda value: value.field_id.name == "state")
            self.assertEqual(len(values), 1, record)
