"""How long the server waits for a peer. A deadline moves when a step was made, not when a byte came: a
peer that sends empty lines, content or chunk extensions one by one is treated like a silent one. The
responses to complete requests are still sent before the connection ends.
"""

import contextlib
import os
import signal
import socket
import time

from client import Failure, expect, get, wait_until
from stage import Silence, big, test, tried_steadily

DRIP = 0.05  # seconds between two drops


def drips(client, drop, seconds):
    """Sends a drop every now and then until the server ends the connection; fails when it does not."""
    began = time.monotonic()
    client.socket.settimeout(DRIP)
    while time.monotonic() - began < seconds:
        try:
            client.send(drop)
            if client.socket.recv(1 << 16) == b"":
                return
        except socket.timeout:
            continue
        except (BrokenPipeError, ConnectionResetError):
            return
    raise Failure("still open after %.1f s of %r" % (seconds, drop))


def times(stage, **seconds):
    return {"timeouts." + name: stage.milliseconds(value) for name, value in seconds.items()}


@test("empty lines keep no connection: before the first request")
def empty_lines_first(stage):
    with stage.server(stage.site(a_txt=b"a"), times(stage, head=1, idle=5)) as server:
        with server.client() as client:
            drips(client, "\r\n", stage.seconds(3.5))


@test("empty lines keep no connection: between two requests, whole and in halves")
def empty_lines_between(stage):
    with stage.server(stage.site(a_txt=b"a"), times(stage, head=1, idle=1)) as server:
        for first, drop in (("", "\r\n"), ("\r", "\n\r")):
            with server.client() as client:
                expect("content", b"a", client.get("/a.txt").content)
                client.send(first)
                drips(client, drop, stage.seconds(3.5))


@test("empty lines do not hold up a stop")
def empty_lines_while_draining(stage):
    options = times(stage, idle=30, head=30, linger=0.5, drain=20)
    with stage.server(stage.site(a_txt=b"a"), options) as server:
        with server.client() as client:
            expect("content", b"a", client.get("/a.txt").content)
            client.send("\r\n")
            server.signal(signal.SIGTERM)
            drips(client, "\r\n", stage.seconds(3.5))
            expect("exit code", 0, server.wait(2))


BODY = ("POST /a.txt HTTP/1.1\r\nHost: h\r\n", "Content-Length: 100000\r\n\r\n")
CHUNKED = ("POST /a.txt HTTP/1.1\r\nHost: h\r\n", "Transfer-Encoding: chunked\r\n\r\n")


@test("content that drips is answered 408 when its time is over")
def content_drips(stage):
    options = times(stage, body=1, linger=0.2)
    with stage.server(stage.site(a_txt=b"a"), options) as server:
        for head, drop in ((BODY, "x"), (CHUNKED, "1\r\nx\r\n"), (CHUNKED, "0")):
            with server.client() as client:
                client.send("".join(head))
                drips(client, drop, stage.seconds(4))


@test("chunk extensions and trailers that drip are late as well")
def extensions_drip(stage):
    options = times(stage, body=1, linger=0.2)
    with stage.server(stage.site(a_txt=b"a"), options) as server:
        for begin, drop in (("5;a=", "b"), ("0\r\nTrailer: ", "x")):
            with server.client() as client:
                client.send("".join(CHUNKED) + begin)
                drips(client, drop, stage.seconds(4))


@test("content that comes on steadily may take longer than timeouts.body")
def content_comes_on(stage):
    piece = b"x" * round(stage.seconds(300))  # slower, too, it is above the lowest rate, which is fixed
    with stage.server(stage.site(a_txt=b"a"), times(stage, body=1)) as server:
        def trial(silence):
            with server.client() as client:
                client.send("POST /a.txt HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % (30 * len(piece)))
                for _ in range(30):
                    client.send(piece)
                    silence.broken()
                    time.sleep(stage.seconds(0.1))
                expect("status", 405, client.answer().status)
                expect("the next", b"a", client.get("/a.txt").content)
        tried_steadily(stage.seconds(1), trial)


@test("a response that fails: those before it are read whole, however much is unread by the server")
def earlier_responses_survive(stage):
    content = big(8)
    root = stage.site(big_bin=content, a_txt=b"a" * 900)
    with stage.server(root) as server:
        for _ in range(5):
            with server.client(32768) as client:
                client.send(get("/a.txt") * 20 + get("/big.bin") + get("/a.txt") * 200)
                wait_until("the head of the large file", lambda: b"Content-Length: %d" % len(content)
                           in client.socket.recv(1 << 16, socket.MSG_PEEK), stage.seconds(5))
                os.truncate(os.path.join(root, "big.bin"), 1 << 16)
                client.send(get("/a.txt") * 200)
                time.sleep(stage.seconds(0.2))
                parts = []
                while client.receive():  # a reset would raise
                    parts.append(client.buffer)
                    client.buffer = b""
                whole = b"".join(parts).count(b"a" * 900)
                expect("whole responses", 20, whole)
            with open(os.path.join(root, "big.bin"), "wb") as file:
                file.write(content)


def upload(client, stage, seconds, silence):
    """Goes on sending content that nobody wants."""
    until = time.monotonic() + stage.seconds(seconds)
    while time.monotonic() < until:
        client.send("x" * 1000)
        silence.broken()
        time.sleep(stage.seconds(0.05))


@test("an upload that is refused: its sender gets to read why, however long it sends")
def slow_upload_reads_its_error(stage):
    options = dict(times(stage, linger=0.5), **{"limits.body": "1k"})
    with stage.server(stage.site(a_txt=b"a"), options) as server:
        def trial(silence):
            with server.client() as client:
                client.send("POST /a.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n")
                upload(client, stage, 2, silence)
                expect("status", 405, client.answer().status)
                client.expect_end()
        tried_steadily(stage.seconds(0.5), trial)


PIECES, PIECE = 40, 7500  # 300 kB
REFUSED_EARLY = (  # answered before the content is read, because it is longer than limits.body
    (404, "GET /nothing HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % (PIECES * PIECE), "%s"),
    (405, "POST /a.txt HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % (PIECES * PIECE), "%s"),
    (404, "GET /nothing HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", "%x\r\n%%s\r\n" % PIECE))
PAGE = b"<!DOCTYPE html><title>no</title>" + b"." * 20000


def refused_uploads(server, pause, silence):
    """Uploads at once, piece by piece; each reads its error, whole, after its last byte."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.client()) for _ in REFUSED_EARLY]
        for number in range(PIECES + 1):
            for client, (_, head, form) in zip(clients, REFUSED_EARLY):
                client.send(form % ("x" * PIECE) if number else head)
            silence.broken()
            time.sleep(pause)
        for client, (status, _, _) in zip(clients, REFUSED_EARLY):
            answer = client.answer()
            expect("status and content", (status, PAGE), (answer.status, answer.content))
            client.expect_end()


@test("300 kB sent slowly to what is refused early: the whole error is read after the last byte")
def slow_uploads_read_whole_errors(stage):
    """That takes a few times as long as timeouts.linger, which is for a silence: the connection lasts while bytes come
    (RFC 9112 §9.6)."""
    linger = 0.8
    options = dict(times(stage, linger=linger), **{"limits.body": "1k", "": 'rule "/" { error_pages = "404 405 /page.html" }\n'})
    with stage.server(stage.site(a_txt=b"a", page_html=PAGE), options) as server:
        tried_steadily(stage.seconds(linger), lambda silence: refused_uploads(
            server, stage.seconds(3 * linger) / PIECES, silence))


@test("an upload that is refused does not go on for ever")
def upload_is_ended(stage):
    options = dict(times(stage, linger=0.1), **{"limits.body": "1k"})
    with stage.server(stage.site(a_txt=b"a"), options) as server:
        with server.client() as client:
            client.send("POST /a.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n")
            try:
                upload(client, stage, 6, Silence())
            except (BrokenPipeError, ConnectionResetError):
                return
            raise Failure("it was read from for 6 s")
