from odoo.tests import tagged

from odoo.addons.account_collection.tests.provider.test_provider_import import ProviderImportCommon
from odoo.addons.account_collection.tests.receivable.test_receivable_import import TITLES, ReceivableCommon
from odoo.addons.account_collection.tools import tabular

from .common import ExampleCommon


@tagged("post_install", "-at_install")
class TestExampleFiles(ProviderImportCommon, ReceivableCommon, ExampleCommon):
    """Another addon's columns in the files that go out and come in."""

    # == Hand-over ==

    def test_column_that_goes_out(self):
        self.assertNotIn("Framework contract", self._read(self.handover.file_id)[0])
        self.provider.send_example_contract = True
        self.handover.with_user(self.team_user).action_end()
        handover = self._hand_over(self.case + self.other_case)
        rows = self._read(handover.file_id)
        self.assertEqual(
            {(row["Customer"], row["Framework contract"]) for row in rows},
            {("Boulangerie Petit", "K-7"), ("Garage Lemoine", "")},
        )

    # == Import ==

    def test_column_that_comes_back(self):
        record = self._upload(
            self._fill(
                (self.first, {"example_order": "PO-4711"}),
                (self.second, {"example_order": "PO"}),
                (self.other_invoice, {"outcome": "No answer", "call_date": self._day(0), "example_order": "PO-4712"}),
            )
        )
        lines = record.line_ids.sorted("number")
        by_invoice = {line.item_name: line for line in lines}
        self.assertRecordValues(by_invoice[self.first.name], [{"state": "ready", "summary": "Order number: PO-4711."}])
        self.assertIn("too short for an order number", by_invoice[self.second.name].error)
        self.assertIn("Order number: PO-4712.", by_invoice[self.other_invoice.name].summary)
        self.assertIn("no answer", by_invoice[self.other_invoice.name].summary)
        record.action_apply()
        self.env.invalidate_all()
        self.assertEqual((record.applied_count, record.error_count), (2, 1))
        self.assertIn("PO-4711", self.case.debtor_id.message_ids[0].body)
        self.assertIn("PO-4712", " ".join(self.other_case.debtor_id.message_ids.mapped("body")))
        kinds = self.env["collection.provider.statement"].search([("import_id", "=", record.id)]).mapped("kind")
        self.assertEqual(sorted(kinds), ["call", "example_order", "example_order"])

    def test_once_however_often_it_is_sent(self):
        answers = (self.first, {"PO number": "PO-4711", "example_order": "PO-4711"})
        self._take_back(answers, is_final=False)
        record = self._upload(self._fill(answers))
        self.assertEqual((record.ready_count, record.known_count), (0, 1))

    def test_column_of_open_items(self):
        rows = [
            [*self._row("F1", 300.0, customer="Nouveau"), "K-9"],
            [*self._row("F2", 20.0, customer="Autre"), ""],
        ]
        batch = self._import(rows, content=tabular.write_delimited([*TITLES, "N° contrat"], rows))
        self.assertEqual(
            batch.column_ids.filtered(lambda column: column.meaning == "example_contract").title, "N° contrat"
        )
        partners = batch.line_ids.partner_id
        self.assertEqual(
            {partner.name: partner.example_contract for partner in partners}, {"Nouveau": "K-9", "Autre": False}
        )
