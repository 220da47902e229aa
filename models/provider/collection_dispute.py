from odoo import models


class CollectionDispute(models.Model):
    """A dispute that an outside caller may have brought back."""

    _name = "collection.dispute"
    _inherit = ["collection.dispute", "collection.provider.mixin"]
