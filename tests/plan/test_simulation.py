from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import freeze_time, tagged

from ..plan_common import PlanCommon


@tagged("post_install", "-at_install")
class TestSimulation(PlanCommon):
    """What would happen in the next 30 days, and why something does or doesn't happen today."""

    @classmethod
    def _simulate(cls, user=None, plans=None, debtors=None):
        cls._synchronize()
        Simulation = cls.env["collection.plan.simulation"].with_user(user or cls.manager)
        action = Simulation._open_result(
            plans and plans.with_user(Simulation.env.user), debtors and debtors.with_user(Simulation.env.user)
        )
        return Simulation.browse(action["res_id"])

    def _try(self, plan=None, user=None, **changes):
        """Return a simulation with the step of each delay changed as said, run."""
        self._synchronize()
        action = (plan or self.plan).with_user(user or self.manager).action_try_changes()
        simulation = self.env[action["res_model"]].with_user(user or self.manager).browse(action["res_id"])
        for name, values in changes.items():
            delay = int(name.removeprefix("d").replace("_", "-"))
            simulation.step_ids.filtered(lambda step, delay=delay: step.delay == delay).write(values)
        simulation.action_run()
        return simulation

    def _rows(self, simulation, *names):
        return [
            tuple(line[name] for name in names)
            for line in simulation.line_ids.sorted(lambda line: (line.date, line.id))
        ]

    # == The days to come ==

    def test_steps_in_order_with_their_days_and_reason(self):
        invoice = self._create_invoice(days_late=3, amount=500)
        simulation = self._simulate()
        rows = self._rows(simulation, "date", "step_id", "channel")
        self.assertEqual(
            rows,
            [
                (self.today, self._step(3), "email"),
                # D+8 is a Sunday, D+15 too.
                (fields.Date.to_date("2026-03-16"), self._step(8), "email"),
                (fields.Date.to_date("2026-03-23"), self._step(15), "call"),
                (fields.Date.to_date("2026-04-07"), self._step(30), "email"),
            ],
        )
        first = simulation.line_ids.sorted("date")[0]
        self.assertEqual((first.item_name, first.days_late, first.amount), (invoice.name, 3, 500))
        self.assertTrue(first.is_automatic)
        self.assertFalse(simulation.line_ids.filtered(lambda line: line.channel == "call").is_automatic)
        self.assertIn("4", simulation.summary)

    def test_same_as_what_then_happens(self):
        """The simulation says what the scheduled action does in the days that follow, if nobody pays."""
        for number in range(4):
            customer = self._create_customer(f"Customer{number} SARL")
            self._create_invoice(customer, days_late=3 * number - 4)
            self._create_invoice(customer, days_late=-3 - number)
        self._step(15).write({"channel": "email", "template_id": self.template.id})
        simulation = self._simulate()
        expected = {
            (line.debtor_id.id, line.step_id.id, line.date)
            for line in simulation.line_ids
            if line.date < self.today + timedelta(days=10)
        }
        self.assertGreater(len(expected), 4)
        for offset in range(10):
            with freeze_time(f"{self.today + timedelta(days=offset)} 10:00:00"):
                self._synchronize()
                self._run_cron()
        done = self._actions(state="done").filtered("step_id")
        self.assertEqual(
            {(action.debtor_id.id, action.step_id.id, action.date_done.date()) for action in done}, expected
        )

    def test_courtesy_before_the_due_date(self):
        self._create_invoice(days_late=-8, amount=70)
        simulation = self._simulate()
        first = simulation.line_ids.sorted("date")[0]
        self.assertEqual((first.step_id, first.date), (self._step(-7), self.today + timedelta(days=1)))
        self.assertEqual((first.days_late, first.amount), (-7, 70))

    def test_nothing_real_is_changed(self):
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        # Writes down what was tracked so far.
        self.env.cr.flush()
        before = (self.plan.read(), self.plan.step_ids.read(["delay", "channel", "active"]))
        self._simulate()
        self._try(d3={"delay": 5}, d8={"is_kept": False})
        self.assertFalse(self._actions())
        self.env.invalidate_all()
        self.assertEqual((self.plan.read(), self.plan.step_ids.read(["delay", "channel", "active"])), before)
        self.assertTrue(self._decide(debtor).is_due)

    def test_silence_is_counted_by_reason(self):
        self._create_invoice(days_late=10)
        self._create_invoice(self.other_customer, days_late=10)
        self._get_debtor().sudo().reply_date = self.today
        self._get_debtor(self.other_customer).write({"paused_until": self._days(7), "pause_reason": "Fair"})
        simulation = self._simulate()
        self.assertEqual(simulation.line_ids.partner_id, self.other_customer, "a pause ends, an answer waits")
        self.assertGreaterEqual(min(simulation.line_ids.mapped("date")), self.today + timedelta(days=7))
        self.assertIn("Answer not read yet", simulation.summary)

    def test_planned_steps_are_shown_on_their_day(self):
        self._create_invoice(days_late=20)
        debtor = self._get_debtor()
        decision = self._decide(debtor)
        action = (
            self.env["collection.action"].sudo().create(self.env["collection.plan"]._prepare_action(debtor, decision))
        )
        action.date_planned = self._days(2)
        simulation = self._simulate()
        first = simulation.line_ids.sorted("date")[0]
        self.assertEqual((first.step_id, first.date), (action.step_id, self.today + timedelta(days=2)))

    def test_old_debts_are_begun_at_their_rate(self):
        customers = [self._create_customer(f"Old{number}") for number in range(5)]
        for number, customer in enumerate(customers):
            self._create_invoice(customer, amount=1000 * (number + 1), days_late=20)
        self.plan.old_debts_per_day = 2
        simulation = self._simulate()
        firsts = {}
        for line in simulation.line_ids.sorted("date"):
            firsts.setdefault(line.debtor_id, line)
        days = sorted(line.date for line in firsts.values())
        self.assertEqual([(day - self.today).days for day in days], [0, 0, 1, 1, 2])
        self.assertTrue(all(line.is_old for line in firsts.values()))
        by_day = sorted(firsts.values(), key=lambda line: line.date)
        self.assertGreaterEqual(
            min(line.debtor_id.score for line in by_day[:2]), max(line.debtor_id.score for line in by_day[2:])
        )

    def test_decided_already_today(self):
        """What was decided today isn't decided again: what comes new waits for tomorrow."""
        self.plan.sudo().planned_on = self.today
        self._create_invoice(days_late=10)
        self.assertEqual(min(self._simulate().line_ids.mapped("date")), self.today + timedelta(days=1))

    # == Try changes ==

    def test_other_days(self):
        self._create_invoice(days_late=3)
        simulation = self._try(d8={"delay": 11})
        self.assertEqual(
            self._rows(simulation, "step_id", "status"),
            [
                (self._step(3), "same"),
                (self._step(8), "moved"),
                (self._step(15), "same"),
                (self._step(30), "same"),
            ],
        )
        moved = simulation.line_ids.filtered(lambda line: line.status == "moved")
        self.assertEqual(
            (str(moved.date_before), str(moved.date)), ("2026-03-16", "2026-03-18"), "eleven days after the due date"
        )

    def test_step_left_out_other_channel_and_amount(self):
        self._create_invoice(days_late=3, amount=100)
        simulation = self._try(d8={"is_kept": False}, d15={"channel": "email"}, d30={"min_amount": 150})
        self.assertEqual(
            sorted(self._rows(simulation, "step_id", "status"), key=lambda row: row[0].delay),
            [
                (self._step(3), "same"),
                (self._step(8), "gone"),
                (self._step(15), "changed"),
                (self._step(30), "gone"),
            ],
        )
        self.assertEqual(simulation.difference_count, 3)
        self.assertEqual(simulation.line_count, 2)

    def test_what_was_said_stays_said_on_other_days(self):
        self._create_invoice(days_late=3)
        self._synchronize()
        self._run_cron()
        simulation = self._try(d3={"delay": 5})
        self.assertNotIn(self._step(3), simulation.line_ids.step_id, "it was said already")

    def test_changes_are_checked(self):
        with self.assertRefused("same day"):
            self._try(d3={"delay": 8})
        with self.assertRefused("two years"):
            self._try(d3={"delay": 1000})
        with self.assertRefused("courtesy"):
            self._try(d15={"delay": -3})
        with self.assertRefused("at least one"):
            self._try(**{name: {"is_kept": False} for name in ("d_7", "d3", "d8", "d15", "d30")})

    def test_steps_moved_for_real(self):
        """A step keeps what it said when its day changes: it is not said again."""
        self._create_invoice(days_late=3)
        self._synchronize()
        self._run_cron()
        debtor = self._get_debtor()
        self._step(3).with_user(self.manager).delay = 5
        with freeze_time("2026-03-13 10:00:00"):
            self._synchronize()
            self._run_cron()
            self.assertEqual(len(self._actions(debtor)), 1)
            self.assertEqual(self._decide(debtor).step, self._step(8))

    # == Why? ==

    def _why(self, debtor, user=None):
        action = debtor.with_user(user or self.collector).action_why()
        return self.env[action["res_model"]].with_user(user or self.collector).browse(action["res_id"])

    def test_why_shows_the_facts(self):
        invoice = self._create_invoice(days_late=10, amount=500)
        self._create_invoice(days_late=-20, amount=80)
        debtor = self._get_debtor()
        self._run_cron()
        why = self._why(debtor)
        self.assertEqual(why.reason, "gap")
        self.assertIn("D+8", why.answer)
        for text in (invoice.name, "500.00", "80.00", "D+3 Step 3", "next, on", "done on 03/10/2026", "later"):
            self.assertIn(text, self._plain(why.facts))
        self.assertIn("At least 3 days", why.facts)

    def test_why_names_what_is_not_claimed(self):
        invoice = self._create_invoice(days_late=10, amount=500)
        debtor = self._get_debtor()
        self._dispute(debtor, self._get_items(invoice), amount=200)
        self._promise(debtor, amount=100, date=self._days(5))
        why = self._why(self._get_debtor())
        self.assertRegex(self._plain(why.facts), "200.00.* disputed")
        self.assertRegex(self._plain(why.facts), "100.00.* promised")

    def test_why_says_what_is_in_the_way(self):
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        debtor.sudo().reply_date = self.today
        why = self._why(debtor)
        self.assertEqual(why.reason, "unread_reply")
        self.assertIn("D+3", why.otherwise)
        self.assertIn("mark it as read", why.advice)
        why.action_mark_read()
        self.assertFalse(debtor.reply_date)
        self.assertEqual(self._why(debtor).reason, "due")

    def test_why_an_old_debt_waits_for_its_turn(self):
        self._create_invoice(days_late=10)
        self._create_invoice(self.other_customer, days_late=10, amount=9000)
        self.plan.old_debts_per_day = 1
        self._synchronize()
        self._run_cron()
        debtors = self.env["collection.debtor"].search([("company_id", "=", self.company.id)])
        waiting = debtors.filtered(lambda debtor: not debtor.action_ids)
        self.assertEqual(len(waiting), 1)
        self.assertEqual(self._why(waiting).reason, "old_debts")

    def test_why_for_every_reason(self):
        """Each reason has words and a way to change it."""
        Plan = self.env["collection.plan"]
        self._create_invoice(days_late=10)
        why = self._why(self._get_debtor())
        decision = self._decide(self._get_debtor())
        for reason in ("due", "not_yet", "gap", "pressure", "payment_run", "closed", "old_debts", "finished",
                       "nothing_claimable", "archived", "insolvency", "paused", "no_plan", "not_running",
                       "unread_reply", "payment_pending", "unmatched_payment", "bank_stale", "planned"):  # fmt: skip
            other = type(decision)(reason, decision.plan, decision.step, decision.day, details={"date": self.today})
            with self.subTest(reason=reason):
                self.assertNotEqual(Plan._describe(other, self._get_debtor()), reason)
                self.assertNotEqual(Plan._get_reason_label(reason), reason)
                self.assertTrue(why._get_advice(other))

    # == Rights ==

    def test_collectors_see_their_own(self):
        self._create_invoice(days_late=10)
        self._create_invoice(self.other_customer, days_late=10)
        self._get_debtor(self.other_customer).collector_id = self.other_collector
        simulation = self._simulate(self.collector)
        self.assertEqual(simulation.line_ids.partner_id, self.customer)
        self.assertEqual(self._simulate(self.team_user).line_ids.partner_id, self.customer + self.other_customer)
        with self.assertRaises(AccessError):
            simulation.with_user(self.other_collector).line_ids.read(["amount"])
        with self.assertRaises(AccessError):
            self._why(self._get_debtor(self.other_customer))
        why = self.env["collection.debtor.why"].with_user(self.collector)
        with self.assertRaises(AccessError):
            why.create({"debtor_id": self._get_debtor(self.other_customer).id}).read(["facts"])

    def test_lines_are_not_written_by_hand(self):
        self._create_invoice(days_late=10)
        simulation = self._simulate(self.collector)
        with self.assertRaises(AccessError):
            simulation.line_ids[:1].write({"amount": 1})

    # == Volume ==

    def _create_debtors(self, count):
        for number in range(count):
            self._create_invoice(self._create_customer(f"Volume{number}"), days_late=number % 40)
        self._synchronize()

    def _count_queries(self, function):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        function()
        self.env.flush_all()
        return self.cr.sql_log_count - before

    def test_queries_don_t_grow_with_customers(self):
        Simulation = self.env["collection.plan.simulation"].with_user(self.manager)
        plan = self.plan.with_user(self.manager)

        def simulate():
            Simulation._open_result()

        def compare():
            simulation = Simulation._create_simulation(plan, with_steps=True)
            simulation.step_ids[1].delay += 1
            simulation._run()

        def start():
            self.env["collection.plan.start"].with_user(self.manager).new({"plan_id": plan.id}).preview  # noqa: B018

        self._create_debtors(4)
        simulate(), compare(), start()
        few = [self._count_queries(function) for function in (simulate, compare, start)]
        self._create_debtors(25)
        many = [self._count_queries(function) for function in (simulate, compare, start)]
        for before, after in zip(few, many, strict=True):
            self.assertLessEqual(after, before + 2)

    def test_queries_of_why_don_t_grow_with_items(self):
        self._create_invoice(days_late=3)
        debtor = self._get_debtor()
        self._why(debtor).facts  # noqa: B018
        few = self._count_queries(lambda: self._why(debtor).facts)
        for number in range(15):
            self._create_invoice(days_late=number + 4)
        debtor = self._get_debtor()
        self.assertLessEqual(self._count_queries(lambda: self._why(debtor).facts), few + 2)
