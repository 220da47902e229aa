from odoo import fields
from odoo.exceptions import UserError

from ...tools.handover import get_outcome


class CallImporter:
    """Records one call of a provider from the rows of its file: disputes, promises, the call and the contact."""

    def __init__(self, rows, said, new):
        self.env = rows.env
        self.rows = rows
        self.said = said
        self.line = rows.line_id
        self.debtor = self.line.debtor_id
        self.case = self.line._get_case_for_answers()
        # Once the call is logged, the rest of it are notes.
        self.is_call_due = "call" in new

    def _take_channel(self):
        """Return the channel to log under: ``call`` the first time, ``note`` afterwards, so that a call counts once."""
        channel = "call" if self.is_call_due else "note"
        self.is_call_due = False
        return channel

    def _get_note(self, rows):
        """Return the notes of rows, each once, as lines of one text; ``False`` without any."""
        notes = [row.answer["note"] for row in rows if row.answer.get("note")]
        return "\n".join(dict.fromkeys(notes)) or False

    def _get_reason(self, rows, opens_dispute):
        """Return the id of the first reason that these rows name, ``False`` without any.

        :param bool opens_dispute: looks at the rows that open a dispute, or at the others.
        """
        reasons = [
            row.answer["reason"]
            for row in rows
            if row.answer.get("reason") and bool(row.answer.get("is_dispute")) == opens_dispute
        ]
        return reasons[0] if reasons else False

    def _get_dialog(self, model, **values):
        """Return a new record of a dialogue's model for the customer and the case of this call."""
        return self.env[model].create({"debtor_id": self.debtor.id, "case_id": self.case.id, **values})

    def log_disputes(self):
        """Open one dispute per reason and currency, over all rows that contest something for it."""
        rows = self.said.get("dispute", self.rows.browse())
        for (reason_id, _currency), group in rows.grouped(
            lambda row: (row.answer["reason"], row.item_id.currency_id)
        ).items():
            wizard = self._get_dialog(
                "collection.dispute.open",
                reason_id=reason_id,
                description=self._get_note(group),
                channel=self._take_channel(),
            )
            wizard.line_ids.is_disputed = False
            for row in group:
                item = wizard.line_ids.filtered(lambda line, row=row: line.move_line_id == row.item_id.move_line_id)
                if not item:
                    raise UserError(
                        self.env._("%s is paid or cancelled: nothing is left to dispute.", row.item_id.name)
                    )
                amount = row.answer.get("disputed_amount")
                item.write({"is_disputed": True, "amount": float(amount) if amount else item.amount})
            wizard.action_confirm()

    def log_promises(self):
        """Record one promise per day, method and currency, over all rows that it covers."""
        rows = self.said.get("promise", self.rows.browse())
        for (day, method, currency), group in rows.grouped(
            lambda row: (row.answer["promise_date"], row.answer["method"], self._get_currency(row))
        ).items():
            values = {
                "date": fields.Date.to_date(day),
                "method": method,
                "channel": self._take_channel(),
                "reason_id": self._get_reason(group, opens_dispute=False),
                "note": self._get_note(group),
            }
            wizard = self._get_dialog("collection.promise.record", **values)
            if any(row.answer.get("whole_case") or not row.item_id for row in group):
                wizard.move_line_ids = wizard.move_line_ids.filtered(
                    lambda item, currency=currency: item.currency_id == currency
                )
            else:
                wizard.move_line_ids = group.item_id.move_line_id
            self._set_amount(wizard, group)
            wizard._record()

    def _get_currency(self, row):
        """Return the currency of a row's item; that of the first item handed over when the row names none."""
        return row.item_id.currency_id or self.line.item_ids[:1].currency_id

    def _set_amount(self, wizard, group):
        """Set the promised amount of a dialogue from the rows that the promise covers.

        Without any amount the dialogue's own stays: all that can be promised. Otherwise it is the sum over the rows:
        the amount that a row names, else all that can be promised of its item. An amount for the whole customer that
        is repeated on several rows counts once.

        :param wizard: a ``collection.promise.record``.
        :param group: rows with the same day, method and currency.
        """
        if not any(row.answer.get("promise_amount") for row in group):
            return
        available = {item.id: amount for item, amount in wizard._get_available()}
        # One sum for the customer, copied down to each row, is one sum.
        whole = {row.answer["promise_amount"] for row in group if row.answer.get("whole_case")}
        wizard.amount = sum(map(float, whole)) + sum(
            float(row.answer.get("promise_amount") or available.get(row.item_id.move_line_id.id, 0.0))
            for row in group
            if not row.answer.get("whole_case")
        )

    def log_call(self):
        """Log the call, unless a dispute or a promise brought it along; else keep what is new as a note."""
        noted = self.said.get("note", self.rows.browse())
        if self.is_call_due:
            wizard = self._get_dialog(
                "collection.call.log",
                outcome=get_outcome(self.rows[0].answer),
                reason_id=self._get_reason(self.rows, opens_dispute=False),
                note=self._get_note(self.rows),
                next_step="none",
                # Nothing of the kind is wanted, so it need not be computed.
                next_date=False,
                promise_date=False,
                promise_amount=0.0,
            )
            wizard._log()
        elif rest := noted - self.said.get("promise", noted.browse()) - self.said.get("dispute", noted.browse()):
            note, reason_id = self._get_note(rest), self._get_reason(rest, opens_dispute=False)
            self.env["collection.action"]._log(self.debtor, "note", case=self.case, note=note, reason_id=reason_id)
            if note:
                self.debtor.message_post(
                    body=self.env._("%(provider)s: %(note)s", provider=self.line.provider_id.name, note=note)
                )

    def correct_contact(self):
        """Add what was missing about whom to ask for; what would overwrite something is to be confirmed by somebody."""
        for row in self.said.get("contact", self.rows.browse()):
            answer = row.answer
            self.line._correct_contact(answer.get("new_contact"), answer.get("new_phone"), answer.get("new_email"))
