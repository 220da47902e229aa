def post_init_hook(env):
    """Fill the follow-up file soon after installation, without making the installation wait for it."""
    env.ref("account_collection.cron_refresh_debtors")._trigger()
    # Here and not in the data: what is copied has its translations by now.
    env["collection.plan"]._ensure_plans(env["res.company"].search([("active", "in", (True, False))]))
    env.ref("account_collection.cron_record_snapshots")._trigger()
