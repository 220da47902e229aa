from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL, formatLang


class CollectionPromiseLine(models.Model):
    _name = "collection.promise.line"
    _description = "Promised Item"
    _order = "promise_id, id"

    promise_id = fields.Many2one("collection.promise", required=True, index=True, ondelete="cascade")
    move_line_id = fields.Many2one("account.move.line", string="Item", index=True, ondelete="set null")
    move_id = fields.Many2one(related="move_line_id.move_id", store=True, index=True)
    company_id = fields.Many2one(related="promise_id.company_id", store=True)
    name = fields.Char(compute="_compute_name", store=True, compute_sudo=True)
    due_date = fields.Date(related="move_line_id.date_maturity")
    currency_id = fields.Many2one(related="promise_id.currency_id", store=True)
    amount = fields.Monetary(required=True)
    settled_amount = fields.Monetary(string="Received", readonly=True, default=0.0)
    company_currency_id = fields.Many2one(related="company_id.currency_id", string="Company Currency")
    company_amount = fields.Monetary(
        currency_field="company_currency_id", compute="_compute_company_amount", store=True, compute_sudo=True
    )

    # === COMPUTE METHODS === #

    # The names of items that are owed don't change: posting an invoice must not look for promises.
    @api.depends("move_line_id")
    def _compute_name(self):
        for line in self.filtered("move_line_id"):
            line.name = line.move_line_id._get_collection_name()

    @api.depends("amount", "move_line_id")
    def _compute_company_amount(self):
        for line in self.filtered("move_line_id"):
            line.company_amount = line.move_line_id._convert_collection_amount(line.amount)

    # === CONSTRAINT METHODS === #

    @api.constrains("amount", "move_line_id", "promise_id")
    def _check_amount(self):
        for line in self:
            item = line.move_line_id.sudo()
            if not item:
                raise ValidationError(self.env._("Each line needs an open item."))
            debtor = line.promise_id.debtor_id
            item._check_collection_item(debtor, line.currency_id)
            if line.currency_id.compare_amounts(line.amount, 0) <= 0:
                raise ValidationError(self.env._("%s: the promised amount must be above zero.", line.name))
            available = (
                item.amount_residual_currency
                - item._get_collection_disputed().get(item.id, 0.0)
                - self._get_open_parts(item, leave_out=self.promise_id).get(item.id, 0.0)
            )
            promised = sum(
                other.amount for other in line.promise_id.line_ids if other.move_line_id == line.move_line_id
            )
            if line.currency_id.compare_amounts(promised, available) > 0:
                raise ValidationError(
                    self.env._(
                        "%(item)s: %(amount)s is more than the %(available)s still owed that is neither disputed "
                        "nor promised already.",
                        item=line.name,
                        amount=formatLang(self.env, promised, currency_obj=line.currency_id),
                        available=formatLang(self.env, max(available, 0), currency_obj=line.currency_id),
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
        """Return SQL with one row per item under an open promise: ``move_line_id``, ``amount`` (item's currency)."""
        return SQL(
            """
            SELECT line.move_line_id, SUM(line.amount - COALESCE(line.settled_amount, 0)) AS amount
              FROM collection_promise_line line
              JOIN collection_promise promise ON promise.id = line.promise_id
             WHERE promise.state = 'open' AND promise.company_id = %s
          GROUP BY line.move_line_id
            """,
            company.id,
        )

    @api.model
    def _get_open_parts(self, items, leave_out=None):
        """Return ``{item id: amount under an open promise, in the item's currency}``.

        :param leave_out: promises that don't count.
        """
        domain = [("move_line_id", "in", items.ids), ("promise_id.state", "=", "open")]
        if leave_out:
            domain.append(("promise_id", "not in", leave_out.ids))
        return {
            item.id: amount - settled
            for item, amount, settled in self.sudo()._read_group(
                domain, ["move_line_id"], ["amount:sum", "settled_amount:sum"]
            )
        }
