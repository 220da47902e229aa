from odoo import models

# What, when it changes, changes the facts or the scores of all debtors.
FACT_SETTINGS = {
    "collection_tz",
    "collection_grade_a",
    "collection_grade_b",
    "collection_grade_c",
    "collection_small_amount",
    "collection_history_months",
    "collection_punctual_days",
    "collection_bad_payer_days",
    "collection_leaving_months",
    "collection_promise_grace_days",
}


class ResCompany(models.Model):
    """Facts and scores of a company rest on its settings."""

    _inherit = "res.company"

    # === CRUD METHODS === #

    # EXTENDS base: facts and scores rest on settings
    def write(self, vals):
        changed = {name for name in FACT_SETTINGS & vals.keys() if any(company[name] != vals[name] for company in self)}
        result = super().write(vals)
        if changed:
            self.env["collection.refresh.queue"]._mark_companies_stale(self)
        return result
