from datetime import timedelta

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, tagged

from ..common import CollectionCommon


@tagged("post_install", "-at_install")
class TestPromise(CollectionCommon):
    """A promise is judged on the cash that came in, and nothing promised is claimed meanwhile."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(amount=100, days_late=20)
        cls.debtor = cls._get_debtor()

    def _settle_on(self, days):
        with freeze_time(self.today + timedelta(days=days, hours=12)):
            self._synchronize()

    def test_two_clicks(self):
        """The dialogue proposes everything that can be claimed, in a week, by transfer."""
        form = Form(
            self.env["collection.promise.record"]
            .with_user(self.collector)
            .with_context(default_debtor_id=self.debtor.id)
        )
        form.save().action_confirm()
        promise = self.debtor.promise_ids
        self.assertRecordValues(
            promise,
            [{"amount": 100, "date": self.today + timedelta(days=7), "method": "transfer", "state": "open"}],
        )
        self.assertEqual(self.debtor.action_ids.promise_id, promise)
        self.assertIn("Promise to pay", self.debtor.message_ids[0].body)
        self.assertEqual((self.debtor.claimable_amount, self.debtor.promised_amount), (0, 100))

    def test_kept_as_soon_as_paid(self):
        promise = self._promise(self.debtor)
        self._pay(self.invoice)
        self._synchronize()
        self.assertRecordValues(promise, [{"state": "kept", "settled_amount": 100}])

    def test_grace_counts_bank_days(self):
        """Promised for Friday: Saturday and Sunday are no days on which a transfer arrives."""
        promise = self._promise(self.debtor, date="2026-03-13")
        self.assertEqual(str(promise.deadline), "2026-03-17")
        self._settle_on(7)
        self.assertEqual(promise.state, "open")
        self._settle_on(8)
        self.assertEqual(promise.state, "broken")

    def test_broken(self):
        promise = self._promise(self.debtor, date=self._days(1))
        self._settle_on(10)
        self.assertEqual(promise.state, "broken")
        self.assertEqual(self.debtor.broken_promise_count, 1)
        self.assertEqual(self.debtor.claimable_amount, 100)
        self.assertEqual(self.debtor.activity_ids.user_id, self.collector)

    def test_partly_kept(self):
        promise = self._promise(self.debtor, date=self._days(1))
        self._pay(self.invoice, amount=40, on=self.today + timedelta(days=1))
        self._settle_on(1)
        self.assertEqual(promise.state, "open")
        self.assertEqual((self.debtor.promised_amount, self.debtor.claimable_amount), (60, 0))
        self._settle_on(10)
        self.assertRecordValues(promise, [{"state": "partly", "settled_amount": 40}])

    def test_late_payment_keeps_nothing(self):
        promise = self._promise(self.debtor, date=self._days(1))
        self._pay(self.invoice, on=self.today + timedelta(days=9))
        self._settle_on(10)
        self.assertEqual(promise.state, "broken")

    def test_payment_booked_late_redeems_the_promise(self):
        """The bank statement of Wednesday is imported two weeks later: the customer did pay in time."""
        promise = self._promise(self.debtor, date=self._days(1))
        self._settle_on(10)
        self.assertEqual(promise.state, "broken")
        self._pay(self.invoice, on=self.today + timedelta(days=1))
        self._settle_on(15)
        self.assertEqual(promise.state, "kept")
        self.assertFalse(self.debtor.broken_promise_count)

    def test_earlier_payments_don_t_count(self):
        self._pay(self.invoice, amount=60)
        self._synchronize()
        promise = self._promise(self.debtor, date=self._days(1))
        self.assertEqual(promise.amount, 40)
        self._settle_on(10)
        self.assertEqual(promise.state, "broken")

    def test_one_payment_keeps_one_promise(self):
        first = self._promise(self.debtor, amount=40, date=self._days(1))
        second = self._promise(self.debtor, amount=60, date=self._days(2))
        self.assertEqual(self.debtor.claimable_amount, 0)
        self._pay(self.invoice, amount=40, on=self.today + timedelta(days=1))
        self._settle_on(1)
        self.assertEqual((first.state, second.state), ("kept", "open"))
        self._settle_on(10)
        self.assertEqual((first.state, second.state), ("kept", "broken"))

    def test_credit_note_leaves_less_to_pay(self):
        promise = self._promise(self.debtor, date=self._days(1))
        self._credit(self.invoice, amount=30)
        self._pay(self.invoice, amount=70, on=self.today)
        self._synchronize()
        self.assertRecordValues(promise, [{"state": "kept", "settled_amount": 70}])

    def test_nothing_left_to_pay_is_neither_kept_nor_broken(self):
        promise = self._promise(self.debtor, date=self._days(1))
        self._credit(self.invoice)
        self._synchronize()
        self.assertEqual(promise.state, "cancelled")
        self.assertFalse(self.debtor.broken_promise_count)

    def test_money_that_waits_for_allocation_breaks_nothing(self):
        promise = self._promise(self.debtor, date=self._days(1))
        payment = self._pay_on_account(amount=100, on=self.today + timedelta(days=1))
        self._settle_on(10)
        self.assertEqual(promise.state, "open")
        (self._get_items(self.invoice) + self._get_items(payment.move_id)).reconcile()
        self._settle_on(10)
        self.assertEqual(promise.state, "kept")

    def test_foreign_currency(self):
        dollar = self.setup_other_currency("USD", rates=[("1900-01-01", 2.0)])
        invoice = self._create_invoice(self.other_customer, amount=300, currency=dollar)
        debtor = self._get_debtor(self.other_customer)
        promise = self._promise(debtor, date=self._days(1))
        self.assertRecordValues(promise, [{"amount": 300, "currency_id": dollar.id, "company_amount": 150}])
        self.assertEqual((debtor.promised_amount, debtor.claimable_amount), (150, 0))
        self._pay(invoice)
        self._synchronize()
        self.assertEqual(promise.state, "kept")

    def test_two_currencies_are_two_promises(self):
        dollar = self.setup_other_currency("USD", rates=[("1900-01-01", 2.0)])
        in_dollars = self._get_items(self._create_invoice(amount=300, currency=dollar))
        items = self._get_items(self.invoice) + in_dollars
        with self.assertRaises(UserError):
            self._promise(self._get_debtor(), move_line_ids=items.ids, amount=400)

    def test_bad_input(self):
        for values, message in (
            ({"date": self._days(-1)}, "in the past"),
            ({"amount": 100.01}, "more than"),
            ({"amount": 0}, "above zero"),
            ({"move_line_ids": [(5,)], "amount": 10}, "at least one open item"),
        ):
            with self.subTest(values=values), self.assertRefused(message):
                self._promise(self.debtor, **values)
        self.assertFalse(self.debtor.promise_ids)
        self.assertFalse(self.debtor.action_ids)

    def test_nothing_is_promised_twice(self):
        self._promise(self.debtor, amount=70)
        with self.assertRefused("30.00.€ still owed"):
            self._promise(self.debtor, amount=50)

    def test_somebody_else_s_item_is_refused(self):
        other = self._create_invoice(self.other_customer)
        with self.assertRefused("is not an item of"):
            self._promise(self.debtor, move_line_ids=self._get_items(other).ids, amount=10)

    def test_state_follows_facts(self):
        promise = self._promise(self.debtor).with_user(self.collector)
        with self.assertRefused("follows what happened"):
            promise.state = "kept"
        with self.assertRefused("follows what happened"):
            promise.copy({"state": "kept"})
        with self.assertRefused("stays on file"):
            promise.sudo().unlink()
        promise.action_cancel()
        self.assertEqual(self.debtor.claimable_amount, 100)
        with self.assertRefused("can't become"):
            promise.sudo()._set_state("kept")

    # === THE DAY ITSELF, AND TWO THINGS AT ONCE === #

    def test_first_and_last_day_on_which_money_counts(self):
        grace = timedelta(days=self.company.collection_promise_grace_days)
        # Promised for Wednesday the 11th, with two bank days until it is late.
        for day, state in (
            (self.today - grace - timedelta(days=1), "cancelled"),
            (self.today - grace, "kept"),
            (self.today + timedelta(days=3), "kept"),
            (self.today + timedelta(days=4), "broken"),
        ):
            invoice = self._create_invoice(amount=50)
            self._synchronize()
            promise = self._promise(
                self.debtor, move_line_ids=self._get_items(invoice).ids, amount=50, date=self._days(1)
            )
            self.assertEqual(promise.deadline, self.today + timedelta(days=3))
            self._pay(invoice, on=day)
            self._settle_on(10)
            with self.subTest(day=day):
                self.assertEqual(promise.state, state)

    def test_the_last_euro_of_a_promise_paid_in_two_parts(self):
        promise = self._promise(self.debtor, date=self._days(1))
        self._pay(self.invoice, amount=99)
        self._pay(self.invoice, amount=1)
        self._settle_on(10)
        self.assertRecordValues(promise, [{"state": "kept", "settled_amount": 100}])

    def test_payment_just_before_is_no_payment_of_it(self):
        """What was allocated a moment before leaves less to promise; a credit note over the rest ends the promise."""
        self._pay(self.invoice, amount=60)
        self._synchronize()
        promise = self._promise(self.debtor, date=self._days(1))
        self._credit(self.invoice, amount=40)
        self._settle_on(10)
        self.assertRecordValues(promise, [{"state": "cancelled", "settled_amount": 0}])

    def test_credit_note_that_waits_is_no_money(self):
        promise = self._promise(self.debtor, date=self._days(1))
        self._credit(self.invoice, reconcile=False)
        self._settle_on(10)
        self.assertEqual(promise.state, "broken")

    def test_money_serves_the_promise_of_the_earlier_day(self):
        """However they were recorded."""
        late = self._promise(self.debtor, amount=60, date=self._days(8))
        early = self._promise(self.debtor, amount=40, date=self._days(1))
        self._pay(self.invoice, amount=40, on=self.today + timedelta(days=1))
        self._settle_on(6)
        self.assertEqual((early.state, late.state), ("kept", "open"))
        self.assertEqual((early.settled_amount, late.settled_amount), (40, 0))

    def test_withdrawn_promise_takes_no_money(self):
        withdrawn = self._promise(self.debtor, date=self._days(1))
        withdrawn.action_cancel()
        promise = self._promise(self.debtor, date=self._days(2))
        self._pay(self.invoice)
        self._settle_on(10)
        self.assertEqual((withdrawn.state, promise.state), ("cancelled", "kept"))

    def test_promise_before_a_dispute_over_the_same_item(self):
        """What is contested is not promised any more: neither is withheld twice."""
        self._promise(self.debtor, amount=80)
        self._dispute(self.debtor, self._get_items(self.invoice), amount=50)
        self.assertRecordValues(
            self.debtor, [{"disputed_amount": 50, "promised_amount": 50, "claimable_amount": 0, "due_amount": 100}]
        )
        self._create_invoice(amount=7, days_late=5)
        self._synchronize()
        self.assertEqual(self.debtor.claimable_amount, 7)
        [claim] = self.debtor._get_claim()
        self.assertEqual(claim["amount"], 7)

    def test_promise_beside_a_dispute(self):
        self._promise(self.debtor, amount=30)
        self._dispute(self.debtor, self._get_items(self.invoice), amount=50)
        self.assertRecordValues(self.debtor, [{"disputed_amount": 50, "promised_amount": 30, "claimable_amount": 20}])
        [claim] = self.debtor._get_claim()
        self.assertEqual(claim["amount"], 20)

    def test_amounts_at_two_rates(self):
        """After a payment at another rate the promise of the rest is what is withheld of it, to the cent."""
        dollar = self.setup_other_currency(
            "USD", rates=[("1900-01-01", 2.0), (str(self.today - timedelta(days=2)), 1.6)]
        )
        invoice = self._create_invoice(self.other_customer, amount=333.33, currency=dollar)
        self._pay(invoice, amount=100.01, on=self.today - timedelta(days=1))
        # A loss that was booked on the item alone, as when a balance is adjusted by hand.
        item = self._get_items(invoice)
        adjustment = self.env["account.move"].create(
            {
                "journal_id": self.company_data["default_journal_misc"].id,
                "date": self.today,
                "line_ids": [
                    Command.create(
                        {
                            "account_id": item.account_id.id,
                            "partner_id": self.other_customer.id,
                            "currency_id": dollar.id,
                            "amount_currency": -33.32,
                            "balance": -30,
                        }
                    ),
                    Command.create(
                        {
                            "account_id": self.company_data["default_account_expense"].id,
                            "currency_id": dollar.id,
                            "amount_currency": 33.32,
                            "balance": 30,
                        }
                    ),
                ],
            }
        )
        adjustment.action_post()
        (item + self._get_items(adjustment)).with_context(no_exchange_difference=True).reconcile()
        debtor = self._get_debtor(self.other_customer)
        promise = self._promise(debtor, date=self._days(1))
        self.assertEqual(promise.amount, 200)
        self.assertNotEqual(item.amount_residual, 100, "the rate is not that of the invoice any more")
        self.assertEqual(promise.company_amount, item.amount_residual)
        self.assertEqual((debtor.promised_amount, debtor.claimable_amount), (promise.company_amount, 0))

    def test_queries_of_kept_promises_don_t_grow_with_them(self):
        """They are read again for 400 days, all at once."""

        def keep(count):
            for _number in range(count):
                invoice = self._create_invoice(self.other_customer, amount=10)
                items = [Command.set(self._get_items(invoice).ids)]
                self._promise(self._get_debtor(self.other_customer), move_line_ids=items, amount=10)
                self._pay(invoice)
            self._synchronize()

        def count():
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["collection.promise"]._settle(self.today, [("company_id", "=", self.company.id)])
            return self.env.cr.sql_log_count - before

        keep(1)
        count()  # what is kept from one transaction to the next
        few = count()
        keep(4)
        promises = self._get_debtor(self.other_customer).promise_ids
        self.assertEqual(promises.mapped("state"), ["kept"] * 5)
        self.assertEqual(count(), few)

    def test_payment_that_is_a_draft_again(self):
        promise = self._promise(self.debtor, date=self._days(1))
        payment = self._pay(self.invoice)
        self._synchronize()
        self.assertEqual(promise.state, "kept")
        payment.action_draft()
        self._settle_on(10)
        self.assertRecordValues(promise, [{"state": "broken", "settled_amount": 0}])

    def test_money_on_account_at_the_company_above(self):
        """The money of a branch comes in on the bank account of its company."""
        branch = (
            self.env["res.company"]
            .with_context(install_mode=True)
            .create({"name": "North", "parent_id": self.company.id, "country_id": self.company.country_id.id})
        )
        self.env.user.company_ids |= branch
        self.other_customer.with_company(
            branch
        ).property_account_receivable_id = self.other_customer.property_account_receivable_id
        invoice = (
            self.env["account.move"]
            .with_context(allowed_company_ids=[branch.id, self.company.id])
            .create(
                {
                    "move_type": "out_invoice",
                    "partner_id": self.other_customer.id,
                    "company_id": branch.id,
                    "journal_id": self.company_data["default_journal_sale"].id,
                    "invoice_date": self._days(-40),
                    "invoice_date_due": self._days(-10),
                    "invoice_line_ids": [
                        Command.create(
                            {
                                "name": "Work",
                                "price_unit": 1000,
                                "account_id": self.company_data["default_account_revenue"].id,
                                "tax_ids": [Command.clear()],
                            }
                        )
                    ],
                }
            )
        )
        invoice.action_post()
        debtor = self._get_debtor(self.other_customer, branch)
        line = Command.create({"move_line_id": self._get_items(invoice).id, "amount": 1000})
        promise = self.env["collection.promise"].create(
            {
                "debtor_id": debtor.id,
                "date": self._days(1),
                "currency_id": branch.currency_id.id,
                "line_ids": [line],
            }
        )
        payment = self._pay_on_account(self.other_customer, amount=1000, on=self.today + timedelta(days=1))
        self.assertEqual(payment.company_id, self.company)
        with freeze_time(self.today + timedelta(days=10, hours=12)):
            self._synchronize(branch)
        self.assertEqual(promise.state, "open", "the money is there and waits for allocation")
