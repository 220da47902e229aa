"""Plain text as HTML: what a customer, a colleague or a file said, for fields and messages that hold HTML.

>>> to_html("3 < 5\\n<img src=x> https://example.com")
Markup('<p>3 &lt; 5<br/>&lt;img src=x&gt; https://example.com</p>')
>>> to_html("")
Markup('')
"""

from markupsafe import Markup


def to_html(text: str | None) -> Markup:
    """Return plain text as HTML: its lines stay lines, and nothing in it becomes a tag, an image or a link.

    Addresses stay words on purpose: a stranger's link is for people to judge, not to click.
    """
    lines = str(text or "").strip().splitlines()
    return Markup("<p>%s</p>") % Markup("<br/>").join(lines) if lines else Markup()
