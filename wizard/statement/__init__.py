from . import (  # noqa: I001 - the order in which the models build on each other
    collection_debtor_export,
    collection_statement_print,
)
