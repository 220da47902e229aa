"""``dev/python_env.py``: environments without pip, and what is said while pip works."""

import os
import pathlib
import tempfile
import unittest
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
        self.pip = mock.Mock()
        for owner, name, value in (
            (python_env, "_PIP", self.cache / "pip"),
            (python_env, "_pip", self.pip),
            (python_env, "_MACHINE_CERTIFICATES", str(self.cache / "machine.crt")),
            (apt, "LOCK", self.cache / "apt.lock"),
            (apt, "fetch", self.fetch),
            (python_env.importlib.util, "find_spec", lambda _name: None),
        ):
            patch = mock.patch.object(owner, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def fetch(self, purpose, names, folder, wanted, **_options):
        """Unpack what Debian's two packages hold."""
        self.assertEqual([name for name in [*names, "openssl", "libc6"] if wanted(name)], list(names))
        for name, text in (
            ("usr/share/python-wheels/pip-23.0.1-py3-none-any.whl", "a wheel"),
            ("usr/share/ca-certificates/mozilla/B.crt", "b\n"),
            ("usr/share/ca-certificates/mozilla/A.crt", "a\n"),
        ):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)

    def test_pip_comes_from_debian(self):
        python_env._create(self.cache / "env")
        wheel = self.cache / "pip/usr/share/python-wheels/pip-23.0.1-py3-none-any.whl"
        self.pip.assert_called_once_with([self.cache / "env/bin/python", f"{wheel}/pip"], "--no-index", wheel)
        self.assertTrue((self.cache / "env/bin/python").exists())

    def test_certificates_of_the_machine_come_first(self):
        with mock.patch.dict(os.environ, {"PIP_CERT": ""}):
            self.assertEqual(python_env._certificates(), {})
            python_env._debian_pip()
            ours = self.cache / "pip/certificates.pem"
            self.assertEqual(ours.read_text(), "a\nb\n")
            self.assertEqual(python_env._certificates(), {"PIP_CERT": str(ours)})
            (self.cache / "machine.crt").touch()
            self.assertEqual(python_env._certificates(), {})

    def test_certificates_of_the_user_come_first(self):
        python_env._debian_pip()
        with mock.patch.dict(os.environ, {"PIP_CERT": "/own.pem"}):
            self.assertEqual(python_env._certificates(), {})

    def test_python_that_can_make_no_environment(self):
        (self.cache / "file").touch()
        with self.assertRaisesRegex(DevError, "can't make a virtual environment"):
            python_env._create(self.cache / "file/env")
