from odoo import api, models


class CollectionDebtor(models.Model):
    """The open items and the payment history behind a follow-up file."""

    _inherit = "collection.debtor"

    # === BUSINESS METHODS - REFRESH === #

    @api.model
    def _get_open_item_domain(self, company, partners=None):
        """Return the domain of the open items of customers, as ``collection.ledger`` defines them, for lists of items.

        :param company: one company.
        :param partners: commercial partners; all when ``None``.
        """
        return [("id", "in", self.env["collection.ledger"].sudo()._get_open_item_ids(company, partners))]
