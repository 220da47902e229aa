"""``dev/programs.py`` with programs of a few lines in place of the real ones, and without a network."""

import contextlib
import dataclasses
import os
import pathlib
import subprocess
import tempfile
import unittest
from unittest import mock

from dev import apt, programs
from dev.console import DevError

# It prints a page as far as the trial of a program is concerned, and tells what it was started with.
WORKS = """\
#!/bin/sh
echo "$@" "$FONTCONFIG_FILE" "$LD_LIBRARY_PATH"
for last; do :; done
case "$last" in *.pdf) echo page > "$last";; esac
"""
FAKE = programs.Program(
    title="Printer",
    commands=("first-printer", "second-printer"),
    packages=("printer",),
    suite="",
    left_out=("libc6",),
    start='export LD_LIBRARY_PATH="{libraries}"\nexec "{program}" "$@"',
    scripts=(("first-printer", "usr/bin/printer"),),
    trial=("{folder}/page.html", "{folder}/page.pdf"),
    without="nothing is printed",
)


class TestPrograms(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enter(tempfile.TemporaryDirectory()))
        self.machine = self.folder / "machine"
        self.machine.mkdir()
        self.enter(mock.patch.dict(os.environ, {"PATH": f"{self.machine}:/usr/bin:/bin", "CI": ""}))
        for module in (apt, programs):
            self.enter(mock.patch.object(module, "CACHE", self.folder / "cache"))
        (self.folder / "cache").mkdir()
        self.enter(mock.patch.object(apt, "LOCK", self.folder / "cache/apt.lock"))
        self.log = self.enter(mock.patch.object(programs, "log"))
        self.fetched = []

    def enter(self, context):
        """Be in a context until the test ends (``enterContext`` came with Python 3.11)."""
        self.addCleanup(context.__exit__, None, None, None)
        return context.__enter__()

    def install(self, name, text):
        """Put a program on the machine."""
        (self.machine / name).write_text(text)
        (self.machine / name).chmod(0o755)

    @contextlib.contextmanager
    def debian(self, text=WORKS):
        """Have an archive whose package holds this program."""

        def fetch(purpose, names, folder, suite="", wanted=lambda _name: True, exclude=()):
            self.fetched.append([name for name in [*names, "libc6", "libx11-6", "libllvm15"] if wanted(name)])
            for path in ("usr/bin/printer", "usr/lib/x86_64-linux-gnu/libx.so.1", "usr/lib/x86_64-linux-gnu/more/no"):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(text)
                (folder / path).chmod(0o755)

        with mock.patch.object(apt, "fetch", fetch):
            yield

    def test_program_of_the_machine_is_used(self):
        self.install("second-printer", "#!/bin/sh\necho 1.0\n")
        with self.debian():
            self.assertEqual(FAKE.on_path(), [])
        self.assertEqual(self.fetched, [])

    def test_program_that_does_not_run_is_replaced(self):
        """Odoo takes the first that it finds: ours stands before it, even when a later one works."""
        self.install("first-printer", "#!/bin/sh\necho 'please install the snap'\nexit 1\n")
        self.install("second-printer", "#!/bin/sh\necho 1.0\n")
        with self.debian():
            (found,) = FAKE.on_path()
        self.assertTrue((found / "first-printer").exists())

    def test_packages_that_are_left_out(self):
        with self.debian():
            FAKE.on_path()
        self.assertEqual(self.fetched, [["printer", *programs._FONTS, "libx11-6"]])

    def test_fetched_once(self):
        with self.debian():
            first, second = FAKE.on_path(), FAKE.on_path()
        self.assertEqual((first, len(self.fetched)), (second, 1))

    def test_script_starts_the_unpacked_program(self):
        with self.debian():
            (found,) = FAKE.on_path()
        result = subprocess.run(
            [found / "first-printer", "a b", "c"], stdout=subprocess.PIPE, text=True, check=True, cwd="/"
        )
        home = found.parent
        self.assertEqual(result.stdout, f"a b c {home}/fonts.conf {home}/usr/lib/x86_64-linux-gnu\n")

    def test_no_mirror(self):
        with mock.patch.object(apt, "machine_mirrors", return_value=[]):
            self.assertEqual(FAKE.on_path(), [])
        (said,) = self.log.call_args.args
        self.assertIn("Printer can't be fetched: this machine has no Debian mirror. Install it yourself.", said)
        self.assertIn("Without Printer nothing is printed.", said)

    def test_no_network(self):
        archive = mock.Mock(suite="bookworm")
        archive.update.return_value = "Failed to fetch InRelease Temporary failure resolving 'mirror.example'"
        with (
            mock.patch.object(apt, "machine_mirrors", return_value=[("mirror", "bookworm")]),
            mock.patch.object(apt.PrivateApt, "of_suite", return_value=archive),
        ):
            self.assertEqual(FAKE.on_path(), [])
        self.assertIn("resolving 'mirror.example'. Is there a network?", self.log.call_args.args[0])

    def test_no_network_in_ci(self):
        """A skipped test must not look like a pass."""
        with (
            mock.patch.dict(os.environ, {"CI": "true"}),
            mock.patch.object(apt, "machine_mirrors", return_value=[]),
            self.assertRaisesRegex(DevError, "Printer can't be fetched"),
        ):
            FAKE.on_path()

    def test_unpacked_program_that_does_not_run(self):
        for text, reason in (
            ("#!/bin/sh\necho 'libx.so: cannot open'\nexit 127\n", "libx.so: cannot open"),
            ("#!/bin/sh\necho 1.0\n", "it printed nothing"),
        ):
            with self.debian(text):
                self.assertEqual(FAKE.on_path(), [])
            self.assertIn(f"does not run on this machine: {reason}", self.log.call_args.args[0])
        with self.debian():
            self.assertTrue(FAKE.on_path(), "what failed was kept")

    def test_a_change_of_what_is_left_out_fetches_anew(self):
        with self.debian():
            self.assertNotEqual(FAKE.on_path(), dataclasses.replace(FAKE, left_out=()).on_path())

    def test_loader_is_the_unpacked_one(self):
        real = self.folder / "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
        link = self.folder / "lib64/ld-linux-x86-64.so.2"
        for path in (real, link):
            path.parent.mkdir(parents=True, exist_ok=True)
        real.touch()
        link.symlink_to("/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")
        self.assertEqual(programs._loader(self.folder), real.relative_to(self.folder))

    def test_library_folders(self):
        for name in ("lib/x86_64-linux-gnu/libc.so.6", "usr/lib/x86_64-linux-gnu/blas/libblas.so.3", "usr/lib/a.so"):
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).touch()
        self.assertEqual(
            list(map(str, programs.library_folders(self.folder))),
            ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu/blas"],
        )
