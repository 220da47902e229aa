from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import email_normalize


class CollectionReminderSend(models.TransientModel):
    """Shows a reminder as the customer will get it, and sends it once it was looked at."""

    _name = "collection.reminder.send"
    _description = "Send a Reminder"
    _inherit = ["collection.dialogue.mixin", "collection.contact.mixin"]
    _contact_fields = ("contact_id",)

    debtor_id = fields.Many2one("collection.debtor", required=True, readonly=True, ondelete="cascade")
    case_id = fields.Many2one("collection.case", readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="debtor_id.company_id")
    partner_id = fields.Many2one(related="debtor_id.partner_id")
    contact_id = fields.Many2one(
        "res.partner",
        string="Recipient",
        compute="_compute_contact_id",
        compute_sudo=False,
        store=True,
        readonly=False,
        domain="[('commercial_partner_id', '=', partner_id)]",
    )
    email = fields.Char(related="contact_id.email")
    template_id = fields.Many2one(
        "mail.template",
        required=True,
        domain="[('model', '=', 'collection.debtor'), ('is_collection_text', '=', True)]",
        default=lambda self: self._default_template_id(),
    )
    text_warning = fields.Char(compute="_compute_text_warning", help="Why this text is not sent to customers.")
    subject = fields.Char(compute="_compute_message", compute_sudo=False, store=True, readonly=False)
    body = fields.Html(compute="_compute_message", compute_sudo=False, store=True, readonly=False, sanitize=False)
    attach_invoices = fields.Boolean(string="Attach the invoices (PDF)", default=True)
    invoice_count = fields.Integer(compute="_compute_invoice_ids")
    invoice_ids = fields.Many2many("account.move", compute="_compute_invoice_ids")
    silence_reason = fields.Char(compute="_compute_silence_reason")
    silence_codes = fields.Char(compute="_compute_silence_reason")
    is_silence_final = fields.Boolean(compute="_compute_silence_reason")
    send_anyway = fields.Boolean(help="You know this, and write to the customer all the same. It is kept on file.")
    overruled_codes = fields.Char(
        compute="_compute_overruled_codes",
        compute_sudo=False,
        store=True,
        readonly=False,
        help="The reasons that were shown when “Send anyway” was ticked.",
    )
    small_amount_warning = fields.Char(compute="_compute_small_amount_warning")

    # === DEFAULT METHODS === #

    @api.model
    def _default_template_id(self):
        return self.env.ref("account_collection.mail_template_reminder", raise_if_not_found=False)

    # === COMPUTE METHODS === #

    @api.depends("debtor_id")
    def _compute_contact_id(self):
        for wizard in self:
            wizard.contact_id = wizard.debtor_id._get_email_contact() if wizard.debtor_id else False

    @api.depends("template_id")
    def _compute_text_warning(self):
        for wizard in self:
            wizard.text_warning = wizard.template_id._get_purpose_refusal() if wizard.template_id else False

    @api.depends("debtor_id", "template_id", "contact_id")
    def _compute_message(self):
        for wizard in self:
            debtor, template = wizard.debtor_id, wizard.template_id
            # Only what was written for customers is put together at all.
            if not debtor or not template or template._get_purpose_refusal():
                wizard.subject = wizard.body = False
                continue
            lang = wizard._get_lang()
            # Nothing is written while one looks: links are completed when the message is sent.
            template = template.with_context(lang=lang, collection_is_shown=True)
            debtor_id = debtor._origin.id or debtor.id
            rendering = {"add_context": {"contact": wizard.contact_id}, "set_lang": lang}
            wizard.subject = template._render_field("subject", [debtor_id], **rendering)[debtor_id]
            wizard.body = template._render_field("body_html", [debtor_id], engine="qweb", **rendering)[debtor_id]

    @api.depends("debtor_id")
    def _compute_invoice_ids(self):
        for wizard in self:
            rows = [row for claim in wizard.debtor_id._get_claim() for row in claim["rows"]] if wizard.debtor_id else []
            moves = self.env["account.move"].union(*(row["item"].move_id for row in rows))
            wizard.invoice_ids = moves.filtered(lambda move: move.is_sale_document())
            wizard.invoice_count = len(wizard.invoice_ids)

    @api.depends("debtor_id", "contact_id")
    def _compute_silence_reason(self):
        for wizard in self:
            silences = wizard._get_silences() if wizard.debtor_id else []
            wizard.silence_reason = wizard.debtor_id._describe_silences(silences) if wizard.debtor_id else False
            wizard.silence_codes = wizard._join_codes(silences)
            wizard.is_silence_final = any(silence.is_final for silence in silences)

    @api.depends("send_anyway")
    def _compute_overruled_codes(self):
        for wizard in self:
            wizard.overruled_codes = wizard.silence_codes if wizard.send_anyway else False

    @api.depends("debtor_id", "company_id.collection_min_amount")
    def _compute_small_amount_warning(self):
        """Warn that the amount is below the threshold of plans; a user may send anyway."""
        for wizard in self:
            debtor = wizard.debtor_id
            amount = debtor._get_claim_value(debtor._get_claimable_items()) if debtor else 0.0
            is_small = amount > 0 and not debtor._is_worth_a_message(amount)
            wizard.small_amount_warning = is_small and debtor._get_too_small_reason(amount)

    # === ACTION METHODS === #

    def action_send(self):
        """Recheck and send the reminder: the message and the action that records it are one transaction."""
        self.ensure_one()
        self = self._without_defaults()  # noqa: PLW0642
        self._send()
        return {"type": "ir.actions.act_window_close"}

    # === BUSINESS METHODS === #

    def _get_lang(self):
        """Return the language in which the customer is written to."""
        return self.contact_id.lang or self.debtor_id.lang or self.env.lang

    def _get_silences(self):
        """Return the reasons not to write to this customer now."""
        self.ensure_one()
        debtor = self.debtor_id._origin
        return debtor._get_silences("email", self.contact_id.email or "")[debtor]

    @api.model
    def _join_codes(self, silences):
        return ",".join(silence.reason for silence in silences)

    def _check_before_sending(self):
        """Recheck, under a lock, that something is still owed and that this customer may be contacted now.

        :return: the reasons that the user overrules, in words, ``False`` without any.
        :raises UserError: with the reason why not.
        """
        debtor = self.debtor_id
        debtor.check_access("read")
        debtor._lock_to_speak()
        # Contacts leave companies, and texts are taken back, while a dialogue stands open.
        self._check_contacts_of(debtor.partner_id)
        self.template_id._check_is_collection_text()
        debtor._synchronize_own()
        silences = self._get_silences()
        overruled = (self.overruled_codes or "").split(",") if self.send_anyway else []
        # Only what was shown can be overruled.
        refused = [silence for silence in silences if silence.is_final or silence.reason not in overruled]
        if refused:
            raise UserError(debtor._describe_silences(refused))
        if not debtor._get_claim():
            raise UserError(debtor._get_nothing_to_claim_reason())
        if not email_normalize(self.contact_id.email or ""):
            raise UserError(
                self.env._(
                    "%s has no valid e-mail address: write one on the contact, call, or send a letter.",
                    self.contact_id.name or debtor.partner_id.name,
                )
            )
        return debtor._describe_silences(silences)

    def _prepare_message(self):
        """Return the arguments of ``message_post``."""
        documents = (
            self.invoice_ids.with_context(lang=self._get_lang())._get_collection_documents()
            if self.attach_invoices
            else self.env["ir.attachment"]
        )
        body = self.env["account.move"]._complete_collection_links(self.body, self.company_id, self.partner_id)
        return {
            "subject": self.subject,
            "body": Markup(body),  # noqa: S704 - rendered from our template, or edited by an internal user
            "message_type": "comment",
            "subtype_xmlid": "mail.mt_comment",
            "partner_ids": self.contact_id.ids,
            "attachment_ids": documents.ids,
            "author_id": self.env.user.partner_id.id,
            "email_from": self.company_id._get_collection_sender(),
            "email_layout_xmlid": "account_collection.mail_layout",
            "email_add_signature": False,
        }

    def _send(self):
        """Send the reminder to the customer and log it.

        :return: the ``collection.action`` that records it.
        """
        overruled = self._check_before_sending()
        debtor = self.debtor_id
        message = (
            debtor.with_company(self.company_id)
            .with_context(lang=self._get_lang())
            .message_post(**self._prepare_message())
        )
        action = self.env["collection.action"]._log(
            debtor,
            "email",
            case=self.case_id,
            names_items=True,
            contact_id=self.contact_id.id,
            summary=self.subject,
            mail_message_id=message.id,
        )
        if overruled:
            action._note_overruled(overruled)
        next_date = self.env["collection.case"]._get_default_next_date(self.company_id)
        self.env["collection.action"]._plan_call(
            debtor, next_date, self.env._("Call about the reminder"), case=self.case_id
        )
        self.env["collection.case"]._after_contact(
            action, next_date=next_date, next_summary=self.env._("Call about the reminder")
        )
        return action
