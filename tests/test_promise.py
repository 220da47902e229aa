from datetime import timedelta

from odoo.exceptions import UserError
from odoo.tests import Form, freeze_time, tagged

from .common import CollectionCommon


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
