from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.replacement import Item, find_replacements


class CollectionSuspendedItem(models.Model):
    """What hangs on the items of an entry that was set back to draft, until it is posted again.

    An invoice is set back to draft to correct it, often because its customer was right. What was promised, contested
    and said about it is kept in suspense meanwhile, and goes on with the items that the entry has once it is posted
    again. One row for each item of the entry, and one for each record that hangs on it.
    """

    _name = "collection.suspended.item"
    _description = "Item in Suspense"
    _inherit = ["collection.fact.mixin"]
    _is_of_system = True
    _log_access = False

    move_id = fields.Many2one("account.move", required=True, index=True, ondelete="cascade")
    partner_id = fields.Many2one("res.partner", required=True, index=True, ondelete="cascade")
    # An id only: the journal item may be gone.
    item_id = fields.Integer(required=True)
    due_date = fields.Date(required=True)
    amount = fields.Float(required=True, digits=False)
    holder = fields.Char(required=True, help="Model of the record that hangs on the item, or of the item itself.")
    holder_id = fields.Integer(string="Record", required=True)

    _holder_unique = models.UniqueIndex("(holder, holder_id)")

    @api.model
    def _get_holders(self):
        """Return the models whose records hang on journal items."""
        mixin = self.env.registry["collection.item.holder"]
        return [
            model
            for name in sorted(self.env.registry)
            if isinstance(model := self.env[name], mixin) and not model._abstract
        ]

    @api.model
    def _suspend(self, moves):
        """Store which records refer to the items of posted entries that are about to be reset to draft.

        :param moves: ``account.move`` records.
        """
        items = moves.sudo().line_ids.filtered(lambda line: self._is_item(line))
        if not items:
            return
        self.env.flush_all()
        held = self.env.execute_query(
            SQL(" UNION ALL ").join(SQL("(%s)", holder._get_held_sql(items.ids)) for holder in self._get_holders())
        )
        if not held:
            return
        suspended = items.filtered(lambda item: item.move_id in items.browse({row[0] for row in held}).move_id)
        held += [(item.id, item._name, item.id) for item in suspended]
        by_id = {item.id: item for item in suspended}
        rows = [
            (
                item.move_id.id,
                item.partner_id.id,
                item.id,
                item.date_maturity or item.date,
                item.amount_currency,
                *holder,
            )
            for item_id, *holder in held
            if (item := by_id[item_id])
        ]
        # An entry that is cancelled and set back to draft once more still is what it was when it was posted.
        self.env.cr.execute(
            SQL(
                "INSERT INTO collection_suspended_item"
                " (move_id, partner_id, item_id, due_date, amount, holder, holder_id) VALUES %s ON CONFLICT DO NOTHING",
                SQL(", ").join(SQL("%s", row) for row in rows),
            )
        )
        self.invalidate_model(flush=False)

    @api.model
    def _resume(self, moves):
        """Move the records that referred to the items of these entries to those that replaced them.

        :param moves: ``account.move`` records that were just posted.
        """
        suspended = self.sudo().search([("move_id", "in", moves.ids)], order="id") if moves else self
        if not suspended:
            return
        replacements = {}
        for (move, customer), rows in suspended.grouped(
            lambda row: (row.move_id, row.partner_id.commercial_partner_id)
        ).items():
            new = move.line_ids.filtered(
                lambda line, customer=customer: (
                    self._is_item(line) and line.partner_id.commercial_partner_id == customer
                )
            )
            parts = find_replacements(
                [Item(row.item_id, row.due_date, row.amount) for row in rows if row.holder == new._name],
                [Item(line.id, line.date_maturity or line.date, line.amount_currency) for line in new],
                move.currency_id.decimal_places,
            )
            for (holder, item_id), held in rows.grouped(lambda row: (row.holder, row.item_id)).items():
                if holder != new._name:
                    replacements.setdefault(holder, []).append((held.mapped("holder_id"), parts[item_id]))
        for holder, own in replacements.items():
            if holder in self.env:  # an addon that kept something may have been uninstalled
                self.env[holder].sudo()._move_to_items(own)
        suspended.unlink()

    @api.model
    def _is_item(self, line):
        """Return whether a journal item is something that a customer owes."""
        return line.account_type == "asset_receivable" and line.balance > 0 and bool(line.partner_id)

    @api.model
    def _get_customers(self, company):
        """Return the customers of a company of whom an entry is in suspense now, as commercial partners."""
        return (
            self.sudo()
            .search([("move_id.company_id", "=", company.id), ("move_id.state", "=", "draft")])
            .partner_id.commercial_partner_id
        )
