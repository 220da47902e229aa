"""Invoices, payments and credit notes of one company, in the order of their dates."""

from datetime import timedelta
from typing import NamedTuple

from odoo.fields import Command

from .customers import HABITS
from .days import working_day_before

# What Ateliers Moreau sells, in French and in English.
_GOODS = (
    ("Escalier acier sur mesure", "Steel staircase, made to measure"),
    ("Garde-corps inox, fourniture et pose", "Stainless steel railing, supplied and fitted"),
    ("Verrière d'atelier", "Workshop-style glass partition"),
    ("Portail battant, thermolaqué", "Swing gate, powder-coated"),
    ("Mobilier métallique, lot", "Metal furniture, set"),
    ("Réparation et soudure, main-d'œuvre", "Repair and welding, labour"),
    ("Présentoirs de magasin", "Display stands"),
    ("Tôlerie fine, découpe laser", "Sheet metal, laser cut"),
    ("Entretien annuel serrurerie", "Locks, yearly maintenance"),
    ("Marquise et auvent", "Canopy and awning"),
)

_DAYS_AHEAD = 12
_DAYS_BETWEEN_STATEMENTS = 4


class _Plan(NamedTuple):
    """An invoice to come."""

    day: object
    key: str
    amount: float
    term_days: int
    currency: str
    delay: int | None  # days late by which the customer pays; ``None`` when the story says
    paid: tuple | None = None
    no_followup: bool = False
    instalments: bool = False


class Ledger:
    def __init__(self, company, people, today, chance):
        self.company = company
        self.people = people
        self.today = today
        self.chance = chance
        self.env = people.env(context={**people.env.context, "allowed_company_ids": company.ids})
        self.bank = self._journal("bank")
        self.sales = self._journal("sale")
        self.sales.code = "FAC"
        self.receivable = self._account("asset_receivable")
        self.income = self._account("income")
        self.tax = self._tax()
        self.terms = {}
        self.customers = {}
        self.waiting = []  # invoices to come, next one first
        self.due = []  # (day, item, amount): payments to come
        self.banked = None  # day of the last bank statement

    # == Set-up ==

    def _journal(self, journal_type):
        return self.env["account.journal"].search(
            [("type", "=", journal_type), ("company_id", "=", self.company.id)], limit=1
        )

    def _account(self, account_type):
        domain = [("account_type", "=", account_type), ("company_ids", "in", self.company.ids)]
        if account_type == "asset_receivable":
            domain.append(("non_trade", "=", False))
            default = self.env["res.partner"].with_company(self.company).property_account_receivable_id
            return default or self.env["account.account"].search(domain, limit=1)
        return self.sales.default_account_id or self.env["account.account"].search(domain, limit=1)

    def _tax(self):
        """The standard rate of the country, when the chart has it; none otherwise."""
        rate = 21.0 if self.company.country_id.code == "BE" else 20.0
        default = self.company.account_sale_tax_id
        if default.amount == rate and not default.price_include:
            return default
        return self.env["account.tax"]

    def _term(self, days, instalments=False):
        """The payment term, made when first needed."""
        key = (days, instalments)
        if key not in self.terms:
            lines = [(30, 0), (70, days)] if instalments else [(100, days)]
            self.terms[key] = self.env["account.payment.term"].create(
                {
                    "name": f"30 % at the order, 70 % at {days} days" if instalments else f"{days} days net",
                    "company_id": self.company.id,
                    "line_ids": [
                        Command.create(
                            {"value": "percent", "value_amount": share, "nb_days": wait, "delay_type": "days_after"}
                        )
                        for share, wait in lines
                    ],
                }
            )
        return self.terms[key]

    # == Plan ==

    def plan(self, customers, unpaid=()):
        """Decide what will be invoiced, and when it will be paid."""
        self.customers = {customer.key: customer for customer in customers}
        for customer in customers:
            low, high = HABITS[customer.habit]
            span = customer.until - customer.since
            for number in range(customer.count):
                offset = customer.since + (number + self.chance.uniform(0.1, 0.9)) * span / customer.count
                delay = self.chance.randint(low, high)
                amount = self.chance.uniform(*customer.amounts)
                self._add(customer, offset, round(amount, -1) if amount > 300 else round(amount / 5) * 5, delay)
            self.people.customers[customer.key].with_company(self.company).property_payment_term_id = self._term(
                customer.term
            )
        for item in unpaid:
            customer = self.customers[item.key]
            self._add(
                customer, item.due - customer.term, item.amount, None, item.paid, item.no_followup, item.instalments
            )
        self.waiting.sort(key=lambda plan: plan.day)

    def _add(self, customer, offset, amount, delay, *options):
        day = working_day_before(self.today + timedelta(days=int(offset)))
        self.waiting.append(_Plan(day, customer.key, float(amount), customer.term, customer.currency, delay, *options))

    # == Time ==

    def advance(self, day):
        """Write everything that is due up to a day.

        Invoices are written some days ahead, payments once in a few days: fewer, larger batches.

        :return: whether something was written.
        """
        plans = []
        if self.waiting and self.waiting[0].day <= day:
            plans = [plan for plan in self.waiting if plan.day <= day + timedelta(days=_DAYS_AHEAD)]
            self.waiting = self.waiting[len(plans) :]
            self._invoice(plans)
        if self.banked and day < self.banked + timedelta(days=_DAYS_BETWEEN_STATEMENTS) and day < self.today:
            return bool(plans)
        self.banked = day
        due = sorted((entry for entry in self.due if entry[0] <= day), key=lambda entry: (entry[0], entry[1].id))
        self.due = [entry for entry in self.due if entry[0] > day]
        groups = {}
        for paid_on, item, amount in due:
            groups.setdefault((paid_on, item.partner_id, item.currency_id), []).append((item, amount))
        self._receive(
            [
                (paid_on, partner, currency, sum(amount for _item, amount in parts), [item for item, _amount in parts])
                for (paid_on, partner, currency), parts in groups.items()
            ]
        )
        return bool(plans or due)

    def _invoice(self, plans):
        moves = self.env["account.move"].create([self._prepare_invoice(plan) for plan in plans])
        moves._post(soft=False)
        for plan, move in zip(plans, moves, strict=True):
            for item in self.items(move):
                if plan.delay is not None:
                    paid_on = working_day_before(item.date_maturity + timedelta(days=plan.delay))
                    # Nobody pays on the day of the invoice.
                    self.due.append((max(paid_on, move.invoice_date + timedelta(days=2)), item, item.amount_currency))
            if plan.paid:
                offset, share = plan.paid
                item = self.items(move).sorted("date_maturity")[0]
                amount = item.currency_id.round(move.amount_total * share)
                self.due.append((working_day_before(self.today + timedelta(days=offset)), item, amount))
            if plan.no_followup:
                move.no_followup = True

    def _prepare_invoice(self, plan):
        partner = self.people.customers[plan.key]
        english = partner.lang != "fr_FR"
        tax = self.tax if partner.country_id == self.company.country_id else self.env["account.tax"]
        goods = self.chance.sample(_GOODS, 2 if plan.amount > 5000 else 1)
        first = round(plan.amount * 0.7, -1) if len(goods) > 1 else plan.amount
        return {
            "move_type": "out_invoice",
            "company_id": self.company.id,
            "journal_id": self.sales.id,
            "partner_id": partner.id,
            "invoice_date": plan.day,
            "date": plan.day,
            "currency_id": self.env.ref(f"base.{plan.currency}").id,
            "invoice_payment_term_id": self._term(plan.term_days, plan.instalments).id,
            "invoice_user_id": partner.user_id.id,
            "invoice_line_ids": [
                Command.create(
                    {
                        "name": good[english],
                        "quantity": 1,
                        "price_unit": price,
                        "account_id": self.income.id,
                        "tax_ids": [Command.set(tax.ids)],
                    }
                )
                for good, price in zip(goods, (first, plan.amount - first), strict=False)
            ],
        }

    def _receive(self, receipts, memo=None):
        """Write payments and set them against items.

        :param receipts: list of ``(day, partner, currency, amount, items)``.
        """
        if not receipts:
            return self.env["account.payment"]
        method_line = self.bank.inbound_payment_method_line_ids[:1]
        payments = self.env["account.payment"].create(
            [
                {
                    "payment_type": "inbound",
                    "partner_type": "customer",
                    "partner_id": partner.id,
                    "amount": amount,
                    "currency_id": currency.id,
                    "date": day,
                    "journal_id": self.bank.id,
                    "company_id": self.company.id,
                    "payment_method_line_id": method_line.id,
                    "memo": memo or f"VIR {partner.name.upper()[:24]}",
                }
                for day, partner, currency, amount, _items in receipts
            ]
        )
        payments.action_post()
        plan = []
        for payment, (_day, _partner, _currency, _amount, items) in zip(payments, receipts, strict=True):
            if items:
                plan.append(self.items(payment.move_id) + items[0].union(*items))
        self.env["account.move.line"]._reconcile_plan(plan)
        return payments

    # == What the story asks for ==

    def items(self, move):
        """The receivable items of a move."""
        return move.line_ids.filtered(lambda line: line.account_type == "asset_receivable")

    def open_items(self, partner, overdue_on=None):
        """What a customer owes, oldest first; only what is overdue on a day when one is given."""
        items = self.env["account.move.line"].search(
            [
                *self.env["collection.debtor"]._get_open_item_domain(self.company, partner),
                ("amount_residual", ">", 0),
            ]
        )
        if overdue_on:
            items = items.filtered(lambda item: (item.date_maturity or item.date) < overdue_on)
        return items.sorted(lambda item: (item.date_maturity or item.date, item.id))

    def pay(self, day, partner, amount=None, share=None, memo=None):
        """A customer pays what is overdue, oldest first: all of it, an amount or a share."""
        items = self.open_items(partner, day)[:]
        items = items.filtered(lambda item: item.currency_id == items[:1].currency_id)
        # Habit pays the rest.
        by_habit = {item for _day, item, _amount in self.due}
        items = items.filtered(lambda item: item not in by_habit)
        owed = sum(items.mapped("amount_residual_currency"))
        if not items:
            return
        currency = items.currency_id
        if share is not None:
            amount = currency.round(owed * share)
        amount = min(amount if amount is not None else owed, owed)
        self._receive([(day, partner, currency, amount, list(items))], memo)

    def bounce(self, day, partner):
        """The bank takes the last payment of a customer back: the invoice is open again."""
        accounts = self.company._get_collection_receivable_accounts()
        paid = self.env["account.move.line"].search(
            [
                ("partner_id", "=", partner.id),
                ("account_id", "in", accounts.ids),
                ("journal_id.type", "=", "bank"),
                ("parent_state", "=", "posted"),
                ("balance", "<", 0),
            ],
            order="date desc, id desc",
            limit=1,
        )
        values = {"name": "Impayé", "partner_id": partner.id, "currency_id": paid.currency_id.id}
        entry = self.env["account.move"].create(
            {
                "company_id": self.company.id,
                "journal_id": paid.journal_id.id,
                "date": day,
                "line_ids": [
                    Command.create(
                        {**values, "account_id": paid.account_id.id, "amount_currency": -paid.amount_currency}
                    ),
                    Command.create(
                        {
                            **values,
                            "account_id": paid.journal_id.default_account_id.id,
                            "amount_currency": paid.amount_currency,
                        }
                    ),
                ],
            }
        )
        entry.action_post()
        paid.remove_move_reconcile()
        (paid + entry.line_ids.filtered(lambda line: line.account_id == paid.account_id)).reconcile()

    def receive_on_account(self, day, partner, amount):
        """A customer pays without saying what for."""
        self._receive([(day, partner, self.company.currency_id, amount, [])])

    def credit(self, day, partner, amount, item=None, label=None):
        """Make a credit note of an amount with tax, set against an item if one is given."""
        move = item.move_id if item else self.env["account.move"]
        tax = self.tax if partner.country_id == self.company.country_id else self.env["account.tax"]
        untaxed = amount / (1 + tax.amount / 100) if tax else amount
        credit = self.env["account.move"].create(
            {
                "move_type": "out_refund",
                "company_id": self.company.id,
                "journal_id": self.sales.id,
                "partner_id": partner.id,
                "invoice_date": day,
                "date": day,
                "invoice_date_due": day,
                "invoice_payment_term_id": False,
                "currency_id": (move.currency_id or self.company.currency_id).id,
                "ref": move.name or False,
                "reversed_entry_id": move.id,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "name": label or "Avoir",
                            "quantity": 1,
                            "price_unit": round(untaxed, 2),
                            "account_id": self.income.id,
                            "tax_ids": [Command.set(tax.ids)],
                        }
                    )
                ],
            }
        )
        credit._post(soft=False)
        # Posting sets a credit note against the invoice that it names.
        remainder = self.items(credit).filtered(lambda line: not line.reconciled)
        if item and remainder and not item.reconciled:
            (remainder + item).reconcile()
        return credit

    def allocate(self, partner):
        """Set a customer's open credits against the oldest items."""
        domain = self.env["collection.debtor"]._get_open_item_domain(self.company, partner)
        credits = self.env["account.move.line"].search([*domain, ("amount_residual", "<", 0)])
        items = self.open_items(partner)
        if credits and items:
            (credits + items).reconcile()
