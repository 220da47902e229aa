from odoo import api, fields, models


class CollectionReceivableBatch(models.Model):
    """A column of imported lists of open items: the contract."""

    _inherit = "collection.receivable.batch"

    @api.model
    def _get_headings(self):
        return {**super()._get_headings(), "example_contract": ("Contract", "Contract number", "N° contrat")}

    @api.model
    def _get_text_meanings(self):
        return (*super()._get_text_meanings(), "example_contract")


class CollectionReceivableColumn(models.Model):
    _inherit = "collection.receivable.column"

    meaning = fields.Selection(selection_add=[("example_contract", "Framework contract")])


class CollectionReceivableLine(models.Model):
    """New customers are made with what the column says."""

    _inherit = "collection.receivable.line"

    example_contract = fields.Char(string="Framework Contract", readonly=True)

    def _prepare_customer(self):
        return {**super()._prepare_customer(), "example_contract": self.example_contract or False}
