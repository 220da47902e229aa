from odoo import models


class AccountPayment(models.Model):
    _inherit = "account.payment"

    # Few payments are rejected, and all of them are looked up whenever open items are read.
    _collection_rejected_idx = models.Index("(move_id) WHERE state = 'rejected'")

    # EXTENDS account: a payment that is rejected, or that has no entry of its own, changes no journal item
    def write(self, vals):
        result = super().write(vals)
        if {"state", "amount", "date", "invoice_ids"} & vals.keys():
            payments = self.sudo().filtered(
                lambda payment: (
                    payment.partner_type == "customer" and (payment.state == "rejected" or not payment.move_id)
                )
            )
            self.env["collection.refresh.queue"]._enqueue(
                (payment.company_id.id, partner.id)
                for payment in payments
                for partner in (payment.partner_id | payment.invoice_ids.partner_id).commercial_partner_id
            )
            # It may have paid what somebody else owes.
            payments.move_id._enqueue_collection_refresh()
        return result
