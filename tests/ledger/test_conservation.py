from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.fields import Command
from odoo.tests import freeze_time, tagged
from odoo.tools import SQL

from ...models.debtor.collection_debtor import FACT_COLUMNS
from .test_reference import AMOUNTS, CHOICE, EXAMPLES, SHARE, RandomLedger, event

# What a debtor's overdue amount is made of.
PLACES = (
    "claimable_amount",
    "promised_amount",
    "disputed_amount",
    "announced_amount",
    "excluded_amount",
    "netted_amount",
)
CASE_AMOUNTS = (
    ("initial_amount", "initial_residual"),
    ("collected_amount", "collected_amount"),
    ("credited_amount", "credited_amount"),
    ("other_amount", "other_amount"),
    ("residual_amount", "residual"),
    ("promised_amount", "promised_amount"),
    ("disputed_amount", "disputed_amount"),
)

INVOICE = event(
    "invoice",
    customer=st.integers(0, 2),
    amount=AMOUNTS,
    days_late=st.integers(-10, 90),
    currency=st.sampled_from(("EUR", "USD")),
    instalments=st.booleans(),
    elsewhere=st.just(False),
)
PAYMENT = event("payment_today", invoice=CHOICE, share=SHARE)
PROMISE = event("promise_of_item", invoice=CHOICE, share=SHARE, days=st.integers(0, 6))
DISPUTE = event("dispute", invoice=CHOICE, share=SHARE, accepted=st.booleans())
STEPS = (
    INVOICE,
    PAYMENT,
    PAYMENT,
    PROMISE,
    PROMISE,
    DISPUTE,
    event("money_on_account", customer=st.integers(0, 2), amount=AMOUNTS, dollar=st.booleans()),
    event("credit_note", invoice=CHOICE, share=SHARE, allocated=st.booleans()),
    event("allocation", invoice=CHOICE),
    event("unreconciliation", invoice=CHOICE),
    event("bounce_today", payment=CHOICE, allocated=st.booleans()),
    event("cancelled_payment", payment=CHOICE),
    event("rejected_payment", payment=CHOICE),
    event("draft_payment", payment=CHOICE),
    event("repost", number=CHOICE),
    event("payment_by_other", invoice=CHOICE, customer=CHOICE, share=SHARE),
    event("payment_ahead", invoice=CHOICE, share=SHARE, days=st.integers(1, 9), allocated=st.booleans()),
    event("bank_line", customer=CHOICE, amount=AMOUNTS, days_ago=st.integers(0, 9)),
    event("cancelled_credit_note", invoice=CHOICE),
    event("plan", customer=st.integers(0, 2), count=st.integers(2, 4)),
    event("renegotiation", promise=CHOICE, days=st.integers(0, 9)),
    event("pause", invoice=CHOICE, days=st.integers(1, 6)),
    event("write_off_entry", invoice=CHOICE, share=SHARE),
    event("no_followup", invoice=CHOICE),
    event("block", invoice=CHOICE),
    event("draft", invoice=CHOICE),
    event("withdrawal", promise=CHOICE),
    event("rejection", dispute=CHOICE),
    event("days_passing", count=st.integers(1, 9)),
    event(
        "online_payment",
        invoice=CHOICE,
        customer=CHOICE,
        share=st.integers(1, 150),
        days_ago=st.integers(0, 9),
        state=st.sampled_from(("pending", "authorized", "done")),
        named=st.booleans(),
    ),
    event("entry_ahead", customer=CHOICE, amount=AMOUNTS, days=st.integers(1, 9), is_credit=st.booleans()),
    event("branch_invoice", customer=CHOICE, amount=AMOUNTS, days_late=st.integers(-5, 50)),
    event("branch_payment", customer=CHOICE, amount=AMOUNTS, days_ago=st.integers(0, 9), allocated=st.booleans()),
)
# Customers who become one: in a campaign that is over, their cases become one as well.
MERGES = (
    event("merge", customer=CHOICE, other=CHOICE),
    event("join", customer=CHOICE, other=CHOICE),
)
LEDGERS = st.lists(INVOICE, min_size=2, max_size=3)


class RandomLife(RandomLedger):
    """Lets things happen to a ledger on days that pass: each step is a method."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first_day = cls.today

    def _search_debtors(self):
        return self.env["collection.debtor"].search(
            [("company_id", "=", self.company.id), ("partner_id", "in", self.customers.ids)]
        )

    # === STEPS === #

    def _make_days_passing(self, count):
        type(self).today += timedelta(days=count)

    def _make_payment_today(self, invoice, share):
        item = self._choose_open_item(invoice)
        if item:
            self._pay(item.move_id, amount=self._share_of(item.amount_residual_currency, share))

    def _make_money_on_account(self, customer, amount, dollar):
        partner = self._choose(self.customers, customer)
        self._pay_on_account(partner, amount, currency=self.dollar if dollar else None)

    def _make_promise_of_item(self, invoice, share, days):
        item = self._choose_open_item(invoice)
        if not item:
            return
        taken = item._get_collection_disputed().get(item.id, 0.0)
        taken += self.env["collection.promise.line"]._get_open_parts(item).get(item.id, 0.0)
        left = round(item.amount_residual_currency - taken, 2)
        if left > 0:
            self._promise(
                self._get_debtor(item.partner_id.commercial_partner_id),
                user=self.env.user,
                move_line_ids=[Command.set(item.ids)],
                amount=min(self._share_of(left, share), left),
                date=self.today + timedelta(days=days),
            )

    def _make_bounce_today(self, payment, allocated):
        payment = self._choose_payment(payment)
        if payment:
            self._bounce(payment, max(payment.date, self.today), allocated)

    def _make_cancelled_payment(self, payment):
        self._choose_payment(payment).action_cancel()

    def _make_cancelled_credit_note(self, invoice):
        notes = self.env["account.move"].search(
            [("move_type", "=", "out_refund"), ("state", "=", "posted"), ("partner_id", "in", self.customers.ids)],
            order="id",
        )
        note = self._choose(notes, invoice)
        if note:
            note.button_cancel()

    def _make_plan(self, customer, count):
        debtor = self._get_debtor(self._choose(self.customers, customer).commercial_partner_id)
        claims = debtor._get_claim() if debtor else []
        if claims and claims[0]["amount"] >= 1:
            items = [row["item"].id for row in claims[0]["rows"] if row["claimable"]]
            wizard = {
                "move_line_ids": [Command.set(items)],
                "amount": sum(row["claimable"] for row in claims[0]["rows"]),
                "is_plan": True,
                "instalment_count": count,
                "interval": "week",
                "date": self.today,
            }
            self._promise(debtor, user=self.env.user, **wizard)

    def _make_renegotiation(self, promise, days):
        promises = self._search_debtors().promise_ids.filtered(lambda promise: promise._can_be_replaced())
        promise = self._choose(promises.sorted("id"), promise)
        wizard = self.env["collection.promise.record"]
        wizard = (
            wizard.create(
                {
                    "debtor_id": promise.debtor_id.id,
                    "replaces_ids": [Command.set(promise.ids)],
                    "date": self.today + timedelta(days=days),
                }
            )
            if promise
            else wizard
        )
        if wizard and wizard.amount > 0:
            wizard._record()

    def _make_pause(self, invoice, days):
        item = self._choose_open_item(invoice)
        if item and not item.move_id.no_followup:
            debtor = self._get_debtor(item.partner_id.commercial_partner_id)
            until = self.today + timedelta(days=days)
            self.env["collection.pause"]._pause(debtor, item.move_id, until, "Being checked")

    def _make_withdrawal(self, promise):
        promises = self._search_debtors().promise_ids.filtered(lambda promise: promise.state == "open")
        self._choose(promises.sorted("id"), promise).action_cancel()

    def _make_rejection(self, dispute):
        disputes = self._search_debtors().dispute_ids.filtered(lambda dispute: dispute.state == "open")
        dispute = self._choose(disputes.sorted("id"), dispute)
        dispute.resolution = "Delivered, signed note sent."
        dispute.action_reject()


@tagged("post_install", "-at_install")
class TestConservation(RandomLife):
    """Whatever happens, each cent that is overdue stands in exactly one place, and nothing depends on the past."""

    def _run_steps(self, events, steps, with_campaign):
        """Make a ledger, let things happen to it on days that pass, and check it after each step."""
        # ``today`` moves along with the clock, for the helpers that make invoices and payments.
        self.addCleanup(setattr, type(self), "today", self.first_day)
        type(self).today = self.first_day
        with self.example(events):
            self._synchronize()
            # Once something overdue is owed, a campaign can be made of it.
            if with_campaign and self._search_debtors().filtered(lambda debtor: debtor.claimable_amount >= 1):
                self._start_campaign()
            self._check_all()
            for name, values in steps:
                with freeze_time(self.today + timedelta(hours=11)):
                    getattr(self, f"_make_{name}")(**values)
                with freeze_time(self.today + timedelta(hours=11)):
                    self.env["collection.pause"]._end_due(self.today)
                    self._synchronize()
                    self._check_all()

    # === CHECKS === #

    def _check_all(self):
        self._check_debtors()
        self._check_promises()
        self._check_cases()
        self._check_refresh()

    def assertCents(self, record, names):
        """Return amounts of a record as whole cents, after checking that they are."""
        cents = {}
        for name in names:
            cents[name] = round(record[name] * 100)
            self.assertAlmostEqual(record[name] * 100, cents[name], 4, f"{record} {name} is not in whole cents")
        return cents

    def _check_promises(self):
        """A promise is worth what its payments say, and one that was given up binds nobody."""
        for promise in self._search_debtors().promise_ids:
            cents = self.assertCents(promise, ("amount", "settled_amount"))
            self.assertTrue(0 <= cents["settled_amount"] <= cents["amount"], cents)
            if promise.state == "broken":
                self.assertFalse(cents["settled_amount"])
            elif promise.state == "replaced":
                self.assertTrue(promise.replaced_by_id)
            elif promise.state == "open":
                self.assertFalse(promise.replaced_by_id)

    def _check_debtors(self):
        for debtor in self._search_debtors():
            cents = self.assertCents(debtor, ("overdue_amount", "due_amount", *PLACES))
            self.assertTrue(all(value >= 0 for value in cents.values()), cents)
            self.assertEqual(cents["overdue_amount"], sum(cents[name] for name in PLACES), cents)
            self.assertLessEqual(cents["overdue_amount"], cents["due_amount"])
            self._check_claim(debtor)

    def _check_claim(self, debtor):
        """What a message asks for, item by item, is what the debtor shows in company currency."""
        rows = debtor._get_claimable_items()
        for row in rows:
            parts = [row[name] for name in ("excluded", "disputed", "promised", "announced", "credited", "claimable")]
            self.assertTrue(all(part >= 0 for part in parts), row)
            self.assertAlmostEqual(sum(parts), row["residual"], 2, row)
        claims, _money = self.env["collection.ledger"]._get_claims(self.company, debtor.partner_id)
        rates = {claim["item_id"]: float(claim["residual"] / claim["residual_currency"]) for claim in claims}
        converted = sum(row["claimable"] * rates[row["item"].id] for row in rows)
        # The parts of each item are rounded to cents one by one.
        self.assertAlmostEqual(converted, debtor.claimable_amount, delta=0.01 + 0.011 * len(rows))

    def _check_cases(self):
        cases = self._search_debtors().case_ids
        for case in cases:
            items = self.env["collection.case.item"].search([("case_id", "=", case.id)])
            total = dict.fromkeys((name for name, _item_name in CASE_AMOUNTS), 0)
            for item in items:
                cents = self.assertCents(item, [item_name for _name, item_name in CASE_AMOUNTS])
                self.assertEqual(
                    cents["initial_residual"],
                    cents["collected_amount"] + cents["credited_amount"] + cents["other_amount"] + cents["residual"],
                    cents,
                )
                self.assertLessEqual(cents["promised_amount"] + cents["disputed_amount"], cents["residual"], cents)
                for name, item_name in CASE_AMOUNTS:
                    total[name] += cents[item_name]
                    self.assertTrue(name == "other_amount" or cents[item_name] >= 0, cents)
            self.assertEqual(self.assertCents(case, total), total)
        if cases:
            campaign = cases.campaign_id
            campaign.invalidate_recordset()  # as for somebody who opens it now
            self.assertAlmostEqual(campaign.residual_amount, sum(cases.mapped("residual_amount")), 2)

    def _read_facts(self):
        """Return the rows as PostgreSQL has them."""
        return self.env.execute_query(
            SQL(
                "SELECT partner_id, %s FROM collection_debtor WHERE company_id = %s ORDER BY partner_id",
                SQL(", ").join(map(SQL.identifier, FACT_COLUMNS)),
                self.company.id,
            )
        )

    def _check_refresh(self):
        """A refresh is done at once, and made from scratch or customer by customer comes to the same rows."""
        Debtor = self.env["collection.debtor"]
        shown = self._read_facts()
        self.assertFalse(Debtor._refresh(self.company), "a second refresh changes something")
        self.env.cr.execute(
            SQL(
                "UPDATE collection_debtor SET %s WHERE company_id = %s",
                SQL(", ").join(SQL("%s = NULL", SQL.identifier(name)) for name in FACT_COLUMNS),
                self.company.id,
            )
        )
        for partner in self.customers.commercial_partner_id:
            Debtor._refresh(self.company, partner)
        Debtor._refresh(self.company)
        self.assertEqual(self._read_facts(), shown)

    # === TESTS === #

    @settings(EXAMPLES, max_examples=EXAMPLES.max_examples * 2 // 3)
    @given(
        events=LEDGERS, steps=st.lists(st.one_of(*STEPS, *MERGES), min_size=4, max_size=8), with_campaign=st.booleans()
    )
    def test_every_cent_is_in_one_place(self, events, steps, with_campaign):
        self._run_steps(events, steps, with_campaign)

    def test_parts_of_another_currency_come_to_whole_cents(self):
        """Half a cent disputed and half a cent promised: nothing is left over or counted twice."""
        with self.example([]):
            invoice = self._create_invoice(self.other_customer, amount=200, days_late=90, currency=self.dollar)
            debtor = self._get_debtor(self.other_customer)
            self._dispute(debtor, self._get_items(invoice), amount=0.01)
            self._promise(debtor, move_line_ids=[Command.set(self._get_items(invoice).ids)], amount=0.01)
            self._synchronize()
            self._check_all()
            self.assertEqual(debtor.overdue_amount, 100)

    def test_promise_that_is_paid_in_part(self):
        """What came in for a promise is neither promised any more nor owed."""
        with self.example([]):
            invoice = self._create_invoice(amount=100)
            debtor = self._get_debtor()
            self._promise(debtor, amount=50)
            self._pay(invoice, amount=30)
            self._synchronize()
            self._check_all()
            self.assertEqual((debtor.promised_amount, debtor.claimable_amount), (20, 50))

    def test_credit_at_another_rate(self):
        """70 of 100 dollars are there, at a rate that makes them worth more than the debt: 30 are still asked for."""
        with self.example([]):
            self._create_invoice(amount=100, days_late=60, currency=self.dollar)  # 50 EUR
            self._pay_on_account(amount=70, currency=self.dollar)  # 55.12 EUR
            debtor = self._get_debtor()
            self._check_all()
            self.assertEqual([claim["amount"] for claim in debtor._get_claim()], [30])
            self.assertEqual((debtor.claimable_amount, debtor.netted_amount), (15, 35))
