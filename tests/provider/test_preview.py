import base64

from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import tagged

from .test_provider_import import ProviderImportCommon


@tagged("post_install", "-at_install")
class TestPreview(ProviderImportCommon):
    """What is taken back is what was previewed: another file, hand-over, option or column asks for a new preview."""

    def _rpc(self, record, method, *arguments, user=None):
        model = self.env[record._name].with_user(user or self.team_user)
        result = call_kw(model, method, [record.ids, *arguments], {})
        self.env.invalidate_all()
        return result

    def _preview(self, outcome="Voicemail"):
        return self._upload(self._fill((self.first, {"outcome": outcome})), is_final=False)

    def _assert_new_preview_needed(self, record):
        self.assertEqual(record.state, "draft")
        self.assertFalse(record.line_ids)
        with self.assertRefused("Look at"):
            self._rpc(record, "action_apply")
        self.assertFalse(self._actions())

    def test_another_file(self):
        record = self._preview()
        other = base64.b64encode(self._fill((self.first, {"outcome": "Wrong number"})))
        self._rpc(record, "write", {"file": other.decode()})
        self._assert_new_preview_needed(record)
        self._rpc(record, "action_read")
        self._rpc(record, "action_apply")
        self.assertEqual(self._actions().mapped("outcome"), ["wrong_number"])

    def test_another_handover(self):
        record = self._preview()
        other = self.handover.sudo().create(
            {
                "provider_id": self.env["collection.provider"]
                .create({"partner_id": self.other_customer.create({"name": "Caller Two"}).id})
                .id,
                "date_start": self.today,
                "date_end": self._days(30),
                "purpose": "x",
                "lang": "en_US",
            }
        )
        self._rpc(record, "write", {"handover_id": other.id})
        self._assert_new_preview_needed(record)

    def test_another_option_or_column(self):
        for name, value in {"file_decimal": "comma", "file_date_order": "mdy", "file_header_row": 1}.items():
            record = self._preview()
            with self.subTest(option=name):
                self._rpc(record, "write", {name: value})
                self._assert_new_preview_needed(record)
        record = self._preview()
        column = record.column_ids.filtered(lambda column: column.target == "outcome")
        self._rpc(column, "write", {"target": False})
        self._assert_new_preview_needed(record)
        record = self._preview()
        column = record.column_ids.filtered(lambda column: column.target == "outcome")
        self._rpc(record, "write", {"column_ids": [Command.update(column.id, {"target": False})]})
        self._assert_new_preview_needed(record)
        record = self._preview()
        self._rpc(record.column_ids.filtered(lambda column: column.target == "outcome"), "unlink")
        self._assert_new_preview_needed(record)

    def test_a_change_behind_the_preview(self):
        """Should something change a file without ending its preview, the key of the preview still tells."""
        record = self._preview()
        other = base64.b64encode(self._fill((self.first, {"outcome": "Wrong number"})))
        record.sudo().with_context(**record._get_guard()).write({"file": other})
        self.env["collection.provider.import"].browse(record.id).sudo().with_context(**record._get_guard()).write(
            {"state": "preview"}
        )
        with self.assertRefused("Something was changed since the preview"):
            self._rpc(record, "action_apply")

    def test_rows_of_another_handover(self):
        """A row that is about a customer of another hand-over is not taken back."""
        record = self._preview()
        line = record.line_ids.filtered("line_id")[:1]
        record._check_handover(line)
        with self.assertRefused("not of this hand-over"):
            record.new({"handover_id": False})._check_handover(line)

    def test_what_was_taken_back_is_frozen(self):
        record = self._preview()
        self._rpc(record, "action_apply")
        self.assertEqual(record.state, "done")
        for name, value in {"file": "eA==", "filename": "x.csv", "is_final": True, "file_decimal": "comma"}.items():
            with self.subTest(field=name), self.assertRefused("taken back already|any more"):
                self._rpc(record, "write", {name: value})
        with self.assertRefused("taken back already"):
            self._rpc(record.column_ids[:1], "write", {"target": False})
        with self.assertRefused("taken back already"):
            self._rpc(record.column_ids[:1], "unlink")

    def test_ended_handovers(self):
        for name, value in {"purpose": "x", "lang": "en_US", "file_format": "csv", "separator": ","}.items():
            with self.subTest(field=name), self.assertRefused("by hand"):
                self._rpc(self.handover, "write", {name: value})
        self._rpc(self.handover, "write", {"date_end": self._days(60)})
        self._rpc(self.handover, "action_end")
        with self.assertRefused("any more"):
            self._rpc(self.handover, "write", {"date_end": self._days(90)})
        self._rpc(self.handover, "write", {"contract_ref": "C-1"})
