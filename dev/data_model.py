"""The picture of the data model on the README, drawn from the source: what is stored, and what refers to what.

Each area is a frame; each stored model is a box with its fields that refer to other models, in grey where they may be
empty. A line leads to what a record can't be without. Where the boxes stand is laid
down here; what they say is read from the code.
"""

import ast
from collections import defaultdict
from html import escape

from . import check_arrows
from .console import log
from .paths import ROOT

_FILE = ROOT / "static/description/data_model.svg"
# Rows of frames, each with its rows of boxes. Models of Odoo that are added to stand in the frame “Odoo”.
_COLUMNS = (
    (
        ("odoo", (("res.partner", "account.move"), ("account.move.line", None))),
        ("ledger", (("collection.refresh.queue", "collection.suspended.item"),)),
        (
            "receivable",
            (
                ("collection.receivable.batch", "collection.receivable.column"),
                ("collection.receivable.line", None),
            ),
        ),
        ("figures", (("collection.snapshot", None),)),
        ("run", (("collection.run.report", None),)),
    ),
    (
        ("plan", (("collection.plan", "collection.plan.step"), ("collection.quiet.period", None))),
        (
            "debtor",
            (
                ("collection.debtor", "collection.pause"),
                ("collection.score.history", "collection.criterion"),
                ("collection.criterion.band", None),
            ),
        ),
        ("contact", (("collection.action", "collection.action.item"),)),
        ("statement", (("collection.statement", None),)),
        ("delivery", (("collection.paper", None),)),
    ),
    (
        (
            "answer",
            (
                ("collection.promise", "collection.promise.line"),
                ("collection.promise.plan", "collection.dispute"),
                ("collection.dispute.line", "collection.reason"),
            ),
        ),
        ("campaign", (("collection.case", "collection.case.item"), ("collection.campaign", None))),
        (
            "provider",
            (
                ("collection.provider", "collection.handover"),
                ("collection.handover.line", "collection.handover.item"),
                ("collection.provider.statement", "collection.provider.import"),
                ("collection.provider.import.column", "collection.provider.import.line"),
            ),
        ),
    ),
)
_ODOO = {"res.partner": "Customer", "account.move": "Journal Entry", "account.move.line": "Journal Item"}
# What nearly all have says nothing.
_NOT_SHOWN = {"res.company", "res.users", "res.currency", "ir.attachment"}
_BOX_WIDTH, _LINE, _HEAD, _PAD, _GAP, _FRAME_GAP = 250, 15, 38, 8, 16, 26
_COLORS = ("#eef3f8", "#f5f1ea", "#eef5ee", "#f6eff3")
_STYLE = """\
text { font-family: "Liberation Sans", Arial, sans-serif; font-size: 12px; fill: #2b2f36; }
.area { font-size: 14px; font-weight: bold; fill: #3f5f7f; }
.name { font-size: 13px; font-weight: bold; }
.label { fill: #6b7280; }
.box { fill: #ffffff; stroke: #9fb0c2; }
.odoo { fill: #f3f4f6; stroke: #b8bec7; }
.line { fill: none; stroke: #3f5f7f; stroke-opacity: 0.55; stroke-width: 1.3; marker-end: url(#end); }
"""


def run():
    """Draw the picture."""
    _FILE.write_text(draw())
    log(f"{_FILE.relative_to(ROOT)} is drawn.")


def check():
    """Print whether the picture has to be drawn anew.

    :return: whether it says what the code says
    :rtype: bool
    """
    drawn = draw()
    # Without the picture: a model has no place in it yet.
    good = drawn.startswith("<svg") and _FILE.exists() and _FILE.read_text() == drawn
    if not good:
        print(f"{_FILE.relative_to(ROOT)} doesn't show the models as they are: run 'make readme'.")
    return good


def draw():
    """:return: the picture as SVG
    :rtype: str
    """
    models = _read_models()
    placed = {name for column in _COLUMNS for _area, rows in column for row in rows for name in row if name}
    if wrong := placed ^ (models.keys() | _ODOO.keys()):
        return f"<!-- dev/data_model.py: place {', '.join(sorted(wrong))} -->"
    frames, boxes, height = _lay_out(models)
    width = len(_COLUMNS) * (2 * _BOX_WIDTH + 3 * _GAP + _FRAME_GAP) + _FRAME_GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        "<title>The data model of account_collection</title>",
        f"<style>\n{_STYLE}</style>",
        '<defs><marker id="end" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z" fill="#3f5f7f" fill-opacity="0.8"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        *frames,
        *_draw_lines(models, boxes),
        *(text for _place, text in boxes.values()),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _read_models():
    """:return: ``{model: (what it is called, [(field, other model, whether it is required)])}`` of what is stored
    :rtype: dict
    """
    stored, fields, inherited = {}, defaultdict(dict), defaultdict(set)
    for path in check_arrows.python_files(ROOT):
        for node in ast.parse((ROOT / path).read_text()).body:
            if not isinstance(node, ast.ClassDef):
                continue
            name = check_arrows.class_value(node, "_name")
            parents = check_arrows.as_names(check_arrows.class_value(node, "_inherit"))
            model = name or next(iter(parents), None)
            is_stored = ast.unparse(node.bases[0]) == "models.Model" if node.bases else False
            if is_stored and name and name not in parents and check_arrows.class_value(node, "_auto") is not False:
                stored[name] = check_arrows.class_value(node, "_description")
            inherited[model].update(set(parents) - {model})
            fields[model].update(_read_fields(node))
    return {
        name: (label, sorted((field, *rest) for field, rest in _gather(name, fields, inherited).items()))
        for name, label in stored.items()
        if not name.startswith(("res.", "ir."))
    }


def _gather(model, fields, inherited):
    own = dict(fields[model])
    for parent in sorted(inherited[model]):
        own = {**_gather(parent, fields, inherited), **own}
    return own


def _read_fields(node):
    """Yield the fields of a class that are stored and refer to one record of another model."""
    for child in node.body:
        if not isinstance(child, ast.Assign) or not isinstance(child.value, ast.Call):
            continue
        if ast.unparse(child.value.func) != "fields.Many2one":
            continue
        options = {keyword.arg: keyword.value for keyword in child.value.keywords}
        target = child.value.args[0] if child.value.args else options.get("comodel_name")
        if (
            not isinstance(target, ast.Constant)
            or target.value in _NOT_SHOWN
            or options.keys() & {"related", "compute"}
        ):
            continue
        yield child.targets[0].id, (target.value, "required" in options)


def _lay_out(models):
    """:return: the frames as SVG, ``{model: (its rectangle, its box as SVG)}``, and the height of the picture
    :rtype: tuple
    """
    frames, boxes, bottom = [], {}, 0
    frame_width = 2 * _BOX_WIDTH + 3 * _GAP
    for number, column in enumerate(_COLUMNS):
        left, top = _FRAME_GAP + number * (frame_width + _FRAME_GAP), _FRAME_GAP
        for area, rows in column:
            y = top + 34
            for row in rows:
                heights = []
                for position, name in enumerate(row):
                    if name:
                        x = left + _GAP + position * (_BOX_WIDTH + _GAP)
                        place, text = _draw_box(name, models, x, y)
                        boxes[name] = place, text
                        heights.append(place[3])
                y += max(heights) + _GAP
            color = _COLORS[number % len(_COLORS)]
            frames.append(
                f'<rect x="{left}" y="{top}" width="{frame_width}" height="{y - top}" rx="8" fill="{color}"/>'
            )
            title = "Odoo" if area == "odoo" else f"models/{area}/"
            frames.append(f'<text class="area" x="{left + _GAP}" y="{top + 22}">{title}</text>')
            top = y + _FRAME_GAP
        bottom = max(bottom, top)
    return frames, boxes, bottom


def _draw_box(name, models, x, y):
    label, fields = models.get(name) or (_ODOO[name], [])
    height = _HEAD + _LINE * len(fields) + _PAD * bool(fields)
    css_class = "box" if name in models else "odoo"
    title = name.removeprefix("collection.")
    lines = [
        f'<rect class="{css_class}" x="{x}" y="{y}" width="{_BOX_WIDTH}" height="{height}" rx="4"/>',
        f'<text class="name" x="{x + _PAD}" y="{y + 16}">{title}</text>',
        f'<text class="label" x="{x + _PAD}" y="{y + 31}">{escape(label)}</text>',
    ]
    for index, (field, target, is_required) in enumerate(fields):
        css_class = "field" if is_required else "label"
        shown = f"{field} → {target.removeprefix('collection.')}"
        top = y + _HEAD + _LINE * index + 12
        lines.append(f'<text class="{css_class}" x="{x + _PAD}" y="{top}">{escape(shown)}</text>')
    return (x, y, _BOX_WIDTH, height), "\n".join(lines)


def _draw_lines(models, boxes):
    """Yield a line from each record to what it can't be without."""
    for name, (_label, fields) in sorted(models.items()):
        for target in sorted({target for _field, target, is_required in fields if is_required and target in boxes}):
            if target != name:
                yield _draw_line(boxes[name][0], boxes[target][0])


def _draw_line(start, end):
    """Return a curve between the nearest sides of two boxes."""
    (x1, y1, w1, h1), (x2, y2, w2, h2) = start, end
    if x1 == x2:
        is_down = y2 > y1
        x, here, there = x1 + w1 / 2, y1 + h1 * is_down, y2 + h2 * (not is_down)
        return f'<path class="line" d="M{x:g} {here:g} L{x:g} {there:g}"/>'
    is_right = x2 > x1
    here, there = x1 + w1 * is_right, x2 + w2 * (not is_right)
    bend = (here + there) / 2
    from_y, to_y = y1 + h1 / 2, y2 + h2 / 2
    return f'<path class="line" d="M{here:g} {from_y:g} C{bend:g} {from_y:g} {bend:g} {to_y:g} {there:g} {to_y:g}"/>'
