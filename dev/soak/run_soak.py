"""Leads the proof: an Odoo on a database with the addon, in which ``experiments`` run."""

import json
import subprocess
import tempfile

from .. import databases, environment
from ..console import DevError, log
from ..paths import CHECKOUT, LOGS, NAME, ROOT
from . import sizes

_SCRIPT = """\
import sys
sys.path.append({root!r})
from dev.soak import experiments
experiments.run(env, {size!r}, {folder!r})
"""


def run(size):
    """Prove on a fresh database.

    :param str size: ``short`` or ``long``
    :return: how many proofs held, and how many did not
    :rtype: tuple
    """
    env = environment.set_up()
    with databases.temporary(env, "soak", demo=False) as database:
        log("Processes: installing the addon")
        options = ["-d", database, "-i", NAME, "--stop-after-init", "--no-http"]
        if not env.logged_odoo(LOGS / f"{database}.log", "server", *options):
            raise DevError(f"The addon can't be installed, see {LOGS / f'{database}.log'}.")
        return run_on(env, database, size)


def run_on(env, database, size):
    """Prove on a database in which the addon is installed; it is spoilt afterwards.

    :param Environment env: the environment
    :param str database: its name
    :param str size: ``short`` or ``long``
    :return: how many proofs held, and how many did not
    :rtype: tuple
    """
    log(f"Processes: {sizes.SIZES[size].debtors} customers, workers at once and killed")
    logfile = LOGS / f"{database}-processes.log"
    proofs = []
    with tempfile.TemporaryDirectory() as folder, open(logfile, "w") as handle:
        script = _SCRIPT.format(root=str(ROOT), size=size, folder=folder)
        command = env.odoo_command("shell", "-d", database, "--no-http", "--log-level=critical")
        with subprocess.Popen(
            command,
            env=env.environ,
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=handle,
            text=True,
        ) as odoo:
            odoo.stdin.write(script)
            odoo.stdin.close()
            for line in odoo.stdout:
                if line.startswith("@ "):
                    proofs.append(json.loads(line[2:]))
                    _show(proofs[-1])
    held = sum(proof["good"] for proof in proofs)
    failed = len(proofs) - held
    if odoo.returncode or not proofs or proofs[-1]["name"] != sizes.LAST:
        print(f"The proof with processes broke off, see {logfile}:\n{logfile.read_text()[-3000:]}")
        failed += 1
    return held, failed


def _show(proof):
    mark = "ok  " if proof["good"] else "FAIL"
    print(f"  {mark} {proof['name']}: {proof['facts'].strip()}", flush=True)
