from ast import literal_eval

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

# The web client names at most so many of the records that a filter leaves; above, the filter itself counts.
# See ``session.active_ids_limit``.
ACTIVE_IDS_LIMIT = 20000


class CollectionDebtorExport(models.TransientModel):
    """Remembers which debtors a user wants on paper, between the list and the download."""

    _name = "collection.debtor.export"
    _description = "Follow-up File to print"
    _inherit = "collection.dialogue.mixin"

    domain = fields.Char(required=True, readonly=True)

    # === BUSINESS METHODS === #

    @api.model
    def _request(self, debtors):
        """Return the action that downloads the follow-up file of these debtors.

        :param debtors: as the list handed them over: a selection, or the first of all that a filter leaves.
        """
        if not debtors:
            raise UserError(self.env._("Choose at least one customer."))
        debtors.check_access("read")
        domain = Domain("id", "in", debtors.ids)
        limit = self.env["ir.config_parameter"].sudo().get_param("web.active_ids_limit", ACTIVE_IDS_LIMIT)
        active_domain = self.env.context.get("active_domain")
        if active_domain and len(debtors) >= int(limit):
            # A download knows nothing of the companies that were chosen on the screen.
            domain = Domain(active_domain) & Domain("company_id", "in", self.env.companies.ids)
            # The list leaves archived files out, unless its filter asks for them.
            if not any(condition.field_expr == "active" for condition in domain.iter_conditions()):
                domain &= Domain("active", "=", True)
        # Written by the system, so that a download shows what the list showed.
        export = self.sudo().create({"domain": repr(list(domain))})
        return {
            "type": "ir.actions.act_url",
            "url": f"/account_collection/debtors/{export.id}/xlsx",
            "target": "download",
        }

    def _get_debtors(self):
        """Return the debtors to write, most urgent first, with the user's own rights."""
        self.ensure_one()
        domain = Domain(literal_eval(self.domain))
        return self.env["collection.debtor"].with_context(active_test=False).search(domain)
