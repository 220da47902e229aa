from odoo import fields, models


class CollectionHandoverItem(models.Model):
    """One open item in a hand-over: a row of the file, as it was then."""

    _name = "collection.handover.item"
    _description = "Item in a Hand-over"
    _inherit = ["collection.fact.mixin", "collection.item.holder"]
    _is_of_system = True
    _order = "line_id, due_date, id"
    _check_company_auto = True

    line_id = fields.Many2one("collection.handover.line", required=True, readonly=True, index=True, ondelete="cascade")
    handover_id = fields.Many2one(related="line_id.handover_id", store=True, index=True)
    company_id = fields.Many2one(related="line_id.company_id", store=True)
    reference = fields.Char(required=True, readonly=True)
    # Emptied when an entry is deleted: what the provider was given stays known.
    move_line_id = fields.Many2one(
        "account.move.line", check_company=True, string="Journal Item", readonly=True, ondelete="set null", index=True
    )
    name = fields.Char(string="Number", readonly=True)
    date = fields.Date(readonly=True)
    due_date = fields.Date(readonly=True)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    company_currency_id = fields.Many2one(related="company_id.currency_id", string="Company Currency")
    amount = fields.Monetary(string="To Claim", readonly=True, help="What could be claimed of it then.")
    company_amount = fields.Monetary(string="In Company Currency", currency_field="company_currency_id", readonly=True)

    _reference_unique = models.UniqueIndex("(reference)", "This reference was given already.")
