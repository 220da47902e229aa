from odoo import models


class AccountPayment(models.Model):
    _inherit = "account.payment"

    # EXTENDS account: a payment that is rejected changes no entry
    def write(self, vals):
        result = super().write(vals)
        if "state" in vals:
            self.env["collection.refresh.queue"]._enqueue(
                (payment.company_id.id, payment.partner_id.commercial_partner_id.id)
                for payment in self.sudo()
                if payment.state == "rejected" and payment.partner_type == "customer" and payment.partner_id
            )
        return result
