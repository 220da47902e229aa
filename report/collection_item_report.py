from odoo import api, fields, models
from odoo.tools import SQL

from ..const import COMPANY_SIZES, GRADES, PAYER_PROFILES
from ..models.base.sql import once
from ..tools.aging import BUCKETS


class CollectionItemReport(models.Model):
    """What customers owe today, item by item, in company currency, with what may be claimed of it.

    Read from the ledger as it is now. Amounts add up to those of the debtors.
    """

    _name = "collection.item.report"
    _description = "Analysis of Open Items"
    _auto = False
    _order = "due_date, id"
    _rec_names_search = ["move_id"]

    # == What it is ==
    move_line_id = fields.Many2one("account.move.line", string="Journal Item", readonly=True)
    move_id = fields.Many2one("account.move", string="Invoice", readonly=True)
    journal_id = fields.Many2one("account.journal", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    item_currency_id = fields.Many2one("res.currency", string="Currency of the Item", readonly=True)
    date = fields.Date(string="Invoiced on", readonly=True)
    due_date = fields.Date(string="Due on", readonly=True)

    # == Whose it is ==
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    debtor_id = fields.Many2one("collection.debtor", readonly=True)
    country_id = fields.Many2one("res.country", readonly=True)
    collector_id = fields.Many2one("res.users", readonly=True)
    salesperson_id = fields.Many2one("res.users", readonly=True)
    payer_profile = fields.Selection(PAYER_PROFILES, readonly=True)
    company_size = fields.Selection(COMPANY_SIZES, readonly=True)
    grade = fields.Selection(GRADES, readonly=True)

    # == How late it is, and why ==
    days_late = fields.Integer(
        readonly=True, aggregator="avg", help="Calendar days since the due date, 0 when not late."
    )
    bucket = fields.Selection(
        [
            ("not_due", "Not due"),
            ("1_30", "1 to 30 days"),
            ("31_60", "31 to 60 days"),
            ("61_90", "61 to 90 days"),
            ("91_120", "91 to 120 days"),
            ("over_120", "More than 120 days"),
            ("credit", "Unallocated credits"),
        ],
        string="Age",
        readonly=True,
        help="Days past due. Credits stand apart: they are not spread over the invoices.",
    )
    situation = fields.Selection(
        [
            ("claimable", "To claim"),
            ("promised", "Promised"),
            ("disputed", "Disputed"),
            ("announced", "On its way"),
            ("covered", "Covered by credits"),
            ("excluded", "Excluded"),
            ("not_due", "Not due"),
            ("credit", "Credit"),
        ],
        readonly=True,
        help="Whether something of it may be claimed; else what stands in the way.",
    )
    reason_id = fields.Many2one(
        "collection.reason",
        string="Reason for Non-Payment",
        readonly=True,
        help="The reason of the dispute; else the last one that the customer gave.",
    )

    # == How much ==
    residual = fields.Monetary(string="Open", readonly=True, help="What is left of the item; below zero for credits.")
    not_due_amount = fields.Monetary(string="Not yet due", readonly=True)
    overdue_amount = fields.Monetary(string="Overdue", readonly=True, help="Past its due date, before credits.")
    credit_amount = fields.Monetary(string="Unallocated Credits", readonly=True)
    excluded_amount = fields.Monetary(
        string="Excluded", readonly=True, help="Overdue and marked “no follow-up”, blocked, or owed by an insolvent."
    )
    disputed_amount = fields.Monetary(string="Disputed", readonly=True, help="Overdue parts under a dispute.")
    promised_amount = fields.Monetary(string="Promised", readonly=True, help="Overdue parts under an open promise.")
    announced_amount = fields.Monetary(
        string="On its Way", readonly=True, help="Overdue parts for which money is on its way."
    )
    claimable_amount = fields.Monetary(
        string="To Claim",
        readonly=True,
        help="What may be asked for today. Credits are set against the oldest items of their currency first.",
    )

    _depends = {
        "account.move": ["payment_state", "invoice_user_id"],
        "account.move.line": [
            "account_id",
            "amount_residual",
            "amount_residual_currency",
            "company_id",
            "currency_id",
            "date",
            "date_maturity",
            "no_followup",
            "parent_state",
            "partner_id",
            "reconciled",
        ],
        "collection.action": ["company_id", "date_done", "debtor_id", "reason_id", "state"],
        "collection.debtor": [
            "collector_id",
            "company_id",
            "company_size",
            "grade",
            "insolvency",
            "partner_id",
            "payer_profile",
        ],
        "collection.dispute": ["company_id", "reason_id", "state"],
        "collection.dispute.line": ["amount", "move_line_id", "settled_amount"],
        "collection.promise": ["company_id", "state"],
        "collection.promise.line": ["amount", "move_line_id", "settled_amount"],
        "res.partner": ["commercial_partner_id", "country_id", "user_id"],
    }

    # === COMPUTE METHODS === #

    @api.depends("move_id")
    def _compute_display_name(self):
        # An opening balance stands in an entry, which only accounting opens: whoever sees the row may read its number.
        for row in self:
            row.display_name = row.sudo().move_id.display_name

    # === CRUD METHODS === #

    # EXTENDS base: ages stand in their order, not in that of the alphabet
    def _read_group_orderby(self, order, groupby_terms, query):
        if "bucket" not in groupby_terms:
            return super()._read_group_orderby(order, groupby_terms, query)
        codes = [code for code, _label in self._fields["bucket"].selection]
        terms = {**groupby_terms, "bucket": SQL("ARRAY_POSITION(%s::text[], %s)", codes, groupby_terms["bucket"])}
        result = super()._read_group_orderby(order, terms, query)
        groupby_terms.update({term: sql for term, sql in terms.items() if term != "bucket"})
        return result

    # === ACTION METHODS === #

    def action_open_move(self):
        """Open the invoice or entry behind an item."""
        self.ensure_one()
        return self.move_line_id.action_open_collection_move()

    # === BUSINESS METHODS === #

    @property
    def _table_query(self) -> SQL:
        return SQL(" UNION ALL ").join(self._get_company_sql(company) for company in self.env.companies.sudo())

    @api.model
    def _get_company_sql(self, company) -> SQL:
        """Return SQL with the rows of one company, on its own clock and in its currency."""
        return SQL(
            "(SELECT %(select)s FROM (%(items)s) item %(joins)s)",
            select=self._select(company),
            items=self._get_item_sql(company),
            joins=self._from(company),
        )

    @api.model
    def _get_item_sql(self, company) -> SQL:
        """Return SQL with the open items and what may be claimed of each, see ``collection.ledger._get_claim_sql``."""
        ledger = self.env["collection.ledger"].sudo()
        return ledger._get_claim_sql(company, None, None, ledger._get_money_on_its_way(company).amounts)

    @api.model
    def _select(self, company) -> SQL:
        """Return the columns of the report. Extend it for another one."""
        today = company._collection_today()
        return SQL(
            """
                item.item_id AS id,
                item.item_id AS move_line_id,
                line.move_id,
                line.journal_id,
                line.company_id,
                %(currency)s AS currency_id,
                item.currency_id AS item_currency_id,
                line.date,
                item.due_date,
                item.partner_id,
                debtor.id AS debtor_id,
                partner.country_id,
                debtor.collector_id,
                COALESCE(move.invoice_user_id, partner.user_id) AS salesperson_id,
                debtor.payer_profile,
                COALESCE(debtor.company_size, partner.collection_company_size) AS company_size,
                debtor.grade,
                CASE WHEN item.late THEN %(today)s - item.due_date ELSE 0 END AS days_late,
                CASE WHEN item.is_credit THEN 'credit'
                     ELSE (%(codes)s::text[])[
                         WIDTH_BUCKET(%(today)s - item.due_date, %(first_days)s) + 1
                     ] END AS bucket,
                %(situation)s AS situation,
                COALESCE(contested.reason_id, said.reason_id) AS reason_id,
                item.residual,
                CASE WHEN NOT item.is_credit AND NOT item.late THEN item.residual ELSE 0 END AS not_due_amount,
                CASE WHEN item.late THEN item.residual ELSE 0 END AS overdue_amount,
                CASE WHEN item.is_credit THEN -item.residual ELSE 0 END AS credit_amount,
                CASE WHEN item.late AND item.excluded THEN item.residual
                     WHEN item.late AND debtor.insolvency THEN item.claimable ELSE 0 END AS excluded_amount,
                CASE WHEN item.late AND NOT item.excluded THEN item.disputed ELSE 0 END AS disputed_amount,
                CASE WHEN item.late AND NOT item.excluded THEN item.promised ELSE 0 END AS promised_amount,
                CASE WHEN item.late AND NOT item.excluded THEN item.announced ELSE 0 END AS announced_amount,
                CASE WHEN item.late AND debtor.insolvency IS NOT TRUE THEN item.claimable ELSE 0
                     END AS claimable_amount
            """,
            currency=company.currency_id.id,
            situation=self.env["collection.ledger"]._get_situation_sql(SQL("COALESCE(debtor.insolvency, FALSE)")),
            today=today,
            codes=[code for code, _first_day in BUCKETS],
            first_days=[first_day for _code, first_day in BUCKETS if first_day is not None],
        )

    @api.model
    def _get_contested_sql(self, company) -> SQL:
        """Return SQL with the reason of the last dispute about each item: ``move_line_id``, ``reason_id``."""
        return SQL(
            """
            SELECT DISTINCT ON (part.move_line_id) part.move_line_id, dispute.reason_id
              FROM collection_dispute_line part
              JOIN collection_dispute dispute ON dispute.id = part.dispute_id
             WHERE dispute.state IN ('open', 'accepted') AND dispute.company_id = %s
          ORDER BY part.move_line_id, dispute.id DESC
            """,
            company.id,
        )

    @api.model
    def _get_said_reason_sql(self, company) -> SQL:
        """Return SQL with the reason that each customer gave last: ``debtor_id``, ``reason_id``."""
        return SQL(
            """
            SELECT DISTINCT ON (debtor_id) debtor_id, reason_id
              FROM collection_action
             WHERE state = 'done' AND reason_id IS NOT NULL AND company_id = %s
          ORDER BY debtor_id, date_done DESC, id DESC
            """,
            company.id,
        )

    @api.model
    def _from(self, company) -> SQL:
        """Return the joins of the report, after the open items, called ``item``."""
        return SQL(
            """
              JOIN account_move_line line ON line.id = item.item_id
              JOIN account_move move ON move.id = line.move_id
              JOIN res_partner partner ON partner.id = item.partner_id
         LEFT JOIN collection_debtor debtor
                ON debtor.partner_id = item.partner_id AND debtor.company_id = %(company)s
         LEFT JOIN (%(contested)s) contested ON contested.move_line_id = item.item_id
         LEFT JOIN (%(said)s) said ON said.debtor_id = debtor.id AND NOT item.is_credit
            """,
            company=company.id,
            contested=once(self._get_contested_sql(company)),
            said=once(self._get_said_reason_sql(company)),
        )
