/*
 * Tests of the mathematics behind the lessons' simulations, and of how figures are printed: node tests/lessons/models.js
 *
 * The modules are written for a browser. node takes them for such in a directory whose package.json says so; so they are
 * copied into one. A line for each failure; last "N passed, N failed".
 */
const { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { pathToFileURL } = require("node:url");

const LEARN = join(__dirname, "..", "..", "www", "learn");
const KEPT = join(LEARN, "..", "lab");

let passed = 0;
const failures = [];

function test(name, run) {
    try {
        run();
        passed++;
    } catch (error) {
        failures.push(`${name}: ${error.message}`);
    }
}

function equal(found, expected, words = "") {
    const [a, b] = [found, expected].map((value) => JSON.stringify(value, (_, v) =>
        (Number.isNaN(v) ? "NaN" : v === Infinity ? "Infinity" : v === undefined ? null : v)));
    if (a !== b) throw new Error(`${words} ${a}, expected ${b}`);
}

function holds(condition, words) {
    if (!condition) throw new Error(words);
}

/* Within `part` of what is expected: 0.01 is one per cent. */
function near(found, expected, part, words = "") {
    if (!(Math.abs(found - expected) <= Math.abs(expected) * part)) {
        throw new Error(`${words} ${found}, expected ${expected} within ${part * 100} %`);
    }
}

/* ---- the queue ---- */

function queueTests({ Queue, closedForm, makeRandom, simulate, utilisation, waitProbability }) {
    const moments = (seed, count) => {
        const random = makeRandom(seed);
        let [sum, squares, neighbours, before] = [0, 0, 0, 0.5];
        for (let i = 0; i < count; i++) {
            const value = random();
            if (!(value > 0 && value < 1)) throw new Error(`${value} is not between 0 and 1`);
            sum += value;
            squares += value * value;
            neighbours += value * before;
            before = value;
        }
        return [sum / count, squares / count, neighbours / count];
    };
    for (const seed of [0, 1, 2, 12345, 999999]) {
        test(`numbers of seed ${seed} are evenly spread`, () => {
            const [mean, square, neighbour] = moments(seed, 400000);
            near(mean, 1 / 2, 0.005, "mean");
            near(square, 1 / 3, 0.01, "mean of squares");
            near(neighbour, 1 / 4, 0.01, "mean of products of neighbours");
        });
    }
    test("the same seed gives the same numbers, another one others", () => {
        const first = (seed) => Array.from({ length: 8 }, makeRandom(seed));
        equal(first(7), first(7));
        holds(JSON.stringify(first(7)) !== JSON.stringify(first(8)), "seeds 7 and 8 agree");
    });

    // By hand: Erlang's C for 2 servers and 1 Erlang is 1/3; for 3 and 2 it is 4/9; for one server the utilisation.
    test("Erlang's C", () => {
        near(waitProbability({ arrivalRate: 1, serviceTime: 1, servers: 2 }), 1 / 3, 1e-12);
        near(waitProbability({ arrivalRate: 2, serviceTime: 1, servers: 3 }), 4 / 9, 1e-12);
        near(waitProbability({ arrivalRate: 0.7, serviceTime: 1, servers: 1 }), 0.7, 1e-12);
        equal(waitProbability({ arrivalRate: 5, serviceTime: 1, servers: 4 }), 1);
    });
    test("closed forms by hand", () => {
        const half = closedForm({ arrivalRate: 5, serviceTime: 0.1 });
        near(half.waiting, 0.1, 1e-12);
        near(half.response, 0.2, 1e-12);
        near(half.present, 1, 1e-12);
        const equalOnes = closedForm({ arrivalRate: 8, serviceTime: 0.1, service: "constant" });
        near(equalOnes.waiting, 0.2, 1e-12, "M/D/1 at 80 %");
        const two = closedForm({ arrivalRate: 1, serviceTime: 1, servers: 2 });
        near(two.waiting, 1 / 3, 1e-12, "M/M/2");
        near(utilisation({ arrivalRate: 6, serviceTime: 0.5, servers: 4 }), 0.75, 1e-12);
    });
    test("beyond the capacity nothing is finite", () => {
        for (const arrivalRate of [10, 12]) equal(closedForm({ arrivalRate, serviceTime: 0.1 }).response, Infinity);
        equal(closedForm({ arrivalRate: 20, serviceTime: 0.1, servers: 2 }).present, Infinity);
    });
    test("only M/D/c with several servers is approximate", () => {
        const of = (servers, service) => closedForm({ arrivalRate: 1, serviceTime: 0.1, servers, service }).exact;
        equal([of(1, "exponential"), of(4, "exponential"), of(1, "constant"), of(2, "constant")], [true, true, true, false]);
    });

    const cases = [
        ["M/M/1 at 30 %", { arrivalRate: 3, serviceTime: 0.1 }, 3e6],
        ["M/M/1 at 50 %", { arrivalRate: 5, serviceTime: 0.1 }, 4e6],
        ["M/M/1 at 70 %", { arrivalRate: 700, serviceTime: 0.001 }, 8e6],
        ["M/D/1 at 50 %", { arrivalRate: 5, serviceTime: 0.1, service: "constant" }, 4e6],
        ["M/D/1 at 80 %", { arrivalRate: 8, serviceTime: 0.1, service: "constant" }, 8e6],
        ["M/M/2 at 60 %", { arrivalRate: 12, serviceTime: 0.1, servers: 2 }, 6e6],
        ["M/M/4 at 75 %", { arrivalRate: 30, serviceTime: 0.1, servers: 4 }, 8e6],
    ];
    for (const [name, parameters, requests] of cases) {
        test(`simulated ${name}`, () => {
            const seen = simulate({ ...parameters, seed: 1 }, requests);
            const theory = closedForm(parameters);
            near(seen.utilisation, theory.utilisation, 0.01, "utilisation");
            near(seen.waiting, theory.waiting, 0.01, "waiting");
            near(seen.response, theory.response, 0.01, "response");
            near(seen.present, theory.present, 0.01, "present");
            near(seen.throughput, parameters.arrivalRate, 0.01, "throughput");
            near(seen.throughput * seen.response, seen.present, 0.001, "Little");
        });
    }
    test("simulated M/D/2 is near its approximation", () => {
        const parameters = { arrivalRate: 15, serviceTime: 0.1, servers: 2, service: "constant" };
        near(simulate({ ...parameters, seed: 3 }, 1e6).response, closedForm(parameters).response, 0.05);
    });
    test("the same seed, the same simulation; in steps or at once", () => {
        const parameters = { arrivalRate: 8, serviceTime: 0.1, servers: 2, seed: 5 };
        equal(simulate(parameters, 5000), simulate(parameters, 5000));
        holds(simulate({ ...parameters, seed: 6 }, 5000).response !== simulate(parameters, 5000).response, "seed 6 agrees");
        const [whole, pieces] = [new Queue(parameters), new Queue(parameters)];
        whole.advance(100);
        for (let i = 1; i <= 1000; i++) pieces.advance(i / 10);
        equal([pieces.served, pieces.present, pieces.responses], [whole.served, whole.present, whole.responses]);
        near(pieces.presentArea, whole.presentArea, 1e-9);
    });
    test("a limit of events is kept, and nothing is lost", () => {
        const queue = new Queue({ arrivalRate: 5, serviceTime: 0.1, seed: 2 });
        equal(queue.advance(Infinity, 1), 1);
        equal([queue.present, queue.served], [1, 0]);
        equal(queue.advance(Infinity, 999), 999);
        equal(queue.served * 2 + queue.present, 1000, "arrivals and departures");
    });
    test("a queue that cannot keep up grows by what is too much", () => {
        const queue = new Queue({ arrivalRate: 20, serviceTime: 0.1, seed: 4 });
        queue.advance(5000);
        near(queue.present, 10 * 5000, 0.05);
        near(queue.statistics().utilisation, 1, 0.001);
        near(queue.statistics().throughput, 10, 0.02);
    });
    test("who came first is served first", () => {
        const queue = new Queue({ arrivalRate: 30, serviceTime: 0.1, service: "constant", seed: 9 });
        queue.advance(20);
        const line = queue.waiting.slice(queue.first);
        equal([...line].sort((a, b) => a - b), line);
        holds(queue.cameAt[0] < line[0], "who is served came before those who wait");
    });
}

/* ---- caches ---- */

/* Requests one by one: a capital letter where it was a hit, and after the point who was put out. */
function played(cache, names) {
    return [...names].map((name) => {
        const { hit, evicted } = cache.ask(name);
        return (hit ? name.toUpperCase() : name) + (evicted ?? "");
    }).join(" ");
}

function inside(cache) {
    return cache.seats().map(({ name, visited }) => (visited ? name.toUpperCase() : name)).join("");
}

function cacheTests({ Lru, Sieve, hitShare, sweep, trace, zipfDraw, zipfSums }) {
    test("LRU by hand: a hit moves to the front, the last one leaves", () => {
        const cache = new Lru(3);
        equal(played(cache, "abcadbe"), "a b c A db bc ea");
        equal(inside(cache), "ebd");
    });
    test("SIEVE by hand: a hit only sets a bit, and the hand clears it", () => {
        const cache = new Sieve(3);
        // a was asked for again: when d comes, the hand clears a's bit, passes it, and puts out b.
        equal(played(cache, "abcad"), "a b c A db");
        equal(inside(cache), "dca");
        // The hand stands at c, which nobody asked for again; then at d.
        equal(played(cache, "e"), "ec");
        equal(inside(cache), "eda");
        // d is asked for: the hand clears d's bit and goes on to e.
        equal(played(cache, "Df".toLowerCase()), "D fe");
        equal(inside(cache), "fda");
    });
    test("SIEVE: when all bits are set, the hand goes round and puts out the oldest", () => {
        const cache = new Sieve(3);
        equal(played(cache, "abcabcd"), "a b c A B C da");
        equal(inside(cache), "dcb");
    });
    test("SIEVE keeps its hand: it goes from old to new and begins again at the oldest", () => {
        const cache = new Sieve(4);
        played(cache, "abcd");
        played(cache, "abc");
        equal(played(cache, "e"), "ed", "a, b and c were asked for again");
        // The hand had gone beyond the newest: it begins at the oldest, a, whose bit it has cleared.
        equal(played(cache, "f"), "fa");
        equal(inside(cache), "fecb");
    });
    test("a scan: SIEVE keeps what is asked for often, LRU loses it", () => {
        const scan = "aabb" + "cdefghij" + "ab";
        const hits = (cache) => played(cache, scan).split(" ").slice(-2).filter((one) => /[A-Z]/.test(one)).length;
        equal(hits(new Sieve(4)), 2);
        equal(hits(new Lru(4)), 0);
    });
    test("no cache holds more than it has places, and each name once", () => {
        for (const cache of [new Sieve(7), new Lru(7)]) {
            for (const file of trace({ files: 40, requests: 3000, skew: 0.8, seed: 3 })) {
                cache.ask(file);
                const names = cache.seats().map(({ name }) => name);
                holds(names.length <= 7 && new Set(names).size === names.length, `${names}`);
            }
        }
    });
    test("one place: both are the same", () => {
        for (const cache of [new Sieve(1), new Lru(1)]) equal(played(cache, "aabba"), "a A ba B ab");
    });
    test("Zipf's law: file number i comes in proportion to 1 / i", () => {
        const sums = zipfSums(4, 1);
        near(sums[3], 1 + 1 / 2 + 1 / 3 + 1 / 4, 1e-12);
        equal([0.0001, 0.47, 0.49, 0.9999].map((chance) => zipfDraw(sums, chance)), [0, 0, 1, 3]);
        const counts = new Array(100).fill(0);
        for (const file of trace({ files: 100, requests: 400000, skew: 1, seed: 2 })) counts[file]++;
        near(counts[0] / counts[1], 2, 0.03);
        near(counts[0] / counts[9], 10, 0.05);
    });
    test("a crawler asks for every file in turn", () => {
        const asked = trace({ files: 50, requests: 500, skew: 1, crawlEvery: 5, seed: 1 });
        const crawled = [...asked].filter((_, i) => i % 5 === 0);
        crawled.slice(1).forEach((file, i) => equal(file, (crawled[i] + 1) % 50));
    });
    test("the same seed, the same requests", () => {
        const of = (seed) => [...trace({ files: 100, requests: 200, skew: 0.9, crawlEvery: 7, seed })];
        equal(of(4), of(4));
        holds(JSON.stringify(of(4)) !== JSON.stringify(of(5)), "seeds 4 and 5 agree");
    });
    test("the share of hits", () => {
        equal(hitShare(new Lru(1), new Uint32Array(10).fill(3)), 1);
        equal(hitShare(new Sieve(2), Uint32Array.from({ length: 10 }, (_, i) => i)), 0);
        // As many places as files: everything is a hit once it was asked for.
        const asked = trace({ files: 20, requests: 20000, skew: 0.7, seed: 1 });
        for (const { sieve, lru } of sweep(asked, 20, [1])) equal([sieve, lru], [1, 1]);
        const shares = sweep(asked, 20, [0.1, 0.3, 0.6]);
        for (const which of ["sieve", "lru"]) {
            holds(shares[0][which] < shares[1][which] && shares[1][which] < shares[2][which], "more places, more hits");
        }
    });
}

/* ---- blocking and not ---- */

function blockingTests({ ARRIVALS, MODES, STEPS, costs, trace }) {
    const frames = Object.fromEntries(MODES.map((mode) => [mode, trace(mode)]));
    for (const mode of MODES) {
        test(`${mode}: everybody is answered, and each frame follows`, () => {
            equal(frames[mode].length, STEPS);
            const last = frames[mode][STEPS - 1];
            for (const [name, client] of Object.entries(last.clients)) equal(client.state, "answered", name);
            frames[mode].forEach((frame, i) => equal(frame.step, i));
            for (const name of Object.keys(ARRIVALS)) {
                for (const frame of frames[mode]) {
                    equal(frame.clients[name].state === "silent", frame.step < ARRIVALS[name], `${name} in step ${frame.step}`);
                }
            }
        });
    }
    test("a blocked thread lets those wait who could be served", () => {
        const waited = Object.fromEntries(MODES.map((mode) => [mode, costs(frames[mode], STEPS - 1).waited]));
        holds(waited.nonblocking < waited.blocking, JSON.stringify(waited));
        equal(costs(frames.blocking, STEPS - 1).eagain, 0);
        holds(costs(frames.nonblocking, STEPS - 1).eagain > 0, "no EAGAIN");
    });
    test("by hand: A comes last, is asked first, and holds up B and C", () => {
        const done = (mode, name) => frames[mode].findIndex(({ clients }) => clients[name].state === "answered");
        equal(["A", "B", "C"].map((name) => done("blocking", name)), [12, 14, 16]);
        const order = ["A", "B", "C"].sort((a, b) => done("nonblocking", a) - done("nonblocking", b));
        equal(order, ["B", "C", "A"]);
    });
    test("the same arrivals, the same frames", () => equal(trace("nonblocking"), frames.nonblocking));
}

/* ---- coordinated omission ---- */

function omissionTests({ closedLoop, corrected, openLoop, percentile, stallsOf, summary, timetable }) {
    const calm = { perSecond: 100, seconds: 10, serviceMs: 2, stalls: 0, stallMs: 0 };
    const stalled = { ...calm, stalls: 1, stallMs: 1000 };
    test("without a stop both tell the service time", () => {
        for (const loop of [openLoop, closedLoop]) {
            const told = loop(calm).map((request) => request.told);
            equal(told.length, 1000);
            near(Math.min(...told), 2, 1e-9);
            near(Math.max(...told), 2, 1e-9);
        }
    });
    test("a stop of one second, by hand: the closed client tells of one slow request", () => {
        equal(stallsOf(stalled), [{ from: 5000, to: 6000 }]);
        const closed = closedLoop(stalled).map(({ told }) => told);
        equal(closed.filter((time) => time > 500).length, 1);
        near(percentile(closed, 0.99), 2, 1e-9, "its p99");
        // Of the open loop's requests those of half a second waited for longer than half a second.
        const open = openLoop(stalled).map(({ told }) => told);
        near(open.filter((time) => time > 500).length, 62, 0.05);
        holds(percentile(open, 0.99) > 800, `p99 ${percentile(open, 0.99)}`);
    });
    test("the open loop's requests are served in order, one at a time, never during a stop", () => {
        const requests = openLoop({ ...stalled, arrivals: "random", seed: 3 });
        requests.forEach(({ due, begun, ended }, i) => {
            holds(begun >= due && ended >= begun + 2 - 1e-9, `request ${i}`);
            holds(i === 0 || begun >= requests[i - 1].ended - 1e-9, `request ${i} began too early`);
            holds(begun < 5000 || begun >= 6000, `request ${i} began in the stop`);
        });
    });
    test("corrected afterwards, the closed client's p99 comes near the open one's", () => {
        const closed = closedLoop(stalled).map(({ told }) => told);
        const open = openLoop(stalled).map(({ told }) => told);
        near(percentile(corrected(closed, 10), 0.99), percentile(open, 0.99), 0.1);
    });
    test("random arrivals come at the rate asked for, the same for the same seed", () => {
        const due = (seed) => timetable({ perSecond: 1000, seconds: 200, arrivals: "random", seed });
        near(due(1).length, 200000, 0.01);
        equal(due(2).slice(0, 50), due(2).slice(0, 50));
        holds(due(2)[0] !== due(3)[0], "seeds 2 and 3 agree");
    });
    test("an open loop with random arrivals waits as M/D/1 does", () => {
        const told = openLoop({ perSecond: 250, seconds: 4000, serviceMs: 2, stalls: 0, stallMs: 0, arrivals: "random", seed: 1 })
            .map((request) => request.told);
        // At 50 %: 2 ms of service and 1 ms of waiting.
        near(told.reduce((sum, time) => sum + time, 0) / told.length, 3, 0.01);
    });
    test("percentiles by hand", () => {
        const list = [5, 1, 4, 2, 3];
        equal([0, 0.2, 0.21, 0.5, 0.99, 1].map((share) => percentile(list, share)), [1, 1, 2, 3, 5, 5]);
        equal(percentile([], 0.5), NaN);
        const { count, mean, p50, max } = summary(list);
        equal({ count, mean, p50, max }, { count: 5, mean: 3, p50: 3, max: 5 });
    });
}

/* ---- figures ---- */

function figureTests({ csvRead, figureRead, figureText, median, numberText, unitOf, values }) {
    test("a table is read, and its rows chosen", () => {
        const rows = csvRead("experiment,mode,depth,median_us\nx,one,1,2.5\nx,one,8.0,4\nx,two,8,\nx,one,8,6\n");
        equal(rows.length, 4);
        equal(values(rows, "median_us", { mode: "one", depth: "8" }), [4, 6]);
        equal(values(rows, "median_us", { mode: "two" }), []);
        equal(values(rows, "nothing", {}), []);
        equal(csvRead(""), []);
        equal(values(csvRead(""), "median_us"), []);
    });
    test("medians", () => {
        equal([median([3, 1, 2]), median([4, 1, 2, 3]), median([7]), median([])], [2, 2.5, 7, NaN]);
    });
    test("what data-figure says", () => {
        equal(figureRead("random median_us sweep=depth  under_way=16"),
            { experiment: "random", column: "median_us", where: { sweep: "depth", under_way: "16" } });
        equal([figureRead("random"), figureRead("a b c"), figureRead("")], [null, null, null]);
    });
    // As text_number() and text_figure() of bench/lab/text.c print them.
    test("numbers as zclab prints them", () => {
        equal([0, 0.5, 0.01234, 1, 4, 4.567, 12.34, 99.96, 123.4, 1234.5, 1234567, 999999, 20].map(numberText),
            ["0", "0.5", "0.0123", "1", "4", "4.57", "12.3", "100", "123", "1,230", "1,230,000", "1,000,000", "20"]);
    });
    test("figures with their units", () => {
        equal([[0.256, "us"], [1500, "us"], [2.5e6, "us"], [29500, "1/s"], [121, "MB/s"], [13100, "MB/s"], [0.125, "share"],
            [4096, "bytes"], [1.5 * 1048576, "bytes"], [3, ""], [NaN, "us"]].map(([value, unit]) => figureText(value, unit)),
        ["0.256 µs", "1.5 ms", "2.5 s", "29,500/s", "121 MB/s", "13.1 GB/s", "12.5 %", "4 KiB", "1.5 MiB", "3", "–"]);
    });
    test("units of columns", () => {
        const units = { us: "us", s: "s", count: "", ratio: "", "1/s": "1/s", "MB/s": "MB/s", bytes: "bytes", share: "share" };
        for (const file of readdirSync(KEPT).filter((name) => name.endsWith(".json"))) {
            for (const { name, unit, role } of JSON.parse(readFileSync(join(KEPT, file))).columns ?? []) {
                if (role === "figure" && unit in units && unitOf(name) !== units[unit]) {
                    throw new Error(`${file}: ${name} is in '${unit}', taken for '${unitOf(name)}'`);
                }
            }
        }
    });
}

/* ---- running ---- */

async function main() {
    const folder = mkdtempSync(join(tmpdir(), "lessons-models-"));
    try {
        writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
        for (const part of ["sim", "figures.js", "measured.js"]) cpSync(join(LEARN, part), join(folder, part), { recursive: true });
        const module = (name) => import(pathToFileURL(join(folder, name)).href);
        for (const [name, tests] of [["sim/queue-model.js", queueTests], ["sim/caches-model.js", cacheTests],
            ["sim/blocking-model.js", blockingTests], ["sim/omission-model.js", omissionTests], ["figures.js", figureTests]]) {
            try {
                tests(await module(name));
            } catch (error) {
                failures.push(`${name}: ${error.message}`);
            }
        }
    } finally {
        rmSync(folder, { recursive: true });
    }
    for (const failure of failures) console.log(`FAILED ${failure}`);
    console.log(`${passed} passed, ${failures.length} failed`);
    process.exitCode = failures.length > 0 ? 1 : 0;
}

main();
