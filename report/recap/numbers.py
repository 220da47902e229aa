"""The figures of a campaign's recap, as plain Python objects without Odoo.

Amounts are ``Decimal`` in company currency, rounded to its smallest unit, so that sums are exact.
Shares are between 0 and 1. What a figure means stands at the figure; where it comes from stands in
``build.py``, which fills these objects. Screen, PDF and XLSX read them and calculate nothing.
"""

from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal(0)


def share(part, whole) -> float:
    """Return ``part`` of ``whole`` between 0 and 1; nothing of nothing is 0.

    >>> share(Decimal("2.50"), Decimal("10.00")), share(ZERO, ZERO)
    (0.25, 0.0)
    """
    return float(part / whole) if whole else 0.0


def split(amount: Decimal, weights: list, unit: Decimal) -> list:
    """Share an amount out in proportion to weights, in multiples of ``unit``; the parts add up to it.

    >>> [str(part) for part in split(Decimal("10.00"), [1, 1, 1], Decimal("0.01"))]
    ['3.33', '3.34', '3.33']
    >>> [str(part) for part in split(Decimal("10.00"), [0, 0], Decimal("0.01"))]
    ['5.00', '5.00']
    >>> split(Decimal("10.00"), [], Decimal("0.01"))
    []
    """
    total = sum(weights)
    if not total:
        weights, total = [1] * len(weights), len(weights)
    parts, weight_so_far, amount_so_far = [], 0, ZERO
    for weight in weights:
        weight_so_far += weight
        reached = (amount * Decimal(weight_so_far) / Decimal(total)).quantize(unit, ROUND_HALF_UP)
        parts.append(reached - amount_so_far)
        amount_so_far = reached
    return parts


@dataclass(frozen=True)
class Amounts:
    """What became of overdue items: ``initial = collected + credited + other + residual``.

    >>> half = Amounts(initial=Decimal(10), collected=Decimal(4), promised=Decimal(5), rest=Decimal(1))
    >>> (half + half).residual, half.collected_share, half.is_balanced
    (Decimal('12'), 0.4, True)
    """

    initial: Decimal = ZERO  # owed and overdue when the campaign started
    collected: Decimal = ZERO  # money dated since the start and set against the items
    credited: Decimal = ZERO  # credit notes, and older payments set against the items since the start
    other: Decimal = ZERO  # write-offs, exchange differences, cancelled or deleted entries
    promised: Decimal = ZERO  # still owed, under an open promise to pay
    disputed: Decimal = ZERO  # still owed, under a dispute that is open, or accepted but not credited yet
    rest: Decimal = ZERO  # still owed, neither promised nor disputed

    def __add__(self, other):
        return Amounts(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    @property
    def residual(self) -> Decimal:
        """The amount still owed: ``promised + disputed + rest``."""
        return self.promised + self.disputed + self.rest

    @property
    def settled_otherwise(self) -> Decimal:
        """The amount settled without money: credit notes, write-offs and other entries."""
        return self.credited + self.other

    @property
    def collected_share(self) -> float:
        """The collected amount, as a share of what was overdue at the start."""
        return share(self.collected, self.initial)

    @property
    def is_balanced(self) -> bool:
        """Whether nothing got lost between the start and now."""
        return self.initial == self.collected + self.credited + self.other + self.residual


def total_of(amounts) -> Amounts:
    """Return the sum of many ``Amounts``."""
    return sum(amounts, Amounts())


@dataclass(frozen=True)
class BreakdownRow:
    """One part of an amount."""

    key: object  # what the part is known by: an id, a code, a date; ``None`` for the remainder
    label: str
    amount: Decimal
    case_count: int = 0  # customers who have something in this part; one customer may be in several
    item_count: int = 0


@dataclass(frozen=True)
class Breakdown:
    """An amount in parts that add up to it."""

    rows: tuple = ()  # of BreakdownRow

    def __iter__(self):
        return iter(self.rows)

    def __len__(self):
        return len(self.rows)

    @property
    def total(self) -> Decimal:
        """The whole amount: the sum of the parts."""
        return sum((row.amount for row in self.rows), ZERO)

    def share(self, row: BreakdownRow) -> float:
        """Return the share of one part in the whole."""
        return share(row.amount, self.total)

    def get(self, key) -> Decimal:
        """Return the amount of the part with this key, zero when there is none."""
        return next((row.amount for row in self.rows if row.key == key), ZERO)


@dataclass(frozen=True)
class SegmentRow:
    """Some of the cases, and what became of their items. The segments of a table share out all cases."""

    key: object
    label: str
    case_count: int
    amounts: Amounts


@dataclass(frozen=True)
class CaseRow:
    """One customer in the campaign."""

    case_id: int
    customer: str
    reference: str  # the customer's own reference, as on invoices
    collector_id: int
    collector: str
    state: str  # code
    result: str  # code; empty while the case is open
    status: str  # result, else state, in words
    result_note: str
    outcome: str  # code of what became of ``amounts.rest``, see ``_get_outcome_labels`` in recap.py
    reason_id: int
    reason: str
    profile: str  # code, at the start
    profile_label: str
    size: str  # code, at the start
    size_label: str
    is_small: bool  # owed at most what the company calls a small debt, at the start
    due_date: date | None  # of the oldest item
    days_late: int  # of the oldest item, at the start
    item_count: int
    attempt_count: int  # calls made
    is_reached: bool  # whether the right person was on the telephone
    last_contact: datetime | None  # in UTC
    amounts: Amounts
    next_step: str = ""  # what to do next, in words; empty when nothing is owed any more


@dataclass(frozen=True)
class PromiseRow:
    """A promise made in the campaign, or one that covers some of its items."""

    promise_id: int
    customer: str
    user_id: int
    user: str
    contact: str
    recorded_on: datetime  # in UTC
    date: date  # promised for
    deadline: date  # the promised date and the bank days that a payment takes
    method: str  # code
    method_label: str
    state: str  # code; of a closed campaign: as it was at the closing
    state_label: str
    currency: str
    decimal_places: int
    amount: Decimal  # in ``currency``
    company_amount: Decimal  # the same in company currency
    open_amount: Decimal  # its part of ``Amounts.promised``, in company currency
    is_from_campaign: bool  # made in this campaign
    case_id: int  # the case in this campaign that it covers items of
    note: str


@dataclass(frozen=True)
class DisputeRow:
    """A dispute opened in the campaign, or one that concerns some of its items."""

    dispute_id: int
    customer: str
    reason_id: int
    reason: str
    owner: str
    opened_on: datetime  # in UTC
    deadline: date | None
    state: str  # code; of a closed campaign: as it was at the closing
    state_label: str
    currency: str
    decimal_places: int
    amount: Decimal  # in ``currency``
    company_amount: Decimal  # the same in company currency
    open_amount: Decimal  # its part of ``Amounts.disputed``, in company currency
    case_id: int  # the case in this campaign that it concerns items of
    description: str


@dataclass(frozen=True)
class PromiseResults:
    """What the promises made in the campaign were worth, in company currency."""

    by_state: Breakdown  # all of them; ``item_count`` counts promises
    due_count: int = 0  # promises whose deadline has passed, those withdrawn left out
    kept_count: int = 0  # of these, kept in full
    due_amount: Decimal = ZERO
    kept_amount: Decimal = ZERO

    @property
    def kept_share(self) -> float:
        """Promises kept in full, as a share of those whose deadline has passed, by number."""
        return share(self.kept_count, self.due_count)

    @property
    def kept_amount_share(self) -> float:
        """Amount of the promises kept in full, as a share of the amount of those whose deadline has passed."""
        return share(self.kept_amount, self.due_amount)


@dataclass(frozen=True)
class SentRow:
    """Messages that were sent by one channel."""

    channel: str  # code
    label: str
    count: int


@dataclass(frozen=True)
class Contacts:
    """Contacts that took place in the campaign; what was only planned does not count."""

    customer_count: int = 0  # customers in the campaign
    logged_count: int = 0  # contacts of any kind, failed ones and notes included: what the XLSX lists
    call_count: int = 0  # calls made
    answered_count: int = 0  # of these, somebody answered
    right_person_count: int = 0  # of these, the right person was on the telephone
    sent: tuple = ()  # of SentRow, one for each channel of messages
    failed_email_count: int = 0  # bounced or refused by the mail server; not among the e-mails sent
    contacted_count: int = 0  # customers contacted at least once, whatever the channel
    called_count: int = 0  # customers called at least once
    reached_count: int = 0  # customers whose right person was reached at least once

    def get_sent(self, channel) -> int:
        """Return how many messages were sent by a channel.

        >>> Contacts(sent=(SentRow("email", "E-mails sent", 3),)).get_sent("email"), Contacts().get_sent("email")
        (3, 0)
        """
        return sum(row.count for row in self.sent if row.channel == channel)

    @property
    def email_count(self) -> int:
        """E-mails that were sent and did not come back."""
        return self.get_sent("email")

    @property
    def answered_share(self) -> float:
        """Calls that somebody answered, as a share of the calls made."""
        return share(self.answered_count, self.call_count)

    @property
    def right_person_share(self) -> float:
        """Calls that reached the right person, as a share of the calls made."""
        return share(self.right_person_count, self.call_count)

    @property
    def failed_email_share(self) -> float:
        """E-mails that bounced or were refused, as a share of all e-mails, those included."""
        return share(self.failed_email_count, self.email_count + self.failed_email_count)

    @property
    def contacted_share(self) -> float:
        """Customers contacted at least once, as a share of the customers in the campaign."""
        return share(self.contacted_count, self.customer_count)

    @property
    def called_share(self) -> float:
        """Customers called at least once, as a share of the customers in the campaign."""
        return share(self.called_count, self.customer_count)

    @property
    def reached_share(self) -> float:
        """Customers whose right person was reached, as a share of the customers in the campaign."""
        return share(self.reached_count, self.customer_count)


@dataclass(frozen=True)
class WeekRow:
    """What came in, and what had been promised, for one week."""

    monday: date
    label: str
    collected: Decimal  # of the items of the campaign
    promised: Decimal  # by promises made in the campaign for a day of this week, withdrawn ones left out


@dataclass(frozen=True)
class Standing:
    """How the customers of the campaign stood at the end of a day, with all their debts.

    Source: the ledger, from the dates of reconciliations (``collection.metrics``). What can't be
    computed is ``None``.
    """

    day: date
    overdue: Decimal  # in company currency
    dso: float | None  # days: receivables / sales of the last three months × their days
    average_days_late: float | None  # days, of what is overdue; each item counts once
    weighted_days_late: float | None  # the same, weighted by amount


@dataclass(frozen=True)
class Baseline:
    """What the same customers pay of overdue debts when nobody runs a campaign.

    Method: the time before the start is cut into spans as long as the campaign lasted so far, back to
    the length of the payment history, the last 24 at most. What was overdue on the first day of a span is
    compared with the money that came in on it within the span, for each bucket of the aging, since old debts
    come in more rarely than young ones. Spans in which one of these customers was in another campaign are
    left out.

    >>> history = Baseline(36, 10, (("1_30", Decimal(100), Decimal(60)), ("31_60", Decimal(300), Decimal(60))))
    >>> history.get_share("1_30"), history.get_share("over_120"), history.is_known
    (0.6, 0.3, True)
    >>> history.expect({"1_30": Decimal(50), "over_120": Decimal("10.10")}, 2)
    Decimal('33.03')
    """

    days: int = 0  # length of a span
    span_count: int = 0  # spans that were counted
    # (code of the aging, overdue at the beginning of the spans added up, of this collected within its span)
    buckets: tuple = ()

    @property
    def owed(self) -> Decimal:
        """The amount overdue at the beginning of the spans, added up over spans and buckets."""
        return sum((owed for _code, owed, _collected in self.buckets), ZERO)

    @property
    def collected(self) -> Decimal:
        """The part of ``owed`` that was paid in money within its span."""
        return sum((collected for _code, _owed, collected in self.buckets), ZERO)

    @property
    def is_known(self) -> bool:
        """Whether there is any history to compare with."""
        return self.owed > 0

    @property
    def collected_share(self) -> float:
        """The amount collected without a campaign, as a share of what was overdue."""
        return share(self.collected, self.owed)

    def get_share(self, code) -> float:
        """Return the collected share of one bucket of the aging; that of all where the bucket has no history."""
        for bucket, owed, collected in self.buckets:
            if bucket == code and owed > 0:
                return share(collected, owed)
        return self.collected_share

    def expect(self, amounts, decimal_places) -> Decimal:
        """Return what would come in of these amounts: ``{code of the aging: amount}``."""
        expected = sum((amount * Decimal(repr(self.get_share(code))) for code, amount in amounts.items()), ZERO)
        return expected.quantize(Decimal(1).scaleb(-decimal_places), ROUND_HALF_UP)


@dataclass(frozen=True)
class CollectorRow:
    """What one person did, and what became of the cases in their care."""

    user_id: int
    label: str
    case_count: int  # cases in their care
    call_count: int  # calls they made, on whosever case
    right_person_count: int  # of these, the right person was on the telephone
    promise_count: int  # promises they recorded
    promised_amount: Decimal  # what these promises were about
    amounts: Amounts  # of the cases in their care

    @property
    def right_person_share(self) -> float:
        """Calls that reached the right person, as a share of the calls that this person made."""
        return share(self.right_person_count, self.call_count)


@dataclass(frozen=True)
class Figure:
    """A figure that another addon adds to the recap."""

    key: str  # what it is known by
    label: str
    kind: str  # money, integer, percent (between 0 and 1), days or text
    value: object  # ``None`` for what can't be computed; money as ``Decimal``, see ``to_money``


@dataclass(frozen=True)
class Recap:
    """The closing document of a campaign: everything that PDF and XLSX show."""

    campaign_id: int
    name: str
    company: str
    currency: str  # ISO code
    decimal_places: int
    timezone: str  # of the company, for times of day
    date_start: date
    date_end: date
    started_on: date
    as_of: date  # the day that the figures are of: the closing, else today
    is_final: bool  # closed or cancelled: the figures don't change any more
    state: str  # code
    state_label: str
    in_charge: str
    team: tuple  # names
    goal: Decimal  # zero: no goal was set
    scope: tuple  # of (what, limit), in words: who was let in

    total: Amounts
    item_count: int
    cases: tuple  # of CaseRow, most owed first
    outcome: Breakdown  # of the initial amount, by what became of it
    results: tuple  # of SegmentRow, by how the cases ended
    aging: Breakdown  # of the initial amount, by days late at the start
    aging_after: Breakdown  # of what is still owed, by days late on ``as_of``; the same buckets
    before: Standing  # at the end of the day before the start
    after: Standing  # at the end of ``as_of``
    baseline: Baseline
    profiles: tuple  # of SegmentRow, by payer profile at the start
    sizes: tuple  # of SegmentRow, by company size at the start
    debt_sizes: tuple  # of SegmentRow: small debts, others
    collected_by_week: Breakdown
    weeks: tuple  # of WeekRow: money and promises, week by week without gaps
    collected_by_method: Breakdown
    promised_by_date: Breakdown
    promised_by_method: Breakdown
    disputed_by_reason: Breakdown
    reasons: Breakdown  # of what is still owed, by reason for non-payment
    promises: tuple  # of PromiseRow
    promise_results: PromiseResults
    disputes: tuple  # of DisputeRow
    contacts: Contacts
    collectors: tuple  # of CollectorRow
    extra: tuple = ()  # of Figure, of other addons

    @property
    def case_count(self) -> int:
        """Number of customers in the campaign."""
        return len(self.cases)

    @property
    def goal_share(self) -> float:
        """The collected amount, as a share of the goal."""
        return share(self.total.collected, self.goal)

    @property
    def expected(self) -> Decimal:
        """What would have come in without a campaign: each bucket's usual share of the initial amount."""
        return self.baseline.expect({row.key: row.amount for row in self.aging}, self.decimal_places)

    @property
    def expected_share(self) -> float:
        """The expected amount (see ``expected``), as a share of the initial amount."""
        return share(self.expected, self.total.initial)

    @property
    def gain(self) -> Decimal:
        """The amount collected beyond ``expected``; may be below zero."""
        return self.total.collected - self.expected


def to_money(value, decimal_places):
    """Return an amount as an exact ``Decimal`` with as many digits as its currency has.

    >>> to_money(0.1 + 0.2, 2), to_money(None, 0)
    (Decimal('0.30'), Decimal('0'))
    """
    return Decimal(repr(value or 0)).quantize(Decimal(1).scaleb(-decimal_places), ROUND_HALF_UP)
