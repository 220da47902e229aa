from . import (  # noqa: I001 - the order in which the models build on each other
    collection_metrics,
    collection_snapshot,
    collection_dashboard,
)
