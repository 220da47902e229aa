"""The results: figures, budgets, and one table of them as text and as Markdown."""

import os

# Measurements are noisy: growth is linear, or none at all, up to this much more.
LINEAR_TOLERANCE, CONSTANT_TOLERANCE = 1.15, 1.5
QUERY_TOLERANCE = 1.1


def figure(work, value, unit="s", queries=None, peak_mb=None, runs=None, budget=None, is_constant=False):
    """:param str work: what was measured, with ``…`` in front when it goes with the line above
    :param value: the median
    :param str unit: ``s`` for seconds, ``×`` for a ratio, empty for a number
    :param queries: how many queries one run sent
    :param peak_mb: the most memory that the process had during a run
    :param runs: how many runs the median is of
    :param budget: the most that the value may be
    :param bool is_constant: whether the value must not depend on the size of the ledger
    :return: a figure, as JSON can write it
    :rtype: dict
    """
    return {
        "work": work,
        "value": value,
        "unit": unit,
        "queries": queries,
        "peak_mb": peak_mb,
        "runs": runs,
        "budget": budget,
        "is_constant": is_constant,
    }


def describe_machine():
    """:return: cores and load of this machine, in words
    :rtype: list
    """
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return [f"{os.cpu_count()} cores, load {load}"]


class Report:
    """The table of a run.

    :param dict figures: the figures of each size
    :param dict invoices: how many invoices each size has
    :param list remarks: what was measured on what
    """

    def __init__(self, figures, invoices, remarks):
        self.sizes = list(figures)
        self.invoices = invoices
        self.remarks = remarks
        self.rows = self._match(figures)

    def _match(self, figures):
        """Put the figures of the same work side by side, in the order of the smallest ledger.

        Works with ``…`` may have the same name more than once: the one above distinguishes them.
        """
        rows = {}
        for size, measured in figures.items():
            head = None
            for values in measured:
                head = head if values["work"].startswith("…") else values["work"]
                rows.setdefault((head, values["work"]), {})[size] = values
        return rows

    # -- cells --

    def _get_header(self):
        header = ["work"]
        for size in self.sizes:
            header += [f"{size}: {self.invoices[size]:,}", "queries", "MB"]
        return [*header, "growth", "runs", "budget"]

    def _get_cells(self, key):
        row = self.rows[key]
        cells = [("  " if key[1].startswith("…") else "") + key[1]]
        for size in self.sizes:
            values = row.get(size)
            cells += _format(values) if values else ["", "", ""]
        runs = [str(values["runs"]) for values in row.values() if values["runs"]]
        return [*cells, self._format_growth(row), "/".join(dict.fromkeys(runs)), self._format_budget(row)]

    def _get_growth(self, row):
        """:return: pairs of growth in time and growth in invoices, from each size to the next
        :rtype: list
        """
        growth = []
        for small, large in zip(self.sizes, self.sizes[1:], strict=False):
            pair = [row.get(size) for size in (small, large)]
            if all(pair) and pair[0]["unit"] == "s" and pair[0]["value"] > 0:
                by = pair[1]["value"] / pair[0]["value"]
                growth.append((by, self.invoices[large] / self.invoices[small]))
        return growth

    def _format_growth(self, row):
        return ", ".join(f"{by:.1f}×" for by, _invoices in self._get_growth(row))

    def _format_budget(self, row):
        limits = {values["budget"] for values in row.values() if values["budget"]}
        if not limits:
            return ""
        [limit] = limits
        missed = [size for size, values in row.items() if values["value"] > limit]
        unit = next(iter(row.values()))["unit"]
        return f"≤ {limit:g} {unit} " + (f"MISSED at {', '.join(missed)}" if missed else "met")

    # -- summary --

    def _get_budgets(self):
        """:return: the label and outcome of each budget
        :rtype: list
        """
        budgets = []
        for (head, work), row in self.rows.items():
            label = work if work == head else f"{head} {work}"
            for size, values in row.items():
                if values["budget"]:
                    budgets.append((f"{label} ({size})", values["value"] <= values["budget"]))
            # Works of others are called after them; with "…" there are comparisons.
            if ":" not in work and not work.startswith("…"):
                budgets += self._get_growth_budgets(label, row)
        return budgets

    def _get_growth_budgets(self, label, row):
        is_constant = next(iter(row.values()))["is_constant"]
        budgets = []
        for by, linear in self._get_growth(row):
            limit = CONSTANT_TOLERANCE if is_constant else LINEAR_TOLERANCE * linear
            budgets.append((f"{label} (growth in time)", by <= limit))
        queries = [values["queries"] for values in row.values() if values["queries"]]
        for few, many in zip(queries, queries[1:], strict=False):
            budgets.append((f"{label} (growth in queries)", many <= few * QUERY_TOLERANCE))
        return budgets

    def _summarize(self):
        budgets = self._get_budgets()
        missed = [label for label, good in budgets if not good]
        text = f"budgets: {len(budgets) - len(missed)} met, {len(missed)} missed"
        return text + (f": {'; '.join(missed)}" if missed else "")

    def _get_notes(self):
        return [
            *self.remarks,
            "Medians. MB: peak of the process during the run. growth: of the time, from each size to the next,"
            " at most linear. ×: medians of the ratios of runs in turns.",
        ]

    # -- forms --

    def as_text(self):
        """:return: aligned columns, notes, and what became of the budgets
        :rtype: str
        """
        lines = [self._get_header(), *(self._get_cells(key) for key in self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        rows = [
            "  ".join(
                cell.ljust(width) if column in (0, len(widths) - 1) else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        ]
        rows.insert(1, "-" * sum(widths, 2 * len(widths) - 2))
        return "\n".join([*rows, "", *self._get_notes(), self._summarize()])

    def as_markdown(self):
        """:return: the same as Markdown
        :rtype: str
        """
        header = self._get_header()
        lines = [header, ["---", *["---:"] * (len(header) - 2), "---"]]
        lines += [self._get_cells(key) for key in self.rows]
        rows = ["| " + " | ".join(cell.strip() for cell in line) + " |" for line in lines]
        notes = [f"* {note}" for note in self._get_notes()]
        return "\n".join(["# Benchmark", "", *rows, "", *notes, "", self._summarize(), ""])


def _format(values):
    """:return: value, queries and memory as text
    :rtype: list
    """
    value, unit = values["value"], values["unit"]
    if unit == "s":
        text = f"{1000 * value:.1f} ms" if abs(value) < 1 else f"{value:.2f} s"
    else:
        text = f"{value:.2f} {unit}" if unit else f"{value:,}"
    queries = "" if values["queries"] is None else f"{values['queries']:,}"
    peak = "" if values["peak_mb"] is None else f"{values['peak_mb']:,.0f}"
    return [text, queries, peak]
