from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ...const import PAYMENT_METHODS
from ...tools import instalments


class CollectionPromiseRecord(models.TransientModel):
    """Records what a customer promised: everything that can be claimed, unless said otherwise."""

    _name = "collection.promise.record"
    _description = "Record a Promise to Pay"
    _inherit = ["collection.dialogue.mixin", "collection.contact.mixin"]
    _contact_fields = ("contact_id",)

    debtor_id = fields.Many2one("collection.debtor", required=True, readonly=True, ondelete="cascade")
    case_id = fields.Many2one("collection.case", readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="debtor_id.company_id")
    partner_id = fields.Many2one(related="debtor_id.partner_id")
    contact_id = fields.Many2one(
        "res.partner",
        string="Promised by",
        compute="_compute_contact_id",
        compute_sudo=False,
        store=True,
        readonly=False,
        domain="[('commercial_partner_id', '=', partner_id)]",
    )
    available_line_ids = fields.Many2many("account.move.line", compute="_compute_available_line_ids")
    move_line_ids = fields.Many2many(
        "account.move.line",
        string="Items",
        compute="_compute_move_line_ids",
        compute_sudo=False,
        store=True,
        readonly=False,
        domain="[('id', 'in', available_line_ids)]",
        help="What the customer promised to pay. The amount is set against the oldest item first.",
    )
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")
    available_amount = fields.Monetary(string="Can be promised", compute="_compute_available_amount")
    amount = fields.Monetary(compute="_compute_amount", compute_sudo=False, store=True, readonly=False)
    date = fields.Date(
        string="Will pay on",
        compute="_compute_date",
        precompute=True,
        compute_sudo=False,
        store=True,
        readonly=False,
        required=True,
    )
    method = fields.Selection(PAYMENT_METHODS, required=True, default="transfer")
    channel = fields.Selection(
        selection="_selection_channel", required=True, default="call", help="How the customer said so."
    )
    reason_id = fields.Many2one("collection.reason", string="Why it was not paid")
    note = fields.Text(string="What was said")

    # == In several payments ==
    is_plan = fields.Boolean(string="In several Payments")
    instalment_count = fields.Integer(string="Number of Payments", default=3)
    interval = fields.Selection(
        [("week", "Every week"), ("fortnight", "Every two weeks"), ("month", "Every month")],
        string="Rhythm",
        default="month",
    )
    line_ids = fields.One2many(
        "collection.promise.record.line",
        "wizard_id",
        string="Payments",
        compute="_compute_line_ids",
        compute_sudo=False,
        store=True,
        readonly=False,
    )

    # == In place of others ==
    replaces_ids = fields.Many2many(
        "collection.promise",
        string="In Place of",
        domain="[('debtor_id', '=', debtor_id), ('state', 'in', ('open', 'broken', 'partly')), "
        "('replaced_by_id', '=', False)]",
        help="Renegotiated promises: those still open make way for this one, the others stay broken.",
    )
    open_promise_count = fields.Integer(compute="_compute_open_promise_count")

    # == In writing ==
    send_confirmation = fields.Boolean(
        string="Confirm by E-mail",
        help="The customer is written what they promised, and asked to answer. Their answer stays with the promise: "
        "a debt that is acknowledged in writing is hard to contest.",
    )
    remind_before = fields.Boolean(string="Remind the Day before", help="By e-mail, on the last working day before.")

    # === COMPUTE METHODS === #

    @api.depends("debtor_id")
    def _compute_contact_id(self):
        for wizard in self:
            wizard.contact_id = wizard.debtor_id.contact_used_id

    @api.depends("debtor_id")
    def _compute_available_line_ids(self):
        for wizard in self:
            items = wizard.debtor_id.open_item_ids
            wizard.available_line_ids = items.browse(items._get_collection_owed())

    @api.depends("debtor_id", "replaces_ids")
    def _compute_move_line_ids(self):
        for wizard in self:
            if wizard.replaces_ids:
                items = wizard.replaces_ids.line_ids.move_line_id
                wizard.move_line_ids = items.browse(items._get_collection_owed())
                continue
            claim = (wizard.debtor_id and wizard.debtor_id._get_claim() or [{"rows": []}])[0]
            wizard.move_line_ids = self.env["account.move.line"].union(*(row["item"] for row in claim["rows"]))

    @api.depends("move_line_ids")
    def _compute_currency_id(self):
        for wizard in self:
            wizard.currency_id = wizard.move_line_ids[:1].currency_id or wizard.company_id.currency_id

    @api.depends("debtor_id")
    def _compute_open_promise_count(self):
        for wizard in self:
            wizard.open_promise_count = len(
                wizard.debtor_id.promise_ids.filtered(lambda promise: promise.state == "open")
            )

    @api.depends("is_plan", "instalment_count", "interval", "date", "amount")
    def _compute_line_ids(self):
        for wizard in self:
            count = min(max(wizard.instalment_count, 1), 60)
            lines = []
            if wizard.is_plan and wizard.date and wizard.interval:
                days = instalments.dates(wizard.date, count, wizard.interval)
                parts = instalments.split(wizard.amount, count, wizard.currency_id.decimal_places)
                lines = [{"date": day, "amount": part} for day, part in zip(days, parts, strict=True)]
            wizard.line_ids = [Command.clear(), *(Command.create(line) for line in lines)]

    @api.depends("move_line_ids", "replaces_ids")
    def _compute_available_amount(self):
        for wizard in self:
            wizard.available_amount = sum(amount for _item, amount in wizard._get_available())

    @api.depends("move_line_ids", "replaces_ids")
    def _compute_amount(self):
        for wizard in self:
            if wizard.replaces_ids:
                left = sum(promise.amount - promise.settled_amount for promise in wizard.replaces_ids)
                wizard.amount = min(left, sum(amount for _item, amount in wizard._get_available()))
                continue
            claims = {claim["currency"]: claim for claim in wizard.debtor_id._get_claim()} if wizard.debtor_id else {}
            rows = claims.get(wizard.currency_id, {"rows": []})["rows"]
            chosen = set(wizard.move_line_ids.ids)
            claimable = sum(row["claimable"] for row in rows if row["item"].id in chosen)
            not_due = sum(
                amount for item, amount in wizard._get_available() if item.id not in {row["item"].id for row in rows}
            )
            wizard.amount = claimable + not_due

    @api.depends("debtor_id")
    def _compute_date(self):
        for wizard in self:
            wizard.date = wizard.company_id._collection_today() + timedelta(days=7) if wizard.company_id else False

    @api.model
    def _selection_channel(self):
        channels = self.env["collection.action"]._fields["channel"]._description_selection(self.env)
        office = self.env["collection.channel"]._get_names("_says_nothing")  # customers give no tasks
        return [(channel, label) for channel, label in channels if channel not in office]

    # === ACTION METHODS === #

    def action_confirm(self):
        """Record the promise and the contact in which it was made."""
        self.ensure_one()
        self._record()
        return {"type": "ir.actions.act_window_close"}

    # === BUSINESS METHODS === #

    def _get_available(self):
        """Return what may still be promised of each chosen item, oldest first.

        :return: list of ``(item, amount in the item's currency)``.
        """
        self.ensure_one()
        items = self.move_line_ids._origin or self.move_line_ids
        items = items.sudo().sorted(lambda item: (item.date_maturity or item.date, item.id))
        disputed = self.env["collection.dispute.line"]._get_open_parts(items)
        replaced = self.replaces_ids._origin or self.replaces_ids
        promised = self.env["collection.promise.line"]._get_open_parts(items, leave_out=replaced)
        owed = items._get_collection_owed()
        return [
            (item, max(owed.get(item.id, 0) - disputed.get(item.id, 0) - promised.get(item.id, 0), 0.0))
            for item in items
        ]

    def _get_payments(self):
        """Return what will be paid when: list of ``(date, amount)``, earliest first.

        :raises UserError: when nothing, or less than nothing, is promised for a day.
        """
        payments = [(self.date, self.amount)]
        if self.is_plan:
            payments = sorted((line.date, line.amount) for line in self.line_ids)
            if not payments:
                raise UserError(self.env._("Add the dates and amounts of the payments."))
        if any(self.currency_id.compare_amounts(amount, 0) <= 0 for _date, amount in payments):
            raise UserError(self.env._("The promised amount must be above zero."))
        return payments

    def _prepare_promise_lines(self, payments):
        """Set the promised amounts against the chosen items, oldest first.

        :param payments: list of ``(date, amount)``.
        :return: for each payment a list of values of ``collection.promise.line``.
        :raises UserError: when more is promised than can be.
        """
        available = self._get_available()
        total = sum(amount for _date, amount in payments)
        documents = []
        for _date, amount in payments:
            left, lines = amount, []
            for number, (item, free) in enumerate(available):
                taken = self.currency_id.round(min(free, left))
                if not self.currency_id.is_zero(taken):
                    lines.append({"move_line_id": item.id, "amount": taken})
                    left -= taken
                    available[number] = (item, free - taken)
            if not documents and not lines:
                raise UserError(self.env._("Choose at least one open item that the customer promised to pay."))
            if self.currency_id.compare_amounts(left, 0) > 0:
                raise UserError(
                    self.env._(
                        "%(amount)s is more than the %(available)s still owed on these items that is neither disputed "
                        "nor promised already.",
                        amount=self.currency_id.format(total),
                        available=self.currency_id.format(self.available_amount),
                    )
                )
            documents.append(lines)
        return documents

    def _prepare_promise(self, date, lines):
        """Return the values of one promise.

        :param date: the day of the payment.
        :param lines: list of values of ``collection.promise.line``.
        """
        return {
            "debtor_id": self.debtor_id.id,
            "case_id": self.case_id.id,
            "contact_id": self.contact_id.id,
            "date": date,
            "method": self.method,
            "channel": self.channel,
            "note": self.note,
            "remind_before": self.remind_before,
            "currency_id": self.currency_id.id,
            "line_ids": [Command.create(values) for values in lines],
        }

    def _create_promises(self):
        """Record one promise, or the promises of a plan, in place of those that they replace.

        :return: the promises, earliest first.
        """
        payments = self._get_payments()
        if any(promise.debtor_id != self.debtor_id for promise in self.replaces_ids):
            raise UserError(self.env._("Only promises of %s can be renegotiated here.", self.partner_id.name))
        documents = self._prepare_promise_lines(payments)
        self.replaces_ids.check_access("write")
        self.replaces_ids._set_replaced()
        promises = self.env["collection.promise"].create(
            [self._prepare_promise(date, lines) for (date, _amount), lines in zip(payments, documents, strict=True)]
        )
        if self.is_plan:
            plan = self.env["collection.promise.plan"].sudo()
            plan = plan.create({"debtor_id": self.debtor_id.id, "currency_id": self.currency_id.id})
            for number, promise in enumerate(promises.sudo(), start=1):
                promise.write({"plan_id": plan.id, "instalment": number})
        self.replaces_ids._link_replacement(promises[:1])
        return promises

    def _record(self):
        """Record the promise, and the contact in which it was made.

        :return: the promise; all promises of a plan.
        """
        self.ensure_one()
        self = self._without_defaults()  # noqa: PLW0642
        claimable = self.debtor_id.claimable_amount
        promises = self._create_promises()
        action = self.env["collection.action"]._log(
            self.debtor_id,
            self.channel,
            case=self.case_id,
            contact_id=self.contact_id.id,
            outcome="right_person" if self.channel == "call" else False,
            reason_id=self.reason_id.id,
            note=self.note,
            amount=claimable,
            promise_id=promises[:1].id,
        )
        self.env["collection.action"]._cancel_planned_calls(
            self.debtor_id, self.env._("The customer promised to pay."), "promised"
        )
        self.env["collection.case"]._after_contact(action)
        if self.send_confirmation:
            promises[:1]._send_confirmation()
        return promises


class CollectionPromiseRecordLine(models.TransientModel):
    _name = "collection.promise.record.line"
    _description = "Payment that may be promised"
    _inherit = "collection.dialogue.mixin"
    _order = "date, id"

    wizard_id = fields.Many2one("collection.promise.record", required=True, ondelete="cascade")
    date = fields.Date(required=True)
    currency_id = fields.Many2one(related="wizard_id.currency_id")
    amount = fields.Monetary(required=True)
