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
        ("sources", "XlsxSource._check_archive", "if part.file_size >{ -> =} 16 * 1024 * 1024 and part.file_size > s"),
        (
            "sources",
            "XlsxSource._check_archive",
            "> 16 * 1024 * 1024 and part.file_size >{ -> =} self.limits.max_ratio * max(part.compre",
        ),
        ("sources", "XlsxSource._check_archive", "its.max_ratio * max(part.compress_size, {1 -> 2}):"),
        ("sources", "XlsxSource._check_archive", "its.max_ratio * max(part.compress_size, {1 -> 0}):"),
        ("sources", "XlsxSource._check_kind", "mimetype = part.read({200 -> 201})"),
        ("sources", "XlsxSource._check_kind", "mimetype = part.read({200 -> 199})"),
        ("sources", "TextSource._check_text", "head = stream.read({4096 -> 4097})"),
        ("sources", "TextSource._check_text", "head = stream.read({4096 -> 4095})"),
        ("sources", "TextSource._check_text", "start = head.lstrip('\\ufeff \\t\\r\\n')[:{300 -> }].lower()"),
        ("sources", "TextSource._check_text", "start = head.lstrip('\\ufeff \\t\\r\\n')[:{300 -> 301}].lower()"),
        ("sources", "TextSource._check_text", "start = head.lstrip('\\ufeff \\t\\r\\n')[:{300 -> 299}].lower()"),
        ("sources", "TextSource._declared_separator", "line = stream.readline({40 -> 41})"),
        ("sources", "TextSource._declared_separator", "line = stream.readline({40 -> 39})"),
        ("sources", "TextSource._guess_separator", "if {len(widths) >= 200 -> False}:"),
        ("sources", "TextSource._guess_separator", "{break -> continue}"),
        ("sources", "TextSource._guess_separator", "if len(widths) >{= -> } 200:"),
        ("sources", "TextSource._guess_separator", "if len(widths) >= {200 -> 201}:"),
        ("sources", "TextSource._guess_separator", "if len(widths) >= {200 -> 199}:"),
        (
            "sources",
            "XlsxSource._check_archive",
            "if part.file_size > 16 * {1024 -> 1025} * 1024 and part.file_size > self.limits",
        ),
        (
            "sources",
            "XlsxSource._check_archive",
            "if part.file_size > 16 * {1024 -> 1023} * 1024 and part.file_size > self.limits",
        ),
        (
            "sources",
            "XlsxSource._check_archive",
            "if part.file_size > 16 * 1024 * {1024 -> 1025} and part.file_size > self.limits.max_ra",
        ),
        (
            "sources",
            "XlsxSource._check_archive",
            "if part.file_size > 16 * 1024 * {1024 -> 1023} and part.file_size > self.limits.max_ra",
        ),
        (
            "sources",
            "XlsxSource._check_archive",
            "if part.file_size > {16 -> 17} * 1024 * 1024 and part.file_size > self",
        ),
        (
            "sources",
            "XlsxSource._check_archive",
            "if part.file_size > {16 -> 15} * 1024 * 1024 and part.file_size > self",
        ),
        ("sources", "_PartChecker.feed", "arser.CurrentByteIndex - self.position >{ -> =} _MAX_GAP:"),
        ("sources", "_PartChecker._start", "if local == 'mergeCell'{ and len(self.merged) < 10000 -> }:"),
        ("sources", "_PartChecker._start", "al == 'mergeCell' and len(self.merged) <{ -> =} 10000:"),
        ("sources", "_PartChecker._start", "l == 'mergeCell' and len(self.merged) < {10000 -> 10001}:"),
        ("sources", "_PartChecker._start", "l == 'mergeCell' and len(self.merged) < {10000 -> 9999}:"),
        ("sources", "TextSource._find_encoding", "head = self.content[:{4096 -> }]"),
        ("sources", "TextSource._find_encoding", "head = self.content[:{4096 -> 4097}]"),
        ("sources", "TextSource._find_encoding", "head = self.content[:{4096 -> 4095}]"),
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
        ("sources", "TextSource._decodes", "or start in range(0, len(self.content), {1 -> 2} << 16):"),
        ("sources", "TextSource._decodes", "art in range(0, len(self.content), 1 << {16 -> 17}):"),
        ("sources", "TextSource._decodes", "art in range(0, len(self.content), 1 << {16 -> 15}):"),
    ],
    "Set anew before anybody reads it": [
        ("sources", "XlsSource.__init__", "{super().__init__() -> pass}"),
        ("sources", "TextSource.__init__", "{self.skip = 0 -> pass}"),
        ("sources", "XlsxSource.__init__", "{super().__init__() -> pass}"),
        ("sources", "TextSource.__init__", "self.skip = {0 -> 1}"),
        ("sources", "TextSource.__init__", "self.skip = {0 -> -1}"),
        ("reader", "Table", "header_row: int = {0 -> 1}"),
        ("reader", "Table", "header_row: int = {0 -> -1}"),
    ],
    "The reader finds no row in it, and says the same": [
        ("sources", "TextSource._check_text", "if {not head.strip('\\ufeff \\t\\r\\n\\x00') -> True}:"),
        ("sources", "TextSource._check_text", "if {not  -> }head.strip('\\ufeff \\t\\r\\n\\x00'):"),
        (
            "sources",
            "TextSource._check_text",
            "if {not self.content.strip(b'\\xef\\xbb\\xbf\\xff\\xfe \\t\\r\\n\\x00') -> False}:",
        ),
        ("sources", "TextSource._check_text", "{raise TabularError('empty') -> pass}"),
        ("sources", "XlsSource.__init__", "{raise TabularError('empty') -> pass}"),
        ("sources", "XlsxSource.__init__", "if {not self.sheets -> False}:"),
        ("sources", "XlsSource.__init__", "if {not self.sheets -> False}:"),
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
        ("sources", "TextSource._guess_separator", "best, choice = ((0, False, {0 -> 1}), None)"),
        ("sources", "TextSource._guess_separator", "best, choice = ((0, False, {0 -> -1}), None)"),
        ("sources", "TextSource._guess_separator", "best, choice = ((0, {False -> True}, 0), None)"),
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
        ("values", "_date_of_serial", "if {19000101 -> 19000100} <= days <= 21991231:"),
        ("values", "_date_of_serial", "if 19000101 <= days <= {21991231 -> 21991232}:"),
    ],
    "Nothing is left to take off: further rounds only take time": [
        ("values", "_strip_signs", "{break -> continue}"),
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
        ("writer", "(module)", "_CELL_LIMIT = {32767 -> 32768}"),
        ("writer", "XlsxTable._write_cell", "t.write_string(row, column, str(value)[:{_CELL_LIMIT -> }], style)"),
    ],
    "Only the first two words count": [
        ("matching", "is_total", "_is_total_word(normalise_header(first[:{60 -> }])):"),
        ("matching", "is_total", "_is_total_word(normalise_header(first[:{60 -> 61}])):"),
        ("matching", "is_total", "_is_total_word(normalise_header(first[:{60 -> 59}])):"),
    ],
    "Only how far is read: the row is among the first ones": [
        ("reader", "_head", "EADER_SEARCH or (header_row and number >{= -> } header_row):"),
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
        ("values", "_exists", "return {False -> None}"),
        ("sources", "TextSource._decodes", "return {False -> None}"),
        ("writer", "_make_fitter.can_express", "return {False -> None}"),
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
    "A table is made with the epoch of its file": [
        ("reader", "Table", "epoch: int = {1900 -> 1901}"),
        ("reader", "Table", "epoch: int = {1900 -> 1899}"),
    ],
    "The rows of a table come after the first one": [
        ("reader", "_MergedRows.__init__", "self.until = self.column = {0 -> 1}"),
        ("reader", "_MergedRows.__init__", "self.until = self.column = {0 -> -1}"),
    ],
    "Nothing is found in it later, which says the same": [
        ("reader", "read_table", "{raise TabularError('empty') -> pass}"),
        ("reader", "read_table", "if {not content -> False}:"),
    ],
    "The content decides, not the name": [
        (
            "reader",
            "read_table",
            "urce(content, os.path.splitext(filename {or -> and} '')[1].lower(), encoding, separator, li",
        ),
        (
            "reader",
            "read_table",
            "= open_source(content, os.path.splitext({filename or  -> }'')[1].lower(), encoding, separator, lim",
        ),
        (
            "reader",
            "read_table",
            "ource(content, os.path.splitext(filename{ or '' -> })[1].lower(), encoding, separator, limit",
        ),
        (
            "reader",
            "read_table",
            "ntent, os.path.splitext(filename or '')[{1 -> 0}].lower(), encoding, separator, limits)",
        ),
    ],
    "No known title is asked for, and none is found": [
        ("reader", "_choose_sheet", "if {not known or  -> }_best_known(rows, known)[0] >= min(2, le"),
    ],
    "Without known titles none is counted": [
        ("reader", "_find_titles", "if count >= min(2, len(known) or {2 -> 3}):"),
        ("reader", "_find_titles", "if count >= min(2, len(known) or {2 -> 1}):"),
    ],
    "A row that is read has something in it": [
        ("reader", "_find_titles", "if len(filled) >= max({1 -> 0}, -(-width * 3 // 5)) and all((_is_title"),
    ],
    "Without an escape nothing is replaced": [
        ("reader", "_clean", "if {'_x' in text -> True}:"),
    ],
    "What was written is flushed in the end": [
        ("writer", "write_delimited", "rs='replace', newline='', write_through={False -> True})"),
    ],
    "Without an exponent the number stays as it is": [
        ("writer", "_float_text", "return f'{Decimal(text):f}' if {'e' in text -> True} else text"),
    ],
    "Only what the log says": [
        ("sources", "(module)", "{warnings.filterwarnings('ignore', module='openpyxl\\\\.') -> pass}"),
    ],
    "Nobody follows links: only cells are read": [
        ("sources", "XlsxSource.__init__", "d_only=True, data_only=True, keep_links={False -> True})"),
    ],
    "More columns than are allowed are too many, one or two": [
        ("sources", "XlsxSource.rows", "th = width or self.limits.max_columns + {1 -> 2}"),
    ],
    "Blank rows are left out one by one as well, only slower": [
        ("sources", "XlsxSource.rows", "if {row is blank -> False}:"),
        ("sources", "XlsxSource.rows", "{blank = row -> pass}"),
    ],
    "An empty text is nothing as well": [
        ("sources", "XlsSource._get_value", "if {kind in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK) -> False}:"),
    ],
    "A number is never blank": [
        (
            "values",
            "parse_date",
            "if value is None or {(isinstance(value, str) and (not _plain(value)) -> not _plain(value}):",
        ),
    ],
    "What is not finite can't be made a whole number, which is refused as well": [
        ("values", "_date_of_serial", "if {isinstance(number, float) and (not math.isfinite(number)) -> False}:"),
        (
            "values",
            "_date_of_serial",
            "if {isinstance(number, float) and (not math.isfinite(number) -> not math.isfinite(number}):",
        ),
    ],
    "There is but one": [
        ("values", "_read_digits", "point = _judge_single_mark(text, marks[{0 -> -1}], decimal)"),
    ],
    "A digit is there: that is asked before": [
        ("values", "_read_digits", "if {not whole and (not fraction) -> False}:"),
    ],
    "The rows are cut at the width of the titles, whatever is read": [
        ("sources", "XlsxSource.rows", "{width = width or self.limits.max_columns + 1 -> pass}"),
        ("sources", "XlsxSource.rows", "width = width {or -> and} self.limits.max_columns + 1"),
        ("sources", "XlsxSource.rows", "width = {width or  -> }self.limits.max_columns + 1"),
        ("sources", "XlsxSource.rows", "width = width{ or self.limits.max_columns + 1 -> }"),
        ("sources", "XlsSource.__init__", "ts=content, on_demand=True, ragged_rows={True -> False}, logfile=_NOWHERE)"),
        ("sources", "XlsSource.rows", "elf._get_value(cell) for cell in cells[:{self.limits.max_columns + 1 -> }]])"),
        ("sources", "XlsSource.rows", "ell in cells[:self.limits.max_columns + {1 -> 2}]])"),
    ],
    "An entity stands in a DOCTYPE, which is refused before": [
        ("sources", "_PartChecker.__init__", "{self.parser.EntityDeclHandler = self._entity -> pass}"),
        ("sources", "_PartChecker._entity", "{raise TabularError('unsafe_xml') -> pass}"),
    ],
    "Only when a sheet is read": [
        (
            "sources",
            "XlsSource.__init__",
            "rkbook(file_contents=content, on_demand={True -> False}, ragged_rows=True, logfile=_NOWHERE)",
        ),
    ],
    "Without a book what follows is refused with the same words": [
        ("sources", "XlsSource.__init__", "{raise -> pass}"),
    ],
    "The first five letters tell the encodings with a mark as well": [
        ("sources", "TextSource._find_encoding", "rtswith(bom) and found.startswith(name[:{6 -> 5}]):"),
    ],
    "The encoding was checked to the end before": [
        (
            "sources",
            "TextSource.rows",
            "{raise TabularError('encoding', number, encoding=self.encoding) from error -> pass}",
        ),
        (
            "sources",
            "TextSource.rows",
            "raise TabularError({'encoding', number -> number, 'encoding'}, encoding=self.encoding) from error",
        ),
    ],
    "True is no day that Excel could mean": [
        ("values", "_read_date", "if {isinstance(value, bool) -> False}:"),
    ],
    "Without an order it was taken before": [
        (
            "values",
            "_date_of_eight_digits",
            "n _YEARS and order in (None, 'ymd') or ({order and  -> }year_first[0] in _YEARS and _exists(*yea",
        ),
    ],
    "No day has three digits: it is refused as well": [
        ("values", "_date_of_parts", "if len(first) >{= -> } 3:"),
        ("values", "_date_of_parts", "if len(first) >= {3 -> 4}:"),
    ],
    "A year of four digits is above 31 as well": [
        ("values", "guess_date_order", "if {len(match[1]) == 4 -> False}:"),
        ("values", "guess_date_order", "if len(match[{1 -> 0}]) == 4:"),
        ("values", "guess_date_order", "if len(match[{1 -> 2}]) == 4:"),
        ("values", "guess_date_order", "if len(match[1]) == {4 -> 5}:"),
        ("values", "guess_date_order", "if len(match[1]) == {4 -> 3}:"),
    ],
    "Every source has rows of its own": [
        ("sources", "_Source.rows", "{raise NotImplementedError -> pass}"),
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
