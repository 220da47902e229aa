from odoo import api, fields, models
from odoo.exceptions import UserError


class AccountMove(models.Model):
    """An invoice knows the follow-up file of its customer."""

    _inherit = "account.move"

    collection_paused_until = fields.Date(
        string="Paused until",
        compute="_compute_collection_paused_until",
        groups="account_collection.group_collection_user",
        help="Nobody asks for this invoice before this day.",
    )

    # === COMPUTE METHODS === #

    @api.depends("line_ids.no_followup")
    @api.depends_context("uid")
    def _compute_collection_paused_until(self):
        running = self.env["collection.pause"]._get_running(self).with_env(self.env)._filtered_access("read")
        until = {pause.move_id.id: pause.date_until for pause in running}
        for move in self:
            move.collection_paused_until = until.get(move.id, False)

    # === ACTION METHODS === #

    def action_view_collection_debtor(self):
        """Open the follow-up file of this invoice's customer."""
        self.ensure_one()
        return self._get_collection_debtor()._get_form_action()

    def action_collection_pause(self):
        """Pause the follow-up of these invoices until a day."""
        debtor = self._get_common_debtor()
        action = debtor.action_pause()
        action["context"]["default_move_ids"] = self.ids
        return action

    def action_collection_resume(self):
        """Follow these invoices up again before the day on which their pause ends."""
        self._get_common_debtor().check_access("write")
        self.env["collection.pause"]._get_running(self).with_env(self.env)._end()

    # === BUSINESS METHODS === #

    def _get_collection_debtor(self):
        """Return the follow-up file of this move's customer, made if there is none yet."""
        self.ensure_one()
        return self.env["collection.debtor"]._get_or_create(self.company_id, self.commercial_partner_id)

    def _get_common_debtor(self):
        """Return the one follow-up file of these documents.

        :raises UserError: when they are not posted documents of one customer in one company.
        """
        if not self or any(move.state != "posted" or not move.is_sale_document(include_receipts=True) for move in self):
            raise UserError(self.env._("Choose posted customer invoices."))
        customers = self.commercial_partner_id
        if len(customers) > 1:
            raise UserError(
                self.env._(
                    "These invoices belong to several customers (%s): choose those of one customer.",
                    ", ".join(customers.mapped("name")),
                )
            )
        if len(self.company_id) > 1:
            raise UserError(self.env._("These invoices belong to several companies: choose those of one company."))
        debtor = self[:1]._get_collection_debtor()
        if not debtor:
            raise UserError(self.env._("Nothing was ever invoiced to this customer in this company."))
        return debtor
