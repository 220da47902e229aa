"""Databases: templates with the addon's dependencies, made once, and quick copies of them."""

import contextlib
import os
import shutil

from . import addon_links, odoo_log
from .console import DevError, log
from .environment import LANGUAGES
from .files import lock, short_key
from .paths import CACHE, CHECKOUT, CHECKOUT_KEY, DATA, LOGS, NAME, manifest

DEMO = f"demo_{CHECKOUT_KEY}"
# The French chart of accounts serves the demo company and the tests on French law.
_EXTRA_DEPENDENCIES = {"l10n_fr_account"}


def template(env, demo, beside=(), languages=LANGUAGES):
    """A database with the addon's dependencies, shared by all checkouts.

    :param Environment env: the environment
    :param bool demo: with Odoo's demo data
    :param beside: further addons of Odoo, such as ``sale``, that are installed before ours
    :param str languages: what it speaks, the base language first
    :return: its name
    :rtype: str
    """
    modules = sorted(_EXTRA_DEPENDENCIES.union(manifest()["depends"], beside))
    key = short_key(env.source.ident, modules, demo, languages, env.postgres.ident, str(CACHE))
    name = f"template_{key}"
    with lock(CACHE / f"{name}.lock"):
        if not exists(env, name):
            _make_template(env, name, modules, demo, languages)
    return name


def _make_template(env, name, modules, demo, languages):
    unfinished = f"new_{name}"
    drop(env, unfinished)
    logfile = LOGS / f"{name}.log"
    kind = "with" if demo else "without"
    log(f"Database: installing {', '.join(modules)} {kind} demo data, once (about a minute)")
    options = ["-d", unfinished, "-i", ",".join(modules), "--load-language", languages]
    options += [f"--{kind}-demo", "--stop-after-init", "--no-http"]
    good = env.logged_odoo(logfile, "server", *options)
    if not good or odoo_log.read(logfile).errors:
        raise DevError(f"Odoo's own addons can't be installed, see {logfile}.")
    generate_assets(env, unfinished)
    shutil.rmtree(_filestore(name), ignore_errors=True)
    if _filestore(unfinished).exists():
        _filestore(unfinished).rename(_filestore(name))
    env.postgres.sql("ANALYZE", database=unfinished)
    env.postgres.sql(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')


def generate_assets(env, name):
    """Make the web assets of a database, which its copies then have: else each Odoo that tests makes them anew.

    :param Environment env: the environment
    :param str name: the database
    """
    log("Database: generating its web assets, once")
    script = "env['ir.qweb']._pregenerate_assets_bundles(); env.cr.commit()\n"
    env.odoo("shell", "-d", name, "--no-http", "--log-level=warn", input=script, text=True)


def leave_out_unit_tests(env, name):
    """Archive the pages of Odoo's own tests of JavaScript, whose assets a run of tests would make with all others.

    :param Environment env: the environment
    :param str name: the database
    """
    pages = "'web.qunit_suite', 'web.test_helpers', 'web.unit_tests_suite'"
    env.postgres.sql(f"UPDATE ir_ui_view SET active = false WHERE key IN ({pages})", database=name)


def exists(env, name):
    """:return: whether there is such a database
    :rtype: bool
    """
    return bool(env.postgres.sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"))


def _filestore(name):
    return DATA / "filestore" / name


def copy(env, source, name):
    """Copy a database with its filestore, whose files are hard links.

    :param Environment env: the environment
    :param str source: the database to copy
    :param str name: the copy's name; what stood there is dropped
    """
    drop(env, name)
    # Copying files is quicker than the default, but only a superuser's server is sure to do it.
    strategy = "" if env.postgres.external else " STRATEGY FILE_COPY"
    env.postgres.sql(f'CREATE DATABASE "{name}" TEMPLATE "{source}"{strategy}')
    if _filestore(source).exists():
        shutil.copytree(_filestore(source), _filestore(name), copy_function=os.link)


def drop(env, name):
    """Drop a database and its filestore, if they are there."""
    env.postgres.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    shutil.rmtree(_filestore(name), ignore_errors=True)


@contextlib.contextmanager
def copied(env, source, purpose):
    """A copy of a database for the length of a block.

    :param Environment env: the environment
    :param str source: the database
    :param str purpose: the first part of the copy's name
    """
    name = f"{purpose}_{CHECKOUT_KEY}_{os.getpid()}"
    copy(env, source, name)
    try:
        yield name
    finally:
        drop(env, name)


def temporary(env, purpose, demo, beside=(), languages=LANGUAGES):
    """A fresh copy of the template for the length of a block.

    :param Environment env: the environment
    :param str purpose: the first part of its name
    :param bool demo: with demo data
    :param beside: further addons of Odoo
    :param str languages: what it speaks
    """
    return copied(env, template(env, demo, beside, languages), purpose)


def demo(env):
    """The demo database of this checkout, built when missing, updated when the addon changed.

    :param Environment env: the environment
    :return: its name
    :rtype: str
    """
    with lock(CHECKOUT / "demo.lock"):
        current = addon_links.fingerprint()
        if not exists(env, DEMO):
            log("Database: installing the addon with its demo data, once")
            _install_demo(env, current)
        elif _installed_fingerprint(env) != current:
            log("Database: the addon changed, updating it in the demo database")
            _run_on_demo(env, DEMO, "-u")
            _remember_fingerprint(env, current)
    return DEMO


def _install_demo(env, fingerprint):
    unfinished = f"new_{DEMO}"
    copy(env, template(env, demo=True), unfinished)
    _run_on_demo(env, unfinished, "-i")
    shutil.rmtree(_filestore(DEMO), ignore_errors=True)
    _filestore(unfinished).rename(_filestore(DEMO))
    env.postgres.sql("ANALYZE", database=unfinished)
    env.postgres.sql(f'ALTER DATABASE "{unfinished}" RENAME TO "{DEMO}"')
    _remember_fingerprint(env, fingerprint)


def _run_on_demo(env, database, option):
    logfile = LOGS / "demo.log"
    options = ["-d", database, option, NAME, "--stop-after-init", "--no-http"]
    good = env.logged_odoo(logfile, "server", *options)
    report = odoo_log.read(logfile)
    if not good or report.errors:
        shown = "\n".join(report.errors[-3:]) or odoo_log.tail(logfile)
        raise DevError(
            f"{shown}\n\nOdoo can't load the addon into the demo database, see {logfile}."
            " 'make reset' starts it afresh."
        )


def _installed_fingerprint(env):
    return env.postgres.sql(f"SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '{DEMO}'")


def _remember_fingerprint(env, fingerprint):
    # Kept as the database's comment, so that it goes where the database goes.
    env.postgres.sql(f"COMMENT ON DATABASE \"{DEMO}\" IS '{fingerprint}'")
