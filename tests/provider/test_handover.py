import hashlib
import io
from datetime import timedelta

from openpyxl import load_workbook

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from ...tools import tabular
from ..common import CollectionCommon
from ..plan_common import PlanCommon


class HandoverCommon(CollectionCommon):
    """A running campaign over two customers, and a French provider."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first = cls._create_invoice(amount=100, days_late=40)
        cls.second = cls._create_invoice(amount=50, days_late=10)
        cls.other_invoice = cls._create_invoice(cls.other_customer, amount=900, days_late=20)
        cls.campaign = cls._start_campaign(member_ids=[Command.set(cls.collector.ids)])
        cls.case = cls.campaign.case_ids.filtered(lambda case: case.partner_id == cls.customer)
        cls.other_case = cls.campaign.case_ids - cls.case
        cls.provider = cls._create_provider()

    @classmethod
    def _create_provider(cls, name="Phone House", **values):
        partner = cls.env["res.partner"].create({"name": name, "is_company": True, "lang": "en_US"})
        return cls.env["collection.provider"].create({"partner_id": partner.id, **values})

    @classmethod
    def _hand_over(cls, cases=None, user=None, **values):
        """Hand cases over as the team does, through the dialogue."""
        cases = (cases if cases is not None else cls.case).with_user(user or cls.team_user)
        action = cases.action_hand_over()
        wizard = cases.env["collection.handover.create"].browse(action["res_id"])
        wizard.write({"provider_id": cls.provider.id, **values})
        return cases.env["collection.handover"].browse(wizard.action_confirm()["res_id"])

    @classmethod
    def _read(cls, attachment):
        """Return the rows of a file as dicts of texts."""
        table = tabular.read_table(attachment.sudo().raw, attachment.name)
        return [
            {name: tabular.parse_text(cell) for name, cell in zip(table.columns, row.cells, strict=True)}
            for row in table
        ]


@tagged("post_install", "-at_install")
class TestHandover(HandoverCommon):
    """Cases go out to a provider, our own calls stop, and they come back."""

    def test_recap(self):
        """What a provider works on counts as handed over, while the campaign runs and after its closing."""
        self._log_call(self._get_debtor(), outcome="no_answer", case=self.case)
        handover = self._hand_over()
        self._pay(self.first, 30)
        recap = self.campaign._recap()
        self.assertEqual([recap.outcome.get(key) for key in ("collected", "handed_over", "unreachable")], [30, 120, 0])
        notice = "With Phone House until"
        row = next(row for row in recap.cases if row.case_id == self.case.id)
        self.assertIn(notice, row.next_step)

        self.campaign.action_close()
        self.assertEqual(self.case.result, "handed_over")
        self.assertIn(notice, self.case.result_note)
        handover.action_end()
        later = self.campaign._recap()
        self.assertEqual(later.outcome, recap.outcome, "What happened after the closing changes nothing")
        self.assertEqual([row.next_step for row in later.cases], [row.next_step for row in recap.cases])

    def test_recap_of_what_came_back(self):
        """What a provider gave back is ours to collect again."""
        self._hand_over().action_end()
        self.assertEqual(self.campaign._recap().outcome.get("handed_over"), 0)

    def test_file(self):
        self.env["collection.debtor"].search([("partner_id", "=", self.customer.id)]).comment = "Secret"
        handover = self._hand_over()
        rows = self._read(handover.file_id)
        self.assertEqual([row["Invoice number"] for row in rows], [self.first.name, self.second.name])
        self.assertEqual({row["Customer"] for row in rows}, {"Boulangerie Petit"})
        self.assertEqual({row["Case reference"] for row in rows}, {handover.line_ids.reference})
        self.assertEqual([row["Item reference"] for row in rows], handover.item_ids.mapped("reference"))
        self.assertEqual([(row["Amount to claim"], row["Days late"]) for row in rows], [("100", "40"), ("50", "10")])
        self.assertEqual(rows[0]["Phone"], "+33 1 02 03 04 05")
        self.assertEqual(rows[0]["Language"], "English")
        self.assertNotIn("Comments", rows[0])
        self.assertEqual(handover.file_hash, hashlib.sha256(handover.file_id.raw).hexdigest())
        book = load_workbook(io.BytesIO(handover.file_id.raw))
        sheet = book.worksheets[0]
        self.assertEqual(sheet.freeze_panes, "B2")
        self.assertTrue(sheet.auto_filter.ref)
        self.assertEqual(len(sheet.data_validations.dataValidation), 3)
        self.assertIn("Outcome", [row[0].value for row in book["Explanation"].iter_rows()])

    def test_cells_of_the_workbook(self):
        """Numbers are numbers, dates are dates, and whoever fills it in may choose from whole lists."""
        sheet = load_workbook(io.BytesIO(self._hand_over().file_id.raw)).worksheets[0]
        [titles, *rows] = sheet.iter_rows()
        cells = [dict(zip([title.value for title in titles], row, strict=True)) for row in rows]
        self.assertEqual([row["Amount to claim"].value for row in cells], [100, 50])
        self.assertEqual({row["Amount to claim"].data_type for row in cells}, {"n"})
        self.assertEqual({row["Amount to claim"].number_format for row in cells}, {"#,##0.00"})
        self.assertEqual([row["Days late"].value for row in cells], [40, 10])
        self.assertEqual({row["Days late"].data_type for row in cells}, {"n"})
        due_dates = [self.first.invoice_date_due, self.second.invoice_date_due]
        self.assertEqual([row["Due date"].value.date() for row in cells], due_dates)
        self.assertTrue(all(row["Due date"].is_date for row in cells))
        self.assertEqual({row["Phone"].data_type for row in cells}, {"s"})
        choices = self.env["collection.handover.file"].with_context(lang="en_US")._get_choices()
        column_of = {title.value: title.column_letter for title in titles}
        found = {str(rule.sqref): rule.formula1 for rule in sheet.data_validations.dataValidation}
        for title, key in (("Outcome", "outcome"), ("Payment method", "method"), ("Reason for non-payment", "reason")):
            letter = column_of[title]
            with self.subTest(list=title):
                self.assertEqual(self._get_list(sheet.parent, found[f"{letter}2:{letter}3"]), choices[key])

    def _get_list(self, book, formula):
        """Return the texts that a drop-down list offers, whether it holds them itself or names their cells."""
        if formula.startswith('"'):
            return formula.strip('"').split(",")
        sheet, _sign, cells = formula.lstrip("=").partition("!")
        return [row[0].value for row in book[sheet.strip("'")][cells.replace("$", "")]]

    def test_decimals_of_the_currency(self):
        dinar = self.env.ref("base.KWD")
        dinar.active = True
        self._create_invoice(self.other_customer, amount=12.345, days_late=20, currency=dinar)
        self._synchronize()
        sheet = load_workbook(io.BytesIO(self._hand_over(self.other_case).file_id.raw)).worksheets[0]
        column = next(cell.column for cell in sheet[1] if cell.value == "Amount to claim")
        cells = [row[0] for row in sheet.iter_rows(min_row=2, min_col=column, max_col=column)]
        self.assertEqual(sorted(cell.value for cell in cells), [12.345, 900])
        self.assertEqual({cell.number_format for cell in cells}, {"#,##0.000"})

    def test_closed_case_of_the_same_customer(self):
        """A case that can't go takes no place in the list: the customer's running case goes."""
        closed = self.case
        self.campaign.action_close()
        campaign = self._start_campaign(name="Summer", member_ids=[Command.set(self.collector.ids)])
        case = campaign.case_ids.filtered(lambda case: case.partner_id == self.customer)
        obstacles = self.env["collection.handover"]._get_obstacles(closed + case)
        self.assertEqual(obstacles, {closed: "The case is closed."})
        self.assertEqual(self._hand_over(closed + case).line_ids.case_id, case)
        self.assertEqual(
            self.env["collection.handover"]._get_obstacles(case + case)[case], case.debtor_id.handover_notice
        )

    def test_formats_and_profile(self):
        self.provider.write({"send_comment": True, "send_score": False, "send_phone": False})
        self.case.debtor_id.comment = '=HYPERLINK("http://evil")'
        handover = self._hand_over(
            file_format="csv", encoding="windows-1252", decimal_sign=",", separator=";", date_order="dmy"
        )
        text = handover.file_id.raw.decode("windows-1252")
        self.assertIn(";100,0;", text)
        self.assertIn(self.first.invoice_date_due.strftime("%d/%m/%Y"), text)
        self.assertNotIn("Score", text)
        self.assertNotIn(";=", text)
        self.assertNotIn(';"=', text)
        self.assertEqual(self._read(handover.file_id)[0]["Comments"], '=HYPERLINK("http://evil")')
        handover.action_end()
        handover = self._hand_over(file_format="txt", encoding="utf-8", decimal_sign=".", date_order="ymd")
        text = handover.file_id.raw.decode("utf-8-sig")
        self.assertIn("\t100.0\t", text)
        self.assertIn(self.first.invoice_date_due.isoformat(), text)

    def test_in_the_language_of_the_caller(self):
        self._load_french()
        handover = self._hand_over(lang="fr_FR")
        book = load_workbook(io.BytesIO(handover.file_id.raw))
        values = [row[1].value for row in book.worksheets[1].iter_rows(min_row=2)]
        self.assertEqual(len(values), len(self._read(handover.file_id)[0]))

    def test_our_calls_stop(self):
        self._log_call(self.case.debtor_id, "voicemail", case=self.case, next_date=self.today)
        planned = self.case.debtor_id.action_ids.filtered(lambda action: action.state == "planned")
        self.assertEqual(self.case.state, "to_contact")
        Case = self.env["collection.case"].with_user(self.collector)
        self.assertIn(self.case, Case.search(Case._get_worklist_domain()))
        count = self.campaign.to_contact_count
        self.assertFalse(self.case.handover_notice)
        handover = self._hand_over()
        self.campaign.invalidate_recordset()
        self.assertEqual(self.campaign.to_contact_count, count - 1)
        self.assertNotIn(self.case, Case.search(Case._get_worklist_domain()))
        self.assertRecordValues(planned, [{"state": "cancelled", "result_text": handover._get_notice()}])
        self.assertRecordValues(
            self.case, [{"state": "waiting", "next_action_date": handover.date_end + timedelta(days=1)}]
        )
        case = self.case.with_user(self.collector)
        self.assertIn("With Phone House until", case.handover_notice)
        self.assertIn("With Phone House", case.debtor_id._get_silence_reason("call"))
        # Reminders go on, and somebody may phone us.
        self.assertFalse(case.debtor_id._get_silence_reason("email"))
        self._log_call(case.debtor_id, case=self.case)
        self.assertEqual(self.case.next_action_date, handover.date_end + timedelta(days=1))
        self.assertNotIn(self.case, Case.search(Case._get_worklist_domain()))

    def test_comes_back(self):
        handover = self._hand_over()
        handover.action_end()
        self.assertEqual(handover.state, "ended")
        self.assertFalse(self.case.debtor_id.handover_id)
        self.assertRecordValues(self.case, [{"state": "to_contact", "next_action_date": self.today}])
        # May be handed over again, with other references.
        again = self._hand_over()
        self.assertNotEqual(again.line_ids.reference, handover.line_ids.reference)

    def test_ends_by_itself(self):
        handover = self._hand_over(date_end=self.today)
        later = self._hand_over(self.other_case)
        with self.enter_registry_test_mode():
            self.env.ref("account_collection.cron_end_handovers").method_direct_trigger()
        self.assertEqual(handover.state, "out")
        self.env.cr.execute(
            "UPDATE collection_handover SET date_start = %s, date_end = %s WHERE id = %s",
            [self._days(-9), self._days(-1), handover.id],
        )
        self.env.invalidate_all()
        with self.enter_registry_test_mode():
            self.env.ref("account_collection.cron_end_handovers").method_direct_trigger()
        self.assertEqual((handover.state, later.state), ("ended", "out"))
        self.assertEqual(self.case.state, "to_contact")
        self.assertEqual(self.other_case.state, "waiting")

    def test_longer(self):
        handover = self._hand_over()
        handover.date_end = self.today + timedelta(days=60)
        self.assertEqual(self.case.next_action_date, self.today + timedelta(days=61))
        with self.assertRefused("still to come"):
            handover.date_end = self.today - timedelta(days=1)

    def test_not_twice_at_once(self):
        self._hand_over()
        with self.assertRefused("With Phone House until"):
            self._hand_over()
        # The same customer in another campaign is out, too.
        other = self._start_campaign(name="Summer")
        case = other.case_ids.filtered(lambda case: case.partner_id == self.customer)
        self.assertIn("With Phone House until", case.handover_notice)
        with self.assertRefused("With Phone House until"):
            self._hand_over(case)

    def test_who_is_left_out(self):
        self.other_case.debtor_id.write({"paused_until": self._days(5), "pause_reason": "Talks"})
        cases = self.case + self.other_case
        action = cases.with_user(self.team_user).action_hand_over()
        wizard = self.env["collection.handover.create"].browse(action["res_id"])
        self.assertEqual((wizard.case_count, wizard.claimable_amount), (1, 150))
        self.assertIn("Garage Lemoine: The follow-up is paused", wizard.left_out)
        self._pay(self.first)
        self._pay(self.second)
        with self.assertRefused("None of these customers"):
            self._hand_over(cases)

    def test_no_provider(self):
        self.provider.active = False
        with self.assertRefused("no provider yet"):
            self.case.with_user(self.team_user).action_hand_over()

    def test_only_what_may_be_claimed(self):
        self._dispute(self.case.debtor_id, self._get_items(self.first), amount=100)
        self._credit(self.second, amount=20)
        handover = self._hand_over()
        self.assertRecordValues(handover.item_ids, [{"name": self.second.name, "amount": 30.0}])

    def test_merged_customers(self):
        handover = self._hand_over()
        other = self._hand_over(self.other_case)
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.customer + self.other_customer).ids, self.other_customer)
        self.env.invalidate_all()
        debtor = self.env["collection.debtor"].search([("partner_id", "=", self.other_customer.id)])
        self.assertEqual(debtor.handover_id, other)
        self.assertEqual((handover.line_ids.is_out, other.line_ids.is_out), (False, True))
        self.assertEqual(handover.line_ids.debtor_id, debtor)

    def test_stop_list(self):
        handover = self._hand_over(self.case + self.other_case)
        self._pay(self.first)
        self._pay(self.second, 20)
        self._promise(self.other_case.debtor_id, case=self.other_case)
        handover.action_download_stop_list()
        attachment = self.env["ir.attachment"].search(
            [("res_model", "=", handover._name), ("res_id", "=", handover.id)], order="id desc", limit=1
        )
        rows = {row["Invoice number"]: row for row in self._read(attachment)}
        self.assertEqual(rows[self.first.name]["Why"], "Paid or credited")
        self.assertEqual(rows[self.second.name]["Still to claim"], "30")
        self.assertEqual(rows[self.second.name]["Don't call any more"], "No")
        self.assertEqual(rows[self.other_invoice.name]["Why"], "Promised")
        self.assertEqual(rows[self.other_invoice.name]["Don't call any more"], "Yes")
        self.assertEqual(handover.stopped_count, 1)

    def test_rights(self):
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            self.case.with_user(self.collector).action_hand_over()
        handover = self._hand_over()
        self.assertFalse(handover.with_user(self.collector).has_access("read"))
        self.assertFalse(handover.file_id.with_user(self.collector).has_access("read"))
        self.assertTrue(handover.file_id.with_user(self.team_user).has_access("read"))
        self.assertIn("Phone House", self.case.with_user(self.collector).handover_notice)
        self.assertFalse(self.provider.with_user(self.team_user).has_access("write"))
        self.assertTrue(self.provider.with_user(self.manager).has_access("write"))
        self.assertFalse(handover.line_ids.with_user(self.manager).has_access("write"))

    def test_companies_don_t_mix(self):
        handover = self._hand_over()
        company = self.setup_other_company(name="Moreau Belgique")["company"]
        stranger = self._create_user("stranger", "account_collection.group_collection_manager")
        stranger.write({"company_ids": [Command.set(company.ids)], "company_id": company.id})
        for records in (handover, handover.line_ids, handover.item_ids, self.provider):
            with self.subTest(model=records._name):
                self.assertFalse(records.with_user(stranger).has_access("read"))
        self.assertFalse(handover.file_id.with_user(stranger).has_access("read"))

    def test_nothing_is_forged(self):
        handover = self._hand_over()
        for values in ({"state": "returned"}, {"file_hash": "x"}, {"date_start": self.today}):
            with self.subTest(values=values), self.assertRefused("."):
                handover.write(values)
        with self.assertRefused("can't be written by hand"):
            self.case.debtor_id.with_user(self.manager).handover_id = False
        with self.assertRefused("stays on file"):
            handover.sudo().unlink()
        with self.assertRefused("can't be written by hand"):
            self.env["collection.action"].with_user(self.collector).create(
                {"debtor_id": self.case.debtor_id.id, "handover_id": handover.id}
            )

    def test_queries_don_t_grow(self):
        """Handing over many customers takes as many queries for reading what they owe as handing over one."""
        for number in range(4):
            self._create_invoice(self._create_customer(f"Customer {number}"), amount=10 + number)
        self._synchronize()
        debtors = self.env["collection.debtor"].search([("claimable_amount", ">", 0)])

        def count(records):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            records._get_claimable_items_by_debtor()
            return self.env.cr.sql_log_count - before

        count(debtors)
        self.assertEqual(len(debtors), 6)
        self.assertLessEqual(count(debtors), count(debtors[:2]))


@tagged("post_install", "-at_install")
class TestHandoverAndPlan(PlanCommon):
    """While customers are with a provider, a follow-up plan makes no calls; its reminders go on."""

    def _hand_over(self):
        """Hand all that may be claimed over to a provider."""
        partner = self.env["res.partner"].create({"name": "Phone House"})
        provider = self.env["collection.provider"].create({"partner_id": partner.id})
        return self.env["collection.handover"]._hand_over(
            self._start_campaign().case_ids,
            {
                "provider_id": provider.id,
                "date_start": self.today,
                "date_end": self.today + timedelta(days=30),
                "purpose": "Calls",
                "lang": "en_US",
            },
        )

    def _replace_plan(self):
        """Begin with a call, and go on with an e-mail."""
        self.plan.action_stop()
        plan = self._create_plan(steps=((3, "call"), (8, "email")), sequence=0)
        plan._start()
        self._create_invoice(amount=100, days_late=10)
        return plan

    def test_planned_calls_are_left_to_the_provider(self):
        plan = self._replace_plan()
        debtor = self._get_debtor()
        self._run_cron()
        call = self._actions(debtor)
        self.assertRecordValues(call, [{"channel": "call", "state": "planned"}])
        handover = self._hand_over()
        self.assertRecordValues(
            call, [{"state": "cancelled", "is_skipped": True, "result_text": handover._get_notice()}]
        )
        self.env["collection.plan"]._plan_company(self.company)
        reminder = self._actions(debtor) - call
        self.assertRecordValues(reminder, [{"channel": "email", "state": "planned", "step_id": self._step(8, plan).id}])

    def test_call_in_place_of_a_message_is_left_to_the_provider(self):
        self.customer.email = False
        self._create_invoice(amount=100, days_late=10)
        debtor = self._get_debtor()
        handover = self._hand_over()
        self._run_cron()
        message, call = self._actions(debtor)
        self.assertRecordValues(
            message + call,
            [
                {"channel": "email", "state": "failed", "is_skipped": False},
                {"channel": "call", "state": "cancelled", "is_skipped": True},
            ],
        )
        self.assertEqual(call.result_text, handover._get_notice())

    def test_no_call_is_planned(self):
        self._replace_plan()
        debtor = self._get_debtor()
        handover = self._hand_over()
        self._run_cron()
        self.assertRecordValues(
            self._actions(debtor), [{"channel": "call", "state": "cancelled", "result_text": handover._get_notice()}]
        )
