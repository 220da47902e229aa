from odoo import api, models
from odoo.exceptions import UserError


class CollectionReachMixin(models.AbstractModel):
    """Records that stay within the reach of whoever writes them.

    Odoo asks its rules before a change and not after it, and never whether one may read what a record is linked to.
    Without more, a user could move a record to another collector's customer, to another company or out of all of
    them, and learn or change there what is refused otherwise.

    Handing a record on to a colleague, by its person in charge, is no such move: to one who may enter its company.
    """

    _name = "collection.reach.mixin"
    _description = "Within the reach of who writes it"

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        if self.env.su:
            return super().create(vals_list)
        defaults = {key.removeprefix("default_") for key in self.env.context if key.startswith("default_")}
        # Whoever catches the refusal finds everything as it was.
        with self.env.cr.savepoint():
            records = super().create(vals_list)
            names = defaults.union(*vals_list)
            records._check_links(names)
            records._check_people(names)
        return records

    def write(self, vals):
        names = set() if self.env.su else {name for name in vals if self._is_link(name) or self._is_person(name)}
        placing = set() if self.env.su else self._get_placing_fields() & vals.keys()
        if not names and not placing:
            return super().write(vals)
        with self.env.cr.savepoint():
            result = super().write(vals)
            self._check_links(names)
            self._check_people(names)
            if placing:
                self.check_access("write")
        return result

    # EXTENDS web: a form reads what it has saved; whoever hands a record on may not read it any more
    def web_save(self, vals, specification, next_id=None):
        is_handed_on = self and not next_id and not self.env.su and any(self._is_person(name) for name in vals)
        if not is_handed_on:
            return super().web_save(vals, specification, next_id=next_id)
        before = self.with_context(bin_size=True).web_read(specification)
        self.write(vals)
        if self._filtered_access("read") == self:
            return self.with_context(bin_size=True).web_read(specification)
        # For the last time, as it stood: with whom it is now is what they wrote.
        for name in filter(self._is_person, specification.keys() & vals.keys()):
            shown = specification[name].get("fields")
            person = self.env["res.users"].browse(vals[name])
            for values in before:
                values[name] = {"id": person.id, "display_name": person.sudo().name} if shown else person.id
        return before

    # === BUSINESS METHODS === #

    @api.model
    def _is_link(self, name):
        """Return whether a field links a record to others, which the user has to be allowed to read."""
        field = self._fields.get(name)
        # Lines are written with the user's own rights; of people, everybody knows the names.
        return field and field.type in ("many2one", "many2many") and field.store and field.comodel_name != "res.users"

    def _check_links(self, names):
        """Check that the user may read what was written into relational fields.

        :param names: the names of the fields that were written, others among them.
        :raises AccessError: as for reading it.
        """
        for name in names:
            if self._is_link(name):
                self.sudo().mapped(name).sudo(False).check_access("read")

    @api.model
    def _is_person(self, name):
        """Return whether a field says who is to do something about a record."""
        field = self._fields.get(name)
        return field and field.type == "many2one" and field.store and field.comodel_name == "res.users"

    def _check_people(self, names):
        """Check that whoever is put in charge works here, and may enter the company that a record is of.

        :param names: the names of the fields that were written, others among them.
        :raises UserError: naming who can't.
        """
        for name in filter(self._is_person, names):
            for record in self.sudo():
                person = record[name]
                company = record.company_id if "company_id" in self._fields else self.env["res.company"]
                if person and (person.share or company - person.company_ids):
                    raise UserError(
                        self.env._(
                            "“%(field)s”: %(person)s has no access to %(company)s. Choose a colleague who has.",
                            field=self._fields[name]._description_string(self.env),
                            person=person.name,
                            company=(company or self.env.company).name,
                        )
                    )

    @api.model
    def _get_placing_fields(self):
        """Return the fields that decide, by the rules of the model, who may write a record; people left out."""
        names = set()
        for condition in self.env["ir.rule"]._compute_domain(self._name, "write").iter_conditions():
            field = self._fields.get(condition.field_expr.partition(".")[0])
            if field and field.comodel_name != "res.users":
                names.add(field.related.partition(".")[0] if field.related else field.name)
        return names
