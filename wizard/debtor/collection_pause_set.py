from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import format_date


class CollectionPauseSet(models.TransientModel):
    """Pauses the follow-up of some invoices, or of a customer, until a day."""

    _name = "collection.pause.set"
    _description = "Pause the Follow-up"
    _inherit = "collection.dialogue.mixin"

    debtor_id = fields.Many2one("collection.debtor", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="debtor_id.company_id")
    move_ids = fields.Many2many(
        "account.move", string="Invoices", help="Only these are paused. Empty: nobody writes to this customer at all."
    )
    date_until = fields.Date(
        string="Until",
        required=True,
        compute="_compute_date_until",
        precompute=True,
        compute_sudo=False,
        store=True,
        readonly=False,
        help="The follow-up resumes on this day.",
    )
    reason = fields.Char(required=True)

    # === COMPUTE METHODS === #

    @api.depends("debtor_id")
    def _compute_date_until(self):
        for wizard in self:
            wizard.date_until = wizard.company_id and wizard.company_id._collection_today() + timedelta(days=14)

    # === ACTION METHODS === #

    def action_confirm(self):
        """Pause, and say so on the threads."""
        self.ensure_one()
        self = self._without_defaults()  # noqa: PLW0642
        if self.date_until <= self.company_id._collection_today():
            raise UserError(self.env._("Choose a day that is still to come: the follow-up resumes on it."))
        if not (self.reason or "").strip():
            raise UserError(self.env._("Say why: colleagues will wonder."))
        if self.move_ids:
            self.env["collection.pause"]._pause(self.debtor_id, self.move_ids, self.date_until, self.reason)
        else:
            self.debtor_id.write({"paused_until": self.date_until, "pause_reason": self.reason})
            self.debtor_id.message_post(
                body=self.env._(
                    "Follow-up paused until %(date)s: %(reason)s",
                    date=format_date(self.env, self.date_until),
                    reason=self.reason,
                )
            )
        return {"type": "ir.actions.act_window_close"}
