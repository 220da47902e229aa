from datetime import timedelta
from unittest.mock import patch

from dateutil.relativedelta import relativedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from ..common import CollectionCommon


@tagged("post_install", "-at_install")
class TestDebtorRefresh(CollectionCommon):
    """What is owed is counted from open items, by commercial partner and company."""

    def assertAmounts(self, debtor, **amounts):
        for name, amount in amounts.items():
            with self.subTest(amount=name):
                self.assertAlmostEqual(debtor[f"{name}_amount"], amount, places=2)
        self.assertAlmostEqual(
            debtor.overdue_amount,
            debtor.claimable_amount
            + debtor.promised_amount
            + debtor.disputed_amount
            + debtor.excluded_amount
            + debtor.netted_amount,
            places=2,
            msg="every cent that is overdue must stand in exactly one place",
        )

    def test_overdue_and_not_yet_due(self):
        self._create_invoice(amount=100, days_late=10)
        self._create_invoice(amount=40, days_late=-5)
        debtor = self._get_debtor()
        self.assertAmounts(debtor, due=140, overdue=100, claimable=100)
        self.assertEqual(debtor.open_item_count, 2)
        self.assertEqual(debtor.overdue_item_count, 1)
        self.assertEqual(debtor.days_late, 10)

    def test_due_today_is_not_late(self):
        self._create_invoice(days_late=0)
        debtor = self._get_debtor()
        self.assertAmounts(debtor, due=100, overdue=0, claimable=0)
        self.assertEqual(debtor.score, 0)

    def test_today_is_judged_on_the_company_clock(self):
        """At 23:30 in Paris it is still the due date; at 00:30 the item is late, though UTC says otherwise."""
        self._create_invoice(days_late=0)
        with freeze_time("2026-03-10 22:30:00"):
            self.assertFalse(self._get_debtor().overdue_amount)
        with freeze_time("2026-03-10 23:30:00"):
            self.assertEqual(self._get_debtor().overdue_amount, 100)

    def test_draft_and_cancelled_entries_don_t_count(self):
        invoice = self._create_invoice()
        invoice.button_draft()
        self._create_invoice().button_cancel()
        self.assertFalse(self._get_debtor().due_amount)

    def test_instalments_are_counted_one_by_one(self):
        terms = self.env["account.payment.term"].create(
            {
                "name": "Half now, half in 60 days",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": 0}),
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": 60}),
                ],
            }
        )
        self._create_invoice(
            amount=300, days_late=0, invoice_payment_term_id=terms.id, invoice_date_due=False
        )  # invoiced 30 days ago: the first half is 30 days late
        debtor = self._get_debtor()
        self.assertAmounts(debtor, due=300, overdue=150, claimable=150)
        self.assertEqual(debtor.days_late, 30)

    def test_partial_payment(self):
        self._pay(self._create_invoice(amount=100), amount=30)
        self.assertAmounts(self._get_debtor(), due=70, overdue=70, claimable=70)

    def test_credits_reduce_what_may_be_claimed(self):
        """Credit notes and payments on account make up for debts even before somebody allocates them."""
        invoice = self._create_invoice(amount=100)
        self._credit(invoice, amount=25, reconcile=False)
        self._pay_on_account(amount=15)
        debtor = self._get_debtor()
        self.assertAmounts(debtor, due=100, overdue=100, credit=40, claimable=60)
        self._pay_on_account(amount=500)
        self.assertAmounts(self._get_debtor(), overdue=100, credit=540, claimable=0)

    def test_credit_only_makes_up_for_its_own_currency(self):
        dollar = self.setup_other_currency("USD", rates=[("1900-01-01", 2.0)])
        self._create_invoice(amount=200, currency=dollar)  # 100 EUR
        self._create_invoice(amount=100)
        self._pay_on_account(amount=500, currency=dollar)
        debtor = self._get_debtor()
        self.assertAmounts(debtor, due=200, overdue=200, credit=250, claimable=100)
        [claim] = debtor._get_claim()
        self.assertEqual((claim["currency"], claim["amount"]), (self.company.currency_id, 100))

    def test_no_follow_up_and_blocked_are_owed_but_not_claimed(self):
        self._create_invoice(amount=100).no_followup = True
        self._create_invoice(amount=50).action_toggle_block_payment()
        self._create_invoice(amount=10)
        self.assertAmounts(self._get_debtor(), overdue=160, excluded=150, claimable=10)

    def test_nobody_asks_in_insolvency_proceedings(self):
        self._create_invoice(amount=100)
        debtor = self._get_debtor()
        self.assertTrue(debtor.score)
        debtor.with_user(self.team_user).insolvency = True
        self.assertAmounts(debtor, due=100, overdue=100, excluded=100, claimable=0)
        self.assertEqual(debtor.score, 0)
        self.assertFalse(debtor._get_claim())
        self.assertIn("Insolvency proceedings", debtor._get_silence_reason())

    def test_invoice_of_a_contact_belongs_to_the_commercial_partner(self):
        contact = self.env["res.partner"].create({"name": "Marie", "parent_id": self.customer.id})
        self._create_invoice(contact, amount=100)
        self.assertAmounts(self._get_debtor(), due=100)
        self.assertFalse(self.env["collection.debtor"].search([("partner_id", "=", contact.id)]))

    def test_entry_without_due_date_and_opening_entries(self):
        """A receivable booked by hand is owed since its own date; “no follow-up” is Odoo's default for it."""
        journal = self.company_data["default_journal_misc"]
        entry = self.env["account.move"].create(
            {
                "journal_id": journal.id,
                "date": self.today - timedelta(days=40),
                "line_ids": [
                    Command.create(
                        {
                            "account_id": self.company_data["default_account_receivable"].id,
                            "partner_id": self.customer.id,
                            "debit": 80,
                        }
                    ),
                    Command.create({"account_id": self.company_data["default_account_revenue"].id, "credit": 80}),
                ],
            }
        )
        entry.action_post()
        item = self._get_items(entry)
        item.date_maturity = False
        self.assertAmounts(self._get_debtor(), due=80, overdue=80, excluded=80, claimable=0)
        item.no_followup = False
        debtor = self._get_debtor()
        self.assertAmounts(debtor, due=80, overdue=80, excluded=0, claimable=80)
        self.assertEqual(debtor.days_late, 40)

    def test_companies_don_t_mix(self):
        other_company = self.setup_other_company(name="Moreau Belgique")["company"]
        self._create_invoice(amount=100)
        self._create_invoice(amount=7, company=other_company)
        self._synchronize(other_company)
        self.assertAmounts(self._get_debtor(), due=100, claimable=100)
        other = self.env["collection.debtor"].search([("company_id", "=", other_company.id)])
        self.assertEqual(other.partner_id, self.customer)
        self.assertAmounts(other, due=7, claimable=7)

    def test_payment_history(self):
        """Late days are weighted by amount; credit notes are no payments; open items count with their lateness."""
        early = self._create_invoice(amount=300, days_late=60)
        self._pay(early, on=self.today - timedelta(days=60))
        late = self._create_invoice(amount=100, days_late=60)
        self._pay(late, on=self.today - timedelta(days=40))  # 20 days late
        self._credit(self._create_invoice(amount=500, days_late=60))
        debtor = self._get_debtor()
        self.assertEqual(debtor.paid_item_count, 2)
        self.assertEqual(debtor.average_days_late, 5)  # (300 × 0 + 100 × 20) / 400
        self.assertEqual(debtor.late_share, 25)
        self.assertEqual(debtor.last_payment_date, self.today - timedelta(days=40))
        self._create_invoice(amount=400, days_late=45)
        self.assertEqual(self._get_debtor().average_days_late, 25)  # (2,000 + 400 × 45) / 800

    def test_payer_profiles(self):
        def profile(*payments, **invoice):
            partner = self._create_customer(f"Customer {len(payments)} {invoice}")
            for days_late, paid_after in payments:
                move = self._create_invoice(partner, days_late=days_late)
                self._pay(move, on=self.today - timedelta(days=days_late - paid_after))
            if invoice:
                self._create_invoice(partner, **invoice)
            return self._get_debtor(partner)

        self.assertEqual(profile(days_late=2).payer_profile, "new")
        self.assertEqual(profile((60, 0), (40, 0), (20, 2)).payer_profile, "punctual")
        self.assertEqual(profile((60, 15), (40, 12), (20, 10)).payer_profile, "disorganised")
        self.assertEqual(profile((90, 45), (80, 50)).payer_profile, "bad")
        self.assertEqual(profile((360, 0), (340, 0), amount=1, days_late=300).payer_profile, "leaving")

    def test_profile_set_by_hand_overrules_history(self):
        self._create_invoice()
        debtor = self._get_debtor()
        self.assertEqual(debtor.payer_profile, "new")
        debtor.with_user(self.team_user).payer_profile_manual = "bad"
        self.assertRecordValues(debtor, [{"payer_profile": "bad", "payer_profile_auto": "new"}])

    def test_paid_debtor_stays_on_file_with_nothing_owed(self):
        invoice = self._create_invoice()
        debtor = self._get_debtor()
        self._pay(invoice)
        self.assertEqual(self._get_debtor(), debtor)
        self.assertAmounts(debtor, due=0, overdue=0, claimable=0)
        self.assertRecordValues(debtor, [{"score": 0, "grade": "d", "oldest_due_date": False}])

    def test_second_refresh_changes_nothing(self):
        self._create_invoice()
        self._create_invoice(self.other_customer)
        self._synchronize()
        self.assertFalse(self.env["collection.debtor"]._refresh(self.company))

    def test_refresh_takes_the_same_queries_for_any_number_of_customers(self):
        def count_queries():
            self.env["collection.debtor"]._refresh(self.company)  # warm up
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["collection.debtor"]._refresh(self.company)
            return self.env.cr.sql_log_count - before

        self._create_invoice()
        few = count_queries()
        for number in range(15):
            self._create_invoice(self._create_customer(f"Customer {number}"), amount=10 * number + 1)
        self.assertLessEqual(count_queries(), few)

    def test_ledger_queues_its_customers(self):
        """Accounting only inserts rows; the scheduled action does the rest."""
        queue = self.env["collection.refresh.queue"].sudo()
        queue.search([]).unlink()
        invoice = self._create_invoice()
        self.assertEqual(queue.search([]).partner_id, self.customer)
        queue.search([]).unlink()
        self._pay(invoice)
        self.assertEqual(queue.search([]).partner_id, self.customer)
        queue.search([]).unlink()
        self._get_items(self._create_invoice(self.other_customer)).date_maturity = self.today
        self.assertIn(self.other_customer, queue.search([]).partner_id)

    def test_scheduled_action(self):
        """Takes the queue first, then every company once a day."""
        self.company.collection_refresh_date = self.today
        invoice = self._create_invoice()
        cron = self.env.ref("account_collection.cron_refresh_debtors")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        debtor = self.env["collection.debtor"].search([("partner_id", "=", self.customer.id)])
        self.assertEqual(debtor.claimable_amount, 100)
        self.assertFalse(self.env["collection.refresh.queue"].search([]))
        # A change that no event told of is repaired by the next full run.
        self.env.cr.execute("UPDATE collection_debtor SET claimable_amount = 1, score = 3 WHERE id = %s", [debtor.id])
        self.env.invalidate_all()
        with freeze_time("2026-03-11 03:00:00"), self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.assertEqual(debtor.claimable_amount, 100)
        self.assertEqual(self.company.collection_refresh_date, fields.Date.to_date("2026-03-11"))
        self.assertGreaterEqual(self.company.collection_refresh_count, 1)
        self.assertTrue(invoice.exists())

    def test_search_days_late(self):
        self._create_invoice(days_late=10)
        self._create_invoice(self.other_customer, days_late=-10)
        self._synchronize()
        Debtor = self.env["collection.debtor"]
        own = [("partner_id", "in", (self.customer + self.other_customer).ids)]
        for condition, expected in (
            ((">", 9), self.customer),
            ((">=", 10), self.customer),
            ((">", 10), self.env["res.partner"]),
            (("<", 10), self.other_customer),
            (("<=", 10), self.customer + self.other_customer),
            (("=", 10), self.customer),
            (("=", 0), self.other_customer),
            (("!=", 10), self.other_customer),
        ):
            with self.subTest(condition=condition):
                self.assertEqual(Debtor.search([*own, ("days_late", *condition)]).partner_id, expected)

    def test_history_is_never_deleted(self):
        self._create_invoice()
        debtor = self._get_debtor()
        self._log_call(debtor)
        with self.assertRefused("Archive it instead"):
            debtor.unlink()

    def test_failed_queue_row_comes_back(self):
        """A refresh that fails must not lose the customers it was about."""
        self._create_invoice()
        queue = self.env["collection.refresh.queue"].sudo()
        waiting = queue.search_count([])
        Debtor = self.env.registry["collection.debtor"]
        with (
            patch.object(Debtor, "_synchronize", side_effect=UserError("broken")),
            self.assertRaises(UserError),
            self.env.cr.savepoint(),
        ):
            self.env["collection.run"]._refresh_next(self.company)
        self.assertEqual(queue.search_count([]), waiting)

    def test_promise_kept_in_part_is_not_broken(self):
        invoice = self._create_invoice(amount=100)
        promise = self._promise(self._get_debtor(), amount=100, date=self._days(1))
        self._pay(invoice, 40)
        with freeze_time(f"{self._days(30)} 12:00:00"):
            self._synchronize()
            self.assertEqual(promise.state, "partly")
            self.assertEqual(self._get_debtor().broken_promise_count, 0)

    def test_trend_counts_the_day_itself(self):
        """Money of three months ago to the day is former, of the day after recent."""
        quarter = self.today - relativedelta(months=3)
        for on, trend in ((quarter, 0), (quarter + timedelta(days=1), 10)):
            partner = self._create_customer(f"Paid on {on}")
            for day, days_late in ((quarter - timedelta(days=20), 5), (on, 15)):
                invoice = self._create_invoice(
                    partner, invoice_date=day - timedelta(days=60), invoice_date_due=day - timedelta(days=days_late)
                )
                self._pay(invoice, on=day)
            self.assertEqual(self._get_debtor(partner).lateness_trend, trend)

    def test_credit_limit_is_not_used_below_zero(self):
        self.customer.credit_limit = 200
        self._create_invoice(amount=50)
        self._pay_on_account(amount=500)
        self.assertEqual(self._get_debtor().credit_limit_use, 0)

    def test_phone_of_an_archived_contact(self):
        self.customer.phone = False
        contact = self.env["res.partner"].create(
            {"name": "Marie", "parent_id": self.customer.id, "phone": "+33 1 99 00 12 34"}
        )
        self._create_invoice()
        debtor = self._get_debtor()
        self.assertTrue(debtor.has_phone)
        contact.active = False
        self._synchronize()
        self.assertFalse(debtor.has_phone)
