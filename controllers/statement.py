import zipfile
from tempfile import TemporaryFile

from werkzeug.exceptions import NotFound
from werkzeug.wsgi import wrap_file

from odoo import http
from odoo.http import content_disposition, request
from odoo.tools.osutil import clean_filename

from .recap import XLSX_TYPE


class StatementController(http.Controller):
    """Hands statements of account out as files."""

    @http.route(
        "/account_collection/statement/<int:dialogue_id>/<any(pdf, xlsx):file_type>",
        type="http",
        auth="user",
        methods=["GET"],
    )
    def download_statements(self, dialogue_id, file_type):
        """Download what a dialogue asks for, with the user's own rights.

        :param int dialogue_id: a ``collection.statement.print`` of this user.
        :param str file_type: ``pdf``: all in one file; ``xlsx``: a workbook, or an archive of several.
        """
        dialogue = request.env["collection.statement.print"].search(
            [("id", "=", dialogue_id), ("create_uid", "=", request.env.uid)]
        )
        if not dialogue:
            raise NotFound
        if file_type == "pdf":
            name, content = dialogue._get_pdf()
            return request.make_response(
                content, [("Content-Type", "application/pdf"), ("Content-Disposition", content_disposition(name))]
            )
        files = dialogue._iter_xlsx()
        if len(dialogue.debtor_ids) == 1:
            name, content = next(files)
            return request.make_response(
                content, [("Content-Type", XLSX_TYPE), ("Content-Disposition", content_disposition(name))]
            )
        output = TemporaryFile()  # noqa: SIM115 - closed by the server once it is sent
        with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files:
                archive.writestr(name, content)
        output.seek(0)
        filename = clean_filename(request.env._("Statements of account"))
        return http.Response(
            wrap_file(request.httprequest.environ, output),
            headers=[
                ("Content-Type", "application/zip"),
                ("Content-Disposition", content_disposition(f"{filename}.zip")),
            ],
            direct_passthrough=True,
        )
