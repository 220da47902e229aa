"""Damaged files: nothing but ``TabularError`` comes out, and nothing takes long.

``COLLECTION_FUZZ_SECONDS`` says how long to go on with random seeds; without it, a few hundred files that
are the same each time.
"""

import collections
import io
import os
import pathlib
import random
import resource
import signal
import sys
import threading
import time
import unittest
import zipfile

from tools import tabular
from tools.tests.tabular_files import make_rows, make_xlsx

FILES = pathlib.Path(__file__).parent / "files"
SECONDS = float(os.environ.get("COLLECTION_FUZZ_SECONDS", 0))
# Seconds of work, so that a busy machine looks like no hang.
HANG = 5
INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
# What may go wrong in the XML of a workbook and in texts.
TOKENS = (
    b"<row/>",
    b'<row r="1048577">',
    b'<row r="99999999999999999999">',
    b'<c r="XFD1"><v>1</v></c>',
    b'<c r="A0" t="s"><v>999999</v></c>',
    b'<c t="s"><v>-5</v></c>',
    b'<c t="b"><v>x</v></c>',
    b'<c t="d"><v>2026-13-45</v></c>',
    b'<c s="99999"><v>1e999</v></c>',
    b"<v>" + b"9" * 5000 + b"</v>",
    b'<!DOCTYPE a [<!ENTITY b "c">]>',
    b"&b;",
    b"&#0;",
    b"_x0000_",
    b"]]>",
    b'<mergeCell ref="A1:XFD1048576"/>',
    b'<dimension ref="A1:ZZZZ99999999"/>',
    b'r="',
    b't="s"',
    b's="-1"',
    b'"',
    b"'",
    b"=1+1",
    b"\0",
    b"\r",
    b"\n",
    b";",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xc3",
    b"-1",
    b"1e400",
    b"NaN",
    b"9" * 400,
)


class Hang(BaseException):
    """Reading took too long."""


def damage_bytes(content, rng):
    """Return content with a few bytes changed, lost, doubled or added."""
    data = bytearray(content)
    for _step in range(rng.choice((1, 1, 2, 4, 16))):
        if not data:
            break
        position = rng.randrange(len(data))
        kind = rng.randrange(7)
        if kind == 0:
            data[position] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[position] = rng.randrange(256)
        elif kind == 2:
            del data[position : position + rng.choice((1, 2, 8, 64, 512, len(data)))]
        elif kind == 3:
            chunk = data[position : position + rng.choice((1, 4, 32, 512))]
            data[position:position] = chunk * rng.choice((1, 2, 50))
        elif kind == 4:
            data[position:position] = rng.choice(TOKENS)
        elif kind == 5:
            size = rng.choice((1, 2, 4))
            data[position : position + size] = (rng.choice(INTERESTING) & (256**size - 1)).to_bytes(size, "little")
        else:
            other = rng.randrange(len(data))
            data[position : position + 16], data[other : other + 16] = (
                data[other : other + 16],
                data[position : position + 16],
            )
    return bytes(data)


def damage_archive(content, rng):
    """Return a workbook with some of its parts damaged, and packed properly again."""
    source = zipfile.ZipFile(io.BytesIO(content))
    names = source.namelist()
    chosen = set(rng.sample(names, rng.choice((1, 1, 2))))
    if rng.random() < 0.5:
        chosen = {name for name in names if "sheet1" in name}
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            part = source.read(name)
            if name in chosen:
                if rng.random() < 0.05:
                    continue
                part = damage_bytes(part, rng) if rng.random() < 0.6 else damage_attributes(part, rng)
            archive.writestr(name, part)
    return output.getvalue()


def damage_attributes(part, rng):
    """Return XML that is still XML, with other values in it."""
    pieces = part.split(b'"')
    for _step in range(rng.choice((1, 2, 5))):
        if len(pieces) > 2:
            index = rng.randrange(1, len(pieces), 2) if len(pieces) > 2 else 0
            pieces[index] = rng.choice(
                (
                    b"",
                    b"0",
                    b"-1",
                    b"1",
                    b"4294967296",
                    b"99999999999999999999",
                    b"A1",
                    b"XFD1048577",
                    b"n",
                    b"s",
                    b"e",
                    b"x",
                )
            )
    return b'"'.join(pieces)


def read_everything(content, filename):
    """Do with a file what the dialogues do.

    :return: the number of rows
    """
    table = tabular.read_table(content, filename)
    fields = {"amount": ["Montant", "Amount"], "date": ["Échéance", "Due date"]}
    tabular.match_columns(table.columns, fields)
    count = 0
    columns = [[] for _column in table.columns]
    for row in table:
        count += 1
        if len(row.cells) != len(table.columns):
            raise AssertionError("a row is not as wide as the titles")
        tabular.is_total(row.cells, 0)
        for cell, values in zip(row.cells, columns, strict=True):
            if len(values) < 50:
                values.append(cell)
    for values in columns:
        order, decimal = tabular.guess_date_order(values), tabular.guess_decimal(values)
        for value in values:
            parsers = (
                (tabular.parse_text, {}),
                (tabular.parse_date, {"order": order, "epoch": table.epoch}),
                (tabular.parse_amount, {"decimal": decimal}),
            )
            for parse, options in parsers:
                try:
                    parsed = parse(value, **options)
                except tabular.TabularError:
                    continue
                if isinstance(parsed, str):
                    # It must be possible to store it.
                    parsed.encode("utf-8")
    return count


def make_seeds():
    """Return ``{name: (content, how to damage it)}`` of files of all kinds."""
    rows = make_rows(30)
    xlsx = make_xlsx(rows)
    texts = {
        f"{name}.csv": tabular.write_delimited(rows[0], rows[1:], separator=separator, encoding=encoding)
        for name, separator, encoding in (
            ("utf8", ";", "utf-8"),
            ("bom", ",", "utf-8-sig"),
            ("cp1252", ";", "cp1252"),
            ("utf16", "\t", "utf-16"),
            ("pipe", "|", "utf-16-le"),
        )
    }
    seeds = {name: (content, (damage_bytes,)) for name, content in texts.items()}
    seeds["ours.xlsx"] = (xlsx, (damage_bytes, damage_archive, damage_archive))
    lo_xlsx, lo_xls = ((FILES / f"libreoffice.{kind}").read_bytes() for kind in ("xlsx", "xls"))
    seeds["libreoffice.xlsx"] = (lo_xlsx, (damage_bytes, damage_archive, damage_archive))
    seeds["libreoffice.xls"] = (lo_xls, (damage_bytes,))
    return seeds


class TestTabularFuzz(unittest.TestCase):
    def setUp(self):
        super().setUp()
        # Threads can't be interrupted by a signal: the limit holds where tests run in the main one.
        if threading.current_thread() is threading.main_thread():
            previous = signal.signal(signal.SIGPROF, self._stop)
            self.addCleanup(signal.signal, signal.SIGPROF, previous)
            self.addCleanup(signal.setitimer, signal.ITIMER_PROF, 0)

    @staticmethod
    def _stop(_signal, _frame):
        raise Hang()

    def _execute(self, content, filename):
        """Read one file.

        :return: what came of it: ``"read"`` or the code of the error
        """
        signal.setitimer(signal.ITIMER_PROF, HANG)
        try:
            read_everything(content, filename)
        except tabular.TabularError as error:
            str(error)
            return error.code
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        return "read"

    def test_damaged_files(self):
        seeds = make_seeds()
        for name, (content, _damages) in seeds.items():
            self.assertEqual(self._execute(content, name), "read", name)
        outcomes = collections.Counter()
        start = time.monotonic()
        first = int(time.time() * 1000) if SECONDS else 0
        number, failures = first, []
        while (time.monotonic() - start < SECONDS) if SECONDS else (number < 400):
            rng = random.Random(number)
            name = rng.choice(list(seeds))
            content, damages = seeds[name]
            damaged = rng.choice(damages)(content, rng)
            try:
                outcomes[self._execute(damaged, name)] += 1
            except (Exception, Hang) as error:
                failures.append(f"seed {number}, {name}: {type(error).__name__}: {error}")
                self._keep(number, name, damaged)
                if len(failures) >= 20:
                    break
            number += 1
        if SECONDS:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            sys.stdout.write(
                f"{number - first} damaged files in {SECONDS:.0f} s, up to {peak} MB: {dict(outcomes.most_common())}\n"
            )
        self.assertFalse(failures, "\n".join(failures))
        self.assertGreater(outcomes["read"], 0)
        self.assertGreater(outcomes["broken"], 0)

    def _keep(self, number, name, content):
        folder = os.environ.get("COLLECTION_FUZZ_FOLDER")
        if folder:
            pathlib.Path(folder, f"{number}-{name}").write_bytes(content)
