import shutil
import subprocess
import tempfile
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from unittest import skipUnless

from openpyxl import load_workbook

from odoo.tests import tagged

from .test_recap import RecapCommon

SOFFICE = shutil.which("soffice")


# LibreOffice takes long, and is on few machines: only ``make soak`` runs these.
@tagged("post_install", "-at_install", "-standard", "collection_soak")
@skipUnless(SOFFICE, "needs LibreOffice")
class TestSpreadsheets(RecapCommon):
    """Every workbook, calculated anew by LibreOffice, says the same as we wrote into it."""

    def _calculate(self, content):
        """Return a workbook as LibreOffice calculates it from its formulas alone."""
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "book.xlsx"
            # openpyxl saves formulas without the values that we gave them.
            load_workbook(BytesIO(content)).save(source)
            command = [SOFFICE, "--headless", f"-env:UserInstallation=file://{folder}/profile", "--convert-to", "xlsx"]
            subprocess.run(  # noqa: S603
                [*command, "--outdir", f"{folder}/out", str(source)], check=True, capture_output=True, timeout=120
            )
            return load_workbook(Path(folder) / "out" / "book.xlsx", data_only=True)

    def _check(self, content):
        written, formulas = (load_workbook(BytesIO(content), data_only=flag) for flag in (True, False))
        calculated = self._calculate(content)
        self.assertEqual(calculated.sheetnames, written.sheetnames)
        count = 0
        for sheet in formulas:
            for row in sheet.iter_rows():
                for cell in row:
                    value = calculated[sheet.title][cell.coordinate].value
                    self.assertFalse(str(value).startswith("#"), f"{sheet.title}!{cell.coordinate}: {value}")
                    if cell.data_type == "f":
                        count += 1
                        self.assertAlmostEqual(
                            value, written[sheet.title][cell.coordinate].value, 4, f"{sheet.title}!{cell.coordinate}"
                        )
        self.assertTrue(count)

    def test_recap(self):
        self._live()
        for recap in (self._recap(), self._recap(self._start_empty())):
            output = BytesIO()
            self.env["collection.recap.workbook"]._write(recap, output)
            self._check(output.getvalue())

    def _start_empty(self):
        """Return a campaign in which nothing happened."""
        self._create_invoice(self._create_customer("Quiet"), 10.0)
        return self._start_campaign(name="Quiet")

    def test_statement(self):
        self._live()
        debtor = self._get_debtor(self.partners["Foreign"])
        self._pay_on_account(self.partners["Foreign"], 20)
        self._check(debtor._render_statement_xlsx()[1])
        self._check(debtor._render_statement_xlsx("movements", self.today - timedelta(days=30))[1])

    def test_follow_up_file(self):
        self._live()
        debtors = self.env["collection.debtor"].search([("company_id", "=", self.company.id)])
        output = BytesIO()
        debtors.env["collection.debtor.workbook"]._write(debtors, output)
        self._check(output.getvalue())
