"""Charts of the recap, as SVG that prints in grey as well as in colour."""

from base64 import b64encode

from reportlab.graphics import renderSVG
from reportlab.graphics.shapes import Drawing, Rect, String
from reportlab.lib.colors import HexColor
from reportlab.pdfbase.pdfmetrics import stringWidth

FONT = "Helvetica"
# What readers have in its place: as wide, letter by letter.
FONT_FAMILY = "Helvetica, 'Liberation Sans', Arial, sans-serif"
FONT_SIZE = 9
ROW_HEIGHT = 20
BAR_HEIGHT = 11
GAP = 8
TEXT_COLOR = HexColor("#2b2f36")
BAR_COLOR = HexColor("#3f5f7f")
# Beside the other it stays apart on a printer without colours: light, with an edge.
PAIR_COLOR = HexColor("#c3cfdb")
PAIR_BAR_HEIGHT = 8
PAIR_ROW_HEIGHT = 27
TRACK_COLOR = HexColor("#eceff3")


def shorten(text, width):
    """Cut a text so that it fits into ``width`` points.

    >>> shorten("Invoice not received", 200), shorten("Invoice not received", 60)
    ('Invoice not received', 'Invoice not r…')
    """
    if stringWidth(text, FONT, FONT_SIZE) <= width:
        return text
    while text and stringWidth(f"{text}…", FONT, FONT_SIZE) > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


def bar_chart(bars, width=640, label_share=0.34):
    """Draw one horizontal bar per value, with its label before and its figure behind.

    :param bars: ``[(label, value, figure in words)]``; values below zero get no bar.
    :param int width: of the drawing, in points.
    :param float label_share: of the width, at most, for the labels.
    :return: the picture as SVG.
    """
    largest = max((value for _label, value, _figure in bars), default=0) or 1
    labels = [shorten(label, width * label_share) for label, _value, _figure in bars]
    label_width = max((stringWidth(label, FONT, FONT_SIZE) for label in labels), default=0)
    figure_width = max((stringWidth(figure, FONT, FONT_SIZE) for _label, _value, figure in bars), default=0)
    bar_width = width - label_width - figure_width - 2 * GAP
    drawing = Drawing(width, len(bars) * ROW_HEIGHT or 1)
    for index, (label, (_label, value, figure)) in enumerate(zip(labels, bars, strict=True)):
        bottom = drawing.height - (index + 1) * ROW_HEIGHT
        bar_bottom = bottom + (ROW_HEIGHT - BAR_HEIGHT) / 2
        text_bottom = bar_bottom + (BAR_HEIGHT - FONT_SIZE) / 2 + 2
        text_style = {"fontName": FONT, "fontSize": FONT_SIZE, "fillColor": TEXT_COLOR}
        bar_left = label_width + GAP
        length = bar_width * max(float(value / largest), 0.0)
        drawing.add(String(0, text_bottom, label, **text_style))
        drawing.add(Rect(bar_left, bar_bottom, bar_width, BAR_HEIGHT, fillColor=TRACK_COLOR, strokeColor=None))
        if length:
            drawing.add(Rect(bar_left, bar_bottom, length, BAR_HEIGHT, fillColor=BAR_COLOR, strokeColor=None))
        drawing.add(String(width, text_bottom, figure, textAnchor="end", **text_style))
    return _to_svg(drawing)


def pair_chart(rows, names, width=640, label_share=0.25):
    """Draw two horizontal bars per row, one above the other, to be compared; what they are stands above.

    :param rows: ``[(label, (value, figure in words), (value, figure in words))]``.
    :param names: what the first and the second bars are.
    :param int width: of the drawing, in points.
    :param float label_share: of the width, at most, for the labels.
    :return: the picture as SVG.
    """
    pairs = [(first, second) for _label, first, second in rows]
    largest = max((value for pair in pairs for value, _figure in pair), default=0) or 1
    labels = [shorten(label, width * label_share) for label, _first, _second in rows]
    label_width = max((stringWidth(label, FONT, FONT_SIZE) for label in labels), default=0)
    figure_width = max((stringWidth(figure, FONT, FONT_SIZE) for pair in pairs for _value, figure in pair), default=0)
    bar_left, bar_width = label_width + GAP, width - label_width - figure_width - 2 * GAP
    drawing = Drawing(width, len(rows) * PAIR_ROW_HEIGHT + ROW_HEIGHT)
    _add_legend(drawing, names, bar_left)
    style = {"fontName": FONT, "fontSize": FONT_SIZE, "fillColor": TEXT_COLOR}
    for index, (label, pair) in enumerate(zip(labels, pairs, strict=True)):
        top = drawing.height - ROW_HEIGHT - index * PAIR_ROW_HEIGHT
        drawing.add(String(0, top - PAIR_ROW_HEIGHT / 2 - 2, label, **style))
        for number, ((value, figure), (fill, edge)) in enumerate(zip(pair, _PAIR_STYLES, strict=True), start=1):
            bottom = top - number * (PAIR_BAR_HEIGHT + 3)
            length = bar_width * max(float(value / largest), 0.0)
            if length:
                drawing.add(Rect(bar_left, bottom, length, PAIR_BAR_HEIGHT, fillColor=fill, strokeColor=edge))
            drawing.add(String(width, bottom + 1, figure, textAnchor="end", **style))
    return _to_svg(drawing)


_PAIR_STYLES = ((PAIR_COLOR, BAR_COLOR), (BAR_COLOR, BAR_COLOR))


def _add_legend(drawing, names, left):
    """Write what the first and the second bars are into the first row of a drawing."""
    bottom = drawing.height - ROW_HEIGHT + 6
    for name, (fill, edge) in zip(names, _PAIR_STYLES, strict=True):
        drawing.add(Rect(left, bottom, 10, PAIR_BAR_HEIGHT, fillColor=fill, strokeColor=edge))
        drawing.add(String(left + 14, bottom + 1, name, fontName=FONT, fontSize=FONT_SIZE, fillColor=TEXT_COLOR))
        left += stringWidth(name, FONT, FONT_SIZE) + 34


def _to_svg(drawing):
    return renderSVG.drawToString(drawing).replace(f"font-family: {FONT};", f"font-family: {FONT_FAMILY};")


def to_data_uri(svg):
    """Return a picture as the address of an image, so that it needs no server to be shown."""
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
