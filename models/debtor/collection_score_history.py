from odoo import api, fields, models
from odoo.tools import SQL

# At least this many days lie between two rows of a debtor whose grade stays the same.
DAYS_BETWEEN_ROWS = 7


class CollectionScoreHistory(models.Model):
    """How a debtor's score moved: a row at each change of grade, else one a week at most."""

    _name = "collection.score.history"
    _description = "Score History"
    _inherit = ["collection.fact.mixin"]
    _is_of_system = True
    _order = "date desc, id desc"
    _check_company_auto = True
    _log_access = False

    debtor_id = fields.Many2one(
        "collection.debtor", check_company=True, required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(required=True, readonly=True)
    score = fields.Integer(readonly=True, aggregator="avg")
    grade = fields.Selection(
        selection=lambda self: self.env["collection.debtor"]._fields["grade"]._description_selection(self.env),
        readonly=True,
    )
    overdue_amount = fields.Monetary(string="Overdue", readonly=True)
    claimable_amount = fields.Monetary(string="To Claim", readonly=True)

    @api.model
    def _record(self, debtors, date):
        """Write a row for those debtors whose grade changed or whose last row is a week old. One statement.

        :param debtors: debtors whose score was just refreshed.
        :param date: the day of the refresh.
        """
        if not debtors:
            return
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO collection_score_history
                       (debtor_id, company_id, date, score, grade, overdue_amount, claimable_amount)
                SELECT debtor.id, debtor.company_id, %(date)s, debtor.score, debtor.grade,
                       debtor.overdue_amount, debtor.claimable_amount
                  FROM collection_debtor debtor
             LEFT JOIN LATERAL (
                    SELECT history.date, history.grade
                      FROM collection_score_history history
                     WHERE history.debtor_id = debtor.id
                  ORDER BY history.date DESC, history.id DESC
                     LIMIT 1
                  ) last ON TRUE
                 WHERE debtor.id = ANY(%(debtors)s)
                   -- A customer who never owed anything overdue has no history worth a row.
                   AND (last.date IS NOT NULL OR debtor.overdue_amount > 0)
                   AND (last.date IS NULL
                        OR last.grade IS DISTINCT FROM debtor.grade
                        OR last.date <= %(date)s::date - %(days)s)
                """,
                date=date,
                debtors=debtors.ids,
                days=DAYS_BETWEEN_ROWS,
            )
        )
        self.invalidate_model()
