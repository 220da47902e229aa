from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import formatLang


class CollectionDisputeLine(models.Model):
    _name = "collection.dispute.line"
    _description = "Disputed Item"
    _inherit = ["collection.item.part.mixin"]
    _order = "dispute_id, id"
    _check_company_auto = True
    _document_field = "dispute_id"
    _said_field = "opened_on"
    # An accepted part counts until it is credited: the customer is right, nobody may ask for it.
    _withholding_states = ("open", "accepted")

    dispute_id = fields.Many2one("collection.dispute", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="dispute_id.company_id", store=True)
    currency_id = fields.Many2one(related="dispute_id.currency_id", store=True)
    amount = fields.Monetary(string="Disputed")
    settled_amount = fields.Monetary(string="Credited")

    # === CONSTRAINT METHODS === #

    @api.constrains("amount", "move_line_id", "dispute_id")
    def _check_amount(self):
        for line in self:
            item = line.move_line_id.sudo()
            if not item:
                raise ValidationError(self.env._("Each line needs an open item."))
            item._check_collection_item(line.dispute_id.sudo().debtor_id, line.currency_id)
            if line.currency_id.compare_amounts(line.amount, 0) <= 0:
                raise ValidationError(self.env._("%s: the disputed amount must be above zero.", line.name))
            disputed = self._get_open_parts(item).get(item.id, 0.0)
            owed = item._get_collection_owed().get(item.id, 0.0)
            if line.currency_id.compare_amounts(disputed, owed) > 0:
                raise ValidationError(
                    self.env._(
                        "%(item)s: %(disputed)s would be disputed, but only %(residual)s is still owed.",
                        item=line.name,
                        disputed=formatLang(self.env, disputed, currency_obj=line.currency_id),
                        residual=formatLang(self.env, owed, currency_obj=line.currency_id),
                    )
                )
