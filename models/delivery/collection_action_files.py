import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

# How often a file is tried: after an error, or when the server stopped while it was made.
MAX_FILE_TRIES = 3
# After how many minutes; twice as many the second time, and so on.
RETRY_MINUTES = 10
# Where nothing can print at all.
PRINTER_MINUTES = 60
# How long a statement is kept that was made for a message and went with none.
DAYS_KEPT = 7


class CollectionAction(models.Model):
    """The files that messages carry: invoices, statements.

    Printing takes seconds for each, and a scheduled action has two minutes. So they are made one by one before their
    customer is locked, and each is kept as soon as it is there: whoever is stopped goes on where it was. A message
    whose files fail, or take so long that the server stops, goes to the end of the row.
    """

    _inherit = "collection.action"

    retry_at = fields.Datetime(
        string="Tried again",
        readonly=True,
        copy=False,
        help="Its files could not be made: when that is tried again.",
    )
    file_try_count = fields.Integer(readonly=True, copy=False)

    # === BUSINESS METHODS === #

    @api.model
    def _get_pairs_with_files(self, company):
        """Return which channels carry files, for which steps of a company: ``((channel, step id), …)``."""
        Channel = self.env["collection.channel"]
        names = Channel._get_automatic_channels(company)
        steps = self.env["collection.plan.step"].sudo().with_context(active_test=False)
        steps = steps.search([("plan_id.company_id", "=", company.id)])
        return tuple((name, step.id) for name in names for step in steps if Channel._get(name)._carries_files(step))

    @api.model
    def _find_with_files(self, failed_ids=(), passed_ids=()):
        """Return the next due message that carries files, best score first, without locking anything.

        :param failed_ids: ids of companies to leave out.
        :param passed_ids: ids of actions to leave out.
        """
        conditions = self._get_due_conditions(failed_ids, with_files=True)
        if not conditions:
            return self.browse()
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT action.id
                  FROM collection_action action
                  JOIN collection_debtor debtor ON debtor.id = action.debtor_id
                 WHERE %s AND action.id != ALL(%s)
              ORDER BY action.file_try_count NULLS FIRST, debtor.score DESC, action.date_planned, action.id
                 LIMIT 1
                """,
                conditions,
                list(passed_ids),
            )
        )
        return self.sudo().browse(action_id for (action_id,) in rows)

    def _make_files(self):
        """Make the files that a message carries, a transaction each, as far as the time of the run goes.

        :return: whether all are there; if not, the message waits, or it failed.
        """
        self.ensure_one()
        IrCron = self.env["ir.cron"]
        while True:
            makers = self._retry_conflicts(self._begin_file)
            IrCron._commit_progress()
            if not makers:
                return makers is not None
            is_made = self._retry_conflicts(lambda makers=makers: self._make_file(makers[0]))
            if not IrCron._commit_progress(int(is_made), remaining=self._count_due()) or not is_made:
                return False

    def _begin_file(self):
        """Look at what is to be made, and note that it is tried: if the server stops, others come first.

        :return: functions that make a file each; ``None`` when the message has to wait, or failed.
        """
        try:
            with self.env.cr.savepoint():
                return self._find_makers()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:
            self._note_error(error, self.file_try_count + 1)
            return None

    def _find_makers(self):
        """See ``_begin_file``."""
        action = self.try_lock_for_update().filtered(lambda action: action.state == "planned")
        if not action:
            return None
        company = action.company_id
        action = action.with_company(company).with_context(lang=company.partner_id.lang)
        channel = self.env["collection.channel"]._get(action.channel).with_env(action.env)
        # Whoever can't be written to needs no files: that is said when the message is delivered.
        makers = [] if channel._applicable(action) else channel._get_files_to_make(action)
        if not makers:
            action._note_tries(0)
        elif action.file_try_count >= MAX_FILE_TRIES:
            action._fail(action.env._("The server stopped each time while the files of this message were made."))
            return None
        elif not self.env["ir.actions.report"]._can_make_pdf():
            action._note_tries(
                action.file_try_count,
                PRINTER_MINUTES,
                action.env._("Waits for its attachments: wkhtmltopdf is missing on the server, or broken."),
            )
            return None
        else:
            action._note_tries(action.file_try_count + 1, RETRY_MINUTES * (action.file_try_count + 1))
        return makers

    def _make_file(self, make):
        """Make one file.

        :param make: function without arguments that makes and keeps it.
        :return: whether it is there.
        """
        try:
            with self.env.cr.savepoint():
                make()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:
            self._note_error(error, self.file_try_count)
            return False
        self._note_tries(0)
        return True

    def _note_error(self, error, count):
        """Have a message wait whose files could not be made; after some tries it failed.

        :param int count: how often it was tried.
        """
        _logger.info("A file of action %s could not be made.", self.id, exc_info=True)
        reason = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        company = self.company_id
        own = self.with_company(company).with_context(lang=company.partner_id.lang)
        if count >= MAX_FILE_TRIES:
            own._fail(reason)
            return
        own._note_tries(count, RETRY_MINUTES * count, reason)
        self.env.ref("account_collection.cron_plan_and_deliver").sudo()._trigger(own.retry_at)

    def _note_tries(self, count, minutes=None, reason=False):
        """Record how often the files of a message were tried.

        :param int minutes: after how many it is tried again; at any time when ``None``.
        :param str reason: why it has to wait.
        """
        values = {
            "file_try_count": count,
            "retry_at": minutes and fields.Datetime.now() + timedelta(minutes=minutes),
            **({"result_text": reason} if reason or not minutes else {}),
        }
        if any((self[name] or False) != (value or False) for name, value in values.items()):
            self.with_context(**self._get_guard()).write(values)

    # === SCHEDULED ACTIONS === #

    @api.autovacuum
    def _gc_unsent_statements(self):
        """Delete the statements that were made for messages and went with none."""
        made = (
            self.env["ir.attachment"]
            .sudo()
            .search(
                [
                    ("res_model", "=", "collection.debtor"),
                    ("description", "=like", "collection\\_statement %"),
                    ("create_date", "<", fields.Datetime.now() - timedelta(days=DAYS_KEPT)),
                ]
            )
        )
        sent = self.sudo().search([("attachment_ids", "in", made.ids)]).attachment_ids
        (made - sent).unlink()
