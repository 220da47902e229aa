import base64
import collections
import io
import pathlib
from datetime import date, timedelta

from openpyxl import load_workbook

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from ...models.receivable import collection_receivable_batch, collection_receivable_booking
from ...tools import tabular
from ..common import CollectionCommon
from ..plan_common import PlanCommon

TITLES = [
    "Client",
    "Code client",
    "N° TVA",
    "N° facture",
    "Date facture",
    "Échéance",
    "Montant TTC",
    "Reste dû",
    "Devise",
]


class ReceivableCommon(CollectionCommon):
    """Somebody who may book, a transit account, and short ways to make a list of open items."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.transit = cls.env["account.account"].create(
            {"name": "Transit", "code": "471900", "account_type": "asset_current"}
        )
        cls.bookkeeper = cls._create_user(
            "bookkeeper",
            "account_collection.group_collection_manager,account.group_account_manager,base.group_partner_manager",
        )

    # === HELPERS === #

    @staticmethod
    def _row(number, remaining, customer="Boulangerie Petit", due=date(2026, 2, 1), **values):
        return [
            customer,
            values.get("reference", ""),
            values.get("vat", ""),
            number,
            values.get("invoice_date", date(2026, 1, 2)),
            due,
            values.get("original", remaining),
            remaining,
            values.get("currency", ""),
        ]

    def _import(self, rows, preview=False, user=None, **values):
        content = values.pop("content", None) or tabular.write_delimited(TITLES, rows)
        batch = (
            self.env["collection.receivable.batch"]
            .with_user(user or self.bookkeeper)
            .create(
                {
                    "file": base64.b64encode(content),
                    "file_name": "open items.csv",
                    "transit_account_id": self.transit.id,
                    **values,
                }
            )
        )
        batch.action_preview()
        if not preview:
            batch.action_apply()
            self.assertEqual(batch.state, "done")
        return batch


@tagged("post_install", "-at_install")
class TestReceivableImport(ReceivableCommon):
    def _get_kinds(self, batch):
        return {(line.number, line.kind) for line in batch.line_ids}

    def _get_open_items(self, partner=None):
        return self._get_debtor(partner).open_item_ids

    # === TESTS === #

    def test_items_become_debts(self):
        self._import([self._row("F1", 300.0), self._row("F2", 200.0, due=date(2026, 5, 1))])
        debtor = self._get_debtor()
        self.assertEqual((debtor.due_amount, debtor.overdue_amount, debtor.claimable_amount), (500, 300, 300))
        self.assertEqual(debtor.oldest_due_date, date(2026, 2, 1))
        self.assertGreater(debtor.score, 0)
        item = debtor.open_item_ids[0]
        self.assertEqual(item._get_collection_name(), "F1")
        self.assertEqual(item.move_id.invoice_date, date(2026, 1, 2))
        self.assertEqual(item.date, date(2026, 1, 2))
        self.assertFalse(item.no_followup)

    def test_neither_sales_nor_vat_nor_bank(self):
        self._import([self._row("F1", 300.0), self._row("F2", 100.0)])
        batch = self._import([self._row("F1", 120.0)])
        lines = self.env["account.move.line"].search(
            [("journal_id", "in", (batch.journal_id + batch.settlement_journal_id).ids)]
        )
        self.assertEqual(set(lines.account_id.mapped("account_type")), {"asset_receivable", "asset_current"})
        self.assertFalse(lines.tax_ids | lines.tax_line_id)
        self.assertEqual(sum(lines.filtered(lambda line: line.account_id == self.transit).mapped("balance")), -120)

    def test_next_list_updates_the_debts(self):
        self._import([self._row("F1", 300.0), self._row("F2", 200.0), self._row("F3", 50.0)])
        batch = self._import([self._row("F1", 120.0), self._row("F3", 60.0), self._row("F4", 10.0)])
        self.assertEqual(self._get_kinds(batch), {("F1", "changed"), ("F2", "paid"), ("F3", "changed"), ("F4", "new")})
        debtor = self._get_debtor()
        self.assertEqual(debtor.due_amount, 190)
        self.assertEqual(debtor.last_payment_date, self.today)
        # Again: an item in two entries is still one item.
        batch = self._import([self._row("F3", 60.0), self._row("F1", 120.0), self._row("F4", 10.0)])
        self.assertEqual({line.kind for line in batch.line_ids}, {"unchanged"})
        self._import([self._row("F3", 25.0)])
        self.assertEqual(self._get_debtor().due_amount, 25)

    def test_same_file_twice_changes_nothing(self):
        rows = [self._row("F1", 300.0), self._row("F2", 200.0)]
        self._import(rows)
        lines = self.env["account.move.line"].search_count([])
        batch = self._import(rows, preview=True)
        self.assertEqual((batch.new_count, batch.changed_count, batch.paid_count, batch.unchanged_count), (0, 0, 0, 2))
        self.assertIn("booked", batch.alert)
        batch.action_apply()
        self.assertEqual(self.env["account.move.line"].search_count([]), lines)

    def test_promise_is_kept_by_what_is_paid_elsewhere(self):
        self._import([self._row("F1", 300.0), self._row("F2", 200.0)])
        debtor = self._get_debtor()
        case = self._start_campaign().case_ids.filtered(lambda case: case.partner_id == self.customer)
        promise = self._promise(debtor, date=self._days(3))
        self.assertEqual(promise.amount, 500)
        self._import([self._row("F2", 200.0)])
        self.assertEqual((promise.state, promise.settled_amount), ("open", 300))
        self._import([], content=tabular.write_delimited(TITLES, [self._row("X1", 5.0, "Garage Lemoine")]))
        self.assertEqual(promise.state, "kept")
        self.assertEqual(case.collected_amount, 500)
        self.assertEqual(case.state, "closed")

    def test_credits_used_up_are_no_payment(self):
        self._import([self._row("F1", 300.0), self._row("A1", -50.0)])
        debtor = self._get_debtor()
        self.assertEqual((debtor.due_amount, debtor.credit_amount), (300, 50))
        promise = self._promise(debtor, date=self._days(3))
        self._import([self._row("F1", 200.0)])
        debtor = self._get_debtor()
        self.assertEqual((debtor.due_amount, debtor.credit_amount), (200, 0))
        # 100 less: 50 by the credit note, 50 in money.
        self.assertEqual(promise.settled_amount, 50)

    def test_a_customer_is_booked_as_one(self):
        """However few rows go at a time, what a credit paid for is no money."""
        self._import([self._row("F1", 300.0), self._row("A1", -50.0)])
        promise = self._promise(self._get_debtor(), date=self._days(3))
        book = type(self.env["collection.receivable.batch"])._book_some
        self.patch(type(self.env["collection.receivable.batch"]), "_book_some", lambda batch: book(batch, limit=1))
        self._import([self._row("F1", 200.0)])
        self.assertEqual(promise.settled_amount, 50)

    def test_invoice_and_credit_of_one_number(self):
        batch = self._import([self._row("F1", 100.0), self._row("F1", -30.0)])
        self.assertEqual(set(batch.line_ids.mapped("kind")), {"new"})
        debtor = self._get_debtor()
        self.assertEqual((debtor.due_amount, debtor.credit_amount), (100, 30))

    def test_amounts_below_one(self):
        self._import([self._row("F1", 0.5), self._row("A1", -0.4), self._row("F2", 100.0)])
        batch = self._import([self._row("F1", 0.3), self._row("A1", -0.4), self._row("F2", 100.0)])
        self.assertEqual(
            {(line.number, line.kind, line.difference) for line in batch.line_ids},
            {("F1", "changed", -0.2), ("A1", "unchanged", 0), ("F2", "unchanged", 0)},
        )
        self.assertEqual(self._get_debtor().due_amount, 100.3)

    def test_entries_made_by_hand_are_none_of_the_list(self):
        """What somebody books in the journal of the list is not paid by the next list."""
        batch = self._import([self._row("F1", 300.0)])
        account = self.customer.property_account_receivable_id
        move = self.env["account.move"].create(
            {
                "move_type": "entry",
                "journal_id": batch.journal_id.id,
                "date": self.today,
                "ref": "By hand",
                "line_ids": [
                    Command.create({"account_id": account.id, "partner_id": self.customer.id, "debit": 80}),
                    Command.create({"account_id": self.transit.id, "credit": 80}),
                ],
            }
        )
        move.action_post()
        batch = self._import([self._row("F1", 300.0)])
        self.assertEqual(self._get_kinds(batch), {("F1", "unchanged")})
        self.assertEqual(self._get_items(move).amount_residual, 80)

    def test_paid_between_preview_and_booking(self):
        """Booked is what is missing then, not what was missing when somebody looked."""
        self._import([self._row("F1", 300.0)])
        batch = self._import([self._row("F1", 200.0)], preview=True)
        self.assertEqual(batch.line_ids.difference, -100)
        payment = self._pay_on_account(amount=100)
        (self._get_open_items().filtered("ref") + self._get_items(payment.move_id)).reconcile()
        batch.action_apply()
        self.assertEqual(self._get_kinds(batch), {("F1", "unchanged")})
        self.assertEqual(self._get_debtor().due_amount, 200)

    def test_instalments_and_moved_due_dates(self):
        self._import([self._row("F1", 100.0, due=date(2026, 2, 1)), self._row("F1", 100.0, due=date(2026, 3, 1))])
        batch = self._import(
            [self._row("F1", 100.0, due=date(2026, 3, 1)), self._row("F1", 100.0, due=date(2026, 4, 1))]
        )
        self.assertEqual({(line.kind, line.difference) for line in batch.line_ids}, {("changed", 0), ("unchanged", 0)})
        self.assertEqual(sorted(self._get_open_items().mapped("date_maturity")), [date(2026, 3, 1), date(2026, 4, 1)])
        batch.action_undo()
        self.assertEqual(sorted(self._get_open_items().mapped("date_maturity")), [date(2026, 2, 1), date(2026, 3, 1)])

    def test_customers_are_found(self):
        make = self._create_customer
        by_vat = make("One", vat="FR 23 334 175 221")
        by_siren = make("Two", company_registry="73282932000074")
        by_ref = make("Three", ref="C-3")
        by_name = make("Société Générale d'Échafaudage")
        rows = [
            self._row("F1", 10.0, "Other name", vat="fr23334175221"),
            self._row("F3", 10.0, "", reference="c-3"),
            self._row("F4", 10.0, "SOCIETE GENERALE D ECHAFAUDAGE"),
            self._row("F5", 10.0, "Nobody yet", reference="N-1"),
            self._row("F6", 10.0, "Nobody yet", reference="N-1"),
        ]
        content = tabular.write_delimited(
            [*TITLES, "SIREN"], [[*row, ""] for row in rows] + [[*self._row("F2", 10.0, "x"), "732 829 320"]]
        )
        batch = self._import([], content=content)
        found = {line.number: line.partner_id for line in batch.line_ids}
        self.assertEqual([found[name] for name in ("F1", "F2", "F3", "F4")], [by_vat, by_siren, by_ref, by_name])
        self.assertEqual(found["F5"], found["F6"])
        self.assertEqual((found["F5"].name, found["F5"].ref, found["F5"].is_company), ("Nobody yet", "N-1", True))
        self.assertEqual(batch.new_customer_count, 1)

    def test_ambiguous_customer_is_an_error(self):
        self._create_customer("Boulangerie Petit")
        batch = self._import([self._row("F1", 10.0), self._row("F2", 5.0, "Garage Lemoine")])
        line = batch.line_ids.filtered(lambda line: line.number == "F1")
        self.assertEqual(line.kind, "error")
        self.assertIn("2 customers", line.message)
        self.assertEqual(batch.state, "done")

    def test_names_are_compared_as_people_read_them(self):
        names = {
            "Straßenbau Łódź": "STRASSENBAU  ŁÓDŹ",
            "Ёлка и Ко": "ёлка и ко",
            "L'Œil & l'Âme (SARL)": "l œil l ame sarl",
            "Établissements N°5": "ETABLISSEMENTS N 5",
        }
        partners = [self._create_customer(name) for name in names]
        batch = self._import(
            [self._row(f"F{number}", 10.0, name) for number, name in enumerate(names.values())], preview=True
        )
        self.assertEqual(batch.line_ids.sorted("number").mapped("partner_id").ids, [partner.id for partner in partners])
        self.assertEqual(set(batch.line_ids.mapped("found_by")), {"name"})

    def test_archived_customer_is_found_with_a_warning(self):
        """Nobody gets a second file because the first one was archived."""
        archived = self._create_customer("Café Ancien", active=False)
        by_ref = self._create_customer("Renamed since", ref="R-9", active=False)
        namesake = self._create_customer("Boulangerie Petit", active=False)
        count = self.env["res.partner"].with_context(active_test=False).search_count([])
        batch = self._import(
            [
                self._row("F1", 10.0, "CAFE ANCIEN"),
                self._row("F2", 20.0, "Old name", reference="r-9"),
                self._row("F3", 30.0),
            ]
        )
        lines = {line.number: line for line in batch.line_ids}
        self.assertEqual((lines["F1"].partner_id, lines["F1"].found_by), (archived, "name"))
        self.assertEqual((lines["F2"].partner_id, lines["F2"].found_by), (by_ref, "reference"))
        self.assertEqual(lines["F3"].partner_id, self.customer, "the one that is not archived")
        self.assertNotEqual(lines["F3"].partner_id, namesake)
        self.assertEqual([lines[number].has_warning for number in ("F1", "F2", "F3")], [True, True, False])
        self.assertIn("archived", lines["F1"].message)
        self.assertEqual(batch.warning_count, 2)
        self.assertEqual(self.env["res.partner"].with_context(active_test=False).search_count([]), count)
        self.assertEqual(self._get_debtor(archived).due_amount, 10)

    def test_another_vat_number_is_another_customer(self):
        """Equal names don't make one customer of two companies."""
        first = self._create_customer("Dupont", vat="FR23334175221")
        self._create_customer("Dupont", vat="FR83404833048")
        batch = self._import(
            [
                self._row("F1", 10.0, "Dupont", vat="FR40303265045"),
                self._row("F2", 20.0, "Dupont", vat="FR23334175221"),
                self._row("F3", 30.0, "Dupont"),
            ],
            preview=True,
        )
        found = {line.number: (line.kind, line.found_by, line.partner_id) for line in batch.line_ids}
        self.assertEqual(found["F1"], ("new", "made", self.env["res.partner"]))
        self.assertEqual(found["F2"], ("new", "vat", first))
        self.assertEqual(found["F3"][0], "error")

    def test_customer_of_another_company_is_not_found(self):
        other = (
            self.company_data_2["company"]
            if hasattr(self, "company_data_2")
            else self.env["res.company"].create({"name": "Other"})
        )
        theirs = self._create_customer("Only theirs", ref="T-1", company_id=other.id)
        batch = self._import([self._row("F1", 10.0, "Only theirs", reference="T-1")])
        self.assertNotEqual(batch.line_ids.partner_id, theirs)
        self.assertEqual(batch.line_ids.found_by, "made")

    def test_errors_name_row_and_reason(self):
        rows = [
            self._row("F1", 10.0),
            self._row("", 10.0),
            self._row("F3", "abc"),
            self._row("F4", 10.0, due="31/02/2026"),
            self._row("F5", 10.0, currency="XXX"),
            self._row("F1", 10.0),
            self._row("F7", 10.0, ""),
            ["Total", "", "", "", "", "", 60.0, 60.0, ""],
            self._row("F9", 0.0),
        ]
        batch = self._import(rows, preview=True)
        found = {line.row: (line.kind, line.message) for line in batch.line_ids}
        for row, kind, words in (
            (2, "new", ""),
            (3, "error", "number"),
            (4, "error", "abc"),
            (5, "error", "31/02/2026"),
            (6, "error", "XXX"),
            (7, "error", "row 2"),
            (8, "error", "customer"),
            (9, "ignored", "total"),
            (10, "ignored", "Nothing"),
        ):
            with self.subTest(row=row):
                self.assertEqual(found[row][0], kind)
                self.assertIn(words, found[row][1] or "")
        self.assertEqual(batch.line_ids[0].kind, "error", "what needs a look comes first")

    def test_rows_in_error_are_not_paid(self):
        self._import([self._row("F1", 300.0), self._row("F2", 200.0)])
        batch = self._import([self._row("F1", "300 euros ?")])
        self.assertEqual(self._get_kinds(batch), {("F1", "error"), ("F2", "paid")})
        self.assertEqual(self._get_debtor().due_amount, 300)
        batch = self._import([self._row("", 300.0)], preview=True)
        self.assertTrue(batch.keeps_missing)
        self.assertFalse(batch.paid_count)

    def test_list_that_only_adds(self):
        self._import([self._row("F1", 300.0)])
        self._import([self._row("F2", 200.0)], is_complete=False)
        self.assertEqual(self._get_debtor().due_amount, 500)

    def test_undo(self):
        self._import([self._row("F1", 300.0), self._row("F2", 200.0), self._row("A1", -20.0)])
        before = self._get_debtor().due_amount
        batch = self._import([self._row("F1", 120.0), self._row("F3", 70.0)])
        self.assertEqual(self._get_debtor().due_amount, 190)
        batch.action_undo()
        self.assertEqual(batch.state, "undone")
        debtor = self._get_debtor()
        self.assertEqual((debtor.due_amount, debtor.credit_amount), (before, 20))
        balance = sum(self.env["account.move.line"].search([("account_id", "=", self.transit.id)]).mapped("balance"))
        self.assertEqual(balance, -480)
        # The same list can come again.
        self._import([self._row("F1", 120.0), self._row("F3", 70.0)])
        self.assertEqual(self._get_debtor().due_amount, 190)

    def test_undo_is_refused_when_something_depends_on_it(self):
        first = self._import([self._row("F1", 300.0)])
        second = self._import([self._row("F1", 300.0), self._row("F2", 20.0)])
        with self.assertRefused("booked later"):
            first.action_undo()
        promise = self._promise(self._get_debtor(), date=self._days(3))
        with self.assertRefused("promise"):
            second.action_undo()
        promise.action_cancel()
        item = self._get_open_items().filtered(lambda item: item.ref == "F2")
        payment = self._pay_on_account(amount=20)
        (item + self._get_items(payment.move_id)).reconcile()
        with self.assertRefused("set against"):
            second.action_undo()

    def test_money_received_here_too(self):
        self._import([self._row("F1", 300.0)])
        payment = self._pay_on_account(amount=100)
        (self._get_open_items().filtered("ref") + self._get_items(payment.move_id)).reconcile()
        batch = self._import([self._row("F1", 200.0)])
        self.assertEqual({line.kind for line in batch.line_ids}, {"unchanged"})

    def test_foreign_currency_without_exchange_difference(self):
        dollar = self.env.ref("base.USD")
        dollar.active = True
        for day, rate in (("2026-01-01", 1.25), ("2026-03-01", 1.6)):
            self.env["res.currency.rate"].create(
                {"currency_id": dollar.id, "name": day, "rate": rate, "company_id": self.company.id}
            )
        self._import([self._row("F1", 100.0, currency="USD"), self._row("F2", 50.0)])
        item = self._get_open_items().filtered(lambda item: item.ref == "F1")
        self.assertEqual((item.amount_residual_currency, item.amount_residual), (100, 80))
        self._import([self._row("F1", 33.33, currency="usd"), self._row("F2", 50.0)])
        self.assertEqual((item.amount_residual_currency, item.amount_residual), (33.33, 26.66))
        self._import([self._row("F2", 50.0)])
        self.assertTrue(item.reconciled)
        self.assertFalse(item.amount_residual)
        self.assertFalse(
            self.env["account.move"].search([("journal_id", "=", self.company.currency_exchange_journal_id.id)])
        )

    def test_older_list_is_refused(self):
        self._import([self._row("F1", 300.0)])
        batch = self._import([self._row("F1", 400.0)], preview=True, date=self.today - timedelta(days=7))
        with self.assertRefused("older"):
            batch.action_apply()

    def test_closed_periods_are_respected(self):
        self.company.fiscalyear_lock_date = date(2026, 1, 31)
        self._import([self._row("F1", 300.0)])
        item = self._get_open_items()
        self.assertEqual((item.date, item.move_id.invoice_date), (date(2026, 2, 1), date(2026, 1, 2)))

    def test_columns_are_asked_for_and_remembered(self):
        content = tabular.write_delimited(
            ["Qui", "Quoi", "Quand", "Combien"], [["Garage Lemoine", "F1", "01/02/2026", 10.0]]
        )
        batch = self._import([], content=content, preview=True)
        self.assertEqual(batch.state, "draft")
        self.assertIn("Invoice number", batch.problem)
        for column, meaning in zip(batch.column_ids, ("customer", "number", "due_date", "remaining"), strict=True):
            column.meaning = meaning
        batch.file_date_order = "mdy"
        batch.action_preview()
        self.assertFalse(batch.problem)
        self.assertEqual(batch.line_ids.due_date, date(2026, 1, 2))
        batch.action_apply()
        self.assertEqual(self._get_debtor(self.other_customer).due_amount, 10)
        again = self._import([], content=content, preview=True)
        self.assertEqual(again.column_ids.mapped("meaning"), ["customer", "number", "due_date", "remaining"])
        self.assertEqual(again.file_date_order, "mdy")
        self.assertEqual(again.unchanged_count, 1)

    def test_workbooks(self):
        """The same list out of LibreOffice, as .xlsx and .xls: names above it, a formula, a total below it."""
        files = pathlib.Path(tabular.__file__).parents[1] / "tests" / "files"
        for name, kinds in (
            ("libreoffice.xls", {"new": 3, "ignored": 1}),
            ("libreoffice.xlsx", {"unchanged": 3, "ignored": 1}),
        ):
            with self.subTest(name=name):
                batch = self._import([], content=(files / name).read_bytes(), file_name=name)
                found = {line.number: line for line in batch.line_ids}
                self.assertEqual(collections.Counter(batch.line_ids.mapped("kind")), kinds)
                self.assertEqual(
                    [found[number].remaining for number in ("F-001", "F-002", "00042")], [1200.5, 500, -250.25]
                )
                self.assertEqual(found["F-002"].customer, "=cmd|' /C calc'!A0")
                self.assertEqual(found["00042"].due_date, date(2026, 2, 28))
                self.assertEqual(found["00042"].customer, "Été SARL")

    def test_reminder_names_the_invoice_kept_elsewhere(self):
        self._import([self._row("F1", 300.0)])
        form = Form(
            self.env["collection.reminder.send"]
            .with_user(self.collector)
            .with_context(default_debtor_id=self._get_debtor().id)
        )
        self.assertIn("F1", form.body)
        form.save().action_send()
        [action] = self._get_debtor().action_ids.filtered(lambda action: action.state == "done")
        self.assertEqual((action.channel, action.amount), ("email", 300))

    def test_unreadable_file(self):
        for content, words in ((b"%PDF-1.7 ...", "PDF"), (b"\n\n", "empty")):
            with self.subTest(words=words), self.assertRefused(words):
                self._import([], content=content)

    def test_big_import_goes_on_in_the_background(self):
        self.patch(type(self.env["collection.receivable.batch"]), "_book_some", self._book_two())
        rows = [self._row(f"F{number}", 10.0, f"Customer {number % 4}") for number in range(12)]
        self.patch(collection_receivable_batch, "AT_ONCE", 5)
        self.patch(collection_receivable_booking, "AT_ONCE", 5)
        batch = self._import(rows, preview=True)
        batch.action_apply()
        self.assertEqual(batch.state, "applying")
        with self.assertRefused("being booked"):
            self._import(rows, journal_id=batch.journal_id.id)
        with self.enter_registry_test_mode():
            self.env.ref("account_collection.cron_receivables").method_direct_trigger()
        batch.invalidate_recordset()
        self.assertEqual(batch.state, "done")
        self.assertEqual(len(batch.sudo().move_ids), 12)
        self.assertEqual(len(batch.line_ids.partner_id), 4)
        self.assertEqual(batch.sudo().move_ids.create_uid, self.bookkeeper)
        batch.action_undo()
        with self.enter_registry_test_mode():
            self.env.ref("account_collection.cron_receivables").method_direct_trigger()
        batch.invalidate_recordset()
        self.assertEqual(batch.state, "undone")

    def _book_two(self):
        original = type(self.env["collection.receivable.batch"])._book_some

        def book(batch, limit=2):
            return original(batch, limit=2)

        return book

    def test_one_customer_in_error_stops_nobody_else(self):
        batch = self._import([self._row("F1", 300.0), self._row("F2", 20.0, "Garage Lemoine")], preview=True)
        prepare = type(batch.line_ids)._prepare_opening_entry

        message = "This account is closed."

        def refuse(line):
            if line.number == "F2":
                raise UserError(message)
            return prepare(line)

        self.patch(type(batch.line_ids), "_prepare_opening_entry", refuse)
        batch.action_apply()
        kinds = dict(self._get_kinds(batch))
        self.assertEqual(kinds, {"F1": "new", "F2": "error"})
        self.assertEqual(batch.line_ids.filtered(lambda line: line.number == "F2").message, message)
        self.assertEqual(self._get_debtor().due_amount, 300)

    def _run_in_background(self, batch):
        with self.enter_registry_test_mode():
            self.env.ref("account_collection.cron_receivables").method_direct_trigger()
        batch.invalidate_recordset()

    def test_undoing_that_fails_frees_the_journal(self):
        """What can't be undone is said, blocks no later list, and is undone once the cause is gone."""
        Batch = type(self.env["collection.receivable.batch"])
        undo, reverse = Batch._undo_some, type(self.env["account.move"])._reverse_moves
        self.patch(collection_receivable_batch, "AT_ONCE", 1)
        self.patch(collection_receivable_booking, "AT_ONCE", 1)
        self.patch(Batch, "_undo_some", lambda batch: undo(batch, limit=1))
        batch = self._import([self._row("F1", 300.0), self._row("F2", 20.0), self._row("F3", 10.0)], preview=True)
        batch.action_apply()
        self._run_in_background(batch)
        self.assertEqual(batch.state, "done")
        message = "The period is closed for good."

        def refuse(moves, *args, **kwargs):
            if "F2" in moves.mapped("ref"):
                raise UserError(message)
            return reverse(moves, *args, **kwargs)

        self.patch(type(self.env["account.move"]), "_reverse_moves", refuse)
        batch.action_undo()
        self.assertEqual(batch.state, "undoing")
        self._run_in_background(batch)
        self.assertEqual((batch.state, batch.problem), ("done", message))
        self.assertEqual(self._get_debtor().due_amount, 320, "F3 was undone before")
        # Neither the journal nor the import itself is blocked.
        batch._lock_source()
        self._import([self._row("F1", 300.0)], journal_id=batch.journal_id.id, preview=True)._lock_source()
        self.patch(type(self.env["account.move"]), "_reverse_moves", reverse)
        batch.action_undo()
        self._run_in_background(batch)
        self.assertEqual((batch.state, batch.problem), ("undone", False))
        self.assertFalse(self._get_debtor().due_amount)

    def test_booking_that_may_not_go_on_frees_the_journal(self):
        self.patch(collection_receivable_batch, "AT_ONCE", 1)
        self.patch(collection_receivable_booking, "AT_ONCE", 1)
        batch = self._import([self._row("F1", 300.0), self._row("F2", 20.0)], preview=True)
        batch.action_apply()
        self.assertEqual(batch.state, "applying")
        self.bookkeeper.group_ids -= self.env.ref("account_collection.group_collection_manager")
        self._run_in_background(batch)
        batch = batch.with_env(self.env)
        self.assertEqual(batch.state, "done")
        self.assertTrue(batch.problem)
        self.assertEqual(set(batch.line_ids.mapped("kind")), {"error"})
        self.assertEqual(set(batch.line_ids.mapped("message")), {batch.problem})

    # === RIGHTS === #

    def test_rights(self):
        rows = [self._row("F1", 300.0)]
        for user in (self.collector, self.team_user):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self._import(rows, user=user, preview=True)
        batch = self._import(rows, user=self.manager, preview=True)
        self.assertEqual(batch.new_count, 1)
        with self.assertRefused("right on accounting"):
            batch.with_user(self.manager).action_apply()
        with self.assertRefused("follow"):
            batch.with_user(self.manager).state = "done"
        clerk = self._create_user(
            "clerk",
            "account_collection.group_collection_manager,account.group_account_invoice,base.group_partner_manager",
        )
        with self.assertRefused("administrator"):
            self._import(rows, user=clerk)
        self._import(rows)
        self._import([self._row("F1", 100.0)], user=clerk)
        self.assertEqual(self._get_debtor().due_amount, 100)

    def test_what_is_booked_stays(self):
        batch = self._import([self._row("F1", 300.0)])
        with self.assertRefused("Undo"):
            batch.unlink()
        with self.assertRefused("is booked"):
            batch.date = self.today - timedelta(days=1)

    def test_queries_do_not_grow_with_the_rows(self):
        def count(size):
            rows = [
                self._row(f"F{number}", 10.0, f"Customer {number}", reference=f"R{number}") for number in range(size)
            ]
            batch = self._import(rows, preview=True)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            batch._find_customers(
                [{"kind": "new", "vat": "", "registry": "", "reference": row[1], "customer": row[0]} for row in rows]
            )
            return self.env.cr.sql_log_count - before

        count(3)  # fills the caches
        self.assertEqual(count(5), count(60))


@tagged("post_install", "-at_install")
class TestImportedNames(ReceivableCommon, PlanCommon):
    """An invoice that is kept elsewhere has the number that its customer knows, wherever it is named."""

    def setUp(self):
        super().setUp()
        self.batch = self._import([self._row("FA-77", 300.0, due=date(2026, 3, 7))])
        self.debtor = self._get_debtor()
        self.item = self.debtor.open_item_ids

    def assertNamed(self, text):
        self.assertIn("FA-77", text)
        self.assertNotIn(self.item.move_id.name, text)

    def test_why(self):
        action = self.debtor.with_user(self.team_user).action_why()
        why = self.env["collection.debtor.why"].with_user(self.team_user).browse(action["res_id"])
        self.assertNamed(str(why.facts))

    def test_simulation(self):
        action = self.env["collection.plan.simulation"].with_user(self.manager)._open_result()
        lines = self.env["collection.plan.simulation"].with_user(self.manager).browse(action["res_id"]).line_ids
        self.assertEqual(set(lines.mapped("item_name")), {"FA-77"})

    def test_pause(self):
        move = self.item.move_id
        pause = self.env["collection.pause.set"].with_user(self.collector)
        pause.create({"debtor_id": self.debtor.id, "move_ids": move.ids, "reason": "Goodwill"}).action_confirm()
        self.assertNamed(self.debtor.message_ids[0].body)
        self.assertEqual((self.item.no_followup, self.debtor.claimable_amount), (True, 0))
        self.env["collection.pause"]._get_running(move)._end()
        self.assertNamed(self.debtor.message_ids[0].body)
        self.assertFalse(self.item.no_followup)
        self.item.no_followup = True
        with self.assertRefused("FA-77 is not followed up"):
            pause.create({"debtor_id": self.debtor.id, "move_ids": move.ids, "reason": "Again"}).action_confirm()

    def test_undoing_names_what_is_in_the_way(self):
        payment = self._pay_on_account(amount=20)
        (self.item + self._get_items(payment.move_id)).reconcile()
        with self.assertRefused("set against FA-77 since"):
            self.batch.action_undo()

    def test_handed_over(self):
        campaign = self._start_campaign()
        provider = self.env["collection.provider"].create(
            {"partner_id": self.env["res.partner"].create({"name": "Phone House", "is_company": True}).id}
        )
        action = campaign.case_ids.action_hand_over()
        wizard = campaign.env["collection.handover.create"].browse(action["res_id"])
        wizard.provider_id = provider
        handover = self.env["collection.handover"].browse(wizard.action_confirm()["res_id"])
        self.assertEqual(handover.item_ids.name, "FA-77")
        sheet = load_workbook(io.BytesIO(handover.file_id.raw)).worksheets[0]
        self.assertIn("FA-77", [cell.value for cell in sheet[2]])
