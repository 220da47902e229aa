from odoo import api, models
from odoo.tools import SQL

from .collection_ledger_incoming import _find_references

# What, when it changes, changes what money came in from whom.
# Whether they are reconciled follows their journal items, see ``account.move.line``.
WATCHED_FIELDS = {"partner_id", "partner_name", "payment_ref", "amount", "checked"}
# So many words of labels are looked up at most at a time.
MOST_WORDS = 500


class AccountBankStatementLine(models.Model):
    """Money that nobody matched yet counts in what may be asked for: its customers are refreshed when it changes."""

    _inherit = "account.bank.statement.line"

    # EXTENDS account
    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._enqueue_collection_refresh()
        return lines

    # EXTENDS account
    def write(self, vals):
        if not WATCHED_FIELDS & vals.keys():
            return super().write(vals)
        self._enqueue_collection_refresh()  # those whom it names no more, too
        result = super().write(vals)
        self._enqueue_collection_refresh()
        return result

    # EXTENDS account
    def unlink(self):
        self._enqueue_collection_refresh()
        return super().unlink()

    def _enqueue_collection_refresh(self):
        """Queue the customers whom these lines name, or whose invoices they name, for a refresh."""
        queue = self.env["collection.refresh.queue"].sudo()
        for company, lines in self.sudo().grouped("company_id").items():
            payers = lines.partner_id | lines._get_collection_payers()
            queue._enqueue_payers(company, payers, lines._get_collection_named_invoices(company))

    def _get_collection_payers(self):
        """Return the customers with a follow-up file whose name is that of a payer whom nobody identified yet."""
        names = {(line.partner_name or "").strip().upper() for line in self if not line.partner_id} - {""}
        if not names:
            return self.env["res.partner"]
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT debtor.partner_id
                  FROM collection_debtor debtor
                  JOIN res_partner partner ON partner.commercial_partner_id = debtor.partner_id
                 WHERE UPPER(TRIM(partner.name)) = ANY(%s)
                """,
                sorted(names),
            )
        )
        return self.env["res.partner"].browse(row[0] for row in rows)

    def _get_collection_named_invoices(self, company):
        """Return the posted customer documents whose number or payment reference stands in these lines' labels.

        :param company: the company of the bank journal; invoices of its branches count, too.
        """
        words = sorted(set().union(*(_find_references(line.payment_ref or "") for line in self)))[:MOST_WORDS]
        if not words:
            return self.env["account.move"]
        self.env["account.move"].flush_model(["name", "payment_reference", "state", "move_type", "company_id"])
        # One comparison each: so that the index of payment references is used.
        same = SQL(" OR ").join(SQL("move.payment_reference = %s", word) for word in words)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT move.id
                  FROM account_move move
                  JOIN res_company company ON company.id = move.company_id
                 WHERE company.parent_path LIKE %s
                   AND move.move_type IN ('out_invoice', 'out_refund', 'out_receipt')
                   AND move.state = 'posted'
                   AND (move.name = ANY(%s) OR %s)
                """,
                f"{company.parent_path}%",
                words,
                same,
            )
        )
        return self.env["account.move"].browse(row[0] for row in rows)
