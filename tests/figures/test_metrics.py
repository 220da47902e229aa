from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from ...tools.aging import bucket_of
from ..common import TODAY, CollectionCommon
from ..ledger.test_reference import EXAMPLES, LEDGERS, RandomLedger
from ..reference import CASH, exact, find_returned, is_void, open_on

DAYS_BACK = st.one_of(st.integers(0, 5), st.integers(0, 60), st.integers(0, 330))


@tagged("post_install", "-at_install")
class TestMetricsReference(RandomLedger):
    """The figures of random ledgers on any day are what plain Python makes of their definitions."""

    # === THE PLAIN ROUTE === #

    def _read_lines(self, company):
        return (
            self.env["account.move.line"]
            .sudo()
            .search(
                [
                    ("company_id", "=", company.id),
                    ("account_id.account_type", "=", "asset_receivable"),
                    ("account_id.non_trade", "=", False),
                    ("parent_state", "=", "posted"),
                ]
            )
        )

    def _expect_open_items(self, company, day):
        """Return ``{item id: (residual, in its currency)}``: balance less what was reconciled by that day."""
        partials = self.env["account.partial.reconcile"].sudo().search([])
        causes = {partial.exchange_move_id: partial for partial in partials if partial.exchange_move_id}
        expected = {}
        for line in self._read_lines(company).filtered(lambda line: line.date <= day):
            residual, residual_currency = open_on(line, day, causes)
            if residual and residual_currency and not is_void(line):
                expected[line.id] = (residual, residual_currency)
        return expected

    def _expect_position(self, company, day):
        """Return ``(buckets, credits, late product)``."""
        buckets, credits, late_product = Counter(), Decimal(0), Decimal(0)
        for line_id, (residual, _in_currency) in self._expect_open_items(company, day).items():
            line = self.env["account.move.line"].browse(line_id)
            is_payout = line.balance > 0 and line.move_id.origin_payment_id.payment_type == "outbound"
            if residual < 0 or is_payout:
                credits -= residual
                continue
            days_late = (day - (line.date_maturity or line.date)).days
            buckets[bucket_of(days_late)] += residual
            late_product += residual * max(days_late, 0)
        return buckets, credits, late_product

    def _expect_sales(self, company):
        moves = self._read_lines(company).move_id.filtered(lambda move: move.move_type in ("out_invoice", "out_refund"))
        sales = Counter()
        for move in moves.filtered(lambda move: move.date <= self.today):
            sales[move.date] += exact(move.amount_total_signed)
        return sales

    def _expect_cash(self, company):
        """What the payments say that they brought, and what the bank took back."""
        cash = Counter()
        lines = self._read_lines(company).filtered(
            lambda line: line.journal_id.type in CASH and line.date <= self.today and not is_void(line)
        )
        for payment in lines.payment_id.filtered(lambda payment: payment.state != "draft"):
            cash[payment.date] += exact(payment.amount_company_currency_signed)
        for line in lines.filtered(lambda line: not line.payment_id):
            cash[line.date] -= exact(line.balance)
        return cash

    def _get_returned(self, company):
        """Return the payments' items whose money did not stay."""
        in_bank = self._read_lines(company).filtered(lambda line: line.journal_id.type in CASH)
        rejected = in_bank.filtered(
            lambda line: line.payment_id.state == "rejected" and line.payment_id.payment_type == "inbound"
        )
        return rejected.union(*(find_returned(line, in_bank) for line in in_bank))

    def _expect_payments(self, company):
        payments = {}
        exchange_moves = self.env["account.partial.reconcile"].sudo().search([]).exchange_move_id
        returned = self._get_returned(company)
        for line in self._read_lines(company):
            if line.journal_id.type in CASH or line.move_id in exchange_moves:
                continue
            for partial in line.matched_credit_ids:
                credit = partial.credit_move_id
                is_cash = credit.journal_id.type in CASH and credit.parent_state == "posted"
                if is_cash and credit not in returned and partial.max_date <= self.today:
                    row = payments.setdefault(partial.max_date, [Decimal(0)] * 3)
                    amount = exact(partial.amount)
                    settled = -sum(self._get_items(credit.move_id).mapped("balance"))
                    write_off = sum(
                        line.balance for line in credit.move_id.line_ids if line.account_id == self.write_off_account
                    )
                    amount = round(amount * (1 - exact(write_off) / exact(settled)), 2)
                    row[0] += amount
                    row[1] += amount * (credit.date - line.date).days
                    row[2] += amount * (credit.date - (line.date_maturity or line.date)).days
        return payments

    # === TESTS === #

    def assertClose(self, shown, expected, places=2):
        self.assertEqual(set(filter(shown.get, shown)), set(filter(expected.get, expected)))
        for key, value in shown.items():
            self.assertAlmostEqual(value, float(expected[key]), places=places)

    @EXAMPLES
    @given(events=LEDGERS, days_back=st.tuples(DAYS_BACK, DAYS_BACK))
    def test_what_was_open_on_any_day(self, events, days_back):
        Metrics = self.env["collection.metrics"]
        with self.example(events):
            for company in self.company + self.other_company:
                for day in {self.today, *(self.today - timedelta(days=days) for days in days_back)}:
                    self.env.flush_all()
                    rows = self.env.execute_query_dict(Metrics._get_item_sql(company, day))
                    expected = self._expect_open_items(company, day)
                    shown = {row["item_id"]: (exact(row["residual"]), exact(row["residual_currency"])) for row in rows}
                    self.assertEqual(shown, expected, f"open items of {company.name} on {day}")
                    buckets, credits, late_product = self._expect_position(company, day)
                    position = Metrics._get_position(company, day)
                    self.assertClose(position.buckets, buckets)
                    self.assertAlmostEqual(position.credits, float(credits), places=2)
                    self.assertAlmostEqual(position.late_product, float(late_product), places=2)
                    by_partner = Metrics._get_positions_by_partner(company, day).values()
                    self.assertAlmostEqual(sum(part.receivables for part in by_partner), position.receivables, places=2)

    @EXAMPLES
    @given(events=LEDGERS)
    def test_sales_cash_and_payments(self, events):
        Metrics = self.env["collection.metrics"]
        with self.example(events):
            for company in self.company + self.other_company:
                period = (company, date(2024, 1, 1), self.today)
                self.assertClose(Metrics._get_sales_by_day(*period), self._expect_sales(company))
                self.assertClose(Metrics._get_cash_by_day(*period), self._expect_cash(company))
                payments = Metrics._get_payments_by_day(*period)
                expected = self._expect_payments(company)
                for column in range(3):
                    self.assertClose(
                        {day: row[column] for day, row in payments.items()},
                        Counter({day: row[column] for day, row in expected.items()}),
                    )

    @EXAMPLES
    @given(events=LEDGERS)
    def test_today_is_what_debtors_show(self, events):
        with self.example(events):
            self._synchronize()
            [[due, overdue, credit]] = self.env["collection.debtor"]._read_group(
                [("company_id", "=", self.company.id)],
                aggregates=["due_amount:sum", "overdue_amount:sum", "credit_amount:sum"],
            )
            position = self.env["collection.metrics"]._get_position(self.company, self.today)
            self.assertAlmostEqual(position.due, due, places=2)
            self.assertAlmostEqual(position.overdue, overdue, places=2)
            self.assertAlmostEqual(position.credits, credit, places=2)


@tagged("post_install", "-at_install")
class TestMetrics(CollectionCommon):
    """Figures worked out on paper, and what must not be counted."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.metrics = cls.env["collection.metrics"]

    def _invoice_on(self, day, amount, days=30, **values):
        """Post an invoice of a day, due ``days`` later."""
        day = date.fromisoformat(day)
        late = (self.today - day).days - days
        return self._create_invoice(amount=amount, days_late=late, **{"invoice_date": day, **values})

    def test_vector_of_the_field_study(self):
        """Receivables of 2,500 after sales of 700, 800 and 1,200: 82.43 days."""
        september = self._invoice_on("2025-09-12", 700)
        self._invoice_on("2025-10-12", 800)
        self._invoice_on("2025-11-12", 1200)
        self._pay(september, amount=200, on=date(2025, 11, 20))
        figures = self.metrics._get_figures(self.company, date(2025, 11, 30))
        self.assertEqual(figures.position.receivables, 2500)
        self.assertEqual([month.sales for month in figures.months], [1200, 800, 700])
        self.assertEqual([month.days for month in figures.months], [30, 31, 30])
        self.assertEqual(round(figures.dso_count_back.days, 2), 82.43)
        self.assertAlmostEqual(figures.dso, 2500 / 2700 * 91)
        self.assertAlmostEqual(figures.best_possible_dso, 1200 / 2700 * 91)
        self.assertAlmostEqual(figures.average_days_delinquent, 1300 / 2700 * 91)
        self.assertEqual(figures.collected, 200)
        # Opening 1,500 + sales 1,200 − closing 2,500 = 200 of the 1,500 that weren't current at the end.
        self.assertAlmostEqual(figures.cei, 100 * 200 / 1500)
        self.assertEqual(figures.days_to_pay, 69)
        self.assertEqual(figures.average_delay, 39)
        self.assertAlmostEqual(figures.overdue_rate, 100 * 1300 / 2500)

    def test_days_to_pay_start_with_the_invoice(self):
        """A closed month moves the accounting date of a late posted invoice, not what the customer has to pay by."""
        self.company.sudo().fiscalyear_lock_date = date(2026, 1, 31)
        invoice = self._invoice_on("2026-01-20", 100)
        self.assertEqual((invoice.invoice_date, invoice.date), (date(2026, 1, 20), date(2026, 2, 28)))
        self._pay(invoice, on=date(2026, 3, 1))
        figures = self.metrics._get_figures(self.company, self.today)
        self.assertEqual(figures.days_to_pay, 40)

    def test_sales_receipts_are_sales(self):
        """They are receivables, too."""
        self._invoice_on("2026-02-05", 100)
        self._invoice_on("2026-02-06", 40, move_type="out_receipt")
        figures = self.metrics._get_figures(self.company, date(2026, 2, 28))
        self.assertEqual((figures.sales, figures.position.receivables), (140, 140))

    def test_money_that_went_back(self):
        """It counts as negative on the day it went, and says nothing about how the customer pays."""
        invoice = self._invoice_on("2026-01-05", 100)
        self._pay(invoice, on=date(2026, 2, 10))
        bank = self.company_data["default_journal_bank"]
        self.env["account.move"].create(
            {
                "journal_id": bank.id,
                "date": "2026-02-14",
                "line_ids": [
                    Command.create(
                        {
                            "account_id": self.company_data["default_account_receivable"].id,
                            "partner_id": self.customer.id,
                            "debit": 100,
                        }
                    ),
                    Command.create({"account_id": bank.default_account_id.id, "credit": 100}),
                ],
            }
        ).action_post()
        cash = self.metrics._get_cash_by_day(self.company, date(2026, 2, 1), date(2026, 2, 28))
        self.assertEqual(cash, {date(2026, 2, 10): 100, date(2026, 2, 14): -100})
        figures = self.metrics._get_figures(self.company, date(2026, 2, 28))
        self.assertEqual((figures.collected, figures.days_to_pay), (0, None))
        self.assertEqual(figures.position.receivables, 100)

    def test_promised_on_a_day_before_a_payment_that_came_back(self):
        """What came back was never settled: only what had been paid by then is taken off."""
        invoice = self._create_invoice(amount=100)
        self._promise(self._get_debtor(), amount=100, date=self._days(30))
        for day, amount in ((1, 40), (5, 60)):
            with freeze_time(f"{self._days(day)} 12:00:00"):
                payment = self._pay(invoice, amount, on=self.today + timedelta(days=day))
                self._synchronize()
        payment.action_reject()
        with freeze_time(f"{self._days(9)} 12:00:00"):
            self._synchronize()
            for day, left in ((0, 100), (3, 60), (6, 60), (9, 60)):
                position = self.metrics._read_position(self.company, self.today + timedelta(days=day))
                self.assertEqual(position[1], left, day)

    def test_withheld_today_is_what_the_file_shows(self):
        """Two rates, both kinds on one item, and a payment at another rate since."""
        chf = self.setup_other_currency("CHF", rates=[("2020-01-01", 1.1), ("2026-03-01", 1.7)])
        invoice = self._create_invoice(amount=333.34, days_late=70, currency=chf)
        debtor = self._get_debtor()
        self._dispute(debtor, self._get_items(invoice), 0.01)
        self._promise(debtor, amount=33.33, date=self._days(3))
        self._pay(invoice, 100)
        debtor = self._get_debtor()
        figures = self.metrics._get_figures(self.company, self.today)
        self.assertEqual((figures.promised, figures.disputed), (debtor.promised_amount, debtor.disputed_amount))
        self.assertTrue(debtor.disputed_amount)

    def test_history_too_short_is_marked(self):
        entry = self._invoice_on("2026-01-05", 100)
        self._invoice_on("2026-02-05", 100)
        self.assertEqual(str(self.metrics._get_figures(self.company, date(2026, 2, 28)).dso_count_back), "59.0")
        entry.button_draft()
        entry.unlink()
        # An opening entry is owed, but no sale.
        self.env["account.move"].create(
            {
                "date": "2026-01-01",
                "journal_id": self.company_data["default_journal_misc"].id,
                "line_ids": [
                    Command.create(
                        {
                            "account_id": self.company_data["default_account_receivable"].id,
                            "partner_id": self.customer.id,
                            "balance": 900,
                        }
                    ),
                    Command.create({"account_id": self.company_data["default_account_expense"].id, "balance": -900}),
                ],
            }
        ).action_post()
        figures = self.metrics._get_figures(self.company, date(2026, 2, 28))
        # What was sold in January, before the first invoice, is unknown.
        self.assertEqual(str(figures.dso_count_back), ">28")
        self.assertEqual(figures.position.receivables, 1000)
        self.assertEqual(figures.dso, 1000 / 100 * 28)
        # As long as nothing was invoiced, only the entry is known.
        self.assertEqual(str(self.metrics._get_figures(self.company, date(2026, 1, 31)).dso_count_back), ">31")

    def test_without_any_entry_nothing_is_made_up(self):
        figures = self.metrics._get_figures(self.company, self.today)
        self.assertEqual(figures.position.receivables, 0)
        self.assertEqual(figures.months, ())
        for name in ("dso", "cei", "overdue_rate", "days_to_pay", "weighted_days_late", "average_delay_with_open"):
            with self.subTest(figure=name):
                self.assertIsNone(getattr(figures, name))

    def test_reconciliation_of_a_later_day_does_not_count(self):
        invoice = self._invoice_on("2026-01-10", 100)
        self._pay(invoice, amount=60, on=date(2026, 2, 20))
        self._credit(invoice, 40)  # of today
        for day, owed in (("2026-01-09", 0), ("2026-02-19", 100), ("2026-02-20", 40), (TODAY, 0)):
            with self.subTest(day=day):
                position = self.metrics._get_position(self.company, date.fromisoformat(day))
                self.assertEqual(position.receivables, owed)

    def test_payment_that_was_unreconciled_is_a_credit(self):
        invoice = self._invoice_on("2026-01-10", 100)
        self._pay(invoice, on=date(2026, 2, 20))
        self._get_items(invoice).remove_move_reconcile()
        position = self.metrics._get_position(self.company, self.today)
        self.assertEqual((position.due, position.credits, position.receivables), (100, 100, 0))
        self.assertEqual(position.buckets["1_30"], 100)

    def test_exchange_difference_that_is_booked_later(self):
        """Its entry may be dated at the end of the month: the invoice was paid on the day of the money."""
        dollar = self.setup_other_currency("USD", rates=[("1900-01-01", 2.0), ("2026-01-20", 1.25)])
        invoice = self._invoice_on("2026-01-10", 100, currency=dollar)
        self._pay(invoice, on=date(2026, 2, 3))
        exchange_move = self._get_items(invoice).matched_credit_ids.exchange_move_id
        self.assertTrue(exchange_move)
        self.assertEqual(exchange_move.date, date(2026, 2, 28))
        for day, owed in (("2026-02-02", 50), ("2026-02-03", 0), ("2026-02-10", 0), ("2026-03-01", 0)):
            with self.subTest(day=day):
                position = self.metrics._get_position(self.company, date.fromisoformat(day))
                self.assertEqual(position.receivables, owed)

    def test_only_trade_receivables_of_the_company(self):
        other_data = self.setup_other_company(name="Moreau Belgique")
        self._create_invoice(company=other_data["company"])
        invoice = self._create_invoice(amount=100)
        other_receivable = self.company_data["default_account_receivable"].copy({"non_trade": True})
        figures = self.metrics._get_figures(self.company)
        self.assertEqual(figures.position.receivables, 100)
        invoice.button_draft()
        self._get_items(invoice).account_id = other_receivable
        invoice.action_post()
        figures = self.metrics._get_figures(self.company)
        self.assertEqual(figures.position.receivables, 0)
        self.assertEqual(figures.months, ())

    def test_filters(self):
        contact = self.env["res.partner"].create({"name": "Marie", "parent_id": self.customer.id})
        self._create_invoice(contact, amount=100, days_late=10)
        self._create_invoice(self.other_customer, amount=40, days_late=100)
        position = self.metrics._get_position
        self.assertEqual(position(self.company, self.today, partners=self.customer).receivables, 100)
        self.assertEqual(position(self.company, self.today, partners=self.env["res.partner"]).receivables, 0)
        domain = [("date_maturity", "<", self.today - timedelta(days=60))]
        self.assertEqual(position(self.company, self.today, domain=domain).receivables, 40)
        self.assertEqual(
            self.metrics._get_figures(self.company, partners=self.customer).months[2].sales,
            100,
        )
        by_partner = self.metrics._get_positions_by_partner(self.company, self.today)
        self.assertEqual(
            {key: row.due for key, row in by_partner.items()}, {self.customer.id: 100, self.other_customer.id: 40}
        )

    def test_promised_and_disputed_on_a_past_day(self):
        invoice = self._invoice_on("2026-01-10", 100)
        other_invoice = self._invoice_on("2026-01-10", 60)
        with freeze_time("2026-02-15 12:00:00"):
            debtor = self._get_debtor()
            self._promise(
                debtor,
                user=self.team_user,
                date=date(2026, 3, 20),
                move_line_ids=[Command.set(self._get_items(invoice).ids)],
                amount=80,
            )
            dispute = self._dispute(debtor, self._get_items(other_invoice), 25)
        self._pay(invoice, amount=30, on=date(2026, 3, 1))
        self._synchronize()
        dispute.resolution = "Right price."
        dispute.action_reject()
        # Credits stand apart: they make no promise smaller.
        self._pay_on_account(amount=500, on=date(2026, 2, 1))
        for day, promised, disputed in (
            ("2026-02-14", 0, 0),
            ("2026-02-15", 80, 25),
            ("2026-03-01", 50, 25),
            (TODAY, 50, 0),
        ):
            with self.subTest(day=day):
                figures = self.metrics._get_figures(self.company, date.fromisoformat(day))
                self.assertEqual((figures.promised, figures.disputed), (promised, disputed))
        figures = self.metrics._get_dispute_figures(self.company, date(2026, 3, 1), self.today)
        self.assertEqual((figures.resolved_count, figures.accepted_rate, figures.days_to_resolve), (1, 0, 23))
        past = self.metrics._get_dispute_figures(self.company, date(2026, 2, 1), date(2026, 2, 28))
        self.assertEqual(past.open_by_reason, {dispute.reason_id.id: 25})

    def test_paying_all_but_the_disputed_part_leaves_it_disputed(self):
        invoice = self._invoice_on("2026-01-10", 100)
        debtor = self._get_debtor()
        with freeze_time("2026-02-20 12:00:00"):
            dispute = self._dispute(debtor, self._get_items(invoice), 40)
        self._pay(invoice, amount=60, on=date(2026, 2, 25))
        self._synchronize()
        figures = self.metrics._get_figures(self.company, self.today)
        self.assertEqual((figures.disputed, debtor.disputed_amount), (40, 40))
        # Credited later, it still was disputed then.
        self._credit(invoice, 40)
        self._synchronize()
        self.assertEqual(self.metrics._get_figures(self.company, self.today).disputed, 0)
        february = (date(2026, 2, 1), date(2026, 2, 28))
        self.assertEqual(self.metrics._get_figures(self.company, february[1]).disputed, 40)
        past = self.metrics._get_dispute_figures(self.company, *february)
        self.assertEqual(past.open_by_reason, {dispute.reason_id.id: 40})

    def test_a_payment_settles_one_of_several_promises_on_an_invoice(self):
        invoice = self._invoice_on("2026-01-10", 300)
        debtor = self._get_debtor()
        with freeze_time("2026-02-20 12:00:00"):
            for day in (date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)):
                self._promise(
                    debtor,
                    user=self.team_user,
                    date=day,
                    move_line_ids=[Command.set(self._get_items(invoice).ids)],
                    amount=100,
                )
        self._pay(invoice, amount=100, on=date(2026, 3, 1))
        self._synchronize()
        self.assertEqual(sorted(debtor.promise_ids.mapped("state")), ["kept", "open", "open"])
        for day, promised in (("2026-02-20", 300), (TODAY, 200)):
            with self.subTest(day=day):
                self.assertEqual(self.metrics._get_figures(self.company, date.fromisoformat(day)).promised, promised)

    def test_renegotiated_promises_are_not_broken(self):
        self._invoice_on("2026-01-10", 100)
        with freeze_time("2026-02-15 12:00:00"):
            promise = self._promise(self._get_debtor(), user=self.team_user, date=date(2026, 2, 20), amount=80)
            promise._set_state("replaced")
        ratio = self.metrics._get_promise_ratio(self.company, date(2026, 2, 1), self.today)
        self.assertEqual((ratio.by_count, ratio.count), (None, 0))

    def test_promises_kept(self):
        self._invoice_on("2026-01-10", 100)
        with freeze_time("2026-02-15 12:00:00"):
            debtor = self._get_debtor()
            self._promise(debtor, user=self.team_user, date=date(2026, 2, 20), amount=80)
        self._pay_on_account(amount=5)
        self._synchronize()
        ratio = self.metrics._get_promise_ratio(self.company, date(2026, 2, 1), self.today)
        self.assertEqual((ratio.by_count, ratio.by_amount, ratio.count, ratio.amount), (0, 0, 1, 80))

    def test_calls(self):
        self._create_invoice()
        debtor = self._get_debtor()
        for outcome in ("no_answer", "someone_else", "right_person", "right_person"):
            self._log_call(debtor, outcome)
        rates = self.metrics._get_contact_rates(self.company, self.today, self.today)
        self.assertEqual(rates.answered_per_attempt, 75)
        self.assertEqual(rates.right_party_per_attempt, 50)
        self.assertAlmostEqual(rates.right_party_per_answer, 200 / 3)
        self.assertEqual(
            self.metrics._get_contact_rates(self.company, self.today + timedelta(1), self.today + timedelta(2))[0], None
        )

    def test_roll_rates(self):
        paid = self._invoice_on("2026-01-05", 100)
        self._invoice_on("2026-01-20", 300)
        self._pay(paid, amount=50, on=date(2026, 2, 20))
        rates = self.metrics._get_roll_rates(self.company, date(2026, 1, 31), date(2026, 2, 28))
        # Of 400 not due at the end of January, 50 and 300 were late at the end of February.
        self.assertEqual(rates["not_due"], 87.5)
        self.assertIsNone(rates["1_30"])

    def test_cash_is_what_came_in(self):
        invoice = self._create_invoice(amount=100)
        self.env["account.payment.register"].with_context(active_model="account.move", active_ids=invoice.ids).create(
            {
                "amount": 90,
                "payment_difference_handling": "reconcile",
                "writeoff_account_id": self.company_data["default_account_expense"].id,
            }
        )._create_payments()
        self._pay_on_account(amount=5)
        figures = self.metrics._get_figures(self.company)
        self.assertEqual(figures.collected, 95)
        self.assertEqual(figures.payments.amount, 90)

    def test_number_of_statements_does_not_grow(self):
        def count():
            self.env.invalidate_all()
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            self.metrics._get_figures(self.company, self.today)
            return self.env.cr.sql_log_count - before

        self._pay(self._create_invoice(), amount=10)
        count()  # fills caches
        few = count()
        for number in range(12):
            invoice = self._create_invoice(self._create_customer(f"Customer {number}"), days_late=20 * number)
            self._pay(invoice, amount=10)
        count()  # fills caches anew
        self.assertEqual(count(), few)
