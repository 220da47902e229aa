from odoo import api, models
from odoo.tools import format_date
from odoo.tools.misc import get_lang

from .numbers import share
from .xlsx import XlsxFile, get_cell, get_range, make_sheet_names, quote_sheet

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
        """Return the subtitle: whose figures these are, of which day, in which currency."""
        return self.env._(
            "%(company)s · figures of %(date)s · amounts in %(currency)s",
            company=recap.company,
            date=format_date(self.env, recap.as_of),
            currency=recap.currency,
        )

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
            *(
                [{"title": self.env._("More figures"), "rows": recap.extra, "write": self._write_extra}]
                if recap.extra
                else []
            ),
        ]
