from odoo import fields, models


class CollectionDebtor(models.Model):
    """The cases of a customer."""

    _inherit = "collection.debtor"

    # == What was said ==

    case_ids = fields.One2many("collection.case", "debtor_id", string="Cases")
    case_count = fields.Integer(compute="_compute_case_count")

    # === COMPUTE METHODS === #

    def _compute_case_count(self):
        self._count_related("collection.case", "case_count")

    # === ACTION METHODS === #

    def action_view_cases(self):
        """Open the cases of this customer in all campaigns."""
        return self._action_view_related("account_collection.collection_case_action", self.env._("Cases"))

    def _get_current_case(self):
        """Return the case on which the user works with this customer: their own first, if there is one.

        A colleague's case, in a campaign that the user may not read, is none to work on.
        """
        self.ensure_one()
        cases = self.sudo().case_ids.filtered(
            lambda case: case.state != "closed" and case.campaign_id.state == "running"
        )
        cases = cases.with_env(self.env)._filtered_access("read")
        return (cases.filtered(lambda case: case.collector_id == self.env.user) or cases)[:1]
