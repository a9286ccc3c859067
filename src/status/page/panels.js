/*
 * What the page shows, in order: the descriptions of panels for chart.js, and the figures at the
 * top. A new panel is a new entry here.
 */
import { PHASES, SOURCES } from "./figures.js";
import { byteRate, bytes, rate, share, si, time } from "./format.js";

const SOURCE_WORDS = { none: "no content", memory: "memory", pagecache: "page cache", disk: "disk" };
const PHASE_WORDS = {
    queue: "queue", head: "head", resolve: "resolve", first_byte: "first byte", send: "send",
};
const STATES = ["idle", "reading", "disk", "sending", "paced", "lingering"];
const CALLS = ["accept", "wait", "receive", "send", "sendfile", "refresh", "close"];

/* The figures at the top: [name, function from figures to text]. */
export const TILES = [
    ["requests", (f) => rate(f.requests)],
    ["p50", (f) => time(f.latency.p50)],
    ["p99", (f) => time(f.latency.p99)],
    ["p99.9", (f) => time(f.latency.p999)],
    ["sent", (f) => byteRate(f.perSecond.sent_bytes)],
    ["from cache", (f) => share(f.hitShare)],
    ["connections", (f) => si(f.gauges.connections)],
    ["CPU", (f) => share(f.cpu)],
];

/* Percentiles by source exist only for all workers together; one worker has a mean. `of`, in a
   description, says which one is shown. */
function sourceTime(source) {
    return (f) => (Number.isFinite(f.sources[source].p99) ? f.sources[source].p99 : f.sources[source].mean);
}

const sourceWords = (view) => (view.worker === "all" ? "p99" : "mean of this worker");

export const PANELS = [
    {
        id: "requests", title: "Requests", unit: "requests/s, by status", kind: "stack", format: rate,
        series: [2, 3, 4, 5].map((digit) => ({
            name: `${digit}xx`, value: (f) => f.perSecond[`answers_${digit}xx`],
        })),
        note: (f) => rate(f.requests),
    },
    {
        id: "latency", title: "Latency", unit: "time", kind: "lines", format: time, ofTime: true,
        series: [
            { name: "p50", value: (f) => f.latency.p50 },
            { name: "p99", value: (f) => f.latency.p99 },
            { name: "p99.9", value: (f) => f.latency.p999 },
        ],
        note: (f) => `longest ${time(f.latency.max)}`,
    },
    {
        id: "heat", title: "How long every response took", unit: "time", kind: "heat", format: time, ofTime: true,
        series: [],
        note: (f) => `${time(f.latency.p50)} for half, ${time(f.latency.p99)} for 99 of 100`,
    },
    {
        id: "phases", title: "Phases of a request", unit: "time, mean", kind: "stack", format: time, ofTime: true,
        of: () => "mean",
        series: PHASES.map((phase) => ({ name: PHASE_WORDS[phase], value: (f) => f.phases[phase] })),
        note: (f) => `together ${time(f.latency.mean)}`,
    },
    {
        id: "sources", title: "Latency by source", unit: "time", kind: "lines", format: time, ofTime: true,
        series: SOURCES.map((source) => ({ name: SOURCE_WORDS[source], value: sourceTime(source) })),
        note: (f, view) => sourceWords(view), of: sourceWords,
    },
    {
        id: "bytes", title: "Content by source", unit: "bytes/s", kind: "stack", format: byteRate,
        series: [
            { name: "memory", value: (f) => f.perSecond.memory_bytes },
            { name: "page cache", value: (f) => f.perSecond.page_cache_bytes },
            { name: "disk", value: (f) => f.perSecond.disk_bytes },
        ],
    },
    {
        id: "ways", title: "Bytes sent by way", unit: "bytes/s", kind: "stack", format: byteRate,
        series: [
            { name: "copied by send", value: (f) => f.copiedRate },
            { name: "sendfile", value: (f) => f.perSecond.sent_file_bytes },
        ],
        note: (f) => byteRate(f.perSecond.sent_bytes),
    },
    {
        id: "hits", title: "Hits of the cache", unit: "share of lookups", kind: "lines",
        format: share, most: 1,
        series: [{ name: "hits", value: (f) => f.hitShare }],
        note: (f) => `${rate(f.perSecond.cache_misses)} misses, ${rate(f.perSecond.cache_evictions)} evictions`,
    },
    {
        id: "cache", title: "Memory of the cache", unit: "bytes", kind: "stack", format: bytes,
        series: [{ name: "held", value: (f) => f.gauges.cache_bytes }],
        note: (f, view) => `${si(f.gauges.cache_entries)} entries, at most ${bytes(view.cacheMost)}`,
    },
    {
        id: "connections", title: "Connections", unit: "connections, by state", kind: "stack", format: si,
        series: STATES.map((state) => ({ name: state, value: (f) => f.connections[state] })),
        note: (f) => `${rate(f.perSecond.accepted)} accepted`,
    },
    {
        id: "calls", title: "System calls", unit: "calls/request", kind: "stack", format: si,
        series: CALLS.map((call) => ({ name: call, value: (f) => f.callsPerRequest[call] })),
        note: (f) => `${si(Object.values(f.callsPerRequest).reduce((sum, calls) => sum + calls, 0))} a request`,
    },
    {
        id: "turn", title: "Turn of the loop", unit: "time", kind: "lines", format: time, ofTime: true,
        series: [
            { name: "mean", value: (f) => f.turn.mean },
            { name: "p99", value: (f) => f.turn.p99 },
            { name: "longest stall", value: (f) => f.turn.max },
        ],
        note: (f, view) => (view.worker === "all" ? "" : "of one worker: the mean"),
    },
    {
        id: "cpu", title: "CPU", unit: "CPU time/request", kind: "lines", format: time,
        series: [{ name: "for a request", value: (f) => (f.requests > 0 ? f.cpu / f.requests : NaN) }],
        note: (f) => `${share(f.cpu)} of one CPU`,
    },
];
