from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools.misc import format_amount, format_date

from ...const import NO_LEVEL
from ...models.plan.decision import PRESSURE_DAYS
from ...tools import cadence


class CollectionDebtorWhy(models.TransientModel):
    """Why did, or didn't, this customer get a reminder? The decision of today, with the facts that led to it."""

    _name = "collection.debtor.why"
    _description = "Why a Reminder, or none"
    _inherit = "collection.dialogue.mixin"

    debtor_id = fields.Many2one("collection.debtor", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="debtor_id.company_id")
    reply_date = fields.Date(related="debtor_id.reply_date")
    reason = fields.Char(compute="_compute_answer")
    answer = fields.Char(compute="_compute_answer")
    otherwise = fields.Char(compute="_compute_answer", help="What would come if that were not in the way.")
    advice = fields.Char(string="What would change it", compute="_compute_answer")
    facts = fields.Html(compute="_compute_answer", sanitize=False)

    # === COMPUTE METHODS === #

    @api.depends("debtor_id")
    def _compute_display_name(self):
        for why in self:
            why.display_name = self.env._("Why? %s", why.debtor_id.display_name)

    @api.depends("debtor_id")
    def _compute_answer(self):
        for why in self:
            # Rights on the customer are asked for here: the facts below are read whoever asks.
            why.debtor_id.check_access("read")
            today = why.company_id._collection_today()
            facts = self.env["collection.plan"]._get_decision_context(why.company_id, why.debtor_id, today)
            decision = why._get_decision(facts, today)
            why.reason = decision.reason
            why.answer = self.env["collection.plan"]._describe(decision, why.debtor_id)
            other = why._get_other_decision(facts, decision, today)
            why.otherwise = other and self.env._(
                "Without that: “%(step)s” on %(day)s.",
                step=other.step.display_name,
                day=format_date(self.env, other.day),
            )
            why.advice = why._get_advice(decision)
            why.facts = self.env["ir.qweb"]._render(
                "account_collection.debtor_why_facts",
                {
                    "items": why._get_items(facts, today),
                    "contacts": why._get_contacts(today),
                    "rules": why._get_rules(facts, decision),
                    "plan": decision.plan,
                    "steps": why._get_steps(facts, decision, other, today),
                },
            )

    # === ACTION METHODS === #

    def action_mark_read(self):
        """Mark the customer's answer as read: the plan goes on."""
        self.debtor_id.action_mark_read()
        return self.debtor_id.action_why()

    def action_simulate(self):
        """Show what this customer gets in the next 30 days."""
        return self.debtor_id.action_simulate()

    # === BUSINESS METHODS === #

    def _get_decision(self, facts, today):
        """Return the decision of today; what is due and not planned yet may wait for its turn among old debts."""
        decision = facts.decide(self.debtor_id.id, today)
        limit = decision.plan.old_debts_per_day if decision.plan else 0
        if decision.is_due and decision.is_old and limit and not decision.plan._get_old_debts_left(today):
            return type(decision)(
                "old_debts", decision.plan, decision.step, None, decision.item_id, True, decision.details
            )
        return decision

    def _get_other_decision(self, facts, decision, today):
        """Return what would come without what is in the way, ``False`` when nothing is."""
        steps = facts.cadences.get(decision.plan.id, ())
        is_silent = decision.reason not in (cadence.DUE, *cadence.WAITING, "old_debts", "finished", "too_small")
        if not is_silent or not steps or decision.reason in ("nothing_claimable", "planned"):
            return False
        other = facts.decide(self.debtor_id.id, today, is_silent_allowed=False)
        if not other.step or other.reason not in (cadence.DUE, *cadence.WAITING):
            return False
        return other

    def _get_advice(self, decision):
        """Return in words what would change a decision."""
        company = self.company_id
        advice = {
            "due": lambda: (
                self.env._(
                    "It is done at the next run, on a working day between %(since)s and %(until)s, "
                    "if nothing changes before.",
                    since=self._format_hour(company.collection_send_from),
                    until=self._format_hour(company.collection_send_to),
                )
                if decision.step._get_channel()._is_automatic(company)
                else self.env._("It comes to “My Day” at the next run, if nothing changes before.")
            ),
            "not_yet": lambda: self.env._("A payment, a promise or a dispute before that day."),
            "gap": lambda: self.env._("Fewer days between two steps, on the plan and in the settings."),
            "pressure": lambda: self.env._("A higher limit of contacts in the settings."),
            "payment_run": lambda: self.env._("Other payment days on the file, or a step that doesn't wait for them."),
            "closed": lambda: self.env._("Quiet periods, and the day on which this customer is closed."),
            "old_debts": lambda: self.env._("More old debts per day, on the plan."),
            "finished": lambda: self.env._("A later step on the plan; or act by hand: call, hand over."),
            "nothing_claimable": lambda: self.env._(
                "A new overdue invoice, or the end of what covers the old ones: a promise, a dispute, a credit."
            ),
            "archived": lambda: self.env._("Take the file out of the archive."),
            "insolvency": lambda: self.env._("Nothing while the proceedings last: declare the debt."),
            "paused": lambda: self.env._("Another day in “Paused until” on the file."),
            "no_plan": lambda: self.env._("Choose a plan on the file, or widen the conditions of a plan."),
            "not_running": lambda: self.env._("Switch the plan on."),
            "unread_reply": lambda: self.env._("Read the answer on the file, then mark it as read."),
            "payment_pending": lambda: self.env._("The end of the online payment."),
            "payment_announced": lambda: self.env._("The day of that payment; or cancel it, if it won't come."),
            "parent_credit": lambda: self.env._("Bring the money to this company, or allocate it there."),
            "unmatched_payment": lambda: self.env._("Match the bank entry with the invoices."),
            "credit_to_allocate": lambda: self.env._(
                "Allocate the payment, to the debt that it was meant for: see the list “Credits to allocate”."
            ),
            "too_small": lambda: self.env._("A greater debt, or a smaller amount on the steps of the plan."),
            "bank_stale": lambda: self.env._("Enter the bank statement, or don't watch that journal."),
            "planned": lambda: self.env._("Do it, confirm it or cancel it; a payment before cancels it too."),
        }
        return advice[decision.reason]() if decision.reason in advice else False

    @api.model
    def _format_hour(self, hours):
        return f"{int(hours):02d}:{round(hours % 1 * 60):02d}"

    def _get_items(self, facts, today):
        """Return the facts item by item: what is claimed of each and why not more, its level and its next step."""
        debtor = self.debtor_id
        known = {item.key: item for item in facts.files[debtor.id].items}
        horizon = max([(item.due - today).days for item in known.values()] + [0])
        steps = facts.steps.get(facts.plan_ids.get(debtor.id), self.env["collection.plan.step"])
        rows = []
        for row in debtor._get_claimable_items(horizon):
            item = known.get(row["item"].id)
            said = steps.filtered(lambda step, item=item: item and item.level is not None and step.delay <= item.level)
            following = steps.filtered(
                lambda step, item=item: item and (item.level is None or step.delay > item.level) and step.delay >= 0
            )
            rows.append(
                {
                    "name": row["item"]._get_collection_name(),
                    "due_date": format_date(self.env, row["due_date"]),
                    "days_late": row["days_late"],
                    "residual": format_amount(self.env, row["residual"], row["currency"]),
                    "claimable": format_amount(self.env, row["claimable"], row["currency"]),
                    "less": self._get_less(row),
                    "is_old": item.is_old if item else False,
                    "level": said[-1:].display_name if said else "",
                    "next": following[:1].display_name if following else "",
                    "next_day": format_date(self.env, row["due_date"] + timedelta(days=following[:1].delay))
                    if following
                    else "",
                }
            )
        return rows

    def _get_less(self, row):
        """Return in words why less than the residual of an item is claimed."""
        causes = [
            ("excluded", self.env._("excluded from follow-up")),
            ("disputed", self.env._("disputed")),
            ("promised", self.env._("promised")),
            ("credited", self.env._("covered by credits")),
        ]
        return ", ".join(
            f"{format_amount(self.env, row[name], row['currency'])} {label}"
            for name, label in causes
            if not row["currency"].is_zero(row[name])
        )

    def _get_contacts(self, today):
        """Return what was said, tried, planned or cancelled of late, newest first."""
        since = fields.Date.to_string(today - timedelta(days=PRESSURE_DAYS))
        Action = self.env["collection.action"].sudo()
        actions = Action.search(
            Domain("debtor_id", "=", self.debtor_id.id)
            & (
                Domain("state", "=", "planned") | Domain("date_planned", ">=", since) | Domain("date_done", ">=", since)
            ),
            limit=50,
        )
        channels = Action._get_channel_labels()
        states = dict(Action._fields["state"]._description_selection(self.env))
        contacts = actions.filtered_domain(Action._get_contact_domain())
        return [
            {
                "date": format_date(self.env, action._get_done_on() or action.date_planned),
                "icon": self.env["collection.plan.step"]._get_channel_icon(action.channel),
                "channel": channels[action.channel],
                "what": action.step_id.display_name or action.summary or action.note or "",
                "state": states[action.state],
                "why": action.result_text or "",
                "counts": action in contacts,
            }
            for action in actions
        ]

    def _get_rules(self, facts, decision):
        """Return in words what held the decision back or let it pass."""
        rules = facts.rules.get(decision.plan.id)
        if not rules:
            return []
        file = facts.files[self.debtor_id.id]
        lines = []
        if rules.gap:
            lines.append(
                self.env._(
                    "At least %(gap)s days between two contacts; the last one was on %(day)s.",
                    gap=rules.gap,
                    day=format_date(self.env, file.last_message),
                )
                if file.last_message
                else self.env._("At least %s days between two contacts; there was none of late.", rules.gap)
            )
        if rules.cap:
            today = self.company_id._collection_today()
            recent = [day for day in file.contacts if day > today - timedelta(days=rules.cap_days)]
            lines.append(
                self.env._(
                    "At most %(cap)s contacts in %(days)s days; there were %(count)s.",
                    cap=rules.cap,
                    days=rules.cap_days,
                    count=len(recent),
                )
            )
        if file.payment_days:
            lines.append(self.env._("Pays on day %s of the month.", ", ".join(map(str, file.payment_days))))
        return lines

    def _get_steps(self, facts, decision, other, today):
        """Return the steps of the plan with what became of each."""
        if not decision.plan:
            return []
        actions = (
            self.env["collection.action"]
            .sudo()
            .search_fetch(
                Domain("debtor_id", "=", self.debtor_id.id) & Domain("step_id", "in", decision.plan.step_ids.ids),
                ["step_id", "state", "date_done", "date_planned", "is_skipped", "channel"],
                order="id desc",
            )
        )
        by_step = actions.grouped("step_id")
        file = facts.files[self.debtor_id.id]
        owed = sum(item.amount for item in file.items if item.due < today)
        levels = [item.level for item in file.items if item.level is not None and item.level != NO_LEVEL]
        highest = max(levels, default=None)
        rows = []
        for step in facts.steps[decision.plan.id]:
            rows.append(
                {
                    "icon": step._get_channel_icon(step.channel),
                    "name": step.display_name,
                    **self._get_step_state(step, by_step.get(step), decision, other, owed, highest),
                }
            )
        return rows

    def _get_step_state(self, step, actions, decision, other, owed, highest):
        """Return what became of one step: ``{"state", "class"}``."""
        done = actions.filtered(lambda action: action.state == "done")[:1] if actions else actions
        planned = actions.filtered(lambda action: action.state == "planned")[:1] if actions else actions
        if planned:
            return {
                "state": self.env._("planned for %s", format_date(self.env, planned.date_planned)),
                "class": "text-primary",
            }
        if step == decision.step:
            return {
                "state": self.env._("next, on %s", format_date(self.env, decision.day))
                if decision.day
                else self.env._("next"),
                "class": "fw-bold",
            }
        if done:
            return {
                "state": self.env._("done on %s", format_date(self.env, done[:1]._get_done_on())),
                "class": "text-success",
            }
        if other and step == other.step:
            return {"state": self.env._("next, without that"), "class": "fw-bold"}
        if actions and any(action.is_skipped for action in actions):
            return {"state": self.env._("left out: nobody could do it"), "class": "text-muted"}
        if step.min_amount and owed < step.min_amount:
            return {
                "state": self.env._("from %s on only", format_amount(self.env, step.min_amount, step.currency_id)),
                "class": "text-muted",
            }
        if highest is not None and step.delay <= highest:
            return {"state": self.env._("passed"), "class": "text-muted"}
        return {"state": self.env._("later"), "class": "text-muted"}
