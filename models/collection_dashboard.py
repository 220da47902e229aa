from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL
from odoo.tools.misc import format_date

from ..tools.aging import BUCKETS

# Weeks for which cash is expected, the present one included.
WEEKS = 8
# What is this many times as late as usual is not expected in any week: of exponential delays, 95 % come sooner.
BEYOND = 3
# Items that may come in within a week with a smaller chance are not shown behind its bar.
LEAST_CHANCE = 0.01
MOVER_DAYS, MOVERS, CAMPAIGNS = 30, 6, 4
# The promises of this many months say how far one can count on promises.
PROMISE_MONTHS = 12


class CollectionDashboard(models.AbstractModel):
    """Everything that the dashboard shows, in one call and a few statements, whatever the number of items.

    Amounts are of the present company, read from the ledger as it is now; each comes with the action
    that opens what it is made of.
    """

    _name = "collection.dashboard"
    _description = "Dashboard of Collections"

    # === ACTION METHODS === #

    @api.model
    @api.readonly
    def get_data(self):
        """Return what the dashboard shows of the present company.

        :return: dict of plain values: ``tiles``, ``aging``, ``trend``, ``forecast``, ``campaigns``, ``movers``;
            amounts in company currency, words in the user's language, ``action`` what a click opens.
        :raises AccessError: for users who may not see all customers: a part would be wrong.
        """
        self._check_access()
        company = self.env.company
        self.env.flush_all()
        today = company._collection_today()
        totals, buckets, expected = self._read_items(company, today)
        promised = self._read_promises(company, today)
        trend = self._get_trend(company)
        return {
            "company": company.name,
            "currency_id": company.currency_id.id,
            "date": format_date(self.env, today, date_format="full"),
            "is_empty": not totals["item_count"] and not trend["labels"],
            "is_manager": self.env.user.has_group("account_collection.group_collection_manager"),
            "tiles": self._get_tiles(company, today, totals, promised, trend),
            "aging": self._get_aging(company, buckets),
            "trend": trend,
            "forecast": self._get_forecast(company, today, expected, promised),
            "campaigns": self._get_campaigns(company),
            "movers": self._get_movers(company, today),
        }

    @api.model
    @api.readonly
    def get_week_action(self, week):
        """Return the action that opens the items of which something is expected in a week.

        :param int week: 0 for the present week.
        """
        self._check_access()
        company = self.env.company
        self.env.flush_all()
        today = company._collection_today()
        expected = self._get_expected_sql(company, today, self._get_habit_sql(company, today))
        rows = self.env.execute_query(
            SQL(
                "SELECT UNNEST(item_ids) FROM (%s) expected WHERE week = %s AND chance >= %s",
                expected,
                week,
                LEAST_CHANCE,
            )
        )
        return self._get_item_action(
            company,
            self.env._("Expected: %s", self._get_week_label(today, week)),
            [("id", "in", [id_ for [id_] in rows])],
        )

    # === BUSINESS METHODS === #

    def _check_access(self):
        if not self.env.user.has_group("account_collection.group_collection_team"):
            raise AccessError(
                self.env._("The dashboard sums up all customers: it is for those who may see all of them.")
            )

    @api.model
    def _get_item_action(self, company, name, domain):
        """Return the action that opens open items, of which a figure is the sum."""
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "collection.item.report",
            "views": [[False, "list"], [False, "pivot"], [False, "graph"]],
            "domain": [("company_id", "=", company.id), *domain],
        }

    @api.model
    def _get_record_action(self, model, name, domain=None, res_id=None):
        views = [[False, "form"]] if res_id else [[False, "list"], [False, "form"]]
        action = {"type": "ir.actions.act_window", "name": name, "res_model": model, "views": views}
        return action | ({"res_id": res_id} if res_id else {"domain": domain})

    # === BUSINESS METHODS - OPEN ITEMS === #

    @api.model
    def _get_habit_sql(self, company, today):
        """Return SQL with the open items and how their customers pay: the facts of the debtors.

        Some columns of ``collection.item.report``, then ``free`` (neither disputed nor promised), ``net_share``
        (what credits leave of this customer's items), ``late_share`` (0 to 1: of what this customer pays, the
        part paid late) and ``late_days`` (how late that part is on average). Customers without a history pay
        like the others.
        """
        return SQL(
            """
            SELECT item.item_id, item.partner_id, item.due_date, item.late, item.excluded, item.residual, item.disputed,
                   item.claimable,
                   CASE WHEN item.residual > 0 THEN item.residual - item.disputed - item.promised END::float AS free,
                   COALESCE(debtor.insolvency, FALSE) AS insolvency,
                   GREATEST(SUM(item.residual) OVER same_partner, 0)::float
                       / NULLIF(SUM(item.residual) FILTER (WHERE item.residual > 0) OVER same_partner, 0)::float
                       AS net_share,
                   CASE WHEN debtor.paid_item_count > 0 THEN debtor.late_share ELSE everybody.late_share END::float
                       / 100 AS late_share,
                   GREATEST(COALESCE(
                       CASE WHEN debtor.paid_item_count > 0
                            THEN debtor.average_days_late / NULLIF(debtor.late_share / 100, 0) END,
                       everybody.late_days
                   ), 1)::float AS late_days
              FROM (%(items)s) item
         LEFT JOIN collection_debtor debtor
                ON debtor.partner_id = item.partner_id AND debtor.company_id = %(company)s
        CROSS JOIN (
                SELECT COALESCE(SUM(late_share * paid_item_count) / NULLIF(SUM(paid_item_count), 0), 50) AS late_share,
                       COALESCE(
                           100 * SUM(average_days_late * paid_item_count)
                           / NULLIF(SUM(late_share * paid_item_count), 0), 15
                       ) AS late_days
                  FROM collection_debtor
                 WHERE company_id = %(company)s AND paid_item_count > 0
              ) everybody
            WINDOW same_partner AS (PARTITION BY item.partner_id)
            """,
            items=self.env["collection.item.report"]._get_item_sql(company),
            company=company.id,
        )

    @api.model
    def _get_chance_sql(self, today):
        """Return SQL for the chance that an amount comes in within a week, of which ``first`` and ``last`` are days.

        Of what isn't due yet, the share that this customer pays in time comes on its due date. The rest
        comes after it, on average ``late_days`` later, with an exponential delay. That has no memory: what is
        late already is expected as if it had become due today.
        """
        return SQL(
            """
            CASE WHEN late THEN
                     EXP(-GREATEST(first - %(today)s, 0) / late_days) - EXP(-(last + 1 - %(today)s) / late_days)
                 ELSE
                     (1 - late_share) * (due_date BETWEEN first AND last)::int
                     + late_share * (
                         EXP(-GREATEST(first - due_date, 0) / late_days)
                         - EXP(-GREATEST(last + 1 - due_date, 0) / late_days)
                     )
            END
            """,
            today=today,
        )

    @api.model
    def _get_expected_sql(self, company, today, habits):
        """Return SQL with what customers are expected to pay by their habits, promises apart.

        Columns: ``partner_id``, ``week`` (0 for the present one), ``amount``, ``chance`` (that it comes in that week),
        ``item_ids``. Week ``-1`` holds what is too late for any habit.

        :param SQL habits: rows of ``_get_habit_sql``.
        """
        return SQL(
            """
            SELECT partner_id, week, amount, item_ids,
                   CASE WHEN week < 0 THEN 1 ELSE LEAST(GREATEST(%(chance)s, 0), 1) END AS chance
              FROM (
                -- What has the same chances is counted together.
                SELECT partner_id, late, CASE WHEN NOT late THEN due_date END AS due_date,
                       late AND %(today)s - due_date > %(beyond)s * late_days AS is_beyond,
                       late_share, late_days,
                       SUM(free * net_share) AS amount,
                       ARRAY_AGG(item_id) AS item_ids
                  FROM (%(habits)s) habit
                 WHERE free > 0 AND NOT excluded AND NOT insolvency
              GROUP BY 1, 2, 3, 4, 5, 6
              ) item
              JOIN (
                SELECT week, GREATEST(%(monday)s::date + 7 * week, %(today)s) AS first,
                       %(monday)s::date + 7 * week + 6 AS last
                  FROM GENERATE_SERIES(-1, %(weeks)s - 1) week
              ) calendar ON item.is_beyond = (week < 0) AND (item.late OR item.due_date <= calendar.last)
             WHERE amount > 0
            -- Worked out once, though it is used several times.
            OFFSET 0
            """,
            chance=self._get_chance_sql(today),
            today=today,
            monday=today - timedelta(days=today.weekday()),
            beyond=BEYOND,
            habits=habits,
            weeks=WEEKS,
        )

    @api.model
    def _read_items(self, company, today):
        """Read the open items once.

        :return: ``(totals, {bucket: amount}, {week: (amount, standard deviation)})``.
        """
        rows = self.env.execute_query(
            SQL(
                """
                WITH habit AS MATERIALIZED (%(items)s)
                SELECT 'total', NULL::int, SUM(CASE WHEN late THEN residual END)::float,
                       SUM(CASE WHEN insolvency THEN 0 ELSE claimable END)::float,
                       SUM(CASE WHEN late AND NOT excluded THEN disputed END)::float,
                       COUNT(*)::float,
                       COUNT(*) FILTER (WHERE late)::float,
                       COUNT(DISTINCT partner_id) FILTER (WHERE claimable > 0 AND NOT insolvency)::float,
                       COUNT(*) FILTER (WHERE late AND NOT excluded AND disputed > 0)::float
                  FROM habit
             UNION ALL
                SELECT 'bucket', CASE WHEN residual > 0
                                      THEN WIDTH_BUCKET(%(today)s - due_date, %(first_days)s) ELSE -1 END,
                       SUM(residual)::float, NULL, NULL, NULL, NULL, NULL, NULL
                  FROM habit
              GROUP BY 2
             UNION ALL
                -- A customer pays all of it or nothing; one customer doesn't know of another.
                SELECT 'week', week, SUM(amount), SQRT(SUM(spread * spread)), NULL, NULL, NULL, NULL, NULL
                  FROM (
                    SELECT partner_id, week, SUM(amount * chance) AS amount,
                           SUM(amount * SQRT(chance * (1 - chance))) AS spread
                      FROM (%(expected)s) part
                  GROUP BY partner_id, week
                  ) expected
              GROUP BY week
                """,
                items=self._get_habit_sql(company, today),
                today=today,
                first_days=[first_day for _code, first_day in BUCKETS if first_day is not None],
                expected=self._get_expected_sql(company, today, SQL("SELECT * FROM habit")),
            )
        )
        buckets, expected, totals = {}, {}, {}
        for kind, key, *values in rows:
            if kind == "total":
                names = ("overdue", "claimable", "disputed", "item_count", "late_count", "claim_count", "dispute_count")
                totals = {name: value or 0 for name, value in zip(names, values, strict=True)}
            elif kind == "bucket":
                buckets["credit" if key < 0 else BUCKETS[key][0]] = values[0]
            else:
                expected[key] = (values[0], values[1])
        return totals, buckets, expected

    @api.model
    def _read_promises(self, company, today):
        """Return ``{week: (amount still to come, number)}`` of open promises; week 0 holds those of days past."""
        monday = today - timedelta(days=today.weekday())
        rows = self.env.execute_query(
            SQL(
                """
                SELECT (GREATEST(date, %(today)s) - %(monday)s) / 7,
                       SUM(company_amount * (1 - COALESCE(settled_amount / NULLIF(amount, 0), 0)))::float,
                       COUNT(*)
                  FROM collection_promise
                 WHERE company_id = %(company)s AND state = 'open'
              GROUP BY 1
                """,
                company=company.id,
                today=today,
                monday=monday,
            )
        )
        return {week: (amount or 0.0, count) for week, amount, count in rows}

    # === BUSINESS METHODS - PARTS OF THE PAGE === #

    @api.model
    def _get_tiles(self, company, today, totals, promised, trend):
        """Return the figures at the top: ``key``, ``label``, ``amount`` or ``text``, ``note``, ``action``."""
        _ = self.env._
        promises = [("company_id", "=", company.id), ("state", "=", "open")]
        return [
            {
                "key": "claimable",
                "label": _("To claim"),
                "amount": totals["claimable"],
                "note": _("%s customers", int(totals["claim_count"])),
                "help": _(
                    "What may be asked for today: overdue, less what is excluded, disputed, promised or covered "
                    "by credits."
                ),
                "action": self._get_item_action(company, _("To claim"), [("claimable_amount", ">", 0)]),
            },
            {
                "key": "overdue",
                "label": _("Overdue"),
                "amount": totals["overdue"],
                "note": _("%s items", int(totals["late_count"])),
                "help": _("Open items past their due date, before credits and disputes."),
                "action": self._get_item_action(company, _("Overdue"), [("overdue_amount", ">", 0)]),
            },
            {
                "key": "promised",
                "label": _("Promised"),
                "amount": sum(amount for amount, _count in promised.values()),
                "note": _("%s promises", sum(count for _amount, count in promised.values())),
                "help": _("Open promises to pay, for any day, less what has come in for them."),
                "action": self._get_record_action("collection.promise", _("Promised"), promises),
            },
            {
                "key": "disputed",
                "label": _("Disputed"),
                "amount": totals["disputed"],
                "note": _("%s items", int(totals["dispute_count"])),
                "help": _("Overdue parts under a dispute that is open, or accepted and not yet credited."),
                "action": self._get_item_action(company, _("Disputed"), [("disputed_amount", ">", 0)]),
            },
            {
                "key": "dso",
                "label": _("DSO"),
                "text": _("%s days", trend["last"]) if trend["last"] else "–",
                "note": trend["note"],
                "help": _(
                    "Days sales outstanding, counted back, at the end of the last finished month: for how many "
                    "days of most recent sales the receivables stand."
                ),
                "action": trend["action"],
            },
        ]

    @api.model
    def _get_aging(self, company, buckets):
        """Return the open items by age, credits apart."""
        labels = dict(self.env["collection.item.report"]._fields["bucket"]._description_selection(self.env))
        codes = [code for code, _first_day in BUCKETS] + (["credit"] if buckets.get("credit") else [])
        return {
            "labels": [labels[code] for code in codes],
            "values": [buckets.get(code, 0) for code in codes],
            "actions": [self._get_item_action(company, labels[code], [("bucket", "=", code)]) for code in codes],
        }

    @api.model
    def _get_trend(self, company):
        """Return the DSO of the last months, and what else the monthly figures say."""
        snapshots = self.env["collection.snapshot"]._get_trend(company)
        last, former = snapshots[-1:], snapshots[-2:-1]
        note = ""
        if last and former and last.dso_count_back is not False and former.dso_count_back is not False:
            change = last.dso_count_back - former.dso_count_back
            note = self.env._(
                "%(change)s since %(month)s",
                change=f"{change:+.1f}",
                month=format_date(self.env, former.date, date_format="MMMM"),
            )
        return {
            "labels": [format_date(self.env, row.date, date_format="MMM yy") for row in snapshots],
            "dso": [None if row.dso_count_back is False else row.dso_count_back for row in snapshots],
            "simple": [None if row.dso is False else row.dso for row in snapshots],
            "best": [None if row.best_possible_dso is False else row.best_possible_dso for row in snapshots],
            "last": (last.dso_text or "") if last else "",
            "note": note,
            "action": {
                **self.env["ir.actions.actions"]._for_xml_id("account_collection.collection_snapshot_action"),
                "domain": [("company_id", "=", company.id)],
            },
        }

    @api.model
    def _get_week_label(self, today, week):
        if not week:
            return self.env._("This week")
        monday = today + timedelta(days=7 * week - today.weekday())
        return self.env._("Week of %s", format_date(self.env, monday, date_format="d MMM"))

    @api.model
    def _get_forecast(self, company, today, expected, promised):
        """Return the cash expected by week: what was promised, and what the other customers usually do.

        The lower end of the range counts promises as far as such promises were kept in the last year,
        and takes one standard deviation off what is expected; the upper end counts promises in full.
        """
        _ = self.env._
        since = today - relativedelta(months=PROMISE_MONTHS)
        ratio = self.env["collection.metrics"].sudo()._get_promise_ratio(company, since, today - timedelta(days=1))
        kept = 1.0 if ratio.by_amount is None else ratio.by_amount / 100
        weeks = []
        monday = today - timedelta(days=today.weekday())
        for week in range(WEEKS):
            amount, spread = expected.get(week, (0.0, 0.0))
            promise = promised.get(week, (0.0, 0))[0]
            first = monday + timedelta(days=7 * week)
            # What is promised for a day past, and still within its grace, is expected this week.
            domain = [("date", ">=", fields.Date.to_string(first))] if week else []
            domain.append(("date", "<=", fields.Date.to_string(first + timedelta(days=6))))
            weeks.append(
                {
                    "label": self._get_week_label(today, week),
                    "promised": promise,
                    "expected": amount,
                    "low": promise * kept + max(amount - spread, 0),
                    "high": promise + amount + spread,
                    "promise_action": self._get_record_action(
                        "collection.promise",
                        _("Promised: %s", self._get_week_label(today, week)),
                        [("company_id", "=", company.id), ("state", "=", "open"), *domain],
                    ),
                }
            )
        return {
            "weeks": weeks,
            "beyond": expected.get(-1, (0.0, 0.0))[0],
            "method": _(
                "Promised: open promises in the week of their day. By habit: of other open items, the share that the "
                "customer usually pays in time is expected on the due date, the rest later, on average as late as "
                "this customer is when late. New customers count like the average. Left out: what is disputed, "
                "excluded, covered by credits, or more than three times as late as usual. The range: in about two "
                "weeks out of three the money should lie within it; its lower end counts promises as far as they "
                "were kept in the last twelve months (%s).",
                self.env._("unknown yet, so in full") if ratio.by_amount is None else f"{ratio.by_amount:.0f} %",
            ),
        }

    @api.model
    def _get_campaigns(self, company):
        """Return how the running campaigns get on, those that end first first."""
        campaigns = self.env["collection.campaign"].search(
            [("company_id", "=", company.id), ("state", "=", "running")], order="date_end, id", limit=CAMPAIGNS
        )
        return [
            {
                "id": campaign.id,
                "name": campaign.name,
                "until": format_date(self.env, campaign.date_end),
                "collected": campaign.collected_amount,
                "initial": campaign.initial_amount,
                "collected_share": campaign.collected_share,
                "contacted_share": campaign.contacted_share,
                "promised": campaign.promised_amount,
                "to_contact": campaign.to_contact_count,
                "action": self._get_record_action("collection.campaign", campaign.name, res_id=campaign.id),
            }
            for campaign in campaigns
        ]

    @api.model
    def _get_movers(self, company, today):
        """Return the customers whose score rose most in a month, or since it is known."""
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT debtor.id, partner.complete_name AS name, debtor.score, debtor.overdue_amount AS overdue,
                       debtor.score - past.score AS change,
                       debtor.overdue_amount - past.overdue_amount AS overdue_change
                  FROM collection_debtor debtor
                  JOIN res_partner partner ON partner.id = debtor.partner_id
          JOIN LATERAL (
                    SELECT history.score, history.overdue_amount
                      FROM collection_score_history history
                     WHERE history.debtor_id = debtor.id AND history.date < %(today)s
                  ORDER BY history.date <= %(since)s DESC,
                           CASE WHEN history.date <= %(since)s THEN history.date END DESC,
                           history.date,
                           history.id
                     LIMIT 1
                  ) past ON TRUE
                 WHERE debtor.company_id = %(company)s
                   AND debtor.active
                   AND debtor.claimable_amount > 0
                   AND debtor.score > past.score
              ORDER BY debtor.score - past.score DESC, debtor.overdue_amount - past.overdue_amount DESC, debtor.id
                 LIMIT %(limit)s
                """,
                company=company.id,
                today=today,
                since=today - timedelta(days=MOVER_DAYS),
                limit=MOVERS,
            )
        )
        for row in rows:
            row["action"] = self._get_record_action("collection.debtor", row["name"], res_id=row["id"])
        return rows
