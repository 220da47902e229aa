from odoo import api, models


class CollectionDebtor(models.Model):
    """Refreshing a customer: facts first, then what follows from them."""

    _inherit = "collection.debtor"

    # === BUSINESS METHODS - REFRESH === #

    @api.model
    def _synchronize(self, company, partners=None):
        """Refresh debtors and update all that depends on their facts (see ``collection.run``)."""
        return self.env["collection.run"]._synchronize(company, partners)

    def _synchronize_own(self):
        """Refresh exactly these debtors, whatever rights the user has on the ledger."""
        self.env["collection.run"]._synchronize_debtors(self)

    def _refresh_if_stale(self):
        """Refresh these debtors if their ledger changed, or a new day began, since the last refresh."""
        self.env["collection.run"]._refresh_if_stale(self)

    @api.model
    def _get_or_create(self, company, partner):
        """Return the debtor of a customer in a company, made from the ledger if there is none yet."""
        return self.env["collection.run"]._get_or_create_debtor(company, partner)

    # === SCHEDULED ACTIONS === #

    @api.model
    def _cron_refresh(self, batch_size=1000):
        """See ``collection.run``."""
        self.env["collection.run"]._cron_refresh(batch_size)
