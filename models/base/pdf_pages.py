"""Finishing of printed pages: numbers at their foot, many documents in one file.

A wkhtmltopdf without patched Qt prints no footers: the numbers are written onto the finished pages.
"""

from io import BytesIO

from reportlab.pdfgen.canvas import Canvas

from odoo.tools.pdf import PdfFileReader, PdfFileWriter, merge_pdf

FONT, FONT_SIZE = "Helvetica", 8
# In points: 14 mm from the sides, 7 mm from the foot.
SIDE, FOOT = 40, 20


def number_pages(content, left=""):
    """Write “1 / 3” at the foot of each page.

    :param bytes content: a PDF.
    :param str left: what stands on the left of the foot: the document's name. Letters that the standard
        fonts of PDF don't have are left out.
    :return: the PDF with numbers.
    """
    pages = PdfFileReader(BytesIO(content), strict=False).pages
    writer = PdfFileWriter()
    left = left.encode("cp1252", "ignore").decode("cp1252").strip()[:110]
    stamps = _draw_numbers([page.mediabox for page in pages], left)
    for page, stamp in zip(pages, stamps, strict=True):
        page.merge_page(stamp)
        writer.add_page(page)
        writer.pages[-1].compress_content_streams()
    output = BytesIO()
    writer.write(output)
    return output.getvalue()


def _draw_numbers(boxes, left):
    """Return empty pages of these sizes that hold nothing but their foot."""
    output = BytesIO()
    canvas = Canvas(output)
    for number, box in enumerate(boxes, start=1):
        width = float(box.width)
        canvas.setPageSize((width, float(box.height)))
        canvas.setFont(FONT, FONT_SIZE)
        canvas.setFillGray(0.4)
        canvas.drawString(SIDE, FOOT, left)
        canvas.drawRightString(width - SIDE, FOOT, f"{number} / {len(boxes)}")
        canvas.showPage()
    canvas.save()
    return PdfFileReader(BytesIO(output.getvalue()), strict=False).pages


def merge_pages(documents):
    """Return many PDF documents as one."""
    return documents[0] if len(documents) == 1 else merge_pdf(documents)
