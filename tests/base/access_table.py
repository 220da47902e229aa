"""Who may do what: the table that the registry is compared with. What it lacks fails."""

OPERATIONS = {"r": "read", "w": "write", "c": "create", "d": "unlink"}

# What each role may do with a model at all: dispute owner, own cases, all cases, administrator.
# The other five of the nine users may do nothing with a model of ours: an employee without a role, a salesperson,
# somebody who only invoices, a customer on the portal, a visitor.
ACCESS = {
    "collection.action": ("", "rwcd", "rwcd", "rwcd"),
    "collection.action.item": ("", "r", "r", "r"),
    "collection.action.report": ("", "r", "r", "r"),
    "collection.call.log": ("", "rwcd", "rwcd", "rwcd"),
    "collection.campaign": ("", "r", "rwcd", "rwcd"),
    "collection.case": ("", "rw", "rw", "rw"),
    "collection.case.close": ("", "rwcd", "rwcd", "rwcd"),
    "collection.case.item": ("", "r", "r", "r"),
    "collection.criterion": ("", "r", "r", "rwcd"),
    "collection.criterion.band": ("", "r", "r", "rwcd"),
    "collection.debtor": ("", "rw", "rw", "rwd"),
    "collection.debtor.export": ("", "r", "r", "r"),
    "collection.debtor.why": ("", "rwcd", "rwcd", "rwcd"),
    "collection.dispute": ("rw", "rwc", "rwc", "rwc"),
    "collection.dispute.line": ("r", "rwc", "rwc", "rwc"),
    "collection.dispute.open": ("", "rwcd", "rwcd", "rwcd"),
    "collection.dispute.open.line": ("", "rwcd", "rwcd", "rwcd"),
    "collection.handover": ("", "", "rwc", "rwc"),
    "collection.handover.create": ("", "", "rwcd", "rwcd"),
    "collection.handover.item": ("", "", "r", "r"),
    "collection.handover.line": ("", "", "r", "r"),
    "collection.item.report": ("", "r", "r", "r"),
    "collection.letter.post": ("", "rwcd", "rwcd", "rwcd"),
    "collection.paper": ("", "r", "r", "r"),
    "collection.pause": ("", "r", "r", "r"),
    "collection.pause.set": ("", "rwcd", "rwcd", "rwcd"),
    "collection.plan": ("", "r", "r", "rwcd"),
    "collection.plan.simulation": ("", "rwcd", "rwcd", "rwcd"),
    "collection.plan.simulation.line": ("", "rd", "rd", "rd"),
    "collection.plan.simulation.step": ("", "rwcd", "rwcd", "rwcd"),
    "collection.plan.start": ("", "", "", "rwcd"),
    "collection.plan.step": ("", "r", "r", "rwcd"),
    "collection.promise": ("", "rwc", "rwc", "rwc"),
    "collection.promise.line": ("", "rwc", "rwc", "rwc"),
    "collection.promise.plan": ("", "r", "r", "r"),
    "collection.promise.record": ("", "rwcd", "rwcd", "rwcd"),
    "collection.promise.record.line": ("", "rwcd", "rwcd", "rwcd"),
    "collection.provider": ("", "r", "r", "rwcd"),
    "collection.provider.account": ("", "", "r", "r"),
    "collection.provider.import": ("", "", "rwcd", "rwcd"),
    "collection.provider.import.column": ("", "", "rwcd", "rwcd"),
    "collection.provider.import.line": ("", "", "r", "r"),
    "collection.provider.statement": ("", "", "r", "r"),
    "collection.quiet.period": ("", "rwcd", "rwcd", "rwcd"),
    "collection.reason": ("r", "r", "r", "rwcd"),
    "collection.receivable.batch": ("", "", "", "rwcd"),
    "collection.receivable.column": ("", "", "", "rw"),
    "collection.receivable.line": ("", "", "", "r"),
    "collection.refresh.queue": ("", "", "", "r"),
    "collection.reminder.send": ("", "rwcd", "rwcd", "rwcd"),
    "collection.run.report": ("", "", "", "r"),
    "collection.score.history": ("", "r", "r", "r"),
    "collection.score.tuning": ("", "", "", "rwcd"),
    "collection.score.tuning.line": ("", "", "", "rwcd"),
    "collection.snapshot": ("", "", "r", "r"),
    "collection.statement": ("", "r", "r", "r"),
    "collection.statement.print": ("", "rwcd", "rwcd", "rwcd"),
    "collection.step.preview": ("", "rwcd", "rwcd", "rwcd"),
    "collection.suspended.item": ("", "", "", "r"),
}

# == Whose records there are of each model ==
# In the users' company, by the debtor that they are about:
MINE = "of the collector's debtor"
NOBODYS = "of nobody's debtor"
COLLEAGUES = "of a colleague's debtor"
MY_CASE = "of a colleague's debtor with a case of the collector"
PAST_CASE = "of a colleague's debtor with a closed case of the collector"
BY_ME = "of a colleague's debtor, written by the collector or given to the dispute owner"
OF_A_DEBTOR = (MINE, NOBODYS, COLLEAGUES, MY_CASE, PAST_CASE, BY_ME)
# In the users' company, of no debtor; in another company; and in none.
COMPANY = "of the company"
FOREIGN = "of another company"
SHARED = "of all companies"
# Dialogues, by the role of the one who opened them.
DIALOGUES = ("collector", "team_user", "manager")
# Models whose records are their author's alone, as dialogues are.
OF_THEIR_AUTHOR = {"collection.paper"}
# A campaign with the collector in its team.
MEMBER = "of the collector's team"
# Documents of suppliers in the users' company.
SUPPLIERS = "of a supplier"

# What users with own cases see of a model with a debtor, and what they see of one without.
TO_COLLECTOR = {MINE, NOBODYS, MY_CASE, COMPANY, SHARED}

# Where the collector's name on the record itself opens it, whosever the debtor is.
OPEN_TO_AUTHOR = {
    "collection.action",
    "collection.action.item",
    "collection.action.report",
    "collection.dispute",
    "collection.dispute.line",
    "collection.pause",
    "collection.promise",
    "collection.promise.line",
    "collection.promise.plan",
    "collection.statement",
}

# What the collector sees where neither holds.
COLLECTOR_SEES = {
    # A case is its collector's, closed or not, whosever the debtor is.
    "collection.case": {MINE, NOBODYS, MY_CASE, PAST_CASE},
    "collection.case.item": {MINE, NOBODYS, MY_CASE, PAST_CASE},
    # A campaign is its people's.
    "collection.campaign": {MINE, NOBODYS, MY_CASE, PAST_CASE, BY_ME, MEMBER},
}

# Who sees less of a model for some of the operations.
NARROWER = {
    # Days on which nobody at all is written to are the administrators'.
    ("collection.quiet.period", "collector", "wcd"): {COMPANY, SHARED},
    ("collection.quiet.period", "team_user", "wcd"): {COMPANY, SHARED},
}

# Models whose records are those of one debtor without a required field that says so.
WITH_A_DEBTOR = {"collection.campaign"}

# Optional fields that the rules look at.
FOLLOWED = {
    ("collection.quiet.period", "debtor_id"),
    ("collection.promise", "plan_id"),
    ("collection.action", "partner_id"),
    ("collection.action", "provider_id"),
}

# Rules that hold nothing back which is not held back elsewhere, and where.
DOUBLE = {
    "collection_item_report_rule_company": "the analysis reads the companies of the user only",
    "collection_action_report_rule_company": "the analysis reads the companies of the user only",
}
# Reading that the rule for reading opens already.
READ_ANYWAY = {
    "collection_quiet_period_rule_user",
    "collection_quiet_period_rule_team",
    "collection_quiet_period_rule_manager",
}

# == What a browser may ask for ==
# {route: (model of the record that it names, address of one)}
ROUTES = {
    "/account_collection/recap/<int:campaign_id>": ("collection.campaign", "/account_collection/recap/%s"),
    "/account_collection/debtors/<int:export_id>/xlsx": (
        "collection.debtor.export",
        "/account_collection/debtors/%s/xlsx",
    ),
    "/account_collection/statement/<int:dialogue_id>/<any(pdf, xlsx):file_type>": (
        "collection.statement.print",
        "/account_collection/statement/%s/xlsx",
    ),
}

# == What a session may call ==
# How each public method is guarded: "acts" refuses whoever may not read the record; "opens" only opens a window, or
# passes on to Odoo's own method, and changes nothing for them.
PUBLIC_METHODS = {
    "account.journal": {
        "action_collection_watch": "acts",
    },
    "account.move": {
        "action_collection_dispute": "acts",
        "action_collection_pause": "acts",
        "action_collection_promise": "acts",
        "action_collection_resume": "acts",
        "action_toggle_block_payment": "acts",
        "action_view_collection_debtor": "acts",
        "action_view_collection_reminders": "opens",
        "button_draft": "acts",
    },
    "account.move.line": {
        "action_open_collection_move": "opens",
    },
    "collection.action": {
        "action_cancel": "acts",
        "action_confirm": "acts",
        "action_log_call": "acts",
        "action_mark_done": "acts",
        "action_mark_posted": "acts",
        "action_open_target": "acts",
        "action_preview": "acts",
        "action_print_letters": "acts",
        "action_try_again": "acts",
        "action_why": "acts",
    },
    "collection.action.item": {
        "action_open_action": "acts",
    },
    "collection.action.report": {
        "action_open_target": "acts",
    },
    "collection.call.log": {
        "action_confirm": "acts",
    },
    "collection.campaign": {
        "action_cancel": "acts",
        "action_close": "acts",
        "action_draft": "acts",
        "action_export_recap": "opens",
        "action_hand_over": "acts",
        "action_prepare": "acts",
        "action_preview": "acts",
        "action_print_recap": "opens",
        "action_start": "acts",
        "action_view_cases": "acts",
        "action_view_handovers": "opens",
        "action_view_kanban": "acts",
    },
    "collection.case": {
        "action_deescalate": "acts",
        "action_escalate": "acts",
        "action_hand_over": "acts",
        "action_log_call": "acts",
        "action_next_case": "acts",
        "action_open_close_dialog": "acts",
        "action_open_dispute": "acts",
        "action_record_promise": "acts",
        "action_refresh": "acts",
        "action_reopen": "acts",
        "action_send_reminder": "acts",
        "action_view_debtor": "acts",
    },
    "collection.case.close": {
        "action_confirm": "acts",
    },
    "collection.case.item": {
        "action_open_move": "acts",
    },
    "collection.dashboard": {
        "get_data": "acts",
        "get_week_action": "acts",
    },
    "collection.debtor": {
        "action_export_file": "acts",
        "action_log_call": "acts",
        "action_mark_read": "acts",
        "action_open_dispute": "acts",
        "action_pause": "acts",
        "action_preview_step": "acts",
        "action_print_statement": "opens",
        "action_record_promise": "acts",
        "action_refresh": "acts",
        "action_send_reminder": "acts",
        "action_simulate": "acts",
        "action_view_actions": "opens",
        "action_view_cases": "opens",
        "action_view_disputes": "opens",
        "action_view_invoices": "acts",
        "action_view_open_items": "acts",
        "action_view_overdue_items": "acts",
        "action_view_promises": "opens",
        "action_view_score_history": "acts",
        "action_view_statements": "opens",
        "action_why": "acts",
        "message_update": "opens",
    },
    "collection.debtor.why": {
        "action_mark_read": "acts",
        "action_simulate": "acts",
    },
    "collection.dispute": {
        "action_accept": "acts",
        "action_ask_salesperson": "acts",
        "action_cancel": "acts",
        "action_credit_note": "acts",
        "action_reject": "acts",
        "action_send_invoice": "acts",
        "action_write_customer": "acts",
    },
    "collection.dispute.open": {
        "action_confirm": "acts",
    },
    "collection.handover": {
        "action_download": "acts",
        "action_download_stop_list": "acts",
        "action_end": "acts",
        "action_take_back": "opens",
        "action_view_account": "opens",
        "action_view_imports": "opens",
        "action_view_lines": "opens",
    },
    "collection.handover.create": {
        "action_confirm": "acts",
    },
    "collection.handover.line": {
        "action_open_case": "acts",
    },
    "collection.item.report": {
        "action_open_move": "acts",
    },
    "collection.letter.post": {
        "action_confirm": "acts",
    },
    "collection.pause.set": {
        "action_confirm": "acts",
    },
    "collection.paper": {
        "action_cancel": "acts",
    },
    "collection.plan": {
        "action_preview": "acts",
        "action_simulate": "acts",
        "action_start": "acts",
        "action_stop": "acts",
        "action_try_changes": "acts",
        "action_view_actions": "opens",
        "action_view_debtors": "acts",
    },
    "collection.plan.simulation": {
        "action_open": "acts",
        "action_run": "acts",
        "action_try_changes": "acts",
        "action_view_calendar": "opens",
        "action_view_differences": "opens",
        "action_view_list": "opens",
        "action_view_pivot": "opens",
    },
    "collection.plan.simulation.line": {
        "action_open_debtor": "acts",
    },
    "collection.plan.start": {
        "action_confirm": "acts",
        "action_simulate": "acts",
    },
    "collection.plan.step": {
        "action_preview": "acts",
    },
    "collection.promise": {
        "action_cancel": "acts",
        "action_not_acknowledged": "acts",
        "action_renegotiate": "acts",
        "action_send_confirmation": "acts",
    },
    "collection.promise.plan": {
        "action_cancel": "acts",
        "action_renegotiate": "acts",
    },
    "collection.promise.record": {
        "action_confirm": "acts",
    },
    "collection.provider": {
        "action_view_account": "opens",
        "action_view_handovers": "opens",
    },
    "collection.provider.account": {
        "action_open_customer": "acts",
    },
    "collection.provider.import": {
        "action_apply": "acts",
        "action_download_errors": "acts",
        "action_draft": "acts",
        "action_read": "acts",
        "action_view_handover": "acts",
        "action_view_rows": "opens",
    },
    "collection.provider.import.line": {
        "action_open_case": "acts",
    },
    "collection.receivable.batch": {
        "action_apply": "acts",
        "action_edit": "acts",
        "action_preview": "acts",
        "action_undo": "acts",
        "action_view_debtors": "acts",
        "action_view_lines": "acts",
        "action_view_moves": "acts",
    },
    "collection.receivable.line": {
        "action_open_move": "acts",
    },
    "collection.reminder.send": {
        "action_send": "acts",
    },
    "collection.run.report": {
        "action_view_actions": "acts",
    },
    "collection.score.tuning": {
        "action_apply": "acts",
        "action_reset": "acts",
    },
    "collection.snapshot": {
        "action_recompute": "acts",
    },
    "collection.statement": {
        "action_cancel": "acts",
        "action_retry": "acts",
    },
    "collection.statement.print": {
        "action_download_xlsx": "acts",
        "action_print": "acts",
        "action_send": "acts",
    },
    "collection.step.preview": {
        "action_cancel": "acts",
        "action_confirm": "acts",
    },
    "mail.mail": {
        "mark_outgoing": "acts",
    },
    "mail.thread": {
        "message_process": "opens",
    },
    "res.partner": {
        "action_view_collection_debtor": "acts",
    },
}
