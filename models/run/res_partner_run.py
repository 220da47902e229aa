from odoo import api, models

from .collection_run_customer import FACT_FIELDS, IDENTITY_FIELDS


class ResPartner(models.Model):
    """Follow-up files follow their customers."""

    _inherit = "res.partner"

    # EXTENDS base: a new contact may be the first one whom one can call or write to
    @api.model_create_multi
    def create(self, vals_list):
        partners = super().create(vals_list)
        contacts = partners.filtered("parent_id")
        if contacts:
            self.env["collection.run"]._mark_customers_stale(contacts)
        return partners

    # EXTENDS base
    def write(self, vals):
        Run = self.env["collection.run"]
        before = Run._remember_customers(self) if IDENTITY_FIELDS & vals.keys() else None
        result = super().write(vals)
        if before:
            Run._follow_customers(*before)
        if FACT_FIELDS & vals.keys():
            Run._mark_customers_stale(self)
        return result

    # EXTENDS base
    def unlink(self):
        customers = self.commercial_partner_id - self
        result = super().unlink()
        self.env["collection.run"]._mark_customers_stale(customers)
        return result
