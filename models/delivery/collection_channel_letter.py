from markupsafe import Markup

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import groupby
from odoo.tools.image import image_data_uri
from odoo.tools.misc import format_date

from odoo.addons.base.models.ir_actions_report import _wkhtml

# A wkhtmltopdf without patched Qt draws everything at 1/1.302 of its size, whatever its options (measured).
UNPATCHED_ZOOM = 1.302
# What is known of letters at the company that prints and posts them.
LETTER_STATES = {"sent": "sent", "error": "failed", "canceled": "failed"}


class CollectionChannelLetter(models.AbstractModel):
    """Letters: printed and posted by people from “Letters to print”, or by Snailmail where the company chose it."""

    _name = "collection.channel.letter"
    _description = "Follow-up by Letter"
    _inherit = "collection.channel"

    _is_message = True
    _is_paper = True
    _can_replace = True
    _can_attach = True
    _text_field = "template_id"
    _icon = "fa-file-text-o"

    def _is_automatic(self, company):
        return bool("snailmail.letter" in self.env and company.sudo().collection_use_snailmail)

    # === HOOKS === #

    # EXTENDS collection.channel
    def _applicable(self, actions):
        refused = {}
        for action in actions:
            contact, address = self._get_recipient(action)
            if not self._can_say(action.step_id):
                refused[action] = self.env._("“%s” has no text for a letter.", action.step_id.name)
            elif not address:
                refused[action] = self.env._(
                    "No contact of %s has a street and a city: complete the address of one.", action.partner_id.name
                )
            else:
                action.sudo().write(
                    {"contact_id": contact.id, "address": ", ".join(self._get_address_lines(action, contact, address))}
                )
        return refused

    # EXTENDS collection.channel
    def _carries_files(self, step):
        return True

    # EXTENDS collection.channel
    def _get_files_to_make(self, action):
        return self.env["collection.channel.email"]._get_files_to_make(action)

    # EXTENDS collection.channel
    def _prepare(self, actions):
        Email = self.env["collection.channel.email"]
        rows = self._get_rows(actions)
        enclosures = Email._get_attachments(actions, rows)
        payloads = {}
        for (template, lang), group in groupby(
            actions.with_context(collection_on_paper=True),
            lambda action: (action.step_id.template_id, Email._get_lang(action)),
        ):
            group = actions.with_context(collection_on_paper=True).browse(action.id for action in group)
            subjects, bodies = Email._render(template, group, lang, rows)
            for action in group:
                payloads[action.with_env(actions.env)] = {
                    "rows": rows[action.debtor_id],
                    "lang": lang,
                    "subject": subjects[action],
                    "body": bodies[action],
                    "attachment_ids": enclosures.get(action, []),
                }
        return payloads

    # EXTENDS collection.channel
    def _send(self, payloads):
        Letter = self.env["snailmail.letter"].sudo()
        results = {}
        for action, payload in payloads.items():
            printed = self._make_letter(action, payload)
            letter = Letter.create(
                {
                    "model": "collection.debtor",
                    "res_id": action.debtor_id.id,
                    "partner_id": self._get_recipient(action)[1].id,
                    "company_id": action.company_id.id,
                    "attachment_id": printed.id,
                    "user_id": action.user_id.id,
                    # The letter has its own address block.
                    "cover": False,
                }
            )
            letter.message_id.sudo().attachment_ids = printed
            results[action] = {
                "mail_message_id": letter.message_id.id,
                "attachment_ids": [(6, 0, printed.ids)],
                "summary": payload["subject"],
            }
        return results

    # EXTENDS collection.channel
    def _result(self, actions):
        if "snailmail.letter" not in self.env:
            return {}
        letters = (
            self.env["snailmail.letter"]
            .sudo()
            .search([("message_id", "in", actions.mail_message_id.ids)])
            .grouped("message_id")
        )
        results = {}
        for action in actions:
            letter = letters.get(action.mail_message_id, self.env["snailmail.letter"])[:1]
            if letter.state in LETTER_STATES:
                failure = letter.state != "sent" and self.env._("Snailmail could not post the letter.")
                results[action] = (LETTER_STATES[letter.state], failure or None)
        return results

    # EXTENDS collection.channel
    def _lacks(self, steps):
        return [] if self.env["ir.actions.report"]._can_make_pdf() else ["printer"]

    # EXTENDS collection.channel
    def _get_sent_title(self):
        return self.env._("Letters sent")

    # EXTENDS collection.channel
    def _preview(self, action, lang):
        payload, names = self.env["collection.channel.email"]._preview_payload(action, lang, on_paper=True)
        return {
            "sender": action.company_id.name,
            "subject": payload["subject"],
            "attachments": "\n".join(names),
            "body": self._frame_page(self._render_html(action, payload), "p-5"),
        }

    # === BUSINESS METHODS - PRINT === #

    def _make_letter(self, action, payload):
        """Return one letter with its enclosures as one PDF.

        :param payload: what ``_prepare`` returned for the action.
        :return: an ``ir.attachment`` of the follow-up file.
        """
        enclosures = self.env["ir.attachment"].sudo().browse(payload["attachment_ids"])
        pages = [self._render_pdf(action, payload)]
        pages += [enclosure.raw for enclosure in enclosures if enclosure.mimetype == "application/pdf"]
        return (
            self.env["ir.attachment"]
            .sudo()
            .create(
                {
                    "name": f"{payload['subject']}.pdf".replace("/", "-"),
                    "raw": self._merge(pages),
                    "mimetype": "application/pdf",
                    "res_model": "collection.debtor",
                    "res_id": action.debtor_id.id,
                }
            )
        )

    def _merge(self, documents):
        """Return many PDF files as one."""
        from odoo.tools.pdf import merge_pdf  # noqa: PLC0415 - slow to import, and only printers need it

        return merge_pdf(documents) if len(documents) > 1 else documents[0]

    def _render_pdf(self, action, payload):
        """Return the sheet of one letter as PDF, without its enclosures."""
        zoom = 1 if _wkhtml().is_patched_qt else UNPATCHED_ZOOM
        return self._render_pdf_of(self._render_html(action, payload, zoom))

    def _render_pdf_of(self, page):
        """Return an HTML page as PDF on the paper of letters.

        :raises UserError: when nothing here can print.
        """
        Report = self.env["ir.actions.report"].sudo()
        if not Report._can_make_pdf():
            raise UserError(self.env._("Letters can't be printed: wkhtmltopdf is missing on the server."))
        return Report._run_wkhtmltopdf([page], report_ref="account_collection.action_report_letter")

    def _render_html(self, action, payload, zoom=1):
        """Return the sheet of one letter as a whole HTML page, in the language of the customer.

        :param float zoom: what makes a millimetre one on paper.
        """
        return self.env["ir.qweb"]._render(
            "account_collection.letter_page",
            {**self._prepare_letter_values(action, payload), "zoom": zoom},
            lang=payload["lang"],
            minimal_qcontext=True,
        )

    def _prepare_letter_values(self, action, payload):
        """Return what the template of a letter shows."""
        env = self.with_context(lang=payload["lang"]).env
        action = action.sudo().with_env(env(su=True))
        company = action.company_id
        contact, address = self._get_recipient(action)
        return {
            "lang": payload["lang"],
            "company": company,
            "logo": company.logo and not company.uses_default_logo and image_data_uri(company.logo),
            "sender": [
                line
                for line in (
                    company.street,
                    company.street2,
                    " ".join(filter(None, [company.zip, company.city])),
                    company.phone,
                    company.collection_email or company.email,
                )
                if line
            ],
            "address": self._get_address_lines(action, contact, address),
            "date": format_date(env, company._collection_today(), date_format="long"),
            "customer_number": action.partner_id.ref,
            # A preview has no number of its own.
            "reference": "-".join(str(number) for number in (action.debtor_id.id, action._origin.id) if number),
            "handler": action.debtor_id.collector_id,
            "subject": payload["subject"],
            "body": Markup(payload["body"]),  # noqa: S704 - rendered by QWeb from the text of the step
            "enclosures": env["ir.attachment"].sudo().browse(payload["attachment_ids"]).mapped("name"),
            "legal": self._get_legal_line(company),
        }

    def _get_legal_line(self, company):
        """Return what a company must say of itself on its papers."""
        return " – ".join(
            filter(
                None,
                [
                    company.name,
                    ", ".join(filter(None, [company.street, " ".join(filter(None, [company.zip, company.city]))])),
                    company.company_registry,
                    company.vat,
                ],
            )
        )

    # === HELPERS === #

    def _get_recipient(self, action):
        """Return ``(who is written to, whose address stands on the envelope)``.

        The contact of that role gets the letter; where only the company has an address, it goes there.
        """
        partners = action.debtor_id._get_recipients(action.step_id.recipient)
        contact = partners[:1]
        for partner in contact | action.partner_id | partners:
            if partner.street and partner.city:
                return contact, partner
        return contact, self.env["res.partner"]

    def _get_address_lines(self, action, contact, address):
        """Return the lines of the address block: the company, the person, street and city, a foreign country."""
        contact, address = (partner.sudo().with_env(self.env(su=True)) for partner in (contact, address))
        customer = action.sudo().partner_id
        lines = [customer.name]
        if contact.name and contact.name != customer.name:
            lines.append(contact.name)
        lines += address._display_address(without_company=True).splitlines()
        home = action.company_id.sudo().country_id.with_env(address.env)
        if address.country_id == home and lines[-1].strip() == home.name:
            lines.pop()
        return [line.strip() for line in lines if line.strip()]
