/*
 * Reads the server's histograms: subtracts two readings, and computes percentiles and the coarser
 * rows of the heat map. Buckets are sparse lists [[index, count], …] in rising order. Their layout
 * is log-linear (see include/zcserve/histogram.h) and comes with every reading. Pure: uses no clock
 * and no page.
 */

/* How many rows of the heat map each doubling has; row 0 is everything below 1 µs × 2^(1/8). */
export const ROWS_PER_DOUBLING = 8;
const ROW_LEAST_SECONDS = 1e-6;

/* Returns the middle of bucket `index`, in the units of the histogram. */
export function bucketMiddle(index, layout) {
    if (index < layout.exactBelow) return index;
    const shift = Math.floor(index / layout.subBuckets) - 1;
    const least = (layout.subBuckets + (index % layout.subBuckets)) * 2 ** shift;
    return least + (2 ** shift - 1) / 2;
}

/* Returns what was counted after `before`. A count that decreased is left out. */
export function bucketsSince(now, before) {
    const earlier = new Map(before);
    const grown = [];
    for (const [index, count] of now) {
        const more = count - (earlier.get(index) ?? 0);
        if (more > 0) grown.push([index, more]);
    }
    return grown;
}

/* Returns the bucket of the value of rank ceil(share × count); -1 when there is none. */
export function percentileBucket(buckets, share) {
    const count = buckets.reduce((sum, [, more]) => sum + more, 0);
    let left = Math.max(1, Math.ceil(share * count));
    for (const [index, more] of buckets) {
        left -= more;
        if (left <= 0) return index;
    }
    return -1;
}

export function percentileSeconds(buckets, share, layout) {
    const index = percentileBucket(buckets, share);
    return index < 0 ? NaN : bucketMiddle(index, layout) * layout.unitSeconds;
}

export function rowOf(seconds) {
    const row = Math.floor(ROWS_PER_DOUBLING * Math.log2(seconds / ROW_LEAST_SECONDS));
    return Math.max(0, row); // also for 0 s, whose logarithm is -Infinity
}

/* Returns where row `row` begins, in seconds. */
export function rowLeast(row) {
    return ROW_LEAST_SECONDS * 2 ** (row / ROWS_PER_DOUBLING);
}

/* Returns the buckets gathered into rows: [[row, count], …] in rising order. */
export function rowsOf(buckets, layout) {
    const rows = [];
    for (const [index, count] of buckets) {
        const row = rowOf(bucketMiddle(index, layout) * layout.unitSeconds);
        const last = rows[rows.length - 1];
        if (last && last[0] === row) last[1] += count;
        else rows.push([row, count]);
    }
    return rows;
}
