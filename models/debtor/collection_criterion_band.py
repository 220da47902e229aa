from odoo import api, fields, models
from odoo.tools import SQL

from ...const import COMPANY_SIZES, PAYER_PROFILES
from ...tools import scoring
from .collection_criterion import WORD_INDICATORS


class CollectionCriterionBand(models.Model):
    """Turns the values from ``lower`` on (up to the next band), or one word, into points."""

    _name = "collection.criterion.band"
    _description = "Score Band"
    _inherit = ["collection.reach.mixin", "collection.shared.mixin"]
    _order = "criterion_id, lower, id"
    _rec_names_search = ["criterion_id"]

    criterion_id = fields.Many2one("collection.criterion", required=True, ondelete="cascade", index=True)
    lower = fields.Float(string="Starts at", help="The band starts at this value and ends where the next one starts.")
    payer_profile = fields.Selection(PAYER_PROFILES)
    company_size = fields.Selection(COMPANY_SIZES)
    percent = fields.Integer(
        string="Points (%)", required=True, default=100, help="Share of the criterion's points that this band gives."
    )

    _percent_range = models.Constraint("CHECK(percent BETWEEN 0 AND 100)", "Points must be between 0 and 100 %.")

    # === COMPUTE METHODS === #

    @api.depends("lower", "payer_profile", "company_size", "criterion_id.indicator")
    def _compute_display_name(self):
        for band in self:
            indicator = band.criterion_id.indicator
            if indicator in WORD_INDICATORS:
                words = dict(self._fields[indicator]._description_selection(self.env))
                band.display_name = words.get(band[indicator], "")
            else:
                band.display_name = f"≥ {band.lower:g}"

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        bands = super().create(vals_list)
        bands.criterion_id._mark_scores_stale()
        return bands

    def write(self, vals):
        result = super().write(vals)
        self.criterion_id._mark_scores_stale()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_marks_scores_stale(self):
        self.criterion_id._mark_scores_stale()

    # === BUSINESS METHODS === #

    # EXTENDS collection.shared.mixin
    def _get_shared(self):
        return self.filtered(lambda band: not band.criterion_id.company_id)

    def _get_key(self):
        """Return the key of this band among those of its criterion: its selection key or its lower bound."""
        indicator = self.criterion_id.indicator
        return self[indicator] if indicator in WORD_INDICATORS else self.lower

    def _get_points_sql(self, value, maximum):
        """Return SQL for the points that these bands give to ``value``.

        :param SQL value: the indicator's value.
        :param int maximum: points of the criterion at 100 %.
        """
        indicator = self.criterion_id.indicator
        if indicator in WORD_INDICATORS:
            cases = [
                SQL("WHEN %s = %s THEN %s", value, band[indicator], scoring.contribution(band.percent, maximum))
                for band in self
            ]
        else:
            # Highest bound first: the first that the value reaches is its band.
            cases = [
                SQL("WHEN %s >= %s THEN %s", value, band.lower, scoring.contribution(band.percent, maximum))
                for band in self.sorted("lower", reverse=True)
            ]
        return SQL("CASE %s ELSE 0 END", SQL(" ").join(cases)) if cases else SQL("0")
