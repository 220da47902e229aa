from odoo import fields
from odoo.fields import Command

from .common import CollectionCommon


class PlanCommon(CollectionCommon):
    """A company with one plan, switched on: D-7 courtesy, D+3, D+8, D+15 call, D+30."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["collection.plan"].search([("company_id", "=", cls.company.id)]).active = False
        cls.company.collection_bank_fresh_days = 0
        cls.template = cls.env.ref("account_collection.mail_template_reminder")
        cls.plan = cls._create_plan()
        cls.plan._start()

    # Messages are really made: nothing of mail is switched off.
    @classmethod
    def default_env_context(cls):
        return {}

    @classmethod
    def _create_plan(cls, steps=((-7, "email"), (3, "email"), (8, "email"), (15, "call"), (30, "email")), **values):
        return cls.env["collection.plan"].create(
            {
                "name": "Standard",
                "company_id": cls.company.id,
                "gap_days": 3,
                "user_id": cls.collector.id,
                "step_ids": [
                    Command.create(
                        {
                            "name": f"Step {delay}",
                            "delay": delay,
                            "channel": channel,
                            "template_id": cls.template.id if channel in ("email", "letter") else False,
                            "attach_invoices": "no",
                        }
                    )
                    for delay, channel in steps
                ],
                **values,
            }
        )

    @classmethod
    def _decide(cls, debtor=None, day=None, **options):
        """Return the decision on a debtor of the ledger as it is now."""
        debtor = debtor or cls._get_debtor()
        day = fields.Date.to_date(day) if day else cls.company._collection_today()
        return cls.env["collection.plan"]._decide(debtor, day, **options)[debtor]

    def assertReason(self, reason, debtor=None, day=None, **options):
        """Check why something comes next for a debtor, or nothing; return the decision."""
        decision = self._decide(debtor, day, **options)
        self.assertEqual(decision.reason, reason)
        return decision

    def _run_cron(self):
        """Plan and deliver as the scheduled action does."""
        self.env.flush_all()
        with self.enter_registry_test_mode():
            self.env.ref("account_collection.cron_plan_and_deliver").method_direct_trigger()
        self.env.invalidate_all()

    def _enter_bank_statement(self, day):
        """Post an entry of the bank journal: the journal is up to date as far as this day."""
        self.env["account.move"].create(
            {
                "journal_id": self.company_data["default_journal_bank"].id,
                "date": day,
                "line_ids": [
                    Command.create({"account_id": self.company_data["default_account_revenue"].id, "debit": 5}),
                    Command.create({"account_id": self.company_data["default_account_expense"].id, "credit": 5}),
                ],
            }
        ).action_post()

    def _refresh_cron(self):
        self._synchronize()

    @classmethod
    def _step(cls, delay, plan=None):
        return (plan or cls.plan).step_ids.filtered(lambda step: step.delay == delay)

    def _actions(self, debtor=None, **conditions):
        domain = [(name, "=", value) for name, value in conditions.items()]
        if debtor:
            domain.append(("debtor_id", "=", debtor.id))
        return self.env["collection.action"].search(domain, order="id")
