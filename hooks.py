def post_init_hook(env):
    """Fill the follow-up file soon after installation, without making the installation wait for it."""
    env.ref("account_collection.cron_refresh_debtors")._trigger()
