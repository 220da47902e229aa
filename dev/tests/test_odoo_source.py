"""``dev/odoo_source.py``: which Odoo is used."""

import os
import pathlib
import tempfile
import unittest
from unittest import mock

from dev import odoo_source
from dev.console import DevError


class TestHome(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = pathlib.Path(folder.name).resolve()
        for patch in (
            mock.patch.dict(os.environ, {"ODOO_HOME": str(self.home), "PATH": ""}),
            mock.patch.object(odoo_source, "log"),
            mock.patch.object(odoo_source, "_from_debian"),
        ):
            patch.start()
            self.addCleanup(patch.stop)

    def make_tree(self, version="19, 0"):
        (self.home / "odoo").mkdir(exist_ok=True)
        (self.home / "odoo/release.py").write_text(f"FINAL = 'final'\nversion_info = ({version}, 0, FINAL, 0, '')\n")

    def test_it_comes_before_all_others(self):
        self.make_tree()
        command = self.home / "odoo-bin"
        command.write_text("#!/bin/sh\necho Odoo Server 19.0\n")
        command.chmod(0o755)
        with mock.patch.dict(os.environ, {"PATH": str(self.home)}):
            source = odoo_source.get()
            self.assertEqual((source.tree, source.command), (self.home, None))
            # Without it the command is taken, and else Debian's package.
            os.environ["ODOO_HOME"] = ""
            self.assertEqual(odoo_source.get().command, str(command))
            os.environ["PATH"] = ""
            self.assertEqual(odoo_source.get(), odoo_source._from_debian.return_value)

    def test_trees_are_told_apart(self):
        """Databases and environments of one Odoo are not those of another, or of a later version of it."""
        self.make_tree()
        first = odoo_source.get().ident
        self.assertEqual(odoo_source.get().ident, first)
        with open(self.home / "odoo/release.py", "a") as handle:
            handle.write("# a later one\n")
        self.assertNotEqual(odoo_source.get().ident, first)

    def test_what_is_no_odoo_of_this_series(self):
        with self.assertRaisesRegex(DevError, "is no Odoo source tree: it has no odoo/release.py"):
            odoo_source.get()
        self.make_tree("18, 0")
        with self.assertRaisesRegex(DevError, "is Odoo 18.0; the addon needs 19.0"):
            odoo_source.get()
