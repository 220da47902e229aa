from datetime import date

from odoo import api, models


class ResCompany(models.Model):
    """A company has follow-up plans, and hours at which it writes to customers."""

    _inherit = "res.company"

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        companies = super().create(vals_list)
        self.env["collection.plan"].sudo()._ensure_plans(companies)
        return companies

    # === BUSINESS METHODS === #

    def _is_collection_sending_time(self) -> bool:
        """Return whether a message that nobody sends by hand may leave at this moment, on the company's clock.

        The one definition, for reminders, statements of account and reminders of promises: within the hours of
        sending, on a day on which the company works.
        """
        self.ensure_one()
        now = self._get_collection_now()
        hour = now.hour + now.minute / 60
        return self.collection_send_from <= hour < self.collection_send_to and self._is_collection_open(now.date())

    def _is_collection_open(self, day: date) -> bool:
        """Return whether this company works, and writes to anybody at all, on a day: see ``_get_closure``."""
        self.ensure_one()
        Quiet = self.env["collection.quiet.period"]
        periods, _own = Quiet._get_periods(self)
        return not Quiet._get_closure(self, periods)(day)
