from datetime import date

from hypothesis import given

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from ..common import CollectionCommon
from ..ledger.test_reference import EXAMPLES, LEDGERS, RandomLedger

TOTALS = (
    "overdue_amount",
    "credit_amount",
    "disputed_amount",
    "promised_amount",
    "excluded_amount",
    "claimable_amount",
)


@tagged("post_install", "-at_install")
class TestItemReportTotals(RandomLedger):
    """The analysis of open items adds up to the debtors, whatever the ledger."""

    @EXAMPLES
    @given(events=LEDGERS)
    def test_items_add_up_to_debtors(self, events):
        with self.example(events):
            self._synchronize()
            domain = [("company_id", "=", self.company.id)]
            aggregates = [f"{name}:sum" for name in TOTALS]
            debtors = self.env["collection.debtor"]._read_group(domain, ["partner_id"], aggregates)
            items = self.env["collection.item.report"]._read_group(domain, ["partner_id"], aggregates)
            shown = {partner: values for partner, *values in items}
            for partner, *expected in debtors:
                for name, amount, total in zip(TOTALS, shown.get(partner, [0] * len(TOTALS)), expected, strict=True):
                    self.assertAlmostEqual(amount, total, places=2, msg=f"{name} of {partner.name}")


@tagged("post_install", "-at_install")
class TestAnalysis(CollectionCommon):
    """Analysis of open items and contacts, and the monthly figures, as ordinary users see them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team_user.group_ids += cls.env.ref("base.group_allow_export")

    def _read(self, model, *names, user=None, domain=()):
        records = self.env[model].with_user(user or self.team_user).search(list(domain))
        return [tuple(record[name] for name in names) for record in records]

    # === OPEN ITEMS === #

    def test_age_and_situation(self):
        for days_late, bucket, situation in (
            (0, "not_due", "not_due"),
            (1, "1_30", "claimable"),
            (31, "31_60", "claimable"),
            (61, "61_90", "claimable"),
            (91, "91_120", "claimable"),
            (121, "over_120", "claimable"),
        ):
            invoice = self._create_invoice(days_late=days_late)
            self._synchronize()
            [row] = self._read(
                "collection.item.report", "bucket", "situation", "days_late", domain=[("move_id", "=", invoice.id)]
            )
            self.assertEqual(row, (bucket, situation, days_late))

    def test_credits_cover_the_oldest(self):
        old = self._create_invoice(amount=100, days_late=60)
        recent = self._create_invoice(amount=100, days_late=5)
        self._pay_on_account(amount=130)
        self._synchronize()
        rows = {
            report.move_id: (report.situation, report.claimable_amount)
            for report in self.env["collection.item.report"].with_user(self.team_user).search([("residual", ">", 0)])
        }
        self.assertEqual(rows, {old: ("covered", 0), recent: ("claimable", 70)})

    def test_promise_dispute_and_exclusion(self):
        promised = self._create_invoice(amount=100, days_late=60)
        disputed = self._create_invoice(amount=100, days_late=50)
        excluded = self._create_invoice(amount=100, days_late=40)
        excluded.no_followup = True
        debtor = self._get_debtor()
        self._promise(debtor, move_line_ids=[Command.set(self._get_items(promised).ids)], amount=60, date=self.today)
        dispute = self._dispute(debtor, self._get_items(disputed), 30)
        rows = {
            report.move_id: report for report in self.env["collection.item.report"].with_user(self.team_user).search([])
        }
        for move, situation, amount in (
            # A part that may be claimed makes the item one to claim.
            (promised, "claimable", 40),
            (disputed, "claimable", 70),
            (excluded, "excluded", 0),
        ):
            self.assertEqual((rows[move].situation, rows[move].claimable_amount), (situation, amount))
        self._promise(debtor, move_line_ids=[Command.set(self._get_items(promised).ids)], amount=40, date=self.today)
        self._dispute(debtor, self._get_items(disputed), 70)
        self.env.invalidate_all()
        self.assertEqual((rows[promised].situation, rows[promised].claimable_amount), ("promised", 0))
        self.assertEqual((rows[disputed].situation, rows[disputed].claimable_amount), ("disputed", 0))
        self.assertEqual(rows[disputed].reason_id, dispute.reason_id)
        self.assertEqual(rows[excluded].excluded_amount, 100)

    def test_own_customers_only(self):
        self._create_invoice()
        self._create_invoice(self.other_customer)
        debtor, other = self._get_debtor(), self._get_debtor(self.other_customer)
        debtor.collector_id, other.collector_id = self.collector, self.other_collector
        for record in (debtor, other):
            self._log_call(record, user=record.collector_id)
        for model in ("collection.item.report", "collection.action.report"):
            with self.subTest(model=model):
                self.assertEqual(self._read(model, "partner_id", user=self.collector), [(self.customer,)])
                self.assertEqual(len(self._read(model, "partner_id", user=self.team_user)), 2)
                with self.assertRaises(AccessError):
                    self._read(model, "partner_id", user=self.solver)

    def test_companies_do_not_mix(self):
        other_company = self.setup_other_company(name="Moreau Belgique")["company"]
        self._create_invoice(company=other_company)
        self._create_invoice(amount=70)
        self._synchronize()
        self._synchronize(other_company)
        self.assertEqual(self._read("collection.item.report", "residual"), [(70,)])
        self.team_user.company_ids += other_company
        both = (
            self.env["collection.item.report"]
            .with_user(self.team_user)
            .with_context(allowed_company_ids=(self.company + other_company).ids)
        )
        self.assertEqual(len(both.search([])), 2)

    def test_export_and_drill_down(self):
        invoice = self._create_invoice(days_late=20)
        self._synchronize()
        report = self.env["collection.item.report"].with_user(self.team_user).search([])
        self.assertEqual(
            report.export_data(["partner_id", "bucket", "residual"])["datas"],
            [["Boulangerie Petit", "1 to 30 days", 100.0]],
        )
        self.assertEqual(report.action_open_move()["res_id"], invoice.id)
        groups = (
            self.env["collection.item.report"]
            .with_user(self.team_user)
            .formatted_read_group([], ["bucket", "due_date:month", "collector_id"], ["residual:sum", "days_late:avg"])
        )
        self.assertEqual(groups[0]["residual:sum"], 100)

    def test_ages_stand_in_order(self):
        for days_late in (130, 40, 5, -5, 95):
            self._create_invoice(days_late=days_late)
        self._pay_on_account(self.other_customer)
        self._synchronize()
        groups = (
            self.env["collection.item.report"]
            .with_user(self.team_user)
            .formatted_read_group([], ["bucket", "partner_id"], ["residual:sum"])
        )
        self.assertEqual(
            [group["bucket"] for group in groups], ["not_due", "1_30", "31_60", "91_120", "over_120", "credit"]
        )

    def test_labels_in_the_language_of_the_reader(self):
        self._load_french()
        for field, code, label in (
            ("collection_action__channel", "call", "Appel"),
            ("collection_action__state", "done", "Effectué"),
            ("collection_debtor__grade", "a", "Classe A"),
        ):
            self.env.ref(f"account_collection.selection__{field}__{code}").with_context(lang="fr_FR").name = label
        for model, field, code, label in (
            ("collection.action.report", "channel", "call", "Appel"),
            ("collection.action.report", "state", "done", "Effectué"),
            ("collection.score.history", "grade", "a", "Classe A"),
        ):
            with self.subTest(model=model, field=field):
                fields_get = self.env[model].with_context(lang="fr_FR").fields_get([field])
                self.assertEqual(dict(fields_get[field]["selection"])[code], label)

    # === CONTACTS === #

    def _log_at(self, day, debtor, channel="email", **values):
        with freeze_time(f"{day} 10:00:00"):
            return self.env["collection.action"].with_user(self.team_user)._log(debtor, channel, **values)

    def test_money_follows_the_last_contact(self):
        invoice = self._create_invoice(amount=1000, days_late=90)
        debtor = self._get_debtor()
        mail = self._log_at("2026-01-05", debtor)
        call = self._log_at("2026-01-20", debtor, "call", outcome="right_person")
        self._log_at("2026-01-21", debtor, "note")
        missed = self._log_at("2026-02-06", debtor, "call", outcome="no_answer")
        last = self._log_at("2026-03-09", debtor, "call", outcome="someone_else")
        for day, amount in (
            ("2026-01-04", 1),  # before anything was said
            ("2026-01-05", 2),
            ("2026-01-19", 4),
            ("2026-01-20", 8),  # the day of the call: its effect, not that of the mail
            ("2026-02-04", 16),
            ("2026-02-05", 32),  # 16 days after
            ("2026-02-19", 64),
            ("2026-02-20", 128),  # 31 days after
            ("2026-03-10", 256),
        ):
            self._pay(invoice, amount=amount, on=date.fromisoformat(day))
        rows = self._read("collection.action.report", "action_id", "collected_soon", "collected_later", "paid_rate")
        self.assertEqual(
            {row[0]: row[1:] for row in rows},
            # Nobody was spoken to on the 6th of February: what came then follows the call before.
            {mail: (6, 6, 100), call: (24, 120, 100), missed: (0, 0, 0), last: (256, 256, 100)},
        )

    def test_rates_of_calls(self):
        self._create_invoice()
        debtor = self._get_debtor()
        for outcome in ("no_answer", "someone_else", "right_person", "right_person"):
            self._log_call(debtor, outcome)
        self.env["collection.action"].with_user(self.collector)._log(debtor, "email")
        [row] = (
            self.env["collection.action.report"]
            .with_user(self.team_user)
            ._read_group(
                [("state", "=", "done")],
                aggregates=[
                    "__count",
                    "call_count:sum",
                    "answered_rate:avg",
                    "right_party_rate:avg",
                    "right_party_answer_rate:avg",
                    "paid_rate:avg",
                ],
            )
        )
        self.assertEqual(row[:5], (5, 4, 75, 50, row[4]))
        self.assertAlmostEqual(row[4], 200 / 3)
        self.assertEqual(row[5], 0)

    # === MONTHLY FIGURES === #

    def _create_past(self):
        paid = self._create_invoice(amount=300, days_late=70)  # of 30 November, due on 30 December
        self._create_invoice(amount=200, days_late=20)  # of 19 January, due on 18 February
        self._pay(paid, amount=100, on=date(2026, 2, 10))

    def test_first_run_fills_the_past(self):
        self._create_past()
        with self.enter_registry_test_mode():
            self.env.ref("account_collection.cron_record_snapshots").method_direct_trigger()
        snapshots = self.env["collection.snapshot"].with_user(self.team_user).search([])
        self.assertEqual(
            [
                (row.date, row.receivable_amount, row.overdue_amount, row.sales_amount, row.collected_amount)
                for row in snapshots
            ],
            [
                (date(2026, 2, 28), 400, 400, 0, 100),
                (date(2026, 1, 31), 500, 300, 200, 0),
                (date(2025, 12, 31), 300, 300, 0, 0),
                (date(2025, 11, 30), 300, 0, 300, 0),
            ],
        )
        february, november = snapshots[0], snapshots[-1]
        self.assertAlmostEqual(february.dso, 400 / 200 * (31 + 31 + 28))
        self.assertEqual(february.dso_text, f"{28 + 31 + 31 + 30 * 200 / 300:.1f}")
        self.assertEqual(february.bucket_31_60, 200)
        self.assertEqual(february.bucket_1_30, 200)
        self.assertEqual(february.days_to_pay, 72)
        self.assertEqual(february.cei, 100 * 100 / 500)
        # What could not be worked out is empty, not zero, on screen, in averages and in exports.
        self.assertIs(november.days_to_pay, False)
        self.assertIs(november.weighted_days_late, False)
        self.assertEqual(november.export_data(["days_to_pay", "overdue_rate"])["datas"], [["", 0.0]])
        [[average]] = self.env["collection.snapshot"]._read_group([], aggregates=["days_to_pay:avg"])
        self.assertEqual(average, 72)

    def test_last_month_settles_then_stands(self):
        self._create_past()
        Snapshot = self.env["collection.snapshot"]
        Snapshot._record(self.company, Snapshot._get_due_days(self.company))
        self.assertEqual(Snapshot._get_due_days(self.company), [date(2026, 2, 28)])
        with freeze_time("2026-03-16 12:00:00"):
            self.assertFalse(Snapshot._get_due_days(self.company))
        with freeze_time("2026-04-02 12:00:00"):
            self.assertEqual(Snapshot._get_due_days(self.company), [date(2026, 3, 31)])

    def test_two_years_at_most(self):
        self._create_invoice(days_late=1500)
        self.assertEqual(len(self.env["collection.snapshot"]._get_due_days(self.company)), 24)

    def test_recompute_is_for_managers(self):
        self._create_past()
        Snapshot = self.env["collection.snapshot"]
        with self.assertRaises(AccessError):
            Snapshot.with_user(self.team_user).action_recompute()
        Snapshot.with_user(self.manager).with_company(self.company).action_recompute()
        february = Snapshot.search([("date", "=", "2026-02-28")])
        self.assertEqual(february.collected_amount, 100)
        self._pay_on_account(amount=40, on=date(2026, 2, 20))
        february.with_user(self.manager).action_recompute()
        self.assertEqual((february.collected_amount, february.receivable_amount), (140, 360))
        self.assertEqual(Snapshot.search_count([("date", "=", "2026-02-28")]), 1)

    def test_figures_are_not_for_everybody_and_can_t_be_written(self):
        self._create_past()
        self.env["collection.snapshot"]._record(self.company, [date(2026, 2, 28)])
        for user in (self.collector, self.solver):
            with self.assertRaises(AccessError):
                self._read("collection.snapshot", "dso", user=user)
        snapshot = self.env["collection.snapshot"].with_user(self.manager).search([])
        for write in (lambda: snapshot.write({"dso": 1}), snapshot.unlink, lambda: snapshot.copy()):
            # The one says that figures follow facts, the others that nobody has the right.
            with self.assertRaises(UserError):
                write()

    def test_one_company_can_t_stop_the_others(self):
        other_company = self.setup_other_company(name="Moreau Belgique")["company"]
        self._create_past()
        self._create_invoice(company=other_company, days_late=30)
        Snapshot = type(self.env["collection.snapshot"])
        record = Snapshot._record

        def fail_for_one(model, company, days):
            if company == self.company:
                raise ValueError("A fault")
            return record(model, company, days)

        self.patch(Snapshot, "_record", fail_for_one)
        with self.enter_registry_test_mode(), self.assertLogs("odoo.addons.account_collection", "ERROR"):
            self.env.ref("account_collection.cron_record_snapshots").method_direct_trigger()
        self.assertEqual(self.env["collection.snapshot"].search([]).company_id, other_company)

    def test_number_of_statements_does_not_grow(self):
        """The analysis reads a page with as many statements for many customers as for a few."""

        def count():
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            for model in ("collection.item.report", "collection.action.report"):
                self.env[model].with_user(self.team_user).formatted_read_group([], ["partner_id"], ["__count"])
            return self.env.cr.sql_log_count - before

        self._create_invoice()
        self._log_call(self._get_debtor())
        count()
        few = count()
        for number in range(8):
            customer = self._create_customer(f"Customer {number}")
            self._create_invoice(customer, days_late=20 * number)
        for debtor in self._get_debtor() + self.env["collection.debtor"].search([]):
            self.env["collection.action"]._log(debtor, "email")
        self.env.flush_all()
        self.assertLessEqual(count(), few + 1)
