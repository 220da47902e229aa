from . import (  # noqa: I001 - the order in which the models build on each other
    collection_debtor_why,
    collection_plan_simulation,
    collection_plan_start,
    collection_plan_simulation_line,
)
