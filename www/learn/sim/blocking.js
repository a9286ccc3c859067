/*
 * Two threads with the same three clients, side by side in time: one waits in each call, the other never does but in
 * epoll_wait(). Forward, back, play; the keys of the arrows, Home, End and P do the same. What is drawn is said in words
 * below it, too. Nothing moves before somebody asks for it.
 */
import { MODES, STATES, STEPS, callText, clientWords, costs, trace, words } from "./blocking-model.js";

const STEP_MS = 1500;
const TITLES = { blocking: "Calls that wait", nonblocking: "Calls that do not wait" };
const LANE = { height: 176, thread: 26, threadHeight: 40, client: 106, clientHeight: 52, gap: 8, edge: 2 };

function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
}

function shape(name, attributes = {}, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
}

function text(x, y, line, attributes = {}) {
    return shape("text", { x, y, class: "mid", ...attributes }, line);
}

/* ---- the picture ---- */

function resultText({ sleeps, result }) {
    if (sleeps) return "sleeps";
    return Array.isArray(result) ? `${result.join(", ")} ready` : result;
}

function threadDraw(frame, top, width) {
    const y = top + LANE.thread;
    return [
        shape("rect", {
            x: LANE.edge, y, width: width - 2 * LANE.edge, height: LANE.threadHeight, rx: 4,
            class: frame.sleeps ? "axis approximate" : "mine",
        }),
        text(width / 2, y + 25, `${callText(frame)} → ${resultText(frame)}`, frame.sleeps ? {} : { "font-weight": 700 }),
    ];
}

function clientDraw(name, client, x, top, width) {
    const y = top + LANE.client, middle = x + width / 2;
    const here = client.state === "waits" || client.state === "taken";
    const steps = `${client.state === "waits" ? "for" : "after"} ${client.waited} ${client.waited === 1 ? "step" : "steps"}`;
    return [
        shape("rect", {
            x, y, width, height: LANE.clientHeight, rx: 4, class: here ? "mine" : "box",
        }),
        text(middle, y + 17, name, { "font-weight": 700 }),
        text(middle, y + 32, STATES[client.state], { "font-size": 12, class: here ? "mid" : "mid soft" }),
        text(middle, y + 46, client.state === "silent" ? "" : steps, { "font-size": 12, class: "mid soft" }),
    ];
}

/* From the thread to whom it calls for; to all of them while it waits for any. */
function linesDraw(frame, names, middles, top) {
    const from = top + LANE.thread + LANE.threadHeight, to = top + LANE.client;
    return names.filter((name) => frame.call === "epoll_wait" || frame.of === name).map((name) =>
        shape("path", { d: `M${middles[name]} ${from}V${to}`, class: frame.sleeps ? "axis approximate" : "before" }));
}

function laneDraw(mode, frame, top, width) {
    const names = Object.keys(frame.clients);
    const each = (width - 2 * LANE.edge - (names.length - 1) * LANE.gap) / names.length;
    const left = (i) => LANE.edge + i * (each + LANE.gap);
    const middles = Object.fromEntries(names.map((name, i) => [name, left(i) + each / 2]));
    return [
        shape("text", { x: LANE.edge, y: top + 15, "font-weight": 700 }, TITLES[mode]),
        ...linesDraw(frame, names, middles, top),
        ...threadDraw(frame, top, width),
        ...names.flatMap((name, i) => clientDraw(name, frame.clients[name], left(i), top, each)),
    ];
}

/* ---- the words ---- */

function laneWords(mode, frames, step) {
    const frame = frames[step];
    const clients = Object.entries(frame.clients).map(([name, client]) => `${name} ${clientWords(client)}`).join("; ");
    return `${TITLES[mode]}: ${words(frame)} ${clients}.`;
}

function endWords(traces) {
    const [blocked, free] = MODES.map((mode) => costs(traces[mode], STEPS - 1));
    return `All are answered. The clients waited for ${blocked.waited} steps together where calls wait, and for ` +
        `${free.waited} where they do not; that cost ${free.eagain} calls that found nothing.`;
}

/* ---- the simulation ---- */

class Simulation {
    constructor(place) {
        this.traces = Object.fromEntries(MODES.map((mode) => [mode, trace(mode)]));
        this.step = 0;
        this.timer = null;
        this.svg = shape("svg", { "aria-hidden": "true" });
        this.count = element("p", { class: "said" });
        this.lines = MODES.map(() => element("p", { class: "said" }));
        this.end = element("p", { class: "said" });
        this.said = element("div", { role: "status" }, this.count, ...this.lines, this.end);
        this.buttonsMake();
        place.setAttribute("role", "group");
        place.setAttribute("aria-label", "Blocking and non-blocking calls, step by step");
        place.append(this.buttons, this.svg, this.said,
            element("p", { class: "said" }, "Keys, while a button has the focus: left and right arrow for one step, Home and End, P to play."));
        place.addEventListener("keydown", (event) => this.onKey(event));
        this.place = place;
        new ResizeObserver(() => requestAnimationFrame(() => this.draw())).observe(place);
        this.show();
    }

    buttonsMake() {
        const button = (name, pressed) => {
            const made = element("button", { type: "button" }, name);
            made.addEventListener("click", pressed);
            return made;
        };
        this.back = button("Back", () => this.go(this.step - 1));
        this.forward = button("Forward", () => this.go(this.step + 1));
        this.play = button("Play", () => this.playToggle());
        this.first = button("To the beginning", () => this.go(0));
        this.buttons = element("div", { class: "buttons" }, this.back, this.forward, this.play, this.first);
    }

    onKey(event) {
        const keys = {
            ArrowLeft: () => this.go(this.step - 1), ArrowRight: () => this.go(this.step + 1),
            Home: () => this.go(0), End: () => this.go(STEPS - 1), p: () => this.playToggle(), P: () => this.playToggle(),
        };
        if (event.ctrlKey || event.altKey || event.metaKey || !keys[event.key]) return;
        event.preventDefault();
        keys[event.key]();
    }

    /* A step by hand ends playing. */
    go(step) {
        this.stop();
        this.step = Math.min(STEPS - 1, Math.max(0, step));
        this.show();
    }

    playToggle() {
        if (this.timer !== null) {
            this.stop();
            this.show();
            return;
        }
        if (this.step === STEPS - 1) this.step = 0;
        this.timer = setInterval(() => this.playOn(), STEP_MS);
        this.show();
    }

    playOn() {
        this.step++;
        if (this.step === STEPS - 1) this.stop();
        this.show();
    }

    stop() {
        clearInterval(this.timer);
        this.timer = null;
    }

    /* While it plays, a reader of the screen would be told something new before it has read the old. */
    show() {
        const playing = this.timer !== null, last = this.step === STEPS - 1;
        this.said.setAttribute("aria-live", playing ? "off" : "polite");
        this.play.textContent = playing ? "Pause" : "Play";
        // Not `disabled`: a button that had the focus would lose it, and the keys with it.
        this.back.setAttribute("aria-disabled", String(this.step === 0));
        this.forward.setAttribute("aria-disabled", String(last));
        this.count.textContent = `Step ${this.step + 1} of ${STEPS}`;
        MODES.forEach((mode, i) => {
            this.lines[i].textContent = laneWords(mode, this.traces[mode], this.step);
        });
        this.end.textContent = last ? endWords(this.traces) : "";
        this.place.dataset.step = String(this.step);
        this.draw();
    }

    draw() {
        const width = Math.max(280, Math.round(this.svg.clientWidth || this.place.clientWidth || 360));
        this.svg.setAttribute("viewBox", `0 0 ${width} ${MODES.length * LANE.height}`);
        this.svg.replaceChildren(...MODES.flatMap((mode, i) =>
            laneDraw(mode, this.traces[mode][this.step], i * LANE.height, width)));
    }
}

export function mount(place) {
    new Simulation(place);
}
