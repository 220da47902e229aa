from odoo import api, fields, models


class CollectionPromise(models.Model):
    """A promise made within a campaign."""

    _inherit = "collection.promise"

    case_id = fields.Many2one("collection.case", check_company=True, index="btree_not_null", ondelete="restrict")
    campaign_id = fields.Many2one(related="case_id.campaign_id", store=True, index="btree_not_null")

    # === CONSTRAINT METHODS === #

    @api.constrains("case_id", "debtor_id")
    def _check_case(self):
        self._check_case_of_debtor()
