"""Bands written as one line of text, the way people write them down.

>>> parse("1: 20, 8: 35.5; 90: 100")
[(1.0, 20), (8.0, 36), (90.0, 100)]
>>> dump([(1, 20), (8.5, 35)])
'1: 20, 8.5: 35'
"""

import math
import re

SEPARATORS = re.compile(r"[;,\n]\s*(?=[^,;\n]+:)|\s*[;\n]\s*")


def parse(text: str) -> list[tuple[str | float, int]]:
    """Read bands such as ``1: 20, 8: 35``: from which value on, how many percent of the points.

    :return: pairs ``(lower bound, percent)``; the lower bound stays text when it is a word.
    :raises ValueError: with the part that can't be understood.
    """
    bands = []
    for part in filter(None, (part.strip(" ,;") for part in SEPARATORS.split(text or ""))):
        lower, colon, percent = part.rpartition(":")
        try:
            share = math.floor(float(percent.strip(" %").replace(",", ".")) + 0.5)
        except (ValueError, OverflowError):
            share = None
        if not colon or share is None or not lower.strip() or not 0 <= share <= 100:
            raise ValueError(part)
        bands.append((_number_or_word(lower.strip()), share))
    return bands


def dump(bands) -> str:
    """Write bands as ``parse`` reads them."""
    return ", ".join(
        f"{lower:g}: {share}" if not isinstance(lower, str) else f"{lower}: {share}" for lower, share in bands
    )


def _number_or_word(text: str) -> str | float:
    """Return a number when ``text`` is one, else the text itself."""
    try:
        return float(text.replace(" ", "").replace("≥", "").replace(",", "."))
    except ValueError:
        return text
