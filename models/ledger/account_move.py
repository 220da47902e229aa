import re

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, formatLang
from odoo.tools.misc import format_date

# Contacts with its customer that the page of an invoice lists, latest first.
CONTACTS_SHOWN = 100
# A link to the page of an invoice without its access token, in HTML.
INVOICE_PAGE = re.compile(r'/my/invoices/(\d+)"')


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = ["account.move", "collection.reader.view.mixin"]
    _collection_reader_view_types = ("form", "list")

    collection_settlements = fields.Text(
        string="Settled by",
        compute="_compute_collection_settlements",
        compute_sudo=True,
        groups="account_collection.group_collection_user",
        help="Payments and credit notes that settled this invoice, for people who may not read reconciliations.",
    )

    # === COMPUTE METHODS === #

    @api.depends("line_ids.amount_residual")
    @api.depends_context("lang")
    def _compute_collection_settlements(self):
        self.env["collection.ledger"].sudo()._flush()
        Item = self.env["account.move.line"]
        for move in self:
            debts = move.line_ids.filtered(lambda line: line.account_type == "asset_receivable" and line.balance > 0)
            settlements = Item._get_collection_settlements(debts) if debts.ids else []
            move.collection_settlements = "\n".join(
                f"{format_date(self.env, row['date'])}  "
                f"{formatLang(self.env, row['amount'], currency_obj=move.currency_id)}  "
                f"{Item.browse(row['credit_line_id']).move_name or ''}"
                for row in settlements
                if not row["is_returned"]
            )

    # === ACTION METHODS === #

    # EXTENDS account
    def button_draft(self):
        self.check_access("write")
        self._enqueue_collection_refresh()
        self.env["collection.suspended.item"]._suspend(self)
        return super().button_draft()

    # EXTENDS account
    def action_toggle_block_payment(self):
        result = super().action_toggle_block_payment()
        self._enqueue_collection_refresh()
        return result

    # === BUSINESS METHODS === #

    # EXTENDS account
    def _post(self, soft=True):
        posted = super()._post(soft)
        self.env["collection.suspended.item"]._resume(posted)
        posted._enqueue_collection_refresh()
        return posted

    def _get_collection_file(self, lang):
        """Return the invoice as the customer got it, or printed now when it was never made into a file.

        :param str lang: language of what is printed now.
        :return: ``(file name, content)``, or ``None`` when nothing can be printed.
        """
        invoice = self.with_context(lang=lang)
        if invoice._get_collection_unprinted() and not self.env["ir.actions.report"]._can_make_pdf():
            return None
        document = invoice._get_collection_documents()
        return document.name, document.raw

    def _enqueue_collection_refresh(self):
        """Queue the customers of these moves, and those whose items they settle, for a refresh."""
        lines = self.sudo().line_ids
        settled = lines.matched_debit_ids.debit_move_id | lines.matched_credit_ids.credit_move_id
        self.env["collection.refresh.queue"]._enqueue_lines(lines | settled)

    def _get_collection_links(self):
        """Return the pages on which customers see these invoices, without login: ``{move id: address}``.

        Entries that are no invoices have no page. In a message that is only shown (``collection_is_shown`` in the
        context) nothing is written: an invoice that has no access token yet gets it when the message is sent, see
        ``_complete_collection_links``.
        """
        invoices = self.sudo().filtered(lambda move: move.is_sale_document() and move.state == "posted")
        if not self.env.context.get("collection_is_shown"):
            invoices._ensure_collection_tokens()
        return {
            move.id: f"{move.get_base_url()}{move.get_portal_url() if move.access_token else move.access_url}"
            for move in invoices
        }

    @api.model
    def _complete_collection_links(self, body, company, partner):
        """Return a message that was shown before with links that open without login.

        :param str body: HTML.
        :param company: whose invoices.
        :param partner: the commercial partner who gets the message: only this customer's invoices are opened so.
        """
        body = str(body or "")
        numbers = {int(number) for number in INVOICE_PAGE.findall(body)}
        moves = (
            self.sudo()
            .browse(numbers)
            .exists()
            .filtered(lambda move: move.company_id == company and move.commercial_partner_id == partner)
        )
        links = moves._get_collection_links()
        for move in moves.filtered(lambda move: move.id in links):
            body = body.replace(f'{move.get_base_url()}{move.access_url}"', f'{links[move.id]}"')
        return body

    def _ensure_collection_tokens(self):
        """Set the access token of those of these moves that have none, by one SQL statement."""
        missing = self.filtered(lambda move: not move.access_token)
        if not missing:
            return
        self.env.execute_query(
            SQL(
                """
                UPDATE account_move SET access_token = gen_random_uuid()::text
                 WHERE id = ANY(%s) AND access_token IS NULL
             RETURNING id
                """,
                missing.ids,
            )
        )
        missing.invalidate_recordset(["access_token"], flush=False)

    def _get_collection_documents(self):
        """Return the invoices as files that may go to the customer: as they went out, printed now if they never did.

        What is printed is in the language of the environment, the reader's, and kept: the next message carries the
        same file.

        :return: ``ir.attachment`` records.
        :raises UserError: when one must be printed and the server can't.
        """
        documents = self.env["ir.attachment"].sudo()
        Report = self.env["ir.actions.report"].sudo()
        missing = self.sudo().filtered(lambda move: not move.invoice_pdf_report_id)
        printed = missing._get_collection_prints()
        if len(missing) > len(printed) and not Report._can_make_pdf():
            raise UserError(
                self.env._(
                    "%s can't be attached: wkhtmltopdf is missing on the server, or broken.",
                    next(move.name for move in missing if move.id not in printed),
                )
            )
        for move in self.sudo():
            document = move.invoice_pdf_report_id or printed.get(move.id)
            if not document:
                content, file_type = Report._render_qweb_pdf("account.account_invoices", move.ids)
                document = documents.create(
                    {
                        "name": move._get_invoice_report_filename(extension=file_type),
                        "raw": content,
                        "res_model": move._name,
                        "res_id": move.id,
                        "description": move._get_collection_print_key(),
                    }
                )
            documents |= document
        return documents

    def _get_collection_unprinted(self):
        """Return those of these invoices of which no file is there yet that may go to the customer."""
        missing = self.filtered(lambda move: not move.sudo().invoice_pdf_report_id)
        printed = missing.sudo()._get_collection_prints()
        return missing.filtered(lambda move: move.id not in printed)

    def _get_collection_print_key(self):
        """Return what marks a file that was printed for messages: it holds until the invoice changes."""
        self.ensure_one()
        return f"collection_invoice {self.env.lang or ''} {fields.Datetime.to_string(self.write_date)}"

    def _get_collection_prints(self):
        """Return the files that were printed for earlier messages in this language: ``{move id: ir.attachment}``."""
        if not self:
            return {}
        keys = {move.id: move._get_collection_print_key() for move in self}
        known = (
            self.env["ir.attachment"]
            .sudo()
            .search(
                [
                    ("res_model", "=", self._name),
                    ("res_id", "in", self.ids),
                    ("description", "in", list(keys.values())),
                ]
            )
        )
        return {document.res_id: document for document in known if document.description == keys[document.res_id]}
