from datetime import date, datetime

import pytz

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL, email_normalize, formataddr

from odoo.addons.base.models.res_partner import _tz_get

from ...const import CASH_JOURNAL_TYPES, STATEMENT_PERIODS


class ResCompany(models.Model):
    _inherit = "res.company"

    # == Today ==
    collection_tz = fields.Selection(
        selection=_tz_get,
        string="Collections Timezone",
        help="Whether an item is late is judged on this clock. Empty: the timezone of the company's "
        "own contact, else that of its country.",
    )
    collection_refresh_date = fields.Date(
        string="Debtors refreshed on", readonly=True, help="Day of the last full refresh of this company's debtors."
    )
    collection_refresh_count = fields.Integer(
        string="Rows that differed", readonly=True, help="Debtors whose row differed at the last full refresh."
    )
    # == Score ==
    collection_grade_a = fields.Integer(string="Grade A from", default=70)
    collection_grade_b = fields.Integer(string="Grade B from", default=45)
    collection_grade_c = fields.Integer(string="Grade C from", default=20)
    collection_small_amount = fields.Monetary(
        string="Small Debt",
        default=300.0,
        help="Customers who owe at most this much are quick to pay when asked: campaigns keep a share for them.",
    )
    collection_history_months = fields.Integer(
        string="Payment History",
        default=12,
        help="How many months of payments say how a customer pays.",
    )
    # == Payer profiles ==
    collection_punctual_days = fields.Integer(
        string="Punctual up to",
        default=5,
        help="Average days late, weighted by amount, up to which a customer counts as punctual.",
    )
    collection_bad_payer_days = fields.Integer(
        string="Bad payer from",
        default=30,
        help="Average days late, weighted by amount, from which a customer counts as a bad payer.",
    )
    collection_leaving_months = fields.Integer(
        string="Leaving after",
        default=6,
        help="A customer who owes overdue money and got no invoice for this many months is leaving.",
    )
    # == Contacts and promises ==
    collection_contact_gap_days = fields.Integer(
        string="Days between two Reminders",
        default=3,
        help="No second reminder goes to a customer within this many days, whatever the campaign. 0: no limit.",
    )
    collection_min_amount = fields.Monetary(
        string="Smallest Amount worth a Message",
        default=5.0,
        help="Customers of whom less than this can be claimed get no message by a follow-up plan. A person can still "
        "write by hand. 0: no limit.",
    )
    collection_promise_grace_days = fields.Integer(
        string="Grace for Promises",
        default=2,
        help="Bank days that a promised payment may take to arrive before the promise counts as broken.",
    )
    # == Automatic reminders ==
    collection_email = fields.Char(
        string="Sender of Reminders", help="For example accounts@example.com. Empty: the company's own address."
    )
    collection_send_from = fields.Float(string="Sent from", default=8.5, help="Hour on the company's clock.")
    collection_send_to = fields.Float(string="Sent until", default=18.0, help="Hour on the company's clock.")
    collection_pressure_cap = fields.Integer(
        string="Contacts in 30 Days",
        default=6,
        help="Most contacts with one customer over 30 rolling days, all channels together. 0: no limit.",
    )
    collection_pending_days = fields.Integer(
        string="Online Payments under way",
        default=10,
        help="Bank days for which an online payment that is not confirmed yet keeps the invoices it pays silent, "
        "counted from its last change. A transfer that was announced and never made would silence them for ever. "
        "0: not looked at.",
    )
    collection_bank_fresh_days = fields.Integer(
        string="Bank up to date",
        default=7,
        help="Nobody is reminded by themselves when the last entry of a watched bank journal is older than "
        "this many days. 0: not looked at.",
    )
    collection_late_terms = fields.Text(
        string="Late Payment Terms",
        translate=True,
        help="What the law and your terms of sale provide for late payment between professionals, in your words: "
        "the rate of interest, the fixed sum of 40 € for each invoice in France. Stands in firm reminders and formal "
        "notices to French business customers. Empty: nothing is said about it.",
    )
    collection_use_snailmail = fields.Boolean(
        string="Letters through Snailmail",
        help="Letters are printed and posted by Odoo's service, which costs credits. Otherwise somebody prints them.",
    )

    # == Daily digest ==
    collection_digest_is_on = fields.Boolean(
        string="Daily Digest",
        default=True,
        help="In the evening of a working day: what was sent, failed, was cancelled and why, and what waits for "
        "people.",
    )
    collection_digest_user_ids = fields.Many2many(
        "res.users",
        "collection_digest_user_rel",
        string="Digest goes to",
        domain="[('share', '=', False)]",
        help="Empty: all managers of the follow-up in this company.",
    )
    collection_digest_at = fields.Datetime(string="Last Digest", readonly=True)

    # == Statements of account ==
    collection_statement_period = fields.Selection(
        STATEMENT_PERIODS,
        string="Statements of Account",
        required=True,
        default="never",
        help="How often customers with open items are sent a statement of account, unless their file says otherwise.",
    )
    collection_statement_day = fields.Integer(
        string="Sent from Day",
        default=3,
        help="Day of the month, or of the first month of the quarter, from which statements are sent: late enough "
        "for the last payments to be booked.",
    )

    collection_big_payment = fields.Monetary(
        string="Big Payment",
        default=5000.0,
        help="Collectors are told at once when a payment of this amount or more comes in. 0: never.",
    )

    collection_dispute_manager_id = fields.Many2one(
        "res.users",
        string="Late Disputes go to",
        domain="[('share', '=', False)]",
        help="Who is told when a dispute outside a campaign is not solved in time. Empty: who recorded it.",
    )
    collection_accountant_id = fields.Many2one(
        "res.users",
        string="Credit Notes made by",
        domain="[('share', '=', False)]",
        help="Who is asked for a credit note by people without accounting rights.",
    )

    # == What salespeople see ==
    collection_banner = fields.Selection(
        [
            ("none", "Nothing"),
            ("words", "In words, without amounts"),
            ("amounts", "With amounts"),
        ],
        string="Banner on Customers",
        required=True,
        default="none",
        help="What employees without accounting rights read on a customer who owes overdue money. Nothing until "
        "somebody decides otherwise.",
    )
    collection_prepay_days = fields.Integer(
        string="Pay before new Orders",
        default=60,
        help="Customers who are late by more than this many days, small debts aside, pay before new orders. 0: never.",
    )

    # === CONSTRAINT METHODS === #

    @api.constrains("collection_grade_a", "collection_grade_b", "collection_grade_c")
    def _check_collection_grades(self):
        for company in self:
            if not (100 >= company.collection_grade_a > company.collection_grade_b > company.collection_grade_c > 0):
                raise ValidationError(
                    self.env._("Grades must fall from A to C between 100 and 1, for example 70, 45 and 20.")
                )

    @api.constrains("collection_statement_day")
    def _check_collection_statement_day(self):
        for company in self:
            if not 1 <= company.collection_statement_day <= 28:
                raise ValidationError(self.env._("Statements are sent from a day between 1 and 28 of the month."))

    @api.constrains(
        "collection_small_amount",
        "collection_history_months",
        "collection_punctual_days",
        "collection_bad_payer_days",
        "collection_leaving_months",
        "collection_contact_gap_days",
        "collection_min_amount",
        "collection_promise_grace_days",
        "collection_pressure_cap",
        "collection_bank_fresh_days",
        "collection_pending_days",
        "collection_big_payment",
        "collection_prepay_days",
    )
    def _check_collection_thresholds(self):
        for company in self:
            if company.collection_history_months < 1 or company.collection_leaving_months < 1:
                raise ValidationError(self.env._("The months of history and of leaving must be at least 1."))
            if company.collection_bad_payer_days <= company.collection_punctual_days:
                raise ValidationError(self.env._("A bad payer must pay later than a punctual one: check both limits."))
            if (
                min(
                    company.collection_small_amount,
                    company.collection_punctual_days,
                    company.collection_contact_gap_days,
                    company.collection_min_amount,
                    company.collection_promise_grace_days,
                    company.collection_pressure_cap,
                    company.collection_bank_fresh_days,
                    company.collection_pending_days,
                    company.collection_big_payment,
                    company.collection_prepay_days,
                )
                < 0
            ):
                raise ValidationError(self.env._("Limits of the follow-up can't be negative."))

    @api.constrains("collection_send_from", "collection_send_to")
    def _check_collection_window(self):
        for company in self:
            if not 0 <= company.collection_send_from < company.collection_send_to <= 24:
                raise ValidationError(self.env._("The hours of sending must lie between 0:00 and 24:00, in order."))

    @api.constrains("collection_email")
    def _check_collection_email(self):
        for company in self.filtered("collection_email"):
            if not email_normalize(company.collection_email):
                raise ValidationError(self.env._("“%s” is not an e-mail address.", company.collection_email))

    # === BUSINESS METHODS === #

    def _get_collection_now(self) -> datetime:
        """Return the moment on this company's clock."""
        self.ensure_one()
        return datetime.now(pytz.timezone(self._get_collection_tz()))

    def _get_collection_sender(self):
        """Return the address, with the company's name, from which customers are written to."""
        self.ensure_one()
        if self.collection_email:
            return formataddr((self.name, email_normalize(self.collection_email)))
        return self.email_formatted or self.env.user.email_formatted

    def _get_collection_min_amount(self) -> float:
        """Return the smallest amount that is worth a message, in company currency: at least its smallest coin."""
        self.ensure_one()
        return max(self.collection_min_amount, self.currency_id.rounding)

    def _get_collection_tz(self):
        """Return the name of the timezone on whose clock this company's debts become late."""
        self.ensure_one()
        country_code = self.country_id.code
        return (
            self.collection_tz
            or self.partner_id.tz
            or (country_code and pytz.country_timezones.get(country_code, [None])[0])
            or "UTC"
        )

    def _collection_today(self) -> date:
        """Return today's date on the company's own clock, whoever asks and wherever the server stands."""
        return datetime.now(pytz.timezone(self._get_collection_tz())).date()

    def _get_collection_receivable_accounts(self):
        """Return the trade receivable accounts of this company, the ones whose items are followed up."""
        self.ensure_one()
        return (
            self.env["account.account"]
            .sudo()
            .with_context(active_test=False)
            .search(
                [
                    ("account_type", "=", "asset_receivable"),
                    ("non_trade", "=", False),
                    ("company_ids", "parent_of", self.ids),
                ]
            )
        )

    def _get_collection_cash_journals(self):
        """Return the journals whose entries are money received: bank, cash and credit cards."""
        self.ensure_one()
        return (
            self.env["account.journal"]
            .sudo()
            .with_context(active_test=False)
            .search([("type", "in", CASH_JOURNAL_TYPES), ("company_id", "parent_of", self.ids)])
        )

    def _get_collection_last_partial_id(self) -> int:
        """Return the id of the newest reconciliation visible to this transaction; a higher id counts as later.

        The boundary is not exact under concurrency: a reconciliation whose transaction isn't committed yet may have
        a lower id, and then counts as earlier. Its creation date would be no better, since that is when its
        transaction began. The window is the second or so that allocating a payment takes, in which nobody can record
        an answer of the customer that knows of it.

        :return: 0 when there is none.
        """
        [[last_id]] = self.env.execute_query(SQL("SELECT COALESCE(MAX(id), 0) FROM account_partial_reconcile"))
        return last_id

    def _get_collection_last_line_id(self) -> int:
        """Return the id of the newest journal item: what has a higher id is made after now."""
        [[last_id]] = self.env.execute_query(SQL("SELECT COALESCE(MAX(id), 0) FROM account_move_line"))
        return last_id
