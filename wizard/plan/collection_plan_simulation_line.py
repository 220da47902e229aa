from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...tools import cadence


class CollectionPlanSimulationStep(models.TransientModel):
    """A copy of one step, to change it in a simulation."""

    _name = "collection.plan.simulation.step"
    _description = "Step to try"
    _inherit = "collection.dialogue.mixin"
    _order = "delay, id"

    simulation_id = fields.Many2one("collection.plan.simulation", required=True, index=True, ondelete="cascade")
    step_id = fields.Many2one("collection.plan.step", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="simulation_id.currency_id")
    delay = fields.Integer(string="Day", required=True)
    channel = fields.Selection(selection="_selection_channel", required=True)
    min_amount = fields.Monetary(string="From an Amount of")
    is_kept = fields.Boolean(string="Keep", default=True)

    # === COMPUTE METHODS === #

    @api.model
    def _selection_channel(self):
        return self.env["collection.plan.step"]._fields["channel"]._description_selection(self.env)

    # === CONSTRAINT METHODS === #

    @api.constrains("channel")
    def _check_channel(self):
        known = dict(self._selection_channel())
        if any(step.channel not in known for step in self):
            raise ValidationError(self.env._("Choose one of the channels."))

    # === BUSINESS METHODS === #

    @api.model
    def _prepare_from_step(self, step):
        """Return the values of the copy of a step."""
        return {
            "step_id": step.id,
            "delay": step.delay,
            "channel": step.channel,
            "min_amount": step.min_amount,
        }

    def _check(self):
        """Check that these steps could be a plan's.

        :raises UserError: naming the step at fault.
        """
        if not self:
            raise UserError(self.env._("Keep at least one step."))
        known = {}
        for step in self:
            if step.delay in known:
                raise UserError(
                    self.env._(
                        "“%(step)s” and “%(other)s” fall on the same day: change one of them.",
                        step=step.step_id.name,
                        other=known[step.delay].step_id.name,
                    )
                )
            known[step.delay] = step
            if not -60 <= step.delay <= 730:
                raise UserError(
                    self.env._(
                        "“%s”: a step lies between 60 days before and two years after the due date.", step.step_id.name
                    )
                )
            if step.delay < 0 and not self.env["collection.channel"]._get(step.channel)._is_message:
                raise UserError(
                    self.env._(
                        "“%s”: before the due date one writes a courtesy message, nothing else.", step.step_id.name
                    )
                )

    def _to_cadence(self):
        """Return the step as the plain computation of decisions knows it."""
        self.ensure_one()
        return cadence.Step(self.step_id.id, self.delay, self.min_amount, self.step_id.awaits_run)


class CollectionPlanSimulationLine(models.TransientModel):
    """One contact of a simulation: who, when, by which channel, about what."""

    _name = "collection.plan.simulation.line"
    _description = "Contact to come"
    _inherit = "collection.dialogue.mixin"
    _order = "date, amount desc, id"

    simulation_id = fields.Many2one("collection.plan.simulation", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    debtor_id = fields.Many2one("collection.debtor", readonly=True, ondelete="cascade")
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True, ondelete="cascade")
    collector_id = fields.Many2one("res.users", readonly=True, ondelete="set null")
    plan_id = fields.Many2one("collection.plan", readonly=True, ondelete="cascade")
    step_id = fields.Many2one("collection.plan.step", readonly=True, ondelete="cascade")
    channel = fields.Selection(selection="_selection_channel", readonly=True)
    date = fields.Date(string="Day", readonly=True)
    move_line_id = fields.Many2one("account.move.line", string="Journal Item", readonly=True, ondelete="cascade")
    item_name = fields.Char(string="Because of", readonly=True, help="The oldest item that calls for this step.")
    days_late = fields.Integer(
        readonly=True, aggregator=None, help="Of that item, on that day; below zero before the due date."
    )
    amount = fields.Monetary(
        string="To Claim", readonly=True, help="What could be claimed on that day if nobody pays, in company currency."
    )
    is_automatic = fields.Boolean(string="Automatic", readonly=True)
    is_old = fields.Boolean(
        string="Old Debt", readonly=True, help="The first word about a debt that is older than the plan's start."
    )
    status = fields.Selection(
        [
            ("same", "Same"),
            ("new", "New"),
            ("gone", "Gone"),
            ("moved", "Other day"),
            ("changed", "Other channel"),
        ],
        string="Compared",
        readonly=True,
    )
    date_before = fields.Date(string="Day before the Change", readonly=True)
    channel_before = fields.Selection(selection="_selection_channel", string="Channel before the Change", readonly=True)

    # === COMPUTE METHODS === #

    @api.model
    def _selection_channel(self):
        return self.env["collection.plan.step"]._fields["channel"]._description_selection(self.env)

    @api.depends("partner_id", "step_id")
    def _compute_display_name(self):
        for line in self:
            line.display_name = f"{line.step_id.day_label or ''} {line.partner_id.display_name or ''}"

    # === CRUD METHODS === #

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        arch, view = super()._get_view(view_id, view_type, **options)
        self.env["collection.channel"]._add_filters(arch)
        return arch, view

    # === ACTION METHODS === #

    def action_open_debtor(self):
        """Open the follow-up file of the customer."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "collection.debtor",
            "res_id": self.debtor_id.id,
            "view_mode": "form",
        }
