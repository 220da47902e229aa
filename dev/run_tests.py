"""``make test``: the pure-Python tests, Odoo's suite in a fresh database, workers that are killed, and the demo data.

A run fails when a test fails, when Odoo warns of anything, when no test ran, and, in CI, when a
test was skipped (a missing browser must not look like a pass).
"""

import ast
import concurrent.futures
import dataclasses
import json
import os
import subprocess
import sys
import tempfile

from . import databases, environment, odoo_log
from .console import log
from .paths import CACHE, LOGS, NAME, ROOT
from .soak import run_soak


@dataclasses.dataclass
class Outcome:
    """How many tests passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Outcome(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)


def run(selection):
    """Run the tests and print the closing line.

    :param str selection: empty for all; Odoo test tags for a part of its suite; ``pure`` or
        ``pure:NAME`` for the tests without Odoo, or those with NAME in their name; ``processes``
        for the workers that compete and are killed
    :return: whether all is well
    :rtype: bool
    """
    if not selection:
        outcome = _run_all()
    elif selection.startswith("pure"):
        outcome = _run_pure(selection.partition(":")[2])
    elif selection == "processes":
        outcome = Outcome(*run_soak.run("short"))
    else:
        outcome = _run_odoo(selection)
    return _conclude(outcome)


def _run_all():
    """Run Odoo's suite in two halves and, beside them, the tests without Odoo and the demo data: on two cores."""
    env = environment.set_up(browser=True)
    first, second = (",".join(f"/{NAME}:{name}" for name in half) for half in _split_suite())
    jobs = (
        lambda: _run_suite(env, first, and_processes=True),
        lambda: _run_pure("") + _run_suite(env, f"collection_demo/{NAME}", "demotest", demo=True),
        lambda: _run_suite(env, second, "othertest"),
    )
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(job) for job in jobs]
        return sum((future.result() for future in futures), Outcome())


def _split_suite():
    """Return the names of the test classes in two halves with about as many tests.

    Every class with a test is in one of them, whatever the file.
    """
    sizes = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                methods = (child.name for child in node.body if isinstance(child, ast.FunctionDef))
                sizes[node.name] = sum(name.startswith("test") for name in methods)
    halves = [], []
    # The first job of the second core is short: its half may be a little larger.
    weights = [0, -sum(sizes.values()) // 8]
    for name, size in sorted(sizes.items(), key=lambda pair: -pair[1]):
        smaller = weights.index(min(weights))
        if size:
            halves[smaller].append(name)
            weights[smaller] += size
    return halves


def soak():
    """Run what takes long: random ledgers, workbooks in LibreOffice, and workers killed over a thousand actions.

    :return: whether all is well
    :rtype: bool
    """
    os.environ["COLLECTION_SOAK"] = "1"
    outcome = _run_odoo(
        f"/{NAME}:TestReference,/{NAME}:TestConservation,/{NAME}:TestRecapReference,collection_soak/{NAME}"
    )
    outcome += Outcome(*run_soak.run("long"))
    return _conclude(outcome)


def _conclude(outcome):
    print(f"{outcome.passed} passed, {outcome.failed} failed, {outcome.skipped} skipped")
    skips_count = bool(os.environ.get("CI"))
    return bool(outcome.passed and not outcome.failed and not (skips_count and outcome.skipped))


def _run_pure(name):
    """Run the tests of tools/ in a Python that can't import Odoo.

    :param str name: a part of the names of the tests to run, or an empty string
    """
    _source, python = environment.python_only()
    log("Tests: tools/, without Odoo")
    with tempfile.NamedTemporaryFile("r", dir=CACHE, suffix=".json") as result:
        environ = {
            **os.environ,
            "PYTHONPYCACHEPREFIX": str(CACHE / "pycache"),
            "HYPOTHESIS_STORAGE_DIRECTORY": str(CACHE / "hypothesis"),
        }
        subprocess.run(
            [python / "bin/python", "-m", "dev.pure_tests", result.name, name],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        text = result.read()
    if not text:
        print("The tests of tools/ broke off.")
        return Outcome(failed=1)
    return Outcome(**json.loads(text))


def _run_odoo(tags):
    env = environment.set_up(browser=True)
    return _run_suite(env, tags)


def _run_suite(env, tags, purpose="test", demo=False, and_processes=False):
    """Install the addon in a fresh database and run the tests that carry ``tags``.

    :param str purpose: what the database is named after; suites that run at once need different ones

    :param bool demo: with the demo data, which must load cleanly
    :param bool and_processes: have workers compete in that database afterwards
    """
    processes = Outcome()
    with databases.temporary(env, purpose, demo=demo) as database:
        logfile = LOGS / f"{database}.log"
        log(f"Tests: {tags if len(tags) < 200 else 'a part of the suite'} in Odoo, log in {logfile}")
        options = ["-d", database, "-i", NAME, "--test-tags", tags, "--stop-after-init"]
        options += ["--http-port", str(environment.free_port())]
        ended_well = _follow(env, options, logfile)
        if and_processes and ended_well:
            processes = Outcome(*run_soak.run_on(env, database, "short"))
    report = odoo_log.read(logfile)
    for reason in report.skipped:
        print(f"skipped: {reason}")
    failed = report.failed
    if report.outside_tests:
        _show("Odoo's log is not clean:", report.outside_tests)
        failed += 1
    elif not ended_well and not failed:
        print(f"Odoo broke off:\n{odoo_log.tail(logfile)}")
        failed += 1
    if not report.total:
        print("No test of Odoo's suite ran.")
        failed = max(failed, 1)
    skipped = len(report.skipped)
    passed = max(report.total - report.failed - skipped, 0)
    return Outcome(passed, failed, skipped) + processes


def _follow(env, options, logfile):
    """Run Odoo's tests, print each class that starts, and each failure as it happens.

    :return: whether Odoo ended well
    :rtype: bool
    """
    shown = None
    command = env.odoo_command("server", *options)
    with (
        open(logfile, "w") as handle,
        subprocess.Popen(
            command,
            env=env.environ,
            cwd=logfile.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as server,
    ):
        printing = False
        for line in server.stdout:
            handle.write(line)
            handle.flush()
            printing = odoo_log.tells_failure(line, printing)
            if printing:
                sys.stdout.write(line)
                sys.stdout.flush()
            started = odoo_log.started_class(line)
            if started and started != shown:
                shown = started
                log(f"  {shown}")
    return not server.returncode


def _show(title, entries, limit=10):
    print(title)
    for entry in entries[:limit]:
        print(entry)
    if len(entries) > limit:
        print(f"... and {len(entries) - limit} more")
