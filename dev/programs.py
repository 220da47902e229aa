"""The programs that Odoo starts: wkhtmltopdf to print, a browser for the tests of screens.

The machine's own are used when they work. Otherwise Debian's packages, with all they depend on, are
unpacked into the cache, and started through a small script of the name that Odoo looks for.
"""

import dataclasses
import os
import pathlib
import shutil
import subprocess
import tempfile

from . import apt
from .console import DevError, log
from .files import complete_folder, lock, short_key
from .paths import CACHE

_FONTS = ("fonts-dejavu-core", "fonts-liberation")
# Programs for the installation itself, and drivers of graphics cards, which nothing here draws on.
_NOT_NEEDED = ("dpkg", "tar", "perl", "libperl", "passwd", "systemd", "iso-codes")
_NOT_NEEDED += ("libllvm", "libz3", "libgl1-mesa-dri")
_NOT_UNPACKED = (
    "./etc",
    "./usr/share/doc",
    "./usr/share/icons",
    "./usr/share/lintian",
    "./usr/share/locale",
    "./usr/share/man",
    "./var",
)
_FONT_CONFIGURATION = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
  <alias binding="same"><family>Arial</family><accept><family>Liberation Sans</family></accept></alias>
  <alias binding="same"><family>Helvetica</family><accept><family>Liberation Sans</family></accept></alias>
  <alias binding="same"><family>Times New Roman</family><accept><family>Liberation Serif</family></accept></alias>
  <alias binding="same"><family>Courier New</family><accept><family>Liberation Mono</family></accept></alias>
  <alias><family>sans-serif</family><prefer><family>DejaVu Sans</family></prefer></alias>
  <alias><family>serif</family><prefer><family>DejaVu Serif</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
"""
_SCRIPT = """\
#!/bin/sh
# Debian's {title}, unpacked; made by the tools of the checkout.
home=$(cd "${{0%/*}}/.." && pwd)
export FONTCONFIG_FILE="$home/fonts.conf" XDG_CACHE_HOME="$home/cache"
{start}
"""


@dataclasses.dataclass(frozen=True)
class Program:
    """A program that is looked for on the machine, and fetched when it lacks it.

    :param str title: what people call it
    :param tuple commands: the names under which Odoo looks for it, in Odoo's order
    :param tuple packages: the Debian packages that hold it
    :param str suite: Debian's suite that they come from; the machine's own one when empty
    :param tuple left_out: beginnings of the names of packages that are left out
    :param str start: the shell's lines that start it; ``{loader}`` and ``{libraries}`` are filled in
    :param tuple scripts: the scripts to write, each with the program in the unpacked folder
    :param tuple trial: arguments that make it print a page, ``{folder}`` being a scratch folder
    :param str without: what does not work without it
    """

    title: str
    commands: tuple
    packages: tuple
    suite: str
    left_out: tuple
    start: str
    scripts: tuple
    trial: tuple
    without: str

    def find(self):
        """:return: the machine's own one that Odoo would take, if it works
        :rtype: str
        """
        command = next(filter(None, map(shutil.which, self.commands)), None)
        return command if command and not _why_broken([command, "--version"]) else None

    def on_path(self):
        """Fetch the program unless the machine or the cache has it.

        :return: the folders to put first on the PATH, so that Odoo finds it
        :rtype: list
        :raises DevError: when it is not to be had, and a skipped test is a failure
        """
        if self.find():
            return []
        try:
            return [self._get() / "bin"]
        except DevError as error:
            if os.environ.get("CI"):
                raise
            log(f"{error} Without {self.title} {self.without}.")
            return []

    def _get(self):
        folder = CACHE / "programs" / f"{self.commands[0]}-{short_key(self, _NOT_NEEDED, _NOT_UNPACKED, _SCRIPT)}"
        if not folder.exists():
            with lock(apt.LOCK):
                if not folder.exists():
                    self._unpack(folder)
        return folder

    def _unpack(self, folder):
        with complete_folder(folder) as building:
            unwanted = _NOT_NEEDED + self.left_out
            apt.fetch(
                self.title,
                [*self.packages, *_FONTS],
                building,
                suite=self.suite,
                wanted=lambda name: not name.startswith(unwanted),
                exclude=_NOT_UNPACKED,
            )
            self._write_scripts(building)
            self._try(building)

    def _write_scripts(self, folder):
        (folder / "fonts.conf").write_text(_FONT_CONFIGURATION)
        (folder / "bin").mkdir(exist_ok=True)
        loader = _loader(folder)
        libraries = ":".join(f"$home/{path}" for path in library_folders(folder))
        for name, program in self.scripts:
            start = self.start.format(loader=f"$home/{loader}", libraries=libraries, program=f"$home/{program}")
            script = folder / "bin" / name
            script.write_text(_SCRIPT.format(title=self.title, start=start))
            script.chmod(0o755)

    def _try(self, folder):
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            page = pathlib.Path(scratch, "page.html")
            page.write_text("<p>It prints.</p>")
            arguments = [argument.format(folder=scratch) for argument in self.trial]
            problem = _why_broken([folder / "bin" / self.scripts[0][0], *arguments], HOME=scratch)
            if not problem and not pathlib.Path(scratch, "page.pdf").exists():
                problem = "it printed nothing"
        if problem:
            raise DevError(f"Debian's {self.title} does not run on this machine: {problem}")


PRINTER = Program(
    title="wkhtmltopdf",
    commands=("wkhtmltopdf",),
    packages=("wkhtmltopdf",),
    # The last suite that holds it. Its own C library comes along, so it runs beside any other.
    suite="bookworm",
    left_out=(),
    start="""\
export QT_QPA_PLATFORM=offscreen
plugins=$(echo "$home"/usr/lib/*/qt5/plugins)
export QT_PLUGIN_PATH="$plugins" QT_QPA_PLATFORM_PLUGIN_PATH="$plugins/platforms"
exec "{loader}" --library-path "{libraries}" "{program}" "$@"
""",
    scripts=(("wkhtmltopdf", "usr/bin/wkhtmltopdf"), ("wkhtmltoimage", "usr/bin/wkhtmltoimage")),
    trial=("--quiet", "{folder}/page.html", "{folder}/page.pdf"),
    without="nothing can be printed as PDF",
)
BROWSER = Program(
    title="Chromium",
    commands=("google-chrome", "chromium", "chromium-browser", "google-chrome-stable"),
    packages=("chromium",),
    suite="",
    # It looks for its files beside the program of its process, so it can't be started through a
    # loader of its own; and only the machine's C library fits the machine's loader.
    left_out=("libc6", "libc-bin", "libgcc-s1"),
    # Its sandbox needs rights that unpacked files don't have; it opens our own pages alone.
    start="""\
export LD_LIBRARY_PATH="{libraries}"
exec "{program}" --no-sandbox "$@"
""",
    # The name that Odoo looks for first.
    scripts=(("google-chrome", "usr/lib/chromium/chromium"),),
    trial=(
        "--headless",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--user-data-dir={folder}/profile",
        "--print-to-pdf={folder}/page.pdf",
        "file://{folder}/page.html",
    ),
    without="tests of screens are skipped",
)


def library_folders(folder):
    """:param pathlib.Path folder: an unpacked file system
    :return: the folders that hold shared libraries, as a loader searches them
    :rtype: list
    """
    found = []
    for base in ("lib", "usr/lib"):
        for triplet in sorted((folder / base).glob("*-linux-gnu*")):
            found += [triplet, *sorted(path for path in triplet.iterdir() if path.is_dir())]
    return [path.relative_to(folder) for path in found if any(path.glob("lib*.so*"))]


def _loader(folder):
    """:return: the loader of an unpacked file system, or ``None``
    :rtype: pathlib.Path
    """
    # The well-known name is a link that leads out to the machine's own, which no other C library bears.
    found = (path for path in folder.glob("**/ld-linux*.so.*") if not path.is_symlink())
    return next((path.relative_to(folder) for path in found), None)


def _why_broken(command, **environ):
    """:param list command: a command that should succeed
    :return: why it does not, or an empty string
    :rtype: str
    """
    try:
        result = subprocess.run(
            command,
            env={**os.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if not result.returncode:
        return ""
    return (result.stdout.strip().splitlines() or [f"it ended with {result.returncode}"])[-1]
