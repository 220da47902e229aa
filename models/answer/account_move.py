from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

COLLECTION_STATES = [
    ("claimable", "To claim"),
    ("promised", "Promised"),
    ("disputed", "Disputed"),
    ("announced", "On its way"),
    ("covered", "Covered by credits"),
    ("excluded", "Excluded"),
]


class AccountMove(models.Model):
    """What was answered about an invoice, and where its follow-up stands."""

    _inherit = "account.move"

    # None of these is stored: the ledger is read, never written, by the follow-up.
    collection_promise_date = fields.Date(
        string="Promised for",
        compute="_compute_collection",
        search="_search_collection_promise_date",
        compute_sudo=True,
        groups="account_collection.group_collection_user",
        help="Earliest day for which the customer promised to pay something of this invoice.",
    )
    collection_dispute_reason_id = fields.Many2one(
        "collection.reason",
        string="Dispute Reason",
        compute="_compute_collection",
        search="_search_collection_dispute_reason_id",
        compute_sudo=True,
        groups="account_collection.group_collection_user",
    )
    collection_state = fields.Selection(
        COLLECTION_STATES,
        string="Follow-up",
        compute="_compute_collection",
        search="_search_collection_state",
        compute_sudo=True,
        groups="account_collection.group_collection_user",
        help="Where an overdue invoice stands. Empty when nothing of it is overdue.",
    )
    collection_score = fields.Integer(
        string="Follow-up Score",
        compute="_compute_collection",
        search="_search_collection_score",
        compute_sudo=True,
        aggregator="avg",
        groups="account_collection.group_collection_user",
        help="Score of the customer in this company: the higher, the sooner to contact.",
    )

    # === COMPUTE METHODS === #

    @api.depends("state", "payment_state", "amount_residual")
    @api.depends_context("uid")
    def _compute_collection(self):
        stored = self.filtered("id")
        rows = {}
        if stored:
            stored.flush_recordset()
            query = stored._as_query(ordered=False)
            move_id = SQL.identifier(self._table, "id")
            columns = [
                # Of these customers alone: what credits cover is a matter of all their items.
                self._hide_from_others(self._table, self._get_collection_state_sql(move_id, self._table, stored))
                if name == "collection_state"
                else self._field_to_sql(self._table, name, query)
                for name in (
                    "collection_promise_date",
                    "collection_dispute_reason_id",
                    "collection_state",
                    "collection_score",
                )
            ]
            rows = {
                move_id: values
                for move_id, *values in self.env.execute_query(
                    query.select(SQL.identifier(self._table, "id"), *columns)
                )
            }
        for move in self:
            promise_date, reason_id, state, score = rows.get(move.id, (False, False, False, 0))
            move.collection_promise_date = promise_date
            move.collection_dispute_reason_id = reason_id
            move.collection_state = state
            move.collection_score = score or 0

    def _search_collection_promise_date(self, operator, value):
        return self._search_collection("collection_promise_date", operator, value)

    def _search_collection_dispute_reason_id(self, operator, value):
        if operator not in ("in", "any"):
            return NotImplemented
        if operator == "any":
            value = self.env["collection.reason"]._search(Domain(value))
            return self._search_collection("collection_dispute_reason_id", "in", value.get_result_ids())
        return self._search_collection("collection_dispute_reason_id", operator, value)

    def _search_collection_state(self, operator, value):
        return self._search_collection("collection_state", operator, value)

    def _search_collection_score(self, operator, value):
        return self._search_collection("collection_score", operator, value)

    def _search_collection(self, name, operator, value):
        """Search on one of the fields below by the very SQL that computes it."""
        if operator not in ("in", "<", ">", "<=", ">="):
            return NotImplemented

        def to_sql(model, alias, query):
            column = model._field_to_sql(alias, name, query)
            if name == "collection_score":
                column = SQL("COALESCE(%s, 0)", column)
            if operator != "in":
                return SQL("%s %s %s", column, SQL(operator), value)
            values = [item for item in value if item not in (False, None)]
            conditions = [SQL("%s IN %s", column, tuple(values))] if values else []
            if len(values) < len(value):
                conditions.append(SQL("%s IS NULL", column))
            return SQL("(%s)", SQL(" OR ").join(conditions)) if conditions else SQL("FALSE")

        return Domain.custom(to_sql=to_sql)

    # EXTENDS account: makes the fields above sortable and groupable without storing them
    def _field_to_sql(self, alias, fname, query=None):
        method = {
            "collection_promise_date": self._get_collection_promise_date_sql,
            "collection_dispute_reason_id": self._get_collection_dispute_reason_sql,
            "collection_state": self._get_collection_state_sql,
            "collection_score": self._get_collection_score_sql,
        }.get(fname)
        if method is None:
            return super()._field_to_sql(alias, fname, query=query)
        self._check_field_access(self._fields[fname], "read")
        return self._hide_from_others(alias, method(SQL.identifier(alias, "id"), alias))

    @api.model
    def _hide_from_others(self, alias, column):
        """Return the SQL of a column that is empty for customers whose follow-up file the user may not read.

        :param str alias: of the table of moves.
        :param column: ``SQL``.
        """
        readable = self.env["collection.debtor"]._get_readable_query()
        if readable is None:
            return column
        return SQL(
            """(CASE WHEN NOT EXISTS (SELECT
                  FROM collection_debtor file
                 WHERE file.partner_id = %s AND file.company_id = %s AND file.id NOT IN %s) THEN %s END)""",
            SQL.identifier(alias, "commercial_partner_id"),
            SQL.identifier(alias, "company_id"),
            readable.subselect(),
            column,
        )

    def _get_collection_promise_date_sql(self, move_id, alias):
        """Return SQL for the earliest date of the open promises on a move."""
        return SQL(
            """(SELECT MIN(promise.date)
                  FROM collection_promise_line line
                  JOIN collection_promise promise ON promise.id = line.promise_id
                 WHERE line.move_id = %s AND promise.state = 'open')""",
            move_id,
        )

    def _get_collection_dispute_reason_sql(self, move_id, alias):
        """Return SQL for the reason of the newest open dispute on a move."""
        return SQL(
            """(SELECT dispute.reason_id
                  FROM collection_dispute_line line
                  JOIN collection_dispute dispute ON dispute.id = line.dispute_id
                 WHERE line.move_id = %s AND dispute.state = 'open'
              ORDER BY dispute.id DESC
                 LIMIT 1)""",
            move_id,
        )

    def _get_collection_state_sql(self, move_id, alias, moves=None):
        """Return SQL for where a move with an overdue item stands, from the same rows as the debtor's amounts.

        Of several items, the one that may be claimed decides, else the oldest.

        :param moves: the moves that are asked for, if they are known: only their customers are read.
        """
        ledger = self.env["collection.ledger"].sudo()
        partners = None if moves is None else moves.commercial_partner_id
        companies = (
            self.env["res.company"].sudo().search([("active", "=", True)]) if moves is None else moves.company_id
        )
        states = SQL(" UNION ALL ").join(
            SQL(
                """
                SELECT item.move_id, %(situation)s AS state, item.due_date, item.item_id
                  FROM (%(claims)s) item
             LEFT JOIN collection_debtor debtor
                    ON debtor.partner_id = item.partner_id AND debtor.company_id = %(company)s
                 WHERE item.late
                """,
                situation=ledger._get_situation_sql(SQL("COALESCE(debtor.insolvency, FALSE)")),
                claims=ledger._get_claim_sql(
                    company, partners, None, ledger._get_money_on_its_way(company, partners).amounts
                ),
                company=company.id,
            )
            for company in companies.sudo()
        )
        # Not correlated, so that PostgreSQL reads the ledger once for all rows.
        return SQL(
            """(SELECT known.states ->> (%s)::text
                  FROM (SELECT JSONB_OBJECT_AGG(move_id, state) AS states
                          FROM (SELECT DISTINCT ON (move_id) move_id, state
                                  FROM (%s) late_item
                              ORDER BY move_id, state != 'claimable', due_date, item_id) by_move) known)""",
            move_id,
            states,
        )

    def _get_collection_score_sql(self, move_id, alias):
        """Return SQL for the score of a move's customer in the move's company."""
        return SQL(
            """(SELECT debtor.score
                  FROM collection_debtor debtor
                 WHERE debtor.partner_id = %s AND debtor.company_id = %s)""",
            SQL.identifier(alias, "commercial_partner_id"),
            SQL.identifier(alias, "company_id"),
        )

    # === ACTION METHODS === #

    def action_collection_promise(self):
        """Record a promise to pay this invoice."""
        return self._action_collection_dialog("action_record_promise")

    def action_collection_dispute(self):
        """Open a dispute about this invoice."""
        return self._action_collection_dialog("action_open_dispute")

    # === BUSINESS METHODS === #

    def _action_collection_dialog(self, method):
        """Open a dialogue of the debtor with the open items of these moves chosen."""
        debtor = self._get_common_debtor()
        owed = self.line_ids._get_collection_owed()
        items = self.line_ids.filtered(lambda line: line.id in owed)
        if not items:
            raise UserError(self.env._("Nothing is owed on what you chose."))
        if len(items.currency_id) > 1:
            raise UserError(
                self.env._(
                    "What you chose is in several currencies (%s): record what concerns each of them apart.",
                    ", ".join(items.currency_id.mapped("name")),
                )
            )
        action = getattr(debtor, method)()
        action["context"]["default_move_line_ids"] = items.ids
        return action
