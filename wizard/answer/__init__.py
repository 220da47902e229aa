from . import (  # noqa: I001 - the order in which the models build on each other
    collection_call_log,
    collection_dispute_open,
    collection_promise_record,
)
