import math
from datetime import date, timedelta

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import HttpCase, freeze_time, tagged

from ..common import CollectionCommon


@tagged("post_install", "-at_install")
class TestDashboard(CollectionCommon):
    """What the dashboard shows, as the users who may open it see it."""

    def _get_data(self, user=None):
        return self.env["collection.dashboard"].with_user(user or self.team_user).get_data()

    def _get_tile(self, data, key):
        [tile] = [tile for tile in data["tiles"] if tile["key"] == key]
        return tile

    def _read_behind(self, action, name):
        """Return the sum of a field over the records that a click opens."""
        records = self.env[action["res_model"]].with_user(self.team_user).search(action["domain"])
        return sum(records.mapped(name))

    def _create_history(self, partner, late_days, count=10, late=5):
        """Pay ``late`` of ``count`` invoices of 100 each ``late_days`` late, the others on their day."""
        for number in range(count):
            invoice = self._create_invoice(partner, days_late=100 + number)
            delay = late_days if number < late else 0
            self._pay(invoice, on=invoice.invoice_date_due + timedelta(days=delay))

    # === TILES === #

    def test_every_tile_opens_what_it_is_made_of(self):
        self._create_invoice(amount=300, days_late=40)
        promised = self._create_invoice(amount=200, days_late=20)
        disputed = self._create_invoice(self.other_customer, amount=100, days_late=100)
        self._create_invoice(self.other_customer, amount=50, days_late=-20)
        self._pay_on_account(amount=30)
        debtor = self._get_debtor()
        self._promise(
            debtor, move_line_ids=[Command.set(self._get_items(promised).ids)], amount=180, date=self._days(10)
        )
        self._pay(promised, amount=30)
        self._synchronize()
        self._dispute(self._get_debtor(self.other_customer), self._get_items(disputed), 40)
        data = self._get_data()
        for key, amount, field in (
            ("claimable", 300 + 20 + 60 - 30, "claimable_amount"),
            ("overdue", 570, "overdue_amount"),
            ("promised", 150, "company_pending_amount"),
            ("disputed", 40, "disputed_amount"),
        ):
            with self.subTest(tile=key):
                tile = self._get_tile(data, key)
                self.assertEqual(tile["amount"], amount)
                self.assertEqual(self._read_behind(tile["action"], field), amount)
        self.assertEqual(data["aging"]["values"], [50, 170, 300, 0, 100, 0, -30])
        for action, amount in zip(data["aging"]["actions"], data["aging"]["values"], strict=True):
            self.assertEqual(self._read_behind(action, "residual"), amount)
        self.assertEqual(data["forecast"]["weeks"][1]["promised"], 150)
        self.assertEqual(
            self._read_behind(data["forecast"]["weeks"][1]["promise_action"], "company_pending_amount"), 150
        )

    def test_amounts_are_those_of_the_debtors(self):
        self._create_invoice(amount=300, days_late=40)
        self._create_invoice(amount=100, days_late=4)
        self._pay_on_account(amount=130)
        debtor = self._get_debtor()
        data = self._get_data()
        self.assertEqual(self._get_tile(data, "claimable")["amount"], debtor.claimable_amount)
        debtor.insolvency = True
        data = self._get_data()
        self.assertEqual(self._get_tile(data, "claimable")["amount"], 0)
        self.assertFalse(any(week["expected"] for week in data["forecast"]["weeks"]))

    def test_nothing_yet(self):
        data = self._get_data()
        self.assertTrue(data["is_empty"])
        self.assertEqual(self._get_tile(data, "dso")["text"], "–")
        self.assertEqual((data["campaigns"], data["movers"]), ([], []))

    # === FORECAST === #

    def test_habits_by_hand(self):
        """Half of what this customer pays is in time, the other half 14 days late on average."""
        self._create_history(self.customer, late_days=14)
        self._create_invoice(amount=1000, days_late=-9)  # Thursday, 19 March
        debtor = self._get_debtor()
        self.assertEqual((debtor.late_share, debtor.average_days_late), (50, 7))
        weeks = self._get_data()["forecast"]["weeks"]
        monday = date(2026, 3, 9)
        for number, week in enumerate(weeks):
            first = max(monday + timedelta(days=7 * number), self.today)
            last = monday + timedelta(days=7 * number + 6)
            due = date(2026, 3, 19)
            late = math.exp(-max((first - due).days, 0) / 14) - math.exp(-max((last - due).days + 1, 0) / 14)
            chance = 0.5 * (first <= due <= last) + 0.5 * late
            spread = 1000 * math.sqrt(chance * (1 - chance))
            self.assertAlmostEqual(week["expected"], 1000 * chance, places=2)
            self.assertAlmostEqual(week["low"], max(1000 * chance - spread, 0), places=2)
            self.assertAlmostEqual(week["high"], 1000 * chance + spread, places=2)
        self.assertEqual(weeks[0]["expected"], 0)
        action = self.env["collection.dashboard"].with_user(self.team_user).get_week_action(1)
        self.assertEqual(self._read_behind(action, "residual"), 1000)
        action = self.env["collection.dashboard"].with_user(self.team_user).get_week_action(0)
        self.assertEqual(self._read_behind(action, "residual"), 0)

    def test_late_items_are_expected_as_if_due_today_until_too_late(self):
        self._create_history(self.customer, late_days=14)
        self._create_history(self.other_customer, late_days=10)
        self._create_invoice(amount=100, days_late=9)
        self._create_invoice(self.other_customer, amount=70, days_late=90)
        self._synchronize()
        debtor = self._get_debtor()
        late_days = debtor.average_days_late / (debtor.late_share / 100)
        forecast = self._get_data()["forecast"]
        self.assertAlmostEqual(forecast["weeks"][0]["expected"], 100 * (1 - math.exp(-6 / late_days)), places=1)
        self.assertEqual(forecast["beyond"], 70)
        action = self.env["collection.dashboard"].with_user(self.team_user).get_week_action(-1)
        self.assertEqual(self._read_behind(action, "residual"), 70)

    def test_what_is_not_expected(self):
        """Neither what is promised (it counts as such), nor disputed, excluded or covered by credits."""
        self._create_history(self.customer, late_days=14)
        promised = self._create_invoice(amount=100, days_late=2)
        disputed = self._create_invoice(amount=100, days_late=2)
        self._create_invoice(amount=100, days_late=2).no_followup = True
        self._create_invoice(amount=100, days_late=2)
        debtor = self._get_debtor()
        self._promise(debtor, move_line_ids=[Command.set(self._get_items(promised).ids)], amount=100, date=self.today)
        self._dispute(debtor, self._get_items(disputed), 100)
        full = self._get_data()["forecast"]["weeks"][0]
        self.assertEqual(full["promised"], 100)
        self._pay_on_account(amount=200)  # half of what is open
        half = self._get_data()["forecast"]["weeks"][0]
        self.assertAlmostEqual(half["expected"], full["expected"] / 2, places=1)

    def test_promises_count_at_the_low_end_as_far_as_they_are_kept(self):
        self._create_invoice(amount=1000, days_late=60)
        with freeze_time("2026-02-10 12:00:00"):
            self._promise(self._get_debtor(), user=self.team_user, date=date(2026, 2, 12), amount=100)
        self._synchronize()
        self._promise(self._get_debtor(), user=self.team_user, date=self.today, amount=200)
        data = self._get_data()["forecast"]
        self.assertEqual((data["weeks"][0]["promised"], data["weeks"][0]["low"] < 200), (200, True))
        self.assertIn("0%", data["method"])

    # === TREND, CAMPAIGNS, MOVERS === #

    def test_trend_of_monthly_figures(self):
        self._create_invoice(amount=300, days_late=70)
        Snapshot = self.env["collection.snapshot"]
        Snapshot._record(self.company, Snapshot._get_due_days(self.company))
        data = self._get_data()
        self.assertEqual(len(data["trend"]["labels"]), 4)
        self.assertEqual(data["trend"]["dso"], [30, 61, 92, 120])
        self.assertEqual(data["trend"]["best"][0], 30)
        self.assertIsNone(data["trend"]["simple"][3])  # no sales in the last three months
        self.assertEqual(self._get_tile(data, "dso")["text"], "120.0 days")
        self.assertEqual(self._get_tile(data, "dso")["note"], "+28.0 since January")

    def test_no_change_between_unknown_days(self):
        """Of a DSO that is only known to be more than a number of days, no change is shown."""
        Snapshot = self.env["collection.snapshot"]
        self._create_invoice(amount=300, days_late=70)
        Snapshot._record(self.company, Snapshot._get_due_days(self.company))
        self.env.cr.execute("UPDATE collection_snapshot SET is_dso_more = TRUE WHERE date = '2026-02-28'")
        self.env.invalidate_all()
        tile = self._get_tile(self._get_data(), "dso")
        self.assertEqual((tile["text"], tile["note"]), (">120.0 days", ""))

    def test_campaign_progress(self):
        self._create_invoice(amount=100, days_late=60)
        self._synchronize()
        campaign = self._start_campaign()
        self._pay(campaign.case_ids.item_ids.move_id, amount=25)
        self._synchronize()
        [row] = self._get_data()["campaigns"]
        self.assertEqual(row["collected_share"], 25)
        self.assertEqual(
            self._plain(row["progress"]),
            "25.00 € of 100.00 € collected (25%), 0.00 € promised; customers still to contact: 1",
        )
        self.assertEqual(row["action"]["res_id"], campaign.id)

    def test_worst_movers(self):
        with freeze_time("2026-01-20 12:00:00"):
            self._create_invoice(amount=100, days_late=60)
            debtor = self._get_debtor()
            former = debtor.score
        self._create_invoice(amount=9000, days_late=20)
        self._synchronize()
        [row] = self._get_data()["movers"]
        self.assertEqual((row["id"], row["change"], row["overdue_change"]), (debtor.id, debtor.score - former, 9000))

    # === RIGHTS AND COST === #

    def test_who_sees_a_part_sees_no_dashboard(self):
        for user in (self.collector, self.solver):
            for method in ("get_data", "get_week_action"):
                with self.assertRaises(AccessError):
                    getattr(self.env["collection.dashboard"].with_user(user), method)(
                        *([0] if "week" in method else [])
                    )
        self.assertTrue(self._get_data(self.manager)["is_manager"])

    def test_only_the_present_company(self):
        other_company = self.setup_other_company(name="Moreau Belgique")["company"]
        self._create_invoice(amount=100)
        self._create_invoice(amount=70, company=other_company)
        self._synchronize()
        self._synchronize(other_company)
        self.team_user.company_ids += other_company
        for company, amount in ((self.company, 100), (other_company, 70)):
            dashboard = self.env["collection.dashboard"].with_user(self.team_user).with_company(company)
            self.assertEqual(self._get_tile(dashboard.get_data(), "overdue")["amount"], amount)

    def test_number_of_statements_does_not_grow(self):
        def count():
            self.env.invalidate_all()
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            self._get_data()
            return self.env.cr.sql_log_count - before

        self._create_invoice()
        self._synchronize()
        self._start_campaign(name="First")
        count()
        few = count()
        for number in range(10):
            self._create_invoice(self._create_customer(f"Customer {number}"), days_late=20 * number - 40)
        self._synchronize()
        self._start_campaign(name="Second")
        self.assertLessEqual(count(), few + 1)
        self.assertLess(few, 45)

    def test_pages_of_odoo_load_nothing_of_it_but_its_loader(self):
        def get_own(bundle):
            assets = self.env["ir.asset"]
            paths = (path for path, *_more in assets._get_asset_paths(bundle, assets._get_asset_params()))
            return sorted(path.rpartition("/")[2] for path in paths if "/account_collection/" in f"/{path}")

        self.assertEqual(get_own("web.assets_backend"), ["collection_dashboard_loader.js"])
        self.assertEqual(get_own("web.assets_backend_lazy"), [])
        self.assertIn("collection_dashboard.js", get_own("account_collection.assets_dashboard"))


@tagged("post_install", "-at_install")
class TestDashboardTour(CollectionCommon, HttpCase):
    """The dashboard in a real browser."""

    freeze = False

    def test_dashboard(self):
        self.start_tour("/odoo/collection-dashboard", "account_collection_dashboard_empty", login="manager")
        self._create_invoice(amount=5000, days_late=40)
        self._create_invoice(self.other_customer, amount=700, days_late=-12)
        self._synchronize()
        self.start_tour("/odoo/collection-dashboard", "account_collection_dashboard", login="manager")
        self.assertTrue(self.env["collection.snapshot"].search([("company_id", "=", self.company.id)]))
