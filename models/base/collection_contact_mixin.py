from odoo import api, models
from odoo.exceptions import ValidationError

# Known to this file only: a context that comes from RPC can't contain it.
_MOVING = object()


class CollectionContactMixin(models.AbstractModel):
    """Contacts of a customer: persons of that customer and nobody else, whoever writes them and however.

    For models with ``partner_id``, the customer. ``_contact_fields`` names the contacts.
    """

    _name = "collection.contact.mixin"
    _description = "Contacts of a customer"

    # Fields that name a person of the customer.
    _contact_fields: tuple = ()

    # === CONSTRAINT METHODS === #

    @api.constrains(lambda self: self._contact_fields)
    def _check_contacts(self):
        if self.env.context.get("collection_contacts_move") is _MOVING:
            return
        for record in self:
            record._check_contacts_of(record._get_contacts_customer())

    # === BUSINESS METHODS === #

    def _with_moving_contacts(self):
        """Return these records for a change in which contacts come along with their customer: they are merged.

        For a moment they are the other's. Never public.
        """
        return self.with_context(collection_contacts_move=_MOVING)

    def _get_contacts_customer(self):
        """Return the customer whose contacts these are, empty when there is not one."""
        self.ensure_one()
        return self.partner_id

    def _check_contacts_of(self, customer):
        """Check that every contact of this record belongs to a customer.

        :param customer: the ``res.partner`` who owes.
        :raises ValidationError: naming the contact and the customer.
        """
        self.ensure_one()
        for name in self._contact_fields:
            contact = self[name]
            if contact and not contact._is_collection_contact_of(customer):
                raise ValidationError(
                    self.env._(
                        "“%(field)s”: %(contact)s is no contact of %(customer)s. Choose somebody of this customer, or "
                        "enter the person as a contact there first.",
                        field=self._fields[name]._description_string(self.env),
                        contact=contact.display_name,
                        customer=customer.display_name or self.env._("these customers"),
                    )
                )
