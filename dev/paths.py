"""Where everything is: the addon, and the one cache folder that holds whatever is not the addon."""

import ast
import functools
import hashlib
import os
import pathlib

NAME = "account_collection"
# The addon in tests/ that shows how this one is extended.
EXAMPLE = "collection_example"
SERIES = "19.0"
ROOT = pathlib.Path(__file__).resolve().parent.parent
DEV = ROOT / "dev"


def _cache_folder():
    """:return: ``$DEV_CACHE`` or the system's usual place
    :rtype: pathlib.Path
    """
    if os.environ.get("DEV_CACHE"):
        return pathlib.Path(os.environ["DEV_CACHE"]).resolve()
    if os.geteuid() == 0:
        # PostgreSQL runs as another user, who can't enter /root.
        return pathlib.Path("/var/cache") / f"{NAME}-dev"
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / f"{NAME}-dev"


CACHE = _cache_folder()
CHECKOUT_KEY = hashlib.sha256(str(ROOT).encode()).hexdigest()[:10]
CHECKOUT = CACHE / "checkout" / CHECKOUT_KEY
ADDONS = CHECKOUT / "addons"
LOGS = CHECKOUT / "logs"
DATA = CACHE / "data"


@functools.cache
def manifest():
    """:return: the addon's manifest
    :rtype: dict
    """
    return ast.literal_eval((ROOT / "__manifest__.py").read_text())
