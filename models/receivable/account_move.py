from odoo import fields, models


class AccountMove(models.Model):
    """An entry that stands for an invoice kept elsewhere."""

    _name = "account.move"
    _inherit = ["account.move", "collection.fact.mixin"]
    # What else is computed on an entry is Odoo's business.
    _guards_derived_fields = False
    _fields_of_system = frozenset({"collection_batch_id"})

    # Of open items kept elsewhere, and of what settled them there.
    collection_batch_id = fields.Many2one(
        "collection.receivable.batch",
        string="Imported with",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        groups="account_collection.group_collection_manager",
    )
