"""What stands at the edges of the story: an old debt from before Odoo, and what must not leave this database."""

from datetime import timedelta

from odoo.fields import Command
from odoo.tools import SQL


def open_old_debt(ledger):
    """Bring forward a receivable from the former software, in a journal of its own."""
    env, company = ledger.env, ledger.company
    journal = env["account.journal"].create(
        {"name": "Opening entries", "code": "AN", "type": "general", "company_id": company.id}
    )
    partner = ledger.people.customers["chauffage_rhone"]
    date = ledger.today - timedelta(days=725)
    entry = env["account.move"].create(
        {
            "journal_id": journal.id,
            "date": date,
            "ref": "Opening balance",
            "line_ids": [
                Command.create(
                    {
                        "name": "Invoice 2204-117 of the former software",
                        "partner_id": partner.id,
                        "account_id": ledger.receivable.id,
                        "date_maturity": date - timedelta(days=20),
                        "debit": 1750.0,
                        # Entries of such journals are left out of the follow-up unless one says so.
                        "no_followup": False,
                    }
                ),
                Command.create({"name": "Opening balance", "account_id": ledger.income.id, "credit": 1750.0}),
            ],
        }
    )
    entry._post(soft=False)


def date_ledger_back(env, companies):
    """Let documents be made on the day they carry."""
    env.flush_all()
    for table in ("account_move", "account_payment"):
        env.cr.execute(
            SQL(
                "UPDATE %(table)s SET create_date = date + TIME '09:00', write_date = date + TIME '09:00'"
                " WHERE company_id IN %(companies)s AND date < CURRENT_DATE",
                table=SQL.identifier(table),
                companies=tuple(companies.ids),
            )
        )
    env.invalidate_all()


def empty_refresh_queue(env):
    """Forget which customers changed: all of them were just refreshed."""
    env["collection.refresh.queue"].search([]).unlink()


def close_mail_queue(env, clock):
    """Show the story's messages as sent, and send none: nobody would get them."""
    env.flush_all()
    mails = env["mail.mail"].sudo().search([("mail_message_id", ">", clock.first_message_id)])
    env["mail.notification"].sudo().search(
        [("mail_message_id", "in", mails.mail_message_id.ids), ("notification_type", "=", "email")]
    ).write({"notification_status": "sent", "failure_type": False, "failure_reason": False, "mail_mail_id": False})
    mails.unlink()
