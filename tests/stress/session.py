"""One connection that does what its plan says, driven by the events and timers of the loop.

It fails in three cases: the server may not have sent a response; the connection ends before all responses
have come, and neither the plan, the file nor a stop of the server is a reason; or nothing happens for too
long.
"""

import errno
import random
import select
import socket
import time

from client import Answer, Failure, shown
from judge import Arrival
from outgoing import Outgoing
from plan import Plan

RESET = b"\1\0\0\0\0\0\0\0"  # struct linger: on, for no time
RECEIVE_BYTES = 262144
GONE = (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN)
BLOCKED_SECONDS = .1  # so long a late reader waits for room to send before it reads all the same


class Session:
    def __init__(self, loop, number):
        self.loop, self.number = loop, number
        self.random = random.Random("%s %d" % (loop.seed, number))
        self.plan = Plan(self.random, loop.disk, loop.judge.tags)
        self.batches = list(self.plan.batches)
        self.waiting = []  # requests whose response has not come whole, the first one first
        self.pause_at = None
        self.sending_paused = self.reading_paused = self.finished_sending = False
        self.buffer = bytearray()
        self.answer = None  # the head of the response that is being received
        self.parts, self.have, self.length = [], 0, 0
        self.headed = 0.0
        self.received = self.sent = self.judged = 0
        self.was_reset = False
        self.closing = False  # the server said that it closes
        self.over = False
        self.mask = 0
        self.began = self.progress = time.monotonic()
        self._open()

    def _open(self):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.plan.receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                   max(self.plan.receive_bytes, self.loop.window_min))
        self.socket.connect_ex(self.loop.address)
        if self.plan.send_pause:
            self.pause_at = self.random.randint(0, 3000)
        self._next_batch()
        self.loop.add(self)
        self._look()

    # ---- what is waited for ----------------------------------------------------------------------

    def _wants_to_read(self):
        if self.reading_paused:
            return False
        if self.plan.reading != "late" or self.finished_sending or not self.waiting:
            return True
        return not self.outgoing.left or time.monotonic() - self.progress > BLOCKED_SECONDS

    def _look(self):
        """Has the loop wait for what is wanted now. Nothing wanted: not even for a hang-up."""
        if self.over:
            return
        mask = select.EPOLLIN if self._wants_to_read() else 0
        if self.outgoing.left and not self.sending_paused:
            mask |= select.EPOLLOUT
        if mask != self.mask:
            self.loop.wait_for(self, self.mask, mask)
            self.mask = mask

    def tick(self, now):
        """Now and then, whatever happens."""
        self._look()
        if now - self.progress > self.loop.patience:
            self.give_up("nothing happened for %.0f s" % (now - self.progress))

    def on_event(self, events):
        try:
            if events & select.EPOLLOUT and not self.over:
                self._send()
            if events & ~select.EPOLLOUT and not self.over and self._wants_to_read():
                self._receive()
            self._look()
        except Failure as failure:
            self.give_up(str(failure))
        except OSError as error:
            if error.errno not in GONE:
                raise
            self.was_reset = True
            self._ended("reset")

    # ---- sending ---------------------------------------------------------------------------------

    def _next_batch(self):
        batch = self.batches.pop(0)
        self.outgoing = Outgoing(batch, self.plan.split, self.random)
        self.waiting += batch

    def _send(self):
        while self.outgoing.left and not self.sending_paused and not self.over:
            began = time.monotonic()
            try:
                count = self.socket.send(self.outgoing.piece())
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno not in GONE:
                    raise
                self._cannot_send()
                return
            self._sent(began, count)

    def _cannot_send(self):
        """The server is gone; what it sent before may still be here to be read."""
        self.was_reset = True
        self.batches = []
        self.outgoing.give_up()
        self.finished_sending = True

    def _sent(self, began, count):
        self.outgoing.took(count, began)
        self.sent += count
        self.progress = began
        if self._leaves_now():
            self._leave()
        elif not self.outgoing.left:
            self._batch_sent()
        elif self.pause_at is not None and self.sent > self.pause_at:
            self.pause_at = None
            self._pause_sending(self.plan.send_pause)
        elif self.outgoing.between_pieces and self.plan.piece_pause:
            self._pause_sending(self.plan.piece_pause)

    def _batch_sent(self):
        if self.batches:
            return
        self.finished_sending = True
        if self.plan.ending == "half_close":
            self.socket.shutdown(socket.SHUT_WR)
        if self.plan.reading == "pause":
            self._pause_reading(self.plan.read_slowly)

    def _pause_sending(self, seconds):
        self.sending_paused = True
        self.loop.later(seconds, self._go_on_sending)

    def _go_on_sending(self):
        self.sending_paused = False
        self.progress = time.monotonic()
        self._look()

    # ---- receiving -------------------------------------------------------------------------------

    def _receive(self):
        slow = self.plan.reading == "slow" and time.monotonic() - self.began < self.plan.read_slowly
        try:
            more = self.socket.recv(self.plan.read_bytes if slow else RECEIVE_BYTES)
        except BlockingIOError:
            return
        now = self.progress = time.monotonic()
        if not more:
            self._ended("reset" if self.was_reset else "end of the connection")
            return
        self.received += len(more)
        self._take(more, now)
        if self.over:
            return
        if self._leaves_now():
            self._leave()
        elif slow:
            self._pause_reading(self.plan.read_pause)

    def _pause_reading(self, seconds):
        self.reading_paused = True
        self.loop.later(seconds, self._go_on_reading)

    def _go_on_reading(self):
        self.reading_paused = False
        self.progress = time.monotonic()
        self._look()

    def _take(self, more, now):
        """Bytes came: heads and contents, in turn."""
        while True:
            if self.answer is None:
                self.buffer += more
                more = self._take_head(now)
                if self.answer is None:
                    return
            part = more[:self.length - self.have]
            self.parts.append(part)
            self.have += len(part)
            more = more[len(part):]
            if self.have < self.length:
                return
            self._judge(now)
            if not more:
                if not self.waiting and not self.closing:
                    self._all_answered()
                return

    def _take_head(self, now):
        """What follows the head."""
        end = self.buffer.find(b"\r\n\r\n")
        if self.buffer and (not self.waiting or self.closing or self.waiting[0].sent is None):
            raise Failure("bytes that were not asked for: %s" % shown(bytes(self.buffer)))
        if end < 0:
            if len(self.buffer) > 16384:
                raise Failure("a head without end: %s" % shown(bytes(self.buffer)))
            return b""
        head, rest = bytes(self.buffer[:end + 4]), bytes(self.buffer[end + 4:])
        self.buffer.clear()
        self.answer, self.headed = Answer(head), now
        self.parts, self.have = [], 0
        self.length = self.answer.length(self.waiting[0].method == "HEAD")
        return rest

    def _arrival(self, now, whole=True):
        return Arrival(self.answer, b"".join(self.parts), self.waiting[0].sent, self.headed, now, whole)

    def _judge(self, now):
        request, closing = self.waiting[0], self.answer.closes()
        self.loop.judge.judge(request, self._arrival(now))
        self.waiting.pop(0)
        self.judged += 1
        self.answer = None
        self.closing = closing

    def _all_answered(self):
        if self.outgoing.left:
            return
        if self.batches:
            self.loop.later(self.plan.idle, self._go_on_with_batch)
        elif self.plan.ending != "half_close":
            self._close()

    def _go_on_with_batch(self):
        if not self.over:
            self.progress = time.monotonic()
            self._next_batch()
            self._look()

    # ---- the end ---------------------------------------------------------------------------------

    def _ended(self, how):
        """By the server: right after all responses, else only for a reason."""
        try:
            if self.buffer and self.answer is None:
                self._early("%s in a head: %s" % (how, shown(bytes(self.buffer))))
            elif self.answer is not None:
                self._ended_within(how)
            elif not self.closing and (self.waiting or not self.finished_sending):
                self._early("%s after %d of %d responses" % (how, self.judged,
                                                          len(self.plan.requests)))
            elif not self.closing and self.plan.ending != "half_close":
                self._early("%s of an idle connection" % how)
        except Failure as failure:
            self.give_up(str(failure))
            return
        self._close()

    def _ended_within(self, how):
        now = time.monotonic()
        request, arrival = self.waiting[0], self._arrival(now, whole=False)
        self.loop.judge.judge(request, arrival)
        if self.loop.judge.may_have_shrunk(request, arrival.sent, now):
            self.loop.shrunk += 1
            return
        self._early("%s after %d of %d bytes of response %d" % (how, self.have, self.length,
                                                            self.judged + 1))

    def _early(self, what):
        if self.loop.stopping or self.was_reset and self.outgoing.went_on_after_close():
            return
        now = time.monotonic()
        shrunk = [request.target for request in self.waiting[1:]
                  if request.sent and self.loop.judge.may_have_shrunk(request, request.sent, now)]
        hint = "; of the files behind it %s shrank, for which it may not be cut" % " ".join(shrunk)
        raise Failure("session cut: %s%s" % (what, hint if shrunk else ""))

    def _leaves_now(self):
        return (self.plan.ending in ("reset", "leave") and
                self.sent + self.received > self.plan.leave_after)

    def _leave(self):
        if self.plan.ending == "reset":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._close()

    def give_up(self, text):
        if not self.over:
            self._close()
            self.loop.failed(self, text)

    def _close(self):
        if self.over:
            return
        self.over = True
        if self.mask:
            self.loop.wait_for(self, self.mask, 0)
        self.loop.remove(self)
        self.socket.close()

    def shown(self):
        """All that is needed to see what went wrong."""
        at = self.judged
        near = self.plan.requests[max(0, at - 2):at + 3]
        return "%s; %d of %d responses, %d bytes sent, %d received, %.2f s; around it: %s" % (
            self.plan.shown(), at, len(self.plan.requests), self.sent, self.received,
            time.monotonic() - self.began, " | ".join(request.shown() for request in near))
