from odoo import models


class CollectionChannelLetter(models.AbstractModel):
    """Letters: printed and posted by people, from the list of letters to print."""

    _name = "collection.channel.letter"
    _description = "Follow-up by Letter"
    _inherit = "collection.channel"

    def _can_say(self, step):
        return bool(step.template_id)
