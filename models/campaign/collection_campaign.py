from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command

from ...const import COMPANY_SIZES, PAYER_PROFILES

TEAM_GROUP = "account_collection.group_collection_team"


class CollectionCampaign(models.Model):
    """A period in which a team contacts a frozen set of debtors, and the result of it.

    Once it is closed or cancelled nothing of it changes, since its recap was printed; what is to be noted stands in its
    messages. Who is in, the company and the first day are frozen from the start on.
    """

    _name = "collection.campaign"
    _description = "Follow-up Campaign"
    _inherit = [
        "collection.reach.mixin",
        "collection.filter.mixin",
        "collection.state.mixin",
        "mail.thread",
        "mail.activity.mixin",
    ]
    _order = "date_start desc, id desc"
    _check_company_auto = True
    _filters = {"scope_domain": "collection.debtor"}
    _state_initial = "draft"
    _state_transitions = {
        "draft": ("prepared", "cancelled"),
        "prepared": ("draft", "running", "cancelled"),
        "running": ("closed", "cancelled"),
    }

    _states_on_file = frozenset({"closed", "cancelled"})
    _fields_frozen_in = {"running": frozenset({"company_id", "debtor_ids", "date_start"})}
    _fields_of_system = frozenset(
        {
            "started_on",
            "closed_on",
            "start_partial_id",
            "end_partial_id",
            "start_line_id",
            "final_figures",
            "is_end_announced",
            "case_ids",
        }
    )

    name = fields.Char(required=True, tracking=True)
    company_id = fields.Many2one("res.company", required=True, index=True, default=lambda self: self.env.company)
    currency_id = fields.Many2one(related="company_id.currency_id")
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("prepared", "Prepared"),
            ("running", "Running"),
            ("closed", "Closed"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        readonly=True,
        default="draft",
        index=True,
        tracking=True,
        copy=False,
    )
    date_start = fields.Date(
        string="From", required=True, default=lambda self: self._default_date_start(), tracking=True, copy=False
    )
    date_end = fields.Date(
        string="To", required=True, default=lambda self: self._default_date_end(), tracking=True, copy=False
    )
    user_id = fields.Many2one(
        "res.users",
        check_company=True,
        string="In charge",
        required=True,
        default=lambda self: self.env.user,
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        tracking=True,
    )
    member_ids = fields.Many2many(
        "res.users",
        check_company=True,
        string="Team",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        default=lambda self: self.env.user,
        help="Cases are shared out over the team. A customer's own collector keeps the customer.",
    )
    goal_amount = fields.Monetary(string="Goal", help="How much money should come in by the end.")
    note = fields.Html(string="Instructions", help="What the team should know: what to ask, what may be agreed.")

    # == Scope ==
    min_amount = fields.Monetary(string="To claim at least", default=1.0)
    max_amount = fields.Monetary(string="To claim at most", help="0: no limit.")
    min_days_late = fields.Integer(string="Days late at least", default=1)
    max_days_late = fields.Integer(string="Days late at most", help="0: no limit.")
    min_score = fields.Integer(string="Score at least")
    payer_profile = fields.Selection(PAYER_PROFILES, help="Empty: all profiles.")
    company_size = fields.Selection(COMPANY_SIZES, help="Empty: all sizes.")
    salesperson_ids = fields.Many2many(
        "res.users", "collection_campaign_salesperson_rel", string="Salespersons", help="Empty: all customers."
    )
    scope_domain = fields.Char(string="More Conditions", default="[]")
    max_debtors = fields.Integer(string="Customers at most", help="What the team can do in the period. 0: no limit.")
    small_share = fields.Integer(
        string="Kept for Small Debts (%)",
        default=20,
        help="When the number of customers is limited: share of the places that goes to small debts, which are "
        "paid quickly when somebody asks. The company sets what is small.",
    )
    debtor_ids = fields.Many2many(
        "collection.debtor",
        string="Customers in Scope",
        check_company=True,
        copy=False,
        help="Who is in. Until the start, customers can be taken out or added by hand.",
    )
    scope_problem = fields.Char(compute="_compute_scope", help="Why it can't be said who is in.")
    scope_count = fields.Integer(string="Customers", compute="_compute_scope")
    scope_amount = fields.Monetary(string="Amount to Claim", compute="_compute_scope")

    # == Frozen at the start ==
    started_on = fields.Date(readonly=True, copy=False)
    closed_on = fields.Date(readonly=True, copy=False)
    start_partial_id = fields.Integer(
        string="Last Reconciliation before", readonly=True, copy=False, help="Newer ones are results of the campaign."
    )

    end_partial_id = fields.Integer(
        string="Last Reconciliation within", readonly=True, copy=False, help="Newer ones came after the closing."
    )

    final_figures = fields.Json(
        readonly=True, copy=False, help="How these customers stood before and after, written down at the closing."
    )
    start_line_id = fields.Integer(
        string="Last Journal Item before",
        readonly=True,
        copy=False,
        help="Newer ones of the same entries replace old ones.",
    )
    is_end_announced = fields.Boolean(readonly=True, copy=False)

    # == Progress ==
    case_ids = fields.One2many("collection.case", "campaign_id", string="Cases")
    case_count = fields.Integer(compute="_compute_progress")
    open_case_count = fields.Integer(compute="_compute_progress")
    to_contact_count = fields.Integer(compute="_compute_progress")
    initial_amount = fields.Monetary(string="Overdue at the Start", compute="_compute_progress")
    collected_amount = fields.Monetary(string="Collected", compute="_compute_progress")
    promised_amount = fields.Monetary(string="Promised", compute="_compute_progress")
    disputed_amount = fields.Monetary(string="Disputed", compute="_compute_progress")
    residual_amount = fields.Monetary(string="Still Owed", compute="_compute_progress")
    collected_share = fields.Float(string="Collected (%)", compute="_compute_progress")
    goal_share = fields.Float(string="Goal reached (%)", compute="_compute_progress")
    contacted_share = fields.Float(string="Worked on (%)", compute="_compute_progress")
    overlap_warning = fields.Char(compute="_compute_overlap_warning")

    _period = models.Constraint("CHECK(date_end >= date_start)", "A campaign can't end before it starts.")
    _small_share_range = models.Constraint(
        "CHECK(small_share BETWEEN 0 AND 100)", "The share kept for small debts must be between 0 and 100 %."
    )

    # === DEFAULT METHODS === #

    @api.model
    def _default_date_start(self):
        return self.env.company._collection_today()

    @api.model
    def _default_date_end(self):
        return self.env.company._collection_today() + relativedelta(days=30)

    # === COMPUTE METHODS === #

    @api.depends(
        "debtor_ids",
        "state",
        "company_id",
        "min_amount",
        "max_amount",
        "min_days_late",
        "max_days_late",
        "min_score",
        "payer_profile",
        "company_size",
        "salesperson_ids",
        "scope_domain",
        "max_debtors",
        "small_share",
    )
    def _compute_scope(self):
        Debtor = self.env["collection.debtor"]
        for campaign in self:
            # One filter that can't be read must not close the list of campaigns.
            is_draft = campaign.state == "draft"
            campaign.scope_problem = is_draft and campaign._find_filter_problem("scope_domain")
            if is_draft and not campaign.scope_problem:
                debtors = campaign._get_scope()
            elif campaign.state == "prepared":
                debtors = campaign.debtor_ids
            else:
                debtors = Debtor
            [[count, amount]] = Debtor._read_group(
                [("id", "in", debtors.ids)], aggregates=["__count", "claimable_amount:sum"]
            )
            campaign.scope_count = count
            campaign.scope_amount = amount

    @api.depends("case_ids.state", "goal_amount")
    def _compute_progress(self):
        totals = {
            campaign: values
            for campaign, *values in self.env["collection.case"]._read_group(
                [("campaign_id", "in", self.ids)],
                ["campaign_id"],
                [
                    "__count",
                    "initial_amount:sum",
                    "collected_amount:sum",
                    "promised_amount:sum",
                    "disputed_amount:sum",
                    "residual_amount:sum",
                ],
            )
        }
        counts = {}
        for campaign, state, count in self.env["collection.case"]._read_group(
            [("campaign_id", "in", self.ids)], ["campaign_id", "state"], ["__count"]
        ):
            counts.setdefault(campaign, {})[state] = count
        # Somebody else calls those who are with a provider.
        for campaign, count in self.env["collection.case"]._read_group(
            [
                ("campaign_id", "in", self.ids),
                ("state", "=", "to_contact"),
                ("debtor_id.handover_id", "!=", False),
            ],
            ["campaign_id"],
            ["__count"],
        ):
            counts[campaign]["to_contact"] -= count
        for campaign in self:
            count, initial, collected, promised, disputed, residual = totals.get(campaign, (0, 0, 0, 0, 0, 0))
            states = counts.get(campaign, {})
            campaign.case_count = count
            campaign.open_case_count = count - states.get("closed", 0)
            campaign.to_contact_count = states.get("to_contact", 0)
            campaign.initial_amount = initial
            campaign.collected_amount = collected
            campaign.promised_amount = promised
            campaign.disputed_amount = disputed
            campaign.residual_amount = residual
            campaign.collected_share = 100 * collected / initial if initial else 0.0
            campaign.goal_share = 100 * collected / campaign.goal_amount if campaign.goal_amount else 0.0
            campaign.contacted_share = 100 * (count - states.get("to_contact", 0)) / count if count else 0.0

    @api.depends("state", "debtor_ids")
    def _compute_overlap_warning(self):
        Case = self.env["collection.case"]
        for campaign in self:
            groups = []
            if campaign.state == "prepared":
                groups = Case._read_group(
                    [
                        ("debtor_id", "in", campaign.debtor_ids.ids),
                        ("campaign_id.state", "=", "running"),
                        ("state", "!=", "closed"),
                    ],
                    ["campaign_id"],
                    ["__count"],
                )
            campaign.overlap_warning = bool(groups) and self.env._(
                "Some customers are followed up already: %s. They keep their collector, and nobody gets two reminders.",
                ", ".join(f"{other.name} ({count})" for other, count in groups),
            )

    # === CONSTRAINT METHODS === #

    @api.constrains("member_ids", "state")
    def _check_members(self):
        for campaign in self:
            if campaign.state in ("prepared", "running") and not campaign.member_ids:
                raise ValidationError(
                    self.env._("“%s” needs a team: choose who contacts the customers.", campaign.name)
                )

    # === CRUD METHODS === #

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        return [
            {**vals, "name": self.env._("%s (copy)", campaign.name)}
            for campaign, vals in zip(self, vals_list, strict=True)
        ]

    @api.ondelete(at_uninstall=False)
    def _unlink_except_with_history(self):
        if any(campaign.state not in ("draft", "prepared") for campaign in self):
            raise UserError(self.env._("A campaign that was started stays on file: its recap may be asked for."))

    # === ACTION METHODS === #

    def action_prepare(self):
        """Fill the scope from the filters, so that one can look at it and take customers out."""
        for campaign in self:
            campaign._prepare_scope()

    def action_draft(self):
        """Go back to the filters."""
        self._set_state("draft", debtor_ids=[Command.clear()])

    def action_start(self):
        """Freeze scope and amounts, and make one case per customer."""
        for campaign in self:
            campaign._start()
        return self.action_view_kanban() if len(self) == 1 else True

    def action_close(self):
        """End the campaign: settle its results for good."""
        for campaign in self:
            campaign._close()

    def action_cancel(self):
        """Cancel a campaign: its cases close, its contacts stay on file."""
        for campaign in self:
            if campaign.state == "running":
                self.env["collection.debtor"].sudo()._synchronize(campaign.company_id, campaign.case_ids.partner_id)
            campaign.case_ids.filtered(lambda case: case.state != "closed")._close(
                "open", self.env._("The campaign was cancelled.")
            )
            campaign._set_state("cancelled", **campaign._prepare_end())

    def action_preview(self):
        """Show who is in, best first."""
        self.ensure_one()
        debtors = self._get_scope() if self.state == "draft" else self.debtor_ids
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Who is in: %s", self.name),
            "res_model": "collection.debtor",
            "view_mode": "list,form",
            "domain": [("id", "in", debtors.ids)],
            "context": {"create": False},
        }

    def action_view_cases(self):
        """Open the cases of this campaign as a list."""
        return {**self.action_view_kanban(), "view_mode": "list,kanban,form", "views": False}

    def action_view_kanban(self):
        """Open the kanban of this campaign's cases."""
        self.ensure_one()
        action = self.env["ir.actions.actions"]._for_xml_id("account_collection.collection_case_action")
        return {
            **action,
            "display_name": self.name,
            "domain": [("campaign_id", "=", self.id)],
            "context": {"group_by": "state", "default_campaign_id": self.id},
        }

    def action_hand_over(self):
        """Open the dialogue that hands the open cases of this campaign over to an outside caller."""
        self.ensure_one()
        return self.case_ids.filtered(lambda case: case.state != "closed").action_hand_over()

    def action_view_handovers(self):
        """Open what of this campaign was handed over to outside callers."""
        self.ensure_one()
        return {
            **self.env["ir.actions.actions"]._for_xml_id("account_collection.collection_handover_action"),
            "domain": [("campaign_id", "=", self.id)],
            "context": {"default_campaign_id": self.id},
        }

    def action_print_recap(self):
        """Print the recap as PDF."""
        return self.env.ref("account_collection.action_report_campaign_recap").report_action(self)

    def action_export_recap(self):
        """Download the recap as XLSX."""
        self.ensure_one()
        return {"type": "ir.actions.act_url", "url": f"/account_collection/recap/{self.id}", "target": "download"}

    # === BUSINESS METHODS - LIFE === #

    def _close(self):
        """Settle the results for good: what comes in later is no result of this campaign."""
        self.ensure_one()
        if self.state == "closed":
            raise UserError(self.env._("“%s” is closed already.", self.name))
        if self.state != "running":
            raise UserError(self.env._("“%s” was never started: cancel it instead.", self.name))
        self.env["collection.debtor"].sudo()._synchronize(self.company_id, self.case_ids.partner_id)
        open_cases = self.case_ids.filtered(lambda case: case.state != "closed")
        for (result, note), cases in open_cases.grouped(lambda case: case._get_result()).items():
            cases._close(result, note)
        self._set_state("closed", **self._prepare_end())
        self.message_post(body=self.env._("Campaign closed. The recap can be printed."))

    def _prepare_end(self):
        """Return what is recorded when a campaign ends: the day, and which reconciliations still count."""
        self.ensure_one()
        return {
            "closed_on": self.company_id._collection_today(),
            "end_partial_id": self.company_id._get_collection_last_partial_id(),
            "final_figures": self.env["collection.recap"]._measure(self.sudo()) if self.started_on else False,
        }

    # === SCHEDULED ACTIONS === #

    @api.model
    def _cron_calendar(self):
        """See ``collection.run``."""
        self.env["collection.run"]._cron_campaign_calendar()

    def _get_calendar_step(self):
        """Return the name of the method that the calendar asks for today, ``False`` when it asks for nothing."""
        self.ensure_one()
        today = self.company_id._collection_today()
        if self.state == "running":
            if self.date_end < today:
                return "_close"
            ends_soon = self.date_end <= today + timedelta(days=3)
            return "_remind_end" if ends_soon and not self.is_end_announced else False
        return "_start" if self.state == "prepared" and self.date_start <= today <= self.date_end else False

    def _run_calendar_step(self, method):
        """Do what the calendar asks for one campaign; notify the person in charge when it can't be done."""
        self.ensure_one()
        campaign = self.with_company(self.company_id)
        try:
            with self.env.cr.savepoint():
                getattr(campaign, method)()
        except UserError as error:
            campaign._ask_user_in_charge(str(error))

    def _remind_end(self):
        """Notify the person in charge, once, that the campaign ends soon."""
        self.sudo().is_end_announced = True
        self._ask_user_in_charge(
            self.env._("The campaign ends soon: %s customers are still to be contacted.", self.to_contact_count)
        )

    def _ask_user_in_charge(self, message):
        """Schedule an activity for the person in charge, unless the same one is open already."""
        if not self.activity_ids.filtered(lambda activity: activity.summary == message):
            self.activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=self.company_id._collection_today(),
                summary=message,
                user_id=self.user_id.id,
            )

    # === BUSINESS METHODS - RECAP === #

    def _recap(self):
        """Return the recap of this campaign as a plain Python object: see ``report/recap/build.py``."""
        self.ensure_one()
        return self.env["collection.recap"]._build(self)
