/*
 * A server that stands still, seen by a closed loop and by an open one: each request as a line, over ten seconds, and
 * what either load tells as percentiles. It can be watched as it happens; nothing runs by itself.
 */
import { button, choice, element, picture, pictureFill, rowsFill, shape, slider, tableMake, valueOf } from "./making.js";
import { closedLoop, corrected, openLoop, stallsOf, summary } from "./omission-model.js";

const SECONDS = 10;
const PLAYED_IN_MS = 6000; // the ten seconds, as they are watched
const CHART = { height: 390, left: 66, right: 12, top: 26, panel: 128, between: 58 };

function time(ms) {
    if (!Number.isFinite(ms)) return "–";
    if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
    return `${ms.toFixed(ms >= 10 ? 0 : 1)} ms`;
}

class Simulation {
    constructor(place) {
        this.controls = element("fieldset", {}, element("legend", {}, "A server, and requests for ten seconds"),
            slider("perSecond", "Requests that should come", "per second", { least: 10, most: 200, step: 10, value: 100 }),
            slider("serviceMs", "The server needs", "ms for each", { least: 1, most: 12, step: 1, value: 1 }),
            slider("stallMs", "It stands still for", "ms", { least: 0, most: 2000, step: 100, value: 1000 }),
            choice("stalls", "How often", [["1", "once"], ["2", "twice"]], "1"),
            choice("arrivals", "Requests come", [["even", "at equal distances"], ["random", "when they like (Poisson)"]],
                "even"));
        this.play = button("Watch");
        this.all = button("Show all ten seconds");
        this.said = element("p", { class: "said", role: "status" });
        const { table, body } = tableMake("What each tells", "Load", "Requests", "p50", "p90", "p99", "Slowest");
        this.body = body;
        place.append(this.controls, element("div", { class: "buttons" }, this.play, this.all));
        this.picture = picture(place, (svg, width) => this.draw(svg, width));
        place.append(element("p", { class: "said" },
            "Each line is a request: where it stands, it was sent; so high as it is, so long did it take, as its client " +
            "says. In the box the server stands still."),
            this.said, element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "What each load tells" },
                table));
        this.controls.addEventListener("input", () => this.renew());
        this.play.addEventListener("click", () => this.playOrPause());
        this.all.addEventListener("click", () => this.showTo(SECONDS * 1000));
        document.addEventListener("visibilitychange", () => {
            if (document.hidden) this.pause();
        });
        this.renew();
    }

    renew() {
        this.pause();
        const number = (name) => Number(valueOf(this.controls, name));
        this.plan = { seconds: SECONDS, perSecond: number("perSecond"), serviceMs: number("serviceMs"),
            stallMs: number("stallMs"), stalls: number("stalls"), arrivals: valueOf(this.controls, "arrivals"), seed: 1 };
        this.stalls = stallsOf(this.plan);
        this.open = openLoop(this.plan);
        this.closed = closedLoop(this.plan);
        this.highest = Math.max(100, ...this.open.map(({ told }) => told), ...this.closed.map(({ told }) => told));
        this.showTo(SECONDS * 1000);
    }

    /* ---- time ---- */

    playOrPause() {
        if (this.isRunning) {
            this.pause();
            return;
        }
        if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
            this.showTo(SECONDS * 1000);
            return;
        }
        if (this.until >= SECONDS * 1000) this.until = 0;
        this.isRunning = true;
        this.play.textContent = "Pause";
        this.last = undefined;
        requestAnimationFrame((now) => this.frame(now));
    }

    pause() {
        this.isRunning = false;
        this.play.textContent = "Watch";
    }

    frame(now) {
        if (!this.isRunning) return;
        const passed = Math.min(100, now - (this.last ?? now));
        this.last = now;
        this.until = Math.min(SECONDS * 1000, this.until + passed * SECONDS * 1000 / PLAYED_IN_MS);
        this.picture.redraw();
        if (this.until >= SECONDS * 1000) this.showTo(this.until);
        else requestAnimationFrame((next) => this.frame(next));
    }

    /* Stands still there, and tells what was seen until then. */
    showTo(until) {
        this.pause();
        this.until = until;
        this.tell();
        this.picture.redraw();
    }

    /* ---- figures ---- */

    tell() {
        const told = (requests) => requests.map((request) => request.told);
        const closed = summary(told(this.closed));
        const open = summary(told(this.open));
        const mended = summary(corrected(told(this.closed), 1000 / this.plan.perSecond));
        const row = (name, s) => [name, `${s.count}`, time(s.p50), time(s.p90), time(s.p99), time(s.max)];
        rowsFill(this.body, [row("Closed", closed), row("Open", open), row("Closed, corrected", mended)]);
        const missing = this.open.length - this.closed.length;
        this.said.textContent = `The closed loop tells a p99 of ${time(closed.p99)}, the open one ${time(open.p99)}. ` +
            `The closed loop sent ${missing} ${missing === 1 ? "request" : "requests"} fewer.`;
    }

    /* ---- the picture ---- */

    draw(svg, width) {
        if (!this.plan || this.until === undefined) return;
        const second = CHART.top + CHART.panel + CHART.between;
        pictureFill(svg, width, CHART.height,
            `Two charts of ten seconds: requests of the closed loop and of the open loop. ${this.said.textContent} ` +
            "The table below has the figures.",
            [...this.panel("Closed loop", this.closed, CHART.top, width), ...this.panel("Open loop", this.open, second, width),
                shape("text", { class: "mid", x: width / 2, y: CHART.height - 6 }, "time, in seconds")]);
    }

    panel(name, requests, top, width) {
        const [left, right, bottom] = [CHART.left, width - CHART.right, top + CHART.panel];
        const x = (ms) => left + (right - left) * Math.min(ms, SECONDS * 1000) / (SECONDS * 1000);
        const y = (ms) => bottom - (CHART.panel - 6) * ms / this.highest;
        const shown = requests.filter(({ ended }) => ended <= this.until || this.until >= SECONDS * 1000);
        const lines = shown.map(({ sent, told }) =>
            `M${x(sent).toFixed(1)} ${bottom}V${Math.min(bottom - 2, y(told)).toFixed(1)}`).join("");
        const made = this.stalls.filter(({ from }) => from < this.until).map(({ from, to }) => shape("rect",
            { class: "box", x: x(from), y: top, width: x(Math.min(to, this.until)) - x(from), height: CHART.panel }));
        made.push(shape("text", { x: left, y: top - 8 }, `${name}: ${shown.length} answered`));
        for (const part of [0, 0.5, 1]) {
            const at = y(this.highest * part);
            made.push(shape("path", { class: "grid", d: `M${left} ${at}H${right}` }),
                shape("text", { class: "soft right", x: left - 5, y: at + 5 }, part === 0 ? "0" : time(this.highest * part).replace(".00", "")));
        }
        for (const s of [0, 2, 4, 6, 8, 10]) {
            made.push(shape("text", { class: "soft mid", x: Math.min(x(s * 1000), right - 6), y: bottom + 18 }, `${s}`));
        }
        made.push(shape("path", { class: "axis", d: `M${left} ${top}V${bottom}H${right}` }),
            shape("path", { class: "curve", d: lines || "M0 0" }));
        return made;
    }
}

export function mount(place) {
    new Simulation(place);
}
