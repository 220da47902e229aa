"""The proof under Odoo's own limits: its workers and scheduled actions, its time limits, and much to print.

An Odoo with ``--workers 2 --max-cron-threads 2`` works off reminders with invoices that were never printed, letters
and statements. Each has to be done once, and no worker may be stopped by the time limit.
"""

import re
import time

from .. import databases, environment, odoo_log, serve
from ..console import DevError, log
from ..paths import ADDONS, LOGS, NAME, ROOT
from .sizes import WORKERS

_ADDONS = ROOT / "dev/soak/addons"
_SCRIPT = """\
import sys
sys.path.append({root!r})
from dev.soak import workers_world
workers_world.make(env, {size!r})
"""
# What a log says of a worker that took too long.
_STOPPED = re.compile(r"timeout after \d+s|timed out|virtual real time limit|Job 'Collections.* processed no record")


def run(size):
    """Prove on a fresh database.

    :param str size: ``short`` or ``long``
    :return: how many proofs held, and how many did not
    :rtype: tuple
    """
    env = environment.set_up()
    world = WORKERS[size]
    with databases.temporary(env, "workers", demo=False) as database:
        log(f"Workers: {world.reminders} reminders, {world.letters} letters, {world.statements} statements")
        options = ["-d", database, "-i", NAME, "--stop-after-init", "--no-http"]
        if not env.logged_odoo(LOGS / f"{database}.log", "server", *options):
            raise DevError(f"The addon can't be installed, see {LOGS / f'{database}.log'}.")
        script = _SCRIPT.format(root=str(ROOT), size=size)
        made = env.odoo("shell", "-d", database, "--no-http", "--log-level=error", input=script, text=True)
        if made.returncode:
            raise DevError("The customers of the proof can't be made, see above.")
        logfile = LOGS / f"{database}-server.log"
        started = time.monotonic()
        with (
            open(logfile, "w") as output,
            serve.running(
                env,
                database,
                environment.free_port(),
                *("--workers", "2", "--max-cron-threads", "2", "--load", "base,rpc,web,collection_around_the_clock"),
                *("--addons-path", f"{ADDONS},{_ADDONS}"),
                output=output,
            ),
        ):
            left = _wait(env, database, world)
        return _conclude(env, database, world, logfile, left, time.monotonic() - started)


def _wait(env, database, world):
    """Wait until nothing is left to do.

    :return: what is left, in words; an empty string when all is done
    """
    deadline = time.monotonic() + world.minutes * 60
    shown = None
    while time.monotonic() < deadline:
        left = env.postgres.sql(
            """
            SELECT (SELECT COUNT(*) FROM collection_action WHERE channel = 'email' AND state = 'planned')
                || ' reminders, '
                || (SELECT COALESCE(SUM(total_count - position), 0) FROM collection_paper WHERE state = 'waiting')
                || ' papers, '
                || (SELECT COUNT(*) FROM collection_statement WHERE state = 'waiting') || ' statements'
            """,
            database=database,
        )
        waiting = env.postgres.sql("SELECT COUNT(*) FROM collection_paper WHERE state = 'waiting'", database=database)
        begun = env.postgres.sql("SELECT COUNT(*) FROM collection_action WHERE channel = 'email'", database=database)
        if left == "0 reminders, 0 papers, 0 statements" and waiting == "0" and begun != "0":
            return ""
        if left != shown:
            log(f"  left: {left}")
            shown = left
        time.sleep(10)
    return shown


def _conclude(env, database, world, logfile, left, seconds):
    """Print what held and what did not.

    :return: how many held, and how many did not
    :rtype: tuple
    """

    def count(query):
        return int(env.postgres.sql(query, database=database))

    files = world.invoices
    proofs = [
        ("all is done", not left, left or f"in {seconds:.0f} s"),
        (
            "each reminder once, with all its invoices",
            count(
                f"""
                SELECT COUNT(*) FROM (
                    SELECT action.debtor_id
                      FROM collection_action action
                      JOIN mail_message message ON message.id = action.mail_message_id
                      JOIN message_attachment_rel file ON file.message_id = message.id
                     WHERE action.channel = 'email' AND action.state = 'done' AND action.step_id IS NOT NULL
                  GROUP BY action.debtor_id
                    HAVING COUNT(DISTINCT action.id) = 1 AND COUNT(*) = {files}
                ) good
                """  # noqa: S608 - a number of ours
            )
            == world.reminders,
            f"{world.reminders} customers, {files} invoices each",
        ),
        (
            "each invoice printed once",
            count(
                "SELECT COUNT(*) FROM (SELECT res_id FROM ir_attachment WHERE res_model = 'account.move'"
                " AND description LIKE 'collection_invoice %' GROUP BY res_id HAVING COUNT(*) > 1) twice"
            )
            == 0,
            "no second file of any",
        ),
        (
            "each letter printed",
            count("SELECT COUNT(*) FROM collection_action WHERE channel = 'letter' AND printed_on IS NOT NULL")
            == world.letters,
            f"{world.letters} letters",
        ),
        (
            "each statement made",
            count("SELECT COALESCE(SUM(made_count), 0) FROM collection_paper WHERE kind = 'statements'")
            == world.statements
            and count("SELECT COUNT(*) FROM collection_statement WHERE state = 'sent'") == world.statements,
            f"{world.statements} printed, {world.statements} sent",
        ),
    ]
    text = logfile.read_text(errors="replace")
    stopped = [line for line in text.splitlines() if _STOPPED.search(line)]
    # Odoo's own cleaning may have nothing to clean.
    bad = [entry for entry in odoo_log.read(logfile).errors if "Job 'Base: " not in entry]
    proofs.append(
        ("no worker was stopped, and the log is clean", not stopped and not bad, "\n".join((stopped + bad)[:5]))
    )
    for name, good, facts in proofs:
        print(f"  {'ok  ' if good else 'FAIL'} {name}: {facts}", flush=True)
    if not all(good for _name, good, _facts in proofs):
        print(f"See {logfile}")
    held = sum(good for _name, good, _facts in proofs)
    return held, len(proofs) - held
