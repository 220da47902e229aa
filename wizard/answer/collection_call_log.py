from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import format_date

from ...const import CALL_OUTCOMES, PAYMENT_METHODS


class CollectionCallLog(models.TransientModel):
    """Records a call: who answered, what was said, and what comes next."""

    _name = "collection.call.log"
    _description = "Log a Call"
    _inherit = ["collection.dialogue.mixin", "collection.contact.mixin"]
    _contact_fields = ("contact_id",)

    debtor_id = fields.Many2one("collection.debtor", required=True, readonly=True, ondelete="cascade")
    case_id = fields.Many2one("collection.case", readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="debtor_id.company_id")
    partner_id = fields.Many2one(related="debtor_id.partner_id")
    phone = fields.Char(related="debtor_id.phone")
    currency_id = fields.Many2one(related="company_id.currency_id")
    claimable_amount = fields.Monetary(related="debtor_id.claimable_amount")
    silence_reason = fields.Char(compute="_compute_silence_reason")
    contact_id = fields.Many2one(
        "res.partner",
        string="Spoken to",
        compute="_compute_contact_id",
        compute_sudo=False,
        store=True,
        readonly=False,
        domain="[('commercial_partner_id', '=', partner_id)]",
    )
    outcome = fields.Selection(CALL_OUTCOMES, required=True, default="right_person")
    reason_id = fields.Many2one("collection.reason", string="Why it is not paid")
    note = fields.Text(string="What was said")
    next_step = fields.Selection(
        [
            ("none", "Nothing"),
            ("call", "Call again"),
            ("promise", "Record a promise to pay"),
            ("dispute", "Open a dispute"),
            ("escalate", "Escalate"),
        ],
        string="What comes next",
        required=True,
        compute="_compute_next_step",
        precompute=True,
        compute_sudo=False,
        store=True,
        readonly=False,
    )
    next_date = fields.Date(
        string="Call again on", compute="_compute_next_date", compute_sudo=False, store=True, readonly=False
    )
    promise_currency_id = fields.Many2one("res.currency", compute="_compute_promise_currency_id")
    promise_date = fields.Date(
        string="Will pay on", compute="_compute_promise_values", compute_sudo=False, store=True, readonly=False
    )
    promise_amount = fields.Monetary(
        string="Amount",
        currency_field="promise_currency_id",
        compute="_compute_promise_values",
        compute_sudo=False,
        store=True,
        readonly=False,
    )
    promise_method = fields.Selection(PAYMENT_METHODS, string="By", default="transfer")

    # === COMPUTE METHODS === #

    @api.depends("debtor_id")
    def _compute_contact_id(self):
        for wizard in self:
            wizard.contact_id = wizard.debtor_id.contact_used_id

    @api.depends("debtor_id")
    def _compute_silence_reason(self):
        """Warn before one calls; what was said is recorded in any case."""
        for wizard in self:
            debtor = wizard.debtor_id._origin
            silences = debtor._get_silences("call")[debtor] if debtor else []
            wizard.silence_reason = debtor._describe_silences(silences) if debtor else False

    @api.depends("outcome", "reason_id")
    def _compute_next_step(self):
        for wizard in self:
            if wizard.reason_id.opens_dispute:
                wizard.next_step = "dispute"
            elif wizard.outcome != "right_person":
                wizard.next_step = "call"
            else:
                wizard.next_step = wizard.next_step or "none"

    @api.depends("debtor_id", "outcome")
    def _compute_next_date(self):
        for wizard in self:
            wizard.next_date = wizard.debtor_id and self.env["collection.case"]._get_default_next_date(
                wizard.company_id
            )

    @api.depends("debtor_id")
    def _compute_promise_currency_id(self):
        for wizard in self:
            wizard.promise_currency_id = wizard._new_promise().currency_id

    @api.depends("debtor_id")
    def _compute_promise_values(self):
        for wizard in self:
            promise = wizard._new_promise()
            wizard.promise_date = promise.date
            wizard.promise_amount = promise.amount

    # === ACTION METHODS === #

    def action_confirm(self):
        """Write the call down, and what comes next. A dispute opens its own dialogue."""
        self.ensure_one()
        self = self._without_defaults()  # noqa: PLW0642
        if self.next_step == "promise":
            self._record_promise()
            return {"type": "ir.actions.act_window_close"}
        self._log()
        if self.next_step == "escalate":
            self._escalate()
        if self.next_step == "dispute":
            action = self.debtor_id.action_open_dispute()
            action["context"] |= {
                "default_case_id": self.case_id.id,
                "default_reason_id": self.reason_id.id if self.reason_id.opens_dispute else False,
                "default_description": self.note,
            }
            return action
        return {"type": "ir.actions.act_window_close"}

    # === BUSINESS METHODS === #

    def _new_promise(self, **values):
        """Return a promise dialogue in memory, with its defaults for this debtor."""
        return self.env["collection.promise.record"].new(
            {"debtor_id": self.debtor_id.id, "case_id": self.case_id.id, **values}
        )

    def _record_promise(self):
        """Record the promise; the call is logged along with it."""
        if not self.promise_date:
            raise UserError(self.env._("Say on which day the customer will pay."))
        promise = self.env["collection.promise.record"].create(
            {
                "debtor_id": self.debtor_id.id,
                "case_id": self.case_id.id,
                "contact_id": self.contact_id.id,
                "date": self.promise_date,
                "amount": self.promise_amount,
                "method": self.promise_method,
                "channel": "call",
                "reason_id": self.reason_id.id,
                "note": self.note,
            }
        )
        return promise._record()

    def _log(self):
        """Log the call and plan the next one.

        :return: the action.
        """
        self = self._without_defaults()  # noqa: PLW0642
        today = self.company_id._collection_today()
        next_date = self.next_date if self.next_step == "call" else False
        if self.next_step == "call" and (not next_date or next_date < today):
            raise UserError(self.env._("Choose a day from today on for the next call."))
        Action = self.env["collection.action"]
        action = Action._log(
            self.debtor_id,
            "call",
            case=self.case_id,
            contact_id=self.contact_id.id,
            outcome=self.outcome,
            reason_id=self.reason_id.id,
            note=self.note,
        )
        # A step of the plan that nobody could be reached for stays to be done.
        Action._cancel_planned_calls(
            self.debtor_id,
            self.env._("Called on %s.", format_date(self.env, today)),
            "called",
            keep=Action._get_planned_step(self.debtor_id, "call"),
        )
        self.debtor_id.message_post(body=self._get_message())
        summary = self.env._("Call again")
        if next_date:
            Action._plan_call(self.debtor_id, next_date, summary, case=self.case_id)
        self.env["collection.case"]._after_contact(action, next_date=next_date, next_summary=summary)
        return action

    def _escalate(self):
        """Escalate the cases of this customer."""
        cases = self.case_id or self.debtor_id.case_ids.filtered(
            lambda case: case.state != "closed" and case.campaign_id.state == "running"
        )
        if not cases:
            raise UserError(self.env._("Nobody to escalate to: this customer is in no running campaign."))
        cases.action_escalate()

    def _get_message(self):
        """Return the sentence that stands on the debtor's thread."""
        outcome = dict(self._fields["outcome"]._description_selection(self.env))[self.outcome]
        parts = [self.env._("Call: %s", outcome.lower())]
        if provider := self.env["collection.action"]._get_origin_provider():
            parts.append(self.env._("by %s", provider.name))
        if self.contact_id:
            parts.append(self.contact_id.name)
        if self.reason_id:
            parts.append(self.reason_id.name)
        if self.note:
            parts.append(self.note)
        return " – ".join(parts)
