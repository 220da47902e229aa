"""``make mutate``: plant faults, see which of them the tests notice, and print those that nobody noticed."""

import concurrent.futures
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
from collections import Counter, defaultdict

from .. import addon_links, databases, environment
from ..console import DevError, log
from ..files import lock
from ..paths import CACHE, CHECKOUT, CHECKOUT_KEY, LOGS, NAME, ROOT
from . import children, scope
from .equivalents import find_reason, find_unused
from .mutants import Program, choose

_HOME = CHECKOUT / "mutate"
_DATABASE = f"mutate_{CHECKOUT_KEY}"
_SCRIPT = """\
import sys
sys.path.append({root!r})
from dev.mutate import odoo_runner
odoo_runner.{call}
"""
# What a runner answers for a mutant that Python can't put in its place.
_REFUSED = "refused"


def add_arguments(parser):
    """:param argparse.ArgumentParser parser: gets the command's options"""
    parser.add_argument("--seed", type=int, default=1, help="decides which mutants are drawn")
    parser.add_argument("--tools", default="200", help="how many mutants of tools/, or 'all'")
    parser.add_argument("--models", default="60", help="how many of models/, report/ and wizard/, or 'all'")
    parser.add_argument("--files", default="", help="a regular expression that the files' paths contain")
    parser.add_argument("--threshold", type=float, default=92, help="percent that must be noticed, on each side")


def run(args):
    """Plant faults on both sides.

    :param args: of the command line
    :return: whether both sides reach the threshold
    :rtype: bool
    """
    _HOME.mkdir(parents=True, exist_ok=True)
    parts = []
    for title, count, side in (("tools/", args.tools, _Tools), ("models/", args.models, _Models)):
        if count != "0":
            parts.append(side(title, None if count == "all" else int(count), args).run())
    text = "\n\n".join(part.text for part in parts)
    report = _HOME / "report.txt"
    report.write_text(f"{text}\n")
    print(text)
    print(f"\nAlso in {report}")
    # Nothing drawn at all would look like a pass.
    return any(part.counted for part in parts) and all(part.score >= args.threshold for part in parts if part.counted)


class Tally:
    """What became of the mutants of one side.

    :param str title: of the side
    :param list mutants: that were drawn
    :param dict answers: ``{(path, number): line of the results}``
    :param int seed: that they were drawn with
    """

    def __init__(self, title, mutants, answers, seed):
        self.by_file = defaultdict(Counter)
        self.survivors, self.equivalent = [], []
        self.seconds = sum(answer["seconds"] for answer in answers.values())
        for mutant in mutants:
            answer = answers.get((mutant.path, mutant.number), {"by": _REFUSED})
            self.by_file[mutant.path][self._judge(mutant, answer)] += 1
        self.total = sum(self.by_file.values(), Counter())
        self.counted = self.total["noticed"] + self.total["survived"]
        self.score = 100 * self.total["noticed"] / self.counted if self.counted else 100.0
        self.text = self._write(title, seed)

    def _judge(self, mutant, answer):
        if answer["by"] == _REFUSED:
            return "refused"
        if answer["by"]:
            return "noticed"
        if reason := find_reason(mutant):
            self.equivalent.append((mutant, reason))
            return "equivalent"
        self.survivors.append(f"{mutant}" if answer["tests"] else f"{mutant}: no test comes by")
        return "survived"

    def _write(self, title, seed):
        lines = [f"{title} with seed {seed}", "noticed  survived  equivalent  score"]
        for path, counts in [*sorted(self.by_file.items()), ("all", self.total)]:
            counted = counts["noticed"] + counts["survived"]
            score = f"{100 * counts['noticed'] / counted:.0f} %" if counted else "–"
            lines.append(
                f"{counts['noticed']:7}  {counts['survived']:8}  {counts['equivalent']:10}  {score:>5}  {path}"
            )
        if self.survivors:
            lines += ["Nobody noticed:", *(f"  {mutant}" for mutant in self.survivors)]
        if self.equivalent:
            lines += ["Equivalent:", *(f"  {mutant}: {reason}" for mutant, reason in self.equivalent)]
        if self.total["refused"]:
            lines.append(f"{self.total['refused']} could not be put in their place and do not count.")
        each = self.seconds / max(sum(self.total.values()), 1)
        lines.append(f"{self.score:.1f} % of {self.counted} noticed, {each:.1f} s for each")
        return "\n".join(lines)


class _Side:
    """One side: where its mutants come from, and what runs them."""

    folders = ()
    fits = None

    def __init__(self, title, count, args):
        self.title = title
        self.count = count
        self.args = args

    def run(self):
        """:rtype: Tally"""
        self.root = self._copy()
        files = scope.paths(self.root, self.folders, self.args.files)
        programs = {path: Program((self.root / path).read_text()) for path in files}
        mutants = choose(programs, self.count, self.args.seed, type(self).fits)
        log(f"Mutants: {len(mutants)} of {self.title}")
        answers = self._get_answers(mutants) if mutants else {}
        if self.count is None and not self.args.files:
            for key in find_unused(mutants, self.folders):
                print(f"No mutant is called any more: {key}")
        return Tally(self.title, mutants, answers, self.args.seed)

    def _copy(self):
        """Copy what is to be tested: nothing of the checkout is touched, nor does it matter who works on it."""
        raise NotImplementedError

    def _get_answers(self, mutants):
        raise NotImplementedError

    @staticmethod
    def _read_answers(paths):
        lines = [json.loads(line) for path in paths if path.exists() for line in path.read_text().splitlines()]
        return {(line["path"], line["number"]): line for line in lines}


class _Tools(_Side):
    folders = ("tools",)
    fits = staticmethod(scope.is_in_tools)

    def _copy(self):
        folder = _HOME / "pure"
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("tools", "dev"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        return folder

    def _get_answers(self, mutants):
        _source, python = environment.python_only()
        cover = _HOME / f"cover-tools-{_digest(self.root / 'tools')}.json"
        jobs, results = _HOME / "jobs-tools.json", _HOME / "results-tools.jsonl"
        jobs.write_text(
            json.dumps({"mutants": [[mutant.path, mutant.number] for mutant in mutants], "cover": str(cover)})
        )
        result = subprocess.run(
            [python / "bin/python", "-m", "dev.mutate.pure_runner", jobs, results],
            cwd=self.root,
            env={**os.environ, "PYTHONPYCACHEPREFIX": str(CACHE / "pycache"), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if result.returncode:
            raise DevError("The mutants of tools/ can't be tested, see above.")
        return self._read_answers([results])


def _digest(folder):
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(folder)}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class _Models(_Side):
    folders = scope.FOLDERS
    fits = staticmethod(scope.is_in_models)

    def _copy(self):
        return addon_links.copy(_HOME / "addons")

    def _get_answers(self, mutants):
        self.env = environment.set_up()
        parts = min(children.workers(), len(mutants))
        names = [f"{_DATABASE}_{number}_{os.getpid()}" for number in range(parts)]
        try:
            source = self._install()
            for name in names:
                databases.copy(self.env, source, name)
            # A look at some files does not wait for all tests.
            self._measure(names, sorted({mutant.path for mutant in mutants}) if self.args.files else [])
            return self._run_mutants(names, mutants)
        finally:
            for name in names:
                databases.drop(self.env, name)

    def _install(self):
        """Return the name of a database with the addon, installed again only when the addon changed."""
        with lock(_HOME / "database.lock"):
            current = addon_links.fingerprint()
            comment = f"SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '{_DATABASE}'"
            if not databases.exists(self.env, _DATABASE) or self.env.postgres.sql(comment) != current:
                log("Mutants: installing the addon")
                databases.copy(self.env, databases.template(self.env, demo=False), _DATABASE)
                logfile = LOGS / f"{_DATABASE}.log"
                options = ["-d", _DATABASE, "-i", NAME, "--stop-after-init", "--no-http"]
                if not self.env.logged_odoo(logfile, "server", *options, *self._addons_path()):
                    raise DevError(f"The addon can't be installed, see {logfile}.")
                self.env.postgres.sql(f"COMMENT ON DATABASE \"{_DATABASE}\" IS '{current}'")
        return _DATABASE

    def _addons_path(self):
        return ["--addons-path", str(self.root.parent)]

    def _measure(self, names, near):
        cover = _HOME / "cover-models.json"
        # What a run that was broken off has found out.
        self._keep_measured(cover)
        log("Mutants: which test calls which function (minutes, unless it is known)")
        calls = [f"measure(env, {str(cover)!r}, {part}, {len(names)}, {near!r})" for part in range(len(names))]
        self._run_odoos(names, calls)
        self._keep_measured(cover)

    @staticmethod
    def _keep_measured(cover):
        known = json.loads(cover.read_text()) if cover.exists() else {}
        for path in sorted(cover.parent.glob(f"{cover.name}.*")):
            for line in path.read_text().splitlines():
                known |= json.loads(line)
            path.unlink()
        cover.write_text(json.dumps(known))

    def _run_mutants(self, names, mutants):
        pairs = [[mutant.path, mutant.number] for mutant in mutants]
        calls, results = [], []
        for part in range(len(names)):
            jobs = _HOME / f"jobs-models-{part}.json"
            results.append(_HOME / f"results-models-{part}.jsonl")
            results[-1].unlink(missing_ok=True)
            cover = _HOME / "cover-models.json"
            jobs.write_text(
                json.dumps({"root": str(self.root), "mutants": pairs[part :: len(names)], "cover": str(cover)})
            )
            calls.append(f"run(env, {str(jobs)!r}, {str(results[-1])!r})")
        self._run_odoos(names, calls)
        return self._read_answers(results)

    def _run_odoos(self, names, calls):
        with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
            list(pool.map(self._run_odoo, names, calls))

    def _run_odoo(self, database, call):
        logfile = LOGS / f"{database}.log"
        command = self.env.odoo_command("shell", "-d", database, "--no-http", "--log-level=error", *self._addons_path())
        with (
            open(logfile, "w") as handle,
            subprocess.Popen(
                command,
                env=self.env.environ,
                cwd=CHECKOUT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=handle,
                text=True,
            ) as shell,
            contextlib.ExitStack() as ending,
        ):
            # Whatever ends this, a key or an error, ends Odoo.
            ending.callback(shell.terminate)
            shell.stdin.write(_SCRIPT.format(root=str(ROOT), call=call))
            shell.stdin.close()
            for line in shell.stdout:
                if line.startswith("@ "):
                    _report(json.loads(line[2:]))
        if shell.returncode:
            raise DevError(f"The mutants of models/ can't be tested, see {logfile}:\n{logfile.read_text()[-2000:]}")


def _report(facts):
    if "bad" in facts:
        print(f"Fails without a mutant, and is left out: {facts['bad']}", flush=True)
    elif not facts.get("good", True):
        print(f"Can't be followed, and is left out: {facts['class']}", flush=True)
