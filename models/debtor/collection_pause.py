from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain
from odoo.tools.misc import format_date


class CollectionPause(models.Model):
    """An invoice that nobody asks for until a day, and why.

    Uses Odoo's own “no follow-up”: set when the pause begins, taken off on the day on which it ends.
    """

    _name = "collection.pause"
    _description = "Pause of an Invoice"
    _inherit = ["collection.fact.mixin"]
    _is_of_system = True
    _order = "date_until desc, id desc"
    _rec_name = "move_id"
    _check_company_auto = True

    move_id = fields.Many2one("account.move", string="Invoice", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="move_id.company_id", store=True)
    debtor_id = fields.Many2one("collection.debtor", check_company=True, required=True, index=True, ondelete="cascade")
    date_until = fields.Date(string="Until", required=True)
    # Not those that somebody had excluded before: these stay excluded when the pause ends.
    item_ids = fields.Many2many("account.move.line", string="Excluded by it", readonly=True, check_company=True)
    reason = fields.Char(required=True)
    user_id = fields.Many2one("res.users", string="By", required=True, default=lambda self: self.env.user)
    ended_on = fields.Date()

    _running_index = models.Index("(company_id, date_until) WHERE ended_on IS NULL")

    # === BUSINESS METHODS === #

    @api.model
    def _pause(self, debtor, moves, until, reason):
        """Exclude invoices of a customer from the follow-up until a day.

        :param debtor: their follow-up file; whoever may read it may pause.
        :param moves: posted documents of this customer.
        :param until: the day on which the follow-up resumes.
        :param str reason: why, for colleagues.
        :raises UserError: when one of them is not followed up anyway.
        """
        debtor.check_access("read")
        running = self._get_running(moves)
        for move in moves.sudo():
            if move.company_id != debtor.company_id or move.commercial_partner_id != debtor.partner_id:
                raise UserError(
                    self.env._(
                        "%(item)s is not an item of %(customer)s.",
                        item=self._get_name(move),
                        customer=debtor.partner_id.name,
                    )
                )
            if all(self._get_items(move, debtor).mapped("no_followup")) and move not in running.move_id:
                raise UserError(self.env._("%s is not followed up: there is nothing to pause.", self._get_name(move)))
        running.ended_on = debtor.company_id._collection_today()
        before = {pause.move_id: pause._get_excluded_items() for pause in running}
        Item = self.env["account.move.line"].sudo()

        def is_followed(item):
            return not item.no_followup

        pauses = self.sudo().create(
            [
                {
                    "move_id": move.id,
                    "debtor_id": debtor.id,
                    "date_until": until,
                    "reason": reason,
                    "user_id": self.env.uid,
                    "item_ids": [
                        Command.set((before.get(move, Item) | self._get_items(move, debtor).filtered(is_followed)).ids)
                    ],
                }
                for move in moves.sudo()
            ]
        )
        pauses.item_ids.no_followup = True
        body = self.env._(
            "Follow-up of %(invoices)s paused until %(date)s: %(reason)s",
            invoices=", ".join(map(self._get_name, moves.sudo())),
            date=format_date(self.env, until),
            reason=reason,
        )
        for record in (debtor, *moves):
            record.sudo().message_post(body=body, author_id=self.env.user.partner_id.id)
        debtor._synchronize_own()

    @api.model
    def _get_name(self, move):
        """Return the number under which the customer knows an invoice, which may be kept elsewhere."""
        item = move.line_ids.filtered(lambda line: line.account_type == "asset_receivable")[:1]
        return item._get_collection_name() if item else move.name

    @api.model
    def _get_items(self, move, debtor):
        """Return what a document asks of a customer.

        Odoo's “no follow-up” of the document itself says nothing about entries: those that stand for invoices
        kept elsewhere, or for an opening balance.
        """
        return move.line_ids.filtered(
            lambda line: (
                line.account_type == "asset_receivable" and line.partner_id.commercial_partner_id == debtor.partner_id
            )
        )

    @api.model
    def _get_running(self, moves):
        """Return the pauses of these invoices that are not over."""
        return self.sudo().search([("move_id", "in", moves.ids), ("ended_on", "=", False)])

    def _get_excluded_items(self):
        """Return the items that this pause keeps out of the follow-up."""
        self.ensure_one()
        # Nothing is noted on a pause of an earlier version: it excluded all of them.
        return self.item_ids or self._get_items(self.move_id, self.debtor_id)

    @api.model
    def _release_all(self):
        """Follow everything up again that is paused, without a word: nobody will be there to end the pauses."""
        for pause in self.sudo().search([("ended_on", "=", False)]):
            pause._get_excluded_items().no_followup = False

    def _end(self):
        """Follow these invoices up again."""
        pauses = self.sudo()
        for pause in pauses:
            if pause.move_id.state == "posted":
                pause._get_excluded_items().no_followup = False
            pause.ended_on = pause.company_id._collection_today()
            body = self.env._("The follow-up of %s resumes.", self._get_name(pause.move_id))
            for record in (pause.debtor_id, pause.move_id):
                record.message_post(body=body, author_id=self.env.user.partner_id.id)
        pauses.debtor_id._synchronize_own()

    @api.model
    def _end_due(self, date, domain=None):
        """End the pauses whose day has come.

        :param date: the day on which one judges.
        :param domain: limits the pauses to check.
        :return: the pauses that ended.
        """
        due = self.sudo().search(
            Domain("ended_on", "=", False) & Domain("date_until", "<=", date) & Domain(domain or [])
        )
        due._end()
        return due
