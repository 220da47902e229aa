from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL, formatLang

from ...tools.aging import BUCKETS
from ..base.fields import NullableFloat

# How many months a company gets at once, so that trends open at their full length on the first day.
MONTHS_BACK = 24
# Until this day of the month, the last month is written anew each night: entries still come in.
SETTLED_FROM = 16


class CollectionSnapshot(models.Model):
    """The figures of one company at the end of one month, kept so that trends open at once.

    Written with SQL by ``_record`` alone, from ``collection.metrics``. Amounts are in company currency.
    """

    _name = "collection.snapshot"
    _description = "Monthly Figures"
    _inherit = ["collection.fact.mixin"]
    _is_of_system = True
    _order = "date desc, company_id"
    _log_access = False
    _rec_name = "date"

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(string="Month End", required=True, readonly=True)
    updated_on = fields.Datetime(string="Worked out on", readonly=True)

    # == What customers owed at the end of the month ==
    receivable_amount = fields.Monetary(
        string="Receivables", readonly=True, aggregator="avg", help="Open items less unallocated credits."
    )
    due_amount = fields.Monetary(
        string="Open Items", readonly=True, aggregator="avg", help="All open items, due or not, before credits."
    )
    credit_amount = fields.Monetary(
        string="Unallocated Credits",
        readonly=True,
        aggregator="avg",
        help="Credit notes and payments that were not yet set against an invoice.",
    )
    overdue_amount = fields.Monetary(
        string="Overdue", readonly=True, aggregator="avg", help="Open items past their due date, before credits."
    )
    at_risk_amount = fields.Monetary(
        string="At Risk", readonly=True, aggregator="avg", help="Open items more than 90 days late."
    )
    bucket_not_due = fields.Monetary(string="Not due", readonly=True, aggregator="avg")
    bucket_1_30 = fields.Monetary(string="1 to 30 days", readonly=True, aggregator="avg")
    bucket_31_60 = fields.Monetary(string="31 to 60 days", readonly=True, aggregator="avg")
    bucket_61_90 = fields.Monetary(string="61 to 90 days", readonly=True, aggregator="avg")
    bucket_91_120 = fields.Monetary(string="91 to 120 days", readonly=True, aggregator="avg")
    bucket_over_120 = fields.Monetary(string="More than 120 days", readonly=True, aggregator="avg")
    promised_amount = fields.Monetary(
        string="Promised", readonly=True, aggregator="avg", help="Parts of open items under a pending promise."
    )
    disputed_amount = fields.Monetary(
        string="Disputed", readonly=True, aggregator="avg", help="Parts of open items under a dispute."
    )

    # == What happened in the month ==
    sales_amount = fields.Monetary(
        string="Credit Sales", readonly=True, help="Invoices less credit notes of the month, taxes included."
    )
    collected_amount = fields.Monetary(
        string="Collected", readonly=True, help="Money that came in from customers in the month."
    )

    # == How soon customers pay ==
    dso = NullableFloat(
        string="DSO",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="Days sales outstanding: receivables / credit sales of the last three months × their days. "
        "Empty without sales.",
    )
    dso_count_back = NullableFloat(
        string="DSO, counted back",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="For how many days of most recent sales the receivables stand, month by month. Seasons don't bend it.",
    )
    is_dso_more = fields.Boolean(
        string="DSO is more",
        readonly=True,
        help="More is owed than all known sales: the DSO counted back is longer than it says.",
    )
    dso_text = fields.Char(string="DSO in words", compute="_compute_dso_text")
    best_possible_dso = NullableFloat(
        string="Best possible DSO",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="The DSO if nobody were late: what is not due yet / credit sales of the last three months × their days.",
    )
    average_days_delinquent = NullableFloat(
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="DSO less best possible DSO: days of sales that are late.",
    )
    cei = NullableFloat(
        string="Collection Effectiveness (%)",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="Share of what could be collected in the month that was: (receivables at the start + sales − "
        "receivables at the end) / (receivables at the start + sales − what is not due at the end). "
        "100: nothing is late.",
    )
    overdue_rate = NullableFloat(
        string="Overdue (%)", readonly=True, aggregator="avg", digits=(16, 1), help="Overdue in percent of receivables."
    )
    at_risk_rate = NullableFloat(
        string="At Risk (%)",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="What is more than 90 days late in percent of receivables.",
    )
    weighted_days_late = NullableFloat(
        readonly=True, aggregator="avg", digits=(16, 1), help="Days late of what was overdue, weighted by amount."
    )
    days_to_pay = NullableFloat(
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="Days from invoice to money for what was paid in the month, weighted by amount. Cash only.",
    )
    average_delay = NullableFloat(
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="Days from due date to money for what was paid in the month, weighted by amount. Below zero: early.",
    )

    # == What following up achieved ==
    promise_kept_rate = NullableFloat(
        string="Promises kept (%)",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="Promises kept in percent of those whose last day fell in the month.",
    )
    right_party_rate = NullableFloat(
        string="Right Person reached (% of calls)",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="Calls that reached the right person, in percent of all calls of the month.",
    )

    _company_date_unique = models.UniqueIndex(
        "(company_id, date)", "There are figures of this company and month already."
    )

    # === COMPUTE METHODS === #

    @api.depends("dso_count_back", "is_dso_more")
    @api.depends_context("lang")
    def _compute_dso_text(self):
        for snapshot in self:
            days = snapshot.dso_count_back
            text = False if days is False else formatLang(self.env, days, digits=1)
            snapshot.dso_text = f">{text}" if text and snapshot.is_dso_more else text

    # === ACTION METHODS === #

    def action_recompute(self):
        """Work these months out anew, for example after late entries; all missing ones when none is chosen.

        :raises AccessError: for those who don't administer the follow-up.
        """
        if not self.env.user.has_group("account_collection.group_collection_manager"):
            raise AccessError(self.env._("Only administrators of the follow-up work past months out anew."))
        self.check_access("read")
        for company in self.company_id or self.env.company:
            days = self.filtered(lambda snapshot, company=company: snapshot.company_id == company).mapped("date")
            self.sudo()._record(company, days or self._get_due_days(company))
        return True

    # === BUSINESS METHODS === #

    @api.model
    def _prepare_values(self, figures, promises, contacts):
        """Return the values of a snapshot. Extend it for another figure.

        :param figures: ``tools.metrics.Figures`` as of the end of the month.
        :param promises: ``PromiseRatio`` of the month.
        :param contacts: ``ContactRates`` of the month.
        """
        position, count_back = figures.position, figures.dso_count_back
        return {
            "receivable_amount": position.receivables,
            "due_amount": position.due,
            "credit_amount": position.credits,
            "overdue_amount": position.overdue,
            "at_risk_amount": position.at_risk,
            **{f"bucket_{code}": position.buckets[code] for code, _first_day in BUCKETS},
            "promised_amount": figures.promised,
            "disputed_amount": figures.disputed,
            "sales_amount": figures.sales,
            "collected_amount": figures.collected,
            "dso": figures.dso,
            "dso_count_back": count_back.days,
            "is_dso_more": count_back.is_more,
            "best_possible_dso": figures.best_possible_dso,
            "average_days_delinquent": figures.average_days_delinquent,
            "cei": figures.cei,
            "overdue_rate": figures.overdue_rate,
            "at_risk_rate": figures.at_risk_rate,
            "weighted_days_late": figures.weighted_days_late,
            "days_to_pay": figures.days_to_pay,
            "average_delay": figures.average_delay,
            "promise_kept_rate": promises.by_count,
            "right_party_rate": contacts.right_party_per_attempt,
        }

    @api.model
    def _record(self, company, days):
        """Write the figures of a company at the ends of months, in place of those that stand there.

        :param company: one ``res.company``.
        :param days: last days of months.
        """
        Metrics = self.env["collection.metrics"].sudo()
        now = fields.Datetime.now()
        for day, figures in Metrics._get_figures_by_day(company, days).items():
            month = (company, day.replace(day=1), day)
            values = self._prepare_values(
                figures, Metrics._get_promise_ratio(*month), Metrics._get_contact_rates(*month)
            )
            values |= {"company_id": company.id, "date": day, "updated_on": now}
            columns = [SQL.identifier(name) for name in values]
            self.env.cr.execute(
                SQL(
                    """
                    INSERT INTO collection_snapshot (%(columns)s) VALUES %(values)s
                    ON CONFLICT (company_id, date) DO UPDATE SET (%(columns)s) = ROW(%(new_columns)s)
                    """,
                    columns=SQL(", ").join(columns),
                    values=tuple(values.values()),
                    new_columns=SQL(", ").join(SQL.identifier("excluded", name) for name in values),
                )
            )
        self.invalidate_model()

    @api.model
    def _get_due_days(self, company) -> list[date]:
        """Return the month ends whose figures are to be written: missing ones, and the last while it settles."""
        today = company._collection_today()
        Metrics = self.env["collection.metrics"].sudo()
        first_day = Metrics._get_first_day(company)
        last = Metrics._get_month_end(today)
        if not first_day or first_day > last:
            return []
        days = [last]
        while len(days) < MONTHS_BACK and days[-1].replace(day=1) > first_day:
            days.append(Metrics._get_month_end(days[-1]))
        known = set(self.sudo().search([("company_id", "=", company.id), ("date", "in", days)]).mapped("date"))
        if today.day < SETTLED_FROM:
            known.discard(last)
        return [day for day in days if day not in known]

    @api.model
    def _get_trend(self, company, months=13):
        """Return the last snapshots of a company, the oldest first."""
        since = company._collection_today() - relativedelta(months=months)
        return self.search([("company_id", "=", company.id), ("date", ">=", since)], order="date")

    # === SCHEDULED ACTIONS === #

    @api.model
    def _cron_record(self):
        """See ``collection.run``."""
        self.env["collection.run"]._cron_record_snapshots()
