from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_amount
from odoo.tools.misc import format_date

from ...const import COMPANY_SIZES, GRADES, PAYER_PROFILES
from ..answer.collection_promise import VOID_STATES

CASE_STATES = [
    ("to_contact", "To contact"),
    ("waiting", "Waiting"),
    ("promised", "Promised"),
    ("disputed", "Disputed"),
    ("escalated", "Escalated"),
    ("closed", "Closed"),
]
CASE_RESULTS = [
    ("paid", "Paid"),
    ("credited", "Credited or written off"),
    ("promised", "Promised"),
    ("disputed", "Disputed"),
    ("unreachable", "Unreachable"),
    ("refused", "Refuses to pay"),
    ("handed_over", "Handed to a provider"),
    ("escalated", "Escalated"),
    ("open", "Still open"),
]
OPEN_STATES = [state for state, _label in CASE_STATES if state != "closed"]


class CollectionCase(models.Model):
    """One debtor in one campaign: the card on the kanban and the form used during a call.

    Once its campaign is over nothing of it changes.
    """

    _name = "collection.case"
    _description = "Case"
    _inherit = ["collection.reach.mixin", "collection.state.mixin"]
    _order = "score desc, claimable_amount desc, id"
    _check_company_auto = True
    _state_initial = "to_contact"
    # Any open state may follow another, since each follows a fact; what is closed opens again
    # only when something is owed again or a manager says so.
    _state_transitions = {
        **{state: tuple(other for other, _label in CASE_STATES if other != state) for state in OPEN_STATES},
        "closed": ("to_contact",),
    }

    _fields_of_system = frozenset(
        {
            "is_of_merged",
            "campaign_id",
            "debtor_id",
            "company_id",
            "partner_id",
            "result",
            "result_note",
            "initial_amount",
            "initial_item_count",
            "initial_due_date",
            "initial_score",
            "initial_profile",
            "initial_size",
            "is_small",
            "item_ids",
            "collected_amount",
            "credited_amount",
            "other_amount",
            "residual_amount",
            "promised_amount",
            "disputed_amount",
            "claimable_amount",
            "oldest_due_date",
            "score",
            "grade",
            "attempt_count",
            "is_reached",
            "last_contact_date",
            "next_action_date",
            "next_action_summary",
        }
    )

    campaign_id = fields.Many2one(
        "collection.campaign", check_company=True, required=True, readonly=True, index=True, ondelete="cascade"
    )
    campaign_state = fields.Selection(related="campaign_id.state", string="Campaign State")
    debtor_id = fields.Many2one(
        "collection.debtor", check_company=True, required=True, readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one("res.partner", string="Customer", required=True, readonly=True, index=True)
    collector_id = fields.Many2one(
        "res.users", index=True, domain="[('share', '=', False), ('company_ids', 'in', company_id)]"
    )
    state = fields.Selection(
        CASE_STATES, required=True, readonly=True, default="to_contact", index=True, group_expand=True
    )
    state_days = fields.Integer(string="Days in this State", compute="_compute_state_days")
    result = fields.Selection(CASE_RESULTS, readonly=True, help="How the case ended.")
    result_note = fields.Char(string="How it ended", readonly=True)
    reason_id = fields.Many2one(
        "collection.reason", string="Reason for Non-Payment", help="What the customer gave as the reason, last time."
    )

    # == At the start, frozen ==
    initial_amount = fields.Monetary(string="Overdue at the Start", readonly=True)
    initial_item_count = fields.Integer(string="Items at the Start", readonly=True)
    initial_due_date = fields.Date(string="Oldest Due Date at the Start", readonly=True)
    initial_score = fields.Integer(string="Score at the Start", readonly=True, aggregator="avg")
    initial_profile = fields.Selection(PAYER_PROFILES, string="Profile at the Start", readonly=True)
    initial_size = fields.Selection(COMPANY_SIZES, string="Size at the Start", readonly=True)
    is_small = fields.Boolean(string="Small Debt", readonly=True)

    # == Since then ==
    item_ids = fields.One2many("collection.case.item", "case_id", string="Items", readonly=True)
    collected_amount = fields.Monetary(string="Collected", readonly=True)
    credited_amount = fields.Monetary(string="Credited", readonly=True)
    other_amount = fields.Monetary(string="Other Settlements", readonly=True)
    residual_amount = fields.Monetary(string="Still Owed", readonly=True)
    promised_amount = fields.Monetary(string="Promised", readonly=True)
    disputed_amount = fields.Monetary(string="Disputed", readonly=True)
    promise_date = fields.Date(string="Promised for", compute="_compute_promise_date")
    claimable_amount = fields.Monetary(
        string="To Claim", readonly=True, help="What may be asked of this customer today, new items included."
    )
    oldest_due_date = fields.Date(string="Overdue since", readonly=True)
    days_late = fields.Integer(compute="_compute_days_late")
    score = fields.Integer(readonly=True, aggregator="avg")
    grade = fields.Selection(GRADES, readonly=True)

    # == Contacts ==
    action_ids = fields.One2many("collection.action", "case_id", string="Actions")
    attempt_count = fields.Integer(string="Calls", readonly=True)
    is_reached = fields.Boolean(string="Right Person reached", readonly=True)
    last_contact_date = fields.Datetime(string="Last Contact", readonly=True)
    next_action_date = fields.Date(string="Next Action", readonly=True)
    next_action_summary = fields.Char(readonly=True)

    # == Case form ==
    contact_id = fields.Many2one(related="debtor_id.contact_id", string="Whom to ask for", readonly=False)
    contact_name = fields.Char(related="debtor_id.contact_name")
    phone = fields.Char(related="debtor_id.phone")
    email = fields.Char(related="debtor_id.email")
    contact_role = fields.Selection(related="debtor_id.contact_role", readonly=False)
    payment_habit = fields.Char(related="debtor_id.payment_habit", readonly=False)
    payment_days = fields.Char(related="debtor_id.payment_days", readonly=False)
    order_number_required = fields.Boolean(related="debtor_id.order_number_required")
    invoice_portal = fields.Char(related="debtor_id.invoice_portal")
    closing_days = fields.Char(related="debtor_id.closing_days")
    comment = fields.Text(related="debtor_id.comment", readonly=False)
    payer_profile = fields.Selection(related="debtor_id.payer_profile")
    company_size = fields.Selection(related="debtor_id.company_size")
    average_days_late = fields.Float(related="debtor_id.average_days_late")
    late_share = fields.Float(related="debtor_id.late_share")
    broken_promise_count = fields.Integer(related="debtor_id.broken_promise_count")
    credit_amount = fields.Monetary(related="debtor_id.credit_amount")
    last_payment_date = fields.Date(related="debtor_id.last_payment_date")
    score_explanation = fields.Html(related="debtor_id.score_explanation")
    open_item_ids = fields.Many2many(related="debtor_id.open_item_ids", string="Open Items")
    debtor_action_ids = fields.One2many(related="debtor_id.action_ids", string="History")
    promise_ids = fields.One2many(related="debtor_id.promise_ids", string="Promises")
    dispute_ids = fields.One2many(related="debtor_id.dispute_ids", string="Disputes")
    script = fields.Html(compute="_compute_script", sanitize=False)
    warning = fields.Char(compute="_compute_warning")
    other_campaigns = fields.Char(
        compute="_compute_other_campaigns",
        compute_sudo=True,
        help="Other running campaigns that this customer is in, and who works on them.",
    )

    is_of_merged = fields.Boolean(
        readonly=True,
        copy=False,
        help="The campaign was over when two of its customers were merged: both cases stay as they are.",
    )

    _campaign_debtor_unique = models.UniqueIndex(
        "(campaign_id, debtor_id) WHERE is_of_merged IS NOT TRUE", "This customer has a case in this campaign already."
    )

    # === COMPUTE METHODS === #

    @api.depends("partner_id", "campaign_id")
    def _compute_display_name(self):
        for case in self:
            case.display_name = case.partner_id.display_name

    @api.depends("state_date")
    def _compute_state_days(self):
        now = fields.Datetime.now()
        for case in self:
            case.state_days = (now - case.state_date).days if case.state_date else 0

    @api.depends("oldest_due_date")
    def _compute_days_late(self):
        today_by_company = {company: company._collection_today() for company in self.company_id}
        for case in self:
            since = case.oldest_due_date
            case.days_late = (today_by_company[case.company_id] - since).days if since else 0

    @api.depends("debtor_id.promise_ids.state", "debtor_id.promise_ids.date")
    def _compute_promise_date(self):
        dates = dict(
            self.env["collection.promise"]._read_group(
                [("debtor_id", "in", self.debtor_id.ids), ("state", "=", "open")], ["debtor_id"], ["date:min"]
            )
        )
        for case in self:
            case.promise_date = dates.get(case.debtor_id, False)

    @api.depends("debtor_id.case_ids.state", "debtor_id.case_ids.collector_id")
    def _compute_other_campaigns(self):
        cases_by_debtor = self.search(
            [("debtor_id", "in", self.debtor_id.ids), ("state", "!=", "closed"), ("campaign_id.state", "=", "running")]
        ).grouped("debtor_id")
        for case in self:
            others = cases_by_debtor.get(case.debtor_id, self.browse()) - case
            case.other_campaigns = ", ".join(
                f"{other.campaign_id.name} ({other.collector_id.name or self.env._('nobody')})" for other in others
            )

    @api.depends("debtor_id.paused_until", "debtor_id.insolvency", "debtor_id.claimable_amount", "state")
    def _compute_warning(self):
        silences = self.filtered(lambda case: case.state != "closed").debtor_id._get_silences()
        for case in self:
            case.warning = case.state != "closed" and case.debtor_id._describe_silences(silences[case.debtor_id])

    @api.depends("debtor_id.claimable_amount", "debtor_id.lang", "state", "contact_name")
    def _compute_script(self):
        for case in self:
            case.script = self.env["ir.qweb"]._render(
                "account_collection.call_script", case._prepare_script_values(), lang=case.debtor_id.lang
            )

    # === CRUD METHODS === #

    # EXTENDS collection.state.mixin: a recap that was printed stays true
    def write(self, vals):
        if vals.keys() & {"collector_id", "reason_id"}:
            for campaign in self.campaign_id.filtered(lambda campaign: campaign.state in ("closed", "cancelled")):
                raise UserError(self.env._("The campaign “%s” is over.", campaign.name))
        return super().write(vals)

    # EXTENDS collection.state.mixin
    def _filter_on_file(self):
        return self.sudo().filtered(lambda case: case.campaign_id.state in ("closed", "cancelled"))

    # EXTENDS collection.state.mixin
    def _get_on_file_refusal(self, name):
        return self.env._("The campaign “%s” is over.", self.campaign_id.name)

    # EXTENDS web: a form that one opens shows the truth of the moment
    def web_read(self, specification):
        if len(self) == 1:
            self.check_access("read")
            self.debtor_id._refresh_if_stale()
        return super().web_read(specification)

    web_read._readonly = False  # catching up writes

    @api.ondelete(at_uninstall=False)
    def _unlink_except_on_file(self):
        raise UserError(self.env._("A case stays on file: close it instead."))

    # === ACTION METHODS === #

    def action_refresh(self):
        """Read the ledger anew for the customers of these cases."""
        self.check_access("read")
        self.debtor_id._synchronize_own()

    def _action_open_dialog(self, method):
        """Open a dialogue of the debtor on behalf of this case."""
        self.ensure_one()
        self._check_open()
        action = getattr(self.debtor_id, method)()
        action["context"]["default_case_id"] = self.id
        return action

    def action_log_call(self):
        """Open the dialogue that logs a call."""
        return self._action_open_dialog("action_log_call")

    def action_record_promise(self):
        """Open the dialogue that records a promise to pay."""
        return self._action_open_dialog("action_record_promise")

    def action_open_dispute(self):
        """Open the dialogue that opens a dispute."""
        return self._action_open_dialog("action_open_dispute")

    def action_send_reminder(self):
        """Open the dialogue that previews and sends a reminder."""
        return self._action_open_dialog("action_send_reminder")

    def action_open_close_dialog(self):
        """Open the dialogue that closes the case and says how it ended."""
        self.ensure_one()
        self._check_open()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Close the case"),
            "res_model": "collection.case.close",
            "view_mode": "form",
            "target": "new",
            "context": {"default_case_id": self.id},
        }

    def action_escalate(self):
        """Escalate the case to the person in charge of the campaign."""
        for case in self:
            case._check_open()
            case._set_state("escalated")
            case.debtor_id.message_post(body=self.env._("Escalated to %s.", case.campaign_id.user_id.name))
            case.debtor_id.activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=case.company_id._collection_today(),
                summary=self.env._("Escalated: decide what to do next"),
                user_id=case.campaign_id.user_id.id,
            )

    def action_deescalate(self):
        """Give an escalated case back to its collector."""
        for case in self.filtered(lambda case: case.state == "escalated"):
            case._set_state(case._get_state_from_facts() or "to_contact")

    def action_reopen(self):
        """Work again on a case that was closed by hand."""
        for case in self:
            if case.campaign_id.state != "running":
                raise UserError(self.env._("The campaign “%s” is over.", case.campaign_id.name))
            case._set_state("to_contact", result=False, result_note=False)
        self.debtor_id._synchronize_own()

    def action_next_case(self):
        """Open the case to work on after this one: best first, not somebody else's."""
        self.ensure_one()
        next_case = self.search(self._get_worklist_domain(self.campaign_id) & Domain("id", "!=", self.id), limit=1)
        if not next_case:
            return {
                "type": "ir.actions.client",
                "tag": "display_notification",
                "params": {
                    "type": "success",
                    "message": self.env._("That was the last customer to contact in this campaign for now."),
                },
            }
        return next_case._get_form_action()

    def action_view_debtor(self):
        """Open the follow-up file of this customer."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "collection.debtor",
            "res_id": self.debtor_id.id,
            "view_mode": "form",
        }

    # === BUSINESS METHODS === #

    def _get_form_action(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "collection.case",
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    @api.model
    def _get_worklist_domain(self, campaign=None):
        """Return the domain of the cases that the current user should work on now.

        :param campaign: one campaign; all running ones when ``None``.
        """
        return (
            Domain("state", "=", "to_contact")
            & Domain("campaign_id.state", "=", "running")
            & Domain("collector_id", "in", (False, self.env.uid))
            & Domain("claimable_amount", ">", 0)
            & Domain("debtor_id.handover_id", "=", False)
            & (Domain("campaign_id", "=", campaign.id) if campaign else Domain.TRUE)
        )

    def _check_open(self):
        """Check that one may still work on these cases.

        :raises UserError: when a case or its campaign is closed.
        """
        for case in self:
            if case.campaign_id.state != "running":
                raise UserError(
                    self.env._("The campaign “%s” is not running: work from the debtor.", case.campaign_id.name)
                )
            if case.state == "closed":
                raise UserError(self.env._("This case is closed: reopen it first."))

    def _prepare_script_values(self):
        """Return what the call script needs, in the customer's language."""
        self.ensure_one()
        debtor = self.debtor_id.with_context(lang=self.debtor_id.lang)
        env = debtor.env
        claims = [
            {
                "amount": format_amount(env, claim["amount"], claim["currency"], lang_code=debtor.lang),
                "count": len([row for row in claim["rows"] if row["claimable"]]),
                "oldest": format_date(env, claim["rows"][0]["due_date"], lang_code=debtor.lang),
                "names": ", ".join(row["item"]._get_collection_name() for row in claim["rows"][:5]),
            }
            for claim in debtor._get_claim()
        ]
        # Only the last word counts: a newer promise makes up for an older one that was broken.
        promise = debtor.promise_ids.filtered(lambda promise: promise.state not in VOID_STATES).sorted("id")[-1:]
        broken = promise if promise.state in ("broken", "partly") else promise.browse()
        disputes = debtor.dispute_ids.filtered(lambda dispute: dispute.state == "open")
        step = debtor._get_planned_call_step()
        return {
            "step_name": step.name,
            "step_script": step.script,
            "contact": debtor.contact_name,
            "user": self.env.user.name,
            "company": debtor.company_id.name,
            "customer": debtor.partner_id.name,
            "claims": claims,
            "broken_promise": broken
            and {
                "amount": format_amount(env, broken.amount, broken.currency_id, lang_code=debtor.lang),
                "date": format_date(env, broken.date, lang_code=debtor.lang),
            },
            "disputes": disputes.mapped("reason_id.name"),
        }

    def _close(self, result, note=None):
        """Close cases with a result, and drop what was planned for them.

        :param str result: one of ``CASE_RESULTS``.
        :param str note: how it ended, in words.
        """
        changed = self._set_state(
            "closed", result=result, result_note=note, next_action_date=False, next_action_summary=False
        )
        actions = self.env["collection.action"].search([("case_id", "in", changed.ids), ("state", "=", "planned")])
        actions._set_state("cancelled", result_text=self.env._("The case is closed."))
        return changed

    def _get_state_from_facts(self):
        """Return the state that promises and disputes put this case in, or ``False`` when they don't."""
        self.ensure_one()
        if not self.currency_id.is_zero(self.claimable_amount):
            return False
        if self.debtor_id.promise_ids.filtered(lambda promise: promise.state == "open"):
            return "promised"
        if self.debtor_id.dispute_ids.filtered_domain(self.env["collection.dispute"]._get_withholding_domain()):
            return "disputed"
        return False

    def _get_result(self):
        """Return how a case ends that was not closed by hand: ``(result, note)``."""
        self.ensure_one()
        if self.state in ("promised", "disputed", "escalated"):
            return self.state, False
        if handover := self.debtor_id.sudo().handover_id:
            return "handed_over", handover._get_notice()
        return "unreachable" if self.attempt_count and not self.is_reached else "open", False

    def _after_contact(self, action, next_date=None, next_summary=None):
        """Update all open cases of a customer after a contact was logged.

        :param action: the ``collection.action`` that was just logged.
        :param next_date: the day of the next call, if one is wanted.
        :param str next_summary: what the next call is for.
        """
        debtor = action.debtor_id
        cases = self.sudo().search([("debtor_id", "=", debtor.id), ("state", "!=", "closed")])
        handover = debtor.sudo().handover_id
        if not next_date and handover:
            # Somebody else calls this customer meanwhile.
            next_date, next_summary = handover._get_return()
        if not next_date and (action.promise_id or action.dispute_id) and debtor.claimable_amount > 0:
            # The answer was about a part: somebody should ask about the rest in a while.
            next_date = self._get_default_next_date(debtor.company_id)
            next_summary = self.env._("Ask about the rest")
        values = {"reason_id": action.reason_id.id} if action.reason_id else {}
        if next_date:
            values |= {"next_action_date": next_date, "next_action_summary": next_summary}
        else:
            values |= {"next_action_date": False, "next_action_summary": False}
        cases.write(values)
        cases._record_contact(action)
        if action.channel == "call":
            for case in cases.filtered(lambda case: case == action.case_id):
                case.write(
                    {
                        "attempt_count": case.attempt_count + 1,
                        "is_reached": case.is_reached or action.outcome == "right_person",
                    }
                )
        today = debtor.company_id._collection_today()
        waiting = next_date and next_date > today
        for case in cases.filtered(lambda case: case.state in ("to_contact", "waiting")):
            case._set_state("waiting" if waiting else "to_contact")
        if action.promise_id or action.dispute_id:
            debtor._mark_stale()  # it was brought up to date when the answer was recorded
        else:
            debtor._synchronize_own()

    def _record_contact(self, action):
        """Update the last contact of these cases, unless theirs is later.

        What is no contact (a note, an unanswered call: see ``collection.action._get_contact_domain``) changes nothing.
        """
        if not action.filtered_domain(action._get_contact_domain()):
            return
        self.filtered(
            lambda case: not case.last_contact_date or case.last_contact_date < action.date_done
        ).last_contact_date = action.date_done

    @api.model
    def _record_contacts(self, actions):
        """Set the last contact of all open cases of these customers to now.

        :param actions: ``collection.action`` records that were just carried out, by whatever channel.
        """
        cases = self.sudo().search([("debtor_id", "in", actions.debtor_id.ids), ("state", "!=", "closed")])
        cases.write({"last_contact_date": fields.Datetime.now()})

    @api.model
    def _forget_contacts(self, debtors):
        """Recompute the last contact of open cases from the contacts that took place, after a message was lost.

        :param debtors: whose messages came back or never left.
        """
        cases = self.sudo().search(
            [("debtor_id", "in", debtors.ids), ("state", "!=", "closed"), ("last_contact_date", "!=", False)]
        )
        Action = self.env["collection.action"].sudo()
        last = dict(
            Action._read_group(
                Action._get_contact_domain() & Domain("debtor_id", "in", cases.debtor_id.ids),
                ["debtor_id"],
                ["date_done:max"],
            )
        )
        for case in cases:
            known = last.get(case.debtor_id)
            if known and known.date() < case.campaign_id.date_start:
                known = False  # of a time before this case
            if not known or known < case.last_contact_date:
                case.last_contact_date = known

    # === BUSINESS METHODS - SETTLE === #

    @api.model
    def _get_default_next_date(self, company):
        """Return the day on which one calls again when nothing else was agreed."""
        return company._collection_today() + timedelta(days=7)
