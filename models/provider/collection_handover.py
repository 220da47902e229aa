import hashlib
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import split_every
from odoo.tools.misc import format_date
from odoo.tools.osutil import clean_filename

from ...tools.handover import make_reference
from .collection_provider import DATE_ORDERS, DECIMAL_SIGNS, ENCODINGS, FILE_FORMATS, SEPARATORS

# Debtors whose open items are read at a time.
BATCH_SIZE = 500


class CollectionHandover(models.Model):
    """Customers whom an outside caller contacts in our name for a while, and the file that said so.

    While it is out our own calls stop; reminders go on. It ends on its day, when the results were
    imported, or by hand; results may still be imported afterwards. What the file was made of is said once. When it has
    ended, the reference of the contract may still be noted, nothing else.
    """

    _name = "collection.handover"
    _description = "Hand-over"
    _inherit = ["collection.reach.mixin", "collection.state.mixin", "mail.thread"]
    _order = "date_start desc, id desc"
    _check_company_auto = True
    _state_initial = "out"
    _state_transitions = {"out": ("returned", "ended"), "ended": ("returned",)}
    _fields_of_system = frozenset({"line_ids", "item_ids", "file_id", "file_hash", "ended_on", "user_id"})
    _fields_said_once = frozenset(
        {
            "provider_id",
            "company_id",
            "campaign_id",
            "date_start",
            "purpose",
            "lang",
            "file_format",
            "encoding",
            "decimal_sign",
            "date_order",
            "separator",
        }
    )
    _states_on_file = frozenset({"returned", "ended"})
    _fields_noted = frozenset({"contract_ref"})

    name = fields.Char(compute="_compute_name", store=True)
    provider_id = fields.Many2one(
        "collection.provider", required=True, index=True, check_company=True, ondelete="restrict", tracking=True
    )
    company_id = fields.Many2one("res.company", required=True, index=True, default=lambda self: self.env.company)
    currency_id = fields.Many2one(related="company_id.currency_id")
    campaign_id = fields.Many2one(
        "collection.campaign", index="btree_not_null", check_company=True, ondelete="restrict"
    )
    user_id = fields.Many2one(
        "res.users", string="Handed over by", default=lambda self: self.env.user, required=True, readonly=True
    )
    state = fields.Selection(
        [("out", "With the provider"), ("returned", "Taken back"), ("ended", "Ended")],
        required=True,
        readonly=True,
        default="out",
        index=True,
        tracking=True,
        copy=False,
    )
    date_start = fields.Date(string="From", required=True)
    date_end = fields.Date(string="Until", required=True, tracking=True)
    ended_on = fields.Date(readonly=True, copy=False)
    purpose = fields.Text(required=True, help="What the provider may use the data for, as agreed.")
    contract_ref = fields.Char(string="Contract")

    # == The file ==
    lang = fields.Selection(
        selection=lambda self: self.env["res.lang"].get_installed(), string="Language", required=True
    )
    file_format = fields.Selection(FILE_FORMATS, required=True, default="xlsx")
    encoding = fields.Selection(ENCODINGS, required=True, default="utf-8")
    decimal_sign = fields.Selection(DECIMAL_SIGNS, required=True, default=",")
    date_order = fields.Selection(DATE_ORDERS, string="Dates", required=True, default="dmy")
    separator = fields.Selection(SEPARATORS, required=True, default=";")
    file_id = fields.Many2one("ir.attachment", readonly=True, copy=False, ondelete="restrict")
    file_hash = fields.Char(
        string="SHA-256", readonly=True, copy=False, help="Proves which file it was: any change of it gives another."
    )

    # == What is in it ==
    line_ids = fields.One2many("collection.handover.line", "handover_id", string="Customers", readonly=True)
    item_ids = fields.One2many("collection.handover.item", "handover_id", string="Items", readonly=True)
    line_count = fields.Integer(string="Number of Customers", compute="_compute_totals")
    item_count = fields.Integer(string="Number of Items", compute="_compute_totals")
    amount = fields.Monetary(
        string="Handed over", compute="_compute_totals", help="What could be claimed then, in company currency."
    )
    stopped_count = fields.Integer(
        string="Customers to stop",
        compute="_compute_stopped_count",
        help="Customers of whom nothing can be claimed any more: paid, promised, disputed or paused since.",
    )

    # == What came back ==
    import_ids = fields.One2many("collection.provider.import", "handover_id", string="Files taken back")
    import_count = fields.Integer(compute="_compute_results")
    call_count = fields.Integer(string="Calls", compute="_compute_results")
    promise_count = fields.Integer(string="Promises", compute="_compute_results")

    _period = models.Constraint("CHECK(date_end >= date_start)", "A hand-over can't end before it starts.")

    # === COMPUTE METHODS === #

    @api.depends("provider_id", "date_start")
    def _compute_name(self):
        for handover in self:
            handover.name = f"{handover.provider_id.name or ''} {fields.Date.to_string(handover.date_start) or ''}"

    def _compute_totals(self):
        customers = dict(
            self.env["collection.handover.line"]._read_group(
                [("handover_id", "in", self.ids)], ["handover_id"], ["__count"]
            )
        )
        items = {
            handover: values
            for handover, *values in self.env["collection.handover.item"]._read_group(
                [("handover_id", "in", self.ids)], ["handover_id"], ["__count", "company_amount:sum"]
            )
        }
        for handover in self:
            handover.line_count = customers.get(handover, 0)
            handover.item_count, handover.amount = items.get(handover, (0, 0.0))

    def _compute_stopped_count(self):
        counts = dict(
            self.env["collection.handover.line"]._read_group(
                [("handover_id", "in", self.ids), ("is_out", "=", True), ("debtor_id.claimable_amount", "<=", 0)],
                ["handover_id"],
                ["__count"],
            )
        )
        for handover in self:
            handover.stopped_count = counts.get(handover, 0)

    def _compute_results(self):
        def count(model, domain=()):
            return dict(
                self.env[model]._read_group([("handover_id", "in", self.ids), *domain], ["handover_id"], ["__count"])
            )

        imports = count("collection.provider.import")
        calls = count("collection.action", [("channel", "=", "call")])
        promises = count("collection.promise")
        for handover in self:
            handover.import_count = imports.get(handover, 0)
            handover.call_count = calls.get(handover, 0)
            handover.promise_count = promises.get(handover, 0)

    # === CONSTRAINT METHODS === #

    @api.constrains("date_end")
    def _check_date_end(self):
        for handover in self:
            if handover.state == "out" and handover.date_end < handover.company_id._collection_today():
                raise ValidationError(self.env._("A hand-over must end on a day that is still to come."))

    # === CRUD METHODS === #

    def write(self, vals):
        result = super().write(vals)
        if "date_end" in vals:
            self.filtered(lambda handover: handover.state == "out")._hold_cases()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_on_file(self):
        raise UserError(self.env._("What was handed over stays on file: end the hand-over instead."))

    # === ACTION METHODS === #

    def action_download(self):
        """Download the file that was handed over."""
        self.ensure_one()
        return self._get_download(self.file_id)

    def action_download_stop_list(self):
        """Create and download the stop list: what need not be called any more, as of now."""
        self.ensure_one()
        self.check_access("read")
        self.line_ids.debtor_id._synchronize_own()
        today = format_date(self.env, self.company_id._collection_today(), date_format="yyyy-MM-dd")
        title = self._in_provider_language().env._("Stop list %s", f"{self.provider_id.name} {today}")
        content = self.env["collection.handover.file"]._write_stop_list(self)
        attachment = self._attach(title, content)
        self.message_post(body=self.env._("Stop list made."), attachment_ids=attachment.ids)
        return self._get_download(attachment)

    def action_take_back(self):
        """Open a new page on which a file of the provider is imported."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Take back"),
            "res_model": "collection.provider.import",
            "view_mode": "form",
            "views": [(False, "form")],
            "context": {"default_handover_id": self.id},
        }

    def action_end(self):
        """End the hand-over by hand: the customers come back to us."""
        self.check_access("write")
        self._end("ended")

    def action_view_imports(self):
        """Open the imports of the provider's files."""
        self.ensure_one()
        return {
            **self.env["ir.actions.actions"]._for_xml_id("account_collection.collection_provider_import_action"),
            "domain": [("handover_id", "=", self.id)],
            "context": {"default_handover_id": self.id},
        }

    def action_view_lines(self):
        """Open the customers that were handed over."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Customers handed over"),
            "res_model": "collection.handover.line",
            "view_mode": "list",
            "domain": [("handover_id", "=", self.id)],
        }

    def action_view_account(self):
        """Open the calls and promises of this hand-over, as they count for the provider's invoice."""
        self.ensure_one()
        return {
            **self.env["ir.actions.actions"]._for_xml_id("account_collection.collection_provider_account_action"),
            "domain": [("handover_id", "=", self.id)],
        }

    # === BUSINESS METHODS - WORDS === #

    def _get_notice(self):
        """Return a short text that states with which provider a customer is."""
        self.ensure_one()
        return self.env._(
            "With %(provider)s until %(date)s",
            provider=self.provider_id.name,
            date=format_date(self.env, self.date_end),
        )

    def _get_return(self):
        """Return ``(day, summary)`` of what we do next ourselves with a customer who is out."""
        self.ensure_one()
        return self.date_end + timedelta(days=1), self.env._("Back from %s", self.provider_id.name)

    def _in_provider_language(self):
        """Return these hand-overs in the language of those who get the file."""
        return self.with_context(lang=self.lang)

    # === BUSINESS METHODS - OUT === #

    @api.model
    def _get_obstacles(self, cases, overrule=False):
        """Return the cases for which, and why, nobody may call now.

        :param cases: cases whose debtors are up to date.
        :param bool overrule: whether the user overrules what may be overruled.
        :return: ``{case: reason}``.
        """
        obstacles, seen = {}, set()
        silences = self._get_silences(cases, overrule)
        for case in cases:
            debtor = case.debtor_id
            if case.state == "closed" or case.campaign_id.state != "running":
                obstacles[case] = self.env._("The case is closed.")
            elif debtor.handover_id:
                obstacles[case] = debtor.handover_notice
            elif reason := debtor._describe_silences(silences[debtor]):
                obstacles[case] = reason
            elif debtor in seen:
                obstacles[case] = self.env._("This customer is in the list already, with another case.")
            else:
                seen.add(debtor)
        return obstacles

    @api.model
    def _get_silences(self, cases, final_only=False):
        """Return the reasons to leave the customers of cases alone.

        :param bool final_only: only those that nobody may overrule.
        :return: ``{debtor: [Silence]}``.
        """
        return {
            debtor: [silence for silence in silences if silence.is_final or not final_only]
            for debtor, silences in cases.debtor_id._get_silences().items()
        }

    @api.model
    def _hand_over(self, cases, values, overrule=False):
        """Hand cases over to an outside caller: record them, make the file, stop our own calls.

        :param cases: open cases of one company; those of whom nobody may ask anything now are left out.
        :param dict values: of the hand-over: provider, period, purpose, format of the file.
        :param bool overrule: whether the user overrules the reasons to leave customers alone that may be overruled.
        :return: the hand-over.
        :raises UserError: when nobody is left.
        """
        cases.check_access("write")
        cases.debtor_id._synchronize_own()
        obstacles = self._get_obstacles(cases, overrule)
        cases = cases.filtered(lambda case: case not in obstacles)
        if not cases:
            raise UserError(
                self.env._(
                    "None of these customers can be handed over: %s",
                    next(iter(obstacles.values()), self.env._("no case.")),
                )
            )
        if overrule:
            for debtor, silences in self._get_silences(cases).items():
                if silences:
                    debtor._note_overruled(debtor._describe_silences(silences))
        handover = self.create({**values, "company_id": cases.company_id.id})
        handover._add_lines(cases)
        handover._make_file()
        handover._hold_cases()
        handover._cancel_calls()
        handover.message_post(
            body=self.env._(
                "%(customers)s customers handed over with %(items)s items.",
                customers=handover.line_count,
                items=handover.item_count,
            ),
            attachment_ids=handover.file_id.ids,
        )
        return handover

    def _add_lines(self, cases):
        """Record who is handed over and what each of them owes, with queries per batch of customers."""
        self.ensure_one()
        Line = self.env["collection.handover.line"].sudo()
        Item = self.env["collection.handover.item"].sudo()
        for batch in split_every(BATCH_SIZE, cases.ids, cases.browse):
            lines = Line.create(
                [
                    {
                        "handover_id": self.id,
                        "case_id": case.id,
                        "debtor_id": case.debtor_id.id,
                        "reference": make_reference("C"),
                        "is_out": True,
                    }
                    for case in batch
                ]
            )
            rows_by_debtor = batch.debtor_id._get_claimable_items_by_debtor()
            Item.create(
                [
                    {
                        "line_id": line.id,
                        "move_line_id": row["item"].id,
                        "reference": make_reference("I"),
                        "name": row["item"]._get_collection_name(),
                        "date": row["item"].sudo().invoice_date or row["item"].sudo().date,
                        "due_date": row["due_date"],
                        "currency_id": row["currency"].id,
                        "amount": row["claimable"],
                        "company_amount": row["item"].sudo()._convert_collection_amount(row["claimable"]),
                    }
                    for line in lines
                    for row in rows_by_debtor[line.debtor_id]
                    if not row["currency"].is_zero(row["claimable"])
                ]
            )
            lines.debtor_id.write({"handover_id": self.id})
        self.invalidate_recordset()

    def _make_file(self):
        """Create the file and store it with its hash: what the provider got can be shown years later."""
        self.ensure_one()
        content = self.env["collection.handover.file"]._write(self)
        title = self._in_provider_language().env._(
            "To call %(provider)s %(date)s", provider=self.provider_id.name, date=self.date_start
        )
        self.sudo().write(
            {"file_id": self._attach(title, content).id, "file_hash": hashlib.sha256(content).hexdigest()}
        )

    def _attach(self, title, content):
        """Attach a file to this hand-over.

        :param str title: the file's name without its ending.
        :param bytes content: of the file.
        :return: the attachment.
        """
        return (
            self.env["ir.attachment"]
            .sudo()
            .create(
                {
                    "name": f"{clean_filename(title)}.{self.file_format}",
                    "raw": content,
                    "res_model": self._name,
                    "res_id": self.id,
                    "company_id": self.company_id.id,
                }
            )
            .with_env(self.env)
        )

    @api.model
    def _get_download(self, attachment):
        """Return the action that downloads an attachment."""
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{attachment.id}?download=true",
            "target": "download",
        }

    def _get_open_cases(self):
        """Return all open cases of these customers, in whichever campaign."""
        return (
            self.env["collection.case"]
            .sudo()
            .search([("debtor_id", "in", self.line_ids.debtor_id.ids), ("state", "!=", "closed")])
        )

    def _hold_cases(self):
        """Set the cases to waiting until these customers are back."""
        for handover in self:
            day, summary = handover._get_return()
            cases = handover._get_open_cases()
            cases.write({"next_action_date": day, "next_action_summary": summary})
            cases.filtered(lambda case: case.state == "to_contact")._set_state("waiting")

    def _cancel_calls(self):
        """Cancel our own planned calls to these customers, with the reason."""
        for handover in self:
            calls = (
                self.env["collection.action"]
                .sudo()
                .search(
                    [
                        ("debtor_id", "in", handover.line_ids.debtor_id.ids),
                        ("state", "=", "planned"),
                        ("channel", "=", "call"),
                    ]
                )
            )
            calls._skip_calls_of_providers()

    # === BUSINESS METHODS - BACK === #

    def _end(self, state):
        """End hand-overs: the customers come back to us, today.

        :param str state: ``returned`` when the results were imported, else ``ended``.
        """
        for handover in self:
            was_out = handover.state == "out"
            changed = handover._set_state(state, ended_on=handover.ended_on or handover.company_id._collection_today())
            if not changed or not was_out:
                continue
            lines = handover.sudo().line_ids
            lines.write({"is_out": False})
            debtors = lines.debtor_id.filtered(lambda debtor, handover=handover: debtor.handover_id == handover)
            debtors.write({"handover_id": False})
            handover._release_cases(debtors)
            debtors._synchronize_own()

    def _release_cases(self, debtors):
        """Put the open cases of customers who are back on today's list, unless a later call is planned."""
        self.ensure_one()
        today = self.company_id._collection_today()
        planned = dict(
            self.env["collection.action"]
            .sudo()
            ._read_group(
                [("debtor_id", "in", debtors.ids), ("state", "=", "planned"), ("channel", "=", "call")],
                ["debtor_id"],
                ["date_planned:min"],
            )
        )
        summary = self._get_return()[1]
        cases = self._get_open_cases().filtered(
            lambda case: case.debtor_id in debtors and case.debtor_id not in planned
        )
        waiting = cases.filtered(lambda case: case.state in ("to_contact", "waiting"))
        waiting.write({"next_action_date": today, "next_action_summary": summary})
        (cases - waiting).write({"next_action_date": False, "next_action_summary": False})

    # === SCHEDULED ACTIONS === #

    @api.model
    def _cron_end(self):
        """See ``collection.run``."""
        self.env["collection.run"]._cron_end_handovers()
