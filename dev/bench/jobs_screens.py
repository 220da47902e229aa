"""The first page of lists and of the kanban, as the web client asks for it, beside Odoo's own invoice list."""

from lxml import etree

from .stopwatch import Task

COUNT_LIMIT = 10_001  # up to which the web client has records counted


def measure(env, stopwatch):
    """Measure the pages in turns, as an administrator."""
    env = env(user=env.ref("base.user_admin"))
    campaign = env["collection.campaign"].search([("name", "=", "Benchmark")], limit=1)
    cases = env["collection.case"].with_context(default_campaign_id=campaign.id)
    invoices = env["account.move"].with_context(default_move_type="out_invoice")
    invoice_domain = [("move_type", "in", ["out_invoice", "out_refund", "out_receipt"])]
    invoice_view = env.ref("account.view_out_invoice_tree").id
    screens = {
        "list of debtors": _List(env["collection.debtor"], [("due_amount", ">", 0)]).open,
        "list of cases": _List(cases, [("campaign_id", "=", campaign.id)]).open,
        "kanban of cases": _Kanban(cases, [("campaign_id", "=", campaign.id)]).open,
    }
    reference = Task("Odoo: list of invoices", env, _List(invoices, invoice_domain, invoice_view).open)
    tasks = [Task(work, env, screen) for work, screen in screens.items()]
    theirs, *ours = stopwatch.measure(reference, *tasks)
    for work, samples in zip(screens, ours, strict=True):
        stopwatch.compare(f"{work} to Odoo's list", samples, theirs, budget=1.5)


class _Screen:
    """A view of a model.

    :param model: the model, with the context of the screen
    :param list domain: what the screen shows
    :param int view_id: the view; the model's own when ``False``
    """

    kind = "list"

    def __init__(self, model, domain, view_id=False):
        self.model = model
        self.domain = domain
        arch = model.get_views([(view_id, self.kind)])["views"][self.kind]["arch"]
        self.view = etree.fromstring(arch)
        names = {node.get("name") for node in self.view.iter("field") if not any(node.iterancestors("field"))}
        self.specification = {name: self._specify(name) for name in names}

    def _specify(self, name):
        is_link = self.model._fields[name].type == "many2one"
        return {"fields": {"display_name": {}}} if is_link else {}


class _List(_Screen):
    def open(self):
        """Read the first page, and count."""
        self.model.web_search_read(
            self.domain,
            self.specification,
            limit=80,
            order=self.view.get("default_order"),
            count_limit=COUNT_LIMIT,
        )


class _Kanban(_Screen):
    kind = "kanban"

    def open(self):
        """Read the columns and the first cards of each."""
        self.model.web_read_group(
            self.domain,
            [self.view.get("default_group_by") or "state"],
            ["__count"],
            auto_unfold=True,
            unfold_read_specification=self.specification,
            unfold_read_default_limit=40,
        )
