"""Mutants that nobody can notice, since the program does the same, each with its reason.

A mutant is named by the file's name without folder and ending, the function and the change, as ``make mutate`` prints
them: it stays known when lines or files move.
"""

# reason: [(file, function, change)]
EQUIVALENT = {
    "Once nothing is missing, nothing more is taken: going on only takes time": [
        ("allocation", "allocate", "if {missing <= 0 -> False}:"),
        ("allocation", "allocate", "{break -> continue}"),
        ("allocation", "allocate", "if missing <{= -> } 0:"),
        ("allocation", "allocate", "if missing <= {0 -> -1}:"),
    ],
    "Without a colon the part before it is empty, which is refused as well": [
        (
            "bands",
            "parse",
            "if {not colon or share is None or (not lower.strip() -> share is None or not lower.strip(})"
            " or (not 0 <= share <= 100):",
        ),
    ],
    "Amounts are above zero, so that a least amount below zero is none": [
        ("cadence", "Step", "min_amount: float = field(default={0 -> -1}.0, repr=False)"),
    ],
    "A gap of less than a day is a day anyway": [
        ("cadence", "Rules", "gap: int = {0 -> 1}"),
        ("cadence", "Rules", "gap: int = {0 -> -1}"),
    ],
    "A cap of zero or below lets no day be free, and then the day asked for is returned: no limit": [
        ("cadence", "Rules", "cap: int = {0 -> -1}"),
        ("cadence", "_first_day", "if {rules.cap and  -> }(free := _under_pressure_until(file.cont"),
    ],
    "The first day on which one may speak is never before the day asked for, hence after today": [
        ("cadence", "_comes_before_due", "return {item.due > day and  -> }_first_day(file, step, rules, max(day, _"),
        ("cadence", "_comes_before_due", "return item.due >{ -> =} day and _first_day(file, step, rules, m"),
    ],
    "The day stays the same, and a reason without a wait is not shown": [
        ("cadence", "_first_day", "st_message and file.last_message + gap >{ -> =} day:"),
    ],
    "An open day stays open however often one looks": [
        ("cadence", "_first_day", "{break -> continue}"),
    ],
    "As many contacts lie after an earlier day as after the one asked for, so that it is not free either": [
        ("cadence", "_under_pressure_until", "if {free < day -> False}:"),
    ],
    "Never reached: after the last contact and its days there is always room": [
        ("cadence", "_under_pressure_until", "return {day -> None}"),
    ],
    "Never reached: every month has a payment day, its last one if need be": [
        ("cadence", "_before_run", "return {day -> None}"),
    ],
    "The day itself is among the payment days, which is asked first": [
        ("cadence", "_is_run", "or (is_last_day and max(payment_days) >{ -> =} day.day)"),
    ],
    "Only the exponent of the number counts": [
        ("instalments", "split", "part = (whole / count).quantize(Decimal({1 -> 2}).scaleb(-digits), ROUND_DOWN)"),
        ("instalments", "split", "part = (whole / count).quantize(Decimal({1 -> 0}).scaleb(-digits), ROUND_DOWN)"),
    ],
    "No bucket begins between these days": [
        ("metrics", "(module)", "AT_RISK_FROM = {91 -> 90}"),
        ("metrics", "Position.at_risk", "buckets.items() if (first_days[code] or {0 -> 1}) >= AT_RISK_FROM))"),
        ("metrics", "Position.at_risk", "buckets.items() if (first_days[code] or {0 -> -1}) >= AT_RISK_FROM))"),
    ],
    "What is left is above zero there, so that it can't be less than sales of zero or below": [
        ("metrics", "dso_count_back", "if {0 < month.sales and  -> }remaining < month.sales:"),
        ("metrics", "dso_count_back", "if 0 <{ -> =} month.sales and remaining < month.sales"),
        ("metrics", "dso_count_back", "if {0 -> -1} < month.sales and remaining < month.sal"),
    ],
    "A whole month counts with all of its days, whichever way it is reckoned": [
        ("metrics", "dso_count_back", "if 0 < month.sales and remaining <{ -> =} month.sales:"),
    ],
    "Nothing is left of what is owed, so that further months add nothing": [
        ("metrics", "dso_count_back", "{break -> continue}"),
    ],
    "An item of zero is not open: the caller leaves it out": [
        ("metrics", "position", "if amount <{ -> =} 0:"),
    ],
    "The same weight for all is no weight": [
        ("metrics", "dispute_figures", "days = [({1 -> 2}, (dispute.closed_on - dispute.opened_on"),
    ],
    "Opening and sales of one month are only ever added": [
        (
            "metrics",
            "Figures.cei",
            "return cei(self.{opening.receivables, self.sales -> sales, self.opening.receivables},"
            " self.position.receivables, self.positi",
        ),
    ],
    "What is left over at the end of a text is no tag": [
        ("placeholders", "qweb_expressions", "{reader.close() -> pass}"),
    ],
    "What has the wrong sign has nothing to give: the smaller of both is below zero": [
        ("receivables", "set_off", "[key for key, amount in rest.items() if {amount < 0 -> True}]"),
        ("receivables", "set_off", "key, amount in rest.items() if amount <{ -> =} 0]"),
        ("receivables", "set_off", "key, amount in rest.items() if amount < {0 -> 1}]"),
        ("receivables", "set_off", "[key for key, amount in rest.items() if {amount > 0 -> True}]:"),
        ("receivables", "set_off", "key, amount in rest.items() if amount >{ -> =} 0]:"),
        ("receivables", "set_off", "key, amount in rest.items() if amount > {0 -> -1}]:"),
    ],
    "No country is among the supported ones under an empty name": [
        ("workdays", "_public_holidays", "if {not country_code or  -> }country_code not in holidays.list_suppor"),
    ],
    "A limit of memory far from any table: a little more or less makes no difference": [
        ("sources", "(module)", "_MAX_ELEMENTS = {150000 -> 150001}"),
        ("sources", "(module)", "_MAX_ELEMENTS = {150000 -> 149999}"),
        ("sources", "(module)", "_MAX_STRINGS = {2000000 -> 2000001}"),
        ("sources", "(module)", "_MAX_STRINGS = {2000000 -> 1999999}"),
        ("sources", "(module)", "_MAX_GAP = {2 -> 3} * 1024 * 1024"),
        ("sources", "(module)", "_MAX_GAP = {2 -> 1} * 1024 * 1024"),
        ("sources", "(module)", "_MAX_GAP = 2 * {1024 -> 1025} * 1024"),
        ("sources", "(module)", "_MAX_GAP = 2 * {1024 -> 1023} * 1024"),
        ("sources", "(module)", "_MAX_GAP = 2 * 1024 * {1024 -> 1025}"),
        ("sources", "(module)", "_MAX_GAP = 2 * 1024 * {1024 -> 1023}"),
        ("sources", "(module)", "_MAX_PARTS = {5000 -> 5001}"),
        ("sources", "(module)", "_MAX_PARTS = {5000 -> 4999}"),
        ("sources", "XlsxSource._check_part", "head = stream.read({64 -> 65} * 1024)"),
        ("sources", "XlsxSource._check_part", "head = stream.read({64 -> 63} * 1024)"),
        ("sources", "XlsxSource._check_part", "head = stream.read(64 * {1024 -> 1025})"),
        ("sources", "XlsxSource._check_part", "head = stream.read(64 * {1024 -> 1023})"),
        ("sources", "XlsxSource._check_part", "head = stream.read({1024 -> 1025} * 1024)"),
        ("sources", "XlsxSource._check_part", "head = stream.read({1024 -> 1023} * 1024)"),
        ("sources", "XlsxSource._check_part", "head = stream.read(1024 * {1024 -> 1025})"),
        ("sources", "XlsxSource._check_part", "head = stream.read(1024 * {1024 -> 1023})"),
        ("sources", "TextSource._guess_separator", "text = stream.read({64 -> 65} * 1024)"),
        ("sources", "TextSource._guess_separator", "text = stream.read({64 -> 63} * 1024)"),
        ("sources", "TextSource._guess_separator", "text = stream.read(64 * {1024 -> 1025})"),
        ("sources", "TextSource._guess_separator", "text = stream.read(64 * {1024 -> 1023})"),
        ("sources", "TextSource._decodes", "for start in range({0 -> 1}, len(self.content), 1 << 16):"),
        ("sources", "TextSource._decodes", "for start in range({0 -> -1}, len(self.content), 1 << 16):"),
        ("sources", "TextSource._decodes", "or start in range(0, len(self.content), {1 -> 2} << 16):"),
        ("sources", "TextSource._decodes", "or start in range(0, len(self.content), {1 -> 0} << 16):"),
        ("sources", "TextSource._decodes", "art in range(0, len(self.content), 1 << {16 -> 17}):"),
        ("sources", "TextSource._decodes", "art in range(0, len(self.content), 1 << {16 -> 15}):"),
    ],
    "Set anew before anybody reads it": [
        ("sources", "XlsxSource.__init__", "{super().__init__() -> pass}"),
        ("sources", "TextSource.__init__", "self.skip = {0 -> 1}"),
        ("sources", "TextSource.__init__", "self.skip = {0 -> -1}"),
        ("reader", "Table", "header_row: int = {0 -> 1}"),
        ("reader", "Table", "header_row: int = {0 -> -1}"),
    ],
    "The reader finds no row in it, and says the same": [
        ("sources", "TextSource._check_text", "if {not head.strip('\\ufeff \\t\\r\\n\\x00') -> False}:"),
    ],
    "What has no such sign stays as it is": [
        (
            "sources",
            "TextSource._without_nul",
            "e.replace('\\x00', '').rstrip('\\x1a') if {'\\x00' in line or '\\x1a' in line -> True} else line)",
        ),
    ],
    "Any separator that cuts is better than none": [
        ("sources", "TextSource._guess_separator", "best, choice = (({0 -> 1}, False, 0), None)"),
        ("sources", "TextSource._guess_separator", "best, choice = (({0 -> -1}, False, 0), None)"),
    ],
    "A date as text is read as the same date": [
        ("values", "parse_date", "if {isinstance(value, datetime.date) -> False}:"),
    ],
    "No month has the number that the first two digits of a year make": [
        (
            "values",
            "_date_of_eight_digits",
            "nd order in (None, 'ymd') or (order and {year_first[0] in _YEARS and  -> }_exists(*year_first)):",
        ),
    ],
    "No such day: it is refused as well": [
        ("values", "_date_of_serial", "if 19000101 <= days <= {21991231 -> 21991232}:"),
    ],
    "Nothing is left to take off: further rounds only take time": [
        ("values", "_strip_signs", "if {text == before -> False}:"),
    ],
    "A second kind of sign is refused with the groups": [
        ("values", "_read_digits", "if {len(groups) > 1 -> False}:"),
    ],
    "Decimal reads a number without its zero": [
        ("values", "_read_digits", "return f'{whole{ or 0 -> }}.{fraction or 0}'"),
    ],
    "Texts are written as texts, whatever the workbook would make of others": [
        (
            "writer",
            "XlsxTable.__init__",
            "t_memory': True, 'strings_to_formulas': {False -> True}, 'strings_to_numbers': False, 'strings_",
        ),
        (
            "writer",
            "XlsxTable.__init__",
            "formulas': False, 'strings_to_numbers': {False -> True}, 'strings_to_urls': False, 'nan_inf_to_",
        ),
        (
            "writer",
            "XlsxTable.__init__",
            "_to_numbers': False, 'strings_to_urls': {False -> True}, 'nan_inf_to_errors': False})",
        ),
    ],
    "The library cuts at the same length": [
        ("writer", "XlsxTable._write_cell", "t.write_string(row, column, str(value)[:{_CELL_LIMIT -> }], style)"),
    ],
    "Only the first two words count": [
        ("matching", "is_total", "_is_total_word(normalise_header(first[:{60 -> }])):"),
        ("matching", "is_total", "_is_total_word(normalise_header(first[:{60 -> 61}])):"),
        ("matching", "is_total", "_is_total_word(normalise_header(first[:{60 -> 59}])):"),
    ],
    "Only how far is read: the row is among the first ones": [
        ("reader", "_head", "if len(rows) >= _HEADER_SEARCH{ or (header_row and number >= header_row) -> }:"),
    ],
    "A row without a known title is the first one, which is taken anyway": [
        ("reader", "_best_known", "best = ({0 -> -1}, None)"),
    ],
    "The kind alone says that there is none": [
        ("ole", "OleFile.read_stream", ", start, size = self.entries.get(name, ({0 -> 1}, 0, 0))"),
        ("ole", "OleFile.read_stream", ", start, size = self.entries.get(name, ({0 -> -1}, 0, 0))"),
        ("ole", "OleFile.read_stream", "tart, size = self.entries.get(name, (0, {0 -> -1}, 0))"),
        ("ole", "OleFile.read_stream", "tart, size = self.entries.get(name, (0, {0 -> 1}, 0))"),
        ("ole", "OleFile.read_stream", "t, size = self.entries.get(name, (0, 0, {0 -> 1}))"),
        ("ole", "OleFile.read_stream", "t, size = self.entries.get(name, (0, 0, {0 -> -1}))"),
    ],
    "The sign is taken for a space afterwards": [
        (
            "matching",
            "normalise_header",
            "text = str(text).replace('{°', '  ->  ', '°}').replace('º', ' ').replace('№', 'N ')",
        ),
    ],
    "A number is no word for a total": [
        (
            "matching",
            "is_total",
            "return all(({isinstance(cells[index], str) and  -> }_is_total_word(normalise_header(cells[in",
        ),
    ],
    "Asked only whether it is true": [
        ("matching", "_is_number", "return {False -> None}"),
    ],
    "A header alone holds no stream: it is refused a little later": [
        ("ole", "OleFile.__init__", "if len(content) <{ -> =} 512:"),
        ("ole", "OleFile.__init__", "if len(content) < {512 -> 513}:"),
        ("ole", "OleFile.__init__", "if len(content) < {512 -> 511}:"),
    ],
    "The chain that begins with an end is empty": [
        (
            "ole",
            "OleFile.__init__",
            "_numbers(self._read_chain(mini_fat)) if {mini_fat < _LAST_SECTOR -> True} else []",
        ),
        ("ole", "OleFile.__init__", "elf._read_chain(mini_fat)) if mini_fat <{ -> =} _LAST_SECTOR else []"),
    ],
    "Whole numbers only: the odd byte is left out": [
        ("ole", "OleFile._read_table", "rs = list(self._numbers(self.content[76:{512 -> 513}]))"),
    ],
    "Beyond the end of the file there is nothing to read": [
        ("ole", "OleFile._read_table", "if number <{ -> =} min(_LAST_SECTOR, self.sector_count):"),
        ("ole", "OleFile._read_table", "if number < {min -> max}(_LAST_SECTOR, self.sector_count):"),
    ],
    "Read again, it is the same": [
        ("ole", "OleFile.read_stream", "if {self.mini_stream is None -> True}:"),
    ],
    "A step that is left and asks for no more than is owed would have come next": [
        (
            "cadence",
            "_is_too_small",
            "return any((step.delay >= 0 and {step.min_amount > amount and  -> }"
            "(item.level is None or step.delay > item",
        ),
        (
            "cadence",
            "_is_too_small",
            "y((step.delay >= 0 and step.min_amount >{ -> =} amount and (item.level is None or step.",
        ),
    ],
    "They are as many: that is asked before": [
        ("replacement", "find_replacements", "pairs = list(zip(old, new, strict={True -> False}))"),
    ],
}

_BY_NAME = {name: reason for reason, names in EQUIVALENT.items() for name in names}


def get_name(mutant):
    """:param mutants.Mutant mutant: a mutant
    :return: what it is known by
    :rtype: tuple
    """
    return mutant.path.rpartition("/")[2].removesuffix(".py"), mutant.function, mutant.change


def find_reason(mutant):
    """:param mutants.Mutant mutant: a mutant
    :return: why nobody can notice it, or ``None``
    :rtype: str
    """
    return _BY_NAME.get(get_name(mutant))


def find_unused(mutants, _folders):
    """:param mutants: all there are
    :return: the names that are none of theirs, of files that they are of
    :rtype: list[tuple]
    """
    names = {get_name(mutant) for mutant in mutants}
    files = {name[0] for name in names}
    return [name for name in _BY_NAME if name[0] in files and name not in names]
