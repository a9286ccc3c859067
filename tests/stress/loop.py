"""Runs many sessions and the changes on disk in one thread, so that the order of events is known exactly."""

import heapq
import itertools
import select
import time

from session import Session

TICK_SECONDS = .05
SHOWN_MAX = 5  # failures of a model that are told in full


class Loop:
    def __init__(self, seed, disk, judge, address, patience, only=None):
        self.seed, self.disk, self.address, self.patience = seed, disk, address, patience
        self.only = only  # the number of the one session that is done again and again
        self.window_min = 0  # bytes: no receive buffer is smaller
        self.judge = judge
        self.epoll = select.epoll()
        self.sessions, self.waiters = set(), {}
        self.timers, self.order = [], itertools.count()
        self.number = self.shrunk = 0
        self.failures = []
        for steps in disk.steps:
            self._change(steps)

    @property
    def stopping(self):
        return self.judge.stopping

    def close(self):
        for session in list(self.sessions):
            session._close()
        self.epoll.close()

    # ---- what sessions ask for -------------------------------------------------------------------

    def later(self, seconds, call):
        heapq.heappush(self.timers, (time.monotonic() + seconds, next(self.order), call))

    def add(self, session):
        self.sessions.add(session)

    def remove(self, session):
        self.sessions.discard(session)

    def wait_for(self, session, before, mask):
        fd = session.socket.fileno()
        if not mask:
            self.epoll.unregister(fd)
            del self.waiters[fd]
        elif before:
            self.epoll.modify(fd, mask)
        else:
            self.epoll.register(fd, mask)
            self.waiters[fd] = session

    def failed(self, session, text):
        self.failures.append((session.number, text))
        if len(self.failures) <= SHOWN_MAX:
            print("FAILED session %d: %s\n    %s" % (session.number, text, session.shown()),
                  flush=True)

    # ---- running ---------------------------------------------------------------------------------

    def _change(self, steps):
        seconds = next(steps)
        self.later(seconds, lambda: self._change(steps))

    def turn(self):
        """What is due, and what came."""
        now = time.monotonic()
        while self.timers and self.timers[0][0] <= now:
            heapq.heappop(self.timers)[2]()
        wait = max(0, min(TICK_SECONDS, self.timers[0][0] - now if self.timers else TICK_SECONDS))
        for fd, events in self.epoll.poll(wait):
            session = self.waiters.get(fd)
            if session:
                session.on_event(events)

    def run(self, until, at_once, told=None):
        """Keeps so many sessions under way until a time; `told()` is called now and then."""
        ticked = 0.0
        while time.monotonic() < until:
            while len(self.sessions) < at_once:
                self.start_one()
            self.turn()
            now = time.monotonic()
            if now - ticked > TICK_SECONDS:
                ticked = now
                for session in list(self.sessions):
                    session.tick(now)
                if told:
                    told()

    def start_one(self):
        Session(self, self.number if self.only is None else self.only)
        self.number += 1

    def finish(self, seconds, ended):
        """Lets what is under way come to its end, until `ended()`. False when it took too long."""
        until = time.monotonic() + seconds
        while not ended():
            if time.monotonic() > until:
                return False
            self.turn()
            for session in list(self.sessions):
                session.tick(time.monotonic())
        return True
