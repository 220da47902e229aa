"""Words of files of receivables."""

# More changes than this are booked by the scheduled action, so that nobody waits.
AT_ONCE = 300
CHUNK = 200
RANKS = {"error": 0, "warning": 1, "paid": 2, "changed": 3, "new": 4, "unchanged": 5, "ignored": 6}
DATE_MEANINGS = ("invoice_date", "due_date")
AMOUNT_MEANINGS = ("original", "remaining")
TEXT_MEANINGS = ("customer", "reference", "vat", "registry", "email", "phone", "number")
CUSTOMER_MEANINGS = ("customer", "reference", "vat", "registry")
# What can't be found out from every file, and stays the same for one source.
REMEMBERED_OPTIONS = ("file_date_order", "file_decimal")
