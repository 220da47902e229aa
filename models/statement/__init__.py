from . import (  # noqa: I001 - the order in which the models build on each other
    collection_debtor_statement,
    collection_statement,
    collection_paper,
)
