from odoo import api, models


class IrActionsReport(models.Model):
    _inherit = "ir.actions.report"

    # EXTENDS base: pages without scripts need not wait for any
    @api.model
    def _build_wkhtmltopdf_args(self, *args, **kwargs):
        command = super()._build_wkhtmltopdf_args(*args, **kwargs)
        if self.env.context.get("collection_static_page"):
            command[command.index("--javascript-delay") + 1] = "0"
            command.append("--disable-javascript")
        return command
