from datetime import timedelta

from babel.numbers import format_percent
from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL, format_amount, formatLang
from odoo.tools.misc import babel_locale_parse, format_date, get_lang

from ...tools.aging import BUCKETS

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
        self._check_may_read_all()
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

        :param int week: 0 for the present week, -1 for what is too late for any habit.
        """
        self._check_may_read_all()
        company = self.env.company
        self.env.flush_all()
        today = company._collection_today()
        name = self.env._("Too late for any habit")
        if week >= 0:
            name = self.env._("Expected: %s", self._get_week_label(today, week))
        return self._get_item_action(company, name, [("id", "in", self._get_week_item_ids(company, today, week))])

    # === BUSINESS METHODS === #

    def _check_may_read_all(self):
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
    def _get_tables_sql(self, company, today):
        """Return SQL of common tables on which everything about open items is built.

        ``item``: the open items, with ``late`` and what is ``free``: neither disputed, promised nor on its way.
        ``customer``: what may be claimed of each customer, as the debtor shows it; the share of the items that
        credits leave (``net_share``); and how they pay: ``late_share`` (0 to 1) of what they pay comes late,
        ``late_days`` after the due date on average. Customers without a history pay like the others.
        """
        ledger = self.env["collection.ledger"].sudo()
        return SQL(
            """
            item AS MATERIALIZED (
                SELECT item_id, partner_id, currency_id, due_date, excluded, late, is_credit,
                       residual::float, disputed::float, claimable::float,
                       CASE WHEN is_credit THEN 0 ELSE residual - disputed - promised - announced END::float AS free
                  FROM (%(items)s) open_item
            ),
            owed AS (
                SELECT partner_id,
                       SUM(residual) AS net,
                       SUM(residual) FILTER (WHERE NOT is_credit) AS owed,
                       SUM(claimable) FILTER (WHERE late) AS claimable
                  FROM item
              GROUP BY partner_id
            ),
            customer AS MATERIALIZED (
                SELECT owed.partner_id,
                       CASE WHEN debtor.insolvency THEN 0 ELSE COALESCE(owed.claimable, 0) END AS claimable,
                       CASE WHEN debtor.insolvency OR owed.owed IS NULL THEN 0
                            ELSE GREATEST(owed.net, 0) / owed.owed END AS net_share,
                       CASE WHEN debtor.paid_item_count > 0 THEN debtor.late_share
                            ELSE everybody.late_share END::float / 100 AS late_share,
                       GREATEST(COALESCE(
                           CASE WHEN debtor.paid_item_count > 0
                                THEN debtor.average_days_late / NULLIF(debtor.late_share / 100, 0) END,
                           everybody.late_days
                       ), 1)::float AS late_days
                  FROM owed
             LEFT JOIN collection_debtor debtor
                    ON debtor.partner_id = owed.partner_id AND debtor.company_id = %(company)s
            CROSS JOIN (
                    SELECT COALESCE(SUM(late_share * paid_item_count) / NULLIF(SUM(paid_item_count), 0), 50)
                               AS late_share,
                           COALESCE(
                               100 * SUM(average_days_late * paid_item_count)
                               / NULLIF(SUM(late_share * paid_item_count), 0), 15
                           ) AS late_days
                      FROM collection_debtor
                     WHERE company_id = %(company)s AND paid_item_count > 0
                  ) everybody
            )
            """,
            today=today,
            items=ledger._get_claim_sql(company, None, today, ledger._get_money_on_its_way(company).amounts),
            company=company.id,
        )

    @api.model
    def _get_expected_item_sql(self, today):
        """Return SQL with the items of which something is expected by habit: those that nothing else speaks for.

        Columns: ``item_id``, ``partner_id``, ``amount``, ``late``, ``late_share``, ``late_days``, and ``day``, from
        which on it is awaited: the due date, today for what is late, ``-infinity`` for what is too late for any
        habit.
        """
        return SQL(
            """
            SELECT item.item_id, item.partner_id, item.free * customer.net_share AS amount,
                   customer.late_share, customer.late_days, item.late,
                   CASE WHEN NOT item.late THEN item.due_date
                        WHEN %(today)s - item.due_date > %(beyond)s * customer.late_days THEN '-infinity'::date
                        ELSE %(today)s END AS day
              FROM item
              JOIN customer ON customer.partner_id = item.partner_id
             WHERE item.free > 0 AND NOT item.excluded AND customer.net_share > 0
            """,
            today=today,
            beyond=BEYOND,
        )

    @api.model
    def _get_calendar_sql(self, today):
        """Return SQL with the weeks: ``week`` (0 for the present one), ``first`` and ``last`` of its days to come."""
        return SQL(
            """
            SELECT week, GREATEST(%(monday)s::date + 7 * week, %(today)s) AS first,
                   %(monday)s::date + 7 * week + 6 AS last
              FROM GENERATE_SERIES(0, %(weeks)s - 1) week
            """,
            monday=today - timedelta(days=today.weekday()),
            today=today,
            weeks=WEEKS,
        )

    @api.model
    def _get_chance_sql(self):
        """Return SQL for the chance that an amount comes in within a week, of which ``first`` and ``last`` are days.

        Of what isn't due yet, the share that this customer pays in time comes on its due date. The rest
        comes after it, on average ``late_days`` later, with an exponential delay. That has no memory: what is
        late already is expected as if it had become due today.
        """
        return SQL(
            """
            CASE WHEN late THEN 0 ELSE (1 - late_share) * (day BETWEEN first AND last)::int END
            + CASE WHEN late THEN 1 ELSE late_share END
            * (EXP(-GREATEST(first - day, 0) / late_days) - EXP(-(last + 1 - day) / late_days))
            """
        )

    @api.model
    def _read_items(self, company, today):
        """Read the open items once.

        :return: ``(totals, {bucket: amount}, {week: (amount, standard deviation)})``; week ``-1`` holds what is too
            late for any habit. For the deviation, a customer pays what is due on a day at once or not.
        """
        rows = self.env.execute_query(
            SQL(
                """
                WITH %(tables)s,
                expected AS MATERIALIZED (
                    SELECT day, late, MIN(late_share) AS late_share, MIN(late_days) AS late_days, SUM(amount) AS amount
                      FROM (%(items)s) expected_item
                  GROUP BY partner_id, day, late
                )
                SELECT 'item', NULL::int, SUM(residual) FILTER (WHERE late), COUNT(*)::float,
                       COUNT(*) FILTER (WHERE late)::float,
                       SUM(disputed) FILTER (WHERE late AND NOT excluded),
                       COUNT(*) FILTER (WHERE late AND NOT excluded AND disputed > 0)::float
                  FROM item
             UNION ALL
                SELECT 'customer', NULL, SUM(claimable), COUNT(*) FILTER (WHERE claimable > 0), NULL, NULL, NULL
                  FROM customer
             UNION ALL
                SELECT 'bucket', CASE WHEN NOT is_credit
                                      THEN WIDTH_BUCKET(%(today)s - due_date, %(first_days)s) ELSE -1 END,
                       SUM(residual), NULL, NULL, NULL, NULL
                  FROM item
              GROUP BY 2
             UNION ALL
                SELECT 'week', week, SUM(amount * chance), SQRT(SUM(amount * amount * chance * (1 - chance))),
                       NULL, NULL, NULL
                  FROM (
                    SELECT week, amount, LEAST(GREATEST(%(chance)s, 0), 1) AS chance
                      FROM expected
                      JOIN (%(calendar)s) calendar ON expected.day <= calendar.last
                     WHERE day > '-infinity'
                    -- Worked out once, though it is used several times.
                    OFFSET 0
                  ) part
              GROUP BY week
             UNION ALL
                SELECT 'week', -1, SUM(amount), NULL, NULL, NULL, NULL FROM expected WHERE day = '-infinity'
                """,
                tables=self._get_tables_sql(company, today),
                items=self._get_expected_item_sql(today),
                today=today,
                first_days=[first_day for _code, first_day in BUCKETS if first_day is not None],
                chance=self._get_chance_sql(),
                calendar=self._get_calendar_sql(today),
            )
        )
        totals, buckets, expected = {}, {}, {}
        for kind, key, *values in rows:
            amount, *others = (value or 0.0 for value in values)
            if kind == "item":
                names = ("overdue", "item_count", "late_count", "disputed", "dispute_count")
                totals |= dict(zip(names, (amount, *others), strict=True))
            elif kind == "customer":
                totals |= {"claimable": amount, "claim_count": others[0]}
            elif kind == "bucket":
                buckets["credit" if key < 0 else BUCKETS[key][0]] = company.currency_id.round(amount)
            else:
                expected[key] = (amount, others[0])
        for name in ("overdue", "disputed", "claimable"):
            totals[name] = company.currency_id.round(totals[name])
        return totals, buckets, expected

    @api.model
    def _get_week_item_ids(self, company, today, week):
        """Return the ids of the items of which something is expected in a week; see ``_read_items``."""
        if week < 0:
            is_awaited = SQL("day = '-infinity'")
        else:
            is_awaited = SQL("day <= last AND %s >= %s", self._get_chance_sql(), LEAST_CHANCE)
        rows = self.env.execute_query(
            SQL(
                """
                WITH %(tables)s
                SELECT item_id
                  FROM (
                    SELECT * FROM (%(items)s) expected_item WHERE amount > 0 AND (day = '-infinity') = %(is_beyond)s
                    OFFSET 0
                  ) expected
                  JOIN (%(calendar)s) calendar ON calendar.week = %(week)s
                 WHERE %(is_awaited)s
                """,
                tables=self._get_tables_sql(company, today),
                items=self._get_expected_item_sql(today),
                is_beyond=week < 0,
                calendar=self._get_calendar_sql(today),
                week=max(week, 0),
                is_awaited=is_awaited,
            )
        )
        return [item_id for [item_id] in rows]

    @api.model
    def _read_promises(self, company, today):
        """Return ``{week: (amount still to come, number)}`` of open promises; week 0 holds those of days past."""
        monday = today - timedelta(days=today.weekday())
        rows = self.env.execute_query(
            SQL(
                """
                SELECT (GREATEST(date, %(today)s) - %(monday)s) / 7,
                       SUM(company_pending_amount)::float,
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
    def _get_percent(self, value):
        """Write a number of percent as the user's language does."""
        return format_percent(value / 100, locale=babel_locale_parse(get_lang(self.env).code))

    @api.model
    def _get_customer_count(self, count):
        return self.env._("1 customer") if count == 1 else self.env._("%s customers", formatLang(self.env, count, 0))

    @api.model
    def _get_item_count(self, count):
        return self.env._("1 item") if count == 1 else self.env._("%s items", formatLang(self.env, count, 0))

    @api.model
    def _get_promise_count(self, count):
        return self.env._("1 promise") if count == 1 else self.env._("%s promises", formatLang(self.env, count, 0))

    @api.model
    def _get_tiles(self, company, today, totals, promised, trend):
        """Return the figures at the top: ``key``, ``label``, ``amount`` or ``text``, ``note``, ``action``."""
        promises = [("company_id", "=", company.id), ("state", "=", "open")]
        claimable, overdue, disputed = ([(f"{name}_amount", ">", 0)] for name in ("claimable", "overdue", "disputed"))
        return [
            {
                "key": "claimable",
                "label": self.env._("To claim"),
                "amount": totals["claimable"],
                "note": self._get_customer_count(int(totals["claim_count"])),
                "help": self.env._(
                    "What may be asked for today: overdue, less what is excluded, disputed, promised or covered "
                    "by credits."
                ),
                "action": self._get_item_action(company, self.env._("To claim"), claimable),
            },
            {
                "key": "overdue",
                "label": self.env._("Overdue"),
                "amount": totals["overdue"],
                "note": self._get_item_count(int(totals["late_count"])),
                "help": self.env._("Open items past their due date, before credits and disputes."),
                "action": self._get_item_action(company, self.env._("Overdue"), overdue),
            },
            {
                "key": "promised",
                "label": self.env._("Promised"),
                "amount": sum(amount for amount, _count in promised.values()),
                "note": self._get_promise_count(sum(count for _amount, count in promised.values())),
                "help": self.env._("Open promises to pay, for any day, less what has come in for them."),
                "action": self._get_record_action("collection.promise", self.env._("Promised"), promises),
            },
            {
                "key": "disputed",
                "label": self.env._("Disputed"),
                "amount": totals["disputed"],
                "note": self._get_item_count(int(totals["dispute_count"])),
                "help": self.env._("Overdue parts under a dispute that is open, or accepted and not yet credited."),
                "action": self._get_item_action(company, self.env._("Disputed"), disputed),
            },
            {
                "key": "dso",
                "label": self.env._("DSO"),
                "text": self.env._("%s days", trend["last"]) if trend["last"] else "–",
                "note": trend["note"],
                "help": self.env._(
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
        known = [row for row in (last, former) if row and row.dso_count_back is not False and not row.is_dso_more]
        # There is no difference between values that are lower bounds only.
        if len(known) == 2:
            change = last.dso_count_back - former.dso_count_back
            note = self.env._(
                "%(change)s since %(month)s",
                change=f"{'+' if change > 0 else ''}{formatLang(self.env, change, digits=1)}",
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
                    "label": format_date(self.env, first, date_format="d MMM") if week else self.env._("This week"),
                    "promised": promise,
                    "expected": amount,
                    "low": promise * kept + max(amount - spread, 0),
                    "high": promise + amount + spread,
                    "promise_action": self._get_record_action(
                        "collection.promise",
                        self.env._("Promised: %s", self._get_week_label(today, week)),
                        [("company_id", "=", company.id), ("state", "=", "open"), *domain],
                    ),
                }
            )
        return {
            "weeks": weeks,
            "beyond": expected.get(-1, (0.0, 0.0))[0],
            "method": self.env._(
                "Promised: open promises in the week of their day. By habit: of other open items, the share that the "
                "customer usually pays in time is expected on the due date, the rest later, on average as late as "
                "this customer is when late. New customers count like the average. Left out: what is disputed, "
                "excluded, covered by credits, or more than three times as late as usual. The range: in about two "
                "weeks out of three the money should lie within it; its lower end counts promises as far as they "
                "were kept in the last twelve months (%s).",
                self.env._("unknown yet, so in full")
                if ratio.by_amount is None
                else self._get_percent(ratio.by_amount),
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
                "until": self.env._("until %s", format_date(self.env, campaign.date_end)),
                "collected_share": campaign.collected_share,
                "progress": self.env._(
                    "%(collected)s of %(initial)s collected (%(share)s), %(promised)s promised; "
                    "customers still to contact: %(count)s",
                    collected=format_amount(self.env, campaign.collected_amount, company.currency_id),
                    initial=format_amount(self.env, campaign.initial_amount, company.currency_id),
                    share=self._get_percent(campaign.collected_share),
                    promised=format_amount(self.env, campaign.promised_amount, company.currency_id),
                    count=campaign.to_contact_count,
                ),
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
