import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL, format_amount

from ...const import BEGINNING_DAY, DELIVERING, REFRESHING, REMINDING, SETTLING
from ...tools.plain_html import to_html
from ..base.pending_refresh import PendingRefresh

_logger = logging.getLogger(__name__)

# Calendar days back in which a payment is news.
NEWS_DAYS = 7
# How often a job is retried after a conflict with another transaction.
MAX_CONFLICTS = 20
# Months whose figures one transaction writes.
MONTHS_AT_ONCE = 6
# What the calendar of campaigns does first: what is over makes room for what starts.
CALENDAR_STEPS = ("_close", "_remind_end", "_start")


class CollectionRun(models.AbstractModel):
    """The conductor: what happens after the ledger moved, and the bodies of all scheduled actions.

    It is the only model that names all areas. What is below it marks customers as stale (see
    ``collection.refresh.queue``) or calls ``_synchronize_own`` of a debtor.
    """

    _name = "collection.run"
    _description = "Scheduled Work of the Follow-up"

    # === BUSINESS METHODS - ONE MANNER OF RUNNING === #

    @api.model
    def _retry_conflicts(self, work):
        """Run a job that begins a transaction; retry it when another transaction wrote to the same rows.

        :param work: function without arguments.
        :return: what it returned.
        :raises: the error of the last try.
        """
        for left in reversed(range(MAX_CONFLICTS)):
            try:
                result = work()
                self.env.flush_all()
                return result
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                if not left:
                    raise
                self.env.cr.rollback()

    @api.model
    def _isolate(self, record, work, label, notify=True):
        """Run a job so that, if it fails, nothing of it stays and nobody else is stopped.

        The failure is logged, and an administrator gets an activity, once.

        :param record: the company or the record that the work is about.
        :param work: function without arguments.
        :param label: what is done, as a text to translate later (``_lt``).
        :param bool notify: whether an administrator gets an activity.
        :return: whether it was done.
        :raises: errors of concurrency: the transaction is to be done again.
        """
        try:
            with self.env.cr.savepoint():
                work()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:
            _logger.exception("%s failed for %s (%s).", label, record, record.sudo().display_name)
            if notify:
                self._notify_failure(record, label, error)
            return False
        return True

    @api.model
    def _run_isolated(self, record, work, label):
        """Run a job that begins a transaction, see ``_isolate`` and ``_retry_conflicts``.

        The work must read and lock its records itself, since it may be retried.

        :return: whether it was done.
        """
        return self._retry_conflicts(lambda: self._isolate(record, work, label))

    @api.model
    def _run_each(self, records, work, label, others=0):
        """Run a job for each record in a transaction of its own, as far as the time of a scheduled action goes.

        :param records: records of any model.
        :param work: function of one record.
        :param label: see ``_isolate``.
        :param int others: how many records are still to be done after these.
        :return: whether there is time left.
        """
        IrCron = self.env["ir.cron"]
        IrCron._commit_progress(remaining=len(records) + others)
        for done, record_id in enumerate(records.ids, start=1):
            record = records.browse(record_id)  # alone: nothing to prefetch again after each commit
            self._run_isolated(record, lambda record=record: work(record), label)
            if not IrCron._commit_progress(1, remaining=len(records) - done + others):
                return False
        return True

    @api.model
    def _run_in_batches(self, companies, work, label):
        """Go through the records of companies in batches, a transaction each, as the first part of a longer work.

        :param work: function of the id after which to go on and of ``company``, which returns the id of the last
            record processed, or anything else that says that there is more; 0 at the end.
        :return: whether there is time left.
        """
        for company in companies:
            last_id = 0
            while True:
                results = []
                self._run_isolated(
                    company,
                    lambda company=company, last_id=last_id, results=results: results.append(
                        work(last_id, company=company)
                    ),
                    label,
                )
                # The next part is still to come.
                if not self.env["ir.cron"]._commit_progress(1, remaining=1):
                    return False
                last_id = results[-1] if results else 0
                if not last_id:
                    break
        return True

    @api.model
    def _run_each_locked(self, records, domain, work, label, others=0):
        """Run a job for each record that no other worker has and that still is in a domain.

        :param domain: a domain, or a function that returns the one of a record.
        :return: see ``_run_each``.
        """

        def work_locked(record):
            still_due = domain(record) if callable(domain) else domain
            locked = record.try_lock_for_update(allow_referencing=True).filtered_domain(still_due)
            if locked:
                work(locked)

        return self._run_each(records, work_locked, label, others)

    @api.model
    def _notify_failure(self, record, label, error):
        """Schedule an activity for an administrator about a failure, unless one is open already.

        :param record: what failed. Records without activities are shown by their company.
        """
        record = record.sudo()
        company = record if record._name == "res.company" else record.company_id
        target = record if hasattr(record, "activity_schedule") else company.partner_id
        user = self._get_administrator(company)
        target = target.with_context(lang=user.lang or company.partner_id.lang)
        words = target.env._("Collections, failed: %s", target.env._(label))
        waiting = target.env["mail.activity"].search_count(
            [("res_model", "=", target._name), ("res_id", "=", target.id), ("summary", "=", words)], limit=1
        )
        if waiting:
            return
        reason = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        try:
            with self.env.cr.savepoint():
                target.activity_schedule(
                    "mail.mail_activity_data_todo",
                    date_deadline=company._collection_today() if company else fields.Date.context_today(record),
                    summary=words,
                    note=to_html(f"{record.display_name}: {reason}"),
                    user_id=user.id,
                )
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception:
            _logger.exception("Nobody could be notified that %s failed.", label)

    @api.model
    def _get_administrator(self, company):
        """Return who looks after failures in a company: its first follow-up manager, else the administrator."""
        users = self.env.ref("account_collection.group_collection_manager").sudo().all_user_ids
        users = users.filtered(
            lambda user: (
                user.active
                and user._is_internal()
                and user != self.env.ref("base.user_root")
                and (not company or company in user.company_ids)
            )
        )
        return users.sorted("id")[:1] or self.env.ref("base.user_admin").sudo()

    @api.model
    def _get_active_companies(self):
        return self.env["res.company"].sudo().search([("active", "=", True)])

    @api.model
    def _get_companies_in_use(self):
        """Return the active companies that have follow-up files."""
        groups = self.env["collection.debtor"].sudo()._read_group([("company_id.active", "=", True)], ["company_id"])
        return self.env["res.company"].sudo().union(*(company for (company,) in groups))

    @api.model
    def _in_company(self, company):
        """Return this model in a company, as its people read: scheduled actions have no language of their own."""
        return self.with_company(company).with_context(lang=company.partner_id.lang)

    # === BUSINESS METHODS - AFTER THE LEDGER MOVED === #

    @api.model
    def _synchronize(self, company, partners=None):
        """Refresh debtors, judge their promises and disputes, and update their cases and planned actions.

        :param company: one ``res.company``.
        :param partners: commercial partners; all customers of the company when ``None``.
        :return: the debtors whose row was made or changed.
        """
        run = self if self.env.lang else self._in_company(company)
        changed = run.env["collection.debtor"]._refresh(company, partners)
        changed |= run._settle(company, partners)
        run._notify_big_payments(company, partners)
        return changed

    @api.model
    def _settle(self, company, partners=None):
        """Judge promises and disputes by the facts as they stand, and update what depends on them.

        :param company: one ``res.company``.
        :param partners: commercial partners; all customers of the company when ``None``.
        :return: the debtors whose facts changed by it.
        """
        today = company._collection_today()
        scope = Domain("company_id", "=", company.id)
        if partners is not None:
            scope &= Domain("partner_id", "in", partners.ids)
        changed = self.env["collection.debtor"]
        settled = self.env["collection.promise"]._settle(today, scope).debtor_id
        settled |= self.env["collection.dispute"]._settle(today, scope).debtor_id
        if settled:
            # A promise that was kept or broken changes what may be claimed.
            changed |= changed._refresh(company, settled.partner_id)
        self.env["collection.case"]._settle(today, company, partners)
        self.env["collection.action"]._cancel_paid(company, partners)
        return changed

    @api.model
    def _begin_day(self, company):
        """Do what a new day brings: pauses that end, disputes that are late."""
        today = company._collection_today()
        scope = [("company_id", "=", company.id)]
        self.env["collection.pause"]._end_due(today, scope)
        self.env["collection.dispute"]._escalate_late(today, scope)

    @api.model
    def _synchronize_debtors(self, debtors):
        """Refresh exactly these debtors, whatever rights the user has on the ledger.

        Within a batch or a dialogue that collects them (see ``PendingRefresh``) it is done at its end.
        """
        pending = self.env.context.get("collection_pending_refresh")
        if isinstance(pending, PendingRefresh):
            pending.debtor_ids.update(debtors.ids)
            return
        debtors = debtors.sudo()
        for company, own in debtors.grouped("company_id").items():
            own.with_company(company)._synchronize(company, own.partner_id)

    @api.model
    def _refresh_if_stale(self, debtors):
        """Refresh debtors if their ledger changed, or a new day began, since the last refresh.

        Never makes what is read unreadable: if it fails, the facts are shown as they stand.
        """
        if self.env.cr.readonly:
            return  # a list with a single row, read from a replica: the form refreshes it
        for debtor in debtors.sudo().filtered("id"):
            if self._is_stale(debtor):
                self._isolate(debtor, debtor._synchronize_own, REFRESHING, notify=False)

    @api.model
    def _is_stale(self, debtor):
        """Return whether a debtor's facts may be older than its ledger or than today."""
        company = debtor.company_id
        if company.collection_refresh_date != company._collection_today():
            return True
        queue = self.env["collection.refresh.queue"].sudo()
        own = [("company_id", "=", company.id), ("partner_id", "=", debtor.partner_id.id)]
        return bool(queue.search_count(own, limit=1))

    @api.model
    def _get_or_create_debtor(self, company, partner):
        """Return the debtor of a customer in a company, made from the ledger if there is none yet.

        :raises AccessError: for users who follow nobody up, or who may not enter the company.
        :raises UserError: when the user may not see it.
        """
        self.env["collection.debtor"].check_access("read")
        company.check_access("read")
        partner = partner.commercial_partner_id
        domain = [("company_id", "=", company.id), ("partner_id", "=", partner.id)]
        Debtor = self.env["collection.debtor"].sudo().with_context(active_test=False)
        debtor = Debtor.search(domain)
        if not debtor:
            Debtor._synchronize(company, partner)
            debtor = Debtor.search(domain)
        debtor = debtor.with_env(self.env)
        if debtor and not debtor.has_access("read"):
            raise UserError(
                self.env._(
                    "%(customer)s is followed up by %(collector)s.",
                    customer=partner.name,
                    collector=debtor.sudo().collector_id.name or self.env._("a colleague"),
                )
            )
        return debtor

    @api.model
    def _notify_big_payments(self, company, partners=None):
        """Notify collectors of big payments that came in lately, once of each.

        :param company: one company, whose setting says what is big.
        :param partners: commercial partners; all when ``None``.
        """
        if not company.collection_big_payment:
            return
        for debtor_id, payments, notified_ids in self._read_big_payments(company, partners):
            debtor = self.env["collection.debtor"].sudo().browse(debtor_id)
            news = {line_id: amount for line_id, amount in payments if line_id not in notified_ids}
            # Older ones can't be news again: they are forgotten.
            debtor.notified_payment_ids = [line_id for line_id, _amount in payments]
            amount = format_amount(self.env, sum(news.values()), company.currency_id)
            self._notify_collectors(debtor, self.env._("Big payment received: %s", amount))

    @api.model
    def _notify_collectors(self, debtor, body):
        """Write on a debtor's thread, and to whoever works on this customer now, if anybody does."""
        cases = debtor.case_ids.filtered(lambda case: case.campaign_id.state == "running")
        users = (cases.collector_id | debtor.collector_id).filtered("active")
        if users:
            debtor.message_post(body=body, partner_ids=users.partner_id.ids)

    @api.model
    def _read_big_payments(self, company, partners):
        """Return who has big payments of late that nobody was notified of.

        :return: list of ``(debtor id, [(journal item id, amount)], ids of those notified before)``, the second with
            all big payments of late.
        """
        today = company._collection_today()
        return [
            (debtor_id, [tuple(payment) for payment in payments], set(notified_ids or ()))
            for debtor_id, payments, notified_ids in self.env.execute_query(
                SQL(
                    """
                    SELECT debtor.id, jsonb_agg(jsonb_build_array(line.id, -line.balance) ORDER BY line.id),
                           debtor.notified_payment_ids
                      FROM account_move_line line
                      JOIN res_partner partner ON partner.id = line.partner_id
                      JOIN collection_debtor debtor
                        ON debtor.partner_id = partner.commercial_partner_id AND debtor.company_id = line.company_id
                     WHERE line.company_id = %(company)s
                       AND line.parent_state = 'posted'
                       AND line.account_id IN %(accounts)s
                       AND line.journal_id IN %(journals)s
                       AND line.balance <= -%(limit)s
                       AND line.date BETWEEN %(since)s AND %(today)s
                       %(partner_filter)s
                  GROUP BY debtor.id
                    HAVING bool_or(NOT COALESCE(debtor.notified_payment_ids, '[]') @> to_jsonb(line.id))
                    """,
                    company=company.id,
                    accounts=self.env["collection.ledger"]._get_account_ids(company),
                    journals=self.env["collection.ledger"]._get_cash_journal_ids(company),
                    limit=company.collection_big_payment,
                    since=today - timedelta(days=NEWS_DAYS),
                    today=today,
                    partner_filter=(
                        SQL() if partners is None else SQL("AND partner.commercial_partner_id = ANY(%s)", partners.ids)
                    ),
                )
            )
        ]

    # === SCHEDULED ACTIONS - DEBTORS === #

    @api.model
    def _cron_refresh(self, batch_size=1000):
        """Refresh the customers whose ledger changed; once a day, on their own clock, all of each company.

        The queue's rows of a company go in the transaction in which their customers were refreshed: what fails, or
        is killed, stays in the queue.
        """
        waiting = self.env["collection.refresh.queue"].sudo()._count_by_company()
        companies = self._get_companies_to_refresh()
        others = sum(waiting.values()) + len(companies)
        self.env["ir.cron"]._commit_progress(remaining=others)
        for company, count in waiting.items():
            others -= count
            if not self._refresh_queued(company, batch_size, others):
                return
        self._run_each(companies, self._refresh_day, REFRESHING)

    @api.model
    def _refresh_queued(self, company, batch_size=1000, others=0):
        """Refresh the queued customers of a company, in batches.

        :param int others: how much is to be done for other companies.
        :return: whether there is time left.
        """
        queue = self.env["collection.refresh.queue"].sudo()
        while True:
            counts = []
            if not self._run_isolated(
                company, lambda counts=counts: counts.append(self._refresh_next(company, batch_size)), REFRESHING
            ):
                return bool(self.env["ir.cron"]._commit_progress(remaining=others))
            count = counts[-1]
            if not count:
                return True  # the rest, if any, is another worker's
            remaining = queue.search_count([("company_id", "=", company.id)]) + others
            if not self.env["ir.cron"]._commit_progress(count, remaining=remaining):
                return False

    @api.model
    def _refresh_next(self, company, batch_size=1000):
        """Refresh the next queued customers of a company.

        :return: the number of rows that left the queue.
        """
        partners, count = self.env["collection.refresh.queue"].sudo()._take(company, batch_size)
        if partners:
            self.env["collection.debtor"].with_company(company)._synchronize(company, partners)
        return count

    @api.model
    def _refresh_day(self, company):
        """Refresh all debtors of a company, and write on it when it was and how many rows differed."""
        run = self._in_company(company)
        run._isolate(company, lambda: run._begin_day(company), BEGINNING_DAY)
        changed = run.env["collection.debtor"]._synchronize(company)
        _logger.info("Debtors of %s refreshed: %s rows differed.", company.name, len(changed))
        company.sudo().write(
            {
                "collection_refresh_date": company._collection_today(),
                "collection_refresh_count": len(changed),
            }
        )

    @api.model
    def _get_companies_to_refresh(self):
        """Return the companies whose last full refresh is not of today (on their own clock)."""
        return self._get_active_companies().filtered(
            lambda company: company.collection_refresh_date != company._collection_today()
        )

    # === SCHEDULED ACTIONS - ANSWERS === #

    @api.model
    def _cron_settle(self):
        """Judge promises and disputes of all companies, and update their cases."""
        self._run_each(self._get_active_companies(), self._settle_day, SETTLING)

    @api.model
    def _settle_day(self, company):
        run = self._in_company(company)
        run._isolate(company, lambda: run._begin_day(company), BEGINNING_DAY)
        run._settle(company)

    @api.model
    def _cron_remind_promises(self):
        """Remind customers, on request, the working day before they want to pay."""
        Promise = self.env["collection.promise"].sudo()
        domains = [Promise._get_reminder_domain(company) for company in self._get_active_companies()]
        due = Promise.search(Domain.OR(domains)).filtered(lambda promise: promise._is_reminder_day())

        def remind(promise):
            company = promise.company_id
            promise.with_company(company).with_context(lang=company.partner_id.lang)._remind()

        self._run_each_locked(
            due,
            lambda promise: Promise._get_reminder_domain(promise.company_id),
            remind,
            REMINDING,
        )

    # === SCHEDULED ACTIONS - PLANS === #

    @api.model
    def _cron_plan_and_deliver(self):
        """Once per company and day, decide; then deliver what is due, and write down what was done and what waits.

        Any number of workers may run it at once.
        """
        self._plan_and_deliver()
        for company in self.env["collection.plan"].sudo().search([("is_running", "=", True)]).company_id:
            run = self._in_company(company)
            self._run_isolated(
                company,
                lambda run=run, company=company: run.env["collection.run.report"]._write_day(company),
                DELIVERING,
            )

    @api.model
    def _plan_and_deliver(self):
        """Collect results, decide, deliver: as far as the time of a scheduled action goes."""
        IrCron = self.env["ir.cron"]
        Action = self.env["collection.action"].sudo()
        started = self.env["collection.plan"].sudo().search([("started_on", "!=", False)]).company_id
        for companies, work in (
            (Action._get_companies_with_results(), Action._collect_results),
            (started, Action._review_waiting),
        ):
            if not self._run_in_batches(companies, work, DELIVERING):
                return
        if not self._run_in_batches(
            self._get_companies_to_plan(), lambda _last_id, company: self._plan_today(company), DELIVERING
        ):
            return
        IrCron._commit_progress(remaining=0)
        Action._deliver()

    @api.model
    def _plan_today(self, company):
        """Decide for today on the next customers of a company, unless another worker does or did.

        The plans' rows are locked: whoever decided on an older view of them fails and decides again.

        :return: how many customers are left, 0 when it is done.
        """
        today = company._collection_today()
        Plan = self.env["collection.plan"].sudo().with_company(company)
        plans = Plan.search([("company_id", "=", company.id), ("is_running", "=", True)])
        if plans.try_lock_for_update(allow_referencing=True) != plans or all(
            plan.planned_on == today for plan in plans
        ):
            return 0
        return plans._plan_next()

    @api.model
    def _get_companies_to_plan(self):
        """Return the companies with a plan that is switched on and for which nothing was decided today."""
        plans = self.env["collection.plan"].sudo().search([("is_running", "=", True)])
        return plans.filtered(lambda plan: plan.planned_on != plan.company_id._collection_today()).company_id
