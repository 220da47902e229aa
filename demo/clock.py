"""The clock of the story: what happens in it is dated when it happened, not when the demo was built."""

from contextlib import contextmanager
from datetime import datetime, time
from unittest.mock import patch

import pytz

from odoo import fields
from odoo.tools import SQL

# {model: its timestamps}
_TIMESTAMPS = {
    "collection.campaign": ("create_date", "write_date", "state_date"),
    "collection.case": ("create_date", "write_date", "state_date", "last_contact_date"),
    "collection.debtor": ("create_date", "write_date"),
    "collection.action": ("create_date", "write_date", "state_date", "date_done"),
    "collection.promise": ("create_date", "write_date", "state_date"),
    "collection.promise.line": ("create_date", "write_date"),
    "collection.dispute": ("create_date", "write_date", "state_date"),
    "collection.dispute.line": ("create_date", "write_date"),
    "collection.handover": ("create_date", "write_date", "state_date"),
    "collection.provider": ("create_date", "write_date"),
    "mail.activity": ("create_date", "write_date"),
    "mail.message": ("create_date", "write_date", "date"),
    "mail.tracking.value": ("create_date", "write_date"),
}


class Clock:
    """Says which day it is to the companies, and dates what was written.

    Whatever carries a timestamp of the present was written by the last step of the story, since
    every step before it was dated back.
    """

    def __init__(self, env, today):
        self.env = env
        self.today = today
        self.author = env  # in whose name changes are written into chatters
        self.timezone = pytz.timezone("Europe/Paris")
        self._start = min(env.cr.now(), fields.Datetime.now()).replace(microsecond=0)
        self._start_day = min(self._start.date(), fields.Date.today())
        [[self.first_message_id]] = env.execute_query(SQL("SELECT COALESCE(MAX(id), 0) FROM mail_message"))

    @contextmanager
    def running(self):
        """Make the companies live on the day of this clock."""
        company_class = type(self.env["res.company"])
        with patch.object(company_class, "_collection_today", lambda company: self.today):
            yield self

    @contextmanager
    def moment(self, hour, minute=0):
        """Date what is written in the block at this time of the clock's day."""
        self.author = self.env
        yield
        local = self.timezone.localize(datetime.combine(self.today, time(hour, minute)))
        self._stamp(local.astimezone(pytz.utc).replace(tzinfo=None))

    def _stamp(self, moment):
        # Changes stand in the chatter now, not all at the end of the transaction.
        for model_name in ("collection.campaign", "collection.debtor", "collection.dispute", "collection.promise"):
            self.author[model_name].sudo()._track_finalize()
        self.env.flush_all()
        for model_name, columns in _TIMESTAMPS.items():
            table = self.env[model_name]._table
            names = [SQL.identifier(column) for column in columns]
            self.env.cr.execute(
                SQL(
                    "UPDATE %s SET %s WHERE GREATEST(%s) >= %s %s",
                    SQL.identifier(table),
                    SQL(", ").join(
                        SQL("%s = CASE WHEN %s >= %s THEN %s ELSE %s END", name, name, self._start, moment, name)
                        for name in names
                    ),
                    SQL(", ").join(names),
                    self._start,
                    SQL("AND id > %s", self.first_message_id) if model_name == "mail.message" else SQL(),
                )
            )
            self.env[model_name].invalidate_model(columns, flush=False)
        # The day on which an activity was done.
        self.env.cr.execute(
            SQL(
                "UPDATE mail_activity SET date_done = %s WHERE date_done >= %s AND create_date < %s",
                self.today,
                self._start_day,
                self._start,
            )
        )
        self.env["mail.activity"].invalidate_model(["date_done"], flush=False)
