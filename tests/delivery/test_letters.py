import io
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged
from odoo.tools.pdf import PdfFileReader

from ..plan_common import PlanCommon

ADDRESS = {"street": "12 rue des Lilas", "zip": "69003", "city": "Lyon"}


class LettersCommon(PlanCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._load_french()
        cls.company.write(
            {"street": "1 place du Marché", "zip": "38000", "city": "Grenoble", "phone": "+33 4 76 00 00 00"}
        )
        cls.company.partner_id.lang = "en_US"
        cls.company.collection_use_snailmail = False
        cls.plan.action_stop()
        cls.plan.active = False
        cls.plan = cls._create_plan(steps=((45, "letter"),), gap_days=0)
        cls.plan.step_ids.template_id = cls.env.ref("account_collection.mail_template_formal")
        cls.plan._start()
        france = cls.env.ref("base.fr")
        (cls.customer + cls.other_customer).write({**ADDRESS, "country_id": france.id})
        cls.invoice = cls._create_invoice(amount=1500, days_late=50)
        cls.other_invoice = cls._create_invoice(cls.other_customer, amount=800, days_late=60)
        cls._synchronize()
        cls.debtor, cls.other_debtor = cls._get_debtor(), cls._get_debtor(cls.other_customer)

    def _plan_letters(self):
        self._run_cron()
        return self._actions(channel="letter", state="planned")

    def _print(self, letters, user=None):
        """Print letters; return what the client does and the HTML pages that were printed."""
        Report = self.registry["ir.actions.report"]
        pages = []
        run = Report._run_wkhtmltopdf

        def keep(self, bodies, **options):
            pages.extend(str(body) for body in bodies)
            return run(self, bodies, **options)

        with patch.object(Report, "_run_wkhtmltopdf", keep):
            action = letters.with_user(user or self.team_user).action_print_letters()
        return action, pages


@tagged("post_install", "-at_install")
class TestLetters(LettersCommon):
    """Letters are looked at again when they are printed, and said once they are posted."""

    def test_what_was_never_printed_is_not_posted(self):
        """Whatever the way: the dialogue that asks about doubtful letters looks as the button does."""
        letters = self._plan_letters()
        dialogue = self.env["collection.letter.post"].with_user(self.team_user)
        dialogue = dialogue.create({"action_ids": [Command.set(letters.ids)], "is_posted": True})
        with self.assertRefused("Print the letters first"):
            dialogue.action_confirm()
        with self.assertRefused("Print the letters first"):
            letters._mark_posted()
        self._print(letters[0])
        with self.assertRefused("Print the letters first"):
            dialogue.action_confirm()
        self.assertEqual(set(letters.mapped("state")), {"planned"})

    def test_print_and_post(self):
        letters = self._plan_letters()
        self.assertEqual(letters.debtor_id, self.debtor + self.other_debtor)
        action, pages = self._print(letters)
        self.assertEqual((action["type"], len(pages)), ("ir.actions.act_url", 2))
        attachment = self.env["ir.attachment"].browse(int(action["url"].split("/")[-1].split("?")[0]))
        self.assertEqual(PdfFileReader(io.BytesIO(attachment.raw)).getNumPages(), 2)
        self.assertEqual(set(letters.mapped("state")), {"planned"}, "on paper, but not said yet")
        self.assertTrue(all(letters.mapped("printed_on")))
        letter = letters.filtered(lambda letter: letter.debtor_id == self.debtor)
        self.assertEqual(len(letter.attachment_ids), 1)
        self.assertIn("mise en demeure", letter.attachment_ids.name)
        self.assertFalse(letters.with_user(self.team_user).action_mark_posted())
        self.assertRecordValues(letter, [{"state": "done", "delivery_state": "sent", "user_id": self.team_user.id}])
        self.assertEqual(letter.item_ids.move_line_id, self._get_items(self.invoice))
        self.assertEqual(letter.item_ids.level, 45)
        self.assertEqual(letter.mail_message_id, self.debtor.message_ids[0])
        self.assertEqual(letter.mail_message_id.attachment_ids, letter.attachment_ids)
        self.assertIn("12 rue des Lilas", letter.mail_message_id.body)
        self.assertEqual(self._decide(self.debtor).reason, "finished")

    def test_nothing_is_printed_for_who_paid(self):
        letters = self._plan_letters()
        self._pay(self.invoice)
        action, pages = self._print(letters)
        self.assertEqual(len(pages), 1)
        self.assertNotIn("Boulangerie", pages[0])
        self.assertEqual(action["params"]["next"]["type"], "ir.actions.act_url")
        self.assertIn("Boulangerie Petit: Nothing is overdue.", action["params"]["message"])
        cancelled = letters.filtered(lambda letter: letter.debtor_id == self.debtor)
        self.assertRecordValues(cancelled, [{"state": "cancelled", "result_text": "Nothing is overdue."}])

    def test_paid_between_printing_and_posting(self):
        letters = self._plan_letters()
        self._print(letters)
        self._pay(self.invoice)
        action = letters.with_user(self.team_user).action_mark_posted()
        self.assertEqual(action["res_model"], "collection.letter.post")
        wizard = (
            self.env["collection.letter.post"].with_user(self.team_user).with_context(**action["context"]).create({})
        )
        self.assertEqual(wizard.doubtful_ids.debtor_id, self.debtor)
        wizard.action_confirm()
        self.assertEqual(
            {letter.debtor_id: letter.state for letter in letters},
            {self.debtor: "cancelled", self.other_debtor: "done"},
        )

    def test_only_who_paid_is_taken_out(self):
        """The dialogue is told which letters are doubtful, and looks for itself."""
        letters = self._plan_letters()
        self._print(letters)
        self._pay(self.invoice)
        wizard = self.env["collection.letter.post"].with_user(self.team_user)
        both = [Command.set(letters.ids)]
        wizard.create({"action_ids": both, "doubtful_ids": both}).action_confirm()
        self.assertEqual(
            {letter.debtor_id: (letter.state, letter.cancel_code) for letter in letters},
            {self.debtor: ("cancelled", "nothing_claimable"), self.other_debtor: ("planned", False)},
        )

    def test_paid_but_in_the_post_already(self):
        letters = self._plan_letters()
        self._print(letters)
        self._pay(self.invoice)
        context = letters.with_user(self.team_user).action_mark_posted()["context"]
        wizard = self.env["collection.letter.post"].with_user(self.team_user).with_context(**context)
        wizard.create({"is_posted": True}).action_confirm()
        self.assertEqual(set(letters.mapped("state")), {"done"})
        self.assertEqual(sum(letters.item_ids.mapped("amount")), 2300, "what stands on the paper")

    def test_not_posted_before_it_is_printed(self):
        letters = self._plan_letters()
        with self.assertRefused("Print the letters first"):
            letters.with_user(self.team_user).action_mark_posted()
        with self.assertRefused("None of these is a letter"):
            letters.browse().with_user(self.team_user).action_print_letters()
        with self.assertRefused("can't be written by hand"):
            letters.with_user(self.team_user).printed_on = "2026-03-10 10:00:00"

    def test_printed_again(self):
        letters = self._plan_letters()
        self._print(letters)
        with freeze_time("2026-03-11 09:00:00"):
            _action, pages = self._print(letters)
        self.assertEqual(len(pages), 2)
        self.assertIn("March 11, 2026", pages[0])
        self.assertEqual(len(letters.item_ids), 2, "each item once")

    def test_without_an_address(self):
        self.customer.city = False
        letters = self._plan_letters()
        action, pages = self._print(letters)
        self.assertEqual(len(pages), 1)
        self.assertIn("has a street and a city", action["params"]["message"])
        [call] = self._actions(self.debtor, state="planned")
        self.assertEqual(call.channel, "call", "whoever can't be written to is called")

    # === WHAT STANDS ON THE PAPER === #

    def test_letter(self):
        self.customer.write({"name": "<b>Petit & Fils</b>", "ref": "C-042"})
        marie = self.env["res.partner"].create({"name": "Marie <i>Dupont</i>", "parent_id": self.customer.id})
        self.debtor.legal_contact_id = marie
        self.plan.step_ids.recipient = "legal"
        self._pay_on_account(amount=200)
        letters = self._plan_letters().filtered(lambda letter: letter.debtor_id == self.debtor)
        _action, [page] = self._print(letters)
        page = self._plain(page)
        for part in (
            "&lt;b&gt;Petit &amp; Fils&lt;/b&gt;",
            "Marie &lt;i&gt;Dupont&lt;/i&gt;",
            "12 rue des Lilas",
            "69003 Lyon",
            "Ateliers Moreau",
            "Grenoble, March 10, 2026",
            "C-042",
            "mise en demeure",
            self.invoice.name,
            "1,500.00",
            "200.00",
            "1,300.00",
            "March 18, 2026",
        ):
            self.assertIn(part, page)
        self.assertNotIn("<b>Petit", page)
        self.assertNotIn("France", page, "the country only abroad")
        self.assertNotIn("/my/invoices", page, "paper has no links")
        self.assertNotIn(self.other_invoice.name, page)
        self.assertEqual(letters.contact_id, marie)

    def test_language_of_the_customer(self):
        template = self.plan.step_ids.template_id
        template.with_context(lang="fr_FR").write(
            {"subject": "Mise en demeure", "body_html": '<p>Madame <t t-out="object._get_claim_table()"/></p>'}
        )
        self.customer.write({"lang": "fr_FR", "country_id": self.env.ref("base.be").id})
        letters = self._plan_letters()
        _action, pages = self._print(letters)
        french = next(page for page in pages if "Boulangerie" in page)
        english = next(page for page in pages if "Garage" in page)
        self.assertIn("10 mars 2026", french)
        self.assertIn("Madame", french)
        self.assertIn("1 500,00", self._plain(french))
        self.assertIn("Mise en demeure", french)
        self.assertIn('lang="fr-FR"', french)
        self.assertIn("March 10, 2026", english)
        self.assertNotIn("Madame", english)
        self.assertIn("Belg", french, "the country of a letter abroad")

    def test_sender_of_its_company(self):
        data = self.setup_other_company(name="Atelier Deux", country_id=self.env.ref("base.fr").id)
        other = data["company"]
        other.write({"street": "9 quai Nord", "zip": "29200", "city": "Brest", "collection_bank_fresh_days": 0})
        plan = self.plan.sudo().copy({"company_id": other.id, "user_id": False, "sequence": 0})
        plan._start()
        invoice = self._create_invoice(amount=70, days_late=50, company=other)
        self._synchronize(other)
        letters = self._plan_letters()
        self.assertEqual(letters.company_id, self.company + other)
        self.team_user.company_ids += other
        _action, pages = self._print(letters.with_context(allowed_company_ids=(self.company + other).ids))
        brest = next(page for page in pages if "Brest" in page)
        self.assertIn(invoice.name, brest)
        self.assertIn("Atelier Deux", brest)
        for foreign in ("Ateliers Moreau", "Grenoble", "1,500.00"):
            self.assertNotIn(foreign, brest)
        self.assertFalse([page for page in pages if page != brest and "Atelier Deux" in page])

    def test_own_customers_only(self):
        self.debtor.collector_id = self.other_collector
        self.other_debtor.collector_id = self.collector
        letters = self._plan_letters()
        with self.assertRaises(AccessError):
            letters.with_user(self.collector).action_print_letters()
        own = letters.filtered(lambda letter: letter.debtor_id == self.other_debtor)
        _action, pages = self._print(own, self.collector)
        self.assertEqual(len(pages), 1)

    def test_enclosures(self):
        self.plan.step_ids.attach_invoices = "all"
        letters = self._plan_letters().filtered(lambda letter: letter.debtor_id == self.debtor)
        document = self.env["ir.attachment"].create(
            {"name": "INV.pdf", "raw": letters.env["collection.channel.letter"].sudo()._render_pdf_of("<p>x</p>")}
        )
        with patch.object(
            self.registry["account.move"], "_get_collection_documents", lambda self: document.with_env(self.env)
        ):
            _action, [page] = self._print(letters)
        self.assertIn("INV.pdf", page)
        self.assertEqual(PdfFileReader(io.BytesIO(letters.attachment_ids.raw)).getNumPages(), 2)

    # === SNAILMAIL === #

    def test_snailmail(self):
        if "snailmail.letter" not in self.env:
            self.skipTest("Snailmail is not installed")
        waiting = self._plan_letters()
        self.company.collection_use_snailmail = True
        with self.assertRefused("go through Snailmail"):
            waiting.with_user(self.team_user).action_print_letters()
        self._run_cron()
        action = self._actions(self.debtor)
        self.assertRecordValues(action, [{"state": "done", "channel": "letter", "delivery_state": "queued"}])
        letter = self.env["snailmail.letter"].search([("message_id", "=", action.mail_message_id.id)])
        self.assertRecordValues(
            letter, [{"partner_id": self.customer.id, "company_id": self.company.id, "state": "pending"}]
        )
        self.assertEqual(letter.attachment_id, action.attachment_ids)
        letter.state = "error"
        self._run_cron()
        self.assertEqual(action.state, "failed")
        self.assertIn("could not post", action.result_text)
