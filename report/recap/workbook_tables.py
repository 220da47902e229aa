import pytz

from odoo import models

from .xlsx import Column


class CollectionRecapWorkbook(models.AbstractModel):
    """The sheets of the recap that list cases, items, promises, disputes and contacts."""

    _inherit = "collection.recap.workbook"

    # === BUSINESS METHODS - TABLES === #

    def _get_tables(self, recap):
        """Return the sheets with details. Extend it to add one.

        :return: list of ``{"title", "columns", "rows", "row_count"}``; the cases come first.
        """
        Recap = self.env["collection.recap"]
        contacts = recap.contacts
        return [
            {
                "title": self.env._("Cases"),
                "columns": self._get_case_columns(recap),
                "rows": recap.cases,
                "row_count": len(recap.cases),
            },
            {
                "title": self.env._("Items"),
                "columns": self._get_item_columns(recap),
                "rows": Recap._iter_items(recap),
                "row_count": recap.item_count,
            },
            {
                "title": self.env._("Promises"),
                "columns": self._get_promise_columns(recap),
                "rows": recap.promises,
                "row_count": len(recap.promises),
            },
            {
                "title": self.env._("Disputes"),
                "columns": self._get_dispute_columns(recap),
                "rows": recap.disputes,
                "row_count": len(recap.disputes),
            },
            {
                "title": self.env._("Contacts"),
                "columns": self._get_contact_columns(recap),
                "rows": Recap._iter_contacts(recap),
                "row_count": contacts.logged_count,
            },
        ]

    def _get_amount_columns(self, total, amounts):
        """Return the columns that say what became of an amount.

        :param total: the ``Amounts`` of all rows.
        :param amounts: function that returns the ``Amounts`` of a row.
        """
        titles = {
            "initial": self.env._("At the start"),
            "collected": self.env._("Collected"),
            "credited": self.env._("Credited"),
            "other": self.env._("Written off or cancelled"),
            "residual": self.env._("Still owed"),
            "promised": self.env._("Of which promised"),
            "disputed": self.env._("Of which disputed"),
            "rest": self.env._("Of which neither"),
        }
        return [
            Column(key, title, lambda row, key=key: getattr(amounts(row), key), "money", 12, total=getattr(total, key))
            for key, title in titles.items()
        ]

    def _get_case_columns(self, recap):
        """Return the columns of the cases; those behind the amounts are for the screen."""
        outcomes = self.env["collection.recap"]._get_outcome_labels()
        yes = self.env._("Yes")
        call_count = sum(case.attempt_count for case in recap.cases)
        screen = {"is_printed": False}
        return [
            Column("customer", self.env._("Customer"), lambda case: case.customer, "wrapped", 27),
            Column("collector", self.env._("Collector"), lambda case: case.collector, "wrapped", 15),
            Column("status", self.env._("Result"), lambda case: case.status, "wrapped", 13),
            Column("reason", self.env._("Reason for non-payment"), lambda case: case.reason, "wrapped", 18),
            *self._get_amount_columns(recap.total, lambda case: case.amounts),
            Column("next", self.env._("What to do next"), lambda case: case.next_step, "wrapped", 30),
            Column(
                "outcome",
                self.env._("What became of the rest"),
                lambda case: outcomes[case.outcome] if case.amounts.rest else "",
                width=18,
                **screen,
            ),
            Column("note", self.env._("How it ended"), lambda case: case.result_note, width=30, **screen),
            Column(
                "items",
                self.env._("Items"),
                lambda case: case.item_count,
                "integer",
                width=9,
                total=recap.item_count,
                **screen,
            ),
            Column("due_date", self.env._("Overdue since"), lambda case: case.due_date, "date", width=12, **screen),
            Column("days_late", self.env._("Days late at the start"), lambda case: case.days_late, "integer", **screen),
            Column("profile", self.env._("Payer profile"), lambda case: case.profile_label, width=20, **screen),
            Column("size", self.env._("Company size"), lambda case: case.size_label, width=18, **screen),
            Column("small", self.env._("Small debt"), lambda case: yes if case.is_small else "", **screen),
            Column(
                "calls",
                self.env._("Calls"),
                lambda case: case.attempt_count,
                "integer",
                width=9,
                total=call_count,
                **screen,
            ),
            Column(
                "reached", self.env._("Right person reached"), lambda case: yes if case.is_reached else "", **screen
            ),
            Column(
                "last_contact",
                self.env._("Last contact"),
                lambda case: self._to_local(recap, case.last_contact),
                "datetime",
                width=17,
                **screen,
            ),
            Column("reference", self.env._("Customer's reference"), lambda case: case.reference, **screen),
        ]

    def _get_item_columns(self, recap):
        return [
            Column("customer", self.env._("Customer"), lambda item: item["case"].customer, "wrapped", 28),
            Column("name", self.env._("Invoice or entry"), lambda item: item["name"], width=20),
            Column("date", self.env._("Date"), lambda item: item["date"], "date", 12),
            Column("due_date", self.env._("Due date"), lambda item: item["due_date"], "date", 12),
            Column(
                "days_late",
                self.env._("Days late at the start"),
                lambda item: (recap.started_on - item["due_date"]).days,
                "integer",
                12,
            ),
            *self._get_amount_columns(recap.total, lambda item: item["amounts"]),
            Column("collector", self.env._("Collector"), lambda item: item["case"].collector, "wrapped", 15),
            Column("status", self.env._("Result of the case"), lambda item: item["case"].status, "wrapped", 13),
        ]

    def _get_promise_columns(self, recap):
        yes = self.env._("Yes")
        return [
            Column("customer", self.env._("Customer"), lambda promise: promise.customer, "wrapped", 27),
            Column("contact", self.env._("Promised by"), lambda promise: promise.contact, "wrapped", 16),
            Column("user", self.env._("Recorded by"), lambda promise: promise.user, "wrapped", 16),
            Column(
                "recorded",
                self.env._("Recorded on"),
                lambda promise: self._to_local(recap, promise.recorded_on),
                "datetime",
                17,
            ),
            Column("date", self.env._("Promised for"), lambda promise: promise.date, "date", 12),
            Column("method", self.env._("Method"), lambda promise: promise.method_label, "wrapped", 14),
            Column("state", self.env._("State"), lambda promise: promise.state_label),
            Column(
                "amount",
                self.env._("Amount"),
                lambda promise: promise.amount,
                "money",
                digits=lambda promise: promise.decimal_places,
            ),
            Column("currency", self.env._("Currency"), lambda promise: promise.currency, width=10),
            Column(
                "company_amount",
                self.env._("Amount in %s", recap.currency),
                lambda promise: promise.company_amount,
                "money",
                total=sum(promise.company_amount for promise in recap.promises),
            ),
            Column(
                "open",
                self.env._("Still promised, in %s", recap.currency),
                lambda promise: promise.open_amount,
                "money",
                total=sum(promise.open_amount for promise in recap.promises),
            ),
            Column(
                "own",
                self.env._("Made in this campaign"),
                lambda promise: yes if promise.is_from_campaign else "",
                width=12,
            ),
            Column("note", self.env._("Note"), lambda promise: promise.note, "wrapped", 34),
        ]

    def _get_dispute_columns(self, recap):
        return [
            Column("customer", self.env._("Customer"), lambda dispute: dispute.customer, "wrapped", 27),
            Column("reason", self.env._("Reason"), lambda dispute: dispute.reason, "wrapped", 24),
            Column("owner", self.env._("Owner"), lambda dispute: dispute.owner, "wrapped", 16),
            Column(
                "opened",
                self.env._("Opened on"),
                lambda dispute: self._to_local(recap, dispute.opened_on),
                "datetime",
                17,
            ),
            Column("deadline", self.env._("To solve by"), lambda dispute: dispute.deadline, "date", 12),
            Column("state", self.env._("State"), lambda dispute: dispute.state_label),
            Column(
                "amount",
                self.env._("Amount"),
                lambda dispute: dispute.amount,
                "money",
                digits=lambda dispute: dispute.decimal_places,
            ),
            Column("currency", self.env._("Currency"), lambda dispute: dispute.currency, width=10),
            Column(
                "company_amount",
                self.env._("Amount in %s", recap.currency),
                lambda dispute: dispute.company_amount,
                "money",
                total=sum(dispute.company_amount for dispute in recap.disputes),
            ),
            Column(
                "open",
                self.env._("Still disputed, in %s", recap.currency),
                lambda dispute: dispute.open_amount,
                "money",
                total=sum(dispute.open_amount for dispute in recap.disputes),
            ),
            Column(
                "description", self.env._("What the customer says"), lambda dispute: dispute.description, "wrapped", 40
            ),
        ]

    def _get_contact_columns(self, recap):
        labels = {
            name: self.env["collection.recap"]._get_labels("collection.action", name) for name in ("state", "outcome")
        }
        channels = self.env["collection.action"]._get_channel_labels()
        return [
            Column("date", self.env._("Date"), lambda row: self._to_local(recap, row["date_done"]), "datetime", 17),
            Column("customer", self.env._("Customer"), lambda row: row["customer"], "wrapped", 27),
            Column("channel", self.env._("Channel"), lambda row: channels[row["channel"]], width=12),
            Column("user", self.env._("By"), lambda row: row["user"], width=20),
            Column("contact", self.env._("Spoken to"), lambda row: row["contact"], width=20),
            Column("state", self.env._("State"), lambda row: labels["state"][row["state"]], width=12),
            Column("outcome", self.env._("Outcome"), lambda row: labels["outcome"].get(row["outcome"], ""), width=24),
            Column("reason", self.env._("Reason for non-payment"), lambda row: row["reason"], width=24),
            Column(
                "note",
                self.env._("What was said"),
                lambda row: row["note"] or row["result_text"] or row["summary"] or "",
                "wrapped",
                52,
            ),
        ]

    def _to_local(self, recap, moment):
        """Return a moment (UTC) on the company's clock, as XLSX wants it; nothing stays nothing."""
        if not moment:
            return None
        return pytz.utc.localize(moment).astimezone(pytz.timezone(recap.timezone)).replace(tzinfo=None)
