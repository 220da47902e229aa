"""Dialogues: whose they are, what they may speak of, and that looking at one changes nothing."""

import re
from contextlib import contextmanager
from unittest.mock import patch

from odoo.exceptions import AccessError, LockError, UserError
from odoo.fields import Command
from odoo.models import MAGIC_COLUMNS
from odoo.service.model import call_kw
from odoo.tests import Form, tagged
from odoo.tools import SQL

from ..common import CollectionCommon
from ..plan_common import PlanCommon
from .access_common import AccessCommon, AccessRecords
from .access_table import FOREIGN, NOBODYS, SUPPLIERS

MIXIN = "collection.dialogue.mixin"
OWN = "[('create_uid', '=', user.id)]"
# Dialogues of others in which we have fields, and why these need no guard of ours.
NOT_OURS = {"res.config.settings": "administrators of Odoo alone open it, and our fields are those of their company"}
# What everybody in Odoo reads: nothing to refuse in a dialogue.
OPEN_TO_ALL = {"res.partner", "res.users", "res.currency", "mail.template", "collection.reason", "collection.criterion"}


@tagged("post_install", "-at_install")
class TestEveryDialogue(AccessCommon):
    """No dialogue, old or new, without the guard on what it is given and the rule that it is its author's."""

    def _get_transients(self):
        """Return the models of dialogues that are ours, or hold fields of ours."""
        return {
            name
            for name, model in self.registry.items()
            if model._transient
            and not model._abstract
            and (
                model._original_module == "account_collection"
                or any(field._modules == ("account_collection",) for field in model._fields.values())
            )
        }

    def _get_unguarded(self, names):
        """Return what is missing of some models of dialogues: ``{model: words}``."""
        missing = {}
        for name in names:
            if not issubclass(self.registry[name], self.registry[MIXIN]):
                missing[name] = f"does not inherit {MIXIN}"
            elif not self.env["ir.rule"].search_count(
                [
                    ("model_id.model", "=", name),
                    ("domain_force", "=", OWN),
                    ("groups", "=", False),
                    *((f"perm_{operation}", "=", True) for operation in ("read", "write", "create", "unlink")),
                ]
            ):
                missing[name] = f"has no rule {OWN}"
        return missing

    def test_all_are_guarded(self):
        names = self._get_transients()
        self.assertGreater(len(names), 15)
        self.assertEqual(self._get_unguarded(names - NOT_OURS.keys()), {})
        self.assertLessEqual(NOT_OURS.keys(), names)

    def test_one_that_is_forgotten_is_noticed(self):
        self.assertIn("inherit", self._get_unguarded(["base.language.install"])["base.language.install"])
        self.env.ref("account_collection.collection_call_log_rule_own").active = False
        self.assertIn("rule", self._get_unguarded(["collection.call.log"])["collection.call.log"])

    def test_computed_with_own_rights(self):
        """What a dialogue stores is worked out with the rights of whoever opened it."""
        for name in self._get_transients() - NOT_OURS.keys():
            for field in self.env[name]._fields.values():
                if field.store and field.compute and not field.related:
                    with self.subTest(field=str(field)):
                        self.assertFalse(field.compute_sudo)


@tagged("post_install", "-at_install")
class TestTargets(AccessRecords):
    """Whatever a dialogue is given is looked at first: every relational field of every dialogue, found by itself."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = cls.manager

    def _get_refused(self, comodel):
        """Return a record of a model that the manager of another company may not read, ``None`` where all is open."""
        if comodel in OPEN_TO_ALL:
            return None
        if comodel == "res.company":
            return self.foreign_company
        records = self.records[comodel]
        if self.env[comodel]._transient:
            return records["collector"]
        return records.get(SUPPLIERS) or records[FOREIGN]

    def _get_cases(self):
        """Yield ``(model, field, value)`` for every field of a dialogue that points at something."""
        for model in self._get_models():
            Model = self.env[model].with_user(self.user)
            if not Model._transient or not Model.has_access("create"):
                continue
            for name, field in Model._fields.items():
                if not field.store or not field.relational or name in MAGIC_COLUMNS:
                    continue
                refused = self._get_refused(field.comodel_name)
                if refused is None:
                    continue
                values = [refused.id] if field.type == "many2one" else [Command.link(refused.id)]
                if field.type == "many2one":
                    # The record in memory that the web client sends as the parent of a line.
                    values.append({"id": refused.id})
                elif field.type == "many2many":
                    values += [Command.set(refused.ids)]
                for value in values:
                    yield Model, name, [value] if isinstance(value, tuple) else value

    def _call(self, records, method, *args, **context):
        context = {"allowed_company_ids": self.company.ids, **context}
        return call_kw(records.env[records._name], method, [*args], {"context": context})

    def _assert_refused(self, what, *args, **kwargs):
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            what(*args, **kwargs)

    def test_every_field(self):
        seen = set()
        for Model, name, value in self._get_cases():
            seen.add(Model._name)
            spec = {field: {} for field in Model._fields}
            with self.subTest(model=Model._name, field=name, value=value):
                mine = self.records[Model._name]["manager"]
                if not isinstance(value, dict):
                    self._assert_refused(self._call, Model, "create", [{name: value}])
                    self._assert_refused(self._call, Model, "web_save", [], {name: value}, {"id": {}})
                    self._assert_refused(self._call, Model, "write", mine.ids, {name: value})
                self._assert_refused(self._call, Model, "onchange", [], {name: value}, [name], spec)
                self._assert_refused(self._call, Model, "onchange", mine.ids, {name: value}, [name], spec)
            self.env.invalidate_all()
        self.assertGreater(len(seen), 12)

    def test_every_default(self):
        for Model, name, value in self._get_cases():
            if isinstance(value, dict):
                continue
            with self.subTest(model=Model._name, field=name):
                default = {f"default_{name}": value}
                self._assert_refused(self._call, Model, "create", [{}], **default)
                self._assert_refused(self._call, Model, "default_get", [name], **default)
                self._assert_refused(self._call, Model, "onchange", [], {}, [], {name: {}}, **default)
            self.env.invalidate_all()

    def test_lines_within(self):
        """What lies in a line is looked at along with its dialogue."""
        item = self.records["account.move.line"][SUPPLIERS]
        line = {"move_line_id": item.id, "is_disputed": True}
        for commands in ([Command.create(line)], [[Command.CREATE, "virtual_1", line]], [[Command.UPDATE, 0, line]]):
            values = {"line_ids": commands}
            spec = {"line_ids": {"fields": {"residual": {}}}, "amount": {}}
            Model = self.env["collection.dispute.open"].with_user(self.user)
            with self.subTest(commands=commands):
                self._assert_refused(self._call, Model, "onchange", [], values, ["line_ids"], spec)

    def test_what_is_lost_is_not_shown(self):
        """A dialogue of before says nothing of a customer who is a colleague's by now."""
        debtor = self.records["collection.debtor"][NOBODYS]
        Call = self.env["collection.call.log"].with_user(self.collector)
        call = Call.create({"debtor_id": debtor.id})
        self.assertTrue(call.read(["claimable_amount"]))
        debtor.collector_id = self.other_collector
        self.env.invalidate_all()
        self._assert_refused(self._call, Call, "read", call.ids, ["claimable_amount"])
        self._assert_refused(self._call, Call, "web_read", call.ids, {"phone": {}})
        self._assert_refused(self._call, Call, "onchange", call.ids, {"note": "x"}, ["note"], {"phone": {}})
        self._assert_refused(self._call, Call, "copy", call.ids)
        self._assert_refused(self._call, Call, "copy_data", call.ids)
        for domain in ([], [["claimable_amount", ">", 0]], [["partner_id.name", "!=", False]]):
            self.assertFalse(self._call(Call, "search", [["id", "in", call.ids], *domain]))
        self.assertFalse(
            self._call(Call, "formatted_read_group", [["id", "in", call.ids]], ["partner_id"], ["__count"])
        )
        self.assertFalse(self._call(Call, "name_search", "", [["id", "in", call.ids]]))


@tagged("post_install", "-at_install")
class TestOfOthers(CollectionCommon):
    """What is owed by a colleague's customer is shown by no dialogue: seen as a collector works."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_invoice(amount=321, days_late=40)
        cls.debtor = cls._get_debtor()
        cls.debtor.collector_id = cls.other_collector
        cls.dialogues = (
            "collection.call.log",
            "collection.promise.record",
            "collection.dispute.open",
            "collection.reminder.send",
            "collection.pause.set",
            "collection.debtor.why",
        )

    def test_a_colleague_s_customer(self):
        for model in self.dialogues:
            for change in ({}, {"debtor_id": self.debtor.id}):
                Dialogue = self.env[model].with_user(self.collector)
                if not change:
                    Dialogue = Dialogue.with_context(default_debtor_id=self.debtor.id)
                with self.subTest(model=model, change=change):
                    with self.assertRaises(AccessError), self.env.cr.savepoint():
                        Dialogue.create(dict(change))
                    with self.assertRaises(AccessError), self.env.cr.savepoint():
                        Dialogue.onchange(dict(change), list(change), {name: {} for name in Dialogue._fields})
        Call = self.env["collection.call.log"].with_user(self.other_collector)
        self.assertTrue(Form(Call.with_context(default_debtor_id=self.debtor.id)).save())

    def test_defaults_stay_in_the_dialogue(self):
        """What a dialogue is opened with is no default of what it records, not even where it works as the system."""
        self.debtor.collector_id = self.collector
        forged = {
            "default_state": "cancelled",
            "default_date_done": "2020-01-01 10:00:00",
            "default_overruled_text": "x",
            "default_is_escalated": True,
        }
        Call = self.env["collection.call.log"].with_user(self.collector)
        call = Call.create({"debtor_id": self.debtor.id})
        call.with_context(**forged).action_confirm()
        action = self.debtor.action_ids.filtered(lambda action: action.state == "done")
        self.assertEqual(action.date_done.date(), self.today)
        self.assertFalse(action.overruled_text)


@tagged("post_install", "-at_install")
class TestLooking(PlanCommon):
    """Opening a dialogue, and changing one's mind in it, writes nothing: nobody waits for somebody who looks."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(amount=500, days_late=40)
        cls._create_invoice(cls.other_customer, amount=80, days_late=9)
        cls._synchronize()
        cls.campaign = cls._start_campaign()
        cls.debtor = cls._get_debtor()
        cls.case = cls.campaign.case_ids.filtered(lambda case: case.debtor_id == cls.debtor)
        cls.env["collection.provider"].create(
            {"partner_id": cls.env["res.partner"].create({"name": "Phone House", "is_company": True}).id}
        )
        cls.env["account.move"].search([]).access_token = False
        cls.env.flush_all()

    @contextmanager
    def _written(self):
        """Collect the tables that are written or locked, but for those of dialogues themselves."""
        # ``FOR UPDATE SKIP LOCKED`` names no table after UPDATE.
        own = {"SKIP", "NOWAIT"}
        for model in self.registry.values():
            if model._transient:
                own.add(model._table)
                own |= {field.relation for field in model._fields.values() if field.type == "many2many" and field.store}
        found, written = [], []
        execute = type(self.env.cr).execute

        def spy(cursor, query, *args, **kwargs):
            text = query.code if isinstance(query, SQL) else str(query)
            found.extend(re.findall(r'\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)', text))
            if re.search(r"\bFOR (?:NO KEY )?UPDATE\b", text):
                found.append(f"lock: {text[:80]}")
            return execute(cursor, query, *args, **kwargs)

        with patch.object(type(self.env.cr), "execute", spy):
            yield written
            self.env.flush_all()
        written += [table for table in found if table not in own]

    def _look(self, action, user):
        """Open what a button opens, as the web client does; save it as it does before any other button."""
        Dialogue = self.env[action["res_model"]].with_user(user).with_context(**(action.get("context") or {}))
        if action.get("res_id"):
            return Form(Dialogue.browse(action["res_id"]))
        return Form(Dialogue)

    def _get_openers(self):
        """Return by which buttons dialogues are opened, and by whom."""
        debtor, case = self.debtor.with_user(self.collector), self.case.with_user(self.team_user)
        plan = self.plan.copy({"name": "Another"})
        self.env.flush_all()
        return [
            (debtor.action_log_call, self.collector),
            (debtor.action_record_promise, self.collector),
            (debtor.action_open_dispute, self.collector),
            (debtor.action_send_reminder, self.collector),
            (debtor.action_pause, self.collector),
            (debtor.action_why, self.collector),
            (debtor.action_preview_step, self.collector),
            (debtor.action_simulate, self.collector),
            (debtor.action_print_statement, self.collector),
            (case.action_log_call, self.team_user),
            (case.action_hand_over, self.team_user),
            (plan.with_user(self.manager).action_start, self.manager),
        ]

    def test_nothing_is_written(self):
        for opener, user in self._get_openers():
            with self.subTest(opener=opener.__name__):
                with self._written() as written:
                    form = self._look(opener(), user)
                self.assertEqual(written, [])
                del form

    def test_a_reminder_is_completed_when_it_goes(self):
        """What was shown leads to pages that need no login only once it is sent."""
        Reminder = self.env["collection.reminder.send"].with_user(self.collector)
        form = Form(Reminder.with_context(default_debtor_id=self.debtor.id))
        page = f"/my/invoices/{self.invoice.id}"
        self.assertIn(f'{page}"', form.body)
        self.assertFalse(self.invoice.access_token)
        form.save().action_send()
        self.invoice.invalidate_recordset(["access_token"])
        body = self.debtor.action_ids.mail_message_id.body
        self.assertIn(f"{page}?access_token={self.invoice.access_token}", body)
        self.assertNotIn(f'{page}"', body)

    def test_links_to_others_stay_closed(self):
        """Nobody gets a page of another customer by writing its number into a reminder."""
        other = self.env["account.move"].search([("partner_id", "=", self.other_customer.id)], limit=1)
        link = f'<a href="{other.get_base_url()}/my/invoices/{other.id}">x</a>'
        body = self.env["account.move"]._complete_collection_links(link, self.company, self.customer)
        self.assertEqual(body, link)
        self.assertFalse(other.access_token)

    def test_somebody_else_is_at_work(self):
        """A locked customer is said in words, and nothing goes out."""
        Reminder = self.env["collection.reminder.send"].with_user(self.collector)
        reminder = Reminder.create({"debtor_id": self.debtor.id})
        refusal = LockError("Cannot grab a lock on records")
        with (
            patch.object(self.registry["collection.debtor"], "lock_for_update", side_effect=refusal),
            self.assertRaisesRegex(UserError, "at work on Boulangerie Petit"),
        ):
            reminder.action_send()
