from babel.numbers import format_percent

from odoo import api, models
from odoo.tools import format_amount, format_date, formatLang
from odoo.tools.misc import babel_locale_parse, get_lang

from .recap_charts import bar_chart

# How many cases the PDF shows; the XLSX has all of them.
CASE_LIMIT = 100


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
            return formatLang(self.env, float(amount), digits=recap.decimal_places)

        return {
            "campaign": campaign,
            "company": campaign.sudo().company_id,
            "recap": recap,
            "cases": recap.cases[:CASE_LIMIT],
            "money": money,
            "number": number,
            "count": lambda value: formatLang(self.env, value, digits=0),
            "percent": self._get_percent_formatter(),
            "date": lambda value: format_date(self.env, value) if value else "",
            "reason_chart": self._get_chart(self.env._("Reasons for non-payment"), recap.reasons, money),
            "aging_chart": self._get_chart(self.env._("Aging at the start"), recap.aging, money),
            "week_chart": self._get_chart(self.env._("Collected by week"), recap.collected_by_week, money),
            "printed_on": format_date(self.env, recap.as_of),
        }

    def _get_percent_formatter(self):
        """Return a function that writes a share with one decimal, as the user's language does."""
        locale = babel_locale_parse(get_lang(self.env).code)
        pattern = locale.percent_formats[None].pattern.replace("0", "0.0")
        return lambda value: format_percent(value, format=pattern, locale=locale)

    def _get_chart(self, title, breakdown, money):
        """Draw a breakdown as bars."""
        return bar_chart(title, [(row.label, row.amount, money(row.amount)) for row in breakdown])
