from odoo import fields, models


class CollectionAction(models.Model):
    """A contact that led to a promise or a dispute, or to the reason why nothing was paid."""

    _inherit = "collection.action"

    reason_id = fields.Many2one("collection.reason", string="Reason for Non-Payment", ondelete="restrict")
    promise_id = fields.Many2one("collection.promise", check_company=True, ondelete="restrict", index="btree_not_null")
    dispute_id = fields.Many2one("collection.dispute", check_company=True, ondelete="restrict", index="btree_not_null")
