"""The one error that comes out of reading a file."""

# What went wrong, in English, by code. Odoo translates the same texts.
TEMPLATES = {
    "empty": "The file is empty.",
    "too_big": "The file holds more than %(limit)s MB.",
    "bomb": "The file unpacks to far more than a table needs and is refused for safety.",
    "too_many_rows": "The file has more than %(limit)s rows. Split it.",
    "too_many_columns": "The file has more than %(limit)s columns.",
    "cell_too_long": "A cell holds more than %(limit)s characters.",
    "password": "The file is protected by a password. Save it without one.",
    "macros": "The file contains macros. Save it as .xlsx.",
    "not_a_table": "This is a file of the kind %(found)s. Save it as .xlsx or .csv.",
    "unsafe_xml": "The file contains declarations that no spreadsheet program writes and is refused for safety.",
    "broken": "The file is damaged. Open it with a spreadsheet program and save it again.",
    "encoding": "The text of the file isn't in the encoding %(encoding)s. Choose another one.",
    "encoding_unknown": "The encoding %(encoding)s is not known.",
    "separator": "The separator must be one character.",
    "quote": "A quotation mark is not closed, or text follows the closing one.",
    "sheet_missing": "The file has no sheet called “%(sheet)s”.",
    "header_missing": "Row %(number)s, where the column titles should be, is blank.",
    "row_longer": "The row has more cells than there are column titles: is a separator inside a text?",
    "merged": "Cells are merged. Take the merging apart and write a value into each of them.",
    "cell_error": "The cell shows the error %(value)s.",
    "date_impossible": "“%(value)s” is not a date.",
    "date_ambiguous": "“%(value)s” may be read day first or month first. Choose one.",
    "amount_bad": "“%(value)s” is not an amount.",
    "amount_ambiguous": "“%(value)s” may be read with thousands or with decimals. Choose the decimal sign.",
}


class TabularError(Exception):
    """A file, or a cell of it, that can't be read.

    :param str code: a key of ``TEMPLATES``; stays the same when a text changes.
    :param int row: as the spreadsheet shows it, from 1.
    :param str column: the title of the column.
    :param params: what the text names.

    >>> str(TabularError("date_impossible", row=7, column="Due", value="31/02/26"))
    'Row 7, column “Due”: “31/02/26” is not a date.'
    """

    def __init__(self, code, row=None, column=None, **params):
        self.code = code
        self.row = row
        self.column = column
        self.params = params
        super().__init__(code)

    @property
    def message(self):
        """The text without row and column."""
        return TEMPLATES[self.code] % self.params

    def __str__(self):
        place = [f"Row {self.row}"] if self.row else []
        if self.column:
            place.append(f"column “{self.column}”" if place else f"Column “{self.column}”")
        return f"{', '.join(place)}: {self.message}" if place else self.message
