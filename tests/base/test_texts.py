from lxml import etree, html

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import file_open
from odoo.tools.translate import PoFileReader, TranslationModuleReader

from ..plan_common import PlanCommon

# What one SMS may hold without doubling: GSM 03.38, and the signs that count twice.
GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)
SHIPPED = ("courtesy", "neutral", "second", "firm", "formal")
THREATS = ("bailiff", "seizure", "court", "sue", "prosecut", "blacklist")


class TextsCommon(PlanCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._load_french()
        cls.company.phone = "+33 1 02 03 04 05"
        cls.invoice = cls._create_invoice(amount=1500, days_late=40)
        cls.debtor = cls._get_debtor()

    def _render(self, name, debtor=None, lang="en_US", **context):
        """Return a shipped text for a customer as plain words: ``(subject, body)``."""
        debtor = (debtor or self.debtor).with_context(lang=lang, **context)
        template = self.env.ref(f"account_collection.mail_template_{name}").with_env(debtor.env)
        add_context = {"contact": debtor.contact_used_id}
        subject = template._render_field("subject", debtor.ids, add_context=add_context)[debtor.id]
        body = template._render_field("body_html", debtor.ids, engine="qweb", add_context=add_context)[debtor.id]
        return subject, body

    def _read(self, body):
        return " ".join(self._plain(html.fromstring(str(body)).text_content()).split())


@tagged("post_install", "-at_install")
class TestTexts(TextsCommon):
    """Shipped plans and texts: short, polite, concrete, and never of somebody else."""

    # === PLANS === #

    def test_shipped_plans(self):
        """Each company has the four plans, switched off, in the order in which they are tried."""
        for company in (self.env.ref("base.main_company"), self.company):
            plans = self.env["collection.plan"].sudo().with_context(active_test=False)
            plans = plans.search([("company_id", "=", company.id), ("id", "!=", self.plan.id)])
            self.assertEqual(plans.mapped("name"), ["Key accounts", "Strict", "Small debts", "Standard"])
            self.assertFalse(any(plans.mapped("is_running")))
            for plan in plans:
                self.assertGreaterEqual(len(plan.step_ids), 6)
                self.assertEqual(plan.step_ids.company_id, company)
                # Whoever changes from one plan to another skips none of these.
                firm, formal = (
                    plan.step_ids.filtered(
                        lambda step, name=name: step.template_id == self.env.ref(f"account_collection.{name}")
                    )
                    for name in ("mail_template_firm", "mail_template_formal")
                )
                self.assertLessEqual(firm.delay, 30)
                self.assertTrue(30 < formal.delay < 65)
                self.assertGreaterEqual(plan.step_ids.filtered(lambda step: step.channel == "task").delay, 65)
        standard = plans[-1].step_ids.sorted("delay")
        self.assertEqual(standard.mapped("delay"), [-7, 3, 8, 15, 30, 45, 75])
        self.assertEqual(standard.mapped("channel"), ["email", "email", "email", "call", "email", "letter", "task"])
        self.assertFalse(standard[5].is_automatic, "somebody looks at a formal notice before it goes")

    def test_first_plan_that_fits(self):
        shipped = self.env["collection.plan"].with_context(active_test=False)
        shipped = shipped.search([("company_id", "=", self.company.id), ("id", "!=", self.plan.id)])
        shipped.active = True
        self.plan.active = False
        small = self._create_customer("Kiosque")
        self._create_invoice(small, amount=40)
        large = self._create_customer("Aéronautique SA")
        self._create_invoice(large, amount=60000)
        bad = self._create_customer("Mauvais Payeur")
        self._create_invoice(bad, amount=50)
        self._get_debtor(bad).payer_profile_manual = "bad"
        other = self._create_customer("Nouveau Client")
        self._create_invoice(other, amount=900, days_late=60)
        self._synchronize()
        plans = {partner: self._get_debtor(partner).plan_used_id.name for partner in (small, large, bad, other)}
        self.assertEqual(
            plans,
            {small: "Small debts", large: "Key accounts", bad: "Strict", other: "Standard"},
        )

    # === TEXTS === #

    def test_every_text(self):
        for name in SHIPPED:
            with self.subTest(text=name):
                context = {}
                if name == "courtesy":
                    self._create_invoice(amount=700, days_late=-5)
                    rows = self._get_debtor()._get_claimable_items(horizon=7)
                    context["collection_rows"] = {self.debtor.id: [row for row in rows if row["days_late"] < 0]}
                subject, body = self._render(name, **context)
                words = self._read(body)
                self.assertIn("Ateliers Moreau", subject)
                self.assertIn("700.00" if name == "courtesy" else "1,500.00", self._plain(subject))
                self.assertIn("disregard" if name != "courtesy" else "on its way", words)
                self.assertNotIn("False", words)
                self.assertLess(len(words.split()), 240, "short enough to be read")
                self.assertFalse([threat for threat in THREATS if threat in words.lower()])

    def test_formal_notice(self):
        subject, body = self._render("formal")
        words = self._read(body)
        self.assertIn("mise en demeure", subject)
        for part in ("mise en demeure", "Boulangerie Petit", "Ateliers Moreau", self.invoice.name, "March 18, 2026"):
            self.assertIn(part, words)

    def test_courtesy_says_due_on(self):
        self._pay(self.invoice)
        coming = self._create_invoice(amount=700, days_late=-5)
        rows = {self.debtor.id: self._get_debtor()._get_claimable_items(horizon=7)}
        _subject, body = self._render("courtesy", collection_rows=rows)
        self.assertIn("Due on", self._read(body))
        self.assertIn(coming.name, self._read(body))
        _subject, body = self._render("neutral")
        self.assertNotIn(coming.name, self._read(body))

    def test_late_terms_are_the_companys_words(self):
        self.customer.country_id = self.env.ref("base.fr")
        self.assertNotIn("L441", self._read(self._render("firm")[1]))
        self.company.collection_late_terms = "Article L441-10: <b>interest</b>."
        self.assertIn("Article L441-10: <b>interest</b>.", self._read(self._render("firm")[1]))
        self.customer.country_id = self.env.ref("base.be")
        self.assertNotIn("L441", self._read(self._render("firm")[1]), "other countries have other rules")
        self.customer.country_id = self.env.ref("base.fr")
        self.customer.is_company = False
        self.assertNotIn("L441", self._read(self._render("firm")[1]), "not for consumers")

    def test_sms_fits(self):
        for name in ("neutral", "firm"):
            template = self.env.ref(f"account_collection.sms_template_{name}")
            for lang in ("en_US", "fr_FR"):
                [body] = template.with_context(lang=lang)._render_field("body", self.debtor.ids).values()
                self.assertFalse(set(body) - GSM, f"{lang}: a letter that halves what fits")
                self.assertLessEqual(len(body) + body.count("€"), 160)

    # === LINKS === #

    def test_links_open_without_login(self):
        other = self._create_invoice(amount=20, days_late=5)
        moves = self.invoice + other
        moves.access_token = False
        self.env.flush_all()
        _subject, body = self._render("neutral", self._get_debtor())
        self.env.invalidate_all()
        links = [link.get("href") for link in html.fromstring(str(body)).iter("a")]
        self.assertEqual(len(links), 3, "one for each invoice, and the button")
        for move in moves:
            self.assertTrue(move.access_token)
            self.assertTrue(any(f"/my/invoices/{move.id}?access_token={move.access_token}" in link for link in links))
        self.assertEqual(links[2], links[0], "the button leads to the oldest")

    def test_no_link_on_paper(self):
        _subject, body = self._render("neutral", collection_on_paper=True)
        self.assertFalse(list(html.fromstring(str(body)).iter("a")))
        self.assertIn(self.invoice.name, body)


@tagged("post_install", "-at_install")
class TestPlaceholders(TextsCommon):
    """A mistake in a text is found when it is saved, and the message says what to write instead."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.text = cls.env.ref("account_collection.mail_template_neutral").copy()
        cls.sms = cls.env.ref("account_collection.sms_template_neutral").copy()

    def test_unknown_field(self):
        for wrong, message in (
            ("object.partner_idd.name", "object.partner_idd.*partner_id"),
            ("object.partner_id.nam", "object.partner_id.nam.*name"),
            ("objekt.name", "objekt.*object"),
            ("object.", "can't be read"),
            ("object._get_answer_date()", "can't be written for Boulangerie Petit"),
        ):
            with self.subTest(placeholder=wrong):
                with self.assertRefused(message):
                    self.text.subject = f"Hello {{{{ {wrong} }}}}"
                with self.assertRefused(message):
                    self.text.body_html = f'<p>Hello <t t-out="{wrong}"/></p>'
                with self.assertRefused(message):
                    self.sms.body = f"Hello {{{{ {wrong} }}}}"

    def test_in_every_language(self):
        with self.assertRefused("object.nom"):
            self.text.with_context(lang="fr_FR").body_html = '<p>Bonjour <t t-out="object.nom"/></p>'
        with self.assertRefused("object.nom"):
            self.text.update_field_translations("subject", {"fr_FR": "Bonjour {{ object.nom }}"})

    def test_without_any_customer(self):
        self.env["collection.debtor"].search([]).action_ids.sudo().unlink()
        self.env.cr.execute("UPDATE collection_debtor SET due_amount = 0")
        self.env.invalidate_all()
        with self.assertRefused("object.nam.*name"):
            self.text.subject = "Hello {{ object.nam }}"
        self.text.subject = "Hello {{ object.partner_id.name }}"

    def test_what_is_right_is_saved(self):
        self.text.body_html = (
            '<p t-foreach="object._get_claim()" t-as="claim"><t t-out="claim_index"/> '
            "<t t-out=\"format_amount(claim['amount'], claim['currency'])\"/> <t t-out=\"contact.name\"/></p>"
        )
        self.sms.body = "{{ object.partner_id.name ||| you }}: {{ len(object.promise_ids) }}"

    def test_other_models_are_left_alone(self):
        self.text.copy({"model_id": self.env.ref("base.model_res_partner").id, "subject": "x", "body_html": "<p>y</p>"})


@tagged("post_install", "-at_install")
class TestPreview(TextsCommon):
    """Any step for any customer, as the customer will see it, before anything is sent."""

    def _preview(self, step, debtor=None, user=None, action=None):
        opened = self.env["collection.step.preview"]._open(step, debtor or self.debtor, action)
        preview = self.env["collection.step.preview"].with_user(user or self.collector)
        return preview.with_context(**opened["context"]).create({})

    def _frame(self, preview):
        """Return the words within the frame of a preview."""
        [frame] = html.fragments_fromstring(str(preview.body))
        self.assertEqual(frame.get("sandbox"), "allow-popups", "nothing in it runs")
        return self._read(frame.get("srcdoc"))

    def test_text_without_words(self):
        """Neither shown nor sent: an empty message asks for nothing."""
        step = self._step(3)
        step.template_id.sudo().body_html = False
        with self.assertRefused("nothing in the text"):
            self._preview(step).body  # noqa: B018 - computed when it is read
        values = {"debtor_id": self.debtor.id, "channel": "email", "step_id": step.id}
        action = self.env["collection.action"].sudo().create(values)
        action._deliver_by(self.env["collection.channel.email"])
        self.assertEqual(action.state, "failed")
        self.assertIn("nothing in the text", action.result_text)

    def test_email(self):
        preview = self._preview(self._step(3))
        words = self._frame(preview)
        for part in (self.invoice.name, "1,500.00", "Ateliers Moreau"):
            self.assertIn(part, words)
        self.assertRecordValues(
            preview,
            [
                {
                    "channel": "email",
                    "contact_id": self.customer.id,
                    "address": "boulangerie@customer.example",
                    "is_due": True,
                }
            ],
        )
        self.assertIn("compta@moreau.example", preview.sender)
        self.assertTrue(preview.reply_to)
        self.assertIn("is to be carried out now", preview.reason)
        action = preview._make_action()
        names = action.env["collection.channel.email"]._preview_payload(action, "en_US")[1]
        self.assertFalse(names, "no invoice goes along")
        self.assertFalse(self.debtor.action_ids, "nothing is planned, nothing is sent")

    def test_other_steps_say_why_not(self):
        preview = self._preview(self._step(30))
        self.assertFalse(preview.is_due)
        self.assertIn("D+3", preview.reason)
        self.customer.email = False
        preview = self._preview(self._step(3))
        self.assertFalse(preview.is_due)
        self.assertIn("e-mail address", preview.reason)

    def test_courtesy_shows_what_comes(self):
        coming = self._create_invoice(self.other_customer, amount=321, days_late=-5)
        preview = self._preview(self._step(-7), self._get_debtor(self.other_customer))
        self.assertIn(coming.name, self._frame(preview))

    def test_letter_sms_call_and_task(self):
        self.customer.write({"street": "12 rue des Lilas", "city": "Lyon", "zip": "69003"})
        standard = self.env["collection.plan"].with_context(active_test=False)
        standard = standard.search([("company_id", "=", self.company.id), ("id", "!=", self.plan.id)])[-1]
        steps = {step.channel: step for step in standard.step_ids}
        steps["sms"] = steps["call"].copy(
            {"delay": 16, "channel": "sms", "sms_template_id": self.env.ref("account_collection.sms_template_firm").id}
        )
        self.assertIn("12 rue des Lilas", self._frame(self._preview(steps["letter"])))
        self.assertIn("1,500.00", self._read(self._preview(steps["sms"]).body))
        self.assertIn("by which method", self._read(self._preview(steps["call"]).body))
        self.assertFalse(self._preview(steps["task"]).body)

    def test_language_of_the_customer(self):
        self.customer.lang = "fr_FR"
        self.template.with_context(lang="fr_FR").body_html = '<p>Bonjour <t t-out="object._get_claim_table()"/></p>'
        preview = self._preview(self._step(3))
        self.assertIn("Bonjour", self._frame(preview))
        self.assertIn("1 500,00", self._frame(preview))
        self.assertIn("Fran", preview.lang)

    def test_confirm_after_a_look(self):
        self.plan.step_ids.is_automatic = False
        self._run_cron()
        action = self._actions(self.debtor)
        self.assertTrue(action.needs_confirmation)
        opened = action.with_user(self.collector).action_preview()
        preview = self.env["collection.step.preview"].with_user(self.collector).with_context(**opened["context"])
        preview = preview.create({})
        self.assertIn("confirm", preview.reason)
        preview.action_confirm()
        self._run_cron()
        self.assertEqual(action.state, "done")

    def test_own_customers_only(self):
        self.debtor.collector_id = self.other_collector
        with self.assertRaises(AccessError):
            self._preview(self._step(3)).read(["body"])

    def test_from_everywhere(self):
        for opened in (
            self._step(3).action_preview(),
            self.plan.action_preview(),
            self.debtor.action_preview_step(),
        ):
            self.assertEqual(opened["context"]["default_debtor_id"], self.debtor.id)

    # === CALLS === #

    def test_script_of_a_planned_call(self):
        campaign = self._start_campaign()
        case = campaign.case_ids.filtered(lambda case: case.debtor_id == self.debtor)
        self.assertNotIn("o_collection_step_script", case.script)
        self._step(15).script = "<p>Ask about the bread.</p>"
        values = self.env["collection.plan"]._prepare_action(self.debtor, self._decide(self.debtor))
        self.env["collection.action"].sudo().create({**values, "channel": "call", "step_id": self._step(15).id})
        case.invalidate_recordset(["script"])
        self.assertIn("Ask about the bread.", case.script)


@tagged("post_install", "-at_install")
class TestViews(PlanCommon):
    """What every screen of the addon owes its reader."""

    def test_names_are_punctuated_in_the_language(self):
        """A name that two words make takes its colon from the language: French has a space before it."""
        self._load_french()
        self._create_invoice(amount=100, days_late=20)
        action = self.env["collection.action"]._plan_call(self._get_debtor(), self.today, "Ask for a date")
        self.assertEqual(action.display_name, f"Call: {action.partner_id.name}")
        french = action.with_context(lang="fr_FR").display_name
        self.assertEqual(french, f"Appel\N{NO-BREAK SPACE}: {action.partner_id.name}")

    def test_french_knows_every_term(self):
        """Each word stands in fr.po under the place that shows it: Odoo translates place by place."""
        with file_open("account_collection/i18n/fr.po", "rb") as file:
            known = {
                (entry["type"], entry["name"], f"{entry['module']}.{entry['imd_name']}", entry["src"])
                for entry in PoFileReader(file)
                if entry["value"] and entry["type"] != "code"
            }
        terms = TranslationModuleReader(self.env.cr, modules=["account_collection"])
        shown = {(kind, name, xmlid, source) for _module, kind, name, xmlid, source, *_rest in terms if kind != "code"}
        self.assertTrue(shown)
        new = {term for term in shown - known if not self._is_of_another_addon(*term[:3])}
        self.assertFalse(new, "Run “make i18n”, then translate what is new.")

    def _is_of_another_addon(self, kind, name, xmlid):
        """Return whether an addon beside ours brought a term: to all threads, or to what is told of each model."""
        if kind != "model":
            return False
        addon = self.env["ir.module.module"].sudo().search([("name", "=", "account_collection")])
        known = (addon | addon.upstream_dependencies(exclude_states=("uninstallable",))).mapped("name")
        model, _comma, field = name.partition(",")
        fields = [self.env[model]._fields[field]]
        if model == "ir.model.fields":
            record = self.env.ref(xmlid).sudo()
            fields.append(self.env[record.model]._fields[record.name])
        return any(not set(field._modules) <= {*known, "base"} for field in fields)

    def test_amounts_show_their_currency(self):
        """No form, list or board shows an amount without the field that says in which currency it is."""
        views = self.env["ir.model.data"].search([("module", "=", "account_collection"), ("model", "=", "ir.ui.view")])
        views = self.env["ir.ui.view"].browse(views.mapped("res_id")).exists()
        own = views.filtered(
            lambda view: (
                view.model in self.env
                and view.model.startswith("collection.")
                and view.type in ("form", "list", "kanban")
            )
        )
        self.assertTrue(own)
        bare = []
        for view in own:
            arch = etree.fromstring(self.env[view.model].get_view(view.id, view.type)["arch"])
            bare += [f"{view.xml_id}: {name}" for name in self._find_bare_amounts(arch, self.env[view.model])]
        self.assertFalse(bare)

    def _find_bare_amounts(self, arch, model):
        """Return the names of the amounts of a view, and of the lists in it, whose currency is not read."""
        fields, bare = {}, []
        todo = list(arch)
        while todo:
            node = todo.pop()
            if node.tag != "field":
                todo += list(node)
                continue
            fields[node.get("name")] = node
            field = model._fields.get(node.get("name"))
            for child in node:
                if field is not None and field.comodel_name and child.tag in ("form", "list", "kanban"):
                    bare += self._find_bare_amounts(child, self.env[field.comodel_name])
        for name, node in fields.items():
            field = model._fields.get(name)
            if field is not None and field.type == "monetary" and not node.get("column_invisible") == "1":
                if field.get_currency_field(model) not in fields:
                    bare.append(name)
        return bare
