# What people write in a test needs no translation.
# pylint: disable=translation-required

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, new_test_user, tagged

from ..common import CollectionCommon


@tagged("post_install", "-at_install")
class TestDisputeSolving(CollectionCommon):
    """What solves a dispute is at hand for its owner, who needs no accounting rights for it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(amount=100, days_late=20)
        cls.item = cls._get_items(cls.invoice)
        cls.debtor = cls._get_debtor()
        cls.accountant = new_test_user(
            cls.env,
            login="accountant",
            groups="base.group_user,account.group_account_invoice,account_collection.group_collection_team",
        )

    def _reason(self, code):
        return self.env.ref(f"account_collection.collection_reason_{code}")

    def _open(self, code="price", amount=None, **values):
        return self._dispute(self.debtor, self.item, amount, reason_id=self._reason(code).id, **values)

    def _accept(self, dispute, user):
        dispute.resolution = "The price list of last year was applied."
        dispute.with_user(user).action_accept()

    def test_every_family_has_a_reason(self):
        reasons = self.env["collection.reason"].search([])
        families = dict(reasons._fields["family"]._description_selection(self.env))
        self.assertEqual(set(reasons.mapped("family")), set(families))
        self.assertTrue(all(reason.resolution_action for reason in reasons if reason.opens_dispute))

    # === LETTERS === #

    def test_owner_sends_the_invoice_again(self):
        dispute = self._open("invoice_not_received").with_user(self.solver)
        dispute.action_send_invoice()
        message = dispute.message_ids.filtered(lambda message: message.message_type == "comment")
        self.assertEqual(message.partner_ids, self.customer)
        self.assertEqual(len(message.attachment_ids), 1)
        self.assertIn(self.invoice.name, message.subject)
        self.assertEqual(message.email_from, self.company.email_formatted)
        action = self.debtor.action_ids.filtered(lambda action: action.channel == "email")
        self.assertRecordValues(
            action,
            [{"dispute_id": dispute.id, "mail_message_id": message.id, "user_id": self.solver.id, "state": "done"}],
        )
        self.assertFalse(dispute.told_on)

    def test_customer_s_language(self):
        self._load_french()
        template = self.env.ref("account_collection.mail_template_dispute_invoice")
        template.with_context(lang="fr_FR").subject = "Facture {{ object.item_names }}"
        self.customer.lang = "fr_FR"
        dispute = self._open("invoice_not_received").with_user(self.solver)
        dispute.action_send_invoice()
        message = dispute.message_ids.filtered(lambda message: message.message_type == "comment")
        self.assertEqual(message.subject, f"Facture {self.invoice.name}")

    def test_nobody_to_write_to(self):
        self.customer.email = False
        dispute = self._open("invoice_not_received").with_user(self.solver)
        for method in ("action_send_invoice", "action_write_customer"):
            with self.subTest(method=method), self.assertRefused("no valid e-mail address"):
                getattr(dispute, method)()

    def test_owner_tells_the_customer_how_it_ended(self):
        dispute = self._open("delivery").with_user(self.solver)
        dispute.resolution = "Delivered on 3 March."
        dispute.action_reject()
        self.assertEqual(self.debtor.claimable_amount, 100)
        action = dispute.action_write_customer()
        composer = Form(self.env["mail.compose.message"].with_user(self.solver).with_context(**action["context"]))
        composer.save().action_send_mail()
        message = dispute.message_ids.filtered(lambda message: message.message_type == "comment")
        self.assertIn("Delivered on 3 March.", message.body)
        self.assertIn("invoiced rightly", message.body)
        self.assertEqual((message.partner_ids, dispute.told_on), (self.customer, self.today))

    def test_note_to_a_colleague_is_no_letter(self):
        dispute = self._open().with_user(self.solver)
        dispute.message_post(body="Look", message_type="comment", partner_ids=self.customer.ids)  # a note
        dispute.message_post(
            body="Look",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            partner_ids=self.collector.partner_id.ids,
        )
        self.assertFalse(self.debtor.action_ids.filtered(lambda action: action.channel == "email"))

    # === THE SALESPERSON === #

    def test_salesperson_is_asked(self):
        dispute = self._open("commercial", description="Wants a rebate").with_user(self.solver)
        with self.assertRefused("has no salesperson"):
            dispute.action_ask_salesperson()
        salesperson = new_test_user(self.env, login="salesperson", groups="base.group_user")
        self.customer.user_id = salesperson
        dispute.action_ask_salesperson()
        activity = self.customer.activity_ids
        self.assertEqual(activity.user_id, salesperson)
        self.assertIn("Wants a rebate", activity.with_user(salesperson).note)

    # === CREDIT NOTES === #

    def test_accountant_gets_a_draft(self):
        dispute = self._open(amount=30)
        self._accept(dispute, self.accountant)
        note = dispute.credit_note_ids
        self.assertRecordValues(
            note,
            [
                {
                    "state": "draft",
                    "move_type": "out_refund",
                    "amount_total": 30,
                    "reversed_entry_id": self.invoice.id,
                    "partner_id": self.customer.id,
                }
            ],
        )
        self.assertIn("Pricing error", note.ref)
        # Another click opens the same draft.
        action = dispute.with_user(self.accountant).action_credit_note()
        self.assertEqual((action["res_id"], dispute.credit_note_ids), (note.id, note))
        self.assertEqual(self.debtor.claimable_amount, 70)
        note.action_post()
        (self.item + self._get_items(note)).reconcile()
        self._synchronize()
        self.assertRecordValues(dispute, [{"state": "accepted", "is_credited": True}])
        self.assertRecordValues(self.debtor, [{"overdue_amount": 70, "claimable_amount": 70, "disputed_amount": 0}])

    def test_draft_over_the_whole_keeps_the_lines(self):
        dispute = self._open()
        self._accept(dispute, self.accountant)
        self.assertRecordValues(dispute.credit_note_ids.invoice_line_ids, [{"name": "Work", "price_unit": 100}])

    def test_draft_over_a_part_has_the_right_taxes(self):
        tax = self.company_data["default_tax_sale"]
        tax.write({"amount": 20, "price_include_override": "tax_excluded"})
        self.invoice.button_draft()
        self.invoice.invoice_line_ids.tax_ids = [Command.set(tax.ids)]
        self.invoice.action_post()
        self.item = self._get_items(self.invoice)
        self.debtor._synchronize_own()
        dispute = self._open(amount=60)
        self._accept(dispute, self.accountant)
        self.assertRecordValues(dispute.credit_note_ids, [{"amount_untaxed": 50, "amount_tax": 10, "amount_total": 60}])

    def _invoice_with_taxes(self, *lines):
        """Post an invoice with lines ``(price, taxes)``."""
        self.invoice = self._create_invoice(
            days_late=5,
            invoice_line_ids=[
                Command.create({"name": "Goods", "price_unit": price, "tax_ids": [Command.set(taxes.ids)]})
                for price, taxes in lines
            ],
        )
        self.item = self._get_items(self.invoice)
        self.debtor._synchronize_own()

    def _tax(self, amount, included=False):
        return self.company_data["default_tax_sale"].copy(
            {
                "name": f"{amount} % {included}",
                "amount": amount,
                "price_include_override": "tax_included" if included else "tax_excluded",
            }
        )

    def test_draft_over_a_part_is_right_to_the_cent(self):
        """Whatever the taxes: else a cent stays withheld for ever, or is claimed of what was credited."""
        reduced, standard, included = self._tax(5.5), self._tax(20), self._tax(20, included=True)
        for lines in (
            [(1000, reduced)],
            [(1000, standard)],
            [(1000, included)],
            [(333.33, reduced), (333.33, standard), (333.34, included)],
        ):
            self._invoice_with_taxes(*lines)
            for amount in (0.03, 10.05, 50.74, 33.33, 123.45, 777.77):
                with self.subTest(lines=lines, amount=amount):
                    dispute = self._open(amount=amount)
                    dispute.resolution = "Right"
                    dispute.with_user(self.accountant).action_accept()
                    note = dispute.credit_note_ids
                    self.assertEqual(self.invoice.currency_id.compare_amounts(note.amount_total, amount), 0)
                    taxes = note.amount_total - note.amount_untaxed
                    share = amount / self.invoice.amount_total
                    self.assertAlmostEqual(taxes, self.invoice.amount_tax * share, delta=0.02)
                    note.action_post()
                    self.assertEqual(self.invoice.currency_id.compare_amounts(note.amount_total, amount), 0)
                    (self.item + self._get_items(note)).reconcile()
                    self._synchronize()
                    self.assertRecordValues(dispute, [{"state": "accepted", "is_credited": True}])
                    self.assertEqual(self.debtor.disputed_amount, 0)

    def test_second_draft_is_over_the_rest(self):
        dispute = self._open()
        self._credit(self.invoice, amount=30)
        self._synchronize()
        self._accept(dispute, self.accountant)
        draft = dispute.credit_note_ids.filtered(lambda note: note.state == "draft")
        self.assertEqual((draft.amount_total, dispute.line_ids.settled_amount), (70, 30))

    def test_owner_has_accounting_make_it(self):
        self.company.collection_accountant_id = self.accountant
        dispute = self._open(amount=30)
        self._accept(dispute, self.solver)
        self.assertFalse(dispute.credit_note_ids)
        self.assertEqual(dispute.credit_asked_on, self.today)
        self.assertEqual(self.invoice.activity_ids.user_id, self.accountant)
        dispute.with_user(self.solver).action_credit_note()
        self.assertEqual(len(self.invoice.activity_ids), 1)
        for name in ("credit_note_ids", "debtor_id"):
            with self.subTest(field=name), self.assertRaises(AccessError):
                dispute.with_user(self.solver)[name].mapped("display_name") or dispute.with_user(self.solver).read(
                    [name]
                )

    def test_nothing_to_credit_once_rejected(self):
        dispute = self._open()
        dispute.resolution = "No"
        dispute.action_reject()
        with self.assertRefused("nothing to credit"):
            dispute.action_credit_note()

    def test_credit_note_made_in_accounting_is_linked(self):
        dispute = self._open(amount=30)
        note = self._credit(self.invoice, amount=30)
        self._synchronize()
        self.assertEqual((dispute.state, dispute.credit_note_ids), ("accepted", note))

    def test_credit_note_that_is_taken_off_again(self):
        """The customer is still right: nothing is claimed until it is credited anew."""
        dispute = self._open(amount=30)
        note = self._credit(self.invoice, amount=30)
        self._synchronize()
        self._get_items(note).remove_move_reconcile()
        note.button_draft()
        self._synchronize()
        self.assertRecordValues(dispute, [{"state": "accepted", "is_credited": False}])
        self.assertRecordValues(self.debtor, [{"claimable_amount": 70, "disputed_amount": 30}])

    def test_links_can_t_be_forged(self):
        dispute = self._open().with_user(self.manager)
        for name, value in (
            ("credit_note_ids", [Command.set(self.invoice.ids)]),
            ("told_on", self.today),
            ("credit_asked_on", self.today),
            ("is_credited", True),
        ):
            with self.subTest(field=name), self.assertRefused("by hand"):
                dispute.write({name: value})

    # === LATE, AND OVER === #

    def test_late_dispute_goes_to_the_manager(self):
        self.company.collection_dispute_manager_id = self.manager
        dispute = self._open()
        with freeze_time("2026-04-20 03:00:00"):
            dispute._escalate_late(dispute.company_id._collection_today())
        self.assertIn(self.manager, dispute.activity_ids.user_id)

    def test_analysis(self):
        first = self._open("price", amount=30)
        second = self._open("price", amount=10)
        self._open("delivery", amount=5)
        third = self._open("quality", amount=4)
        third.resolution = "Looked at"
        third.action_reject()
        first.resolution = second.resolution = "Looked at"
        with freeze_time("2026-03-14 12:00:00"):
            first.action_reject()
        with freeze_time("2026-03-20 12:00:00"):
            self._accept(second, self.accountant)
        rows = (
            self.env["collection.dispute"]
            .with_user(self.team_user)
            ._read_group(
                [("debtor_id", "=", self.debtor.id)],
                ["family"],
                ["company_amount:sum", "solve_days:avg", "customer_share:avg", "customer_amount_share:avg"],
            )
        )
        self.assertEqual(
            {row[0]: row[1:] for row in rows},
            {"price": (40, 7, 50, 25), "delivery": (5, False, False, False), "quality": (4, 0, 0, 0)},
        )
