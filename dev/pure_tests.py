"""The tests that need no Odoo: test_*.py below tools/ and dev/, and the examples in tools/*.py.

Run with the addon's folder as the current one: ``python -m dev.pure_tests RESULT [NAME]`` writes
the counts to the file RESULT. It is a program of its own since it runs in another Python.
"""

import doctest
import importlib
import json
import pathlib
import sys
import unittest


def collect(name):
    """:param str name: a part of the names of the tests to run, or an empty string
    :return: the tests
    :rtype: unittest.TestSuite
    """
    loader = unittest.TestLoader()
    if name:
        loader.testNamePatterns = [f"*{name}*"]
    suite = unittest.TestSuite()
    for folder in ("tools", "dev"):
        for path in sorted(pathlib.Path(folder).rglob("tests/test_*.py")):
            suite.addTests(loader.loadTestsFromName(_module(path)))
    for path in sorted(path for path in pathlib.Path("tools").rglob("*.py") if "tests" not in path.parts):
        if path.stem != "__init__" and name in path.stem:
            suite.addTests(doctest.DocTestSuite(importlib.import_module(_module(path))))
    return suite


def _module(path):
    return ".".join(path.with_suffix("").parts)


def main(result_file, name=""):
    """Run the tests and write the counts.

    :param str result_file: where the counts go, as JSON
    :param str name: a part of the names of the tests to run, or an empty string
    """
    # Whatever tools/ imports must not lead to Odoo.
    sys.modules["odoo"] = None
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=1).run(collect(name))
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    skipped = len(result.skipped)
    counts = {
        "passed": max(result.testsRun - failed - skipped, 0),
        "failed": failed,
        "skipped": skipped,
    }
    pathlib.Path(result_file).write_text(json.dumps(counts))


if __name__ == "__main__":
    main(*sys.argv[1:])
