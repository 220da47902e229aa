from odoo import api, models
from odoo.fields import Date, Domain
from odoo.tools import SQL

from ..base.pending_refresh import PendingRefresh

# What changes which customer a partner belongs to.
IDENTITY_FIELDS = {"parent_id", "is_company"}
# What, when written on a partner, changes the facts or the score of its customer.
FACT_FIELDS = {
    "email",
    "phone",
    "active",
    "type",
    "collection_company_size",
    "credit_limit",
    "use_partner_credit_limit",
}
# What people wrote about a customer: what stands on the file that goes on wins, the other one fills its gaps.
TAKEN_IF_EMPTY = (
    "collector_id",
    "contact_id",
    "contact_role",
    "payment_habit",
    "payment_days_manual",
    "invoice_portal",
    "approver_id",
    "closing_days",
    "payer_profile_manual",
    "plan_id",
    "escalation_contact_id",
    "legal_contact_id",
    "closed_weekday",
    "statement_period",
    "handover_id",
)
CONTACT_FIELDS = ("contact_id", "approver_id", "escalation_contact_id", "legal_contact_id")
# What holds if it was said of either.
TAKEN_IF_SET = ("insolvency", "order_number_required")


class CollectionRun(models.AbstractModel):
    """What becomes of a follow-up file when its customer joins, leaves or is merged with another one."""

    _inherit = "collection.run"

    # === BUSINESS METHODS - CHANGE OF CUSTOMER === #

    @api.model
    def _read_customers(self, partners):
        """Return ``{partner id: commercial partner id}`` of partners and all that is below them."""
        if not partners.ids:
            return {}
        partners.flush_model(["parent_id", "is_company", "commercial_partner_id"])
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    WITH RECURSIVE family AS (
                        SELECT id, commercial_partner_id FROM res_partner WHERE id = ANY(%s)
                         UNION
                        SELECT child.id, child.commercial_partner_id
                          FROM res_partner child JOIN family ON child.parent_id = family.id
                    )
                    SELECT id, commercial_partner_id FROM family
                    """,
                    partners.ids,
                )
            )
        )

    @api.model
    def _remember_customers(self, partners):
        """Return what ``_follow_customers`` needs to know of before a change: customers, and their open items."""
        before = self._read_customers(partners)
        return before, self._get_items_of(self.env["res.partner"].browse(before)).grouped(
            lambda line: line.partner_id.id
        )

    @api.model
    def _follow_customers(self, before, items):
        """Move follow-up files of partners that belong to another customer now.

        :param dict before: ``{partner id: commercial partner id}`` of before the change.
        :param dict items: ``{partner id: open items}`` of before the change; Odoo may have given them to another one.
        """
        Partner = self.env["res.partner"].sudo()
        after = self._read_customers(Partner.browse(before))
        moves = {}
        for partner_id, old_id in before.items():
            new_id = after.get(partner_id)
            if new_id and old_id and new_id != old_id:
                moves.setdefault((old_id, new_id), []).append(partner_id)
        for (old_id, new_id), partner_ids in moves.items():
            new = Partner.browse(new_id)
            moved = self.env["account.move.line"].sudo().union(*(items[key] for key in partner_ids if key in items))
            moved = moved.filtered(lambda line, new=new: line.partner_id.commercial_partner_id == new)
            self.sudo()._follow_customer(Partner.browse(old_id), new, Partner.browse(partner_ids), moved)

    @api.model
    def _follow_customer(self, old, new, partners, items):
        """Move the follow-up files of one customer, for partners that belong to another customer now.

        What was said stays on the old file. What was decided, what is open and what is planned goes on where the
        items are.

        :param old: the commercial partner of before.
        :param new: the commercial partner of now.
        :param partners: the partners that changed from one to the other.
        :param items: the open items that changed along.
        """
        items_by_company = items.grouped("company_id")
        Debtor = self.env["collection.debtor"].with_context(active_test=False)
        sources = Debtor.search([("partner_id", "=", old.id)]).grouped("company_id")
        is_whole = old in partners  # the customer itself is somebody's contact now
        for company, source in sources.items():
            own_items = items_by_company.get(company, self.env["account.move.line"])
            if own_items or (is_whole and self._prepare_decisions(source, Debtor)):
                target = self._get_file_of(company, new, source)
                self._carry_decisions(source, target)
                self._carry_open(source, target, own_items, is_whole)
            if not is_whole:
                self._release_contacts(source, partners)
        self.env["collection.refresh.queue"]._enqueue(
            (company.id, partner.id) for company in {*sources, *items_by_company} for partner in (old, new)
        )

    @api.model
    def _get_file_of(self, company, customer, source):
        """Return the debtor that goes on with the items of ``source``, made if there is none yet."""
        Debtor = self.env["collection.debtor"].with_context(active_test=False)
        return Debtor.search([("company_id", "=", company.id), ("partner_id", "=", customer.id)]) or Debtor.create(
            {"company_id": company.id, "partner_id": customer.id, "active": source.active}
        )

    @api.model
    def _release_contacts(self, debtor, partners):
        """Remove as contact persons of a customer those who have left it."""
        left = {name: False for name in CONTACT_FIELDS if debtor[name] & partners}
        if left:
            names = ", ".join(self.env["res.partner"].union(*(debtor[name] for name in left)).mapped("name"))
            debtor.write(left)
            debtor.message_post(
                body=self.env._("%(contacts)s left %(customer)s.", contacts=names, customer=debtor.partner_id.name)
            )

    @api.model
    def _get_items_of(self, partners):
        """Return the open receivable items of exactly these partners, of all companies."""
        return (
            self.env["account.move.line"]
            .sudo()
            .search(
                [
                    ("partner_id", "in", partners.ids),
                    ("account_id.account_type", "=", "asset_receivable"),
                    ("parent_state", "=", "posted"),
                    ("reconciled", "=", False),
                ]
            )
        )

    # === BUSINESS METHODS - DECISIONS === #

    @api.model
    def _carry_decisions(self, source, target, is_merge=False):
        """Carry what users decided about a customer over to the file that goes on.

        :param source: the debtor whose customer joined or was merged into another one.
        :param target: the debtor that goes on, of the same company.
        :param bool is_merge: whether the customers become one.
        """
        vals = self._prepare_decisions(source, target, is_merge)
        if not vals:
            return
        labels = [target._fields[name]._description_string(self.env) for name in vals]
        # The caller has it refreshed with all that follows.
        going_on = target.sudo()._with_moving_contacts() if is_merge else target.sudo()
        going_on.with_context(collection_pending_refresh=PendingRefresh()).write(vals)
        target.sudo().message_post(
            body=self.env._(
                "Taken over from the follow-up file of %(customer)s: %(fields)s.",
                customer=source.partner_id.display_name,
                fields=", ".join(labels),
            )
        )

    @api.model
    def _prepare_decisions(self, source, target, is_merge=False):
        """Return the values of a debtor that change when what was decided about another one holds for it, too.

        :param target: one debtor, or none.
        :param bool is_merge: whether the customers become one, and their contacts with them.
        """
        source, target = source.sudo(), target.sudo()
        families = source | target if is_merge else target or source
        vals = {name: True for name in TAKEN_IF_SET if source[name] and not target[name]}
        for name in TAKEN_IF_EMPTY:
            value = source[name]
            if value and not target[name] and (name not in CONTACT_FIELDS or self._is_contact_of(value, families)):
                vals[name] = value.id if isinstance(value, models.BaseModel) else value
        if source.paused_until and source.paused_until > (target.paused_until or Date.to_date("1900-01-01")):
            vals |= {"paused_until": source.paused_until, "pause_reason": source.pause_reason}
        if source.comment and source.comment not in (target.comment or ""):
            vals["comment"] = "\n".join(filter(None, (target.comment, source.comment)))
        # An answer that nobody has read yet still waits.
        if source.reply_date and (not target.reply_date or source.reply_date < target.reply_date):
            vals["reply_date"] = source.reply_date
        for name, read, write in (
            ("bounced_emails", lambda text: (text or "").split(), " ".join),
            ("notified_payment_ids", lambda ids: ids or [], list),
        ):
            known = read(target[name])
            if missing := [value for value in read(source[name]) if value not in known]:
                vals[name] = write([*known, *missing])
        return vals

    @api.model
    def _is_contact_of(self, contact, debtors):
        """Return whether a contact may speak for one of these customers."""
        return contact.commercial_partner_id in debtors.partner_id.commercial_partner_id | debtors.partner_id

    # === BUSINESS METHODS - WHAT IS OPEN === #

    @api.model
    def _carry_open(self, source, target, items, is_whole):
        """Move what is open or planned about items to the file that they moved to.

        :param items: the open items that moved.
        :param bool is_whole: whether all that is open goes along: the customer is somebody's contact now.
        """
        self._carry_cases(source, target, items, is_whole)
        for document in self._get_open_documents(source):
            own = document.line_ids.move_line_id.filtered(lambda item: not item.reconciled)
            if is_whole or (own and own <= items):
                case = document.case_id if document.case_id.debtor_id == target else False
                document.write({"debtor_id": target.id, "case_id": case and case.id})
        plans = source.promise_ids.plan_id | target.promise_ids.plan_id.filtered(lambda plan: plan.debtor_id == source)
        plans.filtered(lambda plan: all(p.debtor_id == target for p in plan.promise_ids if p.state == "open")).write(
            {"debtor_id": target.id}
        )
        self._carry_planned(source, target, items, is_whole)
        pauses = self.env["collection.pause"].search([("debtor_id", "=", source.id), ("ended_on", "=", False)])
        pauses.filtered(lambda pause: is_whole or pause.move_id.line_ids & items).write({"debtor_id": target.id})
        if is_whole:
            self._carry_handover(source, target)
            for period in source.quiet_period_ids:
                period.copy({"debtor_id": target.id})

    @api.model
    def _get_open_documents(self, debtor):
        """Return the promises and disputes of a debtor that still withhold something, one by one."""
        promises = debtor.promise_ids.filtered(lambda promise: promise.state == "open")
        disputes = debtor.dispute_ids.filtered(lambda dispute: dispute.state in ("open", "accepted"))
        return [*promises, *disputes]

    @api.model
    def _carry_cases(self, source, target, items, is_whole):
        """Move the cases of running campaigns with their items; two cases of one campaign become one."""
        for case in source.case_ids.filtered(lambda case: case.campaign_id.state == "running"):
            own = case.item_ids.filtered("residual").move_line_id
            if case.state == "closed" or not (is_whole or (own and own <= items)):
                continue
            known = target.case_ids.filtered(lambda other, case=case: other.campaign_id == case.campaign_id)
            if known:
                self._merge_cases(case, known)
            else:
                case.write({"debtor_id": target.id, "partner_id": target.partner_id.id})

    @api.model
    def _merge_cases(self, sources, kept):
        """Merge several cases of one campaign into one."""
        kept.sudo().write(
            {
                "initial_amount": kept.initial_amount + sum(sources.mapped("initial_amount")),
                "initial_item_count": kept.initial_item_count + sum(sources.mapped("initial_item_count")),
            }
        )
        self._replace_records(sources, kept)

    @api.model
    def _carry_planned(self, source, target, items, is_whole):
        """Move what users planned; steps are cancelled, since plans decide anew where the items are."""
        planned = source.action_ids.filtered(lambda action: action.state == "planned")
        steps = planned.filtered(lambda action: action.step_id and (is_whole or action.cycle in items.ids))
        steps._set_state(
            "cancelled",
            result_text=self.env._("The items belong to %s now.", target.partner_id.display_name),
            cancel_code="other",
        )
        if is_whole:
            for action in planned.filtered(lambda action: not action.step_id):
                case = action.case_id if action.case_id.debtor_id == target else False
                action.write({"debtor_id": target.id, "case_id": case and case.id})

    @api.model
    def _carry_handover(self, source, target):
        """Keep at most one hand-over of the customer that goes on: the one it has already."""
        out = self.env["collection.handover.line"].search(
            [("debtor_id", "in", (source + target).ids), ("is_out", "=", True)]
        )
        staying = out.filtered(lambda line: line.debtor_id == target) or out[:1]
        (out - staying).is_out = False
        staying.debtor_id = target
        if staying:
            target.handover_id = staying.handover_id
        source.handover_id = False

    @api.model
    def _replace_records(self, sources, kept):
        """Point all that points to ``sources`` to ``kept``, and remove them."""
        if not sources:
            return
        wizard = self.env["base.partner.merge.automatic.wizard"]
        self.env.flush_all()
        wizard._update_foreign_keys_generic(sources._name, sources, kept)
        wizard._update_reference_fields_generic(sources._name, sources, kept)
        self.env.flush_all()
        self.env.cr.execute(SQL("DELETE FROM %s WHERE id IN %s", SQL.identifier(sources._table), tuple(sources.ids)))
        self.env.invalidate_all()

    # === BUSINESS METHODS - MERGED CUSTOMERS === #

    @api.model
    def _merge_customers(self, merged, kept_partner):
        """Merge the follow-up files of merged customers into one per company.

        :param merged: partners that go.
        :param kept_partner: the partner that stays.
        """
        Debtor = self.env["collection.debtor"].sudo().with_context(active_test=False)
        debtors = Debtor.search([("partner_id", "in", (merged + kept_partner).ids)])
        companies = debtors.company_id | self._get_items_of(merged + kept_partner).company_id
        for own in debtors.grouped("company_id").values():
            kept = own.filtered(lambda debtor: debtor.partner_id == kept_partner) or own[:1]
            for source in own - kept:
                self._merge_debtors(source, kept)
        self.env["collection.refresh.queue"].sudo()._enqueue(
            (company.id, kept_partner.commercial_partner_id.id) for company in companies
        )

    @api.model
    def _merge_debtors(self, source, kept):
        """Merge two follow-up files into one, with the decisions and contacts of both."""
        self._carry_decisions(source, kept, is_merge=True)
        cases = {case.campaign_id: case for case in kept.case_ids}
        for case in source.case_ids.filtered(lambda case: case.campaign_id in cases):
            if case.campaign_id.state in ("closed", "cancelled"):
                # What is over is on file: two customers they were, each with what they paid.
                case.with_context(**case._get_guard()).is_of_merged = True
            else:
                self._merge_cases(case, cases[case.campaign_id])
        self._carry_handover(source, kept)
        # Both got the statement of a month: one of them is on file as one that was asked for.
        periods = kept.statement_ids.mapped("period")
        twice = source.statement_ids.filtered(lambda statement: statement.period and statement.period in periods)
        twice.write({"period": False})
        self._replace_records(source, kept)

    # === BUSINESS METHODS - FACTS OF CUSTOMERS === #

    @api.model
    def _mark_customers_stale(self, partners):
        """Queue the follow-up files of these partners' customers for a refresh, if they have any."""
        partners = partners.sudo().commercial_partner_id
        if partners:
            debtors = self.env["collection.debtor"].sudo().with_context(active_test=False)
            debtors.search(Domain("partner_id", "in", partners.ids))._mark_stale()
