/*
 * What zclab measured, read from its CSV files (bench/lab/FORMATS.md), and figures as its pages print them. Pure:
 * no page, no network.
 */

/* The rows of a CSV of zclab's, each an object by column. Cells hold neither commas nor quotes. */
export function csvRead(text) {
    const [head, ...lines] = text.split("\n").filter((line) => line !== "");
    if (head === undefined) return [];
    const names = head.split(",");
    return lines.map((line) => {
        const cells = line.split(",");
        return Object.fromEntries(names.map((name, i) => [name, cells[i] ?? ""]));
    });
}

function isNumber(text) {
    return text !== "" && Number.isFinite(Number(text));
}

/* Whether the row's cell says the same: numbers by their value, words by their letters. */
function says(row, name, wanted) {
    const cell = row[name];
    if (cell === undefined) return false;
    return isNumber(cell) && isNumber(wanted) ? Number(cell) === Number(wanted) : cell === wanted;
}

/* The values of a column in the rows that agree with `where` ({ column: text }); empty cells are none. */
export function values(rows, column, where = {}) {
    return rows.filter((row) => Object.entries(where).every(([name, wanted]) => says(row, name, wanted)))
        .map((row) => row[column]).filter((cell) => cell !== undefined && isNumber(cell)).map(Number);
}

/* NaN of nothing. */
export function median(list) {
    const sorted = [...list].sort((a, b) => a - b);
    const middle = Math.floor(sorted.length / 2);
    return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/* "random median_us mode=one depth=1" → which experiment, which column, and which cases. Null when it says less. */
export function figureRead(text) {
    const words = text.split(/[\s:;,&?#|]+/).filter((word) => word !== "");
    const where = {};
    const names = [];
    for (const word of words) {
        const equals = word.indexOf("=");
        if (equals > 0) where[word.slice(0, equals)] = word.slice(equals + 1);
        else names.push(word.replace(/\.csv$/, ""));
    }
    return names.length === 2 ? { experiment: names[0], column: names[1], where } : null;
}

/* ---- as text ---- */

/* Three digits that count; thousands with commas: 1,234,567 → 1,230,000. */
export function numberText(value) {
    const size = Math.abs(value);
    if (!Number.isFinite(value)) return "–";
    if (value === 0) return "0";
    const step = 10 ** (Math.floor(Math.log10(size)) - 2);
    if (size >= 100) return (Math.round(value / step) * step).toFixed(0).replace(/\B(?=(\d{3})+$)/g, ",");
    const digits = size >= 10 ? 1 : size >= 1 ? 2 : Math.min(20, Math.round(-Math.log10(step)));
    return value.toFixed(digits).replace(/\.?0+$/, "");
}

/* Units of columns whose names do not tell them. */
const UNITS = {
    busy: "share", hit_rate: "share", interrupts_here: "share", io_wait: "share", iops: "1/s", limit_iops: "1/s",
    million_rows_per_s: "", of_mb_per_s: "", others_cpu: "share", per_thread: "MB/s", seconds: "s", steal: "share", waste: "share",
};

/* The unit of a column, by its name. */
export function unitOf(column) {
    if (column in UNITS) return UNITS[column];
    if (/_us(_per_|$)/.test(column)) return "us";
    if (/mb_per_s$/.test(column)) return "MB/s";
    if (/_per_s$/.test(column)) return "1/s";
    if (/bytes$/.test(column)) return "bytes";
    if (/_ns$/.test(column)) return "ns";
    if (/_s$/.test(column)) return "s";
    return /share$|^resident_/.test(column) ? "share" : "";
}

function bytesText(value) {
    const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let step = 0;
    let rest = value;
    for (; step < 4 && rest >= 1024; step++) rest /= 1024;
    return `${Number.isInteger(rest) ? rest : rest.toFixed(1)} ${units[step]}`;
}

/* A figure with its unit, as zclab's page says it: 0.0123 s → 12.3 ms. */
export function figureText(value, unit) {
    if (!Number.isFinite(value)) return "–";
    if (unit === "bytes") return bytesText(value);
    if (unit === "share") return `${numberText(value * 100)} %`;
    if (unit === "1/s") return `${numberText(value)}/s`;
    if (unit === "MB/s" && value >= 1e4) return `${numberText(value / 1e3)} GB/s`;
    if (unit === "us") {
        if (value >= 1e6) return `${numberText(value / 1e6)} s`;
        return value >= 1e3 ? `${numberText(value / 1e3)} ms` : `${numberText(value)} µs`;
    }
    return unit === "" ? numberText(value) : `${numberText(value)} ${unit}`;
}
