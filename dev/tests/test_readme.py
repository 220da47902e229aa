"""``dev/readme.py``: the fragments as reStructuredText; and what these texts call menus, buttons and settings."""

import io
import re
import unittest
import xml.etree.ElementTree

import docutils.core

from dev import readme
from dev.paths import ROOT

_TEXTS = ("README.md", "readme/CONFIGURE.md", "readme/USAGE.md")
# Paths that begin in Odoo's own menus.
_OF_ODOO = {"Settings > Users & Companies > Users"}
_SETTINGS = "Configuration > Settings"
# Odoo's own, and groups, which are called by their application and their name.
_NOT_OURS = {"Actions", "Collections", "Collections: Administrator"}


class TestReadme(unittest.TestCase):
    def test_markdown(self):
        self.assertEqual(
            readme.as_rst("## Title\n\nSee [the page](https://example.com), `make run` and **bold**.\n"),
            "Title\n-----\n\nSee `the page <https://example.com>`__, ``make run`` and **bold**.",
        )

    def test_items_are_continued_below_their_text(self):
        self.assertEqual(
            readme.as_rst("9. one\n   two\n10. three\n   four\n\n- five\n six\n\nNo item"),
            "9. one\n   two\n10. three\n    four\n\n- five\n  six\n\nNo item",
        )

    def test_nothing_to_complain_of(self):
        """Odoo renders it in each database that lists the addon, and logs what docutils complains of."""
        said = io.StringIO()
        html = docutils.core.publish_string(
            readme.render(),
            writer_name="html",
            settings_overrides={"warning_stream": said, "report_level": 2, "output_encoding": "unicode"},
        )
        self.assertEqual(said.getvalue(), "")
        for title in ("Installation", "Configuration", "Usage", "Known issues / Roadmap", "Contributors"):
            self.assertIn(f"{title}</a>", html)


class TestNames(unittest.TestCase):
    """Whoever reads of a menu finds it on the screen under that name."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.menus = set()
        root = xml.etree.ElementTree.parse(ROOT / "views/collection_menus.xml").getroot()
        for menu in root.findall("menuitem"):
            cls.add_menus(menu, ())
        # Names of fields stand in Python.
        files = (path for folder in ("views", "wizard", "models") for path in sorted((ROOT / folder).rglob("*.*")))
        cls.screens = "".join(path.read_text() for path in files if path.suffix in (".xml", ".py"))
        cls.bold, cls.italic = [], []
        for name in _TEXTS:
            # The developers' part speaks of code.
            text = (ROOT / name).read_text().partition("## For developers")[0]
            cls.bold += map(cls.flat, re.findall(r"\*\*([^*]+)\*\*", text))
            cls.italic += map(cls.flat, re.findall(r"(?<!\*)\*([^*\n]+(?:\n[^*\n]+)?)\*(?!\*)", text))

    @classmethod
    def add_menus(cls, menu, above):
        """Note a menu and those below it, each by every path that leads to it."""
        path = (*above, menu.get("name"))
        cls.menus.update(" > ".join(path[start:]) for start in range(len(path)))
        for child in menu.findall("menuitem"):
            cls.add_menus(child, path)

    @staticmethod
    def flat(text):
        return " ".join(text.split())

    def is_on_screen(self, name):
        return f'"{name}"' in self.screens or f">{name}<" in self.screens

    def test_menus(self):
        names = [name for name in self.bold if " > " in name and name not in _OF_ODOO]
        names += [name for name in self.italic if " > " in name and not name.startswith("Actions > ")]
        self.assertGreater(len(names), 5)
        for name in names:
            menu, _, block = name.partition(f"{_SETTINGS} > ")
            if block:
                self.assertIn(f'<block title="{block}"', self.screens)
                name = f"{menu}{_SETTINGS}"
            self.assertIn(name, self.menus)

    def test_table_of_the_readme(self):
        text = (ROOT / "README.md").read_text()
        table = text.partition("By the names of the menus:")[2].partition("\n\n!")[0]
        names = re.findall(r"\*\*([^*]+)\*\*", table)
        self.assertGreater(len(names), 10)
        self.assertEqual([name for name in names if name not in self.menus], [])

    def test_buttons_and_actions(self):
        names = [name.removeprefix("Actions > ") for name in self.italic]
        names = [name for name in names if " > " not in name and name not in _NOT_OURS]
        self.assertGreater(len(names), 20)
        self.assertEqual([name for name in names if not self.is_on_screen(name)], [])
