/*
 * SIEVE beside LRU: a few requests step by step, with what is in either cache; and many requests at once, as hits over
 * the size of the cache. Each is computed when somebody asks for it, and nothing runs by itself.
 */
import { Lru, Sieve, sweep, trace } from "./caches-model.js";
import { button, choice, element, picture, pictureFill, rowsFill, shape, slider, tableMake, valueOf } from "./making.js";

const REQUESTS_MOST = 40; // step by step
const REQUESTS_FIRST = "ABABCDEFAB";
const PLACES_MOST = 8;
const SEATS = { height: 196, row: 92, top: 30, left: 2, gap: 4, most: 52, box: 38 };

const FILES = 1000;
const REQUESTS = 20000;
const SHARES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
const CHART = { height: 250, left: 44, right: 16, top: 24, bottom: 44 };

/* ---- a few requests ---- */

/* One order's seats in a row, the newest to the left; a dot is a bit that is set, a triangle the hand. */
function rowDraw(name, cache, places, top, width) {
    const step = Math.min(SEATS.most, (width - SEATS.left * 2) / places);
    const box = step - SEATS.gap;
    const made = [shape("text", { x: SEATS.left, y: top - 10 }, name)];
    const seats = cache.seats();
    for (let i = 0; i < places; i++) {
        const x = SEATS.left + i * step;
        made.push(shape("rect", { class: "box", x, y: top, width: box, height: SEATS.box, rx: 4 }));
        if (!seats[i]) continue;
        made.push(shape("text", { class: "mid", x: x + box / 2, y: top + 22 }, seats[i].name));
        if (seats[i].visited) made.push(shape("circle", { class: "request", cx: x + box / 2, cy: top + 31, r: 3.5 }));
        if (seats[i].hand) {
            made.push(shape("path", { class: "busy", d: `M${x + box / 2} ${top + SEATS.box + 4}l6 10h-12z` }));
        }
    }
    return made;
}

/* "newest: C, B with its bit set, A at the hand". */
function seatsWords(seats) {
    if (seats.length === 0) return "nothing";
    return seats.map(({ name, visited, hand }) =>
        `${name}${visited ? " with its bit set" : ""}${hand ? " at the hand" : ""}`).join(", ");
}

function askedWords(name, { hit, evicted }) {
    if (hit) return `${name}: a hit.`;
    return evicted === undefined ? `${name}: a miss.` : `${name}: a miss, and ${evicted} leaves.`;
}

class Steps {
    constructor(place) {
        this.input = element("textarea", { name: "requests", rows: 1, maxlength: REQUESTS_MOST * 2, autocomplete: "off",
            autocapitalize: "characters", spellcheck: "false" }, REQUESTS_FIRST);
        this.controls = element("fieldset", {}, element("legend", {}, "A few requests, step by step"),
            element("label", {}, "Requests, a letter for each file ", this.input),
            slider("places", "Places in the cache", "", { least: 2, most: PLACES_MOST, step: 1, value: 4 }));
        this.next = button("Next request");
        this.all = button("All requests");
        this.again = button("From the beginning");
        this.said = element("p", { class: "said", role: "status" });
        this.history = element("pre", { tabindex: "0", role: "group", "aria-label": "Hits and misses so far" });
        place.append(this.controls, element("div", { class: "buttons" }, this.next, this.all, this.again));
        this.picture = picture(place, (svg, width) => this.draw(svg, width));
        place.append(element("p", { class: "said" },
            "The newest stands left. Dot: its bit is set. Triangle: the hand, which goes to the left."),
            this.said, this.history);
        this.controls.addEventListener("input", () => this.renew());
        this.next.addEventListener("click", () => this.ask(1));
        this.all.addEventListener("click", () => this.ask(REQUESTS_MOST));
        this.again.addEventListener("click", () => this.renew());
        this.renew();
    }

    renew() {
        this.requests = [...this.input.value.toUpperCase()].filter((letter) => /[A-Z0-9]/.test(letter))
            .slice(0, REQUESTS_MOST);
        this.places = Number(valueOf(this.controls, "places"));
        this.sieve = new Sieve(this.places);
        this.lru = new Lru(this.places);
        this.hits = { sieve: [], lru: [] };
        this.at = 0;
        this.show("Nothing was asked for yet.");
    }

    ask(count) {
        const last = Math.min(this.requests.length, this.at + count);
        let words = "All requests have been made.";
        for (; this.at < last; this.at++) {
            const name = this.requests[this.at];
            const [sieve, lru] = [this.sieve.ask(name), this.lru.ask(name)];
            this.hits.sieve.push(sieve.hit);
            this.hits.lru.push(lru.hit);
            words = `Request ${this.at + 1}, ${name}. ${askedWords("SIEVE", sieve)} ${askedWords("LRU", lru)}`;
        }
        this.show(words);
    }

    missesOf(hits) {
        return hits.filter((hit) => !hit).length;
    }

    show(words) {
        const line = (name, marks) => `${name.padEnd(9)}${marks.join(" ")}`;
        const marks = (hits) => hits.map((hit) => hit ? "h" : "m");
        const over = this.at === this.requests.length;
        this.said.textContent = `${words} Misses so far: SIEVE ${this.missesOf(this.hits.sieve)}, ` +
            `LRU ${this.missesOf(this.hits.lru)}.`;
        this.history.textContent = [line("Request", this.requests), line("SIEVE", marks(this.hits.sieve)),
            line("LRU", marks(this.hits.lru))].join("\n");
        this.next.disabled = this.all.disabled = over;
        this.picture.redraw();
    }

    draw(svg, width) {
        if (!this.sieve) return;
        const second = SEATS.top + SEATS.row;
        pictureFill(svg, width, SEATS.height,
            `SIEVE holds, the newest first: ${seatsWords(this.sieve.seats())}. LRU holds, the one used last first: ` +
            `${seatsWords(this.lru.seats())}.`,
            [...rowDraw("SIEVE", this.sieve, this.places, SEATS.top, width),
                ...rowDraw("LRU", this.lru, this.places, second, width)]);
    }
}

/* ---- many requests ---- */

function percent(share) {
    return `${(share * 100).toFixed(1)} %`;
}

class Many {
    constructor(place) {
        this.controls = element("fieldset", {}, element("legend", {}, "Many requests at once"),
            choice("skew", "Popularity: Zipf’s law with the exponent", [["0.7", "0.7, flat"], ["0.9", "0.9"],
                ["1.1", "1.1, steep"]], "0.9"),
            choice("crawl", "A crawler asks for every file in turn", [["0", "never"], ["4", "every fourth request"],
                ["2", "every second request"]], "0"),
            element("label", {}, "Seed: the same one, the same requests",
                element("input", { type: "number", name: "seed", min: 1, max: 999999, step: 1, value: 1 })));
        this.said = element("p", { class: "said", role: "status" });
        const { table, body } = tableMake("Hits in per cent of all requests", "Places", "SIEVE", "LRU");
        this.body = body;
        place.append(this.controls);
        this.picture = picture(place, (svg, width) => this.draw(svg, width));
        place.append(element("p", { class: "said" },
            "Line with filled circles: SIEVE. Broken line with squares: LRU."), this.said, table);
        this.controls.addEventListener("change", () => this.renew());
        this.renew();
    }

    renew() {
        const asked = trace({ files: FILES, requests: REQUESTS, skew: Number(valueOf(this.controls, "skew")),
            crawlEvery: Number(valueOf(this.controls, "crawl")), seed: Number(valueOf(this.controls, "seed")) || 1 });
        this.points = sweep(asked, FILES, SHARES);
        rowsFill(this.body, this.points.map(({ places, sieve, lru }) => [`${places}`, percent(sieve), percent(lru)]));
        const middle = this.points[3];
        this.said.textContent = `${REQUESTS.toLocaleString("en-GB")} requests for ${FILES.toLocaleString("en-GB")} files. ` +
            `With ${middle.places} places SIEVE has ${percent(middle.sieve)} hits and LRU ${percent(middle.lru)}.`;
        this.picture.redraw();
    }

    draw(svg, width) {
        if (!this.points) return;
        const right = width - CHART.right;
        const bottom = CHART.height - CHART.bottom;
        const spread = Math.log(SHARES.at(-1) / SHARES[0]);
        const x = (share) => CHART.left + 8 + (right - 16 - CHART.left) * Math.log(share / SHARES[0]) / spread;
        const y = (hits) => bottom - (bottom - CHART.top) * hits;
        const line = (order) => `M${this.points.map((p) => `${x(p.share).toFixed(1)} ${y(p[order]).toFixed(1)}`).join("L")}`;
        const made = [];
        for (const hits of [0, 0.25, 0.5, 0.75, 1]) {
            made.push(shape("path", { class: "grid", d: `M${CHART.left} ${y(hits)}H${right}` }),
                shape("text", { class: "soft right", x: CHART.left - 6, y: y(hits) + 5 }, `${hits * 100}`));
        }
        for (const { share, places } of this.points) {
            made.push(shape("text", { class: "soft mid", x: x(share), y: bottom + 18 }, `${places}`));
        }
        made.push(shape("text", { x: 2, y: 14 }, "hits, in %"),
            shape("text", { class: "mid", x: (CHART.left + right) / 2, y: bottom + 38 }, `places, for ${FILES} files`),
            shape("path", { class: "axis", d: `M${CHART.left} ${CHART.top}V${bottom}H${right}` }),
            shape("path", { class: "curve approximate", d: line("lru") }),
            shape("path", { class: "curve", d: line("sieve") }));
        for (const { share, sieve, lru } of this.points) {
            made.push(shape("rect", { class: "measured", x: x(share) - 4, y: y(lru) - 4, width: 8, height: 8 }),
                shape("circle", { class: "now", cx: x(share), cy: y(sieve), r: 5 }));
        }
        pictureFill(svg, width, CHART.height, "Hits over the number of places, for SIEVE and LRU; the table below has " +
            "the same figures.", made);
    }
}

export function mount(place) {
    new Steps(place);
    new Many(place);
}
