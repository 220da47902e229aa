from odoo import models


class CollectionChannelCall(models.AbstractModel):
    """Calls: somebody makes them from “My Day”, with the step's script before their eyes."""

    _name = "collection.channel.call"
    _description = "Follow-up by Telephone"
    _inherit = "collection.channel"

    _can_replace = True
    _icon = "fa-phone"
