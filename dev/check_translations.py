"""Whether each translation is complete: ``python -m dev.check_translations``, run by the linter.

It is a program of its own since it needs polib from the linters' environment.
"""

import re
import sys

import polib

from .paths import NAME, ROOT

_COMPLETE = ("fr",)
_PLACEHOLDER = re.compile(r"%\(\w+\)[sdif]|%[sdif]|\{[\w.]*\}")


def problems(language, template):
    """:param str language: the language's code
    :param polib.POFile template: the addon's terms
    :return: what is wrong with its translation
    :rtype: iterator
    """
    path = ROOT / "i18n" / f"{language}.po"
    if not path.exists():
        yield f"i18n/{language}.po is missing"
        return
    catalog = {entry.msgid: entry for entry in polib.pofile(str(path)) if not entry.obsolete}
    for term in template:
        entry = catalog.get(term.msgid)
        if not entry or not entry.msgstr.strip():
            yield f"{path.name}: not translated: {term.msgid!r}"
        elif entry.fuzzy:
            yield f"{path.name}:{entry.linenum}: fuzzy: {term.msgid!r}"
        elif _placeholders(term.msgid) != _placeholders(entry.msgstr):
            yield f"{path.name}:{entry.linenum}: other placeholders than: {term.msgid!r}"
    known = {term.msgid for term in template}
    for msgid, entry in catalog.items():
        if msgid not in known:
            yield f"{path.name}:{entry.linenum}: no longer a term: {msgid!r}"


def _placeholders(text):
    return sorted(_PLACEHOLDER.findall(text))


def main():
    """Print the problems of all translations; exit with 1 when there are any."""
    path = ROOT / "i18n" / f"{NAME}.pot"
    if not path.exists():
        sys.exit(f"i18n/{NAME}.pot is missing: 'make i18n' makes it")
    template = polib.pofile(str(path))
    found = [problem for language in _COMPLETE for problem in problems(language, template)]
    print(*found[:50], sep="\n")
    if len(found) > 50:
        print(f"... and {len(found) - 50} more")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
