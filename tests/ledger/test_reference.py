import os
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from ...models.debtor.collection_debtor import FACT_COLUMNS
from .. import reference
from ..common import TODAY, CollectionCommon

SOAK = bool(os.environ.get("COLLECTION_SOAK"))

# The same examples in each run; COLLECTION_SOAK looks further, and elsewhere each time.
# Only there are failures made smaller: it takes minutes, and a frozen clock never calls it off.
EXAMPLES = settings(
    deadline=None,
    database=None,
    derandomize=not SOAK,
    max_examples=300 if SOAK else 12,
    phases=(Phase.generate, Phase.shrink) if SOAK else (Phase.generate,),
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)

# UTC and what the clock says in Paris then: noon, half an hour before and after midnight.
NOON = (datetime(2026, 3, 10, 11), date(2026, 3, 10))
BEFORE_MIDNIGHT = (datetime(2026, 3, 10, 22, 30), date(2026, 3, 10))
AFTER_MIDNIGHT = (datetime(2026, 3, 10, 23, 30), date(2026, 3, 11))

AMOUNTS = st.integers(100, 800_000).map(lambda cents: cents / 100)
SMALL_AMOUNTS = st.integers(100, 30_000).map(lambda cents: cents / 100)
# Which of the customers, invoices … there are; counted on past the last one.
CHOICE = st.integers(0, 7)
SHARE = st.integers(1, 100)
DAYS_LATE = st.one_of(st.integers(-2, 2), st.integers(-20, 100), st.integers(90, 330))
DAYS_AGO = st.one_of(st.integers(0, 2), st.integers(0, 300))


def event(name, **values):
    """Return a strategy of things that happen to a ledger: a name, and what the method of that name is given."""
    return st.tuples(st.just(name), st.fixed_dictionaries(values))


INVOICE = event(
    "invoice",
    customer=CHOICE,
    amount=AMOUNTS,
    days_late=DAYS_LATE,
    currency=st.sampled_from(("EUR", "EUR", "USD")),
    instalments=st.booleans(),
    elsewhere=st.sampled_from((False, False, False, True)),
)
EVENTS = (
    INVOICE,
    event("credit_note", invoice=CHOICE, share=SHARE, allocated=st.booleans()),
    event("payment", invoice=CHOICE, share=SHARE, days_after=st.integers(-40, 90)),
    event("payment", invoice=CHOICE, share=st.just(100), days_after=st.integers(0, 60)),
    event("payment_on_account", customer=CHOICE, amount=AMOUNTS, days_ago=DAYS_AGO, dollar=st.booleans()),
    event("payment_by_other", invoice=CHOICE, customer=CHOICE, share=SHARE),
    event("payment_ahead", invoice=CHOICE, share=SHARE, days=st.integers(1, 9), allocated=st.booleans()),
    event("draft_payment", payment=CHOICE),
    event("repost", number=CHOICE),
    event("bank_line", customer=CHOICE, amount=AMOUNTS, days_ago=st.integers(0, 60)),
    event("money_back", customer=CHOICE, amount=SMALL_AMOUNTS, days_ago=DAYS_AGO),
    event("bounce", payment=CHOICE, days_ago=st.integers(0, 30), allocated=st.booleans()),
    event("rejected_payment", payment=CHOICE),
    event("allocation", invoice=CHOICE),
    event("unreconciliation", invoice=CHOICE),
    event("write_off_on_payment", invoice=CHOICE, share=SHARE),
    event("write_off_entry", invoice=CHOICE, share=SHARE),
    event(
        "entry",
        customer=CHOICE,
        amount=AMOUNTS,
        is_debit=st.sampled_from((True, True, False)),
        days_ago=DAYS_AGO,
        has_due_date=st.booleans(),
        followed_up=st.booleans(),
        trade=st.sampled_from((True, True, False)),
    ),
    event("no_followup", invoice=CHOICE),
    event("block", invoice=CHOICE),
    event("draft", invoice=CHOICE),
    event("history", customer=CHOICE, count=st.integers(2, 6), amount=SMALL_AMOUNTS, days_after=st.integers(-3, 50)),
    event("promise", customer=CHOICE, share=SHARE, days_ago=st.sampled_from((0, 0, 30, 60))),
    event("dispute", invoice=CHOICE, share=SHARE, accepted=st.booleans()),
    event(
        "contact",
        customer=CHOICE,
        hours_ago=st.integers(0, 80),
        channel=st.sampled_from(("call", "call", "email", "note")),
        outcome=st.sampled_from(("right_person", "someone_else", "no_answer")),
    ),
    event("settings_of_customer", customer=CHOICE, limit=st.integers(0, 3000), setting=st.integers(0, 5)),
    event(
        "online_payment",
        invoice=CHOICE,
        customer=CHOICE,
        share=st.integers(1, 150),
        days_ago=st.integers(0, 25),
        state=st.sampled_from(("pending", "pending", "authorized", "done", "cancel")),
        named=st.booleans(),
    ),
    event("entry_ahead", customer=CHOICE, amount=AMOUNTS, days=st.integers(1, 40), is_credit=st.booleans()),
    event("branch_invoice", customer=CHOICE, amount=AMOUNTS, days_late=DAYS_LATE),
    event("branch_payment", customer=CHOICE, amount=AMOUNTS, days_ago=DAYS_AGO, allocated=st.booleans()),
    event("merge", customer=CHOICE, other=CHOICE),
    event("join", customer=CHOICE, other=CHOICE),
)
LEDGERS = st.tuples(st.lists(INVOICE, min_size=1, max_size=3), st.lists(st.one_of(EVENTS), max_size=7)).map(
    lambda parts: parts[0] + parts[1]
)


class RandomLedger(CollectionCommon):
    """Makes ledgers from lists of events, each in a savepoint that is taken back."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dollar = cls.setup_other_currency("USD", rates=[("1900-01-01", 2.0), ("2026-01-20", 1.27)])
        cls.other_data = cls.setup_other_company(name="Moreau Belgique", collection_tz="Europe/Brussels")
        cls.other_company = cls.other_data["company"]
        cls.contact = cls.env["res.partner"].create({"name": "Marie", "parent_id": cls.customer.id})
        cls.shy_customer = cls._create_customer("Cabinet Noir", email=False, phone=False)
        cls.customers = cls.customer + cls.contact + cls.other_customer + cls.shy_customer
        cls.instalments = cls.env["account.payment.term"].create(
            {
                "name": "Three parts",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": share, "nb_days": days})
                    for share, days in ((33.33, 0), (33.33, 30), (33.34, 75))
                ],
            }
        )
        cls.other_receivable = cls.company_data["default_account_receivable"].copy({"non_trade": True})
        cls.write_off_account = cls.company_data["default_account_expense"]
        cls.branch = cls.env["res.company"].create(
            {"name": "Agence Nord", "parent_id": cls.company.id, "country_id": cls.company.country_id.id}
        )
        cls.branch.write({"collection_tz": cls.company.collection_tz, "collection_refresh_date": cls.today})
        cls.env.user.company_ids |= cls.branch
        cls.payment_provider = cls.env["payment.provider"].create(
            {"name": "Cards", "code": "none", "company_id": cls.company.id}
        )
        cls.payment_method = cls.env["payment.method"].with_context(active_test=False).search([], limit=1)

    @contextmanager
    def example(self, events):
        """Make the ledger that events tell of, and forget it afterwards."""
        savepoint = self.env.cr.savepoint()
        self.invoices = self.env["account.move"]
        self.customers = type(self).customers  # some may be merged
        try:
            for name, values in events:
                getattr(self, f"_make_{name}")(**values)
            yield
        finally:
            savepoint.close(rollback=True)
            self.env.invalidate_all()

    # === EVENTS === #

    def _choose(self, records, number):
        return records[number % len(records)] if records else records

    def _choose_open_item(self, number):
        """Return an open item of one of the company's own invoices, or nothing."""
        items = self._get_items(self.invoices).filtered(
            lambda item: item.company_id == self.company and item.parent_state == "posted" and item.amount_residual > 0
        )
        return self._choose(items, number)

    def _share_of(self, amount, share):
        return max(round(amount * share / 100, 2), 0.01)

    def _make_invoice(self, customer, amount, days_late, currency, instalments, elsewhere):
        values = {}
        if instalments:
            values = {"invoice_payment_term_id": self.instalments.id, "invoice_date_due": False}
        company = self.other_company if elsewhere else self.company
        self.invoices |= self._create_invoice(
            self._choose(self.customers, customer),
            amount,
            days_late,
            currency=self.dollar if currency == "USD" else company.currency_id,
            company=company,
            **values,
        )

    def _make_credit_note(self, invoice, share, allocated):
        invoice = self._choose(self.invoices, invoice)
        if invoice.state == "posted" and invoice.company_id == self.company:
            credit = self._credit(invoice, self._share_of(invoice.amount_total, share), reconcile=False)
            open_items = self._get_items(invoice).filtered(lambda item: not item.reconciled)
            if allocated and open_items:
                (open_items + self._get_items(credit)).reconcile()

    def _make_payment(self, invoice, share, days_after):
        invoice = self._choose(self.invoices, invoice)
        if invoice.state == "posted" and invoice.amount_residual > 0 and invoice.payment_state != "in_payment":
            due_date = invoice.invoice_date_due
            self._pay(
                invoice,
                amount=self._share_of(invoice.amount_residual, share),
                on=min(due_date + timedelta(days=days_after), self.today),
            )

    def _make_payment_on_account(self, customer, amount, days_ago, dollar):
        self._pay_on_account(
            self._choose(self.customers, customer),
            amount,
            on=self.today - timedelta(days=days_ago),
            currency=self.dollar if dollar else None,
        )

    def _make_payment_by_other(self, invoice, customer, share):
        """Somebody pays the invoice of another customer: a holding, a factor."""
        item = self._choose_open_item(invoice)
        if item:
            payment = self._pay_on_account(
                self._choose(self.customers, customer).commercial_partner_id,
                self._share_of(item.amount_residual_currency, share),
                on=self.today,
                currency=item.currency_id,
            )
            (item + self._get_items(payment.move_id)).reconcile()

    def _make_payment_ahead(self, invoice, share, days, allocated):
        """A payment that is booked for a later day, as a cheque that may not be cashed yet."""
        item = self._choose_open_item(invoice)
        if item:
            amount, day = self._share_of(item.amount_residual_currency, share), self.today + timedelta(days=days)
            payment = self._pay_on_account(item.partner_id, amount, on=day, currency=item.currency_id)
            if allocated:
                (item + self._get_items(payment.move_id)).reconcile()

    def _make_draft_payment(self, payment):
        self._choose_payment(payment).action_draft()

    def _make_repost(self, number):
        """What was set back to draft is posted again."""
        payments = self.env["account.payment"].search(
            [("partner_id", "in", self.customers.ids), ("state", "=", "draft")], order="id"
        )
        drafts = [*self.invoices.filtered(lambda invoice: invoice.state == "draft"), *payments]
        if drafts:
            drafts[number % len(drafts)].action_post()

    def _make_bank_line(self, customer, amount, days_ago):
        """Money on the bank's statement that nobody has allocated yet."""
        self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.company_data["default_journal_bank"].id,
                "date": self.today - timedelta(days=days_ago),
                "payment_ref": "Transfer",
                "amount": amount,
                "partner_id": self._choose(self.customers, customer).id,
            }
        )

    def _make_money_back(self, customer, amount, days_ago):
        partner = self._choose(self.customers, customer)
        self.env["account.payment"].create(
            {
                "payment_type": "outbound",
                "partner_type": "customer",
                "partner_id": partner.id,
                "amount": amount,
                "date": self.today - timedelta(days=days_ago),
                "journal_id": self.company_data["default_journal_bank"].id,
            }
        ).action_post()
        self._allocate(partner)

    def _allocate(self, partner, items=None):
        """Set all credits of a customer against all debts, or against some of them."""
        ledger = self.env["account.move.line"].search(
            self.env["account.move.line"]._check_company_domain(self.company)
            + [
                ("partner_id", "=", partner.id),
                ("account_id", "=", self.company_data["default_account_receivable"].id),
                ("parent_state", "=", "posted"),
                ("reconciled", "=", False),
            ]
        )
        credits = ledger.filtered(lambda line: line.amount_residual < 0)
        debts = items or ledger.filtered(lambda line: line.amount_residual > 0)
        if credits and debts:
            (credits + debts).reconcile()

    def _choose_payment(self, number):
        """Return a payment of one of the customers that stands, or nothing."""
        payments = self.env["account.payment"].search(
            [
                ("partner_id", "in", self.customers.ids),
                ("company_id", "=", self.company.id),
                ("payment_type", "=", "inbound"),
                ("move_id.state", "=", "posted"),
            ],
            order="id",
        )
        return self._choose(payments, number)

    def _bounce(self, payment, day, allocated):
        """Book that the bank took a payment back; the accountant may set both against each other."""
        line = self._get_items(payment.move_id)[:1]
        bank = self.company_data["default_journal_bank"]
        values = {"currency_id": line.currency_id.id, "partner_id": line.partner_id.id}
        entry = self.env["account.move"].create(
            {
                "journal_id": bank.id,
                "date": day,
                "line_ids": [
                    Command.create(
                        {**values, "account_id": line.account_id.id, "amount_currency": -line.amount_currency}
                    ),
                    Command.create(
                        {**values, "account_id": bank.default_account_id.id, "amount_currency": line.amount_currency}
                    ),
                ],
            }
        )
        entry.action_post()
        if allocated:
            line.remove_move_reconcile()
            (line + self._get_items(entry)).reconcile()

    def _make_bounce(self, payment, days_ago, allocated):
        payment = self._choose_payment(payment)
        if payment:
            day = max(payment.date, self.today - timedelta(days=days_ago))
            self._bounce(payment, day, allocated)

    def _make_rejected_payment(self, payment):
        self._choose_payment(payment).action_reject()

    def _make_allocation(self, invoice):
        item = self._choose_open_item(invoice)
        if item:
            self._allocate(item.partner_id, item)

    def _make_unreconciliation(self, invoice):
        self._get_items(self._choose(self.invoices, invoice)).remove_move_reconcile()

    def _make_write_off_on_payment(self, invoice, share):
        invoice = self._choose_open_item(invoice).move_id
        if invoice:
            self.env["account.payment.register"].with_context(
                active_model="account.move", active_ids=invoice.ids
            ).create(
                {
                    "amount": self._share_of(invoice.amount_residual, share),
                    "payment_difference_handling": "reconcile",
                    "writeoff_account_id": self.write_off_account.id,
                }
            )._create_payments()

    def _make_write_off_entry(self, invoice, share):
        item = self._choose_open_item(invoice)
        if item:
            entry = self._create_entry(item.partner_id, -self._share_of(item.amount_residual, share), self.today)
            (item + self._get_items(entry)).reconcile()

    def _create_entry(self, partner, balance, day, trade=True):
        """Post a miscellaneous entry on a receivable account: a debt, or a credit below zero."""
        account = self.company_data["default_account_receivable"] if trade else self.other_receivable
        entry = self.env["account.move"].create(
            {
                "journal_id": self.company_data["default_journal_misc"].id,
                "date": day,
                "line_ids": [
                    Command.create({"account_id": account.id, "partner_id": partner.id, "balance": balance}),
                    Command.create({"account_id": self.write_off_account.id, "balance": -balance}),
                ],
            }
        )
        entry.action_post()
        return entry

    def _make_entry(self, customer, amount, is_debit, days_ago, has_due_date, followed_up, trade):
        day = self.today - timedelta(days=days_ago)
        entry = self._create_entry(
            self._choose(self.customers, customer), amount if is_debit else -amount, day, trade=trade
        )
        self._get_items(entry).write(
            {
                "date_maturity": day + timedelta(days=20) if has_due_date else False,
                "no_followup": not followed_up,
            }
        )

    def _make_no_followup(self, invoice):
        invoice = self._choose(self.invoices, invoice)
        invoice.no_followup = not invoice.no_followup

    def _make_block(self, invoice):
        invoice = self._choose(self.invoices, invoice)
        if invoice.state == "posted" and invoice.payment_state in ("not_paid", "partial", "blocked"):
            invoice.action_toggle_block_payment()

    def _make_draft(self, invoice):
        invoice = self._choose(self.invoices, invoice)
        if invoice.state == "posted":
            invoice.button_draft()

    def _make_history(self, customer, count, amount, days_after):
        """Invoices of the last months, each paid as many days after its due date."""
        for months in range(1, count + 1):
            days_late = 30 * months + days_after
            invoice = self._create_invoice(self._choose(self.customers, customer), amount, days_late)
            self._pay(invoice, on=invoice.invoice_date_due + timedelta(days=days_after))
            self.invoices |= invoice

    def _make_promise(self, customer, share, days_ago):
        with freeze_time(self.today - timedelta(days=days_ago) + timedelta(hours=11)):
            debtor = self._get_debtor(self._choose(self.customers, customer).commercial_partner_id)
            claims = debtor._get_claim() if debtor else []
            if claims:
                claim = claims[0]
                items = [row["item"].id for row in claim["rows"]]
                amount = self._share_of(claim["amount"], share)
                self._promise(debtor, user=self.env.user, move_line_ids=[Command.set(items)], amount=amount)

    def _make_dispute(self, invoice, share, accepted):
        item = self._choose_open_item(invoice)
        if not item:
            return
        disputed = item._get_collection_disputed().get(item.id, 0.0)
        amount = round(item.amount_residual_currency - disputed, 2)
        if amount > 0:
            debtor = self._get_debtor(item.partner_id.commercial_partner_id)
            amount = min(self._share_of(amount, share), amount)
            dispute = self._dispute(debtor, item, amount, user=self.env.user)
            if accepted:
                dispute.resolution = "Price corrected."
                dispute.action_accept()

    def _make_contact(self, customer, hours_ago, channel, outcome):
        debtor = self._get_debtor(self._choose(self.customers, customer).commercial_partner_id)
        if debtor:
            with freeze_time(AFTER_MIDNIGHT[0] - timedelta(hours=hours_ago)):
                self.env["collection.action"]._log(
                    debtor, channel, **({"outcome": outcome} if channel == "call" else {})
                )

    def _make_settings_of_customer(self, customer, limit, setting):
        partner = self._choose(self.customers, customer).commercial_partner_id
        partner.credit_limit = limit
        debtor = self._get_debtor(partner)
        if setting == 0:
            partner.collection_company_size = "large"
        elif setting == 1:
            partner.collection_company_size = "micro"
        elif setting == 2 and debtor:
            debtor.contact_id = partner.child_ids[:1] or partner
        elif setting == 3 and debtor:
            debtor.payer_profile_manual = "bad"
        elif setting == 4 and debtor:
            debtor.insolvency = True
        elif setting == 5:
            partner.write({"phone": False, "email": "somebody@customer.example"})

    def _make_online_payment(self, invoice, customer, share, days_ago, state, named):
        """Somebody pays online; the provider says so, and Odoo has not booked it yet."""
        item = self._choose_open_item(invoice)
        if not item:
            return
        transaction = self.env["payment.transaction"].create(
            {
                "provider_id": self.payment_provider.id,
                "payment_method_id": self.payment_method.id,
                "amount": self._share_of(item.amount_residual_currency, share),
                "currency_id": item.currency_id.id,
                "partner_id": self._choose(self.customers, customer).id,
                "reference": f"online {self.env['payment.transaction'].search_count([])}",
                "invoice_ids": [Command.set(item.move_id.ids if named else [])],
            }
        )
        changed_on = datetime.combine(self.today - timedelta(days=days_ago), NOON[0].time())
        # As a provider whose money is captured later: Odoo's own "none" knows no authorization.
        self.payment_provider.support_manual_capture = "full_only"
        transaction.write({"state": state, "last_state_change": changed_on})

    def _make_entry_ahead(self, customer, amount, days, is_credit):
        """An invoice or a credit note that is dated in some days."""
        day = self.today + timedelta(days=days)
        self._create_invoice(
            self._choose(self.customers, customer),
            amount,
            days_late=-days,
            move_type="out_refund" if is_credit else "out_invoice",
            invoice_date=day,
            date=day,
        )

    def _make_branch_invoice(self, customer, amount, days_late):
        partner = self._choose(self.customers, customer)
        receivable = self.company_data["default_account_receivable"]
        partner.with_company(self.branch).property_account_receivable_id = receivable
        due_date = self.today - timedelta(days=days_late)
        invoice = (
            self.env["account.move"]
            .with_context(allowed_company_ids=[self.branch.id, self.company.id])
            .create(
                {
                    "move_type": "out_invoice",
                    "partner_id": partner.id,
                    "company_id": self.branch.id,
                    "journal_id": self.company_data["default_journal_sale"].id,
                    "invoice_date": due_date - timedelta(days=30),
                    "invoice_date_due": due_date,
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

    def _make_branch_payment(self, customer, amount, days_ago, allocated):
        """A customer of the branch pays to the company above it."""
        partner = self._choose(self.customers, customer)
        payment = self._pay_on_account(partner, amount, on=self.today - timedelta(days=days_ago))
        items = self.env["account.move.line"].search(
            [
                ("company_id", "=", self.branch.id),
                ("partner_id", "=", partner.id),
                ("account_type", "=", "asset_receivable"),
                ("reconciled", "=", False),
            ],
            order="id",
        )
        if allocated and items:
            (items[:1] + self._get_items(payment.move_id)).reconcile()

    def _make_merge(self, customer, other):
        """Two customers turn out to be one; what was decided about either holds for it."""
        gone, kept = (self._choose(self.customers, number).commercial_partner_id for number in (customer, other))
        if gone != kept:
            with self._deciding(gone + kept, kept):
                self.env["base.partner.merge.automatic.wizard"].create({})._merge((gone + kept).ids, kept, False)
                self.customers = self.customers.exists()

    def _make_join(self, customer, other):
        """A customer turns out to be a contact of another one."""
        contact, company = (self._choose(self.customers, number).commercial_partner_id for number in (customer, other))
        if contact != company:
            with self._deciding(contact + company, company):
                contact.write({"parent_id": company.id, "is_company": False})

    @contextmanager
    def _deciding(self, before, after):
        """Check that an insolvency follows the customers who become one, in each company."""
        domain = [("partner_id", "in", before.ids), ("insolvency", "=", True)]
        insolvent = self.env["collection.debtor"].search(domain).company_id
        yield
        found = self.env["collection.debtor"].search([("partner_id", "=", after.id), ("insolvency", "=", True)])
        self.assertEqual(found.company_id, insolvent)


@tagged("post_install", "-at_install")
class TestReference(RandomLedger):
    """Each indicator and the score of random ledgers is what plain Python makes of their definitions."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Criteria for what the shipped ones leave out, so that each indicator is scored.
        for name, limits in (
            ("weighted_days_late", (1, 15, 60)),
            ("late_share", (20, 60)),
            ("lateness_trend", (-5, 0, 5.5)),
            ("open_dispute_count", (1, 2)),
            ("credit_limit_use", (50, 100)),
            ("days_since_contact", (1, 2, 9999)),
            ("contactability", (1, 2, 3)),
            ("custom", (1,)),
        ):
            cls.env["collection.criterion"].create(
                {
                    "name": name,
                    "sequence": 200,
                    "indicator": name,
                    "weight": 7,
                    "partner_domain": "[('collection_company_size', '=', 'large')]",
                    "band_ids": [
                        Command.create({"lower": limit, "percent": 100 - 15 * number})
                        for number, limit in enumerate(limits)
                    ],
                }
            )

    def assertFacts(self, company, today):
        """Check that each row of a company shows what the reference expects, column by column."""
        expected = reference.expect_facts(company, today)
        debtors = (
            self.env["collection.debtor"].with_context(active_test=False).search([("company_id", "=", company.id)])
        )
        self.assertEqual(set(debtors.partner_id), set(expected))
        for debtor in debtors:
            facts = expected[debtor.partner_id]
            self.assertEqual(set(facts), set(FACT_COLUMNS), "the reference must know each column")
            shown, wanted = (
                {name: self._simplify(values[name]) for name in FACT_COLUMNS} for values in (debtor, facts)
            )
            differences = {name: (shown[name], wanted[name]) for name in wanted if shown[name] != wanted[name]}
            self.assertFalse(
                differences,
                f"shown and expected of {debtor.partner_id.name} in {company.name} on {today}",
            )

    def _simplify(self, value):
        """Return a value that compares: floats of the ORM and of json, decimals of the reference."""
        if isinstance(value, float | Decimal):
            return round(float(value), 4)
        if isinstance(value, list):
            return [self._simplify(row) for row in value]
        if isinstance(value, dict):
            return {name: self._simplify(item) for name, item in value.items()}
        return value or False

    @EXAMPLES
    @given(events=LEDGERS, clock=st.sampled_from((NOON, BEFORE_MIDNIGHT, AFTER_MIDNIGHT)))
    def test_every_column_is_what_its_definition_says(self, events, clock):
        instant, today = clock
        with self.example(events), freeze_time(instant):
            for company in self.company + self.other_company + self.branch:
                self._synchronize(company)
                self.assertFacts(company, today)

    def test_reference_by_hand(self):
        """The reference itself, on figures worked out on paper."""
        with self.example([("history", {"customer": 0, "count": 3, "amount": 100.0, "days_after": 9})]):
            self._create_invoice(amount=300, days_late=30)
            self._create_invoice(amount=100, days_late=-5)
            self._pay_on_account(amount=50)
            self._synchronize()
            facts = reference.expect_facts(self.company, date.fromisoformat(TODAY))[self.customer]
            for name, value in (
                ("due_amount", 400),
                ("overdue_amount", 300),
                ("credit_amount", 50),
                ("claimable_amount", 250),
                ("weighted_days_late", 30),
                ("average_days_late", Decimal("19.5")),  # (3 × 100 × 9 + 300 × 30) / 600
                ("late_share", 100),
                ("paid_item_count", 3),
                ("payer_profile", "disorganised"),
                ("is_small", True),
                ("contactability", 2),
            ):
                with self.subTest(column=name):
                    self.assertEqual(facts[name], value)
            self.assertFacts(self.company, date.fromisoformat(TODAY))

    def test_money_sent_back_is_no_invoice(self):
        """Neither is an exchange difference, which Odoo books when the payment comes at another rate."""
        with self.example([]):
            self._create_invoice(amount=10, days_late=200)
            self._make_money_back(customer=0, amount=5.0, days_ago=3)
            paid = self._create_invoice(self.other_customer, amount=100, days_late=90, currency=self.dollar)
            self._pay(paid)
            self._synchronize()
            self.assertFacts(self.company, self.today)
            self.assertEqual(self._get_debtor(self.other_customer).paid_item_count, 1)
            self.assertEqual(self._get_debtor(self.other_customer).last_invoice_date, paid.invoice_date)

    def test_invoice_that_went_back_to_draft_was_not_paid(self):
        """Odoo keeps its reconciliations until it is posted again."""
        with self.example([]):
            invoice = self._create_invoice(days_late=60)
            self._create_invoice()
            self._pay(invoice)
            invoice.button_draft()
            self.assertFalse(self._get_debtor().paid_item_count)
            self.assertFacts(self.company, self.today)

    def test_contact_after_midnight_was_today(self):
        """At 00:30 in Paris, UTC has still the day before."""
        with self.example([("contact", {"customer": 0, "hours_ago": 0, "channel": "call", "outcome": "right_person"})]):
            self._create_invoice()
            debtor = self._get_debtor()
            instant, today = AFTER_MIDNIGHT
            with freeze_time(instant):
                self.env["collection.action"]._log(debtor, "call", outcome="right_person")
                self._synchronize()
                self.assertEqual(debtor.last_contact_on, today)
                self.assertFacts(self.company, today)

    def test_credit_limit_of_the_company(self):
        """A customer without a limit of their own has the company's."""
        with self.example([]):
            self.env["ir.default"].set("res.partner", "credit_limit", 200.0, company_id=self.company.id)
            self._create_invoice(amount=100)
            self.assertEqual(self._get_debtor().credit_limit_use, 50)
            self.assertFacts(self.company, self.today)

    def test_archived_customer_can_t_be_called(self):
        with self.example([]):
            self._create_invoice(self.shy_customer)
            debtor = self._get_debtor(self.shy_customer)
            debtor.contact_id = self.shy_customer
            self.shy_customer.active = False
            self._synchronize()
            self.assertEqual(debtor.contactability, 1)
            self.assertFacts(self.company, self.today)
