from . import (  # noqa: I001 - the order in which the models build on each other
    build,
    debtor_workbook,
    numbers,
    pdf,
    workbook,
)
