from dataclasses import dataclass
from datetime import date, datetime

from odoo import fields, models


@dataclass(frozen=True)
class Origin:
    """The hand-over whose results are being imported, and when the customer gave them.

    It travels in the context. One that comes from RPC can't contain it.
    """

    handover_id: int
    day: date  # on the company's clock
    moment: datetime  # in UTC


class CollectionProviderMixin(models.AbstractModel):
    """What an outside caller may have brought about: written from the hand-over alone, never by hand."""

    _name = "collection.provider.mixin"
    _description = "Said to an Outside Caller"

    handover_id = fields.Many2one(
        "collection.handover",
        check_company=True,
        string="Hand-over",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="The hand-over with which an outside caller spoke to the customer.",
    )
    provider_id = fields.Many2one(
        related="handover_id.provider_id", store=True, index="btree_not_null", related_sudo=True
    )

    # === BUSINESS METHODS === #

    def _get_origin(self):
        """Return the ``Origin`` of what is being recorded, or ``None`` when it is our own work."""
        origin = self.env.context.get("collection_origin")
        return origin if isinstance(origin, Origin) else None

    def _get_origin_provider(self):
        """Return the provider of what is being recorded, nobody when it is our own work."""
        origin = self._get_origin()
        return self.env["collection.handover"].sudo().browse(origin and origin.handover_id).provider_id

    def _prepare_origin(self):
        """Return the values that attribute a new record to an outside caller."""
        origin = self._get_origin()
        return {"handover_id": origin.handover_id} if origin else {}
