from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL, format_amount


class CollectionCase(models.Model):
    """Settling cases: amounts, and the state that follows from facts."""

    _inherit = "collection.case"

    # === BUSINESS METHODS - SETTLE === #

    @api.model
    def _settle(self, date, company, partners=None):
        """Update cases from the facts: amounts by SQL for all, states for those that differ.

        :param date: the day on which one judges.
        :param company: one company.
        :param partners: commercial partners; all when ``None``.
        """
        self = self.sudo()  # noqa: PLW0642 - facts don't depend on who looks
        self.env["collection.case.item"]._update(company, partners)
        self._update_amounts(company, partners)
        scope = Domain("company_id", "=", company.id) & Domain("campaign_id.state", "=", "running")
        if partners is not None:
            scope &= Domain("partner_id", "in", partners.ids)
        self._settle_payments(scope)
        self._settle_answers(scope, date, company)

    @api.model
    def _update_amounts(self, company, partners=None):
        """Write what the cases of running campaigns amount to now, from their items and their debtor. One statement."""
        self.env.cr.execute(
            SQL(
                """
                UPDATE collection_case AS target
                   SET (collected_amount, credited_amount, other_amount, residual_amount, promised_amount,
                        disputed_amount, claimable_amount, oldest_due_date, score, grade)
                       = (source.collected, source.credited, source.other, source.residual, source.promised,
                          source.disputed, source.claimable_amount, source.oldest_due_date, source.score, source.grade)
                  FROM (
                    SELECT collection_case.id, debtor.claimable_amount, debtor.oldest_due_date,
                           debtor.score, debtor.grade,
                           COALESCE(SUM(item.collected_amount), 0) AS collected,
                           COALESCE(SUM(item.credited_amount), 0) AS credited,
                           COALESCE(SUM(item.other_amount), 0) AS other,
                           COALESCE(SUM(item.residual), 0) AS residual,
                           COALESCE(SUM(item.promised_amount), 0) AS promised,
                           COALESCE(SUM(item.disputed_amount), 0) AS disputed
                      FROM collection_case
                      JOIN collection_campaign campaign ON campaign.id = collection_case.campaign_id
                      JOIN collection_debtor debtor ON debtor.id = collection_case.debtor_id
                 LEFT JOIN collection_case_item item ON item.case_id = collection_case.id
                     WHERE campaign.state = 'running' AND campaign.company_id = %(company)s %(partner_filter)s
                  GROUP BY collection_case.id, debtor.id
                  ) source
                 WHERE target.id = source.id
                   AND (target.collected_amount, target.credited_amount, target.other_amount, target.residual_amount,
                        target.promised_amount, target.disputed_amount, target.claimable_amount,
                        target.oldest_due_date, target.score, target.grade)
                       IS DISTINCT FROM
                       (source.collected, source.credited, source.other, source.residual, source.promised,
                        source.disputed, source.claimable_amount, source.oldest_due_date, source.score, source.grade)
                """,
                company=company.id,
                partner_filter=(
                    SQL() if partners is None else SQL("AND collection_case.partner_id = ANY(%s)", partners.ids)
                ),
            )
        )
        self.invalidate_model()
        self.env["collection.campaign"].invalidate_model(flush=False)

    @api.model
    def _settle_payments(self, scope):
        """Close the cases whose debt is paid; open those again of which something is owed again."""
        settled = self.search(
            scope
            & Domain("residual_amount", "=", 0)
            & (Domain("state", "!=", "closed") | Domain("result", "not in", ("paid", "credited")))
        )
        paid = settled.filtered(lambda case: not case.currency_id.is_zero(case.collected_amount))
        for result, cases in (("paid", paid), ("credited", settled - paid)):
            cases.filtered(lambda case: case.state != "closed")._close(result)
            # A payment or credit note overrides the result that a collector chose (refused, unreachable).
            cases.filtered(lambda case, result=result: case.result != result).result = result
        for case in self.search(
            scope
            & Domain("state", "=", "closed")
            & Domain("result", "in", ("paid", "credited"))
            & Domain("residual_amount", "!=", 0)
        ):
            case._set_state("to_contact", result=False)
            case.debtor_id.message_post(
                body=self.env._(
                    "%s is owed again: the case is open again.",
                    format_amount(self.env, case.residual_amount, case.currency_id),
                )
            )

    @api.model
    def _settle_answers(self, scope, date, company):
        """Move open cases to the column that their promises, disputes and planned calls put them in.

        A promise or a dispute about a part hides nothing: as long as something else can be claimed, the case
        waits for its next call.
        """
        live = scope & Domain("state", "not in", ("closed", "escalated"))
        due = Domain("state", "=", "waiting") & Domain("next_action_date", "<=", date)
        self.search(live & due)._set_state("to_contact")
        # How much can be claimed is not known while an invoice is being corrected.
        live &= Domain("partner_id", "not in", self.env["collection.suspended.item"]._get_customers(company).ids)
        promised = Domain("debtor_id.promise_ids", "any", [("state", "=", "open")])
        disputed = Domain("debtor_id.dispute_ids", "any", self.env["collection.dispute"]._get_withholding_domain())
        disputed &= ~promised
        whole = Domain("claimable_amount", "<=", 0)
        self.search(live & promised & whole & Domain("state", "!=", "promised"))._set_state("promised")
        self.search(live & disputed & whole & Domain("state", "!=", "disputed"))._set_state("disputed")
        answered = Domain("state", "in", ("promised", "disputed")) & ~(whole & (promised | disputed))
        planned = Domain("next_action_date", ">", date)
        self.search(live & answered & planned)._set_state("waiting")
        self.search(live & answered & ~planned)._set_state("to_contact")
