"""``dev/data_model.py``: the picture of the data model."""

import unittest
import xml.etree.ElementTree

from dev import data_model


class TestDataModel(unittest.TestCase):
    def test_it_shows_what_is_stored(self):
        picture = data_model.draw()
        texts = {text for text in xml.etree.ElementTree.fromstring(picture).itertext() if text.strip()}
        # Of the model itself, of an extension in another area, and of a mixin.
        for shown in (
            "debtor",
            "partner_id → res.partner",
            "handover_id → handover",
            "move_line_id → account.move.line",
        ):
            self.assertIn(shown, texts)
        # Neither dialogues nor reports nor what stands beside the model.
        for hidden in ("plan.simulation", "item.report", "company_id → res.company"):
            self.assertNotIn(hidden, texts)

    def test_it_is_drawn(self):
        self.assertTrue(data_model.check())
