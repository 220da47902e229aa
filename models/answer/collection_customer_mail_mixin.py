from markupsafe import Markup

from odoo import SUPERUSER_ID, models
from odoo.exceptions import UserError
from odoo.tools import email_normalize


class CollectionCustomerMailMixin(models.AbstractModel):
    """A document about which one writes to the customer from its own thread.

    For models with ``debtor_id``, ``company_id`` and ``partner_id``. What is sent is in the customer's language,
    from the company's address, and stands among the contacts of the follow-up file.
    """

    _name = "collection.customer.mail.mixin"
    _description = "Document that customers are written to about"
    _inherit = ["mail.thread"]

    # Field of ``collection.action`` that names the document.
    _action_field = ""

    # === BUSINESS METHODS === #

    # EXTENDS mail
    def _message_post_after_hook(self, message, msg_values):
        """Log what was written to the customer by hand from this thread."""
        result = super()._message_post_after_hook(message, msg_values)
        if message.message_type == "comment" and message.subtype_id == self.env.ref("mail.mt_comment"):
            contact = message.partner_ids.filtered(
                lambda partner: partner.commercial_partner_id == self.sudo().partner_id
            )[:1]
            if contact:
                self._log_letter(message, contact)
        return result

    # EXTENDS mail
    def _message_receive_bounce(self, email, partner):
        """What came back of this thread is a matter of the customer's follow-up file."""
        result = super()._message_receive_bounce(email, partner)
        for document in self.sudo() if not self.env.context.get("collection_bounce_unproved") else ():
            document.debtor_id._note_bounce(email_normalize(email or ""))
        return result

    def _log_letter(self, message, contact):
        """Write an e-mail to the customer among the contacts of the follow-up file.

        :param message: the ``mail.message`` that was sent.
        :param contact: who got it.
        """
        self.ensure_one()
        document = self.sudo()
        self.env["collection.action"].sudo()._log(
            document.debtor_id,
            "email",
            case=document.case_id,
            contact_id=contact.id,
            summary=message.subject,
            mail_message_id=message.id,
            # What a scheduled action sends counts as the collector's work, like the steps of plans.
            **({"user_id": document.debtor_id.collector_id.id or self.env.uid} if self.env.uid == SUPERUSER_ID else {}),
            **{self._action_field: self.id},
        )

    def _get_letter_contact(self):
        """Return the person to write to about this document."""
        return self.sudo().debtor_id._get_email_contact()

    def _check_letter_address(self, contact):
        """Check that a contact is still one of the customer, and can be written to.

        :raises UserError: saying what to do.
        """
        customer = self.sudo().partner_id
        if contact and not contact._is_collection_contact_of(customer):
            raise UserError(
                self.env._(
                    "%(contact)s is no contact of %(customer)s.", contact=contact.name, customer=customer.display_name
                )
            )
        if not email_normalize(contact.email or ""):
            raise UserError(
                self.env._(
                    "%s has no valid e-mail address: write one on the contact, call, or send a letter.",
                    contact.name or self.sudo().partner_id.name,
                )
            )

    def _action_write_letter(self, template, **context):
        """Open Odoo's dialogue for a message to the customer, so that one may change it before it goes.

        :param template: a ``mail.template`` of this model.
        """
        self.ensure_one()
        contact = self._get_letter_contact()
        self._check_letter_address(contact.sudo())
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Write to the customer"),
            "res_model": "mail.compose.message",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_model": self._name,
                "default_res_ids": self.ids,
                "default_composition_mode": "comment",
                "default_template_id": template.id,
                "default_partner_ids": contact.ids,
                "default_email_from": self.sudo().company_id._get_collection_sender(),
                "default_email_layout_xmlid": "mail.mail_notification_light",
                **context,
            },
        }

    def _send_letter(self, template, attachments=(), contact=None, author=None):
        """Send a template to the customer from this document's thread.

        :param template: a ``mail.template`` of this model.
        :param attachments: pairs of a file name and its content.
        :param contact: who gets it; see ``_get_letter_contact`` when ``None``.
        :param author: the ``res.partner`` who writes; the user when ``None``.
        :return: the ``mail.message``.
        :raises UserError: when there is no address.
        """
        self.ensure_one()
        document = self.sudo()
        contact = (contact or self._get_letter_contact()).sudo()
        self._check_letter_address(contact)
        lang = contact.lang or document.debtor_id.lang
        template = template.sudo().with_context(lang=lang)
        rendering = {"add_context": {"contact": contact}, "set_lang": lang}
        return (
            document.with_company(document.company_id)
            .with_context(lang=lang)
            .message_post(
                subject=template._render_field("subject", self.ids, **rendering)[self.id],
                body=Markup(  # noqa: S704 - rendered from our template
                    template._render_field("body_html", self.ids, engine="qweb", **rendering)[self.id]
                ),
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
                partner_ids=contact.ids,
                attachments=list(attachments),
                author_id=(author or self.env.user.partner_id).id,
                email_from=document.company_id._get_collection_sender(),
                email_layout_xmlid="mail.mail_notification_light",
                email_add_signature=False,
            )
        )
