from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ...models.provider.collection_provider import (
    DATE_ORDERS,
    DECIMAL_SIGNS,
    ENCODINGS,
    FILE_FORMATS,
    FORMAT_FIELDS,
    SEPARATORS,
)


class CollectionHandoverCreate(models.TransientModel):
    """Hands cases over to an outside caller: to whom, how long, for what, and who is left out."""

    _name = "collection.handover.create"
    _description = "Hand over to a Provider"
    _inherit = "collection.dialogue.mixin"

    company_id = fields.Many2one("res.company", required=True, readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    campaign_id = fields.Many2one("collection.campaign", readonly=True)
    case_ids = fields.Many2many("collection.case", string="Cases")
    provider_id = fields.Many2one(
        "collection.provider", required=True, domain="[('company_id', '=', company_id)]", ondelete="cascade"
    )
    is_processor = fields.Boolean(related="provider_id.is_processor")
    date_start = fields.Date(string="From", required=True)
    date_end = fields.Date(string="Until", required=True)
    purpose = fields.Text(
        compute="_compute_from_provider",
        compute_sudo=False,
        store=True,
        readonly=False,
        help="What the provider may use the data for.",
    )
    contract_ref = fields.Char(
        string="Contract", compute="_compute_from_provider", compute_sudo=False, store=True, readonly=False
    )
    lang = fields.Selection(
        selection=lambda self: self.env["res.lang"].get_installed(),
        string="Language",
        compute="_compute_from_provider",
        compute_sudo=False,
        store=True,
        readonly=False,
    )
    file_format = fields.Selection(
        FILE_FORMATS, compute="_compute_from_provider", compute_sudo=False, store=True, readonly=False
    )
    encoding = fields.Selection(
        ENCODINGS, compute="_compute_from_provider", compute_sudo=False, store=True, readonly=False
    )
    decimal_sign = fields.Selection(
        DECIMAL_SIGNS, compute="_compute_from_provider", compute_sudo=False, store=True, readonly=False
    )
    date_order = fields.Selection(
        DATE_ORDERS, string="Dates", compute="_compute_from_provider", compute_sudo=False, store=True, readonly=False
    )
    separator = fields.Selection(
        SEPARATORS, compute="_compute_from_provider", compute_sudo=False, store=True, readonly=False
    )
    column_names = fields.Char(string="Columns that go out", compute="_compute_column_names")
    case_count = fields.Integer(string="Customers", compute="_compute_cases")
    claimable_amount = fields.Monetary(string="To Claim", compute="_compute_cases")
    left_out = fields.Text(compute="_compute_cases")
    can_overrule = fields.Boolean(compute="_compute_cases")
    overrule = fields.Boolean(
        string="Hand over all the same",
        help="You know why these customers are to be left alone, and hand them over all the same. It is kept on file.",
    )

    # === COMPUTE METHODS === #

    @api.depends("provider_id")
    def _compute_from_provider(self):
        for wizard in self:
            provider = wizard.provider_id
            for name in ("purpose", "contract_ref", *FORMAT_FIELDS):
                wizard[name] = provider[name]

    @api.depends("provider_id")
    def _compute_column_names(self):
        File = self.env["collection.handover.file"]
        titles = File._get_titles()
        for wizard in self:
            keys = File._get_columns(wizard) if wizard.provider_id else ()
            wizard.column_names = ", ".join(titles[key] for key in keys)

    @api.depends("case_ids", "overrule")
    def _compute_cases(self):
        for wizard in self:
            cases = wizard.case_ids._origin
            Handover = self.env["collection.handover"]
            obstacles = Handover._get_obstacles(cases, wizard.overrule)
            wizard.can_overrule = wizard.overrule or len(Handover._get_obstacles(cases, True)) < len(obstacles)
            going = cases.filtered(lambda case, obstacles=obstacles: case not in obstacles)
            wizard.case_count = len(going)
            wizard.claimable_amount = sum(going.mapped("claimable_amount"))
            lines = [
                self.env._("%(name)s: %(text)s", name=case.partner_id.display_name, text=reason)
                for case, reason in list(obstacles.items())[:20]
            ]
            if len(obstacles) > len(lines):
                lines.append(self.env._("… and %s more", len(obstacles) - len(lines)))
            wizard.left_out = "\n".join(lines)

    # === ACTION METHODS === #

    def action_confirm(self):
        """Hand the cases over and open the hand-over, from which the file is downloaded."""
        self.ensure_one()
        self = self._without_defaults()  # noqa: PLW0642
        handover = self.env["collection.handover"]._hand_over(self.case_ids, self._prepare_handover(), self.overrule)
        return {
            "type": "ir.actions.act_window",
            "res_model": "collection.handover",
            "res_id": handover.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    # === BUSINESS METHODS === #

    @api.model
    def _get_dialog(self, cases):
        """Return the action that opens this dialogue for some cases.

        :param cases: of one company.
        :raises UserError: when they are of several companies, or when there is no provider to give them to.
        """
        company = cases.company_id
        if len(company) != 1:
            raise UserError(self.env._("Choose the cases of one company."))
        providers = self.env["collection.provider"].search([("company_id", "=", company.id)], limit=2)
        if not providers:
            raise UserError(
                self.env._(
                    "There is no provider yet: an administrator of Collections adds one under "
                    "Configuration > Providers."
                )
            )
        campaign = cases.campaign_id
        today = company._collection_today()
        fortnight = today + timedelta(days=14)
        wizard = self.create(
            {
                "company_id": company.id,
                "campaign_id": campaign.id if len(campaign) == 1 else False,
                "case_ids": [Command.set(cases.ids)],
                "provider_id": providers[:1].id,
                "date_start": today,
                "date_end": max(min([fortnight, *campaign.mapped("date_end")]), today),
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Hand over to a provider"),
            "res_model": self._name,
            "res_id": wizard.id,
            "view_mode": "form",
            "target": "new",
        }

    def _prepare_handover(self):
        """Return the values of the hand-over."""
        return {
            "provider_id": self.provider_id.id,
            "campaign_id": self.campaign_id.id,
            "date_start": self.date_start,
            "date_end": self.date_end,
            "purpose": self.purpose,
            "contract_ref": self.contract_ref,
            **{name: self[name] for name in FORMAT_FIELDS},
        }
