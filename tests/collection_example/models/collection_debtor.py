from odoo import models


class CollectionDebtor(models.Model):
    """A reason to leave a customer alone."""

    _inherit = "collection.debtor"

    def _get_silence_reason(self, channel=None, email=None):
        reason = super()._get_silence_reason(channel, email)
        if not reason and self.partner_id.example_hands_off:
            reason = self.env._("The management speaks to this customer.")
        return reason
