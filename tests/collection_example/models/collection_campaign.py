from odoo import fields, models
from odoo.fields import Domain


class CollectionCampaign(models.Model):
    """A filter of campaigns, which the recap names in words."""

    _inherit = "collection.campaign"

    example_only_public = fields.Boolean(string="Public Customers only")

    def _get_scope_conditions(self):
        conditions = super()._get_scope_conditions()
        if self.example_only_public:
            conditions["example_only_public"] = Domain("partner_id.example_is_public", "=", True)
        return conditions
