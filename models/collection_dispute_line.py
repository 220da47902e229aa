from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL, formatLang


class CollectionDisputeLine(models.Model):
    _name = "collection.dispute.line"
    _description = "Disputed Item"
    _order = "dispute_id, id"

    dispute_id = fields.Many2one("collection.dispute", required=True, index=True, ondelete="cascade")
    move_line_id = fields.Many2one("account.move.line", string="Item", index=True, ondelete="set null")
    move_id = fields.Many2one(related="move_line_id.move_id", store=True, index=True, related_sudo=True)
    company_id = fields.Many2one(related="dispute_id.company_id", store=True)
    # What the owner of a dispute sees without any right on accounting.
    name = fields.Char(compute="_compute_item", store=True, compute_sudo=True)
    due_date = fields.Date(compute="_compute_item", store=True, compute_sudo=True)
    item_amount = fields.Monetary(string="Invoiced", compute="_compute_item", store=True, compute_sudo=True)
    currency_id = fields.Many2one(related="dispute_id.currency_id", store=True)
    amount = fields.Monetary(string="Disputed", required=True)
    settled_amount = fields.Monetary(string="Credited", readonly=True, default=0.0)
    company_currency_id = fields.Many2one(related="company_id.currency_id", string="Company Currency")
    company_amount = fields.Monetary(
        currency_field="company_currency_id", compute="_compute_company_amount", store=True, compute_sudo=True
    )

    # === COMPUTE METHODS === #

    # Written down as it was when it was contested: posting an invoice must not look for disputes.
    @api.depends("move_line_id")
    def _compute_item(self):
        for line in self.filtered("move_line_id"):
            item = line.move_line_id
            line.name = item._get_collection_name()
            line.due_date = item.date_maturity or item.date
            line.item_amount = item.amount_currency

    @api.depends("amount", "move_line_id")
    def _compute_company_amount(self):
        for line in self.filtered("move_line_id"):
            line.company_amount = line.move_line_id._convert_collection_amount(line.amount)

    # === CONSTRAINT METHODS === #

    @api.constrains("amount", "move_line_id", "dispute_id")
    def _check_amount(self):
        for line in self:
            item = line.move_line_id.sudo()
            if not item:
                raise ValidationError(self.env._("Each line needs an open item."))
            item._check_collection_item(line.dispute_id.sudo().debtor_id, line.currency_id)
            if line.currency_id.compare_amounts(line.amount, 0) <= 0:
                raise ValidationError(self.env._("%s: the disputed amount must be above zero.", line.name))
            disputed = self._get_open_parts(item).get(item.id, 0.0)
            if line.currency_id.compare_amounts(disputed, item.amount_residual_currency) > 0:
                raise ValidationError(
                    self.env._(
                        "%(item)s: %(disputed)s would be disputed, but only %(residual)s is still owed.",
                        item=line.name,
                        disputed=formatLang(self.env, disputed, currency_obj=line.currency_id),
                        residual=formatLang(self.env, item.amount_residual_currency, currency_obj=line.currency_id),
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su and any(vals.get("settled_amount") for vals in vals_list):
            raise UserError(
                self.env._("What was received or credited follows the ledger and can't be written by hand.")
            )
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su:
            raise UserError(
                self.env._("What a customer said stays as it was said. Cancel it and record it anew to correct it.")
            )
        return super().write(vals)

    # === BUSINESS METHODS === #

    def _get_residual(self):
        """Return what is still owed of the item, in its currency."""
        self.ensure_one()
        item = self.move_line_id
        return item.amount_residual_currency if item.parent_state == "posted" else 0.0

    @api.model
    def _get_open_parts_sql(self, company):
        """Return SQL with one row per item under dispute: ``move_line_id``, ``amount`` (item's currency).

        An accepted part counts until it is credited: the customer is right, nobody may ask for it.
        """
        return SQL(
            """
            SELECT line.move_line_id, SUM(line.amount - COALESCE(line.settled_amount, 0)) AS amount
              FROM collection_dispute_line line
              JOIN collection_dispute dispute ON dispute.id = line.dispute_id
             WHERE dispute.state IN ('open', 'accepted') AND dispute.company_id = %s
          GROUP BY line.move_line_id
            """,
            company.id,
        )

    @api.model
    def _get_open_parts(self, items):
        """Return ``{item id: amount under dispute, in the item's currency}``."""
        return {
            item.id: amount - settled
            for item, amount, settled in self.sudo()._read_group(
                [("move_line_id", "in", items.ids), ("dispute_id.state", "in", ("open", "accepted"))],
                ["move_line_id"],
                ["amount:sum", "settled_amount:sum"],
            )
        }
