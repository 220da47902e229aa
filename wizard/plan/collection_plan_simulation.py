from collections import Counter
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain
from odoo.tools import SQL, groupby
from odoo.tools.misc import format_amount, format_date

from ...models.plan.decision import PlanChange
from ...models.plan.forecast import Forecast

# More lines than this don't fit in a calendar.
CALENDAR_SIZE = 1500


class CollectionPlanSimulation(models.TransientModel):
    """Who gets what in the next days, if nobody pays and everything is done in time. Nothing real is changed.

    With copies of a plan's steps one sees what other days, channels or amounts would change.
    """

    _name = "collection.plan.simulation"
    _description = "Next 30 Days"
    _inherit = "collection.dialogue.mixin"

    company_id = fields.Many2one("res.company", required=True, readonly=True, default=lambda self: self.env.company)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date_from = fields.Date(readonly=True, default=lambda self: self.env.company._collection_today())
    days = fields.Integer(string="Number of Days", default=30)
    plan_ids = fields.Many2many("collection.plan", string="Plans", readonly=True, help="Empty: all plans.")
    debtor_ids = fields.Many2many("collection.debtor", string="Customers", readonly=True, help="Empty: all customers.")
    as_if_running = fields.Boolean(
        string="As if switched on", help="Plans that are switched off count as if they were switched on today."
    )
    gap_days = fields.Integer(string="Days between two Steps")
    step_ids = fields.One2many("collection.plan.simulation.step", "simulation_id", string="Steps")
    has_steps = fields.Boolean(compute="_compute_has_steps")
    line_ids = fields.One2many("collection.plan.simulation.line", "simulation_id", readonly=True)
    line_count = fields.Integer(string="Contacts", readonly=True)
    difference_count = fields.Integer(string="Differences", readonly=True)
    is_compared = fields.Boolean(readonly=True)
    summary = fields.Html(readonly=True, sanitize=False)

    _days_positive = models.Constraint("CHECK(days BETWEEN 1 AND 120)", "Simulate between 1 and 120 days.")

    # === COMPUTE METHODS === #

    @api.depends("plan_ids")
    def _compute_display_name(self):
        for simulation in self:
            simulation.display_name = self.env._("Next %s days", simulation.days)

    @api.depends("step_ids")
    def _compute_has_steps(self):
        for simulation in self:
            simulation.has_steps = bool(simulation.step_ids)

    # === ACTION METHODS === #

    @api.model
    def action_open(self):
        """Simulate all plans of the company."""
        return self._open_result()

    def action_run(self):
        """Simulate again, with what was changed on the screen."""
        self.ensure_one()
        self._run()
        return self._get_form_action()

    def action_view_calendar(self):
        """Open the contacts day by day."""
        return self._get_lines_action("calendar")

    def action_view_list(self):
        """Open the contacts as a list."""
        return self._get_lines_action("list")

    def action_view_pivot(self):
        """Open the contacts counted by day and channel."""
        return self._get_lines_action("pivot")

    def action_view_differences(self):
        """Open what would change."""
        action = self._get_lines_action("list")
        action["context"] |= {"search_default_different": 1, "search_default_group_status": 1}
        return action

    def action_try_changes(self):
        """Copy the plan's steps, to change them."""
        self.ensure_one()
        if len(self.plan_ids) != 1:
            raise UserError(self.env._("Open one plan and try changes from there."))
        return self.plan_ids.action_try_changes()

    # === BUSINESS METHODS - OPEN === #

    @api.model
    def _open_result(self, plans=None, debtors=None):
        """Simulate, and return the action that shows the result.

        :param plans: limits the plans.
        :param debtors: limits the customers.
        """
        simulation = self._create_simulation(plans, debtors)
        simulation._run()
        return simulation._get_form_action()

    @api.model
    def _create_simulation(self, plans=None, debtors=None, with_steps=False):
        """Return a new simulation, not run yet.

        :param bool with_steps: whether it has copies of the steps, to change them.
        """
        company = (plans or debtors or self.env).company_id[:1] if plans or debtors else self.env.company
        running = plans or self.env["collection.plan"].search(
            [("company_id", "=", company.id), ("is_running", "=", True)]
        )
        simulation = self.create(
            {
                "company_id": company.id,
                "date_from": company._collection_today(),
                "plan_ids": [Command.set(plans.ids)] if plans else [],
                "debtor_ids": [Command.set(debtors.ids)] if debtors else [],
                # Without any plan that runs there is nothing else to show.
                "as_if_running": not running or not all(running.mapped("is_running")),
                "gap_days": plans.gap_days if plans and len(plans) == 1 else 0,
            }
        )
        if with_steps:
            simulation.step_ids = [
                Command.create(simulation.step_ids._prepare_from_step(step)) for step in plans.step_ids.sorted("delay")
            ]
        return simulation

    def _get_form_action(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Next %s days", self.days),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "current",
        }

    def _get_lines_action(self, first):
        """Return the action that shows the contacts, one kind of view first."""
        self.ensure_one()
        kinds = ["calendar", "list", "pivot"]
        if self.line_count > CALENDAR_SIZE:
            kinds.remove("calendar")
        kinds.sort(key=lambda kind: kind != first)
        return {
            **self.env["ir.actions.actions"]._for_xml_id("account_collection.collection_plan_simulation_line_action"),
            "name": self.env._("Next %s days, if nobody pays", self.days),
            "views": [(False, kind) for kind in kinds],
            "view_mode": ",".join(kinds),
            "domain": [("simulation_id", "=", self.id)],
            "context": {
                "initial_date": fields.Date.to_string(self.date_from),
                "collection_is_compared": self.is_compared,
                **({"search_default_group_date": 1} if first == "list" else {}),
            },
        }

    # === BUSINESS METHODS - RUN === #

    def _run(self):
        """Compute who gets what, and store it for this screen."""
        self.ensure_one()
        self._delete_lines()
        debtors = self._get_debtors()
        visible = self._get_visible_ids(debtors)
        before = self._make_forecast(debtors)
        rows = [(contact, "same", None, None) for contact in before.contacts]
        forecast = before
        if self.step_ids:
            forecast = self._make_forecast(debtors, self._get_changes(), self._get_changed_channels())
            rows = self._compare(before.contacts, forecast.contacts)
        rows = [row for row in rows if row[0].debtor_id in visible]
        self._insert_lines(rows)
        self.write(
            {
                "line_count": sum(row[1] != "gone" for row in rows),
                "difference_count": sum(row[1] != "same" for row in rows),
                "is_compared": bool(self.step_ids),
                "summary": self._render_summary(rows, forecast, visible),
            }
        )
        self.invalidate_recordset(["line_ids"])

    def _get_debtors(self):
        """Return the customers of whom the days are computed."""
        Debtor = self.env["collection.debtor"].sudo()
        if self.debtor_ids:
            return Debtor.browse(self.debtor_ids.ids)
        Plan = self.env["collection.plan"].sudo()
        domain = Plan._get_due_debtor_domain(self.company_id)
        if self.plan_ids:
            plan_ids = Plan._get_plan_ids(self.company_id)
            ids = [debtor_id for debtor_id, plan_id in plan_ids.items() if plan_id in self.plan_ids._ids]
            domain &= Domain("id", "in", ids)
        return Debtor.search(domain, order="id")

    def _get_visible_ids(self, debtors):
        """Return the ids of those customers whom the user may see."""
        if self.env.su:
            return set(debtors.ids)
        domain = Domain("id", "in", debtors.ids) if self.debtor_ids else Domain("company_id", "=", self.company_id.id)
        return set(self.env["collection.debtor"]._search(domain).get_result_ids()) & set(debtors.ids)

    def _make_forecast(self, debtors, changes=None, channels=None):
        """Return the forecast of the days to come, run. The number of queries doesn't depend on the customers.

        :param changes: ``{plan id: PlanChange}``.
        :param channels: ``{step id: channel}`` of steps that would speak by another channel.
        """
        company, today = self.company_id, self.date_from
        Plan = self.env["collection.plan"].sudo()
        planned = (
            self.env["collection.action"]
            .sudo()
            .search_fetch(
                Domain("debtor_id", "in", debtors.ids)
                & Domain("state", "=", "planned")
                & Domain("step_id", "!=", False),
                ["debtor_id", "date_planned", "channel"],
            )
        )
        facts = Plan._get_decision_context(company, debtors, today, self.as_if_running, planned, changes)
        facts.channels = channels or {}
        is_decided = not self.as_if_running and company not in Plan._get_companies_to_plan()
        debtors.fetch(["score"])
        return Forecast(
            facts,
            today,
            self.days,
            scores={debtor.id: debtor.score for debtor in debtors},
            planned={action.debtor_id.id: (action.date_planned, action.channel) for action in planned},
            limits={plan.id: plan.old_debts_per_day for plan in facts.plans.values()},
            begun={plan.id: plan.old_debts_per_day - plan._get_old_debts_left(today) for plan in facts.plans.values()},
            first_day=today + timedelta(days=1) if is_decided else today,
        ).run()

    def _get_changes(self):
        """Return how the plan is taken to be, as ``{plan id: PlanChange}``."""
        self.ensure_one()
        steps = self.step_ids.filtered("is_kept").sorted("delay")
        steps._check()
        return {
            self.plan_ids.id: PlanChange(
                steps=tuple(step._to_cadence() for step in steps),
                gap_days=self.gap_days,
            )
        }

    def _get_changed_channels(self):
        """Return ``{step id: channel}`` as it is taken to be."""
        return {step.step_id.id: step.channel for step in self.step_ids}

    @api.model
    def _compare(self, before, after):
        """Mark each contact as the same, new, gone or moved.

        The same step about the same customer counts as one contact, the first before with the first after.

        :return: list of ``(contact, status, day before, channel before)``.
        """
        known = {
            key: list(contacts)
            for key, contacts in groupby(before, lambda contact: (contact.debtor_id, contact.step.id))
        }
        rows = []
        for contact in after:
            old = known.get((contact.debtor_id, contact.step.id))
            if not old:
                rows.append((contact, "new", None, None))
                continue
            past = old.pop(0)
            if past.day != contact.day:
                status = "moved"
            else:
                status = "same" if past.channel == contact.channel else "changed"
            rows.append((contact, status, past.day, past.channel))
        rows += [(contact, "gone", contact.day, contact.channel) for contacts in known.values() for contact in contacts]
        return rows

    def _delete_lines(self):
        """Delete earlier results, by one query."""
        lines = self.env["collection.plan.simulation.line"]
        lines.flush_model()
        self.env.cr.execute(SQL("DELETE FROM collection_plan_simulation_line WHERE simulation_id = %s", self.id))
        lines.invalidate_model()

    def _insert_lines(self, rows):
        """Write the contacts down: one query, however many there are."""
        if not rows:
            return
        self.env["collection.plan.simulation.line"].flush_model()
        columns = [
            [
                contact.debtor_id,
                contact.plan.id,
                contact.step.id,
                contact.channel,
                contact.day,
                contact.item_id,
                (contact.day - contact.due).days,
                contact.amount,
                contact.is_old,
                status,
                date_before,
                channel_before,
            ]
            for contact, status, date_before, channel_before in rows
        ]
        self.env.execute_query(
            SQL(
                """
                INSERT INTO collection_plan_simulation_line (
                    simulation_id, debtor_id, partner_id, collector_id, company_id, currency_id, plan_id, step_id,
                    channel, date, move_line_id, item_name, days_late, amount, is_old, status, date_before,
                    channel_before, is_automatic, create_uid, create_date, write_uid, write_date
                )
                SELECT %(simulation)s, debtor.id, debtor.partner_id, debtor.collector_id, debtor.company_id,
                       company.currency_id, contact.plan_id, contact.step_id, contact.channel, contact.date, item.id,
                       CASE WHEN item.id IS NOT NULL THEN %(item_name)s END,
                       contact.days_late, contact.amount, contact.is_old, contact.status,
                       contact.date_before, contact.channel_before,
                       step.is_automatic AND contact.channel = ANY(%(by_odoo)s),
                       %(uid)s, NOW() AT TIME ZONE 'UTC', %(uid)s, NOW() AT TIME ZONE 'UTC'
                  FROM unnest(
                       %(debtors)s::int[], %(plans)s::int[], %(steps)s::int[], %(channels)s::varchar[],
                       %(dates)s::date[], %(items)s::int[], %(days_late)s::int[], %(amounts)s::numeric[],
                       %(olds)s::bool[], %(statuses)s::varchar[], %(dates_before)s::date[],
                       %(channels_before)s::varchar[]
                       ) AS contact(debtor_id, plan_id, step_id, channel, date, item_id, days_late, amount, is_old,
                                    status, date_before, channel_before)
                  JOIN collection_debtor debtor ON debtor.id = contact.debtor_id
                  JOIN res_company company ON company.id = debtor.company_id
                  JOIN collection_plan_step step ON step.id = contact.step_id
             LEFT JOIN account_move_line item ON item.id = contact.item_id
             LEFT JOIN account_move move ON move.id = item.move_id
             RETURNING 1
                """,
                simulation=self.id,
                uid=self.env.uid,
                by_odoo=list(self.env["collection.channel"]._get_names("_is_sent_by_odoo")),
                item_name=self.env["collection.ledger"]._get_item_name_sql("item", "move"),
                **dict(
                    zip(
                        (
                            "debtors",
                            "plans",
                            "steps",
                            "channels",
                            "dates",
                            "items",
                            "days_late",
                            "amounts",
                            "olds",
                            "statuses",
                            "dates_before",
                            "channels_before",
                        ),
                        map(list, zip(*columns, strict=True)),
                        strict=True,
                    )
                ),
            )
        )

    # === BUSINESS METHODS - WORDS === #

    def _render_summary(self, rows, forecast, visible):
        """Return what one sees at a glance: how much by channel, what changes, and why others get nothing."""
        contacts = [row[0] for row in rows if row[1] != "gone"]
        contacted = {contact.debtor_id for contact in contacts}
        labels = self.env["collection.action"]._get_channel_labels()
        reasons = Counter(
            decision.reason
            for debtor_id, decision in forecast.reasons.items()
            if debtor_id in visible and debtor_id not in contacted
        )
        Step = self.env["collection.plan.step"]
        until = format_date(self.env, self.date_from + timedelta(days=self.days - 1))
        by_channel = Counter(contact.channel for contact in contacts)
        return self.env["ir.qweb"]._render(
            "account_collection.plan_simulation_summary",
            {
                "headline": self.env._(
                    "%(contacts)s contacts with %(customers)s customers until %(day)s",
                    contacts=len(contacts),
                    customers=len(contacted),
                    day=until,
                )
                if contacts
                else self.env._("Nobody is contacted until %s.", until),
                "channels": [
                    (Step._get_channel_icon(channel), labels[channel], count)
                    for channel, count in by_channel.most_common()
                ],
                "weeks": self._get_weeks(contacts),
                "reasons": [
                    (self.env["collection.plan"]._get_reason_label(reason), count)
                    for reason, count in reasons.most_common()
                ],
                "statuses": Counter(row[1] for row in rows) if self.step_ids else None,
            },
        )

    def _get_weeks(self, contacts):
        """Return ``[(first day, contacts, customers, amount)]`` by week."""
        weeks = {}
        for contact in contacts:
            weeks.setdefault(contact.day - timedelta(days=contact.day.weekday()), []).append(contact)
        result = []
        for monday, own in sorted(weeks.items()):
            amounts = {contact.debtor_id: contact.amount for contact in own}
            result.append(
                (
                    format_date(self.env, max(monday, self.date_from)),
                    len(own),
                    len(amounts),
                    format_amount(self.env, sum(amounts.values()), self.currency_id),
                )
            )
        return result
