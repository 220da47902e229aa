from odoo import api, fields, models

from odoo.addons.account_collection.tools.handover import make_key


class CollectionProviderStatement(models.Model):
    """Another kind of what a provider says: the number of an order. It is recorded once, however often it is sent."""

    _inherit = "collection.provider.statement"

    kind = fields.Selection(selection_add=[("example_order", "Order number")], ondelete={"example_order": "cascade"})


class CollectionProviderImportLine(models.Model):
    """The column “Order number”, read, shown and recorded on the follow-up file."""

    _inherit = "collection.provider.import.line"

    @api.model
    def _parse_row(self, parser, row):
        parsed = super()._parse_row(parser, row)
        order = parsed.texts.get("example_order")
        if order and len(order) < 4:
            parsed.errors.append(self.env._("“%s” is too short for an order number.", order))
        elif order:
            parsed.answer["example_order"] = order
        return parsed

    @api.model
    def _get_parts(self, answer):
        parts = super()._get_parts(answer)
        if answer.get("example_order"):
            parts["example_order"] = make_key(answer.get("item"), answer["example_order"])
        return parts

    @api.model
    def _describe(self, row, new):
        words = super()._describe(row, new)
        if "example_order" in new:
            words = f"{words} {self.env._('Order number: %s.', row.answer['example_order'])}".strip()
        return words

    def _record_said(self, importer):
        result = super()._record_said(importer)
        for row in importer.said.get("example_order", ()):
            importer.debtor.message_post(body=self.env._("Order number: %s.", row.answer["example_order"]))
        return result
