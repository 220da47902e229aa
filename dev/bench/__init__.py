"""``make bench``: how fast the addon is on large ledgers, beside plain SQL, Odoo itself and other addons.

``run_bench`` leads: it makes the ledgers (``ledgers``, ``french_company``, ``ledger_generator``),
fetches the other addons (``peers``), has the jobs done inside Odoo (``jobs_*``, with a
``stopwatch``), and prints the ``table``.
"""
