"""Reading Odoo's log: what it warns of, and how its tests went."""

import dataclasses
import re

from .allowed_log_lines import ALLOWED

_ENTRY = re.compile(r"^\d{4}-\d\d-\d\d [\d:,]+ \d+ (?P<level>[A-Z]+) (?P<rest>.*)")
_BAD_LEVELS = ("WARNING", "ERROR", "CRITICAL")
_COUNTS = re.compile(r"(\d+) failed, (\d+) error\(s\) of (\d+) tests")
_SKIPPED = re.compile(r"\bodoo\.\S+: skipped (.*)")
# A failing test, and the loader and the runner that sum up.
_OF_TESTS = re.compile(r"^\S+ \S+: (?:(?:FAIL|ERROR): |Module \w+: \d+ failures, |At least one test failed)")
_STARTED_TEST = re.compile(r"Starting (\w+)\.(\w+) \.\.\.")


@dataclasses.dataclass
class Report:
    """What a log contains.

    :param list errors: entries of level ERROR or CRITICAL, with their traceback
    :param list warnings: entries of level WARNING, with what follows them
    :param list skipped: the skipped tests, each with its reason
    :param int failed: how many tests failed
    :param int total: how many tests ran
    """

    errors: list = dataclasses.field(default_factory=list)
    warnings: list = dataclasses.field(default_factory=list)
    skipped: list = dataclasses.field(default_factory=list)
    failed: int = 0
    total: int = 0

    @property
    def outside_tests(self):
        """:return: the bad entries that are not a test's own failure
        :rtype: list
        """
        return [entry for entry in self.warnings + self.errors if not _tells_of_tests(entry)]


def _tells_of_tests(entry):
    rest = _ENTRY.match(entry)["rest"]
    return bool(_OF_TESTS.match(rest) or _COUNTS.search(rest))


def read(path):
    """:param pathlib.Path path: a log file
    :return: what it contains
    :rtype: Report
    """
    report = Report()
    for entry in entries(path.read_text(errors="replace")):
        if is_bad(entry):
            level = _ENTRY.match(entry)["level"]
            (report.warnings if level == "WARNING" else report.errors).append(entry)
        elif skipped := _SKIPPED.search(entry):
            report.skipped.append(skipped[1])
        if counts := _COUNTS.search(entry):
            failures, errors, report.total = map(int, counts.groups())
            report.failed = failures + errors
    return report


def entries(text):
    """:param str text: a log
    :return: its entries, each with the lines that follow it
    :rtype: list
    """
    found = []
    for line in text.splitlines():
        if _ENTRY.match(line):
            found.append(line)
        elif found:
            found[-1] += f"\n{line}"
    return found


def is_bad(entry):
    """:param str entry: an entry, or its first line
    :return: whether it warns of something that is not known
    :rtype: bool
    """
    return _ENTRY.match(entry)["level"] in _BAD_LEVELS and not any(
        re.search(pattern, entry) for pattern, _reason in ALLOWED
    )


def started_class(line):
    """:return: the test class that a line says is being run, or ``None``
    :rtype: str
    """
    match = _STARTED_TEST.search(line)
    return match and match[1]


def tells_failure(line, before):
    """:param str line: a line of the log of a test run
    :param bool before: what was answered for the line before
    :return: whether it belongs to a warning or an error
    :rtype: bool
    """
    # A line of a traceback goes with its entry.
    return is_bad(line) if _ENTRY.match(line) else before


def tail(path, lines=20):
    """:return: a log's last lines
    :rtype: str
    """
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
