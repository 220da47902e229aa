from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, new_test_user, tagged

from ..common import CollectionCommon


@tagged("post_install", "-at_install")
class TestInvoiceAndCustomer(CollectionCommon):
    """What was said stands on the invoice, and salespeople see on the customer what they need."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(amount=1000, days_late=70)
        cls.second = cls._create_invoice(amount=200, days_late=20)
        cls.debtor = cls._get_debtor()
        cls.salesperson = new_test_user(cls.env, login="salesperson", groups="base.group_user")
        cls.banner_at_first = cls.company.collection_banner
        cls.company.collection_banner = "words"

    def _run_from_list(self, name, moves, user=None):
        """Choose an entry of the list's action menu."""
        action = self.env.ref(f"account_collection.account_move_action_{name}").with_user(user or self.collector)
        return action.with_context(active_model="account.move", active_ids=moves.ids, active_id=moves[:1].id).run()

    def _form(self, action, model):
        return Form(self.env[model].with_user(self.collector).with_context(**action["context"]))

    # === FROM THE INVOICE === #

    def test_promise_for_several_invoices_from_the_list(self):
        action = self._run_from_list("promise", self.invoice + self.second)
        form = self._form(action, "collection.promise.record")
        self.assertEqual(form.amount, 1200)
        form.save().action_confirm()
        self.assertEqual(self.debtor.promise_ids.line_ids.move_id, self.invoice + self.second)

    def test_dispute_for_several_invoices_from_the_list(self):
        action = self._run_from_list("dispute", self.invoice + self.second)
        form = self._form(action, "collection.dispute.open")
        form.reason_id = self.env.ref("account_collection.collection_reason_quality")
        form.save().action_confirm()
        self.assertEqual(self.debtor.dispute_ids.amount, 1200)

    def test_what_can_t_go_together(self):
        other = self._create_invoice(self.other_customer)
        dollar = self.setup_other_currency("USD", rates=[("1900-01-01", 2.0)])
        in_dollars = self._create_invoice(amount=300, currency=dollar)
        draft = self.invoice.copy()
        paid = self._create_invoice(amount=5)
        self._pay(paid)
        for moves, message in (
            (self.invoice + other, r"several customers \(.*Garage Lemoine"),
            (self.invoice + in_dollars, r"several currencies \(EUR, USD|USD, EUR\)"),
            (self.invoice + draft, "posted customer invoices"),
            (paid, "Nothing is owed"),
        ):
            for name in ("promise", "dispute"):
                with self.subTest(message=message, name=name), self.assertRefused(message):
                    self._run_from_list(name, moves)

    def test_list_actions_are_for_collectors(self):
        with self.assertRaises(AccessError):
            self._run_from_list("promise", self.invoice, user=self.salesperson)

    def test_what_was_said_stands_on_the_invoice(self):
        move = self.invoice.with_user(self.collector)
        self.assertEqual((move.collection_last_contact_on, move.collection_next_step), (False, False))
        self.env.invalidate_all()  # somebody opens it again later
        self._log_call(self.debtor, note="Asks for the delivery note")
        self.env["collection.action"]._plan_call(self.debtor, self.today + timedelta(days=3), "Ask again")
        move = self.invoice.with_user(self.collector)
        self.assertEqual(move.collection_last_contact_on, self.today)
        self.assertIn("Ask again", move.collection_next_step)
        self.assertIn("Asks for the delivery note", move.collection_action_ids.mapped("note"))
        self.debtor.collector_id = self.collector
        move = self.invoice.with_user(self.other_collector)
        self.assertFalse(move.collection_action_ids)

    # === PAUSES === #

    def _pause(self, moves=None, **values):
        wizard = self.env["collection.pause.set"].with_user(self.collector)
        wizard = wizard.create(
            {
                "debtor_id": self.debtor.id,
                "move_ids": [Command.set(moves.ids if moves else [])],
                "reason": "The director visits them",
                **values,
            }
        )
        wizard.action_confirm()

    def _settle_on(self, days):
        with freeze_time(self.today + timedelta(days=days, hours=3)), self.enter_registry_test_mode():
            self.env.ref("account_collection.cron_settle").method_direct_trigger()

    def test_paused_invoice(self):
        action = self._run_from_list("pause", self.invoice)
        form = self._form(action, "collection.pause.set")
        form.reason = "Being checked"
        form.date_until = self._days(10)
        form.save().action_confirm()
        self.assertTrue(self.invoice.no_followup)
        self.assertRecordValues(self.debtor, [{"excluded_amount": 1000, "claimable_amount": 200}])
        self.assertEqual(self.invoice.collection_paused_until, self.today + timedelta(days=10))
        for record in (self.invoice, self.debtor):
            self.assertIn("Being checked", record.message_ids[0].body)
        self._settle_on(9)
        self.assertTrue(self.invoice.no_followup)
        self._settle_on(10)
        self.assertFalse(self.invoice.no_followup)
        self.assertRecordValues(self.debtor, [{"excluded_amount": 0, "claimable_amount": 1200}])
        self.assertFalse(self.invoice.collection_paused_until)

    def test_pause_that_is_ended_early(self):
        self._pause(self.invoice)
        self.invoice.with_user(self.collector).action_collection_resume()
        self.assertFalse(self.invoice.no_followup)
        self.assertEqual(self.debtor.claimable_amount, 1200)

    def _create_entry(self):
        """Post an opening entry with two debts of the customer, the second of which somebody left out by hand.

        Of an invoice, Odoo leaves out all or nothing.
        """
        debt = {"account_id": self.customer.property_account_receivable_id.id, "partner_id": self.customer.id}
        revenue = self.company_data["default_account_revenue"]
        entry = self.env["account.move"].create(
            {
                "partner_id": self.customer.id,
                "date": self.today - timedelta(days=60),
                "line_ids": [
                    Command.create({**debt, "name": "A", "debit": 30, "no_followup": False}),
                    Command.create({**debt, "name": "B", "debit": 20, "no_followup": True}),
                    Command.create({"account_id": revenue.id, "credit": 50}),
                ],
            }
        )
        entry.action_post()
        first, second = self._get_items(entry).sorted("name")
        self.assertEqual((first.no_followup, second.no_followup), (False, True))
        return entry, first, second

    def _pause_until(self, moves, days):
        until = self.today + timedelta(days=days)
        self.env["collection.pause"].with_user(self.collector)._pause(self.debtor, moves, until, "Checked")

    def test_what_was_left_out_by_hand_stays_so_after_a_pause(self):
        entry, first, second = self._create_entry()
        self._pause_until(entry, 5)
        self._pause_until(entry, 8)  # longer than was thought
        self.assertTrue(first.no_followup and second.no_followup)
        self.env["collection.pause"]._get_running(entry)._end()
        self.assertEqual((first.no_followup, second.no_followup), (False, True))

    def test_pauses_end_with_the_application(self):
        """And nothing else is followed up that somebody left out."""
        entry, first, second = self._create_entry()
        self._pause_until(entry + self.invoice, 5)
        self.second.no_followup = True
        self.env["collection.pause"]._release_all()
        self.assertEqual((first.no_followup, second.no_followup), (False, True))
        self.assertFalse(self.invoice.no_followup)
        self.assertTrue(self.second.no_followup)

    def test_paused_customer(self):
        self._pause(date_until=self._days(10))
        self.assertRecordValues(
            self.debtor,
            [{"paused_until": self.today + timedelta(days=10), "pause_reason": "The director visits them"}],
        )
        self.assertIn("The director visits them", self.debtor._get_silence_reason())
        self.assertFalse(self.invoice.no_followup)

    def test_bad_pauses(self):
        other = self._create_invoice(self.other_customer)
        self.second.no_followup = True
        for moves, values, message in (
            (self.invoice, {"date_until": self.today}, "still to come"),
            (self.invoice, {"reason": " "}, "Say why"),
            (other, {}, "is not an item of"),
            (self.second, {}, "nothing to pause"),
        ):
            with self.subTest(message=message), self.assertRefused(message):
                self._pause(moves, **values)
        with self.assertRaises(AccessError):
            self.env["collection.pause"].with_user(self.manager).create({"move_id": self.invoice.id})

    # === THE BANNER === #

    def _read_banner(self, partner=None):
        partner = (partner or self.customer).with_user(self.salesperson)
        partner.invalidate_recordset()
        return partner.read(["collection_banner", "collection_must_prepay"])[0]

    def test_nobody_reads_a_banner_until_somebody_decides_so(self):
        self.assertEqual(self.banner_at_first, "none")
        self.assertEqual(self.env["res.company"].create({"name": "New"}).collection_banner, "none")
        self.company.collection_banner = self.banner_at_first
        self.assertEqual(
            self._read_banner(), {"id": self.customer.id, "collection_banner": False, "collection_must_prepay": False}
        )

    def test_salesperson_reads_a_banner(self):
        values = self._read_banner()
        self.assertIn("70 days", values["collection_banner"])
        self.assertIn("Pay before new orders", values["collection_banner"])
        self.assertNotIn("1,200", values["collection_banner"])
        self.assertTrue(values["collection_must_prepay"])
        contact = self.env["res.partner"].create({"name": "Marie", "parent_id": self.customer.id})
        self.assertEqual(self._read_banner(contact)["collection_banner"], values["collection_banner"])
        with self.assertRaises(AccessError):
            self.debtor.with_user(self.salesperson).read(["overdue_amount"])

    def test_policy(self):
        self.company.collection_prepay_days = 80
        self.assertFalse(self._read_banner()["collection_must_prepay"])
        self.company.collection_banner = "amounts"
        self.assertIn("1,200.00", self._plain(self._read_banner()["collection_banner"]))
        self._dispute(self.debtor, self._get_items(self.invoice))
        self._promise(self.debtor, amount=50, date=self._days(4))
        banner = self._read_banner()["collection_banner"]
        self.assertIn("In dispute: Pricing error", banner)
        self.assertIn("Payment promised for", banner)
        self.company.collection_banner = "none"
        self.assertEqual(
            self._read_banner(),
            {"id": self.customer.id, "collection_banner": False, "collection_must_prepay": False},
        )

    def test_nothing_to_say(self):
        self.assertFalse(self._read_banner(self.other_customer)["collection_banner"])
        portal = new_test_user(self.env, login="portal", groups="base.group_portal")
        self.assertNotIn("collection_banner", self.customer.with_user(portal).fields_get())

    def test_forms_open_for_everybody(self):
        Form(self.customer.with_user(self.salesperson), view="base.view_partner_form")
        Form(self.customer.with_user(self.collector), view="base.view_partner_form")
        Form(self.invoice, view="account.view_move_form")
