from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import formatLang
from odoo.tools.misc import format_date

from ..tools.allocation import Demand, Payment, allocate
from ..tools.workdays import add_bank_days

PAYMENT_METHODS = [
    ("transfer", "Bank transfer"),
    ("cheque", "Cheque"),
    ("card", "Card"),
    ("debit", "Direct debit"),
    ("bill", "Bill of exchange"),
    ("cash", "Cash"),
    ("other", "Other"),
]
# Calendar days after its deadline during which a late booking can still redeem a promise.
REJUDGE_DAYS = 60


class CollectionPromise(models.Model):
    """What a customer promised to pay, by when and how; judged on the cash that came in."""

    _name = "collection.promise"
    _description = "Promise to Pay"
    _inherit = ["collection.state.mixin", "mail.thread"]
    _order = "date desc, id desc"
    _check_company_auto = True
    _state_transitions = {
        "open": ("kept", "partly", "broken", "cancelled"),
        # A payment that is booked late, or allocated late, still redeems the promise.
        "broken": ("kept", "partly"),
        "partly": ("kept",),
    }

    _fields_of_system = frozenset({"settled_date", "cancel_reason", "start_partial_id", "promised_on", "user_id"})
    # Renegotiated: cancel this promise and record another, so that one sees what was said when.
    _fields_said_once = frozenset({"debtor_id", "case_id", "date", "currency_id", "line_ids"})

    debtor_id = fields.Many2one("collection.debtor", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="debtor_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(related="debtor_id.partner_id", store=True, index=True)
    case_id = fields.Many2one("collection.case", index="btree_not_null", ondelete="restrict")
    campaign_id = fields.Many2one(related="case_id.campaign_id", store=True, index="btree_not_null")
    user_id = fields.Many2one(
        "res.users", string="Recorded by", default=lambda self: self.env.user, required=True, readonly=True
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
    state = fields.Selection(
        [
            ("open", "Open"),
            ("kept", "Kept"),
            ("partly", "Partly kept"),
            ("broken", "Broken"),
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

    # === COMPUTE METHODS === #

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
                {"start_partial_id": last_partial_id, "promised_on": promise.company_id._collection_today()}
            )
            promise.debtor_id.message_post(body=promise._get_message())
        # One reads the debtor right after: what is promised is not claimable any more.
        promises.debtor_id._synchronize_own()
        return promises

    @api.ondelete(at_uninstall=False)
    def _unlink_except_on_file(self):
        raise UserError(self.env._("What a customer promised stays on file: cancel the promise instead."))

    # === ACTION METHODS === #

    def action_cancel(self):
        """Withdraw promises that were recorded by mistake or renegotiated: they count neither as kept nor as broken."""
        self.check_access("write")
        changed = self.sudo()._set_state("cancelled", cancel_reason=self.env._("Withdrawn by %s", self.env.user.name))
        for promise in changed:
            promise.debtor_id.message_post(body=self.env._("Promise withdrawn: %s", promise.display_name))
        self.debtor_id._synchronize_own()

    # === BUSINESS METHODS === #

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
        promises = self.sudo().search((still_open | judged_lately) & Domain(domain or []), order="date, id")
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
            [("move_line_id", "in", lines.move_line_id.ids), ("promise_id.state", "!=", "cancelled")]
        )
        payments = {}
        for row in self.env["account.move.line"]._get_collection_settlements(rivals.move_line_id):
            if row["is_cash"]:
                payments.setdefault(row["line_id"], []).append(Payment(row["partial_id"], row["date"], row["amount"]))
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
                        for payment in payments.get(line.move_line_id.id, [])
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
        changed = self.browse()
        for line, (in_time, _since) in receipts.items():
            if self.currency_id.compare_amounts(line.settled_amount, in_time):
                line.settled_amount = in_time
                changed = self
        # Credit notes may leave less to pay than was promised.
        expected = sum(min(line.amount, since + line._get_residual()) for line, (_in_time, since) in receipts.items())
        total = sum(in_time for in_time, _since in receipts.values())
        if self.currency_id.is_zero(expected):
            if self.state != "open":
                return changed
            return changed | self._set_judgement(
                "cancelled", date, cancel_reason=self.env._("Nothing was left to pay: credited or written off.")
            )
        if self.currency_id.compare_amounts(total, expected) >= 0:
            return changed | self._set_judgement("kept", date)
        if self.state == "open" and (date <= self.deadline or self._get_unallocated_credit() >= expected - total):
            return changed
        if not self.currency_id.is_zero(total):
            return changed | self._set_judgement("partly", date)
        return changed | self._set_judgement("broken", date)

    def _set_judgement(self, state, date, **vals):
        """Change the state, say so on the debtor's thread and, after bad news, call the collector."""
        changed = self._set_state(state, settled_date=date, **vals)
        label = dict(self._fields["state"]._description_selection(self.env))[state]
        for promise in changed:
            promise.debtor_id.message_post(
                body=self.env._("%(state)s: %(promise)s", state=label, promise=promise.display_name)
            )
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
        """Return the money of this customer that waits for allocation, in the promise's currency."""
        self.ensure_one()
        Line = self.env["account.move.line"]
        domain = self.env["collection.debtor"]._get_open_item_domain(self.company_id, self.partner_id)
        [[residual]] = Line._read_group(
            Domain(domain)
            & Domain("amount_residual_currency", "<", 0)
            & Domain("currency_id", "=", self.currency_id.id)
            & Domain("date", "<=", self.deadline)
            # Money that lay there before is no payment of this promise.
            & Domain("date", ">=", self._get_first_day())
            & Domain("journal_id.type", "in", ("bank", "cash", "credit")),
            aggregates=["amount_residual_currency:sum"],
        )
        return -(residual or 0.0)

    # === SCHEDULED ACTIONS === #

    @api.model
    def _cron_settle(self):
        """Judge promises and disputes of all companies, and bring their cases in line."""
        IrCron = self.env["ir.cron"]
        companies = self.env["res.company"].sudo().search([("active", "=", True)])
        IrCron._commit_progress(remaining=len(companies))
        for done, company in enumerate(companies, start=1):
            today = company._collection_today()
            scope = [("company_id", "=", company.id)]
            self = self.with_context(lang=company.partner_id.lang)  # noqa: PLW0642 - what is written is for its people
            promises = self.with_company(company)._settle(today, scope)
            disputes = self.env["collection.dispute"].with_company(company)
            debtors = promises.debtor_id | disputes._settle(today, scope).debtor_id
            disputes._escalate_late(today, scope)
            if debtors:
                self.env["collection.debtor"]._refresh(company, debtors.partner_id)
            self.env["collection.case"].with_company(company)._settle(today, company)
            if not IrCron._commit_progress(1, remaining=len(companies) - done):
                break
