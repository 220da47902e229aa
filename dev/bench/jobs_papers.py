"""What is printed or sent for many customers: statements of account, the follow-up file."""

import tempfile

from .stopwatch import Task
from .table import figure

CUSTOMERS = 1000


def measure(env, stopwatch):
    """Measure statements of a thousand customers, and the follow-up file of all who owe something."""
    env = env(user=env.ref("base.user_admin"))
    owing = env["collection.debtor"].search([("due_amount", ">", 0)], order="score desc, id")
    # Nothing leaves the machine: mails are queued, and there is no mail server.
    owing[:CUSTOMERS].partner_id.filtered(lambda partner: not partner.email).email = "nobody@customer.example"
    debtors = owing[:CUSTOMERS]
    env.cr.commit()
    stopwatch.figures.append(figure("… customers in a statement run", len(debtors), unit=""))
    Report = env["collection.statement.report"]
    stopwatch.measure(
        Task("figures of these statements, open items", env, lambda: Report._build(debtors)),
        Task("… all movements", env, lambda: Report._build(debtors, "movements")),
    )
    few = debtors[:20]
    stopwatch.measure(
        Task("twenty statements as PDF", env, lambda: [debtor._render_statement_pdf() for debtor in few]),
        Task("… as XLSX", env, lambda: [debtor._render_statement_xlsx() for debtor in few]),
    )
    Statement = env["collection.statement"]
    stopwatch.measure(
        Task(
            "statement run: each as PDF, e-mail queued",
            env,
            Statement.sudo()._cron_send,
            prepare=lambda: Statement._request(debtors),
            budget=600,
        )
    )
    sent = Statement.search_count([("state", "=", "sent")])
    stopwatch.figures.append(figure("… statements sent", sent, unit=""))

    def write_file():
        with tempfile.TemporaryFile() as output:
            env["collection.debtor.workbook"]._write(owing, output)

    stopwatch.figures.append(figure("… customers in the follow-up file", len(owing), unit=""))
    stopwatch.measure(Task("follow-up file as XLSX", env, write_file, budget=120))
