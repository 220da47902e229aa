from . import debtors, recap, statement
