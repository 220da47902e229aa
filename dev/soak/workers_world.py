"""What there is to print and to send in the proof with Odoo's workers. Runs inside Odoo."""

from odoo import fields
from odoo.fields import Command

from .addons import collection_around_the_clock  # noqa: F401 - on any day, at any hour
from .customers import make_invoices
from .sizes import WORKERS


def make(env, size):
    """Make customers whose invoices were never printed, and ask for all there is to be made.

    :param env: Odoo's environment
    :param str size: one of ``WORKERS``
    """
    world = WORKERS[size]
    company = env.company
    if not company.chart_template:
        env["account.chart.template"].try_loading("generic_coa", company=company, install_demo=False)
    company.write(
        {
            "email": "accounts@company.example",
            "collection_pressure_cap": 0,
            "collection_contact_gap_days": 0,
            "collection_bank_fresh_days": 0,
            "collection_use_snailmail": False,
        }
    )
    # Mails stay in the queue: whether they arrive is another proof.
    env.ref("mail.ir_cron_mail_scheduler_action").active = False
    admin = env.ref("base.user_admin")
    writing = _make_customers(env, "reminder", world.reminders, world.invoices)
    posting = _make_customers(env, "letter", world.letters, 1)
    owing = _make_customers(env, "statement", max(world.statements - world.reminders - world.letters, 0), 1)
    env["collection.debtor"]._synchronize(company)
    env["collection.plan"].search([]).active = False
    template = env["mail.template"].create(
        {
            "name": "Proof",
            "model_id": env["ir.model"]._get("collection.debtor").id,
            "subject": "Reminder",
            "lang": "{{ object.lang }}",
            "body_html": "<p>Hello,</p><t t-out='object._get_claim_table()'/>",
        }
    )
    for channel, customers in (("email", writing), ("letter", posting)):
        env["collection.plan"].create(
            {
                "name": channel,
                "gap_days": 0,
                "debtor_domain": f"[('partner_id', 'in', {customers.ids})]",
                "step_ids": [
                    Command.create(
                        {
                            "name": "Step",
                            "delay": 3,
                            "channel": channel,
                            "template_id": template.id,
                            "attach_invoices": "all" if channel == "email" else "no",
                        }
                    )
                ],
            }
        )._start()
    debtors = env["collection.debtor"].search([("partner_id", "in", (writing + posting + owing).ids)])
    env["collection.plan"]._plan_company(company)
    env.cr.commit()
    letters = env["collection.action"].search([("channel", "=", "letter"), ("state", "=", "planned")])
    letters.with_user(admin).action_print_letters()
    dialogue = (
        env["collection.statement.print"]
        .with_user(admin)
        .create({"debtor_ids": [Command.set(debtors[: world.statements].ids)]})
    )
    dialogue.action_print()
    dialogue.action_send()
    env.ref("account_collection.cron_plan_and_deliver").nextcall = fields.Datetime.now()
    env.cr.commit()


def _make_customers(env, name, count, invoices):
    partners = env["res.partner"].create(
        [
            {
                "name": f"{name} {number}",
                "is_company": True,
                "email": f"{name}{number}@customer.example",
                "street": "1 Main Street",
                "city": "Boston",
            }
            for number in range(count)
        ]
    )
    moves = make_invoices(env, partners, invoices, days_late=30)
    for start in range(0, len(moves), 200):
        moves[start : start + 200].action_post()
        env.cr.commit()
    return partners
