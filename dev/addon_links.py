"""The addon as Odoo sees it: a folder with the right name that links to each part of the checkout.

The technical name then does not depend on the checkout's own name, and what is no part of the
addon (these tools, dot-files) stays out of what Odoo reads and translates.
"""

import hashlib
import os
import shutil

from .paths import ADDONS, NAME, ROOT

HOME = ADDONS / NAME
_NOT_ADDON = {"dev", "Makefile", "pyproject.toml", "requirements.txt", "CONTRIBUTING.md"}
_NOT_ADDON |= {"__pycache__", "node_modules", "venv", "build"}
# They change what a person reads, not what an installed addon does.
_NOT_INSTALLED = ("tests", "readme", "tools/tests", "static/description", "static/tests")


def link():
    """Bring the links up to date.

    :return: the addon's folder
    :rtype: pathlib.Path
    """
    HOME.mkdir(parents=True, exist_ok=True)
    wanted = {path.name: path for path in parts()}
    for entry in HOME.iterdir():
        if entry.is_symlink():
            if os.readlink(entry) != str(wanted.get(entry.name)):
                entry.unlink()
        else:
            shutil.rmtree(entry)
    for name, target in wanted.items():
        if not (HOME / name).is_symlink():
            (HOME / name).symlink_to(target)
    return HOME


def copy(folder):
    """Copy the addon, for tools that do not follow links.

    :param pathlib.Path folder: where it goes; what stood there is replaced
    :return: the copy's folder
    :rtype: pathlib.Path
    """
    shutil.rmtree(folder, ignore_errors=True)
    return shutil.copytree(link(), folder / NAME, ignore=shutil.ignore_patterns("__pycache__"))


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
