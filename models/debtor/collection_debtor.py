from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import LockError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import format_amount
from odoo.tools.misc import format_date

from ...const import COMPANY_SIZES, GRADES, PAYER_PROFILES

# Columns that a refresh writes. What users write (collector, comment, pause …) is never among them.
FACT_COLUMNS = (
    "due_amount",
    "overdue_amount",
    "credit_amount",
    "disputed_amount",
    "promised_amount",
    "announced_amount",
    "excluded_amount",
    "claimable_amount",
    "open_item_count",
    "overdue_item_count",
    "largest_item_amount",
    "oldest_due_date",
    "is_small",
    "weighted_days_late",
    "average_days_late",
    "late_share",
    "lateness_trend",
    "paid_item_count",
    "learned_payment_days",
    "last_payment_date",
    "first_invoice_date",
    "last_invoice_date",
    "broken_promise_count",
    "bounce_count",
    "last_bounce_date",
    "open_dispute_count",
    "credit_limit_use",
    "has_phone",
    "has_email",
    "contactability",
    "last_contact_on",
    "payer_profile_auto",
    "payer_profile",
    "company_size",
    "score",
    "grade",
    "score_breakdown",
)
# What nobody writes by hand: the facts, whose file it is and where it is.
FACT_FIELDS = frozenset(
    {
        *FACT_COLUMNS,
        "company_id",
        "partner_id",
        "notified_payment_ids",
        "handover_id",
        "reply_date",
        "bounced_emails",
    }
)


class CollectionDebtor(models.Model):
    """The follow-up file of one customer in one company: what is owed, since when, whom to ask, how urgent.

    Facts and score are written by ``_refresh`` alone, with set-based SQL over the open receivable
    journal items. Amounts are in company currency unless said otherwise.
    """

    _name = "collection.debtor"
    _description = "Debtor"
    _inherit = [
        "collection.reach.mixin",
        "collection.fact.mixin",
        "mail.thread",
        "mail.activity.mixin",
        "collection.contact.mixin",
    ]
    _fields_of_system = FACT_FIELDS
    _order = "score desc, claimable_amount desc, id"
    _rec_name = "partner_id"
    _check_company_auto = True
    _contact_fields = ("contact_id", "approver_id")

    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, readonly=True, index=True, ondelete="restrict"
    )
    active = fields.Boolean(default=True)

    # == Whom to ask, and how ==
    collector_id = fields.Many2one(
        "res.users",
        tracking=True,
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        help="Who follows this customer up. Empty: anybody of the team.",
    )
    contact_id = fields.Many2one(
        "res.partner",
        string="Whom to ask for",
        tracking=True,
        domain="[('commercial_partner_id', '=', partner_id)]",
        help="The person who can say why a debt is unpaid. Empty: the invoice contact of the customer.",
    )
    contact_used_id = fields.Many2one("res.partner", string="Contact", compute="_compute_contact")
    contact_name = fields.Char(compute="_compute_contact")
    has_phone = fields.Boolean(string="Phone known", readonly=True)
    has_email = fields.Boolean(string="E-mail known", readonly=True)
    contactability = fields.Integer(
        readonly=True,
        aggregator="avg",
        help="0 to 3: a phone number, an e-mail address and the right person are known.",
    )
    phone = fields.Char(compute="_compute_contact")
    email = fields.Char(compute="_compute_contact")
    lang = fields.Char(compute="_compute_contact", help="The language in which this customer is written to.")
    salesperson_id = fields.Many2one(related="partner_id.user_id", string="Salesperson")
    contact_role = fields.Selection(
        [
            ("payables", "Accounts payable"),
            ("buyer", "Buyer"),
            ("manager", "Manager or owner"),
            ("accountant", "Outside accountant"),
            ("other", "Other"),
        ],
        string="Role",
        help="What the person to ask for does at the customer.",
    )
    payment_habit = fields.Char(
        string="How this Customer pays",
        help="In words, for example: cheques are signed on Fridays by the director.",
    )
    payment_days = fields.Char(
        string="Payment Run",
        compute="_compute_payment_days",
        inverse="_inverse_payment_days",
        help="Days of the month on which this customer pays, for example 10, 25. Learned from the payments "
        "until somebody writes them.",
    )
    payment_days_manual = fields.Char(string="Payment Run set by Hand")
    order_number_required = fields.Boolean(
        string="Needs an Order Number", help="Invoices without a purchase order number are not paid."
    )
    invoice_portal = fields.Char(help="Where invoices must be filed to be paid, for example Chorus Pro.")
    approver_id = fields.Many2one(
        "res.partner",
        string="Approves Payments",
        domain="[('commercial_partner_id', '=', partner_id)]",
        help="Who at the customer releases payments.",
    )
    closing_days = fields.Char(help="When nobody answers there, for example: closed in August, Wednesday afternoons.")
    comment = fields.Text(string="Comments")

    # == Reasons for silence, set by people ==
    paused_until = fields.Date(tracking=True, help="No reminder goes to this customer before this date.")
    pause_reason = fields.Char(tracking=True)
    insolvency = fields.Boolean(
        string="Insolvency Proceedings",
        tracking=True,
        help="Safeguard, receivership or liquidation: the debt must be declared, and nobody may ask for it any more.",
    )

    # == What is owed ==
    due_amount = fields.Monetary(string="Owed", readonly=True, help="All open items, due or not.")
    overdue_amount = fields.Monetary(
        string="Overdue", readonly=True, help="Open items past their due date, before credits and disputes."
    )
    credit_amount = fields.Monetary(
        string="Unallocated Credits", readonly=True, help="Credit notes and payments not yet set against an invoice."
    )
    disputed_amount = fields.Monetary(string="Disputed", readonly=True, help="Overdue parts under an open dispute.")
    promised_amount = fields.Monetary(string="Promised", readonly=True, help="Overdue parts under an open promise.")
    announced_amount = fields.Monetary(
        string="On its Way",
        readonly=True,
        help="Overdue amounts for which money is on its way: paid online, on a bank statement and not allocated yet, "
        "or booked for a later day.",
    )
    excluded_amount = fields.Monetary(
        string="Excluded", readonly=True, help="Overdue items marked “no follow-up” or blocked for payment."
    )
    claimable_amount = fields.Monetary(
        string="To Claim",
        readonly=True,
        help="What may be asked for today: overdue, less what is excluded, disputed, promised, on its way or covered "
        "by credits.",
    )
    netted_amount = fields.Monetary(
        string="Covered by Credits", compute="_compute_netted_amount", help="Overdue amounts that credits make up for."
    )
    open_item_count = fields.Integer(string="Open Items", readonly=True)
    overdue_item_count = fields.Integer(string="Overdue Items", readonly=True)
    largest_item_amount = fields.Monetary(string="Largest Overdue Item", readonly=True)
    oldest_due_date = fields.Date(string="Overdue since", readonly=True)
    days_late = fields.Integer(
        compute="_compute_days_late",
        search="_search_days_late",
        help="Calendar days since the due date of the oldest overdue item.",
    )

    is_small = fields.Boolean(
        string="Small Debt",
        readonly=True,
        help="What is overdue is not more than what the company calls small: quickly paid when somebody asks.",
    )
    weighted_days_late = fields.Float(
        readonly=True, digits=(16, 1), help="Days late of what is overdue, weighted by amount."
    )
    credit_limit_use = fields.Float(
        string="Credit Limit used (%)",
        readonly=True,
        digits=(16, 1),
        help="What is owed, less credits, in percent of the customer's credit limit. 0 without a limit.",
    )

    # == How this customer pays ==
    average_days_late = fields.Float(
        readonly=True,
        digits=(16, 1),
        help="Over the payment history, weighted by amount; items still open count with their lateness so far.",
    )
    late_share = fields.Float(
        string="Share paid Late (%)",
        readonly=True,
        digits=(16, 1),
        help="Part of the amount paid over the payment history that arrived after its due date.",
    )
    lateness_trend = fields.Float(
        string="Getting worse (days)",
        readonly=True,
        digits=(16, 1),
        help="Average days late of the last three months, open items included, less those of the three months "
        "before. Above zero: this customer pays later and later.",
    )
    paid_item_count = fields.Integer(string="Items Paid", readonly=True)
    learned_payment_days = fields.Char(
        string="Pays on the",
        readonly=True,
        help="Days of the month on which at least a quarter of this customer's payments arrive.",
    )
    last_payment_date = fields.Date(string="Last Payment", readonly=True)
    first_invoice_date = fields.Date(string="First Invoice", readonly=True)
    last_invoice_date = fields.Date(string="Last Invoice", readonly=True)
    broken_promise_count = fields.Integer(string="Broken Promises", readonly=True)
    bounce_count = fields.Integer(
        string="Payments returned",
        readonly=True,
        help="Direct debits and cheques that came back unpaid over the payment history: rejected payments, and amounts "
        "that the bank took back. Money sent to a customer by a payment doesn't count.",
    )
    last_bounce_date = fields.Date(string="Last Return", readonly=True)
    notified_payment_ids = fields.Json(
        string="Payments notified",
        readonly=True,
        copy=False,
        help="Journal items of the big payments of late that the collector was notified of.",
    )
    open_dispute_count = fields.Integer(string="Open Disputes", readonly=True)
    payer_profile_auto = fields.Selection(PAYER_PROFILES, string="Profile from History", readonly=True)
    payer_profile_manual = fields.Selection(
        PAYER_PROFILES,
        string="Profile set by Hand",
        tracking=True,
        help="Overrules the profile worked out from history.",
    )
    payer_profile = fields.Selection(PAYER_PROFILES, readonly=True)
    company_size = fields.Selection(COMPANY_SIZES, readonly=True)

    # == Priority ==
    score = fields.Integer(readonly=True, aggregator="avg", help="0 to 100: the higher, the sooner to contact.")
    grade = fields.Selection(GRADES, readonly=True, help="A: contact first … D: nothing urgent.")
    score_breakdown = fields.Json(readonly=True)
    score_explanation = fields.Html(compute="_compute_score_explanation", sanitize=False)

    score_history_ids = fields.One2many("collection.score.history", "debtor_id")

    # == What was said ==
    last_contact_on = fields.Date(string="Last Contact", readonly=True)
    open_item_ids = fields.Many2many("account.move.line", string="Open Journal Items", compute="_compute_open_item_ids")

    _company_partner_unique = models.UniqueIndex(
        "(company_id, partner_id)", "This customer has a follow-up file in this company already."
    )
    _worklist_index = models.Index("(company_id, score DESC, claimable_amount DESC, id) WHERE active IS TRUE")

    # === COMPUTE METHODS === #

    @api.depends("contact_id", "partner_id")
    def _compute_contact(self):
        invoice_contacts = {
            debtor: self.env["res.partner"].browse(debtor.partner_id.address_get(["invoice"])["invoice"])
            for debtor in self
        }
        for debtor in self:
            chosen = debtor.contact_id
            is_there = chosen.active and chosen._is_collection_contact_of(debtor.partner_id) if chosen else False
            contact = (chosen if is_there else False) or invoice_contacts[debtor] or debtor.partner_id
            debtor.contact_used_id = contact
            debtor.contact_name = contact.name or debtor.partner_id.name
            debtor.phone = contact.phone or debtor.partner_id.phone
            debtor.email = debtor._get_email_contact().email
            debtor.lang = contact.lang or debtor.partner_id.lang or debtor.company_id.partner_id.lang

    @api.depends("payment_days_manual", "learned_payment_days")
    def _compute_payment_days(self):
        for debtor in self:
            debtor.payment_days = debtor.payment_days_manual or debtor.learned_payment_days

    def _inverse_payment_days(self):
        for debtor in self:
            debtor.payment_days_manual = (
                debtor.payment_days if debtor.payment_days != debtor.learned_payment_days else False
            )

    @api.depends(
        "overdue_amount",
        "excluded_amount",
        "disputed_amount",
        "promised_amount",
        "announced_amount",
        "claimable_amount",
    )
    def _compute_netted_amount(self):
        for debtor in self:
            debtor.netted_amount = (
                debtor.overdue_amount
                - debtor.excluded_amount
                - debtor.disputed_amount
                - debtor.promised_amount
                - debtor.announced_amount
                - debtor.claimable_amount
            )

    @api.depends("oldest_due_date")
    def _compute_days_late(self):
        today_by_company = {company: company._collection_today() for company in self.company_id}
        for debtor in self:
            since = debtor.oldest_due_date
            debtor.days_late = (today_by_company[debtor.company_id] - since).days if since else 0

    def _search_days_late(self, operator, value):
        # More days late means an earlier date, hence the mirrored operators.
        mirrored = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
        if operator == "in":
            return Domain.OR(
                (Domain("days_late", ">=", days) & Domain("days_late", "<=", days))
                if days
                else Domain("oldest_due_date", "=", False)
                for days in value
            )
        if operator not in mirrored:
            return NotImplemented
        domain = Domain.FALSE
        for company in self.env.companies:
            limit = company._collection_today() - timedelta(days=int(value))
            domain |= Domain("company_id", "=", company.id) & Domain("oldest_due_date", mirrored[operator], limit)
        not_late_matches = {"<": value > 0, "<=": value >= 0, ">": value < 0, ">=": value <= 0}[operator]
        return domain | Domain("oldest_due_date", "=", False) if not_late_matches else domain

    def _count_related(self, model, name):
        """Set the field ``name`` to the number of records of ``model`` that belong to each of these debtors."""
        counts = dict(self.env[model]._read_group([("debtor_id", "in", self.ids)], ["debtor_id"], ["__count"]))
        for debtor in self:
            debtor[name] = counts.get(debtor, 0)

    @api.depends_context("uid")
    def _compute_open_item_ids(self):
        items_by_partner = {}
        for company in self.company_id:
            debtors = self.filtered(lambda debtor, company=company: debtor.company_id == company)
            items = self.env["account.move.line"].search(
                self._get_open_item_domain(company, debtors.partner_id), order="date_maturity, id"
            )
            for item in items:
                key = (company, item.partner_id.commercial_partner_id)
                items_by_partner.setdefault(key, self.env["account.move.line"])
                items_by_partner[key] |= item
        for debtor in self:
            debtor.open_item_ids = items_by_partner.get((debtor.company_id, debtor.partner_id), False)

    @api.depends("score_breakdown")
    @api.depends_context("lang")
    def _compute_score_explanation(self):
        for debtor in self:
            debtor.score_explanation = self.env["ir.qweb"]._render(
                "account_collection.score_explanation",
                {"debtor": debtor, "rows": debtor._get_score_rows()},
            )

    # === CONSTRAINT METHODS === #

    @api.constrains("payment_days_manual")
    def _check_payment_days(self):
        for debtor in self:
            days = [day.strip() for day in (debtor.payment_days_manual or "").split(",") if day.strip()]
            if not all(day.isdecimal() and 1 <= int(day) <= 31 for day in days):
                raise ValidationError(self.env._("Write the days of the payment run as numbers, for example 10, 25."))

    # === CRUD METHODS === #

    # EXTENDS web: a form that one opens shows the truth of the moment
    def web_read(self, specification):
        if len(self) == 1:
            self.check_access("read")
            self._refresh_if_stale()
        return super().web_read(specification)

    web_read._readonly = False  # catching up writes

    def write(self, vals):
        if "active" in vals and not (
            self.env.su or self.env.user.has_group("account_collection.group_collection_team")
        ):
            raise UserError(self.env._("Only users who see all cases may archive a follow-up file."))
        result = super().write(vals)
        if {"payer_profile_manual", "insolvency"} & vals.keys():
            self._synchronize_own()
        return result

    # EXTENDS collection.fact.mixin
    @api.model
    def _get_fact_refusal(self, name):
        if name in FACT_COLUMNS:
            return self.env._("What is owed and how urgent it is follows the ledger and can't be written by hand.")
        return super()._get_fact_refusal(name)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_with_history(self):
        if self.action_ids or self.promise_ids or self.dispute_ids or self.case_ids:
            raise UserError(
                self.env._("This follow-up file has a history. Archive it instead: what was said must stay on file.")
            )

    # === ACTION METHODS === #

    def action_refresh(self):
        """Read the ledger anew for these debtors."""
        self.check_access("read")
        self._synchronize_own()

    def _get_form_action(self):
        """Return the action that opens this follow-up file."""
        if not self:
            raise UserError(self.env._("Nothing was ever invoiced to this customer in this company."))
        return {
            "type": "ir.actions.act_window",
            "res_model": "collection.debtor",
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    def action_view_open_items(self):
        """Open the journal items behind what is owed."""
        return self._action_view_items(self.env._("Open items"), [])

    def action_view_overdue_items(self):
        """Open the journal items behind what is overdue."""
        today = self.company_id[:1]._collection_today()
        overdue = ["|", ("date_maturity", "<", today), "&", ("date_maturity", "=", False), ("date", "<", today)]
        return self._action_view_items(self.env._("Overdue items"), [("amount_residual", ">", 0), *overdue])

    def _action_view_items(self, name, domain):
        domains = (self._get_open_item_domain(debtor.company_id, debtor.partner_id) for debtor in self)
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "account.move.line",
            "view_mode": "list",
            "views": [(self.env.ref("account_collection.account_move_line_view_list_collection").id, "list")],
            "domain": list(Domain.OR(domains) & Domain(domain)),
            "context": {"create": False},
        }

    def _action_view_related(self, xmlid, name):
        """Open the records of a window action that belong to these debtors."""
        return {
            **self.env["ir.actions.actions"]._for_xml_id(xmlid),
            "display_name": name,
            "domain": [("debtor_id", "in", self.ids)],
            "context": {"default_debtor_id": self.id if len(self) == 1 else False},
        }

    def action_view_score_history(self):
        """Open the graph of how the score moved."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Score: %s", ", ".join(self.mapped("partner_id.name"))),
            "res_model": "collection.score.history",
            "view_mode": "graph,list",
            "domain": [("debtor_id", "in", self.ids)],
        }

    def action_view_invoices(self):
        """Open all invoices and credit notes of this customer."""
        action = self.env["ir.actions.actions"]._for_xml_id("account.action_move_out_invoice_type")
        action["domain"] = [
            ("move_type", "in", ("out_invoice", "out_refund")),
            ("commercial_partner_id", "in", self.partner_id.ids),
            ("company_id", "in", self.company_id.ids),
        ]
        action["context"] = {"create": False}
        return action

    def _action_open_dialog(self, model, name, **context):
        """Open one of the short dialogues for this debtor."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_debtor_id": self.id,
                # What is said to a customer in a running campaign counts there, wherever one starts from.
                "default_case_id": self._get_current_case().id,
                **context,
            },
        }

    def action_pause(self):
        """Open the dialogue that pauses the follow-up of this customer, or of some invoices."""
        return self._action_open_dialog("collection.pause.set", self.env._("Pause the follow-up"))

    # === BUSINESS METHODS - WHO MAY KNOW === #

    @api.model
    def _get_readable_query(self):
        """Return a ``Query`` of the follow-up files that a user of Collections may read, ``None`` when it is all.

        For what is told of customers elsewhere, on invoices for example, and worked out as the system. Others may
        read none, nor any of that; the system may in their name.
        """
        debtors = self.sudo(False).with_context(active_test=False)
        sees_all = self.env.user.has_group("account_collection.group_collection_team")
        if self.env.uid == SUPERUSER_ID or sees_all or not debtors.has_access("read"):
            return None
        return debtors._search(Domain.TRUE)

    # === BUSINESS METHODS - TWO AT ONCE === #

    def _lock_to_speak(self):
        """Lock these follow-up files until the end of the transaction: nobody else speaks to the customers meanwhile.

        :raises UserError: when somebody else does already, in words that a user understands.
        """
        debtors = self.sudo()
        try:
            # Others may go on to refer to the customer: a dialogue opens, a call is logged.
            debtors.lock_for_update(allow_referencing=True)
        except LockError as error:
            if len(debtors.exists()) < len(debtors):
                raise UserError(self.env._("This follow-up file is gone: open the list again.")) from error
            names = debtors[:3].mapped("partner_id.name")
            raise UserError(
                self.env._(
                    "Somebody else, or a scheduled action, is at work on %s just now. Nothing was sent or recorded: "
                    "try again in a moment.",
                    ", ".join(names + ["…"][: len(debtors) > 3]),
                )
            ) from error

    # === BUSINESS METHODS - REFRESH === #

    # Up to date means more than facts: see ``collection.run``, which these call.

    def _mark_stale(self):
        """Queue these debtors for a refresh; one that a user opens before is refreshed then."""
        self.env["collection.refresh.queue"].sudo()._enqueue(
            (debtor.company_id.id, debtor.partner_id.id) for debtor in self.sudo()
        )

    # === BUSINESS METHODS - WORDS === #

    def _is_prepayment_due(self):
        """Return whether this customer should pay before new orders, by the company's policy."""
        self.ensure_one()
        limit = self.company_id.collection_prepay_days
        if not limit or self.company_id.collection_banner == "none":
            return False
        return self.insolvency or (self.days_late > limit and not self.is_small)

    def _get_banner(self):
        """Return what salespeople may know of this customer, in words, or ``False`` when there is nothing to say."""
        self.ensure_one()
        parts = []
        if self.oldest_due_date:
            parts.append(
                self.env._(
                    "Overdue since %(date)s: %(days)s days.",
                    date=format_date(self.env, self.oldest_due_date),
                    days=self.days_late,
                )
            )
            if self.company_id.collection_banner == "amounts":
                parts.append(self.env._("Amount: %s.", format_amount(self.env, self.overdue_amount, self.currency_id)))
        promise = self.promise_ids.filtered(lambda promise: promise.state == "open").sorted("date")[:1]
        if promise and self.oldest_due_date:
            parts.append(self.env._("Payment promised for %s.", format_date(self.env, promise.date)))
        disputes = self.dispute_ids.filtered(lambda dispute: dispute.state == "open")
        if disputes:
            parts.append(self.env._("In dispute: %s.", ", ".join(disputes.reason_id.mapped("name"))))
        if self.insolvency:
            parts.append(self.env._("Insolvency proceedings are open."))
        if self._is_prepayment_due():
            parts.append(self.env._("Pay before new orders."))
        return " ".join(parts) or False

    def _get_score_rows(self):
        """Return the score's breakdown in words, strongest first.

        :return: list of ``{"name", "value", "points", "max"}``; the points add up to ``score``.
        """
        self.ensure_one()
        criteria = {
            criterion.id: criterion
            for criterion in self.env["collection.criterion"]
            .sudo()
            .with_context(active_test=False)
            .browse(row["criterion"] for row in self.score_breakdown or [])
            .exists()
        }
        rows = []
        for row in self.score_breakdown or []:
            criterion = criteria.get(row["criterion"])
            rows.append(
                {
                    "name": criterion.name if criterion else self.env._("Deleted criterion"),
                    "value": criterion._describe(row["value"], self.company_id) if criterion else row["value"],
                    "points": row["points"],
                    "max": row["max"],
                }
            )
        return sorted(rows, key=lambda row: (-row["points"], -row["max"]))
