from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, formatLang

from ...tools.plain_html import to_html

# The role without which nobody can open a dispute that is given to them.
OWNER_GROUP = "account_collection.group_collection_dispute_owner"
# Shares that are computed over a group, of the disputes that somebody decided.
CUSTOMER_SHARES = ("customer_share", "customer_amount_share")


class CollectionDispute(models.Model):
    """A customer contests part of what is owed; somebody, often outside accounting, must solve it.

    Once it is closed nothing of it changes: what comes later stands in its messages.
    """

    _name = "collection.dispute"
    _description = "Dispute"
    _inherit = [
        "collection.reach.mixin",
        "collection.state.mixin",
        "collection.customer.mail.mixin",
        "mail.activity.mixin",
    ]
    _order = "date_deadline, id desc"
    _check_company_auto = True
    _state_transitions = {"open": ("accepted", "rejected", "cancelled")}

    _states_on_file = frozenset({"accepted", "rejected", "cancelled"})
    _action_field = "dispute_id"

    _fields_of_system = frozenset(
        {
            "closed_date",
            "opened_on",
            "start_partial_id",
            "is_escalated",
            "user_id",
            "credit_note_ids",
            "credit_asked_on",
            "told_on",
            "handover_id",
        }
    )
    _fields_said_once = frozenset({"debtor_id", "case_id", "currency_id", "line_ids"})

    debtor_id = fields.Many2one("collection.debtor", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="debtor_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(
        related="debtor_id.partner_id", string="Customer", store=True, index=True, related_sudo=True
    )
    reason_id = fields.Many2one(
        "collection.reason",
        required=True,
        ondelete="restrict",
        domain="[('opens_dispute', '=', True)]",
        tracking=True,
    )
    family = fields.Selection(related="reason_id.family", store=True, index=True)
    resolution_action = fields.Selection(related="reason_id.resolution_action")
    description = fields.Text(help="What the customer says, in their words.")
    user_id = fields.Many2one(
        "res.users", string="Recorded by", default=lambda self: self.env.user, required=True, readonly=True
    )
    owner_id = fields.Many2one(
        "res.users",
        required=True,
        tracking=True,
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        help="Who solves it. Needs the role “Dispute owner”, and no accounting rights.",
    )
    opened_on = fields.Date(readonly=True, copy=False)
    date_deadline = fields.Date(string="To solve by", required=True, tracking=True)
    is_late = fields.Boolean(compute="_compute_is_late", search="_search_is_late")
    is_escalated = fields.Boolean(
        string="Escalated", readonly=True, copy=False, help="Somebody was told that it is late."
    )
    line_ids = fields.One2many("collection.dispute.line", "dispute_id", string="Items")
    currency_id = fields.Many2one("res.currency", required=True)
    amount = fields.Monetary(compute="_compute_amount", store=True, tracking=True)
    company_currency_id = fields.Many2one(related="company_id.currency_id", string="Company Currency")
    company_amount = fields.Monetary(
        string="Amount in Company Currency",
        currency_field="company_currency_id",
        compute="_compute_company_amount",
        store=True,
    )
    state = fields.Selection(
        [
            ("open", "Open"),
            ("accepted", "Accepted"),
            ("rejected", "Rejected"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        readonly=True,
        default="open",
        index=True,
        tracking=True,
        copy=False,
        group_expand=True,
    )
    resolution = fields.Text(
        help="How it was solved: what the customer was told, which document was sent, what is credited."
    )
    closed_date = fields.Date(readonly=True, copy=False)
    solve_days = fields.Integer(
        string="Days to solve",
        compute="_compute_solve_days",
        store=True,
        aggregator="avg",
        help="Calendar days from the day on which it was opened to the day on which it was closed.",
    )
    customer_share = fields.Float(
        string="Customer was right (%)",
        compute="_compute_customer_share",
        digits=(16, 1),
        aggregator="avg",
        help="Of the disputes that were decided, how many were accepted.",
    )
    customer_amount_share = fields.Float(
        string="Customer was right (% of Amount)",
        compute="_compute_customer_share",
        digits=(16, 1),
        aggregator="avg",
        help="Of the amounts of disputes that were decided, how much was accepted.",
    )
    credit_note_ids = fields.Many2many(
        "account.move",
        "collection_dispute_credit_note_rel",
        "dispute_id",
        "move_id",
        check_company=True,
        string="Credit Notes",
        readonly=True,
        copy=False,
        groups="account_collection.group_collection_user,account.group_account_invoice",
    )
    credit_asked_on = fields.Date(
        string="Credit Note asked for", readonly=True, copy=False, help="Accounting was asked to make a credit note."
    )
    is_credited = fields.Boolean(
        string="Credited",
        compute="_compute_is_credited",
        store=True,
        help="Credit notes took off all that was disputed.",
    )
    told_on = fields.Date(
        string="Customer told", readonly=True, copy=False, help="The customer was written how the dispute ended."
    )
    # == What a letter to the customer needs, for owners who can't open the follow-up file ==
    lang = fields.Char(compute="_compute_letter", compute_sudo=True)
    contact_name = fields.Char(compute="_compute_letter", compute_sudo=True)
    item_names = fields.Char(string="Invoices or Entries", compute="_compute_letter", compute_sudo=True)
    start_partial_id = fields.Integer(
        string="Last Reconciliation before", readonly=True, help="Only newer credit notes count for this dispute."
    )

    # === COMPUTE METHODS === #

    @api.depends("partner_id", "reason_id", "amount", "currency_id")
    def _compute_display_name(self):
        for dispute in self:
            dispute.display_name = self.env._(
                "%(customer)s: %(reason)s, %(amount)s",
                customer=dispute.partner_id.name or "",
                reason=dispute.reason_id.name or "",
                amount=formatLang(self.env, dispute.amount, currency_obj=dispute.currency_id),
            )

    @api.depends("debtor_id", "line_ids.name")
    def _compute_letter(self):
        for dispute in self:
            dispute.lang = dispute.debtor_id.lang
            dispute.contact_name = dispute.debtor_id.contact_name
            dispute.item_names = ", ".join(name for name in dispute.line_ids.mapped("name") if name)

    @api.depends("line_ids.amount", "line_ids.settled_amount")
    def _compute_is_credited(self):
        for dispute in self:
            credited = sum(dispute.line_ids.mapped("settled_amount"))
            dispute.is_credited = (
                bool(dispute.line_ids) and dispute.currency_id.compare_amounts(credited, dispute.amount) >= 0
            )

    @api.depends("opened_on", "closed_date")
    def _compute_solve_days(self):
        for dispute in self:
            is_closed = dispute.opened_on and dispute.closed_date
            dispute.solve_days = (dispute.closed_date - dispute.opened_on).days if is_closed else 0

    @api.depends("state")
    def _compute_customer_share(self):
        for dispute in self:
            dispute.customer_share = dispute.customer_amount_share = 100.0 if dispute.state == "accepted" else 0.0

    # EXTENDS base: shares and days over a group are those of the disputes that somebody decided
    def _read_group_select(self, aggregate_spec, query):
        name, _separator, function = aggregate_spec.partition(":")
        if function != "avg" or name not in (*CUSTOMER_SHARES, "solve_days"):
            return super()._read_group_select(aggregate_spec, query)
        state, amount, days = (
            self._field_to_sql(self._table, column, query) for column in ("state", "company_amount", "solve_days")
        )
        decided = SQL("%s IN ('accepted', 'rejected')", state)
        if name == "solve_days":
            return SQL("AVG(%s) FILTER (WHERE %s)", days, decided)
        weight = amount if name == "customer_amount_share" else SQL("1")
        return SQL(
            "100.0 * COALESCE(SUM(%s) FILTER (WHERE %s = 'accepted'), 0) / NULLIF(SUM(%s) FILTER (WHERE %s), 0)",
            weight,
            state,
            weight,
            decided,
        )

    @api.depends("line_ids.amount")
    def _compute_amount(self):
        for dispute in self:
            dispute.amount = sum(dispute.line_ids.mapped("amount"))

    @api.depends("line_ids.company_amount")
    def _compute_company_amount(self):
        for dispute in self:
            dispute.company_amount = sum(dispute.line_ids.mapped("company_amount"))

    @api.depends("state", "date_deadline")
    def _compute_is_late(self):
        for dispute in self:
            dispute.is_late = (
                dispute.state == "open"
                and bool(dispute.date_deadline)
                and dispute.date_deadline < dispute.company_id._collection_today()
            )

    def _search_is_late(self, operator, value):
        if operator != "in":
            return NotImplemented
        late = Domain.OR(
            Domain("company_id", "=", company.id)
            & Domain("state", "=", "open")
            & Domain("date_deadline", "<", company._collection_today())
            for company in self.env.companies
        )
        return Domain.OR(late if flag else ~late for flag in value)

    # === CONSTRAINT METHODS === #

    @api.constrains("debtor_id", "line_ids")
    def _check_lines(self):
        for dispute in self:
            if not dispute.line_ids:
                raise ValidationError(self.env._("Choose at least one open item that the customer contests."))

    @api.constrains("owner_id")
    def _check_owner(self):
        for dispute in self:
            if not dispute.owner_id.has_group(OWNER_GROUP):
                raise ValidationError(
                    self.env._(
                        "%s could not open the dispute. Give them the role “Dispute owner” under Collections in "
                        "their user settings, or choose somebody else.",
                        dispute.owner_id.name,
                    )
                )

    @api.constrains("date_deadline")
    def _check_date_deadline(self):
        for dispute in self:
            if dispute.state == "open" and dispute.date_deadline < dispute.company_id._collection_today():
                raise ValidationError(self.env._("A dispute must be solved by a day that is still to come."))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        disputes = super().create(vals_list)
        last_partial_id = self.env.company._get_collection_last_partial_id()
        for dispute in disputes:
            dispute.sudo().write(
                {
                    "start_partial_id": last_partial_id,
                    "opened_on": dispute.company_id._collection_today(),
                    **self._prepare_origin(),
                }
            )
        for dispute in disputes:
            dispute.debtor_id.message_post(body=self.env._("Dispute opened: %s", dispute.display_name))
            dispute._ask_owner()
        disputes.debtor_id._synchronize_own()
        return disputes

    def write(self, vals):
        result = super().write(vals)
        if "date_deadline" in vals:
            self.sudo().is_escalated = False
        if "owner_id" in vals:
            for dispute in self.sudo().filtered(lambda dispute: dispute.state == "open"):
                dispute.activity_unlink(["account_collection.mail_activity_type_dispute"])
                dispute._ask_owner()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_on_file(self):
        raise UserError(self.env._("A dispute stays on file: cancel it instead."))

    # === ACTION METHODS === #

    def action_accept(self):
        """Close these disputes as accepted; request the credit notes that are still missing.

        The disputed part isn't claimed until it is credited. Disputes whose resolution is a credit note ask accounting
        for it.
        """
        self._close("accepted")
        for dispute in self.filtered(lambda dispute: dispute.resolution_action == "credit_note"):
            if not dispute.is_credited:
                dispute._request_credit_note()

    def action_reject(self):
        """Close these disputes as rejected: the disputed part is claimed again, and the follow-up resumes."""
        self._close("rejected")

    def action_cancel(self):
        """Close these disputes as withdrawn (opened by mistake, or no longer made): the part is claimed again."""
        self._close("cancelled")

    def action_send_invoice(self):
        """Send the customer the disputed invoices again, as they were."""
        self.ensure_one()
        self.check_access("write")
        invoices = self._get_invoices()
        if not invoices:
            raise UserError(self.env._("There is no invoice behind what is disputed."))
        lang = self._get_letter_contact().sudo().lang or self.lang
        files = [file for file in (move._get_collection_file(lang) for move in invoices) if file]
        if not files:
            raise UserError(self.env._("The invoices could not be printed. Send them from accounting."))
        self._send_letter(self.env.ref("account_collection.mail_template_dispute_invoice"), files)

    def action_write_customer(self):
        """Write to the customer: send a document while the dispute is open, say how it ended afterwards."""
        self.ensure_one()
        self.check_access("write")
        name = "answer" if self.state in ("accepted", "rejected") else "document"
        return self._action_write_letter(self.env.ref(f"account_collection.mail_template_dispute_{name}"))

    def action_ask_salesperson(self):
        """Ask the customer's salesperson, by an activity on the customer, whom they can open."""
        self.ensure_one()
        self.check_access("write")
        dispute = self.sudo()
        salesperson = dispute.debtor_id.salesperson_id
        if not salesperson:
            raise UserError(
                self.env._("%s has no salesperson: choose one on the customer, or ask somebody.", self.partner_id.name)
            )
        dispute.partner_id.activity_schedule(
            "mail.mail_activity_data_todo",
            date_deadline=max(self.date_deadline, self.company_id._collection_today()),
            summary=self.env._("Dispute: %s", self.reason_id.name),
            note=to_html(self._get_question()),
            user_id=salesperson.id,
        )
        self.message_post(body=self.env._("%s was asked.", salesperson.name))

    # === BUSINESS METHODS - SOLVE === #

    # EXTENDS collection.customer.mail.mixin
    def _log_letter(self, message, contact):
        result = super()._log_letter(message, contact)
        if self.state in ("accepted", "rejected"):
            self.sudo().told_on = self.company_id._collection_today()
        return result

    # === BUSINESS METHODS === #

    @api.model
    def _get_withholding_domain(self):
        """Return the domain of the disputes for which something may not be asked for: see their lines."""
        states = self.env["collection.dispute.line"]._withholding_states
        return Domain("state", "in", states) & Domain("is_credited", "=", False)

    def _close(self, state):
        """Close open disputes by hand, with the resolution that somebody wrote."""
        self.check_access("write")
        for dispute in self:
            if not (dispute.resolution or "").strip():
                raise UserError(
                    self.env._("Write first how “%s” was solved: the customer may ask.", dispute.display_name)
                )
        disputes = self.sudo()
        disputes._set_closed(state)
        disputes.debtor_id._synchronize_own()

    def _set_closed(self, state, **vals):
        """Change the state and say so on the debtor's thread."""
        today = (self.company_id[:1] or self.env.company)._collection_today()
        changed = self._set_state(state, closed_date=today, **vals)
        label = dict(self._fields["state"]._description_selection(self.env))[state]
        for dispute in changed:
            dispute.activity_ids.action_feedback(feedback=dispute.resolution or label)
            dispute.debtor_id.message_post(
                body=self.env._(
                    "Dispute %(state)s: %(name)s. %(resolution)s",
                    state=label.lower(),
                    name=dispute.display_name,
                    resolution=dispute.resolution or "",
                )
            )
        return changed

    def _ask_owner(self):
        """Schedule an activity for the owner, due on the deadline."""
        self.ensure_one()
        self.sudo().activity_schedule(
            "account_collection.mail_activity_type_dispute",
            date_deadline=self.date_deadline,
            summary=self.reason_id.name,
            note=to_html(self.description),
            user_id=self.owner_id.id,
        )

    def _get_manager(self):
        """Return the user who is notified when this dispute is overdue."""
        self.ensure_one()
        return self.campaign_id.user_id or self.company_id.collection_dispute_manager_id or self.user_id

    @api.model
    def _get_default_owner(self, reason, debtor):
        """Return who should solve a dispute: the reason's owner, else the salesperson, else the user at work.

        Who lacks the role “Dispute owner”, or may not enter the company, is passed over.
        """
        candidates = (reason.owner_id | debtor.salesperson_id).sudo()
        fitting = candidates.filtered(
            lambda user: user.has_group(OWNER_GROUP) and debtor.company_id <= user.company_ids
        )
        return fitting[:1].with_env(self.env) or self.env.user

    @api.model
    def _get_default_deadline(self, reason, company):
        """Return the day by which a dispute with this reason should be solved."""
        return company._collection_today() + timedelta(days=reason.solve_days or 0)
