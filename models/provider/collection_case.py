from odoo import fields, models


class CollectionCase(models.Model):
    """A case whose customer an outside caller has now."""

    _inherit = "collection.case"

    # == Case form ==

    handover_id = fields.Many2one(related="debtor_id.handover_id")
    handover_notice = fields.Char(related="debtor_id.handover_notice")

    # === ACTION METHODS === #

    def action_hand_over(self):
        """Open the dialogue that hands these cases over to an outside caller."""
        return self.env["collection.handover.create"]._get_dialog(self)
