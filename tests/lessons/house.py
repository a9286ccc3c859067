"""Where everything lies, which lessons there are, and how tests of them are counted."""

import os
import re
import sys
import threading
import time
from pathlib import Path

from markup import Page

TOP = Path(__file__).resolve().parent.parent.parent
BUILD = TOP / os.environ.get("BUILD", "build")
SITE = TOP / "www"
LEARN = SITE / "learn"
ZCSERVE = os.environ.get("ZCSERVE", str(BUILD / "release/zcserve"))

LESSONS = ("01-path", "02-words", "03-queueing", "04-blocks", "05-page-cache", "06-blocking", "07-readiness",
           "08-prefork", "09-threads", "10-event-loop", "11-rings", "12-zero-copy", "13-freshness", "14-tails",
           "15-clouds", "16-scale")
QUOTING = ("08-prefork", "09-threads", "10-event-loop", "11-rings")


class Skip(Exception):
    """It cannot be tested here; the reason."""


class Count:
    """Runs tests and tells of each that fails, with a line for each complaint, or is skipped, with its reason."""

    def __init__(self, only=None, verbose=False):
        self.passed = self.failed = self.skipped = 0
        self.only = only
        self.verbose = verbose
        self.lock = threading.Lock()  # several lessons may be run at a time

    def wants(self, name):
        return not self.only or re.search(self.only, name)

    def test(self, name, check, *arguments):
        """A check gives its complaints, any iterable of texts; none: it holds."""
        if not self.wants(name):
            return
        began = time.monotonic()
        try:
            complaints = list(check(*arguments))
        except Skip as reason:
            self.skip(name, reason)
            return
        self.add(name, complaints, time.monotonic() - began)

    def skip(self, name, reason):
        with self.lock:
            self.skipped += 1
            print("skipped %s: %s" % (name, reason), flush=True)

    def add(self, name, complaints, seconds=0):
        with self.lock:
            for complaint in complaints:
                print("FAILED %s: %s" % (name, complaint), flush=True)
            self.failed += bool(complaints)
            self.passed += not complaints
            if self.verbose and not complaints:
                print("passed %s (%.1f s)" % (name, seconds), flush=True)

    def end(self):
        """Prints the last line; the exit code."""
        left_out = ", %d skipped" % self.skipped if self.skipped else ""
        if self.passed + self.failed + self.skipped == 0:
            print("FAILED nothing was tested", flush=True)
            self.failed = 1
        print("%d passed, %d failed%s" % (self.passed, self.failed, left_out))
        sys.stdout.flush()
        return 1 if self.failed else 0


def lessons_read():
    """The lessons that are there, in their order."""
    return [Page(LEARN / (name + ".html")) for name in LESSONS if (LEARN / (name + ".html")).exists()]


def command_text(element):
    """What a reader copies from a <pre><code>."""
    return element.text.strip("\n")
