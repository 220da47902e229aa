"""Posting and reconciling invoices one by one, in turns on a database with and on one without the addon."""

import statistics
import time

from odoo import api
from odoo.fields import Command
from odoo.modules.registry import Registry

from .table import figure

PAIRS, WARM_UP = 100, 5


def measure(env, stopwatch, plain):
    """Measure what a user does: each posting and each reconciliation is a transaction.

    :param env: the environment of the database with the addon
    :param str plain: the database without
    """
    env = env(user=env.ref("base.user_admin"))
    with Registry(plain).cursor() as cr:
        without = _Accountant(api.Environment(cr, env.uid, env.context))
        with_addon = _Accountant(env)
        for number in range(WARM_UP + PAIRS):
            # Who comes first profits less from warm caches: take turns.
            for accountant in (without, with_addon) if number % 2 else (with_addon, without):
                accountant.work(number)
        stopwatch.figures += _compare(without, with_addon)


class _Accountant:
    """Posts draft invoices and reconciles each with a payment."""

    def __init__(self, env):
        self.env = env
        env.cr.execute("SELECT partner_id FROM bench.customer ORDER BY n LIMIT %s", [WARM_UP + PAIRS])
        partner_ids = [row[0] for row in env.cr.fetchall()]
        self.invoices = env["account.move"].create(
            [
                {
                    "move_type": "out_invoice",
                    "partner_id": partner_id,
                    "invoice_line_ids": [Command.create({"name": "Prestation", "price_unit": 100.0})],
                }
                for partner_id in partner_ids
            ]
        )
        self.payments = env["account.payment"].create(
            [
                {
                    "payment_type": "inbound",
                    "partner_type": "customer",
                    "partner_id": invoice.partner_id.id,
                    "amount": invoice.amount_total,
                }
                for invoice in self.invoices
            ]
        )
        self.payments.action_post()
        env.cr.commit()
        self.posting, self.reconciling = [], []

    def work(self, number):
        """Post an invoice, then reconcile it with its payment."""
        invoice, payment = self.invoices[number], self.payments[number]
        self.posting.append(self._time(invoice.action_post))
        self.reconciling.append(self._time(lambda: self._reconcile(invoice, payment)))

    def _reconcile(self, invoice, payment):
        lines = (invoice + payment.move_id).line_ids
        lines.filtered(lambda line: line.account_type == "asset_receivable").reconcile()

    def _time(self, function):
        queries, started = self.env.cr.sql_log_count, time.perf_counter()
        function()
        self.env.cr.commit()
        return time.perf_counter() - started, self.env.cr.sql_log_count - queries

    def get_figure(self, work, samples):
        """:return: the figure of one of the lists, without what warmed up
        :rtype: dict
        """
        seconds, queries = (statistics.median(values) for values in zip(*samples[WARM_UP:], strict=True))
        return figure(work, seconds, queries=round(queries), runs=PAIRS)

    def get_median(self):
        """:return: seconds that it takes to post and reconcile an invoice
        :rtype: float
        """
        pairs = zip(self.posting[WARM_UP:], self.reconciling[WARM_UP:], strict=True)
        return statistics.median(posting[0] + reconciling[0] for posting, reconciling in pairs)


def _compare(without, with_addon):
    ratio = with_addon.get_median() / without.get_median()
    return [
        without.get_figure("Odoo: post an invoice", without.posting),
        without.get_figure("Odoo: reconcile it", without.reconciling),
        with_addon.get_figure("post an invoice with the addon", with_addon.posting),
        with_addon.get_figure("reconcile it with the addon", with_addon.reconciling),
        figure("posting and reconciling, with to without", ratio, unit="×", runs=PAIRS, budget=1.05),
    ]
