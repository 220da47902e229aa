"""An Odoo to run the addon on: the user's own, or else Debian's package unpacked into the cache."""

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from . import apt
from .console import DevError, log
from .files import complete_folder, lock, sha256
from .paths import CACHE, SERIES

_PACKAGE = "odoo-19"
_SUITES = ("sid", "testing")
# What was tried. Debian's sid moves: another version is taken too, with a remark.
_TRIED = {"19.0.0+dfsg-1": "9d2f598b0555db17e291d48ed24df184c70823c053c4c5ed53c467ca7f629bbf"}
# The package links out to these. The machine's own suite comes first: sid's Font Awesome is
# another major version and lacks the files that Odoo reads.
_LINKED = ("libjs-jquery", "fonts-font-awesome", "fonts-roboto-unhinted", "fonts-montserrat")
_TREE = "usr/lib/python3/dist-packages"
# Documentation, an incomplete second copy of the addons, and 0.8 GB of other translations.
_EXCLUDE = (
    "./etc",
    "./usr/share/doc",
    "./usr/share/lintian",
    "./usr/share/bug",
    f"./{_TREE}/addons",
    "*/i18n/[!f]*.po",
    "*/i18n/f[!r]*.po",
    "*/i18n_extra/[!f]*.po",
    "*/i18n_extra/f[!r]*.po",
)
# Debian removed this file for want of its source, but mail's asset bundle still names it: without
# it every page logs an error, and every tour fails.
_STUB = "odoo/addons/mail/static/lib/selfie_segmentation/selfie_segmentation.js"


@dataclasses.dataclass(frozen=True)
class OdooSource:
    """An Odoo of the right series.

    :param str ident: names it in the keys of the cache
    :param tree: the source tree that our Python environment runs, if it is one
    :param command: the ready command that runs in a Python of its own, if it is one
    """

    ident: str
    tree: pathlib.Path | None = None
    command: str | None = None


def get():
    """:return: the Odoo to use, fetched when the machine has none
    :rtype: OdooSource
    """
    return _from_home() or _from_path() or _from_debian()


def _from_home():
    if not os.environ.get("ODOO_HOME"):
        return None
    home = pathlib.Path(os.environ["ODOO_HOME"]).resolve()
    release = home / "odoo/release.py"
    if not release.exists():
        raise DevError(f"ODOO_HOME={home} is no Odoo source tree: it has no odoo/release.py.")
    found = re.search(r"^version_info = \((\d+), (\d+),", release.read_text(), re.M)
    if found and ".".join(found.groups()) != SERIES:
        raise DevError(f"ODOO_HOME={home} is Odoo {'.'.join(found.groups())}; the addon needs {SERIES}.")
    log(f"Odoo: the source tree {home}")
    return OdooSource(f"tree {home} {sha256(release)}", tree=home)


def _from_path():
    for name in ("odoo", "odoo-bin"):
        command = shutil.which(name)
        if not command:
            continue
        result = subprocess.run(
            [command, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=False,
        )
        if f" {SERIES}" in result.stdout:
            log(f"Odoo: the command {command}")
            return OdooSource(f"command {command} {result.stdout.strip()}", command=command)
    return None


def _from_debian():
    folder = CACHE / "odoo"
    stamp = folder / "version"
    if not stamp.exists():
        with lock(apt.LOCK):
            if not stamp.exists():
                _unpack_debian(folder)
    return OdooSource(f"debian {stamp.read_text()}", tree=folder / _TREE)


def _unpack_debian(folder):
    with tempfile.TemporaryDirectory(dir=CACHE) as downloads:
        version, debs = _download(pathlib.Path(downloads))
        with complete_folder(folder) as building:
            for deb in debs:
                log(f"Odoo: unpacking {deb.name}")
                ours = deb.name.startswith(f"{_PACKAGE}_")
                apt.extract(deb, building, _EXCLUDE if ours else ("./usr/share/doc",))
            stub = building / _TREE / _STUB
            if not stub.exists():
                stub.parent.mkdir(parents=True, exist_ok=True)
                stub.write_text("/* not part of Debian's package */\n")
            (building / "version").write_text(version)


def _download(folder):
    """Fetch Odoo and what it links to from the first mirror and suite that hold it.

    :param pathlib.Path folder: where the packages go
    :return: Odoo's version, and the packages' files
    :rtype: tuple
    """
    problems = []
    for uri, own_suite in apt.machine_mirrors():
        for suite in _SUITES:
            log(f"Odoo: looking for Debian's {_PACKAGE} in {suite}")
            archive = apt.PrivateApt.of_suite(uri, suite)
            problem = archive.update()
            versions = [] if problem else archive.versions(_PACKAGE)
            if not versions:
                problems.append(problem or f"Debian's {suite} lacks {_PACKAGE}")
                if apt.NO_NETWORK.search(problem):
                    break
                continue
            package = _choose(versions)
            debs = archive.download([package], folder, "Odoo")
            own = apt.PrivateApt.of_suite(uri, own_suite)
            own.update()
            for name in _LINKED:
                debs += _download_linked(name, (own, archive), folder)
            return package.version, debs
    raise DevError(
        f"Odoo {SERIES} can't be fetched: {'; '.join(problems) or apt.NO_MIRROR}."
        " Is there a network? Or set ODOO_HOME to Odoo's source tree, or put 'odoo' on the PATH."
    )


def _choose(packages):
    for package in packages:
        if _TRIED.get(package.version) == package.digest:
            return package
    package = packages[0]
    if package.version in _TRIED:
        raise DevError(f"{_PACKAGE} {package.version} has SHA-256 {package.digest}, not {_TRIED[package.version]}.")
    log(f"Odoo: {package.version} is newer than what was tried ({', '.join(_TRIED)})")
    return package


def _download_linked(name, archives, folder):
    for archive in archives:
        if packages := archive.versions(name):
            return archive.download(packages[:1], folder, "Odoo")
    raise DevError(f"Debian's package {name} is in no suite that was asked.")
