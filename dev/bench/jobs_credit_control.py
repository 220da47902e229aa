"""OCA's account_credit_control: one run of its standard policy over the ledger."""

from odoo import fields

from .stopwatch import Task


def measure(env, stopwatch):
    """Measure how it makes its lines, one for each overdue item that reached a level."""
    policy = env.ref("account_credit_control.credit_control_3_time")
    env.cr.execute("SELECT DISTINCT account_id FROM account_move_line WHERE display_type = 'payment_term'")
    policy.account_ids = env["account.account"].browse(row[0] for row in env.cr.fetchall())
    env.company.credit_policy_id = policy
    env.cr.commit()

    def make_lines():
        run = env["credit.control.run"].create({"date": fields.Date.today(), "policy_ids": policy.ids})
        run.generate_credit_lines()

    stopwatch.measure(Task("account_credit_control: make its lines", env, make_lines))
