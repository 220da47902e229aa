"""Everything together: an Odoo that runs the addon of this checkout on a PostgreSQL."""

import contextlib
import dataclasses
import os
import pathlib
import socket
import subprocess

from . import addon_links, odoo_source, programs, python_env
from .console import DevError
from .paths import ADDONS, CACHE, CHECKOUT, DATA, LOGS, ROOT
from .postgres import Postgres

ENGLISH = "en_US"
LANGUAGES = f"{ENGLISH},fr_FR"  # the first is the databases' base language

_CONFIGURATION = """\
[options]
addons_path = {addons}
data_dir = {data}
db_host = {host}
db_port = {port}
db_user = {role}
http_interface = 127.0.0.1
max_cron_threads = 0
list_db = False
screenshots = {screenshots}
"""


@dataclasses.dataclass(frozen=True)
class Environment:
    """What the commands work with.

    :param odoo_source.OdooSource source: the Odoo
    :param pathlib.Path python: the Python environment's folder
    :param Postgres postgres: the running server
    :param list programs: folders of programs that the machine lacks
    """

    source: odoo_source.OdooSource
    python: pathlib.Path
    postgres: Postgres
    programs: list = dataclasses.field(default_factory=list)

    @property
    def environ(self):
        """:return: the environment that Odoo runs in
        :rtype: dict
        """
        return {
            **self.postgres.environ,
            "ODOO_RC": str(CHECKOUT / "odoo.conf"),
            # Nothing is written outside the cache, whatever is started from here.
            "HOME": str(CHECKOUT / "home"),
            "PYTHONPYCACHEPREFIX": str(CACHE / "pycache"),
            "HYPOTHESIS_STORAGE_DIRECTORY": str(CACHE / "hypothesis"),
            "PYTHONUNBUFFERED": "1",
            "TZ": "UTC",
            "LANG": "C.UTF-8",
            # Odoo starts itself anew as "python", which must be the environment's.
            "PATH": os.pathsep.join(map(str, [self.python / "bin", *self.programs, os.environ["PATH"]])),
        }

    def odoo_command(self, *args):
        """:param args: Odoo's arguments
        :return: the whole command line
        :rtype: list
        """
        if self.source.command:
            return [self.source.command, *args]
        return [self.python / "bin/python", self.python / "bin/odoo", *args]

    def odoo(self, *args, **options):
        """Run Odoo to its end.

        :param args: Odoo's arguments
        :param options: of :func:`subprocess.run`; by default without input
        :return: the finished process
        :rtype: subprocess.CompletedProcess
        """
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("check", False)
        return subprocess.run(self.odoo_command(*args), env=self.environ, cwd=CHECKOUT, **options)

    def logged_odoo(self, logfile, *args):
        """Run Odoo to its end with its output in a file.

        :param pathlib.Path logfile: the file
        :param args: Odoo's arguments
        :return: whether it ended well
        :rtype: bool
        """
        with open(logfile, "w") as handle:
            result = self.odoo(*args, stdout=handle, stderr=subprocess.STDOUT)
        return not result.returncode


def python_only():
    """Set up what runs Python without a database.

    :return: the Odoo, and the Python environment's folder
    :rtype: tuple
    """
    if not (ROOT / "__manifest__.py").exists():
        raise DevError(f"{ROOT} holds no addon: __manifest__.py is missing.")
    CACHE.mkdir(parents=True, exist_ok=True)
    source = odoo_source.get()
    return source, python_env.for_odoo(source)


def set_up(browser=False):
    """Set up everything that is missing.

    :param bool browser: whether a browser is needed too
    :return: the environment
    :rtype: Environment
    """
    source, python = python_only()
    found = programs.PRINTER.on_path() + (programs.BROWSER.on_path() if browser else [])
    postgres = Postgres(python)
    postgres.start()
    addon_links.link()
    for folder in (LOGS, DATA, CHECKOUT / "home"):
        folder.mkdir(parents=True, exist_ok=True)
    (CHECKOUT / "odoo.conf").write_text(
        _CONFIGURATION.format(
            addons=ADDONS,
            data=DATA,
            host=postgres.host,
            port=postgres.port,
            role=postgres.role,
            screenshots=CHECKOUT / "failures",
        )
    )
    return Environment(source, python, postgres, found)


def free_port():
    """:return: a port that nothing listens on
    :rtype: int
    """
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
