"""Placeholders: what the expressions in a text ask for, so that a mistake is found when the text is saved.

Plain Python: says which names and dotted paths an expression reads, not whether they exist.

>>> paths("object.partner_id.name or format_date(object._get_day(3))")
[('object', 'partner_id', 'name'), ('format_date',), ('object', '_get_day')]
>>> paths("', '.join(line.name for line in object.line_ids)")
[('object', 'line_ids')]
"""

import ast
import re
from html.parser import HTMLParser

# Attributes of QWeb whose value is an expression; those that begin with ``t-att-`` as well.
_EXPRESSIONS = ("t-out", "t-esc", "t-raw", "t-if", "t-elif", "t-foreach", "t-value", "t-att")
# What a loop ``t-as="row"`` knows besides ``row``.
_LOOP_SUFFIXES = ("", "_index", "_value", "_size", "_first", "_last", "_parity", "_even", "_odd", "_all")
# ``{{ expression }}`` and ``#{ expression }`` within an attribute.
_INLINE = re.compile(r"\{\{(.+?)\}\}|#\{(.+?)\}", re.DOTALL)
# ``{{ expression ||| what to write without a value }}`` in a subject or an SMS.
_INLINE_WITH_DEFAULT = re.compile(r"\{\{(.+?)(?:\|\|\|.*?)?\}\}", re.DOTALL)


def inline_expressions(text: str) -> list[str]:
    """Return the expressions of a subject or an SMS.

    >>> inline_expressions("{{ object.name }}: {{ object.email ||| none }}")
    ['object.name', 'object.email']
    """
    return [match.strip() for match in _INLINE_WITH_DEFAULT.findall(text or "")]


def qweb_expressions(text: str) -> tuple[list[str], set[str]]:
    """Return the expressions of a QWeb text, and the names that it makes for itself.

    >>> expressions, names = qweb_expressions('<p t-foreach="object.ids" t-as="row" t-attf-id="x{{ row }}"/>')
    >>> expressions, "row_index" in names
    (['object.ids', 'row'], True)
    """
    reader = _Reader()
    reader.feed(text or "")
    reader.close()
    return reader.expressions, reader.names


class _Reader(HTMLParser):
    """Reads what the attributes of QWeb say."""

    def __init__(self):
        super().__init__()
        self.expressions, self.names = [], set()

    def handle_starttag(self, tag, attrs):
        for key, value in attrs:
            if key in _EXPRESSIONS or key.startswith("t-att-"):
                self.expressions.append((value or "").strip())
            elif key.startswith("t-attf-"):
                self.expressions += [(curly or hashed).strip() for curly, hashed in _INLINE.findall(value or "")]
            elif key == "t-set":
                self.names.add(value)
            elif key == "t-as":
                self.names |= {f"{value}{suffix}" for suffix in _LOOP_SUFFIXES}


def paths(expression: str) -> list[tuple[str, ...]]:
    """Return the names that an expression reads, each with the attributes read of it, in order.

    :raises SyntaxError: when it is no Python expression.
    """
    found = []
    _collect(ast.parse(expression.strip(), mode="eval").body, frozenset(), found)
    return found


def _collect(node, bound, found):
    """Add the paths of a node to ``found``, but for the names that the expression binds itself."""
    chain = _chain(node)
    if chain:
        if chain[0] not in bound:
            found.append(chain)
        return
    if isinstance(node, ast.Lambda):
        arguments = node.args
        bound |= {arg.arg for arg in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]}
    elif isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
        bound |= {name.id for part in node.generators for name in ast.walk(part.target) if isinstance(name, ast.Name)}
    for child in ast.iter_child_nodes(node):
        _collect(child, bound, found)


def _chain(node):
    """Return ``("a", "b", "c")`` for the node of ``a.b.c``, ``None`` for anything else."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return (node.id, *reversed(names)) if isinstance(node, ast.Name) else None
