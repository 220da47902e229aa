from odoo import models
from odoo.exceptions import ValidationError


class AccountMoveLine(models.Model):
    """An item of which a part may be promised or disputed."""

    _inherit = "account.move.line"

    # === BUSINESS METHODS === #

    def _get_collection_disputed(self):
        """Return ``{item id: amount under dispute, in the item's currency}``."""
        return self.env["collection.dispute.line"]._get_open_parts(self)

    def _check_collection_item(self, debtor, currency):
        """Check that a promise or a dispute of ``debtor`` in ``currency`` may name this item.

        :raises ValidationError: when it is somebody else's, in another currency or not owed.
        """
        self.ensure_one()
        name = self._get_collection_name()
        if self.company_id != debtor.company_id or self.partner_id.commercial_partner_id != debtor.partner_id:
            raise ValidationError(
                self.env._("%(item)s is not an item of %(customer)s.", item=name, customer=debtor.partner_id.name)
            )
        if self.id not in self._get_collection_owed():
            raise ValidationError(self.env._("%s is not owed: choose an open item.", name))
        if self.currency_id != currency:
            raise ValidationError(
                self.env._(
                    "%(item)s is in %(currency)s: record what concerns another currency apart.",
                    item=name,
                    currency=self.currency_id.name,
                )
            )
