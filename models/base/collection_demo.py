from odoo import api, models


class CollectionDemo(models.AbstractModel):
    """Where the demo data is built from: a French workshop, its customers, two years of ledger, two campaigns."""

    _name = "collection.demo"
    _description = "Demo Data of Collections"

    @api.model
    def _build(self, today=None):
        """Build the demo data, once.

        :param today: the day on which the story ends; the present day when ``None``.
        """
        if self.env.ref("account_collection.demo_company", raise_if_not_found=False):
            return
        # Read when it is needed: nothing of demo/ is loaded in production.
        from ...demo.builder import Builder  # noqa: PLC0415

        Builder(self.env, today).build()
