import ast
from datetime import date, datetime, timedelta

from lxml import etree, html

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL
from odoo.tools.sql import column_exists, table_exists

from ...tools import placeholders

# What texts to customers may be about.
COLLECTION_MODELS = ("collection.debtor", "collection.promise", "collection.dispute")
# What a text may ask for besides fields, whatever it is about.
TEXT_METHODS = frozenset(
    {
        "_collection_today",
        "_get_answer_date",
        "_get_claim",
        "_get_claim_table",
        "_get_claim_total",
        "_get_claimable_items",
        "_get_collection_name",
        "_get_collection_sender",
        "_get_late_terms",
        "_get_oldest_date",
        "_get_pay_button",
        "_get_pay_url",
        "_get_promise_table",
        "_write_date",
        "display_name",
        "filtered",
        "id",
        "ids",
        "mapped",
        "sorted",
    }
)
# What formats a text reads whatever its pattern names.
NO_METHODS = frozenset({"format", "format_map"})
# Of plain values.
PLAIN_TYPES = (str, int, float, list, tuple, dict, set, date, datetime, timedelta)
PLAIN_METHODS = frozenset(
    name
    for kind in PLAIN_TYPES
    for name in dir(kind)
    if not name.startswith("_") and name not in NO_METHODS and not hasattr(models.BaseModel, name)
)
# Methods that read what their argument names: it stands there for all to see, or is a function.
PATH_METHODS = frozenset({"mapped", "filtered", "sorted"})
# Names that lead to anything.
CLOSED_NAMES = frozenset({"env", "ctx", "request", "self", "getattr", "setattr", "hasattr", "vars", "dir"})
# From these records lists lead to rows of all companies and of other people.
HUBS = ("res.partner", "res.company", "res.users")
# Directives of QWeb that hold an expression, and those that hold none. There are no others in a text.
DIRECTIVES = ("t-out", "t-esc", "t-raw", "t-field", "t-if", "t-elif", "t-foreach", "t-value", "t-att", "t-options")
DIRECTIVES_BEGIN = ("t-att-", "t-options-")
HARMLESS_DIRECTIVES = ("t-set", "t-as", "t-else", "t-valuef")


class CollectionTextMixin(models.AbstractModel):
    """Texts to customers: marked as such, changed by administrators of Collections, and about the customer alone.

    A text is put together with more rights than its reader has: by scheduled actions as the system. So only marked
    texts may be chosen, wherever one is chosen, and a marked text asks for fields of its record and for a few words
    that this addon offers, never for the environment, another user's rights or a search.
    """

    _name = "collection.text.mixin"
    _description = "Text to customers who owe"

    # Field of ``collection.plan.step`` that names such a text.
    _collection_step_field = ""
    # Fields of the text with placeholders: ``{field: whether it is QWeb}``.
    _collection_dynamic_fields: dict = {}

    is_collection_text = fields.Boolean(
        string="Text of Collections",
        help="May be chosen for reminders, letters and SMS to customers who owe. Administrators of Collections mark "
        "texts so, and they alone change them from then on. Texts about follow-up files that they make are marked at "
        "once.",
    )

    # === CRUD METHODS === #

    # EXTENDS base: on a database of before, what is used stays in use
    def _auto_init(self):
        is_new = self._auto and not column_exists(self.env.cr, self._table, "is_collection_text")
        result = super()._auto_init()
        if is_new:
            self._mark_collection_texts()
        return result

    @api.model_create_multi
    def create(self, vals_list):
        texts = super().create(vals_list)
        texts._check_collection_author()
        if "default_is_collection_text" not in self.env.context:
            said = {text for text, vals in zip(texts, vals_list, strict=True) if "is_collection_text" in vals}
            (texts - self.union(*said))._mark_made_for_customers()
        texts._check_collection_safety()
        return texts

    def write(self, vals):
        self._check_collection_author()
        result = super().write(vals)
        self._check_collection_author()
        if self._collection_dynamic_fields.keys() & vals.keys() or {"is_collection_text", "model_id"} & vals.keys():
            self._check_collection_safety()
        if vals.get("is_collection_text"):
            # Whoever wrote it may read no customer, so that it was never tried.
            self._check_collection_text()
        return result

    # EXTENDS base: the dialogue that translates
    def _update_field_translations(self, field_name, translations, digest=None, source_lang=""):
        self._check_collection_author()
        result = super()._update_field_translations(field_name, translations, digest=digest, source_lang=source_lang)
        if field_name in self._collection_dynamic_fields:
            self.invalidate_recordset([field_name])
            self._check_collection_safety()
        return result

    def copy_data(self, default=None):
        """The copy of somebody who may not change texts of Collections is none."""
        vals_list = super().copy_data(default=default)
        if not self._is_collection_author():
            for vals in vals_list:
                vals["is_collection_text"] = False
        return vals_list

    @api.ondelete(at_uninstall=False)
    def _unlink_except_collection_text(self):
        self._check_collection_author()

    # === CONSTRAINT METHODS === #

    @api.constrains("is_collection_text", "model_id")
    def _check_used_collection_text(self):
        steps = self.env["collection.plan.step"].with_context(active_test=False)
        for text in self.filtered(lambda text: not text._is_collection_text_of("collection.debtor")):
            if step := steps.search([(self._collection_step_field, "=", text.id)], limit=1):
                raise ValidationError(
                    self.env._(
                        "“%(text)s” is the text of the step “%(step)s”: choose another one there first.",
                        text=text.name,
                        step=step.display_name,
                    )
                )

    # === BUSINESS METHODS - WHICH === #

    @api.model
    def _mark_collection_texts(self):
        """Mark the texts that came with this addon, and those of others that the steps of plans use."""
        known = SQL(
            "id IN (SELECT res_id FROM ir_model_data WHERE module = 'account_collection' AND model = %s)", self._name
        )
        if table_exists(self.env.cr, "collection_plan_step"):
            used = SQL.identifier(self._collection_step_field)
            known = SQL("(%s OR id IN (SELECT %s FROM collection_plan_step))", known, used)
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET is_collection_text = TRUE WHERE model IN %s AND %s",
                SQL.identifier(self._table),
                COLLECTION_MODELS,
                known,
            )
        )

    def _mark_made_for_customers(self):
        """Mark those of these new texts that are about customers who owe, and made by whoever may mark them."""
        if self._is_collection_author():
            self.filtered(lambda text: text.model in COLLECTION_MODELS).is_collection_text = True

    def _is_collection_text_of(self, model) -> bool:
        """Return whether this text may be chosen for customers.

        :param str model: what the text is to be about.
        """
        self.ensure_one()
        text = self.sudo()
        return text.is_collection_text and text.model == model

    def _check_is_collection_text(self, model="collection.debtor"):
        """Check that these texts were made to be sent to customers.

        :param str model: what the texts are to be about.
        :raises UserError: naming the text.
        """
        for text in self:
            if refusal := text._get_purpose_refusal(model):
                raise UserError(refusal)

    def _get_purpose_refusal(self, model="collection.debtor"):
        """Return in words why this text is not sent to customers, ``False`` when it was made for that.

        :param str model: what the text is to be about.
        """
        self.ensure_one()
        if self._is_collection_text_of(model):
            return False
        return self.env._(
            "“%s” is no text of Collections: choose another one. An administrator of Collections can mark it as one, "
            "in the list of templates.",
            self.sudo().name,
        )

    # === BUSINESS METHODS - WHO === #

    def _is_collection_author(self) -> bool:
        """Return whether the user may write texts of Collections."""
        user = self.env.user
        return self.env.su or user.has_group("account_collection.group_collection_manager") or self.env.is_system()

    def _check_collection_author(self):
        """Check that none of these is a text of Collections, or that the user may write such texts.

        :raises AccessError: when neither holds.
        """
        if not self._is_collection_author() and any(self.sudo().mapped("is_collection_text")):
            raise AccessError(
                self.env._("Texts of Collections are changed by its administrators: ask one of them, or make a copy.")
            )

    # === BUSINESS METHODS - WHAT === #

    def _check_collection_safety(self):
        """Check that texts of Collections ask for nothing but what a message about a customer needs.

        In all languages, and whoever writes them: an administrator of Collections is none of Odoo. Texts about
        follow-up files are looked at before they are marked, too: they are written once as a trial.

        :raises ValidationError: naming the text and what it asks for.
        """
        languages = [code for code, _name in self.env["res.lang"].get_installed()]
        looked_at = self.sudo().filtered(lambda text: text.is_collection_text or text.model == "collection.debtor")
        for text in looked_at:
            for name, is_qweb in self._collection_dynamic_fields.items():
                for value in {text.with_context(lang=lang)[name] or "" for lang in languages}:
                    for expression in text._get_collection_expressions(str(value), is_qweb):
                        text._check_collection_expression(expression)

    def _get_collection_expressions(self, value, is_qweb):
        """Return the expressions of a text.

        :raises ValidationError: for a directive of QWeb that no text needs.
        """
        if not value.strip():
            return []
        if not is_qweb:
            return placeholders.inline_expressions(value)
        expressions = []
        # Read as QWeb reads it: what another parser would overlook is found.
        for element in html.fragment_fromstring(value, create_parent="div").iter(etree.Element):
            for key, source in element.attrib.items():
                if key.startswith("t-attf-") or key == "t-valuef":
                    expressions += placeholders.inline_expressions(source)
                    expressions += placeholders.inline_expressions(source.replace("#{", "{{").replace("}", "}}"))
                elif key in DIRECTIVES or key.startswith(DIRECTIVES_BEGIN):
                    expressions.append(source)
                elif key.startswith("t-") and key not in HARMLESS_DIRECTIVES:
                    self._refuse_in_collection_text(key)
        return expressions

    def _check_collection_expression(self, expression):
        """Check one expression of a text, whatever names it makes for itself."""
        try:
            tree = ast.parse(expression.strip(), mode="eval")
        except (SyntaxError, ValueError):
            return  # said by whoever renders it
        closed = self._get_closed_field_names()
        for node in ast.walk(tree):
            name = node.id if isinstance(node, ast.Name) else getattr(node, "attr", None)
            if name is None:
                continue
            is_open = name not in CLOSED_NAMES if isinstance(node, ast.Name) else self._is_open_attribute(name)
            if not is_open or name in closed:
                self._refuse_in_collection_text(name)
        for node in ast.walk(tree):
            # ``mapped("a.b")`` reads by a text, ``record["a"]`` too.
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if found := closed & set(node.value.split(".")):
                    self._refuse_in_collection_text(min(found))
        self._check_collection_arguments(tree)

    def _check_collection_arguments(self, tree):
        """Check that the names of what is read stand in the expression, and aren't put together by it."""
        called = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                called.add(node.func)
                arguments = (*node.args, *(keyword.value for keyword in node.keywords))
                if node.func.attr in PATH_METHODS:
                    for argument in arguments:
                        if not isinstance(argument, ast.Constant | ast.Lambda):
                            self._refuse_in_collection_text(ast.unparse(argument)[:80])
            elif isinstance(node, ast.Subscript):
                parts = [node.slice.operand] if isinstance(node.slice, ast.UnaryOp) else [node.slice]
                if not isinstance(parts[0], ast.Constant | ast.Slice):
                    self._refuse_in_collection_text(ast.unparse(node.slice)[:80])
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in PATH_METHODS and node not in called:
                self._refuse_in_collection_text(node.attr)

    def _is_open_attribute(self, name) -> bool:
        """Return whether a text may read an attribute: a field, one of a few words, or what no record has at all.

        That the latter does not exist is said by whoever looks at placeholders, with what to write instead.
        """
        if name in TEXT_METHODS or name in PLAIN_METHODS:
            return True
        if name in NO_METHODS or name.startswith("_") or hasattr(models.BaseModel, name):
            return False
        known = self.env.registry.values()
        is_field = any(name in model._fields for model in known)
        return is_field or not any(hasattr(model, name) for model in known)

    def _get_closed_field_names(self):
        """Return the names of fields that nobody may read, such as secrets, and of those that lead to others' rows.

        Those are the lists of a customer, a company or a user: entries of all companies, for example. What is owed
        here is in the words that this addon offers.
        """
        secrets = {
            name
            for model in self.env.registry.values()
            for name, field in model._fields.items()
            if field.groups == fields.NO_ACCESS
        }
        lists = {
            name
            for model in HUBS
            for name, field in self.env[model]._fields.items()
            if field.type in ("one2many", "many2many")
            and field.comodel_name != "res.partner"
            and not {"company_id", "company_ids"}.isdisjoint(self.env[field.comodel_name]._fields)
        }
        return secrets | lists

    def _refuse_in_collection_text(self, name):
        raise ValidationError(
            self.env._(
                "“%(text)s” asks for “%(name)s”, which a text to customers can't read. It may ask for fields of its "
                "record, for example object.partner_id.name.",
                text=self.name,
                name=name,
            )
        )
