from collections import defaultdict
from datetime import date

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .recap import to_money
from .statement_numbers import ZERO, Statement, StatementLine, StatementSection, age

CASH_JOURNALS = ("bank", "cash", "credit")


class CollectionStatementReport(models.AbstractModel):
    """Works out statements of account, the one source of numbers for PDF and XLSX.

    Two kinds: ``open`` lists the open items as they stand, with what is disputed and promised of
    them; ``movements`` lists all that was booked between two dates, with the balances before and
    after. A fixed number of statements reads them, whatever the number of customers.
    """

    _name = "collection.statement.report"
    _description = "Statement of Account (figures)"

    # === BUSINESS METHODS === #

    @api.model
    def _build(self, debtors, kind="open", date_from=None, date_to=None):
        """Return the statements of these debtors, in the user's language.

        :param debtors: debtors of one company.
        :param str kind: ``open`` or ``movements``.
        :param date_from: first day of the movements; the first that ever happened when ``None``.
        :param date_to: last day of the movements; today when ``None``.
        :return: ``{debtor id: Statement}``, one for each debtor.
        :raises AccessError: when the user may not see one of the debtors.
        :raises UserError: when the dates are in the wrong order.
        """
        debtors.check_access("read")
        debtors = debtors.sudo()
        company = debtors.company_id.ensure_one()
        self = self.sudo().with_company(company)  # noqa: PLW0642 - who sees a debtor sees the account
        self.env.flush_all()
        today = company._collection_today()
        if kind == "movements":
            date_to = date_to or today
            if date_from and date_from > date_to:
                raise UserError(self.env._("The first day of a statement can't come after its last day."))
            sections = self._get_movement_sections(company, debtors, date_from, date_to)
            dates = {"as_of": date_to, "date_from": date_from, "date_to": date_to}
        else:
            sections = self._get_open_sections(company, debtors, today)
            dates = {"as_of": today, "date_from": None, "date_to": None}
        return {
            debtor.id: Statement(
                debtor_id=debtor.id, kind=kind, sections=tuple(sections.get(debtor.partner_id.id, ())), **dates
            )
            for debtor in debtors
        }

    # === BUSINESS METHODS - OPEN ITEMS === #

    def _get_open_sections(self, company, debtors, today):
        """Return what stands open: ``{commercial partner id: [StatementSection]}``."""
        domain = self.env["collection.debtor"]._get_open_item_domain(company, debtors.partner_id)
        items = self.env["account.move.line"].search(domain)
        disputed = self.env["collection.dispute.line"]._get_open_parts(items)
        promised = self.env["collection.promise.line"]._get_open_parts(items)
        promise_dates = self._get_promise_dates(items)
        rows = self._get_line_rows(company, SQL("line.id = ANY(%s)", items.ids))
        groups = defaultdict(list)
        for row in rows:
            digits = row["decimal_places"]
            row["amount"] = to_money(row["residual"], digits)
            row["disputed"] = max(min(to_money(disputed.get(row["id"]), digits), row["amount"]), ZERO)
            free = row["amount"] - row["disputed"]
            row["promised"] = max(min(to_money(promised.get(row["id"]), digits), free), ZERO)
            row["promised_on"] = promise_dates.get(row["id"]) if row["promised"] else None
            row["date"] = row["document_date"]
            groups[row["partner_id"], row["currency_id"]].append(row)
        sections = defaultdict(list)
        for (partner_id, _currency_id), members in self._sort_groups(company, groups):
            members.sort(key=lambda row: (row["due_date"], row["id"]))
            aging = age([(row["amount"], row["due_date"]) for row in members], today)
            sections[partner_id].append(self._prepare_section(members, ZERO, aging, today))
        return sections

    def _get_promise_dates(self, items):
        """Return the first day for which each item is promised: ``{item id: date}``."""
        lines = self.env["collection.promise.line"].search(
            [("move_line_id", "in", items.ids), ("promise_id.state", "=", "open")]
        )
        dates = {}
        for line in lines:
            known = dates.get(line.move_line_id.id)
            dates[line.move_line_id.id] = min(known, line.promise_id.date) if known else line.promise_id.date
        return dates

    # === BUSINESS METHODS - MOVEMENTS === #

    def _get_movement_sections(self, company, debtors, date_from, date_to):
        """Return what was booked between two dates: ``{commercial partner id: [StatementSection]}``."""
        partners = SQL("partner.commercial_partner_id = ANY(%s)", debtors.partner_id.ids)
        since = SQL("AND line.date >= %s", date_from) if date_from else SQL()
        where = SQL("%s AND line.date <= %s AND line.amount_currency != 0 %s", partners, date_to, since)
        groups = defaultdict(list)
        for row in [
            *self._get_line_rows(company, where),
            *self._get_exchange_rows(company, partners, date_from, date_to),
        ]:
            row["amount"] = to_money(row["amount_currency"], row["decimal_places"])
            groups[row["partner_id"], row["currency_id"]].append(row)
        openings = self._get_openings(company, partners, date_from) if date_from else {}
        agings = self._get_past_agings(company, partners, date_to)
        for key in {**openings, **agings}:
            groups.setdefault(key, [])
        sections = defaultdict(list)
        for key, members in self._sort_groups(company, groups):
            members.sort(key=lambda row: (row["date"], row["id"]))
            currency = self.env["res.currency"].browse(key[1])
            opening = to_money(openings.get(key), currency.decimal_places)
            section = self._prepare_section(
                members, opening, agings.get(key) or age([], date_to), date_to, currency=currency
            )
            if section.lines or section.opening:
                sections[key[0]].append(section)
        return sections

    def _get_openings(self, company, partners, date_from):
        """Return the balances before the first day: ``{(commercial partner id, currency id): amount}``."""
        return {
            (partner_id, currency_id): amount
            for partner_id, currency_id, amount in self.env.execute_query(
                SQL(
                    """
                    SELECT partner_id, currency_id, SUM(amount)
                      FROM (
                        SELECT partner.commercial_partner_id AS partner_id, line.currency_id,
                               line.amount_currency AS amount
                          FROM account_move_line line
                          JOIN res_partner partner ON partner.id = line.partner_id
                         WHERE %(receivable)s AND %(partners)s AND line.date < %(date)s
                     UNION ALL
                        SELECT partner_id, currency_id, amount_currency
                          FROM (%(exchanges)s) exchange
                         WHERE date < %(date)s
                      ) movement
                  GROUP BY partner_id, currency_id
                    HAVING SUM(amount) != 0
                    """,
                    receivable=self._get_receivable_sql(company),
                    partners=partners,
                    date=date_from,
                    exchanges=self._get_exchanges_sql(company, partners),
                )
            )
        }

    def _get_exchanges_sql(self, company, partners):
        """Return SQL with what settles a debt in one currency by money in another.

        Such a settlement leaves the balance of the one currency and enters that of the other: two
        rows per reconciliation, dated when it could happen at the earliest.
        """
        side = """
            SELECT -partial.id AS id, partial.max_date AS date, partner.commercial_partner_id AS partner_id,
                   line.currency_id, %(sign)s * partial.%(amount)s AS amount_currency, other.move_name AS name
              FROM account_partial_reconcile partial
              JOIN account_move_line line ON line.id = partial.%(own)s
              JOIN account_move_line other ON other.id = partial.%(other)s
              JOIN res_partner partner ON partner.id = line.partner_id
             WHERE line.currency_id != other.currency_id
               AND other.parent_state = 'posted'
               AND partial.%(amount)s != 0
               AND %(receivable)s AND %(partners)s
        """
        receivable = self._get_receivable_sql(company)
        debit, credit = SQL.identifier("debit_move_id"), SQL.identifier("credit_move_id")
        return SQL(
            "%s UNION ALL %s",
            SQL(
                side,
                sign=SQL("-1"),
                amount=SQL.identifier("debit_amount_currency"),
                own=debit,
                other=credit,
                receivable=receivable,
                partners=partners,
            ),
            SQL(
                side,
                sign=SQL("1"),
                amount=SQL.identifier("credit_amount_currency"),
                own=credit,
                other=debit,
                receivable=receivable,
                partners=partners,
            ),
        )

    def _get_exchange_rows(self, company, partners, date_from, date_to):
        """Return the rows of ``_get_exchanges_sql`` between two dates, like those of ``_get_line_rows``."""
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT exchange.*, currency.decimal_places, currency.name AS currency, TRUE AS is_exchange
                  FROM (%s) exchange
                  JOIN res_currency currency ON currency.id = exchange.currency_id
                 WHERE exchange.date <= %s %s
                """,
                self._get_exchanges_sql(company, partners),
                date_to,
                SQL("AND exchange.date >= %s", date_from) if date_from else SQL(),
            )
        )
        blank = {"due_date": None, "move_type": "entry", "journal_type": "", "reference": ""}
        return [{**row, **blank} for row in rows]

    def _get_past_agings(self, company, partners, date):
        """Return the aging on a past day: ``{(commercial partner id, currency id): aging}``.

        What was open then is worked out from the dates of the reconciliations, not from what is open now.
        """
        items = defaultdict(list)
        for partner_id, currency_id, digits, due_date, amount in self.env.execute_query(
            SQL(
                """
                SELECT partner.commercial_partner_id, line.currency_id, currency.decimal_places,
                       COALESCE(line.date_maturity, line.date),
                       line.amount_currency
                       - COALESCE((
                           SELECT SUM(partial.debit_amount_currency)
                             FROM account_partial_reconcile partial
                             JOIN account_move_line other ON other.id = partial.credit_move_id
                            WHERE partial.debit_move_id = line.id AND partial.max_date <= %(date)s
                              AND other.parent_state = 'posted'
                       ), 0)
                       + COALESCE((
                           SELECT SUM(partial.credit_amount_currency)
                             FROM account_partial_reconcile partial
                             JOIN account_move_line other ON other.id = partial.debit_move_id
                            WHERE partial.credit_move_id = line.id AND partial.max_date <= %(date)s
                              AND other.parent_state = 'posted'
                       ), 0) AS residual
                  FROM account_move_line line
                  JOIN res_partner partner ON partner.id = line.partner_id
                  JOIN res_currency currency ON currency.id = line.currency_id
                 WHERE %(receivable)s AND %(partners)s AND line.date <= %(date)s
                """,
                date=date,
                receivable=self._get_receivable_sql(company),
                partners=partners,
            )
        ):
            if residual := to_money(amount, digits):
                items[partner_id, currency_id].append((residual, due_date))
        return {key: age(members, date) for key, members in items.items()}

    # === BUSINESS METHODS - ROWS === #

    def _get_receivable_sql(self, company):
        """Return the condition that ``line`` is a posted receivable of the company."""
        return SQL(
            "line.account_id IN %s AND line.parent_state = 'posted' AND line.company_id = %s",
            self.env["collection.ledger"]._get_account_ids(company),
            company.id,
        )

    def _get_line_rows(self, company, where):
        """Return journal items as dicts.

        :param SQL where: which receivable items of the company, as ``line`` of ``partner``.
        """
        return self.env.execute_query_dict(
            SQL(
                """
                SELECT line.id, partner.commercial_partner_id AS partner_id, line.currency_id,
                       currency.name AS currency, currency.decimal_places,
                       COALESCE(move.invoice_date, line.date) AS document_date, line.date,
                       COALESCE(line.date_maturity, line.date) AS due_date,
                       line.amount_currency, line.amount_residual_currency AS residual,
                       COALESCE(NULLIF(move.name, '/'), line.name, '') AS name,
                       move.move_type, journal.type AS journal_type,
                       -- The label of a payment's item says “Manual Payment”: its memo says more.
                       CASE WHEN move.move_type = 'entry' AND line.payment_id IS NULL
                            THEN NULLIF(line.name, move.name) ELSE move.ref END AS reference,
                       FALSE AS is_exchange
                  FROM account_move_line line
                  JOIN account_move move ON move.id = line.move_id
                  JOIN account_journal journal ON journal.id = line.journal_id
                  JOIN res_partner partner ON partner.id = line.partner_id
                  JOIN res_currency currency ON currency.id = line.currency_id
                 WHERE %s AND %s
                """,
                self._get_receivable_sql(company),
                where,
            )
        )

    def _sort_groups(self, company, groups):
        """Return ``[((partner id, currency id), rows)]``, the company's currency first, then by name."""
        currencies = self.env["res.currency"].browse({currency_id for _partner_id, currency_id in groups})
        names = {currency.id: (currency != company.currency_id, currency.name) for currency in currencies}
        return sorted(groups.items(), key=lambda group: (group[0][0], names[group[0][1]]))

    def _prepare_section(self, rows, opening, aging, as_of, currency=None):
        """Return one ``StatementSection`` from sorted rows.

        :param aging: what ``age`` returns.
        :param currency: needed when there are no rows.
        """
        balance, lines = opening, []
        for row in rows:
            balance += row["amount"]
            lines.append(self._prepare_line(row, balance, as_of))
        buckets, credits = aging
        return StatementSection(
            currency=currency.name if currency else rows[0]["currency"],
            decimal_places=currency.decimal_places if currency else rows[0]["decimal_places"],
            opening=opening,
            lines=tuple(lines),
            aging=buckets,
            credits=credits,
        )

    def _prepare_line(self, row, balance, as_of: date):
        """Return one ``StatementLine`` from the columns of ``_get_line_rows``."""
        is_debt = row["amount"] > 0 and row["due_date"] is not None
        due_date = row["due_date"] if is_debt and not self._is_payment(row) else None
        return StatementLine(
            line_id=max(row["id"], 0),
            date=row["date"],
            kind=self._get_line_kind(row),
            name=row["name"] or "",
            reference=row["reference"] or "",
            due_date=due_date,
            days_late=max((as_of - due_date).days, 0) if due_date else 0,
            original=to_money(row["amount_currency"], row["decimal_places"]),
            amount=row["amount"],
            balance=balance,
            disputed=row.get("disputed", ZERO),
            promised=row.get("promised", ZERO),
            promised_on=row.get("promised_on"),
        )

    def _is_payment(self, row):
        return row["move_type"] == "entry" and row["journal_type"] in CASH_JOURNALS

    def _get_line_kind(self, row):
        """Say in words what a row is."""
        if row["is_exchange"]:
            return self.env._("Settled in another currency")
        if row["move_type"] in ("out_invoice", "out_receipt"):
            return self.env._("Invoice")
        if row["move_type"] == "out_refund":
            return self.env._("Credit note")
        if self._is_payment(row):
            return self.env._("Payment") if row["amount"] < 0 else self.env._("Refund")
        return self.env._("Entry")
