from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...tools.replacement import fill
from ..ledger.collection_item_holder import Held


class CollectionItemPartMixin(models.AbstractModel):
    """Part of an open item that a customer promised to pay or contests.

    A model that inherits this mixin names its document (``_document_field``), the field of it that is
    set once everything was said (``_said_field``), and the document's states in which a part may not
    be asked for (``_withholding_states``). Amounts are in the item's currency unless said otherwise.
    """

    _name = "collection.item.part.mixin"
    _description = "Part of an Open Item"
    _inherit = ["collection.reach.mixin", "collection.fact.mixin", "collection.item.holder"]

    _document_field = ""
    _said_field = ""
    _withholding_states = ("open",)
    _fields_of_system = frozenset({"settled_amount"})
    _held_amount_field = "amount"
    _held_scaled_fields = ("company_amount",)
    _held_reset_fields = ("settled_amount",)

    # Those of the document: related where this mixin is used.
    company_id = fields.Many2one("res.company")
    currency_id = fields.Many2one("res.currency")
    # Emptied when an entry is deleted: accounting must not be stopped, and the name stays. The entry is kept apart from
    # the item, which may be made anew while the entry is a draft.
    move_line_id = fields.Many2one(
        "account.move.line", check_company=True, string="Item", index=True, ondelete="set null"
    )
    move_id = fields.Many2one(
        "account.move",
        check_company=True,
        compute="_compute_item",
        store=True,
        index=True,
        compute_sudo=True,
        ondelete="set null",
    )
    name = fields.Char(compute="_compute_item", store=True, compute_sudo=True)
    due_date = fields.Date(compute="_compute_item", store=True, compute_sudo=True)
    item_amount = fields.Monetary(string="Invoiced", compute="_compute_item", store=True, compute_sudo=True)
    amount = fields.Monetary(required=True)
    settled_amount = fields.Monetary(readonly=True, default=0.0)
    company_currency_id = fields.Many2one(related="company_id.currency_id", string="Company Currency")
    company_amount = fields.Monetary(
        currency_field="company_currency_id", compute="_compute_company_amount", store=True, compute_sudo=True
    )

    # === COMPUTE METHODS === #

    # Recorded as it was when it was said: posting an invoice must not look for promises and disputes.
    @api.depends("move_line_id")
    def _compute_item(self):
        for line in self.filtered("move_line_id"):
            item = line.move_line_id
            line.move_id = item.move_id
            line.name = item._get_collection_name()
            line.due_date = item.date_maturity or item.date
            line.item_amount = item.amount_currency

    @api.depends("amount", "move_line_id")
    def _compute_company_amount(self):
        for line in self.filtered("move_line_id"):
            line.company_amount = line.move_line_id._convert_collection_amount(line.amount)

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            documents = self.env[self._fields[self._document_field].comodel_name].browse(
                vals.get(self._document_field) for vals in vals_list
            )
            if any(document.sudo()[self._said_field] for document in documents):
                raise UserError(self._get_said_refusal())
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su:
            raise UserError(self._get_said_refusal())
        return super().write(vals)

    # === BUSINESS METHODS === #

    # EXTENDS collection.fact.mixin: to which document a line belongs is said by the document alone
    @api.model
    def _get_fields_without_defaults(self):
        return super()._get_fields_without_defaults() | {self._document_field}

    @api.model
    def _get_said_refusal(self):
        """Return the error message for a user who changes a line."""
        return self.env._("What a customer said stays as it was said. Cancel it and record it anew to correct it.")

    def _get_owed(self):
        """Return what is still owed of the item.

        A payment or credit note that is a draft again settles nothing, though Odoo keeps its reconciliation.
        """
        self.ensure_one()
        item = self.move_line_id.sudo()  # whoever reads the part may know what is left of it
        if item.parent_state != "posted":
            return 0.0
        drafts = item.matched_credit_ids.filtered(lambda partial: partial.credit_move_id.parent_state != "posted")
        return item.amount_residual_currency + sum(drafts.mapped("debit_amount_currency"))

    def _is_suspended(self):
        """Return whether the entry is a draft just now: what is owed of it is not known, and nothing is judged."""
        self.ensure_one()
        return self.move_id.state == "draft"

    def _get_end(self):
        """Return what ended these parts of open items in words, or an empty text when the ledger still has them all."""
        deleted = self.filtered(lambda line: not line.move_id)
        cancelled = self.filtered(lambda line: line.move_id.state == "cancel")
        changed = self.filtered(lambda line: line.move_id.state == "posted" and not line.move_line_id)
        return " ".join(
            text
            for lines, text in (
                (deleted, self.env._("The invoice was deleted.")),
                (cancelled, self.env._("The invoice was cancelled.")),
                (changed, self.env._("The invoice was corrected: this is not owed any more.")),
            )
            if lines
        )

    # EXTENDS collection.item.holder
    def _divide_held(self, parts):
        """Divide what was promised or contested among the new items; withholding lines first, without overlap."""
        if len(parts) < 2:
            return super()._divide_held(parts)
        held = []
        left = {part.key: part.amount for part in parts}
        for line in self.sorted(lambda line: (not line._is_withholding(), line.id)):
            digits = line.currency_id.decimal_places
            room = left if line._is_withholding() else {part.key: part.amount for part in parts}
            taken = fill(line.amount, room, digits) or {parts[-1].key: 0.0}
            # What was said stays as it was said, should less be owed now.
            last = list(taken)[-1]
            taken[last] = round(taken[last] + line.amount - sum(taken.values()), digits)
            held += [Held(line, item_id, amount, number > 0) for number, (item_id, amount) in enumerate(taken.items())]
        return held

    def _is_withholding(self):
        """Return whether this part may not be asked for."""
        self.ensure_one()
        return self[self._document_field].state in self._withholding_states

    @api.model
    def _get_open_parts_sql(self, company):
        """Return SQL with one row per item of which a part may not be asked for: ``move_line_id``, ``amount``."""
        return SQL(
            """
            SELECT line.move_line_id, SUM(line.amount - COALESCE(line.settled_amount, 0)) AS amount
              FROM %(lines)s line
              JOIN %(documents)s document ON document.id = %(document_id)s
             WHERE document.state IN %(states)s AND document.company_id = %(company)s
          GROUP BY line.move_line_id
            """,
            lines=SQL.identifier(self._table),
            documents=SQL.identifier(self.env[self._fields[self._document_field].comodel_name]._table),
            document_id=SQL.identifier("line", self._document_field),
            states=self._withholding_states,
            company=company.id,
        )

    @api.model
    def _get_open_parts(self, items, leave_out=None):
        """Return ``{item id: amount of it that may not be asked for}``.

        :param leave_out: documents that don't count.
        """
        domain = [
            ("move_line_id", "in", items.ids),
            (f"{self._document_field}.state", "in", self._withholding_states),
        ]
        if leave_out:
            domain.append((self._document_field, "not in", leave_out.ids))
        return {
            item.id: amount - settled
            for item, amount, settled in self.sudo()._read_group(
                domain, ["move_line_id"], ["amount:sum", "settled_amount:sum"]
            )
        }
