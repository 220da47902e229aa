from odoo import api, fields, models
from odoo.exceptions import UserError


class CollectionAction(models.Model):
    """A contact that a follow-up plan asked for."""

    _inherit = "collection.action"

    # == Of a follow-up plan ==

    plan_id = fields.Many2one(
        "collection.plan", check_company=True, readonly=True, index="btree_not_null", ondelete="restrict", copy=False
    )
    step_id = fields.Many2one(
        "collection.plan.step",
        check_company=True,
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        copy=False,
    )
    cycle = fields.Integer(
        readonly=True,
        copy=False,
        help="Id of the journal item that called for the step: each step is said once about each.",
    )
    planned_on = fields.Date(string="Decided on", readonly=True, copy=False)
    is_old_debt = fields.Boolean(
        readonly=True, copy=False, help="The first word about a debt that is older than the plan's start."
    )
    needs_confirmation = fields.Boolean(
        string="To Confirm", readonly=True, copy=False, help="Somebody has a look before this message is sent."
    )
    is_skipped = fields.Boolean(string="Skipped", readonly=True, copy=False, help="The plan went on without this step.")

    # == Delivery ==

    _cycle_index = models.Index("(cycle) WHERE step_id IS NOT NULL")
    _step_once = models.UniqueIndex(
        "(debtor_id, step_id, cycle) WHERE step_id IS NOT NULL AND state IN ('planned', 'done')",
        "This step was said to this customer, or is planned, already.",
    )

    # === CRUD METHODS === #

    # EXTENDS collection.state.mixin: a letter that turns into a task would be done, and said, by a click
    def write(self, vals):
        if "channel" in vals and not self._is_of_the_system():
            other = self.sudo().filtered(lambda action: action.step_id and action.channel != vals["channel"])
            if other:
                raise UserError(
                    self.env._(
                        "The plan asks for “%s” by this channel. To speak to the customer in another way, cancel it "
                        "and log that instead.",
                        other[0].step_id.name,
                    )
                )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_of_plan(self):
        if not self.env.su and any(action.step_id for action in self.sudo()):
            raise UserError(
                self.env._("A follow-up plan asks for this. Cancel it instead: then one sees why it wasn't done.")
            )

    # === ACTION METHODS === #

    def action_confirm(self):
        """Confirm messages that waited for it: they are sent."""
        self.check_access("write")
        waiting = self.filtered(lambda action: action.state == "planned" and action.needs_confirmation)
        waiting.sudo().write({"needs_confirmation": False})
        self.env.ref("account_collection.cron_plan_and_deliver").sudo()._trigger()

    def action_preview(self):
        """Show the message as the customer will see it, before anything is sent."""
        self.ensure_one()
        return self.env["collection.step.preview"]._open(self.step_id, self.debtor_id, self)

    def action_why(self):
        """Show what is decided about this customer, and why."""
        self.ensure_one()
        return self.debtor_id.action_why()
