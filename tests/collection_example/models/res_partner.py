from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    example_is_public = fields.Boolean(string="Public Customer")
    example_contract = fields.Char(string="Framework Contract")
    example_hands_off = fields.Boolean(string="The Management speaks to them")
    example_chat_name = fields.Char(string="Name in the Chat")

    def write(self, vals):
        """Also have the scores computed anew that depend on what changes."""
        result = super().write(vals)
        if "example_is_public" in vals:
            criteria = self.env["collection.criterion"].sudo().search([("indicator", "=", "example_is_public")])
            criteria._mark_scores_stale()
        return result
