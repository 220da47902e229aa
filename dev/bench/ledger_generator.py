"""Fill an Odoo 19 database with realistic French receivables, fast and reproducibly.

    python -m dev.bench.ledger_generator --db bench_s --partners 2000 --invoices 20000

The database must hold a French company (chart of accounts ``fr``) whose bank
journal posts customer payments to the bank account, and no journal entry yet:
see ``french_company.py``.  Everything is written by set-based SQL, without the ORM:
customers with a contact, posted invoices and credit notes with their lines and
VAT, payments, reconciliations, residuals and payment states, as Odoo itself
would have left them.

Every random draw is a hash of (seed, row key, salt), so the data depends only on
the arguments, not on query plans.  Dates are relative to ``--today``.

The table ``bench.customer`` stays behind with the payer type that drove each
customer's behaviour: it is the truth that a score can be judged against.

Not generated: chatter messages, followers, foreign currencies, several companies,
bank statement lines, invoices paid in instalments.
"""

import argparse
import contextlib
import datetime
import time

import psycopg2

# One invoice reserves this many journal item ids: income, VAT, receivable.
LINES_PER_MOVE = 3

TABLES = (
    "res_partner",
    "account_move",
    "account_move_line",
    "account_payment",
    "account_partial_reconcile",
    "account_full_reconcile",
    "account_move_line_account_tax_rel",
    "account_account_tag_account_move_line_rel",
)

FUNCTIONS = """
    -- Uniform draw in ]0, 1[ for a row key; `salt` separates independent draws.
    CREATE FUNCTION bench.u(key bigint, salt int) RETURNS float8
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT (((hashint8extended(key, %(seed)s::bigint * 1000 + salt) >> 12)
                 & ((1::bigint << 52) - 1)) + 0.5) / (1::bigint << 52)
    $$;
    -- Standard normal draw (Box-Muller).
    CREATE FUNCTION bench.z(key bigint, salt int) RETURNS float8
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT sqrt(-2 * ln(bench.u(key, salt))) * cos(2 * pi() * bench.u(key, salt + 500))
    $$;
    CREATE FUNCTION bench.euros(amount float8) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT round(amount::numeric, 2) $$;
    -- One of the texts of an array.
    CREATE FUNCTION bench.pick(choices text[], draw float8) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT choices[1 + floor(draw * cardinality(choices))::int]
    $$;
    -- A valid SIREN (Luhn key) from 8 digits.
    CREATE FUNCTION bench.siren(digits text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT digits || mod(10 - mod(sum(d / 10 + mod(d, 10)), 10), 10)
          FROM (SELECT substr(digits, i, 1)::int * (2 - mod(i, 2)) AS d
                  FROM generate_series(1, 8) i) AS doubled
    $$;
"""

# How each type pays: share of the customers, days after the due date (mean of the
# type, spread of one customer's invoices), chance that an invoice is never paid and
# chance that it is paid in two parts.  An end-of-life customer slides during its
# last six months, then stops paying altogether.
PAYER_TYPES = """
    CREATE UNLOGGED TABLE bench.payer_type AS
    SELECT *, sum(share) OVER (ORDER BY rank) AS upto
      FROM (VALUES
        (1, 'punctual',     0.49, -2.0,  5.0, 0.005, 0.008),
        (2, 'disorganised', 0.28, 30.0, 20.0, 0.065, 0.030),
        (3, 'bad',          0.13, 100.0, 50.0, 0.320, 0.080),
        (4, 'end_of_life',  0.10, 15.0, 15.0, 0.010, 0.040)
      ) AS t (rank, payer_type, share, late_mean, late_spread, never, in_parts)
"""

# Logged, since it stays behind: what is not is emptied when the server comes back from a crash.
CUSTOMERS = """
    CREATE TABLE bench.customer AS
    SELECT n,
           %(partner_base)s + 2 * n - 1 AS partner_id,
           %(partner_base)s + 2 * n AS contact_id,
           t.payer_type,
           t.late_mean * exp(0.3 * bench.z(n, 2)) AS late_mean,
           t.late_spread, t.never, t.in_parts,
           exp(bench.z(n, 3)) AS weight,
           0.8 * bench.z(n, 4) AS size,
           -- two customers in three were there before the period
           CASE WHEN bench.u(n, 5) < 0.66 THEN 1095
                ELSE 120 + floor(975 * bench.u(n, 6)) END AS since_days,
           CASE WHEN t.payer_type = 'end_of_life'
                THEN %(today)s::date - 20 - floor(640 * bench.u(n, 7))::int END AS stops_on,
           bench.u(n, 8) < 0.30 AS pays_in_runs,
           CASE WHEN country.u < 0.80 THEN 'FR' WHEN country.u < 0.86 THEN 'BE'
                WHEN country.u < 0.91 THEN 'DE' WHEN country.u < 0.94 THEN 'ES'
                WHEN country.u < 0.97 THEN 'GB' ELSE 'US' END AS country,
           CASE WHEN term.u < 0.15 THEN 'account_payment_term_15days'
                WHEN term.u < 0.60 THEN 'account_payment_term_30days'
                WHEN term.u < 0.85 THEN 'account_payment_term_45days'
                ELSE 'account_payment_term_end_following_month' END AS term
      FROM generate_series(1, %(partners)s) n,
           LATERAL (SELECT bench.u(n, 1)) AS payer (u),
           LATERAL (SELECT bench.u(n, 9)) AS country (u),
           LATERAL (SELECT bench.u(n, 10)) AS term (u)
      JOIN bench.payer_type t ON true
     WHERE payer.u <= t.upto AND payer.u > t.upto - t.share
"""

INVOICES = """
    CREATE UNLOGGED TABLE bench.invoice AS
    WITH quota AS (  -- exactly as many invoices as asked, spread by weight
        SELECT n, last_key, lag(last_key, 1, 0::bigint) OVER (ORDER BY n) + 1 AS first_key
          FROM (SELECT n, round(%(invoices)s * (sum(weight) OVER (ORDER BY n ROWS UNBOUNDED PRECEDING)
                                                / sum(weight) OVER ()))::bigint AS last_key
                  FROM bench.customer) AS cumulated
    ), dated AS MATERIALIZED (  -- materialized: each draw is computed once
        SELECT k, c.*,
               -- activity grows: recent months weigh more
               %(today)s::date - (
                   floor(young.days + (greatest(c.since_days, young.days + 30) - young.days)
                         * power(bench.u(k, 20), 1.25))::int) AS invoice_date,
               bench.euros(least(200000, greatest(20,
                   exp(ln(450) + c.size + 1.3 * bench.z(k, 21))))) AS untaxed
          FROM quota
          JOIN bench.customer c USING (n),
               LATERAL (SELECT greatest(0, %(today)s::date - c.stops_on - 20)) AS young (days),
               LATERAL generate_series(quota.first_key, quota.last_key) AS k
    ), due AS MATERIALIZED (
        SELECT *,
               CASE WHEN country = 'FR' THEN round(untaxed * 0.20, 2) ELSE 0.00 END AS tax,
               CASE term WHEN 'account_payment_term_15days' THEN invoice_date + 15
                         WHEN 'account_payment_term_30days' THEN invoice_date + 30
                         WHEN 'account_payment_term_45days' THEN invoice_date + 45
                         ELSE (date_trunc('month', invoice_date) + interval '2 months - 1 day')::date
               END AS due_date
          FROM dated
    ), wish AS MATERIALIZED (
        SELECT *, untaxed + tax AS total,
               greatest(invoice_date + 1, due_date + round(
                   late_mean + late_spread * bench.z(k, 22)
                   + coalesce(0.4 * greatest(0, 180 - (stops_on - due_date)), 0))::int) AS wish_date
          FROM due
    ), planned AS (
        SELECT *,
               CASE WHEN NOT pays_in_runs  -- no payment at week-ends
                    THEN wish_date + CASE extract(isodow FROM wish_date) WHEN 6 THEN 2 WHEN 7 THEN 1 ELSE 0 END
                    WHEN extract(day FROM wish_date) <= 10 THEN date_trunc('month', wish_date)::date + 9
                    WHEN extract(day FROM wish_date) <= 25 THEN date_trunc('month', wish_date)::date + 24
                    ELSE (date_trunc('month', wish_date) + interval '1 month')::date + 9
               END AS pay_date
          FROM wish
    )
    SELECT k, n, partner_id, country, term, invoice_date, due_date, untaxed, tax, total, pay_date,
           bench.u(k, 23) >= never
               AND pay_date <= coalesce(stops_on, 'infinity') AND pay_date <= %(today)s::date AS pays,
           bench.u(k, 24) < in_parts AS in_parts
      FROM planned
"""

# Credit notes refer to an invoice; four in five are set off against it, the others
# stay open on the customer's account.
REFUNDS = """
    CREATE UNLOGGED TABLE bench.refund AS
    SELECT k, n, partner_id, country, term, refund_date, untaxed, tax, untaxed + tax AS total,
           bench.u(k, 33) < 0.80 AS set_off
      FROM (SELECT k, n, partner_id, country, term,
                   least(invoice_date + 2 + floor(20 * bench.u(k, 31))::int,
                         greatest(pay_date - 1, invoice_date)) AS refund_date,
                   round(untaxed * share.part, 2) AS untaxed,
                   -- a full credit note takes the invoice's own VAT, to the cent
                   CASE WHEN share.part = 1 THEN tax
                        WHEN tax = 0 THEN 0 ELSE round(round(untaxed * share.part, 2) * 0.20, 2) END AS tax
              FROM bench.invoice,
                   LATERAL (SELECT CASE WHEN bench.u(k, 34) < 0.40 THEN 1
                                        ELSE round((0.05 + 0.45 * bench.u(k, 35))::numeric, 3) END) AS share (part)
             WHERE bench.u(k, 32) < 0.03) AS drawn
     WHERE refund_date <= %(today)s::date
"""

# What settles what: one row per future partial reconciliation.
SETTLEMENTS = """
    CREATE UNLOGGED TABLE bench.settlement AS
    WITH owed AS (
        SELECT i.k, i.n, i.pay_date, i.pays, i.in_parts, i.total - coalesce(r.total, 0) AS rest
          FROM bench.invoice i
          LEFT JOIN bench.refund r ON r.k = i.k AND r.set_off
    ), parts AS (
        SELECT k, n, pay_date AS settled_on, 1 AS part,
               CASE WHEN in_parts THEN round(rest * (0.3 + 0.4 * bench.u(k, 40))::numeric, 2) ELSE rest END AS amount
          FROM owed WHERE pays AND rest > 0
        UNION ALL  -- the second part comes later, or never
        SELECT k, n, second.on_date, 2,
               rest - round(rest * (0.3 + 0.4 * bench.u(k, 40))::numeric, 2)
          FROM owed, LATERAL (SELECT pay_date + 20 + floor(70 * bench.u(k, 41))::int) AS second (on_date)
         WHERE pays AND rest > 0 AND in_parts AND bench.u(k, 42) < 0.60 AND second.on_date <= %(today)s::date
    )
    SELECT k, n, settled_on, part, amount, false AS by_refund FROM parts WHERE amount > 0
    UNION ALL
    SELECT k, n, refund_date, 0, total, true FROM bench.refund WHERE set_off
"""

# A customer's settlements of one day are one payment.  Some payments exceed what they
# settle, and some are never allocated to any invoice.
PAYMENTS = """
    CREATE UNLOGGED TABLE bench.payment AS
    SELECT row_number() OVER (ORDER BY paid_on, n, on_account) AS p, grouped.*,
           CASE WHEN on_account THEN settled
                WHEN bench.u(first_key, 51) < 0.008 THEN settled + bench.euros(5 + 495 * bench.u(first_key, 52))
                ELSE settled END AS amount
      FROM (SELECT n, settled_on AS paid_on, false AS on_account, min(k) AS first_key, sum(amount) AS settled
              FROM bench.settlement WHERE NOT by_refund GROUP BY n, settled_on
            UNION ALL
            SELECT n, least(pay_date, %(today)s::date), true, k, round(total * (0.1 + 0.9 * bench.u(k, 53))::numeric, 2)
              FROM bench.invoice
             WHERE bench.u(k, 54) < 0.006 AND pay_date <= %(today)s::date + 30) AS grouped
"""

# All the journal entries in the order of their dates, with ids and numbers.
MOVES = f"""
    CREATE UNLOGGED TABLE bench.move AS
    WITH entry AS (
        SELECT 'out_invoice' AS move_type, 'INV' AS code, invoice_date AS date, n, k AS key,
               NULL::date AS paid_on FROM bench.invoice
        UNION ALL
        SELECT 'out_refund', 'RINV', refund_date, n, k, NULL FROM bench.refund
        UNION ALL
        SELECT 'entry', 'P' || %(bank_code)s, paid_on, n, p, paid_on FROM bench.payment
    ), ranked AS (
        SELECT *, row_number() OVER (ORDER BY date, move_type DESC, key) AS rank,
               row_number() OVER (PARTITION BY code, extract(year FROM date)
                                  ORDER BY date, move_type DESC, key) AS number
          FROM entry
    )
    SELECT %(move_base)s + rank AS id,
           %(line_base)s + (rank - 1) * {LINES_PER_MOVE} AS line_base,  -- its lines are those above
           %(line_base)s + (rank - 1) * {LINES_PER_MOVE}
               + CASE move_type WHEN 'entry' THEN 2 ELSE 3 END AS receivable_id,
           move_type, date, n, key, number,
           code || '/' || extract(year FROM date) || '/' AS prefix,
           code || '/' || extract(year FROM date) || '/'
               || lpad(number::text, greatest(5, length(number::text)), '0') AS name
      FROM ranked ORDER BY rank
"""

# The reconciliations with, in `comp`, the number of the group of lines each belongs to.
PARTIALS = """
    CREATE UNLOGGED TABLE bench.partial AS
    SELECT %(partial_base)s + row_number() OVER (ORDER BY s.settled_on, s.k, s.part) AS id,
           i.id AS invoice_move, src.id AS source_move,
           i.receivable_id AS debit_line, src.receivable_id AS credit_line,
           s.amount, greatest(i.date, src.date) AS max_date, 0::bigint AS comp
      FROM bench.settlement s
      JOIN bench.move i ON i.move_type = 'out_invoice' AND i.key = s.k
      LEFT JOIN bench.payment p ON NOT s.by_refund AND NOT p.on_account AND p.n = s.n AND p.paid_on = s.settled_on
      JOIN bench.move src ON (src.move_type, src.key) = (CASE WHEN s.by_refund THEN 'out_refund' ELSE 'entry' END,
                                                         CASE WHEN s.by_refund THEN s.k ELSE p.p END)
"""

# Lower every `comp` to the smallest of its neighbours; repeated until nothing changes.
LOWER_COMP = """
    UPDATE bench.partial p SET comp = least.comp
      FROM (SELECT {side}, min(comp) AS comp FROM bench.partial GROUP BY {side}
            HAVING min(comp) < max(comp)) AS least
     WHERE p.{side} = least.{side} AND p.comp > least.comp
"""

# What is left of each receivable line, and its matching.
MATCHING = """
    CREATE UNLOGGED TABLE bench.matching AS
    WITH settled AS (
        SELECT move_id, sum(amount) AS amount, min(comp) AS comp, max(max_date) AS last_date
          FROM (SELECT invoice_move AS move_id, amount, comp, max_date FROM bench.partial
                UNION ALL
                SELECT source_move, amount, comp, max_date FROM bench.partial) AS side
         GROUP BY move_id
    ), total AS (
        SELECT m.id, m.move_type, m.receivable_id,
               coalesce(i.total, r.total, p.amount) AS total
          FROM bench.move m
          LEFT JOIN bench.invoice i ON m.move_type = 'out_invoice' AND i.k = m.key
          LEFT JOIN bench.refund r ON m.move_type = 'out_refund' AND r.k = m.key
          LEFT JOIN bench.payment p ON m.move_type = 'entry' AND p.p = m.key
    )
    SELECT t.id AS move_id, t.move_type, t.receivable_id, t.total, s.comp,
           t.total - coalesce(s.amount, 0) AS residual,
           -- the whole group must be settled for a full reconciliation
           s.comp IS NOT NULL
               AND sum(t.total - coalesce(s.amount, 0)) OVER (PARTITION BY s.comp) = 0 AS is_full
      FROM total t
      LEFT JOIN settled s ON s.move_id = t.id
"""

FULLS = """
    CREATE UNLOGGED TABLE bench.full AS
    SELECT comp, %(full_base)s + row_number() OVER (ORDER BY comp) AS id
      FROM bench.matching WHERE is_full GROUP BY comp
"""


class Generator:
    """Writes the receivables of one French company."""

    def __init__(self, cr, partners, invoices, seed, today):
        self.cr = cr
        self.today = today
        self.params = {"partners": partners, "invoices": invoices, "seed": seed, "today": today}

    # -- small helpers ---------------------------------------------------

    def execute(self, label, query):
        start = time.perf_counter()
        self.cr.execute(query, self.params)
        print(f"  {time.perf_counter() - start:7.2f} s  {label}: {self.cr.rowcount} rows", flush=True)

    def value(self, query, *args):
        self.cr.execute(query, args)
        row = self.cr.fetchone()
        if row is None:
            raise SystemExit(f"Not found in this database: {query} {args}")
        return row[0]

    def xmlid(self, name):
        return self.value("SELECT res_id FROM ir_model_data WHERE module = 'account' AND name = %s", name)

    def columns(self, table):
        self.cr.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            [table],
        )
        return {row[0] for row in self.cr.fetchall()}

    def insert(self, table, values, source):
        """Insert SQL expressions by column; columns of modules not installed are left out."""
        present = self.columns(table)
        if "write_uid" in present:
            values = values | {"create_uid": "2", "write_uid": "2"}
        values = {column: expression for column, expression in values.items() if column in present}
        self.execute(table, f"INSERT INTO {table} ({', '.join(values)}) SELECT {', '.join(values.values())} {source}")

    # -- the work --------------------------------------------------------

    def run(self):
        self.read_settings()
        self.cr.execute("DROP SCHEMA IF EXISTS bench CASCADE; CREATE SCHEMA bench")
        self.cr.execute(FUNCTIONS, self.params)
        self.execute("payer types", PAYER_TYPES)
        self.execute("customers", CUSTOMERS)
        self.execute("invoices", INVOICES)
        self.execute("credit notes", REFUNDS)
        self.execute("settlements", SETTLEMENTS)
        self.execute("payments", PAYMENTS)
        self.execute("journal entries", MOVES)
        self.cr.execute(
            "ALTER TABLE bench.invoice ADD PRIMARY KEY (k);"
            "ALTER TABLE bench.refund ADD PRIMARY KEY (k);"
            "ALTER TABLE bench.payment ADD PRIMARY KEY (p);"
            "ALTER TABLE bench.move ADD PRIMARY KEY (move_type, key);"
            "ANALYZE bench.customer, bench.invoice, bench.refund, bench.settlement,"
            " bench.payment, bench.move"
        )
        self.execute("reconciliations", PARTIALS)
        self.number_groups()
        self.execute("matching", MATCHING)
        self.execute("full reconciliations", FULLS)
        self.cr.execute("ALTER TABLE bench.matching ADD PRIMARY KEY (move_id); ANALYZE bench.matching, bench.full")
        with self.bulk_load():
            self.write_partners()
            self.write_moves()
            self.write_lines()
            self.write_payments()
            self.write_reconciliations()

    def read_settings(self):
        """Ids of the records the generated ones refer to."""
        if self.value("SELECT count(*) FROM account_move"):
            raise SystemExit("This database already holds journal entries: start from a fresh one.")
        company = self.value("SELECT id FROM res_company WHERE chart_template = 'fr' ORDER BY id LIMIT 1")
        bank = self.xmlid(f"{company}_bank")
        method_line = self.value(
            """SELECT l.id FROM account_payment_method_line l
                 JOIN account_payment_method m ON m.id = l.payment_method_id
                WHERE l.journal_id = %s AND m.payment_type = 'inbound' AND l.payment_account_id IS NOT NULL
                ORDER BY l.sequence, l.id LIMIT 1""",
            bank,
        )
        vat = self.xmlid(f"{company}_tva_normale")
        self.params.update(
            {
                "company": company,
                "currency": self.value("SELECT currency_id FROM res_company WHERE id = %s", company),
                "sale": self.xmlid(f"{company}_sale"),
                "bank": bank,
                "bank_code": self.value("SELECT code FROM account_journal WHERE id = %s", bank),
                "bank_account": self.value(
                    "SELECT payment_account_id FROM account_payment_method_line WHERE id = %s", method_line
                ),
                "method_line": method_line,
                "method": self.value(
                    "SELECT payment_method_id FROM account_payment_method_line WHERE id = %s", method_line
                ),
                "receivable": self.xmlid(f"{company}_fr_pcg_recv"),
                "income": self.value(
                    "SELECT default_account_id FROM account_journal WHERE id = %s", self.xmlid(f"{company}_sale")
                ),
                "vat": vat,
                "vat_name": self.value("SELECT name->>'en_US' FROM account_tax WHERE id = %s", vat),
                "vat_group": self.value("SELECT tax_group_id FROM account_tax WHERE id = %s", vat),
                "vat_eu": self.xmlid(f"{company}_tva_sale_good_intra_0"),
                "vat_export": self.xmlid(f"{company}_tva_sale_good_export_0"),
                "position_fr": self.xmlid(f"{company}_fiscal_position_template_domestic"),
                "position_eu": self.xmlid(f"{company}_fiscal_position_template_intraeub2b"),
                "position_export": self.xmlid(f"{company}_fiscal_position_template_import_export"),
            }
        )
        for document in ("invoice", "refund"):
            self.params[f"vat_{document}_line"] = self.value(
                "SELECT id FROM account_tax_repartition_line"
                " WHERE tax_id = %s AND document_type = %s AND repartition_type = 'tax'",
                vat,
                document,
            )
        self.params["vat_account"] = self.value(
            "SELECT account_id FROM account_tax_repartition_line WHERE id = %s", self.params["vat_invoice_line"]
        )
        for key, table in (
            ("partner", "res_partner"),
            ("move", "account_move"),
            ("line", "account_move_line"),
            ("payment", "account_payment"),
            ("partial", "account_partial_reconcile"),
            ("full", "account_full_reconcile"),
        ):
            self.params[f"{key}_base"] = self.value(f"SELECT last_value FROM {table}_id_seq")

    def number_groups(self):
        """Number the groups of lines matched together by their smallest reconciliation, as Odoo does."""
        self.cr.execute("UPDATE bench.partial SET comp = id")
        changed = 1
        rounds = 0
        while changed:
            changed = 0
            for side in ("invoice_move", "source_move"):
                self.cr.execute(LOWER_COMP.format(side=side))
                changed += self.cr.rowcount
            rounds += 1
        print(f"             matching groups: {rounds} rounds")
        self.cr.execute("ANALYZE bench.partial")

    @contextlib.contextmanager
    def bulk_load(self):
        """Load without foreign key checks nor secondary indexes, then rebuild and reset sequences."""
        self.cr.execute("SET LOCAL session_replication_role = replica")
        self.cr.execute(
            """SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
                 FROM pg_index i
                WHERE i.indrelid = ANY (%s::regclass[])
                  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
                ORDER BY 1""",
            [list(TABLES)],
        )
        indexes = self.cr.fetchall()
        for name, _definition in indexes:
            self.cr.execute(f"DROP INDEX {name}")
        yield
        start = time.perf_counter()
        for _name, definition in indexes:
            self.cr.execute(definition)
        print(f"  {time.perf_counter() - start:7.2f} s  {len(indexes)} indexes rebuilt", flush=True)
        for table in TABLES:
            if "id" in self.columns(table):
                self.cr.execute(f"SELECT setval('{table}_id_seq', max(id)) FROM {table}")

    def write_partners(self):
        """A company with an accounting contact; some have no e-mail or no phone."""
        shared = {
            "create_date": "now() at time zone 'utc'",
            "write_date": "now() at time zone 'utc'",
            "lang": "c.lang",
            "country_id": "country.id",
            "active": "true",
            "color": "0",
            "type": "'contact'",
            "partner_share": "true",
            "message_bounce": "0",
            "supplier_rank": "0",
            "autopost_bills": "'ask'",
            "vies_valid": "false",
            "commercial_partner_id": "c.partner_id",
            "commercial_company_name": "c.name",
            "street": "c.street",
            "zip": "c.zip",
            "city": "c.city",
            "peppol_eas": "CASE c.country WHEN 'FR' THEN '0009' END",
        }
        source = """
            FROM (SELECT d.*,
                         CASE WHEN country IN ('FR', 'BE') THEN 'fr_FR' ELSE 'en_US' END AS lang,
                         bench.pick('{Ateliers,Transports,Menuiserie,Imprimerie,Garage,Maçonnerie,Laboratoire,Librairie,
                                      Clinique,Cabinet,Domaine,Établissements}', bench.u(n, 60)) || ' '
                         || bench.pick('{Martin,Bernard,Dubois,Thomas,Robert,Richard,Petit,Durand,Leroy,Moreau,Simon,
                                         Laurent,Lefebvre,Michel,Garcia,David}', bench.u(n, 61)) || ' ' || n AS name,
                         bench.pick('{Camille,Dominique,Claude,Alex,Sacha,Maxime,Charlie,Noa}', bench.u(n, 62)) || ' '
                         || bench.pick('{Roux,Vincent,Fournier,Morel,Girard,André,Mercier,Blanc}',
                                       bench.u(n, 63)) AS contact,
                         1 + floor(199 * bench.u(n, 64)) || ' rue '
                         || bench.pick('{de la Gare,du Moulin,Pasteur,Victor Hugo,des Lilas}',
                                       bench.u(n, 65)) AS street,
                         lpad((1000 + floor(94000 * bench.u(n, 66)))::text, 5, '0') AS zip,
                         bench.pick('{Paris,Lyon,Lille,Nantes,Rennes,Bordeaux,Toulouse,Strasbourg}',
                                    bench.u(n, 67)) AS city,
                         CASE WHEN bench.u(n, 68) >= 0.04 THEN 'compta@client' || n || '.example' END AS email,
                         CASE WHEN bench.u(n, 69) >= 0.10 THEN '+331' || lpad(n::text, 8, '0') END AS phone,
                         CASE country WHEN 'FR' THEN bench.siren(lpad((30000000 + n)::text, 8, '0')) END AS siren,
                         coalesce(invoiced.count, 0) AS rank
                    FROM bench.customer d
                    LEFT JOIN (SELECT n, count(*) FROM bench.invoice GROUP BY n) AS invoiced USING (n)) AS c
            JOIN res_country country ON country.code = c.country
        """
        self.insert(
            "res_partner",
            shared
            | {
                "id": "c.partner_id",
                "name": "c.name",
                "complete_name": "c.name",
                "is_company": "true",
                "customer_rank": "c.rank",
                "ref": "'C' || lpad(c.n::text, 6, '0')",
                "email": "c.email",
                "email_normalized": "c.email",
                "phone": "c.phone",
                "phone_sanitized": "c.phone",
                "company_registry": "c.siren",
                "vat": "'FR' || lpad(mod(12 + 3 * mod(c.siren::bigint, 97), 97)::text, 2, '0') || c.siren",
            },
            source + "ORDER BY c.n",
        )
        self.insert(
            "res_partner",
            shared
            | {
                "id": "c.contact_id",
                "parent_id": "c.partner_id",
                "name": "c.contact",
                "complete_name": "c.name || ', ' || c.contact",
                "is_company": "false",
                "customer_rank": "0",
                "function": "'Comptabilité fournisseurs'",
                "email": "'contact@client' || c.n || '.example'",
                "email_normalized": "'contact@client' || c.n || '.example'",
            },
            source + "ORDER BY c.n",
        )

    def write_moves(self):
        signed = "CASE m.move_type WHEN 'out_refund' THEN -1 ELSE 1 END"
        invoice = "m.move_type <> 'entry'"
        amounts = {
            "amount_untaxed": "coalesce(doc.untaxed, 0)",
            "amount_tax": "coalesce(doc.tax, 0)",
            "amount_total": "g.total",
        }
        amounts |= {
            "amount_untaxed_signed": f"{signed} * coalesce(doc.untaxed, 0)",
            "amount_untaxed_in_currency_signed": f"{signed} * coalesce(doc.untaxed, 0)",
            "amount_tax_signed": f"{signed} * coalesce(doc.tax, 0)",
            "amount_total_signed": f"{signed} * g.total",
            "amount_total_in_currency_signed": f"{signed} * g.total",
            "amount_residual": f"CASE WHEN {invoice} THEN g.residual ELSE 0 END",
            "amount_residual_signed": f"CASE WHEN {invoice} THEN {signed} * g.residual ELSE 0 END",
        }
        self.insert(
            "account_move",
            amounts
            | {
                "id": "m.id",
                "name": "m.name",
                "sequence_prefix": "m.prefix",
                "sequence_number": "m.number",
                "journal_id": "CASE m.move_type WHEN 'entry' THEN %(bank)s ELSE %(sale)s END",
                "company_id": "%(company)s",
                "currency_id": "%(currency)s",
                "state": "'posted'",
                "move_type": "m.move_type",
                "auto_post": "'no'",
                "date": "m.date",
                "partner_id": "c.partner_id",
                "commercial_partner_id": "c.partner_id",
                "partner_shipping_id": f"CASE WHEN {invoice} THEN c.partner_id END",
                "invoice_partner_display_name": "p.name",
                "fiscal_position_id": "CASE WHEN c.country = 'FR' THEN %(position_fr)s"
                " WHEN c.country IN ('GB', 'US') THEN %(position_export)s ELSE %(position_eu)s END",
                "invoice_payment_term_id": f"CASE WHEN {invoice} THEN term.res_id END",
                "invoice_user_id": f"CASE WHEN {invoice} THEN 2 END",
                "invoice_date": f"CASE WHEN {invoice} THEN m.date END",
                "invoice_date_due": "coalesce(doc.due_date, m.date)",
                "reversed_entry_id": "doc.reversed_id",
                "origin_payment_id": "CASE m.move_type WHEN 'entry' THEN %(payment_base)s + m.key END",
                "ref": f"CASE WHEN {invoice} THEN NULL ELSE 'VIR ' || m.key END",
                "payment_reference": "CASE m.move_type WHEN 'out_invoice' THEN m.name END",
                "payment_state": """CASE WHEN m.move_type = 'entry' OR g.comp IS NULL THEN 'not_paid'
                                     WHEN g.residual > 0 THEN 'partial'
                                     WHEN m.move_type = 'out_invoice' AND doc.by_refund_only THEN 'reversed'
                                     ELSE 'paid' END""",
                "invoice_currency_rate": f"CASE WHEN {invoice} THEN 1.0 ELSE 0.0 END",
                "always_tax_exigible": f"NOT ({invoice})",
                "checked": "true",
                "posted_before": "true",
                "made_sequence_gap": "false",
                "is_manually_modified": "false",
                "create_date": "m.date + time '10:00'",
                "write_date": "m.date + time '10:00'",
            },
            """
            FROM bench.move m
            JOIN bench.customer c USING (n)
            JOIN res_partner p ON p.id = c.partner_id
            JOIN bench.matching g ON g.move_id = m.id
            JOIN ir_model_data term ON term.module = 'account' AND term.name = c.term
            LEFT JOIN (SELECT 'out_invoice' AS move_type, i.k, i.untaxed, i.tax, i.due_date,
                              NULL::bigint AS reversed_id,
                              r.total = i.total AS by_refund_only
                         FROM bench.invoice i
                         LEFT JOIN bench.refund r ON r.k = i.k AND r.set_off
                        UNION ALL
                       SELECT 'out_refund', r.k, r.untaxed, r.tax, r.refund_date, i.id, false
                         FROM bench.refund r
                         JOIN bench.move i ON i.move_type = 'out_invoice' AND i.key = r.k
                      ) AS doc ON doc.move_type = m.move_type AND doc.k = m.key
            ORDER BY m.id
        """,
        )

    def write_lines(self):
        """Lines 1 to 3 of an invoice or credit note, 1 and 2 of a payment."""
        zero = "0.0"
        self.insert(
            "account_move_line",
            {
                "id": "m.line_base + line.rank",
                "move_id": "m.id",
                "move_name": "m.name",
                "parent_state": "'posted'",
                "journal_id": "CASE m.move_type WHEN 'entry' THEN %(bank)s ELSE %(sale)s END",
                "company_id": "%(company)s",
                "company_currency_id": "%(currency)s",
                "currency_id": "%(currency)s",
                "date": "m.date",
                "invoice_date": "CASE WHEN m.move_type <> 'entry' THEN m.date END",
                "partner_id": "m.partner_id",
                "ref": "CASE m.move_type WHEN 'entry' THEN 'VIR ' || m.key END",
                "account_id": "line.account_id",
                "display_type": "line.display_type",
                "name": "line.name",
                "sequence": "CASE line.display_type WHEN 'product' THEN 100 WHEN 'tax' THEN 10000 ELSE 12000 END",
                "balance": "line.balance",
                "amount_currency": "line.balance",
                "debit": "greatest(line.balance, 0)",
                "credit": "greatest(-line.balance, 0)",
                "quantity": "CASE line.display_type WHEN 'product' THEN 1.0 ELSE 0.0 END",
                "price_unit": f"CASE WHEN line.rank = 1 AND m.move_type <> 'entry' THEN m.untaxed ELSE {zero} END",
                "price_subtotal": f"""CASE WHEN m.move_type = 'entry' THEN line.balance
                                       WHEN line.rank = 1 THEN m.untaxed ELSE {zero} END""",
                "price_total": f"""CASE WHEN m.move_type = 'entry' THEN line.balance
                                    WHEN line.rank = 1 THEN m.untaxed + m.tax ELSE {zero} END""",
                "discount": zero,
                "deductible_amount": "100.0",
                "is_storno": "false",
                "no_followup": "false",
                "date_maturity": "CASE WHEN m.move_type = 'entry' OR line.rank = 3 THEN m.due_date END",
                "payment_id": "m.payment_id",
                "tax_line_id": "CASE line.display_type WHEN 'tax' THEN %(vat)s END",
                "tax_group_id": "CASE line.display_type WHEN 'tax' THEN %(vat_group)s END",
                "tax_repartition_line_id": "CASE WHEN line.display_type = 'tax' THEN CASE m.move_type"
                " WHEN 'out_refund' THEN %(vat_refund_line)s ELSE %(vat_invoice_line)s END END",
                "tax_base_amount": "CASE line.display_type WHEN 'tax' THEN -m.sign * m.untaxed END",
                # a bank account keeps its balance as a residual though it is never reconciled
                "amount_residual": "line.residual",
                "amount_residual_currency": "line.residual",
                "reconciled": "line.is_receivable AND line.residual = 0",
                "full_reconcile_id": "CASE WHEN line.is_receivable THEN m.full_id END",
                "matching_number": "CASE WHEN line.is_receivable THEN coalesce(m.full_id::text, 'P' || m.comp) END",
                "create_date": "m.date + time '10:00'",
                "write_date": "m.date + time '10:00'",
            },
            """
            FROM (SELECT b.*, c.partner_id, g.total, g.residual, g.comp, f.id AS full_id,
                         coalesce(i.untaxed, r.untaxed) AS untaxed, coalesce(i.tax, r.tax) AS tax,
                         coalesce(i.due_date, b.date) AS due_date,
                         CASE b.move_type WHEN 'out_invoice' THEN 1 ELSE -1 END AS sign,
                         CASE b.move_type WHEN 'entry' THEN %(payment_base)s + b.key END AS payment_id
                    FROM bench.move b
                    JOIN bench.customer c USING (n)
                    JOIN bench.matching g ON g.move_id = b.id
                    LEFT JOIN bench.full f ON g.is_full AND f.comp = g.comp
                    LEFT JOIN bench.invoice i ON b.move_type = 'out_invoice' AND i.k = b.key
                    LEFT JOIN bench.refund r ON b.move_type = 'out_refund' AND r.k = b.key
                   ORDER BY b.id) AS m,
                 LATERAL (
                    SELECT 1, %(income)s, 'product', 'Prestation', -m.sign * m.untaxed, 0.0, false
                     WHERE m.move_type <> 'entry'
                    UNION ALL
                    SELECT 2, %(vat_account)s, 'tax', %(vat_name)s, -m.sign * m.tax, 0.0, false
                     WHERE m.tax <> 0
                    UNION ALL
                    SELECT 3, %(receivable)s, 'payment_term', CASE m.move_type WHEN 'out_invoice' THEN m.name END,
                           m.sign * m.total, m.sign * m.residual, true
                     WHERE m.move_type <> 'entry'
                    UNION ALL
                    SELECT 1, %(bank_account)s, 'product', 'Manual Payment: VIR ' || m.key, m.total, m.total, false
                     WHERE m.move_type = 'entry'
                    UNION ALL
                    SELECT 2, %(receivable)s, 'product', 'Manual Payment: VIR ' || m.key, -m.total, -m.residual, true
                     WHERE m.move_type = 'entry'
                 ) AS line (rank, account_id, display_type, name, balance, residual, is_receivable)
        """,
        )
        taxed = """
            SELECT m.line_base + 1 AS base_line, CASE WHEN c.country = 'FR' THEN m.line_base + 2 END AS tax_line,
                   CASE WHEN c.country = 'FR' THEN %(vat)s
                        WHEN c.country IN ('GB', 'US') THEN %(vat_export)s ELSE %(vat_eu)s END AS tax_id,
                   CASE m.move_type WHEN 'out_refund' THEN 'refund' ELSE 'invoice' END AS document_type
              FROM bench.move m JOIN bench.customer c USING (n) WHERE m.move_type <> 'entry'
        """
        self.insert(
            "account_move_line_account_tax_rel",
            {
                "account_move_line_id": "t.base_line",
                "account_tax_id": "t.tax_id",
            },
            f"FROM ({taxed}) AS t",
        )
        self.insert(
            "account_account_tag_account_move_line_rel",
            {
                "account_move_line_id": "CASE part.repartition_type WHEN 'base' THEN t.base_line ELSE t.tax_line END",
                "account_account_tag_id": "tag.account_account_tag_id",
            },
            f"""FROM ({taxed}) AS t
               JOIN account_tax_repartition_line part ON part.tax_id = t.tax_id AND part.document_type = t.document_type
               JOIN account_account_tag_account_tax_repartition_line_rel tag
                 ON tag.account_tax_repartition_line_id = part.id
              WHERE part.repartition_type = 'base' OR t.tax_line IS NOT NULL""",
        )

    def write_payments(self):
        self.insert(
            "account_payment",
            {
                "id": "%(payment_base)s + p.p",
                "move_id": "m.id",
                "name": "m.name",
                "date": "m.date",
                "journal_id": "%(bank)s",
                "company_id": "%(company)s",
                "currency_id": "%(currency)s",
                "state": "'paid'",
                "is_reconciled": "g.residual = 0",
                "is_matched": "true",
                "payment_method_line_id": "%(method_line)s",
                "payment_method_id": "%(method)s",
                "amount": "p.amount",
                "amount_company_currency_signed": "p.amount",
                "payment_type": "'inbound'",
                "partner_type": "'customer'",
                "partner_id": "c.partner_id",
                "outstanding_account_id": "%(bank_account)s",
                "destination_account_id": "%(receivable)s",
                "memo": "'VIR ' || p.p",
                "create_date": "m.date + time '10:00'",
                "write_date": "m.date + time '10:00'",
            },
            """
            FROM bench.payment p
            JOIN bench.customer c USING (n)
            JOIN bench.move m ON m.move_type = 'entry' AND m.key = p.p
            JOIN bench.matching g ON g.move_id = m.id
            ORDER BY p.p
        """,
        )

    def write_reconciliations(self):
        self.insert(
            "account_full_reconcile",
            {
                "id": "f.id",
                "create_date": "now() at time zone 'utc'",
                "write_date": "now() at time zone 'utc'",
            },
            "FROM bench.full f ORDER BY f.id",
        )
        self.insert(
            "account_partial_reconcile",
            {
                "id": "p.id",
                "debit_move_id": "p.debit_line",
                "credit_move_id": "p.credit_line",
                "full_reconcile_id": "f.id",
                "company_id": "%(company)s",
                "debit_currency_id": "%(currency)s",
                "credit_currency_id": "%(currency)s",
                "amount": "p.amount",
                "debit_amount_currency": "p.amount",
                "credit_amount_currency": "p.amount",
                "max_date": "p.max_date",
                "create_date": "p.max_date + time '11:00'",
                "write_date": "p.max_date + time '11:00'",
            },
            "FROM bench.partial p LEFT JOIN bench.full f ON f.comp = p.comp ORDER BY p.id",
        )

    def summary(self):
        """Figures to compare two runs with, and the mix actually obtained."""
        self.cr.execute(
            """
            SELECT count(*) AS invoices,
                   round(100.0 * avg((amount_residual > 0)::int), 1) AS open_pct,
                   round(100.0 * avg((invoice_date_due < %(today)s)::int) FILTER (WHERE amount_residual > 0), 1)
                       AS overdue_pct_of_open,
                   count(*) FILTER (WHERE payment_state = 'partial') AS partly_paid,
                   sum(amount_residual)::numeric(20, 2) AS open_amount,
                   md5(string_agg(name || amount_total || amount_residual || invoice_date_due, '' ORDER BY id))
                       AS checksum
              FROM account_move WHERE move_type = 'out_invoice'
        """,
            self.params,
        )
        names = [column.name for column in self.cr.description]
        return dict(zip(names, self.cr.fetchone(), strict=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--db", required=True)
    parser.add_argument("--partners", type=int, default=2000)
    parser.add_argument("--invoices", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=19)
    parser.add_argument("--today", type=datetime.date.fromisoformat, default=datetime.date.today())
    parser.add_argument("--keep-work", action="store_true", help="keep the working tables of schema bench")
    args = parser.parse_args()

    start = time.perf_counter()
    connection = psycopg2.connect(dbname=args.db)
    with connection, connection.cursor() as cr:
        cr.execute("SET LOCAL work_mem = '256MB'; SET LOCAL maintenance_work_mem = '1GB'; SET LOCAL jit = off")
        generator = Generator(cr, args.partners, args.invoices, args.seed, args.today)
        generator.run()
        summary = generator.summary()
        if not args.keep_work:
            cr.execute(
                "DROP TABLE bench.invoice, bench.refund, bench.settlement, bench.payment,"
                " bench.move, bench.partial, bench.matching, bench.full"
            )
    connection.autocommit = True
    with connection.cursor() as cr:
        cr.execute(f"VACUUM ANALYZE {', '.join(TABLES)}, bench.customer")
    connection.close()
    print(f"{args.db}: {time.perf_counter() - start:.1f} s,", summary)


if __name__ == "__main__":
    main()
