from odoo import models


class MailTemplate(models.Model):
    _name = "mail.template"
    _inherit = ["mail.template", "collection.text.mixin", "collection.template.check.mixin"]

    _collection_text_fields = {"subject": False, "body_html": True}
    _collection_step_field = "template_id"
    _collection_dynamic_fields = {
        **dict.fromkeys(("subject", "email_from", "email_to", "email_cc", "partner_to", "reply_to", "lang"), False),
        "scheduled_date": False,
        "body_html": True,
    }

    # EXTENDS mail
    def _check_can_be_rendered(self, fnames=None, render_options=None):
        """Check texts for follow-up files our way: they know who gets them, and the error says what to change."""
        ours = self.filtered(lambda template: template.sudo().model == "collection.debtor")
        ours._check_collection_text(fnames)
        others = self - ours
        return super(MailTemplate, others)._check_can_be_rendered(fnames=fnames, render_options=render_options)
