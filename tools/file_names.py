"""Names of files that go out together."""


def make_unique(name, number, taken):
    """Return a file's name that none of the others has, and add it to them.

    :param str name: as it is wished for
    :param int number: what tells it from another one of that name
    :param set taken: the names of the others
    :rtype: str

    >>> names = set()
    >>> make_unique("Statement Petit.xlsx", 7, names), make_unique("Statement Petit.xlsx", 8, names)
    ('Statement Petit.xlsx', 'Statement Petit 8.xlsx')
    >>> make_unique("Statement", 3, {"Statement"})
    'Statement 3'
    """
    if name in taken:
        stem, dot, ending = name.rpartition(".")
        name = f"{stem} {number}.{ending}" if dot else f"{name} {number}"
    taken.add(name)
    return name
