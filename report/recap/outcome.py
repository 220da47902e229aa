from collections import defaultdict
from datetime import date as Date
from datetime import timedelta

from odoo import models
from odoo.tools import SQL, format_date

from ...models.answer.collection_promise import VOID_STATES
from ...tools.aging import BUCKETS
from .numbers import ZERO, Breakdown, BreakdownRow, SegmentRow, WeekRow, to_money, total_of

# Results of a case that say what became of what is neither settled nor promised nor disputed.
REST_RESULTS = ("unreachable", "refused", "handed_over", "escalated")


class CollectionRecap(models.AbstractModel):
    """What became of the amounts of a campaign: outcome, segments, aging and what was collected when."""

    _inherit = "collection.recap"

    # === BUSINESS METHODS - OUTCOME === #

    def _get_outcome_labels(self):
        """Return what can become of an amount, in the order of the recap: ``{code: label}``."""
        return {
            "collected": self.env._("Collected"),
            "credited": self.env._("Credited"),
            "other": self.env._("Written off or cancelled"),
            "promised": self.env._("Promised"),
            "disputed": self.env._("Disputed"),
            "unreachable": self.env._("Unreachable"),
            "refused": self.env._("Refuses to pay"),
            "handed_over": self.env._("Handed to a provider"),
            "escalated": self.env._("Escalated"),
            "open": self.env._("Still open"),
        }

    def _get_rest_outcome(self, case):
        """Return what became of the part of a case that is neither settled nor promised nor disputed.

        :param dict case: ``state``, ``result``, ``attempt_count``, ``is_reached`` and ``handover_id`` of the case.
        :return: one of the codes of ``_get_outcome_labels``.
        """
        if case["state"] == "closed":
            return case["result"] if case["result"] in REST_RESULTS else "open"
        if case["state"] == "escalated":
            return "escalated"
        if case["state"] in ("promised", "disputed"):
            return "open"
        if case["handover_id"]:
            return "handed_over"
        return "unreachable" if case["attempt_count"] and not case["is_reached"] else "open"

    def _get_outcome(self, cases):
        """Return the initial amount by what became of it."""
        labels = self._get_outcome_labels()
        amounts = dict.fromkeys(labels, ZERO)
        counts = dict.fromkeys(labels, 0)
        for case in cases:
            parts = {code: getattr(case.amounts, code) for code in ("collected", "credited", "other")}
            parts |= {"promised": case.amounts.promised, "disputed": case.amounts.disputed}
            parts[case.outcome] = parts.get(case.outcome, ZERO) + case.amounts.rest
            for code, amount in parts.items():
                amounts[code] += amount
                counts[code] += bool(amount)
        return Breakdown(tuple(BreakdownRow(code, labels[code], amounts[code], counts[code]) for code in labels))

    def _get_results(self, cases):
        """Return the cases by how they ended; open ones by the state they are in."""
        labels = {
            **self._get_labels("collection.case", "result"),
            **{f"state_{code}": label for code, label in self._get_labels("collection.case", "state").items()},
        }
        return self._get_segments(cases, lambda case: case.result or f"state_{case.state}", labels)

    def _get_segments(self, cases, key, labels):
        """Share the cases out over segments, in the order of ``labels``; empty segments are left out.

        :param key: function that returns the segment of a case.
        :param dict labels: ``{segment: label}``.
        """
        groups = defaultdict(list)
        for case in cases:
            groups[key(case)].append(case)
        return tuple(
            SegmentRow(code, labels[code], len(groups[code]), total_of(case.amounts for case in groups[code]))
            for code in labels
            if code in groups
        )

    def _prepare_segment_values(self, cases):
        """Return the breakdowns by what the customers were at the start."""
        unknown = {"": self.env._("Not known")}
        return {
            "profiles": self._get_segments(
                cases,
                lambda case: case.profile,
                {**self._get_labels("collection.case", "initial_profile"), **unknown},
            ),
            "sizes": self._get_segments(
                cases,
                lambda case: case.size,
                {**self._get_labels("collection.case", "initial_size"), **unknown},
            ),
            "debt_sizes": self._get_segments(
                cases,
                lambda case: case.is_small,
                {True: self.env._("Small debts"), False: self.env._("Other debts")},
            ),
        }

    # === BUSINESS METHODS - AGING === #

    def _get_bucket_labels(self):
        """Return the aging buckets in words: ``{code: label}``."""
        return {
            "not_due": self.env._("Not due"),
            "1_30": self.env._("1 to 30 days"),
            "31_60": self.env._("31 to 60 days"),
            "61_90": self.env._("61 to 90 days"),
            "91_120": self.env._("91 to 120 days"),
            "over_120": self.env._("More than 120 days"),
        }

    def _get_aging(self, campaign):
        """Return the initial amount by days late at the start."""
        return self._age(campaign, campaign.started_on, SQL.identifier("initial"))

    def _get_aging_after(self, campaign):
        """Return what is still owed by days late on the day of the recap."""
        return self._age(campaign, self._get_as_of(campaign), SQL.identifier("residual"))

    def _age(self, campaign, day, part):
        """Return a part of the items by days late on a day.

        :param SQL part: column of ``_get_items_sql``.
        """
        rows = {
            bucket: values
            for bucket, *values in self.env.execute_query(
                SQL(
                    """
                    SELECT WIDTH_BUCKET(%(day)s - due_date, %(first_days)s),
                           SUM(%(part)s), COUNT(DISTINCT case_id), COUNT(*)
                      FROM (%(items)s) item
                     WHERE %(part)s != 0
                  GROUP BY 1
                    """,
                    day=day,
                    part=part,
                    first_days=[first_day for _code, first_day in BUCKETS if first_day is not None],
                    items=self._get_items_sql(campaign),
                )
            )
        }
        labels = self._get_bucket_labels()
        digits = campaign.currency_id.decimal_places
        return Breakdown(
            tuple(
                BreakdownRow(code, labels[code], to_money(rows[bucket][0], digits), *rows[bucket][1:])
                for bucket, (code, _first_day) in enumerate(BUCKETS)
                if bucket in rows
            )
        )

    # === BUSINESS METHODS - COLLECTED === #

    def _get_collected(self, campaign, collected, rows):
        """Return what was collected by week and by method of payment.

        The days and methods are those of the reconciliations between start and closing.

        :param collected: what the parts must add up to.
        :param list rows: as ``_measure`` returns them.
        :return: two ``Breakdown``; their ``item_count`` counts payments.
        """
        weeks, methods = defaultdict(lambda: [ZERO, 0]), defaultdict(lambda: [ZERO, 0])
        for day, journal_id, method_id, value, count in rows:
            date = Date.fromisoformat(day)
            amount = to_money(value, campaign.currency_id.decimal_places)
            for groups, key in ((weeks, date - timedelta(days=date.weekday())), (methods, (journal_id, method_id))):
                groups[key][0] += amount
                groups[key][1] += count
        remainder = self._get_remainder(collected - sum((amount for amount, _count in weeks.values()), ZERO))
        method_labels = self._get_method_labels(methods)
        by_week = [
            BreakdownRow(key, self.env._("Week of %s", format_date(self.env, key)), amount, item_count=count)
            for key, (amount, count) in sorted(weeks.items())
        ]
        by_method = [
            BreakdownRow(key, method_labels[key], amount, item_count=count)
            for key, (amount, count) in sorted(methods.items(), key=lambda item: -item[1][0])
        ]
        return Breakdown((*by_week, *remainder)), Breakdown((*by_method, *remainder))

    def _get_weeks(self, by_week, promises):
        """Return money and promises week by week, from the first to the last that has any.

        :param by_week: what was collected, as ``_get_collected`` returns it.
        """
        collected = {row.key: row.amount for row in by_week if row.key}
        promised = defaultdict(lambda: ZERO)
        for promise in promises:
            if promise.is_from_campaign and promise.state not in VOID_STATES:
                promised[promise.date - timedelta(days=promise.date.weekday())] += promise.company_amount
        days = sorted({*collected, *promised})
        weeks = (
            [days[0] + timedelta(weeks=number) for number in range((days[-1] - days[0]).days // 7 + 1)] if days else []
        )
        return tuple(
            WeekRow(
                monday,
                self.env._("Week of %s", format_date(self.env, monday)),
                collected.get(monday, ZERO),
                promised.get(monday, ZERO),
            )
            for monday in weeks
        )

    def _get_remainder(self, amount):
        """Return the row that makes parts add up when their source changed after the closing, if any."""
        if not amount:
            return ()
        return (BreakdownRow(None, self.env._("Changed in the ledger since the closing"), amount),)

    def _get_method_labels(self, keys):
        """Return ``{(journal, method line): label}``: the journal, and the method where a payment names one."""
        journals = self._get_names("account.journal", {journal_id for journal_id, _method_id in keys})
        methods = self._get_names("account.payment.method.line", {method_id for _journal_id, method_id in keys})
        return {
            (journal_id, method_id): (
                f"{journals[journal_id]} · {methods[method_id]}" if method_id else journals[journal_id]
            )
            for journal_id, method_id in keys
        }
