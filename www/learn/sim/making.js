/* What the simulations of caches and of omission make their pictures and controls of. */

export function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
}

export function shape(name, attributes = {}, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
}

/* A slider under a label that shows its value. */
export function slider(name, text, unit, { least, most, step, value }) {
    const shown = element("b");
    const input = element("input", { type: "range", name, min: least, max: most, step, value });
    const show = () => {
        shown.textContent = `${input.value} ${unit}`.trim();
        input.setAttribute("aria-valuetext", shown.textContent);
    };
    input.addEventListener("input", show);
    show();
    return element("label", {}, `${text}: `, shown, input);
}

/* A list to choose from: options are [value, words]. */
export function choice(name, text, options, chosen) {
    const select = element("select", { name }, ...options.map(([value, words]) =>
        element("option", value === chosen ? { value, selected: "" } : { value }, words)));
    return element("label", {}, text, select);
}

export function button(text) {
    return element("button", { type: "button" }, text);
}

/* What the control of this name says. */
export function valueOf(controls, name) {
    return controls.querySelector(`[name="${name}"]`).value;
}

/* A table with a caption, a head, and a body to be filled with rowsFill(). */
export function tableMake(caption, ...heads) {
    const body = element("tbody");
    const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)));
    const table = element("table", {}, element("caption", {}, caption), element("thead", {}, head), body);
    return { table, body };
}

/* The first text of each row is its head. */
export function rowsFill(body, rows) {
    body.replaceChildren(...rows.map(([head, ...texts]) => element("tr", {},
        element("th", { scope: "row" }, head), ...texts.map((text) => element("td", { class: "number" }, text)))));
}

/* A picture that is drawn as wide as there is room, so that its text has the size of the page's. */
export function picture(place, draw) {
    const svg = shape("svg", { role: "img" });
    const widthNow = () => Math.max(260, Math.round(svg.getBoundingClientRect().width) || 320);
    const redraw = () => draw(svg, widthNow());
    place.append(svg);
    new ResizeObserver(() => requestAnimationFrame(redraw)).observe(place);
    return { svg, redraw };
}

/* Fills it, with the words that stand for it. */
export function pictureFill(svg, width, height, words, shapes) {
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("aria-label", words);
    svg.replaceChildren(...shapes);
}
