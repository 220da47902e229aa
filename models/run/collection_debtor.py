from odoo import api, models


class CollectionDebtor(models.Model):
    """Bringing a customer up to date: facts first, then what follows from them."""

    _inherit = "collection.debtor"

    # === BUSINESS METHODS - REFRESH === #

    @api.model
    def _synchronize(self, company, partners=None):
        """Refresh debtors and bring all that follows from their facts in line (see ``collection.run``)."""
        return self.env["collection.run"]._synchronize(company, partners)

    def _synchronize_own(self):
        """Bring exactly these debtors up to date, whatever rights the user has on the ledger."""
        self.env["collection.run"]._synchronize_debtors(self)

    def _catch_up(self):
        """Bring these debtors up to date if their ledger changed, or a new day began, since the last refresh."""
        self.env["collection.run"]._catch_up(self)

    @api.model
    def _get_or_create(self, company, partner):
        """Return the debtor of a customer in a company, made from the ledger if there is none yet."""
        return self.env["collection.run"]._get_or_create_debtor(company, partner)

    # === SCHEDULED ACTIONS === #

    @api.model
    def _cron_refresh(self, batch_size=1000):
        """See ``collection.run``."""
        self.env["collection.run"]._cron_refresh(batch_size)
