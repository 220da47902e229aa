# What people write in a test needs no translation.
# pylint: disable=translation-required

from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, tagged

from ..common import CollectionCommon


@tagged("post_install", "-at_install")
class TestPromisePlan(CollectionCommon):
    """Several dates, each judged for itself; renegotiated promises leave a chain; what was said can be in writing."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.old_invoice = cls._create_invoice(amount=100, days_late=40)
        cls.invoice = cls._create_invoice(amount=200, days_late=20)
        cls.debtor = cls._get_debtor()

    def _settle_on(self, days):
        with freeze_time(self.today + timedelta(days=days, hours=12)):
            self._synchronize()

    def _plan(self, *payments, **values):
        """Record a plan from pairs of (days from today, amount)."""
        lines = [Command.create({"date": self._days(days), "amount": amount}) for days, amount in payments]
        return self._promise(self.debtor, is_plan=True, line_ids=lines, **values)

    def _answer(self, promise, email_from="boulangerie@customer.example"):
        """Let a mail come in that answers the last message on a promise's thread."""
        message = promise.message_ids.filtered(lambda message: message.message_type == "comment")[:1]
        self._receive_email(
            "mail.thread",
            f"From: {email_from}\nTo: compta@moreau.example\nSubject: Re\nIn-Reply-To: {message.message_id}\n"
            f"Message-Id: <{promise.id}-{email_from}>\nContent-Type: text/plain\n\nAgreed.",
        )

    # === PLANS === #

    def test_dialogue_proposes_equal_parts(self):
        form = Form(
            self.env["collection.promise.record"]
            .with_user(self.collector)
            .with_context(default_debtor_id=self.debtor.id)
        )
        form.is_plan = True
        form.instalment_count = 3
        form.interval = "fortnight"
        wizard = form.save()
        self.assertRecordValues(
            wizard.line_ids.sorted("date"),
            [{"date": self.today + timedelta(days=days), "amount": 100} for days in (7, 21, 35)],
        )
        wizard.action_confirm()
        plan = self.debtor.promise_ids.plan_id
        self.assertRecordValues(
            plan.with_user(self.collector),
            [{"amount": 300, "promise_count": 3, "state": "running", "next_date": self.today + timedelta(days=7)}],
        )
        self.assertEqual(plan.promise_ids.sorted("date").mapped("instalment"), [1, 2, 3])
        self.assertEqual((self.debtor.promised_amount, self.debtor.claimable_amount), (300, 0))

    def test_each_date_is_judged_for_itself(self):
        promises = self._plan((1, 150), (20, 150), channel="email")
        self.assertEqual(promises.mapped("channel"), ["email", "email"])
        # The oldest debt is paid first: the second payment is for the rest of the second invoice.
        self.assertEqual(promises[0].line_ids.mapped("amount"), [100, 50])
        self.assertEqual(promises[1].line_ids.move_line_id, self._get_items(self.invoice))
        self._pay(self.old_invoice, on=self.today + timedelta(days=1))
        self._settle_on(10)
        self.assertEqual(promises.mapped("state"), ["partly", "open"])
        self._pay(self.invoice, amount=150, on=self.today + timedelta(days=18))
        self._settle_on(20)
        self.assertEqual(promises.mapped("state"), ["partly", "kept"])
        self.assertEqual(promises.plan_id.state, "broken")

    def test_plan_can_t_promise_more_than_is_owed(self):
        for payments, message in (
            (((1, 200), (20, 100.01)), "more than"),
            (((1, 300), (20, 0)), "above zero"),
            (((1, 300), (20, -10)), "above zero"),
            (((-1, 100), (20, 200)), "in the past"),
            ((), "Add the dates"),
        ):
            with self.subTest(payments=payments), self.assertRefused(message):
                self._plan(*payments)
        self.assertFalse(self.debtor.promise_ids)

    def test_plan_can_t_be_forged(self):
        plan = self._plan((1, 100), (20, 200)).plan_id.with_user(self.manager)
        with self.assertRaises(AccessError):
            plan.create({"debtor_id": self.debtor.id, "currency_id": self.company.currency_id.id})
        with self.assertRaises(AccessError):
            plan.write({"currency_id": 1})
        with self.assertRefused("by hand"):
            plan.promise_ids[:1].plan_id = False

    def test_other_collector_does_not_see_the_plan(self):
        plan = self._plan((1, 100), (20, 200)).plan_id
        self.debtor.collector_id = self.collector
        with self.assertRaises(AccessError):
            plan.with_user(self.other_collector).read(["amount"])

    def test_withdrawn_plan(self):
        plan = self._plan((1, 100), (20, 200)).plan_id
        plan.with_user(self.collector).action_cancel()
        self.assertEqual((plan.state, self.debtor.claimable_amount), ("cancelled", 300))

    # === RENEGOTIATION === #

    def test_renegotiated_promise_leaves_a_chain(self):
        first = self._promise(self.debtor, date=self._days(1))
        action = first.with_user(self.collector).action_renegotiate()
        form = Form(self.env["collection.promise.record"].with_user(self.collector).with_context(**action["context"]))
        self.assertEqual(form.amount, 300)
        form.date = self._days(5)
        form.save().action_confirm()
        second = first.replaced_by_id
        self.assertRecordValues(first + second, [{"state": "replaced"}, {"state": "open"}])
        self.assertEqual(second.replaces_ids, first)
        self.assertIn("Renegotiated as", first.message_ids[0].body)
        self.assertEqual((self.debtor.promised_amount, self.debtor.claimable_amount), (300, 0))
        # Counts neither as kept nor as broken.
        self._settle_on(20)
        self.assertEqual((first.state, second.state, self.debtor.broken_promise_count), ("replaced", "broken", 1))
        with freeze_time(self.today + timedelta(days=20, hours=12)):
            self.debtor.invalidate_recordset()
            self.assertEqual(self.debtor.promise_due_count, 1)
            with self.assertRefused("record another"):
                first.action_renegotiate()

    def test_broken_promise_stays_broken_when_renegotiated(self):
        first = self._promise(self.debtor, date=self._days(1))
        self._settle_on(10)
        second = self._promise(self.debtor, replaces_ids=[Command.set(first.ids)], date=self._days(15))
        self.assertEqual((first.state, first.replaced_by_id, second.amount), ("broken", second, 300))

    def test_rest_of_a_plan_is_renegotiated(self):
        promises = self._plan((1, 100), (20, 200))
        self._pay(self.old_invoice)
        self._synchronize()
        action = promises[1].plan_id.with_user(self.collector).action_renegotiate()
        self.assertEqual(action["context"]["default_replaces_ids"], promises[1].ids)
        self._promise(self.debtor, **{"replaces_ids": [Command.set(promises[1].ids)], "date": self._days(40)})
        self.assertEqual(promises.mapped("state"), ["kept", "replaced"])

    def test_somebody_else_s_promise_can_t_be_replaced(self):
        other = self._create_invoice(self.other_customer, amount=50)
        promise = self._promise(self._get_debtor(self.other_customer))
        with self.assertRefused("Only promises of Boulangerie Petit"):
            self._promise(self.debtor, replaces_ids=[Command.set(promise.ids)], amount=10)
        self.assertTrue(other)

    # === WHAT PROMISES ARE WORTH === #

    def test_kept_shares(self):
        kept = self._promise(self.debtor, amount=100, date=self._days(1))
        broken = self._promise(self.debtor, amount=50, date=self._days(2))
        partly = self._promise(self.debtor, amount=150, date=self._days(3))
        self._pay(self.old_invoice, on=self.today + timedelta(days=1))
        self._pay(self.invoice, amount=125, on=self.today + timedelta(days=3))
        self._settle_on(3)
        with freeze_time(self.today + timedelta(days=3, hours=12)):
            self.debtor.invalidate_recordset()
            self.assertEqual(self.debtor.promise_due_count, 0)
        self._settle_on(30)
        later = self.today + timedelta(days=30, hours=12)
        with freeze_time(later):
            self.debtor.invalidate_recordset()
            states = (kept + broken + partly).mapped("state")
            self.assertEqual(states[0], "kept")
            due = len(states)
            self.assertEqual(self.debtor.promise_due_count, due)
            self.assertAlmostEqual(self.debtor.promise_kept_share, 100 * states.count("kept") / due, 1)
            self.assertAlmostEqual(self.debtor.promise_kept_amount_share, 100 * 225 / 300, 1)
            [[company, share]] = (
                self.env["collection.promise"]
                .with_user(self.team_user)
                ._read_group([("debtor_id", "=", self.debtor.id)], ["company_id"], ["kept_amount_share:avg"])
            )
            self.assertEqual((company, round(share)), (self.company, 75))

    # === IN WRITING === #

    def test_confirmation_and_answer(self):
        self.customer.lang = "en_US"
        promises = self._plan((6, 100), (20, 200), send_confirmation=True)
        self.assertEqual(set(promises.mapped("confirmed_on")), {self.today})
        message = promises[0].message_ids.filtered(lambda message: message.message_type == "comment")
        self.assertEqual((len(message), message.partner_ids), (1, self.customer))
        self.assertIn("200.00", message.body)
        self.assertEqual(message.email_from, self.company.email_formatted)
        self.assertEqual(
            self.debtor.action_ids.filtered(lambda action: action.channel == "email").mail_message_id, message
        )
        promises.with_user(self.collector).action_send_confirmation()
        self.assertEqual(len(promises.message_ids.filtered(lambda message: message.message_type == "comment")), 1)
        self.assertFalse(promises[0].acknowledged_on)
        self._answer(promises[0], "stranger@example.com")
        self.assertFalse(promises[0].acknowledged_on)
        self._answer(promises[0])
        self.assertEqual(set(promises.mapped("acknowledged_on")), {self.today})
        self.assertIn(
            "Agreed.", promises[0].message_ids.filtered(lambda message: message.message_type == "email")[0].body
        )
        promises[0].with_user(self.collector).action_not_acknowledged()
        self.assertFalse(promises[0].acknowledged_on)

    def test_confirmation_needs_an_address(self):
        self.customer.email = False
        with self.assertRefused("no valid e-mail address"):
            self._promise(self.debtor, send_confirmation=True)
        self.assertFalse(self.debtor.promise_ids)

    def test_acknowledgement_can_t_be_forged(self):
        promise = self._promise(self.debtor, send_confirmation=True).with_user(self.collector)
        with self.assertRefused("by hand"):
            promise.acknowledged_on = self.today
        promise.message_post(body="Agreed", message_type="email", author_id=self.customer.id)
        self.assertFalse(promise.acknowledged_on)

    def _remind_on(self, days):
        self._remind_at(f"{self.today + timedelta(days=days)} 10:00:00")

    def _remind_at(self, moment):
        """Run the scheduled action at a moment, in UTC."""
        with freeze_time(moment), self.enter_registry_test_mode():
            self.env.ref("account_collection.cron_remind_promises").method_direct_trigger()

    def test_reminder_on_the_working_day_before(self):
        # Promised for Monday the 16th: the working day before is Friday.
        promise = self._promise(self.debtor, date=self._days(6), remind_before=True)
        other = self._create_invoice(self.other_customer, amount=50)
        silent = self._promise(self._get_debtor(self.other_customer), date=self._days(6))
        self._remind_on(2)
        self.assertFalse(promise.reminded_on)
        for _run in range(2):
            self._remind_on(3)
        self.assertEqual(promise.reminded_on, self.today + timedelta(days=3))
        messages = promise.message_ids.filtered(lambda message: message.message_type == "comment")
        self.assertEqual(len(messages), 1)
        self.assertIn("300.00", messages.body)
        self.assertFalse(silent.reminded_on)
        self.assertTrue(other)

    def _get_reminders(self, promise):
        return promise.message_ids.filtered(lambda message: message.message_type == "comment")

    def test_reminder_is_a_message_like_others(self):
        """From the company, on file as a contact of the collector, and followed until it arrived."""
        self.debtor.collector_id = self.other_collector
        promise = self._promise(self.debtor, self.other_collector, date=self._days(2), remind_before=True)
        self._remind_on(1)
        message = self._get_reminders(promise)
        self.assertEqual(message.author_id, self.company.partner_id)
        action = self.debtor.action_ids.filtered(lambda action: action.channel == "email")
        self.assertRecordValues(
            action,
            [
                {
                    "state": "done",
                    "delivery_state": "queued",
                    "promise_id": promise.id,
                    "mail_message_id": message.id,
                    "address": self.customer.email_normalized,
                    "user_id": self.other_collector.id,
                }
            ],
        )
        self.assertFalse(action.item_ids)

    def test_reminder_within_the_hours_of_sending(self):
        promise = self._promise(self.debtor, date=self._days(2), remind_before=True)
        day = self._days(1)
        self._remind_at(f"{day} 07:29:00")  # 8:29 in Paris
        self.assertFalse(promise.reminded_on)
        self._remind_at(f"{day} 17:00:00")  # 18:00: too late
        self.assertFalse(promise.reminded_on)
        self._remind_at(f"{day} 07:30:00")
        self.assertTrue(promise.reminded_on)

    def test_reminder_waits(self):
        """A pause, an answer, a closed day, money on its way: what is over in time lets it go."""
        promise = self._promise(self.debtor, date=self._days(2), remind_before=True)
        line = {}

        def announce():
            line["it"] = self.env["account.bank.statement.line"].create(
                {
                    "journal_id": self.company_data["default_journal_bank"].id,
                    "partner_id": self.customer.id,
                    "amount": 5000,
                    "date": self.today,
                    "payment_ref": "Thanks",
                }
            )

        quiet = self.env["collection.quiet.period"]
        for words, begin, end in (
            ("paused", {"paused_until": self._days(5)}, {"paused_until": False}),
            ("answered", {"reply_date": self.today}, {"reply_date": False}),
            ("closed", {"closed_weekday": "2"}, {"closed_weekday": False}),
        ):
            with self.subTest(words):
                self.debtor.sudo().write(begin)
                self._remind_on(1)
                self.assertFalse(promise.reminded_on)
                self.debtor.sudo().write(end)
        with self.subTest("holidays"):
            period = quiet.create(
                {
                    "name": "Holidays",
                    "debtor_id": self.debtor.id,
                    "company_id": self.company.id,
                    "date_from": self._days(1),
                    "date_to": self._days(1),
                }
            )
            self._remind_on(1)
            self.assertFalse(promise.reminded_on)
            period.unlink()
        with self.subTest("money on its way"):
            announce()
            self._remind_on(1)
            self.assertFalse(promise.reminded_on)
            line["it"].unlink()
        self._remind_on(1)
        self.assertTrue(promise.reminded_on)
        self.assertEqual(len(self._get_reminders(promise)), 1)

    def test_reminder_asks_the_one_list_of_silences(self):
        """What keeps plans and people quiet keeps it quiet, too, but for what the promise itself explains."""
        promise = self._promise(self.debtor, date=self._days(2), remind_before=True)
        bank = self.company_data["default_journal_bank"]

        def contact(days, **values):
            with freeze_time(self.today + timedelta(days=days, hours=9)):
                self.env["collection.action"]._log(self.debtor, "email", **values)

        def write_about_other_debts():
            contact(1)

        def speak_too_often():
            self.company.write({"collection_pressure_cap": 2, "collection_contact_gap_days": 0})
            contact(-20)
            contact(-10)

        def forget_the_bank():
            payment = self._pay_on_account(self.other_customer, on=self._days(-20))
            self.assertEqual(payment.journal_id, bank)
            self.company.collection_bank_fresh_days = 7

        def ask_of_another_addon():
            Debtor = self.env.registry["collection.debtor"]
            base = Debtor._get_silence_reason
            self.patch(
                Debtor,
                "_get_silence_reason",
                lambda debtor, channel=None, email=None: (
                    base(debtor, channel, email) or (channel == "email" and "In court.")
                ),
            )

        def leave_a_payment_unclear():
            old = self._create_invoice(amount=500, days_late=90)
            self._get_items(old).no_followup = True
            self._create_invoice(amount=70, days_late=10)
            self._pay_on_account(amount=40)

        def pay_on_account():
            self._pay_on_account(amount=300)

        for begin in (
            write_about_other_debts,
            speak_too_often,
            forget_the_bank,
            leave_a_payment_unclear,
            pay_on_account,
            ask_of_another_addon,
        ):
            with self.subTest(begin.__name__), self.env.cr.savepoint() as savepoint:
                begin()
                self.env.flush_all()
                with freeze_time(f"{self._days(1)} 10:00:00"):
                    promise.sudo()._remind()
                self.assertFalse(promise.reminded_on)
                self.assertFalse(self._get_reminders(promise))
                savepoint.rollback()
                self.env.invalidate_all()

    def test_what_does_not_silence_a_reminder_of_a_promise(self):
        """The promise is why nothing else is claimed; the contact in which it was made is not too near."""
        self.company.collection_min_amount = 50
        other = self._promise(self.debtor, amount=100, date=self._days(2), remind_before=True, send_confirmation=True)
        promise = self._promise(self.debtor, amount=200, date=self._days(2), remind_before=True)
        self._log_call(self.debtor)
        self._pay_on_account(amount=20)
        self.assertEqual(self._get_debtor().claimable_amount, 0)
        self._remind_on(1)
        self.assertTrue(promise.reminded_on)
        self.assertEqual((len(self._get_reminders(promise)), len(self._get_reminders(other))), (1, 2))

    def test_no_reminder_of_cents(self):
        promise = self._promise(self.debtor, date=self._days(2), remind_before=True)
        self._pay(self.old_invoice)
        self._pay(self.invoice, amount=195.01)
        self._remind_on(1)
        self.assertEqual(promise.state, "open")
        self.assertFalse(self._get_reminders(promise))
        self.assertIn("too small", self.debtor.message_ids[:1].body)

    def test_no_reminder_to_whom_may_not_be_written_to(self):
        def insolvent():
            self.debtor.insolvency = True

        def archived():
            self.debtor.active = False

        def bounced():
            self.debtor.sudo()._note_bounced_email(self.customer.email_normalized)

        def blacklisted():
            self.env["mail.blacklist"]._add(self.customer.email)

        for words, forbid in (
            ("insolvency", insolvent),
            ("archived", archived),
            ("address", bounced),
            ("address", blacklisted),
        ):
            with self.subTest(forbid.__name__), self.env.cr.savepoint() as savepoint:
                promise = self._promise(self.debtor, date=self._days(2), remind_before=True)
                forbid()
                self.env.flush_all()
                with freeze_time(f"{self._days(1)} 10:00:00"):
                    promise.sudo()._remind()
                self.assertEqual(promise.reminded_on, self.today + timedelta(days=1))
                self.assertFalse(self._get_reminders(promise))
                self.assertIn(words, self.debtor.message_ids[:1].body)
                savepoint.rollback()
                self.env.invalidate_all()

    def test_reminder_goes_to_the_next_address(self):
        other = self.env["res.partner"].create(
            {"name": "Accounts", "email": "accounts@customer.example", "parent_id": self.customer.id}
        )
        self.debtor.sudo()._note_bounced_email(self.customer.email_normalized)
        promise = self._promise(self.debtor, date=self._days(2), remind_before=True)
        self._remind_on(1)
        self.assertEqual(self._get_reminders(promise).partner_ids, other)

    def test_no_reminder_of_what_is_paid(self):
        promise = self._promise(self.debtor, date=self._days(6), remind_before=True)
        self._pay(self.old_invoice)
        self._pay(self.invoice)
        self._remind_on(3)
        self.assertEqual(promise.state, "kept")
        self.assertFalse(promise.message_ids.filtered(lambda message: message.message_type == "comment"))

    def test_no_reminder_in_insolvency_proceedings(self):
        promise = self._promise(self.debtor, date=self._days(6), remind_before=True)
        self.debtor.sudo().insolvency = True
        self._remind_on(3)
        self.assertEqual(promise.state, "open")
        self.assertFalse(promise.message_ids.filtered(lambda message: message.message_type == "comment"))

    def test_no_reminder_while_the_invoice_is_corrected(self):
        promise = self._promise(self.debtor, date=self._days(6), remind_before=True)
        self.invoice.button_draft()
        self._remind_on(3)
        self.assertEqual(promise.state, "open")
        self.assertFalse(promise.message_ids.filtered(lambda message: message.message_type == "comment"))
