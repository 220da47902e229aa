from collections import Counter

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools.misc import format_amount, format_date

from ...models.plan.decision import PlanChange
from ...models.plan.forecast import Forecast

# Working days of which one sees how many messages go out.
FIRST_DAYS = 5
# Calendar days that are looked at to find them.
HORIZON = 12


class CollectionPlanStart(models.TransientModel):
    """Shows what happens when a plan is switched on, then switches it on. Nothing is written before."""

    _name = "collection.plan.start"
    _description = "Switch a Plan on"
    _inherit = "collection.dialogue.mixin"

    plan_id = fields.Many2one("collection.plan", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="plan_id.company_id")
    old_debt_step_id = fields.Many2one(
        "collection.plan.step",
        string="Old Debts begin at most at",
        compute="_compute_old_debt_step_id",
        compute_sudo=False,
        store=True,
        readonly=False,
        domain="[('plan_id', '=', plan_id)]",
        ondelete="cascade",
        help="Debts that are overdue today begin at the step of their age, but at none above this one. "
        "Empty: all begin at the first step.",
    )
    old_debts_per_day = fields.Integer(
        compute="_compute_old_debts_per_day",
        compute_sudo=False,
        store=True,
        readonly=False,
        help="How many customers with old debts are contacted for the first time on one day, best score first. "
        "0: all at once.",
    )
    preview = fields.Html(compute="_compute_preview", sanitize=False)
    warnings = fields.Html(compute="_compute_warnings", sanitize=False)

    # === COMPUTE METHODS === #

    @api.depends("plan_id")
    def _compute_old_debt_step_id(self):
        for start in self:
            steps = start.plan_id.step_ids.sorted("delay").filtered(lambda step: step.delay > 0)
            neutral = steps.filtered(lambda step: step.tone in ("courtesy", "neutral"))
            # A friendly word first, even about what is old.
            start.old_debt_step_id = start.plan_id.old_debt_step_id or neutral[-1:] or steps[:1]

    @api.depends("plan_id")
    def _compute_old_debts_per_day(self):
        for start in self:
            start.old_debts_per_day = start.plan_id.old_debts_per_day

    @api.depends("plan_id", "old_debt_step_id", "old_debts_per_day")
    def _compute_preview(self):
        for start in self:
            start.preview = (
                self.env["ir.qweb"]._render("account_collection.plan_start_preview", start._get_preview())
                if start.plan_id and start.old_debts_per_day >= 0
                else False
            )

    @api.depends("plan_id")
    def _compute_warnings(self):
        for start in self:
            warnings = start._get_warnings() if start.plan_id else []
            start.warnings = warnings and self.env["ir.qweb"]._render(
                "account_collection.plan_start_warnings", {"warnings": warnings}
            )

    # === ACTION METHODS === #

    def action_confirm(self):
        """Switch the plan on."""
        self.ensure_one()
        self = self._without_defaults()  # noqa: PLW0642
        if self.old_debts_per_day < 0:
            raise UserError(self.env._("The number of old debts can't be negative."))
        if self.plan_id.is_running:
            raise UserError(self.env._("“%s” is switched on already.", self.plan_id.name))
        self.plan_id._start(self.old_debt_step_id, self.old_debts_per_day)
        return {"type": "ir.actions.act_window_close"}

    def action_simulate(self):
        """Show the next 30 days as if the plan were switched on."""
        return self.plan_id.action_simulate()

    # === BUSINESS METHODS === #

    def _get_debtors(self):
        """Return the customers to whom the plan applies and who owe something."""
        Plan = self.env["collection.plan"].sudo()
        plan_ids = Plan._get_plan_ids(self.company_id)
        ids = [debtor_id for debtor_id, plan_id in plan_ids.items() if plan_id == self.plan_id._origin.id]
        return (
            self.env["collection.debtor"]
            .sudo()
            .search_fetch(Plan._get_due_debtor_domain(self.company_id) & Domain("id", "in", ids), ["score"])
        )

    def _get_preview(self):
        """Return what would happen, for the template: by step, on the first days, and to whom nothing."""
        plan, company = self.plan_id._origin, self.company_id
        plan.check_access("read")
        today = company._collection_today()
        debtors = self._get_debtors()
        change = PlanChange(old_debt_delay=self.old_debt_step_id.delay if self.old_debt_step_id else None)
        facts = self.env["collection.plan"]._get_decision_context(
            company, debtors, today, as_if_running=True, changes={plan.id: change}
        )
        begins = self._get_begins(facts, debtors, today)
        forecast = Forecast(
            facts,
            today,
            HORIZON,
            scores={debtor.id: debtor.score for debtor in debtors},
            limits={plan.id: self.old_debts_per_day},
        ).run()
        reasons = Counter(
            decision.reason for decision in forecast.reasons.values() if not decision.is_due and not decision.is_waiting
        )
        return {
            "plan": plan,
            "begins": begins,
            "days": self._get_days(forecast.contacts),
            "pace": self._get_pace(sum(row["old"] for row in begins)),
            "customer_count": len(debtors),
            "reasons": [
                (self.env["collection.plan"]._get_reason_label(reason), count)
                for reason, count in reasons.most_common()
            ],
        }

    def _get_begins(self, facts, debtors, today):
        """Return at which step how many customers begin, in the order of the steps."""
        rows = {}
        for debtor in debtors:
            decision = facts.decide(debtor.id, today)
            if not decision.step:
                continue
            row = rows.setdefault(decision.step, {"count": 0, "amount": 0.0, "old": 0, "today": 0})
            row["count"] += 1
            row["amount"] += facts.claimable(
                debtor.id, max(decision.day or today, today), 1 - decision.delay if decision.delay < 0 else 0
            )
            row["old"] += decision.is_old
            row["today"] += decision.is_due
        return [
            {
                **row,
                "step": step.with_env(self.env),
                "icon": step._get_channel_icon(step.channel),
                "amount": format_amount(self.env, row["amount"], self.company_id.currency_id),
            }
            for step, row in sorted(rows.items(), key=lambda pair: pair[0].delay)
        ]

    def _get_pace(self, count):
        """Return in words how long it takes until all old debts are begun.

        :param int count: customers with old debts.
        """
        per_day = self.old_debts_per_day
        if not count:
            return False
        if not per_day:
            return self.env._("Customers with old debts, all contacted at once: %s.", count)
        return self.env._(
            "Customers with old debts: %(count)s. With %(per_day)s per day at most, working days until all are begun: "
            "%(days)s.",
            per_day=per_day,
            days=-(-count // per_day),
            count=count,
        )

    def _get_days(self, contacts):
        """Return the contacts of the first working days, by day and channel."""
        labels = self.env["collection.action"]._get_channel_labels()
        days = {}
        for contact in contacts:
            days.setdefault(contact.day, Counter())[contact.channel] += 1
        return [
            (
                format_date(self.env, day, date_format="EEEE d MMMM"),
                sum(channels.values()),
                ", ".join(
                    self.env._("%(name)s: %(text)s", name=labels[channel], text=count)
                    for channel, count in channels.most_common()
                ),
            )
            for day, channels in sorted(days.items())[:FIRST_DAYS]
        ]

    def _get_warnings(self):
        """Return in words what one should see to before."""
        plan, company = self.plan_id._origin, self.company_id.sudo()
        plan.check_access("read")
        steps = plan.step_ids
        debtors = self._get_debtors()
        warnings = []
        stale = self.env["account.journal"]._get_collection_stale_journal(company)
        if stale:
            warnings.append(
                self.env._(
                    "“%(journal)s” has no entry since %(date)s: nobody is contacted until it is up to date.",
                    journal=stale["journal"],
                    date=format_date(self.env, stale["date"]),
                )
            )
        if not company.collection_email and not company.email:
            warnings.append(self.env._("The company has no e-mail address: write a sender in the settings."))
        Channel = self.env["collection.channel"]
        warnings += [Channel._describe_lack(code) for code in Channel._get_lacks(company, steps)]
        if "email" in steps.mapped("channel"):
            without = len(debtors.filtered_domain([("has_email", "=", False)]))
            if without:
                warnings.append(
                    self.env._(
                        "Customers without an e-mail address: %s. What the steps say instead happens, "
                        "for example a call.",
                        without,
                    )
                )
        for step in steps:
            if not step._get_channel()._has_words(step):
                warnings.append(self.env._("“%s” has nothing to say: choose a text.", step.display_name))
        by_people = steps.filtered(lambda step: not step.is_automatic or step.is_for_people)
        nobody = len(debtors.filtered_domain([("collector_id", "=", False)])) if by_people and not plan.user_id else 0
        if nobody:
            warnings.append(
                self.env._(
                    "Customers without a collector: %s. Choose on the plan to whom calls and tasks about them go, "
                    "or give them a collector.",
                    nobody,
                )
            )
        return warnings
