from datetime import timedelta

from odoo import api, models
from odoo.fields import Domain

from ...const import CASH_JOURNAL_TYPES
from ...tools.allocation import Demand, Payment, allocate
from ...tools.metrics import VOID_STATES
from ...tools.plain_html import to_html

# Calendar days after its deadline during which a late booking can still redeem a promise.
REJUDGE_DAYS = 60
# Calendar days after its deadline during which a kept promise is rechecked: a direct debit that the customer
# never allowed may be sent back for 13 months (SEPA Core Direct Debit rulebook, refund of unauthorised collections).
RETURN_DAYS = 400


class CollectionPromise(models.Model):
    """Judging a promise by the money that came in."""

    _inherit = "collection.promise"

    _judged_idx = models.Index("(company_id, deadline) WHERE state IN ('kept', 'partly', 'broken')")

    # === BUSINESS METHODS === #

    @api.model
    def _settle(self, date, domain=None):
        """Judge promises on the cash that came in.

        A promise is kept as soon as what was promised (or what credit notes left of it) came in,
        partly kept or broken once its deadline has passed. A payment that came in but is not yet
        allocated keeps the judgement waiting: the customer did pay. Bank statements may be booked
        late, so what was judged lately is rechecked.

        What was kept is read again for ``RETURN_DAYS``. After a change of the ledger ``domain`` names the customers
        whom it is about, so that these are a handful. The daily run reads those of the whole company: whether money
        stayed is written on none of the records that a promise knows (an entry set back to draft, a payment rejected,
        a debit of the bank that is set against nothing), and it is the net under a change that nobody noticed. It
        takes as many queries for one promise as for all.

        :param date: the day on which one judges, on the companies' own clock.
        :param domain: limits the promises to check.
        :return: the promises whose state changed, or for which more or less came in than was known.
        """
        still_open = Domain("state", "=", "open")
        judged_lately = Domain("state", "in", ("broken", "partly")) & Domain(
            "deadline", ">=", date - timedelta(days=REJUDGE_DAYS)
        )
        # Money that came in may go again: taken off the invoice, or returned by the bank.
        was_paid = Domain("state", "in", ("kept", "partly")) & Domain(
            "deadline", ">=", date - timedelta(days=RETURN_DAYS)
        )
        promises = self.sudo().search((still_open | judged_lately | was_paid) & Domain(domain or []), order="date, id")
        changed = self.browse()
        for promise, receipts in promises._get_receipts().items():
            changed |= promise._judge(date, receipts)
        return changed

    def _get_receipts(self):
        """Return what came in for each promise, in the currency of its items.

        All promises on the same items are served together, in the order of their dates, so that no
        payment keeps two of them.

        :return: ``{promise: {line: (cash in time, all cash since the promise)}}``.
        """
        lines = self.line_ids
        rivals = self.env["collection.promise.line"].search(
            [("move_line_id", "in", lines.move_line_id.ids), ("promise_id.state", "not in", VOID_STATES)]
        )
        Item = self.env["account.move.line"]
        payments, returns = {}, {}
        for row in Item._get_collection_settlements(rivals.move_line_id):
            if row["is_cash"]:
                # The invoice may still look paid after the bank returned the payment.
                kind = returns if row["is_returned"] else payments
                kind.setdefault(row["line_id"], []).append(Payment(row["partial_id"], row["date"], row["amount"]))
        received = {}
        rivals = rivals.sorted(lambda line: (line.promise_id.date, line.id))
        for item, demands in rivals.grouped("move_line_id").items():
            received |= allocate(
                [
                    Demand(
                        line,
                        line.amount,
                        line.promise_id.start_partial_id,
                        line.promise_id._get_first_day(),
                        line.promise_id.deadline,
                    )
                    for line in demands
                ],
                payments.get(item.id, []),
            )
        return {
            promise: {
                line: (
                    received.get(line, 0.0),
                    sum(
                        payment.amount
                        for kind in (payments, returns)
                        for payment in kind.get(line.move_line_id.id, [])
                        if payment.number > promise.start_partial_id and payment.day >= promise._get_first_day()
                    ),
                )
                for line in promise.line_ids
            }
            for promise in self
        }

    def _judge(self, date, receipts):
        """Write what came in for one promise and, when the time has come, what it was worth.

        :param date: the day on which one judges.
        :param receipts: ``{line: (cash in time, all cash since the promise)}``.
        :return: this promise when its state or what came in for it changed, else nothing.
        """
        self.ensure_one()
        if any(line._is_suspended() for line in self.line_ids):
            # Neither what came in nor what is owed is known while an invoice is being corrected.
            return self.browse()
        changed = self.browse()
        for line, (in_time, _since) in receipts.items():
            if self.currency_id.compare_amounts(line.settled_amount, in_time):
                line.settled_amount = in_time
                changed = self
        total = sum(in_time for in_time, _since in receipts.values())
        expected = self.amount
        if self.currency_id.compare_amounts(total, expected) < 0:
            # Credit notes may leave less to pay than was promised.
            expected = sum(min(line.amount, since + line._get_owed()) for line, (_in_time, since) in receipts.items())
        if self.currency_id.is_zero(expected):
            if self.state != "open":
                return changed
            reason = self.line_ids._get_end() or self.env._("Nothing was left to pay: credited or written off.")
            return changed | self._set_judgement("cancelled", date, cancel_reason=reason)
        if self.currency_id.compare_amounts(total, expected) >= 0:
            return changed | self._set_judgement("kept", date)
        if self.state in ("open", "kept") and (
            date <= self.deadline or self._get_unallocated_credit() >= expected - total
        ):
            # Kept too early, as it turned out: there is still time, or the money waits for allocation.
            return changed | self._set_judgement("open", False)
        if not self.currency_id.is_zero(total):
            return changed | self._set_judgement("partly", date)
        return changed | self._set_judgement("broken", date)

    def _set_judgement(self, state, date, **vals):
        """Change the state, say so on the debtor's thread and, after bad news, call the collector."""
        before = {promise: promise.state for promise in self}
        changed = self._set_state(state, settled_date=date, **vals)
        label = dict(self._fields["state"]._description_selection(self.env))[state]
        for promise in changed:
            body = self.env._("%(state)s: %(promise)s", state=label, promise=promise.display_name)
            if before[promise] == "kept":
                body = self.env._("%s. The payment was taken off the invoice or returned unpaid.", body)
            promise.debtor_id.message_post(body=body)
            if state in ("broken", "partly"):
                promise._schedule_follow_up()
        return changed

    def _schedule_follow_up(self):
        """Ask the collector to call after a broken promise."""
        self.ensure_one()
        candidates = (
            self.case_id.collector_id,
            self.debtor_id.collector_id,
            self.user_id,
            self.campaign_id.user_id,
        )
        collector = next((user for user in candidates if user.active), self.env.user)
        self.debtor_id.activity_schedule(
            "mail.mail_activity_data_call",
            date_deadline=self.company_id._collection_today(),
            summary=self.env._("Promise not kept: ask what happened"),
            note=to_html(self.display_name),
            user_id=collector.id,
        )

    def _get_first_day(self):
        """Return the first day on which money can be a payment of this promise.

        A transfer may have been on its way when the customer spoke, for as long as a promised one may be late.
        """
        self.ensure_one()
        return self.promised_on - timedelta(days=self.company_id.collection_promise_grace_days)

    def _get_unallocated_credit(self, until=None):
        """Return the money of this customer that waits for allocation, in the promise's currency.

        A branch may receive its money on the accounts of the company above it.

        :param date until: money of later days is left out; the deadline when ``None``.
        """
        self.ensure_one()
        Line = self.env["account.move.line"].sudo()
        Debtor = self.env["collection.debtor"]
        domains = [
            Domain(Debtor._get_open_item_domain(company, self.partner_id))
            for company in self.company_id.sudo().parent_ids
        ]
        [[residual]] = Line._read_group(
            Domain.OR(domains)
            & Domain("amount_residual_currency", "<", 0)
            & Domain("currency_id", "=", self.currency_id.id)
            & Domain("date", "<=", until or self.deadline)
            # Money that lay there before is no payment of this promise.
            & Domain("date", ">=", self._get_first_day())
            & Domain("journal_id.type", "in", CASH_JOURNAL_TYPES),
            aggregates=["amount_residual_currency:sum"],
        )
        return -(residual or 0.0)
