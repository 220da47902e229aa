import base64
import hashlib
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import OrderedSet
from odoo.tools.misc import format_date

from .const import AT_ONCE, RANKS

# Signs that NFKD takes off letters: accents.
COMBINING = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"


class Candidate(NamedTuple):
    """A customer who may be meant by a row."""

    vat: str  # letters and digits only
    is_active: bool


class CollectionReceivableBatch(models.Model):
    """One list of open items of a company whose invoices are kept elsewhere, and what it changed here.

    Items become posted entries in a journal of their own, against a transit account. What the next
    list no longer names has been paid: it is settled in a journal of type cash, because that is how
    promises, payment history and recap distinguish money from credit notes; the counterpart is the same
    transit account, so that no bank account of these books ever moves.
    """

    _name = "collection.receivable.batch"
    _description = "Import of Open Items"
    _inherit = ["collection.reach.mixin", "collection.tabular.file.mixin", "collection.state.mixin"]
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
    _states_on_file = frozenset({"applying", "done", "undoing", "undone"})
    _state_of_preview = "ready"
    _meaning_field = "meaning"
    _preview_fields = frozenset(
        {"file", "date", "is_complete", "journal_id", "transit_account_id", "company_id", "column_ids"}
    )
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
            "problem",
            "reading",
            "preview_key",
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
        result = super().write(vals)
        self._end_preview(vals)
        return result

    # EXTENDS collection.fact.mixin
    def _get_on_file_refusal(self, name):
        return self.env._("This import is booked. Make a new one for another list.")

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
        self._note_preview()
        self._set_state("ready")

    def action_edit(self):
        """Go back to the options."""
        self.check_access("write")
        self._forget_preview()

    def action_apply(self):
        """Book what the preview shows: at once when it is little, else in the background."""
        self.ensure_one()
        self._check_may_book()
        self._lock_source()
        self._check_preview()
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

    # EXTENDS collection.tabular.file.mixin
    def _forget_preview(self):
        self.sudo().line_ids.unlink()
        self._set_state("draft", preview_key=False)

    # === BUSINESS METHODS - RIGHTS AND ORDER === #

    def _check_may_book(self):
        """Check that the user may post entries: running the follow-up alone does not allow that.

        :raises UserError: when they may not.
        """
        self.check_access("write")
        if not self.env.user.has_group("account.group_account_invoice"):
            raise UserError(self.env._("Booking open items posts entries: it needs a right on accounting, too."))

    def _lock_source(self):
        """Lock this import and its journal, so that only one import is booked into a journal at a time.

        :raises UserError: when another import is being booked or undone in the journal.
        """
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

    # === SCHEDULED ACTIONS === #

    def _continue_work(self):
        """Book or undo the next lines in the background; an error for the user ends the work, and is shown.

        :return: how many lines or entries were processed, 0 at the end.
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
