import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ...const import CANCEL_CODES, DELIVERING

_logger = logging.getLogger(__name__)

# Actions that are delivered in one transaction.
BATCH_SIZE = 100
# How often an e-mail is tried again while the mail server can't be reached.
MAX_TRIES = 5
# Reasons for which a planned action waits for another day instead of being cancelled.
POSTPONING_REASONS = ("not_yet", "gap", "pressure", "payment_run", "closed")


class CollectionAction(models.Model):
    """Delivering what is due: at most once, after checking again, by any number of workers."""

    _inherit = "collection.action"

    # === BUSINESS METHODS - DELIVER === #

    @api.model
    def _deliver(self, limit=None):
        """Carry out what is due, best score first: each message once, in any number of workers.

        Each batch is one transaction: its customers are locked, their ledger is read anew and the decision
        taken again before anything is said. A worker that is killed loses its batch, which another one takes.
        Messages with files come last, in a transaction each, once their files are there (see ``_make_files``).

        :param int limit: most actions to process; all that are due when ``None``.
        :return: the number of actions processed, the cancelled and postponed ones included.
        """
        IrCron = self.env["ir.cron"]
        taken = 0
        failed_ids = set()
        while limit is None or taken < limit:
            size = BATCH_SIZE if limit is None else min(BATCH_SIZE, limit - taken)
            batch = self._retry_conflicts(lambda size=size: self._deliver_next(size, failed_ids))
            if not batch:
                break
            taken += len(batch)
            if not IrCron._commit_progress(batch._count_done(), remaining=self._count_due(failed_ids)):
                return taken
        passed_ids = set()
        while limit is None or taken < limit:
            action = self._find_with_files(failed_ids, passed_ids)
            if not action:
                break
            passed_ids.add(action.id)
            batch = self.browse()
            if action._make_files():
                batch = self._retry_conflicts(lambda action=action: self._deliver_next(1, failed_ids, action))
            taken += len(batch)
            if not IrCron._commit_progress(batch._count_done(), remaining=self._count_due(failed_ids)):
                break
        return taken

    def _count_done(self):
        """Return how many of these were said: in the log, what was cancelled or put off is not done."""
        return sum(action.state == "done" for action in self)

    def _deliver_next(self, size, failed_ids=None, action=None):
        """Carry out one batch.

        :param set failed_ids: ids of the companies to leave out; those whose batch fails are added.
        :param action: the one to carry out, with the files that were made for it; else those without files.
        :return: the actions that were processed.
        """
        batch = self._take_due(size, failed_ids or (), action)
        failed = batch._deliver_batch()
        if failed_ids is not None:
            failed_ids.update(failed.ids)
        return batch

    @api.model
    def _retry_conflicts(self, work):
        """Run a job that begins a transaction; retry it when another transaction wrote to the same rows.

        :param work: function without arguments.
        :return: what it returned.
        """
        return self.env["collection.run"]._retry_conflicts(work)

    @api.model
    def _get_due_conditions(self, failed_ids=(), with_files=None):
        """Return SQL for what is due now in each company that may send at this hour, ``None`` when there is none.

        :param failed_ids: ids of companies to leave out.
        :param bool with_files: only what carries files, or only what carries none; both when ``None``.
        """
        conditions = []
        for company in (
            self.env["res.company"].sudo().search([("active", "=", True), ("id", "not in", list(failed_ids))])
        ):
            channels = self.env["collection.channel"]._get_automatic_channels(company)
            if channels and company._is_collection_sending_time():
                condition = SQL(
                    "action.company_id = %s AND action.date_planned <= %s AND action.channel IN %s",
                    company.id,
                    company._collection_today(),
                    channels,
                )
                if with_files is not None:
                    pairs = self._get_pairs_with_files(company) or (("", 0),)
                    carries = SQL("(action.channel, action.step_id) IN %s", pairs)
                    condition = SQL("%s AND %s", condition, carries if with_files else SQL("NOT %s", carries))
                conditions.append(SQL("(%s)", condition))
        if not conditions:
            return None
        return SQL(
            "action.state = 'planned' AND action.step_id IS NOT NULL"
            " AND action.needs_confirmation IS NOT TRUE AND (action.retry_at IS NULL OR action.retry_at <= %s)"
            " AND (%s)",
            fields.Datetime.now(),
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
    def _take_due(self, limit, failed_ids=(), action=None):
        """Lock due actions and their debtors, skipping those that another worker has.

        :param failed_ids: ids of companies to leave out.
        :param action: only this one; else those that carry no files.
        :return: the locked actions, at most one per debtor.
        """
        conditions = self._get_due_conditions(failed_ids, with_files=bool(action))
        if not conditions:
            return self.browse()
        if action:
            conditions = SQL("%s AND action.id = %s", conditions, action.id)
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
            log_exceptions=False,  # a conflict is no fault: the caller retries
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
        for channel, own in self._recheck().grouped("channel").items():
            own._deliver_by(self.env["collection.channel"]._get(channel).with_env(self.env))

    def _recheck(self):
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
        """Return the code of the reason why a planned action is cancelled (see ``CANCEL_CODES``)."""
        if decision.step:
            return "other_step"
        code = "plan_off" if decision.reason == "not_running" else decision.reason
        return code if code in dict(CANCEL_CODES) else "other"

    def _deliver_by(self, channel):
        """Deliver what is due by one channel; an error with one customer doesn't stop the others."""
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
        """Hand messages over to what sends them, and record in the same transaction that this was done."""
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

    def _after_delivery(self):
        """Update the last contact of the cases, and queue the customers for a refresh."""
        self.env["collection.case"]._record_contacts(self)
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
        fallback._skip_calls_of_providers()
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
        known = self.env["collection.channel"]._get_names("_can_replace")
        for channel in wanted:
            if channel in known and channel not in tried and step._get_channel(channel)._can_say(step):
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
            "channel": self.env["collection.channel"]._get_known(channel),
            "summary": self.summary,
            "date_planned": today,
            "planned_on": today,
            "needs_confirmation": False,
            "user_id": self.user_id.id,
            "amount": self.amount,
            "fallback_of_id": self.id,
        }

    def _skip(self, reason=None):
        """Mark steps that nobody carried out as skipped, so that the plan goes on after them.

        :param str reason: why, for actions that are still planned.
        """
        for action in self:
            if not action.item_ids:
                action.sudo()._write_items(level=action.step_id.delay)
            if action.state == "planned":
                action._set_state("cancelled", result_text=reason, cancel_code="not_done", is_skipped=True)
            else:
                action.with_context(**self._get_guard()).write({"is_skipped": True})

    def _skip_calls_of_providers(self):
        """Skip planned calls to customers who are handed over to a provider, with a reason; their plans go on."""
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

        :param int after_id: processes later actions only, to go through many in batches.
        :return: id of the last action processed, 0 when there was none.
        """
        actions = self.sudo().with_company(company).with_context(lang=company.partner_id.lang)
        domain = self._get_waiting_domain(company) & Domain("id", ">", after_id)
        waiting = actions.search(domain, limit=limit, order="id")
        last_id = waiting[-1:].id or 0
        today = company._collection_today()
        for step, due in waiting.try_lock_for_update()._recheck().grouped("step_id").items():
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

        :param int after_id: processes later actions only, to go through many in batches.
        :param company: one company; all when ``None``.
        :return: id of the last action processed, 0 when there was none.
        """
        domain = [("delivery_state", "=", "queued"), ("state", "=", "done"), ("id", ">", after_id)]
        if company:
            domain.append(("company_id", "=", company.id))
        queued = self.sudo().search(domain, limit=limit, order="id")
        for channel, actions in queued.try_lock_for_update().grouped(lambda action: action._get_medium()).items():
            actions._set_results(self.env["collection.channel"]._get(channel)._result(actions))
        return queued[-1:].id or 0

    def _get_medium(self):
        """Return the channel that knows what became of this message: statements are notes that go by e-mail."""
        self.ensure_one()
        return "email" if self.channel == "note" else self.channel

    @api.model
    def _note_deleted(self, messages):
        """Record what is known of messages that are about to be deleted: what did not go yet never will.

        :param messages: ``mail.message`` records.
        """
        queued = self.search(
            [("mail_message_id", "in", messages.ids), ("delivery_state", "=", "queued"), ("state", "=", "done")]
        )
        for channel, actions in queued.grouped(lambda action: action._get_medium()).items():
            results = self.env["collection.channel"]._get(channel)._result(actions)
            never_sent = ("failed", self.env._("The message was deleted before it was sent."))
            actions._set_results({action: results.get(action, never_sent) for action in actions})

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
            bounced._set_result("failed", self.env._("The message to %s came back.", address))

    def _set_results(self, results):
        """Record what became of messages.

        :param dict results: ``{action: (delivery_state, reason)}``, see ``_set_result``.
        """
        sent = self.filtered(lambda action: results.get(action) == ("sent", None))
        sent.with_context(**self._get_guard()).write({"delivery_state": "sent", "result_text": False})
        for action in self - sent:
            if action in results:
                action._set_result(*results[action])

    def _set_result(self, delivery_state, reason=None):
        """Record what became of a message.

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
    def _set_resent(self, mails):
        """Set messages that a user retries back to queued, so that their result is collected again.

        :param mails: ``mail.mail`` records.
        """
        actions = self.search([("mail_message_id", "in", mails.mail_message_id.ids), ("state", "=", "done")])
        actions.with_context(**self._get_guard()).write({"delivery_state": "queued", "result_text": False})
        actions.mail_message_id.sudo().notification_ids.filtered(
            lambda notification: notification.notification_status == "exception"
        ).write({"notification_status": "ready", "failure_type": False, "failure_reason": False})
