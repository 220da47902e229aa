"""``dev/python_env.py``: environments without pip, and what is said while pip works."""

import pathlib
import subprocess
import tempfile
import unittest
import zipfile
from unittest import mock

from dev import apt, python_env
from dev.console import DevError
from dev.python_env import PipProgress

FETCHES = """\
Looking in links: /wheels
Collecting asn1crypto==1.5.1
  Downloading asn1crypto-1.5.1-py2.py3-none-any.whl.metadata (13 kB)
  Downloading asn1crypto-1.5.1-py2.py3-none-any.whl (105 kB)
Collecting lxml==5.4.0
  Downloading lxml-5.4.0-cp311-cp311-manylinux_2_28_x86_64.whl (4.9 MB)
Processing /wheels/six-1.17.0-py2.py3-none-any.whl
"""
NO_NETWORK = """\
Collecting asn1crypto==1.5.1
WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by \
'NewConnectionError('Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')'
ERROR: Could not find a version that satisfies the requirement asn1crypto==1.5.1 (from versions: none)
ERROR: No matching distribution found for asn1crypto==1.5.1
"""


def _read(text):
    progress = PipProgress()
    for line in text.splitlines(keepends=True):
        progress.read(line)
    return progress


class TestPipProgress(unittest.TestCase):
    def test_packages_and_sizes(self):
        self.assertEqual(_read(FETCHES).describe(), "3 packages, 5 MB")
        self.assertEqual(_read("Processing /wheels/six-1.17.0.whl\n").describe(), "1 package")

    def test_no_network_is_one_sentence(self):
        said = _read(NO_NETWORK).why_failed()
        self.assertIn("no package index answers (NewConnectionError)", said)
        self.assertNotIn("\n", said)

    def test_a_package_that_is_missing_is_no_lack_of_network(self):
        said = _read("\n".join(NO_NETWORK.splitlines()[2:])).why_failed()
        self.assertIn("No matching distribution found for asn1crypto", said)


class TestPythonWithoutPip(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.cache = pathlib.Path(folder.name)
        self.machine = self.cache / "machine.crt"
        self.fetched = 0
        for owner, name, value in (
            (python_env, "_PIP", self.cache / "pip"),
            (python_env, "_MACHINE_CERTIFICATES", str(self.machine)),
            (apt, "LOCK", self.cache / "apt.lock"),
            (apt, "fetch", self.fetch),
            (python_env.importlib.util, "find_spec", lambda _name: None),
        ):
            patch = mock.patch.object(owner, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def fetch(self, purpose, names, folder, wanted, **_options):
        """Unpack what Debian's two packages hold: a pip that prints the certificates that it trusts."""
        self.fetched += 1
        self.assertEqual([name for name in [*names, "openssl", "libc6"] if wanted(name)], list(names))
        for name, text in (("B.crt", "b\n"), ("A.crt", "a\n")):
            path = folder / "usr/share/ca-certificates/mozilla" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        wheels = folder / "usr/share/python-wheels"
        wheels.mkdir(parents=True)
        with zipfile.ZipFile(wheels / "pip-23.0.1-py3-none-any.whl", "w") as wheel:
            wheel.writestr("pip/__main__.py", "from pip._vendor.certifi.core import WHERE\nprint(WHERE)\n")
            wheel.writestr("pip/_vendor/certifi/core.py", f"WHERE = '{self.machine}'\n")

    def trusted(self):
        """Return the certificates that pip trusts in a new environment."""
        python_env._create(self.cache / "env")
        command = [self.cache / "env/bin/python", "-m", "pip"]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

    def test_machine_without_certificates(self):
        self.assertEqual(self.trusted(), str(self.cache / "pip/certificates.pem"))
        self.assertEqual((self.cache / "pip/certificates.pem").read_text(), "a\nb\n")

    def test_certificates_of_the_machine_come_first(self):
        self.machine.touch()
        self.assertEqual(self.trusted(), str(self.machine))

    def test_fetched_once(self):
        for _time in range(2):
            self.trusted()
        self.assertEqual(self.fetched, 1)

    def test_python_that_can_make_no_environment(self):
        (self.cache / "file").touch()
        with self.assertRaisesRegex(DevError, "can't make a virtual environment"):
            python_env._create(self.cache / "file/env")
