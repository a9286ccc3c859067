"""The access log: it is right and complete, it can be reopened, and no request waits for it."""

import contextlib
import datetime
import json
import os
import re
import signal
import time

from client import expect, get, request, wait_until
from fixtures import located
from harness import halt
from stage import expect_pace, require, seconds_of, test

COMBINED = re.compile(
    r'(?P<remote>\S+) - - \[(?P<date>[^]]+)\] "(?P<request>(?:[^"\\]|\\x[0-9A-F]{2})*)" '
    r'(?P<status>\d{3}) (?P<bytes>\d+) "(?P<referer>(?:[^"\\]|\\x[0-9A-F]{2})*)" '
    r'"(?P<agent>(?:[^"\\]|\\x[0-9A-F]{2})*)" (?P<seconds>\d+\.\d{6}) (?P<worker>\d+) '
    r'(?P<source>-|memory|pagecache|disk)')
KEYS = {"time", "remote", "user", "host", "method", "target", "version", "status", "bytes", "referer",
        "user_agent", "seconds", "worker", "source", "coding", "scheme", "id"}


def log_options(stage, **more):
    path = os.path.join(stage.setting.place("log"), "access.log")
    options = {"access_log": path, "log.interval": "50ms"}
    options.update({name.replace("_", ".", 1): value for name, value in more.items()})
    return path, options


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def exchange(server):
    """Requests of several kinds on one connection."""
    with server.client() as client:
        client.get("/a.txt?x=1", "Referer: http://from/", "User-Agent: one")
        client.get("/big.bin", "User-Agent: t\"wo\\ \t\xff")
        client.get("/big.bin", "Range: bytes=0-9")
        client.get("/nothing")
        client.send(request("HEAD", "/a.txt"))
        client.answer(head_only=True)
        client.get("/a%22b\"c")
        client.send("nonsense\r\n\r\n")
        client.answer()
        client.expect_end()


@test("combined lines: every field right")
def combined(stage):
    path, options = log_options(stage)
    with stage.server(stage.site(a_txt=b"12345", big_bin=located(400000)), options) as server:
        exchange(server)
    found = [COMBINED.fullmatch(line) for line in lines_of(path)]
    require(all(found), "not combined lines: %s", lines_of(path))
    expect("status and bytes", [("200", "5"), ("200", "400000"), ("206", "10"), ("404", None),
                                ("200", "0"), ("404", None), (None, None)],
           [(m["status"] if n < 6 else None, m["bytes"] if n in (0, 1, 2, 4) else None)
            for n, m in enumerate(found)])
    expect("request", 'GET /a.txt?x=1 HTTP/1.1', found[0]["request"])
    expect("referer", "http://from/", found[0]["referer"])
    expect("agent", "one", found[0]["agent"])
    expect("agent, escaped", r"t\x22wo\x5C \x09\xFF", found[1]["agent"])
    expect("request, escaped", r'GET /a%22b\x22c HTTP/1.1', found[5]["request"])
    expect("no agent", "-", found[2]["agent"])
    expect("remote", "127.0.0.1", found[0]["remote"])
    require(int(found[0]["worker"]) < (32 if stage.is_blocking() else 1), "worker %s",
            found[0]["worker"])
    expect("source of the large file is not memory", False, found[1]["source"] == "memory")
    for match in found:
        date = datetime.datetime.strptime(match["date"], "%d/%b/%Y:%H:%M:%S %z")
        require(abs(time.time() - date.timestamp()) < 60, "date %s", match["date"])
        require(float(match["seconds"]) < stage.seconds(5), "seconds %s", match["seconds"])


@test("of several ranges, the bytes in the log are those of the content")
def several_ranges(stage):
    path, options = log_options(stage)
    site = stage.site(a_txt=b"1" * 1000, big_bin=located(400000))
    with stage.server(site, options) as server, server.client() as client:
        answers = [client.get(target, "Range: bytes=0-9,20-29,-5") for target in ("/a.txt", "/big.bin")]
    found = [COMBINED.fullmatch(line) for line in lines_of(path)]
    expect("status and bytes", [("206", str(len(answer.content))) for answer in answers],
           [(m["status"], m["bytes"]) for m in found])
    require(all(answer.content.count(b"Content-Range: ") == 3 for answer in answers), "three parts each")
    expect("source of the large file is not memory", False, found[1]["source"] == "memory")


ODD = "/a%0ab\\c\xff%ff?\xe9\x80"  # of a name with a line end, a backslash, and bytes beyond ASCII


@test("combined lines: a target of any bytes stays within its line")
def combined_odd(stage):
    path, options = log_options(stage)
    with stage.server(stage.site(a_txt=b"12345"), options) as server:
        expect("status", 404, server.get(ODD).status)
    found = [COMBINED.fullmatch(line) for line in lines_of(path)]
    expect("lines", [True], [bool(match) for match in found])
    expect("request", r"GET /a%0ab\x5Cc\xFF%ff?\xE9\x80 HTTP/1.1", found[0]["request"])


@test("JSON lines: a target of any bytes stays within its line")
def json_odd(stage):
    path, options = log_options(stage, log_format="json")
    with stage.server(stage.site(a_txt=b"12345"), options) as server:
        expect("status", 404, server.get(ODD).status)
    found = [json.loads(line) for line in lines_of(path)]
    expect("targets", ["/a%0ab\\c\xff%ff?\xe9\x80"], [line["target"] for line in found])


@test("JSON lines: every member right")
def json_lines(stage):
    path, options = log_options(stage, log_format="json")
    with stage.server(stage.site(a_txt=b"12345", big_bin=located(400000)), options) as server:
        exchange(server)
    found = [json.loads(line) for line in lines_of(path)]
    expect("lines", 7, len(found))
    for each in found:
        expect("keys", KEYS, set(each))
        datetime.datetime.strptime(each["time"], "%Y-%m-%dT%H:%M:%S.%fZ")
    first, second = found[:2]
    expect("target", "/a.txt?x=1", first["target"])
    expect("host", "test", first["host"])
    expect("scheme and id", ("http", None), (first["scheme"], first["id"]))
    expect("agent", "t\"wo\\ \t\xff", second["user_agent"])
    expect("status and bytes", [(200, 5), (200, 400000), (206, 10)],
           [(each["status"], each["bytes"]) for each in found[:3]])


STEERS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@test("nothing that steers a terminal reaches a log: C1 controls, other directions, raw or as UTF-8")
def steering(stage):
    evil = b"\x9b31m \xc2\x9b2J \xe2\x80\xae \xe2\x81\xa6 \xe2\x80\x8f \xd8\x9c \xc3\xa4"
    for form in ("combined", "json"):
        path, options = log_options(stage, log_format=form)
        root = os.path.join(os.path.dirname(path), "a\u202e\x9bb")
        os.mkdir(root)
        with stage.server(root, options) as server, server.client() as client:
            for field in (b"User-Agent", b"Referer"):
                client.send(b"GET / HTTP/1.1\r\nHost: x\r\n" + field + b": " + evil + b"\r\n\r\n")
                client.answer()
        with open(path, "rb") as file:
            text = file.read().decode("utf-8")  # a raw byte would be none
        require("31m" in text and not STEERS.search(text), "the log has %r", text)
        said = "".join(server.lines)
        require(r"a\xe2\x80\xae\xc2\x9bb" in said and not STEERS.search(said), "it says %r", said)


@test("a line for every answer after the end, none twice, from two workers")
def complete(stage):
    path, options = log_options(stage, log_interval="60s")
    options["workers"] = 2
    count, connections = 2000, 8
    with stage.server(stage.site(a_txt=b"a"), options) as server, \
            contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.client()) for _ in range(connections)]
        for first in range(0, count, connections * 10):
            for at, client in enumerate(clients):
                client.send("".join(get("/a.txt?%d" % number)
                                    for number in range(first + at, first + connections * 10,
                                                        connections)))
            for client in clients:
                for _ in range(10):
                    client.answer()
    numbers = sorted(int(re.search(r"\?(\d+) ", line)[1]) for line in lines_of(path))
    expect("lines", list(range(count)), numbers)


@test("lines come within the interval, without more requests")
def interval(stage):
    path, options = log_options(stage, log_interval="100ms")
    late, longer = log_options(stage, log_interval="60s")
    root = stage.site(a_txt=b"a")
    with stage.server(root, options) as server, stage.server(root, longer) as other:
        other.get("/a.txt")
        server.get("/a.txt")
        wait_until("the line", lambda: len(lines_of(path)) == 1, stage.seconds(10))
        expect("lines whose interval is not over", [], lines_of(late))
    expect("lines after the stop", 1, len(lines_of(late)))


@test("an answer cut by the client is a line with the bytes that went")
def cut(stage):
    path, options = log_options(stage)
    with stage.server(stage.site(big_bin=located(24 << 20)), options) as server:
        with server.client(32768) as client:
            client.send(get("/big.bin"))
            client.answer_head()
            client.reset()
        wait_until("the line", lambda: lines_of(path), stage.seconds(3))
    match = COMBINED.fullmatch(lines_of(path)[0])
    require(match and int(match["bytes"]) < 24 << 20, "line %s", lines_of(path))


@test("USR1: after a rename lines go to the new file, and none is lost")
def reopen(stage):
    path, options = log_options(stage)
    with stage.server(stage.site(a_txt=b"a"), options) as server, server.client() as client:
        for turn in range(3):
            for number in range(100):
                client.get("/a.txt?%d" % (turn * 100 + number))
            os.rename(path, "%s.%d" % (path, turn))
            server.signal(signal.SIGUSR1)
            wait_until("a new file", lambda: os.path.exists(path), stage.seconds(3))
        client.get("/a.txt?300")
        wait_until("a line in the new file", lambda: any(
            "?300 " in line for line in lines_of(path)), stage.seconds(3))
    lines = sum((lines_of("%s.%d" % (path, turn)) for turn in range(3)), []) + lines_of(path)
    expect("lines", list(range(301)), sorted(int(re.search(r"\?(\d+) ", line)[1])
                                             for line in lines))


@test("USR1: the error log too")
def reopen_errors(stage):
    path = os.path.join(stage.setting.place("log"), "error.log")
    options = {"error_log": path, "log_level": "debug"}
    with stage.server(stage.site(a_txt=b"a"), options, watched=False) as server:
        os.rename(path, path + ".old")
        server.signal(signal.SIGUSR1)
        wait_until("a new file", lambda: os.path.exists(path), stage.seconds(3))
        os.kill(server.workers()[0], signal.SIGKILL)
        wait_until("a line in it", lambda: lines_of(path), stage.seconds(3))
        wait_until("a worker", server.workers, stage.seconds(5))


@test("the recorder stalled: requests go on at their pace, whole lines are dropped")
def recorder_stalled(stage):
    path, options = log_options(stage)
    options["log.buffer"] = "4k"
    filler = "x" * 2000
    root = stage.site(a_txt=b"a")

    def ten(client):
        client.send(get("/a.txt?" + filler) * 10)
        for _ in range(10):
            expect("content", b"a", client.answer().content)
    with stage.server(root, options) as server, server.client() as client, \
            stage.server(root, log_options(stage)[1]) as beside, beside.client() as control:
        client.get("/a.txt")
        recorder = server.recorder()
        halt(recorder)
        try:
            times = [[seconds_of(ten, each) for each in (client, control)] for _ in range(400)]
        finally:
            os.kill(recorder, signal.SIGCONT)
        expect_pace("ten requests", *zip(*times), times=4, grain=0.02)

        def goes_on():  # the first lines after may still find no room
            client.get("/a.txt?last")
            return any("?last " in line for line in lines_of(path))
        wait_until("the log goes on", goes_on, stage.seconds(5), step=0.05)
    lines = lines_of(path)
    require(all(COMBINED.fullmatch(line) for line in lines), "a line is not whole")
    require(len(lines) < 4002, "nothing was dropped: the test did not fill the log")


@test("the recorder killed: started again, requests go on, the log goes on")
def recorder_killed(stage):
    path, options = log_options(stage)
    with stage.server(stage.site(a_txt=b"a"), options, watched=False) as server, \
            server.client() as client:
        client.get("/a.txt")
        before = server.recorder()
        os.kill(before, signal.SIGKILL)
        for _ in range(100):
            expect("content", b"a", client.get("/a.txt").content)

        def goes_on():
            client.get("/a.txt?after")
            return any("?after " in line for line in lines_of(path))
        wait_until("the log goes on", goes_on, stage.seconds(5), step=0.05)


@test("a full disk: requests go on", per_model=True)
def full(stage):
    options = {"access_log": "/dev/full", "log.interval": "20ms"}
    with stage.server(stage.site(a_txt=b"a"), options, watched=False) as server, \
            server.client() as client:
        for _ in range(200):
            expect("content", b"a", client.get("/a.txt").content)
