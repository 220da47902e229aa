from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    collection_refresh_date = fields.Date(related="company_id.collection_refresh_date")
    collection_refresh_count = fields.Integer(related="company_id.collection_refresh_count")
    collection_tz = fields.Selection(related="company_id.collection_tz", readonly=False)
    collection_grade_a = fields.Integer(related="company_id.collection_grade_a", readonly=False)
    collection_grade_b = fields.Integer(related="company_id.collection_grade_b", readonly=False)
    collection_grade_c = fields.Integer(related="company_id.collection_grade_c", readonly=False)
    collection_small_amount = fields.Monetary(related="company_id.collection_small_amount", readonly=False)
    collection_history_months = fields.Integer(related="company_id.collection_history_months", readonly=False)
    collection_punctual_days = fields.Integer(related="company_id.collection_punctual_days", readonly=False)
    collection_bad_payer_days = fields.Integer(related="company_id.collection_bad_payer_days", readonly=False)
    collection_leaving_months = fields.Integer(related="company_id.collection_leaving_months", readonly=False)
    collection_contact_gap_days = fields.Integer(related="company_id.collection_contact_gap_days", readonly=False)
    collection_min_amount = fields.Monetary(related="company_id.collection_min_amount", readonly=False)
    collection_banner = fields.Selection(related="company_id.collection_banner", readonly=False, required=True)
    collection_prepay_days = fields.Integer(related="company_id.collection_prepay_days", readonly=False)
    collection_dispute_manager_id = fields.Many2one(related="company_id.collection_dispute_manager_id", readonly=False)
    collection_accountant_id = fields.Many2one(related="company_id.collection_accountant_id", readonly=False)
    collection_big_payment = fields.Monetary(related="company_id.collection_big_payment", readonly=False)
    collection_promise_grace_days = fields.Integer(related="company_id.collection_promise_grace_days", readonly=False)
    collection_email = fields.Char(related="company_id.collection_email", readonly=False)
    collection_late_terms = fields.Text(related="company_id.collection_late_terms", readonly=False)
    collection_use_snailmail = fields.Boolean(related="company_id.collection_use_snailmail", readonly=False)
    collection_has_snailmail = fields.Boolean(compute="_compute_collection_has_snailmail")
    collection_send_from = fields.Float(related="company_id.collection_send_from", readonly=False)
    collection_send_to = fields.Float(related="company_id.collection_send_to", readonly=False)
    collection_pending_days = fields.Integer(related="company_id.collection_pending_days", readonly=False)
    collection_pressure_cap = fields.Integer(related="company_id.collection_pressure_cap", readonly=False)
    collection_bank_fresh_days = fields.Integer(related="company_id.collection_bank_fresh_days", readonly=False)
    collection_digest_is_on = fields.Boolean(related="company_id.collection_digest_is_on", readonly=False)
    collection_digest_user_ids = fields.Many2many(related="company_id.collection_digest_user_ids", readonly=False)
    collection_statement_period = fields.Selection(related="company_id.collection_statement_period", readonly=False)
    collection_statement_day = fields.Integer(related="company_id.collection_statement_day", readonly=False)

    # === COMPUTE METHODS === #

    def _compute_collection_has_snailmail(self):
        self.collection_has_snailmail = "snailmail.letter" in self.env
