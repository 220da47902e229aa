from odoo import api, models
from odoo.tools import format_date, formatLang, is_html_empty
from odoo.tools.image import image_data_uri
from odoo.tools.misc import get_lang

# See report_campaign_recap.py: small tables are kept whole at the end of a page.
LINES_PER_TABLE = 4
TABLES_PER_HEADER = 9
# Amounts of more characters than that are written in smaller letters.
AMOUNT_SIZES = ((18, "o_longer"), (13, "o_long"))


class ReportStatement(models.AbstractModel):
    """Lays statements of account out for the PDF. All figures come from ``collection.statement.report``."""

    _name = "report.account_collection.statement_page"
    _description = "Statement of Account (PDF)"

    # === BUSINESS METHODS === #

    @api.model
    def _get_report_values(self, docids, data=None):
        debtors = self.env["collection.debtor"].browse(docids)
        data = data or {}
        return {
            "doc_ids": docids,
            "doc_model": debtors._name,
            "docs": debtors,
            "pages": [debtor._prepare_statement_page(data.get("kind") or "open") for debtor in debtors],
        }

    def _prepare_page(self, debtor, statement):
        """Return what the template needs to print one statement, in the language of the environment.

        :param debtor: whose account it is, as superuser.
        :param statement: its ``Statement``.
        """
        return {
            "debtor": debtor,
            "company": debtor.company_id,
            "statement": statement,
            "title": self._get_title(statement),
            "period": self._get_period(statement),
            "direction": get_lang(self.env).direction or "ltr",
            "lang": get_lang(self.env).code.replace("_", "-"),
            "recipient": self._get_address(debtor.contact_used_id, debtor.partner_id),
            "sender": self._get_address(debtor.company_id.partner_id, debtor.company_id.partner_id),
            "bank": self._get_bank(statement),
            "foot": self._get_foot(debtor, statement),
            "currencies": "· "
            + self.env._(
                "amounts in %s",
                ", ".join(section.currency for section in statement.sections) or debtor.company_id.currency_id.name,
            ),
            "sections": [self._prepare_section(section) for section in statement.sections],
            "date": lambda value: format_date(self.env, value) if value else "",
            "image_data_uri": image_data_uri,
            "legal": False if is_html_empty(debtor.company_id.report_footer) else debtor.company_id.report_footer,
            "bucket_labels": self.env["collection.recap"]._get_bucket_labels(),
            "tables_per_header": TABLES_PER_HEADER,
        }

    def _get_title(self, statement):
        return self.env._("Statement of account")

    def _get_period(self, statement):
        """Return a text that states what the statement covers."""
        if statement.kind == "open":
            return self.env._("Open items on %s", format_date(self.env, statement.as_of))
        if not statement.date_from:
            return self.env._("All movements up to %s", format_date(self.env, statement.date_to))
        return self.env._(
            "Movements from %(start)s to %(end)s",
            start=format_date(self.env, statement.date_from),
            end=format_date(self.env, statement.date_to),
        )

    def _get_foot(self, debtor, statement):
        """Return what a reader should know and do, in words."""
        company = debtor.company_id
        text = self.env._(
            "This statement is for your information and asks for nothing that you were not invoiced for. Payments that "
            "arrived after %s are not in it. If it differs from your books, please tell us.",
            format_date(self.env, statement.as_of),
        )
        return " ".join([text, " · ".join(value for value in (company.email, company.phone) if value)])

    def _get_address(self, contact, company):
        """Return an address as lines: the company, the person, the street …"""
        names = [company.name, *([contact.name] if contact.name and contact != company else [])]
        address = contact._display_address(without_company=True).splitlines()
        return [line.strip() for line in [*names, *address] if line and line.strip()]

    def _get_bank(self, statement):
        """Return the bank account that all open invoices name, if they agree on one."""
        ids = [line.line_id for section in statement.sections for line in section.lines if line.line_id]
        moves = self.env["account.move.line"].sudo().browse(ids).move_id
        banks = moves.filtered(lambda move: move.move_type == "out_invoice").partner_bank_id
        return banks if len(banks) == 1 else banks.browse()

    def _prepare_section(self, section):
        """Return one currency's part: its lines in small tables, and how its amounts are written."""

        def number(amount, blank=False):
            return "" if blank and not amount else formatLang(self.env, float(amount), digits=section.decimal_places)

        lines = section.lines
        return {
            "section": section,
            "number": number,
            "size": self._get_size(section, number),
            "tables": [lines[start : start + LINES_PER_TABLE] for start in range(0, len(lines), LINES_PER_TABLE)],
            "remark": lambda line: self._get_remark(line, number),
        }

    def _get_size(self, section, number):
        """Return the class of the letters in which all amounts of a section fit into their columns."""
        amounts = {section.closing, section.debit, section.credit, section.credits, section.total}
        amounts |= {amount for _code, amount in section.aging}
        amounts |= {amount for line in section.lines for amount in (line.original, line.amount, line.balance)}
        # As many digits are as long as possible where the amount is the greatest, and one sign before it.
        length = max(len(number(amount)) for amount in (max(amounts), min(amounts)))
        return next((name for limit, name in AMOUNT_SIZES if length > limit), False)

    def _get_remark(self, line, number):
        """Return a text that states what is disputed or promised of a line."""
        remarks = []
        if line.disputed:
            whole = line.disputed == line.amount
            remarks.append(
                self.env._("Disputed") if whole else self.env._("Of which disputed: %s", number(line.disputed))
            )
        if line.promised:
            day = format_date(self.env, line.promised_on)
            whole = line.promised == line.amount
            remarks.append(
                self.env._("Promised for %s", day)
                if whole
                else self.env._("Of which promised for %(date)s: %(amount)s", date=day, amount=number(line.promised))
            )
        return " · ".join(remarks)
