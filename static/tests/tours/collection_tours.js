import { registry } from "@web/core/registry";

// From a draft campaign to a call with a promise, as a collector does it.
registry.category("web_tour.tours").add("account_collection_campaign", {
    steps: () => [
        {
            content: "Open the campaign",
            trigger: ".o_kanban_record:contains(Tour campaign), .o_data_row:contains(Tour campaign) td[name=name]",
            run: "click",
        },
        { content: "Fill the scope", trigger: "button[name=action_prepare]", run: "click" },
        { content: "Start", trigger: "button[name=action_start]:visible", run: "click" },
        {
            content: "A dialogue may ask to confirm the start",
            trigger: ".modal-footer .btn-primary, .o_kanban_record:contains(Boulangerie Petit)",
            run() {
                document.querySelector(".modal-footer .btn-primary")?.click();
            },
        },
        {
            content: "Both customers are to be contacted, the best first",
            trigger: ".o_kanban_group:contains(To contact) .o_kanban_record:contains(Boulangerie Petit)",
            run: "click",
        },
        {
            content: "The desk shows whom to ask for",
            trigger: ".o_form_view:contains(Marie Dupont)",
        },
        { content: "Log a call", trigger: "button[name=action_log_call]", run: "click" },
        {
            content: "The customer promises to pay",
            trigger: ".modal [name=next_step] input[data-value=promise]",
            run: "click",
        },
        {
            content: "What can be claimed is proposed",
            trigger: ".modal [name=promise_amount] input:value(5,000.00)",
        },
        { content: "What was said", trigger: ".modal [name=note] textarea", run: "edit Pays next week" },
        { content: "Save", trigger: ".modal button[name=action_confirm]", run: "click" },
        {
            content: "The case follows",
            trigger: "body:not(:has(.modal)) .o_statusbar_status button.o_arrow_button_current:contains(Promised)",
        },
        { content: "Next customer", trigger: "button[name=action_next_case]", run: "click" },
        { content: "Garage Lemoine is next", trigger: ".o_form_view:contains(Garage Lemoine)" },
        { content: "A reminder can be looked at", trigger: "button[name=action_send_reminder]", run: "click" },
        {
            content: "As the customer will get it",
            trigger: ".modal .o_field_widget[name=body]",
        },
        { content: "Send", trigger: ".modal button[name=action_send]", run: "click" },
        {
            content: "The card waits for the answer",
            trigger: "body:not(:has(.modal)) .o_statusbar_status button.o_arrow_button_current:contains(Waiting)",
        },
    ],
});

// A dispute solved by somebody who has no right on accounting.
registry.category("web_tour.tours").add("account_collection_dispute_owner", {
    steps: () => [
        {
            content: "Only the own dispute is there",
            trigger: ".o_kanban_record:contains(Boulangerie Petit), .o_data_row:contains(Boulangerie Petit) td[name=partner_id]",
            run: "click",
        },
        { content: "Say how it was solved", trigger: "[name=resolution] textarea", run: "edit Delivery note sent again" },
        { content: "The customer is not right", trigger: "button[name=action_reject]", run: "click" },
        {
            content: "Rejected",
            trigger: ".o_statusbar_status button.o_arrow_button_current:contains(Rejected)",
        },
    ],
});

// A manager sees what happens, switches a plan on, looks at the days to come and asks why.
registry.category("web_tour.tours").add("account_collection_plan", {
    steps: () => [
        { content: "Open the plan", trigger: ".o_data_row:contains(Tour plan) td[name=name]", run: "click" },
        { content: "Its steps are a timeline", trigger: ".o_field_widget[name=step_ids] .o_data_row:contains(D+8):contains(E-mail)" },
        { content: "Switch on", trigger: "button[name=action_start]", run: "click" },
        {
            content: "The dialogue shows where customers begin",
            trigger: ".modal .o_field_widget[name=preview]:contains(Where customers begin):contains(D+30)",
        },
        { content: "Begin fewer old debts per day", trigger: ".modal [name=old_debts_per_day] input", run: "edit 1 && press Tab" },
        {
            content: "What would happen follows",
            trigger: ".modal .o_field_widget[name=preview]:contains(With 1 per day)",
        },
        { content: "Go", trigger: ".modal button[name=action_confirm]", run: "click" },
        { content: "It runs", trigger: "body:not(:has(.modal)) button[name=action_stop]" },
        { content: "Simulate", trigger: "button[name=action_simulate]", run: "click" },
        { content: "At a glance", trigger: ".o_field_widget[name=summary]:contains(contacts with)" },
        { content: "As a list", trigger: "button[name=action_view_list]", run: "click" },
        { content: "By day", trigger: ".o_list_view .o_group_name:first", run: "click" },
        { content: "Open a customer from there", trigger: ".o_data_row:contains(Boulangerie Petit) td[name=partner_id]", run: "click" },
        { content: "Ask why", trigger: ".o_form_view:contains(Boulangerie Petit) button[name=action_why]", run: "click" },
        {
            content: "The facts are there",
            trigger: ".modal .o_field_widget[name=facts]:contains(What is owed):contains(Tour plan)",
        },
        { content: "Back", trigger: ".modal-footer button:contains(Back)", run: "click" },
        { content: "Back on the file", trigger: "body:not(:has(.modal)) .o_form_view:contains(Boulangerie Petit)" },
    ],
});

// A promise to pay in two clicks from the case.
registry.category("web_tour.tours").add("account_collection_promise", {
    steps: () => [
        {
            content: "The case says what can be claimed",
            trigger: ".o_form_view:contains(Boulangerie Petit) button[name=action_record_promise]",
            run: "click",
        },
        {
            content: "Everything that can be claimed is proposed",
            trigger: ".modal [name=amount] input:value(5,000.00)",
        },
        { content: "Save", trigger: ".modal button[name=action_confirm]", run: "click" },
        {
            content: "The case follows",
            trigger: "body:not(:has(.modal)) .o_statusbar_status button.o_arrow_button_current:contains(Promised)",
        },
    ],
});

// A payment plan from the follow-up file, then the plan itself.
registry.category("web_tour.tours").add("account_collection_payment_plan", {
    steps: () => [
        { content: "Record a promise", trigger: "button[name=action_record_promise]", run: "click" },
        { content: "In several payments", trigger: ".modal [name=is_plan] input", run: "check" },
        {
            content: "Three equal payments are proposed",
            trigger: ".modal [name=line_ids] .o_data_row:nth-child(3)",
        },
        { content: "Save", trigger: ".modal button[name=action_confirm]", run: "click" },
        {
            content: "Nothing can be claimed any more",
            trigger: "body:not(:has(.modal)) [name=promised_amount]:contains(5,000.00)",
        },
    ],
});

// The owner of a dispute finds the customer right: who makes credit notes is asked for one.
registry.category("web_tour.tours").add("account_collection_dispute_accepted", {
    steps: () => [
        { content: "What usually helps", trigger: ".alert:contains(Prepare a credit note)" },
        { content: "Say how it was solved", trigger: "[name=resolution] textarea", run: "edit Price list corrected" },
        { content: "The customer is right", trigger: "button[name=action_accept]", run: "click" },
        {
            content: "Accepted, and asked for",
            trigger: ".o_form_view:has(.o_arrow_button_current:contains(Accepted)) [name=credit_asked_on]",
        },
    ],
});

// Cases go out to an outside caller and come back with what was said.
registry.category("web_tour.tours").add("account_collection_hand_over", {
    steps: () => [
        {
            content: "Open the campaign",
            trigger: ".o_kanban_record:contains(Tour campaign), .o_data_row:contains(Tour campaign) td[name=name]",
            run: "click",
        },
        { content: "Hand over", trigger: "button[name=action_hand_over]", run: "click" },
        {
            content: "Both customers go out",
            trigger: ".modal [name=case_count]:contains(2)",
        },
        { content: "Confirm", trigger: ".modal button[name=action_confirm]", run: "click" },
        {
            content: "They are with the provider",
            trigger: ".o_statusbar_status button.o_arrow_button_current:contains(With the provider)",
        },
        { content: "The file can be downloaded", trigger: "button[name=action_download]:visible" },
        { content: "A file came back", trigger: "button[name=action_take_back]", run: "click" },
        {
            content: "Upload it, filled in by the provider",
            trigger: ".o_field_binary input[type=file]:not(:visible), .o_field_binary .o_select_file_button",
            async run() {
                // What the server keeps of the hand-over, with the columns of the caller filled in.
                const call = (model, method, args, kwargs = {}) =>
                    fetch(`/web/dataset/call_kw/${model}/${method}`, {
                        method: "POST",
                        headers: { "Content-Type": "application/json" },
                        body: JSON.stringify({
                            jsonrpc: "2.0",
                            method: "call",
                            params: { model, method, args, kwargs },
                        }),
                    }).then(async (answer) => (await answer.json()).result);
                const items = await call("collection.handover.item", "search_read", [[]], {
                    fields: ["reference", "name", "due_date"],
                    order: "due_date",
                });
                const day = new Date(Date.now() + 5 * 86400000).toISOString().slice(0, 10);
                const rows = [
                    ["Item reference", "Outcome", "Promise date", "Note"],
                    [items[0].reference, "Reached the right person", day, "Pays next week"],
                    [items[1].reference, "No answer", "", ""],
                ];
                const file = new File([rows.map((row) => row.join(";")).join("\r\n")], "back.csv", {
                    type: "text/csv",
                });
                const transfer = new DataTransfer();
                transfer.items.add(file);
                const input = document.querySelector(".o_field_binary input[type=file]");
                input.files = transfer.files;
                input.dispatchEvent(new Event("change", { bubbles: true }));
            },
        },
        {
            content: "It is there",
            trigger: ".o_field_binary input:value(back.csv), .o_field_binary:contains(back.csv)",
        },
        { content: "Look at it first", trigger: "button[name=action_read]:visible", run: "click" },
        {
            content: "The preview says what each row will do",
            trigger: ".o_data_row:contains(Boulangerie Petit):contains(Promise for)",
        },
        { content: "Take it back", trigger: "button[name=action_apply]", run: "click" },
        {
            content: "Done",
            trigger: ".o_statusbar_status button.o_arrow_button_current:contains(Taken back)",
        },
        {
            content: "Open the case of the first row",
            trigger: ".o_data_row:contains(Boulangerie Petit) button[name=action_open_case]",
            run: "click",
        },
        {
            content: "The case moved",
            trigger: ".o_collection_desk .o_statusbar_status button.o_arrow_button_current:contains(Promised)",
        },
    ],
});
