"""The dashboard beside Odoo's own accounting dashboard, the analysis beside Odoo's, and the monthly figures."""

from .jobs_screens import _Kanban
from .stopwatch import Task


def measure(env, stopwatch):
    """Write the monthly figures, then open the pages in turns, as an administrator."""
    company = env.company
    snapshots = env["collection.snapshot"]
    due = snapshots._get_due_days(company)
    month_end = due[0]
    stopwatch.measure(
        Task("figures of a past month", env, lambda: env["collection.metrics"]._get_figures(company, month_end)),
        Task("write one month down", env, lambda: snapshots._record(company, [month_end])),
    )
    stopwatch.measure(Task(f"write {len(due)} months down", env, lambda: snapshots._record(company, due)))
    snapshots._record(company, due)
    env.cr.commit()
    env = env(user=env.ref("base.user_admin"))
    _compare_dashboards(env, stopwatch)
    _compare_analyses(env, stopwatch)


def _compare_dashboards(env, stopwatch):
    journals = _Kanban(
        env["account.journal"],
        [("show_on_dashboard", "=", True)],
        env.ref("account.account_journal_dashboard_kanban_view").id,
    )
    reference = Task(
        "Odoo: accounting dashboard",
        env,
        lambda: journals.model.web_search_read(journals.domain, journals.specification, limit=80),
    )
    theirs, ours = stopwatch.measure(reference, Task("dashboard", env, env["collection.dashboard"].get_data))
    stopwatch.compare("dashboard to Odoo's", ours, theirs, budget=1.5)


def _compare_analyses(env, stopwatch):
    """Open the pivots with the rows, columns and measures that they have at first."""
    reference = Task(
        "Odoo: analysis of invoices",
        env,
        lambda: env["account.invoice.report"].formatted_read_group(
            [("move_type", "in", ("out_invoice", "out_refund"))],
            ["invoice_user_id", "invoice_date:month"],
            ["price_subtotal:sum"],
        ),
    )
    theirs, items, contacts = stopwatch.measure(
        reference,
        Task(
            "analysis of open items",
            env,
            lambda: env["collection.item.report"].formatted_read_group(
                [], ["collector_id", "bucket"], ["residual:sum"]
            ),
        ),
        Task(
            "analysis of contacts",
            env,
            lambda: env["collection.action.report"].formatted_read_group(
                [("state", "=", "done")], ["channel", "user_id"], ["paid_rate:avg", "collected_soon:sum"]
            ),
        ),
    )
    stopwatch.compare("analysis of open items to Odoo's of invoices", items, theirs)
    stopwatch.compare("analysis of contacts to Odoo's of invoices", contacts, theirs)
