"""The command line behind the Makefile: ``python3 -m dev COMMAND``."""

import argparse
import shutil
import signal
import sys

from . import (
    data_model,
    databases,
    environment,
    lint,
    package,
    postgres,
    readme,
    run_tests,
    screenshots,
    serve,
    translate,
)
from .bench import run_bench
from .console import DevError, log
from .mutate import run_mutate
from .paths import CACHE


def _parser():
    parser = argparse.ArgumentParser(prog="dev", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    plain = "setup shell psql lint format i18n readme dist reset soak stop clean"
    for name in plain.split():
        commands.add_parser(name)
    commands.add_parser("run").add_argument("--port", type=int, default=8069)
    test = commands.add_parser("test")
    test.add_argument("tags", nargs="?", default="")
    test.add_argument("--with", dest="beside", default="", help="addons of Odoo that are installed beside, with commas")
    commands.add_parser("bench").add_argument("size", nargs="?", default="M")
    screenshots.add_arguments(commands.add_parser("screenshots"))
    run_mutate.add_arguments(commands.add_parser("mutate"))
    return parser


def _setup():
    env = environment.set_up(browser=True)
    databases.template(env, demo=False)
    log("Ready: 'make run' starts Odoo, 'make test' runs the tests.")


def _reset():
    env = environment.set_up()
    databases.drop(env, databases.DEMO)
    log("The demo database is dropped; 'make run' builds it anew.")


def _stop():
    postgres.stop_private()


def _clean():
    if users := postgres.stop_private():
        raise DevError(f"{CACHE} stays: its PostgreSQL is used by {users}.")
    if CACHE.exists():
        shutil.rmtree(CACHE)
        log(f"{CACHE} is removed.")


def _dispatch(args):
    """Carry out a command.

    :return: ``False`` when it failed
    """
    commands = {
        "setup": _setup,
        "run": lambda: serve.run(args.port),
        "shell": serve.shell,
        "psql": serve.psql,
        "test": lambda: run_tests.run(args.tags, [name for name in args.beside.split(",") if name]),
        "lint": lint.check,
        "format": lint.reformat,
        "i18n": translate.run,
        "readme": lambda: (readme.run(), data_model.run()),
        "dist": package.run,
        "soak": run_tests.soak,
        "mutate": lambda: run_mutate.run(args),
        "bench": lambda: run_bench.run(args.size),
        "screenshots": lambda: screenshots.run(args),
        "reset": _reset,
        "stop": _stop,
        "clean": _clean,
    }
    return commands[args.command]()


def main():
    """Run the command of the command line; exit with 1 when it failed."""
    # Leave as Ctrl-C does: servers are stopped, and temporary databases dropped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        good = _dispatch(_parser().parse_args())
    except DevError as error:
        sys.exit(f"dev: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(good is False)


main()
