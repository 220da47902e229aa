from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import SQL

from ...tools import bands

PREVIEW_SIZE = 50


class CollectionScoreTuning(models.TransientModel):
    """Weights and bands of a company's score in one list, with what they would do to the ranking.

    Nothing changes until one applies it.
    """

    _name = "collection.score.tuning"
    _description = "Tune the Score"
    _inherit = "collection.dialogue.mixin"

    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    line_ids = fields.One2many(
        "collection.score.tuning.line",
        "tuning_id",
        compute="_compute_line_ids",
        compute_sudo=False,
        store=True,
        readonly=False,
    )
    message = fields.Char(compute="_compute_preview", help="Why the ranking can't be worked out.")
    preview = fields.Html(compute="_compute_preview", sanitize=False)

    # === COMPUTE METHODS === #

    @api.depends("company_id")
    def _compute_display_name(self):
        for tuning in self:
            tuning.display_name = self.env._("Score of %s", tuning.company_id.name)

    @api.depends("company_id")
    def _compute_line_ids(self):
        for tuning in self:
            criteria = self.env["collection.criterion"].search([("company_id", "in", (False, tuning.company_id.id))])
            tuning.line_ids = [
                Command.clear(),
                *(
                    Command.create(
                        {
                            "criterion_id": criterion.id,
                            "weight": criterion.weight,
                            "bands": criterion._get_bands_text(),
                        }
                    )
                    for criterion in criteria
                ),
            ]

    @api.depends("line_ids.weight", "line_ids.bands", "company_id")
    def _compute_preview(self):
        for tuning in self:
            try:
                rows = tuning._get_ranking()
            except UserError as error:
                tuning.message, tuning.preview = str(error), False
                continue
            tuning.message = False
            tuning.preview = self.env["ir.qweb"]._render(
                "account_collection.score_tuning_preview", {"rows": rows, "size": PREVIEW_SIZE}
            )

    # === ACTION METHODS === #

    def action_apply(self):
        """Save weights and bands, and score all debtors anew."""
        self.ensure_one()
        self._check_may_apply()
        self = self._without_defaults()  # noqa: PLW0642
        for line in self.line_ids:
            line._check()
            line.criterion_id.write(line._prepare_criterion())
        self.env["collection.debtor"].sudo()._synchronize(self.company_id)
        return self.env["ir.actions.actions"]._for_xml_id("account_collection.collection_debtor_action")

    def action_reset(self):
        """Restore the criteria as shipped; the company's own criteria are archived."""
        self.ensure_one()
        self._check_may_apply()
        self.env["collection.criterion"]._reset_to_defaults()
        self.env["collection.debtor"].sudo()._synchronize(self.company_id)
        return self.env["ir.actions.actions"]._for_xml_id("account_collection.collection_score_tuning_action")

    # === BUSINESS METHODS === #

    def _check_may_apply(self):
        """Check that the user may change the criteria of this company, the shared ones included.

        :raises AccessError: for anybody but its administrators, and those of the other companies.
        """
        self.check_access("write")
        self.company_id.check_access("read")
        criteria = self.env["collection.criterion"].search([("company_id", "in", (False, self.company_id.id))])
        criteria.check_access("write")
        criteria._check_shared()

    def _get_candidates(self):
        """Return the criteria as they would be, in memory.

        :raises UserError: with the line at fault.
        """
        candidates = self.env["collection.criterion"]
        for line in self.line_ids:
            line._check()
            candidates += self.env["collection.criterion"].new(line._prepare_criterion(), origin=line.criterion_id)
        if not any(candidate.weight for candidate in candidates):
            raise UserError(self.env._("At least one criterion needs a weight above zero."))
        return candidates

    def _get_ranking(self):
        """Return how the ranking would change.

        :return: list of dicts ``debtor``, ``old_score``, ``old_rank``, ``new_score``, ``new_rank``: the debtors that
            are among the first ``PREVIEW_SIZE`` after the change, best first.
        """
        self.ensure_one()
        company = self.company_id
        candidates = self._get_candidates()
        self.env.flush_all()
        score, _breakdown = candidates._get_score_sql(company, company._collection_today())
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT * FROM (
                    SELECT id, score AS old_score, new_score,
                           RANK() OVER (ORDER BY score DESC, claimable_amount DESC, id) AS old_rank,
                           RANK() OVER (ORDER BY new_score DESC, claimable_amount DESC, id) AS new_rank
                      FROM (
                        SELECT id, score, claimable_amount, %(score)s AS new_score
                          FROM collection_debtor
                         WHERE company_id = %(company)s AND active
                      ) scored
                ) ranked
                 WHERE new_rank <= %(size)s
              ORDER BY new_rank
                """,
                score=score,
                company=company.id,
                size=PREVIEW_SIZE,
            )
        )
        debtors = self.env["collection.debtor"].browse(row["id"] for row in rows)
        return [{**row, "debtor": debtor} for row, debtor in zip(rows, debtors, strict=True)]


class CollectionScoreTuningLine(models.TransientModel):
    _name = "collection.score.tuning.line"
    _description = "Criterion to Tune"
    _inherit = "collection.dialogue.mixin"

    tuning_id = fields.Many2one("collection.score.tuning", required=True, ondelete="cascade")
    criterion_id = fields.Many2one("collection.criterion", required=True, readonly=True, ondelete="cascade")
    weight = fields.Integer(required=True)
    bands = fields.Char(
        help="From which value on, how many percent of the points: 1: 20, 8: 35, 90: 100. "
        "For profiles and sizes: the word, then the percent."
    )

    # === BUSINESS METHODS === #

    def _check(self):
        """Check what was written.

        :raises UserError: with the line and the part at fault.
        """
        self.ensure_one()
        name = self.criterion_id.name
        if self.weight < 0:
            raise UserError(self.env._("“%s”: a weight can't be negative.", name))
        keys = [key for key, _share in self._parse_bands()]
        if not keys:
            raise UserError(self.env._("“%s” has no band: say which value gives how many points.", name))
        for key in keys:
            if keys.count(key) > 1:
                raise UserError(
                    self.env._("“%(criterion)s” has two bands for “%(band)s”: keep one.", criterion=name, band=key)
                )

    def _parse_bands(self):
        """Return the bands as pairs ``(lower bound or selection key, percent)``."""
        self.ensure_one()
        criterion = self.criterion_id
        try:
            pairs = bands.parse(self.bands)
        except ValueError as error:
            raise UserError(
                self.env._(
                    "“%(criterion)s”: “%(part)s” can't be understood. Write for example 1: 20, 30: 60, 90: 100.",
                    criterion=criterion.name,
                    part=error,
                )
            ) from error
        if not criterion.uses_words:
            for key, _share in pairs:
                if isinstance(key, str):
                    raise UserError(
                        self.env._("“%(criterion)s”: “%(part)s” is not a number.", criterion=criterion.name, part=key)
                    )
            return pairs
        field = self.env["collection.criterion.band"]._fields[criterion.indicator]
        keys = {label.lower(): key for key, label in field._description_selection(self.env)}
        keys |= {key: key for key in keys.values()}
        for key, _share in pairs:
            if str(key).lower() not in keys:
                raise UserError(
                    self.env._(
                        "“%(criterion)s”: there is no “%(part)s”. Choose among %(words)s.",
                        criterion=criterion.name,
                        part=key,
                        words=", ".join(label for _key, label in field._description_selection(self.env)),
                    )
                )
        return [(keys[str(key).lower()], share) for key, share in pairs]

    def _prepare_criterion(self):
        """Return the values of the criterion as it would be."""
        self.ensure_one()
        criterion = self.criterion_id
        name = criterion.indicator if criterion.uses_words else "lower"
        return {
            "indicator": criterion.indicator,
            "partner_domain": criterion.partner_domain,
            "weight": self.weight,
            "band_ids": [
                Command.clear(),
                *(Command.create({name: key, "percent": share}) for key, share in self._parse_bands()),
            ],
        }
