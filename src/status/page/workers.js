/*
 * The workers side by side. Each has a row with bars on a common scale and a strip of its latency
 * over the window, so that a worker that does more, waits longer or idles is easy to see. The
 * button of a row chooses the worker for the charts.
 */
import { element, textSet } from "./dom.js";
import { imbalance } from "./figures.js";
import { rate, share, si, time } from "./format.js";
import { heatScale } from "./chart.js";
import * as plot from "./plot.js";

const COLUMNS = [
    { title: "requests/s", bar: true, value: (f) => f.requests, format: rate },
    { title: "p50", value: (f) => f.latency.p50, format: time },
    { title: "p99", bar: true, value: (f) => f.latency.p99, format: time },
    { title: "CPU", bar: true, value: (f) => f.cpu, format: share },
    { title: "connections", value: (f) => f.gauges.connections, format: si },
];

export class Workers {
    /* `table` and `note` are elements of the page; `seen` knows what is on the screen; onChoose(worker
       index) is called when a button is pressed. */
    constructor(table, note, seen, onChoose) {
        this.note = note;
        this.seen = seen;
        this.onChoose = onChoose;
        this.rows = new Map();
        this.body = element("tbody");
        const titles = ["worker", ...COLUMNS.map(({ title }) => title), "latency over the window"];
        table.append(
            element("thead", {}, element("tr", {},
                ...titles.map((title) => element("th", { scope: "col" }, title)))),
            this.body);
    }

    draw(view) {
        const last = view.entries[view.entries.length - 1];
        const workers = last ? last.workers : new Map();
        for (const [index, row] of this.rows) {
            if (!workers.has(index)) {
                row.element.remove();
                this.rows.delete(index);
            }
        }
        const most = COLUMNS.map(({ value }) =>
            [...workers.values()].map(value).filter(Number.isFinite).reduce((a, b) => Math.max(a, b), 0));
        for (const [index, figures] of workers) {
            const row = this.rows.get(index) ?? this.rowAdd(index);
            rowFill(row, figures, most, view.worker === index);
        }
        this.stripsDraw(view);
        const uneven = imbalance(workers);
        textSet(this.note, Number.isFinite(uneven) ? `busiest: ${uneven.toFixed(2)} × the mean` : "");
    }

    /* Draws the strips that are on the screen, on one scale, so that they can be compared. */
    stripsDraw(view) {
        const rows = [...this.rows].filter(([, { strip }]) => this.seen.has(strip));
        const strips = rows.map(([index, { strip }]) => ({
            strip, columns: plot.heatColumns(view.entries, (entry) => entry.workers.get(index), view, 180),
        }));
        const most = strips.reduce((top, { columns }) => Math.max(top, plot.heatMost(columns)), 0);
        const scale = heatScale(view.entries.map((entry) => entry.total), true);
        for (const { strip, columns } of strips) stripDraw(strip, columns, most, scale, view);
    }

    rowAdd(index) {
        const button = element("button", { type: "button", onclick: () => this.onChoose(index) }, String(index));
        const cells = COLUMNS.map(({ bar }) => {
            const text = element("span", { class: "value" });
            const fill = bar ? element("i", { class: "bar", "aria-hidden": "true" }) : null;
            return { text, fill, cell: element("td", {}, text, ...(fill ? [fill] : [])) };
        });
        const strip = element("canvas", { class: "strip", "aria-hidden": "true" });
        const row = {
            button, cells, strip,
            element: element("tr", {}, element("th", { scope: "row" }, button),
                ...cells.map(({ cell }) => cell), element("td", { class: "strips" }, strip)),
        };
        this.rows.set(index, row);
        this.seen.watch(strip);
        this.body.append(row.element);
        return row;
    }
}

function rowFill(row, figures, most, chosen) {
    row.button.setAttribute("aria-pressed", String(chosen));
    row.button.title = figures.pid ? `process ${figures.pid}` : "nobody there now";
    COLUMNS.forEach(({ value, format }, i) => {
        textSet(row.cells[i].text, format(value(figures)));
        const part = most[i] > 0 ? value(figures) / most[i] : 0;
        if (row.cells[i].fill) row.cells[i].fill.style.width = `${Math.round((part || 0) * 100)}%`;
    });
}

function stripDraw(canvas, columns, most, scale, view) {
    const { context, width, height } = plot.canvasClear(canvas);
    const frame = {
        context,
        x: (time) => (time - view.from) / (view.to - view.from) * width,
        y: (value) => height - scale.at(value) * height,
    };
    plot.heatDraw(frame, columns, most, view.theme);
}
