from collections import defaultdict
from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, format_amount
from odoo.tools.misc import format_date

from ..const import COMPANY_SIZES, GRADES, PAYER_PROFILES

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
FACT_FIELDS = {*FACT_COLUMNS, "company_id", "partner_id", "notified_payment_ids", "handover_id"}


class CollectionDebtor(models.Model):
    """The follow-up file of one customer in one company: what is owed, since when, whom to ask, how urgent.

    Facts and score are written by ``_refresh`` alone, with set-based SQL over the open receivable
    journal items. Amounts are in company currency unless said otherwise.
    """

    _name = "collection.debtor"
    _description = "Debtor"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "score desc, claimable_amount desc, id"
    _rec_name = "partner_id"
    _check_company_auto = True

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

    handover_id = fields.Many2one(
        "collection.handover",
        string="With a Provider",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The hand-over with which an outside caller has this customer now: our own calls stop meanwhile.",
    )
    handover_notice = fields.Char(compute="_compute_handover_notice", compute_sudo=True)

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
    case_ids = fields.One2many("collection.case", "debtor_id", string="Cases")
    action_ids = fields.One2many("collection.action", "debtor_id", string="Actions")
    promise_ids = fields.One2many("collection.promise", "debtor_id", string="Promises")
    dispute_ids = fields.One2many("collection.dispute", "debtor_id", string="Disputes")
    action_count = fields.Integer(compute="_compute_action_count")
    promise_count = fields.Integer(compute="_compute_promise_count")
    promise_due_count = fields.Integer(string="Promises due so far", compute="_compute_promise_shares")
    promise_kept_share = fields.Float(
        string="Promises kept (%)", compute="_compute_promise_shares", digits=(16, 1), help="By number of promises."
    )
    promise_kept_amount_share = fields.Float(
        string="Promises kept (% of Amount)", compute="_compute_promise_shares", digits=(16, 1)
    )
    dispute_count = fields.Integer(compute="_compute_dispute_count")
    case_count = fields.Integer(compute="_compute_case_count")
    last_contact_on = fields.Date(string="Last Contact", readonly=True)
    next_action_id = fields.Many2one("collection.action", compute="_compute_next_action_id")
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
            contact = debtor.contact_id.filtered("active") or invoice_contacts[debtor] or debtor.partner_id
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

    @api.depends("handover_id.provider_id", "handover_id.date_end")
    @api.depends_context("lang")
    def _compute_handover_notice(self):
        for debtor in self:
            debtor.handover_notice = debtor.handover_id._get_notice() if debtor.handover_id else False

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

    def _compute_action_count(self):
        self._count_related("collection.action", "action_count")

    def _compute_promise_count(self):
        self._count_related("collection.promise", "promise_count")

    def _compute_dispute_count(self):
        self._count_related("collection.dispute", "dispute_count")

    def _compute_case_count(self):
        self._count_related("collection.case", "case_count")

    def _count_related(self, model, name):
        """Set the field ``name`` to the number of records of ``model`` that belong to each of these debtors."""
        counts = dict(self.env[model]._read_group([("debtor_id", "in", self.ids)], ["debtor_id"], ["__count"]))
        for debtor in self:
            debtor[name] = counts.get(debtor, 0)

    @api.depends("promise_ids.state", "promise_ids.settled_amount")
    def _compute_promise_shares(self):
        shares = {}
        for company in self.company_id:
            Promise = self.env["collection.promise"].with_company(company)
            due = Promise._get_due_domain(company) & Domain("debtor_id", "in", self.ids)
            for debtor, *values in Promise._read_group(
                due, ["debtor_id"], ["__count", "kept_share:avg", "kept_amount_share:avg"]
            ):
                shares[debtor] = values
        for debtor in self:
            (
                debtor.promise_due_count,
                debtor.promise_kept_share,
                debtor.promise_kept_amount_share,
            ) = shares.get(debtor, (0, 0.0, 0.0))

    @api.depends("action_ids.state", "action_ids.date_planned")
    def _compute_next_action_id(self):
        next_actions = {}
        for action in self.env["collection.action"].search(
            [("debtor_id", "in", self.ids), ("state", "=", "planned")], order="date_planned, id"
        ):
            next_actions.setdefault(action.debtor_id, action)
        for debtor in self:
            debtor.next_action_id = next_actions.get(debtor, False)

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
            self._catch_up()
        return super().web_read(specification)

    web_read._readonly = False  # catching up writes

    def write(self, vals):
        if "active" in vals and not (
            self.env.su or self.env.user.has_group("account_collection.group_collection_team")
        ):
            raise UserError(self.env._("Only users who see all cases may archive a follow-up file."))
        if not self.env.su and (FACT_FIELDS & vals.keys()):
            raise UserError(
                self.env._("What is owed and how urgent it is follows the ledger and can't be written by hand.")
            )
        result = super().write(vals)
        if {"payer_profile_manual", "insolvency"} & vals.keys():
            self._synchronize_own()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_with_history(self):
        if self.action_ids or self.promise_ids or self.dispute_ids or self.case_ids:
            raise UserError(
                self.env._("This follow-up file has a history. Archive it instead: what was said must stay on file.")
            )

    # === ACTION METHODS === #

    def action_refresh(self):
        """Read the ledger anew for these debtors."""
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

    def action_view_actions(self):
        """Open everything that was said to this customer."""
        return self._action_view_related("account_collection.collection_action_action", self.env._("Contacts"))

    def action_view_promises(self):
        """Open the promises of this customer."""
        return self._action_view_related("account_collection.collection_promise_action", self.env._("Promises"))

    def action_view_disputes(self):
        """Open the disputes of this customer."""
        return self._action_view_related("account_collection.collection_dispute_action", self.env._("Disputes"))

    def action_view_cases(self):
        """Open the cases of this customer in all campaigns."""
        return self._action_view_related("account_collection.collection_case_action", self.env._("Cases"))

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

    def _get_current_case(self):
        """Return the case on which the user works with this customer: their own first, if there is one."""
        self.ensure_one()
        cases = self.case_ids.filtered(lambda case: case.state != "closed" and case.campaign_id.state == "running")
        return (cases.filtered(lambda case: case.collector_id == self.env.user) or cases)[:1]

    def action_log_call(self):
        """Open the dialogue that logs a call."""
        return self._action_open_dialog("collection.call.log", self.env._("Log a call"))

    def action_record_promise(self):
        """Open the dialogue that records a promise to pay."""
        return self._action_open_dialog("collection.promise.record", self.env._("Record a promise to pay"))

    def action_open_dispute(self):
        """Open the dialogue that opens a dispute."""
        return self._action_open_dialog("collection.dispute.open", self.env._("Open a dispute"))

    def action_send_reminder(self):
        """Open the dialogue that previews and sends a reminder."""
        return self._action_open_dialog("collection.reminder.send", self.env._("Send a reminder"))

    def action_pause(self):
        """Open the dialogue that pauses the follow-up of this customer, or of some invoices."""
        return self._action_open_dialog("collection.pause.set", self.env._("Pause the follow-up"))

    # === BUSINESS METHODS - REFRESH === #

    @api.model
    def _get_open_item_domain(self, company, partners=None):
        """Return the domain of the open items of customers, as ``collection.ledger`` defines them, for lists of items.

        :param company: one company.
        :param partners: commercial partners; all when ``None``.
        """
        return [("id", "in", self.env["collection.ledger"].sudo()._get_open_item_ids(company, partners))]

    @api.model
    def _get_default_credit_limit(self, company):
        """Return the credit limit of the customers of a company who have none of their own, 0 without one."""
        partners = self.env["res.partner"].with_company(company)
        return partners._fields["credit_limit"].get_company_dependent_fallback(partners) or 0

    @api.model
    def _get_payer_profile_sql(self, company, today):
        """Return SQL that works the payer profile out from the facts. The first rule that fits wins."""
        return SQL(
            """
            CASE WHEN open_dispute_count > 0 THEN 'dispute'
                 WHEN insolvency OR (overdue_amount > 0 AND last_invoice_date < %(leaving_since)s) THEN 'leaving'
                 WHEN broken_promise_count >= 2 OR average_days_late >= %(bad_days)s THEN 'bad'
                 WHEN paid_item_count < 2 THEN 'new'
                 WHEN average_days_late > %(punctual_days)s OR late_share > 50 THEN 'disorganised'
                 ELSE 'punctual'
             END
            """,
            leaving_since=today - relativedelta(months=company.collection_leaving_months),
            bad_days=company.collection_bad_payer_days,
            punctual_days=company.collection_punctual_days,
        )

    @api.model
    def _get_facts_sql(self, company, partners, today):
        """Return SQL with one row per debtor and the columns that a refresh writes, but for profile and score."""
        ledger = self.env["collection.ledger"].sudo()
        return SQL(
            """
            WITH item AS (%(claims)s),
            movement AS MATERIALIZED (%(movements)s),
            owed AS (
                SELECT partner_id,
                       SUM(residual) FILTER (WHERE NOT is_credit) AS due,
                       SUM(residual) FILTER (WHERE late) AS overdue,
                       -SUM(residual) FILTER (WHERE is_credit) AS credit,
                       SUM(disputed) FILTER (WHERE late AND NOT excluded) AS disputed,
                       SUM(promised) FILTER (WHERE late AND NOT excluded) AS promised,
                       SUM(announced) FILTER (WHERE late AND NOT excluded) AS announced,
                       COALESCE(SUM(residual) FILTER (WHERE late AND excluded), 0) AS excluded,
                       COALESCE(SUM(claimable) FILTER (WHERE late), 0) AS claimable,
                       COUNT(*) FILTER (WHERE NOT is_credit) AS items,
                       COUNT(*) FILTER (WHERE late) AS late_items,
                       MAX(residual) FILTER (WHERE late) AS largest,
                       MIN(due_date) FILTER (WHERE late) AS oldest,
                       SUM(residual * (%(today)s::date - due_date)) FILTER (WHERE late) AS late_product
                  FROM item
              GROUP BY partner_id
            ),
            payment AS MATERIALIZED (%(history)s),
            history AS (
                SELECT partner_id,
                       COUNT(DISTINCT item_id) AS paid_item_count,
                       MAX(date) AS last_date,
                       SUM(amount) AS paid,
                       SUM(amount) FILTER (WHERE days_late > 0) AS paid_late,
                       SUM(amount * days_late) AS late_product,
                       SUM(amount) FILTER (WHERE date > %(quarter)s) AS recent_paid,
                       SUM(amount * days_late) FILTER (WHERE date > %(quarter)s) AS recent_product,
                       SUM(amount) FILTER (WHERE date <= %(quarter)s AND date > %(half_year)s) AS former_paid,
                       SUM(amount * days_late) FILTER (WHERE date <= %(quarter)s AND date > %(half_year)s)
                           AS former_product
                  FROM payment
              GROUP BY partner_id
            ),
            payment_day AS (
                SELECT partner_id,
                       STRING_AGG(day::text, ', ' ORDER BY day) FILTER (WHERE count >= 3 AND 4 * count >= total) AS days
                  FROM (
                    SELECT partner_id, day, count, SUM(count) OVER (PARTITION BY partner_id) AS total
                      FROM (
                        SELECT partner_id, EXTRACT(DAY FROM date)::int AS day, COUNT(DISTINCT payment_id) AS count
                          FROM payment
                      GROUP BY partner_id, day
                      ) by_day
                  ) counted
              GROUP BY partner_id
            ),
            customer AS (
                SELECT partner_id FROM movement
                 UNION
                SELECT partner_id FROM collection_debtor WHERE company_id = %(company)s %(debtor_filter)s
            ),
            address AS (
                SELECT contact.commercial_partner_id AS partner_id,
                       COALESCE(BOOL_OR(contact.phone != ''), FALSE) AS has_phone,
                       COALESCE(BOOL_OR(contact.email_normalized != ''), FALSE) AS has_email
                  FROM res_partner contact
             LEFT JOIN collection_debtor own
                    ON own.partner_id = contact.commercial_partner_id AND own.company_id = %(company)s
                 WHERE %(is_correspondent)s AND contact.commercial_partner_id IN (SELECT partner_id FROM customer)
              GROUP BY contact.commercial_partner_id
            ),
            contact AS (
                SELECT debtor_id,
                       (MAX(date_done) AT TIME ZONE 'UTC' AT TIME ZONE %(tz)s)::date AS last_contact_on
                  FROM collection_action
                 WHERE company_id = %(company)s AND %(is_contact)s
              GROUP BY debtor_id
            ),
            broken AS (
                SELECT debtor_id, COUNT(*) AS count
                  FROM collection_promise
                 WHERE company_id = %(company)s AND state = 'broken' AND date >= %(history_since)s
              GROUP BY debtor_id
            ),
            bounce AS (
                SELECT partner_id, COUNT(*) AS count, MAX(date) AS last_date
                  FROM (%(returns)s) returned
                 WHERE date >= %(history_since)s
              GROUP BY partner_id
            ),
            dispute AS (
                SELECT debtor_id, COUNT(*) AS count
                  FROM collection_dispute
                 WHERE company_id = %(company)s AND state = 'open'
              GROUP BY debtor_id
            )
            SELECT customer.partner_id,
                   partner.collection_company_size AS company_size,
                   debtor.payer_profile_manual,
                   COALESCE(debtor.insolvency, FALSE) AS insolvency,
                   ROUND(COALESCE(owed.due, 0), %(digits)s) AS due_amount,
                   ROUND(COALESCE(owed.overdue, 0), %(digits)s) AS overdue_amount,
                   ROUND(COALESCE(owed.credit, 0), %(digits)s) AS credit_amount,
                   ROUND(COALESCE(owed.disputed, 0), %(digits)s) AS disputed_amount,
                   ROUND(COALESCE(owed.promised, 0), %(digits)s) AS promised_amount,
                   ROUND(COALESCE(owed.announced, 0), %(digits)s) AS announced_amount,
                   -- In insolvency proceedings the debt stays, but nobody may ask for it.
                   ROUND(COALESCE(
                       owed.excluded + CASE WHEN debtor.insolvency THEN owed.claimable ELSE 0 END, 0
                   ), %(digits)s) AS excluded_amount,
                   ROUND(COALESCE(
                       CASE WHEN debtor.insolvency THEN 0 ELSE owed.claimable END, 0
                   ), %(digits)s) AS claimable_amount,
                   COALESCE(owed.items, 0)::int AS open_item_count,
                   COALESCE(owed.late_items, 0)::int AS overdue_item_count,
                   ROUND(COALESCE(owed.largest, 0), %(digits)s) AS largest_item_amount,
                   owed.oldest AS oldest_due_date,
                   COALESCE(owed.overdue > 0 AND owed.overdue <= %(small_amount)s, FALSE) AS is_small,
                   ROUND(COALESCE(
                       (COALESCE(history.late_product, 0) + COALESCE(owed.late_product, 0))
                       / NULLIF(COALESCE(history.paid, 0) + COALESCE(owed.overdue, 0), 0), 0
                   ), 1) AS average_days_late,
                   ROUND(COALESCE(100 * history.paid_late / NULLIF(history.paid, 0), 0), 1) AS late_share,
                   COALESCE(history.paid_item_count, 0)::int AS paid_item_count,
                   -- Others pay for a customer, too: a holding for its subsidiary.
                   GREATEST(movement.last_payment_date, history.last_date) AS last_payment_date,
                   movement.first_invoice_date,
                   movement.last_invoice_date,
                   COALESCE(broken.count, 0)::int AS broken_promise_count,
                   COALESCE(bounce.count, 0)::int AS bounce_count,
                   bounce.last_date AS last_bounce_date,
                   COALESCE(dispute.count, 0)::int AS open_dispute_count,
                   ROUND(COALESCE(owed.late_product / NULLIF(owed.overdue, 0), 0), 1) AS weighted_days_late,
                   ROUND(COALESCE(
                       (COALESCE(history.recent_product, 0) + COALESCE(owed.late_product, 0))
                       / NULLIF(COALESCE(history.recent_paid, 0) + COALESCE(owed.overdue, 0), 0)
                       - history.former_product / NULLIF(history.former_paid, 0), 0
                   ), 1) AS lateness_trend,
                   payment_day.days AS learned_payment_days,
                   ROUND(COALESCE(
                       100 * GREATEST(COALESCE(owed.due, 0) - COALESCE(owed.credit, 0), 0)
                       / NULLIF(COALESCE((partner.credit_limit ->> %(company_key)s)::numeric, %(default_limit)s), 0), 0
                   ), 1) AS credit_limit_use,
                   COALESCE(address.has_phone, FALSE) AS has_phone,
                   COALESCE(address.has_email, FALSE) AS has_email,
                   COALESCE(address.has_phone::int + address.has_email::int, 0) + (debtor.contact_id IS NOT NULL)::int
                       AS contactability,
                   contact.last_contact_on
              FROM customer
              JOIN res_partner partner ON partner.id = customer.partner_id
         LEFT JOIN movement ON movement.partner_id = customer.partner_id
         LEFT JOIN owed ON owed.partner_id = customer.partner_id
         LEFT JOIN history ON history.partner_id = customer.partner_id
         LEFT JOIN collection_debtor debtor
                ON debtor.partner_id = customer.partner_id AND debtor.company_id = %(company)s
         LEFT JOIN broken ON broken.debtor_id = debtor.id
         LEFT JOIN bounce ON bounce.partner_id = customer.partner_id
         LEFT JOIN dispute ON dispute.debtor_id = debtor.id
         LEFT JOIN payment_day ON payment_day.partner_id = customer.partner_id
         LEFT JOIN address ON address.partner_id = customer.partner_id
         LEFT JOIN contact ON contact.debtor_id = debtor.id
            """,
            tz=company._get_collection_tz(),
            is_contact=self.env["collection.action"]._get_contact_sql(),
            is_correspondent=self._get_correspondent_sql("contact", "own"),
            company_key=str(company.id),
            default_limit=self._get_default_credit_limit(company),
            small_amount=company.collection_small_amount,
            quarter=today - relativedelta(months=3),
            half_year=today - relativedelta(months=6),
            claims=ledger._get_claim_sql(
                company, partners, today, ledger._get_money_on_its_way(company, partners, today).amounts
            ),
            movements=ledger._get_movement_sql(company, partners, today),
            history=ledger._get_history_sql(company, partners, today),
            returns=ledger._get_returns_sql(company, partners),
            company=company.id,
            today=today,
            history_since=today - relativedelta(months=company.collection_history_months),
            digits=company.currency_id.decimal_places,
            debtor_filter=SQL() if partners is None else SQL("AND partner_id = ANY(%s)", partners.ids),
        )

    @api.model
    def _refresh(self, company, partners=None):
        """Write the facts and the score of the debtors of a company, from its ledger as it is now.

        One statement, whatever the number of customers. Rows that are right already are not touched.

        :param company: one ``res.company``.
        :param partners: commercial partners; all customers of the company when ``None``.
        :return: the debtors whose row was made or changed.
        """
        company.ensure_one()
        if partners is not None and not partners:
            return self.browse()
        today = company._collection_today()
        criteria = self.env["collection.criterion"]._get_criteria(company)
        self.env.flush_all()
        score, breakdown = criteria._get_score_sql(company, today)
        columns = [SQL.identifier(name) for name in FACT_COLUMNS]
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO collection_debtor AS debtor
                       (company_id, partner_id, active, create_uid, create_date, write_uid, write_date, %(columns)s)
                SELECT %(company)s, partner_id, TRUE, %(uid)s, %(now)s, %(uid)s, %(now)s, %(columns)s
                  FROM (
                    SELECT scored.*,
                           CASE WHEN score >= %(grade_a)s THEN 'a'
                                WHEN score >= %(grade_b)s THEN 'b'
                                WHEN score >= %(grade_c)s THEN 'c'
                                ELSE 'd' END AS grade
                      FROM (
                        SELECT profiled.*, %(score)s AS score, %(breakdown)s AS score_breakdown
                          FROM (
                            SELECT automatic.*, COALESCE(payer_profile_manual, payer_profile_auto) AS payer_profile
                              FROM (
                                SELECT facts.*, %(payer_profile)s AS payer_profile_auto FROM (%(facts)s) facts
                              ) automatic
                          ) profiled
                      ) scored
                  ) graded
                ON CONFLICT (company_id, partner_id) DO UPDATE
                   SET (write_uid, write_date, %(columns)s) = ROW(%(uid)s, %(now)s, %(new_columns)s)
                 WHERE (%(old_columns)s) IS DISTINCT FROM (%(new_columns)s)
                RETURNING debtor.id
                """,
                company=company.id,
                uid=self.env.uid,
                now=fields.Datetime.now(),
                columns=SQL(", ").join(columns),
                old_columns=SQL(", ").join(SQL.identifier("debtor", name) for name in FACT_COLUMNS),
                new_columns=SQL(", ").join(SQL.identifier("excluded", name) for name in FACT_COLUMNS),
                grade_a=company.collection_grade_a,
                grade_b=company.collection_grade_b,
                grade_c=company.collection_grade_c,
                score=score,
                breakdown=breakdown,
                payer_profile=self._get_payer_profile_sql(company, today),
                facts=self._get_facts_sql(company, partners, today),
            )
        )
        self.invalidate_model()
        # What customers and invoices show is read from here.
        self.env["res.partner"].invalidate_model(["collection_score", "collection_grade", "collection_debtor_ids"])
        self.env["account.move"].invalidate_model(
            ["collection_score", "collection_state", "collection_promise_date", "collection_dispute_reason_id"]
        )
        self.env["res.partner"].invalidate_model(["collection_banner", "collection_must_prepay"])
        changed = self.browse(row[0] for row in rows)
        self.env["collection.score.history"]._record(changed, today)
        return changed

    # Up to date means more than facts: see ``collection.run``, which these call.

    @api.model
    def _synchronize(self, company, partners=None):
        """Refresh debtors and bring all that follows from their facts in line (see ``collection.run``)."""
        return self.env["collection.run"]._synchronize(company, partners)

    def _synchronize_own(self):
        """Bring exactly these debtors up to date, whatever rights the user has on the ledger."""
        self.env["collection.run"]._synchronize_debtors(self)

    def _catch_up(self):
        """Bring these debtors up to date if their ledger changed, or a new day began, since the last refresh."""
        self.env["collection.run"]._catch_up(self)

    def _mark_stale(self):
        """Have these debtors brought up to date soon, or as soon as somebody opens one."""
        self.env["collection.refresh.queue"].sudo()._enqueue(
            (debtor.company_id.id, debtor.partner_id.id) for debtor in self.sudo()
        )

    @api.model
    def _get_or_create(self, company, partner):
        """Return the debtor of a customer in a company, made from the ledger if there is none yet."""
        return self.env["collection.run"]._get_or_create_debtor(company, partner)

    # === SCHEDULED ACTIONS === #

    @api.model
    def _cron_refresh(self, batch_size=1000):
        """See ``collection.run``."""
        self.env["collection.run"]._cron_refresh(batch_size)

    # === BUSINESS METHODS - CONTACT === #

    def _get_claimable_items(self, horizon=0):
        """Return what may be claimed of each overdue item, oldest first, in the item's own currency.

        Credits are set against the oldest items of their currency, so that the amounts add up to
        what a message may ask for.

        :param int horizon: items that become due within so many days count too.
        :return: list of dicts ``item`` (``account.move.line``), ``currency``, ``due_date``, ``days_late``
            (below zero before the due date), ``original``, ``paid``, ``residual``, ``disputed``, ``promised``,
            ``announced`` (money on its way), ``excluded`` (amounts in ``currency``), ``credited`` and ``claimable``.
        """
        self.ensure_one()
        return self._get_claimable_items_by_debtor({self: horizon})[self]

    def _get_claimable_items_by_debtor(self, horizons=None):
        """Return the claimable items of many debtors, see ``_get_claimable_items``; queries don't grow with them.

        :param dict horizons: ``{debtor: horizon in days}``, 0 where missing.
        :return: ``{debtor: rows}``.
        """
        known = self.env.context.get("collection_rows") or {}
        rows = {debtor: known[debtor.id] for debtor in self if debtor.id in known}
        missing = self.filtered(lambda debtor: debtor.id not in known)
        if not missing:
            return rows
        for company, debtors in missing.sudo().grouped("company_id").items():
            claims, _money = self.env["collection.ledger"].sudo()._get_claims(company, debtors.partner_id)
            items = self.env["account.move.line"].browse(claim["item_id"] for claim in claims)
            items.sudo().mapped("move_id.payment_state")  # read together
            by_partner = defaultdict(list)
            for claim, item in zip(claims, items, strict=True):
                by_partner[claim["partner_id"]].append((claim, item))
            for debtor in debtors:
                rows[debtor.with_env(self.env)] = debtor.with_env(self.env)._make_claimable_rows(
                    by_partner[debtor.partner_id.id], (horizons or {}).get(debtor, 0)
                )
        return rows

    def _make_claimable_rows(self, claims, horizon):
        """Return the rows of ``_get_claimable_items`` of one debtor.

        :param claims: pairs of a row of ``collection.ledger._get_claims`` and its item, the oldest first.
        """
        today = self.company_id._collection_today()
        limit = today + timedelta(days=horizon + 1 if horizon else 0)
        insolvency = self.sudo().insolvency
        rows = []
        for claim, item in claims:
            if claim["is_credit"] or claim["due_date"] >= limit:
                continue
            residual, original = float(claim["residual_currency"]), item.sudo().amount_currency
            excluded = residual if claim["excluded"] or insolvency else 0.0
            parts = {
                name: 0.0 if excluded else float(claim[f"{name}_currency"])
                for name in ("disputed", "promised", "announced", "credited", "claimable")
            }
            rows.append(
                {
                    "item": item,
                    "currency": item.sudo().currency_id.with_env(self.env),
                    "due_date": claim["due_date"],
                    "days_late": (today - claim["due_date"]).days,
                    "original": original,
                    "paid": original - residual,
                    "residual": residual,
                    "excluded": excluded,
                    **parts,
                }
            )
        return rows

    def _get_claim(self):
        """Return what a message to this customer may ask for, by currency.

        :return: list of ``{"currency", "rows", "credits", "amount"}``: the overdue items (see
            ``_get_claimable_items``), the unallocated credits as positive amounts and the amount to pay,
            all in that currency. Currencies without anything to claim are left out.
        """
        self.ensure_one()
        claims = {}
        for row in self._get_claimable_items():
            claim = claims.setdefault(
                row["currency"], {"currency": row["currency"], "rows": [], "credits": 0.0, "amount": 0.0}
            )
            if row["claimable"] + row["credited"]:
                claim["rows"].append(row)
                claim["credits"] += row["credited"]
                claim["amount"] += row["claimable"]
        return [claim for claim in claims.values() if not claim["currency"].is_zero(claim["amount"])]

    def _get_nothing_to_claim_reason(self):
        """Say in words why nothing can be claimed of this customer today."""
        if not self.overdue_amount:
            return self.env._("Nothing is overdue.")
        causes = [
            (self.promised_amount, self.env._("promised")),
            (self.disputed_amount, self.env._("disputed")),
            (self.announced_amount, self.env._("on its way")),
            (self.excluded_amount, self.env._("excluded from follow-up")),
            (self.netted_amount, self.env._("covered by credits")),
        ]
        named = [cause for amount, cause in causes if not self.currency_id.is_zero(amount)]
        if not named:
            return self.env._("Nothing can be claimed today.")
        return self.env._("Nothing can be claimed today: what is overdue is %s.", ", ".join(named))

    def _is_worth_a_message(self, amount) -> bool:
        """Return whether an amount is large enough to ask this customer for it without a person's decision.

        :param float amount: what can be claimed, in company currency.
        """
        self.ensure_one()
        return self.currency_id.compare_amounts(amount, self.company_id.sudo()._get_collection_min_amount()) >= 0

    @api.model
    def _get_claim_value(self, rows) -> float:
        """Return what these rows ask for in company currency, each at the rate of what is open of its item.

        :param rows: see ``_get_claimable_items``.
        """
        value = 0.0
        for row in rows:
            if row["claimable"]:
                item = row["item"].sudo()
                value += row["claimable"] * item.amount_residual / item.amount_residual_currency
        return value

    def _get_too_small_reason(self, amount=None):
        """Say in words that what can be claimed is less than a message is worth.

        :param float amount: in company currency; what can be claimed as the file stands when ``None``.
        """
        self.ensure_one()
        company = self.company_id.sudo()
        return self.env._(
            "What can be claimed (%(amount)s) is less than the smallest amount worth a message (%(limit)s).",
            amount=format_amount(self.env, self.claimable_amount if amount is None else amount, self.currency_id),
            limit=format_amount(self.env, company._get_collection_min_amount(), self.currency_id),
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
