/*
 * Draws on a canvas: the frame with its axes, lines, stacked areas and heat maps. Each call draws
 * its arguments and keeps nothing. A frame has the pixels of the plot (left, top, right, bottom),
 * `x(time)` and `y(value)`.
 */
import { brief, clock } from "./format.js";
import { timeTicks } from "./scale.js";
import { rowLeast } from "./histogram.js";

const MARGIN = { left: 58, right: 10, top: 20, bottom: 20 };
const COLUMN_LEAST_PIXELS = 3; // narrower columns of a heat map are drawn together
const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3]];

/* Fits the canvas to its place on the page, at the resolution of the screen, and clears it. */
export function canvasClear(canvas) {
    const ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    const pixels = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== pixels[0] || canvas.height !== pixels[1]) [canvas.width, canvas.height] = pixels;
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    return { context, width, height };
}

/* Draws a frame with axes: `unit` above the vertical axis, local times below the horizontal one. */
export function frameDraw(canvas, view, scale, { unit, format }) {
    const { context, width, height } = canvasClear(canvas);
    const frame = {
        context,
        left: MARGIN.left, right: width - MARGIN.right,
        top: MARGIN.top, bottom: height - MARGIN.bottom,
    };
    frame.x = (time) => frame.left + (time - view.from) / (view.to - view.from) * (frame.right - frame.left);
    frame.y = (value) => frame.bottom - scale.at(value) * (frame.bottom - frame.top);
    context.font = view.theme.font;
    context.lineWidth = 1;
    context.strokeStyle = view.theme.line;
    context.fillStyle = view.theme.quiet;
    valueAxis(frame, scale, format);
    timeAxis(frame, view);
    context.textAlign = "left";
    context.textBaseline = "top";
    context.fillText(unit, 2, 2);
    return frame;
}

function valueAxis(frame, scale, format) {
    const { context } = frame;
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.beginPath();
    for (const tick of scale.ticks) {
        const y = Math.round(frame.y(tick)) + 0.5;
        context.moveTo(frame.left, y);
        context.lineTo(frame.right, y);
        context.fillText(brief(format(tick)), frame.left - 5, y);
    }
    context.stroke();
}

function timeAxis(frame, view) {
    const { context } = frame;
    const { step, ticks } = timeTicks(view.from, view.to, Math.max(2, (frame.right - frame.left) / 76));
    context.textAlign = "center";
    context.textBaseline = "top";
    context.beginPath();
    for (const tick of ticks) {
        const x = Math.round(frame.x(tick)) + 0.5;
        context.moveTo(x, frame.bottom);
        context.lineTo(x, frame.bottom + 4);
        if (x < frame.left + 20 || x > frame.right - 16) continue; // its text would be cut
        context.fillText(clock(tick, step < 60), x, frame.bottom + 6);
    }
    context.stroke();
}

/* Runs `draw` so that nothing outside of the plot changes. */
export function clipped(frame, draw) {
    const { context } = frame;
    context.save();
    context.beginPath();
    context.rect(frame.left, frame.top - 1, frame.right - frame.left, frame.bottom - frame.top + 2);
    context.clip();
    draw();
    context.restore();
}

/* Draws a line through (times[i], values[i]); NaN and a break interrupt it. */
export function lineDraw(frame, times, values, breaks, colour, number) {
    const { context } = frame;
    context.strokeStyle = colour;
    context.fillStyle = colour;
    context.lineWidth = 1.75;
    context.lineJoin = "round";
    context.setLineDash(DASHES[number % DASHES.length]);
    context.beginPath();
    let drawing = false;
    values.forEach((value, i) => {
        if (!Number.isFinite(value)) {
            drawing = false;
            return;
        }
        const x = frame.x(times[i]);
        const y = frame.y(value);
        if (drawing && !breaks[i]) context.lineTo(x, y);
        else {
            context.moveTo(x, y);
            if (!Number.isFinite(values[i + 1])) context.fillRect(x - 1.25, y - 1.25, 2.5, 2.5); // one point
        }
        drawing = true;
    });
    context.stroke();
    context.setLineDash([]);
}

/* Fills the area between `lower` and `upper`, in runs without a break. */
export function areaDraw(frame, times, lower, upper, breaks, colour) {
    const { context } = frame;
    context.fillStyle = colour;
    for (let start = 0; start < times.length;) {
        let end = start + 1;
        while (end < times.length && !breaks[end]) end++;
        context.beginPath();
        for (let i = start; i < end; i++) context.lineTo(frame.x(times[i]), frame.y(upper[i]));
        for (let i = end - 1; i >= start; i--) context.lineTo(frame.x(times[i]), frame.y(lower[i]));
        context.fill();
        start = end;
    }
}

/* Draws a vertical line over the whole plot. */
export function markDraw(frame, time, colour, dash = []) {
    const { context } = frame;
    const x = Math.round(frame.x(time)) + 0.5;
    if (x < frame.left || x > frame.right) return;
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(x, frame.top);
    context.lineTo(x, frame.bottom);
    context.stroke();
    context.setLineDash([]);
}

/*
 * Returns the columns of a heat map: [{ from, to, rows: Map of row → responses a second }]. Entries
 * that would be too narrow to see are joined, at boundaries that do not move with the window.
 */
export function heatColumns(entries, pick, view, pixels) {
    const window = view.to - view.from;
    const least = window / Math.max(1, pixels / COLUMN_LEAST_PIXELS);
    const bin = least > 1 ? Math.ceil(least) : 0; // 0: each entry is a column of its own
    const columns = [];
    let number = NaN;
    for (const entry of entries) {
        const figures = pick(entry);
        if (!figures) continue;
        const own = bin ? Math.floor(entry.time / bin) : columns.length;
        if (own !== number) {
            columns.push({ from: entry.time - entry.seconds, to: entry.time, seconds: 0, rows: new Map() });
            number = own;
        }
        const column = columns[columns.length - 1];
        column.to = entry.time;
        column.seconds += entry.seconds;
        for (const [row, count] of figures.latency.rows) {
            column.rows.set(row, (column.rows.get(row) ?? 0) + count);
        }
    }
    for (const column of columns) {
        for (const [row, count] of column.rows) column.rows.set(row, count / column.seconds);
    }
    return columns;
}

/* Returns the greatest rate of any cell, which gets the strongest colour. */
export function heatMost(columns) {
    let most = 0;
    for (const { rows } of columns) for (const rate of rows.values()) most = Math.max(most, rate);
    return most;
}

export function heatDraw(frame, columns, most, theme) {
    const { context } = frame;
    for (const { from, to, rows } of columns) {
        const x = Math.floor(frame.x(from));
        const width = Math.max(1, Math.ceil(frame.x(to)) - x);
        for (const [row, rate] of rows) {
            const top = Math.floor(frame.y(rowLeast(row + 1)));
            const bottom = Math.ceil(frame.y(row === 0 ? 0 : rowLeast(row)));
            context.fillStyle = theme.heat(Math.log1p(rate) / Math.log1p(most));
            context.fillRect(x, top, width, Math.max(1, bottom - top));
        }
    }
}

/* Draws the key of a heat map's colours, in the upper right corner of the frame. */
export function heatKey(frame, most, theme, format) {
    const { context } = frame;
    const width = 72;
    const text = `${format(most)} responses/s`;
    context.font = theme.font;
    context.textBaseline = "top";
    context.textAlign = "right";
    context.fillStyle = theme.quiet;
    context.fillText(text, frame.right, 3);
    const right = frame.right - context.measureText(text).width - 6;
    theme.ramp.forEach((colour, i) => {
        context.fillStyle = colour;
        context.fillRect(right - width + i * width / theme.ramp.length, 5, width / theme.ramp.length + 0.6, 8);
    });
    context.fillStyle = theme.quiet;
    context.fillText("0", right - width - 4, 3);
}
