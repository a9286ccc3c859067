"""The lessons in a headless Chromium: what they ask for and complain of, by axe-core, narrow and wide, in both schemes."""

import os
import re
import subprocess
import sys

from house import BUILD, SITE, TOP, ZCSERVE, Skip

sys.path.insert(0, str(TOP / "tests/page"))
# pylint: disable=wrong-import-position
from browser import Browser, BrowserError

AXE = BUILD / "node/node_modules/axe-core/axe.min.js"
WIDE, NARROW = 1280, 360
SECONDS_A_CALL = 60  # axe-core looks at a whole page in one
LOOKS = ((WIDE, "light"), (WIDE, "dark"), (NARROW, "light"), (NARROW, "dark"))
READY = "document.documentElement.dataset.learn === 'ready'"
# Whatever is folded away is unfolded, and images are loaded that nobody has scrolled to.
UNFOLD = """(() => {
    for (const one of document.querySelectorAll("details")) one.open = true;
    for (const image of document.images) image.loading = "eager";
})()"""
LOADED = "[...document.images].every((image) => image.complete)"
BROKEN = "[...document.images].filter((image) => image.naturalWidth === 0).map((image) => image.getAttribute('src'))"
# What makes a page wider than the screen, when something does.
WIDER = """(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const scrolls = (element) => element && (/auto|scroll|hidden/.test(getComputedStyle(element).overflowX)
        || scrolls(element.parentElement));
    return [...document.body.querySelectorAll("*")].filter((element) => element.getBoundingClientRect().right > width + 1
        && !scrolls(element.parentElement)).slice(0, 4)
        .map((element) => `${element.tagName.toLowerCase()}.${element.className} ${element.textContent.trim().slice(0, 40)}`);
})()"""
RUN_AXE = """axe.run(document, { resultTypes: ["violations"], runOnly: %s }).then(({ violations }) => violations.map((one) =>
    `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => node.target.join(" ")).join(", ")}`))"""
# What depends on the scheme alone, and everything; between them they see all widths and schemes.
RULES = {(WIDE, "dark"): '{ type: "rule", values: ["color-contrast"] }', (NARROW, "light"): '{ type: "rule", values: ["color-contrast"] }'}
ALL_RULES = '["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]'
# Small text of pictures that scripts draw: what the reader sees of it, in pixels.
SMALL_TEXT = """[...document.querySelectorAll(".simulation svg text")].map((text) => {
    const scale = text.getScreenCTM()?.a ?? 1;
    return [parseFloat(getComputedStyle(text).fontSize) * scale, text.textContent];
}).filter(([size, words]) => words && size < 11.9).map(([size, words]) => `${size.toFixed(1)} px: ${words}`)"""
# Text of such a picture that its edge cuts off.
CUT_TEXT = """[...document.querySelectorAll(".simulation svg text")].filter((text) => {
    const [box, edge] = [text.getBoundingClientRect(), text.ownerSVGElement.getBoundingClientRect()];
    return box.width > 0 && (box.left < edge.left - 1 || box.right > edge.right + 1);
}).map((text) => text.textContent)"""
# Captions that a table which became paragraphs leaves no room.
SQUEEZED = """[...document.querySelectorAll("caption")].filter((one) => one.offsetHeight > 80
    && one.offsetWidth < one.parentElement.offsetWidth / 2).map((one) => one.textContent)"""
AXE_ONCE = "typeof axe === 'object'"


class Server:
    """zcserve over a directory, on a free port. A context manager."""

    def __init__(self, directory):
        self.directory = directory

    def __enter__(self):
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [ZCSERVE, "-p", "0", str(self.directory)], stderr=subprocess.PIPE, text=True)
        self.address = None
        while self.address is None:
            line = self.process.stderr.readline()
            if not line:
                raise AssertionError("the server did not start")
            found = re.search(r"serving .* at (http://[\d.]+:\d+/)", line)
            self.address = found and found.group(1)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        self.process.stderr.close()


class Look:
    """One browser on one server."""

    def __init__(self, browser, server, pictures=None):
        self.browser = browser
        self.server = server
        self.pictures = pictures

    def open(self, name):
        """Opens www/NAME; what was asked and said from then on."""
        self.browser.requests.clear()
        self.browser.complaints.clear()
        self.browser.open(self.server.address + name)
        if name.startswith("learn/"):
            self.browser.wait(READY)
            self.browser.wait("[...document.querySelectorAll('.simulation')].every((one) => 'mounted' in one.dataset)")

    def settled(self):
        self.browser.value(UNFOLD)
        self.browser.wait(LOADED)

    def own(self, url):
        return url.startswith((self.server.address, "data:", "about:", "blob:"))

    def heard(self):
        """What it asked of others, and what it complained of."""
        for url in sorted({url for url in self.browser.requests if not self.own(url)}):
            yield "it asked for %s" % url
        for words in dict.fromkeys(self.browser.complaints):
            yield "console: %s" % words

    # ---- one page ----

    def page(self, name):
        """In every width and scheme: nothing is wider than the screen, broken, asked of others, or complained of."""
        self.browser.look(WIDE, 1600)
        self.open(name)
        if name.startswith("learn/") and not self.browser.value(READY):
            yield "learn.js did not come to its end"
        self.settled()
        yield from self.simulations()
        for src in self.browser.value(BROKEN):
            yield "image %s does not load" % src
        for width, scheme in LOOKS:
            self.browser.look(width, 740 if width == NARROW else 1600, scheme, phone=width == NARROW)
            self.browser.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            for element in self.browser.value(WIDER):
                yield "%d px, %s: wider than the screen: %s" % (width, scheme, element)
            for text in self.browser.value(SMALL_TEXT)[:3]:
                yield "%d px: small text in a simulation: %s" % (width, text)
            for text in self.browser.value(CUT_TEXT)[:3]:
                yield "%d px: text of a simulation is cut off: %s" % (width, text)
            for text in self.browser.value(SQUEEZED):
                yield "%d px: a caption has too little room: %s" % (width, text)
            if self.pictures:
                file = "%s-%d-%s.png" % (re.sub(r"\W+", "-", name.removesuffix(".html")), width, scheme)
                self.browser.picture(os.path.join(self.pictures, file), whole=True)
        yield from self.printed()
        yield from self.heard()

    def simulations(self):
        for name in self.browser.value("[...document.querySelectorAll('.simulation')].filter((one) => !('mounted' in one.dataset))"
                                       ".map((one) => one.dataset.simulation)"):
            yield "simulation %s was not mounted" % name

    def printed(self):
        """On paper the controls are gone, and everything fits."""
        self.browser.look(720, 1000)
        self.browser.call("Emulation.setEmulatedMedia", media="print")
        for element in self.browser.value(WIDER):
            yield "on paper: wider than the page: %s" % element
        shown = self.browser.value("[...document.querySelectorAll('.simulation fieldset, .simulation button')]"
                                   ".filter((one) => one.offsetParent !== null).length")
        if shown:
            yield "on paper: %d controls of simulations" % shown
        self.browser.call("Emulation.setEmulatedMedia", media="")

    def axe(self, name):
        if not AXE.is_file():
            raise Skip("there is no axe-core, so that no page was looked at by it (make axe takes it from the npm registry)")
        self.browser.look(WIDE, 1600)
        self.open(name)
        self.settled()
        self.browser.value(AXE.read_text(encoding="utf-8") + "\n;" + AXE_ONCE)
        found = {}
        for width, scheme in LOOKS:
            self.browser.look(width, 740 if width == NARROW else 1600, scheme, phone=width == NARROW)
            for violation in self.browser.value(RUN_AXE % RULES.get((width, scheme), ALL_RULES)):
                found.setdefault(violation, []).append("%d %s" % (width, scheme))
        for violation, looks in found.items():
            yield "%s (%s)" % (violation, ", ".join(looks))

    # ---- what the script does ----

    def prediction(self, name):
        """What was typed is shown beside the result, and is there again when the page is loaded anew."""
        self.browser.look(WIDE, 1600)
        self.open(name)
        self.browser.value("localStorage.clear()")
        self.open(name)
        for number in range(self.browser.value("document.querySelectorAll('form.prediction textarea').length")):
            words = "I expect number %d <b>to bend</b> at 80 %%" % number
            area = "document.querySelectorAll('form.prediction textarea')[%d]" % number
            shown = ("document.querySelector(`[data-shows='${document.querySelectorAll('form.prediction')[%d]"
                     ".dataset.prediction}'] output`).textContent" % number)
            if self.browser.value(area + ".value") != "":
                yield "the field is not empty at first"
            self.browser.value(area + ".focus()")
            self.browser.call("Input.insertText", text=words)
            if self.browser.value(shown) != words:
                yield "typed '%s', shown '%s'" % (words, self.browser.value(shown))
            self.open(name)
            if self.browser.value(area + ".value") != words or self.browser.value(shown) != words:
                yield "it is not kept: '%s', shown '%s'" % (self.browser.value(area + ".value"), self.browser.value(shown))
        yield from self.heard()

    def predictions_listed(self):
        """The page of contents shows what was written down, and forgets it when told to."""
        self.open("learn/index.html")
        self.browser.value("localStorage.setItem('zcserve-learn:03-bend', 'it <b>bends</b>')")
        self.open("learn/index.html")
        listed = "document.querySelector('[data-predictions]').textContent"
        if "it <b>bends</b>" not in self.browser.value(listed) or "Queueing" not in self.browser.value(listed):
            yield "not listed: %s" % self.browser.value(listed)
        self.browser.value("document.querySelector('[data-predictions] button').click()")
        if self.browser.value("localStorage.length") or "bends" in self.browser.value(listed):
            yield "not forgotten: %s" % self.browser.value(listed)
        yield from self.heard()

    def keyboard(self, name):
        """Tab reaches every control of the page's simulations, and the focus is seen."""
        self.browser.look(WIDE, 1600)
        self.open(name)
        wanted = self.browser.value("""(() => {
            for (const one of document.querySelectorAll(".simulation details")) one.open = true;
            const controls = [...document.querySelectorAll(".simulation :is(button, input, select, [tabindex='0'])")]
                .filter((one) => one.checkVisibility() && !one.disabled);
            controls.forEach((one, i) => { one.dataset.control = i; });
            return controls.length;
        })()""")
        self.browser.value("document.querySelector('.simulation').scrollIntoView()")
        self.browser.value("document.querySelector(\".simulation [data-control='0']\").focus()")
        reached = set()
        for _ in range(wanted + 10):
            at, outline = self.browser.value("(() => { const at = document.activeElement; return [at.dataset.control ?? null,"
                                             " getComputedStyle(at).outlineStyle]; })()")
            if at is not None:
                reached.add(int(at))
                if outline == "none" and len(reached) > 1:  # the first one got it from a script
                    yield "control %s: a focus that is not seen" % at
            self.browser.press("Tab", "\t")
        for missing in sorted(set(range(wanted)) - reached):
            yield "Tab does not reach %s" % self.browser.value(
                "document.querySelector('[data-control=\"%d\"]').outerHTML.slice(0, 120)" % missing)

    def controls_work(self, name):
        """Every control of the simulations is used; nothing throws, and nothing runs before it was started."""
        self.browser.look(NARROW, 740, phone=True)
        self.open(name)
        before = self.browser.value("document.querySelector('.simulation').textContent")
        self.browser.value("new Promise((done) => setTimeout(done, 400))")
        if self.browser.value("document.querySelector('.simulation').textContent") != before:
            yield "it moves before it was started"
        self.browser.value("""(async () => {
            const pause = () => new Promise((done) => setTimeout(done, 60));
            for (const button of document.querySelectorAll(".simulation button")) {
                button.click();
                await pause();
            }
            for (const input of document.querySelectorAll(".simulation :is(input, select)")) {
                const values = input.tagName === "SELECT" ? [...input.options].map((one) => one.value)
                    : [input.min, input.max].filter((one) => one !== "");
                for (const value of values) {
                    input.value = value;
                    input.dispatchEvent(new Event("input", { bubbles: true }));
                    input.dispatchEvent(new Event("change", { bubbles: true }));
                    await pause();
                }
            }
            for (const button of document.querySelectorAll(".simulation button")) {
                button.click();
                await pause();
            }
        })()""")
        for element in self.browser.value(WIDER):
            yield "wider than the screen: %s" % element
        for text in self.browser.value(CUT_TEXT)[:3]:
            yield "text of a simulation is cut off: %s" % text
        for text in self.browser.value("[...document.querySelectorAll('.simulation')].map((one) => one.innerText)"
                                       ".filter((text) => /NaN|undefined|\\[object/.test(text)).map((text) => text.slice(0, 200))"):
            yield "no text for people: %s" % text
        yield from self.heard()

    def queue_comes_near(self):
        """The simulation of the queue, run as fast as possible, agrees with the formula that stands beside it."""
        self.browser.look(WIDE, 1600)
        self.open("learn/03-queueing.html")
        self.browser.value("""(() => {
            const speed = document.querySelector(".simulation[data-simulation='queue'] select[name='speed']");
            speed.value = "all";
            speed.dispatchEvent(new Event("input", { bubbles: true }));
            [...document.querySelectorAll(".simulation[data-simulation='queue'] button")]
                .find((button) => button.textContent === "Start").click();
        })()""")
        served = "Number(/after (\\d+)/.exec(document.querySelector('.simulation caption').textContent)[1])"
        if not self.browser.wait(served + " > 200000", 20):
            yield "it served only %s" % self.browser.value(served)
        found, theory = self.browser.value("[...[...document.querySelectorAll('.simulation tbody tr')].find((row) =>"
                                           " row.cells[0].textContent === 'Response time').cells].slice(1)"
                                           ".map((cell) => parseFloat(cell.textContent))")
        if not abs(found - theory) < 0.05 * theory:
            yield "response time %s, the formula says %s" % (found, theory)
        points = self.browser.value("document.querySelectorAll('.simulation svg .measured').length")
        if points < 3:
            yield "%d measured points" % points
        yield from self.heard()

    # ---- the reader's own results ----

    def own_shown(self, name):
        """Own plots stand beside the kept ones; own figures, of the same tables, are printed as the kept ones are."""
        self.browser.look(WIDE, 1600)
        self.open(name)
        self.settled()
        counts = self.browser.value("[document.querySelectorAll('figure.plot').length, document.querySelectorAll('.pair').length]")
        if counts[0] != counts[1]:
            yield "%d plots, %d of them with an own one" % tuple(counts)
        for src in self.browser.value(BROKEN):
            yield "image %s does not load" % src
        for texts in self.browser.value(
                "[...document.querySelectorAll('td[data-figure]')].map((cell) => [cell.firstChild.textContent,"
                " cell.querySelector('small')?.textContent ?? ''])"):
            if "kept: " + texts[0] != texts[1]:
                yield "own figure '%s' beside '%s'" % tuple(texts)
        self.browser.look(NARROW, 740, phone=True)
        for element in self.browser.value(WIDER):
            yield "wider than the screen: %s" % element
        yield from self.heard()

    def own_told(self, there):
        """The page of contents leads to the own report when there is one."""
        self.open("learn/index.html")
        shown = self.browser.value("[...document.querySelectorAll('[data-own]')].filter((one) => one.offsetParent !== null)"
                                   ".map((one) => one.dataset.own)")
        if shown != (["yes"] if there else ["no"]):
            yield "shown: %s" % shown
        yield from self.heard()


def own_results_make(site):
    """The kept results as if the reader had measured them."""
    for path in (SITE / "lab").iterdir():
        target = site / "lab-mine" / path.name
        target.unlink(missing_ok=True)
        target.write_bytes(path.read_bytes())


def plan(pages):
    """(name, method of Look, arguments) of each test: first without own results, then with them."""
    names = ["learn/%s.html" % page.name for page in pages]
    others = ["learn/index.html", "learn/teachers.html", "lab-mine/", "index.html", "request.html", "configure.html", "cluster.html",
              "files/index.html"]
    simulated = ["learn/%s.html" % page.name for page in pages if page.first(cls="simulation") is not None]
    without = [("page " + name, Look.page, name) for name in names + others]
    # Where there is none, one test says so for all.
    without += [("axe " + name, Look.axe, name) for name in (names + others if AXE.is_file() else ["of all pages"])]
    without += [("prediction " + name, Look.prediction, name) for name in names]
    without += [("keyboard " + name, Look.keyboard, name) for name in simulated]
    without += [("controls " + name, Look.controls_work, name) for name in simulated]
    without += [("queue simulation", Look.queue_comes_near)] * ("learn/03-queueing.html" in simulated)
    without += [("predictions listed", Look.predictions_listed), ("nothing measured yet", Look.own_told, False)]
    own = [("own results " + name, Look.own_shown, name) for name in names] + [("own report", Look.own_told, True)]
    return without, own


def wanted(count, pages):
    return any(count.wants(test[0]) for part in plan(pages) for test in part)


def tests(count, pages, workplace, pictures=None):
    """All of them, with one browser and one server over a copy of the site."""
    site = workplace.place / "www"
    without, own = plan(pages)
    workplace.own_page_renew()
    try:
        with Server(site) as server, Browser(SECONDS_A_CALL) as browser:
            look = Look(browser, server, pictures)
            for name, check, *arguments in without:
                count.test(name, guarded, check, look, *arguments)
            own_results_make(site)
            for name, check, *arguments in own:
                count.test(name, guarded, check, look, *arguments)
    except (BrowserError, AssertionError, OSError) as problem:
        count.add("browser", [str(problem)])


def guarded(check, *arguments):
    """A browser that throws is a complaint, not the end of all tests."""
    try:
        yield from check(*arguments)
    except BrowserError as problem:
        yield str(problem)
