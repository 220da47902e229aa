from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, email_normalize, formatLang
from odoo.tools.misc import format_date

from ..const import PAYMENT_METHODS
from ..tools.allocation import Demand, Payment, allocate
from ..tools.metrics import VOID_STATES
from ..tools.workdays import add_bank_days, previous_bank_day

# Calendar days after its deadline during which a late booking can still redeem a promise.
REJUDGE_DAYS = 60
# Calendar days after its deadline during which a kept promise is looked at again: a direct debit that the customer
# never allowed may be sent back for 13 months (SEPA Core Direct Debit rulebook, refund of unauthorised collections).
RETURN_DAYS = 400
# Shares that are worked out over a group, of the promises that were due.
KEPT_SHARES = ("kept_share", "kept_amount_share")


class CollectionPromise(models.Model):
    """What a customer promised to pay, by when and how; judged on the cash that came in."""

    _name = "collection.promise"
    _description = "Promise to Pay"
    _inherit = ["collection.state.mixin", "collection.letter.mixin", "collection.provider.mixin"]
    _order = "date desc, id desc"
    _check_company_auto = True
    _state_transitions = {
        "open": ("kept", "partly", "broken", "cancelled", "replaced"),
        # A payment that is booked late, or allocated late, still redeems the promise.
        "broken": ("kept", "partly"),
        # A payment that is taken back or returned unpaid keeps nothing.
        "partly": ("kept", "broken"),
        "kept": ("open", "partly", "broken"),
    }
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
    case_id = fields.Many2one("collection.case", index="btree_not_null", ondelete="restrict")
    campaign_id = fields.Many2one(related="case_id.campaign_id", store=True, index="btree_not_null")
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
        "collection.promise.plan", string="Payment Plan", readonly=True, index="btree_not_null", copy=False
    )
    instalment = fields.Integer(string="Payment", readonly=True, copy=False, aggregator=None)
    replaced_by_id = fields.Many2one(
        "collection.promise",
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

    # Written down as it was: a debtor that changes hands takes no promise along.
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

    @api.constrains("case_id", "debtor_id")
    def _check_case(self):
        self._check_case_of_debtor()

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
        """Say that the answer of the customer confirms nothing: an automatic reply, a refusal."""
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

    def _make_way(self):
        """Take open promises back because others are being recorded in their place.

        Those that were broken stay so: they count.
        """
        if not all(promise._can_be_replaced() for promise in self):
            self._raise_not_replaceable()
        self.sudo().filtered(lambda promise: promise.state == "open")._set_state("replaced")

    def _link_replacement(self, promise):
        """Remember which promise was made in place of these, and say so on both threads.

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

    @api.model
    def _settle(self, date, domain=None):
        """Judge promises on the cash that came in.

        A promise is kept as soon as what was promised (or what credit notes left of it) came in,
        partly kept or broken once its deadline has passed. A payment that came in but is not yet
        allocated keeps the judgement waiting: the customer did pay. Bank statements may be booked
        late, so what was judged lately is looked at again.

        :param date: the day on which one judges, on the companies' own clock.
        :param domain: limits the promises to look at.
        :return: the promises whose state changed, or for which more or less came in than was known.
        """
        still_open = Domain("state", "=", "open")
        judged_lately = Domain("state", "in", ("broken", "partly")) & Domain(
            "deadline", ">=", date - timedelta(days=REJUDGE_DAYS)
        )
        # Money that came in may go again: taken off the invoice, or returned by the bank.
        was_paid = Domain("state", "in", ("kept", "partly")) & Domain(
            "deadline", ">=", date - timedelta(days=RETURN_DAYS)
        )
        promises = self.sudo().search((still_open | judged_lately | was_paid) & Domain(domain or []), order="date, id")
        changed = self.browse()
        for promise, receipts in promises._get_receipts().items():
            changed |= promise._judge(date, receipts)
        return changed

    def _get_receipts(self):
        """Return what came in for each promise, in the currency of its items.

        All promises on the same items are served together, in the order of their dates, so that no
        payment keeps two of them.

        :return: ``{promise: {line: (cash in time, all cash since the promise)}}``.
        """
        lines = self.line_ids
        rivals = self.env["collection.promise.line"].search(
            [("move_line_id", "in", lines.move_line_id.ids), ("promise_id.state", "not in", VOID_STATES)]
        )
        Item = self.env["account.move.line"]
        payments, returns = {}, {}
        for row in Item._get_collection_settlements(rivals.move_line_id):
            if row["is_cash"]:
                # The invoice may still look paid after the bank took the money back.
                kind = returns if row["is_returned"] else payments
                kind.setdefault(row["line_id"], []).append(Payment(row["partial_id"], row["date"], row["amount"]))
        received = {}
        rivals = rivals.sorted(lambda line: (line.promise_id.date, line.id))
        for item, demands in rivals.grouped("move_line_id").items():
            received |= allocate(
                [
                    Demand(
                        line,
                        line.amount,
                        line.promise_id.start_partial_id,
                        line.promise_id._get_first_day(),
                        line.promise_id.deadline,
                    )
                    for line in demands
                ],
                payments.get(item.id, []),
            )
        return {
            promise: {
                line: (
                    received.get(line, 0.0),
                    sum(
                        payment.amount
                        for kind in (payments, returns)
                        for payment in kind.get(line.move_line_id.id, [])
                        if payment.number > promise.start_partial_id and payment.day >= promise._get_first_day()
                    ),
                )
                for line in promise.line_ids
            }
            for promise in self
        }

    def _judge(self, date, receipts):
        """Write what came in for one promise and, when the time has come, what it was worth.

        :param date: the day on which one judges.
        :param receipts: ``{line: (cash in time, all cash since the promise)}``.
        :return: this promise when its state or what came in for it changed, else nothing.
        """
        self.ensure_one()
        if any(line._is_suspended() for line in self.line_ids):
            # Neither what came in nor what is owed is known while an invoice is being corrected.
            return self.browse()
        changed = self.browse()
        for line, (in_time, _since) in receipts.items():
            if self.currency_id.compare_amounts(line.settled_amount, in_time):
                line.settled_amount = in_time
                changed = self
        total = sum(in_time for in_time, _since in receipts.values())
        expected = self.amount
        if self.currency_id.compare_amounts(total, expected) < 0:
            # Credit notes may leave less to pay than was promised.
            expected = sum(min(line.amount, since + line._get_owed()) for line, (_in_time, since) in receipts.items())
        if self.currency_id.is_zero(expected):
            if self.state != "open":
                return changed
            reason = self.line_ids._get_end() or self.env._("Nothing was left to pay: credited or written off.")
            return changed | self._set_judgement("cancelled", date, cancel_reason=reason)
        if self.currency_id.compare_amounts(total, expected) >= 0:
            return changed | self._set_judgement("kept", date)
        if self.state in ("open", "kept") and (
            date <= self.deadline or self._get_unallocated_credit() >= expected - total
        ):
            # Kept too early, as it turned out: there is still time, or the money waits for allocation.
            return changed | self._set_judgement("open", False)
        if not self.currency_id.is_zero(total):
            return changed | self._set_judgement("partly", date)
        return changed | self._set_judgement("broken", date)

    def _set_judgement(self, state, date, **vals):
        """Change the state, say so on the debtor's thread and, after bad news, call the collector."""
        before = {promise: promise.state for promise in self}
        changed = self._set_state(state, settled_date=date, **vals)
        label = dict(self._fields["state"]._description_selection(self.env))[state]
        for promise in changed:
            body = self.env._("%(state)s: %(promise)s", state=label, promise=promise.display_name)
            if before[promise] == "kept":
                body = self.env._("%s. The payment was taken off the invoice or returned unpaid.", body)
            promise.debtor_id.message_post(body=body)
            if state in ("broken", "partly"):
                promise._schedule_follow_up()
        return changed

    def _schedule_follow_up(self):
        """Ask the collector to call after a broken promise."""
        self.ensure_one()
        candidates = (
            self.case_id.collector_id,
            self.debtor_id.collector_id,
            self.user_id,
            self.campaign_id.user_id,
        )
        collector = next((user for user in candidates if user.active), self.env.user)
        self.debtor_id.activity_schedule(
            "mail.mail_activity_data_call",
            date_deadline=self.company_id._collection_today(),
            summary=self.env._("Promise not kept: ask what happened"),
            note=self.display_name,
            user_id=collector.id,
        )

    def _get_first_day(self):
        """Return the first day on which money can be a payment of this promise.

        A transfer may have been on its way when the customer spoke, for as long as a promised one may be late.
        """
        self.ensure_one()
        return self.promised_on - timedelta(days=self.company_id.collection_promise_grace_days)

    def _get_unallocated_credit(self):
        """Return the money of this customer that waits for allocation, in the promise's currency.

        A branch may receive its money on the accounts of the company above it.
        """
        self.ensure_one()
        Line = self.env["account.move.line"].sudo()
        Debtor = self.env["collection.debtor"]
        domains = [
            Domain(Debtor._get_open_item_domain(company, self.partner_id))
            for company in self.company_id.sudo().parent_ids
        ]
        [[residual]] = Line._read_group(
            Domain.OR(domains)
            & Domain("amount_residual_currency", "<", 0)
            & Domain("currency_id", "=", self.currency_id.id)
            & Domain("date", "<=", self.deadline)
            # Money that lay there before is no payment of this promise.
            & Domain("date", ">=", self._get_first_day())
            & Domain("journal_id.type", "in", ("bank", "cash", "credit")),
            aggregates=["amount_residual_currency:sum"],
        )
        return -(residual or 0.0)

    # === BUSINESS METHODS - IN WRITING === #

    def _get_confirmed(self):
        """Return the promises that one confirmation tells of: the open ones of a plan, else this one."""
        self.ensure_one()
        together = self.plan_id.promise_ids.filtered(lambda promise: promise.state == "open")
        return (together or self).sorted("date")

    def _get_promise_table(self):
        """Return what was promised as HTML for a message, in the language of the environment."""
        return self.env["ir.qweb"]._render(
            "account_collection.promise_table",
            {
                "promises": self._get_confirmed(),
                "format_amount": lambda amount, currency: formatLang(self.env, amount, currency_obj=currency),
                "format_date": lambda date: format_date(self.env, date),
            },
        )

    # EXTENDS collection.letter.mixin
    def _get_letter_contact(self):
        contact = self.sudo().contact_id
        return contact if contact.email else super()._get_letter_contact()

    def _send_confirmation(self):
        """Write to the customer what they promised and for which day, and ask for an answer."""
        self.ensure_one()
        confirmed = self._get_confirmed()
        self._send_letter(self.env.ref("account_collection.mail_template_promise_confirmation"))
        confirmed.sudo().write({"confirmed_on": self.company_id._collection_today()})

    # EXTENDS mail
    def _message_post_after_hook(self, message, msg_values):
        """Take an answer of the customer to the confirmation as a written acknowledgement."""
        result = super()._message_post_after_hook(message, msg_values)
        # Mails come in through the gateway, which works as the system: users can't forge one.
        if self.env.su and message.message_type == "email" and self.confirmed_on and self._is_from_customer(message):
            self._acknowledge()
        return result

    def _is_from_customer(self, message):
        """Return whether somebody of the customer wrote this message."""
        customer = self.partner_id
        if message.author_id:
            return message.author_id.commercial_partner_id == customer
        address = email_normalize(message.email_from or "")
        contacts = self.env["res.partner"].search([("commercial_partner_id", "=", customer.id)])
        return bool(address) and address in contacts.mapped("email_normalized")

    def _acknowledge(self):
        """Remember that the customer answered the confirmation; one answer counts for the whole plan."""
        self.ensure_one()
        answered = (self.plan_id.promise_ids | self).filtered(
            lambda promise: promise.confirmed_on and not promise.acknowledged_on and promise.state not in VOID_STATES
        )
        answered.write({"acknowledged_on": self.company_id._collection_today()})
        if answered:
            self.debtor_id.message_post(
                body=self.env._("The customer answered the confirmation in writing: %s", self._get_html_link())
            )

    @api.model
    def _get_reminder_domain(self, company):
        """Return the domain of the open promises of a company whose customers are to be reminded now.

        Nobody is, outside of the company's hours and days of sending.
        """
        if not company._is_collection_sending_time():
            return Domain.FALSE
        today = company._collection_today()
        return (
            Domain("company_id", "=", company.id)
            & Domain("state", "=", "open")
            & Domain("remind_before", "=", True)
            & Domain("reminded_on", "=", False)
            & Domain("date", ">", today)
        )

    def _is_reminder_day(self):
        """Return whether the last working day before the promised day has come, at an hour of sending."""
        self.ensure_one()
        company = self.company_id
        return (
            previous_bank_day(self.date, company.country_id.code) <= company._collection_today() < self.date
            and company._is_collection_sending_time()
        )

    def _remind(self):
        """Remind the customer of a promise, after checking again as before any message; once, whatever comes of it.

        What may be over before the promised day (a pause, an answer nobody has read, a day on which the customer is
        closed, money on its way) makes it wait for the next run.
        """
        self.ensure_one()
        debtor = self.debtor_id
        debtor._synchronize_own()
        if self.state != "open" or debtor._is_quiet_today() or self._is_announced():
            return
        contact = debtor._get_working_contact(self._get_letter_contact())
        if problem := self._get_reminder_obstacle(contact):
            debtor.message_post(body=self.env._("No reminder of the promise was sent: %s.", problem))
        else:
            # As all that goes by itself: from the company, through the queue.
            self.with_context(mail_notify_force_send=False)._send_letter(
                self.env.ref("account_collection.mail_template_promise_reminder"),
                contact=contact,
                author=self.company_id.partner_id,
            )
        self.reminded_on = self.company_id._collection_today()

    def _get_reminder_obstacle(self, contact):
        """Return in words why the customer is not reminded of this promise at all, ``False`` when nothing is wrong.

        :param contact: who would be written to.
        """
        self.ensure_one()
        if self.debtor_id.insolvency:
            return self.env._("insolvency proceedings are open")
        if not self.debtor_id.active:
            return self.env._("the follow-up file is archived")
        if any(line._is_suspended() for line in self.line_ids):
            return self.env._("the invoice is being corrected")
        if self.currency_id.compare_amounts(self.settled_amount, self.amount) >= 0:
            return self.env._("it is paid")
        if not contact:
            return self.env._("there is no e-mail address that works")
        return False

    def _is_announced(self):
        """Return whether money on its way covers what is still to come of this promise."""
        self.ensure_one()
        company, partner, ledger = self.company_id, self.partner_id, self.env["collection.ledger"].sudo()
        self.env.flush_all()
        # What was promised is withheld from what money on its way may pay: it is asked for by itself.
        rows = ledger._read_announcements(company, partner, company._collection_today())
        ledger._identify_bank_lines(company, partner, rows)
        items = self.line_ids.move_line_id
        coming = 0.0
        for row in rows:
            moves = set(row["move_ids"] or ())
            names_it = row["item_id"] in items.ids or moves & set(items.move_id.ids)
            names_nothing = not row["item_id"] and not moves and row["partner_id"] == partner.id
            if row["currency_id"] == self.currency_id.id and (names_it or names_nothing):
                coming += row["amount"]
        missing = self.amount - self.settled_amount
        return coming > 0 and self.currency_id.compare_amounts(coming, missing) >= 0

    # === SCHEDULED ACTIONS === #

    @api.model
    def _cron_remind(self):
        """See ``collection.run``."""
        self.env["collection.run"]._cron_remind_promises()

    @api.model
    def _cron_settle(self):
        """See ``collection.run``."""
        self.env["collection.run"]._cron_settle()
