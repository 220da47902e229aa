"""Deciding and delivering, beside ``mail.template`` that makes the same e-mails one after the other."""

import resource
import time

from odoo.fields import Command

from .stopwatch import Task
from .table import figure

CUSTOMERS = 1_000
MANY = 100_000

# The table of items as a template of contacts would read it, without this addon.
_SEARCHING_TABLE = """
<t t-set="items" t-value="object.env['account.move.line'].sudo().search([
    ('partner_id', '=', object.id), ('account_type', '=', 'asset_receivable'),
    ('reconciled', '=', False), ('parent_state', '=', 'posted'),
    ('company_id', '=', object.env.company.id), ('date_maturity', '&lt;', context_today)], order='date_maturity')"/>
<table><tr t-foreach="items" t-as="item">
    <td t-out="item.move_id.name"/>
    <td t-out="format_date(item.invoice_date)"/><td t-out="format_date(item.date_maturity)"/>
    <td t-out="format_amount(item.amount_currency, item.currency_id)"/>
    <td t-out="format_amount(item.amount_currency - item.amount_residual_currency, item.currency_id)"/>
    <td t-out="format_amount(item.amount_residual_currency, item.currency_id)"/>
</tr></table>
"""
_TEXT = """
<p>Hello,</p><p>To date we have not received payment of the invoices below. It may be an oversight.</p>%s
<p>Could you tell us on which date and by which method you expect to pay?</p><p>Kind regards,</p>
"""


def measure(env, stopwatch, many=False):
    """Measure decisions on all debtors, then the delivery of e-mails to a thousand of them.

    :param bool many: measure the decisions on 100,000 debtors only
    """
    bench = _Delivery(env, stopwatch)
    if many:
        bench.measure_many()
    else:
        bench.measure()


class _Delivery:
    def __init__(self, env, stopwatch):
        self.env = env(context={"lang": "fr_FR"})
        self.company = env.company
        self.stopwatch = stopwatch
        self.today = self.company._collection_today()
        # Any day, any hour.
        type(env["collection.quiet.period"])._get_closure = lambda self, company, periods: lambda day: False
        type(env["res.company"])._is_collection_sending_time = lambda self: True
        env["collection.debtor"]._synchronize(self.company)
        self.company.collection_bank_fresh_days = 0
        env["collection.plan"].search([("company_id", "=", self.company.id)]).active = False
        self.plan = env["collection.plan"].create(
            {
                "name": "Benchmark",
                "step_ids": [
                    Command.create(
                        {
                            "name": f"Step {delay}",
                            "delay": delay,
                            "template_id": self._create_template("<t t-out='object._get_claim_table()'/>").id,
                            "attach_invoices": "no",
                        }
                    )
                    for delay in (-7, 3, 8, 15, 30, 45, 75)
                ],
            }
        )
        self.plan._start()
        self.env.cr.commit()

    def _create_template(self, table, model="collection.debtor"):
        of_customer = "object" if model == "res.partner" else "object.partner_id"
        return self.env["mail.template"].create(
            {
                "name": "Benchmark",
                "model_id": self.env["ir.model"]._get(model).id,
                "subject": "Your account",
                "lang": "{{ object.lang }}",
                "partner_to": f"{{{{ {of_customer}.id }}}}",
                "use_default_to": False,
                "body_html": _TEXT % table,
            }
        )

    def measure(self):
        debtors = self.env["collection.debtor"].search([("due_amount", ">", 0)])
        Plan = self.env["collection.plan"]
        self.stopwatch.measure(
            Task("decide for all who owe", self.env, lambda: Plan._decide(debtors, self.today)),
        )
        self.stopwatch.figures.append(figure("… debtors", len(debtors), unit=""))
        self._measure_delivery(debtors)

    def _measure_delivery(self, debtors):
        decisions = self.env["collection.plan"]._decide(debtors, self.today)
        due = [(debtor, decision) for debtor, decision in decisions.items() if decision.is_due][:CUSTOMERS]
        self.env["res.partner"].browse({debtor.partner_id.id for debtor, _decision in due}).filtered(
            lambda partner: not partner.email
        ).write({"email": "customer@customer.example"})
        Action = self.env["collection.action"].sudo()
        Action.create([self.env["collection.plan"]._prepare_action(*pair) for pair in due])
        self.env.cr.commit()
        table = _SEARCHING_TABLE.replace("context_today", f"'{self.today}'")
        template = self._create_template(table, "res.partner")
        self.env.cr.commit()
        ids = [debtor.partner_id.id for debtor, _decision in due]
        work = f"deliver {len(ids):,} e-mails"

        def deliver():
            while Action._deliver_next(100):
                self.env.flush_all()

        ours, theirs = self.stopwatch.measure(
            Task(work, self.env, deliver),
            Task(f"Odoo: send_mail_batch of the same {len(ids):,}", self.env, lambda: template.send_mail_batch(ids)),
        )
        # 1.5 × the rate of the template is two thirds of its time.
        self.stopwatch.compare(f"{work}, time to that of the template", ours, theirs, budget=round(1 / 1.5, 3))

    def measure_many(self):
        """Have 100,000 debtors share the items of those that are there, by customers that are copied in SQL."""
        cr = self.env.cr
        cr.execute("SELECT COUNT(*) FROM collection_debtor WHERE due_amount > 0")
        [[count]] = cr.fetchall()
        copies = -(-MANY // count)
        _copy_customers(self.env, copies)
        debtors = self.env["collection.debtor"].search([("due_amount", ">", 0)], limit=MANY)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        queries, started = cr.sql_log_count, time.perf_counter()
        decisions = self.env["collection.plan"]._decide(debtors, self.today)
        self.stopwatch.figures += [
            figure(
                f"decide for {len(debtors):,} debtors",
                time.perf_counter() - started,
                queries=cr.sql_log_count - queries,
                peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                runs=1,
            ),
            figure("… MB before", before, unit=""),
            figure("… due", sum(decision.is_due for decision in decisions.values()), unit=""),
        ]
        cr.rollback()


def _copy_customers(env, copies):
    """Copy customers who owe, each with a debtor and its open items, as often as asked for."""
    cr = env.cr
    cr.execute("CREATE TEMP TABLE copied AS SELECT partner_id FROM collection_debtor WHERE due_amount > 0")
    for table, where in (
        ("res_partner", "id IN (SELECT partner_id FROM copied)"),
        ("collection_debtor", "partner_id IN (SELECT partner_id FROM copied)"),
        (
            "account_move_line",
            "partner_id IN (SELECT partner_id FROM copied) AND reconciled IS NOT TRUE AND parent_state = 'posted'"
            " AND display_type = 'payment_term'",
        ),
    ):
        cr.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
            " AND column_name != 'id' AND is_generated = 'NEVER'",
            [table],
        )
        columns = [name for [name] in cr.fetchall()]
        shifted = {"partner_id": "partner_id + n * 10000000", "commercial_partner_id": "id + n * 10000000"}
        values = [shifted.get(name, f'"{name}"') for name in columns]
        names = [f'"{name}"' for name in columns]
        if table == "res_partner":
            names.append("id")
            values.append("id + n * 10000000")
        # Constraints and references hold by construction; checking them row by row would take minutes.
        cr.execute("SET LOCAL session_replication_role = replica")
        cr.execute(
            f"INSERT INTO {table} ({', '.join(names)})"  # noqa: S608
            f" SELECT {', '.join(values)} FROM {table}, generate_series(1, %s) n WHERE {where}",
            [copies - 1],
        )
        cr.execute(f"ANALYZE {table}")
