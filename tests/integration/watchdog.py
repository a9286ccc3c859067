"""A worker that does not move: others accept for it, it is ended, and another one begins."""

import os
import signal

from client import expect, wait_until
from harness import is_running
from stage import require, test

ENDING = " was stopped by a signal for "


@test("a worker that is stopped: new connections go to others, and it is replaced")
def stopped(stage):
    root = stage.site(a_txt=b"a")
    options = {"workers": 2, "timeouts.hang": stage.milliseconds(1.5), "status": "127.0.0.1:0"}
    with stage.server(root, options, watched=False) as server:
        worker = server.workers()[0]
        os.kill(worker, signal.SIGSTOP)
        alone = len(server.workers()) == 1
        if not alone:
            for _ in range(20):
                expect("content", b"a", server.get("/a.txt").content)
            require(is_running(worker), "it was ended too soon for this test")
        wait_until("the stopped worker is ended", lambda: not is_running(worker), stage.seconds(10))
        wait_until("there is another", lambda: len(server.workers()) >= server.count, stage.seconds(10))
        for _ in range(20):
            expect("content", b"a", server.get("/a.txt").content)
        require([line for line in server.lines if ENDING in line and "(%d)" % worker in line], "it says %s", server.lines)


@test("a worker that is stopped for a moment goes on, with the connections that it has")
def stopped_shortly(stage):
    root = stage.site(a_txt=b"a")
    with stage.server(root, {"timeouts.hang": "60s"}) as server, server.client() as client:
        expect("content", b"a", client.get("/a.txt").content)
        for worker in server.workers():
            os.kill(worker, signal.SIGSTOP)
        for worker in server.workers():
            os.kill(worker, signal.SIGCONT)
        expect("content", b"a", client.get("/a.txt").content)
        expect("content", b"a", server.get("/a.txt").content)
