"""Files for the tests of the readers."""

import datetime
import io
import zipfile

import openpyxl


def make_rows(count):
    """Return titles and rows of every type that a list of open items has."""
    titles = ["Client", "N° facture", "Date", "Échéance", "Montant", "Reste dû", "Payé ?"]
    start = datetime.date(2026, 1, 1)
    rows = [
        [
            ("=SUM(A1)", "Été SARL", 'A "quoted" name', "two\nlines", "@x", "-5")[index % 6],
            f"F-{index:04}",
            start + datetime.timedelta(days=index),
            start + datetime.timedelta(days=index + 30),
            1000.25 + index,
            index * -1.5,
            index % 2 == 0,
        ]
        for index in range(count)
    ]
    return [titles, *rows]


def make_xlsx(rows, *, title=None, epoch=None, change=None):
    """Return a workbook as openpyxl writes it.

    :param change: called with the workbook and its sheet before it is saved.
    """
    workbook = openpyxl.Workbook()
    if epoch:
        workbook.epoch = epoch
    sheet = workbook.active
    sheet.title = title or "Items"
    for row_number, row in enumerate(rows, start=1):
        for column, value in enumerate(row, start=1):
            cell = sheet.cell(row_number, column, value)
            if isinstance(value, str):
                cell.data_type = "s"
    if change:
        change(workbook, sheet)
    output = io.BytesIO()
    workbook.save(output)
    return output.getvalue()


def replace_parts(content, parts):
    """Return an archive with some parts replaced or added.

    :param dict parts: ``{name: bytes, or function of the old bytes}``
    """
    source = zipfile.ZipFile(io.BytesIO(content))
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            part = parts.get(name, source.read(name))
            archive.writestr(name, part(source.read(name)) if callable(part) else part)
        for name, part in parts.items():
            if name not in source.namelist():
                archive.writestr(name, part)
    return output.getvalue()
