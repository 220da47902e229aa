"""Every figure of a campaign's recap once more: slow plain Python, written from the definitions.

The property tests compare the recap with what stands here. Journal items, reconciliations, promises, disputes and
actions are read through the ORM and gone through one by one. Nothing here calls the code under test or its SQL; what
was frozen at the start is noted by ``Notebook`` on that day, from the ledger.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from dateutil.relativedelta import relativedelta

from .reference import CASH, cash_of, exact, find_returned, is_void, open_on, rounded

CENT = Decimal("0.01")
ZERO = Decimal(0)
PARTS = ("initial", "collected", "credited", "other", "promised", "disputed", "rest")
# What neither counts as kept nor as broken.
VOID = ("cancelled", "replaced")
OUTCOMES = ("collected", "credited", "other", "promised", "disputed")
FATES = ("unreachable", "refused", "handed_over", "escalated", "open")


def bucket(days_late):
    """Return the code of the aging by days past due; due today is not late."""
    for last_day, code in ((0, "not_due"), (30, "1_30"), (60, "31_60"), (90, "61_90"), (120, "91_120")):
        if days_late <= last_day:
            return code
    return "over_120"


def monday_of(day):
    return day - timedelta(days=day.weekday())


def ratio(part, whole):
    return float(part) / float(whole) if whole else 0.0


def proportion(amount, weights):
    """Share an amount of cents out in proportion; what is given away so far is rounded, so that nothing is lost."""
    given, weight_so_far, parts = ZERO, ZERO, []
    for weight in weights:
        weight_so_far += weight
        reached = rounded(amount * weight_so_far / sum(weights), CENT)
        parts.append(reached - given)
        given = reached
    return parts


@dataclass
class Item:
    """One item of the frozen scope, and what became of it, in company currency."""

    case: object
    line: object
    due_date: object
    initial: Decimal
    collected: Decimal = ZERO
    credited: Decimal = ZERO
    other: Decimal = ZERO
    residual: Decimal = ZERO
    promised: Decimal = ZERO
    disputed: Decimal = ZERO
    # {document: amount} of the promises and disputes that these parts are about
    promises: dict = field(default_factory=dict)
    disputes: dict = field(default_factory=dict)

    @property
    def rest(self):
        return self.residual - self.promised - self.disputed


class Notebook:
    """What somebody notes on the first day of a campaign, and adds up on any later one."""

    def __init__(self, campaign):
        self.campaign = campaign.sudo()
        self.env = self.campaign.env
        self.company = self.campaign.company_id
        self.started_on = self.campaign.started_on
        self.known_partials = set(self.env["account.partial.reconcile"].search([]).ids)
        self.known_lines = set(self.env["account.move.line"].search([]).ids)
        # (case, journal item, entry, due date, amount)
        self.frozen = []
        # {case: what the customer was on that day}
        self.profiles, self.sizes, self.is_small = {}, {}, {}
        for case in self.campaign.case_ids:
            overdue = ZERO
            self.profiles[case] = case.debtor_id.payer_profile or ""
            self.sizes[case] = case.partner_id.collection_company_size or ""
            for line, due_date, amount in self._read_open(case.partner_id, self.started_on):
                if amount > 0 and due_date < self.started_on:
                    overdue += amount
                    if not line.no_followup and line.move_id.payment_state != "blocked":
                        self.frozen.append((case, line, line.move_id, due_date, amount))
            # What is not followed up is owed all the same.
            self.is_small[case] = overdue <= exact(self.company.collection_small_amount)

    def replace(self, gone, kept):
        """Write down that the cases of merged customers are one now; what the kept customer was stays as it was."""
        self.frozen = [(kept if case in gone else case, *rest) for case, *rest in self.frozen]

    # === THE LEDGER === #

    def _read_lines(self, partners):
        """Return the posted trade receivable items of customers, whichever of their contacts they name."""
        return self.env["account.move.line"].search(
            [
                ("company_id", "=", self.company.id),
                ("partner_id.commercial_partner_id", "in", partners.ids),
                ("account_id.account_type", "=", "asset_receivable"),
                ("account_id.non_trade", "=", False),
                ("parent_state", "=", "posted"),
            ]
        )

    def _read_open(self, partners, day):
        """Return what was open of customers at the end of a day: ``[(journal item, due date or None, amount)]``.

        Credits have no due date; what we sent back to a customer is none of their debts.
        """
        rows = []
        causes = self._read_causes()
        for line in self._read_lines(partners):
            amount, amount_currency = open_on(line, day, causes)
            if line.date <= day and amount and amount_currency and not is_void(line):
                is_payout = line.balance > 0 and line.move_id.origin_payment_id.payment_type == "outbound"
                is_credit = amount < 0 or is_payout
                rows.append((line, date.max if is_credit else line.date_maturity or line.date, amount))
        return rows

    def _read_causes(self):
        """Return ``{entry of an exchange difference: reconciliation that made it}``."""
        partials = self.env["account.partial.reconcile"].search([("company_id", "=", self.company.id)])
        return {partial.exchange_move_id: partial for partial in partials if partial.exchange_move_id}

    def _read_returned(self):
        """Return ``{payment's journal item: debits of the bank}`` of what the bank took back, or what was rejected."""
        lines = self._read_lines(self.env["res.partner"].search([]))
        in_bank = lines.filtered(lambda line: line.journal_id.type in CASH)
        rejected = in_bank.filtered(
            lambda line: line.balance < 0 and line.move_id.origin_payment_id.state == "rejected"
        )
        returned = {line: [] for line in rejected}
        for line in in_bank:
            if paid := find_returned(line, in_bank):
                returned.setdefault(paid, []).append(line)
        return returned

    def _is_new(self, partial):
        return partial.id not in self.known_partials

    def _settlements(self, line):
        """Return the reconciliations since the start, with what is posted, by which an item was settled by now."""
        return [
            partial
            for partial in line.matched_credit_ids
            if self._is_new(partial)
            and partial.credit_move_id.parent_state == "posted"
            and partial.max_date <= self.day
        ]

    def _cash_partials(self, line):
        """Return the money that was set against an item since the start, came in since the start, and stayed."""
        return [
            partial
            for partial in self._settlements(line)
            if partial.credit_move_id.journal_id.type in CASH
            and partial.credit_move_id.date >= self.started_on
            and partial.credit_move_id not in self.returned
        ]

    # === ITEMS === #

    def read_items(self, day):
        """Return all items of the campaign as of today, with replacements of corrected invoices.

        What the bank took back of what customers had paid on them is owed again.
        """
        self.day = day
        self.returned = self._read_returned()
        self.causes = self._read_causes()
        rows = []
        groups = {}
        for row in self.frozen:
            groups.setdefault((row[0], row[2]), []).append(row)
        for (case, move), frozen in groups.items():
            lines = self._read_lines_in_place(move.exists(), frozen)
            if lines is None:
                rows += frozen
                continue
            # In the order in which they are due; what is more than before has its own due date and was nothing.
            frozen = sorted(frozen, key=lambda row: (row[3], row[1].id))
            none = self.env["account.move.line"]
            for number, (_case, _line, _move, due_date, amount) in enumerate(frozen):
                rows.append((case, lines[number] if number < len(lines) else none, move, due_date, amount))
            rows += [(case, line, move, line.date_maturity or line.date, ZERO) for line in lines[len(frozen) :]]
        debits = defaultdict(list)
        for case, line, *_rest in rows:
            for partial in line.exists().matched_credit_ids.filtered(self._is_new):
                for debit in self.returned.get(partial.credit_move_id, ()):
                    if debit.partner_id.commercial_partner_id == case.partner_id and debit not in debits[case]:
                        debits[case].append(debit)
        rows += [
            (case, debit, debit.move_id, debit.date_maturity or debit.date, ZERO)
            for case, own in debits.items()
            for debit in own
            if debit not in {line for other, line, *_rest in rows if other == case}
        ]
        return [
            self._read_item(Item(case, line.exists(), due_date, amount)) for case, line, _m, due_date, amount in rows
        ]

    def _read_lines_in_place(self, move, frozen):
        """Return the items of a corrected entry that stand in place of the frozen ones, ``None`` if these are there."""
        known = {line.id for _case, line, *_rest in frozen}
        lines = move.line_ids.filtered(
            lambda line: (
                (line.id in known or line.id not in self.known_lines)
                and line.account_type == "asset_receivable"
                and line.balance > 0
            )
        )
        if not move or set(lines.ids) == known:
            return None
        return list(lines.sorted(lambda line: (line.date_maturity or line.date, line.id)))

    def _read_item(self, item):
        line = item.line
        item.collected = sum((cash_of(partial, CENT) for partial in self._cash_partials(line)), ZERO)
        for partial in self._settlements(line):
            credit = partial.credit_move_id
            is_old_money = (
                credit.journal_id.type in CASH and credit.date < self.started_on and credit not in self.returned
            )
            if credit.move_id.move_type == "out_refund" or is_old_money:
                item.credited += exact(partial.amount)
        if line.parent_state == "draft":
            self._read_draft(item)
        elif line and line.parent_state == "posted" and line.date <= self.day:
            residual, in_currency = open_on(line, self.day, self.causes)
            if residual and in_currency:
                item.residual = residual
                self._read_parts(item, residual / in_currency, in_currency)
        item.other = item.initial - item.collected - item.credited - item.residual
        return item

    def _read_draft(self, item):
        """What is owed of an invoice that is being corrected is not known: it stays as it was."""
        shown = self.env["collection.case.item"].search(
            [("case_id", "=", item.case.id), ("move_line_id", "=", item.line.id)]
        )
        item.residual = exact(shown.residual)
        self._set_parts(item, exact(shown.disputed_amount), exact(shown.promised_amount))

    def _read_parts(self, item, rate, in_currency):
        """Read what is disputed of an item, then what is promised of the rest, and by which document."""
        disputed = min(
            sum(self._weigh("collection.dispute", item.line, ("open", "accepted")).values(), ZERO), in_currency
        )
        promised = min(
            sum(self._weigh("collection.promise", item.line, ("open",)).values(), ZERO), in_currency - disputed
        )
        disputed_here = item.residual if disputed == in_currency else rounded(disputed * rate, CENT)
        is_all = promised == in_currency - disputed
        promised_here = item.residual - disputed_here if is_all else rounded(promised * rate, CENT)
        self._set_parts(item, disputed_here, promised_here)

    def _set_parts(self, item, disputed, promised):
        """Set what is disputed and promised, in proportion to what the documents still stand for."""
        item.disputed, item.promised = disputed, promised
        for weights, amount, parts in (
            (self._weigh("collection.dispute", item.line, ("open", "accepted")), disputed, item.disputes),
            (self._weigh("collection.promise", item.line, ("open",)), promised, item.promises),
        ):
            if amount:
                parts.update(zip(weights, proportion(amount, list(weights.values())), strict=True))

    def _weigh(self, model, line, states):
        """Return ``{document: what it still stands for of an item, in the item's currency}``, oldest first."""
        weights = {}
        for document in self.env[model].search([("state", "in", states)], order="id"):
            lines = document.line_ids.filtered(lambda part: part.move_line_id == line)
            if lines:
                weights[document] = sum(exact(part.amount) - exact(part.settled_amount) for part in lines)
        return weights

    # === ALL FIGURES === #

    def expect(self, day):
        """Return ``{figure of the recap: value}``.

        Rows are dicts or tuples of plain values, in the order of ids or keyed; the test knows how to compare them.

        :param day: today on the company's clock, or the day of the closing.
        """
        items = self.read_items(day)
        cases = {case: self._sum(item for item in items if item.case == case) for case in self.campaign.case_ids}
        total = self._sum(items)
        actions = self._read_actions()
        promises, disputes = self._expect_promises(items), self._expect_disputes(items)
        fates = {case: self._expect_fate(case, actions) for case in cases}
        weeks, methods = self._expect_collected(items)
        aging = self._expect_aging(items, "initial", self.started_on)
        baseline = self._expect_baseline((day - self.started_on).days + 1)
        expected = self._expect_without_campaign(aging, baseline)
        goal = exact(self.campaign.goal_amount)
        return {
            "started_on": self.started_on,
            "as_of": day,
            "is_final": self.campaign.state != "running",
            "goal": goal,
            "goal_share": ratio(total["collected"], goal),
            "total": total,
            "case_count": len(cases),
            "item_count": len([item for item in items if item.initial]),
            "cases": {
                case.id: self._expect_case(case, cases[case], fates[case], items, actions, day) for case in cases
            },
            "outcome": self._expect_outcome(cases, fates),
            "results": self._expect_segments(cases, lambda case: case.result or f"state_{case.state}"),
            "profiles": self._expect_segments(cases, self.profiles.get),
            "sizes": self._expect_segments(cases, self.sizes.get),
            "debt_sizes": self._expect_segments(cases, self.is_small.get),
            "aging": aging,
            "aging_after": self._expect_aging(items, "residual", day),
            "before": self._expect_standing(self.started_on - timedelta(days=1)),
            "after": self._expect_standing(day),
            "baseline": baseline,
            "expected": expected,
            "expected_share": ratio(expected, total["initial"]),
            "gain": total["collected"] - expected,
            "collected_by_week": weeks,
            "collected_by_method": methods,
            "weeks": self._expect_weeks(weeks, promises),
            "promises": promises,
            "promise_results": self._expect_promise_results(promises, day),
            "promised_by_date": self._expect_open(promises, "date"),
            "promised_by_method": self._expect_open(promises, "method"),
            "disputes": disputes,
            "disputed_by_reason": self._expect_open(disputes, "reason_id"),
            "reasons": self._expect_reasons(cases, disputes),
            "contacts": self._expect_contacts(cases, actions),
            "collectors": self._expect_collectors(cases, promises, actions),
            "extra": (),
        }

    def _sum(self, items):
        items = list(items)
        return {part: sum((getattr(item, part) for item in items), ZERO) for part in PARTS}

    # === CASES === #

    def _expect_case(self, case, amounts, fate, items, actions, day):
        own = [item for item in items if item.case == case and item.initial]
        calls = self._calls(actions, case)
        oldest = min(item.due_date for item in own)
        return {
            "customer": case.partner_id.complete_name or "",
            "reference": case.partner_id.ref or "",
            "collector_id": case.collector_id.id or 0,
            "collector": case.collector_id.name or "",
            "state": case.state,
            "result": case.result or "",
            "outcome": fate,
            "reason_id": case.reason_id.id or 0,
            "reason": case.reason_id.name or "",
            "profile": self.profiles[case],
            "size": self.sizes[case],
            "is_small": self.is_small[case],
            "due_date": oldest,
            "days_late": (self.started_on - oldest).days,
            "item_count": len(own),
            "attempt_count": len(calls),
            "is_reached": any(call.outcome == "right_person" for call in calls),
            "amounts": amounts,
        }

    def _calls(self, actions, case):
        return [
            action
            for action in actions
            if action.case_id == case and action.channel == "call" and action.state == "done"
        ]

    def _expect_fate(self, case, actions):
        """What became of the part of a case that is neither settled nor promised nor disputed."""
        calls = self._calls(actions, case)
        if case.state == "closed":
            return case.result if case.result in FATES else "open"
        if case.state == "escalated":
            return "escalated"
        if case.state in ("promised", "disputed"):
            return "open"
        if case.debtor_id.handover_id:
            return "handed_over"
        if calls and not any(call.outcome == "right_person" for call in calls):
            return "unreachable"
        return "open"

    def expect_results(self):
        """Return ``{case: result}`` that the closing would give to the cases that are open now."""
        results = {}
        actions = self._read_actions()
        for case in self.campaign.case_ids.filtered(lambda case: case.state != "closed"):
            if case.state in ("promised", "disputed", "escalated"):
                results[case] = case.state
            else:
                results[case] = self._expect_fate(case, actions)
        return results

    def _expect_outcome(self, cases, fates):
        """``{code: (amount, customers)}``; all codes are named."""
        outcome = {code: (ZERO, 0) for code in (*OUTCOMES, *FATES)}
        for case, amounts in cases.items():
            for code, amount in [*((code, amounts[code]) for code in OUTCOMES), (fates[case], amounts["rest"])]:
                total, count = outcome[code]
                outcome[code] = (total + amount, count + (amount != 0))
        return outcome

    def _expect_segments(self, cases, key):
        """``{segment: (number of cases, amounts)}``."""
        segments = {}
        for case, amounts in cases.items():
            count, total = segments.get(key(case), (0, dict.fromkeys(PARTS, ZERO)))
            segments[key(case)] = (count + 1, {part: total[part] + amounts[part] for part in PARTS})
        return segments

    def _expect_aging(self, items, part, day):
        """``{bucket: (amount, customers, items)}``."""
        groups = defaultdict(list)
        for item in items:
            if getattr(item, part):
                groups[bucket((day - item.due_date).days)].append(item)
        return {
            code: (sum(getattr(item, part) for item in group), len({item.case for item in group}), len(group))
            for code, group in groups.items()
        }

    # === MONEY === #

    def _expect_collected(self, items):
        """``{monday: (amount, payments)}`` and ``{(journal, method): (amount, payments)}``."""
        weeks, methods = defaultdict(list), defaultdict(list)
        for item in items:
            for partial in self._cash_partials(item.line):
                credit = partial.credit_move_id
                row = (credit, cash_of(partial, CENT))
                weeks[monday_of(credit.date)].append(row)
                methods[credit.journal_id.id, credit.payment_id.payment_method_line_id.id or None].append(row)
        return tuple(
            {
                key: (sum(amount for _credit, amount in rows), len({credit for credit, _amount in rows}))
                for key, rows in groups.items()
            }
            for groups in (weeks, methods)
        )

    def _expect_weeks(self, weeks, promises):
        """``[(monday, collected, promised)]`` without gaps."""
        promised = defaultdict(Decimal)
        for row in promises.values():
            if row["is_from_campaign"] and row["state"] not in VOID:
                promised[monday_of(row["date"])] += row["company_amount"]
        mondays = sorted({*weeks, *promised})
        rows = []
        monday = mondays[0] if mondays else None
        while mondays and monday <= mondays[-1]:
            rows.append((monday, weeks.get(monday, (ZERO, 0))[0], promised.get(monday, ZERO)))
            monday += timedelta(days=7)
        return rows

    # === PROMISES AND DISPUTES === #

    def _expect_promises(self, items):
        parts = self._sum_parts(items, "promises")
        documents = self.env["collection.promise"].search([("debtor_id.company_id", "=", self.company.id)])
        return {
            promise.id: {
                "customer": promise.partner_id.complete_name,
                "user_id": promise.user_id.id,
                "user": promise.user_id.name,
                "contact": promise.contact_id.name or "",
                "recorded_on": promise.create_date,
                "date": promise.date,
                "deadline": promise.deadline,
                "method": promise.method,
                "state": promise.state,
                "currency": promise.currency_id.name,
                "decimal_places": promise.currency_id.decimal_places,
                "amount": sum(exact(line.amount) for line in promise.line_ids),
                "company_amount": sum(exact(line.company_amount) for line in promise.line_ids),
                "open_amount": parts.get(promise, ZERO),
                "is_from_campaign": promise.case_id.campaign_id == self.campaign,
                "case_id": self._case_of(promise).id or 0,
                "note": promise.note or "",
            }
            for promise in documents
            if promise in parts or promise.case_id.campaign_id == self.campaign
        }

    def _expect_disputes(self, items):
        parts = self._sum_parts(items, "disputes")
        documents = self.env["collection.dispute"].search([("debtor_id.company_id", "=", self.company.id)])
        return {
            dispute.id: {
                "customer": dispute.partner_id.complete_name,
                "reason_id": dispute.reason_id.id,
                "owner": dispute.owner_id.name,
                "opened_on": dispute.create_date,
                "deadline": dispute.date_deadline,
                "state": dispute.state,
                "currency": dispute.currency_id.name,
                "decimal_places": dispute.currency_id.decimal_places,
                "amount": sum(exact(line.amount) for line in dispute.line_ids),
                "company_amount": sum(exact(line.company_amount) for line in dispute.line_ids),
                "open_amount": parts.get(dispute, ZERO),
                "case_id": self._case_of(dispute).id or 0,
                "description": dispute.description or "",
            }
            for dispute in documents
            if dispute in parts or dispute.case_id.campaign_id == self.campaign
        }

    def _sum_parts(self, items, name):
        parts = defaultdict(Decimal)
        for item in items:
            for document, amount in getattr(item, name).items():
                parts[document] += amount
        return parts

    def _case_of(self, document):
        return self.campaign.case_ids.filtered(lambda case: case.debtor_id == document.debtor_id)

    def _expect_open(self, rows, key):
        """``{key: (amount, customers, documents)}`` of what promises or disputes still stand for."""
        groups = defaultdict(list)
        for row in rows.values():
            if row["open_amount"]:
                groups[row[key]].append(row)
        return {
            key: (sum(row["open_amount"] for row in group), len({row["case_id"] for row in group}), len(group))
            for key, group in groups.items()
        }

    def _expect_promise_results(self, promises, day):
        made = [row for row in promises.values() if row["is_from_campaign"]]
        by_state = {}
        for state in {row["state"] for row in made}:
            group = [row for row in made if row["state"] == state]
            cases = {row["case_id"] for row in group}
            by_state[state] = (sum(row["company_amount"] for row in group), len(cases), len(group))
        due = [row for row in made if row["state"] not in VOID and row["deadline"] < day]
        kept = [row for row in due if row["state"] == "kept"]
        due_amount = sum((row["company_amount"] for row in due), ZERO)
        kept_amount = sum((row["company_amount"] for row in kept), ZERO)
        return {
            "by_state": by_state,
            "due_count": len(due),
            "kept_count": len(kept),
            "due_amount": due_amount,
            "kept_amount": kept_amount,
            "kept_share": ratio(len(kept), len(due)),
            "kept_amount_share": ratio(kept_amount, due_amount),
        }

    def _expect_reasons(self, cases, disputes):
        """``{reason: (amount, customers)}`` of all that is still owed."""
        parts = [(row["reason_id"], row["case_id"], row["open_amount"]) for row in disputes.values()]
        parts += [(case.reason_id.id or 0, case.id, row["promised"] + row["rest"]) for case, row in cases.items()]
        reasons = {}
        for reason_id in {reason_id for reason_id, _case_id, amount in parts if amount}:
            own = [(case_id, amount) for other_id, case_id, amount in parts if other_id == reason_id and amount]
            reasons[reason_id] = (sum(amount for _case_id, amount in own), len({case_id for case_id, _amount in own}))
        return reasons

    # === CONTACTS === #

    def _read_actions(self):
        """Return what was said in the campaign, and what failed."""
        actions = self.env["collection.action"].search([("case_id", "in", self.campaign.case_ids.ids)])
        return [action for action in actions if action.state in ("done", "failed")]

    def _expect_contacts(self, cases, actions):
        said = [action for action in actions if action.state == "done"]

        def of(channel):
            return [action for action in said if action.channel == channel]

        def customers(group):
            return len({action.debtor_id for action in group})

        calls = of("call")
        answered = [call for call in calls if call.outcome in ("right_person", "someone_else")]
        right = [call for call in calls if call.outcome == "right_person"]
        failed = [action for action in actions if action.state == "failed" and action.channel == "email"]
        contacted = customers(action for action in said if action.channel != "note")
        return {
            "customer_count": len(cases),
            "logged_count": len(actions),
            "call_count": len(calls),
            "answered_count": len(answered),
            "right_person_count": len(right),
            "email_count": len(of("email")),
            "failed_email_count": len(failed),
            "sent": {channel: {"count": len(of(channel))} for channel in ("email", "letter", "sms")},
            "contacted_count": contacted,
            "called_count": customers(calls),
            "reached_count": customers(right),
            "answered_share": ratio(len(answered), len(calls)),
            "right_person_share": ratio(len(right), len(calls)),
            "failed_email_share": ratio(len(failed), len(failed) + len(of("email"))),
            "contacted_share": ratio(contacted, len(cases)),
            "called_share": ratio(customers(calls), len(cases)),
            "reached_share": ratio(customers(right), len(cases)),
        }

    def _expect_collectors(self, cases, promises, actions):
        """``{user: figures}``; 0 stands for nobody."""
        made = [row for row in promises.values() if row["is_from_campaign"]]
        calls = [action for action in actions if action.channel == "call" and action.state == "done"]
        collectors = {}
        for user_id in {
            *(case.collector_id.id or 0 for case in cases),
            *(row["user_id"] for row in made),
            *(call.user_id.id for call in calls),
        }:
            in_care = [amounts for case, amounts in cases.items() if (case.collector_id.id or 0) == user_id]
            own = [call for call in calls if call.user_id.id == user_id]
            right = [call for call in own if call.outcome == "right_person"]
            recorded = [row["company_amount"] for row in made if row["user_id"] == user_id]
            collectors[user_id] = {
                "case_count": len(in_care),
                "call_count": len(own),
                "right_person_count": len(right),
                "right_person_share": ratio(len(right), len(own)),
                "promise_count": len(recorded),
                "promised_amount": sum(recorded, ZERO),
                "amounts": {part: sum((row[part] for row in in_care), ZERO) for part in PARTS},
            }
        return collectors

    # === BEFORE, AFTER, AND WITHOUT A CAMPAIGN === #

    def _expect_standing(self, day):
        partners = self.campaign.case_ids.partner_id
        lines = self._read_lines(partners)
        rows = [((day - due_date).days, amount) for _line, due_date, amount in self._read_open(partners, day)]
        late = [(days, amount) for days, amount in rows if days > 0]
        overdue = sum((amount for _days, amount in late), ZERO)
        receivables = sum((amount for _days, amount in rows), ZERO)
        return {
            "day": day,
            "overdue": overdue,
            "dso": self._expect_dso(day, receivables, lines),
            "average_days_late": sum(days for days, _amount in late) / len(late) if late else None,
            "weighted_days_late": float(sum(days * amount for days, amount in late) / overdue) if late else None,
        }

    def _expect_dso(self, day, receivables, lines):
        """Receivables / sales of this month so far and the two before, fewer when no more are known, × their days."""
        if not lines:
            return None
        known_since, first = min(lines.mapped("date")), day.replace(day=1)
        for _month in range(2):
            if first > known_since:
                first -= relativedelta(months=1)
        sold = lines.filtered(
            lambda line: (
                line.move_id.move_type in ("out_invoice", "out_receipt", "out_refund") and first <= line.date <= day
            )
        )
        sales = sum(exact(line.balance) for line in sold)
        return float(receivables * ((day - first).days + 1) / sales) if sales > 0 else None

    def _expect_baseline(self, days):
        """``{"days", "span_count", "buckets": {code: (owed, collected)}}``, span by span and item by item."""
        since = self.started_on - relativedelta(months=self.company.collection_history_months)
        spans, first = 0, self.started_on - timedelta(days=days)
        buckets = defaultdict(lambda: [ZERO, ZERO])
        exchange_journal = self.company.currency_exchange_journal_id
        debts = self._read_lines(self.campaign.case_ids.partner_id).filtered(
            lambda line: line.balance > 0 and line.journal_id.type not in CASH and line.journal_id != exchange_journal
        )
        while first >= since and spans < 24:
            for line in debts:
                due_date = line.date_maturity or line.date
                if due_date < first and line.date <= first:
                    row = buckets[bucket((first - due_date).days)]
                    owed, collected = self._owed_and_collected(line, first, first + timedelta(days=days))
                    row[0] += owed
                    row[1] += collected
            spans += 1
            first -= timedelta(days=days)
        rows = {code: tuple(row) for code, row in buckets.items() if any(row)}
        owed, collected = (sum((row[column] for row in rows.values()), ZERO) for column in (0, 1))
        return {
            "days": days,
            "span_count": spans,
            "buckets": rows,
            "owed": owed,
            "collected": collected,
            "is_known": owed > 0,
            "collected_share": ratio(collected, owed),
        }

    def _owed_and_collected(self, line, first, end):
        """What was owed of an item when a span began, and the money that came in on it within the span."""
        owed, collected = exact(line.balance), ZERO
        for partial in line.matched_credit_ids:
            credit = partial.credit_move_id
            if credit.parent_state != "posted":
                continue
            if partial.max_date < first:
                owed -= exact(partial.amount)
            elif credit.journal_id.type in CASH and first <= credit.date < end and credit not in self.returned:
                collected += cash_of(partial, CENT)
        return owed, collected

    def _expect_without_campaign(self, aging, baseline):
        """Each bucket's usual share of what was owed at the start; the share of all where a bucket has no history."""
        total = Fraction(0)
        for code, (amount, _cases, _items) in aging.items():
            owed, collected = baseline["buckets"].get(code, (ZERO, ZERO))
            if owed <= 0:
                owed, collected = baseline["owed"], baseline["collected"]
            if owed:
                total += Fraction(amount) * Fraction(collected) / Fraction(owed)
        return Decimal(float(total)).quantize(CENT, ROUND_HALF_UP)
