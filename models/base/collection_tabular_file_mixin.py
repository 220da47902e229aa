import hashlib
import json

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...tools import tabular

# Where dates begin with the month.
MONTH_FIRST = ("US", "FM", "MH", "PW", "PH")


class CollectionTabularFileMixin(models.AbstractModel):
    """What dialogues that take in a file have in common: how to read it, and what to say when it can't be read.

    Options that are left empty are found out from the file. What is applied is what was previewed: a model names what
    its preview depends on beside the options (``_preview_fields``) and what its columns mean (``_meaning_field``). A
    change of any of it ends the preview (``_forget_preview``), and applying compares the key of the preview with what
    there is now.
    """

    _name = "collection.tabular.file.mixin"
    _description = "Reading of a file with a table"

    # What a preview depends on, beside how the file is read.
    _preview_fields: frozenset = frozenset({"file", "column_ids"})
    # The field of a column that says what it means.
    _meaning_field = ""
    # The state in which a preview is shown.
    _state_of_preview = "preview"

    preview_key = fields.Char(
        readonly=True, copy=False, help="Of the file, where it belongs and how it was read, when it was previewed."
    )

    file_sheet = fields.Char(string="Sheet", help="Which sheet of the workbook to read. Empty: the first one.")
    file_header_row = fields.Integer(
        string="Row of Titles", help="Number of the row that holds the titles of the columns. 0: found out."
    )
    file_encoding = fields.Selection(
        [
            ("utf-8", "UTF-8"),
            ("cp1252", "Windows-1252"),
            ("utf-16", "UTF-16"),
            ("iso8859-15", "ISO 8859-15"),
            ("cp850", "DOS (850)"),
            ("mac-roman", "Mac Roman"),
        ],
        string="Encoding",
        help="How letters with accents are stored in a text file. Empty: found out.",
    )
    file_separator = fields.Selection(
        [("semicolon", "Semicolon"), ("comma", "Comma"), ("tab", "Tab"), ("pipe", "Vertical bar")],
        string="Separator",
        help="What stands between the cells of a text file. Empty: found out.",
    )
    file_decimal = fields.Selection(
        [("comma", "1 000,50"), ("point", "1,000.50")],
        string="Decimal Sign",
        help="How amounts that are texts are written. Empty: found out.",
    )
    file_date_order = fields.Selection(
        [("dmy", "Day, month, year"), ("mdy", "Month, day, year"), ("ymd", "Year, month, day")],
        string="Order of Dates",
        help="How dates that are texts are written. Empty: found out.",
    )

    # === BUSINESS METHODS - PREVIEW === #

    @api.model
    def _get_preview_fields(self):
        """Return the names of the fields on which a preview depends."""
        options = {name for name in self._fields if name.startswith("file_") and not self._fields[name].readonly}
        return self._preview_fields | (options - {"file_name"})

    def _get_preview_key(self):
        """Return the SHA-256 of everything that a preview depends on: file, where it belongs, options and columns."""
        self.ensure_one()
        record = self.sudo().with_context(bin_size=False)
        digest = hashlib.sha256(record.file or b"")
        values = {name: self._get_preview_value(record[name]) for name in self._get_preview_fields() - {"file"}}
        digest.update(json.dumps(values, sort_keys=True, default=str).encode())
        return digest.hexdigest()

    def _get_preview_value(self, value):
        """Return a value of a field as it counts in the key of a preview: columns by what they mean."""
        if not isinstance(value, models.BaseModel):
            return value
        if self._meaning_field in value._fields:
            return [[column.sequence, column[self._meaning_field] or ""] for column in value.sorted("sequence")]
        return value.ids

    def _note_preview(self):
        """Record of what the preview is that is shown now."""
        self.sudo().preview_key = self._get_preview_key()

    def _end_preview(self, names):
        """End the previews of those of these records of which something was changed that a preview depends on.

        :param names: the fields that were written.
        """
        if self._get_preview_fields() & set(names) and not self._is_state_guarded():
            shown = self.filtered(lambda record: record.state == self._state_of_preview)
            for record in shown:
                record._forget_preview()

    def _forget_preview(self):
        """Delete the rows of a preview and go back to the upload. Each model says how."""
        raise NotImplementedError

    def _check_preview(self):
        """Check, once this record is locked, that what is about to be applied is what was previewed.

        :raises UserError: when there is no preview, or something was changed since.
        """
        if self.state != self._state_of_preview:
            raise UserError(self.env._("Look at the preview first."))
        if self.preview_key != self._get_preview_key():
            raise UserError(self.env._("Something was changed since the preview. Look at a new one first."))

    # === BUSINESS METHODS === #

    def _read_table(self, content, filename, known=(), **options):
        """Open the table in a file as the options of this record say.

        :param bytes content: of the file.
        :param str filename: of the file.
        :param known: titles of columns by which the table is found.
        :param options: of ``tabular.read_table``, instead of those of the record.
        :return: ``tabular.Table``
        :raises UserError: when it can't be read, with the reason and what to do.
        """
        options = {**self._prepare_reading_options(), **options}
        try:
            return tabular.read_table(content, filename, known=known, **options)
        except tabular.TabularError as error:
            raise UserError(self._tabular_message(error)) from error

    def _prepare_reading_options(self):
        """Return the options of ``tabular.read_table`` that this record sets."""
        separators = {"semicolon": ";", "comma": ",", "tab": "\t", "pipe": "|"}
        return {
            "encoding": self.file_encoding or None,
            "separator": separators.get(self.file_separator),
            "sheet": self.file_sheet or None,
            "header_row": self.file_header_row or None,
        }

    def _get_file_company(self):
        """Return the company whose people write the file."""
        return ("company_id" in self._fields and self.company_id) or self.env.company

    def _get_file_language(self):
        """Return the language of the company: people who work in English still write amounts as their country does."""
        code = self._get_file_company().partner_id.lang or self.env.user.lang or "en_US"
        return self.env["res.lang"]._get_data(code=code)

    def _get_agreed_formats(self):
        """Return ``(decimal sign, order of dates)`` as agreed with whoever writes the file, ``None`` for neither."""
        return None, None

    def _find_decimal(self, values):
        """Return the decimal sign of a column: as set, as detected, as agreed, or as the company writes."""
        signs = {"comma": ",", "point": "."}
        return (
            signs.get(self.file_decimal)
            or tabular.guess_decimal(values)
            or self._get_agreed_formats()[0]
            or self._get_file_language().decimal_point
            or "."
        )

    def _get_known_date_order(self, values):
        """Return the order of the dates of a column as set, as detected, or as agreed, ``None`` otherwise."""
        return self.file_date_order or tabular.guess_date_order(values) or self._get_agreed_formats()[1]

    def _find_date_order(self, values):
        """Return the order of the dates of a column: as known, or as it is usual in the company's country."""
        order = self._get_known_date_order(values)
        if order:
            return order
        # Language says little here: an American one is common everywhere.
        return "mdy" if self._get_file_company().country_id.code in MONTH_FIRST else "dmy"

    def _describe_reading(self, table, dates=(), amounts=()):
        """Return in words how a file is read, so that a wrong guess shows.

        :param table: ``tabular.Table``
        :param dates: cells that are dates.
        :param amounts: cells that are amounts.
        """
        parts = []
        if table.sheet:
            parts.append(
                self.env._("Sheet “%(sheet)s”, titles in row %(row)s", sheet=table.sheet, row=table.header_row)
            )
        else:
            encodings = dict(self._fields["file_encoding"]._description_selection(self.env))
            encoding = table.encoding.replace("-sig", "").replace("-le", "").replace("-be", "")
            separators = {"\t": self.env._("tab"), " ": self.env._("space")}
            parts.append(
                self.env._(
                    "Text in %(encoding)s, separated by “%(separator)s”",
                    encoding=encodings.get(encoding, encoding.upper()),
                    separator=separators.get(table.separator, table.separator),
                )
            )
        if any(isinstance(cell, str) and cell.strip() for cell in dates):
            orders = dict(self._fields["file_date_order"]._description_selection(self.env))
            order = orders[self._find_date_order(dates)].lower()
            if self._get_known_date_order(dates):
                parts.append(self.env._("dates: %s", order))
            else:
                parts.append(self.env._("dates: %s (a guess: they can be read both ways)", order))
        if any(isinstance(cell, str) and cell.strip() for cell in amounts):
            parts.append(self.env._("decimal sign: “%s”", self._find_decimal(amounts)))
        return "; ".join(parts)

    def _tabular_message(self, error, with_place=True):
        """Return what is wrong with a file, in the user's language.

        :param error: ``tabular.TabularError``
        :param bool with_place: whether row and column come first.
        :return: str
        """
        message = self._get_tabular_messages(error.params)[error.code]
        if with_place and error.row and error.column:
            return self.env._(
                "Row %(row)s, column “%(column)s”: %(message)s", row=error.row, column=error.column, message=message
            )
        if with_place and error.row:
            return self.env._("Row %(row)s: %(message)s", row=error.row, message=message)
        if error.column:
            return self.env._("Column “%(column)s”: %(message)s", column=error.column, message=message)
        return message

    def _get_tabular_messages(self, params):
        """Return the texts of all errors by code, the same as ``tabular.TEMPLATES``, to be translated."""
        env = self.env
        value = params.get("value", "")
        limit = params.get("limit", "")
        return {
            "empty": env._("The file is empty."),
            "too_big": env._("The file holds more than %(limit)s MB.", limit=limit),
            "bomb": env._("The file unpacks to far more than a table needs and is refused for safety."),
            "too_many_rows": env._("The file has more than %(limit)s rows. Split it.", limit=limit),
            "too_many_columns": env._("The file has more than %(limit)s columns.", limit=limit),
            "cell_too_long": env._("A cell holds more than %(limit)s characters.", limit=limit),
            "password": env._("The file is protected by a password. Save it without one."),
            "macros": env._("The file contains macros. Save it as .xlsx."),
            "not_a_table": env._(
                "This is a file of the kind %(found)s. Save it as .xlsx or .csv.", found=params.get("found", "")
            ),
            "unsafe_xml": env._(
                "The file contains declarations that no spreadsheet program writes and is refused for safety."
            ),
            "broken": env._("The file is damaged. Open it with a spreadsheet program and save it again."),
            "encoding": env._(
                "The text of the file isn't in the encoding %(encoding)s. Choose another one.",
                encoding=params.get("encoding", ""),
            ),
            "encoding_unknown": env._("The encoding %(encoding)s is not known.", encoding=params.get("encoding", "")),
            "separator": env._("The separator must be one character."),
            "quote": env._("A quotation mark is not closed, or text follows the closing one."),
            "sheet_missing": env._("The file has no sheet called “%(sheet)s”.", sheet=params.get("sheet", "")),
            "header_missing": env._(
                "Row %(number)s, where the column titles should be, is blank.", number=params.get("number", "")
            ),
            "row_longer": env._("The row has more cells than there are column titles: is a separator inside a text?"),
            "merged": env._("Cells are merged. Take the merging apart and write a value into each of them."),
            "cell_error": env._("The cell shows the error %(value)s.", value=value),
            "date_impossible": env._("“%(value)s” is not a date.", value=value),
            "date_ambiguous": env._("“%(value)s” may be read day first or month first. Choose one.", value=value),
            "amount_bad": env._("“%(value)s” is not an amount.", value=value),
            "amount_ambiguous": env._(
                "“%(value)s” may be read with thousands or with decimals. Choose the decimal sign.", value=value
            ),
        }
