from . import (  # noqa: I001 - the order in which the models build on each other
    collection_campaign,
    collection_campaign_start,
    collection_case,
    collection_case_settle,
    collection_case_item,
    collection_debtor,
    collection_action,
    collection_promise,
    collection_dispute,
)
