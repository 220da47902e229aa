import logging
from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL, email_normalize
from odoo.tools.misc import format_date

from ...const import CALL_OUTCOMES, CANCEL_CODES, NO_LEVEL, REACHED_OUTCOMES
from ...tools import cadence
from ..collection_run import DELIVERING

_logger = logging.getLogger(__name__)

# Actions that are delivered in one transaction.
BATCH_SIZE = 100
# How often an e-mail is tried again while the mail server can't be reached.
MAX_TRIES = 5
# Reasons for which a planned action waits for another day instead of being cancelled.
POSTPONING_REASONS = ("not_yet", "gap", "pressure", "payment_run", "closed")


class CollectionAction(models.Model):
    """One contact with a customer: the ledger of everything that was planned, said and answered.

    What was said can't be changed any more: a correction is another action.
    """

    _name = "collection.action"
    _description = "Follow-up Action"
    _inherit = ["collection.state.mixin", "collection.provider.mixin", "collection.item.holder"]
    _held_item_field = "cycle"
    _order = "date_planned desc, id desc"
    _check_company_auto = True
    _state_initial = "planned"
    _state_transitions = {
        "planned": ("done", "failed", "cancelled"),
        # What bounces was never said.
        "done": ("failed",),
    }
    # What may still be written once something was said.
    _fields_after_done = {"note", "reason_id"}
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
            "handover_id",
            "overruled_text",
            "overruled_by_id",
        }
    )

    debtor_id = fields.Many2one("collection.debtor", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="debtor_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(related="debtor_id.partner_id", store=True, index=True)
    case_id = fields.Many2one("collection.case", index="btree_not_null", ondelete="restrict")
    campaign_id = fields.Many2one(related="case_id.campaign_id", store=True, index="btree_not_null")
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
    reason_id = fields.Many2one("collection.reason", string="Reason for Non-Payment", ondelete="restrict")
    note = fields.Text(string="What was said")
    currency_id = fields.Many2one(related="company_id.currency_id")
    amount = fields.Monetary(string="Claimed", help="What could be claimed at that moment, in company currency.")
    promise_id = fields.Many2one("collection.promise", ondelete="restrict", index="btree_not_null")
    dispute_id = fields.Many2one("collection.dispute", ondelete="restrict", index="btree_not_null")
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
        "collection.action", string="Instead of", readonly=True, copy=False, index="btree_not_null", ondelete="set null"
    )
    # Invoices are files of a field: only an access that is checked elsewhere shows them.
    attachment_ids = fields.Many2many(
        "ir.attachment", string="Attachments", readonly=True, copy=False, bypass_search_access=True
    )

    _due_index = models.Index("(company_id, date_planned) WHERE state = 'planned'")
    _queued_index = models.Index("(id) WHERE delivery_state = 'queued'")

    # === DEFAULT METHODS === #

    @api.model
    def _default_date_planned(self):
        return self.env.company._collection_today()

    # === COMPUTE METHODS === #

    @api.depends("channel", "partner_id", "date_planned")
    @api.depends_context("lang")
    def _compute_display_name(self):
        channels = dict(self._fields["channel"]._description_selection(self.env))
        for action in self:
            action.display_name = self.env._(
                "%(name)s: %(text)s",
                name=channels.get(action.channel, ""),
                text=action.partner_id.name or "",
            )

    @api.depends("outcome")
    def _compute_is_reached(self):
        for action in self:
            action.is_reached = action.outcome in REACHED_OUTCOMES

    # === CONSTRAINT METHODS === #

    @api.constrains("case_id", "debtor_id")
    def _check_case(self):
        self._check_case_of_debtor()

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

    def write(self, vals):
        frozen = vals.keys() - self._fields_after_done
        if frozen and not self._is_state_guarded() and any(action.state != "planned" for action in self):
            raise UserError(
                self.env._("What was said to a customer can't be changed any more. Log another action to correct it.")
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_done(self):
        if any(action.state in ("done", "failed") for action in self):
            raise UserError(self.env._("What was said to a customer stays on file and can't be deleted."))

    # === ACTION METHODS === #

    def action_cancel(self):
        """Drop planned actions that are no longer needed."""
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

    def action_mark_done(self):
        """Note that a task was done, by whoever clicks."""
        self.check_access("write")
        for action in self.filtered(lambda action: action.state == "planned" and action.channel == "task"):
            self._log(action.debtor_id, "task", case=action.case_id, summary=action.summary)

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
        """Let no step stand twice about one item: of two that would, the older one keeps the item that is gone."""
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
        """Write down something that was just said to a customer.

        A call or task for which a plan has a planned action carries that one out. What the customer answered counts
        as read once somebody of ours has spoken to them (see ``_is_said_by_us``). With a ``mail_message_id``, the
        delivery of the e-mail is followed from then on (see ``_collect_results``).

        :param debtor: one debtor.
        :param str channel: how it was said.
        :param case: the case it belongs to, if any.
        :param bool names_items: whether the message asked for what can be claimed: those items are written down.
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
        action = self._get_planned_step(debtor, channel) if channel in ("call", "task") else self.browse()
        if action and (channel != "call" or vals.get("outcome") in REACHED_OUTCOMES):
            # What the plan asked for is done by this.
            action.write({**values, "user_id": self.env.uid})
            action.sudo()._write_items(level=action.step_id.delay)
        else:
            action = self.create(
                {
                    "debtor_id": debtor.id,
                    "channel": channel,
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
        return action

    def _note_overruled(self, reasons, user=None):
        """Write down that somebody spoke in spite of reasons to leave the customer alone.

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

        Not so: what a scheduled action sends, what an outside caller reports, and what nobody heard (an unanswered
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
        """Plan the next call to a customer, in place of those that were planned before.

        :param date: the day of the call.
        :param str summary: what the call is for.
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
            step_call.write({**values, "case_id": case.id if case else step_call.case_id.id})
            return step_call
        return self.create({"debtor_id": debtor.id, "case_id": case.id if case else False, "channel": "call", **values})

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
        """Return the channels that say nothing to the customer: they count neither for gaps nor for pressure."""
        return ("note", "task")

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
        """Write down which items these actions named, and the level that each reached.

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

    @api.model
    def _deliver(self, limit=None):
        """Carry out what is due, best score first: each message once, in any number of workers.

        Each batch is one transaction: its customers are locked, their ledger is read anew and the decision
        taken again before anything is said. A worker that is killed loses its batch, which another one takes.

        :param int limit: most actions to look at; all that are due when ``None``.
        :return: the number of actions looked at.
        """
        taken = 0
        failed_ids = set()
        while limit is None or taken < limit:
            size = BATCH_SIZE if limit is None else min(BATCH_SIZE, limit - taken)
            count = self._retry_conflicts(lambda size=size: self._deliver_next(size, failed_ids))
            if not count:
                break
            taken += count
            if not self.env["ir.cron"]._commit_progress(count, remaining=self._count_due(failed_ids)):
                break
        return taken

    def _deliver_next(self, size, failed_ids=None):
        """Carry out one batch.

        :param set failed_ids: ids of the companies to leave out; those whose batch fails are added.
        :return: the number of actions looked at.
        """
        batch = self._take_due(size, failed_ids or ())
        failed = batch._deliver_batch()
        if failed_ids is not None:
            failed_ids.update(failed.ids)
        return len(batch)

    @api.model
    def _retry_conflicts(self, work):
        """Do a work that begins a transaction; do it again when somebody else wrote on the same rows meanwhile.

        :param work: function without arguments.
        :return: what it returned.
        """
        return self.env["collection.run"]._retry_conflicts(work)

    @api.model
    def _get_due_conditions(self, failed_ids=()):
        """Return SQL for what is due now in each company that may send at this hour, ``None`` when there is none.

        :param failed_ids: ids of companies to leave out.
        """
        conditions = []
        for company in (
            self.env["res.company"].sudo().search([("active", "=", True), ("id", "not in", list(failed_ids))])
        ):
            channels = self.env["collection.channel"]._get_automatic_channels(company)
            if channels and company._is_collection_sending_time():
                conditions.append(
                    SQL(
                        "(action.company_id = %s AND action.date_planned <= %s AND action.channel IN %s)",
                        company.id,
                        company._collection_today(),
                        channels,
                    )
                )
        if not conditions:
            return None
        return SQL(
            "action.state = 'planned' AND action.step_id IS NOT NULL"
            " AND action.needs_confirmation IS NOT TRUE AND (%s)",
            SQL(" OR ").join(conditions),
        )

    @api.model
    def _count_due(self, failed_ids=()):
        conditions = self._get_due_conditions(failed_ids)
        if not conditions:
            return 0
        self.env.flush_all()
        [[count]] = self.env.execute_query(SQL("SELECT COUNT(*) FROM collection_action action WHERE %s", conditions))
        return count

    @api.model
    def _take_due(self, limit, failed_ids=()):
        """Lock due actions and their debtors, skipping those that another worker has.

        :param failed_ids: ids of companies to leave out.
        :return: the locked actions, at most one per debtor.
        """
        conditions = self._get_due_conditions(failed_ids)
        if not conditions:
            return self.browse()
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                SELECT action.id, action.debtor_id
                  FROM collection_action action
                  JOIN collection_debtor debtor ON debtor.id = action.debtor_id
                 WHERE %s
              ORDER BY debtor.score DESC, action.date_planned, action.id
                 LIMIT %s
                   FOR NO KEY UPDATE SKIP LOCKED
                """,
                conditions,
                limit,
            ),
            log_exceptions=False,  # a conflict is no fault: the caller looks again
        )
        first_of_debtor = {}
        for action_id, debtor_id in self.env.cr.fetchall():
            first_of_debtor.setdefault(debtor_id, action_id)
        self.invalidate_model()
        return self.sudo().browse(first_of_debtor.values())

    def _deliver_batch(self):
        """Check locked actions again, and carry out those that are still due.

        :return: the companies for which it failed: nothing was said there, and nobody else is stopped.
        """
        run = self.env["collection.run"]
        failed = self.env["res.company"]
        for company, actions in self.grouped("company_id").items():
            own = actions.with_company(company).with_context(lang=company.partner_id.lang)
            if not run._isolate(company, own._deliver_in_company, DELIVERING):
                failed |= company
        return failed

    def _deliver_in_company(self):
        """Check locked actions of one company again, and carry out those that are still due."""
        self.env["collection.debtor"]._synchronize(self.company_id, self.debtor_id.partner_id)
        for channel, own in self._look_again().grouped("channel").items():
            own._deliver_by(self.env["collection.channel"]._get(channel).with_env(self.env))

    def _look_again(self):
        """Return those of these actions that are still due; cancel or postpone the others with a reason.

        All actions are of one company, and their debtors are locked and refreshed.
        """
        today = self.env.company._collection_today()
        actions = self.filtered(lambda action: action.state == "planned")
        decisions = self.env["collection.plan"]._decide(actions.debtor_id, today, ignored_actions=actions)
        of_people = actions.filtered_domain(
            self._get_waiting_domain(self.env.company) & Domain("date_planned", "<=", today)
        )
        ready = self.browse()
        for action in actions:
            decision = decisions[action.debtor_id]
            if decision.is_due and decision.step == action.step_id:
                ready |= action
                if decision.item_id != action.cycle:
                    action.sudo().write({"cycle": decision.item_id})
            elif decision.reason == "closed" and decision.step == action.step_id and action in of_people:
                # It stays on their list: each weekend would begin the days anew that people have for it.
                continue
            elif decision.step == action.step_id and decision.reason in POSTPONING_REASONS:
                action.sudo().write(
                    {
                        "date_planned": decision.day,
                        "result_text": self.env["collection.plan"]._describe(decision, action.debtor_id),
                    }
                )
            else:
                action._set_state(
                    "cancelled",
                    result_text=action._get_cancel_reason(decision),
                    cancel_code=action._get_cancel_code(decision),
                )
        return ready

    def _get_cancel_reason(self, decision):
        """Return in words why a planned action is not carried out any more."""
        self.ensure_one()
        if decision.is_due:
            return self.env._("“%s” is due instead.", decision.step.display_name)
        return self.env["collection.plan"]._describe(decision, self.debtor_id)

    @api.model
    def _get_cancel_code(self, decision):
        """Return in a word why a planned action is not carried out any more (see ``CANCEL_CODES``)."""
        if decision.step:
            return "other_step"
        code = "plan_off" if decision.reason == "not_running" else decision.reason
        return code if code in dict(CANCEL_CODES) else "other"

    def _deliver_by(self, channel):
        """Say what is due by one channel. What goes wrong with one customer doesn't hold up the others."""
        try:
            with self.env.cr.savepoint():
                self._hand_over(channel)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:
            if len(self) == 1:
                _logger.info("Action %s failed.", self.id, exc_info=True)
                self._fail(str(error) or type(error).__name__)
                return
            _logger.info("A batch of %s could not be sent at once, trying one by one.", channel._name, exc_info=True)
            for action in self:
                action._deliver_by(channel)

    def _hand_over(self, channel):
        """Give messages to what sends them, and write down in the same transaction that this was done."""
        payloads = self._prepare_messages(channel)
        if not payloads:
            return
        ready = self.browse().union(*payloads)
        results = channel._send(payloads)
        now = fields.Datetime.now()
        for action in ready:
            action._set_state(
                "done",
                date_done=now,
                delivery_state="queued",
                try_count=1,
                result_text=False,
                amount=action.debtor_id.claimable_amount,
                **results[action],
            )
        for step, actions in ready.grouped("step_id").items():
            actions._write_items({action.debtor_id: payloads[action]["rows"] for action in actions}, step.delay)
        ready._after_delivery()

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

    def _after_delivery(self):
        """Tell the cases and the follow-up files that something was said."""
        self.env["collection.case"]._note_contacts(self)
        self.env["collection.refresh.queue"].sudo()._enqueue(
            {(action.company_id.id, action.partner_id.id) for action in self}
        )

    # === BUSINESS METHODS - FAILURES === #

    def _fail(self, reason):
        """Mark what could not be said as failed, and plan what the step says instead.

        :param str reason: why, for people.
        """
        for action in self:
            action.sudo()._set_state("failed", result_text=reason, delivery_state="failed")
            if action.step_id and not action._is_overtaken():
                action.sudo()._plan_fallback()

    def _is_overtaken(self):
        """Return whether a failure is old news: a later step was said or is planned already."""
        self.ensure_one()
        return bool(
            self.sudo().search_count(
                [
                    ("debtor_id", "=", self.debtor_id.id),
                    ("step_id", "!=", False),
                    ("state", "in", ("planned", "done")),
                    ("id", ">", self.id),
                ],
                limit=1,
            )
        )

    def _plan_fallback(self):
        """Plan the next best way to say a step that failed; without one, the plan goes on after it."""
        self.ensure_one()
        channel = self._get_fallback_channel()
        if not channel:
            self._skip()
            return self.browse()
        self.flush_recordset(["state"])  # this one has left the place that its replacement takes
        fallback = self.create(self._prepare_fallback(channel))
        fallback._leave_to_providers()
        return fallback

    def _get_fallback_channel(self):
        """Return the channel that replaces this action's, ``False`` when there is none."""
        self.ensure_one()
        tried = set()
        action = self
        while action:
            tried.add(action.channel)
            action = action.fallback_of_id
        step = self.step_id
        wanted = [step.fallback] if step.fallback != "none" else []
        # Whoever was to be written to and can't be should at least be called.
        wanted += ["call"] if wanted else []
        for channel in wanted:
            if channel not in tried and step._get_channel(channel)._can_say(step):
                return channel
        return False

    def _prepare_fallback(self, channel):
        """Return the values of the action that replaces this one."""
        self.ensure_one()
        today = self.company_id._collection_today()
        return {
            "debtor_id": self.debtor_id.id,
            "case_id": self.case_id.id,
            "plan_id": self.plan_id.id,
            "step_id": self.step_id.id,
            "cycle": self.cycle,
            "channel": channel,
            "summary": self.summary,
            "date_planned": today,
            "planned_on": today,
            "needs_confirmation": False,
            "user_id": self.user_id.id,
            "amount": self.amount,
            "fallback_of_id": self.id,
        }

    def _skip(self, reason=None):
        """Let the plan go on after steps that nobody carried out.

        :param str reason: why, for actions that are still planned.
        """
        for action in self:
            if not action.item_ids:
                action.sudo()._write_items(level=action.step_id.delay)
            if action.state == "planned":
                action._set_state("cancelled", result_text=reason, cancel_code="not_done", is_skipped=True)
            else:
                action.with_context(**self._get_guard()).write({"is_skipped": True})

    def _leave_to_providers(self):
        """Drop calls to customers who are with an outside caller, with a reason; plans go on after theirs."""
        calls = self.filtered(
            lambda action: action.channel == "call" and action.state == "planned" and action.debtor_id.handover_id
        )
        for notice, actions in calls.grouped(lambda action: action.debtor_id.handover_notice).items():
            steps = actions.filtered("step_id")
            steps._skip(notice)
            (actions - steps)._set_state("cancelled", result_text=notice, cancel_code="handed_over")

    @api.model
    def _review_waiting(self, after_id, company, limit=1000):
        """Check the steps of a company that wait for people again.

        What is not due any more is cancelled with its reason; what nobody did or confirmed in the days that the
        step gives them is skipped.

        :param int after_id: looks at later actions only, to go through many in batches.
        :return: id of the last action looked at, 0 when there was none.
        """
        actions = self.sudo().with_company(company).with_context(lang=company.partner_id.lang)
        domain = self._get_waiting_domain(company) & Domain("id", ">", after_id)
        waiting = actions.search(domain, limit=limit, order="id")
        last_id = waiting[-1:].id or 0
        today = company._collection_today()
        for step, due in waiting.try_lock_for_update()._look_again().grouped("step_id").items():
            late = due.filtered(lambda action, limit=today - timedelta(days=step.patience): action.date_planned < limit)
            late._skip(self.env._("Not done within %s days: the plan went on.", step.patience))
        return last_id

    @api.model
    def _get_waiting_domain(self, company):
        """Return the domain of the steps that people of a company must do or confirm."""
        automatic = self.env["collection.channel"]._get_automatic_channels(company)
        return (
            Domain("company_id", "=", company.id)
            & Domain("state", "=", "planned")
            & Domain("step_id", "!=", False)
            & (Domain("needs_confirmation", "=", True) | Domain("channel", "not in", automatic))
        )

    # === BUSINESS METHODS - RESULTS === #

    @api.model
    def _get_companies_with_results(self):
        """Return the companies with messages of which nobody knows yet what became of them."""
        queued = [("delivery_state", "=", "queued"), ("state", "=", "done")]
        return self.env["res.company"].union(*(company for (company,) in self._read_group(queued, ["company_id"])))

    @api.model
    def _collect_results(self, after_id=0, limit=1000, company=None):
        """Ask the channels what became of messages that were handed over. Safe in any number of workers.

        :param int after_id: looks at later actions only, to go through many in batches.
        :param company: one company; all when ``None``.
        :return: id of the last action looked at, 0 when there was none.
        """
        domain = [("delivery_state", "=", "queued"), ("state", "=", "done"), ("id", ">", after_id)]
        if company:
            domain.append(("company_id", "=", company.id))
        queued = self.sudo().search(domain, limit=limit, order="id")
        for channel, actions in queued.try_lock_for_update().grouped(lambda action: action._get_medium()).items():
            actions._note_results(self.env["collection.channel"]._get(channel)._result(actions))
        return queued[-1:].id or 0

    def _get_medium(self):
        """Return the channel that knows what became of this message: statements are notes that go by e-mail."""
        self.ensure_one()
        return "email" if self.channel == "note" else self.channel

    @api.model
    def _note_deleted(self, messages):
        """Write down what is known of messages that are about to be deleted: what did not go yet never will.

        :param messages: ``mail.message`` records.
        """
        queued = self.search(
            [("mail_message_id", "in", messages.ids), ("delivery_state", "=", "queued"), ("state", "=", "done")]
        )
        for channel, actions in queued.grouped(lambda action: action._get_medium()).items():
            results = self.env["collection.channel"]._get(channel)._result(actions)
            never_sent = ("failed", self.env._("The message was deleted before it was sent."))
            actions._note_results({action: results.get(action, never_sent) for action in actions})

    @api.model
    def _note_bounce(self, message, debtor, address):
        """Mark the message that came back as failed.

        :param message: the ``mail.message`` that bounced, when the mail server named it; else the last e-mail to
            that address is meant.
        :param debtor: whose message it was.
        :param str address: normalised.
        """
        own = (
            self.sudo()
            .search([("debtor_id", "=", debtor.id), ("state", "=", "done"), ("address", "=", address)], order="id")
            .filtered(lambda action: action._get_medium() == "email")
        )
        action = own.filtered(lambda action: message and action.mail_message_id == message) or own[-1:]
        for bounced in action:
            bounced._note_result("failed", self.env._("The message to %s came back.", address))

    def _note_results(self, results):
        """Write down what became of messages.

        :param dict results: ``{action: (delivery_state, reason)}``, see ``_note_result``.
        """
        sent = self.filtered(lambda action: results.get(action) == ("sent", None))
        sent.with_context(**self._get_guard()).write({"delivery_state": "sent", "result_text": False})
        for action in self - sent:
            if action in results:
                action._note_result(*results[action])

    def _note_result(self, delivery_state, reason=None):
        """Write down what became of a message.

        :param str delivery_state: ``sent``, ``uncertain`` or ``failed``.
        :param str reason: why, for the last two.
        """
        self.ensure_one()
        if delivery_state == "failed":
            self._fail(reason)
            self.env["collection.case"]._forget_contacts(self.debtor_id)
            self.env["collection.statement"]._note_failure(self)
            self.env["collection.refresh.queue"].sudo()._enqueue({(self.company_id.id, self.partner_id.id)})
        else:
            self.sudo().with_context(**self._get_guard()).write(
                {"delivery_state": delivery_state, "result_text": reason or False}
            )

    @api.model
    def _note_resent(self, mails):
        """Wait for news again of messages that a person sends once more.

        :param mails: ``mail.mail`` records.
        """
        actions = self.search([("mail_message_id", "in", mails.mail_message_id.ids), ("state", "=", "done")])
        actions.with_context(**self._get_guard()).write({"delivery_state": "queued", "result_text": False})
        actions.mail_message_id.sudo().notification_ids.filtered(
            lambda notification: notification.notification_status == "exception"
        ).write({"notification_status": "ready", "failure_type": False, "failure_reason": False})

    def _get_next_step(self):
        """Return what a planned action is, in words: the day, the channel and what it is for."""
        self.ensure_one()
        channel = dict(self._fields["channel"]._description_selection(self.env))[self.channel]
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
