/*
 * Axes: they map a value to a share of the axis (0 at its beginning, 1 at its end), and have ticks.
 * Pure. A logarithmic scale has no zero: values that are not above 0 are at its beginning.
 */

/* Returns the least of 1, 2, 5 × 10^n that is not below `value`. */
export function niceAbove(value) {
    const power = 10 ** Math.floor(Math.log10(value));
    const lead = value / power;
    const step = lead <= 1.0000001 ? 1 : lead <= 2.0000001 ? 2 : lead <= 5.0000001 ? 5 : 10;
    return step * power;
}

/* Returns a scale from 0 to just above `most`, with at most about `count` ticks. */
export function linearScale(most, count = 4) {
    const top = most > 0 && Number.isFinite(most) ? most : 1;
    const step = niceAbove(top / count);
    const end = Math.ceil(top / step - 1e-9) * step;
    const ticks = [];
    for (let i = 0; i * step <= end * 1.0000001; i++) ticks.push(i * step);
    return { least: 0, most: end, ticks, at: (value) => value / end };
}

/* Returns a scale of whole decades around [least, most], at least one. */
export function logScale(least, most) {
    let low = Math.floor(Math.log10(least) + 1e-9);
    let high = Math.ceil(Math.log10(most) - 1e-9);
    if (!Number.isFinite(low) || !Number.isFinite(high)) [low, high] = [-6, -2];
    if (high <= low) high = low + 1;
    const ticks = [];
    for (let power = low; power <= high; power++) ticks.push(10 ** power);
    const at = (value) => (value > 0 ? (Math.log10(value) - low) / (high - low) : 0);
    return { least: 10 ** low, most: 10 ** high, ticks, at };
}

const TIME_STEPS = [5, 10, 15, 30, 60, 120, 300, 600];

/* Returns round local times between two Unix times, at most about `count`. */
export function timeTicks(from, to, count) {
    const step = TIME_STEPS.find((seconds) => (to - from) / seconds <= count) ?? 900;
    const offset = new Date(to * 1000).getTimezoneOffset() * 60;
    const ticks = [];
    for (let at = Math.ceil((from - offset) / step) * step + offset; at <= to; at += step) {
        ticks.push(at);
    }
    return { step, ticks };
}
