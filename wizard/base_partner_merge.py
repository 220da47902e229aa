from odoo import models
from odoo.tools import SQL


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    # EXTENDS base: a customer has one follow-up file per company, so those of merged customers become one
    def _update_foreign_keys(self, src_partners, dst_partner):
        debtors = (
            self.env["collection.debtor"]
            .sudo()
            .with_context(active_test=False)
            .search([("partner_id", "in", (src_partners + dst_partner).ids)])
        )
        for same_company in debtors.grouped("company_id").values():
            kept = same_company.filtered(lambda debtor: debtor.partner_id == dst_partner) or same_company[:1]
            self._merge_collection_debtors(same_company - kept, kept)
        return super()._update_foreign_keys(src_partners, dst_partner)

    def _merge_collection_debtors(self, sources, kept):
        for cases in (sources + kept).case_ids.grouped("campaign_id").values():
            kept_case = cases.filtered(lambda case: case.debtor_id == kept) or cases[:1]
            if others := cases - kept_case:
                kept_case.initial_amount += sum(others.mapped("initial_amount"))
                kept_case.initial_item_count += sum(others.mapped("initial_item_count"))
            self._merge_collection_records(others, kept_case)
        self._merge_collection_handovers(sources, kept)
        self._merge_collection_records(sources, kept)

    def _merge_collection_handovers(self, sources, kept):
        """Leave the merged customer with one provider at most: the one who has the customer that is kept."""
        out = (
            self.env["collection.handover.line"]
            .sudo()
            .search([("debtor_id", "in", (sources + kept).ids), ("is_out", "=", True)])
        )
        staying = out.filtered(lambda line: line.debtor_id == kept) or out[:1]
        (out - staying).is_out = False
        if staying:
            kept.handover_id = staying.handover_id

    def _merge_collection_records(self, sources, kept):
        """Point all that points to ``sources`` to ``kept``, and remove them."""
        if not sources:
            return
        self.env.flush_all()
        self._update_foreign_keys_generic(sources._name, sources, kept)
        self._update_reference_fields_generic(sources._name, sources, kept)
        self.env.flush_all()
        self.env.cr.execute(SQL("DELETE FROM %s WHERE id IN %s", SQL.identifier(sources._table), tuple(sources.ids)))
        self.env.invalidate_all()
