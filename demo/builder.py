"""Puts the parts together, in the order in which things happened."""

import random
from datetime import timedelta

from .campaigns import Campaigns
from .clock import Clock
from .companies import Companies
from .customers import BELGIAN_COMPANY_CUSTOMERS, FRENCH_COMPANY_CUSTOMERS
from .ledger import Ledger
from .opening import close_mail_queue, date_ledger_back, empty_refresh_queue, open_old_debt
from .people import People
from .stories import (
    BEFORE_STORY,
    BETWEEN_STORY,
    CLOSED_END,
    CLOSED_START,
    CLOSED_STORY,
    RUNNING_START,
    RUNNING_STORY,
    UNPAID,
)

# Nothing of this is written into chatters, and no invitation is sent.
_QUIET = {
    "tracking_disable": True,
    "mail_create_nolog": True,
    "mail_create_nosubscribe": True,
    "no_reset_password": True,
    "mail_notify_force_send": False,
    "lang": "en_US",
}


class Builder:
    def __init__(self, env, today=None):
        self.env = env(context={**env.context, **_QUIET})
        self.fixed_today = today

    def build(self):
        """Build everything, and leave debtors, promises, disputes and cases as a nightly run leaves them."""
        companies = Companies(self.env)
        today = self.fixed_today or companies.french._collection_today()
        people = People(self.env, companies)
        clock = Clock(self.env, today)
        # The same story each time it is told.
        chance = random.Random(7)
        french = Ledger(companies.french, people, today, chance)
        belgian = Ledger(companies.belgian, people, today, chance)
        french.plan(FRENCH_COMPANY_CUSTOMERS, UNPAID)
        belgian.plan(BELGIAN_COMPANY_CUSTOMERS)
        with clock.running():
            campaigns = Campaigns(french, people, clock)
            open_old_debt(french)
            self._tell(campaigns, today)
            belgian.advance(today)
            for company in (companies.french, companies.belgian):
                self.env["collection.debtor"].with_company(company)._synchronize(company)
            empty_refresh_queue(self.env)
        date_ledger_back(self.env, companies.all)
        close_mail_queue(self.env, clock)
        self.env["collection.action"]._collect_results()
        Snapshot = self.env["collection.snapshot"].sudo()
        for company in companies.all:
            company.collection_refresh_date = company._collection_today()
            Snapshot._record(company, Snapshot._get_due_days(company))

    def _tell(self, campaigns, today):
        def day(offset):
            return today + timedelta(days=offset)

        campaigns.live_until(day(CLOSED_START - 4))
        # The planner can't know yet about two years of ledger that came at once.
        self.env.flush_all()
        self.env.cr.execute("ANALYZE account_move, account_move_line, account_partial_reconcile, res_partner")
        campaigns.tell(BEFORE_STORY, day(CLOSED_START))
        campaigns.start_closed()
        campaigns.tell(CLOSED_STORY, day(CLOSED_END))
        campaigns.close()
        campaigns.tell(BETWEEN_STORY, day(RUNNING_START))
        campaigns.start_running()
        campaigns.start_plan()
        campaigns.tell(RUNNING_STORY, today)
