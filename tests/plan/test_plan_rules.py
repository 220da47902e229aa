from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from ...models.run import collection_plan as run_collection_plan
from ..plan_common import PlanCommon


@tagged("post_install", "-at_install")
class TestPlanRules(PlanCommon):
    """What the one decision code says, and why."""

    # == Which plan ==

    def test_only_channels_that_there_are(self):
        step = self._step(3).with_user(self.manager)
        for name, error in (("channel", ValueError), ("fallback", ValidationError)):
            with self.assertRaises(error), self.env.cr.savepoint():
                step.write({name: "pigeon"})
        self.assertEqual(
            [value for value, _label in self.env["collection.plan.step"]._selection_fallback()],
            ["none", "call", "sms", "letter"],
        )

    def test_first_plan_that_fits_unless_set_by_hand(self):
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        small = self._create_plan(name="Small", sequence=1, debtor_domain="[('is_small', '=', True)]")
        foreign = self._create_plan(
            name="Abroad", sequence=0, debtor_domain="[('partner_id.country_id.code', '=', 'BE')]"
        )
        self.assertEqual(debtor.plan_used_id, small)
        self.customer.country_id = self.env.ref("base.be")
        debtor.invalidate_recordset()
        self.assertEqual(debtor.plan_used_id, foreign)
        debtor.plan_id = self.plan
        self.assertEqual(debtor.plan_used_id, self.plan)

    def test_plan_that_is_off_says_nothing(self):
        self._create_invoice(days_late=10)
        self.plan.with_user(self.manager).action_stop()
        self.assertReason("not_running")
        self.assertReason("due", as_if_running=True)
        self._run_cron()
        self.assertFalse(self._actions(plan_id=self.plan.id))
        self.plan.active = False
        self.assertReason("no_plan")

    def test_switching_needs_the_buttons(self):
        with self.assertRefused("buttons"):
            self.plan.with_user(self.manager).is_running = False

    def test_conditions_are_checked(self):
        for domain in ("[('nonsense', '=', 1)]", "[(", "[('id', '=', __import__('os'))]"):
            with self.assertRefused("filter can't be used|can't be read"):
                self.plan.debtor_domain = domain

    # == What keeps quiet ==

    def test_reasons_for_silence(self):
        invoice = self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        self.assertReason("due", debtor)
        debtor.insolvency = True
        self.assertReason("insolvency", debtor)
        debtor.insolvency = False
        debtor.write({"paused_until": self.today + timedelta(days=5), "pause_reason": "Moving house"})
        decision = self.assertReason("paused", debtor)
        self.assertIn("Moving house", self.plan._describe(decision, debtor))
        self.assertReason("due", debtor, self.today + timedelta(days=6))
        debtor.paused_until = False
        debtor.active = False
        self.assertReason("archived", debtor)
        debtor.active = True
        invoice.line_ids.no_followup = True
        self.assertReason("nothing_claimable")
        invoice.line_ids.no_followup = False
        self.assertReason("due")

    def test_promise_and_dispute_of_all_keep_quiet_of_a_part_do_not(self):
        invoice = self._create_invoice(amount=100, days_late=10)
        debtor = self._get_debtor()
        dispute = self._dispute(debtor, self._get_items(invoice), amount=40)
        later = self.today + timedelta(days=6)
        self.assertReason("due", debtor, later)
        self._promise(debtor, date=self.today + timedelta(days=10), amount=60)
        decision = self.assertReason("nothing_claimable", debtor, later)
        words = self.plan._describe(decision, debtor)
        self.assertIn("promised", words)
        self.assertIn("disputed", words)
        dispute.resolution = "The price was agreed."
        dispute.with_user(self.solver).action_reject()
        self.assertReason("due", day=later)

    def test_credits_and_payments_on_account_are_netted(self):
        invoice = self._create_invoice(amount=100, days_late=10)
        self._pay_on_account(amount=30)
        credit = self._credit(invoice, 65, reconcile=False)
        self.assertReason("due")
        credit.button_draft()
        credit.invoice_line_ids.price_unit = 70
        credit.action_post()
        decision = self.assertReason("nothing_claimable")
        self.assertIn("credits", self.plan._describe(decision, self._get_debtor()))

    def test_payment_under_way(self):
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        provider = self.env["payment.provider"].create({"name": "Bank", "company_id": self.company.id})
        transaction = self.env["payment.transaction"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": self.env.ref("payment.payment_method_unknown").id,
                "reference": "INV/1",
                "amount": 100,
                "currency_id": self.company.currency_id.id,
                "partner_id": self.customer.id,
                "state": "pending",
            }
        )
        decision = self.assertReason("payment_pending", debtor)
        self.assertIn("online payment", self.plan._describe(decision, debtor))
        transaction.state = "cancel"
        self.assertReason("due", debtor)

    def test_money_on_the_bank_statement_that_nobody_matched(self):
        self._create_invoice(days_late=10)
        contact = self.env["res.partner"].create({"name": "Office", "parent_id": self.customer.id})
        self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.company_data["default_journal_bank"].id,
                "date": self.today,
                "payment_ref": "Transfer",
                "amount": 100.0,
                "partner_id": contact.id,
            }
        )
        debtor = self._get_debtor()
        decision = self.assertReason("unmatched_payment", debtor)
        self.assertIn("may be the payment", self.plan._describe(decision, debtor))

    def test_bank_that_is_not_up_to_date(self):
        invoice = self._create_invoice(days_late=10)
        other = self._create_invoice(self.other_customer, days_late=10)
        self._pay(other, on=self.today - timedelta(days=9))
        self.company.collection_bank_fresh_days = 7
        decision = self.assertReason("bank_stale")
        bank = self.company_data["default_journal_bank"]
        self.assertIn(bank.name, self.plan._describe(decision, self._get_debtor()))
        self.assertTrue(bank.collection_is_stale)
        self._run_cron()
        self.assertFalse(self._actions())
        bank.collection_is_watched = False
        self.assertReason("due")
        bank.collection_is_watched = True
        self._pay(invoice, amount=1, on=self.today)
        bank.invalidate_recordset()
        self.assertReason("due")

    def test_answer_pauses_until_it_is_read(self):
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        debtor.collector_id = self.collector
        self._run_cron()
        message = self._actions(debtor).mail_message_id
        self._receive_email(
            "collection.debtor",
            f"""From: "Mme Petit" <boulangerie@customer.example>
To: compta@moreau.example
Subject: Re: your account
Message-Id: <answer@customer.example>
In-Reply-To: {message.message_id}
References: {message.message_id}
Content-Type: text/plain

We paid last week.
""",
        )
        answer = debtor.message_ids.filtered(lambda m: "paid last week" in (m.body or ""))
        self.assertTrue(answer, "the answer stands on the debtor's thread")
        self.assertEqual(debtor.reply_date, self.today)
        self.assertEqual(debtor.activity_ids.user_id, self.collector)
        later = self.today + timedelta(days=30)
        self.assertReason("unread_reply", debtor, later)
        debtor.with_user(self.collector).action_mark_read()
        self.assertReason("due", debtor, later)

    def test_users_do_not_forge_answers_and_addresses(self):
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        for name, value in {"reply_date": self.today, "bounced_emails": "a@b.example"}.items():
            with self.assertRefused("by hand"):
                debtor.with_user(self.collector).write({name: value})
        self.assertFalse(debtor.reply_date or debtor.bounced_emails)

    # == When ==

    def test_steps_in_order_with_gaps(self):
        self._create_invoice(days_late=200)
        debtor = self._get_debtor()
        seen = []
        day = self.today
        for _night in range(30):
            with freeze_time(f"{day} 09:00:00"):
                self._synchronize()
                self._run_cron()
                for call in self._actions(debtor, channel="call", state="planned"):
                    self._log_call(debtor)
                    self.assertEqual(call.state, "done", "the call that the plan asked for")
            day += timedelta(days=1)
        for action in self._actions(debtor, state="done"):
            seen.append((action.step_id.delay, action.date_planned))
        self.assertEqual([delay for delay, _day in seen], [3, 8, 15, 30], "one step after the other, each once")
        days = [day for _delay, day in seen]
        self.assertTrue(all((after - before).days >= 3 for before, after in zip(days, days[1:], strict=False)))
        self.assertEqual(self._decide(debtor, day).reason, "finished")

    def test_five_hundred_missed_days_are_caught_up_by_one_step(self):
        self._create_invoice(days_late=4)
        debtor = self._get_debtor()
        self._run_cron()
        self.assertEqual(self._actions(debtor).step_id, self._step(3))
        with freeze_time("2027-07-23 09:00:00"):
            self._synchronize()
            self._run_cron()
            self.assertEqual(self._actions(debtor)[1:].step_id, self._step(8), "not the last one, and one only")

    def test_due_today_is_not_late_at_half_past_eleven_in_paris(self):
        self.company.write({"collection_send_from": 0.0, "collection_send_to": 24.0})
        plan = self._create_plan(steps=((1, "email"),), sequence=0)
        plan._start()
        self._create_invoice(days_late=0)
        # 23:30 in Paris in winter is 22:30 in UTC, and it is still the tenth.
        with freeze_time("2026-03-10 22:30:00"):
            self.assertReason("not_yet")
            self._run_cron()
            self.assertFalse(self._actions())
        with freeze_time("2026-03-10 23:30:00"):  # half past midnight of the eleventh in Paris
            self._synchronize()
            self.assertReason("due")
            self._run_cron()
            self.assertEqual(self._actions().state, "done")

    def test_hours_weekends_and_holidays(self):
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        for moment in ("2026-03-10 05:00:00", "2026-03-10 19:00:00", "2026-03-14 10:00:00", "2026-04-06 10:00:00"):
            with freeze_time(moment):
                self._run_cron()
                self.assertFalse(self._actions(debtor, state="done"), moment)
        with freeze_time("2026-04-07 08:00:00"):
            self._synchronize()
            self._run_cron()
            self.assertTrue(self._actions(debtor, state="done"))

    def test_quiet_periods_of_the_company_and_of_the_customer(self):
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        period = self.env["collection.quiet.period"].create(
            {"name": "Fair", "date_from": "2020-03-08", "date_to": "2020-03-10", "company_id": self.company.id}
        )
        decision = self.assertReason("closed", debtor)
        self.assertEqual(str(decision.day), "2026-03-11")
        period.debtor_id = self._get_debtor(self.other_customer) or debtor
        period.debtor_id = debtor
        self.assertReason("closed", debtor)
        period.unlink()
        debtor.closed_weekday = "1"
        decision = self.assertReason("closed", debtor)
        self.assertEqual(str(decision.day), "2026-03-11")

    def test_year_end_period_goes_over_the_year(self):
        period = self.env["collection.quiet.period"].create(
            {"name": "Year end", "date_from": "2025-12-24", "date_to": "2026-01-02"}
        )
        inside = ("2026-12-24", "2026-12-31", "2027-01-02")
        outside = ("2026-12-23", "2027-01-03", "2026-07-01")
        self.assertTrue(all(period._is_on(fields.Date.to_date(day)) for day in inside))
        self.assertFalse(any(period._is_on(fields.Date.to_date(day)) for day in outside))

    def test_reminded_three_days_before_the_payment_run(self):
        self.plan.step_ids.awaits_run = True
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        debtor.payment_days = "19"
        decision = self.assertReason("payment_run", debtor)
        self.assertEqual(str(decision.day), "2026-03-16")
        debtor.payment_days = "13"
        self.assertReason("due", debtor)

    def test_pressure_over_all_channels(self):
        self.company.collection_pressure_cap = 2
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        self._log_call(debtor)
        with freeze_time("2026-03-13 09:00:00"):
            self._log_call(debtor)
        with freeze_time("2026-03-18 09:00:00"):
            decision = self.assertReason("pressure", debtor)
            self.assertEqual(str(decision.day), "2026-04-09")

    def test_courtesy_before_the_due_date(self):
        invoice = self._create_invoice(days_late=-5)
        debtor = self._get_debtor()
        decision = self.assertReason("due", debtor)
        self.assertEqual(decision.step, self._step(-7))
        self._run_cron()
        action = self._actions(debtor)
        self.assertEqual(action.state, "done")
        self.assertEqual(action.item_ids.move_id, invoice)
        self._create_invoice(amount=10, days_late=20)
        self._create_invoice(amount=10, days_late=-6)
        decision = self._decide(day=self.today + timedelta(days=4))
        self.assertEqual(decision.step, self._step(3), "whoever is late gets no courtesy message")

    def test_smaller_debts_skip_a_step(self):
        self._step(3).min_amount = 500
        self._create_invoice(amount=100, days_late=10)
        self.assertEqual(self._decide().step, self._step(8))

    def test_each_item_has_its_own_level(self):
        old = self._create_invoice(amount=100, days_late=40)
        debtor = self._get_debtor()
        for day in ("2026-03-10", "2026-03-13"):
            with freeze_time(f"{day} 09:00:00"):
                self._synchronize()
                self._run_cron()
        young = self._create_invoice(amount=50, days_late=-2)
        with freeze_time("2026-03-17 09:00:00"):
            self._synchronize()
            self._run_cron()
            self._log_call(debtor)
            action = self._actions(debtor, channel="call")
            self.assertEqual(action.step_id, self._step(15))
            levels = {item.move_id: item.level for item in action.item_ids}
            self.assertEqual(levels, {old: 15, young: 3}, "five days late is not fifteen")
            self._pay(old)
        with freeze_time("2026-03-20 09:00:00"):
            self._synchronize()
            self._run_cron()
            self.assertEqual(
                self._actions(debtor)[-1:].step_id, self._step(8), "once the old one is paid the young one goes its way"
            )

    # == Switching on ==

    def test_old_debts_begin_where_the_manager_says_and_slowly(self):
        plan = self._create_plan(sequence=0, steps=((3, "email"), (8, "email"), (30, "email")))
        partners = [self._create_customer(f"Old {number}") for number in range(5)]
        for number, partner in enumerate(partners):
            self._create_invoice(partner, amount=100 + number, days_late=300)
        young = self._create_invoice(self.other_customer, days_late=4)
        self._synchronize()
        plan.with_user(self.manager)._start(self._step(8, plan), old_debts_per_day=2)
        self._run_cron()
        actions = self._actions(plan_id=plan.id)
        self.assertEqual(
            actions.partner_id & young.partner_id, self.env["res.partner"], "late before the start: old, too"
        )
        self.assertEqual(len(actions), 2)
        self.assertEqual(actions.step_id, self._step(8, plan))
        best = actions.debtor_id.sorted("score")
        self.assertGreaterEqual(min(best.mapped("score")), 0)
        with freeze_time("2026-03-11 09:00:00"):
            self._synchronize()
            self._run_cron()
            self.assertEqual(len(self._actions(plan_id=plan.id)), 4)

    # == Companies and people ==

    def test_companies_do_not_mix(self):
        other = self.setup_other_company(name="Other")["company"]
        other.write({"collection_tz": "Europe/Paris", "collection_bank_fresh_days": 0, "email": "other@other.example"})
        plan = self.env["collection.plan"].create(
            {
                "name": "Theirs",
                "company_id": other.id,
                "sequence": 0,
                "step_ids": [
                    Command.create(
                        {
                            "name": "Late",
                            "delay": 5,
                            "channel": "email",
                            "template_id": self.template.id,
                            "attach_invoices": "no",
                        }
                    )
                ],
            }
        )
        plan._start()
        self._create_invoice(days_late=10)
        self._create_invoice(days_late=10, company=other)
        self._synchronize()
        self._synchronize(other)
        self._run_cron()
        ours = self._actions(company_id=self.company.id)
        theirs = self._actions(company_id=other.id)
        self.assertEqual((ours.plan_id, theirs.plan_id), (self.plan, plan))
        self.assertIn("compta@moreau.example", ours.mail_message_id.email_from)
        self.assertIn("other@other.example", theirs.mail_message_id.email_from)
        self.assertEqual(theirs.mail_message_id.author_id, other.partner_id)

    def test_collectors_read_plans_and_do_not_change_them(self):
        plan = self.plan.with_user(self.collector)
        self.assertTrue(plan.step_ids.mapped("name"))
        with self.assertRefusedAccess():
            plan.name = "Mine"
        with self.assertRefusedAccess():
            plan.action_stop()

    def assertRefusedAccess(self):
        return self.assertRaises(UserError)

    def test_steps_that_were_carried_out_stay_readable(self):
        self._create_invoice(days_late=10)
        self._get_debtor()
        self._run_cron()
        with self.assertRaises(UserError):
            self._step(3).unlink()
        self._step(30).unlink()

    def test_text_is_needed(self):
        with self.assertRefused("choose a text"):
            self._step(3).template_id = False
        with self.assertRefused("courtesy"):
            self._step(-7).write({"channel": "call"})

    def test_copies_of_the_shipped_plans_speak_french_too(self):
        self._load_french()
        other = self.env["res.company"].sudo().create({"name": "Second"})
        plan = self.env["collection.plan"].sudo().search([("company_id", "=", other.id), ("name", "=", "Standard")])
        step = plan.step_ids.filtered(lambda step: step.delay == 3)
        renamed = plan.step_ids.filtered(lambda step: step.delay == 8)
        self.env.flush_all()
        self.env.cr.execute("UPDATE collection_plan_step SET name = name - 'fr_FR' WHERE plan_id = %s", [plan.id])
        self.env.invalidate_all()
        renamed.name = "Our own words"
        self.env["ir.module.module"]._load_module_terms(["account_collection"], ["fr_FR"])
        shipped = self.env.ref("account_collection.plan_standard").sudo()
        original = shipped.step_ids.filtered(lambda step: step.delay == 3)
        in_french = step.with_context(lang="fr_FR").name
        self.assertEqual(in_french, original.with_context(lang="fr_FR").name)
        self.assertNotEqual(in_french, step.name)
        self.assertEqual(renamed.with_context(lang="fr_FR").name, "Our own words")

    # == Conditions that can't be read any more ==

    def test_broken_conditions_of_one_plan_stop_nobody_else(self):
        """A plan that names a field of an addon that is gone says so, and the next plan applies."""
        broken = self._create_plan(name="Broken", sequence=0)
        broken._start()
        by_hand = self._create_invoice(self.other_customer, days_late=10)
        self._create_invoice(days_late=10)
        self._get_debtor(by_hand.partner_id).plan_id = broken
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE collection_plan SET debtor_domain = %s WHERE id = %s", ["[('gone', '=', 1)]", broken.id]
        )
        self.env.invalidate_all()
        with self.assertLogs("odoo.addons.account_collection.models", "WARNING") as logs:
            self.assertEqual(self._get_debtor().plan_used_id, self.plan)
            self._run_cron()
        self.assertIn("Broken", logs.output[0])
        self.assertIn("gone", logs.output[0])
        self.assertEqual(
            {action.partner_id: action.plan_id for action in self._actions(state="done")},
            {
                self.customer: self.plan,
                self.other_customer: broken,
            },
        )
        self.assertIn("gone", broken.filter_problem)
        notices = broken.message_ids.filtered(lambda message: "applies to nobody" in message.body)
        self.assertEqual(len(notices), 1)
        self.assertIn(self.manager.partner_id, notices.notified_partner_ids)
        with mute_logger("odoo.addons.account_collection.models"):
            self.env["collection.plan"]._plan_company(self.company)
        self.assertEqual(broken.message_ids.filtered(lambda message: "applies to nobody" in message.body), notices)
        broken.debtor_domain = "[('is_small', '=', True)]"
        self.assertFalse(broken.filter_problem)

    def test_one_customer_that_fails_stops_nobody_else(self):
        partners = [self._create_customer(f"Many {number}") for number in range(5)]
        for partner in partners:
            self._create_invoice(partner, days_late=10)
        self._synchronize()
        Plan = self.env.registry["collection.plan"]
        prepare = Plan._prepare_action

        def _prepare_action(plan, debtor, decision):
            if debtor.partner_id == partners[3]:
                raise ValueError("broken")
            return prepare(plan, debtor, decision)

        self.patch(Plan, "_prepare_action", _prepare_action)
        with self.assertLogs("odoo.addons.account_collection.models", "ERROR") as logs:
            actions = self.env["collection.plan"]._plan_company(self.company)
        self.assertEqual(actions.partner_id, self.env["res.partner"].union(*partners) - partners[3])
        self.assertIn("Many 3", logs.output[0])

    def test_planning_in_batches_begins_the_best_old_debts_first(self):
        plan = self._create_plan(sequence=0, steps=((3, "email"), (8, "email"), (30, "email")))
        for number in range(5):
            self._create_invoice(self._create_customer(f"Old {number}"), amount=100 + 10_000 * number, days_late=300)
        self._synchronize()
        plan.with_user(self.manager)._start(self._step(8, plan), old_debts_per_day=2)
        self.patch(run_collection_plan, "PLANNING_BATCH_SIZE", 1)
        actions = self.env["collection.plan"]._plan_company(self.company)
        debtors = self.env["collection.debtor"].search([("due_amount", ">", 0)], order="score desc, id")
        self.assertEqual(len(debtors), 5)
        self.assertEqual(actions.debtor_id, debtors[:2])

    # == One definition of when a message may leave ==

    def test_statements_and_reminders_of_promises_keep_the_hours_and_days_of_sending(self):
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        self.company.write({"collection_statement_period": "monthly", "collection_statement_day": 1})
        promise = self._promise(debtor, date=self.today + timedelta(days=6), remind_before=True)
        Statement, Promise = self.env["collection.statement"], self.env["collection.promise"]
        self.env["collection.quiet.period"].create(
            {"name": "Fair", "date_from": "2026-03-11", "date_to": "2026-03-11", "company_id": self.company.id}
        )
        # 7:29 and 18:00 in Paris, the closed day, a Sunday.
        for moment in ("2026-03-10 07:29:00", "2026-03-10 17:00:00", "2026-03-11 10:00:00", "2026-03-15 10:00:00"):
            with freeze_time(moment):
                self.assertFalse(self.company._is_collection_sending_time(), moment)
                self.assertEqual(Statement._plan_regular(self.company), 0, moment)
                self.assertFalse(Promise.search(Promise._get_reminder_domain(self.company)), moment)
        with freeze_time("2026-03-10 07:30:00"):
            self.assertEqual(Statement._plan_regular(self.company), 1)
            self.assertEqual(Promise.search(Promise._get_reminder_domain(self.company)), promise)
            self.assertEqual(Statement.search(Statement._get_waiting_domain()), debtor.statement_ids)
        asked = Statement._request(debtor)
        with freeze_time("2026-03-11 10:00:00"):
            self.assertEqual(Statement.search(Statement._get_waiting_domain()), asked, "what a person asked for goes")
