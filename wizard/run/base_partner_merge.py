from odoo import models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    # EXTENDS base: a customer has one follow-up file per company, so those of merged customers become one
    def _update_foreign_keys(self, src_partners, dst_partner):
        self.env["collection.run"].sudo()._merge_customers(src_partners, dst_partner)
        return super()._update_foreign_keys(src_partners, dst_partner)
