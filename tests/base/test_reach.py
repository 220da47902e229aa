"""Nobody writes beyond their reach: other collectors' customers, other companies, shared settings, forged answers."""

from contextlib import suppress
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged

from ..common import CollectionCommon


@tagged("post_install", "-at_install")
class TestReach(CollectionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.foreign_company = cls.setup_other_company(name="Moreau Belgique")["company"]
        cls._create_invoice(days_late=20)
        cls._create_invoice(cls.other_customer, days_late=20)
        cls._create_invoice(cls.customer, days_late=20, company=cls.foreign_company)
        for company in (cls.company, cls.foreign_company):
            cls._synchronize(company)
        Debtor = cls.env["collection.debtor"].sudo()
        cls.foreign = Debtor.search([("company_id", "=", cls.foreign_company.id)])
        cls.mine = Debtor.search([("company_id", "=", cls.company.id), ("partner_id", "=", cls.customer.id)])
        cls.hidden = Debtor.search([("company_id", "=", cls.company.id), ("partner_id", "=", cls.other_customer.id)])
        cls.mine.collector_id = cls.collector
        cls.hidden.collector_id = cls.other_collector
        cls.both = new_test_user(
            cls.env,
            login="manager_of_both",
            groups="base.group_user,account_collection.group_collection_manager",
            company_id=cls.company.id,
            company_ids=[Command.set((cls.company + cls.foreign_company).ids)],
        )

    def _rpc(self, user, model, method, *args, context=None):
        """Do what a session does."""
        context = {"allowed_company_ids": user.company_ids.ids, **(context or {})}
        env = self.env(user=user, su=False, context=context)
        result = call_kw(env[model], method, list(args), {"context": context})
        # As at the end of a request: what is still to be computed is so for its user.
        env.flush_all()
        self.env.invalidate_all()
        return result

    def _assert_refused(self, user, model, method, *args, context=None):
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self._rpc(user, model, method, *args, context=context)

    def _make(self, user, model, **values):
        return self.env[model].browse(self._rpc(user, model, "create", [values])[0])

    # == Records stay within reach ==

    def test_actions_stay_with_their_customer(self):
        action = self._make(self.collector, "collection.action", debtor_id=self.mine.id, channel="task", summary="x")
        for target in (self.hidden, self.foreign):
            self._assert_refused(self.collector, "collection.action", "write", action.ids, {"debtor_id": target.id})
            self._assert_refused(
                self.collector,
                "collection.action",
                "web_save",
                action.ids,
                {"debtor_id": target.id, "user_id": self.collector.id},
                {},
            )
            self._assert_refused(
                self.collector, "collection.action", "create", [{"debtor_id": target.id, "channel": "task"}]
            )
            self._assert_refused(
                self.collector,
                "collection.action",
                "create",
                [{"channel": "task"}],
                context={"default_debtor_id": target.id},
            )
        self.assertEqual(action.debtor_id, self.mine)

    def test_lines_of_a_form_stay_with_their_customer(self):
        values = {"name": "Holidays", "date_from": "2026-08-01", "date_to": "2026-08-15"}
        period = self._make(self.collector, "collection.quiet.period", debtor_id=self.mine.id, **values)
        self._assert_refused(
            self.collector,
            "collection.debtor",
            "write",
            self.mine.ids,
            {"quiet_period_ids": [Command.update(period.id, {"debtor_id": self.hidden.id})]},
        )
        self._assert_refused(
            self.collector, "collection.quiet.period", "write", period.ids, {"debtor_id": False, "company_id": False}
        )
        self._assert_refused(
            self.collector, "collection.quiet.period", "create", [values], context={"default_company_id": False}
        )
        self.assertEqual(period.debtor_id, self.mine)

    def test_nobody_links_what_they_may_not_read(self):
        campaign = self._create_campaign()
        self._assert_refused(
            self.team_user,
            "collection.campaign",
            "write",
            campaign.ids,
            {"debtor_ids": [Command.link(self.foreign.id)]},
        )
        plan = self.env["collection.plan"].sudo().search([("company_id", "=", self.foreign_company.id)], limit=1)
        self._assert_refused(self.collector, "collection.debtor", "write", self.mine.ids, {"plan_id": plan.id})
        step = self.env["collection.plan.step"].sudo().search([("company_id", "=", self.company.id)], limit=1)
        self._assert_refused(self.manager, "collection.plan.step", "write", step.ids, {"plan_id": plan.id, "delay": 99})

    def test_a_customer_is_handed_on(self):
        """That is no move out of reach: a colleague goes on."""
        contact = self._create_customer("Mme Petit", parent_id=self.customer.id, is_company=False)
        self._rpc(
            self.collector,
            "collection.debtor",
            "write",
            self.mine.ids,
            {"collector_id": self.other_collector.id, "contact_id": contact.id},
        )
        self.assertEqual(self.mine.collector_id, self.other_collector)
        action = self._make(self.other_collector, "collection.action", debtor_id=self.mine.id, channel="task")
        self._rpc(
            self.other_collector,
            "collection.action",
            "write",
            action.ids,
            {"user_id": self.collector.id, "summary": "x"},
        )
        self.assertEqual(action.user_id, self.collector)

    def test_companies_agree(self):
        """Even an administrator of both companies links nothing across them."""
        plan = self.env["collection.plan"].sudo().search([("company_id", "=", self.foreign_company.id)], limit=1)
        with self.assertRaisesRegex(UserError, "company"), self.env.cr.savepoint():
            self._rpc(self.both, "collection.debtor", "write", self.mine.ids, {"plan_id": plan.id})
        campaign = self._create_campaign()
        with self.assertRaisesRegex(UserError, "company"), self.env.cr.savepoint():
            self._rpc(
                self.both, "collection.campaign", "write", campaign.ids, {"debtor_ids": [Command.link(self.foreign.id)]}
            )

    def test_what_is_used_stays_in_its_company(self):
        plan = self.env["collection.plan"].sudo().search([("company_id", "=", self.company.id)], limit=1)
        other = plan.copy()
        provider = (
            self.env["collection.provider"].sudo().create({"partner_id": self._create_customer("Phone House").id})
        )
        self.mine.sudo().plan_id = plan
        values = {"provider_id": provider.id, "purpose": "Calls", "lang": "en_US"}
        dates = {"date_start": self._days(0), "date_end": self._days(5)}
        self.env["collection.handover"].sudo().create({**values, **dates})
        for record in (plan, provider):
            with self.assertRaisesRegex(ValidationError, "its company"), self.env.cr.savepoint():
                self._rpc(self.both, record._name, "write", record.ids, {"company_id": self.foreign_company.id})
        self._rpc(self.both, "collection.plan", "write", other.ids, {"company_id": self.foreign_company.id})
        self.assertEqual(other.step_ids.company_id, self.foreign_company)

    # == What all companies share ==

    def test_shared_settings_need_all_companies(self):
        shared = {
            "collection.criterion": (
                {"weight": 1},
                {"indicator": "days_late", "name": "x", "band_ids": [Command.create({"lower": 1})]},
            ),
            "collection.reason": ({"solve_days": 1}, {"name": "x"}),
            "collection.quiet.period": (
                {"date_to": "2026-12-31"},
                {"name": "x", "date_from": "2026-12-24", "date_to": "2026-12-31", "company_id": False},
            ),
        }
        self.env["collection.quiet.period"].sudo().search([("company_id", "=", False)]).active = False
        self.env["collection.quiet.period"].sudo().create(shared["collection.quiet.period"][1])
        for model, (change, values) in shared.items():
            Model = self.env[model].sudo()
            record = Model.search([("company_id", "=", False)] if "company_id" in Model._fields else [], limit=1)
            with self.subTest(model=model):
                for args in (("write", record.ids, change), ("unlink", record.ids), ("create", [values])):
                    with self.assertRaisesRegex(AccessError, "is shared"), self.env.cr.savepoint():
                        self._rpc(self.manager, model, *args)
                self._rpc(self.both, model, "write", record.ids, change)
        band = self.env["collection.criterion.band"].sudo().search([("criterion_id.company_id", "=", False)], limit=1)
        with self.assertRaisesRegex(AccessError, "is shared"), self.env.cr.savepoint():
            self._rpc(self.manager, "collection.criterion.band", "write", band.ids, {"percent": 1})
        with self.assertRaisesRegex(AccessError, "is shared"), self.env.cr.savepoint():
            self._rpc(
                self.manager, "collection.criterion", "write", band.criterion_id.ids, {"company_id": self.company.id}
            )
        tuning = self._make(self.manager, "collection.score.tuning")
        for method in ("action_apply", "action_reset"):
            with self.assertRaisesRegex(AccessError, "is shared"), self.env.cr.savepoint():
                self._rpc(self.manager, "collection.score.tuning", method, tuning.ids)
        tuning = self._make(self.both, "collection.score.tuning")
        self._rpc(self.both, "collection.score.tuning", "action_reset", tuning.ids)

    def test_own_settings_need_own_company(self):
        values = {
            "name": "Own",
            "indicator": "days_late",
            "company_id": self.company.id,
            "weight": 5,
            "band_ids": [Command.create({"lower": 1, "percent": 100})],
        }
        criterion = self._make(self.manager, "collection.criterion", **values)
        self._rpc(self.manager, "collection.criterion", "write", criterion.ids, {"weight": 6})
        for change in ({"company_id": False}, {"company_id": self.foreign_company.id}):
            self._assert_refused(self.manager, "collection.criterion", "write", criterion.ids, change)
        criterion.sudo().company_id = self.foreign_company
        self._assert_refused(self.manager, "collection.criterion.band", "write", criterion.band_ids.ids, {"percent": 1})

    def test_one_company_alone_shares_with_nobody(self):
        with patch.object(
            type(self.env["collection.run"]), "_get_companies_in_use", lambda run: self.company.with_env(run.env)
        ):
            self._make(self.manager, "collection.reason", name="Strike at the post")

    # == Answers of customers ==

    def _get_answer(self, promise):
        message = promise.message_ids.filtered(lambda message: message.message_type == "comment")[:1]
        return (
            "From: boulangerie@customer.example\nTo: compta@moreau.example\nSubject: Re\n"
            f"In-Reply-To: {message.message_id}\nMessage-Id: <forged@customer.example>\n"
            "Content-Type: text/plain\n\nI owe you this."
        )

    def test_nobody_says_that_an_answer_came_in(self):
        promise = self._promise(self.mine, send_confirmation=True)
        text = self._get_answer(promise)
        for context in ({}, {"collection_gateway": True, "fetchmail_cron_running": True}):
            with self.env.cr.savepoint() as savepoint:
                # Where mass mailing is installed, Odoo itself refuses it.
                with suppress(AccessError):
                    self._rpc(self.collector, "mail.thread", "message_process", False, text, context=context)
                self.assertFalse(promise.acknowledged_on)
                savepoint.rollback()
        # As the system, but on behalf of a user.
        with self.env.cr.savepoint() as savepoint:
            self.env["mail.thread"].with_user(self.collector).sudo().message_process(False, text)
            self.assertFalse(promise.acknowledged_on)
            savepoint.rollback()
        self._receive_email(False, text)
        self.assertEqual(promise.acknowledged_on, self.today)

    def test_mailgate_delivers_as_an_administrator(self):
        administrator = new_test_user(self.env, login="mailgate", groups="base.group_system")
        if marketing := self.env.ref("mass_mailing.group_mass_mailing_user", raise_if_not_found=False):
            administrator.group_ids += marketing  # Odoo looks for the mailing that was answered
        promise = self._promise(self.mine, send_confirmation=True)
        self._rpc(administrator, "mail.thread", "message_process", False, self._get_answer(promise))
        self.assertEqual(promise.acknowledged_on, self.today)

    def test_nobody_says_that_a_customer_answered(self):
        portal = new_test_user(self.env, login="portal_customer", groups="base.group_portal")
        debtors = self.mine + self.hidden + self.foreign
        for user in (portal, self.collector, self.manager):
            with self.env.cr.savepoint():
                self._rpc(user, "collection.debtor", "message_update", debtors.ids, {})
            self.assertFalse(debtors.filtered("reply_date"))

    def test_nobody_says_that_a_message_came_back(self):
        thread = self.env["mail.thread"].with_user(self.collector).sudo()
        partner = self.customer
        for forged in (thread, thread.with_context(collection_gateway=True)):
            forged._routing_handle_bounce(
                None,
                {
                    "bounced_email": "boulangerie@customer.example",
                    "bounced_partner": partner,
                    "bounced_message": self.mine.message_post(),
                    "bounced_msg_ids": [],
                    "email_from": "a@b.example",
                    "to": "c@d.example",
                    "message_id": "<x>",
                },
            )
            self.assertFalse(self.mine.bounced_emails)

    # == Filters ==

    def test_filters_are_tried_with_the_rights_of_the_writer(self):
        plan = self.env["collection.plan"].sudo().search([("company_id", "=", self.company.id)], limit=1)
        for text, words in (
            ("[('partner_id.user_ids.totp_secret', '!=', False)]", "leads to|may not read|no field"),
            ("[('partner_id.signup_type', '=', 'reset')]", "may not read"),
            ("[('company_id.user_ids.login', '=like', 'a%')]", "leads to"),
            ("[('partner_id.invoice_ids.ref', '=like', 'SECRET%')]", "leads to"),
            ("[('partner_id.invoice_ids', 'any', [('ref', '=like', 'SECRET%')])]", "leads to"),
            ("[('partner_id.invoice_ids', 'ilike', 'SECRET')]", "leads to"),
            ("[('plan_used_id', '!=', False)]", "follows from it"),
            ("[('plan_used_id.name', '=', 'Key')]", "follows from it"),
            ("[('case_ids.debtor_id', 'any', [('plan_used_id', 'in', [1])])]", "follows from it"),
            ("[('partner_id.collection_debtor_ids.plan_used_id.name', '=', 'Key')]", "follows from it"),
            ("[('user_id', '=', uid)]", "stands for nothing"),
            ("[('days_late', '=', sum([i for i in range(10**12)]))]", "can't calculate"),
            ("[('nothing', '=', 1)]", "no field"),
            ("[('days_late.x', '=', 1)]", "no field"),
            ("[('days_late', '>', 99999999999)]", "can't be read"),
            ("{", "not a list"),
        ):
            with self.subTest(text=text):
                for method, args in (("write", [plan.ids]), ("create", [])):
                    values = {"debtor_domain": text}
                    values = values if method == "write" else [{"name": "New", **values}]
                    with self.assertRaisesRegex(ValidationError, words), self.env.cr.savepoint():
                        self._rpc(self.manager, "collection.plan", method, *args, values)
                with self.assertRaisesRegex(ValidationError, words), self.env.cr.savepoint():
                    self._rpc(
                        self.manager,
                        "collection.plan",
                        "create",
                        [{"name": "New"}],
                        context={"default_debtor_domain": text},
                    )
        for text in (
            "[('partner_id.country_id.code', 'in', ['FR', 'BE'])]",
            "[('partner_id.category_id.name', 'ilike', 'key')]",
            "[('partner_id.invoice_ids', '!=', False)]",
            "['|', ('days_late', '>', 30), ('promise_ids.state', '=', 'broken')]",
            "[('last_invoice_date', '<', 'today -30d')]",
            "[('last_invoice_date', '<', today)]",
            "[('last_invoice_date.month_number', '=', 3)]",
        ):
            with self.subTest(text=text):
                self._rpc(self.manager, "collection.plan", "write", plan.ids, {"debtor_domain": text})

    def test_criteria_are_not_about_themselves(self):
        values = {
            "name": "Own",
            "indicator": "custom",
            "company_id": self.company.id,
            "band_ids": [Command.create({"lower": 1, "percent": 100})],
        }
        for text in ("[('collection_score', '>', 1)]", "[('collection_debtor_ids.grade', '=', 'a')]"):
            with self.assertRaisesRegex(ValidationError, "follows from it"), self.env.cr.savepoint():
                self._make(self.manager, "collection.criterion", **values, partner_domain=text)
        criterion = self._make(
            self.manager, "collection.criterion", **values, partner_domain="[('is_company', '=', True)]"
        )
        self.assertFalse(criterion.filter_problem)
        self.env.cr.execute(
            "UPDATE collection_criterion SET partner_domain = %s WHERE id = %s", ["[('gone', '=', 1)]", criterion.id]
        )
        criterion.invalidate_recordset()
        self.assertIn("gone", criterion.filter_problem)
        with self.assertLogs("odoo.addons.account_collection.models.debtor.collection_criterion", "WARNING"):
            self._synchronize()

    def test_a_broken_filter_stops_no_list(self):
        campaign, other = self._create_campaign(), self._create_campaign()
        self.env.cr.execute(
            "UPDATE collection_campaign SET scope_domain = %s WHERE id = %s", ["[('gone', '=', 1)]", campaign.id]
        )
        campaign.invalidate_recordset()
        rows = self._rpc(
            self.team_user, "collection.campaign", "read", (campaign + other).ids, ["scope_count", "scope_problem"]
        )
        self.assertIn("gone", rows[0]["scope_problem"])
        self.assertEqual([row["scope_count"] for row in rows], [0, 2])
        with self.assertRefused("More conditions” of “Spring” can't be used"):
            campaign.action_prepare()

    def test_the_plan_is_searched_with_the_rights_of_who_asks(self):
        count = lambda path, *rest: self._rpc(  # noqa: E731
            self.collector, "collection.debtor", "search_count", [(f"plan_used_id.{path}", *rest)]
        )
        self._create_invoice(amount=7, move_type="in_invoice", ref="SECRET-4711")
        path = "company_id.user_ids.partner_id.invoice_ids.ref"
        self.assertEqual(count(path, "=like", "SECRET-%"), 0)
        self.assertGreater(count("name", "!=", False), 0)
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            count("company_id.user_ids.partner_id.signup_type", "=", "reset")
        plan = self.env["collection.plan"].sudo().search([("company_id", "=", self.company.id)])
        found = self._rpc(self.collector, "collection.debtor", "search_count", [("plan_used_id", "in", plan.ids)])
        self.assertEqual(found, 1)
