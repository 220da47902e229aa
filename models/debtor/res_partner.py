from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...const import COMPANY_SIZES, GRADES

# Fields that are read from the customer's debtor in the current company, by their name there.
DEBTOR_FIELDS = {"collection_score": "score", "collection_grade": "grade"}


class ResPartner(models.Model):
    _inherit = "res.partner"

    collection_company_size = fields.Selection(
        COMPANY_SIZES, string="Company Size", help="Counts in the score and can be used to choose whom to contact."
    )
    collection_debtor_ids = fields.One2many(
        "collection.debtor",
        "partner_id",
        string="Follow-up Files",
        groups="account_collection.group_collection_user",
    )
    # Not stored: a refresh never writes on customers, and each company has its own score.
    collection_score = fields.Integer(
        string="Follow-up Score",
        compute="_compute_collection",
        search="_search_collection_score",
        compute_sudo=True,
        aggregator="avg",
        groups="account_collection.group_collection_user",
        help="0 to 100 in the current company: the higher, the sooner to contact.",
    )
    collection_grade = fields.Selection(
        GRADES,
        string="Follow-up Grade",
        compute="_compute_collection",
        search="_search_collection_grade",
        compute_sudo=True,
        groups="account_collection.group_collection_user",
        help="A: contact first … D: nothing urgent.",
    )

    collection_score_explanation = fields.Html(
        string="Why this Score",
        compute="_compute_collection_score_explanation",
        sanitize=False,
        groups="account_collection.group_collection_user",
    )

    # For everybody in the company, salespeople above all: words that the company chose to show, no field of its own.
    collection_banner = fields.Char(
        string="Overdue", compute="_compute_collection_banner", compute_sudo=True, groups="base.group_user"
    )
    collection_must_prepay = fields.Boolean(
        string="Pays before new Orders",
        compute="_compute_collection_banner",
        compute_sudo=True,
        groups="base.group_user",
        help="By the policy of the current company.",
    )

    # === COMPUTE METHODS === #

    @api.depends("collection_debtor_ids.overdue_amount", "commercial_partner_id")
    @api.depends_context("company", "lang")
    def _compute_collection_banner(self):
        company = self.env.company
        debtors = self._get_collection_debtors() if company.collection_banner != "none" else {}
        for partner in self:
            debtor = debtors.get(partner.commercial_partner_id)
            partner.collection_must_prepay = bool(debtor) and debtor._is_prepayment_due()
            partner.collection_banner = debtor and debtor._get_banner()

    @api.depends("collection_debtor_ids.score_breakdown", "commercial_partner_id")
    @api.depends_context("company", "lang", "uid")
    def _compute_collection_score_explanation(self):
        debtors = self._get_readable_debtors()
        for partner in self:
            debtor = debtors.get(partner.commercial_partner_id)
            partner.collection_score_explanation = debtor and debtor.sudo().score_explanation

    def _get_collection_debtors(self):
        """Return ``{commercial partner: its debtor in the current company}``."""
        debtors = (
            self.env["collection.debtor"]
            .sudo()
            .with_context(active_test=False)
            .search([("partner_id", "in", self.commercial_partner_id.ids), ("company_id", "=", self.env.company.id)])
        )
        return {debtor.partner_id: debtor for debtor in debtors}

    def _get_readable_debtors(self):
        """Return those of ``_get_collection_debtors`` that the user may read, whoever computes in their name."""
        debtors = self._get_collection_debtors()
        readable = self.env["collection.debtor"].union(*debtors.values()).sudo(False)._filtered_access("read")
        return {partner: debtor for partner, debtor in debtors.items() if debtor in readable}

    @api.depends("collection_debtor_ids.score", "collection_debtor_ids.grade", "commercial_partner_id")
    @api.depends_context("company", "uid")
    def _compute_collection(self):
        debtors = self._get_readable_debtors()
        for partner in self:
            debtor = debtors.get(partner.commercial_partner_id)
            partner.collection_score = debtor.score if debtor else 0
            partner.collection_grade = debtor.grade if debtor else False

    def _search_collection_score(self, operator, value):
        return self._search_collection("score", operator, value)

    def _search_collection_grade(self, operator, value):
        return self._search_collection("grade", operator, value)

    def _search_collection(self, name, operator, value):
        """Search partners by a field of their debtor in the current company.

        A partner without debtor has no score (0) and no grade.
        """
        if operator not in ("in", "<", ">", "<=", ">="):
            return NotImplemented
        own = Domain("company_id", "=", self.env.company.id)
        if (readable := self.env["collection.debtor"]._get_readable_query()) is not None:
            own &= Domain("id", "in", readable)
        path = "commercial_partner_id.collection_debtor_ids"
        found = Domain(path, "any!", own & Domain(name, operator, value))
        empty_matches = {
            "in": lambda: any(not item for item in value),
            "<": lambda: value > 0,
            "<=": lambda: value >= 0,
            ">": lambda: value < 0,
            ">=": lambda: value <= 0,
        }[operator]()
        return found | Domain(path, "not any!", own) if empty_matches else found

    # EXTENDS base: makes score and grade sortable and groupable without storing them
    def _field_to_sql(self, alias, field_expr, query=None):
        if field_expr in DEBTOR_FIELDS and query is not None:
            self._check_field_access(self._fields[field_expr], "read")
            debtor = query.make_alias(alias, "collection_debtor")
            readable = self.env["collection.debtor"]._get_readable_query()
            query.add_join(
                "LEFT JOIN",
                debtor,
                "collection_debtor",
                SQL(
                    "%s = %s AND %s = %s AND %s",
                    SQL.identifier(debtor, "partner_id"),
                    SQL.identifier(alias, "commercial_partner_id"),
                    SQL.identifier(debtor, "company_id"),
                    self.env.company.id,
                    SQL("TRUE")
                    if readable is None
                    else SQL("%s IN %s", SQL.identifier(debtor, "id"), readable.subselect()),
                ),
            )
            return SQL.identifier(debtor, DEBTOR_FIELDS[field_expr])
        return super()._field_to_sql(alias, field_expr, query)

    # === CRUD METHODS === #

    @api.ondelete(at_uninstall=False)
    def _unlink_empty_follow_up_files(self):
        """A follow-up file in which nothing was ever written goes with its customer."""
        debtors = self.env["collection.debtor"].sudo().with_context(active_test=False)
        debtors = debtors.search([("partner_id", "in", self.ids)])
        debtors.filtered(
            lambda debtor: not (debtor.action_ids or debtor.promise_ids or debtor.dispute_ids or debtor.case_ids)
        ).unlink()

    # === ACTION METHODS === #

    def action_view_collection_debtor(self):
        """Open the follow-up file of this customer in the current company."""
        self.ensure_one()
        debtor = self.env["collection.debtor"]._get_or_create(self.env.company, self)
        return debtor._get_form_action()
