import hashlib
import re
from uuid import uuid4

from markupsafe import Markup

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import config, email_normalize, groupby

# What a mail server says of a recipient that it will never take, as Python and Odoo quote it.
REFUSED_RECIPIENT = re.compile(r"SMTPRecipientsRefused: .*?\(5\d\d,")
# What Odoo says of a mail that will not arrive however often one tries.
FINAL_FAILURES = ("mail_email_invalid", "mail_email_missing", "mail_bounce", "mail_bl", "mail_optout", "mail_dup")


class CollectionChannelEmail(models.AbstractModel):
    """E-mails: rendered together, queued together, and sent by Odoo's mail queue."""

    _name = "collection.channel.email"
    _description = "Follow-up by E-mail"
    _inherit = "collection.channel"

    _is_sent_by_odoo = True
    _is_message = True
    _can_attach = True
    _text_field = "template_id"
    _icon = "fa-envelope-o"

    # === HOOKS === #

    # EXTENDS collection.channel
    def _applicable(self, actions):
        refused = {}
        recipients = self._get_recipients(actions)
        for action in actions:
            recipient = recipients[action]
            if recipient:
                action.sudo().write({"contact_id": recipient.id, "address": email_normalize(recipient.email)})
            elif not self._can_say(action.step_id):
                refused[action] = self.env._("“%s” has no text for an e-mail.", action.step_id.name)
            else:
                refused[action] = self.env._(
                    "No contact of %s has an e-mail address that works: write one on a contact.",
                    action.partner_id.name,
                )
        return refused

    # EXTENDS collection.channel
    def _carries_files(self, step):
        return step.attach_invoices != "no" or step.attach_statement

    # EXTENDS collection.channel
    def _get_files_to_make(self, action):
        rows = self._get_rows(action)
        if not rows[action.debtor_id]:
            return []  # nothing to claim any more: it is cancelled
        invoices = self._get_attached_invoices(action, rows)
        invoices = invoices.with_context(lang=self._get_lang(action))
        makers = [invoice._get_collection_documents for invoice in invoices._get_collection_unprinted()]
        if action.step_id.attach_statement and not self._find_statement(action, self._get_statement(action)):
            makers.append(lambda: self._make_statement(action))
        return makers

    # EXTENDS collection.channel
    def _prepare(self, actions):
        payloads = {}
        rows = self._get_rows(actions)
        invoices = actions.debtor_id._get_claimed_invoices([row for own in rows.values() for row in own])
        invoices.sudo()._ensure_collection_tokens()
        # All links at once, before each message asks for its own.
        invoices = (action.debtor_id._get_claimed_invoices(rows[action.debtor_id]) for action in actions)
        self.env["account.move"].union(*invoices)._get_collection_links()
        attachments = self._get_attachments(actions, rows)
        for (template, lang), group in groupby(
            actions, lambda action: (action.step_id.template_id, self._get_lang(action))
        ):
            group = actions.browse(action.id for action in group)
            subjects, bodies = self._render(template, group, lang, rows)
            for action in group:
                payloads[action] = {
                    "rows": rows[action.debtor_id],
                    "lang": lang,
                    "subject": subjects[action],
                    "body": bodies[action],
                    "attachment_ids": attachments.get(action, []),
                }
        return payloads

    # EXTENDS collection.channel
    def _send(self, payloads):
        actions = self.env["collection.action"].union(*payloads)
        company = self.env.company
        reply_to = actions.debtor_id._notify_get_reply_to_batch(
            dict.fromkeys(actions.debtor_id.ids, company._get_collection_sender()),
            dict.fromkeys(actions.debtor_id.ids, company.partner_id.id),
        )
        values = [self._prepare_mail(action, payloads[action], reply_to[action.debtor_id.id]) for action in actions]
        mails = self.env["mail.mail"].sudo().create(values)
        self.env["mail.notification"].sudo().create(
            [
                {**notification, "res_partner_id": action.contact_id.id}
                for action, notification in zip(actions, mails._get_notification_values(), strict=True)
            ]
        )
        return {
            action: {
                "mail_message_id": mail.mail_message_id.id,
                "summary": payloads[action]["subject"],
                # Without any, Odoo would look for those that were there before.
                **({"attachment_ids": [(6, 0, ids)]} if (ids := payloads[action]["attachment_ids"]) else {}),
            }
            for action, mail in zip(actions, mails, strict=True)
        }

    # EXTENDS collection.channel
    def _result(self, actions):
        results = {}
        notifications = (
            self.env["mail.notification"]
            .sudo()
            .search([("mail_message_id", "in", actions.mail_message_id.ids), ("notification_type", "=", "email")])
            .grouped("mail_message_id")
        )
        for action in actions:
            own = notifications.get(action.mail_message_id)
            if not own:
                # Odoo deletes what is known of old messages: nothing more will be known.
                results[action] = ("sent", None)
                continue
            # Colleagues who follow the thread may have got it too.
            notification = (
                own.filtered(lambda own, contact=action.contact_id: own.res_partner_id == contact)[:1] or own[0]
            )
            mail = notification.mail_mail_id
            if notification.notification_status == "sent":
                results[action] = ("sent", None)
            elif mail.collection_is_uncertain:
                results[action] = (
                    "uncertain",
                    self.env._("The server stopped while sending: ask before you send again."),
                )
            elif notification.notification_status == "bounce" or notification.failure_type in FINAL_FAILURES:
                results[action] = ("failed", self._get_failure_text(notification))
            elif REFUSED_RECIPIENT.search(notification.failure_reason or ""):
                action.debtor_id._note_bounced_email(action.address)
                results[action] = (
                    "failed",
                    self.env._("The mail server knows no %s: correct the address on the contact.", action.address),
                )
            elif notification.notification_status == "exception" or mail.state == "exception":
                if not self._try_again(action, notification):
                    results[action] = ("failed", self._get_failure_text(notification))
            elif notification.notification_status == "canceled" or mail.state == "cancel":
                results[action] = ("failed", self.env._("The message was cancelled before it was sent."))
            elif not mail:
                results[action] = ("failed", self.env._("The message was deleted before it was sent."))
        return results

    # EXTENDS collection.channel
    def _lacks(self, steps):
        codes = []
        has_server = config["smtp_server"] not in (False, None, "", "localhost")
        if not has_server and not self.env["ir.mail_server"].sudo().search_count([], limit=1):
            codes.append("mail_server")
        if any(self._carries_files(step) for step in steps) and not self.env["ir.actions.report"]._can_make_pdf():
            codes.append("printer")
        return codes

    # EXTENDS collection.channel
    def _get_sent_title(self):
        return self.env._("E-mails sent")

    # EXTENDS collection.channel
    def _preview(self, action, lang):
        payload, names = self._preview_payload(action, lang)
        sender = action.company_id._get_collection_sender()
        reply_to = action.debtor_id._notify_get_reply_to(default=sender)[action.debtor_id.id]
        return {
            "sender": sender,
            "reply_to": reply_to,
            "subject": payload["subject"],
            "attachments": "\n".join(names),
            "body": self._frame_page(self._wrap(action, payload)),
        }

    # === HELPERS === #

    def _preview_payload(self, action, lang, on_paper=False):
        """Return ``(what the template shows, names of what is attached)`` of a written message, without making files.

        :param bool on_paper: whether it is a letter.
        """
        rows = action.debtor_id._get_claimable_items_by_debtor({action.debtor_id: max(-action.step_id.delay, 0)})
        told = action.with_context(collection_on_paper=on_paper)
        subjects, bodies = self._render(action.step_id.template_id, told, lang, rows)
        names = [
            move.invoice_pdf_report_id.name or move._get_invoice_report_filename()
            for move in self._get_attached_invoices(action, rows).sudo()
        ]
        if action.step_id.attach_statement:
            names.append(self.env._("Statement of account"))
        return {"subject": subjects[told], "body": bodies[told], "lang": lang, "attachment_ids": []}, names

    def _get_recipients(self, actions):
        """Return to whom each action goes: the first contact whose address works.

        :return: ``{action: res.partner}``, empty where nobody can be written to.
        """
        candidates = {
            action: action.debtor_id._get_recipients(action.step_id.recipient, with_email=True) for action in actions
        }
        refused = self._get_blacklisted(self.env["res.partner"].union(*candidates.values()))
        return {
            action: next(
                (
                    partner
                    for partner in partners
                    if (email := partner.email_normalized) not in refused
                    and email not in action.debtor_id._get_bounced_emails()
                ),
                self.env["res.partner"],
            )
            for action, partners in candidates.items()
        }

    def _get_blacklisted(self, partners):
        """Return the normalised addresses of these partners that asked not to be written to."""
        emails = set(partners.mapped("email_normalized")) - {False, ""}
        return set(self.env["mail.blacklist"].sudo().search([("email", "in", list(emails))]).mapped("email"))

    def _get_lang(self, action):
        """Return the language in which a recipient is written to."""
        return action.contact_id.lang or action.debtor_id.lang

    def _render(self, template, actions, lang, rows):
        """Render the subjects and bodies of many messages in one language, each template compiled once.

        :param rows: ``{debtor: rows of _get_claimable_items}``.
        :return: ``({action: subject}, {action: body})``.
        :raises UserError: when there is nothing in the text.
        """
        if not (template.with_context(lang=lang).body_html or "").strip():
            raise UserError(self.env._("There is nothing in the text “%s” yet: write it first.", template.name))
        debtors = actions.debtor_id.with_context(
            lang=lang, collection_rows={debtor.id: rows[debtor] for debtor in actions.debtor_id}
        )
        template = template.sudo().with_env(debtors.env)
        contacts = {action.debtor_id.id: action.contact_id.with_env(debtors.env) for action in actions}
        separator = uuid4().hex
        # The content of a ``t-set`` has values of its own: what one message sets, the next one doesn't see.
        source = Markup(
            '<t t-foreach="collection_debtors" t-as="object">'
            '<t t-set="contact" t-value="collection_contacts[object.id]"/>'
            '<t t-set="collection_body">%s</t><t t-out="collection_body"/>'
            '<t t-out="collection_separator"/></t>'
        ) % Markup(template.body_html or "")  # noqa: S704 - the template itself is what is rendered
        first_id = debtors[:1].id
        rendered = template._render_template_qweb(
            source,
            "collection.debtor",
            [first_id],
            add_context={
                "collection_debtors": debtors,
                "collection_contacts": contacts,
                "collection_separator": separator,
            },
        )[first_id]
        bodies = dict(zip(debtors.ids, str(rendered).split(separator), strict=False))
        subjects = template._render_template(
            template.subject, "collection.debtor", debtors.ids, add_context={"contacts": contacts}
        )
        return (
            {action: subjects[action.debtor_id.id] for action in actions},
            {action: Markup(bodies[action.debtor_id.id]) for action in actions},  # noqa: S704 - rendered by QWeb
        )

    def _prepare_mail(self, action, payload, reply_to):
        """Return the values of one ``mail.mail``: it stands on the debtor's thread like any message.

        HOOK. Extend it to change what is sent, such as headers or copies::

            def _prepare_mail(self, action, payload, reply_to):
                return {**super()._prepare_mail(action, payload, reply_to), "email_cc": "archive@example.com"}

        :param action: one ``collection.action``, as the system.
        :param dict payload: what ``_prepare`` returned: ``subject``, ``body``, ``lang``, ``rows``, ``attachment_ids``.
        :param str reply_to: where answers go.
        """
        company = action.company_id
        return {
            "model": "collection.debtor",
            "res_id": action.debtor_id.id,
            "record_name": action.partner_id.display_name,
            "message_type": "email_outgoing",
            "subtype_id": self.env["ir.model.data"]._xmlid_to_res_id("mail.mt_comment"),
            "subject": payload["subject"],
            "body": payload["body"],
            "body_html": self._wrap(action, payload),
            "author_id": company.partner_id.id,
            "email_from": company._get_collection_sender(),
            "reply_to": reply_to,
            "recipient_ids": [(6, 0, action.contact_id.ids)],
            "attachment_ids": [(6, 0, payload["attachment_ids"])],
            "is_notification": True,
            "auto_delete": True,
            "collection_is_ours": True,
        }

    def _wrap(self, action, payload):
        """Return a body as it is sent: within the company's letterhead."""
        return self.env["ir.qweb"]._render(
            "account_collection.mail_layout",
            {"company": action.company_id, "body": payload["body"], "lang": payload["lang"]},
            lang=payload["lang"],
            minimal_qcontext=True,
        )

    def _get_attachments(self, actions, rows):
        """Return ``{action: ids of the attachments}`` that the steps ask for: invoices, statement."""
        attachments = {}
        for action in actions:
            invoices = self._get_attached_invoices(action, rows).with_context(lang=self._get_lang(action))
            ids = list(invoices._get_collection_documents().ids)
            if action.step_id.attach_statement:
                ids += self._make_statement(action).ids
            attachments[action] = ids
        return attachments

    def _get_attached_invoices(self, action, rows):
        """Return the invoices that go along with a message, as the step says."""
        step = action.step_id
        if step.attach_invoices == "no":
            return self.env["account.move"]
        moves = action.debtor_id._get_claimed_invoices(rows[action.debtor_id])
        if step.attach_invoices == "missing":
            moves = moves.filtered(lambda move: not move.is_move_sent) - action.debtor_id._get_attached_invoices()
        return moves

    def _find_statement(self, action, statement):
        """Return the file of a customer's statement that was made for this message, empty when there is none."""
        return (
            self.env["ir.attachment"]
            .sudo()
            .search(
                [
                    ("res_model", "=", "collection.debtor"),
                    ("res_id", "=", action.debtor_id.id),
                    ("description", "=", self._get_statement_key(statement)),
                ],
                limit=1,
            )
        )

    def _get_statement(self, action):
        return action.debtor_id.with_context(lang=self._get_lang(action))._get_statement()

    def _get_statement_key(self, statement):
        """Return what marks the file of a statement: it holds as long as the statement says the same."""
        return f"collection_statement {hashlib.sha256(repr(statement).encode()).hexdigest()}"

    def _make_statement(self, action):
        """Return the statement of the open items of one customer as an attachment, made now unless it is there."""
        statement = self._get_statement(action)
        if known := self._find_statement(action, statement):
            return known
        debtor = action.debtor_id.with_context(lang=self._get_lang(action))
        name, content = debtor._render_statement_pdf(statement=statement)
        return (
            self.env["ir.attachment"]
            .sudo()
            .create(
                {
                    "name": name,
                    "raw": content,
                    "res_model": "collection.debtor",
                    "res_id": debtor.id,
                    "description": self._get_statement_key(statement),
                }
            )
        )

    def _try_again(self, action, notification):
        """Put a mail that could not be handed to the mail server back in the queue, a few times.

        :return: whether it is tried again.
        """
        from .collection_action_delivery import MAX_TRIES  # noqa: PLC0415 - actions know the channels

        mail = notification.mail_mail_id
        if not mail or action.try_count >= MAX_TRIES:
            return False
        mail.write({"state": "outgoing", "failure_type": False, "failure_reason": False})
        notification.write({"notification_status": "ready", "failure_type": False, "failure_reason": False})
        action.sudo().with_context(**action._get_guard()).write({"try_count": action.try_count + 1})
        return True

    def _get_failure_text(self, notification):
        """Return why a message did not arrive, for people."""
        label = dict(notification._fields["failure_type"]._description_selection(self.env)).get(
            notification.failure_type
        )
        return ": ".join(filter(None, [label, (notification.failure_reason or "").strip()[:200]])) or self.env._(
            "The message did not arrive."
        )
