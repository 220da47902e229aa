from datetime import date, datetime


def get_columns_of(kind, sheet, head, rows=lambda row: True):
    """Return the titles of the columns of a workbook whose filled cells are all of a kind.

    :param str kind: ``number`` or ``date``, as a spreadsheet program takes them.
    :param sheet: of ``openpyxl``, opened without formulas.
    :param int head: row of the titles.
    :param rows: says of a row, a tuple of cells, whether it counts.
    """
    [titles, *lines] = sheet.iter_rows(min_row=head)
    lines = [line for line in lines if rows(line)]
    found = set()
    for index, title in enumerate(titles):
        kinds = {_get_kind(line[index]) for line in lines if line[index].value not in (None, "")}
        if title.value and kinds == {kind}:
            found.add(title.value)
    return found


def is_dated(row):
    """Return whether a row begins with a day: it is no total and no title."""
    return _get_kind(row[0]) == "date"


def _get_kind(cell):
    if isinstance(cell.value, date | datetime):
        return "date"
    return {"n": "number", "s": "text"}.get(cell.data_type, cell.data_type)
