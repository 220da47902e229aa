"""``dev/addon_links.py``: the addon as Odoo sees it, and the example of an extension beside it."""

import pathlib
import tempfile
import unittest

from dev import addon_links
from dev.paths import EXAMPLE, NAME


class TestAddonLinks(unittest.TestCase):
    def test_the_example_stands_beside_the_addon(self):
        """Not in it: its tests and its terms are not the addon's."""
        home = addon_links.link()
        self.assertEqual(home.name, NAME)
        self.assertTrue((home.parent / EXAMPLE / "__manifest__.py").exists())
        self.assertTrue((home / "tests/__init__.py").exists())
        self.assertFalse((home / "tests" / EXAMPLE).exists())
        self.assertEqual(list(home.rglob(f"{EXAMPLE}/__manifest__.py")), [])
        self.assertEqual(addon_links.link(), home, "a second time nothing changes")

    def test_both_are_copied(self):
        with tempfile.TemporaryDirectory() as folder:
            home = addon_links.copy(pathlib.Path(folder) / "copy")
            self.assertTrue((home / "__manifest__.py").exists())
            self.assertTrue((home.parent / EXAMPLE / "__manifest__.py").exists())
