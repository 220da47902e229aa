from odoo.tools import SQL

NAME = "account_collection"


def post_init_hook(env):
    """Fill the follow-up file soon after installation, without making the installation wait for it."""
    env.ref("account_collection.cron_refresh_debtors")._trigger()
    # Here and not in the data: what is copied has its translations by now.
    env["collection.plan"]._ensure_plans(env["res.company"].search([("active", "in", (True, False))]))
    env.ref("account_collection.cron_record_snapshots")._trigger()


def uninstall_hook(env):
    """Leave nothing in force of what only this addon would end, and let Odoo delete the rest without errors."""
    env["collection.pause"]._release_all()
    _give_activities_back(env)
    _forget_used_records(env)
    env.flush_all()
    _drop_restrictions(env)


def _give_activities_back(env):
    """Make plain tasks of the activities of our types that stand on records of other addons; ours go with us."""
    types = env["ir.model.data"].sudo().search([("module", "=", NAME), ("model", "=", "mail.activity.type")])
    activities = (
        env["mail.activity"]
        .sudo()
        .with_context(active_test=False)
        .search([("activity_type_id", "in", types.mapped("res_id"))])
    )
    own = activities.filtered(lambda activity: (activity.res_model or "").startswith("collection."))
    own.unlink()
    (activities - own).activity_type_id = env.ref("mail.mail_activity_data_todo")


def _forget_used_records(env):
    """Give up the companies, users and customers of the demo data: their ledger keeps them, as Odoo's own records."""
    models = ("res.company", "res.users", "res.partner")
    env["ir.model.data"].sudo().search([("module", "=", NAME), ("model", "in", models)]).unlink()


def _drop_restrictions(env):
    """Drop the foreign keys by which our tables hold records of our tables.

    All of them are dropped anyway. Odoo deletes what has an external id first, and logs an error for a reason, plan or
    template in use.
    """
    tables = [model._table for model in env.values() if model._auto and model._name.startswith("collection.")]
    constraints = env.execute_query(
        SQL(
            """
            SELECT conrelid::regclass::text, conname
              FROM pg_constraint
             WHERE contype = 'f' AND confdeltype IN ('r', 'a') AND conrelid::regclass::text IN %s
            """,
            tuple(tables),
        )
    )
    for table, name in constraints:
        env.cr.execute(SQL("ALTER TABLE %s DROP CONSTRAINT %s", SQL.identifier(table), SQL.identifier(name)))
