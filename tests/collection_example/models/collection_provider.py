from odoo import fields, models


class CollectionProvider(models.Model):
    """Whether the new column goes out to a provider: ``send_`` and the key of the column."""

    _inherit = "collection.provider"

    send_example_contract = fields.Boolean(string="Framework Contract")
