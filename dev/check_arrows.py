"""Whether each area names only areas to its left: part of ``make lint``.

Data flows from left to right; whoever changes an area needs to know what stands to its left, and nothing else. What
Odoo really calls is read from the code: models in ``env[...]``, the other side of relations, ``_inherit``, the tables
in SQL, and what Python imports. Sizes of files, circles of imports and tests that nobody loads are looked at as well.
"""

import ast
import re
from collections import defaultdict
from typing import NamedTuple

from .paths import EXAMPLE, ROOT

# From left to right, and from below to above.
AREAS = (
    "base",
    "ledger",
    "debtor",
    "contact",  # what was said: plans and deliveries write in it and read it
    "plan",
    "delivery",
    "answer",
    "campaign",
    "provider",
    "receivable",
    "statement",
    "figures",
    "run",
)
# The conductor may be called from everywhere: it is asked to bring customers up to date.
_ASKED_BY_ALL = "run"
# To which area the parts of report/ belong; the others are analysis.
_REPORTS = {"recap": "campaign", "statement": "statement", "collection_provider_account.py": "provider"}
# Arrows against the direction that stay, each with its reason: {(area, model or file): reason}.
_FACTS = "the one statement that reads the facts of all customers counts what was said, promised and contested"
_PARTS = "what is promised or contested is taken off each open item in the statement that reads them all"
EXCEPTIONS = {
    (
        "ledger",
        "collection.debtor",
    ): "a payment without customer is recognised by the names of those who are followed up",
    ("ledger", "collection.dispute.line"): _PARTS,
    ("ledger", "collection.promise.line"): _PARTS,
    ("debtor", "collection.action"): _FACTS,
    ("debtor", "collection.promise"): _FACTS,
    ("debtor", "collection.dispute"): _FACTS,
    ("plan", "collection.channel"): "a step is checked by the channel by which it will speak",
    ("plan", "collection.step.preview"): "steps and customers open the dialogue that shows the message of a step",
    ("delivery", "collection.case"): "a case counts the messages that went out or came back, whoever sent them",
    ("delivery", "collection.statement"): "a statement that came back is due again",
    ("answer", "collection.case"): "the dialogues remember from which case they were opened",
    (
        "campaign",
        "collection.handover",
    ): "the recap names the outside caller of each case in the statement that reads them",
    ("campaign", "collection.metrics"): "a recap compares before and after by the monthly figures' own definitions",
}
_MOST_LINES = {"models": 650, "wizard": 500, "report": 500}
_RELATIONS = {"Many2one", "One2many", "Many2many"}
_TABLE = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE|USING)\s+(collection_\w+)")


class Arrow(NamedTuple):
    """What a line of a file names: a model or, when it imports Python, a file."""

    path: str
    line: int
    target: str


def check():
    """Print what is wrong.

    :return: whether nothing is
    :rtype: bool
    """
    found = problems(ROOT)
    found += [f"tests/{EXAMPLE}/{problem}" for problem in problems(ROOT / "tests" / EXAMPLE)]
    print(*found, sep="\n", end="\n" if found else "")
    return not found


def problems(root, exceptions=None):
    """:param pathlib.Path root: of the addon
    :param dict exceptions: as ``EXCEPTIONS``, which are taken when it is left out
    :return: what is wrong, in words; of an addon without areas, only what holds for its tests
    :rtype: list
    """
    found = list(_unloaded_tests(root))
    if any((root / "models" / area).is_dir() for area in AREAS):
        trees = {path: ast.parse((root / path).read_text()) for path in python_files(root)}
        found += _wrong_arrows(trees, EXCEPTIONS if exceptions is None else exceptions)
        found += _circles(trees)
        found += _long_files(root, trees)
    return found


def python_files(root):
    for folder in ("models", "wizard", "report", "tools", "controllers", "demo", "."):
        for path in sorted((root / folder).glob("*.py" if folder == "." else "**/*.py")):
            name = path.relative_to(root).as_posix()
            if "tests" not in path.relative_to(root).parts:
                yield name


def area_of(path):
    """:param str path: of a file, relative to the addon
    :return: its area, or ``None`` when it has none
    :rtype: str
    """
    folder, *rest = path.split("/")
    if folder == "report":
        return _REPORTS.get(rest[0], "figures")
    if folder in ("models", "wizard") and rest[0] in AREAS:
        return rest[0]
    return None


# == Arrows ==


def _wrong_arrows(trees, exceptions):
    owners = {model: area_of(path) for path, tree in trees.items() for model in _defined_models(tree)}
    tables = {model.replace(".", "_"): model for model in owners}
    used = set()
    for path, tree in trees.items():
        area = area_of(path)
        if not area:
            continue
        arrows = [*_named_models(path, tree, tables), *_imported_files(path, tree, trees)]
        for arrow in sorted(set(arrows), key=lambda arrow: (arrow.line, arrow.target)):
            other = owners.get(arrow.target) or area_of(arrow.target)
            if not other or other == _ASKED_BY_ALL or AREAS.index(other) <= AREAS.index(area):
                continue
            if (area, arrow.target) in exceptions:
                used.add((area, arrow.target))
                continue
            yield f"{path}:{arrow.line}: “{area}” names {arrow.target}, which belongs to “{other}”, to its right"
    for area, target in exceptions.keys() - used:
        yield f"dev/check_arrows.py: “{area}” no longer names {target}: take the exception out"


def _defined_models(tree):
    """Return the models that a file brings into being."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            name, inherited = class_value(node, "_name"), as_names(class_value(node, "_inherit"))
            if name and name not in inherited:
                yield name


def class_value(node, name):
    for child in node.body:
        if isinstance(child, ast.Assign) and isinstance(child.targets[0], ast.Name) and child.targets[0].id == name:
            return ast.literal_eval(child.value)
    return None


def as_names(value):
    return [value] if isinstance(value, str) else list(value or ())


def _named_models(path, tree, tables):
    """Yield an arrow for each model that a file names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and _last_name(node.value) == "env":
            yield from _arrows(path, node, [node.slice])
        elif isinstance(node, ast.Call) and _last_name(node.func) in _RELATIONS:
            named = [word.value for word in node.keywords if word.arg == "comodel_name"]
            yield from _arrows(path, node, [*node.args[:1], *named])
        elif isinstance(node, ast.ClassDef):
            for name in as_names(class_value(node, "_inherit")):
                yield Arrow(path, node.lineno, name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            for match in _TABLE.finditer(node.value):
                if match[1] in tables:
                    line = node.lineno + node.value.count("\n", 0, match.start())
                    yield Arrow(path, line, tables[match[1]])


def _arrows(path, node, expressions):
    for expression in expressions:
        if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
            yield Arrow(path, node.lineno, expression.value)


def _last_name(node):
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)


# == Imports ==


def _imported_files(path, tree, trees):
    """Yield an arrow for each file of the addon that a file imports, within functions too."""
    package = path.split("/")[:-1]
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = package[: len(package) - node.level + 1] + (node.module.split(".") if node.module else [])
        for alias in node.names:
            candidates = ([*base, alias.name], base, [*base, alias.name, "__init__"], [*base, "__init__"])
            names = ("/".join(parts) + ".py" for parts in candidates if parts)
            if target := next((name for name in names if name in trees), None):
                yield Arrow(path, node.lineno, target)


def _circles(trees):
    """Yield each circle of files that import each other, once."""
    imports = defaultdict(set)
    for path, tree in trees.items():
        if not path.endswith("__init__.py"):  # they only load what stands beside them
            imports[path] = {arrow.target for arrow in _imported_files(path, tree, trees)} - {path}
    done = set()

    def visit(path, way):
        if path in way:
            yield "a circle of imports: " + " → ".join([*way[way.index(path) :], path])
        elif path not in done:
            for target in sorted(imports[path]):
                yield from visit(target, [*way, path])
            done.add(path)

    for path in sorted(trees):
        yield from visit(path, [])


# == Files ==


def _long_files(root, trees):
    for path in trees:
        most = _MOST_LINES.get(path.split("/")[0])
        lines = len((root / path).read_text().splitlines())
        if most and lines > most:
            yield f"{path}: has {lines} lines, more than {most}: what in it is a subject of its own?"


def _unloaded_tests(root):
    """Yield the test files that Odoo doesn't find: it runs what the package ``tests`` imports as ``test_*``."""
    init = root / "tests/__init__.py"
    loaded = set()
    for node in ast.parse(init.read_text()).body if init.exists() else []:
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            folder = (node.module or "").replace(".", "/")
            loaded |= {f"tests/{folder}/{alias.name}.py".replace("//", "/") for alias in node.names}
    for path in sorted((root / "tests").rglob("test_*.py")):
        name = path.relative_to(root).as_posix()
        if name not in loaded and f"/{EXAMPLE}/" not in f"/{name}":
            yield f"{name}: tests/__init__.py doesn't import it, so that none of its tests runs"
