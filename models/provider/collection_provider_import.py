import base64
import logging
from datetime import datetime, time

import psycopg2
import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import split_every
from odoo.tools.osutil import clean_filename

from ...tools import tabular
from ..base.pending_refresh import PendingRefresh
from .collection_provider_mixin import Origin

_logger = logging.getLogger(__name__)

# Rows that are read, and recorded, at a time.
READ_BATCH = 1000
# Rows that are imported between two commits.
APPLY_BATCH = 50
# Files with more bytes are read, and more rows are imported, by the scheduled action: with progress, in batches.
DIRECT_SIZE, DIRECT_ROWS = 512 * 1024, 200
# Cells by which the kind of a column is found out.
SAMPLE_ROWS = 200
# Columns without which no row can be understood.
REFERENCES = ("case", "item")


class CollectionProviderImport(models.Model):
    """A file that came back from a provider: read, shown row by row, and imported as if logged by hand.

    Kept for good: nothing of it changes once it is taken back. Each row is recorded in one transaction together with
    the key by which it is recognised: a crash loses nothing, and what was imported once changes nothing a second time.
    """

    _name = "collection.provider.import"
    _description = "File from a Provider"
    _inherit = ["collection.reach.mixin", "collection.state.mixin", "collection.tabular.file.mixin"]
    _order = "id desc"
    _rec_name = "filename"
    _check_company_auto = True
    _state_initial = "draft"
    _state_transitions = {
        "draft": ("reading", "preview"),
        "reading": ("preview", "draft"),
        "preview": ("draft", "reading", "applying"),
        "applying": ("done", "preview"),
    }
    _states_on_file = frozenset({"applying", "done"})
    _fields_of_system = frozenset(
        {"line_ids", "read_row", "row_total", "user_id", "problem", "applied_on", "found", "preview_key"}
    )
    _preview_fields = frozenset({"file", "handover_id", "column_ids"})
    _meaning_field = "target"

    handover_id = fields.Many2one(
        "collection.handover", string="Hand-over", required=True, index=True, check_company=True, ondelete="restrict"
    )
    provider_id = fields.Many2one(related="handover_id.provider_id", store=True, index=True)
    company_id = fields.Many2one(related="handover_id.company_id", store=True, index=True)
    handover_state = fields.Selection(related="handover_id.state", string="State of the Hand-over")
    user_id = fields.Many2one(
        "res.users", string="Taken back by", default=lambda self: self.env.user, required=True, readonly=True
    )
    file = fields.Binary(required=True, attachment=True)
    filename = fields.Char()
    is_final = fields.Boolean(
        string="The mission is over",
        default=True,
        help="The customers come back to us once the file is taken back. Untick it for a file in between.",
    )
    state = fields.Selection(
        [
            ("draft", "Upload"),
            ("reading", "Being read"),
            ("preview", "Preview"),
            ("applying", "Being taken back"),
            ("done", "Taken back"),
        ],
        required=True,
        readonly=True,
        default="draft",
        index=True,
        copy=False,
    )
    found = fields.Char(string="Read as", readonly=True, help="What was found out about the file.")
    problem = fields.Char(readonly=True, copy=False)
    column_ids = fields.One2many("collection.provider.import.column", "import_id", string="Columns")
    line_ids = fields.One2many("collection.provider.import.line", "import_id", string="Rows", readonly=True)
    read_row = fields.Integer(readonly=True, copy=False, help="Number of the last row that was read.")
    row_total = fields.Integer(string="Number of Rows", compute="_compute_counts")
    ready_count = fields.Integer(string="To take back", compute="_compute_counts")
    applied_count = fields.Integer(string="Rows taken back", compute="_compute_counts")
    error_count = fields.Integer(string="To mend", compute="_compute_counts")
    known_count = fields.Integer(string="Known already", compute="_compute_counts")
    empty_count = fields.Integer(string="Not filled in", compute="_compute_counts")
    progress = fields.Float(string="Done (%)", compute="_compute_counts")
    applied_on = fields.Datetime(readonly=True, copy=False)

    # === COMPUTE METHODS === #

    @api.depends("line_ids.state")
    def _compute_counts(self):
        counts = {}
        for record, state, count in self.env["collection.provider.import.line"]._read_group(
            [("import_id", "in", self.ids)], ["import_id", "state"], ["__count"]
        ):
            counts.setdefault(record, {})[state] = count
        for record in self:
            states = counts.get(record, {})
            record.row_total = sum(states.values())
            record.ready_count = states.get("ready", 0)
            record.applied_count = states.get("applied", 0)
            record.error_count = states.get("error", 0)
            record.known_count = states.get("known", 0)
            record.empty_count = states.get("empty", 0)
            waiting = record.ready_count if record.state == "applying" else 0
            record.progress = 100 * (1 - waiting / record.row_total) if record.row_total else 0.0

    # === CRUD METHODS === #

    def write(self, vals):
        if self._get_preview_fields() & vals.keys() and not self._is_state_guarded():
            self._check_not_taken_back()
        result = super().write(vals)
        if "file" in vals:
            # Another file, other columns.
            self._as_system().write({"column_ids": [Command.clear()], "found": False})
        self._end_preview(vals)
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_on_file(self):
        if any(record.state in ("applying", "done") for record in self):
            raise UserError(self.env._("What was taken back stays on file."))

    # === ACTION METHODS === #

    def action_read(self):
        """Read the file and show what each row will do. Big files are read by the scheduled action."""
        self.ensure_one()
        self.check_access("write")
        self._open_table()
        self._clear_rows()
        self._note_preview()
        if len(self._get_content()) > DIRECT_SIZE:
            self._set_state("reading", problem=False)
            self.env.ref("account_collection.cron_take_back").sudo()._trigger()
        else:
            for _count in self._read_rows():
                pass
            self._set_state("preview", problem=False)

    def action_draft(self):
        """Go back to the upload."""
        self.check_access("write")
        self._forget_preview()

    def action_apply(self):
        """Import the rows that are valid; many rows are left to the scheduled action."""
        self.ensure_one()
        self.check_access("write")
        self.lock_for_update()
        self._check_preview()
        self._set_state("applying", user_id=self.env.uid)
        if self.ready_count > DIRECT_ROWS:
            self.env.ref("account_collection.cron_take_back").sudo()._trigger()
            return
        for _count in self._apply_rows():
            pass
        self._finish()

    def action_download_errors(self):
        """Download the rows with errors, with a column that says what is wrong with each."""
        self.ensure_one()
        content = self._write_errors()
        base = (self.filename or "").rpartition(".")[0] or self.env._("rows")
        attachment = (
            self.env["ir.attachment"]
            .sudo()
            .create(
                {
                    "name": clean_filename(f"{base} {self.env._('to mend')}.{self.handover_id.file_format}"),
                    "raw": content,
                    "res_model": self._name,
                    "res_id": self.id,
                }
            )
        )
        return self.env["collection.handover"]._get_download(attachment)

    def action_view_rows(self):
        """Open the rows of this file, those of one state when the button says so."""
        self.ensure_one()
        state = self.env.context.get("row_state")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Rows"),
            "res_model": "collection.provider.import.line",
            "view_mode": "list",
            "domain": [("import_id", "=", self.id), *([("state", "=", state)] if state else [])],
        }

    def action_view_handover(self):
        """Open the hand-over."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "collection.handover",
            "res_id": self.handover_id.id,
            "view_mode": "form",
        }

    # === BUSINESS METHODS - READING === #

    def _as_system(self):
        """Return this import as the system writes what it found out about the file."""
        return self.sudo().with_context(**self._get_guard())

    def _check_not_taken_back(self):
        """Check that nothing is changed of what is being read or was taken back.

        :raises UserError: when a file is past its preview.
        """
        if any(record.state not in ("draft", "preview") for record in self.sudo()):
            raise UserError(self.env._("This file was taken back already: upload the next one on its own."))

    # EXTENDS collection.tabular.file.mixin
    def _forget_preview(self):
        self._set_state("draft", preview_key=False)
        self._clear_rows()

    def _get_content(self):
        """Return the file as bytes."""
        self.ensure_one()
        return base64.b64decode(self.with_context(bin_size=False).file or b"")

    def _get_names(self):
        """Return ``{field: names of its column}``: ours, in the languages of both sides, and those one often meets."""
        languages = {"en_US", self.handover_id.lang, self.env.lang or "en_US"}
        File = self.env["collection.handover.file"]
        titles = [File.with_context(lang=lang)._get_titles() for lang in languages]
        aliases = File._get_aliases()
        keys = (*REFERENCES, *File._get_answers())
        return {key: [*(title[key] for title in titles), *aliases.get(key, ())] for key in keys}

    def _open_table(self):
        """Open the table in the file and match its columns.

        :return: ``tabular.Table``
        :raises UserError: when it can't be read, or when no column says which case a row is about.
        """
        self.ensure_one()
        names = self._get_names()
        known = [name for alternatives in names.values() for name in alternatives]
        table = self._read_table(self._get_content(), self.filename or "file", known=known)
        try:
            sample = table.sample(SAMPLE_ROWS)
        except tabular.TabularError as error:
            raise UserError(self._tabular_message(error)) from error
        if [column.name for column in self.column_ids] != table.columns:
            self._match_columns(table, sample, names)
        if not {"case", "item"} & set(self.column_ids.mapped("target")):
            raise UserError(
                self.env._(
                    "No column holds our references. Say under “Columns” which one is “%s”, or take the file that "
                    "was handed over.",
                    self.env["collection.handover.file"]._get_titles()["case"],
                )
            )
        self.sudo().found = self._describe_reading(
            table, self._get_cells(sample, "date"), self._get_cells(sample, "money")
        )
        return table

    def _match_columns(self, table, sample, names):
        """Match the columns to fields: as in the last file of this provider, else by their titles."""
        remembered = self.provider_id.sudo().column_matching or {}
        headers = [tabular.normalise_header(column) for column in table.columns]
        matched = {
            index: key
            for key, index in tabular.match_columns(table.columns, names).items()
            if headers[index] not in remembered
        }
        for index, header in enumerate(headers):
            key = remembered.get(header)
            if key in names and key not in matched.values():
                matched[index] = key
        self._as_system().column_ids = [
            Command.clear(),
            *(
                Command.create(
                    {
                        "sequence": index,
                        "name": column,
                        "sample": next((str(row.cells[index]) for row in sample if row.cells[index]), ""),
                        "target": matched.get(index) or False,
                    }
                )
                for index, column in enumerate(table.columns)
            ),
        ]

    def _get_positions(self):
        """Return ``{field: index of its column}``."""
        columns = self.column_ids.sorted("sequence")
        return {column.target: index for index, column in enumerate(columns) if column.target}

    # EXTENDS collection.tabular.file.mixin: the format of the file is agreed with each provider
    def _get_agreed_formats(self):
        return self.provider_id.decimal_sign, self.provider_id.date_order

    def _get_cells(self, rows, kind):
        """Return the cells of these rows that were to be filled in with something of a kind: ``date``, ``money``."""
        positions = self._get_positions()
        names = self.env["collection.handover.file"]._get_answers_of_kind(kind)
        return [row.cells[positions[name]] for row in rows for name in names if name in positions]

    def _find_formats(self, sample):
        """Return ``(order of dates, decimal sign)`` as set, as detected in the first rows, or as agreed."""
        return (
            self._find_date_order(self._get_cells(sample, "date")),
            self._find_decimal(self._get_cells(sample, "money")),
        )

    def _clear_rows(self):
        """Delete the rows that were read from the file."""
        self.sudo().line_ids.unlink()
        self._as_system().write({"read_row": 0})
        self.invalidate_recordset()

    def _read_rows(self):
        """Read the rows that were not read yet and record what each will do.

        :return: generator of the number of rows recorded since the last time.
        """
        self.ensure_one()
        table = self._open_table()
        formats = self._find_formats(table.sample(SAMPLE_ROWS))
        positions = self._get_positions()
        keys = [positions[name] for name in REFERENCES if name in positions]
        Line = self.env["collection.provider.import.line"].sudo()
        after = self.read_row

        def rows():
            for row in table:
                if row.number > after and not tabular.is_total(row.cells, keys):
                    yield row

        try:
            for batch in split_every(READ_BATCH, rows(), list):
                Line._create_rows(self, batch, positions, formats, table.epoch)
                self.sudo().read_row = batch[-1].number
                yield len(batch)
        except tabular.TabularError as error:
            raise UserError(self._tabular_message(error)) from error

    # === BUSINESS METHODS - IMPORT === #

    def _as_user(self):
        """Return this import in the name of the user who imports it, with their rights in its company alone."""
        self.ensure_one()
        user = self.user_id
        return (
            self.with_user(user)
            .with_company(self.company_id)
            .with_context(allowed_company_ids=self.company_id.ids, lang=user.lang, tz=user.tz)
        )

    def _apply_rows(self):
        """Import the rows that are ready, those of one call together.

        :return: generator of the number of rows done since the last time.
        """
        self.ensure_one()
        Line = self.env["collection.provider.import.line"]
        ready = [("import_id", "=", self.id), ("state", "=", "ready")]
        while batch := Line.search(ready, order="number, id", limit=APPLY_BATCH):
            lines = Line.search([*ready, ("group_key", "in", batch.mapped("group_key"))], order="number, id")
            # What a call changes is computed once for all of them.
            pending = PendingRefresh()
            for call in lines.with_context(collection_pending_refresh=pending).grouped("group_key").values():
                self._apply_lines(call)
            self.env["collection.debtor"].browse(pending.debtor_ids)._synchronize_own()
            yield len(lines)
            self.env.invalidate_all()

    def _apply_lines(self, lines):
        """Import the rows of one contact; when one of them can't be, the others still are."""
        if self._try_lines(lines) is None or len(lines) == 1:
            return
        for line in lines:
            self._try_lines(line)

    def _try_lines(self, lines):
        """Import rows in a savepoint, all or none; rows that can't be are marked with the reason.

        :return: the reason, or ``None`` when all is well.
        """
        try:
            with self.env.cr.savepoint():
                self._check_handover(lines)
                lines._as_said()._import_rows()
                return None
        except psycopg2.OperationalError:
            raise  # another worker at the same row: the whole batch is tried again
        except UserError as error:
            reason = str(error)
        except psycopg2.IntegrityError:
            reason = self.env._("This was taken back in the meantime.")
        except Exception:
            _logger.exception("Row %s of import %s could not be taken back.", lines[:1].number, self.id)
            reason = self.env._("Unexpected: the administrator finds details in the server's log.")
        lines.invalidate_recordset()
        lines.sudo().write({"state": "error", "error": reason})
        return reason

    def _check_handover(self, lines):
        """Check that rows are about customers of this hand-over: their calls count in its provider's account.

        :raises UserError: when one is of another hand-over.
        """
        handovers = lines.sudo().line_id.handover_id | lines.sudo().item_id.handover_id
        if handovers - self.handover_id:
            raise UserError(self.env._("This customer is not of this hand-over."))

    def _get_origin_of(self, call_date, call_time):
        """Return where and when something was said that is imported from this file.

        :param date call_date: the day of the call; today when it is not known.
        :param time call_time: on the company's clock; noon when it is not known.
        """
        self.ensure_one()
        tz = pytz.timezone(self.company_id._get_collection_tz())
        day = call_date or self.company_id._collection_today()
        moment = tz.localize(datetime.combine(day, call_time or time(12))).astimezone(pytz.utc).replace(tzinfo=None)
        return Origin(self.handover_id.id, day, min(moment, fields.Datetime.now()))

    def _finish(self):
        """Store the matching of the columns, and end the hand-over when this was the last file."""
        self.ensure_one()
        self._set_state("done", applied_on=fields.Datetime.now())
        provider = self.provider_id.sudo()
        provider.column_matching = {
            **(provider.column_matching or {}),
            **{tabular.normalise_header(column.name): column.target or "" for column in self.column_ids},
        }
        self.handover_id.message_post(
            body=self.env._(
                "%(file)s taken back: %(applied)s rows, %(errors)s to mend, %(known)s known already.",
                file=self.filename or "",
                applied=self.applied_count,
                errors=self.error_count,
                known=self.known_count,
            )
        )
        if self.is_final:
            self.handover_id._end("returned")

    # === BUSINESS METHODS - GIVING BACK === #

    def _write_errors(self):
        """Return the file of the rows with errors: the cells as they came, and what is wrong with them.

        :return: bytes, in the format of the hand-over.
        """
        errors = {
            line.number: line.error
            for line in self.env["collection.provider.import.line"].search_fetch(
                [("import_id", "=", self.id), ("state", "=", "error")], ["number", "error"]
            )
        }
        if not errors:
            raise UserError(self.env._("No row is to be mended."))
        table = self._open_table()
        File = self.env["collection.handover.file"].with_context(lang=self.handover_id.lang)
        kinds = {kind: File._get_answers_of_kind(kind) for kind in ("date", "money")}
        targets = {column.sequence: column.target for column in self.column_ids}
        columns = [
            (name, next((kind for kind, keys in kinds.items() if targets.get(index) in keys), "text"), 18)
            for index, name in enumerate(table.columns)
        ]
        handover = self.handover_id
        title = handover._in_provider_language().env._("What to mend")
        rows = (
            [errors[row.number], *(self._get_plain(cell) for cell in row.cells)]
            for row in table
            if row.number in errors
        )
        return File._write_table(handover, title, [(title, "text", 60), *columns], rows)

    @api.model
    def _get_plain(self, cell):
        """Return a cell as it can be written again: a day without a time of the day as a day."""
        if isinstance(cell, datetime) and cell.time() == time():
            return cell.date()
        return cell

    # === SCHEDULED ACTIONS === #

    @api.model
    def _cron_take_back(self):
        """See ``collection.run``."""
        self.env["collection.run"]._cron_import_answers()

    def _run_in_background(self):
        """Read or import one file; return whether there is time for another one."""
        IrCron = self.env["ir.cron"]
        record = self._as_user()
        is_reading = self.state == "reading"
        try:
            for count in record._read_rows() if is_reading else record._apply_rows():
                if not IrCron._commit_progress(0 if is_reading else count):
                    return False
            if is_reading:
                record._set_state("preview")
            else:
                record._finish()
        except UserError as error:
            # Not a row but the file or the user's rights: somebody has to look at it.
            self.env.cr.rollback()
            self._set_state("draft" if is_reading else "preview", problem=str(error))
        return bool(IrCron._commit_progress(int(is_reading)))
