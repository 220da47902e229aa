"""The addon as Odoo sees it: a folder with the right name that links to each part of the checkout.

The technical name then does not depend on the checkout's own name, and what is no part of the
addon (these tools, dot-files) stays out of what Odoo reads and translates.
"""

import hashlib
import os
import shutil

from .paths import ADDONS, EXAMPLE, NAME, ROOT

HOME = ADDONS / NAME
# An addon of its own, which shows how this one is extended: it stands beside it, not in it.
_EXAMPLE_HOME = ROOT / "tests" / EXAMPLE
_NOT_ADDON = {"dev", "Makefile", "pyproject.toml", "requirements.txt", "CONTRIBUTING.md"}
_NOT_ADDON |= {"__pycache__", "node_modules", "venv", "build"}
# They change what a person reads, not what an installed addon does.
_NOT_INSTALLED = ("tests", "readme", "tools/tests", "static/description", "static/tests")


def link():
    """Bring the links up to date.

    :return: the addon's folder
    :rtype: pathlib.Path
    """
    wanted = {path.name: path for path in parts()}
    tests = wanted.pop("tests", None)
    _link_all(HOME, wanted, folders={"tests"} if tests else ())
    if tests:
        children = (path for path in sorted(tests.iterdir()) if path.name not in ("__pycache__", EXAMPLE))
        _link_all(HOME / "tests", {path.name: path for path in children})
    if _EXAMPLE_HOME.is_dir():
        _link_all(ADDONS, {EXAMPLE: _EXAMPLE_HOME}, folders={NAME})
    return HOME


def _link_all(folder, wanted, folders=()):
    """Have a folder hold these links and folders, and nothing else.

    :param pathlib.Path folder: where they are
    :param dict wanted: name and target of each link
    :param folders: names of the folders that stay
    """
    folder.mkdir(parents=True, exist_ok=True)
    for entry in folder.iterdir():
        if entry.is_symlink():
            if os.readlink(entry) != str(wanted.get(entry.name)):
                entry.unlink()
        elif entry.name not in folders:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    for name, target in wanted.items():
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(target)


def copy(folder):
    """Copy the addon, and its example beside it, for tools that do not follow links.

    :param pathlib.Path folder: where they go; what stood there is replaced
    :return: the addon's folder
    :rtype: pathlib.Path
    """
    shutil.rmtree(folder, ignore_errors=True)
    link()
    for name in (NAME, EXAMPLE):
        if (ADDONS / name).exists():
            shutil.copytree(ADDONS / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder / NAME


def parts():
    """:return: the files and folders of the checkout that are the addon
    :rtype: iterator
    """
    for path in sorted(ROOT.iterdir()):
        if path.name not in _NOT_ADDON and not path.name.startswith("."):
            yield path


def fingerprint():
    """:return: a digest that changes when the addon needs an update in a database
    :rtype: str
    """
    digest = hashlib.sha256()
    for path in _installed_files():
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _installed_files():
    for part in parts():
        for path in [part] if part.is_file() else sorted(part.rglob("*")):
            name = str(path.relative_to(ROOT))
            if path.is_file() and "__pycache__" not in name and not name.startswith(_NOT_INSTALLED):
                yield path
