"""The mutants of models/, report/ and wizard/, in an Odoo on a database with the addon.

Read by Odoo's shell. The addon is loaded once; each mutant is planted in a forked process, where the code of its
function takes the place of the code there was. Tests undo what they write, so that one database serves for all.

First, each test class is run once to see which functions each of its tests calls: a test is run for a mutant only when
it calls the mutant's function. That is kept from run to run, class by class, until the files of the tests change.
"""

import gc
import hashlib
import inspect
import json
import os
import pathlib
import re
import signal
import sys
import threading
import time
import types

import odoo
from odoo import sql_db
from odoo.tests import HttpCase
from odoo.tests.loader import get_module_test_cases, get_test_modules
from odoo.tests.result import OdooTestResult
from odoo.tests.suite import OdooSuite
from odoo.tests.tag_selector import TagsSelector

from . import children
from .mutants import Program

_ADDON = "account_collection"
_PREFIX = f"odoo.addons.{_ADDON}."
# Seconds of tests that a mutant gets, as measured once; what stands nearest to its file comes first.
_MOST_SECONDS = 90
_LEAST_SECONDS = 30
_SETUP = "setUpClass"
# They say nothing about what a file is about.
_COMMON_WORDS = {"collection", "account", "mixin", "models", "report", "wizard", "base", "item", "line", "py"}


def measure(env, cover_file, part, parts, near=()):
    """See which functions the tests call, for the classes of which that is not known yet.

    :param env: of the shell, whose cursor is closed
    :param str cover_file: where it is kept
    :param near: paths of files; only the classes whose name has a part in common with one; all when empty
    :param int part: which part of the classes, from 0
    :param int parts: how many parts there are
    """
    classes = _prepare(env)
    known = _read(cover_file)
    names = [name for name in sorted(classes) if known.get(name, {}).get("digest") != _get_digest(classes[name])]
    names = [name for name in names if not near or any(_count_shared(path, name) for path in near)]
    work = _Measurement(classes).measure
    with open(f"{cover_file}.{part}", "w") as output:
        for name, answer, seconds in children.run(names[part::parts], work, lambda _name: 1200):
            if isinstance(answer, dict):
                output.write(f"{json.dumps({name: answer})}\n")
                output.flush()
            print(f"@ {json.dumps({'class': name, 'good': isinstance(answer, dict), 'seconds': seconds})}", flush=True)
    # The shell would go on with a cursor that is closed.
    os._exit(0)


def run(env, jobs_file, results_file):
    """Run the tests on each mutant.

    :param env: of the shell, whose cursor is closed
    :param str jobs_file: JSON ``{"root": folder of the addon, "mutants": [[path, number]], "cover": file}``
    :param str results_file: gets one line of JSON for each mutant as it ends
    """
    jobs = _read(jobs_file)
    bench = Bench(_prepare(env), jobs["root"], jobs["mutants"], _read(jobs["cover"]))
    with open(results_file, "w") as results:
        for job in jobs["mutants"]:
            results.write(f"{json.dumps(bench.try_mutant(job))}\n")
            results.flush()
            print("@ {}", flush=True)
    os._exit(0)


def _read(path):
    path = pathlib.Path(path)
    return json.loads(path.read_text()) if path.exists() else {}


def _prepare(env):
    """Get ready to fork: no connection may be shared.

    :return: ``{name of a test class: [its tests]}``
    """
    # Ended from outside, it ends its children.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    threading.current_thread().dbname = env.cr.dbname
    threading.current_thread().testing = True
    env.cr.close()
    odoo.tools.config["test_enable"] = True
    wanted, standard = TagsSelector("post_install"), TagsSelector("standard")
    classes = {}
    for module in get_test_modules(_ADDON):
        for test in get_module_test_cases(module):
            # A forked process has no server that answers.
            if wanted.check(test) and standard.check(test) and not isinstance(test, HttpCase):
                classes.setdefault(type(test).__name__, []).append(test)
    sql_db.close_all()
    return classes


def _get_digest(tests):
    """Return a digest of the files that a test class is made of."""
    files = {inspect.getfile(base) for base in type(tests[0]).__mro__ if base.__module__.startswith(_PREFIX)}
    texts = [pathlib.Path(path).read_bytes() for path in sorted(files, key=os.path.basename)]
    return hashlib.sha256(b"".join(texts)).hexdigest()[:16]


class _Result(OdooTestResult):
    """Stops at the first failure, and knows it."""

    first = None

    def _fail(self, test):
        self.first = self.first or getattr(test, "test_case", test).id()
        self.shouldStop = True

    def addError(self, test, err):
        super().addError(test, err)
        self._fail(test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._fail(test)


def _run_tests(tests):
    """Return the name of the first test that fails, or an empty string."""
    result = _Result()
    odoo.modules.module.current_test = True
    OdooSuite(tests)(result)
    return result.first or ""


# === WHICH TEST CALLS WHICH FUNCTION === #


class _Measurement:
    """Follows the calls of test classes."""

    def __init__(self, classes):
        self.classes = classes
        self.called = set()

    def _enter(self, frame, _event, _argument):
        if frame.f_globals.get("__name__", "").startswith(_PREFIX):
            self.called.add(getattr(frame.f_code, "co_qualname", frame.f_code.co_name))

    def measure(self, name):
        """:return: ``{"digest": …, "tests": {method: [seconds, [function]]}}``, with ``setUpClass`` among the tests"""
        tests = self.classes[name]
        found = {}
        measurement = self

        class Result(OdooTestResult):
            def startTest(self, test):
                measurement._note(found, _SETUP)
                super().startTest(test)

            def stopTest(self, test):
                super().stopTest(test)
                measurement._note(found, test._testMethodName)

        self.started = time.process_time()
        threading.settrace(self._enter)
        sys.settrace(self._enter)
        OdooSuite(tests)(Result())
        sys.settrace(None)
        return {"digest": _get_digest(tests), "tests": found}

    def _note(self, found, name):
        now = time.process_time()
        if name not in found:
            # A nested function belongs to the one around it.
            functions = {function.partition(".<locals>")[0] for function in self.called}
            found[name] = [round(now - self.started, 2), sorted(functions)]
        self.called.clear()
        self.started = now


# === MUTANTS === #


class Bench:
    """Plants mutants and runs tests on them.

    :param dict classes: ``{name of a test class: [its tests]}``
    :param str root: the addon's folder
    :param list mutants: pairs ``[path, number]``
    :param dict cover: which test calls which function
    """

    def __init__(self, classes, root, mutants, cover):
        self.root = pathlib.Path(root)
        self.classes = classes
        self.cover = {name: facts["tests"] for name, facts in cover.items() if name in classes}
        self.programs = {path: Program((self.root / path).read_text()) for path in {path for path, _number in mutants}}
        self.functions = self._find_functions()
        self.bad, self.good = set(), set()

    def _find_functions(self):
        """Return the functions of the addon, as they are loaded, by their module, name and first line."""
        found = {}
        for thing in gc.get_objects():
            if isinstance(thing, types.FunctionType) and str(thing.__module__).startswith(_PREFIX):
                code = thing.__code__
                key = (thing.__module__, code.co_name, code.co_firstlineno)
                found.setdefault(key, []).append(thing)
        return found

    def try_mutant(self, job):
        """Run the tests on a mutant; a test that fails without it too is left out.

        :return: ``{"path", "number", "by": test, "seconds", "tests": how many were to be run}``
        """
        started = time.monotonic()
        while True:
            tests, limit = self._choose(job)
            [(_job, answer, _seconds)] = children.run([(job, tests)], self._work, lambda _job, limit=limit: limit)
            by = answer if isinstance(answer, str) else answer["by"]
            if by in (children.TIMEOUT, children.DIED, "", "refused") or not self._fails_anyway(by, tests):
                break
        seconds = round(time.monotonic() - started, 1)
        return {"path": job[0], "number": job[1], "by": by, "seconds": seconds, "tests": len(tests)}

    def _fails_anyway(self, name, tests):
        """Return whether a test fails without a mutant; then it is never asked again."""
        if name in self.good:
            return False
        within = [test for test in tests if test.id() == name] or tests
        [(_job, answer, _seconds)] = children.run([name], lambda _name: {"by": _run_tests(within)}, lambda _name: 600)
        if answer == {"by": ""}:
            self.good.add(name)
            return False
        print(f"@ {json.dumps({'bad': name})}", flush=True)
        self.bad.add(name)
        # A class that can't be set up has no test of its own to leave out.
        self.bad |= {test.id() for test in within} if name not in {test.id() for test in tests} else set()
        return True

    def _choose(self, job):
        """Return the tests that call a mutant's function, nearest first, and how many seconds they may take."""
        path, number = job
        function = self.programs[path].sites[number].function
        ranked = sorted(self._get_calling(function), key=lambda found: self._get_rank(path, found))
        chosen, total = [], 0
        for name, methods in ranked:
            seconds = self.cover[name].get(_SETUP, [5])[0] + sum(self.cover[name][method][0] for method in methods)
            if chosen and total + seconds > _MOST_SECONDS:
                continue
            total += seconds
            tests = [
                test for test in self.classes[name] if test._testMethodName in methods and test.id() not in self.bad
            ]
            # Who does little besides notices soonest.
            chosen += sorted(tests, key=lambda test: len(self.cover[name][test._testMethodName][1]))
        return chosen, _LEAST_SECONDS + 3 * total

    def _get_calling(self, function):
        """Return pairs ``(test class, methods)`` of the tests that call a function."""
        found = []
        for name, tests in self.cover.items():
            in_setup = _calls(tests.get(_SETUP), function)
            methods = [method for method in tests if method != _SETUP and (in_setup or _calls(tests[method], function))]
            if methods:
                found.append((name, methods))
        return found

    def _get_rank(self, path, found):
        """Return what sorts the classes nearest to a file to the front."""
        name, methods = found
        return -_count_shared(path, name), -len(methods), name

    def _work(self, job_and_tests):
        job, tests = job_and_tests
        return {"by": _run_tests(tests)} if self._plant(*job) else {"by": "refused"}

    def _plant(self, path, number):
        """Put the code of a mutant in the place of its function's.

        :return: whether the function was found and takes it
        """
        program = self.programs[path]
        module = _PREFIX + ".".join(pathlib.Path(path).with_suffix("").parts)
        outermost = program.sites[number].outermost
        line = min(node.lineno for node in (outermost, *outermost.decorator_list))
        functions = self.functions.get((module, outermost.name, line), [])
        code = _find_code(program.compile(number, str(self.root / path)), outermost.name, line)
        try:
            for function in functions:
                function.__code__ = code
        except ValueError:
            # Another number of variables from around it.
            return False
        return bool(functions)


def _count_shared(path, name):
    """Return how many words of a file's path the name of a test class has."""
    words = {word.rstrip("s") for word in re.split(r"[_/.]", path)} - _COMMON_WORDS
    return sum(word in name.lower() for word in words if len(word) > 2)


def _calls(facts, function):
    return bool(facts) and function.partition(".<locals>")[0] in facts[1]


def _find_code(code, name, line):
    """Return the code of a function within that of its module."""
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            if constant.co_name == name and constant.co_firstlineno == line:
                return constant
            if found := _find_code(constant, name, line):
                return found
    return None
