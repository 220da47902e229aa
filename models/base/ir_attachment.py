from odoo import api, models
from odoo.exceptions import UserError


class IrAttachment(models.Model):
    """Files that prove something: what a letter said, what a provider got, from which list something was booked.

    Odoo lets whoever may write a record change the files of it. A file that a fact points at, or that a record on file
    was made from, stays as it is, by whatever way.
    """

    _inherit = "ir.attachment"

    # === CRUD METHODS === #

    # EXTENDS base: a second file of a field would stand in for the first
    @api.model_create_multi
    def create(self, vals_list):
        attachments = super().create(vals_list)
        attachments._check_no_collection_proof()
        return attachments

    # EXTENDS base
    def write(self, vals):
        self._check_no_collection_proof()
        result = super().write(vals)
        if {"res_model", "res_field"} & vals.keys():
            self._check_no_collection_proof()
        return result

    # EXTENDS base
    def unlink(self):
        self._check_no_collection_proof()
        return super().unlink()

    # === BUSINESS METHODS === #

    # EXTENDS mail: asked for by a user, carried out as the system
    def _delete_and_notify(self, message=None):
        self.sudo(False)._check_no_collection_proof()
        return super()._delete_and_notify(message=message)

    def _check_no_collection_proof(self):
        """Check that none of these files proves something, or is the file of a field of ours.

        The latter is changed through its record alone: Odoo writes it as the system then, and the record looks at what
        is given.

        :raises UserError: naming the file.
        """
        if self.env.su:
            return
        own = self.sudo().filtered(lambda file: (file.res_model or "").startswith("collection."))
        if not own:
            return
        if of_field := own.filtered("res_field")[:1]:
            raise UserError(self.env._("“%s” belongs to a field: choose another file in its form.", of_field.name))
        if proof := own._filter_collection_proofs()[:1]:
            raise UserError(self.env._("“%s” is on file: it can't be changed or deleted any more.", proof.name))

    def _filter_collection_proofs(self):
        """Return those of these files of follow-up records that prove something."""
        proofs = self.browse()
        for model, names in self._get_collection_proof_fields().items():
            for name in names:
                records = self.env[model].sudo().with_context(active_test=False).search([(name, "in", self.ids)])
                proofs |= records[name] & self
        return proofs

    @api.model
    def _get_collection_proof_fields(self):
        """Return the facts that are files: ``{model: names of fields}``."""
        found = {}
        for name in self.env.registry:
            model = self.env[name]
            if name.startswith("collection.") and not model._abstract and hasattr(model, "_get_fact_fields"):
                facts = model._get_fact_fields()
                found[name] = [
                    field.name
                    for field in model._fields.values()
                    if field.store and field.comodel_name == "ir.attachment" and field.name in facts
                ]
        return found
