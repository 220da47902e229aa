from odoo import models


class AccountPayment(models.Model):
    _inherit = "account.payment"

    # EXTENDS account: a payment that is rejected, or that has no entry of its own, changes no journal item
    def write(self, vals):
        result = super().write(vals)
        if {"state", "amount", "date", "invoice_ids"} & vals.keys():
            self.env["collection.refresh.queue"]._enqueue(
                (payment.company_id.id, partner.id)
                for payment in self.sudo()
                if payment.partner_type == "customer" and (payment.state == "rejected" or not payment.move_id)
                for partner in (payment.partner_id | payment.invoice_ids.partner_id).commercial_partner_id
            )
        return result
