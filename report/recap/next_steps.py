from collections import defaultdict
from dataclasses import replace

from odoo import models
from odoo.tools import format_date


class CollectionRecap(models.AbstractModel):
    """What to do next, customer by customer, in words."""

    _inherit = "collection.recap"

    # === BUSINESS METHODS - WHAT TO DO NEXT === #

    def _with_next_steps(self, cases, promises, disputes):
        """Return the cases, each with what to do next in words."""
        promises_by_case, disputes_by_case = defaultdict(list), defaultdict(list)
        for promise in promises:
            promises_by_case[promise.case_id].append(promise)
        for dispute in disputes:
            disputes_by_case[dispute.case_id].append(dispute)
        return tuple(
            replace(
                case,
                next_step=" ".join(
                    self._get_next_steps(case, promises_by_case[case.case_id], disputes_by_case[case.case_id])
                ),
            )
            for case in cases
        )

    def _get_next_steps(self, case, promises, disputes):
        """Return what to do next for one customer, as sentences. Extend it for other ways of working.

        :param case: ``CaseRow``.
        :param promises: its ``PromiseRow``.
        :param disputes: its ``DisputeRow``.
        """
        steps = []
        for dispute in disputes:
            if dispute.open_amount and dispute.state == "accepted":
                steps.append(self.env._("Credit what was accepted: %s.", dispute.reason))
            elif dispute.open_amount:
                steps.append(
                    self.env._(
                        "Solve by %(date)s: %(reason)s (%(owner)s).",
                        date=format_date(self.env, dispute.deadline),
                        reason=dispute.reason,
                        owner=dispute.owner,
                    )
                )
        for promise in promises:
            if promise.open_amount:
                steps.append(
                    self.env._(
                        "Expect the money on %(date)s (%(method)s).",
                        date=format_date(self.env, promise.date),
                        method=promise.method_label,
                    )
                )
        if case.amounts.rest > 0:
            steps.append(self._get_next_contact(case, promises))
        return steps

    def _get_next_contact(self, case, promises):
        """Return the next step for what is neither promised nor disputed."""
        if case.outcome == "escalated":
            return self.env._("The manager decides.")
        if case.outcome == "refused":
            return self.env._("Decide on a formal notice or on handing the debt over.")
        if case.outcome == "handed_over":
            return self.env._("Take the results back: %s.", case.result_note)
        if case.outcome == "unreachable":
            return self.env._("Find another number or contact, and write a letter.")
        if any(promise.state == "broken" for promise in promises):
            return self.env._("Call: a promise was not kept.")
        if not case.attempt_count:
            return self.env._("Contact for the first time.")
        if not case.is_reached:
            return self.env._("Call again: the right person was not reached.")
        return self.env._("Ask for a date of payment.")
