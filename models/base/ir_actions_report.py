from io import BytesIO

from odoo import api, models

from .pdf_pages import number_pages

# Documents that are whole pages with their own styles: nothing is fetched from the web server to print them, and
# since wkhtmltopdf may not be able to print feet, their pages are numbered afterwards.
STATIC_REPORTS = ("account_collection.report_campaign_recap", "account_collection.statement_page")


class IrActionsReport(models.Model):
    _inherit = "ir.actions.report"

    @api.model
    def _can_make_pdf(self):
        """Return whether this server can print: wkhtmltopdf is there and works."""
        return self.get_wkhtmltopdf_state() not in ("install", "broken")

    # EXTENDS base: pages without scripts need not wait for any
    @api.model
    def _build_wkhtmltopdf_args(self, *args, **kwargs):
        command = super()._build_wkhtmltopdf_args(*args, **kwargs)
        if self.env.context.get("collection_static_page"):
            command[command.index("--javascript-delay") + 1] = "0"
            command.append("--disable-javascript")
        return command

    # EXTENDS base: a whole page is printed as it is
    def _prepare_html(self, html, report_model=False):
        if self.env.context.get("collection_static_page"):
            return [html.decode() if isinstance(html, bytes) else str(html)], [None], None, None, {}
        return super()._prepare_html(html, report_model=report_model)

    # EXTENDS base: document by document, with numbered pages
    def _render_qweb_pdf_prepare_streams(self, report_ref, data, res_ids=None):
        report = self._get_report(report_ref)
        if report.report_name not in STATIC_REPORTS or not res_ids:
            return super()._render_qweb_pdf_prepare_streams(report_ref, data, res_ids)
        streams = {}
        static = super(IrActionsReport, self.with_context(collection_static_page=True))
        for record in self.env[report.model].browse(res_ids):
            [stream] = static._render_qweb_pdf_prepare_streams(report_ref, data, record.ids).values()
            stream["stream"] = BytesIO(number_pages(stream["stream"].getvalue(), record.display_name))
            streams[record.id] = stream
        return streams
