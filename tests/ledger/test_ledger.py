import doctest
from datetime import timedelta
from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import BaseCase, freeze_time, tagged

from ...models.ledger import collection_ledger_incoming
from ...tools.workdays import subtract_bank_days
from ..plan_common import PlanCommon


class LedgerCommon(PlanCommon):
    """Swiss francs at two rates, online payments, bank lines, entries and a branch."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bank = cls.company_data["default_journal_bank"]
        cls.chf = cls.env.ref("base.CHF")
        cls.chf.active = True
        for day, rate in ((cls.today - timedelta(days=400), 1 / 0.9), (cls.today - timedelta(days=20), 1 / 0.8)):
            cls.env["res.currency.rate"].create(
                {"name": day, "currency_id": cls.chf.id, "company_id": cls.company.id, "rate": rate}
            )
        cls.provider = cls.env["payment.provider"].create({"name": "Cards", "company_id": cls.company.id})

    def _create_transaction(self, amount, partner=None, invoices=None, state="pending", days_ago=0, **values):
        """Pay online; the last change of the transaction was at noon ``days_ago`` days ago."""
        return self.env["payment.transaction"].create(
            {
                "provider_id": self.provider.id,
                "payment_method_id": self.env.ref("payment.payment_method_unknown").id,
                "reference": f"TX-{self.env['payment.transaction'].search_count([]) + 1}",
                "amount": amount,
                "currency_id": self.company.currency_id.id,
                "partner_id": (partner or self.customer).id,
                "invoice_ids": [Command.set(invoices.ids if invoices else [])],
                "state": state,
                "last_state_change": f"{self._days(-days_ago)} 12:00:00",
                **values,
            }
        )

    def _create_bank_line(self, amount, days_ago=1, label="Transfer", **values):
        return self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.bank.id,
                "date": self.today - timedelta(days=days_ago),
                "payment_ref": label,
                "amount": amount,
                **values,
            }
        )

    def _create_entry(self, journal, *lines, **values):
        """Post an entry; each line is ``(debit less credit, values)``."""
        move = self.env["account.move"].create(
            {
                "move_type": "entry",
                "journal_id": journal.id,
                "date": self.today,
                "line_ids": [
                    Command.create(
                        {"debit": max(balance, 0), "credit": max(-balance, 0), "name": "Entry", **line_values}
                    )
                    for balance, line_values in lines
                ],
                **values,
            }
        )
        move.action_post()
        return move

    def _claim(self, debtor):
        """Return what a message asks for: ``{(currency, item): amount}``."""
        return {
            (claim["currency"].name, row["item"].move_id): row["claimable"]
            for claim in debtor._get_claim()
            for row in claim["rows"]
            if row["claimable"]
        }

    def _create_branch(self):
        branch = self.env["res.company"].create(
            {"name": "Agence Nord", "parent_id": self.company.id, "country_id": self.company.country_id.id}
        )
        self.env.user.company_ids |= branch
        self.customer.with_company(branch).property_account_receivable_id = self.company_data[
            "default_account_receivable"
        ]
        return branch

    def _create_branch_invoice(self, branch, amount):
        sale = self.company_data["default_journal_sale"]
        invoice = (
            self.env["account.move"]
            .with_context(allowed_company_ids=[branch.id, self.company.id])
            .create(
                {
                    "move_type": "out_invoice",
                    "partner_id": self.customer.id,
                    "company_id": branch.id,
                    "journal_id": sale.id,
                    "invoice_date": self.today - timedelta(days=90),
                    "invoice_date_due": self.today - timedelta(days=60),
                    "invoice_line_ids": [
                        Command.create(
                            {
                                "name": "Work",
                                "price_unit": amount,
                                "account_id": self.company_data["default_account_revenue"].id,
                                "tax_ids": [Command.clear()],
                            }
                        )
                    ],
                }
            )
        )
        invoice.action_post()
        self.assertEqual(invoice.company_id, branch)
        return invoice


@tagged("post_install", "-at_install")
class TestLedger(LedgerCommon):
    """What is open, claimable and on its way: the same for the file, the decision, the message and the figures."""

    # === CREDITS === #

    def test_accounts_and_journals_that_change_their_kind(self):
        ledger = self.env["collection.ledger"]
        known = ledger._get_account_ids(self.company)
        account = self.env["account.account"].create(
            {"code": "411999", "name": "Foreign customers", "account_type": "asset_receivable"}
        )
        self.assertEqual(set(ledger._get_account_ids(self.company)), {*known, account.id})
        account.non_trade = True
        self.assertEqual(set(ledger._get_account_ids(self.company)), set(known))
        account.write({"non_trade": False, "account_type": "asset_current"})
        self.assertEqual(set(ledger._get_account_ids(self.company)), set(known))
        journals = ledger._get_cash_journal_ids(self.company)
        journal = self.env["account.journal"].create({"name": "Second till", "code": "TIL2", "type": "cash"})
        self.assertEqual(set(ledger._get_cash_journal_ids(self.company)), {*journals, journal.id})
        journal.type = "general"
        self.assertEqual(set(ledger._get_cash_journal_ids(self.company)), set(journals))

    def test_credit_in_its_own_currency_at_another_rate(self):
        invoice = self._create_invoice(amount=1000, days_late=60, currency=self.chf)
        payment = self._pay_on_account(amount=1000, currency=self.chf, on=self.today - timedelta(days=5))
        debtor = self._get_debtor()
        self.assertNotEqual(abs(self._get_items(invoice).balance), abs(self._get_items(payment.move_id).balance))
        self.assertEqual((debtor.claimable_amount, debtor._get_claim()), (0, []))
        self.assertReason("nothing_claimable", debtor)

    def test_rest_is_claimed_at_the_rate_of_its_item(self):
        invoice = self._create_invoice(amount=1000, days_late=60, currency=self.chf)
        self._pay_on_account(amount=980, currency=self.chf, on=self.today - timedelta(days=5))
        self._pay_on_account(amount=5000)
        debtor = self._get_debtor()
        self.assertEqual(self._claim(debtor), {("CHF", invoice): 20})
        self.assertEqual(debtor.claimable_amount, 18)
        self.assertReason("due", debtor)

    def test_excluded_credit_nets_excluded_debts_only(self):
        invoice = self._create_invoice(amount=100, days_late=30)
        payment = self._pay_on_account(amount=70)
        payment.move_id.line_ids.no_followup = True
        debtor = self._get_debtor()
        self.assertEqual(debtor.claimable_amount, 100)
        self.assertEqual(self._claim(debtor), {("EUR", invoice): 100})
        payment.move_id.line_ids.no_followup = False
        self.assertEqual(self._get_debtor().claimable_amount, 30)

    def test_credit_note_of_a_disputed_invoice_takes_the_disputed_part(self):
        invoice = self._create_invoice(amount=1000, days_late=40)
        other = self._create_invoice(amount=50, days_late=10)
        debtor = self._get_debtor()
        self._dispute(debtor, self._get_items(invoice), 200)
        for amount, claimable in ((150, 850), (80, 820)):  # 200 of 230 are for the disputed part
            note = self._credit(invoice, amount, reconcile=False)
            note.reversed_entry_id = invoice
            debtor = self._get_debtor()
            self.assertEqual(debtor.claimable_amount, claimable)
        self.assertEqual(self._claim(debtor), {("EUR", invoice): 770, ("EUR", other): 50})

    def test_credit_note_that_names_no_invoice(self):
        invoice = self._create_invoice(amount=1000, days_late=40)
        other = self._create_invoice(amount=100, days_late=10)
        debtor = self._get_debtor()
        self._dispute(debtor, self._get_items(invoice), 200)
        self._credit(invoice, 200, reconcile=False)
        self.assertEqual(self._get_debtor().claimable_amount, 900)
        self._pay_on_account(amount=50)  # money is for what is not disputed
        self.assertEqual(self._get_debtor().claimable_amount, 850)
        self._credit(other, 30, reconcile=False).reversed_entry_id = other
        self.assertEqual(self._get_debtor().claimable_amount, 820)

    def test_credit_note_that_is_older_than_the_disputed_invoice(self):
        invoice = self._create_invoice(amount=1000, days_late=40)
        debtor = self._get_debtor()
        self._dispute(debtor, self._get_items(invoice), 200)
        self._create_invoice(amount=200, move_type="out_refund", invoice_date=invoice.date - timedelta(days=1))
        self.assertEqual(self._get_debtor().claimable_amount, 600)

    def test_outgoing_payment_is_no_debt(self):
        invoice = self._create_invoice(amount=500, days_late=30)
        self._create_invoice(amount=200, days_late=20, move_type="out_refund")
        refund = self.env["account.payment"].create(
            {
                "payment_type": "outbound",
                "partner_type": "customer",
                "partner_id": self.customer.id,
                "amount": 200,
                "date": self.today - timedelta(days=10),
                "journal_id": self.bank.id,
            }
        )
        refund.action_post()
        debtor = self._get_debtor()
        self.assertEqual((debtor.claimable_amount, debtor.overdue_amount, debtor.credit_amount), (500, 500, 0))
        self.assertEqual(self._claim(debtor), {("EUR", invoice): 500})
        self.assertNotIn(refund.name, str(debtor._get_claim_table()))
        # The credit note is used up: nothing is left to claim of a customer who only got money back.
        self._pay(invoice)
        debtor = self._get_debtor()
        self.assertEqual((debtor.claimable_amount, debtor.oldest_due_date), (0, False))

    def test_zero_in_its_own_currency_is_not_open(self):
        account = self.company_data["default_account_receivable"]
        self._create_entry(
            self.company.currency_exchange_journal_id,
            (
                60,
                {
                    "account_id": account.id,
                    "partner_id": self.customer.id,
                    "currency_id": self.chf.id,
                    "amount_currency": 0,
                },
            ),
            (-60, {"account_id": self.company_data["default_account_revenue"].id}),
            date=self.today - timedelta(days=5),
        )
        debtor = self._get_debtor()
        self.assertEqual((debtor.due_amount, debtor.open_item_count, debtor.days_late), (0, 0, 0))
        self.assertFalse(debtor.open_item_ids)
        figures = self.env["collection.metrics"]._get_figures(self.company, self.today, self.customer)
        self.assertEqual(sum(figures.position.buckets.values()), 0)

    # === DAYS === #

    def test_entries_of_later_days(self):
        invoice = self._create_invoice(amount=1000, days_late=60)
        self._pay_on_account(amount=600, on=self.today + timedelta(days=1))
        debtor = self._get_debtor()
        self.assertEqual((debtor.due_amount, debtor.credit_amount, debtor.last_payment_date), (1000, 0, False))
        self.assertEqual((debtor.announced_amount, debtor.claimable_amount), (600, 400))
        self.assertEqual(self._claim(debtor), {("EUR", invoice): 400})
        with freeze_time(f"{self._days(1)} 12:00:00"):
            debtor = self._get_debtor()
            self.assertEqual((debtor.credit_amount, debtor.announced_amount, debtor.claimable_amount), (600, 0, 400))

    def test_reconciled_with_an_entry_of_a_later_day(self):
        invoice = self._create_invoice(amount=1000, days_late=60)
        self._pay(invoice, on=self.today + timedelta(days=10))
        self.assertEqual(invoice.amount_residual, 0)
        debtor = self._get_debtor()
        self.assertEqual((debtor.due_amount, debtor.announced_amount, debtor.claimable_amount), (1000, 1000, 0))
        decision = self.assertReason("payment_announced", debtor)
        self.assertEqual(decision.details["date"], self.today + timedelta(days=10))
        figures = self.env["collection.metrics"]._get_figures(self.company, self.today, self.customer)
        self.assertEqual(sum(figures.position.buckets.values()), 1000)
        with freeze_time(f"{self._days(10)} 12:00:00"):
            self.assertEqual(self._get_debtor().due_amount, 0)

    def test_invoice_of_a_later_day_is_not_owed_yet(self):
        self._create_invoice(amount=300, days_late=-40)  # invoiced in ten days
        debtor = self._get_debtor()
        self.assertEqual((debtor.due_amount, debtor.first_invoice_date), (0, False))
        with freeze_time(f"{self._days(10)} 12:00:00"):
            self.assertEqual(self._get_debtor().due_amount, 300)

    def test_part_payment_in_process(self):
        invoice = self._create_invoice(amount=1000, days_late=60)
        self.bank.inbound_payment_method_line_ids.payment_account_id = False
        with patch.object(type(invoice), "_get_invoice_in_payment_state", lambda move: "in_payment"):
            payment = self._pay(invoice, 400)
            self.assertEqual((invoice.payment_state, invoice.amount_residual), ("in_payment", 1000))
            self.assertFalse(payment.move_id)
            debtor = self._get_debtor()
            self.assertEqual((debtor.due_amount, debtor.claimable_amount), (600, 600))
            self._pay(invoice, 600)
            self.assertEqual(self._get_debtor().due_amount, 0)

    # === MONEY ON ITS WAY === #

    def test_transaction_pays_the_invoices_that_it_names(self):
        invoice = self._create_invoice(amount=1000, days_late=60)
        other = self._create_invoice(amount=300, days_late=90)
        transaction = self._create_transaction(1000, self.other_customer, invoice)
        debtor = self._get_debtor()
        self.assertEqual(self._claim(debtor), {("EUR", other): 300})
        self.assertEqual((debtor.announced_amount, debtor.claimable_amount), (1000, 300))
        self.assertReason("due", debtor)
        self._pay(other)
        decision = self.assertReason("payment_pending", self._get_debtor())
        self.assertEqual(decision.details["name"], transaction.reference)
        for state, reason in (("cancel", "due"), ("done", "payment_pending"), ("error", "due")):
            transaction.state = state
            self.assertReason(reason, self._get_debtor())
        transaction.write({"state": "done", "is_post_processed": True})
        self.assertReason("due", self._get_debtor())

    def test_transaction_pays_no_more_than_its_amount(self):
        invoice = self._create_invoice(amount=1000, days_late=60)
        self._create_transaction(400, invoices=invoice)
        debtor = self._get_debtor()
        self.assertEqual(self._claim(debtor), {("EUR", invoice): 600})
        self.assertReason("due", debtor)

    def test_refund_online_pays_nothing(self):
        invoice = self._create_invoice(amount=1000, days_late=60)
        self._create_transaction(-1000, invoices=invoice, operation="refund")
        self.assertReason("due", self._get_debtor())

    def test_transaction_silences_for_a_limited_time(self):
        invoice = self._create_invoice(amount=1000, days_late=60)
        self.company.collection_pending_days = 10
        last_day = subtract_bank_days(self.today, 10, "FR")
        transaction = self._create_transaction(1000, invoices=invoice, days_ago=(self.today - last_day).days)
        self.assertReason("payment_pending", self._get_debtor())
        transaction.last_state_change = f"{last_day - timedelta(days=1)} 12:00:00"
        self.assertReason("due", self._get_debtor())

    def test_transaction_without_invoices_pays_older_debts_of_the_payer(self):
        self._create_invoice(amount=1000, days_late=60)
        self._create_transaction(1000)
        self.assertReason("payment_pending", self._get_debtor())

    def test_bank_line_names_the_customer(self):
        self._create_invoice(amount=1000, days_late=60)
        line = self._create_bank_line(1000, partner_id=self.customer.id)
        self.assertReason("unmatched_payment", self._get_debtor())
        line.amount = 10
        debtor = self._get_debtor()
        self.assertEqual(debtor.claimable_amount, 990)
        self.assertReason("due", debtor)

    def test_bank_line_is_not_older_than_the_debt(self):
        invoice = self._create_invoice(amount=1000, days_late=10)  # invoiced 40 days ago
        self.assertEqual(invoice.date, self.today - timedelta(days=40))
        line = self._create_bank_line(1000, days_ago=41, partner_id=self.customer.id)
        self.assertReason("due", self._get_debtor())
        line.date = self.today - timedelta(days=40)
        self.assertReason("unmatched_payment", self._get_debtor())

    def test_bank_line_names_the_invoice(self):
        invoice = self._create_invoice(amount=1000, days_late=60)
        self._create_invoice(self.other_customer, amount=1000, days_late=60)
        line = self._create_bank_line(1000, label=f"VIR SEPA {invoice.name}1, merci")
        self.assertReason("due", self._get_debtor())  # the number of another invoice
        line.payment_ref = f"VIR SEPA {invoice.name.lower()}, merci"
        decision = self.assertReason("unmatched_payment", self._get_debtor())
        self.assertIn(invoice.name.lower(), decision.details["name"])
        self.assertReason("due", self._get_debtor(self.other_customer))

    def test_bank_line_holds_the_name_of_the_customer(self):
        self._create_invoice(amount=1000, days_late=60)
        self._synchronize()
        self._create_bank_line(1000, label="VIR SEPA", partner_name="Boulangerie Petit")
        self.assertReason("unmatched_payment", self._get_debtor())

    def test_branch_looks_at_its_parent(self):
        branch = self._create_branch()
        invoice = self._create_branch_invoice(branch, 1000)
        transaction = self._create_transaction(1000, invoices=invoice)
        self.assertEqual(transaction.company_id, self.company)
        self.assertEqual(self._get_debtor(company=branch).claimable_amount, 0)
        transaction.state = "cancel"
        self.assertEqual(self._get_debtor(company=branch).claimable_amount, 1000)
        self._pay_on_account(amount=700)  # at the parent
        self.assertEqual(self._get_debtor(company=branch).claimable_amount, 300)
        self._create_invoice(amount=650, days_late=5)  # the parent's own debt comes first
        self.assertEqual(self._get_debtor(company=branch).claimable_amount, 950)

    # === ONE STATE OF INVOICES === #

    def test_money_of_a_branch_that_goes_back(self):
        """It came in on the parent's bank account, and goes back from there: owed once, and nothing was kept."""
        branch = self._create_branch()
        for words, is_rejected, is_booked, owed in (
            ("rejected", True, False, (1000, 0)),
            ("booked back", False, True, (0, 1000)),
            ("rejected and booked back", True, True, (0, 1000)),
        ):
            with self.subTest(words), self.env.cr.savepoint() as savepoint:
                invoice = self._create_branch_invoice(branch, 1000)
                debtor = self._get_debtor(company=branch)
                promise = self._promise(debtor, self.env.user, amount=1000, date=self.today)
                payment = self._pay_on_account(amount=1000)
                (self._get_items(invoice) + self._get_items(payment.move_id)).reconcile()
                self._synchronize(branch)
                self.assertEqual((promise.state, debtor.paid_item_count, debtor.bounce_count), ("kept", 1, 0))
                if is_rejected:
                    payment.action_reject()
                if is_booked:
                    receivable = self.company_data["default_account_receivable"].id
                    self._create_entry(
                        self.bank,
                        (1000, {"account_id": receivable, "partner_id": self.customer.id}),
                        (-1000, {"account_id": self.bank.default_account_id.id}),
                    )
                self._synchronize(branch)
                self._synchronize()
                above = self._get_debtor()
                self.assertEqual((debtor.due_amount - debtor.credit_amount, above.due_amount), owed)
                self.assertEqual((debtor.bounce_count, above.bounce_count), (1, 1), "once")
                self.assertEqual((debtor.paid_item_count, promise.settled_amount), (0, 0))
                with freeze_time(f"{self._days(20)} 12:00:00"):
                    self.env["collection.promise"]._settle(self.company._collection_today())
                self.assertNotEqual(promise.state, "kept")
                savepoint.rollback()
                self.env.invalidate_all()

    def test_state_of_an_invoice_follows_what_may_be_claimed(self):
        invoice = self._create_invoice(amount=100, days_late=30)
        debtor = self._get_debtor()
        self.assertEqual(invoice.collection_state, "claimable")
        promise = self._promise(debtor, amount=1, date=self.today + timedelta(days=5))
        self.env.invalidate_all()
        self.assertEqual(invoice.collection_state, "claimable")
        promise._set_state("cancelled")
        dispute = self._dispute(debtor, self._get_items(invoice))
        self.env.invalidate_all()
        self.assertEqual(invoice.collection_state, "disputed")
        dispute.with_user(self.solver).resolution = "The price was wrong."
        dispute.with_user(self.solver).action_accept()
        self.env.invalidate_all()
        self.assertEqual(dispute.state, "accepted")
        self.assertEqual(invoice.collection_state, "disputed")  # until it is credited
        paid = self._create_invoice(amount=40, days_late=20)
        self._pay_on_account(amount=40)
        self.env.invalidate_all()
        self.assertEqual(paid.collection_state, "covered")
        self.assertEqual(self.env["account.move"].search([("collection_state", "=", "covered")]), paid)
        debtor.insolvency = True
        self.env.invalidate_all()
        self.assertEqual({invoice.collection_state, paid.collection_state}, {"excluded"})


@tagged("post_install", "-at_install")
class TestReferences(BaseCase):
    """The labels of bank lines, without a database."""

    def test_doctests(self):
        outcome = doctest.testmod(collection_ledger_incoming)
        self.assertTrue(outcome.attempted)
        self.assertFalse(outcome.failed)
