from datetime import datetime, time, timedelta
from decimal import Decimal

from odoo.tools import email_normalize
from odoo.tools.misc import format_date

from ...const import CALL_OUTCOMES, PAYMENT_METHODS, REACHED_OUTCOMES
from ...tools import tabular
from ...tools.handover import clean_reference, fold, split_time

# A promise for a later day than this is doubtful.
FAR_DAYS = 180
# Characters of a text that one types into a spreadsheet.
TEXT_LIMIT = 2000


class RowParser:
    """Turns rows of a table into answers.

    Other addons read columns of their own in ``collection.provider.import.line._parse_row``, with ``read_day``,
    ``read_amount`` and ``read_choice``: what is wrong with a cell goes to the errors of its row.
    """

    def __init__(self, record, positions, formats, epoch):
        self.env = record.env
        self.record = record
        self.positions = positions
        self.order, self.decimal = formats
        self.epoch = epoch
        self.today = record.company_id._collection_today()
        File = self.env["collection.handover.file"]
        self.titles, self.answers = File._get_titles(), File._get_answers()
        languages = [code for code, _name in self.env["res.lang"].get_installed()]
        self.outcomes = self._get_words("collection.action", "outcome", CALL_OUTCOMES, languages)
        self.methods = self._get_words("collection.promise", "method", PAYMENT_METHODS, languages)
        reasons = self.env["collection.reason"].sudo().search([("active", "=", True)])
        self.reasons = {fold(reason.code): reason for reason in reasons if reason.code}
        for lang in languages:
            self.reasons |= {fold(reason.name): reason for reason in reasons.with_context(lang=lang)}

    def _get_words(self, model, field, selection, languages):
        """Return ``{word: value}`` of a list to choose from, in all languages one has."""
        words = {fold(value): value for value, _label in selection}
        words |= {fold(label): value for value, label in selection}
        for lang in languages:
            env = self.env(context={**self.env.context, "lang": lang})
            labels = env[model]._fields[field]._description_selection(env)
            words |= {fold(label): value for value, label in labels}
        return words

    def read_row(self, row):
        """Return a ``ParsedRow``."""
        read = ParsedRow(row.number)
        if row.problem:
            read.errors.append(self.record._tabular_message(row.problem, with_place=False))
        cells = read.cells = {name: row.cells[index] for name, index in self.positions.items()}
        for name, cell in cells.items():
            if name in ("case", "item") or name in self.answers:
                self._read_text(read, name, cell)
        read.references = {name: clean_reference(read.texts.get(name)) for name in ("case", "item")}
        read.is_empty = not any(read.texts.get(name) for name in self.answers) and not read.errors
        if not read.is_empty:
            self._read_call(read, cells)
            self._read_promise(read, cells)
            self._read_reason(read, cells)
            self._read_contact(read)
        return read

    def _read_text(self, read, name, cell):
        try:
            text = tabular.parse_text(cell, read.number, self.titles[name])
        except tabular.TabularError as error:
            read.errors.append(self.record._tabular_message(error, with_place=False))
            text = ""
        text = " ".join(text.split()) if name != "note" else text.strip()
        if len(text) > TEXT_LIMIT:
            read.errors.append(
                self.env._(
                    "“%(column)s” is longer than %(limit)s characters.", column=self.titles[name], limit=TEXT_LIMIT
                )
            )
            text = ""
        read.texts[name] = text
        if name == "note" and text:
            read.answer["note"] = text

    def read_day(self, read, cells, name):
        """Return the day in a column, ``None`` without one.

        :param ParsedRow read: the row.
        :param dict cells: its cells by column (``read.cells``).
        :param str name: the column.
        """
        try:
            return tabular.parse_date(cells.get(name), self.order, self.epoch, column=self.titles[name])
        except tabular.TabularError as error:
            read.errors.append(self.record._tabular_message(error))

    def read_amount(self, read, cells, name):
        """Return the amount above zero in a column as ``Decimal``, ``None`` without one. See ``read_day``."""
        try:
            amount = tabular.parse_amount(cells.get(name), self.decimal, column=self.titles[name])
        except tabular.TabularError as error:
            read.errors.append(self.record._tabular_message(error))
            return None
        if amount is not None and amount <= 0:
            read.errors.append(self.env._("“%s” must be above zero, or left empty.", self.titles[name]))
            return None
        return amount

    def read_choice(self, read, name, words):
        """Return what a word in a column means, ``None`` without one.

        :param dict words: ``{word, folded: value}``.
        """
        text = read.texts.get(name)
        if not text:
            return None
        if fold(text) not in words:
            read.errors.append(
                self.env._(
                    "“%(value)s” is not in the list of “%(column)s”. Choose one of: %(choices)s.",
                    value=text[:60],
                    column=self.titles[name],
                    choices=", ".join(self.env["collection.handover.file"]._get_choices()[name]),
                )
            )
            return None
        return words[fold(text)]

    def _read_call(self, read, cells):
        outcome = self.read_choice(read, "outcome", self.outcomes)
        if outcome:
            read.answer["outcome"] = outcome
        day = self.read_day(read, cells, "call_date")
        if not day:
            return
        handover = self.record.handover_id
        if day > self.today:
            read.errors.append(self.env._("The call date %s is still to come.", format_date(self.env, day)))
        elif day < handover.date_start:
            read.errors.append(
                self.env._(
                    "The call date %(day)s is before the hand-over of %(start)s.",
                    day=format_date(self.env, day),
                    start=format_date(self.env, handover.date_start),
                )
            )
        read.answer["call_date"] = day.isoformat()
        cell = cells["call_date"]
        moment = cell.time() if isinstance(cell, datetime) else split_time(read.texts["call_date"])[1]
        if moment and moment != time():
            read.answer["call_time"] = moment.isoformat("minutes")
        answered = any(read.texts.get(name) for name in self.answers if name not in ("call_date", "note"))
        if not answered:
            read.errors.append(self.env._("Say how the call ended: “%s” is empty.", self.titles["outcome"]))

    def _read_promise(self, read, cells):
        day = self.read_day(read, cells, "promise_date")
        amount = self.read_amount(read, cells, "promise_amount")
        method = self.read_choice(read, "method", self.methods)
        if not day:
            if amount and not read.texts.get("promise_date"):
                read.errors.append(
                    self.env._("Say on which day the customer will pay: “%s” is empty.", self.titles["promise_date"])
                )
            return
        if day < self.today:
            read.errors.append(
                self.env._(
                    "%s is in the past: a promise needs the day on which the customer will pay.",
                    format_date(self.env, day),
                )
            )
        elif day > self.today + timedelta(days=FAR_DAYS):
            read.warnings.append(self.env._("Promised for a day far away: is the year right?"))
        if read.answer.get("outcome") and read.answer["outcome"] not in REACHED_OUTCOMES:
            read.errors.append(self.env._("Nobody was reached, and yet there is a promise: mend one of the two."))
        read.promise_amount = amount
        read.answer |= {"promise_date": day.isoformat(), "method": method or "transfer"}

    def _read_reason(self, read, cells):
        amount = self.read_amount(read, cells, "disputed_amount")
        read.reason = self.read_choice(read, "reason", self.reasons)
        if read.reason:
            read.answer["reason"] = read.reason.id
        if amount and not read.texts.get("reason"):
            read.errors.append(self.env._("Say why the amount is disputed: “%s” is empty.", self.titles["reason"]))
        if not read.reason:
            return
        if amount and not read.reason.opens_dispute:
            read.errors.append(
                self.env._(
                    "“%s” is no reason for a dispute: choose another one, or empty the disputed amount.",
                    read.reason.name,
                )
            )
        if read.answer.get("outcome") and read.answer["outcome"] not in REACHED_OUTCOMES:
            read.errors.append(self.env._("Nobody was reached, and yet there is a reason: mend one of the two."))
        if read.reason.opens_dispute:
            read.is_dispute = True
            read.disputed_amount = amount
            read.answer["is_dispute"] = True

    def _read_contact(self, read):
        email = read.texts.get("new_email")
        if email and not email_normalize(email):
            read.errors.append(self.env._("“%s” is no e-mail address.", email[:60]))
        phone = read.texts.get("new_phone")
        if phone and sum(sign.isdigit() for sign in phone) < 4:
            read.errors.append(self.env._("“%s” is no phone number.", phone[:60]))
        for name in ("new_contact", "new_phone", "new_email"):
            if read.texts.get(name):
                read.answer[name] = read.texts[name]


class ParsedRow:
    """What was read of one row, on its way to the preview."""

    def __init__(self, number):
        self.number = number
        self.texts, self.cells, self.references, self.answer = {}, {}, {}, {}
        self.errors, self.warnings = [], []
        self.line = self.item = self.reason = self.promise_amount = self.disputed_amount = None
        self.is_empty = self.is_dispute = False

    def get_currency(self):
        """Return the currency of the amounts: that of the item, else that of the customer's first one."""
        item = self.item or (self.line and self.line.item_ids[:1])
        return item and item.currency_id

    def round_amounts(self):
        """Round the amounts to the decimals of their currency: 0 for yen, 3 for Kuwaiti dinar.

        :return: names of the amounts of which nothing is left.
        """
        currency = self.get_currency()
        unit = Decimal(1).scaleb(-(currency.decimal_places if currency else 2))
        lost = []
        for name in ("promise_amount", "disputed_amount"):
            amount = getattr(self, name)
            if not amount:
                continue
            amount = amount.quantize(unit)
            setattr(self, name, amount or None)
            if amount:
                self.answer[name] = str(amount)
            else:
                lost.append(name)
        return lost
