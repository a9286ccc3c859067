/*
 * The colours of the charts come from the style sheet, which defines both the light and the dark
 * scheme. Categories have the colours of Okabe and Ito. The heat map has one hue, in even steps of
 * perceived lightness (OKLab), so that more is always darker, or in the dark scheme always lighter.
 */
const SERIES = 8;
const HEAT_STEPS = 48;

export function themeRead() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const ramp = heatRamp(colour("--heat-low"), colour("--heat-high"));
    return {
        ink: colour("--ink"),
        quiet: colour("--quiet"),
        line: colour("--line"),
        accent: colour("--accent"),
        font: `11px ${style.getPropertyValue("--sans").trim() || "sans-serif"}`,
        series: Array.from({ length: SERIES }, (_, i) => colour(`--series-${i + 1}`)),
        ramp,
        /* `share` is 0 … 1; the least share above 0 is still visible. */
        heat: (share) => ramp[Math.min(HEAT_STEPS - 1, Math.floor((0.08 + 0.92 * share) * HEAT_STEPS))],
    };
}

function heatRamp(low, high) {
    const from = oklab(low);
    const to = oklab(high);
    return Array.from({ length: HEAT_STEPS }, (_, i) => {
        const at = i / (HEAT_STEPS - 1);
        const [l, a, b] = from.map((value, axis) => value + (to[axis] - value) * at);
        return `oklab(${l.toFixed(4)} ${a.toFixed(4)} ${b.toFixed(4)})`;
    });
}

/* Converts "#rrggbb" to OKLab: linear light, then cone responses, then their differences. */
export function oklab(hex) {
    const [r, g, b] = [1, 3, 5].map((at) => {
        const value = parseInt(hex.slice(at, at + 2), 16) / 255;
        return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
    const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
    const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
    return [
        0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
        1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
        0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
    ];
}
