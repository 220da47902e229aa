from odoo.fields import Command
from odoo.tests import tagged

from ...tools import scoring
from ..common import CollectionCommon


@tagged("post_install", "-at_install")
class TestScore(CollectionCommon):
    """The score says whom to contact first, and why."""

    def test_breakdown_adds_up_to_the_score(self):
        self._create_invoice(amount=7000, days_late=70)
        self._create_invoice(amount=20, days_late=5)
        debtor = self._get_debtor()
        self.assertEqual(debtor.score, sum(row["points"] for row in debtor.score_breakdown))
        self.assertEqual(sum(row["max"] for row in debtor.score_breakdown), 100)
        self.assertTrue(all(0 <= row["points"] <= row["max"] for row in debtor.score_breakdown))

    def test_score_follows_the_bands(self):
        """Each criterion gives what plain Python says for its value."""
        self._create_invoice(amount=7000, days_late=70)
        debtor = self._get_debtor()
        points = {row["criterion"]: row["points"] for row in debtor.score_breakdown}
        for criterion, maximum in self.env["collection.criterion"]._get_criteria(self.company)._get_maxima().items():
            value = {
                "days_late": debtor.days_late,
            }.get(criterion.indicator)
            if value is None:
                value = debtor[criterion.indicator]
            if criterion.uses_words:
                percent = {band._get_key(): band.percent for band in criterion.band_ids}.get(value, 0)
            else:
                percent = scoring.pick_band(value, [(band.lower, band.percent) for band in criterion.band_ids]) or 0
            with self.subTest(criterion=criterion.name):
                self.assertEqual(points[criterion.id], scoring.contribution(percent, maximum))

    def test_an_indicator_that_is_gone(self):
        """No user chooses one that there isn't; one whose addon was uninstalled counts for nothing."""
        criterion = self.env["collection.criterion"].search([("indicator", "=", "days_late")], limit=1)
        with self.assertRefused("choose one of the indicators"):
            criterion.with_user(self.manager).copy({"company_id": self.company.id, "indicator": "moon"})
        self.env.cr.execute("UPDATE collection_criterion SET indicator = 'moon' WHERE id = %s", [criterion.id])
        self.env.invalidate_all()
        self._create_invoice(amount=7000, days_late=70)
        debtor = self._get_debtor()
        self.assertNotIn(criterion.id, [row["criterion"] for row in debtor.score_breakdown])
        self.assertEqual(sum(row["max"] for row in debtor.score_breakdown), 100)

    def test_bigger_and_older_comes_first(self):
        self._create_invoice(amount=200, days_late=3)
        self._create_invoice(self.other_customer, amount=9000, days_late=95)
        self._synchronize()
        first, second = self.env["collection.debtor"].search(
            [("partner_id", "in", (self.customer + self.other_customer).ids)]
        )
        self.assertEqual((first.partner_id, second.partner_id), (self.other_customer, self.customer))

    def test_explanation_in_the_language_of_the_user(self):
        self._load_french()
        self._create_invoice(amount=7000, days_late=70)
        debtor = self._get_debtor().with_user(self.collector)
        self.assertIn("How long it has been", debtor.score_explanation)
        rows = debtor._get_score_rows()
        self.assertEqual([row["points"] for row in rows], sorted([row["points"] for row in rows], reverse=True))
        self.assertIn("70 days", [row["value"] for row in rows])

    def test_explanation_on_the_customer(self):
        self._create_invoice(amount=7000, days_late=70)
        debtor = self._get_debtor()
        contact = self.env["res.partner"].create({"name": "Marie", "parent_id": self.customer.id})
        for partner in (self.customer, contact):
            self.assertEqual(partner.with_user(self.collector).collection_score_explanation, debtor.score_explanation)

    def test_grades_follow_the_limits_of_the_company(self):
        self._create_invoice(amount=7000, days_late=70)
        debtor = self._get_debtor()
        score = debtor.score
        for grade, limits in (
            ("a", (score, score - 1, score - 2)),
            ("b", (100, score, score - 1)),
            ("c", (100, 99, score)),
            ("d", (100, 99, score + 1)),
        ):
            self.company.write(
                dict(zip(("collection_grade_a", "collection_grade_b", "collection_grade_c"), limits, strict=True))
            )
            self.assertEqual(self._get_debtor().grade, grade)

    def test_nonsense_is_refused(self):
        with self.assertRefused("Grades must fall"):
            self.company.collection_grade_b = 90
        criterion = self.env.ref("account_collection.collection_criterion_days_late").with_user(self.manager)
        with self.assertRefused("two bands"):
            criterion.band_ids = [Command.create({"lower": 31, "percent": 5})]
        with self.assertRefused("no band"):
            criterion.band_ids = [Command.clear()]
        with self.assertRefused("At least one criterion needs a weight"):
            self.env["collection.criterion"].search([]).weight = 0

    def test_own_criterion_of_a_company(self):
        other_company = self.setup_other_company(name="Moreau Belgique")["company"]
        self.env["collection.criterion"].search([]).company_id = other_company
        self.env["collection.criterion"].create(
            {
                "name": "Anything overdue",
                "indicator": "overdue_amount",
                "weight": 3,
                "company_id": self.company.id,
                "band_ids": [Command.create({"lower": 0.01, "percent": 50})],
            }
        )
        self._create_invoice(amount=1)
        self.assertEqual(self._get_debtor().score, 50)
