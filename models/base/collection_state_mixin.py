from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

# Known to this file only: a context that comes from RPC can't contain it.
_GUARD = object()


class CollectionStateMixin(models.AbstractModel):
    """State that follows facts: changed by ``_set_state`` alone, and only along ``_state_transitions``.

    A model that inherits this mixin declares a selection field ``state``, the state it starts in
    and the transitions that exist. Whatever comes from a form, a kanban drag, an import or RPC and
    names ``state`` is refused with a sentence that says what to do instead.
    """

    _name = "collection.state.mixin"
    _description = "State that follows facts"

    # State of a new record.
    _state_initial = "open"
    # {state: states it may change to}
    _state_transitions: dict = {}
    # Facts that only the system writes, neither at creation nor later by hand.
    _fields_of_system: frozenset = frozenset()
    # What is said once, at creation.
    _fields_said_once: frozenset = frozenset()

    state_date = fields.Datetime(
        string="In this State since",
        default=lambda self: fields.Datetime.now(),
        readonly=True,
        copy=False,
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_fields_of_system(vals, self._fields_of_system)
            if not self._is_state_guarded() and vals.get("state", self._state_initial) != self._state_initial:
                raise UserError(self._get_state_refusal())
        return super().create(vals_list)

    def write(self, vals):
        self._check_fields_of_system(vals, self._fields_of_system | self._fields_said_once)
        if "state" in vals and not self._is_state_guarded():
            if any(record.state != vals["state"] for record in self):
                raise UserError(self._get_state_refusal())
            vals = {name: value for name, value in vals.items() if name != "state"}
        return super().write(vals)

    # === BUSINESS METHODS === #

    def _is_state_guarded(self) -> bool:
        """Return whether the change at hand comes from ``_set_state``."""
        return self.env.context.get("collection_state_guard") is _GUARD

    @api.model
    def _get_guard(self):
        """Return the context in which a model writes the facts that come along with a state. Never public."""
        return {"collection_state_guard": _GUARD}

    @api.model
    def _get_derived_fields(self):
        """Return the stored fields that Odoo computes from others: nobody writes them either."""
        return {"state_date"} | {
            name for name, field in self._fields.items() if field.store and field.compute and field.readonly
        }

    def _check_fields_of_system(self, vals, names):
        """Check that nobody writes facts by hand, whatever the form, import or RPC they use.

        :param dict vals: what is about to be written.
        :param names: the fields that only the system may write now.
        :raises UserError: naming the field.
        """
        forged = (names | self._get_derived_fields()) & vals.keys()
        if forged and not self.env.su and not self._is_state_guarded():
            raise UserError(
                self.env._(
                    "“%(field)s” of a %(model)s follows what happened and can't be written by hand.",
                    field=self._fields[min(forged)]._description_string(self.env),
                    model=self.env["ir.model"]._get(self._name).name.lower(),
                )
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
            changing.with_context(collection_state_guard=_GUARD).write(
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
