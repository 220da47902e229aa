from odoo import api, fields, models
from odoo.fields import Domain

from ..ledger.account_move import CONTACTS_SHOWN


class AccountMove(models.Model):
    """What was said about an invoice."""

    _inherit = "account.move"

    collection_last_contact_on = fields.Date(
        string="Last Contact",
        compute="_compute_collection_contacts",
        groups="account_collection.group_collection_user",
        help="When something was last said to this customer.",
    )
    collection_next_step = fields.Char(
        string="Next Step",
        compute="_compute_collection_contacts",
        groups="account_collection.group_collection_user",
        help="What is planned next with this customer.",
    )
    collection_action_ids = fields.Many2many(
        "collection.action",
        string="What was said",
        compute="_compute_collection_contacts",
        groups="account_collection.group_collection_user",
    )

    # === COMPUTE METHODS === #

    @api.depends("commercial_partner_id", "company_id")
    @api.depends_context("lang", "uid")
    def _compute_collection_contacts(self):
        """Show what the user may see: contacts with other collectors' customers stay with them."""
        Action = self.env["collection.action"]
        for (partner, company), moves in self.grouped(
            lambda move: (move.commercial_partner_id, move.company_id)
        ).items():
            domain = Domain("partner_id", "=", partner.id) & Domain("company_id", "=", company.id)
            states = Domain("state", "in", ("planned", "done", "failed"))
            last = Action.search(domain & Action._get_contact_domain(), order="date_done desc, id desc", limit=1)
            planned = Action.search(domain & Domain("state", "=", "planned"), order="date_planned, id", limit=1)
            moves.collection_action_ids = Action.search(domain & states, limit=CONTACTS_SHOWN) if partner else Action
            moves.collection_last_contact_on = last._get_done_on() if last else False
            moves.collection_next_step = planned._get_next_step() if planned else False

    # === ACTION METHODS === #

    def action_view_collection_reminders(self):
        """Open the messages and calls in which this invoice was named."""
        return {
            **self.env["ir.actions.actions"]._for_xml_id("account_collection.collection_action_item_action"),
            "domain": [("move_id", "in", self.ids), ("action_id.state", "in", ("done", "failed"))],
        }
