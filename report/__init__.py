from . import (
    collection_provider_account,
    handover_file,
    collection_action_report,
    collection_item_report,
    debtor_workbook,
    recap,
    recap_workbook,
    report_campaign_recap,
    report_statement,
    statement,
    statement_workbook,
)
