from . import (
    collection_provider_account,
    handover_file,
    collection_action_report,
    collection_item_report,
    recap,
    recap_workbook,
    report_campaign_recap,
    report_statement,
    statement,
    statement_workbook,
)
