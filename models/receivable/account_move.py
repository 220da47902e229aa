from odoo import fields, models


class AccountMove(models.Model):
    """An entry that stands for an invoice kept elsewhere."""

    _inherit = "account.move"

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
