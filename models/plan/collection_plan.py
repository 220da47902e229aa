import logging

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from .decision import DecisionContext

_logger = logging.getLogger(__name__)

# Customers that are decided on at once, and whose actions are recorded at once.
PLANNING_BATCH_SIZE = 2_000


class CollectionPlan(models.Model):
    """Ordered steps that a careful colleague would take, and the one function that says which comes next."""

    _name = "collection.plan"
    _description = "Follow-up Plan"
    _inherit = ["collection.reach.mixin", "collection.fact.mixin", "collection.filter.mixin", "mail.thread"]
    _fields_of_system = frozenset({"is_running", "started_on", "planned_on", "undecided", "decided", "filter_problem"})
    _order = "sequence, id"
    _filters = {"debtor_domain": "collection.debtor"}
    # Which plan applies follows from the conditions of all plans.
    _filter_results = {"collection.debtor": {"plan_used_id"}}
    _check_company_auto = True

    name = fields.Char(required=True, translate=True, tracking=True)
    sequence = fields.Integer(default=10, help="The first plan whose conditions a customer meets applies.")
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", required=True, index=True, default=lambda self: self.env.company)
    currency_id = fields.Many2one(related="company_id.currency_id")
    description = fields.Text(translate=True, help="For whom this plan is, in words.")
    debtor_domain = fields.Char(
        string="For Customers who",
        default="[]",
        tracking=True,
        help="Profile, size, amounts, country, tags, language … of the follow-up file. Empty: everybody.",
    )
    filter_problem = fields.Char(
        readonly=True,
        copy=False,
        help="Why the conditions can't be read any more: the plan applies to nobody whose plan is not set by hand.",
    )
    gap_days = fields.Integer(
        string="Days between two Steps",
        default=5,
        tracking=True,
        help="Least calendar days between two contacts with a customer, whatever the steps say.",
    )
    step_ids = fields.One2many("collection.plan.step", "plan_id", string="Steps", copy=True)
    user_id = fields.Many2one(
        "res.users",
        check_company=True,
        string="Calls and Tasks go to",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        help="Whoever does what people must do, when the customer has no collector.",
    )

    # == Switched on ==
    is_running = fields.Boolean(
        string="Switched on", readonly=True, copy=False, tracking=True, help="Customers are contacted by themselves."
    )
    started_on = fields.Date(readonly=True, copy=False)
    planned_on = fields.Date(
        string="Decided on", readonly=True, copy=False, help="The last day on which it was decided who is contacted."
    )
    undecided = fields.Json(
        readonly=True,
        copy=False,
        prefetch=False,
        help="While it is decided who is contacted: the day, and the customers who are still to be decided on.",
    )
    decided = fields.Json(
        readonly=True,
        copy=False,
        prefetch=False,
        help="When it was decided who is contacted: the day, and how many customers were not, by reason.",
    )
    old_debt_step_id = fields.Many2one(
        "collection.plan.step",
        check_company=True,
        string="Old Debts begin at",
        domain="[('plan_id', '=', id)]",
        copy=False,
        help="Debts that are older than the plan's start begin at the step of their age, but at none above this one. "
        "Empty: at the first step.",
    )
    old_debts_per_day = fields.Integer(
        default=20,
        help="How many customers with old debts are contacted for the first time on one day, best score first. "
        "0: no limit.",
    )
    run_state = fields.Char(string="Status", compute="_compute_run_state")
    step_summary = fields.Char(string="Days", compute="_compute_step_summary")
    debtor_count = fields.Integer(string="Customers", compute="_compute_debtor_count")

    _gap_positive = models.Constraint("CHECK(gap_days >= 0)", "The days between two steps can't be negative.")
    _old_debts_positive = models.Constraint(
        "CHECK(old_debts_per_day >= 0)", "The number of old debts can't be negative."
    )

    # === COMPUTE METHODS === #

    @api.depends("is_running")
    def _compute_run_state(self):
        for plan in self:
            plan.run_state = self.env._("Switched on") if plan.is_running else self.env._("Switched off")

    @api.depends("step_ids.delay")
    def _compute_step_summary(self):
        for plan in self:
            plan.step_summary = " · ".join(step._get_day_label() for step in plan.step_ids.sorted("delay"))

    def _compute_debtor_count(self):
        for company in self.company_id:
            plans = self._get_plan_ids(company)
            counts = {}
            for plan_id in plans.values():
                counts[plan_id] = counts.get(plan_id, 0) + 1
            for plan in self.filtered(lambda plan, company=company: plan.company_id == company):
                plan.debtor_count = counts.get(plan.id, 0)
        (self - self.filtered("company_id")).debtor_count = 0

    # === CONSTRAINT METHODS === #

    @api.constrains("is_running", "step_ids")
    def _check_steps(self):
        for plan in self:
            if plan.is_running and not plan.step_ids:
                raise ValidationError(self.env._("“%s” has no step: add at least one.", plan.name))

    @api.constrains("company_id")
    def _check_company_of_use(self):
        """What was said under a plan, and whose plan it is by hand, stays in its company."""
        for plan in self:
            used = [("plan_id", "=", plan.id), ("company_id", "!=", plan.company_id.id)]
            for model in ("collection.action", "collection.debtor"):
                if self.env[model].sudo().with_context(active_test=False).search_count(used, limit=1):
                    raise ValidationError(
                        self.env._("“%s” is used in its company: make a copy for another one.", plan.name)
                    )

    # === CRUD METHODS === #

    def write(self, vals):
        result = super().write(vals)
        if "debtor_domain" in vals:
            self.sudo().filter_problem = False  # it was checked
        return result

    # EXTENDS collection.fact.mixin
    @api.model
    def _get_fact_refusal(self, name):
        if name in ("is_running", "started_on", "planned_on", "undecided", "decided"):
            return self.env._("Use the buttons to switch a plan on or off: they show what happens first.")
        return super()._get_fact_refusal(name)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        if self.env["collection.action"].sudo().search_count([("plan_id", "in", self.ids)], limit=1):
            raise UserError(self.env._("Customers were contacted under this plan: archive it instead."))

    def copy_data(self, default=None):
        return [
            {**vals, "name": self.env._("%s (copy)", plan.name)}
            for plan, vals in zip(self, super().copy_data(default=default), strict=True)
        ]

    # === ACTION METHODS === #

    def action_start(self):
        """Open the dialogue that shows what happens when this plan is switched on."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Switch on: %s", self.name),
            "res_model": "collection.plan.start",
            "view_mode": "form",
            "target": "new",
            "context": {"default_plan_id": self.id},
        }

    def action_stop(self):
        """Switch plans off: what is planned is cancelled, and nothing new is planned."""
        self.check_access("write")
        self.sudo().write({"is_running": False})
        planned = self.env["collection.action"].search([("plan_id", "in", self.ids), ("state", "=", "planned")])
        planned._set_state("cancelled", result_text=self.env._("The plan was switched off."), cancel_code="plan_off")

    def action_simulate(self):
        """Show who gets what in the next 30 days under these plans."""
        return self.env["collection.plan.simulation"]._open_result(self)

    def action_try_changes(self):
        """Open copies of the steps, to see what changes of them would do to the next 30 days."""
        self.ensure_one()
        simulation = self.env["collection.plan.simulation"]._create_simulation(self, with_steps=True)
        return simulation._get_form_action()

    def action_preview(self):
        """Show the steps of this plan as a customer will see them."""
        self.ensure_one()
        return self.step_ids.sorted("delay")[:1].action_preview()

    def action_view_debtors(self):
        """Open the customers to whom this plan applies."""
        self.ensure_one()
        ids = [debtor_id for debtor_id, plan_id in self._get_plan_ids(self.company_id).items() if plan_id == self.id]
        return {
            **self.env["ir.actions.actions"]._for_xml_id("account_collection.collection_debtor_action"),
            "domain": [("id", "in", ids)],
            "context": {},
        }

    def action_view_actions(self):
        """Open what was done and is planned under this plan."""
        return {
            **self.env["ir.actions.actions"]._for_xml_id("account_collection.collection_action_action"),
            "domain": [("plan_id", "in", self.ids)],
        }

    # === BUSINESS METHODS - WHICH PLAN === #

    def _get_domain(self):
        """Return the domain of the debtors to whom this plan applies, before those that come first."""
        self.ensure_one()
        return self._get_filter("debtor_domain")

    @api.model
    def _get_plan_ids(self, company, debtor_ids=None):
        """Return which plan applies to which debtor of a company: set by hand, else the first that fits.

        One query per plan, whatever the number of debtors. A plan whose conditions can't be read any more, because
        they name a field of an addon that was uninstalled, applies to nobody and stops no other plan.

        :param debtor_ids: limits the debtors; all when ``None``.
        :return: ``{debtor id: plan id}``; debtors to whom no plan applies are left out.
        """
        Debtor = self.env["collection.debtor"].sudo().with_context(active_test=True)
        scope = Domain("company_id", "=", company.id)
        if debtor_ids is not None:
            scope &= Domain("id", "in", list(debtor_ids))
        plans = self.sudo().search([("company_id", "=", company.id)])
        chosen = {}
        for plan in plans:
            for debtor_id in plan._find_debtor_ids(Debtor, scope):
                chosen.setdefault(debtor_id, plan.id)
        by_hand = Debtor.search_fetch(scope & Domain("plan_id", "in", plans.ids), ["plan_id"])
        return chosen | {debtor.id: debtor.plan_id.id for debtor in by_hand}

    def _find_debtor_ids(self, Debtor, scope):
        """Return the ids of the debtors in a domain to whom this plan applies; nobody when its conditions are broken.

        :param Debtor: the model of debtors with the rights to search with.
        """
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                return Debtor._search(scope & self._get_domain()).get_result_ids()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:
            _logger.warning(
                "The conditions of the follow-up plan %s (%s) can't be read, it applies to nobody: %s",
                self.id,
                self.name,
                error,
            )
            return ()

    def _get_cadence(self):
        """Return the steps of this plan, in order, as the plain computation of decisions knows them."""
        return tuple(step._to_cadence() for step in self.step_ids.sorted("delay"))

    # === BUSINESS METHODS - DECIDE === #

    @api.model
    def _decide(self, debtors, date, as_if_running=False, ignored_actions=None):
        """Return the next step of each of these debtors, judged on ``date``, or why there is none.

        The one decision code: the scheduled run, the simulation and the answer to “why did / didn't this
        customer get a reminder?” call it. Set-based: the number of queries depends on the companies and their
        plans, not on the debtors.

        :param debtors: ``collection.debtor`` records, of any companies. Their facts are taken as they stand.
        :param date: a day on the companies' own clock, today or later.
        :param bool as_if_running: whether plans that are not switched on count as switched on.
        :param ignored_actions: planned actions to take as if they were not there.
        :return: ``{debtor: Decision}``.
        """
        debtors.flush_recordset(["company_id"])
        # Not through the records: they would be read with all their fields.
        ids_by_company = self.env.execute_query(
            SQL(
                "SELECT company_id, array_agg(id) FROM collection_debtor WHERE id = ANY(%s) GROUP BY company_id",
                debtors.ids,
            )
        )
        decisions = {}
        for company_id, debtor_ids in ids_by_company:
            company = self.env["res.company"].sudo().browse(company_id)
            facts = self._get_decision_context(
                company, debtors.browse(debtor_ids), date, as_if_running, ignored_actions
            )
            decisions |= {debtor_id: facts.decide(debtor_id, date) for debtor_id in debtor_ids}
        return {debtor: decisions[debtor.id] for debtor in debtors}

    @api.model
    def _get_decision_context(self, company, debtors, date, as_if_running=False, ignored_actions=None, changes=None):
        """Return everything that the decisions on these debtors of one company need, read at once.

        :param changes: ``{plan id: PlanChange}``, for what would happen if plans were different.
        :return: a ``DecisionContext``.
        """
        return DecisionContext(
            self.sudo().with_company(company), company, debtors, date, as_if_running, ignored_actions, changes
        )

    # === BUSINESS METHODS - START === #

    def _start(self, old_debt_step=None, old_debts_per_day=0):
        """Switch a plan on.

        :param old_debt_step: highest step at which debts older than today begin.
        :param int old_debts_per_day: how many of them are begun per day, 0 for no limit.
        """
        self.check_access("write")
        for plan in self:
            plan.sudo().write(
                {
                    "is_running": True,
                    "started_on": plan.started_on or plan.company_id._collection_today(),
                    "old_debt_step_id": old_debt_step.id if old_debt_step else False,
                    "old_debts_per_day": old_debts_per_day,
                    "planned_on": False,
                }
            )
        # What was decided today was decided without these plans.
        self.sudo().search([("company_id", "in", self.company_id.ids)]).filtered("undecided").undecided = False
        self.env.ref("account_collection.cron_plan_and_deliver").sudo()._trigger()

    @api.model
    def _ensure_plans(self, companies):
        """Create the shipped plans, switched off, in companies that have none."""
        shipped = self._get_shipped_plans()
        with_plans = (
            self.sudo().with_context(active_test=False).search([("company_id", "in", companies.ids)]).company_id
        )
        for company in companies - with_plans:
            for plan in shipped:
                copied = plan.copy({"company_id": company.id, "user_id": False})
                copied.with_context(lang=None).name = plan.with_context(lang=None).name

    @api.model
    def _get_shipped_plans(self):
        """Return the plans that came with the addon and were not deleted, in their order."""
        plans = (
            self.env.ref(f"account_collection.plan_{name}", raise_if_not_found=False)
            for name in ("key_accounts", "strict", "small", "standard")
        )
        return self.sudo().union(*(plan for plan in plans if plan))

    @api.model
    def _share_translations(self):
        """Copy the translations of the shipped plans to their copies, where the text wasn't changed.

        Odoo translates what the addon brought along by its external id, which copies don't have.
        """
        shipped = self._get_shipped_plans()
        if not shipped:
            return
        self.env.flush_all()
        for table, plan_column, fields_of_words in (
            ("collection_plan", "id", ("name", "description")),
            ("collection_plan_step", "plan_id", ("name", "script")),
        ):
            for field in fields_of_words:
                self.env.cr.execute(
                    SQL(
                        """
                        UPDATE %(table)s AS copied
                           SET %(field)s = original.%(field)s || copied.%(field)s
                          FROM %(table)s original
                         WHERE original.%(plan)s IN %(shipped)s
                           AND copied.%(plan)s NOT IN %(shipped)s
                           AND copied.%(field)s->>'en_US' = original.%(field)s->>'en_US'
                        """,
                        table=SQL.identifier(table),
                        plan=SQL.identifier(plan_column),
                        field=SQL.identifier(field),
                        shipped=tuple(shipped.ids),
                    )
                )
        self.invalidate_model(["name", "description"])
        self.env["collection.plan.step"].invalidate_model(["name", "script"])
