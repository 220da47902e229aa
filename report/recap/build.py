from collections import defaultdict

from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, format_amount, format_date

from .numbers import Amounts, CaseRow, Recap, to_money, total_of


class CollectionRecap(models.AbstractModel):
    """Computes the recap of a campaign, the one source of numbers for screen, PDF and XLSX.

    The amounts come from the frozen items of the campaign, the days and methods of payments from
    the reconciliations behind them. A fixed number of statements reads them, whatever the number
    of cases. While the campaign runs, its items are brought up to date first. Once it is closed,
    they stand still, and the recap with them: what lives on outside of the campaign (the ledger,
    promises, disputes) was recorded at the closing, see ``_measure``.
    """

    _name = "collection.recap"
    _description = "Recap of a Campaign"

    # === BUSINESS METHODS === #

    @api.model
    def _build(self, campaign):
        """Return the recap of one campaign, in the user's language.

        The same campaign has the same figures, whoever prints them.

        :param campaign: a campaign that was started.
        :return: a ``Recap``.
        :raises AccessError: when the user may not see all cases of the campaign.
        :raises UserError: when the campaign was never started.
        """
        campaign.ensure_one()
        self._check_access(campaign)
        if not campaign.started_on:
            raise UserError(self.env._("“%s” was not started yet: there is nothing to sum up.", campaign.name))
        campaign = campaign.sudo().with_company(campaign.company_id)
        recap = self.with_env(campaign.env)
        if campaign.state == "running":
            partners = recap._get_partners(campaign)
            self.env["collection.debtor"].sudo()._synchronize(campaign.company_id, partners)
        self.env.flush_all()
        return Recap(**recap._prepare_recap_values(campaign))

    def _check_access(self, campaign):
        """Check that the user may see all of a campaign: half a recap would be a wrong one.

        :raises AccessError: when some of its cases are hidden from them.
        """
        campaign.check_access("read")
        domain = [("campaign_id", "=", campaign.id)]
        Case = self.env["collection.case"].with_context(allowed_company_ids=campaign.company_id.ids)
        if Case.search_count(domain) != Case.sudo().search_count(domain):
            raise AccessError(self.env._("The recap of “%s” is for those who may see all of its cases.", campaign.name))

    def _get_partners(self, campaign):
        """Return the customers of a campaign."""
        [[partners]] = self.env["collection.case"]._read_group(
            [("campaign_id", "=", campaign.id)], aggregates=["partner_id:recordset"]
        )
        return partners

    def _prepare_recap_values(self, campaign):
        """Return the values of ``Recap``. Extend it to change a figure; ``_get_extra_figures`` adds one."""
        figures = self._read_figures(campaign)
        cases = self._get_cases(campaign)
        promises, promised_remainder = self._get_promises(campaign, figures["promises"])
        disputes, disputed_remainder = self._get_disputes(campaign, figures["disputes"])
        cases = self._with_next_steps(cases, promises, disputes)
        total = total_of(case.amounts for case in cases)
        by_week, by_method = self._get_collected(campaign, total.collected, figures["collected"])
        aging = self._get_aging(campaign)
        values = {
            **self._prepare_head_values(campaign),
            "total": total,
            "item_count": sum(case.item_count for case in cases),
            "cases": cases,
            "outcome": self._get_outcome(cases),
            "results": self._get_results(cases),
            "aging": aging,
            "aging_after": self._get_aging_after(campaign),
            **self._prepare_measures(campaign, figures),
            **self._prepare_segment_values(cases),
            "collected_by_week": by_week,
            "weeks": self._get_weeks(by_week, promises),
            "collected_by_method": by_method,
            "promised_by_date": self._get_promised_by_date(promises, promised_remainder),
            "promised_by_method": self._get_promised_by_method(promises, promised_remainder),
            "disputed_by_reason": self._get_disputed_by_reason(disputes, disputed_remainder),
            "reasons": self._get_reasons(cases, disputes, disputed_remainder),
            "promises": promises,
            "promise_results": self._get_promise_results(promises, self._get_as_of(campaign)),
            "disputes": disputes,
            "contacts": self._get_contacts(campaign, cases),
            "collectors": self._get_collectors(campaign, cases, promises),
        }
        return {**values, "extra": tuple(self._get_extra_figures(campaign, values))}

    def _get_extra_figures(self, campaign, values):
        """Return the figures that other addons add, as a list of ``Figure``: the PDF and the XLSX both show them.

        HOOK. For example::

            from odoo.addons.account_collection.report.recap.numbers import Figure

            def _get_extra_figures(self, campaign, values):
                public = sum(case.amounts.residual for case in values["cases"] if case.case_id in ...)
                return [
                    *super()._get_extra_figures(campaign, values),
                    Figure("public", _("Still owed by public customers"), "money", public),
                ]

        The figures of a campaign that is over stand still: count what stands still, such as ``values`` and the items of
        the cases.

        :param campaign: one campaign, as the system, in its company.
        :param dict values: all other values of ``Recap``.
        """
        return []

    # === BUSINESS METHODS - HEAD === #

    def _is_final(self, campaign):
        return campaign.state != "running"

    def _get_as_of(self, campaign):
        """Return the day that the figures are of."""
        return campaign.closed_on if self._is_final(campaign) else campaign.company_id._collection_today()

    def _prepare_head_values(self, campaign):
        """Return what the campaign was: period, team, goal, scope."""
        currency = campaign.currency_id
        return {
            "campaign_id": campaign.id,
            "name": campaign.name,
            "company": campaign.company_id.name,
            "currency": currency.name,
            "decimal_places": currency.decimal_places,
            "timezone": campaign.company_id._get_collection_tz(),
            "date_start": campaign.date_start,
            "date_end": campaign.date_end,
            "started_on": campaign.started_on,
            "as_of": self._get_as_of(campaign),
            "is_final": self._is_final(campaign),
            "state": campaign.state,
            "state_label": self._get_labels("collection.campaign", "state")[campaign.state],
            "in_charge": campaign.user_id.name,
            "team": tuple(campaign.member_ids.mapped("name")),
            "goal": to_money(campaign.goal_amount, currency.decimal_places),
            "scope": tuple(self._get_scope(campaign)),
        }

    def _get_scope(self, campaign):
        """Return the filters that chose the customers, in words: ``[(what, limit)]``. No limit, no row."""
        names = list(campaign._get_scope_conditions())
        if campaign.max_debtors:
            names.append("max_debtors")
        return [
            (campaign._fields[name]._description_string(self.env), self._describe_limit(campaign, name))
            for name in names
        ]

    def _describe_limit(self, campaign, name):
        """Return the value of a filter in words, by the kind of its field."""
        field, value = campaign._fields[name], campaign[name]
        if field.type == "monetary":
            return format_amount(self.env, value, campaign.currency_id)
        if field.type == "selection":
            return self._get_labels("collection.campaign", name)[value]
        if field.type == "boolean":
            return self.env._("Yes")
        if field.type == "date":
            return format_date(self.env, value)
        if field.relational:
            return ", ".join(value.mapped("display_name"))
        return str(value)

    def _get_labels(self, model, field):
        """Return the labels of a selection field: ``{code: label}``."""
        return dict(self.env[model]._fields[field]._description_selection(self.env))

    # === BUSINESS METHODS - CASES === #

    def _get_items_sql(self, campaign):
        """Return SQL with one row per item of a campaign, whose amounts add up to the cent.

        Parts of items in another currency may have more digits than the company's currency: they
        are rounded here, item by item, and what is neither promised nor disputed is the rest.
        """
        return SQL(
            """
            SELECT rounded.*, residual - disputed - promised AS rest
              FROM (
                SELECT id, case_id, move_line_id, name, date, due_date, initial, collected, credited, other,
                       residual, disputed, LEAST(promised, residual - disputed) AS promised
                  FROM (
                    SELECT id, case_id, move_line_id, name, date, due_date,
                           initial_residual AS initial,
                           collected_amount AS collected,
                           credited_amount AS credited,
                           other_amount AS other,
                           residual,
                           ROUND(disputed_amount, %(digits)s) AS disputed,
                           ROUND(promised_amount, %(digits)s) AS promised
                      FROM collection_case_item
                     WHERE campaign_id = %(campaign)s
                  ) item
              ) rounded
            """,
            digits=campaign.currency_id.decimal_places,
            campaign=campaign.id,
        )

    def _get_cases(self, campaign):
        """Return the cases with what became of their items, most owed first."""
        rows = self.env.execute_query_dict(
            SQL(
                """
                -- What took the place of a corrected invoice was not there at the start.
                WITH item AS MATERIALIZED (
                    SELECT case_id, COUNT(*) FILTER (WHERE initial != 0) AS count,
                           MIN(due_date) FILTER (WHERE initial != 0) AS due_date,
                           SUM(initial) AS initial, SUM(collected) AS collected, SUM(credited) AS credited,
                           SUM(other) AS other, SUM(promised) AS promised, SUM(disputed) AS disputed,
                           SUM(residual) AS residual, SUM(rest) AS rest
                      FROM (%(items)s) item
                  GROUP BY case_id
                )
                SELECT cases.id, cases.collector_id, cases.state, cases.result, cases.result_note, cases.reason_id,
                       cases.initial_profile, cases.initial_size, cases.is_small, cases.attempt_count,
                       cases.is_reached, cases.last_contact_date, debtor.handover_id,
                       partner.complete_name AS customer, partner.ref,
                       item.due_date, COALESCE(item.count, 0) AS item_count,
                       item.initial, item.collected, item.credited, item.other,
                       item.promised, item.disputed, item.rest
                  FROM collection_case cases
                  JOIN res_partner partner ON partner.id = cases.partner_id
                  JOIN collection_debtor debtor ON debtor.id = cases.debtor_id
             LEFT JOIN item ON item.case_id = cases.id
                 WHERE cases.campaign_id = %(campaign)s
              ORDER BY COALESCE(item.residual, 0) DESC, COALESCE(item.initial, 0) DESC, cases.id
                """,
                items=self._get_items_sql(campaign),
                campaign=campaign.id,
            )
        )
        labels = self._get_case_labels(rows)
        return tuple(self._prepare_case(campaign, row, labels) for row in rows)

    def _get_case_labels(self, rows):
        """Return the words that case rows need, read once for all of them."""
        return {
            "state": self._get_labels("collection.case", "state"),
            "result": self._get_labels("collection.case", "result"),
            "profile": self._get_labels("collection.case", "initial_profile"),
            "size": self._get_labels("collection.case", "initial_size"),
            "reason": self._get_names("collection.reason", {row["reason_id"] for row in rows}),
            "user": self._get_names("res.users", {row["collector_id"] for row in rows}),
            "handover": self._get_notices({row["handover_id"] for row in rows}),
        }

    def _get_notices(self, ids):
        """Return with whom customers are who were handed over: ``{id of the hand-over: words}``."""
        return {
            handover.id: handover._get_notice()
            for handover in self.env["collection.handover"].browse(id_ for id_ in ids if id_)
        }

    def _get_names(self, model, ids):
        """Return ``{id: name}``; ids may contain ``None``."""
        records = self.env[model].browse(id_ for id_ in ids if id_)
        return {record.id: record.name for record in records}

    def _prepare_case(self, campaign, row, labels):
        """Return one ``CaseRow`` from the columns of ``_get_cases``."""
        digits = campaign.currency_id.decimal_places
        parts = ("initial", "collected", "credited", "other", "promised", "disputed", "rest")
        outcome = self._get_rest_outcome(row)
        note = row["result_note"] or ""
        if outcome == "handed_over" and row["state"] != "closed":
            note = labels["handover"][row["handover_id"]]
        return CaseRow(
            case_id=row["id"],
            customer=row["customer"] or "",
            reference=row["ref"] or "",
            collector_id=row["collector_id"] or 0,
            collector=labels["user"].get(row["collector_id"], ""),
            state=row["state"],
            result=row["result"] or "",
            status=labels["result"][row["result"]] if row["result"] else labels["state"][row["state"]],
            result_note=note,
            outcome=outcome,
            reason_id=row["reason_id"] or 0,
            reason=labels["reason"].get(row["reason_id"], ""),
            profile=row["initial_profile"] or "",
            profile_label=labels["profile"].get(row["initial_profile"], ""),
            size=row["initial_size"] or "",
            size_label=labels["size"].get(row["initial_size"], ""),
            is_small=bool(row["is_small"]),
            due_date=row["due_date"],
            days_late=(campaign.started_on - row["due_date"]).days if row["due_date"] else 0,
            item_count=row["item_count"],
            attempt_count=row["attempt_count"] or 0,
            is_reached=bool(row["is_reached"]),
            last_contact=row["last_contact_date"],
            amounts=Amounts(**{part: to_money(row[part], digits) for part in parts}),
        )

    # === BUSINESS METHODS - DETAILS === #

    def _iter_items(self, recap, batch_size=1000):
        """Yield the items of a recap's cases, in the order of its cases, as dicts; a batch of cases at a time.

        Besides their amounts, items have ``case`` (its ``CaseRow``), ``name``, ``date`` and ``due_date``.
        """
        campaign = self.env["collection.campaign"].browse(recap.campaign_id).sudo()
        parts = ("initial", "collected", "credited", "other", "promised", "disputed", "rest")
        for start in range(0, len(recap.cases), batch_size):
            cases = {case.case_id: case for case in recap.cases[start : start + batch_size]}
            items = defaultdict(list)
            for row in self.env.execute_query_dict(
                SQL(
                    "SELECT * FROM (%s) item WHERE case_id = ANY(%s) ORDER BY due_date, id",
                    self._get_items_sql(campaign),
                    list(cases),
                )
            ):
                items[row["case_id"]].append(row)
            for case_id, case in cases.items():
                for row in items[case_id]:
                    amounts = Amounts(**{part: to_money(row[part], recap.decimal_places) for part in parts})
                    yield {
                        "case": case,
                        "name": row["name"] or "",
                        "date": row["date"],
                        "due_date": row["due_date"],
                        "amounts": amounts,
                    }
