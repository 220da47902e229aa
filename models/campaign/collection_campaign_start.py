from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain
from odoo.tools import SQL

# From so many new cases on, the planner's statistics are updated (``ANALYZE``) before the next statement.
MANY_CASES = 1000


class CollectionCampaign(models.Model):
    """Starting a campaign: its scope, its cases and the amounts that are frozen."""

    _inherit = "collection.campaign"

    # === BUSINESS METHODS - SCOPE === #

    # EXTENDS collection.filter.mixin: whoever prepares a campaign looks for their own customers
    def _get_filter_names(self):
        return {**super()._get_filter_names(), "uid": self.env.uid}

    def _get_custom_domain(self):
        """Return the domain that a user wrote in “More conditions”.

        :raises UserError: naming the campaign, when it can't be read any more.
        """
        try:
            return self._get_filter("scope_domain")
        except UserError as error:
            raise UserError(
                self.env._(
                    "“More conditions” of “%(campaign)s” can't be used. %(problem)s",
                    campaign=self.name or "",
                    problem=error,
                )
            ) from error

    def _get_scope_conditions(self):
        """Return the filters that are set: ``{field of the campaign: domain of the debtors that it lets in}``.

        HOOK. Extend it to add a filter: a field of the campaign, whose condition counts for the scope, and whose
        value stands in the recap's “Scope” in words, under the name of the field::

            is_public = fields.Boolean(string="Public customers only")

            def _get_scope_conditions(self):
                conditions = super()._get_scope_conditions()
                if self.is_public:
                    conditions["is_public"] = Domain("partner_id.is_public", "=", True)
                return conditions
        """
        self.ensure_one()
        conditions = {
            "min_amount": Domain("claimable_amount", ">=", self.min_amount),
            "max_amount": Domain("claimable_amount", "<=", self.max_amount),
            "min_days_late": Domain("days_late", ">=", self.min_days_late),
            "max_days_late": Domain("days_late", "<=", self.max_days_late),
            "min_score": Domain("score", ">=", self.min_score),
            "payer_profile": Domain("payer_profile", "=", self.payer_profile),
            "company_size": Domain("company_size", "=", self.company_size),
            "salesperson_ids": Domain("partner_id.user_id", "in", self.salesperson_ids.ids),
        }
        conditions = {name: condition for name, condition in conditions.items() if self[name]}
        if custom := self._get_custom_domain():
            conditions["scope_domain"] = custom
        return conditions

    def _get_scope_domain(self):
        """Return the domain of the debtors that the filters let in, see ``_get_scope_conditions``."""
        self.ensure_one()
        domain = Domain("company_id", "=", self.company_id.id) & Domain("insolvency", "=", False)
        # Nothing to claim means nothing to ask for, even when the minimum is left at 0.
        domain &= Domain("claimable_amount", ">", 0)
        paused = Domain("paused_until", ">", self.company_id._collection_today())
        return domain & ~paused & Domain.AND(self._get_scope_conditions().values())

    def _get_scope(self):
        """Return the debtors that the filters let in, best first.

        When the number of customers is limited, a share of the places goes to small debts.
        """
        self.ensure_one()
        Debtor = self.env["collection.debtor"].with_company(self.company_id)
        domain = self._get_scope_domain()
        if not self.max_debtors:
            return Debtor.search(domain)
        small = Domain("is_small", "=", True)
        places_for_small = round(self.max_debtors * self.small_share / 100)
        small_debtors = Debtor.search(domain & small, limit=places_for_small) if places_for_small else Debtor
        others = Debtor.search(
            domain & Domain("id", "not in", small_debtors.ids), limit=self.max_debtors - len(small_debtors)
        )
        return Debtor.browse(others.ids + small_debtors.ids)

    def _prepare_scope(self):
        """Write the debtors that the filters let in, fresh from the ledger, and move to ``prepared``."""
        self.ensure_one()
        self.env["collection.debtor"].sudo()._synchronize(self.company_id)
        debtors = self._get_scope()
        if not debtors:
            raise UserError(
                self.env._(
                    "No customer matches the filters of “%s”: lower the amount, the days late or the score.",
                    self.name,
                )
            )
        self._set_state("prepared", debtor_ids=[Command.set(debtors.ids)])

    # === BUSINESS METHODS - LIFE === #

    def _start(self):
        """Freeze the scope: one case per debtor, with its items and amounts. A fixed number of statements.

        :raises UserError: when nothing is left to claim of anybody, or the period is over.
        """
        self.ensure_one()
        is_fresh = self.state == "draft"
        if is_fresh:
            self._prepare_scope()
        if self.state != "prepared":
            raise UserError(self.env._("“%s” was started already.", self.name))
        today = self.company_id._collection_today()
        if self.date_end < today:
            raise UserError(self.env._("The period of “%s” is over: choose a later end.", self.name))
        self._set_state(
            "running",
            started_on=today,
            start_partial_id=self.company_id._get_collection_last_partial_id(),
            start_line_id=self.company_id._get_collection_last_line_id(),
        )
        if not is_fresh:
            self.env["collection.debtor"].sudo()._refresh(self.company_id, self.debtor_ids.partner_id)
        case_count = self._create_cases()
        if not case_count:
            raise UserError(
                self.env._("Nothing is left to claim from the customers of “%s”: prepare it again.", self.name)
            )
        self._count_rows("collection.case", case_count)
        self.env["collection.case.item"]._freeze(self, today)
        self._count_rows("collection.case.item", case_count)
        self._freeze_amounts()
        self.env["collection.case"]._settle(today, self.company_id)
        self.invalidate_recordset()
        self.message_post(body=self.env._("Campaign started with %(count)s customers.", count=case_count))

    @api.model
    def _count_rows(self, model, case_count):
        """Update PostgreSQL's statistics (``ANALYZE``) of a table to which many rows were just added.

        Otherwise it plans the next statements for a table that it may take to be empty: after a start that was
        rolled back they took a hundred times as long.

        :param str model: whose table it is.
        :param int case_count: cases that were made; few are not worth the while.
        """
        if case_count >= MANY_CASES:
            self.env.flush_all()
            self.env.cr.execute(SQL("ANALYZE %s", SQL.identifier(self.env[model]._table)))

    def _create_cases(self):
        """Create one case for each debtor of whom something can be claimed; return how many.

        A customer stays with the collector who knows them: their own, or the one of another running
        campaign, where the next call may be planned already. The others are dealt out over the team,
        best first, so that everyone gets as many.
        """
        team = self.member_ids.ids
        rows = self.env.execute_query(
            SQL(
                """
                WITH chosen AS (
                    SELECT debtor.*,
                           busy.next_action_date,
                           busy.next_action_summary,
                           COALESCE(
                               busy.collector_id,
                               CASE WHEN debtor.collector_id = ANY(%(team)s) THEN debtor.collector_id END
                           ) AS known_collector_id
                      FROM collection_campaign_collection_debtor_rel scope
                      JOIN collection_debtor debtor ON debtor.id = scope.collection_debtor_id
                 LEFT JOIN LATERAL (
                        SELECT other.collector_id, other.next_action_date, other.next_action_summary
                          FROM collection_case other
                          JOIN collection_campaign campaign ON campaign.id = other.campaign_id
                         WHERE other.debtor_id = debtor.id
                           AND other.state != 'closed'
                           AND campaign.state = 'running'
                           AND campaign.id != %(campaign)s
                      ORDER BY other.id
                         LIMIT 1
                      ) busy ON TRUE
                     WHERE scope.collection_campaign_id = %(campaign)s
                       AND debtor.company_id = %(company)s
                       AND debtor.claimable_amount > 0
                ),
                dealt AS (
                    SELECT chosen.*,
                           ROW_NUMBER() OVER (
                               PARTITION BY known_collector_id IS NULL ORDER BY score DESC, claimable_amount DESC, id
                           ) - 1 AS turn
                      FROM chosen
                )
                INSERT INTO collection_case
                       (campaign_id, debtor_id, company_id, partner_id, collector_id, state, state_date,
                        initial_score, initial_profile, initial_size, is_small,
                        score, grade, claimable_amount, oldest_due_date, next_action_date, next_action_summary,
                        attempt_count, is_reached,
                        create_uid, create_date, write_uid, write_date)
                SELECT %(campaign)s, id, company_id, partner_id,
                       COALESCE(known_collector_id, (%(team)s)[1 + turn %% %(team_size)s]),
                       CASE WHEN next_action_date > %(today)s THEN 'waiting' ELSE 'to_contact' END, %(now)s,
                       score, payer_profile, company_size, is_small,
                       score, grade, claimable_amount, oldest_due_date, next_action_date, next_action_summary, 0, FALSE,
                       %(uid)s, %(now)s, %(uid)s, %(now)s
                  FROM dealt
                RETURNING id
                """,
                campaign=self.id,
                company=self.company_id.id,
                team=team,
                team_size=len(team),
                today=self.company_id._collection_today(),
                now=fields.Datetime.now(),
                uid=self.env.uid,
            )
        )
        self.env["collection.case"].invalidate_model()
        return len(rows)

    def _freeze_amounts(self):
        """Write on each case what its items amount to at the start."""
        self.env.cr.execute(
            SQL(
                """
                UPDATE collection_case AS target
                   SET initial_amount = source.amount,
                       residual_amount = source.amount,
                       initial_item_count = source.count,
                       initial_due_date = source.oldest
                  FROM (
                    SELECT case_id, SUM(initial_residual) AS amount, COUNT(*) AS count, MIN(due_date) AS oldest
                      FROM collection_case_item
                     WHERE campaign_id = %(campaign)s
                  GROUP BY case_id
                  ) source
                 WHERE target.id = source.case_id
                """,
                campaign=self.id,
            )
        )
        self.env["collection.case"].invalidate_model()
