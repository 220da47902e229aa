"""What the cells of a file mean: texts, dates and amounts as people and programs write them."""

import datetime
import math
import re
import unicodedata
from decimal import Decimal

from .cells import CellError
from .errors import TabularError
from .writer import restore

# Excel counts days from here; it takes 1900 for a leap year, hence two days before 1 January 1900.
_EPOCHS = {1900: datetime.date(1899, 12, 30), 1904: datetime.date(1904, 1, 1)}
# A number that stands for a day, when nothing but the column says that it is one: 1954 to 2119.
_PLAIN_SERIALS = range(20_000, 80_400)
_YEARS = range(1900, 2200)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan janv january janvier",
            "feb fev fevr february fevrier",
            "mar mars march",
            "apr avr april avril",
            "may mai",
            "jun juin june",
            "jul juil july juillet",
            "aug aou aout august",
            "sep sept september septembre",
            "oct october octobre",
            "nov november novembre",
            "dec december decembre",
        ),
        start=1,
    )
    for name in names.split()
}
_TIME = r"(?:[T\s]+\d{1,2}[:h]\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?\s*(?:[AaPp]\.?[Mm]\.?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
_NUMERIC_DATE = re.compile(rf"(\d{{1,4}})\s*[-/.\s]\s*(\d{{1,2}})\s*[-/.\s]\s*(\d{{1,4}}){_TIME}", re.ASCII)
_NAMED_DATE = re.compile(
    rf"(\d{{1,2}})(?:er|st|nd|rd|th)?[-/.\s]+([a-z]+)\.?,?[-/.\s]+(\d{{4}}|\d{{2}}){_TIME}", re.ASCII
)
_NAMED_US_DATE = re.compile(rf"([a-z]+)\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}}){_TIME}", re.ASCII)
_SPACES = "\u00a0\u202f\u2007\u2009\u2008\u200a\u2002\u2003\u3000"
_SPACE_TABLE = str.maketrans({character: " " for character in _SPACES})
_MINUS_TABLE = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2012": "-", "\ufe63": "-", "\uff0d": "-"})
_CURRENCY = re.compile(r"[^\W\d_]{1,7}\.?|[$€£¥₹₽₺₩₪₫฿₴₦]|[^\W\d_]{0,3}\$")
_LIMIT = Decimal("1e15")


def _plain(value):
    return str(value).translate(_SPACE_TABLE).strip().strip("\u200e\u200f\u202a\u202c\ufeff").strip()


def _check_error(value, row, column):
    if isinstance(value, CellError):
        raise TabularError("cell_error", row, column, value=str(value))


def _shorten(value):
    text = str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def parse_text(value, row=None, column=None):
    """Return a cell as text, as whoever filled it in meant it.

    Whole numbers lose the ``.0`` of Excel, texts what ``neutralise`` added, and ``="007"``, by which
    programs keep leading zeros in CSV, becomes ``007``.

    :return: str, empty when the cell is blank.
    :raises TabularError: when the cell shows an error of the spreadsheet.

    >>> parse_text(12.0), parse_text("'+33 1 02"), parse_text('="007"'), parse_text(None)
    ('12', '+33 1 02', '007', '')
    """
    _check_error(value, row, column)
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    text = str(value)
    quoted = re.fullmatch(r'\s*="([^"]*)"\s*', text)
    return quoted[1].strip() if quoted else restore(text).strip()


# === DATES === #


def parse_date(value, order=None, epoch=1900, row=None, column=None):
    """Return a cell as a date.

    :param value: text, date, or the number by which Excel stores a day.
    :param order: ``"dmy"``, ``"mdy"``, ``"ymd"``: how numbers follow each other where that leaves a doubt.
        Without it, a date that reads both ways is refused.
    :param int epoch: from which year the file counts days.
    :return: date, or None when the cell is blank.
    :raises TabularError: when it is no date, or one that does not exist.

    >>> parse_date("31/12/26", "dmy"), parse_date(46387), parse_date("2026-12-31T00:00:00")
    (datetime.date(2026, 12, 31), datetime.date(2026, 12, 31), datetime.date(2026, 12, 31))
    """
    _check_error(value, row, column)
    if isinstance(value, datetime.datetime):
        found = value.date()
    elif isinstance(value, datetime.date):
        found = value
    elif value is None or (isinstance(value, str) and not _plain(value)):
        return None
    else:
        try:
            found = _read_date(value, order, epoch)
        except (ValueError, OverflowError):
            found = None
    if found == "ambiguous":
        raise TabularError("date_ambiguous", row, column, value=_shorten(value))
    if found is None or found.year not in _YEARS:
        raise TabularError("date_impossible", row, column, value=_shorten(value))
    return found


def _read_date(value, order, epoch):
    """Return a date, None, or ``"ambiguous"``."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _date_of_serial(value, epoch)
    text = unicodedata.normalize("NFKD", _plain(value)).casefold()
    text = "".join(character for character in text if not unicodedata.combining(character)).strip("'\"")
    text = re.sub(r"^(?:mon|tue|wed|thu|fri|sat|sun|lun|mar|mer|jeu|ven|sam|dim)[a-z]*\.?,?\s+(?=\d)", "", text)
    if re.fullmatch(r"\d{8}", text, re.ASCII):
        return _date_of_eight_digits(text, order)
    if re.fullmatch(r"\d{5}(?:[.,]\d+)?", text, re.ASCII):
        return _date_of_serial(float(text.replace(",", ".")), epoch)
    numeric = _NUMERIC_DATE.fullmatch(text.upper()) or _NUMERIC_DATE.fullmatch(text)
    if numeric:
        return _date_of_parts(*numeric.groups(), order)
    named = _NAMED_DATE.fullmatch(text)
    if named and named[2] in _MONTHS:
        return datetime.date(_year(named[3]), _MONTHS[named[2]], int(named[1]))
    named = _NAMED_US_DATE.fullmatch(text)
    if named and named[1] in _MONTHS:
        return datetime.date(int(named[3]), _MONTHS[named[1]], int(named[2]))
    return None


def _date_of_serial(number, epoch):
    if isinstance(number, float) and not math.isfinite(number):
        return None
    days = int(number)
    if 19_000_101 <= days <= 21_991_231:
        return _date_of_eight_digits(str(days), "ymd")
    if days not in _PLAIN_SERIALS:
        return None
    return _EPOCHS[epoch] + datetime.timedelta(days=days)


def _date_of_eight_digits(text, order):
    year_first = (int(text[:4]), int(text[4:6]), int(text[6:]))
    if (
        year_first[0] in _YEARS
        and order in (None, "ymd")
        or (order and year_first[0] in _YEARS and _exists(*year_first))
    ):
        return datetime.date(*year_first)
    return _date_of_parts(text[:2], text[2:4], text[4:], order)


def _exists(year, month, day):
    try:
        datetime.date(year, month, day)
    except ValueError:
        return False
    return True


def _date_of_parts(first, second, third, order):
    if len(first) >= 3:
        return datetime.date(_year(first), int(second), int(third)) if len(first) == 4 and len(third) <= 2 else None
    if len(third) == 3 or len(third) == 1:
        return None
    if order == "ymd" and len(third) == 2:
        return datetime.date(_year(first), int(second), int(third))
    first, second, year = int(first), int(second), _year(third)
    if order in (None, "ymd"):
        if first <= 12 and second <= 12 and first != second:
            return "ambiguous"
        order = "mdy" if second > 12 else "dmy"
    return datetime.date(year, first, second) if order == "mdy" else datetime.date(year, second, first)


def _year(text):
    year = int(text)
    if len(text) == 4:
        return year
    # Bills are due around now, never in the thirties of the last century.
    return year + (2000 if year < 80 else 1900)


def guess_date_order(values):
    """Detect from a column of dates how day, month and year follow each other.

    :return: ``"dmy"``, ``"mdy"``, ``"ymd"``, or None when the cells don't show it or contradict each other.

    >>> guess_date_order(["01/02/2026", "25/02/2026"]), guess_date_order(["2026-02-25"]), guess_date_order(["1/2/26"])
    ('dmy', 'ymd', None)
    """
    seen = set()
    for value in values:
        if not isinstance(value, str):
            continue
        match = _NUMERIC_DATE.fullmatch(_plain(value).upper())
        if not match:
            continue
        if len(match[1]) == 4:
            seen.add("ymd")
        elif int(match[1]) > 31:
            seen.add("ymd")
        elif int(match[1]) > 12 and int(match[2]) <= 12:
            # 25/02/26: the year may come first only when it has two digits.
            seen.add("dmy")
        elif int(match[2]) > 12 and int(match[1]) <= 12:
            seen.add("mdy")
        elif "." in value and len(match[3]) == 4:
            # Points stand between the parts of a date only where the day comes first.
            seen.add("dmy")
    # ISO dates leave no doubt, so they say nothing about the others.
    order = seen - {"ymd"} or seen
    return order.pop() if len(order) == 1 else None


# === AMOUNTS === #


def parse_amount(value, decimal=None, row=None, column=None):
    """Return a cell as an amount.

    :param value: number, or text such as ``1 000,50``, ``1,000.50``, ``1'000.50``, ``(12.00)``, ``12-``, ``€ 12``.
    :param decimal: the decimal sign, ``","`` or ``"."``. Without it, what reads both ways (``1,000``) is refused.
    :return: Decimal, or None when the cell is blank.
    :raises TabularError: when it is no amount.

    >>> parse_amount("1 000,50"), parse_amount("(1'000.50)"), parse_amount("12,00-"), parse_amount("€ 1.234,5")
    (Decimal('1000.50'), Decimal('-1000.50'), Decimal('-12.00'), Decimal('1234.5'))
    """
    _check_error(value, row, column)
    if isinstance(value, bool):
        raise TabularError("amount_bad", row, column, value=value)
    if value is None:
        return None
    if isinstance(value, Decimal):
        amount = value
    elif isinstance(value, int | float):
        # abs(): an int too long for text can't even be shown in the message.
        if isinstance(value, int) and abs(value) >= 10**15:
            raise TabularError("amount_bad", row, column, value="…")
        # repr() of what Excel calculated may show dust: 15 digits are all that Excel has.
        amount = Decimal(repr(value)) if isinstance(value, int) else Decimal(f"{value:.15g}")
    elif isinstance(value, str):
        text = _plain(value).translate(_MINUS_TABLE)
        if not text:
            return None
        amount = _read_amount(text, decimal)
        if amount == "ambiguous":
            raise TabularError("amount_ambiguous", row, column, value=_shorten(value))
    else:
        amount = None
    if amount is None or not amount.is_finite() or abs(amount) >= _LIMIT:
        raise TabularError("amount_bad", row, column, value=_shorten(value))
    return amount


def _strip_signs(text):
    """Remove sign and currency from an amount.

    :return: the digits with their separators, and whether the amount is negative.
    """
    negative = False
    for _step in range(4):
        text = text.strip("'\" ") if text[:1] in "'\"" else text.strip()
        if text.startswith("(") and text.endswith(")") and not negative:
            negative, text = True, text[1:-1]
        elif text[:1] in ("-", "+") and not negative:
            negative, text = text[0] == "-", text[1:]
        elif text[-1:] == "-" and not negative:
            negative, text = True, text[:-1]
        else:
            before = text
            head = re.match(rf"(?:{_CURRENCY.pattern})\s*(?=[\d(+.,-])", text)
            text = text[head.end() :] if head else text
            tail = re.search(rf"(?<=[\d)\s.,-])\s*(?:{_CURRENCY.pattern})$", text)
            text = text[: tail.start()] if tail else text
            if text == before:
                break
    return text.strip(), negative


def _read_amount(text, decimal):
    """Return a Decimal, None, or ``"ambiguous"``."""
    text, negative = _strip_signs(text)
    text = text.replace("’", "'")
    exponent = re.fullmatch(r"(\d+(?:[.,]\d+)?)e([+-]?\d{1,2})", text, re.IGNORECASE | re.ASCII)
    if exponent:
        digits = f"{exponent[1].replace(',', '.')}e{exponent[2]}"
    else:
        digits = _read_digits(text, decimal)
    if digits in (None, "ambiguous"):
        return digits
    amount = Decimal(digits)
    return -amount if negative else amount


def _read_digits(text, decimal):
    """Return the number in a form that Decimal reads, None, or ``"ambiguous"``."""
    if len(text) > 40 or not re.fullmatch(r"[\d ,.']*\d[\d ,.']*", text, re.ASCII):
        return None
    marks = [character for character in text if character in ",."]
    kinds = set(marks)
    point = None
    if len(kinds) == 2:
        point = marks[-1]
        if marks.count(point) > 1:
            return None
    elif len(marks) == 1:
        point = _judge_single_mark(text, marks[0], decimal)
        if point == "ambiguous":
            return point
    whole, mark, fraction = text.rpartition(point) if point else (text, "", "")
    if mark and not re.fullmatch(r"\d*", fraction, re.ASCII):
        return None
    whole = whole.strip()
    groups = {character for character in whole if character in " ,.'"}
    if len(groups) > 1:
        return None
    if groups:
        group = re.escape(groups.pop())
        # Indian grouping has twos before the last three.
        if not re.fullmatch(rf"\d{{1,3}}(?:{group}\d{{2,3}})*{group}\d{{3}}", whole, re.ASCII):
            return None
        whole = re.sub(group, "", whole)
    if not whole and not fraction:
        return None
    return f"{whole or 0}.{fraction or 0}"


def _judge_single_mark(text, mark, decimal):
    """Return what the only comma or point of a number is.

    :return: the mark when decimals follow it, None when thousands do, ``"ambiguous"``.
    """
    if decimal == mark:
        return mark
    whole, _mark, fraction = text.partition(mark)
    could_group = len(fraction) == 3 and re.fullmatch(r"[1-9]\d{0,2}", whole.strip(), re.ASCII)
    if not could_group:
        # Even where the comma is the decimal sign, "12.5" can't be thousands.
        return mark
    return None if decimal else "ambiguous"


def guess_decimal(values):
    """Detect from a column of amounts which sign stands before the decimals.

    :return: ``","``, ``"."``, or None when the cells don't show it or contradict each other.

    >>> guess_decimal(["1,000", "12,50"]), guess_decimal(["1.000,00"]), guess_decimal(["1,000", 12.5])
    (',', ',', None)
    """
    seen = set()
    for value in values:
        if not isinstance(value, str):
            continue
        text, _negative = _strip_signs(_plain(value).translate(_MINUS_TABLE))
        marks = [character for character in text if character in ",."]
        if not marks or not re.fullmatch(r"[\d ,.'’]*\d[\d ,.'’]*", text, re.ASCII):
            continue
        if len(set(marks)) == 2:
            seen.add(marks[-1])
        elif len(marks) > 1:
            seen.add("." if marks[0] == "," else ",")
        else:
            point = _judge_single_mark(text, marks[0], None)
            if point in (",", "."):
                seen.add(point)
    return seen.pop() if len(seen) == 1 else None
