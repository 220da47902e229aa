from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from .const import AT_ONCE, CHUNK, RANKS


class CollectionReceivableBatch(models.Model):
    """Booking what a file of receivables says, and undoing it."""

    _inherit = "collection.receivable.batch"

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
        """Create the journals of this source where they are missing, and store them on the import.

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
            # Made for what was previewed: this is no change of it.
            self.with_context(**self._get_guard()).journal_id = journals.create(
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

    # === BUSINESS METHODS - BOOKING === #

    def _get_pending_domain(self):
        """Return the domain of the lines that are still to be booked."""
        return [("batch_id", "=", self.id), ("kind", "in", ("new", "changed", "paid")), ("is_done", "=", False)]

    def _book_some(self, limit=CHUNK):
        """Book the next lines, customer by customer; the last ones end the import.

        What can't be booked turns into an error with its reason, and stops nothing else.

        :return: how many lines were processed, 0 at the end.
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
        """Book the lines of one customer, or record why that is not possible."""
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
        """Refresh a few customers at once; many are left to the scheduled action."""
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

    @api.model
    def _cron_book(self):
        """See ``collection.run``."""
        self.env["collection.run"]._cron_book_receivables()
