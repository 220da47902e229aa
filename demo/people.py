"""Who works at Ateliers Moreau, and the customers with the persons to ask for."""

import re
import unicodedata

from odoo.fields import Command

from .companies import remember
from .customers import BELGIAN_COMPANY_CUSTOMERS, FRENCH_COMPANY_CUSTOMERS

_COLLECTION = "account_collection.group_collection_"
# login: name, job, language, groups
_USERS = {
    "camille": ("Camille Laurent", "Credit controller", "fr_FR", (f"{_COLLECTION}team",)),
    "hugo": ("Hugo Bernard", "Receivables clerk", "fr_FR", (f"{_COLLECTION}user",)),
    "sophie": (
        "Sophie Moreau",
        "Chief financial officer",
        "en_US",
        (f"{_COLLECTION}manager", "account.group_account_manager"),
    ),
    "nadia": ("Nadia Petit", "Logistics manager", "fr_FR", (f"{_COLLECTION}dispute_owner",)),
    "julien": ("Julien Faure", "Salesperson", "fr_FR", ()),
    "elise": ("Élise Chevallier", "Salesperson", "fr_FR", ()),
}
_STREETS = (
    "rue de la République",
    "avenue Jean Jaurès",
    "rue des Alliés",
    "rue Pasteur",
    "chemin des Vignes",
    "place du Marché",
    "boulevard de l'Europe",
    "rue Victor Hugo",
    "route de Grenoble",
    "rue du Moulin",
)
_FOREIGN_STREETS = {
    "DE": "Industriestraße 14",
    "GB": "22 Harbourside Walk",
    "IE": "5 Dock Road",
    "US": "214 Varick Street",
    "ES": "Carrer del Nord 31",
    "IT": "Via dei Fabbri 9",
    "BE": "Rue de la Station 48",
}
# Numbers that regulators keep for fiction; none where there is no such range.
_PHONES = {
    "FR": "+33 4 65 71 {a:02} {b:02}",
    "GB": "+44 117 496 0{c:03}",
    "IE": "+353 20 91{c:03}24",
    "DE": "+49 30 23125 {c:03}",
    "US": "+1 212-555-01{a:02}",
}
_MOBILES = {"FR": "+33 6 39 98 {b:02} {a:02}"}


def _slug(text):
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text).strip("-")


class People:
    def __init__(self, env, companies):
        self.env = env
        self.companies = companies
        self.languages = {code for code, _name in env["res.lang"].get_installed()}
        self.users = {login: self._create_user(login, *values) for login, values in _USERS.items()}
        self.customers, self.contacts = {}, {}
        for number, customer in enumerate(FRENCH_COMPANY_CUSTOMERS + BELGIAN_COMPANY_CUSTOMERS):
            if customer.key not in self.customers:
                self._create_customer(number, customer)
        # Who solves what the customers contest.
        for code in ("delivery", "quantity", "quality", "order_missing"):
            env.ref(f"account_collection.collection_reason_{code}").owner_id = self.users["nadia"]
        for code in ("price", "commercial", "duplicate"):
            env.ref(f"account_collection.collection_reason_{code}").owner_id = self.users["sophie"]

    def _language(self, code):
        return code if code in self.languages else "en_US"

    def _create_user(self, login, name, function, language, groups):
        user = self.env["res.users"].create(
            {
                "name": name,
                "login": login,
                "password": login,
                "email": f"{login}@ateliers-moreau.example",
                "lang": self._language(language),
                "tz": "Europe/Paris",
                "company_id": self.companies.french.id,
                "company_ids": [Command.set(self.companies.all.ids)],
                "group_ids": [Command.set([self.env.ref(group).id for group in ("base.group_user", *groups)])],
            }
        )
        user.partner_id.function = function
        return remember(self.env, f"demo_user_{login}", user)

    def _create_customer(self, number, customer):
        country = self.env.ref(f"base.{'uk' if customer.country == 'GB' else customer.country.lower()}")
        language = self._language("fr_FR" if customer.country in ("FR", "BE") else "en_US")
        domain = f"{_slug(customer.name)[:32].strip('-')}.example"
        digits = {"a": (number * 37) % 100, "b": (number * 53 + 11) % 100, "c": (number * 71) % 1000}
        shared = {"lang": language, "company_id": False}
        partner = self.env["res.partner"].create(
            {
                **shared,
                "name": customer.name,
                "ref": f"C{1001 + number}",
                "is_company": True,
                "customer_rank": 1,
                "street": _FOREIGN_STREETS.get(
                    customer.country, f"{number * 7 % 90 + 1} {_STREETS[number % len(_STREETS)]}"
                ),
                "zip": customer.zip,
                "city": customer.city,
                "country_id": country.id,
                "phone": _PHONES.get(customer.country, "").format(**digits) or False,
                "email": f"contact@{domain}",
                "collection_company_size": customer.size,
                "user_id": self.users["julien" if number % 2 else "elise"].id,
            }
        )
        phones = _MOBILES if customer.size in ("micro", "sme") else _PHONES
        contact = self.env["res.partner"].create(
            {
                **shared,
                "name": customer.contact,
                "parent_id": partner.id,
                "type": "contact",
                "function": customer.function,
                "email": f"{_slug(customer.contact).replace('-', '.')}@{domain}",
                "phone": phones.get(customer.country, _PHONES.get(customer.country, "")).format(**digits) or False,
            }
        )
        self.customers[customer.key] = remember(self.env, f"demo_customer_{customer.key}", partner)
        self.contacts[partner] = contact
