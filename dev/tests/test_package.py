"""``dev/package.py``: what is in the wheel and in the zip for the app store."""

import ast
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import zipfile

from dev.files import committed_files
from dev.paths import NAME, ROOT, manifest

HOME = f"odoo/addons/{NAME}/"


class TestPackages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        # As "make dist" does it; whool's build says more than a test needs.
        command = [sys.executable, "-B", "-m", "dev.package", cls.folder]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        cls.wheel = zipfile.ZipFile(next(cls.folder.glob("*.whl")))
        cls.addClassCleanup(cls.wheel.close)
        cls.zip = zipfile.ZipFile(next(cls.folder.glob("*.zip")))
        cls.addClassCleanup(cls.zip.close)
        cls.in_wheel = {name.removeprefix(HOME) for name in cls.wheel.namelist() if name.startswith(HOME)}
        cls.in_zip = {name.removeprefix(f"{NAME}/") for name in cls.zip.namelist()}

    def test_names(self):
        version = manifest()["version"]
        self.assertEqual(pathlib.Path(self.wheel.filename).name, f"odoo_addon_{NAME}-{version}-py3-none-any.whl")
        self.assertEqual(pathlib.Path(self.zip.filename).name, f"{NAME}-{version}.zip")

    def test_no_tools_are_handed_out(self):
        for names in (self.in_wheel, self.in_zip):
            first = {name.split("/")[0] for name in names}
            self.assertFalse([name for name in first if name.startswith(".")])
            self.assertFalse(first & {"dev", "Makefile", "pyproject.toml", "requirements.txt", "CONTRIBUTING.md"})
            self.assertFalse([name for name in names if name.endswith((".pyc", ".orig", "~"))])

    def test_the_whole_addon_is_handed_out(self):
        """Whatever the manifest names, and each module that another one imports."""
        named = [*manifest()["data"], *manifest()["demo"], *manifest()["images"], "__manifest__.py", "LICENSE"]
        assets = [path.removeprefix(f"{NAME}/") for paths in manifest()["assets"].values() for path in paths]
        for names in (self.in_wheel, self.in_zip):
            self.assertLessEqual(set(named), names)
            for pattern in assets:
                folder = pattern.split("*")[0]
                self.assertTrue([name for name in names if name.startswith(folder)], pattern)
        addon = {
            path.relative_to(ROOT).as_posix()
            for path in committed_files(ROOT)
            if path.suffix == ".py" and path.relative_to(ROOT).parts[0] != "dev"
        }
        self.assertLessEqual(addon, self.in_wheel)
        self.assertEqual(self.in_wheel, self.in_zip)

    def test_nothing_else_lies_beside_the_addon(self):
        beside = [name for name in self.wheel.namelist() if not name.startswith(HOME)]
        information = f"odoo_addon_{NAME}-{manifest()['version']}.dist-info"
        self.assertEqual({name.split("/")[0] for name in beside}, {information})

    def test_requirements(self):
        """What the code imports and Odoo's own requirements may lack is declared, alike in all places."""
        (name,) = (name for name in self.wheel.namelist() if name.endswith("/METADATA"))
        text = self.wheel.read(name).decode()
        required = set(re.findall(r"^Requires-Dist: ([\w-]+)", text, re.M))
        declared = set(manifest()["external_dependencies"]["python"])
        self.assertEqual(required, declared | {"odoo"})
        listed = {line.strip() for line in (ROOT / "requirements.txt").read_text().splitlines() if line[:1].isalpha()}
        self.assertEqual(listed, declared)
        self.assertLessEqual(self.imported() & {"holidays", "openpyxl", "reportlab", "xlrd", "xlsxwriter"}, declared)

    def imported(self):
        """Return the packages that the addon's own code imports."""
        found = set()
        for name in sorted(self.in_wheel):
            if name.endswith(".py") and "tests" not in name.split("/"):
                for node in ast.walk(ast.parse(self.wheel.read(HOME + name))):
                    if isinstance(node, ast.Import):
                        found.update(alias.name.split(".")[0] for alias in node.names)
                    elif isinstance(node, ast.ImportFrom) and not node.level:
                        found.add(node.module.split(".")[0])
        return found
