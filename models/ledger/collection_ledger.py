"""The one room of SQL on the receivables ledger: what is open, claimable, cash and history is defined here alone."""

from odoo import api, models
from odoo.tools import SQL, ormcache

# What the ledger is read from. Flushing them alone leaves a dialogue that is being computed as it is.
READ_MODELS = (
    "account.bank.statement.line",
    "account.move",
    "account.move.line",
    "account.partial.reconcile",
    "account.payment",
    "collection.dispute",
    "collection.dispute.line",
    "collection.promise",
    "collection.promise.line",
    "payment.transaction",
    "res.partner",
)


class CollectionLedger(models.AbstractModel):
    """What the receivables ledger says, as SQL and plain rows: the only place that defines it.

    The words, the same for facts, decisions, messages, papers, figures, invoices and the recap:

    - **Open item** (as of a day): a posted journal item of a trade receivable account of the company, dated up to
      that day, that is not settled in its own currency by what is dated up to that day. An item that is zero in
      its own currency (an exchange difference) is none. A payment in process without an entry of its own
      settles as much of its invoices as it pays.
    - **Void**: a journal item that settles nothing although Odoo keeps its reconciliations: that of an entry which
      is a draft again, and that of a payment which was rejected while its entry stands. What it paid is owed again,
      and it is neither a credit nor a movement. Where the bank's debit was booked, both stand as they are.
    - **Credit**: an open item below zero, or money that was sent back to the customer by an outgoing payment: that
      gives a credit back and is never a debt to claim.
    - **Excluded**: marked “no follow-up”, or blocked for payment. An excluded credit only ever nets excluded debts.
    - **Withheld**: the part of a debt that is disputed, then the part that is promised, then the part for which
      money is on its way. Never more than what is left of the item.
    - **Claimable**: an open debt, not excluded, less what is withheld, less the credits of its currency, which cover
      the oldest debt first. A credit note for a disputed invoice takes up the disputed part first.
    - **Cash**: money that came in and stayed: credits of bank, cash and card journals whose entry is posted and that
      were not returned, less what the payment's entry wrote off, granted as discount or lost as fees.

    Amounts are signed and in company currency; ``*_currency`` are the same in the item's own. Nothing here checks
    rights: callers do. Other areas extend ``_get_disputed_parts_sql`` and ``_get_promised_parts_sql``.
    """

    _name = "collection.ledger"
    _description = "Receivables Ledger"

    # === BUSINESS METHODS - ACCOUNTS AND JOURNALS === #

    @api.model
    def _flush(self):
        """Write what is pending of all models that the ledger is read from."""
        for model in READ_MODELS:
            self.env[model].flush_model()

    @api.model
    @ormcache("company.id")
    def _get_account_ids(self, company):
        """Return the ids of the trade receivable accounts of a company, as a tuple that SQL accepts, never empty.

        Each statement asks for them several times, so they are kept until an account changes its kind.
        """
        return tuple(company._get_collection_receivable_accounts().ids) or (0,)

    @api.model
    @ormcache("company.id")
    def _get_cash_journal_ids(self, company):
        """Return the ids of the journals whose entries are money, those of parent companies included, never empty.

        Kept until a journal changes its kind.
        """
        return tuple(company._get_collection_cash_journals().ids) or (0,)

    @api.model
    def _get_not_invoiced_journal_ids(self, company):
        """Return the ids of the journals whose debits are no invoices: money sent back, exchange differences."""
        return (*self._get_cash_journal_ids(company), *company.sudo().currency_exchange_journal_id.ids)

    @api.model
    def _get_partner_filter_sql(self, partners, column="line.partner_id"):
        """Return an SQL condition, begun by ``AND``, on the family of some commercial partners; nothing for ``None``.

        :param str column: the column with the partner, dotted.
        """
        if partners is None:
            return SQL()
        return SQL(
            "AND %s IN (SELECT id FROM res_partner WHERE commercial_partner_id = ANY(%s))",
            SQL.identifier(*column.split(".")),
            partners.ids,
        )

    @api.model
    def _get_receivable_sql(self, company, partners=None):
        """Return SQL conditions on posted trade receivable journal items, called ``line``."""
        return SQL(
            "line.account_id IN %s AND line.company_id = %s AND line.parent_state = 'posted' %s",
            self._get_account_ids(company),
            company.id,
            self._get_partner_filter_sql(partners),
        )

    # === BUSINESS METHODS - WHAT IS OPEN === #

    @api.model
    def _get_void_sql(self, company):
        """Return SQL with the ids of journal items that settle nothing although Odoo keeps their reconciliations."""
        return SQL(
            """
            WITH rejected AS MATERIALIZED (
                SELECT line.id, payer.commercial_partner_id AS partner_id
                  FROM account_payment payment
                  JOIN account_move_line line ON line.move_id = payment.move_id
                  JOIN res_partner payer ON payer.id = line.partner_id
                 WHERE payment.state = 'rejected'
                   AND payment.payment_type = 'inbound'
                   AND line.account_id IN %(accounts)s
                   AND line.parent_state = 'posted'
                   AND line.balance < 0
            )
            SELECT id FROM account_move_line WHERE parent_state != 'posted' AND matching_number IS NOT NULL
         UNION ALL
            SELECT id FROM rejected WHERE id NOT IN (SELECT credit_line_id FROM (%(bounces)s) bounced)
            """,
            accounts=self._get_account_ids(company),
            bounces=self._get_bounces_sql(
                company, SQL("AND partner.commercial_partner_id IN (SELECT partner_id FROM rejected)")
            ),
        )

    @api.model
    def _get_later_sql(self, company, day):
        """Return SQL with what Odoo has settled of each item, but not by the end of ``day``, or not at all.

        Columns: ``line_id``, ``amount`` (company currency, signed like the item), ``amount_currency``.
        Void items, of the common table ``void``, settle nothing. The day of a reconciliation is that of the later of
        its two items. An exchange difference belongs to the payment that made it, even when its entry had to be dated
        later.
        """
        return SQL(
            """
            WITH later_partial AS MATERIALIZED (%(partials)s)
            SELECT line_id, SUM(amount) AS amount, SUM(amount_currency) AS amount_currency
              FROM (
                SELECT debit_move_id AS line_id, amount, debit_amount_currency AS amount_currency FROM later_partial
             UNION ALL
                SELECT credit_move_id, -amount, -credit_amount_currency FROM later_partial
              ) side
          GROUP BY line_id
            """,
            partials=SQL(
                """
                SELECT id, debit_move_id, credit_move_id, amount, debit_amount_currency, credit_amount_currency
                  FROM account_partial_reconcile
                 WHERE max_date > %(day)s
                   AND id NOT IN (
                    SELECT exchange.id
                      FROM account_partial_reconcile exchange
                      JOIN account_move_line line ON line.id IN (exchange.debit_move_id, exchange.credit_move_id)
                      JOIN account_partial_reconcile cause ON cause.exchange_move_id = line.move_id
                     WHERE exchange.max_date > %(day)s
                       AND cause.max_date <= %(day)s
                       AND (exchange.debit_currency_id != %(currency)s OR exchange.credit_currency_id != %(currency)s)
                   )
                 UNION
                SELECT partial.id, debit_move_id, credit_move_id, amount, debit_amount_currency, credit_amount_currency
                  FROM void
                  JOIN account_partial_reconcile partial ON partial.debit_move_id = void.id
                 UNION
                SELECT partial.id, debit_move_id, credit_move_id, amount, debit_amount_currency, credit_amount_currency
                  FROM void
                  JOIN account_partial_reconcile partial ON partial.credit_move_id = void.id
                """,
                day=day,
                currency=company.currency_id.id,
            ),
        )

    @api.model
    def _get_balance_sql(self, company, day, partners=None, filters=None):
        """Return SQL with one row per open item as of the end of a day: the definition of “open”.

        Columns: ``item_id``, ``move_id``, ``partner_id`` (commercial, may be NULL), ``currency_id``, ``date``,
        ``due_date``, ``residual``, ``residual_currency``, ``excluded``, ``is_credit``.

        :param company: one company.
        :param date day: any day. Of the present day, only what is not settled yet is read.
        :param partners: commercial partners; all when ``None``.
        :param SQL filters: further conditions on the journal item, called ``line``, begun by ``AND``.
        """
        receivable = SQL("%s %s", self._get_receivable_sql(company, partners), filters or SQL())
        if day >= company._collection_today():
            # Read by the index of what is not reconciled; what a later day settles is next to nothing.
            source = SQL(
                """
                (
                    SELECT line.* FROM account_move_line line
                     WHERE %(receivable)s AND line.reconciled IS NOT TRUE
                 UNION ALL
                    SELECT line.* FROM later JOIN account_move_line line ON line.id = later.line_id
                     WHERE %(receivable)s AND line.reconciled IS TRUE
                ) line
                """,
                receivable=receivable,
            )
            condition = SQL("TRUE")
        else:
            source = SQL("account_move_line line")
            condition = SQL("%s AND (line.reconciled IS NOT TRUE OR later.line_id IS NOT NULL)", receivable)
        return SQL(
            """
            WITH void AS MATERIALIZED (%(void)s), later AS MATERIALIZED (%(later)s)
            SELECT open_item.item_id, open_item.move_id, open_item.partner_id, open_item.currency_id,
                   open_item.date, open_item.due_date,
                   open_item.residual - ROUND(
                       open_item.in_process * open_item.residual / NULLIF(open_item.residual_currency, 0), %(digits)s
                   ) AS residual,
                   open_item.residual_currency - open_item.in_process AS residual_currency,
                   open_item.excluded,
                   open_item.residual < 0 OR open_item.is_payout AS is_credit
              FROM (
                SELECT line.id AS item_id,
                       line.move_id,
                       partner.commercial_partner_id AS partner_id,
                       line.currency_id,
                       line.date,
                       COALESCE(line.date_maturity, line.date) AS due_date,
                       line.amount_residual + COALESCE(later.amount, 0) AS residual,
                       line.amount_residual_currency + COALESCE(later.amount_currency, 0) AS residual_currency,
                       COALESCE(line.no_followup, FALSE) OR COALESCE(move.payment_state = 'blocked', FALSE) AS excluded,
                       move.origin_payment_id IS NOT NULL AND line.balance > 0 AND EXISTS (
                           SELECT FROM account_payment payment
                            WHERE payment.id = move.origin_payment_id AND payment.payment_type = 'outbound'
                       ) AS is_payout,
                       CASE WHEN move.payment_state = 'in_payment' AND line.amount_residual > 0
                            THEN %(in_process)s ELSE 0 END AS in_process
                  FROM %(source)s
                  JOIN account_move move ON move.id = line.move_id
             LEFT JOIN res_partner partner ON partner.id = line.partner_id
             LEFT JOIN later ON later.line_id = line.id
                 WHERE %(condition)s
                   AND line.date <= %(day)s
                   AND line.id NOT IN (SELECT id FROM void)
              ) open_item
             WHERE open_item.residual != 0
               AND open_item.residual_currency != 0
               AND open_item.residual_currency != open_item.in_process
            """,
            void=self._get_void_sql(company),
            later=self._get_later_sql(company, day),
            digits=company.currency_id.decimal_places,
            in_process=self._get_in_process_sql(day),
            source=source,
            condition=condition,
            day=day,
        )

    @api.model
    def _get_in_process_sql(self, day):
        """Return SQL for what payments in process, which have no entry of their own, pay of an item.

        In the currency of the item, called ``line`` with its entry ``move``. A payment pays its invoices, and an
        invoice its instalments, the oldest first.
        """
        return SQL(
            """
            LEAST(line.amount_residual_currency, GREATEST(0, (
                SELECT COALESCE(SUM(LEAST(GREATEST(0,
                           CASE WHEN payment.currency_id = line.currency_id THEN payment.amount
                                ELSE ABS(payment.amount_company_currency_signed)
                                     * line.amount_residual_currency / NULLIF(line.amount_residual, 0) END
                           - COALESCE((
                               SELECT SUM(other.amount_residual)
                                 FROM account_move__account_payment earlier
                                 JOIN account_move other ON other.id = earlier.invoice_id
                                WHERE earlier.payment_id = payment.id
                                  AND (other.invoice_date_due, other.id) < (move.invoice_date_due, move.id)
                           ), 0)
                       ), move.amount_residual)), 0)
                  FROM account_move__account_payment link
                  JOIN account_payment payment ON payment.id = link.payment_id
                 WHERE link.invoice_id = move.id
                   AND payment.move_id IS NULL
                   AND payment.state IN ('in_process', 'paid')
                   AND payment.date <= %(day)s
            ) - COALESCE((
                SELECT SUM(sibling.amount_residual_currency)
                  FROM account_move_line sibling
                 WHERE sibling.move_id = line.move_id
                   AND sibling.account_id = line.account_id
                   AND (COALESCE(sibling.date_maturity, sibling.date), sibling.id)
                       < (COALESCE(line.date_maturity, line.date), line.id)
            ), 0)))
            """,
            day=day,
        )

    @api.model
    def _get_in_process_item_sql(self, company, partners, day):
        """Return SQL with what payments in process, without an entry of their own, pay of items.

        Columns: ``item_id``, ``date`` (of the last of these payments), ``amount_currency`` (positive).
        """
        return SQL(
            """
            SELECT * FROM (
                SELECT line.id AS item_id, %(in_process)s AS amount_currency, (
                    SELECT MAX(payment.date)
                      FROM account_move__account_payment link
                      JOIN account_payment payment ON payment.id = link.payment_id
                     WHERE link.invoice_id = move.id
                       AND payment.move_id IS NULL
                       AND payment.state IN ('in_process', 'paid')
                       AND payment.date <= %(day)s
                ) AS date
                  FROM account_move_line line
                  JOIN account_move move ON move.id = line.move_id
                 WHERE %(receivable)s
                   AND move.payment_state = 'in_payment'
                   AND line.amount_residual > 0
                   AND line.date <= %(day)s
            ) item
             WHERE amount_currency > 0
            """,
            in_process=self._get_in_process_sql(day),
            receivable=self._get_receivable_sql(company, partners),
            day=day,
        )

    @api.model
    def _get_disputed_parts_sql(self, company):
        """Return SQL with one row per item of which a part is disputed: ``move_line_id``, ``amount`` (its currency)."""
        return self.env["collection.dispute.line"]._get_open_parts_sql(company)

    @api.model
    def _get_promised_parts_sql(self, company):
        """Return SQL with one row per item of which a part is promised: ``move_line_id``, ``amount`` (its currency)."""
        return self.env["collection.promise.line"]._get_open_parts_sql(company)

    @api.model
    def _get_open_item_sql(self, company, partners=None, day=None, announced=None, filters=None):
        """Return SQL with one row per open item of customers and what is withheld of it: see ``_get_withheld_sql``.

        :param date day: as of which items are open; today on the company's clock when ``None``.
        :param dict announced: ``{item id: amount on its way}``, see ``_get_money_on_its_way``; none when empty.
        :param SQL filters: further conditions on the journal item, called ``line``, begun by ``AND``.
        """
        day = day or company._collection_today()
        return SQL(
            "SELECT * FROM (%s) withheld WHERE partner_id IS NOT NULL",
            self._get_withheld_sql(
                company,
                self._get_balance_sql(company, day, partners, filters),
                self._get_disputed_parts_sql(company),
                self._get_promised_parts_sql(company),
                announced,
            ),
        )

    @api.model
    def _get_withheld_sql(self, company, balance, disputed_parts, promised_parts, announced=None):
        """Return SQL with open items and what is withheld of each: the definition of “withheld”.

        Columns: those of ``_get_balance_sql``, and ``disputed``, ``promised`` and ``announced`` in company currency;
        ``*_currency``: the same in the item's own. A promise only covers what no dispute covers, money on its way
        only what neither covers.

        :param SQL balance: the open items, see ``_get_balance_sql``.
        :param SQL disputed_parts: ``move_line_id``, ``amount`` in the currency of the item.
        :param SQL promised_parts: the same of promises.
        :param dict announced: ``{item id: amount on its way}``; none when empty.
        """
        announced = announced or {}
        digits = company.currency_id.decimal_places
        return SQL(
            """
            WITH disputed AS MATERIALIZED (%(disputed_parts)s),
            promised AS MATERIALIZED (%(promised_parts)s)
            SELECT balance.*,
                   part.disputed_currency, part.promised_currency, part.announced_currency,
                   part.disputed, part.promised,
                   -- What covers all the rest in the item's currency covers it to the cent in the company's.
                   CASE WHEN part.announced_currency = part.residual_currency - part.promised_currency
                        THEN part.residual - part.promised
                        ELSE ROUND(part.announced_currency * part.rate, %(digits)s) END AS announced
              FROM (%(balance)s) balance
         LEFT JOIN disputed ON disputed.move_line_id = balance.item_id
         LEFT JOIN promised ON promised.move_line_id = balance.item_id
         LEFT JOIN UNNEST(%(announced_ids)s::int[], %(announced_amounts)s::numeric[])
                   AS announced(move_line_id, amount) ON announced.move_line_id = balance.item_id
        CROSS JOIN LATERAL (
                SELECT balance.residual / balance.residual_currency AS rate,
                       CASE WHEN balance.is_credit THEN 0
                            ELSE LEAST(balance.residual_currency, GREATEST(COALESCE(disputed.amount, 0), 0))
                            END AS disputed_currency
              ) contested
        CROSS JOIN LATERAL (
                SELECT CASE WHEN balance.is_credit THEN 0
                            ELSE LEAST(balance.residual_currency - contested.disputed_currency,
                                       GREATEST(COALESCE(promised.amount, 0), 0)) END AS promised_currency,
                       ROUND(contested.disputed_currency * contested.rate, %(digits)s) AS disputed
              ) said
        CROSS JOIN LATERAL (
                SELECT contested.rate, contested.disputed_currency, said.disputed, said.promised_currency,
                       -- What is left once the dispute is taken off.
                       balance.residual_currency - contested.disputed_currency AS residual_currency,
                       balance.residual - said.disputed AS residual,
                       CASE WHEN said.promised_currency = balance.residual_currency - contested.disputed_currency
                            THEN CASE WHEN balance.is_credit THEN 0 ELSE balance.residual - said.disputed END
                            ELSE ROUND(said.promised_currency * contested.rate, %(digits)s) END AS promised,
                       CASE WHEN balance.is_credit THEN 0
                            ELSE LEAST(
                                balance.residual_currency - contested.disputed_currency - said.promised_currency,
                                GREATEST(COALESCE(announced.amount, 0), 0)
                            ) END AS announced_currency
              ) part
            """,
            digits=digits,
            balance=balance,
            disputed_parts=disputed_parts,
            promised_parts=promised_parts,
            announced_ids=list(announced),
            announced_amounts=list(announced.values()),
        )

    @api.model
    def _get_open_item_ids(self, company, partners=None, day=None):
        """Return the ids of the open items of customers, the oldest first."""
        self._flush()
        balance = self._get_balance_sql(company, day or company._collection_today(), partners)
        rows = self.env.execute_query(
            SQL("SELECT item_id FROM (%s) item WHERE partner_id IS NOT NULL ORDER BY due_date, item_id", balance)
        )
        return [item_id for [item_id] in rows]

    # === BUSINESS METHODS - NAMES === #

    @api.model
    def _get_item_name_sql(self, line, move):
        """Return SQL for the name under which a customer knows an item: see ``account.move.line._get_collection_name``.

        :param str line: alias of the journal item; ``move``: that of its entry.
        """
        return SQL(
            """
            CASE WHEN %(batch)s IS NOT NULL
                 THEN COALESCE(NULLIF(%(ref)s, ''), NULLIF(%(label)s, ''), NULLIF(%(number)s, ''), '')
                 ELSE COALESCE(NULLIF(%(number)s, ''), NULLIF(%(label)s, ''), NULLIF(%(ref)s, ''), '') END
            """,
            batch=SQL.identifier(move, "collection_batch_id"),
            ref=SQL.identifier(line, "ref"),
            label=SQL.identifier(line, "name"),
            number=SQL.identifier(move, "name"),
        )
