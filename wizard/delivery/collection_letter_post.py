from odoo import fields, models


class CollectionLetterPost(models.TransientModel):
    """Asks about printed letters to customers who paid since: taken out of the pile, or in the post already."""

    _name = "collection.letter.post"
    _description = "Mark Letters as posted"
    _inherit = "collection.dialogue.mixin"

    action_ids = fields.Many2many("collection.action", "collection_letter_post_rel", readonly=True)
    doubtful_ids = fields.Many2many("collection.action", "collection_letter_post_doubtful_rel", readonly=True)
    is_posted = fields.Boolean(
        string="They are in the post already",
        help="Otherwise these letters are cancelled: take them out of the pile.",
    )

    # === ACTION METHODS === #

    def action_confirm(self):
        """Mark the letters as posted; cancel those that were taken out, as far as nothing is owed on them still."""
        self.ensure_one()
        self = self._without_defaults()  # noqa: PLW0642
        letters = self.action_ids._get_letters()
        if not self.is_posted:
            taken_out = letters & self.doubtful_ids
            for letter in taken_out - taken_out._get_posted_for_sure():
                letter._set_state(
                    "cancelled",
                    result_text=letter.debtor_id._get_nothing_to_claim_reason(),
                    cancel_code="nothing_claimable",
                )
            letters -= taken_out
        letters._mark_posted()
        return {"type": "ir.actions.act_window_close"}
