from datetime import timedelta
from io import BytesIO

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import SQL
from odoo.tools.pdf import PdfFileReader

from ..plan_common import PlanCommon


@tagged("post_install", "-at_install")
class TestPlanDelivery(PlanCommon):
    """The right message, once, at the right moment."""

    def test_reminder_goes_once(self):
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        self._run_cron()
        action = self._actions(debtor)
        self.assertRecordValues(
            action,
            [
                {
                    "state": "done",
                    "channel": "email",
                    "delivery_state": "queued",
                    "address": "boulangerie@customer.example",
                }
            ],
        )
        self.assertEqual(action.step_id, self._step(3), "a plan begins at its first step, however late the debt is")
        self.assertEqual(action.item_ids.mapped("level"), [3])
        message = action.mail_message_id
        self.assertIn("Boulangerie", message.record_name)
        self.assertIn("100.00", message.body)
        self.assertEqual(message.notification_ids.res_partner_id, self.customer)
        self._run_cron()
        self.assertEqual(self._actions(debtor), action, "the same day, nothing more is said")
        with freeze_time("2026-03-13 09:00:00"):
            self._synchronize()
            self._run_cron()
            self.assertEqual(self._actions(debtor)[-1:].step_id, self._step(8), "the next step after the gap")

    def test_nothing_goes_to_who_paid_meanwhile(self):
        invoice = self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        action = (
            self.env["collection.action"]
            .sudo()
            .create(self.env["collection.plan"]._prepare_action(debtor, self._decide(debtor)))
        )
        self._pay(invoice)
        self._run_cron()
        self.assertEqual(action.state, "cancelled")
        self.assertEqual(action.result_text, "Nothing is overdue.")
        self.assertFalse(action.mail_message_id)

    def test_a_channel_that_is_gone(self):
        """Whatever an addon leaves behind of its channel stops nobody: people call instead, and can read all of it."""
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        self._run_cron()
        said = self._actions(debtor)
        self.env.flush_all()
        self.env.cr.execute("UPDATE collection_action SET channel = 'pigeon' WHERE id = %s", [said.id])
        self.env.cr.execute(
            "UPDATE collection_plan_step SET channel = 'pigeon', fallback = 'pigeon' WHERE plan_id = %s", [self.plan.id]
        )
        self.env.invalidate_all()
        self.assertEqual(said.with_user(self.collector).display_name, "pigeon: Boulangerie Petit")
        self.env["collection.action"]._collect_results()
        with freeze_time("2026-03-13 09:00:00"):
            self._synchronize()
            self._run_cron()
            planned = self._actions(debtor, state="planned")
            self.assertRecordValues(planned, [{"step_id": self._step(8).id, "channel": "call"}])
            self.assertEqual(self.env["collection.digest"]._get_facts(self.company)["calls"], 1)
        self.plan.step_ids.with_user(self.manager).read()
        said._set_result("failed", "Lost")
        self.assertRecordValues(said, [{"state": "failed", "result_text": "Lost"}])

    def _plan_today(self):
        """Return what is planned for today, before anything is delivered."""
        self._synchronize()
        return self.env["collection.plan"]._plan_company(self.company)

    def test_cancelled_with_a_reason_when_not_due_any_more(self):
        invoice = self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        cases = {
            "Insolvency": lambda: debtor.write({"insolvency": True}),
            "paused": lambda: debtor.write({"insolvency": False, "paused_until": "2026-05-01"}),
            "excluded": lambda: (debtor.write({"paused_until": False}), invoice.line_ids.write({"no_followup": True})),
            "answered": lambda: (
                invoice.line_ids.write({"no_followup": False}),
                debtor.sudo().write({"reply_date": self.today}),
            ),
            "not switched on": lambda: (
                debtor.sudo().write({"reply_date": False}),
                self.plan.sudo().write({"is_running": False}),
            ),
        }
        for words, change in cases.items():
            with self.subTest(words):
                self.plan.sudo().is_running = True
                debtor.sudo().write({"insolvency": False, "paused_until": False, "reply_date": False})
                invoice.line_ids.no_followup = False
                action = self._plan_today()
                self.assertEqual(action.state, "planned")
                change()
                self._run_cron()
                self.assertEqual(action.state, "cancelled")
                self.assertIn(words, action.result_text)
                self.assertFalse(action.mail_message_id)
                # A cancelled step may come again: here it would, later the same day.
                self._actions(debtor, state="planned")._set_state("cancelled")

    def test_wrong_contacts_are_not_written_to(self):
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        stranger = self.env["res.partner"].create({"name": "Stranger", "email": "stranger@else.example"})
        archived = self.env["res.partner"].create(
            {"name": "Left", "email": "left@customer.example", "parent_id": self.customer.id, "active": False}
        )
        self._load_french()
        asked = self.env["res.partner"].create(
            {"name": "Asked", "email": "asked@customer.example", "parent_id": self.customer.id, "lang": "fr_FR"}
        )
        debtor.escalation_contact_id = archived
        # On file since before the model looked at it, or gone to another company since.
        self.env.cr.execute(SQL("UPDATE collection_debtor SET contact_id = %s WHERE id = %s", stranger.id, debtor.id))
        self.env.invalidate_all()
        self.assertEqual(debtor.contact_used_id, self.customer)
        self._run_cron()
        self.assertEqual(self._actions(debtor).contact_id, self.customer)
        debtor.contact_id = asked
        with freeze_time("2026-03-13 09:00:00"):
            self._synchronize()
            self._run_cron()
            action = self._actions(debtor)[-1:]
            self.assertEqual(action.address, "asked@customer.example")

    def test_one_language_per_message(self):
        self._load_french()
        french = self._create_customer("Café Élan", lang="fr_FR")
        self._create_invoice(french, amount=1234.5, days_late=10)
        self._create_invoice(amount=1234.5, days_late=10)
        self._synchronize()
        self._run_cron()
        in_french = self._actions(partner_id=french.id).mail_message_id
        in_english = self._actions(partner_id=self.customer.id).mail_message_id
        self.assertIn("1 234,50", self._plain(in_french.body))
        self.assertIn("28/02/2026", in_french.body)
        self.assertIn("1,234.50", self._plain(in_english.body))
        self.assertIn("02/28/2026", in_english.body)
        self.assertNotIn("Invoice<", in_french.body)
        self.assertIn("Facture", in_french.body)

    def test_attachments_are_the_customers_own(self):
        self.plan.step_ids.attach_invoices = "all"
        documents = {}
        for partner in (self.customer, self.other_customer):
            invoice = self._create_invoice(partner, days_late=10)
            documents[partner] = self.env["ir.attachment"].create(
                {
                    "name": f"{partner.name}.pdf",
                    "raw": b"%PDF-1.4 " + partner.name.encode(),
                    "res_model": "account.move",
                    "res_id": invoice.id,
                    "res_field": "invoice_pdf_report_file",
                }
            )
        self.env.invalidate_all()
        self._synchronize()
        self._run_cron()
        for partner, document in documents.items():
            action = self._actions(partner_id=partner.id)
            self.assertEqual(action.attachment_ids, document)
            self.assertEqual(action.mail_message_id.attachment_ids, document)

    def test_statement_goes_along(self):
        """A step can attach the statement of account; where none can be made, the next channel follows."""
        self._load_french()
        self.plan.step_ids.attach_statement = True
        french = self._create_customer("Café Élan", lang="fr_FR")
        invoice = self._create_invoice(french, amount=1234.5, days_late=10)
        self._create_invoice(days_late=10)
        self._synchronize()
        broken = self._get_debtor()
        Debtor = type(broken)
        render = Debtor._render_statement_pdf

        def fail_for_one(debtor, *args, **kwargs):
            if debtor == broken:
                raise ValueError("No PDF can be made.")
            return render(debtor, *args, **kwargs)

        self.patch(Debtor, "_render_statement_pdf", fail_for_one)
        for minute in (0, 11, 32):
            with freeze_time(f"2026-03-10 12:{minute:02}:00"):
                self._run_cron()
        message = self._actions(partner_id=french.id).mail_message_id
        self.assertEqual(len(message.attachment_ids), 1)
        self.assertTrue(message.attachment_ids.name.endswith(".pdf"))
        text = "".join(page.extract_text() for page in PdfFileReader(BytesIO(message.attachment_ids.raw)).pages)
        for words in (invoice.name, "234,50", "28/02/2026"):
            self.assertIn(words, text)
        failed, call = self._actions(broken)
        self.assertEqual((failed.state, failed.result_text), ("failed", "ValueError: No PDF can be made."))
        self.assertEqual((call.state, call.channel), ("planned", "call"))

    def test_what_was_sent_before_is_not_attached_again(self):
        invoice = self._create_invoice(days_late=10)
        self.plan.step_ids.attach_invoices = "missing"
        self.env["ir.attachment"].create(
            {
                "name": "invoice.pdf",
                "raw": b"%PDF-1.4",
                "res_model": "account.move",
                "res_id": invoice.id,
                "res_field": "invoice_pdf_report_file",
            }
        )
        self.env.invalidate_all()
        debtor = self._get_debtor()
        self._run_cron()
        self.assertTrue(self._actions(debtor).attachment_ids)
        with freeze_time("2026-03-13 09:00:00"):
            self._synchronize()
            self._run_cron()
            self.assertFalse(self._actions(debtor)[-1:].attachment_ids)

    def test_without_an_address_somebody_calls(self):
        self.customer.email = False
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        self._run_cron()
        failed, call = self._actions(debtor)
        self.assertRecordValues(
            failed + call,
            [
                {"state": "failed", "channel": "email", "delivery_state": "failed"},
                {"state": "planned", "channel": "call", "delivery_state": False},
            ],
        )
        self.assertIn("e-mail address", failed.result_text)
        self.assertEqual(call.fallback_of_id, failed)
        self.assertFalse(failed.item_ids, "what failed was not said")
        self._run_cron()
        self.assertEqual(len(self._actions(debtor)), 2)
        self._log_call(debtor)
        self.assertEqual(call.state, "done")
        self.assertEqual(call.item_ids.level, 3)

    def test_blacklisted_address(self):
        self.env["mail.blacklist"]._add("boulangerie@customer.example")
        other = self.env["res.partner"].create(
            {"name": "Accounts", "email": "accounts@customer.example", "parent_id": self.customer.id}
        )
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        self._run_cron()
        self.assertEqual(self._actions(debtor).contact_id, other, "the next contact is tried first")

    def test_bounce_marks_the_address_and_falls_back(self):
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        self._run_cron()
        action = self._actions(debtor)
        debtor._message_receive_bounce("boulangerie@customer.example", self.customer)
        self.assertRecordValues(action, [{"state": "failed", "delivery_state": "failed"}])
        self.assertEqual(debtor.bounced_emails, "boulangerie@customer.example")
        call = self._actions(debtor)[1:]
        self.assertRecordValues(call, [{"channel": "call", "state": "planned"}])
        # Corrected on the contact, the address is used again.
        call._set_state("cancelled")
        self.customer.email = "right@customer.example"
        with freeze_time("2026-03-13 09:00:00"):
            self._synchronize()
            self._run_cron()
            self.assertEqual(self._actions(debtor)[-1:].address, "right@customer.example")

    def test_to_confirm_waits_for_a_person(self):
        self._step(3).is_automatic = False
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        debtor.collector_id = self.collector
        self._run_cron()
        action = self._actions(debtor)
        self.assertRecordValues(
            action, [{"state": "planned", "needs_confirmation": True, "user_id": self.collector.id}]
        )
        self.assertEqual(self.env["collection.plan"]._decide(debtor, self.today)[debtor].reason, "planned")
        with self.assertRefused("can't be written by hand"):
            action.with_user(self.collector).needs_confirmation = False
        action.with_user(self.collector).action_confirm()
        self._run_cron()
        self.assertEqual(action.state, "done")

    def test_what_nobody_does_does_not_stop_the_plan(self):
        plan = self._create_plan(steps=((3, "call"), (8, "email")), sequence=0)
        plan._start()
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        self._run_cron()
        call = self._actions(debtor)
        self.assertEqual((call.channel, call.state), ("call", "planned"))
        with freeze_time("2026-03-20 09:00:00"):
            self._run_cron()
            self.assertEqual(call.state, "planned", "ten days to do it")
        with freeze_time("2026-03-23 09:00:00"):
            self._synchronize()
            self._run_cron()
            self.assertRecordValues(call, [{"state": "cancelled", "is_skipped": True}])
            self.assertEqual(self._actions(debtor)[-1:].step_id, self._step(8, plan))

    def test_unanswered_call_is_not_done(self):
        plan = self._create_plan(steps=((3, "call"), (8, "email")), sequence=0)
        plan._start()
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        self._run_cron()
        call = self._actions(debtor)
        self._log_call(debtor, outcome="no_answer", next_step="call", next_date=self._days(2))
        self.assertRecordValues(call, [{"state": "planned", "date_planned": self.today + timedelta(days=2)}])
        self._log_call(debtor, outcome="right_person", next_step="none")
        self.assertEqual(call.state, "done")

    def test_only_the_system_writes_what_was_delivered(self):
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        self._run_cron()
        action = self._actions(debtor)
        manager = self.env.user
        for values in (
            {"delivery_state": "sent"},
            {"step_id": self._step(8).id},
            {"cycle": 1},
            {"is_skipped": True},
            {"address": "else@else.example"},
        ):
            with self.assertRefused("can't be"):
                action.with_user(manager).write(values)
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            action.item_ids.with_user(manager).write({"level": 30})
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.env["collection.action"].with_user(self.collector).create(
                {"debtor_id": debtor.id, "channel": "email", "step_id": self._step(8).id, "cycle": 5}
            )

    def test_html_in_names_is_text(self):
        self.customer.name = "<script>alert(1)</script> & Fils"
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        self._run_cron()
        body = self._actions(debtor).mail_message_id.body
        self.assertNotIn("<script", body)

    def test_two_currencies_are_two_sums(self):
        dollar = self.setup_other_currency("USD", rates=[("2025-01-01", 2.0)])
        self._create_invoice(amount=100, days_late=10)
        self._create_invoice(amount=100, days_late=10, currency=dollar)
        debtor = self._get_debtor()
        self._run_cron()
        action = self._actions(debtor)
        self.assertEqual(sorted(action.item_ids.mapped("amount")), [100.0, 100.0])
        self.assertEqual(action.item_ids.currency_id, dollar + self.company.currency_id)
        self.assertNotIn("150", action.mail_message_id.body)
        self.assertNotIn("200.00", action.mail_message_id.body)

    def test_case_of_the_campaign_knows(self):
        self._create_invoice(days_late=10)
        self._get_debtor()
        campaign = self._start_campaign()
        self._run_cron()
        case = campaign.case_ids
        self.assertEqual(self._actions().case_id, case)
        self.assertTrue(case.last_contact_date)

    def test_one_broken_customer_does_not_hold_up_the_others(self):
        self._create_invoice(days_late=10)
        self._create_invoice(self.other_customer, days_late=10)
        self._synchronize()
        broken = self._get_debtor(self.other_customer)
        Email = type(self.env["collection.channel.email"])
        prepare = Email._prepare_mail

        def fail_for_one(channel, action, payload, reply_to):
            if action.debtor_id == broken:
                raise ValueError("no such thing")
            return prepare(channel, action, payload, reply_to)

        self.patch(Email, "_prepare_mail", fail_for_one)
        self._run_cron()
        self.assertEqual(self._actions(partner_id=self.customer.id).state, "done")
        failed, call = self._actions(broken)
        self.assertEqual((failed.state, failed.result_text), ("failed", "no such thing"))
        self.assertEqual((call.state, call.channel), ("planned", "call"))

    def test_steps_for_people_go_away_with_their_cause(self):
        plan = self._create_plan(steps=((3, "call"), (8, "email")), sequence=0)
        plan._start()
        invoice = self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        self._run_cron()
        call = self._actions(debtor)
        self.assertEqual(call.state, "planned")
        self._promise(debtor, date=self.today + timedelta(days=5), channel="email")
        self.assertEqual(call.state, "cancelled")
        debtor.promise_ids.with_user(self.team_user).action_cancel()
        with freeze_time("2026-03-16 09:00:00"):
            self._synchronize()
            self._run_cron()
            call = self._actions(debtor, channel="call")[-1:]
            self.assertEqual(call.state, "planned", "the step comes again once the promise is gone")
            self._pay(invoice)
            self._synchronize()
            self._run_cron()
            self.assertEqual(call.state, "cancelled")
            self.assertIn(call.result_text, ("Nothing is overdue.", "Paid."))

    def test_old_bounce_does_not_go_back_a_step(self):
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        self._run_cron()
        first = self._actions(debtor)
        with freeze_time("2026-03-13 09:00:00"):
            self._synchronize()
            self._run_cron()
            first._set_result("failed", "It came back.")
            self.assertEqual(first.state, "failed")
            self.assertEqual(len(self._actions(debtor)), 2, "no call about a step that another one has overtaken")

    # == Nothing to claim ==

    def _plan_step(self, debtor, delay=3, **values):
        """Return a planned action of a step, as if a decision had asked for it."""
        return (
            self.env["collection.action"]
            .sudo()
            .create(
                {
                    "debtor_id": debtor.id,
                    "channel": "email",
                    "plan_id": self.plan.id,
                    "step_id": self._step(delay).id,
                    "cycle": self._get_items(self.env["account.move"].search([], limit=1))[:1].id,
                    "date_planned": self.today,
                    **values,
                }
            )
        )

    def _hand_over(self, action):
        """Have a channel send an action, whatever was decided."""
        channel = self.env["collection.channel"]._get(action.channel)
        action.sudo().with_company(self.company)._hand_over(channel)

    def test_nothing_goes_out_without_anything_to_claim(self):
        """Whatever the decision says: paid in full in another currency, at a lower rate, and not matched."""
        dollar = self.setup_other_currency("USD", rates=[("2025-01-01", 1.0), ("2026-03-01", 1.25)])
        self._create_invoice(amount=1000, days_late=40, currency=dollar)
        self._pay_on_account(amount=1000, currency=dollar)
        debtor = self._get_debtor()
        action = self._plan_step(debtor)
        self._hand_over(action)
        self.assertRecordValues(action, [{"state": "cancelled", "cancel_code": "nothing_claimable"}])
        self.assertFalse(action.mail_message_id)
        self.assertFalse(self._actions(debtor, state="planned"), "nobody calls instead")
        self._run_cron()
        self.assertFalse(self._actions(debtor, state="done"))

    def test_without_address_and_without_claim_nobody_calls(self):
        self.customer.email = False
        self._pay(self._create_invoice(days_late=10))
        debtor = self._get_debtor()
        action = self._plan_step(debtor)
        self._hand_over(action)
        self.assertEqual(action.state, "cancelled")
        self.assertEqual(self._actions(debtor), action)

    def test_cents_are_not_reminded(self):
        """The limit itself is worth a message, a cent less is not; a person may write all the same."""
        self._create_invoice(amount=4.99, days_late=10)
        self._create_invoice(self.other_customer, amount=5.0, days_late=10)
        debtor = self._get_debtor()
        decision = self._decide(debtor)
        self.assertEqual(decision.reason, "too_small")
        self.assertEqual(
            self._plain(self.env["collection.plan"]._describe(decision, debtor)),
            "What can be claimed (4.99 €) is less than the smallest amount worth a message (5.00 €).",
        )
        action = self._plan_step(debtor)
        self._hand_over(action)
        self.assertRecordValues(action, [{"state": "cancelled", "cancel_code": "too_small"}])
        self._run_cron()
        self.assertFalse(self._actions(debtor, state="done"))
        self.assertEqual(self._actions(partner_id=self.other_customer.id).state, "done")
        wizard = self.env["collection.reminder.send"].with_user(self.collector).create({"debtor_id": debtor.id})
        self.assertIn("smallest amount", wizard.small_amount_warning)
        with self.assertRefused("smallest amount"):
            wizard.action_send()
        wizard.send_anyway = True
        wizard.action_send()
        self.assertEqual(self._actions(debtor, state="done").channel, "email")
        self.company.collection_min_amount = 0
        wizard.invalidate_recordset()
        self.assertFalse(wizard.small_amount_warning)
        with self.assertRefused("can't be negative"):
            self.company.collection_min_amount = -1

    def test_small_debts_that_add_up_are_reminded(self):
        for amount in (2.4, 2.6):
            self._create_invoice(amount=amount, days_late=10)
        self.assertEqual(self._decide().reason, "due")

    def test_cents_in_another_currency_are_judged_by_what_they_are_worth(self):
        dollar = self.setup_other_currency("USD", rates=[("2025-01-01", 2.0)])
        self._create_invoice(amount=9.98, days_late=10, currency=dollar)
        self._create_invoice(self.other_customer, amount=10, days_late=10, currency=dollar)
        self._synchronize()
        self._run_cron()
        self.assertFalse(self._actions(partner_id=self.customer.id))
        self.assertEqual(self._actions(partner_id=self.other_customer.id).state, "done")

    def test_sms_before_the_due_date(self):
        """What a step before the due date is about is not overdue, and named all the same."""
        template = self.env["sms.template"].create(
            {
                "name": "Courtesy",
                "model_id": self.env["ir.model"]._get_id("collection.debtor"),
                "body": "{{ object._get_claim_total() }}",
            }
        )
        plan = self._create_plan(steps=((-7, "email"), (3, "email")), sequence=0)
        self._step(-7, plan).write({"channel": "sms", "sms_template_id": template.id})
        plan._start()
        self._create_invoice(days_late=-7)
        debtor = self._get_debtor()
        self._run_cron()
        action = self._actions(debtor)
        self.assertEqual(action.state, "done")
        self.assertIn("100.00", action.mail_message_id.body)

    # == Between planning and sending ==

    def test_another_step_is_due(self):
        """What was planned doesn't go when the decision asks for another step by now."""
        self._create_invoice(days_late=10)
        debtor = self._get_debtor()
        planned = self._plan_step(debtor, delay=8)
        self.assertEqual(self._decide(debtor, ignored_actions=planned).step, self._step(3))
        self._run_cron()
        self.assertRecordValues(planned, [{"state": "cancelled", "cancel_code": "other_step"}])
        self.assertFalse(planned.mail_message_id)

    def test_step_passes_to_the_item_that_is_left(self):
        """The oldest invoice is paid between planning and sending: the step counts for the next one."""
        older = self._create_invoice(days_late=12)
        younger = self._create_invoice(amount=70, days_late=10)
        self._synchronize()
        action = self._plan_today()
        self.assertEqual(action.cycle, self._get_items(older).id)
        self._pay(older)
        self._run_cron()
        self.assertRecordValues(action, [{"state": "done", "cycle": self._get_items(younger).id}])
        self.assertEqual(action.item_ids.move_line_id, self._get_items(younger))

    def test_items_that_credits_cover_are_named(self):
        """The message shows an invoice that a payment on account covers: it is on file."""
        covered = self._create_invoice(amount=100, days_late=12)
        owed = self._create_invoice(amount=70, days_late=10)
        self._pay_on_account(amount=100)
        debtor = self._get_debtor()
        self._run_cron()
        action = self._actions(debtor, state="done")
        self.assertEqual(
            {item.move_id: item.amount for item in action.item_ids},
            {covered: 0.0, owed: 70.0},
        )
