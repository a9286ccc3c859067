/*
 * Computes the figures of the time between two readings of /status.json. All counters of the server
 * are cumulative, so a figure is a difference, or a quotient of two differences. When nothing
 * happened, a mean or percentile is NaN, which charts leave out, and a rate is 0.
 *
 * Pure: the same two readings always give the same figures. Readings of different starts of the
 * server cannot be subtracted: then figuresBetween() returns null.
 */
import { bucketsSince, percentileSeconds, rowsOf } from "./histogram.js";

export const PHASES = ["queue", "head", "resolve", "first_byte", "send"];
export const SOURCES = ["memory", "pagecache", "disk", "none"];
const NOTHING = { count: 0, sum_seconds: 0, buckets: [] };

/* Returns whether `now` is a later reading of the same start of the server. */
export function sameStart(now, before) {
    return now.server.started_seconds === before.server.started_seconds
        && now.server.pid === before.server.pid
        && now.monotonic_seconds > before.monotonic_seconds;
}

export function figuresBetween(before, now) {
    if (!sameStart(now, before)) return null;
    const span = {
        seconds: now.monotonic_seconds - before.monotonic_seconds,
        layout: {
            unitSeconds: now.unit_seconds,
            subBuckets: now.sub_buckets,
            exactBelow: now.exact_below,
        },
    };
    const earlier = new Map(before.workers.map((worker) => [worker.index, worker]));
    const processes = processFigures(before.processes, now.processes, span.seconds);
    const workers = new Map();
    for (const worker of now.workers) {
        // A slot that is new has counted everything since the reading before.
        const figures = slotFigures(earlier.get(worker.index) ?? {}, worker, span);
        figures.pid = worker.pid;
        figures.cpu = cpuOf(worker, now.workers, processes);
        workers.set(worker.index, figures);
    }
    const total = slotFigures(before.total, now.total, span);
    total.cpu = processes.reduce((sum, { cpu }) => sum + (cpu || 0), 0);
    return { time: now.time_seconds, seconds: span.seconds, total, workers, processes };
}

/* Returns NaN for a thread: the CPU time is that of its whole process. */
function cpuOf(worker, workers, processes) {
    if (workers.some(({ index, pid }) => pid === worker.pid && index !== worker.index)) return NaN;
    return processes.find(({ pid }) => pid === worker.pid)?.cpu ?? NaN;
}

/* Returns the figures of one worker, or of all. */
function slotFigures(before, now, span) {
    const counters = differences(now.counters, before.counters);
    const perSecond = rates(counters, span.seconds);
    const closed = rates(differences(now.closed, before.closed), span.seconds);
    const calls = differences(now.calls, before.calls);
    const lookups = counters.cache_hits + counters.cache_misses;
    return {
        requests: perSecond.requests,
        perSecond,
        closed,
        latency: timeFigures(now.latency.total?.all, before.latency?.total?.all, span, true),
        phases: phaseFigures(before, now, span),
        sources: sourceFigures(before, now, span),
        turn: timeFigures(now.turn, before.turn, span, false),
        hitShare: quotient(counters.cache_hits, lookups),
        gauges: now.gauges,
        connections: now.connections,
        callsPerRequest: Object.fromEntries(
            Object.entries(calls).map(([call, count]) => [call, quotient(count, counters.requests)])),
        copiedRate: Math.max(0, perSecond.sent_bytes - perSecond.sent_file_bytes),
    };
}

/* Returns the means of the phases: they add up to the mean of the total, but percentiles do not. */
function phaseFigures(before, now, span) {
    return Object.fromEntries(PHASES.map((phase) => {
        const figures = timeFigures(now.latency[phase]?.all, before.latency?.[phase]?.all, span, false);
        return [phase, figures.mean];
    }));
}

function sourceFigures(before, now, span) {
    return Object.fromEntries(SOURCES.map((source) =>
        [source, timeFigures(now.latency.total?.[source], before.latency?.total?.[source], span, false)]));
}

/*
 * Returns the figures of a histogram of times. Percentiles need buckets, which the server sends
 * only for some histograms. `max` is the middle of the highest bucket that grew. An absent
 * histogram is empty.
 */
function timeFigures(now = NOTHING, before = NOTHING, span, withRows) {
    const count = Math.max(0, now.count - before.count);
    const figures = {
        count,
        perSecond: count / span.seconds,
        mean: quotient(Math.max(0, now.sum_seconds - before.sum_seconds), count),
        p50: NaN, p99: NaN, p999: NaN, max: NaN, rows: [],
    };
    if (!now.buckets) return figures;
    const grown = bucketsSince(now.buckets, before.buckets ?? []);
    figures.p50 = percentileSeconds(grown, 0.5, span.layout);
    figures.p99 = percentileSeconds(grown, 0.99, span.layout);
    figures.p999 = percentileSeconds(grown, 0.999, span.layout);
    figures.max = percentileSeconds(grown, 1, span.layout);
    if (withRows) figures.rows = rowsOf(grown, span.layout);
    return figures;
}

/* A process that is new has used all its CPU time since the reading before. */
function processFigures(before, now, seconds) {
    const earlier = new Map(before.map((process) => [process.pid, process]));
    return now.map((process) => {
        const used = cpuSeconds(process) - cpuSeconds(earlier.get(process.pid));
        return { ...process, cpu: Math.max(0, used) / seconds };
    });
}

function cpuSeconds(process) {
    return process ? process.cpu_user_seconds + process.cpu_system_seconds : 0;
}

function differences(now = {}, before = {}) {
    return Object.fromEntries(Object.entries(now).map(([name, value]) =>
        [name, Math.max(0, value - (before[name] ?? 0))]));
}

function rates(counts, seconds) {
    return Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, count / seconds]));
}

function quotient(part, whole) {
    return whole > 0 ? part / whole : NaN;
}

/*
 * Returns how unevenly the workers share requests: the rate of the busiest one, divided by the mean
 * of all. 1 is even. NaN when there is only one worker, or no request.
 */
export function imbalance(workers) {
    const all = [...workers.values()].map((worker) => worker.requests);
    const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
    return all.length > 1 && mean > 0 ? Math.max(...all) / mean : NaN;
}
