"""Debian packages without installing them.

``apt-get`` works here on a state of its own: it needs no root, changes nothing on the machine,
and takes the mirror, proxies and certificates from the machine's configuration.
"""

import pathlib
import re
import shutil
import subprocess

from .console import DevError
from .files import sha256

_KEYRINGS = pathlib.Path("/usr/share/keyrings")

# The #clear lines drop hooks (appstream, packagekit) that would touch the machine. The sandbox
# user is root because Debian's "_apt" can't write in the cache.
_CONFIGURATION = """\
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "{home}/sources.d";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "{home}";
Dir::State::lists "{home}/lists";
Dir::State::status "{home}/status";
Dir::Cache "{home}/cache";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Log "{home}";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::AllowInsecureRepositories "false";
APT::Get::AllowUnauthenticated "false";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


class PrivateApt:
    """One suite of one mirror, in a state folder of its own.

    :param pathlib.Path home: the state folder
    :param str uri: the mirror
    :param str suite: the suite's name
    """

    def __init__(self, home, uri, suite):
        self.home = home
        for folder in ("lists/partial", "cache/archives/partial", "sources.d"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        (home / "sources.d/dev.sources").write_text(
            f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: main\nSigned-By: {_keyring()}\n"
        )
        (home / "status").touch()
        (home / "apt.conf").write_text(_CONFIGURATION.format(home=home))

    def _run(self, tool, *args, cwd=None):
        return subprocess.run(
            [tool, "-c", self.home / "apt.conf", *args],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def update(self):
        """Read the suite's index.

        :return: the reason why it can't be read, or an empty string
        :rtype: str
        """
        result = self._run("apt-get", "update", "--error-on=any")
        if not result.returncode:
            return ""
        return (result.stdout.strip().splitlines() or ["apt-get update failed"])[-1]

    def versions(self, package):
        """:param str package: a package's name
        :return: the versions that the suite holds, each with its SHA-256
        :rtype: dict
        """
        found = {}
        for paragraph in self._run("apt-cache", "show", package).stdout.split("\n\n"):
            fields = dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", paragraph, re.M))
            if fields.get("Package") == package and "SHA256" in fields:
                found.setdefault(fields["Version"], fields["SHA256"])
        return found

    def download(self, package, version, digest, folder):
        """Fetch one package and check it.

        :param str package: its name
        :param str version: its version
        :param str digest: the SHA-256 that it must have
        :param pathlib.Path folder: where it goes
        :return: the package's file
        :rtype: pathlib.Path
        """
        result = self._run("apt-get", "download", f"{package}={version}", cwd=folder)
        if result.returncode:
            raise DevError(f"apt-get can't download {package} {version}:\n{result.stdout}")
        deb = next(folder.glob(f"{package}_*.deb"))
        if sha256(deb) != digest:
            raise DevError(f"{deb.name} is not the file that the archive's index names.")
        return deb


def _keyring():
    for name in ("debian-archive-keyring.gpg", "debian-archive-keyring.pgp"):
        if (_KEYRINGS / name).exists():
            return _KEYRINGS / name
    raise DevError("Debian's archive keys are missing: install debian-archive-keyring.")


def machine_mirrors():
    """:return: this machine's Debian mirrors as (address, suite), the main one first
    :rtype: list
    """
    if not shutil.which("apt-get"):
        return []
    rows = set()
    # Before the machine's first "apt-get update" only the second call knows the mirrors.
    for extra in ([], ["--no-release-info"]):
        columns = "$(REPO_URI)|$(RELEASE)|$(ORIGIN)|$(COMPONENT)"
        text = subprocess.run(
            ["apt-get", "indextargets", *extra, "--format", columns, "Identifier: Packages"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=False,
        ).stdout
        for uri, suite, origin, component in (line.split("|") for line in text.splitlines()):
            if component == "main" and "security" not in suite and "/" not in suite:
                rows.add((origin != "Debian", "-" in suite, uri, suite))
    mirrors = {}
    for _foreign, _partial, uri, suite in sorted(rows):
        mirrors.setdefault(uri, suite)
    return list(mirrors.items())


def extract(deb, folder, exclude=()):
    """Unpack a package's files.

    :param pathlib.Path deb: the package
    :param pathlib.Path folder: where they go
    :param exclude: patterns of what stays out
    """
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as archive:
        unpacked = subprocess.run(
            ["tar", "-x", "-C", folder, "--no-same-owner", "--wildcards"]
            + [f"--exclude={pattern}" for pattern in exclude],
            stdin=archive.stdout,
            check=False,
        )
    if archive.returncode or unpacked.returncode:
        raise DevError(f"{deb.name} can't be unpacked; is the disk full?")
