"""Every route of this addon, for the nine users: files go to those who may read what is in them, and to nobody else."""

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .access_common import AccessRecords
from .access_table import COLLEAGUES, FOREIGN, ROUTES


@tagged("post_install", "-at_install")
class TestRoutes(AccessRecords, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {**cls._make_outsiders(), **cls.roles}

    def test_every_route_is_known(self):
        """A route that the table lacks fails, so that somebody thinks of who may ask for it."""
        rules = self.env["ir.http"].routing_map().iter_rules()
        ours = {rule.rule for rule in rules if rule.endpoint.__module__.startswith("odoo.addons.account_collection.")}
        self.assertEqual(sorted(ours), sorted(ROUTES))

    def test_files_of_others(self):
        """Nobody gets the file of another company, of another's dialogue or of a customer that they may not see."""
        for route, (model, address) in ROUTES.items():
            kinds = ("manager",) if self.env[model]._transient else (COLLEAGUES, FOREIGN)
            for name, user in self.users.items():
                if name == "public":
                    self.authenticate(None, None)
                else:
                    self.authenticate(user.login, user.login + "x" * (8 - len(user.login)))
                for whose in kinds:
                    record = self.records[model][whose].with_user(user)
                    if record.has_access("read"):
                        continue
                    with self.subTest(route=route, user=name, whose=whose), mute_logger("odoo.http"):
                        response = self.url_open(address % record.id, allow_redirects=False)
                        self.assertIn(response.status_code, (303, 403, 404))
                        self.assertNotIn("Content-Disposition", response.headers)
