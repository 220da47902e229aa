from odoo import api, models


class IrDefault(models.Model):
    """The credit limit of customers who have none of their own counts in how urgent they are."""

    _inherit = "ir.default"

    # EXTENDS base
    @api.model_create_multi
    def create(self, vals_list):
        defaults = super().create(vals_list)
        defaults._mark_collection_stale()
        return defaults

    # EXTENDS base
    def write(self, vals):
        result = super().write(vals)
        self._mark_collection_stale()
        return result

    # EXTENDS base
    def unlink(self):
        self.check_access("unlink")
        self._mark_collection_stale()
        return super().unlink()

    def _mark_collection_stale(self):
        """Queue all debtors for a refresh if one of these defaults is that of credit limits."""
        limits = self.sudo().filtered(
            lambda default: default.field_id.model == "res.partner" and default.field_id.name == "credit_limit"
        )
        for default in limits:
            companies = default.company_id or self.env["collection.run"]._get_active_companies()
            self.env["collection.refresh.queue"].sudo()._mark_companies_stale(companies)
