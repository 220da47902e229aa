"""The refresh of debtors, beside the bare SQL of the same statement and beside the least that one could compute."""

import random
from unittest.mock import patch

from .stopwatch import Task

SAMPLE_SIZES = (1, 100, 1_000)

# The columns that any follow-up needs, by one statement written for nothing else.
LEAST_TABLE = """
    CREATE TABLE bench.least (
        partner_id int PRIMARY KEY, overdue numeric, items int, largest numeric, days_late int,
        credit numeric, average_days_late numeric, late_share numeric
    )
"""
LEAST = """
    WITH owed AS (
        SELECT partner.commercial_partner_id AS partner_id,
               SUM(line.amount_residual) FILTER (WHERE late) AS overdue,
               COUNT(*) FILTER (WHERE late) AS items,
               MAX(line.amount_residual) FILTER (WHERE late) AS largest,
               CURRENT_DATE - MIN(line.date_maturity) FILTER (WHERE late) AS days_late,
               -SUM(line.amount_residual) FILTER (WHERE line.amount_residual < 0) AS credit
          FROM account_move_line line
          JOIN res_partner partner ON partner.id = line.partner_id,
               LATERAL (SELECT line.amount_residual > 0 AND line.date_maturity < CURRENT_DATE AS late) judged
         WHERE line.account_id = ANY(%(accounts)s) AND line.reconciled IS NOT TRUE
           AND line.parent_state = 'posted' AND line.company_id = %(company)s
      GROUP BY 1
    ),
    paid AS (
        SELECT partner.commercial_partner_id AS partner_id,
               SUM(partial.amount * late.days) / SUM(partial.amount) AS average_days_late,
               100 * SUM(partial.amount) FILTER (WHERE late.days > 0) / SUM(partial.amount) AS late_share
          FROM account_partial_reconcile partial
          JOIN account_move_line debit ON debit.id = partial.debit_move_id
          JOIN res_partner partner ON partner.id = debit.partner_id,
               LATERAL (SELECT GREATEST(partial.max_date - debit.date_maturity, 0) AS days) late
         WHERE partial.max_date >= CURRENT_DATE - interval '12 months'
           AND debit.account_id = ANY(%(accounts)s) AND debit.company_id = %(company)s
      GROUP BY 1
    )
    INSERT INTO bench.least AS old
    SELECT partner_id, COALESCE(overdue, 0), COALESCE(items, 0), COALESCE(largest, 0), COALESCE(days_late, 0),
           COALESCE(credit, 0), COALESCE(average_days_late, 0), COALESCE(late_share, 0)
      FROM owed FULL JOIN paid USING (partner_id)
    ON CONFLICT (partner_id) DO UPDATE
       SET (overdue, items, largest, days_late, credit, average_days_late, late_share)
           = (excluded.overdue, excluded.items, excluded.largest, excluded.days_late, excluded.credit,
              excluded.average_days_late, excluded.late_share)
     WHERE (old.*) IS DISTINCT FROM (excluded.*)
"""


def measure(env, stopwatch):
    """Measure full refreshes, then those of some debtors, then one after a payment."""
    _Refresh(env, stopwatch).measure()


class _Refresh:
    def __init__(self, env, stopwatch):
        self.env = env
        self.company = env.company
        self.debtors = env["collection.debtor"]
        self.stopwatch = stopwatch
        self.random = random.Random(19)
        self.accounts = self.company._get_collection_receivable_accounts().ids
        self.bare = None
        self.sample = env["res.partner"]

    def measure(self):
        self._make_bare_tables()
        self._measure_full("first full refresh", self._empty)
        self._refresh()
        self._run_bare()
        self._run_least()
        self.env.cr.execute("ANALYZE collection_debtor, collection_score_history, bench.debtor, bench.least")
        self.env.cr.commit()
        self._measure_full("full refresh, nothing changed", lambda: None)
        self._measure_samples()
        self._measure_payment()
        self._measure_full("full refresh, all rows differ", self._disturb)  # last, since it bloats the tables

    # -- the statement without Odoo around it --

    def _make_bare_tables(self):
        """Make tables with the written columns and nothing else, and the statement that fills one."""
        statement = self._record_statement()
        head, _found, rest = statement.partition(")")
        columns = head.partition("(")[2]
        self.bare = f"INSERT INTO bench.debtor AS debtor ({columns}){rest}"
        for query in (
            f"CREATE TABLE bench.debtor AS SELECT {columns} FROM collection_debtor WITH NO DATA",
            "ALTER TABLE bench.debtor ADD id serial PRIMARY KEY",
            "CREATE UNIQUE INDEX ON bench.debtor (company_id, partner_id)",
            LEAST_TABLE,
        ):
            self.env.cr.execute(query)
        self.env.cr.commit()

    def _record_statement(self):
        """Return the text of the one statement that a refresh of all customers sends."""
        cr = self.env.cr
        sent = []

        def execute(query, params=None, log_exceptions=True):
            code, values = (query.code, query.params) if hasattr(query, "code") else (query, params)
            sent.append(cr._obj.mogrify(code, values or None).decode())
            return original(query, params, log_exceptions)

        original = cr.execute
        with patch.object(cr, "execute", execute):
            self._refresh()
        cr.rollback()
        [statement] = [text for text in sent if text.strip().startswith("INSERT INTO collection_debtor ")]
        return statement

    # -- what is measured --

    def _refresh(self):
        self.debtors._refresh(self.company)

    def _run_bare(self):
        # Straight to psycopg2: Odoo's cursor would count and log.
        self.env.cr._obj.execute(self.bare)
        self.env.cr._obj.fetchall()

    def _run_least(self):
        self.env.cr._obj.execute(LEAST, {"accounts": self.accounts, "company": self.company.id})

    def _empty(self):
        self.env.cr.execute("TRUNCATE collection_debtor, bench.debtor, bench.least CASCADE")

    def _disturb(self):
        for table, column in (
            ("collection_debtor", "overdue_amount"),
            ("bench.debtor", "overdue_amount"),
            ("bench.least", "overdue"),
        ):
            self.env.cr.execute(f"UPDATE {table} SET {column} = {column} - 1")

    def _measure_full(self, work, prepare):
        ours, bare, least = self.stopwatch.measure(
            Task(work, self.env, self._refresh, prepare),
            Task("… its statement into a bare table", self.env, self._run_bare, prepare),
            Task("… least statement, 7 figures", self.env, self._run_least, prepare),
        )
        self.stopwatch.compare("… refresh to its bare statement", ours, bare, budget=1.5)
        self.stopwatch.compare("… refresh to the least statement", ours, least)

    def _measure_samples(self):
        for count in SAMPLE_SIZES:
            self.stopwatch.measure(
                Task(
                    f"refresh of {count:,} debtors" if count > 1 else "refresh of 1 debtor",
                    self.env,
                    lambda: self.debtors._refresh(self.company, self.sample),
                    lambda count=count: self._draw(count),
                    is_constant=count == 1,
                )
            )

    def _draw(self, count):
        self.env.cr.execute("SELECT partner_id FROM bench.customer")
        partner_ids = [row[0] for row in self.env.cr.fetchall()]
        self.sample = self.env["res.partner"].browse(self.random.sample(partner_ids, count))

    def _measure_payment(self):
        self.stopwatch.measure(
            Task(
                "refresh after one payment, with promises and cases",
                self.env,
                lambda: self.debtors._synchronize(self.company, self.sample),
                self._pay,
                is_constant=True,
            )
        )

    def _pay(self):
        """Have a random customer pay a random invoice."""
        self.env.cr.execute(
            """SELECT id FROM account_move
                WHERE move_type = 'out_invoice' AND payment_state = 'not_paid' AND id %% %s = 0 LIMIT 1""",
            [self.random.randrange(20, 60)],
        )
        invoice = self.env["account.move"].browse(self.env.cr.fetchone())
        context = {"active_model": "account.move", "active_ids": invoice.ids}
        self.env["account.payment.register"].with_context(**context).create({}).action_create_payments()
        self.sample = invoice.commercial_partner_id
