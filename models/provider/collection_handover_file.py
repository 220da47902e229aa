import io

from babel import Locale, UnknownLocaleError

from odoo import api, models
from odoo.tools import split_every

from ...const import CALL_OUTCOMES, PAYMENT_METHODS
from ...tools import tabular
from ...tools.handover import ALIASES, ALWAYS_SENT, ANSWERS, SENT

# Customers whose rows are read at a time.
BATCH_SIZE = 500
DATE_FORMATS = {"dmy": "%d/%m/%Y", "mdy": "%m/%d/%Y", "ymd": "%Y-%m-%d"}
# How a column looks in a workbook: kind and width. Texts of ordinary width are not named.
LOOKS = {
    "case": ("text", 20),
    "item": ("text", 20),
    "customer": ("text", 30),
    "contact": ("text", 22),
    "phone": ("text", 18),
    "email": ("text", 28),
    "number": ("text", 18),
    "date": ("date", 12),
    "due_date": ("date", 12),
    "amount": ("money", 14),
    "currency": ("text", 9),
    "days_late": ("integer", 10),
    "score": ("integer", 8),
    "comment": ("text", 40),
    "call_date": ("date", 12),
    "outcome": ("text", 24),
    "promise_date": ("date", 12),
    "promise_amount": ("money", 14),
    "method": ("text", 16),
    "reason": ("text", 26),
    "disputed_amount": ("money", 14),
    "new_contact": ("text", 22),
    "new_email": ("text", 28),
    "note": ("text", 40),
}


class CollectionHandoverFile(models.AbstractModel):
    """Writes the files that go out to a provider, in its language and in the format agreed with it.

    HOOKS. A column that goes out needs its key in ``_get_sent_keys``, a heading (``_get_titles``), an explanation
    (``_get_explanations``) and its value (``_prepare_customer_values`` or ``_prepare_row_values``); it goes out when
    the field ``send_<key>`` of the provider says so. A column to fill in needs its key in ``_get_answers``, a heading
    and an explanation, and somebody who reads it, see ``collection.provider.import.line``. ``_get_looks`` says how
    either looks when it is no short text.
    """

    _name = "collection.handover.file"
    _description = "File for a Provider"

    # === BUSINESS METHODS - COLUMNS === #

    @api.model
    def _get_sent_keys(self):
        """Return the columns that may go out, in the order of the file."""
        return SENT

    @api.model
    def _get_answers(self):
        """Return the columns that a provider fills in, in the order of the file."""
        return ANSWERS

    @api.model
    def _get_looks(self):
        """Return ``{column: (kind, width)}`` of those that are no texts of ordinary width."""
        return LOOKS

    @api.model
    def _get_aliases(self):
        """Return ``{column: other headings under which it comes back}``."""
        return ALIASES

    @api.model
    def _get_answers_of_kind(self, kind):
        """Return the columns to fill in of one kind, such as ``date`` or ``money``."""
        looks = self._get_looks()
        return tuple(key for key in self._get_answers() if looks.get(key, ("text",))[0] == kind)

    # === BUSINESS METHODS - WORDS === #

    @api.model
    def _get_titles(self):
        """Return ``{column: heading}`` in the language of the environment."""
        return {
            "case": self.env._("Case reference"),
            "item": self.env._("Item reference"),
            "customer": self.env._("Customer"),
            "contact": self.env._("Whom to ask for"),
            "role": self.env._("Role"),
            "phone": self.env._("Phone"),
            "email": self.env._("E-mail"),
            "language": self.env._("Language"),
            "number": self.env._("Invoice number"),
            "date": self.env._("Date"),
            "due_date": self.env._("Due date"),
            "amount": self.env._("Amount to claim"),
            "currency": self.env._("Currency"),
            "days_late": self.env._("Days late"),
            "score": self.env._("Score"),
            "comment": self.env._("Comments"),
            "call_date": self.env._("Call date"),
            "outcome": self.env._("Outcome"),
            "promise_date": self.env._("Promise date"),
            "promise_amount": self.env._("Promised amount"),
            "method": self.env._("Payment method"),
            "reason": self.env._("Reason for non-payment"),
            "disputed_amount": self.env._("Disputed amount"),
            "new_contact": self.env._("New contact"),
            "new_phone": self.env._("New phone"),
            "new_email": self.env._("New e-mail"),
            "note": self.env._("Note"),
        }

    @api.model
    def _get_explanations(self):
        """Return ``{column: what it holds or what to write}`` in the language of the environment."""
        return {
            "case": self.env._("One customer. Leave it as it is: without it the row can't be taken back."),
            "item": self.env._("One invoice or instalment. Leave it as it is."),
            "customer": self.env._("The company that owes the amount."),
            "contact": self.env._("The person who can say why it is not paid."),
            "role": self.env._("What this person does there."),
            "phone": self.env._("The number to call."),
            "email": self.env._("The address of this person."),
            "language": self.env._("The language to speak."),
            "number": self.env._("The invoice, as the customer knows it."),
            "date": self.env._("The day of the invoice."),
            "due_date": self.env._("The day on which it had to be paid."),
            "amount": self.env._("What may be asked for. Payments and credits are taken off already."),
            "currency": self.env._("The currency of the amount."),
            "days_late": self.env._("Days since the due date, on the day of this file."),
            "score": self.env._("0 to 100: the higher, the sooner to call."),
            "comment": self.env._("What one should know before calling."),
            "call_date": self.env._(
                "The day of the call. With two calls on one day, add the time. One row per customer is enough."
            ),
            "outcome": self.env._("How the call ended: choose from the list."),
            "promise_date": self.env._(
                "The day on which the customer will pay, from the day of the file's return on. Fill it in on each row "
                "that the promise covers."
            ),
            "promise_amount": self.env._(
                "How much of this row, in its currency. Empty: all of it. More than this row: set against the "
                "customer's oldest items."
            ),
            "method": self.env._("How the customer will pay: choose from the list. Empty: bank transfer."),
            "reason": self.env._("Why it is not paid: choose from the list."),
            "disputed_amount": self.env._("How much of this row the customer contests. Empty: all of it."),
            "new_contact": self.env._("The person to ask for, if it is another one."),
            "new_phone": self.env._("The number to call, if it is another one."),
            "new_email": self.env._("The e-mail address, if it is another one."),
            "note": self.env._("What was said. Facts only: the customer may ask to read it."),
        }

    @api.model
    def _get_choices(self):
        """Return ``{column: values to choose from}`` in the language of the environment."""
        return {
            "outcome": self._get_labels("collection.action", "outcome", CALL_OUTCOMES),
            "method": self._get_labels("collection.promise", "method", PAYMENT_METHODS),
            "reason": self.env["collection.reason"].sudo().search([("active", "=", True)]).mapped("name"),
        }

    @api.model
    def _get_labels(self, model, field, selection):
        labels = dict(self.env[model]._fields[field]._description_selection(self.env))
        return [labels[value] for value, _label in selection]

    @api.model
    def _get_language_name(self, code):
        """Return the name of a language in the language of the environment."""
        try:
            return Locale.parse(code).get_language_name(self.env.lang or "en_US")
        except (UnknownLocaleError, ValueError, TypeError):
            return code or ""

    # === BUSINESS METHODS - ROWS === #

    @api.model
    def _get_columns(self, handover):
        """Return the keys of the columns of a hand-over's file, in their order."""
        sent = {*ALWAYS_SENT, *handover.provider_id._get_sent_columns()}
        return [*(key for key in self._get_sent_keys() if key in sent), *self._get_answers()]

    @api.model
    def _get_rows(self, handover, columns):
        """Yield one row per item, customers best first, memory bounded."""
        lines = handover.sudo().line_ids
        for batch in split_every(BATCH_SIZE, lines.ids, lines.browse):
            for line in batch:
                shared = self._prepare_customer_values(line)
                for item in line.item_ids:
                    values = {**shared, **self._prepare_row_values(line, item)}
                    yield [self._get_cell(values.get(key)) for key in columns]

    @api.model
    def _prepare_customer_values(self, line):
        """Return ``{column: value}`` of what all rows of a customer have in common. Extend it for a new column.

        :param line: one ``collection.handover.line``, as the system.
        """
        debtor = line.debtor_id
        roles = dict(debtor._fields["contact_role"]._description_selection(self.env))
        return {
            "case": line.reference,
            "customer": debtor.partner_id.name,
            "contact": debtor.contact_name,
            "role": roles.get(debtor.contact_role),
            "phone": debtor.phone,
            "email": debtor.email,
            "language": self._get_language_name(debtor.lang),
            "score": debtor.score,
            "comment": debtor.comment,
        }

    @api.model
    def _prepare_row_values(self, line, item):
        """Return ``{column: value}`` of one row, without what its customer's rows have in common.

        Extend it for a new column.

        :param line: one ``collection.handover.line``, as the system.
        :param item: one of its ``collection.handover.item``.
        """
        return {
            "item": item.reference,
            "number": item.name,
            "date": item.date,
            "due_date": item.due_date,
            "amount": item.amount,
            "currency": item.currency_id.name,
            "days_late": (line.handover_id.date_start - item.due_date).days,
        }

    @api.model
    def _get_cell(self, value):
        """Return a value as a cell: nothing in place of ``False``."""
        return None if value is False or value is None else value

    @api.model
    def _get_stop_rows(self, handover):
        """Return one row per item of which less can be claimed than was handed over."""
        rows = []
        lines = handover.sudo().line_ids
        for batch in split_every(BATCH_SIZE, lines.ids, lines.browse):
            rows_by_debtor = batch.debtor_id._get_claimable_items_by_debtor()
            silences = batch.debtor_id._get_silences()
            for line in batch:
                now = {row["item"].id: row for row in rows_by_debtor[line.debtor_id]}
                silence = line.debtor_id._describe_silences(silences[line.debtor_id])
                for item in line.item_ids:
                    left = 0.0 if silence else now.get(item.move_line_id.id, {}).get("claimable", 0.0)
                    if item.currency_id.compare_amounts(left, item.amount) < 0:
                        why = self._get_stop_reason(item, now.get(item.move_line_id.id), silence)
                        rows.append(
                            [
                                line.reference,
                                item.reference,
                                line.debtor_id.partner_id.name,
                                item.name,
                                item.amount,
                                left,
                                item.currency_id.name,
                                self.env._("Yes") if silence else self.env._("No"),
                                why,
                            ]
                        )
        return rows

    @api.model
    def _get_stop_reason(self, item, row, silence):
        """Return why less can be claimed of an item than was handed over."""
        move_line = item.move_line_id
        if not move_line or move_line.parent_state != "posted":
            return self.env._("Cancelled")
        if move_line.reconciled or not row:
            return self.env._("Paid or credited")
        causes = [
            (row["disputed"], self.env._("Disputed")),
            (row["promised"], self.env._("Promised")),
            (row["excluded"], self.env._("Not to be called")),
            (row["credited"], self.env._("Covered by credits")),
        ]
        said = [cause for amount, cause in causes if not item.currency_id.is_zero(amount)]
        return ", ".join(said) or silence or self.env._("Partly paid or credited")

    # === BUSINESS METHODS - FILES === #

    @api.model
    def _write(self, handover):
        """Return the file of a hand-over.

        :param handover: one hand-over.
        :return: bytes.
        """
        handover.ensure_one()
        self = self.with_context(lang=handover.lang)  # noqa: PLW0642 - all in the caller's language
        columns = self._get_columns(handover)
        titles, explanations, choices = self._get_titles(), self._get_explanations(), self._get_choices()
        if handover.file_format != "xlsx":
            return self._write_text(handover, [titles[key] for key in columns], self._get_rows(handover, columns))
        output = io.BytesIO()
        with tabular.XlsxTable(output) as book:
            book.add_sheet(
                self.env._("To call"),
                [self._get_xlsx_column(handover, key, titles[key], choices.get(key)) for key in columns],
                self._get_rows(handover, columns),
            )
            sheet = book.add_text_sheet(
                self.env._("Explanation"),
                [(titles[key], explanations[key]) for key in columns],
                headings=(self.env._("Column"), self.env._("What it holds, what to write")),
            )
            # Wide enough for the longest: not every program adjusts the height of rows.
            sheet.set_column(1, 1, 140)
            sheet.set_landscape()
            sheet.fit_to_pages(1, 0)
        return output.getvalue()

    @api.model
    def _get_xlsx_column(self, handover, key, title, choices=None):
        kind, width = self._get_looks().get(key, ("text", 16))
        return tabular.XlsxColumn(
            title,
            kind=kind,
            width=width,
            digits=self._get_digits(handover),
            choices=choices or (),
            is_input=key in self._get_answers(),
        )

    @api.model
    def _get_digits(self, handover):
        """Return how many decimals the amounts of a hand-over show: those of the finest of its currencies."""
        return max(handover.sudo().item_ids.currency_id.mapped("decimal_places"), default=2)

    @api.model
    def _write_text(self, handover, titles, rows):
        """Return a delimited file in the format of a hand-over."""
        separator = "\t" if "tab" in (handover.separator, handover.file_format.replace("txt", "tab")) else None
        return tabular.write_delimited(
            titles,
            rows,
            separator=separator or handover.separator,
            # With a mark at the beginning spreadsheets know UTF-8 when they see it.
            encoding="utf-8-sig" if handover.encoding == "utf-8" else handover.encoding,
            decimal=handover.decimal_sign,
            date_format=DATE_FORMATS[handover.date_order],
        )

    @api.model
    def _write_table(self, handover, name, columns, rows):
        """Return a plain table in the format of a hand-over.

        :param str name: of the sheet.
        :param columns: list of ``(title, kind, width)``.
        :param rows: iterable of lists.
        """
        if handover.file_format != "xlsx":
            return self._write_text(handover, [title for title, _kind, _width in columns], rows)
        output = io.BytesIO()
        with tabular.XlsxTable(output) as book:
            book.add_sheet(
                name,
                [
                    tabular.XlsxColumn(title, kind=kind, width=width, digits=self._get_digits(handover))
                    for title, kind, width in columns
                ],
                rows,
            )
        return output.getvalue()

    @api.model
    def _write_stop_list(self, handover):
        """Return the file that says whom not to call any more, or not about everything.

        :param handover: one hand-over whose debtors are up to date.
        :return: bytes.
        """
        handover.ensure_one()
        self = self.with_context(lang=handover.lang)  # noqa: PLW0642
        handover = handover.with_context(lang=handover.lang)
        titles, looks = self._get_titles(), self._get_looks()
        columns = [
            *((titles[key], *looks[key]) for key in ("case", "item", "customer", "number")),
            (self.env._("Handed over"), "money", 14),
            (self.env._("Still to claim"), "money", 14),
            (titles["currency"], "text", 9),
            (self.env._("Don't call any more"), "text", 16),
            (self.env._("Why"), "text", 40),
        ]
        return self._write_table(handover, self.env._("Stop list"), columns, self._get_stop_rows(handover))
