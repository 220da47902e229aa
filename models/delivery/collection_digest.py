from collections import Counter
from datetime import datetime, timedelta

import pytz

from odoo import api, models
from odoo.fields import Command, Domain
from odoo.tools.misc import format_date

# The digest comes when the hours of sending are over, at the latest at this hour.
LATEST_HOUR = 20
# Nobody reads more than so many lines of one kind.
MAX_NAMES = 10
# A digest goes back so many days at most.
MAX_DAYS = 7


class CollectionDigest(models.AbstractModel):
    """What managers read in the evening: what was sent, failed, was cancelled and why, and what waits for people."""

    _name = "collection.digest"
    _description = "Daily Digest"

    # === SCHEDULED ACTIONS === #

    @api.model
    def _cron_send(self):
        """See ``collection.run``."""
        self.env["collection.run"]._cron_send_digests()

    @api.model
    def _is_time(self, company):
        """Return whether the digest of a company is due: in the evening of a working day, once."""
        now = company._get_collection_now()
        if now.hour + now.minute / 60 < min(company.collection_send_to, LATEST_HOUR):
            return False
        last = company.collection_digest_at
        if last and pytz.utc.localize(last).astimezone(now.tzinfo).date() >= now.date():
            return False
        return company._is_collection_open(now.date())

    # === BUSINESS METHODS === #

    @api.model
    def _send(self, company):
        """Send the digest of a company to those who read it, each in their language; nothing without news.

        :return: the ``mail.mail`` records.
        """
        facts = self._get_facts(company)
        mails = self.env["mail.mail"].sudo()
        if not self._is_worth_saying(facts):
            return mails
        for user in self._get_users(company):
            mails += mails.create(self._prepare_mail(company, user, facts))
        return mails

    @api.model
    def _get_users(self, company):
        """Return who gets the digest of a company: whom it chose, else its managers of the follow-up."""
        chosen = company.collection_digest_user_ids
        users = chosen or self.env.ref("account_collection.group_collection_manager").sudo().all_user_ids
        return users.filtered(
            lambda user: (
                user.active
                and not user.share
                and user.email
                and user._is_internal()
                and company in user.company_ids
                and user != self.env.ref("base.user_root")
            )
        )

    @api.model
    def _is_worth_saying(self, facts):
        """Return whether there is anything to say."""
        return bool(
            facts["sent"]
            or facts["failed"]
            or facts["uncertain"]
            or facts["cancelled"]
            or (
                facts["is_running"]
                and (facts["to_confirm"] or facts["letters"] or facts["calls"] or facts["answered"] or facts["stale"])
            )
        )

    @api.model
    def _get_facts(self, company):
        """Return what happened since the last digest, and what waits now.

        :return: dict with ``sent`` (counts by channel), ``failed`` and ``uncertain`` (actions), ``cancelled`` (counts
            by ``cancel_code``), ``to_confirm``, ``letters`` and ``calls`` (numbers), ``answered`` (debtors), ``stale``
            (see ``_get_collection_stale_journal``) and ``is_running``.
        """
        Action = self.env["collection.action"].sudo()
        since = self._get_since(company)
        today = company._collection_today()
        own = Domain("company_id", "=", company.id)
        recent = own & Domain("state_date", ">=", since)
        messages = Domain("channel", "in", self.env["collection.channel"]._get_names("_is_message"))
        planned = own & Domain("state", "=", "planned") & Domain("date_planned", "<=", today)
        return {
            "sent": Counter(
                dict(
                    Action._read_group(
                        own & messages & Domain("state", "=", "done") & Domain("date_done", ">=", since),
                        ["channel"],
                        ["__count"],
                    )
                )
            ),
            "failed": Action.search(recent & Domain("state", "=", "failed"), order="id desc"),
            "uncertain": Action.search(own & Domain("delivery_state", "=", "uncertain"), order="id desc"),
            "cancelled": Counter(
                dict(
                    Action._read_group(
                        recent & Domain("state", "=", "cancelled") & Domain("step_id", "!=", False),
                        ["cancel_code"],
                        ["__count"],
                    )
                )
            ),
            "to_confirm": Action.search_count(planned & Domain("needs_confirmation", "=", True)),
            "letters": Action.search_count(
                planned & Domain("is_paper", "=", True) & Domain("needs_confirmation", "!=", True)
            ),
            "calls": Action.search_count(planned & Domain("is_for_people", "=", True) & ~Domain("is_paper", "=", True)),
            "answered": self.env["collection.debtor"]
            .sudo()
            .search(own & Domain("reply_date", "!=", False), order="reply_date, id"),
            "stale": self.env["account.journal"]._get_collection_stale_journal(company),
            "is_running": bool(
                self.env["collection.plan"].sudo().search_count(own & Domain("is_running", "=", True), limit=1)
            ),
        }

    @api.model
    def _get_since(self, company):
        """Return the start of the period that a digest covers: the last digest, else this morning."""
        tz = pytz.timezone(company._get_collection_tz())
        today = company._collection_today()
        morning = tz.localize(datetime.combine(today, datetime.min.time())).astimezone(pytz.utc).replace(tzinfo=None)
        last = company.collection_digest_at
        return max(last, morning - timedelta(days=MAX_DAYS)) if last else morning

    # === BUSINESS METHODS - WORDS === #

    @api.model
    def _prepare_mail(self, company, user, facts):
        """Return the values of the mail to one user, in that user's language."""
        self = self.with_context(lang=user.lang)  # noqa: PLW0642 - all that follows is in that language
        body = self.env["ir.qweb"]._render(
            "account_collection.digest_body", self._get_words(company, facts), lang=user.lang, minimal_qcontext=True
        )
        return {
            "subject": self.env._(
                "%(company)s: reminders of %(day)s",
                company=company.name,
                day=format_date(self.env, company._collection_today()),
            ),
            "body_html": self.env["ir.qweb"]._render(
                "account_collection.mail_layout",
                {"company": company, "body": body, "lang": user.lang},
                lang=user.lang,
                minimal_qcontext=True,
            ),
            "author_id": company.partner_id.id,
            "email_from": company._get_collection_sender(),
            "recipient_ids": [Command.set(user.partner_id.ids)],
            "auto_delete": True,
        }

    @api.model
    def _get_more(self, records):
        """Return in words how many of some records are not named, ``False`` when all are."""
        rest = len(records) - MAX_NAMES
        return self.env._("and %s more", rest) if rest > 0 else False

    @api.model
    def _get_words(self, company, facts):
        """Return what the template of the digest needs, in the language of the environment."""
        Action = self.env["collection.action"]
        channels = Action._get_channel_labels()
        codes = dict(Action._fields["cancel_code"]._description_selection(self.env))
        failed = facts["failed"]
        return {
            "intro": self.env._(
                "What happened to reminders until the evening of %s:",
                format_date(self.env, company._collection_today(), date_format="EEEE d MMMM"),
            ),
            "more_failed": self._get_more(failed),
            "more_answered": self._get_more(facts["answered"]),
            "url": lambda path: f"{company.get_base_url()}/odoo/{path}?cids={company.id}",
            "sent": [(channels[channel], count) for channel, count in facts["sent"].most_common()],
            "failed": [
                (action.partner_id.display_name, channels[action.channel], action.result_text or "")
                for action in failed[:MAX_NAMES]
            ],
            "failed_count": len(failed),
            "uncertain_count": len(facts["uncertain"]),
            "cancelled": [
                (codes.get(code) or codes["other"], count) for code, count in facts["cancelled"].most_common()
            ],
            "waiting": [
                (label, path, count)
                for label, path, count in (
                    (self.env._("Messages to confirm"), "collection-to-confirm", facts["to_confirm"]),
                    (self.env._("Letters to print and post"), "collection-waiting", facts["letters"]),
                    (self.env._("Calls and tasks"), "collection-waiting", facts["calls"]),
                )
                if count
            ],
            "answered": [
                (debtor.partner_id.display_name, format_date(self.env, debtor.reply_date))
                for debtor in facts["answered"][:MAX_NAMES]
            ],
            "answered_count": len(facts["answered"]),
            "stale": facts["stale"]
            and self.env._(
                "“%(journal)s” has no entry since %(date)s: nobody is reminded by themselves until it is up to date.",
                journal=facts["stale"]["journal"],
                date=format_date(self.env, facts["stale"]["date"]),
            ),
        }
