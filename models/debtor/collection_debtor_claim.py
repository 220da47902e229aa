from collections import defaultdict
from datetime import timedelta

from odoo import api, models
from odoo.tools import format_amount


class CollectionDebtor(models.Model):
    """What may be claimed of a customer, and whether anything may be said."""

    _inherit = "collection.debtor"

    # === BUSINESS METHODS - CONTACT === #

    def _get_claimable_items(self, horizon=0):
        """Return what may be claimed of each overdue item, oldest first, in the item's own currency.

        Credits are set against the oldest items of their currency, so that the amounts add up to
        what a message may ask for.

        :param int horizon: items that become due within so many days count too.
        :return: list of dicts ``item`` (``account.move.line``), ``currency``, ``due_date``, ``days_late``
            (below zero before the due date), ``original``, ``paid``, ``residual``, ``disputed``, ``promised``,
            ``announced`` (money on its way), ``excluded`` (amounts in ``currency``), ``credited`` and ``claimable``.
        """
        self.ensure_one()
        return self._get_claimable_items_by_debtor({self: horizon})[self]

    def _get_claimable_items_by_debtor(self, horizons=None):
        """Return the claimable items of many debtors, see ``_get_claimable_items``; queries don't grow with them.

        :param dict horizons: ``{debtor: horizon in days}``, 0 where missing.
        :return: ``{debtor: rows}``.
        """
        known = self.env.context.get("collection_rows") or {}
        rows = {debtor: known[debtor.id] for debtor in self if debtor.id in known}
        missing = self.filtered(lambda debtor: debtor.id not in known)
        if not missing:
            return rows
        for company, debtors in missing.sudo().grouped("company_id").items():
            claims, _money = self.env["collection.ledger"].sudo()._get_claims(company, debtors.partner_id)
            items = self.env["account.move.line"].browse(claim["item_id"] for claim in claims)
            items.sudo().mapped("move_id.payment_state")  # read together
            by_partner = defaultdict(list)
            for claim, item in zip(claims, items, strict=True):
                by_partner[claim["partner_id"]].append((claim, item))
            for debtor in debtors:
                rows[debtor.with_env(self.env)] = debtor.with_env(self.env)._make_claimable_rows(
                    by_partner[debtor.partner_id.id], (horizons or {}).get(debtor, 0)
                )
        return rows

    def _make_claimable_rows(self, claims, horizon):
        """Return the rows of ``_get_claimable_items`` of one debtor.

        :param claims: pairs of a row of ``collection.ledger._get_claims`` and its item, the oldest first.
        """
        today = self.company_id._collection_today()
        limit = today + timedelta(days=horizon + 1 if horizon else 0)
        insolvency = self.sudo().insolvency
        rows = []
        for claim, item in claims:
            if claim["is_credit"] or claim["due_date"] >= limit:
                continue
            residual, original = float(claim["residual_currency"]), item.sudo().amount_currency
            excluded = residual if claim["excluded"] or insolvency else 0.0
            parts = {
                name: 0.0 if excluded else float(claim[f"{name}_currency"])
                for name in ("disputed", "promised", "announced", "credited", "claimable")
            }
            rows.append(
                {
                    "item": item,
                    "currency": item.sudo().currency_id.with_env(self.env),
                    "due_date": claim["due_date"],
                    "days_late": (today - claim["due_date"]).days,
                    "original": original,
                    "paid": original - residual,
                    "residual": residual,
                    "excluded": excluded,
                    **parts,
                }
            )
        return rows

    def _get_claim(self):
        """Return what a message to this customer may ask for, by currency.

        :return: list of ``{"currency", "rows", "credits", "amount"}``: the overdue items (see
            ``_get_claimable_items``), the unallocated credits as positive amounts and the amount to pay,
            all in that currency. Currencies without anything to claim are left out.
        """
        self.ensure_one()
        claims = {}
        for row in self._get_claimable_items():
            claim = claims.setdefault(
                row["currency"], {"currency": row["currency"], "rows": [], "credits": 0.0, "amount": 0.0}
            )
            if row["claimable"] + row["credited"]:
                claim["rows"].append(row)
                claim["credits"] += row["credited"]
                claim["amount"] += row["claimable"]
        return [claim for claim in claims.values() if not claim["currency"].is_zero(claim["amount"])]

    def _get_nothing_to_claim_reason(self):
        """Return a text that states why nothing can be claimed of this customer today."""
        if not self.overdue_amount:
            return self.env._("Nothing is overdue.")
        causes = [
            (self.promised_amount, self.env._("promised")),
            (self.disputed_amount, self.env._("disputed")),
            (self.announced_amount, self.env._("on its way")),
            (self.excluded_amount, self.env._("excluded from follow-up")),
            (self.netted_amount, self.env._("covered by credits")),
        ]
        named = [cause for amount, cause in causes if not self.currency_id.is_zero(amount)]
        if not named:
            return self.env._("Nothing can be claimed today.")
        return self.env._("Nothing can be claimed today: what is overdue is %s.", ", ".join(named))

    def _is_worth_a_message(self, amount) -> bool:
        """Return whether an amount is large enough to ask this customer for it without a person's decision.

        :param float amount: what can be claimed, in company currency.
        """
        self.ensure_one()
        return self.currency_id.compare_amounts(amount, self.company_id.sudo()._get_collection_min_amount()) >= 0

    @api.model
    def _get_claim_value(self, rows) -> float:
        """Return what these rows ask for in company currency, each at the rate of what is open of its item.

        :param rows: see ``_get_claimable_items``.
        """
        value = 0.0
        for row in rows:
            if row["claimable"]:
                item = row["item"].sudo()
                value += row["claimable"] * item.amount_residual / item.amount_residual_currency
        return value

    def _get_too_small_reason(self, amount=None):
        """Return a text that states that the claimable amount is below the threshold for a message.

        :param float amount: in company currency; what can be claimed as the file stands when ``None``.
        """
        self.ensure_one()
        company = self.company_id.sudo()
        return self.env._(
            "What can be claimed (%(amount)s) is less than the smallest amount worth a message (%(limit)s).",
            amount=format_amount(self.env, self.claimable_amount if amount is None else amount, self.currency_id),
            limit=format_amount(self.env, company._get_collection_min_amount(), self.currency_id),
        )
