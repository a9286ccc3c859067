/*
 * The figures as text: why connections ended, what went wrong, the server's processes, and the
 * current values of all charts, for users who cannot or do not want to read charts.
 */
import { tableFill } from "./dom.js";
import { bytes, share, si } from "./format.js";
import { PANELS, TILES } from "./panels.js";

const TROUBLES = [
    ["answers_4xx", "responses 4xx"],
    ["answers_5xx", "responses 5xx"],
    ["refused", "connections refused: the table was full"],
    ["accept_pauses", "accepting paused: no descriptor or place left"],
    ["crowded", "connections ended early because others waited"],
    ["limited_connections", "connections closed: their address had too many"],
    ["limited_requests", "requests answered 429: their address sent too many"],
    ["limited_cold", "reads of the disk that waited: their address had its share"],
    ["limited_pauses", "pauses to keep the bandwidth"],
    ["limited_checks", "requests refused: too many passwords were being checked"],
    ["denied", "requests with a wrong name or password"],
    ["limited_not", "connections not limited: too many addresses"],
    ["log_dropped", "access log lines dropped"],
    ["short_sends", "sends taken only in part"],
    ["would_block", "receives and sends that found nothing (EAGAIN)"],
];

/* Returns [words, in the window, since the start] of reasons that occurred and of all troubles. */
export function endRows(view) {
    const last = view.entries[view.entries.length - 1];
    const first = view.entries.findLast((entry) => entry.afterBreak) ?? view.entries[0];
    if (!last) return { closes: [], troubles: [] };
    const now = view.pickCounted(last);
    const before = view.pickCounted(first);
    const row = (words, group, name) =>
        [words, si(Math.max(0, now[group][name] - (before?.[group][name] ?? 0))), si(now[group][name])];
    const closes = Object.keys(now.closed).filter((reason) => now.closed[reason] > 0);
    const refusals = Object.keys(now.refused_for ?? {}).filter((kind) => now.refused_for[kind] > 0);
    return {
        closes: closes.map((reason) => row(words(reason), "closed", reason)),
        troubles: [
            ...TROUBLES.filter(([name]) => name in now.counters)
                .map(([name, text]) => row(text, "counters", name)),
            ...refusals.map((kind) => row(`request refused: ${words(kind)}`, "refused_for", kind)),
        ],
    };
}

function words(name) {
    return name.replaceAll("_", " ");
}

export function endsDraw(closesBody, troublesBody, view) {
    const { closes, troubles } = endRows(view);
    tableFill(closesBody, closes.length > 0 ? closes : [["none yet", "", ""]]);
    tableFill(troublesBody, troubles);
}

export function processesDraw(body, view) {
    const last = view.entries[view.entries.length - 1];
    tableFill(body, (last?.processes ?? []).map((process) => [
        process.name === "worker" ? `worker ${process.index}` : process.name,
        String(process.pid),
        share(process.cpu),
        bytes(process.proportional_bytes ?? process.resident_bytes),
        si(process.descriptors),
        si(process.threads),
    ]));
}

/* Returns one row for each figure: [panel, figure, value]. */
export function figuresDraw(body, view) {
    const last = view.entries[view.entries.length - 1];
    const figures = last && view.pick(last);
    if (!figures) return tableFill(body, []);
    const rows = TILES.map(([name, text]) => [name, "now", text(figures)]);
    for (const { title, series, format, of } of PANELS) {
        const words = of ? `${title} (${of(view)})` : title;
        for (const { name, value } of series) rows.push([words, name, format(value(figures))]);
    }
    return tableFill(body, rows);
}
