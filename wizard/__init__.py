from . import (  # noqa: I001 - the order in which the models build on each other
    debtor,
    plan,
    delivery,
    answer,
    campaign,
    provider,
    statement,
    run,
)
