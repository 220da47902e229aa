import base64
import io
from datetime import date, timedelta
from unittest.mock import patch

from openpyxl import load_workbook

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from ...models.provider import collection_provider_import
from ...tools import tabular
from .test_handover import HandoverCommon


class ProviderImportCommon(HandoverCommon):
    """A hand-over over both customers, and short ways to fill its file in."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.handover = cls._hand_over(cls.case + cls.other_case)
        cls.titles = cls.env["collection.handover.file"].with_context(lang="en_US")._get_titles()

    def _fill(self, *answers, handover=None):
        """Return a CSV as the provider sends it back.

        :param answers: ``(invoice, {column: text})``; other rows stay empty.
        """
        rows = self._read((handover or self.handover).file_id)
        filled = []
        for row in rows:
            given = [values for invoice, values in answers if invoice.name == row["Invoice number"]]
            for values in given or [{}]:
                filled.append({**row, **{self.titles.get(key, key): text for key, text in values.items()}})
        columns = list(filled[0])
        return tabular.write_delimited(columns, [[row.get(name, "") for name in columns] for row in filled])

    def _upload(self, content, filename="back.csv", user=None, handover=None, **values):
        record = (
            self.env["collection.provider.import"]
            .with_user(user or self.team_user)
            .create(
                {
                    "handover_id": (handover or self.handover).id,
                    "file": base64.b64encode(content),
                    "filename": filename,
                    **values,
                }
            )
        )
        record.action_read()
        return record

    def _take_back(self, *answers, **values):
        record = self._upload(self._fill(*answers), **values)
        record.action_apply()
        self.env.invalidate_all()
        return record

    def _actions(self):
        return self.env["collection.action"].search([("state", "=", "done")], order="id")

    def _day(self, count):
        return (self.today + timedelta(days=count)).strftime("%d/%m/%Y")


@tagged("post_install", "-at_install")
class TestProviderImport(ProviderImportCommon):
    """What a provider sends back does what logging it by hand does: once, and in its hand-over only."""

    def test_calls(self):
        record = self._take_back(
            (
                self.first,
                {"call_date": self._day(0), "outcome": "Reached the right person", "reason": "Cash difficulty"},
            ),
            (self.other_invoice, {"call_date": self._day(0), "outcome": "No answer", "note": "Try Mondays"}),
        )
        self.assertRecordValues(record, [{"state": "done", "applied_count": 2, "error_count": 0, "empty_count": 1}])
        action, other = self._actions()
        self.assertRecordValues(
            action + other,
            [
                {"outcome": "right_person", "case_id": self.case.id, "provider_id": self.provider.id, "note": False},
                {
                    "outcome": "no_answer",
                    "case_id": self.other_case.id,
                    "provider_id": self.provider.id,
                    "note": "Try Mondays",
                },
            ],
        )
        self.assertEqual(action.user_id, self.team_user)
        self.assertEqual(action.reason_id, self.env.ref("account_collection.collection_reason_cash"))
        self.assertRecordValues(
            self.case + self.other_case,
            [{"attempt_count": 1, "is_reached": True}, {"attempt_count": 1, "is_reached": False}],
        )
        self.assertEqual(self.handover.state, "returned")
        self.assertEqual(self.case.state, "to_contact")

    def test_day_of_the_call(self):
        """What was said counts on its own day, on the company's clock."""
        self.env.cr.execute(
            "UPDATE collection_handover SET date_start = %s WHERE id = %s", [self._days(-8), self.handover.id]
        )
        self.env.invalidate_all()
        self._take_back(
            (self.first, {"call_date": f"{self._day(-3)} 18:30", "outcome": "Voicemail"}),
            (self.other_invoice, {"call_date": self._day(-2), "outcome": "Voicemail"}),
        )
        action, other = self._actions()
        self.assertEqual(str(action.date_done), f"{self._days(-3)} 17:30:00")
        self.assertEqual(str(other.date_done), f"{self._days(-2)} 11:00:00")
        self.assertEqual(str(action.date_planned), self._days(-3))

    def test_same_as_by_hand(self):
        """The same answer, logged by hand and taken back, leaves the same behind."""
        debtor, other = self.case.debtor_id, self.other_case.debtor_id
        self.handover.action_end()
        self._promise(other, case=self.other_case, user=self.team_user, date=self.today + timedelta(days=9), amount=900)
        self._take_back(
            (self.first, {"promise_date": self._day(9), "method": "Bank transfer"}),
            (self.second, {"promise_date": self._day(9), "method": "Bank transfer"}),
        )
        fields = ("date", "method", "state", "user_id", "contact_id")
        mine, theirs = debtor.promise_ids, other.promise_ids
        self.assertEqual([mine[name] == theirs[name] for name in fields[:-1]], [True] * 4)
        self.assertEqual((mine.amount, theirs.amount), (150, 900))
        self.assertEqual((mine.provider_id, theirs.provider_id.id), (self.provider, False))
        for name in ("state", "attempt_count", "is_reached", "next_action_date", "next_action_summary"):
            self.assertEqual(self.case[name], self.other_case[name], name)
        self.assertEqual(debtor.claimable_amount, 0)
        for action in self._actions():
            self.assertEqual((action.channel, action.outcome), ("call", "right_person"))
        self.assertEqual(len(self._actions()), 2)

    def test_promise_of_one_item(self):
        self._take_back(
            (
                self.second,
                {"outcome": "Reached the right person", "promise_date": self._day(5), "promise_amount": "30,50"},
            )
        )
        promise = self.case.debtor_id.promise_ids
        self.assertRecordValues(promise, [{"amount": 30.5, "method": "transfer", "case_id": self.case.id}])
        self.assertEqual(promise.line_ids.move_line_id, self._get_items(self.second))

    def test_what_is_promised_already_can_t_be_promised_again(self):
        self._promise(self.case.debtor_id, move_line_ids=self._get_items(self.second).ids, amount=30)
        answers = {"20": ("ready", ""), "25": ("ready", "oldest items"), "121": ("error", "more than the 120.00")}
        for amount, (state, words) in answers.items():
            with self.subTest(amount=amount):
                record = self._upload(
                    self._fill((self.second, {"promise_date": self._day(5), "promise_amount": amount}))
                )
                line = record.line_ids.filtered(lambda line: line.state in ("ready", "error"))
                self.assertEqual(line.state, state)
                said = self._plain(f"{line.warning or ''}{line.error or ''}")
                self.assertIn(words, said)
                self.assertEqual(bool(said), bool(words))

    def test_one_sum_for_the_customer(self):
        record = self._upload(self._fill((self.second, {"promise_date": self._day(5), "promise_amount": 120})))
        line = record.line_ids.filtered(lambda line: line.state == "ready")
        self.assertIn("oldest items", line.warning)
        record.action_apply()
        promise = self.case.debtor_id.promise_ids
        self.assertEqual(promise.amount, 120)
        self.assertEqual(promise.line_ids.sorted("due_date").mapped("amount"), [100, 20])

    def test_one_sum_copied_down(self):
        answer = {"promise_date": self._day(5), "promise_amount": 120}
        record = self._take_back((self.first, answer), (self.second, answer))
        self.assertEqual((record.applied_count, record.error_count), (2, 0))
        self.assertEqual(self.case.debtor_id.promise_ids.amount, 120)

    def test_dispute(self):
        record = self._take_back(
            (
                self.first,
                {
                    "outcome": "Reached the right person",
                    "reason": "Pricing error",
                    "disputed_amount": "40.00",
                    "promise_date": self._day(5),
                    "note": "Two hours too many",
                },
            ),
        )
        self.assertFalse(record.error_count)
        dispute = self.case.debtor_id.dispute_ids
        self.assertRecordValues(
            dispute,
            [{"amount": 40, "description": "Two hours too many", "provider_id": self.provider.id, "state": "open"}],
        )
        self.assertEqual(self.case.debtor_id.promise_ids.amount, 60)
        # One call, however much was said in it.
        self.assertEqual(self._actions().mapped("channel"), ["call", "note"])
        self.assertEqual(self.case.attempt_count, 1)

    def test_one_call_over_several_rows(self):
        answer = {"call_date": self._day(0), "outcome": "Someone else", "note": "Boss is out"}
        answer["outcome"] = "Reached someone else"
        record = self._take_back((self.first, answer), (self.second, answer))
        self.assertEqual(record.applied_count, 2)
        self.assertEqual(len(self._actions()), 1)
        self.assertEqual(self._actions().note, "Boss is out")

    def test_twice_changes_nothing(self):
        answers = (
            (
                self.first,
                {"call_date": self._day(0), "outcome": "Reached the right person", "promise_date": self._day(4)},
            ),
            (self.second, {"reason": "Quantity", "disputed_amount": 10, "new_phone": "01 99 88 77 66"}),
            (self.other_invoice, {"call_date": self._day(0), "outcome": "No answer"}),
        )
        self._take_back(*answers, is_final=False)

        def look():
            self.env.invalidate_all()
            return [
                self.env[model].search([]).read()
                for model in ("collection.action", "collection.promise", "collection.dispute", "collection.case")
            ]

        before = look()
        activities = self.env["mail.activity"].search_count([])
        again = self._upload(self._fill(*answers), is_final=False)
        self.assertRecordValues(again, [{"ready_count": 0, "known_count": 3}])
        again.action_apply()
        # Rows that were ready before somebody else took them back change nothing either.
        self.assertEqual(look(), before)
        self.assertEqual(self.env["mail.activity"].search_count([]), activities)

    def test_two_uploads_of_the_same_file(self):
        content = self._fill((self.first, {"call_date": self._day(0), "outcome": "Voicemail"}))
        one, other = self._upload(content, is_final=False), self._upload(content, is_final=False)
        one.action_apply()
        other.action_apply()
        self.assertEqual(len(self._actions()), 1)
        self.assertEqual(other.applied_count, 1)

    def test_overlap(self):
        """A later file says the same again and something more: only that is new."""
        first = {"call_date": self._day(0), "outcome": "Reached the right person"}
        self._take_back((self.first, first), is_final=False)
        self._take_back((self.first, {**first, "promise_date": self._day(4)}), (self.other_invoice, first))
        self.assertEqual(self._actions().mapped("channel"), ["call", "note", "call"])
        self.assertEqual(self.case.attempt_count, 1)
        self.assertEqual(len(self.case.debtor_id.promise_ids), 1)

    def test_contact(self):
        debtor, other = self.case.debtor_id, self.other_case.debtor_id
        other.contact_id = self.env["res.partner"].create({"name": "Luc", "parent_id": self.other_customer.id})
        self._take_back(
            (
                self.first,
                {"new_contact": "Anne Roux", "new_phone": "+33 1 11 22 33 44", "new_email": "Anne@petit.example"},
            ),
            (self.other_invoice, {"new_contact": "Eva Blin", "new_phone": "01 55 66 77 88"}),
        )
        self.assertRecordValues(
            debtor.contact_id,
            [
                {
                    "name": "Anne Roux",
                    "phone": "+33 1 11 22 33 44",
                    "email": "anne@petit.example",
                    "parent_id": self.customer.id,
                }
            ],
        )
        self.assertEqual(other.contact_id.name, "Luc")
        self.assertEqual(self.other_customer.phone, "+33 1 02 03 04 05")
        activity = other.activity_ids
        self.assertIn("Phone House reports another contact", activity.summary)
        self.assertIn("Eva Blin", activity.note)
        self.assertEqual(activity.user_id, self.collector)
        self.assertFalse(self._actions())

    def test_errors(self):
        day = self._day(0)
        cases = (
            ({"promise_date": self._day(-3)}, "in the past"),
            ({"promise_date": "31/02/2026"}, "is not a date"),
            ({"promise_date": self._day(3), "promise_amount": "1000"}, "more than the"),
            ({"promise_amount": "10"}, "on which day"),
            ({"promise_date": self._day(3), "promise_amount": "-1"}, "above zero"),
            ({"promise_date": self._day(3), "promise_amount": "abc"}, "not an amount"),
            ({"promise_date": self._day(3), "method": "Shells"}, "not in the list"),
            ({"promise_date": self._day(3), "outcome": "No answer"}, "Nobody was reached"),
            ({"call_date": day}, "how the call ended"),
            ({"call_date": self._day(1), "outcome": "Voicemail"}, "still to come"),
            ({"call_date": self._day(-30), "outcome": "Voicemail"}, "before the hand-over"),
            ({"outcome": "Perhaps"}, "not in the list"),
            ({"reason": "Pricing error", "disputed_amount": "1000"}, "more than the"),
            ({"disputed_amount": "10"}, "why the amount is disputed"),
            ({"reason": "Oversight", "disputed_amount": "10"}, "no reason for a dispute"),
            ({"new_email": "nobody"}, "no e-mail address"),
            ({"new_phone": "none"}, "no phone number"),
            ({"note": "x" * 3000}, "longer than"),
            ({"case": "C-BBBB-CCCC-DDDD", "outcome": "Voicemail"}, "no reference of this hand-over"),
            ({"case": "", "item": "", "outcome": "Voicemail"}, "reference is missing"),
        )
        for values, message in cases:
            with self.subTest(values=values):
                record = self._upload(self._fill((self.first, values)))
                line = record.line_ids.filtered(lambda line: line.state == "error")
                self.assertEqual(len(line), 1, record.line_ids.mapped("summary"))
                self.assertIn(message, line.error)
                self.assertFalse(record.ready_count)

    def test_errors_are_left_out_and_given_back(self):
        record = self._take_back(
            (self.first, {"promise_date": self._day(-3), "note": "=cmd()"}),
            (self.other_invoice, {"outcome": "Voicemail"}),
            is_final=False,
        )
        self.assertRecordValues(record, [{"applied_count": 1, "error_count": 1}])
        record.action_download_errors()
        attachment = self.env["ir.attachment"].search([("res_model", "=", record._name), ("name", "like", "mend")])
        self.assertEqual(len(load_workbook(io.BytesIO(attachment.raw)).worksheets[0]["A"]), 2)
        [row] = self._read(attachment)
        self.assertIn("in the past", row["What to mend"])
        self.assertEqual((row["Invoice number"], row["Note"]), (self.first.name, "=cmd()"))
        # Mended, it is taken back.
        columns = list(row)
        row["Promise date"] = self.today + timedelta(days=3)
        output = io.BytesIO()
        with tabular.XlsxTable(output) as book:
            book.add_sheet("Back", [tabular.XlsxColumn(name) for name in columns], [list(row.values())])
        mended = self._upload(output.getvalue(), "mended.xlsx")
        mended.action_apply()
        self.assertEqual(mended.applied_count, 1)
        self.assertEqual(self.case.debtor_id.promise_ids.amount, 100)

    def test_the_models_have_the_last_word(self):
        """What changed between preview and taking back gives an error with its reason, and the rest is taken back."""
        record = self._upload(
            self._fill(
                (self.first, {"promise_date": self._day(4)}),
                (self.second, {"promise_date": self._day(4), "promise_amount": 50}),
                (self.other_invoice, {"outcome": "Voicemail"}),
            )
        )
        self.assertEqual(record.ready_count, 3)
        self._pay(self.second)
        record.action_apply()
        self.assertRecordValues(record, [{"applied_count": 2, "error_count": 1}])
        line = record.line_ids.filtered(lambda line: line.state == "error")
        self.assertEqual(line.item_name, self.second.name)
        self.assertTrue(line.error)
        self.assertEqual(self.case.debtor_id.promise_ids.amount, 100)
        self.assertEqual(len(self.case.action_ids.filtered(lambda action: action.channel == "call")), 1)

    def test_never_outside_the_hand_over(self):
        """References of another hand-over, another provider's or an ended one, touch nothing."""
        self.handover.action_end()
        other = self._hand_over(self.other_case)
        content = self._fill((self.other_invoice, {"outcome": "Voicemail"}), handover=other)
        record = self._upload(content)
        self.assertRecordValues(record, [{"error_count": 1, "ready_count": 0}])
        record.action_apply()
        self.assertFalse(self._actions())
        # A case of this hand-over with an item of another one.
        mixed = self._fill((self.first, {"item": other.item_ids.reference, "outcome": "Voicemail"}))
        self.assertEqual(self._upload(mixed).error_count, 1)
        swapped = self._fill((self.first, {"item": self.handover.item_ids[-1].reference, "outcome": "Voicemail"}))
        record = self._upload(swapped)
        self.assertIn("different customers", record.line_ids.filtered("error").error)

    def test_other_company(self):
        company = self.setup_other_company(name="Moreau Belgique")["company"]
        self.team_user.company_ids += company
        partner = self.env["res.partner"].create({"name": "Belgian Calls"})
        provider = self.env["collection.provider"].create({"partner_id": partner.id, "company_id": company.id})
        invoice = self._create_invoice(amount=70, company=company)
        self._synchronize(company)
        campaign = self._start_campaign(
            name="Belgian", company_id=company.id, member_ids=[Command.set(self.team_user.ids)]
        )
        case = campaign.case_ids
        team_user = self.team_user.with_context(allowed_company_ids=[self.company.id, company.id])
        handover = self._hand_over(
            case.with_context(allowed_company_ids=[company.id]), user=team_user, provider_id=provider.id
        )
        self.assertEqual(handover.company_id, company)
        record = self._upload(self._fill((invoice, {"outcome": "Voicemail"}), handover=handover))
        self.assertEqual((record.error_count, record.ready_count), (1, 0))
        with self.assertRefused("."):
            self.env["collection.provider.import"].with_user(self.collector).create(
                {"handover_id": handover.id, "file": base64.b64encode(b"x")}
            )

    def test_columns(self):
        """Columns are found by other names, can be set by hand, and are remembered."""
        reference = self.handover.line_ids[0].reference
        content = (
            f"Dossier;RÉSULTAT DE L'APPEL;Date d'appel;Remarque du télévendeur\r\n"
            f"{reference.lower()};Messagerie;{self._day(0)};Rappeler\r\n"
        )
        self._load_french()
        content = content.replace("Messagerie", "voicemail").encode("cp1252")
        record = self._upload(content, is_final=False)
        columns = record.column_ids
        self.assertEqual(columns.mapped("target"), ["case", "outcome", "call_date", False])
        self.assertIn("separated by “;”", record.found)
        columns[3].target = "note"
        record.action_read()
        record.action_apply()
        self.assertEqual(self._actions().note, "Rappeler")
        again = self._upload(content.replace(b"Rappeler", b"Rien"), is_final=False)
        self.assertEqual(again.column_ids[3].target, "note")
        with self.assertRefused("can't mean the same"):
            again.column_ids[3].target = "outcome"
        # Somebody says that another column is the note: from then on it is, whatever its name.
        again.column_ids[3].target = False
        again.column_ids[1].target = "note"
        again.action_read()
        again.action_apply()
        last = self._upload(content, is_final=False)
        self.assertEqual(last.column_ids.mapped("target"), ["case", "note", "call_date", False])

    def test_unreadable(self):
        for content, filename in ((b"", "a.csv"), (b"PK\x03\x04broken", "a.xlsx"), (b"A;B\r\n1;2", "b.csv")):
            with self.subTest(filename=filename), self.assertRefused("."):
                self._upload(content or b"\n", filename)

    def test_formats_are_found_and_can_be_changed(self):
        reference = self.handover.item_ids[0].reference
        content = f"Item reference;Promise date;Promised amount\n{reference};04/05/2026;1 000,50\n".encode("utf-16")
        record = self._upload(content)
        line = record.line_ids
        self.assertEqual(line.answer["promise_date"], "2026-05-04")
        self.assertIn("UTF-16", record.found)
        self.assertIn("1,000.50", line.error)
        record.file_date_order = "mdy"
        record.action_read()
        self.assertEqual(record.line_ids.answer["promise_date"], "2026-04-05")

    def test_closed_case(self):
        self.campaign.action_close()
        record = self._upload(self._fill((self.first, {"outcome": "Voicemail"})))
        self.assertIn("case is closed", record.line_ids.filtered(lambda line: line.state == "ready").warning)
        record.action_apply()
        self.assertRecordValues(self._actions(), [{"case_id": False, "debtor_id": self.case.debtor_id.id}])

    def test_kept_for_good(self):
        record = self._take_back((self.first, {"outcome": "Voicemail"}))
        with self.assertRefused("stays on file"):
            record.unlink()
        with self.assertRefused("on its own"):
            record.file = base64.b64encode(b"other")
        with self.assertRefused("."):
            record.action_apply()
        with self.assertRefused("."):
            record.state = "preview"
        draft = self._upload(self._fill())
        draft.unlink()

    def test_in_the_background(self):
        answers = (
            (self.first, {"outcome": "Voicemail", "call_date": self._day(0)}),
            (self.other_invoice, {"promise_date": self._day(3)}),
        )
        cron = self.env.ref("account_collection.cron_take_back")
        with patch.object(collection_provider_import, "DIRECT_SIZE", 10):
            record = self._upload(self._fill(*answers))
        self.assertEqual(record.state, "reading")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.env.invalidate_all()
        self.assertRecordValues(record, [{"state": "preview", "ready_count": 2, "row_total": 3}])
        with patch.object(collection_provider_import, "DIRECT_ROWS", 1):
            record.action_apply()
        self.assertEqual(record.state, "applying")
        self.assertFalse(self._actions())
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.env.invalidate_all()
        self.assertRecordValues(record, [{"state": "done", "applied_count": 2, "progress": 100}])
        self.assertEqual(self._actions().user_id, self.team_user)

    def test_trouble_in_the_background(self):
        """What concerns the whole file is told on it, and the scheduled action goes on with the next one."""
        with patch.object(collection_provider_import, "DIRECT_SIZE", 10):
            record = self._upload(self._fill((self.first, {"outcome": "Voicemail"})))
        record.sudo().column_ids.target = False
        with self.enter_registry_test_mode():
            self.env.ref("account_collection.cron_take_back").method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(record.state, "draft")
        self.assertIn("No column holds our references", record.problem)

    def test_crash_in_the_middle(self):
        """A server that stops loses nothing, and what was done is not done again."""
        record = self._upload(
            self._fill(
                (self.first, {"outcome": "Voicemail"}),
                (self.other_invoice, {"outcome": "Voicemail"}),
            ),
            is_final=False,
        )
        record._set_state("applying", user_id=self.team_user.id)
        with patch.object(collection_provider_import, "APPLY_BATCH", 1):
            rows = record._as_user()._apply_rows()
            next(rows)
        rows.close()
        self.assertEqual(len(self._actions()), 1)
        with self.enter_registry_test_mode():
            self.env.ref("account_collection.cron_take_back").method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(len(self._actions()), 2)
        self.assertRecordValues(record, [{"state": "done", "applied_count": 2}])

    def test_resumes_reading(self):
        with patch.object(collection_provider_import, "READ_BATCH", 1):
            record = self._upload(self._fill((self.first, {"outcome": "Voicemail"})))
            self.assertEqual(record.row_total, 3)
            record.sudo().line_ids[1:].unlink()
            record.sudo().read_row = record.line_ids.number
            for _count in record._read_rows():
                pass
        self.assertEqual(sorted(record.line_ids.mapped("number")), [2, 3, 4])

    def test_rights(self):
        content = self._fill((self.first, {"outcome": "Voicemail"}))
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self._upload(content, user=self.collector)
        record = self._upload(content)
        self.assertFalse(record.with_user(self.collector).has_access("read"))
        self.assertFalse(record.line_ids.with_user(self.manager).has_access("write"))
        with self.assertRefused("by hand"):
            record.user_id = self.manager

    def test_account(self):
        self._take_back(
            (
                self.first,
                {"call_date": self._day(0), "outcome": "Reached the right person", "promise_date": self._day(4)},
            ),
            (
                self.second,
                {"call_date": self._day(0), "outcome": "Reached the right person", "promise_date": self._day(4)},
            ),
            (self.other_invoice, {"call_date": self._day(0), "outcome": "Reached someone else"}),
        )
        self._log_call(self.other_case.debtor_id, user=self.team_user)  # our own call is none of theirs
        self._pay(self.first)
        self._pay(self.second)
        self._synchronize()
        Account = self.env["collection.provider.account"].with_user(self.team_user)
        measures = (
            "call_count:sum",
            "reached_count:sum",
            "right_person_count:sum",
            "promise_count:sum",
            "kept_count:sum",
            "kept_amount:sum",
            "customer_count:count_distinct",
        )
        [(provider, month, *figures)] = Account._read_group([], ["provider_id", "date:month"], measures)
        self.assertEqual((provider, month), (self.provider, date(self.today.year, self.today.month, 1)))
        self.assertEqual(figures, [2, 2, 1, 1, 1, 150, 2])
        self.assertFalse(Account.with_user(self.collector).has_access("read"))

    def test_what_is_promised_can_t_be_promised_again(self):
        """The preview says it, not only the booking."""
        day = self.today + timedelta(days=9)
        self._promise(self.case.debtor_id, case=self.case, user=self.team_user, date=day)
        answers = {"promise_date": self._day(9), "promise_amount": "60"}
        [error] = self._upload(self._fill((self.first, answers))).line_ids.filtered(lambda line: line.state == "error")
        self.assertIn("can still promise", error.error)

    def test_account_without_void_promises(self):
        """What was withdrawn or renegotiated is no promise to pay for, whether written to the database yet or not."""
        answers = {"call_date": self._day(0), "outcome": "Reached the right person", "promise_date": self._day(4)}
        self._take_back((self.first, answers), (self.other_invoice, answers))
        promise, other = self.env["collection.promise"].search([], order="id")
        Account = self.env["collection.provider.account"].with_user(self.team_user)

        def count():
            return Account._read_group([], [], ["call_count:sum", "promise_count:sum", "promise_amount:sum"])[0]

        self.assertEqual(count(), (2, 2, promise.amount + other.amount))
        promise._set_state("replaced")
        self.assertEqual(count(), (2, 1, other.amount))
        other._set_state("cancelled")
        self.assertEqual(count(), (2, 0, 0))

    def test_account_in_the_decimals_of_the_company(self):
        """Money kept in part is what the promise itself shows."""
        self._take_back((self.other_invoice, {"promise_date": self._day(4), "promise_amount": "700"}))
        self._pay(self.other_invoice, 333.33)
        self._synchronize()
        promise = self.env["collection.promise"].search([])
        Account = self.env["collection.provider.account"].with_user(self.team_user)
        [(kept,)] = Account._read_group([("kind", "=", "promise")], [], ["kept_amount:sum"])
        self.assertEqual((kept, promise.company_settled_amount), (333.33, 333.33))


@tagged("post_install", "-at_install")
class TestProviderImportCurrencies(HandoverCommon):
    """Amounts have the decimals of their currency: none in yen, three in Kuwaiti dinar."""

    _fill, _upload = ProviderImportCommon._fill, ProviderImportCommon._upload
    _day = ProviderImportCommon._day

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.yen, cls.dinar = cls.env.ref("base.JPY"), cls.env.ref("base.KWD")
        (cls.yen + cls.dinar).active = True
        cls.in_yen = cls._create_invoice(amount=5000, days_late=40, currency=cls.yen)
        cls.in_dinar = cls._create_invoice(cls.other_customer, amount=12.345, days_late=30, currency=cls.dinar)
        cls._synchronize()
        cls.handover = cls._hand_over(cls.case + cls.other_case)
        cls.titles = cls.env["collection.handover.file"].with_context(lang="en_US")._get_titles()

    def test_promises(self):
        content = self._fill(
            (self.in_yen, {"promise_date": self._day(9), "promise_amount": "1234,00"}),
            (self.in_dinar, {"promise_date": self._day(9), "promise_amount": "1,234"}),
        )
        record = self._upload(content, file_decimal="comma")
        record.action_apply()
        promises = self.env["collection.promise"].search([])
        self.assertEqual(
            {promise.currency_id: promise.amount for promise in promises}, {self.yen: 1234, self.dinar: 1.234}
        )
        self.assertEqual(record.line_ids.filtered("item_id")[0].answer["promise_amount"], "1234")

    def test_disputes(self):
        answers = {"reason": "Pricing error", "call_date": self._day(0)}
        content = self._fill(
            (self.in_dinar, {**answers, "disputed_amount": "0,005"}),
            (self.in_yen, {**answers, "disputed_amount": "0,4"}),
        )
        record = self._upload(content, file_decimal="comma")
        [error] = record.line_ids.filtered(lambda line: line.state == "error")
        self.assertEqual((error.item_id.currency_id, "must be above zero" in error.error), (self.yen, True))
        record.action_apply()
        self.assertEqual(self.env["collection.dispute"].search([]).line_ids.amount, 0.005)
