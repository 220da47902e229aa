"""Cadence: which step of a follow-up plan comes next for one customer, and on which day.

Plain Python on plain facts, so that the scheduled run, the simulation of the days to come and the answer to
“why did this customer (not) get a reminder?” are the same computation.

The level of an open item is the delay of the highest step that was said about it. A step is never skipped on the
way up: an item that nobody wrote about begins at the first step, however late it is.

>>> from datetime import date
>>> steps = (Step(1, 3), Step(2, 8), Step(3, 30))
>>> file = File([Item(10, date(2026, 3, 1), 100.0)])
>>> decide(file, steps, Rules(), date(2026, 3, 2))
Decision(reason='not_yet', step=Step(key=1, delay=3), day=datetime.date(2026, 3, 4), item=10)
>>> decide(file, steps, Rules(), date(2026, 4, 20)).step.key
1
>>> file.items[0].level = 3
>>> decide(file, steps, Rules(), date(2026, 4, 20)).step.key
2
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

# The decision that a step is to be carried out on the day one asks for.
DUE = "due"
# Reasons that time alone resolves: the step comes on ``Decision.day``.
WAITING = ("not_yet", "gap", "pressure", "payment_run", "closed")
# A customer is reminded this many calendar days before their payment run.
DAYS_BEFORE_RUN = 3
# Longest wait for a payment run, in calendar days: nobody waits a month to write.
LONGEST_WAIT_FOR_RUN = 10
# Longest search for an open day: a calendar that is closed for longer is a mistake.
LONGEST_CLOSURE = 60
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan.

    :param key: what the caller knows it by.
    :param delay: calendar days after the due date, below zero before it.
    :param min_amount: in company currency; customers who owe less skip the step.
    :param awaits_run: whether the step waits for the days before the customer's payment run.
    """

    key: int
    delay: int
    min_amount: float = field(default=0.0, repr=False)
    awaits_run: bool = field(default=False, repr=False)


@dataclass(slots=True)
class Item:
    """What may be claimed of one open item, in company currency, and how far one has gone with it."""

    key: int
    due: date
    amount: float
    level: int | None = None
    is_old: bool = False


@dataclass(slots=True)
class File:
    """What is known of a customer.

    :param items: the open items of which something may be claimed, now or once they are due.
    :param contacts: days of all contacts of late, in order.
    :param last_message: day of the last contact, for the gap between two.
    :param silence: code of the reason why no contact is allowed; passed through to the decision.
    :param silent_until: the day from which that reason is gone, if it is known.
    :param payment_days: days of the month on which the customer pays.
    :param is_closed: says whether nobody is there on a day.
    """

    items: list[Item] = field(default_factory=list)
    contacts: list[date] = field(default_factory=list)
    last_message: date | None = None
    silence: str | None = None
    silent_until: date | None = None
    payment_days: tuple[int, ...] = ()
    is_closed: Callable[[date], bool] | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for all customers of a plan.

    :param gap: calendar days between two contacts.
    :param cap: most contacts over ``cap_days`` rolling days, 0 for no limit.
    :param is_closed: says whether the company sends nothing on a day.
    :param min_amount: the smallest amount worth a message, in company currency.
    """

    gap: int = 0
    cap: int = 0
    cap_days: int = 30
    is_closed: Callable[[date], bool] | None = None
    min_amount: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """What comes next, or why nothing does.

    :param reason: ``due``, one of ``WAITING``, ``finished``, ``too_small``, ``nothing_claimable`` or the file's
        ``silence``.
    :param step: the step it is about, if any.
    :param day: when it comes as things stand; ``None`` when time alone won't bring it.
    :param item: key of the item that calls for the step.
    """

    reason: str
    step: Step | None = None
    day: date | None = None
    item: int | None = None


def decide(file: File, steps: Sequence[Step], rules: Rules, day: date) -> Decision:
    """Return what comes next for a customer, judged on ``day``.

    :param steps: in the order of their delays, which differ.
    """
    if file.silence and (file.silent_until is None or file.silent_until > day):
        return Decision(file.silence, day=file.silent_until)
    overdue = [item for item in file.items if item.due < day]
    candidates = [
        (item, step) for item in file.items if (step := _next_step(item, file, steps, rules, day, overdue)) is not None
    ]
    if not candidates:
        if not overdue:
            return Decision("nothing_claimable")
        is_small = _add_up(overdue) < rules.min_amount or _is_too_small(overdue, steps)
        return Decision("too_small" if is_small else "finished")
    ready = [(item, step) for item, step in candidates if _step_day(item, step) <= day]
    if not ready:
        item, step = min(candidates, key=lambda pair: (_step_day(*pair), pair[0].due, pair[0].key))
        when, _reason = _first_day(file, step, rules, _step_day(item, step))
        return Decision("not_yet", step, when, item.key)
    # One message at the highest level that is due; the oldest item calls for it.
    item, step = min(ready, key=lambda pair: (-pair[1].delay, pair[0].due, pair[0].key))
    when, reason = _first_day(file, step, rules, day)
    return Decision(DUE, step, day, item.key) if when <= day else Decision(reason, step, when, item.key)


def covered_level(step_delay: int, due: date, day: date, steps: Iterable[Step]) -> int | None:
    """Return the level that an item has once a message of ``step_delay`` named it on ``day``.

    An item that is one day late does not rise to the level of an older one that stands beside it.

    >>> covered_level(30, date(2026, 3, 1), date(2026, 3, 6), (Step(1, 3), Step(2, 8), Step(3, 30)))
    3
    """
    days_late = (day - due).days
    return max((step.delay for step in steps if step.delay <= min(step_delay, days_late)), default=None)


def starting_level(due: date, start: date, start_delay: int | None, steps: Sequence[Step]) -> int | None:
    """Return the level at which a debt that is older than the plan's start is taken over.

    The first message about it is the step that its age calls for, but none above ``start_delay``.

    :param start: the day on which the plan began to run.
    :param start_delay: delay of the highest step at which old debts begin; ``None``: at the first step.

    >>> steps = (Step(1, 3), Step(2, 8), Step(3, 30))
    >>> starting_level(date(2025, 1, 1), date(2026, 3, 1), 8, steps)  # begins at step 8
    3
    >>> starting_level(date(2026, 2, 25), date(2026, 3, 1), 8, steps) is None  # begins at step 3
    True
    """
    if start_delay is None or due >= start:
        return None
    reached = [step.delay for step in steps if step.delay <= min(start_delay, (start - due).days)]
    return reached[-2] if len(reached) > 1 else None


def _add_up(items: Iterable[Item]) -> float:
    """Return what is owed on these items, without the noise of floating point below the smallest coin."""
    return round(sum(item.amount for item in items), 6)


def _step_day(item: Item, step: Step) -> date:
    return item.due + timedelta(days=step.delay)


def _next_step(
    item: Item, file: File, steps: Sequence[Step], rules: Rules, day: date, overdue: Sequence[Item]
) -> Step | None:
    """Return the step that comes next for one item, ``None`` when the plan has nothing more to say about it."""
    amount = _add_up(overdue) or item.amount
    for step in steps:
        if item.level is not None and step.delay <= item.level:
            continue
        if step.delay < 0 and (overdue or not _comes_before_due(item, step, file, rules, day)):
            continue
        if amount < max(step.min_amount, rules.min_amount):
            continue
        return step
    return None


def _is_too_small(overdue: Sequence[Item], steps: Sequence[Step]) -> bool:
    """Return whether a step is left that asks for a greater debt than this one."""
    amount = _add_up(overdue)
    return any(
        step.delay >= 0 and step.min_amount > amount and (item.level is None or step.delay > item.level)
        for item in overdue
        for step in steps
    )


def _comes_before_due(item: Item, step: Step, file: File, rules: Rules, day: date) -> bool:
    """Return whether a step before the due date can still be carried out in time."""
    return item.due > day and _first_day(file, step, rules, max(day, _step_day(item, step)))[0] < item.due


def _first_day(file: File, step: Step, rules: Rules, day: date) -> tuple[date, str | None]:
    """Return the first day from ``day`` on which one may speak, and what it waits for."""
    reason = None
    # Without a gap, two steps still never fall on one day, however often one asks on that day.
    gap = timedelta(days=max(rules.gap, 1))
    if file.last_message and file.last_message + gap > day:
        day, reason = file.last_message + gap, "gap"
    if rules.cap and (free := _under_pressure_until(file.contacts, rules, day)) > day:
        day, reason = free, "pressure"
    for _attempt in range(LONGEST_CLOSURE):
        # Looked at anew after each closed day, as the run of that day will.
        if step.awaits_run and file.payment_days:
            target = _before_run(file.payment_days, day)
            if day < target <= day + timedelta(days=LONGEST_WAIT_FOR_RUN):
                day, reason = target, "payment_run"
        if not (rules.is_closed and rules.is_closed(day)) and not (file.is_closed and file.is_closed(day)):
            break
        day, reason = day + _DAY, "closed"
    return day, reason


def _under_pressure_until(contacts: Sequence[date], rules: Rules, day: date) -> date:
    """Return the first day from ``day`` on which less than ``rules.cap`` contacts lie in the rolling period."""
    for free in [day, *(contact + timedelta(days=rules.cap_days) for contact in contacts)]:
        if free < day:
            continue
        since = free - timedelta(days=rules.cap_days)
        if len(contacts) - bisect_right(contacts, since) < rules.cap:
            return free
    return day


def _before_run(payment_days: Sequence[int], day: date) -> date:
    """Return the day on which to remind before the next payment run: from three days before until the day before.

    >>> _before_run((10, 25), date(2026, 3, 2))
    datetime.date(2026, 3, 7)
    >>> _before_run((31,), date(2026, 2, 20))
    datetime.date(2026, 2, 25)
    """
    for ahead in range(LONGEST_CLOSURE):
        target = day + timedelta(days=ahead)
        if any(_is_run(payment_days, target + timedelta(days=left)) for left in range(1, DAYS_BEFORE_RUN + 1)):
            return target
    return day


def _is_run(payment_days: Sequence[int], day: date) -> bool:
    """Return whether a customer pays on a day; in a month without their day it is the last one."""
    is_last_day = (day + _DAY).month != day.month
    return day.day in payment_days or (is_last_day and max(payment_days) > day.day)
