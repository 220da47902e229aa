from datetime import time

from odoo import api, fields, models
from odoo.tools import format_amount
from odoo.tools.misc import format_date

from ...tools.handover import get_outcome, get_parts, make_key
from .provider_call_importer import CallImporter
from .provider_row_parser import RowParser


class CollectionProviderImportLine(models.Model):
    """One row of a file from a provider: what it says, what it will do, what is wrong with it.

    HOOKS. To take a column of your own back (see ``collection.handover.file``): read it in ``_parse_row``; say in
    ``_get_parts`` that the row says something of a new kind, which you add to the selection
    ``collection.provider.statement.kind``, so that it counts once; name it in ``_describe`` for the preview; and record
    it in ``_record_said``.
    """

    _name = "collection.provider.import.line"
    _description = "Row of a File from a Provider"
    _inherit = ["collection.fact.mixin"]
    _is_of_system = True
    _order = "import_id desc, number, id"
    _check_company_auto = True
    _log_access = False

    import_id = fields.Many2one("collection.provider.import", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="import_id.company_id", store=True)
    number = fields.Integer(string="Row", readonly=True)
    line_id = fields.Many2one(
        "collection.handover.line",
        check_company=True,
        string="Customer in the Hand-over",
        readonly=True,
        ondelete="restrict",
    )
    item_id = fields.Many2one("collection.handover.item", check_company=True, readonly=True, ondelete="restrict")
    partner_id = fields.Many2one(related="line_id.partner_id")
    case_id = fields.Many2one(related="line_id.case_id")
    item_name = fields.Char(related="item_id.name", string="Invoice")
    answer = fields.Json(readonly=True)
    group_key = fields.Char(readonly=True, help="Rows about the same call are taken back together.")
    state = fields.Selection(
        [
            ("ready", "To take back"),
            ("applied", "Taken back"),
            ("known", "Known already"),
            ("empty", "Not filled in"),
            ("error", "To mend"),
        ],
        required=True,
        readonly=True,
        default="ready",
    )
    summary = fields.Text(string="What it does", readonly=True)
    warning = fields.Text(readonly=True)
    error = fields.Text(string="What to mend", readonly=True)

    _state_index = models.Index("(import_id, state, number)")
    _group_index = models.Index("(import_id, group_key) WHERE state = 'ready'")

    # === ACTION METHODS === #

    def action_open_case(self):
        """Open the case that a row is about."""
        self.ensure_one()
        self.check_access("read")
        return self.case_id._get_form_action()

    # === BUSINESS METHODS - READING === #

    @api.model
    def _create_rows(self, record, rows, positions, formats, epoch):
        """Record what rows of a file say and will do.

        :param record: one ``collection.provider.import``.
        :param rows: list of ``tabular.Row``.
        :param dict positions: ``{field: index of its column}``.
        :param formats: ``(order of dates, decimal sign)``.
        :param int epoch: from which year the workbook counts days.
        """
        reader = RowParser(record, positions, formats, epoch)
        read = [self._parse_row(reader, row) for row in rows]
        self._match_references(record, read)
        self._round_amounts(reader, read)
        self._check_amounts(record, read)
        known = self._get_known(read)
        self.create([self._prepare_row(record, row, known) for row in read])

    @api.model
    def _parse_row(self, parser, row):
        """Return what a row says. Extend it to read a column of your own into ``answer``, as JSON takes it.

        :param RowParser parser: reads cells.
        :param row: ``tabular.Row``
        :return: a ``ParsedRow``: ``texts`` and ``cells`` by column, ``answer``, ``errors``, ``warnings``.
        """
        return parser.read_row(row)

    @api.model
    def _get_parts(self, answer):
        """Return ``{kind: key}`` of what an answer says, see ``tools/handover.py``. Extend it for your own kind."""
        return get_parts(answer)

    @api.model
    def _match_references(self, record, rows):
        """Find the case and the item of each row, in this hand-over and nowhere else."""
        references = {row.references.get(name) for row in rows for name in ("case", "item")} - {"", None}
        scope = [("handover_id", "=", record.handover_id.id), ("reference", "in", list(references))]
        lines = {line.reference: line for line in self.env["collection.handover.line"].sudo().search(scope)}
        items = {item.reference: item for item in self.env["collection.handover.item"].sudo().search(scope)}
        for row in rows:
            if row.is_empty:
                continue
            row.item = items.get(row.references.get("item"))
            row.line = lines.get(row.references.get("case"))
            for name, found in (("case", row.line), ("item", row.item)):
                if row.texts.get(name) and not found:
                    row.errors.append(
                        self.env._("“%s” is no reference of this hand-over. Copy it from our file.", row.texts[name])
                    )
            if row.item and not row.texts.get("case"):
                row.line = row.item.line_id
            if row.item and row.line and row.item.line_id != row.line:
                row.errors.append(self.env._("Case and item belong to different customers. Copy both from our file."))
            if not row.line and not row.errors:
                row.errors.append(self.env._("The case reference is missing. Copy it from our file."))
            if row.item:
                row.answer["item"] = row.item.id
            if row.line and len(row.line.item_ids) == 1 and not row.item:
                row.item = row.line.item_ids
                row.answer["item"] = row.item.id

    @api.model
    def _round_amounts(self, reader, rows):
        """Round the amounts of each row to the decimals of the currency of its item."""
        for row in rows:
            for name in row.round_amounts():
                row.errors.append(self.env._("“%s” must be above zero, or left empty.", reader.titles[name]))

    @api.model
    def _check_amounts(self, record, rows):
        """Check promises and disputes against what is still owed. The models check again on import."""
        checked = [row for row in rows if row.line and (row.promise_amount or row.disputed_amount or row.is_dispute)]
        if not checked:
            return
        debtors = self.env["collection.debtor"].sudo().union(*(row.line.debtor_id for row in checked))
        claims = debtors._get_claimable_items_by_debtor()
        for row in checked:
            available = {
                claim["item"].id: (claim["currency"], claim["residual"] - claim["disputed"], claim["promised"])
                for claim in claims[row.line.debtor_id]
            }
            currency, left, promised = (row.item and available.get(row.item.move_line_id.id)) or (None, 0.0, 0.0)
            if row.is_dispute:
                self._check_disputed_amount(row, currency, left)
            if row.promise_amount:
                self._check_promised_amount(row, currency, left - promised, available)

    @api.model
    def _check_disputed_amount(self, row, currency, left):
        if not row.item:
            row.errors.append(self.env._("Say which invoice is disputed: copy the item reference from our file."))
        elif not currency or currency.compare_amounts(left, 0) <= 0:
            row.errors.append(
                self.env._("Nothing is left of %s to dispute: it was paid or disputed since.", row.item.name)
            )
        elif row.disputed_amount and currency.compare_amounts(float(row.disputed_amount), left) > 0:
            row.errors.append(
                self.env._(
                    "%(amount)s is more than the %(left)s still owed on %(item)s.",
                    amount=currency.format(float(row.disputed_amount)),
                    left=currency.format(left),
                    item=row.item.name,
                )
            )

    @api.model
    def _check_promised_amount(self, row, currency, left, available):
        amount = float(row.promise_amount)
        if currency and currency.compare_amounts(amount, left) <= 0:
            return
        currency = currency or row.line.item_ids[:1].currency_id
        total = sum(part - promised for other, part, promised in available.values() if other == currency)
        if currency.compare_amounts(amount, total) > 0:
            row.errors.append(
                self.env._(
                    "%(amount)s is more than the %(left)s that this customer can still promise.",
                    amount=currency.format(amount),
                    left=currency.format(max(total, 0.0)),
                )
            )
        else:
            # Callers tend to write one sum for a customer: it goes to the oldest items.
            row.answer["whole_case"] = True
            if row.item:
                row.warnings.append(self.env._("More than this item: set against the customer's oldest items."))

    @api.model
    def _get_known(self, rows):
        """Return ``{(line id, kind, key)}`` of what these rows say and what was imported already."""
        lines = {row.line.id for row in rows if row.line}
        keys = {key for row in rows for key in self._get_parts(row.answer).values()}
        statements = (
            self.env["collection.provider.statement"]
            .sudo()
            .search_fetch([("line_id", "in", list(lines)), ("key", "in", list(keys))], ["line_id", "kind", "key"])
        )
        return {(statement.line_id.id, statement.kind, statement.key) for statement in statements}

    @api.model
    def _prepare_row(self, record, row, known):
        """Return the values of a row."""
        parts = self._get_parts(row.answer)
        new = {kind for kind, key in parts.items() if not row.line or (row.line.id, kind, key) not in known}
        if row.is_empty or (not parts and not row.errors):
            state, summary = "empty", False
        elif row.errors:
            state, summary = "error", False
        elif not new:
            state, summary = "known", self.env._("Taken back already: changes nothing more.")
        else:
            state, summary = "ready", self._describe(row, new)
        if state == "ready" and not row.line._get_case_for_answers():
            row.warnings.append(self.env._("The case is closed: it is written on the follow-up file."))
        return {
            "import_id": record.id,
            "number": row.number,
            "line_id": row.line and row.line.id,
            "item_id": row.item and row.item.id,
            "answer": row.answer,
            "group_key": row.line and make_key(row.line.id, parts.get("call")),
            "state": state,
            "summary": summary,
            "warning": " ".join(row.warnings) if state == "ready" else False,
            "error": " ".join(row.errors) or False,
        }

    @api.model
    def _describe(self, row, new):
        """Return a text that states what importing a row will do. Extend it for a kind of your own.

        :param new: kinds of what it says that were not imported yet.
        """
        answer, said = row.answer, []
        outcomes = dict(self.env["collection.action"]._fields["outcome"]._description_selection(self.env))
        methods = dict(self.env["collection.promise"]._fields["method"]._description_selection(self.env))
        currency = row.get_currency()

        def money(amount):
            return format_amount(self.env, float(amount), currency) if amount else self.env._("all of it")

        if "call" in new:
            said.append(
                self.env._(
                    "Call on %(date)s: %(outcome)s.",
                    date=format_date(self.env, answer["call_date"]) if answer.get("call_date") else self.env._("today"),
                    outcome=outcomes[get_outcome(answer)].lower(),
                )
            )
        if "dispute" in new:
            said.append(
                self.env._(
                    "Dispute: %(reason)s, %(amount)s.",
                    reason=row.reason.name,
                    amount=money(answer.get("disputed_amount")),
                )
            )
        if "promise" in new:
            said.append(
                self.env._(
                    "Promise for %(date)s by %(method)s: %(amount)s.",
                    date=format_date(self.env, answer["promise_date"]),
                    method=methods[answer["method"]].lower(),
                    amount=money(answer.get("promise_amount")),
                )
            )
        if "contact" in new:
            said.append(
                self.env._(
                    "Contact: %s.", ", ".join(filter(None, map(answer.get, ("new_contact", "new_phone", "new_email"))))
                )
            )
        if "note" in new and row.reason and not row.is_dispute:
            said.append(self.env._("Reason: %s.", row.reason.name))
        if "note" in new and answer.get("note"):
            said.append(self.env._("Note: %s", answer["note"]))
        return " ".join(said)

    # === BUSINESS METHODS - IMPORT === #

    def _as_said(self):
        """Return these rows so that what is logged carries the hand-over and the day of the call.

        A promise or a dispute changes at once what may be claimed, which the rest of the call asks for.
        """
        answer = self[:1].answer
        if any(line.answer.get("promise_date") or line.answer.get("is_dispute") for line in self):
            self = self.with_context(collection_pending_refresh=None)  # noqa: PLW0642
        origin = self.import_id._get_origin_of(
            fields.Date.to_date(answer.get("call_date")),
            time.fromisoformat(answer["call_time"]) if answer.get("call_time") else None,
        )
        return self.with_context(collection_origin=origin)

    def _import_rows(self):
        """Record what rows about one call say, by the same dialogues as what is logged by hand.

        The first record is logged as the call; everything else that was said in it is logged as a note, so that
        one call counts once.
        """
        line = self.line_id
        line.ensure_one()
        said, new = self._keep_statements()
        if new:
            self._record_said(CallImporter(self, said, new))
        self.sudo().write({"state": "applied", "error": False})

    def _record_said(self, importer):
        """Record what rows about one call say. Extend it for a kind of your own.

        :param CallImporter importer: ``debtor`` and ``case`` that the call was about, and ``said``,
            ``{kind: rows that say something new of this kind}``.
        """
        importer.log_disputes()
        importer.log_promises()
        importer.log_call()
        importer.correct_contact()

    def _keep_statements(self):
        """Record by which keys these rows are known from now on.

        :return: ``({kind: rows that say something new of this kind}, {kinds that are new})``.
        """
        Statement = self.env["collection.provider.statement"].sudo()
        line = self.line_id
        parts_by_row = {row: self._get_parts(row.answer) for row in self}
        known = {
            (statement.kind, statement.key)
            for statement in Statement.search(
                [
                    ("line_id", "=", line.id),
                    ("key", "in", [key for parts in parts_by_row.values() for key in parts.values()]),
                ]
            )
        }
        said = {}
        for row, parts in parts_by_row.items():
            for kind, key in parts.items():
                if (kind, key) not in known:
                    known.add((kind, key))
                    said[kind] = said.get(kind, self.browse()) | row
                    Statement.create({"line_id": line.id, "kind": kind, "key": key, "import_id": row.import_id.id})
        return said, set(said)
