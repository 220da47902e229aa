"""The Python environments: one that runs Odoo and the tests, one with the linters."""

import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

from . import apt
from .console import DevError, elapsed, log, megabytes
from .files import complete_folder, lock, short_key
from .paths import CACHE, DEV, SERIES

_OLDEST, _NEWEST = (3, 10), (3, 13)
_PIP = CACHE / "pip"
_MACHINE_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_SECONDS_BETWEEN_REMARKS = 5
_NO_NETWORK = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeout\w*|ReadTimeout\w*|ProxyError|SSLError|Max retries exceeded"
)


def for_odoo(source):
    """:param odoo_source.OdooSource source: the Odoo that it runs
    :return: the environment's folder, made when missing
    :rtype: pathlib.Path
    """
    lists = [DEV / "requirements-odoo.txt", DEV / "requirements-dev.txt"]
    return _environment("odoo", lists, source.tree)


def for_lint():
    """:return: the environment's folder, made when missing
    :rtype: pathlib.Path
    """
    return _environment("lint", [DEV / "requirements-lint.txt"])


def _environment(purpose, lists, tree=None):
    """Make a virtual environment; what it holds decides its name.

    :param str purpose: the first part of its name
    :param list lists: requirement files
    :param tree: an Odoo source tree to put on its path
    """
    key = short_key(sys.version_info[:2], str(tree), [path.read_text() for path in lists])
    folder = CACHE / "python" / f"{purpose}-{key}"
    ready = folder / "ready"
    with lock(CACHE / "python.lock"):
        if not ready.exists():
            _check_version()
            log(f"Python: making the environment {folder.name}")
            _create(folder)
            for path in lists:
                install(folder, "-r", path)
            if tree:
                _add_odoo(folder, tree)
            ready.touch()
        link = folder.with_name(purpose)
        if not link.is_symlink() or os.readlink(link) != folder.name:
            link.unlink(missing_ok=True)
            link.symlink_to(folder.name)
    return folder


def _check_version():
    if not _OLDEST <= sys.version_info[:2] <= _NEWEST:
        raise DevError(
            f"Odoo {SERIES} runs on Python 3.10 to 3.13, and this is"
            f" {sys.version_info[0]}.{sys.version_info[1]}: call make with PYTHON=python3.12."
        )


def _create(folder):
    shutil.rmtree(folder, ignore_errors=True)
    # Debian keeps pip out of Python, in a package of its own.
    has_pip = importlib.util.find_spec("ensurepip")
    result = subprocess.run(
        [sys.executable, "-m", "venv", *([] if has_pip else ["--without-pip"]), folder],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        raise DevError(f"Python can't make a virtual environment: install python3-venv.\n{result.stdout}")
    if not has_pip:
        _add_debian_pip(next((folder / "lib").glob("python3*/site-packages")))


def _add_debian_pip(packages):
    """Unpack Debian's pip, with certificates for it where the machine has none.

    :param pathlib.Path packages: the folder of an environment's packages
    """
    names = ("python3-pip-whl", "ca-certificates")
    if not _PIP.exists():
        with lock(apt.LOCK), complete_folder(_PIP) as building:
            apt.fetch("pip", names, building, wanted=lambda name: name in names)
            trusted = sorted((building / "usr/share/ca-certificates/mozilla").glob("*.crt"))
            (building / "certificates.pem").write_bytes(b"".join(path.read_bytes() for path in trusted))
    with zipfile.ZipFile(next((_PIP / "usr/share/python-wheels").glob("pip-*.whl"))) as wheel:
        wheel.extractall(packages)
    if not pathlib.Path(_MACHINE_CERTIFICATES).exists():
        # Debian's pip reads this file when it starts, whatever its options say.
        source = packages / "pip/_vendor/certifi/core.py"
        source.write_text(source.read_text().replace(_MACHINE_CERTIFICATES, str(_PIP / "certificates.pem")))


def install(folder, *args):
    """Install wheels, and nothing but what is named.

    :param pathlib.Path folder: the environment
    :param args: pip's further arguments
    """
    command = [folder / "bin/python", "-m", "pip", "install", "--no-cache-dir", "--progress-bar", "off"]
    command += ["--disable-pip-version-check", "--no-warn-script-location"]
    command += ["--no-deps", "--only-binary", ":all:", *args]
    # As root, pip prints advice that does not hold inside an environment of our own.
    environ = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore"}
    progress = PipProgress()
    with subprocess.Popen(
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout:
            progress.read(line)
    if process.returncode:
        raise DevError(progress.why_failed())


class PipProgress:
    """What pip prints, read line by line: now and then a remark on how far it is, and why it failed."""

    def __init__(self):
        self._lines = []
        self._packages = 0
        self._bytes = 0.0
        self._last = elapsed()

    def read(self, line):
        """:param str line: the next line"""
        self._lines.append(line)
        self._packages += line.startswith(("Collecting ", "Processing "))
        if found := re.search(r"Downloading \S+\.whl \(([\d.]+) (bytes|[kM]B)\)", line):
            self._bytes += float(found[1]) * {"bytes": 1, "kB": 1e3, "MB": 1e6}[found[2]]
        if elapsed() - self._last > _SECONDS_BETWEEN_REMARKS:
            self._last = elapsed()
            log(f"Python: {self.describe()} so far")
        if line.startswith("Installing collected packages") and self._packages > 1:
            log(f"Python: installing {self.describe()}")

    def describe(self):
        """:return: how far it is
        :rtype: str
        """
        packages = "1 package" if self._packages == 1 else f"{self._packages} packages"
        return packages + (f", {megabytes(self._bytes)}" if self._bytes else "")

    def why_failed(self):
        """:return: why pip failed, in one sentence when it is the network
        :rtype: str
        """
        output = "".join(self._lines)
        if found := _NO_NETWORK.search(output):
            return f"The Python packages can't be fetched: no package index answers ({found[0]}). Is there a network?"
        errors = [line for line in self._lines if line.startswith("ERROR")] or self._lines[-20:]
        return f"pip can't install the wheels:\n{''.join(errors).strip()}"


def _add_odoo(folder, tree):
    """Put the tree on the path, and write the command.

    It is a script of its own since Odoo starts itself anew from ``sys.argv[0]`` (--dev=reload,
    --workers), which fails after ``python -m odoo``.
    """
    packages = next((folder / "lib").glob("python3*/site-packages"))
    (packages / "odoo-tree.pth").write_text(f"{tree}\n")
    script = pathlib.Path(folder / "bin/odoo")
    script.write_text(f"#!{folder}/bin/python\nimport odoo.cli\n\nodoo.cli.main()\n")
    script.chmod(0o755)
