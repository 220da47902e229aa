from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from io import BytesIO

from openpyxl import load_workbook

from odoo.fields import Command
from odoo.tests import freeze_time, tagged
from odoo.tools.pdf import PdfFileReader

from ...report.recap.charts import pair_chart
from ...tools.aging import bucket_of
from ..common import CollectionCommon
from .test_recap import RecapCommon


def cents(value):
    return Decimal(repr(value)).quantize(Decimal("0.01"), ROUND_HALF_UP)


class PlainRoute(CollectionCommon):
    """Works figures out anew, item by item, without SQL and without the code of the recap."""

    # Payments that came back.
    returned = ()

    def _get_receivables(self, partners):
        return self.env["account.move.line"].search(
            [
                ("partner_id", "in", partners.ids),
                ("account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
            ]
        )

    def _open_on(self, item, day):
        """What was open of an item at the end of a day, in company currency."""
        if item.date > day:
            return 0.0
        settled = sum(partial.amount for partial in item.matched_credit_ids if partial.max_date <= day)
        given = sum(partial.amount for partial in item.matched_debit_ids if partial.max_date <= day)
        return item.balance - settled + given

    def _late_on(self, partners, day):
        """[(amount, days late)] of what was overdue at the end of a day."""
        rows = []
        for item in self._get_receivables(partners):
            amount, late = self._open_on(item, day), (day - (item.date_maturity or item.date)).days
            if amount > 0.001 and late > 0:
                rows.append((amount, late))
        return rows

    def _baseline(self, partners, start, days, months=12):
        """{bucket: [owed, collected]} over the spans before a day, see ``Baseline``."""
        buckets, first = {}, start - timedelta(days=days)
        while (start - first).days <= 365 and months:
            for item in self._get_receivables(partners).filtered(
                lambda item: item.balance > 0 and item.journal_id.type != "bank"
            ):
                due = item.date_maturity or item.date
                if due >= first or item.date > first:
                    continue
                settled = item.matched_credit_ids.filtered(lambda p: p.credit_move_id.parent_state == "posted")
                before = sum(p.amount for p in settled if p.max_date < first)
                within = sum(
                    p.amount
                    for p in settled
                    if p.credit_move_id not in self.returned
                    and first <= p.credit_move_id.date < first + timedelta(days=days)
                    and p.credit_move_id.journal_id.type == "bank"
                )
                row = buckets.setdefault(bucket_of((first - due).days), [0.0, 0.0])
                row[0] += item.balance - before
                row[1] += within
            first -= timedelta(days=days)
        return {code: row for code, row in buckets.items() if row[0] > 0.001 or row[1]}

    def _html(self, campaign, lang="en_US", user=None):
        html, _type = (
            self.env["ir.actions.report"]
            .with_user(user or self.team_user)
            .with_context(lang=lang)
            ._render_qweb_html("account_collection.report_campaign_recap", campaign.ids)
        )
        return html.decode()

    def _pdf_pages(self, campaign, lang="en_US"):
        content, _type = (
            self.env["ir.actions.report"]
            .with_user(self.team_user)
            .with_context(lang=lang, force_report_rendering=True)
            ._render_qweb_pdf("account_collection.report_campaign_recap", campaign.ids)
        )
        pages = PdfFileReader(BytesIO(content)).pages
        return [" ".join(page.extract_text().split()) for page in pages]

    def _book(self, campaign, lang="en_US"):
        output = BytesIO()
        campaign = campaign.with_context(lang=lang)
        self.env["collection.recap.workbook"].with_context(lang=lang)._write(campaign._recap(), output)
        output.seek(0)
        return load_workbook(output, data_only=True)


@tagged("post_install", "-at_install")
class TestRecapFigures(RecapCommon, PlainRoute):
    def test_before_and_after(self):
        """Overdue amounts and days late, added up item by item."""
        self._live()
        with freeze_time(f"{self._days(12)} 12:00:00"):
            recap = self._recap()
        partners = self.campaign.case_ids.partner_id
        for standing, day in (
            (recap.before, self.today - timedelta(days=1)),
            (recap.after, self.today + timedelta(days=12)),
        ):
            with self.subTest(day=day):
                rows = self._late_on(partners, day)
                total = sum(amount for amount, _late in rows)
                self.assertEqual(standing.day, day)
                self.assertEqual(standing.overdue, cents(total))
                self.assertAlmostEqual(standing.average_days_late, sum(late for _amount, late in rows) / len(rows), 6)
                weighted = sum(amount * late for amount, late in rows) / total
                self.assertAlmostEqual(standing.weighted_days_late, weighted, 4)
                figures = self.env["collection.metrics"]._get_figures(self.company, day, partners)
                self.assertEqual(standing.dso, figures.dso)

    def test_aging_after(self):
        """What is still owed, by days late on the day of the recap."""
        self._live()
        with freeze_time(f"{self._days(40)} 12:00:00"):
            recap = self._recap()
        expected = {}
        for item in self._get_items(self.env["account.move"].union(*self.invoices.values())):
            if item.amount_residual:
                code = bucket_of((recap.as_of - item.date_maturity).days)
                expected[code] = expected.get(code, 0) + cents(item.amount_residual)
        self.assertEqual({row.key: row.amount for row in recap.aging_after}, expected)
        self.assertEqual(recap.aging_after.total, recap.total.residual)

    def test_weeks(self):
        """Promises and money of each week, without gaps between the weeks."""
        self._live()
        silent = self._get_case("Silent")
        self._promise(silent.debtor_id, case=silent, date=self._days(20))
        with freeze_time(f"{self._days(13)} 12:00:00"):
            self._pay(self.invoices["Promiser"], 300.0, on=self._days(13))
            recap = self._recap()
        promised, collected = {}, {}
        for promise in self.campaign.case_ids.promise_ids:
            monday = promise.date - timedelta(days=promise.date.weekday())
            promised[monday] = promised.get(monday, 0) + cents(promise.company_amount)
        for item in self._get_items(self.env["account.move"].union(*self.invoices.values())):
            for partial in item.matched_credit_ids:
                if partial.credit_move_id.journal_id.type == "bank":
                    day = partial.credit_move_id.date
                    monday = day - timedelta(days=day.weekday())
                    collected[monday] = collected.get(monday, 0) + cents(partial.amount)
        self.assertEqual({week.monday: week.promised for week in recap.weeks if week.promised}, promised)
        self.assertEqual({week.monday: week.collected for week in recap.weeks if week.collected}, collected)
        mondays = [week.monday for week in recap.weeks]
        self.assertEqual(
            {later - earlier for earlier, later in zip(mondays, mondays[1:], strict=False)}, {timedelta(weeks=1)}
        )

    def test_next_steps(self):
        """Each customer who still owes something has a next step; who owes nothing has none."""
        self._live()
        self._pay(self.invoices["Credited"])
        recap = self._recap()
        steps = {case.customer: case.next_step for case in recap.cases}
        self.assertIn("Expect the money on 03/20/2026 (Cheque)", steps["Promiser"])
        self.assertIn("Solve by", steps["Disputer"])
        self.assertIn("Solver", steps["Disputer"])
        self.assertIn("formal notice", steps["Refuser"])
        self.assertIn("another number", steps["Silent"])
        self.assertEqual(steps["Credited"], "")
        self.assertIn("first time", steps["=cmd|'/c calc'!A1"])
        self._get_case("Silent").action_escalate()
        steps = {case.customer: case.next_step for case in self._recap().cases}
        self.assertEqual(steps["Silent"], "The manager decides.")
        for case in self._recap().cases:
            self.assertEqual(bool(case.next_step), bool(case.amounts.residual), case.customer)

    def test_broken_promise_is_next(self):
        case = self._get_case("Promiser")
        self._promise(case.debtor_id, case=case, date=self._days(1))
        with freeze_time(f"{self._days(20)} 12:00:00"):
            steps = {case.customer: case.next_step for case in self._recap().cases}
        self.assertEqual(steps["Promiser"], "Call: a promise was not kept.")

    def test_failed_emails(self):
        """What bounced is counted apart from what was sent."""
        case = self._get_case("Silent")
        actions = self.env["collection.action"].sudo()
        for _number in range(4):
            actions |= actions._log(case.debtor_id, "email", case=case, user_id=self.collector.id)
        actions[0]._set_state("failed")
        contacts = self._recap().contacts
        self.assertEqual((contacts.email_count, contacts.failed_email_count), (3, 1))
        self.assertEqual(contacts.failed_email_share, 0.25)

    def test_written_down_at_the_closing(self):
        """A payment that is undone after the closing changes nothing of what was measured."""
        self._live()
        with freeze_time(f"{self._days(20)} 12:00:00"):
            self.campaign.action_close()
            closed = self._recap()
            self._get_items(self.invoices["Payer"]).remove_move_reconcile()
            self.env.invalidate_all()
            later = self._recap()
        self.assertEqual((closed.before, closed.after, closed.baseline), (later.before, later.after, later.baseline))
        with self.assertRefused("can't be written by hand|follows"):
            self.campaign.with_user(self.manager).final_figures = {}

    def test_pdf(self):
        """Numbered pages with the same figures in both languages."""
        self._load_french()
        self._live()
        recap = self._recap()
        for lang, words, amount in (
            ("en_US", "Refuser", f"{recap.total.initial:,.2f}"),
            ("fr_FR", "Refuser", f"{recap.total.initial:,.2f}".replace(",", " ").replace(".", ",")),
        ):
            with self.subTest(lang=lang):
                pages = self._pdf_pages(self.campaign, lang)
                self.assertGreaterEqual(len(pages), 3, "Two pages of summary, then details.")
                for number, text in enumerate(pages, start=1):
                    self.assertIn(f"{number} / {len(pages)}", text)
                self.assertIn(self._plain(amount), self._plain(pages[0]))
                self.assertIn(words, " ".join(pages[2:]))
                self.assertNotIn(words, pages[0])

    def test_several_campaigns_in_one_file(self):
        """Each document has its own page numbers."""
        self._create_invoice(self._create_customer("Late arrival"), 80.0)
        second = self._start_campaign(name="Second")
        pages = self._pdf_pages(self.campaign + second)
        self.assertEqual(len([page for page in pages if " 1 / " in f" {page}"]), 2)

    def test_xlsx_sections(self):
        """The summary holds what is new, and its formulas carry their values."""
        self._live()
        recap = self._recap()
        sheet = self._book(self.campaign)["Summary"]
        rows = {row[0]: row for row in sheet.values if row[0]}
        overdue = rows["Overdue, all debts of these customers"]
        self.assertEqual((cents(overdue[1]), cents(overdue[2])), (recap.before.overdue, recap.after.overdue))
        self.assertEqual(cents(overdue[3]), recap.after.overdue - recap.before.overdue)
        week = rows[recap.weeks[0].label]
        self.assertIsNotNone(week)
        late = rows["1 to 30 days"]
        self.assertEqual(cents(late[1]), recap.aging.get("1_30"))
        self.assertEqual(cents(late[2]), recap.aging_after.get("1_30"))

    def test_charts(self):
        """Two series that stay apart in grey; texts that don't fit are cut."""
        svg = pair_chart([("A long label " * 9, (Decimal(2), "2 €"), (Decimal(1), "1 €"))], ("Before", "After"))
        for words in ("Before", "After", "2 €", "1 €", "…"):
            self.assertIn(words, svg)
        self.assertTrue(pair_chart([], ("Before", "After")))


@tagged("post_install", "-at_install")
class TestRecapBaseline(PlainRoute):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A year of invoices, paid in time, late, in part or never.
        for index, (amount, days_late, pay_after) in enumerate(
            (
                (1000.0, 300, 10),
                (500.0, 260, 45),
                (700.5, 210, 20),
                (300.0, 200, None),
                (250.25, 150, 100),
                (900.0, 120, 3),
                (400.0, 90, 35),
                (800.0, 60, -5),
                (600.0, 40, None),
                (150.0, 9, None),
            )
        ):
            invoice = cls._create_invoice(
                cls.customer if index % 2 else cls.other_customer, amount, days_late=days_late
            )
            if pay_after is not None:
                paid = amount / 2 if index == 2 else amount
                cls._pay(invoice, paid, on=cls.today - timedelta(days=days_late - pay_after))

    def _assert_baseline(self, recap, days):
        expected = self._baseline(self.customer + self.other_customer, recap.started_on, days)
        rows = {code: (owed, collected) for code, owed, collected in recap.baseline.buckets if owed or collected}
        self.assertEqual(set(rows), set(expected))
        for code, (owed, collected) in expected.items():
            self.assertEqual(rows[code], (cents(owed), cents(collected)), code)
        aging = {row.key: row.amount for row in recap.aging}
        total = sum(rate[1] for rate in expected.values()) / sum(rate[0] for rate in expected.values())
        usual = sum(
            float(amount) * (expected[code][1] / expected[code][0] if code in expected else total)
            for code, amount in aging.items()
        )
        self.assertAlmostEqual(float(recap.expected), usual, 2)
        self.assertEqual(recap.gain, recap.total.collected - recap.expected)

    def test_baseline(self):
        """What came in without a campaign, span by span, added up item by item."""
        campaign = self._start_campaign()
        recap = campaign._recap()
        self.assertEqual(recap.baseline.days, 1)
        with freeze_time(f"{self._days(29)} 12:00:00"):
            recap = campaign._recap()
        self.assertEqual((recap.baseline.days, recap.baseline.span_count), (30, 12))
        self.assertGreater(recap.baseline.collected, 0)
        self._assert_baseline(recap, 30)
        self.assertIn("Without a campaign", self._html(campaign))

    def test_what_does_not_count(self):
        """Payments that are drafts again or came back, money from before a span, and what was sent back."""
        bank = self.company_data["default_journal_bank"]
        receivable = self.company_data["default_account_receivable"]
        moves = {
            move.amount_total: move for move in self.env["account.move"].search([("move_type", "=", "out_invoice")])
        }
        draft = moves[250.25].matched_payment_ids  # of 50 days ago
        draft.action_draft()
        self.returned = self._get_items(moves[400].matched_payment_ids.move_id)  # of 55 days ago
        payer = moves[400].partner_id
        self._make_entry(bank, self.today - timedelta(days=50), 400, receivable, bank.default_account_id, payer)
        # Money of the day before the span on whose first day the debt was booked.
        debt = self._make_entry(
            self.company_data["default_journal_misc"],
            self.today - timedelta(days=30),
            60,
            receivable,
            self.company_data["default_account_revenue"],
            self.customer,
        )
        debt.write({"date_maturity": self.today - timedelta(days=40), "no_followup": False})
        early = self._pay_on_account(amount=60, on=self.today - timedelta(days=31))
        (debt + self._get_items(early.move_id)).reconcile()
        # Paid too much, and sent back.
        much = self._pay_on_account(amount=70, on=self.today - timedelta(days=95))
        back = much.copy({"payment_type": "outbound", "date": self.today - timedelta(days=90)})
        back.action_post()
        (self._get_items(much.move_id) + self._get_items(back.move_id)).reconcile()
        campaign = self._start_campaign()
        with freeze_time(f"{self._days(29)} 12:00:00"):
            self._assert_baseline(campaign._recap(), 30)

    def _make_entry(self, journal, day, amount, account, other, partner):
        entry = self.env["account.move"].create(
            {
                "journal_id": journal.id,
                "date": day,
                "line_ids": [
                    Command.create({"account_id": account.id, "partner_id": partner.id, "debit": amount}),
                    Command.create({"account_id": other.id, "credit": amount}),
                ],
            }
        )
        entry.action_post()
        return self._get_items(entry)

    def test_other_campaigns_are_left_out(self):
        """Spans in which one of these customers was in another campaign say nothing."""
        with freeze_time(f"{self._days(-45)} 12:00:00"):
            other = self._start_campaign(name="Before", date_start=self._days(-45), date_end=self._days(-20))
        with freeze_time(f"{self._days(-30)} 12:00:00"):
            other.action_close()
        campaign = self._start_campaign()
        with freeze_time(f"{self._days(9)} 12:00:00"):
            recap = campaign._recap()
        # The last 24 spans of ten days; the other campaign ran from day 45 to day 30 before.
        self.assertEqual((recap.baseline.days, recap.baseline.span_count), (10, 24 - 3))

    def test_no_history(self):
        partner = self._create_customer("Brand new")
        self._create_invoice(partner, 10, days_late=1)
        campaign = self._start_campaign(scope_domain=repr([("partner_id", "=", partner.id)]))
        recap = campaign._recap()
        self.assertFalse(recap.baseline.is_known)
        self.assertEqual(recap.expected, 0)
        self.assertIn("no history without a campaign", self._html(campaign))
        self.assertTrue(self._book(campaign).sheetnames)


@tagged("post_install", "-at_install")
class TestRecapEdges(PlainRoute):
    """Campaigns at the edge of what can happen still make a sound document."""

    def _check(self, campaign):
        recap = campaign.with_context(lang="en_US")._recap()
        self.assertTrue(recap.total.is_balanced)
        self.assertEqual(recap.aging.total, recap.total.initial)
        self.assertEqual(recap.aging_after.total, recap.total.residual)
        pages = self._pdf_pages(campaign)
        self.assertGreaterEqual(len(pages), 3)
        book = self._book(campaign)
        for name, title, part in (("Cases", "Still owed", "residual"), ("Items", "At the start", "initial")):
            headers = [cell.value for cell in book[name][4]]
            value = book[name].cell(3, headers.index(title) + 1).value
            self.assertEqual(cents(value), getattr(recap.total, part))
        return recap, pages, book

    def test_nothing_collected(self):
        self._create_invoice(amount=100.0)
        recap, pages, _book = self._check(self._start_campaign())
        self.assertEqual((recap.case_count, recap.total.collected), (1, 0))
        self.assertIn("Nothing came in yet, and nothing was promised.", pages[1])

    def test_everything_collected(self):
        invoice = self._create_invoice(amount=100.0)
        campaign = self._start_campaign()
        self._pay(invoice)
        campaign.action_close()
        recap, pages, _book = self._check(campaign)
        self.assertEqual((recap.total.collected, recap.total.residual), (100, 0))
        self.assertEqual(recap.after.overdue, 0)
        self.assertIsNone(recap.after.average_days_late)
        self.assertIn("Nothing is owed any more.", pages[1])

    def test_amounts_above_a_billion(self):
        """Wide tables are printed in thousands, and no column of the workbook is too narrow."""
        self._create_invoice(amount=12345678901.23)
        self._create_invoice(self.other_customer, 9876543210.98)
        campaign = self._start_campaign()
        recap, pages, book = self._check(campaign)
        self.assertEqual(recap.total.initial, Decimal("22222222112.21"))
        self.assertIn("22,222,222,112.21", pages[0])
        self.assertIn("thousands of EUR", " ".join(pages[2:]))
        self.assertIn("12,345,679", " ".join(pages[2:]))
        self.assertGreater(book["Cases"].column_dimensions["E"].width, len("22,222,222,112.21"))

    def test_strange_names(self):
        """Right-to-left, very long and hostile names are text."""
        names = ("شركة المقاولات العامة", "<b>&amp;</b> <script>", "W" * 180, "Very long words " * 12)
        for index, name in enumerate(names):
            partner = self._create_customer("Strange")
            partner.name = name
            self._create_invoice(partner, 100.0 + index)
        campaign = self._start_campaign()
        _recap, pages, book = self._check(campaign)
        html = self._html(campaign)
        self.assertNotIn("<script>", html)
        self.assertIn("&lt;script&gt;", html)
        self.assertIn("WWWW", " ".join(pages))
        customers = {cell.value for cell in book["Cases"]["A"][4:]}
        self.assertEqual(customers, {name.strip() for name in names})

    def test_right_to_left_reader(self):
        self.env["res.lang"]._activate_lang("ar_001")
        self._create_invoice(amount=100.0)
        self.assertIn('<body dir="rtl">', self._html(self._start_campaign(), lang="ar_001"))

    def test_many_cases(self):
        """More cases than the PDF shows: it says so, and the workbook has all."""
        partners = [self._create_customer(f"Customer {index}") for index in range(105)]
        for index, partner in enumerate(partners):
            self._create_invoice(partner, 50.0 + index)
        campaign = self._start_campaign(member_ids=[Command.set(self.collector.ids)])
        recap, pages, book = self._check(campaign)
        self.assertEqual(recap.case_count, 105)
        self.assertIn("The 100 cases of 105 in which most is still owed", " ".join(pages))
        self.assertEqual(book["Cases"].max_row, 4 + 105)
