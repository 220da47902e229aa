from odoo import api, fields, models
from odoo.tools import SQL

from ..const import CALL_OUTCOMES, COMPANY_SIZES, GRADES, PAYER_PROFILES
from ..models.base.sql import once

# Days after a contact within which money counts as its effect.
SOON, LATER = 15, 30


class CollectionActionReport(models.Model):
    """What was said to customers, and the money that followed.

    Money that comes in is credited to the last contact before it, so that no cent counts twice and
    the sums of any group add up. What a contact is says ``collection.action._get_contact_domain``.
    """

    _name = "collection.action.report"
    _description = "Analysis of Contacts"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "action_id"

    action_id = fields.Many2one("collection.action", string="Contact", readonly=True)
    debtor_id = fields.Many2one("collection.debtor", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    case_id = fields.Many2one("collection.case", readonly=True)
    campaign_id = fields.Many2one("collection.campaign", readonly=True)
    user_id = fields.Many2one("res.users", string="By", readonly=True)
    salesperson_id = fields.Many2one("res.users", readonly=True)
    country_id = fields.Many2one("res.country", readonly=True)
    payer_profile = fields.Selection(PAYER_PROFILES, readonly=True)
    company_size = fields.Selection(COMPANY_SIZES, readonly=True)
    grade = fields.Selection(GRADES, readonly=True)
    date = fields.Date(
        readonly=True, help="The day on which it was done, on the company's clock; else its planned day."
    )
    channel = fields.Selection(
        selection=lambda self: self.env["collection.action"]._fields["channel"]._description_selection(self.env),
        readonly=True,
    )
    state = fields.Selection(
        selection=lambda self: self.env["collection.action"]._fields["state"]._description_selection(self.env),
        readonly=True,
    )
    plan_id = fields.Many2one("collection.plan", readonly=True)
    step_id = fields.Many2one("collection.plan.step", readonly=True)
    outcome = fields.Selection(CALL_OUTCOMES, readonly=True)
    reason_id = fields.Many2one("collection.reason", string="Reason for Non-Payment", readonly=True)

    # == Counts, and rates with their denominator ==
    call_count = fields.Integer(string="Calls", readonly=True)
    reached_count = fields.Integer(string="Answered Calls", readonly=True)
    right_person_count = fields.Integer(string="Right Person reached", readonly=True)
    promise_count = fields.Integer(string="Promises", readonly=True)
    dispute_count = fields.Integer(string="Disputes", readonly=True)
    answered_rate = fields.Float(string="Answered (% of calls)", readonly=True, aggregator="avg")
    right_party_rate = fields.Float(string="Right Person (% of calls)", readonly=True, aggregator="avg")
    right_party_answer_rate = fields.Float(string="Right Person (% of answered calls)", readonly=True, aggregator="avg")

    # == Money ==
    amount = fields.Monetary(string="Claimed", readonly=True, help="What could be claimed at that moment.")
    collected_soon = fields.Monetary(
        string="Received within 15 days",
        readonly=True,
        help="Money that came in from this customer from the day of the contact on, and before the next one.",
    )
    collected_later = fields.Monetary(
        string="Received within 30 days",
        readonly=True,
        help="Money that came in from this customer from the day of the contact on, and before the next one.",
    )
    paid_rate = fields.Float(
        string="Followed by Money (%)",
        readonly=True,
        aggregator="avg",
        help="Contacts after which money came in within 15 days, in percent of those carried out. The most recent "
        "ones have had less time.",
    )

    _depends = {
        "account.move.line": [
            "account_id",
            "balance",
            "company_id",
            "date",
            "journal_id",
            "parent_state",
            "partner_id",
        ],
        "collection.action": [
            "amount",
            "campaign_id",
            "case_id",
            "channel",
            "company_id",
            "date_done",
            "date_planned",
            "debtor_id",
            "dispute_id",
            "is_reached",
            "outcome",
            "partner_id",
            "plan_id",
            "promise_id",
            "reason_id",
            "state",
            "step_id",
            "user_id",
        ],
        "collection.debtor": ["company_size", "grade", "payer_profile"],
        "res.partner": ["commercial_partner_id", "country_id", "user_id"],
    }

    # === ACTION METHODS === #

    def action_open_target(self):
        """Open the case of a contact, else its debtor."""
        self.ensure_one()
        return self.action_id.action_open_target()

    # === BUSINESS METHODS === #

    @property
    def _table_query(self) -> SQL:
        return SQL(" UNION ALL ").join(self._get_company_sql(company) for company in self.env.companies.sudo())

    @api.model
    def _get_company_sql(self, company) -> SQL:
        """Return SQL with the rows of one company, on its own clock and in its currency."""
        return SQL("(SELECT %s %s)", self._select(company), self._from(company))

    @api.model
    def _select(self, company) -> SQL:
        """Return the columns of the report. Extend it for another one."""
        return SQL(
            """
                action.id,
                action.id AS action_id,
                action.debtor_id,
                action.partner_id,
                action.company_id,
                %(currency)s AS currency_id,
                action.case_id,
                action.campaign_id,
                action.user_id,
                partner.user_id AS salesperson_id,
                partner.country_id,
                debtor.payer_profile,
                debtor.company_size,
                debtor.grade,
                %(day)s AS date,
                action.channel,
                action.state,
                action.plan_id,
                action.step_id,
                action.outcome,
                action.reason_id,
                CASE WHEN %(is_call)s THEN 1 ELSE 0 END AS call_count,
                CASE WHEN action.is_reached THEN 1 ELSE 0 END AS reached_count,
                CASE WHEN action.outcome = 'right_person' THEN 1 ELSE 0 END AS right_person_count,
                CASE WHEN action.promise_id IS NOT NULL THEN 1 ELSE 0 END AS promise_count,
                CASE WHEN action.dispute_id IS NOT NULL THEN 1 ELSE 0 END AS dispute_count,
                CASE WHEN %(is_call)s THEN 100.0 * COALESCE(action.is_reached, FALSE)::int END AS answered_rate,
                CASE WHEN %(is_call)s THEN 100.0 * COALESCE(action.outcome = 'right_person', FALSE)::int
                     END AS right_party_rate,
                CASE WHEN action.is_reached THEN 100.0 * (action.outcome = 'right_person')::int
                     END AS right_party_answer_rate,
                action.amount,
                COALESCE(effect.collected_soon, 0) AS collected_soon,
                COALESCE(effect.collected_later, 0) AS collected_later,
                CASE WHEN %(is_contact)s THEN 100.0 * (COALESCE(effect.collected_soon, 0) > 0)::int END AS paid_rate
            """,
            currency=company.currency_id.id,
            day=self._get_day_sql(company),
            is_call=SQL("action.channel = 'call' AND action.state = 'done'"),
            is_contact=self._get_contact_condition(),
        )

    @api.model
    def _from(self, company) -> SQL:
        """Return the joins and conditions of the report."""
        return SQL(
            """
              FROM collection_action action
              JOIN collection_debtor debtor ON debtor.id = action.debtor_id
              JOIN res_partner partner ON partner.id = action.partner_id
         LEFT JOIN (%(effects)s) effect ON effect.id = action.id
             WHERE action.company_id = %(company)s AND action.channel != 'note'
            """,
            effects=once(self._get_effect_sql(company)),
            company=company.id,
        )

    @api.model
    def _get_contact_condition(self) -> SQL:
        """Return the SQL condition that something was really said to the customer."""
        return self.env["collection.action"]._get_contact_sql("action")

    @api.model
    def _get_day_sql(self, company) -> SQL:
        return SQL(
            "COALESCE((action.date_done AT TIME ZONE 'UTC' AT TIME ZONE %s)::date, action.date_planned)",
            company._get_collection_tz(),
        )

    @api.model
    def _get_effect_sql(self, company) -> SQL:
        """Return SQL with the money that followed each contact: ``id``, ``collected_soon``, ``collected_later``.

        From the day of the contact to the day before the next contact with the same customer.
        """
        first = SQL(
            "(SELECT COALESCE(MIN(date_done)::date - 1, CURRENT_DATE) FROM collection_action WHERE company_id = %s)",
            company.id,
        )
        cash = self.env["collection.metrics"].sudo()._get_cash_sql(company, first, company._collection_today())
        return SQL(
            """
            SELECT contact.id,
                   SUM(cash.amount) FILTER (WHERE cash.date <= contact.day + %(soon)s) AS collected_soon,
                   SUM(cash.amount) AS collected_later
              FROM (
                SELECT action.id, action.partner_id, %(day)s AS day, LEAD(%(day)s) OVER same_debtor AS next_day
                  FROM collection_action action
                 WHERE action.company_id = %(company)s AND %(is_contact)s
                WINDOW same_debtor AS (PARTITION BY action.debtor_id ORDER BY action.date_done, action.id)
              ) contact
              JOIN (%(cash)s) cash ON cash.partner_id = contact.partner_id
                    AND cash.date BETWEEN contact.day AND contact.day + %(later)s
                    AND (contact.next_day IS NULL OR cash.date < contact.next_day)
          GROUP BY contact.id
            """,
            day=self._get_day_sql(company),
            company=company.id,
            is_contact=self._get_contact_condition(),
            soon=SOON,
            later=LATER,
            cash=once(
                SQL("SELECT partner_id, date, SUM(amount) AS amount FROM (%s) receipt GROUP BY partner_id, date", cash)
            ),
        )
