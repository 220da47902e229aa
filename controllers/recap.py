from tempfile import TemporaryFile

from werkzeug.exceptions import NotFound
from werkzeug.wsgi import wrap_file

from odoo import http
from odoo.http import content_disposition, request
from odoo.tools.osutil import clean_filename

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class RecapController(http.Controller):
    """Hands the recap of a campaign out as a file."""

    # Not read-only: the recap of a running campaign brings its amounts up to date first.
    @http.route("/account_collection/recap/<int:campaign_id>", type="http", auth="user", methods=["GET"])
    def download_recap(self, campaign_id):
        """Stream the XLSX of one campaign, with the user's own rights.

        :param int campaign_id: of a campaign that was started.
        """
        campaign = request.env["collection.campaign"].browse(campaign_id).exists()
        if not campaign:
            raise NotFound
        campaign.check_access("read")
        output = TemporaryFile()  # noqa: SIM115 - closed by the server once it is sent
        request.env["collection.recap.workbook"]._write(campaign._recap(), output)
        output.seek(0)
        filename = clean_filename(request.env._("Recap %s", campaign.name))
        return http.Response(
            wrap_file(request.httprequest.environ, output),
            headers=[
                ("Content-Type", XLSX_TYPE),
                ("Content-Disposition", content_disposition(f"{filename}.xlsx")),
            ],
            direct_passthrough=True,
        )
