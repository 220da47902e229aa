"""Every method that a session may call, over all models of the registry: held against ``PUBLIC_METHODS``."""

import inspect
from contextlib import suppress
from unittest.mock import patch

from odoo.exceptions import AccessError, MissingError, UserError
from odoo.service.model import call_kw
from odoo.tests import tagged

from .access_common import AccessRecords
from .access_table import COLLEAGUES, DIALOGUES, FOREIGN, PUBLIC_METHODS

# What Odoo itself checks before it calls on, or what checks nothing since it changes nothing.
ORM = {"create", "write", "unlink", "copy_data", "web_read", "web_save", "default_get", "onchange", "get_view"}
# What each method that needs more than records is called with.
ARGUMENTS = {
    "message_update": [{}],
    "web_read": [{}],
    "write": [{}],
    "get_week_action": [0],
}
# Methods that are called on a model, not on records.
ON_MODEL = {"get_data", "get_week_action", "action_open"}
# Odoo's own door for e-mails, which anybody may knock at: see ``test_reach``.
ELSEWHERE = {"message_process"}


class _UndoError(Exception):
    """Takes back what a call did."""


@tagged("post_install", "-at_install")
class TestPublicMethods(AccessRecords):
    """Nothing that a session may call changes anything before it has checked who calls."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        outsiders = cls._make_outsiders()
        # {user: whose records they call on}: what they may not even read.
        cls.callers = {
            outsiders["public"]: COLLEAGUES,
            outsiders["portal"]: COLLEAGUES,
            outsiders["employee"]: COLLEAGUES,
            cls.solver: COLLEAGUES,
            cls.collector: COLLEAGUES,
            cls.manager: FOREIGN,
        }

    @classmethod
    def _get_public_methods(cls):
        """Return the methods that this addon defines and that answer to a session: ``{model: {name}}``."""
        found = {}
        for name, model in cls.env.registry.items():
            for definition in model.__mro__:
                # What a mixin brings along stands in the table once, at the mixin.
                if getattr(definition, "_module", None) != "account_collection" or definition._name != name:
                    continue
                for attribute, method in vars(definition).items():
                    if (
                        not attribute.startswith("_")
                        and inspect.isfunction(method)
                        and not getattr(getattr(model, attribute), "_api_private", False)
                    ):
                        found.setdefault(name, set()).add(attribute)
        return found

    def test_every_method_is_known(self):
        """A method that the table lacks fails, so that somebody thinks of who may call it."""
        found = {model: sorted(names - ORM) for model, names in self._get_public_methods().items() if names - ORM}
        self.assertEqual(found, {model: sorted(names) for model, names in PUBLIC_METHODS.items()})

    def _get_called(self, model, name, user):
        """Return the record on which a user who may not read it calls a method."""
        if name in ON_MODEL or self.env[model]._abstract:
            return self.env[model]
        records = self.records.get(model, {})
        whose = self.callers[user]
        if self.env[model]._transient:
            whose = next(role for role in DIALOGUES if self.roles[role] != user)
        return records.get(whose) or next(iter(records.values()), None) or self.env[model].search([], limit=1)

    def _call(self, target, name, user):
        """Call a method as a session does, and take it back.

        :return: ``(error, statements that changed something)``.
        """
        statements = []
        execute = type(self.env.cr).execute

        def record(cursor, query, *args, **kwargs):
            text = str(getattr(query, "code", query)).lstrip().upper()
            if text.startswith(("INSERT", "UPDATE", "DELETE")):
                statements.append(text[:120])
            return execute(cursor, query, *args, **kwargs)

        # A session begins with nothing in the cache, and what is in it Odoo gives to everybody.
        self.env.invalidate_all()
        env = self.env(user=user, su=False, context={"allowed_company_ids": user.company_ids.ids})
        args = ([] if name in ON_MODEL else [target.ids]) + ARGUMENTS.get(name, [])
        error = None
        with suppress(_UndoError), self.env.cr.savepoint():
            with patch.object(type(self.env.cr), "execute", record):
                try:
                    call_kw(env[target._name], name, args, {"context": dict(env.context)})
                    env.flush_all()
                except UserError as refused:
                    error = refused
                    statements.clear()
            raise _UndoError
        return error, statements

    def _may_read(self, target, user):
        """Return whether a user may read the record, or the model when it is called on that."""
        try:
            return target.with_user(user).has_access("read")
        except MissingError:
            return False  # an analysis of another company's rows

    def test_nobody_acts_for_others(self):
        """Whoever may not read a record is refused, or nothing happens."""
        called = 0
        for model, methods in PUBLIC_METHODS.items():
            for name, kind in methods.items():
                for user in self.callers if name not in ELSEWHERE else ():
                    target = self._get_called(model, name, user)
                    is_known = bool(target) or (name in ON_MODEL and user not in (self.collector, self.manager))
                    if not is_known or self._may_read(target, user):
                        continue
                    called += 1
                    with self.subTest(model=model, method=name, user=user.login):
                        error, statements = self._call(target, name, user)
                        self.assertEqual(statements, [])
                        if kind == "acts":
                            self.assertTrue(error, "is not refused")
        self.assertGreater(called, 600)

    def test_reading_refreshes_only_for_readers(self):
        """A form brings its customer up to date, for those who may open it."""
        for model in ("collection.debtor", "collection.case"):
            for user in self.callers:
                with self.subTest(model=model, user=user.login):
                    error, statements = self._call(self._get_called(model, "web_read", user), "web_read", user)
                    self.assertIsInstance(error, AccessError)
                    self.assertEqual(statements, [])
