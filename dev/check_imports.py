"""Whether the addon asks for the packages that it imports, and loads nothing of tests and demo data: for lint."""

import ast
import re
import sys

from .paths import ROOT, manifest

# Without these Odoo itself does not start. Others are asked for in the manifest, also when an addon of Odoo uses them.
_OF_ODOO = {"babel", "dateutil", "lxml", "markupsafe", "psycopg2", "pytz", "werkzeug"}
# What an addon in use never loads: tools of tests, and demo data, which is read while it is built.
_NOT_IN_USE = {"unittest", "hypothesis", "freezegun", "demo"}
_NOT_ADDON = {"dev", "tests", "demo"}


def check():
    """Print what is wrong.

    :return: whether nothing is
    :rtype: bool
    """
    found = problems(ROOT, manifest()["external_dependencies"]["python"])
    print(*found, sep="\n", end="\n" if found else "")
    return not found


def problems(root, declared):
    """:param pathlib.Path root: of the addon
    :param declared: the packages that its manifest asks for
    :return: what is wrong, in words
    :rtype: list
    """
    found, used = [], set()
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).parts
        if parts[0].startswith(".") or {"dev", "tests"} & set(parts):
            continue
        for name, line, at_once in _imports(ast.parse(path.read_text()), parts):
            place = f"{'/'.join(parts)}:{line}"
            if name in _NOT_IN_USE:
                if at_once and not _NOT_ADDON & set(parts):
                    found.append(f"{place}: loads {name}, which an addon in use does without")
            elif name not in sys.stdlib_module_names | _OF_ODOO | {"odoo", ""}:
                used.add(name)
                if name not in declared:
                    found.append(f"{place}: imports {name}, which the manifest does not ask for")
    found += [f"__manifest__.py: asks for {name}, which nothing imports" for name in declared if name not in used]
    if (path := root / "requirements.txt").exists():
        listed = set(re.findall(r"^[\w-]+", path.read_text(), re.M))
        found += [f"requirements.txt and the manifest differ in {name}" for name in sorted(listed ^ set(declared))]
    return found


def _imports(tree, parts):
    """Return what a file imports: the first name, the line, and whether it is loaded with the file.

    A part of the addon has an empty name, but for what an addon in use may not load.
    """
    later = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module]
        elif isinstance(node, ast.ImportFrom):
            names = [_own_name(node, parts, alias.name) for alias in node.names]
        else:
            continue
        for name in names:
            yield name.split(".")[0], node.lineno, node not in later


def _own_name(node, parts, name):
    """Return the folder of the addon that a relative import leads to, if an addon in use may not load it."""
    folder = [*parts[:-1]][: len(parts) - node.level]
    target = [*folder, *(node.module or "").split("."), name]
    first = next(filter(None, target), "")
    return first if first in _NOT_IN_USE else ""
