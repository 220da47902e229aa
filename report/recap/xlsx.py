"""A small writer of XLSX files with tables, on top of ``xlsxwriter``, without Odoo.

Memory does not grow with the number of rows: each row goes to disk when the next one begins. Texts
are always written as texts, so that a customer called ``=cmd|…`` stays a name. Totals are formulas
that carry their value, for readers that don't calculate.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from math import ceil

import xlsxwriter
from xlsxwriter.utility import xl_range_abs, xl_rowcol_to_cell

HEAD_COLOR = "#3f5f7f"
RULE_COLOR = "#c9d0d8"
MUTED_COLOR = "#6b7280"
# Row numbers of a table sheet, from 0.
TITLE_ROW, SUBTITLE_ROW, TOTAL_ROW, HEADER_ROW, FIRST_ROW = range(5)
# Of one line of text, in points.
LINE_HEIGHT = 12.5
# Higher rows are refused by readers; the text is all there for those who enter the cell.
MAX_HEIGHT = 409
# Built-in formats that each reader shows in their own country's order.
SHORT_DATE, SHORT_DATE_TIME = 14, 22


@dataclass(frozen=True)
class Column:
    """One column of a table: what it is called, what it takes from a row, how it looks."""

    key: str
    title: str
    value: Callable  # of one row
    kind: str = "text"  # text, wrapped, date, datetime, integer, money, percent
    width: int = 14
    total: object = None  # value of the total, when there is one
    digits: Callable | None = field(default=None)  # of one row: decimal places of its amount
    formula: Callable | None = field(default=None)  # of the row's number from 0: what calculates the value
    is_printed: bool = True  # columns that don't fit on paper stay on the screen


def make_sheet_names(titles):
    """Return names that XLSX allows: at most 31 characters, some of them forbidden, all different.

    >>> make_sheet_names(["Items: open/closed", "Items: open/closed"])
    ['Items open closed', 'Items open closed 2']
    """
    names = []
    for title in titles:
        name = base = " ".join(re.sub(r"[\[\]:*?/\\]", " ", title).split()).strip("'")[:28]
        number = 2
        while name.lower() in [other.lower() for other in names]:
            name = f"{base} {number}"
            number += 1
        names.append(name)
    return names


class XlsxFile:
    """An XLSX file that is being written. Use it in a ``with`` block.

    :param output: binary file to write to.
    :param int decimal_places: of the amounts.
    :param str direction: ``rtl`` when the language is read from right to left: the first column stands on the right.
    """

    def __init__(self, output, decimal_places=2, direction="ltr"):
        self.decimal_places = decimal_places
        self.direction = direction
        self._formats = {}
        self.workbook = xlsxwriter.Workbook(
            output,
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_numbers": False,
                "strings_to_urls": False,
            },
        )

    def __enter__(self):
        return self

    def __exit__(self, exc_type, exc_value, traceback):
        self.workbook.close()

    def get_format(self, **properties):
        """Return a cell format, made once for all cells that look the same."""
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self.workbook.add_format({"font_name": "Calibri", "font_size": 10, **properties})
        return self._formats[key]

    def get_kind_properties(self, kind, digits=None):
        """Return how cells of a kind look."""
        digits = self.decimal_places if digits is None else digits
        return {
            "text": {"valign": "top", "indent": 1},
            "wrapped": {"valign": "top", "indent": 1, "text_wrap": True},
            "date": {"num_format": SHORT_DATE, "align": "left", "valign": "top", "indent": 1},
            "datetime": {"num_format": SHORT_DATE_TIME, "align": "left", "valign": "top", "indent": 1},
            "integer": {"num_format": "#,##0", "valign": "top"},
            "money": {"num_format": f"#,##0.{'0' * digits}" if digits else "#,##0", "valign": "top"},
            "days": {"num_format": "#,##0.0", "valign": "top"},
            "percent": {"num_format": "0.0%", "valign": "top"},
        }[kind]

    def add_sheet(self, name):
        """Add a sheet that prints on the width of one A4 page."""
        sheet = self.workbook.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&L&8&A&R&8&P / &N")
        sheet.hide_gridlines(2)
        if self.direction == "rtl":
            sheet.right_to_left()
        return sheet

    def get_style(self, kind, digits=None, **properties):
        """Return the format of cells of a kind."""
        return self.get_format(**{**self.get_kind_properties(kind, digits), **properties})

    def write_cell(self, sheet, row, column, kind, value, **properties):
        """Write one value; texts stay texts whatever they begin with."""
        self._write_value(sheet, row, column, value, self.get_style(kind, **properties))

    def _write_value(self, sheet, row, column, value, style):
        if value is None or value is False or value == "":
            sheet.write_blank(row, column, None, style)
        elif isinstance(value, str):
            sheet.write_string(row, column, value, style)
        elif isinstance(value, (date, datetime)):
            sheet.write_datetime(row, column, value, style)
        else:
            sheet.write_number(row, column, float(value), style)

    def write_formula(self, sheet, row, column, kind, formula, value, **properties):
        """Write a formula together with its value."""
        sheet.write_formula(row, column, formula, self.get_style(kind, **properties), float(value))

    def write_headers(self, sheet, row, titles, kinds):
        """Write a row of column titles; those of numbers stand on the right, like the numbers."""
        for index, (title, kind) in enumerate(zip(titles, kinds, strict=True)):
            is_number = kind in ("integer", "money", "days", "percent")
            style = self.get_format(
                bold=True,
                font_color="#ffffff",
                bg_color=HEAD_COLOR,
                align="right" if is_number else "left",
                indent=0 if is_number else 1,
                valign="vcenter",
                text_wrap=True,
            )
            sheet.write_string(row, index, title, style)

    def write_titles(self, sheet, title, subtitle):
        """Write what a sheet is about into its first two rows."""
        sheet.set_row(TITLE_ROW, 24)
        sheet.write_string(TITLE_ROW, 0, title, self.get_format(bold=True, font_size=16, font_color=HEAD_COLOR))
        sheet.write_string(SUBTITLE_ROW, 0, subtitle, self.get_format(font_color=MUTED_COLOR))

    def write_table(self, sheet, title, subtitle, columns, rows, row_count, total_label):
        """Fill a sheet with one table: titles, totals of the rows that a filter leaves, headers, rows.

        :param columns: list of ``Column``; those that are not printed come last.
        :param rows: what the columns take their values from; may be a generator.
        :param int row_count: how many rows there are.
        :param str total_label: stands before the totals.
        """
        for index, column in enumerate(columns):
            width = column.width
            if column.kind == "money" and column.total is not None:
                width = max(width, len(f"{column.total:,.{self.decimal_places}f}") + 3)
            sheet.set_column(index, index, width)
        self.write_titles(sheet, title, subtitle)
        self._write_totals(sheet, columns, row_count, total_label)
        sheet.set_row(HEADER_ROW, 30)
        kinds = [column.kind for column in columns]
        self.write_headers(sheet, HEADER_ROW, [column.title for column in columns], kinds)
        rule = {"bottom": 1, "bottom_color": RULE_COLOR}
        styles = [self.get_style(column.kind, **rule) for column in columns]
        wrapped = [column for column in columns if column.kind == "wrapped"]
        for row_index, row in enumerate(rows, start=FIRST_ROW):
            if wrapped:
                # Not every reader adjusts the height of rows to wrapped texts.
                lines = max(count_lines(column.value(row), column.width) for column in wrapped)
                if lines > 1:
                    sheet.set_row(row_index, min(LINE_HEIGHT * lines + 4, MAX_HEIGHT))
            for column_index, (column, style) in enumerate(zip(columns, styles, strict=True)):
                if column.digits:
                    style = self.get_style(column.kind, column.digits(row), **rule)  # noqa: PLW2901
                if column.formula:
                    sheet.write_formula(
                        row_index, column_index, column.formula(row_index), style, float(column.value(row))
                    )
                else:
                    self._write_value(sheet, row_index, column_index, column.value(row), style)
        sheet.freeze_panes(FIRST_ROW, 1)
        sheet.repeat_rows(HEADER_ROW)
        last_row = max(FIRST_ROW + row_count - 1, HEADER_ROW)
        sheet.autofilter(HEADER_ROW, 0, last_row, len(columns) - 1)
        sheet.print_area(0, 0, last_row, sum(column.is_printed for column in columns) - 1)

    def _write_totals(self, sheet, columns, row_count, label):
        for index, column in enumerate(columns):
            if column.total is not None:
                formula = f"=SUBTOTAL(109,{get_range(index, row_count)})"
                self.write_formula(sheet, TOTAL_ROW, index, column.kind, formula, column.total, bold=True)
            elif index == 0 and any(other.total is not None for other in columns):
                self.write_cell(sheet, TOTAL_ROW, 0, "text", label, bold=True)


def count_lines(text, width):
    """Return about how many lines a text takes in a column of that width.

    >>> count_lines("", 10), count_lines("One\\ntwo", 10), count_lines("Somewhat longer than a line", 10)
    (1, 2, 3)
    """
    return sum(max(ceil(len(line) / max(width - 1, 1)), 1) for line in (text or "").split("\n")) if text else 1


def get_range(column_index, row_count):
    """Return the cells of a column of a table, as formulas name them."""
    return xl_range_abs(FIRST_ROW, column_index, FIRST_ROW + max(row_count, 1) - 1, column_index)


def get_cell(row, column):
    """Return the name of a cell, as formulas name it."""
    return xl_rowcol_to_cell(row, column)


def quote_sheet(name):
    """Return the name of a sheet, as formulas name it.

    >>> quote_sheet("Year's end")
    "'Year''s end'"
    """
    escaped = name.replace("'", "''")
    return f"'{escaped}'"
