from odoo import fields, models
from odoo.tools import SQL

# Contacts with its customer that the page of an invoice lists, latest first.
CONTACTS_SHOWN = 100


class AccountMove(models.Model):
    _inherit = "account.move"

    # === ACTION METHODS === #

    # EXTENDS account
    def button_draft(self):
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
        document = self.with_context(lang=lang)._get_collection_documents()
        return (document.name, document.raw) if document else None

    def _enqueue_collection_refresh(self):
        """Queue the customers of these moves, and those whose items they settle, for a refresh."""
        lines = self.sudo().line_ids
        settled = lines.matched_debit_ids.debit_move_id | lines.matched_credit_ids.credit_move_id
        self.env["collection.refresh.queue"]._enqueue_lines(lines | settled)

    def _get_collection_links(self):
        """Return the pages on which customers see these invoices, without login: ``{move id: address}``.

        Entries that are no invoices have no page.
        """
        invoices = self.sudo().filtered(lambda move: move.is_sale_document() and move.state == "posted")
        invoices._ensure_collection_tokens()
        return {move.id: f"{move.get_base_url()}{move.get_portal_url()}" for move in invoices}

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
        same file. Nothing is printed where the server can't.

        :return: ``ir.attachment`` records.
        """
        documents = self.env["ir.attachment"].sudo()
        Report = self.env["ir.actions.report"].sudo()
        can_print = Report.get_wkhtmltopdf_state() in ("ok", "workers", "upgrade")
        missing = self.sudo().filtered(lambda move: not move.invoice_pdf_report_id)
        printed = missing._get_collection_prints()
        for move in self.sudo():
            document = move.invoice_pdf_report_id or printed.get(move.id)
            if not document and can_print:
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
            documents |= document or documents
        return documents

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
