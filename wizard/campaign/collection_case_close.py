from odoo import fields, models
from odoo.exceptions import UserError


class CollectionCaseClose(models.TransientModel):
    """Closes a case that no payment closes, and says how it ended."""

    _name = "collection.case.close"
    _description = "Close a Case"
    _inherit = "collection.dialogue.mixin"

    case_id = fields.Many2one("collection.case", required=True, readonly=True, ondelete="cascade")
    result = fields.Selection(
        [
            ("refused", "Refuses to pay"),
            ("unreachable", "Unreachable"),
            ("escalated", "Escalated: collection agency or legal steps"),
            ("open", "Still open, nothing more to do for now"),
        ],
        string="How it ended",
        required=True,
    )
    reason_id = fields.Many2one("collection.reason", string="Reason for Non-Payment")
    note = fields.Char(help="In a few words, for the recap.")

    def action_confirm(self):
        """Close the case with its result."""
        self.ensure_one()
        self = self._without_defaults()  # noqa: PLW0642
        case = self.case_id
        if case.state == "closed":
            raise UserError(self.env._("This case is closed already."))
        case._check_open()
        if self.reason_id:
            case.reason_id = self.reason_id
        case._close(self.result, self.note)
        label = dict(self._fields["result"]._description_selection(self.env))[self.result]
        case.debtor_id.message_post(
            body=self.env._("Case closed: %(result)s. %(note)s", result=label, note=self.note or "")
        )
        return {"type": "ir.actions.act_window_close"}
