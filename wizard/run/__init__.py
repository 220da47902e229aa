from . import (  # noqa: I001 - the order in which the models build on each other
    base_partner_merge,
)
