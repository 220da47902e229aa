from odoo import api, fields, models


class CollectionDebtor(models.Model):
    """What was said to a customer."""

    _inherit = "collection.debtor"

    # == What was said ==

    action_ids = fields.One2many("collection.action", "debtor_id", string="Actions")
    action_count = fields.Integer(compute="_compute_action_count")
    next_action_id = fields.Many2one("collection.action", compute="_compute_next_action_id")

    # === COMPUTE METHODS === #

    def _compute_action_count(self):
        self._count_related("collection.action", "action_count")

    @api.depends("action_ids.state", "action_ids.date_planned")
    def _compute_next_action_id(self):
        next_actions = {}
        for action in self.env["collection.action"].search(
            [("debtor_id", "in", self.ids), ("state", "=", "planned")], order="date_planned, id"
        ):
            next_actions.setdefault(action.debtor_id, action)
        for debtor in self:
            debtor.next_action_id = next_actions.get(debtor, False)

    # === ACTION METHODS === #

    def action_view_actions(self):
        """Open everything that was said to this customer."""
        return self._action_view_related("account_collection.collection_action_action", self.env._("Contacts"))

    def action_log_call(self):
        """Open the dialogue that logs a call."""
        return self._action_open_dialog("collection.call.log", self.env._("Log a call"))
