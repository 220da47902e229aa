import { Component, onWillStart, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";
import { formatFloat, formatMonetary } from "@web/views/fields/formatters";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { CollectionChart } from "./collection_chart";

/** The first page of a manager: one call brings everything, each number opens what it is made of. */
export class CollectionDashboard extends Component {
    static template = "account_collection.Dashboard";
    static components = { Layout, CollectionChart };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.display = { controlPanel: {} };
        this.state = useState({ data: null });
        this.context = user.context;
        onWillStart(() => this.load());
    }

    async load() {
        this.state.data = await this.orm.call("collection.dashboard", "get_data", []);
    }

    // === Words and numbers === //

    money(amount) {
        return formatMonetary(amount || 0, { currencyId: this.state.data.currency_id, digits: [16, 0] });
    }

    shortMoney(amount) {
        return formatMonetary(amount || 0, { currencyId: this.state.data.currency_id, humanReadable: true, digits: [16, 0] });
    }

    days(value) {
        return formatFloat(value, { digits: [16, 1] });
    }

    signed(value) {
        return `${value > 0 ? "+" : ""}${value}`;
    }

    signedMoney(amount) {
        return `${amount > 0 ? "+" : ""}${this.money(amount)}`;
    }

    // === Charts === //

    get trendDatasets() {
        const { dso, simple, best } = this.state.data.trend;
        const line = { borderWidth: 2, pointRadius: 2, spanGaps: true };
        return [
            { ...line, label: _t("DSO, counted back"), data: dso, color: 0 },
            { ...line, label: _t("DSO, simple"), data: simple, color: 3, borderDash: [4, 3] },
            { ...line, label: _t("Best possible"), data: best, color: 2 },
        ];
    }

    get agingDatasets() {
        // From what is in time to what is at risk; credits apart.
        return [{ label: _t("Open items"), data: this.state.data.aging.values, color: [2, 5, 3, 3, 1, 1, 4] }];
    }

    get forecastDatasets() {
        const weeks = this.state.data.forecast.weeks;
        return [
            {
                key: "range",
                label: _t("Range"),
                data: weeks.map((week) => [week.low, week.high]),
                color: "ink",
                stack: "range",
                grouped: false,
                barThickness: 3,
                order: 0,
            },
            {
                key: "promised",
                label: _t("Promised"),
                data: weeks.map((week) => week.promised),
                color: 2,
                stack: "cash",
                grouped: false,
                order: 1,
            },
            {
                key: "expected",
                label: _t("By habit"),
                data: weeks.map((week) => week.expected),
                color: 0,
                stack: "cash",
                grouped: false,
                order: 1,
            },
        ];
    }

    // === Clicks === //

    open(action) {
        return action && this.action.doAction(action);
    }

    openAge(index) {
        return this.open(this.state.data.aging.actions[index]);
    }

    openTrend() {
        return this.open(this.state.data.trend.action);
    }

    async openWeek(index, key) {
        if (key === "promised") {
            return this.open(this.state.data.forecast.weeks[index].promise_action);
        }
        return this.open(await this.orm.call("collection.dashboard", "get_week_action", [index]));
    }

    async computeFigures() {
        await this.orm.call("collection.snapshot", "action_recompute", [[]]);
        await this.load();
    }
}

registry.category("lazy_components").add("account_collection.Dashboard", CollectionDashboard);
