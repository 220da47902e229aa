from odoo import api, models


class SmsTemplate(models.Model):
    _name = "sms.template"
    _inherit = ["sms.template", "collection.text.mixin", "collection.template.check.mixin"]

    _collection_text_fields = {"body": False}
    _collection_step_field = "sms_template_id"
    _collection_dynamic_fields = {"body": False, "lang": False}

    # === CONSTRAINT METHODS === #

    @api.constrains("body", "model_id")
    def _check_body(self):
        self._check_collection_safety()
        self._check_collection_text()
