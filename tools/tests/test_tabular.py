import datetime
import io
import os
import pathlib
import shutil
import subprocess
import tempfile
import tracemalloc
import unittest
import zipfile
from decimal import Decimal

import openpyxl
from hypothesis import given, settings
from hypothesis import strategies as st

from tools import tabular
from tools.tests.tabular_files import make_rows, make_xlsx, replace_parts

FILES = pathlib.Path(__file__).parent / "files"
SOAK = bool(os.environ.get("COLLECTION_SOAK"))
MANY = settings(max_examples=5000 if SOAK else 200, deadline=None)
SOME = settings(max_examples=400 if SOAK else 30, deadline=None)

DAY = datetime.date(2026, 12, 31)
# What a person may write into a cell, and worse.
texts = st.text(
    st.one_of(st.sampled_from("=+-@'\";,|\t\r\n 0a,é€\u00a0\u202f＝"), st.characters(exclude_categories=["Cs"])),
    max_size=40,
)


def read(content, filename="x.csv", **options):
    return tabular.read_table(content, filename, **options)


def cells(content, filename="x.csv", **options):
    return [row.cells for row in read(content, filename, **options)]


class TabularCase(unittest.TestCase):
    def assertCode(self, code, content, filename="x.csv", **options):
        with self.assertRaises(tabular.TabularError) as caught:
            list(read(content, filename, **options))
        self.assertEqual(caught.exception.code, code)
        self.assertTrue(str(caught.exception))
        return caught.exception


class TestText(TabularCase):
    def test_encodings(self):
        text = "Client;Échéance\nÉté SARL;31/12/26\n"
        for encoding, found in (
            ("utf-8", "utf-8"),
            ("utf-8-sig", "utf-8-sig"),
            ("utf-16", "utf-16"),
            ("utf-16-le", "utf-16-le"),
            ("utf-16-be", "utf-16-be"),
            ("utf-32", "utf-32"),
            ("cp1252", "cp1252"),
        ):
            with self.subTest(encoding=encoding):
                table = read(text.encode(encoding))
                self.assertEqual((table.encoding, table.columns), (found, ["Client", "Échéance"]))
                self.assertEqual([row.cells for row in table], [["Été SARL", "31/12/26"]])

    def test_encoding_can_be_chosen(self):
        content = "Nom;Ville\nÉté;Orléans\n".encode("cp850")
        self.assertEqual(cells(content, encoding="cp850"), [["Été", "Orléans"]])
        self.assertCode("encoding", content, encoding="utf-8")
        self.assertCode("encoding_unknown", content, encoding="klingon")
        self.assertCode("encoding_unknown", content, encoding="rot13")

    def test_encoding_is_checked_to_the_end(self):
        content = b"Nom;Ville\n" + b"abc;def\n" * 300_000 + "Été;x\n".encode("cp1252")
        self.assertEqual(read(content).encoding, "cp1252")

    def test_separators(self):
        for separator in ";,\t|":
            with self.subTest(separator=separator):
                content = separator.join(["Nom", "Montant", "Note"]) + "\n" + separator.join(["A", "1 000.50", "x.y"])
                self.assertEqual(read(content.encode()).separator, separator)
        # A decimal comma is no separator.
        self.assertEqual(cells(b"Nom;Montant\nA;1,5\nB;2,5\n"), [["A", "1,5"], ["B", "2,5"]])
        self.assertEqual(cells(b"sep=|\nNom|Montant\nA;B|2\n"), [["A;B", "2"]])
        self.assertEqual(cells(b"a.b\n1.2\n", separator="."), [["1", "2"]])
        self.assertCode("separator", b"a;b\n", separator=";;")
        self.assertEqual(cells(b"Nom\nA\nB\n"), [["A"], ["B"]])

    def test_quotes_and_line_breaks(self):
        content = b'Nom;Note\r\n"A ""B"" C";"one\r\ntwo;three"\r\nD;x\r\n'
        self.assertEqual(
            [(row.number, row.cells) for row in read(content)], [(2, ['A "B" C', "one\r\ntwo;three"]), (3, ["D", "x"])]
        )
        error = self.assertCode("quote", b'Nom;Note\nA;x\nB;"never closed\nC;y\n')
        self.assertEqual(error.row, 3)
        self.assertCode("quote", b'Nom;Note\nA;"x"y\n')

    def test_old_macintosh_lines(self):
        self.assertEqual(cells(b"Nom;Note\rA;x\rB;y\r"), [["A", "x"], ["B", "y"]])

    def test_row_too_long_is_a_problem_of_that_row(self):
        rows = list(read(b"Nom;Note\nA;x;y\nB;x;\n"))
        self.assertEqual([row.problem and row.problem.code for row in rows], ["row_longer", None])

    def test_control_characters_go(self):
        self.assertEqual(cells(b"Nom;Note\nA\x07B;x\x00\n"), [["AB", "x"]])

    def test_empty_files(self):
        for content in (b"", b"\n\n", b"  \r\n;;;\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\0\0\0\0"):
            with self.subTest(content=content):
                self.assertCode("empty", content)

    def test_limits(self):
        self.assertCode("cell_too_long", b"Nom;Note\nA;" + b"x" * 40_000)
        self.assertCode("cell_too_long", b"Nom;Note\nA;" + b"x" * 400_000)
        self.assertCode("too_many_rows", b"Nom;Note\n" + b"A;x\n" * 20, limits=tabular.Limits(max_rows=10))
        self.assertCode("too_many_columns", b";".join([b"x"] * 300) + b"\n")
        self.assertCode("too_big", b"a;b\n" * 10, limits=tabular.Limits(max_bytes=10))

    @MANY
    @given(st.binary(max_size=300))
    def test_any_bytes(self, content):
        try:
            list(read(content))
        except tabular.TabularError as error:
            self.assertTrue(str(error))

    @MANY
    @given(texts)
    def test_any_text(self, text):
        try:
            list(read(text.encode()))
        except tabular.TabularError as error:
            self.assertTrue(str(error))


class TestTitles(TabularCase):
    def test_names_above_the_table(self):
        content = "Balance âgée;;\nau 28/02/2026;;\n\nClient;Facture;Montant\nA;F1;5\n".encode()
        table = read(content)
        self.assertEqual((table.header_row, table.columns), (4, ["Client", "Facture", "Montant"]))

    def test_known_titles_win(self):
        content = b"Company;Ateliers;Lyon;France\nClient;Facture\nA;F1\n"
        self.assertEqual(read(content, known=["client", "facture"]).columns, ["Client", "Facture"])

    def test_row_can_be_chosen(self):
        self.assertEqual(read(b"a;b\nc;d\ne;f\n", header_row=2).columns, ["c", "d"])
        self.assertCode("header_missing", b"a;b\n\nc;d\n", header_row=2)

    def test_titles_are_different_and_never_blank(self):
        table = read(b"Montant;;montant;Nom\n1;2;3;A\n")
        self.assertEqual(table.columns, ["Montant", "Column B", "montant (2)", "Nom"])

    def test_matching(self):
        columns = ["N° de facture", "Date d’échéance", "Reste dû (EUR)", "E_MAIL"]
        fields = {
            "number": ["Invoice", "N° de facture"],
            "due": ["Date d'échéance"],
            "left": ["Reste du"],
            "email": ["e-mail"],
            "other": ["Reste dû"],
        }
        self.assertEqual(tabular.match_columns(columns, fields), {"number": 0, "due": 1, "left": 2, "email": 3})

    def test_totals(self):
        for row, key, expected in (
            (["Total", None, 10.0], 0, True),
            ([None, "Sous-total Petit", 10.0], 0, True),
            ([None, None, 10.0], 0, True),
            (["", "", "1 000,50 €"], 0, True),
            (["TotalEnergies", "F1", 10.0], (0, 1), False),
            (["Total Énergies", "F1", 10.0], (0, 1), False),
            ([None, "F1", 10.0], 0, False),
            (["A", None, 10.0], 0, False),
        ):
            with self.subTest(row=row):
                self.assertEqual(tabular.is_total(row, key), expected)


class TestXlsx(TabularCase):
    def test_types(self):
        rows = make_rows(6)
        table = read(make_xlsx(rows), "x.xlsx")
        self.assertEqual((table.kind, table.columns, table.sheets), ("xlsx", rows[0], ["Items"]))
        found = [row.cells for row in table]
        self.assertEqual(found[0][:2], ["=SUM(A1)", "F-0000"])
        self.assertEqual(found[3][0], "two\nlines")
        self.assertEqual([tabular.parse_date(row[2]) for row in found], [row[2] for row in rows[1:]])
        self.assertEqual([row[4:] for row in found], [row[4:] for row in rows[1:]])

    def test_content_counts_not_the_name(self):
        content = make_xlsx(make_rows(2))
        for name in ("x.csv", "x.xls", "x", ""):
            self.assertEqual(read(content, name).kind, "xlsx")
        self.assertEqual(read(b"a;b\n1;2\n", "x.xlsx").kind, "text")

    def test_formulas_give_their_saved_value(self):
        content = replace_parts(
            make_xlsx([["Nom", "Montant"], ["A", 1]]),
            {"xl/worksheets/sheet1.xml": lambda part: part.replace(b"<v>1</v>", b"<f>HYPERLINK(1)</f><v>42.5</v>")},
        )
        self.assertEqual(cells(content), [["A", 42.5]])

    def test_errors_of_formulas(self):
        def change(_workbook, sheet):
            sheet["B2"] = "#DIV/0!"

        [[_name, cell]] = cells(make_xlsx([["Nom", "Montant"], ["A", 1]], change=change))
        self.assertIsInstance(cell, tabular.CellError)
        with self.assertRaises(tabular.TabularError) as caught:
            tabular.parse_amount(cell, row=2, column="Montant")
        self.assertEqual(str(caught.exception), "Row 2, column “Montant”: The cell shows the error #DIV/0!.")

    def test_epoch_of_1904(self):
        rows = [["Nom", "Date", "Serial"], ["A", DAY, 44925]]
        table = read(make_xlsx(rows, epoch=datetime.datetime(1904, 1, 1)))
        [row] = table
        self.assertEqual(table.epoch, 1904)
        self.assertEqual(tabular.parse_date(row.cells[1], epoch=table.epoch), DAY)
        self.assertEqual(tabular.parse_date(row.cells[2], epoch=table.epoch), DAY)

    def test_sheets(self):
        def change(workbook, sheet):
            sheet.sheet_state = "hidden"
            workbook.create_sheet("Empty")
            workbook.create_sheet("Notes").append(["Read me"])
            other = workbook.create_sheet("Data")
            other.append(["Client", "Facture"])
            other.append(["A", "F1"])

        content = make_xlsx([["x", "y"], [1, 2]], change=change)
        self.assertEqual(read(content).sheet, "Notes")
        self.assertEqual(read(content, known=["Client", "Facture"]).sheet, "Data")
        self.assertEqual(read(content, sheet="Items").columns, ["x", "y"])
        self.assertCode("sheet_missing", content, sheet="None")
        self.assertCode("empty", content, sheet="Empty")

    def test_merged_cells(self):
        def change(_workbook, sheet):
            sheet.merge_cells("A1:C1")
            sheet.merge_cells("A4:A5")

        rows = [
            ["Title"],
            ["Client", "Facture", "Montant"],
            ["A", "F1", 1],
            ["B", "F2", 2],
            [None, "F3", 3],
            ["C", "F4", 4],
        ]
        found = list(read(make_xlsx(rows, change=change)))
        self.assertEqual([row.problem and row.problem.code for row in found], [None, "merged", "merged", None])

    def test_gaps_and_blank_rows(self):
        def change(_workbook, sheet):
            sheet["A900000"] = "far"
            sheet["B900000"] = "away"

        found = list(read(make_xlsx([["Nom", "Note"], [None, " "], ["A", "x"]], change=change)))
        self.assertEqual([(row.number, row.cells) for row in found], [(3, ["A", "x"]), (900000, ["far", "away"])])

    def test_macros(self):
        content = make_xlsx(make_rows(2))
        self.assertCode("macros", replace_parts(content, {"xl/vbaProject.bin": b"..."}), "x.xlsm")

    def test_entities(self):
        evil = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]>'
        workbook = (FILES / "libreoffice.xlsx").read_bytes()
        for part in ("xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml", "[Content_Types].xml"):
            with self.subTest(part=part):
                content = replace_parts(workbook, {part: lambda old: evil + old.partition(b"?>")[2]})
                self.assertCode("unsafe_xml", content)
        wide = replace_parts(
            make_xlsx(make_rows(2)),
            {"xl/worksheets/sheet1.xml": lambda old: ("<!DOCTYPE a>" + old.decode()).encode("utf-16")},
        )
        self.assertCode("unsafe_xml", wide)

    def test_zip_bombs(self):
        content = make_xlsx(make_rows(2))
        bomb = replace_parts(content, {"xl/media/image1.png": b"\0" * 40_000_000})
        self.assertLess(len(bomb), 100_000)
        self.assertCode("bomb", bomb)
        self.assertCode("bomb", content, limits=tabular.Limits(max_unpacked=1000))
        for filling in (
            b"<junk/>" * 500_000,
            b"<!--" + b"x" * 5_000_000 + b"-->",
            b"<row>" + b"<c/>" * 400_000 + b"</row>",
        ):
            with self.subTest(filling=filling[:8]):
                evil = replace_parts(
                    content,
                    {
                        "xl/worksheets/sheet1.xml": lambda old, new=filling: old.replace(
                            b"<sheetData>", b"<sheetData>" + new
                        )
                    },
                )
                self.assertCode("bomb", evil)

    def test_rows_out_of_order(self):
        evil = replace_parts(
            make_xlsx(make_rows(3)),
            {"xl/worksheets/sheet1.xml": lambda old: old.replace(b'<row r="3"', b'<row r="1"')},
        )
        self.assertCode("broken", evil)

    def test_huge_cell(self):
        content = make_xlsx([["Nom", "Note"], ["A", "x" * 1000]])
        error = self.assertCode("cell_too_long", content, limits=tabular.Limits(max_cell=999))
        self.assertEqual(error.row, 2)

    def test_damaged(self):
        content = make_xlsx(make_rows(50))
        self.assertCode("broken", content[: len(content) // 2])
        for part in ("xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml"):
            self.assertCode("broken", replace_parts(content, {part: b"<oops"}))


class TestXls(TabularCase):
    def setUp(self):
        super().setUp()
        self.content = (FILES / "libreoffice.xls").read_bytes()

    def test_libreoffice(self):
        for name in ("libreoffice.xls", "libreoffice.xlsx"):
            with self.subTest(name=name):
                table = read((FILES / name).read_bytes(), name)
                self.assertEqual(table.sheets, ["Échéances", "Notes"])
                self.assertEqual(table.header_row, 3)
                found = [row.cells for row in table]
                self.assertEqual(found[1][0], "=cmd|' /C calc'!A0")
                self.assertEqual(found[1][5], 500)
                self.assertEqual(tabular.parse_date(found[0][3]), datetime.date(2026, 2, 14))
                self.assertEqual(found[2], ["Été\nSARL", "00042", "31/01/26", "28/02/26", "1 000,50", "(250,25)"])
                self.assertTrue(tabular.is_total(found[3], 0))

    def test_content_counts_not_the_name(self):
        self.assertEqual(read(self.content, "x.csv").kind, "xls")

    def test_password_and_macros(self):
        for name, code in (
            ("EncryptedPackage", "password"),
            ("_VBA_PROJECT", "macros"),
            ("WordDocument", "not_a_table"),
        ):
            with self.subTest(name=name):
                # Some entry of the directory takes the name of what makes the difference.
                entry = self.content.index("\x05SummaryInformation".encode("utf-16-le"))
                text = name.encode("utf-16-le")
                changed = bytearray(self.content)
                changed[entry : entry + 64] = text.ljust(64, b"\0")
                changed[entry + 64 : entry + 66] = (len(text) + 2).to_bytes(2, "little")
                self.assertCode(code, bytes(changed), "x.xls")

    def test_loop_of_sectors(self):
        # xlrd would follow it for ever.
        changed = bytearray(self.content)
        table = (int.from_bytes(changed[76:80], "little") + 1) * 512
        for position in range(table, table + 512, 4):
            changed[position : position + 4] = b"\1\0\0\0"
        self.assertCode("broken", bytes(changed), "x.xls")

    def test_damaged(self):
        for end in (8, 511, 512, 600, 3000):
            self.assertCode("broken", self.content[:end], "x.xls")


class TestOtherFiles(TabularCase):
    def test_message_names_what_it_is(self):
        for content, found in (
            (b"%PDF-1.7\n", "PDF"),
            (b"<html><table><tr><td>1</td></tr></table></html>", "HTML"),
            (b"\xef\xbb\xbf  <!DOCTYPE html><p>", "HTML"),
            ('<?xml version="1.0"?><Workbook/>'.encode("utf-16"), "XML"),
            (b"\x89PNG\r\n\x1a\n", "PNG"),
            (self._zip({"a.txt": b"x"}), "ZIP"),
            (self._zip({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}), "OpenDocument"),
            (self._zip({"[Content_Types].xml": b"", "xl/workbook.bin": b""}), "XLSB"),
            (self._zip({"[Content_Types].xml": b"", "word/document.xml": b""}), "Word"),
        ):
            with self.subTest(found=found):
                self.assertEqual(self.assertCode("not_a_table", content, "x.xls").params["found"], found)

    @staticmethod
    def _zip(parts):
        output = io.BytesIO()
        with zipfile.ZipFile(output, "w") as archive:
            for name, part in parts.items():
                archive.writestr(name, part)
        return output.getvalue()

    def test_locked_archive(self):
        content = bytearray(make_xlsx(make_rows(1)))
        for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            position = content.find(signature)
            while position >= 0:
                content[position + offset] |= 1
                position = content.find(signature, position + 4)
        self.assertCode("password", bytes(content))


class TestDates(unittest.TestCase):
    def test_ways_to_write_a_day(self):
        for text in (
            *("31/12/26", "31/12/2026", "31.12.2026", "31-12-26", "31 12 2026", "2026-12-31", "2026/12/31", "20261231"),
            *("2026-12-31T00:00:00", "2026-12-31 10:15", "31/12/2026 00:00:00", "31/12/2026 10h15", "31122026"),
            *(
                "31 déc. 2026",
                "31 décembre 2026",
                "31-Dec-26",
                "31 December 2026",
                "December 31, 2026",
                "jeu. 31/12/2026",
            ),
            *(
                46387,
                46387.75,
                "46387",
                20261231,
                DAY,
                datetime.datetime(2026, 12, 31, 10),
                "\u00a031/12/2026 ",
                "1er",
                "",
            ),
        )[:-2]:
            with self.subTest(text=text):
                self.assertEqual(tabular.parse_date(text, "dmy"), DAY)
        for text in ("12/31/26", "12/31/2026 10:15 PM", "12-31-2026"):
            self.assertEqual(tabular.parse_date(text, "mdy"), DAY)
        self.assertEqual(tabular.parse_date("26/12/31", "ymd"), DAY)
        self.assertEqual(tabular.parse_date("1er mars 2026"), datetime.date(2026, 3, 1))

    def test_blank(self):
        for value in (None, "", " ", "\u00a0"):
            self.assertIsNone(tabular.parse_date(value, "dmy"))

    def test_impossible(self):
        for value in (
            *(
                "31/02/2026",
                "00/01/2026",
                "32/01/2026",
                "29/02/2027",
                "31/12/0026",
                "12/31/2026",
                "31/12/202",
                "2026-13-01",
            ),
            *(
                "99999999",
                "abc",
                "31/12",
                "1/2/3/4",
                12,
                -5,
                1e300,
                float("nan"),
                float("inf"),
                True,
                "٣١/١٢/٢٠٢٦",
            ),
        ):
            with self.subTest(value=value), self.assertRaises(tabular.TabularError) as caught:
                tabular.parse_date(value, "dmy", row=3, column="Due")
            self.assertEqual((caught.exception.code, caught.exception.row), ("date_impossible", 3))

    def test_ambiguous(self):
        with self.assertRaises(tabular.TabularError) as caught:
            tabular.parse_date("01/02/2026")
        self.assertEqual(caught.exception.code, "date_ambiguous")
        for value in ("13/02/2026", "02/13/2026", "02/02/2026", "2026-02-01"):
            tabular.parse_date(value)

    def test_order_is_guessed(self):
        for values, order in (
            (["01/02/2026", "13/02/2026"], "dmy"),
            (["01/02/2026", "02/13/2026"], "mdy"),
            (["2026-02-01"], "ymd"),
            (["01.02.2026"], "dmy"),
            (["01/02/2026", None, 5, DAY], None),
            (["13/02/2026", "02/13/2026"], None),
            (["2026-02-01", "13/02/2026"], "dmy"),
            ([], None),
        ):
            with self.subTest(values=values):
                self.assertEqual(tabular.guess_date_order(values), order)

    @MANY
    @given(st.dates(datetime.date(2000, 1, 1), datetime.date(2079, 12, 31)), st.sampled_from("/-. "), st.booleans())
    def test_round_trip(self, day, mark, short):
        year = "%y" if short else "%Y"
        for order, parts in (("dmy", ["%d", "%m", year]), ("mdy", ["%m", "%d", year]), ("ymd", [year, "%m", "%d"])):
            text = day.strftime(mark.join(parts))
            self.assertEqual(tabular.parse_date(text, order), day)
            if mark == "." and order == "mdy":
                continue  # nobody writes points there
            self.assertIn(tabular.guess_date_order([text]), (order, None) if not short else ("dmy", "mdy", "ymd", None))

    @MANY
    @given(st.one_of(texts, st.integers(), st.floats(), st.none(), st.booleans()))
    def test_anything(self, value):
        for order in (None, "dmy", "mdy", "ymd"):
            try:
                tabular.parse_date(value, order)
            except tabular.TabularError as error:
                self.assertTrue(str(error))
        tabular.guess_date_order([value])


class TestAmounts(unittest.TestCase):
    def test_ways_to_write_an_amount(self):
        for text in (
            *(
                "1 000,50",
                "1\u00a0000,50",
                "1\u202f000,50",
                "1'000.50",
                "1’000,50",
                "1,000.50",
                "1.000,50",
                "1000,5",
                "1000.5",
            ),
            *(
                "1 000,50 €",
                "€1,000.50",
                "EUR 1000,50",
                "1000.50 EUR",
                "1000,50 euros",
                "+1000,50",
                1000.5,
                Decimal("1000.5"),
            ),
            *("1 000,50\u00a0€ ", "'1000,50"),
        ):
            with self.subTest(text=text):
                self.assertEqual(tabular.parse_amount(text), Decimal("1000.5"))
        for text in (
            "-1000,50",
            "(1 000,50)",
            "1000,50-",
            "\u22121000.50",
            "-1 000,50 €",
            "(€1,000.50)",
            "1 000,50- €",
            "€ -1000.50",
        ):
            with self.subTest(text=text):
                self.assertEqual(tabular.parse_amount(text), Decimal("-1000.5"))
        self.assertEqual(tabular.parse_amount("12,34,567.50"), Decimal("1234567.5"))
        self.assertEqual(tabular.parse_amount("1.5e3"), 1500)
        self.assertEqual(tabular.parse_amount(0.1 + 0.2), Decimal("0.3"))
        self.assertEqual(tabular.parse_amount(",50"), Decimal("0.5"))

    def test_decimal_sign(self):
        self.assertEqual(tabular.parse_amount("1,000", ","), 1)
        self.assertEqual(tabular.parse_amount("1,000", "."), 1000)
        self.assertEqual(tabular.parse_amount("1.000.000", "."), 1_000_000)
        with self.assertRaises(tabular.TabularError) as caught:
            tabular.parse_amount("1,000")
        self.assertEqual(caught.exception.code, "amount_ambiguous")
        for values, sign in (
            (["1,000", "2,50"], ","),
            (["1,000.00"], "."),
            (["1.000.000"], ","),
            (["1,000", None, 5.5], None),
            (["1,5", "1.5"], None),
        ):
            with self.subTest(values=values):
                self.assertEqual(tabular.guess_decimal(values), sign)

    def test_blank(self):
        for value in (None, "", " \u00a0"):
            self.assertIsNone(tabular.parse_amount(value))

    def test_no_amount(self):
        for value in (
            *(
                "abc",
                "12abc34",
                "1,2,3",
                "1.000,00,0",
                "1 00",
                "--5",
                "(-5)",
                "5%",
                "=1+1",
                "1/2",
                "٣",
                "²",
                "1..5",
                "-",
                "€",
                ".",
            ),
            *(True, float("nan"), float("inf"), 10**400, "9" * 50, "1e99", DAY),
        ):
            with self.subTest(value=str(value)[:20]), self.assertRaises(tabular.TabularError) as caught:
                tabular.parse_amount(value, row=3, column="Montant")
            self.assertEqual((caught.exception.code, caught.exception.row), ("amount_bad", 3))

    @MANY
    @given(
        st.decimals(-(10**9), 10**9, places=2),
        st.sampled_from([(" ", ","), ("\u202f", ","), (",", "."), ("'", "."), (".", ","), ("", ",")]),
    )
    def test_round_trip(self, amount, marks):
        group, decimal = marks
        text = f"{amount:,.2f}".replace(",", "g").replace(".", "d").replace("g", group).replace("d", decimal)
        self.assertEqual(tabular.parse_amount(text, decimal), amount)
        self.assertEqual(tabular.parse_amount(text), amount)

    @MANY
    @given(st.one_of(texts, st.integers(), st.floats(), st.none(), st.booleans()))
    def test_anything(self, value):
        for decimal in (None, ",", "."):
            try:
                tabular.parse_amount(value, decimal)
            except tabular.TabularError as error:
                self.assertTrue(str(error))
        tabular.guess_decimal([value])


class TestWriting(TabularCase):
    @MANY
    @given(texts)
    def test_neutral_and_back(self, text):
        neutral = tabular.neutralise(text)
        self.assertNotRegex(neutral, r"^[=+\-@\t\r\n＝＋－＠]")
        self.assertNotRegex(neutral, r'[,;|\t\r\n"][ ]*[=+\-@＝＋－＠]')
        self.assertEqual(
            tabular.parse_text(neutral),
            text.strip() if not text.strip().startswith('="') else tabular.parse_text(neutral),
        )

    @SOME
    @given(
        st.lists(
            st.tuples(texts, texts.filter(lambda text: text.strip() and text.isprintable())), min_size=1, max_size=5
        ),
        st.sampled_from(";,\t|"),
        st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    )
    def test_delimited_round_trip(self, rows, separator, encoding):
        content = tabular.write_delimited(["Nom", "Note"], rows, separator=separator, encoding=encoding)
        table = read(content, separator=separator, header_row=1)
        self.assertEqual(table.columns, ["Nom", "Note"])
        for row, (name, note) in zip(table, (row for row in rows), strict=True):
            for found, text in zip(row.cells, (name, note), strict=True):
                if not text.lstrip().startswith('="') and text.isprintable():
                    self.assertEqual(tabular.parse_text(found), text.strip())

    def test_values(self):
        rows = [[DAY, 1000.5, Decimal("0.10"), 3, True, None, -2.5]]
        content = tabular.write_delimited(list("abcdefg"), rows, encoding="utf-8")
        self.assertEqual(content.splitlines()[1], b"31/12/2026;1000,5;0,10;3;1;;-2,5")
        content = tabular.write_delimited(
            ["a"], [[DAY], [0.00001]], encoding="utf-8", decimal=".", date_format="%Y-%m-%d"
        )
        self.assertEqual(content.splitlines()[1:], [b"2026-12-31", b"0.00001"])

    def test_letters_that_an_encoding_lacks(self):
        content = tabular.write_delimited(["Nom"], [["Łódź – Ünal ﹦1"], ["﹦1+1"]], encoding="cp1252")
        lines = content.decode("cp1252").splitlines()
        self.assertEqual(lines[1][:2], "?ó")
        self.assertTrue(lines[2].startswith(("'=", "?")))

    def test_xlsx_is_inert(self):
        buffer = io.BytesIO()
        evil = ["=1+1", "+1", "-1", "@x", "\t=1", "http://evil.example", "{=1}", "mailto:a@b.example", "1e5", "007"]
        with tabular.XlsxTable(buffer) as book:
            columns = [
                tabular.XlsxColumn("=Nom", choices=["=a", "b,c"]),
                tabular.XlsxColumn("Day", "date"),
                tabular.XlsxColumn("Amount", "money", digits=3),
                tabular.XlsxColumn("Choice", choices=["Yes", "No"], is_input=True),
                tabular.XlsxColumn("Long", choices=[f"Choice number {number}" for number in range(60)]),
            ]
            book.add_sheet("A/B:C*?[]", columns, ([text, DAY, 1.5, "Yes", None] for text in evil), title="=Title")
            book.add_sheet("a b c", columns[:1], [])
            book.add_text_sheet("Help", [("=x", "y")], ("Column", "Meaning"))
        workbook = openpyxl.load_workbook(io.BytesIO(buffer.getvalue()))
        self.assertEqual(workbook.sheetnames, ["A B C", "a b c 2", "Help", "Lists"])
        self.assertEqual(workbook["Lists"].sheet_state, "hidden")
        sheet = workbook["A B C"]
        for sheet_ in workbook:
            for row in sheet_.iter_rows():
                for cell in row:
                    self.assertNotEqual(cell.data_type, "f")
                    self.assertIsNone(cell.hyperlink)
        self.assertEqual(sheet.freeze_panes, "B3")
        self.assertEqual(sheet.auto_filter.ref, "A2:E12")
        self.assertEqual(len(sheet.data_validations.dataValidation), 3)
        self.assertTrue(sheet["B3"].is_date)
        self.assertEqual(sheet["C3"].number_format, "#,##0.000")
        table = read(buffer.getvalue(), known=["=Nom", "Day"])
        self.assertEqual([row.cells[0] for row in table], evil)

    def test_no_file_after_an_error(self):
        with self.assertRaises(ZeroDivisionError), tabular.XlsxTable(io.BytesIO()) as book:
            book.add_sheet("A", [tabular.XlsxColumn("x")], ([1 / 0] for _ in range(1)))

    def test_memory_does_not_grow(self):
        def peak(count):
            content = tabular.write_delimited(["a", "b"], ([f"x{number}", number] for number in range(count)))
            tracemalloc.start()
            for _row in read(content):
                pass
            size = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return size

        self.assertLess(peak(40_000), peak(20_000) + 100_000)


# Takes LibreOffice, and long. Not skipped otherwise: a skipped test looks like something that is missing.
if SOAK and shutil.which("soffice"):

    class TestLibreOffice(TabularCase):
        """What LibreOffice makes of our files comes back as it was, whatever the format."""

        def test_round_trips(self):
            rows = make_rows(200)
            kinds = ["text", "text", "date", "date", "money", "money", "text"]
            buffer = io.BytesIO()
            with tabular.XlsxTable(buffer) as book:
                columns = [tabular.XlsxColumn(title, kind) for title, kind in zip(rows[0], kinds, strict=True)]
                book.add_sheet("Items", columns, rows[1:])
            filters = {
                "xlsx": "xlsx:Calc MS Excel 2007 XML",
                "xls": "xls:MS Excel 97",
                "utf8.csv": "csv:Text - txt - csv (StarCalc):59,34,76,1",
                "cp1252.csv": "csv:Text - txt - csv (StarCalc):9,34,1,1",
                "utf16.csv": "csv:Text - txt - csv (StarCalc):44,34,65535,1",
            }
            for name, target in filters.items():
                with self.subTest(name=name), tempfile.TemporaryDirectory() as folder:
                    source = pathlib.Path(folder, "items.xlsx")
                    source.write_bytes(buffer.getvalue())
                    command = ["soffice", "--headless", f"-env:UserInstallation=file://{folder}/profile"]
                    command += ["--convert-to", target, "--outdir", f"{folder}/out", str(source)]
                    subprocess.run(command, check=True, capture_output=True, timeout=120)
                    [result] = pathlib.Path(folder, "out").iterdir()
                    table = read(result.read_bytes(), name)
                    self.assertEqual(table.columns, rows[0])
                    found = [row.cells for row in table]
                    order = tabular.guess_date_order([row[2] for row in found])
                    self.assertEqual(len(found), 200)
                    for cells_, row in zip(found, rows[1:], strict=True):
                        self.assertEqual([tabular.parse_text(cell) for cell in cells_[:2]], row[:2])
                        self.assertEqual([tabular.parse_date(cell, order) for cell in cells_[2:4]], row[2:4])
                        self.assertEqual([float(tabular.parse_amount(cell, ".")) for cell in cells_[4:6]], row[4:6])
