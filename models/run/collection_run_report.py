import logging
from collections import Counter
from datetime import datetime, time, timedelta

import pytz

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.misc import format_date, format_datetime

_logger = logging.getLogger(__name__)

# Calendar days that a report is kept.
DAYS_KEPT = 90


class CollectionRunReport(models.Model):
    """What the follow-up plans of a company did on a day, what they did not, and why: for its administrators.

    Written at the end of each run, from the actions as they stand. The same words go to the server's log.
    """

    _name = "collection.run.report"
    _description = "Day of the Follow-up"
    _inherit = ["collection.fact.mixin"]
    _is_of_system = True
    _order = "day desc, id desc"
    _rec_name = "day"
    _check_company_auto = True

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True, ondelete="cascade")
    day = fields.Date(required=True, readonly=True)
    run_at = fields.Datetime(string="Last Run", readonly=True)
    decided_count = fields.Integer(string="Due Today", readonly=True, help="Contacts that the plans asked for today.")
    done_count = fields.Integer(string="Done", readonly=True, help="Said today: sent by Odoo, or done by people.")
    postponed_count = fields.Integer(string="Later", readonly=True, help="Planned, for a later day.")
    cancelled_count = fields.Integer(string="Cancelled", readonly=True)
    failed_count = fields.Integer(string="Failed", readonly=True)
    waiting_count = fields.Integer(string="Waiting", readonly=True, help="Due, and not said yet.")
    next_at = fields.Datetime(
        string="Sent from", readonly=True, help="What waits for the hours of sending leaves from this moment on."
    )
    facts = fields.Json(readonly=True)
    explanation = fields.Text(compute="_compute_explanation")

    _day_unique = models.UniqueIndex("(company_id, day)")

    # === COMPUTE METHODS === #

    @api.depends("facts", "decided_count", "next_at")
    @api.depends_context("lang", "tz")
    def _compute_explanation(self):
        for report in self:
            report.explanation = "\n".join(report._explain())

    # === ACTION METHODS === #

    def action_view_actions(self):
        """Open what this report is about: what was planned, said or given up on that day."""
        self.ensure_one()
        begin, end = self._get_bounds(self.company_id, self.day)
        of_the_day = Domain("planned_on", "=", self.day) | (
            Domain("state_date", ">=", begin) & Domain("state_date", "<", end)
        )
        if self.day == self.company_id._collection_today():
            of_the_day |= Domain("state", "=", "planned")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Contacts of %s", format_date(self.env, self.day)),
            "res_model": "collection.action",
            "view_mode": "list,form",
            "domain": list(Domain("company_id", "=", self.company_id.id) & Domain("step_id", "!=", False) & of_the_day),
            "context": {"search_default_group_state": 1},
        }

    # === BUSINESS METHODS - WRITE === #

    @api.model
    def _get_bounds(self, company, day):
        """Return when a day of a company begins and ends, in UTC."""
        zone = pytz.timezone(company._get_collection_tz())
        moments = (zone.localize(datetime.combine(date, time())) for date in (day, day + timedelta(days=1)))
        return tuple(moment.astimezone(pytz.utc).replace(tzinfo=None) for moment in moments)

    @api.model
    def _get_today(self, company):
        """Return today's report of a company, made if there is none.

        Where another worker makes it at the same moment, PostgreSQL has the one that comes second do its work again:
        a conflict of concurrency, as of any two that write the same row, and never a failure of that work.
        """
        today = company._collection_today()
        domain = [("company_id", "=", company.id), ("day", "=", today)]
        Report = self.sudo()
        if report := Report.search(domain):
            return report
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO collection_run_report
                       (company_id, day, facts, create_uid, create_date, write_uid, write_date)
                     VALUES (%(company)s, %(day)s, '{}', %(uid)s, %(now)s, %(uid)s, %(now)s)
                ON CONFLICT (company_id, day) DO NOTHING
                """,
                company=company.id,
                day=today,
                uid=self.env.uid,
                now=fields.Datetime.now(),
            ),
            log_exceptions=False,
        )
        return Report.search(domain)

    @api.model
    def _write_day(self, company):
        """Write today's report of a company from its actions, and log it, unless another worker is at it.

        :return: the report.
        """
        report = self._get_today(company).try_lock_for_update()
        if not report:
            return report
        today, now = report.day, fields.Datetime.now()
        counts = self._count_actions(company, today, now)
        is_open = company._is_collection_sending_time()
        if not is_open:
            counts["waiting"]["hours"] = counts["waiting"].pop("next", 0)
        waiting = {kind: count for kind, count in counts["waiting"].items() if count}
        stale = self.env["account.journal"]._get_collection_stale_journal(company)
        report.write(
            {
                "run_at": now,
                "decided_count": counts["decided"][""],
                "done_count": counts["done"].total(),
                "postponed_count": counts["postponed"][""],
                "cancelled_count": counts["cancelled"].total(),
                "failed_count": counts["failed"].total(),
                "waiting_count": sum(waiting.values()),
                "next_at": company._get_collection_next_sending() if "hours" in waiting else False,
                "facts": {
                    "silent": self._get_silent(company, today),
                    **{name: dict(counts[name]) for name in ("done", "cancelled", "failed")},
                    "waiting": waiting,
                    "lacks": self._get_lacks(company),
                    "stale": stale and {"journal": stale["journal"], "date": fields.Date.to_string(stale["date"])},
                },
            }
        )
        words = report.with_context(lang="en_US", tz=company._get_collection_tz())._explain()
        _logger.info("Follow-up of %s on %s: %s", company.name, today, " ".join(words))
        return report

    @api.model
    def _count_actions(self, company, today, now):
        """Return how many steps were decided, said, given up or wait: ``{what: Counter({code: number})}``."""
        self.env.flush_all()
        begin, end = self._get_bounds(company, today)
        automatic = self.env["collection.channel"]._get_automatic_channels(company) or ("",)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT 'decided', '', COUNT(*)
                  FROM collection_action
                 WHERE company_id = %(company)s AND planned_on = %(today)s AND fallback_of_id IS NULL
             UNION ALL
                SELECT state, CASE state WHEN 'cancelled' THEN COALESCE(cancel_code, 'other') ELSE channel END, COUNT(*)
                  FROM collection_action
                 WHERE company_id = %(company)s AND step_id IS NOT NULL
                   AND state IN ('done', 'failed', 'cancelled')
                   AND state_date >= %(begin)s AND state_date < %(end)s
              GROUP BY 1, 2
             UNION ALL
                SELECT CASE WHEN date_planned > %(today)s THEN 'postponed' ELSE 'waiting' END,
                       CASE WHEN date_planned > %(today)s THEN ''
                            WHEN needs_confirmation THEN 'confirmation'
                            WHEN channel NOT IN %(automatic)s THEN 'people'
                            WHEN retry_at > %(now)s THEN 'files'
                            ELSE 'next' END,
                       COUNT(*)
                  FROM collection_action
                 WHERE company_id = %(company)s AND step_id IS NOT NULL AND state = 'planned'
              GROUP BY 1, 2
                """,
                company=company.id,
                today=today,
                begin=begin,
                end=end,
                automatic=automatic,
                now=now,
            )
        )
        counts = {what: Counter() for what in ("decided", "done", "failed", "cancelled", "postponed", "waiting")}
        for what, code, number in rows:
            counts[what][code] += number
        return counts

    @api.model
    def _get_silent(self, company, today):
        """Return why customers were not to be contacted when the plans decided today: ``{reason: number}``."""
        silent = Counter()
        for plan in self.env["collection.plan"].sudo().search([("company_id", "=", company.id)]):
            if (plan.decided or {}).get("day") == str(today):
                silent.update(plan.decided["silent"])
        return dict(silent)

    @api.model
    def _get_lacks(self, company):
        """Return the codes of what the server lacks to carry the running plans of a company out."""
        plans = self.env["collection.plan"].sudo()
        plans = plans.search([("company_id", "=", company.id), ("is_running", "=", True)])
        return self.env["collection.channel"]._get_lacks(company, plans.step_ids)

    # === BUSINESS METHODS - EXPLAIN === #

    def _explain(self):
        """Return in words, line by line, what was done, what was not, and why."""
        self.ensure_one()
        facts = self.facts or {}
        channels = self.env["collection.action"]._get_channel_labels()
        codes = dict(self.env["collection.action"]._fields["cancel_code"]._description_selection(self.env))
        silent = {
            self.env["collection.plan"]._get_reason_label(code): count
            for code, count in (facts.get("silent") or {}).items()
        }
        lines = [
            self.env._("Contacts decided today: %s.", self.decided_count),
            self._count_words(self.env._("Nothing today for others"), silent),
            self._count_words(self.env._("Done"), self._label(facts.get("done"), channels)),
            self._count_words(self.env._("Cancelled"), self._label(facts.get("cancelled"), codes)),
            self._count_words(self.env._("Failed"), self._label(facts.get("failed"), channels)),
            self._count_words(self.env._("Waiting"), self._label(facts.get("waiting"), self._get_waiting_labels())),
        ]
        if self.postponed_count:
            lines.append(self.env._("Planned for another day: %s.", self.postponed_count))
        if stale := facts.get("stale"):
            date = format_date(self.env, fields.Date.to_date(stale["date"]))
            lines.append(
                self.env._(
                    "“%(journal)s” has no entry since %(date)s: nobody is contacted until it is up to date.",
                    journal=stale["journal"],
                    date=date,
                )
            )
        Channel = self.env["collection.channel"]
        lines += [Channel._describe_lack(code) for code in facts.get("lacks") or ()]
        return [line for line in lines if line]

    def _get_waiting_labels(self):
        """Return for what due steps wait, in words."""
        moment = self.next_at and format_datetime(self.env, self.next_at, tz=self.company_id._get_collection_tz())
        return {
            "hours": self.env._("for the hours of sending (from %s)", moment)
            if moment
            else self.env._("for the hours of sending"),
            "confirmation": self.env._("to be confirmed"),
            "people": self.env._("for people (calls, letters, tasks)"),
            "files": self.env._("for their attachments"),
            "next": self.env._("for the next run"),
        }

    @staticmethod
    def _label(counts, labels):
        return {labels.get(code, code): count for code, count in (counts or {}).items()}

    def _count_words(self, title, counts):
        """Return a line such as ``Done: E-mail 28, SMS 2.``, an empty one without any."""
        if not counts:
            return ""
        ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        parts = ", ".join(f"{name} {count}" for name, count in ordered)
        return self.env._("%(name)s: %(text)s", name=title, text=parts) + "."

    # === SCHEDULED ACTIONS === #

    @api.autovacuum
    def _gc_old_reports(self):
        """Delete the reports of days long ago."""
        self.sudo().search([("run_at", "<", fields.Datetime.now() - timedelta(days=DAYS_KEPT))]).unlink()
