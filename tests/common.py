from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from odoo import SUPERUSER_ID, fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import freeze_time, new_test_user

from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.addons.base.tests.common import BaseCommon

from .shared_world import SharedWorld

# A Tuesday, without a public holiday near it in France.
TODAY = "2026-03-10"


class CollectionCommon(AccountTestInvoicingCommon):
    """A French company at noon of ``TODAY``, customers, collectors, and short ways to make a ledger.

    Ordinary users: ``collector`` and ``other_collector`` (own cases), ``team_user`` (all cases),
    ``manager`` (configuration) and ``solver`` (owns disputes, no other right).
    """

    @classmethod
    def get_default_groups(cls):
        return super().get_default_groups() | cls.quick_ref("account_collection.group_collection_manager")

    # A browser lives in real time: tours can't freeze the server's.
    freeze = True
    # Of the company; another one where there is the demo data, too.
    company_name = "Ateliers Moreau"

    # Set for each class: classes of a kind follow one another, and share what stands in the database before them.
    world_kind = None

    @classmethod
    def __init_subclass__(cls):
        result = super().__init_subclass__()
        cls.world_kind = SharedWorld.get_kind(cls)
        cls.test_sequence = SharedWorld.get_sequence(cls)
        return result

    def setUp(self):
        """Keep what the registry knows from test to test, except for what a test made it forget.

        Odoo has it forget everything after each test, but whatever changes what is remembered says so, in a test as in
        production.
        """
        self.registry.cache_invalidated.clear()
        sequences = dict(self.registry.cache_sequences)
        with patch.object(self.registry, "clear_all_caches", lambda: self._clear_changed_caches(sequences)):
            super().setUp()

    def _clear_changed_caches(self, sequences):
        changed = {name for name, number in self.registry.cache_sequences.items() if number != sequences[name]}
        if changed := changed | self.registry.cache_invalidated:
            self.registry.clear_cache(*changed)

    @classmethod
    def _gc_filestore(cls):
        """Keep the files of what is shared, which no other transaction sees, until it is given up."""
        return None if SharedWorld.is_open() else super()._gc_filestore()

    @classmethod
    def setUpClass(cls):
        if cls.freeze:
            cls.startClassPatcher(freeze_time(f"{TODAY} 12:00:00"))
        SharedWorld.enter(cls, CollectionCommon, super(BaseCommon, cls))

    @classmethod
    def _build_world(cls):
        """Add what all classes of this kind find to what Odoo's test classes make: our company, users, customers."""
        cls.today = fields.Date.today()
        cls.company = cls.env.company
        cls.company.write(
            {
                "name": cls.company_name,
                "country_id": cls.env.ref("base.fr").id,
                "collection_tz": "Europe/Paris",
                "email": "compta@moreau.example",
            }
        )
        cls.company.currency_id = cls.env.ref("base.EUR")
        # From now on, only what changes has somebody refreshed.
        cls.company.collection_refresh_date = cls.company._collection_today()
        # Money goes straight to the bank account: the invoice is paid when the payment is posted.
        bank = cls.company_data["default_journal_bank"]
        bank.inbound_payment_method_line_ids.payment_account_id = bank.default_account_id
        cls.collector = cls._create_user("collector", "account_collection.group_collection_user")
        cls.other_collector = cls._create_user("other_collector", "account_collection.group_collection_user")
        cls.team_user = cls._create_user("team_user", "account_collection.group_collection_team")
        cls.manager = cls._create_user("manager", "account_collection.group_collection_manager")
        cls.solver = cls._create_user("solver", "account_collection.group_collection_dispute_owner")
        cls.customer = cls._create_customer("Boulangerie Petit")
        cls.other_customer = cls._create_customer("Garage Lemoine")

    @classmethod
    def _use_chart_template(cls, company, chart_template_ref=None):
        """Choose among the charts of the installed modules: else Odoo loads all localizations to look at theirs."""
        installed = cls.env["ir.module.module"].sudo().search([("state", "=", "installed")])
        installed.mapped("account_templates")  # Odoo looks at those that are known
        return super()._use_chart_template(company, chart_template_ref)

    @classmethod
    def _load_french(cls):
        """Have French with our words, unless it is there: a database may know English alone."""
        known = {code for code, _name in cls.env["res.lang"].get_installed()}
        if "fr_FR" not in known:
            cls.env["res.lang"]._activate_lang("fr_FR")
            cls.env["ir.module.module"]._load_module_terms(["account_collection"], ["fr_FR"])

    @classmethod
    def _create_user(cls, login, groups):
        return new_test_user(
            cls.env,
            login=login,
            name=login.replace("_", " ").title(),
            email=f"{login}@moreau.example",
            groups=f"base.group_user,{groups}",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
            tz="Europe/Paris",
        )

    @classmethod
    def _create_customer(cls, name, **values):
        return cls.env["res.partner"].create(
            {
                "name": name,
                "is_company": True,
                "email": f"{name.split()[0].lower()}@customer.example",
                "phone": "+33 1 02 03 04 05",
                "lang": "en_US",
                "property_payment_term_id": False,
                **values,
            }
        )

    @classmethod
    def _create_invoice(
        cls, partner=None, amount=100.0, days_late=10, currency=None, company=None, move_type="out_invoice", **values
    ):
        """Post an invoice without tax that was due ``days_late`` days before today (negative: still to come)."""
        company = company or cls.company
        due_date = cls.today - timedelta(days=days_late)
        account = (
            cls.company_data["default_account_revenue"]
            if company == cls.company
            else cls.env["account.account"].search(
                [("account_type", "=", "income"), ("company_ids", "in", company.ids)], limit=1
            )
        )
        move = (
            cls.env["account.move"]
            .with_company(company)
            .create(
                {
                    "move_type": move_type,
                    "partner_id": (partner or cls.customer).id,
                    "invoice_date": due_date - timedelta(days=30) if move_type == "out_invoice" else cls.today,
                    "invoice_date_due": due_date,
                    "currency_id": (currency or company.currency_id).id,
                    "company_id": company.id,
                    "invoice_line_ids": [
                        Command.create(
                            {
                                "name": "Work",
                                "quantity": 1,
                                "price_unit": amount,
                                "account_id": account.id,
                                "tax_ids": [Command.clear()],
                            }
                        )
                    ],
                    **values,
                }
            )
        )
        move.action_post()
        return move

    @classmethod
    def _pay(cls, invoice, amount=None, on=None):
        """Receive money for an invoice: all that is owed today unless said otherwise."""
        values = {"payment_date": on or cls.today}
        if amount is not None:
            values |= {"amount": amount, "payment_difference_handling": "open"}
        return (
            cls.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create(values)
            ._create_payments()
        )

    @classmethod
    def _pay_on_account(cls, partner=None, amount=50.0, on=None, currency=None):
        """Receive money from a customer that is not set against any invoice."""
        payment = cls.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": (partner or cls.customer).id,
                "amount": amount,
                "date": on or cls.today,
                "currency_id": (currency or cls.company.currency_id).id,
                "journal_id": cls.company_data["default_journal_bank"].id,
            }
        )
        payment.action_post()
        return payment

    @classmethod
    def _credit(cls, invoice, amount=None, reconcile=True):
        """Post a credit note for part of an invoice, set against it unless said otherwise."""
        credit = cls._create_invoice(
            invoice.partner_id,
            amount if amount is not None else invoice.amount_residual,
            days_late=0,
            currency=invoice.currency_id,
            company=invoice.company_id,
            move_type="out_refund",
        )
        if reconcile:
            (cls._get_items(invoice) + cls._get_items(credit)).reconcile()
        return credit

    @classmethod
    def _get_items(cls, move):
        """Return the receivable journal items of a move."""
        return move.line_ids.filtered(lambda line: line.account_type == "asset_receivable")

    @classmethod
    def _synchronize(cls, company=None):
        """Do what the scheduled action does after changes of the ledger."""
        company = company or cls.company
        cls.env["collection.debtor"].with_company(company)._synchronize(company)

    @classmethod
    def _process_queue(cls, company=None):
        """Do what the scheduled action does within a minute.

        Customers whose ledger changed are refreshed; all of them on a new day or when the settings changed.
        """
        company = company or cls.company
        while cls.env["collection.run"]._refresh_next(company):
            pass
        if company.collection_refresh_date != company._collection_today():
            cls.env["collection.run"]._refresh_day(company)

    @classmethod
    def _get_debtor(cls, partner=None, company=None):
        """Return the debtor of a customer, as the scheduled action left it after the last changes of the ledger."""
        company = company or cls.company
        cls._process_queue(company)
        return cls.env["collection.debtor"].search(
            [("partner_id", "=", (partner or cls.customer).id), ("company_id", "=", company.id)]
        )

    @classmethod
    def _create_campaign(cls, **values):
        return (
            cls.env["collection.campaign"]
            .with_user(values.pop("by", cls.team_user))
            .create(
                {
                    "name": "Spring",
                    "date_start": cls.today,
                    "date_end": cls.today + timedelta(days=30),
                    "member_ids": [Command.set((cls.collector + cls.other_collector).ids)],
                    **values,
                }
            )
        )

    @classmethod
    def _start_campaign(cls, **values):
        """Return a running campaign over all that may be claimed."""
        campaign = cls._create_campaign(**values)
        campaign.action_prepare()
        campaign.action_start()
        return campaign

    def _promise(self, debtor, user=None, case=None, **values):
        """Record a promise as a collector would, through the dialogue."""
        wizard = (
            self.env["collection.promise.record"]
            .with_user(user or (case and case.collector_id) or self.collector)
            .create({"debtor_id": debtor.id, "case_id": case.id if case else False, **values})
        )
        return wizard._record()

    def _dispute(self, debtor, item, amount=None, user=None, case=None, **values):
        """Open a dispute as a collector would, through the dialogue."""
        wizard = (
            self.env["collection.dispute.open"]
            .with_user(user or (case and case.collector_id) or self.collector)
            .create(
                {
                    "debtor_id": debtor.id,
                    "case_id": case.id if case else False,
                    "reason_id": self.env.ref("account_collection.collection_reason_price").id,
                    "owner_id": self.solver.id,
                    **values,
                }
            )
        )
        line = wizard.line_ids.filtered(lambda line: line.move_line_id == item)
        line.write({"is_disputed": True, "amount": amount if amount is not None else line.amount})
        known = debtor.sudo().dispute_ids
        wizard.action_confirm()
        return debtor.sudo().dispute_ids - known

    def _log_call(self, debtor, outcome="right_person", user=None, case=None, **values):
        """Log a call as a collector would, through the dialogue."""
        wizard = (
            self.env["collection.call.log"]
            .with_user(user or (case and case.collector_id) or self.collector)
            .create({"debtor_id": debtor.id, "case_id": case.id if case else False, "outcome": outcome, **values})
        )
        wizard.action_confirm()
        return debtor.sudo().action_ids.filtered(lambda action: action.state == "done").sorted("id")[-1:]

    def _receive_email(self, model, text):
        """Have an e-mail come in, as Odoo fetches it from the mail server: as the system, by the scheduled action."""
        return self.env["mail.thread"].with_user(SUPERUSER_ID).message_process(model, text)

    @contextmanager
    def assertRefused(self, message):
        """Check that what is done is refused with a message that matches, and leaves nothing behind."""
        with self.assertRaisesRegex(UserError, message), self.env.cr.savepoint():
            yield

    @staticmethod
    def _plain(text):
        """Return text with all kinds of spaces as plain ones, as people read it."""
        return str(text).replace("\u202f", " ").replace("\xa0", " ").replace("&nbsp;", " ")

    @classmethod
    def _days(cls, count):
        return fields.Date.to_string(cls.today + timedelta(days=count))
