from babel.numbers import format_percent

from odoo import api, models
from odoo.tools import format_amount, format_date, formatLang
from odoo.tools.misc import babel_locale_parse, get_lang

from ...tools.aging import BUCKETS
from .charts import bar_chart, pair_chart, to_data_uri

# How many cases the PDF shows; the XLSX has all of them.
CASE_LIMIT = 100
# A wkhtmltopdf without patched Qt cuts rows in two at the end of a page, but keeps small tables whole,
# and does not repeat headers: the cases stand in tables of so many rows, with headers above every so many.
CASES_PER_TABLE = 3
TABLES_PER_HEADER = 6
# Amounts from which tables with many columns are printed in thousands, and in millions.
THOUSANDS_FROM, MILLIONS_FROM = 10**8, 10**11
# How many weeks the chart shows, the last ones; the table below has all of them.
WEEK_LIMIT = 12
# How many reasons the chart shows, the largest; the table below has all of them.
REASON_LIMIT = 12


class ReportCampaignRecap(models.AbstractModel):
    """Lays the recap of a campaign out for the PDF. All figures come from ``collection.recap``."""

    _name = "report.account_collection.report_campaign_recap"
    _description = "Campaign Recap (PDF)"

    # === BUSINESS METHODS === #

    @api.model
    def _get_report_values(self, docids, data=None):
        campaigns = self.env["collection.campaign"].browse(docids)
        return {
            "doc_ids": docids,
            "doc_model": campaigns._name,
            "docs": campaigns,
            "pages": [self._prepare_page(campaign) for campaign in campaigns],
        }

    def _prepare_page(self, campaign):
        """Return what the template needs to print one campaign."""
        recap = campaign._recap()
        currency = campaign.sudo().currency_id

        def money(amount):
            return format_amount(self.env, float(amount), currency)

        def money_or_dash(amount):
            return money(amount) if amount else "–"

        unit, unit_label = self._get_unit(recap)

        def number(amount):
            digits = recap.decimal_places if unit == 1 else 0
            return formatLang(self.env, float(amount) / unit, digits=digits) if amount else "–"

        def days(value):
            return formatLang(self.env, value, digits=1) if value is not None else "–"

        return {
            "campaign": campaign,
            "lang": get_lang(self.env).code.replace("_", "-"),
            "direction": get_lang(self.env).direction or "ltr",
            "company": campaign.sudo().company_id,
            "recap": recap,
            "scope": " · ".join(
                self.env._("%(filter)s: %(limit)s", filter=name, limit=limit) for name, limit in recap.scope
            ),
            "case_count": min(recap.case_count, CASE_LIMIT),
            "tables_per_header": TABLES_PER_HEADER,
            "case_tables": [
                recap.cases[start : min(start + CASES_PER_TABLE, CASE_LIMIT)]
                for start in range(0, min(recap.case_count, CASE_LIMIT), CASES_PER_TABLE)
            ],
            "money": money,
            "number": number,
            "unit": unit_label,
            "days": days,
            "figure": self._get_figure_formatter(
                {
                    "money": money,
                    "integer": lambda value: formatLang(self.env, value, digits=0),
                    "percent": self._get_percent_formatter(),
                    "days": days,
                }
            ),
            "change": self._get_change_formatter(number_of=days),
            "is_large": unit > 1,
            **self._prepare_baseline(recap, money),
            "count": lambda value: formatLang(self.env, value, digits=0),
            "percent": self._get_percent_formatter(),
            "date": lambda value: format_date(self.env, value) if value else "",
            "reason_chart": self._get_chart(recap.reasons, money, REASON_LIMIT),
            "week_chart": self._get_week_chart(recap, money_or_dash),
            "aging_chart": self._get_aging_chart(recap, money_or_dash),
        }

    def _prepare_baseline(self, recap, money):
        """Return what usually comes in, and how that was computed, in words."""
        baseline = recap.baseline
        if not baseline.is_known:
            return {
                "baseline": self.env._("These customers have no history without a campaign to compare with."),
                "baseline_method": "",
            }
        percent = self._get_percent_formatter()
        count = lambda value: formatLang(self.env, value, digits=0)  # noqa: E731
        sign = "+" if recap.gain > 0 else "−" if recap.gain < 0 else ""
        return {
            "baseline": self.env._(
                "Without a campaign, %(expected)s would have come in (%(expected_share)s of the amount at the start); "
                "with it, %(collected)s did (%(collected_share)s): %(gain)s.",
                expected=money(recap.expected),
                expected_share=percent(recap.expected_share),
                collected=money(recap.total.collected),
                collected_share=percent(recap.total.collected_share),
                gain=f"{sign}{money(abs(recap.gain))}",
            ),
            "baseline_method": self.env._(
                "From the same customers' history, %(count)s spans of %(days)s days before the start: of %(owed)s that "
                "were overdue when a span began, %(collected)s came in within it. Each bucket of the aging is compared "
                "by itself, since old debts come in more rarely than young ones. Spans in which one of them was in "
                "another campaign are left out.",
                count=count(baseline.span_count),
                days=count(baseline.days),
                owed=money(baseline.owed),
                collected=money(baseline.collected),
            ),
        }

    def _get_unit(self, recap):
        """Return in what tables with many columns are printed: ``(divisor, in words)``."""
        if recap.total.initial >= MILLIONS_FROM:
            return 10**6, self.env._("millions of %s", recap.currency)
        if recap.total.initial >= THOUSANDS_FROM:
            return 10**3, self.env._("thousands of %s", recap.currency)
        return 1, recap.currency

    def _get_figure_formatter(self, formatters):
        """Return a function that writes a ``Figure``.

        :param formatters: ``{kind: function that writes a value}``; other kinds are texts.
        """

        def write(figure):
            return "–" if figure.value is None else formatters.get(figure.kind, str)(figure.value)

        return write

    def _get_change_formatter(self, number_of):
        """Return a function that writes what changed between two figures, with its sign.

        :param number_of: function that writes a figure.
        """

        def change(before, after):
            if before is None or after is None:
                return "–"
            sign = "+" if after > before else "−" if after < before else "±"
            return f"{sign}{number_of(abs(after - before))}"

        return change

    def _get_week_chart(self, recap, money):
        """Return money and promises week by week, drawn as bars."""
        rows = [
            (week.label, (week.promised, money(week.promised)), (week.collected, money(week.collected)))
            for week in recap.weeks[-WEEK_LIMIT:]
        ]
        names = (self.env._("Promised for the week"), self.env._("Collected"))
        return to_data_uri(pair_chart(rows, names)) if rows else False

    def _get_aging_chart(self, recap, money):
        """Return the aging before and after, drawn as bars."""
        labels = {row.key: row.label for breakdown in (recap.aging, recap.aging_after) for row in breakdown}
        order = [code for code, _first_day in BUCKETS if code in labels]
        before, after = recap.aging, recap.aging_after
        rows = [
            (labels[key], (before.get(key), money(before.get(key))), (after.get(key), money(after.get(key))))
            for key in order
        ]
        after_name = self.env._("At the end") if recap.is_final else self.env._("Now")
        return to_data_uri(pair_chart(rows, (self.env._("At the start"), after_name))) if rows else False

    def _get_percent_formatter(self):
        """Return a function that writes a share with one decimal, as the user's language does."""
        locale = babel_locale_parse(get_lang(self.env).code)
        pattern = locale.percent_formats[None].pattern.replace("0", "0.0")
        return lambda value: format_percent(value, format=pattern, locale=locale)

    def _get_chart(self, breakdown, money, limit=None):
        """Return a breakdown drawn as bars, as the address of an image.

        :param int limit: how many bars there are at most, the largest ones; ``None`` for all.
        """
        largest = sorted(breakdown, key=lambda row: -row.amount)[:limit]
        bars = [(row.label, row.amount, money(row.amount)) for row in breakdown if row in largest]
        return to_data_uri(bar_chart(bars))
