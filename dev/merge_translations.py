"""Brings translations up to date with the exported terms: ``python -m dev.merge_translations fr``.

Odoo's own export would empty each translation that equals its term, such as "Actions" in French.
It is a program of its own since it needs polib from Odoo's environment.
"""

import sys

import polib

from .paths import NAME, ROOT

_FOLDER = ROOT / "i18n"
_WIDTH = 78


def merge(language, template):
    """Add new terms, empty, and take out those that are no longer there.

    :param str language: the language's code
    :param polib.POFile template: the addon's terms
    :return: how many terms are not translated
    :rtype: int
    """
    path = _FOLDER / f"{language}.po"
    old = polib.pofile(str(path)) if path.exists() else []
    translations = {entry.msgid: entry.msgstr for entry in old if not entry.fuzzy}
    new = polib.POFile(wrapwidth=_WIDTH)
    new.header = template.header
    new.metadata = {**template.metadata, **getattr(old, "metadata", {}), "Language": language}
    for term in template:
        term.msgstr = translations.get(term.msgid, "")
        new.append(term)
    new.save(str(path))
    return len(new.untranslated_entries())


def main():
    """Merge the languages of the command line, and print how many terms each lacks."""
    for language in sys.argv[1:]:
        template = polib.pofile(str(_FOLDER / f"{NAME}.pot"), wrapwidth=_WIDTH)
        print(f"i18n/{language}.po: {merge(language, template)} of {len(template)} untranslated")


if __name__ == "__main__":
    main()
