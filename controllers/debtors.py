from tempfile import TemporaryFile

from werkzeug.exceptions import NotFound
from werkzeug.wsgi import wrap_file

from odoo import http
from odoo.fields import Date
from odoo.http import content_disposition, request
from odoo.tools.osutil import clean_filename

from .recap import XLSX_TYPE


class DebtorsController(http.Controller):
    """Hands the follow-up file out."""

    @http.route("/account_collection/debtors/<int:export_id>/xlsx", type="http", auth="user", methods=["GET"])
    def download_file(self, export_id):
        """Stream the follow-up file that a user asked for, with the user's own rights.

        :param int export_id: a ``collection.debtor.export`` of this user.
        """
        export = request.env["collection.debtor.export"].search(
            [("id", "=", export_id), ("create_uid", "=", request.env.uid)]
        )
        if not export:
            raise NotFound
        output = TemporaryFile()  # noqa: SIM115 - closed by the server once it is sent
        request.env["collection.debtor.workbook"]._write(export._get_debtors(), output)
        output.seek(0)
        today = Date.to_string(request.env.company._collection_today())
        filename = clean_filename(request.env._("Follow-up file %s", today))
        return http.Response(
            wrap_file(request.httprequest.environ, output),
            headers=[
                ("Content-Type", XLSX_TYPE),
                ("Content-Disposition", content_disposition(f"{filename}.xlsx")),
            ],
            direct_passthrough=True,
        )
