from collections import defaultdict
from dataclasses import replace
from datetime import date as Date
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, format_amount, format_date

from ..models.answer.collection_promise import VOID_STATES
from ..tools.aging import BUCKETS
from .recap_numbers import (
    ZERO,
    Amounts,
    Baseline,
    Breakdown,
    BreakdownRow,
    CaseRow,
    CollectorRow,
    Contacts,
    DisputeRow,
    PromiseResults,
    PromiseRow,
    Recap,
    SegmentRow,
    Standing,
    WeekRow,
    split,
    total_of,
)

# How many spans before a campaign are looked at, the last ones: in its first days they are short and would be many.
MAX_SPANS = 24
# Results of a case that say what became of what is neither settled nor promised nor disputed.
REST_RESULTS = ("unreachable", "refused", "handed_over", "escalated")


def to_money(value, decimal_places):
    """Return an amount as an exact ``Decimal`` with as many digits as its currency has.

    >>> to_money(0.1 + 0.2, 2), to_money(None, 0)
    (Decimal('0.30'), Decimal('0'))
    """
    return Decimal(repr(value or 0)).quantize(Decimal(1).scaleb(-decimal_places), ROUND_HALF_UP)


class CollectionRecap(models.AbstractModel):
    """Works out the recap of a campaign, the one source of numbers for screen, PDF and XLSX.

    The amounts come from the frozen items of the campaign, the days and methods of payments from
    the reconciliations behind them. A fixed number of statements reads them, whatever the number
    of cases. While the campaign runs, its items are brought up to date first. Once it is closed,
    they stand still, and the recap with them: what lives on outside of the campaign (the ledger,
    promises, disputes) was written down at the closing, see ``_measure``.
    """

    _name = "collection.recap"
    _description = "Recap of a Campaign"

    # === BUSINESS METHODS === #

    @api.model
    def _build(self, campaign):
        """Return the recap of one campaign, in the user's language.

        The same campaign has the same figures, whoever prints them.

        :param campaign: a campaign that was started.
        :return: a ``Recap``.
        :raises AccessError: when the user may not see all cases of the campaign.
        :raises UserError: when the campaign was never started.
        """
        campaign.ensure_one()
        self._check_access(campaign)
        if not campaign.started_on:
            raise UserError(self.env._("“%s” was not started yet: there is nothing to sum up.", campaign.name))
        campaign = campaign.sudo().with_company(campaign.company_id)
        recap = self.with_env(campaign.env)
        if campaign.state == "running":
            partners = recap._get_partners(campaign)
            self.env["collection.debtor"].sudo()._synchronize(campaign.company_id, partners)
        self.env.flush_all()
        return Recap(**recap._prepare_recap_values(campaign))

    def _check_access(self, campaign):
        """Check that the user may see all of a campaign: half a recap would be a wrong one.

        :raises AccessError: when some of its cases are hidden from them.
        """
        campaign.check_access("read")
        domain = [("campaign_id", "=", campaign.id)]
        Case = self.env["collection.case"].with_context(allowed_company_ids=campaign.company_id.ids)
        if Case.search_count(domain) != Case.sudo().search_count(domain):
            raise AccessError(self.env._("The recap of “%s” is for those who may see all of its cases.", campaign.name))

    def _get_partners(self, campaign):
        """Return the customers of a campaign."""
        [[partners]] = self.env["collection.case"]._read_group(
            [("campaign_id", "=", campaign.id)], aggregates=["partner_id:recordset"]
        )
        return partners

    def _prepare_recap_values(self, campaign):
        """Return the values of ``Recap``. Extend it to change a figure."""
        figures = self._read_figures(campaign)
        cases = self._get_cases(campaign)
        promises, promised_remainder = self._get_promises(campaign, figures["promises"])
        disputes, disputed_remainder = self._get_disputes(campaign, figures["disputes"])
        cases = self._with_next_steps(cases, promises, disputes)
        total = total_of(case.amounts for case in cases)
        by_week, by_method = self._get_collected(campaign, total.collected, figures["collected"])
        aging = self._get_aging(campaign)
        return {
            **self._prepare_head_values(campaign),
            "total": total,
            "item_count": sum(case.item_count for case in cases),
            "cases": cases,
            "outcome": self._get_outcome(cases),
            "results": self._get_results(cases),
            "aging": aging,
            "aging_after": self._get_aging_after(campaign),
            **self._prepare_measures(campaign, figures),
            **self._prepare_segment_values(cases),
            "collected_by_week": by_week,
            "weeks": self._get_weeks(by_week, promises),
            "collected_by_method": by_method,
            "promised_by_date": self._get_promised_by_date(promises, promised_remainder),
            "promised_by_method": self._get_promised_by_method(promises, promised_remainder),
            "disputed_by_reason": self._get_disputed_by_reason(disputes, disputed_remainder),
            "reasons": self._get_reasons(cases, disputes, disputed_remainder),
            "promises": promises,
            "promise_results": self._get_promise_results(promises, self._get_as_of(campaign)),
            "disputes": disputes,
            "contacts": self._get_contacts(campaign, cases),
            "collectors": self._get_collectors(campaign, cases, promises),
        }

    # === BUSINESS METHODS - HEAD === #

    def _is_final(self, campaign):
        return campaign.state != "running"

    def _get_as_of(self, campaign):
        """Return the day that the figures are of."""
        return campaign.closed_on if self._is_final(campaign) else campaign.company_id._collection_today()

    def _prepare_head_values(self, campaign):
        """Return what the campaign was: period, team, goal, scope."""
        currency = campaign.currency_id
        return {
            "campaign_id": campaign.id,
            "name": campaign.name,
            "company": campaign.company_id.name,
            "currency": currency.name,
            "decimal_places": currency.decimal_places,
            "timezone": campaign.company_id._get_collection_tz(),
            "date_start": campaign.date_start,
            "date_end": campaign.date_end,
            "started_on": campaign.started_on,
            "as_of": self._get_as_of(campaign),
            "is_final": self._is_final(campaign),
            "state": campaign.state,
            "state_label": self._get_labels("collection.campaign", "state")[campaign.state],
            "in_charge": campaign.user_id.name,
            "team": tuple(campaign.member_ids.mapped("name")),
            "goal": to_money(campaign.goal_amount, currency.decimal_places),
            "scope": tuple(self._get_scope(campaign)),
        }

    def _get_scope(self, campaign):
        """Return the filters that chose the customers, in words: ``[(what, limit)]``. No limit, no row."""
        numbers = ("min_days_late", "max_days_late", "min_score", "max_debtors")
        values = {
            **{
                name: format_amount(self.env, campaign[name], campaign.currency_id)
                for name in ("min_amount", "max_amount")
                if campaign[name]
            },
            **{name: str(campaign[name]) for name in numbers if campaign[name]},
            **{
                name: self._get_labels("collection.campaign", name)[campaign[name]]
                for name in ("payer_profile", "company_size")
                if campaign[name]
            },
        }
        if campaign.salesperson_ids:
            values["salesperson_ids"] = ", ".join(campaign.salesperson_ids.mapped("name"))
        if campaign._get_custom_domain():
            values["scope_domain"] = campaign.scope_domain
        return [(campaign._fields[name]._description_string(self.env), value) for name, value in values.items()]

    def _get_labels(self, model, field):
        """Return the labels of a selection field: ``{code: label}``."""
        return dict(self.env[model]._fields[field]._description_selection(self.env))

    # === BUSINESS METHODS - CASES === #

    def _get_items_sql(self, campaign):
        """Return SQL with one row per item of a campaign, whose amounts add up to the cent.

        Parts of items in another currency may have more digits than the company's currency: they
        are rounded here, item by item, and what is neither promised nor disputed is the rest.
        """
        return SQL(
            """
            SELECT rounded.*, residual - disputed - promised AS rest
              FROM (
                SELECT id, case_id, move_line_id, name, date, due_date, initial, collected, credited, other,
                       residual, disputed, LEAST(promised, residual - disputed) AS promised
                  FROM (
                    SELECT id, case_id, move_line_id, name, date, due_date,
                           initial_residual AS initial,
                           collected_amount AS collected,
                           credited_amount AS credited,
                           other_amount AS other,
                           residual,
                           ROUND(disputed_amount, %(digits)s) AS disputed,
                           ROUND(promised_amount, %(digits)s) AS promised
                      FROM collection_case_item
                     WHERE campaign_id = %(campaign)s
                  ) item
              ) rounded
            """,
            digits=campaign.currency_id.decimal_places,
            campaign=campaign.id,
        )

    def _get_cases(self, campaign):
        """Return the cases with what became of their items, most owed first."""
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT kase.id, kase.collector_id, kase.state, kase.result, kase.result_note, kase.reason_id,
                       kase.initial_profile, kase.initial_size, kase.is_small, kase.attempt_count,
                       kase.is_reached, kase.last_contact_date, debtor.handover_id,
                       partner.complete_name AS customer, partner.ref,
                       item.due_date, COALESCE(item.count, 0) AS item_count,
                       item.initial, item.collected, item.credited, item.other,
                       item.promised, item.disputed, item.rest
                  FROM collection_case kase
                  JOIN res_partner partner ON partner.id = kase.partner_id
                  JOIN collection_debtor debtor ON debtor.id = kase.debtor_id
             LEFT JOIN (
                    -- What took the place of a corrected invoice was not there at the start.
                    SELECT case_id, COUNT(*) FILTER (WHERE initial != 0) AS count,
                           MIN(due_date) FILTER (WHERE initial != 0) AS due_date,
                           SUM(initial) AS initial, SUM(collected) AS collected, SUM(credited) AS credited,
                           SUM(other) AS other, SUM(promised) AS promised, SUM(disputed) AS disputed,
                           SUM(residual) AS residual, SUM(rest) AS rest
                      FROM (%(items)s) item
                  GROUP BY case_id
                  ) item ON item.case_id = kase.id
                 WHERE kase.campaign_id = %(campaign)s
              ORDER BY COALESCE(item.residual, 0) DESC, COALESCE(item.initial, 0) DESC, kase.id
                """,
                items=self._get_items_sql(campaign),
                campaign=campaign.id,
            )
        )
        labels = self._get_case_labels(rows)
        return tuple(self._prepare_case(campaign, row, labels) for row in rows)

    def _get_case_labels(self, rows):
        """Return the words that case rows need, read once for all of them."""
        return {
            "state": self._get_labels("collection.case", "state"),
            "result": self._get_labels("collection.case", "result"),
            "profile": self._get_labels("collection.case", "initial_profile"),
            "size": self._get_labels("collection.case", "initial_size"),
            "reason": self._get_names("collection.reason", {row["reason_id"] for row in rows}),
            "user": self._get_names("res.users", {row["collector_id"] for row in rows}),
            "handover": self._get_notices({row["handover_id"] for row in rows}),
        }

    def _get_notices(self, ids):
        """Return with whom customers are who were handed over: ``{id of the hand-over: words}``."""
        return {
            handover.id: handover._get_notice()
            for handover in self.env["collection.handover"].browse(id_ for id_ in ids if id_)
        }

    def _get_names(self, model, ids):
        """Return ``{id: name}``; ids may contain ``None``."""
        records = self.env[model].browse(id_ for id_ in ids if id_)
        return {record.id: record.name for record in records}

    def _prepare_case(self, campaign, row, labels):
        """Return one ``CaseRow`` from the columns of ``_get_cases``."""
        digits = campaign.currency_id.decimal_places
        parts = ("initial", "collected", "credited", "other", "promised", "disputed", "rest")
        outcome = self._get_rest_outcome(row)
        note = row["result_note"] or ""
        if outcome == "handed_over" and row["state"] != "closed":
            note = labels["handover"][row["handover_id"]]
        return CaseRow(
            case_id=row["id"],
            customer=row["customer"] or "",
            reference=row["ref"] or "",
            collector_id=row["collector_id"] or 0,
            collector=labels["user"].get(row["collector_id"], ""),
            state=row["state"],
            result=row["result"] or "",
            status=labels["result"][row["result"]] if row["result"] else labels["state"][row["state"]],
            result_note=note,
            outcome=outcome,
            reason_id=row["reason_id"] or 0,
            reason=labels["reason"].get(row["reason_id"], ""),
            profile=row["initial_profile"] or "",
            profile_label=labels["profile"].get(row["initial_profile"], ""),
            size=row["initial_size"] or "",
            size_label=labels["size"].get(row["initial_size"], ""),
            is_small=bool(row["is_small"]),
            due_date=row["due_date"],
            days_late=(campaign.started_on - row["due_date"]).days if row["due_date"] else 0,
            item_count=row["item_count"],
            attempt_count=row["attempt_count"] or 0,
            is_reached=bool(row["is_reached"]),
            last_contact=row["last_contact_date"],
            amounts=Amounts(**{part: to_money(row[part], digits) for part in parts}),
        )

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
        """Say what became of the part of a case that is neither settled nor promised nor disputed.

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

    # === BUSINESS METHODS - BEFORE AND AFTER === #

    def _read_figures(self, campaign):
        """Return the figures of ``_measure``; those of a closed campaign were written down at the closing."""
        figures = (self._is_final(campaign) and campaign.final_figures) or {}
        is_complete = figures.keys() >= {"before", "after", "baseline", "collected", "promises", "disputes"}
        return figures if is_complete else {**self._measure(campaign), **figures}

    def _prepare_measures(self, campaign, figures):
        """Return how the customers stood before and after, and what usually comes in: values of ``Recap``.

        :param dict figures: see ``_measure``.
        """
        digits = campaign.currency_id.decimal_places
        values = {}
        for name in ("before", "after"):
            figure = figures[name]
            values[name] = Standing(
                **{**figure, "day": Date.fromisoformat(figure["day"]), "overdue": to_money(figure["overdue"], digits)}
            )
        baseline = figures["baseline"]
        values["baseline"] = Baseline(
            baseline["days"],
            baseline["span_count"],
            tuple(
                (code, to_money(owed, digits), to_money(collected, digits))
                for code, owed, collected in baseline["buckets"]
            ),
        )
        return values

    @api.model
    def _measure(self, campaign):
        """Work out what changes with the ledger, promises and disputes, and must not change after the closing.

        :param campaign: a campaign that was started, as superuser.
        :return: plain values that can be written down as JSON: ``before`` and ``after`` (how the customers stood),
            ``baseline`` (what usually comes in), ``collected`` (see ``_get_collected_rows``), ``promises`` and
            ``disputes`` (the state each was in and what it stood for, see ``_measure_promises``).
        """
        self.env.flush_all()
        company = campaign.company_id
        partners = self._get_partners(campaign)
        before, after = campaign.started_on - timedelta(days=1), self._get_as_of(campaign)
        Metrics = self.env["collection.metrics"].sudo().with_company(company)
        figures = Metrics._get_figures_by_day(company, [before, after], partners)
        return {
            "before": self._measure_standing(figures[before]),
            "after": self._measure_standing(figures[after]),
            "baseline": self._measure_baseline(campaign, partners, (after - before).days),
            "collected": [
                [fields.Date.to_string(date), journal_id, method_id, float(amount), count]
                for date, journal_id, method_id, amount, count in self._get_collected_rows(campaign)
            ],
            "promises": self._measure_promises(campaign),
            "disputes": self._measure_disputes(campaign),
        }

    def _measure_standing(self, figures):
        """Return one ``Standing`` as plain values.

        :param figures: ``tools.metrics.Figures`` of these customers.
        """
        return {
            "day": fields.Date.to_string(figures.day),
            "overdue": figures.position.overdue,
            "dso": figures.dso,
            "average_days_late": figures.average_days_late,
            "weighted_days_late": figures.weighted_days_late,
        }

    def _get_baseline_days(self, campaign, partners, days):
        """Return the first days of the spans before the campaign, see ``Baseline``.

        :param int days: length of a span.
        """
        since = campaign.started_on - relativedelta(months=campaign.company_id.collection_history_months)
        firsts, first = [], campaign.started_on - timedelta(days=days)
        while first >= since and len(firsts) < MAX_SPANS:
            firsts.append(first)
            first -= timedelta(days=days)
        busy = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT other.started_on, COALESCE(other.closed_on, %(today)s)
                  FROM collection_campaign other
                  JOIN collection_case kase ON kase.campaign_id = other.id
                 WHERE other.id != %(campaign)s AND other.started_on IS NOT NULL
                   AND kase.partner_id = ANY(%(partners)s) AND other.company_id = %(company)s
                """,
                campaign=campaign.id,
                company=campaign.company_id.id,
                partners=partners.ids,
                today=campaign.company_id._collection_today(),
            )
        )
        return [
            first
            for first in firsts
            if not any(started < first + timedelta(days=days) and closed >= first for started, closed in busy)
        ]

    def _measure_baseline(self, campaign, partners, days):
        """Return the ``Baseline`` as plain values; two statements, whatever the number of customers and spans."""
        days = max(days, 1)
        firsts = self._get_baseline_days(campaign, partners, days)
        rows = self._get_baseline_rows(campaign.company_id, partners, firsts, days) if firsts else []
        return {
            "days": days,
            "span_count": len(firsts),
            "buckets": [[BUCKETS[bucket][0], float(owed), float(collected)] for bucket, owed, collected in rows],
        }

    def _get_baseline_rows(self, company, partners, firsts, days):
        """Return what was overdue when spans began and what came in on it: ``[(bucket number, owed, collected)]``."""
        return self.env.execute_query(
            SQL(
                """
                WITH span AS (SELECT UNNEST(%(firsts)s::date[]) AS first),
                debt AS (
                    SELECT line.id, line.balance, line.date, COALESCE(line.date_maturity, line.date) AS due_date
                      FROM account_move_line line
                     WHERE line.balance > 0
                       AND line.account_id IN %(accounts)s
                       AND line.company_id = %(company)s
                       AND line.parent_state = 'posted'
                       AND line.journal_id NOT IN %(not_invoiced)s
                       AND line.partner_id IN (
                           SELECT id FROM res_partner WHERE commercial_partner_id = ANY(%(partners)s)
                       )
                       -- What was settled before the first span began counts nowhere.
                       AND (line.reconciled IS NOT TRUE OR EXISTS (
                           SELECT 1
                             FROM account_partial_reconcile partial
                            WHERE partial.debit_move_id = line.id AND partial.max_date >= %(oldest)s
                       ))
                ),
                settlement AS (
                    SELECT debt.date, debt.due_date, settled.company_amount AS amount, settled.settled_on,
                           settled.date AS cash_date, settled.company_cash AS cash
                      FROM debt
                      JOIN (%(settlements)s) settled ON settled.item_id = debt.id
                )
                SELECT WIDTH_BUCKET(first - due_date, %(first_days)s) AS bucket, SUM(owed), SUM(collected)
                  FROM (
                    SELECT span.first, debt.due_date, debt.balance AS owed, 0 AS collected
                      FROM span
                      JOIN debt ON debt.due_date < span.first AND debt.date <= span.first
                 UNION ALL
                    SELECT span.first, settlement.due_date,
                           CASE WHEN settlement.settled_on < span.first THEN -settlement.amount ELSE 0 END,
                           CASE WHEN settlement.settled_on >= span.first
                                 AND settlement.cash_date >= span.first
                                 AND settlement.cash_date < span.first + %(days)s
                                THEN settlement.cash ELSE 0 END
                      FROM span
                      JOIN settlement ON settlement.due_date < span.first AND settlement.date <= span.first
                  ) part
              GROUP BY bucket
              ORDER BY bucket
                """,
                firsts=firsts,
                oldest=min(firsts),
                days=days,
                first_days=[first_day for _code, first_day in BUCKETS if first_day is not None],
                accounts=self.env["collection.ledger"]._get_account_ids(company),
                not_invoiced=self.env["collection.ledger"]._get_not_invoiced_journal_ids(company),
                company=company.id,
                partners=partners.ids,
                settlements=self.env["collection.ledger"]._get_settlement_sql(
                    company, SQL("partial.debit_move_id IN (SELECT id FROM debt)")
                ),
            )
        )

    # === BUSINESS METHODS - WHAT TO DO NEXT === #

    def _with_next_steps(self, cases, promises, disputes):
        """Return the cases, each with what to do next in words."""
        promises_by_case, disputes_by_case = defaultdict(list), defaultdict(list)
        for promise in promises:
            promises_by_case[promise.case_id].append(promise)
        for dispute in disputes:
            disputes_by_case[dispute.case_id].append(dispute)
        return tuple(
            replace(
                case,
                next_step=" ".join(
                    self._get_next_steps(case, promises_by_case[case.case_id], disputes_by_case[case.case_id])
                ),
            )
            for case in cases
        )

    def _get_next_steps(self, case, promises, disputes):
        """Return what to do next for one customer, as sentences. Extend it for other ways of working.

        :param case: ``CaseRow``.
        :param promises: its ``PromiseRow``.
        :param disputes: its ``DisputeRow``.
        """
        steps = []
        for dispute in disputes:
            if dispute.open_amount and dispute.state == "accepted":
                steps.append(self.env._("Credit what was accepted: %s.", dispute.reason))
            elif dispute.open_amount:
                steps.append(
                    self.env._(
                        "Solve by %(date)s: %(reason)s (%(owner)s).",
                        date=format_date(self.env, dispute.deadline),
                        reason=dispute.reason,
                        owner=dispute.owner,
                    )
                )
        for promise in promises:
            if promise.open_amount:
                steps.append(
                    self.env._(
                        "Expect the money on %(date)s (%(method)s).",
                        date=format_date(self.env, promise.date),
                        method=promise.method_label,
                    )
                )
        if case.amounts.rest > 0:
            steps.append(self._get_next_contact(case, promises))
        return steps

    def _get_next_contact(self, case, promises):
        """Say how to go on about what is neither promised nor disputed."""
        if case.outcome == "escalated":
            return self.env._("The manager decides.")
        if case.outcome == "refused":
            return self.env._("Decide on a formal notice or on handing the debt over.")
        if case.outcome == "handed_over":
            return self.env._("Take the results back: %s.", case.result_note)
        if case.outcome == "unreachable":
            return self.env._("Find another number or contact, and write a letter.")
        if any(promise.state == "broken" for promise in promises):
            return self.env._("Call: a promise was not kept.")
        if not case.attempt_count:
            return self.env._("Contact for the first time.")
        if not case.is_reached:
            return self.env._("Call again: the right person was not reached.")
        return self.env._("Ask for a date of payment.")

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

    def _get_collected_rows(self, campaign):
        """Return the payments set against the items that stayed: ``[(date, journal, method line, amount, number)]``."""
        is_over = self._is_final(campaign) and campaign.end_partial_id
        return self.env.execute_query(
            SQL(
                """
                SELECT settled.date, credit.journal_id, payment.payment_method_line_id,
                       SUM(settled.company_cash), COUNT(DISTINCT credit.id)
                  FROM (%(settlements)s) settled
                  JOIN account_move_line credit ON credit.id = settled.credit_line_id
             LEFT JOIN account_payment payment ON payment.id = credit.payment_id
                 WHERE settled.is_cash
                   AND NOT settled.is_returned
                   AND settled.date >= %(started_on)s
              GROUP BY 1, 2, 3
                """,
                settlements=self.env["collection.ledger"]._get_settlement_sql(
                    campaign.company_id,
                    SQL(
                        """
                        partial.debit_move_id IN (
                            SELECT move_line_id FROM collection_case_item
                             WHERE campaign_id = %s AND move_line_id IS NOT NULL
                        ) AND partial.id > %s AND partial.max_date <= %s %s
                        """,
                        campaign.id,
                        campaign.start_partial_id,
                        self._get_as_of(campaign),
                        SQL("AND partial.id <= %s", campaign.end_partial_id) if is_over else SQL(),
                    ),
                    with_drafts=True,
                ),
                started_on=campaign.started_on,
            )
        )

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

    # === BUSINESS METHODS - PROMISES AND DISPUTES === #

    def _get_open_parts(self, campaign, document, line, part, states):
        """Return how much of the items each open promise, or each open dispute, stands for.

        An item keeps how much of it is promised; the promises on it say by whom and for when. The
        same for disputes. When an item is under several, its part is shared out in proportion.

        :param SQL document: table of promises or disputes.
        :param SQL line: table of their lines; its column ``document_id`` points to the document.
        :param SQL part: column of the items that is shared out.
        :param tuple states: in which a document is open.
        :return: ``({document id: amount}, amount that no document stands for)``.
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT item.id, item.%(part)s, open_line.document_id, open_line.weight
                  FROM (%(items)s) item
             LEFT JOIN (
                    SELECT line.move_line_id, document.id AS document_id,
                           SUM(line.amount - COALESCE(line.settled_amount, 0)) AS weight
                      FROM %(document)s document
                      JOIN %(line)s line ON line.document_id = document.id
                     WHERE document.state IN %(states)s
                  GROUP BY line.move_line_id, document.id
                  ) open_line ON open_line.move_line_id = item.move_line_id
                 WHERE item.%(part)s != 0
              ORDER BY item.id, open_line.document_id
                """,
                part=part,
                items=self._get_items_sql(campaign),
                document=document,
                line=line,
                states=states,
            )
        )
        return self._share_out(rows, campaign.currency_id.decimal_places)

    def _share_out(self, rows, digits):
        """Share the parts of items out over the documents that they are under.

        :param rows: ``[(item, part, document or None, weight)]``.
        :return: ``({document: amount}, amount without document)``.
        """
        items = defaultdict(list)
        for item_id, part, document_id, weight in rows:
            items[item_id, part].append((document_id, weight or 0))
        amounts = defaultdict(lambda: ZERO)
        for (_item_id, part), shares in items.items():
            weights = [to_money(weight, 6) for _document_id, weight in shares]
            parts = split(to_money(part, digits), weights, Decimal(1).scaleb(-digits))
            for (document_id, _weight), amount in zip(shares, parts, strict=True):
                amounts[document_id] += amount
        remainder = amounts.pop(None, ZERO)
        return dict(amounts), remainder

    def _measure_promises(self, campaign):
        """Return the promises made in the campaign or on its items, as they are now.

        :return: ``{"rows": [[id, state, method, its part of what is promised]], "rest": promised without promise}``.
        """
        parts, remainder = self._get_open_parts(
            campaign,
            SQL.identifier("collection_promise"),
            SQL("(SELECT *, promise_id AS document_id FROM collection_promise_line)"),
            SQL.identifier("promised"),
            ("open",),
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id, state, method
                  FROM collection_promise
                 WHERE campaign_id = %s OR id = ANY(%s)
              ORDER BY id
                """,
                campaign.id,
                list(parts),
            )
        )
        return {"rows": [[*row, float(parts.get(row[0], ZERO))] for row in rows], "rest": float(remainder)}

    def _get_promises(self, campaign, figures):
        """Return the promises made in the campaign or on its items, and the promised amount without promise.

        :param dict figures: as ``_measure_promises`` returns them.
        """
        facts = {id_: row for id_, *row in figures["rows"]}
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT promise.id, promise.user_id, promise.create_date, promise.date, promise.deadline,
                       promise.amount, promise.company_amount, promise.note,
                       promise.campaign_id IS NOT DISTINCT FROM %(campaign)s AS is_from_campaign,
                       kase.id AS case_id, partner.complete_name AS customer,
                       contact.name AS contact, author.name AS user,
                       currency.name AS currency, currency.decimal_places
                  FROM collection_promise promise
                  JOIN res_partner partner ON partner.id = promise.partner_id
                  JOIN res_users ON res_users.id = promise.user_id
                  JOIN res_partner author ON author.id = res_users.partner_id
                  JOIN res_currency currency ON currency.id = promise.currency_id
             LEFT JOIN res_partner contact ON contact.id = promise.contact_id
             LEFT JOIN collection_case kase
                       ON kase.campaign_id = %(campaign)s AND kase.debtor_id = promise.debtor_id
                 WHERE promise.id = ANY(%(ids)s)
              ORDER BY promise.date, promise.id
                """,
                campaign=campaign.id,
                ids=list(facts),
            )
        )
        labels = {
            "state": self._get_labels("collection.promise", "state"),
            "method": self._get_labels("collection.promise", "method"),
        }
        remainder = to_money(figures["rest"], campaign.currency_id.decimal_places)
        return tuple(self._prepare_promise(campaign, row, facts[row["id"]], labels) for row in rows), remainder

    def _prepare_promise(self, campaign, row, facts, labels):
        """Return one ``PromiseRow`` from the columns of ``_get_promises`` and the facts of ``_measure_promises``."""
        digits = campaign.currency_id.decimal_places
        state, method, open_amount = facts
        return PromiseRow(
            promise_id=row["id"],
            customer=row["customer"] or "",
            user_id=row["user_id"],
            user=row["user"] or "",
            contact=row["contact"] or "",
            recorded_on=row["create_date"],
            date=row["date"],
            deadline=row["deadline"],
            method=method,
            method_label=labels["method"][method],
            state=state,
            state_label=labels["state"][state],
            currency=row["currency"],
            decimal_places=row["decimal_places"],
            amount=to_money(row["amount"], row["decimal_places"]),
            company_amount=to_money(row["company_amount"], digits),
            open_amount=to_money(open_amount, digits),
            is_from_campaign=row["is_from_campaign"],
            case_id=row["case_id"] or 0,
            note=row["note"] or "",
        )

    def _measure_disputes(self, campaign):
        """Return the disputes opened in the campaign or on its items, as they are now.

        :return: ``{"rows": [[id, state, reason, deadline, its part of what is disputed]],
            "rest": disputed without dispute}``.
        """
        parts, remainder = self._get_open_parts(
            campaign,
            SQL.identifier("collection_dispute"),
            SQL("(SELECT *, dispute_id AS document_id FROM collection_dispute_line)"),
            SQL.identifier("disputed"),
            ("open", "accepted"),
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id, state, reason_id, date_deadline
                  FROM collection_dispute
                 WHERE campaign_id = %s OR id = ANY(%s)
              ORDER BY id
                """,
                campaign.id,
                list(parts),
            )
        )
        return {
            "rows": [
                [id_, state, reason_id, fields.Date.to_string(deadline), float(parts.get(id_, ZERO))]
                for id_, state, reason_id, deadline in rows
            ],
            "rest": float(remainder),
        }

    def _get_disputes(self, campaign, figures):
        """Return the disputes opened in the campaign or on its items, and the disputed amount without dispute.

        :param dict figures: as ``_measure_disputes`` returns them.
        """
        facts = {id_: row for id_, *row in figures["rows"]}
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT dispute.id, dispute.create_date, dispute.amount, dispute.company_amount, dispute.description,
                       kase.id AS case_id, partner.complete_name AS customer, owner.name AS owner,
                       currency.name AS currency, currency.decimal_places
                  FROM collection_dispute dispute
                  JOIN res_partner partner ON partner.id = dispute.partner_id
                  JOIN res_users ON res_users.id = dispute.owner_id
                  JOIN res_partner owner ON owner.id = res_users.partner_id
                  JOIN res_currency currency ON currency.id = dispute.currency_id
             LEFT JOIN collection_case kase
                       ON kase.campaign_id = %(campaign)s AND kase.debtor_id = dispute.debtor_id
                 WHERE dispute.id = ANY(%(ids)s)
              ORDER BY dispute.id
                """,
                campaign=campaign.id,
                ids=list(facts),
            )
        )
        labels = {
            "state": self._get_labels("collection.dispute", "state"),
            "reason": self._get_names("collection.reason", {reason_id for _state, reason_id, *_row in facts.values()}),
        }
        disputes = [self._prepare_dispute(campaign, row, facts[row["id"]], labels) for row in rows]
        disputes.sort(key=lambda dispute: (dispute.deadline, dispute.dispute_id))
        return tuple(disputes), to_money(figures["rest"], campaign.currency_id.decimal_places)

    def _prepare_dispute(self, campaign, row, facts, labels):
        """Return one ``DisputeRow`` from the columns of ``_get_disputes`` and the facts of ``_measure_disputes``."""
        digits = campaign.currency_id.decimal_places
        state, reason_id, deadline, open_amount = facts
        return DisputeRow(
            dispute_id=row["id"],
            customer=row["customer"] or "",
            reason_id=reason_id,
            reason=labels["reason"][reason_id],
            owner=row["owner"] or "",
            opened_on=row["create_date"],
            deadline=Date.fromisoformat(deadline),
            state=state,
            state_label=labels["state"][state],
            currency=row["currency"],
            decimal_places=row["decimal_places"],
            amount=to_money(row["amount"], row["decimal_places"]),
            company_amount=to_money(row["company_amount"], digits),
            open_amount=to_money(open_amount, digits),
            case_id=row["case_id"] or 0,
            description=row["description"] or "",
        )

    def _get_promised_by_date(self, promises, remainder):
        """Return what is promised by the day for which it is promised."""
        labels = {promise.date: format_date(self.env, promise.date) for promise in promises}
        rows = self._group_open(promises, lambda promise: promise.date, labels)
        return Breakdown((*sorted(rows, key=lambda row: row.key), *self._get_remainder(remainder)))

    def _get_promised_by_method(self, promises, remainder):
        """Return what is promised by the method of payment that the customers named."""
        labels = self._get_labels("collection.promise", "method")
        rows = self._group_open(promises, lambda promise: promise.method, labels)
        return Breakdown((*sorted(rows, key=lambda row: -row.amount), *self._get_remainder(remainder)))

    def _get_disputed_by_reason(self, disputes, remainder):
        """Return what is disputed by reason."""
        labels = {dispute.reason_id: dispute.reason for dispute in disputes}
        rows = self._group_open(disputes, lambda dispute: dispute.reason_id, labels)
        return Breakdown((*sorted(rows, key=lambda row: -row.amount), *self._get_remainder(remainder)))

    def _group_open(self, documents, key, labels):
        """Return what promises or disputes stand for, by ``key``; ``item_count`` counts them."""
        groups = defaultdict(list)
        for document in documents:
            if document.open_amount:
                groups[key(document)].append(document)
        return [
            BreakdownRow(
                group,
                labels[group],
                sum((document.open_amount for document in members), ZERO),
                len({document.case_id for document in members}),
                len(members),
            )
            for group, members in groups.items()
        ]

    def _get_promise_results(self, promises, date):
        """Say what the promises made in the campaign were worth.

        :param date: the day of the recap; what is to be paid later can't be judged yet.
        """
        made = [promise for promise in promises if promise.is_from_campaign]
        labels = self._get_labels("collection.promise", "state")
        groups = {state: [promise for promise in made if promise.state == state] for state in labels}
        due = [promise for promise in made if promise.state not in VOID_STATES and promise.deadline < date]
        kept = [promise for promise in due if promise.state == "kept"]
        return PromiseResults(
            by_state=Breakdown(
                tuple(
                    BreakdownRow(
                        state,
                        labels[state],
                        sum((promise.company_amount for promise in members), ZERO),
                        len({promise.case_id for promise in members}),
                        len(members),
                    )
                    for state, members in groups.items()
                    if members
                )
            ),
            due_count=len(due),
            kept_count=len(kept),
            due_amount=sum((promise.company_amount for promise in due), ZERO),
            kept_amount=sum((promise.company_amount for promise in kept), ZERO),
        )

    # === BUSINESS METHODS - REASONS === #

    def _get_reasons(self, cases, disputes, disputed_remainder):
        """Return what is still owed by reason for non-payment, largest first.

        A disputed part counts under the reason of its dispute, the other parts under the reason that
        the customer gave last.
        """
        labels = {0: self.env._("No reason given")}
        labels |= {case.reason_id: case.reason for case in cases if case.reason_id}
        labels |= {dispute.reason_id: dispute.reason for dispute in disputes}
        amounts, members = defaultdict(lambda: ZERO), defaultdict(set)
        parts = [(dispute.reason_id, dispute.case_id, dispute.open_amount) for dispute in disputes]
        parts += [(case.reason_id, case.case_id, case.amounts.promised + case.amounts.rest) for case in cases]
        for reason_id, case_id, amount in parts:
            if amount:
                amounts[reason_id] += amount
                members[reason_id].add(case_id)
        rows = [
            BreakdownRow(reason_id, labels[reason_id], amount, len(members[reason_id]))
            for reason_id, amount in amounts.items()
        ]
        rows.sort(key=lambda row: (not row.key, -row.amount))
        return Breakdown((*rows, *self._get_remainder(disputed_remainder)))

    # === BUSINESS METHODS - CONTACTS === #

    def _get_actions_sql(self, campaign):
        """Return SQL with what was said in a campaign, and what failed.

        Of a closed campaign: as it was at the closing. An e-mail that bounced later was sent then.
        """
        if not self._is_final(campaign):
            return SQL(
                "SELECT * FROM collection_action WHERE campaign_id = %s AND state IN ('done', 'failed')", campaign.id
            )
        return SQL(
            """
            SELECT id, debtor_id, partner_id, user_id, contact_id, date_done, channel, outcome, is_reached, reason_id,
                   note, summary, result_text,
                   CASE WHEN state_date > %(closing)s THEN 'done' ELSE state END AS state
              FROM collection_action
             WHERE campaign_id = %(campaign)s
               AND state IN ('done', 'failed')
               AND COALESCE(date_done, state_date) <= %(closing)s
            """,
            campaign=campaign.id,
            closing=campaign.state_date,
        )

    def _get_contacts(self, campaign, cases):
        """Return the contacts that took place, and how many customers they reached."""
        [values] = self.env.execute_query_dict(
            SQL(
                """
                SELECT COUNT(*) AS logged_count,
                       COUNT(*) FILTER (WHERE said AND channel = 'call') AS call_count,
                       COUNT(*) FILTER (WHERE said AND channel = 'call' AND is_reached) AS answered_count,
                       COUNT(*) FILTER (WHERE said AND outcome = 'right_person') AS right_person_count,
                       COUNT(*) FILTER (WHERE said AND channel = 'email') AS email_count,
                       COUNT(*) FILTER (WHERE NOT said AND channel = 'email') AS failed_email_count,
                       COUNT(*) FILTER (WHERE said AND channel = 'letter') AS letter_count,
                       COUNT(*) FILTER (WHERE said AND channel = 'sms') AS sms_count,
                       COUNT(DISTINCT debtor_id) FILTER (WHERE said AND channel != 'note') AS contacted_count,
                       COUNT(DISTINCT debtor_id) FILTER (WHERE said AND channel = 'call') AS called_count,
                       COUNT(DISTINCT debtor_id) FILTER (WHERE said AND outcome = 'right_person') AS reached_count
                  FROM (SELECT *, state = 'done' AS said FROM (%s) happened) action
                """,
                self._get_actions_sql(campaign),
            )
        )
        return Contacts(customer_count=len(cases), **values)

    def _get_collectors(self, campaign, cases, promises):
        """Return what each person did, and what became of the cases in their care; most collected first."""
        calls = defaultdict(lambda: (0, 0))
        for user_id, *counts in self.env.execute_query(
            SQL(
                """
                SELECT user_id, COUNT(*), COUNT(*) FILTER (WHERE outcome = 'right_person')
                  FROM (%s) action
                 WHERE state = 'done' AND channel = 'call'
              GROUP BY user_id
                """,
                self._get_actions_sql(campaign),
            )
        ):
            calls[user_id] = counts
        cases_by_user, promises_by_user = defaultdict(list), defaultdict(list)
        for case in cases:
            cases_by_user[case.collector_id].append(case)
        for promise in promises:
            if promise.is_from_campaign:
                promises_by_user[promise.user_id].append(promise)
        user_ids = {*calls, *cases_by_user, *promises_by_user}
        names = {0: self.env._("Nobody"), **self._get_names("res.users", user_ids)}
        rows = [
            CollectorRow(
                user_id=user_id,
                label=names[user_id],
                case_count=len(cases_by_user[user_id]),
                call_count=calls[user_id][0],
                right_person_count=calls[user_id][1],
                promise_count=len(promises_by_user[user_id]),
                promised_amount=sum((promise.company_amount for promise in promises_by_user[user_id]), ZERO),
                amounts=total_of(case.amounts for case in cases_by_user[user_id]),
            )
            for user_id in user_ids
        ]
        return tuple(sorted(rows, key=lambda row: (-row.amounts.collected, row.label)))

    # === BUSINESS METHODS - DETAILS === #

    def _iter_items(self, recap, batch_size=1000):
        """Yield the items of a recap's cases, in the order of its cases, as dicts; a batch of cases at a time.

        Besides their amounts, items have ``case`` (its ``CaseRow``), ``name``, ``date`` and ``due_date``.
        """
        campaign = self.env["collection.campaign"].browse(recap.campaign_id).sudo()
        parts = ("initial", "collected", "credited", "other", "promised", "disputed", "rest")
        for start in range(0, len(recap.cases), batch_size):
            cases = {case.case_id: case for case in recap.cases[start : start + batch_size]}
            items = defaultdict(list)
            for row in self.env.execute_query_dict(
                SQL(
                    "SELECT * FROM (%s) item WHERE case_id = ANY(%s) ORDER BY due_date, id",
                    self._get_items_sql(campaign),
                    list(cases),
                )
            ):
                items[row["case_id"]].append(row)
            for case_id, case in cases.items():
                for row in items[case_id]:
                    amounts = Amounts(**{part: to_money(row[part], recap.decimal_places) for part in parts})
                    yield {
                        "case": case,
                        "name": row["name"] or "",
                        "date": row["date"],
                        "due_date": row["due_date"],
                        "amounts": amounts,
                    }

    def _iter_contacts(self, recap, batch_size=5000):
        """Yield the contacts of a campaign, oldest first, as dicts; a batch at a time."""
        reasons = {
            reason.id: reason.name
            for reason in self.env["collection.reason"].sudo().with_context(active_test=False).search([])
        }
        campaign = self.env["collection.campaign"].browse(recap.campaign_id).sudo()
        last_id = 0
        while rows := self.env.execute_query_dict(
            SQL(
                """
                SELECT action.id, action.date_done, action.channel, action.state, action.outcome,
                       action.reason_id, action.note, action.summary, action.result_text,
                       partner.complete_name AS customer, contact.name AS contact, author.name AS user
                  FROM (%s) action
                  JOIN res_partner partner ON partner.id = action.partner_id
                  JOIN res_users ON res_users.id = action.user_id
                  JOIN res_partner author ON author.id = res_users.partner_id
             LEFT JOIN res_partner contact ON contact.id = action.contact_id
                 WHERE action.id > %s
              ORDER BY action.id
                 LIMIT %s
                """,
                self._get_actions_sql(campaign),
                last_id,
                batch_size,
            )
        ):
            for row in rows:
                yield {**row, "reason": reasons.get(row["reason_id"], "")}
            last_id = rows[-1]["id"]
