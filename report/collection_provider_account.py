from odoo import fields, models
from odoo.tools import SQL

from ..tools.metrics import VOID_STATES


class CollectionProviderAccount(models.Model):
    """What providers did and brought about: the figures to check their invoices against.

    One row per call and one per promise or dispute that was imported, on the day on which the customer
    spoke. A call counts once, however many items were spoken of; a promise counts as kept when the money came,
    and not at all once it was withdrawn or renegotiated: the promise in its place counts.
    """

    _name = "collection.provider.account"
    _description = "Provider's Account"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "partner_id"

    provider_id = fields.Many2one("collection.provider", readonly=True)
    handover_id = fields.Many2one("collection.handover", string="Hand-over", readonly=True)
    campaign_id = fields.Many2one("collection.campaign", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    debtor_id = fields.Many2one("collection.debtor", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    kind = fields.Selection([("call", "Call"), ("promise", "Promise"), ("dispute", "Dispute")], readonly=True)
    date = fields.Date(readonly=True, help="The day of the call, on the company's clock.")
    call_count = fields.Integer(string="Calls", readonly=True)
    reached_count = fields.Integer(
        string="Somebody answered", readonly=True, help="Calls in which somebody picked up the phone."
    )
    right_person_count = fields.Integer(
        string="Right Persons", readonly=True, help="Calls that reached who can answer."
    )
    customer_count = fields.Integer(
        string="Customers", readonly=True, aggregator="count_distinct", help="Different customers."
    )
    promise_count = fields.Integer(string="Promises", readonly=True)
    promise_amount = fields.Monetary(string="Promised", readonly=True)
    kept_count = fields.Integer(string="Promises kept", readonly=True)
    partly_count = fields.Integer(string="Promises partly kept", readonly=True)
    broken_count = fields.Integer(string="Promises broken", readonly=True)
    kept_amount = fields.Monetary(
        string="Amount kept", readonly=True, help="Cash that came in for these promises in time, in company currency."
    )
    dispute_count = fields.Integer(string="Disputes", readonly=True)

    _depends = {
        "collection.action": [
            "campaign_id",
            "channel",
            "company_id",
            "date_planned",
            "debtor_id",
            "dispute_id",
            "handover_id",
            "is_reached",
            "outcome",
            "partner_id",
            "promise_id",
            "provider_id",
            "state",
        ],
        "collection.dispute": [
            "campaign_id",
            "company_id",
            "debtor_id",
            "handover_id",
            "opened_on",
            "partner_id",
            "provider_id",
        ],
        "collection.promise": [
            "campaign_id",
            "company_amount",
            "company_id",
            "company_settled_amount",
            "debtor_id",
            "handover_id",
            "partner_id",
            "promised_on",
            "provider_id",
            "state",
        ],
    }

    # === BUSINESS METHODS === #

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT action.id * 4 AS id, 'call' AS kind, action.provider_id, action.handover_id, action.campaign_id,
                   action.company_id, action.debtor_id, action.partner_id, action.date_planned AS date,
                   action.debtor_id AS customer_count,
                   1 AS call_count,
                   (action.is_reached IS TRUE)::int AS reached_count,
                   COALESCE(action.outcome = 'right_person', FALSE)::int AS right_person_count,
                   0 AS promise_count, 0.0 AS promise_amount, 0 AS kept_count, 0 AS partly_count, 0 AS broken_count,
                   0.0 AS kept_amount, 0 AS dispute_count
              FROM collection_action action
             WHERE action.provider_id IS NOT NULL AND action.channel = 'call' AND action.state = 'done'
         UNION ALL
            SELECT promise.id * 4 + 1, 'promise', promise.provider_id, promise.handover_id, promise.campaign_id,
                   promise.company_id, promise.debtor_id, promise.partner_id,
                   COALESCE(said.date, promise.promised_on), promise.debtor_id,
                   0, 0, 0,
                   1, promise.company_amount,
                   (promise.state = 'kept')::int, (promise.state = 'partly')::int, (promise.state = 'broken')::int,
                   COALESCE(promise.company_settled_amount, 0), 0
              FROM collection_promise promise
         LEFT JOIN LATERAL (
                    SELECT MIN(action.date_planned) AS date
                      FROM collection_action action
                     WHERE action.promise_id = promise.id
                   ) said ON TRUE
             WHERE promise.provider_id IS NOT NULL AND promise.state NOT IN %(void_states)s
         UNION ALL
            SELECT dispute.id * 4 + 2, 'dispute', dispute.provider_id, dispute.handover_id, dispute.campaign_id,
                   dispute.company_id, dispute.debtor_id, dispute.partner_id,
                   COALESCE(said.date, dispute.opened_on), dispute.debtor_id,
                   0, 0, 0, 0, 0.0, 0, 0, 0, 0.0, 1
              FROM collection_dispute dispute
         LEFT JOIN LATERAL (
                    SELECT MIN(action.date_planned) AS date
                      FROM collection_action action
                     WHERE action.dispute_id = dispute.id
                   ) said ON TRUE
             WHERE dispute.provider_id IS NOT NULL
            """,
            void_states=VOID_STATES,
        )

    def action_open_customer(self):
        """Open the follow-up file that a row is about."""
        self.ensure_one()
        return self.debtor_id._get_form_action()
