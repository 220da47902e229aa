from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

# What, when written on a receivable line, changes what its customer owes or may be asked for.
WATCHED_FIELDS = {"date_maturity", "no_followup", "partner_id", "account_id"}


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    collection_days_late = fields.Integer(
        string="Days Late",
        compute="_compute_collection_days_late",
        help="Calendar days since the due date, on the company's clock. 0 when not late.",
    )

    collection_item_name = fields.Char(
        string="Item", compute="_compute_collection_item_name", help="The number under which the customer knows it."
    )

    # === COMPUTE METHODS === #

    @api.depends("move_id.name", "move_id.collection_batch_id", "name", "ref")
    def _compute_collection_item_name(self):
        for line in self:
            line.collection_item_name = line._get_collection_name()

    @api.depends("date_maturity", "date")
    def _compute_collection_days_late(self):
        today_by_company = {company: company._collection_today() for company in self.company_id}
        for line in self:
            due_date = line.date_maturity or line.date
            today = today_by_company.get(line.company_id)
            line.collection_days_late = max((today - due_date).days, 0) if today and due_date else 0

    # === CRUD METHODS === #

    # EXTENDS account
    def write(self, vals):
        if not WATCHED_FIELDS & vals.keys():
            return super().write(vals)
        queue = self.env["collection.refresh.queue"]
        posted = self.filtered(lambda line: line.parent_state == "posted")
        queue._enqueue_lines(posted)  # the customer it leaves, too
        result = super().write(vals)
        queue._enqueue_lines(posted)
        return result

    # === ACTION METHODS === #

    def action_open_collection_move(self):
        """Open the invoice or entry behind a journal item."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "res_id": self.move_id.id,
            "view_mode": "form",
        }

    # === BUSINESS METHODS === #

    def _get_collection_name(self):
        """Return the name under which a customer knows an item: the invoice's number, or the entry's label."""
        item = self.sudo()  # an opening entry has a number too, for people who may not read it
        item.ensure_one()
        if item.move_id.collection_batch_id:
            # The customer knows the number of the invoice that is kept elsewhere, not that of our entry.
            return item.ref or item.name or item.move_id.name or ""
        return item.move_id.name or item.name or item.ref or ""

    def _convert_collection_amount(self, amount):
        """Bring part of an item to company currency at the item's own rate, so that parts add up to the item.

        :param float amount: in the item's currency.
        :return: in company currency.
        """
        self.ensure_one()
        if self.currency_id == self.company_currency_id or not self.amount_currency:
            return amount
        return self.company_currency_id.round(amount * self.balance / self.amount_currency)

    def _get_collection_disputed(self):
        """Return ``{item id: amount under dispute, in the item's currency}``."""
        return self.env["collection.dispute.line"]._get_open_parts(self)

    def _check_collection_item(self, debtor, currency):
        """Check that a promise or a dispute of ``debtor`` in ``currency`` may name this item.

        :raises ValidationError: when it is somebody else's, in another currency or not owed.
        """
        self.ensure_one()
        name = self._get_collection_name()
        if self.company_id != debtor.company_id or self.partner_id.commercial_partner_id != debtor.partner_id:
            raise ValidationError(
                self.env._("%(item)s is not an item of %(customer)s.", item=name, customer=debtor.partner_id.name)
            )
        if self.account_type != "asset_receivable" or self.parent_state != "posted" or self.amount_residual <= 0:
            raise ValidationError(self.env._("%s is not owed: choose an open item.", name))
        if self.currency_id != currency:
            raise ValidationError(
                self.env._(
                    "%(item)s is in %(currency)s: record what concerns another currency apart.",
                    item=name,
                    currency=self.currency_id.name,
                )
            )

    @api.model
    def _get_collection_settlements(self, lines, after_id=0):
        """Return how these receivable items were settled by reconciliations newer than ``after_id``.

        :param lines: debit journal items.
        :param int after_id: id of the last reconciliation to leave out.
        :return: list of dicts ``line_id``, ``partial_id``, ``date`` (of the money or the credit note),
            ``amount`` (in the item's currency; of money only what really came in), ``is_cash`` and
            ``credit_line_id``.
        """
        if not lines:
            return []
        return self.env.execute_query_dict(
            SQL(
                """
                SELECT partial.debit_move_id AS line_id,
                       partial.id AS partial_id,
                       credit.id AS credit_line_id,
                       credit.date,
                       CASE WHEN journal.type IN ('bank', 'cash', 'credit') THEN %(cash)s
                            ELSE partial.debit_amount_currency END AS amount,
                       journal.type IN ('bank', 'cash', 'credit') AS is_cash
                  FROM account_partial_reconcile partial
                  JOIN account_move_line credit ON credit.id = partial.credit_move_id
                  JOIN account_journal journal ON journal.id = credit.journal_id
                  JOIN res_currency currency ON currency.id = partial.debit_currency_id
                 WHERE partial.debit_move_id IN %(lines)s AND partial.id > %(after)s
              ORDER BY partial.id
                """,
                cash=self._get_collection_cash_sql(
                    SQL("partial.debit_amount_currency"), SQL("credit.move_id"), SQL("currency.decimal_places")
                ),
                lines=tuple(lines.ids),
                after=after_id,
            )
        )

    @api.model
    def _get_collection_returned_ids(self, company, partners):
        """Return the ids of the payment lines of these customers whose money went back.

        :param company: companies.
        :param partners: commercial partners.
        """
        return {
            line_id
            for own in company
            for [line_id] in self.env.execute_query(
                SQL(
                    "SELECT credit_line_id FROM (%s) returned WHERE credit_line_id IS NOT NULL",
                    self._get_collection_returns_sql(own, partners),
                )
            )
        }

    @api.model
    def _get_collection_returns_sql(self, company, partners):
        """Return SQL with one row per payment that came back unpaid: a direct debit or cheque that bounced.

        Either Odoo's payment was rejected, or the bank took from its account, without a payment to the customer,
        exactly what the customer had paid before. What is sent back to a customer on purpose is an outgoing payment
        and no return. Of several payments of that amount it is the one that was set against it, else the last.

        Columns: partner_id (commercial), credit_line_id (the payment's journal item, if it has one), date.

        :param company: one company.
        :param partners: commercial partners; all when ``None``.
        """
        journals = tuple(company._get_collection_cash_journals().ids) or (0,)
        accounts = tuple(company._get_collection_receivable_accounts().ids) or (0,)
        partner_filter = SQL() if partners is None else SQL("AND partner.commercial_partner_id = ANY(%s)", partners.ids)
        return SQL(
            """
            SELECT partner.commercial_partner_id AS partner_id, payment.credit_line_id, bounce.date
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
               AND bounce.company_id = %(company)s
               AND bounce.parent_state = 'posted'
               AND bounce.balance > 0
               AND move.origin_payment_id IS NULL
               %(partner_filter)s
             UNION ALL
            SELECT partner.commercial_partner_id, credit.id, payment.date
              FROM account_payment payment
              JOIN res_partner partner ON partner.id = payment.partner_id
         LEFT JOIN account_move_line credit
                ON credit.move_id = payment.move_id AND credit.account_id IN %(accounts)s AND credit.balance < 0
             WHERE payment.company_id = %(company)s
               AND payment.state = 'rejected'
               AND payment.payment_type = 'inbound'
               AND payment.partner_type = 'customer'
               %(partner_filter)s
            """,
            accounts=accounts,
            journals=journals,
            company=company.id,
            partner_filter=partner_filter,
        )

    @api.model
    def _get_collection_cash_sql(self, amount, move_id, digits):
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
