from markupsafe import Markup

from odoo import models
from odoo.tools import groupby, html2plaintext


class CollectionChannelChat(models.AbstractModel):
    """Chat messages, from the same texts as e-mails. The message on the customer's thread stands for what is sent."""

    _name = "collection.channel.chat"
    _description = "Follow-up by Chat"
    _inherit = "collection.channel"

    _is_sent_by_odoo = True
    _is_message = True
    _can_replace = True
    _text_field = "template_id"
    _icon = "fa-comments-o"

    # === HOOKS === #

    # EXTENDS collection.channel
    def _applicable(self, actions):
        refused = {}
        for action in actions:
            contacts = action.debtor_id._get_recipients(action.step_id.recipient).filtered("example_chat_name")
            if not self._can_say(action.step_id):
                refused[action] = self.env._("“%s” has no text for a chat.", action.step_id.name)
            elif not contacts:
                refused[action] = self.env._("No contact of %s has a name in the chat.", action.partner_id.name)
            else:
                action.sudo().write({"contact_id": contacts[0].id, "address": contacts[0].example_chat_name})
        return refused

    # EXTENDS collection.channel
    def _prepare(self, actions):
        rows = self._get_rows(actions)
        Email = self.env["collection.channel.email"]
        payloads = {}
        for (template, lang), group in groupby(
            actions, lambda action: (action.step_id.template_id, Email._get_lang(action))
        ):
            group = actions.browse(action.id for action in group)
            _subjects, bodies = Email._render(template, group, lang, rows)
            for action in group:
                payloads[action] = {"rows": rows[action.debtor_id], "text": html2plaintext(bodies[action])}
        return payloads

    # EXTENDS collection.channel
    def _send(self, payloads):
        results = {}
        for action, payload in payloads.items():
            message = action.debtor_id.message_post(body=self._to_html(payload["text"]))
            results[action] = {"mail_message_id": message.id}
        return results

    # EXTENDS collection.channel
    def _result(self, actions):
        return dict.fromkeys(actions, ("sent", None))

    # EXTENDS collection.channel
    def _get_sent_title(self):
        return self.env._("Chat messages sent")

    # EXTENDS collection.channel
    def _preview(self, action, lang):
        rows = self._get_rows(action)
        _subjects, bodies = self.env["collection.channel.email"]._render(action.step_id.template_id, action, lang, rows)
        return {"sender": action.company_id.name, "body": self._to_html(html2plaintext(bodies[action]))}

    # === HELPERS === #

    def _to_html(self, text):
        return Markup('<p style="white-space: pre-wrap;">%s</p>') % text
