/*
 * A queue before one or more servers, twice: as a simulation, event by event, and as closed forms. Pure: no page, no
 * clock, and no chance but that of a seed.
 *
 * Requests come when they like (a Poisson process: the times between two are exponential), wait in the order in
 * which they came, and are served by the first server that is free. Serving takes an exponential time (some
 * requests are large) or always the same. Kendall's notation: M/M/c and M/D/c. Times are in seconds.
 *
 * Closed forms: Erlang 1917 (M/M/c); Pollaczek 1930 and Khinchine 1932 (M/D/1); Kleinrock, "Queueing Systems" I, 1975,
 * chapters 3 and 5. Nobody knows a short one for M/D/c with several servers: there half of the waiting of M/M/c
 * stands for it (Allen and Cunneen), which gives the response time within some per cent.
 */

/* ---- chance ---- */

/* A generator (xoshiro128**, Blackman and Vigna 2018): the same seed, the same numbers, above 0 and below 1. */
export function makeRandom(seed) {
    const state = new Uint32Array(4);
    let mix = seed >>> 0;
    for (let i = 0; i < 4; i++) { // splitmix32, so that small seeds differ in all bits
        mix = (mix + 0x9e3779b9) | 0;
        let z = mix;
        z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
        z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
        state[i] = z ^ (z >>> 15);
    }
    let [a, b, c, d] = state;
    return () => {
        const scrambled = Math.imul(b, 5);
        const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9);
        const shifted = b << 9;
        c ^= a;
        d ^= b;
        b ^= c;
        a ^= d;
        c ^= shifted;
        d = (d << 11) | (d >>> 21);
        return ((result >>> 0) + 0.5) / 4294967296;
    };
}

/* ---- the simulation ---- */

export class Queue {
    /* { arrivalRate: per second, serviceTime: mean, servers, service: "exponential" or "constant", seed } */
    constructor({ arrivalRate, serviceTime, servers = 1, service = "exponential", seed = 1 }) {
        this.arrivalRate = arrivalRate;
        this.serviceTime = serviceTime;
        this.servers = servers;
        this.isConstant = service === "constant";
        this.random = makeRandom(seed);
        this.time = 0;
        this.ends = new Array(servers).fill(Infinity); // when each server will be free; Infinity: it is
        this.cameAt = new Array(servers).fill(0); // when the request came that it serves
        this.busy = 0;
        this.waiting = []; // when each of those came, the oldest at `first`
        this.first = 0;
        this.arrival = this.exponential(1 / arrivalRate);
        this.statisticsReset();
    }

    /* Forgets what was counted, but not who is there. */
    statisticsReset() {
        this.since = this.time;
        this.served = 0; // requests that left
        this.responses = 0; // sum of their response times
        this.begun = 0; // requests whose service began
        this.waits = 0; // sum of what they had waited
        this.longest = 0;
        this.busyArea = 0; // servers at work × time
        this.presentArea = 0; // requests in the system × time
    }

    exponential(mean) {
        return -mean * Math.log(this.random());
    }

    get waitingCount() {
        return this.waiting.length - this.first;
    }

    get present() {
        return this.busy + this.waitingCount;
    }

    /* Goes on until the time, or for so many events; tells how many there were. */
    advance(until, eventsMost = Infinity) {
        let events = 0;
        for (; events < eventsMost; events++) {
            const server = this.firstToEnd();
            const next = Math.min(this.arrival, this.ends[server]);
            if (next > until) break;
            this.timePass(next);
            if (this.arrival <= this.ends[server]) this.arrive();
            else this.leave(server);
        }
        if (events < eventsMost && until < Infinity) this.timePass(until);
        return events;
    }

    firstToEnd() {
        const { ends } = this;
        let best = 0;
        for (let i = 1; i < ends.length; i++) if (ends[i] < ends[best]) best = i;
        return best;
    }

    timePass(to) {
        const passed = to - this.time;
        this.busyArea += this.busy * passed;
        this.presentArea += this.present * passed;
        this.time = to;
    }

    arrive() {
        const came = this.time;
        this.arrival = came + this.exponential(1 / this.arrivalRate);
        if (this.busy < this.servers) this.serve(this.ends.indexOf(Infinity), came);
        else this.waiting.push(came);
    }

    serve(server, came) {
        this.begun++;
        this.waits += this.time - came;
        this.cameAt[server] = came;
        this.ends[server] = this.time + (this.isConstant ? this.serviceTime : this.exponential(this.serviceTime));
        this.busy++;
    }

    leave(server) {
        const response = this.time - this.cameAt[server];
        this.served++;
        this.responses += response;
        if (response > this.longest) this.longest = response;
        this.ends[server] = Infinity;
        this.busy--;
        if (this.waitingCount > 0) this.serve(server, this.waitingTake());
    }

    waitingTake() {
        const came = this.waiting[this.first++];
        if (this.first >= 1024 && this.first * 2 >= this.waiting.length) {
            this.waiting = this.waiting.slice(this.first);
            this.first = 0;
        }
        return came;
    }

    /* Means since the statistics were reset; NaN where nothing happened. */
    statistics() {
        const passed = this.time - this.since;
        return {
            served: this.served,
            throughput: this.served / passed,
            utilisation: this.busyArea / passed / this.servers,
            waiting: this.waits / this.begun,
            response: this.responses / this.served,
            longest: this.longest,
            present: this.presentArea / passed,
        };
    }
}

/* The means of `requests` requests, after as many as `warmUp` were left out; the same for the same seed. */
export function simulate(parameters, requests, warmUp = requests / 20) {
    const queue = new Queue(parameters);
    while (queue.served < warmUp) queue.advance(Infinity, 1000);
    queue.statisticsReset();
    while (queue.served < requests) queue.advance(Infinity, Math.min(1000, requests - queue.served));
    return queue.statistics();
}

/* ---- closed forms ---- */

/* Share of the time that each server is at work, when they can keep up. */
export function utilisation({ arrivalRate, serviceTime, servers = 1 }) {
    return arrivalRate * serviceTime / servers;
}

/* Erlang's C: the probability that a request of M/M/c has to wait; 1 from 100 % on. */
export function waitProbability({ arrivalRate, serviceTime, servers = 1 }) {
    const offered = arrivalRate * serviceTime;
    const busy = offered / servers;
    if (busy >= 1) return 1;
    let blocked = 1; // Erlang's B, by its recursion over the servers
    for (let n = 1; n <= servers; n++) blocked = offered * blocked / (n + offered * blocked);
    return blocked / (1 - busy * (1 - blocked));
}

/*
 * What theory says: { utilisation, waiting, response, present, exact }. From 100 % on nothing holds but that
 * it grows: Infinity.
 */
export function closedForm(parameters) {
    const { arrivalRate, serviceTime, servers = 1, service = "exponential" } = parameters;
    const busy = utilisation(parameters);
    const exact = service === "exponential" || servers === 1;
    if (busy >= 1) return { utilisation: 1, waiting: Infinity, response: Infinity, present: Infinity, exact: true };
    const ofVarying = waitProbability(parameters) * serviceTime / (servers * (1 - busy));
    const waiting = service === "exponential" ? ofVarying : ofVarying / 2;
    const response = waiting + serviceTime;
    return { utilisation: busy, waiting, response, present: arrivalRate * response, exact };
}
