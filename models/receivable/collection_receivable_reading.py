import base64

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL, OrderedSet, float_round

from ...tools import tabular
from ...tools.receivables import HEADINGS, Known, Listed, compare, normalise_number
from .collection_receivable_batch import COMBINING, Candidate
from .const import (
    AMOUNT_MEANINGS,
    CUSTOMER_MEANINGS,
    DATE_MEANINGS,
    RANKS,
    REMEMBERED_OPTIONS,
    TEXT_MEANINGS,
)


class CollectionReceivableBatch(models.Model):
    """Reading a file of receivables: columns, rows, customers, and what changed since the last one.

    HOOKS. To import a column of your own, a text: add its name to the selection
    ``collection.receivable.column.meaning``, to ``_get_headings`` and to ``_get_text_meanings``; and give
    ``collection.receivable.line`` a field of that name, which holds what the file says. New customers are made from it
    in ``_prepare_customer`` of the line, new entries in its ``_prepare_…`` methods.
    """

    _inherit = "collection.receivable.batch"

    # === BUSINESS METHODS - READING === #

    @api.model
    def _get_headings(self):
        """Return ``{meaning of a column: titles under which it goes, best first}``."""
        return HEADINGS

    @api.model
    def _get_text_meanings(self):
        """Return the meanings of columns that hold texts; the lines have a field for each."""
        return TEXT_MEANINGS

    def _open_table(self):
        """Return the table in the file.

        :raises UserError: when there is none.
        """
        content = base64.b64decode(self.with_context(bin_size=False).file or b"")
        known = [title for titles in self._get_headings().values() for title in titles]
        return self._read_table(content, self.file_name, known=known)

    def _guess_columns(self, table):
        """Record which column is what: as it was set the last time for this journal, or by its title."""
        options = self.journal_id.sudo().collection_import_options or {}
        remembered = options.get("columns", {})
        for name in REMEMBERED_OPTIONS:
            self[name] = self[name] or options.get(name)
        headings = self._get_headings()
        meanings, taken = {}, set()
        for index, title in enumerate(table.columns):
            meaning = remembered.get(tabular.normalise_header(title))
            if meaning in headings and meaning not in taken:
                meanings[index] = meaning
                taken.add(meaning)
        free = {meaning: titles for meaning, titles in headings.items() if meaning not in taken}
        # A column that was left out on purpose stays out.
        titles = [
            "" if index in meanings or remembered.get(tabular.normalise_header(title)) == "" else title
            for index, title in enumerate(table.columns)
        ]
        meanings |= {index: meaning for meaning, index in tabular.match_columns(titles, free).items()}
        try:
            sample = table.sample(3)
        except tabular.TabularError as error:
            raise UserError(self._tabular_message(error)) from error
        self.sudo().column_ids.unlink()
        self.env["collection.receivable.column"].sudo().create(
            [
                {
                    "batch_id": self.id,
                    "sequence": index,
                    "title": title,
                    "sample": " | ".join(filter(None, (self._show(row.cells[index]) for row in sample)))[:200],
                    "meaning": meanings.get(index),
                }
                for index, title in enumerate(table.columns)
            ]
        )
        self.sudo().read_hash = self.file_hash

    @api.model
    def _show(self, cell):
        return str(cell) if isinstance(cell, tabular.CellError) else tabular.parse_text(cell)

    def _remember_options(self):
        """Store how this list was read for the next one of the same journal."""
        self.journal_id.sudo().collection_import_options = {
            "columns": {tabular.normalise_header(column.title): column.meaning or "" for column in self.column_ids},
            **{name: self[name] for name in REMEMBERED_OPTIONS},
        }

    def _get_meanings(self):
        """Return ``{meaning: index of its column}``."""
        meanings = {column.meaning: column.sequence for column in self.column_ids if column.meaning}
        if "remaining" not in meanings and "original" in meanings:
            # A list without payments: all of it is owed.
            meanings["remaining"] = meanings["original"]
        return meanings

    def _find_column_problem(self):
        """Return what is wrong with how columns are read, or an empty text."""
        column_field = self.env["collection.receivable.column"]._fields["meaning"]
        labels = dict(column_field._description_selection(self.env))
        used = self.column_ids.filtered("meaning").mapped("meaning")
        double = next((meaning for meaning in used if used.count(meaning) > 1), None)
        if double:
            return self.env._("Two columns are read as “%s”: keep one.", labels[double])
        meanings = self._get_meanings()
        missing = [labels[meaning] for meaning in ("number", "remaining") if meaning not in meanings]
        if not any(meaning in meanings for meaning in CUSTOMER_MEANINGS):
            missing.insert(0, labels["customer"])
        if not any(meaning in meanings for meaning in DATE_MEANINGS):
            missing.append(labels["due_date"])
        if not missing:
            return ""
        return self.env._(
            "No column was found for: %s. Say below which column it is, then preview again.", ", ".join(missing)
        )

    def _read_rows(self, table):
        """Return the values of one line for each row of the file.

        :raises UserError: when the file breaks off.
        """
        meanings = self._get_meanings()
        try:
            rows = list(table)
        except tabular.TabularError as error:
            raise UserError(self._tabular_message(error)) from error
        dates = [row.cells[meanings[name]] for name in DATE_MEANINGS if name in meanings for row in rows]
        amounts = [row.cells[meanings[name]] for name in AMOUNT_MEANINGS if name in meanings for row in rows]
        self.sudo().reading = self._describe_reading(table, dates, amounts)
        currencies = self._get_currencies()
        reading = {
            "meanings": meanings,
            "columns": table.columns,
            "epoch": table.epoch,
            "order": self._find_date_order(dates),
            "decimal": self._find_decimal(amounts),
            "currencies": currencies,
            "roundings": {currency: currency.rounding for currency in currencies.values()},
            "total_keys": [meanings[name] for name in ("number", *CUSTOMER_MEANINGS) if name in meanings],
        }
        lines = [self._read_row(row, reading) for row in rows]
        self._find_customers(lines)
        self._refuse_doubles(lines)
        for values in lines:
            # So that the amounts of rows in error show, too.
            values["currency_id"] = values["currency_id"] or self.company_id.currency_id.id
        return self._compare(lines)

    def _get_currencies(self):
        """Return ``{code or sign, in capitals: currency}``; a sign of several currencies means the company's."""
        currencies = {}
        for currency in self.env["res.currency"].with_context(active_test=False).search([("id", "!=", False)]):
            currencies[currency.name.upper()] = currency
            if currency.active and currency.symbol:
                currencies.setdefault(currency.symbol.upper(), currency)
        own = self.company_id.currency_id
        return {**currencies, own.symbol.upper(): own, "": own}

    def _read_row(self, row, reading):
        """Return the values of a line.

        :param row: ``tabular.Row``
        :param dict reading: how the file is read.
        """
        meanings, columns = reading["meanings"], reading["columns"]
        values = {"row": row.number, "kind": "new", "message": "", "has_warning": False, "currency_id": False}
        if tabular.is_total(row.cells, reading["total_keys"]):
            return {**values, "kind": "ignored", "message": self.env._("A total, not an item.")}
        problems = [self._tabular_message(row.problem, with_place=False)] if row.problem else []

        def read(name, parse, **options):
            if name not in meanings:
                return None
            index = meanings[name]
            try:
                return parse(row.cells[index], row=row.number, column=columns[index], **options)
            except tabular.TabularError as error:
                problems.append(self._tabular_message(error, with_place=False))
                return None

        for name in self._get_text_meanings():
            values[name] = " ".join((read(name, tabular.parse_text) or "").split())[:200]
        for name in DATE_MEANINGS:
            values[name] = read(name, tabular.parse_date, order=reading["order"], epoch=reading["epoch"])
        code = (read("currency", tabular.parse_text) or "").upper()
        currency = reading["currencies"].get(code)
        for name in AMOUNT_MEANINGS:
            amount = read(name, tabular.parse_amount, decimal=reading["decimal"])
            values[name] = None if amount is None else float(amount)
        if not problems:
            problems += self._find_row_problems(values, code, currency)
        if currency and not problems:
            values["currency_id"] = currency.id
            for name in AMOUNT_MEANINGS:
                values[name] = float_round(values[name] or 0.0, precision_rounding=reading["roundings"][currency])
            self._complete_row(values)
        if problems:
            values |= {"kind": "error", "message": " ".join(OrderedSet(problems))}
        return values

    def _find_row_problems(self, values, code, currency):
        """Return what keeps a row from being an open item."""
        problems = []
        if not any(values[name] for name in CUSTOMER_MEANINGS):
            problems.append(self.env._("No customer: neither name, reference nor VAT number."))
        if not values["number"]:
            problems.append(self.env._("No invoice number."))
        if values["remaining"] is None:
            problems.append(self.env._("No remaining amount."))
        if not values["due_date"] and not values["invoice_date"]:
            problems.append(self.env._("Neither a due date nor an invoice date."))
        if not currency:
            problems.append(self.env._("The currency “%s” is not known.", code))
        elif not currency.active:
            problems.append(self.env._("The currency %s is not active: activate it first.", currency.name))
        return problems

    def _complete_row(self, values):
        """Fill in what follows from the rest, and warn of what looks odd."""
        warnings = []
        if not values["due_date"]:
            values["due_date"] = values["invoice_date"]
            warnings.append(self.env._("No due date: due on the invoice date."))
        if values["invoice_date"] and values["due_date"] < values["invoice_date"]:
            warnings.append(self.env._("Due before it was invoiced."))
        if values["invoice_date"] and values["invoice_date"] > self.date:
            warnings.append(self.env._("Invoiced after the day of the list."))
        if values["original"] and abs(values["remaining"]) > abs(values["original"]):
            warnings.append(self.env._("More remains than was invoiced."))
        if not values["original"]:
            values["original"] = values["remaining"]
        if not values["remaining"]:
            values |= {"kind": "ignored", "message": self.env._("Nothing remains to be paid.")}
        elif warnings:
            values |= {"has_warning": True, "message": " ".join(warnings)}

    def _refuse_doubles(self, lines):
        """Mark rows that name the same item a second time."""
        first_rows = {}
        for values in lines:
            if values["kind"] != "new":
                continue
            key = (
                values["partner_id"] or values["customer_key"],
                normalise_number(values["number"]),
                values["currency_id"],
                values["due_date"],
                values["remaining"] < 0,
            )
            first = first_rows.setdefault(key, values["row"])
            if first != values["row"]:
                values |= {
                    "kind": "error",
                    "message": self.env._("The same invoice, with the same due date, stands in row %s.", first),
                }

    # === BUSINESS METHODS - CUSTOMERS === #

    def _find_customers(self, lines):
        """Write the customer of each row, or that one has to be made: by VAT, SIREN, reference, name.

        A few queries, whatever the number of rows.
        """
        waiting = [values for values in lines if values["kind"] == "new"]
        for values in lines:
            values |= {"partner_id": False, "found_by": False, "customer_key": False}
        for way in ("vat", "registry", "reference", "name"):
            named = [(self._get_customer_key(values, way), values) for values in waiting]
            keys = {key for key, _values in named if key}
            found = self._search_customers(way, keys) if keys else {}
            waiting = []
            for key, values in named:
                candidates = found.get(key, {})
                if way in ("reference", "name"):
                    # Another number means another company of the same name.
                    candidates = {
                        partner: candidate
                        for partner, candidate in candidates.items()
                        if not (candidate.vat and values["vat"]) or candidate.vat == self._plain_code(values["vat"])
                    }
                if len(candidates) == 1:
                    [(partner_id, candidate)] = candidates.items()
                    values |= {"partner_id": partner_id, "found_by": way}
                    if not candidate.is_active:
                        self._warn_of_archived(values)
                elif candidates:
                    values |= {"kind": "error", "message": self._get_ambiguity(way, values, len(candidates))}
                else:
                    waiting.append(values)
        for values in waiting:
            keys = ((way, self._get_customer_key(values, way)) for way in ("vat", "registry", "reference", "name"))
            values["customer_key"] = next(f"{way}:{key}" for way, key in keys if key)
            values["found_by"] = "made"

    def _warn_of_archived(self, values):
        """Warn on a row that its customer was found among the archived ones."""
        warning = self.env._("The customer is archived: activate it again if it is the same one.")
        values |= {"has_warning": True, "message": " ".join(filter(None, (values.get("message"), warning)))}

    def _get_ambiguity(self, way, values, count):
        source = {"name": "customer"}.get(way, way)
        return self.env._(
            "%(count)s customers have “%(value)s”: give a VAT number or a reference that only one of them has.",
            count=count,
            value=values[source],
        )

    @api.model
    def _plain_code(self, code):
        return "".join(character for character in code or "" if character.isalnum()).upper()

    @api.model
    def _get_customer_key(self, values, way):
        """Return by what a customer is searched, or an empty text."""
        if way == "name":
            return tabular.normalise_header(values["customer"])
        if way == "reference":
            return values["reference"].casefold()
        code = self._plain_code(values[way])
        # A SIRET is a SIREN and the number of an establishment: one customer either way.
        return code[:9] if way == "registry" and len(code) == 14 and code.isdecimal() else code

    def _search_customers(self, way, keys):
        """Return ``{key: {commercial partner id: Candidate}}`` of the customers of this company.

        Archived customers are among them where nobody else has the key: a second file would hide what they owe.
        """
        code = SQL("UPPER(REGEXP_REPLACE(%s, '[^a-zA-Z0-9]', '', 'g'))", SQL.identifier("partner", "vat"))
        registry = SQL("UPPER(REGEXP_REPLACE(partner.company_registry, '[^a-zA-Z0-9]', '', 'g'))")
        column = {
            "vat": code,
            "registry": SQL(
                "CASE WHEN %(code)s ~ '^[0-9]{14}$' THEN LEFT(%(code)s, 9) ELSE %(code)s END", code=registry
            ),
            "reference": SQL("LOWER(TRIM(partner.ref))"),
            "name": SQL("partner.name"),
        }[way]
        condition = SQL("%s = ANY(%s)", column, list(keys))
        if way == "name":
            condition = SQL(
                "%s IN (SELECT %s FROM UNNEST(%s) key)",
                self._get_name_key_sql(SQL("partner.name")),
                # The same on both sides: what a database can't distinguish, the keys of Python do below.
                self._get_name_key_sql(SQL("key")),
                list(keys),
            )
        self.env["res.partner"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT %(column)s, partner.commercial_partner_id, %(code)s,
                       partner.active AND customer.active, customer.active
                  FROM res_partner partner
                  JOIN res_partner customer ON customer.id = partner.commercial_partner_id
                 WHERE (partner.company_id IS NULL OR partner.company_id = %(company)s)
                   AND (%(by_name)s IS FALSE OR partner.commercial_partner_id = partner.id)
                   AND %(condition)s
                """,
                column=column,
                code=code,
                company=self.company_id.id,
                by_name=way == "name",
                condition=condition,
            )
        )
        found = {}
        for value, partner_id, vat, is_current, is_active in rows:
            key = tabular.normalise_header(value or "") if way == "name" else (value or "")
            key = key.casefold() if way == "reference" else key
            if key in keys:
                # The archived ones count where there is nobody else.
                found.setdefault(key, {}).setdefault(is_current, {})[partner_id] = Candidate(vat or "", is_active)
        return {key: candidates.get(True) or candidates[False] for key, candidates in found.items()}

    @api.model
    def _get_name_key_sql(self, name):
        """Return SQL that compares names as ``tabular.normalise_header`` does: no case, accents or punctuation."""
        plain = SQL("NORMALIZE(REPLACE(TRANSLATE(%s, '°º', '  '), '№', 'N '), NFKD)", name)
        plain = SQL("REGEXP_REPLACE(%s, %s, '', 'g')", plain, f"[{COMBINING}]")
        # What Python's casefold does beyond lower case.
        plain = SQL("REPLACE(REPLACE(LOWER(%s), 'ß', 'ss'), 'ς', 'σ')", plain)
        return SQL("TRIM(REGEXP_REPLACE(%s, '[^[:alnum:]]+', ' ', 'g'))", plain)

    # === BUSINESS METHODS - COMPARING === #

    def _get_known_items(self):
        """Return the open items of this journal, those of one number and due date as one.

        :return: list of ``Known``, whose key is the list of journal item ids.
        """
        if not self.journal_id:
            return []
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT ARRAY_AGG(line.id ORDER BY line.id),
                       partner.commercial_partner_id,
                       COALESCE(move.ref, line.name),
                       line.currency_id,
                       COALESCE(line.date_maturity, line.date),
                       SUM(line.amount_residual_currency)
                  FROM account_move_line line
                  JOIN account_move move ON move.id = line.move_id
                  JOIN account_account account ON account.id = line.account_id
                  JOIN res_partner partner ON partner.id = line.partner_id
                 WHERE line.journal_id = %(journal)s
                   AND line.parent_state = 'posted'
                   AND line.reconciled IS NOT TRUE
                   AND line.amount_residual_currency != 0
                   AND account.account_type = 'asset_receivable'
                   AND move.collection_batch_id IS NOT NULL
              GROUP BY 2, 3, 4, 5, line.amount_residual_currency < 0
              ORDER BY MIN(line.id)
                """,
                journal=self.journal_id.id,
            )
        )
        return [Known(ids, *rest[:-1], float(rest[-1])) for ids, *rest in rows]

    def _compare(self, lines):
        """Determine for each row what it changes, and add lines for what is missing from the file.

        :param list lines: values of lines, whose customers are known.
        :return: list of values of lines.
        """
        valid = [values for values in lines if values["kind"] == "new"]
        settled = {
            normalise_number(values["number"]) for values in lines if values["kind"] == "error" and values.get("number")
        }
        keeps_missing = any(values["kind"] == "error" and not values.get("number") for values in lines)
        self.sudo().keeps_missing = keeps_missing and self.is_complete
        listed = [
            Listed(
                values,
                values["partner_id"] or values["customer_key"],
                values["number"],
                values["currency_id"],
                values["due_date"],
                values["remaining"],
            )
            for values in valid
        ]
        known = self._get_known_items()
        currencies = self.env["res.currency"].browse({item.currency for item in [*known, *listed]})
        digits = max(currencies.mapped("decimal_places"), default=2)
        changes = compare(known, listed, self.is_complete and not keeps_missing, frozenset(settled), digits)
        for change in changes:
            if change.kind == "paid":
                lines.append(self._prepare_paid_line(change))
            else:
                change.listed.key.update(self._prepare_change(change))
        for values in lines:
            rank = "warning" if values["has_warning"] else values["kind"]
            values["rank"] = RANKS["error" if values["kind"] == "error" else rank]
        return lines

    def _prepare_change(self, change):
        """Return what a row does to the item that it names."""
        values = {"kind": change.kind, "difference": change.amount}
        if change.known:
            values |= {"item_ids": change.known.key, "known": change.known.residual}
            if change.known.due != change.listed.due:
                values["previous_due_date"] = change.known.due
        return values

    def _prepare_paid_line(self, change):
        """Return the values of a line for an item that the file no longer names."""
        item = change.known
        return {
            "row": 0,
            "kind": "paid",
            "message": self.env._("The list no longer names it."),
            "has_warning": False,
            "partner_id": item.partner,
            "number": item.number,
            "due_date": item.due,
            "currency_id": item.currency,
            "known": item.residual,
            "difference": change.amount,
            "item_ids": item.key,
        }

    def _replace_lines(self, lines):
        """Show other lines."""
        self.sudo().line_ids.unlink()
        values_list = [{**values, "batch_id": self.id} for values in lines]
        self.env["collection.receivable.line"].sudo().create(values_list)
        self.invalidate_recordset(["line_ids"])
