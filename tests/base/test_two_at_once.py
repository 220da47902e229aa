from contextlib import closing
from functools import partial
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.service.model import retrying
from odoo.sql_db import db_connect
from odoo.tests import BaseCase, get_db_name, tagged
from odoo.tools import mute_logger


@tagged("post_install", "-at_install")
class TestTwoAtOnce(BaseCase):
    """Two people at one customer, in transactions of their own: one goes on, the other reads why not, or waits."""

    def setUp(self):
        super().setUp()
        with self._transaction() as env:
            company = env.ref("base.main_company")
            partner = env["res.partner"].create({"name": "Deux Mains", "is_company": True, "email": "two@x.example"})
            debtor = env["collection.debtor"].create({"company_id": company.id, "partner_id": partner.id})
            self.debtor_id, self.partner_id = debtor.id, partner.id
            env.cr.commit()
        self.addCleanup(self._clean_up)

    def _transaction(self):
        """Return an environment with a connection of its own, closed and rolled back at the end."""
        return _Transaction()

    def _clean_up(self):
        with self._transaction() as env:
            env["collection.reminder.send"].search([("debtor_id", "=", self.debtor_id)]).unlink()
            env["collection.debtor"].browse(self.debtor_id).unlink()
            env["res.partner"].browse(self.partner_id).unlink()
            env.cr.commit()

    def test_two_reminders(self):
        with self._transaction() as first, self._transaction() as second:
            first["collection.debtor"].browse(self.debtor_id)._lock_to_speak()
            reminder = second["collection.reminder.send"].create({"debtor_id": self.debtor_id})
            with self.assertRaisesRegex(UserError, "at work on Deux Mains just now"):
                reminder.action_send()
            first.cr.rollback()
            with self.assertRaisesRegex(UserError, "Nothing is overdue"):
                reminder.action_send()

    def test_looking_waits_for_nobody(self):
        """A dialogue opens while somebody else sends or records something for the same customer."""
        with self._transaction() as first, self._transaction() as second:
            first["collection.debtor"].browse(self.debtor_id)._lock_to_speak()
            first["collection.debtor"].browse(self.debtor_id).comment = "x"
            first.flush_all()
            second.cr.execute("SET LOCAL statement_timeout = '5s'")
            for model in ("collection.call.log", "collection.promise.record", "collection.pause.set"):
                Dialogue = second[model].with_context(default_debtor_id=self.debtor_id)
                self.assertTrue(Dialogue.onchange({}, [], {name: {} for name in Dialogue._fields})["value"])

    def test_the_later_one_tries_again(self):
        """What two people write on one file at once is written in turn: Odoo repeats the request of the second."""
        with self._transaction() as first, self._transaction() as second:
            theirs = second["collection.debtor"].browse(self.debtor_id)
            self.assertFalse(theirs.comment)  # begins before the other one is done
            first["collection.debtor"].browse(self.debtor_id).comment = "first"
            first.flush_all()
            first.cr.commit()
            with patch("odoo.service.model.time.sleep"), mute_logger("odoo.sql_db", "odoo.service.model"):
                retrying(partial(theirs.write, {"comment": "second"}), second)
            second.cr.commit()
        with self._transaction() as env:
            self.assertEqual(env["collection.debtor"].browse(self.debtor_id).comment, "second")


class _Transaction:
    """An environment of the system on a connection of its own."""

    def __enter__(self):
        self._cursor = closing(db_connect(get_db_name()).cursor())
        return api.Environment(self._cursor.__enter__(), SUPERUSER_ID, {})

    def __exit__(self, *error):
        self._cursor.__exit__(*error)
