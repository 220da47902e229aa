from odoo import api, models


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    # What a later day settles is looked up whenever open items are read, see ``collection.ledger``.
    _collection_max_date_idx = models.Index("(max_date)")

    # EXTENDS account
    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create(vals_list)
        # Both sides: a parent, a sister or a factor may pay.
        self.env["collection.refresh.queue"]._enqueue_lines(partials.debit_move_id | partials.credit_move_id)
        return partials

    # EXTENDS account
    def unlink(self):
        lines = self.debit_move_id | self.credit_move_id
        result = super().unlink()
        self.env["collection.refresh.queue"]._enqueue_lines(lines)
        return result
