from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class CollectionDisputeOpen(models.TransientModel):
    """Records what a customer contests and gives it to somebody who can solve it."""

    _name = "collection.dispute.open"
    _description = "Open a Dispute"
    _inherit = "collection.dialogue.mixin"

    debtor_id = fields.Many2one("collection.debtor", required=True, readonly=True, ondelete="cascade")
    case_id = fields.Many2one("collection.case", readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="debtor_id.company_id")
    reason_id = fields.Many2one("collection.reason", required=True, domain="[('opens_dispute', '=', True)]")
    description = fields.Text(string="What the Customer says")
    move_line_ids = fields.Many2many("account.move.line", string="Came for", help="What the user started from.")
    line_ids = fields.One2many(
        "collection.dispute.open.line",
        "wizard_id",
        string="Items",
        compute="_compute_line_ids",
        compute_sudo=False,
        store=True,
        readonly=False,
    )
    currency_id = fields.Many2one("res.currency", compute="_compute_amount")
    amount = fields.Monetary(string="Disputed", compute="_compute_amount")
    owner_id = fields.Many2one(
        "res.users",
        string="To be solved by",
        required=True,
        compute="_compute_owner_id",
        precompute=True,
        compute_sudo=False,
        store=True,
        readonly=False,
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
    )
    date_deadline = fields.Date(
        string="Until",
        required=True,
        compute="_compute_date_deadline",
        precompute=True,
        compute_sudo=False,
        store=True,
        readonly=False,
    )
    channel = fields.Selection(selection="_selection_channel", required=True, default="call")

    # === COMPUTE METHODS === #

    @api.depends("debtor_id", "move_line_ids")
    def _compute_line_ids(self):
        for wizard in self:
            chosen = set(wizard.move_line_ids._origin.ids)
            owed = wizard.debtor_id.open_item_ids._get_collection_owed()
            items = wizard.debtor_id.open_item_ids.filtered(lambda item, owed=owed: item.id in owed)
            disputed = self.env["collection.dispute.line"]._get_open_parts(items)
            values = [
                {
                    "move_line_id": item.id,
                    # Only what the user came for is contested; the rest is at hand to be ticked.
                    "is_disputed": item.id in chosen or len(items) == 1,
                    "amount": owed[item.id] - disputed.get(item.id, 0.0),
                }
                for item in items
            ]
            wizard.line_ids = [Command.clear(), *(Command.create(line) for line in values)]

    @api.depends("line_ids.amount", "line_ids.is_disputed")
    def _compute_amount(self):
        for wizard in self:
            lines = wizard.line_ids.filtered("is_disputed")
            wizard.currency_id = lines[:1].currency_id or wizard.company_id.currency_id
            wizard.amount = sum(lines.mapped("amount"))

    @api.depends("reason_id", "debtor_id")
    def _compute_owner_id(self):
        for wizard in self:
            wizard.owner_id = self.env["collection.dispute"]._get_default_owner(wizard.reason_id, wizard.debtor_id)

    @api.depends("reason_id", "debtor_id")
    def _compute_date_deadline(self):
        for wizard in self:
            wizard.date_deadline = wizard.company_id and self.env["collection.dispute"]._get_default_deadline(
                wizard.reason_id, wizard.company_id
            )

    @api.model
    def _selection_channel(self):
        channels = self.env["collection.action"]._fields["channel"]._description_selection(self.env)
        office = self.env["collection.channel"]._get_names("_says_nothing")  # customers give no tasks
        return [(channel, label) for channel, label in channels if channel not in office]

    # === ACTION METHODS === #

    def action_confirm(self):
        """Open the dispute and log the contact in which it came up."""
        self.ensure_one()
        self = self._without_defaults()  # noqa: PLW0642
        lines = self.line_ids.filtered("is_disputed")
        if not lines:
            raise UserError(self.env._("Tick at least one item that the customer contests."))
        if len(lines.currency_id) > 1:
            raise UserError(self.env._("Open one dispute per currency."))
        claimable = self.debtor_id.claimable_amount
        dispute = self.env["collection.dispute"].create(self._prepare_dispute(lines))
        action = self.env["collection.action"]._log(
            self.debtor_id,
            self.channel,
            case=self.case_id,
            outcome="right_person" if self.channel == "call" else False,
            reason_id=self.reason_id.id,
            note=self.description,
            amount=claimable,
            dispute_id=dispute.id,
        )
        self.env["collection.case"]._after_contact(action)
        return {"type": "ir.actions.act_window_close"}

    # === BUSINESS METHODS === #

    def _prepare_dispute(self, lines):
        """Return the values of the dispute.

        :param lines: the ticked lines.
        """
        return {
            "debtor_id": self.debtor_id.id,
            "case_id": self.case_id.id,
            "reason_id": self.reason_id.id,
            "description": self.description,
            "owner_id": self.owner_id.id,
            "date_deadline": self.date_deadline,
            "currency_id": lines.currency_id.id,
            "line_ids": [
                Command.create({"move_line_id": line.move_line_id.id, "amount": line.amount}) for line in lines
            ],
        }


class CollectionDisputeOpenLine(models.TransientModel):
    _name = "collection.dispute.open.line"
    _description = "Item that may be Disputed"
    _inherit = "collection.dialogue.mixin"

    wizard_id = fields.Many2one("collection.dispute.open", required=True, ondelete="cascade")
    move_line_id = fields.Many2one("account.move.line", string="Item", required=True, readonly=True, ondelete="cascade")
    name = fields.Char(compute="_compute_name")
    due_date = fields.Date(related="move_line_id.date_maturity")
    currency_id = fields.Many2one(related="move_line_id.currency_id")
    residual = fields.Monetary(string="Still owed", related="move_line_id.amount_residual_currency")
    is_disputed = fields.Boolean(string="Contested")
    amount = fields.Monetary(string="Disputed part")

    @api.depends("move_line_id")
    def _compute_name(self):
        for line in self:
            line.name = line.move_line_id._get_collection_name() if line.move_line_id else False
