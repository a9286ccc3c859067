/*
 * Makes and changes elements. What comes from the server becomes text, never markup.
 */

/*
 * element("td", { class: "number" }, "12", child) returns an element with attributes and children.
 */
export function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
        if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
        else if (value === true) made.setAttribute(key, "");
        else if (value !== false && value !== undefined) made.setAttribute(key, String(value));
    }
    made.append(...children);
    return made;
}

/* Changes the page only when the text differs. */
export function textSet(node, text) {
    if (node.textContent !== text) node.textContent = text;
}

/* Knows which of the watched elements are on the screen or near it: others need not be drawn. */
export class Seen {
    constructor(onChange) {
        this.elements = new WeakSet();
        this.observer = new IntersectionObserver((changes) => {
            for (const { target, isIntersecting } of changes) {
                if (isIntersecting) this.elements.add(target);
                else this.elements.delete(target);
            }
            onChange();
        }, { rootMargin: "100px" });
    }

    watch(element) {
        this.observer.observe(element);
    }

    has(element) {
        return this.elements.has(element);
    }
}

/*
 * Fills `body` with `rows`, each an array of texts. Existing rows are reused, so that focus and
 * selection stay. The first text of a row is its header.
 */
export function tableFill(body, rows) {
    while (body.rows.length > rows.length) body.deleteRow(-1);
    rows.forEach((texts, i) => {
        const row = body.rows[i] ?? body.insertRow();
        while (row.cells.length < texts.length) {
            row.append(row.cells.length === 0 ? element("th", { scope: "row" }) : element("td"));
        }
        texts.forEach((text, column) => textSet(row.cells[column], text));
    });
}
