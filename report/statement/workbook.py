from dataclasses import replace
from io import BytesIO

from odoo import api, models

from ..recap.xlsx import FIRST_ROW, Column, XlsxFile, get_cell, get_range, make_sheet_names

# A running total over all rows above is only quick for so many rows; longer lists get plain amounts.
FORMULA_LIMIT = 2000


class CollectionStatementWorkbook(models.AbstractModel):
    """Lays a statement of account out as XLSX, a sheet per currency. All figures come from ``Statement``."""

    _name = "collection.statement.workbook"
    _description = "Statement of Account (XLSX)"

    # === BUSINESS METHODS === #

    @api.model
    def _write(self, debtor, statement):
        """Return the statement as a workbook, in the language of the environment.

        :param debtor: whose account it is, as superuser.
        :param statement: its ``Statement``.
        """
        output = BytesIO()
        sections = statement.sections
        page = self.env["report.account_collection.statement_page"]._prepare_page(debtor, statement)
        with XlsxFile(output, direction=page["direction"]) as xlsx:
            xlsx.workbook.set_properties({"title": page["title"], "company": debtor.company_id.name})
            names = make_sheet_names([section.currency for section in sections] or [page["title"]])
            sheets = [xlsx.add_sheet(name) for name in names]
            title = f"{page['title']} · {debtor.partner_id.name}"
            for sheet, section, part in zip(sheets, sections, page["sections"], strict=False):
                xlsx.decimal_places = section.decimal_places
                self._write_section(xlsx, sheet, title, page, section, part)
            if not sections:
                xlsx.write_titles(sheets[0], title, self.env._("Your account is settled: there is nothing to list."))
        return output.getvalue()

    def _write_section(self, xlsx, sheet, title, page, section, part):
        """Fill the sheet of one currency: its lines, and the aging below them."""
        statement = page["statement"]
        columns = (self._get_open_columns if statement.kind == "open" else self._get_movement_columns)(section, part)
        subtitle = " · ".join(
            [
                page["company"].name,
                page["period"],
                self.env._("amounts in %s", section.currency),
                *(
                    [self.env._("opening balance %s", part["number"](section.opening))]
                    if statement.kind == "movements"
                    else []
                ),
            ]
        )
        row_count = len(section.lines)
        columns = self._fit_columns(columns, section)
        xlsx.write_table(sheet, title, subtitle, columns, section.lines, row_count, self.env._("Total"))
        row = FIRST_ROW + row_count + 1
        labels = [page["bucket_labels"][code] for code, _amount in section.aging]
        titles = [*labels, self.env._("Credits"), self.env._("Balance")]
        amounts = [*(amount for _code, amount in section.aging), section.credits]
        sheet.set_row(row, 30)
        xlsx.write_headers(sheet, row, titles, ["money"] * len(titles))
        for column, amount in enumerate(amounts):
            xlsx.write_cell(sheet, row + 1, column, "money", amount)
        formula = f"=SUM({get_cell(row + 1, 0)}:{get_cell(row + 1, len(amounts) - 1)})"
        xlsx.write_formula(sheet, row + 1, len(amounts), "money", formula, section.total, bold=True)
        last_row = row + 1
        if statement.kind == "movements":
            last_row = self._write_balances(xlsx, sheet, row + 3, section)
        for payment in section.announced:
            last_row += 1
            xlsx.write_cell(sheet, last_row, 0, "text", self.env._("Announced, not in this balance"))
            xlsx.write_cell(sheet, last_row, 1, "text", payment.name)
            xlsx.write_cell(sheet, last_row, 2, "money", -payment.amount)
            xlsx.write_cell(sheet, last_row, 3, "date", payment.date)
        sheet.print_area(0, 0, last_row, len(columns) - 1)

    def _fit_columns(self, columns, section):
        """Return the columns, as wide as the amounts of the aging and the balances below them are long."""
        below = [*(amount for _code, amount in section.aging), section.credits, section.total]
        # The balances stand in the third column.
        below[2] = max(below[2], section.opening, section.closing, key=abs)
        widths = [len(f"{amount:,.{section.decimal_places}f}") + 3 for amount in below] + [0] * len(columns)
        return [replace(column, width=max(column.width, width)) for column, width in zip(columns, widths, strict=False)]

    def _write_balances(self, xlsx, sheet, row, section):
        """Write the balances before the first and after the last movement; return the last row."""
        xlsx.write_cell(sheet, row, 0, "text", self.env._("Opening balance"))
        xlsx.write_cell(sheet, row, 2, "money", section.opening)
        debit, credit = (get_range(column, len(section.lines)) for column in (5, 6))
        xlsx.write_cell(sheet, row + 1, 0, "text", self.env._("Closing balance"), bold=True)
        formula = f"={get_cell(row, 2)}+SUM({debit})-SUM({credit})"
        xlsx.write_formula(sheet, row + 1, 2, "money", formula, section.closing, bold=True)
        return row + 1

    def _get_document_columns(self, section):
        return [
            Column("date", self.env._("Date"), lambda line: line.date, "date", 12),
            Column("name", self.env._("Document"), lambda line: line.name, width=22),
            Column("kind", self.env._("Kind"), lambda line: line.kind, width=14),
            Column("reference", self.env._("Your reference"), lambda line: line.reference, width=22),
            Column("due_date", self.env._("Due date"), lambda line: line.due_date, "date", 12),
        ]

    def _get_open_columns(self, section, part):
        """Return the columns of open items."""
        lines = section.lines
        return [
            *self._get_document_columns(section),
            Column("days_late", self.env._("Days late"), lambda line: line.days_late or None, "integer", 10),
            self._get_sum_column("original", self.env._("Amount"), lines, lambda line: line.original),
            self._get_sum_column("paid", self.env._("Paid or credited"), lines, lambda line: line.paid),
            self._get_sum_column("open", self.env._("Open"), lines, lambda line: line.amount),
            self._get_balance_column(section, lambda row: f"=SUM(I${FIRST_ROW + 1}:I{row + 1})"),
            Column("remark", self.env._("Remarks"), part["remark"], width=34),
        ]

    def _get_movement_columns(self, section, part):
        """Return the columns of movements."""
        lines = section.lines
        first = FIRST_ROW + 1
        opening = f"{section.opening}"
        return [
            *self._get_document_columns(section),
            self._get_sum_column("debit", self.env._("Debit"), lines, lambda line: line.debit or None),
            self._get_sum_column("credit", self.env._("Credit"), lines, lambda line: line.credit or None),
            self._get_balance_column(
                section, lambda row: f"={opening}+SUM(F${first}:F{row + 1})-SUM(G${first}:G{row + 1})"
            ),
        ]

    def _get_sum_column(self, key, title, lines, value):
        return Column(key, title, value, "money", 14, total=sum(value(line) or 0 for line in lines))

    def _get_balance_column(self, section, formula):
        """Return the column of the running balance."""
        return Column(
            "balance",
            self.env._("Balance"),
            lambda line: line.balance,
            "money",
            max([14, *(len(f"{line.balance:,}") + 3 for line in section.lines)]),
            formula=formula if len(section.lines) <= FORMULA_LIMIT else None,
        )
