"""Read a table out of whatever file somebody hands in."""

import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from .cells import CellError
from .errors import TabularError
from .matching import normalise_header
from .sources import open_source

_MEGABYTE = 1024 * 1024
# Rows among which the column titles are looked for.
_HEADER_SEARCH = 40
_ERROR_VALUES = frozenset(
    "#N/A #DIV/0! #REF! #VALUE! #NAME? #NUM! #NULL! #SPILL! #CALC! #GETTING_DATA"
    " #N/D #VALEUR! #NOM? #NOMBRE! #NUL!".split()
)
# What PostgreSQL can't store or nobody sees: control characters and halves of surrogate pairs.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
# Escapes by which XLSX writes what XML can't hold.
_XLSX_ESCAPE = re.compile(r"_x00(?:0[0-8BCEFbcef]|1[0-9A-Fa-f]|0D|0d)_")


@dataclass(frozen=True)
class Limits:
    """How much a file may hold."""

    max_bytes: int = 32 * _MEGABYTE
    max_rows: int = 100_000
    max_columns: int = 256
    max_cell: int = 32_767
    # What a packed file may unpack to, and how many times its size any bigger part of it may be.
    max_unpacked: int = 384 * _MEGABYTE
    max_ratio: int = 400
    max_sheets: int = 100


@dataclass
class Row:
    """One line of a table.

    :param int number: as the spreadsheet shows it, from 1.
    :param list cells: as many as there are columns.
    :param problem: ``TabularError`` when the line can't be trusted, or None.
    """

    number: int
    cells: list
    problem: TabularError | None = None


@dataclass
class Table:
    """A table in a file. Iterating over it reads the rows below the titles, anew each time.

    Rows and cells are read while one iterates, so that memory stays the same for any number of rows.

    :param str kind: ``xlsx``, ``xls`` or ``text``.
    :param list columns: titles, all different, none blank.
    :param int header_row: number of the row of titles.
    :param int epoch: from which year a workbook counts days.
    """

    kind: str
    source: object
    limits: Limits
    columns: list = field(default_factory=list)
    header_row: int = 0
    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None
    sheets: list = field(default_factory=list)
    epoch: int = 1900

    def __iter__(self) -> Iterator[Row]:
        """Read the rows.

        :raises TabularError: when the file turns out to be damaged, or too big, further down.
        """
        width = len(self.columns)
        merged = _MergedRows(self.source.merged_cells(self.sheet), width)
        count = 0
        for number, cells in self._raw_rows(width):
            if number <= self.header_row or _is_blank(cells):
                continue
            count += 1
            if count > self.limits.max_rows:
                raise TabularError("too_many_rows", limit=self.limits.max_rows)
            yield Row(number, _fit(cells, width), self._find_problem(number, cells, merged))

    def _raw_rows(self, width=None):
        for number, cells in self.source.rows(self.sheet, width):
            cleaned = [_clean(cell) if isinstance(cell, str) else cell for cell in cells]
            for index, cell in enumerate(cleaned):
                if isinstance(cell, str) and len(cell) > self.limits.max_cell:
                    raise TabularError("cell_too_long", number, self._title(index), limit=self.limits.max_cell)
            yield number, cleaned

    def _title(self, index):
        return self.columns[index] if index < len(self.columns) else f"Column {_letters(index)}"

    def _find_problem(self, number, cells, merged):
        if merged.covers(number):
            return TabularError("merged", number, self._title(merged.column))
        if self.kind == "text" and not _is_blank(cells[len(self.columns) :]):
            return TabularError("row_longer", number)
        return None

    def sample(self, size=200):
        """Return the first rows."""
        return list(itertools.islice(self, size))


class _MergedRows:
    """Determines which rows, asked for in their order, have cells that are merged with others."""

    def __init__(self, ranges, width):
        self.waiting = sorted((r for r in ranges if r[2] < width), reverse=True)
        self.until = self.column = 0

    def covers(self, number):
        """Return whether a row has merged cells.

        :param int number: of the row; rows must be asked for in ascending order.
        """
        while self.waiting and self.waiting[-1][0] <= number:
            _first_row, last_row, first_column, _last_column = self.waiting.pop()
            if last_row > self.until:
                self.until, self.column = last_row, first_column
        return number <= self.until


def read_table(
    content, filename="", *, encoding=None, separator=None, sheet=None, header_row=None, known=(), limits=None
):
    """Open a table that is an .xlsx, .xls, .csv or .txt file, whatever it is called.

    :param bytes content: of the file.
    :param str filename: distinguishes formats that look the same.
    :param encoding: of a text; found out when None.
    :param separator: between the cells of a text; found out when None.
    :param sheet: name of the sheet; the first visible one with something in it when None.
    :param header_row: number of the row of titles, from 1; found out when None.
    :param known: titles of columns by which the start of the table is found.
    :return: ``Table``
    :raises TabularError: when there is no table in it, or none that is safe to read.

    >>> table = read_table("Facture;Échéance;Montant\\nF1;31/12/26;1 000,50\\n".encode("cp1252"), "items.csv")
    >>> table.columns, table.encoding, table.separator
    (['Facture', 'Échéance', 'Montant'], 'cp1252', ';')
    >>> [(row.number, row.cells) for row in table]
    [(2, ['F1', '31/12/26', '1 000,50'])]
    """
    limits = limits or Limits()
    if not content:
        raise TabularError("empty")
    if len(content) > limits.max_bytes:
        raise TabularError("too_big", limit=limits.max_bytes // _MEGABYTE)
    source = open_source(content, os.path.splitext(filename or "")[1].lower(), encoding, separator, limits)
    table = Table(
        source.kind,
        source,
        limits,
        encoding=source.encoding,
        separator=source.separator,
        sheets=source.sheets,
        epoch=source.epoch,
    )
    known = frozenset(filter(None, map(normalise_header, known)))
    _choose_sheet(table, sheet, header_row, known)
    return table


def _choose_sheet(table, sheet, header_row, known):
    """Set the sheet, and read its titles."""
    if sheet and table.sheets and sheet not in table.sheets:
        raise TabularError("sheet_missing", sheet=sheet)
    if not table.sheets or sheet:
        table.sheet = sheet if table.sheets else None
        rows = _head(table, header_row)
        if not any(not _is_blank(cells) for _number, cells in rows):
            raise TabularError("empty")
        _set_titles(table, rows, header_row, known)
        return
    fallback = None
    for name in table.source.visible_sheets or table.sheets:
        table.sheet = name
        rows = _head(table, header_row)
        if not any(not _is_blank(cells) for _number, cells in rows):
            continue
        if not known or _best_known(rows, known)[0] >= min(2, len(known)):
            _set_titles(table, rows, header_row, known)
            return
        fallback = fallback or (name, rows)
    if not fallback:
        raise TabularError("empty")
    table.sheet = fallback[0]
    _set_titles(table, fallback[1], header_row, known)


def _head(table, header_row):
    """Return the first rows that aren't blank, and whatever stands in ``header_row``."""
    rows = []
    for number, cells in table._raw_rows():
        if not _is_blank(cells) and (not header_row or number >= header_row):
            rows.append((number, cells))
        if len(rows) >= _HEADER_SEARCH or (header_row and number >= header_row):
            break
    return rows


def _set_titles(table, rows, header_row, known):
    if header_row:
        found = next((row for row in rows if row[0] == header_row), None)
        if not found:
            raise TabularError("header_missing", number=header_row)
    else:
        found = _find_titles(rows, known)
    number, cells = found
    width = max(index for index, cell in enumerate(cells) if not _is_blank([cell])) + 1
    if width > table.limits.max_columns:
        raise TabularError("too_many_columns", limit=table.limits.max_columns)
    table.header_row = number
    table.columns = _name_columns(cells[:width])


def _best_known(rows, known):
    """Return how many known titles the best row has, and that row."""
    best = (0, None)
    for row in rows:
        count = len({normalise_header(cell) for cell in row[1] if isinstance(cell, str)} & known)
        if count > best[0]:
            best = (count, row)
    return best


def _find_titles(rows, known):
    """Return the row that holds the titles of the columns: names above a table may come first."""
    count, row = _best_known(rows, known)
    if count >= min(2, len(known) or 2):
        return row
    width = max(sum(not _is_blank([cell]) for cell in cells) for _number, cells in rows)
    for number, cells in rows:
        filled = [cell for cell in cells if not _is_blank([cell])]
        if len(filled) >= max(1, -(-width * 3 // 5)) and all(_is_title(cell) for cell in filled):
            return number, cells
    return row or rows[0]


def _is_title(cell):
    return isinstance(cell, str) and not re.fullmatch(r"[\d\s.,'/:+()€$£%-]+", cell.strip())


def _name_columns(cells):
    """Return titles that are all different and never blank.

    >>> _name_columns(["Amount", None, "amount "])
    ['Amount', 'Column B', 'amount (2)']
    """
    titles, taken = [], set()
    for index, cell in enumerate(cells):
        if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
            cell = int(cell)  # noqa: PLW2901
        base = " ".join(str("" if cell is None else cell).split())[:200] or f"Column {_letters(index)}"
        title, number = base, 2
        while title.casefold() in taken:
            title = f"{base} ({number})"
            number += 1
        taken.add(title.casefold())
        titles.append(title)
    return titles


def _letters(index):
    """Return a column's name in a spreadsheet.

    >>> _letters(0), _letters(27)
    ('A', 'AB')
    """
    name = ""
    index += 1
    while index:
        index, digit = divmod(index - 1, 26)
        name = chr(65 + digit) + name
    return name


def _is_blank(cells):
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells)


def _fit(cells, width):
    return list(cells[:width]) + [None] * (width - len(cells))


def _clean(text):
    """Return a text that can be stored, blank as None, errors of a spreadsheet as such."""
    if text in _ERROR_VALUES:
        return CellError(text)
    if "_x" in text:
        text = _XLSX_ESCAPE.sub("", text)
    return _UNPRINTABLE.sub("", text) or None
