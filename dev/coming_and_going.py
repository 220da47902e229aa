"""An upgrade that leaves people's decisions alone, and an uninstallation that leaves nothing: on a used database.

The example of an extension (``tests/collection_example``) is there: it is upgraded with the addon, and it goes first.
"""

from . import odoo_log
from .console import log
from .paths import DEV, EXAMPLE, LOGS, NAME

# The release that is upgraded, as ``dev/upgrade/`` describes it.
_LAST_RELEASE = "19.0.0.2.0"
# What a user decides, and a customer's invoice that is paused: by us, and by hand.
_PREPARE = f"""\
group = env.ref("{NAME}.group_collection_manager")
group.user_ids -= env.ref("base.user_admin")
cron = env.ref("{NAME}.cron_settle")
cron.interval_number = 7
cron.active = False
env.ref("{NAME}.mail_template_firm").subject = "Our words"
env.ref("{NAME}.plan_standard_firm").name = "Our step"
env.ref("{NAME}.collection_reason_price").name = "Our reason"
env.ref("{NAME}.collection_criterion_days_late").weight = 31
env["mail.template"].create({{"name": "Not a reminder", "model_id": env.ref("base.model_res_partner").id}})
for debtor in env["collection.debtor"].search([("claimable_amount", ">", 0)], limit=3):
    first, *rest = [row["item"] for row in debtor._get_claimable_items()]
    env["collection.pause"]._pause(debtor, first.move_id, "2099-01-01", "Proof")
    for item in rest[:1]:
        item.no_followup = True
# What hangs on the example of an extension: steps, actions that are planned and done, a score.
plans = env["collection.plan"].search([("is_running", "=", True)])
steps = plans.step_ids.filtered(lambda step: step.channel == "email")
steps.channel = "chat"
plans.step_ids.filtered("is_message").fallback = "chat"
for state in ("planned", "done"):
    debtor = env["collection.debtor"].search([("company_id", "=", steps[0].company_id.id)], limit=1)
    values = {{"debtor_id": debtor.id, "channel": "chat", "step_id": steps[0].id, "plan_id": steps[0].plan_id.id}}
    action = env["collection.action"].create(values)
    if state == "done":
        action._set_state(state)
env["collection.criterion"].create({{
    "name": "Proof", "indicator": "example_is_public", "weight": 9, "band_ids": [(0, 0, {{"lower": 0, "percent": 50}})],
}})
env.cr.commit()
"""
# Whatever spoke of the channel and the indicator works on without them.
_UNINSTALL = f"""\
env["ir.module.module"].search([("name", "=", "{EXAMPLE}")]).button_immediate_uninstall()
Action, Step = env["collection.action"], env["collection.plan.step"].with_context(active_test=False)
assert not Step.search_count([("channel", "=", "chat")]), "a step still speaks by a channel that is gone"
assert not Action.search_count([("channel", "=", "chat"), ("state", "=", "planned")]), "an action waits for ever"
said = Action.search([("channel", "=", "chat")])
assert said, "what was said is forgotten"
said.read()
said.mapped("display_name")
Step.search([]).read()
for company in env["res.company"].search([]):
    debtors = env["collection.debtor"].search([("company_id", "=", company.id)])
    own = env(context={{**env.context, "allowed_company_ids": company.ids}})
    own["collection.debtor"]._refresh(company)
    own["collection.plan"]._decide(debtors, company._collection_today())
    digest = own["collection.digest"]
    digest._get_words(company, digest._get_facts(company))
    for step in own["collection.plan.step"].search([("company_id", "=", company.id)]) if debtors else ():
        preview = own["collection.step.preview"].create({{"step_id": step.id, "debtor_id": debtors[0].id}})
        preview.body
for action in said:
    action._get_fallback_channel()
    action._get_next_step()
env.cr.rollback()
env["ir.module.module"].search([("name", "=", "{NAME}")]).button_immediate_uninstall()
"""
_LEFT_OVER = {
    "tables": "SELECT COUNT(*) FROM pg_class WHERE relkind IN ('r', 'v') AND relname LIKE 'collection\\_%'",
    "columns": """
        SELECT COUNT(*) FROM information_schema.columns
         WHERE table_schema = 'public' AND column_name LIKE 'collection\\_%'
    """,
    "external ids": f"SELECT COUNT(*) FROM ir_model_data WHERE module = '{NAME}'",
    "scheduled actions": "SELECT COUNT(*) FROM ir_cron WHERE cron_name LIKE 'Collections:%'",
}


def prove(env, database):
    """Upgrade and then uninstall the addon in a database; it is spoilt afterwards.

    :param Environment env: the environment
    :param str database: its name, with the addon's demo data
    :return: how many proofs held, and how many did not
    :rtype: tuple
    """
    log("Coming and going: upgrade and uninstallation")
    results = _prove_upgrade(env, database) + _prove_uninstallation(env, database)
    for name, fault in results:
        print(f"  {'FAIL' if fault else 'ok  '} {name}{': ' + fault if fault else ''}", flush=True)
    failed = sum(bool(fault) for _name, fault in results)
    return len(results) - failed, failed


def _prove_upgrade(env, database):
    fault = _run_script(env, database, _PREPARE, "prepare")
    if fault:
        return [("an upgrade is prepared", fault)]
    env.postgres.sql((DEV / "upgrade" / f"{_LAST_RELEASE}.sql").read_text(), database)
    logfile = LOGS / f"{database}-upgrade.log"
    good = env.logged_odoo(logfile, "server", "-d", database, "-u", NAME, "--stop-after-init", "--no-http")
    found = [(f"the upgrade from {_LAST_RELEASE} ends well", _find_fault(logfile, good))]
    return found + [(name, _differs(env, database, query, expected)) for name, query, expected in _list_proofs()]


def _list_proofs():
    """Return what must hold after the upgrade: what it is, a query and its result."""
    role = f"""
        SELECT COUNT(*) FROM res_groups_users_rel
         WHERE gid = {_ref("group_collection_manager")} AND uid = {_ref("user_admin", "base")}
    """
    rules = f"SELECT COUNT(*) FROM ir_model_data WHERE module = '{NAME}' AND model = 'ir.rule' AND noupdate"
    steps = "SELECT COUNT(*) > 0 FROM collection_plan_step WHERE channel = 'chat' AND fallback = 'chat'"
    upgraded = f"SELECT state FROM ir_module_module WHERE name = '{EXAMPLE}'"
    rule = f"SELECT domain_force FROM ir_rule WHERE id = {_ref('collection_debtor_rule_company')}"
    unmarked = """
        SELECT COUNT(*) FROM collection_plan_step step
          JOIN mail_template text ON text.id = step.template_id AND text.is_collection_text IS NOT TRUE
    """
    other = "SELECT COUNT(*) FROM mail_template WHERE name->>'en_US' = 'Not a reminder' AND is_collection_text"
    return [
        ("the role that was taken away stays away", role, "0"),
        *_list_kept(),
        ("banners that companies had stay", "SELECT DISTINCT collection_banner FROM res_company", "words"),
        ("the example of an extension is upgraded with it", upgraded, "installed"),
        ("the steps that speak by its channel stay", steps, "t"),
        ("no rule is loaded once and for all", rules, "0"),
        ("a rule is brought up to date", f"SELECT ({rule}) LIKE '%company_id%'", "t"),
        ("texts of steps are marked as such", unmarked, "0"),
        ("other texts are not marked", other, "0"),
    ]


def _list_kept():
    """Return the values of single records that somebody changed, in the same way."""
    for what, table, value, record, expected in (
        ("the interval that somebody set", "ir_cron", "interval_number", "cron_settle", "7"),
        ("a scheduled action that is off", "ir_cron", "active", "cron_settle", "f"),
        ("a text that was rewritten", "mail_template", "subject->>'en_US'", "mail_template_firm", "Our words"),
        ("a step that was renamed", "collection_plan_step", "name->>'en_US'", "plan_standard_firm", "Our step"),
        ("a reason that was renamed", "collection_reason", "name->>'en_US'", "collection_reason_price", "Our reason"),
        ("a weight that was tuned", "collection_criterion", "weight", "collection_criterion_days_late", "31"),
    ):
        yield f"{what} stays", f"SELECT {value} FROM {table} WHERE id = {_ref(record)}", expected


def _prove_uninstallation(env, database):
    by_us = "SELECT item.account_move_line_id FROM account_move_line_collection_pause_rel item"
    paused = env.postgres.sql(
        f"{by_us} JOIN collection_pause pause ON pause.id = item.collection_pause_id AND pause.ended_on IS NULL",
        database,
    ).split()
    by_hand = f"""
        SELECT COUNT(*) FROM account_move_line
         WHERE no_followup AND id NOT IN ({", ".join(paused) or 0})
    """
    before = env.postgres.sql(by_hand, database)
    fault = _run_script(env, database, _UNINSTALL, "uninstall")
    results = [
        ("the uninstallation ends well", fault),
        ("some items were paused", "" if paused else "none"),
        ("items left out by hand stay so", _differs(env, database, by_hand, before)),
    ]
    in_force = f"SELECT COUNT(*) FROM account_move_line WHERE no_followup AND id IN ({', '.join(paused) or 0})"
    results.append(("paused items are followed up again", _differs(env, database, in_force, "0")))
    results += [(f"no {what} left over", _differs(env, database, query, "0")) for what, query in _LEFT_OVER.items()]
    return results


def _run_script(env, database, script, name):
    logfile = LOGS / f"{database}-{name}.log"
    with open(logfile, "w") as handle:
        options = ["shell", "-d", database, "--no-http"]
        result = env.odoo(*options, input=script, stdout=handle, stderr=handle, text=True)
    return _find_fault(logfile, not result.returncode)


def _find_fault(logfile, good):
    """Return what is wrong with a log, or an empty string."""
    report = odoo_log.read(logfile)
    bad = report.errors + report.warnings
    if "Traceback" in (text := logfile.read_text(errors="replace")) and not bad:
        bad = [text[text.index("Traceback") :]]
    if not bad and not good:
        bad = [odoo_log.tail(logfile)]
    return "\n".join(bad)[:3000]


def _differs(env, database, query, expected):
    found = env.postgres.sql(query, database).strip()
    return "" if found == expected.strip() else f"{found} instead of {expected.strip()}"


def _ref(name, module=NAME):
    return f"(SELECT res_id FROM ir_model_data WHERE module = '{module}' AND name = '{name}')"
