from collections import defaultdict
from datetime import date as Date
from datetime import timedelta
from decimal import Decimal

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.aging import BUCKETS
from .numbers import ZERO, Baseline, Standing, split, to_money

# How many spans before a campaign are counted, the last ones: in its first days they are short and would be many.
MAX_SPANS = 24


class CollectionRecap(models.AbstractModel):
    """The figures of a recap that are measured at a moment and kept: before, and at the end."""

    _inherit = "collection.recap"

    # === BUSINESS METHODS - BEFORE AND AFTER === #

    def _read_figures(self, campaign):
        """Return the figures of ``_measure``; those of a closed campaign were recorded at the closing."""
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
        """Compute what changes with the ledger, promises and disputes, and must not change after the closing.

        :param campaign: a campaign that was started, as superuser.
        :return: plain values that can be recorded as JSON: ``before`` and ``after`` (how the customers stood),
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
                  JOIN collection_case cases ON cases.campaign_id = other.id
                 WHERE other.id != %(campaign)s AND other.started_on IS NOT NULL
                   AND cases.partner_id = ANY(%(partners)s) AND other.company_id = %(company)s
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
                debt AS MATERIALIZED (
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
                settled AS MATERIALIZED (%(settlements)s),
                settlement AS MATERIALIZED (
                    SELECT debt.date, debt.due_date, settled.company_amount AS amount, settled.settled_on,
                           settled.date AS cash_date, settled.company_cash AS cash
                      FROM debt
                      JOIN settled ON settled.item_id = debt.id
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

    # === BUSINESS METHODS - COLLECTED === #

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
                WITH open_line AS MATERIALIZED (
                    SELECT line.move_line_id, document.id AS document_id,
                           SUM(line.amount - COALESCE(line.settled_amount, 0)) AS weight
                      FROM %(document)s document
                      JOIN %(line)s line ON line.document_id = document.id
                     WHERE document.state IN %(states)s
                  GROUP BY line.move_line_id, document.id
                )
                SELECT item.id, item.%(part)s, open_line.document_id, open_line.weight
                  FROM (%(items)s) item
             LEFT JOIN open_line ON open_line.move_line_id = item.move_line_id
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
