import logging
from collections import Counter

from odoo import api, models
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL, split_every

from ..plan.collection_plan import PLANNING_BATCH_SIZE

_logger = logging.getLogger(__name__)


class CollectionPlan(models.Model):
    """The daily planning of what plans ask for."""

    _inherit = "collection.plan"

    # === BUSINESS METHODS - WHICH PLAN === #

    def _check_filters(self):
        """Record on plans whose conditions can't be read any more what is wrong; notify their managers once."""
        for plan in self:
            problem = False
            try:
                with self.env.cr.savepoint():
                    self.env["collection.debtor"].sudo().search_count(plan._get_domain(), limit=1)
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                raise
            except Exception as error:
                problem = str(error) or type(error).__name__
            if problem == plan.filter_problem or not (problem or plan.filter_problem):
                continue
            plan.sudo().filter_problem = problem
            if problem:
                plan._notify_filter_problem(problem)

    def _notify_filter_problem(self, problem):
        """Notify the managers of the follow-up that a plan applies to nobody any more."""
        self.ensure_one()
        managers = (
            self.env.ref("account_collection.group_collection_manager")
            .sudo()
            .all_user_ids.filtered(
                lambda user: user.active and user._is_internal() and self.company_id in user.company_ids
            )
        )
        self.sudo().message_post(
            body=self.env._(
                "The conditions of “%(plan)s” can't be read, and it applies to nobody until they are corrected: "
                "%(error)s",
                plan=self.name,
                error=problem,
            ),
            partner_ids=managers.partner_id.ids,
        )

    # === BUSINESS METHODS - PLAN === #

    @api.model
    def _plan_company(self, company):
        """Record the actions that are due today for all debtors of a company, in one transaction.

        :return: the actions.
        """
        actions = self.env["collection.action"].sudo()
        for batch_ids in split_every(PLANNING_BATCH_SIZE, self._begin_planning(company)):
            actions |= self._plan_isolated(self.env["collection.debtor"].sudo().browse(batch_ids))
        return actions

    @api.model
    def _begin_planning(self, company):
        """Check the conditions of a company's plans, and return the ids of the debtors to decide on.

        In the order of scores, so that the best ones of all begin first where only some old debts may begin.
        """
        self.sudo().search([("company_id", "=", company.id)])._check_filters()
        debtors = self.env["collection.debtor"].sudo()
        return list(debtors._search(self._get_due_debtor_domain(company), order="score DESC, id").get_result_ids())

    def _plan_next(self):
        """Record the actions that are due today for the next debtors of a company, best score first.

        Who is still to be decided on stands on one of the plans and moves in the same transaction as the actions: a
        worker that is killed loses its batch alone, and the next one goes on there. Deciding twice would do no harm
        either: an action is unique per debtor, step and cycle. What goes wrong with one debtor is logged and stops
        nobody else.

        The rows of these plans, all that are switched on in one company, are locked.

        :return: how many debtors are left for today, 0 when it is done.
        """
        company = self.company_id
        today = str(company._collection_today())
        keeper = self.filtered(lambda plan: (plan.undecided or {}).get("day") == today)[:1] or self[:1]
        progress = keeper.undecided or {}
        ids = progress["debtor_ids"] if progress.get("day") == today else self._begin_planning(company)
        # Some may have been merged or deleted since.
        debtors = self.env["collection.debtor"].sudo().browse(ids[:PLANNING_BATCH_SIZE]).exists()
        known = keeper.decided or {}
        silent = Counter(known["silent"] if known.get("day") == today and progress.get("day") == today else {})
        self.with_context(collection_silent=silent)._plan_isolated(debtors)
        left = ids[PLANNING_BATCH_SIZE:]
        self.write({"undecided": False, **({} if left else {"planned_on": today})})
        (self - keeper).decided = False
        keeper.decided = {"day": today, "silent": dict(silent)}
        if left:
            keeper.undecided = {"day": today, "debtor_ids": left}
        return len(left)

    @api.model
    def _plan_isolated(self, debtors):
        """Plan for some debtors of a company; if that fails, for each half, so that the others are planned.

        :return: the actions.
        """
        try:
            with self.env.cr.savepoint():
                return self._plan_debtors(debtors)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception:
            if len(debtors) == 1:
                _logger.exception("Nothing could be planned for debtor %s (%s).", debtors.id, debtors.display_name)
                return self.env["collection.action"].sudo()
        middle = len(debtors) // 2
        return self._plan_isolated(debtors[:middle]) | self._plan_isolated(debtors[middle:])

    @api.model
    def _plan_debtors(self, debtors):
        """Record the actions that are due today for some debtors of one company.

        :return: the actions.
        """
        if not debtors:
            return self.env["collection.action"].sudo()
        today = debtors.company_id._collection_today()
        decisions = self._decide(debtors, today)
        due = [(debtor, decision) for debtor, decision in decisions.items() if decision.is_due]
        due = self._limit_old_debts(self._exclude_said(due), today)
        actions = (
            self.env["collection.action"]
            .sudo()
            .create([self._prepare_action(debtor, decision) for debtor, decision in due])
        )
        actions._skip_calls_of_providers()
        silent = self.env.context.get("collection_silent")
        if isinstance(silent, Counter):
            silent.update(decision.reason for decision in decisions.values() if not decision.is_due)
        return actions

    @api.model
    def _get_due_debtor_domain(self, company):
        """Return the domain of the debtors of a company for whom a step may come: who owes something."""
        return Domain("company_id", "=", company.id) & Domain("due_amount", ">", 0)

    @api.model
    def _exclude_said(self, due):
        """Exclude steps that were said about the same item already: a step that moved in its plan is not repeated.

        :param due: list of ``(debtor, decision)``, all due.
        """
        said = set(
            self.env.execute_query(
                SQL(
                    """
                    SELECT debtor_id, step_id, cycle
                      FROM collection_action
                     WHERE debtor_id = ANY(%s) AND step_id IS NOT NULL AND state IN ('planned', 'done')
                    """,
                    [debtor.id for debtor, _decision in due],
                )
            )
        )
        return [
            (debtor, decision)
            for debtor, decision in due
            if (debtor.id, decision.step.id, decision.item_id) not in said
        ]

    @api.model
    def _limit_old_debts(self, due, date):
        """Keep, of the first words about old debts, as many as may go today: best score first.

        :param due: list of ``(debtor, decision)``, all due.
        :return: the list without those that wait for their turn.
        """
        kept, waiting = [], {}
        for debtor, decision in due:
            if decision.is_old and decision.plan.old_debts_per_day:
                waiting.setdefault(decision.plan, []).append((debtor, decision))
            else:
                kept.append((debtor, decision))
        for plan, pairs in waiting.items():
            pairs.sort(key=lambda pair: (-pair[0].score, pair[0].id))
            kept += pairs[: plan._get_old_debts_left(date)]
        return kept

    def _get_old_debts_left(self, date):
        """Return how many old debts may still be begun on a day."""
        self.ensure_one()
        begun = (
            self.env["collection.action"]
            .sudo()
            .search_count(
                [
                    ("plan_id", "=", self.id),
                    ("is_old_debt", "=", True),
                    ("planned_on", "=", date),
                    ("state", "!=", "cancelled"),
                ]
            )
        )
        return max(self.old_debts_per_day - begun, 0)

    @api.model
    def _prepare_action(self, debtor, decision):
        """Return the values of the action that carries a decision out."""
        step = decision.step
        return {
            "debtor_id": debtor.id,
            "case_id": debtor._get_plan_case().id,
            "plan_id": decision.plan.id,
            "step_id": step.id,
            "cycle": decision.item_id,
            "channel": self.env["collection.channel"]._get_known(step.channel),
            "summary": step.name,
            "date_planned": decision.day,
            "planned_on": debtor.company_id._collection_today(),
            "is_old_debt": decision.is_old,
            "needs_confirmation": not step.is_automatic and step._get_channel()._is_automatic(debtor.company_id),
            "user_id": (debtor.collector_id or decision.plan.user_id or self.env.user).id,
            "amount": debtor.claimable_amount,
        }

    # === SCHEDULED ACTIONS === #

    @api.model
    def _cron_plan_and_deliver(self):
        """See ``collection.run``."""
        self.env["collection.run"]._cron_plan_and_deliver()

    @api.model
    def _get_companies_to_plan(self):
        """Return the companies for which nothing was decided today, see ``collection.run``."""
        return self.env["collection.run"]._get_companies_to_plan()
