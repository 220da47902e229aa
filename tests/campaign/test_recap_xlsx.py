from decimal import Decimal
from io import BytesIO

from openpyxl import load_workbook

from odoo.tests import HttpCase, tagged

from ..workbook_common import get_columns_of
from .test_recap import RecapCommon


class XlsxCommon(RecapCommon):
    def _write(self, recap, lang="en_US"):
        output = BytesIO()
        self.env["collection.recap.workbook"].with_context(lang=lang)._write(recap, output)
        return output

    def _load(self, output, **options):
        output.seek(0)
        return load_workbook(output, **options)

    def _get_column(self, sheet, title):
        """Return the values of a column of a table sheet: (total, values)."""
        headers = [cell.value for cell in sheet[4]]
        column = headers.index(title) + 1
        values = [sheet.cell(row, column).value for row in range(5, sheet.max_row + 1)]
        return sheet.cell(3, column).value, values


@tagged("post_install", "-at_install")
class TestRecapXlsx(XlsxCommon):
    def test_totals_equal_the_recap(self):
        """Each table adds up to the recap, in its rows, its cached totals and its formulas."""
        self._live()
        recap = self._recap()
        output = self._write(recap)
        values, formulas = self._load(output, data_only=True), self._load(output)
        self.assertEqual(values.sheetnames, ["Summary", "Charts", "Cases", "Items", "Promises", "Disputes", "Contacts"])
        for name in ("Cases", "Items"):
            for title, part in (("At the start", "initial"), ("Collected", "collected"), ("Still owed", "residual")):
                with self.subTest(sheet=name, column=title):
                    total, cells = self._get_column(values[name], title)
                    expected = getattr(recap.total, part)
                    self.assertEqual(Decimal(str(total)), expected)
                    self.assertEqual(sum(Decimal(str(cell)) for cell in cells), expected)
                    formula, _cells = self._get_column(formulas[name], title)
                    self.assertTrue(formula.startswith("=SUBTOTAL(109,"))
        total, cells = self._get_column(values["Promises"], "Still promised, in EUR")
        self.assertEqual(Decimal(str(total)), recap.total.promised)
        total, cells = self._get_column(values["Disputes"], "Still disputed, in EUR")
        self.assertEqual(Decimal(str(total)), recap.total.disputed)
        _total, cells = self._get_column(values["Contacts"], "Customer")
        self.assertEqual(len(cells), recap.contacts.logged_count)

    def test_summary(self):
        """The summary says the same as the recap, adds up by formulas and has charts."""
        self._live()
        recap = self._recap()
        output = self._write(recap)
        rows = {row[0]: row[1] for row in self._load(output, data_only=True)["Summary"].values if row[0]}
        self.assertEqual(Decimal(str(rows["Collected"])), recap.total.collected)
        self.assertEqual(Decimal(str(rows["Refuses to pay"])), recap.outcome.get("refused"))
        book = self._load(output)
        self.assertTrue(any(str(row[1]).startswith("=SUM('Cases'!") for row in book["Summary"].values))
        self.assertEqual(len(book["Charts"]._charts), 3)

    def test_kinds_of_cells(self):
        """What one adds up are numbers, what one sorts by day are days."""
        self._live()
        book = self._load(self._write(self._recap()), data_only=True)
        parts = {"Of which promised", "Of which disputed", "Of which neither"}
        amounts = {"At the start", "Collected", "Credited", "Written off or cancelled", "Still owed", *parts}
        for name, numbers, dates in (
            ("Cases", {*amounts, "Items", "Calls", "Days late at the start"}, {"Overdue since", "Last contact"}),
            ("Items", {*amounts, "Days late at the start"}, {"Date", "Due date"}),
            ("Promises", {"Amount", "Amount in EUR", "Still promised, in EUR"}, {"Promised for", "Recorded on"}),
            ("Disputes", {"Amount", "Amount in EUR", "Still disputed, in EUR"}, {"Opened on", "To solve by"}),
            ("Contacts", set(), {"Date"}),
        ):
            with self.subTest(sheet=name):
                self.assertEqual(get_columns_of("number", book[name], 4), numbers)
                self.assertEqual(get_columns_of("date", book[name], 4), dates)

    def test_texts_stay_texts(self):
        """A name that looks like a formula is a name."""
        sheet = self._load(self._write(self._recap()))["Cases"]
        names = {cell.value: cell.data_type for cell in sheet["A"][4:]}
        self.assertEqual(names["=cmd|'/c calc'!A1"], "s")
        self.assertFalse([name for name, kind in names.items() if kind == "f"])

    def test_right_to_left(self):
        self.env["res.lang"]._activate_lang("ar_001")
        book = self._load(self._write(self._recap(), lang="ar_001"))
        self.assertTrue(all(sheet.sheet_view.rightToLeft for sheet in book))

    def test_print_setup(self):
        """Tables print in landscape on the width of a page, with their headers on each."""
        book = self._load(self._write(self._recap()))
        for sheet in book.worksheets[2:]:
            with self.subTest(sheet=sheet.title):
                self.assertEqual(sheet.page_setup.orientation, "landscape")
                self.assertEqual(sheet.page_setup.fitToHeight, 0)
                self.assertEqual(sheet.freeze_panes, "B5")
                self.assertEqual(sheet.print_title_rows, "$4:$4")
                self.assertTrue(sheet.auto_filter.ref)

    def test_pages_of_the_summary(self):
        """Sections and charts stay whole: a page ends where one begins."""
        book = self._load(self._write(self._recap()))
        summary, charts = book.worksheets[:2]
        for sheet in (summary, charts):
            # Breaks would be ignored in what is fitted to a page.
            self.assertFalse(sheet.sheet_properties.pageSetUpPr and sheet.sheet_properties.pageSetUpPr.fitToPage)
        breaks = [row_break.id for row_break in summary.row_breaks.brk]
        self.assertTrue(breaks)
        for last_row in breaks:
            self.assertFalse(summary.cell(last_row, 1).value, "A free row stands before each section")
            self.assertTrue(summary.cell(last_row + 1, 1).font.bold)


@tagged("post_install", "-at_install")
class TestRecapDownload(XlsxCommon, HttpCase):
    def test_download(self):
        """Who may see all cases gets the file, under the name of the campaign."""
        self.campaign.name = "Été / 2026"
        self.team_user.password = "team_user_password"
        self.authenticate("team_user", "team_user_password")
        response = self.url_open(f"/account_collection/recap/{self.campaign.id}")
        self.assertEqual(response.status_code, 200)
        self.assertIn("spreadsheetml", response.headers["Content-Type"])
        self.assertIn("attachment", response.headers["Content-Disposition"])
        self.assertEqual(self._load(BytesIO(response.content)).sheetnames[0], "Summary")

    def test_refusals(self):
        """No file without the right to see all cases, and none of a campaign that does not exist."""
        self.collector.password = "collector_password"
        self.authenticate("collector", "collector_password")
        with self.assertLogs("odoo.http", level="WARNING"):
            response = self.url_open(f"/account_collection/recap/{self.campaign.id}")
        self.assertEqual(response.status_code, 403)
        self.assertEqual(self.url_open("/account_collection/recap/999999999").status_code, 404)
