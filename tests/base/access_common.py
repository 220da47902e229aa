"""Reads the registry: our models, their rules and rights; and makes records of all of them."""

from collections import defaultdict
from itertools import count

from psycopg2.extras import Json

from odoo import fields
from odoo.fields import Command
from odoo.tests import new_test_user
from odoo.tools import SQL

from ..common import CollectionCommon
from .access_table import (
    BY_ME,
    COLLEAGUES,
    COMPANY,
    DIALOGUES,
    FOLLOWED,
    FOREIGN,
    MEMBER,
    MINE,
    MY_CASE,
    NOBODYS,
    OF_A_DEBTOR,
    OF_THEIR_AUTHOR,
    PAST_CASE,
    SHARED,
    SUPPLIERS,
    WITH_A_DEBTOR,
)


class AccessCommon(CollectionCommon):
    """Reads the registry: our models, their rules and rights."""

    @classmethod
    def _get_models(cls):
        """Return the names of the models that this addon defines and that hold records."""
        return sorted(
            name
            for name, model in cls.env.registry.items()
            if model._original_module == "account_collection" and not model._abstract
        )

    @classmethod
    def _get_own(cls, model):
        """Return the records of a model that came with this addon."""
        data = cls.env["ir.model.data"].search([("module", "=", "account_collection"), ("model", "=", model)])
        return cls.env[model].with_context(active_test=False).browse(data.mapped("res_id")).exists()

    @classmethod
    def _make_outsiders(cls):
        """Return the five users who have no role in Collections: ``{name: user}``."""
        groups = {
            "employee": "base.group_user",
            "salesperson": "base.group_user",
            "invoicing": "account.group_account_invoice",
            "portal": "base.group_portal",
            "public": "base.group_public",
        }
        if cls.env.ref("sales_team.group_sale_salesman", raise_if_not_found=False):
            groups["salesperson"] = "sales_team.group_sale_salesman"
        company = {"company_id": cls.company.id, "company_ids": [Command.set(cls.company.ids)]}
        outsiders = {
            name: new_test_user(cls.env, login=f"access_{name}", groups=group, **company)
            for name, group in groups.items()
        }
        cls.customer.user_id = outsiders["salesperson"]
        return outsiders


class AccessRecords(AccessCommon):
    """The rows of all models, made from their fields alone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.foreign_company = cls.setup_other_company(name="Moreau Belgique")["company"]
        cls.roles = {
            "solver": cls.solver,
            "collector": cls.collector,
            "team_user": cls.team_user,
            "manager": cls.manager,
        }
        # Texts of their own: some have to be unique.
        cls.numbers = count(1)
        # {model: {whose: record}}
        cls.records = defaultdict(dict)
        cls._make_debtors()
        for model in cls._get_models():
            for whose in cls._get_kinds(model):
                cls._get_record(model, whose)
        cls._make_other_records()
        cls.env.invalidate_all()

    # == Records ==

    @classmethod
    def _make_debtors(cls):
        """Make customers who owe something, and who follows them up."""
        cls.invoices = {}
        for whose in (*OF_A_DEBTOR, FOREIGN):
            partner = cls._create_customer(f"Customer {whose}")
            company = cls._get_company(whose)
            cls.invoices[whose] = cls._create_invoice(partner, amount=100, days_late=40, company=company)
        cls.invoices |= dict.fromkeys((COMPANY, SHARED, *DIALOGUES), cls.invoices[COLLEAGUES])
        for company in (cls.company, cls.foreign_company):
            cls._synchronize(company)
        for whose in (*OF_A_DEBTOR, FOREIGN):
            debtor = cls.env["collection.debtor"].search([("partner_id", "=", cls.invoices[whose].partner_id.id)])
            debtor.collector_id = {MINE: cls.collector, NOBODYS: False, FOREIGN: False}.get(whose, cls.other_collector)
            cls.records["collection.debtor"][whose] = debtor

    @classmethod
    def _get_company(cls, whose):
        return {FOREIGN: cls.foreign_company, SHARED: cls.env["res.company"]}.get(whose, cls.company)

    @classmethod
    def _get_kinds(cls, model):
        """Return whose records there are to be of a model."""
        if not cls.env[model]._auto:
            return ()
        if model in OF_THEIR_AUTHOR:
            return (*DIALOGUES, FOREIGN)
        if cls.env[model]._transient:
            return DIALOGUES
        names = cls.env[model]._fields
        if cls._leads_to_debtor(model):
            return (*OF_A_DEBTOR, FOREIGN)
        return (
            COMPANY,
            *([FOREIGN] if cls._leads_to_company(model) else []),
            *([SHARED] if "company_id" in names and not cls._is_company_required(model) else []),
            *(OF_A_DEBTOR if "debtor_id" in names else []),
        )

    @classmethod
    def _is_company_required(cls, model):
        field = cls.env[model]._fields["company_id"]
        return field.required or bool(field.related)

    @classmethod
    def _leads_to_company(cls, model, seen=()):
        """Return whether each record of a model is of one company, by itself or by what it belongs to."""
        if "company_id" in cls.env[model]._fields:
            return True
        return any(
            cls._leads_to_company(field.comodel_name, (*seen, model))
            for field in cls._get_owners(model)
            if field.comodel_name not in seen
        )

    @classmethod
    def _get_owners(cls, model):
        """Return the required fields that say to what each record of a model belongs: a record of ours, an entry."""
        return [
            field
            for field in cls.env[model]._fields.values()
            if field.type == "many2one"
            and field.store
            and field.required
            and field.comodel_name.startswith(("collection.", "account.move"))
        ]

    @classmethod
    def _leads_to_debtor(cls, model, seen=()):
        """Return whether each record of a model is about one debtor."""
        if model == "collection.debtor" or model in WITH_A_DEBTOR:
            return True
        return any(
            cls._leads_to_debtor(field.comodel_name, (*seen, model))
            for field in cls._get_owners(model)
            if field.comodel_name.startswith("collection.") and field.comodel_name not in seen
        )

    @classmethod
    def _get_record(cls, model, whose):
        """Return the record of a model, made with what its columns need and nothing else."""
        if whose in DIALOGUES and not cls.env[model]._transient and model not in OF_THEIR_AUTHOR:
            whose = COLLEAGUES
        records = cls.records[model]
        if whose not in records:
            kinds = cls._get_kinds(model)
            if whose not in kinds:
                # What belongs to a company only: a plan, a provider.
                return cls._get_record(model, FOREIGN if whose == FOREIGN and FOREIGN in kinds else COMPANY)
            records[whose] = None  # not again, when it leads back to itself
            records[whose] = cls._insert(model, whose)
        return records[whose]

    @classmethod
    def _insert(cls, model, whose):
        """Write a row with plain SQL: what guards states and amounts is none of this test's business."""
        values = {
            field.name: value
            for field in cls.env[model]._fields.values()
            if field.store and field.column_type and field.name != "id"
            if (value := cls._get_value(model, field, whose)) is not None
        }
        query = SQL(
            "INSERT INTO %s (%s) VALUES %s RETURNING id",
            SQL.identifier(cls.env[model]._table),
            SQL(", ").join(map(SQL.identifier, values)),
            tuple(values.values()),
        )
        return cls.env[model].browse(cls.env.execute_query(query)[0][0])

    @classmethod
    def _get_value(cls, model, field, whose):
        """Return what a row of a model gets in a column, ``None`` for nothing."""
        special = {
            ("collection.case", "state"): "closed" if whose == PAST_CASE else None,
            # The analysis of contacts and the account of providers show calls that were made.
            ("collection.action", "state"): "done",
            ("collection.action", "channel"): "call",
        }.get((model, field.name))
        if special:
            return special
        if field.type == "many2one":
            return cls._get_target(model, field, whose)
        if not field.required:
            return None
        if field.type == "selection":
            return field.get_values(cls.env)[0]
        value = {
            "char": f"x{next(cls.numbers)}",
            "text": "x",
            "html": "x",
            "integer": 1,
            "float": 1,
            "monetary": 1,
            "boolean": False,
            "date": cls.today,
            "datetime": fields.Datetime.now(),
        }[field.type]
        return Json({"en_US": value}) if field.translate else value

    @classmethod
    def _get_target(cls, model, field, whose):
        """Return the id of what a row points at."""
        invoice = cls.invoices[whose]
        company = cls._get_company(whose)
        if field.comodel_name == "res.users":
            return cls._get_user(model, field.name, whose).id or None
        if field.name == "company_id":
            return company.id or None
        if not field.required and (model, field.name) not in FOLLOWED:
            return None
        if field.name == "debtor_id" and whose in (COMPANY, SHARED):
            return None
        if field.comodel_name.startswith("collection."):
            record = cls._get_record(field.comodel_name, whose)
            return record.id if record else None
        known = {
            "account.move": invoice,
            "account.move.line": cls._get_items(invoice),
            "account.journal": invoice.journal_id,
            "account.account": cls._get_items(invoice).account_id,
            "res.company": company,
            "res.currency": invoice.currency_id,
            "res.partner": invoice.partner_id,
        }
        return (known.get(field.comodel_name) or cls.env[field.comodel_name].search([], limit=1)).id

    @classmethod
    def _get_user(cls, model, name, whose):
        """Return whose name stands on a row."""
        if name == "collector_id":
            return {
                MINE: cls.collector,
                MY_CASE: cls.collector,
                PAST_CASE: cls.collector,
                NOBODYS: cls.env["res.users"],
                FOREIGN: cls.env["res.users"],
            }.get(whose, cls.other_collector)
        if name == "owner_id":
            return cls.solver if whose in (BY_ME, FOREIGN) else cls.other_collector
        if whose in DIALOGUES and name == ("create_uid" if cls.env[model]._transient else "user_id"):
            return cls.roles[whose]
        return cls.collector if whose in (BY_ME, FOREIGN) and name == "user_id" else cls.other_collector

    @classmethod
    def _make_other_records(cls):
        """Make what no row of ours stands for: the analyses, and documents of the ledger."""
        records = cls.records
        for whose in (*OF_A_DEBTOR, FOREIGN):
            action = records["collection.action"][whose]
            records["collection.item.report"][whose] = cls._get_items(cls.invoices[whose]).id
            records["collection.action.report"][whose] = action.id
            records["collection.provider.account"][whose] = action.id * 4
        for model in ("collection.item.report", "collection.action.report", "collection.provider.account"):
            records[model] = {whose: cls.env[model].browse(number) for whose, number in records[model].items()}
        records["collection.campaign"][MEMBER] = cls._create_campaign(
            by=cls.manager, member_ids=[Command.set(cls.collector.ids)]
        )
        bill = cls._create_invoice(amount=10, move_type="in_invoice")
        payments = cls._pay_on_account(amount=1) + cls._pay_on_account(amount=1)
        payments[1].action_draft()
        payments[1].partner_type = "supplier"
        records["account.move"] = {COMPANY: cls.invoices[MINE], SUPPLIERS: bill}
        records["account.move.line"] = {COMPANY: cls.invoices[MINE].line_ids[0], SUPPLIERS: bill.line_ids[0]}
        records["account.payment"] = {COMPANY: payments[0], SUPPLIERS: payments[1]}
