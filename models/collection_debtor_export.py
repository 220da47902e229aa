from odoo import models


class CollectionDebtor(models.Model):
    """The follow-up file as a workbook, for those who work on paper."""

    _inherit = "collection.debtor"  # pylint: disable=consider-merging-classes-inherited

    # === ACTION METHODS === #

    def action_export_file(self):
        """Hand these debtors out as a finished XLSX to print."""
        return self.env["collection.debtor.export"]._request(self)
