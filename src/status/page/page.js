/*
 * The page itself: it takes readings, keeps what the user chose (window, scale, worker, pause,
 * cursor), and draws at most once a frame, and not while the page is hidden.
 */
import { Chart } from "./chart.js";
import { element, Seen, textSet } from "./dom.js";
import { duration, bytes } from "./format.js";
import { History } from "./history.js";
import { PANELS, TILES } from "./panels.js";
import { pollStart } from "./poll.js";
import { endsDraw, figuresDraw, processesDraw } from "./tables.js";
import { themeRead } from "./theme.js";
import { Workers } from "./workers.js";

const WINDOWS = [60, 300, 900];
const at = (id) => document.getElementById(id);

const history = new History();
const chosen = { window: 60, log: true, worker: "all", paused: false, cursor: null };
let theme = themeRead();
let arrived = 0; // when the latest reading came, by the browser's clock
let gone = ""; // why the server does not answer; empty: it does
let pausedAt = 0;
let pending = false;

const seen = new Seen(drawSoon);
const charts = PANELS.map((panel) => new Chart(panel, (time) => {
    chosen.cursor = time;
    drawSoon();
}));
at("charts").append(...charts.map(({ figure }) => figure));
at("heat").after(at("workers")); // so that an imbalance is seen without much scrolling
for (const { canvas } of charts) seen.watch(canvas);
const workers = new Workers(at("worker-table"), at("worker-note"), seen, workerChoose);
const tiles = TILES.map(([name]) => {
    const value = element("dd");
    at("tiles").append(element("div", {}, element("dt", {}, name), value));
    return value;
});

/* ---- readings ---- */

function readingTake(reading) {
    const restarted = history.add(reading);
    arrived = performance.now();
    if (gone || restarted) {
        say(restarted ? "The server was restarted; its figures begin again." : "The server answers again.");
    }
    gone = "";
    workerOptions(reading.workers.map(({ index }) => index));
    serverShow(reading);
    drawSoon();
}

function goneTake(reason) {
    if (!gone) say(`The server is gone: ${reason}. Trying again.`);
    gone = reason;
    const state = at("state");
    state.className = "state gone";
    textSet(state, "gone, trying again");
    drawSoon();
}

function serverShow({ server, total }) {
    at("state").className = `state ${server.state === "serving" ? "serving" : "draining"}`;
    textSet(at("state"), server.state);
    textSet(at("model"), server.model);
    textSet(at("version"), server.version);
    textSet(at("uptime"), duration(server.uptime_seconds));
    textSet(at("worker-count"), String(server.workers));
    textSet(at("listen"), (server.listen ?? []).join(" "));
    textSet(at("pid"), String(server.pid));
    textSet(at("root"), server.root ?? "");
    textSet(at("cache-most"), bytes(server.cache_bytes_max * server.workers));
    document.title = `${server.model} · ${total.gauges.connections} connections · zcserve`;
}

/* Shows a message at the top of the page; screen readers read it aloud. */
function say(text) {
    textSet(at("said"), text);
}

/* ---- drawing ---- */

function drawSoon() {
    if (pending || document.hidden) return;
    pending = true;
    requestAnimationFrame(() => {
        pending = false;
        draw();
    });
}

/* Returns what to show: the entries of the window, and how to get the chosen worker's figures. */
function viewMake() {
    const last = history.last();
    const seconds = chosen.window;
    const now = (last?.time ?? Date.now() / 1000) + (gone ? (performance.now() - arrived) / 1000 : 0);
    const to = chosen.paused ? pausedAt : now;
    const entries = history.since(to - seconds).filter((entry) => entry.time <= to);
    const one = chosen.worker;
    const server = history.latest?.server;
    return {
        from: to - seconds, to, entries, theme, seen,
        log: chosen.log, cursor: chosen.cursor, worker: one,
        cacheMost: server ? server.cache_bytes_max * (one === "all" ? server.workers : 1) : NaN,
        pick: (entry) => (one === "all" ? entry.total : entry.workers.get(one)),
        pickCounted: ({ counted }) => (one === "all" ? counted.total : counted.workers.get(one)) ?? counted.total,
    };
}

function draw() {
    const view = viewMake();
    for (const chart of charts) chart.draw(view);
    workers.draw(view);
    const last = view.entries[view.entries.length - 1];
    const figures = last && view.pick(last);
    TILES.forEach(([, text], i) => textSet(tiles[i], figures ? text(figures) : "–"));
    endsDraw(at("closes"), at("troubles"), view);
    if (at("processes-all").open) processesDraw(at("processes"), view);
    if (at("figures-all").open) figuresDraw(at("figures"), view);
}

/* ---- choosing ---- */

function windowChoose(seconds) {
    chosen.window = seconds;
    for (const input of document.getElementsByName("window")) input.checked = Number(input.value) === seconds;
    drawSoon();
}

function scaleChoose(log) {
    chosen.log = log;
    for (const input of document.getElementsByName("scale")) input.checked = (input.value === "log") === log;
    drawSoon();
}

function workerChoose(worker) {
    chosen.worker = worker === chosen.worker ? "all" : worker;
    at("worker").value = String(chosen.worker);
    drawSoon();
}

/* Chooses the next worker or the one before; "all" comes before the first. */
function workerStep(by) {
    const { options, selectedIndex } = at("worker");
    const option = options[(selectedIndex + by + options.length) % options.length];
    chosen.worker = option.value === "all" ? "all" : Number(option.value);
    at("worker").value = option.value;
    drawSoon();
}

function workerOptions(indexes) {
    const select = at("worker");
    if (select.options.length === indexes.length + 1) return;
    select.replaceChildren(element("option", { value: "all" }, "all"),
        ...indexes.map((index) => element("option", { value: index }, String(index))));
    if (!indexes.includes(chosen.worker)) chosen.worker = "all";
    select.value = String(chosen.worker);
}

function pauseChoose(paused) {
    chosen.paused = paused;
    pausedAt = history.last()?.time ?? Date.now() / 1000;
    at("pause").setAttribute("aria-pressed", String(paused));
    textSet(at("pause"), paused ? "Resume" : "Pause");
    say(paused ? "Paused; figures are still gathered." : "");
    drawSoon();
}

function helpToggle() {
    const help = at("help");
    if (help.open) help.close();
    else help.showModal();
}

/* Opens or closes the figures as text. They may be long, and are filled only while open. */
function textToggle() {
    const all = at("figures-all");
    all.open = !all.open;
    if (all.open) all.querySelector("summary").focus();
}

const KEYS = {
    p: () => pauseChoose(!chosen.paused),
    1: () => windowChoose(WINDOWS[0]),
    2: () => windowChoose(WINDOWS[1]),
    3: () => windowChoose(WINDOWS[2]),
    l: () => scaleChoose(!chosen.log),
    "]": () => workerStep(1),
    "[": () => workerStep(-1),
    a: () => workerChoose("all"),
    t: textToggle,
    "?": helpToggle,
};

document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
    if (at("help").open && event.key !== "?") return;
    const act = KEYS[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
});
at("pause").addEventListener("click", () => pauseChoose(!chosen.paused));
at("help-open").addEventListener("click", helpToggle);
at("worker").addEventListener("change", (event) => {
    chosen.worker = event.target.value === "all" ? "all" : Number(event.target.value);
    drawSoon();
});
at("controls").addEventListener("change", ({ target }) => {
    if (target.name === "window") windowChoose(Number(target.value));
    if (target.name === "scale") scaleChoose(target.value === "log");
});
for (const details of document.querySelectorAll("details")) details.addEventListener("toggle", drawSoon);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    theme = themeRead();
    drawSoon();
});
document.addEventListener("visibilitychange", drawSoon);
new ResizeObserver(drawSoon).observe(at("charts"));

textSet(at("zone"), Intl.DateTimeFormat().resolvedOptions().timeZone);
pollStart("status.json?buckets=page", readingTake, goneTake);
