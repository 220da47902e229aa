from datetime import timedelta

from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from ..common import CollectionCommon
from ..plan_common import PlanCommon


class Corrections:
    """Post invoices again with other journal items."""

    def _terms(self, *parts):
        """Return payment terms: ``(percent, days)`` for each instalment."""
        return self.env["account.payment.term"].create(
            {
                "name": "Instalments",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": percent, "nb_days": days})
                    for percent, days in parts
                ],
            }
        )

    def _make_anew(self, *parts, amount=None, move=None):
        """Post an invoice again with other journal items, none of which it had before."""
        move = move or self.invoice
        old = self._get_items(move)
        if move.state == "posted":
            move.button_draft()
        if amount is not None:
            move.invoice_line_ids.price_unit = amount
        move.invoice_payment_term_id = self._terms(*(parts or [(100, 0)]))
        # Journal items that Odoo would only have written on are made anew by imports and other addons.
        values = [line.copy_data()[0] for line in self._get_items(move).sorted("date_maturity")]
        move.with_context(skip_invoice_sync=True, check_move_validity=False, dynamic_unlink=True).line_ids = [
            *(Command.delete(line.id) for line in self._get_items(move)),
            *(Command.create(vals) for vals in values),
        ]
        move.action_post()
        new = self._get_items(move).sorted("date_maturity")
        self.assertFalse(new & old)
        self._synchronize()
        return new


@tagged("post_install", "-at_install")
class TestCorrection(Corrections, CollectionCommon):
    """An invoice that is corrected keeps what was promised, contested and said about it; nothing else ends that."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(amount=1000, days_late=40)
        cls.campaign = cls._start_campaign(member_ids=[Command.set(cls.collector.ids)])
        cls.case = cls.campaign.case_ids
        cls.debtor = cls.case.debtor_id

    def test_draft_judges_nothing(self):
        promise = self._promise(self.debtor, amount=300, date=self._days(1), case=self.case)
        dispute = self._dispute(self.debtor, self._get_items(self.invoice), amount=200, case=self.case)
        activities = dispute.activity_ids
        before = self.case.state
        self.invoice.button_draft()
        self._synchronize()
        self.assertEqual(self.case.state, before)
        with freeze_time(self.today + timedelta(days=20)):
            self._synchronize()
        self.assertRecordValues(promise, [{"state": "open", "amount": 300, "settled_amount": 0}])
        self.assertRecordValues(dispute, [{"state": "open", "amount": 200}])
        self.assertEqual(dispute.activity_ids, activities)
        self.assertRecordValues(
            self.case, [{"state": "to_contact", "residual_amount": 1000, "other_amount": 0, "promised_amount": 300}]
        )
        self.assertRecordValues(self.debtor, [{"due_amount": 0, "promised_amount": 0, "disputed_amount": 0}])

    def test_posted_again_as_it_was(self):
        promise = self._promise(self.debtor, amount=300, date=self._days(1))
        dispute = self._dispute(self.debtor, self._get_items(self.invoice), amount=200)
        self.invoice.button_draft()
        self._synchronize()
        self.invoice.action_post()
        self._synchronize()
        self.assertRecordValues(
            self.debtor, [{"due_amount": 1000, "promised_amount": 300, "disputed_amount": 200, "claimable_amount": 500}]
        )
        self._pay(self.invoice, amount=300)
        self._synchronize()
        self.assertEqual((promise.state, dispute.state), ("kept", "open"))
        self.assertFalse(self.env["collection.suspended.item"].search([]))

    def test_posted_again_with_another_item(self):
        promise = self._promise(self.debtor, amount=300, date=self._days(1))
        dispute = self._dispute(self.debtor, self._get_items(self.invoice), amount=200)
        self._log_call(self.debtor, case=self.case)
        item = self._make_anew(amount=900)
        self.assertEqual((promise.line_ids.move_line_id, dispute.line_ids.move_line_id), (item, item))
        self.assertEqual((promise.line_ids.move_id, dispute.line_ids.move_id), (self.invoice, self.invoice))
        self.assertRecordValues(
            self.debtor, [{"due_amount": 900, "promised_amount": 300, "disputed_amount": 200, "claimable_amount": 400}]
        )
        self.assertRecordValues(self.case, [{"initial_amount": 1000, "residual_amount": 900, "other_amount": 100}])
        self.assertRecordValues(self.case.item_ids, [{"move_line_id": item.id, "residual": 900}])
        self._pay(self.invoice, amount=300)
        self._synchronize()
        self.assertEqual((promise.state, dispute.state), ("kept", "open"))

    def test_whole_invoice_promised_for_less(self):
        """The corrected invoice asks for less: whoever pays that keeps the promise."""
        promise = self._promise(self.debtor, date=self._days(1))
        self._make_anew(amount=800)
        self.assertRecordValues(self.debtor, [{"promised_amount": 800, "claimable_amount": 0}])
        self._pay(self.invoice)
        self._synchronize()
        self.assertRecordValues(promise, [{"state": "kept", "amount": 1000, "settled_amount": 800}])

    def test_one_item_becomes_three(self):
        promise = self._promise(self.debtor, amount=500, date=self._days(1))
        first = self._promise(self.debtor, amount=100, date=self._days(2))
        dispute = self._dispute(self.debtor, self._get_items(self.invoice), amount=150)
        items = self._make_anew((30, 0), (30, 10), (40, 20))
        self.assertEqual(items.mapped("amount_currency"), [300, 300, 400])
        self.assertRecordValues(
            promise.line_ids,
            [
                {"move_line_id": items[0].id, "amount": 300, "company_amount": 300, "name": self.invoice.name},
                {"move_line_id": items[1].id, "amount": 200, "company_amount": 200, "name": self.invoice.name},
            ],
        )
        self.assertRecordValues(first.line_ids, [{"move_line_id": items[1].id, "amount": 100}])
        self.assertRecordValues(dispute.line_ids, [{"move_line_id": items[0].id, "amount": 150}])
        self.assertEqual((promise.amount, promise.company_amount), (500, 500))
        self.assertRecordValues(self.case, [{"initial_amount": 1000, "residual_amount": 1000, "other_amount": 0}])
        self._pay(self.invoice)
        self._synchronize()
        self.assertEqual((promise.state, first.state), ("kept", "kept"))
        self.assertRecordValues(self.case, [{"collected_amount": 1000, "residual_amount": 0, "result": "paid"}])

    def test_three_items_become_one(self):
        self._make_anew((30, 0), (30, 1), (40, 2))
        campaign = self._start_campaign(name="Next", member_ids=[Command.set(self.collector.ids)])
        case = campaign.case_ids
        self.assertEqual(len(case.item_ids), 3)
        promise = self._promise(self.debtor, date=self._days(1))
        item = self._make_anew()
        self.assertEqual(promise.line_ids.move_line_id, item)
        self.assertRecordValues(self.debtor, [{"due_amount": 1000, "promised_amount": 1000, "claimable_amount": 0}])
        self.assertRecordValues(case, [{"initial_amount": 1000, "residual_amount": 1000, "other_amount": 0}])
        self._pay(self.invoice)
        self._synchronize()
        self.assertRecordValues(promise, [{"state": "kept", "settled_amount": 1000}])
        self.assertRecordValues(case, [{"collected_amount": 1000, "residual_amount": 0, "result": "paid"}])

    def test_only_what_was_late_is_in_the_case(self):
        """The instalment that was not late when the campaign began does not get into it by a correction."""
        move = self._create_invoice(self.other_customer, amount=100, days_late=40)
        self._make_anew((25, 0), (75, 90), move=move)
        campaign = self._start_campaign(name="Next", member_ids=[Command.set(self.collector.ids)])
        case = campaign.case_ids.filtered(lambda case: case.partner_id == self.other_customer)
        self.assertEqual(case.initial_amount, 25)
        items = self._make_anew((25, 5), (75, 95), move=move)
        self.assertEqual(case.item_ids.move_line_id, items[0])
        self.assertRecordValues(case, [{"initial_amount": 25, "residual_amount": 25, "other_amount": 0}])

    def test_deleted(self):
        promise = self._promise(self.debtor, amount=300)
        dispute = self._dispute(self.debtor, self._get_items(self.invoice), amount=200)
        dispute.resolution = "We look at it."
        self.invoice.button_draft()
        self._synchronize()
        self.invoice.with_context(force_delete=True).unlink()
        self._synchronize()
        self.assertRecordValues(promise, [{"state": "cancelled", "cancel_reason": "The invoice was deleted."}])
        self.assertEqual(dispute.state, "cancelled")
        self.assertEqual(dispute.resolution, "We look at it. The invoice was deleted.")
        self.assertFalse(dispute.activity_ids)

    def test_cancelled(self):
        promise = self._promise(self.debtor, amount=300)
        dispute = self._dispute(self.debtor, self._get_items(self.invoice), amount=200)
        self.invoice.button_cancel()
        self._synchronize()
        self.assertRecordValues(promise, [{"state": "cancelled", "cancel_reason": "The invoice was cancelled."}])
        self.assertRecordValues(dispute, [{"state": "cancelled", "resolution": "The invoice was cancelled."}])
        self.assertRecordValues(self.case, [{"state": "closed", "result": "credited", "other_amount": 1000}])

    def test_kept_promise_stays_kept(self):
        promise = self._promise(self.debtor, date=self._days(1))
        self._pay(self.invoice)
        self._synchronize()
        self.assertEqual(promise.state, "kept")
        self.invoice.button_draft()
        self._synchronize()
        self.assertRecordValues(promise, [{"state": "kept", "settled_amount": 1000}])

    def test_planned_call_is_not_paid(self):
        self._log_call(self.debtor, "no_answer", next_date=self._days(2))
        planned = self.debtor.action_ids.filtered(lambda action: action.state == "planned")
        self.invoice.button_draft()
        self._synchronize()
        self.assertEqual(planned.state, "planned")

    def test_case_that_opens_again_says_the_truth(self):
        payment = self._pay(self.invoice)
        self._synchronize()
        self.assertEqual(self.case.state, "closed")
        self._get_items(payment.move_id).remove_move_reconcile()
        self._synchronize()
        self.assertEqual(self.case.state, "to_contact")
        self.assertIn("1,000.00 € is owed again", self._plain(self.debtor.message_ids[0].body))

    def test_other_customer(self):
        """A corrected invoice that is another customer's ends what the first one said."""
        promise = self._promise(self.debtor, amount=300)
        self.invoice.button_draft()
        self.invoice.partner_id = self.other_customer
        self.invoice.action_post()
        self._synchronize()
        self.assertEqual(promise.state, "cancelled")
        self.assertIn("corrected", promise.cancel_reason)


@tagged("post_install", "-at_install")
class TestCorrectionLevels(Corrections, PlanCommon):
    """After a firm step a corrected invoice does not begin with the friendly one again."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(amount=1000, days_late=10)
        cls.debtor = cls._get_debtor()

    def _say_steps(self):
        self._run_cron()
        with freeze_time("2026-03-13 09:00:00"):
            self._synchronize()
            self._run_cron()
        self.assertEqual(self._actions(self.debtor).step_id.sorted("delay").mapped("delay"), [3, 8])

    def test_levels_go_on(self):
        self._say_steps()
        actions = self._actions(self.debtor)
        with freeze_time("2026-03-16 09:00:00"):
            items = self._make_anew((50, 0), (50, 1))
            for action in actions:
                self.assertEqual(action.item_ids.move_line_id, items)
                self.assertEqual(action.item_ids.mapped("level"), [action.step_id.delay] * 2)
                self.assertEqual(action.item_ids.mapped("amount"), [500, 500])
                self.assertEqual(set(action.item_ids.mapped("name")), {self.invoice.name})
            self.assertEqual(set(actions.mapped("cycle")), {items[0].id})
        with freeze_time("2026-03-30 09:00:00"):
            self._synchronize()
            self.assertEqual(self._decide(self.debtor).step, self._step(15))

    def test_items_that_become_one_have_been_told_once(self):
        """A step that was said about each of two items stands once about the one that took their place."""
        self._make_anew((50, 0), (50, 1))
        self._say_steps()
        actions = self._actions(self.debtor)
        other = self._get_items(self.invoice).sorted("date_maturity")[1]
        twin = (
            actions[0]
            .sudo()
            .create(
                {
                    "debtor_id": self.debtor.id,
                    "channel": "email",
                    "plan_id": self.plan.id,
                    "step_id": actions[0].step_id.id,
                    "cycle": other.id,
                }
            )
        )
        item = self._make_anew()
        self.assertEqual(set(actions.item_ids.move_line_id), set(item))
        self.assertEqual(len({(one.step_id, one.cycle) for one in actions | twin}), 3)

    def test_what_was_said_outlives_a_deletion(self):
        self._say_steps()
        name = self.invoice.name
        self.invoice.button_draft()
        self.invoice.with_context(force_delete=True).unlink()
        self.assertRecordValues(
            self._actions(self.debtor).item_ids,
            [{"name": name, "amount": 1000, "move_line_id": False, "move_id": False}] * 2,
        )
