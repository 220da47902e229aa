from markupsafe import Markup

from odoo import models

# What is known of an SMS that will not arrive however often one tries.
FINAL_STATES = ("exception", "bounce", "canceled")


class CollectionChannelSms(models.AbstractModel):
    """SMS: queued with the message on the debtor's thread, and sent by Odoo's SMS queue."""

    _name = "collection.channel.sms"
    _description = "Follow-up by SMS"
    _inherit = "collection.channel"

    _is_sent_by_odoo = True
    _is_message = True
    _can_replace = True
    _text_field = "sms_template_id"
    _text_body_field = "body"
    _icon = "fa-mobile"

    # === HOOKS === #

    # EXTENDS collection.channel
    def _applicable(self, actions):
        refused = {}
        for action in actions:
            partner, number = self._get_number(action)
            if not self._can_say(action.step_id):
                refused[action] = self.env._("“%s” has no text for an SMS.", action.step_id.name)
            elif not number:
                refused[action] = self.env._(
                    "No contact of %s has a telephone number that takes an SMS.", action.partner_id.name
                )
            else:
                action.sudo().write({"contact_id": partner.id, "address": number})
        return refused

    # EXTENDS collection.channel
    def _prepare(self, actions):
        payloads = super()._prepare(actions)
        for action in actions:
            template = action.step_id.sms_template_id.sudo()
            lang = action.contact_id.lang or action.debtor_id.lang
            debtor = action.debtor_id.with_context(
                lang=lang, collection_rows={action.debtor_id.id: payloads[action]["rows"]}
            )
            body = template.with_env(debtor.env)._render_field("body", debtor.ids, set_lang=lang)[debtor.id]
            payloads[action] |= {"body": body, "lang": lang}
        return payloads

    # EXTENDS collection.channel
    def _send(self, payloads):
        results = {}
        for action, payload in payloads.items():
            message = action.debtor_id._message_sms(
                payload["body"],
                partner_ids=[],
                sms_numbers=[action.address],
                put_in_queue=True,
                author_id=action.company_id.partner_id.id,
            )
            results[action] = {"mail_message_id": message.id}
        return results

    # EXTENDS collection.channel
    def _result(self, actions):
        results = {}
        notifications = (
            self.env["mail.notification"]
            .sudo()
            .search([("mail_message_id", "in", actions.mail_message_id.ids), ("notification_type", "=", "sms")])
            .grouped("mail_message_id")
        )
        for action in actions:
            notification = notifications.get(action.mail_message_id, self.env["mail.notification"])[:1]
            if notification.notification_status in ("pending", "sent"):
                results[action] = ("sent", None)
            elif notification.notification_status in FINAL_STATES:
                failures = dict(notification._fields["failure_type"]._description_selection(self.env))
                results[action] = (
                    "failed",
                    failures.get(notification.failure_type) or self.env._("The SMS could not be sent."),
                )
        return results

    # EXTENDS collection.channel
    def _get_sent_title(self):
        return self.env._("SMS sent")

    # EXTENDS collection.channel
    def _preview(self, action, lang):
        rows = action.debtor_id._get_claimable_items_by_debtor()
        debtor = action.debtor_id.with_context(lang=lang, collection_rows={action.debtor_id.id: rows[action.debtor_id]})
        template = action.step_id.sms_template_id.with_env(debtor.env)
        text = template._render_field("body", debtor.ids, set_lang=lang)[debtor.id] if template else ""
        return {"sender": action.company_id.name, "body": Markup('<p style="white-space: pre-wrap;">%s</p>') % text}

    # === HELPERS === #

    def _get_number(self, action):
        """Return ``(contact, number)`` of the first contact with a number that can be written to."""
        debtor = action.debtor_id
        for partner in debtor._get_recipients(action.step_id.recipient):
            number = partner.phone and partner._phone_format(number=partner.phone)
            if number and not partner.phone_blacklisted:
                return partner, number
        return self.env["res.partner"], False
