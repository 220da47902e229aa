from odoo import api, models


class CollectionHandoverFile(models.AbstractModel):
    """A column that goes out to providers, the contract, and one that they fill in, the order number."""

    _inherit = "collection.handover.file"

    @api.model
    def _get_sent_keys(self):
        return (*super()._get_sent_keys(), "example_contract")

    @api.model
    def _get_answers(self):
        return (*super()._get_answers(), "example_order")

    @api.model
    def _get_titles(self):
        return {
            **super()._get_titles(),
            "example_contract": self.env._("Framework contract"),
            "example_order": self.env._("Order number"),
        }

    @api.model
    def _get_explanations(self):
        return {
            **super()._get_explanations(),
            "example_contract": self.env._("The contract under which was ordered."),
            "example_order": self.env._("The order number that the customer misses on the invoice."),
        }

    @api.model
    def _get_aliases(self):
        return {**super()._get_aliases(), "example_order": ("PO number",)}

    @api.model
    def _prepare_row_values(self, line, item):
        values = super()._prepare_row_values(line, item)
        return {**values, "example_contract": line.debtor_id.partner_id.example_contract}
