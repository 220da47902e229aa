from odoo import api, models
from odoo.exceptions import AccessError


class CollectionSharedMixin(models.AbstractModel):
    """Settings that all companies share: changed by administrators of all the companies in which they count.

    A record without a company is shared. Whoever administers one company of several can't change how the customers
    of the others are scored, or when they are written to.
    """

    _name = "collection.shared.mixin"
    _description = "Shared by all companies"

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._check_shared()
        return records

    def write(self, vals):
        self._check_shared()
        result = super().write(vals)
        self._check_shared()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_shared(self):
        self._check_shared()

    # === BUSINESS METHODS === #

    def _get_shared(self):
        """Return those of these records that count in all companies."""
        return self.filtered(lambda record: not record.company_id)

    def _check_shared(self):
        """Check that the user administers all companies in which these records count.

        :raises AccessError: naming the record.
        """
        if self.env.su:
            return
        shared = self._get_shared()
        if shared and not self._is_administrator_of_all():
            raise AccessError(
                self.env._(
                    "“%s” is shared with companies that you can't enter: ask an administrator of all of them to "
                    "change it.",
                    shared[:1].sudo().display_name,
                )
            )

    @api.model
    def _is_administrator_of_all(self):
        """Return whether the user may enter all companies in which customers are followed up."""
        return self.env["collection.run"]._get_companies_in_use() <= self.env.user.sudo().company_ids
