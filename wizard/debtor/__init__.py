from . import (  # noqa: I001 - the order in which the models build on each other
    collection_pause_set,
    collection_score_tuning,
)
