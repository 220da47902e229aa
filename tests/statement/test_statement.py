import doctest
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from unittest.mock import patch

from openpyxl import load_workbook

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, freeze_time, tagged
from odoo.tools.pdf import PdfFileReader

from ...models.base.pdf_pages import number_pages
from ...report.statement import numbers as statement_numbers
from ..common import CollectionCommon
from ..workbook_common import get_columns_of, is_dated


class StatementCommon(CollectionCommon):
    """A customer with everything that can stand on a statement."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._load_french()
        cls.dollar = cls.setup_other_currency("USD", rates=[("2020-01-01", 1.3)])
        cls.old = cls._create_invoice(amount=1000.10, days_late=100, ref="PO-1")
        cls.recent = cls._create_invoice(amount=333.33, days_late=5)
        cls.coming = cls._create_invoice(amount=512.57, days_late=-10)
        cls.foreign = cls._create_invoice(amount=777.77, days_late=40, currency=cls.dollar)
        cls._pay(cls.old, 400.05, on=cls._days(-20))
        cls._pay_on_account(amount=50.0, on=cls._days(-2))
        cls._create_invoice(cls.other_customer, 9999.0)
        cls.debtor = cls._get_debtor()

    def _statement(self, debtor=None, user=None, **options):
        return (debtor or self.debtor).with_user(user or self.collector)._get_statement(**options)

    def _sum_of(self, field, currency, domain=()):
        """Add journal items up, the plain way."""
        items = self.env["account.move.line"].search(
            [
                ("partner_id", "=", self.customer.id),
                ("account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
                ("currency_id", "=", currency.id),
                *domain,
            ]
        )
        return sum((Decimal(str(item[field])) for item in items), Decimal(0))


@tagged("post_install", "-at_install")
class TestStatement(StatementCommon):
    def test_doctests(self):
        self.assertEqual(doctest.testmod(statement_numbers).failed, 0)

    def test_open_items(self):
        """Open items in the order of their due dates, with a running balance that ends at what is owed."""
        euro, dollar = self._statement().sections
        self.assertEqual([line.name for line in euro.lines][0], self.old.name)
        self.assertEqual(
            [line.amount for line in euro.lines], [Decimal(x) for x in ("600.05", "333.33", "-50", "512.57")]
        )
        self.assertEqual(euro.lines[0].original, Decimal("1000.10"))
        self.assertEqual((euro.lines[0].paid, euro.lines[0].reference), (Decimal("400.05"), "PO-1"))
        self.assertEqual([line.days_late for line in euro.lines], [100, 5, 0, 0])
        self.assertEqual(euro.closing, self._sum_of("amount_residual_currency", self.company.currency_id))
        self.assertEqual(dollar.closing, self._sum_of("amount_residual_currency", self.dollar))
        self.assertEqual(euro.lines[-1].balance, euro.closing)
        for section in (euro, dollar):
            self.assertEqual(section.total, section.closing)
        self.assertEqual((euro.credits, euro.overdue), (Decimal("-50.00"), Decimal("933.38")))
        self.assertEqual(dict(euro.aging)["91_120"], Decimal("600.05"))
        self.assertEqual(dict(euro.aging)["not_due"], Decimal("512.57"))

    def test_marks(self):
        """What is disputed or promised of an item is said at the item."""
        self._dispute(self.debtor, self._get_items(self.recent), 33.33)
        self._promise(self.debtor, amount=100, date=self._days(7))
        euro, _dollar = self._statement().sections
        self.assertEqual(euro.disputed, Decimal("33.33"))
        self.assertEqual(euro.promised, Decimal("100.00"))
        html = self._plain(self.debtor._render_statement_html())
        self.assertIn("Of which disputed: 33.33", html)
        self.assertIn("Of which promised for 03/17/2026: 100.00", html)

    def test_movements(self):
        """All that was booked between two dates, with the balances before and after, by the plain sums."""
        date_from, date_to = self.today - timedelta(days=60), self.today - timedelta(days=1)
        statement = self._statement(kind="movements", date_from=date_from, date_to=date_to)
        self.assertEqual([section.currency for section in statement.sections], ["EUR", "USD"])
        for section, currency in zip(statement.sections, (self.company.currency_id, self.dollar), strict=True):
            with self.subTest(currency=currency.name):
                before = self._sum_of("amount_currency", currency, [("date", "<", date_from)])
                self.assertEqual(section.opening, before)
                self.assertEqual(section.closing, self._sum_of("amount_currency", currency, [("date", "<=", date_to)]))
                self.assertEqual(section.total, section.closing)
                if section.lines:
                    self.assertEqual(section.lines[-1].balance, section.closing)
        self.assertEqual(statement.sections[0].opening, Decimal("1000.10"))
        kinds = [line.kind for line in statement.sections[0].lines]
        self.assertEqual(sorted(kinds), ["Invoice", "Invoice", "Payment", "Payment"])

    def test_past_day(self):
        """On a past day, what was paid since was still open."""
        with freeze_time(f"{self._days(5)} 12:00:00"):
            self._pay(self.recent, on=self._days(5))
            self._pay(self.foreign, on=self._days(5))
        euro, dollar = self._statement(kind="movements", date_to=self.today).sections
        self.assertEqual(euro.total, Decimal("1395.95"))
        self.assertEqual(dict(euro.aging)["1_30"], Decimal("333.33"))
        self.assertEqual(dict(dollar.aging)["31_60"], Decimal("777.77"))

    def test_paid_in_another_currency(self):
        """Money in another currency leaves no balance behind in either."""
        self._pay(self.foreign)
        invoice = self._create_invoice(amount=130, currency=self.dollar)
        payment = self._pay_on_account(amount=100)
        (self._get_items(invoice) + self._get_items(payment.move_id)).reconcile()
        self.assertFalse(invoice.amount_residual)
        statement = self._statement(kind="movements")
        euro, dollar = statement.sections
        self.assertEqual((dollar.closing, dollar.total), (0, 0))
        self.assertEqual(euro.closing, self._sum_of("amount_residual_currency", self.company.currency_id))
        self.assertEqual(euro.total, euro.closing)
        self.assertIn("Settled in another currency", [line.kind for line in dollar.lines])
        # With an opening balance after the settlement, the dollars are history.
        later = self._statement(
            kind="movements", date_from=self.today + timedelta(days=1), date_to=self.today + timedelta(days=9)
        )
        self.assertEqual([section.currency for section in later.sections], ["EUR"])

    def assertCloses(self, debtor, **amounts):
        """Check that both statements of today close at these amounts, one per currency."""
        for kind in ("open", "movements"):
            sections = self._statement(debtor, kind=kind).sections
            closing = {section.currency: section.closing for section in sections if section.closing}
            self.assertEqual(closing, {name: Decimal(str(amount)) for name, amount in amounts.items()}, kind)
            for section in sections:
                self.assertEqual(section.total, section.closing)

    def test_paid_by_another_customer(self):
        """What a sister pays leaves the account of the one and that of the other."""
        alpha, beta = self._create_customer("Alpha"), self._create_customer("Beta")
        invoice = self._create_invoice(alpha, 1000, days_late=60)
        money = self._pay_on_account(beta, 400, on=self.today - timedelta(days=10))
        (self._get_items(invoice) + self._get_items(money.move_id)).reconcile()
        alpha, beta = self._get_debtor(alpha), self._get_debtor(beta)
        self.assertCloses(alpha, EUR=600)
        self.assertCloses(beta)
        lines = self._statement(alpha, kind="movements").sections[0].lines
        self.assertEqual(
            [(line.kind, line.name, line.amount) for line in lines],
            [("Invoice", invoice.name, 1000), ("Settled with another customer", money.name, -400)],
        )
        self.assertEqual(lines[1].date, money.date)
        lines = self._statement(beta, kind="movements").sections[0].lines
        self.assertEqual([line.amount for line in lines], [-400, 400])
        # Before that day nothing was paid.
        before = self._statement(alpha, kind="movements", date_to=self.today - timedelta(days=11)).sections[0]
        self.assertEqual((before.closing, before.total), (1000, 1000))
        since = self._statement(alpha, kind="movements", date_from=self.today - timedelta(days=9)).sections[0]
        self.assertEqual((since.opening, since.closing, since.lines), (600, 600, ()))

    def test_booked_for_a_later_day(self):
        """It stands beneath, on both statements, and in no balance."""
        partner = self._create_customer("Ahead")
        invoice = self._create_invoice(partner, 1000, days_late=60)
        self._create_invoice(partner, 70, days_late=-60)
        payment = self._pay_on_account(partner, 600, on=self.today + timedelta(days=20))
        other = self._pay(invoice, 150, on=self.today + timedelta(days=9))
        debtor = self._get_debtor(partner)
        self.assertCloses(debtor, EUR=1000)
        for kind in ("open", "movements"):
            section = self._statement(debtor, kind=kind).sections[0]
            self.assertEqual(
                [(row.name, row.date, row.amount) for row in section.announced],
                [(other.name, other.date, 150), (payment.name, payment.date, 600)],
            )
            html = self._plain(debtor._render_statement_html(kind))
            self.assertIn(f'Announced for 03/30/2026, not in this balance: <span dir="ltr">{payment.name}', html)
            book = load_workbook(BytesIO(debtor._render_statement_xlsx(kind)[1]))
            cells = [cell.value for row in book.active.iter_rows() for cell in row]
            self.assertIn(-600, cells)
        # What was asked for on an earlier day says nothing about what was to come then.
        past = self._statement(debtor, kind="movements", date_to=self.today - timedelta(days=1)).sections[0]
        self.assertFalse(past.announced)

    def test_corrected_and_refunded(self):
        """A draft is no movement, what it paid is owed; money sent back has no due date and is no debt."""
        partner = self._create_customer("Both")
        invoice = self._create_invoice(partner, 500, days_late=30)
        self._create_invoice(partner, 200, days_late=20, move_type="out_refund")
        self.env["account.payment"].create(
            {
                "payment_type": "outbound",
                "partner_type": "customer",
                "partner_id": partner.id,
                "amount": 200,
                "date": self.today - timedelta(days=10),
                "journal_id": self.company_data["default_journal_bank"].id,
            }
        ).action_post()
        payment = self._pay(invoice, 100)
        debtor = self._get_debtor(partner)
        self.assertCloses(debtor, EUR=400)
        section = self._statement(debtor).sections[0]
        self.assertEqual((section.overdue, section.credits), (400, 0))
        self.assertEqual([line.kind for line in section.lines if line.amount > 0 and not line.due_date], ["Refund"])
        payment.action_draft()
        self.assertCloses(debtor, EUR=500)
        payment.action_post()
        self.assertCloses(debtor, EUR=400)

    def test_settled_account(self):
        """Who owes nothing gets a page that says so."""
        partner = self._create_customer("Quick")
        self._pay(self._create_invoice(partner, 10))
        debtor = self._get_debtor(partner)
        self.assertTrue(self._statement(debtor).is_empty)
        self.assertIn("Your account is settled", debtor._render_statement_html())

    def test_language_and_typography(self):
        """Labels, dates and amounts are in the customer's language, whoever prints."""
        self.customer.lang = "fr_FR"
        html = str(self.debtor.with_user(self.collector).with_context(lang="en_US")._render_statement_html())
        self.assertIn("1\xa0000,10", html)
        self.assertIn("30/11/2025", html)
        self.assertIn('lang="fr-FR"', html)

    def test_hostile_names(self):
        """Names are text, on paper and in file names."""
        self.customer.name = "<script>alert(1)</script> & Fils / ../..\\\\x\n" + "É" * 200
        html = str(self.debtor._render_statement_html())
        self.assertNotIn("<script>", html)
        self.assertIn("&lt;script&gt;", html)
        name = self.debtor._get_statement_filename()
        self.assertLess(len(name), 110)
        self.assertFalse(set('/\\<>\n:"|?*') & set(name))

    def test_right_to_left(self):
        self.env["res.lang"]._activate_lang("ar_001")
        self.customer.lang = "ar_001"
        html = str(self.debtor._render_statement_html())
        self.assertIn('dir="rtl"', html)
        # Else the sign of a credit would stand behind it.
        self.assertIn('.o_statement[dir="rtl"] .o_aging td { direction: ltr; }', html)
        _name, content = self.debtor._render_statement_xlsx()
        self.assertTrue(load_workbook(BytesIO(content))["EUR"].sheet_view.rightToLeft)

    def test_long_amounts(self):
        """Amounts above a billion are not cut: smaller letters on paper, wider columns in the workbook."""
        page = str(self.debtor._render_statement_html()).partition("</style>")[2]
        self.assertNotIn("o_long", page)
        self._create_invoice(amount=9_876_543_210.12, days_late=150)
        page = str(self.debtor._render_statement_html()).partition("</style>")[2]
        self.assertIn('<div class="o_long">', page)
        for kind in ("open", "movements"):
            _name, content = self.debtor._render_statement_xlsx(kind)
            sheet = load_workbook(BytesIO(content), data_only=True)["EUR"]
            widths = {
                index: column.width
                for column in sheet.column_dimensions.values()
                for index in range(column.min, column.max + 1)
            }
            for row in sheet.iter_rows():
                for cell in row:
                    if isinstance(cell.value, (int, float)) and "." in cell.number_format:
                        with self.subTest(kind=kind, cell=cell.coordinate):
                            self.assertGreater(widths[cell.column], len(f"{cell.value:,.2f}"))

    def test_pdf(self):
        """A real PDF, with page numbers and all figures in its text."""
        for index in range(40):
            self._create_invoice(amount=10 + index, days_late=index - 5)
        name, content = self.debtor.with_user(self.collector)._render_statement_pdf()
        self.assertTrue(name.endswith("2026-03-10.pdf"))
        pages = [page.extract_text() for page in PdfFileReader(BytesIO(content)).pages]
        self.assertGreater(len(pages), 1)
        for number, text in enumerate(pages, start=1):
            self.assertIn(f"{number} / {len(pages)}", text)
        text = " ".join("\n".join(pages).split())
        for words in (self.old.name, "Statement of account", "Ateliers Moreau", "More than 120 days"):
            self.assertIn(words, text)

    def test_number_pages_of_any_name(self):
        """Letters that the font does not have don't stop the numbers."""
        _name, content = self.debtor._render_statement_pdf()
        self.assertTrue(number_pages(content, "عميل ✓ Été").startswith(b"%PDF"))

    def test_no_wkhtmltopdf(self):
        with (
            patch.object(type(self.env["ir.actions.report"]), "get_wkhtmltopdf_state", return_value="install"),
            self.assertRefused("wkhtmltopdf"),
        ):
            self.debtor._render_statement_pdf()

    def test_xlsx(self):
        """Totals and running balance are formulas with the right value; texts stay texts."""
        self.old.ref = "=1+1"
        name, content = self.debtor._render_statement_xlsx()
        self.assertTrue(name.endswith(".xlsx"))
        values, formulas = (load_workbook(BytesIO(content), data_only=flag) for flag in (True, False))
        self.assertEqual(values.sheetnames, ["EUR", "USD"])
        [euro, _dollar] = self._statement().sections
        self.assertEqual(Decimal(str(values["EUR"]["I3"].value)), euro.closing)
        self.assertEqual(Decimal(str(values["EUR"]["J8"].value)), euro.closing)
        self.assertEqual(formulas["EUR"]["J8"].value, "=SUM(I$5:I8)")
        self.assertEqual(formulas["EUR"]["D5"].data_type, "s")
        name, content = self.debtor._render_statement_xlsx("movements", self.today - timedelta(days=60))
        sheet = load_workbook(BytesIO(content), data_only=True)["EUR"]
        rows = {row[0]: row[2] for row in sheet.values if row[0]}
        [euro, _dollar] = self._statement(kind="movements", date_from=self.today - timedelta(days=60)).sections
        self.assertEqual(Decimal(str(rows["Opening balance"])), euro.opening)
        self.assertEqual(Decimal(str(rows["Closing balance"])), euro.closing)

    def test_kinds_of_cells(self):
        """What one adds up are numbers, what one sorts by day are days."""
        for kind, numbers in (
            ("open", {"Days late", "Amount", "Paid or credited", "Open", "Balance"}),
            ("movements", {"Debit", "Credit", "Balance"}),
        ):
            with self.subTest(kind=kind):
                _name, content = self.debtor._render_statement_xlsx(kind, self.today - timedelta(days=60))
                sheet = load_workbook(BytesIO(content), data_only=True)["EUR"]
                self.assertEqual(get_columns_of("date", sheet, 4, is_dated), {"Date", "Due date"})
                self.assertEqual(get_columns_of("number", sheet, 4, is_dated), numbers)

    def test_rights(self):
        """Who may not see a debtor gets no statement."""
        self.debtor.collector_id = self.other_collector
        with self.assertRaises(AccessError):
            self._statement()
        self.assertTrue(self._statement(user=self.other_collector).sections)

    def test_wrong_dates(self):
        with self.assertRefused("first day"):
            self._statement(kind="movements", date_from=self.today, date_to=self.today - timedelta(days=1))

    def test_query_count(self):
        """As many statements for many customers as for few."""
        Report = self.env["collection.statement.report"]

        def count(debtors):
            debtors.env.invalidate_all()
            before = self.env.cr.sql_log_count
            Report._build(debtors, "open")
            Report._build(debtors, "movements", self.today - timedelta(days=30))
            return self.env.cr.sql_log_count - before

        for index in range(12):
            self._create_invoice(self._create_customer(f"Customer {index}"), 10 + index)
        self._synchronize()
        debtors = self.env["collection.debtor"].search([("company_id", "=", self.company.id)])
        count(debtors)
        self.assertGreater(len(debtors), 12)
        self.assertEqual(count(self.debtor), count(debtors))


@tagged("post_install", "-at_install")
class TestStatementDownload(StatementCommon, HttpCase):
    def _open(self, debtors, user):
        return self.env["collection.statement.print"].with_user(user).create({"debtor_ids": debtors.ids})

    def test_download(self):
        """The dialogue hands out PDF, workbook and archive; to its own user only."""
        self.collector.password = "collector_password"
        self.authenticate("collector", "collector_password")
        other = self._get_debtor(self.other_customer)
        one, many = self._open(self.debtor, self.collector), self._open(self.debtor + other, self.collector)
        response = self.url_open(one.action_print()["url"])
        self.assertTrue(response.content.startswith(b"%PDF"))
        self.assertIn("attachment", response.headers["Content-Disposition"])
        self.assertTrue(self.url_open(many.action_print()["url"]).content.startswith(b"%PDF"))
        book = load_workbook(BytesIO(self.url_open(one.action_download_xlsx()["url"]).content))
        self.assertEqual(book.sheetnames, ["EUR", "USD"])
        self.assertTrue(self.url_open(many.action_download_xlsx()["url"]).content.startswith(b"PK"))
        foreign = self._open(self.debtor, self.team_user)
        self.env.flush_all()
        self.assertEqual(self.url_open(foreign.sudo().action_print()["url"]).status_code, 404)

    def test_no_right(self):
        """A dialogue does not open what its user may not see any more."""
        self.collector.password = "collector_password"
        self.authenticate("collector", "collector_password")
        dialogue = self._open(self.debtor, self.collector)
        url = dialogue.action_print()["url"]
        self.debtor.collector_id = self.other_collector
        self.env.flush_all()
        with self.assertLogs("odoo.http", level="WARNING"):
            self.assertEqual(self.url_open(url).status_code, 403)
