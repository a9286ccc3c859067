/*
 * What all lessons share: predictions are kept in this browser and shown again beside the result; own plots
 * and own figures stand beside the kept ones when they were measured; simulations are started. A lesson reads
 * well without any of it.
 */
import { figureRead, figureText, median, unitOf, values } from "./figures.js";
import { own, ownAddress, ownRows } from "./measured.js";

const PREFIX = "zcserve-learn:";

function made(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
}

/* ---- predictions ---- */

/* A browser may forbid to keep anything; then the text is there until the page is left. */
const shelf = {
    get(name) {
        try {
            return localStorage.getItem(PREFIX + name) ?? "";
        } catch {
            return "";
        }
    },
    set(name, text) {
        try {
            if (text === "") localStorage.removeItem(PREFIX + name);
            else localStorage.setItem(PREFIX + name, text);
            return true;
        } catch {
            return false;
        }
    },
    names() {
        try {
            return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX))
                .map((key) => key.slice(PREFIX.length)).sort();
        } catch {
            return [];
        }
    },
};

function predictionShow(name, text) {
    for (const place of document.querySelectorAll(`[data-shows="${name}"] output`)) {
        place.textContent = text.trim() || "nothing is written down yet. Do it above, before you look at the result.";
    }
}

function predictionKeep(form) {
    const name = form.dataset.prediction;
    const area = form.querySelector("textarea");
    const said = made("p", { class: "kept" });
    area.value = shelf.get(name);
    predictionShow(name, area.value);
    form.append(said);
    form.addEventListener("submit", (event) => event.preventDefault());
    area.addEventListener("input", () => {
        said.textContent = shelf.set(name, area.value) ? "Kept in this browser." :
            "This browser keeps nothing: the text goes when you leave the page.";
        predictionShow(name, area.value);
    });
}

/* The page of contents: all that was written down, lesson by lesson, and a way to take it away. */
function predictionsList(place) {
    const names = shelf.names();
    const list = made("dl");
    for (const name of names) {
        const lesson = document.querySelector(`.contents a[href^="${CSS.escape(name.slice(0, 2))}-"]`);
        list.append(made("dt", {}, lesson ? lesson.textContent : name), made("dd", {}, shelf.get(name)));
    }
    if (names.length === 0) {
        place.replaceChildren(made("p", {}, "You wrote nothing down yet."));
        return;
    }
    const button = made("button", { type: "button" }, "Forget all of them");
    button.addEventListener("click", () => {
        for (const name of shelf.names()) shelf.set(name, "");
        predictionsList(place);
        place.tabIndex = -1;
        place.focus();
    });
    place.replaceChildren(list, button);
}

/* ---- what the reader measured ---- */

function plotPair(figure) {
    const kept = figure.querySelector("img");
    const name = figure.dataset.plot;
    const mine = made("img", { src: ownAddress(name), alt: `Your own run, drawn in the same way: ${name}` });
    const pair = made("div", { class: "pair" },
        made("div", {}, made("p", {}, "Kept for comparison")),
        made("div", {}, made("p", {}, "Your own run"), mine));
    kept.replaceWith(pair);
    pair.firstChild.append(kept);
}

async function cellFill(cell) {
    const asked = figureRead(cell.dataset.figure);
    if (!asked) return;
    const found = median(values(await ownRows(asked.experiment), asked.column, asked.where));
    if (!Number.isFinite(found)) return;
    const kept = cell.textContent.trim();
    cell.classList.add("own");
    cell.replaceChildren(figureText(found, cell.dataset.unit ?? unitOf(asked.column)),
        made("small", {}, `kept: ${kept}`));
}

async function ownShow() {
    const figures = [...document.querySelectorAll("figure.plot[data-plot]")];
    const cells = [...document.querySelectorAll("td[data-figure]")];
    const places = [...document.querySelectorAll("[data-own]")];
    if (figures.length + cells.length + places.length === 0) return;
    const { plots, experiments } = await own();
    figures.filter((figure) => plots.has(figure.dataset.plot)).forEach(plotPair);
    await Promise.all(cells.map(cellFill));
    // What is there only for those who measured, or only for those who did not.
    for (const place of places) place.hidden = (place.dataset.own === "yes") !== experiments.size > 0;
}

/* ---- simulations ---- */

async function simulationMount(element) {
    const { mount } = await import(`./sim/${element.dataset.simulation}.js`);
    await mount(element);
    element.dataset.mounted = "";
}

document.querySelectorAll("form.prediction").forEach(predictionKeep);
document.querySelectorAll("[data-predictions]").forEach(predictionsList);
document.querySelectorAll(".simulation[data-simulation]").forEach(simulationMount);
ownShow().then(() => {
    document.documentElement.dataset.learn = "ready";
});
