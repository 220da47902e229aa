from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

CALL_OUTCOMES = [
    ("right_person", "Reached the right person"),
    ("someone_else", "Reached someone else"),
    ("voicemail", "Voicemail"),
    ("no_answer", "No answer"),
    ("wrong_number", "Wrong number"),
]
# Outcomes in which somebody picked up the phone.
REACHED_OUTCOMES = ("right_person", "someone_else")


class CollectionAction(models.Model):
    """One contact with a customer: the ledger of everything that was planned, said and answered.

    What was said can't be changed any more: a correction is another action.
    """

    _name = "collection.action"
    _description = "Follow-up Action"
    _inherit = ["collection.state.mixin"]
    _order = "date_planned desc, id desc"
    _check_company_auto = True
    _state_initial = "planned"
    _state_transitions = {"planned": ("done", "failed", "cancelled")}
    # What may still be written once something was said.
    _fields_after_done = {"note", "reason_id"}
    _fields_of_system = frozenset({"date_done", "result_text"})

    debtor_id = fields.Many2one("collection.debtor", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="debtor_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(related="debtor_id.partner_id", store=True, index=True)
    case_id = fields.Many2one("collection.case", index="btree_not_null", ondelete="restrict")
    campaign_id = fields.Many2one(related="case_id.campaign_id", store=True, index="btree_not_null")
    channel = fields.Selection(
        [("call", "Call"), ("email", "E-mail"), ("sms", "SMS"), ("letter", "Letter"), ("note", "Note")],
        required=True,
        default="call",
    )
    state = fields.Selection(
        [("planned", "Planned"), ("done", "Done"), ("failed", "Failed"), ("cancelled", "Cancelled")],
        required=True,
        readonly=True,
        default="planned",
        index=True,
    )
    date_planned = fields.Date(string="Planned for", required=True, default=lambda self: self._default_date_planned())
    date_done = fields.Datetime(string="Done on", readonly=True)
    user_id = fields.Many2one("res.users", string="By", required=True, default=lambda self: self.env.user)
    contact_id = fields.Many2one("res.partner", string="Spoken to")
    summary = fields.Char(help="What this action is for.")
    outcome = fields.Selection(CALL_OUTCOMES)
    is_reached = fields.Boolean(string="Somebody answered", compute="_compute_is_reached", store=True)
    reason_id = fields.Many2one("collection.reason", string="Reason for Non-Payment", ondelete="restrict")
    note = fields.Text(string="What was said")
    currency_id = fields.Many2one(related="company_id.currency_id")
    amount = fields.Monetary(string="Claimed", help="What could be claimed at that moment, in company currency.")
    promise_id = fields.Many2one("collection.promise", ondelete="restrict", index="btree_not_null")
    dispute_id = fields.Many2one("collection.dispute", ondelete="restrict", index="btree_not_null")
    mail_message_id = fields.Many2one("mail.message", string="Message", ondelete="set null")
    result_text = fields.Char(string="Why", readonly=True, help="Why this action failed or was cancelled.", copy=False)

    _due_index = models.Index("(company_id, date_planned) WHERE state = 'planned'")

    # === DEFAULT METHODS === #

    @api.model
    def _default_date_planned(self):
        return self.env.company._collection_today()

    # === COMPUTE METHODS === #

    @api.depends("channel", "partner_id", "date_planned")
    def _compute_display_name(self):
        channels = dict(self._fields["channel"]._description_selection(self.env))
        for action in self:
            action.display_name = f"{channels.get(action.channel, '')}: {action.partner_id.name or ''}"

    @api.depends("outcome")
    def _compute_is_reached(self):
        for action in self:
            action.is_reached = action.outcome in REACHED_OUTCOMES

    # === CONSTRAINT METHODS === #

    @api.constrains("case_id", "debtor_id")
    def _check_case(self):
        self._check_case_of_debtor()

    @api.constrains("outcome", "channel")
    def _check_outcome(self):
        for action in self:
            if action.outcome and action.channel != "call":
                raise ValidationError(self.env._("Only a call has an outcome such as “voicemail”."))

    # === CRUD METHODS === #

    def write(self, vals):
        frozen = vals.keys() - self._fields_after_done
        if frozen and not self._is_state_guarded() and any(action.state != "planned" for action in self):
            raise UserError(
                self.env._("What was said to a customer can't be changed any more. Log another action to correct it.")
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_done(self):
        if any(action.state in ("done", "failed") for action in self):
            raise UserError(self.env._("What was said to a customer stays on file and can't be deleted."))

    # === ACTION METHODS === #

    def action_cancel(self):
        """Drop planned actions that are no longer needed."""
        self.check_access("write")
        self._set_state("cancelled", result_text=self.env._("Cancelled by %s", self.env.user.name))

    def action_open_target(self):
        """Open the case of this action, else its debtor: where one works on it."""
        self.ensure_one()
        target = self.case_id or self.debtor_id
        return {
            "type": "ir.actions.act_window",
            "res_model": target._name,
            "res_id": target.id,
            "view_mode": "form",
        }

    # === BUSINESS METHODS === #

    @api.model
    def _log(self, debtor, channel, case=None, **vals):
        """Write down something that was just said to a customer.

        :param debtor: one debtor.
        :param str channel: how it was said.
        :param case: the case it belongs to, if any.
        :param vals: other values of the action.
        :return: the action, done.
        """
        action = self.create(
            {
                "debtor_id": debtor.id,
                "case_id": case.id if case else False,
                "channel": channel,
                "date_planned": debtor.company_id._collection_today(),
                "contact_id": debtor.contact_used_id.id,
                "amount": debtor.claimable_amount,
                **vals,
            }
        )
        action._set_state("done", date_done=fields.Datetime.now())
        return action

    @api.model
    def _plan_call(self, debtor, date, summary, case=None, user=None):
        """Plan the next call to a customer, in place of those that were planned before.

        :param date: the day of the call.
        :param str summary: what the call is for.
        """
        self._cancel_planned(debtor, self.env._("Replaced by a newer plan."))
        return self.create(
            {
                "debtor_id": debtor.id,
                "case_id": case.id if case else False,
                "channel": "call",
                "date_planned": date,
                "summary": summary,
                "user_id": (user or self.env.user).id,
            }
        )

    @api.model
    def _cancel_planned(self, debtors, reason):
        """Cancel what is planned for these debtors, with a reason that anyone can read."""
        planned = self.search([("debtor_id", "in", debtors.ids), ("state", "=", "planned")])
        planned._set_state("cancelled", result_text=reason)
