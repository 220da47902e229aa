"""Other addons for the comparison. They are installed for it alone, and the addon takes nothing from them."""

import dataclasses

from .. import python_env
from ..console import DevError, log
from ..files import complete_folder, lock, short_key
from ..paths import CACHE

_WHEELS = (
    "odoo-addon-account-credit-control==19.0.1.0.0.13",
    "odoo-addon-partner-time-to-pay==19.0.1.0.1",
)
_FOLDER = CACHE / "bench" / f"peers-{short_key(_WHEELS)}"


@dataclasses.dataclass(frozen=True)
class Peer:
    """Another addon.

    :param str name: its technical name
    :param str job: the module that measures it
    :param tuple sizes: of the ledgers on which it is measured; all when empty
    """

    name: str
    job: str
    sizes: tuple = ()


PEERS = (
    Peer("account_credit_control", "jobs_credit_control"),
    # Its installation computes a field of every invoice: a quarter of an hour at 200,000.
    Peer("partner_time_to_pay", "jobs_time_to_pay", ("S",)),
)


def fetch(env):
    """Fetch the other addons, once.

    :param environment.Environment env: the environment, whose pip is used
    :return: the folder that holds them, or ``None`` when they can't be had
    :rtype: pathlib.Path
    """
    with lock(CACHE / "bench" / "peers.lock"):
        if not _FOLDER.exists():
            log("Benchmark: fetching the OCA addons for the comparison")
            try:
                with complete_folder(_FOLDER) as building:
                    python_env.install(env.python, "--target", building, *_WHEELS)
            except DevError as error:
                log(f"Benchmark: goes on without OCA addons, which can't be fetched: {error}")
                return None
    return _FOLDER / "odoo/addons"
