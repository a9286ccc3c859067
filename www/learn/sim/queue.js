/*
 * The queue to play with: its picture, and the response time over the utilisation: the formula as a curve, the
 * simulation as a point that moves there, and what zclab measured. Nothing runs before somebody starts it: a page
 * that computes would disturb what is measured beside it.
 */
import { median, values } from "../figures.js";
import { keptRows, ownRows } from "../measured.js";
import { choice, element, shape, slider } from "./making.js";
import { Queue, closedForm, utilisation } from "./queue-model.js";

const LOAD_MOST = 1.25; // of the chart, to the right
const TIMES_MOST = 12; // and upwards: response times, in service times
const CHART = { height: 270, left: 44, right: 12, top: 14, bottom: 46 };
const SCENE = { height: 62, box: 24, step: 30 };
const POINTS_MOST = 40;
const SPEEDS = [["1", "as it happens"], ["30", "30 times as fast"], ["all", "as fast as possible"]];
const EVENTS_PER_FRAME = 20000;
const TOLD_AFTER = [100, 1000, 10000, 100000, 1000000];
const MEASURED_AS = { exponential: "varying", constant: "fixed" };

/* ---- words ---- */

function number(value, digits = 2) {
    if (value === Infinity) return "without limit";
    return Number.isFinite(value) ? value.toFixed(digits) : "–";
}

function milliseconds(seconds) {
    if (!Number.isFinite(seconds)) return number(seconds);
    return seconds >= 10 ? `${number(seconds, 1)} s` : `${number(seconds * 1000, seconds >= 1 ? 0 : 1)} ms`;
}

function percent(share) {
    return Number.isFinite(share) ? `${number(share * 100, 1)} %` : "–";
}

/* ---- controls ---- */

function controlsMake() {
    return element("fieldset", {}, element("legend", {}, "The queue"),
        slider("rate", "Requests that come", "per second", { least: 0.5, most: 40, step: 0.5, value: 5 }),
        slider("service", "Time to serve one", "ms", { least: 20, most: 200, step: 10, value: 100 }),
        slider("servers", "Servers", "", { least: 1, most: 6, step: 1, value: 1 }),
        choice("kind", "Service times", [["exponential", "vary (exponential)"], ["constant", "are all the same"]],
            "exponential"),
        choice("speed", "Speed", SPEEDS, "30"),
        element("label", {}, "Seed: the same one, the same requests",
            element("input", { type: "number", name: "seed", min: 1, max: 999999, step: 1, value: 1 })));
}

/* ---- the chart ---- */

class Chart {
    constructor() {
        this.svg = shape("svg", { role: "img" });
        this.title = shape("title");
        this.width = 0;
    }

    x(load) {
        const room = this.width - CHART.left - CHART.right;
        return CHART.left + room * Math.min(load, LOAD_MOST) / LOAD_MOST;
    }

    y(times) {
        const room = CHART.height - CHART.top - CHART.bottom;
        return CHART.height - CHART.bottom - room * Math.min(times, TIMES_MOST) / TIMES_MOST;
    }

    draw(width, picture) {
        this.width = width;
        this.svg.setAttribute("viewBox", `0 0 ${width} ${CHART.height}`);
        this.svg.replaceChildren(this.title, ...this.axes(), this.curve(picture.parameters),
            ...picture.measured.flatMap(({ points, mark }) => points.map((point) => this.mark(point, mark))),
            ...picture.before.map((point) => this.mark(point, "before")),
            ...(picture.now ? [this.mark(picture.now, "now")] : []));
        this.title.textContent = picture.words;
    }

    axes() {
        const [left, right] = [this.x(0), this.x(LOAD_MOST)];
        const [bottom, top] = [this.y(0), this.y(TIMES_MOST)];
        const made = [];
        for (const times of [1, 3, 6, 9, 12]) {
            made.push(shape("path", { class: "grid", d: `M${left} ${this.y(times)}H${right}` }),
                shape("text", { class: "soft right", x: left - 6, y: this.y(times) + 4 }, `${times}×`));
        }
        for (const load of [0, 0.25, 0.5, 0.75, 1, 1.25]) {
            made.push(shape("text", { class: "soft mid", x: Math.min(this.x(load), right - 12), y: bottom + 18 },
                `${load * 100}`));
        }
        made.push(shape("path", { class: "grid", d: `M${this.x(1)} ${top}V${bottom}` }),
            shape("path", { class: "axis", d: `M${left} ${top}V${bottom}H${right}` }),
            shape("text", { class: "mid", x: (left + right) / 2, y: bottom + 38 }, "utilisation, in %"),
            // Two short lines below the border, where arrows stand, and left of where the curve rises.
            shape("text", { x: left + 6, y: top + 24 }, "response time,"),
            shape("text", { x: left + 6, y: top + 40 }, "in service times"));
        return made;
    }

    curve({ servers, service }) {
        const steps = [];
        let exact = true;
        for (let load = 0; load < 0.995; load += 0.005) {
            const theory = closedForm({ arrivalRate: load * servers, serviceTime: 1, servers, service });
            exact = theory.exact;
            if (theory.response > TIMES_MOST) break;
            steps.push(`${this.x(load).toFixed(1)} ${this.y(theory.response).toFixed(1)}`);
        }
        return shape("path", { class: exact ? "curve" : "curve approximate", d: `M${steps.join("L")}` });
    }

    /* A point; one that lies outside of the chart is an arrow at its border. */
    mark({ load, times }, kind) {
        const [x, y] = [this.x(load), this.y(times)];
        if (times > TIMES_MOST) return shape("path", { class: kind, d: `M${x} ${y - 8}l6 11h-12z` });
        if (load > LOAD_MOST) return shape("path", { class: kind, d: `M${x + 8} ${y}l-11 6v-12z` });
        if (kind === "measured") return shape("rect", { class: kind, x: x - 4.5, y: y - 4.5, width: 9, height: 9 });
        if (kind === "mine") return shape("path", { class: kind, d: `M${x} ${y - 7}l7 7l-7 7l-7 -7z` });
        return shape("circle", { class: kind, cx: x, cy: y, r: kind === "now" ? 7 : 4 });
    }
}

/* ---- the picture of the queue ---- */

function sceneDraw(svg, width, queue) {
    const right = width - 6;
    const servers = queue.servers;
    const from = right - servers * SCENE.step - 14;
    const room = Math.max(1, Math.floor((from - 10) / 16));
    const shown = Math.min(room, queue.waitingCount);
    const made = [];
    for (let i = 0; i < servers; i++) {
        const busy = queue.ends[i] < Infinity;
        made.push(shape("rect", { class: busy ? "busy" : "box", x: right - (servers - i) * SCENE.step, y: 8,
            width: SCENE.box, height: SCENE.box, rx: 4 }));
    }
    for (let i = 0; i < shown; i++) made.push(shape("circle", { class: "request", cx: from - 8 - i * 16, cy: 20, r: 5.5 }));
    const more = queue.waitingCount - shown;
    made.push(shape("text", { x: 2, y: 54 }, `waiting: ${queue.waitingCount}${more > 0 ? `, ${more} of them not drawn` : ""}`),
        shape("text", { class: "right", x: right, y: 54 }, `served now: ${queue.busy}`));
    svg.setAttribute("viewBox", `0 0 ${width} ${SCENE.height}`);
    svg.replaceChildren(...made);
}

/* ---- what was measured ---- */

/* Points of the open loop for each kind of service: { fixed: [{ load, times }], varying: … }. */
export function pointsOf(rows) {
    const points = {};
    for (const service of Object.values(MEASURED_AS)) {
        const where = { sweep: "load", loop: "open", service };
        const loads = [...new Set(values(rows, "load_of_capacity", where))].sort((a, b) => a - b);
        points[service] = loads.map((load) => {
            const one = { ...where, load_of_capacity: String(load) };
            return { load, times: median(values(rows, "mean_us", one)) / median(values(rows, "service_us", one)) };
        }).filter(({ times }) => Number.isFinite(times));
    }
    return points;
}

/* ---- all together ---- */

class Simulation {
    constructor(place) {
        this.controls = controlsMake();
        this.chart = new Chart();
        this.scene = shape("svg", { "aria-hidden": "true" });
        this.start = element("button", { type: "button" }, "Start");
        this.step = element("button", { type: "button" }, "One step");
        this.again = element("button", { type: "button" }, "From the beginning");
        this.clear = element("button", { type: "button" }, "Remove old points");
        this.legend = element("p", { class: "said" });
        this.caption = element("caption");
        this.body = element("tbody");
        this.said = element("p", { class: "said", role: "status" });
        this.points = element("tbody");
        this.measured = { kept: {}, own: {} };
        this.before = [];
        this.isRunning = false;
        place.append(this.controls,
            element("div", { class: "buttons" }, this.start, this.step, this.again, this.clear),
            this.scene, this.chart.svg, this.legend,
            element("table", {}, this.caption, element("thead", {}, this.headRow("Mean", "Simulation", "Formula")), this.body),
            this.said, this.pointsTable());
        this.listen(place);
        this.renew();
    }

    headRow(...names) {
        return element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name)));
    }

    pointsTable() {
        return element("details", {}, element("summary", {}, "The measured points, beside the formulas"),
            element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Measured points" },
                element("table", {}, element("caption", {}, "Response time in service times, one server"),
                    element("thead", {}, this.headRow("Service", "Load", "Formula", "Kept", "Yours")), this.points)));
    }

    listen(place) {
        this.controls.addEventListener("input", (event) => {
            if (event.target.name !== "speed") this.renew();
        });
        this.start.addEventListener("click", () => this.run(!this.isRunning));
        this.step.addEventListener("click", () => {
            this.run(false);
            this.queue.advance(Infinity, 1);
            this.draw();
            this.tell();
        });
        this.again.addEventListener("click", () => this.renew());
        this.clear.addEventListener("click", () => {
            this.before = [];
            this.draw();
        });
        new ResizeObserver(() => requestAnimationFrame(() => this.draw())).observe(place);
        document.addEventListener("visibilitychange", () => {
            if (document.hidden) this.run(false);
        });
    }

    value(name) {
        return this.controls.querySelector(`[name="${name}"]`).value;
    }

    parameters() {
        return {
            arrivalRate: Number(this.value("rate")), serviceTime: Number(this.value("service")) / 1000,
            servers: Number(this.value("servers")), service: this.value("kind"), seed: Number(this.value("seed")) || 1,
        };
    }

    /* Starts anew with what the controls say; where it stood stays as a small point. */
    renew() {
        const point = this.queue && this.queue.served >= 200 ? this.pointNow() : null;
        if (point) this.before = [...this.before, point].slice(-POINTS_MOST);
        this.queue = new Queue(this.parameters());
        this.toldAfter = 0;
        this.draw();
    }

    run(on) {
        if (on === this.isRunning) return;
        this.isRunning = on;
        this.start.textContent = on ? "Pause" : "Start";
        this.last = undefined;
        if (on) requestAnimationFrame((now) => this.frame(now));
        else this.tell();
    }

    frame(now) {
        if (!this.isRunning) return;
        const passed = Math.min(0.1, (now - (this.last ?? now)) / 1000);
        const speed = this.value("speed");
        this.last = now;
        if (speed === "all") this.queue.advance(Infinity, EVENTS_PER_FRAME);
        else this.queue.advance(this.queue.time + passed * Number(speed), EVENTS_PER_FRAME);
        this.draw();
        const due = TOLD_AFTER.filter((count) => count <= this.queue.served).length;
        if (due > this.toldAfter) this.tell();
        this.toldAfter = due;
        requestAnimationFrame((next) => this.frame(next));
    }

    pointNow() {
        const { response } = this.queue.statistics();
        return { load: utilisation(this.queue), times: response / this.queue.serviceTime };
    }

    /* Only one server was measured, so that only its curve has measured points. */
    measuredShown() {
        const { servers, service } = this.parameters();
        if (servers > 1) return [];
        const as = MEASURED_AS[service];
        return [["kept", "measured"], ["own", "mine"]]
            .map(([whose, mark]) => ({ points: this.measured[whose][as] ?? [], mark }));
    }

    draw() {
        const parameters = this.parameters();
        const width = Math.max(260, Math.round(this.chart.svg.getBoundingClientRect().width) || 320);
        const now = this.queue.served > 0 ? this.pointNow() : null;
        sceneDraw(this.scene, width, this.queue);
        this.chart.draw(width, { parameters, now, before: this.before, measured: this.measuredShown(),
            words: `Response time over utilisation; ${now ? `now ${number(now.times)} service times at ${percent(now.load)}` : "no request was served yet"}` });
        this.tableFill(parameters);
        this.legendFill(parameters);
        this.clear.disabled = this.before.length === 0;
    }

    tableFill(parameters) {
        const seen = this.queue.statistics();
        const theory = closedForm(parameters);
        const rows = [
            ["Utilisation", percent(seen.utilisation), percent(theory.utilisation)],
            ["Waiting time", milliseconds(seen.waiting), milliseconds(theory.waiting)],
            ["Response time", milliseconds(seen.response), milliseconds(theory.response)],
            ["Requests in the system", number(seen.present), number(theory.present)],
            ["Served per second × response time", number(seen.throughput * seen.response),
                "the line above (Little)"],
        ];
        const kind = `${parameters.service === "constant" ? "M/D/" : "M/M/"}${parameters.servers}`;
        this.caption.textContent = `${kind}, after ${seen.served} requests` +
            (theory.exact ? "" : "; no short formula is known, so this one is an approximation");
        while (this.body.rows.length < rows.length) {
            this.body.append(element("tr", {}, element("th", { scope: "row" }), element("td"), element("td")));
        }
        rows.forEach((texts, i) => texts.forEach((text, column) => {
            const cell = this.body.rows[i].cells[column];
            if (cell.textContent !== text) cell.textContent = text;
        }));
    }

    legendFill({ servers }) {
        const parts = ["Line: the formula. Filled circle: this simulation; small circles: where it was before."];
        if (servers > 1) parts.push("zclab measures one server only, so that no measured points are shown here.");
        else {
            parts.push("Squares: measured by zclab, kept.");
            if (this.measuredShown()[1].points.length > 0) parts.push("Diamonds: measured by you.");
        }
        parts.push("An arrow at the upper border: higher than the chart.");
        const text = parts.join(" ");
        if (this.legend.textContent !== text) this.legend.textContent = text;
    }

    tell() {
        const { served, response } = this.queue.statistics();
        const theory = closedForm(this.parameters());
        this.said.textContent = served === 0 ? "No request was served yet." :
            `After ${served} requests the mean response time is ${milliseconds(response)}; the formula says ` +
            `${milliseconds(theory.response)}.`;
    }

    async measuredRead() {
        const [kept, mine] = await Promise.all([keptRows("queueing"), ownRows("queueing")]);
        this.measured = { kept: pointsOf(kept), own: pointsOf(mine) };
        const at = (list, load) => number(list?.find((point) => point.load === load)?.times);
        for (const [service, as] of Object.entries(MEASURED_AS)) {
            const [a, b] = [this.measured.kept[as], this.measured.own[as]];
            const loads = [...new Set([...a, ...b].map(({ load }) => load))].sort((x, y) => x - y);
            for (const load of loads) {
                const theory = closedForm({ arrivalRate: load, serviceTime: 1, service });
                this.points.append(element("tr", {}, element("th", { scope: "row" }, as),
                    ...[percent(load), number(theory.response), at(a, load), at(b, load)]
                        .map((text) => element("td", {}, text))));
            }
        }
        this.draw();
    }
}

export async function mount(place) {
    const simulation = new Simulation(place);
    await simulation.measuredRead();
}
