from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, tagged

from ..common import CollectionCommon


@tagged("post_install", "-at_install")
class TestDispute(CollectionCommon):
    """What is contested is not claimed, the rest is; somebody without accounting rights solves it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(amount=100, days_late=20)
        cls.item = cls._get_items(cls.invoice)
        cls.debtor = cls._get_debtor()

    def test_part_of_an_item(self):
        dispute = self._dispute(self.debtor, self.item, amount=30, description="Wrong price")
        self.assertEqual(dispute.amount, 30)
        self.assertRecordValues(self.debtor, [{"disputed_amount": 30, "claimable_amount": 70, "open_dispute_count": 1}])
        self.assertEqual(self.debtor.payer_profile, "dispute")
        self.assertEqual(dispute.activity_ids.user_id, self.solver)
        [claim] = self.debtor._get_claim()
        self.assertEqual(claim["amount"], 70)

    def test_reason_gives_owner_and_deadline(self):
        reason = self.env.ref("account_collection.collection_reason_delivery")
        reason.write({"owner_id": self.solver.id, "solve_days": 4})
        form = Form(
            self.env["collection.dispute.open"].with_user(self.collector).with_context(default_debtor_id=self.debtor.id)
        )
        form.reason_id = reason
        self.assertEqual(form.owner_id, self.solver)
        self.assertEqual(str(form.date_deadline), self._days(4))
        form.save().action_confirm()
        self.assertRecordValues(self.debtor.dispute_ids, [{"amount": 100, "owner_id": self.solver.id}])

    def test_solved_by_its_owner_without_accounting_rights(self):
        dispute = self._dispute(self.debtor, self.item).with_user(self.solver)
        Form(dispute)
        self.assertTrue(dispute.line_ids.name)
        with self.assertRefused("Write first how"):
            dispute.action_reject()
        dispute.resolution = "Delivered on 3 March, signed note sent."
        dispute.action_reject()
        self.assertEqual(dispute.state, "rejected")
        self.assertEqual(self.debtor.claimable_amount, 100)
        self.assertFalse(dispute.activity_ids)
        for record in (self.debtor, self.invoice, self.item):
            with self.subTest(record=record), self.assertRaises(AccessError):
                record.with_user(self.solver).read(["display_name"])
        other = self._dispute(self.debtor, self.item, owner_id=self.collector.id)
        with self.assertRaises(AccessError):
            other.with_user(self.solver).read(["reason_id"])

    def test_accepted_part_is_not_claimed_until_credited(self):
        dispute = self._dispute(self.debtor, self.item, amount=30)
        dispute.resolution = "Price corrected, credit note to come."
        dispute.action_accept()
        self.assertEqual(self.debtor.claimable_amount, 70)
        self._credit(self.invoice, amount=30)
        self._synchronize()
        self.assertRecordValues(self.debtor, [{"disputed_amount": 0, "claimable_amount": 70, "overdue_amount": 70}])

    def test_closed_by_a_credit_note(self):
        dispute = self._dispute(self.debtor, self.item, amount=30)
        self._credit(self.invoice, amount=30)
        self._synchronize()
        self.assertEqual(dispute.state, "accepted")
        self.assertEqual(self.debtor.claimable_amount, 70)

    def test_closed_by_payment(self):
        dispute = self._dispute(self.debtor, self.item, amount=30)
        self._pay(self.invoice)
        self._synchronize()
        self.assertEqual(dispute.state, "cancelled")

    def test_late_dispute_escalates_once(self):
        dispute = self._dispute(self.debtor, self.item)
        self.assertFalse(dispute.is_late)
        cron = self.env.ref("account_collection.cron_settle")
        with freeze_time("2026-04-20 03:00:00"):
            self.env.invalidate_all()
            self.assertTrue(dispute.is_late)
            self.assertIn(dispute, dispute.search([("is_late", "=", True)]))
            for _run in range(2):
                with self.enter_registry_test_mode():
                    cron.method_direct_trigger()
        late = dispute.activity_ids.filtered(lambda activity: "not solved in time" in (activity.summary or ""))
        self.assertEqual(late.user_id, self.collector)
        self.assertEqual(len(late), 1)

    def test_bad_input(self):
        with self.assertRefused("only 100.00.€ is still owed"):
            self._dispute(self.debtor, self.item, amount=100.01)
        with self.assertRefused("above zero"):
            self._dispute(self.debtor, self.item, amount=0)
        with self.assertRefused("still to come"):
            self._dispute(self.debtor, self.item, date_deadline=self._days(-1))
        self._dispute(self.debtor, self.item, amount=80)
        with self.assertRefused("would be disputed"):
            self._dispute(self.debtor, self.item, amount=30)
        with self.assertRefused("stays on file"):
            self.debtor.dispute_ids.sudo().unlink()

    def test_owner_who_is_replaced_loses_the_activity(self):
        dispute = self._dispute(self.debtor, self.item)
        dispute.owner_id = self.collector
        self.assertEqual(dispute.activity_ids.user_id, self.collector)

    def test_escalated_dispute_leaves_nothing_to_do_once_solved(self):
        dispute = self._dispute(self.debtor, self.item)
        with freeze_time("2026-04-20 03:00:00"):
            dispute._escalate_late(dispute.company_id._collection_today())
        dispute.resolution = "Sent again"
        dispute.action_reject()
        self.assertFalse(dispute.activity_ids)

    def test_owner_must_be_able_to_open_it(self):
        stranger = self._create_user("stranger", "base.group_user")
        self.assertEqual(
            self.env["collection.dispute"]._get_default_owner(
                self.env["collection.reason"].new({"owner_id": stranger.id}), self.debtor
            ),
            self.env.user,
        )
        with self.assertRefused("Give them the role “Dispute owner”"):
            self._dispute(self.debtor, self.item, owner_id=stranger.id)

    def test_reason_with_history_is_kept(self):
        dispute = self._dispute(self.debtor, self.item)
        with self.assertRefused("Archive it instead"):
            dispute.reason_id.with_user(self.manager).unlink()

    # === THE DAY ITSELF, AND TWO THINGS AT ONCE === #

    def test_one_of_two_contested_invoices_is_paid(self):
        other = self._create_invoice(amount=70, days_late=15)
        self._synchronize()
        wizard = (
            self.env["collection.dispute.open"]
            .with_user(self.collector)
            .create(
                {
                    "debtor_id": self.debtor.id,
                    "reason_id": self.env.ref("account_collection.collection_reason_price").id,
                    "owner_id": self.solver.id,
                }
            )
        )
        wizard.line_ids.is_disputed = True
        wizard.action_confirm()
        dispute = self.debtor.dispute_ids
        self.assertEqual(dispute.line_ids.move_line_id, self.item + self._get_items(other))
        self._pay(self.invoice)
        self._synchronize()
        self.assertEqual(dispute.state, "open")
        self.assertRecordValues(self.debtor, [{"claimable_amount": 0, "disputed_amount": 70}])
        self._pay(other)
        self._synchronize()
        self.assertRecordValues(dispute, [{"state": "cancelled", "resolution": "Paid in full."}])

    def test_older_credit_note_settles_nothing(self):
        self._credit(self.invoice, amount=30)
        self._synchronize()
        dispute = self._dispute(self.debtor, self.item, amount=30)
        self._synchronize()
        self.assertRecordValues(dispute, [{"state": "open", "is_credited": False}])
        self.assertEqual(dispute.line_ids.settled_amount, 0)

    def test_credit_note_over_more_than_was_disputed(self):
        dispute = self._dispute(self.debtor, self.item, amount=30)
        self._credit(self.invoice, amount=45)
        self._synchronize()
        self.assertRecordValues(dispute, [{"state": "accepted", "is_credited": True}])
        self.assertEqual(dispute.line_ids.settled_amount, 30)
        self.assertEqual(self.debtor.claimable_amount, 55)

    def test_day_of_the_deadline_is_not_late(self):
        dispute = self._dispute(self.debtor, self.item, date_deadline=self._days(4))
        for days, late in ((4, False), (5, True)):
            with self.subTest(days=days), freeze_time(self.today + timedelta(days=days, hours=12)):
                self.env.invalidate_all()
                escalated = dispute._escalate_late(dispute.company_id._collection_today())
                self.assertEqual((bool(escalated), dispute.is_escalated, dispute.is_late), (late, late, late))

    def test_owner_solves_and_changes_nothing_else(self):
        dispute = self._dispute(self.debtor, self.item, amount=30).with_user(self.solver)
        self.assertTrue(dispute.has_access("write"))
        for records, operation in (
            (dispute, "create"),
            (dispute, "unlink"),
            (dispute.line_ids, "write"),
            (dispute.line_ids, "create"),
            (dispute.line_ids, "unlink"),
        ):
            with self.subTest(model=records._name, operation=operation):
                self.assertFalse(records.has_access(operation))

    def test_case_of_an_accepted_dispute_waits_for_the_credit_note(self):
        """Nothing may be asked for: the card does not come back to those to contact."""
        case = self._start_campaign(member_ids=[Command.set(self.collector.ids)]).case_ids
        dispute = self._dispute(self.debtor, self.item, case=case)
        dispute.resolution = "He is right."
        dispute.with_user(self.solver).action_accept()
        self.assertRecordValues(case, [{"state": "disputed", "claimable_amount": 0}])
