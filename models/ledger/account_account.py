from odoo import api, models

# What makes an account one of trade receivables of a company.
_KIND = {"account_type", "non_trade", "company_ids"}


class AccountAccount(models.Model):
    """The ledger keeps the ids of the accounts whose items are followed up: a change of them is told to it."""

    _inherit = "account.account"

    # === CRUD METHODS === #

    # EXTENDS account
    @api.model_create_multi
    def create(self, vals_list):
        accounts = super().create(vals_list)
        if accounts.filtered(lambda account: account.account_type == "asset_receivable"):
            self.env.registry.clear_cache()
        return accounts

    # EXTENDS account
    def write(self, vals):
        result = super().write(vals)
        if _KIND & vals.keys():
            self.env.registry.clear_cache()
        return result
