from odoo import api, models
from odoo.exceptions import UserError

# Known to this file only: a context that comes from RPC can't contain it.
_GUARD = object()
# What Odoo writes itself and lets nobody write.
_MAGIC = frozenset({"id", "create_uid", "create_date", "write_uid", "write_date"})
# Threads and activities go on: they are rows of their own.
_THREAD_PREFIXES = ("message_", "activity_", "website_message_")


class CollectionFactMixin(models.AbstractModel):
    """Fields that follow facts: nobody says them, whatever the form, import, context or RPC they use.

    A model that inherits this mixin declares which of its fields are facts. The guard is asked by ``create``, ``write``
    and ``default_get`` (hence by onchange, imports and nested commands too) and drops no value in silence: what
    somebody gives is refused; what a context or a default of Odoo's would fill in is not asked for.

    The system writes facts as superuser or with ``_get_guard()``, whose value can't be sent over RPC. ``default_…``
    keys reach no fact even then, since dialogues take the caller's context along.
    """

    _name = "collection.fact.mixin"
    _description = "Fields that follow facts"

    # Facts that only the system writes, neither at creation nor later by hand.
    _fields_of_system: frozenset = frozenset()
    # What is said once, at creation.
    _fields_said_once: frozenset = frozenset()
    # Whether all stored fields are facts: nobody but the system writes such a row.
    _is_of_system = False
    # Whether the fields that Odoo computes and stores are facts as well. Not so on Odoo's own models.
    _guards_derived_fields = True
    # What may still be noted on a record that is on file (see ``_filter_on_file``); all else of it is frozen.
    _fields_noted: frozenset = frozenset()

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        if not self._is_of_the_system():
            facts = self._get_fact_fields()
            for vals in vals_list:
                self._check_facts(vals, facts, "create")
        return super().create(vals_list)

    def write(self, vals):
        if not self._is_of_the_system():
            self._check_facts(vals, self._get_fact_fields() | self._fields_said_once, "write")
            self._check_not_on_file(vals)
        return super().write(vals)

    def copy_data(self, default=None):
        given = (default or {}).keys()
        facts = self._get_fact_fields() - given
        return [
            {name: value for name, value in vals.items() if name not in facts}
            for vals in super().copy_data(default=default)
        ]

    @api.model
    def default_get(self, fields):
        """Return default values; facts have those of their field alone, never of the context or of a user's own."""
        guarded = self._get_fields_without_defaults()
        keys = {f"default_{name}" for name in guarded} & self.env.context.keys()
        if keys:
            context = {key: value for key, value in self.env.context.items() if key not in keys}
            self = self.with_env(self.env(context=context))  # noqa: PLW0642
        defaults = super().default_get(fields)
        said = self.env["ir.default"]._get_model_defaults(self._name).keys() & guarded & defaults.keys()
        for name in said:
            field = self._fields[name]
            del defaults[name]
            if field.default:
                empty = self.new()
                defaults[name] = field.convert_to_write(field.convert_to_cache(field.default(self), empty), empty)
        return defaults

    # === BUSINESS METHODS === #

    def _is_of_the_system(self) -> bool:
        """Return whether the change at hand is the system's own."""
        return self.env.su or self._is_state_guarded()

    def _is_state_guarded(self) -> bool:
        """Return whether the change at hand comes from a method that writes facts."""
        return self.env.context.get("collection_state_guard") is _GUARD

    @api.model
    def _get_guard(self):
        """Return the context in which a model writes facts in the name of the user. Never public."""
        return {"collection_state_guard": _GUARD}

    @api.model
    def _get_fact_fields(self):
        """Return the names of the fields that only the system writes."""
        facts = self._fields_of_system
        if self._is_of_system:
            facts |= {name for name, field in self._fields.items() if field.store} - _MAGIC
        return facts | self._get_derived_fields()

    @api.model
    def _get_fields_without_defaults(self):
        """Return the names of the fields that no context and no user's own default fills in."""
        return self._get_fact_fields()

    @api.model
    def _get_derived_fields(self):
        """Return the stored fields that Odoo computes from others: nobody writes them either."""
        if not self._guards_derived_fields:
            return frozenset()
        return frozenset(
            name
            for name, field in self._fields.items()
            if field.store and field.compute and field.readonly and not name.startswith(_THREAD_PREFIXES)
        )

    def _check_facts(self, vals, names, operation):
        """Check that nobody writes facts by hand.

        :param dict vals: what is about to be written.
        :param names: the fields that only the system may write now.
        :param str operation: ``create`` or ``write``.
        :raises AccessError: for whoever may not do that at all.
        :raises UserError: naming the field.
        """
        forged = names & vals.keys()
        if forged:
            self.check_access(operation)
            raise UserError(self._get_fact_refusal(min(forged)))

    @api.model
    def _get_fact_refusal(self, name) -> str:
        """Return the error message for a user who writes a fact by hand."""
        return self.env._(
            "“%(field)s” of a %(model)s follows what happened and can't be written by hand.",
            field=self._fields[name]._description_string(self.env),
            model=self.env["ir.model"]._get(self._name).name.lower(),
        )

    def _filter_on_file(self):
        """Return those of these records that are on file: closed, judged or sent, and frozen but for ``_fields_noted``.

        :return: records as superuser.
        """
        return self.sudo().browse()

    def _check_not_on_file(self, vals):
        """Check that nothing is changed of what is on file.

        :param dict vals: what is about to be written.
        :raises UserError: naming the record and the field.
        """
        frozen = {
            name
            for name in vals.keys() - self._fields_noted
            if self._fields[name].store and not name.startswith(_THREAD_PREFIXES)
        }
        on_file = frozen and self._filter_on_file()
        if on_file:
            raise UserError(on_file[0]._get_on_file_refusal(min(frozen)))

    def _get_on_file_refusal(self, name) -> str:
        """Return the error message for a user who changes a record that is on file."""
        return self.env._(
            "“%(name)s” is on file: “%(field)s” can't be changed any more.",
            name=self.display_name,
            field=self._fields[name]._description_string(self.env),
        )
