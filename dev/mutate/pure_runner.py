"""The mutants of tools/, in a Python that can't import Odoo.

Run with a copy of the repository as the current folder: ``python -m dev.mutate.pure_runner JOBS RESULTS``. JOBS is a
JSON file ``{"mutants": [[path, number]], "cover": file}``, RESULTS gets one line of JSON for each mutant as it ends.

A test is run for a mutant only when it comes by the mutant's statement: what does not run it can't notice it.
"""

import ast
import contextlib
import doctest
import importlib
import importlib.machinery
import importlib.util
import itertools
import json
import pathlib
import resource
import sys
import threading
import time
import unittest

from dev.mutate import children
from dev.mutate.mutants import Program

_MEMORY = 4 << 30
_LEAST_SECONDS = 5
# Seconds of tests that a mutant gets, as measured while every line was followed: about twice what they take.
_MOST_SECONDS = 8
# What takes long to load, and is no part of the tests.
_HEAVY = ("hypothesis", "hypothesis.strategies", "openpyxl", "xlrd", "xlsxwriter", "holidays", "dateutil.relativedelta")


def main(jobs_file, results_file):
    """Run the tests on each mutant.

    :param str jobs_file: the mutants
    :param str results_file: where the outcomes go
    """
    jobs = json.loads(pathlib.Path(jobs_file).read_text())
    _prepare()
    cover = _get_cover(pathlib.Path(jobs["cover"]))
    programs = {path: Program(pathlib.Path(path).read_text()) for path in {path for path, _number in jobs["mutants"]}}
    bench = Bench(programs, cover)
    with open(results_file, "w") as results:
        for job, answer, seconds in children.run(jobs["mutants"], bench.work, bench.get_limit, children.workers()):
            by = answer if isinstance(answer, str) else answer["by"]
            line = {"path": job[0], "number": job[1], "by": by, "seconds": round(seconds, 2)}
            line["tests"] = len(bench.get_tests(job))
            results.write(f"{json.dumps(line)}\n")
            results.flush()


def _prepare():
    """Load what all processes need, and have chance make the same examples each time."""
    # Whatever tools/ imports must not lead to Odoo.
    sys.modules["odoo"] = None
    for name in _HEAVY:
        importlib.import_module(name)
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    settings.register_profile(
        "mutate",
        derandomize=True,
        database=None,
        deadline=None,
        # The smallest example that fails is of no interest here.
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("mutate")
    # Which characters there are is worked out once, which takes seconds.
    given(st.text())(lambda text: None)()


# === WHICH TEST COMES BY WHICH LINE === #


def _get_cover(path):
    """Return ``{test: {"seconds": …, "lines": {path: [line]}}}``, kept from run to run in a file."""
    if path.exists():
        return json.loads(path.read_text())
    started = time.monotonic()
    print("Mutants: which test of tools/ comes by which line", flush=True)
    (_job, cover, _seconds), *_rest = children.run(["all"], lambda _job: _measure(), lambda _job: 1800)
    if isinstance(cover, str):
        sys.exit(f"The tests of tools/ can't be run one by one ({cover}).")
    if failed := [test for test, facts in cover.items() if not facts["good"]]:
        sys.exit(f"Tests fail already without a mutant: {', '.join(failed)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(cover))
    print(f"Mutants: {len(cover)} tests measured in {time.monotonic() - started:.0f} s", flush=True)
    return cover


def _measure():
    """Run each test in a process of its own, so that none lives on what another one has cached."""
    tests = _list_tests()
    found = {}
    for test, answer, _seconds in children.run(tests, _measure_test, lambda _test: 600, children.workers()):
        found[test] = {"good": False, "seconds": 0, "lines": {}} if isinstance(answer, str) else answer
    return found


def _list_tests():
    """Return the names of all tests: ``tools.tests.test_x.TestX.test_y``, and ``doctest:tools.x``."""
    loader, names = unittest.TestLoader(), []
    for path in sorted(pathlib.Path("tools").rglob("*.py")):
        module = ".".join(path.with_suffix("").parts)
        if "tests" not in path.parts:
            if path.stem != "__init__" and ">>>" in path.read_text():
                names.append(f"doctest:{module}")
        elif path.stem.startswith("test_"):
            names += (test.id() for test in _flatten(loader.loadTestsFromName(module)))
    return names


def _flatten(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _flatten(test)
        else:
            yield test


def _measure_test(name):
    lines = {}
    root = f"{pathlib.Path.cwd()}/"
    here = {}

    def follow(frame, event, _argument):
        if event == "line":
            here[frame.f_code.co_filename].add(frame.f_lineno)
        return follow

    def enter(frame, _event, _argument):
        path = frame.f_code.co_filename
        if path not in here:
            local = path.removeprefix(root)
            is_ours = local.startswith("tools/") and not local.startswith("tools/tests/")
            here[path] = lines.setdefault(local, set()) if is_ours else None
        return follow if here[path] is not None else None

    suite = _load(name)
    # Of this process, not of the clock: how busy the machine is must not decide what is run.
    started = time.process_time()
    threading.settrace(enter)
    sys.settrace(enter)
    try:
        good = _run(suite).wasSuccessful()
    finally:
        sys.settrace(None)
        threading.settrace(None)
    seconds = time.process_time() - started
    return {"good": good, "seconds": seconds, "lines": {path: sorted(numbers) for path, numbers in lines.items()}}


# === RUNNING TESTS === #


def _load(name):
    if name.startswith("doctest:"):
        return doctest.DocTestSuite(importlib.import_module(name.partition(":")[2]))
    return unittest.TestLoader().loadTestsFromName(name)


def _run(suite):
    result = unittest.TestResult()
    result.failfast = True
    suite.run(result)
    return result


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module from code that is at hand."""

    code = None

    def get_code(self, _fullname):
        return self.code


class _Finder:
    """Finds one module, before anything else does."""

    def __init__(self, name, path, code):
        self.name = name
        self.loader = _Loader(name, path)
        self.loader.code = code

    def find_spec(self, name, _path=None, _target=None):
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.loader.path, loader=self.loader)


class Bench:
    """Plants mutants and runs tests on them.

    :param dict programs: ``{path: Program}``
    :param dict cover: which test comes by which line, and how long it takes
    """

    def __init__(self, programs, cover):
        self.programs = programs
        self.cover = cover
        self.users = {path: _get_users(path) for path in programs}

    def get_tests(self, job):
        """:return: the tests that come by a mutant's statement, the quickest first, as many as there is time for
        :rtype: list[str]
        """
        path, number = job
        site = self.programs[path].sites[number]
        tests = [test for test, facts in self.cover.items() if self._comes_by(test, facts["lines"], path, site)]
        tests.sort(key=lambda test: self.cover[test]["seconds"])
        seconds = itertools.accumulate(self.cover[test]["seconds"] for test in tests)
        return [test for test, total in zip(tests, seconds, strict=True) if total <= _MOST_SECONDS]

    def _comes_by(self, test, lines, path, site):
        if site.outermost is None or site.statement is site.outermost:
            # Worked out when the module is loaded: whoever uses it, or what is made of it, may notice.
            users = self.users[path]
            return any(map(lines.get, users)) or _get_file(test) in users
        first, last = _get_lines(site.statement)
        return any(first <= line <= last for line in lines.get(path, ()))

    def get_limit(self, job):
        """:return: the seconds after which a mutant that goes on for ever is killed
        :rtype: float
        """
        return _LEAST_SECONDS + 3 * sum(self.cover[test]["seconds"] for test in self.get_tests(job))

    def work(self, job):
        """Run the tests on a mutant until one fails.

        :return: ``{"by": name of the test, empty when none noticed}``
        """
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        path, number = job
        name = ".".join(pathlib.Path(path).with_suffix("").parts)
        filename = str(pathlib.Path.cwd() / path)
        sys.meta_path.insert(0, _Finder(name, filename, self.programs[path].compile(number, filename)))
        for test in self.get_tests(job):
            try:
                good = _run(_load(test)).wasSuccessful()
            except Exception:
                good = False
            if not good:
                return {"by": test}
        return {"by": ""}


def _get_lines(statement):
    """Return the first and last line of a statement, of a block those of its head."""
    body = getattr(statement, "body", None)
    if isinstance(body, list):
        return statement.lineno, max(body[0].lineno - 1, statement.lineno)
    return statement.lineno, statement.end_lineno


def _get_users(path):
    """Return the files that a file's values come into: itself, and those that import it, at any remove."""
    imports = {other.as_posix(): _get_imports(other.read_text()) for other in pathlib.Path("tools").rglob("*.py")}
    found, size = {path}, 0
    while size != len(found):
        size = len(found)
        stems = {pathlib.Path(other.removesuffix("/__init__.py")).stem for other in found}
        found |= {other for other, names in imports.items() if names & stems}
    return found


def _get_file(test):
    """Return the file of a test: the examples stand in the module itself."""
    kind, _colon, module = test.rpartition(":")
    parts = module.split(".") if kind else test.split(".")[:-2]
    return f"{'/'.join(parts)}.py"


def _get_imports(text):
    """Return the last parts of the names that a program imports."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            names |= {(node.module or "").rpartition(".")[2], *(alias.name for alias in node.names)}
    return names


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main(*sys.argv[1:])
