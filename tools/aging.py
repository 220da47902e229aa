"""Aging of receivables: which bucket an amount belongs to by its days past due.

>>> [bucket_of(days) for days in (-3, 0, 1, 30, 31, 60)]
['not_due', 'not_due', '1_30', '1_30', '31_60', '31_60']
>>> [bucket_of(days) for days in (61, 90, 91, 120, 121)]
['61_90', '61_90', '91_120', '91_120', 'over_120']
"""

# (code, first day late of the bucket); an item due today is not late.
BUCKETS = (
    ("not_due", None),
    ("1_30", 1),
    ("31_60", 31),
    ("61_90", 61),
    ("91_120", 91),
    ("over_120", 121),
)


def bucket_of(days_late: int) -> str:
    """Return the code of the bucket that ``days_late`` calendar days past due belong to."""
    code = "not_due"
    for bucket, first_day in BUCKETS:
        if first_day is not None and days_late >= first_day:
            code = bucket
    return code
