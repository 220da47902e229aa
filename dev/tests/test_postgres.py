"""``dev/postgres.py``: who may stop the private server, and what happens to a server of one's own."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from dev import databases, postgres
from dev.console import DevError
from dev.files import is_shared
from dev.paths import ROOT

_RUN = "import pathlib, sys; from dev.files import share; share(pathlib.Path(sys.argv[1])); print(flush=True); input()"


class TestStop(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = pathlib.Path(folder.name)
        for name, value in (
            ("CACHE", self.home),
            ("_USERS", self.home / "postgres.users"),
            ("_PATIENCE", 0),
            ("log", mock.Mock()),
        ):
            patch = mock.patch.object(postgres, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        self.server = postgres.Postgres.__new__(postgres.Postgres)
        self.server._data_folder = lambda: self.home
        self.server._server_tool = mock.Mock()
        self.server.answers = lambda: True
        self.server.sql = mock.Mock(return_value="")
        (self.home / "postmaster.pid").touch()

    def another_run(self):
        """Have a process that uses the server, as each command does that needs it."""
        run = subprocess.Popen(
            [sys.executable, "-B", "-c", _RUN, self.home / "postgres.users"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        run.stdout.readline()
        self.addCleanup(run.stdout.close)
        self.addCleanup(run.stdin.close)
        return run

    def test_nobody_uses_it(self):
        self.assertEqual(self.server.stop(), "")
        self.server._server_tool.assert_called_once()

    def test_another_run_keeps_it_alive_until_the_last_one_ends(self):
        first, second = self.another_run(), self.another_run()
        self.assertEqual(self.server.stop(), "another run")
        first.communicate(b"\n")
        self.assertEqual(self.server.stop(), "another run")
        # However it ends: nothing is left behind that would keep the server for ever.
        second.kill()
        second.wait()
        self.server._server_tool.assert_not_called()
        self.assertEqual(self.server.stop(), "")
        self.server._server_tool.assert_called_once()

    def test_somebody_is_connected(self):
        self.server.sql.return_value = "demo_1"
        self.assertEqual(self.server.stop(), "somebody at work in demo_1")
        self.server._server_tool.assert_not_called()

    def test_server_that_no_longer_answers_is_stopped(self):
        self.server.answers = lambda: False
        self.assertEqual(self.server.stop(), "")
        self.server._server_tool.assert_called_once()

    def test_it_does_not_run(self):
        (self.home / "postmaster.pid").unlink()
        self.assertEqual(self.server.stop(), "")
        self.server._server_tool.assert_not_called()

    def test_looking_does_not_count_as_using(self):
        self.server.stop()
        self.assertFalse(is_shared(self.home / "postgres.users"))


class TestServerOfOnesOwn(unittest.TestCase):
    """``PGHOST`` names a server that is used as it is: nothing is started or stopped, nobody need be a superuser."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.cache = pathlib.Path(folder.name)
        (self.cache / "psql").write_text('#!/bin/sh\n[ -e "$0.works" ]\n')
        (self.cache / "psql").chmod(0o755)
        own = {"PGHOST": "db.example", "PGPORT": "5499", "PGUSER": "me", "PGPASSWORD": "secret"}
        for patch in (
            mock.patch.dict(os.environ, {**own, "PATH": f"{self.cache}:/usr/bin:/bin"}),
            mock.patch.object(postgres, "_USERS", self.cache / "postgres.users"),
            mock.patch.object(postgres, "_BINARIES", self.cache / "binaries"),
            mock.patch.object(postgres, "CACHE", self.cache),
            mock.patch.object(postgres, "log"),
            mock.patch.object(postgres.Postgres, "_server_tool"),
        ):
            patch.start()
            self.addCleanup(patch.stop)

    def test_it_is_used_with_the_programs_of_the_machine(self):
        server = postgres.Postgres()
        self.assertEqual((server.external, server.bin), (True, self.cache))
        kept = {key: server.environ[key] for key in ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD")}
        self.assertEqual(kept, {"PGHOST": "db.example", "PGPORT": "5499", "PGUSER": "me", "PGPASSWORD": "secret"})
        (self.cache / "psql.works").touch()
        server.start()
        server._server_tool.assert_not_called()
        self.assertFalse((self.cache / "postgres.users").exists(), "it is nobody else's affair")

    def test_it_does_not_answer(self):
        with self.assertRaisesRegex(DevError, "No PostgreSQL answers at PGHOST=db.example, port 5499"):
            postgres.Postgres().start()

    def test_a_copy_takes_no_superuser(self):
        env = mock.Mock()
        for external, strategy in ((True, ""), (False, " STRATEGY FILE_COPY")):
            env.postgres.external = external
            with mock.patch.object(databases, "DATA", self.cache):
                databases.copy(env, "old", "new")
            env.postgres.sql.assert_called_with(f'CREATE DATABASE "new" TEMPLATE "old"{strategy}')

    def test_only_the_private_one_is_ever_stopped(self):
        """And that one is left to who uses it, whatever ``PGHOST`` says: ``make clean`` removes its folder."""
        self.assertEqual(postgres.stop_private(), "", "there is none")
        (self.cache / "binaries").mkdir()

        def stop(server):
            self.assertFalse(server.external)
            self.assertNotIn("PGPASSWORD", server.environ)
            self.assertNotEqual(server.host, "db.example")
            return "another run"

        with mock.patch.object(postgres.Postgres, "stop", stop):
            self.assertEqual(postgres.stop_private(), "another run")
