from odoo import api, models
from odoo.tools import SQL


class CollectionCriterion(models.Model):
    """A score indicator with SQL of its own."""

    _inherit = "collection.criterion"

    @api.model
    def _selection_indicator(self):
        return [*super()._selection_indicator(), ("example_is_public", self.env._("Public customer (1) or not (0)"))]

    @api.model
    def _get_indicator_sql(self, company, today):
        is_public = SQL(
            "(SELECT COALESCE(partner.example_is_public, FALSE)::int"
            " FROM res_partner partner WHERE partner.id = profiled.partner_id)"
        )
        return {**super()._get_indicator_sql(company, today), "example_is_public": is_public}
