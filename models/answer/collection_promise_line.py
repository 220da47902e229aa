from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import formatLang


class CollectionPromiseLine(models.Model):
    _name = "collection.promise.line"
    _description = "Promised Item"
    _inherit = ["collection.item.part.mixin"]
    _order = "promise_id, id"
    _check_company_auto = True
    _document_field = "promise_id"
    _said_field = "promised_on"

    promise_id = fields.Many2one("collection.promise", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="promise_id.company_id", store=True)
    currency_id = fields.Many2one(related="promise_id.currency_id", store=True)
    settled_amount = fields.Monetary(string="Received")

    # === CONSTRAINT METHODS === #

    @api.constrains("amount", "move_line_id", "promise_id")
    def _check_amount(self):
        for line in self:
            item = line.move_line_id.sudo()
            if not item:
                raise ValidationError(self.env._("Each line needs an open item."))
            debtor = line.promise_id.debtor_id
            item._check_collection_item(debtor, line.currency_id)
            if line.currency_id.compare_amounts(line.amount, 0) <= 0:
                raise ValidationError(self.env._("%s: the promised amount must be above zero.", line.name))
            available = (
                item._get_collection_owed().get(item.id, 0.0)
                - item._get_collection_disputed().get(item.id, 0.0)
                - self._get_open_parts(item, leave_out=line.promise_id).get(item.id, 0.0)
            )
            promised = sum(
                other.amount for other in line.promise_id.line_ids if other.move_line_id == line.move_line_id
            )
            if line.currency_id.compare_amounts(promised, available) > 0:
                raise ValidationError(
                    self.env._(
                        "%(item)s: %(amount)s is more than the %(available)s still owed that is neither disputed "
                        "nor promised already.",
                        item=line.name,
                        amount=formatLang(self.env, promised, currency_obj=line.currency_id),
                        available=formatLang(self.env, max(available, 0), currency_obj=line.currency_id),
                    )
                )
