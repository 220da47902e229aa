"""Who may do what, over all models of the registry: a new model, rule or right is held against what stands here."""

from collections import defaultdict
from itertools import count

from psycopg2.extras import Json

from odoo import fields
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL

from ..common import CollectionCommon

OPERATIONS = {"r": "read", "w": "write", "c": "create", "d": "unlink"}

# What each role may do with a model at all: dispute owner, own cases, all cases, administrator.
# Nobody else may do anything with a model of ours.
ACCESS = {
    "collection.action": ("", "rwcd", "rwcd", "rwcd"),
    "collection.action.item": ("", "r", "r", "r"),
    "collection.action.report": ("", "r", "r", "r"),
    "collection.call.log": ("", "rwcd", "rwcd", "rwcd"),
    "collection.campaign": ("", "r", "rwcd", "rwcd"),
    "collection.case": ("", "rw", "rw", "rw"),
    "collection.case.close": ("", "rwcd", "rwcd", "rwcd"),
    "collection.case.item": ("", "r", "r", "r"),
    "collection.criterion": ("", "r", "r", "rwcd"),
    "collection.criterion.band": ("", "r", "r", "rwcd"),
    "collection.debtor": ("", "rw", "rw", "rwd"),
    "collection.debtor.export": ("", "r", "r", "r"),
    "collection.debtor.why": ("", "rwcd", "rwcd", "rwcd"),
    "collection.dispute": ("rw", "rwc", "rwc", "rwc"),
    "collection.dispute.line": ("r", "rwc", "rwc", "rwc"),
    "collection.dispute.open": ("", "rwcd", "rwcd", "rwcd"),
    "collection.dispute.open.line": ("", "rwcd", "rwcd", "rwcd"),
    "collection.handover": ("", "", "rwc", "rwc"),
    "collection.handover.create": ("", "", "rwcd", "rwcd"),
    "collection.handover.item": ("", "", "r", "r"),
    "collection.handover.line": ("", "", "r", "r"),
    "collection.item.report": ("", "r", "r", "r"),
    "collection.letter.post": ("", "rwcd", "rwcd", "rwcd"),
    "collection.pause": ("", "r", "r", "r"),
    "collection.pause.set": ("", "rwcd", "rwcd", "rwcd"),
    "collection.plan": ("", "r", "r", "rwcd"),
    "collection.plan.simulation": ("", "rwcd", "rwcd", "rwcd"),
    "collection.plan.simulation.line": ("", "rd", "rd", "rd"),
    "collection.plan.simulation.step": ("", "rwcd", "rwcd", "rwcd"),
    "collection.plan.start": ("", "", "", "rwcd"),
    "collection.plan.step": ("", "r", "r", "rwcd"),
    "collection.promise": ("", "rwc", "rwc", "rwc"),
    "collection.promise.line": ("", "rwc", "rwc", "rwc"),
    "collection.promise.plan": ("", "r", "r", "r"),
    "collection.promise.record": ("", "rwcd", "rwcd", "rwcd"),
    "collection.promise.record.line": ("", "rwcd", "rwcd", "rwcd"),
    "collection.provider": ("", "r", "r", "rwcd"),
    "collection.provider.account": ("", "", "r", "r"),
    "collection.provider.import": ("", "", "rwcd", "rwcd"),
    "collection.provider.import.column": ("", "", "rwcd", "rwcd"),
    "collection.provider.import.line": ("", "", "r", "r"),
    "collection.provider.statement": ("", "", "r", "r"),
    "collection.quiet.period": ("", "rwcd", "rwcd", "rwcd"),
    "collection.reason": ("r", "r", "r", "rwcd"),
    "collection.receivable.batch": ("", "", "", "rwcd"),
    "collection.receivable.column": ("", "", "", "rw"),
    "collection.receivable.line": ("", "", "", "r"),
    "collection.refresh.queue": ("", "", "", "r"),
    "collection.reminder.send": ("", "rwcd", "rwcd", "rwcd"),
    "collection.score.history": ("", "r", "r", "r"),
    "collection.score.tuning": ("", "", "", "rwcd"),
    "collection.score.tuning.line": ("", "", "", "rwcd"),
    "collection.snapshot": ("", "", "r", "r"),
    "collection.statement": ("", "r", "r", "r"),
    "collection.statement.print": ("", "rwcd", "rwcd", "rwcd"),
    "collection.step.preview": ("", "rwcd", "rwcd", "rwcd"),
    "collection.suspended.item": ("", "", "", "r"),
}

# == Whose records there are of each model ==
# In the users' company, by the debtor that they are about:
MINE = "of the collector's debtor"
NOBODYS = "of nobody's debtor"
COLLEAGUES = "of a colleague's debtor"
MY_CASE = "of a colleague's debtor with a case of the collector"
PAST_CASE = "of a colleague's debtor with a closed case of the collector"
BY_ME = "of a colleague's debtor, written by the collector or given to the dispute owner"
OF_A_DEBTOR = (MINE, NOBODYS, COLLEAGUES, MY_CASE, PAST_CASE, BY_ME)
# In the users' company, of no debtor; in another company; and in none.
COMPANY = "of the company"
FOREIGN = "of another company"
SHARED = "of all companies"
# Dialogues, by the role of the one who opened them.
DIALOGUES = ("collector", "team_user", "manager")
# A campaign with the collector in its team.
MEMBER = "of the collector's team"
# Documents of suppliers in the users' company.
SUPPLIERS = "of a supplier"

# What users with own cases see of a model with a debtor, and what they see of one without.
TO_COLLECTOR = {MINE, NOBODYS, MY_CASE, COMPANY, SHARED}

# Where the collector's name on the record itself opens it, whosever the debtor is.
OPEN_TO_AUTHOR = {
    "collection.action",
    "collection.action.item",
    "collection.action.report",
    "collection.dispute",
    "collection.dispute.line",
    "collection.pause",
    "collection.promise",
    "collection.promise.line",
    "collection.promise.plan",
    "collection.statement",
}

# What the collector sees where neither holds.
COLLECTOR_SEES = {
    # A case is its collector's, closed or not, whosever the debtor is.
    "collection.case": {MINE, NOBODYS, MY_CASE, PAST_CASE},
    "collection.case.item": {MINE, NOBODYS, MY_CASE, PAST_CASE},
    # A campaign is its people's.
    "collection.campaign": {MINE, NOBODYS, MY_CASE, PAST_CASE, BY_ME, MEMBER},
}

# Who sees less of a model for some of the operations.
NARROWER = {
    # Days on which nobody at all is written to are the administrators'.
    ("collection.quiet.period", "collector", "wcd"): {COMPANY, SHARED},
    ("collection.quiet.period", "team_user", "wcd"): {COMPANY, SHARED},
}

# Models whose records are those of one debtor without a required field that says so.
WITH_A_DEBTOR = {"collection.campaign"}

# Optional fields that the rules look at.
FOLLOWED = {
    ("collection.quiet.period", "debtor_id"),
    ("collection.promise", "plan_id"),
    ("collection.action", "partner_id"),
    ("collection.action", "provider_id"),
}

# Rules that hold nothing back which is not held back elsewhere, and where.
DOUBLE = {
    "collection_item_report_rule_company": "the analysis reads the companies of the user only",
    "collection_action_report_rule_company": "the analysis reads the companies of the user only",
}
# Reading that the rule for reading opens already.
READ_ANYWAY = {
    "collection_quiet_period_rule_user",
    "collection_quiet_period_rule_team",
    "collection_quiet_period_rule_manager",
}


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


@tagged("post_install", "-at_install")
class TestAccessRights(AccessCommon):
    """The table of rights, line by line."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.roles = (cls.solver, cls.collector, cls.team_user, cls.manager)

    def _get_access(self, model):
        """Return what the four roles may do with a model, as the table says it."""
        return tuple(
            "".join(
                letter
                for letter, operation in OPERATIONS.items()
                if self.env[model].with_user(role).has_access(operation)
            )
            for role in self.roles
        )

    def test_every_model(self):
        """Each role may do with each model what the table says, and a model that the table lacks fails."""
        access = {model: self._get_access(model) for model in self._get_models()}
        self.assertEqual(access, {model: ACCESS.get(model) for model in access})

    def test_nobody_else(self):
        """Accounting, sales or a portal open nothing of ours."""
        groups = ("base.group_user", "account.group_account_manager", "base.group_portal", "base.group_public")
        for number, group in enumerate(groups):
            user = new_test_user(self.env, login=f"outsider{number}", groups=group)
            for model in self._get_models():
                for operation in OPERATIONS.values():
                    with self.subTest(group=group, model=model, operation=operation):
                        self.assertFalse(self.env[model].with_user(user).has_access(operation))

    def test_the_ledger_is_read_only(self):
        """None of our roles changes anything that belongs to accounting."""
        for right in self._get_own("ir.model.access").filtered(lambda right: right.model_id.model not in ACCESS):
            with self.subTest(model=right.model_id.model):
                owner, *others = self._get_access(right.model_id.model)
                self.assertEqual(others, ["r", "r", "r"])
                self.assertIn(owner, ("", "r"), "as every employee")

    def test_every_right_is_noticed(self):
        """A right that somebody turns, in whatever line of the table of rights, fails one of the tests above."""
        for right in self._get_own("ir.model.access"):
            model = right.model_id.model
            before = self._get_access(model)
            for operation in OPERATIONS.values():
                name = f"perm_{operation}"
                if self._is_double(right, name):
                    continue
                with self.subTest(right=right.name, turned=name):
                    right[name] = not right[name]
                    self.assertNotEqual(self._get_access(model), before)
                    right[name] = not right[name]

    def _is_double(self, right, name):
        """Return whether the group of a right has the permission by another line, of its own or one it implies."""
        others = self.env["ir.model.access"].search(
            [("model_id", "=", right.model_id.id), ("id", "!=", right.id), (name, "=", True)]
        )
        return any(not other.group_id or other.group_id in right.group_id.all_implied_ids for other in others)


@tagged("post_install", "-at_install")
class TestAccessRules(AccessCommon):
    """Whose records each role sees and changes. The rows of all models are made from their fields alone."""

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
    def _leads_to_company(cls, model):
        return "company_id" in cls.env[model]._fields

    @classmethod
    def _leads_to_debtor(cls, model, seen=()):
        """Return whether each record of a model is about one debtor."""
        if model == "collection.debtor" or model in WITH_A_DEBTOR:
            return True
        return any(
            cls._leads_to_debtor(field.comodel_name, (*seen, model))
            for field in cls.env[model]._fields.values()
            if field.type == "many2one"
            and field.store
            and field.required
            and field.comodel_name.startswith("collection.")
            and field.comodel_name not in seen
        )

    @classmethod
    def _get_record(cls, model, whose):
        """Return the record of a model, made with what its columns need and nothing else."""
        if whose in DIALOGUES and not cls.env[model]._transient:
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
        if cls.env[model]._transient and name == "create_uid":
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

    # == What should be seen, and what is ==

    def _get_expected(self, model, role, letter):
        """Return whose records of a model a role may read, write, make or delete."""
        records = self.records[model]
        if self.env[model]._transient:
            return {role}
        seen = set(records) - {FOREIGN, SUPPLIERS}
        if role == "solver" and "dispute" in model:
            seen &= {BY_ME}
        elif role == "collector":
            own = {BY_ME} if model in OPEN_TO_AUTHOR else set()
            seen &= COLLECTOR_SEES.get(model, TO_COLLECTOR | own)
        for (narrow_model, narrow_role, letters), without in NARROWER.items():
            if model == narrow_model and role == narrow_role and letter in letters:
                seen -= without
        return seen

    def _get_seen(self, model, role, letter):
        """Return whose records of a model a role gets hold of: by their ids, and by a search."""
        records = self.records[model]
        Model = self.env[model].with_user(self.roles[role]).with_context(active_test=False)
        candidates = Model.browse([record.id for record in records.values()])
        hold = set()
        if letter == "r":
            hold.update(Model.search([("id", "in", candidates.ids)])._ids)
        if Model._auto:  # a row of an analysis can't be missing from it and asked for
            hold.update(candidates._filtered_access(OPERATIONS[letter])._ids)
        return {whose for whose, record in records.items() if record.id in hold}

    def _get_faults(self, model, letters="rwcd"):
        """Return what the rules of a model let through or hold back against what is said above."""
        faults = []
        for role, user in self.roles.items():
            for letter in letters:
                operation = OPERATIONS[letter]
                if not self.env[model].with_user(user).has_access(operation):
                    continue
                expected, seen = self._get_expected(model, role, letter), self._get_seen(model, role, letter)
                faults += [f"{role} may {operation} what is {whose}" for whose in sorted(seen - expected)]
                faults += [f"{role} may not {operation} what is {whose}" for whose in sorted(expected - seen)]
        return faults

    def test_every_model(self):
        """Nobody reads, changes, makes or deletes what is not theirs, and everybody what is."""
        for model in sorted(self.records):
            with self.subTest(model=model):
                self.assertEqual(self._get_faults(model), [])

    def test_there_are_records_of_every_model(self):
        self.assertEqual(sorted(set(self._get_models()) - set(self.records)), [])

    def test_every_rule_is_noticed(self):
        """A rule that is widened, narrowed to nothing or taken away fails the test above."""
        for rule in self._get_own("ir.rule"):
            name = rule.get_external_id()[rule.id].partition(".")[2]
            model = rule.model_id.model
            for change in ({"domain_force": "[(1, '=', 1)]"}, {"domain_force": "[(0, '=', 1)]"}, {"active": False}):
                before = {field: rule[field] for field in change}
                if before == change or (name in DOUBLE and change != {"domain_force": "[(0, '=', 1)]"}):
                    continue
                with self.subTest(rule=name, change=change):
                    rule.write(change)
                    self.assertTrue(self._get_faults(model), "nobody notices")
                rule.write(before)

    def test_every_operation_of_a_rule_is_noticed(self):
        """A rule that holds for another operation, or no longer for one, fails the test above."""
        for rule in self._get_own("ir.rule"):
            name = rule.get_external_id()[rule.id].partition(".")[2]
            for letter, operation in OPERATIONS.items():
                if not self._is_turnable(rule, name, operation):
                    continue
                perm = f"perm_{operation}"
                with self.subTest(rule=name, turned=perm):
                    rule[perm] = not rule[perm]
                    self.assertTrue(self._get_faults(rule.model_id.model, letter), "nobody notices")
                rule[perm] = not rule[perm]

    def _is_turnable(self, rule, name, operation):
        """Return whether it makes a difference to somebody that a rule holds for an operation."""
        if name in DOUBLE or (name in READ_ANYWAY and operation == "read"):
            return False
        if not any(rule[f"perm_{other}"] for other in OPERATIONS.values() if other != operation):
            return False  # Odoo asks for one
        # Roles that imply another one's have wider rules of their own.
        return any(
            self.env[rule.model_id.model].with_user(user).has_access(operation)
            and (not rule.groups or rule.groups & user.group_ids)
            for user in self.roles.values()
        )
