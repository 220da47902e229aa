from lxml import etree

from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged

from ..common import CollectionCommon

ODOO_FORM = "account.view_move_form"
OWN_VIEWS = {
    view_type: f"account_collection.account_move_view_{view_type}_collection" for view_type in ("form", "list")
}


# Runs once more where ``sale`` is installed, see dev/run_tests.py.
@tagged("post_install", "-at_install", "collection_beside")
class TestBesideOthers(CollectionCommon):
    """Whatever other addons show on an invoice: who follows it up can open it."""

    company_name = "Ateliers Martin"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(amount=5000, days_late=40)
        cls.debtor = cls._get_debtor()
        cls.accountant = cls._create_user(
            "accountant", "account_collection.group_collection_user,account.group_account_invoice"
        )
        cls.auditor = cls._create_user(
            "auditor", "account_collection.group_collection_user,account.group_account_readonly"
        )
        if "sale.order" in cls.env:
            cls._invoice_an_order()

    @classmethod
    def _invoice_an_order(cls):
        # Whoever invoices may not sell as well.
        order = (
            cls.env["sale.order"]
            .sudo()
            .create(
                {"partner_id": cls.customer.id, "order_line": [Command.create({"name": "Work", "price_unit": 5000})]}
            )
        )
        cls.invoice.invoice_line_ids.sale_line_ids = order.order_line

    def _get_view_ids(self, user, model="account.move"):
        views = self.env[model].with_user(user).get_views([(False, "form"), (False, "list")])["views"]
        return {view_type: view["id"] for view_type, view in views.items()}

    def _open(self, action, user):
        """Open what a window action leads to, as the browser does."""
        views = action.get("views") or [(False, view_type) for view_type in action["view_mode"].split(",")]
        Model = self.env[action["res_model"]].with_user(user).with_context(**(action.get("context") or {}))
        shown = dict((view_type, view_id) for view_id, view_type in views)
        if action.get("res_id"):
            return Form(Model.browse(action["res_id"]), view=shown["form"] or None)
        arch = etree.fromstring(Model.get_view(shown["list"], "list")["arch"])
        specification = {field.get("name"): {} for field in arch.iterfind("field")}
        return Model.web_search_read(action["domain"], specification)["records"]

    def test_everybody_who_follows_up_opens_an_invoice(self):
        own = {view_type: self.env.ref(name).id for view_type, name in OWN_VIEWS.items()}
        for user in (self.collector, self.team_user, self.manager):
            with self.subTest(user=user.login):
                self.assertEqual(self._get_view_ids(user), own)
                form = Form(self.invoice.with_user(user))
                self.assertEqual((form.name, form.amount_residual), (self.invoice.name, 5000))
                self.assertEqual(form.collection_state, "claimable")

    def test_what_settled_an_invoice(self):
        paid = self._create_invoice(amount=70)
        self.assertFalse(paid.with_user(self.collector).collection_settlements)
        self._pay(paid)
        paid.invalidate_recordset()
        form = Form(paid.with_user(self.collector))
        self.assertIn("70.00", form.collection_settlements)
        self.assertEqual(form.amount_residual, 0)

    def test_other_people_keep_odoo_s_form(self):
        """Accountants above all, also when they follow customers up; and who asked for a certain view."""
        odoo_form = self.env.ref(ODOO_FORM).id
        for user in (
            self.accountant,
            self.auditor,
            new_test_user(self.env, "billing", "account.group_account_invoice"),
        ):
            with self.subTest(user=user.login):
                view_ids = self._get_view_ids(user)
                self.assertEqual(view_ids["form"], odoo_form)
                self.assertNotEqual(view_ids["list"], self.env.ref(OWN_VIEWS["list"]).id)
                Form(self.invoice.with_user(user))
        Move = self.env["account.move"].with_user(self.collector)
        self.assertEqual(Move.get_view(odoo_form, "form")["id"], odoo_form)

    def test_all_ways_to_an_invoice(self):
        campaign = self._start_campaign(member_ids=[Command.set(self.collector.ids)])
        item = self._get_items(self.invoice)
        reports = self.env["collection.item.report"].search([("move_line_id", "=", item.id)])
        self.assertTrue(reports)
        case_item = campaign.case_ids.item_ids
        for record, method in (
            (self.invoice, "get_formview_action"),
            (item, "action_open_collection_move"),
            (item, "get_formview_action"),
            (case_item, "action_open_move"),
            (reports, "action_open_move"),
            (self.debtor, "action_view_open_items"),
            (self.debtor, "action_view_overdue_items"),
        ):
            with self.subTest(model=record._name, method=method):
                self.assertTrue(self._open(getattr(record.with_user(self.collector), method)(), self.collector))

    def test_credit_notes_in_a_list(self):
        notes = self._create_invoice(move_type="out_refund") + self._create_invoice(move_type="out_refund")
        action = {
            "res_model": "account.move",
            "view_mode": "list,form",
            "domain": [("id", "in", notes.ids)],
        }
        self.assertEqual(len(self._open(action, self.team_user)), 2)
