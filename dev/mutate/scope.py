"""Which faults are worth planting: in code that decides about money and messages."""

import re

# Files that hold no decision, by their name: settings, and how a table or a page looks.
_NO_DECISION = re.compile(
    r"(^|/)(__init__|res_config_settings|ir_actions_report|ir_module_module|fields|recap_charts|charts"
    r"|recap_xlsx|xlsx|workbook|recap_workbook|debtor_workbook|statement_workbook|pdf|pdf_pages|report_campaign_recap"
    r"|report_statement|recap_pdf|statement_pdf)\.py$"
)
# Functions that open a screen, name a record or prepare the database.
_NO_DECISION_IN = re.compile(
    r"(^|\.)(action_(open|view|show|see)\w*|_get_(action|view)\w*|_open_\w+|_compute_display_name|_compute_\w*(label|color|help"
    r"|hint|warning)\w*|default_get|fields_get|get_views?|init|_auto_init|_register_hook|_search_display_name|__init__"
    r"|_group_expand\w*|_valid_field_parameter|_get_\w*(label|title|color|format|domain_for_view)s?)$"
)
FOLDERS = ("models", "report", "wizard")


def is_in_models(path, site):
    """:param str path: relative to the repository's root
    :param operators.Site site: a place in it
    :return: whether a fault there is worth planting
    :rtype: bool
    """
    return (
        not _NO_DECISION.search(path)
        and site.outermost is not None
        # The defaults of a function are computed when its module is loaded.
        and site.statement is not site.outermost
        and not _NO_DECISION_IN.search(site.function)
    )


def is_in_tools(_path, _site):
    """:return: whether a fault there is worth planting: all are
    :rtype: bool
    """
    return True


def paths(root, folders, pattern=""):
    """Return the Python files below some folders, without tests.

    :param pathlib.Path root: of the repository
    :param folders: names of folders in it
    :param str pattern: a regular expression that the path contains
    :return: paths relative to the root
    :rtype: list[str]
    """
    found = [
        path.relative_to(root)
        for folder in folders
        for path in sorted((root / folder).rglob("*.py"))
        if not {"tests", "__pycache__"}.intersection(path.relative_to(root).parts)
    ]
    return [path.as_posix() for path in found if re.search(pattern, path.as_posix())]
