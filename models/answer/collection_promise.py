from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, formatLang
from odoo.tools.misc import format_date

from ...const import PAYMENT_METHODS
from ...tools.metrics import VOID_STATES
from ...tools.workdays import add_bank_days

# Shares that are computed over a group, of the promises that were due.
KEPT_SHARES = ("kept_share", "kept_amount_share")


class CollectionPromise(models.Model):
    """What a customer promised to pay, by when and how; judged on the cash that came in.

    Once it is judged, withdrawn or renegotiated, the note may still be written, nothing else.
    """

    _name = "collection.promise"
    _description = "Promise to Pay"
    _inherit = [
        "collection.reach.mixin",
        "collection.state.mixin",
        "collection.contact.mixin",
        "collection.customer.mail.mixin",
    ]
    _order = "date desc, id desc"
    _check_company_auto = True
    _contact_fields = ("contact_id",)
    _state_transitions = {
        "open": ("kept", "partly", "broken", "cancelled", "replaced"),
        # A payment that is booked late, or allocated late, still redeems the promise.
        "broken": ("kept", "partly"),
        # A payment that is unreconciled or returned unpaid keeps nothing.
        "partly": ("kept", "broken"),
        "kept": ("open", "partly", "broken"),
    }
    _states_on_file = frozenset({"kept", "partly", "broken", "cancelled", "replaced"})
    _fields_noted = frozenset({"note"})
    _action_field = "promise_id"

    _fields_of_system = frozenset(
        {
            "settled_date",
            "cancel_reason",
            "start_partial_id",
            "promised_on",
            "user_id",
            "plan_id",
            "instalment",
            "replaced_by_id",
            "replaces_ids",
            "confirmed_on",
            "acknowledged_on",
            "reminded_on",
            "handover_id",
        }
    )
    # Renegotiated: cancel this promise and record another, so that one sees what was said when.
    _fields_said_once = frozenset({"debtor_id", "case_id", "date", "currency_id", "line_ids", "channel"})

    debtor_id = fields.Many2one("collection.debtor", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="debtor_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(related="debtor_id.partner_id", store=True, index=True)
    user_id = fields.Many2one(
        "res.users", string="Recorded by", default=lambda self: self.env.user, required=True, readonly=True
    )
    collector_id = fields.Many2one(
        "res.users",
        compute="_compute_collector_id",
        store=True,
        index="btree_not_null",
        help="Who followed the customer up when the promise was made.",
    )
    contact_id = fields.Many2one("res.partner", string="Promised by")
    promised_on = fields.Date(readonly=True, copy=False, help="The day on which the customer said so.")
    date = fields.Date(string="Promised for", required=True, tracking=True)
    deadline = fields.Date(
        compute="_compute_deadline",
        store=True,
        help="The promised date and the bank days that a payment takes to arrive.",
    )
    method = fields.Selection(PAYMENT_METHODS, required=True, default="transfer", tracking=True)
    channel = fields.Selection(selection="_selection_channel", readonly=True, help="How the customer said so.")
    note = fields.Text()
    line_ids = fields.One2many("collection.promise.line", "promise_id", string="Items")
    currency_id = fields.Many2one("res.currency", required=True)
    amount = fields.Monetary(compute="_compute_amounts", store=True, tracking=True)
    settled_amount = fields.Monetary(
        string="Received", compute="_compute_amounts", store=True, help="Cash that came in for it, in time."
    )
    company_currency_id = fields.Many2one(related="company_id.currency_id", string="Company Currency")
    company_amount = fields.Monetary(
        string="Amount in Company Currency",
        currency_field="company_currency_id",
        compute="_compute_company_amount",
        store=True,
    )
    company_settled_amount = fields.Monetary(
        string="Received in Company Currency",
        currency_field="company_currency_id",
        compute="_compute_company_settled_amount",
        store=True,
    )
    company_pending_amount = fields.Monetary(
        string="Still to come",
        currency_field="company_currency_id",
        compute="_compute_company_pending_amount",
        store=True,
        help="Of an open promise, what has not come in yet, in company currency.",
    )
    kept_share = fields.Float(
        string="Kept (%)",
        compute="_compute_kept_share",
        digits=(16, 1),
        aggregator="avg",
        help="Of the promises whose deadline has passed, how many were kept. Withdrawn and renegotiated ones don't "
        "count.",
    )
    kept_amount_share = fields.Float(
        string="Kept (% of Amount)",
        compute="_compute_kept_share",
        digits=(16, 1),
        aggregator="avg",
        help="Of what was promised for a day that has passed, how much came in by then.",
    )
    state = fields.Selection(
        [
            ("open", "Pending"),
            ("kept", "Kept"),
            ("partly", "Partly kept"),
            ("broken", "Broken"),
            ("replaced", "Renegotiated"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        readonly=True,
        default="open",
        index=True,
        tracking=True,
        copy=False,
    )
    settled_date = fields.Date(string="Judged on", readonly=True, copy=False)
    cancel_reason = fields.Char(readonly=True, copy=False)
    start_partial_id = fields.Integer(
        string="Last Reconciliation before", readonly=True, help="Only newer reconciliations can keep this promise."
    )

    # == In several payments, or renegotiated ==
    plan_id = fields.Many2one(
        "collection.promise.plan",
        check_company=True,
        string="Payment Plan",
        readonly=True,
        index="btree_not_null",
        copy=False,
    )
    instalment = fields.Integer(string="Payment", readonly=True, copy=False, aggregator=None)
    replaced_by_id = fields.Many2one(
        "collection.promise",
        check_company=True,
        string="Renegotiated as",
        readonly=True,
        index="btree_not_null",
        copy=False,
        help="What the customer promised later in place of this.",
    )
    replaces_ids = fields.One2many("collection.promise", "replaced_by_id", readonly=True, copy=False)

    # == In writing ==
    confirmed_on = fields.Date(
        string="Confirmation sent", readonly=True, copy=False, help="The customer was written what they promised."
    )
    acknowledged_on = fields.Date(
        string="Acknowledged in Writing",
        readonly=True,
        copy=False,
        tracking=True,
        help="The customer answered the confirmation; the answer stands below. A debt that is acknowledged in writing "
        "is hard to contest, and in many countries the time after which it can't be claimed any more starts anew (in "
        "France: article 2240 of the Civil Code).",
    )
    remind_before = fields.Boolean(
        string="Remind the Day before",
        copy=False,
        help="The customer gets an e-mail on the last working day before the promised date, once.",
    )
    reminded_on = fields.Date(string="Reminded", readonly=True, copy=False)

    # === COMPUTE METHODS === #

    @api.model
    def _selection_channel(self):
        return self.env["collection.action"]._fields["channel"]._description_selection(self.env)

    # Recorded as it was: a debtor that changes hands takes no promise along.
    @api.depends("debtor_id")
    def _compute_collector_id(self):
        for promise in self:
            promise.collector_id = promise.case_id.collector_id or promise.debtor_id.collector_id or promise.user_id

    @api.depends("company_amount", "settled_amount", "amount")
    def _compute_company_settled_amount(self):
        for promise in self:
            share = promise.settled_amount / promise.amount if promise.amount else 0
            promise.company_settled_amount = promise.company_currency_id.round(promise.company_amount * share)

    @api.depends("state", "company_amount", "company_settled_amount")
    def _compute_company_pending_amount(self):
        for promise in self:
            pending = promise.company_amount - promise.company_settled_amount if promise.state == "open" else 0.0
            promise.company_pending_amount = max(pending, 0.0)

    @api.depends("state", "deadline", "amount", "settled_amount")
    def _compute_kept_share(self):
        for promise in self:
            is_due = promise._is_due()
            promise.kept_share = 100.0 if is_due and promise.state == "kept" else 0.0
            promise.kept_amount_share = (
                100 * min(promise.settled_amount / promise.amount, 1) if is_due and promise.amount else 0.0
            )

    @api.depends("partner_id", "amount", "currency_id", "date")
    def _compute_display_name(self):
        for promise in self:
            promise.display_name = self.env._(
                "%(customer)s: %(amount)s for %(date)s",
                customer=promise.partner_id.name or "",
                amount=formatLang(self.env, promise.amount, currency_obj=promise.currency_id),
                date=format_date(self.env, promise.date) or "",
            )

    @api.depends("line_ids.amount", "line_ids.settled_amount")
    def _compute_amounts(self):
        for promise in self:
            promise.amount = sum(promise.line_ids.mapped("amount"))
            promise.settled_amount = sum(promise.line_ids.mapped("settled_amount"))

    @api.depends("line_ids.company_amount")
    def _compute_company_amount(self):
        for promise in self:
            promise.company_amount = sum(promise.line_ids.mapped("company_amount"))

    @api.depends("date", "company_id")
    def _compute_deadline(self):
        for promise in self:
            company = promise.company_id
            promise.deadline = promise.date and add_bank_days(
                promise.date, company.collection_promise_grace_days, company.country_id.code
            )

    # EXTENDS base: shares over a group are those of the whole group, and of what was due
    def _read_group_select(self, aggregate_spec, query):
        name, _separator, function = aggregate_spec.partition(":")
        if name not in KEPT_SHARES or function != "avg":
            return super()._read_group_select(aggregate_spec, query)
        state, settled, amount, deadline = (
            self._field_to_sql(self._table, column, query)
            for column in ("state", "company_settled_amount", "company_amount", "deadline")
        )
        due = SQL("(%s NOT IN %s AND %s < %s)", state, VOID_STATES, deadline, self.env.company._collection_today())
        if name == "kept_share":
            return SQL(
                "100.0 * COUNT(*) FILTER (WHERE %s AND %s = 'kept') / NULLIF(COUNT(*) FILTER (WHERE %s), 0)",
                due,
                state,
                due,
            )
        return SQL(
            "100.0 * SUM(LEAST(%s, %s)) FILTER (WHERE %s) / NULLIF(SUM(%s) FILTER (WHERE %s), 0)",
            settled,
            amount,
            due,
            amount,
            due,
        )

    # === CONSTRAINT METHODS === #

    @api.constrains("date")
    def _check_date(self):
        for promise in self:
            if promise.date < promise.company_id._collection_today():
                raise ValidationError(
                    self.env._(
                        "%s is in the past: a promise needs the day on which the customer will pay.",
                        format_date(self.env, promise.date),
                    )
                )

    @api.constrains("debtor_id", "line_ids")
    def _check_lines(self):
        for promise in self:
            if not promise.line_ids:
                raise ValidationError(self.env._("Choose at least one open item that the customer promised to pay."))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        promises = super().create(vals_list)
        last_partial_id = self.env.company._get_collection_last_partial_id()
        for promise in promises:
            promise.sudo().write(
                {
                    "start_partial_id": last_partial_id,
                    "promised_on": promise.company_id._collection_today(),
                    **self._prepare_origin(),
                }
            )
            promise.debtor_id.message_post(body=promise._get_message())
        # One reads the debtor right after: what is promised is not claimable any more.
        promises.debtor_id._synchronize_own()
        return promises

    @api.ondelete(at_uninstall=False)
    def _unlink_except_on_file(self):
        raise UserError(self.env._("What a customer promised stays on file: cancel the promise instead."))

    # === ACTION METHODS === #

    def action_renegotiate(self):
        """Open the dialogue that records what the customer promises in place of these."""
        promises = self.plan_id.promise_ids | self
        replaced = promises.filtered(lambda promise: promise._can_be_replaced()) or self._raise_not_replaceable()
        items = replaced.line_ids.move_line_id
        items = items.browse(items._get_collection_owed())
        action = self.debtor_id._action_open_dialog(
            "collection.promise.record",
            self.env._("Renegotiate a promise"),
            default_replaces_ids=replaced.ids,
            default_move_line_ids=items.ids,
            default_method=self[:1].method,
            default_contact_id=self[:1].contact_id.id,
        )
        return action

    def action_send_confirmation(self):
        """Write to the customer what they promised. Once."""
        self.check_access("write")
        for promise in self.filtered(lambda promise: promise.state == "open" and not promise.confirmed_on):
            if not promise.confirmed_on:  # those of one plan go together
                promise._send_confirmation()

    def action_not_acknowledged(self):
        """Reset the acknowledgement: the customer's answer confirms nothing (an automatic reply, a refusal)."""
        self.check_access("write")
        for promise in self.filtered("acknowledged_on"):
            promise.sudo().acknowledged_on = False
            promise.message_post(body=self.env._("%s read the answer: it acknowledges nothing.", self.env.user.name))

    def action_cancel(self):
        """Withdraw promises that were recorded by mistake: they count neither as kept nor as broken."""
        self.check_access("write")
        changed = self.sudo()._set_state("cancelled", cancel_reason=self.env._("Withdrawn by %s", self.env.user.name))
        for promise in changed:
            promise.debtor_id.message_post(body=self.env._("Promise withdrawn: %s", promise.display_name))
        self.debtor_id._synchronize_own()

    # === BUSINESS METHODS === #

    @api.model
    def _get_due_domain(self, company):
        """Return the domain of the promises of a company that count in what customers keep (see ``_is_due``)."""
        return (
            Domain("company_id", "=", company.id)
            & Domain("state", "not in", VOID_STATES)
            & Domain("deadline", "<", company._collection_today())
        )

    def _is_due(self):
        """Return whether this promise counts in what customers keep: its deadline has passed and it still stands."""
        self.ensure_one()
        return (
            self.state not in VOID_STATES
            and bool(self.deadline)
            and self.deadline < self.company_id._collection_today()
        )

    def _can_be_replaced(self):
        """Return whether the customer may promise something else instead: not once it was kept or given up."""
        self.ensure_one()
        return self.state in ("open", "broken", "partly") and not self.replaced_by_id

    def _raise_not_replaceable(self):
        raise UserError(self.env._("This promise was kept, withdrawn or renegotiated already: record another."))

    def _set_replaced(self):
        """Set open promises to ``replaced`` because others are being recorded in their place.

        Those that were broken stay so: they count.
        """
        if not all(promise._can_be_replaced() for promise in self):
            self._raise_not_replaceable()
        self.sudo().filtered(lambda promise: promise.state == "open")._set_state("replaced")

    def _link_replacement(self, promise):
        """Link these promises to the one that replaces them, and post it on both threads.

        :param promise: the (first) new promise.
        """
        self.sudo().write({"replaced_by_id": promise.id})
        for replaced in self:
            replaced.message_post(body=self.env._("Renegotiated as %s", promise._get_html_link()))
            promise.message_post(body=self.env._("Replaces %s", replaced._get_html_link()))

    def _get_message(self):
        """Return the sentence that stands on the debtor's thread."""
        self.ensure_one()
        return self.env._(
            "Promise to pay %(amount)s on %(date)s by %(method)s%(contact)s, for %(items)s",
            amount=formatLang(self.env, self.amount, currency_obj=self.currency_id),
            date=format_date(self.env, self.date),
            method=dict(self._fields["method"]._description_selection(self.env))[self.method].lower(),
            contact=self.env._(", said %s", self.contact_id.name) if self.contact_id else "",
            items=", ".join(self.line_ids.mapped("name")),
        )
