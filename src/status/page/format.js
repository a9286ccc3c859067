/*
 * Formats numbers for people: SI prefixes, three significant digits, a thin space before the unit.
 * Pure. NaN and infinity are a dash.
 */
const DASH = "–";
const LARGE = ["", "k", "M", "G", "T", "P"];
const SMALL = ["", "m", "µ", "n"];

function digits(value) {
    const size = Math.abs(value);
    return value.toFixed(size >= 99.95 || value === 0 ? 0 : size >= 9.995 ? 1 : 2);
}

/* 12345 → "12.3 k"; with a unit, "12.3 kB". Whole numbers below 1000 stay whole. */
export function si(value, unit = "") {
    if (!Number.isFinite(value)) return DASH;
    let step = 0;
    let scaled = value;
    while (Math.abs(scaled) >= 999.5 && step < LARGE.length - 1) {
        scaled /= 1000;
        step++;
    }
    const text = step === 0 && Number.isInteger(value) ? String(value) : digits(scaled);
    const suffix = LARGE[step] + unit;
    return suffix ? `${text}\u202f${suffix}` : text;
}

/* 0.0000123 → "12.3 µs". */
export function time(seconds) {
    if (!Number.isFinite(seconds)) return DASH;
    if (seconds === 0) return "0\u202fs";
    let step = 0;
    let scaled = seconds;
    while (Math.abs(scaled) < 0.9995 && step < SMALL.length - 1) {
        scaled *= 1000;
        step++;
    }
    return `${digits(scaled)}\u202f${SMALL[step]}s`;
}

export function bytes(value) {
    return si(Number.isFinite(value) ? Math.round(value) : value, "B");
}

export function rate(value) {
    return si(value, "/s");
}

export function byteRate(value) {
    return si(Number.isFinite(value) ? Math.round(value) : value, "B/s");
}

export function share(value) {
    return Number.isFinite(value) ? `${digits(value * 100)}\u202f%` : DASH;
}

/* Formats a tick of an axis, as short as its value allows. */
export function brief(text) {
    return text.replace(/(\.\d*?)0+(?=\D|$)/, "$1").replace(/\.(?=\D|$)/, "");
}

/* 93784 → "1 d 2 h": only the two largest parts. */
export function duration(seconds) {
    if (!Number.isFinite(seconds)) return DASH;
    const whole = Math.floor(seconds);
    const parts = [
        [Math.floor(whole / 86400), "d"],
        [Math.floor(whole / 3600) % 24, "h"],
        [Math.floor(whole / 60) % 60, "min"],
        [whole % 60, "s"],
    ];
    const first = parts.findIndex(([count]) => count > 0);
    if (first < 0) return "0\u202fs";
    return parts.slice(first, first + 2).map(([count, unit]) => `${count}\u202f${unit}`).join(" ");
}

/* Formats Unix time as local time of the browser. */
export function clock(seconds, withSeconds = true) {
    const date = new Date(seconds * 1000);
    const two = (value) => String(value).padStart(2, "0");
    const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`;
    return withSeconds ? `${minutes}:${two(date.getSeconds())}` : minutes;
}
