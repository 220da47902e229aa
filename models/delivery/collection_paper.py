import io
import logging
import zipfile
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ...tools.file_names import make_unique
from ..base.pdf_pages import merge_pages

_logger = logging.getLogger(__name__)

# Papers that make up one file.
PARTS_PER_FILE = 200
# Calendar days that files are kept.
DAYS_KEPT = 7
# What marks one paper, and a file of many.
PART = "collection_paper_part"
FILE = "collection_paper_file"


class CollectionPaper(models.Model):
    """Papers that take longer than one waits for: made one by one in the background, then handed over as files.

    Each paper is a transaction of its own, done with the rights and in the language of whoever asked. A server that is
    stopped loses the paper at hand; one that stopped it is tried again at the end, once. Whoever asked gets a notice
    when the files are there.

    To have another kind of papers made: extend ``kind`` and ``_get_models``, and write ``_make_<kind>``, which gets the
    id of a record and returns a file as ``(name, content)``, or ``(reason, None)`` when there is none to be made. Where
    something has to be made before, ``_get_files_for_<kind>`` returns functions that each make one.
    """

    _name = "collection.paper"
    _description = "Papers made in the Background"
    _inherit = ["collection.fact.mixin"]
    _is_of_system = True
    _order = "id desc"

    name = fields.Char(required=True, readonly=True)
    kind = fields.Selection([("letters", "Letters")], required=True, readonly=True)
    user_id = fields.Many2one("res.users", string="Asked for by", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    state = fields.Selection(
        [("waiting", "Being made"), ("done", "Ready"), ("cancelled", "Cancelled")],
        required=True,
        readonly=True,
        default="waiting",
        index=True,
    )
    record_ids = fields.Json(readonly=True)
    options = fields.Json(readonly=True)
    position = fields.Integer(readonly=True, help="How many were looked at.")
    trying_id = fields.Integer(readonly=True)
    retried_ids = fields.Json(readonly=True)
    total_count = fields.Integer(string="Asked for", readonly=True)
    made_count = fields.Integer(string="Made", readonly=True)
    left_out = fields.Json(readonly=True)
    left_out_text = fields.Text(string="Left out", compute="_compute_left_out_text")
    progress = fields.Float(compute="_compute_progress")
    file_ids = fields.Many2many("ir.attachment", string="Files", compute="_compute_file_ids")

    # === COMPUTE METHODS === #

    @api.depends("position", "total_count", "state")
    def _compute_progress(self):
        for paper in self:
            seen = min(paper.position, paper.total_count)
            paper.progress = 100.0 * seen / paper.total_count if paper.total_count else 0.0

    @api.depends("left_out")
    def _compute_left_out_text(self):
        for paper in self:
            paper.left_out_text = "\n".join(
                self.env._("%(name)s: %(text)s", name=name, text=reason) for name, reason in paper.left_out or ()
            )

    @api.depends("state")
    def _compute_file_ids(self):
        for paper in self:
            paper.file_ids = paper._get_attachments(FILE)

    # === ACTION METHODS === #

    def action_cancel(self):
        """Stop what is being made; what is there already is kept."""
        self.check_access("read")
        self.sudo().filtered(lambda paper: paper.state == "waiting")._end("cancelled")

    # === BUSINESS METHODS - ASK === #

    @api.model
    def _request(self, kind, name, records, **options):
        """Have papers made in the background.

        :param str kind: value of ``kind``.
        :param str name: what the files are called.
        :param records: a paper each, in this order; the user may read them.
        :param options: what else ``_make_<kind>`` needs, as JSON.
        :return: the client action that says so and leads there.
        """
        records.check_access("read")
        paper = self.sudo().create(
            {
                "kind": kind,
                "name": name,
                "user_id": self.env.uid,
                "company_id": self.env.company.id,
                "record_ids": records.ids,
                "options": {**options, "lang": self.env.lang},
                "total_count": len(records),
            }
        )
        self.env.ref("account_collection.cron_make_papers").sudo()._trigger()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info",
                "title": self.env._("%(name)s: %(text)s", name=name, text=len(records)),
                "message": self.env._("They are made in the background. You get a notice when they are ready: %s"),
                "links": [{"label": name, "url": f"/odoo/collection-papers/{paper.id}"}],
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    @api.model
    def _get_waiting_ids(self, kind):
        """Return the ids of the records whose papers are still to be made, whoever asked."""
        waiting = self.sudo().search([("kind", "=", kind), ("state", "=", "waiting")])
        return {record_id for paper in waiting for record_id in paper.record_ids[paper.position :]}

    # === BUSINESS METHODS - MAKE === #

    def _make_next(self):
        """Make the next paper, or the next file of many; the row is locked.

        :return: whether there is more to do.
        """
        self.ensure_one()
        if self.state != "waiting":
            return False
        if not self.user_id.active:
            self._end("cancelled")
            return False
        record_id = self._get_next_id()
        if record_id:
            self._make_one(record_id)
            return True
        if self._make_file():
            return True
        self._end("done")
        return False

    def _get_next_id(self):
        """Return whose paper comes next, 0 at the end."""
        ids = self.record_ids + (self.retried_ids or [])
        return ids[self.position] if self.position < len(ids) else 0

    def _begin_next(self):
        """Note whose paper is tried: one that stopped the server before goes to the end, and is left out then."""
        if self.state != "waiting" or not (record_id := self._get_next_id()):
            return
        if self.trying_id != record_id:
            self.trying_id = record_id
            return
        retried = self.retried_ids or []
        if record_id in retried:
            self._leave_out(record_id, self.env._("The server stopped twice while it was made."))
        else:
            self.write({"retried_ids": [*retried, record_id], "position": self.position + 1})
        self.trying_id = self._get_next_id()

    def _make_one(self, record_id):
        worker = self.with_user(self.user_id).with_company(self.company_id).with_context(lang=self.options["lang"])
        try:
            with self.env.cr.savepoint():
                for make in getattr(worker, f"_get_files_for_{self.kind}", lambda _record_id: [])(record_id)[:1]:
                    # The paper itself comes next time.
                    make()
                    self.trying_id = False
                    return
                name, content = getattr(worker, f"_make_{self.kind}")(record_id)
                if content:
                    self._keep(name, content, PART)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except UserError as error:
            self._leave_out(record_id, str(error))
        except Exception as error:
            _logger.exception("A paper of %s could not be made.", self.display_name)
            self._leave_out(record_id, f"{type(error).__name__}: {error}")
        else:
            if not content:
                self._leave_out(record_id, name)
                return
            self.write({"position": self.position + 1, "made_count": self.made_count + 1, "trying_id": False})

    def _leave_out(self, record_id, reason):
        name = self._get_record(record_id).sudo().display_name
        self.write(
            {
                "left_out": [*(self.left_out or []), [name, reason]],
                "position": self.position + 1,
                "trying_id": False,
            }
        )

    def _make_file(self):
        """Put the next papers together to a file.

        :return: whether there were any.
        """
        parts = self._get_attachments(PART)[:PARTS_PER_FILE]
        if not parts:
            return False
        count = len(self._get_attachments(FILE))
        is_only = not count and self.made_count <= PARTS_PER_FILE
        name = self.name if is_only else f"{self.name} {count + 1}"
        if self.options.get("ending") == "xlsx":
            self._keep(f"{name}.zip", self._zip(parts), FILE, "application/zip")
        else:
            self._keep(f"{name}.pdf", merge_pages(parts.mapped("raw")), FILE, "application/pdf")
        parts.unlink()
        return True

    @staticmethod
    def _zip(parts):
        output, names = io.BytesIO(), set()
        with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
            for part in parts:
                archive.writestr(make_unique(part.name, part.id, names), part.raw)
        return output.getvalue()

    def _keep(self, name, content, mark, mimetype=False):
        self.env["ir.attachment"].sudo().create(
            {
                "name": name.replace("/", "-"),
                "raw": content,
                "res_model": self._name,
                "res_id": self.id,
                "description": mark,
                **({"mimetype": mimetype} if mimetype else {}),
            }
        )

    def _get_attachments(self, mark):
        return (
            self.env["ir.attachment"]
            .sudo()
            .search(
                [("res_model", "=", self._name), ("res_id", "in", self.ids), ("description", "=", mark)], order="id"
            )
        )

    def _end(self, state):
        """Write down that these are over, and notify whoever asked."""
        for paper in self:
            paper._get_attachments(PART).unlink()
            paper.write({"state": state, "trying_id": False})
            if state == "done":
                paper._notify_ready()

    def _notify_ready(self):
        """Tell whoever asked that the files are there, and how many papers were left out."""
        user = self.user_id
        own = self.with_user(user).with_context(lang=self.options["lang"])
        lines = [own.env._("Ready: %(made)s of %(total)s.", made=self.made_count, total=self.total_count)]
        if self.left_out:
            lines.append(own.env._("Left out: %s. The reasons stand beside the files.", len(self.left_out)))
        url = f"/odoo/collection-papers/{self.id}"
        body = Markup("<p>%s</p><p><a href='%s'>%s</a></p>") % (" ".join(lines), url, self.name)
        own.env["mail.thread"].sudo().message_notify(
            partner_ids=user.partner_id.ids,
            author_id=own.env.ref("base.partner_root").id,
            subject=self.name,
            body=body,
            email_layout_xmlid="mail.mail_notification_light",
        )
        user._bus_send(
            "simple_notification",
            {"type": "success", "sticky": True, "title": self.name, "message": " ".join(lines)},
        )

    @api.model
    def _get_models(self):
        """Return the model of the records that the papers of each kind are about."""
        return {"letters": "collection.action"}

    def _get_record(self, record_id):
        """Return what a paper is about."""
        return self.env[self._get_models()[self.kind]].browse(record_id)

    # === BUSINESS METHODS - LETTERS === #

    def _get_files_for_letters(self, record_id):
        """Return functions that make the enclosures of a letter that are not there yet."""
        letter = self._get_record(record_id)
        letter.check_access("read")
        own = letter.sudo().with_company(letter.sudo().company_id)
        channel = own.env["collection.channel.letter"]
        return [] if channel._applicable(own) else channel._get_files_to_make(own)

    def _make_letters(self, record_id):
        """Print one letter after a look at what is still owed.

        :return: ``(file name, content)``; or ``(reason, None)`` when it is cancelled or waits for another day.
        """
        letter = self._get_record(record_id)
        _printed, documents = letter._get_letters_to_print()._print_letters()
        if not documents:
            return letter.sudo().result_text or self.env._("It is no longer due."), None
        return f"{letter.sudo().summary}.pdf", documents[0]

    # === SCHEDULED ACTIONS === #

    @api.model
    def _cron_make(self):
        """See ``collection.run``."""
        self.env["collection.run"]._cron_make_papers()

    @api.autovacuum
    def _gc_old_papers(self):
        """Delete what was made days ago, with its files: letters stay with their customers."""
        limit = fields.Datetime.now() - timedelta(days=DAYS_KEPT)
        old = self.sudo().search([("state", "!=", "waiting"), ("write_date", "<", limit)])
        self.env["ir.attachment"].sudo().search([("res_model", "=", self._name), ("res_id", "in", old.ids)]).unlink()
        old.unlink()
