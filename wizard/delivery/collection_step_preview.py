from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import get_lang


class CollectionStepPreview(models.TransientModel):
    """Shows any step for any customer as the customer will see it. Nothing is sent, nothing is written."""

    _name = "collection.step.preview"
    _description = "Preview of a Step"
    _inherit = "collection.dialogue.mixin"

    debtor_id = fields.Many2one(
        "collection.debtor",
        string="Customer",
        required=True,
        ondelete="cascade",
        domain="[('company_id', '=', company_id)]",
    )
    step_id = fields.Many2one(
        "collection.plan.step", required=True, ondelete="cascade", domain="[('company_id', '=', company_id)]"
    )
    action_id = fields.Many2one("collection.action", readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="step_id.company_id")
    plan_id = fields.Many2one(related="step_id.plan_id")
    channel = fields.Selection(selection="_selection_channel", compute="_compute_preview")
    says_nothing = fields.Boolean(compute="_compute_preview")
    tone = fields.Selection(related="step_id.tone")
    sender = fields.Char(compute="_compute_preview")
    reply_to = fields.Char(string="Answers go to", compute="_compute_preview")
    contact_id = fields.Many2one("res.partner", string="Goes to", compute="_compute_preview")
    address = fields.Char(compute="_compute_preview")
    lang = fields.Char(string="Language", compute="_compute_preview")
    subject = fields.Char(compute="_compute_preview")
    attachments = fields.Text(string="Attached", compute="_compute_preview")
    body = fields.Html(compute="_compute_preview", sanitize=False)
    is_due = fields.Boolean(string="Goes today", compute="_compute_reason")
    reason = fields.Text(string="Today", compute="_compute_reason")
    needs_confirmation = fields.Boolean(related="action_id.needs_confirmation")
    action_state = fields.Selection(related="action_id.state")

    # === COMPUTE METHODS === #

    @api.model
    def _selection_channel(self):
        return self.env["collection.plan.step"]._fields["channel"]._description_selection(self.env)

    @api.depends("debtor_id", "step_id", "action_id")
    def _compute_preview(self):
        for preview in self:
            values = preview._prepare_preview() if preview.debtor_id and preview.step_id else {}
            for name in (
                "channel",
                "says_nothing",
                "sender",
                "reply_to",
                "contact_id",
                "address",
                "lang",
                "subject",
                "attachments",
                "body",
            ):
                preview[name] = values.get(name, False)

    @api.depends("debtor_id", "step_id", "action_id")
    def _compute_reason(self):
        Plan = self.env["collection.plan"]
        for preview in self:
            debtor = preview.debtor_id
            if not debtor or not preview.step_id:
                preview.is_due, preview.reason = False, False
                continue
            ignored = preview._get_action()._origin
            decision = Plan._decide(debtor._origin, debtor.company_id._collection_today(), ignored_actions=ignored)
            decision = decision[debtor._origin]
            refused = preview._get_refusal()
            preview.is_due = decision.is_due and decision.step == preview.step_id._origin and not refused
            words = [Plan._describe(decision, debtor)]
            if refused:
                words.append(refused)
            if ignored.needs_confirmation and ignored.state == "planned":
                words.append(self.env._("It waits for somebody to confirm it."))
            preview.reason = "\n".join(words)

    # === ACTION METHODS === #

    def action_confirm(self):
        """Confirm the message: it is sent."""
        self.action_id.action_confirm()
        return {"type": "ir.actions.act_window_close"}

    def action_cancel(self):
        """Cancel the planned message."""
        self.action_id.action_cancel()
        return {"type": "ir.actions.act_window_close"}

    # === BUSINESS METHODS === #

    @api.model
    def _open(self, step, debtor, action=None):
        """Return the action that opens the preview.

        :param action: the planned action that it is about, if there is one.
        :raises UserError: when there is nothing to show.
        """
        if not step:
            raise UserError(self.env._("There is no step to preview: no follow-up plan applies here."))
        if not debtor:
            raise UserError(self.env._("There is no customer yet for whom to preview a step."))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Preview"),
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_step_id": step.id,
                "default_debtor_id": debtor.id,
                "default_action_id": action.id if action else False,
            },
        }

    def _get_action(self):
        """Return the planned action, as long as the preview is about its customer and its step."""
        self.ensure_one()
        action = self.action_id
        return action if (action.debtor_id, action.step_id) == (self.debtor_id, self.step_id) else action.browse()

    def _make_action(self):
        """Return an action as it would be planned, which is never stored.

        Users see what the customer will see, whatever they may read otherwise, of customers who are theirs.
        """
        self.debtor_id.check_access("read")
        debtor = self.debtor_id._origin.sudo().with_company(self.debtor_id.company_id)
        debtor = debtor.with_context(collection_is_shown=True)
        return debtor.env["collection.action"].new(
            {
                "debtor_id": debtor.id,
                "step_id": self.step_id._origin.id,
                "plan_id": self.step_id.plan_id._origin.id,
                "channel": self._get_action().channel or self.step_id.channel,
                "user_id": self.env.uid,
            }
        )

    def _get_refusal(self):
        """Return why this customer can't be reached by this channel, ``False`` when nothing is in the way."""
        action = self._make_action()
        channel = action.env["collection.channel"]._get(action.channel)
        return channel._applicable(action).get(action, False)

    def _prepare_preview(self):
        """Return the values of the fields that show the message."""
        action = self._make_action()
        channel = action.env["collection.channel"]._get(action.channel)
        channel._applicable(action)
        lang = action.env["collection.channel.email"]._get_lang(action)
        company = action.company_id
        return {
            "channel": action.channel,
            "contact_id": action.contact_id.id,
            "address": action.address,
            "lang": get_lang(self.env, lang).name,
            "says_nothing": channel._says_nothing,
            **channel.with_company(company)._preview(action.with_company(company), lang),
        }
