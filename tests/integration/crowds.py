"""Many peers and few places: descriptors, the table of connections, workers that are not there.
Whoever asks next is served, whatever those before hold, and nobody hangs.
"""

import contextlib
import os
import select
import signal
import time

from client import Failure, expect, expect_content, get, wait_until
from harness import children, files_open, process_name
from stage import require, test

SMALL_WINDOW = 4096
DESCRIPTORS = 400       # for one process
LARGE = 8 << 20         # more than all socket buffers on the way hold
PIPELINED = 32          # requests in one segment; as many responses may be gathered


# ---- descriptors of files being sent ---------------------------------------------------------------

def large_files(stage, count):
    """A root with a.txt and so many large files, all different, that take no room on the disk."""
    root = stage.site(a_txt=b"a")
    for number in range(count):
        path = os.path.join(root, "%d.bin" % number)
        with open(path, "wb") as file:
            file.truncate(LARGE + number)
    return root


def pipeline_send(stack, server, numbers):
    """A client that asks for these files at once and reads nothing of them."""
    client = stack.enter_context(server.client(SMALL_WINDOW))
    client.send("".join(get("/%d.bin" % number) for number in numbers))
    return client


def files_held(server, root):
    """How many files below the root its workers have open."""
    return sum(name.startswith(root + "/") for pid in server.workers()
               for name in files_open(pid).values())


def settled(what, value, seconds):
    """The value once it has not changed for a while."""
    until, last, since = time.monotonic() + seconds, None, 0
    while time.monotonic() < until:
        now = value()
        if now != last:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > 0.2:
            return now
        time.sleep(0.02)
    raise Failure("%s: still changing after %.1f s" % (what, seconds))


@test("few peers pipeline large files and read nothing: descriptors are left for everybody else")
def files_pipelined(stage):
    root = large_files(stage, 40 * PIPELINED)
    peers = 8 if stage.is_blocking() else 40
    with stage.server(root, files=DESCRIPTORS, at_once=16) as server, \
            contextlib.ExitStack() as stack:
        for peer in range(peers):
            pipeline_send(stack, server, range(peer * PIPELINED, (peer + 1) * PIPELINED))
        held = settled("files held", lambda: files_held(server, root), stage.seconds(5))
        require(0 < held <= 2 * peers, "%d peers hold %d files", peers, held)
        for _ in range(4):
            expect("somebody else", b"a", server.get("/a.txt").content)
        with server.client() as client:
            client.send(get("/0.bin"))
            expect("a large file for somebody else", 200, client.answer_head().status)
        text = "".join(server.lines)
        require("Too many open files" not in text, "descriptors ran out: %s", text)


@test("pipelined large files: each answer whole, in order, none refused, as they are read")
def files_pipelined_whole(stage):
    root = large_files(stage, PIPELINED)
    with stage.server(root, files=DESCRIPTORS, at_once=8) as server, server.client() as client:
        client.send("".join(get("/%d.bin" % n) + get("/a.txt") for n in range(PIPELINED)))
        for number in range(PIPELINED):
            answer = client.answer()
            expect("status", 200, answer.status)
            expect("length", LARGE + number, len(answer.content))
            expect("the small one behind it", b"a", client.answer().content)


@test("files that are replaced while they are sent: those in use are bounded, too")
def files_replaced(stage):
    root = large_files(stage, 4)
    with stage.server(root, files=DESCRIPTORS, at_once=16) as server, \
            contextlib.ExitStack() as stack:
        clients = 8 if stage.is_blocking() else 60
        for turn in range(clients):
            path = os.path.join(root, "0.bin")
            with open(path + ".new", "wb") as file:
                file.truncate(LARGE + turn)
            os.rename(path + ".new", path)
            client = pipeline_send(stack, server, [0] * PIPELINED)
            expect("status", 200, client.answer_head().status)
        held = settled("files held", lambda: files_held(server, root), stage.seconds(5))
        require(held <= clients + 4, "%d clients hold %d files", clients, held)
        expect("somebody else", b"a", server.get("/a.txt").content)
