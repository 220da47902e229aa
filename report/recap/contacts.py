from collections import defaultdict

from odoo import models
from odoo.tools import SQL

from .numbers import ZERO, CollectorRow, Contacts, SentRow, total_of


class CollectionRecap(models.AbstractModel):
    """The contacts of a campaign: how many, by whom, and each of them."""

    _inherit = "collection.recap"

    # === BUSINESS METHODS - CONTACTS === #

    def _get_actions_sql(self, campaign):
        """Return SQL with what was said in a campaign, and what failed.

        Of a closed campaign: as it was at the closing. An e-mail that bounced later was sent then.
        """
        if not self._is_final(campaign):
            return SQL(
                "SELECT * FROM collection_action WHERE campaign_id = %s AND state IN ('done', 'failed')", campaign.id
            )
        return SQL(
            """
            SELECT id, debtor_id, partner_id, user_id, contact_id, date_done, channel, outcome, is_reached, reason_id,
                   note, summary, result_text,
                   CASE WHEN state_date > %(closing)s THEN 'done' ELSE state END AS state
              FROM collection_action
             WHERE campaign_id = %(campaign)s
               AND state IN ('done', 'failed')
               AND COALESCE(date_done, state_date) <= %(closing)s
            """,
            campaign=campaign.id,
            closing=campaign.state_date,
        )

    def _get_contacts(self, campaign, cases):
        """Return the contacts that took place, and how many customers they reached."""
        [values] = self.env.execute_query_dict(
            SQL(
                """
                SELECT COUNT(*) AS logged_count,
                       COUNT(*) FILTER (WHERE said AND channel = 'call') AS call_count,
                       COUNT(*) FILTER (WHERE said AND channel = 'call' AND is_reached) AS answered_count,
                       COUNT(*) FILTER (WHERE said AND outcome = 'right_person') AS right_person_count,
                       COUNT(*) FILTER (WHERE NOT said AND channel = 'email') AS failed_email_count,
                       COUNT(DISTINCT debtor_id) FILTER (WHERE said AND channel != 'note') AS contacted_count,
                       COUNT(DISTINCT debtor_id) FILTER (WHERE said AND channel = 'call') AS called_count,
                       COUNT(DISTINCT debtor_id) FILTER (WHERE said AND outcome = 'right_person') AS reached_count
                  FROM (SELECT *, state = 'done' AS said FROM (%s) happened) action
                """,
                self._get_actions_sql(campaign),
            )
        )
        return Contacts(customer_count=len(cases), sent=self._get_sent(campaign), **values)

    def _get_sent(self, campaign):
        """Return how many messages were sent by each channel of messages, as ``SentRow`` objects."""
        Channel = self.env["collection.channel"]
        counts = dict(
            self.env.execute_query(
                SQL(
                    "SELECT channel, COUNT(*) FROM (%s) action WHERE state = 'done' GROUP BY channel",
                    self._get_actions_sql(campaign),
                )
            )
        )
        return tuple(
            SentRow(name, Channel._get(name)._get_sent_title(), counts.get(name, 0))
            for name in Channel._get_names("_is_message")
        )

    def _get_collectors(self, campaign, cases, promises):
        """Return what each person did, and what became of the cases in their care; most collected first."""
        calls = defaultdict(lambda: (0, 0))
        for user_id, *counts in self.env.execute_query(
            SQL(
                """
                SELECT user_id, COUNT(*), COUNT(*) FILTER (WHERE outcome = 'right_person')
                  FROM (%s) action
                 WHERE state = 'done' AND channel = 'call'
              GROUP BY user_id
                """,
                self._get_actions_sql(campaign),
            )
        ):
            calls[user_id] = counts
        cases_by_user, promises_by_user = defaultdict(list), defaultdict(list)
        for case in cases:
            cases_by_user[case.collector_id].append(case)
        for promise in promises:
            if promise.is_from_campaign:
                promises_by_user[promise.user_id].append(promise)
        user_ids = {*calls, *cases_by_user, *promises_by_user}
        names = {0: self.env._("Nobody"), **self._get_names("res.users", user_ids)}
        rows = [
            CollectorRow(
                user_id=user_id,
                label=names[user_id],
                case_count=len(cases_by_user[user_id]),
                call_count=calls[user_id][0],
                right_person_count=calls[user_id][1],
                promise_count=len(promises_by_user[user_id]),
                promised_amount=sum((promise.company_amount for promise in promises_by_user[user_id]), ZERO),
                amounts=total_of(case.amounts for case in cases_by_user[user_id]),
            )
            for user_id in user_ids
        ]
        return tuple(sorted(rows, key=lambda row: (-row.amounts.collected, row.label)))

    # === BUSINESS METHODS - DETAILS === #

    def _iter_contacts(self, recap, batch_size=5000):
        """Yield the contacts of a campaign, oldest first, as dicts; a batch at a time."""
        reasons = {
            reason.id: reason.name
            for reason in self.env["collection.reason"].sudo().with_context(active_test=False).search([])
        }
        campaign = self.env["collection.campaign"].browse(recap.campaign_id).sudo()
        last_id = 0
        while rows := self.env.execute_query_dict(
            SQL(
                """
                SELECT action.id, action.date_done, action.channel, action.state, action.outcome,
                       action.reason_id, action.note, action.summary, action.result_text,
                       partner.complete_name AS customer, contact.name AS contact, author.name AS user
                  FROM (%s) action
                  JOIN res_partner partner ON partner.id = action.partner_id
                  JOIN res_users ON res_users.id = action.user_id
                  JOIN res_partner author ON author.id = res_users.partner_id
             LEFT JOIN res_partner contact ON contact.id = action.contact_id
                 WHERE action.id > %s
              ORDER BY action.id
                 LIMIT %s
                """,
                self._get_actions_sql(campaign),
                last_id,
                batch_size,
            )
        ):
            for row in rows:
                yield {**row, "reason": reasons.get(row["reason_id"], "")}
            last_id = rows[-1]["id"]
