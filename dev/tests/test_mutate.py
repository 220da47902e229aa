import ast
import textwrap
import unittest

from dev.mutate import children, sql_faults
from dev.mutate.equivalents import EQUIVALENT
from dev.mutate.mutants import Program, choose

PROGRAM = '''
"""A text that is no program."""

from datetime import date

LIMIT = 60


class Debtor:
    """Somebody."""

    limit: int = 3

    def owes(self, items, day=None):
        """What is owed."""
        self.ensure_one()
        _logger.info("asked %s", 5)
        total = 0
        for item in items:
            if item.due < day and not item.paid:
                total += item.amount
                continue
            break
        return max(total, 0)
'''


def get_changes(text):
    """Return ``{operator: [what it changes]}`` of the lines of a function."""
    program = Program(f"def f(a, b, c, rows):\n{textwrap.indent(text, '    ')}\n")
    found = {}
    for mutant in program.mutants("x.py"):
        if program.differs(mutant.number):
            found.setdefault(mutant.kind, []).append(mutant.change)
    return found


class TestOperators(unittest.TestCase):
    def test_each_operator_makes_the_change_that_it_says(self):
        for text, kind, changes in (
            ("return a < b", "comparison", ["return a {< -> >=} b"]),
            ("return a < b", "boundary", ["return a <{ -> =} b"]),
            ("return a >= b", "boundary", ["return a >{= -> } b"]),
            ("return a == b", "comparison", ["return a {= -> !}= b"]),
            ("return a in b", "comparison", ["return a { -> not }in b"]),
            ("return a is None", "comparison", ["return a is { -> not }None"]),
            ("return a <= b < c", "boundary", ["return a <{= -> } b < c", "return a <= b <{ -> =} c"]),
            ("return a + b", "arithmetic", ["return a {+ -> -} b"]),
            ("return a / b", "arithmetic", ["return a {/ -> *} b"]),
            ("a -= b", "arithmetic", ["a {- -> +}= b"]),
            ("return a and b", "and/or", ["return a {and -> or} b"]),
            (
                "return a or b or c",
                "operand dropped",
                ["return {a or  -> }b or c", "return a or {b or  -> }c", "return a or b{ or c -> }"],
            ),
            ("return not a", "not dropped", ["return {not  -> }a"]),
            ("return -a", "sign", ["return {- -> }a"]),
            ("return a[5]", "constant", ["return a[{5 -> 6}]", "return a[{5 -> 4}]"]),
            ("return f(a, c=True)", "constant", ["return f(a, c={True -> False})"]),
            ("if a:\n    b()", "condition negated", ["if { -> not }a:"]),
            ("if a:\n    b()", "condition true", ["if {a -> True}:"]),
            ("if a:\n    b()", "condition false", ["if {a -> False}:"]),
            ("return [b for b in rows if b.c]", "condition true", ["return [b for b in rows if {b.c -> True}]"]),
            ("return b if a else c", "condition false", ["return b if {a -> False} else c"]),
            ("while a:\n    b()", "condition false", ["while {a -> False}:"]),
            ("return a", "returns None", ["return {a -> None}"]),
            ("a.b()", "statement removed", ["{a.b() -> pass}"]),
            ("a.b = c", "statement removed", ["{a.b = c -> pass}"]),
            ("raise a", "statement removed", ["{raise a -> pass}"]),
            ("for b in a:\n    break", "break continues", ["{break -> continue}"]),
            ("for b in a:\n    continue", "continue breaks", ["{continue -> break}"]),
            ("return c(a, b)", "arguments swapped", ["return c({a, b -> b, a})"]),
            ("return min(a, b)", "min/max", ["return {min -> max}(a, b)"]),
            ("return any(a)", "any/all", ["return {any -> all}(a)"]),
            ("return a[b:c]", "slice", ["return a[{b -> }:c]", "return a[b:{c -> }]"]),
            ("return [('x', '<', a)]", "domain operator", ["return [('x', '<{ -> =}', a)]"]),
            ("return Domain('x', 'in', a)", "domain operator", ["return Domain('x', '{ -> not }in', a)"]),
            (
                "return [('x', '=', a), ('y', '=', b)]",
                "domain condition dropped",
                ["return [('{x', '=', a), (' -> }y', '=', b)]", "return [('x', '=', a){, ('y', '=', b) -> }]"],
            ),
            ("return SQL('SELECT 1 WHERE a < 2')", "SQL boundary", ["return SQL('SELECT 1 WHERE a <{ -> =} 2')"]),
        ):
            with self.subTest(text=text, kind=kind):
                self.assertEqual(get_changes(text).get(kind), changes)

    def test_what_is_left_alone(self):
        changes = {mutant.change for mutant in Program(PROGRAM).mutants("x.py")}
        self.assertFalse(
            [
                change
                for change in changes
                if "asked" in change or "text" in change or "import" in change or "ensure" in change
            ]
        )
        self.assertIn("LIMIT = {60 -> 61}", changes)
        self.assertIn("limit: int = {3 -> 2}", changes)
        self.assertNotIn("{total = 0 -> pass}", get_changes("total = 0\nreturn total").get("statement removed", []))
        self.assertNotIn("arguments swapped", get_changes("return min(a, b)"))
        self.assertNotIn("arithmetic", get_changes("return 'x' + a"))
        self.assertNotIn("domain condition dropped", get_changes("return ['|', ('x', '=', a), ('y', '=', b)]"))


class TestSql(unittest.TestCase):
    def assertFaults(self, text, kind, expected):
        self.assertEqual([new for found, new in sql_faults.find(text) if found == kind], expected)

    def test_conditions(self):
        text = "SELECT id FROM t WHERE a = %s AND b BETWEEN 1 AND 2 GROUP BY id HAVING SUM(c) > 0"
        self.assertFaults(
            text,
            "SQL condition dropped",
            [
                text.replace("a = %s", "(a = %s OR TRUE)"),
                text.replace("b BETWEEN 1 AND 2", "(b BETWEEN 1 AND 2 OR TRUE)"),
                text.replace("SUM(c) > 0", "(SUM(c) > 0 OR TRUE)"),
            ],
        )
        self.assertFaults(text, "SQL and/or", [text.replace("%s AND", "%s OR")])

    def test_nested_conditions(self):
        text = "WHERE EXISTS (SELECT 1 FROM t WHERE CASE WHEN a THEN b ELSE c END) OR d IS DISTINCT FROM e"
        self.assertFaults(
            text,
            "SQL condition dropped",
            [
                "WHERE (EXISTS (SELECT 1 FROM t WHERE CASE WHEN a THEN b ELSE c END) OR TRUE) OR d IS DISTINCT FROM e",
                "WHERE EXISTS (SELECT 1 FROM t WHERE (CASE WHEN a THEN b ELSE c END OR TRUE)) OR d IS DISTINCT FROM e",
                "WHERE EXISTS (SELECT 1 FROM t WHERE CASE WHEN (a OR TRUE) THEN b ELSE c END) OR d IS DISTINCT FROM e",
                text.replace("d IS DISTINCT FROM e", "(d IS DISTINCT FROM e AND FALSE)"),
            ],
        )

    def test_constants(self):
        text = "SELECT 1, 'open' AS kind FROM t WHERE state = 'open' AND days > 30 LIMIT 5 -- 7 days"
        self.assertFaults(
            text,
            "SQL constant",
            [
                text.replace("'open' AS", "'openx' AS"),
                text.replace("= 'open'", "= 'openx'"),
                text.replace("30", "31"),
            ],
        )

    def test_part_of_a_text_ends_nowhere(self):
        self.assertEqual(
            [new for kind, new in sql_faults.find("AND a AND b ", True) if kind == "SQL condition dropped"],
            ["AND (a OR TRUE) AND b "],
        )

    def test_other_texts(self):
        for text in ("Who is called and where", "a < b", "and 5 days", ""):
            self.assertEqual(sql_faults.find(text), [])


class TestMutants(unittest.TestCase):
    def test_no_mutant_is_the_program_itself(self):
        program = Program(PROGRAM)
        before = ast.dump(program.tree)
        whole = compile(program.tree, "x", "exec")
        for mutant in choose({"x.py": program}, None, 0):
            self.assertNotEqual(program.compile(mutant.number, "x"), whole, mutant)
        self.assertEqual(ast.dump(program.tree), before, "and the program stays as it is")
        same = Program("def f(a):\n    return None\n    x = 5\n")
        self.assertEqual(choose({"x.py": same}, None, 0), [], "a fault that never runs is none")

    def test_names_are_different_and_survive_moves(self):
        names = [(mutant.function, mutant.change) for mutant in Program(PROGRAM).mutants("x.py")]
        self.assertEqual(len(names), len(set(names)))
        moved = Program(
            "\n\nimport os\n\ndef other():\n    return 1\n" + PROGRAM.replace("from datetime import date", "")
        )
        self.assertLessEqual(set(names), {(mutant.function, mutant.change) for mutant in moved.mutants("y.py")})
        self.assertIn("Debtor.owes", {function for function, _change in names})

    def test_lines(self):
        program = Program("x = 1\n\n\ndef f(a):\n    if a < 5:\n        return a\n")
        self.assertEqual({mutant.line for mutant in program.mutants("x.py")}, {1, 5, 6})

    def test_sample_is_stable(self):
        programs = {name: Program(PROGRAM) for name in ("a.py", "b.py")}
        again = {name: Program(PROGRAM) for name in ("b.py", "a.py")}
        self.assertEqual(choose(programs, 10, 3), choose(again, 10, 3))
        self.assertEqual(len(choose(programs, 10, 3)), 10)
        self.assertNotEqual(choose(programs, 10, 3), choose(programs, 10, 4))
        self.assertEqual(choose(programs, 10_000, 3), choose(programs, None, 4), "all, when there are no more")
        within = choose(programs, None, 1, lambda path, site: path == "a.py" and site.function)
        self.assertEqual({mutant.path for mutant in within}, {"a.py"})
        self.assertNotIn("(module)", {mutant.function for mutant in within})

    def test_each_equivalent_has_a_reason_of_its_own(self):
        names = [name for found in EQUIVALENT.values() for name in found]
        self.assertEqual(len(names), len(set(names)))
        self.assertTrue(all(len(name) == 3 and all(name) for name in names))
        self.assertTrue(all(len(reason) > 15 for reason in EQUIVALENT))


class TestChildren(unittest.TestCase):
    def test_what_becomes_of_a_job(self):
        def work(job):
            if job == "loop":
                while True:
                    pass
            return {"exit": lambda: 1 / 0, "good": lambda: {"x": job * 50_000}}[job]()

        answers = {
            job: answer for job, answer, _seconds in children.run(["good", "exit", "loop"], work, lambda _job: 1, 2)
        }
        self.assertEqual(answers, {"good": {"x": "good" * 50_000}, "exit": children.DIED, "loop": children.TIMEOUT})
