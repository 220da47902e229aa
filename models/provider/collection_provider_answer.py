from odoo import fields, models

KINDS = [
    ("call", "Call"),
    ("promise", "Promise"),
    ("dispute", "Dispute"),
    ("contact", "Contact"),
    ("note", "Note"),
]


class CollectionProviderStatement(models.Model):
    """A result that was imported from a provider; recorded once, however often it is sent.

    The key is made of what was said; the database lets it in once per customer of a hand-over.
    """

    _name = "collection.provider.statement"
    _description = "Taken back from a Provider"
    _inherit = ["collection.fact.mixin"]
    _is_of_system = True
    _order = "id"
    _check_company_auto = True

    line_id = fields.Many2one("collection.handover.line", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="line_id.company_id", store=True)
    kind = fields.Selection(KINDS, required=True, readonly=True)
    key = fields.Char(required=True, readonly=True)
    import_id = fields.Many2one(
        "collection.provider.import", check_company=True, readonly=True, index=True, ondelete="restrict"
    )

    _said_once = models.UniqueIndex("(line_id, kind, key)", "This was taken back already.")
