"""Log entries that are not ours to fix: a pattern, and why it does not fail a run."""

ALLOWED = (
    (
        r"\.browser: Error received after termination: AssetsLoadingError",
        "a test ended, and Odoo closed the browser while the page still loaded a script",
    ),
)
