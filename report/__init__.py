from . import (
    collection_action_report,
    collection_item_report,
    collection_provider_account,
    debtor_workbook,
    recap,
    recap_workbook,
    report_campaign_recap,
    report_statement,
    statement,
    statement_workbook,
)
