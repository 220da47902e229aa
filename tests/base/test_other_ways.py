"""What is refused by one way is refused by the others: by e-mails, files, the channel of a step, or colleagues."""

import base64

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged

from ..common import CollectionCommon
from ..plan_common import PlanCommon


class OtherWaysCommon(CollectionCommon):
    def _rpc(self, user, model, method, *args, **kwargs):
        """Do what a session does."""
        context = {"allowed_company_ids": user.company_ids.ids}
        env = self.env(user=user, su=False, context=context)
        result = call_kw(env[model], method, list(args), {**kwargs, "context": context})
        env.flush_all()
        self.env.invalidate_all()
        return result

    def _assert_refused(self, *args, error=UserError, **kwargs):
        with self.assertRaises(error), self.env.cr.savepoint():
            self._rpc(*args, **kwargs)


@tagged("post_install", "-at_install")
class TestByEmail(OtherWaysCommon):
    """``message_process`` answers to every session, and Odoo makes records by it as the system."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(amount=100, days_late=20)
        cls._synchronize()
        cls.debtor = cls._get_debtor()
        cls.debtor.collector_id = cls.other_collector
        cls.employee = new_test_user(cls.env, login="employee", groups="base.group_user")

    def _get_email(self, number):
        return (
            f"From: somebody@customer.example\nTo: any@moreau.example\nSubject: Re\nMessage-Id: <{number}@x.example>\n"
            "Content-Type: text/plain\n\nForged"
        )

    def test_nobody_makes_records(self):
        line = {"move_line_id": self._get_items(self.invoice).id, "amount": 1}
        values = {
            "collection.promise": {
                "debtor_id": self.debtor.id,
                "currency_id": self.company.currency_id.id,
                "date": self._days(5),
                "acknowledged_on": self._days(-5),
                "user_id": self.other_collector.id,
                "line_ids": [Command.create(line)],
            },
            "collection.plan": {
                "name": "Forged",
                "is_running": True,
                "step_ids": [Command.create({"name": "s", "delay": 1, "channel": "task"})],
            },
            "collection.debtor": {"partner_id": self.other_customer.id, "company_id": self.company.id, "score": 99},
            "collection.provider": {"partner_id": self.other_customer.id},
        }
        for model, custom in values.items():
            for number, user in enumerate((self.employee, self.collector, self.manager)):
                count = self.env[model].search_count([])
                text = self._get_email(f"{model}{number}")
                with self.subTest(model=model, user=user.login):
                    self._assert_refused(
                        user, "mail.thread", "message_process", model, text, custom_values=custom, error=AccessError
                    )
                    self.assertEqual(self.env[model].search_count([]), count)

    def test_nobody_writes_on_what_they_may_not_read(self):
        count = len(self.debtor.message_ids)
        for number, user in enumerate((self.employee, self.collector)):
            text = self._get_email(number)
            self._assert_refused(
                user,
                "mail.thread",
                "message_process",
                "collection.debtor",
                text,
                thread_id=self.debtor.id,
                error=AccessError,
            )
        self.assertEqual(len(self.debtor.message_ids), count)
        text = self._get_email("own")
        self._rpc(
            self.other_collector, "mail.thread", "message_process", "collection.debtor", text, thread_id=self.debtor.id
        )
        self.assertEqual(len(self.debtor.message_ids), count + 1)
        self.assertFalse(self.debtor.reply_date, "no answer of the customer")


@tagged("post_install", "-at_install")
class TestSteps(PlanCommon, OtherWaysCommon):
    """What a plan asks for is done as the plan says, or cancelled: nothing counts as said that was not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        item = cls._get_items(cls._create_invoice(amount=100, days_late=20))
        cls._synchronize()
        cls.debtor = cls._get_debtor()
        step = cls._step(3)
        cls.action = (
            cls.env["collection.action"]
            .sudo()
            .create(
                {
                    "debtor_id": cls.debtor.id,
                    "channel": "email",
                    "plan_id": cls.plan.id,
                    "step_id": step.id,
                    "cycle": item.id,
                    "user_id": cls.collector.id,
                }
            )
        )

    def test_a_message_is_no_task(self):
        action, model = self.action, "collection.action"
        for user in (self.collector, self.manager):
            for channel in ("task", "note", "call"):
                self._assert_refused(user, model, "write", action.ids, {"channel": channel})
                self._assert_refused(user, model, "web_save", action.ids, {"channel": channel}, {"channel": {}})
        self._rpc(self.collector, model, "action_mark_done", action.ids)
        self.assertRecordValues(action, [{"state": "planned", "channel": "email"}])
        # The same again says nothing new; another day and another person may do it.
        values = {"channel": "email", "date_planned": self._days(3), "user_id": self.other_collector.id}
        self._rpc(self.collector, model, "write", action.ids, values)
        self.assertEqual(action.user_id, self.other_collector)

    def test_a_task_of_ones_own_becomes_a_call(self):
        [own] = self._rpc(
            self.collector, "collection.action", "create", [{"debtor_id": self.debtor.id, "channel": "task"}]
        )
        self._rpc(self.collector, "collection.action", "write", [own], {"channel": "call"})
        self._rpc(self.collector, "collection.action", "unlink", [own])

    def test_a_step_is_cancelled_and_stays(self):
        self._assert_refused(self.collector, "collection.action", "unlink", self.action.ids)
        self._rpc(self.collector, "collection.action", "action_cancel", self.action.ids)
        self.assertRecordValues(self.action, [{"state": "cancelled", "cancel_code": "by_hand"}])


@tagged("post_install", "-at_install")
class TestColleagues(OtherWaysCommon):
    """Whoever is put in charge works here, and may enter the company."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.foreign_company = cls.setup_other_company(name="Moreau Belgique")["company"]
        cls.item = cls._get_items(cls._create_invoice(amount=100, days_late=20))
        cls.campaign = cls._start_campaign()
        cls.case = cls.campaign.case_ids
        cls.debtor = cls.case.debtor_id
        cls.stranger = new_test_user(
            cls.env,
            login="stranger",
            groups="account_collection.group_collection_team",
            company_id=cls.foreign_company.id,
            company_ids=[Command.set(cls.foreign_company.ids)],
        )
        cls.portal = new_test_user(cls.env, login="portal_customer", groups="base.group_portal")

    def test_people_of_the_company(self):
        dispute = self._dispute(self.debtor, self.item, amount=10)
        task = {"debtor_id": self.debtor.id, "channel": "task"}
        [action] = self._rpc(self.team_user, "collection.action", "create", [task])
        fields_of_people = (
            ("collection.debtor", self.debtor.ids, "collector_id"),
            ("collection.case", self.case.ids, "collector_id"),
            ("collection.dispute", dispute.ids, "owner_id"),
            ("collection.action", [action], "user_id"),
            ("collection.campaign", self.campaign.ids, "user_id"),
        )
        for model, ids, name in fields_of_people:
            for person in (self.stranger, self.portal):
                with self.subTest(model=model, person=person.login):
                    self._assert_refused(self.team_user, model, "write", ids, {name: person.id})
            self._rpc(self.team_user, model, "write", ids, {name: self.manager.id})
        for person in (self.stranger, self.portal):
            self._assert_refused(self.team_user, "collection.action", "create", [{**task, "user_id": person.id}])

    def test_records_are_handed_on_in_the_form(self):
        """A form reads what it has saved: that one may not read it any more undoes nothing."""
        dispute = self._dispute(self.debtor, self.item, amount=10)
        dispute.owner_id = self.solver
        self.debtor.collector_id = self.case.collector_id = self.collector
        other = self._create_user("other_solver", "account_collection.group_collection_dispute_owner")
        spec = {"partner_id": {"fields": {"display_name": {}}}}
        for user, record, name, person in (
            (self.solver, dispute, "owner_id", other),
            (self.collector, self.case, "collector_id", self.other_collector),
            (self.collector, self.debtor, "collector_id", self.other_collector),
        ):
            shown = {**spec, name: {"fields": {"display_name": {}}}}
            with self.subTest(model=record._name):
                [values] = self._rpc(user, record._name, "web_save", record.ids, {name: person.id}, shown)
                self.assertEqual(record[name], person)
                self.assertEqual(values[name], {"id": person.id, "display_name": person.name})
                self.assertEqual(values["partner_id"]["id"], self.customer.id)
                self._assert_refused(user, record._name, "web_read", record.ids, spec, error=AccessError)
                self._assert_refused(user, record._name, "web_save", record.ids, {name: user.id}, shown)

    def test_a_colleague_works_on_the_customer_in_a_campaign(self):
        """Whose customer it is goes on, whoever has the case."""
        self.debtor.collector_id = self.collector
        self.case.collector_id = self.other_collector
        self.campaign.member_ids = self.other_collector
        action = self._rpc(self.collector, "collection.debtor", "action_log_call", self.debtor.ids)
        self.assertFalse(action["context"]["default_case_id"])
        [call] = self._rpc(self.collector, action["res_model"], "create", [{"debtor_id": self.debtor.id}])
        self._rpc(self.collector, action["res_model"], "action_confirm", [call])
        self.assertEqual(self.debtor.sudo().action_ids[:1].user_id, self.collector)

    def test_an_owner_of_another_company_is_passed_over(self):
        reason = self.env.ref("account_collection.collection_reason_price")
        reason.owner_id = self.stranger
        [dialogue] = self._rpc(
            self.collector, "collection.dispute.open", "create", [{"debtor_id": self.debtor.id, "reason_id": reason.id}]
        )
        self.assertEqual(self.env["collection.dispute.open"].sudo().browse(dialogue).owner_id, self.collector)
        self._rpc(self.collector, "collection.dispute.open", "action_confirm", [dialogue])


@tagged("post_install", "-at_install")
class TestFilesOnFile(OtherWaysCommon):
    """A file that proves something is neither exchanged nor deleted, whoever may write its record."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_invoice(amount=100, days_late=20)
        cls._synchronize()
        cls.debtor = cls._get_debtor()

    def _attach(self, record, **values):
        return self.env["ir.attachment"].create(
            {"name": "letter.pdf", "raw": b"as it was", "res_model": record._name, "res_id": record.id, **values}
        )

    def _assert_kept(self, file, user):
        forged = base64.b64encode(b"forged").decode()
        for values in ({"datas": forged}, {"name": "x"}, {"res_id": self.debtor.id + 1}, {"res_model": False}):
            self._assert_refused(user, "ir.attachment", "write", file.ids, values)
        self._assert_refused(user, "ir.attachment", "unlink", file.ids)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            file.with_user(user).sudo()._delete_and_notify()
        self.assertEqual(file.raw, b"as it was")

    def test_what_was_said(self):
        letter = self._attach(self.debtor)
        action = self._log_call(self.debtor)
        action.sudo().attachment_ids = letter
        self._assert_kept(letter, self.collector)
        # What people add to a file is theirs.
        note = self._attach(self.debtor, name="note.pdf")
        self._rpc(self.collector, "ir.attachment", "write", note.ids, {"name": "x"})
        self._rpc(self.collector, "ir.attachment", "unlink", note.ids)

    def test_what_was_handed_over_and_taken_back(self):
        provider = self.env["collection.provider"].create({"partner_id": self._create_customer("Phone House").id})
        handover = self.env["collection.handover"].create(
            {
                "provider_id": provider.id,
                "date_start": self._days(0),
                "date_end": self._days(9),
                "purpose": "Calls",
                "lang": "en_US",
            }
        )
        handover.sudo().file_id = self._attach(handover)
        self._assert_kept(handover.file_id, self.team_user)
        taken = self.env["collection.provider.import"].create(
            {"handover_id": handover.id, "file": base64.b64encode(b"as it was")}
        )
        field = [("res_model", "=", taken._name), ("res_field", "=", "file"), ("res_id", "=", taken.id)]
        file = self.env["ir.attachment"].search(field)
        # What was previewed is what is applied: nobody puts another file in its place, the form does.
        second = {"name": "file", "res_model": taken._name, "res_field": "file", "res_id": taken.id, "raw": "forged"}
        self._assert_refused(self.team_user, "ir.attachment", "create", [second])
        self._assert_refused(self.team_user, "ir.attachment", "write", file.ids, {"raw": "forged"})
        self._assert_refused(self.team_user, "ir.attachment", "unlink", file.ids)
        note = self._attach(taken, name="note.txt")
        self._assert_refused(self.team_user, "ir.attachment", "write", note.ids, {"res_field": "file"})
        changed = base64.b64encode(b"another").decode()
        self._rpc(self.team_user, taken._name, "write", taken.ids, {"file": changed})
        self._rpc(self.team_user, taken._name, "write", taken.ids, {"file": base64.b64encode(b"as it was").decode()})
        file = self.env["ir.attachment"].search(field)
        self.env.cr.execute("UPDATE collection_provider_import SET state = 'done' WHERE id = %s", [taken.id])
        taken.invalidate_recordset()
        self._assert_kept(file, self.team_user)
        self._assert_refused(self.team_user, "ir.attachment", "create", [second])
