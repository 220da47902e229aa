"""Which column is which, and which lines are no records."""

import re
import unicodedata

_TOTAL_WORDS = frozenset(
    "total totals totaux subtotal subtotals sous grand sum somme summe gesamt gesamtsumme suma totale ensemble".split()
)


def normalise_header(text):
    """Return a column title as it is compared: without case, accents and punctuation.

    >>> normalise_header("N° de Facture :"), normalise_header("E-mail"), normalise_header("Due_Date")
    ('n de facture', 'e mail', 'due date')
    """
    # "N°" and "№" begin as signs that NFKD turns into letters.
    text = str(text).replace("°", " ").replace("º", " ").replace("№", "N ")
    text = unicodedata.normalize("NFKD", text)
    text = "".join(character for character in text if not unicodedata.combining(character))
    return " ".join(re.sub(r"[\W_]+", " ", text.casefold()).split())


def match_columns(columns, fields):
    """Find the column of each field by its title.

    A title matches as it stands, or without what it says in brackets. A column serves one field only;
    when two columns fit, the first one is taken.

    :param list columns: titles of the table.
    :param dict fields: ``{field: [titles it goes by, best first]}``.
    :return: ``{field: index of the column}`` of the fields that were found.

    >>> match_columns(["Client", "Montant restant dû (EUR)"], {"left": ["Montant restant dû"], "name": ["Client"]})
    {'left': 1, 'name': 0}
    """
    plain = [normalise_header(column) for column in columns]
    bare = [normalise_header(re.sub(r"\(.*?\)|\[.*?\]", " ", column)) for column in columns]
    found = {}
    for titles in (plain, bare):
        for field, aliases in fields.items():
            if field in found:
                continue
            for alias in aliases:
                wanted = normalise_header(alias)
                index = next(
                    (i for i, title in enumerate(titles) if title and title == wanted and i not in found.values()), None
                )
                if index is not None:
                    found[field] = index
                    break
    return {field: found[field] for field in fields if field in found}


def is_total(cells, key):
    """Return whether a line is a sum below the table rather than a record.

    :param list cells: of the row.
    :param key: index, or several, of columns that every record fills.

    >>> is_total([None, "Total général", 1500.0], 0), is_total(["F1", "Total", 3], 0), is_total(["Total :", 3], 0)
    (True, False, True)
    """
    keys = (key,) if isinstance(key, int) else tuple(key)
    first = next((cell for cell in cells if isinstance(cell, str) and cell.strip()), "")
    if _is_total_word(normalise_header(first[:60])):
        filled = [index for index in keys if index < len(cells) and not _is_blank(cells[index])]
        return all(isinstance(cells[index], str) and _is_total_word(normalise_header(cells[index])) for index in filled)
    if any(index < len(cells) and not _is_blank(cells[index]) for index in keys):
        return False
    # A bare sum: nothing but numbers.
    return any(_is_number(cell) for cell in cells) and all(_is_blank(cell) or _is_number(cell) for cell in cells)


def _is_total_word(text):
    words = text.split()
    return bool(words) and words[0] in _TOTAL_WORDS and (words[0] != "sous" or words[1:2] == ["total"])


def _is_blank(cell):
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _is_number(cell):
    if isinstance(cell, bool):
        return False
    if isinstance(cell, int | float):
        return True
    return isinstance(cell, str) and bool(re.fullmatch(r"[-+(]?[\d\s.,'’\u00a0\u202f]*\d[)\s€$£%-]*", cell.strip()))
