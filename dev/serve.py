"""``make run`` and ``make shell``: Odoo on the demo database."""

import contextlib
import subprocess
import sys
import time
import urllib.request

from . import databases, environment
from .console import DevError, log
from .paths import CHECKOUT

_WELCOME = """
  Odoo         http://127.0.0.1:{port}
  Log in       admin / admin
  Look first   Collections > Debtors: who owes what, since when, and what comes next
               Collections > Campaigns: the cases as a board, then the Recap button
  Language     English and French: your name at the top right > My Preferences
  Stop         Ctrl-C
"""


def run(port):
    """Serve the demo database until Ctrl-C.

    :param int port: where Odoo listens
    """
    env = environment.set_up()
    database = databases.demo(env)
    log("Odoo: starting")
    with running(env, database, port, "--max-cron-threads", "1") as server:
        print(_WELCOME.format(port=port), flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.wait()


@contextlib.contextmanager
def running(env, database, port, *options, output=None):
    """Have an Odoo that answers for the length of a block.

    :param Environment env: the environment
    :param str database: the database
    :param int port: where it listens
    :param options: its further options
    :param output: a file for its log; the terminal otherwise
    :return: its process
    """
    set_address(env, database, port)
    command = env.odoo_command("server", "-d", database, "--http-port", str(port), *options)
    with subprocess.Popen(
        command,
        env=env.environ,
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
    ) as server:
        try:
            _wait_for(server, port)
            yield server
        finally:
            server.terminate()


def _wait_for(server, port, timeout=180):
    """Wait until Odoo answers, or has ended."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError):
            opener.open(f"http://127.0.0.1:{port}/web/health", timeout=10).close()
            return
        time.sleep(0.2)
    raise DevError(f"Odoo did not start on port {port}: is the port taken? See its log.")


def set_address(env, database, port):
    """Set Odoo's own address (``web.base.url``), at which printed reports look for their styles.

    :param Environment env: the environment
    :param str database: the database
    :param int port: where Odoo will listen
    """
    for key in ("web.base.url", "report.url"):
        env.postgres.sql(
            "INSERT INTO ir_config_parameter (key, value)"
            f" VALUES ('{key}', 'http://127.0.0.1:{port}')"
            " ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value",
            database=database,
        )


def shell():
    """Open Odoo's shell on the demo database; a script on stdin is run instead.

    :return: whether it ended well
    :rtype: bool
    """
    env = environment.set_up()
    database = databases.demo(env)
    options = ["-d", database, "--no-http", "--log-level=warn"]
    return not env.odoo("shell", *options, stdin=sys.stdin).returncode


def psql():
    """Open ``psql`` on the demo database."""
    env = environment.set_up()
    command = [env.postgres.bin / "psql", databases.demo(env)]
    return not subprocess.run(command, env=env.postgres.environ, check=False).returncode
