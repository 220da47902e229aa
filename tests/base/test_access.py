"""Who may do what, over all models of the registry: a new model, rule or right is held against ``access_table``."""

from odoo.fields import Domain
from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from .access_common import AccessCommon, AccessRecords
from .access_table import (
    ACCESS,
    BY_ME,
    COLLECTOR_SEES,
    DOUBLE,
    FOREIGN,
    NARROWER,
    OF_THEIR_AUTHOR,
    OPEN_TO_AUTHOR,
    OPERATIONS,
    READ_ANYWAY,
    SUPPLIERS,
    TO_COLLECTOR,
)

# Fields that lead to another company's record by nature, each with its reason.
COMPANIES_MAY_DIFFER = {}


@tagged("post_install", "-at_install")
class TestAccessRights(AccessCommon):
    """The table of rights, line by line."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.roles = (cls.solver, cls.collector, cls.team_user, cls.manager)
        cls.outsiders = cls._make_outsiders()
        cls.own_rights = cls._get_own("ir.model.access")
        Right = cls.env["ir.model.access"].sudo()
        cls.rights = Right.search([("model_id", "in", cls.own_rights.model_id.ids)]).grouped(
            lambda right: right.model_id.model
        )

    def _get_access(self, model, users=None):
        """Return what users, the four roles by default, may do with a model."""
        return tuple(
            "".join(
                letter
                for letter, operation in OPERATIONS.items()
                if self.env[model].with_user(user).has_access(operation)
            )
            for user in users or self.roles
        )

    def _work_out_access(self, model, users, turned=None, permissions=(), group=None, without=()):
        """Return what ``_get_access`` would, had a line of the table of rights other permissions, or another group.

        :param turned: the line.
        :param permissions: its letters that are turned.
        :param group: its group instead, an empty record for everybody.
        :param without: lines that are left out.
        """
        access = []
        for user in users:
            letters = set()
            for right in self.rights.get(model, ()):
                held_by = group if right == turned and group is not None else right.group_id
                if right in without or (held_by and held_by not in user.all_group_ids):
                    continue
                own = {letter for letter, operation in OPERATIONS.items() if right[f"perm_{operation}"]}
                letters |= own ^ set(permissions) if right == turned else own
            access.append("".join(letter for letter in OPERATIONS if letter in letters))
        return tuple(access)

    def test_every_model(self):
        """Each role may do with each model what the table says, and a model that the table lacks fails."""
        access = {model: self._get_access(model) for model in self._get_models()}
        self.assertEqual(access, {model: ACCESS.get(model) for model in access})
        self.assertEqual(sorted(ACCESS), self._get_models())

    def test_nobody_else(self):
        """Accounting, sales or a portal open nothing of ours."""
        for model in self._get_models():
            with self.subTest(model=model):
                self.assertEqual(self._get_access(model, self.outsiders.values()), ("",) * 5)

    def test_the_ledger_is_read_only(self):
        """None of our roles changes anything that belongs to accounting, and nobody else reads more of it."""
        for model, rights in self.own_rights.grouped(lambda right: right.model_id.model).items():
            if model in ACCESS:
                continue
            with self.subTest(model=model):
                owner, *others = self._get_access(model)
                self.assertEqual(others, ["r", "r", "r"])
                self.assertIn(owner, ("", "r"), "as every employee")
                outsiders = self.outsiders.values()
                without_us = self._work_out_access(model, outsiders, without=rights)
                self.assertEqual(self._get_access(model, outsiders), without_us)

    def test_reconciliations_need_no_right(self):
        """They are read for the users, after what they may see: nobody lists those of other companies."""
        for model in ("account.partial.reconcile", "account.full.reconcile"):
            self.assertEqual(self._get_access(model), ("",) * 4)

    def test_every_right_is_noticed(self):
        """A right that somebody turns, takes away or gives to others fails one of the tests above."""
        everybody = (*self.roles, *self.outsiders.values())
        groups = [self.env.ref(f"base.group_{name}") for name in ("user", "portal", "public")] + [
            self.env["res.groups"]
        ]
        for right in self.own_rights:
            model = right.model_id.model
            before = self._work_out_access(model, everybody)
            self.assertEqual(before, self._get_access(model, everybody), "worked out as Odoo does")
            for letter, operation in OPERATIONS.items():
                if not self._is_double(right, f"perm_{operation}"):
                    with self.subTest(right=right.name, turned=operation):
                        self.assertNotEqual(self._work_out_access(model, everybody, right, letter), before)
            for group in groups:
                with self.subTest(right=right.name, group=group.name):
                    after = self._work_out_access(model, everybody, right, group=group)
                    self.assertTrue(after != before or self._is_known_to_all(model, group), "nobody notices")

    def _is_double(self, right, name):
        """Return whether the group of a right has the permission by another line, of its own or one it implies."""
        return any(
            other[name] and (not other.group_id or other.group_id in right.group_id.all_implied_ids)
            for other in self.rights[right.model_id.model] - right
        )

    def _is_known_to_all(self, model, group):
        """Return whether Odoo lets a group read a model of accounting already."""
        return any(
            right.perm_read and (not right.group_id or right.group_id == group)
            for right in self.rights[model] - self.own_rights
        )


@tagged("post_install", "-at_install")
class TestAccessRules(AccessRecords):
    """Whose records each role sees and changes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # {(model, role): whether each operation is allowed at all}
        cls.allowed = {}
        # {(rule, role): ids of the records that meet its conditions}
        cls.matching = {}
        Rule = cls.env["ir.rule"].sudo()
        cls.own_rules = cls._get_own("ir.rule")
        # {model: [(rule, groups, letters, domain)]}
        cls.rules = {}
        for rule in Rule.search([("model_id.model", "in", list(cls.records))]):
            letters = {letter for letter, operation in OPERATIONS.items() if rule[f"perm_{operation}"]}
            known = (rule, rule.groups, letters, rule.domain_force)
            cls.rules.setdefault(rule.model_id.model, []).append(known)

    # == What should be seen, and what is ==

    def _get_expected(self, model, role, letter):
        """Return whose records of a model a role may read, write, make or delete."""
        records = self.records[model]
        if self.env[model]._transient or model in OF_THEIR_AUTHOR:
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

    def _may_at_all(self, model, role):
        """Return the letters of what a role may do with a model at all."""
        if (model, role) not in self.allowed:
            Model = self.env[model].with_user(self.roles[role])
            self.allowed[model, role] = {
                letter for letter, operation in OPERATIONS.items() if Model.has_access(operation)
            }
        return self.allowed[model, role]

    def _work_out_seen(self, model, role, letter, rules):
        """Return what ``_get_seen`` would under these rules: all common ones, and one of those of the role's groups."""
        candidates = {record.id: whose for whose, record in self.records[model].items()}
        seen, opened, groups = set(candidates), set(), self.roles[role].all_group_ids
        is_held_back = False
        for rule, held_by, letters, domain in rules:
            if letter not in letters:
                continue
            if not held_by:
                seen &= self._get_matching(model, rule, role, domain)
            elif held_by & groups:
                is_held_back = True
                opened |= self._get_matching(model, rule, role, domain)
        return {candidates[record_id] for record_id in (seen & opened if is_held_back else seen)}

    def _get_matching(self, model, rule, role, domain):
        """Return the ids of the records of a model that meet the conditions of a rule."""
        if (rule, role, domain) not in self.matching:
            user = self.roles[role]
            context = self.env["ir.rule"].with_user(user)._eval_context()
            records = Domain("id", "in", [record.id for record in self.records[model].values()])
            Model = self.env[model].with_user(user).sudo().with_context(active_test=False)
            found = Model.search(records & Domain(safe_eval(domain, context) if domain else []))
            self.matching[rule, role, domain] = set(found._ids)
        return self.matching[rule, role, domain]

    def _get_faults(self, model, get_seen, letters="rwcd"):
        """Return what the rules of a model let through or hold back against what is said above.

        :param get_seen: what says whose records a role gets hold of: ``get_seen(role, letter)``.
        """
        faults = []
        for role in self.roles:
            for letter in letters:
                if letter not in self._may_at_all(model, role):
                    continue
                expected, seen = self._get_expected(model, role, letter), get_seen(role, letter)
                faults += [f"{role} may {OPERATIONS[letter]} what is {whose}" for whose in sorted(seen - expected)]
                faults += [f"{role} may not {OPERATIONS[letter]} what is {whose}" for whose in sorted(expected - seen)]
        return faults

    def _is_noticed(self, rule, operations="rwcd", **changes):
        """Return whether a change of a rule fails the test of its model.

        :param changes: ``groups``, ``letters`` or ``domain`` of the rule instead; ``gone`` without it.
        """
        model = rule.model_id.model
        rules = []
        for known in self.rules[model]:
            if known[0] != rule:
                rules.append(known)
            elif not changes.get("gone"):
                before = dict(zip(("rule", "groups", "letters", "domain"), known, strict=True))
                rules.append(tuple({**before, **changes}.values()))
        return bool(
            self._get_faults(model, lambda role, letter: self._work_out_seen(model, role, letter, rules), operations)
        )

    def test_every_model(self):
        """Nobody reads, changes, makes or deletes what is not theirs, and everybody what is."""
        for model in sorted(self.records):
            with self.subTest(model=model):
                self.assertEqual(
                    self._get_faults(model, lambda role, letter, model=model: self._get_seen(model, role, letter)), []
                )

    def test_there_are_records_of_every_model(self):
        self.assertEqual(sorted(set(self._get_models()) - set(self.records)), [])

    def test_what_one_sees_has_a_name(self):
        """Whoever may read a record may read its name: a link, an export or a list refuses nobody."""
        for model in sorted(self.records):
            for role, user in self.roles.items():
                if "r" in self._may_at_all(model, role):
                    with self.subTest(model=model, role=role):
                        Model = self.env[model].with_user(user).with_context(active_test=False)
                        records = [record.id for record in self.records[model].values()]
                        Model.search([("id", "in", records)]).read(["display_name"])

    def test_every_rule_is_noticed(self):
        """A rule that is widened, narrowed to nothing, taken away or given to everybody fails the test above."""
        for model in sorted(self.records):
            rules = self.rules.get(model, ())
            self.assertEqual(
                self._get_faults(
                    model,
                    lambda role, letter, model=model, rules=rules: self._work_out_seen(model, role, letter, rules),
                ),
                [],
                "worked out as Odoo does",
            )
        for rule in self.own_rules:
            name = rule.get_external_id()[rule.id].partition(".")[2]
            changes = [{"domain": "[(0, '=', 1)]"}]
            if name not in DOUBLE:
                changes.append({"gone": True})
                if rule.domain_force != "[(1, '=', 1)]":
                    changes.append({"domain": "[(1, '=', 1)]"})
            for change in changes:
                with self.subTest(rule=name, change=change):
                    self.assertTrue(self._is_noticed(rule, **change), "nobody notices")

    def test_every_operation_of_a_rule_is_noticed(self):
        """A rule that holds for another operation, or no longer for one, fails the test above."""
        for rule in self.own_rules:
            name = rule.get_external_id()[rule.id].partition(".")[2]
            letters = {letter for letter, operation in OPERATIONS.items() if rule[f"perm_{operation}"]}
            for letter, operation in OPERATIONS.items():
                if self._is_turnable(rule, name, letter, letters):
                    with self.subTest(rule=name, turned=operation):
                        self.assertTrue(self._is_noticed(rule, letter, letters=letters ^ {letter}), "nobody notices")

    def _is_turnable(self, rule, name, letter, letters):
        """Return whether it makes a difference to somebody that a rule holds for an operation."""
        if name in DOUBLE or (name in READ_ANYWAY and letter == "r"):
            return False
        if not letters - {letter}:
            return False  # Odoo asks for one
        # Roles that imply another one's have wider rules of their own.
        return any(
            letter in self._may_at_all(rule.model_id.model, role) and (not rule.groups or rule.groups & user.group_ids)
            for role, user in self.roles.items()
        )


@tagged("post_install", "-at_install")
class TestCompaniesAgree(AccessCommon):
    """What belongs to one company leads to nothing of another."""

    def _is_of_companies(self, model):
        return model.startswith(("collection.", "account.")) and not {"company_id", "company_ids"}.isdisjoint(
            self.env[model]._fields
        )

    def test_every_field(self):
        """Odoo checks each field between records of companies, unless the record's company comes by this very field."""
        unchecked = []
        for model in self._get_models():
            Model = self.env[model]
            if "company_id" not in Model._fields or not Model._auto or Model._transient:
                continue
            source = (Model._fields["company_id"].related or "").partition(".")[0]
            for field in Model._fields.values():
                if (
                    field.type in ("many2one", "many2many")
                    and field.store
                    and not field.related
                    and field.name not in ("company_id", source)
                    and (model, field.name) not in COMPANIES_MAY_DIFFER
                    and self._is_of_companies(field.comodel_name)
                    and not (field.check_company and Model._check_company_auto)
                ):
                    unchecked.append(f"{model}.{field.name}")
        self.assertEqual(unchecked, [])

    def test_every_model_stays_within_reach(self):
        """Whatever users may write can't leave their reach, nor be linked to what they may not read."""
        mixin = self.env.registry["collection.reach.mixin"]
        without = [
            model
            for model, access in ACCESS.items()
            if set("wc") & set("".join(access))
            and not self.env[model]._transient
            and not isinstance(self.env[model], mixin)
        ]
        self.assertEqual(without, [])
