from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import email_normalize
from odoo.tools.misc import format_date


class CollectionDebtor(models.Model):
    """What a follow-up plan needs to know of a customer, and what the customer's answers change in it."""

    _inherit = "collection.debtor"  # pylint: disable=consider-merging-classes-inherited

    plan_id = fields.Many2one(
        "collection.plan",
        string="Follow-up Plan",
        tracking=True,
        check_company=True,
        index="btree_not_null",
        ondelete="set null",
        help="Set it to overrule the conditions of the plans. Empty: the first plan that fits.",
    )
    plan_used_id = fields.Many2one(
        "collection.plan",
        string="Plan that applies",
        compute="_compute_plan_used_id",
        search="_search_plan_used_id",
    )
    plan_answer = fields.Char(
        string="What comes next",
        compute="_compute_plan_answer",
        help="The next step and its day, or why this customer gets no reminder.",
    )
    next_step_date = fields.Date(string="Next Step on", compute="_compute_plan_answer")
    next_step_id = fields.Many2one("collection.plan.step", compute="_compute_plan_answer")
    escalation_contact_id = fields.Many2one(
        "res.partner",
        string="Contact for Escalation",
        domain="[('commercial_partner_id', '=', partner_id)]",
        help="Who gets firmer messages, for example the managing director.",
    )
    legal_contact_id = fields.Many2one(
        "res.partner",
        domain="[('commercial_partner_id', '=', partner_id)]",
        help="Who gets a formal notice. Empty: the contact for escalation, else the one for reminders.",
    )
    closed_weekday = fields.Selection(
        [
            ("0", "Monday"),
            ("1", "Tuesday"),
            ("2", "Wednesday"),
            ("3", "Thursday"),
            ("4", "Friday"),
        ],
        string="Closed on",
        help="Nothing is sent to this customer on that day of the week.",
    )
    quiet_period_ids = fields.One2many(
        "collection.quiet.period", "debtor_id", string="Closed from … to", help="Holidays of this customer."
    )
    reply_date = fields.Date(
        string="Answered on",
        readonly=True,
        tracking=True,
        copy=False,
        help="The customer answered, and nobody has marked the answer as read: the plan waits.",
    )
    bounced_emails = fields.Char(
        string="Addresses that don't work", readonly=True, copy=False, help="Messages to these addresses came back."
    )

    # === COMPUTE METHODS === #

    @api.depends("plan_id", "company_id")
    def _compute_plan_used_id(self):
        Plan = self.env["collection.plan"]
        self.plan_used_id = False
        for company, debtors in self.grouped("company_id").items():
            plan_ids = Plan._get_plan_ids(company, debtors.ids)
            for debtor in debtors:
                debtor.plan_used_id = plan_ids.get(debtor.id, False)

    @api.model
    def _search_plan_used_id(self, operator, value):
        """Find the customers of some plans, one query per plan of their companies."""
        if operator not in ("in", "any"):
            return NotImplemented
        plans = self.env["collection.plan"].sudo()
        wanted = (
            plans.search(value) if operator == "any" else plans.browse(plan_id for plan_id in value if plan_id).exists()
        )
        debtor_ids = [
            debtor_id
            for company in wanted.company_id
            for debtor_id, plan_id in plans._get_plan_ids(company).items()
            if plan_id in wanted._ids
        ]
        domain = Domain("id", "in", debtor_ids)
        if operator == "in" and False in value:
            with_plan = [debtor_id for company in self.env.companies for debtor_id in plans._get_plan_ids(company)]
            domain |= Domain("id", "not in", with_plan)
        return domain

    @api.depends("plan_id", "claimable_amount", "paused_until", "insolvency", "reply_date", "active")
    def _compute_plan_answer(self):
        Plan = self.env["collection.plan"]
        for company, debtors in self.grouped("company_id").items():
            decisions = Plan._decide(debtors, company._collection_today())
            for debtor in debtors:
                decision = decisions[debtor]
                debtor.plan_answer = Plan._describe(decision, debtor)
                debtor.next_step_date = decision.day if decision.step else False
                debtor.next_step_id = decision.step

    # === CRUD METHODS === #

    def write(self, vals):
        if {"reply_date", "bounced_emails"} & vals.keys() and not self.env.su:
            vals = {name: value for name, value in vals.items() if name not in ("reply_date", "bounced_emails")}
        return super().write(vals)

    # === ACTION METHODS === #

    def action_why(self):
        """Open the answer to “why did, or didn't, this customer get a reminder?”."""
        self.ensure_one()
        why = self.env["collection.debtor.why"].create({"debtor_id": self.id})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Why? %s", self.partner_id.display_name),
            "res_model": why._name,
            "res_id": why.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_simulate(self):
        """Show what these customers get in the next 30 days."""
        return self.env["collection.plan.simulation"]._open_result(debtors=self)

    def action_mark_read(self):
        """Note that somebody has read the customer's answer: the plan goes on."""
        self.check_access("write")
        for debtor in self.filtered("reply_date"):
            debtor.message_post(body=self.env._("The answer of %s was read.", format_date(self.env, debtor.reply_date)))
        self.sudo().write({"reply_date": False})

    def action_preview_step(self):
        """Show what this customer gets next, as they will see it."""
        self.ensure_one()
        step = self.next_step_id or self.plan_used_id.step_ids.sorted("delay").filtered(lambda step: step.delay > 0)[:1]
        return self.env["collection.step.preview"]._open(step, self)

    # === BUSINESS METHODS - WHO === #

    def _get_recipients(self, role="reminder", with_email=False):
        """Return whom to write to, best first: the contact of that role, then the others of this customer.

        :param str role: ``reminder``, ``escalation`` or ``legal``.
        :param bool with_email: only those who have an address.
        :return: ``res.partner`` records, all active and of this customer.
        """
        self.ensure_one()
        by_role = {
            "reminder": self.contact_id,
            "escalation": self.escalation_contact_id,
            "legal": self.legal_contact_id | self.escalation_contact_id,
        }
        invoice_contact = self.contact_used_id
        partners = by_role[role] | self.contact_id | invoice_contact | self.partner_id
        partners |= self.partner_id.child_ids.filtered(lambda child: child.type in ("contact", "invoice"))
        partners = partners.filtered(
            lambda partner: partner.active and partner.commercial_partner_id == self.partner_id
        )
        return partners.filtered("email") if with_email else partners

    def _get_bounced_emails(self):
        """Return the normalised addresses of this customer from which messages came back."""
        self.ensure_one()
        return set((self.bounced_emails or "").split())

    def _get_plan_case(self):
        """Return the open case in which what the plan says to this customer counts, if there is one."""
        self.ensure_one()
        return self.sudo().case_ids.filtered(
            lambda case: case.state != "closed" and case.campaign_id.state == "running"
        )[:1]

    # === BUSINESS METHODS - WHAT GOES ALONG === #

    @api.model
    def _get_claimed_invoices(self, rows):
        """Return the invoices among claimed items (see ``_get_claimable_items``)."""
        moves = self.env["account.move"].union(
            *(row["item"].move_id for row in rows if row["claimable"] + row["credited"])
        )
        return moves.filtered(lambda move: move.is_sale_document())

    def _get_attached_invoices(self):
        """Return the invoices that earlier messages to this customer carried already."""
        self.ensure_one()
        sent = self.sudo().action_ids.filtered(lambda action: action.state == "done").attachment_ids
        return (
            self.env["account.move"]
            .sudo()
            .browse(attachment.res_id for attachment in sent if attachment.res_model == "account.move")
        )

    # === MAIL === #

    # EXTENDS mail
    def message_update(self, msg_dict, update_vals=None):
        """An answer of the customer pauses the plan until somebody has read it."""
        author = self.env["res.partner"].browse(msg_dict.get("author_id"))
        if not author.user_ids.filtered(lambda user: user._is_internal()):
            for debtor in self.sudo():
                debtor._note_reply()
        return super().message_update(msg_dict, update_vals=update_vals)

    def _note_reply(self):
        """Write down that the customer answered, and ask the collector to read it."""
        self.ensure_one()
        today = self.company_id._collection_today()
        if self.reply_date:
            return
        self.reply_date = today
        user = self.collector_id or self.plan_used_id.user_id
        if user:
            self.activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=today,
                summary=self.env._("Read the customer's answer"),
                user_id=user.id,
            )

    def _note_bounced_email(self, address):
        """Write down that an address of these customers doesn't work."""
        for debtor in self.sudo():
            bounced = debtor._get_bounced_emails() | ({address} if address else set())
            debtor.bounced_emails = " ".join(sorted(bounced))

    # EXTENDS mail
    def _message_receive_bounce(self, email, partner):
        """An address from which a message came back is not used again for this customer."""
        result = super()._message_receive_bounce(email, partner)
        address = email_normalize(email or "")
        for debtor in self.sudo():
            debtor._note_bounced_email(address)
            action = debtor.action_ids.filtered(
                lambda action: action.state == "done" and action.channel == "email" and action.address == address
            ).sorted("id")[-1:]
            if action:
                action._note_result("failed", self.env._("The message to %s came back.", address))
            debtor.message_post(
                body=self.env._("A message to %s came back: correct the address on the contact.", address)
            )
        return result
