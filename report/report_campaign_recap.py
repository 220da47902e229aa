from babel.numbers import format_percent

from odoo import api, models
from odoo.tools import format_amount, format_date, formatLang
from odoo.tools.misc import babel_locale_parse, get_lang

from .recap_charts import bar_chart, to_data_uri

# How many cases the PDF shows; the XLSX has all of them.
CASE_LIMIT = 100
# A wkhtmltopdf without patched Qt cuts rows in two at the end of a page, but keeps small tables whole,
# and does not repeat headers: the cases stand in tables of so many rows, with headers above every so many.
CASES_PER_TABLE = 3
TABLES_PER_HEADER = 8
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

        def number(amount):
            return formatLang(self.env, float(amount), digits=recap.decimal_places) if amount else "–"

        return {
            "campaign": campaign,
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
            "count": lambda value: formatLang(self.env, value, digits=0),
            "percent": self._get_percent_formatter(),
            "date": lambda value: format_date(self.env, value) if value else "",
            "reason_chart": self._get_chart(recap.reasons, money, REASON_LIMIT),
            "week_chart": self._get_chart(recap.collected_by_week, money),
        }

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
