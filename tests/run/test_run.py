from datetime import datetime, timedelta
from unittest.mock import patch

import psycopg2.errors

from odoo.fields import Command
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from ..common import CollectionCommon
from ..provider.test_provider_import import ProviderImportCommon

LOGGER = "odoo.addons.account_collection.models"
# What each scheduled action does for one company or one record.
WORK_BY_COMPANY = {
    "cron_refresh_debtors": ("collection.run", "_refresh_day"),
    "cron_settle": ("collection.run", "_settle_day"),
    "cron_plan_and_deliver": ("collection.run", "_plan_today"),
    "cron_digest": ("collection.digest", "_send"),
    "cron_record_snapshots": ("collection.snapshot", "_record"),
    "cron_send_statements": ("collection.statement", "_plan_regular"),
}
WORK_BY_RECORD = {
    "cron_remind_promises": ("collection.promise", "_remind"),
    "cron_campaign_calendar": ("collection.campaign", "_run_calendar_step"),
    "cron_end_handovers": ("collection.handover", "_end"),
    "cron_receivables": ("collection.receivable.batch", "_book_some"),
    "cron_take_back": ("collection.provider.import", "_run_in_background"),
    "cron_make_papers": ("collection.paper", "_make_next"),
}


class RunMixin:
    def _run_broken(self, name, model, method, broken):
        """Run a scheduled action whose work fails for one company or record.

        :return: the ids of those that were served.
        """
        served = set()
        original = getattr(self.env.registry[model], method)

        def work(records, *args):
            subject = args[0] if broken._name == "res.company" else records
            if subject == broken:
                raise ValueError("broken")
            served.add(subject.id)
            return original(records, *args)

        self.env.flush_all()
        with patch.object(self.env.registry[model], method, work), mute_logger(LOGGER):
            self._trigger(name)
        return served

    def _trigger(self, name):
        with self.enter_registry_test_mode():
            self.env.ref(f"account_collection.{name}").method_direct_trigger()
        self.env.invalidate_all()

    def _get_failures(self, record):
        return self.env["mail.activity"].search(
            [("res_model", "=", record._name), ("res_id", "=", record.id), ("summary", "like", "Collections, failed")]
        )


@tagged("post_install", "-at_install")
class TestRun(RunMixin, CollectionCommon):
    """A company that fails stops nobody else, and no customer is forgotten."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.broken = cls.setup_other_company(name="Broken", country_id=cls.env.ref("base.fr").id)["company"]
        # Companies go by their sequence: the broken one comes first.
        cls.broken.sequence, cls.company.sequence = 1, 2
        cls.env.user.company_ids += cls.broken
        cls.invoice = cls._create_invoice(days_late=60)
        cls.their_invoice = cls._create_invoice(company=cls.broken, days_late=60)

    def _queued(self, company):
        return self.env["collection.refresh.queue"].sudo().search([("company_id", "=", company.id)]).partner_id

    def test_every_scheduled_action_is_tested(self):
        crons = self.env["ir.model.data"].search([("module", "=", "account_collection"), ("model", "=", "ir.cron")])
        self.assertEqual(set(crons.mapped("name")), {*WORK_BY_COMPANY, *WORK_BY_RECORD})

    def test_broken_company_stops_no_scheduled_action(self):
        self._synchronize()
        self._synchronize(self.broken)
        (self.company + self.broken).write(
            {"collection_refresh_date": False, "collection_digest_is_on": True, "collection_digest_at": False}
        )
        for company in self.company + self.broken:
            plan = self.env["collection.plan"].search([("company_id", "=", company.id)], limit=1)
            plan = plan or self.env["collection.plan"].create({"name": "Plan", "company_id": company.id})
            plan._start()
        for name, (model, method) in WORK_BY_COMPANY.items():
            with self.subTest(name), freeze_time(f"{self.today} 19:30:00"):
                served = self._run_broken(name, model, method, self.broken)
                self.assertIn(self.company.id, served)
                failures = self._get_failures(self.broken.partner_id)
                self.assertEqual(len(failures), 1, "an administrator knows")
                self._run_broken(name, model, method, self.broken)
                self.assertEqual(self._get_failures(self.broken.partner_id), failures, "and is notified once")
                failures.unlink()

    def test_broken_company_stops_no_delivery(self):
        Action = self.env.registry["collection.action"]
        original = Action._deliver_in_company

        def work(actions):
            if actions.company_id == self.broken:
                raise ValueError("broken")
            return original(actions)

        for company in self.company + self.broken:
            debtor = self._get_debtor(company=company)
            plan = self.env["collection.plan"].create(
                {
                    "name": "Plan",
                    "company_id": company.id,
                    "step_ids": [
                        Command.create(
                            {
                                "name": "First",
                                "delay": 3,
                                "template_id": self.env.ref("account_collection.mail_template_reminder").id,
                            }
                        )
                    ],
                }
            )
            company.collection_bank_fresh_days = 0
            debtor.plan_id = plan
            plan._start()
        self.env.flush_all()
        with patch.object(Action, "_deliver_in_company", work), mute_logger(LOGGER):
            self._trigger("cron_plan_and_deliver")
        states = {
            company: self.env["collection.action"].search([("company_id", "=", company.id)]).mapped("state")
            for company in self.company + self.broken
        }
        self.assertEqual(states, {self.company: ["done"], self.broken: ["planned"]})

    def test_queue_keeps_the_customers_of_a_broken_company(self):
        (self.company + self.broken).collection_refresh_date = self.today
        self.assertEqual((self._queued(self.company), self._queued(self.broken)), (self.customer, self.customer))
        served = self._run_broken("cron_refresh_debtors", "collection.debtor", "_synchronize", self.broken)
        self.assertIn(self.company.id, served)
        self.assertEqual((self._queued(self.company).ids, self._queued(self.broken)), ([], self.customer))
        self._trigger("cron_refresh_debtors")
        self.assertFalse(self._queued(self.broken))
        debtor = self.env["collection.debtor"].search([("company_id", "=", self.broken.id)])
        self.assertEqual(debtor.due_amount, 100)

    def test_conflict_loses_no_customer(self):
        """Somebody wrote on the same customer meanwhile: it is done again, at once."""
        self.company.collection_refresh_date = self.broken.collection_refresh_date = self.today
        for error in (psycopg2.errors.SerializationFailure, psycopg2.errors.DeadlockDetected):
            with self.subTest(error.__name__):
                self._pay_on_account(amount=10)
                original = self.env.registry["collection.debtor"]._refresh
                conflicts = iter([error("could not serialize access")])

                def refresh(debtors, *args, original=original, conflicts=conflicts):
                    if conflict := next(conflicts, None):
                        raise conflict
                    return original(debtors, *args)

                self.env.flush_all()
                with patch.object(self.env.registry["collection.debtor"], "_refresh", refresh):
                    self._trigger("cron_refresh_debtors")
                self.assertFalse(self._queued(self.company))
                credit = sum(self.env["account.payment"].search([]).mapped("amount"))
                debtor = self.env["collection.debtor"].search([("company_id", "=", self.company.id)])
                self.assertEqual(debtor.credit_amount, credit)

    def test_conflict_that_lasts_is_no_failure_of_the_company(self):
        def conflict(*_args):
            raise psycopg2.errors.SerializationFailure("could not serialize access")

        self.env.flush_all()
        with (
            patch.object(self.env.registry["collection.debtor"], "_refresh", conflict),
            self.assertRaises(psycopg2.errors.SerializationFailure),
            self.env.cr.savepoint(),
        ):
            self.env["collection.run"]._isolate(
                self.company, lambda: self.env["collection.run"]._refresh_next(self.company), "Refreshing"
            )
        self.assertTrue(self._queued(self.company))

    def test_form_is_readable_whatever_fails(self):
        debtor = self._get_debtor()
        self._pay(self.invoice)
        self.env.flush_all()
        with (
            patch.object(self.env.registry["collection.debtor"], "_refresh", side_effect=ValueError("broken")),
            mute_logger(LOGGER),
        ):
            values = debtor.with_user(self.collector).web_read({"claimable_amount": {}})
        self.assertEqual(values, [{"id": debtor.id, "claimable_amount": 100}])
        self.assertEqual(debtor.web_read({"claimable_amount": {}})[0]["claimable_amount"], 0)

    def test_companies_are_refreshed_after_their_own_midnight(self):
        """At 1 o'clock UTC it is still yesterday in New York: its day begins five hours after that of Paris."""
        self.broken.collection_tz = "America/New_York"
        for hour, done in (
            ("2026-03-11 00:10", (True, False)),
            ("2026-03-11 03:50", (True, False)),
            ("2026-03-11 04:10", (True, True)),
        ):
            with freeze_time(f"{hour}:00"):
                if hour == "2026-03-11 00:10":
                    for company in self.company + self.broken:
                        company.collection_refresh_date = datetime(2026, 3, 10).date()
                self._trigger("cron_refresh_debtors")
            day = datetime(2026, 3, 11).date()
            dates = (self.company + self.broken).mapped("collection_refresh_date")
            self.assertEqual(tuple(date == day for date in dates), done, hour)
        cron = self.env.ref("account_collection.cron_refresh_debtors")
        self.assertEqual((cron.interval_number, cron.interval_type), (1, "hours"))

    def test_settling_cancels_what_was_planned_for_paid_debts(self):
        debtor = self._get_debtor()
        call = self.env["collection.action"]._plan_call(debtor, self.today + timedelta(days=5), "Ask")
        self._pay(self.invoice)
        self.env["collection.debtor"]._refresh(self.company)
        self._trigger("cron_settle")
        self.assertRecordValues(call, [{"state": "cancelled", "result_text": "Paid."}])

    def test_big_payments_are_notified_once_each(self):
        self.company.collection_big_payment = 500
        debtor = self._get_debtor()
        debtor.collector_id = self.collector
        draft = self._pay_on_account(amount=700).move_id
        draft.button_draft()
        self._pay_on_account(amount=900)

        def notices():
            messages = debtor.message_ids.filtered(lambda message: "Big payment" in message.body)
            return [self._plain(message.body) for message in messages.sorted("id")]

        self._synchronize()
        self.assertEqual(len(notices()), 1)
        self.assertIn("900.00", notices()[0])
        with freeze_time(self.today + timedelta(days=2, hours=12)):
            draft.action_post()  # its items are older than those of the payment that is known
            self._synchronize()
            self._synchronize()
            self.assertEqual(len(notices()), 2)
            self.assertIn("700.00", notices()[1])
        with freeze_time(self.today + timedelta(days=7, hours=12)):
            self._pay_on_account(amount=600, on=self.today)
            self._synchronize()
            self.assertEqual(len(notices()), 3, "seven days back")
        with freeze_time(self.today + timedelta(days=8, hours=12)):
            self._pay_on_account(amount=800, on=self.today)
            self._synchronize()
            self.assertEqual(len(notices()), 3, "too long ago")
            newest = self._pay_on_account(amount=501, on=self.today + timedelta(days=8))
            self._synchronize()
            self.assertEqual(len(notices()), 4)
            item = self._get_items(newest.move_id)
            self.assertEqual(debtor.notified_payment_ids, item.ids, "what can't be news any more is forgotten")


@tagged("post_install", "-at_install")
class TestRunRecords(RunMixin, ProviderImportCommon):
    """A record that fails is left for later, and stops no other one."""

    def _get_promises(self):
        promises = self.env["collection.promise"]
        for case in self.case + self.other_case:
            promises |= self._promise(case.debtor_id, amount=10, date=self._days(1))
        promises.sudo().remind_before = True
        return promises

    def _get_campaigns(self):
        return self.campaign + self._start_campaign(name="Other", date_end=self.campaign.date_end)

    def _get_handovers(self):
        self.handover.sudo().filtered(lambda handover: handover.state == "out")._end("ended")
        return self._hand_over(self.case) + self._hand_over(self.other_case)

    def _get_batches(self):
        Batch = self.env["collection.receivable.batch"]
        batches = Batch.create([{"file": "YQ==", "file_name": name} for name in ("a.csv", "b.csv")])
        batches.with_context(**Batch._get_guard()).write({"state": "applying", "user_id": self.env.uid})
        return batches

    def _get_imports(self):
        content = self._fill((self.first, {"outcome": "voicemail"}))
        imports = self._upload(content) + self._upload(content + b"\n")
        imports.with_context(**imports._get_guard()).write({"state": "applying"})
        return imports

    def _get_papers(self):
        Paper = self.env["collection.paper"]
        for case in self.case + self.other_case:
            options = {"ending": "xlsx", "kind_of_statement": "open", "date_from": False, "date_to": False}
            Paper._request("statements", case.partner_id.name, case.debtor_id, **options)
        return Paper.search([])

    def test_broken_record_stops_no_scheduled_action(self):
        makers = {
            "cron_remind_promises": (self._get_promises, 0),
            "cron_receivables": (self._get_batches, 0),
            "cron_take_back": (self._get_imports, 0),
            "cron_make_papers": (self._get_papers, 0),
            "cron_end_handovers": (self._get_handovers, 20),
            "cron_campaign_calendar": (self._get_campaigns, 31),
        }
        self.assertEqual(makers.keys(), WORK_BY_RECORD.keys())
        for name, (maker, days) in makers.items():
            model, method = WORK_BY_RECORD[name]
            with self.subTest(name), freeze_time(f"{self._days(0)} 12:00:00") as clock:
                records = maker().sudo().sorted("id")
                clock.move_to(f"{self._days(days)} 12:00:00")  # within the hours of sending
                served = self._run_broken(name, model, method, records[0])
                self.assertEqual(served, set(records[1:].ids))
                target = records[0] if hasattr(records, "activity_schedule") else self.company.partner_id
                self.assertEqual(len(self._get_failures(target)), 1)
                self._get_failures(target).unlink()
