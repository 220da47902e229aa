import logging

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL, convert, formatLang

from ...tools import bands, scoring

_logger = logging.getLogger(__name__)

# Indicators whose value is a selection key, kept in the band's field of that name.
WORD_INDICATORS = ("payer_profile", "company_size")
DAY_INDICATORS = ("days_late", "weighted_days_late", "average_days_late", "lateness_trend", "days_since_contact")
# Days since the last contact of a customer who was never contacted: longer than any band.
NEVER_CONTACTED = 9999


class CollectionCriterion(models.Model):
    """One reason to contact a customer early: an indicator, its weight, and bands that give points."""

    _name = "collection.criterion"
    _description = "Score Criterion"
    _inherit = ["collection.reach.mixin", "collection.shared.mixin", "collection.filter.mixin"]
    _order = "sequence, id"
    _filters = {"partner_domain": "res.partner"}
    # What the scores, and the plans that are chosen by them, say can't be a reason for a score.
    _filter_results = {
        "collection.debtor": {"plan_used_id", "score", "grade", "score_breakdown"},
        "res.partner": {"collection_score", "collection_grade"},
    }

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
    partner_domain = fields.Char(
        string="Customers", default="[]", help="The customers that this criterion is about, as in any filter of Odoo."
    )
    uses_words = fields.Boolean(compute="_compute_uses_words")
    filter_problem = fields.Char(
        compute="_compute_filter_problem", help="Why the filter can't be read any more: it fits nobody."
    )

    _weight_positive = models.Constraint("CHECK(weight >= 0)", "A weight can't be negative.")

    # === COMPUTE METHODS === #

    @api.depends("indicator")
    def _compute_uses_words(self):
        for criterion in self:
            criterion.uses_words = criterion.indicator in WORD_INDICATORS

    @api.depends("partner_domain", "indicator")
    def _compute_filter_problem(self):
        for criterion in self:
            is_used = criterion.indicator == "custom"
            criterion.filter_problem = is_used and criterion.sudo()._find_filter_problem("partner_domain")

    @api.model
    def _selection_indicator(self):
        return [
            ("overdue_amount", self.env._("Overdue amount")),
            ("largest_item_amount", self.env._("Largest overdue item")),
            ("overdue_item_count", self.env._("Number of overdue items")),
            ("is_small", self.env._("Small and easy (1) or not (0)")),
            ("days_late", self.env._("Days late of the oldest item")),
            ("weighted_days_late", self.env._("Days late, weighted by amount")),
            ("payer_profile", self.env._("Payer profile")),
            ("company_size", self.env._("Company size")),
            ("average_days_late", self.env._("Average days late")),
            ("late_share", self.env._("Share paid late (%)")),
            ("lateness_trend", self.env._("Getting worse (days)")),
            ("broken_promise_count", self.env._("Broken promises")),
            ("bounce_count", self.env._("Payments returned unpaid")),
            ("open_dispute_count", self.env._("Open disputes")),
            ("credit_limit_use", self.env._("Credit limit used (%)")),
            ("days_since_contact", self.env._("Days since the last contact")),
            ("contactability", self.env._("Phone, e-mail and right person known (0 to 3)")),
            ("custom", self.env._("Customer matches a filter (1) or not (0)")),
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

    @api.constrains("indicator")
    def _check_indicator(self):
        """The indicators are known once all addons are there: the database has no list of them."""
        known = dict(self._selection_indicator())
        for criterion in self:
            if criterion.indicator not in known:
                raise ValidationError(self.env._("“%s”: choose one of the indicators.", criterion.name))

    @api.constrains("weight")
    def _check_some_weight(self):
        for company in self.company_id or self.env.company:
            if not self._get_criteria(company):
                raise ValidationError(
                    self.env._("At least one criterion needs a weight above zero: a score would mean nothing.")
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        criteria = super().create(vals_list)
        criteria._mark_scores_stale()
        return criteria

    def write(self, vals):
        self.check_access("write")
        self._mark_scores_stale()  # of the company it leaves, too
        result = super().write(vals)
        self._mark_scores_stale()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_marks_scores_stale(self):
        self._mark_scores_stale()

    # === BUSINESS METHODS === #

    def _mark_scores_stale(self):
        """Queue the scores that depend on these criteria for a refresh."""
        companies = self.env["res.company"]
        if any(not criterion.company_id for criterion in self):
            companies = self.env["collection.run"]._get_active_companies()
        self.env["collection.refresh.queue"].sudo()._mark_companies_stale(companies | self.company_id)

    @api.model
    def _get_criteria(self, company):
        """Return the criteria that count for a company, in the order in which they are shown.

        Without any, everybody scores 0: amounts stay right, and nothing stops.
        """
        criteria = self.sudo().search([("company_id", "in", (False, company.id))])
        known = dict(self._selection_indicator())
        # The addon that brought an indicator may be gone.
        return criteria.filtered(lambda criterion: criterion.weight and criterion.indicator in known)

    def _get_maxima(self):
        """Return ``{criterion: points it can give}``: whole numbers that add up to 100."""
        return dict(zip(self, scoring.maxima(self.mapped("weight")), strict=True))

    @api.model
    def _get_indicator_sql(self, company, today):
        """Return ``{indicator: SQL value}``, a number over the columns of the facts that a refresh collects.

        HOOK. Extend it together with ``_selection_indicator`` to add an indicator. There is one row per customer,
        ``profiled``: its columns are those of ``FACT_COLUMNS`` (``models/debtor/collection_debtor.py``), but for score,
        grade and breakdown, and ``partner_id``, the commercial partner; what else you need comes from a subquery::

            def _selection_indicator(self):
                return [*super()._selection_indicator(), ("is_public", self.env._("Public customer (1) or not (0)"))]

            def _get_indicator_sql(self, company, today):
                sql = "(SELECT partner.is_public::int FROM res_partner partner WHERE partner.id = profiled.partner_id)"
                return {**super()._get_indicator_sql(company, today), "is_public": SQL("COALESCE(%s, 0)", SQL(sql))}

        The score follows when a customer is refreshed: when what you read changes, call ``_mark_scores_stale`` on the
        criteria, or put the customers into ``collection.refresh.queue``. A criterion whose indicator is gone counts
        for nothing.

        :param company: the company whose thresholds count.
        :param today: the date against which items are late.
        """
        columns = (
            "overdue_amount",
            "largest_item_amount",
            "overdue_item_count",
            "weighted_days_late",
            "payer_profile",
            "company_size",
            "average_days_late",
            "late_share",
            "lateness_trend",
            "broken_promise_count",
            "bounce_count",
            "open_dispute_count",
            "credit_limit_use",
            "contactability",
        )
        return {
            **{column: SQL.identifier(column) for column in columns},
            "days_late": SQL("COALESCE(%s::date - oldest_due_date, 0)", today),
            "days_since_contact": SQL("COALESCE(%s::date - last_contact_on, %s)", today, NEVER_CONTACTED),
            "is_small": SQL("is_small::int"),
        }

    def _get_value_sql(self, company, today):
        """Return SQL for the value of this criterion, over the columns of the facts."""
        self.ensure_one()
        if self.indicator == "custom":
            return self._get_custom_sql()
        return self._get_indicator_sql(company, today)[self.indicator]

    def _get_custom_sql(self):
        """Return SQL for whether a customer meets a user's own filter.

        A filter that can't be read any more, because it names a field of an addon that was uninstalled, fits nobody.
        """
        Partner = self.env["res.partner"].sudo().with_context(active_test=False)
        try:
            with self.env.cr.savepoint():
                partners = Partner._search(self._get_partner_domain()).subselect()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:
            _logger.warning(
                "The filter of the score criterion %s (%s) can't be read, it fits nobody: %s", self.id, self.name, error
            )
            return SQL("0")
        return SQL("(partner_id IN %s)::int", partners)

    def _get_partner_domain(self):
        """Return the filter on customers that a user wrote for a criterion of their own."""
        self.ensure_one()
        return self._get_filter("partner_domain")

    def _get_score_sql(self, company, today):
        """Return the SQL of a score and of its explanation, from the criteria in ``self``.

        A customer without anything overdue scores 0: there is nothing to ask for. So does one in insolvency
        proceedings: nobody may ask.

        :return: ``(score, breakdown)``: a whole number from 0 to 100, and a json list of
            ``{"criterion", "value", "points", "max"}`` whose points add up to the score.
        """
        if not self:
            return SQL("0"), SQL("'[]'::jsonb")
        points, explanations = [], []
        for criterion, maximum in self._get_maxima().items():
            value = criterion._get_value_sql(company, today)
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
        asked = SQL("overdue_amount > 0 AND insolvency IS NOT TRUE")
        return (
            SQL("CASE WHEN %s THEN %s ELSE 0 END", asked, SQL(" + ").join(points)),
            SQL("CASE WHEN %s THEN jsonb_build_array(%s) ELSE '[]'::jsonb END", asked, SQL(", ").join(explanations)),
        )

    def _get_bands_text(self):
        """Return the bands as one line of text: ``1: 20, 8: 35``."""
        self.ensure_one()
        if not self.uses_words:
            return bands.dump((band.lower, band.percent) for band in self.band_ids.sorted("lower"))
        words = dict(self.band_ids._fields[self.indicator]._description_selection(self.env))
        return bands.dump((words[band[self.indicator]], band.percent) for band in self.band_ids)

    @api.model
    def _reset_to_defaults(self):
        """Restore the shipped criteria, and archive all others."""
        convert.convert_file(
            self.sudo().env,
            "account_collection",
            "data/collection_criterion_data.xml",
            None,
            mode="init",
            noupdate=False,
        )
        shipped = (
            self.env["ir.model.data"]
            .sudo()
            .search([("module", "=", "account_collection"), ("model", "=", "collection.criterion")])
        )
        criteria = self.with_context(active_test=False).search([("company_id", "in", (False, self.env.company.id))])
        criteria.filtered(lambda criterion: criterion.id in shipped.mapped("res_id")).active = True
        criteria.filtered(lambda criterion: criterion.id not in shipped.mapped("res_id")).action_archive()

    def _describe(self, value, company):
        """Return a text that states an indicator's value, in the language of the environment.

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
        if self.indicator == "days_since_contact" and value >= NEVER_CONTACTED:
            return self.env._("never contacted")
        if self.indicator in DAY_INDICATORS:
            return self.env._("%s days", formatLang(self.env, value, digits=0))
        if self.indicator in ("late_share", "credit_limit_use"):
            return self.env._("%s %%", formatLang(self.env, value, digits=0))
        if self.indicator in ("is_small", "custom"):
            return self.env._("yes") if value else self.env._("no")
        return formatLang(self.env, value, digits=0)
