import { Component, onWillStart, onWillUnmount, useEffect, useRef, useState } from "@odoo/owl";
import { loadBundle } from "@web/core/assets";
import { cookie } from "@web/core/browser/cookie";
import { getColor, getCustomColor } from "@web/core/colors/colors";

/**
 * A chart of Odoo's own library. Arrow keys go from value to value, Enter opens one as a click does.
 *
 * Datasets are those of Chart.js, with `color`: the number of a colour of Odoo's palette, one for each value if
 * it is an array.
 */
export class CollectionChart extends Component {
    static template = "account_collection.Chart";
    static props = {
        label: String,
        type: String,
        labels: Array,
        datasets: Array,
        stacked: { type: Boolean, optional: true },
        horizontal: { type: Boolean, optional: true },
        format: Function,
        onClick: { type: Function, optional: true },
    };

    setup() {
        this.canvas = useRef("canvas");
        this.state = useState({ point: null });
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(
            () => this.draw(),
            () => [this.props.datasets]
        );
        onWillUnmount(() => this.chart?.destroy());
    }

    get text() {
        const rows = this.props.labels.map((label, index) => {
            const values = this.props.datasets.map(
                (dataset) => `${dataset.label} ${this.describe(dataset.data[index])}`
            );
            return `${label}: ${values.join(", ")}`;
        });
        return rows.join("; ");
    }

    describe(value) {
        if (value === null || value === undefined) {
            return "–";
        }
        return Array.isArray(value) ? value.map(this.props.format).join(" – ") : this.props.format(value);
    }

    // === Keys === //

    /** The values that open something, in their order: a range has no page of its own. */
    get points() {
        const datasets = this.props.datasets.filter((dataset) => !Array.isArray(dataset.data[0]));
        return this.props.labels.flatMap((label, index) => datasets.map((dataset) => ({ label, index, dataset })));
    }

    /** What a screen reader says of the value that was reached. */
    get pointText() {
        const point = this.points[this.state.point ?? -1];
        return point
            ? `${point.label}, ${point.dataset.label}: ${this.describe(point.dataset.data[point.index])}`
            : "";
    }

    onKeydown(ev) {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[ev.key];
        const points = this.points;
        if (step && points.length) {
            const start = step > 0 ? -1 : points.length;
            this.mark(Math.min(Math.max((this.state.point ?? start) + step, 0), points.length - 1));
        } else if ((ev.key === "Enter" || ev.key === " ") && points[this.state.point ?? -1]) {
            const { index, dataset } = points[this.state.point];
            this.props.onClick(index, dataset.key);
        } else {
            return;
        }
        ev.preventDefault();
    }

    /** Show the value that was reached as a pointer would. */
    mark(number) {
        this.state.point = number;
        const point = this.points[number ?? -1];
        const active = point ? [{ datasetIndex: this.props.datasets.indexOf(point.dataset), index: point.index }] : [];
        this.chart.setActiveElements(active);
        this.chart.tooltip.setActiveElements(active, { x: 0, y: 0 });
        this.chart.update();
    }

    draw() {
        this.chart?.destroy();
        const scheme = cookie.get("color_scheme");
        const ink = getCustomColor(scheme, "#374151", "#E4E4E4");
        const grid = getCustomColor(scheme, "#E5E7EB", "#3C3E4B");
        const datasets = this.props.datasets.map((dataset) => {
            const pick = (number) => (number === "ink" ? ink : getColor(number, scheme, "sm"));
            const color = Array.isArray(dataset.color) ? dataset.color.map(pick) : pick(dataset.color);
            return { backgroundColor: color, borderColor: color, pointBackgroundColor: color, ...dataset };
        });
        const categories = { stacked: this.props.stacked, grid: { display: false }, ticks: { color: ink } };
        const values = {
            stacked: this.props.stacked,
            beginAtZero: true,
            grid: { color: grid },
            ticks: { color: ink, maxTicksLimit: 6, callback: (value) => this.props.format(value) },
        };
        this.chart = new Chart(this.canvas.el, {
            type: this.props.type,
            data: { labels: this.props.labels, datasets },
            options: {
                maintainAspectRatio: false,
                animation: false,
                interaction: { mode: "index", intersect: false },
                onClick: (event, elements) => {
                    const element = this.chart.getElementsAtEventForMode(event, "nearest", { intersect: true }, false)[0];
                    const target = element || elements[0];
                    if (target && this.props.onClick) {
                        this.props.onClick(target.index, datasets[target.datasetIndex].key);
                    }
                },
                onHover: (event, elements) => {
                    event.native.target.style.cursor = elements.length && this.props.onClick ? "pointer" : "default";
                },
                plugins: {
                    legend: {
                        display: datasets.length > 1,
                        position: "bottom",
                        labels: { color: ink, boxWidth: 12 },
                    },
                    tooltip: {
                        callbacks: {
                            label: (item) => `${item.dataset.label}: ${this.describe(item.dataset.data[item.dataIndex])}`,
                        },
                    },
                },
                indexAxis: this.props.horizontal ? "y" : "x",
                scales: this.props.horizontal ? { x: values, y: categories } : { x: categories, y: values },
            },
        });
    }
}
