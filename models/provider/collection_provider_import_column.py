from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CollectionProviderImportColumn(models.Model):
    """One column of a file from a provider, and what it means."""

    _name = "collection.provider.import.column"
    _description = "Column of a File from a Provider"
    _inherit = ["collection.reach.mixin", "collection.fact.mixin"]
    _order = "sequence, id"
    _fields_of_system = frozenset({"import_id", "sequence", "name", "sample"})

    import_id = fields.Many2one("collection.provider.import", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="import_id.company_id", store=True)
    sequence = fields.Integer(readonly=True)
    name = fields.Char(string="Column", readonly=True)
    sample = fields.Char(string="Example", readonly=True)
    target = fields.Selection(selection="_selection_target", string="Means", help="Empty: not taken back.")

    @api.model
    def _selection_target(self):
        File = self.env["collection.handover.file"]
        titles = File._get_titles()
        return [(key, titles[key]) for key in ("case", "item", *File._get_answers())]

    # === CRUD METHODS === #

    def write(self, vals):
        """Also end the preview that was made with another meaning."""
        if not self._is_of_the_system():
            self.import_id._check_not_taken_back()
        result = super().write(vals)
        self.import_id._end_preview({"column_ids"} if "target" in vals and not self._is_state_guarded() else ())
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_taken_back(self):
        if not self._is_of_the_system():
            self.import_id._check_not_taken_back()
            self.import_id._end_preview({"column_ids"})

    @api.constrains("target")
    def _check_target(self):
        for record in self.import_id:
            targets = [column.target for column in record.column_ids if column.target]
            if len(targets) != len(set(targets)):
                raise ValidationError(self.env._("Two columns can't mean the same: empty one of them."))
