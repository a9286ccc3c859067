"""What a browser does with a site: it seeks in a video, revalidates, decodes, takes pages from a service worker, sorts a
listing, comes to a single page by a deep link, and reads from another origin what that lets it read."""

import base64
import contextlib
import os
import re
import signal
import subprocess
import tempfile

from served import BINARY
from webm import vp8_of, webm

FRAMES, WIDTH, HEIGHT = 40, 160, 120
PADDING = 3 << 18  # bytes behind each picture: a browser does not ask for ranges of what comes soon anyway
MODELS = ("epoll", "io_uring")
# The upper half of each picture has one colour, which tells its number; the rest is noise.
DRAW = """(async () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [%d, %d];
    const context = canvas.getContext("2d");
    const frames = [];
    for (let i = 0; i < %d; i++) {
        const noise = context.createImageData(canvas.width, canvas.height);
        for (let at = 0; at < noise.data.length; at++) noise.data[at] = at %% 4 === 3 ? 255 : Math.random() * 256;
        context.putImageData(noise, 0, 0);
        context.fillStyle = `rgb(${6 * i}, 128, ${255 - 6 * i})`;
        context.fillRect(0, 0, canvas.width, canvas.height / 2);
        frames.push(canvas.toDataURL("image/webp", 0.99).split(",")[1]);
    }
    return frames;
})()""" % (WIDTH, HEIGHT, FRAMES)
# The number that the picture shows after seeking to a second.
SEEK = """(async (second) => {
    const video = document.querySelector("video");
    if (video.readyState < 1) await new Promise((done, failed) => {
        video.onloadedmetadata = done;
        video.onerror = () => failed(video.error.message);
    });
    await new Promise((done) => { video.onseeked = done; video.currentTime = second; });
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight).getContext("2d");
    canvas.drawImage(video, 0, 0);
    return canvas.getImageData(20, 20, 1, 1).data[0] / 6;
})(%f)"""
WORKER = """const NAME = "pages";
self.addEventListener("install", (event) =>
    event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(["/offline.html"])).then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) =>
    event.respondWith(fetch(event.request).catch(() => caches.match("/offline.html"))));
"""
REGISTER = """navigator.serviceWorker.register("/worker.js").then(() => navigator.serviceWorker.ready)
    .then(() => navigator.serviceWorker.controller || new Promise((done) => {
        navigator.serviceWorker.addEventListener("controllerchange", done); })).then(() => "ready")"""


def expect(holds, words, *values):
    if not holds:
        raise AssertionError(words % values if values else words)


def write(root, name, content):
    with open(os.path.join(root, name), "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())


@contextlib.contextmanager
def site(model, root, lines=""):
    """A server of `root`; gives the address of the site, without a slash, and its process."""
    with tempfile.TemporaryDirectory(prefix="visit-") as place:
        path = os.path.join(place, "serve.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write('listen = "127.0.0.1:0"\nworkers = 1\nmodel = %s\nroot = "%s"\n%s' % (model, root, lines))
        with subprocess.Popen([BINARY, "-c", path], stderr=subprocess.PIPE, text=True) as process:
            try:
                found = None
                while not found:
                    line = process.stderr.readline()
                    expect(line, "%s did not start", model)
                    found = re.search(r"serving .* at (http://[\d.]+:\d+)/", line)
                yield found[1], process
            finally:
                for number in (signal.SIGTERM, signal.SIGINT):  # the second one ends it at once
                    process.send_signal(number)


@contextlib.contextmanager
def visited(model, lines=""):
    with tempfile.TemporaryDirectory(prefix="site-") as root, site(model, root, lines) as (address, process):
        write(root, "index.html", "<!DOCTYPE html><title>a page</title><p>a page")
        yield root, address, process


def statuses(browser, address):
    return [status for url, status, _ in browser.responses() if url == address]


# ---- the visits, each with the browser and a model ----

def video_is_sought_in(browser, model, made=[]):  # pylint: disable=dangerous-default-value
    if not made:
        made.extend(vp8_of(base64.b64decode(frame)) for frame in browser.value(DRAW))
    browser.look(1280, 800)
    with visited(model) as (root, address, _):
        video = webm(made, WIDTH, HEIGHT, 1000, PADDING)
        write(root, "film.webm", video)
        write(root, "film.html", '<!DOCTYPE html><title>film</title><video preload=metadata src=film.webm></video>')
        browser.forget()
        browser.open(address + "/film.html")
        for second in (33, 3, 21):
            shown = browser.value(SEEK % (second + 0.5))
            expect(abs(shown - second) < 2, "at second %d of the film comes picture %s", second, shown)
        parts = [fields for url, status, fields in browser.responses() if url.endswith("film.webm") and status == 206]
        begins = [int(re.match(r"bytes (\d+)-", part["Content-Range"])[1]) for part in parts]
        expect(len([begin for begin in begins if begin > len(video) // 4]) >= 1, "ranges begin at %s", begins)


def revalidation_gets_304(browser, model):
    with visited(model) as (_, address, _):
        browser.open(address + "/")
        browser.forget()
        browser.call("Page.reload")
        browser.wait("document.readyState === 'complete'")
        expect(browser.wait("document.title === 'a page'"), "the page did not come again")
        expect(statuses(browser, address + "/") == [304], "statuses %s", statuses(browser, address + "/"))


def codings_are_decoded(browser, model):
    with visited(model) as (root, address, _):
        text = "".join("line %d of a text that is compressed\n" % i for i in range(5000))
        for coding, suffix, program in (("br", "br", "brotli"), ("zstd", "zst", "zstd"), ("gzip", "gz", "gzip")):
            name = coding + ".txt"
            write(root, name, text)
            with open(os.path.join(root, name + "." + suffix), "wb") as file:
                subprocess.run([program, "-c", os.path.join(root, name)], stdout=file, check=True)
            browser.open(address + "/")
            browser.forget()
            length = browser.value("fetch('/%s').then((answer) => answer.text()).then((text) => text.length + ' ' + "
                                   "text.endsWith('line 4999 of a text that is compressed\\n'))" % name)
            expect(length == "%d true" % len(text), "%s: %s", coding, length)
            found = [fields.get("Content-Encoding") for url, _, fields in browser.responses() if url.endswith(name)]
            expect(found == [coding], "the coding of %s: %s", name, found)


def service_worker_answers_when_the_server_is_away(browser, model):
    with visited(model) as (root, address, process):
        write(root, "worker.js", WORKER)
        write(root, "offline.html", "<!DOCTYPE html><title>offline</title>")
        browser.open(address + "/")
        expect(browser.value(REGISTER) == "ready", "no service worker")
        process.terminate()
        process.wait(30)
        browser.open(address + "/something")
        expect(browser.value("document.title") == "offline", "title %s", browser.value("document.title"))


def keys(browser, count, enter=True):
    """So many times Tab, then Enter; the text of the link that had the focus."""
    for _ in range(count):
        browser.press("Tab")
    text = browser.value("document.activeElement.textContent")
    if enter:
        browser.press("Enter", "\r")
    return text


def listed(browser, search):
    """The names of the page that is sorted so, in their order, and the column that is told to be sorted."""
    expect(browser.wait("location.search === '%s' && document.readyState === 'complete'" % search),
           "the page is %s", browser.value("location.href"))
    return browser.value("[[...document.querySelectorAll('tbody a')].slice(1).map((a) => a.textContent).join(' '), "
                         "document.querySelector('[aria-sort]').textContent, document.querySelector('[aria-sort]').ariaSort]")


def listing_is_sorted_by_keyboard(browser, model):
    browser.look(1280, 800)
    with visited(model, "listing = on\n") as (root, address, _):
        os.mkdir(os.path.join(root, "files"))
        for name, length, time in (("b.txt", 3000, 2), ("a.txt", 20, 3), ("c.txt", 100, 1)):
            write(root, "files/" + name, "x" * length)
            os.utime(os.path.join(root, "files", name), (time * 86400, time * 86400))
        browser.open(address + "/files/")
        found = listed(browser, "")
        expect(found[0] == "a.txt b.txt c.txt", "at first: %s", found)
        for count, column, order, names in ((2, "Size", "asc", "a.txt c.txt b.txt"), (2, "Size", "desc", "b.txt c.txt a.txt"),
                                            (3, "Modified", "asc", "c.txt b.txt a.txt"), (1, "Name", "asc", "a.txt b.txt c.txt")):
            text = keys(browser, count)
            expect(text.startswith(column), "at Tab %d: %s", count, text)
            sort = {"Modified": "time"}.get(column, column.lower())
            found = listed(browser, "?sort=%s&order=%s" % (sort, order))
            expect(found[0] == names and found[1].startswith(column) and found[2].startswith(order), "by %s: %s", sort, found)
        keys(browser, 6, enter=False)  # three columns, the directory above, a.txt, b.txt
        expect(browser.value("getComputedStyle(document.activeElement).textDecorationLine") == "underline", "no focus is seen")
        browser.press("Enter", "\r")
        expect(browser.wait("location.pathname === '/files/b.txt'"), "it went to %s", browser.value("location.href"))


# The contrast of two elements' text with the page's ground (WCAG 2.2, 1.4.3), and how light that is.
CONTRASTS = """(() => {
    const parts = (text) => text.match(/[\\d.]+/g).slice(0, 3).map((part) => {
        const share = part / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    const light = (text) => { const [r, g, b] = parts(text); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
    const ground = light(getComputedStyle(document.body).backgroundColor);
    return [ground, ...["h1", "tbody a", "td:last-child"].map((selector) => {
        const text = light(getComputedStyle([...document.querySelectorAll(selector)].pop()).color);
        return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
    })];
})()"""


def listing_is_light_and_dark(browser, model):
    with visited(model, "listing = on\n") as (root, address, _):
        os.mkdir(os.path.join(root, "files"))
        write(root, "files/a.txt", "x")
        for scheme in ("light", "dark"):
            browser.look(1280, 800, scheme)
            browser.open(address + "/files/")
            ground, *contrasts = browser.value(CONTRASTS)
            expect((ground > 0.5) == (scheme == "light"), "%s: the ground is %.2f", scheme, ground)
            expect(min(contrasts) >= 4.5, "%s: contrasts %s", scheme, contrasts)
    browser.look(1280, 800)


SINGLE = """rule "/" {
    try_files = {"$path", "/index.html"}
}
rule "/assets/" {
    try_files = {"$path", "=404"}
}
"""
APP = """<!DOCTYPE html><title>app</title><script src="/assets/app.js"></script>"""


def single_page_is_found_by_deep_links(browser, model):
    with visited(model, SINGLE) as (root, address, _):
        os.mkdir(os.path.join(root, "assets"))
        write(root, "index.html", APP)
        write(root, "assets/app.js", "document.title = 'view of ' + location.pathname;")
        browser.open(address + "/")
        browser.value("history.pushState({}, '', '/people/42')")
        browser.forget()
        browser.call("Page.reload")
        expect(browser.wait("document.title === 'view of /people/42'"), "the title is %s", browser.value("document.title"))
        deep = address + "/people/42"
        expect(statuses(browser, deep) in ([200], [304]), "statuses %s", statuses(browser, deep))
        found = browser.value("Promise.all(['/assets/app.js', '/assets/absent.js', '/absent.js'].map((name) => "
                              "fetch(name).then((answer) => answer.status)))")
        expect(found == [200, 404, 200], "an asset, one that is absent, a path of the application: %s", found)


# What a script of this page may read of another origin: the text, or the name of the error.
READ = "fetch('%s', {headers: %s}).then((answer) => answer.text()).catch((error) => error.name)"


def other_origins_read_what_they_may(browser, model):
    with visited(model) as (_, address, _), visited(model, 'rule "/data/" { cors = "%s" }\n' % address) as (root, other, _):
        os.mkdir(os.path.join(root, "data"))
        write(root, "data/a.json", "[1]")
        write(root, "own.json", "[2]")
        custom = "{'X-Custom': 'a'}"
        for origin, simple, preflighted in ((address, "[1]", "[1]"),
                                            (address.replace("127.0.0.1", "localhost"), "TypeError", "TypeError")):
            browser.open(origin + "/")
            browser.forget()
            got = browser.value(READ % (other + "/data/a.json", "{}"))
            expect(got == simple, "a script of %s reads %s", origin, got)
            got = browser.value(READ % (other + "/data/a.json?x", custom))
            expect(got == preflighted, "after a preflight a script of %s reads %s", origin, got)
            found = statuses(browser, other + "/data/a.json?x")
            expect(found == ([204, 200] if preflighted == "[1]" else [204]), "with a preflight: statuses %s", found)
            got = browser.value(READ % (other + "/own.json", "{}"))
            expect(got == "TypeError", "what is for no other origin: %s", got)
        browser.open(other + "/")
        expect(browser.value(READ % ("/data/a.json", custom)) == "[1]", "its own page may not read it")


VISITS = [video_is_sought_in, revalidation_gets_304, codings_are_decoded, service_worker_answers_when_the_server_is_away,
          listing_is_sorted_by_keyboard, listing_is_light_and_dark, single_page_is_found_by_deep_links,
          other_origins_read_what_they_may]
