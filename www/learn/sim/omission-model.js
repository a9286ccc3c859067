/*
 * A server that stands still for a while, and two loads that see it: a closed one, whose client sends again when it was
 * answered, and an open one, whose requests come by a timetable. Pure: no page, no clock, and no chance but that of a
 * seed. Times are in milliseconds.
 *
 * A request is { due, sent, begun, ended, told }: when the timetable wanted it, when it left, when its service began and
 * ended, and the time that its client tells. The closed client counts from its own sending, the open one from when the
 * request was due. Tene, "How NOT to Measure Latency", 2013; the same as in bench/lab/experiments/queueing.c.
 */
import { makeRandom } from "./queue-model.js";

/* ---- the server ---- */

/* Moments at which it stops, spread over the time: [{ from, to }]. */
export function stallsOf({ seconds, stalls, stallMs }) {
    if (!(stallMs > 0)) return [];
    return Array.from({ length: stalls }, (_, i) => {
        const from = seconds * 1000 * (i + 1) / (stalls + 1);
        return { from, to: from + stallMs };
    });
}

/* When the server works again: `at`, or the end of the stop that `at` lies in. */
function awake(at, stalls) {
    const stall = stalls.find(({ from, to }) => at >= from && at < to);
    return stall ? stall.to : at;
}

/* When work that begins then is done: a stop meanwhile makes it longer by its length. */
function done(begun, workMs, stalls) {
    let at = begun;
    let left = workMs;
    for (const { from, to } of stalls) {
        if (from < at) continue;
        if (at + left <= from) break;
        left -= from - at;
        at = to;
    }
    return at + left;
}

/* ---- loads ---- */

/* When requests should leave. Even: one after each interval. Random: a Poisson process of the same rate. */
export function timetable({ perSecond, seconds, arrivals = "even", seed = 1 }) {
    const random = makeRandom(seed);
    const interval = 1000 / perSecond;
    const due = [];
    if (arrivals === "even") {
        for (let i = 0; i * interval < seconds * 1000; i++) due.push(i * interval);
        return due;
    }
    for (let at = -interval * Math.log(random()); at < seconds * 1000; at -= interval * Math.log(random())) due.push(at);
    return due;
}

/* Each request leaves when it is due, and waits at the server for those before it. */
export function openLoop(plan) {
    const stalls = stallsOf(plan);
    let free = 0;
    return timetable(plan).map((due) => {
        const begun = awake(Math.max(due, free), stalls);
        const ended = done(begun, plan.serviceMs, stalls);
        free = ended;
        return { due, sent: due, begun, ended, told: ended - due };
    });
}

/*
 * One client. It sends as the timetable says, but never before it was answered: then it sends at once, and all that was
 * to follow comes so much later. What does not fit into the time any more is never sent.
 */
export function closedLoop(plan) {
    const stalls = stallsOf(plan);
    const requests = [];
    let late = 0;
    let answered = 0;
    for (const due of timetable(plan)) {
        late += Math.max(0, answered - (due + late));
        const sent = due + late;
        if (sent >= plan.seconds * 1000) break;
        const begun = awake(sent, stalls);
        const ended = done(begun, plan.serviceMs, stalls);
        answered = ended;
        requests.push({ due, sent, begun, ended, told: ended - sent });
    }
    return requests;
}

/*
 * What a closed client told, and beside each long time those of the requests that it would have sent meanwhile, one
 * after each interval. An estimate after the fact: HdrHistogram and wrk make it in this way.
 */
export function corrected(told, intervalMs) {
    const all = [...told];
    for (const time of told) {
        for (let missed = time - intervalMs; missed >= intervalMs; missed -= intervalMs) all.push(missed);
    }
    return all;
}

/* ---- what the figures are ---- */

function ranked(sorted, share) {
    return sorted.length === 0 ? NaN : sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/* The least value at or below which `share` (0 … 1) of all lie; NaN of none. */
export function percentile(list, share) {
    return ranked(Float64Array.from(list).sort(), share);
}

export function summary(list) {
    const sorted = Float64Array.from(list).sort();
    const [p50, p90, p99, p999, max] = [0.5, 0.9, 0.99, 0.999, 1].map((share) => ranked(sorted, share));
    const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
    return { count: sorted.length, mean, p50, p90, p99, p999, max };
}
