from odoo import models


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    # EXTENDS mail
    def _routing_handle_bounce(self, email_message, message_dict):
        """Pass on to the thread which of its messages bounced, not only from which address."""
        if not self._is_from_gateway():
            # Somebody only says so: the addresses of follow-up files stay as they are.
            records = self.with_context(collection_bounce_unproved=True)
            return super(MailThread, records)._routing_handle_bounce(email_message, message_dict)
        bounced = message_dict.get("bounced_message")
        records = self.with_context(collection_bounced_message_id=bounced.id) if bounced else self
        return super(MailThread, records)._routing_handle_bounce(email_message, message_dict)
