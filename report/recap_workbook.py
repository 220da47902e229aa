import pytz

from odoo import api, models
from odoo.tools import format_date
from odoo.tools.misc import get_lang

from ..tools.aging import BUCKETS
from .recap_numbers import share, total_of
from .recap_xlsx import Column, XlsxFile, get_cell, get_range, make_sheet_names, quote_sheet

BAR_COLOR = "#3f5f7f"
CHART_COLORS = ("#c3cfdb", BAR_COLOR)
# Rows that fit on a page at their scale, in percent: no section and no chart is cut in two. The scales leave room
# for offices without the font of the file, which make columns a third wider.
SUMMARY_PAGE_ROWS, SUMMARY_SCALE = 38, 75
CHART_PAGE_ROWS, CHART_SCALE = 70, 70
# Size of charts in pixels, and how many of them a row of a sheet takes.
CHART_WIDTH, BAR_HEIGHT, ROW_HEIGHT = 680, 26, 20


class CollectionRecapWorkbook(models.AbstractModel):
    """Lays the recap of a campaign out as XLSX, with all details. All figures come from ``collection.recap``."""

    _name = "collection.recap.workbook"
    _description = "Campaign Recap (XLSX)"

    # === BUSINESS METHODS === #

    @api.model
    def _write(self, recap, output):
        """Write the recap of a campaign into a file.

        :param recap: a ``Recap``.
        :param output: binary file that is open for writing.
        """
        tables = self._get_tables(recap)
        names = make_sheet_names([self.env._("Summary"), self.env._("Charts"), *(table["title"] for table in tables)])
        with XlsxFile(output, recap.decimal_places, get_lang(self.env).direction) as xlsx:
            xlsx.workbook.set_properties({"title": recap.name, "company": recap.company})
            summary, charts, *sheets = (xlsx.add_sheet(name) for name in names)
            self._write_summary(xlsx, summary, charts, recap, quote_sheet(names[2]))
            for sheet, table in zip(sheets, tables, strict=True):
                xlsx.write_table(
                    sheet,
                    f"{recap.name} · {table['title']}",
                    self._get_subtitle(recap),
                    table["columns"],
                    table["rows"],
                    table["row_count"],
                    self.env._("Total"),
                )

    def _get_subtitle(self, recap):
        """Say whose figures these are, of which day, in which currency."""
        return self.env._(
            "%(company)s · figures of %(date)s · amounts in %(currency)s",
            company=recap.company,
            date=format_date(self.env, recap.as_of),
            currency=recap.currency,
        )

    # === BUSINESS METHODS - TABLES === #

    def _get_tables(self, recap):
        """Return the sheets with details. Extend it to add one.

        :return: list of ``{"title", "columns", "rows", "row_count"}``; the cases come first.
        """
        Recap = self.env["collection.recap"]
        contacts = recap.contacts
        return [
            {
                "title": self.env._("Cases"),
                "columns": self._get_case_columns(recap),
                "rows": recap.cases,
                "row_count": len(recap.cases),
            },
            {
                "title": self.env._("Items"),
                "columns": self._get_item_columns(recap),
                "rows": Recap._iter_items(recap),
                "row_count": recap.item_count,
            },
            {
                "title": self.env._("Promises"),
                "columns": self._get_promise_columns(recap),
                "rows": recap.promises,
                "row_count": len(recap.promises),
            },
            {
                "title": self.env._("Disputes"),
                "columns": self._get_dispute_columns(recap),
                "rows": recap.disputes,
                "row_count": len(recap.disputes),
            },
            {
                "title": self.env._("Contacts"),
                "columns": self._get_contact_columns(recap),
                "rows": Recap._iter_contacts(recap),
                "row_count": contacts.logged_count,
            },
        ]

    def _get_amount_columns(self, total, amounts):
        """Return the columns that say what became of an amount.

        :param total: the ``Amounts`` of all rows.
        :param amounts: function that returns the ``Amounts`` of a row.
        """
        titles = {
            "initial": self.env._("At the start"),
            "collected": self.env._("Collected"),
            "credited": self.env._("Credited"),
            "other": self.env._("Written off or cancelled"),
            "residual": self.env._("Still owed"),
            "promised": self.env._("Of which promised"),
            "disputed": self.env._("Of which disputed"),
            "rest": self.env._("Of which neither"),
        }
        return [
            Column(key, title, lambda row, key=key: getattr(amounts(row), key), "money", 12, total=getattr(total, key))
            for key, title in titles.items()
        ]

    def _get_case_columns(self, recap):
        """Return the columns of the cases; those behind the amounts are for the screen."""
        outcomes = self.env["collection.recap"]._get_outcome_labels()
        yes = self.env._("Yes")
        call_count = sum(case.attempt_count for case in recap.cases)
        screen = {"is_printed": False}
        return [
            Column("customer", self.env._("Customer"), lambda case: case.customer, "wrapped", 27),
            Column("collector", self.env._("Collector"), lambda case: case.collector, "wrapped", 15),
            Column("status", self.env._("Result"), lambda case: case.status, "wrapped", 13),
            Column("reason", self.env._("Reason for non-payment"), lambda case: case.reason, "wrapped", 18),
            *self._get_amount_columns(recap.total, lambda case: case.amounts),
            Column("next", self.env._("What to do next"), lambda case: case.next_step, "wrapped", 30),
            Column(
                "outcome",
                self.env._("What became of the rest"),
                lambda case: outcomes[case.outcome] if case.amounts.rest else "",
                width=18,
                **screen,
            ),
            Column("note", self.env._("How it ended"), lambda case: case.result_note, width=30, **screen),
            Column(
                "items",
                self.env._("Items"),
                lambda case: case.item_count,
                "integer",
                width=9,
                total=recap.item_count,
                **screen,
            ),
            Column("due_date", self.env._("Overdue since"), lambda case: case.due_date, "date", width=12, **screen),
            Column("days_late", self.env._("Days late at the start"), lambda case: case.days_late, "integer", **screen),
            Column("profile", self.env._("Payer profile"), lambda case: case.profile_label, width=20, **screen),
            Column("size", self.env._("Company size"), lambda case: case.size_label, width=18, **screen),
            Column("small", self.env._("Small debt"), lambda case: yes if case.is_small else "", **screen),
            Column(
                "calls",
                self.env._("Calls"),
                lambda case: case.attempt_count,
                "integer",
                width=9,
                total=call_count,
                **screen,
            ),
            Column(
                "reached", self.env._("Right person reached"), lambda case: yes if case.is_reached else "", **screen
            ),
            Column(
                "last_contact",
                self.env._("Last contact"),
                lambda case: self._to_local(recap, case.last_contact),
                "datetime",
                width=17,
                **screen,
            ),
            Column("reference", self.env._("Customer's reference"), lambda case: case.reference, **screen),
        ]

    def _get_item_columns(self, recap):
        return [
            Column("customer", self.env._("Customer"), lambda item: item["case"].customer, "wrapped", 28),
            Column("name", self.env._("Invoice or entry"), lambda item: item["name"], width=20),
            Column("date", self.env._("Date"), lambda item: item["date"], "date", 12),
            Column("due_date", self.env._("Due date"), lambda item: item["due_date"], "date", 12),
            Column(
                "days_late",
                self.env._("Days late at the start"),
                lambda item: (recap.started_on - item["due_date"]).days,
                "integer",
                12,
            ),
            *self._get_amount_columns(recap.total, lambda item: item["amounts"]),
            Column("collector", self.env._("Collector"), lambda item: item["case"].collector, "wrapped", 15),
            Column("status", self.env._("Result of the case"), lambda item: item["case"].status, "wrapped", 13),
        ]

    def _get_promise_columns(self, recap):
        yes = self.env._("Yes")
        return [
            Column("customer", self.env._("Customer"), lambda promise: promise.customer, "wrapped", 27),
            Column("contact", self.env._("Promised by"), lambda promise: promise.contact, "wrapped", 16),
            Column("user", self.env._("Recorded by"), lambda promise: promise.user, "wrapped", 16),
            Column(
                "recorded",
                self.env._("Recorded on"),
                lambda promise: self._to_local(recap, promise.recorded_on),
                "datetime",
                17,
            ),
            Column("date", self.env._("Promised for"), lambda promise: promise.date, "date", 12),
            Column("method", self.env._("Method"), lambda promise: promise.method_label, "wrapped", 14),
            Column("state", self.env._("State"), lambda promise: promise.state_label),
            Column(
                "amount",
                self.env._("Amount"),
                lambda promise: promise.amount,
                "money",
                digits=lambda promise: promise.decimal_places,
            ),
            Column("currency", self.env._("Currency"), lambda promise: promise.currency, width=10),
            Column(
                "company_amount",
                self.env._("Amount in %s", recap.currency),
                lambda promise: promise.company_amount,
                "money",
                total=sum(promise.company_amount for promise in recap.promises),
            ),
            Column(
                "open",
                self.env._("Still promised, in %s", recap.currency),
                lambda promise: promise.open_amount,
                "money",
                total=sum(promise.open_amount for promise in recap.promises),
            ),
            Column(
                "own",
                self.env._("Made in this campaign"),
                lambda promise: yes if promise.is_from_campaign else "",
                width=12,
            ),
            Column("note", self.env._("Note"), lambda promise: promise.note, "wrapped", 34),
        ]

    def _get_dispute_columns(self, recap):
        return [
            Column("customer", self.env._("Customer"), lambda dispute: dispute.customer, "wrapped", 27),
            Column("reason", self.env._("Reason"), lambda dispute: dispute.reason, "wrapped", 24),
            Column("owner", self.env._("Owner"), lambda dispute: dispute.owner, "wrapped", 16),
            Column(
                "opened",
                self.env._("Opened on"),
                lambda dispute: self._to_local(recap, dispute.opened_on),
                "datetime",
                17,
            ),
            Column("deadline", self.env._("To solve by"), lambda dispute: dispute.deadline, "date", 12),
            Column("state", self.env._("State"), lambda dispute: dispute.state_label),
            Column(
                "amount",
                self.env._("Amount"),
                lambda dispute: dispute.amount,
                "money",
                digits=lambda dispute: dispute.decimal_places,
            ),
            Column("currency", self.env._("Currency"), lambda dispute: dispute.currency, width=10),
            Column(
                "company_amount",
                self.env._("Amount in %s", recap.currency),
                lambda dispute: dispute.company_amount,
                "money",
                total=sum(dispute.company_amount for dispute in recap.disputes),
            ),
            Column(
                "open",
                self.env._("Still disputed, in %s", recap.currency),
                lambda dispute: dispute.open_amount,
                "money",
                total=sum(dispute.open_amount for dispute in recap.disputes),
            ),
            Column(
                "description", self.env._("What the customer says"), lambda dispute: dispute.description, "wrapped", 40
            ),
        ]

    def _get_contact_columns(self, recap):
        labels = {
            name: self.env["collection.recap"]._get_labels("collection.action", name)
            for name in ("channel", "state", "outcome")
        }
        return [
            Column("date", self.env._("Date"), lambda row: self._to_local(recap, row["date_done"]), "datetime", 17),
            Column("customer", self.env._("Customer"), lambda row: row["customer"], "wrapped", 27),
            Column("channel", self.env._("Channel"), lambda row: labels["channel"][row["channel"]], width=12),
            Column("user", self.env._("By"), lambda row: row["user"], width=20),
            Column("contact", self.env._("Spoken to"), lambda row: row["contact"], width=20),
            Column("state", self.env._("State"), lambda row: labels["state"][row["state"]], width=12),
            Column("outcome", self.env._("Outcome"), lambda row: labels["outcome"].get(row["outcome"], ""), width=24),
            Column("reason", self.env._("Reason for non-payment"), lambda row: row["reason"], width=24),
            Column(
                "note",
                self.env._("What was said"),
                lambda row: row["note"] or row["result_text"] or row["summary"] or "",
                "wrapped",
                52,
            ),
        ]

    def _to_local(self, recap, moment):
        """Return a moment (UTC) on the company's clock, as XLSX wants it; nothing stays nothing."""
        if not moment:
            return None
        return pytz.utc.localize(moment).astimezone(pytz.timezone(recap.timezone)).replace(tzinfo=None)

    # === BUSINESS METHODS - SUMMARY === #

    def _write_summary(self, xlsx, sheet, chart_sheet, recap, case_sheet):
        """Write the first sheet: what the campaign was, key figures, breakdowns; and the charts of these.

        :param str case_sheet: name of the sheet with the cases, as formulas name it.
        """
        sheet.set_column(0, 0, 40)
        sheet.set_column(1, 6, 15)
        xlsx.write_titles(sheet, recap.name, self._get_subtitle(recap))
        chart_sheet.set_portrait()
        xlsx.write_titles(chart_sheet, recap.name, self._get_subtitle(recap))
        row = self._write_facts(xlsx, sheet, 3, recap)
        row = self._write_key_figures(xlsx, sheet, row, recap, case_sheet)
        chart_row = 3
        page_row, breaks = 0, []
        chart_page_row, chart_breaks = 0, []
        for section in self._get_sections(recap):
            section_row = row
            first_row, row = section["write"](xlsx, sheet, row, section)
            if row - page_row > SUMMARY_PAGE_ROWS:
                page_row = section_row
                breaks.append(section_row)
            if section.get("chart") and section["rows"]:
                chart_top = chart_row
                chart_row = self._insert_chart(xlsx, chart_sheet, chart_row, section, sheet.get_name(), first_row)
                if chart_row - chart_page_row > CHART_PAGE_ROWS and chart_top > chart_page_row + 3:
                    chart_breaks.append(chart_top - 1)
                    chart_page_row = chart_top
        # A fixed scale: spreadsheets ignore breaks in what they fit to a page.
        sheet.set_print_scale(SUMMARY_SCALE)
        sheet.set_h_pagebreaks(breaks)
        chart_sheet.set_print_scale(CHART_SCALE)
        chart_sheet.set_h_pagebreaks(chart_breaks)

    def _write_facts(self, xlsx, sheet, row, recap):
        """Write period, team and scope; return the next free row."""
        for label, value in self._get_facts(recap):
            xlsx.write_cell(sheet, row, 0, "text", label, font_color="#6b7280")
            xlsx.write_cell(sheet, row, 1, "text", value)
            row += 1
        return row + 1

    def _get_facts(self, recap):
        """Return what the campaign was, in words: ``[(what, value)]``."""
        facts = [
            (
                self.env._("Period"),
                self.env._(
                    "%(start)s to %(end)s",
                    start=format_date(self.env, recap.date_start),
                    end=format_date(self.env, recap.date_end),
                ),
            ),
            (self.env._("Started on"), format_date(self.env, recap.started_on)),
            (self.env._("State"), recap.state_label),
            (self.env._("In charge"), recap.in_charge),
            (self.env._("Team"), ", ".join(recap.team)),
        ]
        return facts + list(recap.scope)

    def _write_key_figures(self, xlsx, sheet, row, recap, case_sheet):
        """Write the totals, added up from the sheet of cases; return the next free row."""
        self._write_section_head(
            xlsx,
            sheet,
            row,
            self.env._("Key figures"),
            [self.env._("Amount"), self.env._("Share")],
            ("money", "percent"),
        )
        columns = self._get_case_columns(recap)
        first_row = row = row + 1
        for index, column in enumerate(columns):
            if column.kind != "money":
                continue
            formula = f"=SUM({case_sheet}!{get_range(index, len(recap.cases))})"
            xlsx.write_cell(sheet, row, 0, "text", column.title)
            xlsx.write_formula(sheet, row, 1, "money", formula, column.total)
            self._write_share(xlsx, sheet, row, first_row, column.total, recap.total.initial)
            row += 1
        if recap.goal:
            xlsx.write_cell(sheet, row, 0, "text", self.env._("Goal"))
            xlsx.write_cell(sheet, row, 1, "money", recap.goal)
            row += 1
        return row + 1

    def _write_section_head(self, xlsx, sheet, row, title, titles, kinds):
        """Write the headers of a section; its title stands above the labels of its rows."""
        sheet.set_row(row, 28)
        xlsx.write_headers(sheet, row, [title, *titles], ["text", *kinds])

    def _write_share(self, xlsx, sheet, row, total_row, part, whole, **properties):
        """Write the amount in column B as a share of the one in the row of the total, into column C."""
        total = get_cell(total_row, 1)
        formula = f"=IF({total}=0,0,{get_cell(row, 1)}/{total})"
        xlsx.write_formula(sheet, row, 2, "percent", formula, share(part, whole), **properties)

    def _get_sections(self, recap):
        """Return the breakdowns of the summary. Extend it to add one.

        :return: list of dicts ``title``, ``rows`` and ``write``, the method that writes the rows;
            ``chart`` asks for a chart, ``counted`` says what the last column of a breakdown counts.
        """
        breakdown, segments = self._write_breakdown, self._write_segments
        payments, promises, disputes = self.env._("Payments"), self.env._("Promises"), self.env._("Disputes")
        return [
            {"title": self.env._("What became of the initial amount"), "rows": recap.outcome, "write": breakdown},
            {
                "title": self.env._("Reasons for non-payment of what is still owed"),
                "rows": recap.reasons,
                "write": breakdown,
                "chart": True,
            },
            {
                "title": self.env._("Aging before and after"),
                "rows": self._get_aging_rows(recap),
                "write": self._write_aging,
                "chart": True,
                "series": {1: self.env._("At the start"), 2: self._get_after_label(recap)},
            },
            {"title": self.env._("Before and after"), "rows": recap, "write": self._write_comparison},
            {
                "title": self.env._("Compared with what usually comes in"),
                "rows": recap,
                "write": self._write_baseline,
            },
            {
                "title": self.env._("Money by week, against promises"),
                "rows": recap.weeks,
                "write": self._write_weeks,
                "chart": True,
                "series": {1: self.env._("Promised for the week"), 2: self.env._("Collected")},
            },
            {
                "title": self.env._("Collected by week"),
                "rows": recap.collected_by_week,
                "write": breakdown,
                "counted": payments,
            },
            {
                "title": self.env._("Collected by method of payment"),
                "rows": recap.collected_by_method,
                "write": breakdown,
                "counted": payments,
            },
            {
                "title": self.env._("Promised by date"),
                "rows": recap.promised_by_date,
                "write": breakdown,
                "counted": promises,
            },
            {
                "title": self.env._("Promised by method of payment"),
                "rows": recap.promised_by_method,
                "write": breakdown,
                "counted": promises,
            },
            {
                "title": self.env._("Promises made in this campaign"),
                "rows": recap.promise_results.by_state,
                "write": breakdown,
                "counted": promises,
            },
            {
                "title": self.env._("Disputed by reason"),
                "rows": recap.disputed_by_reason,
                "write": breakdown,
                "counted": disputes,
            },
            {"title": self.env._("How the cases ended"), "rows": recap.results, "write": segments},
            {"title": self.env._("By payer profile"), "rows": recap.profiles, "write": segments},
            {"title": self.env._("By company size"), "rows": recap.sizes, "write": segments},
            {"title": self.env._("By size of the debt"), "rows": recap.debt_sizes, "write": segments},
            {"title": self.env._("Contacts"), "rows": self._get_contact_rows(recap), "write": self._write_contacts},
            {"title": self.env._("Results per collector"), "rows": recap.collectors, "write": self._write_collectors},
        ]

    def _get_after_label(self, recap):
        return self.env._("At the end") if recap.is_final else self.env._("Now")

    def _get_aging_rows(self, recap):
        """Return the aging before and after: ``[(label, before, items, after, items)]``."""
        rows = {}
        for index, breakdown in enumerate((recap.aging, recap.aging_after)):
            for part in breakdown:
                row = rows.setdefault(part.key, [part.label, 0, 0, 0, 0])
                row[1 + 2 * index : 3 + 2 * index] = part.amount, part.item_count
        return [tuple(rows[code]) for code, _first_day in BUCKETS if code in rows]

    def _write_aging(self, xlsx, sheet, row, section):
        """Write the aging before and after; return the first row of buckets and the next free row."""
        titles = [*section["series"].values(), self.env._("Items at the start"), self.env._("Items still open")]
        kinds = ("money", "money", "integer", "integer")
        self._write_section_head(xlsx, sheet, row, section["title"], titles, kinds)
        first_row = row + 1
        total_row = first_row + len(section["rows"])
        for index, (label, before, before_count, after, after_count) in enumerate(section["rows"], start=first_row):
            xlsx.write_cell(sheet, index, 0, "text", label)
            values = (before, after, before_count, after_count)
            for column, (kind, value) in enumerate(zip(kinds, values, strict=True), start=1):
                xlsx.write_cell(sheet, index, column, kind, value)
        sums = {
            column: (kind, sum(row[position] for row in section["rows"]))
            for column, (kind, position) in enumerate(zip(kinds, (1, 3, 2, 4), strict=True), start=1)
        }
        self._write_sums(xlsx, sheet, first_row, total_row, sums, len(titles))
        return first_row, total_row + 2

    def _write_comparison(self, xlsx, sheet, row, section):
        """Write how the customers stood before and after; return the first row of it and the next free row."""
        recap = section["rows"]
        before, after = recap.before, recap.after
        titles = [format_date(self.env, before.day), format_date(self.env, after.day), self.env._("Change")]
        self._write_section_head(xlsx, sheet, row, section["title"], titles, ("money",) * 3)
        rows = [
            (self.env._("Overdue, all debts of these customers"), "money", before.overdue, after.overdue),
            (self.env._("Days of sales outstanding (DSO)"), "days", before.dso, after.dso),
            (
                self.env._("Average days late of what is overdue"),
                "days",
                before.average_days_late,
                after.average_days_late,
            ),
            (self.env._("The same, weighted by amount"), "days", before.weighted_days_late, after.weighted_days_late),
        ]
        for index, (label, kind, first, second) in enumerate(rows, start=row + 1):
            xlsx.write_cell(sheet, index, 0, "text", label)
            xlsx.write_cell(sheet, index, 1, kind, first)
            xlsx.write_cell(sheet, index, 2, kind, second)
            if first is not None and second is not None:
                formula = f"={get_cell(index, 2)}-{get_cell(index, 1)}"
                xlsx.write_formula(sheet, index, 3, kind, formula, second - first)
        return row + 1, row + len(rows) + 2

    def _write_baseline(self, xlsx, sheet, row, section):
        """Write what usually comes in without a campaign; return the first row of it and the next free row."""
        recap = section["rows"]
        baseline = recap.baseline
        self._write_section_head(
            xlsx, sheet, row, section["title"], [self.env._("Amount"), self.env._("Share")], ("money", "percent")
        )
        if not baseline.is_known:
            text = self.env._("These customers have no history without a campaign to compare with.")
            xlsx.write_cell(sheet, row + 1, 0, "text", text)
            return row + 1, row + 3
        rows = [
            (self.env._("Overdue when the spans before began"), baseline.owed, None),
            (self.env._("Of this, collected within the span"), baseline.collected, baseline.collected_share),
            (self.env._("Expected without a campaign"), recap.expected, recap.expected_share),
            (self.env._("Collected with it"), recap.total.collected, recap.total.collected_share),
            (self.env._("Gain"), recap.gain, None),
        ]
        for index, (label, amount, part) in enumerate(rows, start=row + 1):
            xlsx.write_cell(sheet, index, 0, "text", label)
            xlsx.write_cell(sheet, index, 1, "money", amount)
            xlsx.write_cell(sheet, index, 2, "percent", part)
        note = self.env._(
            "%(count)s spans of %(days)s days before the start, each bucket of the aging by itself, without the "
            "spans in which one of these customers was in another campaign.",
            count=baseline.span_count,
            days=baseline.days,
        )
        xlsx.write_cell(sheet, row + 1 + len(rows), 0, "text", note, font_color="#6b7280")
        return row + 1, row + len(rows) + 3

    def _write_weeks(self, xlsx, sheet, row, section):
        """Write promises and money week by week; return the first row of them and the next free row."""
        titles = list(section["series"].values())
        self._write_section_head(xlsx, sheet, row, section["title"], titles, ("money", "money"))
        weeks = section["rows"]
        first_row = row + 1
        for index, week in enumerate(weeks, start=first_row):
            xlsx.write_cell(sheet, index, 0, "text", week.label)
            xlsx.write_cell(sheet, index, 1, "money", week.promised)
            xlsx.write_cell(sheet, index, 2, "money", week.collected)
        sums = {
            1: ("money", sum(week.promised for week in weeks)),
            2: ("money", sum(week.collected for week in weeks)),
        }
        self._write_sums(xlsx, sheet, first_row, first_row + len(weeks), sums, len(titles))
        return first_row, first_row + len(weeks) + 2

    def _write_breakdown(self, xlsx, sheet, row, section):
        """Write the parts of an amount; return the first row of parts and the next free row."""
        breakdown, counted = section["rows"], section.get("counted")
        has_customers = any(part.case_count for part in breakdown)
        titles = [self.env._("Amount"), self.env._("Share")]
        titles += [self.env._("Customers")] if has_customers else []
        titles += [counted] if counted else []
        self._write_section_head(
            xlsx, sheet, row, section["title"], titles, ("money", "percent", "integer", "integer")[: len(titles)]
        )
        first_row = row + 1
        total_row = first_row + len(breakdown)
        for index, part in enumerate(breakdown, start=first_row):
            xlsx.write_cell(sheet, index, 0, "text", part.label)
            xlsx.write_cell(sheet, index, 1, "money", part.amount)
            self._write_share(xlsx, sheet, index, total_row, part.amount, breakdown.total)
            counts = ([part.case_count] if has_customers else []) + ([part.item_count] if counted else [])
            for column, count in enumerate(counts, start=3):
                xlsx.write_cell(sheet, index, column, "integer", count)
        self._write_sums(xlsx, sheet, first_row, total_row, {1: ("money", breakdown.total)}, len(titles))
        return first_row, total_row + 2

    def _write_sums(self, xlsx, sheet, first_row, total_row, columns, last_column):
        """Write the totals of a section below it.

        :param dict columns: ``{column: (kind, value of the total)}``; the others stay empty.
        """
        rule = {"bold": True, "top": 1, "top_color": BAR_COLOR}
        xlsx.write_cell(sheet, total_row, 0, "text", self.env._("Total"), **rule)
        for column in range(1, last_column + 1):
            if column not in columns:
                xlsx.write_cell(sheet, total_row, column, "text", "", **rule)
                continue
            kind, value = columns[column]
            cells = f"{get_cell(first_row, column)}:{get_cell(total_row - 1, column)}"
            # Without rows, the formula would refer to itself.
            formula = f"=SUM({cells})" if total_row > first_row else "=0"
            xlsx.write_formula(sheet, total_row, column, kind, formula, value, **rule)

    def _write_segments(self, xlsx, sheet, row, section):
        """Write groups of cases; return the first row of groups and the next free row."""
        segments = section["rows"]
        total = total_of(segment.amounts for segment in segments)
        titles = [
            self.env._("At the start"),
            self.env._("Share"),
            self.env._("Customers"),
            self.env._("Collected"),
            self.env._("Settled otherwise"),
            self.env._("Still owed"),
        ]
        kinds = ("money", "percent", "integer", "money", "money", "money")
        self._write_section_head(xlsx, sheet, row, section["title"], titles, kinds)
        first_row = row + 1
        total_row = first_row + len(segments)
        for index, segment in enumerate(segments, start=first_row):
            amounts = segment.amounts
            xlsx.write_cell(sheet, index, 0, "text", segment.label)
            xlsx.write_cell(sheet, index, 1, "money", amounts.initial)
            self._write_share(xlsx, sheet, index, total_row, amounts.initial, total.initial)
            xlsx.write_cell(sheet, index, 3, "integer", segment.case_count)
            for column, value in enumerate((amounts.collected, amounts.settled_otherwise, amounts.residual), start=4):
                xlsx.write_cell(sheet, index, column, "money", value)
        sums = {
            1: ("money", total.initial),
            3: ("integer", sum(segment.case_count for segment in segments)),
            4: ("money", total.collected),
            5: ("money", total.settled_otherwise),
            6: ("money", total.residual),
        }
        self._write_sums(xlsx, sheet, first_row, total_row, sums, len(titles))
        return first_row, total_row + 2

    def _get_contact_rows(self, recap):
        """Return the contacts in numbers: ``[(what, number, share, share of what)]``."""
        contacts = recap.contacts
        calls, customers = self.env._("of calls made"), self.env._("of customers")
        return [
            (self.env._("Calls made"), contacts.call_count, None, ""),
            (self.env._("Somebody answered"), contacts.answered_count, contacts.answered_share, calls),
            (self.env._("Right person reached"), contacts.right_person_count, contacts.right_person_share, calls),
            (self.env._("E-mails sent"), contacts.email_count, None, ""),
            (
                self.env._("E-mails that did not arrive"),
                contacts.failed_email_count,
                contacts.failed_email_share,
                self.env._("of e-mails"),
            ),
            (self.env._("Letters sent"), contacts.letter_count, None, ""),
            (self.env._("SMS sent"), contacts.sms_count, None, ""),
            (self.env._("Customers contacted"), contacts.contacted_count, contacts.contacted_share, customers),
            (self.env._("Customers called"), contacts.called_count, contacts.called_share, customers),
            (
                self.env._("Customers whose right person was reached"),
                contacts.reached_count,
                contacts.reached_share,
                customers,
            ),
        ]

    def _write_contacts(self, xlsx, sheet, row, section):
        """Write the contacts in numbers; return the first row of them and the next free row."""
        self._write_section_head(
            xlsx, sheet, row, section["title"], [self.env._("Number"), self.env._("Share")], ("integer", "percent")
        )
        first_row = row + 1
        for index, (label, count, part, whole) in enumerate(section["rows"], start=first_row):
            xlsx.write_cell(sheet, index, 0, "text", label)
            xlsx.write_cell(sheet, index, 1, "integer", count)
            xlsx.write_cell(sheet, index, 2, "percent", part)
            xlsx.write_cell(sheet, index, 3, "text", whole)
        return first_row, first_row + len(section["rows"]) + 1

    def _write_collectors(self, xlsx, sheet, row, section):
        """Write the results per collector; return the first row of them and the next free row."""
        titles = [
            self.env._("Collected"),
            self.env._("Collected (%)"),
            self.env._("Cases"),
            self.env._("Calls made"),
            self.env._("Right person reached"),
            self.env._("Promises recorded"),
        ]
        kinds = ("money", "percent", "integer", "integer", "integer", "money")
        self._write_section_head(xlsx, sheet, row, section["title"], titles, kinds)
        collectors = section["rows"]
        first_row = row + 1
        total_row = first_row + len(collectors)
        for index, collector in enumerate(collectors, start=first_row):
            xlsx.write_cell(sheet, index, 0, "text", collector.label)
            values = self._get_collector_values(collector)
            for column, (kind, value) in enumerate(zip(kinds, values, strict=True), start=1):
                xlsx.write_cell(sheet, index, column, kind, value)
        sums = {
            column: (kind, sum(self._get_collector_values(collector)[column - 1] for collector in collectors))
            for column, kind in enumerate(kinds, start=1)
            if kind != "percent"
        }
        self._write_sums(xlsx, sheet, first_row, total_row, sums, len(titles))
        return first_row, total_row + 2

    def _get_collector_values(self, collector):
        return (
            collector.amounts.collected,
            collector.amounts.collected_share,
            collector.case_count,
            collector.call_count,
            collector.right_person_count,
            collector.promised_amount,
        )

    def _insert_chart(self, xlsx, sheet, row, section, source, first_row):
        """Put a chart of a breakdown on the sheet of charts; return the next free row.

        :param str source: name of the sheet that has the breakdown, from ``first_row``.
        """
        last_row = first_row + len(section["rows"]) - 1
        chart = xlsx.workbook.add_chart({"type": "bar"})
        series = section.get("series") or {1: section["title"]}
        # The last series is the darkest, also on a printer without colours.
        for (column, name), color in zip(series.items(), CHART_COLORS[-len(series) :], strict=True):
            chart.add_series(
                {
                    "name": name,
                    "categories": [source, first_row, 0, last_row, 0],
                    "values": [source, first_row, column, last_row, column],
                    "fill": {"color": color},
                    "border": {"color": BAR_COLOR},
                    "gap": 60,
                    "data_labels": {"value": True, "num_format": "#,##0", "font": {"size": 9}},
                }
            )
        chart.set_title({"name": section["title"], "name_font": {"size": 12, "color": BAR_COLOR}})
        chart.set_legend({"position": "bottom"} if len(series) > 1 else {"none": True})
        chart.set_y_axis({"reverse": True, "num_font": {"size": 9}, "major_tick_mark": "none"})
        chart.set_x_axis({"visible": False, "major_gridlines": {"visible": False}})
        height = 70 + 30 * (len(series) > 1) + BAR_HEIGHT * len(section["rows"]) * len(series)
        chart.set_size({"width": CHART_WIDTH, "height": height})
        sheet.insert_chart(row, 0, chart)
        return row + height // ROW_HEIGHT + 2
