from odoo import api, fields, models
from odoo.tools import SQL

# What, when written on a receivable line, changes what its customer owes or may be asked for.
WATCHED_FIELDS = {
    "date_maturity",
    "no_followup",
    "partner_id",
    "account_id",
    "balance",
    "amount_currency",
    "debit",
    "credit",
}


class AccountMoveLine(models.Model):
    _name = "account.move.line"
    _inherit = ["account.move.line", "collection.reader.view.mixin"]
    _collection_reader_view_types = ("form",)

    # What is reconciled but not posted is looked up whenever open items are read, see ``collection.ledger``.
    _collection_void_idx = models.Index("(id) WHERE parent_state != 'posted' AND matching_number IS NOT NULL")

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

    # EXTENDS account: a bank statement line gets its counterparts when its entry is posted already
    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._enqueue_collection_refresh()
        return lines

    # EXTENDS account
    def write(self, vals):
        if not WATCHED_FIELDS & vals.keys():
            return super().write(vals)
        self._enqueue_collection_refresh()  # the customer it leaves, too
        result = super().write(vals)
        self._enqueue_collection_refresh()
        return result

    # EXTENDS account
    def unlink(self):
        self._enqueue_collection_refresh()
        return super().unlink()

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

    def _enqueue_collection_refresh(self):
        """Queue the customers of those items that are posted, and of their bank statement lines, for a refresh."""
        posted = self.filtered(lambda line: line.parent_state == "posted")
        if posted:
            self.env["collection.refresh.queue"]._enqueue_lines(posted)
            posted.statement_line_id._enqueue_collection_refresh()

    def _get_collection_name(self):
        """Return the name under which a customer knows an item: the invoice's number, or the entry's label."""
        item = self.sudo()  # an opening entry has a number too, for people who may not read it
        item.ensure_one()
        if item.move_id.collection_batch_id:
            # The customer knows the number of the invoice that is kept elsewhere, not that of our entry.
            return item.ref or item.name or item.move_id.name or ""
        return item.move_id.name or item.name or item.ref or ""

    def _convert_collection_amount(self, amount):
        """Convert part of an item to company currency, so that parts add up to what is owed of the item.

        After a payment at another rate that is the rate of what is left, as for what is withheld (see
        ``collection.ledger``); of a settled item it is the rate at which it was invoiced.

        :param float amount: in the item's currency.
        :return: in company currency.
        """
        self.ensure_one()
        whole, own = self.amount_residual, self.amount_residual_currency
        if not whole or not own:
            whole, own = self.balance, self.amount_currency
        if self.currency_id == self.company_currency_id or not own:
            return amount
        return self.company_currency_id.round(amount * whole / own)

    def _get_collection_owed(self):
        """Return ``{item id: what is owed of it today, in its currency}``; what is no open debt is left out.

        See ``collection.ledger``: it differs from Odoo's residual by what settles it on a later day, was rejected or is
        a draft again.
        """
        ledger = self.env["collection.ledger"].sudo()
        ledger._flush()
        owed = {}
        for company, items in self.sudo().grouped("company_id").items():
            balance = ledger._get_balance_sql(
                company, company._collection_today(), filters=SQL("AND line.id = ANY(%s)", items.ids)
            )
            owed |= dict(
                self.env.execute_query(
                    SQL("SELECT item_id, residual_currency::float FROM (%s) item WHERE NOT is_credit", balance)
                )
            )
        return owed

    @api.model
    def _get_collection_settlements(self, lines, after_id=0):
        """Return how these receivable items were settled by reconciliations newer than ``after_id``.

        :param lines: debit journal items.
        :param int after_id: id of the last reconciliation to leave out.
        :return: list of dicts ``line_id``, ``partial_id``, ``date`` (of the money or the credit note),
            ``amount`` (in the item's currency; of money only what really came in), ``is_cash`` and
            ``credit_line_id``; ``is_returned`` of money that went back. Entries that are draft again settle nothing.
        """
        settlements = []
        for company, own in lines.grouped("company_id").items():
            settled = self.env["collection.ledger"]._get_settlement_sql(
                company,
                SQL("partial.debit_move_id IN %s AND partial.id > %s", tuple(own.ids), after_id),
                of_few=True,
            )
            settlements += self.env.execute_query_dict(
                SQL(
                    """
                    SELECT item_id AS line_id, partial_id, credit_line_id, date, is_cash, is_returned,
                           CASE WHEN is_cash THEN money ELSE amount END AS amount
                      FROM (%s) settlement
                  ORDER BY partial_id
                    """,
                    settled,
                )
            )
        return settlements
