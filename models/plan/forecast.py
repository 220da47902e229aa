"""Forecast: who is contacted on which of the coming days if nobody pays and everything is done in time.

One ``DecisionContext`` is read, then the days are gone through as the scheduled action would: the same decisions,
carried out in memory. No query is made on the way, and nothing is written.
"""

import heapq
from dataclasses import dataclass
from datetime import date as Date
from datetime import timedelta
from typing import Any

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact that would take place.

    :param amount: what could be claimed on that day, in company currency.
    :param item_id: the journal item that calls for it.
    :param is_old: whether it is the first word about a debt that is older than the plan's start.
    """

    debtor_id: int
    plan: Any
    step: Any
    channel: str
    day: Date
    due: Date
    item_id: int
    amount: float
    is_old: bool


class Forecast:
    """What would happen from a day on.

    :param facts: a ``DecisionContext``, which is used up by this.
    :param start: the first day.
    :param int days: how many days.
    :param scores: ``{debtor id: score}``, for whose turn it is among old debts.
    :param planned: ``{debtor id: (day, channel)}`` of the steps that are planned already: they don't wait for a turn.
    :param limits: ``{plan id: first words about old debts per day}``, 0 for no limit.
    :param begun: ``{plan id: how many of them were said on the first day already}``.
    :param first_day: the day from which something new is planned, when it is not the first day.

    After ``run``: ``contacts`` in the order of days, and ``reasons``, ``{debtor id: Decision}`` on the first day.
    """

    def __init__(self, facts, start, days, scores=None, planned=None, limits=None, begun=None, first_day=None):
        self.facts = facts
        self.start, self.end = start, start + timedelta(days=days)
        self.scores = scores or {}
        self.planned = dict(planned or {})
        self.limits = limits or {}
        self.begun = begun or {}
        self.first_day = first_day or start
        self.contacts, self.reasons = [], {}
        # {day: debtors to check on that day}
        self.agenda = {start: list(facts.debtor_ids)}
        # {plan id: [(minus score, debtor id)]}: old debts that wait for their turn, best score first.
        self.turns = {}

    def run(self):
        """Go through the days.

        :return: self.
        """
        day = self.start
        while day < self.end:
            for debtor_id in self.agenda.pop(day, ()):
                self._look_at(debtor_id, day)
            self._give_turns(day)
            day += _DAY
        return self

    def _look_at(self, debtor_id, day):
        """Decide on one debtor, and carry the decision out or recheck on the day on which it may differ."""
        decision = self.facts.decide(debtor_id, day)
        if day == self.start:
            self.reasons[debtor_id] = decision
        if not decision.is_due:
            self._recheck(debtor_id, decision.day, day)
        elif (planned := self.planned.get(debtor_id)) and planned[0] > day:
            self._recheck(debtor_id, planned[0], day)
        elif not planned and day < self.first_day:
            self._recheck(debtor_id, self.first_day, day)
        elif not planned and decision.is_old and self.limits.get(decision.plan.id):
            heapq.heappush(self.turns.setdefault(decision.plan.id, []), (-self.scores.get(debtor_id, 0), debtor_id))
        else:
            self._carry_out(debtor_id, decision, day)

    def _recheck(self, debtor_id, when, day):
        """Schedule the next check of a debtor: on a day, or when another item becomes overdue before."""
        days = [item.due + _DAY for item in self.facts.files[debtor_id].items if item.due >= day]
        if when:
            days.append(when)
        if days:
            self.agenda.setdefault(max(min(days), day + _DAY), []).append(debtor_id)

    def _carry_out(self, debtor_id, decision, day):
        facts, step = self.facts, decision.step
        delay = decision.delay
        _day, channel = self.planned.pop(debtor_id, (None, None))
        self.contacts.append(
            Contact(
                debtor_id,
                decision.plan,
                step,
                channel or facts.get_channel(step),
                day,
                next(item.due for item in facts.files[debtor_id].items if item.key == decision.item_id),
                decision.item_id,
                facts.claimable(debtor_id, day, 1 - delay if delay < 0 else 0),
                decision.is_old,
            )
        )
        facts.carry_out(debtor_id, decision, day)
        self.agenda.setdefault(day + _DAY, []).append(debtor_id)

    def _give_turns(self, day):
        """Begin as many old debts as may be begun on a day."""
        for plan_id, turns in self.turns.items():
            closed = self.facts.rules[plan_id].is_closed
            if closed and closed(day):
                continue
            left = self.limits[plan_id] - (self.begun.get(plan_id, 0) if day == self.start else 0)
            while left > 0 and turns:
                _score, debtor_id = heapq.heappop(turns)
                decision = self.facts.decide(debtor_id, day)
                if decision.is_due:
                    self._carry_out(debtor_id, decision, day)
                    left -= 1
                else:
                    self._recheck(debtor_id, decision.day, day)
