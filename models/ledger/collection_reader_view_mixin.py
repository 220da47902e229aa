from odoo import api, models

# Who may read what Odoo and other addons show in their views of the ledger.
ACCOUNTING_GROUPS = "account.group_account_readonly,account.group_account_invoice"


class CollectionReaderViewMixin(models.AbstractModel):
    """Views of their own for collectors without accounting rights, whatever leads there.

    Odoo and other addons put into Odoo's views what these people may not read, such as reconciliations and the number
    of sales orders. The view of a model and type is ``account_collection.<table>_view_<type>_collection``.
    """

    _name = "collection.reader.view.mixin"
    _description = "Views for who has no accounting rights"

    # For which types of views there is one.
    _collection_reader_view_types: tuple = ()

    # === CRUD METHODS === #

    # EXTENDS base
    @api.model
    @api.readonly
    def get_view(self, view_id=None, view_type="form", **options):
        if not view_id:
            view_id = self._get_collection_view_id(view_type)
        return super().get_view(view_id, view_type, **options)

    # === BUSINESS METHODS === #

    @api.model
    def _get_collection_view_id(self, view_type):
        """Return the view that replaces Odoo's for the user at hand.

        :param str view_type: ``form``, ``list``, …
        :return: its id, or ``None`` where Odoo's own view is the right one.
        """
        if view_type not in self._collection_reader_view_types or self.env.context.get(f"{view_type}_view_ref"):
            return None
        user = self.env.user
        if not user.has_group("account_collection.group_collection_user") or user.has_groups(ACCOUNTING_GROUPS):
            return None
        name = f"account_collection.{self._table}_view_{view_type}_collection"
        view = self.env.ref(name, raise_if_not_found=False)
        return view.id if view else None
