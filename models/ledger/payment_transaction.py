from odoo import api, models

# What, when it changes, changes what is on its way from whom and for which invoices.
WATCHED_FIELDS = {"state", "amount", "currency_id", "partner_id", "invoice_ids", "is_post_processed"}


class PaymentTransaction(models.Model):
    """Money on its way counts in what may be asked for: its customers are refreshed when it changes."""

    _inherit = "payment.transaction"

    # EXTENDS payment
    @api.model_create_multi
    def create(self, vals_list):
        transactions = super().create(vals_list)
        transactions._enqueue_collection_refresh()
        return transactions

    # EXTENDS payment
    def write(self, vals):
        if not WATCHED_FIELDS & vals.keys():
            return super().write(vals)
        if {"partner_id", "invoice_ids"} & vals.keys():
            self._enqueue_collection_refresh()  # those it leaves, too
        result = super().write(vals)
        self._enqueue_collection_refresh()
        return result

    # EXTENDS payment
    def unlink(self):
        self._enqueue_collection_refresh()
        return super().unlink()

    def _enqueue_collection_refresh(self):
        """Queue those who pay, and those whose invoices are paid, for a refresh."""
        queue = self.env["collection.refresh.queue"].sudo()
        for company, transactions in self.sudo().grouped("company_id").items():
            queue._enqueue_payers(company, transactions.partner_id, transactions.invoice_ids)
