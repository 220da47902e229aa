"""Cash and history: what counts as money, what came back, how customers paid so far."""

from dateutil.relativedelta import relativedelta

from odoo import api, models
from odoo.tools import SQL


class CollectionLedger(models.AbstractModel):
    """Cash, returns and the payment history, as recorded in the ledger."""

    _inherit = "collection.ledger"

    # === BUSINESS METHODS - CASH === #

    @api.model
    def _get_returns_sql(self, company, partners=None):
        """Return SQL with one row per payment that came back unpaid: a direct debit or cheque that bounced.

        Either Odoo's payment was rejected, or the bank took from its account, without a payment to the customer,
        exactly what the customer had paid before. What is sent back to a customer on purpose is an outgoing payment
        and no return. Of several payments of that amount it is the one that was set against it, else the last. Of a
        branch: what came back to it, and what came back to a company above it of what paid the branch's own items.

        Columns: partner_id (commercial), credit_line_id (the payment's journal item, if it has one), debit_line_id
        (that of the bank's debit, if it was booked), date.

        :param partners: commercial partners, or SQL with their ids; all when ``None``.
        """
        if partners is None:
            partner_filter = SQL()
        elif isinstance(partners, SQL):
            partner_filter = SQL("AND partner.commercial_partner_id IN (%s)", partners)
        else:
            partner_filter = SQL("AND partner.commercial_partner_id = ANY(%s)", partners.ids)
        return SQL(
            """
            WITH bounced AS MATERIALIZED (%(bounces)s)
            SELECT * FROM bounced
             UNION ALL
            -- Rejected, and booked back as well: it came back once.
            SELECT partner.commercial_partner_id, credit.id, NULL, payment.date
              FROM account_payment payment
              JOIN res_partner partner ON partner.id = payment.partner_id
         LEFT JOIN account_move_line credit
                ON credit.move_id = payment.move_id AND credit.account_id IN %(accounts)s AND credit.balance < 0
             WHERE %(is_own)s
               AND payment.state = 'rejected'
               AND payment.payment_type = 'inbound'
               AND payment.partner_type = 'customer'
               AND (credit.id IS NULL OR credit.id NOT IN (SELECT credit_line_id FROM bounced))
               %(partner_filter)s
            """,
            bounces=self._get_bounces_sql(company, partner_filter),
            accounts=self._get_account_ids(company),
            is_own=self._get_own_return_sql(company, SQL("payment.company_id"), SQL("credit.id")),
            partner_filter=partner_filter,
        )

    @api.model
    def _get_own_return_sql(self, company, owner, credit):
        """Return an SQL condition on money that came back: that it is a matter of this company.

        A branch may receive its money on the bank account of a company above it, where it goes back, too.

        :param SQL owner: the company to which it came back.
        :param SQL credit: id of the payment's journal item.
        """
        above = (company.sudo().parent_ids - company).ids
        if not above:
            return SQL("%s = %s", owner, company.id)
        return SQL(
            """
            (%(owner)s = %(company)s OR (%(owner)s = ANY(%(above)s) AND EXISTS (
                SELECT FROM account_partial_reconcile paid
                  JOIN account_move_line debit ON debit.id = paid.debit_move_id
                 WHERE paid.credit_move_id = %(credit)s AND debit.company_id = %(company)s
            )))
            """,
            owner=owner,
            company=company.id,
            above=above,
            credit=credit,
        )

    @api.model
    def _get_bounces_sql(self, company, partner_filter):
        """Return SQL with one row per debit of a payment that the bank returned; see ``_get_returns_sql``.

        :param SQL partner_filter: condition on ``partner``, begun by ``AND``; nothing for all customers.
        """
        return SQL(
            """
            SELECT partner.commercial_partner_id AS partner_id, payment.credit_line_id, bounce.id AS debit_line_id,
                   bounce.date
              FROM account_move_line bounce
              JOIN account_move move ON move.id = bounce.move_id
              JOIN res_partner partner ON partner.id = bounce.partner_id
              JOIN LATERAL (
                SELECT credit.id AS credit_line_id
                  FROM account_move_line credit
                  JOIN res_partner payer ON payer.id = credit.partner_id
                 WHERE payer.commercial_partner_id = partner.commercial_partner_id
                   AND credit.account_id IN %(accounts)s
                   AND credit.journal_id IN %(journals)s
                   AND credit.company_id = bounce.company_id
                   AND credit.parent_state = 'posted'
                   AND credit.currency_id = bounce.currency_id
                   AND credit.amount_currency = -bounce.amount_currency
                   AND credit.date <= bounce.date
              ORDER BY EXISTS (SELECT 1 FROM account_partial_reconcile partial
                                WHERE partial.debit_move_id = bounce.id AND partial.credit_move_id = credit.id) DESC,
                       credit.date DESC, credit.id DESC
                 LIMIT 1
              ) payment ON TRUE
             WHERE bounce.account_id IN %(accounts)s
               AND bounce.journal_id IN %(journals)s
               AND %(is_own)s
               AND bounce.parent_state = 'posted'
               AND bounce.balance > 0
               AND move.origin_payment_id IS NULL
               %(partner_filter)s
            """,
            accounts=self._get_account_ids(company),
            journals=self._get_cash_journal_ids(company),
            is_own=self._get_own_return_sql(company, SQL("bounce.company_id"), SQL("payment.credit_line_id")),
            partner_filter=partner_filter,
        )

    @api.model
    def _get_returned_ids_sql(self, company, partners=None):
        """Return SQL with the ids of the payments' journal items whose money went back."""
        returns = self._get_returns_sql(company, partners)
        return SQL("SELECT credit_line_id FROM (%s) returned WHERE credit_line_id IS NOT NULL", returns)

    @api.model
    def _get_cash_sql(self, amount, move_id, digits):
        """Return SQL for how much of a settlement by a payment entry is money that came in.

        A payment may be booked together with a write-off, an early payment discount or bank fees: the
        entry then settles more than it brings in, and each of its settlements is money in that proportion.

        :param SQL amount: what was settled.
        :param SQL move_id: the payment's entry.
        :param SQL digits: decimal places of the amount's currency.
        """
        return SQL(
            """
            ROUND(%(amount)s * (
                SELECT CASE WHEN entry.waived > 0 AND entry.settled > 0
                            THEN 1 - LEAST(entry.waived / entry.settled, 1) ELSE 1 END
                  FROM (
                    SELECT SUM(line.balance) FILTER (
                               WHERE account.account_type LIKE 'expense%%' OR account.account_type LIKE 'income%%'
                                  OR line.tax_repartition_line_id IS NOT NULL
                           ) AS waived,
                           -SUM(line.balance) FILTER (WHERE account.account_type = 'asset_receivable') AS settled
                      FROM account_move_line line
                      JOIN account_account account ON account.id = line.account_id
                     WHERE line.move_id = %(move_id)s
                  ) entry
            ), (%(digits)s)::int)
            """,
            amount=amount,
            move_id=move_id,
            digits=digits,
        )

    @api.model
    def _get_settlement_sql(self, company, where, of_few=False, with_drafts=False):
        """Return SQL with one row per reconciliation that settled part of a debit item: the definition of “cash”.

        Columns: ``item_id``, ``partial_id``, ``credit_line_id``, ``credit_move_id``, ``date`` (of the money or the
        credit note), ``settled_on`` (the later of both items' days), ``is_cash``, ``is_returned`` (the money did not
        stay), ``amount`` (settled, in the item's currency), ``money`` (what came in of it), ``cash`` (what came in and
        stayed: 0 for anything else); ``company_*``: the same in company currency. Entries that went back to draft
        settle nothing, although Odoo keeps their reconciliations.

        :param SQL where: condition on ``partial``, ``debit`` and ``credit`` that says which.
        :param bool of_few: only the returns of those who paid these are read, which is quicker for few items.
        :param bool with_drafts: of debit items that are being corrected, too: what settled them is still known.
        """
        return SQL(
            """
            SELECT received.*,
                   CASE WHEN is_returned THEN 0 ELSE money END AS cash,
                   CASE WHEN is_returned THEN 0 ELSE company_money END AS company_cash
              FROM (
                SELECT settled.*,
                       CASE WHEN is_cash THEN %(money)s ELSE 0 END AS money,
                       CASE WHEN is_cash THEN %(company_money)s ELSE 0 END AS company_money
                  FROM (
                    SELECT partial.debit_move_id AS item_id,
                           partial.id AS partial_id,
                           credit.id AS credit_line_id,
                           credit.move_id AS credit_move_id,
                           credit.date,
                           partial.max_date AS settled_on,
                           credit.journal_id IN %(journals)s AS is_cash,
                           credit.id IN (%(returned)s) AS is_returned,
                           partial.debit_amount_currency AS amount,
                           partial.amount AS company_amount,
                           currency.decimal_places
                      FROM account_partial_reconcile partial
                      JOIN account_move_line debit ON debit.id = partial.debit_move_id
                      JOIN account_move_line credit ON credit.id = partial.credit_move_id
                      JOIN res_currency currency ON currency.id = partial.debit_currency_id
                     WHERE debit.company_id = %(company)s
                       AND debit.parent_state IN %(states)s
                       AND credit.parent_state = 'posted'
                       AND %(where)s
                  ) settled
              ) received
            """,
            money=self._get_cash_sql(SQL("amount"), SQL("credit_move_id"), SQL("decimal_places")),
            company_money=self._get_cash_sql(
                SQL("company_amount"), SQL("credit_move_id"), SQL("%s", company.currency_id.decimal_places)
            ),
            journals=self._get_cash_journal_ids(company),
            returned=self._get_returned_ids_sql(company, self._get_payers_sql(where) if of_few else None),
            company=company.id,
            states=("posted", "draft") if with_drafts else ("posted",),
            where=where,
        )

    @api.model
    def _get_payers_sql(self, where):
        """Return SQL with the ids of the commercial partners who settled items; see ``_get_settlement_sql``."""
        return SQL(
            """
            SELECT payer.commercial_partner_id
              FROM account_partial_reconcile partial
              JOIN account_move_line debit ON debit.id = partial.debit_move_id
              JOIN account_move_line credit ON credit.id = partial.credit_move_id
              JOIN res_partner payer ON payer.id = credit.partner_id
             WHERE %s
            """,
            where,
        )

    # === BUSINESS METHODS - HISTORY === #

    @api.model
    def _get_history_sql(self, company, partners, today):
        """Return SQL with one row per allocated payment of the payment history.

        Only cash counts: credit notes and write-offs say nothing about how a customer pays.
        Columns: partner_id (commercial), item_id, payment_id, date, amount, days_late (0 when in time).
        """
        since = today - relativedelta(months=company.collection_history_months)
        return SQL(
            """
            WITH entry AS MATERIALIZED (%(shares)s)
            SELECT partner.commercial_partner_id AS partner_id,
                   debit.id AS item_id,
                   credit.id AS payment_id,
                   credit.date,
                   ROUND(partial.amount * COALESCE(entry.share, 1), %(digits)s) AS amount,
                   GREATEST(credit.date - COALESCE(debit.date_maturity, debit.date), 0) AS days_late
              FROM account_partial_reconcile partial
              JOIN account_move_line debit ON debit.id = partial.debit_move_id
              JOIN account_move_line credit ON credit.id = partial.credit_move_id
              JOIN res_partner partner ON partner.id = debit.partner_id
         LEFT JOIN entry ON entry.move_id = credit.move_id
             WHERE partial.max_date >= %(since)s
               AND partial.max_date <= %(today)s
               AND debit.account_id IN %(accounts)s
               AND debit.company_id = %(company)s
               AND credit.journal_id IN %(journals)s
               AND debit.journal_id NOT IN %(not_invoiced)s
               -- Odoo keeps the reconciliations of an entry that goes back to draft.
               AND debit.parent_state = 'posted'
               AND credit.parent_state = 'posted'
               AND credit.id NOT IN (%(returned)s)
               %(partner_filter)s
            """,
            digits=company.currency_id.decimal_places,
            shares=self._get_cash_share_sql(company, partners, since),
            not_invoiced=self._get_not_invoiced_journal_ids(company),
            since=since,
            today=today,
            accounts=self._get_account_ids(company),
            journals=self._get_cash_journal_ids(company),
            company=company.id,
            returned=self._get_returned_ids_sql(company, partners),
            partner_filter=(
                SQL() if partners is None else SQL("AND partner.commercial_partner_id = ANY(%s)", partners.ids)
            ),
        )

    @api.model
    def _get_cash_share_sql(self, company, partners, since):
        """Return SQL with the payment entries that settle more than they bring in: ``move_id``, ``share`` (0 to 1).

        Of all payments at once what ``_get_cash_sql`` says of one; entries that are not in it are money as a whole.

        :param date since: entries of earlier days are left out.
        """
        return SQL(
            """
            SELECT line.move_id, 1 - LEAST(SUM(line.balance) FILTER (
                       WHERE account.account_type != 'asset_receivable'
                   ) / NULLIF(-SUM(line.balance) FILTER (
                       WHERE account.account_type = 'asset_receivable'
                   ), 0), 1) AS share
              FROM account_move_line line
              JOIN account_account account ON account.id = line.account_id
             WHERE line.move_id IN (
                    SELECT waived.move_id
                      FROM account_move_line waived
                      JOIN account_account kind ON kind.id = waived.account_id
                     WHERE waived.journal_id IN %(journals)s
                       AND waived.date >= %(since)s
                       AND waived.parent_state = 'posted'
                       AND waived.balance > 0
                       AND (kind.account_type LIKE 'expense%%' OR kind.account_type LIKE 'income%%'
                            OR waived.tax_repartition_line_id IS NOT NULL)
                       %(partner_filter)s
                   )
               AND (account.account_type LIKE 'expense%%' OR account.account_type LIKE 'income%%'
                    OR line.tax_repartition_line_id IS NOT NULL OR account.account_type = 'asset_receivable')
          GROUP BY line.move_id
            HAVING SUM(line.balance) FILTER (WHERE account.account_type != 'asset_receivable') > 0
               AND SUM(line.balance) FILTER (WHERE account.account_type = 'asset_receivable') < 0
            """,
            journals=self._get_cash_journal_ids(company),
            since=since,
            partner_filter=(
                SQL()
                if partners is None
                else SQL(
                    """
                    AND waived.move_id IN (
                        SELECT credit.move_id
                          FROM account_move_line credit
                         WHERE credit.account_id IN %s AND credit.journal_id IN %s AND credit.date >= %s
                               %s
                    )
                    """,
                    self._get_account_ids(company),
                    self._get_cash_journal_ids(company),
                    since,
                    self._get_partner_filter_sql(partners, "credit.partner_id"),
                )
            ),
        )

    @api.model
    def _get_movement_sql(self, company, partners, today):
        """Return SQL with one row per customer that ever had a receivable: first and last invoice, last payment.

        Columns: ``partner_id`` (commercial), ``first_invoice_date``, ``last_invoice_date``, ``last_payment_date``;
        entries dated after ``today`` make a customer known, but are no dates of the past.
        """
        return SQL(
            """
            SELECT partner.commercial_partner_id AS partner_id,
                   MIN(line.date) FILTER (
                       WHERE line.debit > 0 AND line.journal_id NOT IN %(not_invoiced)s AND line.date <= %(today)s
                   ) AS first_invoice_date,
                   MAX(line.date) FILTER (
                       WHERE line.debit > 0 AND line.journal_id NOT IN %(not_invoiced)s AND line.date <= %(today)s
                   ) AS last_invoice_date,
                   MAX(line.date) FILTER (
                       WHERE line.credit > 0 AND line.journal_id IN %(journals)s AND line.date <= %(today)s
                   ) AS last_payment_date
              FROM account_move_line line
              JOIN res_partner partner ON partner.id = line.partner_id
             WHERE line.account_id IN %(accounts)s
               AND line.parent_state = 'posted'
               AND line.company_id = %(company)s
               %(partner_filter)s
          GROUP BY partner.commercial_partner_id
            """,
            journals=self._get_cash_journal_ids(company),
            not_invoiced=self._get_not_invoiced_journal_ids(company),
            today=today,
            accounts=self._get_account_ids(company),
            company=company.id,
            partner_filter=(
                SQL() if partners is None else SQL("AND partner.commercial_partner_id = ANY(%s)", partners.ids)
            ),
        )
