from datetime import timedelta
from itertools import pairwise

from odoo.tests import Form, freeze_time, tagged

from ..common import CollectionCommon


@tagged("post_install", "-at_install")
class TestScoreTuning(CollectionCommon):
    """Weights and bands are tried on the ranking before they count."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_invoice(amount=30000, days_late=2)  # big
        cls._create_invoice(cls.other_customer, amount=20, days_late=100)  # old
        cls.big = cls._get_debtor()
        cls.old = cls._get_debtor(cls.other_customer)
        cls.Tuning = cls.env["collection.score.tuning"].with_user(cls.manager)

    def _set(self, form, **weights):
        """Write weights by the names of indicators; all others get 0."""
        for index in range(len(form.line_ids)):
            with form.line_ids.edit(index) as line:
                line.weight = weights.get(line.criterion_id.indicator, 0)

    def test_preview_before_saving(self):
        before = (self.big.score, self.old.score)
        form = Form(self.Tuning)
        self._set(form, days_late=1)
        self.assertLess(form.preview.index("Garage Lemoine"), form.preview.index("Boulangerie Petit"))
        self._set(form, overdue_amount=1)
        self.assertLess(form.preview.index("Boulangerie Petit"), form.preview.index("Garage Lemoine"))
        self.assertEqual((self.big.score, self.old.score), before)
        form.save().action_apply()
        self.assertEqual((self.big.score, self.old.score), (100, 0))

    def test_preview_says_what_applying_gives(self):
        form = Form(self.Tuning)
        self._set(form, days_late=30, overdue_amount=10, item_count=5)
        tuning = form.save()
        ranking = {row["debtor"]: row["new_score"] for row in tuning._get_ranking()}
        tuning.action_apply()
        for debtor, score in ranking.items():
            self.assertEqual(debtor.sudo().score, score)

    def test_bands_as_text(self):
        form = Form(self.Tuning)
        self._set(form, days_late=1, payer_profile=0)
        for index in range(len(form.line_ids)):
            with form.line_ids.edit(index) as line:
                if line.criterion_id.indicator == "days_late":
                    self.assertEqual(line.bands, "1: 20, 8: 35, 31: 60, 61: 80, 90: 100")
                    line.bands = "2: 7, 100: 50"
                if line.criterion_id.indicator == "payer_profile":
                    self.assertIn("Bad payer: 100", line.bands)
        form.save().action_apply()
        self.assertEqual((self.big.score, self.old.score), (7, 50))

    def test_nonsense_is_refused_with_the_line_at_fault(self):
        criterion = self.env.ref("account_collection.collection_criterion_days_late")
        words = self.env.ref("account_collection.collection_criterion_payer_profile")
        tuning = self.Tuning.create({})
        for target, values, message in (
            (criterion, {"weight": -1}, "“How long it has been”: a weight can't be negative"),
            (criterion, {"bands": ""}, "“How long it has been” has no band"),
            (criterion, {"bands": "1: 20, 1: 30"}, "two bands for “1.0”"),
            (criterion, {"bands": "1: 20, soon: 30"}, "“soon” is not a number"),
            (criterion, {"bands": "1: lots"}, "“1: lots” can't be understood"),
            (criterion, {"bands": "1: 120"}, "“1: 120” can't be understood"),
            (words, {"bands": "Friendly: 20"}, "there is no “Friendly”"),
        ):
            line = tuning.line_ids.filtered(lambda line, target=target: line.criterion_id == target)
            old = line.read(["weight", "bands"])[0]
            line.write(values)
            with self.subTest(values=values):
                self.assertIn(message, tuning.message)
                with self.assertRefused(message):
                    tuning.action_apply()
            line.write({"weight": old["weight"], "bands": old["bands"]})
        tuning.line_ids.weight = 0
        self.assertIn("At least one criterion", tuning.message)

    def test_reset_to_defaults(self):
        scores = (self.big.score, self.old.score)
        form = Form(self.Tuning)
        self._set(form, days_late=1)
        tuning = form.save()
        tuning.action_apply()
        own = self.env["collection.criterion"].create(
            {
                "name": "VIP",
                "indicator": "custom",
                "partner_domain": "[('name', 'ilike', 'petit')]",
                "weight": 50,
                "band_ids": [(0, 0, {"lower": 1, "percent": 100})],
            }
        )
        tuning.action_reset()
        self.assertEqual((self.big.score, self.old.score), scores)
        self.assertFalse(own.active)

    def test_custom_criterion(self):
        shipped = self.env["collection.criterion"].search([])
        criterion = self.env["collection.criterion"].create(
            {
                "name": "Garages",
                "indicator": "custom",
                "partner_domain": "[('name', 'ilike', 'garage')]",
                "weight": 5,
                "band_ids": [(0, 0, {"lower": 1, "percent": 80})],
            }
        )
        shipped.weight = 0
        self._synchronize()
        self.assertEqual((self.big.score, self.old.score), (0, 80))
        with self.assertRefused("There is no field"):
            criterion.partner_domain = "[('no_such_field', '=', 1)]"


@tagged("post_install", "-at_install")
class TestScoreHistory(CollectionCommon):
    """One row a week at most, and one at each change of grade."""

    def test_rows(self):
        self._create_invoice(amount=900, days_late=1)
        debtor = self._get_debtor()
        self.assertEqual(len(debtor.score_history_ids), 1)
        grade = debtor.grade
        for days in (*range(1, 22), 120):
            with freeze_time(self.today + timedelta(days=days, hours=12)):
                self._synchronize()
        rows = debtor.score_history_ids.sorted("date")
        for older, newer in pairwise(rows):
            with self.subTest(date=newer.date):
                self.assertTrue(newer.grade != older.grade or (newer.date - older.date).days >= 7)
        self.assertNotEqual(debtor.grade, grade)
        self.assertRecordValues(rows[-1], [{"grade": debtor.grade, "score": debtor.score}])

    def test_nothing_is_written_for_who_owes_nothing(self):
        self._pay(self._create_invoice())
        self.assertFalse(self._get_debtor().score_history_ids)
