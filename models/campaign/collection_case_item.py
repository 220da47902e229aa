from odoo import api, fields, models
from odoo.tools import SQL

from ..ledger.collection_item_holder import Held


class CollectionCaseItem(models.Model):
    """One overdue item in the frozen scope of a campaign, and what became of it.

    Written by SQL alone. Amounts are in company currency and add up to the cent:
    initial = collected + credited + other + residual, and residual = promised + disputed + rest.
    """

    _name = "collection.case.item"
    _description = "Item in a Case"
    _inherit = ["collection.fact.mixin", "collection.item.holder"]
    _is_of_system = True
    _order = "due_date, id"
    _check_company_auto = True
    _log_access = False
    # An item that takes the place of a frozen one was nothing at the start: what it takes over is “other” there, and
    # less than nothing “other” here, so that the sums stay right and nothing that is owed looks written off.
    _held_amount_field = "initial_residual"
    _held_reset_fields = (
        "collected_amount",
        "credited_amount",
        "other_amount",
        "residual",
        "promised_amount",
        "disputed_amount",
    )

    case_id = fields.Many2one(
        "collection.case", check_company=True, required=True, readonly=True, index=True, ondelete="cascade"
    )
    campaign_id = fields.Many2one(
        "collection.campaign", check_company=True, required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    # Emptied when an entry is deleted: the campaign still knows what it was about.
    move_line_id = fields.Many2one(
        "account.move.line", check_company=True, string="Journal Item", readonly=True, ondelete="set null", index=True
    )
    move_id = fields.Many2one(
        "account.move", check_company=True, string="Invoice", readonly=True, ondelete="set null", index=True
    )
    name = fields.Char(readonly=True)
    date = fields.Date(readonly=True)
    due_date = fields.Date(readonly=True)
    initial_residual = fields.Monetary(string="At the Start", readonly=True)
    collected_amount = fields.Monetary(string="Collected", readonly=True, help="Money received since the start.")
    credited_amount = fields.Monetary(
        string="Credited",
        readonly=True,
        help="Credit notes, and payments received before the start but allocated since.",
    )
    other_amount = fields.Monetary(
        string="Other",
        readonly=True,
        help="Write-offs, exchange differences, cancelled or deleted entries; what was paid and taken back again.",
    )
    residual = fields.Monetary(string="Still Owed", readonly=True)
    promised_amount = fields.Monetary(string="Promised", readonly=True)
    disputed_amount = fields.Monetary(string="Disputed", readonly=True)

    # === BUSINESS METHODS === #

    @api.model
    def _freeze(self, campaign, today):
        """Record the overdue items of a campaign's cases as they are now. One statement.

        :param campaign: one campaign whose cases were just made.
        :param today: the date against which items are late.
        """
        company = campaign.company_id
        ledger = self.env["collection.ledger"].sudo()
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO collection_case_item
                       (case_id, campaign_id, company_id, move_line_id, move_id, name, date, due_date,
                        initial_residual, residual, collected_amount, credited_amount, other_amount,
                        promised_amount, disputed_amount)
                SELECT collection_case.id, collection_case.campaign_id, collection_case.company_id,
                       line.id, move.id, %(name)s, line.date, item.due_date, item.residual, item.residual, 0, 0, 0, 0, 0
                  FROM collection_case
                  JOIN (%(claims)s) item ON item.partner_id = collection_case.partner_id
                  JOIN account_move_line line ON line.id = item.item_id
                  JOIN account_move move ON move.id = line.move_id
                 WHERE collection_case.campaign_id = %(campaign)s
                   AND item.late
                   AND NOT item.excluded
                """,
                campaign=campaign.id,
                name=ledger._get_item_name_sql("line", "move"),
                claims=ledger._get_claim_sql(company, None, today),
            )
        )
        self.invalidate_model()

    @api.model
    def _update(self, company, partners=None):
        """Update the items of running campaigns from the ledger, by one SQL statement.

        :param company: one company.
        :param partners: commercial partners; all when ``None``.
        """
        self.env.flush_all()
        self._update_returned(company, partners)
        today = company._collection_today()
        ledger = self.env["collection.ledger"].sudo()
        running = self._get_running_sql(company, partners)
        lines = SQL("SELECT item.move_line_id FROM %s AND item.move_line_id IS NOT NULL", running)
        self.env.cr.execute(
            SQL(
                """
                WITH settlement AS MATERIALIZED (%(settlements)s),
                settled AS MATERIALIZED (
                    SELECT item.id,
                           SUM(settlement.company_cash) FILTER (
                               WHERE settlement.date >= item.started_on
                           ) AS collected,
                           SUM(settlement.company_amount) FILTER (
                               WHERE credit_move.move_type = 'out_refund'
                                  OR (settlement.is_cash AND NOT settlement.is_returned
                                      AND settlement.date < item.started_on)
                           ) AS credited
                      FROM (
                        SELECT item.id, item.move_line_id, campaign.started_on, campaign.start_partial_id
                          FROM %(running)s
                      ) item
                      JOIN settlement ON settlement.item_id = item.move_line_id
                       AND settlement.partial_id > item.start_partial_id
                      JOIN account_move credit_move ON credit_move.id = settlement.credit_move_id
                  GROUP BY item.id
                ),
                owed AS MATERIALIZED (%(items)s)
                UPDATE collection_case_item AS target
                   SET collected_amount = source.collected,
                       credited_amount = source.credited,
                       other_amount = target.initial_residual - source.collected - source.credited - source.residual,
                       residual = source.residual,
                       disputed_amount = source.disputed,
                       promised_amount = source.promised
                  FROM (
                    SELECT item.id,
                           COALESCE(settled.collected, 0) AS collected,
                           COALESCE(settled.credited, 0) AS credited,
                           -- What is owed of a draft is not known: it stays as it was.
                           CASE WHEN draft.id IS NULL THEN COALESCE(owed.residual, 0)
                                ELSE item.residual END AS residual,
                           CASE WHEN draft.id IS NULL THEN COALESCE(owed.disputed, 0)
                                ELSE item.disputed_amount END AS disputed,
                           CASE WHEN draft.id IS NULL THEN COALESCE(owed.promised, 0)
                                ELSE item.promised_amount END AS promised
                      FROM (SELECT item.* FROM %(running)s) item
                 LEFT JOIN settled ON settled.id = item.id
                 LEFT JOIN account_move draft ON draft.id = item.move_id AND draft.state = 'draft'
                 LEFT JOIN owed ON owed.item_id = item.move_line_id
                  ) source
                 WHERE target.id = source.id
                   AND (target.collected_amount, target.credited_amount, target.other_amount, target.residual,
                        target.disputed_amount, target.promised_amount)
                       IS DISTINCT FROM
                       (source.collected, source.credited,
                        target.initial_residual - source.collected - source.credited - source.residual,
                        source.residual, source.disputed, source.promised)
                """,
                settlements=ledger._get_settlement_sql(
                    company,
                    SQL("partial.debit_move_id IN (%s) AND partial.max_date <= %s", lines, today),
                    of_few=partners is not None,
                    with_drafts=True,
                ),
                running=running,
                items=ledger._get_open_item_sql(company, day=today, filters=SQL("AND line.id IN (%s)", lines)),
            )
        )
        self.invalidate_model()

    @api.model
    def _get_running_sql(self, company, partners=None):
        """Return SQL for what follows FROM: items, called ``item``, of running campaigns, called ``campaign``.

        It ends in its WHERE, so that conditions can follow.
        """
        return SQL(
            """
            collection_case_item item
              JOIN collection_case ON collection_case.id = item.case_id
              JOIN collection_campaign campaign ON campaign.id = item.campaign_id
             WHERE campaign.state = 'running' AND campaign.company_id = %s %s
            """,
            company.id,
            SQL() if partners is None else SQL("AND collection_case.partner_id = ANY(%s)", partners.ids),
        )

    @api.model
    def _update_returned(self, company, partners=None):
        """Add the bank's debits for payments of frozen items that came back: what they had paid is owed again.

        They were nothing at the start: what is owed of them is less than nothing “other” here, and what the returned
        payment settled is “other” there, so that the sums stay right. Once the payment is taken off the frozen item,
        that one is owed itself, and the debit stands for nothing any more. What came back to the company above a branch
        is owed to that company, and no item of the branch's case.
        """
        ledger = self.env["collection.ledger"].sudo()
        running = self._get_running_sql(company, partners)
        returned = SQL(
            """
            WITH money_back AS MATERIALIZED (%(returns)s)
            SELECT DISTINCT frozen.case_id, frozen.campaign_id, frozen.company_id, returned.debit_line_id
              FROM (
                SELECT item.*, campaign.start_partial_id, collection_case.partner_id FROM %(running)s
              ) frozen
              JOIN account_partial_reconcile partial ON partial.debit_move_id = frozen.move_line_id
               AND partial.id > frozen.start_partial_id
              JOIN money_back returned ON returned.credit_line_id = partial.credit_move_id
               AND returned.partner_id = frozen.partner_id
               AND returned.debit_line_id != frozen.move_line_id
            """,
            running=running,
            returns=ledger._get_returns_sql(company, partners),
        )
        self.env.cr.execute(
            SQL(
                """
                WITH returned AS MATERIALIZED (%(returned)s),
                stale AS (
                    DELETE FROM collection_case_item
                     WHERE id IN (
                        SELECT item.id
                          FROM (SELECT item.* FROM %(running)s AND item.initial_residual = 0) item
                          JOIN account_move_line line ON line.id = item.move_line_id
                         WHERE line.journal_id IN %(journals)s
                           AND NOT EXISTS (
                               SELECT FROM returned
                                WHERE returned.case_id = item.case_id AND returned.debit_line_id = line.id
                           )
                     )
                )
                INSERT INTO collection_case_item
                       (case_id, campaign_id, company_id, move_line_id, move_id, name, date, due_date,
                        initial_residual, residual, collected_amount, credited_amount, other_amount,
                        promised_amount, disputed_amount)
                SELECT returned.case_id, returned.campaign_id, returned.company_id,
                       line.id, line.move_id, %(name)s, line.date, COALESCE(line.date_maturity, line.date),
                       0, 0, 0, 0, 0, 0, 0
                  FROM returned
                  JOIN account_move_line line ON line.id = returned.debit_line_id
                   AND line.company_id = returned.company_id
                  JOIN account_move move ON move.id = line.move_id
                 WHERE NOT EXISTS (
                       SELECT FROM collection_case_item known
                        WHERE known.case_id = returned.case_id AND known.move_line_id = line.id
                   )
                """,
                returned=returned,
                running=running,
                journals=ledger._get_cash_journal_ids(company),
                name=ledger._get_item_name_sql("line", "move"),
            )
        )

    # EXTENDS collection.item.holder
    def _divide_held(self, parts):
        """Move items of cases to the new journal items of which they are the main part."""
        own = [part for part in parts if part.is_main] or parts[:1]
        held = []
        for item in self:
            first = own[0].key if own else None
            held.append(Held(item, first))
            if item.campaign_id.state == "running":
                held += [Held(item, part.key, 0.0, is_further=True) for part in own[1:]]
        return held

    # EXTENDS collection.item.holder
    @api.model
    def _write_held(self, held):
        """Prevent that a case counts an item twice: of several that became one, the first takes it, the others end."""
        known = set()
        for number, one in enumerate(held):
            key = (one.record.case_id, one.item_id)
            if one.item_id and key in known:
                held[number] = one._replace(item_id=None)
            known.add(key)
        result = super()._write_held([one for one in held if one.item_id or not one.is_further])
        further = [one.item_id for one in held if one.item_id and one.is_further]
        if further:
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE collection_case_item item
                       SET date = line.date, due_date = COALESCE(line.date_maturity, line.date)
                      FROM account_move_line line
                     WHERE line.id = item.move_line_id AND line.id IN %s AND item.initial_residual = 0
                    """,
                    tuple(further),
                )
            )
        return result

    def action_open_move(self):
        """Open the invoice or entry behind this item."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "res_id": self.move_id.id,
            "view_mode": "form",
        }
