"""Money on its way: what customers have paid, or are paying, that is not in their account yet."""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date as Date

from odoo import api, models
from odoo.tools import SQL

from ...tools.workdays import subtract_bank_days

# What may be the number of an invoice in the label of a bank line.
WORD = re.compile(r"[^\s,;:|()\[\]]+")


# References are written in groups: so many words in a row may be one.
MOST_GROUPS = 6


def _find_references(label):
    """Return what may be the number of an invoice, or its payment reference, in the label of a bank line.

    >>> sorted(_find_references("VIR SEPA inv/2026/00012, Petit"))
    ['INV/2026/00012', 'inv/2026/00012']
    >>> "RF18539007547034" in _find_references("RF18 5390 0754 7034")
    True
    """
    words = [word.strip(".'\"") for word in WORD.findall(label or "")]
    found = set()
    for first in range(len(words)):
        for count in range(1, MOST_GROUPS + 1):
            group = words[first : first + count]
            if len(group) == count and all(any(map(str.isdigit, word)) for word in group):
                for reference in ("".join(group), " ".join(group)):
                    if len(reference) >= 3:
                        found |= {reference, reference.upper()}
    return found


@dataclass(frozen=True, slots=True)
class Announcement:
    """Money that is on its way, and as much of it as open items take up.

    :param kind: ``payment_pending`` (an online transaction), ``unmatched_payment`` (a bank line that nobody
        allocated), ``payment_announced`` (booked for a later day) or ``parent_credit`` (a credit at a parent company).
    :param name: reference of the transaction, label of the bank line or number of the entry.
    :param date: the day of it, in the company's calendar.
    :param amount: in the currency ``currency_id``.
    """

    kind: str
    name: str
    date: Date
    amount: float
    currency_id: int


@dataclass(slots=True)
class MoneyOnItsWay:
    """What is on its way to a company from its customers.

    :param amounts: ``{item id: amount that it pays}``, in the items' currencies.
    :param by_partner: ``{commercial partner id: [Announcement]}`` of the customers whose items it pays.
    """

    amounts: dict = field(default_factory=dict)
    by_partner: dict = field(default_factory=lambda: defaultdict(list))

    def _filtered(self, partners, debts):
        """Return what is on its way from some customers alone; ``debts`` as ``_read_debts`` returns them."""
        owners = {debt["item_id"]: owner for owner, own in debts["partner"].items() for debt in own}
        wanted = set(partners.ids)
        return MoneyOnItsWay(
            {item_id: amount for item_id, amount in self.amounts.items() if owners[item_id] in wanted},
            {owner: announcements for owner, announcements in self.by_partner.items() if owner in wanted},
        )


class CollectionLedger(models.AbstractModel):
    """Money on its way, as recorded in the ledger and in payments."""

    _inherit = "collection.ledger"

    @api.model
    def _get_money_on_its_way(self, company, partners=None, day=None):
        """Return what customers have paid, or are paying, that is not in their account yet: ``MoneyOnItsWay``.

        - An online transaction that is pending, or done and not booked yet, pays the invoices that it names, whoever
          pays; one that names none, debts of the payer that are not newer. For ``collection_pending_days`` bank days
          from its last change.
        - An unmatched bank line pays the invoice that its label names, then debts of the customer that it names
          which are not newer than the line.
        - What is booked for a later day, payment or credit note, is announced.
        - A branch looks at the providers, bank journals and credits of its parent companies too.

        Money never pays more than its amount: a small one leaves a large debt as it is.

        :param partners: commercial partners whose debts are looked at; all when ``None``.
        """
        day = day or company._collection_today()
        money = MoneyOnItsWay()
        if partners is not None and not partners:
            return money
        self._flush()
        rows = self._read_announcements(company, partners, day)
        if not rows:
            return money
        self._identify_bank_lines(company, partners, rows)
        debts = self._read_debts(company, day, rows)
        currencies = self.env["res.currency"].sudo().browse({row["currency_id"] for row in rows}).grouped("id")
        # What names its invoices is served before what names a customer alone, and old money before new.
        for row in sorted(rows, key=lambda row: (not (row["item_id"] or row["move_ids"]), row["date"], row["id"])):
            self._spread_announcement(company, row, debts, currencies, money)
        # Of what others pay for these customers, all invoices that it names were checked.
        return money if partners is None else money._filtered(partners, debts)

    @api.model
    def _read_announcements(self, company, partners, day):
        """Return rows of money on its way: ``kind``, ``id``, ``partner_id`` (commercial, may be ``None``), ``item_id``
        or ``move_ids`` that it names, ``currency_id``, ``amount``, ``date``, ``name``, ``payer``. One statement.
        """
        family = company.sudo().parent_ids.ids or company.ids
        since = subtract_bank_days(day, company.collection_pending_days, company.country_id.code)
        is_theirs = SQL() if partners is None else SQL("AND partner.commercial_partner_id = ANY(%s)", partners.ids)
        return self.env.execute_query_dict(
            SQL(
                """
                WITH void AS MATERIALIZED (%(void)s)
                SELECT 'payment_pending' AS kind, tx.id, partner.commercial_partner_id AS partner_id,
                       NULL::int AS item_id, named.move_ids, tx.currency_id, tx.amount::float AS amount,
                       (tx.last_state_change AT TIME ZONE 'UTC' AT TIME ZONE %(tz)s)::date AS date,
                       tx.reference AS name, NULL AS payer
                  FROM payment_transaction tx
             LEFT JOIN res_partner partner ON partner.id = tx.partner_id
             LEFT JOIN LATERAL (
                    SELECT ARRAY_AGG(rel.invoice_id) AS move_ids
                      FROM account_invoice_transaction_rel rel
                     WHERE rel.transaction_id = tx.id
                  ) named ON TRUE
                 WHERE tx.state IN ('pending', 'authorized', 'done')
                   AND (tx.state != 'done' OR tx.is_post_processed IS NOT TRUE)
                   AND tx.payment_id IS NULL
                   AND tx.amount > 0
                   AND tx.operation IS DISTINCT FROM 'refund'
                   AND tx.company_id = ANY(%(family)s)
                   AND (tx.last_state_change AT TIME ZONE 'UTC' AT TIME ZONE %(tz)s)::date >= %(since)s
                   %(pays_theirs)s
             UNION ALL
                SELECT 'unmatched_payment', statement_line.id, partner.commercial_partner_id, NULL, NULL,
                       COALESCE(statement_line.foreign_currency_id, statement_line.currency_id),
                       CASE WHEN statement_line.foreign_currency_id IS NULL THEN statement_line.amount
                            ELSE statement_line.amount_currency END,
                       move.date, statement_line.payment_ref, statement_line.partner_name
                  FROM account_bank_statement_line statement_line
                  JOIN account_move move ON move.id = statement_line.move_id
             LEFT JOIN res_partner partner ON partner.id = statement_line.partner_id
                 WHERE statement_line.is_reconciled IS NOT TRUE
                   AND statement_line.journal_id IN %(journals)s
                   AND statement_line.company_id = ANY(%(family)s)
                   AND statement_line.amount > 0
                   AND move.state = 'posted'
                   %(names_theirs)s
             UNION ALL
                SELECT 'payment_announced', line.id, partner.commercial_partner_id, NULL, NULL, line.currency_id,
                       -line.amount_residual_currency, line.date, line.move_name, NULL
                  FROM account_move_line line
                  JOIN res_partner partner ON partner.id = line.partner_id
                 WHERE line.account_id IN %(accounts)s
                   AND line.date > %(day)s
                   AND line.company_id = %(company)s
                   AND line.parent_state = 'posted'
                   AND line.reconciled IS NOT TRUE
                   AND line.no_followup IS NOT TRUE
                   AND line.id NOT IN (SELECT id FROM void)
                   AND line.amount_residual_currency < 0
                   %(is_theirs)s
             UNION ALL
                SELECT 'payment_announced', credit.id, partner.commercial_partner_id, debit.id, NULL,
                       debit.currency_id, partial.debit_amount_currency, credit.date, credit.move_name, NULL
                  FROM account_partial_reconcile partial
                  JOIN account_move_line debit ON debit.id = partial.debit_move_id
                  JOIN account_move_line credit ON credit.id = partial.credit_move_id
                  JOIN res_partner partner ON partner.id = debit.partner_id
                 WHERE partial.max_date > %(day)s
                   AND credit.date > %(day)s
                   AND credit.parent_state = 'posted'
                   AND credit.id NOT IN (SELECT id FROM void)
                   AND debit.account_id IN %(accounts)s
                   AND debit.company_id = %(company)s
                   AND debit.date <= %(day)s
                   %(is_theirs)s
                %(parent_credits)s
                """,
                tz=company._get_collection_tz(),
                family=family,
                parent_credits=self._get_parent_credit_sql(company, day, is_theirs),
                since=since,
                pays_theirs=(
                    SQL()
                    if partners is None
                    else SQL(
                        """
                        AND (partner.commercial_partner_id = ANY(%(partners)s) OR EXISTS (
                            SELECT FROM account_move invoice
                             WHERE invoice.id = ANY(named.move_ids)
                               AND invoice.commercial_partner_id = ANY(%(partners)s)
                        ))
                        """,
                        partners=partners.ids,
                    )
                ),
                journals=self._get_cash_journal_ids(company),
                names_theirs=(
                    SQL()
                    if partners is None
                    else SQL("AND (partner.id IS NULL OR partner.commercial_partner_id = ANY(%s))", partners.ids)
                ),
                accounts=self._get_account_ids(company),
                void=self._get_void_sql(company),
                day=day,
                company=company.id,
                is_theirs=is_theirs,
            )
        )

    @api.model
    def _get_parent_credit_sql(self, company, day, is_theirs):
        """Return SQL, begun by ``UNION ALL``, with what customers have to their credit at the parents of a branch.

        :param SQL is_theirs: condition on ``partner``, begun by ``AND``.
        """
        parents = [company_id for company_id in company.sudo().parent_ids.ids if company_id != company.id]
        if not parents:
            return SQL()
        return SQL(
            """
         UNION ALL
            SELECT 'parent_credit', MIN(line.id), partner.commercial_partner_id, NULL, NULL, line.currency_id,
                   -SUM(line.amount_residual_currency), %(day)s, MIN(line.move_name), NULL
              FROM account_move_line line
              JOIN res_partner partner ON partner.id = line.partner_id
             WHERE line.company_id = ANY(%(parents)s)
               AND line.account_id IN %(accounts)s
               AND line.date <= %(day)s
               AND line.parent_state = 'posted'
               AND line.reconciled IS NOT TRUE
               AND line.no_followup IS NOT TRUE
               AND line.id NOT IN (SELECT id FROM void)
               %(is_theirs)s
          GROUP BY partner.commercial_partner_id, line.company_id, line.currency_id
            HAVING SUM(line.amount_residual_currency) < 0
            """,
            parents=parents,
            accounts=self._get_account_ids(company),
            day=day,
            is_theirs=is_theirs,
        )

    @api.model
    def _identify_bank_lines(self, company, partners, rows):
        """Complete bank lines with the invoices that their label names, and the customer of these.

        A line without an invoice's number or a customer counts for the customers of the name that the bank gives.
        """
        lines = [row for row in rows if row["kind"] == "unmatched_payment"]
        words_by_line = {row["id"]: _find_references(row["name"]) for row in lines}
        words = set().union(*words_by_line.values())
        named = defaultdict(list)
        if words:
            for move_id, partner_id, *names in self.env.execute_query(
                SQL(
                    """
                    SELECT move.id, move.commercial_partner_id, move.name, move.payment_reference
                      FROM account_move move
                     WHERE move.company_id = %s
                       AND move.state = 'posted'
                       AND move.move_type IN ('out_invoice', 'out_receipt')
                       AND (move.name = ANY(%s) OR move.payment_reference = ANY(%s))
                    """,
                    company.id,
                    sorted(words),
                    sorted(words),
                )
            ):
                for name in filter(None, names):
                    named[name].append((move_id, partner_id))
        nameless = []
        for row in lines:
            found = {pair for word in words_by_line[row["id"]] for pair in named.get(word, ())}
            owners = {partner_id for _move_id, partner_id in found}
            if found:  # whoever pays
                row["move_ids"] = [move_id for move_id, _partner_id in found]
                row["partner_id"] = row["partner_id"] or (owners.pop() if len(owners) == 1 else None)
            elif not row["partner_id"]:
                nameless.append(row)
        rows += self._identify_by_name(company, partners, nameless)

    @api.model
    def _identify_by_name(self, company, partners, rows):
        """Return one more row for each customer who bears the name that the bank gives to the payer of a line."""
        if not rows:
            return []
        by_id = {row["id"]: row for row in rows}
        return [
            {**by_id[line_id], "partner_id": partner_id}
            for line_id, partner_id in self.env.execute_query(
                SQL(
                    """
                    SELECT payer.id, debtor.partner_id
                      FROM UNNEST(%s::int[], %s::text[]) AS payer(id, name)
                      JOIN res_partner partner ON UPPER(TRIM(partner.name)) = payer.name
                      JOIN collection_debtor debtor
                        ON debtor.partner_id = partner.commercial_partner_id AND debtor.company_id = %s
                     WHERE payer.name != '' %s
                    """,
                    list(by_id),
                    [(row["payer"] or "").strip().upper() for row in rows],
                    company.id,
                    SQL() if partners is None else SQL("AND debtor.partner_id = ANY(%s)", partners.ids),
                )
            )
        ]

    @api.model
    def _read_debts(self, company, day, rows):
        """Return the open debts that money on its way may pay, as lists of mutable dicts by customer and invoice.

        :return: ``{"partner": {id: debts}, "move": {id: debts}, "item": {id: debts}}``, each list the oldest first;
            of a debt, ``free`` is what nothing else withholds or pays, in its currency.
        """
        owners = {row["partner_id"] for row in rows if row["partner_id"]}
        move_ids = [move_id for row in rows for move_id in row["move_ids"] or ()]
        if move_ids:
            moves = self.env["account.move"].sudo().browse(move_ids)
            owners.update(moves.commercial_partner_id.ids)
        owners = self.env["res.partner"].browse(sorted(owners))
        debts = {"partner": defaultdict(list), "move": defaultdict(list), "item": defaultdict(list)}
        if not owners:
            return debts
        for debt in self.env.execute_query_dict(
            SQL(
                """
                SELECT item_id, move_id, partner_id, currency_id, date, due_date,
                       (residual_currency - disputed_currency - promised_currency)::float AS free
                  FROM (%s) item
                 WHERE NOT is_credit AND NOT excluded
              ORDER BY due_date, item_id
                """,
                self._get_open_item_sql(company, owners, day),
            )
        ):
            debts["partner"][debt["partner_id"]].append(debt)
            debts["move"][debt["move_id"]].append(debt)
            debts["item"][debt["item_id"]].append(debt)
        return debts

    @api.model
    def _spread_announcement(self, company, row, debts, currencies, money):
        """Set money on its way against the debts that it names, then against those of its customer, oldest first.

        :param dict debts: see ``_read_debts``; what is paid is taken off them.
        :param MoneyOnItsWay money: is completed.
        """
        currency = currencies[row["currency_id"]]
        named = [debt for move_id in row["move_ids"] or () for debt in debts["move"][move_id]]
        if row["item_id"]:
            named = list(debts["item"][row["item_id"]])
        rest = []
        # What names its invoices by a transaction, or is reconciled with them already, is for nothing else.
        if not row["item_id"] and not (row["kind"] == "payment_pending" and row["move_ids"]):
            rest = [
                debt
                for debt in debts["partner"][row["partner_id"]]
                if debt["date"] <= row["date"] and all(debt is not other for other in named)
            ]
        left = row["amount"]
        for debt in sorted(named, key=lambda debt: (debt["due_date"], debt["item_id"])) + rest:
            rate = 1.0
            if debt["currency_id"] != currency.id:
                if debt in rest:
                    continue  # a foreign debt is paid in its own currency, unless the money names it
                target = currency.browse(debt["currency_id"])
                rate = currency._get_conversion_rate(currency, target, company.sudo(), row["date"])
            paid = min(debt["free"], left * rate)
            if paid <= 0:
                continue
            target = currency.browse(debt["currency_id"])
            paid = target.round(paid)
            debt["free"] -= paid
            left -= paid / rate
            money.amounts[debt["item_id"]] = money.amounts.get(debt["item_id"], 0.0) + paid
            known = money.by_partner[debt["partner_id"]]
            announcement = Announcement(row["kind"], row["name"] or "", row["date"], row["amount"], currency.id)
            if announcement not in known:
                known.append(announcement)
