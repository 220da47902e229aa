import base64
import hashlib
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, OrderedSet, float_round
from odoo.tools.misc import format_date

from ..tools import tabular
from ..tools.receivables import HEADINGS, Known, Listed, compare, normalise_number

# More changes than this are booked by the scheduled action, so that nobody waits.
AT_ONCE = 300
CHUNK = 200
RANKS = {"error": 0, "warning": 1, "paid": 2, "changed": 3, "new": 4, "unchanged": 5, "ignored": 6}
DATE_MEANINGS = ("invoice_date", "due_date")
AMOUNT_MEANINGS = ("original", "remaining")
TEXT_MEANINGS = ("customer", "reference", "vat", "registry", "email", "phone", "number")
CUSTOMER_MEANINGS = ("customer", "reference", "vat", "registry")
# What can't be found out from every file, and stays the same for one source.
REMEMBERED_OPTIONS = ("file_date_order", "file_decimal")
# Signs that NFKD takes off letters: accents.
COMBINING = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
MEANING_TITLES = [title for titles in HEADINGS.values() for title in titles]


class Candidate(NamedTuple):
    """A customer who may be meant by a row."""

    vat: str  # letters and digits only
    is_active: bool


class CollectionReceivableBatch(models.Model):
    """One list of open items of a company whose invoices are kept elsewhere, and what it changed here.

    Items become posted entries in a journal of their own, against a transit account. What the next
    list no longer names has been paid: it is settled in a journal of type cash, because that is how
    promises, payment history and recap tell money from credit notes; the counterpart is the same
    transit account, so that no bank account of these books ever moves.
    """

    _name = "collection.receivable.batch"
    _description = "Import of Open Items"
    _inherit = ["collection.file.mixin", "collection.state.mixin"]
    _order = "id desc"
    _rec_name = "file_name"
    _check_company_auto = True
    _state_initial = "draft"
    _state_transitions = {
        "draft": ("ready",),
        "ready": ("draft", "applying"),
        "applying": ("done",),
        "done": ("undoing",),
        # Back to done: what can't be undone is on file still.
        "undoing": ("undone", "done"),
    }
    _fields_of_system = frozenset(
        {
            "file_hash",
            "read_hash",
            "user_id",
            "applied_on",
            "line_ids",
            "move_ids",
            "keeps_missing",
            "settlement_journal_id",
        }
    )

    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company, ondelete="cascade"
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("ready", "Preview"),
            ("applying", "Being booked"),
            ("done", "Booked"),
            ("undoing", "Being undone"),
            ("undone", "Undone"),
        ],
        required=True,
        readonly=True,
        default="draft",
        index=True,
        copy=False,
    )
    file = fields.Binary(string="List of Open Items", required=True, attachment=True, copy=False)
    file_name = fields.Char(required=True, copy=False)
    file_hash = fields.Char(compute="_compute_file_hash", store=True)
    # Of the file whose columns are shown.
    read_hash = fields.Char(readonly=True, copy=False)
    date = fields.Date(
        string="List as of",
        required=True,
        default=lambda self: self.env.company._collection_today(),
        help="The day on which the list was made. What was paid since the last list counts as paid on this day.",
    )
    is_complete = fields.Boolean(
        string="Names all open Items",
        default=True,
        help="What the list no longer names has been paid. Uncheck it for a list that only adds items.",
    )
    journal_id = fields.Many2one(
        "account.journal",
        compute="_compute_journal_id",
        store=True,
        readonly=False,
        check_company=True,
        domain="[('type', '=', 'general')]",
        help="Where the open items stand: one journal for each source of lists. Empty: one is made.",
    )
    settlement_journal_id = fields.Many2one(
        "account.journal", string="Payments stand in", readonly=True, copy=False, check_company=True
    )
    transit_account_id = fields.Many2one(
        "account.account",
        compute="_compute_transit_account_id",
        store=True,
        readonly=False,
        check_company=True,
        domain="[('account_type', 'in', ('asset_current', 'liability_current', 'equity', 'off_balance'))]",
        help="What stands against the open items, for example 471: neither sales nor VAT nor a bank account.",
    )
    column_ids = fields.One2many("collection.receivable.column", "batch_id", string="Columns")
    line_ids = fields.One2many("collection.receivable.line", "batch_id", string="Rows", readonly=True)
    move_ids = fields.One2many("account.move", "collection_batch_id", string="Entries", readonly=True)
    problem = fields.Text(readonly=True, copy=False)
    reading = fields.Char(string="How it was read", readonly=True, copy=False)
    keeps_missing = fields.Boolean(
        readonly=True, help="Rows can't be told apart: what is missing was not taken as paid."
    )
    user_id = fields.Many2one("res.users", string="Booked by", readonly=True, copy=False)
    applied_on = fields.Datetime(string="Booked on", readonly=True, copy=False)

    new_count = fields.Integer(string="New", compute="_compute_counts")
    changed_count = fields.Integer(string="Changed", compute="_compute_counts")
    paid_count = fields.Integer(string="Paid since", compute="_compute_counts")
    unchanged_count = fields.Integer(string="Unchanged", compute="_compute_counts")
    ignored_count = fields.Integer(string="Left out", compute="_compute_counts")
    error_count = fields.Integer(string="Errors", compute="_compute_counts")
    warning_count = fields.Integer(string="Warnings", compute="_compute_counts")
    new_customer_count = fields.Integer(string="New Customers", compute="_compute_counts")
    progress = fields.Integer(string="Booked (%)", compute="_compute_counts")
    alert = fields.Text(compute="_compute_alert")

    # === COMPUTE METHODS === #

    @api.depends("file")
    def _compute_file_hash(self):
        for batch in self.with_context(bin_size=False):
            batch.file_hash = hashlib.sha256(base64.b64decode(batch.file)).hexdigest() if batch.file else False

    @api.depends("company_id")
    def _compute_journal_id(self):
        for batch in self:
            batch.journal_id = (
                self.search([("company_id", "=", batch.company_id.id), ("state", "=", "done")], limit=1).journal_id
                or batch.journal_id
            )

    @api.depends("journal_id", "company_id")
    def _compute_transit_account_id(self):
        for batch in self:
            batch.transit_account_id = (
                batch.journal_id.collection_transit_account_id
                or batch.transit_account_id
                or self._get_default_transit_account(batch.company_id)
            )

    @api.depends("line_ids.kind", "line_ids.is_done")
    def _compute_counts(self):
        Line = self.env["collection.receivable.line"]
        rows = Line._read_group(
            [("batch_id", "in", self.ids)], ["batch_id", "kind", "has_warning", "is_done"], ["__count"]
        )
        customers = dict(
            Line._read_group(
                [("batch_id", "in", self.ids), ("found_by", "=", "made")], ["batch_id"], ["customer_key:count_distinct"]
            )
        )
        for batch in self:
            counts = [row[1:] for row in rows if row[0] == batch]
            for kind, _label in Line._fields["kind"].selection:
                batch[f"{kind}_count"] = sum(row[-1] for row in counts if row[0] == kind)
            batch.warning_count = sum(row[-1] for row in counts if row[1])
            batch.new_customer_count = customers.get(batch, 0)
            to_do = batch.new_count + batch.changed_count + batch.paid_count
            done = sum(row[-1] for row in counts if row[0] in ("new", "changed", "paid") and row[2])
            batch.progress = 100 * done // to_do if to_do else 100

    @api.depends("paid_count", "unchanged_count", "changed_count", "keeps_missing", "file_hash", "state")
    def _compute_alert(self):
        for batch in self:
            alerts = []
            if batch.state == "ready":
                same = batch._get_same_file()
                if same:
                    alerts.append(
                        self.env._(
                            "This very file was booked on %s already.",
                            format_date(self.env, same.applied_on),
                        )
                    )
                known = batch.paid_count + batch.changed_count + batch.unchanged_count
                if batch.paid_count > 5 and 2 * batch.paid_count > known:
                    alerts.append(
                        self.env._(
                            "%(paid)s of %(known)s items on file are missing from this list and would count as paid. "
                            "Is it complete, and is it of the right company?",
                            paid=batch.paid_count,
                            known=known,
                        )
                    )
                if batch.keeps_missing:
                    alerts.append(
                        self.env._(
                            "Some rows in error have no invoice number, so nothing that is missing counts as paid. "
                            "Mend them to find out what was paid."
                        )
                    )
            batch.alert = "\n".join(alerts)

    @api.constrains("date")
    def _check_date(self):
        for batch in self:
            if batch.date > batch.company_id._collection_today():
                raise ValidationError(self.env._("The list can't be of a day to come."))

    @api.constrains("journal_id", "transit_account_id")
    def _check_accounts(self):
        allowed = ("asset_current", "liability_current", "equity", "off_balance")
        for batch in self:
            if batch.journal_id and batch.journal_id.type != "general":
                raise ValidationError(self.env._("Open items need a journal of the type “Miscellaneous”."))
            account = batch.transit_account_id
            if account and account.account_type not in allowed:
                raise ValidationError(
                    self.env._(
                        "%s can't stand against open items: choose an account that is neither sales, VAT, "
                        "receivable nor bank.",
                        account.display_name,
                    )
                )

    # === CRUD METHODS === #

    def write(self, vals):
        what_is_read = {"file", "date", "is_complete", "journal_id", "transit_account_id", "company_id", "column_ids"}
        if (what_is_read & vals.keys()) and not self.env.su:
            if any(batch.state not in ("draft", "ready") for batch in self):
                raise UserError(self.env._("This import is booked. Make a new one for another list."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_booked(self):
        if any(batch.state not in ("draft", "ready") for batch in self):
            raise UserError(self.env._("What was booked stays on file. Undo the import instead."))

    # === ACTION METHODS === #

    def action_preview(self):
        """Read the file and show what each row will do."""
        self.ensure_one()
        self.check_access("write")
        table = self._open_table()
        if self.read_hash != self.file_hash or not self.column_ids:
            self._guess_columns(table)
        # Not an error: what is asked for has to stay on the screen.
        self.sudo().problem = self._find_column_problem()
        if self.problem:
            self.action_edit()
            return
        self._replace_lines(self._read_rows(table))
        self._set_state("ready")

    def action_edit(self):
        """Go back to the options."""
        self.check_access("write")
        self.sudo().line_ids.unlink()
        self._set_state("draft")

    def action_apply(self):
        """Book what the preview shows: at once when it is little, else in the background."""
        self.ensure_one()
        self._check_may_book()
        self._lock_source()
        if self.state != "ready":
            raise UserError(self.env._("Look at the preview first."))
        self._make_journals()
        # The ledger may have moved since the preview.
        self.action_preview()
        if self.state != "ready":
            return
        self._check_order()
        self._remember_options()
        self.sudo().write({"user_id": self.env.uid, "applied_on": fields.Datetime.now()})
        self._set_state("applying")
        if self.env["collection.receivable.line"].search_count(self._get_pending_domain()) > AT_ONCE:
            self.env.ref("account_collection.cron_receivables")._trigger()
            return
        while self._book_some():
            pass

    def action_undo(self):
        """Reverse all entries of this import."""
        self.ensure_one()
        self._check_may_book()
        self._lock_source()
        self._check_may_undo()
        self.sudo().write({"user_id": self.env.uid, "problem": False})
        self._set_state("undoing")
        if len(self.sudo().move_ids) > AT_ONCE:
            self.env.ref("account_collection.cron_receivables")._trigger()
            return
        while self._undo_some():
            pass

    def action_view_lines(self):
        """Open the rows with filters."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Rows of %s", self.file_name),
            "res_model": "collection.receivable.line",
            "view_mode": "list",
            "domain": [("batch_id", "=", self.id)],
            "context": {"create": False, **self.env.context.get("collection_filter", {})},
        }

    def action_view_moves(self):
        """Open the entries of this import."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Entries of %s", self.file_name),
            "res_model": "account.move",
            "view_mode": "list,form",
            "domain": [("collection_batch_id", "=", self.id)],
            "context": {"create": False},
        }

    def action_view_debtors(self):
        """Open the customers whom this import is about."""
        self.ensure_one()
        action = self.env["ir.actions.actions"]._for_xml_id("account_collection.collection_debtor_action")
        partners = self.line_ids.partner_id
        return {**action, "domain": [("partner_id", "in", partners.ids), ("company_id", "=", self.company_id.id)]}

    # === BUSINESS METHODS - RIGHTS AND ORDER === #

    def _check_may_book(self):
        """Check that the user may post entries: running the follow-up alone does not allow that.

        :raises UserError: when they may not.
        """
        self.check_access("write")
        if not self.env.user.has_group("account.group_account_invoice"):
            raise UserError(self.env._("Booking open items posts entries: it needs a right on accounting, too."))

    def _lock_source(self):
        """Wait for nobody: two people don't book into the same journal at once."""
        self.lock_for_update()
        if self.journal_id:
            self.journal_id.sudo().lock_for_update()
        busy = self.sudo().search(
            [
                ("company_id", "=", self.company_id.id),
                ("journal_id", "=", self.journal_id.id),
                ("state", "in", ("applying", "undoing")),
                ("id", "!=", self.id),
            ],
            limit=1,
        )
        if busy:
            raise UserError(self.env._("“%s” is being booked: wait until it is done.", busy.file_name))

    def _get_last_booked(self):
        """Return the import that was booked last into the same journal."""
        return self.sudo().search(
            [("journal_id", "=", self.journal_id.id), ("state", "=", "done"), ("journal_id", "!=", False)],
            order="applied_on desc, id desc",
            limit=1,
        )

    def _get_same_file(self):
        return self.search(
            [
                ("company_id", "=", self.company_id.id),
                ("file_hash", "=", self.file_hash),
                ("state", "in", ("applying", "done")),
                ("id", "!=", self._origin.id),
            ],
            limit=1,
        )

    def _check_order(self):
        """Check that the list is not older than what was booked last: it would open again what was paid.

        :raises UserError: when it is, or when its day is closed.
        """
        last = self._get_last_booked()
        if last and last.date > self.date:
            raise UserError(
                self.env._(
                    "A list as of %(last)s was booked already: this one, as of %(date)s, is older. "
                    "Undo the newer one first.",
                    last=format_date(self.env, last.date),
                    date=format_date(self.env, self.date),
                )
            )

    def _check_may_undo(self):
        """Check that nothing depends on what this import booked.

        :raises UserError: naming what does.
        """
        if self.state != "done":
            raise UserError(self.env._("There is nothing to undo."))
        last = self._get_last_booked()
        if last and last != self:
            raise UserError(self.env._("Undo “%s” first: it was booked later into the same journal.", last.file_name))
        items = self.sudo().move_ids.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        openings = items.filtered(lambda line: line.journal_id == self.journal_id)
        partials = openings.matched_debit_ids + openings.matched_credit_ids
        others = (partials.debit_move_id + partials.credit_move_id).filtered(
            lambda line: not (line.move_id | line.move_id.reversed_entry_id).collection_batch_id
        )
        if others:
            settled = openings.filtered(
                lambda line: others & (line.matched_debit_ids.debit_move_id + line.matched_credit_ids.credit_move_id)
            )
            raise UserError(
                self.env._(
                    "Money or a credit was set against %(items)s since. Take that back first.",
                    items=", ".join(OrderedSet(line._get_collection_name() for line in settled[:5])),
                )
            )
        for model, kind in self._get_dependent_documents().items():
            line = self.env[model].sudo().search([("move_line_id", "in", openings.ids)])
            document = line[line._document_field].filtered(lambda record: record.state == "open")[:1]
            if document:
                raise UserError(
                    self.env._(
                        "%(document)s is %(kind)s on an item of this import. Cancel it first.",
                        document=document.display_name,
                        kind=kind,
                    )
                )

    def _get_dependent_documents(self):
        """Return what may depend on an imported item: ``{model of its lines: what it is called}``."""
        promise = self.env._("a promise to pay")
        dispute = self.env._("a dispute")
        return {"collection.promise.line": promise, "collection.dispute.line": dispute}

    # === BUSINESS METHODS - JOURNALS === #

    @api.model
    def _get_default_transit_account(self, company):
        """Return the account that a chart keeps for what waits to be sorted out (471 in France), if there is one."""
        return (
            self.env["account.account"]
            .with_company(company)
            .search(
                [
                    ("code", "=like", "471%"),
                    ("account_type", "in", ("asset_current", "liability_current")),
                    ("company_ids", "parent_of", company.ids),
                ],
                limit=1,
            )
        )

    def _make_journals(self):
        """Make the journals of this source where they are missing, and remember which ones they are.

        :raises UserError: when there is no transit account, or the user may not make journals.
        """
        if not self.transit_account_id:
            raise UserError(self.env._("Choose the transit account that stands against the open items."))
        journals = self.env["account.journal"].with_company(self.company_id)
        missing = not self.journal_id or not self.journal_id.sudo().collection_settlement_journal_id
        if missing and not journals.has_access("create"):
            raise UserError(
                self.env._(
                    "The journals of the open items don't exist yet: an accounting administrator has to book first."
                )
            )
        if not self.journal_id:
            self.journal_id = journals.create(
                self._prepare_journal("general", "OPEN", self.env._("Open items kept elsewhere"))
            )
        source = self.journal_id.sudo()
        if not source.collection_settlement_journal_id:
            values = self._prepare_journal("cash", "OPENP", self.env._("Payments received elsewhere"))
            # Its own account never moves: entries stand against the transit account.
            values["default_account_id"] = self.transit_account_id.id
            source.collection_settlement_journal_id = journals.create(values)
        source.collection_transit_account_id = self.transit_account_id
        self.sudo().settlement_journal_id = source.collection_settlement_journal_id

    def _prepare_journal(self, journal_type, code, name):
        """Return the values of a journal with a code that is free."""
        taken = set(
            self.env["account.journal"]
            .sudo()
            .with_context(active_test=False)
            .search([("company_id", "=", self.company_id.id)])
            .mapped("code")
        )
        codes = [
            code,
            *(f"{code[:4]}{number}" for number in range(2, 10)),
            *(f"OP{number}" for number in range(10, 100)),
        ]
        return {
            "type": journal_type,
            "code": next(code for code in codes if code not in taken),
            "name": name,
            "company_id": self.company_id.id,
            "show_on_dashboard": False,
        }

    def _get_settlement_journal(self):
        """Return the journal in which payments received elsewhere stand."""
        return self.settlement_journal_id

    def _get_entry_date(self, date):
        """Return on which day an entry is booked: no later than the list, and not in a closed period."""
        lock_date = self.company_id._get_user_fiscal_lock_date(self.journal_id)
        date = min(date or self.date, self.date)
        return max(date, fields.Date.add(lock_date, days=1)) if date <= lock_date else date

    # === BUSINESS METHODS - READING === #

    def _open_table(self):
        """Return the table in the file.

        :raises UserError: when there is none.
        """
        content = base64.b64decode(self.with_context(bin_size=False).file or b"")
        return self._read_table(content, self.file_name, known=MEANING_TITLES)

    def _guess_columns(self, table):
        """Write down which column is what: as it was set the last time for this journal, or by its title."""
        options = self.journal_id.sudo().collection_import_options or {}
        remembered = options.get("columns", {})
        for name in REMEMBERED_OPTIONS:
            self[name] = self[name] or options.get(name)
        meanings, taken = {}, set()
        for index, title in enumerate(table.columns):
            meaning = remembered.get(tabular.normalise_header(title))
            if meaning in HEADINGS and meaning not in taken:
                meanings[index] = meaning
                taken.add(meaning)
        free = {meaning: titles for meaning, titles in HEADINGS.items() if meaning not in taken}
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
        """Keep how this list was read for the next one of the same journal."""
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

        for name in TEXT_MEANINGS:
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
        """Say on a row that its customer was found among the archived ones."""
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
                # The same on both sides: what a database can't tell apart, the keys of Python do below.
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
        """Say of each row what it changes, and add lines for what is missing from the file.

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

    # === BUSINESS METHODS - BOOKING === #

    def _get_pending_domain(self):
        """Return the domain of the lines that are still to be booked."""
        return [("batch_id", "=", self.id), ("kind", "in", ("new", "changed", "paid")), ("is_done", "=", False)]

    def _book_some(self, limit=CHUNK):
        """Book the next lines, customer by customer; the last ones end the import.

        What can't be booked turns into an error with its reason, and stops nothing else.

        :return: how many lines were looked at, 0 at the end.
        """
        Line = self.env["collection.receivable.line"]
        domain = Domain(self._get_pending_domain())
        lines = Line.search(domain, order="partner_id, customer_key, id", limit=limit)
        if not lines:
            self.sudo()._set_state("done")
            self._synchronize_debtors()
            return 0
        last = lines[-1]
        # Credits and invoices of one customer are settled together.
        lines |= Line.search(
            domain & Domain("partner_id", "=", last.partner_id.id) & Domain("customer_key", "=", last.customer_key)
        )
        try:
            with self.env.cr.savepoint():
                self._get_quiet(lines)._book()
        except (UserError, ValidationError):
            for group in lines.grouped(lambda line: (line.partner_id, line.customer_key)).values():
                self._book_alone(group)
        return len(lines)

    def _book_alone(self, lines):
        """Book the lines of one customer, or write down why that is not possible."""
        try:
            with self.env.cr.savepoint():
                self._get_quiet(lines)._book()
        except (UserError, ValidationError) as error:
            lines.sudo().write({"kind": "error", "rank": RANKS["error"], "message": str(error)})

    @api.model
    def _get_quiet(self, lines):
        """Entries of an import need no thread and no tracking: they are thousands, and the import is on file."""
        return lines.with_context(
            tracking_disable=True, mail_create_nolog=True, mail_notrack=True, no_vat_validation=True
        ).with_company(self.company_id)

    def _synchronize_debtors(self):
        """Bring a few customers up to date at once; of many, the scheduled action takes care."""
        partners = self.line_ids.filtered("is_done").partner_id.commercial_partner_id
        if partners and len(partners) <= AT_ONCE:
            Debtor = self.env["collection.debtor"].sudo().with_company(self.company_id)
            Debtor._synchronize(self.company_id, partners)

    def _undo_some(self, limit=CHUNK):
        """Reverse the next entries; the last ones end the undoing.

        :return: how many entries were reversed, 0 at the end.
        """
        moves = self.env["account.move"].search(
            [
                ("collection_batch_id", "=", self.id),
                ("state", "=", "posted"),
                ("reversal_move_ids", "=", False),
            ],
            order="id desc",
            limit=limit,
        )
        if not moves:
            self._undo_due_dates()
            self.sudo()._set_state("undone")
            self._synchronize_debtors()
            return 0
        moves = self._get_quiet(moves)
        moves._reverse_moves(
            [
                {"date": self._get_undo_date(move), "ref": self.env._("Undone: %s", move.ref), "narration": False}
                for move in moves
            ],
            cancel=True,
        )
        return len(moves)

    def _get_undo_date(self, move):
        lock_date = self.company_id._get_user_fiscal_lock_date(move.journal_id)
        return max(move.date, fields.Date.add(lock_date, days=1)) if move.date <= lock_date else move.date

    def _undo_due_dates(self):
        for line in self.line_ids.filtered(lambda line: line.is_done and line.previous_due_date):
            line._get_items().with_env(self.env).date_maturity = line.previous_due_date

    # === SCHEDULED ACTIONS === #

    def _go_on(self):
        """Book or undo the next lines in the background; what the user would be told ends the work, and is shown.

        :return: how many lines or entries were looked at, 0 at the end.
        """
        is_booking = self.sudo().state == "applying"
        try:
            with self.env.cr.savepoint():
                return self._book_some() if is_booking else self._undo_some()
        except UserError as error:
            self.sudo()._stop(str(error))
            return 0

    def _stop(self, reason):
        """End booking or undoing that can't go on, so that the journal is free for the next list.

        :param str reason: shown on the import, and on the rows that were not booked.
        """
        if self.state == "applying":
            pending = self.env["collection.receivable.line"].search(self._get_pending_domain())
            pending.write({"kind": "error", "rank": RANKS["error"], "message": reason})
        self.problem = reason
        self._set_state("done")
        self._synchronize_debtors()

    @api.model
    def _cron_book(self):
        """See ``collection.run``."""
        self.env["collection.run"]._cron_book_receivables()
