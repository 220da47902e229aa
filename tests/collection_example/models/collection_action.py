from odoo import fields, models


class CollectionAction(models.Model):
    """The chat among the channels of what is said."""

    _inherit = "collection.action"

    channel = fields.Selection(
        selection_add=[("chat", "Chat")], ondelete={"chat": lambda actions: actions._leave_channel()}
    )
