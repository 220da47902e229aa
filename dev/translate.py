"""``make i18n``: exports the addon's terms, and brings the French translation up to date."""

import subprocess

from . import databases, environment
from .console import DevError, log
from .paths import LOGS, NAME, ROOT

_LANGUAGES = ("fr",)


def run():
    """Write ``i18n/account_collection.pot`` and merge the new terms into the translations.

    :return: whether it went well
    :rtype: bool
    """
    # Odoo would make the folder beside the links, in the cache.
    (ROOT / "i18n").mkdir(exist_ok=True)
    env = environment.set_up()
    with databases.temporary(env, "i18n", demo=False) as database:
        logfile = LOGS / "i18n.log"
        options = ["-d", database, "-i", NAME, "--stop-after-init", "--no-http"]
        log("Translations: installing the addon")
        if not env.logged_odoo(logfile, "server", *options):
            raise DevError(f"Odoo can't install the addon, see {logfile}.")
        log("Translations: exporting its terms")
        export = ["i18n", "export", "-d", database, "-l", "pot", "--", NAME]
        if not env.logged_odoo(logfile, *export):
            raise DevError(f"Odoo can't export the terms, see {logfile}.")
    merge = [env.python / "bin/python", "-m", "dev.merge_translations", *_LANGUAGES]
    return not subprocess.run(merge, cwd=ROOT, env=env.environ, check=False).returncode
