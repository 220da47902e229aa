"""Files that go out: delimited text and XLSX in which nothing can run."""

import csv
import datetime
import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

# What makes a spreadsheet program calculate, full-width forms included.
_TRIGGER = "=+\\-@\uff1d\uff0b\uff0d\uff20"
# Cells begin after a separator too when a file is opened with the wrong one.
_RISK = re.compile(rf"((?:^|[,;|\t\r\n\"])[ \u00a0]*)('*[{_TRIGGER}])")
_NEUTRAL = re.compile(rf"((?:^|[,;|\t\r\n\"])[ \u00a0]*)'('*[{_TRIGGER}])")
_LEADING = re.compile(r"^('*[\t\r\n])")
_LEADING_NEUTRAL = re.compile(r"^'('*[\t\r\n])")
_CELL_LIMIT = 32_767
_LIST_LIMIT = 255
LIST_SHEET = "Lists"


def neutralise(text):
    """Return a text that no spreadsheet program takes for a formula when it stands in a delimited file.

    An apostrophe goes before whatever could begin one. ``restore`` takes it off again.

    >>> neutralise("=1+1"), neutralise("+33 1"), neutralise("a;@b"), neutralise("Dupont-Noir")
    ("'=1+1", "'+33 1", "a;'@b", 'Dupont-Noir')
    """
    return _LEADING.sub(r"'\1", _RISK.sub(r"\1'\2", text))


def restore(text):
    """Return a text as it was before ``neutralise``.

    >>> restore(neutralise("'=1")), restore(neutralise("x,-2"))
    ("'=1", 'x,-2')
    """
    return _NEUTRAL.sub(r"\1\2", _LEADING_NEUTRAL.sub(r"\1", text))


def write_delimited(columns, rows, *, separator=";", encoding="utf-8-sig", decimal=",", date_format="%d/%m/%Y"):
    """Return a delimited text file.

    :param columns: titles.
    :param rows: iterable of lists of str, int, float, Decimal, date, datetime, bool, None.
    :param str separator: one character.
    :param str encoding: what it can't express is written without accents, or as a question mark.
    :param str decimal: decimal sign of the amounts; there are no thousands separators.
    :param str date_format: as for ``strftime``.
    :return: bytes.

    >>> write_delimited(["A", "B"], [["=x", 1.5]], encoding="ascii")
    b"A;B\\r\\n'=x;1,5\\r\\n"
    """
    buffer = io.BytesIO()
    output = io.TextIOWrapper(buffer, encoding=encoding, errors="replace", newline="", write_through=False)
    writer = csv.writer(output, delimiter=separator, lineterminator="\r\n")
    fit = _make_fitter(encoding)
    writer.writerow([fit(neutralise(str(column))) for column in columns])
    for row in rows:
        writer.writerow([fit(_to_text(value, decimal, date_format)) for value in row])
    output.flush()
    return buffer.getvalue()


def _make_fitter(encoding):
    """Return a function that brings a text into an encoding without losing letters to question marks."""

    def can_express(text):
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            return False
        return True

    def replace(character):
        if can_express(character):
            return character
        return unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode() or "?"

    def fit(text):
        if can_express(text):
            return text
        # Taking letters apart may make a sign that begins a formula.
        return neutralise(restore("".join(map(replace, text))))

    return fit


def _to_text(value, decimal, date_format):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float | Decimal):
        text = f"{value:f}" if isinstance(value, Decimal) else _float_text(value)
        return text.replace(".", decimal)
    if isinstance(value, datetime.datetime):
        return value.strftime(f"{date_format} %H:%M")
    if isinstance(value, datetime.date):
        return value.strftime(date_format)
    return neutralise(str(value))


def _float_text(value):
    text = repr(value)
    return f"{Decimal(text):f}" if "e" in text else text


@dataclass(frozen=True)
class XlsxColumn:
    """One column of a sheet.

    :param str title: what it is called.
    :param str kind: ``text``, ``date``, ``datetime``, ``integer`` or ``money``.
    :param int width: in characters.
    :param int digits: decimal places of money.
    :param choices: texts that the drop-down list of its cells offers; other texts are refused there.
    :param bool is_input: whether whoever gets the file fills it in.
    """

    title: str
    kind: str = "text"
    width: int = 16
    digits: int = 2
    choices: Sequence[str] = ()
    is_input: bool = False


class XlsxTable:
    """An XLSX workbook of plain tables. Use it in a ``with`` block.

    Memory does not grow with the number of rows. Texts are always texts: never formulas, links or numbers.

    :param output: binary file to write to.

    >>> buffer = io.BytesIO()
    >>> with XlsxTable(buffer) as book:
    ...     sheet = book.add_sheet("Items", [XlsxColumn("Name"), XlsxColumn("Due", "money")], [["=1+1", 12.5]])
    >>> buffer.getvalue()[:2]
    b'PK'
    """

    HEAD = {"bold": True, "font_color": "#ffffff", "bg_color": "#3f5f7f", "valign": "vcenter", "text_wrap": True}
    INPUT_HEAD = {**HEAD, "bg_color": "#2e7d5b"}
    # Built-in formats that each reader shows in their own country's order.
    FORMATS = {"text": {}, "date": {"num_format": 14}, "datetime": {"num_format": 22}, "integer": {"num_format": "0"}}

    def __init__(self, output):
        self.workbook = xlsxwriter.Workbook(
            output,
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_numbers": False,
                "strings_to_urls": False,
                "nan_inf_to_errors": False,
            },
        )
        self._formats = {}
        self._names = [LIST_SHEET.lower()]
        self._lists = []

    def __enter__(self):
        return self

    def __exit__(self, exc_type, exc_value, traceback):
        if exc_type is None:
            self._write_lists()
        self.workbook.close()

    def _format(self, **properties):
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self.workbook.add_format({"font_name": "Calibri", "font_size": 10, **properties})
        return self._formats[key]

    def _column_format(self, column):
        if column.kind == "money":
            decimals = f".{'0' * column.digits}" if column.digits else ""
            return self._format(valign="top", num_format=f"#,##0{decimals}")
        return self._format(valign="top", **self.FORMATS[column.kind])

    def _sheet_name(self, name):
        """Return a name that XLSX allows: at most 31 characters, some of them forbidden, all different."""
        base = " ".join(re.sub(r"[\[\]:*?/\\\x00-\x1f]", " ", name).split()).strip("'")[:27] or "Sheet"
        name, number = base, 2
        while name.lower() in self._names or name.lower() == "history":
            name = f"{base} {number}"
            number += 1
        self._names.append(name.lower())
        return name

    def add_sheet(self, name, columns, rows, title=None):
        """Write a sheet: titles that stay in sight, filters, drop-down lists, one line for each row.

        :param list columns: of ``XlsxColumn``.
        :param rows: iterable of lists of values.
        :param str title: stands above the table, in a row of its own.
        :return: the worksheet.
        """
        sheet = self.workbook.add_worksheet(self._sheet_name(name))
        formats = [self._column_format(column) for column in columns]
        for index, column in enumerate(columns):
            sheet.set_column(index, index, column.width, formats[index])
        head = 0
        if title:
            sheet.write_string(0, 0, title, self._format(bold=True, font_size=14, font_color="#3f5f7f"))
            head = 1
        sheet.set_row(head, 30)
        for index, column in enumerate(columns):
            style = self._format(**(self.INPUT_HEAD if column.is_input else self.HEAD))
            sheet.write_string(head, index, column.title, style)
        last = head
        for last, row in enumerate(rows, start=head + 1):  # noqa: B007
            for index, (value, style) in enumerate(zip(row, formats, strict=True)):
                self._write_cell(sheet, last, index, value, style)
        sheet.freeze_panes(head + 1, 1)
        sheet.autofilter(head, 0, max(last, head + 1), len(columns) - 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(head)
        for index, column in enumerate(columns):
            if column.choices:
                self._add_choices(sheet, head + 1, max(last, head + 1), index, column.choices)
        return sheet

    def _write_cell(self, sheet, row, column, value, style):
        if value is None or value == "":
            sheet.write_blank(row, column, None, style)
        elif isinstance(value, bool):
            sheet.write_boolean(row, column, value, style)
        elif isinstance(value, datetime.date):
            sheet.write_datetime(row, column, value, style)
        elif isinstance(value, int | float | Decimal):
            sheet.write_number(row, column, float(value), style)
        else:
            sheet.write_string(row, column, str(value)[:_CELL_LIMIT], style)

    def _add_choices(self, sheet, first, last, index, choices):
        choices = list(dict.fromkeys(choices))
        source = choices
        if len(",".join(choices)) > _LIST_LIMIT or any("," in choice or choice[:1] == "=" for choice in choices):
            # Excel keeps short lists without commas in the sheet itself; others stand in a sheet of their own.
            if choices not in self._lists:
                self._lists.append(choices)
            name = xl_col_to_name(self._lists.index(choices))
            source = f"={LIST_SHEET}!${name}$1:${name}${len(choices)}"
        sheet.data_validation(first, index, last, index, {"validate": "list", "source": source})

    def _write_lists(self):
        if not self._lists:
            return
        sheet = self.workbook.add_worksheet(LIST_SHEET)
        for row in range(max(map(len, self._lists))):
            for index, choices in enumerate(self._lists):
                if row < len(choices):
                    sheet.write_string(row, index, choices[row])
        sheet.hide()

    def add_text_sheet(self, name, lines, headings):
        """Write a sheet of texts, such as the explanation of the columns.

        :param lines: iterable of tuples of texts.
        :param headings: titles of its columns.
        """
        sheet = self.workbook.add_worksheet(self._sheet_name(name))
        wrap = self._format(text_wrap=True, valign="top")
        for index, heading in enumerate(headings):
            sheet.set_column(index, index, 28 if index == 0 else 80, wrap)
            sheet.write_string(0, index, heading, self._format(**self.HEAD))
        for row, texts in enumerate(lines, start=1):
            for index, text in enumerate(texts):
                sheet.write_string(row, index, str(text or "")[:_CELL_LIMIT], wrap)
        sheet.freeze_panes(1, 0)
        return sheet
