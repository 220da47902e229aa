from odoo import api, fields, models
from odoo.tools import formatLang


class CollectionPromisePlan(models.Model):
    """Several promises made at once: each date is judged for itself, and one looks at them together."""

    _name = "collection.promise.plan"
    _description = "Payment Plan"
    _inherit = ["collection.fact.mixin"]
    _is_of_system = True
    _order = "id desc"

    debtor_id = fields.Many2one("collection.debtor", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="debtor_id.company_id", store=True)
    partner_id = fields.Many2one(related="debtor_id.partner_id", string="Customer")
    currency_id = fields.Many2one("res.currency", required=True)
    promise_ids = fields.One2many("collection.promise", "plan_id", string="Payments")
    promise_count = fields.Integer(string="Number of Payments", compute="_compute_amounts")
    kept_count = fields.Integer(string="Kept", compute="_compute_amounts")
    amount = fields.Monetary(compute="_compute_amounts")
    settled_amount = fields.Monetary(string="Received", compute="_compute_amounts")
    next_date = fields.Date(string="Next Payment", compute="_compute_amounts")
    date_end = fields.Date(string="Last Payment", compute="_compute_amounts")
    state = fields.Selection(
        [
            ("running", "Running"),
            ("kept", "Kept"),
            ("broken", "Not kept"),
            ("cancelled", "Withdrawn or replaced"),
        ],
        compute="_compute_state",
    )

    # === COMPUTE METHODS === #

    @api.depends("promise_ids.amount", "promise_ids.settled_amount", "promise_ids.state", "promise_ids.date")
    def _compute_amounts(self):
        for plan in self:
            promises = plan.promise_ids
            plan.promise_count = len(promises)
            plan.kept_count = len(promises.filtered(lambda promise: promise.state == "kept"))
            plan.amount = sum(promises.mapped("amount"))
            plan.settled_amount = sum(promises.mapped("settled_amount"))
            plan.next_date = min(
                promises.filtered(lambda promise: promise.state == "open").mapped("date"), default=False
            )
            plan.date_end = max(promises.mapped("date"), default=False)

    @api.depends("promise_ids.state")
    def _compute_state(self):
        for plan in self:
            states = set(plan.promise_ids.mapped("state"))
            if "open" in states:
                plan.state = "running"
            elif states & {"broken", "partly"}:
                plan.state = "broken"
            else:
                plan.state = "kept" if "kept" in states else "cancelled"

    @api.depends("promise_ids.amount", "partner_id")
    def _compute_display_name(self):
        for plan in self:
            plan.display_name = self.env._(
                "%(customer)s: %(amount)s in %(count)s payments",
                customer=plan.partner_id.name or "",
                amount=formatLang(self.env, plan.amount, currency_obj=plan.currency_id),
                count=plan.promise_count,
            )

    # === ACTION METHODS === #

    def action_cancel(self):
        """Withdraw what is still open of a plan."""
        self.promise_ids.filtered(lambda promise: promise.state == "open").action_cancel()

    def action_renegotiate(self):
        """Record another promise or plan in place of what is open of this one."""
        self.ensure_one()
        return self.promise_ids.action_renegotiate()
