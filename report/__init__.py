from . import (
    collection_action_report,
    collection_item_report,
    collection_provider_account,
    recap,
    statement,
)
