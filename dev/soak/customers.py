"""Customers with invoices that are long overdue, for the proofs. Runs inside Odoo."""

from odoo import fields
from odoo.fields import Command


def make_invoices(env, partners, each=1, days_late=90):
    """Make invoices that are overdue; they are not posted yet.

    :param env: Odoo's environment
    :param partners: the customers
    :param int each: how many each of them gets
    :param int days_late: since how many calendar days
    :return: the drafts
    """
    today = fields.Date.today()
    return env["account.move"].create(
        [
            {
                "move_type": "out_invoice",
                "partner_id": partner.id,
                "invoice_date": fields.Date.subtract(today, days=days_late + 30),
                "invoice_date_due": fields.Date.subtract(today, days=days_late),
                "invoice_payment_term_id": False,
                "invoice_line_ids": [Command.create({"name": "Work", "price_unit": 100, "tax_ids": False})],
            }
            for partner in partners
            for _number in range(each)
        ]
    )
