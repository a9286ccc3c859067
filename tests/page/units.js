/*
 * Tests of the page's pure parts, as a module for a browser (tests/page/run loads it) or for node:
 * node --experimental-default-type=module tests/page/units.js. Exports what failed and how many passed.
 */
const base = typeof process === "undefined" ? "/" : `${process.cwd()}/src/status/page/`;
const histogram = await import(`${base}histogram.js`);
const { figuresBetween, imbalance } = await import(`${base}figures.js`);
const { History } = await import(`${base}history.js`);
const scale = await import(`${base}scale.js`);
const format = await import(`${base}format.js`);

export const failures = [];
export let passed = 0;

function test(name, run) {
    try {
        run();
        passed++;
    } catch (error) {
        failures.push(`${name}: ${error.message}`);
    }
}

function equal(found, expected) {
    const [a, b] = [found, expected].map((value) => JSON.stringify(value, (_, v) =>
        (Number.isNaN(v) ? "NaN" : v === Infinity ? "Infinity" : v)));
    if (a !== b) throw new Error(`${a}, expected ${b}`);
}

function near(found, expected, part) {
    if (!(Math.abs(found - expected) <= Math.abs(expected) * part)) {
        throw new Error(`${found}, expected ${expected} within ${part}`);
    }
}

const LAYOUT = { unitSeconds: 16e-9, subBuckets: 64, exactBelow: 128 };

/* The bucket that counts `units`, by the drawing in histogram.h: found by looking for it. */
function bucketOf(units) {
    if (units < 128) return units;
    let shift = 1;
    while (units >= 128 * 2 ** shift) shift++;
    return shift * 64 + Math.floor(units / 2 ** shift);
}

/* A sparse histogram of these durations, in seconds. */
function counted(durations) {
    const counts = new Map();
    for (const seconds of durations) {
        const bucket = bucketOf(Math.round(seconds / 16e-9));
        counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
    }
    return {
        count: durations.length,
        sum_seconds: durations.reduce((sum, seconds) => sum + seconds, 0),
        buckets: [...counts].sort(([a], [b]) => a - b),
    };
}

const COUNTERS = ["requests", "cache_hits", "cache_misses", "sent_bytes", "sent_file_bytes", "answers_2xx"];

function slot(durations, changes = {}) {
    return {
        counters: { ...Object.fromEntries(COUNTERS.map((name) => [name, 0])), requests: durations.length, ...changes },
        gauges: { connections: 3 }, connections: { idle: 3 },
        closed: { finished: changes.closed ?? 0 }, calls: { send: durations.length * 2 },
        latency: {
            total: { all: counted(durations), memory: counted(durations) },
            queue: { all: { count: durations.length, sum_seconds: durations.length * 2e-6 } },
        },
        turn: counted(durations),
    };
}

function reading(seconds, perWorker, changes = {}) {
    return {
        server: { started_seconds: 100, pid: 10, ...changes },
        time_seconds: 1000 + seconds, monotonic_seconds: seconds,
        unit_seconds: 16e-9, sub_buckets: 64, exact_below: 128,
        total: slot(perWorker.flat()),
        workers: perWorker.map((durations, index) => ({ index, pid: 20 + index, ...slot(durations) })),
        processes: perWorker.map((durations, index) => ({
            name: "worker", index, pid: 20 + index,
            cpu_user_seconds: durations.length * 1e-3, cpu_system_seconds: durations.length * 2e-3,
        })),
    };
}

const many = Array.from({ length: 1000 }, (_, i) => (i + 1) * 1e-5);

test("every value lies in the bucket whose middle is within 1/128 of it", () => {
    for (let units = 1; units < 1e9; units = Math.ceil(units * 1.013)) {
        const middle = histogram.bucketMiddle(bucketOf(units), LAYOUT);
        near(middle, units, units < 128 ? 0 : 1 / 128);
    }
});

test("percentiles of 10 µs … 10 ms in equal steps", () => {
    const { buckets } = counted(many);
    near(histogram.percentileSeconds(buckets, 0.5, LAYOUT), 5e-3, 1 / 128);
    near(histogram.percentileSeconds(buckets, 0.99, LAYOUT), 9.9e-3, 1 / 128);
    near(histogram.percentileSeconds(buckets, 1, LAYOUT), 1e-2, 1 / 128);
});

test("the rank is rounded up, and is at least one", () => {
    const buckets = [[1, 1], [2, 1], [3, 98]];
    equal([0, 0.01, 0.011, 0.02, 0.021].map((part) => histogram.percentileBucket(buckets, part)), [1, 1, 2, 2, 3]);
});

test("nothing counted has no percentile", () => {
    equal(histogram.percentileBucket([], 0.5), -1);
    equal(histogram.percentileSeconds([], 0.5, LAYOUT), NaN);
});

test("two readings are subtracted bucket by bucket", () => {
    equal(histogram.bucketsSince([[1, 5], [7, 2], [9, 4]], [[1, 5], [9, 1]]), [[7, 2], [9, 3]]);
});

test("rows hold what their buckets held, each where its durations lie", () => {
    const { buckets } = counted(many);
    const rows = histogram.rowsOf(buckets, LAYOUT);
    equal(rows.reduce((sum, [, count]) => sum + count, 0), 1000);
    for (const [row] of rows) {
        if (histogram.rowLeast(row) > 1.02e-2 || histogram.rowLeast(row + 1) < 0.98e-5) throw new Error(`row ${row}`);
    }
    equal(histogram.rowOf(0), 0);
    equal(histogram.rowOf(2.0001e-6), 8);
});

test("rates and means are over the time between the readings", () => {
    const before = reading(10, [many.slice(0, 100), []]);
    const { total, workers, seconds } = figuresBetween(before, reading(12, [many.slice(0, 300), []]));
    equal(seconds, 2);
    equal(total.requests, 100);
    equal(workers.get(0).requests, 100);
    near(total.latency.p50, 2e-3, 1 / 128);
    near(total.latency.mean, 2.005e-3, 1e-6);
    near(total.phases.queue, 2e-6, 1e-6);
    equal(total.phases.send, NaN);
    equal(total.callsPerRequest.send, 2);
    near(total.cpu, 0.3, 1e-9);
    equal(workers.get(1).requests, 0);
    equal(workers.get(1).latency.p99, NaN);
    equal(workers.get(1).hitShare, NaN);
});

test("a histogram without buckets has a mean and no percentile", () => {
    const [before, now] = [reading(1, [[]]), reading(2, [many])];
    for (const one of [before, now]) delete one.total.turn.buckets;
    const { turn } = figuresBetween(before, now).total;
    near(turn.mean, 5.005e-3, 1e-6);
    equal([turn.p99, turn.max], [NaN, NaN]);
});

test("a phase or source seen for the first time counts from nothing", () => {
    const [before, now] = [reading(1, [[]]), reading(2, [many])];
    before.total.latency = { total: { all: counted([]) } };
    const { sources } = figuresBetween(before, now).total;
    equal(sources.memory.count, 1000);
    equal(sources.disk.count, 0);
});

test("a worker that was not there before counts from nothing", () => {
    const { workers } = figuresBetween(reading(1, [[]]), reading(2, [[], many]));
    equal(workers.get(1).requests, 1000);
});

test("workers that share a process have no CPU time of their own", () => {
    const [before, now] = [reading(1, [[], []]), reading(2, [many, many])];
    equal(figuresBetween(before, now).workers.get(1).cpu > 0, true);
    now.workers.forEach((worker) => { worker.pid = 20; });
    const { total, workers } = figuresBetween(before, now);
    equal([workers.get(0).cpu, workers.get(1).cpu], [NaN, NaN]);
    near(total.cpu, 6, 1e-9);
});

test("readings of two starts are not subtracted", () => {
    equal(figuresBetween(reading(5, [many]), reading(6, [[]], { started_seconds: 200 })), null);
    equal(figuresBetween(reading(5, [many]), reading(6, [[]], { pid: 11 })), null);
    equal(figuresBetween(reading(5, [many]), reading(5, [many])), null);
});

test("a new start is told, and breaks the lines once", () => {
    const kept = new History();
    equal(kept.add(reading(1, [[]])), false);
    equal(kept.add(reading(2, [many])), false);
    equal(kept.add(reading(1, [many], { started_seconds: 200 })), true);
    equal(kept.add(reading(2, [many], { started_seconds: 200 })), false);
    equal(kept.add(reading(3, [many], { started_seconds: 200 })), false);
    equal(kept.entries.map(({ afterBreak }) => afterBreak), [false, true, false]);
});

test("the history forgets what no window shows", () => {
    const kept = new History();
    for (let second = 0; second <= 1200; second++) kept.add(reading(second, [[]]));
    if (kept.entries.length > 912 || kept.entries.length < 900) throw new Error(`${kept.entries.length} kept`);
    equal(kept.since(kept.last().time - 60).length, 61);
});

test("an imbalance is the busiest over the mean", () => {
    const workers = (...all) => new Map(all.map((requests, i) => [i, { requests }]));
    equal(imbalance(workers(30, 10)), 1.5);
    equal(imbalance(workers(10, 10)), 1);
    equal(imbalance(workers(10)), NaN);
    equal(imbalance(workers(0, 0)), NaN);
});

test("scales put ticks at round places", () => {
    equal(scale.linearScale(39600).ticks, [0, 10000, 20000, 30000, 40000]);
    equal(scale.linearScale(1).ticks.length, 3);
    equal(scale.linearScale(0).most, 1);
    equal(scale.linearScale(NaN).most, 1);
    equal(scale.logScale(63e-6, 6e-3).ticks.map((tick) => Math.round(Math.log10(tick))), [-5, -4, -3, -2]);
    equal(scale.logScale(Infinity, -Infinity).most > 0, true);
    near(scale.logScale(1e-5, 1e-2).at(1e-4), 1 / 3, 1e-9);
    equal(scale.logScale(1e-5, 1e-2).at(0), 0);
    const { step, ticks } = scale.timeTicks(1003, 1063, 6);
    equal([step, ticks], [10, [1010, 1020, 1030, 1040, 1050, 1060]]);
});

test("numbers have SI prefixes, units and three digits", () => {
    equal([0, 7, 999, 1000, 12345, 2.5e9, 0.35].map((value) => format.si(value)),
        ["0", "7", "999", "1.00\u202fk", "12.3\u202fk", "2.50\u202fG", "0.35"]);
    equal([1.23e-8, 1.5e-5, 0.9999, 61].map(format.time), ["12.3\u202fns", "15.0\u202fµs", "1.00\u202fs", "61.0\u202fs"]);
    equal([0, 1536].map(format.bytes), ["0\u202fB", "1.54\u202fkB"]);
    equal([format.share(0.975), format.share(NaN), format.rate(Infinity)], ["97.5\u202f%", "–", "–"]);
    equal([59, 3600, 93784].map(format.duration), ["59\u202fs", "1\u202fh 0\u202fmin", "1\u202fd 2\u202fh"]);
    equal(["100\u202fµs", "1.50\u202fms", "10.0\u202fs", "2.00\u202fk"].map(format.brief),
        ["100\u202fµs", "1.5\u202fms", "10\u202fs", "2\u202fk"]);
});

if (typeof process !== "undefined") {
    for (const failure of failures) console.log(`FAILED ${failure}`);
    console.log(`${passed} passed, ${failures.length} failed`);
    process.exitCode = failures.length > 0 ? 1 : 0;
}
