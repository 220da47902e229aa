"""``dev/package.py``: what is in the wheel and in the zip for the app store."""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import zipfile

from dev import check_imports
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
            self.assertFalse([name for name in names if name.startswith("tools/tests/")])

    def test_the_addon_stands_alone(self):
        """No example of an extension is handed out, nor a picture or file of data that nothing shows or reads."""
        for names in (self.in_wheel, self.in_zip):
            self.assertEqual([name for name in names if name.endswith("__manifest__.py")], ["__manifest__.py"])
            self.assertFalse([name for name in names if name.endswith((".xls", ".xlsx", ".pdf", ".sql", ".dump"))])
        pages = "".join((ROOT / name).read_text() for name in ("README.md", "static/description/index.html"))
        pictures = {name for name in self.in_wheel if name.startswith("static/description/") and name.endswith(".png")}
        shown = {name for name in pictures if name in manifest()["images"] or name.split("/")[-1] in pages}
        self.assertEqual(pictures, shown | {"static/description/icon.png"})

    def test_the_whole_addon_is_handed_out(self):
        """Whatever the manifest names, and each module that another one imports."""
        named = [*manifest()["data"], *manifest()["demo"], *manifest()["images"], "__manifest__.py", "LICENSE"]
        assets = [
            path.removeprefix(f"{NAME}/")
            for paths in manifest()["assets"].values()
            for path in paths
            if isinstance(path, str) and path.startswith(f"{NAME}/")
        ]
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
        addon = {name for name in addon if not name.startswith(("tools/tests/", "tests/collection_example/"))}
        self.assertLessEqual(addon, self.in_wheel)
        self.assertEqual(self.in_wheel, self.in_zip)

    def test_nothing_else_lies_beside_the_addon(self):
        beside = [name for name in self.wheel.namelist() if not name.startswith(HOME)]
        information = f"odoo_addon_{NAME}-{manifest()['version']}.dist-info"
        self.assertEqual({name.split("/")[0] for name in beside}, {information})

    def test_requirements(self):
        """What pip fetches is what the manifest asks for, which the check of imports compares with the code."""
        (name,) = (name for name in self.wheel.namelist() if name.endswith("/METADATA"))
        required = set(re.findall(r"^Requires-Dist: ([\w-]+)", self.wheel.read(name).decode(), re.M))
        declared = manifest()["external_dependencies"]["python"]
        self.assertEqual(required, {*declared, "odoo"})
        self.assertEqual(check_imports.problems(ROOT, declared), [])
