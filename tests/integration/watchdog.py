"""A worker that does not move: others accept for it, it is ended, and another one begins."""

import os
import signal

from client import expect, wait_until
from harness import halt, is_running
from stage import require, test

ENDING = " was stopped by a signal for "


@test("a worker that is stopped for a while: new connections go to others, and it goes on with those that it has")
def stopped_for_a_while(stage):
    root = stage.site(a_txt=b"a")
    with stage.server(root, {"workers": 2, "timeouts.hang": "1h"}, at_once=8) as server, server.client() as client:
        expect("content", b"a", client.get("/a.txt").content)
        workers = server.workers()
        halt(workers[0])
        for _ in range(20 if len(workers) > 1 else 0):  # threads are of one process, which nobody replaces
            expect("content", b"a", server.get("/a.txt").content)
        os.kill(workers[0], signal.SIGCONT)
        expect("content", b"a", client.get("/a.txt").content)
        expect("content", b"a", server.get("/a.txt").content)


@test("a worker that stays stopped is ended, and another one begins")
def stopped_for_good(stage):
    root = stage.site(a_txt=b"a")
    options = {"workers": 2, "timeouts.hang": "700ms"}
    with stage.server(root, options, watched=False, at_once=8) as server:
        worker = server.workers()[0]
        halt(worker)
        wait_until("the stopped worker is ended", lambda: not is_running(worker), stage.seconds(10))
        wait_until("there is another", lambda: len(server.workers()) >= server.count, stage.seconds(10))
        for _ in range(10):
            expect("content", b"a", server.get("/a.txt").content)
        require([line for line in server.lines if ENDING in line and "(%d)" % worker in line], "it says %s", server.lines)
