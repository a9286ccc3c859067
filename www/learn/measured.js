/*
 * Where results lie: the kept ones in ../lab/, the reader's own in ../lab-mine/, where
 * `zclab run NAME --out www/lab-mine` puts them. Nothing is asked for that is not there: a browser would note each
 * miss on its console. So the page of the own results is read once, and says what there is; `make run` puts an
 * empty one there.
 */
import { csvRead } from "./figures.js";

const KEPT = new URL("../lab/", import.meta.url);
const OWN = new URL("../lab-mine/", import.meta.url);

async function textOf(address) {
    try {
        const answer = await fetch(address, { cache: "no-cache" }); // it may have been measured again
        return answer.ok ? await answer.text() : "";
    } catch {
        return ""; // the page was opened as a file, or the server is gone
    }
}

let asked;

/* What the reader measured: { plots: names of SVG files, experiments: names }, each a Set. */
export function own() {
    asked ??= textOf(new URL("index.html", OWN)).then((text) => {
        const page = new DOMParser().parseFromString(text, "text/html");
        const names = (selector, attribute) =>
            new Set([...page.querySelectorAll(selector)].map((one) => one.getAttribute(attribute)));
        return { plots: names("img[src$='.svg']", "src"), experiments: names("section[id]", "id") };
    });
    return asked;
}

/* The address of the reader's own file. */
export function ownAddress(file) {
    return new URL(file, OWN).href;
}

const read = new Map();

function rowsOf(folder, experiment) {
    const address = new URL(`${experiment}.csv`, folder).href;
    if (!read.has(address)) read.set(address, textOf(address).then(csvRead));
    return read.get(address);
}

/* The rows of a kept experiment, and those of the reader's own; none when there are none. */
export function keptRows(experiment) {
    return rowsOf(KEPT, experiment);
}

export async function ownRows(experiment) {
    const { experiments } = await own();
    return experiments.has(experiment) ? rowsOf(OWN, experiment) : [];
}
