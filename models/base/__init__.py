from . import (  # noqa: I001 - the order in which the models build on each other
    res_company,
    res_config_settings,
    collection_state_mixin,
    collection_tabular_file_mixin,
    ir_actions_report,
    fields,
    pdf_pages,
    pending_refresh,
)
