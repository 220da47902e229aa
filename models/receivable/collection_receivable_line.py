from odoo import api, fields, models
from odoo.fields import Command

from ...tools.receivables import Reduction, set_off


class CollectionReceivableLine(models.Model):
    """What an import does about one open item that is kept elsewhere."""

    _name = "collection.receivable.line"
    _description = "Imported Open Item"
    _inherit = ["collection.fact.mixin"]
    _is_of_system = True
    _order = "rank, row, id"
    _rec_name = "number"
    _check_company_auto = True

    batch_id = fields.Many2one(
        "collection.receivable.batch", string="Import", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="batch_id.company_id", store=True, index=True)
    row = fields.Integer(readonly=True, help="Number of the row in the file. Empty when the file does not name it.")
    kind = fields.Selection(
        [
            ("error", "Error"),
            ("new", "New"),
            ("changed", "Changed"),
            ("paid", "Paid since"),
            ("unchanged", "Unchanged"),
            ("ignored", "Left out"),
        ],
        string="What happens",
        required=True,
        readonly=True,
    )
    # What needs a look comes first.
    rank = fields.Integer(readonly=True)
    message = fields.Char(string="Why", readonly=True)
    has_warning = fields.Boolean(string="Warning", readonly=True)
    is_done = fields.Boolean(string="Booked", readonly=True)

    # == What the file says ==
    customer = fields.Char(readonly=True)
    reference = fields.Char(string="Customer Reference", readonly=True)
    vat = fields.Char(string="VAT", readonly=True)
    registry = fields.Char(string="SIREN or SIRET", readonly=True)
    email = fields.Char(string="E-mail", readonly=True)
    phone = fields.Char(readonly=True)
    number = fields.Char(string="Invoice Number", readonly=True)
    invoice_date = fields.Date(readonly=True)
    due_date = fields.Date(readonly=True)
    original = fields.Monetary(string="Original Amount", readonly=True)
    remaining = fields.Monetary(string="Remaining Amount", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)

    # == What is on file here ==
    partner_id = fields.Many2one("res.partner", string="Customer Found", readonly=True, ondelete="restrict")
    found_by = fields.Selection(
        [("vat", "VAT"), ("registry", "SIREN"), ("reference", "Reference"), ("name", "Name"), ("made", "New customer")],
        readonly=True,
    )
    # Rows of the same customer who is not on file yet.
    customer_key = fields.Char(readonly=True, index="btree_not_null")
    known = fields.Monetary(string="Open so far", readonly=True)
    difference = fields.Monetary(readonly=True, help="What is added to, or taken off, what the customer owes.")
    item_ids = fields.Json(string="Open Journal Items", readonly=True)
    previous_due_date = fields.Date(readonly=True)
    move_id = fields.Many2one(
        "account.move", check_company=True, string="Entry", readonly=True, index="btree_not_null", ondelete="set null"
    )

    # === ACTION METHODS === #

    def action_open_move(self):
        """Open the entry that was made for an item, or the one that holds it."""
        self.ensure_one()
        move = self.move_id or self._get_items().move_id[:1]
        if not move:
            return False
        return {"type": "ir.actions.act_window", "res_model": "account.move", "res_id": move.id, "view_mode": "form"}

    # === BUSINESS METHODS === #

    def _get_items(self):
        """Return the journal items that this line is about."""
        return self.env["account.move.line"].browse(id_ for line in self for id_ in line.item_ids or []).exists()

    def _book(self):
        """Create the customers and the entries of these lines, and settle what was paid elsewhere.

        A customer's lines stay together: credits are set against the customer's own invoices.

        :raises UserError: when an entry can't be posted; nothing is left behind if one rolls back.
        """
        self._make_customers()
        for line in self.filtered(lambda line: line.kind == "changed" and line.previous_due_date):
            line._get_items().with_env(self.env).date_maturity = line.due_date
        additions = self.filtered(lambda line: line._is_addition())
        self._book_additions(additions)
        self._book_reductions((self - additions).filtered("difference"))
        self.sudo().is_done = True

    def _is_addition(self):
        """Return whether more is owed of the item than was known, or more credit is left."""
        self.ensure_one()
        if self.kind not in ("new", "changed") or not self.difference:
            return False
        return not self.known or (self.difference > 0) == (self.known > 0)

    # === BUSINESS METHODS - CUSTOMERS === #

    def _make_customers(self):
        """Create the customers who are not on file yet, one for all lines that mean the same."""
        missing = self.filtered(lambda line: line.kind == "new" and not line.partner_id)
        by_key = missing.grouped("customer_key")
        # A former batch of this import may have made some of them.
        partners = self.env["res.partner"].create([lines[0]._prepare_customer() for lines in by_key.values()])
        for partner, (key, lines) in zip(partners, by_key.items(), strict=True):
            same = self.sudo().search([("batch_id", "=", lines.batch_id.id), ("customer_key", "=", key)])
            same.partner_id = partner

    def _prepare_customer(self):
        """Return the values of a customer who is not on file yet."""
        self.ensure_one()
        company = self.batch_id.company_id
        return {
            "name": self.customer or self.reference or self.vat or self.registry,
            "is_company": True,
            "customer_rank": 1,
            "ref": self.reference,
            "vat": self.vat,
            "company_registry": self.registry,
            "email": self.email,
            "phone": self.phone,
            "country_id": company.country_id.id,
            "lang": company.partner_id.lang,
            "company_id": company.id,
        }

    # === BUSINESS METHODS - ENTRIES === #

    def _book_additions(self, lines):
        """Post one opening entry for each line."""
        if not lines:
            return
        moves = self._create_entries([line._prepare_opening_entry() for line in lines])
        moves._post(soft=False)
        for line, move in zip(lines.sudo(), moves, strict=True):
            line.move_id = move

    def _prepare_opening_entry(self):
        """Return the values of the entry that makes an open item of a line."""
        self.ensure_one()
        batch = self.batch_id
        date = batch._get_entry_date(self.invoice_date or self.due_date)
        balance = self.currency_id._convert(self.difference, batch.company_id.currency_id, batch.company_id, date)
        account = self.partner_id.with_company(batch.company_id).property_account_receivable_id
        narration = False
        if self.original and self.currency_id.compare_amounts(self.original, self.remaining):
            narration = self.env._("Original amount: %s", self.currency_id.format(self.original))
        return {
            **self._prepare_entry(batch.journal_id, date),
            "invoice_date": self.invoice_date,
            "narration": narration,
            "line_ids": [
                Command.create(
                    self._prepare_entry_line(account, self.difference, balance, date_maturity=self.due_date)
                ),
                Command.create(self._prepare_entry_line(batch.transit_account_id, -self.difference, -balance)),
            ],
        }

    @api.model
    def _create_entries(self, values_list):
        """Create entries that say with which list they were imported, as nobody can by hand."""
        moves = self.env["account.move"].with_context(**self._get_guard()).create(values_list)
        return moves.with_env(self.env)

    def _prepare_entry(self, journal, date):
        """Return what all entries of an import have in common."""
        self.ensure_one()
        return {
            "move_type": "entry",
            "journal_id": journal.id,
            "company_id": self.batch_id.company_id.id,
            "date": date,
            "ref": self.number,
            "partner_id": self.partner_id.id,
            "currency_id": self.currency_id.id,
            "collection_batch_id": self.batch_id.id,
        }

    def _prepare_entry_line(self, account, amount_currency, balance, **values):
        """Return the values of a journal item: without taxes, and followed up although its journal is a general one."""
        return {
            "name": self.number,
            "account_id": account.id,
            "partner_id": self.partner_id.id,
            "currency_id": self.currency_id.id,
            "amount_currency": amount_currency,
            "balance": balance,
            "tax_ids": [Command.clear()],
            "no_followup": False,
            **values,
        }

    def _book_reductions(self, lines):
        """Settle what was paid elsewhere, and set credits that were used up there against the invoices."""
        values_list, plans, owners = [], [], []
        for group in lines.grouped(lambda line: (line.partner_id, line.currency_id)).values():
            ordered = group.sorted(lambda line: (line.due_date or fields.Date.today(), line.id))
            # Other entries may have settled a part since the preview.
            reductions = [Reduction(line, line._get_reduction()) for line in ordered]
            pairs, rest = set_off(reductions, max(ordered.currency_id.decimal_places, 0))
            taken = {}
            for invoice, credit, amount in pairs:
                values, plan = invoice._prepare_set_off(credit, amount, taken)
                values_list.append(values)
                plans.append(plan)
                owners.append(invoice + credit)
            for line, amount in rest.items():
                values, plan = line._prepare_settlement(amount, taken)
                values_list.append(values)
                plans.append(plan)
                owners.append(line)
        moves = self._create_entries(values_list)
        moves._post(soft=False)
        for lines_of_move, move in zip(owners, moves, strict=True):
            lines_of_move.sudo().move_id = move
        self._reconcile(moves, plans)

    def _get_reduction(self):
        """Return by how much an item shrinks: positive for an invoice, negative for a credit."""
        self.ensure_one()
        residual = sum(self._get_items().mapped("amount_residual_currency"))
        if not residual or (residual > 0) != (self.known > 0):
            return 0.0
        return min(-self.difference, residual) if residual > 0 else max(-self.difference, residual)

    def _prepare_parts(self, amount, taken):
        """Return which journal items an amount takes something off, and how much at their own rate.

        :param float amount: what is taken off, with the sign of the item.
        :param dict taken: ``{item: (amount, balance)}`` taken off before, brought up to date.
        :return: list of ``(item, amount in its currency, amount in company currency)``.
        """
        self.ensure_one()
        currency = self.currency_id
        parts = []
        for item in self._get_items():
            if currency.is_zero(amount):
                break
            amount_before, balance_before = taken.get(item, (0.0, 0.0))
            residual = currency.round(item.amount_residual_currency - amount_before)
            part = min(amount, residual) if amount > 0 else max(amount, residual)
            if currency.is_zero(part):
                continue
            # At the rate of the item there is no exchange difference: nothing of it happens in these books.
            balance = item.company_currency_id.round(item.amount_residual - balance_before)
            if currency.compare_amounts(part, residual):
                balance = item.company_currency_id.round(balance * part / residual)
            taken[item] = (amount_before + part, balance_before + balance)
            parts.append((item, part, balance))
            amount = currency.round(amount - part)
        return parts

    def _prepare_settlement(self, amount, taken):
        """Return the values of the entry that settles an item paid elsewhere.

        It stands in a journal of type cash, by which promises, history and recap distinguish money from credit notes.

        :param float amount: positive for an invoice, negative for a credit that was paid back.
        :param dict taken: see ``_prepare_parts``.
        :return: ``(values, items that its lines settle, in their order)``
        """
        self.ensure_one()
        batch = self.batch_id
        parts = self._prepare_parts(amount, taken)
        commands = [
            Command.create(self._prepare_entry_line(item.account_id, -part, -balance)) for item, part, balance in parts
        ]
        commands.append(
            Command.create(
                self._prepare_entry_line(
                    batch.transit_account_id,
                    sum(part for _item, part, _balance in parts),
                    sum(balance for _item, _part, balance in parts),
                )
            )
        )
        values = self._prepare_entry(batch._get_settlement_journal(), batch._get_entry_date(batch.date))
        return {**values, "line_ids": commands}, [item for item, _part, _balance in parts]

    def _prepare_set_off(self, credit, amount, taken):
        """Return the values of the entry that sets a credit against an invoice, without money.

        :param credit: line of the credit.
        :param float amount: positive.
        :param dict taken: see ``_prepare_parts``.
        :return: ``(values, items that its lines settle, in their order)``
        """
        self.ensure_one()
        batch = self.batch_id
        parts = [*self._prepare_parts(amount, taken), *credit._prepare_parts(-amount, taken)]
        commands = [
            Command.create(self._prepare_entry_line(item.account_id, -part, -balance)) for item, part, balance in parts
        ]
        rate_difference = batch.company_id.currency_id.round(sum(balance for _item, _part, balance in parts))
        if rate_difference:
            commands.append(
                Command.create(
                    {
                        **self._prepare_entry_line(batch.transit_account_id, rate_difference, rate_difference),
                        "currency_id": batch.company_id.currency_id.id,
                    }
                )
            )
        values = self._prepare_entry(batch.journal_id, batch._get_entry_date(batch.date))
        return {**values, "line_ids": commands}, [item for item, _part, _balance in parts]

    @api.model
    def _reconcile(self, moves, plans):
        """Reconcile the lines of entries with the items that they settle."""
        plan = []
        for move, items in zip(moves, plans, strict=True):
            plan += (item + line for item, line in zip(items, move.line_ids.sorted("id"), strict=False))
        if plan:
            self.env["account.move.line"]._reconcile_plan(plan)
