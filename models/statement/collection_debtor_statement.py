from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools.osutil import clean_filename

from ...const import STATEMENT_PERIODS
from ..base.pdf_pages import number_pages

# Longer names are cut: file systems and mail programs have limits.
NAME_LENGTH = 60


class CollectionDebtor(models.Model):
    """What is printed of a follow-up file: statements of account for customers, the file itself for colleagues."""

    # A file per concern: together they would be two thousand lines.
    _inherit = "collection.debtor"

    statement_period = fields.Selection(
        STATEMENT_PERIODS,
        string="Statement of Account",
        tracking=True,
        help="How often this customer is sent a statement of account by e-mail. Empty: as the settings say.",
    )
    statement_ids = fields.One2many("collection.statement", "debtor_id", string="Statements")
    statement_count = fields.Integer(compute="_compute_statement_count")

    # === COMPUTE METHODS === #

    def _compute_statement_count(self):
        counts = dict(
            self.env["collection.statement"]._read_group(
                [("debtor_id", "in", self.ids), ("state", "=", "sent")], ["debtor_id"], ["__count"]
            )
        )
        for debtor in self:
            debtor.statement_count = counts.get(debtor, 0)

    # === ACTION METHODS === #

    def action_print_statement(self):
        """Open the dialogue that prints, downloads or sends statements of account."""
        if not self:
            raise UserError(self.env._("Choose at least one customer."))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Statement of account"),
            "res_model": "collection.statement.print",
            "view_mode": "form",
            "target": "new",
            "context": {"default_debtor_ids": self.ids},
        }

    def action_view_statements(self):
        """Open the statements that were sent to these customers."""
        return self._action_view_related("account_collection.collection_statement_action", self.env._("Statements"))

    def action_export_file(self):
        """Download these debtors as an XLSX, for work on paper."""
        return self.env["collection.debtor.export"]._request(self)

    # === BUSINESS METHODS === #

    def _with_statement_env(self):
        """Return the debtor as its statement needs it: company, customer's language, all that is behind the figures."""
        self.ensure_one()
        lang = self.sudo().lang or self.env.lang
        return self.with_company(self.company_id).with_context(lang=lang, tz=self.company_id._get_collection_tz())

    def _get_statement_contact(self):
        """Return to whom a statement is sent: the contact to ask for, else another of this customer with an address.

        Addresses that work come first; see ``_get_refused_emails``.
        """
        self.ensure_one()
        return self._get_working_contact() or self._get_email_contact()

    def _get_refused_emails(self, contacts):
        """Return the addresses of these contacts from which messages came back, or that asked not to be written to."""
        return self._get_bounced_emails() | self.env["collection.channel.email"]._get_blacklisted(contacts)

    def _get_statement(self, kind="open", date_from=None, date_to=None):
        """Return the ``Statement`` of this customer, in the customer's language.

        :param str kind: ``open`` items, or ``movements`` between two dates.
        :param date_from: first day of the movements; from the beginning when ``None``.
        :param date_to: last day of the movements; today when ``None``.
        :raises AccessError: when the user may not see this debtor.
        """
        debtor = self._with_statement_env()
        return debtor.env["collection.statement.report"]._build(debtor, kind, date_from, date_to)[debtor.id]

    def _prepare_statement_page(self, kind="open", date_from=None, date_to=None, statement=None):
        """Return what the template needs to print the statement, see ``_get_statement``."""
        statement = statement or self._get_statement(kind, date_from, date_to)
        debtor = self._with_statement_env().sudo()
        return debtor.env["report.account_collection.statement_page"]._prepare_page(debtor, statement)

    def _render_statement_html(self, kind="open", date_from=None, date_to=None, statement=None):
        """Return the statement as a whole HTML page, see ``_get_statement``."""
        page = self._prepare_statement_page(kind, date_from, date_to, statement)
        return page["debtor"].env["ir.qweb"]._render("account_collection.statement_page", {"pages": [page]})

    def _render_statement_pdf(self, kind="open", date_from=None, date_to=None, statement=None):
        """Return the statement of account as a file, in the customer's language.

        :param str kind: ``open`` items as they stand, or ``movements`` between two dates.
        :param date_from: first day of the movements; from the beginning when ``None``.
        :param date_to: last day of the movements; today when ``None``.
        :param statement: the ``Statement``, when it was computed already.
        :return: ``(file name, content)``; a PDF of A4 pages with their numbers.
        :raises AccessError: when the user may not see this debtor.
        :raises UserError: when no PDF can be made on this server.
        """
        Report = self.env["ir.actions.report"].sudo().with_company(self.company_id)
        if not Report._can_make_pdf():
            raise UserError(self.env._("No PDF can be made on this server: wkhtmltopdf is missing or broken."))
        html = str(self._render_statement_html(kind, date_from, date_to, statement))
        content = Report.with_context(collection_static_page=True)._run_wkhtmltopdf(
            [html], report_ref="account_collection.action_report_statement"
        )
        name = self._get_statement_filename(date_to)
        return f"{name}.pdf", number_pages(content, name)

    def _render_statement_xlsx(self, kind="open", date_from=None, date_to=None, statement=None):
        """Return the statement as a workbook: ``(file name, content)``, see ``_render_statement_pdf``."""
        statement = statement or self._get_statement(kind, date_from, date_to)
        debtor = self._with_statement_env().sudo()
        content = debtor.env["collection.statement.workbook"]._write(debtor, statement)
        return f"{self._get_statement_filename(date_to)}.xlsx", content

    def _get_statement_filename(self, date_to=None):
        """Return the name of a statement's file, without its ending, that every file system accepts."""
        debtor = self._with_statement_env()
        day = date_to or debtor.company_id._collection_today()
        # Apostrophes are dropped from file names: the words on both sides stay apart.
        customer = " ".join((debtor.sudo().partner_id.name or "").replace("'", " ").replace("’", " ").split())
        return clean_filename(
            debtor.env._(
                "Statement %(customer)s %(date)s", customer=customer[:NAME_LENGTH], date=fields.Date.to_string(day)
            )
        )
