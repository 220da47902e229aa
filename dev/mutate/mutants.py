"""The mutants of files: which there are, how they are named, and a sample of them that a seed decides."""

import ast
import dataclasses
import functools
import random
import re

from . import operators

_TOKENS = re.compile(r"\w+|\s+|.", re.DOTALL)
_AROUND = 40


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A fault at one place.

    :param str path: of the file, relative to the repository's root
    :param int number: in the order in which the operators find them in the file
    :param int line: of the file, from 1
    :param str function: dotted name of what it lies in, or ``(module)``
    :param str kind: the operator's name
    :param str change: what was changed, as ``before {old -> new} after``; together with the function it names
        the mutant however lines move
    """

    path: str
    number: int
    line: int
    function: str
    kind: str
    change: str

    def __str__(self):
        return f"{self.path}:{self.line} {self.function}: {self.change}  ({self.kind})"


class Program:
    """A file with its faults.

    :param str text: the program
    """

    def __init__(self, text):
        self.tree = ast.parse(text)
        self.sites = operators.find(self.tree)

    @functools.cached_property
    def _code(self):
        return compile(self.tree, "mutant", "exec")

    def compile(self, number, filename):
        """Return the code of the whole module with one fault.

        :param int number: of the fault
        :param str filename: which file the code says it is from
        :raises SyntaxError: when Python refuses it
        """
        with self.sites[number].planted():
            return compile(self.tree, filename, "exec")

    def differs(self, number):
        """Return whether a fault makes another program, one that Python accepts."""
        try:
            return not _same_code(self.compile(number, "mutant"), self._code)
        except (SyntaxError, ValueError):
            return False

    @functools.cached_property
    def changes(self):
        """:return: of each site, what it changes; the second of the same function with the same text ends in ``#2``
        :rtype: list[str]
        """
        seen, found = {}, []
        for site in self.sites:
            old = _describe(site.statement)
            with site.planted():
                # A statement that gives way to another one is described by what comes instead.
                is_whole = site.place[0] is not site.statement and isinstance(site.new, ast.stmt)
                new = _describe(site.new if is_whole else site.statement)
            text = _show_difference(old, new)
            key = (site.function, text)
            seen[key] = seen.get(key, 0) + 1
            found.append(text if seen[key] == 1 else f"{text} #{seen[key]}")
        return found

    def mutants(self, path):
        """:param str path: relative to the repository's root
        :rtype: list[Mutant]
        """
        return [
            Mutant(path, number, site.line, site.function or "(module)", site.kind, change)
            for number, (site, change) in enumerate(zip(self.sites, self.changes, strict=True))
        ]


def _same_code(one, other):
    """Return whether two code objects do the same, whatever their lines."""
    if not hasattr(one, "co_code") or not hasattr(other, "co_code"):
        return type(one) is type(other) and repr(one) == repr(other)
    return (
        one.co_code == other.co_code
        and one.co_names == other.co_names
        and len(one.co_consts) == len(other.co_consts)
        and all(map(_same_code, one.co_consts, other.co_consts))
    )


def _describe(statement):
    """Return a statement in one line; of a block only its head."""
    if hasattr(statement, "body"):
        fields = {field: getattr(statement, field) for field in statement._fields}
        fields |= {"body": [ast.Expr(ast.Constant(...))]}
        for name in ("orelse", "finalbody", "handlers", "decorator_list"):
            if name in fields:
                fields[name] = []
        statement = type(statement)(**fields)
        if isinstance(statement, ast.Try):
            return "try:"
    return " ".join(ast.unparse(ast.fix_missing_locations(statement)).removesuffix("...").split())


def _show_difference(old, new):
    before, after = _TOKENS.findall(old), _TOKENS.findall(new)
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    head, tail = "".join(before[:start]), "".join(before[len(before) - end :])
    gone, come = "".join(before[start : len(before) - end]), "".join(after[start : len(after) - end])
    return f"{head[-_AROUND:]}{{{_shorten(gone)} -> {_shorten(come)}}}{tail[:_AROUND]}".strip()


def _shorten(text):
    return text if len(text) <= 3 * _AROUND else f"{text[:_AROUND]} ... {text[-_AROUND:]}"


def choose(programs, count, seed, fits=lambda path, site: True):
    """Return a sample that stays the same for a seed and the same files.

    :param dict programs: ``{path: Program}``
    :param count: how many, or ``None`` for all
    :param int seed: of the draw
    :param fits: says whether a site of a path counts
    :rtype: list[Mutant]
    """
    pool = [
        (path, number)
        for path in sorted(programs)
        for number, site in enumerate(programs[path].sites)
        if fits(path, site)
    ]
    if count is not None:
        random.Random(seed).shuffle(pool)
    chosen = []
    for path, number in pool:
        if count is not None and len(chosen) >= count:
            break
        if programs[path].differs(number):
            chosen.append((path, number))
    mutants = {path: programs[path].mutants(path) for path in {path for path, _number in chosen}}
    return [mutants[path][number] for path, number in sorted(chosen)]
