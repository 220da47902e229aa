"""Decisions on debtors: the facts read at once from the database, then judged by ``tools/cadence.py``."""

from dataclasses import dataclass, field
from datetime import date as Date
from datetime import timedelta
from typing import Any

from odoo.tools import SQL

from ...const import NO_LEVEL
from ...tools import cadence
from ...tools.workdays import is_bank_day
from ..base.sql import once

# Contacts over so many rolling days count for the pressure cap.
PRESSURE_DAYS = 30
# From so many debtors on, the open items of the whole company are read.
MANY_DEBTORS = 10_000
NO_RULES = cadence.Rules()
# Kinds of money on its way, the one that is nearest to the account first.
MONEY_REASONS = ("unmatched_payment", "payment_pending", "payment_announced", "parent_credit")
# Reasons that keep plans quiet and say nothing about what a person may do.
PLAN_SILENCES = frozenset({"no_plan", "not_running", "planned", "bank_stale"})
# Reasons that no person may overrule.
FINAL_SILENCES = frozenset({"insolvency", "nothing_claimable", "no_address", "blacklisted"})
# The reason that ``collection.debtor._get_silence_reason`` of another addon gave, in its own words.
OWN_REASON = "own_reason"


@dataclass(frozen=True, slots=True)
class Decision:
    """What comes next for one debtor, or why nothing does.

    :param reason: ``due``: the step is to be carried out on the day one asked for. ``not_yet``, ``gap``,
        ``pressure``, ``payment_run``, ``closed``: it comes on ``day``. Anything else: why nothing comes.
    :param plan: the plan that applies, empty without one.
    :param step: the step it is about, empty when there is none.
    :param day: when the step comes as things stand, ``None`` when time alone won't bring it.
    :param item_id: id of the journal item that calls for the step.
    :param is_old: whether it is the first word about a debt that is older than the plan's start.
    :param details: what the words of the reason need.
    :param delay: days of the step after the due date, as it was decided on.
    """

    reason: str
    plan: Any
    step: Any
    day: Date | None = None
    item_id: int | None = None
    is_old: bool = False
    details: dict = field(default_factory=dict, compare=False)
    delay: int | None = field(default=None, compare=False)

    @property
    def is_due(self) -> bool:
        """Whether the step is to be carried out on the day that was asked about."""
        return self.reason == cadence.DUE

    @property
    def is_waiting(self) -> bool:
        """Whether the step is postponed by a rule (see ``cadence.WAITING``)."""
        return self.reason in cadence.WAITING


@dataclass(frozen=True, slots=True)
class Silence:
    """One reason to leave a customer alone.

    :param reason: a code, see ``collection.plan._get_reason_label``.
    :param until: the day from which it is gone, ``None`` when time alone won't end it.
    :param details: what the words of the reason need.
    """

    reason: str
    until: Date | None = None
    details: dict = field(default_factory=dict, compare=False)

    @property
    def is_final(self) -> bool:
        """Whether nobody may overrule it."""
        return self.reason in FINAL_SILENCES

    def holds_on(self, day) -> bool:
        """Return whether it still holds on a day."""
        return self.until is None or self.until > day


# Stands for “as the plan says”, where ``None`` means something else.
AS_IT_IS = object()


@dataclass(frozen=True, slots=True)
class PlanChange:
    """What is taken to be different about a plan, to see what would happen; the plan itself stays as it is.

    :param steps: the steps as ``tools/cadence.py`` knows them.
    :param gap_days: days between two steps.
    :param old_debt_delay: delay of the highest step at which old debts begin, ``None`` for the first one.
    """

    steps: Any = AS_IT_IS
    gap_days: Any = AS_IT_IS
    old_debt_delay: Any = AS_IT_IS

    def translate(self, level, steps):
        """Return the level of an item once the steps that were said about it have other days.

        :param level: the level among the plan's own ``steps``.
        """
        if level is None or self.steps is AS_IT_IS:
            return level
        delays = {step.key: step.delay for step in self.steps}
        said = [delays.get(step.key, step.delay) for step in steps if step.delay <= level]
        return max(said, default=level)


class DecisionContext:
    """The facts on some debtors of one company, from which decisions on any day are taken without another query."""

    def __init__(self, Plan, company, debtors, date, as_if_running, ignored_actions, changes=None):
        self.env = Plan.env
        self.changes = changes or {}
        self.company = company
        self.as_if_running = as_if_running
        self.ignored_ids = tuple(ignored_actions.ids) if ignored_actions else (0,)
        self.debtor_ids = debtors.ids
        self.plan_ids = Plan._get_plan_ids(company, debtors.ids)
        self.plans = {plan.id: plan for plan in Plan.browse(sorted(set(self.plan_ids.values())))}
        self.steps = {plan.id: plan.step_ids.sorted("delay") for plan in self.plans.values()}
        self.own_cadences = {plan.id: plan._get_cadence() for plan in self.plans.values()}
        self.cadences = {
            plan_id: steps if (changed := self._get_change(plan_id).steps) is AS_IT_IS else changed
            for plan_id, steps in self.own_cadences.items()
        }
        self.records = {step.id: step for steps in self.steps.values() for step in steps}
        Quiet = self.env["collection.quiet.period"]
        common, self.own_periods = Quiet._get_periods(company, self.debtor_ids)
        is_closed = Quiet._get_closure(company, common)
        self.rules = {
            plan.id: cadence.Rules(
                max(self._get_gap_days(plan), company.collection_contact_gap_days),
                company.collection_pressure_cap,
                PRESSURE_DAYS,
                is_closed,
                company._get_collection_min_amount(),
            )
            for plan in self.plans.values()
        }
        # Read once: a context decides on hundreds of thousands of items.
        self.today, self.country = company._collection_today(), company.country_id.code
        self.is_running = {plan.id: plan.is_running or as_if_running for plan in self.plans.values()}
        self.started_on = {plan.id: plan.started_on or self.today for plan in self.plans.values()}
        self.old_debt_delays = {plan.id: self._get_old_debt_delay(plan) for plan in self.plans.values()}
        self.no_plan, self.no_step = self.env["collection.plan"], self.env["collection.plan.step"]
        self.silent_channels = self.env["collection.action"]._get_silent_channels()
        # Channels that are taken to be others than the steps': {step id: channel}.
        self.channels = {}
        # {debtor id: Silences}, what weighs most first.
        self.files, self.silences = {}, {}
        # {(debtor id, channel): reason of another addon, or False}
        self.own_reasons = {}
        self.has_own_reasons = self.env["collection.debtor"]._has_own_silence_reasons()
        self._read_files(date)

    # -- decisions

    def decide(self, debtor_id, day, is_silent_allowed=True):
        """Return the ``Decision`` on one debtor, judged on a day.

        :param bool is_silent_allowed: whether the reasons to leave the customer alone count.
        """
        plan_id = self.plan_ids.get(debtor_id)
        plan = self.plans.get(plan_id, self.no_plan)
        steps = self.cadences.get(plan_id, ())
        file = self.files[debtor_id]
        silence = self._get_silence(debtor_id, day) if is_silent_allowed else None
        file.silence, file.silent_until = (silence.reason, silence.until) if silence else (None, None)
        if not steps and silence is None:
            return Decision("finished" if plan_id else "no_plan", plan, self.no_step)
        decision = cadence.decide(file, steps, self.rules.get(plan_id, NO_RULES), day)
        step = self.records[decision.step.key] if decision.step else self.no_step
        if is_silent_allowed and decision.reason == cadence.DUE:
            # What another addon says may depend on the channel, which is known now.
            if own := self._get_own_silence(debtor_id, self.get_channel(step)):
                silence, step, decision = own, self.no_step, cadence.Decision(own.reason)
        details = silence.details if silence else {}
        if decision.reason == "planned":
            step = details["step"]
        is_old = any(item.key == decision.item and item.is_old for item in file.items)
        return Decision(
            decision.reason,
            plan,
            step,
            decision.day,
            decision.item,
            is_old,
            details,
            decision.step.delay if decision.step else None,
        )

    def get_silences(self, debtor_id, day, is_scheduled=False):
        """Return the ``Silence``s that concern people, too, what weighs most first.

        :param bool is_scheduled: whether nobody looks at what is said: what plans wait for holds for it as well,
            whatever plan applies.
        """
        left_out = PLAN_SILENCES - {"bank_stale"} if is_scheduled else PLAN_SILENCES
        silences = [
            silence for silence in self.silences[debtor_id] if silence.reason not in left_out and silence.holds_on(day)
        ]
        reasons = {silence.reason for silence in silences}
        if not reasons & {"insolvency", "nothing_claimable"} and self.claimable(debtor_id, day) <= 0:
            silences.append(Silence("nothing_claimable"))
        return silences

    def get_message_silences(self, debtor_id, day):
        """Return the ``Silence``s of messages: debts too small for the plan, and contacts that were too many."""
        silences = []
        plan = self.plans.get(self.plan_ids.get(debtor_id))
        if plan and self.decide(debtor_id, day, is_silent_allowed=False).reason == "too_small":
            silences.append(Silence("too_small", None, {"plan": plan.name}))
        cap, since = self.company.collection_pressure_cap, day - timedelta(days=PRESSURE_DAYS)
        count = sum(contact > since for contact in self.files[debtor_id].contacts)
        if cap and count >= cap:
            silences.append(Silence("too_often", None, {"count": count}))
        return silences

    def _get_silence(self, debtor_id, day):
        """Return the ``Silence`` that weighs most on a day, ``None`` when nothing forbids to speak."""
        return next((silence for silence in self.silences[debtor_id] if silence.holds_on(day)), None)

    def carry_out(self, debtor_id, decision, day):
        """Record in memory that a decision was carried out on a day, to simulate the days after it."""
        file, steps = self.files[debtor_id], self.cadences[decision.plan.id]
        for item in file.items:
            level = cadence.covered_level(decision.delay, item.due, day, steps)
            if level is not None:
                item.level = max(level, NO_LEVEL if item.level is None else item.level)
            item.is_old = False
        if self.get_channel(decision.step) not in self.silent_channels:
            file.contacts.append(day)
            file.last_message = day

    def claimable(self, debtor_id, day, horizon=0):
        """Return what may be claimed of a debtor on a day as things stand, in company currency.

        :param int horizon: days ahead, for a message before the due date.
        """
        return sum(item.amount for item in self.files[debtor_id].items if item.due < day + timedelta(days=horizon))

    def get_channel(self, step):
        """Return by which channel a step speaks."""
        return self.channels.get(step.id) or self.env["collection.channel"]._get_known(step.channel)

    # -- facts

    def _get_change(self, plan_id):
        return self.changes.get(plan_id) or PlanChange()

    def _get_gap_days(self, plan):
        gap_days = self._get_change(plan.id).gap_days
        return plan.gap_days if gap_days is AS_IT_IS else gap_days

    def _get_old_debt_delay(self, plan):
        delay = self._get_change(plan.id).old_debt_delay
        if delay is AS_IT_IS:
            return plan.old_debt_step_id.delay if plan.old_debt_step_id else None
        return delay

    def _read_files(self, date):
        if not self.debtor_ids:
            return
        self.env.flush_all()
        rows = self._read_debtors()
        items = self._read_items([row["partner_id"] for row in rows])
        levels = self._read_levels()
        contacts = self._read_contacts(date)
        self.credits = self._read_credits_to_allocate([row["partner_id"] for row in rows])
        planned = self._read_planned()
        bank = self.env["account.journal"]._get_collection_stale_journal(self.company)
        for row in rows:
            debtor_id = row["id"]
            plan_id = self.plan_ids.get(debtor_id)
            file = cadence.File(payment_days=_parse_days(row["payment_days"]))
            file.items = self._make_items(items.get(row["partner_id"], ()), levels, plan_id)
            file.contacts, file.last_message = contacts.get(debtor_id, ([], None))
            file.is_closed = self._get_closure(row)
            self.files[debtor_id] = file
            self.silences[debtor_id] = list(self._list_silences(row, plan_id, planned, bank))

    def _list_silences(self, row, plan_id, planned, bank):
        """Yield the ``Silence``s of one debtor; what weighs most comes first.

        :param dict planned: ``{debtor id: details}`` of the steps that are planned already.
        :param bank: details of a bank journal that is not up to date.
        """
        debtor_id = row["id"]
        if not row["active"]:
            yield Silence("archived")
        if row["insolvency"]:
            yield Silence("insolvency")
        if credit := self.credits.get(row["partner_id"]):
            yield Silence("credit_to_allocate", None, credit)
        if not self.files[debtor_id].items:
            yield self._get_money_silence(row["partner_id"]) or Silence("nothing_claimable")
        if row["paused_until"] and row["paused_until"] > self.today:
            yield Silence("paused", row["paused_until"])
        if own := self._get_own_silence(debtor_id):
            yield own
        if plan_id is None:
            yield Silence("no_plan")
        elif not self.is_running[plan_id]:
            yield Silence("not_running")
        if row["reply_date"]:
            yield Silence("unread_reply", None, {"date": row["reply_date"]})
        if debtor_id in planned:
            yield Silence("planned", None, planned[debtor_id])
        if bank:
            yield Silence("bank_stale", None, bank)

    def _get_own_silence(self, debtor_id, channel=None):
        """Return the ``Silence`` that another addon asks for, ``None`` without one.

        :param str channel: by which one would speak, for reasons that depend on it.
        """
        if not self.has_own_reasons:
            return None
        key = debtor_id, channel
        if key not in self.own_reasons:
            # One set of records: what the other addon reads of one is read for all.
            debtor = self.env["collection.debtor"].browse(debtor_id).with_prefetch(self.debtor_ids)
            self.own_reasons[key] = debtor._get_own_silence_reason(channel)
        text = self.own_reasons[key]
        return Silence(OWN_REASON, None, {"text": text}) if text else None

    def _get_closure(self, row):
        """Return a function that says whether a customer is closed on a day, ``None`` when nothing is known."""
        periods = self.own_periods.get(row["id"])
        weekday = int(row["closed_weekday"]) if row["closed_weekday"] else None
        country = row["country"] if row["country"] != self.country else None
        if not periods and weekday is None and not country:
            return None
        return lambda day: (
            day.weekday() == weekday
            or bool(periods and periods._contains(day))
            or bool(country and not is_bank_day(day, country))
        )

    def _make_items(self, rows, levels, plan_id):
        """Return the items of one debtor of which something may be claimed, with the level that each has reached."""
        steps, started_on = self.cadences.get(plan_id, ()), self.started_on.get(plan_id)
        result = []
        for row in rows:
            level = levels.get(row["item_id"])
            if plan_id in self.changes and level is not None:
                level = self.changes[plan_id].translate(level, self.own_cadences[plan_id])
            is_old = bool(level is None and started_on and row["due_date"] < started_on)
            if is_old:
                level = cadence.starting_level(row["due_date"], started_on, self.old_debt_delays[plan_id], steps)
            result.append(cadence.Item(row["item_id"], row["due_date"], row["amount"], level, is_old))
        return result

    def _read_debtors(self):
        return self.env.execute_query_dict(
            SQL(
                """
                SELECT debtor.id, debtor.partner_id, debtor.active, debtor.insolvency, debtor.paused_until,
                       debtor.reply_date, debtor.closed_weekday, country.code AS country,
                       COALESCE(debtor.payment_days_manual, debtor.learned_payment_days) AS payment_days
                  FROM collection_debtor debtor
                  JOIN res_partner partner ON partner.id = debtor.partner_id
             LEFT JOIN res_country country ON country.id = partner.country_id
                 WHERE debtor.id = ANY(%s)
                """,
                self.debtor_ids,
            )
        )

    def _read_items(self, partner_ids):
        """Return ``{commercial partner id: [{"item_id", "due_date", "amount"}]}``: what may be claimed of open items.

        As of today, in company currency, see ``collection.ledger._get_claim_sql``. Money on its way is kept in
        ``self.money``.
        """
        ledger = self.env["collection.ledger"].sudo()
        # Naming most customers of a company costs more than reading them all.
        partners = self.env["res.partner"].browse(partner_ids) if len(partner_ids) <= MANY_DEBTORS else None
        self.money = ledger._get_money_on_its_way(self.company, partners)
        items = {}
        for row in self.env.execute_query_dict(
            SQL(
                """
                SELECT partner_id, item_id, due_date, claimable::float AS amount
                  FROM (%s) item
                 WHERE claimable > 0
              ORDER BY due_date, item_id
                """,
                ledger._get_claim_sql(self.company, partners, None, self.money.amounts),
            )
        ):
            items.setdefault(row["partner_id"], []).append(row)
        return items

    def _read_levels(self):
        """Return ``{item id: delay of the highest step that was said about it}``.

        A step also counts for the item that called for it as it stands today, should its day have been edited.
        """
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    WITH own AS MATERIALIZED (%(said)s)
                    SELECT said.item_id, MAX(said.level)
                      FROM (
                        SELECT item.move_line_id AS item_id, item.level
                          FROM collection_action_item item
                          JOIN collection_action action ON action.id = item.action_id
                          JOIN own ON own.action_id = action.id
                         WHERE item.level > %(no_level)s
                           AND (action.state = 'done' OR action.is_skipped)
                         UNION ALL
                        -- The item that called for a step, even if it could not be claimed when the step was done.
                        SELECT action.cycle, step.delay
                          FROM collection_action action
                          JOIN collection_plan_step step ON step.id = action.step_id
                          JOIN own ON own.action_id = action.id
                         WHERE (action.state = 'done' OR action.is_skipped)
                      ) said
                  GROUP BY said.item_id
                    """,
                    said=self.env["collection.action"]._get_said_sql(self.company, self.debtor_ids),
                    no_level=NO_LEVEL,
                )
            )
        )

    def _read_contacts(self, date):
        """Return ``{debtor id: (days of the contacts of late, day of the last one)}``."""
        Action = self.env["collection.action"]
        rows = self.env.execute_query(
            SQL(
                """
                SELECT said.debtor_id, %s AS day
                  FROM collection_action
                  JOIN (%s) said ON said.action_id = collection_action.id
                 WHERE collection_action.state = 'done'
                   AND date_done >= %s
                   AND %s
              ORDER BY date_done
                """,
                Action._get_contact_day_sql(self.company),
                once(Action._get_said_sql(self.company, self.debtor_ids)),
                date - timedelta(days=max(PRESSURE_DAYS, *(rules.gap for rules in self.rules.values()), 1) + 2),
                Action._get_contact_sql(),
            )
        )
        contacts = {}
        for debtor_id, day in rows:
            days, _last = contacts.get(debtor_id, ([], None))
            contacts[debtor_id] = (days + [day], day)
        return contacts

    def _read_credits_to_allocate(self, partner_ids):
        """Return ``{commercial partner id: details}`` of payments that could as well belong to a debt left out."""
        partners = self.env["res.partner"].browse(partner_ids) if len(partner_ids) <= MANY_DEBTORS else None
        rows = self.env["collection.ledger"].sudo()._get_credits_to_allocate(self.company, partners)
        return {row["partner_id"]: row for row in rows}

    def _get_money_silence(self, partner_id):
        """Return the ``Silence`` of money on its way that pays all that could be claimed, else ``None``.

        Small money never silences a larger debt: what it doesn't pay is still an item.
        """
        announcements = self.money.by_partner.get(partner_id)
        if not announcements:
            return None
        # What is nearest to the account is named.
        first = min(announcements, key=lambda money: (MONEY_REASONS.index(money.kind), money.date))
        details = {
            "name": first.name,
            "amount": first.amount,
            "date": first.date,
            "currency_id": first.currency_id,
        }
        return Silence(first.kind, None, details)

    def _read_planned(self):
        """Return the debtors for whom a step is planned already and waits for people or for its delivery."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT action.debtor_id, action.step_id, action.date_planned, partner.name
                  FROM collection_action action
                  JOIN res_users ON res_users.id = action.user_id
                  JOIN res_partner partner ON partner.id = res_users.partner_id
                 WHERE action.debtor_id = ANY(%s)
                   AND action.state = 'planned'
                   AND action.step_id IS NOT NULL
                   AND action.id NOT IN %s
                """,
                self.debtor_ids,
                self.ignored_ids,
            )
        )
        Step = self.env["collection.plan.step"]
        return {
            debtor_id: {"step": Step.browse(step_id), "date": day, "user": name}
            for debtor_id, step_id, day, name in rows
        }


def _parse_days(text):
    """Return the days of a payment run, for example ``(10, 25)`` for “10, 25”."""
    days = [day.strip() for day in (text or "").split(",")]
    return tuple(sorted(int(day) for day in days if day.isdecimal() and 1 <= int(day) <= 31))
