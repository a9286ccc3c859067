/*
 * Keeps the figures of the last quarter of an hour, one entry for each reading. When a reading
 * cannot be subtracted from the one before (the server was restarted) there is a break, which
 * charts show.
 */
import { figuresBetween, sameStart } from "./figures.js";

const KEEP_SECONDS = 15 * 60 + 10;

/* Returns what the tables need later: no histograms, because they are large. */
function countedOf(reading) {
    const slim = ({ counters, closed, refused_for }) => ({ counters, closed, refused_for });
    return {
        total: slim(reading.total),
        workers: new Map(reading.workers.map((worker) => [worker.index, slim(worker)])),
    };
}

export class History {
    constructor() {
        this.entries = [];
        this.latest = null;
        this.broken = false; // the next entry follows a restart
    }

    /* Adds a reading. Returns whether the server was restarted since the one before. */
    add(reading) {
        const before = this.latest;
        this.latest = reading;
        if (before && sameStart(reading, before)) {
            const entry = figuresBetween(before, reading);
            entry.afterBreak = this.broken;
            entry.counted = countedOf(reading);
            this.broken = false;
            this.entries.push(entry);
            this.forget(entry.time - KEEP_SECONDS);
            return false;
        }
        if (before && before.monotonic_seconds === reading.monotonic_seconds
            && before.server.pid === reading.server.pid) return false;
        this.broken = before !== null;
        return this.broken;
    }

    forget(before) {
        let old = 0;
        while (old < this.entries.length && this.entries[old].time < before) old++;
        if (old > 0) this.entries.splice(0, old);
    }

    last() {
        return this.entries[this.entries.length - 1] ?? null;
    }

    /*
     * Returns the entries that end after `from`, and one before them, so that lines reach the edge.
     */
    since(from) {
        let first = this.entries.length;
        while (first > 0 && this.entries[first - 1].time > from) first--;
        return this.entries.slice(Math.max(0, first - 1));
    }
}
