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
        {
            content: "Arrow keys go through the chart",
            trigger: "[data-panel=aging] canvas[tabindex='0']",
            run() {
                this.anchor.focus();
                for (const key of ["ArrowRight", "ArrowRight"]) {
                    this.anchor.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
                }
            },
        },
        {
            content: "Enter opens what a value is made of",
            trigger: "[data-panel=aging] [aria-live]:contains(/1 to 30 days, Open items/)",
            run() {
                document
                    .querySelector("[data-panel=aging] canvas")
                    .dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
            },
        },
        { content: "The items of that age", trigger: ".o_last_breadcrumb_item:contains(1 to 30 days)" },
        { content: "Back", trigger: ".breadcrumb-item.o_back_button, .o_breadcrumb .o_back_button", run: "click" },
        { content: "Open what is overdue", trigger: ".o_collection_tile[data-key=overdue]", run: "click" },
        { content: "One item", trigger: ".o_list_view .o_data_row:contains(Boulangerie Petit)" },
        { content: "Open the invoice", trigger: ".o_data_row td[name=partner_id]", run: "click" },
        { content: "The invoice", trigger: ".o_form_view:contains(Boulangerie Petit)" },
    ],
});
