from dateutil.relativedelta import relativedelta
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import email_normalize

from ...models.base.pdf_pages import merge_pages
from ...tools.file_names import make_unique

# How many are made while the user waits; more are made in the background.
AT_ONCE = {"pdf": 10, "xlsx": 150}


class CollectionStatementPrint(models.TransientModel):
    """Prints, downloads or sends the statements of account of one customer or of many."""

    _name = "collection.statement.print"
    _description = "Print or send Statements of Account"
    _inherit = ["collection.dialogue.mixin", "collection.contact.mixin"]
    _contact_fields = ("contact_id",)

    debtor_ids = fields.Many2many(
        "collection.debtor", string="Customers", required=True, readonly=True, context={"active_test": False}
    )
    debtor_count = fields.Integer(compute="_compute_debtor_count")
    no_email_count = fields.Integer(compute="_compute_debtor_count")
    debtor_id = fields.Many2one("collection.debtor", compute="_compute_debtor_count")
    partner_id = fields.Many2one(related="debtor_id.partner_id")
    kind = fields.Selection(
        [("open", "Open items"), ("movements", "All movements between two dates")], required=True, default="open"
    )
    date_from = fields.Date(string="From", default=lambda self: self._default_date_from())
    date_to = fields.Date(string="To", default=lambda self: self.env.company._collection_today())
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
    subject = fields.Char(compute="_compute_message", compute_sudo=False, store=True, readonly=False)
    body = fields.Html(compute="_compute_message", compute_sudo=False, store=True, readonly=False, sanitize=False)
    attach_xlsx = fields.Boolean(string="Attach as XLSX too")
    preview = fields.Html(compute="_compute_preview", sanitize=False)
    silence_reason = fields.Char(compute="_compute_silence_reason")
    is_silence_final = fields.Boolean(compute="_compute_silence_reason")
    send_anyway = fields.Boolean(help="You know this, and write to the customer all the same. It is kept on file.")

    # === DEFAULT METHODS === #

    @api.model
    def _default_date_from(self):
        return self.env.company._collection_today() - relativedelta(months=3, day=1)

    # === COMPUTE METHODS === #

    @api.depends("debtor_ids")
    def _compute_debtor_count(self):
        for wizard in self:
            debtors = wizard.debtor_ids
            wizard.debtor_count = len(debtors)
            wizard.no_email_count = len(debtors.filtered(lambda debtor: not debtor.has_email))
            wizard.debtor_id = debtors if len(debtors) == 1 else False

    @api.depends("debtor_id")
    def _compute_contact_id(self):
        for wizard in self:
            debtor = wizard.debtor_id._origin or wizard.debtor_id
            wizard.contact_id = debtor._get_statement_contact() if debtor else False

    @api.depends("debtor_id")
    def _compute_message(self):
        for wizard in self:
            debtor = wizard.debtor_id._origin or wizard.debtor_id
            wizard.subject = wizard.body = False
            if debtor:
                wizard.subject, wizard.body = self.env["collection.statement"]._render_message(
                    debtor._with_statement_env()
                )

    @api.depends("debtor_id", "kind", "date_from", "date_to")
    def _compute_preview(self):
        for wizard in self:
            debtor = wizard.debtor_id._origin or wizard.debtor_id
            wizard.preview = False
            if debtor and not (wizard.kind == "movements" and wizard._get_date_refusal()):
                page = debtor._prepare_statement_page(**wizard._get_dates())
                wizard.preview = (
                    page["debtor"].env["ir.qweb"]._render("account_collection.statement_preview", {"pages": [page]})
                )

    @api.depends("debtor_ids", "contact_id")
    def _compute_silence_reason(self):
        for wizard in self:
            email = (wizard.contact_id.email or "") if wizard.debtor_id else None
            debtors = wizard.debtor_ids._origin or wizard.debtor_ids
            # Whoever has no address is counted, or refused, in other words.
            found = {
                debtor: silences
                for debtor, listed in debtors._get_silences("statement", email).items()
                if (silences := [silence for silence in listed if silence.reason != "no_address"])
            }
            wizard.is_silence_final = bool(found) and all(
                any(silence.is_final for silence in silences) for silences in found.values()
            )
            wizard.silence_reason = False
            if found and wizard.debtor_id:
                wizard.silence_reason = debtors._describe_silences(found[debtors])
            elif found:
                wizard.silence_reason = self.env._(
                    "%s customers are to be left alone: theirs are not sent.", len(found)
                )

    # === ACTION METHODS === #

    def action_print(self):
        """Download the statements as one PDF."""
        self._check()
        return self._make("pdf")

    def action_download_xlsx(self):
        """Download the statements as workbooks."""
        self._check()
        return self._make("xlsx")

    def action_send(self):
        """Send one statement now, many in the background."""
        self._check()
        self = self._without_defaults()  # noqa: PLW0642
        Statement = self.env["collection.statement"]
        vals = {**self._get_dates(), "attach_xlsx": self.attach_xlsx, "is_overruled": self.send_anyway}
        if self.debtor_id:
            if not email_normalize(self.contact_id.email or ""):
                raise UserError(
                    self.env._(
                        "%s has no valid e-mail address: write one on the contact, or print the statement.",
                        self.contact_id.name or self.partner_id.name,
                    )
                )
            statement = Statement.sudo().create(
                {"debtor_id": self.debtor_id.id, "user_id": self.env.uid, "contact_id": self.contact_id.id, **vals}
            )
            body = Markup(self.body or "")  # noqa: S704 - rendered from our template, or edited by an internal user
            statement._send(self.subject, body)
            return {"type": "ir.actions.act_window_close"}
        Statement._request(self.debtor_ids, **vals)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("%s statements are being sent.", self.debtor_count),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    # === BUSINESS METHODS === #

    def _get_dates(self):
        """Return the arguments that say what the statement covers."""
        if self.kind == "open":
            return {"kind": "open", "date_from": None, "date_to": None}
        return {"kind": self.kind, "date_from": self.date_from or None, "date_to": self.date_to or None}

    def _get_date_refusal(self):
        """Return what is wrong with the dates, ``False`` when nothing is."""
        if self.date_from and self.date_to and self.date_from > self.date_to:
            return self.env._("The first day of a statement can't come after its last day.")
        return False

    def _check(self):
        self.ensure_one()
        # Read as superuser: a customer that the user may not see any more must be refused, not left out.
        self.sudo().debtor_ids.with_env(self.env).check_access("read")
        if self.kind == "movements" and (reason := self._get_date_refusal()):
            raise UserError(reason)

    def _make(self, file_type):
        """Return the action that downloads the statements, or has many of them made in the background."""
        if self.debtor_count > AT_ONCE[file_type]:
            dates = self._get_dates()
            return self.env["collection.paper"]._request(
                "statements",
                self.env._("Statements of account"),
                self.debtor_ids,
                ending=file_type,
                kind_of_statement=dates["kind"],
                date_from=dates["date_from"] and fields.Date.to_string(dates["date_from"]),
                date_to=dates["date_to"] and fields.Date.to_string(dates["date_to"]),
            )
        return {
            "type": "ir.actions.act_url",
            "url": f"/account_collection/statement/{self.id}/{file_type}",
            "target": "download",
        }

    def _check_few(self, file_type):
        """Check that this does not take longer than a request may.

        :raises UserError: for too many customers.
        """
        if len(self.debtor_ids) > AT_ONCE[file_type]:
            raise UserError(
                self.env._("These are too many to wait for: open the dialogue again, and print from there.")
            )

    def _get_pdf(self):
        """Return all statements as one file: ``(file name, content)``."""
        self._check()
        self._check_few("pdf")
        files = [debtor._render_statement_pdf(**self._get_dates()) for debtor in self.debtor_ids]
        name = files[0][0] if len(files) == 1 else f"{self.env._('Statements of account')}.pdf"
        return name, merge_pages([content for _name, content in files])

    def _iter_xlsx(self):
        """Return the statements as workbooks: ``(file name, content)``, all names different."""
        self._check()
        self._check_few("xlsx")
        return self._generate_xlsx()

    def _generate_xlsx(self):
        names = set()
        for debtor in self.debtor_ids:
            name, content = debtor._render_statement_xlsx(**self._get_dates())
            yield make_unique(name, debtor.id, names), content
