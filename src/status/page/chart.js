/*
 * A chart: a figure with a title, a canvas, and a legend that shows the values at the cursor, else
 * the latest values. For keyboards and screen readers the canvas is a slider over time.
 *
 * A description says what it shows: { id, title, unit, kind: "lines" | "stack" | "heat", format,
 * ofTime, most, series: [{ name, value(figures) }], note(figures, view), of(view) }. `ofTime`: the
 * values are durations, and use the scale that is chosen for latency.
 */
import { element, textSet } from "./dom.js";
import { clock, si } from "./format.js";
import { rowLeast } from "./histogram.js";
import * as plot from "./plot.js";
import { linearScale, logScale } from "./scale.js";

export class Chart {
    /* onCursor(time or null) is called when the cursor moves. */
    constructor(description, onCursor) {
        this.description = description;
        this.onCursor = onCursor;
        this.view = null;
        this.note = element("span", { class: "note" });
        this.canvas = element("canvas", {
            tabindex: 0, role: "slider", "aria-label": `${description.title}, over time`,
            "aria-valuemin": 0, "aria-valuemax": 0, "aria-valuenow": 0,
        });
        this.values = description.series.map(() => element("b"));
        this.legend = element("ul", { class: "legend" }, ...description.series.map((series, i) =>
            element("li", {}, element("i", { class: `swatch ${description.kind} series-${i + 1}` }),
                `${series.name} `, this.values[i])));
        this.figure = element("figure", { id: description.id, class: `panel ${description.kind}` },
            element("figcaption", {}, element("h2", {}, description.title), this.note),
            this.canvas, this.legend);
        this.pointers();
    }

    pointers() {
        const { canvas } = this;
        canvas.addEventListener("pointermove", (event) => this.onCursor(this.timeAt(event.offsetX)));
        canvas.addEventListener("pointerleave", () => this.onCursor(null));
        canvas.addEventListener("keydown", (event) => {
            const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
            if (event.key === "Home") this.step(-Infinity);
            else if (event.key === "End") this.onCursor(null);
            else if (step) this.step(step);
            else return;
            event.preventDefault();
        });
        canvas.addEventListener("blur", () => this.onCursor(null));
    }

    timeAt(x) {
        if (!this.frame) return null;
        const { left, right } = this.frame;
        const share = Math.min(1, Math.max(0, (x - left) / (right - left)));
        return this.view.from + share * (this.view.to - this.view.from);
    }

    /* Moves the cursor by `by` readings. Behind the newest reading there is no cursor. */
    step(by) {
        const entries = this.view?.entries ?? [];
        if (entries.length === 0) return;
        const { cursor } = this.view;
        const at = cursor === null ? entries.length - 1 : nearest(entries, cursor);
        const next = Math.max(0, at + by);
        this.onCursor(next >= entries.length ? null : entries[next].time);
    }

    draw(view) {
        this.view = view;
        const shown = view.entries.filter((entry) => view.pick(entry));
        if (view.seen.has(this.canvas)) this.paint(view, shown);
        this.tell(view, shown);
    }

    paint(view, shown) {
        const times = shown.map((entry) => entry.time);
        const figures = shown.map(view.pick);
        const breaks = shown.map((entry) => entry.afterBreak);
        if (this.description.kind === "heat") this.drawHeat(view, figures);
        else this.drawSeries(view, times, figures, breaks);
        plot.clipped(this.frame, () => {
            times.forEach((time, i) => {
                if (breaks[i]) plot.markDraw(this.frame, time, view.theme.accent, [3, 3]);
            });
            if (view.cursor !== null) plot.markDraw(this.frame, view.cursor, view.theme.ink);
        });
    }

    drawSeries(view, times, figures, breaks) {
        const { series, kind } = this.description;
        const values = series.map(({ value }) => figures.map(value));
        const stacked = kind === "stack" ? stackUp(values) : values;
        this.frame = plot.frameDraw(this.canvas, view, this.scaleOf(stacked, view), this.description);
        plot.clipped(this.frame, () => {
            stacked.forEach((upper, i) => {
                const colour = view.theme.series[i % view.theme.series.length];
                if (kind === "lines") plot.lineDraw(this.frame, times, upper, breaks, colour, i);
                else {
                    const lower = i > 0 ? stacked[i - 1] : upper.map(() => 0);
                    plot.areaDraw(this.frame, times, lower, upper, breaks, colour);
                }
            });
        });
    }

    scaleOf(values, view) {
        const { ofTime, kind, most } = this.description;
        const present = values.flat().filter((value) => Number.isFinite(value));
        if (!ofTime || kind === "stack" || !view.log) {
            return linearScale(most ?? present.reduce((top, value) => Math.max(top, value), 0));
        }
        const positive = present.filter((value) => value > 0);
        return logScale(Math.min(...positive), Math.max(...positive));
    }

    drawHeat(view, figures) {
        const columns = plot.heatColumns(view.entries, view.pick, view, this.canvas.clientWidth);
        const scale = heatScale(figures, view.log);
        const most = plot.heatMost(columns);
        this.frame = plot.frameDraw(this.canvas, view, scale, this.description);
        plot.clipped(this.frame, () => plot.heatDraw(this.frame, columns, most, view.theme));
        plot.heatKey(this.frame, most, view.theme, si);
    }

    /* Updates the legend, the note, and the text of the slider for screen readers. */
    tell(view, shown) {
        const { series, format, note, title } = this.description;
        const entry = shown[view.cursor === null ? shown.length - 1 : nearest(shown, view.cursor)];
        const figures = entry && view.pick(entry);
        const texts = series.map(({ value }) => (figures ? format(value(figures)) : "–"));
        texts.forEach((text, i) => textSet(this.values[i], text));
        textSet(this.note, figures && note ? note(figures, view) : "");
        // A new text each second would be too much to listen to, so only a moved cursor sets it.
        if (document.activeElement === this.canvas && view.cursor === null) return;
        const said = series.map(({ name }, i) => `${name} ${texts[i]}`).join(", ");
        const at = entry ? clock(entry.time) : "";
        this.canvas.setAttribute("aria-valuetext", entry ? `${at}: ${said || title}` : "no figures yet");
        this.canvas.setAttribute("aria-valuemax", Math.max(0, shown.length - 1));
        this.canvas.setAttribute("aria-valuenow", Math.max(0, entry ? shown.indexOf(entry) : 0));
    }
}

/* Returns the index of the entry whose time is nearest. */
function nearest(entries, time) {
    let best = 0;
    entries.forEach((entry, i) => {
        if (Math.abs(entry.time - time) < Math.abs(entries[best].time - time)) best = i;
    });
    return best;
}

/* Stacks each series on those before it. A value that is not known has the height 0. */
function stackUp(values) {
    const tops = [];
    values.forEach((own, i) => {
        tops.push(own.map((value, at) => (Number.isFinite(value) ? value : 0) + (i > 0 ? tops[i - 1][at] : 0)));
    });
    return tops;
}

/*
 * Returns a scale from the lowest row in use to the highest. A linear scale ends at 1.5 times the
 * largest p99, so that one stall does not make everything else flat.
 */
export function heatScale(figures, log) {
    let low = Infinity;
    let high = -Infinity;
    let usual = 0;
    for (const { latency } of figures) {
        if (latency.rows.length === 0) continue;
        low = Math.min(low, latency.rows[0][0]);
        high = Math.max(high, latency.rows[latency.rows.length - 1][0]);
        usual = Math.max(usual, latency.p99);
    }
    if (!log) return linearScale(usual * 1.5);
    return high < low ? logScale(1e-6, 1e-2) : logScale(rowLeast(low), rowLeast(high + 1));
}
