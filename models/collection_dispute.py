from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import formatLang

# The role without which nobody can open a dispute that is given to them.
OWNER_GROUP = "account_collection.group_collection_dispute_owner"


class CollectionDispute(models.Model):
    """A customer contests part of what is owed; somebody, often outside accounting, must solve it."""

    _name = "collection.dispute"
    _description = "Dispute"
    _inherit = ["collection.state.mixin", "mail.thread", "mail.activity.mixin"]
    _order = "date_deadline, id desc"
    _check_company_auto = True
    _state_transitions = {"open": ("accepted", "rejected", "cancelled")}

    _fields_of_system = frozenset({"closed_date", "opened_on", "start_partial_id", "is_escalated", "user_id"})
    _fields_said_once = frozenset({"debtor_id", "case_id", "currency_id", "line_ids"})

    debtor_id = fields.Many2one("collection.debtor", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="debtor_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(
        related="debtor_id.partner_id", string="Customer", store=True, index=True, related_sudo=True
    )
    case_id = fields.Many2one("collection.case", index="btree_not_null", ondelete="restrict")
    campaign_id = fields.Many2one(related="case_id.campaign_id", store=True, index="btree_not_null")
    reason_id = fields.Many2one(
        "collection.reason",
        required=True,
        ondelete="restrict",
        domain="[('opens_dispute', '=', True)]",
        tracking=True,
    )
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

    @api.constrains("case_id", "debtor_id")
    def _check_case(self):
        self._check_case_of_debtor()

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
                {"start_partial_id": last_partial_id, "opened_on": dispute.company_id._collection_today()}
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
        """The customer is right: the disputed part stays unclaimed until it is credited."""
        self._close("accepted")

    def action_reject(self):
        """The customer is not right: the follow-up resumes."""
        self._close("rejected")

    def action_cancel(self):
        """The dispute was a mistake or is no longer made."""
        self._close("cancelled")

    # === BUSINESS METHODS === #

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
        """Give the owner an activity, to be done by the deadline."""
        self.ensure_one()
        self.sudo().activity_schedule(
            "account_collection.mail_activity_type_dispute",
            date_deadline=self.date_deadline,
            summary=self.reason_id.name,
            note=self.description or "",
            user_id=self.owner_id.id,
        )

    @api.model
    def _settle(self, date, domain=None):
        """Close disputes whose items were credited or paid, and keep count of what credit notes took off.

        :param date: the day on which one judges.
        :param domain: limits the disputes to look at.
        :return: the disputes whose state or credited part changed.
        """
        disputes = self.sudo().search(Domain("state", "in", ("open", "accepted")) & Domain(domain or []))
        unsettled = disputes.filtered(
            lambda dispute: (
                dispute.state == "open"
                or any(
                    dispute.currency_id.compare_amounts(line.settled_amount, line.amount) for line in dispute.line_ids
                )
            )
        )
        settlements = {}
        for row in self.env["account.move.line"]._get_collection_settlements(unsettled.line_ids.move_line_id):
            if not row["is_cash"]:
                settlements.setdefault(row["line_id"], []).append(row)
        changed = self.browse()
        for dispute in unsettled:
            if dispute._count_credits(settlements):
                changed |= dispute
            if dispute.state == "open":
                changed |= dispute._close_when_settled()
        return changed

    def _count_credits(self, settlements):
        """Write how much of each disputed part credit notes have taken off since.

        :param settlements: ``{item id: [non-cash settlements]}``.
        :return: whether something changed.
        """
        self.ensure_one()
        changed = False
        for line in self.line_ids:
            credited = sum(
                row["amount"]
                for row in settlements.get(line.move_line_id.id, [])
                if row["partial_id"] > self.start_partial_id
            )
            credited = min(credited, line.amount)
            if self.currency_id.compare_amounts(line.settled_amount, credited):
                line.settled_amount = credited
                changed = True
        return changed

    def _close_when_settled(self):
        """Close one open dispute when nothing is left of it; return it when its state changed."""
        self.ensure_one()
        credited = sum(self.line_ids.mapped("settled_amount"))
        if self.currency_id.compare_amounts(credited, self.amount) >= 0:
            return self._set_closed("accepted", resolution=self.resolution or self.env._("Credited."))
        if not self.line_ids.move_line_id:
            return self._set_closed("cancelled", resolution=self.resolution or self.env._("The entry was deleted."))
        if all(self.currency_id.is_zero(line._get_residual()) for line in self.line_ids):
            return self._set_closed("cancelled", resolution=self.resolution or self.env._("Paid in full."))
        return self.browse()

    @api.model
    def _escalate_late(self, date, domain=None):
        """Tell whoever recorded a dispute that it was not solved in time. Once per dispute.

        :param date: the day on which one judges.
        :param domain: limits the disputes to look at.
        :return: the disputes that were escalated.
        """
        late = self.sudo().search(
            Domain("state", "=", "open")
            & Domain("date_deadline", "<", date)
            & Domain("is_escalated", "=", False)
            & Domain(domain or [])
        )
        for dispute in late:
            dispute.activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=date,
                summary=self.env._("This dispute was not solved in time by %s", dispute.owner_id.name),
                user_id=(dispute.campaign_id.user_id or dispute.user_id).id,
            )
        late.is_escalated = True
        return late

    @api.model
    def _get_default_owner(self, reason, debtor):
        """Return who should solve a dispute: the reason's owner, else the salesperson, else the user at work.

        Who lacks the role “Dispute owner” is passed over.
        """
        candidates = (reason.owner_id, debtor.salesperson_id)
        return next((user for user in candidates if user and user.sudo().has_group(OWNER_GROUP)), self.env.user)

    @api.model
    def _get_default_deadline(self, reason, company):
        """Return the day by which a dispute with this reason should be solved."""
        return company._collection_today() + timedelta(days=reason.solve_days or 0)
