from odoo import api, fields, models

from ..campaign.collection_campaign import TEAM_GROUP


class CollectionCampaign(models.Model):
    """A campaign of which customers were handed over."""

    _inherit = "collection.campaign"

    # == Progress ==

    handover_ids = fields.One2many("collection.handover", "campaign_id", groups=TEAM_GROUP)
    handover_count = fields.Integer(compute="_compute_handover_count", groups=TEAM_GROUP)

    # === COMPUTE METHODS === #

    @api.depends("handover_ids")
    def _compute_handover_count(self):
        counts = dict(
            self.env["collection.handover"]._read_group([("campaign_id", "in", self.ids)], ["campaign_id"], ["__count"])
        )
        for campaign in self:
            campaign.handover_count = counts.get(campaign, 0)
