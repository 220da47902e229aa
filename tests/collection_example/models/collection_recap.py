from odoo import models

from odoo.addons.account_collection.report.recap.numbers import ZERO, Figure, share


class CollectionRecap(models.AbstractModel):
    """Figures of the recap: PDF and XLSX show them without anything else."""

    _inherit = "collection.recap"

    def _get_extra_figures(self, campaign, values):
        public = campaign.case_ids.filtered("partner_id.example_is_public")
        owed = sum((case.amounts.residual for case in values["cases"] if case.case_id in public.ids), ZERO)
        return [
            *super()._get_extra_figures(campaign, values),
            Figure("example_public_count", self.env._("Public customers"), "integer", len(public)),
            Figure("example_public_owed", self.env._("Still owed by public customers"), "money", owed),
            Figure(
                "example_public_share",
                self.env._("Of what is still owed"),
                "percent",
                share(owed, values["total"].residual),
            ),
        ]
