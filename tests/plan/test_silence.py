from datetime import timedelta

from odoo.tests import Form, freeze_time, tagged

from ..plan_common import PlanCommon


@tagged("post_install", "-at_install")
class TestSilence(PlanCommon):
    """One list of reasons to leave a customer alone, asked by plans and people alike; another addon may add to it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(amount=100)
        cls.debtor = cls._get_debtor()

    def _extend(self, reason, only=None, channel=None):
        """Add a reason to leave customers alone, as another addon does: by extending the documented hook."""
        Debtor = self.env.registry["collection.debtor"]
        base = Debtor._get_silence_reason
        asked = []

        def _get_silence_reason(self, channel_asked=None, email=None):
            asked.append((self, channel_asked))
            is_meant = (only is None or self == only) and (channel is None or channel == channel_asked)
            return base(self, channel_asked, email) or (is_meant and reason)

        self.patch(Debtor, "_get_silence_reason", _get_silence_reason)
        return asked

    def _open(self, user=None):
        return Form(
            self.env["collection.reminder.send"]
            .with_user(user or self.collector)
            .with_context(default_debtor_id=self.debtor.id)
        )

    # == Another addon's reason ==

    def test_a_new_reason_is_asked_for_by_all(self):
        self._create_invoice(self.other_customer, amount=70)
        other = self._get_debtor(self.other_customer)
        campaign = self._start_campaign()
        self._extend("In court since March.", only=self.debtor)
        # The plan.
        decision = self._decide(self.debtor)
        self.assertEqual(self.plan._describe(decision, self.debtor), "In court since March.")
        self.assertTrue(self._decide(other).is_due)
        self._run_cron()
        self.assertEqual(self._actions(plan_id=self.plan.id).debtor_id, other)
        # The simulation.
        simulation = self.env["collection.plan.simulation"]._create_simulation(self.plan)
        simulation._run()
        self.assertEqual(simulation.line_ids.debtor_id, other)
        # Why?
        why = self.env["collection.debtor.why"].with_user(self.collector).create({"debtor_id": self.debtor.id})
        self.assertEqual(why.answer, "In court since March.")
        self.assertIn("Step 3", why.otherwise)
        # The dialogues.
        self.assertEqual(self._open().silence_reason, "In court since March.")
        with self.assertRefused("In court"):
            self._open().save().action_send()
        call = self.env["collection.call.log"].with_user(self.collector).create({"debtor_id": self.debtor.id})
        self.assertEqual(call.silence_reason, "In court since March.")
        statement = self.env["collection.statement.print"].create({"debtor_ids": [(6, 0, self.debtor.ids)]})
        self.assertEqual(statement.silence_reason, "In court since March.")
        with self.assertRefused("In court"):
            statement.action_send()
        # Cases and hand-overs.
        case = campaign.case_ids.filtered(lambda case: case.debtor_id == self.debtor)
        self.assertEqual(case.warning, "In court since March.")
        self.assertEqual(self.env["collection.handover"]._get_obstacles(case), {case: "In court since March."})
        self.assertEqual(self.debtor._get_silence_reason("email"), "In court since March.")
        # Reminders of promises.
        promise = self._promise(self.debtor, amount=30, date=self._days(2), remind_before=True)
        other_promise = self._promise(other, amount=30, date=self._days(2), remind_before=True)
        with freeze_time(f"{self._days(1)} 10:00:00"):
            (promise + other_promise).sudo().mapped(lambda reminded: reminded._remind())
        self.assertFalse(promise.reminded_on)
        self.assertTrue(other_promise.reminded_on)

    def test_a_reason_that_depends_on_the_channel(self):
        self._extend("Never by e-mail.", channel="email")
        self.assertEqual(self.plan._describe(self._decide(self.debtor), self.debtor), "Never by e-mail.")
        self.assertTrue(self._open().silence_reason)
        self._step(3).channel = "call"
        self.assertTrue(self._decide(self.debtor).is_due)
        self.assertFalse(self.debtor._get_silence_reason("call"))

    def test_a_planned_message_is_cancelled_for_it(self):
        self.env["collection.plan"]._plan_company(self.company)
        self._extend("In court since March.")
        self._run_cron()
        self.assertRecordValues(
            self._actions(self.debtor), [{"state": "cancelled", "result_text": "In court since March."}]
        )

    def test_what_it_reads_is_read_for_all_at_once(self):
        partners = [self._create_customer(f"Many {number}") for number in range(12)]
        for partner in partners:
            self._create_invoice(partner, amount=50)
        self._synchronize()
        debtors = self.env["collection.debtor"].search([("company_id", "=", self.company.id)])
        Debtor = self.env.registry["collection.debtor"]
        base = Debtor._get_silence_reason

        def _get_silence_reason(self, channel=None, email=None):
            return base(self, channel, email) or ("Court" in (self.comment or "") and "In court.")

        def count(some):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["collection.plan"]._decide(some, self.today)
            return self.env.cr.sql_log_count - before

        plain = count(debtors)
        self.patch(Debtor, "_get_silence_reason", _get_silence_reason)
        few, many = count(debtors[:2]), count(debtors)
        self.assertLessEqual(many, plain + 2)
        self.assertLessEqual(many, few + 1)

    # == People overrule knowingly ==

    def test_reminder_in_spite_of_an_unread_answer_and_a_pause(self):
        self.debtor.sudo().write({"reply_date": self.today, "paused_until": self.today + timedelta(days=4)})
        form = self._open()
        self.assertIn("paused until", form.silence_reason)
        self.assertIn("read the answer", form.silence_reason)
        self.assertFalse(form.is_silence_final)
        with self.assertRefused("paused until"):
            form.save().action_send()
        form = self._open()
        form.send_anyway = True
        form.save().action_send()
        action = self.debtor.action_ids.filtered(lambda action: action.channel == "email")
        self.assertEqual(action.state, "done")
        self.assertEqual(action.overruled_by_id, self.collector)
        self.assertIn("paused until", action.overruled_text)
        self.assertTrue(
            self.debtor.message_ids.filtered(lambda message: "Collector went on in spite of this" in message.body)
        )
        with self.assertRefused("can't be written by hand"):
            action.with_user(self.collector).write({"overruled_text": False})

    def test_only_what_was_shown_is_overruled(self):
        self.debtor.paused_until = self.today + timedelta(days=4)
        form = self._open()
        form.send_anyway = True
        wizard = form.save()
        self.debtor.sudo().reply_date = self.today
        with self.assertRefused("read the answer"):
            wizard.action_send()
        self.assertFalse(self.debtor.action_ids)

    def test_what_nobody_overrules(self):
        blacklist = self.env["mail.blacklist"]
        address = self.customer.email
        for change, undo, words in (
            (
                lambda: self.debtor.write({"insolvency": True}),
                lambda: self.debtor.write({"insolvency": False}),
                "Insolvency",
            ),
            (lambda: blacklist._add(address), lambda: blacklist._remove(address), "asked not to be written"),
            (lambda: self.customer.write({"email": False}), lambda: None, "no e-mail address"),
        ):
            change()
            form = self._open()
            self.assertIn(words, form.silence_reason)
            self.assertTrue(form.is_silence_final)
            # Whatever the form hides, the model refuses.
            values = {"debtor_id": self.debtor.id, "send_anyway": True}
            wizard = self.env["collection.reminder.send"].with_user(self.collector).create(values)
            with self.assertRefused(words):
                wizard.action_send()
            undo()

    def test_reasons_of_messages_by_hand(self):
        """An address from which messages came back, a debt too small for the plan, contacts that were too many."""
        self.debtor.sudo().bounced_emails = self.customer.email
        self.assertIn("came back", self._open().silence_reason)
        self.debtor.sudo().bounced_emails = False
        self.plan.step_ids.filtered(lambda step: step.delay > 0).min_amount = 100.01
        self.assertEqual(self._decide(self.debtor).reason, "too_small")
        self.assertIn("less than the steps", self._open().silence_reason)
        self.plan.step_ids.min_amount = 100
        self.assertFalse(self._open().silence_reason)
        self.company.collection_pressure_cap = 2
        with freeze_time("2026-02-12 09:00:00"):
            self._log_call(self.debtor)
        self._log_call(self.debtor)
        self.assertIn("2 contacts in 30 days", self._open().silence_reason)

    def test_a_pause_is_over_on_its_last_day(self):
        """“Paused until the 14th”: on the 14th one speaks again, plan and people alike."""
        self.debtor.paused_until = self.today + timedelta(days=4)
        self.assertEqual(self._decide(self.debtor, self.today + timedelta(days=3)).reason, "paused")
        self.assertNotEqual(self._decide(self.debtor, self.today + timedelta(days=4)).reason, "paused")
        self.debtor.paused_until = self.today
        self.assertTrue(self._decide(self.debtor).is_due)
        self.assertFalse(self.debtor._get_silence_reason("email"))
        self.debtor.paused_until = self.today + timedelta(days=1)
        self.assertTrue(self.debtor._get_silence_reason("email"))

    def test_what_weighs_less_holds_once_a_pause_is_over(self):
        self.debtor.sudo().write({"paused_until": self.today + timedelta(days=4), "reply_date": self.today})
        self.assertEqual(self._decide(self.debtor).reason, "paused")
        self.assertEqual(self._decide(self.debtor, self.today + timedelta(days=9)).reason, "unread_reply")

    def test_hand_over_in_spite_of_a_pause(self):
        campaign = self._start_campaign(member_ids=[(6, 0, self.collector.ids)])
        case = campaign.case_ids.with_user(self.team_user)
        self.debtor.paused_until = self.today + timedelta(days=4)
        provider = self.env["collection.provider"].create(
            {"partner_id": self._create_customer("Phone House").id, "company_id": self.company.id}
        )
        wizard = (
            self.env["collection.handover.create"]
            .with_user(self.team_user)
            .create(
                {
                    "company_id": self.company.id,
                    "case_ids": [(6, 0, case.ids)],
                    "provider_id": provider.id,
                    "date_start": self.today,
                    "date_end": self.today + timedelta(days=9),
                }
            )
        )
        self.assertIn("paused until", wizard.left_out)
        self.assertTrue(wizard.can_overrule)
        with self.assertRefused("paused until"):
            wizard.action_confirm()
        wizard.overrule = True
        self.assertFalse(wizard.left_out)
        wizard.action_confirm()
        self.assertTrue(self.debtor.handover_id)
        self.assertTrue(
            self.debtor.message_ids.filtered(lambda message: "Team User went on in spite of this" in message.body)
        )

    def test_statement_in_spite_of_a_pause(self):
        self.debtor.paused_until = self.today + timedelta(days=4)
        values = {"debtor_ids": [(6, 0, self.debtor.ids)], "send_anyway": True}
        self.env["collection.statement.print"].with_user(self.collector).create(values).action_send()
        self.assertEqual(self.debtor.statement_ids.state, "sent")
        self.assertRecordValues(self.debtor.action_ids, [{"channel": "note", "overruled_by_id": self.collector.id}])
        self.debtor.insolvency = True
        with self.assertRefused("Insolvency"):
            self.env["collection.statement.print"].with_user(self.collector).create(values).action_send()

    # == Credits to allocate ==

    def _create_debt_left_out(self, amount, days_late, **values):
        invoice = self._create_invoice(amount=amount, days_late=days_late, **values)
        self._get_items(invoice).no_followup = True
        return invoice

    def test_a_payment_that_could_belong_to_an_older_debt(self):
        """Whether 40 or 500 are paid: nothing is claimed until somebody has said of which debt."""
        old = self._create_debt_left_out(500, days_late=60)
        for amount in (40, 500):
            payment = self._pay_on_account(amount=amount)
            decision = self._decide(self._get_debtor())
            self.assertEqual(decision.reason, "credit_to_allocate")
            words = self._plain(self.plan._describe(decision, self.debtor))
            self.assertRegex(words, rf"A payment of (€ ?)?{amount}\.00( €)? is not allocated")
            self.assertIn(old.name, words)
            self.assertTrue(self.debtor.has_credit_to_allocate)
            Debtor = self.env["collection.debtor"].with_user(self.collector)
            self.assertEqual(Debtor.search([("has_credit_to_allocate", "=", True)]), self.debtor)
            self.assertNotIn(self.debtor, Debtor.search([("has_credit_to_allocate", "=", False)]))
            self.assertIn("allocate it first", self._open().silence_reason)
            payment.action_draft()
            self.debtor.invalidate_recordset()
        payment.action_post()
        (self._get_items(payment.move_id) + self._get_items(old)).reconcile()
        self.assertTrue(self._decide(self._get_debtor()).is_due)
        self.assertFalse(self.debtor.has_credit_to_allocate)

    def test_no_doubt_about_a_payment(self):
        """A younger debt left out, another currency, or a credit that is itself left out: the claim stands."""
        dollar = self.setup_other_currency("USD", rates=[("1900-01-01", 2.0)])
        self._create_debt_left_out(500, days_late=9)
        self._create_debt_left_out(500, days_late=60, currency=dollar)
        self._pay_on_account(amount=40)
        self.assertTrue(self._decide(self._get_debtor()).is_due)
        equal = self._create_debt_left_out(20, days_late=10)
        self.assertEqual(self._decide(self._get_debtor()).reason, "credit_to_allocate", "due on the same day")
        equal.button_draft()
        old = self._create_debt_left_out(70, days_late=60)
        self.env["account.move.line"].search(
            [("partner_id", "=", self.customer.id), ("amount_residual", "<", 0)]
        ).no_followup = True
        self.assertTrue(old.id and self._decide(self._get_debtor()).is_due)

    def test_credit_note_that_names_its_invoice_is_no_doubt(self):
        self._create_debt_left_out(500, days_late=60)
        credit = self.invoice._reverse_moves([{"invoice_date": self.today, "date": self.today}])
        credit.invoice_line_ids.price_unit = 30
        credit.action_post()
        self._get_items(credit).remove_move_reconcile()
        self.assertTrue(credit.reversed_entry_id and self._get_items(credit).amount_residual < 0)
        self.assertTrue(self._decide(self._get_debtor()).is_due)

    def test_the_other_customers_are_claimed(self):
        self._create_debt_left_out(500, days_late=60)
        self._pay_on_account(amount=40)
        self._create_invoice(self.other_customer, amount=70)
        other = self._get_debtor(self.other_customer)
        decisions = self.env["collection.plan"]._decide(other + self.debtor, self.today)
        self.assertEqual(
            {debtor: decision.reason for debtor, decision in decisions.items()},
            {other: "due", self.debtor: "credit_to_allocate"},
        )
        self.assertFalse(other.has_credit_to_allocate)
