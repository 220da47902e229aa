"""Tells the stories: each day the ledger moves on, the night judges, and collectors do what was written for them."""

from datetime import timedelta

from odoo.tools import groupby
from odoo.tools.misc import format_date

from ..models.provider.collection_provider import FORMAT_FIELDS
from .companies import remember
from .customers import COMMENTS, HABIT_NOTES
from .days import working_day_after, working_day_before
from .stories import CLOSED_END, CLOSED_STORY, RUNNING_END, RUNNING_STORY, Event

# What people do stands in the chatters; nobody gets an e-mail about an activity.
_CONTACT_CONTEXT = {
    "tracking_disable": False,
    "mail_create_nolog": False,
    "mail_notify_force_send": False,
    "mail_activity_quick_update": True,
}


class Campaigns:
    def __init__(self, ledger, people, clock):
        self.ledger = ledger
        self.people = people
        self.clock = clock
        self.company = ledger.company
        self.env = ledger.env(context={**ledger.env.context, **_CONTACT_CONTEXT})
        self.today = clock.today
        self.closed = self.running = self.env["collection.campaign"]
        self.plan = self.env["collection.plan"]
        self.clock.today = None

    # == Days ==

    def _day(self, offset):
        return self.today + timedelta(days=offset)

    def _work_day(self, offset):
        return working_day_before(self._day(offset))

    def live_until(self, day):
        """Let the ledger and the nights run up to a day, without anybody doing anything."""
        if self.clock.today is None:
            # Nobody looked at the two years before the first campaign.
            self._live(day)
            return
        while self.clock.today < day:
            self._live(self.clock.today + timedelta(days=1))

    def _live(self, day):
        self.clock.today = day
        moved = self.ledger.advance(day)
        judged = self.env["collection.promise"].search_count([("state", "=", "open"), ("deadline", "<", day)], limit=1)
        late = self.env["collection.dispute"].search_count(
            [("state", "=", "open"), ("date_deadline", "<", day), ("is_escalated", "=", False)], limit=1
        )
        called = self.env["collection.case"].search_count(
            [("state", "=", "waiting"), ("next_action_date", "<=", day)], limit=1
        )
        if not (moved or judged or late or called):
            return
        with self.clock.moment(5, 40):
            self._synchronize()
            self.env["collection.dispute"]._escalate_late(day, [("company_id", "=", self.company.id)])

    def _synchronize(self, partners=None):
        self.env["collection.debtor"]._synchronize(self.company, partners)
        self._fill_files()

    def _fill_files(self):
        """Write on new files whom to ask for, and who looks after the big customers."""
        notes = {self.people.customers[key]: note for key, note in HABIT_NOTES.items()}
        comments = {self.people.customers[key]: text for key, text in COMMENTS.items()}
        for debtor in (
            self.env["collection.debtor"]
            .search(
                [("contact_id", "=", False), ("partner_id", "in", [partner.id for partner in self.people.contacts])]
            )
            .with_context(tracking_disable=True)
        ):
            partner = debtor.partner_id
            debtor.write(
                {
                    "contact_id": self.people.contacts[partner].id,
                    "payment_habit": notes.get(partner),
                    "comment": comments.get(partner),
                    "collector_id": self.people.users["camille"].id
                    if partner.collection_company_size in ("mid", "large")
                    else False,
                }
            )

    # == Campaigns ==

    def _as(self, login):
        """Return the environment of a user, in whose name this moment is."""
        self.clock.author = self.env(
            user=self.people.users[login].id, context={**self.env.context, "lang": "en_US", "tz": "Europe/Paris"}
        )
        return self.clock.author

    def _start(self, xmlid, name, date_end, goal_share, **values):
        team = self.people.users["camille"] + self.people.users["hugo"]
        with self.clock.moment(8, 30):
            campaign = self._as("sophie")["collection.campaign"].create(
                {
                    "name": name,
                    "company_id": self.company.id,
                    "date_start": self.clock.today,
                    "date_end": date_end,
                    "user_id": self.people.users["sophie"].id,
                    "member_ids": team.ids,
                    **values,
                }
            )
            remember(self.env, xmlid, campaign)
            campaign._prepare_scope()
            campaign.goal_amount = round(campaign.scope_amount * goal_share, -3)
        with self.clock.moment(8, 45):
            campaign._start()
        return campaign.with_env(self.env)

    def _name(self):
        month = format_date(self.env, self.clock.today, date_format="MMMM yyyy", lang_code="en_US")
        return f"Overdue invoices, {month}"

    def start_closed(self):
        """Start the campaign that is over by now."""
        self.live_until(working_day_after(self.clock.today))
        self.closed = self._start(
            "demo_campaign_closed",
            self._name(),
            self._day(CLOSED_END),
            0.7,
            min_amount=50.0,
            min_days_late=7,
            note="<p>Everything that is more than a week late. Ask for a date and a method each time.</p>",
        )

    def close(self):
        """Close the first campaign."""
        with self.clock.moment(17, 30):
            campaign = self.closed.with_env(self._as("sophie"))
            campaign._close()
            campaign.case_ids.debtor_id.activity_ids.action_feedback(feedback="Settled when the campaign was closed.")

    def start_running(self):
        """Start the campaign that is still going on."""
        self.live_until(working_day_before(self.clock.today))
        self.running = self._start(
            "demo_campaign_running",
            self._name(),
            self._day(RUNNING_END),
            0.6,
            min_amount=50.0,
            min_days_late=1,
            max_debtors=42,
            small_share=20,
            note="<p>Large balances first, and a phone call to every small one. "
            "Up to three instalments may be agreed.</p>",
        )

    # == The follow-up plan ==

    def start_plan(self):
        """Switch the last plan on, the one for everybody; firm words wait for a look before they go."""
        self.plan = self.env["collection.plan"].search([("company_id", "=", self.company.id)])[-1:]
        firm = self.plan.step_ids.filtered(lambda step: step.tone == "firm")[:1]
        if not firm:
            return
        with self.clock.moment(9):
            firm.is_automatic = False
            self.plan.user_id = self.people.users["camille"]
            self.plan.with_env(self._as("sophie"))._start(firm, old_debts_per_day=2)
            # What people do with the other customers is told: the plan has nothing to say about them meanwhile.
            self.plan.sudo().planned_on = self.today

    # == Events ==

    def tell(self, story, until):
        """Live up to a day and let the events of a story happen."""
        events = sorted([*story, *self._routine(story)], key=lambda event: event.day)
        for day, todays in groupby(events, key=lambda event: max(self._work_day(event.day), self.clock.today)):
            self.live_until(day)
            for number, event in enumerate(todays):
                minutes = 9 * 60 + 5 + 17 * number
                with self.clock.moment(minutes // 60 % 24, minutes % 60):
                    getattr(self, f"_do_{event.verb}")(event)
        self.live_until(until)

    def _routine(self, story):
        """Reminders for customers of the campaign of whom no story is told."""
        if story not in (CLOSED_STORY, RUNNING_STORY):
            return []
        first = story is CLOSED_STORY
        campaign, start, step = (self.closed, -94, 1) if first else (self.running, -10, 4)
        told = {self.people.customers[event.key] for event in story}
        keys = {partner: key for key, partner in self.people.customers.items()}
        untold = [keys[partner] for partner in campaign.case_ids.partner_id if partner not in told]
        events = []
        for number, key in enumerate(untold):
            if number % step == 0:
                events.append(Event(start + number % 4 + 1, key, "remind", {}))
            if first:
                outcome = ("voicemail", "right_person", "no_answer")[number % 3]
                events.append(Event(-82 + number % 6, key, "call", {"outcome": outcome, "next_day": -72, "note": ""}))
        return events

    def _debtor(self, key):
        return self.env["collection.debtor"].search(
            [("partner_id", "=", self.people.customers[key].id), ("company_id", "=", self.company.id)]
        )

    def _case(self, debtor):
        return debtor.case_ids.filtered(lambda case: case.state != "closed" and case.campaign_id.state == "running")

    def _ask(self, event):
        """Return ``(environment of the collector, debtor, case)``; no debtor when there is nothing to ask."""
        debtor = self._debtor(event.key)
        case = self._case(debtor)
        collector = case.collector_id or debtor.collector_id or self.people.users["camille"]
        env = self._as(collector.login)
        if not debtor.claimable_amount or not case:
            return env, debtor.browse(), case
        return env, debtor.with_env(env), case.with_env(env)

    def _reason(self, values):
        code = values.get("reason")
        return self.env.ref(f"account_collection.collection_reason_{code}").id if code else False

    def _after_call(self, debtor):
        debtor.activity_ids.filtered(
            lambda activity: (
                activity.user_id == debtor.env.user
                and activity.activity_type_id == self.env.ref("mail.mail_activity_data_call")
            )
        ).action_feedback()

    def _do_call(self, event):
        env, debtor, case = self._ask(event)
        if not debtor:
            return
        values = event.values
        next_day = values.get("next_day")
        env["collection.call.log"].create(
            {
                "debtor_id": debtor.id,
                "case_id": case.id,
                "outcome": values["outcome"],
                "reason_id": self._reason(values),
                "note": values.get("note"),
                "next_step": values.get("next_step") or ("call" if next_day else "none"),
                "next_date": next_day and max(working_day_after(self._day(next_day)), self.clock.today),
            }
        ).action_confirm()
        self._after_call(debtor)

    def _do_promise(self, event):
        env, debtor, case = self._ask(event)
        if not debtor:
            return
        values = event.values
        offset = values["for_day"]
        date = self.today if offset == 0 else working_day_after(self._day(offset))
        wizard = env["collection.promise.record"].create(
            {
                "debtor_id": debtor.id,
                "case_id": case.id,
                "date": max(date, self.clock.today),
                "method": values.get("method", "transfer"),
                "reason_id": self._reason(values),
                "note": values.get("note"),
            }
        )
        if "share" in values:
            wizard.amount = wizard.currency_id.round(wizard.amount * values["share"])
        if "amount" in values:
            wizard.amount = min(wizard.amount, values["amount"])
        if "payments" in values:
            wizard.write({"is_plan": True, "instalment_count": values["payments"], "interval": "month"})
        wizard._record()
        self._after_call(debtor)

    def _do_dispute(self, event):
        env, debtor, case = self._ask(event)
        if not debtor:
            return
        values = event.values
        wizard = env["collection.dispute.open"].create(
            {
                "debtor_id": debtor.id,
                "case_id": case.id,
                "reason_id": self._reason(values),
                "description": values["note"],
            }
        )
        if "solve_days" in values:
            wizard.date_deadline = self.clock.today + timedelta(days=values["solve_days"])
        wizard.line_ids.is_disputed = False
        oldest = wizard.line_ids.sorted(lambda line: (line.due_date, line.id))[0]
        amount = values.get("amount") or oldest.currency_id.round(oldest.amount * values.get("share", 1.0))
        oldest.write({"is_disputed": True, "amount": min(amount, oldest.amount)})
        wizard.action_confirm()
        self._after_call(debtor)

    def _do_solve(self, event):
        dispute = self._debtor(event.key).dispute_ids.filtered(lambda dispute: dispute.state == "open")[:1]
        if not dispute:
            return
        dispute = dispute.with_env(self._as(dispute.owner_id.login))
        dispute.resolution = event.values["resolution"]
        if event.values["state"] == "accepted":
            dispute.action_accept()
        else:
            dispute.action_reject()

    def _do_remind(self, event):
        env, debtor, case = self._ask(event)
        if not debtor or debtor._get_silence_reason("email"):
            return
        env["collection.reminder.send"].create(
            {"debtor_id": debtor.id, "case_id": case.id, "attach_invoices": False}
        )._send()

    def _do_plan(self, event):
        """Let the plan say what is due to one customer, as the scheduled action would."""
        debtor = self._debtor(event.key)
        if not debtor or not self.plan.is_running:
            return
        Plan = self.env["collection.plan"]
        if event.values.get("by_hand"):
            debtor.plan_id = self.plan
        # These invoices went out when they were made.
        debtor.open_item_ids.move_id.filtered("invoice_date").is_move_sent = True
        decision = Plan._decide(debtor, self.clock.today)[debtor]
        if not decision.is_due:
            return
        action = self.env["collection.action"].create(Plan._prepare_action(debtor, decision))
        if not action.needs_confirmation:
            action._deliver_batch()

    def _do_bounce(self, event):
        """Let the last message to a customer come back."""
        action = self._debtor(event.key).action_ids.filtered(
            lambda action: action.state == "done" and action.channel == "email" and action.address
        )[:1]
        if action:
            action.debtor_id._message_receive_bounce(action.address, action.contact_id)

    def _do_answer(self, event):
        """Let a customer answer the last message."""
        debtor = self._debtor(event.key)
        debtor.message_post(
            body=event.values["text"],
            author_id=debtor.contact_used_id.id,
            message_type="email",
            subtype_xmlid="mail.mt_comment",
        )
        debtor._note_reply()

    def _do_close(self, event):
        env, _debtor, _case = self._ask(event)
        case = self._case(self._debtor(event.key))
        if not case:
            return
        values = event.values
        env["collection.case.close"].create(
            {
                "case_id": case.id,
                "result": values["result"],
                "reason_id": self._reason(values),
                "note": values["note"],
            }
        ).action_confirm()

    def _do_hand_over(self, event):
        """Give customers who speak another language to an outside caller."""
        env = self._as("sophie")
        cases = self._case(self.env["collection.debtor"].union(*map(self._debtor, event.values["keys"]))).with_env(env)
        provider = self._create_provider()
        handover = env["collection.handover"]._hand_over(
            cases,
            {
                "provider_id": provider.id,
                "campaign_id": self.running.id,
                "date_start": self.clock.today,
                "date_end": self._day(event.values["until"]),
                "purpose": provider.purpose,
                "contract_ref": provider.contract_ref,
                **{name: provider[name] for name in FORMAT_FIELDS},
            },
        )
        remember(self.env, "demo_handover", handover)

    def _create_provider(self):
        partner = self.env["res.partner"].create(
            {
                "name": "Babel Contact",
                "is_company": True,
                "street": "31 quai de la Gare",
                "zip": "69002",
                "city": "Lyon",
                "country_id": self.env.ref("base.fr").id,
                "email": "contact@babel-contact.example",
                "lang": "en_US",
            }
        )
        provider = self.env["collection.provider"].create(
            {
                "partner_id": partner.id,
                "company_id": self.company.id,
                "contract_ref": "BC-2291",
                "privacy_note": "Contract on data processing signed with the order. Files are deleted after a month.",
            }
        )
        return remember(self.env, "demo_provider", provider)

    def _do_pause(self, event):
        self._debtor(event.key).with_env(self._as("camille")).write(
            {
                "paused_until": self.clock.today + timedelta(days=event.values["days"]),
                "pause_reason": event.values["reason"],
            }
        )

    def _do_insolvency(self, event):
        self._debtor(event.key).with_env(self._as("sophie")).insolvency = True

    def _do_pay(self, event):
        partner = self.people.customers[event.key]
        self.ledger.pay(self.clock.today, partner, **event.values)
        self._synchronize(partner)

    def _do_return(self, event):
        """Let the last payment of a customer come back unpaid."""
        partner = self.people.customers[event.key]
        self.ledger.bounce(self.clock.today, partner)
        self._synchronize(partner)

    def _do_credit(self, event):
        """Credit what was accepted of a dispute."""
        partner = self.people.customers[event.key]
        dispute = self._debtor(event.key).dispute_ids.filtered(lambda dispute: dispute.state == "accepted")[:1]
        for line in dispute.line_ids:
            item = line.move_line_id.with_env(self.ledger.env)
            self.ledger.credit(self.clock.today, partner, line.amount, item, f"Avoir sur {item.move_id.name}")
        self._synchronize(partner)

    def _do_credit_note(self, event):
        """Make a credit note that nobody set against anything yet."""
        partner = self.people.customers[event.key]
        self.ledger.credit(self.clock.today, partner, event.values["amount"], label="Avoir, retour de marchandise")
        self._synchronize(partner)

    def _do_on_account(self, event):
        partner = self.people.customers[event.key]
        self.ledger.receive_on_account(self.clock.today, partner, event.values["amount"])
        self._synchronize(partner)

    def _do_allocate(self, event):
        partner = self.people.customers[event.key]
        self.ledger.allocate(partner)
        self._synchronize(partner)
