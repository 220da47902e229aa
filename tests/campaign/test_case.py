from datetime import timedelta

from odoo.tests import Form, freeze_time, tagged

from ..common import CollectionCommon


@tagged("post_install", "-at_install")
class TestCase(CollectionCommon):
    """The desk during a call: what was answered is written down and moves the card."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._load_french()
        cls.contact = cls.env["res.partner"].create(
            {"name": "Marie", "parent_id": cls.customer.id, "type": "invoice", "phone": "+33 1 99 00 12 34"}
        )
        cls.invoice = cls._create_invoice(amount=5000, days_late=40)
        cls.campaign = cls._start_campaign(member_ids=[(6, 0, cls.collector.ids)])
        cls.case = cls.campaign.case_ids.with_user(cls.collector)
        cls.debtor = cls.case.debtor_id

    def test_whom_to_ask_for(self):
        self.assertEqual((self.case.contact_name, self.case.phone), ("Marie", "+33 1 99 00 12 34"))
        self.debtor.contact_id = self.customer
        self.assertEqual(self.case.contact_name, "Boulangerie Petit")

    def test_call_without_answer(self):
        action = self._log_call(self.debtor, "no_answer", case=self.case, next_date=self._days(2))
        self.assertRecordValues(
            action,
            [{"state": "done", "channel": "call", "is_reached": False, "amount": 5000, "contact_id": self.contact.id}],
        )
        self.assertRecordValues(
            self.case,
            [
                {
                    "state": "waiting",
                    "attempt_count": 1,
                    "is_reached": False,
                    "next_action_date": self.today + timedelta(days=2),
                }
            ],
        )
        self.assertIn("no answer", self.debtor.message_ids[0].body)
        planned = self.debtor.action_ids.filtered(lambda planned: planned.state == "planned")
        self.assertEqual(planned.date_planned, self.today + timedelta(days=2))
        # On that day the card is back among those to contact.
        with freeze_time(self.today + timedelta(days=2, hours=9)):
            self._synchronize()
        self.assertEqual(self.case.state, "to_contact")

    def test_next_call_replaces_the_planned_one(self):
        self._log_call(self.debtor, "no_answer", case=self.case)
        self._log_call(self.debtor, "voicemail", case=self.case)
        self.assertEqual(self.case.attempt_count, 2)
        self.assertEqual(sorted(self.debtor.action_ids.mapped("state")), ["cancelled", "done", "done", "planned"])

    def test_who_was_reached_once_stays_reached(self):
        self._log_call(self.debtor, "right_person", case=self.case)
        self._log_call(self.debtor, "voicemail", case=self.case)
        self.assertRecordValues(self.case, [{"is_reached": True, "attempt_count": 2}])
        self.campaign.action_close()
        self.assertEqual(self.case.result, "open")

    def test_nobody_asks_about_a_rest_that_is_none(self):
        for amount, is_asked in ((4000, True), (1000, False)):
            self._log_call(
                self.debtor, case=self.case, next_step="promise", promise_amount=amount, promise_date=self._days(3)
            )
            self.assertEqual(bool(self.case.next_action_date), is_asked)

    def test_call_with_a_promise(self):
        reason = self.env.ref("account_collection.collection_reason_oversight")
        form = Form(
            self.env["collection.call.log"]
            .with_user(self.collector)
            .with_context(**self.case.action_log_call()["context"])
        )
        form.reason_id = reason
        form.next_step = "promise"
        self.assertEqual(form.promise_amount, 5000)
        form.promise_date = self._days(3)
        form.note = "Pays on Friday"
        form.save().action_confirm()
        promise = self.case.promise_ids
        self.assertRecordValues(
            promise, [{"amount": 5000, "campaign_id": self.campaign.id, "contact_id": self.contact.id}]
        )
        [action] = self.debtor.action_ids
        self.assertRecordValues(
            action,
            [{"channel": "call", "outcome": "right_person", "promise_id": promise.id, "reason_id": reason.id}],
        )
        self.assertRecordValues(
            self.case, [{"state": "promised", "attempt_count": 1, "is_reached": True, "reason_id": reason.id}]
        )

    def test_broken_promise_brings_the_card_back(self):
        self._promise(self.debtor, case=self.case, date=self._days(1))
        with freeze_time(self.today + timedelta(days=9)):
            self._synchronize()
        self.assertEqual(self.case.state, "to_contact")
        self.assertIn("It has not reached us yet", self.case.script)

    def test_call_that_turns_into_a_dispute(self):
        wizard = (
            self.env["collection.call.log"]
            .with_user(self.collector)
            .create(
                {
                    "debtor_id": self.debtor.id,
                    "case_id": self.case.id,
                    "reason_id": self.env.ref("account_collection.collection_reason_delivery").id,
                    "note": "Two boxes were missing",
                }
            )
        )
        self.assertEqual(wizard.next_step, "dispute")
        action = wizard.action_confirm()
        form = Form(self.env["collection.dispute.open"].with_user(self.collector).with_context(**action["context"]))
        self.assertEqual(form.description, "Two boxes were missing")
        form.save().action_confirm()
        self.assertEqual(self.case.state, "disputed")

    def test_closed_case_has_nothing_planned(self):
        self._log_call(self.debtor, "no_answer", case=self.case)
        self._pay(self.invoice)
        self._synchronize()
        self.assertRecordValues(self.case, [{"state": "closed", "next_action_date": False}])
        self.assertNotIn("planned", self.debtor.action_ids.mapped("state"))

    def test_escalate_and_give_back(self):
        self._log_call(self.debtor, case=self.case, next_step="escalate")
        self.assertEqual(self.case.state, "escalated")
        self.assertEqual(self.debtor.activity_ids.user_id, self.campaign.user_id)
        self._synchronize()
        self.assertEqual(self.case.state, "escalated")
        self.case.action_deescalate()
        self.assertEqual(self.case.state, "to_contact")

    def test_close_and_reopen(self):
        wizard = Form(
            self.env["collection.case.close"].with_user(self.collector).with_context(default_case_id=self.case.id)
        )
        wizard.result = "refused"
        wizard.note = "Contests everything"
        wizard.save().action_confirm()
        self.assertRecordValues(
            self.case, [{"state": "closed", "result": "refused", "result_note": "Contests everything"}]
        )
        with self.assertRefused("This case is closed"):
            self.case.action_log_call()
        self._synchronize()
        self.assertEqual(self.case.state, "closed")
        self.case.action_reopen()
        self.assertEqual(self.case.state, "to_contact")

    def test_card_can_t_be_dragged(self):
        for state in ("promised", "disputed", "closed"):
            with self.subTest(state=state), self.assertRefused("Use the buttons"):
                self.case.state = state

    def test_next_customer_is_the_best_of_mine(self):
        for number, amount in enumerate((100, 9000, 400)):
            self._create_invoice(self._create_customer(f"Customer {number}"), amount=amount, days_late=50)
        campaign = self._start_campaign(name="Second", member_ids=[(6, 0, self.collector.ids)])
        cases = campaign.case_ids.with_user(self.collector)
        best = cases.sorted(lambda case: (-case.score, -case.claimable_amount))
        action = best[0].action_next_case()
        self.assertEqual(action["res_id"], best[1].id)
        best[1:].sudo().collector_id = self.other_collector
        self.assertEqual(best[0].action_next_case()["tag"], "display_notification")

    def test_script_is_in_the_language_of_the_customer(self):
        self.assertIn(self.invoice.name, self.case.script)
        self.assertIn("Ateliers Moreau", self.case.script)
        self.contact.lang = "fr_FR"
        self.env.invalidate_all()
        self.assertIn("5 000,00", self._plain(self.case.script))

    def test_warning_when_one_should_not_call(self):
        self.assertFalse(self.case.warning)
        self.debtor.sudo().write({"paused_until": self._days(5), "pause_reason": "Fire in the office"})
        self.assertIn("Fire in the office", self.case.warning)

    def test_what_was_said_stays(self):
        action = self._log_call(self.debtor, case=self.case)
        with self.assertRefused("can't be written by hand"):
            action.with_user(self.collector).outcome = "voicemail"
        with self.assertRefused("stays on file"):
            action.with_user(self.collector).unlink()
        values = {"debtor_id": self.debtor.id, "channel": "letter", "outcome": "voicemail"}
        with self.assertRefused("can't be written by hand"):
            self.env["collection.action"].with_user(self.collector).create(values)
        with self.assertRefused("Only a call has an outcome"):
            self.env["collection.action"].sudo().create(values)

    def test_bad_next_date(self):
        with self.assertRefused("from today on"):
            self._log_call(self.debtor, "no_answer", case=self.case, next_date=self._days(-1))
        self.assertFalse(self.debtor.action_ids)
