"""``make lint`` and ``make format``: style, Odoo's conventions, XML, translations."""

import os
import re
import subprocess
import xml.etree.ElementTree

from . import addon_links, check_arrows, check_imports, data_model, python_env, readme
from .console import DevError, log
from .files import committed_files
from .paths import CACHE, CHECKOUT, EXAMPLE, NAME, ROOT

_COPY = CHECKOUT / "lint"
# Which registry serves a package is the user's affair: none is named in a committed file.
_REGISTRY_HOSTS = re.compile(
    r"pypi[.]org|pythonhosted[.]org|deb[.]debian[.]org|security[.]debian[.]org|ftp[.]debian[.]org"
    r"|registry[.]npmjs[.]org|npmjs[.]com|registry[.]yarnpkg[.]com|proxy[.]golang[.]org"
)
# Odoo's own XML files write the encoding in small letters and plain numbers in their fields, and
# its export orders the terms.
_NOT_CHECKED = "--disable=xml-header-wrong,xml-field-numeric-without-eval,po-pretty-format,prefer-readme-rst"


def check():
    """Run all checks, even after one that failed.

    :return: whether all are content
    :rtype: bool
    """
    folder = _environment()
    addon = addon_links.copy(_COPY)
    addons = (addon, _COPY / EXAMPLE)
    catalogs = sorted(addon.glob("i18n/*.po*"))
    results = {
        "ruff": _run(folder, "ruff", "check", "--quiet"),
        "ruff format": _run(folder, "ruff", "format", "--quiet", "--diff"),
        "pylint-odoo": _run(folder, "pylint", f"--rcfile={ROOT / '.pylintrc'}", *addons),
        "OCA module checks": _run(folder, "oca-checks-odoo-module", _NOT_CHECKED, *addons),
        "OCA translation checks": not catalogs or _run(folder, "oca-checks-po", _NOT_CHECKED, *catalogs),
        "translations": _run(folder, "python", "-m", "dev.check_translations"),
        "XML": _check_xml(),
        "registry hosts": _check_hosts(),
        "arrows between areas": check_arrows.check(),
        "imports": check_imports.check(),
        "README.rst": readme.check(),
        "picture of the data model": data_model.check(),
    }
    for name, good in results.items():
        print(f"{'ok  ' if good else 'FAIL'} {name}")
    return all(results.values())


def reformat():
    """Let ruff fix what it can.

    :return: whether nothing is left to fix
    :rtype: bool
    """
    folder = _environment()
    formatted = _run(folder, "ruff", "format")
    return _run(folder, "ruff", "check", "--fix") and formatted


def _environment():
    if not (ROOT / "__manifest__.py").exists():
        raise DevError(f"{ROOT} holds no addon: __manifest__.py is missing.")
    CACHE.mkdir(parents=True, exist_ok=True)
    return python_env.for_lint()


def _run(folder, tool, *args):
    """Run a linter in the addon's folder, with its own files in the cache.

    :return: whether it is content
    :rtype: bool
    """
    log(f"Lint: {tool}")
    environ = {
        **os.environ,
        "PATH": f"{folder}/bin{os.pathsep}{os.environ['PATH']}",
        "PYLINTHOME": str(CACHE / "pylint"),
        "PYTHONPYCACHEPREFIX": str(CACHE / "pycache"),
        "RUFF_CACHE_DIR": str(CACHE / "ruff"),
    }
    result = subprocess.run(
        [folder / "bin" / tool, *args],
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    # Some look at a copy that has the addon's name, and one of them omits the first slash; print
    # the paths in the checkout.
    copy = re.escape(str(_COPY).lstrip("/"))
    output = re.sub(rf"/?{copy}/{EXAMPLE}/", f"tests/{EXAMPLE}/", result.stdout)
    output = re.sub(rf"/?{copy}/{NAME}/", "", output).strip()
    if output:
        print(output, flush=True)
    return not result.returncode


def _check_xml():
    good = True
    for path in committed_files(ROOT):
        if path.suffix in (".xml", ".svg"):
            try:
                xml.etree.ElementTree.parse(path)
            except xml.etree.ElementTree.ParseError as error:
                print(f"{path.relative_to(ROOT)}: {error}")
                good = False
    return good


def _check_hosts():
    good = True
    for path in committed_files(ROOT):
        text = path.read_bytes().decode(errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if found := _REGISTRY_HOSTS.search(line):
                print(f"{path.relative_to(ROOT)}:{number}: names the registry {found[0]}")
                good = False
    return good
