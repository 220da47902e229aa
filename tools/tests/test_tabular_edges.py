"""What a table may be at its limits, and what is written read back with the kinds of its cells."""

import datetime
import io
import random
import types
import unittest
import zipfile
from decimal import Decimal
from unittest import mock

import openpyxl
import xlrd

from tools import tabular
from tools.tabular import matching, reader, sources, values, writer
from tools.tabular.cells import as_plain_value
from tools.tests.tabular_files import make_rows, make_xlsx, replace_parts
from tools.tests.test_ole import Container
from tools.tests.test_tabular import FILES, TabularCase, cells, read

DAY = datetime.date(2026, 12, 31)


class TestLimitsThemselves(TabularCase):
    """As much as is allowed is read; one more is refused."""

    def test_limits_that_people_are_told(self):
        self.assertEqual(
            tabular.Limits(),
            tabular.Limits(
                max_bytes=33_554_432,
                max_rows=100_000,
                max_columns=256,
                max_cell=32_767,
                max_unpacked=402_653_184,
                max_ratio=400,
                max_sheets=100,
            ),
        )

    def test_rows(self):
        limits = tabular.Limits(max_rows=10)
        self.assertEqual(len(cells(b"Nom;Note\n" + b"A;x\n" * 10, limits=limits)), 10)
        error = self.assertCode("too_many_rows", b"Nom;Note\n" + b"A;x\n" * 11, limits=limits)
        self.assertEqual(error.params["limit"], 10)

    def test_cells(self):
        limits = tabular.Limits(max_cell=20)
        self.assertEqual(cells(b"Nom;Note\nA;" + b"x" * 20, limits=limits), [["A", "x" * 20]])
        for row, column in ((b"A;", "Note"), (b"A;b;", "Column C")):
            content = b"Nom;Note\n" + b"A;x\n" * 50 + row + b"x" * 21
            error = self.assertCode("cell_too_long", content, limits=limits)
            self.assertEqual((error.row, error.column, error.params["limit"]), (52, column, 20))

    def test_columns(self):
        limits = tabular.Limits(max_columns=3)
        self.assertEqual(len(read(b"a;b;c\n", limits=limits).columns), 3)
        self.assertCode("too_many_columns", b"a;b;c;d\n", limits=limits)
        self.assertEqual(len(read(make_xlsx([["a", "b", "c"]]), limits=limits).columns), 3)
        self.assertCode("too_many_columns", make_xlsx([["a", "b", "c", "d"]]), limits=limits)

    def test_bytes(self):
        content = b"a;b\n1;2\n"
        self.assertEqual(cells(content, limits=tabular.Limits(max_bytes=len(content))), [["1", "2"]])
        self.assertCode("too_big", content, limits=tabular.Limits(max_bytes=len(content) - 1))
        error = self.assertCode("too_big", b"x" * 2_097_153, limits=tabular.Limits(max_bytes=2_097_152))
        self.assertEqual(error.params["limit"], 2, "in MB")

    def test_sheets(self):
        def change(workbook, _sheet):
            workbook.create_sheet("Second")

        content = make_xlsx([["a", "b"]], change=change)
        self.assertEqual(read(content, limits=tabular.Limits(max_sheets=2)).sheets, ["Items", "Second"])
        self.assertCode("broken", content, limits=tabular.Limits(max_sheets=1))
        xls = (FILES / "libreoffice.xls").read_bytes()
        self.assertEqual(len(read(xls, limits=tabular.Limits(max_sheets=2)).sheets), 2)
        self.assertCode("broken", xls, limits=tabular.Limits(max_sheets=1))

    def test_unpacked(self):
        content = make_xlsx(make_rows(2))
        size = sum(part.file_size for part in zipfile.ZipFile(io.BytesIO(content)).infolist())
        self.assertEqual(len(cells(content, limits=tabular.Limits(max_unpacked=size))), 2)
        self.assertCode("bomb", content, limits=tabular.Limits(max_unpacked=size - 1))

    def test_titles_are_found_in_forty_rows(self):
        for above, titles in ((39, ["Client", "Facture", "Montant"]), (40, ["1"])):
            content = b"1\n" * above + b"Client;Facture;Montant\nA;F1;5\n"
            with self.subTest(above=above):
                self.assertEqual(read(content, separator=";").columns, titles)


class TestFindingTheTable(TabularCase):
    def test_sample(self):
        table = read(b"Nom;Note\n" + b"".join(b"A%d;x\n" % number for number in range(300)))
        self.assertEqual([row.cells[0] for row in table.sample(2)], ["A0", "A1"])
        self.assertEqual(len(table.sample()), 200)
        self.assertEqual(len(table.sample(1000)), 300)

    def test_no_sheet_has_the_known_titles(self):
        def change(workbook, _sheet):
            workbook.create_sheet("Other").append(["u", "v"])

        table = read(make_xlsx([["x", "y"], [1, 2]], change=change), known=["Client", "Facture"])
        self.assertEqual((table.sheet, table.columns), ("Items", ["x", "y"]))

    def test_one_known_title_is_not_enough(self):
        content = b"Client;2026\nClient;Facture;Montant\nA;F1;5\n"
        self.assertEqual(read(content, known=["Client", "Facture"]).header_row, 2)
        self.assertEqual(read(b"x;y\nClient;b\n1;2\n", known=["Client"]).header_row, 2, "unless there is but one")

    def test_row_of_titles_is_filled_to_three_fifths(self):
        self.assertEqual(read(b"a;b;;;\nc;d;e;;\n1;2;3;4;5\n").columns, ["c", "d", "e"])

    def test_half_of_the_row_is_not_enough(self):
        above, titles = b"a;b;c;d;e;;;;;\n", b"A;B;C;D;E;F;G;H;I;J\n"
        self.assertEqual(read(above + titles).header_row, 2)

    def test_table_of_one_column(self):
        self.assertEqual(read(b"5\nNom\nA\n").columns, ["Nom"])

    def test_titles_far_down(self):
        self.assertEqual(read(b"a\n" * 60 + b"Nom;Note\n", header_row=61, separator=";").columns, ["Nom", "Note"])
        for blank in (b"\n", b" ;\n"):
            self.assertEqual(read(blank * 60 + b"Nom;Note\n").header_row, 61)
        self.assertEqual(read(make_xlsx([[]] * 60 + [["Nom", "Note"]])).header_row, 61)

    def test_two_of_three_known_titles(self):
        known = ["Client", "Facture", "Montant"]
        self.assertEqual(read(b"Company;x;y\nClient;Facture;1\nA;F1;5\n", known=known).header_row, 2)
        self.assertEqual(read(b"x;y\nClient;z\n1;2\n", known=known).header_row, 1, "one is not enough")
        self.assertEqual(read(b"1;2\nClient;5\n3;4\n", known=known).header_row, 2, "unless nothing else tells")
        self.assertEqual(read(b"1;2\n3;4\n", known=known).header_row, 1)
        self.assertEqual(read(b"Client;Facture\nClient;Facture\n", known=known).header_row, 1, "the first one")
        table = read(make_xlsx([[2026, 2027], ["Client", "Facture"]]), known=["2026", "2027"])
        self.assertEqual(table.header_row, 2, "a number is no title")

    def test_sheet_with_two_known_titles(self):
        known = ["Client", "Facture", "Montant"]

        def change(workbook, _sheet):
            workbook.create_sheet("Data").append(["Client", "Facture", "z"])

        for titles in (["x", "y"], ["Client", "y"]):
            self.assertEqual(read(make_xlsx([titles], change=change), known=known).sheet, "Data")

    def test_text_has_no_sheets(self):
        table = read(b"a;b\n1;2\n", sheet="Data")
        self.assertEqual((table.sheet, table.columns), (None, ["a", "b"]))

    def test_titles_after_numbers(self):
        self.assertEqual(read(make_xlsx([[1, 2], ["Nom", "Note"]])).header_row, 2)

    def test_numbers_as_titles(self):
        self.assertEqual(
            reader._name_columns([2026.0, 1e15, 999_999_999_999_999.0, 0.5]),
            ["2026", "1000000000000000.0", "999999999999999", "0.5"],
        )

    def test_cell_of_nothing_but_control_characters(self):
        self.assertEqual(cells(b"Nom;Note\nA;\x07\n"), [["A", None]])

    def test_workbook_without_anything(self):
        def change(workbook, _sheet):
            workbook.create_sheet("Second")

        self.assertCode("empty", make_xlsx([], change=change))

    def test_numbers_and_dates_are_no_titles(self):
        self.assertEqual(read(b"1 000,50;31/12/2026;12 EUR\nNom;Jour;Montant\n").columns, ["Nom", "Jour", "Montant"])

    def test_titles_of_a_workbook_may_be_numbers(self):
        table = read(make_xlsx([["Nom", 2025, 2026.0, 0.5], ["A", 1, 2, 3]]), header_row=1)
        self.assertEqual(table.columns, ["Nom", "2025", "2026", "0.5"])
        table = read(make_xlsx([["Nom", 999_999_999_999_999.0, 1e15]]), header_row=1)
        self.assertEqual(table.columns[1], "999999999999999")

    def test_long_titles_are_cut(self):
        for size in (200, 201):
            self.assertEqual(read(b"Nom;" + b"x" * size + b"\n").columns, ["Nom", "x" * 200])

    def test_columns_beyond_z(self):
        self.assertEqual(
            [reader._letters(index) for index in (0, 25, 26, 51, 52, 701, 702)], "A Z AA AZ BA ZZ AAA".split()
        )

    def test_same_title_three_times(self):
        self.assertEqual(read(b"a;A;a\n1;2;3\n").columns, ["a", "A (2)", "a (3)"])

    def test_short_rows_are_filled_up(self):
        self.assertEqual(cells(b"a;b;c\n1\n"), [["1", None, None]])

    def test_merged_cells_are_named(self):
        def change(_workbook, sheet):
            sheet.merge_cells("B3:B4")
            sheet.merge_cells("C6:D6")
            sheet.merge_cells("A8:A10")
            sheet.merge_cells("B9:C9")
            sheet.merge_cells("B10:C10")
            sheet.merge_cells("B12:C12")

        rows = [["a", "b"], *([number, number] for number in range(2, 13))]
        found = list(read(make_xlsx(rows, change=change)))
        self.assertEqual(
            [(row.number, row.problem.column) for row in found if row.problem],
            [(3, "b"), (4, "b"), (8, "a"), (9, "a"), (10, "a"), (12, "b")],
            "those outside the table do no harm",
        )

    def test_rows_of_xls_have_the_numbers_of_the_sheet(self):
        for name in ("libreoffice.xls", "libreoffice.xlsx"):
            table = read((FILES / name).read_bytes(), name)
            self.assertEqual([row.number for row in table], [4, 5, 7, 8], name)

    def test_escapes_and_control_characters(self):
        self.assertEqual(cells(make_xlsx([["Nom", "x"], ["a_x000D_b", "_x0041_"]])), [["ab", "_x0041_"]])


class TestTitlesAndFields(unittest.TestCase):
    def test_accents_case_and_signs(self):
        for one, other in (("Échéance", "ECHEANCE"), ("N° Facture", "n facture"), ("№ 5", "n 5"), ("Nº", "N°")):
            self.assertEqual(matching.normalise_header(one), matching.normalise_header(other))

    def test_best_title_wins(self):
        fields = {"due": ["Échéance", "Date"], "left": ["Solde", "Montant"]}
        self.assertEqual(tabular.match_columns(["Date", "Echeance", "Montant", "Solde"], fields), {"due": 1, "left": 3})

    def test_first_of_equal_columns(self):
        self.assertEqual(tabular.match_columns(["Solde", "solde"], {"left": ["Solde"]}), {"left": 0})

    def test_blank_title_is_no_title(self):
        self.assertEqual(tabular.match_columns(["", "Solde"], {"left": ["°", "Solde"]}), {"left": 1})

    def test_column_serves_one_field(self):
        fields = {"number": ["Facture"], "other": ["Facture", "Pièce"]}
        self.assertEqual(tabular.match_columns(["Facture", "Pièce"], fields), {"number": 0, "other": 1})
        self.assertEqual(tabular.match_columns(["Facture"], fields), {"number": 0})

    def test_title_as_it_stands_comes_before_one_without_brackets(self):
        self.assertEqual(tabular.match_columns(["Solde (USD)", "Solde"], {"left": ["Solde"]}), {"left": 1})
        self.assertEqual(tabular.match_columns(["", "[x] Solde"], {"left": ["Solde"]}), {"left": 1})

    def test_totals(self):
        for row, key, expected in (
            (["Total", "F1", 3], 1, False),
            (["Total", "Total", 3], 1, True),
            (["Total", None, 3], 5, True),
            (["Sous", None, 3], 1, False),
            (["Sous total", None, 3], 1, True),
            ([None, None, True], 0, False),
            ([None, None, "x"], 0, False),
            ([None, "  ", None], 0, False),
            (["", None, "(1 000,50)"], (0, 1), True),
            ([None, 10.0], 2, True),
            (["Total", 3], 2, True),
            (["  ", "Total", 10.0], 0, True),
            ([5, 10.0], 0, False),
            ([5, None, 10.0], (0, 1), False),
            (["Sous traitance", None, 3], 1, False),
            (["Total sous réserve", None, 3], 1, True),
        ):
            with self.subTest(row=row):
                self.assertEqual(tabular.is_total(row, key), expected)


class TestMeaning(unittest.TestCase):
    def assertCode(self, code, parse, *args, **options):
        with self.assertRaises(tabular.TabularError) as caught:
            parse(*args, row=7, column="Due", **options)
        error = caught.exception
        self.assertEqual((error.code, error.row, error.column), (code, 7, "Due"))
        return error

    def test_error_of_a_formula_in_each_kind_of_column(self):
        for parse in (tabular.parse_text, tabular.parse_date, tabular.parse_amount):
            error = self.assertCode("cell_error", parse, tabular.CellError("#N/A"))
            self.assertEqual(str(error), "Row 7, column “Due”: The cell shows the error #N/A.")

    def test_error_names_its_code(self):
        self.assertEqual(repr(tabular.TabularError("empty", row=3)), "TabularError('empty')")

    def test_place_of_an_error(self):
        for place, text in (
            ({}, "The file is empty."),
            ({"row": 3}, "Row 3: The file is empty."),
            ({"column": "Due"}, "Column “Due”: The file is empty."),
        ):
            self.assertEqual(str(tabular.TabularError("empty", **place)), text)

    def test_days_of_december(self):
        for text, order in (("25/12/2026", None), ("25/12/26", None), ("25/12/2026", "dmy"), ("12/25/2026", None)):
            self.assertEqual(tabular.parse_date(text, order), datetime.date(2026, 12, 25))
        self.assertCode("date_ambiguous", tabular.parse_date, "12/11/2026")
        self.assertCode("date_ambiguous", tabular.parse_date, "11/12/2026")
        self.assertEqual(tabular.parse_date("13/12/2026"), datetime.date(2026, 12, 13))
        self.assertEqual(tabular.parse_date("12/12/2026"), datetime.date(2026, 12, 12))

    def test_order_of_days_in_december(self):
        for texts, order in (
            (["13/12/2026"], "dmy"),
            (["12/13/2026"], "mdy"),
            (["12/12/2026"], None),
            (["32/01/02"], "ymd"),
            (["31/01/02"], "dmy"),
            (["12.12.26"], None),
            (["13/13/2026"], None),
            ([5, None, "abc", "13/02/2026"], "dmy"),
        ):
            with self.subTest(texts=texts):
                self.assertEqual(tabular.guess_date_order(texts), order)

    def test_centuries(self):
        for text, year in (("01/03/79", 2079), ("01/03/80", 1980), ("01/03/1950", 1950)):
            self.assertEqual(tabular.parse_date(text, "dmy").year, year)
        for text, year in (("31/12/1899", None), ("01/01/1900", 1900), ("31/12/2199", 2199), ("01/01/2200", None)):
            if year:
                self.assertEqual(tabular.parse_date(text, "dmy").year, year)
            else:
                self.assertCode("date_impossible", tabular.parse_date, text, order="dmy")

    def test_days_as_excel_stores_them(self):
        for number, day in (
            (20_000, datetime.date(1954, 10, 3)),
            (80_399, datetime.date(2120, 2, 14)),
            ("46387,5", DAY),
            ("46387.5", DAY),
        ):
            self.assertEqual(tabular.parse_date(number), day)
        self.assertEqual(tabular.parse_date(44_925, epoch=1904), DAY)
        self.assertEqual(tabular.parse_date(20_261_231.0), DAY)
        for text in ("1/2/6", "01/02/026", "202/12/31", "2026/12/031"):
            self.assertCode("date_impossible", tabular.parse_date, text, order="dmy")
        self.assertEqual(tabular.parse_date("31/12/2026", "ymd"), DAY)
        for number in (19_999, 80_400, 19_000_100, 21_991_232, 1_000_000):
            self.assertCode("date_impossible", tabular.parse_date, number)
        for number, day in ((19_000_101, datetime.date(1900, 1, 1)), (21_991_231, datetime.date(2199, 12, 31))):
            self.assertEqual(tabular.parse_date(number), day)

    def test_eight_digits(self):
        for text, order, day in (
            ("20261231", None, DAY),
            ("20261231", "ymd", DAY),
            ("20261231", "dmy", DAY),
            ("31122026", "dmy", DAY),
            ("12312026", "mdy", DAY),
            ("20122026", "dmy", datetime.date(2026, 12, 20)),
            ("31122026", None, DAY),
        ):
            with self.subTest(text=text, order=order):
                self.assertEqual(tabular.parse_date(text, order), day)

    def test_names_of_months(self):
        for text, month in (
            ("1er janv. 2026", 1),
            ("1 fév. 26", 2),
            ("1st Mar 2026", 3),
            ("1. avril 2026", 4),
            ("May 1, 2026", 5),
            ("1-juin-26", 6),
            ("1 JUILLET 2026", 7),
            ("August 1st 2026", 8),
            ("1 sept. 2026", 9),
            ("mer. 1 octobre 2026", 10),
            ("1 Nov 26", 11),
            ("1 décembre 2026", 12),
        ):
            with self.subTest(text=text):
                self.assertEqual(tabular.parse_date(text), datetime.date(2026, month, 1))
        self.assertCode("date_impossible", tabular.parse_date, "1 brumaire 2026")
        self.assertCode("date_impossible", tabular.parse_date, "brumaire 1, 2026")

    def test_texts(self):
        for value, text in (
            (1e15, "1000000000000000.0"),
            (999_999_999_999_999.0, "999999999999999"),
            (0.5, "0.5"),
            (datetime.datetime(2026, 12, 31), "2026-12-31"),
            (datetime.datetime(2026, 12, 31, 10, 15), "2026-12-31T10:15:00"),
            (DAY, "2026-12-31"),
            (True, "True"),
            ('="a', '="a'),
            (' =" 007 " ', "007"),
        ):
            with self.subTest(value=value):
                self.assertEqual(tabular.parse_text(value), text)
        self.assertEqual(as_plain_value(datetime.time(10, 15)), "10:15:00")
        self.assertEqual(as_plain_value(datetime.timedelta(hours=30)), "1 day, 6:00:00")
        for value in (None, "x", True, 1, 0.5, DAY):
            self.assertIs(as_plain_value(value), value)

    def test_long_values_are_shortened_in_messages(self):
        for length, shown in ((60, "x" * 60), (61, "x" * 60 + "…")):
            error = self.assertCode("amount_bad", tabular.parse_amount, "x" * length)
            self.assertEqual(error.params["value"], shown)

    def test_largest_amount(self):
        for value in (999_999_999_999_999, "999 999 999 999 999", Decimal("999999999999999.99")):
            self.assertEqual(int(tabular.parse_amount(value)), 999_999_999_999_999)
        for value in (10**15, -(10**15), 10**5000, 1e15, "1 000 000 000 000 000", Decimal("1e15")):
            self.assertCode("amount_bad", tabular.parse_amount, value)

    def test_message_about_a_large_amount(self):
        for value, shown in ((10**15, "…"), (1e15, "1000000000000000.0"), (Decimal("1e15"), "1E+15")):
            error = self.assertCode("amount_bad", tabular.parse_amount, value)
            self.assertEqual(error.params["value"], shown)

    def test_amounts_below_one(self):
        for text, amount in (("0,40", "0.40"), (".5", "0.5"), ("-0,05", "-0.05"), ("0.005", "0.005"), ("5,", "5.0")):
            self.assertEqual(tabular.parse_amount(text), Decimal(amount))

    def test_signs_once(self):
        for text in ("-(5)", "(5)-", "-5-", "--5"):
            self.assertCode("amount_bad", tabular.parse_amount, text)
        for text, amount in (("+5", 5), ("5-", -5), ("(5)", -5), ("'5'", 5), ('"5"', 5), ("$ 5 USD", 5)):
            self.assertEqual(tabular.parse_amount(text), amount, text)

    def test_groups(self):
        for text, decimal, amount in (
            ("999,999", ".", 999_999),
            ("0,999", None, Decimal("0.999")),
            ("1234,567", None, Decimal("1234.567")),
            ("1,000,000", None, 1_000_000),
            ("12,34,567", None, 1_234_567),
            ("1,000,000", ",", 1_000_000),
            ("12.5", ",", Decimal("12.5")),
            ("1 234", None, 1234),
            ("1 000 ,50", None, Decimal("1000.5")),
            ("1.5E3", None, 1500),
        ):
            with self.subTest(text=text):
                self.assertEqual(tabular.parse_amount(text, decimal), amount)
        for text in ("1234,567,890", "1,00,00", "1 000.000 5", "1'000 000"):
            self.assertCode("amount_bad", tabular.parse_amount, text)
        for text in ("1" * 41, "0" * 41, "(50", "50)", "(50,00 EUR"):
            self.assertCode("amount_bad", tabular.parse_amount, text)
        self.assertEqual(tabular.parse_amount("0" * 40), 0)

    def test_decimal_sign_of_a_column(self):
        for texts, sign in (
            (["1.234,5"], ","),
            (["1,234.5"], "."),
            (["1,234,567"], "."),
            (["1.234.567"], ","),
            (["12,50", "13,75"], ","),
            (["5", "12,50"], ","),
            ([12.5, "abc", "12,50"], ","),
            (["12.50"], "."),
            (["1,234", "5,x,5"], None),
            ([12.5, None, "5"], None),
            (["12,50", "1,234.5"], None),
            (["-12,50 €"], ","),
        ):
            with self.subTest(texts=texts):
                self.assertEqual(tabular.guess_decimal(texts), sign)


class TestWrittenAndReadBack(unittest.TestCase):
    @staticmethod
    def make_book(columns, rows, **options):
        buffer = io.BytesIO()
        with tabular.XlsxTable(buffer) as book:
            book.add_sheet("Items", columns, rows, **options)
        return openpyxl.load_workbook(io.BytesIO(buffer.getvalue()))

    def test_kinds_of_cells(self):
        columns = [
            tabular.XlsxColumn("Text", width=30),
            tabular.XlsxColumn("Day", "date"),
            tabular.XlsxColumn("Moment", "datetime"),
            tabular.XlsxColumn("Count", "integer"),
            tabular.XlsxColumn("Amount", "money"),
            tabular.XlsxColumn("Yen", "money", digits=0),
        ]
        moment = datetime.datetime(2026, 12, 31, 10, 15)
        rows = [
            ["00042", DAY, moment, 7, Decimal("12.50"), 1200],
            ["12.5", None, None, True, -0.4, ""],
        ]
        sheet = self.make_book(columns, rows)["Items"]
        found = [[(cell.data_type, cell.value) for cell in row] for row in sheet.iter_rows(min_row=2)]
        self.assertEqual(
            found,
            [
                [
                    ("s", "00042"),
                    ("d", datetime.datetime(2026, 12, 31)),
                    ("d", moment),
                    ("n", 7),
                    ("n", 12.5),
                    ("n", 1200),
                ],
                [("s", "12.5"), ("n", None), ("n", None), ("b", True), ("n", -0.4), ("n", None)],
            ],
        )
        self.assertEqual(
            [cell.number_format for cell in sheet[2]],
            ["General", "mm-dd-yy", "m/d/yy h:mm", "0", "#,##0.00", "#,##0"],
        )
        self.assertEqual([cell.number_format for cell in sheet[3]][-2:], ["#,##0.00", "#,##0"])
        self.assertEqual([cell.value for cell in sheet[1]], ["Text", "Day", "Moment", "Count", "Amount", "Yen"])
        self.assertAlmostEqual(sheet.column_dimensions["A"].width, 30, delta=1)
        self.assertAlmostEqual(sheet.column_dimensions["B"].width, 16, delta=1)

    def test_where_the_table_stands(self):
        columns = [tabular.XlsxColumn("A"), tabular.XlsxColumn("B", is_input=True)]
        for title, head, count in ((None, 1, 3), ("Items", 2, 3), (None, 1, 0)):
            with self.subTest(title=title, count=count):
                sheet = self.make_book(columns, [["x", "y"]] * count, title=title)["Items"]
                self.assertEqual(sheet.freeze_panes, f"B{head + 1}")
                self.assertEqual(sheet.auto_filter.ref, f"A{head}:B{head + max(count, 1)}")
                self.assertEqual(sheet.print_title_rows, f"${head}:${head}")
                self.assertEqual([cell.value for cell in sheet[head]], ["A", "B"])
                self.assertEqual(sheet["A1"].value, title or "A")
                self.assertEqual(sheet.row_dimensions[head].height, 30)
                self.assertEqual((sheet.page_setup.orientation, sheet.page_setup.paperSize), ("landscape", 9))
                self.assertIn(sheet.page_setup.fitToWidth, (None, 1))
                self.assertEqual(sheet.page_setup.fitToHeight, 0)
                colours = [cell.fill.start_color.rgb for cell in sheet[head]]
                self.assertEqual(colours, ["FF3F5F7F", "FF2E7D5B"])

    def test_drop_downs(self):
        short, long, commas = ["Yes", "No", "Yes"], [f"Choice {number}" for number in range(40)], ["a,b", "c"]
        columns = [
            tabular.XlsxColumn("Short", choices=short),
            tabular.XlsxColumn("Long", choices=long),
            tabular.XlsxColumn("Commas", choices=commas),
            tabular.XlsxColumn("Again", choices=long),
            tabular.XlsxColumn("Formula", choices=["=x", "y"]),
            tabular.XlsxColumn("None"),
        ]
        book = self.make_book(columns, [[None] * 6] * 4)
        found = {str(rule.sqref): rule.formula1 for rule in book["Items"].data_validations.dataValidation}
        self.assertEqual(
            found,
            {
                "A2:A5": '"Yes,No"',
                "B2:B5": "Lists!$A$1:$A$40",
                "C2:C5": "Lists!$B$1:$B$2",
                "D2:D5": "Lists!$A$1:$A$40",
                "E2:E5": "Lists!$C$1:$C$2",
            },
        )
        lists = book["Lists"]
        self.assertEqual([lists.cell(row, 1).value for row in range(1, 42)], [*long, None])
        self.assertEqual([lists.cell(row, 2).value for row in range(1, 4)], ["a,b", "c", None])
        self.assertEqual([lists.cell(row, 3).value for row in range(1, 4)], ["=x", "y", None])

    def test_list_of_255_characters_stands_in_the_sheet(self):
        for size, where in ((127, '"'), (128, "L")):
            columns = [tabular.XlsxColumn("A", choices=["x" * 127, "y" * size])]
            rule = self.make_book(columns, [])["Items"].data_validations.dataValidation[0]
            self.assertEqual((rule.formula1[0], str(rule.sqref)), (where, "A2"))

    def test_longest_text(self):
        columns = [tabular.XlsxColumn("A")]
        for size in (32_767, 32_768):
            sheet = self.make_book(columns, [["x" * size]])["Items"]
            self.assertEqual(len(sheet["A2"].value), 32_767)

    def test_what_is_no_number_is_not_written(self):
        for value in (float("nan"), float("inf")):
            with self.assertRaises(TypeError):
                self.make_book([tabular.XlsxColumn("A", "money")], [[value]])

    def test_names_of_sheets(self):
        buffer = io.BytesIO()
        with tabular.XlsxTable(buffer) as book:
            for name in ("x" * 40, "X" * 40, "History", "Lists", "'Quoted'", "[]:*?/\\", "Items", "items", "ITEMS"):
                book.add_sheet(name, [tabular.XlsxColumn("A")], [])
        self.assertEqual(
            openpyxl.load_workbook(io.BytesIO(buffer.getvalue())).sheetnames,
            ["x" * 27, f"{'X' * 27} 2", "History 2", "Lists 2", "Quoted", "Sheet", "Items", "items 2", "ITEMS 3"],
        )

    def test_sheet_of_texts(self):
        buffer = io.BytesIO()
        with tabular.XlsxTable(buffer) as book:
            book.add_text_sheet("Help", [("a", "b"), ("c", None), ("x" * 32_768, "")], ("Column", "Meaning"))
        book = openpyxl.load_workbook(io.BytesIO(buffer.getvalue()))
        self.assertEqual(book.sheetnames, ["Help"])
        sheet = book["Help"]
        rows = [[cell.value or "" for cell in row] for row in sheet.iter_rows()]
        self.assertEqual(rows, [["Column", "Meaning"], ["a", "b"], ["c", ""], ["x" * 32_767, ""]])
        self.assertEqual(sheet.freeze_panes, "A2")
        self.assertAlmostEqual(sheet.column_dimensions["A"].width, 28, delta=1)
        self.assertAlmostEqual(sheet.column_dimensions["B"].width, 80, delta=1)
        self.assertTrue(sheet["B2"].alignment.wrap_text and sheet["A1"].font.b)

    def test_letters_that_windows_lacks(self):
        for encoding, text, expected in (
            ("cp1252", "Łódź Őr €", "?ódz Or €"),
            ("latin-1", "Łódź Őr €", "?ódz Or ?"),
            ("cp1252", "Ⅷ ½ é", "VIII ½ é"),
            ("ascii", "Été", "Ete"),
            ("ascii", "日本", "??"),
            ("utf-8", "Łódź 日", "Łódź 日"),
        ):
            with self.subTest(encoding=encoding, text=text):
                content = tabular.write_delimited([text], [[text]], encoding=encoding)
                self.assertEqual(content.decode(encoding), f"{expected}\r\n{expected}\r\n")

    def test_texts_of_values(self):
        moment = datetime.datetime(2026, 12, 31, 9, 5)
        row = [moment, DAY, False, True, 0, -3, 0.4, Decimal("1E+3"), Decimal("-0.05"), 1e22, 1e-7, "-5", None]
        [line] = tabular.write_delimited([], [row], encoding="ascii").splitlines()[1:]
        self.assertEqual(
            line,
            b"31/12/2026 09:05;31/12/2026;0;1;0;-3;0,4;1000;-0,05;10000000000000000000000;0,0000001;'-5;",
        )


class TestGuards(TabularCase):
    def test_encodings_of_xml(self):
        content = make_xlsx(make_rows(2))
        for encoding, code in (
            ("utf-8", None),
            ("UTF-8", None),
            ("us-ascii", None),
            ("utf-7", "unsafe_xml"),
            ("x", "unsafe_xml"),
        ):
            declared = f'<?xml version="1.0" encoding="{encoding}"?>'.encode()
            changed = replace_parts(
                content,
                {"xl/worksheets/sheet1.xml": lambda old, declared=declared: declared + old[old.index(b"<worksheet") :]},
            )
            with self.subTest(encoding=encoding):
                if code:
                    self.assertCode(code, changed)
                else:
                    self.assertEqual(len(cells(changed)), 2)

    def test_encoding_of_a_text(self):
        self.assertEqual(read("a;é\n1;2\n".encode("utf-16-le")).encoding, "utf-16-le")
        self.assertEqual(read("a;b\n1;2\n".encode("utf-16-be")).encoding, "utf-16-be")
        self.assertEqual(read("€a;b\n1;2\n".encode("utf-16-be")).encoding, "utf-16-be")
        self.assertEqual(read("a;é\n".encode("utf-8-sig"), encoding="utf-8").encoding, "utf-8-sig")
        self.assertEqual(read("a;é\n".encode("utf-16"), encoding="utf-16").encoding, "utf-16")
        self.assertEqual(read(b"a;\x81\n1;2\n").encoding, "iso8859-1")
        self.assertEqual(read("a;é\n".encode(), encoding="utf-8").encoding, "utf-8")
        self.assertEqual(read("a;é\n".encode("utf-8-sig"), encoding="cp1252").encoding, "cp1252")
        self.assertEqual(read("a;é\n".encode("utf-16"), encoding="utf-16-le").encoding, "utf-16")
        halved = b"abc;def\n" * 8191 + "abcdefgé;x\n".encode()
        self.assertEqual(halved[65_535:65_537], "é".encode())
        self.assertEqual(read(halved).encoding, "utf-8")
        self.assertEqual(read(b"a;b\n").epoch, 1900)
        self.assertEqual(read(make_xlsx([["a", "b"]])).epoch, 1900)
        for name in ("idna", "punycode", "unicode-escape", "undefined", "hex", "rot13", "x" * 60):
            error = self.assertCode("encoding_unknown", b"a;b\n", encoding=name)
            self.assertEqual(error.params["encoding"], name[:40])

    def test_separator_that_is_declared(self):
        for first in (b"sep=|\n", b'"sep=|"\r\n', b"SEP=|\n"):
            table = read(first + b"a|b\n1|2\n")
            self.assertEqual((table.separator, table.columns, table.header_row), ("|", ["a", "b"], 2))
        table = read(b"sep=;\na|b\n1|2\n", separator="|")
        self.assertEqual((table.separator, table.columns), ("|", ["a", "b"]))
        self.assertEqual(read(b"sep=;\nab\n1\n", separator="|").columns, ["ab"])
        self.assertEqual(read(b"sep=;\nab\n1\n").columns, ["ab"])

    def test_separator_that_is_guessed(self):
        for content, separator in (
            (b"a;b;c\n1,5;2,5;3,5\n", ";"),
            (b"a,b\n1,2\n", ","),
            (b"a\tb\n1,5\t2\n", "\t"),
            (b"Title, with a comma\na;b\n1;2\n3;4\n", ";"),
            (b"abc\n", ";"),
            (b"a|b\n1|2\n", "|"),
            (b"a;b,c\n1;2,3\n", ";"),
            # As even as the titles are, decimal commas cut no cells.
            (b"Montant;Reste\n" + b"1,5;2,5\n" * 30, ";"),
            (b"Balance, 2026\nMontant;Reste\n" + b"1,5;2,5\n" * 30, ";"),
            (b"1,5;2,5;x\n" * 30, ";"),
            (b"Title\na,b\n1,2\n3,4\n", ","),
            (b"a|b\n1|2\n" + b";;;\n" * 10, "|"),
            (b"a;;b\n1;;2,5\n2;;3,5\n", ";"),
            (b"a;b\n1;2,0\n3;4,0\n5;6;7,0\n", ";"),
            (b"sep=|\n" + b"a;b;c|x\n" * 40, "|"),
        ):
            with self.subTest(content=content[:40]):
                self.assertEqual(read(content).separator, separator)
        for separator in ("", ";;", "\n", '"', "\0"):
            self.assertCode("separator", b"a;b\n", separator=separator)

    def test_kinds_that_are_no_tables(self):
        for content, found in (
            (b"PK\x05\x06" + b"\0" * 18, "ZIP"),
            (b"{\\rtf1 x}", "RTF"),
            (b"\xff\xd8\xff\xe0", "JPEG"),
            (b"GIF89a", "GIF"),
            (b"\x1f\x8b\x08", "GZIP"),
            (b"Rar!\x1a", "RAR"),
            (b"7z\xbc\xaf\x27", "7-Zip"),
            (b"BZh9", "BZIP2"),
            (b"\xfd7zXZ\0", "XZ"),
            (b"MIME-Version: 1.0\n", "MHTML"),
            (b" <TABLE border=1>", "HTML"),
        ):
            with self.subTest(found=found):
                self.assertEqual(self.assertCode("not_a_table", content).params["found"], found)

    def test_one_part_is_locked(self):
        content = bytearray(make_xlsx(make_rows(1)))
        content[content.rfind(b"PK\x01\x02") + 8] |= 1
        self.assertCode("password", bytes(content))

    def test_binary_content_is_no_text(self):
        self.assertCode("broken", bytes(range(1, 9)) * 20 + b"\n")
        self.assertEqual(cells(b"a;b\n1;\x022\n"), [["1", "2"]])

    def test_text_that_begins_far_down(self):
        self.assertEqual(cells(b"\n" * 5000 + b"Nom;Note\nA;x\n"), [["A", "x"]])

    def test_end_of_a_file_of_dos(self):
        self.assertEqual(cells(b'Nom;Note\r\n"A";"x"\x1a'), [["A", "x"]])
        self.assertEqual(cells(b'Nom;Note\r\n"A";"x"\0\r\n'), [["A", "x"]])

    def assertPart(self, code, part, name="xl/extra.xml"):
        """Say what is thought of a workbook with one more part."""
        content = replace_parts(make_xlsx(make_rows(2)), {name: part})
        with self.subTest(part=part[:80]):
            if code:
                self.assertCode(code, content)
            else:
                self.assertEqual(len(cells(content)), 2)

    def test_xml_under_any_name(self):
        for name in ("xl/extra.xml", "xl/extra.bin", "extra"):
            for part in (b"<!DOCTYPE a><a/>", b"\xef\xbb\xbf \n<!DOCTYPE a><a/>", "<!DOCTYPE a><a/>".encode("utf-16")):
                self.assertPart("unsafe_xml", part, name)
        self.assertPart(None, b"no <!DOCTYPE a>", "xl/extra.bin")
        self.assertPart("broken", b"<a>")
        self.assertPart("broken", b"no markup")

    def test_parts_of_other_programs(self):
        for name in ("word/document.xml", "ppt/slide.xml"):
            self.assertPart(None, b"<a/>", name)
        self.assertPart(None, b"application/zip", "mimetype")
        self.assertPart(None, b"<a><mergeCell ref='x'/><mergeCell/></a>")

    def test_letters_of_columns(self):
        self.assertEqual(
            [sources._column_index(name) for name in "A Z AA AZ BA XFD".split()], [0, 25, 26, 51, 52, 16383]
        )

    def test_size_that_a_sheet_says_of_itself(self):
        content = replace_parts(
            make_xlsx([["a", "b"], [1, 2], [3, 4]]),
            {"xl/worksheets/sheet1.xml": lambda old: old.replace(b'ref="A1:B3"', b'ref="A1:A1"')},
        )
        self.assertEqual(cells(content), [[1, 2], [3, 4]])

    def test_records_without_a_container(self):
        for content, expected in (
            (b"\x09\x08\x10\x00", True),
            (b"\x09\x00\x04\x00", True),
            (b"\x09\x08\x11\x00", False),
            (b"ab\x10\x00", False),
        ):
            self.assertIs(sources._is_bare_biff(content), expected)

    def test_more_cells_than_a_sheet_has_columns(self):
        row = b";".join([b"x"] * 16_384)
        [found] = read(b"a;b\n" + row, header_row=1)
        self.assertEqual(found.problem.code, "row_longer")
        error = self.assertCode("too_many_columns", b"a;b\n" + row + b";x", header_row=1)
        self.assertEqual((error.row, error.params["limit"]), (2, 256))

    def test_mark_of_an_encoding_in_a_row(self):
        self.assertEqual(cells(b"a;b\n\xef\xbb\xbf1;2\n"), [["1", "2"]])

    def test_signs_that_no_text_has(self):
        for size, odd in ((100, 8), (1000, 20), (980, 19)):
            self.assertEqual(read(b"a;b\n".ljust(size - odd) + b"\x01" * odd).columns, ["a", "b"])
            self.assertCode("broken", b"a;b\n".ljust(size - odd - 1) + b"\x01" * (odd + 1))

    def test_parts_that_pack_well_or_badly(self):
        self.assertPart(None, b"\0" * 1_000_000, "xl/media/image1.png")
        self.assertPart(None, random.Random(1).randbytes(17_000_000), "xl/media/image1.png")

    def test_number_of_parts(self):
        content = make_xlsx(make_rows(2))
        count = len(zipfile.ZipFile(io.BytesIO(content)).namelist())
        with mock.patch.object(sources, "_MAX_PARTS", count):
            self.assertEqual(len(cells(content)), 2)
        with mock.patch.object(sources, "_MAX_PARTS", count - 1):
            self.assertCode("bomb", content)

    def test_what_one_part_may_hold(self):
        with mock.patch.object(sources, "_MAX_GAP", 20_000):
            for gap, code in ((20_000, None), (20_001, "bomb")):
                self.assertPart(code, b"<a>".ljust(gap) + b"<b/></a>")
            self.assertPart("bomb", b"<a></a><!--" + b"x" * 100_000 + b"-->")
        with mock.patch.object(sources, "_MAX_STRINGS", 20):
            for count, code in ((20, None), (21, "bomb")):
                self.assertPart(code, b"<a>" + b"<si/>" * count + b"</a>")
                self.assertPart(code, b"<a>" + b"<row/>" * count + b"</a>")
        with mock.patch.object(sources, "_MAX_ELEMENTS", 200):
            for count, code in ((199, None), (200, "bomb")):
                self.assertPart(code, b"<a>" + b"<b/>" * count + b"</a>")
                self.assertPart(code, b"<a>" + b"<b/>" * 150 + b"<row>" + b"<c/>" * (count + 1) + b"</row></a>")

    def test_texts_are_no_rows(self):
        with mock.patch.object(sources, "_MAX_XLSX_ROW", 5):
            self.assertPart(None, b"<a>" + b"<si/>" * 9 + b"</a>")
            self.assertPart("broken", b"<a>" + b"<row/>" * 9 + b"</a>")

    def test_order_of_rows(self):
        for part, code in (
            (b"<a><row/><row r='2'/><row/><row r='9'/></a>", None),
            (b"<a><row r='2'/><row r='2'/></a>", "broken"),
            (b"<a><row r='2'/><row r='1'/></a>", "broken"),
            (b"<a><row r='0'/></a>", "broken"),
            (b"<a><row r='1048576'/></a>", None),
            (b"<a><row r='1048576'/><row/></a>", "broken"),
        ):
            self.assertPart(code, part)

    def test_row_that_the_library_refuses(self):
        content = make_xlsx([["Nom", "Montant"], ["A", 1], ["B", 2]])
        for value in (b"<v>1</v>", b"<v>2</v>"):
            changed = replace_parts(
                content,
                {"xl/worksheets/sheet1.xml": lambda old, value=value: old.replace(value, b"<v>abc</v>")},
            )
            self.assertCode("broken", changed)

    def test_rows_beyond_the_last(self):
        content = make_xlsx(make_rows(3))
        for number, code in ((b"1048576", None), (b"1048577", "broken")):
            changed = replace_parts(
                content,
                {"xl/worksheets/sheet1.xml": lambda old, n=number: old.replace(b'<row r="4"', b'<row r="%s"' % n)},
            )
            changed = replace_parts(
                changed,
                {"xl/worksheets/sheet1.xml": lambda old, n=number: old.replace(b'r="A4"', b'r="A%s"' % n)},
            )
            with self.subTest(number=number):
                if code:
                    self.assertCode(code, changed)
                else:
                    list(read(changed))

    def test_hidden_sheets_of_xls_and_xlsx(self):
        def change(workbook, sheet):
            sheet.sheet_state = "veryHidden"
            workbook.create_sheet("Data").append(["a", "b"])

        table = read(make_xlsx([["x", "y"]], change=change))
        self.assertEqual((table.sheet, table.sheets), ("Data", ["Items", "Data"]))

    def test_values_of_writer_and_reader_agree(self):
        self.assertEqual(writer.restore(writer.neutralise("'=1")), "'=1")
        self.assertEqual(values.parse_text(writer.neutralise("\t=1")), "=1")


class _DamagedRows(list):
    """Rows of which the library can't read one."""

    def __getitem__(self, index):
        if index == 50:
            raise AssertionError("damaged")
        return super().__getitem__(index)


class TestXlsBook(TabularCase):
    """What is made of a book as the library reads it."""

    CONTENT = b"\x09\x08\x10\x00" + b"\0" * 16

    def read_book(self, rows, datemode=0, names=("Data",), visibility=(0,), **options):
        class Page:
            nrows = len(rows)

            @staticmethod
            def row(index):
                return rows[index]

        book = types.SimpleNamespace(
            datemode=datemode,
            sheet_names=lambda: list(names),
            _sheet_visibility=list(visibility),
            sheet_by_name=lambda _name: Page,
        )
        with mock.patch.object(sources.xlrd, "open_workbook", return_value=book):
            return read(self.CONTENT, **options)

    def test_kinds_of_cells(self):
        cell = xlrd.sheet.Cell
        titles = [cell(xlrd.XL_CELL_TEXT, name) for name in "abcdefghi"]
        row = [
            cell(xlrd.XL_CELL_TEXT, "x"),
            cell(xlrd.XL_CELL_NUMBER, 12.0),
            cell(xlrd.XL_CELL_NUMBER, 0.5),
            cell(xlrd.XL_CELL_NUMBER, 999_999_999_999_999.0),
            cell(xlrd.XL_CELL_DATE, 46_387.0),
            cell(xlrd.XL_CELL_DATE, 1e12),
            cell(xlrd.XL_CELL_ERROR, 0x2A),
            cell(xlrd.XL_CELL_BOOLEAN, 1),
            cell(xlrd.XL_CELL_BLANK, ""),
        ]
        [found] = self.read_book([titles, row])
        self.assertEqual(
            found.cells,
            ["x", 12, 0.5, 999_999_999_999_999, datetime.datetime(2026, 12, 31), "#VALUE!", "#N/A", True, None],
        )
        self.assertEqual(
            [type(value) for value in found.cells],
            [str, int, float, int, datetime.datetime, tabular.CellError, tabular.CellError, bool, type(None)],
        )
        [found] = self.read_book([titles, [cell(xlrd.XL_CELL_NUMBER, 1e15), cell(xlrd.XL_CELL_ERROR, 99)]])
        self.assertEqual((found.cells[:2], type(found.cells[0])), ([1e15, "#N/A"], float))

    def test_epoch(self):
        rows = [[xlrd.sheet.Cell(xlrd.XL_CELL_TEXT, "Day")], [xlrd.sheet.Cell(xlrd.XL_CELL_DATE, 44_925.0)]]
        for datemode, epoch, day in ((0, 1900, datetime.date(2022, 12, 30)), (1, 1904, DAY)):
            table = self.read_book(rows, datemode)
            self.assertEqual((table.epoch, [row.cells[0].date() for row in table]), (epoch, [day]))

    def test_cells_beside_the_table(self):
        cell = xlrd.sheet.Cell
        titles = [cell(xlrd.XL_CELL_TEXT, name) for name in "ab"]
        [row] = self.read_book([titles, [cell(xlrd.XL_CELL_NUMBER, number) for number in (1.0, 2.0, 3.0)]])
        self.assertEqual((row.cells, row.problem), ([1, 2], None))

    def test_book_that_the_library_refuses(self):
        for text, code in (("Workbook is encrypted", "password"), ("Something else", "broken")):
            with mock.patch.object(sources.xlrd, "open_workbook", side_effect=xlrd.XLRDError(text)):
                self.assertCode(code, self.CONTENT)
        with self.assertRaises(tabular.TabularError) as caught:
            self.read_book([], names=())
        self.assertEqual(caught.exception.code, "empty")

    def test_containers_of_other_programs(self):
        for name, code, found in (
            ("EncryptedPackage", "password", None),
            ("EncryptionInfo", "password", None),
            ("_VBA_PROJECT", "macros", None),
            ("_VBA_PROJECT_CUR", "macros", None),
            ("WordDocument", "not_a_table", "Word"),
            ("PowerPoint Document", "not_a_table", "PowerPoint"),
            ("__properties_version1.0", "not_a_table", "MSG"),
            ("Other", "broken", None),
        ):
            with self.subTest(name=name):
                error = self.assertCode(code, Container({"A": b"x", name: b"x"}).make())
                self.assertEqual(error.params.get("found"), found)

    def test_stream_of_the_book(self):
        for names in (("A", "BOOK", "B"), ("A", "Book", "WorkBook")):
            content = Container({name: name.encode() for name in names}).make()
            with mock.patch.object(sources.xlrd, "open_workbook", side_effect=AssertionError) as opened:
                self.assertCode("broken", content)
            self.assertEqual(opened.call_args.kwargs["file_contents"], names[-1 if "k" in names[-1] else 1].encode())

    def test_columns(self):
        titles = [xlrd.sheet.Cell(xlrd.XL_CELL_TEXT, name) for name in "abcd"]
        limits = tabular.Limits(max_columns=3)
        self.assertEqual(self.read_book([titles[:3]], limits=limits).columns, ["a", "b", "c"])
        with self.assertRaises(tabular.TabularError) as caught:
            self.read_book([titles], limits=limits)
        self.assertEqual(caught.exception.code, "too_many_columns")

    def test_hidden_sheets(self):
        rows = [[xlrd.sheet.Cell(xlrd.XL_CELL_TEXT, "Nom")]]
        for visibility, sheet in (((1, 0), "B"), ((0, 1), "A"), ((2, 1), "A"), ((1,), "B"), ((), "A")):
            with self.subTest(visibility=visibility):
                table = self.read_book(rows, names=("A", "B"), visibility=visibility)
                self.assertEqual((table.sheet, table.sheets), (sheet, ["A", "B"]))
        self.assertCode("broken", self.CONTENT)

    def test_row_that_the_library_refuses(self):
        text = xlrd.sheet.Cell(xlrd.XL_CELL_TEXT, "Nom")

        table = self.read_book(_DamagedRows([[text]] * 60))
        with self.assertRaises(tabular.TabularError) as caught:
            list(table)
        self.assertEqual(caught.exception.code, "broken")
