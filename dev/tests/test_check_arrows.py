"""``dev/check_arrows.py`` on made-up addons."""

import pathlib
import tempfile
import unittest

from dev.check_arrows import EXCEPTIONS, problems

PROMISE = """
class CollectionPromise(models.Model):
    _name = "collection.promise"
"""
DEBTOR = """
class CollectionDebtor(models.Model):
    _name = "collection.debtor"
"""


class TestCheckArrows(unittest.TestCase):
    def find(self, files, exceptions=()):
        """Return what is wrong with an addon of these files."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in files.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return problems(root, dict(exceptions))

    def find_in_debtor(self, text, **options):
        """Return what is wrong when the area of the debtor, to whose right promises stand, has this code."""
        files = {"models/debtor/file.py": DEBTOR + text, "models/answer/collection_promise.py": PROMISE}
        return self.find(files, **options)

    def assert_one_arrow(self, found, line, target="collection.promise"):
        self.assertEqual(
            found,
            [f"models/debtor/file.py:{line}: “debtor” names {target}, which belongs to “answer”, to its right"],
        )

    def test_model_of_the_environment(self):
        found = self.find_in_debtor(
            "    def count(self):\n        return self.env['collection.promise'].search_count([])\n"
        )
        self.assert_one_arrow(found, 5)

    def test_relation(self):
        self.assert_one_arrow(self.find_in_debtor("    a = fields.Many2one('collection.promise')\n"), 4)
        self.assert_one_arrow(self.find_in_debtor("    a = fields.One2many(comodel_name='collection.promise')\n"), 4)

    def test_table_in_sql(self):
        found = self.find_in_debtor(
            '    query = """\n        SELECT 1 FROM collection_debtor\n JOIN collection_promise p"""\n'
        )
        self.assert_one_arrow(found, 6)
        for verb in ("INSERT INTO", "UPDATE", "DELETE FROM"):
            self.assert_one_arrow(self.find_in_debtor(f"    query = '{verb} collection_promise'\n"), 4)

    def test_inherited_model(self):
        found = self.find_in_debtor(
            "\n\nclass Other(models.Model):\n    _inherit = ['mail.thread', 'collection.promise']\n"
        )
        self.assert_one_arrow(found, 6)

    def test_python_import(self):
        found = self.find_in_debtor("\n    from ..answer.collection_promise import WORDS\n")
        self.assert_one_arrow(found, 5, "models/answer/collection_promise.py")

    def test_to_the_left_and_to_oneself(self):
        call = "    def refresh(self):\n        self.env['collection.debtor']; self.env['collection.promise']\n"
        files = {"models/debtor/debtor.py": DEBTOR, "models/answer/promise.py": PROMISE + call}
        self.assertEqual(self.find(files), [])

    def test_run_is_asked_by_all_and_names_all(self):
        run = "class CollectionRun(models.AbstractModel):\n    _name = 'collection.run'\n"
        files = {
            "models/run/run.py": run + "    a = fields.Many2one('collection.debtor')\n",
            "models/debtor/debtor.py": DEBTOR + "    def ask(self):\n        self.env['collection.run']._go()\n",
        }
        self.assertEqual(self.find(files), [])

    def test_dialogues_and_reports_have_an_area(self):
        call = "env['collection.promise']\n"
        for path, area in (("wizard/debtor/a.py", "debtor"), ("wizard/answer/a.py", None), ("report/recap/a.py", None)):
            found = self.find({"models/answer/promise.py": PROMISE, path: call})
            self.assertEqual(len(found), bool(area), found)
        provider = {"models/provider/p.py": PROMISE, "report/recap/a.py": call}
        self.assertIn("“campaign” names collection.promise", *self.find(provider))

    def test_extension_in_another_area(self):
        extension = "class CollectionDebtor(models.Model):\n    _name = 'collection.debtor'\n"
        extension += "    _inherit = ['collection.debtor', 'mail.thread']\n"
        call = "env['collection.debtor']\n"
        files = {"models/debtor/a.py": DEBTOR, "models/answer/a.py": extension, "models/plan/a.py": call}
        self.assertEqual(self.find(files), [])

    def test_exception_that_is_used_or_not(self):
        call = "    a = fields.Many2one('collection.promise')\n"
        allowed = {("debtor", "collection.promise"): "the reason"}
        self.assertEqual(self.find_in_debtor(call, exceptions=allowed), [])
        (left,) = self.find_in_debtor("", exceptions=allowed)
        self.assertIn("“debtor” no longer names collection.promise", left)

    def test_circle_of_imports(self):
        files = {
            "models/debtor/a.py": "from .b import X\n",
            "models/debtor/b.py": "def late():\n    from .c import X\n",
            "models/debtor/c.py": "from . import a\n",
        }
        (circle,) = self.find(files)
        self.assertEqual(
            circle,
            "a circle of imports: models/debtor/a.py → models/debtor/b.py → models/debtor/c.py → models/debtor/a.py",
        )

    def test_long_files(self):
        files = {"models/debtor/a.py": "\n" * 650, "wizard/debtor/a.py": "\n" * 500, "report/a.py": "\n" * 500}
        self.assertEqual(self.find(files), [])
        longer = {name: text + "\n" for name, text in files.items()}
        self.assertEqual([found.split(":")[0] for found in self.find(longer)], [*files])

    def test_tests_that_nobody_loads(self):
        files = {
            "tests/__init__.py": "from . import test_a\nfrom .debtor import test_b\n",
            "tests/test_a.py": "",
            "tests/debtor/test_b.py": "",
            "tests/debtor/test_c.py": "",
            "tests/test_d.py": "",
        }
        self.assertEqual(
            [found.split(":")[0] for found in self.find(files)], ["tests/debtor/test_c.py", "tests/test_d.py"]
        )

    def test_addon_without_areas(self):
        self.assertEqual(self.find({"models/collection_debtor.py": "\n" * 2000}, {("debtor", "x"): "unused"}), [])

    def test_every_exception_has_a_reason(self):
        for exception, reason in EXCEPTIONS.items():
            self.assertGreater(len(reason.split()), 3, exception)


if __name__ == "__main__":
    unittest.main()
