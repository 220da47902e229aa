"""The figures of a statement of account, as plain Python objects without Odoo.

Amounts are ``Decimal`` in the currency of their section, rounded to its smallest unit. Debts are
above zero, credits below. Screen, PDF and XLSX read them and calculate nothing.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from ...tools.aging import BUCKETS, bucket_of

ZERO = Decimal(0)


@dataclass(frozen=True)
class StatementLine:
    """One open item, or one movement."""

    line_id: int  # journal item; 0 when the row stands for none
    date: date  # of the document
    kind: str  # what it is, in words: invoice, credit note, payment …
    name: str  # its number
    reference: str  # the customer's own reference
    due_date: date | None  # none where nothing falls due
    days_late: int
    original: Decimal  # as invoiced, before payments
    amount: Decimal  # what counts here: still open, or the movement
    balance: Decimal  # running balance, this line included
    disputed: Decimal = ZERO  # part of ``amount``
    promised: Decimal = ZERO  # part of ``amount`` that is not disputed
    promised_on: date | None = None  # the first day for which a part is promised

    @property
    def paid(self) -> Decimal:
        """What was paid or credited so far."""
        return self.original - self.amount

    @property
    def debit(self) -> Decimal:
        """The amount, when it is owed by the customer; else zero."""
        return max(self.amount, ZERO)

    @property
    def credit(self) -> Decimal:
        """The amount as a positive number, when it is in favour of the customer; else zero."""
        return max(-self.amount, ZERO)


@dataclass(frozen=True)
class StatementAnnouncement:
    """A payment or credit note that is booked for a later day: it is in no balance yet."""

    date: date
    name: str  # its number
    amount: Decimal  # above zero


@dataclass(frozen=True)
class StatementSection:
    """What stands open, or what moved, in one currency."""

    currency: str  # ISO code
    decimal_places: int
    opening: Decimal  # balance before the first line; zero in a list of open items
    lines: tuple  # of StatementLine
    # (code, amount): debts by days late on the day of the statement; none in a bucket is zero.
    aging: tuple
    credits: Decimal  # not set against any debt, below zero; above when money was sent back that no credit stands for
    announced: tuple = ()  # of StatementAnnouncement

    @property
    def debit(self) -> Decimal:
        """Sum of the debits of all lines."""
        return sum((line.debit for line in self.lines), ZERO)

    @property
    def credit(self) -> Decimal:
        """Sum of the credits of all lines, as a positive number."""
        return sum((line.credit for line in self.lines), ZERO)

    @property
    def closing(self) -> Decimal:
        """Balance after the last line."""
        return self.opening + self.debit - self.credit

    @property
    def overdue(self) -> Decimal:
        """Debts past their due date, whatever credits there are."""
        return sum((amount for code, amount in self.aging if code != "not_due"), ZERO)

    @property
    def total(self) -> Decimal:
        """Debts less credits on the day of the statement."""
        return sum((amount for _code, amount in self.aging), self.credits)

    @property
    def disputed(self) -> Decimal:
        """Sum of the disputed parts of all lines."""
        return sum((line.disputed for line in self.lines), ZERO)

    @property
    def promised(self) -> Decimal:
        """Sum of the promised parts of all lines, disputed parts left out."""
        return sum((line.promised for line in self.lines), ZERO)


@dataclass(frozen=True)
class Statement:
    """The account of one customer with one company."""

    debtor_id: int
    kind: str  # open: what stands open; movements: all that was booked between two dates
    as_of: date  # the day that balances and days late are of
    date_from: date | None  # first day of the movements; none: from the beginning
    date_to: date | None  # last day of the movements
    sections: tuple = field(default=())  # of StatementSection, the company's currency first

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show: no line, and no balance before the first one."""
        return not any(section.lines or section.opening for section in self.sections)


def age(items, as_of):
    """Share open amounts out over the aging buckets.

    :param items: ``[(amount, due date)]``; credits have no due date, and amounts below zero no age.
    :param date as_of: the day on which days late are counted.
    :return: ``((code, amount) for each bucket, credits)``.

    >>> buckets, credits = age([(Decimal(10), date(2026, 3, 1)), (Decimal(-4), date(2026, 1, 1))], date(2026, 3, 10))
    >>> dict(buckets)["1_30"], credits
    (Decimal('10'), Decimal('-4'))
    >>> age([(Decimal(-4), None), (Decimal(3), None)], date(2026, 3, 10))[1]  # three were sent back
    Decimal('-1')
    """
    amounts = dict.fromkeys((code for code, _first_day in BUCKETS), ZERO)
    credits = ZERO
    for amount, due_date in items:
        if amount < 0 or due_date is None:
            credits += amount
        else:
            amounts[bucket_of((as_of - due_date).days)] += amount
    return tuple(amounts.items()), credits
