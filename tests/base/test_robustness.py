from datetime import timedelta

from lxml import etree

from odoo.fields import Command
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from ..common import CollectionCommon


@tagged("post_install", "-at_install")
class TestRobustness(CollectionCommon):
    """Accounting goes on as if this addon were not there, and one fault doesn't spread."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(amount=1000, days_late=40)
        cls.campaign = cls._start_campaign(member_ids=[Command.set(cls.collector.ids)])
        cls.case = cls.campaign.case_ids
        cls.debtor = cls.case.debtor_id

    def test_promised_and_disputed_entries_can_be_deleted(self):
        promise = self._promise(self.debtor, amount=10)
        dispute = self._dispute(self.debtor, self._get_items(self.invoice), amount=20)
        self.invoice.button_draft()
        self.invoice.with_context(force_delete=True).unlink()
        self._synchronize()
        self.assertEqual((promise.state, dispute.state), ("cancelled", "cancelled"))
        self.assertIn("deleted", dispute.resolution)
        self.assertTrue(promise.line_ids.name, "what was promised stays readable")
        self.assertRecordValues(self.case, [{"other_amount": 1000, "residual_amount": 0, "state": "closed"}])

    def test_invoice_posted_anew_in_instalments(self):
        """What is owed doesn't look written off because it stands on other journal items now."""
        terms = self.env["account.payment.term"].create(
            {
                "name": "Two halves",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": 0}),
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": 5}),
                ],
            }
        )
        self.invoice.button_draft()
        self.invoice.invoice_payment_term_id = terms
        self.invoice.action_post()
        self._synchronize()
        self.assertEqual(self.debtor.claimable_amount, 1000)
        self.assertRecordValues(self.case, [{"initial_amount": 1000, "residual_amount": 1000, "other_amount": 0}])
        self._pay(self.invoice)
        self._synchronize()
        self.assertRecordValues(self.case, [{"collected_amount": 1000, "residual_amount": 0, "result": "paid"}])

    def test_merged_customers_share_one_file(self):
        self._create_invoice(self.other_customer, amount=500)
        other = self._get_debtor(self.other_customer)
        self._promise(other, amount=100)
        self._log_call(self.debtor, "voicemail", case=self.case)
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (self.customer + self.other_customer).ids, self.customer, extra_checks=False
        )
        self.env.invalidate_all()
        debtor = self._get_debtor()
        self.assertEqual(debtor, self.debtor)
        self.assertEqual((debtor.due_amount, debtor.promised_amount), (1500, 100))
        self.assertEqual(len(debtor.action_ids.filtered(lambda action: action.state == "done")), 2)

    def test_company_without_criteria_goes_on(self):
        self.env["collection.criterion"].search([]).action_archive()
        self._create_invoice(amount=5)
        debtor = self._get_debtor()
        self.assertRecordValues(debtor, [{"claimable_amount": 1005, "score": 0, "grade": "d"}])

    def test_one_broken_company_doesn_t_stop_the_others(self):
        other_company = self.setup_other_company(name="Broken")["company"]
        other_company.collection_refresh_date = self.company.collection_refresh_date = False
        Criterion = self.env.registry["collection.criterion"]
        get_criteria = Criterion._get_criteria

        def _get_criteria(model, company):
            if company == other_company:
                raise ValueError("broken")
            return get_criteria(model, company)

        self.patch(Criterion, "_get_criteria", _get_criteria)
        cron = self.env.ref("account_collection.cron_refresh_debtors")
        with (
            mute_logger("odoo.addons.account_collection.models", "odoo.osv.expression"),
            self.enter_registry_test_mode(),
        ):
            cron.method_direct_trigger()
        self.assertEqual(self.company.collection_refresh_date, self.today)
        self.assertFalse(other_company.collection_refresh_date)

    def test_broken_filter_of_a_criterion_names_itself_and_fits_nobody(self):
        """A field of an addon that is gone costs the points of that criterion, not the facts of a company."""
        criterion = self.env["collection.criterion"].create(
            {"name": "Wrong", "indicator": "custom", "weight": 5, "band_ids": [Command.create({"lower": 1})]}
        )
        self.env.cr.execute(
            "UPDATE collection_criterion SET partner_domain = %s WHERE id = %s", ["[('gone', '=', 1)]", criterion.id]
        )
        self.env.invalidate_all()
        self._create_invoice(amount=5)
        with self.assertLogs("odoo.addons.account_collection.models.debtor.collection_criterion", "WARNING") as logs:
            debtor = self._get_debtor()
        self.assertIn("Wrong", logs.output[0])
        self.assertEqual(debtor.claimable_amount, 1005)
        self.assertGreater(debtor.score, 0)
        [row] = [row for row in debtor.score_breakdown if row["criterion"] == criterion.id]
        self.assertEqual((row["value"], row["points"]), (0, 0))

    def test_old_money_on_account_keeps_no_promise(self):
        old = self._pay_on_account(amount=300, on=self.today - timedelta(days=200))
        promise = self._promise(self._get_debtor(), amount=200, date=self._days(1))
        with freeze_time(self.today + timedelta(days=20)):
            self._synchronize()
        self.assertEqual(promise.state, "broken")
        other = self._promise(self.debtor, amount=300, date=self._days(1))
        (self._get_items(self.invoice) + self._get_items(old.move_id)).reconcile()
        with freeze_time(self.today + timedelta(days=20)):
            self._synchronize()
        self.assertEqual((other.state, other.settled_amount), ("broken", 0))

    def test_early_payment_discount_is_no_money(self):
        """The tax on a discount is no money either."""
        tax = self.company_data["default_tax_sale"]
        invoice = self._create_invoice(self.other_customer, amount=1000, days_late=10)
        entry = self.env["account.move"].create(
            {
                "journal_id": self.company_data["default_journal_bank"].id,
                "date": self.today,
                "line_ids": [
                    Command.create(
                        {"account_id": self.company_data["default_journal_bank"].default_account_id.id, "debit": 885}
                    ),
                    Command.create({"account_id": self.company_data["default_account_expense"].id, "debit": 100}),
                    Command.create(
                        {
                            "account_id": self.company_data["default_account_tax_sale"].id,
                            "debit": 15,
                            "tax_repartition_line_id": tax.invoice_repartition_line_ids.filtered(
                                lambda line: line.repartition_type == "tax"
                            )[:1].id,
                        }
                    ),
                    Command.create(
                        {
                            "account_id": self._get_items(invoice).account_id.id,
                            "partner_id": self.other_customer.id,
                            "credit": 1000,
                        }
                    ),
                ],
            }
        )
        self._synchronize()
        campaign = self._start_campaign(
            name="Discount", max_amount=1000, scope_domain="[('partner_id.name', '=', 'Garage Lemoine')]"
        )
        entry.action_post()
        (self._get_items(invoice) + self._get_items(entry)).reconcile()
        self._synchronize()
        self.assertRecordValues(campaign.case_ids, [{"collected_amount": 885, "other_amount": 115}])

    def test_small_dispute_hides_nothing(self):
        self._dispute(self.debtor, self._get_items(self.invoice), amount=10, case=self.case)
        self.assertRecordValues(self.case, [{"state": "waiting", "claimable_amount": 990}])
        with freeze_time(self.today + timedelta(days=8)):
            self._synchronize()
        self.assertEqual(self.case.state, "to_contact")
        case = self.case.with_user(self.collector)
        self.assertIn(case, case.search(case._get_worklist_domain()))

    def test_refused_case_that_is_paid_after_all(self):
        self.case._close("refused")
        self._pay(self.invoice)
        self._synchronize()
        self.assertEqual(self.case.result, "paid")

    def test_case_of_another_customer_is_refused(self):
        self._create_invoice(self.other_customer)
        with self.assertRefused("The case is that of Boulangerie Petit"):
            self._promise(self._get_debtor(self.other_customer), case=self.case)

    def test_customer_without_history_can_be_deleted(self):
        partner = self._create_customer("Passing by")
        invoice = self._create_invoice(partner)
        self._get_debtor(partner)
        invoice.button_draft()
        invoice.with_context(force_delete=True).unlink()
        partner.unlink()
        self.assertFalse(partner.exists())

    def test_scheduled_actions_write_in_the_language_of_the_company(self):
        self._load_french()
        self.company.partner_id.lang = "fr_FR"
        promise = self._promise(self.debtor, date=self._days(1))
        with freeze_time(self.today + timedelta(days=20)), self.enter_registry_test_mode():
            self.env.ref("account_collection.cron_settle").method_direct_trigger()
        self.assertEqual(promise.state, "broken")
        self.assertIn("Non tenue", self.debtor.message_ids[0].body)

    def test_every_filter_of_a_list_has_its_own_name(self):
        """A default filter, a favourite or a link can mean one of them only."""
        views = self.env["ir.ui.view"].search(
            [("type", "=", "search"), ("model", "=like", "collection.%"), ("inherit_id", "=", False)]
        )
        self.assertGreater(len(views), 10)
        for view in views:
            with self.subTest(view.xml_id):
                arch = etree.fromstring(self.env[view.model].get_view(view.id, "search")["arch"])
                names = [node.get("name") for node in arch.iter("filter") if node.get("name")]
                self.assertEqual(len(names), len(set(names)))

    def test_dispute_owner_hands_on(self):
        dispute = self._dispute(self.debtor, self._get_items(self.invoice), amount=10)
        other = self._create_user("other_solver", "account_collection.group_collection_dispute_owner")
        dispute.with_user(self.solver).owner_id = other
        self.assertEqual(dispute.activity_ids.user_id, other)
