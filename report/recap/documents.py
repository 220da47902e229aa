from collections import defaultdict
from datetime import date as Date

from odoo import models
from odoo.tools import SQL, format_date

from ...models.answer.collection_promise import VOID_STATES
from .numbers import ZERO, Breakdown, BreakdownRow, DisputeRow, PromiseResults, PromiseRow, to_money


class CollectionRecap(models.AbstractModel):
    """The promises, disputes and reasons of a recap."""

    _inherit = "collection.recap"

    # === BUSINESS METHODS - PROMISES AND DISPUTES === #

    def _get_promises(self, campaign, figures):
        """Return the promises made in the campaign or on its items, and the promised amount without promise.

        :param dict figures: as ``_measure_promises`` returns them.
        """
        facts = {id_: row for id_, *row in figures["rows"]}
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT promise.id, promise.user_id, promise.create_date, promise.date, promise.deadline,
                       promise.amount, promise.company_amount, promise.note,
                       promise.campaign_id IS NOT DISTINCT FROM %(campaign)s AS is_from_campaign,
                       cases.id AS case_id, partner.complete_name AS customer,
                       contact.name AS contact, author.name AS user,
                       currency.name AS currency, currency.decimal_places
                  FROM collection_promise promise
                  JOIN res_partner partner ON partner.id = promise.partner_id
                  JOIN res_users ON res_users.id = promise.user_id
                  JOIN res_partner author ON author.id = res_users.partner_id
                  JOIN res_currency currency ON currency.id = promise.currency_id
             LEFT JOIN res_partner contact ON contact.id = promise.contact_id
             LEFT JOIN collection_case cases
                       ON cases.campaign_id = %(campaign)s AND cases.debtor_id = promise.debtor_id
                 WHERE promise.id = ANY(%(ids)s)
              ORDER BY promise.date, promise.id
                """,
                campaign=campaign.id,
                ids=list(facts),
            )
        )
        labels = {
            "state": self._get_labels("collection.promise", "state"),
            "method": self._get_labels("collection.promise", "method"),
        }
        remainder = to_money(figures["rest"], campaign.currency_id.decimal_places)
        return tuple(self._prepare_promise(campaign, row, facts[row["id"]], labels) for row in rows), remainder

    def _prepare_promise(self, campaign, row, facts, labels):
        """Return one ``PromiseRow`` from the columns of ``_get_promises`` and the facts of ``_measure_promises``."""
        digits = campaign.currency_id.decimal_places
        state, method, open_amount = facts
        return PromiseRow(
            promise_id=row["id"],
            customer=row["customer"] or "",
            user_id=row["user_id"],
            user=row["user"] or "",
            contact=row["contact"] or "",
            recorded_on=row["create_date"],
            date=row["date"],
            deadline=row["deadline"],
            method=method,
            method_label=labels["method"][method],
            state=state,
            state_label=labels["state"][state],
            currency=row["currency"],
            decimal_places=row["decimal_places"],
            amount=to_money(row["amount"], row["decimal_places"]),
            company_amount=to_money(row["company_amount"], digits),
            open_amount=to_money(open_amount, digits),
            is_from_campaign=row["is_from_campaign"],
            case_id=row["case_id"] or 0,
            note=row["note"] or "",
        )

    def _get_disputes(self, campaign, figures):
        """Return the disputes opened in the campaign or on its items, and the disputed amount without dispute.

        :param dict figures: as ``_measure_disputes`` returns them.
        """
        facts = {id_: row for id_, *row in figures["rows"]}
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT dispute.id, dispute.create_date, dispute.amount, dispute.company_amount, dispute.description,
                       cases.id AS case_id, partner.complete_name AS customer, owner.name AS owner,
                       currency.name AS currency, currency.decimal_places
                  FROM collection_dispute dispute
                  JOIN res_partner partner ON partner.id = dispute.partner_id
                  JOIN res_users ON res_users.id = dispute.owner_id
                  JOIN res_partner owner ON owner.id = res_users.partner_id
                  JOIN res_currency currency ON currency.id = dispute.currency_id
             LEFT JOIN collection_case cases
                       ON cases.campaign_id = %(campaign)s AND cases.debtor_id = dispute.debtor_id
                 WHERE dispute.id = ANY(%(ids)s)
              ORDER BY dispute.id
                """,
                campaign=campaign.id,
                ids=list(facts),
            )
        )
        labels = {
            "state": self._get_labels("collection.dispute", "state"),
            "reason": self._get_names("collection.reason", {reason_id for _state, reason_id, *_row in facts.values()}),
        }
        disputes = [self._prepare_dispute(campaign, row, facts[row["id"]], labels) for row in rows]
        disputes.sort(key=lambda dispute: (dispute.deadline, dispute.dispute_id))
        return tuple(disputes), to_money(figures["rest"], campaign.currency_id.decimal_places)

    def _prepare_dispute(self, campaign, row, facts, labels):
        """Return one ``DisputeRow`` from the columns of ``_get_disputes`` and the facts of ``_measure_disputes``."""
        digits = campaign.currency_id.decimal_places
        state, reason_id, deadline, open_amount = facts
        return DisputeRow(
            dispute_id=row["id"],
            customer=row["customer"] or "",
            reason_id=reason_id,
            reason=labels["reason"][reason_id],
            owner=row["owner"] or "",
            opened_on=row["create_date"],
            deadline=Date.fromisoformat(deadline),
            state=state,
            state_label=labels["state"][state],
            currency=row["currency"],
            decimal_places=row["decimal_places"],
            amount=to_money(row["amount"], row["decimal_places"]),
            company_amount=to_money(row["company_amount"], digits),
            open_amount=to_money(open_amount, digits),
            case_id=row["case_id"] or 0,
            description=row["description"] or "",
        )

    def _get_promised_by_date(self, promises, remainder):
        """Return what is promised by the day for which it is promised."""
        labels = {promise.date: format_date(self.env, promise.date) for promise in promises}
        rows = self._group_open(promises, lambda promise: promise.date, labels)
        return Breakdown((*sorted(rows, key=lambda row: row.key), *self._get_remainder(remainder)))

    def _get_promised_by_method(self, promises, remainder):
        """Return what is promised by the method of payment that the customers named."""
        labels = self._get_labels("collection.promise", "method")
        rows = self._group_open(promises, lambda promise: promise.method, labels)
        return Breakdown((*sorted(rows, key=lambda row: -row.amount), *self._get_remainder(remainder)))

    def _get_disputed_by_reason(self, disputes, remainder):
        """Return what is disputed by reason."""
        labels = {dispute.reason_id: dispute.reason for dispute in disputes}
        rows = self._group_open(disputes, lambda dispute: dispute.reason_id, labels)
        return Breakdown((*sorted(rows, key=lambda row: -row.amount), *self._get_remainder(remainder)))

    def _group_open(self, documents, key, labels):
        """Return what promises or disputes stand for, by ``key``; ``item_count`` counts them."""
        groups = defaultdict(list)
        for document in documents:
            if document.open_amount:
                groups[key(document)].append(document)
        return [
            BreakdownRow(
                group,
                labels[group],
                sum((document.open_amount for document in members), ZERO),
                len({document.case_id for document in members}),
                len(members),
            )
            for group, members in groups.items()
        ]

    def _get_promise_results(self, promises, date):
        """Return the results of the promises made in the campaign.

        :param date: the day of the recap; what is to be paid later can't be judged yet.
        """
        made = [promise for promise in promises if promise.is_from_campaign]
        labels = self._get_labels("collection.promise", "state")
        groups = {state: [promise for promise in made if promise.state == state] for state in labels}
        due = [promise for promise in made if promise.state not in VOID_STATES and promise.deadline < date]
        kept = [promise for promise in due if promise.state == "kept"]
        return PromiseResults(
            by_state=Breakdown(
                tuple(
                    BreakdownRow(
                        state,
                        labels[state],
                        sum((promise.company_amount for promise in members), ZERO),
                        len({promise.case_id for promise in members}),
                        len(members),
                    )
                    for state, members in groups.items()
                    if members
                )
            ),
            due_count=len(due),
            kept_count=len(kept),
            due_amount=sum((promise.company_amount for promise in due), ZERO),
            kept_amount=sum((promise.company_amount for promise in kept), ZERO),
        )

    # === BUSINESS METHODS - REASONS === #

    def _get_reasons(self, cases, disputes, disputed_remainder):
        """Return what is still owed by reason for non-payment, largest first.

        A disputed part counts under the reason of its dispute, the other parts under the reason that
        the customer gave last.
        """
        labels = {0: self.env._("No reason given")}
        labels |= {case.reason_id: case.reason for case in cases if case.reason_id}
        labels |= {dispute.reason_id: dispute.reason for dispute in disputes}
        amounts, members = defaultdict(lambda: ZERO), defaultdict(set)
        parts = [(dispute.reason_id, dispute.case_id, dispute.open_amount) for dispute in disputes]
        parts += [(case.reason_id, case.case_id, case.amounts.promised + case.amounts.rest) for case in cases]
        for reason_id, case_id, amount in parts:
            if amount:
                amounts[reason_id] += amount
                members[reason_id].add(case_id)
        rows = [
            BreakdownRow(reason_id, labels[reason_id], amount, len(members[reason_id]))
            for reason_id, amount in amounts.items()
        ]
        rows.sort(key=lambda row: (not row.key, -row.amount))
        return Breakdown((*rows, *self._get_remainder(disputed_remainder)))
