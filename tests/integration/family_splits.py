"""Families with streams that are sent in pieces: cut at each place, and in many pieces of so many bytes each."""

import time

import grammar
import rows
from client import get, request
from families import family, outcomes_of

PIECE_SECONDS = 0.0004  # so that pieces are received one by one, most of them

SPLIT = [
    get("/a.txt", "Range: bytes=10-19", "X: y"),
    get("/caf\xe9.txt?\xff", "X:\ty\t") + request("HEAD", "/page.css", "Accept-Encoding: gzip, br;q=0.5"),
    request("POST", "/a.txt", "Transfer-Encoding: chunked", body="5;x=\"y\"\r\nhello\r\n0\r\nX: y\r\n\r\n") + get("/b.txt"),
    request("GET", "/b.txt", "Content-Length: 26", body=get("/nothing")[:26]) + "\r\n" + get("/sub/"),
    "\r\n\r\nGET http://test:80/sub/../%61.txt?q HTTP/1.1\r\nHost: [::1]:80\r\nIf-None-Match: \"x\", *\r\n\r\n",
    "GET /a.txt HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n" + get("/a.txt", "Connection: close"),
    request("GET", "/a.txt", "Content-Length: 5", "Content-Length: 5", body="hello"),
    "GET /a.txt HTTP/1.1\r\nHost: a b\r\n\r\n", "BREW /a.txt HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", "GET /a.txt\r\nHost: a\r\n\r\n",
]


def splits():
    """Each stream in two pieces, cut at each place; and in many, each of so many bytes."""
    for text in SPLIT:
        stream = text.encode("latin-1")
        for at in range(1, len(stream)):
            yield [stream[:at], stream[at:]]
        for size in (1, 2, 3, 5, 7, 11, 13, 17):
            yield [stream[at:at + size] for at in range(0, len(stream), size)]


def split_run(runner, pieces):
    outcomes = outcomes_of(b"".join(pieces))
    with runner.client() as client:
        for piece in pieces:
            try:
                client.send(piece)
            except ConnectionError:
                break
            time.sleep(PIECE_SECONDS)
        if outcomes[0][1] == grammar.KEPT:
            runner.answers_take(client, outcomes[0][0])
            rows.probe(client)
        else:
            runner.all_take(client, outcomes)


def split_send(runner, pieces):
    runner.count += 1
    runner.judge(pieces, lambda: split_run(runner, pieces))


family("RFC 9112 §2.2, §2.1, RFC 9110 §6.1", "each split", splits, split_send)
