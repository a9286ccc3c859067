"""Peers that finish sending and continue to read. Every response that they requested comes complete, and
a peer that does not read costs no work and no kernel thread.
"""

import contextlib
import glob
import random
import socket
import time

from client import expect, expect_content, get, wait_until
from faults import SMALL_WINDOW
from fixtures import located
from harness import cpu_seconds
from stage import big, require, test

SITE = {"k1_txt": located(1 << 10), "k100_txt": located(100 << 10, "b"),
        "k300_txt": located(300 << 10, "c"), "m3_txt": located(3 << 20, "d")}
NAMES = {"/" + name.replace("_", "."): content for name, content in SITE.items()}


def expect_no_work(server, seconds):
    """None of the server's processes does any; all are measured together."""
    def used():
        return sum(cpu_seconds(worker) for worker in server.workers())
    before = used()
    time.sleep(seconds)
    took = used() - before
    require(took < 0.1 * seconds, "%.2f s of processor time in %.1f s without work", took, seconds)


@test("a peer that finished and does not read costs no work")
def finished_and_silent(stage):
    root = stage.site(big_bin=big(24), a_txt=b"a", **SITE)
    for asked in (get("/big.bin"), get("/k300.txt") * 40, get("/k100.txt") + get("/big.bin")):
        with stage.server(root) as server, server.client(SMALL_WINDOW) as client:
            expect("another client", b"a", server.get("/a.txt").content)
            client.send(asked)
            client.half_close()
            wait_until("something came", lambda: client.socket.recv(1, socket.MSG_PEEK),
                       stage.seconds(5))
            time.sleep(0.3)  # what fits into the sockets goes there
            expect_no_work(server, 0.5)


@test("a peer that finished and reads slowly costs little work")
def finished_and_slow(stage):
    content = big(24)
    root = stage.site(big_bin=content)
    with stage.server(root) as server, server.client(SMALL_WINDOW) as client:
        client.send(get("/big.bin"))
        client.half_close()
        answer = client.answer_head()
        for _ in range(10):
            client.receive(65536)
            time.sleep(0.02)
        expect_no_work(server, 0.3)
        parts = [client.buffer]
        client.buffer = b""
        while client.receive():
            parts.append(client.buffer)
            client.buffer = b""
        expect_content("content", content, b"".join(parts))
        expect("length", len(content), answer.length(False))


@test("peers that finished and do not read hold no thread of the kernel's")
def no_kernel_threads(stage):
    root = stage.site(**SITE)
    with stage.server(root, at_once=48) as server, contextlib.ExitStack() as stack:
        for _ in range(40):
            client = stack.enter_context(server.client(4096))
            client.send(get("/k300.txt") * 20)
            client.half_close()
        time.sleep(stage.seconds(0.5))
        threads = [name for pid in server.workers()
                   for name in glob.glob("/proc/%d/task/*/comm" % pid)
                   if "iou-wrk" in open(name, encoding="ascii").read()]
        require(len(threads) <= 8, "%d kernel threads for 40 peers", len(threads))


def session(stage, server, chance):
    """Pipelined requests, then the end, and only then reading."""
    names = [chance.choice(list(NAMES)) for _ in range(chance.randint(1, 40))]
    names = [name if chance.random() < 0.3 or name != "/m3.txt" else "/k1.txt" for name in names]
    text = "".join(get(name, "X-Padding: " + "p" * chance.randint(0, 1500)) for name in names)
    # TCP itself crawls with a small window and segments that are not copied.
    window = 16384 if stage.is_ring_thread() else 4096
    with server.client(window if chance.random() < 0.5 else None) as client:
        client.send(text)
        client.half_close()
        if chance.random() < 0.3:
            time.sleep(stage.seconds(0.02))
        for number, name in enumerate(names):
            answer = client.answer()
            expect_content("response %d of %d, %s" % (number, len(names), name),
                           NAMES[name], answer.content)
        client.expect_end()


@test("pipelined requests and the end, then reading: every response is whole")
def pipelined_and_finished(stage):
    root = stage.site(**SITE)
    with stage.server(root) as server:
        chance = random.Random(9)
        for _ in range(30):
            session(stage, server, chance)


@test("a Unix socket whose peer finished")
def finished_on_unix_socket(stage):
    root = stage.site(big_bin=big(8))
    where = stage.setting.place("socket") + "/s"
    with stage.server(root, {"listen": "unix:" + where}) as server, server.client() as client:
        client.send(get("/big.bin") * 2)
        client.half_close()
        time.sleep(0.1)
        expect_no_work(server, 0.3)
        for _ in range(2):
            expect_content("content", big(8), client.answer().content)
        client.expect_end()
