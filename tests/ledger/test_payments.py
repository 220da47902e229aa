from datetime import timedelta

from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from ..common import CollectionCommon


@tagged("post_install", "-at_install")
class TestPayments(CollectionCommon):
    """Money that comes in, in part or too much, and money that goes again."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(amount=100, days_late=20)
        cls.debtor = cls._get_debtor()

    def _on(self, days):
        return freeze_time(self.today + timedelta(days=days, hours=12))

    def _settle_on(self, days):
        with self._on(days):
            self._synchronize()

    def _bounce(self, amount=100, days=5, partner=None):
        """Book what the bank took back: a statement line on the customer's receivable account."""
        journal = self.company_data["default_journal_bank"]
        entry = self.env["account.move"].create(
            {
                "journal_id": journal.id,
                "date": self.today + timedelta(days=days),
                "line_ids": [
                    Command.create(
                        {
                            "name": "Returned unpaid",
                            "account_id": self.company_data["default_account_receivable"].id,
                            "partner_id": (partner or self.customer).id,
                            "balance": amount,
                        }
                    ),
                    Command.create({"account_id": journal.default_account_id.id, "balance": -amount}),
                ],
            }
        )
        entry.action_post()
        return self._get_items(entry)

    def _keep_promise(self):
        """Return a promise that was kept, and the payment that kept it."""
        promise = self._promise(self.debtor, date=self._days(1))
        payment = self._pay(self.invoice)
        self._synchronize()
        self.assertEqual(promise.state, "kept")
        return promise, payment

    # === MONEY THAT GOES AGAIN === #

    def test_unreconciled_payment_waits_for_allocation(self):
        """The money is still there: the promise is open again, not broken."""
        promise, _payment = self._keep_promise()
        self._get_items(self.invoice).remove_move_reconcile()
        self._settle_on(10)
        self.assertRecordValues(promise, [{"state": "open", "settled_amount": 0}])
        self.assertEqual(self.debtor.claimable_amount, 0)
        self.assertFalse(self.debtor.bounce_count)

    def test_cancelled_payment_before_the_deadline(self):
        promise, payment = self._keep_promise()
        payment.action_cancel()
        self._synchronize()
        self.assertRecordValues(promise, [{"state": "open", "settled_date": False}])
        self._settle_on(10)
        self.assertEqual(promise.state, "broken")

    def test_cancelled_payment_breaks_the_promise_and_opens_the_case(self):
        campaign = self._start_campaign(member_ids=[Command.set(self.collector.ids)])
        promise, payment = self._keep_promise()
        case = campaign.case_ids
        self.assertEqual((case.state, case.result), ("closed", "paid"))
        self._settle_on(10)
        payment.action_cancel()
        self._settle_on(12)
        self.assertRecordValues(promise, [{"state": "broken", "settled_amount": 0}])
        self.assertRecordValues(self.debtor, [{"claimable_amount": 100, "broken_promise_count": 1, "bounce_count": 0}])
        self.assertEqual(case.state, "to_contact")
        self.assertIn("Promise not kept", self.debtor.activity_ids.summary)
        self.assertTrue(self.debtor.message_ids.filtered(lambda message: "is owed again" in message.body))

    def test_part_of_the_money_goes_again(self):
        promise = self._promise(self.debtor, date=self._days(1))
        first = self._pay(self.invoice, amount=60)
        self._pay(self.invoice, amount=40)
        self._settle_on(10)
        self.assertEqual(promise.state, "kept")
        first.action_cancel()
        self._settle_on(10)
        self.assertRecordValues(promise, [{"state": "partly", "settled_amount": 40}])

    def test_bounce_set_against_the_payment(self):
        """The accountant takes the payment off the invoice and sets it against what the bank took back."""
        promise, payment = self._keep_promise()
        bounce = self._bounce()
        item = self._get_items(self.invoice)
        item.remove_move_reconcile()
        (self._get_items(payment.move_id) + bounce).reconcile()
        self._settle_on(10)
        self.assertEqual(promise.state, "broken")
        self.assertRecordValues(
            self.debtor,
            [
                {
                    "claimable_amount": 100,
                    "bounce_count": 1,
                    "last_bounce_date": self.today + timedelta(days=5),
                    "broken_promise_count": 1,
                }
            ],
        )

    def test_bounce_left_open(self):
        """The invoice looks paid, the debt is what the bank took back."""
        promise, _payment = self._keep_promise()
        self._bounce()
        self._settle_on(10)
        self.assertEqual(promise.state, "broken")
        self.assertRecordValues(self.debtor, [{"claimable_amount": 100, "bounce_count": 1}])
        with self._on(10):
            again = self._promise(self.debtor, date=self._days(12))
            self.assertEqual(again.amount, 100)

    def test_payment_after_a_bounce_keeps_the_next_promise(self):
        first, payment = self._keep_promise()
        bounce = self._bounce()
        self._get_items(self.invoice).remove_move_reconcile()
        (self._get_items(payment.move_id) + bounce).reconcile()
        with self._on(10):
            self._synchronize()
            second = self._promise(self.debtor, date=self._days(12))
            self._pay(self.invoice, on=self.today + timedelta(days=10))
            self._synchronize()
        self.assertEqual((first.state, second.state), ("broken", "kept"))

    def test_rejected_payment(self):
        """The payment's entry stays, but the money never came."""
        promise, payment = self._keep_promise()
        self.env["collection.refresh.queue"].sudo().search([]).unlink()
        payment.action_reject()
        self.assertEqual(self.env["collection.refresh.queue"].sudo().search([]).partner_id, self.customer)
        self._settle_on(10)
        self.assertEqual((promise.state, self.debtor.bounce_count), ("broken", 1))

    def test_money_sent_back_is_no_bounce(self):
        """Paid twice: what goes back by a payment says nothing bad about the customer."""
        promise, _payment = self._keep_promise()
        self._pay_on_account(amount=100)
        self.env["account.payment"].create(
            {
                "payment_type": "outbound",
                "partner_type": "customer",
                "partner_id": self.customer.id,
                "amount": 100,
                "date": self.today,
                "journal_id": self.company_data["default_journal_bank"].id,
            }
        ).action_post()
        # Too much by 20, sent back through the bank statement.
        self._pay_on_account(amount=120)
        self._bounce(amount=20)
        self._settle_on(10)
        self.assertEqual((promise.state, self.debtor.bounce_count), ("kept", 0))

    def test_somebody_else_s_bounce_changes_nothing(self):
        promise, _payment = self._keep_promise()
        self._bounce(partner=self.other_customer)
        self._settle_on(10)
        self.assertEqual((promise.state, self.debtor.bounce_count), ("kept", 0))

    def test_bounce_counts_in_a_score(self):
        self._keep_promise()
        self._bounce()
        self.env["collection.criterion"].create(
            {
                "name": "Returned",
                "indicator": "bounce_count",
                "weight": 50,
                "band_ids": [Command.create({"lower": 0, "percent": 0}), Command.create({"lower": 1, "percent": 100})],
            }
        )
        self._settle_on(10)
        rows = {row["name"]: row["points"] for row in self.debtor._get_score_rows()}
        self.assertGreater(rows["Returned"], 0)

    # === MONEY THAT COMES IN === #

    def test_too_much(self):
        promise = self._promise(self.debtor, date=self._days(1))
        payment = self._pay_on_account(amount=130)
        (self._get_items(self.invoice) + self._get_items(payment.move_id)).reconcile()
        self._settle_on(10)
        self.assertRecordValues(promise, [{"state": "kept", "settled_amount": 100}])
        self.assertRecordValues(self.debtor, [{"overdue_amount": 0, "credit_amount": 30}])

    def test_on_account(self):
        promise = self._promise(self.debtor, date=self._days(1))
        self._pay_on_account(amount=60, on=self.today + timedelta(days=1))
        self._settle_on(10)
        self.assertEqual(promise.state, "broken")
        self.assertRecordValues(self.debtor, [{"netted_amount": 60, "claimable_amount": 40}])

    def test_planned_call_is_cancelled_once_paid(self):
        Action = self.env["collection.action"]
        planned = Action._plan_call(self.debtor, self.today + timedelta(days=3), "Ask again")
        self._create_invoice(self.other_customer, days_late=-5)
        other_debtor = self._get_debtor(self.other_customer)
        courtesy = Action._plan_call(other_debtor, self.today + timedelta(days=3), "Was the invoice received?")
        self._pay(self.invoice, amount=99)
        self._synchronize()
        self.assertEqual(planned.state, "planned")
        self._pay(self.invoice)
        self._synchronize()
        self.assertRecordValues(planned, [{"state": "cancelled", "result_text": "Paid."}])
        self.assertEqual(courtesy.state, "planned")

    def test_call_is_not_cancelled_by_a_promise_or_a_dispute(self):
        planned = self.env["collection.action"]._plan_call(self.debtor, self.today + timedelta(days=3), "Ask again")
        self._dispute(self.debtor, self._get_items(self.invoice))
        self._synchronize()
        self.assertEqual((self.debtor.claimable_amount, planned.state), (0, "planned"))

    def _get_told(self):
        return self.debtor.message_ids.filtered(lambda message: "Big payment" in message.body)

    def test_collector_is_told_of_a_big_payment_once(self):
        self._create_invoice(amount=8000, days_late=20)
        self._pay_on_account(amount=5000)
        self._synchronize()
        self.assertFalse(self._get_told(), "nobody works on this customer")
        self.debtor.collector_id = self.collector
        self._pay_on_account(amount=4999.99)
        self._synchronize()
        self.assertFalse(self._get_told())
        self._pay_on_account(amount=6000)
        for _run in range(2):
            self._synchronize()
        self.assertEqual(self._get_told().partner_ids, self.collector.partner_id)
        self.assertIn("6,000.00", self._plain(self._get_told().body))
        self.company.collection_big_payment = 0
        self._pay_on_account(amount=7000)
        self._synchronize()
        self.assertEqual(len(self._get_told()), 1)

    def test_old_payment_is_no_news(self):
        self.debtor.collector_id = self.collector
        self._pay_on_account(amount=6000, on=self.today - timedelta(days=30))
        self._synchronize()
        self.assertFalse(self._get_told())

    def test_bounce_of_a_part_long_after_it_was_judged(self):
        """A direct debit comes back after some weeks: nothing is left of the part that was kept."""
        promise = self._promise(self.debtor, date=self._days(1))
        self._pay(self.invoice, amount=40)
        self._settle_on(10)
        self.assertEqual(promise.state, "partly")
        self._bounce(amount=40, days=80)
        self._settle_on(81)
        self.assertRecordValues(promise, [{"state": "broken", "settled_amount": 0}])
