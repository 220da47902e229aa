from odoo import api, fields, models
from odoo.exceptions import ValidationError

FILE_FORMATS = [
    ("xlsx", "Excel (.xlsx)"),
    ("csv", "CSV (.csv)"),
    ("txt", "Text, tab-separated (.txt)"),
]
ENCODINGS = [("utf-8", "UTF-8"), ("windows-1252", "Windows-1252")]
DECIMAL_SIGNS = [(",", "Comma: 1000,50"), (".", "Point: 1000.50")]
DATE_ORDERS = [("dmy", "Day first: 31/12/2026"), ("mdy", "Month first: 12/31/2026"), ("ymd", "Year first: 2026-12-31")]
SEPARATORS = [(";", "Semicolon"), (",", "Comma"), ("tab", "Tabulator"), ("|", "Bar")]
# What the file looks like, on a provider and on a single hand-over.
FORMAT_FIELDS = ("lang", "file_format", "encoding", "decimal_sign", "date_order", "separator")


class CollectionProvider(models.Model):
    """An outside caller: contacts customers in our name for a while, and sends back what was learned."""

    _name = "collection.provider"
    _description = "Provider"
    _inherit = ["collection.reach.mixin", "collection.fact.mixin", "mail.thread"]
    _fields_of_system = frozenset({"column_matching"})
    _order = "name, id"
    _check_company_auto = True

    partner_id = fields.Many2one("res.partner", string="Company Contact", required=True, ondelete="restrict")
    name = fields.Char(related="partner_id.name", string="Provider", store=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", required=True, index=True, default=lambda self: self.env.company)
    lang = fields.Selection(
        selection=lambda self: self.env["res.lang"].get_installed(),
        string="Language",
        required=True,
        compute="_compute_lang",
        precompute=True,
        store=True,
        readonly=False,
        help="The language of the columns, lists and explanations in the files that go out.",
    )

    # == The file that goes out ==
    file_format = fields.Selection(FILE_FORMATS, required=True, default="xlsx")
    encoding = fields.Selection(ENCODINGS, required=True, default="utf-8")
    decimal_sign = fields.Selection(DECIMAL_SIGNS, required=True, default=",")
    date_order = fields.Selection(DATE_ORDERS, string="Dates", required=True, default="dmy")
    separator = fields.Selection(SEPARATORS, required=True, default=";")

    # == Which columns go out ==
    send_contact = fields.Boolean(string="Whom to ask for", default=True)
    send_role = fields.Boolean(string="Role of this Person")
    send_phone = fields.Boolean(string="Phone", default=True)
    send_email = fields.Boolean(string="E-mail", default=True)
    send_language = fields.Boolean(string="Language of the Customer", default=True)
    send_date = fields.Boolean(string="Invoice Date", default=True)
    send_days_late = fields.Boolean(string="Days Late", default=True)
    send_score = fields.Boolean(string="Score", default=True)
    send_comment = fields.Boolean(
        string="Comments",
        help="The free notes of the follow-up file. Off by default: they may hold what is none of a caller's business.",
    )

    # == The file that comes back ==
    column_matching = fields.Json(
        readonly=True, copy=False, help="Which column of this provider's files means what, as somebody matched it last."
    )

    # == What was agreed ==
    purpose = fields.Text(
        string="Agreed Purpose",
        default=lambda self: self.env._(
            "Call the customers in our name in the agreed period, and report what they answer. No other use."
        ),
        help="What the provider may use the data for. Copied to each hand-over.",
    )
    contract_ref = fields.Char(string="Contract")
    is_processor = fields.Boolean(
        string="Processor under the GDPR",
        default=True,
        help="The provider works on our instructions, under a contract on data processing (article 28 GDPR).",
    )
    privacy_note = fields.Text(help="Where the contract is, how long the provider keeps the data, who deletes it.")
    note = fields.Text(string="Notes")

    handover_ids = fields.One2many("collection.handover", "provider_id", string="Hand-overs")
    handover_count = fields.Integer(compute="_compute_handover_count")
    out_count = fields.Integer(string="Customers with it now", compute="_compute_handover_count")

    _partner_unique = models.UniqueIndex(
        "(company_id, partner_id)", "This company contact is a provider of this company already."
    )

    # === COMPUTE METHODS === #

    @api.depends("partner_id")
    def _compute_lang(self):
        for provider in self:
            provider.lang = provider.partner_id.lang or provider.lang or self.env.lang or "en_US"

    @api.depends("handover_ids.state")
    def _compute_handover_count(self):
        counts = dict(
            self.env["collection.handover"]._read_group([("provider_id", "in", self.ids)], ["provider_id"], ["__count"])
        )
        out = dict(
            self.env["collection.handover.line"]._read_group(
                [("handover_id.provider_id", "in", self.ids), ("is_out", "=", True)],
                ["provider_id"],
                ["__count"],
            )
        )
        for provider in self:
            provider.handover_count = counts.get(provider, 0)
            provider.out_count = out.get(provider, 0)

    # === CONSTRAINT METHODS === #

    @api.constrains("company_id")
    def _check_company_of_use(self):
        """What was handed over stays in the company whose customers it is about."""
        for provider in self:
            if provider.handover_ids.company_id - provider.company_id:
                raise ValidationError(
                    self.env._("“%s” was given customers of its company: add it anew for another one.", provider.name)
                )

    # === ACTION METHODS === #

    def action_view_handovers(self):
        """Open what this provider was given."""
        self.ensure_one()
        return {
            **self.env["ir.actions.actions"]._for_xml_id("account_collection.collection_handover_action"),
            "domain": [("provider_id", "=", self.id)],
            "context": {"default_provider_id": self.id},
        }

    def action_view_account(self):
        """Open the figures to check this provider's invoices against."""
        self.ensure_one()
        return {
            **self.env["ir.actions.actions"]._for_xml_id("account_collection.collection_provider_account_action"),
            "domain": [("provider_id", "=", self.id)],
        }

    # === BUSINESS METHODS === #

    def _get_sent_columns(self):
        """Return which optional columns go out to this provider."""
        self.ensure_one()
        return {name.removeprefix("send_") for name in self._fields if name.startswith("send_") and self[name]}
