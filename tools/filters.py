"""Filters that users write, such as “customers in France”: read as plain values, never carried out as a program.

A filter is what Odoo's own filter editor writes: a list of conditions ``(field, operator, value)`` and of the words
``&``, ``|`` and ``!`` in front of them. Values are literals or one of a few names, such as ``uid``.
"""

import ast

OPERATORS = frozenset(
    {
        *("=", "!=", "<", ">", "<=", ">=", "in", "not in", "child_of", "parent_of"),
        *("like", "not like", "ilike", "not ilike", "=like", "not =like", "=ilike", "not =ilike"),
        *("any", "not any"),
    }
)
# Operators whose value is a filter on the other side of a relation.
NESTING_OPERATORS = frozenset({"any", "not any"})
# How many conditions each of these words joins.
_WORDS = {"&": 2, "|": 2, "!": 1}

_MOST_CHARACTERS = 20_000
_MOST_LEVELS = 12
# No amount, number of days or id is greater; the database can't hold much more.
_GREATEST = 10**15
# What a condition means whatever the record: Odoo writes it for “all records” and “no record”.
_ALWAYS_AND_NEVER = {(0, "=", 1), (1, "=", 1), (1, "=", 0), (0, "=", 0)}


class FilterError(ValueError):
    """A filter that can't be understood.

    ``code`` says what is wrong: ``syntax``, ``list`` (not a list of conditions), ``size``, ``name`` (a word that stands
    for nothing), ``operator``, ``condition`` (not field, operator and value), ``value``, ``number`` (too great) or
    ``words`` (``&``, ``|`` or ``!`` without their conditions). ``part`` is the part at fault.
    """

    def __init__(self, code, part=""):
        super().__init__(f"{code}: {part}" if part else code)
        self.code = code
        self.part = part


def parse(text, names=None):
    """Return the conditions of a filter as plain values.

    :param str text: what the user, or Odoo's filter editor, wrote; nothing means everybody.
    :param dict names: ``{name: value}`` of the names that may stand for a value.
    :return: list of ``(path, operator, value)`` and of the words ``&``, ``|``, ``!``, as Odoo's ``Domain`` takes it.
    :raises FilterError: when it is anything else.
    """
    text = (text or "").strip()
    if not text:
        return []
    if len(text) > _MOST_CHARACTERS:
        raise FilterError("size")
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise FilterError("syntax", text[:80]) from error
    return _read_filter(tree, names or {}, 0)


def iter_conditions(conditions):
    """Yield the conditions of a parsed filter, without its words; those of nested filters come with their own."""
    for condition in conditions:
        if not isinstance(condition, str):
            yield condition


def _read_filter(node, names, level):
    if level > _MOST_LEVELS:
        raise FilterError("size")
    if not isinstance(node, ast.List | ast.Tuple):
        raise FilterError("list", _show(node))
    conditions = [_read_part(part, names, level) for part in node.elts]
    _check_words(conditions)
    return conditions


def _read_part(node, names, level):
    """Return one condition of a filter, or one of the words before them."""
    if isinstance(node, ast.Constant):
        if node.value in _WORDS:
            return node.value
        raise FilterError("words", _show(node))
    if not isinstance(node, ast.List | ast.Tuple) or len(node.elts) != 3:
        raise FilterError("condition", _show(node))
    path, operator = (part.value if isinstance(part, ast.Constant) else None for part in node.elts[:2])
    if type(path) is int and operator == "=":
        condition = (path, operator, _read_value(node.elts[2], names))
        if condition in _ALWAYS_AND_NEVER:
            return condition
    if not isinstance(path, str) or not path:
        raise FilterError("condition", _show(node))
    if not isinstance(operator, str) or operator not in OPERATORS:
        raise FilterError("operator", _show(node.elts[1]))
    if operator in NESTING_OPERATORS:
        return (path, operator, _read_filter(node.elts[2], names, level + 1))
    return (path, operator, _read_value(node.elts[2], names))


def _read_value(node, names):
    """Return what a field is compared with: a plain value, or a list of them."""
    if isinstance(node, ast.List | ast.Tuple):
        return [_read_single(part, names) for part in node.elts]
    return _read_single(node, names)


def _read_single(node, names):
    if isinstance(node, ast.Name):
        if node.id not in names:
            raise FilterError("name", node.id)
        return names[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        value = _read_single(node.operand, {})
        if type(value) not in (int, float):
            raise FilterError("value", _show(node))
        return -value
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str | int | float | bool | None):
        raise FilterError("value", _show(node))
    # The first comparison is false for what is not a number, too.
    if type(node.value) in (int, float) and not abs(node.value) <= _GREATEST:
        raise FilterError("number", _show(node))
    return node.value


def _check_words(conditions):
    """Check that each of the words before conditions has the conditions that it joins."""
    wanted = 0
    for condition in conditions:
        if isinstance(condition, str):
            wanted = max(wanted, 1) + _WORDS[condition] - 1
        else:
            wanted = max(wanted - 1, 0)
    if wanted:
        raise FilterError("words", next(word for word in conditions if isinstance(word, str)))


def _show(node):
    """Return the part of a filter at fault, as it was written and not longer than one reads."""
    try:
        return ast.unparse(node)[:80]
    except (RecursionError, ValueError):
        return ""
