from odoo import fields, models


class CollectionReceivableColumn(models.Model):
    """One column of a list of open items, and what it is taken for."""

    _name = "collection.receivable.column"
    _description = "Column of a List of Open Items"
    _inherit = ["collection.reach.mixin", "collection.fact.mixin"]
    _fields_of_system = frozenset({"batch_id", "sequence", "title", "sample"})
    _order = "batch_id, sequence"
    _rec_name = "title"

    batch_id = fields.Many2one(
        "collection.receivable.batch", string="Import", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="batch_id.company_id", store=True, index=True)
    sequence = fields.Integer(readonly=True)
    title = fields.Char(string="Column of the File", required=True, readonly=True)
    sample = fields.Char(string="First Values", readonly=True)
    meaning = fields.Selection(
        [
            ("customer", "Customer"),
            ("reference", "Customer reference"),
            ("vat", "VAT number"),
            ("registry", "SIREN or SIRET"),
            ("email", "E-mail"),
            ("phone", "Phone"),
            ("number", "Invoice number"),
            ("invoice_date", "Invoice date"),
            ("due_date", "Due date"),
            ("original", "Original amount"),
            ("remaining", "Remaining amount"),
            ("currency", "Currency"),
        ],
        string="Read as",
        help="Empty: the column is left out.",
    )

    # === CRUD METHODS === #

    def write(self, vals):
        """Also end the preview that was made with another meaning."""
        if not self._is_of_the_system():
            self.batch_id._check_not_on_file({"column_ids": True})
        result = super().write(vals)
        if "meaning" in vals:
            self.batch_id._end_preview({"column_ids"})
        return result
