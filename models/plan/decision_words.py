from odoo import api, models
from odoo.tools.misc import format_amount, format_date

from .decision import OWN_REASON, PRESSURE_DAYS, Decision


class CollectionPlan(models.Model):
    """Decisions in words."""

    _inherit = "collection.plan"

    # === BUSINESS METHODS - DECIDE === #

    @api.model
    def _describe(self, decision, debtor):
        """Return a decision in words, in the language of the user.

        :param decision: a ``Decision`` on ``debtor``.
        """
        day = format_date(self.env, decision.day) if decision.day else ""
        step = decision.step.sudo().display_name if decision.step else ""
        details = decision.details
        words = {
            "due": lambda: self.env._("“%s” is to be carried out now.", step),
            "not_yet": lambda: self.env._(
                "Nothing is to be said before %(day)s, when “%(step)s” comes.", day=day, step=step
            ),
            "gap": lambda: self.env._(
                "“%(step)s” waits until %(day)s: the last contact was too short a time ago.", step=step, day=day
            ),
            "pressure": lambda: self.env._(
                "“%(step)s” waits until %(day)s: %(cap)s contacts in %(days)s days are enough.",
                step=step,
                day=day,
                cap=debtor.company_id.collection_pressure_cap,
                days=PRESSURE_DAYS,
            ),
            "payment_run": lambda: self.env._(
                "“%(step)s” waits until %(day)s, three days before this customer's payment run.", step=step, day=day
            ),
            "closed": lambda: self.env._(
                "“%(step)s” waits until %(day)s: nobody works or is to be written to before.", step=step, day=day
            ),
            "old_debts": lambda: self.env._(
                "“%(step)s” waits for its turn: %(count)s customers with old debts begin per day, best score first.",
                step=step,
                count=decision.plan.sudo().old_debts_per_day,
            ),
            "finished": lambda: self.env._(
                "All steps of “%s” were carried out: decide by hand.", decision.plan.sudo().name
            ),
            "nothing_claimable": debtor._get_nothing_to_claim_reason,
            "archived": lambda: self.env._("The follow-up file is archived."),
            "insolvency": lambda: self.env._(
                "Insolvency proceedings are open: nobody may ask this customer for money."
            ),
            "paused": lambda: self.env._(
                "The follow-up is paused until %(date)s: %(reason)s",
                date=day,
                reason=debtor.pause_reason or self.env._("no reason given"),
            ),
            "no_plan": lambda: self.env._("No follow-up plan applies to this customer."),
            "not_running": lambda: self.env._("The plan “%s” is not switched on.", decision.plan.sudo().name),
            "unread_reply": lambda: self.env._(
                "The customer answered on %s: read the answer, then mark it as read.",
                format_date(self.env, details.get("date")),
            ),
            "too_small": lambda: (
                self.env._(
                    "What is overdue is less than the steps of “%s” ask for.",
                    details.get("plan") or decision.plan.sudo().name,
                )
                if debtor._is_worth_a_message(debtor.claimable_amount)
                else debtor._get_too_small_reason()
            ),
            "payment_pending": lambda: self._describe_payment(
                self.env._("An online payment of this customer is being processed"), debtor, details
            ),
            "payment_announced": lambda: self._describe_payment(
                self.env._("A payment of this customer is booked for a later day"), debtor, details
            ),
            "parent_credit": lambda: self._describe_payment(
                self.env._("The parent company holds money of this customer"), debtor, details
            ),
            "unmatched_payment": lambda: self._describe_payment(
                self.env._("A bank entry of this customer is not matched yet, it may be the payment"), debtor, details
            ),
            "credit_to_allocate": lambda: self._describe_credit_to_allocate(debtor, details),
            OWN_REASON: lambda: details.get("text"),
            "too_soon": lambda: self._describe_too_soon(debtor, details),
            "too_often": lambda: self.env._(
                "%(count)s contacts in %(days)s days: %(cap)s are enough.",
                count=details.get("count"),
                days=PRESSURE_DAYS,
                cap=debtor.company_id.collection_pressure_cap,
            ),
            "with_provider": lambda: debtor.handover_notice,
            "no_address": lambda: self.env._(
                "%s has no e-mail address: write one on the contact, call, or send a letter.", debtor.contact_name
            ),
            "bounced_address": lambda: self.env._(
                "Messages to %s came back: correct the address on the contact.", details.get("name")
            ),
            "blacklisted": lambda: self.env._(
                "%s asked not to be written to by e-mail: call, or send a letter.", details.get("name")
            ),
            "bank_stale": lambda: self.env._(
                "“%(journal)s” has no entry since %(date)s: customers who paid may look as if they had not.",
                journal=details.get("journal"),
                date=format_date(self.env, details.get("date")) or self.env._("ever"),
            ),
            "planned": lambda: self.env._(
                "“%(step)s” is planned for %(day)s and waits for %(user)s.",
                step=step,
                day=format_date(self.env, details.get("date")),
                user=details.get("user"),
            ),
        }
        return words[decision.reason]() if decision.reason in words else decision.reason

    @api.model
    def _describe_silence(self, silence, debtor):
        """Return a reason to leave a customer alone in words, in the language of the user.

        :param silence: a ``Silence`` of ``debtor``.
        """
        decision = Decision(silence.reason, self.browse(), None, silence.until, details=silence.details)
        return self._describe(decision, debtor)

    @api.model
    def _describe_payment(self, words, debtor, details):
        """Return in words that money is on its way, with the reference, amount and day that are known.

        :param str words: the sentence, without full stop.
        :param dict details: ``name``, ``amount``, ``date`` and ``currency_id`` (else the company's), each if known.
        """
        parts = [details.get("name")]
        if details.get("amount"):
            parts.append(self._format_details_amount(debtor, details))
        if details.get("date"):
            parts.append(format_date(self.env, details["date"]))
        parts = [part for part in parts if part]
        return self.env._("%(words)s: %(details)s.", words=words, details=", ".join(parts)) if parts else f"{words}."

    @api.model
    def _format_details_amount(self, debtor, details):
        currency = self.env["res.currency"].browse(details.get("currency_id")) or debtor.currency_id
        return format_amount(self.env, details["amount"], currency)

    @api.model
    def _describe_credit_to_allocate(self, debtor, details):
        """Return in words that a payment could as well belong to a debt that is left out of the follow-up."""
        item = self.env["account.move.line"].sudo().browse(details.get("item_id"))
        return self.env._(
            "A payment of %(amount)s is not allocated, and it could belong to %(item)s, which is left out of the "
            "follow-up: allocate it first.",
            amount=self._format_details_amount(debtor, details),
            item=item._get_collection_name(),
        )

    @api.model
    def _describe_too_soon(self, debtor, details):
        """Return in words who reminded a customer too short a time ago."""
        campaign = details.get("campaign")
        return self.env._(
            "%(user)s reminded this customer on %(date)s%(campaign)s. Leave %(gap)s days between two reminders.",
            user=details.get("user"),
            date=format_date(self.env, details.get("date")),
            campaign=self.env._(" in the campaign “%s”", campaign) if campaign else "",
            gap=debtor.company_id.collection_contact_gap_days,
        )

    @api.model
    def _get_reason_label(self, reason):
        """Return the reason of a decision in a few words, to count customers by it."""
        labels = {
            "due": self.env._("Due now"),
            "not_yet": self.env._("Nothing to be said yet"),
            "gap": self.env._("Contacted a short time ago"),
            "pressure": self.env._("Contacted often enough"),
            "payment_run": self.env._("Before their payment run"),
            "closed": self.env._("Nobody is there"),
            "old_debts": self.env._("Wait for their turn among old debts"),
            "finished": self.env._("All steps carried out"),
            "nothing_claimable": self.env._("Nothing to claim"),
            "archived": self.env._("File archived"),
            "insolvency": self.env._("Insolvency proceedings"),
            "paused": self.env._("Paused"),
            "no_plan": self.env._("No plan applies"),
            "not_running": self.env._("Plan switched off"),
            "unread_reply": self.env._("Answer not read yet"),
            "too_small": self.env._("Less than a message is worth"),
            "payment_pending": self.env._("Online payment under way"),
            "payment_announced": self.env._("Payment booked for a later day"),
            "parent_credit": self.env._("Money at the parent company"),
            "credit_to_allocate": self.env._("Credit to allocate"),
            OWN_REASON: self.env._("Other reasons"),
            "too_soon": self.env._("Contacted a short time ago"),
            "too_often": self.env._("Contacted often enough"),
            "with_provider": self.env._("With a provider"),
            "no_address": self.env._("No e-mail address"),
            "bounced_address": self.env._("Address that doesn't work"),
            "blacklisted": self.env._("Asked not to be written to"),
            "unmatched_payment": self.env._("Bank entry not matched yet"),
            "bank_stale": self.env._("Bank journal not up to date"),
            "planned": self.env._("Planned already"),
        }
        return labels.get(reason, reason)
