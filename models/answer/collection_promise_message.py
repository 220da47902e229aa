from odoo import api, models
from odoo.fields import Domain
from odoo.tools import email_normalize, formatLang
from odoo.tools.misc import format_date

from ...tools.metrics import VOID_STATES
from ...tools.workdays import previous_bank_day

# Reasons to leave a customer alone that will not be over before the promised day: no reminder is sent at all.
NEVER_REMINDED = frozenset({"insolvency", "archived", "no_address", "bounced_address", "blacklisted"})


class CollectionPromise(models.Model):
    """A promise in writing: its confirmation, what the customer acknowledges, and the reminder before its day."""

    _inherit = "collection.promise"

    # === BUSINESS METHODS - IN WRITING === #

    def _get_confirmed(self):
        """Return the promises that one confirmation lists: the open ones of a plan, else this one."""
        self.ensure_one()
        together = self.plan_id.promise_ids.filtered(lambda promise: promise.state == "open")
        return (together or self).sorted("date")

    def _get_promise_table(self):
        """Return what was promised as HTML for a message, in the language of the environment."""
        return self.env["ir.qweb"]._render(
            "account_collection.promise_table",
            {
                "promises": self._get_confirmed(),
                "format_amount": lambda amount, currency: formatLang(self.env, amount, currency_obj=currency),
                "format_date": lambda date: format_date(self.env, date),
            },
        )

    # EXTENDS collection.customer.mail.mixin
    def _get_letter_contact(self):
        contact = self.sudo().contact_id
        is_theirs = contact and contact._is_collection_contact_of(self.sudo().partner_id)
        return contact if is_theirs and contact.email else super()._get_letter_contact()

    def _send_confirmation(self):
        """Write to the customer what they promised and for which day, and ask for an answer."""
        self.ensure_one()
        confirmed = self._get_confirmed()
        self._send_letter(self.env.ref("account_collection.mail_template_promise_confirmation"))
        confirmed.sudo().write({"confirmed_on": self.company_id._collection_today()})

    # EXTENDS mail
    def _message_post_after_hook(self, message, msg_values):
        """Record an answer of the customer to the confirmation as a written acknowledgement."""
        result = super()._message_post_after_hook(message, msg_values)
        # It has weight before a court: that it was processed as the system proves nothing.
        is_email = self._is_from_gateway() and message.message_type == "email"
        if is_email and self.confirmed_on and self._is_from_customer(message):
            self._acknowledge()
        return result

    def _is_from_customer(self, message):
        """Return whether somebody of the customer wrote this message."""
        customer = self.partner_id
        if message.author_id:
            return message.author_id.commercial_partner_id == customer
        address = email_normalize(message.email_from or "")
        contacts = self.env["res.partner"].search([("commercial_partner_id", "=", customer.id)])
        return bool(address) and address in contacts.mapped("email_normalized")

    def _acknowledge(self):
        """Mark as acknowledged by the customer; one answer counts for the whole plan."""
        self.ensure_one()
        answered = (self.plan_id.promise_ids | self).filtered(
            lambda promise: promise.confirmed_on and not promise.acknowledged_on and promise.state not in VOID_STATES
        )
        answered.write({"acknowledged_on": self.company_id._collection_today()})
        if answered:
            self.debtor_id.message_post(
                body=self.env._("The customer answered the confirmation in writing: %s", self._get_html_link())
            )

    @api.model
    def _get_reminder_domain(self, company):
        """Return the domain of the open promises of a company whose customers are to be reminded now.

        Nobody is, outside of the company's hours and days of sending.
        """
        if not company._is_collection_sending_time():
            return Domain.FALSE
        today = company._collection_today()
        return (
            Domain("company_id", "=", company.id)
            & Domain("state", "=", "open")
            & Domain("remind_before", "=", True)
            & Domain("reminded_on", "=", False)
            & Domain("date", ">", today)
        )

    def _is_reminder_day(self):
        """Return whether the last working day before the promised day has come, at an hour of sending."""
        self.ensure_one()
        company = self.company_id
        return (
            previous_bank_day(self.date, company.country_id.code) <= company._collection_today() < self.date
            and company._is_collection_sending_time()
        )

    def _remind(self):
        """Remind the customer of a promise, after checking again as before any message; once, whatever comes of it.

        What may be over before the promised day (a pause, an answer nobody has read, a day on which the customer is
        closed, money on its way) makes it wait for the next run.
        """
        self.ensure_one()
        debtor = self.debtor_id
        debtor._synchronize_own()
        if self.state != "open" or debtor._is_closed_today() or self._is_announced():
            return
        contact = debtor._get_working_contact(self._get_letter_contact())
        reasons = {silence.reason for silence in self._get_reminder_silences(contact)}
        if reasons - NEVER_REMINDED:
            return
        if problem := self._get_reminder_obstacle(contact, reasons):
            debtor.message_post(body=self.env._("No reminder of the promise was sent: %s.", problem))
        else:
            # As all that scheduled actions send: from the company, through the mail queue.
            self.with_context(mail_notify_force_send=False)._send_letter(
                self.env.ref("account_collection.mail_template_promise_reminder"),
                contact=contact,
                author=self.company_id.partner_id,
            )
        self.reminded_on = self.company_id._collection_today()

    def _get_reminder_silences(self, contact):
        """Return the reasons to leave the customer alone that hold for a reminder of this promise, too.

        The one list (``collection.debtor._get_silences``), without what can't hold because the promise itself is a
        reason to be silent:

        - that nothing else can be claimed, that it is too small to be worth a message, or that it is being paid: what
          is promised is withheld from what is claimed. What is missing of the promise, and the money on its way for
          it, are looked at instead, see ``_is_announced`` and ``_get_reminder_obstacle``;
        - that the last message was too short a time ago, if it is not younger than the promise or wrote of a promise
          as well: whoever asked for the reminder knew of it, and the day was agreed. A message about other debts since
          then does make it wait, and so do too many contacts in the last days;
        - what only keeps plans quiet (no plan, a plan that is off, a step that is planned already), but not a bank
          journal that is not up to date.

        :param contact: who would be written to.
        :return: list of ``Silence``.
        """
        self.ensure_one()
        debtor = self.debtor_id
        return debtor._get_silences(
            "email",
            contact.email or "",
            is_agreed=True,
            is_counted=lambda action: not action.promise_id and action._get_done_on() > self.promised_on,
        )[debtor]

    def _get_reminder_obstacle(self, contact, reasons):
        """Return in words why the customer is not reminded of this promise at all, ``False`` when nothing is wrong.

        :param contact: who would be written to.
        :param reasons: codes of the reasons to leave the customer alone, see ``_get_reminder_silences``.
        """
        self.ensure_one()
        if "insolvency" in reasons:
            return self.env._("insolvency proceedings are open")
        if "archived" in reasons:
            return self.env._("the follow-up file is archived")
        if any(line._is_suspended() for line in self.line_ids):
            return self.env._("the invoice is being corrected")
        missing = self._get_missing_amount()
        if self.currency_id.compare_amounts(missing, 0) <= 0:
            return self.env._("it is paid")
        if not self.debtor_id._is_worth_a_message(missing * self.company_amount / self.amount):
            return self.env._("what is missing is too small to be worth a message")
        if not contact or reasons & NEVER_REMINDED:
            return self.env._("there is no e-mail address that works")
        return False

    def _get_missing_amount(self):
        """Return what did not come in yet of this promise."""
        self.ensure_one()
        return self.amount - self.settled_amount

    def _is_announced(self):
        """Return whether money that came in and waits for allocation, or is on its way, covers what is missing."""
        self.ensure_one()
        company, partner, ledger = self.company_id, self.partner_id, self.env["collection.ledger"].sudo()
        today = company._collection_today()
        self.env.flush_all()
        # What is promised is withheld from the items that announced payments may cover: read it apart.
        rows = ledger._read_announcements(company, partner, today)
        ledger._identify_bank_lines(company, partner, rows)
        items = self.line_ids.move_line_id
        coming = self._get_unallocated_credit(today)
        for row in rows:
            if row["kind"] == "parent_credit":
                continue  # what waits at a parent company is counted already
            moves = set(row["move_ids"] or ())
            names_it = row["item_id"] in items.ids or moves & set(items.move_id.ids)
            names_nothing = not row["item_id"] and not moves and row["partner_id"] == partner.id
            if row["currency_id"] == self.currency_id.id and (names_it or names_nothing):
                coming += row["amount"]
        missing = self._get_missing_amount()
        return coming > 0 and self.currency_id.compare_amounts(coming, missing) >= 0

    # === SCHEDULED ACTIONS === #

    @api.model
    def _cron_remind(self):
        """See ``collection.run``."""
        self.env["collection.run"]._cron_remind_promises()
