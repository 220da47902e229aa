from psycopg2 import IntegrityError

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.models import MAGIC_COLUMNS
from odoo.service.model import call_kw
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import CollectionCommon
from .fields_of_users import FIELDS_OF_USERS

ADDON = "account_collection"
REFUSALS = "by hand|follows what happened|Use the buttons|stays on file|as it was said|You are not allowed to"


@tagged("post_install", "-at_install")
class TestFacts(CollectionCommon):
    """What follows facts is said by nobody, and what is on file stays as it is: on all models, by whatever way."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(amount=100, days_late=20)
        cls.item = cls._get_items(cls.invoice)
        cls.campaign = cls._start_campaign(member_ids=[Command.set(cls.collector.ids)])
        cls.case = cls.campaign.case_ids
        cls.debtor = cls.case.debtor_id

    def _get_models(self):
        """Return our models with a table of their own, but for dialogues."""
        return [
            self.env[name]
            for name in sorted(self.env)
            if name.startswith("collection.")
            and self.env[name]._auto
            and not (self.env[name]._abstract or self.env[name]._transient)
        ]

    def _get_facts(self, model):
        return model._get_fields_without_defaults() if hasattr(model, "_get_fact_fields") else frozenset()

    def _rpc(self, model, method, *arguments, user=None, **context):
        return call_kw(self.env[model].with_user(user or self.manager), method, list(arguments), {"context": context})

    # === ALL FIELDS OF ALL MODELS === #

    def test_each_field_is_a_fact_or_said_by_users(self):
        """A new field is put into one of both classes, or this fails."""
        models = self._get_models()
        self.assertGreater(len(models), 25)
        self.assertFalse(FIELDS_OF_USERS.keys() - {model._name for model in models})
        for model in models:
            own = {
                name
                for name, field in model._fields.items()
                if field.store
                and ADDON in field._modules
                and not name.startswith(("message_", "activity_"))
                and name not in MAGIC_COLUMNS
            }
            said = FIELDS_OF_USERS.get(model._name, frozenset())
            facts = self._get_facts(model)
            with self.subTest(model=model._name):
                self.assertEqual(own - facts, said, "neither a fact nor said by users, or both")

    def test_no_fact_is_said(self):
        """Values are refused on create and write, to users with all our roles too; keys of the context say nothing."""
        tried = 0
        for model in self._get_models():
            for name in sorted(model._get_fact_fields()) if self._get_facts(model) else ():
                tried += 1
                for user in (self.team_user, self.manager):
                    with self.subTest(model=model._name, field=name, user=user.login):
                        if name == "state":
                            continue  # every pair of states: see TestForgery
                        with self.assertRaisesRegex(UserError, REFUSALS):
                            self._rpc(model._name, "create", [{name: 1}], user=user)
                        with self.assertRaisesRegex(UserError, REFUSALS):
                            self._rpc(model._name, "write", [], {name: 1}, user=user)
            for name in self._get_facts(model):
                with self.subTest(model=model._name, default=name):
                    plain = model.sudo().default_get([name])
                    key = {f"default_{name}": "forged"}
                    self.assertEqual(model.sudo().with_context(**key).default_get([name]), plain)
        self.assertGreater(tried, 200)

    def test_entries_of_imports(self):
        groups = "account_collection.group_collection_manager,account.group_account_manager"
        user = self._create_user("both", groups)
        with self.assertRefused("by hand"):
            self._rpc("account.move", "write", self.invoice.ids, {"collection_batch_id": 1}, user=user)

    # === WAYS TO SAY ONE === #

    def test_no_default_of_a_user_says_a_fact(self):
        self.env["ir.default"].set("collection.action", "amount", 77, user_id=self.collector.id)
        self.env["ir.default"].set("collection.action", "user_id", self.manager.id, user_id=self.collector.id)
        action = self._log_call(self.debtor, "voicemail", case=self.case)
        self.assertEqual(action.amount, self.debtor.claimable_amount)
        self.assertEqual(action.user_id, self.collector)

    def test_keys_of_the_context_forge_no_action(self):
        forged = {
            "default_state": "done",
            "default_date_done": "2020-01-01 10:00:00",
            "default_user_id": self.manager.id,
            "default_outcome": "right_person",
        }
        values = {"debtor_id": self.debtor.id}
        [planned] = self._rpc("collection.action", "create", [values], user=self.collector, **forged)
        action = self.env["collection.action"].browse(planned)
        self.assertRecordValues(action, [{"state": "planned", "date_done": False, "outcome": False}])
        wizard = self._rpc("collection.call.log", "create", [{**values, "next_step": "none"}], user=self.collector)
        self._rpc("collection.call.log", "action_confirm", wizard, user=self.collector, **forged)
        call = self.env["collection.action"].search([("debtor_id", "=", self.debtor.id)], order="id desc", limit=1)
        self.assertEqual((call.state, call.user_id), ("done", self.collector))
        self.assertNotEqual(call.date_done.year, 2020)

    def test_keys_of_the_context_make_no_campaign_nor_plan(self):
        context = {"default_state": "closed", "default_started_on": "2020-01-01", "default_final_figures": {"x": 1}}
        [campaign] = self._rpc("collection.campaign", "create", [{"name": "x"}], user=self.team_user, **context)
        self.assertRecordValues(
            self.env["collection.campaign"].browse(campaign),
            [{"state": "draft", "started_on": False, "final_figures": False}],
        )
        values = {"name": "x", "step_ids": [Command.create({"name": "s", "delay": 1, "channel": "task"})]}
        started = {"default_is_running": True, "default_started_on": "2020-01-01"}
        [plan] = self._rpc("collection.plan", "create", [values], **started)
        self.assertRecordValues(self.env["collection.plan"].browse(plan), [{"is_running": False, "started_on": False}])
        with self.assertRefused("Use the buttons"):
            self._rpc("collection.plan", "create", [{**values, "is_running": True}])

    def test_a_key_of_the_context_adds_no_line(self):
        promise = self._promise(self.debtor, amount=60)
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            self._rpc(
                "collection.promise.line",
                "create",
                [{"move_line_id": self.item.id, "amount": 10}],
                default_promise_id=promise.id,
            )
        self.assertEqual(len(promise.line_ids), 1)

    def test_a_task_is_done_once(self):
        values = {"debtor_id": self.debtor.id, "channel": "task", "summary": "Send the contract"}
        [task] = self._rpc("collection.action", "create", [{**values, "user_id": self.manager.id}], user=self.collector)
        actions = self.env["collection.action"].search_count([])
        for _click in range(2):
            self._rpc("collection.action", "action_mark_done", [task], user=self.collector)
        self.assertEqual(self.env["collection.action"].search_count([]), actions)
        task = self.env["collection.action"].browse(task)
        self.assertRecordValues(task, [{"state": "done", "user_id": self.collector.id, "summary": "Send the contract"}])

    # === ON FILE === #

    def _assert_frozen(self, record, user, **values):
        for name, value in values.items():
            with self.subTest(model=record._name, field=name), self.assertRefused("any more|is over|as it was"):
                self._rpc(record._name, "write", record.ids, {name: value}, user=user)

    def test_closed_campaigns_and_their_cases(self):
        campaign = self.campaign.with_user(self.team_user)
        with self.assertRefused("any more"):
            campaign.debtor_ids = [Command.clear()]
        campaign.date_end = self._days(90)  # one that runs is extended
        campaign.action_close()
        self._assert_frozen(
            self.campaign,
            self.team_user,
            name="Another",
            date_start="2020-01-01",
            goal_amount=1,
            user_id=self.manager.id,
            company_id=self.company.id,
            note="x",
        )
        self._assert_frozen(self.case, self.manager, collector_id=self.manager.id, reason_id=False)
        self.campaign.with_user(self.team_user).message_post()

    def test_judged_promises(self):
        promise = self._promise(self.debtor, amount=60)
        promise.with_user(self.collector).method = "cheque"  # as long as it is open
        promise.with_user(self.collector).action_cancel()
        self._assert_frozen(promise, self.manager, method="card", contact_id=False, remind_before=True)
        promise.with_user(self.collector).note = "A mistake"

    def test_closed_disputes(self):
        dispute = self._dispute(self.debtor, self.item, amount=60)
        dispute.with_user(self.collector).write({"resolution": "Delivered"})
        dispute.with_user(self.collector).action_reject()
        self._assert_frozen(
            dispute,
            self.manager,
            resolution="x",
            description="x",
            reason_id=self.env.ref("account_collection.collection_reason_price").id,
            owner_id=self.manager.id,
            date_deadline=self._days(5),
        )

    def test_cancelled_actions_stay(self):
        action = self.env["collection.action"].with_user(self.collector).create({"debtor_id": self.debtor.id})
        action.action_cancel()
        with self.assertRefused("stays on file"):
            action.unlink()
        self._assert_frozen(action, self.manager, summary="x", date_planned="2030-01-01")
        action.note = "Not needed"
