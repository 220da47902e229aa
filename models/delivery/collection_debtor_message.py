from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import split_every
from odoo.tools.misc import format_amount, format_date

# A wkhtmltopdf without patched Qt cuts rows in two at the end of a page, but keeps small tables whole.
ROWS_ON_PAPER = 3


class CollectionDebtor(models.Model):
    """What the texts to customers may say of them: amounts, dates, links, in the language of the environment.

    Two words of the context change what is written: ``collection_rows`` (``{debtor id: rows}``, see
    ``_get_claimable_items``) says which items a message names, ``collection_on_paper`` leaves links out.
    """

    _inherit = "collection.debtor"

    can_pay_online = fields.Boolean(
        compute="_compute_can_pay_online",
        compute_sudo=True,
        help="The company takes payments on the page that shows an invoice to the customer.",
    )

    # === COMPUTE METHODS === #

    @api.depends("company_id")
    def _compute_can_pay_online(self):
        counts = dict(
            self.env["payment.provider"]._read_group(
                [
                    ("company_id", "in", self.company_id.ids),
                    ("state", "=", "enabled"),
                    ("is_published", "=", True),
                ],
                ["company_id"],
                ["__count"],
            )
        )
        for debtor in self:
            debtor.can_pay_online = bool(counts.get(debtor.company_id))

    # === BUSINESS METHODS - WHAT IS OWED === #

    def _get_claim_table(self):
        """Return the statement of what is claimed as HTML for a message, in the language of the environment.

        Each invoice leads to its page, which opens without login; not on paper.
        """
        self.ensure_one()
        claims = self._get_claim()
        invoices = self._get_claimed_invoices([row for claim in claims for row in claim["rows"]])
        on_paper = self.env.context.get("collection_on_paper")
        links = {} if on_paper else invoices._get_collection_links()
        for claim in claims:
            claim["parts"] = list(split_every(ROWS_ON_PAPER if on_paper else len(claim["rows"]), claim["rows"], list))
        return self.env["ir.qweb"]._render(
            "account_collection.claim_table",
            {
                "claims": claims,
                "links": links,
                "is_coming": all(row["days_late"] <= 0 for claim in claims for row in claim["rows"]),
                "format_amount": lambda amount, currency: format_amount(self.env, amount, currency),
                "format_date": lambda date: format_date(self.env, date),
            },
        )

    def _get_claim_total(self):
        """Return what a message asks for, for example “1,500.00 € + $ 300.00”: currencies are never added.

        All spaces are plain ones: an SMS with another kind of space holds half as many letters.
        """
        self.ensure_one()
        amounts = (format_amount(self.env, claim["amount"], claim["currency"]) for claim in self._get_claim())
        return " + ".join(" ".join(amount.split()) for amount in amounts)

    def _get_oldest_date(self):
        """Return the due date of the oldest item that a message names, written out."""
        self.ensure_one()
        dates = [row["due_date"] for claim in self._get_claim() for row in claim["rows"]]
        return self._write_date(min(dates)) if dates else ""

    # === BUSINESS METHODS - WHAT IS ASKED === #

    def _get_answer_date(self, days, style="long"):
        """Return the day by which an answer is asked for, written out.

        :param int days: calendar days from today, on the company's clock.
        :param str style: ``long``, or ``short`` for an SMS.
        """
        self.ensure_one()
        return self._write_date(self.company_id._collection_today() + timedelta(days=days), style)

    def _write_date(self, date, style="long"):
        return format_date(self.env, date, date_format="long" if style == "long" else False)

    def _get_late_terms(self):
        """Return what the law or the contract provides for late payment, ``""`` when nothing is to be said.

        The words are the company's own: no rate is made up here.
        """
        self.ensure_one()
        terms = self.company_id.sudo().with_context(lang=self.env.lang).collection_late_terms
        return (terms or "").strip() if self._has_late_terms() else ""

    def _has_late_terms(self):
        """Return whether the rules on late payment between professionals in France hold for this customer.

        They hold between businesses, not for consumers (Code de commerce L441-10, D441-5).
        """
        self.ensure_one()
        company = self.company_id.sudo()
        country = self.partner_id.country_id or company.country_id
        return bool(self.partner_id.is_company and country.code == "FR" == company.country_id.code)

    def _get_planned_call_step(self):
        """Return the step of a plan for which this customer is to be called, in the language of the environment."""
        self.ensure_one()
        planned = self.sudo().action_ids.filtered(
            lambda action: action.state == "planned" and action.channel == "call" and action.step_id
        )
        return planned.sorted(lambda action: (action.date_planned, action.id))[:1].step_id

    # === BUSINESS METHODS - WHERE TO PAY === #

    def _get_pay_url(self):
        """Return the address of the page on which the oldest invoice of a message can be seen and paid."""
        oldest = self._get_message_invoices()[:1]
        return oldest._get_collection_links().get(oldest.id, "")

    def _get_message_invoices(self):
        """Return the invoices that a message names, oldest first."""
        self.ensure_one()
        rows = [row for claim in self._get_claim() for row in claim["rows"]]
        return self._get_claimed_invoices(sorted(rows, key=lambda row: (row["due_date"], row["item"].id)))

    def _get_pay_button(self):
        """Return a button that leads to the page of the oldest invoice; nothing on paper."""
        self.ensure_one()
        url = False if self.env.context.get("collection_on_paper") else self._get_pay_url()
        if not url:
            return Markup()
        return self.env["ir.qweb"]._render(
            "account_collection.pay_button",
            {"url": url, "can_pay": self.can_pay_online, "count": len(self._get_message_invoices())},
        )

    # === ACTION METHODS === #

    def action_send_reminder(self):
        """Open the dialogue that previews and sends a reminder."""
        return self._action_open_dialog("collection.reminder.send", self.env._("Send a reminder"))
