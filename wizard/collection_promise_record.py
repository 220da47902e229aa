from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..models.collection_promise import PAYMENT_METHODS


class CollectionPromiseRecord(models.TransientModel):
    """Records what a customer promised: everything that can be claimed, unless said otherwise."""

    _name = "collection.promise.record"
    _description = "Record a Promise to Pay"

    debtor_id = fields.Many2one("collection.debtor", required=True, readonly=True, ondelete="cascade")
    case_id = fields.Many2one("collection.case", readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="debtor_id.company_id")
    partner_id = fields.Many2one(related="debtor_id.partner_id")
    contact_id = fields.Many2one(
        "res.partner",
        string="Promised by",
        compute="_compute_contact_id",
        store=True,
        readonly=False,
        domain="[('commercial_partner_id', '=', partner_id)]",
    )
    available_line_ids = fields.Many2many("account.move.line", compute="_compute_available_line_ids")
    move_line_ids = fields.Many2many(
        "account.move.line",
        string="Items",
        compute="_compute_move_line_ids",
        store=True,
        readonly=False,
        domain="[('id', 'in', available_line_ids)]",
        help="What the customer promised to pay. The amount is set against the oldest item first.",
    )
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")
    available_amount = fields.Monetary(string="Can be promised", compute="_compute_available_amount")
    amount = fields.Monetary(compute="_compute_amount", store=True, readonly=False)
    date = fields.Date(
        string="Will pay on", compute="_compute_date", precompute=True, store=True, readonly=False, required=True
    )
    method = fields.Selection(PAYMENT_METHODS, required=True, default="transfer")
    channel = fields.Selection(
        selection="_selection_channel", required=True, default="call", help="How the customer said so."
    )
    reason_id = fields.Many2one("collection.reason", string="Why it was not paid")
    note = fields.Text(string="What was said")

    # === COMPUTE METHODS === #

    @api.depends("debtor_id")
    def _compute_contact_id(self):
        for wizard in self:
            wizard.contact_id = wizard.debtor_id.contact_used_id

    @api.depends("debtor_id")
    def _compute_available_line_ids(self):
        for wizard in self:
            wizard.available_line_ids = wizard.debtor_id.open_item_ids.filtered(lambda item: item.amount_residual > 0)

    @api.depends("debtor_id")
    def _compute_move_line_ids(self):
        for wizard in self:
            claim = (wizard.debtor_id and wizard.debtor_id._get_claim() or [{"rows": []}])[0]
            wizard.move_line_ids = self.env["account.move.line"].union(*(row["item"] for row in claim["rows"]))

    @api.depends("move_line_ids")
    def _compute_currency_id(self):
        for wizard in self:
            wizard.currency_id = wizard.move_line_ids[:1].currency_id or wizard.company_id.currency_id

    @api.depends("move_line_ids")
    def _compute_available_amount(self):
        for wizard in self:
            wizard.available_amount = sum(amount for _item, amount in wizard._get_available())

    @api.depends("move_line_ids")
    def _compute_amount(self):
        for wizard in self:
            claims = {claim["currency"]: claim for claim in wizard.debtor_id._get_claim()} if wizard.debtor_id else {}
            rows = claims.get(wizard.currency_id, {"rows": []})["rows"]
            chosen = set(wizard.move_line_ids.ids)
            claimable = sum(row["claimable"] for row in rows if row["item"].id in chosen)
            not_due = sum(
                amount for item, amount in wizard._get_available() if item.id not in {row["item"].id for row in rows}
            )
            wizard.amount = claimable + not_due

    @api.depends("debtor_id")
    def _compute_date(self):
        for wizard in self:
            wizard.date = wizard.company_id._collection_today() + timedelta(days=7) if wizard.company_id else False

    @api.model
    def _selection_channel(self):
        return self.env["collection.action"]._fields["channel"]._description_selection(self.env)

    # === ACTION METHODS === #

    def action_confirm(self):
        """Record the promise and the contact in which it was made."""
        self.ensure_one()
        self._record()
        return {"type": "ir.actions.act_window_close"}

    # === BUSINESS METHODS === #

    def _get_available(self):
        """Return what may still be promised of each chosen item, oldest first.

        :return: list of ``(item, amount in the item's currency)``.
        """
        self.ensure_one()
        items = self.move_line_ids._origin or self.move_line_ids
        items = items.sudo().sorted(lambda item: (item.date_maturity or item.date, item.id))
        disputed = self.env["collection.dispute.line"]._get_open_parts(items)
        promised = self.env["collection.promise.line"]._get_open_parts(items)
        return [
            (item, max(item.amount_residual_currency - disputed.get(item.id, 0) - promised.get(item.id, 0), 0.0))
            for item in items
        ]

    def _prepare_promise_lines(self):
        """Set the promised amount against the chosen items, oldest first.

        :return: list of values of ``collection.promise.line``.
        :raises UserError: when more is promised than can be.
        """
        left, lines = self.amount, []
        if self.currency_id.compare_amounts(self.amount, 0) <= 0:
            raise UserError(self.env._("The promised amount must be above zero."))
        for item, available in self._get_available():
            taken = self.currency_id.round(min(available, left))
            if not self.currency_id.is_zero(taken):
                lines.append({"move_line_id": item.id, "amount": taken})
                left -= taken
        if not lines:
            raise UserError(self.env._("Choose at least one open item that the customer promised to pay."))
        if self.currency_id.compare_amounts(left, 0) > 0:
            raise UserError(
                self.env._(
                    "%(amount)s is more than the %(available)s still owed on these items that is neither disputed "
                    "nor promised already.",
                    amount=self.currency_id.format(self.amount),
                    available=self.currency_id.format(self.available_amount),
                )
            )
        return lines

    def _prepare_promise(self):
        """Return the values of the promise."""
        return {
            "debtor_id": self.debtor_id.id,
            "case_id": self.case_id.id,
            "contact_id": self.contact_id.id,
            "date": self.date,
            "method": self.method,
            "note": self.note,
            "currency_id": self.currency_id.id,
            "line_ids": [Command.create(values) for values in self._prepare_promise_lines()],
        }

    def _record(self):
        """Record the promise, and the contact in which it was made.

        :return: the promise.
        """
        self.ensure_one()
        claimable = self.debtor_id.claimable_amount
        promise = self.env["collection.promise"].create(self._prepare_promise())
        action = self.env["collection.action"]._log(
            self.debtor_id,
            self.channel,
            case=self.case_id,
            contact_id=self.contact_id.id,
            outcome="right_person" if self.channel == "call" else False,
            reason_id=self.reason_id.id,
            note=self.note,
            amount=claimable,
            promise_id=promise.id,
        )
        self.env["collection.action"]._cancel_planned(self.debtor_id, self.env._("The customer promised to pay."))
        self.env["collection.case"]._after_contact(action)
        return promise
