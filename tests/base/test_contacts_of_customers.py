from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL

from ..plan_common import PlanCommon
from .test_access import AccessCommon

# Partners that are no contacts of a customer: the customer, a provider, or whom the system worked out.
CUSTOMERS = {"partner_id"}
DEBTOR_CONTACTS = ("contact_id", "approver_id", "escalation_contact_id", "legal_contact_id")


@tagged("post_install", "-at_install")
class TestContacts(PlanCommon, AccessCommon):
    """Whom one asks and writes to belongs to the customer: the model looks, whatever the screen offers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(amount=500, days_late=40)
        cls.item = cls._get_items(cls.invoice)
        cls.debtor = cls._get_debtor()
        cls.debtor.collector_id = cls.collector
        Partner = cls.env["res.partner"]
        cls.office = Partner.create({"name": "Office", "parent_id": cls.customer.id})
        cls.contact = Partner.create({"name": "Marie", "email": "marie@petit.example", "parent_id": cls.office.id})
        cls.stranger = Partner.create({"name": "Stranger", "email": "s@else.example", "is_company": True})
        cls.colleague_s = Partner.create({"name": "Luc", "email": "l@x.example", "parent_id": cls.other_customer.id})

    def test_every_contact_is_looked_at(self):
        """A new field that names a person is looked at, or is said not to be one."""
        for model in self._get_models():
            names = {
                name
                for name, field in self.env[model]._fields.items()
                if field.type == "many2one"
                and field.comodel_name == "res.partner"
                and field.store
                and not field.related
                and name not in CUSTOMERS
            }
            with self.subTest(model=model):
                self.assertEqual(names, set(getattr(self.env[model], "_contact_fields", ())))

    def test_file(self):
        debtor = self.debtor.with_user(self.collector)
        for name in DEBTOR_CONTACTS:
            for wrong in (self.stranger, self.colleague_s):
                with self.subTest(field=name, contact=wrong.name):
                    with self.assertRefused(f"{wrong.name} is no contact of Boulangerie Petit"):
                        debtor.write({name: wrong.id})
                    with self.assertRefused("is no contact of"):
                        debtor.web_save({name: wrong.id}, {name: {}})
            debtor.write({name: self.contact.id})
            self.assertEqual(debtor[name], self.contact)
        loaded = debtor.load([".id", "contact_id/.id"], [[str(debtor.id), str(self.stranger.id)]])
        self.assertIn("is no contact of", loaded["messages"][0]["message"])

    def test_documents(self):
        values = {"debtor_id": self.debtor.id, "contact_id": self.stranger.id}
        promised = {
            **values,
            "date": self._days(5),
            "currency_id": self.company.currency_id.id,
            "line_ids": [Command.create({"move_line_id": self.item.id, "amount": 10})],
        }
        for model, given in (("collection.promise", promised), ("collection.action", {**values, "channel": "call"})):
            Model = self.env[model].with_user(self.collector)
            with self.subTest(model=model):
                with self.assertRefused("is no contact of"):
                    Model.create(given)
                with self.assertRefused("is no contact of"):
                    rest = {name: value for name, value in given.items() if name != "contact_id"}
                    Model.with_context(default_contact_id=self.stranger.id).create(rest)
                record = Model.create({**given, "contact_id": self.contact.id})
                with self.assertRefused("is no contact of"):
                    record.contact_id = self.stranger

    def test_dialogues(self):
        for model in ("collection.call.log", "collection.promise.record", "collection.reminder.send"):
            Dialogue = self.env[model].with_user(self.collector)
            with self.subTest(model=model):
                with self.assertRefused("is no contact of"):
                    Dialogue.create({"debtor_id": self.debtor.id, "contact_id": self.stranger.id})
                dialogue = Dialogue.create({"debtor_id": self.debtor.id})
                with self.assertRefused("is no contact of"):
                    dialogue.web_save({"contact_id": self.stranger.id}, {"contact_id": {}})
                dialogue.contact_id = self.contact
        Statement = self.env["collection.statement.print"].with_user(self.collector)
        with self.assertRefused("is no contact of"):
            Statement.create({"debtor_ids": [Command.set(self.debtor.ids)], "contact_id": self.stranger.id})

    def test_who_has_left_is_not_written_to(self):
        """A contact that went to another company since a promise was made gets no letter about it."""
        promise = self._promise(self.debtor, contact_id=self.contact.id)
        reminder = self.env["collection.reminder.send"].with_user(self.collector)
        reminder = reminder.create({"debtor_id": self.debtor.id, "contact_id": self.contact.id})
        self.env.cr.execute(
            SQL(
                "UPDATE res_partner SET commercial_partner_id = %s, parent_id = %s WHERE id = %s",
                self.stranger.id,
                self.stranger.id,
                self.contact.id,
            )
        )
        self.env.invalidate_all()
        with self.assertRaisesRegex(ValidationError, "is no contact of"), self.env.cr.savepoint():
            reminder.action_send()
        with self.assertRaisesRegex(UserError, "is no contact of"), self.env.cr.savepoint():
            promise._send_letter(
                self.env.ref("account_collection.mail_template_promise_confirmation"), contact=self.contact
            )
        promise.with_user(self.collector).action_send_confirmation()
        self.assertNotIn(self.contact, promise.message_ids.partner_ids)
        self.assertTrue(promise.confirmed_on)
