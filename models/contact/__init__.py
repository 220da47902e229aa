from . import (  # noqa: I001 - the order in which the models build on each other
    collection_action,
    collection_action_item,
    account_move,
    collection_debtor,
)
