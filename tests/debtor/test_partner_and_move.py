from odoo.tests import Form, tagged

from ..common import CollectionCommon


@tagged("post_install", "-at_install")
class TestPartnerAndMove(CollectionCommon):
    """Score, promise and dispute stand on customers and invoices, where people look for them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._create_invoice(amount=5000, days_late=40)
        cls.other_invoice = cls._create_invoice(cls.other_customer, amount=20, days_late=2)
        cls.future_invoice = cls._create_invoice(amount=70, days_late=-20)
        cls.debtor = cls._get_debtor()
        cls.other_debtor = cls._get_debtor(cls.other_customer)

    def test_score_on_the_customer(self):
        partner = self.customer.with_user(self.collector)
        self.assertEqual(partner.collection_score, self.debtor.score)
        self.assertEqual(partner.collection_grade, self.debtor.grade)
        contact = self.env["res.partner"].create({"name": "Marie", "parent_id": self.customer.id})
        self.assertEqual(contact.with_user(self.collector).collection_score, self.debtor.score)

    def test_search_sort_and_group_customers(self):
        Partner = self.env["res.partner"].with_user(self.collector)
        both = [("id", "in", (self.customer + self.other_customer).ids)]
        nobody = self._create_customer("Nobody")
        self.assertEqual(Partner.search([*both, ("collection_score", ">=", self.debtor.score)]), self.customer)
        self.assertEqual(Partner.search([*both, ("collection_grade", "=", self.debtor.grade)]), self.customer)
        self.assertEqual(Partner.search([("id", "=", nobody.id), ("collection_score", "=", 0)]), nobody)
        self.assertEqual(Partner.search([("id", "=", nobody.id), ("collection_grade", "=", False)]), nobody)
        self.assertFalse(Partner.search([("id", "=", nobody.id), ("collection_score", ">", 0)]))
        self.assertEqual(Partner.search(both, order="collection_score desc")[0], self.customer)
        groups = Partner._read_group(both, ["collection_grade"], ["__count"])
        self.assertEqual(dict(groups), {self.debtor.grade: 1, self.other_debtor.grade: 1})

    def test_state_of_an_invoice(self):
        move = self.invoice.with_user(self.collector)
        self.assertRecordValues(
            move,
            [
                {
                    "collection_state": "claimable",
                    "collection_score": self.debtor.score,
                    "collection_promise_date": False,
                }
            ],
        )
        self.assertFalse(self.future_invoice.collection_state)
        self._promise(self.debtor, date=self._days(5))
        self.assertRecordValues(
            move, [{"collection_state": "promised", "collection_promise_date": self.today.replace(day=15)}]
        )
        dispute = self._dispute(self.other_debtor, self._get_items(self.other_invoice))
        self.assertRecordValues(
            self.other_invoice, [{"collection_state": "disputed", "collection_dispute_reason_id": dispute.reason_id.id}]
        )

    def test_of_a_colleague_s_customers_nothing_is_told(self):
        """Invoices and customers are everybody's; what is judged of them is the matter of who follows them up."""
        self._promise(self.debtor, date=self._days(5))
        self._dispute(self.other_debtor, self._get_items(self.other_invoice))
        (self.debtor + self.other_debtor).collector_id = self.other_collector
        self.env["collection.pause"].sudo()._pause(self.other_debtor, self.other_invoice, self._days(9), "x")
        self.env.invalidate_all()
        on_moves = (
            "collection_score",
            "collection_state",
            "collection_promise_date",
            "collection_dispute_reason_id",
            "collection_paused_until",
        )
        on_partners = ("collection_score", "collection_grade", "collection_score_explanation")
        moves, partners = self.invoice + self.other_invoice, self.customer + self.other_customer
        cases = ((moves, on_moves, "collection_state"), (partners, on_partners, "collection_grade"))
        for user, is_told in ((self.other_collector, True), (self.collector, False), (self.team_user, True)):
            for records, names, group in cases:
                own = records.with_user(user)
                with self.subTest(user=user.login, model=records._name):
                    for name in names:
                        self.assertEqual(any(own.mapped(name)), is_told, name)
                    found = own.search([("id", "in", own.ids), ("collection_score", ">", 0)])
                    self.assertEqual(found, own if is_told else own.browse())
                    groups = own._read_group([("id", "in", own.ids)], [group], ["__count"])
                    self.assertEqual(False not in dict(groups), is_told)
                    self.assertEqual(len(own.search([("id", "in", own.ids)], order="collection_score desc")), 2)

    def test_search_sort_and_group_invoices(self):
        self._promise(self.debtor, date=self._days(5))
        dispute = self._dispute(self.other_debtor, self._get_items(self.other_invoice))
        Move = self.env["account.move"].with_user(self.collector)
        moves = self.invoice + self.other_invoice + self.future_invoice
        own = [("id", "in", moves.ids)]
        self.assertEqual(Move.search([*own, ("collection_state", "=", "promised")]), self.invoice)
        self.assertEqual(Move.search([*own, ("collection_state", "=", False)]), self.future_invoice)
        self.assertEqual(Move.search([*own, ("collection_state", "!=", False)]), moves - self.future_invoice)
        self.assertEqual(Move.search([*own, ("collection_promise_date", "<=", self._days(5))]), self.invoice)
        self.assertEqual(
            Move.search([*own, ("collection_dispute_reason_id", "=", dispute.reason_id.id)]), self.other_invoice
        )
        self.assertEqual(
            Move.search([*own, ("collection_dispute_reason_id.name", "=", dispute.reason_id.name)]), self.other_invoice
        )
        self.assertIn(self.invoice, Move.search([*own, ("collection_score", "=", self.debtor.score)]))
        groups = dict(Move._read_group(own, ["collection_state"], ["__count"]))
        self.assertEqual(groups, {"promised": 1, "disputed": 1, False: 1})
        groups = Move._read_group(own, ["collection_dispute_reason_id"], ["__count"])
        self.assertIn((dispute.reason_id, 1), groups)
        self.assertEqual(
            Move._read_group(own, ["collection_promise_date:month"], ["__count"])[0][0], self.today.replace(day=1)
        )

    def test_smart_buttons_go_both_ways(self):
        action = self.customer.with_user(self.collector).action_view_collection_debtor()
        self.assertEqual(action["res_id"], self.debtor.id)
        action = self.invoice.with_user(self.collector).action_view_collection_debtor()
        self.assertEqual(action["res_id"], self.debtor.id)
        action = self.debtor.with_user(self.collector).action_view_invoices()
        self.assertIn(self.invoice, self.env["account.move"].search(action["domain"]))

    def test_record_from_the_invoice(self):
        action = self.invoice.with_user(self.collector).action_collection_promise()
        form = Form(self.env["collection.promise.record"].with_user(self.collector).with_context(**action["context"]))
        form.save().action_confirm()
        self.assertEqual(self.debtor.promise_ids.line_ids.move_id, self.invoice)

    def test_forms_open_for_people_without_accounting_rights(self):
        Form(self.invoice.with_user(self.collector))
        Form(self.customer.with_user(self.collector))
