from datetime import date

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ...tools.workdays import is_bank_day


class CollectionQuietPeriod(models.Model):
    """Days on which nobody is written to: of a whole company, or of one customer who is closed then."""

    _name = "collection.quiet.period"
    _description = "Quiet Period"
    _inherit = ["collection.reach.mixin", "collection.shared.mixin"]
    _order = "date_from, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    company_id = fields.Many2one(
        "res.company", default=lambda self: self.env.company, help="Empty: for all companies.", index=True
    )
    debtor_id = fields.Many2one(
        "collection.debtor",
        string="Customer",
        check_company=True,
        index="btree_not_null",
        ondelete="cascade",
        help="Empty: for all customers.",
    )
    date_from = fields.Date(string="From", required=True)
    date_to = fields.Date(string="To", required=True)
    is_yearly = fields.Boolean(string="Every Year", default=True, help="The same days every year, whatever the year.")
    active = fields.Boolean(default=True)

    _period = models.Constraint("CHECK(date_to >= date_from)", "A quiet period can't end before it starts.")

    # === CONSTRAINT METHODS === #

    @api.constrains("date_from", "date_to", "is_yearly")
    def _check_length(self):
        for period in self:
            if (period.date_to - period.date_from).days > 60:
                raise ValidationError(
                    self.env._("“%s” lasts more than two months: pause the customers instead.", period.name)
                )

    # === BUSINESS METHODS === #

    def _contains(self, day: date) -> bool:
        """Return whether ``day`` lies in one of these periods."""
        return any(period._is_on(day) for period in self)

    def _is_on(self, day):
        self.ensure_one()
        if not self.is_yearly:
            return self.date_from <= day <= self.date_to
        start, end, now = ((moment.month, moment.day) for moment in (self.date_from, self.date_to, day))
        # A period such as “24 December to 2 January” goes over the end of the year.
        return start <= now <= end if start <= end else now >= start or now <= end

    @api.model
    def _get_periods(self, company, debtor_ids=()):
        """Return the quiet periods of a company and of these customers.

        :return: ``(periods of all customers, {debtor id: periods})``.
        """
        periods = self.sudo().search(
            Domain("company_id", "in", (False, company.id))
            & (Domain("debtor_id", "=", False) | Domain("debtor_id", "in", list(debtor_ids)))
        )
        common = periods.filtered(lambda period: not period.debtor_id)
        return common, {debtor.id: own for debtor, own in (periods - common).grouped("debtor_id").items()}

    @api.model
    def _get_closure(self, company, periods):
        """Return a function that says whether a company writes to nobody on a day.

        Weekends, public holidays of its country, quiet periods and, where the working calendar of Odoo is
        installed, days on which the whole company is off.

        :param periods: the company's own, from ``_get_periods``.
        """
        country = company.country_id.code
        leaves = self._get_company_leaves(company)
        known = {}

        def is_closed(day):
            if day not in known:
                known[day] = (
                    not is_bank_day(day, country)
                    or periods._contains(day)
                    or any(since <= day <= until for since, until in leaves)
                )
            return known[day]

        return is_closed

    @api.model
    def _get_company_leaves(self, company):
        """Return the days on which everybody of a company is off: ``[(first day, last day)]``."""
        if "resource.calendar.leaves" not in self.env:
            return []
        leaves = (
            self.env["resource.calendar.leaves"]
            .sudo()
            .search([("resource_id", "=", False), ("company_id", "=", company.id)])
        )
        leaves = leaves.with_context(tz=company._get_collection_tz())
        return [
            (
                fields.Datetime.context_timestamp(leaves, leave.date_from).date(),
                fields.Datetime.context_timestamp(leaves, leave.date_to).date(),
            )
            for leave in leaves
        ]
