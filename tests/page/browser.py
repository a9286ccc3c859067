"""A headless Chromium, driven through its own protocol over two pipes.

It needs no driver program and no library. Messages are JSON ended by a zero byte, written to the browser's
descriptor 3 and read from its descriptor 4. Everything that the browser requests, prints on the console or
throws is kept for tests.
"""

import base64
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import time

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-proxy-server",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
         "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe", "about:blank")


class BrowserError(Exception):
    """It did not start, did not answer, or threw."""


class Browser:
    """One browser with one page. A context manager: it ends, and its directory goes, on the way out."""

    def __init__(self, seconds=15):
        program = next(filter(None, map(shutil.which, PROGRAMS)), None)
        if not program:
            raise BrowserError("no chromium here")
        self.seconds = seconds
        self.home = tempfile.mkdtemp(prefix="page-")
        self.number = 0
        self.answers = {}
        self.arrived = threading.Condition()
        self.requests, self.complaints = [], []
        self.urls, self.came = {}, []  # by request; (request, status, fields), which may come before the URL
        self.waiting = queue.Queue()
        to_browser, self.out = os.pipe()
        self.into, from_browser = os.pipe()
        # Descriptors 3 and 4 are the browser's convention; the shell puts ours there.
        script = 'exec "$0" "$@" 3<&%d 4>&%d' % (to_browser, from_browser)
        self.process = subprocess.Popen(
            ["bash", "-c", script, program, "--user-data-dir=" + self.home, *FLAGS],
            pass_fds=(to_browser, from_browser), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(to_browser)
        os.close(from_browser)
        threading.Thread(target=self.read, daemon=True).start()
        self.session = None

    def __enter__(self):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(domain + ".enable")
        return self

    def __exit__(self, *_):
        try:
            self.session = None
            self.call("Browser.close")
            self.process.wait(5)
        except (BrowserError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.out)
        shutil.rmtree(self.home, ignore_errors=True)

    # ---- messages ----

    def read(self):
        rest = b""
        while True:
            more = os.read(self.into, 1 << 16)
            if not more:
                return
            *whole, rest = (rest + more).split(b"\0")
            for message in whole:
                self.take(json.loads(message))

    def take(self, message):
        if "id" in message:
            with self.arrived:
                self.answers[message["id"]] = message
                self.arrived.notify_all()
            return
        method, told = message["method"], message["params"]
        if method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
            self.urls[told["requestId"]] = told["request"]["url"]
        elif method == "Network.responseReceivedExtraInfo":
            self.came.append((told["requestId"], told["statusCode"], told["headers"]))
        elif method == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
            self.complaints.append(" ".join(str(one.get("value", one)) for one in told["args"]))
        elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.complaints.append("%s %s" % (told["entry"]["text"], told["entry"].get("url", "")))

    def call(self, method, **params):
        self.number += 1
        number = self.number
        message = {"id": number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        with self.arrived:
            if not self.arrived.wait_for(lambda: number in self.answers, self.seconds):
                raise BrowserError("%s: no answer within %d s" % (method, self.seconds))
            answer = self.answers.pop(number)
        if "error" in answer:
            raise BrowserError("%s: %s" % (method, answer["error"]["message"]))
        return answer["result"]

    def responses(self):
        """(URL, status, fields) of each response that came over the network since forget()."""
        return [(self.urls.get(request, ""), status, fields) for request, status, fields in self.came]

    def forget(self):
        self.came.clear()

    # ---- what a person does ----

    def open(self, address):
        problem = self.call("Page.navigate", url=address).get("errorText")
        if problem or not self.wait("document.readyState === 'complete'"):
            raise BrowserError("%s: %s" % (address, problem or "not loaded within ten seconds"))

    def value(self, expression):
        """What a JavaScript expression comes to, a promise's result included."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    def wait(self, expression, seconds=10):
        """Until the expression is true; what it came to last is returned."""
        until = time.monotonic() + seconds
        while True:
            last = self.value(expression)
            if last or time.monotonic() > until:
                return last
            time.sleep(0.05)

    def press(self, key, text=None):
        """One key, as from a keyboard; `text` for those that write something."""
        shared = {"key": key, "code": key if len(key) > 1 else ""}
        if len(key) > 1:
            shared["windowsVirtualKeyCode"] = {"Tab": 9, "Enter": 13, "Escape": 27, "End": 35, "Home": 36,
                                               "ArrowLeft": 37, "ArrowRight": 39}[key]
        text = text or (key if len(key) == 1 else None)
        self.call("Input.dispatchKeyEvent", type="keyDown", **shared, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **shared)

    def look(self, width, height, scheme="light", phone=False, ratio=1):
        """The size of the window, and which colours are preferred."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=ratio,
                  mobile=phone)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path, whole=False):
        picture = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture["data"]))
