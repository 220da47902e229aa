from collections import defaultdict
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools import metrics
from ...tools.aging import BUCKETS

# How far back sales are looked at: two years, as far as a DSO by counting back ever makes sense.
SALES_MONTHS = 24
# What becomes a receivable by a sale.
SALES_TYPES = ("out_invoice", "out_receipt", "out_refund")


class CollectionMetrics(models.AbstractModel):
    """Reads the figures of receivables from the ledger, as of any day, with SQL over sets.

    What was open on a past day is computed from the dates of reconciliations: what was settled later
    was still open then. Amounts are in company currency. The formulas are in ``tools/metrics.py``.

    Each method reads one company and takes the same filters: ``partners`` (commercial partners) and
    ``domain`` (on ``account.move.line``); all items without. Nothing here checks rights: callers do.
    The number of statements never depends on how many items there are.
    """

    _name = "collection.metrics"
    _description = "Figures of Receivables"

    # === BUSINESS METHODS - ALL FIGURES === #

    @api.model
    def _get_figures(self, company, day=None, partners=None, domain=None):
        """Return every figure of a company, or of some of its customers, as of a day.

        :param company: one ``res.company``.
        :param date day: any day; today on the company's clock when ``None``.
        :return: ``tools.metrics.Figures``.
        """
        day = day or company._collection_today()
        return self._get_figures_by_day(company, [day], partners, domain)[day]

    @api.model
    def _get_figures_by_day(self, company, days, partners=None, domain=None):
        """Return ``{day: tools.metrics.Figures}``: five statements, and at most two for each day."""
        company.ensure_one()
        if not days:
            return {}
        self = self._flushed()  # noqa: PLW0642 - once for all that is read below
        first, last = min(days), max(days)
        month_start = first.replace(day=1)
        since = month_start - relativedelta(months=SALES_MONTHS - 1)
        first_day = self._get_first_day(company, partners, domain)
        first_sale = self._get_first_day(company, partners, domain, of_sales=True)
        sales = self._get_sales_by_day(company, since, last, partners, domain)
        cash = self._get_cash_by_day(company, month_start, last, partners, domain)
        payments = self._get_payments_by_day(company, month_start, last, partners, domain)
        openings = {day: day.replace(day=1) - timedelta(days=1) for day in days}
        positions = {
            day: self._read_position(company, day, partners, domain) for day in sorted({*days, *openings.values()})
        }
        figures = {}
        for day in days:
            start = day.replace(day=1)
            position, promised, disputed = positions[day]
            figures[day] = metrics.Figures(
                day=day,
                position=position,
                opening=positions[openings[day]][0],
                # Before the first invoice sales are unknown, not zero: an opening entry says nothing about them.
                months=self._get_months(sales, day, first_sale if first_sale and first_sale <= day else first_day),
                collected=self._sum_between(cash, start, day),
                payments=metrics.Payments(
                    *(
                        self._sum_between({key: row[column] for key, row in payments.items()}, start, day)
                        for column in range(3)
                    )
                ),
                promised=promised,
                disputed=disputed,
            )
        return figures

    @api.model
    def _flushed(self):
        """Return this model after all that is pending was written, which is done once for several figures."""
        if not self.env.context.get("collection_flushed"):
            self.env.flush_all()
        return self.with_context(collection_flushed=True)

    @api.model
    def _sum_between(self, amounts, first, last):
        """Return the sum of the amounts of a period.

        :param dict amounts: ``{day: amount}``.
        :param date first: first day, included.
        :param date last: last day, included.
        """
        return sum((amount for day, amount in amounts.items() if first <= day <= last), 0.0)

    @api.model
    def _get_months(self, sales, day, known_since):
        """Return sales by month up to a day, the newest first, back to the first month that is known.

        :param dict sales: ``{day: amount}``.
        :param date known_since: the day of the first sale, else of the first entry; ``None`` when there is none.
        :return: tuple of ``tools.metrics.Month``.
        """
        if not known_since:
            return ()
        by_month = defaultdict(float)
        for sales_day, amount in sales.items():
            if sales_day <= day:
                by_month[sales_day.replace(day=1)] += amount
        months, start, end = [], day.replace(day=1), day
        while end >= known_since and len(months) < SALES_MONTHS:
            months.append(metrics.Month(by_month[start], (end - start).days + 1))
            start, end = start - relativedelta(months=1), start - timedelta(days=1)
        return tuple(months)

    # === BUSINESS METHODS - FILTERS === #

    @api.model
    def _get_filter_sql(self, partners, domain):
        """Return SQL that limits journal items, called ``line``, to some customers and to a domain."""
        conditions = []
        if partners is not None:
            conditions.append(
                SQL(
                    "AND line.partner_id IN (SELECT id FROM res_partner WHERE commercial_partner_id = ANY(%s))",
                    partners.ids,
                )
            )
        if domain:
            query = self.env["account.move.line"].sudo().with_context(active_test=False)._search(Domain(domain))
            conditions.append(SQL("AND line.id IN %s", query.subselect()))
        return SQL(" ").join(conditions)

    @api.model
    def _get_receivable_sql(self, company, partners=None, domain=None):
        """Return SQL conditions on trade receivable journal items, called ``line``."""
        return SQL(
            "%s %s",
            self.env["collection.ledger"]._get_receivable_sql(company),
            self._get_filter_sql(partners, domain),
        )

    # === BUSINESS METHODS - WHAT WAS OPEN === #

    @api.model
    def _get_item_sql(self, company, day, partners=None, domain=None):
        """Return SQL with one row per trade receivable item that was open at the end of a day.

        See ``collection.ledger._get_balance_sql``; items without a customer are among them.
        """
        return self.env["collection.ledger"]._get_balance_sql(
            company, day, filters=self._get_filter_sql(partners, domain)
        )

    @api.model
    def _get_part_sql(self, company, day, model):
        """Return SQL with the parts of items that were under a promise or dispute at the end of a day.

        Columns: ``move_line_id``, ``amount`` (in the item's currency).

        As of today they are what the debtors show, see ``collection.ledger``.

        :param str model: ``collection.promise`` or ``collection.dispute``.
        """
        if day >= company._collection_today():
            ledger = self.env["collection.ledger"]
            is_promise = model == "collection.promise"
            return ledger._get_promised_parts_sql(company) if is_promise else ledger._get_disputed_parts_sql(company)
        if model == "collection.promise":
            said_on, ended_on = SQL("document.promised_on"), SQL("document.settled_date")
            is_open = SQL("document.state = 'open'")
        else:
            said_on, ended_on = SQL("document.opened_on"), SQL("document.closed_date")
            # The customer is right: nobody may ask for it, until it is credited.
            is_open = SQL("document.state IN ('open', 'accepted')")
        line = self.env[f"{model}.line"]
        return SQL(
            """
            SELECT part.move_line_id, SUM(%(left)s) AS amount
              FROM %(lines)s part
              JOIN %(documents)s document ON document.id = part.%(document_id)s
             WHERE document.company_id = %(company)s
               AND part.move_line_id IS NOT NULL
               AND %(said_on)s <= %(day)s
               AND (%(is_open)s OR COALESCE(
                    %(ended_on)s, (document.state_date AT TIME ZONE 'UTC' AT TIME ZONE %(tz)s)::date
               ) > %(day)s)
          GROUP BY part.move_line_id
            """,
            left=self._get_part_left_sql(company, day, model),
            lines=SQL.identifier(line._table),
            documents=SQL.identifier(self.env[model]._table),
            document_id=SQL.identifier(line._document_field),
            company=company.id,
            day=day,
            tz=company._get_collection_tz(),
            said_on=said_on,
            ended_on=ended_on,
            is_open=is_open,
        )

    @api.model
    def _get_part_left_sql(self, company, day, model):
        """Return SQL for what was left of a part at the end of a day, in the item's currency.

        Money settles a promise, credit notes a dispute: paying all the rest leaves the disputed part as it is.
        What the documents count as settled is allocated among several on the same item; what came later than
        that day is subtracted. Returned payments were never counted.

        :param str model: ``collection.promise`` or ``collection.dispute``; its lines are called ``part``, itself
            ``document``.
        """
        ledger = self.env["collection.ledger"]
        is_cash = model == "collection.promise"
        amount = SQL("partial.debit_amount_currency")
        if is_cash:
            amount = ledger._get_cash_sql(amount, SQL("credit.move_id"), SQL("currency.decimal_places"))
        return SQL(
            """
            GREATEST(part.amount - GREATEST(COALESCE(part.settled_amount, 0) - COALESCE((
                SELECT SUM(%(amount)s)
                  FROM account_partial_reconcile partial
                  JOIN account_move_line credit ON credit.id = partial.credit_move_id
                  JOIN res_currency currency ON currency.id = partial.debit_currency_id
                 WHERE partial.debit_move_id = part.move_line_id
                   AND partial.id > document.start_partial_id
                   AND partial.max_date > %(day)s
                   AND credit.parent_state = 'posted'
                   AND (credit.journal_id IN %(journals)s) = %(is_cash)s
                   AND credit.id NOT IN (%(returned)s)
            ), 0), 0), 0)
            """,
            amount=amount,
            day=day,
            journals=ledger._get_cash_journal_ids(company),
            is_cash=is_cash,
            returned=ledger._get_returned_ids_sql(company),
        )

    @api.model
    def _get_bucket_sql(self, day, due_date):
        """Return SQL with the number of the aging bucket of a due date: its position in ``tools.aging.BUCKETS``."""
        first_days = [first_day for _code, first_day in BUCKETS if first_day is not None]
        return SQL("WIDTH_BUCKET((%s)::date - %s, %s)", day, due_date, first_days)

    @api.model
    def _get_position_rows(self, company, day, partners, domain, key=None):
        """Return ``[(key, bucket or None for credits, amount, late product, days, items, promised, disputed)]``."""
        self._flushed()
        ledger = self.env["collection.ledger"]
        return self.env.execute_query(
            SQL(
                """
                SELECT key, bucket, SUM(residual), SUM(residual * GREATEST(%(day)s - due_date, 0)),
                       SUM(GREATEST(%(day)s - due_date, 0)), COUNT(*), SUM(promised), SUM(disputed)
                  FROM (
                    SELECT %(key)s AS key,
                           CASE WHEN NOT item.is_credit THEN %(bucket)s END AS bucket,
                           item.due_date,
                           item.residual,
                           item.disputed,
                           item.promised
                      FROM (%(items)s) item
                  ) part
              GROUP BY key, bucket
                """,
                key=key or SQL("NULL::int"),
                day=day,
                bucket=self._get_bucket_sql(day, SQL("item.due_date")),
                items=ledger._get_withheld_sql(
                    company,
                    self._get_item_sql(company, day, partners, domain),
                    self._get_part_sql(company, day, "collection.dispute"),
                    self._get_part_sql(company, day, "collection.promise"),
                ),
            )
        )

    @api.model
    def _make_position(self, company, rows):
        """Return ``(Position, promised, disputed)`` from rows without key; see ``_get_position_rows``."""
        buckets = dict.fromkeys(metrics.BUCKET_CODES, 0.0)
        credits = late_product = promised = disputed = 0.0
        late_days = late_count = 0
        for bucket, amount, product, days, count, promised_part, disputed_part in rows:
            promised += promised_part
            disputed += disputed_part
            if bucket is None:
                credits -= amount
            else:
                code = metrics.BUCKET_CODES[bucket]
                buckets[code] += amount
                late_product += product
                if code != "not_due":
                    late_days += days
                    late_count += count
        rounded = company.currency_id.round
        position = metrics.Position(
            {code: rounded(amount) for code, amount in buckets.items()},
            rounded(credits),
            late_product,
            late_days,
            late_count,
        )
        return position, rounded(promised), rounded(disputed)

    @api.model
    def _read_position(self, company, day, partners=None, domain=None):
        """Return ``(Position, promised, disputed)`` as of a day. One statement."""
        rows = self._get_position_rows(company, day, partners, domain)
        return self._make_position(company, [row[1:] for row in rows])

    @api.model
    def _get_position(self, company, day, partners=None, domain=None):
        """Return what customers owed at the end of a day, by days past due: ``tools.metrics.Position``."""
        return self._read_position(company, day, partners, domain)[0]

    @api.model
    def _get_positions_by_partner(self, company, day, partners=None, domain=None):
        """Return ``{id of the commercial partner: Position}`` for all who owed something. One statement."""
        groups = defaultdict(list)
        for key, *row in self._get_position_rows(company, day, partners, domain, SQL("item.partner_id")):
            groups[key].append(row)
        return {key: self._make_position(company, rows)[0] for key, rows in groups.items()}

    @api.model
    def _get_roll_rates(self, company, opening_day, closing_day, partners=None, domain=None):
        """Return ``{bucket: percent that rolled on}`` between two days; see ``tools.metrics.roll_rates``."""
        self._flushed()
        rows = self.env.execute_query(
            SQL(
                """
                WITH closing AS MATERIALIZED (%(closing)s)
                SELECT opening_bucket, closing_bucket, SUM(opening), SUM(closing)
                  FROM (
                    SELECT %(opening_bucket)s AS opening_bucket,
                           %(closing_bucket)s AS closing_bucket,
                           opening.residual AS opening,
                           LEAST(GREATEST(COALESCE(closing.residual, 0), 0), opening.residual) AS closing
                      FROM (%(opening)s) opening
                 LEFT JOIN closing ON closing.item_id = opening.item_id
                     WHERE NOT opening.is_credit
                  ) item
              GROUP BY opening_bucket, closing_bucket
                """,
                opening_bucket=self._get_bucket_sql(opening_day, SQL("opening.due_date")),
                closing_bucket=self._get_bucket_sql(closing_day, SQL("opening.due_date")),
                opening=self._get_item_sql(company, opening_day, partners, domain),
                closing=self._get_item_sql(company, closing_day, partners, domain),
            )
        )
        codes = metrics.BUCKET_CODES
        return metrics.roll_rates(metrics.Move(codes[row[0]], codes[row[1]], row[2], row[3]) for row in rows)

    # === BUSINESS METHODS - SALES AND CASH === #

    @api.model
    def _get_first_day(self, company, partners=None, domain=None, of_sales=False):
        """Return the day of the first trade receivable entry, or ``None``: how far back anything is known.

        :param bool of_sales: of the first invoice or credit note instead.
        """
        self._flushed()
        [[first]] = self.env.execute_query(
            SQL(
                "SELECT MIN(line.date) FROM account_move_line line %s WHERE %s %s",
                SQL("JOIN account_move move ON move.id = line.move_id") if of_sales else SQL(),
                self._get_receivable_sql(company, partners, domain),
                SQL("AND move.move_type IN %s", SALES_TYPES) if of_sales else SQL(),
            )
        )
        return first

    @api.model
    def _get_sales_by_day(self, company, first, last, partners=None, domain=None):
        """Return ``{day: credit sales}``: invoices and receipts less credit notes, with taxes, by accounting date.

        Only what became a trade receivable counts, so that sales and receivables are of the same customers.
        """
        self._flushed()
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT line.date, SUM(line.balance)
                      FROM account_move_line line
                      JOIN account_move move ON move.id = line.move_id
                     WHERE %(receivable)s
                       AND line.date BETWEEN %(first)s AND %(last)s
                       AND move.move_type IN %(sales)s
                  GROUP BY line.date
                    """,
                    sales=SALES_TYPES,
                    receivable=self._get_receivable_sql(company, partners, domain),
                    first=first,
                    last=last,
                )
            )
        )

    @api.model
    def _get_cash_sql(self, company, first, last, partners=None, domain=None):
        """Return SQL with one row per receivable item that money made: ``id``, ``partner_id``, ``date``, ``amount``.

        Money on account counts on the day it came in. Money that went back counts as negative on the day on which it
        went: refunds to the customer, and payments that the bank returns. Where nothing was booked for that, since a
        payment was only rejected, it never came in. What a payment entry wrote off, granted as discount or lost as
        bank fees did not come in either.
        """
        return SQL(
            """
            SELECT item.id, partner.commercial_partner_id AS partner_id, item.date, %(cash)s AS amount
              FROM (
                SELECT line.id, line.move_id, line.partner_id, line.date, -line.balance AS amount
                  FROM account_move_line line
                 WHERE %(receivable)s
                   AND line.journal_id IN %(journals)s
                   AND line.date BETWEEN %(first)s AND %(last)s
                   AND line.id NOT IN (%(void)s)
              ) item
         LEFT JOIN res_partner partner ON partner.id = item.partner_id
            """,
            cash=self.env["collection.ledger"]._get_cash_sql(
                SQL("item.amount"), SQL("item.move_id"), SQL("%s", company.currency_id.decimal_places)
            ),
            receivable=self._get_receivable_sql(company, partners, domain),
            journals=self.env["collection.ledger"]._get_cash_journal_ids(company),
            void=self.env["collection.ledger"]._get_void_sql(company),
            first=first,
            last=last,
        )

    @api.model
    def _get_cash_by_day(self, company, first, last, partners=None, domain=None):
        """Return ``{day: cash that came in from customers}``, money sent back deducted."""
        self._flushed()
        cash = self._get_cash_sql(company, first, last, partners, domain)
        return dict(self.env.execute_query(SQL("SELECT date, SUM(amount) FROM (%s) cash GROUP BY date", cash)))

    @api.model
    def _get_payments_by_day(self, company, first, last, partners=None, domain=None):
        """Return how long customers took, for the cash that settled items on each day.

        Only cash that stayed counts: credit notes, write-offs and payments that came back say nothing about how a
        customer pays. Neither do exchange differences and money sent back, which nobody was invoiced for.

        :return: ``{day: (amount, Σ amount × days since the invoice, Σ amount × days since the due date)}``;
            the day is that of the reconciliation.
        """
        self._flushed()
        ledger = self.env["collection.ledger"]
        rows = self.env.execute_query(
            SQL(
                """
                SELECT settled_on, SUM(amount), SUM(amount * days_to_pay), SUM(amount * delay)
                  FROM (
                    SELECT settled.settled_on,
                           settled.company_money AS amount,
                           settled.date - COALESCE(line.invoice_date, line.date) AS days_to_pay,
                           settled.date - COALESCE(line.date_maturity, line.date) AS delay
                      FROM (%(settlements)s) settled
                      JOIN account_move_line line ON line.id = settled.item_id
                     WHERE settled.is_cash
                       AND NOT settled.is_returned
                       AND line.journal_id NOT IN %(not_invoiced)s
                       AND %(receivable)s
                  ) payment
              GROUP BY settled_on
                """,
                settlements=ledger._get_settlement_sql(company, SQL("partial.max_date BETWEEN %s AND %s", first, last)),
                receivable=self._get_receivable_sql(company, partners, domain),
                not_invoiced=ledger._get_not_invoiced_journal_ids(company),
            )
        )
        return {day: tuple(values) for day, *values in rows}

    # === BUSINESS METHODS - WHAT FOLLOWING UP ACHIEVES === #

    @api.model
    def _get_document_partner_sql(self, partners):
        return SQL() if partners is None else SQL("AND document.partner_id = ANY(%s)", partners.ids)

    @api.model
    def _get_promise_ratio(self, company, first, last, partners=None):
        """Return how promises were kept whose last day (grace included) lies in a period and has passed.

        Amounts are in company currency. A promise that was settled by a late booking counts as kept:
        the day of the money decides, not that of the booking.

        :return: ``tools.metrics.PromiseRatio``.
        """
        self._flushed()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT document.state, document.deadline, document.company_amount,
                       document.settled_amount * document.company_amount / NULLIF(document.amount, 0)
                  FROM collection_promise document
                 WHERE document.company_id = %(company)s
                   AND document.deadline BETWEEN %(first)s AND %(last)s
                   %(filters)s
                """,
                company=company.id,
                first=first,
                last=last,
                filters=self._get_document_partner_sql(partners),
            )
        )
        results = (metrics.PromiseResult(*row[:3], row[3] or 0.0) for row in rows)
        return metrics.promise_kept_ratio(results, last + timedelta(days=1))

    @api.model
    def _get_contact_rates(self, company, first, last, partners=None):
        """Return the rates of the calls made in a period: ``tools.metrics.ContactRates``."""
        self._flushed()
        [row] = self.env.execute_query(
            SQL(
                """
                SELECT COUNT(*),
                       COUNT(*) FILTER (WHERE document.is_reached),
                       COUNT(*) FILTER (WHERE document.outcome = 'right_person'),
                       COUNT(*) FILTER (WHERE document.outcome = 'right_person' AND document.promise_id IS NOT NULL)
                  FROM collection_action document
                 WHERE document.company_id = %(company)s
                   AND document.state = 'done'
                   AND document.channel = 'call'
                   AND (document.date_done AT TIME ZONE 'UTC' AT TIME ZONE %(tz)s)::date
                       BETWEEN %(first)s AND %(last)s
                   %(filters)s
                """,
                company=company.id,
                tz=company._get_collection_tz(),
                first=first,
                last=last,
                filters=self._get_document_partner_sql(partners),
            )
        )
        return metrics.contact_rates(*row)

    @api.model
    def _get_dispute_figures(self, company, first, last, partners=None):
        """Return disputes open at the end of a period, and how those closed within it ended.

        :return: ``tools.metrics.DisputeFigures``; reasons are ids, amounts in company currency.
        """
        self._flushed()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT CASE WHEN document.closed_date > %(last)s THEN 'open' ELSE document.state END,
                       document.reason_id,
                       COALESCE(SUM(part.company_amount * %(left)s / NULLIF(part.amount, 0)), 0),
                       document.opened_on,
                       document.closed_date
                  FROM collection_dispute document
             LEFT JOIN collection_dispute_line part ON part.dispute_id = document.id
                 WHERE document.company_id = %(company)s
                   AND document.opened_on <= %(last)s
                   AND (document.closed_date IS NULL OR document.closed_date >= %(first)s)
                   %(filters)s
              GROUP BY document.id
                """,
                left=self._get_part_left_sql(company, last, "collection.dispute"),
                company=company.id,
                first=first,
                last=last,
                filters=self._get_document_partner_sql(partners),
            )
        )
        return metrics.dispute_figures([metrics.DisputeResult(*row) for row in rows])

    @api.model
    def _get_month_end(self, day: date):
        """Return the last day of the month before the one of ``day``: the last month that is over."""
        return day.replace(day=1) - timedelta(days=1)
