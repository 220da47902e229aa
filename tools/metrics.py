"""Figures of receivables management: how soon customers pay, and what following them up achieves.

Amounts may be any numbers of one currency, as floats, decimals or fractions. A figure that would be a
division by zero is ``None``: nothing to measure is not the same as zero. Rates are in percent.

Receivables (AR) are what customers owe net of credit notes and payments on account; sales are credit
sales with taxes, credit notes deducted. Both as of the same day.

>>> dso(20_000, 45_000, 90), dso(30_000, 60_000, 90), dso(500, 0, 90)
(40.0, 45.0, None)
>>> november, october, september = Month(1_200, 30), Month(800, 31), Month(700, 30)
>>> round(dso_count_back(2_500, [november, october, september]).days, 2)
82.43
>>> cei(100_000, 50_000, 90_000, 70_000)
75.0
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from .aging import BUCKETS, bucket_of

# The bucket from which on money is at risk: more than 90 days late (a usual limit).
AT_RISK_FROM = 91
BUCKET_CODES = tuple(code for code, _first_day in BUCKETS)
# Promises that were withdrawn or renegotiated: they count neither as kept nor as broken.
VOID_STATES = ("cancelled", "replaced")


class Month(NamedTuple):
    """Credit sales of a month and its days. A month that isn't over has as many days as have passed."""

    sales: Any
    days: int


class CountBack(NamedTuple):
    """Days of sales that receivables stand for; ``is_more`` when the known months don't suffice to know.

    >>> str(CountBack(61, True)), str(CountBack(42.345, False))
    ('>61', '42.3')
    """

    days: Any
    is_more: bool

    def __str__(self) -> str:
        return f">{self.days:g}" if self.is_more else f"{float(self.days):.1f}"


class Position(NamedTuple):
    """What customers owe on one day.

    ``buckets``: open items by days past due, ``{code of tools.aging: amount}``, before credits;
    ``credits``: credit notes and payments on account that are set against nothing yet, as a positive
    amount, apart and never spread over the buckets; ``late_product``: Σ overdue amount × days late;
    ``late_days``: Σ days late of overdue items, each counted once; ``late_count``: how many these are.
    """

    buckets: Mapping[str, Any]
    credits: Any = 0
    late_product: Any = 0
    late_days: Any = 0
    late_count: int = 0

    @property
    def due(self):
        """All open items, due or not, before credits."""
        return sum(self.buckets.values())

    @property
    def receivables(self):
        """AR: open items less credits. Below zero when customers have more to get than to pay."""
        return self.due - self.credits

    @property
    def not_due(self):
        """Open items that aren't late yet; an item due today isn't."""
        return self.buckets.get("not_due", 0)

    @property
    def overdue(self):
        """Open items past their due date, before credits."""
        return self.due - self.not_due

    @property
    def current(self):
        """What isn't late of AR: credits make up for overdue items first, for others only after that."""
        return min(self.not_due, self.receivables)

    @property
    def at_risk(self):
        """Open items more than 90 days late."""
        first_days = dict(BUCKETS)
        return sum(amount for code, amount in self.buckets.items() if (first_days[code] or 0) >= AT_RISK_FROM)


# === HOW SOON CUSTOMERS PAY === #


def dso(receivables, sales, days: int):
    """Days sales outstanding, the simple way: AR / sales × days.

    Source: standard formulas of the Credit Research Foundation (CRF).

    :param receivables: AR at the end of the period.
    :param sales: credit sales with taxes of the period.
    :param days: calendar days of the period.
    :return: days; ``None`` without sales, or when credit notes outweigh them.
    """
    return receivables * days / sales if sales > 0 else None


def dso_count_back(receivables, months: Iterable[Month]) -> CountBack:
    """Days sales outstanding by counting back: for how many days of most recent sales AR stands.

    Month by month, the newest first, sales are taken off what is owed. A whole month counts with all
    of its days, the last one in proportion. A month without sales, or with more credit notes than
    sales, adds its days and takes nothing off (to stop there, as some do, comes out too low).

    Source: common definition in credit management (count-back method).

    >>> dso_count_back(900, [Month(500, 31), Month(-20, 30), Month(0, 31), Month(800, 30)])
    CountBack(days=107.0, is_more=False)
    >>> dso_count_back(9_000, [Month(500, 31), Month(800, 30)])
    CountBack(days=61, is_more=True)

    :param receivables: AR at the end of the newest month; nothing owed stands for no days.
    :param months: the newest first.
    """
    remaining, days = receivables, 0
    for month in months:
        if remaining <= 0:
            break
        if 0 < month.sales and remaining < month.sales:
            return CountBack(days + remaining * month.days / month.sales, False)
        days += month.days
        remaining -= max(month.sales, 0)
    return CountBack(days, remaining > 0)


def best_possible_dso(position: Position, sales, days: int):
    """Return the DSO that would be left if nobody were late: AR not yet due / sales × days.

    Put it beside a DSO of the same method. Source: standard formulas of the Credit Research Foundation (CRF).

    >>> best_possible_dso(Position({"not_due": 15_000, "1_30": 5_000}), 45_000, 90)
    30.0
    """
    return dso(position.current, sales, days)


def average_days_delinquent(actual, best):
    """Days of sales that are late: DSO less best possible DSO, both computed the same way.

    Source: standard formulas of the Credit Research Foundation (CRF).

    >>> average_days_delinquent(40.0, 30.0), average_days_delinquent(None, 30.0)
    (10.0, None)
    """
    return None if actual is None or best is None else actual - best


def cei(opening, sales, closing, closing_current, months=1):
    """Collection effectiveness index: how much of what could be collected in a period was.

    (BR + CS/N − ETR) / (BR + CS/N − ECR) × 100, where BR is AR at the beginning, CS the credit sales
    of the period, N its months, ETR AR at the end and ECR what isn't due of it. 100: nothing is late.

    Source: standard formulas of the Credit Research Foundation (CRF).

    :return: percent; ``None`` when there was nothing to collect. Below zero when AR grew by more than
        the sales, for example by an opening entry.

    >>> cei(0, 0, 0, 0) is None
    True
    """
    collectable = opening + sales / months - closing_current
    return 100 * (opening + sales / months - closing) / collectable if collectable else None


def weighted_average(values: Iterable[tuple]):
    """Return Σ(amount × days) / Σ amount over pairs ``(amount, days)``; ``None`` without an amount.

    Weighted days to pay: for each allocation of cash, the days from the invoice to the money; average
    delay: those from the due date, below zero when early. Credit notes and write-offs are no payments.
    What is open and late may count with its lateness so far, so that customers who never pay weigh too.

    Source: common definition in credit management (weighted average days to pay, average days late).

    >>> weighted_average([(100, 30), (300, 50)]), weighted_average([])
    (45.0, None)
    """
    total = product = 0
    for amount, days in values:
        total += amount
        product += amount * days
    return product / total if total else None


def weighted_days_late(position: Position):
    """Days late of what is overdue, weighted by amount; ``None`` when nothing is.

    >>> weighted_days_late(Position({"1_30": 100, "31_60": 300}, late_product=100 * 10 + 300 * 50))
    40.0
    """
    return position.late_product / position.overdue if position.overdue else None


def average_days_late(position: Position):
    """Days late of the overdue items, each counted once; ``None`` when nothing is overdue.

    >>> average_days_late(Position({"1_30": 100, "31_60": 300}, late_days=10 + 50, late_count=2))
    30.0
    """
    return float(position.late_days) / position.late_count if position.late_count else None


# === HOW MUCH IS LATE === #


def position(items: Iterable[tuple], day: date) -> Position:
    """Return what is owed on a day from open items ``(due date, amount still owed)``.

    Amounts below zero are credits. An item due on that day isn't late.

    >>> position([(date(2026, 3, 10), 50), (date(2026, 3, 9), 20), (date(2026, 1, 1), -5)], date(2026, 3, 10))
    Position(buckets={'not_due': 50, '1_30': 20, '31_60': 0, '61_90': 0, '91_120': 0, 'over_120': 0}, \
credits=5, late_product=20, late_days=1, late_count=1)
    """
    buckets = dict.fromkeys(BUCKET_CODES, 0)
    credits = late_product = late_days = late_count = 0
    for due_date, amount in items:
        if amount < 0:
            credits -= amount
            continue
        days_late = (day - due_date).days
        buckets[bucket_of(days_late)] += amount
        if days_late > 0:
            late_product += amount * days_late
            late_days += days_late
            late_count += 1
    return Position(buckets, credits, late_product, late_days, late_count)


def rate(part, whole):
    """Return ``part`` in percent of ``whole``; ``None`` when there is no whole, or one below zero.

    >>> rate(1, 4), rate(0, 4), rate(1, 0)
    (25.0, 0.0, None)
    """
    return 100 * part / whole if whole > 0 else None


def overdue_rate(position: Position):
    """Percent of AR that is past due: overdue / AR. Common definition in credit management.

    AR is net of credits, what is overdue isn't: above 100 when credits outweigh what isn't due yet.

    >>> overdue_rate(Position({"not_due": 600, "31_60": 500}, credits=100))
    50.0
    """
    return rate(position.overdue, position.receivables)


def at_risk_rate(position: Position):
    """Percent of AR that is more than 90 days late: >90 / AR. Common definition in credit management."""
    return rate(position.at_risk, position.receivables)


class Move(NamedTuple):
    """An open item on two days: its bucket on each, what was owed first, and what is still owed."""

    opening_bucket: str
    closing_bucket: str
    opening: Any
    closing: Any


def roll_rates(moves: Iterable[Move]) -> dict:
    """Percent of each bucket that rolled on: was owed in it at first and is still, in a later one, afterwards.

    Item by item, so that what is new in a bucket is never mistaken for what rolled into it. The last
    bucket has no later one: what is still owed of it counts.

    Source: delinquency roll rate, as usual in credit risk management.

    >>> rolled = roll_rates([Move("not_due", "1_30", 100, 40), Move("not_due", "not_due", 60, 60)])
    >>> rolled["not_due"], rolled["1_30"]
    (25.0, None)
    """
    opening, rolled = dict.fromkeys(BUCKET_CODES, 0), dict.fromkeys(BUCKET_CODES, 0)
    for move in moves:
        opening[move.opening_bucket] += move.opening
        is_last = move.opening_bucket == BUCKET_CODES[-1]
        if is_last or BUCKET_CODES.index(move.closing_bucket) > BUCKET_CODES.index(move.opening_bucket):
            rolled[move.opening_bucket] += move.closing
    return {code: rate(rolled[code], opening[code]) for code in BUCKET_CODES}


# === WHAT FOLLOWING UP ACHIEVES === #


class PromiseResult(NamedTuple):
    """A promise: ``state`` (as of a ``collection.promise``), last day, amount promised and received."""

    state: str
    deadline: date
    amount: Any
    received: Any


class PromiseRatio(NamedTuple):
    """How promises were kept, in percent, and how many promises and how much money that is based on."""

    by_count: Any
    by_amount: Any
    count: int
    amount: Any


def promise_kept_ratio(promises: Iterable[PromiseResult], day: date) -> PromiseRatio:
    """Promises kept / promises whose last day has passed, by count; cash received in time / promised, by amount.

    Pending, withdrawn and renegotiated promises don't count; a promise kept in part counts as not kept, with
    what it brought in its amount. Source: promise-to-pay kept ratio, a common KPI of collections.

    >>> day = date(2026, 3, 10)
    >>> promise_kept_ratio([
    ...     PromiseResult("kept", date(2026, 3, 1), 100, 100),
    ...     PromiseResult("partly", date(2026, 3, 1), 100, 50),
    ...     PromiseResult("open", date(2026, 4, 1), 900, 0),
    ...     PromiseResult("cancelled", date(2026, 3, 1), 900, 0),
    ...     PromiseResult("replaced", date(2026, 3, 1), 900, 0),
    ... ], day)
    PromiseRatio(by_count=50.0, by_amount=75.0, count=2, amount=200)
    """
    judged = [promise for promise in promises if promise.deadline < day and promise.state not in VOID_STATES]
    kept = sum(promise.state == "kept" for promise in judged)
    promised = sum(promise.amount for promise in judged)
    received = sum(min(promise.received, promise.amount) for promise in judged)
    return PromiseRatio(rate(kept, len(judged)), rate(received, promised), len(judged), promised)


class ContactRates(NamedTuple):
    """Rates of telephone calls in percent, each named with its denominator."""

    answered_per_attempt: Any
    right_party_per_attempt: Any
    right_party_per_answer: Any
    promise_per_right_party: Any


def contact_rates(attempts: int, answered: int, right_party: int, promises: int = 0) -> ContactRates:
    """Rates of calls: how many were answered, reached the right person, and ended with a promise.

    Of the right-party-contact rate there are two in use: per attempt and per answer; the
    first is the stricter. Source: right-party contact rate, a common KPI of collections.

    >>> contact_rates(attempts=20, answered=10, right_party=5, promises=2)
    ContactRates(answered_per_attempt=50.0, right_party_per_attempt=25.0, right_party_per_answer=50.0, \
promise_per_right_party=40.0)
    >>> contact_rates(0, 0, 0).right_party_per_attempt is None
    True
    """
    return ContactRates(
        rate(answered, attempts), rate(right_party, attempts), rate(right_party, answered), rate(promises, right_party)
    )


def recovery_rate(collected, entrusted):
    """Recovery, or liquidation, rate: cash collected / amount entrusted.

    Source: common definition in debt collection.

    >>> recovery_rate(3_000, 12_000)
    25.0
    """
    return rate(collected, entrusted)


class DisputeResult(NamedTuple):
    """A dispute: ``state`` (open, accepted, rejected, cancelled), its reason, what is still disputed, its days."""

    state: str
    reason: Any
    open_amount: Any
    opened_on: date
    closed_on: date | None = None


class DisputeFigures(NamedTuple):
    """Open amounts by reason, mean calendar days to resolve, percent solved in favour of the customer."""

    open_by_reason: dict
    open_count: int
    resolved_count: int
    days_to_resolve: Any
    accepted_rate: Any


def dispute_figures(disputes: Sequence[DisputeResult]) -> DisputeFigures:
    """Sum disputes up; withdrawn ones don't count. Common definitions in credit management.

    >>> dispute_figures([
    ...     DisputeResult("open", "price", 80, date(2026, 3, 1)),
    ...     DisputeResult("accepted", "price", 0, date(2026, 1, 1), date(2026, 1, 11)),
    ...     DisputeResult("rejected", "delivery", 0, date(2026, 1, 1), date(2026, 1, 21)),
    ... ])
    DisputeFigures(open_by_reason={'price': 80}, open_count=1, resolved_count=2, days_to_resolve=15.0, \
accepted_rate=50.0)
    """
    open_by_reason: dict = {}
    resolved = [dispute for dispute in disputes if dispute.state in ("accepted", "rejected")]
    still_open = [dispute for dispute in disputes if dispute.state == "open"]
    for dispute in still_open:
        open_by_reason[dispute.reason] = open_by_reason.get(dispute.reason, 0) + dispute.open_amount
    accepted = sum(dispute.state == "accepted" for dispute in resolved)
    days = [(1, (dispute.closed_on - dispute.opened_on).days) for dispute in resolved]
    return DisputeFigures(
        open_by_reason, len(still_open), len(resolved), weighted_average(days), rate(accepted, len(resolved))
    )


# === ALL OF A COMPANY, OR OF SOME CUSTOMERS, ON ONE DAY === #


class Payments(NamedTuple):
    """Cash that settled items in a period: its amount, and Σ amount × days since invoice and since due date."""

    amount: Any = 0
    days_to_pay_product: Any = 0
    delay_product: Any = 0


class Figures(NamedTuple):
    """Every figure as of ``day``. A figure that can't be computed is ``None``.

    ``opening``: the position at the end of the month before that of ``day``;
    ``months``: credit sales by month up to ``day``, the newest first, as far back as is known;
    ``collected``: cash that came in from the first of the month to ``day``;
    ``payments``: how long customers took for the cash that settled items in that time;
    ``promised``, ``disputed``: parts of open items under an open promise, under an unsettled dispute.
    """

    day: date
    position: Position
    opening: Position
    months: Sequence[Month]
    collected: Any = 0
    payments: Payments = Payments()
    promised: Any = 0
    disputed: Any = 0

    # Months whose sales the simple DSO looks at: a quarter, as long as most payment terms reach.
    DSO_MONTHS = 3

    @property
    def sales(self):
        """Credit sales with taxes from the first of the month to ``day``."""
        return self.months[0].sales if self.months else 0

    @property
    def period(self) -> Month:
        """Sales and days of the last three months, fewer when no more are known."""
        months = self.months[: self.DSO_MONTHS]
        return Month(sum(month.sales for month in months), sum(month.days for month in months))

    @property
    def dso(self):
        """Days; see ``dso``."""
        return dso(self.position.receivables, *self.period)

    @property
    def best_possible_dso(self):
        """Days; see ``best_possible_dso``, beside the simple DSO."""
        return best_possible_dso(self.position, *self.period)

    @property
    def average_days_delinquent(self):
        """Days; see ``average_days_delinquent``."""
        return average_days_delinquent(self.dso, self.best_possible_dso)

    @property
    def dso_count_back(self) -> CountBack:
        """Days, with a mark when more; see ``dso_count_back``."""
        return dso_count_back(self.position.receivables, self.months)

    @property
    def cei(self):
        """Percent, of the month of ``day``; see ``cei``."""
        return cei(self.opening.receivables, self.sales, self.position.receivables, self.position.current)

    @property
    def overdue_rate(self):
        """Percent; see ``overdue_rate``."""
        return overdue_rate(self.position)

    @property
    def at_risk_rate(self):
        """Percent; see ``at_risk_rate``."""
        return at_risk_rate(self.position)

    @property
    def weighted_days_late(self):
        """Days, of what is overdue; see ``weighted_days_late``."""
        return weighted_days_late(self.position)

    @property
    def average_days_late(self):
        """Days, of the overdue items; see ``average_days_late``."""
        return average_days_late(self.position)

    @property
    def days_to_pay(self):
        """Days from invoice to money, weighted by amount."""
        return self.payments.days_to_pay_product / self.payments.amount if self.payments.amount else None

    @property
    def average_delay(self):
        """Days from due date to money, weighted by amount; below zero: early."""
        return self.payments.delay_product / self.payments.amount if self.payments.amount else None

    @property
    def average_delay_with_open(self):
        """Average delay when what is overdue counts with its lateness so far: who never pays weighs too."""
        amount = self.payments.amount + self.position.overdue
        return (self.payments.delay_product + self.position.late_product) / amount if amount else None
