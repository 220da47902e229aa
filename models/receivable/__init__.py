from . import (  # noqa: I001 - the order in which the models build on each other
    collection_receivable_batch,
    const,
    collection_receivable_booking,
    collection_receivable_reading,
    collection_receivable_column,
    collection_receivable_line,
    account_move,
)
