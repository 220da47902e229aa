from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...tools import cadence


class CollectionPlanStep(models.Model):
    """One step of a follow-up plan: when, by which channel, in which words, to whom."""

    _name = "collection.plan.step"
    _description = "Follow-up Step"
    _inherit = ["collection.reach.mixin"]
    _order = "plan_id, delay, id"
    _check_company_auto = True

    plan_id = fields.Many2one("collection.plan", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="plan_id.company_id", store=True)
    currency_id = fields.Many2one(related="plan_id.currency_id")
    name = fields.Char(required=True, translate=True)
    delay = fields.Integer(
        string="Days after the Due Date",
        required=True,
        help="Calendar days; below zero for a courtesy message before the due date.",
    )
    channel = fields.Selection(
        [("email", "E-mail"), ("letter", "Letter"), ("sms", "SMS"), ("call", "Call"), ("task", "Task")],
        required=True,
        default="email",
    )
    tone = fields.Selection(
        [("courtesy", "Courtesy"), ("neutral", "Neutral"), ("firm", "Firm"), ("formal", "Formal notice")],
        required=True,
        default="neutral",
        help="How the message is worded. Shown to whoever calls, and printed on letters.",
    )
    is_automatic = fields.Boolean(
        string="Automatic",
        default=True,
        help="Otherwise somebody confirms each message before it is sent.",
    )
    template_id = fields.Many2one(
        "mail.template",
        string="Text",
        domain="[('model', '=', 'collection.debtor'), ('is_collection_text', '=', True)]",
        ondelete="restrict",
        help="What the e-mail or the letter says, in each language.",
    )
    sms_template_id = fields.Many2one(
        "sms.template",
        string="SMS Text",
        domain="[('model', '=', 'collection.debtor'), ('is_collection_text', '=', True)]",
        ondelete="restrict",
    )
    script = fields.Html(
        string="Call Script",
        translate=True,
        help="What to say and to ask on the telephone, in a neutral tone. Read in the customer's language.",
    )
    recipient = fields.Selection(
        [("reminder", "Contact for reminders"), ("escalation", "Contact for escalation"), ("legal", "Legal contact")],
        string="Goes to",
        required=True,
        default="reminder",
        help="When the customer has no such contact, the contact for reminders gets it.",
    )
    fallback = fields.Selection(
        selection="_selection_fallback",
        string="Without an Address",
        required=True,
        default="call",
        help="What happens when no contact of the customer can be reached by this channel. "
        "The customer's other contacts are tried first.",
    )
    attach_invoices = fields.Selection(
        [("no", "None"), ("missing", "Not sent before"), ("all", "All")],
        string="Invoices attached",
        required=True,
        default="missing",
    )
    attach_statement = fields.Boolean(
        string="Statement attached", help="A statement of the open items goes along as PDF."
    )
    min_amount = fields.Monetary(
        string="From an Amount of", help="Customers who owe less skip this step. In company currency; 0: everybody."
    )
    awaits_run = fields.Boolean(
        string="Before the Payment Run",
        help="Waits, ten days at most, until three days before the day on which the customer pays.",
    )
    patience = fields.Integer(
        string="Days to do it",
        default=10,
        help="For what people must do or confirm: after so many days the plan goes on without it.",
    )
    active = fields.Boolean(default=True)
    action_count = fields.Integer(string="Done", compute="_compute_action_count")
    day_label = fields.Char(string="Day", compute="_compute_day_label")
    channel_label = fields.Html(compute="_compute_channel_label", sanitize=False)
    text_name = fields.Char(compute="_compute_text_name")

    # == What its channel is, for screens (see ``collection.channel``) ==
    is_message = fields.Boolean(compute="_compute_channel_flags")
    is_for_people = fields.Boolean(compute="_compute_channel_flags")
    says_nothing = fields.Boolean(compute="_compute_channel_flags")
    can_attach = fields.Boolean(compute="_compute_channel_flags")
    has_template = fields.Boolean(compute="_compute_channel_flags")
    needs_template = fields.Boolean(compute="_compute_channel_flags")
    has_sms_template = fields.Boolean(compute="_compute_channel_flags")
    needs_sms_template = fields.Boolean(compute="_compute_channel_flags")

    _delay_unique = models.UniqueIndex(
        "(plan_id, delay) WHERE active IS TRUE", "Two steps of a plan can't fall on the same day: change one of them."
    )
    _delay_range = models.Constraint(
        "CHECK(delay BETWEEN -60 AND 730)", "A step lies between 60 days before and two years after the due date."
    )
    _patience_positive = models.Constraint("CHECK(patience > 0)", "Give people at least one day to do a step.")

    # === COMPUTE METHODS === #

    @api.depends("name", "delay")
    def _compute_display_name(self):
        for step in self:
            step.display_name = f"{step._get_day_label()} {step.name or ''}"

    @api.depends("delay")
    def _compute_day_label(self):
        for step in self:
            step.day_label = step._get_day_label()

    @api.depends("channel")
    def _compute_channel_label(self):
        labels = dict(self._fields["channel"]._description_selection(self.env))
        for step in self:
            step.channel_label = self._get_channel_icon(step.channel) + labels.get(step.channel, "")

    @api.depends(lambda self: ["channel", *self._get_text_fields()])
    def _compute_text_name(self):
        for step in self:
            text = step._get_channel()._get_text(step)
            step.text_name = text.sudo().display_name if text else False

    @api.depends("channel", "fallback")
    def _compute_channel_flags(self):
        for step in self:
            channel = step._get_channel()
            known = step.fallback in dict(self._selection_fallback()) and step.fallback != "none"
            texts = {channel._text_field, step._get_channel(step.fallback)._text_field if known else None}
            step.is_message = channel._is_message
            step.is_for_people = not channel._is_sent_by_odoo
            step.says_nothing = channel._says_nothing
            step.can_attach = channel._can_attach
            step.needs_template = channel._text_field == "template_id"
            step.has_template = "template_id" in texts
            step.needs_sms_template = channel._text_field == "sms_template_id"
            step.has_sms_template = "sms_template_id" in texts

    @api.model
    def _selection_fallback(self):
        """Return what may take the place of a message that reaches nobody: each channel that ``_can_replace``."""
        labels = self.env["collection.action"]._get_channel_labels()
        names = self.env["collection.channel"]._get_names("_can_replace")
        return [("none", self.env._("Go on without it")), *((name, labels[name]) for name in names)]

    @api.model
    def _get_text_fields(self):
        """Return the fields that hold the texts of steps, each once, whatever their channel."""
        Channel = self.env["collection.channel"]
        return sorted({Channel._get(name)._text_field for name in Channel._get_names()} - {None})

    def _compute_action_count(self):
        counts = dict(
            self.env["collection.action"]._read_group(
                [("step_id", "in", self.ids), ("state", "=", "done")], ["step_id"], ["__count"]
            )
        )
        for step in self:
            step.action_count = counts.get(step, 0)

    # === CONSTRAINT METHODS === #

    @api.constrains(lambda self: ("channel", "active", *self._get_text_fields()))
    def _check_text(self):
        for step in self.filtered("active"):
            if not step._get_channel()._can_say(step):
                if step.needs_sms_template:
                    raise ValidationError(self.env._("“%s” has nothing to say: choose an SMS text.", step.name))
                raise ValidationError(self.env._("“%s” has nothing to say: choose a text.", step.name))

    @api.constrains("fallback")
    def _check_fallback(self):
        """The channels are known once all addons are there: the database has no list of them."""
        known = dict(self._selection_fallback())
        for step in self:
            if step.fallback not in known:
                raise ValidationError(
                    self.env._("“%s”: choose another channel for customers without an address.", step.name)
                )

    @api.constrains("template_id", "sms_template_id")
    def _check_purpose_of_text(self):
        """A step says what was written for customers: nothing else is put together with the rights of the system."""
        self.template_id._check_is_collection_text()
        self.sms_template_id._check_is_collection_text()

    @api.constrains("channel", "delay", "active")
    def _check_before_due(self):
        for step in self.filtered("active"):
            if step.delay < 0 and not step.is_message:
                raise ValidationError(
                    self.env._("“%s”: before the due date one writes a courtesy message, nothing else.", step.name)
                )

    # === CRUD METHODS === #

    def write(self, vals):
        moved = {step: step.delay for step in self if "delay" in vals and step.delay != vals["delay"]}
        result = super().write(vals)
        for step, delay in moved.items():
            step._move_levels(delay)
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        if self.env["collection.action"].sudo().search_count([("step_id", "in", self.ids)], limit=1):
            raise ValidationError(
                self.env._("This step was carried out: archive it instead, so that what was said stays readable.")
            )

    # === ACTION METHODS === #

    def action_preview(self):
        """Show this step as a customer of the plan will see it."""
        self.ensure_one()
        debtor_ids = [
            debtor_id
            for debtor_id, plan_id in self.env["collection.plan"]._get_plan_ids(self.company_id).items()
            if plan_id == self.plan_id.id
        ]
        Debtor = self.env["collection.debtor"]
        in_company = [("company_id", "=", self.company_id.id)]
        debtor = Debtor.search([*in_company, ("id", "in", debtor_ids)], order="claimable_amount DESC, id", limit=1)
        debtor = debtor or Debtor.search(in_company, order="claimable_amount DESC, id", limit=1)
        return self.env["collection.step.preview"]._open(self, debtor)

    # === BUSINESS METHODS === #

    def _get_day_label(self):
        """Return the day of the step as people say it, for example “D+8”."""
        self.ensure_one()
        return self.env._("D%+d", self.delay)

    @api.model
    def _get_channel_icon(self, channel):
        """Return the icon of a channel as HTML."""
        icon = self.env["collection.channel"]._get(channel)._icon
        return Markup('<i class="fa fa-fw %s me-1" aria-hidden="true"></i>') % icon

    def _move_levels(self, delay):
        """Move the levels that this step reached along when its day changes, so that it isn't repeated.

        :param int delay: the day before the change.
        """
        self.ensure_one()
        Item = self.env["collection.action.item"].sudo()
        Item.search([("action_id.plan_id", "=", self.plan_id.id), ("level", "=", delay)]).write({"level": self.delay})

    def _to_cadence(self):
        """Return the step as the plain computation of decisions knows it."""
        self.ensure_one()
        return cadence.Step(self.id, self.delay, self.min_amount, self.awaits_run)

    def _get_channel(self, channel=None):
        """Return the channel by which this step, or an action of it, speaks.

        :param str channel: another one, for a fallback.
        """
        return self.env["collection.channel"]._get(channel or self.channel)

    def _leave_channel(self):
        """Speak by telephone instead: the channel of these steps is about to go, with the addon that brought it.

        A courtesy message before the due date is nothing to call for: such a step is archived. For ``ondelete`` of a
        channel, see ``collection.channel``.
        """
        self.filtered(lambda step: step.delay < 0).write({"active": False})
        self.write({"channel": "call"})
