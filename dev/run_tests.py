"""``make test``: the pure-Python tests, Odoo's suite in a fresh database, workers that are killed, and the demo data.

A run fails when a test fails, when Odoo warns of anything, when no test ran, and, in CI, when a
test was skipped (a missing browser must not look like a pass).
"""

import ast
import bisect
import collections
import concurrent.futures
import dataclasses
import itertools
import json
import os
import subprocess
import sys
import tempfile

from . import coming_and_going, databases, environment, odoo_log
from .console import DevError, log
from .paths import CACHE, EXAMPLE, LOGS, NAME, ROOT
from .soak import run_soak, run_workers

# Beside which addons of Odoo all tests run once more, in ``make soak``.
NEIGHBOURS = ("sale_management", "stock", "point_of_sale", "website_sale", "mass_mailing", "hr")
# How big the parts of the suite are. Each costs the start of an Odoo; with small ones last, both cores end at once.
_SHARES = (5, 5, 4, 3, 2, 1)
# Classes that take as long as so many tests more: a browser, random lives, big ledgers, each rule turned over.
_HEAVY = {
    "TestAccessRules": 20,
    "TestConservation": 35,
    "TestDashboard": 15,
    "TestDashboardTour": 15,
    "TestDeliveryProof": 25,
    "TestItemReportTotals": 15,
    "TestLetters": 15,
    "TestMetricsReference": 45,
    "TestOneTruth": 60,
    "TestRecap": 15,
    "TestRecapEdges": 15,
    "TestRecapFigures": 15,
    "TestRecapReference": 45,
    "TestReference": 15,
    "TestTours": 80,
    "TestWithoutStatistics": 45,
}


@dataclasses.dataclass
class Outcome:
    """How many tests passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Outcome(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)


def run(selection, beside=()):
    """Run the tests and print the closing line.

    :param str selection: empty for all; Odoo test tags for a part of its suite; ``pure`` or
        ``pure:NAME`` for the tests without Odoo, or those with NAME in their name; ``processes``
        for the workers that compete and are killed; ``workers`` for Odoo's own workers under their limits
    :param beside: further addons of Odoo that are installed before ours, for tests in Odoo alone, which then speaks
        English alone
    :return: whether all is well
    :rtype: bool
    """
    if beside and not selection:
        outcome = _run_all_beside(beside)
    elif beside:
        outcome = _run_odoo(selection, beside, environment.ENGLISH)
    elif not selection:
        outcome = _run_all()
    elif selection.startswith("pure"):
        outcome = _run_pure(selection.partition(":")[2])
    elif selection == "workers":
        outcome = Outcome(*run_workers.run("short"))
    elif selection == "processes":
        outcome = Outcome(*run_soak.run("short"))
    else:
        outcome = _run_odoo(selection)
    return _conclude(outcome)


def _run_all():
    """Run everything on two cores: the demo data and the tests without Odoo beside the parts of Odoo's suite.

    The addon is installed once; each part of the suite has a copy of that database, and whoever is free takes the
    next part.
    """
    env = environment.set_up(browser=True)
    with (
        databases.temporary(env, "installed", demo=False) as installed,
        concurrent.futures.ThreadPoolExecutor(2) as pool,
    ):
        installation = pool.submit(_install, env, installed)
        futures = [pool.submit(_run_demo, env)]
        outcome = installation.result()
        if not outcome.failed:
            futures += _submit_parts(pool, env, installed)
            futures.append(pool.submit(_run_processes, env, installed))
        futures.append(pool.submit(_run_pure, ""))
        return sum((future.result() for future in futures), outcome)


def _run_all_beside(beside):
    """Run all of Odoo's suite on two cores in a database with further addons, which speaks English alone."""
    env = environment.set_up(browser=True)
    with (
        databases.temporary(env, "beside", demo=False, beside=beside, languages=environment.ENGLISH) as installed,
        concurrent.futures.ThreadPoolExecutor(2) as pool,
    ):
        outcome = _install(env, installed)
        futures = [] if outcome.failed else _submit_parts(pool, env, installed)
        return sum((future.result() for future in futures), outcome)


def _submit_parts(pool, env, installed):
    """Have the parts of the suite run one after the other, as soon as somebody is free.

    :return: their outcomes to come
    :rtype: list
    """
    return [
        pool.submit(_run_part, env, installed, number, classes)
        for number, classes in enumerate(_split_suite(), start=1)
    ]


def _install(env, database):
    """Install the addon in a database; a warning is a failure.

    :return: a failure, or nothing
    :rtype: Outcome
    """
    log("Tests: installing the addon")
    logfile = LOGS / f"{database}.log"
    ended_well = env.logged_odoo(logfile, "server", "-d", database, "-i", NAME, "--stop-after-init", "--no-http")
    report = odoo_log.read(logfile)
    if report.outside_tests:
        _show("Odoo's log of the installation is not clean:", report.outside_tests)
    elif not ended_well:
        print(f"Odoo broke off:\n{odoo_log.tail(logfile)}")
    return Outcome(failed=int(bool(report.outside_tests or not ended_well)))


def _run_part(env, installed, number, classes):
    """Run some test classes, all of them to be run after an installation, on a copy of a database with the addon."""
    tags = ",".join(f"/{NAME}:{name}" for name in classes)
    with databases.copied(env, installed, f"part{number}") as database:
        return _run_tests(env, database, ["--test-tags", tags], f"part {number} of the suite")


def _run_processes(env, installed):
    """Have workers compete on a copy of a database with the addon."""
    with databases.copied(env, installed, "processes") as database:
        return Outcome(*run_soak.run_on(env, database, "short"))


def _run_demo(env):
    """Run the tests of the demo data, of the views that other addons extend, and of the example of an extension.

    Then upgrade and uninstall.
    """
    tags = f"collection_demo/{NAME},collection_beside/{NAME},/{EXAMPLE}"
    return _run_suite(env, tags, "demotest", demo=True, beside=("sale",), afterwards=coming_and_going.prove)


def _split_suite():
    """Return the names of the test classes in parts of given shares of the tests.

    Every class with a test is in one of them, whatever the file. Those that ask for pages stand together, since Odoo
    makes the web assets for them, and so do classes that want the same world: a part makes it once for them all.

    :raises DevError: when a class would run during the installation, where nobody looks.
    """
    nodes = _read_classes()
    sizes = collections.Counter()
    for path, node in nodes:
        methods = (child.name for child in node.body if isinstance(child, ast.FunctionDef))
        if count := sum(name.startswith("test") for name in methods):
            if not any("post_install" in ast.unparse(decorator) for decorator in node.decorator_list):
                raise DevError(f'{path}: tag {node.name} with "post_install", "-at_install".')
            sizes[node.name] += count if sizes[node.name] else count + _HEAVY.get(node.name, 0)
    by_name = {node.name: node for _path, node in nodes}
    names = sorted(sizes, key=lambda name: (*_get_kind(name, by_name), -sizes[name], name))
    ends = list(itertools.accumulate(share * sizes.total() / sum(_SHARES) for share in _SHARES))
    parts = [[] for _share in _SHARES]
    before = 0
    for name in names:
        parts[bisect.bisect(ends, before + sizes[name] / 2)].append(name)
        before += sizes[name]
    return [part for part in parts if part]


def _read_classes():
    """Return all classes of the addon's own tests, each as its file and its syntax tree."""
    return [
        (path, node)
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if EXAMPLE not in path.parts
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef)
    ]


def _get_kind(name, by_name):
    """Return whether a test class asks for no pages, and whether mail is at work, which Odoo otherwise switches off."""
    if name == "HttpCase":
        return False, False
    node = by_name.get(name)
    if not node:
        return True, False
    has_mail = any(isinstance(child, ast.FunctionDef) and child.name == "default_env_context" for child in node.body)
    kinds = [_get_kind(ast.unparse(base), by_name) for base in node.bases]
    return all(no_pages for no_pages, _mail in kinds), has_mail or any(mail for _no_pages, mail in kinds)


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
    outcome += Outcome(*run_workers.run("long"))
    outcome += _run_all_beside(NEIGHBOURS)
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


def _run_odoo(tags, beside=(), languages=environment.LANGUAGES):
    env = environment.set_up(browser=True)
    return _run_suite(env, tags, beside=beside, languages=languages)


def _run_suite(env, tags, purpose="test", demo=False, beside=(), languages=environment.LANGUAGES, afterwards=None):
    """Install the addon in a fresh database and run the tests that carry ``tags``.

    :param str purpose: what the database is named after; suites that run at once need different ones
    :param bool demo: with the demo data, which must load cleanly
    :param beside: further addons of Odoo that are installed before ours
    :param str languages: what the database speaks
    :param afterwards: a function of the environment and the database that proves more in it, and returns how many
        proofs held and how many did not
    """
    with databases.temporary(env, purpose, demo, beside, languages) as database:
        label = tags if len(tags) < 200 else "some classes"
        modules = f"{NAME},{EXAMPLE}" if EXAMPLE in tags else NAME
        outcome = _run_tests(env, database, ["-i", modules, "--test-tags", tags], label)
        if afterwards:
            outcome += Outcome(*afterwards(env, database))
        return outcome


def _run_tests(env, database, options, label):
    """Run tests of Odoo's suite in a database and print what is not as it should be.

    :param list options: which tests, and what else Odoo is told
    :param str label: what they are called
    """
    databases.leave_out_unit_tests(env, database)
    logfile = LOGS / f"{database}.log"
    log(f"Tests: {label} in Odoo, log in {logfile}")
    options = ["-d", database, *options, "--stop-after-init", "--http-port", str(environment.free_port())]
    ended_well = _follow(env, options, logfile)
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
    return Outcome(max(report.total - report.failed - skipped, 0), failed, skipped)


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
