from datetime import timedelta

from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from ...models.campaign import collection_campaign_start
from ..common import CollectionCommon


@tagged("post_install", "-at_install")
class TestCampaign(CollectionCommon):
    """A campaign freezes who is in and what they owe, shares the work, and settles its results."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(amount=5000, days_late=40)
        cls.small_invoice = cls._create_invoice(cls.other_customer, amount=20, days_late=2)
        cls._synchronize()

    def _get_case(self, campaign, partner=None):
        return campaign.case_ids.filtered(lambda case: case.partner_id == (partner or self.customer))

    def test_scope_by_filters(self):
        """Each filter lets in whom it should."""
        for filters, expected in (
            ({}, self.customer + self.other_customer),
            ({"min_amount": 100}, self.customer),
            ({"max_amount": 100}, self.other_customer),
            ({"min_days_late": 10}, self.customer),
            ({"max_days_late": 10}, self.other_customer),
            ({"payer_profile": "bad"}, self.customer),
            ({"company_size": "sme"}, self.env["res.partner"]),
            ({"scope_domain": "[('partner_id.name', 'ilike', 'lemoine')]"}, self.other_customer),
        ):
            with self.subTest(filters=filters):
                campaign = self._create_campaign(**filters)
                self.assertEqual(campaign._get_scope().partner_id, expected)
                self.assertEqual(campaign.scope_count, len(expected))

    def test_places_are_kept_for_small_debts(self):
        for number in range(4):
            self._create_invoice(self._create_customer(f"Big {number}"), amount=3000, days_late=50)
        self._synchronize()
        campaign = self._create_campaign(max_debtors=4, small_share=25)
        scope = campaign._get_scope().partner_id
        self.assertEqual(len(scope), 4)
        self.assertIn(self.other_customer, scope)
        campaign.small_share = 0
        self.assertNotIn(self.other_customer, campaign._get_scope().partner_id)

    def test_nobody_who_must_be_left_alone(self):
        self._get_debtor().with_user(self.team_user).paused_until = self._days(3)
        self._get_debtor(self.other_customer).with_user(self.team_user).insolvency = True
        campaign = self._create_campaign()
        self.assertFalse(campaign._get_scope())
        with self.assertRefused("No customer matches"):
            campaign.action_prepare()
        self.assertEqual(campaign.state, "draft")

    def test_start_freezes_scope_and_amounts(self):
        campaign = self._start_campaign()
        self.assertEqual(campaign.state, "running")
        case = self._get_case(campaign)
        self.assertRecordValues(
            case,
            [
                {
                    "initial_amount": 5000,
                    "initial_item_count": 1,
                    "initial_due_date": self.today - timedelta(days=40),
                    "state": "to_contact",
                    "claimable_amount": 5000,
                    "is_small": False,
                }
            ],
        )
        self.assertTrue(self._get_case(campaign, self.other_customer).is_small)
        self._create_invoice(amount=999, days_late=1)
        self._synchronize()
        self.assertEqual((case.initial_amount, case.claimable_amount), (5000, 5999))

    def test_many_cases_are_planned_for(self):
        """PostgreSQL knows how many rows a start has added, whatever it thought of the tables before."""
        tables = ("collection_case", "collection_case_item")
        self.patch(collection_campaign_start, "MANY_CASES", 2)
        campaign = self._start_campaign()
        self.env.cr.execute("SELECT MIN(reltuples) FROM pg_class WHERE relname IN %s", [tables])
        self.assertGreaterEqual(self.env.cr.fetchone()[0], len(campaign.case_ids))

    def test_work_is_shared_out(self):
        for number in range(4):
            self._create_invoice(self._create_customer(f"Big {number}"), amount=3000, days_late=50)
        self._get_debtor(self.other_customer).collector_id = self.other_collector
        campaign = self._start_campaign()
        self.assertEqual(self._get_case(campaign, self.other_customer).collector_id, self.other_collector)
        counts = dict(
            self.env["collection.case"]._read_group([("campaign_id", "=", campaign.id)], ["collector_id"], ["__count"])
        )
        self.assertEqual(sum(counts.values()), 6)
        self.assertLessEqual(abs(counts[self.collector] - counts[self.other_collector]), 1)

    def test_overlapping_campaigns_share_the_collector(self):
        first = self._start_campaign()
        case = self._get_case(first)
        second = self._create_campaign(name="Summer", member_ids=[Command.set(self.manager.ids)])
        second.action_prepare()
        self.assertIn("Spring (2)", second.overlap_warning)
        second.action_start()
        other_case = self._get_case(second)
        self.assertEqual(other_case.collector_id, case.collector_id)
        self.assertIn("Summer", case.other_campaigns)
        # What is said in one campaign is known in the other.
        self._promise(case.debtor_id, user=case.collector_id, case=case)
        self.assertEqual((case.state, other_case.state), ("promised", "promised"))

    def test_payments_close_cases(self):
        campaign = self._start_campaign()
        case = self._get_case(campaign)
        self._pay(self.invoice, amount=2000)
        self._synchronize()
        self.assertRecordValues(case, [{"collected_amount": 2000, "residual_amount": 3000, "state": "to_contact"}])
        payment = self._pay(self.invoice)
        self._synchronize()
        self.assertRecordValues(case, [{"collected_amount": 5000, "state": "closed", "result": "paid"}])
        payment.move_id.line_ids.remove_move_reconcile()
        self._synchronize()
        self.assertRecordValues(case, [{"collected_amount": 2000, "state": "to_contact", "result": False}])

    def test_what_was_received_before_is_no_result(self):
        """Money on account from before the start reduces the debt, but the campaign did not collect it."""
        early = self._pay_on_account(amount=1000, on=self.today - timedelta(days=5))
        campaign = self._start_campaign()
        (self._get_items(self.invoice) + self._get_items(early.move_id)).reconcile()
        self._credit(self.invoice, amount=500)
        self._synchronize()
        self.assertRecordValues(
            self._get_case(campaign), [{"collected_amount": 0, "credited_amount": 1500, "residual_amount": 3500}]
        )

    def test_write_off_within_a_payment_is_no_money(self):
        campaign = self._start_campaign()
        case = self._get_case(campaign)
        promise = self._promise(case.debtor_id, user=case.collector_id, case=case)
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=self.invoice.ids
        ).create(
            {
                "payment_date": self.today,
                "amount": 1000,
                "payment_difference_handling": "reconcile",
                "writeoff_account_id": self.company_data["default_account_expense"].id,
            }
        )._create_payments()
        self._synchronize()
        self.assertRecordValues(
            case, [{"collected_amount": 1000, "other_amount": 4000, "residual_amount": 0, "result": "paid"}]
        )
        self.assertEqual(promise.settled_amount, 1000)
        recap = campaign._recap()
        self.assertEqual((recap.total.collected, recap.total.other), (1000, 4000))
        self.assertEqual(recap.collected_by_method.total, 1000)

    def test_cancelled_invoice_is_accounted_for(self):
        campaign = self._start_campaign()
        self.invoice.button_draft()
        self._synchronize()
        self.assertRecordValues(
            self._get_case(campaign),
            [{"collected_amount": 0, "other_amount": 0, "residual_amount": 5000, "result": False}],
        )
        self.invoice.button_cancel()
        self._synchronize()
        self.assertRecordValues(
            self._get_case(campaign),
            [{"collected_amount": 0, "other_amount": 5000, "residual_amount": 0, "result": "credited"}],
        )

    def test_close(self):
        campaign = self._start_campaign()
        case = self._get_case(campaign)
        small_case = self._get_case(campaign, self.other_customer)
        self._log_call(small_case.debtor_id, "no_answer", user=small_case.collector_id, case=small_case)
        self._promise(case.debtor_id, user=case.collector_id, case=case)
        campaign.action_close()
        self.assertRecordValues(campaign, [{"state": "closed", "closed_on": self.today}])
        self.assertEqual((case.result, small_case.result), ("promised", "unreachable"))
        self.assertFalse(small_case.action_ids.filtered(lambda action: action.state == "planned"))
        self._pay(self.invoice)
        self._synchronize()
        self.assertEqual(case.collected_amount, 0)
        with self.assertRefused("closed already"):
            campaign.action_close()

    def test_state_can_t_be_forced(self):
        campaign = self._create_campaign()
        with self.assertRefused("follows what happened"):
            campaign.state = "closed"
        with self.assertRefused("never started"):
            campaign.action_close()
        with self.assertRefused("follows what happened"):
            self.env["collection.campaign"].create({"name": "X", "state": "running"})
        running = self._start_campaign(name="Other")
        with self.assertRefused("started already"):
            running.action_start()
        with self.assertRefused("stays on file"):
            running.unlink()
        with self.assertRefused("stays on file"):
            running.case_ids.sudo().unlink()

    def test_bad_input(self):
        with self.assertRefused("needs a team"):
            self._create_campaign(member_ids=[Command.clear()]).action_prepare()
        with self.assertRefused("There is no field"):
            self._create_campaign(scope_domain="[('no_such_field', '=', 1)]")
        campaign = self._create_campaign(date_start="2026-01-01", date_end="2026-02-01")
        with self.assertRefused("period .* is over"):
            campaign.action_start()
        campaign = self._create_campaign()
        campaign.action_prepare()
        self._pay(self.invoice)
        self._pay(self.small_invoice)
        with self.assertRefused("Nothing is left to claim"):
            campaign.action_start()
        self.assertFalse(campaign.case_ids)

    def test_start_takes_the_same_queries_for_any_number_of_cases(self):
        def count_queries():
            campaign = self._create_campaign()
            campaign.action_prepare()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            campaign.action_start()
            self.env.flush_all()
            count = self.env.cr.sql_log_count - before
            campaign.action_cancel()
            return count

        count_queries()
        few = count_queries()
        for number in range(25):
            self._create_invoice(self._create_customer(f"Customer {number}"), amount=10 * number + 1)
        self.assertLessEqual(count_queries(), few)

    def test_calendar(self):
        """Starts on its day, reminds before its end, closes after it."""
        campaign = self._create_campaign(date_start=self._days(1), date_end=self._days(11))
        campaign.action_prepare()
        cron = self.env.ref("account_collection.cron_campaign_calendar")

        def run_on(days):
            with freeze_time(self.today + timedelta(days=days, hours=4)), self.enter_registry_test_mode():
                cron.method_direct_trigger()

        run_on(0)
        self.assertEqual(campaign.state, "prepared")
        run_on(1)
        self.assertEqual(campaign.state, "running")
        run_on(8)
        run_on(8)
        self.assertEqual(len(campaign.activity_ids), 1)
        self.assertIn("2 customers are still to be contacted", campaign.activity_ids.summary)
        run_on(11)
        self.assertEqual(campaign.state, "running")
        run_on(12)
        self.assertEqual(campaign.state, "closed")

    def test_calendar_tells_what_it_can_t_do(self):
        campaign = self._create_campaign()
        campaign.action_prepare()
        self._pay(self.invoice)
        self._pay(self.small_invoice)
        with self.enter_registry_test_mode():
            self.env.ref("account_collection.cron_campaign_calendar").method_direct_trigger()
        self.assertEqual(campaign.state, "prepared")
        self.assertIn("Nothing is left to claim", campaign.activity_ids.summary)

    def test_cancel_keeps_what_was_said(self):
        campaign = self._start_campaign()
        case = self._get_case(campaign)
        self._log_call(case.debtor_id, user=case.collector_id, case=case)
        campaign.action_cancel()
        self.assertEqual(case.state, "closed")
        self.assertTrue(case.action_ids)
        with self.assertRefused("is not running"):
            case.action_log_call()
