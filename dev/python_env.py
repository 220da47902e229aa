"""The Python environments: one that runs Odoo and the tests, one with the linters."""

import os
import pathlib
import shutil
import subprocess
import sys

from .console import DevError, log
from .files import lock, short_key
from .paths import CACHE, DEV, SERIES

_OLDEST, _NEWEST = (3, 10), (3, 13)


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
    result = subprocess.run(
        [sys.executable, "-m", "venv", folder],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        raise DevError(
            "Python can't make a virtual environment: install python3-venv"
            f" (apt-get install python3-venv).\n{result.stdout}"
        )


def install(folder, *args):
    """Install wheels, and nothing but what is named.

    :param pathlib.Path folder: the environment
    :param args: pip's further arguments
    """
    command = [folder / "bin/python", "-m", "pip", "install", "--quiet", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--no-warn-script-location"]
    command += ["--no-deps", "--only-binary", ":all:", *args]
    # As root, pip prints advice that does not hold inside an environment of our own.
    environ = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore"}
    result = subprocess.run(
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        raise DevError(f"pip can't install the wheels:\n{result.stdout.strip()}")


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
