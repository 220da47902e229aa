from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ...tools import filters


class CollectionFilterMixin(models.AbstractModel):
    """Filters that users write, such as the conditions of a plan: read as plain values, see ``tools.filters``.

    For models with ``company_id``. Filters are carried out later by scheduled actions, which may read everything.
    What one may ask for is therefore settled when a filter is written, with the rights of whoever writes it, and it is
    narrower than in a search: no path leads through a list of records of companies, such as a customer's entries,
    where other people's rows are.
    """

    _name = "collection.filter.mixin"
    _description = "With filters that users write"

    # {field with a filter: the model whose records it finds}
    _filters: dict = {}
    # Fields that the filters can't be about, as they follow from what the filters say: {model: names}.
    _filter_results: dict = {}

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._check_written_filters(self._filters)
        return records

    def write(self, vals):
        result = super().write(vals)
        self._check_written_filters(self._filters.keys() & vals.keys())
        return result

    # === BUSINESS METHODS === #

    def _check_written_filters(self, names):
        """Check what users wrote in these fields: by trying it, with their rights.

        :raises ValidationError: naming the record, the field and what is wrong.
        """
        for record in self:
            for name in names:
                if problem := record._find_filter_problem(name):
                    raise ValidationError(
                        self.env._(
                            "“%(name)s”, %(field)s: the filter can't be used. %(problem)s",
                            name=record.display_name,
                            field=self._fields[name]._description_string(self.env),
                            problem=problem,
                        )
                    )

    def _find_filter_problem(self, name):
        """Return in words why the filter in a field can't be carried out by the user, ``False`` when it can."""
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                self.env[self._filters[name]].search_count(self._get_filter(name), limit=1)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except AccessError:
            return self.env._("It asks for something that you may not read.")
        except UserError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 - whatever Odoo and other addons say of a value
            return self.env._("It can't be read: %s", error)
        return False

    def _get_filter(self, name):
        """Return the domain that a user wrote in a field.

        :raises UserError: when it isn't a filter, or asks for what no filter may ask for.
        """
        self.ensure_one()
        try:
            conditions = filters.parse(self[name], self._get_filter_names())
        except filters.FilterError as error:
            raise UserError(self._describe_filter_error(error)) from error
        self._check_conditions(self._filters[name], conditions)
        return Domain(conditions)

    def _get_filter_names(self):
        """Return ``{name: value}`` of the names that may stand for a value in the filters of a record."""
        self.ensure_one()
        return {"today": fields.Date.to_string((self.company_id or self.env.company)._collection_today())}

    def _describe_filter_error(self, error):
        """Return in words what is wrong with the text of a filter."""
        texts = {
            "size": self.env._("It is too long."),
            "name": self.env._("“%s” stands for nothing here: write a value.", error.part),
            "operator": self.env._("There is no comparison %s.", error.part),
            "value": self.env._("“%s” is not a plain value: filters can't calculate.", error.part),
            "number": self.env._("The number %s is too large.", error.part),
        }
        return texts.get(error.code) or self.env._("“%s” is not a list of conditions.", error.part)

    def _check_conditions(self, model, conditions):
        """Check what the conditions of a filter are about, whoever asks.

        :raises UserError: naming the field at fault.
        """
        for path, operator, value in filters.iter_conditions(conditions):
            if not isinstance(path, str):
                continue  # always or never
            field = self._check_path(model, path, follows=operator in filters.NESTING_OPERATORS)
            if operator in filters.NESTING_OPERATORS:
                self._check_conditions(field.comodel_name, value)
            elif self._is_list_of_companies(field) and value not in (False, None, True):
                self._refuse_path(path)

    def _check_path(self, model, path, follows=False):
        """Return the field at the end of a path.

        :param bool follows: whether a nested filter leads on from there.
        :raises UserError: when there is none, it can't be searched, or no filter may go there.
        """
        field = None
        names = path.split(".")
        for position, name in enumerate(names):
            if field and field.type in ("date", "datetime"):
                break  # a part of it, such as its month: Odoo knows which there are
            comodel = self.env.get(field.comodel_name if field else model)
            field = comodel._fields.get(name) if comodel is not None else None
            if not field or not field._description_searchable:
                raise UserError(self.env._("There is no field “%s” that one can search.", path))
            if name in self._filter_results.get(comodel._name, ()):
                raise UserError(self.env._("It is about “%s”, which itself follows from it.", path))
            goes_on = position < len(names) - 1 or follows
            if goes_on and field.type not in ("date", "datetime"):
                if not field.relational:
                    raise UserError(self.env._("There is no field “%s” that one can search.", path))
                if self._is_list_of_companies(field):
                    self._refuse_path(path)
        return field

    def _is_list_of_companies(self, field):
        """Return whether a field lists records that belong to companies, other than those of a follow-up file."""
        return (
            field.type in ("one2many", "many2many")
            and not field.comodel_name.startswith("collection.")
            and not {"company_id", "company_ids"}.isdisjoint(self.env[field.comodel_name]._fields)
        )

    def _refuse_path(self, path):
        raise UserError(
            self.env._(
                "“%s” leads to records that not everybody may read: only whether there is one can be asked.", path
            )
        )
