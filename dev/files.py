"""Small helpers around files: locks, folders that appear only when complete, digests."""

import contextlib
import fcntl
import hashlib
import shutil
import subprocess


@contextlib.contextmanager
def lock(path):
    """Let one process at a time pass; the others wait.

    :param pathlib.Path path: the lock's file, made when missing
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


_shared = []


def share(path):
    """Say until this process ends that it uses something, as others may at the same time.

    :param pathlib.Path path: the lock's file, made when missing
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = open(path, "a")
    fcntl.flock(handle, fcntl.LOCK_SH)
    _shared.append(handle)


def is_shared(path):
    """:param pathlib.Path path: a lock's file
    :return: whether a process uses what the lock stands for
    :rtype: bool
    """
    if not path.exists():
        return False
    with open(path, "a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextlib.contextmanager
def complete_folder(path):
    """Build a folder under another name, and rename it when all went well.

    :param pathlib.Path path: the final folder; what stood there is replaced
    """
    building = path.with_name(path.name + ".tmp")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    yield building
    shutil.rmtree(path, ignore_errors=True)
    building.rename(path)


def sha256(path):
    """:param pathlib.Path path: a file
    :return: its SHA-256 in hexadecimal
    :rtype: str
    """
    digest = hashlib.sha256()
    with open(path, "rb") as handle:
        while chunk := handle.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def short_key(*parts):
    """:param parts: anything with a stable ``repr``
    :return: a short name for this combination
    :rtype: str
    """
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def committed_files(root):
    """:param pathlib.Path root: a checkout
    :return: its files that are, or would be, committed
    :rtype: list
    """
    command = ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if shutil.which("git"):
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if not result.returncode:
            names = result.stdout.decode().split("\0")
            return [root / name for name in names if name and (root / name).is_file()]
    # A copy of the files, or a machine without git.
    return [path for path in sorted(root.rglob("*")) if path.is_file() and ".git" not in path.relative_to(root).parts]
