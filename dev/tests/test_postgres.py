"""``dev/postgres.py``: who may stop the private server."""

import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from dev import postgres
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
