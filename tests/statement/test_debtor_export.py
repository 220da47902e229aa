from decimal import Decimal
from io import BytesIO

from openpyxl import load_workbook

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged

from ..common import CollectionCommon
from ..workbook_common import get_columns_of


class ExportCommon(CollectionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.name = "=cmd|'/c calc'!A1"
        cls.env["res.partner"].create(
            {"name": "Marie Dupont", "parent_id": cls.customer.id, "type": "invoice", "phone": "+33 6 00 00 00 01"}
        )
        cls.invoice = cls._create_invoice(amount=1500.25, days_late=40)
        cls._pay_on_account(amount=50)
        cls._create_invoice(cls.other_customer, 77.5, days_late=3)
        cls.debtor = cls._get_debtor()
        cls.debtor.write({"comment": "Call before ten", "contact_role": "payables", "payment_habit": "Cheques"})
        cls.other_debtor = cls._get_debtor(cls.other_customer)
        cls.debtors = cls.debtor + cls.other_debtor

    def _write(self, debtors=None, user=None, lang="en_US"):
        output = BytesIO()
        debtors = (debtors or self.debtors).with_user(user or self.collector).with_context(lang=lang)
        debtors.env["collection.debtor.workbook"]._write(debtors, output)
        return output

    def _load(self, output, **options):
        output.seek(0)
        return load_workbook(output, **options)

    def _get_rows(self, sheet):
        headers = [cell.value for cell in sheet[4]]
        return [dict(zip(headers, row, strict=True)) for row in sheet.iter_rows(min_row=5, values_only=True)]


@tagged("post_install", "-at_install")
class TestDebtorExport(ExportCommon):
    def test_customers(self):
        """A line per customer says whom to ask, what for, why first, and what was said."""
        self._promise(self.debtor, amount=100, date=self._days(7))
        self._dispute(self.debtor, self._get_items(self.invoice), 33.33)
        self._synchronize()
        row, other = self._get_rows(self._load(self._write(), data_only=True)["Customers"])
        self.assertEqual(row["Customer"], "=cmd|'/c calc'!A1")
        self.assertEqual(
            row["Whom to ask for"], f"Marie Dupont (Accounts payable)\n+33 6 00 00 00 01\n{self.debtor.email}"
        )
        self.assertEqual((row["Items"], row["Days late"]), (1, 40))
        self.assertEqual(Decimal(str(row["To claim"])), Decimal(str(self.debtor.claimable_amount)))
        self.assertIn("03/17/2026: €", self._plain(row["Promised"]).replace("100.00", "€").replace("€\u00a0", "€"))
        self.assertIn("33.33", row["Disputed"])
        self.assertIn("Cheques", row["How they pay"])
        self.assertEqual(row["Comments"], "Call before ten")
        points = [rows["points"] for rows in self.debtor.score_breakdown]
        self.assertIn(f"({max(points):+d})", row["Why first"])
        self.assertEqual(other["Customer"], self.other_customer.name)

    def test_items(self):
        """All open items, credits too, add up to what is owed less credits."""
        output = self._write()
        sheet = self._load(output, data_only=True)["Open items"]
        rows = self._get_rows(sheet)
        self.assertEqual(len(rows), 3)
        title = "Open in EUR"
        self.assertEqual(sum(Decimal(str(row[title])) for row in rows), Decimal("1527.75"))
        column = [cell.value for cell in sheet[4]].index(title) + 1
        self.assertEqual(sheet.cell(3, column).value, 1527.75)
        formula = self._load(output)["Open items"].cell(3, column).value
        self.assertTrue(formula.startswith("=SUBTOTAL(109,"))

    def test_kinds_of_cells(self):
        """What one adds up are numbers, what one sorts by day are days."""
        book = self._load(self._write(), data_only=True)
        for name, numbers, dates in (
            (
                "Customers",
                {"Score", "Items", "Days late", "Overdue", "Owed", "Credits", "Excluded", "To claim"},
                {"Overdue since", "Last payment"},
            ),
            ("Open items", {"Days late", "Amount", "Open", "Open in EUR"}, {"Date", "Due date"}),
        ):
            with self.subTest(sheet=name):
                self.assertLessEqual(numbers, get_columns_of("number", book[name], 4))
                self.assertEqual(get_columns_of("date", book[name], 4), dates)

    def test_totals(self):
        output = self._write()
        sheet = self._load(output, data_only=True)["Customers"]
        headers = [cell.value for cell in sheet[4]]
        for title, name in (("To claim", "claimable_amount"), ("Overdue", "overdue_amount"), ("Owed", "due_amount")):
            with self.subTest(column=title):
                total = Decimal(str(sheet.cell(3, headers.index(title) + 1).value))
                self.assertEqual(total, sum(Decimal(str(debtor[name])) for debtor in self.debtors))
                self.assertEqual(total, sum(Decimal(str(row[title])) for row in self._get_rows(sheet)))

    def test_warnings_first(self):
        """What forbids to ask stands before the comments."""
        self.debtor.insolvency = True
        self.other_debtor.write({"paused_until": self._days(5), "pause_reason": "Holidays"})
        rows = self._get_rows(self._load(self._write())["Customers"])
        comments = {row["Customer"]: row["Comments"] for row in rows}
        self.assertTrue(comments[self.customer.name].startswith("INSOLVENCY"))
        self.assertIn("Holidays", comments[self.other_customer.name])

    def test_print_setup(self):
        """Landscape A4, one page wide, headers on each page, nothing that a spreadsheet would calculate."""
        book = self._load(self._write())
        for sheet in book.worksheets:
            with self.subTest(sheet=sheet.title):
                self.assertEqual((sheet.page_setup.orientation, sheet.page_setup.paperSize), ("landscape", 9))
                self.assertEqual(sheet.page_setup.fitToHeight, 0)
                self.assertEqual(sheet.print_title_rows, "$4:$4")
                self.assertEqual(sheet.freeze_panes, "B5")
                self.assertFalse([cell for row in sheet.iter_rows(min_row=5) for cell in row if cell.data_type == "f"])

    def test_two_currencies(self):
        """Companies with different currencies have no common total."""
        other = self.setup_other_company(name="Moreau USA", currency_id=self.env.ref("base.USD").id)["company"]
        self._create_invoice(amount=9, company=other)
        self._synchronize(other)
        foreign = self.env["collection.debtor"].sudo().search([("company_id", "=", other.id)])
        output = BytesIO()
        self.env["collection.debtor.workbook"].sudo()._write(self.debtors.sudo() + foreign, output)
        sheet = self._load(output)["Customers"]
        self.assertIsNone(sheet["D3"].value)
        self.assertEqual({row["Currency"] for row in self._get_rows(sheet)}, {"EUR", "USD"})

    def test_totals_have_the_decimals_of_the_currency(self):
        """Dinars have three decimals, yen none: totals like rows."""
        for name, places, form in (("KWD", 3, "#,##0.000"), ("JPY", 0, "#,##0")):
            with self.subTest(currency=name):
                currency = self.env["res.currency"].with_context(active_test=False).search([("name", "=", name)])
                currency.write({"active": True, "rounding": 10**-places})
                company = self.setup_other_company(name=name, currency_id=currency.id)["company"]
                self._create_invoice(amount=9, company=company)
                self._synchronize(company)
                debtors = self.env["collection.debtor"].sudo().search([("company_id", "=", company.id)])
                output = BytesIO()
                self.env["collection.debtor.workbook"].sudo()._write(debtors, output)
                sheet = self._load(output)["Customers"]
                self.assertEqual((sheet["D3"].number_format, sheet["D5"].number_format), (form, form))

    def test_right_to_left(self):
        self.env["res.lang"]._activate_lang("ar_001")
        for lang, expected in (("ar_001", True), ("en_US", None)):
            for sheet in self._load(self._write(lang=lang)):
                self.assertEqual(sheet.sheet_view.rightToLeft, expected)

    def test_long_comments(self):
        """No row is higher than readers allow."""
        self.debtor.comment = "Call before ten\n" * 500
        sheet = self._load(self._write())["Customers"]
        self.assertEqual(sheet.row_dimensions[5].height, 409)

    def test_archived_files_stay_out(self):
        """All that a filter leaves is what the list shows: no archived files, unless the filter asks for them."""
        self.env["ir.config_parameter"].set_param("web.active_ids_limit", "1")
        self.other_debtor.active = False
        Export = self.env["collection.debtor.export"].with_user(self.collector)
        debtor = self.debtor.with_user(self.collector)
        for domain, expected in (
            ([("due_amount", ">", 0)], self.debtor),
            ([("due_amount", ">", 0), ("active", "in", [True, False])], self.debtors),
        ):
            debtor.with_context(active_domain=domain).action_export_file()
            export = Export.sudo().search([], order="id desc", limit=1).sudo(False)
            self.assertEqual(export.with_user(self.collector)._get_debtors(), expected)

    def test_companies_that_were_not_chosen_stay_out(self):
        """All that a filter leaves is of the companies on the screen, not of all that the user may open."""
        self.env["ir.config_parameter"].set_param("web.active_ids_limit", "1")
        other = self.setup_other_company(name="Moreau Nord")["company"]
        self._create_invoice(amount=9, company=other)
        self._synchronize(other)
        self.team_user.company_ids += other
        debtor = self.debtor.with_user(self.team_user).with_context(allowed_company_ids=self.company.ids)
        debtor.with_context(active_domain=[("due_amount", ">", 0)]).action_export_file()
        export = self.env["collection.debtor.export"].sudo().search([], order="id desc", limit=1).sudo(False)
        download = export.with_user(self.team_user).with_context(allowed_company_ids=(self.company + other).ids)
        self.assertEqual(download._get_debtors(), self.debtors)

    def test_rights(self):
        self.other_debtor.collector_id = self.other_collector
        with self.assertRaises(AccessError):
            self._write()
        self.assertTrue(self._write(user=self.team_user).getvalue())
        for user, debtor in ((self.collector, self.other_debtor), (self.solver, self.debtor)):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                debtor.with_user(user).action_export_file()

    def test_query_count(self):
        """As many statements for many customers as for few."""

        def count(debtors):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._write(debtors)
            return self.env.cr.sql_log_count - before

        for index in range(15):
            self._create_invoice(self._create_customer(f"Customer {index}"), 10 + index)
        self._synchronize()
        many = self.env["collection.debtor"].search([("company_id", "=", self.company.id)])
        count(many)
        self.assertGreater(len(many), 15)
        self.assertLessEqual(count(many), count(self.debtors) + 2)


@tagged("post_install", "-at_install")
class TestDebtorExportDownload(ExportCommon, HttpCase):
    def test_download(self):
        """The list hands over a selection, or all that a filter leaves; only its user gets the file."""
        self.collector.password = "collector_password"
        self.authenticate("collector", "collector_password")
        selection = self.other_debtor.with_user(self.collector)
        action = selection.with_context(active_domain=[("due_amount", ">", 0)]).action_export_file()
        self.env.flush_all()
        rows = self._get_rows(self._load(BytesIO(self.url_open(action["url"]).content))["Customers"])
        self.assertEqual([row["Customer"] for row in rows], [self.other_customer.name])
        self.env["ir.config_parameter"].set_param("web.active_ids_limit", "1")
        action = selection.with_context(active_domain=[("due_amount", ">", 0)]).action_export_file()
        self.env.flush_all()
        self.assertEqual(len(self._get_rows(self._load(BytesIO(self.url_open(action["url"]).content))["Customers"])), 2)
        foreign = self.debtor.with_user(self.team_user).action_export_file()
        self.env.flush_all()
        self.assertEqual(self.url_open(foreign["url"]).status_code, 404)

    def test_nothing_chosen(self):
        with self.assertRefused("at least one"):
            self.env["collection.debtor"].with_user(self.collector).action_export_file()
