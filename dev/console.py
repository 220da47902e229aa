"""What the tools say: progress with elapsed seconds, and one clear sentence on failure."""

import sys
import time

_STARTED = time.monotonic()


class DevError(Exception):
    """A problem that the user can fix; its text is the whole message."""


def elapsed():
    """:return: seconds since the tools were started
    :rtype: float
    """
    return time.monotonic() - _STARTED


def log(message):
    """Print what is going on.

    :param str message: one line
    """
    print(f"[{elapsed():6.1f}s] {message}", file=sys.stderr, flush=True)


def megabytes(size):
    """:param int size: bytes
    :return: as people say it
    :rtype: str
    """
    return f"{max(round(size / 1e6), 1)} MB"
