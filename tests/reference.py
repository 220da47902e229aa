"""Every indicator and the score once more: slow plain Python, written from their definitions.

The property tests compare the SQL with what stands here. A ledger is read once through the ORM into
plain values; each indicator is one function with its definition, made from those values alone.
Nothing here calls the code under test, except ``tools.scoring`` and ``tools.workdays``, which have their own tests.
"""

import dataclasses
from collections import Counter
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from ..tools import scoring, workdays

CASH = ("bank", "cash", "credit")
TENTH = Decimal("0.1")
NEVER_CONTACTED = 9999
# A day of the month is learned when it comes back this often, and makes up a quarter of all payments.
LEARNED_FROM = 3

INDICATORS = {}


def indicator(function):
    """Register the function that defines the column of its name."""
    INDICATORS[function.__name__] = function
    return function


def exact(number):
    """Return a float of the ORM as the decimal number that it stands for."""
    return Decimal(str(round(number, 8)))


def rounded(number, step):
    """Round half away from zero, as people and PostgreSQL do."""
    return number.quantize(step, ROUND_HALF_UP)


def ratio(part, whole):
    """Return ``part / whole`` to a tenth, 0 when there is no whole."""
    return rounded(part / whole, TENTH) if whole else Decimal(0)


# === WHAT IS READ === #


@dataclasses.dataclass
class Item:
    """One posted trade receivable journal item, as of today, with what may not be claimed of it.

    ``disputed``, ``promised``, ``announced`` and ``claimable`` are in company currency, ``*_currency`` in that of the
    item.
    """

    id: int
    date: date
    due_date: date
    balance: Decimal
    residual: Decimal
    residual_currency: Decimal
    currency: str
    is_open: bool
    is_excluded: bool
    is_money: bool
    is_exchange: bool
    is_payout: bool
    line: object
    disputed_currency: Decimal = Decimal(0)
    promised_currency: Decimal = Decimal(0)
    announced_currency: Decimal = Decimal(0)
    disputed: Decimal = Decimal(0)
    promised: Decimal = Decimal(0)
    announced: Decimal = Decimal(0)
    claimable_currency: Decimal = Decimal(0)
    claimable: Decimal = Decimal(0)

    @property
    def is_credit(self):
        """Below zero, or a credit that was given back: money sent to the customer is no debt."""
        return self.residual < 0 or self.is_payout

    @property
    def is_charge(self):
        """Something that the customer was asked to pay: no money sent back, no exchange difference."""
        return self.balance > 0 and not self.is_money and not self.is_exchange

    @property
    def free_currency(self):
        """What is neither disputed nor promised, in the item's currency."""
        return self.residual_currency - self.disputed_currency - self.promised_currency

    def set_parts(self, disputed, promised, cent):
        """Set what is disputed and promised, in the item's currency: never more than what is left of it."""
        self.disputed_currency = min(disputed, self.residual_currency)
        self.promised_currency = min(promised, self.residual_currency - self.disputed_currency)
        self.disputed = self.convert(self.disputed_currency, self.residual_currency, self.residual, cent)
        self.promised = self.convert(
            self.promised_currency,
            self.residual_currency - self.disputed_currency,
            self.residual - self.disputed,
            cent,
        )

    def set_announced(self, amount, cent):
        """Set what is on its way, in the item's currency: of what is neither disputed nor promised."""
        self.announced_currency = min(amount, self.free_currency)
        self.announced = self.convert(
            self.announced_currency, self.free_currency, self.residual - self.disputed - self.promised, cent
        )

    def cover(self, credit, cent):
        """Set what may be claimed once a credit in the item's currency is taken off; return the rest of the credit."""
        askable_currency = self.free_currency - self.announced_currency
        askable = self.residual - self.disputed - self.promised - self.announced
        covered = min(credit, askable_currency)
        self.claimable_currency = askable_currency - covered
        self.claimable = self.convert(self.claimable_currency, askable_currency, askable, cent)
        return credit - covered

    def convert(self, amount, whole, own_whole, cent):
        """Return an amount in company currency, at the rate of what is left; the whole is the whole to the cent."""
        if amount == whole:
            return own_whole
        return rounded(amount * self.residual / self.residual_currency, cent)


@dataclasses.dataclass
class Receipt:
    """Money that was set against one item."""

    item_id: int
    payment_id: int
    date: date
    amount: Decimal
    days_late: int


@dataclasses.dataclass
class Customer:
    """All that one company knows of one commercial partner on one day."""

    partner: object
    company: object
    debtor: object
    today: date
    cent: Decimal
    items: list = dataclasses.field(default_factory=list)
    receipts: list = dataclasses.field(default_factory=list)
    contact_days: list = dataclasses.field(default_factory=list)
    return_days: list = dataclasses.field(default_factory=list)
    facts: dict = dataclasses.field(default_factory=dict)

    @property
    def owed(self):
        return [item for item in self.items if item.is_open and not item.is_credit]

    @property
    def overdue(self):
        """Open items whose due date has passed; an item due today is not late."""
        return [item for item in self.owed if item.due_date < self.today]

    @property
    def askable(self):
        """Overdue items that are not taken out of the follow-up."""
        return [item for item in self.overdue if not item.is_excluded]

    @property
    def credits(self):
        return [item for item in self.items if item.is_open and item.is_credit]

    def days_late(self, item):
        return (self.today - item.due_date).days

    def history_start(self):
        return self.today - relativedelta(months=self.company.collection_history_months)


def read_customers(company, today):
    """Read the ledger of a company and return its customers.

    :param company: one ``res.company``.
    :param today: the day on the company's clock, given by the test.
    :return: ``{commercial partner: Customer}`` of all who ever had a receivable or have a follow-up file.
    """
    env = company.env(su=True, context={"active_test": False, "allowed_company_ids": company.ids})
    company = company.with_env(env)
    cent = Decimal(1).scaleb(-company.currency_id.decimal_places)
    debtors = {debtor.partner_id: debtor for debtor in _search(env, "collection.debtor", company)}
    lines = _search_receivables(env, company)
    partners = lines.partner_id.commercial_partner_id | env["res.partner"].union(*debtors)
    customers = {
        partner: Customer(partner, company, debtors.get(partner, env["collection.debtor"]), today, cent)
        for partner in partners
    }
    returned = _read_returns(env, company, lines, customers)
    items = _read_items(env, company, lines, cent, today)
    for line in lines:
        customers[line.partner_id.commercial_partner_id].items.append(items[line.id])
    _announce(env, company, lines, items, customers)
    for customer in customers.values():
        _net(customer)
    _read_receipts(env, lines, items, customers, returned)
    clock = ZoneInfo(company.collection_tz or company.partner_id.tz or "UTC")
    for action in _search(env, "collection.action", company, ("state", "=", "done")):
        # A contact reached somebody.
        if action.channel in ("note", "task"):
            continue
        if action.channel == "call" and action.outcome not in ("right_person", "someone_else"):
            continue
        day = action.date_done.replace(tzinfo=ZoneInfo("UTC")).astimezone(clock).date()
        customers[action.debtor_id.partner_id].contact_days.append(day)
    return customers


def _search_receivables(env, company):
    """Return the posted trade receivable items of a company's customers."""
    return _search(
        env,
        "account.move.line",
        company,
        ("account_id.account_type", "=", "asset_receivable"),
        ("account_id.non_trade", "=", False),
        ("parent_state", "=", "posted"),
        ("partner_id", "!=", False),
    )


def _search(env, model, company, *conditions):
    return env[model].search([("company_id", "=", company.id), *conditions])


def _read_items(env, company, lines, cent, today):
    """Return ``{id: Item}`` of journal items, with the parts under dispute or promise."""
    partials = env["account.partial.reconcile"].search([("company_id", "in", company.parent_ids.ids)])
    causes = {partial.exchange_move_id: partial for partial in partials if partial.exchange_move_id}
    disputed, promised = Counter(), Counter()
    for dispute in _search(env, "collection.dispute", company, ("state", "in", ("open", "accepted"))):
        for line in dispute.line_ids:
            disputed[line.move_line_id.id] += exact(line.amount) - exact(line.settled_amount)
    for promise in _search(env, "collection.promise", company, ("state", "=", "open")):
        for line in promise.line_ids:
            promised[line.move_line_id.id] += exact(line.amount) - exact(line.settled_amount)
    items = {}
    for line in lines:
        residual, residual_currency = open_on(line, today, causes)
        payment = line.move_id.origin_payment_id
        item = items[line.id] = Item(
            id=line.id,
            date=line.date,
            due_date=line.date_maturity or line.date,
            balance=exact(line.balance),
            residual=residual,
            residual_currency=residual_currency,
            currency=line.currency_id.name,
            is_open=bool(line.date <= today and residual and residual_currency and not is_void(line)),
            is_excluded=line.no_followup or line.move_id.payment_state == "blocked",
            is_money=line.journal_id.type in CASH,
            # One that was taken off again is reversed in the same journal.
            is_exchange=line.move_id in causes or line.journal_id == company.currency_exchange_journal_id,
            is_payout=line.balance > 0 and payment.payment_type == "outbound",
            line=line,
        )
        if item.is_open and not item.is_credit:
            item.set_parts(Decimal(disputed[line.id]), Decimal(promised[line.id]), cent)
    return items


def is_void(line):
    """Whether a journal item settles nothing: not posted, or of a rejected payment that nobody booked back."""
    payment = line.move_id.origin_payment_id
    is_rejected = payment.state == "rejected" and payment.payment_type == "inbound"
    return line.parent_state != "posted" or (is_rejected and not find_bounces(line))


def find_bounces(paid):
    """Return the bank's debits by which exactly this payment was taken back."""
    partner = paid.partner_id.commercial_partner_id
    candidates = paid.search(
        [
            ("company_id", "=", paid.company_id.id),
            ("account_id", "=", paid.account_id.id),
            ("partner_id.commercial_partner_id", "=", partner.id),
            ("parent_state", "=", "posted"),
            ("currency_id", "=", paid.currency_id.id),
        ]
    ).filtered(lambda line: line.journal_id.type in CASH)
    return [line for line in candidates if find_returned(line, candidates) == paid]


def find_returned(bounce, lines):
    """Return the payment that a debit of the bank takes back: as much as was paid once before; or nothing.

    Of several payments of that amount it is the one that was set against the debit, else the last.
    """
    if bounce.balance <= 0 or bounce.move_id.origin_payment_id:
        return lines.browse()
    found = lines.filtered(
        lambda paid: (
            paid.partner_id.commercial_partner_id == bounce.partner_id.commercial_partner_id
            and paid.currency_id == bounce.currency_id
            and exact(paid.amount_currency) == -exact(bounce.amount_currency)
            and paid.date <= bounce.date
        )
    )
    matched = bounce.matched_credit_ids.credit_move_id
    return found.sorted(lambda paid: (paid in matched, paid.date, paid.id))[-1:]


def open_on(line, day, causes):
    """Return what was open of a journal item at the end of a day, in company currency and in its own.

    Its balance less what was reconciled by then; what is void settles nothing. An exchange difference belongs to the
    payment that made it.

    :param causes: ``{entry of an exchange difference: reconciliation that made it}``.
    """
    residual, residual_currency = exact(line.balance), exact(line.amount_currency)
    if is_void(line):
        return residual, residual_currency
    for partial in line.matched_credit_ids | line.matched_debit_ids:
        sides = partial.debit_move_id | partial.credit_move_id
        cause = next((causes[move] for move in sides.move_id if move in causes), None)
        is_foreign = (partial.debit_currency_id | partial.credit_currency_id) != line.company_id.currency_id
        settled_on = cause.max_date if cause and is_foreign else partial.max_date
        if settled_on > day or any(map(is_void, sides)):
            continue
        if partial.credit_move_id == line:
            residual += exact(partial.amount)
            residual_currency += exact(partial.credit_amount_currency)
        else:
            residual -= exact(partial.amount)
            residual_currency -= exact(partial.debit_amount_currency)
    return residual, residual_currency


def _announce(env, company, lines, items, customers):
    """Set what is on its way against debts.

    Entries of later days, bank lines that nobody allocated, online payments that are not booked; a branch looks at the
    bank, the providers and the credits of the companies above it, too. What names its debt comes first, then the older
    money; each serves the oldest debts of its currency.
    """
    rows = _read_online_payments(env, company, lines, items, customers) + _read_parents(env, company, customers)
    for line in lines:
        customer = customers[line.partner_id.commercial_partner_id]
        if line.date > customer.today and line.balance < 0 and not is_void(line):
            for partial in line.matched_debit_ids:
                item = items.get(partial.debit_move_id.id)
                if item and item.date <= customer.today and not is_void(partial.debit_move_id):
                    rows.append((0, line.date, line.id, [item], exact(partial.debit_amount_currency)))
            if not line.no_followup and line.amount_residual_currency < 0:
                debts = [
                    item for item in customer.owed if item.currency == line.currency_id.name and item.date <= line.date
                ]
                rows.append((1, line.date, line.id, debts, -exact(line.amount_residual_currency)))
    for bank_line in env["account.bank.statement.line"].search(
        [
            ("company_id", "in", company.parent_ids.ids),
            ("is_reconciled", "=", False),
            ("amount", ">", 0),
            ("partner_id", "!=", False),
            ("move_id.state", "=", "posted"),
        ]
    ):
        customer = customers.get(bank_line.partner_id.commercial_partner_id)
        debts = [
            item
            for item in (customer.owed if customer else ())
            if item.currency == bank_line.currency_id.name and item.date <= bank_line.date
        ]
        rows.append((1, bank_line.date, bank_line.id, debts, exact(bank_line.amount)))
    taken = Counter()
    for _rank, _day, _id, debts, amount in sorted(rows, key=lambda row: row[:3]):
        left = amount
        for item in sorted(debts, key=lambda item: (item.due_date, item.id)):
            if not item.is_open or item.is_credit or item.is_excluded:
                continue
            paid = min(left, item.free_currency - taken[item.id])
            taken[item.id] += paid
            left -= paid
    for customer in customers.values():
        for item in customer.owed:
            item.set_announced(Decimal(taken[item.id]), customer.cent)


def _read_online_payments(env, company, lines, items, customers):
    """Return the rows of online payments, for some bank days from their last change: see ``_announce``.

    One that names invoices pays these alone, whoever pays; another one what the payer owed by then.
    """
    rows = []
    clock = ZoneInfo(company.collection_tz or "UTC")
    for transaction in env["payment.transaction"].search([("company_id", "in", company.parent_ids.ids)]):
        customer = customers.get(transaction.partner_id.commercial_partner_id)
        changed_on = transaction.last_state_change.replace(tzinfo=ZoneInfo("UTC")).astimezone(clock).date()
        today = next(iter(customers.values())).today if customers else changed_on
        is_under_way = transaction.state in ("pending", "authorized") or (
            transaction.state == "done" and not transaction.is_post_processed
        )
        since = workdays.subtract_bank_days(today, company.collection_pending_days, company.country_id.code)
        if not is_under_way or transaction.payment_id or transaction.amount <= 0 or changed_on < since:
            continue
        if transaction.invoice_ids:
            debts = [items[line.id] for line in lines if line.move_id in transaction.invoice_ids]
            rank = 0
        else:
            debts = [
                item
                for item in (customer.owed if customer else ())
                if item.currency == transaction.currency_id.name and item.date <= changed_on
            ]
            rank = 1
        rows.append((rank, changed_on, transaction.id, debts, exact(transaction.amount)))
    return rows


def _read_parents(env, company, customers):
    """Return the rows of what a customer of a branch has at each company above it: see ``_announce``."""
    rows = []
    for customer in customers.values():
        lines = (
            env["account.move.line"]
            .search(
                [
                    ("company_id", "in", (company.parent_ids - company).ids),
                    ("partner_id.commercial_partner_id", "=", customer.partner.id),
                    ("account_id.account_type", "=", "asset_receivable"),
                    ("account_id.non_trade", "=", False),
                    ("parent_state", "=", "posted"),
                    ("reconciled", "=", False),
                    ("no_followup", "=", False),
                    ("date", "<=", customer.today),
                ],
                order="id",
            )
            .filtered(lambda line: not is_void(line))
        )
        for (_company, currency), own in lines.grouped(lambda line: (line.company_id, line.currency_id)).items():
            credit = -sum(exact(line.amount_residual_currency) for line in own)
            debts = [item for item in customer.owed if item.currency == currency.name]
            if credit > 0:
                rows.append((1, customer.today, own[0].id, debts, credit))
    return rows


def _net(customer):
    """Set credits against debts: in the items' own currency, the oldest debt first; what is excluded stays apart."""
    for currency in {item.currency for item in customer.owed}:
        credit = -sum(
            item.residual_currency for item in customer.credits if item.currency == currency and not item.is_excluded
        )
        credit = max(credit - _get_reserved(customer, currency), Decimal(0))
        debts = [item for item in customer.owed if item.currency == currency and not item.is_excluded]
        for item in sorted(debts, key=lambda item: (item.due_date, item.id)):
            credit = item.cover(credit, customer.cent)


def _get_reserved(customer, currency):
    """Return what open credit notes keep for what is disputed: it is not taken off twice.

    One that reverses a disputed invoice takes up its disputed part; one that reverses none, and is not older than the
    disputed invoices, what is left of their disputed parts.
    """
    notes = [
        item
        for item in customer.credits
        if item.currency == currency and item.line.move_id.move_type == "out_refund" and not item.line.no_followup
    ]
    contested = [
        item
        for item in customer.owed
        if item.currency == currency and item.disputed_currency and not item.line.no_followup
    ]
    if not contested:
        return Decimal(0)
    kept = left = Decimal(0)
    for move in {item.line.move_id for item in contested}:
        disputed = sum(item.disputed_currency for item in contested if item.line.move_id == move)
        reversing = -sum(note.residual_currency for note in notes if note.line.move_id.reversed_entry_id == move)
        kept += min(disputed, reversing)
        left += max(disputed - reversing, Decimal(0))
    since = min(item.date for item in contested)
    others = -sum(
        note.residual_currency for note in notes if not note.line.move_id.reversed_entry_id and note.date >= since
    )
    return kept + min(left, others)


def _read_receipts(env, lines, items, customers, returned):
    """Write down on each customer the money that was set against what was charged, and stayed."""
    for partial in env["account.partial.reconcile"].search([("debit_move_id", "in", lines.ids)]):
        debit, credit = items[partial.debit_move_id.id], partial.credit_move_id
        customer = customers[partial.debit_move_id.partner_id.commercial_partner_id]
        settled_on = max(debit.date, credit.date)
        if not debit.is_charge or credit.journal_id.type not in CASH or credit.parent_state != "posted":
            continue
        if credit.id not in returned and customer.history_start() <= settled_on <= customer.today:
            days_late = max((credit.date - debit.due_date).days, 0)
            amount = cash_of(partial, customer.cent)
            customer.receipts.append(Receipt(debit.id, credit.id, credit.date, amount, days_late))


def cash_of(partial, cent):
    """Return what a settlement brought in: an entry may write something off, or grant a discount, besides."""
    lines = partial.credit_move_id.move_id.line_ids
    waived = sum(
        exact(line.balance)
        for line in lines
        if line.account_id.account_type.startswith(("expense", "income")) or line.tax_repartition_line_id
    )
    settled = -sum(exact(line.balance) for line in lines if line.account_type == "asset_receivable")
    amount = exact(partial.amount)
    if waived > 0 and settled > 0:
        amount *= 1 - min(waived / settled, Decimal(1))
    return rounded(amount, cent)


def _has_paid(paid, company):
    """Whether a payment's journal item was set against a debt of this company."""
    return company in paid.matched_debit_ids.debit_move_id.company_id


def _read_returns(env, company, lines, customers):
    """Write down on each customer the days on which money that had come in went back; return the payments' ids.

    The bank takes back as much as was paid once before, without a payment to the customer; or a payment is rejected.
    For a branch counts what went back to a company above it, if it had paid an item of the branch.
    """
    returned = set()
    for owner in company.parent_ids:
        in_bank = lines if owner == company else _search_receivables(env, owner)
        in_bank = in_bank.filtered(lambda line: line.journal_id.type in CASH)
        for line in in_bank:
            paid = find_returned(line, in_bank)
            if paid and (owner == company or _has_paid(paid, company)):
                customers[line.partner_id.commercial_partner_id].return_days.append(line.date)
                returned.add(paid.id)
    for payment in env["account.payment"].search(
        [
            ("company_id", "in", company.parent_ids.ids),
            ("state", "=", "rejected"),
            ("payment_type", "=", "inbound"),
            ("partner_type", "=", "customer"),
        ]
    ):
        paid = payment.move_id.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        if payment.company_id != company and not _has_paid(paid, company):
            continue
        if not returned.intersection(paid.ids):  # booked back as well: it came back once
            customers[payment.partner_id.commercial_partner_id].return_days.append(payment.date)
        returned.update(paid.ids)
    return returned


# === WHAT IS OWED === #


@indicator
def due_amount(customer):
    """All open items, due or not."""
    return sum(item.residual for item in customer.owed)


@indicator
def overdue_amount(customer):
    """Open items past their due date, before credits and disputes."""
    return sum(item.residual for item in customer.overdue)


@indicator
def credit_amount(customer):
    """Credit notes and payments not yet set against an invoice, as a positive amount."""
    return -sum(item.residual for item in customer.credits)


@indicator
def disputed_amount(customer):
    """Overdue parts under a dispute that is open, or accepted and not yet credited."""
    return sum(item.disputed for item in customer.askable)


@indicator
def promised_amount(customer):
    """Overdue parts under an open promise, as far as nobody disputes them."""
    return sum(item.promised for item in customer.askable)


@indicator
def announced_amount(customer):
    """Overdue parts for which money is on its way, as far as nobody disputes them and they are not promised."""
    return sum(item.announced for item in customer.askable)


@indicator
def excluded_amount(customer):
    """Overdue items marked “no follow-up” or blocked for payment; in insolvency, all that would be claimable."""
    excluded = sum(item.residual for item in customer.overdue if item.is_excluded)
    return excluded + (_left_to_ask(customer) if customer.debtor.insolvency else 0)


@indicator
def claimable_amount(customer):
    """What is overdue and neither excluded, disputed, promised nor covered by credits in its own currency.

    Nobody may ask an insolvent customer for anything.
    """
    return Decimal(0) if customer.debtor.insolvency else _left_to_ask(customer)


def _left_to_ask(customer):
    return sum((item.claimable for item in customer.askable), Decimal(0))


@indicator
def open_item_count(customer):
    """How many items are owed, due or not."""
    return len(customer.owed)


@indicator
def overdue_item_count(customer):
    """How many items are past their due date."""
    return len(customer.overdue)


@indicator
def largest_item_amount(customer):
    """The largest overdue item."""
    return max((item.residual for item in customer.overdue), default=Decimal(0))


@indicator
def oldest_due_date(customer):
    """The earliest due date of what is overdue."""
    return min((item.due_date for item in customer.overdue), default=False)


@indicator
def is_small(customer):
    """Something is overdue, and not more than what the company calls small."""
    return 0 < overdue_amount(customer) <= exact(customer.company.collection_small_amount)


@indicator
def weighted_days_late(customer):
    """Days late of what is overdue, weighted by amount."""
    return ratio(_overdue_days(customer), overdue_amount(customer))


@indicator
def credit_limit_use(customer):
    """What is owed, less credits, in percent of the customer's credit limit; 0 without a limit."""
    return ratio(
        100 * max(due_amount(customer) - credit_amount(customer), Decimal(0)), exact(customer.partner.credit_limit)
    )


def _overdue_days(customer):
    return sum(item.residual * customer.days_late(item) for item in customer.overdue)


# === HOW THIS CUSTOMER PAYS === #


def _paid(receipts):
    return sum((receipt.amount for receipt in receipts), Decimal(0))


def _paid_days(receipts):
    return sum((receipt.amount * receipt.days_late for receipt in receipts), Decimal(0))


@indicator
def average_days_late(customer):
    """Days late over the payment history, by amount; what is overdue counts with its lateness so far."""
    return ratio(
        _paid_days(customer.receipts) + _overdue_days(customer), _paid(customer.receipts) + overdue_amount(customer)
    )


@indicator
def late_share(customer):
    """Percent of the amount paid over the payment history that arrived after its due date."""
    late = [receipt for receipt in customer.receipts if receipt.days_late > 0]
    return ratio(100 * _paid(late), _paid(customer.receipts))


@indicator
def lateness_trend(customer):
    """Average days late of the last three months, overdue items included, less the three months before.

    0 when one of the two has nothing to say.
    """
    quarter, half_year = (customer.today - relativedelta(months=months) for months in (3, 6))
    recent = [receipt for receipt in customer.receipts if receipt.date > quarter]
    former = [receipt for receipt in customer.receipts if half_year < receipt.date <= quarter]
    recent_amount = _paid(recent) + overdue_amount(customer)
    if not recent_amount or not former:
        return Decimal(0)
    recent_average = (_paid_days(recent) + _overdue_days(customer)) / recent_amount
    return rounded(recent_average - _paid_days(former) / _paid(former), TENTH)


@indicator
def paid_item_count(customer):
    """How many items were paid, in whole or in part, over the payment history."""
    return len({receipt.item_id for receipt in customer.receipts})


@indicator
def learned_payment_days(customer):
    """Days of the month on which at least a quarter of the payments, and at least three, arrived."""
    payments = {receipt.payment_id: receipt.date.day for receipt in customer.receipts}
    counts = Counter(payments.values())
    days = [day for day, count in counts.items() if count >= LEARNED_FROM and 4 * count >= len(payments)]
    return ", ".join(map(str, sorted(days))) or False


@indicator
def last_payment_date(customer):
    """The day of the last money received, from the customer or, in the payment history, from others for them."""
    days = [item.date for item in customer.items if item.balance < 0 and item.is_money and item.date <= customer.today]
    return max(days + [receipt.date for receipt in customer.receipts], default=False)


@indicator
def first_invoice_date(customer):
    """The first day on which the customer was charged something."""
    return min(_charge_days(customer), default=False)


@indicator
def last_invoice_date(customer):
    """The last day on which the customer was charged something."""
    return max(_charge_days(customer), default=False)


def _charge_days(customer):
    return [item.date for item in customer.items if item.is_charge and item.date <= customer.today]


# === WHAT WAS SAID === #


@indicator
def broken_promise_count(customer):
    """How many promises for a day within the payment history were broken."""
    return len(
        [
            promise
            for promise in customer.debtor.promise_ids
            if promise.state == "broken" and promise.date >= customer.history_start()
        ]
    )


@indicator
def bounce_count(customer):
    """How many payments came back unpaid within the payment history."""
    return len([day for day in customer.return_days if day >= customer.history_start()])


@indicator
def last_bounce_date(customer):
    """The last day on which a payment came back within the payment history."""
    return max((day for day in customer.return_days if day >= customer.history_start()), default=False)


@indicator
def open_dispute_count(customer):
    """How many disputes are open."""
    return len([dispute for dispute in customer.debtor.dispute_ids if dispute.state == "open"])


@indicator
def last_contact_on(customer):
    """The day, on the company's clock, on which something last reached the customer."""
    return max(customer.contact_days, default=False)


@indicator
def has_phone(customer):
    """Somebody who can be written to has a phone number."""
    return any(contact.phone for contact in _contacts(customer))


@indicator
def has_email(customer):
    """Somebody who can be written to has an e-mail address."""
    return any(contact.email for contact in _contacts(customer))


@indicator
def contactability(customer):
    """0 to 3: a phone number, an e-mail address and the right person are known."""
    return has_phone(customer) + has_email(customer) + bool(customer.debtor.contact_id)


def _contacts(customer):
    contacts = customer.partner.search([("commercial_partner_id", "=", customer.partner.id)])
    return contacts.filtered(
        lambda contact: (
            contact.active
            and (
                contact == customer.partner
                or contact.type in ("contact", "invoice")
                or contact == customer.debtor.contact_id
            )
        )
    )


@indicator
def company_size(customer):
    """The size written on the customer."""
    return customer.partner.collection_company_size


@indicator
def payer_profile_auto(customer):
    """What kind of payer the facts say this is; the first rule that fits wins."""
    company = customer.company
    leaving_since = customer.today - relativedelta(months=company.collection_leaving_months)
    last_invoice = last_invoice_date(customer)
    average = average_days_late(customer)
    if open_dispute_count(customer):
        return "dispute"
    if customer.debtor.insolvency:
        return "leaving"
    if overdue_amount(customer) and last_invoice and last_invoice < leaving_since:
        return "leaving"
    if broken_promise_count(customer) >= 2 or average >= company.collection_bad_payer_days:
        return "bad"
    if paid_item_count(customer) < 2:
        return "new"
    if average > company.collection_punctual_days or late_share(customer) > 50:
        return "disorganised"
    return "punctual"


@indicator
def payer_profile(customer):
    """The profile that somebody set by hand, else the one from history."""
    return customer.debtor.payer_profile_manual or payer_profile_auto(customer)


# === SCORE === #


@indicator
def score_breakdown(customer):
    """The points of each criterion; nothing overdue means nothing to ask for, insolvency that nobody may ask."""
    if not customer.facts["overdue_amount"] or customer.debtor.insolvency:
        return []
    criteria = (
        customer.company.env["collection.criterion"]
        .with_context(active_test=True)
        .search([("company_id", "in", (False, customer.company.id))], order="sequence, id")
    )
    rows = []
    for criterion, maximum in zip(criteria, scoring.maxima(criteria.mapped("weight")), strict=True):
        value = _criterion_value(customer, criterion)
        if criterion.indicator in ("payer_profile", "company_size"):
            percents = {band[criterion.indicator]: band.percent for band in criterion.band_ids}
            percent = percents.get(value, 0)
        else:
            percent = scoring.pick_band(value, [(band.lower, band.percent) for band in criterion.band_ids]) or 0
        rows.append(
            {
                "criterion": criterion.id,
                "value": value,
                "points": scoring.contribution(percent, maximum),
                "max": maximum,
            }
        )
    return rows


@indicator
def score(customer):
    """The sum of all points, 0 to 100."""
    return sum(row["points"] for row in score_breakdown(customer))


@indicator
def grade(customer):
    """A from the company's first limit on, then B, then C; D is the rest."""
    company, points = customer.company, score(customer)
    limits = (company.collection_grade_a, company.collection_grade_b, company.collection_grade_c)
    return next((letter for letter, limit in zip("abc", limits, strict=True) if points >= limit), "d")


def _criterion_value(customer, criterion):
    facts = customer.facts
    if criterion.indicator == "custom":
        # The only filter that the tests write.
        return int(customer.partner.collection_company_size == "large")
    if criterion.indicator == "days_late":
        return (customer.today - facts["oldest_due_date"]).days
    if criterion.indicator == "days_since_contact":
        day = facts["last_contact_on"]
        return (customer.today - day).days if day else NEVER_CONTACTED
    value = facts[criterion.indicator]
    return int(value) if criterion.indicator == "is_small" else value


# === ALL OF IT === #


def expect_facts(company, today):
    """Return what every debtor of a company should show.

    :param company: one ``res.company``.
    :param today: the day on the company's clock.
    :return: ``{commercial partner: {column: value}}``; amounts and ratios are decimals.
    """
    customers = read_customers(company, today)
    for customer in customers.values():
        for name, function in INDICATORS.items():
            customer.facts[name] = function(customer)
    return {partner: customer.facts for partner, customer in customers.items()}
