from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, email_normalize
from odoo.tools.misc import format_date

from .decision import MONEY_REASONS, Silence

# Reasons that also forbid what informs without asking for money: a statement of account.
STATEMENT_SILENCES = frozenset({"archived", "insolvency", "paused", "own_reason"})
# Reasons that say nothing about what a customer agreed to: that is not claimed, so it is no part of what they look at.
CLAIM_SILENCES = frozenset({"nothing_claimable", "too_small", *MONEY_REASONS})
# Types of a customer's contacts who are written to; delivery and other addresses are not.
CORRESPONDENT_TYPES = ("contact", "invoice")


class CollectionDebtor(models.Model):
    """What a follow-up plan needs to know of a customer, and what the customer's answers change in it."""

    _inherit = "collection.debtor"
    _contact_fields = ("contact_id", "approver_id", "escalation_contact_id", "legal_contact_id")

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

    has_credit_to_allocate = fields.Boolean(
        string="Credit to allocate",
        compute="_compute_has_credit_to_allocate",
        search="_search_has_credit_to_allocate",
        help="A payment that nobody allocated could belong to what is followed up, or to an older debt that is not: "
        "nothing is claimed until it is allocated.",
    )

    # === COMPUTE METHODS === #

    @api.depends("company_id", "partner_id")
    def _compute_has_credit_to_allocate(self):
        for company, debtors in self.grouped("company_id").items():
            partner_ids = self._get_partner_ids_with_credit_to_allocate(company, debtors.partner_id)
            for debtor in debtors:
                debtor.has_credit_to_allocate = debtor.partner_id.id in partner_ids

    @api.model
    def _search_has_credit_to_allocate(self, operator, value):
        """Find the customers with a credit to allocate in the user's companies, one query per company."""
        if operator != "in":
            return NotImplemented
        return Domain.OR(
            Domain("company_id", "=", company.id)
            & Domain("partner_id", "in", list(self._get_partner_ids_with_credit_to_allocate(company)))
            for company in self.env.companies
        )

    @api.model
    def _get_partner_ids_with_credit_to_allocate(self, company, partners=None):
        """Return the ids of the commercial partners of a company with a credit to allocate."""
        ledger = self.env["collection.ledger"].sudo()
        return {row["partner_id"] for row in ledger._get_credits_to_allocate(company.sudo(), partners)}

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
        plans = self.env["collection.plan"]
        # With the rights of whoever asks: a domain on plans could ask for anything behind them.
        wanted = plans.search(value if operator == "any" else [("id", "in", [plan_id for plan_id in value if plan_id])])
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

    # === BUSINESS METHODS - MAY WE SPEAK === #

    def _get_silence_reason(self, channel=None, email=None):
        """Return why this customer must not be contacted now, ``False`` when nothing forbids it.

        HOOK. Extend it for a new reason to leave a customer alone, and return it in words::

            def _get_silence_reason(self, channel=None, email=None):
                return super()._get_silence_reason(channel, email) or (self.is_in_court and _("In court."))

        Plans, the simulation, “Why?”, reminders by hand, reminders of promises, hand-overs and cases all ask it: of
        every customer who would be spoken to otherwise, one by one, but in a common set of records, so that what is
        read of one is read of all. Plans ask it twice: without a channel, and with that of the step that is due. A
        person may overrule the reason.

        Facts are read as they stand: call ``_synchronize_own`` first when speaking for real.

        :param str channel: ``email``, ``call`` … for reasons that depend on it; ``statement`` for what only informs.
        :param str email: the address one would write to, when it is not the debtor's.
        """
        self.ensure_one()
        if self.env.context.get("collection_own_reasons"):
            return False
        silences = self._get_silences(channel, email)[self]
        return self.env["collection.plan"]._describe_silence(silences[0], self) if silences else False

    @api.model
    def _has_own_silence_reasons(self):
        """Return whether another addon extends ``_get_silence_reason``."""
        return type(self)._get_silence_reason is not CollectionDebtor._get_silence_reason

    def _get_own_silence_reason(self, channel=None, email=None):
        """Return what other addons say in ``_get_silence_reason``, without our own reasons."""
        return self.with_context(collection_own_reasons=True)._get_silence_reason(channel, email)

    def _get_silences(self, channel=None, email=None, is_agreed=False, is_counted=None):
        """Return all reasons to leave these customers alone today: the one list, which plans ask as well.

        The number of queries doesn't grow with the customers.

        :param str channel: how one would speak: a value of ``collection.action.channel``, or ``statement``; ``None``
            for reasons that hold whatever the channel.
        :param str email: the address one would write to; the debtor's when ``None``.
        :param bool is_agreed: whether one only reminds, by a scheduled action, of what the customer agreed to. That is
            withheld from what is claimed, so that ``CLAIM_SILENCES`` say nothing about it; as for plans, a bank
            journal that is not up to date keeps quiet, for the customer may have paid.
        :param is_counted: function that says whether an earlier message, a ``collection.action``, makes another one
            too soon; all do when ``None``.
        :return: ``{debtor: [Silence]}``, what weighs most first, an empty list where nothing forbids to speak.
        """
        self.check_access("read")
        result = {}
        for company, debtors in self.grouped("company_id").items():
            today = company._collection_today()
            facts = self.env["collection.plan"]._get_decision_context(company, debtors._origin, today)
            # Between two messages that ask for money lie some days.
            is_message = self.env["collection.channel"]._get(channel)._is_message
            last_messages = debtors._origin._get_last_messages(company, is_counted) if is_message else {}
            for debtor in debtors:
                debtor_id = debtor._origin.id
                silences = facts.get_silences(debtor_id, today, is_agreed)
                if channel and not any(silence.reason == "own_reason" for silence in silences):
                    silences += debtor._origin._get_own_silences(channel, email)
                if channel == "statement":
                    silences = [silence for silence in silences if silence.reason in STATEMENT_SILENCES]
                if channel == "call" and debtor.handover_id:
                    silences.append(Silence("with_provider"))
                if is_message:
                    silences += facts.get_message_silences(debtor_id, today)
                    if details := last_messages.get(debtor_id):
                        silences.append(Silence("too_soon", None, details))
                if channel in ("email", "statement"):
                    silences += debtor._get_address_silences(email)
                if is_agreed:
                    silences = [silence for silence in silences if silence.reason not in CLAIM_SILENCES]
                result[debtor] = silences
        return result

    def _get_own_silences(self, channel, email):
        """Return the ``Silence`` that another addon asks for, as a list."""
        if not self._has_own_silence_reasons():
            return []
        text = self._get_own_silence_reason(channel, email)
        return [Silence("own_reason", None, {"text": text})] if text else []

    def _get_address_silences(self, email=None):
        """Return the ``Silence`` of an address that can't be written to, as a list."""
        self.ensure_one()
        email = self.email if email is None else email
        if not email:
            return [Silence("no_address")]
        address = email_normalize(email)
        if address and self.env["mail.blacklist"].sudo().search_count([("email", "=", address)], limit=1):
            return [Silence("blacklisted", None, {"name": address})]
        if address in self._get_bounced_emails():
            return [Silence("bounced_address", None, {"name": address})]
        return []

    def _get_last_messages(self, company, is_counted=None):
        """Return the last message to each of these customers that was too short a time ago.

        :param is_counted: see ``_get_silences``.
        :return: ``{debtor id: {"user", "date", "campaign"}}``.
        """
        gap, today = company.collection_contact_gap_days, company._collection_today()
        if not gap or not self:
            return {}
        Action = self.env["collection.action"].sudo()
        actions = Action.search(
            Domain("debtor_id", "in", self.ids)
            & Action._get_contact_domain()
            & Domain("date_done", ">", fields.Datetime.now() - timedelta(days=gap + 1)),
            order="date_done, id",
        )
        last = {}
        for action in actions:
            day = action._get_done_on()
            if day + timedelta(days=gap) > today and (is_counted is None or is_counted(action)):
                last[action.debtor_id.id] = {
                    "user": action.user_id.name,
                    "date": day,
                    "campaign": action.campaign_id.name,
                }
        return last

    def _describe_silences(self, silences):
        """Return reasons to leave this customer alone in words, ``False`` without any.

        :param silences: ``Silence``s of this debtor.
        """
        self.ensure_one()
        Plan = self.env["collection.plan"]
        return " ".join(Plan._describe_silence(silence, self) for silence in silences) or False

    def _note_overruled(self, reasons, user=None):
        """Write on the thread that somebody overruled reasons to leave this customer alone.

        :param str reasons: in words.
        :param user: who overruled them; the user when ``None``.
        """
        name = (user or self.env.user).name
        for debtor in self:
            debtor.message_post(
                body=self.env._("%(user)s went on in spite of this: %(reasons)s", user=name, reasons=reasons)
            )

    # === BUSINESS METHODS - WHO === #

    def _get_recipients(self, role="reminder", with_email=False):
        """Return whom to write to, best first: the contact of that role, then the others of this customer.

        :param str role: ``reminder``, ``escalation`` or ``legal``.
        :param bool with_email: only those who have a valid address.
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
        generation = self.partner_id.child_ids
        while generation:
            partners |= generation.filtered(lambda partner: partner.type in CORRESPONDENT_TYPES)
            generation = (generation - self.partner_id).child_ids
        partners = partners.filtered(
            lambda partner: partner.active and partner.commercial_partner_id == self.partner_id
        )
        return partners.filtered("email_normalized") if with_email else partners

    @api.model
    def _get_correspondent_sql(self, contact, debtor) -> SQL:
        """Return in SQL who can be written to about a customer, as ``_get_recipients`` does for reminders.

        The customer, the contacts of type “contact” or “invoice” below it, and the one that its file names; all active.

        :param str contact: alias of a row of ``res_partner``.
        :param str debtor: alias of the follow-up file, or of nulls, of the contact's commercial partner.
        """
        return SQL(
            "(%(contact)s.active AND (%(contact)s.id = %(contact)s.commercial_partner_id"
            " OR %(contact)s.type IN %(types)s OR %(contact)s.id = %(debtor)s.contact_id))",
            contact=SQL.identifier(contact),
            debtor=SQL.identifier(debtor),
            types=CORRESPONDENT_TYPES,
        )

    def _get_email_contact(self):
        """Return the person to write an e-mail to: the first who has an address, else whom one asks for."""
        self.ensure_one()
        return self._get_recipients(with_email=True)[:1] or self.contact_used_id

    def _get_working_contact(self, preferred=None):
        """Return the first contact whose e-mail address works: one that neither bounced nor is on the blacklist.

        :param preferred: a contact to try first, if it is one of this customer.
        :return: a ``res.partner``, empty when nobody can be written to.
        """
        self.ensure_one()
        contacts = self._get_recipients(with_email=True)
        if preferred and preferred.email_normalized and preferred.commercial_partner_id == self.partner_id:
            contacts = preferred.filtered("active") | contacts
        refused = self._get_refused_emails(contacts)
        return contacts.filtered(lambda partner: partner.email_normalized not in refused)[:1]

    def _is_closed_today(self):
        """Return whether this customer is closed today, so that what goes by itself waits."""
        self.ensure_one()
        today = self.company_id._collection_today()
        is_closed = (
            self.env["collection.plan"]._get_decision_context(self.company_id, self, today).files[self.id].is_closed
        )
        return bool(is_closed and is_closed(today))

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
        """An answer of the customer pauses the plan until somebody has read it.

        Only what came in by e-mail counts: this method answers to every session.
        """
        if self._is_from_gateway():
            author = self.env["res.partner"].sudo().browse(msg_dict.get("author_id"))
            if not author.user_ids.filtered(lambda user: user._is_internal()):
                for debtor in self.sudo():
                    debtor._note_reply()
        return super().message_update(msg_dict, update_vals=update_vals)

    def _note_reply(self):
        """Record that the customer answered, and ask the collector to read it."""
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
        """Record that an address of these customers doesn't work."""
        for debtor in self.sudo():
            bounced = debtor._get_bounced_emails() | ({address} if address else set())
            debtor.bounced_emails = " ".join(sorted(bounced))

    # EXTENDS mail
    def _message_receive_bounce(self, email, partner):
        """An address from which a message came back is not used again for this customer."""
        result = super()._message_receive_bounce(email, partner)
        for debtor in self.sudo() if not self.env.context.get("collection_bounce_unproved") else ():
            debtor._note_bounce(email_normalize(email or ""))
        return result

    def _note_bounce(self, address):
        """Record that a message to an address of this customer came back, from whatever thread it was sent.

        :param str address: normalised.
        """
        self.ensure_one()
        message_id = self.env.context.get("collection_bounced_message_id")
        message = self.env["mail.message"].sudo().browse(message_id if isinstance(message_id, int) else ())
        self._note_bounced_email(address)
        self.env["collection.action"]._note_bounce(message, self, address)
        self.message_post(body=self.env._("A message to %s came back: correct the address on the contact.", address))
