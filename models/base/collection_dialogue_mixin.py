from collections import defaultdict

from odoo import api, models
from odoo.fields import Command, Domain
from odoo.tools.misc import clean_context

# Whom a dialogue is about: customers, whose rules say who may know of them.
ABOUT = ("collection.debtor", "collection.case")


class CollectionDialogueMixin(models.AbstractModel):
    """A dialogue speaks of nothing that its user may not read: for all transient models, lines included.

    Stored computed fields are worked out as superuser, related fields too, and what is in the cache is not checked any
    more. So whatever a dialogue is given (a customer, a case, items, a text …) is looked at before anything is computed
    from it: in the values and in the defaults of a creation, of a write and of an onchange. The fields are found by
    reflection: a new one is guarded from the start.

    Every model with this mixin has a record rule on ``create_uid`` besides: a dialogue is its author's.
    """

    _name = "collection.dialogue.mixin"
    _description = "Dialogue of what its user may read"

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        self._check_given(*vals_list)
        return super().create(vals_list)

    def write(self, vals):
        self._check_given(vals)
        return super().write(vals)

    # EXTENDS base: the keys of the context count as well, in a creation as in an onchange
    @api.model
    def default_get(self, fields):
        defaults = super().default_get(fields)
        self._check_given(defaults)
        return defaults

    # EXTENDS web
    def onchange(self, values, field_names, fields_spec):
        self._check_kept()
        self._check_given(values)
        return super().onchange(values, field_names, fields_spec)

    # EXTENDS base: what somebody may no longer see is not shown by a dialogue of before
    def _read_format(self, fnames, load="_classic_read"):
        self._check_kept()
        return super()._read_format(fnames, load)

    # EXTENDS base: nor found, counted or grouped by what is told of them
    @api.model
    def _search(self, domain, *args, **kwargs):
        if not self.env.su:
            for name, field in self._fields.items():
                if field.store and field.type == "many2one" and field.comodel_name in ABOUT:
                    domain = Domain(domain) & (Domain(name, "=", False) | Domain(name, "any", Domain.TRUE))
        return super()._search(domain, *args, **kwargs)

    def copy_data(self, default=None):
        self._check_kept()
        return super().copy_data(default=default)

    # === BUSINESS METHODS === #

    def _check_given(self, *vals_list):
        """Check that the user may read every record that values point at.

        :param vals_list: values as ``create``, ``write`` or ``onchange`` get them.
        :raises AccessError: when one of the records is out of the user's sight.
        """
        if self.env.su:
            return
        found = defaultdict(set)
        for vals in vals_list:
            self._collect_targets(self, vals, found)
        self._check_targets(found)

    def _check_kept(self):
        """Check that the user may still read every record that these dialogues point at in the database.

        :raises AccessError: when one of the records is out of the user's sight.
        """
        real = self.filtered("id") if self else self
        if self.env.su or not real:
            return
        real.check_access("read")
        found = defaultdict(set)
        for name, field in self._fields.items():
            if field.store and field.type in ("many2one", "many2many") and name not in models.MAGIC_COLUMNS:
                found[field.comodel_name].update(real.sudo().with_context(active_test=False)[name]._ids)
        self._check_targets(found)

    def _check_targets(self, found):
        """Check records that dialogues point at.

        :param dict found: ``{model: ids}``.
        """
        for model, ids in found.items():
            records = self.env[model].browse(sorted(id_ for id_ in ids if isinstance(id_, int)))
            if records:
                records.check_access("read")

    @api.model
    def _collect_targets(self, model, vals, found):
        """Add the records that values of a model point at, at whatever depth.

        :param model: the model that the values are of: a dialogue, or what lies in it.
        :param dict vals: values as a form or an RPC sends them.
        :param found: ``{model: set of ids}``, which is added to.
        """
        for name, value in vals.items():
            field = model._fields.get(name)
            if field is None or not value:
                continue
            if field.type == "reference":
                target, _comma, number = str(value).partition(",") if isinstance(value, str) else ("", "", "")
                if target in self.env and number.isdecimal():
                    found[target].add(int(number))
                elif isinstance(value, models.BaseModel):
                    found[value._name].update(value._ids)
            elif field.relational:
                self._collect_values(self.env[field.comodel_name], value, found)

    @api.model
    def _collect_values(self, comodel, value, found):
        """Add the records that the value of one relational field points at."""
        if isinstance(value, models.BaseModel):
            found[comodel._name].update(value._ids)
        elif isinstance(value, dict):
            # A record in memory, as the parent of a line is sent by the web client.
            self._collect_values(comodel, value.get("id"), found)
            self._collect_targets(comodel, value, found)
        elif isinstance(value, (list, tuple)):
            for command in value:
                self._collect_command(comodel, command, found)
        elif isinstance(value, int):
            found[comodel._name].add(value)
        elif origin := getattr(value, "origin", None):
            found[comodel._name].add(origin)

    @api.model
    def _collect_command(self, comodel, command, found):
        """Add the records that one command of an x2many field, or one of its ids, points at."""
        if not isinstance(command, (list, tuple)):
            self._collect_values(comodel, command, found)
            return
        code, number, values = (*command, None, None)[:3]
        if code in (Command.UPDATE, Command.LINK):
            self._collect_values(comodel, number, found)
        if code in (Command.CREATE, Command.UPDATE) and isinstance(values, dict):
            self._collect_targets(comodel, values, found)
        if code == Command.SET:
            self._collect_values(comodel, list(values or ()), found)

    def _without_defaults(self):
        """Return these dialogues without the ``default_`` keys that they were opened with.

        Those are no defaults of what a dialogue records: of an action, a promise, a statement.
        """
        return self.with_env(self.env(context=clean_context(self.env.context)))
