from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL, formatLang

from ..tools import scoring

# Indicators whose value is a word, with the field of the band that names it.
WORD_INDICATORS = {"payer_profile": "payer_profile", "company_size": "company_size"}


class CollectionCriterion(models.Model):
    """One reason to contact a customer early: an indicator, its weight, and bands that give points."""

    _name = "collection.criterion"
    _description = "Score Criterion"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", help="Empty: this criterion counts for all companies.")
    indicator = fields.Selection(selection="_selection_indicator", required=True)
    weight = fields.Integer(
        required=True,
        default=10,
        help="How much this criterion counts against the others. Weights are scaled so that scores go up to 100.",
    )
    band_ids = fields.One2many("collection.criterion.band", "criterion_id", string="Bands", copy=True)
    uses_words = fields.Boolean(compute="_compute_uses_words")

    _weight_positive = models.Constraint("CHECK(weight >= 0)", "A weight can't be negative.")

    # === COMPUTE METHODS === #

    @api.depends("indicator")
    def _compute_uses_words(self):
        for criterion in self:
            criterion.uses_words = criterion.indicator in WORD_INDICATORS

    @api.model
    def _selection_indicator(self):
        return [
            ("overdue_amount", self.env._("Overdue amount")),
            ("largest_item_amount", self.env._("Largest overdue item")),
            ("overdue_item_count", self.env._("Number of overdue items")),
            ("days_late", self.env._("Days late of the oldest item")),
            ("payer_profile", self.env._("Payer profile")),
            ("company_size", self.env._("Company size")),
            ("average_days_late", self.env._("Average days late")),
            ("late_share", self.env._("Share paid late (%)")),
            ("broken_promise_count", self.env._("Broken promises")),
            ("is_small_debt", self.env._("Small and easy (1) or not (0)")),
        ]

    # === CONSTRAINT METHODS === #

    @api.constrains("band_ids", "indicator", "active")
    def _check_bands(self):
        for criterion in self.filtered("active"):
            if not criterion.band_ids:
                raise ValidationError(
                    self.env._("“%s” has no band: say which value gives how many points.", criterion.name)
                )
            keys = [band._get_key() for band in criterion.band_ids]
            for band, key in zip(criterion.band_ids, keys, strict=True):
                if key is False:
                    raise ValidationError(self.env._("“%s”: each band needs a profile or a size.", criterion.name))
                if keys.count(key) > 1:
                    raise ValidationError(
                        self.env._(
                            "“%(criterion)s” has two bands for “%(band)s”: keep one.",
                            criterion=criterion.name,
                            band=band.display_name,
                        )
                    )

    # === BUSINESS METHODS === #

    @api.model
    def _get_criteria(self, company):
        """Return the criteria that count for a company, in the order in which they are shown.

        :raises UserError: when none of them has a weight, since a score would mean nothing.
        """
        criteria = self.sudo().search([("company_id", "in", (False, company.id))])
        if not any(criteria.mapped("weight")):
            raise UserError(
                self.env._("No score criterion has a weight for %s: see Configuration > Score criteria.", company.name)
            )
        return criteria

    def _get_maxima(self):
        """Return ``{criterion: points it can give}``: whole numbers that add up to 100."""
        return dict(zip(self, scoring.maxima(self.mapped("weight")), strict=True))

    @api.model
    def _get_indicator_sql(self, company, today):
        """Return ``{indicator: SQL value}``, over the columns of the facts that a refresh collects.

        Override it together with ``_selection_indicator`` to add an indicator.

        :param company: the company whose thresholds count.
        :param today: the date against which items are late.
        """
        columns = (
            "overdue_amount",
            "largest_item_amount",
            "overdue_item_count",
            "payer_profile",
            "company_size",
            "average_days_late",
            "late_share",
            "broken_promise_count",
        )
        return {
            **{column: SQL.identifier(column) for column in columns},
            "days_late": SQL("COALESCE(%s::date - oldest_due_date, 0)", today),
            "is_small_debt": SQL(
                "CASE WHEN overdue_amount > 0 AND overdue_amount <= %s THEN 1 ELSE 0 END",
                company.collection_small_amount,
            ),
        }

    def _get_score_sql(self, company, today):
        """Return the SQL of a score and of its explanation, from the criteria in ``self``.

        A customer without anything overdue scores 0: there is nothing to ask for.

        :return: ``(score, breakdown)``: a whole number from 0 to 100, and a json list of
            ``{"criterion", "value", "points", "max"}`` whose points add up to the score.
        """
        indicators = self._get_indicator_sql(company, today)
        points, explanations = [], []
        for criterion, maximum in self._get_maxima().items():
            value = indicators[criterion.indicator]
            given = criterion.band_ids._get_points_sql(value, maximum)
            points.append(given)
            explanations.append(
                SQL(
                    "jsonb_build_object('criterion', %s::int, 'value', %s, 'points', %s, 'max', %s::int)",
                    criterion.id,
                    value,
                    given,
                    maximum,
                )
            )
        return (
            SQL("CASE WHEN overdue_amount > 0 THEN %s ELSE 0 END", SQL(" + ").join(points)),
            SQL(
                "CASE WHEN overdue_amount > 0 THEN jsonb_build_array(%s) ELSE '[]'::jsonb END",
                SQL(", ").join(explanations),
            ),
        )

    def _describe(self, value, company):
        """Say in words what an indicator's value is, in the language of the environment.

        :param value: the value as stored in a breakdown: number, selection key or ``None``.
        :param company: the company whose currency amounts are in.
        """
        self.ensure_one()
        if self.indicator in WORD_INDICATORS:
            words = dict(self.env["collection.debtor"]._fields[self.indicator]._description_selection(self.env))
            return words.get(value) or self.env._("unknown")
        value = value or 0
        if self.indicator in ("overdue_amount", "largest_item_amount"):
            return formatLang(self.env, value, currency_obj=company.currency_id)
        if self.indicator in ("days_late", "average_days_late"):
            return self.env._("%s days", formatLang(self.env, value, digits=0))
        if self.indicator == "late_share":
            return self.env._("%s %%", formatLang(self.env, value, digits=0))
        if self.indicator == "is_small_debt":
            return self.env._("yes") if value else self.env._("no")
        return formatLang(self.env, value, digits=0)
