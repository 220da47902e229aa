"""The addon as it is handed out, without the tools around it: a wheel for pip, a zip for the app store.

``pip wheel .`` calls this module as its build backend. It gives whool, the usual backend of Odoo
addons, a copy that holds the addon alone and has its technical name, whatever the checkout is called.
"""

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

from . import addon_links, environment
from .console import log
from .files import committed_files
from .paths import CACHE, NAME, ROOT, manifest

# What a source distribution is built with: the copy has no tools that could be asked, and no git
# that knows of commits since the version was set.
_PROJECT = """\
[build-system]
requires = ["whool>=1.3,<2"]
build-backend = "whool.buildapi"

[tool.whool]
post_version_strategy_override = "none"
"""


# Tests that need no Odoo, and more packages than it brings along: nobody runs them but we.
_NOT_HANDED_OUT = ("tools/tests",)


def lay_out(folder):
    """Copy what is handed out: the addon without other addons that stand in it as examples.

    :param pathlib.Path folder: where the addon's folder goes
    :return: the addon's folder
    :rtype: pathlib.Path
    """
    home = folder / NAME
    parts = {path.name for path in addon_links.parts()}
    names = [path.relative_to(ROOT) for path in committed_files(ROOT)]
    left_out = {name.parent for name in names if name.name == "__manifest__.py" and name.parent.name}
    left_out.update(map(pathlib.Path, _NOT_HANDED_OUT))
    for name in names:
        if name.parts[0] in parts and "__pycache__" not in name.parts and not left_out & set(name.parents):
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, home / name)
    (home / "pyproject.toml").write_text(_PROJECT)
    return home


@contextlib.contextmanager
def _in_copy():
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(lay_out(pathlib.Path(folder)))
        try:
            yield
        finally:
            os.chdir(before)


def _call_whool(hook, *args):
    from whool import buildapi  # pylint: disable=import-outside-toplevel  # it is there while a wheel is built

    with _in_copy():
        return getattr(buildapi, hook)(*args)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """Build the wheel, as pip asks for it.

    :param str wheel_directory: where it goes
    :param dict config_settings: not used
    :param str metadata_directory: not used
    :return: its file's name
    :rtype: str
    """
    return _call_whool("build_wheel", os.path.abspath(wheel_directory), config_settings, metadata_directory)


def build_sdist(sdist_directory, config_settings=None):
    """Build the source distribution, as pip asks for it.

    :param str sdist_directory: where it goes
    :param dict config_settings: not used
    :return: its file's name
    :rtype: str
    """
    return _call_whool("build_sdist", pathlib.Path(sdist_directory).resolve(), config_settings)


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    """Write what the wheel says of itself, as pip asks for it.

    :param str metadata_directory: where it goes
    :param dict config_settings: not used
    :return: its folder's name
    :rtype: str
    """
    return _call_whool("prepare_metadata_for_build_wheel", os.path.abspath(metadata_directory), config_settings)


def build_zip(folder):
    """Build the zip for the app store.

    :param pathlib.Path folder: where it goes
    :return: the file
    :rtype: pathlib.Path
    """
    archive = folder / f"{NAME}-{manifest()['version']}.zip"
    with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as handle:
        home = lay_out(pathlib.Path(scratch))
        (home / "pyproject.toml").unlink()
        for path in sorted(home.rglob("*")):
            if path.is_file():
                handle.write(path, path.relative_to(scratch))
    return archive


def run():
    """Build both, for ``make dist``.

    :return: whether it went well
    :rtype: bool
    """
    folder = CACHE / "dist"
    folder.mkdir(parents=True, exist_ok=True)
    _source, python = environment.python_only()
    command = [python / "bin/python", "-m", "dev.package", folder]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    result = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False, **options)
    if result.returncode:
        print(result.stdout)
        return False
    log(f"Packages: {', '.join(result.stdout.splitlines()[-2:])} in {folder}")
    return True


if __name__ == "__main__":
    print(build_wheel(sys.argv[1]))
    print(build_zip(pathlib.Path(sys.argv[1])).name)
