from . import (
    collection_provider_account,
    handover_file,
    recap,
    recap_workbook,
    report_campaign_recap,
)
