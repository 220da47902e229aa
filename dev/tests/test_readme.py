"""``dev/readme.py``: the fragments as reStructuredText."""

import io
import unittest

import docutils.core

from dev import readme


class TestReadme(unittest.TestCase):
    def test_markdown(self):
        self.assertEqual(
            readme.as_rst("## Title\n\nSee [the page](https://example.com), `make run` and **bold**.\n"),
            "Title\n-----\n\nSee `the page <https://example.com>`__, ``make run`` and **bold**.",
        )

    def test_items_are_continued_below_their_text(self):
        self.assertEqual(
            readme.as_rst("9. one\n   two\n10. three\n   four\n\n- five\n six\n\nNo item"),
            "9. one\n   two\n10. three\n    four\n\n- five\n  six\n\nNo item",
        )

    def test_nothing_to_complain_of(self):
        """Odoo renders it in each database that lists the addon, and logs what docutils complains of."""
        said = io.StringIO()
        html = docutils.core.publish_string(
            readme.render(),
            writer_name="html",
            settings_overrides={"warning_stream": said, "report_level": 2, "output_encoding": "unicode"},
        )
        self.assertEqual(said.getvalue(), "")
        for title in ("Installation", "Configuration", "Usage", "Known issues / Roadmap", "Contributors"):
            self.assertIn(f"{title}</a>", html)
