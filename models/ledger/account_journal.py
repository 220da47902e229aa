from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ...const import CASH_JOURNAL_TYPES


class AccountJournal(models.Model):
    _inherit = "account.journal"

    collection_is_watched = fields.Boolean(
        string="Must be up to date for Reminders",
        default=True,
        help="Nobody is reminded by themselves while the last entry of this bank journal is too old: "
        "customers who paid would look as if they had not.",
    )
    collection_last_entry_date = fields.Date(string="Last Entry", compute="_compute_collection_last_entry_date")
    collection_entry_age = fields.Integer(string="Days since", compute="_compute_collection_last_entry_date")
    collection_is_stale = fields.Boolean(string="Not up to date", compute="_compute_collection_last_entry_date")

    # Of journals that hold open items kept elsewhere: how their list was read last, and where entries go.
    collection_transit_account_id = fields.Many2one(
        "account.account",
        string="Transit Account of imported Items",
        help="What stands against the open items that are imported: neither sales nor VAT.",
        copy=False,
        groups="account_collection.group_collection_manager",
    )
    collection_settlement_journal_id = fields.Many2one(
        "account.journal",
        string="Journal of Payments received elsewhere",
        copy=False,
        groups="account_collection.group_collection_manager",
    )
    collection_import_options = fields.Json(copy=False, groups="account_collection.group_collection_manager")

    # === CRUD METHODS === #

    # EXTENDS account: the ledger keeps the ids of the journals that hold money
    @api.model_create_multi
    def create(self, vals_list):
        journals = super().create(vals_list)
        if journals.filtered(lambda journal: journal.type in CASH_JOURNAL_TYPES):
            self.env.registry.clear_cache()
        return journals

    # EXTENDS account: the ledger keeps the ids of the journals that hold money
    def write(self, vals):
        result = super().write(vals)
        if {"type", "company_id"} & vals.keys():
            self.env.registry.clear_cache()
        return result

    # === COMPUTE METHODS === #

    @api.depends("company_id")
    def _compute_collection_last_entry_date(self):
        dates = self._get_collection_last_entry_dates()
        for journal in self:
            company = journal.company_id
            journal.collection_last_entry_date = dates.get(journal.id, False)
            journal.collection_entry_age = (
                (company._collection_today() - journal.collection_last_entry_date).days
                if journal.collection_last_entry_date
                else 0
            )
            journal.collection_is_stale = bool(
                company.collection_bank_fresh_days
                and journal.collection_is_watched
                and journal.collection_entry_age > company.collection_bank_fresh_days
            )

    # === ACTION METHODS === #

    def action_collection_watch(self):
        """Watch bank journals, or leave them out: a matter of the follow-up, which needs no right on accounting.

        :raises AccessError: for anybody but the managers of the follow-up.
        """
        if not self.env.user.has_group("account_collection.group_collection_manager"):
            raise AccessError(self.env._("Only managers of the follow-up say which bank journals are watched."))
        self.check_access("read")
        for journal in self.filtered(lambda journal: journal.type == "bank"):
            journal.sudo().write({"collection_is_watched": not journal.collection_is_watched})

    # === BUSINESS METHODS === #

    def _get_collection_last_entry_dates(self):
        """Return ``{journal id: date of the last posted entry}``; journals without an entry are left out."""
        if not self.ids:
            return {}
        self.env["account.move"].flush_model(["journal_id", "company_id", "date", "state"])
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT journal.id, last_move.date
                      FROM account_journal journal
                CROSS JOIN LATERAL (
                        SELECT move.date
                          FROM account_move move
                         WHERE move.journal_id = journal.id AND move.state = 'posted'
                      ORDER BY move.journal_id, move.company_id DESC, move.date DESC
                         LIMIT 1
                      ) last_move
                     WHERE journal.id = ANY(%s)
                    """,
                    self.ids,
                )
            )
        )

    @api.model
    def _get_collection_stale_journal(self, company):
        """Return the watched bank journal of a company, or of its parents, whose last entry is too old.

        A journal that never had an entry is not used, and says nothing.

        :return: ``{"journal": name, "date": last entry}``, or ``None`` when all are up to date.
        """
        limit = company.collection_bank_fresh_days
        if not limit:
            return None
        # Customers of a branch pay to the bank of its parent company, too.
        journals = self.sudo().search(
            [("type", "=", "bank"), ("company_id", "parent_of", company.ids), ("collection_is_watched", "=", True)]
        )
        dates = journals._get_collection_last_entry_dates()
        since = company._collection_today() - timedelta(days=limit)
        stale = journals.filtered(lambda journal: journal.id in dates and dates[journal.id] < since)
        oldest = stale.sorted(lambda journal: dates[journal.id])[:1]
        return {"journal": oldest.name, "date": dates[oldest.id]} if oldest else None
