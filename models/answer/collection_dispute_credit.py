from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import formatLang

from ...tools.plain_html import to_html

# Who may make credit notes.
INVOICING_GROUP = "account.group_account_invoice"
# Calendar days in which a credit note may still be taken off an invoice again.
CREDIT_DAYS = 400


class CollectionDispute(models.Model):
    """The credit note that a dispute leads to."""

    _inherit = "collection.dispute"

    # === ACTION METHODS === #

    def action_credit_note(self):
        """Prepare a draft credit note for the disputed part, or have accounting do so.

        :return: the action that opens the draft, for those who may make credit notes.
        """
        self.ensure_one()
        self.check_access("write")
        if self.state not in ("open", "accepted"):
            raise UserError(self.env._("This dispute was not accepted: there is nothing to credit."))
        notes = self._request_credit_note()
        return notes and {
            "type": "ir.actions.act_window",
            "name": self.env._("Credit Notes"),
            "res_model": "account.move",
            "view_mode": "form" if len(notes) == 1 else "list,form",
            "res_id": notes.id if len(notes) == 1 else False,
            "domain": [("id", "in", notes.ids)],
        }

    # === BUSINESS METHODS - SOLVE === #

    def _get_invoices(self):
        """Return the customer's documents behind what is disputed, whoever asks."""
        return self.sudo().line_ids.move_id.filtered(lambda move: move.is_sale_document())

    def _get_question(self):
        """Return what somebody who is asked about this dispute needs to know, in words."""
        return self.env._(
            "%(items)s: %(amount)s is disputed. %(description)s",
            items=self.item_names or "",
            amount=formatLang(self.env, self.amount, currency_obj=self.currency_id),
            description=self.description or "",
        )

    def _request_credit_note(self):
        """Prepare draft credit notes when the user may, else ask accounting for them. Once.

        :return: the drafts.
        """
        self.ensure_one()
        dispute = self.sudo()
        drafts = dispute.credit_note_ids.filtered(lambda move: move.state == "draft")
        if drafts:
            return drafts.with_env(self.env)
        invoices = self._get_invoices()
        if invoices and self.env.user.has_group(INVOICING_GROUP):
            # With the rights of the user, who may make them.
            moves = invoices.with_env(self.env)
            notes = moves.browse().union(*(self._create_credit_note(move) for move in moves))
            dispute.credit_note_ids = [Command.link(note.id) for note in notes]
            self.message_post(body=self.env._("A draft credit note was prepared by %s.", self.env.user.name))
            return notes
        if not dispute.credit_asked_on:
            self._ask_accounting(invoices or dispute.line_ids.move_id)
        return self.env["account.move"]

    def _create_credit_note(self, move):
        """Return a draft credit note over the disputed part of an invoice.

        A part is credited in proportion: one line for each account and tax, so that the taxes come out right.

        :param move: one invoice.
        """
        lines = self.sudo().line_ids.filtered(lambda line: line.move_id == move)
        disputed = sum(line.amount - line.settled_amount for line in lines)
        note = move._reverse_moves([self._prepare_credit_note(move)])
        if self.currency_id.compare_amounts(disputed, move.amount_total) < 0:
            share = disputed / move.amount_total
            parts = move.invoice_line_ids.filtered(lambda line: line.display_type == "product").grouped(
                lambda line: (line.account_id, line.tax_ids)
            )
            note.invoice_line_ids = [
                Command.clear(),
                *(
                    Command.create(self._prepare_credit_line(move, account, taxes, products, share))
                    for (account, taxes), products in parts.items()
                ),
            ]
            self._round_credit_note(note, disputed)
        return note

    @api.model
    def _round_credit_note(self, note, amount):
        """Adjust a draft credit note to exactly an amount: its parts and their taxes were rounded one by one.

        The cent goes to the biggest line. Where the tax would make two of it, it goes to the tax, as an accountant
        would correct it.

        :param note: one draft with at least one line.
        :param float amount: what it is to amount to, taxes included, in its currency.
        """
        currency = note.currency_id
        line = note.invoice_line_ids.sorted("price_total")[-1:]
        price = line.price_unit
        missing = currency.round(amount - note.amount_total)
        for cents in (missing, currency.round(missing * line.price_subtotal / (line.price_total or 1))):
            if currency.is_zero(amount - note.amount_total):
                return
            line.price_unit = price + cents
        if currency.is_zero(amount - note.amount_total):
            return
        line.price_unit = price
        tax_line = note.line_ids.filtered("tax_line_id").sorted(lambda tax_line: abs(tax_line.amount_currency))[-1:]
        if tax_line:
            tax_amount = tax_line.amount_currency + note.direction_sign * missing
            note.line_ids = [Command.update(tax_line.id, {"amount_currency": tax_amount})]

    def _prepare_credit_note(self, move):
        """Return the values in which a draft credit note differs from the invoice that it credits."""
        return {
            "ref": self.env._("%(invoice)s, %(reason)s", invoice=move.name, reason=self.reason_id.name),
            "invoice_date": False,
            "date": self.company_id._collection_today(),
        }

    def _prepare_credit_line(self, move, account, taxes, products, share):
        """Return the values of one line of a credit note over part of an invoice.

        :param products: the invoice lines with this account and these taxes.
        :param float share: the part of them to credit, 0 to 1.
        """
        # Before any tax that is not part of the price, with any that is.
        amount = sum(line.price_unit * line.quantity * (1 - line.discount / 100) for line in products)
        return {
            "name": self.env._("Part of %(invoice)s: %(reason)s", invoice=move.name, reason=self.reason_id.name),
            "quantity": 1,
            "price_unit": move.currency_id.round(amount * share),
            "account_id": account.id,
            "tax_ids": [Command.set(taxes.ids)],
        }

    def _ask_accounting(self, moves):
        """Ask whoever makes credit notes in the company for one, by an activity on each invoice."""
        accountant = self._get_accountant()
        if not accountant:
            raise UserError(
                self.env._("Nobody in %s may make credit notes: ask an administrator.", self.sudo().company_id.name)
            )
        for move in moves.sudo():
            move.activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=self.company_id._collection_today(),
                summary=self.env._("Credit note: %s", self.reason_id.name),
                note=to_html(self._get_question()),
                user_id=accountant.id,
            )
        self.sudo().credit_asked_on = self.company_id._collection_today()
        self.message_post(body=self.env._("%s was asked for a credit note.", accountant.name))

    def _get_accountant(self):
        """Return who makes credit notes in the company of this dispute: the one in the settings, else the first."""
        company = self.sudo().company_id
        if company.collection_accountant_id:
            return company.collection_accountant_id
        users = self.env.ref(INVOICING_GROUP).sudo().all_user_ids
        return users.filtered(lambda user: user.active and not user.share and company in user.company_ids).sorted("id")[
            :1
        ]
