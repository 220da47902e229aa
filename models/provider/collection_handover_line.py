from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import email_normalize

from ...tools.handover import fold
from ...tools.plain_html import to_html


class CollectionHandoverLine(models.Model):
    """One customer in a hand-over. Its reference is known to nobody but the provider that got the file."""

    _name = "collection.handover.line"
    _description = "Customer in a Hand-over"
    _inherit = ["collection.fact.mixin"]
    _is_of_system = True
    _order = "handover_id desc, id"
    _rec_name = "reference"
    _check_company_auto = True

    handover_id = fields.Many2one(
        "collection.handover", string="Hand-over", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="handover_id.company_id", store=True, index=True)
    provider_id = fields.Many2one(related="handover_id.provider_id", store=True, index=True)
    case_id = fields.Many2one(
        "collection.case", check_company=True, required=True, readonly=True, index=True, ondelete="restrict"
    )
    debtor_id = fields.Many2one(
        "collection.debtor", check_company=True, required=True, readonly=True, index=True, ondelete="restrict"
    )
    partner_id = fields.Many2one(related="debtor_id.partner_id", string="Customer")
    currency_id = fields.Many2one(related="company_id.currency_id")
    reference = fields.Char(required=True, readonly=True)
    is_out = fields.Boolean(string="With the Provider", readonly=True)
    item_ids = fields.One2many("collection.handover.item", "line_id", string="Items", readonly=True)
    amount = fields.Monetary(string="Handed over", compute="_compute_amount")
    claimable_amount = fields.Monetary(related="debtor_id.claimable_amount")
    case_state = fields.Selection(related="case_id.state", string="State of the Case")
    call_count = fields.Integer(string="Calls", compute="_compute_call_count")

    _reference_unique = models.UniqueIndex("(reference)", "This reference was given already.")
    # Two callers at once would do more harm than none.
    _debtor_out_unique = models.UniqueIndex(
        "(debtor_id) WHERE is_out", "One of these customers is with a provider already: open the list again."
    )

    # === COMPUTE METHODS === #

    def _compute_amount(self):
        amounts = dict(
            self.env["collection.handover.item"]._read_group(
                [("line_id", "in", self.ids)], ["line_id"], ["company_amount:sum"]
            )
        )
        for line in self:
            line.amount = amounts.get(line, 0.0)

    def _compute_call_count(self):
        counts = {
            (handover, debtor): count
            for handover, debtor, count in self.env["collection.action"]._read_group(
                [
                    ("handover_id", "in", self.handover_id.ids),
                    ("debtor_id", "in", self.debtor_id.ids),
                    ("channel", "=", "call"),
                ],
                ["handover_id", "debtor_id"],
                ["__count"],
            )
        }
        for line in self:
            line.call_count = counts.get((line.handover_id, line.debtor_id), 0)

    # === CRUD METHODS === #

    @api.ondelete(at_uninstall=False)
    def _unlink_except_on_file(self):
        raise UserError(self.env._("What was handed over stays on file: end the hand-over instead."))

    # === ACTION METHODS === #

    def action_open_case(self):
        """Open the case of this customer."""
        self.ensure_one()
        return self.case_id._get_form_action()

    # === BUSINESS METHODS === #

    def _get_case_for_answers(self):
        """Return the case in which an answer counts: its own as long as it is open, else another open one."""
        self.ensure_one()
        case = self.case_id
        if case.state != "closed" and case.campaign_id.state == "running":
            return case
        return self.debtor_id._get_current_case()

    def _correct_contact(self, name=None, phone=None, email=None):
        """Add to the debtor what was missing about whom to ask for; ask somebody about what would be overwritten.

        :param str name: of the person to ask for.
        :param str phone: as it was written.
        :param str email: an address that is one.
        """
        self.ensure_one()
        debtor = self.debtor_id.sudo()
        contact = debtor.contact_used_id
        doubtful = []
        if name and fold(name) != fold(contact.name):
            known = debtor.partner_id.child_ids.filtered(
                lambda child: fold(child.name) == fold(name) and child._is_collection_contact_of(debtor.partner_id)
            )[:1]
            if debtor.contact_id:
                doubtful.append(self.env._("ask for %s", name))
                contact = contact.browse()
            else:
                contact = known or debtor.partner_id.create(
                    {
                        "name": name,
                        "parent_id": debtor.partner_id.id,
                        "type": "contact",
                        "company_id": debtor.partner_id.company_id.id,
                        "lang": debtor.partner_id.lang,
                    }
                )
                debtor.contact_id = contact
        for field, value in (("phone", phone), ("email", email and email_normalize(email))):
            if value and contact and not contact[field]:
                contact[field] = value
            elif value and self._get_plain(contact[field]) != self._get_plain(value):
                doubtful.append(value)
        if doubtful:
            debtor.activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=self.company_id._collection_today(),
                summary=self.env._("%s reports another contact: is it right?", self.provider_id.name),
                note=to_html(", ".join(doubtful)),
                user_id=(self.case_id.collector_id or self.handover_id.user_id).id,
            )

    @api.model
    def _get_plain(self, value):
        """Return a number or an address for comparing: as callers write it does not matter."""
        text = (value or "").casefold()
        return text if "@" in text else "".join(sign for sign in text if sign.isdigit())[-9:]
