import unittest
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tools import cadence
from tools.cadence import DUE, File, Item, Rules, Step, covered_level, decide, starting_level

START = date(2026, 1, 5)
DELAYS = (-7, -1, 0, 3, 8, 15, 30, 45, 75)
ALWAYS = Rules()

step_lists = st.lists(st.sampled_from(DELAYS), min_size=1, unique=True).map(
    lambda delays: tuple(Step(number, delay) for number, delay in enumerate(sorted(delays)))
)
item_lists = st.lists(st.tuples(st.integers(-120, 40), st.integers(1, 500)), min_size=1, max_size=6).map(
    lambda rows: [Item(key, _day(offset), float(amount)) for key, (offset, amount) in enumerate(rows)]
)
rule_sets = st.builds(
    lambda gap, cap, weekdays: Rules(gap, cap, 30, lambda day: day.weekday() in weekdays),
    st.integers(0, 12),
    st.integers(0, 4),
    st.sets(st.integers(0, 6), max_size=5),
)


def _day(offset):
    return START + timedelta(days=offset)


# Hundreds of days are lived through, on machines that are busy.
lived = settings(deadline=None, max_examples=50)


class _Customer:
    """Somebody who never pays, reminded day by day as the scheduled action would."""

    def __init__(self, items, steps, rules, **facts):
        self.file = File(items, **facts)
        self.steps, self.rules = steps, rules
        self.said = []

    def live(self, days, first=0, runs=1):
        for offset in range(first, first + days):
            for _run in range(runs):
                self.run(_day(offset))
        return self

    def run(self, day):
        decision = decide(self.file, self.steps, self.rules, day)
        if decision.reason != DUE:
            return
        before = {item.key: item.level for item in self.file.items}
        for item in self.file.items:
            level = covered_level(decision.step.delay, item.due, day, self.steps)
            item.level = max((known for known in (level, item.level) if known is not None), default=None)
        self.file.contacts.append(day)
        self.file.last_message = day
        self.said.append((day, decision.step, decision.item, before))

    @property
    def days(self):
        return [day for day, *_rest in self.said]

    @property
    def delays(self):
        return [step.delay for _day, step, *_rest in self.said]


class TestCadence(unittest.TestCase):
    """What holds for every customer, plan and calendar."""

    @lived
    @given(item_lists, step_lists, rule_sets, st.integers(1, 3))
    def test_never_two_in_the_gap_nor_on_a_day(self, items, steps, rules, runs):
        days = _Customer(items, steps, rules).live(150, runs=runs).days
        for earlier, later in zip(days, days[1:], strict=False):
            self.assertGreaterEqual((later - earlier).days, max(rules.gap, 1))

    @lived
    @given(item_lists, step_lists, rule_sets, st.lists(st.integers(-40, 0), max_size=5))
    def test_cap_over_rolling_days(self, items, steps, rules, earlier):
        """Contacts of any kind count, also those before the plan."""
        contacts = sorted(_day(offset) for offset in earlier)
        customer = _Customer(items, steps, rules, contacts=contacts).live(150, first=1)
        if rules.cap:
            for day in customer.days:
                within = [other for other in customer.file.contacts if day - timedelta(days=30) < other <= day]
                self.assertLessEqual(len(within), rules.cap)

    @lived
    @given(item_lists, step_lists, rule_sets)
    def test_each_item_goes_up_the_plan(self, items, steps, rules):
        """The item that calls for a step had all those before; a word before the due date is said then or never."""
        for day, step, key, before in _Customer(items, steps, rules).live(150).said:
            item = items[key]
            skipped = [
                other
                for other in steps
                if other.delay < step.delay and (before[key] is None or other.delay > before[key])
            ]
            self.assertTrue(all(other.delay < 0 for other in skipped), (day, step, skipped))
            self.assertGreaterEqual((day - item.due).days, step.delay, "never before its day")
            self.assertTrue(before[key] is None or before[key] < step.delay, "never twice")

    @lived
    @given(item_lists, step_lists, rule_sets)
    def test_who_never_pays_reaches_the_last_step(self, items, steps, rules):
        customer = _Customer(items, steps, rules).live(500)
        if steps[-1].delay > 0:
            self.assertEqual({item.level for item in items}, {steps[-1].delay})
        self.assertIn(
            decide(customer.file, steps, rules, _day(500)).reason, ("finished",), "then there is nothing more to say"
        )

    @lived
    @given(item_lists, step_lists, rule_sets)
    def test_closed_days_are_never_chosen(self, items, steps, rules):
        customer = _Customer(items, steps, rules, is_closed=lambda day: day.day in (1, 2, 15)).live(120)
        for day in customer.days:
            self.assertFalse(rules.is_closed(day) or customer.file.is_closed(day))
        if steps[-1].delay >= 0:
            self.assertTrue(customer.days, "open days are")

    @given(item_lists, step_lists, rule_sets, st.integers(0, 40))
    def test_announced_days_are_open(self, items, steps, rules, offset):
        decision = decide(File(items), steps, rules, _day(offset))
        if decision.day:
            self.assertFalse(rules.is_closed(decision.day))
            self.assertGreaterEqual(decision.day, _day(offset))

    @lived
    @given(item_lists, step_lists, rule_sets)
    def test_no_courtesy_once_due(self, items, steps, rules):
        for day, step, key, _before in _Customer(items, steps, rules).live(120).said:
            if step.delay < 0:
                self.assertLess(day, items[key].due)
                self.assertFalse([item for item in items if item.due < day], "nor while something is overdue")

    @lived
    @given(
        st.integers(-60, 60),
        step_lists,
        rule_sets,
        st.lists(st.integers(1, 31), max_size=3),
        st.integers(0, 60),
    )
    def test_what_is_announced_happens(self, offset, steps, rules, payment_days, today):
        """The simulation shows the day on which the scheduled run will really speak."""
        steps = tuple(Step(step.key, step.delay, awaits_run=True) for step in steps)
        file = File([Item(0, _day(offset), 10.0)], payment_days=tuple(payment_days))
        announced = decide(file, steps, rules, _day(today))
        if announced.step:
            self.assertEqual(
                decide(file, steps, rules, announced.day), cadence.Decision(DUE, announced.step, announced.day, 0)
            )
            for day in range(today, (announced.day - START).days):
                self.assertNotEqual(decide(file, steps, rules, _day(day)).reason, DUE, "not before that day")

    @given(item_lists, step_lists, rule_sets, st.integers(0, 60), st.randoms())
    def test_same_facts_same_decision(self, items, steps, rules, offset, shuffler):
        first = decide(File(list(items)), steps, rules, _day(offset))
        shuffler.shuffle(items)
        self.assertEqual(decide(File(items), steps, rules, _day(offset)), first)

    @given(item_lists, step_lists, rule_sets)
    def test_asking_changes_nothing(self, items, steps, rules):
        file = File(items, contacts=[_day(-3)], last_message=_day(-3))
        before = repr(file)
        decide(file, steps, rules, START)
        self.assertEqual(repr(file), before)


class TestCadenceCases(unittest.TestCase):
    """What people ask about."""

    steps = tuple(Step(number, delay) for number, delay in enumerate(DELAYS))

    def test_due_today_is_not_overdue(self):
        steps = (Step(0, 3, min_amount=100.0), Step(1, 15))
        file = File([Item(0, _day(-10), 60.0), Item(1, START, 60.0)])
        self.assertEqual(decide(file, steps, ALWAYS, START), cadence.Decision("not_yet", steps[1], _day(5), 0))
        self.assertEqual(decide(file, steps, ALWAYS, _day(1)), cadence.Decision(DUE, steps[0], _day(1), 0))

    def test_nothing_left_to_say(self):
        self.assertEqual(decide(File([]), self.steps, ALWAYS, START), cadence.Decision("nothing_claimable"))
        said = File([Item(0, START, 10.0, level=75)])
        self.assertEqual(decide(said, self.steps, ALWAYS, START).reason, "nothing_claimable")
        self.assertEqual(decide(said, self.steps, ALWAYS, _day(1)).reason, "finished")

    def test_debt_that_is_too_small_for_what_is_left(self):
        large, courtesy = Step(1, 15, min_amount=100.0), Step(0, -7, min_amount=100.0)
        for steps, level, amount, reason in (
            ((Step(0, 3), large), 3, 99.5, "too_small"),
            ((Step(0, 3), large), 15, 99.5, "finished"),
            ((courtesy, Step(1, 3)), 3, 99.5, "finished"),
            ((Step(0, 0, min_amount=100.0),), None, 99.5, "too_small"),
            ((Step(0, 0, min_amount=100.0),), None, 100.0, DUE),
            ((Step(0, 3), large), 3, 100.0, DUE),
            ((large, Step(2, 30)), 30, 20.0, "finished"),
            ((courtesy, Step(1, -1, min_amount=100.0)), None, 99.5, "finished"),
        ):
            with self.subTest(steps=steps, level=level, amount=amount):
                file = File([Item(0, _day(-40), amount, level), Item(1, START, 500.0, 75)])
                self.assertEqual(decide(file, steps, ALWAYS, START).reason, reason)
        both = File([Item(0, _day(-40), 60.0, 3), Item(1, _day(-1), 39.5, 3)])
        self.assertEqual(decide(both, (Step(0, 3), large), ALWAYS, START).reason, "too_small", "all that is overdue")

    def test_next_step_is_announced(self):
        steps = (Step(1, 3), Step(2, 8))
        items = [Item(9, _day(9), 10.0), Item(7, _day(2), 10.0), Item(3, _day(2), 10.0)]
        self.assertEqual(decide(File(items), steps, ALWAYS, START), cadence.Decision("not_yet", steps[0], _day(5), 3))
        self.assertEqual(decide(File(items), steps, ALWAYS, _day(5)), cadence.Decision(DUE, steps[0], _day(5), 3))

    def test_step_on_the_due_date(self):
        for step in (Step(0, 0), Step(0, 0, min_amount=10.0)):
            file = File([Item(0, START, 10.0)])
            self.assertEqual(decide(file, (step,), ALWAYS, START), cadence.Decision(DUE, step, START, 0))
            self.assertEqual(decide(file, (step,), ALWAYS, _day(1)), cadence.Decision(DUE, step, _day(1), 0))
            self.assertEqual(decide(file, (step,), ALWAYS, _day(-1)).reason, "not_yet")

    def test_courtesy_is_said_in_time_or_never(self):
        steps = (Step(0, -1), Step(1, 3))
        file = File([Item(0, _day(1), 10.0)])
        self.assertEqual(decide(file, steps, ALWAYS, START), cadence.Decision(DUE, steps[0], START, 0))
        self.assertEqual(decide(file, steps, ALWAYS, _day(1)), cadence.Decision("not_yet", steps[1], _day(4), 0))
        self.assertEqual(decide(file, steps, Rules(is_closed=lambda day: day == START), START).step, steps[1])
        self.assertEqual(
            decide(file, steps, ALWAYS, _day(-5)), cadence.Decision("not_yet", steps[0], START, 0), "a word to come"
        )

    def test_least_amount_before_the_due_date(self):
        steps = (Step(0, -7, min_amount=100.0),)
        for amount, reason in ((100.0, DUE), (99.5, "nothing_claimable")):
            file = File([Item(0, _day(5), amount)])
            self.assertEqual(decide(file, steps, ALWAYS, START).reason, reason)

    def test_gap_ends_on_its_day(self):
        file = File([Item(0, _day(-20), 0.5)], contacts=[_day(-1)], last_message=_day(-1))
        steps = (Step(0, 3),)
        for gap in (0, 1):
            self.assertEqual(decide(file, steps, Rules(gap=gap), START).reason, DUE)
        self.assertEqual(decide(file, steps, Rules(gap=3, cap=5), START), cadence.Decision("gap", steps[0], _day(2), 0))
        self.assertEqual(decide(file, steps, Rules(gap=3, cap=5), _day(2)).reason, DUE)

    def test_thirty_days_of_pressure(self):
        steps = (Step(0, 3),)
        for contact, reason, day in ((-30, DUE, 0), (-29, "pressure", 1), (0, "pressure", 30)):
            file = File([Item(0, _day(-20), 10.0)], contacts=[_day(contact)])
            self.assertEqual(decide(file, steps, Rules(cap=1), START), cadence.Decision(reason, steps[0], _day(day), 0))

    def test_pressure_after_a_contact_long_ago(self):
        file = File([Item(0, _day(-20), 10.0)], contacts=[_day(-40), _day(-5)])
        steps = (Step(0, 3),)
        self.assertEqual(decide(file, steps, Rules(cap=1), START), cadence.Decision("pressure", steps[0], _day(25), 0))

    def test_missed_days_are_caught_up_step_by_step(self):
        customer = _Customer([Item(0, START, 100.0)], self.steps, Rules(gap=5))
        customer.live(100, first=500)
        self.assertEqual(customer.delays, [0, 3, 8, 15, 30, 45, 75])
        self.assertEqual(customer.days, [_day(500 + 5 * number) for number in range(7)])

    def test_missed_days_with_items_of_all_ages(self):
        items = [Item(number, _day(7 * number), 10.0) for number in range(60)]
        customer = _Customer(items, self.steps, Rules(gap=3, cap=4)).live(200, first=500)
        self.assertEqual(customer.delays[:7], [0, 3, 8, 15, 30, 45, 75], "one file, one message at a time")

    def test_no_gap_still_means_another_day(self):
        customer = _Customer([Item(0, START, 100.0)], self.steps, ALWAYS).live(1, first=100, runs=5)
        self.assertEqual(customer.delays, [0])

    def test_young_item_beside_an_old_one(self):
        old, young = Item(0, _day(-40), 50.0, level=15), Item(1, _day(-4), 50.0)
        customer = _Customer([old, young], self.steps, Rules(gap=2)).live(1)
        self.assertEqual(customer.delays, [30], "the oldest sets the tone")
        self.assertEqual((old.level, young.level), (30, 3), "the young one does not rise with it")
        customer.live(10, first=1)
        self.assertEqual(customer.delays[1:2], [8], "and goes on from its own level")

    def test_least_amount(self):
        steps = (Step(0, 3), Step(1, 15, min_amount=100.0), Step(2, 30))
        small = _Customer([Item(0, START, 99.0)], steps, ALWAYS).live(60)
        self.assertEqual(small.delays, [3, 30], "who owes less goes on without the step")
        both = _Customer([Item(0, START, 60.0), Item(1, START, 60.0)], steps, ALWAYS).live(60)
        self.assertEqual(both.delays, [3, 15, 30], "what counts is all that is overdue")

    def test_payment_run(self):
        steps = (Step(0, 3, awaits_run=True),)
        for due in range(60):
            file = File([Item(0, _day(due), 10.0)], payment_days=(10, 25))
            decision = decide(file, steps, ALWAYS, _day(due + 3))
            wanted = _day(due + 3)
            waited = (decision.day - wanted).days
            self.assertLessEqual(waited, cadence.LONGEST_WAIT_FOR_RUN)
            self.assertEqual(decision.reason, "payment_run" if waited else DUE)
            if waited:
                self.assertIn((decision.day + timedelta(days=3)).day, (10, 25))

    def test_days_before_the_payment_run(self):
        """Due on the third day after; reminded three days before the run, if that is ten days away at most."""
        waiting, other = Step(0, 3, awaits_run=True), Step(0, 3)
        for step, payment_days, today, day in (
            (waiting, (10, 25), date(2026, 1, 5), date(2026, 1, 7)),
            (waiting, (18,), date(2026, 1, 5), date(2026, 1, 15)),
            (waiting, (19,), date(2026, 1, 5), None),
            (waiting, (), date(2026, 1, 5), None),
            (other, (10, 25), date(2026, 1, 5), None),
            # From three days before until the day before.
            (waiting, (10, 20), date(2026, 1, 7), None),
            (waiting, (10, 20), date(2026, 1, 9), None),
            (waiting, (10, 15), date(2026, 1, 10), date(2026, 1, 12)),
            # In a month without their day they pay on its last one.
            (waiting, (10, 31), date(2026, 2, 17), date(2026, 2, 25)),
            (waiting, (10, 31), date(2026, 4, 20), date(2026, 4, 27)),
        ):
            with self.subTest(payment_days=payment_days, today=today):
                file = File([Item(0, today - timedelta(days=3), 10.0)], payment_days=payment_days)
                self.assertEqual(
                    decide(file, (step,), ALWAYS, today),
                    cadence.Decision("payment_run" if day else DUE, step, day or today, 0),
                )

    def test_gap_that_ends_before_the_run(self):
        steps = (Step(0, 3, awaits_run=True),)
        file = File([Item(0, _day(-3), 10.0)], payment_days=(10,), last_message=START)
        self.assertEqual(decide(file, steps, Rules(gap=2), START), cadence.Decision("gap", steps[0], _day(2), 0))

    def test_customer_who_is_closed(self):
        steps = (Step(0, 3),)
        file = File([Item(0, _day(-3), 10.0)], is_closed=lambda day: day.day == 5)
        self.assertEqual(decide(file, steps, ALWAYS, START), cadence.Decision("closed", steps[0], _day(1), 0))
        self.assertEqual(decide(file, steps, ALWAYS, _day(1)).reason, DUE)

    @given(st.lists(st.integers(1, 31), min_size=1, max_size=4), st.integers(0, 400))
    def test_wait_for_the_payment_run_ends(self, payment_days, offset):
        file = File([Item(0, _day(offset), 10.0)], payment_days=tuple(payment_days))
        customer = _Customer(file.items, (Step(0, 3, awaits_run=True),), ALWAYS, payment_days=file.payment_days)
        customer.live(40, first=offset)
        self.assertLessEqual((customer.days[0] - _day(offset + 3)).days, cadence.LONGEST_WAIT_FOR_RUN)

    def test_silence(self):
        file = File([Item(0, _day(-20), 10.0)], silence="paused", silent_until=_day(4))
        self.assertEqual(decide(file, self.steps, ALWAYS, _day(3)), cadence.Decision("paused", day=_day(4)))
        self.assertEqual(decide(file, self.steps, ALWAYS, _day(4)).reason, DUE)
        file.silence, file.silent_until = "insolvency", None
        self.assertEqual(decide(file, self.steps, ALWAYS, _day(4)), cadence.Decision("insolvency"))

    def test_closure_is_looked_through_for_sixty_days(self):
        decision = decide(File([Item(0, _day(-3), 10.0)]), (Step(0, 3),), Rules(is_closed=lambda day: True), START)
        self.assertEqual((decision.reason, decision.day), ("closed", _day(60)))

    def test_endless_closure_never_speaks(self):
        customer = _Customer([Item(0, _day(-20), 10.0)], self.steps, Rules(is_closed=lambda day: True)).live(100)
        self.assertFalse(customer.said)


class TestLevels(unittest.TestCase):
    def test_debt_that_is_due_on_the_first_day_is_not_old(self):
        steps = (Step(0, -7), Step(1, -3), Step(2, 3))
        self.assertIsNone(starting_level(START, START, 8, steps))
        self.assertIsNone(starting_level(_day(5), START, 8, steps))
        self.assertEqual(starting_level(_day(-1), START, 8, steps), -7)
        self.assertEqual(starting_level(_day(-3), START, 8, steps), -3)
        self.assertFalse(Item(0, START, 1.0).is_old)

    @given(st.integers(-90, 400), st.sampled_from(DELAYS), step_lists)
    def test_no_level_above_the_message_nor_the_age(self, days_late, delay, steps):
        level = covered_level(delay, START, _day(days_late), steps)
        if level is not None:
            self.assertLessEqual(level, min(delay, days_late))
            self.assertIn(level, [step.delay for step in steps])
        self.assertEqual(covered_level(delay, START, _day(max(days_late, delay)), (Step(0, delay), *steps)), delay)

    @given(st.integers(-90, 400), st.integers(0, 100), st.sampled_from(DELAYS), step_lists)
    def test_level_never_falls_with_age(self, days_late, more, delay, steps):
        young, old = (covered_level(delay, START, _day(days), steps) for days in (days_late, days_late + more))
        self.assertLessEqual(*(-1000 if level is None else level for level in (young, old)))

    @given(st.integers(-700, 30), st.none() | st.sampled_from(DELAYS), step_lists)
    def test_old_debts_begin_at_their_age_or_the_chosen_step(self, offset, start_delay, steps):
        due = _day(offset)
        level = starting_level(due, START, start_delay, steps)
        decision = decide(File([Item(0, due, 10.0, level)]), steps, ALWAYS, START)
        if due >= START or start_delay is None:
            self.assertIsNone(level, "nothing is skipped")
        if due < START and decision.reason == DUE:
            allowed = [step.delay for step in steps if 0 <= step.delay <= (START - due).days]
            below = [delay for delay in allowed if delay <= (start_delay if start_delay is not None else -1000)]
            self.assertEqual(decision.step.delay, max(below, default=min(allowed)))
