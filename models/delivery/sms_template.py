from odoo import api, models


class SmsTemplate(models.Model):
    _name = "sms.template"
    _inherit = ["sms.template", "collection.template.check.mixin"]

    _collection_text_fields = {"body": False}

    # === CONSTRAINT METHODS === #

    @api.constrains("body", "model_id")
    def _check_body(self):
        self._check_collection_text()
