from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.tools import SQL

from .collection_debtor import FACT_COLUMNS


class CollectionDebtor(models.Model):
    """Refreshing a follow-up file: facts and score, in set-based SQL."""

    _inherit = "collection.debtor"

    # === BUSINESS METHODS - REFRESH === #

    @api.model
    def _get_default_credit_limit(self, company):
        """Return the credit limit of the customers of a company who have none of their own, 0 without one."""
        partners = self.env["res.partner"].with_company(company)
        return partners._fields["credit_limit"].get_company_dependent_fallback(partners) or 0

    @api.model
    def _get_payer_profile_sql(self, company, today):
        """Return SQL that works the payer profile out from the facts. The first rule that fits wins."""
        return SQL(
            """
            CASE WHEN open_dispute_count > 0 THEN 'dispute'
                 WHEN insolvency OR (overdue_amount > 0 AND last_invoice_date < %(leaving_since)s) THEN 'leaving'
                 WHEN broken_promise_count >= 2 OR average_days_late >= %(bad_days)s THEN 'bad'
                 WHEN paid_item_count < 2 THEN 'new'
                 WHEN average_days_late > %(punctual_days)s OR late_share > 50 THEN 'disorganised'
                 ELSE 'punctual'
             END
            """,
            leaving_since=today - relativedelta(months=company.collection_leaving_months),
            bad_days=company.collection_bad_payer_days,
            punctual_days=company.collection_punctual_days,
        )

    @api.model
    def _get_facts_sql(self, company, partners, today):
        """Return SQL with one row per debtor and the columns that a refresh writes, but for profile and score."""
        ledger = self.env["collection.ledger"].sudo()
        return SQL(
            """
            WITH item AS (%(claims)s),
            movement AS MATERIALIZED (%(movements)s),
            owed AS MATERIALIZED (
                SELECT partner_id,
                       SUM(residual) FILTER (WHERE NOT is_credit) AS due,
                       SUM(residual) FILTER (WHERE late) AS overdue,
                       -SUM(residual) FILTER (WHERE is_credit) AS credit,
                       SUM(disputed) FILTER (WHERE late AND NOT excluded) AS disputed,
                       SUM(promised) FILTER (WHERE late AND NOT excluded) AS promised,
                       SUM(announced) FILTER (WHERE late AND NOT excluded) AS announced,
                       COALESCE(SUM(residual) FILTER (WHERE late AND excluded), 0) AS excluded,
                       COALESCE(SUM(claimable) FILTER (WHERE late), 0) AS claimable,
                       COUNT(*) FILTER (WHERE NOT is_credit) AS items,
                       COUNT(*) FILTER (WHERE late) AS late_items,
                       MAX(residual) FILTER (WHERE late) AS largest,
                       MIN(due_date) FILTER (WHERE late) AS oldest,
                       SUM(residual * (%(today)s::date - due_date)) FILTER (WHERE late) AS late_product
                  FROM item
              GROUP BY partner_id
            ),
            payment AS MATERIALIZED (%(history)s),
            history AS MATERIALIZED (
                SELECT partner_id,
                       COUNT(DISTINCT item_id) AS paid_item_count,
                       MAX(date) AS last_date,
                       SUM(amount) AS paid,
                       SUM(amount) FILTER (WHERE days_late > 0) AS paid_late,
                       SUM(amount * days_late) AS late_product,
                       SUM(amount) FILTER (WHERE date > %(quarter)s) AS recent_paid,
                       SUM(amount * days_late) FILTER (WHERE date > %(quarter)s) AS recent_product,
                       SUM(amount) FILTER (WHERE date <= %(quarter)s AND date > %(half_year)s) AS former_paid,
                       SUM(amount * days_late) FILTER (WHERE date <= %(quarter)s AND date > %(half_year)s)
                           AS former_product
                  FROM payment
              GROUP BY partner_id
            ),
            payment_day AS MATERIALIZED (
                SELECT partner_id,
                       STRING_AGG(day::text, ', ' ORDER BY day) FILTER (WHERE count >= 3 AND 4 * count >= total) AS days
                  FROM (
                    SELECT partner_id, day, count, SUM(count) OVER (PARTITION BY partner_id) AS total
                      FROM (
                        SELECT partner_id, EXTRACT(DAY FROM date)::int AS day, COUNT(DISTINCT payment_id) AS count
                          FROM payment
                      GROUP BY partner_id, day
                      ) by_day
                  ) counted
              GROUP BY partner_id
            ),
            customer AS MATERIALIZED (
                SELECT partner_id FROM movement
                 UNION
                SELECT partner_id FROM collection_debtor WHERE company_id = %(company)s %(debtor_filter)s
            ),
            address AS MATERIALIZED (
                SELECT contact.commercial_partner_id AS partner_id,
                       COALESCE(BOOL_OR(contact.phone != ''), FALSE) AS has_phone,
                       COALESCE(BOOL_OR(contact.email_normalized != ''), FALSE) AS has_email
                  FROM res_partner contact
             LEFT JOIN collection_debtor own
                    ON own.partner_id = contact.commercial_partner_id AND own.company_id = %(company)s
                 WHERE %(is_correspondent)s AND contact.commercial_partner_id IN (SELECT partner_id FROM customer)
              GROUP BY contact.commercial_partner_id
            ),
            contact AS MATERIALIZED (
                SELECT debtor_id,
                       (MAX(date_done) AT TIME ZONE 'UTC' AT TIME ZONE %(tz)s)::date AS last_contact_on
                  FROM collection_action
                 WHERE company_id = %(company)s AND %(is_contact)s
              GROUP BY debtor_id
            ),
            broken AS MATERIALIZED (
                SELECT debtor_id, COUNT(*) AS count
                  FROM collection_promise
                 WHERE company_id = %(company)s AND state = 'broken' AND date >= %(history_since)s
              GROUP BY debtor_id
            ),
            bounce AS MATERIALIZED (
                SELECT partner_id, COUNT(*) AS count, MAX(date) AS last_date
                  FROM (%(returns)s) returned
                 WHERE date >= %(history_since)s
              GROUP BY partner_id
            ),
            dispute AS MATERIALIZED (
                SELECT debtor_id, COUNT(*) AS count
                  FROM collection_dispute
                 WHERE company_id = %(company)s AND state = 'open'
              GROUP BY debtor_id
            )
            SELECT customer.partner_id,
                   partner.collection_company_size AS company_size,
                   debtor.payer_profile_manual,
                   COALESCE(debtor.insolvency, FALSE) AS insolvency,
                   ROUND(COALESCE(owed.due, 0), %(digits)s) AS due_amount,
                   ROUND(COALESCE(owed.overdue, 0), %(digits)s) AS overdue_amount,
                   ROUND(COALESCE(owed.credit, 0), %(digits)s) AS credit_amount,
                   ROUND(COALESCE(owed.disputed, 0), %(digits)s) AS disputed_amount,
                   ROUND(COALESCE(owed.promised, 0), %(digits)s) AS promised_amount,
                   ROUND(COALESCE(owed.announced, 0), %(digits)s) AS announced_amount,
                   -- In insolvency proceedings the debt stays, but nobody may ask for it.
                   ROUND(COALESCE(
                       owed.excluded + CASE WHEN debtor.insolvency THEN owed.claimable ELSE 0 END, 0
                   ), %(digits)s) AS excluded_amount,
                   ROUND(COALESCE(
                       CASE WHEN debtor.insolvency THEN 0 ELSE owed.claimable END, 0
                   ), %(digits)s) AS claimable_amount,
                   COALESCE(owed.items, 0)::int AS open_item_count,
                   COALESCE(owed.late_items, 0)::int AS overdue_item_count,
                   ROUND(COALESCE(owed.largest, 0), %(digits)s) AS largest_item_amount,
                   owed.oldest AS oldest_due_date,
                   COALESCE(owed.overdue > 0 AND owed.overdue <= %(small_amount)s, FALSE) AS is_small,
                   ROUND(COALESCE(
                       (COALESCE(history.late_product, 0) + COALESCE(owed.late_product, 0))
                       / NULLIF(COALESCE(history.paid, 0) + COALESCE(owed.overdue, 0), 0), 0
                   ), 1) AS average_days_late,
                   ROUND(COALESCE(100 * history.paid_late / NULLIF(history.paid, 0), 0), 1) AS late_share,
                   COALESCE(history.paid_item_count, 0)::int AS paid_item_count,
                   -- Others pay for a customer, too: a holding for its subsidiary.
                   GREATEST(movement.last_payment_date, history.last_date) AS last_payment_date,
                   movement.first_invoice_date,
                   movement.last_invoice_date,
                   COALESCE(broken.count, 0)::int AS broken_promise_count,
                   COALESCE(bounce.count, 0)::int AS bounce_count,
                   bounce.last_date AS last_bounce_date,
                   COALESCE(dispute.count, 0)::int AS open_dispute_count,
                   ROUND(COALESCE(owed.late_product / NULLIF(owed.overdue, 0), 0), 1) AS weighted_days_late,
                   ROUND(COALESCE(
                       (COALESCE(history.recent_product, 0) + COALESCE(owed.late_product, 0))
                       / NULLIF(COALESCE(history.recent_paid, 0) + COALESCE(owed.overdue, 0), 0)
                       - history.former_product / NULLIF(history.former_paid, 0), 0
                   ), 1) AS lateness_trend,
                   payment_day.days AS learned_payment_days,
                   ROUND(COALESCE(
                       100 * GREATEST(COALESCE(owed.due, 0) - COALESCE(owed.credit, 0), 0)
                       / NULLIF(COALESCE((partner.credit_limit ->> %(company_key)s)::numeric, %(default_limit)s), 0), 0
                   ), 1) AS credit_limit_use,
                   COALESCE(address.has_phone, FALSE) AS has_phone,
                   COALESCE(address.has_email, FALSE) AS has_email,
                   COALESCE(address.has_phone::int + address.has_email::int, 0) + (debtor.contact_id IS NOT NULL)::int
                       AS contactability,
                   contact.last_contact_on
              FROM customer
              JOIN res_partner partner ON partner.id = customer.partner_id
         LEFT JOIN movement ON movement.partner_id = customer.partner_id
         LEFT JOIN owed ON owed.partner_id = customer.partner_id
         LEFT JOIN history ON history.partner_id = customer.partner_id
         LEFT JOIN collection_debtor debtor
                ON debtor.partner_id = customer.partner_id AND debtor.company_id = %(company)s
         LEFT JOIN broken ON broken.debtor_id = debtor.id
         LEFT JOIN bounce ON bounce.partner_id = customer.partner_id
         LEFT JOIN dispute ON dispute.debtor_id = debtor.id
         LEFT JOIN payment_day ON payment_day.partner_id = customer.partner_id
         LEFT JOIN address ON address.partner_id = customer.partner_id
         LEFT JOIN contact ON contact.debtor_id = debtor.id
            """,
            tz=company._get_collection_tz(),
            is_contact=self.env["collection.action"]._get_contact_sql(),
            is_correspondent=self._get_correspondent_sql("contact", "own"),
            company_key=str(company.id),
            default_limit=self._get_default_credit_limit(company),
            small_amount=company.collection_small_amount,
            quarter=today - relativedelta(months=3),
            half_year=today - relativedelta(months=6),
            claims=ledger._get_claim_sql(
                company, partners, today, ledger._get_money_on_its_way(company, partners, today).amounts
            ),
            movements=ledger._get_movement_sql(company, partners, today),
            history=ledger._get_history_sql(company, partners, today),
            returns=ledger._get_returns_sql(company, partners),
            company=company.id,
            today=today,
            history_since=today - relativedelta(months=company.collection_history_months),
            digits=company.currency_id.decimal_places,
            debtor_filter=SQL() if partners is None else SQL("AND partner_id = ANY(%s)", partners.ids),
        )

    @api.model
    def _refresh(self, company, partners=None):
        """Write the facts and the score of the debtors of a company, from its ledger as it is now.

        One statement, whatever the number of customers. Rows that are right already are not touched.

        :param company: one ``res.company``.
        :param partners: commercial partners; all customers of the company when ``None``.
        :return: the debtors whose row was made or changed.
        """
        company.ensure_one()
        if partners is not None and not partners:
            return self.browse()
        today = company._collection_today()
        criteria = self.env["collection.criterion"]._get_criteria(company)
        self.env.flush_all()
        score, breakdown = criteria._get_score_sql(company, today)
        columns = [SQL.identifier(name) for name in FACT_COLUMNS]
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO collection_debtor AS debtor
                       (company_id, partner_id, active, create_uid, create_date, write_uid, write_date, %(columns)s)
                SELECT %(company)s, partner_id, TRUE, %(uid)s, %(now)s, %(uid)s, %(now)s, %(columns)s
                  FROM (
                    SELECT scored.*,
                           CASE WHEN score >= %(grade_a)s THEN 'a'
                                WHEN score >= %(grade_b)s THEN 'b'
                                WHEN score >= %(grade_c)s THEN 'c'
                                ELSE 'd' END AS grade
                      FROM (
                        SELECT profiled.*, %(score)s AS score, %(breakdown)s AS score_breakdown
                          FROM (
                            SELECT automatic.*, COALESCE(payer_profile_manual, payer_profile_auto) AS payer_profile
                              FROM (
                                SELECT facts.*, %(payer_profile)s AS payer_profile_auto FROM (%(facts)s) facts
                              ) automatic
                          ) profiled
                      ) scored
                  ) graded
                ON CONFLICT (company_id, partner_id) DO UPDATE
                   SET (write_uid, write_date, %(columns)s) = ROW(%(uid)s, %(now)s, %(new_columns)s)
                 WHERE (%(old_columns)s) IS DISTINCT FROM (%(new_columns)s)
                RETURNING debtor.id
                """,
                company=company.id,
                uid=self.env.uid,
                now=fields.Datetime.now(),
                columns=SQL(", ").join(columns),
                old_columns=SQL(", ").join(SQL.identifier("debtor", name) for name in FACT_COLUMNS),
                new_columns=SQL(", ").join(SQL.identifier("excluded", name) for name in FACT_COLUMNS),
                grade_a=company.collection_grade_a,
                grade_b=company.collection_grade_b,
                grade_c=company.collection_grade_c,
                score=score,
                breakdown=breakdown,
                payer_profile=self._get_payer_profile_sql(company, today),
                facts=self._get_facts_sql(company, partners, today),
            )
        )
        self.invalidate_model()
        # What customers and invoices show is read from here.
        self.env["res.partner"].invalidate_model(["collection_score", "collection_grade", "collection_debtor_ids"])
        self.env["account.move"].invalidate_model(
            ["collection_score", "collection_state", "collection_promise_date", "collection_dispute_reason_id"]
        )
        self.env["res.partner"].invalidate_model(["collection_banner", "collection_must_prepay"])
        changed = self.browse(row[0] for row in rows)
        self.env["collection.score.history"]._record(changed, today)
        return changed
