from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import SQL

from ..plan_common import PlanCommon

# What would hand somebody else's rights or records to a customer, or to whoever writes the text.
THEFTS = (
    "env['res.users'].browse(2).login",
    "object.env['res.users']",
    "object.sudo().partner_id",
    "object.with_user(2)",
    "object.browse(1)",
    "object.partner_id.search([])",
    "user.signup_prepare()",
    "object.write({'comment': 'x'})",
    "object.copy()",
    "object.action_pause()",
    "object.message_post(body='x')",
    "object.filtered(lambda debtor: debtor.env)",
    "[own.sudo() for own in object]",
    "'{0.env}'.format(object)",
    "object._get_current_case()",
    "object.collector_id.totp_secret",
    "object.collector_id.mapped('totp_secret')",
    "object.collector_id['totp_secret']",
    # Put together by the text itself.
    "object.mapped('collector_id.totp' + '_secret')",
    "object.collector_id['totp' + '_secret']",
    "list(map(object.mapped, ['name']))",
    # Of all companies, and of other people.
    "object.partner_id.invoice_ids.mapped('ref')",
    "object.mapped('partner_id.invoice_ids')",
    "object.company_id.user_ids",
    "object.partner_id.collection_debtor_ids",
    "ctx",
)


@tagged("post_install", "-at_install")
class TestMarkedTexts(PlanCommon):
    """Customers are sent texts that were made for them, and those tell of the customer alone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_invoice(amount=500, days_late=40)
        cls.debtor = cls._get_debtor()
        cls.debtor.collector_id = cls.collector
        # As Odoo has it until somebody restricts it: every employee writes templates.
        editor = cls.env.ref("mail.group_mail_template_editor")
        (cls.manager + cls.team_user + cls.collector).group_ids = [Command.link(editor.id)]
        author = cls._create_user("author", "mail.group_mail_template_editor,base.group_sanitize_override")
        cls.debtor_model = cls.env["ir.model"]._get("collection.debtor")
        values = {"name": "Own words", "model_id": cls.debtor_model.id, "body_html": "<p>Hello</p>"}
        cls.own = cls.env["mail.template"].with_user(author).create(values).with_env(cls.env)
        cls.invite = cls.env.ref("auth_signup.set_password_email")
        values = {"name": "SMS", "model_id": cls.debtor_model.id, "body": "Hello", "is_collection_text": False}
        cls.sms = cls.env["sms.template"].create(values)

    # === WHICH === #

    def test_ours_are_marked(self):
        data = self.env["ir.model.data"].search(
            [("module", "=", "account_collection"), ("model", "in", ("mail.template", "sms.template"))]
        )
        for record in data:
            text = self.env[record.model].browse(record.res_id)
            self.assertTrue(text.is_collection_text, text.name)
        self.assertGreater(len(data), 10)

    def test_texts_of_administrators(self):
        """Whoever may mark texts makes them to be chosen, unless they are about something else."""
        values = {"name": "x", "model_id": self.debtor_model.id, "body_html": "<p>Hello</p>"}
        Template = self.env["mail.template"].with_user(self.manager)
        other = {**values, "model_id": self.env["ir.model"]._get_id("res.country")}
        texts = Template.create([values, {**values, "is_collection_text": False}, other])
        self.assertEqual(texts.mapped("is_collection_text"), [True, False, False])
        self.assertFalse(Template.with_context(default_is_collection_text=False).create(values).is_collection_text)
        self.assertFalse(self.own.is_collection_text)

    def test_reminder(self):
        """A reminder says nothing of another text: neither shown, nor sent, by whatever way it was chosen."""
        Reminder = self.env["collection.reminder.send"].with_user(self.collector)
        for text in (self.own, self.invite):
            with self.subTest(text=text.name):
                made = Reminder.create({"debtor_id": self.debtor.id, "template_id": text.id})
                self._assert_silent(made, text)
                made = Reminder.with_context(default_template_id=text.id).create({"debtor_id": self.debtor.id})
                self._assert_silent(made, text)
                made = Reminder.create({"debtor_id": self.debtor.id})
                made.web_save({"template_id": text.id}, {"body": {}})
                self._assert_silent(made, text)
                values = {"debtor_id": self.debtor.id, "template_id": text.id}
                shown = Reminder.onchange(values, ["debtor_id", "template_id"], {name: {} for name in Reminder._fields})
                self.assertFalse(shown["value"].get("body"))
                self.assertFalse(shown["value"].get("subject"))
        made = Reminder.create({"debtor_id": self.debtor.id})
        self.assertIn("payment", made.body)
        self.assertFalse(made.text_warning)

    def _assert_silent(self, reminder, text):
        self.assertFalse(reminder.body)
        self.assertFalse(reminder.subject)
        self.assertIn(text.name, reminder.text_warning)
        # Not even with words of one's own under that title.
        reminder.body = "<p>Pay</p>"
        with self.assertRefused("is no text of Collections"):
            reminder.action_send()

    def test_steps(self):
        step = self._step(3).with_user(self.manager)
        for name, text in (("template_id", self.own), ("template_id", self.invite), ("sms_template_id", self.sms)):
            with self.subTest(text=text.name), self.assertRefused("is no text of Collections"):
                step.write({name: text.id})
            with self.subTest(created=text.name), self.assertRefused("is no text of Collections"):
                self.plan.with_user(self.manager).step_ids = [
                    Command.create({"name": "x", "delay": 99, "channel": "call", name: text.id})
                ]
        (self.own + self.own.copy()).with_user(self.manager).is_collection_text = True
        step.template_id = self.own
        self.assertEqual(step.template_id, self.own)

    def test_what_is_used_stays(self):
        """A text that a step says is neither unmarked nor made one about something else."""
        self.own.with_user(self.manager).is_collection_text = True
        self._step(3).template_id = self.own
        partner_model = self.env["ir.model"]._get("res.partner")
        for change in ({"is_collection_text": False}, {"model_id": partner_model.id}):
            with self.subTest(change=change), self.assertRefused("is the text of the step"):
                self.own.with_user(self.manager).write(change)

    def test_database_of_before(self):
        """When the mark comes in, texts that steps use go on, and those of others stay what they are."""
        self.own.is_collection_text = True
        self._step(3).template_id = self.own
        self.env.flush_all()
        for table in ("mail_template", "sms_template"):
            self.env.cr.execute(SQL("UPDATE %s SET is_collection_text = NULL", SQL.identifier(table)))
        self.env.invalidate_all()
        self.env["mail.template"]._mark_collection_texts()
        self.env["sms.template"]._mark_collection_texts()
        self.env.invalidate_all()
        self.test_ours_are_marked()
        self.assertTrue(self.own.is_collection_text)
        self.assertFalse(self.invite.is_collection_text)
        self.assertFalse(self.sms.is_collection_text)

    # === WHO === #

    def test_only_administrators_write_them(self):
        employee = new_test_user(self.env, login="employee", groups="base.group_user,mail.group_mail_template_editor")
        values = {"name": "x", "model_id": self.debtor_model.id, "body_html": "<p>x</p>", "is_collection_text": True}
        rest = {name: value for name, value in values.items() if name != "is_collection_text"}
        marked = self.env.ref("account_collection.mail_template_reminder")
        for user in (employee, self.collector, self.team_user):
            Template = self.env["mail.template"].with_user(user)
            own = Template.create(rest)
            for what, args in (
                (Template.create, [values]),
                (Template.with_context(default_is_collection_text=True).create, [rest]),
                (own.write, [{"is_collection_text": True}]),
                (marked.with_user(user).write, [{"body_html": "<p>Pay to another account</p>"}]),
                (marked.with_user(user).write, [{"is_collection_text": False}]),
                (marked.with_user(user).update_field_translations, ["subject", {"en_US": "x"}]),
                (marked.with_user(user).unlink, []),
            ):
                with self.subTest(user=user.login, what=what.__name__, args=args):
                    with self.assertRaises(AccessError), self.env.cr.savepoint():
                        what(*args)
            self.assertFalse(marked.with_user(user).copy().is_collection_text)
        self.assertTrue(marked.with_user(self.manager).copy().is_collection_text)
        form = Form(self.env["mail.template"].with_user(self.manager).browse(marked.id))
        form.subject = "Please pay"
        form.save()

    # === WHAT === #

    def test_a_text_reads_its_record_alone(self):
        text = self.own.with_user(self.manager)
        text.is_collection_text = True
        sms = self.sms
        sms.is_collection_text = True
        for theft in THEFTS:
            for records, change in (
                (text, {"subject": f"Hello {{{{ {theft} }}}}"}),
                (text, {"email_from": f"{{{{ {theft} }}}}"}),
                (text, {"body_html": f'<p><t t-out="{theft}"/></p>'}),
                (text, {"body_html": f'<p><t t-set="x" t-value="{theft}"/></p>'}),
                (text, {"body_html": f'<p t-attf-title="{{{{ {theft} }}}}">x</p>'}),
                (sms, {"body": f"Hello {{{{ {theft} }}}}"}),
            ):
                with self.subTest(theft=theft, change=change):
                    with self.assertRefused("asks for"):
                        records.write(change)
        with self.assertRefused("t-call"):
            text.body_html = '<p><t t-call="web.layout"/></p>'

    def test_a_trial_tells_nothing_of_others_customers(self):
        """A text that fails says with whom it was tried: somebody whom its author may read."""
        self.debtor.collector_id = self.other_collector
        author = self.own.create_uid
        wrong = {"name": "x", "model_id": self.debtor_model.id, "subject": "{{ int(object.partner_id.name) }}"}
        text = self.env["mail.template"]
        for user in (author, self.collector):
            text = self.env["mail.template"].with_user(user).create(wrong)
        for what, args in ((text.create, [wrong]), (text.write, [{"is_collection_text": True}])):
            with self.assertRefused("can't be written for Boulangerie Petit"):
                what.__func__(text.with_user(self.manager), *args)

    def test_marking_looks_at_the_text(self):
        wrong = self.env["mail.template"].create(
            {
                "name": "x",
                "is_collection_text": False,
                "model_id": self.env["ir.model"]._get_id("collection.promise"),
                "body_html": "<p><t t-out=\"env['res.users']\"/></p>",
            }
        )
        with self.assertRefused("asks for “env”"):
            wrong.with_user(self.manager).is_collection_text = True

    def test_what_people_write_is_fine(self):
        text = self.own.with_user(self.manager)
        text.is_collection_text = True
        text.write(
            {
                "subject": "{{ object.company_id.name }}: {{ (object.partner_id.ref or '').upper() }}",
                "body_html": '<p t-foreach="object._get_claim()" t-as="claim">'
                "<t t-out=\"format_amount(claim['amount'], claim['currency'])\"/>"
                "<t t-out=\"', '.join(sorted(item.name or '' for item in object.open_item_ids))\"/>"
                "<t t-out=\"object.action_ids.sorted('id')[:1].mapped('summary')[0:1]\"/>"
                '<t t-if="object.days_late > 30 and contact.is_company" t-out="user.name"/></p>',
            }
        )

    def test_an_outside_text_is_rendered_with_the_user_s_rights(self):
        """What a dialogue shows is put together with the rights of whoever looks."""
        field = self.env["collection.reminder.send"]._fields["body"]
        self.assertFalse(field.compute_sudo)
