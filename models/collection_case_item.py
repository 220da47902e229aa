from odoo import api, fields, models
from odoo.tools import SQL

from .collection_item_holder import Held


class CollectionCaseItem(models.Model):
    """One overdue item in the frozen scope of a campaign, and what became of it.

    Written by SQL alone. Amounts are in company currency and add up to the cent:
    initial = collected + credited + other + residual, and residual = promised + disputed + rest.
    """

    _name = "collection.case.item"
    _description = "Item in a Case"
    _inherit = ["collection.item.holder"]
    _order = "due_date, id"
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

    case_id = fields.Many2one("collection.case", required=True, readonly=True, index=True, ondelete="cascade")
    campaign_id = fields.Many2one("collection.campaign", required=True, readonly=True, index=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    # Emptied when an entry is deleted: the campaign still knows what it was about.
    move_line_id = fields.Many2one(
        "account.move.line", string="Journal Item", readonly=True, ondelete="set null", index=True
    )
    move_id = fields.Many2one("account.move", string="Invoice", readonly=True, ondelete="set null", index=True)
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
        string="Other", readonly=True, help="Write-offs, exchange differences, cancelled or deleted entries."
    )
    residual = fields.Monetary(string="Still Owed", readonly=True)
    promised_amount = fields.Monetary(string="Promised", readonly=True)
    disputed_amount = fields.Monetary(string="Disputed", readonly=True)

    # === BUSINESS METHODS === #

    @api.model
    def _freeze(self, campaign, today):
        """Write down the overdue items of a campaign's cases as they are now. One statement.

        :param campaign: one campaign whose cases were just made.
        :param today: the date against which items are late.
        """
        company = campaign.company_id
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO collection_case_item
                       (case_id, campaign_id, company_id, move_line_id, move_id, name, date, due_date,
                        initial_residual, residual, collected_amount, credited_amount, other_amount,
                        promised_amount, disputed_amount)
                SELECT collection_case.id, collection_case.campaign_id, collection_case.company_id,
                       line.id, move.id, COALESCE(move.name, line.name, ''), line.date,
                       COALESCE(line.date_maturity, line.date),
                       line.amount_residual, line.amount_residual, 0, 0, 0, 0, 0
                  FROM collection_case
                  JOIN collection_debtor debtor ON debtor.id = collection_case.debtor_id
                  JOIN res_partner partner ON partner.commercial_partner_id = debtor.partner_id
                  JOIN account_move_line line ON line.partner_id = partner.id
                  JOIN account_move move ON move.id = line.move_id
                 WHERE collection_case.campaign_id = %(campaign)s
                   AND line.account_id IN %(accounts)s
                   AND line.reconciled IS NOT TRUE
                   AND line.parent_state = 'posted'
                   AND line.company_id = %(company)s
                   AND line.amount_residual > 0
                   AND NOT COALESCE(line.no_followup, FALSE)
                   AND COALESCE(move.payment_state, '') NOT IN ('in_payment', 'blocked')
                   AND COALESCE(line.date_maturity, line.date) < %(today)s
                """,
                campaign=campaign.id,
                accounts=self.env["collection.ledger"]._get_account_ids(company),
                company=company.id,
                today=today,
            )
        )
        self.invalidate_model()

    @api.model
    def _update(self, company, partners=None):
        """Bring the items of running campaigns in line with the ledger. One statement.

        :param company: one company.
        :param partners: commercial partners; all when ``None``.
        """
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                UPDATE collection_case_item AS target
                   SET collected_amount = source.collected,
                       credited_amount = source.credited,
                       other_amount = target.initial_residual - source.collected - source.credited - source.residual,
                       residual = source.residual,
                       disputed_amount = source.disputed,
                       promised_amount = LEAST(source.residual - source.disputed, source.promised)
                  FROM (
                    SELECT item.id,
                           owed.residual,
                           COALESCE(settled.collected, 0) AS collected,
                           COALESCE(settled.credited, 0) AS credited,
                           LEAST(owed.residual, COALESCE(
                               ROUND(disputed.amount * owed.rate, %(digits)s), 0
                           )) AS disputed,
                           COALESCE(ROUND(promised.amount * owed.rate, %(digits)s), 0) AS promised
                      FROM collection_case_item item
                      JOIN collection_case ON collection_case.id = item.case_id
                      JOIN collection_campaign campaign ON campaign.id = item.campaign_id
                 LEFT JOIN account_move_line line ON line.id = item.move_line_id
                CROSS JOIN LATERAL (
                        -- A cancelled or deleted entry is not owed any more.
                        SELECT CASE WHEN line.parent_state = 'posted' THEN line.amount_residual ELSE 0 END AS residual,
                               COALESCE(ROUND(
                                   line.amount_residual / NULLIF(line.amount_residual_currency, 0), 12
                               ), 1) AS rate
                      ) owed
                 LEFT JOIN LATERAL (
                        SELECT SUM(%(cash)s) FILTER (
                                   WHERE journal.type IN ('bank', 'cash', 'credit')
                                     AND credit.date >= campaign.started_on
                               ) AS collected,
                               SUM(partial.amount) FILTER (
                                   WHERE credit_move.move_type = 'out_refund'
                                      OR (journal.type IN ('bank', 'cash', 'credit')
                                          AND credit.date < campaign.started_on)
                               ) AS credited
                          FROM account_partial_reconcile partial
                          JOIN account_move_line credit ON credit.id = partial.credit_move_id
                          JOIN account_move credit_move ON credit_move.id = credit.move_id
                          JOIN account_journal journal ON journal.id = credit.journal_id
                         WHERE partial.debit_move_id = line.id AND partial.id > campaign.start_partial_id
                      ) settled ON TRUE
                 LEFT JOIN (%(disputed_parts)s) disputed ON disputed.move_line_id = line.id
                 LEFT JOIN (%(promised_parts)s) promised ON promised.move_line_id = line.id
                     WHERE campaign.state = 'running'
                       AND campaign.company_id = %(company)s
                       -- What is owed of a draft is not known: its items stay as they were.
                       AND NOT EXISTS (
                           SELECT FROM account_move draft WHERE draft.id = item.move_id AND draft.state = 'draft'
                       )
                       %(partner_filter)s
                  ) source
                 WHERE target.id = source.id
                   AND (target.collected_amount, target.credited_amount, target.residual,
                        target.disputed_amount, target.promised_amount)
                       IS DISTINCT FROM
                       (source.collected, source.credited, source.residual,
                        source.disputed, LEAST(source.residual - source.disputed, source.promised))
                """,
                disputed_parts=self.env["collection.dispute.line"]._get_open_parts_sql(company),
                promised_parts=self.env["collection.promise.line"]._get_open_parts_sql(company),
                company=company.id,
                digits=company.currency_id.decimal_places,
                cash=self.env["collection.ledger"]._get_cash_sql(
                    SQL("partial.amount"), SQL("credit.move_id"), SQL("%s", company.currency_id.decimal_places)
                ),
                partner_filter=(
                    SQL() if partners is None else SQL("AND collection_case.partner_id = ANY(%s)", partners.ids)
                ),
            )
        )
        self.invalidate_model()

    # EXTENDS collection.item.holder
    def _divide_held(self, parts):
        """Have the items of cases go on with the new items of which they are the main part."""
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
        """Let no case count an item twice: when several became one, the first goes on with it and the others end."""
        known = set()
        for number, one in enumerate(held):
            key = (one.record.case_id, one.item_id)
            if one.item_id and key in known:
                held[number] = one._replace(item_id=None)
            known.add(key)
        super()._write_held([one for one in held if one.item_id or not one.is_further])
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

    def action_open_move(self):
        """Open the invoice or entry behind this item."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "res_id": self.move_id.id,
            "view_mode": "form",
        }
