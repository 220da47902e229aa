from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from ...tools.aging import BUCKETS
from ..ledger.test_ledger import LedgerCommon

PARTS = ("disputed", "promised", "announced", "excluded", "claimable")
# Days after the first on which everybody looks.
DAYS = (0, 1, 3, 5, 10, 45)


@tagged("post_install", "-at_install")
class TestOneTruth(LedgerCommon):
    """One database, looked at from everywhere on several days: no two places disagree by a cent.

    For every company, customer and day the figures of ``collection.ledger`` are compared with those of the file, the
    message, the decision, both statements, the item analysis, the dashboard, the monthly figures, the invoices, the
    case and the recap. The rules by which they may differ:

    - The file, the message, the item analysis and the dashboard count what is withheld of debts that are overdue and
      not excluded; statements, figures and cases of every open debt that they list.
    - In insolvency proceedings nothing is claimed: what could be claimed otherwise is excluded, in all places that
      know the customer. Figures and statements know the ledger alone.
    - Figures count open items that name no customer. Nobody can be asked for them.
    - A case counts the scope that was frozen at its start, and what the bank took back of payments on it. What became
      late since is no part of it. What is owed of an invoice that is being corrected stays as it was.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.receivable = cls.company_data["default_account_receivable"]
        cls.income = cls.company_data["default_account_revenue"]
        cls.misc = cls.company_data["default_journal_misc"]
        cls.partners = {
            name: cls._create_customer(f"{name} SARL")
            for name in (
                *("Rates", "Parts", "Excluded", "Future", "Bounced", "Rejected", "Draft", "Alpha", "Beta", "Online"),
                *("Imported", "Insolvent", "Zero", "Discount", "Receipt", "Refunded", "Corrected", "Notes"),
            )
        }

    # === THE LEDGER === #

    def _on(self, days):
        return self.today + timedelta(days=days)

    def _make_ledger(self):
        """Make what there is on the first day; see ``_live`` for what happens later."""
        make, on, customers = self._create_invoice, self._on, self.partners
        self.invoices = {
            "Rates": make(customers["Rates"], 1000.03, 60, currency=self.chf),
            "Rates EUR": make(customers["Rates"], 333.33, 20),
            "Rates CHF": make(customers["Rates"], 77.77, 5, currency=self.chf),
            "Parts": make(customers["Parts"], 500.55, 45),
            "Parts CHF": make(customers["Parts"], 333.34, 70, currency=self.chf),
            "Parts coming": make(customers["Parts"], 90.09, -6),
            "Excluded": make(customers["Excluded"], 410.10, 50),
            "Blocked": make(customers["Excluded"], 55.5, 40),
            "Asked": make(customers["Excluded"], 120.2, 30),
            "Future": make(customers["Future"], 1000, 60),
            "Future paid": make(customers["Future"], 200, 50),
            "Future invoice": make(customers["Future"], 70, -40),
            "Bounced": make(customers["Bounced"], 640.64, 40),
            "Bounced other": make(customers["Bounced"], 11.11, 10),
            "Rejected": make(customers["Rejected"], 230, 33),
            "Draft": make(customers["Draft"], 310.31, 25),
            "Alpha": make(customers["Alpha"], 1000, 60),
            "Online": make(customers["Online"], 480, 30),
            "Online CHF": make(customers["Online"], 150, 30, currency=self.chf),
            "Insolvent": make(customers["Insolvent"], 99.99, 100),
            "Zero": make(customers["Zero"], 12, 9),
            "Discount": make(customers["Discount"], 1000, 31),
            "Receipt": make(customers["Receipt"], 64, 8, move_type="out_receipt"),
            "Refunded": make(customers["Refunded"], 500, 30),
            "Corrected": make(customers["Corrected"], 260, 17),
            "Notes": make(customers["Notes"], 1000, 40),
            "Notes other": make(customers["Notes"], 50, 10),
        }
        # Two rates: paid in part at another one, and credits that nobody allocated in two currencies.
        self._pay(self.invoices["Rates"], 300.33, on=on(-3))
        self._pay_on_account(customers["Rates"], 50.05, on=on(-2), currency=self.chf)
        self._pay_on_account(customers["Rates"], 33.3, on=on(-2))
        # Excluded debts and an excluded credit.
        self._get_items(self.invoices["Excluded"]).no_followup = True
        self.invoices["Blocked"].action_toggle_block_payment()
        self._pay_on_account(customers["Excluded"], 10, on=on(-9)).move_id.line_ids.no_followup = True
        # Booked for later days.
        self._pay_on_account(customers["Future"], 600, on=on(4))
        self._pay(self.invoices["Future paid"], on=on(8))
        # Money on its way.
        self._create_transaction(300, customers["Beta"], self.invoices["Online"])
        self._create_bank_line(40.4, partner_id=customers["Online"].id)
        # A credit note and its refund, none of them matched.
        make(customers["Refunded"], 200, 20, move_type="out_refund")
        self._send_back(customers["Refunded"], 200, on(-10))
        self._make_zero_line()
        self._make_opening_entry()
        self._make_debt_of_nobody()
        self._synchronize()
        self._say_things()

    def _send_back(self, partner, amount, day):
        self.env["account.payment"].create(
            {
                "payment_type": "outbound",
                "partner_type": "customer",
                "partner_id": partner.id,
                "amount": amount,
                "date": day,
                "journal_id": self.bank.id,
            }
        ).action_post()

    def _make_zero_line(self):
        """60 euros that are no franc."""
        values = {"partner_id": self.partners["Zero"].id, "currency_id": self.chf.id, "amount_currency": 0}
        self._create_entry(
            self.company.currency_exchange_journal_id,
            (60, {"account_id": self.receivable.id, **values}),
            (-60, {"account_id": self.income.id}),
            date=self._on(-5),
        )

    def _make_opening_entry(self):
        """An item that another program knows as F-77."""
        batch = self.env["collection.receivable.batch"].create(
            {"file": "QQ==", "file_name": "list.csv", "date": self._on(-3)}
        )
        entry = self._create_entry(
            self.misc,
            (75.5, {"account_id": self.receivable.id, "partner_id": self.partners["Imported"].id}),
            (-75.5, {"account_id": self.income.id}),
            date=self._on(-30),
        )
        entry.sudo().collection_batch_id = batch
        item = self._get_items(entry)
        item.write({"ref": "F-77", "name": "Opening", "no_followup": False, "date_maturity": self._on(-12)})

    def _make_debt_of_nobody(self):
        entry = self._create_entry(
            self.misc, (5, {"account_id": self.receivable.id}), (-5, {"account_id": self.income.id})
        )
        self._get_items(entry).no_followup = False

    def _say_things(self):
        """Promises, disputes, an insolvency, and a credit note for what is disputed."""
        parts, notes = (self._debtor_of(name) for name in ("Parts", "Notes"))
        items = {name: self._get_items(invoice) for name, invoice in self.invoices.items()}
        self._dispute(parts, items["Parts"], 100.1)
        self._promise(parts, move_line_ids=[Command.set(items["Parts"].ids)], amount=350.25, date=self._on(6))
        self._dispute(parts, items["Parts CHF"], 0.01)
        self._promise(parts, move_line_ids=[Command.set(items["Parts CHF"].ids)], amount=33.33, date=self._on(2))
        self._dispute(notes, items["Notes"], 200)
        self._credit(self.invoices["Notes"], 230, reconcile=False).reversed_entry_id = self.invoices["Notes"]
        self._debtor_of("Insolvent").insolvency = True

    def _make_branch(self):
        """A branch with an invoice of its own, and money of its customer at the company."""
        branch = self._create_branch()
        invoice = self._create_branch_invoice(branch, 1000)
        money = self._pay_on_account(amount=250)  # allocated across the companies
        (self._get_items(invoice) + self._get_items(money.move_id)).reconcile()
        self._pay_on_account(amount=100)
        return branch

    def _make_other_company(self):
        """A company that keeps its books in francs and follows the same customers up, in francs and euros."""
        data = self.setup_other_company(
            name="Moreau Suisse", country_id=self.env.ref("base.ch").id, collection_tz="Europe/Zurich"
        )
        company, euro = data["company"], self.company.currency_id
        company.currency_id = self.chf
        for day, rate in (("1900-01-01", 0.9), (self._on(-20), 1.1)):
            self.env["res.currency.rate"].create(
                {"name": day, "currency_id": euro.id, "company_id": company.id, "rate": rate}
            )
        bank = data["default_journal_bank"]
        bank.inbound_payment_method_line_ids.payment_account_id = bank.default_account_id
        for name, amount, days_late, currency in (
            ("Rates", 777.77, 60, euro),
            ("Rates", 50, 10, self.chf),
            ("Parts", 200.02, 40, euro),
            ("Insolvent", 33.33, 5, self.chf),
        ):
            self.invoices[f"{name} {amount}"] = self._create_invoice(
                self.partners[name], amount, days_late, currency, company
            )
        self._pay(self.invoices["Rates 777.77"], 111.11, on=self._on(-3))
        self._credit(self.invoices["Parts 200.02"], 20.01, reconcile=False)
        self._synchronize(company)
        debtor = self._get_debtor(self.partners["Parts"], company)
        item = self._get_items(self.invoices["Parts 200.02"])
        self._promise(debtor, self.env.user, move_line_ids=[Command.set(item.ids)], amount=99.99, date=self._on(4))
        return company

    def _live(self, days):
        """Let things happen on a day."""
        getattr(self, f"_live_{days}", lambda: None)()
        for company in self.companies:
            self._synchronize(company)
        # As for somebody who looks on that day.
        self.env.flush_all()
        self.env.invalidate_all()

    def _live_1(self):
        for name in ("Bounced", "Rejected", "Draft"):
            self.payments[name] = self._pay(self.invoices[name], on=self._on(1))
        holding = self._pay_on_account(self.partners["Beta"], 400, on=self._on(1))
        (self._get_items(self.invoices["Alpha"]) + self._get_items(holding.move_id)).reconcile()
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=self.invoices["Discount"].ids
        ).create(
            {
                "amount": 580,
                "payment_date": self._on(1),
                "payment_difference_handling": "reconcile",
                "writeoff_account_id": self.company_data["default_account_expense"].id,
            }
        )._create_payments()

    def _live_3(self):
        self._create_entry(
            self.bank,
            (640.64, {"account_id": self.receivable.id, "partner_id": self.partners["Bounced"].id}),
            (-640.64, {"account_id": self.bank.default_account_id.id}),
            date=self._on(3),
        )
        self.payments["Rejected"].action_reject()
        self.payments["Draft"].action_draft()
        self.invoices["Corrected"].button_draft()

    def _live_5(self):
        self._pay(self.invoices["Rates CHF"], 20, on=self._on(5))
        self._pay(self.invoices["Parts 200.02"], 50.5, on=self._on(5))
        self._allocate("Rates")

    def _allocate(self, name):
        items = self.env["account.move.line"].search(
            [
                ("partner_id", "=", self.partners[name].id),
                ("account_id", "=", self.receivable.id),
                ("currency_id", "=", self.chf.id),
                ("reconciled", "=", False),
                ("parent_state", "=", "posted"),
            ]
        )
        items.reconcile()

    def _live_10(self):
        self.payments["Draft"].action_post()
        self.invoices["Corrected"].invoice_line_ids.price_unit = 240
        self.invoices["Corrected"].action_post()
        self._create_invoice(self.partners["Alpha"], 30, 1)

    # === LOOKING === #

    def test_everybody_says_the_same(self):
        self.payments = {}
        self._make_ledger()
        self.branch = self._make_branch()
        self._synchronize(self.branch)
        self.companies = self.company + self.branch + self._make_other_company()
        self.campaign = self._start_campaign()
        self._check_scope()
        for days in DAYS:
            with freeze_time(f"{self._days(days)} 12:00:00"):
                self._live(days)
                for company in self.companies:
                    with self.subTest(days=days, company=company.name):
                        self._check_company(company, self._on(days))
                with self.subTest(days=days):
                    self._check_recap(self._on(days))

    def _debtor_of(self, name):
        return self.env["collection.debtor"].search(
            [("partner_id", "=", self.partners[name].id), ("company_id", "=", self.company.id)]
        )

    def assertCents(self, shown, expected, where):
        """Compare amounts to the cent."""
        self.assertEqual(round(float(shown) * 100), round(float(expected) * 100), f"{where}: {shown} {expected}")

    def _read_claims(self, company):
        """Return what the ledger says: ``{commercial partner id: rows}``."""
        rows, _money = self.env["collection.ledger"]._get_claims(company)
        claims = defaultdict(list)
        for row in rows:
            claims[row["partner_id"]].append(row)
        return claims

    def _check_company(self, company, day):
        claims = self._read_claims(company)
        env = self.env(context={**self.env.context, "allowed_company_ids": company.ids})
        debtors = env["collection.debtor"].with_context(active_test=False).search([("company_id", "=", company.id)])
        self.assertLessEqual(set(claims), set(debtors.partner_id.ids))
        look = {
            "report": env["collection.item.report"].search([("company_id", "=", company.id)]).grouped("partner_id"),
            "open": env["collection.statement.report"]._build(debtors, "open"),
            "movements": env["collection.statement.report"]._build(debtors, "movements"),
            "late": env["collection.statement.report"]._build(debtors, "movements", self._on(-2), day),
            "positions": env["collection.metrics"]._get_positions_by_partner(company, day),
        }
        Plan = env["collection.plan"]
        decisions = Plan._decide(debtors, day, as_if_running=True)
        facts = Plan._get_decision_context(company, debtors, day, as_if_running=True)
        for debtor in debtors:
            rows = claims[debtor.partner_id.id]
            with self.subTest(customer=debtor.partner_id.name):
                self._check_file(debtor, rows, look["report"].get(debtor.partner_id, ()))
                self._check_message(debtor, rows, decisions[debtor])
                claimable = self._sum(rows, "claimable", "late")
                self.assertCents(facts.claimable(debtor.id, day), claimable, "decision: claimable")
                self._check_statements(debtor, rows, [look[kind][debtor.id] for kind in ("open", "movements", "late")])
                self._check_figures(company, debtor, rows, day, look["positions"])
                self._check_invoices(debtor)
        self._check_dashboard(company, debtors, claims, day)

    def _sum(self, rows, name, *conditions):
        """Add a column of the ledger up over the rows that meet all conditions, negated after a minus."""
        return sum(
            row[name]
            for row in rows
            if all(not row[word[1:]] if word.startswith("-") else row[word] for word in conditions)
        )

    def _check_file(self, debtor, rows, report):
        """The file and the item analysis."""
        claimable = self._sum(rows, "claimable", "late")
        excluded = self._sum(rows, "residual", "late", "excluded")
        expected = {
            "due": self._sum(rows, "residual", "-is_credit"),
            "overdue": self._sum(rows, "residual", "late"),
            "credit": -self._sum(rows, "residual", "is_credit"),
            "disputed": self._sum(rows, "disputed", "late", "-excluded"),
            "promised": self._sum(rows, "promised", "late", "-excluded"),
            "announced": self._sum(rows, "announced", "late", "-excluded"),
            "excluded": excluded + (claimable if debtor.insolvency else 0),
            "claimable": 0 if debtor.insolvency else claimable,
        }
        for name, amount in expected.items():
            self.assertCents(debtor[f"{name}_amount"], amount, f"file: {name}")
            if name != "due":
                self.assertCents(sum(row[f"{name}_amount"] for row in report), amount, f"item analysis: {name}")
        places = sum(debtor[f"{name}_amount"] for name in (*PARTS, "netted"))
        self.assertCents(places, debtor.overdue_amount, "file: parts of what is overdue")
        self.assertCents(
            sum(row.residual for row in report), debtor.due_amount - debtor.credit_amount, "item analysis: balance"
        )
        self.assertEqual(debtor.open_item_count, len([row for row in rows if not row["is_credit"]]))
        self.assertEqual(set(debtor.open_item_ids.ids), {row["item_id"] for row in rows})

    def _check_message(self, debtor, rows, decision):
        """What a message asks for, and whether one would be sent."""
        by_item = {row["item_id"]: row for row in rows}
        shown = debtor._get_claimable_items()
        self.assertEqual([row["item"].id for row in shown], [row["item_id"] for row in rows if row["late"]])
        for row in shown:
            item = by_item[row["item"].id]
            self.assertCents(row["residual"], item["residual_currency"], "message: open")
            if row["excluded"]:
                continue
            for name in ("disputed", "promised", "announced", "credited", "claimable"):
                self.assertCents(row[name], item[f"{name}_currency"], f"message: {name}")
        asked = {} if debtor.insolvency else self._by_currency(rows, "claimable_currency", "late")
        self.assertEqual(
            {claim["currency"].id: round(claim["amount"], 2) for claim in debtor._get_claim()},
            {currency_id: float(amount) for currency_id, amount in asked.items() if amount},
        )
        if decision.reason == "due":
            self.assertTrue(debtor._get_claim())
        if not debtor._get_claim():
            self.assertNotEqual(decision.reason, "due")

    def _by_currency(self, rows, name, *conditions):
        amounts = defaultdict(Decimal)
        for row in rows:
            amounts[row["currency_id"]] += Decimal(str(round(float(self._sum([row], name, *conditions)), 2)))
        return dict(amounts)

    def _check_statements(self, debtor, rows, statements):
        """Open items, all movements, and the movements of some days."""
        currencies = {currency.name: currency.id for currency in self.chf + self.company.currency_id}
        balances = {currency_id: amount for currency_id, amount in self._by_currency(rows, "residual_currency").items()}
        for number, statement in enumerate(statements):
            sections = {currencies[section.currency]: section for section in statement.sections}
            for currency_id, amount in balances.items():
                if amount or currency_id in sections:
                    self.assertCents(sections[currency_id].closing, amount, f"statement {number}: closing")
            for currency_id, section in sections.items():
                own = [row for row in rows if row["currency_id"] == currency_id]
                self.assertCents(section.closing, balances.get(currency_id, 0), f"statement {number}: closing")
                self.assertCents(section.total, section.closing, f"statement {number}: aging")
                late = self._sum(own, "residual_currency", "late")
                self.assertCents(section.overdue, late, f"statement {number}: overdue")
                credit = self._sum(own, "residual_currency", "is_credit")
                self.assertCents(section.credits, credit, f"statement {number}: credits")
                if statement.kind == "open":
                    for name in ("disputed", "promised"):
                        part = self._sum(own, f"{name}_currency")
                        self.assertCents(getattr(section, name), part, f"statement: {name}")
                    self.assertEqual({line.line_id for line in section.lines}, {row["item_id"] for row in own})
                for line in section.lines:
                    if line.line_id:
                        item = self.env["account.move.line"].browse(line.line_id)
                        self.assertEqual(line.name, item._get_collection_name())

    def _check_figures(self, company, debtor, rows, day, positions):
        """The monthly figures, as of today."""
        Metrics = self.env["collection.metrics"]
        position, promised, disputed = Metrics._read_position(company, day, debtor.partner_id)
        for name, amount in (
            ("due", debtor.due_amount),
            ("overdue", debtor.overdue_amount),
            ("credits", debtor.credit_amount),
            ("receivables", debtor.due_amount - debtor.credit_amount),
        ):
            self.assertCents(getattr(position, name), amount, f"figures: {name}")
        self.assertCents(promised, self._sum(rows, "promised"), "figures: promised")
        self.assertCents(disputed, self._sum(rows, "disputed"), "figures: disputed")
        if rows:
            self.assertEqual(positions[debtor.partner_id.id], position)

    def _check_invoices(self, debtor):
        """The state of an invoice is that of its only item; one that is not due yet has none."""
        situations = dict(
            self.env["collection.item.report"]
            .with_context(allowed_company_ids=debtor.company_id.ids)
            .search([("partner_id", "=", debtor.partner_id.id), ("company_id", "=", debtor.company_id.id)])
            .mapped(lambda row: (row.move_line_id, row.situation))
        )
        for item, situation in situations.items():
            if item.move_id.move_type == "out_invoice":
                expected = False if situation == "not_due" else situation
                self.assertEqual(item.move_id.collection_state, expected, item.move_id.name)

    def _check_dashboard(self, company, debtors, claims, day):
        totals, buckets, _expected = self.env["collection.dashboard"]._read_items(company, day)
        rows = [row for own in claims.values() for row in own]
        self.assertCents(totals["overdue"], sum(debtors.mapped("overdue_amount")), "dashboard: overdue")
        self.assertCents(totals["claimable"], sum(debtors.mapped("claimable_amount")), "dashboard: to claim")
        self.assertCents(totals["disputed"], sum(debtors.mapped("disputed_amount")), "dashboard: disputed")
        self.assertCents(-buckets.get("credit", 0), sum(debtors.mapped("credit_amount")), "dashboard: credits")
        self.assertEqual(totals["item_count"], len(rows))
        position = self.env["collection.metrics"]._get_position(company, day)
        nobody = 5 if company == self.company else 0  # names no customer, and became due on the first day
        self.assertCents(
            position.due, sum(buckets.get(code, 0) for code, _first in BUCKETS) + nobody, "figures and dashboard: due"
        )
        self.assertCents(position.credits, -buckets.get("credit", 0), "figures and dashboard: credits")

    def _check_scope(self):
        """A campaign freezes what its customers show as overdue and not excluded."""
        claims = self._read_claims(self.company)
        for case in self.campaign.sudo().case_ids:
            scope = self._sum(claims[case.partner_id.id], "residual", "late", "-excluded")
            self.assertCents(case.initial_amount, scope, f"scope of {case.partner_id.name}")

    def _check_recap(self, day):
        """Cases and their recap."""
        rows = {row["item_id"]: row for own in self._read_claims(self.company).values() for row in own}
        items = self.env["collection.case.item"].search([("campaign_id", "=", self.campaign.id)])
        for item in items.filtered(lambda item: item.move_id.state != "draft"):
            row = rows.get(item.move_line_id.id, {"residual": 0, "disputed": 0, "promised": 0})
            for shown, name in (
                ("residual", "residual"),
                ("disputed_amount", "disputed"),
                ("promised_amount", "promised"),
            ):
                self.assertCents(item[shown], row[name], f"case item {item.name}: {name}")
            if item.move_line_id:
                self.assertEqual(item.name, item.move_line_id._get_collection_name())
        recap = self.campaign._recap()
        total = defaultdict(float)
        for case in self.campaign.sudo().case_ids:
            own = items.filtered(lambda item, case=case: item.case_id == case)
            for name in ("collected", "credited", "other", "promised", "disputed"):
                amount = sum(own.mapped(f"{name}_amount"))
                self.assertCents(case[f"{name}_amount"], amount, f"case of {case.partner_id.name}: {name}")
                total[name] += amount
            residual = sum(own.mapped("residual"))
            self.assertCents(case.residual_amount, residual, f"case of {case.partner_id.name}: owed")
            self.assertCents(
                sum(own.mapped("initial_residual")),
                case.collected_amount + case.credited_amount + case.other_amount + residual,
                f"case of {case.partner_id.name}: adds up",
            )
            self.assertCents(case.claimable_amount, case.debtor_id.claimable_amount, "case: to claim")
        for name, amount in total.items():
            self.assertCents(getattr(recap.total, name), amount, f"recap: {name}")
        self.assertCents(recap.collected_by_week.total, recap.total.collected, "recap: weeks")
        self.assertCents(recap.collected_by_method.total, recap.total.collected, "recap: methods")
        self.assertFalse([row for row in recap.collected_by_week if row.key is None], "nothing is unexplained")
        self._check_taken_back(day)

    def _check_taken_back(self, day):
        """What came back was not collected and is owed again; the case is open again."""
        cases = {case.partner_id: case for case in self.campaign.sudo().case_ids}
        days = (day - self.today).days
        for name, first, last in (("Bounced", 3, 99), ("Rejected", 3, 99), ("Draft", 3, 9)):
            case = cases[self.partners[name]]
            paid = self.invoices[name].amount_total
            is_kept = days >= 1 and not first <= days <= last
            self.assertCents(case.collected_amount, paid if is_kept else 0, f"{name}: collected")
            self.assertCents(
                case.residual_amount, case.initial_amount - (paid if is_kept else 0), f"{name}: owed on day {days}"
            )
            self.assertEqual(case.state == "closed", is_kept and not case.residual_amount, f"{name} on day {days}")
