"""``README.rst``, which Odoo and the app stores show, made of the fragments in readme/ as OCA's tools do."""

import re

from .console import log
from .paths import NAME, ROOT, SERIES, manifest

_FILE = ROOT / "README.rst"
_SECTIONS = (
    ("INSTALL", "Installation"),
    ("CONFIGURE", "Configuration"),
    ("USAGE", "Usage"),
    ("ROADMAP", "Known issues / Roadmap"),
)
_LICENCES = {"LGPL-3": ("LGPL--3", "http://www.gnu.org/licenses/lgpl-3.0-standalone.html")}
_TEXT = """\
{title}

..
   Generated from the fragments in readme/ by "make readme": changes here are overwritten.

.. |status| image:: https://img.shields.io/badge/maturity-{status}-brightgreen.png
    :target: https://odoo-community.org/page/development-status
    :alt: {status}
.. |license| image:: https://img.shields.io/badge/licence-{badge}-blue.png
    :target: {licence}
    :alt: License: {licence_name}
.. |source| image:: https://img.shields.io/badge/source-{series}-lightgray.png
    :target: {website}
    :alt: {website}

|status| |license| |source|

{description}

**Table of contents**

.. contents::
   :local:

{sections}

Bug Tracker
===========

Bugs are tracked on `the project's issues <{website}/issues>`__. In case of trouble, please
check there if your issue has already been reported.

Credits
=======

Authors
-------

* {author}

Contributors
------------

{contributors}

Maintainers
-----------

This module is maintained by {maintainers}.
"""


def as_rst(text):
    """:param str text: Markdown of the kind that the fragments are written in
    :return: the same as reStructuredText
    :rtype: str
    """
    text = re.sub(r"`([^`]+)`", r"``\1``", text.strip())
    text = re.sub(r"\[([^\]]+)\]\(([^)]+)\)", r"`\1 <\2>`__", text)
    text = re.sub(r"^## (.+)$", lambda match: _title(match[1], "-"), text, flags=re.M)
    return "\n".join(_aligned(text.splitlines()))


def _aligned(lines):
    """Put what continues an item of a list exactly below the item's text, which Markdown does not ask for."""
    width = 0
    for line in lines:
        if marker := re.match(r"(\d+\. |- )", line):
            width = len(marker[0])
        elif line and not line.startswith(" "):
            width = 0
        elif line and width:
            line = " " * width + line.lstrip()
        yield line


def _title(text, line):
    return f"{text}\n{line * len(text)}"


def render():
    """:return: what README.rst must hold
    :rtype: str
    """
    facts = manifest()
    badge, licence = _LICENCES[facts["license"]]
    bar = "=" * len(facts["name"])
    return _TEXT.format(
        title=f"{bar}\n{facts['name']}\n{bar}",
        status=facts["development_status"],
        badge=badge,
        licence=licence,
        licence_name=facts["license"],
        series=f"{SERIES}%20{NAME}",
        website=facts["website"],
        author=facts["author"],
        description=_fragment("DESCRIPTION"),
        sections="\n\n".join(
            f"{_title(title, '=')}\n\n{_fragment(name)}" for name, title in _SECTIONS if _path(name).exists()
        ),
        contributors=_fragment("CONTRIBUTORS"),
        maintainers=_name_maintainers(facts),
    )


def _name_maintainers(facts):
    """Return the GitHub logins that the manifest names, as OCA has them, or the author."""
    logins = facts.get("maintainers", ())
    return ", ".join(f"`{name} <https://github.com/{name}>`__" for name in logins) or f"the {facts['author']}"


def _path(name):
    return ROOT / "readme" / f"{name}.md"


def _fragment(name):
    return as_rst(_path(name).read_text())


def run():
    """Write README.rst."""
    _FILE.write_text(render())
    log("README.rst is written.")


def check():
    """:return: whether README.rst says what the fragments say
    :rtype: bool
    """
    good = _FILE.exists() and _FILE.read_text() == render()
    if not good:
        print("README.rst differs from the fragments in readme/: run 'make readme'")
    return good
