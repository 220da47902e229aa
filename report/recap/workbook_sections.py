from odoo import models
from odoo.tools import format_date

from ...tools.aging import BUCKETS
from .numbers import total_of
from .workbook import BAR_COLOR, BAR_HEIGHT, CHART_COLORS, CHART_WIDTH, ROW_HEIGHT
from .xlsx import get_cell


class CollectionRecapWorkbook(models.AbstractModel):
    """The tables of figures on the first sheet, with their charts."""

    _inherit = "collection.recap.workbook"

    # === BUSINESS METHODS - SUMMARY === #

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
            *((row.label, row.count, None, "") for row in contacts.sent),
            (
                self.env._("E-mails that did not arrive"),
                contacts.failed_email_count,
                contacts.failed_email_share,
                self.env._("of e-mails"),
            ),
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

    def _write_extra(self, xlsx, sheet, row, section):
        """Write the figures of other addons; return the first row of them and the next free row."""
        self._write_section_head(xlsx, sheet, row, section["title"], [self.env._("Value")], ("money",))
        first_row = row + 1
        for index, figure in enumerate(section["rows"], start=first_row):
            xlsx.write_cell(sheet, index, 0, "text", figure.label)
            xlsx.write_cell(sheet, index, 1, figure.kind, figure.value)
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
