from . import (
    recap,
    recap_workbook,
    report_campaign_recap,
)
