from odoo.tools import SQL


def once(query):
    """Return SQL for a subquery that is worked out once, whatever it is joined with.

    PostgreSQL, when it knows nothing of the tables yet (after a big import, on the first day), takes each for one
    row and works a subquery out anew for each row that it is joined with: hours instead of a moment.

    :param SQL query: a SELECT that refers to nothing outside.
    """
    return SQL("WITH once AS MATERIALIZED (%s) SELECT * FROM once", query)
