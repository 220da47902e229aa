from . import (  # noqa: I001 - the order in which the models build on each other
    collection_debtor_plan,
    collection_quiet_period,
    collection_plan,
    decision_words,
    collection_plan_step,
    ir_module_module,
    decision,
    forecast,
    collection_action,
    res_company,
)
