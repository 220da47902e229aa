from odoo import models


class CollectionChannelEmail(models.AbstractModel):
    """What else e-mails carry: a copy of those to public customers goes to our archive."""

    _inherit = "collection.channel.email"

    def _prepare_mail(self, action, payload, reply_to):
        values = super()._prepare_mail(action, payload, reply_to)
        if action.partner_id.example_is_public:
            values["email_cc"] = "archive@example.com"
        return values
