import { Component, xml } from "@odoo/owl";
import { LazyComponent } from "@web/core/assets";
import { registry } from "@web/core/registry";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

/** All of the dashboard that each page of Odoo loads: it fetches the rest when somebody opens it. */
export class CollectionDashboardLoader extends Component {
    static template = xml`
        <LazyComponent bundle="'account_collection.assets_dashboard'" Component="'account_collection.Dashboard'" props="props"/>
    `;
    static components = { LazyComponent };
    static props = { ...standardActionServiceProps };
}

registry.category("actions").add("account_collection.dashboard", CollectionDashboardLoader);
