from odoo import api, fields, models
from odoo.exceptions import UserError

REASON_FAMILIES = [
    ("document", "Missing document"),
    ("invoice", "Invoice not received"),
    ("order", "Purchase order missing"),
    ("price", "Price"),
    ("quantity", "Quantity"),
    ("quality", "Quality"),
    ("delivery", "Delivery"),
    ("duplicate", "Duplicate"),
    ("paid", "Already paid"),
    ("cash", "Cash difficulty"),
    ("insolvency", "Insolvency"),
    ("other", "Other"),
]
RESOLUTION_ACTIONS = [
    ("send_invoice", "Send the invoice again"),
    ("send_document", "Send a document"),
    ("ask_salesperson", "Ask the salesperson"),
    ("credit_note", "Prepare a credit note"),
]


class CollectionReason(models.Model):
    _name = "collection.reason"
    _description = "Reason for Non-Payment"
    _inherit = ["collection.reach.mixin", "collection.shared.mixin"]
    _order = "sequence, name, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(help="A short name for files and integrations.", copy=False)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    opens_dispute = fields.Boolean(
        help="This reason contests what is owed: it is followed up as a dispute until somebody solved it."
    )
    family = fields.Selection(
        REASON_FAMILIES, required=True, default="other", help="What reasons are added up by in analyses."
    )
    resolution_action = fields.Selection(
        RESOLUTION_ACTIONS,
        string="What to do",
        help="The usual way to solve a dispute with this reason; its owner is told. An accepted dispute whose way is a "
        "credit note gets a draft at once, or accounting is asked for it.",
    )
    solve_days = fields.Integer(
        string="Days to Solve",
        default=10,
        help="How many calendar days the owner of a dispute has by default.",
    )
    owner_id = fields.Many2one(
        "res.users",
        string="Default Owner",
        domain="[('share', '=', False)]",
        help="Who solves disputes with this reason, often outside accounting. Empty: the customer's salesperson.",
    )

    _code_unique = models.UniqueIndex("(code) WHERE code IS NOT NULL", "Another reason has this code already.")
    _solve_days_positive = models.Constraint("CHECK(solve_days >= 0)", "The days to solve can't be negative.")

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        for model in ("collection.dispute", "collection.action", "collection.case"):
            if self.env[model].sudo().search_count([("reason_id", "in", self.ids)], limit=1):
                raise UserError(self.env._("This reason was given by customers. Archive it instead."))

    # EXTENDS collection.shared.mixin
    def _get_shared(self):
        return self
