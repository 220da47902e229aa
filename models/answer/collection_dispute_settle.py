from datetime import timedelta

from odoo import api, models
from odoo.fields import Command, Domain

from .collection_dispute_credit import CREDIT_DAYS


class CollectionDispute(models.Model):
    """Settling disputes: closed when credited or paid, escalated when late."""

    _inherit = "collection.dispute"

    # === BUSINESS METHODS === #

    @api.model
    def _settle(self, date, domain=None):
        """Close disputes whose items were credited or paid, and keep count of what credit notes took off.

        :param date: the day on which one judges.
        :param domain: limits the disputes to check.
        :return: the disputes whose state or credited part changed.
        """
        # A credit note may be taken off again: what was accepted is then not claimed until it is credited anew.
        lately = Domain("closed_date", ">=", date - timedelta(days=CREDIT_DAYS))
        accepted = Domain("state", "=", "accepted") & (Domain("is_credited", "=", False) | lately)
        unsettled = self.sudo().search((Domain("state", "=", "open") | accepted) & Domain(domain or []))
        settlements = {}
        for row in self.env["account.move.line"]._get_collection_settlements(unsettled.line_ids.move_line_id):
            if not row["is_cash"]:
                settlements.setdefault(row["line_id"], []).append(row)
        changed = self.browse()
        for dispute in unsettled:
            if dispute._count_credits(settlements):
                changed |= dispute
            if dispute.state == "open":
                changed |= dispute._close_when_settled()
        return changed

    def _count_credits(self, settlements):
        """Write how much of each disputed part credit notes have taken off since.

        :param settlements: ``{item id: [non-cash settlements]}``.
        :return: whether something changed.
        """
        self.ensure_one()
        if any(line._is_suspended() for line in self.line_ids):
            return False
        changed = False
        credit_line_ids = set()
        for line in self.line_ids:
            rows = settlements.get(line.move_line_id.id, [])
            rows = [row for row in rows if row["partial_id"] > self.start_partial_id]
            credit_line_ids.update(row["credit_line_id"] for row in rows)
            credited = min(sum(row["amount"] for row in rows), line.amount)
            if self.currency_id.compare_amounts(line.settled_amount, credited):
                line.settled_amount = credited
                changed = True
        if changed:
            moves = self.env["account.move.line"].browse(sorted(credit_line_ids)).move_id
            notes = moves.filtered(lambda move: move.move_type == "out_refund") - self.credit_note_ids
            self.credit_note_ids = [Command.link(note.id) for note in notes]
        return changed

    def _close_when_settled(self):
        """Close one open dispute when nothing is left of it; return it when its state changed."""
        self.ensure_one()
        if any(line._is_suspended() for line in self.line_ids):
            return self.browse()  # being corrected, which may well be how the dispute is solved
        if self.is_credited:
            return self._set_closed("accepted", resolution=self.resolution or self.env._("Credited."))
        if all(self.currency_id.is_zero(line._get_owed()) for line in self.line_ids):
            if ending := self.line_ids._get_end():
                # Whatever somebody wrote meanwhile did not end it.
                return self._set_closed("cancelled", resolution=" ".join(filter(None, [self.resolution, ending])))
            return self._set_closed("cancelled", resolution=self.resolution or self.env._("Paid in full."))
        return self.browse()

    @api.model
    def _escalate_late(self, date, domain=None):
        """Notify the person in charge, by an activity, of disputes not solved in time; once per dispute.

        :param date: the day on which one judges.
        :param domain: limits the disputes to check.
        :return: the disputes that were escalated.
        """
        late = self.sudo().search(
            Domain("state", "=", "open")
            & Domain("date_deadline", "<", date)
            & Domain("is_escalated", "=", False)
            & Domain(domain or [])
        )
        for dispute in late:
            dispute.activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=date,
                summary=self.env._("This dispute was not solved in time by %s", dispute.owner_id.name),
                user_id=dispute._get_manager().id,
            )
        late.is_escalated = True
        return late
