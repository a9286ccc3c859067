/*
 * SIEVE and LRU, and made-up requests to compare them. Pure: no page, no clock, and no chance but that of a seed.
 *
 * A cache has so many places, all of one size. Each order of eviction is asked by ask(name), which tells whether that
 * was a hit and what was put out, if anything was: { hit, evicted }. seats() lists what is in it, the newest first:
 * [{ name, visited, hand }].
 *
 * SIEVE: Zhang et al., "SIEVE is Simpler than LRU", NSDI 2024; as in src/store/sieve.c. Requests: Zipf's law, as Breslau
 * et al. found it for the web (INFOCOM 1999), and a crawler as in bench/cache_hit_ratio.c.
 */
import { makeRandom } from "./queue-model.js";

/* ---- orders of eviction ---- */

/* A queue in order of arrival in which nothing moves. A hit sets a bit; the hand goes from old to new. */
export class Sieve {
    constructor(places) {
        this.places = places;
        this.known = new Map();
        this.newest = this.oldest = this.hand = null; // no hand: it begins at the oldest
    }

    ask(name) {
        const seat = this.known.get(name);
        if (seat) {
            seat.visited = true;
            return { hit: true, evicted: undefined };
        }
        const evicted = this.known.size >= this.places ? this.evict() : undefined;
        this.add(name);
        return { hit: false, evicted };
    }

    add(name) {
        const seat = { name, visited: false, newer: null, older: this.newest };
        if (this.newest) this.newest.newer = seat;
        else this.oldest = seat;
        this.newest = seat;
        this.known.set(name, seat);
    }

    /* Clears the bits that the hand meets, and puts out the first one whose bit is not set. */
    evict() {
        let seat = this.hand ?? this.oldest;
        while (seat.visited) {
            seat.visited = false;
            seat = seat.newer ?? this.oldest;
        }
        this.hand = seat.newer;
        this.remove(seat);
        return seat.name;
    }

    remove(seat) {
        if (seat.newer) seat.newer.older = seat.older;
        else this.newest = seat.older;
        if (seat.older) seat.older.newer = seat.newer;
        else this.oldest = seat.newer;
        this.known.delete(seat.name);
    }

    seats() {
        const list = [];
        const hand = this.hand ?? this.oldest;
        for (let seat = this.newest; seat; seat = seat.older) {
            list.push({ name: seat.name, visited: seat.visited, hand: seat === hand });
        }
        return list;
    }
}

/* Least recently used: each hit moves to the front, and the last one leaves. A Map keeps the order for us. */
export class Lru {
    constructor(places) {
        this.places = places;
        this.known = new Map();
    }

    ask(name) {
        const hit = this.known.delete(name);
        let evicted;
        if (!hit && this.known.size >= this.places) {
            evicted = this.known.keys().next().value;
            this.known.delete(evicted);
        }
        this.known.set(name, true);
        return { hit, evicted };
    }

    seats() {
        return [...this.known.keys()].reverse().map((name) => ({ name, visited: false, hand: false }));
    }
}

/* ---- requests ---- */

/* Sums of the popularity of files 0 … count - 1: number i is asked for in proportion to 1 / (i + 1)^skew. */
export function zipfSums(count, skew) {
    const sums = new Float64Array(count);
    let sum = 0;
    for (let i = 0; i < count; i++) sums[i] = sum += (i + 1) ** -skew;
    return sums;
}

/* The file that `chance` (above 0, below 1) falls upon. */
export function zipfDraw(sums, chance) {
    const wanted = chance * sums[sums.length - 1];
    let low = 0;
    let high = sums.length - 1;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (sums[middle] < wanted) low = middle + 1;
        else high = middle;
    }
    return low;
}

/*
 * Numbers of files, one for each request. With `crawlEvery` each so many-th request is a crawler's, which asks for every
 * file in turn; 0: there is none.
 */
export function trace({ files, requests, skew, crawlEvery = 0, seed = 1 }) {
    const random = makeRandom(seed);
    const sums = zipfSums(files, skew);
    const asked = new Uint32Array(requests);
    let crawler = Math.floor(random() * files);
    for (let i = 0; i < requests; i++) {
        const popular = zipfDraw(sums, random());
        asked[i] = crawlEvery > 0 && i % crawlEvery === 0 ? crawler++ % files : popular;
    }
    return asked;
}

/* Share of the requests that are hits, from the second fifth on: the first one fills the cache. */
export function hitShare(cache, asked) {
    const from = Math.floor(asked.length / 5);
    let hits = 0;
    asked.forEach((file, i) => {
        const { hit } = cache.ask(file);
        if (hit && i >= from) hits++;
    });
    return hits / Math.max(1, asked.length - from);
}

/* The same requests to caches of several sizes (shares of all files): [{ share, places, sieve, lru }]. */
export function sweep(asked, files, shares) {
    return shares.map((share) => {
        const places = Math.max(1, Math.round(files * share));
        return { share, places, sieve: hitShare(new Sieve(places), asked), lru: hitShare(new Lru(places), asked) };
    });
}
