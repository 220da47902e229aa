"""The ledgers: databases with generated receivables, made once a week and copied for each measurement."""

import dataclasses
import datetime
import subprocess

from .. import databases
from ..console import DevError, log
from ..files import lock, short_key
from ..paths import CACHE, LOGS, ROOT

BENCH = ROOT / "dev/bench"


@dataclasses.dataclass(frozen=True)
class Size:
    """How much a ledger holds."""

    partners: int
    invoices: int


SIZES = {
    "S": Size(2_000, 20_000),
    "M": Size(20_000, 200_000),
    "L": Size(100_000, 1_000_000),
}


def _today():
    """:return: the Monday of this week: who measures in the same week measures the same ledger
    :rtype: datetime.date
    """
    today = datetime.date.today()
    return today - datetime.timedelta(days=today.weekday())


def get_empty(env):
    """:return: the name of a database with a French company without any entry
    :rtype: str
    """
    return _get(env, "empty", (BENCH / "french_company.py",), _fill_empty)


def get(env, size):
    """:param str size: one of ``SIZES``
    :return: the name of a database with a ledger of this size, without the addon
    :rtype: str
    """
    sources = (BENCH / "french_company.py", BENCH / "ledger_generator.py")
    return _get(env, size.lower(), sources, lambda env, name: _fill(env, name, size), str(_today()))


def _get(env, purpose, sources, fill, *facts):
    """A template of the benchmark, made when there is none of this week; older ones are dropped."""
    base = databases.template(env, demo=False)
    key = short_key(base, facts, [path.read_text() for path in sources])
    prefix = f"ledger_{purpose}_"
    name = prefix + key
    with lock(CACHE / f"{prefix}.lock"):
        if not databases.exists(env, name):
            query = f"SELECT datname FROM pg_database WHERE starts_with(datname, '{prefix}')"
            for old in env.postgres.sql(query).split():
                databases.drop(env, old)
            unfinished = f"new_{name}"
            fill(env, unfinished)
            env.postgres.sql(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')
    return name


def _fill_empty(env, name):
    log("Benchmark: making a French company")
    databases.copy(env, databases.template(env, demo=False), name)
    script = (BENCH / "french_company.py").read_text()
    options = ["-d", name, "--no-http", "--log-level=error"]
    if env.odoo("shell", *options, input=script, text=True).returncode:
        raise DevError("The French company of the benchmark can't be made.")


def _fill(env, name, size):
    wanted = SIZES[size]
    log(f"Benchmark: generating {wanted.invoices:,} invoices, once a week")
    databases.copy(env, get_empty(env), name)
    command = [env.python / "bin/python", BENCH / "ledger_generator.py", "--db", name, "--today", str(_today())]
    command += ["--partners", str(wanted.partners), "--invoices", str(wanted.invoices)]
    logfile = LOGS / f"{name}.log"
    with open(logfile, "w") as handle:
        result = subprocess.run(command, env=env.environ, stdout=handle, stderr=subprocess.STDOUT, check=False)
    if result.returncode:
        raise DevError(f"The ledger of {wanted.invoices:,} invoices can't be made, see {logfile}.")
