"""The two companies of the demo data, each with its chart of accounts, its bank and the rates it uses."""

from dateutil.relativedelta import relativedelta

from odoo import fields
from odoo.fields import Command


def remember(env, name, record):
    """Give a record an external id, kept on updates of the addon."""
    env["ir.model.data"]._update_xmlids([{"xml_id": f"account_collection.{name}", "record": record, "noupdate": True}])
    return record


class Companies:
    def __init__(self, env):
        self.env = env
        self.french = self._create(
            "demo_company",
            "fr",
            {
                "name": "Ateliers Moreau",
                "street": "18 rue des Frères Lumière",
                "zip": "69008",
                "city": "Lyon",
                "country_id": env.ref("base.fr").id,
                "phone": "+33 4 65 71 20 10",
                "email": "compta@ateliers-moreau.example",
                "website": "https://www.ateliers-moreau.example",
                "vat": "FR06010203040",
                "company_registry": "01020304000018",
                "collection_banner": "words",
            },
        )
        self.belgian = self._create(
            "demo_company_belgium",
            "be",
            {
                "name": "Moreau Belgique",
                "street": "Rue des Forgerons 7",
                "zip": "5000",
                "city": "Namur",
                "country_id": env.ref("base.be").id,
                "email": "compta@moreau-belgique.example",
                "website": "https://www.moreau-belgique.example",
            },
        )
        self.all = self.french + self.belgian
        self._make_default_for_admin()

    def _create(self, name, chart, values):
        # In ``install_mode`` a new company installs no other addons for its country. Its web site comes later:
        # other addons would look it up on the Internet.
        Company = self.env["res.company"].with_context(install_mode=True)
        basics = {name: values.pop(name) for name in ("name", "country_id")}
        company = Company.create({**basics, "currency_id": self._currency("EUR").id}).with_env(self.env)
        company.write(values)
        company.partner_id.tz = "Europe/Brussels" if chart == "be" else "Europe/Paris"
        remember(self.env, name, company)
        ChartTemplate = self.env["account.chart.template"]
        known = ChartTemplate._get_chart_template_mapping()
        # ``try_loading`` warns while addons are being installed, which is when demo data is loaded.
        installed = known.get(chart, {}).get("installed")
        ChartTemplate._load(chart if installed else "generic_coa", company, False)
        # A generic chart may have set another currency.
        if company.currency_id != self._currency("EUR"):
            company.currency_id = self._currency("EUR")
        self._prepare_bank(company)
        self._prepare_rates(company)
        return company

    def _currency(self, name):
        currency = self.env.ref(f"base.{name}")
        if not currency.active:
            currency.active = True
        return currency

    def _prepare_bank(self, company):
        """Let money go straight to the bank account: an invoice is paid when its payment is posted."""
        bank = self.env["account.journal"].search([("type", "=", "bank"), ("company_id", "=", company.id)], limit=1)
        bank.inbound_payment_method_line_ids.payment_account_id = bank.default_account_id

    def _prepare_rates(self, company):
        """Give the dollar a rate each quarter, that wanders a little."""
        start = fields.Date.today() - relativedelta(months=26)
        rates = (1.08, 1.07, 1.09, 1.11, 1.10, 1.08, 1.12, 1.14, 1.13)
        dollar, euro = self._currency("USD"), self._currency("EUR")
        self.env["res.currency.rate"].create(
            [
                {"name": start, "currency_id": euro.id, "company_id": company.id, "rate": 1.0},
                *(
                    {
                        "name": start + relativedelta(months=3 * number),
                        "currency_id": dollar.id,
                        "company_id": company.id,
                        "rate": rate,
                    }
                    for number, rate in enumerate(rates)
                ),
            ]
        )

    def _make_default_for_admin(self):
        admin = self.env.ref("base.user_admin")
        admin.write(
            {
                "company_ids": [Command.link(company.id) for company in self.all],
                "company_id": self.french.id,
            }
        )
        self.env.ref("base.user_root").company_ids = [Command.link(company.id) for company in self.all]
