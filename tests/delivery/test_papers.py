import io
import zipfile
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged
from odoo.tools.pdf import PdfFileReader, PdfFileWriter

from ..plan_common import PlanCommon
from .test_letters import ADDRESS

PATHS = "odoo.addons.account_collection"


def make_page():
    writer = PdfFileWriter()
    writer.add_blank_page(100, 100)
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


class PapersCommon(PlanCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.page = make_page()
        cls.customers = cls.customer + cls.other_customer + cls._create_customer("Café Élan")
        for customer in cls.customers:
            cls._create_invoice(customer, amount=500, days_late=50)
        cls._synchronize()
        cls.debtors = cls.env["collection.debtor"].search([("partner_id", "in", cls.customers.ids)], order="id")

    def setUp(self):
        super().setUp()
        self.rendered = []
        test = self

        def print_page(report, bodies, **options):
            test.rendered.append(str(bodies[0]))
            return test.page

        self.patch(self.registry["ir.actions.report"], "_run_wkhtmltopdf", print_page)
        self.patch(self.registry["ir.actions.report"], "get_wkhtmltopdf_state", lambda report: "ok")

    def _make(self):
        """Make what waits as the scheduled action does."""
        self.env.flush_all()
        with self.enter_registry_test_mode():
            self.env.ref("account_collection.cron_make_papers").method_direct_trigger()
        self.env.invalidate_all()

    def _get_paper(self, user=None):
        return self.env["collection.paper"].with_user(user or self.team_user).search([], order="id desc", limit=1)

    def _count_pages(self, file):
        return len(PdfFileReader(io.BytesIO(file.raw)).pages)

    def _get_notices(self, user=None):
        return self.env["mail.notification"].search([("res_partner_id", "=", (user or self.team_user).partner_id.id)])


@tagged("post_install", "-at_install")
class TestPapers(PapersCommon):
    """What takes longer than one waits for is made in the background, once each, and handed over with a notice."""

    def setUp(self):
        super().setUp()
        self.startPatcher(patch(f"{PATHS}.models.delivery.collection_action_letter.PRINTED_AT_ONCE", 2))
        limits = {"pdf": 2, "xlsx": 2}
        self.startPatcher(patch(f"{PATHS}.wizard.statement.collection_statement_print.AT_ONCE", limits))

    def _plan_letters(self, **values):
        self.customers.write({**ADDRESS, "country_id": self.env.ref("base.fr").id})
        self.company.collection_use_snailmail = False
        self.plan.action_stop()
        self.plan.active = False
        plan = self._create_plan(steps=((45, "letter"),), gap_days=0)
        plan.step_ids.write({"template_id": self.env.ref("account_collection.mail_template_formal").id, **values})
        plan._start()
        self._run_cron()
        return self._actions(channel="letter", state="planned")

    def _print_statements(self, file_type="pdf", user=None, **values):
        dialogue = self.env["collection.statement.print"].with_user(user or self.team_user)
        dialogue = dialogue.create({"debtor_ids": [Command.set(self.debtors.ids)], **values})
        return dialogue, getattr(dialogue, "action_print" if file_type == "pdf" else "action_download_xlsx")()

    # === LETTERS === #

    def test_many_letters(self):
        letters = self._plan_letters()
        self.assertEqual(len(letters), 3)
        action = letters.with_user(self.team_user).action_print_letters()
        self.assertEqual(action["tag"], "display_notification")
        self.assertFalse(self.rendered, "nobody waits")
        paper = self._get_paper()
        self.assertIn(f"/{paper.id}", action["params"]["links"][0]["url"])
        self.assertRecordValues(paper, [{"state": "waiting", "total_count": 3, "made_count": 0, "progress": 0}])
        self._make()
        self.assertRecordValues(paper, [{"state": "done", "made_count": 3, "left_out_text": "", "progress": 100}])
        self.assertEqual(self._count_pages(paper.file_ids), 3)
        self.assertTrue(all(letters.mapped("printed_on")))
        self.assertEqual(set(letters.mapped("state")), {"planned"}, "on paper, but not said yet")
        notice = self._get_notices().mail_message_id.filtered(lambda message: message.subject == paper.name)
        self.assertEqual(len(notice), 1)
        self.assertIn("Ready: 3 of 3.", notice.body)
        self.assertIn(f"/odoo/collection-papers/{paper.id}", notice.body)
        self._make()
        self.assertEqual(len(self.rendered), 3, "each once")

    def test_letters_that_are_being_printed_are_not_printed_twice(self):
        letters = self._plan_letters().with_user(self.team_user)
        letters.action_print_letters()
        with self.assertRefused("are being printed already"):
            letters.with_user(self.manager).action_print_letters()
        self.assertEqual(self._get_paper().record_ids, letters.ids)

    def test_who_paid_meanwhile_is_left_out_with_the_reason(self):
        letters = self._plan_letters().with_user(self.team_user)
        letters.action_print_letters()
        paid = letters[1]
        self._pay(self.env["account.move"].search([("partner_id", "=", paid.partner_id.id)]))
        self._make()
        paper = self._get_paper()
        self.assertEqual((paper.state, paper.made_count), ("done", 2))
        self.assertIn("Nothing is overdue.", paper.left_out_text)
        self.assertIn(paid.partner_id.name, paper.left_out_text)
        self.assertEqual(paid.state, "cancelled")
        self.assertIn("Left out: 1", self._get_notices().mail_message_id.sorted("id")[-1:].body)

    def test_enclosures_are_made_before_and_kept(self):
        printed = []

        def render(report, _ref, res_ids, **options):
            printed.append(res_ids)
            return self.page, "pdf"

        self.patch(self.registry["ir.actions.report"], "_render_qweb_pdf", render)
        letters = self._plan_letters(attach_invoices="all").with_user(self.team_user)
        few = letters[0].action_print_letters()
        self.assertEqual(few["type"], "ir.actions.act_url", "a sheet and its enclosure are waited for")
        letters[1:].action_print_letters()
        self._make()
        paper = self._get_paper()
        self.assertEqual(self._count_pages(paper.file_ids), 4)
        self.assertEqual(len(printed), 3, "each invoice once")

    def test_one_that_fails_stops_nobody(self):
        letters = self._plan_letters().with_user(self.team_user)
        Channel = self.registry["collection.channel.letter"]
        make = Channel._make_letter
        broken = letters[0]

        def fail_for_one(channel, action, payload):
            if action.id == broken.id:
                raise ValueError("Paper jam")
            return make(channel, action, payload)

        self.patch(Channel, "_make_letter", fail_for_one)
        letters.action_print_letters()
        with self.assertLogs("odoo.addons.account_collection.models.delivery.collection_paper", "ERROR"):
            self._make()
        paper = self._get_paper()
        self.assertEqual((paper.state, paper.made_count), ("done", 2))
        self.assertIn("Paper jam", paper.left_out_text)
        self.assertFalse(broken.printed_on)

    def test_one_that_stops_the_server_goes_to_the_end_and_is_left_out_the_second_time(self):
        self._plan_letters().with_user(self.team_user).action_print_letters()
        paper = self._get_paper().sudo()
        first = paper.record_ids[0]
        paper._begin_next()
        self.assertEqual(paper.trying_id, first)
        # Killed here. The next worker:
        paper._begin_next()
        self.assertEqual((paper.retried_ids, paper.trying_id), ([first], paper.record_ids[1]))
        paper._make_next()
        paper._begin_next()
        paper._make_next()
        self.assertEqual((paper._get_next_id(), paper.made_count), (first, 2))
        paper._begin_next()
        # Killed again.
        paper._begin_next()
        self.assertIn("stopped twice", paper.left_out_text)
        self._make()
        self.assertRecordValues(paper, [{"state": "done", "made_count": 2}])

    # === STATEMENTS === #

    def test_few_statements_are_waited_for(self):
        dialogue = self.env["collection.statement.print"].with_user(self.team_user)
        dialogue = dialogue.create({"debtor_ids": [Command.set(self.debtors[:2].ids)]})
        self.assertEqual(dialogue.action_print()["type"], "ir.actions.act_url")
        self.assertFalse(self._get_paper())

    def test_many_statements(self):
        with patch(f"{PATHS}.models.delivery.collection_paper.PARTS_PER_FILE", 2):
            _dialogue, action = self._print_statements()
            self.assertEqual(action["tag"], "display_notification")
            self._make()
        paper = self._get_paper()
        self.assertRecordValues(paper, [{"state": "done", "made_count": 3}])
        self.assertEqual([self._count_pages(file) for file in paper.file_ids], [2, 1])
        self.assertEqual(paper.file_ids.mapped("name"), ["Statements of account 1.pdf", "Statements of account 2.pdf"])

    def test_many_workbooks(self):
        self._print_statements("xlsx", kind="movements", date_from="2026-01-01", date_to="2026-03-01")
        self._make()
        paper = self._get_paper()
        with zipfile.ZipFile(io.BytesIO(paper.file_ids.raw)) as archive:
            self.assertEqual(len(archive.namelist()), 3)
            self.assertTrue(all("2026-03-01" in name for name in archive.namelist()))

    def test_the_request_itself_refuses_many(self):
        """A browser that asks for the address of few gets no half of them."""
        dialogue, _action = self._print_statements()
        with self.assertRefused("too many to wait for"):
            dialogue._get_pdf()
        with self.assertRefused("too many to wait for"):
            dialogue._iter_xlsx()

    def test_with_the_rights_of_who_asked(self):
        self._print_statements(user=self.collector)
        self.debtors[0].sudo().collector_id = self.other_collector
        self._make()
        paper = self._get_paper(self.collector)
        self.assertEqual((paper.state, paper.made_count), ("done", 2))
        self.assertTrue(paper.left_out_text)

    def test_papers_are_theirs_who_asked(self):
        self._print_statements(user=self.collector)
        paper = self._get_paper(self.collector)
        for user in (self.other_collector, self.team_user, self.manager):
            self.assertFalse(self._get_paper(user))
            with self.assertRaises(AccessError):
                paper.with_user(user).action_cancel()
            with self.assertRaises(AccessError):
                paper.with_user(user).read(["name"])
        self._make()
        file = paper.file_ids
        self.assertTrue(file.with_user(self.collector).has_access("read"))
        self.assertFalse(file.with_user(self.other_collector).has_access("read"))
        with self.assertRaises(AccessError):
            paper.with_user(self.collector).write({"state": "waiting"})

    def test_cancel(self):
        self._print_statements()
        paper = self._get_paper()
        paper.sudo()._make_next()
        paper.action_cancel()
        self._make()
        self.assertRecordValues(paper, [{"state": "cancelled", "made_count": 1}])
        self.assertFalse(paper.file_ids)
        self.assertFalse(self.env["ir.attachment"].search([("res_model", "=", paper._name)]))

    def test_time_runs_out(self):
        self._print_statements()
        with patch.object(self.registry["ir.cron"], "_commit_progress", lambda cron, *args, **options: 0):
            self.env["collection.run"].sudo()._cron_make_papers()
        paper = self._get_paper()
        self.assertEqual((paper.state, paper.made_count), ("waiting", 1))
        self._make()
        self.assertEqual((paper.state, paper.made_count), ("done", 3))

    def test_old_papers_are_deleted(self):
        self._print_statements()
        self._make()
        paper = self._get_paper().sudo()
        self.env.flush_all()
        with freeze_time("2026-03-20 12:00:00"):
            self.env.cr.execute("UPDATE collection_paper SET write_date = '2026-03-10' WHERE id = %s", [paper.id])
            paper.invalidate_recordset()
            self.env["collection.paper"]._gc_old_papers()
        self.assertFalse(paper.exists())
        self.assertFalse(self.env["ir.attachment"].search([("res_model", "=", paper._name)]))
