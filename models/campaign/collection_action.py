from odoo import api, fields, models


class CollectionAction(models.Model):
    """A contact within a campaign."""

    _inherit = "collection.action"

    case_id = fields.Many2one("collection.case", check_company=True, index="btree_not_null", ondelete="restrict")
    campaign_id = fields.Many2one(related="case_id.campaign_id", store=True, index="btree_not_null")

    # === CONSTRAINT METHODS === #

    @api.constrains("case_id", "debtor_id")
    def _check_case(self):
        self._check_case_of_debtor()
