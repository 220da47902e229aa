from difflib import get_close_matches

from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.tools.safe_eval import _BUILTINS

from ...tools import placeholders


class CollectionTemplateCheckMixin(models.AbstractModel):
    """Checks, when a text to customers is saved, that everything it asks for exists: in each language."""

    _name = "collection.template.check.mixin"
    _description = "Text whose Placeholders are checked"

    # {field: whether it is QWeb; otherwise ``{{ … }}`` stands in plain text}
    _collection_text_fields: dict = {}

    # === CONSTRAINT METHODS === #

    def _check_collection_text(self, names=None):
        """Check the placeholders of texts for follow-up files, and write them once for a customer as a trial.

        The trial tells of its customer when it fails, so that is one whom the user may read.

        :param names: the fields to look at; all when ``None``.
        :raises ValidationError: that names the placeholder and what exists.
        """
        languages = [code for code, _name in self.env["res.lang"].get_installed()]
        for text in self.sudo().filtered(lambda text: text.model == "collection.debtor"):
            Debtor = self.env["collection.debtor"].sudo(self.env.su)
            can_read = Debtor.has_access("read")
            sample = (Debtor.search([("due_amount", ">", 0)], limit=1) if can_read else Debtor).sudo()
            for name in self._collection_text_fields.keys() & (names or self._collection_text_fields):
                for value, lang in text._get_collection_values(name, languages).items():
                    text._check_collection_expressions(name, value)
                    text._try_collection_text(name, sample.with_context(lang=lang))

    def _get_collection_values(self, name, languages):
        """Return the different values of a field over the languages: ``{value: language}``."""
        self.ensure_one()
        values = {}
        for lang in languages:
            values.setdefault(self.with_context(lang=lang)[name] or "", lang)
        values.pop("", None)
        return values

    def _check_collection_expressions(self, name, value):
        """Check that all names and fields in one value of a field exist."""
        if self._collection_text_fields[name]:
            expressions, known = placeholders.qweb_expressions(str(value))
        else:
            expressions, known = placeholders.inline_expressions(value), set()
        records = self._get_collection_placeholders(name)
        known |= records.keys() | self._render_eval_context().keys() | _BUILTINS.keys()
        for expression in expressions:
            try:
                paths = placeholders.paths(expression)
            except (SyntaxError, ValueError) as error:
                raise ValidationError(
                    self.env._(
                        "“%(text)s”: the placeholder “%(placeholder)s” can't be read. Write for example “%(example)s”.",
                        text=self.name,
                        placeholder=expression,
                        example="object.partner_id.name",
                    )
                ) from error
            for path in paths:
                if path[0] not in known:
                    self._refuse_placeholder(path[0], path[0], sorted(records))
                if path[0] in records:
                    self._check_collection_path(path, records[path[0]])

    def _check_collection_path(self, path, record):
        """Check that ``object.partner_id.name`` can be read, for a path and the record that it begins with."""
        for name in path[1:]:
            field = record._fields.get(name)
            if field is None:
                # A method, or something of a date, a text … whose name only a trial can judge.
                if isinstance(record, models.BaseModel) and not hasattr(type(record), name):
                    self._refuse_placeholder(".".join(path), name, record._fields, record)
                return
            if not field.relational:
                return
            record = self.env[field.comodel_name]

    def _refuse_placeholder(self, placeholder, name, existing, record=None):
        """Raise an error that names a placeholder and what exists in its place."""
        known = [other for other in existing if not other.startswith("_")]
        close = get_close_matches(name, known, n=5, cutoff=0.5) or self._get_usual_placeholders(record) or known
        raise ValidationError(
            self.env._(
                "“%(text)s” asks for “%(placeholder)s”, but there is no “%(name)s”. Possible are for example: "
                "%(known)s.",
                text=self.name,
                placeholder=placeholder,
                name=name,
                known=", ".join(close[:8]),
            )
        )

    @api.model
    def _get_usual_placeholders(self, record):
        """Return the names that texts use most, of a record."""
        usual = {
            "collection.debtor": ["partner_id", "company_id", "collector_id", "contact_name", "claimable_amount"],
            "res.partner": ["name", "email", "phone", "ref", "vat"],
            "res.company": ["name", "email", "phone", "vat"],
        }
        return usual.get(record._name, []) if record is not None else []

    @api.model
    def _get_collection_placeholders(self, name):
        """Return the records that a field may speak of: ``{name: empty recordset}``."""
        return {
            "object": self.env["collection.debtor"],
            "user": self.env["res.users"],
            **({"contact": self.env["res.partner"]} if self._collection_text_fields[name] else {}),
        }

    def _try_collection_text(self, name, sample):
        """Write one field for a customer as a trial.

        :param sample: one debtor in the language to try, empty when there is none yet.
        """
        if not sample:
            return
        add_context = {"contact": sample.contact_used_id} if self._collection_text_fields[name] else {}
        try:
            with self.env.cr.savepoint():
                self.with_env(sample.env)._render_field(name, sample.ids, add_context=add_context)
        except Exception as error:
            cause = error.__cause__ or error
            raise ValidationError(
                self.env._(
                    "“%(text)s” can't be written for %(customer)s: %(error)s",
                    text=self.name,
                    customer=sample.partner_id.name,
                    error=str(cause.__cause__ or cause).split("\n")[0],
                )
            ) from error

    # === CRUD METHODS === #

    # EXTENDS base: the dialogue that translates writes past the constraints
    def _update_field_translations(self, field_name, translations, digest=None, source_lang=""):
        result = super()._update_field_translations(field_name, translations, digest=digest, source_lang=source_lang)
        if field_name in self._collection_text_fields:
            self.invalidate_recordset([field_name])
            self._check_collection_text([field_name])
        return result
