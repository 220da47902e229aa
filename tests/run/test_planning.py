from contextlib import suppress
from datetime import timedelta
from unittest.mock import patch

from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from ...models.run import collection_plan as run_collection_plan
from ..plan_common import PlanCommon
from .test_run import LOGGER, RunMixin


class Killed(BaseException):
    """The worker is gone in the middle of its work."""


@tagged("post_install", "-at_install")
class TestPlanning(RunMixin, PlanCommon):
    """A company's customers are decided on in batches, a transaction each: whatever happens, nothing twice or lost."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partners = cls.env["res.partner"].union(*(cls._create_customer(f"Many {number}") for number in range(5)))
        for number, partner in enumerate(cls.partners):
            cls._create_invoice(partner, amount=100 + 100 * number, days_late=10)
        cls._synchronize()
        cls.debtors = cls.env["collection.debtor"].search(
            [("company_id", "=", cls.company.id), ("due_amount", ">", 0)], order="score DESC, id"
        )

    def setUp(self):
        super().setUp()
        self.patch(run_collection_plan, "PLANNING_BATCH_SIZE", 2)

    def _watch(self, fault=None):
        """Have the second batch of the company fail once with ``fault``, after its work.

        :return: list of the ids of the debtors of each batch that was tried.
        """
        Plan = self.env.registry["collection.plan"]
        original = Plan._plan_isolated
        batches = []

        def _plan_isolated(plans, debtors):
            if debtors.company_id == self.company:
                batches.append(debtors.ids)
            actions = original(plans, debtors)
            if fault and debtors.company_id == self.company and len(batches) == 2:
                plans.env.flush_all()
                raise fault
            return actions

        self.startPatcher(patch.object(Plan, "_plan_isolated", _plan_isolated))
        return batches

    def _kill(self):
        """Run the scheduled action, and kill it in its second batch.

        :return: see ``_watch``.
        """
        batches = self._watch(Killed())
        # Not by assertRaises, which takes back what was committed.
        with suppress(Killed):
            self._run()
        self.assertEqual(len(batches), 2)
        self.env.invalidate_all()
        return batches

    def _run(self):
        """Run the scheduled action at 3 o'clock: nothing is delivered yet."""
        with freeze_time(f"{self.today} 03:00:00"):
            self._trigger("cron_plan_and_deliver")

    def _planned(self, company=None):
        actions = self.env["collection.action"].search(
            [("company_id", "=", (company or self.company).id), ("state", "=", "planned")], order="id"
        )
        return actions.debtor_id.ids if len(actions.debtor_id) == len(actions) else "somebody twice"

    def test_each_batch_is_committed(self):
        batches = self._watch()
        commits = []
        Cron = self.env.registry["ir.cron"]
        original = Cron._commit_progress

        def _commit_progress(crons, *args, **kwargs):
            commits.append(len(batches))
            return original(crons, *args, **kwargs)

        self.startPatcher(patch.object(Cron, "_commit_progress", _commit_progress))
        self._run()
        ids = self.debtors.ids
        self.assertEqual(batches, [ids[:2], ids[2:4], ids[4:]], "best score first")
        self.assertTrue({1, 2, 3} <= set(commits), "after each of them")
        self.assertEqual(self._planned(), ids)
        self.assertEqual((self.plan.planned_on, self.plan.undecided), (self.today, False))
        self._run()
        self.assertEqual(len(batches), 3, "once a day")

    def test_killed_between_batches(self):
        """The next worker goes on where the first one was: nobody is decided on twice, nobody is forgotten."""
        batches = self._kill()
        ids = self.debtors.ids
        self.assertEqual(self._planned(), ids[:2], "the batch that was lost left nothing")
        self.assertFalse(self.plan.planned_on)
        self._run()
        self.assertEqual(batches, [ids[:2], ids[2:4], ids[2:4], ids[4:]])
        self.assertEqual(self._planned(), ids)
        self.assertEqual(self.plan.planned_on, self.today)

    def test_failure_in_the_second_batch_stops_no_other_company(self):
        other = self.setup_other_company(name="Other", country_id=self.env.ref("base.fr").id)["company"]
        other.collection_bank_fresh_days = 0
        self.company.sequence, other.sequence = 1, 2
        self._create_invoice(self.customer, company=other, days_late=10)
        debtor = self._get_debtor(self.customer, other)
        plan = self._create_plan(company_id=other.id, user_id=False)
        plan._start()
        self._watch(ValueError("broken"))
        with mute_logger(LOGGER):
            self._run()
        self.assertEqual(self._planned(), self.debtors.ids[:2])
        self.assertEqual(self._planned(other), debtor.ids)
        self.assertEqual((self.plan.planned_on, plan.planned_on), (False, self.today))
        self.assertEqual(len(self._get_failures(self.company.partner_id)), 1)

    def test_what_happens_between_two_batches(self):
        """One customer is gone, another one has paid."""
        self._kill()
        gone, paid = self.debtors[2], self.debtors[3]
        self._pay(self.env["account.move"].search([("partner_id", "=", paid.partner_id.id)]))
        self._synchronize()
        gone.sudo().unlink()
        self._run()
        self.assertEqual(self._planned(), (self.debtors[:2] + self.debtors[4]).ids)

    def test_a_plan_that_starts_meanwhile_is_decided_on_for_all(self):
        self.plan.sudo().debtor_domain = f"[('id', '!=', {self.debtors[0].id})]"
        self._kill()
        self.assertEqual(self._planned(), self.debtors[1].ids)
        self._create_plan(name="Second", sequence=20)._start()
        self._run()
        self.assertEqual(set(self._planned()), set(self.debtors.ids))

    def test_what_was_left_yesterday_is_decided_anew(self):
        batches = self._kill()
        with freeze_time(self.today + timedelta(days=1, hours=3)):
            self._trigger("cron_plan_and_deliver")
        ids = self.debtors.ids
        self.assertEqual(batches[2:], [ids[:2], ids[2:4], ids[4:]])

    def test_queries_of_a_batch_don_t_grow_with_the_customers(self):
        def count(size):
            self.patch(run_collection_plan, "PLANNING_BATCH_SIZE", size)
            self.plan.sudo().undecided = {"day": str(self.today), "debtor_ids": self.debtors.ids}
            self.env["collection.action"].sudo().search([("state", "=", "planned")]).unlink()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.plan.sudo()._plan_next()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        count(1)  # what is kept from one transaction to the next
        self.assertLessEqual(count(5), count(2) + 1)
