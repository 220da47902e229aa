"""Faults that can be planted in a Python program, one at a time."""

import ast
import contextlib
import re

from . import sql_faults

_REVERSED = {
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_BOUNDARY = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
_ARITHMETIC = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_TWINS = {"min": "max", "max": "min", "any": "all", "all": "any"}
# Their arguments swapped raise at once, which says nothing about the tests.
_NOT_SWAPPED = {"isinstance", "issubclass", "getattr", "setattr", "hasattr", "Domain", "SQL", "_", "min", "max"}
_DOMAIN_OPERATORS = {
    "=": "!=",
    "!=": "=",
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "in": "not in",
    "not in": "in",
}
_SKIPPED_FIELDS = {"annotation", "returns", "decorator_list", "type_comment", "type_params"}
_NO_TEXT = (ast.Constant, ast.JoinedStr, ast.List, ast.Tuple)


class Site:
    """One place of a syntax tree with what may stand there instead.

    :param list place: the node that holds it, the name of its field, and the index in it or ``None``
    :param str kind: the operator's name
    :param new: the node that replaces the one there
    :param str function: dotted name of the function or class around it, empty on the module's own level
    :param ast.stmt statement: the statement around it
    """

    __slots__ = ("function", "kind", "new", "outermost", "place", "statement")

    def __init__(self, place, kind, new, function, outermost, statement):
        self.place = place
        self.kind = kind
        self.new = new
        self.function = function
        self.outermost = outermost
        self.statement = statement

    @property
    def line(self):
        """:return: the line of the place, from 1
        :rtype: int
        """
        return getattr(self._get(), "lineno", self.statement.lineno)

    def _get(self):
        owner, field, index = self.place
        value = getattr(owner, field)
        return value if index is None else value[index]

    def _set(self, node):
        owner, field, index = self.place
        if index is None:
            setattr(owner, field, node)
        else:
            getattr(owner, field)[index] = node

    @contextlib.contextmanager
    def planted(self):
        """Have the fault in the tree for the length of a block."""
        old = self._get()
        new = ast.copy_location(self.new, old)
        ast.fix_missing_locations(new)
        self._set(new)
        try:
            yield
        finally:
            self._set(old)


def find(tree):
    """Return all faults that the operators can plant.

    :param ast.Module tree: the program; stays as it is
    :rtype: list[Site]
    """
    finder = _Finder()
    finder.walk_body(tree, "body", _Context())
    return finder.sites


class _Context:
    """What stands around a node."""

    def __init__(self, function="", outermost=None, statement=None, names=frozenset()):
        self.function = function
        self.outermost = outermost
        self.statement = statement
        self.names = names

    def inside(self, node):
        name = f"{self.function}.{node.name}" if self.function else node.name
        is_function = not isinstance(node, ast.ClassDef)
        names = _assigned_twice(node) if is_function else frozenset()
        return _Context(name, self.outermost or (node if is_function else None), node, names)

    def at(self, statement):
        return _Context(self.function, self.outermost, statement, self.names)


def _assigned_twice(function):
    """Return the names that a function gives more than one value: without one, the program still runs."""
    seen, twice = set(), set()
    for argument in ast.walk(function.args):
        if isinstance(argument, ast.arg):
            seen.add(argument.arg)
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            (twice if node.id in seen else seen).add(node.id)
    return frozenset(twice)


class _Finder:
    """Goes through a tree and keeps the sites."""

    def __init__(self):
        self.sites = []

    def _add(self, place, kind, new, context):
        self.sites.append(Site(place, kind, new, context.function, context.outermost, context.statement))

    # === STATEMENTS === #

    def walk_body(self, owner, field, context):
        for index, node in enumerate(getattr(owner, field)):
            self._statement((owner, field, index), node, context)

    def _statement(self, place, node, context):
        if isinstance(node, (ast.Import, ast.ImportFrom)) or _is_text(node) or _is_aside(node):
            return
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            within = context.inside(node)
            if not isinstance(node, ast.ClassDef):
                self._fields(node.args, within, ("defaults", "kw_defaults"))
            self.walk_body(node, "body", within)
            return
        context = context.at(node)
        self._change_statement(place, node, context)
        for field in ("body", "orelse", "finalbody"):
            if isinstance(getattr(node, field, None), list):
                self.walk_body(node, field, context)
        for handler in getattr(node, "handlers", ()):
            self.walk_body(handler, "body", context)
        skipped = {"body", "orelse", "finalbody", "handlers", "targets", "target"}
        fields = [field for field in node._fields if field not in skipped | _SKIPPED_FIELDS]
        self._fields(node, context, fields)

    def _change_statement(self, place, node, context):
        if isinstance(node, (ast.AugAssign, ast.Raise, ast.Delete)) or (
            isinstance(node, ast.Expr) and isinstance(node.value, (ast.Call, ast.Yield))
        ):
            self._add(place, "statement removed", ast.Pass(), context)
        elif isinstance(node, ast.Assign) and self._can_go(node, context):
            self._add(place, "statement removed", ast.Pass(), context)
        elif isinstance(node, ast.Break):
            self._add(place, "break continues", ast.Continue(), context)
        elif isinstance(node, ast.Continue):
            self._add(place, "continue breaks", ast.Break(), context)
        elif isinstance(node, ast.If):
            self._change_test((node, "test", None), node.test, context)
        elif isinstance(node, ast.While):
            self._add((node, "test", None), "condition false", ast.Constant(False), context)
        elif isinstance(node, ast.Return) and not _is_none(node.value):
            self._add((node, "value", None), "returns None", ast.Constant(None), context)
        if isinstance(node, ast.AugAssign) and type(node.op) in _ARITHMETIC:
            new = ast.AugAssign(node.target, _ARITHMETIC[type(node.op)](), node.value)
            self._add(place, "arithmetic", new, context)

    def _change_test(self, place, test, context):
        # The comparison turned round says the same.
        if not (isinstance(test, ast.Compare) and len(test.ops) == 1) and not isinstance(test, ast.UnaryOp):
            self._add(place, "condition negated", ast.UnaryOp(ast.Not(), test), context)
        self._add(place, "condition true", ast.Constant(True), context)
        self._add(place, "condition false", ast.Constant(False), context)

    @staticmethod
    def _can_go(node, context):
        """Return whether the program still runs without an assignment."""
        names = [name for target in node.targets for name in ast.walk(target)]
        stored = [name for name in names if isinstance(getattr(name, "ctx", None), ast.Store)]
        return all(not isinstance(name, ast.Name) or name.id in context.names for name in stored)

    # === EXPRESSIONS === #

    def _fields(self, node, context, fields):
        for field in fields:
            value = getattr(node, field, None)
            if isinstance(value, ast.AST):
                self._expression((node, field, None), value, context)
            elif isinstance(value, list):
                for index, item in enumerate(value):
                    if isinstance(item, ast.AST):
                        self._expression((node, field, index), item, context)

    def _expression(self, place, node, context):
        if isinstance(node, ast.comprehension):
            for index, test in enumerate(node.ifs):
                self._change_test((node, "ifs", index), test, context)
        for kind, new in _replacements(node):
            self._add(place, kind, new, context)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            is_part = isinstance(place[0], ast.JoinedStr)
            for kind, text in sql_faults.find(node.value, is_part):
                self._add(place, kind, ast.Constant(text), context)
        skipped = {"format_spec", "ctx"}
        if isinstance(node, ast.Lambda):
            self._fields(node, context, ("body",))
        else:
            self._fields(node, context, [field for field in node._fields if field not in skipped | _SKIPPED_FIELDS])


def _is_text(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_none(node):
    return node is None or (isinstance(node, ast.Constant) and node.value is None)


def _is_aside(node):
    """Return whether a statement only writes to the log, or asks for what holds anyway: no test is about that."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return False
    return bool(re.match(r"_?logg(er|ing)\.|.*\.ensure_one$", ast.unparse(node.value.func)))


def _replacements(node):
    """Return pairs of an operator's name and a node that could stand in place of one."""
    change = _CHANGES.get(type(node))
    return list(change(node)) if change else []


def _change_compare(node):
    for index, operator in enumerate(node.ops):
        for kind, table in (("comparison", _REVERSED), ("boundary", _BOUNDARY)):
            if type(operator) in table:
                ops = [*node.ops[:index], table[type(operator)](), *node.ops[index + 1 :]]
                yield kind, ast.Compare(node.left, ops, node.comparators)


def _change_binary(node):
    if type(node.op) in _ARITHMETIC and not _is_joining(node):
        yield "arithmetic", ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right)


def _is_joining(node):
    """Return whether an operator joins texts or lists, and so does not calculate."""
    return any(
        isinstance(side, _NO_TEXT) and not (isinstance(side, ast.Constant) and not isinstance(side.value, str))
        for side in (node.left, node.right)
    )


def _change_boolean(node):
    yield "and/or", ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    for index in range(len(node.values)):
        rest = [*node.values[:index], *node.values[index + 1 :]]
        yield "operand dropped", rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _change_unary(node):
    if isinstance(node.op, ast.Not):
        yield "not dropped", node.operand
    elif isinstance(node.op, ast.USub):
        yield "sign", node.operand


def _change_constant(node):
    if isinstance(node.value, bool):
        yield "constant", ast.Constant(not node.value)
    elif isinstance(node.value, (int, float)):
        yield "constant", ast.Constant(node.value + 1)
        yield "constant", ast.Constant(node.value - 1)


def _change_choice(node):
    yield "condition true", ast.IfExp(ast.Constant(True), node.body, node.orelse)
    yield "condition false", ast.IfExp(ast.Constant(False), node.body, node.orelse)


def _change_call(node):
    name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
    if name in _TWINS and isinstance(node.func, ast.Name):
        yield f"{name}/{_TWINS[name]}", ast.Call(ast.Name(_TWINS[name], ast.Load()), node.args, node.keywords)
    first_two = node.args[:2]
    if len(first_two) == 2 and name not in _NOT_SWAPPED and not any(isinstance(arg, ast.Starred) for arg in first_two):
        if ast.dump(first_two[0]) != ast.dump(first_two[1]):
            yield "arguments swapped", ast.Call(node.func, [*reversed(first_two), *node.args[2:]], node.keywords)
    if name == "Domain" and len(node.args) == 3:
        for new in _change_operator(node.args):
            yield "domain operator", ast.Call(node.func, new, node.keywords)


def _change_slice(node):
    if node.lower:
        yield "slice", ast.Slice(None, node.upper, node.step)
    if node.upper:
        yield "slice", ast.Slice(node.lower, None, node.step)


def _change_tuple(node):
    if len(node.elts) == 3 and isinstance(node.ctx, ast.Load):
        for new in _change_operator(node.elts):
            yield "domain operator", ast.Tuple(new, node.ctx)


def _change_operator(elements):
    """Return the parts of a condition of an Odoo domain with another operator."""
    field, operator, _value = elements
    if all(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in (field, operator)):
        if operator.value in _DOMAIN_OPERATORS:
            yield [field, ast.Constant(_DOMAIN_OPERATORS[operator.value]), elements[2]]


def _change_list(node):
    leaves = [
        index for index, item in enumerate(node.elts) if isinstance(item, ast.Tuple) and list(_change_tuple(item))
    ]
    has_prefix = any(isinstance(item, ast.Constant) and item.value in ("|", "&", "!") for item in node.elts)
    for index in [] if has_prefix else leaves:
        yield "domain condition dropped", ast.List([*node.elts[:index], *node.elts[index + 1 :]], node.ctx)


_CHANGES = {
    ast.Compare: _change_compare,
    ast.BinOp: _change_binary,
    ast.BoolOp: _change_boolean,
    ast.UnaryOp: _change_unary,
    ast.Constant: _change_constant,
    ast.IfExp: _change_choice,
    ast.Call: _change_call,
    ast.Slice: _change_slice,
    ast.Tuple: _change_tuple,
    ast.List: _change_list,
}
