"""Programs that make load. What they call an error is a failure here; how fast it was is not looked at."""

import os
import re

from client import Failure
from program import run

REQUESTS, CONNECTIONS = 20000, 64


def prepare(root, _):
    with open(os.path.join(root, "small.html"), "wb") as file:
        file.write(b"x" * 1000)


def tests(_, server):
    url = "http://%s:%d/small.html" % server.address
    for name, load in (("ab -k", by_ab), ("wrk", by_wrk), ("h2load --h1", by_h2load), ("siege", by_siege)):
        yield name, lambda load=load: load(url)


def expect_lines(said, *patterns):
    for pattern in patterns:
        if not re.search(pattern, said, re.MULTILINE):
            raise Failure("no line %r in: %s" % (pattern, said[-2000:]))


def by_ab(url):
    said = run("ab", "-q", "-k", "-n", str(REQUESTS), "-c", str(CONNECTIONS), url)
    expect_lines(said, r"^Complete requests: +%d$" % REQUESTS, r"^Failed requests: +0$",
                 r"^Keep-Alive requests: +%d$" % REQUESTS)


def by_wrk(url):
    said = run("wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", "2s", url)
    expect_lines(said, r"^ +[1-9]\d* requests in ")
    if re.search("Socket errors|Non-2xx", said):
        raise Failure(said)


def by_h2load(url):
    said = run("h2load", "--h1", "-n", str(REQUESTS), "-c", str(CONNECTIONS), "-m", "4", url)
    expect_lines(said, r"%d succeeded, 0 failed, 0 errored, 0 timeout" % REQUESTS, r"^status codes: %d 2xx" % REQUESTS)


def by_siege(url):
    home = {**os.environ, "HOME": os.path.dirname(os.path.abspath(__file__))}
    said = run("siege", "-b", "-q", "-j", "-c", "16", "-r", "100", "--rc=/dev/null", url, env=home)
    expect_lines(said, r'"transactions":\s+1600\b', r'"failed_transactions":\s+0\b', r'"availability":\s+100\.00')
