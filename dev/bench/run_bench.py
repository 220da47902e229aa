"""Leads a benchmark: ledgers, jobs in Odoo, one table.

The machine may be busy with other things: everything is measured at least three times, what is
compared is measured in turns, and budgets are ratios within one run.
"""

import contextlib
import json
import os
import statistics
import subprocess
import tempfile
import time

from .. import databases, environment, odoo_log
from ..console import DevError, log
from ..paths import ADDONS, CACHE, CHECKOUT_KEY, LOGS, NAME, ROOT
from . import ledgers, peers, table

RESULTS = CACHE / "bench"
INSTALL_ROUNDS = 3
# Everything that the benchmark leaves behind in a working database goes with it.
_PREFIX = f"bench_{CHECKOUT_KEY}"
_SCRIPT = """\
import sys
sys.path.append({root!r})
from dev.bench import stopwatch
stopwatch.do(env, {module!r}, {parameters!r}, {output!r})
"""


def run(largest):
    """Measure ledgers of all sizes up to the largest, print the table, and write it to a file.

    :param str largest: ``S``, ``M`` or ``L``
    """
    if largest not in ledgers.SIZES:
        raise DevError(f"SIZE is one of {', '.join(ledgers.SIZES)}, and not {largest!r}.")
    env = environment.set_up()
    RESULTS.mkdir(parents=True, exist_ok=True)
    peer_addons = peers.fetch(env)
    sizes = list(ledgers.SIZES)[: list(ledgers.SIZES).index(largest) + 1]
    figures = {size: _Benchmark(env, size, peer_addons).run() for size in sizes}
    report = table.Report(figures, {size: ledgers.SIZES[size].invoices for size in sizes}, _describe(env))
    print(report.as_text())
    path = RESULTS / f"results-{largest}.md"
    path.write_text(report.as_markdown())
    log(f"Benchmark: written to {path}")


def _describe(env):
    """:return: what was measured, and on what
    :rtype: list
    """
    version = env.postgres.sql("SHOW server_version")
    settings = ("shared_buffers", "work_mem", "jit")
    values = ", ".join(f"{name} {env.postgres.sql(f'SHOW {name}')}" for name in settings)
    return [time.strftime("%Y-%m-%d %H:%M"), f"PostgreSQL {version} ({values})", *table.describe_machine()]


class _Benchmark:
    """The measurements on the ledger of one size.

    :param environment.Environment env: the environment
    :param str size: ``S``, ``M`` or ``L``
    :param peer_addons: the folder of the other addons, or ``None`` without them
    """

    def __init__(self, env, size, peer_addons):
        self.env = env
        self.size = size
        self.peer_addons = peer_addons
        self.figures = []

    def run(self):
        """:return: the figures, in the order of the table
        :rtype: list
        """
        ledger = ledgers.get(self.env, self.size)
        with self._database("plain", ledger) as plain, self._database("addon", ledger) as addon:
            self._install_addon(ledger, addon)
            self._do("jobs_refresh", addon)
            self._compact(addon)
            with self._database("deliver", addon) as deliver:
                self._do("jobs_deliver", deliver)
                # Only when asked: BENCH_MANY=1 make bench SIZE=S
                if os.environ.get("BENCH_MANY"):
                    self._do("jobs_deliver", deliver, many=True)
            self._do("jobs_campaign", addon)
            self._do("jobs_papers", addon)
            self._compact(addon)
            self._do("jobs_screens", addon)
            self._do("jobs_dashboard", addon)
            self._do("jobs_posting", addon, plain=plain)
            self._do("jobs_odoo", plain)
        if self.peer_addons:
            self._measure_peers(ledger)
        return self.figures

    @contextlib.contextmanager
    def _database(self, purpose, source):
        """A copy of a database for the length of a block."""
        name = f"{_PREFIX}_{purpose}"
        databases.copy(self.env, source, name)
        try:
            yield name
        finally:
            databases.drop(self.env, name)

    def _do(self, module, database, **parameters):
        """Have a job done in an Odoo of its own, so that memory is its own too."""
        log(f"Benchmark {self.size}: {module} on {database}")
        with tempfile.NamedTemporaryFile("r", dir=RESULTS, suffix=".json") as output:
            script = _SCRIPT.format(root=str(ROOT), module=module, parameters=parameters, output=output.name)
            options = ["-d", database, "--no-http", "--log-level=error", f"--addons-path={self._addons_path()}"]
            result = self.env.odoo("shell", *options, input=script, text=True, stderr=subprocess.PIPE)
            text = output.read()
        if text:
            self.figures += json.loads(text)
        if result.returncode or not text:
            log(f"Benchmark {self.size}: {module} broke off:\n{result.stderr.strip()[-2000:]}")

    def _compact(self, database):
        """Remove what runs that were rolled back left in the addon's tables: in real life there is none."""
        query = "SELECT relname FROM pg_class WHERE relkind = 'r' AND starts_with(relname, 'collection_')"
        for name in self.env.postgres.sql(query, database=database).split():
            self.env.postgres.sql(f"VACUUM (FULL, ANALYZE) {name}", database=database)

    def _addons_path(self):
        return ",".join(map(str, filter(None, (ADDONS, self.peer_addons))))

    def _install(self, database, module):
        """:return: seconds that it took to install an addon, the start of Odoo included
        :rtype: float
        """
        logfile = LOGS / f"{database}.log"
        options = ["-d", database, "-i", module, "--stop-after-init", "--no-http"]
        started = time.perf_counter()
        good = self.env.logged_odoo(logfile, "server", *options, f"--addons-path={self._addons_path()}")
        seconds = time.perf_counter() - started
        if not good or odoo_log.read(logfile).errors:
            raise DevError(f"{module} can't be installed for the benchmark, see {logfile}.")
        return seconds

    def _install_addon(self, ledger, kept):
        """Install the addon on the ledger and on an empty one, in turns; the last filled one is kept."""
        seconds = {"empty": [], "filled": []}
        for number in range(INSTALL_ROUNDS):
            log(f"Benchmark {self.size}: installing the addon, round {number + 1} of {INSTALL_ROUNDS}")
            with self._database("empty", ledgers.get_empty(self.env)) as empty:
                seconds["empty"].append(self._install(empty, NAME))
            if number:
                databases.copy(self.env, ledger, kept)
            seconds["filled"].append(self._install(kept, NAME))
        empty, filled = (statistics.median(values) for values in seconds.values())
        self.figures += [
            table.figure("install on an empty ledger", empty, runs=INSTALL_ROUNDS),
            table.figure("install on this ledger", filled, runs=INSTALL_ROUNDS),
            table.figure("… seconds more", filled - empty, runs=INSTALL_ROUNDS, budget=60),
        ]

    def _measure_peers(self, ledger):
        for peer in peers.PEERS:
            if peer.sizes and self.size not in peer.sizes:
                continue
            with self._database("peer", ledger) as database:
                log(f"Benchmark {self.size}: installing {peer.name}")
                seconds = self._install(database, peer.name)
                self.figures.append(table.figure(f"{peer.name}: install on this ledger", seconds, runs=1))
                self._do(peer.job, database)
