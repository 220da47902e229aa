"""Faults that can be planted in a text that is SQL, one at a time.

>>> [new for _kind, new in find("SELECT id FROM t WHERE a < 5 AND b")]
... # doctest: +NORMALIZE_WHITESPACE
['SELECT id FROM t WHERE (a < 5 OR TRUE) AND b', 'SELECT id FROM t WHERE a <= 5 AND b',
 'SELECT id FROM t WHERE a < 6 AND b', 'SELECT id FROM t WHERE a < 5 OR b',
 'SELECT id FROM t WHERE a < 5 AND (b OR TRUE)']
"""

import re

_TOKEN = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"[^\"]*\"|%\(\w+\)s|%s|%%"
    r"|[A-Za-z_][\w.]*|\d+(?:\.\d+)?|<=|>=|<>|!=|::|\S",
    re.DOTALL,
)
_SQL = re.compile(
    r"\b(?:SELECT|FROM|WHERE|JOIN|GROUP BY|ORDER BY|HAVING|COALESCE|EXISTS|CASE WHEN|UPDATE|DELETE|INSERT|FILTER"
    r"|BETWEEN|IS NULL|IS NOT NULL)\b|^\s*(?:AND|OR)\b"
)
_STARTS = {"WHERE", "AND", "HAVING", "WHEN", "OR"}
_ENDS = _STARTS | {
    *("GROUP", "ORDER", "LIMIT", "RETURNING", "UNION", "WINDOW", "FOR", "JOIN", "LEFT", "RIGHT", "INNER", "CROSS"),
    *("FULL", "THEN", "ELSE", "END", "ON", "ASC", "DESC", "SET", "FROM", "OFFSET", "EXCEPT", "INTERSECT", ",", ";"),
}
_BOUNDARY = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}


def is_sql(text):
    """:return: whether a text of a program is SQL, or a part of it
    :rtype: bool
    """
    return bool(_SQL.search(text))


def find(text, is_part=False):
    """Return what else the text could be.

    A condition is dropped by ``OR TRUE``, so that the parameters stay as many as they were.

    :param str text: any text of a program
    :param bool is_part: whether more text is put in before or after it
    :return: pairs of the operator's name and the new text
    :rtype: list[tuple]
    """
    if not is_sql(text):
        return []
    tokens = [match for match in _TOKEN.finditer(text) if not match[0].startswith(("--", "/*"))]
    found = []
    between = _find_between(tokens)
    for index, token in enumerate(tokens):
        word = token[0]
        if word in ("AND", "OR") and index not in between:
            found.append(("SQL and/or", _replace(text, token, "OR" if word == "AND" else "AND")))
        if word in _STARTS and index not in between:
            end = _find_end(tokens, index, between)
            is_whole = end < len(tokens) or not is_part
            if end > index + 1 and is_whole:
                start, stop = tokens[index + 1].start(), tokens[end - 1].end()
                new = f"{text[:start]}({text[start:stop]} {'AND FALSE' if word == 'OR' else 'OR TRUE'}){text[stop:]}"
                found.append(("SQL condition dropped", new))
        if word in _BOUNDARY:
            found.append(("SQL boundary", _replace(text, token, _BOUNDARY[word])))
        if new := _change_constant(tokens, index):
            found.append(("SQL constant", _replace(text, token, new)))
    return found


def _replace(text, token, new):
    return f"{text[: token.start()]}{new}{text[token.end() :]}"


def _change_constant(tokens, index):
    """Return another constant for a number or a text, ``None`` for anything else."""
    word = tokens[index][0]
    before = tokens[index - 1][0].upper() if index else ""
    if word[0].isdigit() and before not in ("SELECT", "LIMIT", "$"):
        return str(int(word) + 1) if word.isdigit() else str(float(word) + 1)
    # A text after AS or a cast is a name; an empty one is the default of a join of texts.
    if word[0] == "'" and len(word) > 2 and before not in ("AS", "INTERVAL", "ZONE"):
        return f"{word[:-1]}x'"
    return None


def _find_between(tokens):
    """Return the indexes of the ``AND`` that belong to a ``BETWEEN``."""
    found, depth, open_at = set(), 0, set()
    for index, token in enumerate(tokens):
        word = token[0]
        depth += (word == "(") - (word == ")")
        if word == "BETWEEN":
            open_at.add(depth)
        elif word == "AND" and depth in open_at:
            open_at.discard(depth)
            found.add(index)
    return found


def _find_end(tokens, start, between):
    """Return the index of the token after the condition that follows a keyword."""
    depth = cases = 0
    for index in range(start + 1, len(tokens)):
        word = tokens[index][0]
        depth += word == "("
        if word == ")":
            if not depth:
                return index
            depth -= 1
        if depth:
            continue
        cases += word == "CASE"
        if word == "END" and cases:
            cases -= 1
        elif not cases and word in _ENDS and index not in between and not _is_call(tokens, index):
            return index
    return len(tokens)


def _is_call(tokens, index):
    """Return whether ``LEFT (`` is the function and ``FROM`` belongs to ``IS DISTINCT FROM``."""
    word = tokens[index][0]
    if word == "FROM":
        return index > 0 and tokens[index - 1][0] == "DISTINCT"
    return word in ("LEFT", "RIGHT") and index + 1 < len(tokens) and tokens[index + 1][0] == "("
