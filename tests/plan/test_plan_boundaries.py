from datetime import timedelta

from odoo.tests import freeze_time, tagged

from ..plan_common import PlanCommon


@tagged("post_install", "-at_install")
class TestPlanBoundaries(PlanCommon):
    """What a decision reads, and the day itself on which each rule begins or ends."""

    def assertReason(self, reason, debtor=None, day=None, **options):
        decision = self._decide(debtor, day, **options)
        self.assertEqual(decision.reason, reason)
        return decision

    def _create_transaction(self, invoice, **values):
        provider = self.env["payment.provider"].create({"name": "Bank", "company_id": self.company.id})
        return self.env["payment.transaction"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": self.env.ref("payment.payment_method_unknown").id,
                "reference": invoice.name,
                "amount": 100,
                "currency_id": self.company.currency_id.id,
                "partner_id": self.customer.id,
                "invoice_ids": [(6, 0, invoice.ids)],
                "last_state_change": self.env.cr.now(),
                **values,
            }
        )

    # == Money on its way ==

    def test_online_payment_that_is_done_and_not_booked_yet(self):
        """A reminder minutes after paying by card would be the worst of all."""
        invoice = self._create_invoice(days_late=10)
        transaction = self._create_transaction(invoice, state="done")
        self.assertFalse(transaction.is_post_processed)
        decision = self.assertReason("payment_pending")
        words = self.plan._describe(decision, self._get_debtor())
        self.assertIn(transaction.reference, words)
        self.assertIn("100", words)
        transaction.is_post_processed = True
        self.assertReason("due")

    def test_refund_under_way_is_no_payment(self):
        invoice = self._create_invoice(days_late=10)
        self._create_transaction(invoice, amount=-100, state="pending")
        self.assertReason("due")

    def test_bank_line_that_is_not_posted_is_no_payment(self):
        invoice = self._create_invoice(days_late=10)
        line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.company_data["default_journal_bank"].id,
                "date": self.today,
                "payment_ref": "Transfer",
                "amount": 100.0,
                "partner_id": self.customer.id,
            }
        )
        decision = self.assertReason("unmatched_payment")
        words = self.plan._describe(decision, self._get_debtor())
        self.assertIn("Transfer", words)
        self.assertIn("03/10/2026", words)
        line.move_id.button_draft()
        self.assertReason("due")
        self.assertEqual(invoice.amount_residual, 100)

    def test_payment_booked_for_a_later_day(self):
        self._create_invoice(days_late=10)
        payment = self._pay_on_account(amount=100, on=self.today + timedelta(days=5))
        decision = self.assertReason("payment_announced")
        words = self.plan._describe(decision, self._get_debtor())
        self.assertIn("booked for a later day", words)
        self.assertIn(payment.name, words)
        self.assertIn("03/15/2026", words)

    def test_branch_watches_the_bank_of_its_parent(self):
        """Customers of a branch pay to the parent's bank: nobody is reminded while it is not up to date."""
        branch = self.env["res.company"].create({"name": "Agence Nord", "parent_id": self.company.id})
        branch.collection_bank_fresh_days = 7
        Journal = self.env["account.journal"]
        self._enter_bank_statement(self.today - timedelta(days=7))
        self.assertFalse(Journal._get_collection_stale_journal(branch))
        branch.collection_bank_fresh_days = 6
        stale = Journal._get_collection_stale_journal(branch)
        self.assertEqual(stale["journal"], self.company_data["default_journal_bank"].name)
        self.assertEqual(stale["date"], self.today - timedelta(days=7))
        self.assertFalse(Journal._get_collection_stale_journal(self.company), "each company has its own limit")
        self.company_data["default_journal_bank"].collection_is_watched = False
        self.assertFalse(Journal._get_collection_stale_journal(branch))

    # == Credits ==

    def test_the_plan_asks_for_what_the_file_says(self):
        """Whatever credit stands beside: the plan and the follow-up file claim the same amount."""
        self._create_invoice(amount=100, days_late=10)
        credit = self._create_invoice(amount=30, days_late=0, move_type="out_refund")
        for is_excluded in (False, True):
            self._get_items(credit).no_followup = is_excluded
            debtor = self._get_debtor()
            facts = self.env["collection.plan"]._get_decision_context(self.company, debtor, self.today)
            self.assertEqual(facts.claimable(debtor.id, self.today), debtor.claimable_amount)
        self.assertEqual(debtor.claimable_amount, 100, "a credit that is left out nets no claim")

    def test_credit_in_another_currency_covers_nothing(self):
        dollar = self.setup_other_currency("USD", rates=[("1900-01-01", 2.0)])
        self._create_invoice(amount=100, days_late=10)
        self._pay_on_account(amount=500, currency=dollar)
        debtor = self._get_debtor()
        self.assertReason("due", debtor)
        facts = self.env["collection.plan"]._get_decision_context(self.company, debtor, self.today)
        self.assertEqual(facts.claimable(debtor.id, self.today), 100)

    # == Contacts ==

    def test_unanswered_calls_are_no_contacts(self):
        self.company.collection_pressure_cap = 2
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        self._log_call(debtor, "no_answer")
        self._log_call(debtor, "voicemail")
        self.assertReason("due", debtor)
        self._log_call(debtor, "someone_else")
        self.assertReason("gap", debtor)

    def test_contacts_of_thirty_days_count_for_the_pressure(self):
        self.company.write({"collection_pressure_cap": 2, "collection_contact_gap_days": 0})
        self.plan.gap_days = 0
        self._create_invoice(days_late=40)
        debtor = self._get_debtor()
        # The contact of 9 February is out of the thirty days on 11 March.
        for day in ("2026-02-09", "2026-02-11"):
            with freeze_time(f"{day} 09:00:00"):
                self._log_call(debtor)
        self.assertReason("due", debtor, self.today + timedelta(days=1))
        with freeze_time("2026-02-16 09:00:00"):
            self._log_call(debtor)
        decision = self.assertReason("pressure", debtor)
        self.assertEqual(str(decision.day), "2026-03-13", "thirty days after the second of three")

    def test_a_call_late_in_the_evening_counts_for_its_day_in_paris(self):
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        with freeze_time("2026-03-09 23:30:00"):  # half past midnight of the tenth in Paris
            self._log_call(debtor)
        decision = self.assertReason("gap", debtor)
        self.assertEqual(str(decision.day), "2026-03-13", "three days after the tenth")

    def test_a_skipped_step_is_skipped_for_all_items(self):
        """The call that nobody made is not asked for again because of the other invoice."""
        plan = self._create_plan(sequence=0, steps=((5, "call"), (20, "email")), gap_days=0)
        plan._start(self._step(5, plan))
        self.company.collection_contact_gap_days = 0
        older = self._create_invoice(days_late=6)
        younger = self._create_invoice(amount=40, days_late=5)
        debtor = self._get_debtor()
        self._run_cron()
        call = self._actions(debtor)
        self.assertEqual((call.step_id, call.state), (self._step(5, plan), "planned"))
        last = self.today + timedelta(days=call.step_id.patience)
        for number in range(1, call.step_id.patience + 1):
            with freeze_time(f"{self.today + timedelta(days=number)} 09:00:00"):
                self._run_cron()
        self.assertRecordValues(call, [{"state": "planned", "date_planned": self.today, "is_skipped": False}])
        while (last := last + timedelta(days=1)).weekday() > 4:  # on a working day
            pass
        with freeze_time(f"{last} 09:00:00"):
            self._synchronize()
            self._run_cron()
            self.assertTrue(call.is_skipped, "weekends don't begin the days anew that people have")
            self.assertEqual(call.item_ids.move_id, older + younger)
            self._pay(older)
            self._synchronize()
            decision = self.assertReason("not_yet", debtor)
            self.assertEqual(decision.step, self._step(20, plan))
            self.assertEqual(self._actions(debtor), call)

    # == Days ==

    def test_due_on_the_day_of_the_start_is_no_old_debt(self):
        self.assertEqual(self.plan.started_on, self.today)
        self._create_invoice(days_late=0)
        self._create_invoice(self.other_customer, days_late=1)
        later = self.today + timedelta(days=9)
        self.assertFalse(self._decide(self._get_debtor(), later).is_old)
        self.assertTrue(self._decide(self._get_debtor(self.other_customer), later).is_old)

    def test_step_on_the_due_date(self):
        plan = self._create_plan(sequence=0, steps=((0, "email"), (9, "email")))
        plan._start()
        self._create_invoice(days_late=-1)
        debtor = self._get_debtor()
        decision = self.assertReason("not_yet", debtor)
        self.assertEqual((decision.step, str(decision.day)), (self._step(0, plan), "2026-03-11"))
        self.assertReason("due", debtor, self.today + timedelta(days=1))
        self.assertEqual(self._decide(debtor, self.today + timedelta(days=2)).step, self._step(0, plan))

    def test_due_today_is_neither_late_nor_counted(self):
        """What is due today counts for no least amount, and keeps no courtesy message back."""
        self._step(3).min_amount = 150
        self._create_invoice(amount=100, days_late=4)
        self._create_invoice(amount=60, days_late=0)
        debtor = self._get_debtor()
        self.assertEqual(self._decide(debtor).step, self._step(8))
        self.assertEqual(self._decide(debtor, self.today + timedelta(days=1)).step, self._step(3))
        courtesy = self._create_invoice(self.other_customer, amount=50, days_late=-6)
        self._create_invoice(self.other_customer, amount=20, days_late=0)
        decision = self._decide(self._get_debtor(courtesy.partner_id))
        self.assertEqual((decision.reason, decision.step), ("due", self._step(-7)))

    def test_exactly_the_least_amount(self):
        self._step(3).min_amount = 100
        self._create_invoice(amount=100, days_late=10)
        self.assertEqual(self._decide().step, self._step(3))

    def test_one_day_less_than_the_gap(self):
        self._create_invoice(days_late=20)
        debtor = self._get_debtor()
        self._log_call(debtor)
        self.assertEqual(self.plan.gap_days, 3)
        self.assertReason("gap", debtor, self.today + timedelta(days=2))
        self.assertReason("due", debtor, self.today + timedelta(days=3))
        self.plan.gap_days = self.company.collection_contact_gap_days = 0
        self.assertReason("gap", debtor)
        self.assertReason("due", debtor, self.today + timedelta(days=1))

    # == Payment runs ==

    def test_only_steps_that_wait_for_the_payment_run_do(self):
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        debtor.payment_days = "19"
        self.assertReason("due", debtor)

    def test_the_last_day_of_february_is_the_run_of_the_thirty_first(self):
        """Who pays on the 10th and the 31st pays on 28 February: remind from the 25th."""
        self.plan.step_ids.awaits_run = True
        with freeze_time("2026-02-18 09:00:00"):
            self.plan.sudo().started_on = "2026-02-18"
            self._create_invoice(days_late=30)
            debtor = self._get_debtor()
            debtor.payment_days = "10, 31"
            decision = self.assertReason("payment_run", debtor)
            self.assertEqual(str(decision.day), "2026-02-25")

    def test_longest_wait_for_a_payment_run(self):
        """Ten days are waited for, eleven are not; on the day of the run itself the next one is too far."""
        self.plan.step_ids.awaits_run = True
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        debtor.payment_days = "23"  # three days before is the 20th
        self.assertReason("payment_run", debtor)
        debtor.payment_days = "24"
        self.assertReason("due", debtor)
        debtor.payment_days = "10"
        self.assertReason("due", debtor)
