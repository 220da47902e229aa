"""One company with its users, made once for all test classes that want the same one.

A chart of accounts, taxes, products and users take seconds to make, for each class anew. Here they are made once, in
a transaction that stays open while one class follows the other: each class works in a savepoint of it, which is taken
back when the class ends. The order of the classes brings those together that share a world; as soon as a class comes
that doesn't, the transaction is rolled back and its cursor closed, as at the end of any class of Odoo's.
"""

from collections import deque
from copy import copy, deepcopy
from inspect import getattr_static
from unittest.mock import patch
from weakref import WeakSet

from odoo import modules
from odoo.modules.registry import Registry
from odoo.sql_db import Savepoint

# What decides what a world is like. The context does as well, but by its value.
TRAITS = (
    "freeze",
    "company_name",
    "country_code",
    "chart_template",
    "get_default_groups",
    "setup_independent_user",
    "setup_independent_company",
)


class SharedWorld:
    """An open transaction with what a class finds before it adds its own.

    :param tuple kind: the kind of the classes that share it
    :param type base: the class of ours from which they all inherit; what stands behind it is made first
    :param type builder: a test class of this kind that has no tests; its ``_build_world`` makes the rest
    """

    _current = None
    _kinds = {}

    @classmethod
    def get_kind(cls, test_class):
        """:return: what is equal for classes that may share a world
        :rtype: tuple
        """
        context = tuple(sorted(test_class.default_env_context().items()))
        return context, *(getattr_static(test_class, name) for name in TRAITS)

    @classmethod
    def get_sequence(cls, test_class):
        """:return: a position of a class among all tests, the same for all classes that share a world
        :rtype: int
        """
        return cls._kinds.setdefault(cls.get_kind(test_class), len(cls._kinds) + 1)

    @classmethod
    def is_open(cls):
        """:return: whether there is a world in an open transaction
        :rtype: bool
        """
        return bool(cls._current)

    @classmethod
    def enter(cls, test_class, base, framework):
        """Have a class start in the world of its kind, which is made when there is none yet.

        :param type test_class: the class
        :param type base: the class whose ``_build_world`` makes a world
        :param super framework: the classes behind those that make records, which open the cursor
        """
        kind = cls.get_kind(test_class)
        if not cls._current:
            traits = {name: getattr_static(test_class, name) for name in TRAITS}
            context = test_class.default_env_context()
            traits["default_env_context"] = classmethod(lambda _cls: dict(context))
            # The files of what it makes are still needed when it has done its work.
            traits["_gc_filestore"] = classmethod(lambda _cls: None)
            cls._current = cls(kind, base, type("World", (base,), {**traits, "__module__": base.__module__}))
        cls._current._lend(test_class, framework)

    def __init__(self, kind, base, builder):
        self.kind = kind
        before = set(vars(builder))
        behind = super(base, builder)
        try:
            behind.setUpClass()
            builder._build_world()
            builder.env.flush_all()
        except BaseException:
            builder.doClassCleanups()
            raise
        self.cr = builder.cr
        self.env = builder.env
        self.facts = {
            name: value for name, value in vars(builder).items() if name not in before and not name.startswith("_")
        }
        self._end_without_closing(builder)
        # Not kept alive: each lookup of an environment goes through all that there are.
        self.envs = WeakSet(self.env.transaction.envs)
        callbacks = (self.cr.precommit, self.cr.postcommit, self.cr.prerollback, self.cr.postrollback)
        self.callbacks = [(callback, tuple(callback._funcs), deepcopy(callback.data)) for callback in callbacks]
        self.cr.close = self._leave
        self.savepoint = None

    def _end_without_closing(self, builder):
        """Take back what the builder patched, but leave its cursor open."""
        builder._class_cleanups = [
            cleanup for cleanup in builder._class_cleanups if getattr(cleanup[0], "__self__", None) is not self.cr
        ]
        builder.doClassCleanups()

    def _lend(self, test_class, framework):
        """Give a class the cursor and all that was made."""
        self.borrower = test_class
        self.savepoint = Savepoint(self.cr)
        for name, value in self.facts.items():
            setattr(test_class, name, copy(value) if isinstance(value, (dict, list, set)) else value)
        # The framework asks for a cursor once, and never notices that this one has a past.
        lender = patch.object(Registry, "cursor", lambda _registry: lender.stop() or self.cr)
        lender.start()
        framework.setUpClass()
        test_class.env = self.env

    def _leave(self):
        """Do what the framework calls when a class closes its cursor."""
        coming = type(modules.module.current_test)
        if coming is not self.borrower and getattr(coming, "world_kind", None) == self.kind:
            try:
                self._forget()
            except Exception:
                self._end()
                raise
        else:
            self._end()

    def _end(self):
        type(self)._current = None
        del self.cr.close
        self.cr.close()

    def _forget(self):
        """Take back what a class did."""
        transaction = self.env.transaction
        transaction.reset()
        transaction.envs.clear()
        transaction.envs.update(self.envs)
        transaction.reset()
        for callback, functions, data in self.callbacks:
            callback._funcs = deque(functions)
            callback.data = deepcopy(data)
        self.savepoint.close()
