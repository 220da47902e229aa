from odoo import fields, models


class CollectionPlanStep(models.Model):
    """The chat among the channels of steps."""

    _inherit = "collection.plan.step"

    channel = fields.Selection(
        selection_add=[("chat", "Chat")], ondelete={"chat": lambda steps: steps._leave_channel()}
    )
