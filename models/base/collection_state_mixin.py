from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class CollectionStateMixin(models.AbstractModel):
    """State that follows facts: changed by ``_set_state`` alone, and only along ``_state_transitions``.

    A model that inherits this mixin declares a selection field ``state``, the state it starts in
    and the transitions that exist. Whatever comes from a form, a kanban drag, an import or RPC and
    names ``state`` is refused with a sentence that says what to do instead.
    """

    _name = "collection.state.mixin"
    _description = "State that follows facts"
    _inherit = ["collection.fact.mixin"]

    # State of a new record.
    _state_initial = "open"
    # {state: states it may change to}
    _state_transitions: dict = {}
    # States in which a record is on file: frozen but for ``_fields_noted``.
    _states_on_file: frozenset = frozenset()
    # {state: fields that are frozen in it, long before the record is on file}
    _fields_frozen_in: dict = {}

    state_date = fields.Datetime(
        string="In this State since",
        default=lambda self: fields.Datetime.now(),
        readonly=True,
        copy=False,
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        if not self._is_state_guarded():
            if any(vals.get("state", self._state_initial) != self._state_initial for vals in vals_list):
                raise UserError(self._get_state_refusal())
        return super().create(vals_list)

    def write(self, vals):
        if "state" in vals and not self._is_state_guarded():
            if any(record.state != vals["state"] for record in self):
                raise UserError(self._get_state_refusal())
            vals = {name: value for name, value in vals.items() if name != "state"}
        return super().write(vals)

    # === BUSINESS METHODS === #

    # EXTENDS collection.fact.mixin
    @api.model
    def _get_derived_fields(self):
        return super()._get_derived_fields() | {"state_date"}

    # EXTENDS collection.fact.mixin
    @api.model
    def _get_fields_without_defaults(self):
        return super()._get_fields_without_defaults() | {"state"}

    # EXTENDS collection.fact.mixin
    def _filter_on_file(self):
        return self.sudo().filtered(lambda record: record.state in self._states_on_file)

    # EXTENDS collection.fact.mixin
    def _check_not_on_file(self, vals):
        result = super()._check_not_on_file(vals)
        for record in self.sudo() if self._fields_frozen_in else ():
            if frozen := self._fields_frozen_in.get(record.state, frozenset()) & vals.keys():
                raise UserError(record._get_frozen_refusal(min(frozen)))
        return result

    def _get_frozen_refusal(self, name) -> str:
        """Return the error message for a user who changes a field that is frozen in the state of a record."""
        labels = dict(self._fields["state"]._description_selection(self.env))
        return self.env._(
            "“%(name)s” is %(state)s: “%(field)s” can't be changed any more.",
            name=self.display_name,
            state=labels[self.state].lower(),
            field=self._fields[name]._description_string(self.env),
        )

    def _get_state_refusal(self) -> str:
        """Return the error message for a user who sets a state by hand."""
        return self.env._(
            "The state of a %(model)s follows what happened. Use the buttons: log a call, record a promise, "
            "open a dispute or close it.",
            model=self.env["ir.model"]._get(self._name).name.lower(),
        )

    def _set_state(self, target, **vals):
        """Set the state of the records to ``target`` and write ``vals`` along with it.

        Records that are in ``target`` already are left alone.

        :param str target: the new state.
        :param vals: other values to write together with the state.
        :return: the records whose state changed.
        :raises UserError: when the transition does not exist for one of the records.
        """
        changing = self.filtered(lambda record: record.state != target)
        labels = dict(self._fields["state"]._description_selection(self.env))
        for record in changing:
            if target not in self._state_transitions.get(record.state, ()):
                raise UserError(
                    self.env._(
                        "“%(name)s” is %(state)s: it can't become %(target)s.",
                        name=record.display_name,
                        state=labels[record.state].lower(),
                        target=labels[target].lower(),
                    )
                )
        if changing:
            changing.with_context(**self._get_guard()).write(
                {"state": target, "state_date": fields.Datetime.now(), **vals}
            )
        return changing.with_env(self.env)

    def _check_case_of_debtor(self):
        """Check that what was said belongs to a case of the same customer, for models with both fields.

        :raises ValidationError: when the case is another customer's.
        """
        for record in self.sudo():
            if record.case_id and record.case_id.debtor_id != record.debtor_id:
                raise ValidationError(
                    self.env._(
                        "The case is that of %(other)s, not of %(customer)s.",
                        other=record.case_id.partner_id.name,
                        customer=record.debtor_id.partner_id.name,
                    )
                )
