from collections import defaultdict
from datetime import date

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..recap.numbers import to_money
from .numbers import ZERO, Statement, StatementAnnouncement, StatementLine, StatementSection, age


class CollectionStatementReport(models.AbstractModel):
    """Computes statements of account, the one source of numbers for PDF and XLSX.

    Two kinds: ``open`` lists the open items as they stand, with what is disputed and promised of
    them; ``movements`` lists all that was booked between two dates, with the balances before and
    after. What is open is what ``collection.ledger`` says, and movements close where the open items do:
    what was settled from outside of the account (in another currency, by another customer or
    company, by a payment that has no entry yet) is a movement of its own. What is booked for a
    later day stands beneath. A fixed number of statements reads them, whatever the number of customers.
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
        rows = self._get_rows(
            company,
            SQL(
                "(%s) item JOIN account_move_line line ON line.id = item.item_id",
                self.env["collection.ledger"]._get_open_item_sql(company, debtors.partner_id, today),
            ),
            SQL("item.residual_currency AS amount, item.disputed_currency, item.promised_currency, item.is_credit"),
        )
        promise_dates = self._get_promise_dates([row["id"] for row in rows if row["promised_currency"]])
        announced = self._get_announced(company, debtors, today)
        groups = defaultdict(list)
        for row in rows:
            digits = row["decimal_places"]
            row["amount"] = to_money(row["amount"], digits)
            row["disputed"] = to_money(row["disputed_currency"], digits)
            row["promised"] = to_money(row["promised_currency"], digits)
            row["promised_on"] = promise_dates.get(row["id"])
            row["date"] = row["document_date"]
            groups[row["partner_id"], row["currency_id"]].append(row)
        sections = defaultdict(list)
        for key, members in self._sort_groups(company, groups):
            members.sort(key=lambda row: (row["due_date"], row["id"]))
            aging = age([(row["amount"], None if row["is_credit"] else row["due_date"]) for row in members], today)
            sections[key[0]].append(self._prepare_section(members, ZERO, aging, today, announced=announced.get(key)))
        return sections

    def _get_announced(self, company, debtors, day):
        """Return what is booked for later days and pays open items: ``{(partner id, currency id): announcements}``."""
        if day < company._collection_today():
            return {}
        money = self.env["collection.ledger"]._get_money_on_its_way(company, debtors.partner_id, day)
        groups = defaultdict(list)
        for partner_id, rows in money.by_partner.items():
            for row in rows:
                if row.kind == "payment_announced":
                    digits = self.env["res.currency"].browse(row.currency_id).decimal_places
                    groups[partner_id, row.currency_id].append(
                        StatementAnnouncement(row.date, row.name, to_money(row.amount, digits))
                    )
        return {key: tuple(sorted(rows, key=lambda row: (row.date, row.name))) for key, rows in groups.items()}

    def _get_promise_dates(self, item_ids):
        """Return the first day for which each item is promised: ``{item id: date}``."""
        lines = self.env["collection.promise.line"].search(
            [("move_line_id", "in", item_ids), ("promise_id.state", "=", "open")]
        )
        dates = {}
        for line in lines:
            known = dates.get(line.move_line_id.id)
            dates[line.move_line_id.id] = min(known, line.promise_id.date) if known else line.promise_id.date
        return dates

    # === BUSINESS METHODS - MOVEMENTS === #

    def _get_movement_sections(self, company, debtors, date_from, date_to):
        """Return what was booked between two dates: ``{commercial partner id: [StatementSection]}``."""
        partners = debtors.partner_id
        since = SQL("AND line.date >= %s", date_from) if date_from else SQL()
        groups = defaultdict(list)
        for row in [
            *self._get_rows(
                company,
                SQL(
                    "(SELECT line.id AS item_id FROM account_move_line line WHERE %s AND line.date <= %s %s) item"
                    " JOIN account_move_line line ON line.id = item.item_id",
                    self._get_movement_sql(company, partners),
                    date_to,
                    since,
                ),
                SQL("line.amount_currency AS amount"),
            ),
            *self._get_outside_rows(company, partners, date_from, date_to),
        ]:
            row["amount"] = to_money(row["amount"], row["decimal_places"])
            groups[row["partner_id"], row["currency_id"]].append(row)
        openings = self._get_openings(company, partners, date_from, date_to) if date_from else {}
        agings = self._get_agings(company, partners, date_to)
        announced = self._get_announced(company, debtors, date_to)
        for key in {**openings, **agings}:
            groups.setdefault(key, [])
        sections = defaultdict(list)
        for key, members in self._sort_groups(company, groups):
            # What was settled from outside comes after what was booked that day.
            members.sort(key=lambda row: (row["date"], row["id"] < 0, abs(row["id"])))
            currency = self.env["res.currency"].browse(key[1])
            section = self._prepare_section(
                members,
                to_money(openings.get(key), currency.decimal_places),
                agings.get(key) or age([], date_to),
                date_to,
                currency=currency,
                announced=announced.get(key),
            )
            if section.lines or section.opening:
                sections[key[0]].append(section)
        return sections

    def _get_movement_sql(self, company, partners):
        """Return the condition that ``line`` moves the account: what is zero in its own currency, or void, does not."""
        ledger = self.env["collection.ledger"]
        return SQL(
            "%s AND line.amount_currency != 0 AND line.id NOT IN (%s)",
            ledger._get_receivable_sql(company, partners),
            ledger._get_void_sql(company),
        )

    def _get_openings(self, company, partners, date_from, date_to):
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
                         WHERE %(movement)s AND line.date < %(date)s
                     UNION ALL
                        SELECT partner_id, currency_id, amount
                          FROM (%(outside)s) outside
                         WHERE date < %(date)s
                      ) movement
                  GROUP BY partner_id, currency_id
                    HAVING SUM(amount) != 0
                    """,
                    movement=self._get_movement_sql(company, partners),
                    date=date_from,
                    outside=self._get_outside_sql(company, partners, date_to),
                )
            )
        }

    def _get_outside_sql(self, company, partners, date_to):
        """Return SQL with what settled items, or used up credits, from outside of the account.

        An account is that of one customer with one company in one currency. A reconciliation with what stands in
        another one leaves the balance of this one on the first day on which it could happen. So does a payment that
        has no entry yet.

        Columns: ``id`` (below zero), ``date``, ``partner_id`` (commercial), ``currency_id``, ``amount``, ``name`` (of
        what it was settled with), ``kind``: ``currency``, ``customer``, ``company`` or ``process``.
        """
        ledger = self.env["collection.ledger"]
        side = """
            SELECT -partial.id AS id, partial.max_date AS date, partner.commercial_partner_id AS partner_id,
                   line.currency_id, %(sign)s * partial.%(amount)s AS amount, %(name)s AS name,
                   CASE WHEN other.company_id != line.company_id THEN 'company'
                        WHEN payer.commercial_partner_id IS DISTINCT FROM partner.commercial_partner_id THEN 'customer'
                        ELSE 'currency' END AS kind
              FROM account_partial_reconcile partial
              JOIN account_move_line line ON line.id = partial.%(own)s
              JOIN account_move_line other ON other.id = partial.%(other)s
              JOIN account_move move ON move.id = other.move_id
              JOIN res_partner partner ON partner.id = line.partner_id
         LEFT JOIN res_partner payer ON payer.id = other.partner_id
             WHERE (line.currency_id != other.currency_id
                    OR line.company_id != other.company_id
                    OR payer.commercial_partner_id IS DISTINCT FROM partner.commercial_partner_id)
               AND partial.%(amount)s != 0
               AND partial.max_date <= %(date_to)s
               AND other.id NOT IN (%(void)s)
               AND %(movement)s
        """
        values = {
            "name": ledger._get_item_name_sql("other", "move"),
            "void": ledger._get_void_sql(company),
            "movement": self._get_movement_sql(company, partners),
            "date_to": date_to,
        }
        debit, credit = SQL.identifier("debit_move_id"), SQL.identifier("credit_move_id")
        return SQL(
            """
            %(debits)s UNION ALL %(credits)s UNION ALL
            SELECT -item.item_id, GREATEST(item.date, line.date), partner.commercial_partner_id, line.currency_id,
                   -item.amount_currency, %(name)s, 'process'
              FROM (%(in_process)s) item
              JOIN account_move_line line ON line.id = item.item_id
              JOIN account_move move ON move.id = line.move_id
              JOIN res_partner partner ON partner.id = line.partner_id
            """,
            debits=SQL(
                side, sign=SQL("-1"), amount=SQL.identifier("debit_amount_currency"), own=debit, other=credit, **values
            ),
            credits=SQL(
                side, sign=SQL("1"), amount=SQL.identifier("credit_amount_currency"), own=credit, other=debit, **values
            ),
            name=ledger._get_item_name_sql("line", "move"),
            in_process=ledger._get_in_process_item_sql(company, partners, date_to),
        )

    def _get_outside_rows(self, company, partners, date_from, date_to):
        """Return the rows of ``_get_outside_sql`` between two dates, like those of ``_get_rows``."""
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT outside.*, outside.amount AS amount_currency, currency.decimal_places, currency.name AS currency
                  FROM (%s) outside
                  JOIN res_currency currency ON currency.id = outside.currency_id
                 WHERE outside.date <= %s %s
                """,
                self._get_outside_sql(company, partners, date_to),
                date_to,
                SQL("AND outside.date >= %s", date_from) if date_from else SQL(),
            )
        )
        blank = {"due_date": None, "move_type": "entry", "is_cash": False, "reference": ""}
        return [{**row, **blank} for row in rows]

    def _get_agings(self, company, partners, day):
        """Return the aging on a day: ``{(commercial partner id, currency id): aging}``."""
        items = defaultdict(list)
        for partner_id, currency_id, digits, due_date, amount in self.env.execute_query(
            SQL(
                """
                SELECT item.partner_id, item.currency_id, currency.decimal_places,
                       CASE WHEN NOT item.is_credit THEN item.due_date END, item.residual_currency
                  FROM (%s) item
                  JOIN res_currency currency ON currency.id = item.currency_id
                """,
                self.env["collection.ledger"]._get_balance_sql(company, day, partners),
            )
        ):
            items[partner_id, currency_id].append((to_money(amount, digits), due_date))
        return {key: age(members, day) for key, members in items.items()}

    # === BUSINESS METHODS - ROWS === #

    def _get_rows(self, company, source, columns):
        """Return journal items as dicts.

        :param SQL source: what follows FROM, with the items as ``line``.
        :param SQL columns: further columns.
        """
        ledger = self.env["collection.ledger"]
        return self.env.execute_query_dict(
            SQL(
                """
                SELECT line.id, partner.commercial_partner_id AS partner_id, line.currency_id,
                       currency.name AS currency, currency.decimal_places,
                       COALESCE(move.invoice_date, line.date) AS document_date, line.date,
                       COALESCE(line.date_maturity, line.date) AS due_date,
                       line.amount_currency, %(name)s AS name, move.move_type,
                       line.journal_id IN %(journals)s AS is_cash, NULL AS kind,
                       -- The label of a payment's item says “Manual Payment”: its memo says more.
                       CASE WHEN move.move_type = 'entry' AND line.payment_id IS NULL
                            THEN NULLIF(line.name, %(name)s) ELSE move.ref END AS reference,
                       %(columns)s
                  FROM %(source)s
                  JOIN account_move move ON move.id = line.move_id
                  JOIN res_partner partner ON partner.id = line.partner_id
                  JOIN res_currency currency ON currency.id = line.currency_id
                """,
                name=ledger._get_item_name_sql("line", "move"),
                journals=ledger._get_cash_journal_ids(company),
                columns=columns,
                source=source,
            )
        )

    def _sort_groups(self, company, groups):
        """Return ``[((partner id, currency id), rows)]``, the company's currency first, then by name."""
        currencies = self.env["res.currency"].browse({currency_id for _partner_id, currency_id in groups})
        names = {currency.id: (currency != company.currency_id, currency.name) for currency in currencies}
        return sorted(groups.items(), key=lambda group: (group[0][0], names[group[0][1]]))

    def _prepare_section(self, rows, opening, aging, as_of, currency=None, announced=None):
        """Return one ``StatementSection`` from sorted rows.

        :param aging: what ``age`` returns.
        :param currency: needed when there are no rows.
        :param announced: of ``StatementAnnouncement``.
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
            announced=announced or (),
        )

    def _prepare_line(self, row, balance, as_of: date):
        """Return one ``StatementLine`` from the columns of ``_get_rows``."""
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
        return row["move_type"] == "entry" and row["is_cash"]

    def _get_line_kind(self, row):
        """Return a text that states what a row is."""
        if row["kind"]:
            return {
                "currency": self.env._("Settled in another currency"),
                "customer": self.env._("Settled with another customer"),
                "company": self.env._("Settled with another of our companies"),
                "process": self.env._("Payment being processed"),
            }[row["kind"]]
        if row["move_type"] in ("out_invoice", "out_receipt"):
            return self.env._("Invoice")
        if row["move_type"] == "out_refund":
            return self.env._("Credit note")
        if self._is_payment(row):
            return self.env._("Payment") if row["amount"] < 0 else self.env._("Refund")
        return self.env._("Entry")
