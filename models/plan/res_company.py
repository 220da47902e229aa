from datetime import date, datetime, time, timedelta

import pytz

from odoo import api, fields, models

# Calendar days in which the next day of sending is looked for.
DAYS_AHEAD = 366


class ResCompany(models.Model):
    """A company has follow-up plans, and hours at which it writes to customers."""

    _inherit = "res.company"

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        companies = super().create(vals_list)
        self.env["collection.plan"].sudo()._ensure_plans(companies)
        return companies

    # === BUSINESS METHODS === #

    def _is_collection_sending_time(self) -> bool:
        """Return whether a message that nobody sends by hand may leave at this moment, on the company's clock.

        The one definition, for reminders, statements of account and reminders of promises: within the hours of
        sending, on a day on which the company works.
        """
        self.ensure_one()
        now = self._get_collection_now()
        hour = now.hour + now.minute / 60
        return self.collection_send_from <= hour < self.collection_send_to and self._is_collection_open(now.date())

    def _get_collection_next_sending(self):
        """Return the next moment, in UTC, at which messages that nobody sends by hand may leave.

        :return: a ``datetime`` without zone, now within the hours of sending; ``False`` when there is none in a year.
        """
        self.ensure_one()
        if self._is_collection_sending_time():
            return fields.Datetime.now()
        now = self._get_collection_now()
        hour, minute = divmod(round(self.collection_send_from * 60), 60)
        for days in range(DAYS_AHEAD):
            day = now.date() + timedelta(days=days)
            moment = pytz.timezone(self._get_collection_tz()).localize(datetime.combine(day, time(hour, minute)))
            if moment > now and self._is_collection_open(day):
                return moment.astimezone(pytz.utc).replace(tzinfo=None)
        return False

    def _is_collection_open(self, day: date) -> bool:
        """Return whether this company works, and writes to anybody at all, on a day: see ``_get_closure``."""
        self.ensure_one()
        Quiet = self.env["collection.quiet.period"]
        periods, _own = Quiet._get_periods(self)
        return not Quiet._get_closure(self, periods)(day)
