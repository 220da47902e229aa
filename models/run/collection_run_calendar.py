import logging

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import split_every

from ...const import (
    BOOKING,
    CALENDAR,
    ENDING_HANDOVERS,
    IMPORTING_ANSWERS,
    PRINTING,
    SENDING_DIGESTS,
    SENDING_STATEMENTS,
    WRITING_FIGURES,
)
from .collection_run import CALENDAR_STEPS, MONTHS_AT_ONCE

_logger = logging.getLogger(__name__)


class CollectionRun(models.AbstractModel):
    """The scheduled actions of campaigns, providers, receivables, papers and figures."""

    _inherit = "collection.run"

    # === SCHEDULED ACTIONS - CAMPAIGNS AND PROVIDERS === #

    @api.model
    def _cron_campaign_calendar(self):
        """Start the prepared campaigns whose day has come, say which end soon, close those that are over."""
        campaigns = self.env["collection.campaign"].search([("state", "in", ("prepared", "running"))])
        methods = {campaign: campaign._get_calendar_step() for campaign in campaigns}
        todo = campaigns.filtered(methods.get).sorted(lambda campaign: CALENDAR_STEPS.index(methods[campaign]))

        def work(campaign):
            # Somebody may have pressed the button meanwhile.
            if method := campaign._get_calendar_step():
                campaign._run_calendar_step(method)

        self._run_each_locked(todo, Domain.TRUE, work, CALENDAR)

    @api.model
    def _cron_end_handovers(self):
        """End the hand-overs whose last day is over."""
        out = [("state", "=", "out")]
        over = (
            self.env["collection.handover"]
            .search(out)
            .filtered(lambda handover: handover.date_end < handover.company_id._collection_today())
        )

        def end(handover):
            handover.with_company(handover.company_id).with_context(lang=handover.user_id.lang)._end("ended")

        self._run_each_locked(over, out, end, ENDING_HANDOVERS)

    @api.model
    def _cron_import_answers(self):
        """Read big files and import big files of providers, in batches; what is done is never done again."""
        IrCron = self.env["ir.cron"]
        states = [("state", "in", ("reading", "applying"))]
        waiting = self.env["collection.provider.import"].search(states, order="id")
        IrCron._commit_progress(
            remaining=sum(record.ready_count if record.state == "applying" else 1 for record in waiting)
        )
        for record_id in waiting.ids:
            record = waiting.browse(record_id)
            if not self._run_in_commits(record, states, record._run_in_background, IMPORTING_ANSWERS):
                return

    @api.model
    def _cron_book_receivables(self):
        """Continue booking, or undoing, large imports; safe to kill at any point."""
        IrCron = self.env["ir.cron"]
        states = [("state", "in", ("applying", "undoing"))]
        batches = self.env["collection.receivable.batch"].sudo().search(states, order="id")
        IrCron._commit_progress(remaining=len(batches))
        for batch_id in batches.ids:
            batch = batches.browse(batch_id)
            going = True
            while going:
                results = []
                done = self._run_isolated(
                    batch,
                    lambda batch=batch, results=results: results.append(self._book_next(batch, states)),
                    BOOKING,
                )
                going = done and results[-1]
                if not IrCron._commit_progress(0 if going else 1):
                    return

    @api.model
    def _book_next(self, batch, states):
        """Book, or undo, the next entries of an import, unless another worker does or it is done.

        :return: how many there were.
        """
        batch = batch.try_lock_for_update().filtered_domain(states)
        if not batch:
            return 0
        # With the rights, and in the language, of whoever pressed the button.
        worker = batch.with_user(batch.user_id).with_company(batch.company_id).with_context(lang=batch.user_id.lang)
        return worker._continue_work()

    @api.model
    def _run_in_commits(self, record, domain, work, label):
        """Run a job that commits on the way; an unexpected error is logged and notified, and stops nothing else.

        :param domain: in which the record must still be.
        :param work: function without arguments that returns whether there is time left.
        :return: whether there is time left.
        """
        if not record.try_lock_for_update().filtered_domain(domain):
            return True
        try:
            return self._retry_conflicts(work)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:
            self.env.cr.rollback()
            _logger.exception("%s failed for %s.", label, record)
            self._notify_failure(record, label, error)
            return bool(self.env["ir.cron"]._commit_progress())

    # === SCHEDULED ACTIONS - PAPERS AND FIGURES === #

    @api.model
    def _cron_make_papers(self):
        """Make the papers that people asked for, a transaction each, as far as the time goes; safe to kill."""
        IrCron = self.env["ir.cron"]
        Paper = self.env["collection.paper"].sudo()
        waiting = Paper.search([("state", "=", "waiting")], order="id")
        left = sum(max(paper.total_count - paper.position, 0) + 1 for paper in waiting)
        IrCron._commit_progress(remaining=left)
        for paper_id in waiting.ids:
            paper = Paper.browse(paper_id)
            going = True
            while going:
                results = []
                # What stops the server is known by its note.
                self._retry_conflicts(lambda paper=paper: paper.try_lock_for_update()._begin_next())
                IrCron._commit_progress()
                is_good = self._run_isolated(
                    paper, lambda paper=paper, results=results: results.append(self._make_next_paper(paper)), PRINTING
                )
                going = is_good and results[-1]
                left = max(left - 1, 0 if not going else 1)
                if not IrCron._commit_progress(1, remaining=left):
                    return

    @api.model
    def _make_next_paper(self, paper):
        """Make the next paper of a request, unless another worker does or it is over.

        :return: whether there is more to do.
        """
        paper = paper.try_lock_for_update()
        return bool(paper) and paper._make_next()

    @api.model
    def _cron_send_statements(self, batch_size=100):
        """Plan the regular statements that are due, then send all that waits, one per transaction."""
        Statement = self.env["collection.statement"]
        domain = Statement._get_waiting_domain()
        if not self._run_each(
            self._get_active_companies(),
            Statement._plan_regular,
            SENDING_STATEMENTS,
            others=Statement.search_count(domain),
        ):
            return
        # Mails are queued, so that a slow mail server does not slow the next statements.
        Statement = Statement.with_context(mail_notify_force_send=False)
        last_id = 0
        while waiting := Statement.search(domain & Domain("id", ">", last_id), limit=batch_size, order="id"):
            last_id = waiting[-1].id
            others = Statement.search_count(domain & Domain("id", ">", last_id))
            if not self._run_each_locked(
                waiting, domain, lambda statement: statement._send_alone(), SENDING_STATEMENTS, others
            ):
                return

    @api.model
    def _cron_send_digests(self):
        """Send the digest of each company in its evening, at most once a day."""
        Digest = self.env["collection.digest"]
        on = [("collection_digest_is_on", "=", True)]
        due = self.env["res.company"].sudo().search(on).filtered(Digest._is_time)

        def send(company):
            if Digest._is_time(company):
                Digest.with_company(company)._send(company)
                company.collection_digest_at = fields.Datetime.now()

        self._run_each_locked(due, on, send, SENDING_DIGESTS)

    @api.model
    def _cron_record_snapshots(self):
        """Write the last finished month of each company, and on the first run those before it.

        The newest months come first. A killed run loses a few months at most, and the next one goes on.
        """
        IrCron = self.env["ir.cron"]
        Snapshot = self.env["collection.snapshot"].sudo()
        batches = []
        for company in self._get_active_companies():

            def find(company=company):
                days = Snapshot._get_due_days(company)
                batches.extend((company, list(own)) for own in split_every(MONTHS_AT_ONCE, days))

            self._run_isolated(company, find, WRITING_FIGURES)
        IrCron._commit_progress(remaining=len(batches))
        for company, days in batches:
            Own = Snapshot.with_company(company)
            self._run_isolated(
                company, lambda Own=Own, company=company, days=days: Own._record(company, days), WRITING_FIGURES
            )
            if not IrCron._commit_progress(1):
                return
