from odoo import api, fields, models
from odoo.tools import SQL


class CollectionRefreshQueue(models.Model):
    """Customers whose receivables changed since their debtor was refreshed.

    Accounting only ever inserts rows here: nothing shared is updated, so nothing can be blocked
    by it or conflict with it. A customer may stand here several times.
    """

    _name = "collection.refresh.queue"
    _description = "Debtors to Refresh"
    _inherit = ["collection.fact.mixin"]
    _is_of_system = True
    _log_access = False

    company_id = fields.Many2one("res.company", required=True, index=True, ondelete="cascade")
    partner_id = fields.Many2one("res.partner", required=True, index=True, ondelete="cascade")

    @api.model
    def _enqueue_lines(self, lines):
        """Queue the customers of these journal items for a refresh, and trigger the scheduled action.

        :param lines: ``account.move.line`` records; those that are not receivable are ignored.
        """
        pairs = {
            (line.company_id.id, line.partner_id.commercial_partner_id.id)
            for line in lines.sudo()
            if line.account_type == "asset_receivable" and line.partner_id
        }
        self._enqueue(pairs | self._get_branch_pairs(lines.company_id, pairs))

    @api.model
    def _get_branch_pairs(self, companies, pairs):
        """Return the pairs of the branches of these companies: their debts may be paid at the parent company.

        :param pairs: set of ``(company id, commercial partner id)``.
        """
        branches = {
            company.id: self.env["res.company"].sudo().search([("id", "child_of", company.id)])
            for company in companies.sudo()
            if company.child_ids
        }
        return {(branch.id, partner_id) for company_id, partner_id in pairs for branch in branches.get(company_id, ())}

    @api.model
    def _enqueue(self, pairs):
        """Queue customers for a refresh, and trigger the scheduled action.

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
            self._trigger_cron()

    @api.model
    def _enqueue_payers(self, company, partners, moves):
        """Queue the customers of announced payments for a refresh.

        :param company: the company that receives it; its branches may have the debts.
        :param partners: who pays. Those without a follow-up file owe nothing, or wait here already.
        :param moves: the documents that are named, which may be somebody else's.
        """
        pairs = {
            (move.company_id.id, move.commercial_partner_id.id)
            for move in moves
            if move.is_sale_document(include_receipts=True) and move.commercial_partner_id
        }
        if partners:
            debtors = self.env["collection.debtor"].sudo().with_context(active_test=False)
            debtors = debtors.search(
                [
                    ("partner_id", "in", partners.commercial_partner_id.ids),
                    ("company_id", "child_of", company.root_id.id),
                ]
            )
            pairs |= {(debtor.company_id.id, debtor.partner_id.id) for debtor in debtors}
        self._enqueue(pairs)

    @api.model
    def _mark_companies_stale(self, companies):
        """Mark these companies for a full refresh: what the facts and scores of their debtors depend on has changed."""
        companies = companies.sudo().filtered("collection_refresh_date")
        if companies:
            companies.collection_refresh_date = False
            self._trigger_cron()

    @api.model
    def _trigger_cron(self):
        """Trigger the scheduled action that refreshes customers; it runs at the scheduler's next poll, within a minute.

        One insert: ``ir.cron._trigger`` would also open a connection to notify the scheduler at once, which
        made posting an invoice 10 % slower.
        """
        cron_id = self.env["ir.model.data"]._xmlid_to_res_id("account_collection.cron_refresh_debtors")
        self.env.cr.execute(
            SQL("INSERT INTO ir_cron_trigger (cron_id, call_at) VALUES (%s, now() AT TIME ZONE 'UTC')", cron_id)
        )

    @api.model
    def _take(self, company, limit):
        """Delete up to ``limit`` rows of a company from the queue, the oldest first, and return their customers.

        Rows that another worker has locked are skipped. If the transaction, or the savepoint around this call, is
        rolled back, the rows are in the queue again: refresh the customers within the same one.

        :return: ``(commercial partners, number of rows)``.
        """
        rows = self.env.execute_query(
            SQL(
                """
                DELETE FROM collection_refresh_queue
                      WHERE id IN (SELECT id FROM collection_refresh_queue
                                    WHERE company_id = %s
                                 ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
                  RETURNING partner_id
                """,
                company.id,
                limit,
            )
        )
        self.invalidate_model()
        return self.env["res.partner"].browse(sorted({partner_id for (partner_id,) in rows})), len(rows)

    @api.model
    def _count_by_company(self):
        """Return ``{company: number of rows}``."""
        return dict(self._read_group([], ["company_id"], ["__count"]))
