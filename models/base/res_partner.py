from odoo import models


class ResPartner(models.Model):
    """Whose contact somebody is."""

    _inherit = "res.partner"

    # === BUSINESS METHODS === #

    def _is_collection_contact_of(self, customer) -> bool:
        """Return whether this is a customer or one of its contacts: who may be asked and written to about its debts.

        :param customer: the ``res.partner`` who owes.
        """
        self.ensure_one()
        return bool(customer) and self.sudo().commercial_partner_id == customer.sudo().commercial_partner_id
