from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, email_normalize
from odoo.tools.misc import format_date

from ...const import CALL_OUTCOMES, CANCEL_CODES, NO_LEVEL, REACHED_OUTCOMES
from ...tools import cadence


class ChannelLabels(dict):
    """The names of channels; one that is not known is named by its code.

    >>> ChannelLabels(call="Call")["call"], ChannelLabels()["chat"]
    ('Call', 'chat')
    """

    def __missing__(self, channel):
        return channel or ""


class CollectionAction(models.Model):
    """One contact with a customer: the ledger of everything that was planned, said and answered.

    What was said can't be changed any more: a correction is another action. Once it isn't planned any more, the note
    and the reason that the customer gave may still be written, nothing else.
    """

    _name = "collection.action"
    _description = "Follow-up Action"
    _inherit = [
        "collection.reach.mixin",
        "collection.state.mixin",
        "collection.contact.mixin",
        "collection.item.holder",
    ]
    _held_item_field = "cycle"
    _order = "date_planned desc, id desc"
    _check_company_auto = True
    _contact_fields = ("contact_id",)
    _state_initial = "planned"
    _state_transitions = {
        "planned": ("done", "failed", "cancelled"),
        # What bounces was never said.
        "done": ("failed",),
    }
    _states_on_file = frozenset({"done", "failed", "cancelled"})
    _fields_noted = frozenset({"note", "reason_id"})
    _fields_of_system = frozenset(
        {
            "date_done",
            "result_text",
            "plan_id",
            "step_id",
            "cycle",
            "planned_on",
            "is_old_debt",
            "needs_confirmation",
            "is_skipped",
            "delivery_state",
            "try_count",
            "cancel_code",
            "address",
            "fallback_of_id",
            "item_ids",
            "printed_on",
            "retry_at",
            "file_try_count",
            "handover_id",
            "overruled_text",
            "overruled_by_id",
            "outcome",
            "amount",
            "mail_message_id",
            "attachment_ids",
            "promise_id",
            "dispute_id",
        }
    )
    # A contact with somebody else is another action.
    _fields_said_once = frozenset({"debtor_id"})

    debtor_id = fields.Many2one("collection.debtor", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="debtor_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(related="debtor_id.partner_id", store=True, index=True)
    channel = fields.Selection(
        [
            ("call", "Call"),
            ("email", "E-mail"),
            ("sms", "SMS"),
            ("letter", "Letter"),
            ("task", "Task"),
            ("note", "Note"),
        ],
        required=True,
        default="call",
    )
    state = fields.Selection(
        [("planned", "Planned"), ("done", "Done"), ("failed", "Failed"), ("cancelled", "Cancelled")],
        required=True,
        readonly=True,
        default="planned",
        index=True,
    )
    date_planned = fields.Date(string="Planned for", required=True, default=lambda self: self._default_date_planned())
    date_done = fields.Datetime(string="Done on", readonly=True)
    user_id = fields.Many2one("res.users", string="By", required=True, default=lambda self: self.env.user)
    contact_id = fields.Many2one("res.partner", string="Spoken to")
    summary = fields.Char(help="What this action is for.")
    outcome = fields.Selection(CALL_OUTCOMES)
    is_reached = fields.Boolean(string="Somebody answered", compute="_compute_is_reached", store=True)
    note = fields.Text(string="What was said")
    currency_id = fields.Many2one(related="company_id.currency_id")
    amount = fields.Monetary(string="Claimed", help="What could be claimed at that moment, in company currency.")
    mail_message_id = fields.Many2one("mail.message", string="Message", ondelete="set null", index="btree_not_null")
    result_text = fields.Char(string="Why", readonly=True, help="Why this action failed or was cancelled.", copy=False)

    overruled_text = fields.Char(
        string="In spite of",
        readonly=True,
        copy=False,
        help="The reason to leave the customer alone that a person overruled.",
    )
    overruled_by_id = fields.Many2one("res.users", readonly=True, copy=False)

    # == Of a follow-up plan ==
    cancel_code = fields.Selection(
        CANCEL_CODES,
        string="Why cancelled",
        readonly=True,
        copy=False,
        help="In a word, to count them; “Why” says it in full.",
    )
    item_ids = fields.One2many("collection.action.item", "action_id", string="Items named", readonly=True, copy=False)

    # == Delivery ==
    delivery_state = fields.Selection(
        [
            ("queued", "Handed over"),
            ("sent", "Sent"),
            ("uncertain", "Uncertain"),
            ("failed", "Failed"),
        ],
        readonly=True,
        copy=False,
        help="Handed over: waits in Odoo's own queue. Uncertain: the server stopped while sending, and whether the "
        "message arrived is not known; it is not sent again by itself.",
    )
    try_count = fields.Integer(string="Tries", readonly=True, copy=False)
    address = fields.Char(readonly=True, copy=False, help="Where the message went: e-mail address, number or street.")
    fallback_of_id = fields.Many2one(
        "collection.action",
        check_company=True,
        string="Instead of",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    # Invoices are files of a field: only an access that is checked elsewhere shows them.
    attachment_ids = fields.Many2many(
        "ir.attachment", string="Attachments", readonly=True, copy=False, bypass_search_access=True
    )

    _due_index = models.Index("(company_id, date_planned) WHERE state = 'planned'")
    _said_index = models.Index("(company_id, state_date) WHERE step_id IS NOT NULL")
    _decided_index = models.Index("(company_id, planned_on) WHERE planned_on IS NOT NULL")
    _queued_index = models.Index("(id) WHERE delivery_state = 'queued'")

    # === DEFAULT METHODS === #

    @api.model
    def _default_date_planned(self):
        return self.env.company._collection_today()

    # === COMPUTE METHODS === #

    @api.depends("channel", "partner_id", "date_planned")
    @api.depends_context("lang")
    def _compute_display_name(self):
        channels = self._get_channel_labels()
        for action in self:
            action.display_name = self.env._(
                "%(name)s: %(text)s",
                name=channels[action.channel] if action.channel else "",
                text=action.partner_id.name or "",
            )

    @api.depends("outcome")
    def _compute_is_reached(self):
        for action in self:
            action.is_reached = action.outcome in REACHED_OUTCOMES

    # === CONSTRAINT METHODS === #

    @api.constrains("outcome", "channel")
    def _check_outcome(self):
        for action in self:
            if action.outcome and action.channel != "call":
                raise ValidationError(self.env._("Only a call has an outcome such as “voicemail”."))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        # What replaces a failed action is judged by the states as the database knows them: each step once.
        self.flush_model(["state"])
        return super().create(vals_list)

    # EXTENDS collection.fact.mixin
    def _get_on_file_refusal(self, name):
        return self.env._("What was said to a customer can't be changed any more. Log another action to correct it.")

    @api.ondelete(at_uninstall=False)
    def _unlink_except_done(self):
        # A cancelled one says why nothing was said.
        kept = ("done", "failed") if self.env.su else ("done", "failed", "cancelled")
        if any(action.state in kept for action in self):
            raise UserError(self.env._("What was said to a customer stays on file and can't be deleted."))

    # === ACTION METHODS === #

    def action_cancel(self):
        """Cancel planned actions that are no longer needed."""
        self.check_access("write")
        self._set_state(
            "cancelled", result_text=self.env._("Cancelled by %s", self.env.user.name), cancel_code="by_hand"
        )

    def action_try_again(self):
        """Plan again what failed or may not have arrived."""
        self.check_access("write")
        for action in self.sudo().filtered(lambda action: action.step_id and not action.is_skipped):
            if action.state == "done" and action.delivery_state == "uncertain":
                action._set_state("failed", delivery_state="failed")
            if action.state == "failed":
                action.flush_recordset(["state"])
                self.sudo().create({**action._prepare_fallback(action.channel), "user_id": self.env.uid})
        self.env.ref("account_collection.cron_plan_and_deliver").sudo()._trigger()

    def action_log_call(self):
        """Log the call that was planned."""
        self.ensure_one()
        return (self.case_id or self.debtor_id).action_log_call()

    def action_open_target(self):
        """Open the case of this action, else its debtor: where one works on it."""
        self.ensure_one()
        target = self.case_id or self.debtor_id
        return {
            "type": "ir.actions.act_window",
            "res_model": target._name,
            "res_id": target.id,
            "view_mode": "form",
        }

    # === BUSINESS METHODS === #

    # EXTENDS collection.item.holder
    @api.model
    def _get_held_sql(self, item_ids):
        return SQL("%s AND step_id IS NOT NULL", super()._get_held_sql(item_ids))

    # EXTENDS collection.item.holder
    @api.model
    def _write_held(self, held):
        """Prevent that a step is recorded twice on one item: the older of two keeps the item that is gone."""
        held = [one for one in held if one.item_id]
        standing = ("planned", "done")
        moved = self.browse(one.record.id for one in held)
        domain = [("id", "not in", moved.ids), ("cycle", "in", [one.item_id for one in held])]
        others = self.search([*domain, ("debtor_id", "in", moved.debtor_id.ids), ("state", "in", standing)])
        known = {(action.debtor_id, action.step_id, action.cycle) for action in others}
        going = []
        for one in sorted(held, key=lambda one: -one.record.id):
            key = (one.record.debtor_id, one.record.step_id, one.item_id)
            if one.record.state in standing and key in known:
                continue
            known.add(key)
            going.append(one)
        # By way of numbers that no item has: one action may take the item of another in the same statement.
        super()._write_held([one._replace(item_id=-one.record.id) for one in going])
        return super()._write_held(going)

    @api.model
    def _log(self, debtor, channel, case=None, names_items=False, **vals):
        """Record a contact that just took place, as an action that is done.

        Called on a planned action, it is that action that was done. Else a call or task (see ``_is_done_by_hand``)
        fulfils the step that a plan has scheduled for it, if there is one, and is recorded on that action. A reply of
        the customer counts as read once a user has spoken to them (see ``_is_said_by_us``): the debtor's
        ``reply_date`` is cleared. With a ``mail_message_id``, the delivery of the e-mail is followed from then on (see
        ``_collect_results``).

        :param debtor: one debtor.
        :param str channel: how it was said.
        :param case: the case it belongs to, if any.
        :param bool names_items: whether the message asked for what can be claimed: those items are recorded.
        :param vals: other values of the action.
        :return: the action, done.
        """
        origin = self._get_origin()
        values = {
            "contact_id": debtor.contact_used_id.id,
            "amount": debtor.claimable_amount,
            **({"case_id": case.id} if case else {}),
            **({"date_planned": origin.day} if origin else {}),
            **vals,
        }
        Action = self.browse().with_context(**self._get_guard())
        planned = self.filtered(lambda action: action.state == "planned")
        if planned:
            action = Action.browse(planned.id)
        else:
            action = Action._get_planned_step(debtor, channel) if self._is_done_by_hand(channel) else Action
        if action and (channel != "call" or vals.get("outcome") in REACHED_OUTCOMES):
            # What the plan asked for is done by this.
            action.write({**values, "user_id": self.env.uid})
            if action.step_id:
                action.sudo()._write_items(level=action.step_id.delay)
        else:
            action = Action.create(
                {
                    "debtor_id": debtor.id,
                    "channel": channel,
                    "user_id": self.env.uid,
                    "date_planned": debtor.company_id._collection_today(),
                    **values,
                }
            )
            if names_items:
                action.sudo()._write_items()
        action._set_state(
            "done",
            date_done=origin.moment if origin else fields.Datetime.now(),
            **action._prepare_delivery(),
            **self._prepare_origin(),
        )
        if action._is_said_by_us():
            # Whoever speaks to a customer has read what they answered.
            debtor.sudo().filtered("reply_date").reply_date = False
        return action.with_env(self.env)

    def _note_overruled(self, reasons, user=None):
        """Record that somebody spoke in spite of reasons to leave the customer alone.

        :param str reasons: in words.
        :param user: who overruled them; the user when ``None``.
        """
        user = user or self.env.user
        for action in self:
            action.with_context(**self._get_guard()).write({"overruled_text": reasons, "overruled_by_id": user.id})
            action.debtor_id._note_overruled(reasons, user)

    def _prepare_delivery(self):
        """Return the values by which an e-mail that was posted by a person or a document is followed."""
        self.ensure_one()
        message = self.mail_message_id
        if not message or self.channel not in ("email", "note"):
            return {}
        return {
            "address": email_normalize(self.contact_id.sudo().email or ""),
            "delivery_state": "queued",
            "try_count": 1,
        }

    def _is_said_by_us(self):
        """Return whether somebody who works here spoke to the customer, by any channel.

        Not so: what a scheduled action sends, what an outside caller reports, and what reaches nobody (an unanswered
        call, a note, a task).
        """
        self.ensure_one()
        user = self.env.user
        is_person = user._is_internal() and user.id != SUPERUSER_ID
        return bool(is_person and not self._get_origin() and self.filtered_domain(self._get_contact_domain()))

    @api.model
    def _get_planned_step(self, debtor, channel):
        """Return the planned action by which a plan asks people to contact a customer, if there is one."""
        return self.search(
            [
                ("debtor_id", "=", debtor.id),
                ("state", "=", "planned"),
                ("step_id", "!=", False),
                ("channel", "=", channel),
            ],
            order="date_planned, id",
            limit=1,
        )

    @api.model
    def _plan_call(self, debtor, date, summary, case=None, user=None):
        """Plan the next call to a customer, and cancel the other calls that are planned.

        A call that a plan has scheduled is kept and moved to that day. Actions of other channels don't change.

        :param debtor: one debtor.
        :param date: the day of the call.
        :param str summary: what the call is for.
        :param case: the case it belongs to, if any.
        :param user: who is to call; the current user when ``None``.
        :return: the planned action.
        """
        step_call = self._get_planned_step(debtor, "call")
        self._cancel_planned_calls(debtor, self.env._("Replaced by a newer plan."), "replaced", keep=step_call)
        values = {
            "date_planned": date,
            "summary": summary,
            "user_id": (user or self.env.user).id,
            "amount": debtor.claimable_amount,
        }
        if step_call:
            step_call.with_context(**self._get_guard()).write(
                {**values, "case_id": case.id if case else step_call.case_id.id}
            )
            return step_call
        call = self.with_context(**self._get_guard()).create(
            {"debtor_id": debtor.id, "case_id": case.id if case else False, "channel": "call", **values}
        )
        return call.with_env(self.env)

    @api.model
    def _cancel_planned_calls(self, debtors, reason, code, keep=None):
        """Cancel the calls that are planned for these debtors, with a reason that anyone can read.

        Messages, tasks and printed letters stay: the decision at their own time says whether they are still due.

        :param str reason: why, for people.
        :param str code: one of ``CANCEL_CODES``.
        :param keep: actions to leave alone.
        """
        planned = self.search([("debtor_id", "in", debtors.ids), ("state", "=", "planned"), ("channel", "=", "call")])
        (planned - keep if keep else planned)._set_state("cancelled", result_text=reason, cancel_code=code)

    @api.model
    def _get_silent_channels(self):
        """Return the channels that say nothing to the customer: they count neither for gaps nor for pressure.

        Notes, and the channels that say so of themselves (see ``collection.channel``).
        """
        return ("note",)

    @api.model
    def _is_done_by_hand(self, channel):
        """Return whether what people log by this channel is what a plan asked them for: a call, a task."""
        return channel == "call"

    @api.model
    def _get_channel_labels(self):
        """Return ``{channel: its name}`` in the user's language; a channel whose addon is gone has its code as name."""
        return ChannelLabels(self._fields["channel"]._description_selection(self.env))

    @api.model
    def _get_contact_domain(self):
        """Return the domain of contacts: what really reached a customer, said by us or by an outside caller for us.

        A contact is an e-mail, a letter or an SMS that was sent and did not come back, or a call that somebody
        answered. Unanswered calls, notes (statements of account among them), tasks, and what was planned, failed or
        cancelled are none. Its day is ``date_done`` on the company's clock, see ``_get_done_on``.
        """
        return (
            Domain("state", "=", "done")
            & Domain("channel", "not in", self._get_silent_channels())
            & (Domain("channel", "!=", "call") | Domain("is_reached", "=", True))
        )

    @api.model
    def _get_contact_sql(self, alias="collection_action") -> SQL:
        """Return the same condition as ``_get_contact_domain`` in SQL; it is never null.

        :param str alias: of the table ``collection_action`` in the statement.
        """
        table = SQL.identifier(alias)
        return SQL(
            "(%(action)s.state = 'done' AND %(action)s.channel NOT IN %(silent)s"
            " AND (%(action)s.channel != 'call' OR %(action)s.is_reached IS TRUE))",
            action=table,
            silent=self._get_silent_channels(),
        )

    @api.model
    def _get_contact_day_sql(self, company, alias="collection_action") -> SQL:
        """Return the day of an action in SQL, on the clock of its company.

        :param company: one company.
        :param str alias: of the table ``collection_action`` in the statement.
        """
        return SQL(
            "(%s AT TIME ZONE 'UTC' AT TIME ZONE %s)::date",
            SQL.identifier(alias, "date_done"),
            company._get_collection_tz(),
        )

    def _get_done_on(self):
        """Return the day on which this was done, on the company's clock whoever asks; ``False`` when it was not."""
        self.ensure_one()
        if not self.date_done:
            return False
        clock = self.with_context(tz=self.company_id.sudo()._get_collection_tz())
        return fields.Datetime.context_timestamp(clock, self.date_done).date()

    def _write_items(self, rows=None, level=NO_LEVEL):
        """Record which items these actions named, and the level that each reached.

        :param rows: ``{debtor: rows of _get_claimable_items}``; read when missing.
        :param int level: delay of the step that was said, ``NO_LEVEL`` for what belongs to no step.
        """
        if rows is None:
            rows = self.debtor_id._get_claimable_items_by_debtor()
        values = []
        for action in self:
            today = action.company_id._collection_today()
            steps = action.plan_id._get_cadence()
            for row in rows.get(action.debtor_id, ()):
                if not row["claimable"] + row["credited"]:
                    continue
                values.append(
                    {
                        "action_id": action.id,
                        "move_line_id": row["item"].id,
                        "currency_id": row["currency"].id,
                        "due_date": row["due_date"],
                        "days_late": row["days_late"],
                        "amount": row["claimable"],
                        "level": cadence.covered_level(level, row["due_date"], today, steps)
                        if level != NO_LEVEL
                        else NO_LEVEL,
                    }
                )
        for vals in values:
            if vals["level"] is None:
                vals["level"] = NO_LEVEL
        self.env["collection.action.item"].sudo().create(values)

    @api.model
    def _get_said_sql(self, company, debtor_ids):
        """Return SQL with what was said to customers: in their file, or about their items while those were another's.

        Items change their customer when a contact joins or leaves a company. What was said stays in the file in
        which it was said; the level of an item and the days between two contacts go with the item.

        :param company: the company of these debtors.
        :param debtor_ids: ids of debtors.
        :return: ``SQL`` with the columns ``debtor_id`` and ``action_id``.
        """
        return SQL(
            """
            SELECT own.debtor_id, own.id AS action_id
              FROM collection_action own
             WHERE own.debtor_id = ANY(%(debtors)s)
             UNION ALL
            SELECT DISTINCT debtor.id, item.action_id
              FROM collection_debtor debtor
              JOIN res_partner partner ON partner.commercial_partner_id = debtor.partner_id
              JOIN account_move_line line ON line.partner_id = partner.id AND line.company_id = debtor.company_id
              JOIN collection_action_item item ON item.move_line_id = line.id
              JOIN collection_action other ON other.id = item.action_id AND other.debtor_id != debtor.id
             WHERE debtor.id = ANY(%(debtors)s)
               AND line.account_id IN %(accounts)s
               AND line.parent_state = 'posted'
               AND line.reconciled IS NOT TRUE
            """,
            debtors=list(debtor_ids),
            accounts=self.env["collection.ledger"]._get_account_ids(company),
        )

    # === BUSINESS METHODS - DELIVER === #

    def _prepare_messages(self, channel):
        """Return what a channel sends for these due actions, whatever was decided before.

        Those that have nothing to claim are cancelled, those that can't be sent have failed afterwards.

        :param channel: the model of a channel.
        :return: ``{action: payload}``, see ``collection.channel._prepare``.
        """
        rows = channel._get_rows(self)
        claiming = self._cancel_unclaimable(rows)
        for action, reason in channel._applicable(claiming).items():
            action._fail(reason)
        ready = claiming.filtered(lambda action: action.state == "planned")
        # The items are read once: what was judged is what the message says.
        known = {debtor.id: own for debtor, own in rows.items()}
        payloads = channel._prepare(ready.with_context(collection_rows=known)) if ready else {}
        return {action.with_env(self.env): payload for action, payload in payloads.items()}

    def _cancel_unclaimable(self, rows):
        """Cancel what would ask a customer for nothing, or for less than a message is worth.

        :param rows: ``{debtor: rows of _get_claimable_items}``.
        :return: the actions that have something to claim.
        """
        claiming = self.browse()
        for action in self:
            debtor = action.debtor_id
            amount = debtor._get_claim_value(rows[debtor])
            if debtor._is_worth_a_message(amount):
                claiming |= action
            elif debtor.currency_id.is_zero(amount):
                action._set_state(
                    "cancelled",
                    result_text=debtor._get_nothing_to_claim_reason(),
                    cancel_code="nothing_claimable",
                )
            else:
                action._set_state(
                    "cancelled", result_text=debtor._get_too_small_reason(amount), cancel_code="too_small"
                )
        return claiming

    # === BUSINESS METHODS - RESULTS === #

    def _get_next_step(self):
        """Return what a planned action is, in words: the day, the channel and what it is for."""
        self.ensure_one()
        channel = self._get_channel_labels()[self.channel]
        day = format_date(self.env, self.date_planned)
        if not self.summary:
            return f"{day}, {channel}"
        return self.env._("%(date)s, %(channel)s: %(summary)s", date=day, channel=channel, summary=self.summary)

    @api.model
    def _cancel_paid(self, company, partners=None):
        """Cancel what was planned to ask for money that came in meanwhile.

        What was planned when nothing could be claimed (a call before the due date) stays.

        :param company: one company.
        :param partners: commercial partners; all when ``None``.
        :return: the actions that were cancelled.
        """
        domain = Domain("company_id", "=", company.id) & Domain("state", "=", "planned") & Domain("amount", ">", 0)
        domain &= Domain("step_id", "=", False)  # the plan looks after its own steps
        # What is owed of an entry that is a draft just now is not known: nothing is paid yet.
        domain &= Domain("partner_id", "not in", self.env["collection.suspended.item"]._get_customers(company).ids)
        if partners is not None:
            domain &= Domain("partner_id", "in", partners.ids)
        nothing = ("claimable_amount", "promised_amount", "disputed_amount", "excluded_amount")
        settled = Domain.AND(Domain(name, "=", 0) for name in nothing)
        planned = self.sudo().search(domain & Domain("debtor_id", "any", settled))
        return planned._set_state("cancelled", result_text=self.env._("Paid."), cancel_code="nothing_claimable")
