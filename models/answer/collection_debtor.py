from odoo import api, fields, models
from odoo.fields import Domain


class CollectionDebtor(models.Model):
    """What a customer promised and contests."""

    _inherit = "collection.debtor"

    # == What was said ==

    promise_ids = fields.One2many("collection.promise", "debtor_id", string="Promises")
    dispute_ids = fields.One2many("collection.dispute", "debtor_id", string="Disputes")
    promise_count = fields.Integer(compute="_compute_promise_count")
    promise_due_count = fields.Integer(string="Promises due so far", compute="_compute_promise_shares")
    promise_kept_share = fields.Float(
        string="Promises kept (%)", compute="_compute_promise_shares", digits=(16, 1), help="By number of promises."
    )
    promise_kept_amount_share = fields.Float(
        string="Promises kept (% of Amount)", compute="_compute_promise_shares", digits=(16, 1)
    )
    dispute_count = fields.Integer(compute="_compute_dispute_count")

    # === COMPUTE METHODS === #

    def _compute_promise_count(self):
        self._count_related("collection.promise", "promise_count")

    def _compute_dispute_count(self):
        self._count_related("collection.dispute", "dispute_count")

    @api.depends("promise_ids.state", "promise_ids.settled_amount")
    def _compute_promise_shares(self):
        shares = {}
        for company in self.company_id:
            Promise = self.env["collection.promise"].with_company(company)
            due = Promise._get_due_domain(company) & Domain("debtor_id", "in", self.ids)
            for debtor, *values in Promise._read_group(
                due, ["debtor_id"], ["__count", "kept_share:avg", "kept_amount_share:avg"]
            ):
                shares[debtor] = values
        for debtor in self:
            (
                debtor.promise_due_count,
                debtor.promise_kept_share,
                debtor.promise_kept_amount_share,
            ) = shares.get(debtor, (0, 0.0, 0.0))

    # === ACTION METHODS === #

    def action_view_promises(self):
        """Open the promises of this customer."""
        return self._action_view_related("account_collection.collection_promise_action", self.env._("Promises"))

    def action_view_disputes(self):
        """Open the disputes of this customer."""
        return self._action_view_related("account_collection.collection_dispute_action", self.env._("Disputes"))

    def action_record_promise(self):
        """Open the dialogue that records a promise to pay."""
        return self._action_open_dialog("collection.promise.record", self.env._("Record a promise to pay"))

    def action_open_dispute(self):
        """Open the dialogue that opens a dispute."""
        return self._action_open_dialog("collection.dispute.open", self.env._("Open a dispute"))
