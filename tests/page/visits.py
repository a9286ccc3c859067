"""What a browser does with a site: it seeks in a video, revalidates, decodes, and takes pages from a service worker."""

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
def visited(model):
    with tempfile.TemporaryDirectory(prefix="site-") as root, site(model, root) as (address, process):
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


VISITS = [video_is_sought_in, revalidation_gets_304, codings_are_decoded, service_worker_answers_when_the_server_is_away]
