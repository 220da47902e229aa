from odoo import models


class MailMessage(models.Model):
    _inherit = "mail.message"

    # EXTENDS mail
    def unlink(self):
        """A message to a customer that is deleted before it left never will: it counts as failed."""
        self.check_access("unlink")
        self.env["collection.action"].sudo()._note_deleted(self)
        return super().unlink()
