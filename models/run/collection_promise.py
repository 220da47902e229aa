from odoo import api, models


class CollectionPromise(models.Model):
    """The daily judgement of promises, disputes and cases."""

    _inherit = "collection.promise"

    # === SCHEDULED ACTIONS === #

    @api.model
    def _cron_settle(self):
        """See ``collection.run``."""
        self.env["collection.run"]._cron_settle()
