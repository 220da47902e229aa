"""``dev/check_imports.py``: addons of a few lines that import what they should not, or do not ask for it."""

import pathlib
import tempfile
import unittest

from dev import check_imports


class TestCheckImports(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def problems(self, text, path="models/thing.py", declared=()):
        """Return what is said of an addon with this one file."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)
        found = check_imports.problems(self.root, declared)
        (self.root / path).unlink()
        return found

    def test_what_needs_no_word(self):
        text = "import datetime\nfrom odoo import models\nfrom dateutil.relativedelta import relativedelta\n"
        self.assertEqual(self.problems(text + "from ..tools import dates\nfrom . import other\n"), [])

    def test_package_that_nobody_asks_for(self):
        expected = ["models/thing.py:2: imports reportlab, which the manifest does not ask for"]
        text = "import io\nfrom reportlab.pdfgen import canvas\n"
        self.assertEqual(self.problems(text), expected)
        self.assertEqual(self.problems(text, declared=["reportlab"]), [])
        # Wherever it stands, and however it is written.
        text = "def show():\n    import reportlab.lib as lib\n"
        self.assertEqual(self.problems(text), expected)
        self.assertEqual(self.problems(text, "tests/test_thing.py"), [])

    def test_package_that_nothing_imports(self):
        self.assertEqual(
            self.problems("import io\n", declared=["holidays"]),
            ["__manifest__.py: asks for holidays, which nothing imports"],
        )

    def test_requirements_say_the_same(self):
        (self.root / "requirements.txt").write_text("# what it needs\nholidays\nxlrd>=1\n")
        self.assertEqual(
            self.problems("import holidays\n", declared=["holidays"]),
            ["requirements.txt and the manifest differ in xlrd"],
        )

    def test_an_addon_in_use_loads_no_tests_and_no_demo_data(self):
        for text, path, name in (
            ("from . import demo, models\n", "__init__.py", "demo"),
            ("from ..demo.builder import Builder\n", "models/thing.py", "demo"),
            ("from ...demo import builder\n", "models/base/thing.py", "demo"),
            ("from unittest.mock import patch\n", "models/thing.py", "unittest"),
        ):
            self.assertEqual(self.problems(text, path), [f"{path}:1: loads {name}, which an addon in use does without"])

    def test_demo_data_is_read_while_it_is_built(self):
        self.assertEqual(self.problems("def build():\n    from ..demo.builder import Builder\n"), [])
        self.assertEqual(self.problems("from unittest.mock import patch\nfrom . import days\n", "demo/clock.py"), [])
