from odoo import api, fields, models
from odoo.tools import SQL


class CollectionRefreshQueue(models.Model):
    """Customers whose receivables changed since their debtor was refreshed.

    Accounting only ever inserts rows here: nothing shared is updated, so nothing can be blocked
    by it or conflict with it. A customer may stand here several times.
    """

    _name = "collection.refresh.queue"
    _description = "Debtors to Refresh"
    _log_access = False

    company_id = fields.Many2one("res.company", required=True, index=True, ondelete="cascade")
    partner_id = fields.Many2one("res.partner", required=True, index=True, ondelete="cascade")

    @api.model
    def _enqueue_lines(self, lines):
        """Remember the customers of these journal items and wake the scheduled action.

        :param lines: ``account.move.line`` records; those that are not receivable are ignored.
        """
        pairs = {
            (line.company_id.id, line.partner_id.commercial_partner_id.id)
            for line in lines.sudo()
            if line.account_type == "asset_receivable" and line.partner_id
        }
        self._enqueue(pairs)

    @api.model
    def _enqueue(self, pairs):
        """Remember customers to refresh.

        :param pairs: iterable of ``(company id, commercial partner id)``.
        """
        pairs = set(pairs)
        if not pairs:
            return
        self.env.cr.execute(
            SQL(
                "INSERT INTO collection_refresh_queue (company_id, partner_id) VALUES %s",
                SQL(", ").join(SQL("(%s, %s)", company_id, partner_id) for company_id, partner_id in sorted(pairs)),
            )
        )
        # One call of the scheduled action is enough for a transaction.
        if not self.env.cr.precommit.data.get("account_collection.cron_triggered"):
            self.env.cr.precommit.data["account_collection.cron_triggered"] = True
            self._wake_cron()

    @api.model
    def _wake_cron(self):
        """Have the customers refreshed at the scheduler's next look, within a minute.

        One insert: ``ir.cron._trigger`` would also open a connection to wake the scheduler at once, which
        made posting an invoice 10 % slower.
        """
        cron_id = self.env["ir.model.data"]._xmlid_to_res_id("account_collection.cron_refresh_debtors")
        self.env.cr.execute(
            SQL("INSERT INTO ir_cron_trigger (cron_id, call_at) VALUES (%s, now() AT TIME ZONE 'UTC')", cron_id)
        )

    @api.model
    def _take(self, limit):
        """Remove up to ``limit`` rows and return their customers by company.

        Rows that another worker is taking are skipped. They come back if the transaction fails.

        :return: ``{company: res.partner records}``.
        """
        rows = self.env.execute_query(
            SQL(
                """
                DELETE FROM collection_refresh_queue
                      WHERE id IN (SELECT id FROM collection_refresh_queue
                                   ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
                  RETURNING company_id, partner_id
                """,
                limit,
            )
        )
        partner_ids_by_company = {}
        for company_id, partner_id in rows:
            partner_ids_by_company.setdefault(company_id, set()).add(partner_id)
        return {
            self.env["res.company"].browse(company_id): self.env["res.partner"].browse(sorted(partner_ids))
            for company_id, partner_ids in partner_ids_by_company.items()
        }
