from odoo import api, fields, models

from ...const import NO_LEVEL
from ...tools.replacement import fill
from ..ledger.collection_item_holder import Held


class CollectionActionItem(models.Model):
    """One open item that a message named: how much was asked for it, and how far one has gone with it.

    Written by the delivery alone; the next step of a plan is computed from here.
    """

    _name = "collection.action.item"
    _description = "Item in a Follow-up Action"
    _inherit = ["collection.fact.mixin", "collection.item.holder"]
    _order = "action_id desc, id"
    _check_company_auto = True
    _held_amount_field = "amount"
    _is_of_system = True

    action_id = fields.Many2one("collection.action", required=True, readonly=True, index=True, ondelete="cascade")
    # Emptied when an entry is deleted: what the message claimed stays on file, with the name of the item.
    move_line_id = fields.Many2one(
        "account.move.line", check_company=True, string="Journal Item", readonly=True, index=True, ondelete="set null"
    )
    move_id = fields.Many2one(
        "account.move",
        check_company=True,
        string="Invoice",
        compute="_compute_item",
        store=True,
        index="btree_not_null",
        compute_sudo=True,
        ondelete="set null",
    )
    name = fields.Char(string="Number", compute="_compute_item", store=True, compute_sudo=True)
    date_done = fields.Datetime(related="action_id.date_done")
    channel = fields.Selection(related="action_id.channel")
    step_id = fields.Many2one(related="action_id.step_id")
    state = fields.Selection(related="action_id.state")
    user_id = fields.Many2one(related="action_id.user_id")
    company_id = fields.Many2one(related="action_id.company_id", store=True, index=True)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    due_date = fields.Date(readonly=True)
    days_late = fields.Integer(readonly=True, help="On the day of the message.")
    amount = fields.Monetary(readonly=True, help="What was asked for, in the currency of the item.")
    level = fields.Integer(
        readonly=True,
        default=NO_LEVEL,
        help="Days after the due date of the highest step that this message stood for.",
    )

    # === COMPUTE METHODS === #

    # Recorded as it was when it was said.
    @api.depends("move_line_id")
    def _compute_item(self):
        for item in self.filtered("move_line_id"):
            item.move_id = item.move_line_id.move_id
            item.name = item.move_line_id._get_collection_name()

    # === ACTION METHODS === #

    def action_open_action(self):
        """Open the message or the call in which this item was named."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "collection.action",
            "res_id": self.action_id.id,
            "view_mode": "form",
        }

    # === BUSINESS METHODS === #

    # EXTENDS collection.item.holder
    def _divide_held(self, parts):
        """Divide what was asked for among the new items, all of which go on at the level that was reached."""
        if len(parts) < 2:
            return super()._divide_held(parts)
        held = []
        for item in self:
            digits = item.currency_id.decimal_places
            left = {part.key: part.amount for part in parts}
            taken = fill(item.amount, left, digits)
            rest = round(item.amount - sum(taken.values()), digits)
            for number, part in enumerate(parts):
                is_last = part == parts[-1]
                amount = taken.get(part.key, 0.0) + (rest if is_last else 0.0)
                held.append(Held(item, part.key, amount, number > 0))
        return held

    # EXTENDS collection.fact.mixin
    @api.model
    def _get_fact_refusal(self, name):
        return self.env._("What a customer was told stays on file and can't be changed.")
