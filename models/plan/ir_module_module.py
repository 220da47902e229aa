from odoo import models


class IrModuleModule(models.Model):
    _inherit = "ir.module.module"

    # EXTENDS base
    def _load_module_terms(self, modules, langs, overwrite=False):
        """Plans that were copied from the shipped ones speak a new language along with them."""
        result = super()._load_module_terms(modules, langs, overwrite=overwrite)
        if "account_collection" in modules:
            self.env["collection.plan"].sudo()._share_translations()
        return result
