from . import (  # noqa: I001 - the order in which the models build on each other
    collection_run,
    collection_run_calendar,
    collection_run_customer,
    res_partner_run,
    collection_debtor,
    collection_promise,
    collection_plan,
    collection_run_report,
)
