import { registry } from "@web/core/registry";

// Nothing is owed: the page says what to do.
registry.category("web_tour.tours").add("account_collection_dashboard_empty", {
    steps: () => [
        { content: "What to do next", trigger: ".o_collection_dashboard:contains(Nobody owes anything yet)" },
    ],
});

// Each number opens what it is made of.
registry.category("web_tour.tours").add("account_collection_dashboard", {
    steps: () => [
        { content: "The tiles show", trigger: ".o_collection_tile[data-key=overdue]:contains(5,000)" },
        { content: "So do the charts", trigger: "[data-panel=forecast] canvas[aria-label*='This week']" },
        { content: "No month is known yet", trigger: "[data-panel=trend] button:contains(Work it out now)", run: "click" },
        { content: "Now there is a trend", trigger: "[data-panel=trend] canvas" },
        { content: "Open what is overdue", trigger: ".o_collection_tile[data-key=overdue]", run: "click" },
        { content: "One item", trigger: ".o_list_view .o_data_row:contains(Boulangerie Petit)" },
        { content: "Open the invoice", trigger: ".o_data_row td[name=partner_id]", run: "click" },
        { content: "The invoice", trigger: ".o_form_view:contains(Boulangerie Petit)" },
    ],
});
