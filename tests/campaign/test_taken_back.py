from datetime import timedelta

from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from ..common import CollectionCommon


@tagged("post_install", "-at_install")
class TestTakenBack(CollectionCommon):
    """What came in and went back was not collected, and what it had paid is owed again: in cases, recap and files."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bank = cls.company_data["default_journal_bank"]
        cls.invoice = cls._create_invoice(amount=1000, days_late=60)
        cls.campaign = cls._start_campaign()
        cls.case = cls.campaign.sudo().case_ids
        cls.payment = cls._pay(cls.invoice)
        cls._synchronize()

    def _book_return(self, payment=None, amount=1000, partner=None):
        """Book that the bank took as much from its account."""
        account = self.company_data["default_account_receivable"]
        entry = self.env["account.move"].create(
            {
                "journal_id": self.bank.id,
                "date": self.today,
                "line_ids": [
                    Command.create(
                        {
                            "account_id": account.id,
                            "partner_id": (partner or self.customer).id,
                            "debit": amount,
                            "name": "Returned",
                        }
                    ),
                    Command.create({"account_id": self.bank.default_account_id.id, "credit": amount}),
                ],
            }
        )
        entry.action_post()
        return self._get_items(entry)

    def assertCase(self, **values):
        """Check the amounts and the state of the case, that its items add up, and that the recap says the same."""
        debtor = self._get_debtor()
        self.assertRecordValues(self.case, [values])
        items = self.env["collection.case.item"].search([("case_id", "=", self.case.id)])
        for item in items:
            self.assertEqual(
                item.initial_residual,
                item.collected_amount + item.credited_amount + item.other_amount + item.residual,
            )
        recap = self.campaign._recap()
        total = recap.total
        self.assertEqual(
            (total.collected, total.credited, total.other, total.residual),
            tuple(
                sum(items.mapped(name)) for name in ("collected_amount", "credited_amount", "other_amount", "residual")
            ),
        )
        self.assertEqual(recap.collected_by_week.total, total.collected)
        self.assertFalse([row for row in recap.collected_by_method if row.key is None])
        self.assertEqual(debtor.overdue_amount - debtor.credit_amount, self.case.residual_amount)

    def assertPaid(self):
        self.assertCase(collected_amount=1000, other_amount=0, residual_amount=0, state="closed", result="paid")

    def assertOwedAgain(self):
        self.assertCase(collected_amount=0, other_amount=0, residual_amount=1000, state="to_contact", result=False)

    def test_bank_takes_it_back(self):
        self.assertPaid()
        bounce = self._book_return()
        with freeze_time(f"{self._days(1)} 12:00:00"):  # late from the day after
            self.assertOwedAgain()
            self.assertIn("is owed again", self.case.debtor_id.message_ids[0].body)
            # The accountant sets the debit against the payment.
            items = self._get_items(self.payment.move_id)
            items.remove_move_reconcile()
            (items + bounce).reconcile()
            self.assertOwedAgain()
            self.assertFalse(self.env["collection.case.item"].search([("move_line_id", "=", bounce.id)]))
            self._pay(self.invoice, on=self.today + timedelta(days=1))
            self.assertPaid()

    def test_paid_again_on_the_debit_of_the_bank(self):
        bounce = self._book_return()
        self._synchronize()
        again = self._pay_on_account(amount=600)
        (bounce + self._get_items(again.move_id)).reconcile()
        with freeze_time(f"{self._days(1)} 12:00:00"):
            self.assertCase(collected_amount=600, other_amount=0, residual_amount=400, state="to_contact")
        names = self.env["collection.case.item"].search([("case_id", "=", self.case.id)]).mapped("name")
        self.assertEqual(names, [self.invoice.name, bounce.move_id.name])

    def test_rejected(self):
        self.payment.action_reject()
        self.assertEqual(self.invoice.amount_residual, 0)  # Odoo's entry stands
        self.assertOwedAgain()
        debtor = self._get_debtor()
        self.assertEqual((debtor.claimable_amount, debtor.credit_amount), (1000, 0))
        self.assertEqual(self.invoice.collection_state, "claimable")
        section = debtor._get_statement("movements").sections[0]
        self.assertEqual((section.closing, section.total, len(section.lines)), (1000, 1000, 1))
        cash = self.env["collection.metrics"]._get_cash_by_day(self.company, self.today, self.today)
        self.assertFalse(sum(cash.values()))
        self.payment.action_cancel()
        self.assertOwedAgain()

    def test_rejected_and_booked(self):
        """Nothing is claimed twice."""
        self.payment.action_reject()
        self._book_return()
        with freeze_time(f"{self._days(1)} 12:00:00"):
            self.assertOwedAgain()
            self.assertEqual(self._get_debtor().claimable_amount, 1000)

    def test_draft_again(self):
        self.payment.action_draft()
        self.assertOwedAgain()
        self.assertEqual(self._get_debtor().claimable_amount, 1000)
        self.payment.action_post()
        self.assertPaid()
        self.assertEqual(self._get_debtor().due_amount, 0)

    def test_payment_of_somebody_else(self):
        """Who paid owes what the bank took back; the customers of both sides are refreshed."""
        self.payment.action_cancel()
        payment = self._pay_on_account(self.other_customer, amount=1000)
        (self._get_items(self.invoice) + self._get_items(payment.move_id)).reconcile()
        self.assertPaid()
        payment.action_reject()
        self.assertOwedAgain()
        payment.action_draft()
        self.assertOwedAgain()
        payment.action_post()
        self.assertPaid()
        self._book_return(partner=self.other_customer)
        debtor = self._get_debtor(self.other_customer)
        self.assertEqual((debtor.due_amount, debtor.bounce_count), (1000, 1))
        self._synchronize()  # the case of another customer follows in the night
        self.assertRecordValues(self.case, [{"collected_amount": 0, "other_amount": 1000, "residual_amount": 0}])

    def test_booked_for_a_later_day(self):
        self.payment.action_cancel()
        self._pay(self.invoice, on=self.today + timedelta(days=5))
        self.assertCase(collected_amount=0, residual_amount=1000, state="to_contact")
        with freeze_time(f"{self._days(5)} 12:00:00"):
            self._synchronize()
            self.assertPaid()

    def test_closed_campaign_stands_still(self):
        self.campaign.action_close()
        names = [name for name, field in self.case._fields.items() if field.store and name != "write_date"]
        before = self.case.read(names)
        self.payment.action_reject()
        self._create_invoice(amount=77, days_late=90)
        self._get_debtor()
        self.env.invalidate_all()
        self.assertEqual(self.case.read(names), before)
        self.assertEqual(self.campaign._recap().total.collected, 1000)


@tagged("post_install", "-at_install")
class TestFrozenScope(CollectionCommon):
    """What a campaign is about is what its customers show as overdue and not excluded on the first day."""

    def test_scope(self):
        chf = self.setup_other_currency("CHF", rates=[("2020-01-01", 1.25), ("2026-03-01", 1.6)])
        asked = self._create_invoice(amount=100, days_late=1)
        foreign = self._create_invoice(amount=200, days_late=80, currency=chf)
        self._pay(foreign, 50)
        self._create_invoice(amount=7, days_late=0)
        self._create_invoice(amount=9, days_late=30).action_toggle_block_payment()
        self._get_items(self._create_invoice(amount=11, days_late=30)).no_followup = True
        ahead = self._create_invoice(amount=13, days_late=30)
        self._pay(ahead, on=self.today + timedelta(days=2))
        debtor = self._get_debtor()
        case = self._start_campaign().sudo().case_ids
        items = self.env["collection.case.item"].search([("case_id", "=", case.id)])
        self.assertEqual({item.move_id: item.initial_residual for item in items}, {asked: 100, foreign: 120, ahead: 13})
        self.assertEqual(case.initial_amount, debtor.overdue_amount - debtor.excluded_amount)

    def test_overlap_on_an_item(self):
        """A promise only stands for what nobody disputes."""
        invoice = self._create_invoice(amount=100, days_late=10)
        case = self._start_campaign().sudo().case_ids
        debtor = case.debtor_id
        self._promise(debtor, amount=80, date=self._days(5))
        self._dispute(debtor, self._get_items(invoice), 50)
        self._synchronize()
        item = self.env["collection.case.item"].search([("case_id", "=", case.id)])
        self.assertEqual((item.disputed_amount, item.promised_amount, item.residual), (50, 50, 100))
        self.assertEqual((debtor.disputed_amount, debtor.promised_amount), (50, 50))

    def test_name_of_an_imported_item(self):
        invoice = self._create_invoice(amount=100, days_late=10)
        item = self._get_items(invoice)
        invoice.sudo().collection_batch_id = self.env["collection.receivable.batch"].create(
            {"file": "QQ==", "file_name": "list.csv", "date": self.today}
        )
        item.ref = "F-77"
        case = self._start_campaign().sudo().case_ids
        self.assertEqual(
            self.env["collection.case.item"].search([("case_id", "=", case.id)]).name, item._get_collection_name()
        )
        sections = [case.debtor_id._get_statement(kind).sections[0] for kind in ("open", "movements")]
        self.assertEqual([section.lines[0].name for section in sections], ["F-77", "F-77"])
