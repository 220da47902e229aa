from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL, format_amount, format_date
from odoo.tools.misc import get_lang

from ..recap.xlsx import Column, XlsxFile, make_sheet_names

# How many reasons of the score stand on paper, the strongest.
REASON_LIMIT = 3
BATCH_SIZE = 1000


class CollectionDebtorWorkbook(models.AbstractModel):
    """Lays the follow-up file out as XLSX to print: a line per customer, and their open items.

    Debtors are read a batch at a time and forgotten again, so that memory does not grow with their number.
    """

    _name = "collection.debtor.workbook"
    _description = "Follow-up File (XLSX)"

    # === BUSINESS METHODS === #

    @api.model
    def _write(self, debtors, output):
        """Write the follow-up file.

        :param debtors: in the order in which they are to stand there.
        :param output: binary file that is open for writing.
        :raises AccessError: when the user may not see one of them.
        """
        debtors.check_access("read")
        debtors = debtors.sudo()
        names = make_sheet_names([self.env._("Customers"), self.env._("Open items")])
        currencies = debtors.company_id.currency_id
        # Totals only exist in one currency.
        digits = max(currencies.mapped("decimal_places"), default=2)
        with XlsxFile(output, digits, get_lang(self.env).direction) as xlsx:
            xlsx.workbook.set_properties({"title": self.env._("Follow-up file")})
            customers, items = (xlsx.add_sheet(name) for name in names)
            self._write_customers(xlsx, customers, debtors)
            self._write_items(xlsx, items, debtors)

    def _get_subtitle(self, debtors):
        """Return the subtitle: whose customers these are, of which day, in which currency."""
        companies = debtors.company_id
        today = self.env.company._collection_today()
        currencies = companies.currency_id
        return " · ".join(
            [
                ", ".join(companies.mapped("name")),
                format_date(self.env, today),
                self.env._("amounts in %s", ", ".join(currencies.mapped("name"))),
                self.env._("by %s", self.env.user.name),
            ]
        )

    def _get_sums(self, debtors, names):
        """Return the totals of stored amounts, none when the currencies differ."""
        if len(debtors.company_id.currency_id) > 1:
            return {}
        [values] = debtors._read_group([("id", "in", debtors.ids)], [], [f"{name}:sum" for name in names])
        return dict(zip(names, values, strict=True))

    def _iter_batches(self, debtors):
        """Yield debtors a batch at a time, so that each batch is read at once and then forgotten."""
        ids = debtors.ids
        for start in range(0, len(ids), BATCH_SIZE):
            yield debtors.browse(ids[start : start + BATCH_SIZE])
            self.env.invalidate_all()

    # === BUSINESS METHODS - CUSTOMERS === #

    def _write_customers(self, xlsx, sheet, debtors):
        """Fill the sheet with a line per customer."""
        sheet.set_paper(9)
        xlsx.write_table(
            sheet,
            self.env._("Follow-up file"),
            self._get_subtitle(debtors),
            self._get_customer_columns(debtors),
            self._iter_customers(debtors),
            len(debtors),
            self.env._("Total"),
        )

    def _iter_customers(self, debtors):
        """Yield what the columns need of each debtor: ``{"debtor", "promises", "disputes", "reasons"}``."""
        criteria = self.env["collection.criterion"].sudo().with_context(active_test=False).search([("id", "!=", 0)])
        criteria = {criterion.id: criterion for criterion in criteria}
        labels = {
            name: dict(debtors._fields[name]._description_selection(self.env))
            for name in ("payer_profile", "company_size", "contact_role", "grade")
        }
        for batch in self._iter_batches(debtors):
            promises = self._group_by_debtor("collection.promise", batch, "date, id")
            disputes = self._group_by_debtor("collection.dispute", batch, "date_deadline, id")
            for debtor in batch:
                yield {
                    "debtor": debtor,
                    "promise": self._describe_promises(debtor, promises[debtor.id]),
                    "dispute": self._describe_disputes(debtor, disputes[debtor.id]),
                    "why": self._describe_score(debtor, criteria),
                    **{name: labels[name].get(debtor[name]) or "" for name in labels},
                }

    def _group_by_debtor(self, model, debtors, order):
        """Return the open promises or disputes of debtors: ``{debtor id: records}``."""
        groups = defaultdict(self.env[model].sudo().browse)
        for record in (
            self.env[model].sudo().search([("debtor_id", "in", debtors.ids), ("state", "=", "open")], order=order)
        ):
            groups[record.debtor_id.id] |= record
        return groups

    def _describe_promises(self, debtor, promises):
        """Return a text that states what is promised and for when."""
        return "\n".join(
            self.env._(
                "%(date)s: %(amount)s",
                date=format_date(self.env, promise.date),
                amount=format_amount(self.env, promise.amount, promise.currency_id),
            )
            for promise in promises
        )

    def _describe_disputes(self, debtor, disputes):
        """Return a text that states what is disputed and why."""
        return "\n".join(
            self.env._(
                "%(name)s: %(text)s",
                name=dispute.reason_id.name,
                text=format_amount(self.env, dispute.amount, dispute.currency_id),
            )
            for dispute in disputes
        )

    def _describe_score(self, debtor, criteria):
        """Return a text that states what gave most points."""
        rows = sorted(debtor.score_breakdown or [], key=lambda row: (-row["points"], -row["max"]))
        return "\n".join(
            self.env._(
                "%(criterion)s: %(value)s (%(points)s)",
                criterion=criteria[row["criterion"]].name,
                value=criteria[row["criterion"]]._describe(row["value"], debtor.company_id),
                points=f"{row['points']:+d}",
            )
            for row in rows[:REASON_LIMIT]
            if row["points"] and row["criterion"] in criteria
        )

    def _describe_contact(self, row):
        """Return the person to ask for with everything that one needs to reach them, in lines."""
        debtor = row["debtor"]
        name = debtor.contact_name or ""
        role = row["contact_role"]
        return self._join(f"{name} ({role})" if role and name else name, debtor.phone, debtor.email)

    def _describe_answers(self, row):
        """Return what was promised and what is disputed, in lines."""
        return self._join(
            self.env._("Promised for %s", row["promise"]) if row["promise"] else "",
            self.env._("Disputed: %s", row["dispute"]) if row["dispute"] else "",
        )

    def _describe_habits(self, row):
        """Return a text that states how this customer pays."""
        debtor = row["debtor"]
        return self._join(
            row["payer_profile"],
            debtor.payment_habit,
            self.env._("pays on the %s", debtor.payment_days) if debtor.payment_days else "",
            debtor.closing_days,
            self.env._("needs an order number") if debtor.order_number_required else "",
        )

    def _describe_comments(self, row):
        """Return what colleagues wrote, after what forbids to contact this customer."""
        debtor = row["debtor"]
        paused = debtor.paused_until and debtor.paused_until > debtor.company_id._collection_today()
        return self._join(
            self.env._("INSOLVENCY PROCEEDINGS: ask for nothing.") if debtor.insolvency else "",
            self.env._(
                "Paused until %(date)s: %(reason)s",
                date=format_date(self.env, debtor.paused_until),
                reason=debtor.pause_reason or self.env._("no reason given"),
            )
            if paused
            else "",
            debtor.comment,
        )

    def _join(self, *lines):
        return "\n".join(line.strip() for line in lines if line and line.strip())

    def _get_customer_columns(self, debtors):
        """Return the columns: those for paper first, then those for the screen alone. Extend it to add one."""
        amounts = ("claimable_amount", "overdue_amount", "due_amount", "disputed_amount", "promised_amount")
        amounts += ("credit_amount", "excluded_amount")
        counts = ("overdue_item_count", "open_item_count")
        sums = self._get_sums(debtors, (*amounts, *counts))

        def amount(name, title, **options):
            return Column(
                name,
                title,
                lambda row: row["debtor"][name],
                "money",
                13,
                total=sums.get(name),
                digits=lambda row: row["debtor"].currency_id.decimal_places,
                **options,
            )

        def field(name, title, kind="text", width=14, **options):
            return Column(name, title, lambda row: row["debtor"][name] or None, kind, width, **options)

        screen = {"is_printed": False}
        return [
            Column("score", self.env._("Score"), lambda row: row["debtor"].score, "integer", 7),
            Column("customer", self.env._("Customer"), lambda row: row["debtor"].partner_id.name or "", "wrapped", 21),
            Column("contact", self.env._("Whom to ask for"), self._describe_contact, "wrapped", 26),
            amount("claimable_amount", self.env._("To claim")),
            field("overdue_item_count", self.env._("Items"), "integer", 9, total=sums.get("overdue_item_count")),
            field("days_late", self.env._("Days late"), "integer", 8),
            Column("why", self.env._("Why first"), lambda row: row["why"], "wrapped", 27),
            Column("habits", self.env._("How they pay"), self._describe_habits, "wrapped", 20),
            field("last_contact_on", self.env._("Last contact"), "date", 12),
            Column("said", self.env._("Promised, disputed"), self._describe_answers, "wrapped", 22),
            Column("comments", self.env._("Comments"), self._describe_comments, "wrapped", 25),
            Column("notes", self.env._("Notes"), lambda row: "", "wrapped", 20),
            Column("promise", self.env._("Promised"), lambda row: row["promise"], width=22, **screen),
            Column("dispute", self.env._("Disputed"), lambda row: row["dispute"], width=24, **screen),
            Column("grade", self.env._("Grade"), lambda row: row["grade"], width=7, **screen),
            Column("name", self.env._("Contact"), lambda row: row["debtor"].contact_name or "", width=22, **screen),
            Column("role", self.env._("Role"), lambda row: row["contact_role"], width=18, **screen),
            field("phone", self.env._("Phone"), width=18, **screen),
            field("email", self.env._("E-mail"), width=28, **screen),
            amount("overdue_amount", self.env._("Overdue"), **screen),
            amount("due_amount", self.env._("Owed"), **screen),
            amount("disputed_amount", self.env._("Of which disputed"), **screen),
            amount("promised_amount", self.env._("Of which promised"), **screen),
            amount("excluded_amount", self.env._("Excluded"), **screen),
            amount("credit_amount", self.env._("Credits"), **screen),
            Column("currency", self.env._("Currency"), lambda row: row["debtor"].currency_id.name, width=10, **screen),
            field("oldest_due_date", self.env._("Overdue since"), "date", 12, **screen),
            field("average_days_late", self.env._("Average days late"), "integer", 10, **screen),
            field("broken_promise_count", self.env._("Broken promises"), "integer", 10, **screen),
            Column("profile", self.env._("Payer profile"), lambda row: row["payer_profile"], width=20, **screen),
            Column("size", self.env._("Company size"), lambda row: row["company_size"], width=16, **screen),
            field("last_payment_date", self.env._("Last payment"), "date", 12, **screen),
            Column(
                "collector", self.env._("Collector"), lambda row: row["debtor"].collector_id.name, width=18, **screen
            ),
            Column(
                "salesperson",
                self.env._("Salesperson"),
                lambda row: row["debtor"].salesperson_id.name,
                width=18,
                **screen,
            ),
            Column("reference", self.env._("Customer's reference"), lambda row: row["debtor"].partner_id.ref, **screen),
            Column("company", self.env._("Company"), lambda row: row["debtor"].company_id.name, width=20, **screen),
        ]

    # === BUSINESS METHODS - ITEMS === #

    def _write_items(self, xlsx, sheet, debtors):
        """Fill the sheet with the open items of these customers, customer by customer."""
        count, residual = self._count_items(debtors)
        xlsx.write_table(
            sheet,
            self.env._("Open items"),
            self._get_subtitle(debtors),
            self._get_item_columns(residual, ", ".join(debtors.company_id.currency_id.mapped("name"))),
            self._iter_items(debtors),
            count,
            self.env._("Total"),
        )

    def _count_items(self, debtors):
        """Return how many open items there are, and what they add up to if their currency is one."""
        count, total = 0, 0.0
        for company in debtors.company_id:
            partners = debtors.filtered(lambda debtor, company=company: debtor.company_id == company).partner_id
            [(number, residual)] = self.env.execute_query(
                SQL("SELECT COUNT(*), SUM(residual) FROM (%s) item", self._get_open_item_sql(company, partners))
            )
            count, total = count + number, total + float(residual or 0)
        return count, (total if len(debtors.company_id.currency_id) == 1 else None)

    def _get_open_item_sql(self, company, partners):
        """Return SQL with the open items of customers: see ``collection.ledger._get_balance_sql``."""
        ledger = self.env["collection.ledger"].sudo()
        ledger._flush()
        balance = ledger._get_balance_sql(company, company._collection_today(), partners)
        return SQL("SELECT * FROM (%s) balance WHERE partner_id IS NOT NULL", balance)

    def _iter_items(self, debtors):
        """Yield the open items, oldest first: ``(debtor, item, what the ledger says is open of it)``."""
        for batch in self._iter_batches(debtors):
            rows = {
                row["item_id"]: row
                for company, own in batch.grouped("company_id").items()
                for row in self.env.execute_query_dict(self._get_open_item_sql(company, own.partner_id))
            }
            for debtor in batch:
                for item in debtor.open_item_ids:
                    yield debtor, item, rows[item.id]

    def _get_item_columns(self, total, currency):
        """Return the columns of the open items.

        :param total: of what is open, in the currency of the company; none when there are several.
        :param str currency: name of that currency.
        """

        def late(row):
            debtor, _item, open_item = row
            if open_item["is_credit"]:
                return None
            return max((debtor.company_id._collection_today() - open_item["due_date"]).days, 0) or None

        return [
            Column("customer", self.env._("Customer"), lambda row: row[0].partner_id.name or "", width=34),
            Column("name", self.env._("Invoice or entry"), lambda row: row[1]._get_collection_name(), width=22),
            Column("date", self.env._("Date"), lambda row: row[1].invoice_date or row[1].date, "date", 12),
            Column("due_date", self.env._("Due date"), lambda row: row[1].date_maturity or row[1].date, "date", 12),
            Column("days_late", self.env._("Days late"), late, "integer", 10),
            self._get_amount_column("amount", self.env._("Amount"), lambda row: row[1].amount_currency, "currency_id"),
            self._get_amount_column("open", self.env._("Open"), lambda row: row[2]["residual_currency"], "currency_id"),
            Column("currency", self.env._("Currency"), lambda row: row[1].currency_id.name, width=10),
            self._get_amount_column(
                "company_open",
                self.env._("Open in %s", currency),
                lambda row: row[2]["residual"],
                "company_currency_id",
                total,
            ),
            Column("phone", self.env._("Phone"), lambda row: row[0].phone or "", width=18),
            Column("collector", self.env._("Collector"), lambda row: row[0].collector_id.name, width=18),
        ]

    def _get_amount_column(self, key, title, value, currency, total=None):
        return Column(
            key,
            title,
            value,
            "money",
            17,
            total=total,
            digits=lambda row: row[1][currency].decimal_places,
        )
