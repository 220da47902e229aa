from odoo import api, fields, models


class CollectionDebtor(models.Model):
    """A customer whom an outside caller has now."""

    _inherit = "collection.debtor"

    # == Reasons for silence, set by people ==

    handover_id = fields.Many2one(
        "collection.handover",
        check_company=True,
        string="With a Provider",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The hand-over with which an outside caller has this customer now: our own calls stop meanwhile.",
    )
    handover_notice = fields.Char(compute="_compute_handover_notice", compute_sudo=True)

    # === COMPUTE METHODS === #

    @api.depends("handover_id.provider_id", "handover_id.date_end")
    @api.depends_context("lang")
    def _compute_handover_notice(self):
        for debtor in self:
            debtor.handover_notice = debtor.handover_id._get_notice() if debtor.handover_id else False
