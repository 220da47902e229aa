"""What may be claimed: credits set against debts, and where each open item stands."""

from odoo import api, models
from odoo.tools import SQL


class CollectionLedger(models.AbstractModel):
    """What may be claimed of open items, once credits are set against them."""

    _inherit = "collection.ledger"

    @api.model
    def _get_claim_sql(self, company, partners=None, day=None, announced=None):
        """Return SQL with one row per open item and what may be claimed of it: the definition of “claimable”.

        Columns: those of ``_get_open_item_sql``, and

        - ``late``: a debt whose due date lies before the day (an item due on the day itself is not late);
        - ``askable``: what is neither excluded nor withheld of a debt, due or not;
        - ``credited``: what credits cover of that, the oldest debt of the currency first;
        - ``claimable``: the rest. What is claimable of a customer is the sum over the late items.

        ``*_currency``: in the item's currency. Insolvency is a matter of the customer, not of the ledger.

        It is worked out once, whatever it is joined with: PostgreSQL, when it knows nothing of the tables yet, would
        do so again for each row.
        """
        day = day or company._collection_today()
        return SQL(
            """
            WITH reserved AS MATERIALIZED (%(reserved)s),
            claim AS MATERIALIZED (
                SELECT netted.*,
                       netted.askable - netted.claimable AS credited
                  FROM (
                    SELECT covered.*,
                           covered.askable_currency - covered.claimable_currency AS credited_currency,
                           CASE WHEN covered.claimable_currency = 0 THEN 0
                                WHEN covered.claimable_currency = covered.askable_currency THEN covered.askable
                                ELSE ROUND(
                                    covered.claimable_currency * covered.residual / covered.residual_currency,
                                    %(digits)s
                                ) END AS claimable
                      FROM (
                        SELECT summed.*,
                               LEAST(
                                   summed.askable_currency,
                                   GREATEST(summed.cumulated - GREATEST(
                                       summed.credits - COALESCE(reserved.amount, 0), 0
                                   ), 0)
                               ) AS claimable_currency
                          FROM (
                            SELECT asked.*,
                                   SUM(asked.askable_currency) OVER (debts ORDER BY asked.due_date, asked.item_id)
                                       AS cumulated,
                                   COALESCE(-SUM(asked.residual_currency)
                                       FILTER (WHERE asked.is_credit AND NOT asked.excluded) OVER debts, 0) AS credits
                              FROM (
                                SELECT open_item.*,
                                       NOT open_item.is_credit AND open_item.due_date < %(day)s AS late,
                                       CASE WHEN open_item.is_credit OR open_item.excluded THEN 0
                                            ELSE open_item.residual - open_item.disputed - open_item.promised
                                                 - open_item.announced END AS askable,
                                       CASE WHEN open_item.is_credit OR open_item.excluded THEN 0
                                            ELSE open_item.residual_currency - open_item.disputed_currency
                                                 - open_item.promised_currency - open_item.announced_currency
                                            END AS askable_currency
                                  FROM (%(items)s) open_item
                              ) asked
                            WINDOW debts AS (PARTITION BY asked.partner_id, asked.currency_id)
                          ) summed
                     LEFT JOIN reserved
                            ON reserved.partner_id = summed.partner_id AND reserved.currency_id = summed.currency_id
                      ) covered
                  ) netted
            )
            SELECT * FROM claim
            """,
            day=day,
            digits=company.currency_id.decimal_places,
            items=self._get_open_item_sql(company, partners, day, announced),
            reserved=self._get_reserved_sql(company, partners, day),
        )

    @api.model
    def _get_reserved_sql(self, company, partners, day):
        """Return SQL with the credits that open credit notes keep for disputed parts.

        A credit note that reverses a disputed invoice takes up its disputed part first; one that reverses no invoice,
        and is not older than the disputed ones of its customer, takes up what is left of their disputed parts.
        So nothing is taken off twice, as disputed and as credited.

        Columns: ``partner_id`` (commercial), ``currency_id``, ``amount`` (positive, in that currency).
        """
        notes = SQL(
            """
            SELECT COALESCE(-SUM(credit.amount_residual_currency), 0)
              FROM account_move_line credit
              JOIN account_move note ON note.id = credit.move_id
              JOIN res_partner owner ON owner.id = credit.partner_id
             WHERE note.move_type = 'out_refund'
               AND note.state = 'posted'
               AND credit.account_id IN %(accounts)s
               AND credit.company_id = %(company)s
               AND credit.amount_residual < 0
               AND credit.date <= %(day)s
               AND credit.no_followup IS NOT TRUE
            """,
            accounts=self._get_account_ids(company),
            company=company.id,
            day=day,
        )
        return SQL(
            """
            SELECT partner_id, currency_id,
                   SUM(LEAST(disputed, reversing)) + LEAST(
                       SUM(GREATEST(disputed - reversing, 0)),
                       (%(notes)s
                           AND note.reversed_entry_id IS NULL
                           AND owner.commercial_partner_id = invoice.partner_id
                           AND credit.currency_id = invoice.currency_id
                           AND credit.date >= MIN(invoice.date))
                   ) AS amount
              FROM (
                SELECT partner.commercial_partner_id AS partner_id, line.currency_id, line.move_id, line.date,
                       SUM(LEAST(line.amount_residual_currency, part.amount)) AS disputed,
                       (%(notes)s
                           AND note.reversed_entry_id = line.move_id
                           AND credit.currency_id = line.currency_id) AS reversing
                  FROM (%(parts)s) part
                  JOIN account_move_line line ON line.id = part.move_line_id
                  JOIN res_partner partner ON partner.id = line.partner_id
                 WHERE %(receivable)s AND line.amount_residual > 0 AND line.no_followup IS NOT TRUE
              GROUP BY partner.commercial_partner_id, line.currency_id, line.move_id, line.date
              ) invoice
          GROUP BY partner_id, currency_id
            """,
            notes=notes,
            parts=self._get_disputed_parts_sql(company),
            receivable=self._get_receivable_sql(company, partners),
        )

    @api.model
    def _get_claims(self, company, partners=None, day=None):
        """Return the open items with what may be claimed of each: see ``_get_claim_sql``.

        :return: ``(list of dicts, MoneyOnItsWay)``, the oldest first.
        """
        day = day or company._collection_today()
        self._flush()
        money = self._get_money_on_its_way(company, partners, day)
        claims = self._get_claim_sql(company, partners, day, money.amounts)
        rows = self.env.execute_query_dict(SQL("SELECT * FROM (%s) claim ORDER BY due_date, item_id", claims))
        return rows, money

    @api.model
    def _get_situation_sql(self, insolvency):
        """Return SQL for where an item stands, a row of ``_get_claim_sql`` called ``item``. The first that fits wins.

        A part that may be claimed makes the item claimable, whatever stands in the way of the rest.

        :param SQL insolvency: whether insolvency proceedings of the customer are open.
        """
        return SQL(
            """
            CASE WHEN item.is_credit THEN 'credit'
                 WHEN NOT item.late THEN 'not_due'
                 WHEN item.excluded OR %(insolvency)s THEN 'excluded'
                 WHEN item.claimable > 0 THEN 'claimable'
                 WHEN item.disputed > 0 THEN 'disputed'
                 WHEN item.promised > 0 THEN 'promised'
                 WHEN item.announced > 0 THEN 'announced'
                 ELSE 'covered' END
            """,
            insolvency=insolvency,
        )

    @api.model
    def _get_credits_to_allocate(self, company, partners=None):
        """Return the payments that nobody has allocated and that could as well belong to a debt left out.

        A payment may settle an older debt that is not followed up, or what could be claimed: until somebody
        allocates it, nobody knows, and nothing is claimed. A credit note that names its invoice is no such payment.

        :param partners: commercial partners; all when ``None``.
        :return: list of ``{"partner_id" (commercial), "currency_id", "amount" (of the credits, in that currency),
            "item_id" (the oldest debt that is left out)}``, the greatest amount last.
        """
        self.env.flush_all()
        # Few customers have both: only of these the balance is computed.
        candidates = self.env.execute_query(
            SQL(
                """
                SELECT partner.commercial_partner_id
                  FROM account_move_line line
                  JOIN account_move move ON move.id = line.move_id
                  JOIN res_partner partner ON partner.id = line.partner_id
                 WHERE %s AND line.reconciled IS NOT TRUE
              GROUP BY partner.commercial_partner_id
                HAVING BOOL_OR(line.amount_residual < 0 AND line.no_followup IS NOT TRUE)
                   AND BOOL_OR(line.amount_residual > 0
                               AND (line.no_followup IS TRUE OR move.payment_state = 'blocked'))
                """,
                self._get_receivable_sql(company, partners),
            )
        )
        if not candidates:
            return []
        partners = self.env["res.partner"].browse(partner_id for [partner_id] in candidates)
        ambiguous = self._get_credit_to_allocate_sql(company, partners)
        return self.env.execute_query_dict(SQL("SELECT * FROM (%s) ambiguous ORDER BY amount, item_id", ambiguous))

    @api.model
    def _get_credit_to_allocate_sql(self, company, partners=None):
        """Return SQL for ``_get_credits_to_allocate``: one row per customer and currency."""
        return SQL(
            """
              WITH item AS MATERIALIZED (%s)
            SELECT DISTINCT ON (debt.partner_id, debt.currency_id)
                   debt.partner_id, debt.currency_id, credit.amount::float AS amount, debt.item_id
              FROM item debt
              JOIN (
                SELECT item.partner_id, item.currency_id, -SUM(item.residual_currency) AS amount
                  FROM item
                  JOIN account_move move ON move.id = item.move_id
                 WHERE item.is_credit AND NOT item.excluded AND move.reversed_entry_id IS NULL
              GROUP BY item.partner_id, item.currency_id
              ) credit ON credit.partner_id = debt.partner_id AND credit.currency_id = debt.currency_id
              JOIN (
                SELECT partner_id, currency_id, MIN(due_date) AS oldest
                  FROM item
                 WHERE NOT is_credit AND NOT excluded AND residual - disputed - promised - announced > 0
              GROUP BY partner_id, currency_id
              ) claimable ON claimable.partner_id = debt.partner_id AND claimable.currency_id = debt.currency_id
             WHERE debt.excluded AND NOT debt.is_credit AND debt.due_date <= claimable.oldest AND credit.amount > 0
          ORDER BY debt.partner_id, debt.currency_id, debt.due_date, debt.item_id
            """,
            self._get_open_item_sql(company, partners),
        )
