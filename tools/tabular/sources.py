"""The formats: each source yields raw rows, and turns what its library raises into ``TabularError``."""

import codecs
import contextlib
import csv
import io
import re
import types
import warnings
import zipfile
from xml.parsers import expat

import openpyxl
import xlrd

from . import ole
from .cells import CellError, as_plain_value
from .errors import TabularError

# What openpyxl drops when it reads is of no interest to a table, and must not fill the log.
warnings.filterwarnings("ignore", module=r"openpyxl\.")

_ZIP = b"PK\x03\x04"
# Signatures of files that are often handed in by mistake.
_OTHER_KINDS = (
    (b"%PDF", "PDF"),
    (b"{\\rtf", "RTF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"\x1f\x8b", "GZIP"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7-Zip"),
    (b"BZh", "BZIP2"),
    (b"\xfd7zXZ", "XZ"),
)
_TEXT_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEPARATORS = ";\t,|"
_MAX_XLSX_ROW, _MAX_XLSX_COLUMN = 1_048_576, 16_384
# A part of a workbook beyond which what is not a row, or in one row, can only be meant to fill memory.
_MAX_ELEMENTS = 150_000
_MAX_STRINGS = 2_000_000
_MAX_GAP = 2 * 1024 * 1024
_MAX_PARTS = 5_000
_ACCEPTED_XML_ENCODINGS = ("utf-8", "utf-16", "utf-16le", "utf-16be", "us-ascii", "ascii", "iso-8859-1")


def open_source(content, extension, encoding, separator, limits):
    """Look at the content, not at the name, and return the source that reads it.

    :raises TabularError: when it is none of the formats.
    """
    if content.startswith(_ZIP):
        return XlsxSource(content, limits)
    if content.startswith(ole.SIGNATURE) or _is_bare_biff(content):
        return XlsSource(content, limits)
    if content.startswith(b"PK\x05\x06"):
        raise TabularError("not_a_table", found="ZIP")
    for signature, found in _OTHER_KINDS:
        if content.startswith(signature):
            raise TabularError("not_a_table", found=found)
    return TextSource(content, encoding, separator, limits)


def _is_bare_biff(content):
    """Excel 2 to 5 wrote its records without a container."""
    return content[:2] in (b"\x09\x00", b"\x09\x02", b"\x09\x04", b"\x09\x08") and content[2:4] in (
        b"\x04\x00",
        b"\x06\x00",
        b"\x08\x00",
        b"\x10\x00",
    )


@contextlib.contextmanager
def _guard(code="broken", **params):
    """Turn whatever a library raises about a file into one message.

    Readers of damaged files raise all kinds of exceptions: KeyError, struct.error, AssertionError … Only calls
    into libraries stand inside, so that mistakes of this package still show.
    """
    try:
        yield
    except TabularError:
        raise
    except Exception as error:
        raise TabularError(code, **params) from error


class _Source:
    """What a table is read from."""

    kind = None
    encoding = None
    separator = None
    epoch = 1900

    def __init__(self):
        self.sheets = []
        self.visible_sheets = []

    def rows(self, sheet, width=None):
        """Yield ``(number, list of cells)``, in ascending order; what is blank may be left out.

        :param int width: how many cells matter, when that is known.
        """
        raise NotImplementedError

    def merged_cells(self, sheet):
        """Return ranges ``(first row, last row, first column, last column)``, rows from 1, columns from 0."""
        return []


# === XLSX === #


class XlsxSource(_Source):
    """A workbook of Excel since 2007, or of any other program that writes this format."""

    kind = "xlsx"

    def __init__(self, content, limits):
        super().__init__()
        self.limits = limits
        self._merged_by_part = {}
        self._check_archive(content)
        with _guard():
            # Reading does not follow links to other files, and leaves formulas alone: it takes the saved values.
            self.book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
            worksheets = list(self.book.worksheets)
            self.epoch = 1904 if self.book.epoch.year == 1904 else 1900
        if len(worksheets) > limits.max_sheets:
            raise TabularError("broken")
        self.by_name = {str(sheet.title): sheet for sheet in worksheets}
        self.sheets = list(self.by_name)
        self.visible_sheets = [name for name, sheet in self.by_name.items() if sheet.sheet_state == "visible"]
        if not self.sheets:
            raise TabularError("empty")

    def _check_archive(self, content):
        """Look into the archive before anything of it is parsed."""
        with _guard():
            archive = zipfile.ZipFile(io.BytesIO(content))
            parts = archive.infolist()
        names = {part.filename for part in parts}
        self._check_kind(archive, names)
        if any(part.flag_bits & 0x1 for part in parts):
            raise TabularError("password")
        if len(parts) > _MAX_PARTS or sum(part.file_size for part in parts) > self.limits.max_unpacked:
            raise TabularError("bomb")
        for part in parts:
            if part.file_size > 16 * 1024 * 1024 and part.file_size > self.limits.max_ratio * max(
                part.compress_size, 1
            ):
                raise TabularError("bomb")
        for part in parts:
            self._check_part(archive, part)

    def _check_kind(self, archive, names):
        if any(name.lower().endswith("vbaproject.bin") for name in names):
            raise TabularError("macros")
        if "mimetype" in names:
            with _guard(), archive.open("mimetype") as part:
                mimetype = part.read(200)
            if b"opendocument" in mimetype:
                raise TabularError("not_a_table", found="OpenDocument")
        if any(name.endswith("workbook.bin") for name in names):
            raise TabularError("not_a_table", found="XLSB")
        if "[Content_Types].xml" not in names:
            raise TabularError("not_a_table", found="ZIP")
        for folder, found in (("word/", "Word"), ("ppt/", "PowerPoint")):
            if any(name.startswith(folder) for name in names) and not any(name.startswith("xl/") for name in names):
                raise TabularError("not_a_table", found=found)

    def _check_part(self, archive, part):
        """Parse a part once for nothing but its size and shape, and for merged cells."""
        is_markup = part.filename.lower().endswith((".xml", ".rels"))
        # Duplicate names: what is checked must be what is read, hence the entry and not its name.
        with _guard(), archive.open(part) as stream:
            head = stream.read(64 * 1024)
            if not is_markup and not head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"<"):
                return
            checker = _PartChecker()
            while head:
                checker.feed(head)
                head = stream.read(1024 * 1024)
            checker.close()
        self._merged_by_part[part.filename] = checker.merged

    def rows(self, sheet, width=None):
        worksheet = self.by_name[sheet]
        with _guard():
            # What a file says about its own size is often wrong.
            worksheet.reset_dimensions()
            width = width or self.limits.max_columns + 1
            rows = worksheet.iter_rows(max_row=_MAX_XLSX_ROW, max_col=width, values_only=True)
        number, blank = 0, None
        while True:
            number += 1
            # Not in ``_guard``, which would take longer than reading the row.
            try:
                row = next(rows, None)
            except Exception as error:
                raise TabularError("broken") from error
            if row is None:
                return
            # Gaps are filled with one and the same row, up to a million times.
            if row is blank:
                continue
            if all(value is None for value in row):
                blank = row
                continue
            yield number, [as_plain_value(value) for value in row]

    def merged_cells(self, sheet):
        path = getattr(self.by_name[sheet], "_worksheet_path", "")
        return self._merged_by_part.get(path.lstrip("/"), [])


class _PartChecker:
    """Reads a part of a workbook without keeping any of it, and refuses what would fill memory."""

    def __init__(self):
        self.merged = []
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.EntityDeclHandler = self._entity
        self.parser.XmlDeclHandler = self._declaration
        self.since_row = self.rows = self.row_number = self.position = 0

    def feed(self, data):
        """Parse the next bytes of the part.

        :raises TabularError: when one tag or text is too long.
        """
        self.parser.Parse(data, False)
        if self.parser.CurrentByteIndex - self.position > _MAX_GAP:
            raise TabularError("bomb")

    def close(self):
        """Parse the end of the part, which must be complete."""
        self.parser.Parse(b"", True)

    def _start(self, name, attributes):
        position = self.parser.CurrentByteIndex
        if position - self.position > _MAX_GAP:
            raise TabularError("bomb")
        self.position = position
        local = name.rpartition(":")[2]
        if local in ("row", "si"):
            self.rows += 1
            self.since_row = 0
            if self.rows > _MAX_STRINGS:
                raise TabularError("bomb")
            if local == "row":
                self._follow_rows(attributes.get("r"))
            return
        self.since_row += 1
        if self.since_row > _MAX_ELEMENTS:
            raise TabularError("bomb")
        if local == "mergeCell" and len(self.merged) < 10_000:
            self._add_merged(attributes.get("ref", ""))

    def _follow_rows(self, number):
        """Refuse rows out of order: the library would leave them out silently."""
        number = int(number) if number else self.row_number + 1
        if not self.row_number < number <= _MAX_XLSX_ROW:
            raise TabularError("broken")
        self.row_number = number

    def _add_merged(self, reference):
        match = re.fullmatch(r"([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})", reference)
        if match:
            first_column, first_row, last_column, last_row = match.groups()
            self.merged.append((int(first_row), int(last_row), _column_index(first_column), _column_index(last_column)))

    def _doctype(self, _name, _system, _public, _has_subset):
        raise TabularError("unsafe_xml")

    def _entity(self, *_arguments):
        raise TabularError("unsafe_xml")

    def _declaration(self, _version, encoding, _standalone):
        # Other encodings might hide from this parser what another one sees.
        if encoding and encoding.lower() not in _ACCEPTED_XML_ENCODINGS:
            raise TabularError("unsafe_xml")


def _column_index(letters):
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    return index - 1


# === XLS === #


# A log that nobody reads.
_NOWHERE = types.SimpleNamespace(write=lambda _text: None, flush=lambda: None)


class XlsSource(_Source):
    """A workbook of Excel before 2007."""

    kind = "xls"

    def __init__(self, content, limits):
        super().__init__()
        self.limits = limits
        if content.startswith(ole.SIGNATURE):
            content = self._unwrap(content)
        with _guard():
            try:
                self.book = xlrd.open_workbook(
                    file_contents=content, on_demand=True, ragged_rows=True, logfile=_NOWHERE
                )
            except xlrd.XLRDError as error:
                if "encrypted" in str(error).lower():
                    raise TabularError("password") from error
                raise
            self.epoch = 1904 if self.book.datemode else 1900
            self.sheets = list(dict.fromkeys(self.book.sheet_names()))
            if len(self.sheets) > limits.max_sheets:
                raise TabularError("broken")
            visibility = getattr(self.book, "_sheet_visibility", [])
        self.visible_sheets = [
            name for index, name in enumerate(self.sheets) if index >= len(visibility) or not visibility[index]
        ]
        if not self.sheets:
            raise TabularError("empty")

    @staticmethod
    def _unwrap(content):
        """Return the stream that holds the workbook, of a container that holds nothing dangerous."""
        with _guard():
            container = ole.OleFile(content)
        names = container.entries
        if "EncryptedPackage" in names or "EncryptionInfo" in names:
            raise TabularError("password")
        if "_VBA_PROJECT" in names or "_VBA_PROJECT_CUR" in names:
            raise TabularError("macros")
        for name, found in (
            ("WordDocument", "Word"),
            ("PowerPoint Document", "PowerPoint"),
            ("__properties_version1.0", "MSG"),
        ):
            if name in names:
                raise TabularError("not_a_table", found=found)
        with _guard():
            # Their spelling differs from program to program.
            name = next(name for wanted in ("workbook", "book") for name in names if name.lower() == wanted)
            return container.read_stream(name)

    def rows(self, sheet, width=None):
        with _guard():
            page = self.book.sheet_by_name(sheet)
            count = page.nrows
        for index in range(count):
            try:
                cells = page.row(index)
            except Exception as error:
                raise TabularError("broken") from error
            yield index + 1, [self._get_value(cell) for cell in cells[: self.limits.max_columns + 1]]

    def _get_value(self, cell):
        kind, value = cell.ctype, cell.value
        if kind == xlrd.XL_CELL_DATE:
            try:
                return xlrd.xldate.xldate_as_datetime(value, self.book.datemode)
            except (xlrd.xldate.XLDateError, OverflowError, ValueError):
                return CellError("#VALUE!")
        if kind == xlrd.XL_CELL_ERROR:
            return CellError(xlrd.error_text_from_code.get(value, "#N/A"))
        if kind == xlrd.XL_CELL_BOOLEAN:
            return bool(value)
        if kind in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
            return None
        if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
            return int(value)
        return value


# === TEXT === #


class TextSource(_Source):
    """A delimited text."""

    kind = "text"

    def __init__(self, content, encoding, separator, limits):
        super().__init__()
        self.content = content
        self.limits = limits
        self.encoding = self._find_encoding(encoding)
        self._check_text()
        self.skip = 0
        if separator is not None:
            if len(separator) != 1 or separator in '\r\n"\0':
                raise TabularError("separator")
            self.separator = separator
            self.skip = int(self._declared_separator() is not None)
        else:
            declared = self._declared_separator()
            self.skip = int(declared is not None)
            self.separator = declared or self._guess_separator()

    def _find_encoding(self, encoding):
        if encoding:
            try:
                name = codecs.lookup(encoding).name
                is_text = codecs.lookup(encoding)._is_text_encoding
            except (LookupError, ValueError):
                name, is_text = "", False
            if not is_text or name in ("idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined"):
                raise TabularError("encoding_unknown", encoding=encoding[:40])
            for bom, found in _TEXT_BOMS:
                if self.content.startswith(bom) and found.startswith(name[:6]):
                    return found
            return name
        for bom, found in _TEXT_BOMS:
            if self.content.startswith(bom):
                return found
        head = self.content[:4096]
        zeros = head.count(0)
        if zeros > len(head) // 4:
            # Latin letters have a zero on one side of UTF-16.
            return "utf-16-le" if head[1::2].count(0) >= head[::2].count(0) else "utf-16-be"
        for candidate in ("utf-8", "cp1252"):
            if self._decodes(candidate):
                return candidate
        # Five bytes mean nothing in Windows-1252; Latin 1 takes anything, and those turn invisible.
        return "iso8859-1"

    def _decodes(self, encoding):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            for start in range(0, len(self.content), 1 << 16):
                decoder.decode(self.content[start : start + (1 << 16)])
            decoder.decode(b"", True)
        except (UnicodeError, ValueError):
            return False
        return True

    def _check_text(self):
        if not self._decodes(self.encoding):
            raise TabularError("encoding", encoding=self.encoding)
        with self._open() as stream:
            head = stream.read(4096)
        if not head.strip("\ufeff \t\r\n\0"):
            if not self.content.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0"):
                raise TabularError("empty")
        start = head.lstrip("\ufeff \t\r\n")[:300].lower()
        if re.match(r"<(?:!doctype\s+html|html|head|body|table|meta|div|style|script)\b", start):
            raise TabularError("not_a_table", found="HTML")
        if start.startswith("<?xml"):
            raise TabularError("not_a_table", found="XML")
        if start.startswith("mime-version:"):
            raise TabularError("not_a_table", found="MHTML")
        odd = sum(character < " " and character not in "\t\r\n\x0b\x0c\x1a" for character in head)
        if odd > max(8, len(head) // 50):
            raise TabularError("broken")

    def _open(self):
        return io.TextIOWrapper(io.BytesIO(self.content), encoding=self.encoding, newline="")

    def _declared_separator(self):
        """Excel lets a first line ``sep=;`` say what separates the cells."""
        with self._open() as stream:
            line = stream.readline(40)
        match = re.fullmatch(r'\ufeff?"?sep=([^\r\n"])"?\s*', line, re.IGNORECASE)
        return match[1] if match else None

    def _guess_separator(self):
        """Return the separator that cuts the first lines into the most even rows of several cells."""
        with self._open() as stream:
            text = stream.read(64 * 1024)
        best, choice = (0, False, 0), None
        for separator in _SEPARATORS:
            widths, titles = [], set()
            try:
                # Not strict: the text may end within quotes.
                for cells in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
                    if any(cell.strip() for cell in cells):
                        widths.append(len(cells))
                        if all(cell.strip() and not re.search(r"\d", cell) for cell in cells):
                            titles.add(len(cells))
                    if len(widths) >= 200:
                        break
            except csv.Error:
                continue
            several = [width for width in widths if width > 1]
            if not several:
                continue
            common = max(set(several), key=lambda width: (several.count(width), width))
            # The titles distinguish "1,5;2,5" from three cells: no decimal comma stands in them.
            score = (round(several.count(common) / len(widths), 1), common in titles, common)
            if score > best:
                best, choice = score, separator
        return choice or ";"

    def rows(self, sheet, width=None):
        # Quotes are read strictly: an open one would swallow the rest of the file in silence.
        with self._open() as stream:
            number = 0
            reader = csv.reader(self._without_nul(stream), delimiter=self.separator, strict=True)
            while True:
                number += 1
                try:
                    cells = next(reader, None)
                except csv.Error as error:
                    if "field limit" in str(error):
                        raise TabularError("cell_too_long", number, limit=self.limits.max_cell) from error
                    raise TabularError("quote", number) from error
                except UnicodeError as error:
                    raise TabularError("encoding", number, encoding=self.encoding) from error
                if cells is None:
                    return
                if number <= self.skip:
                    continue
                if len(cells) > _MAX_XLSX_COLUMN:
                    raise TabularError("too_many_columns", number, limit=self.limits.max_columns)
                if cells:
                    cells[0] = cells[0].lstrip("\ufeff")
                    yield number, cells

    @staticmethod
    def _without_nul(stream):
        for line in stream:
            yield line.replace("\0", "").rstrip("\x1a") if "\0" in line or "\x1a" in line else line
