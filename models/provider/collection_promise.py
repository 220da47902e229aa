from odoo import models


class CollectionPromise(models.Model):
    """A promise that an outside caller may have been given."""

    _name = "collection.promise"
    _inherit = ["collection.promise", "collection.provider.mixin"]
