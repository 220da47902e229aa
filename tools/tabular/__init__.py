"""Tables that people hand in and take away: .xlsx, .xls, .csv and .txt, however they were made.

Files come from strangers. Whatever is wrong with one, ``TabularError`` says so with row and column, and
no other exception comes out; memory and time stay bounded.
"""

from .cells import CellError
from .errors import TEMPLATES, TabularError
from .matching import is_total, match_columns, normalise_header
from .reader import Limits, Row, Table, read_table
from .values import guess_date_order, guess_decimal, parse_amount, parse_date, parse_text
from .writer import XlsxColumn, XlsxTable, neutralise, write_delimited
