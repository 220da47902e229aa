"""Debian packages without installing them.

``apt-get`` works here on a state of its own: it needs no root, changes nothing on the machine,
and takes the mirror, proxies and certificates from the machine's configuration.
"""

import dataclasses
import pathlib
import re
import shutil
import subprocess
import tempfile
import urllib.parse

from .console import DevError, log, megabytes
from .files import sha256
from .paths import CACHE

LOCK = CACHE / "apt.lock"  # of the state folders and of what is unpacked from the archive
_KEYRINGS = pathlib.Path("/usr/share/keyrings")

NO_MIRROR = "this machine has no Debian mirror"
NO_NETWORK = re.compile(r"resolving|connect|unreachable|timed out", re.I)
_SECONDS_BETWEEN_REMARKS = 5

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


@dataclasses.dataclass(frozen=True)
class Package:
    """One package of an archive.

    :param str name: its name
    :param str version: its version
    :param int size: its file's size in bytes
    :param str digest: its file's SHA-256, where it is checked once more than ``apt-get`` does
    """

    name: str
    version: str
    size: int
    digest: str = ""


class PrivateApt:
    """One suite of one mirror, in a state folder of its own.

    :param pathlib.Path home: the state folder
    :param str uri: the mirror
    :param str suite: the suite's name
    """

    def __init__(self, home, uri, suite):
        self.home = home
        self.suite = suite
        for folder in ("lists/partial", "cache/archives/partial", "sources.d"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        (home / "sources.d/dev.sources").write_text(
            f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: main\nSigned-By: {_keyring()}\n"
        )
        (home / "status").touch()
        (home / "apt.conf").write_text(_CONFIGURATION.format(home=home))

    @classmethod
    def of_suite(cls, uri, suite):
        """:param str uri: the mirror
        :param str suite: the suite's name
        :return: it, with its state in the cache
        :rtype: PrivateApt
        """
        return cls(CACHE / "apt" / suite, uri, suite)

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
        return why_failed(result.stdout) if result.returncode else ""

    def versions(self, name):
        """:param str name: a package's name
        :return: the suite's packages of that name, each version once
        :rtype: list
        """
        found = {}
        for paragraph in self._run("apt-cache", "show", name).stdout.split("\n\n"):
            fields = dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", paragraph, re.M))
            if fields.get("Package") == name and "SHA256" in fields:
                package = Package(name, fields["Version"], int(fields["Size"]), fields["SHA256"])
                found.setdefault(package.version, package)
        return list(found.values())

    def with_dependencies(self, names):
        """:param names: names of packages
        :return: them and all that they depend on, down to the C library; nothing when the suite lacks one
        :rtype: list
        """
        options = ["--yes", "--no-install-recommends", "--print-uris"]
        result = self._run("apt-get", "install", *options, *names)
        return [] if result.returncode else parse_uris(result.stdout)

    def download(self, packages, folder, purpose):
        """Fetch packages, which ``apt-get`` checks against the signed index, and tell how far it is.

        :param list packages: :class:`Package`
        :param pathlib.Path folder: where they go
        :param str purpose: what they are for, in the messages
        :return: the packages' files
        :rtype: list
        """
        total = sum(package.size for package in packages)
        log(f"{purpose}: fetching {_count(packages)}, {megabytes(total)}")
        command = ["apt-get", "-c", self.home / "apt.conf", "download"]
        command += [f"{package.name}={package.version}" for package in packages]
        before = _bytes_in(folder)
        with tempfile.TemporaryFile("w+") as output:
            with subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            ) as process:
                while _still_runs(process):
                    log(f"{purpose}: {megabytes(_bytes_in(folder) - before)} of {megabytes(total)}")
            output.seek(0)
            if process.returncode:
                raise DevError(f"{purpose}: the packages can't be fetched: {why_failed(output.read())}")
        return [_checked(package, folder) for package in packages]


def fetch(purpose, names, folder, suite="", wanted=lambda _name: True, exclude=()):
    """Unpack packages from the first of the machine's mirrors that holds them; hold :data:`LOCK` meanwhile.

    :param str purpose: what they are for, in the messages
    :param list names: their names
    :param pathlib.Path folder: where their files go
    :param str suite: the suite; the mirror's own one when empty
    :param wanted: a function that says for the name of each package they depend on whether to take it
    :param exclude: patterns of files that stay out
    :raises DevError: when no mirror can be reached, or none holds them
    """
    problem = NO_MIRROR
    for uri, own_suite in machine_mirrors():
        archive = PrivateApt.of_suite(uri, suite or own_suite)
        problem = archive.update()
        packages = [] if problem else archive.with_dependencies(names)
        if not packages:
            problem = problem or f"Debian's {archive.suite} lacks {' or '.join(names)}"
            continue
        with tempfile.TemporaryDirectory(dir=CACHE) as downloads:
            packages = [package for package in packages if wanted(package.name)]
            debs = archive.download(packages, pathlib.Path(downloads), purpose)
            log(f"{purpose}: unpacking")
            for deb in debs:
                extract(deb, folder, exclude)
        return
    advice = "Is there a network?" if NO_NETWORK.search(problem) else "Install it yourself."
    raise DevError(f"{purpose} can't be fetched: {problem}. {advice}")


def parse_uris(text):
    """:param str text: what ``apt-get install --print-uris`` printed
    :return: the packages that it would fetch
    :rtype: list
    """
    # 'ADDRESS' NAME_VERSION_ARCHITECTURE.deb SIZE DIGEST, where a version's colon is written as %3a.
    found = re.findall(r"^'[^']+' (\S+)_(\S+)_\S+\.deb (\d+) ", text, re.M)
    return [Package(name, urllib.parse.unquote(version), int(size)) for name, version, size in found]


def why_failed(output):
    """:param str output: what a tool of apt's printed before it failed
    :return: the line that tells why
    :rtype: str
    """
    lines = [" ".join(line.split()) for line in output.splitlines() if line.strip()]
    # The last line says that something failed, the lines before say what.
    telling = [line for line in lines if re.match(r"[WE]: Failed to fetch", line)] or lines[-1:]
    return re.sub(r"^[WE]: ", "", telling[0]) if telling else "apt-get failed without a word"


def _checked(package, folder):
    """:return: a package's file, which is the one that it must be
    :rtype: pathlib.Path
    """
    deb = next(folder.glob(f"{package.name}_*.deb"))
    if package.digest and sha256(deb) != package.digest:
        raise DevError(f"{deb.name} is not the file that the archive's index names.")
    return deb


def _count(packages):
    return packages[0].name if len(packages) == 1 else f"{len(packages)} packages"


def _still_runs(process):
    """Wait a while for a process to end."""
    try:
        process.wait(_SECONDS_BETWEEN_REMARKS)
    except subprocess.TimeoutExpired:
        return True
    return False


def _bytes_in(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


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
