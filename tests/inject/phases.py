"""One fault at a time, in four phases of a server's life: while it serves, starts, reloads and stops."""

import signal
import time

from client import Failure, wait_until
from exchanges import Round, Site, STATUS_OF
from board import Board
from confined import problems
from leaks import Leaks
from served import SANDBOX, Served

RECOVERY_SECONDS = 8
RELOADED = r"serving .* at http|reload failed"


class Bench:
    """Where servers under one model are made to fail: the program, the injector, the board, a site."""

    def __init__(self, binary, library, model):
        self.binary, self.library, self.model = binary, library, model
        self.board, self.site = Board(), Site()

    def close(self):
        self.board.close()
        self.site.close()

    def server(self):
        """A server that has just been told to start."""
        return Served(self.binary, self.library, self.board, self.model, self.site.root)

    def started(self):
        server = self.server()
        if not server.start():
            server.close()
            raise Failure("no start without a fault: " + server.text[-1000:])
        return server


def recover(bench, server, errno):
    """All is right again after a fault, at the latest after some seconds: what is wrong then."""
    bench.board.disarm()
    if errno in STATUS_OF:
        bench.site.touch()
    deadline = time.monotonic() + RECOVERY_SECONDS
    while True:
        wrong = Round(bench.site, server).run()
        if not wrong or server.process.poll() is not None or time.monotonic() > deadline:
            return ["afterwards: " + text for text in wrong] + problems(server, bench.board)


def code_wanted(server, wanted=0):
    code = server.stop()
    return [] if code == wanted else ["SIGTERM ended with %s: %s" % (code, server.text[-1500:])]


class Serving:
    """Faults of one server that goes on."""

    name = "serve"

    def __init__(self, bench):
        self.bench = bench
        self.server = self.leaks = None

    def _begin(self):
        self.server = self.bench.started()
        stores = {"threadpool": 6}.get(self.bench.model, 1)
        self.leaks = Leaks(self.server, self.bench.site.root, stores)
        for _ in range(4):
            self._round()
            self.leaks.learn()

    def _round(self, errno=None):
        return Round(self.bench.site, self.server, errno).run()

    def count(self):
        self._begin()
        return self.bench.board.counted(self._round)

    def fault(self, site, errno, nth):
        """One call fails: what is wrong, a text each; None when it was not made."""
        if self.server is None:
            self._begin()
        mark = self.server.mark()
        wrong = self._provoke(site, errno, nth)
        if wrong is None:
            return None
        wrong += recover(self.bench, self.server, errno) + self._leaks()
        trouble = self.server.trouble(mark)
        if self.server.process.poll() is not None:
            wrong.append("the server has ended: " + self.server.text[-1000:])
        if trouble:
            wrong.append(trouble)
        if wrong:
            self._give_up()
        return wrong

    def _provoke(self, site, errno, nth):
        for this in (nth, 1, 1):
            self.bench.board.arm(site, this, errno)
            wrong = self._round(errno)
            if self.bench.board.fired() or wrong:
                return wrong
        self.bench.board.disarm()
        return None

    def _leaks(self):
        try:
            wait_until("descriptors", lambda: not self.leaks.found(), 3)
        except Failure:
            return self.leaks.found()
        return []

    def _give_up(self):
        self.server.close()
        self.server = None

    def end(self):
        """Stops the server after all faults."""
        self.bench.board.disarm()
        if self.server is None:
            return []
        wrong = code_wanted(self.server)
        trouble = self.server.trouble()
        self._give_up()
        return wrong + ([trouble] if trouble else [])


class Once:
    """A server for each fault."""

    def __init__(self, bench):
        self.bench = bench

    def count(self):
        found = {}

        def work():
            server = self.prepared()
            before = self.bench.board.counts()
            wrong = self.live(server, None)
            server.close()
            if wrong:
                raise Failure("without a fault: %s" % wrong)
            found.update({key: count - before.get(key, 0)
                          for key, count in sorted(self.bench.board.counts().items())
                          if count > before.get(key, 0)})
        work()
        return found

    def fault(self, site, errno, nth):
        server = self.prepared()
        try:
            self.bench.board.arm(site, nth, errno)
            wrong = self.live(server, errno)
            self.bench.board.disarm()
            trouble = server.trouble()
            if trouble:
                wrong.append(trouble)
            return wrong if self.bench.board.fired() or wrong else None
        finally:
            server.close()

    def end(self):
        return []


class Starting(Once):
    """It serves, or it says why not."""

    name = "start"

    def prepared(self):
        return None

    def fault(self, site, errno, nth):
        self.bench.board.arm(site, nth, errno)
        server = self.bench.server()
        try:
            wrong = self.live(server, errno)
            if self.hides_root(site, errno):
                wrong = [text for text in wrong if "status 403" not in text]
            trouble = server.trouble()
            return wrong + ([trouble] if trouble else [])
        finally:
            self.bench.board.disarm()
            server.close()

    def hides_root(self, site, errno):
        """A worker whose root is not there when it begins has no right to it later: nothing above is readable."""
        return site.call == "open" and errno in STATUS_OF and self.bench.model in SANDBOX

    def count(self):
        def work():
            server = self.bench.started()
            wrong = code_wanted(server)
            server.close()
            if wrong:
                raise Failure("without a fault: %s" % wrong)
        return self.bench.board.counted(work)

    def live(self, server, errno):
        wrong = []
        if server.start():
            wrong = Round(self.bench.site, server, errno).run() + recover(self.bench, server, errno)
        if server.process.poll() is None and server.listened:
            return wrong + code_wanted(server)
        code = server.ended()
        if code is None:
            return ["it neither serves nor ends: " + server.text[-1000:]]
        if code <= 0 or not server.text.strip():
            return ["it ended with %d and said: %s" % (code, server.text[-1000:])]
        return []


class Reloading(Once):
    """Before, during and after a reload everything is right; the reload itself may fail."""

    name = "reload"

    def prepared(self):
        """All processes have begun: it listens before that."""
        server = self.bench.started()
        Round(self.bench.site, server).run()
        return server

    def live(self, server, errno):
        mark = server.mark()
        server.process.send_signal(signal.SIGHUP)
        if not server.await_line(RELOADED, mark):
            if server.process.poll() is not None:
                return ["the reload has ended the server: " + server.text[-1000:]]
            if errno is None:
                return ["no reload: " + server.text[-1000:]]
        wrong = Round(self.bench.site, server, errno, announces=True).run()
        wrong += recover(self.bench, server, errno)
        return wrong + code_wanted(server)


class Stopping(Once):
    """SIGTERM ends it with code 0."""

    name = "stop"

    def prepared(self):
        server = self.bench.started()
        Round(self.bench.site, server).run()
        return server

    def live(self, server, errno):
        return code_wanted(server)


PHASES = (Starting, Serving, Reloading, Stopping)
