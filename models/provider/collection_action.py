from odoo import models


class CollectionAction(models.Model):
    """A contact that an outside caller may have had."""

    _name = "collection.action"
    _inherit = ["collection.action", "collection.provider.mixin"]
