"""Families of exchanges that are generated: family_bytes.py has each byte in each place, family_splits.py each
split, and family_combinations.py each combination. What must come back is not listed but computed, by the independent
reader of grammar.py and the model of origin.py.

A family says which clauses it shows, and has a function that yields its streams. Most runs send a sample of them;
sample.py says how it is chosen.

Streams that keep their connection are sent one behind another, many at once; each of the others has a
connection of its own, and many are open together. Where what came is not what is due, the streams of that
batch are run again, each alone, so that the report names the one.
"""

import contextlib
import os
import re
import urllib.parse

import grammar
import rows
import sample
from clauses import FAMILIES
from client import Failure, shown
from fixtures import site_make
from origin import Site
from stage import require, test

AT_ONCE = 24      # connections open together
BATCH = 40        # streams sent one behind another
REPORTED = 8      # failures of a family that are told; then it ends
ANSWER_SECONDS = 60
FILE_MAX = 1500   # larger files go by sendfile: /b.txt does and /a.txt does not


def family(clause, name, each, send=None):
    """Registers a test that sends all that `each()` yields to each model: streams, or what `send` takes, which is
    called with a Runner and each item."""
    FAMILIES.append((clause, name, each))

    @test("%s: %s" % (clause, name))
    def run(stage):
        root = os.path.join(stage.setting.place("families"), "root")
        site_make(root)
        with stage.server(root, {"cache.file_max": FILE_MAX, "timeouts.head": "600s"}) as server:
            runner = Runner(server)
            for item in each():
                (send or Runner.add)(runner, item)
            runner.finish()


def outcomes_of(stream):
    """What may come back: [(requests, how it ends)], one or two."""
    strict = grammar.read(stream, True)
    if b";" not in stream:  # nor, then, a chunk extension
        return [strict]
    lenient = grammar.read(stream, False)
    return [strict] if strict == lenient else [strict, lenient]


class Runner:
    """Sends streams in bulk and judges what comes back."""

    def __init__(self, server):
        self.server, self.site = server, Site(server)
        self.count, self.kept, self.alone, self.failures = 0, [], [], []

    def add(self, stream):
        self.count += 1
        outcomes = outcomes_of(stream)
        if len(outcomes) == 1 and outcomes[0][1] == grammar.KEPT:
            self.kept.append((stream, outcomes))
            if len(self.kept) == BATCH:
                self.kept_flush()
        else:
            self.alone.append((stream, outcomes))
            if len(self.alone) == AT_ONCE:
                self.alone_flush()

    def client(self):
        return self.server.client(timeout=ANSWER_SECONDS)

    def finish(self):
        self.kept_flush()
        self.alone_flush()
        require(self.count > 0, "nothing was sent")
        require(not self.failures, "%s", self.failures_told())

    def failures_told(self):
        return "%d failures (%s):\n%s" % (len(self.failures), sample.told(), "\n".join(self.failures))

    # ---- streams that keep the connection ----

    def kept_flush(self):
        batch, self.kept = self.kept, []
        if not batch:
            return
        try:
            self.run_kept(batch)
        except (Failure, OSError) as failure:
            self.kept_report(batch, failure)

    def kept_report(self, batch, failure):
        """Which of them was it? Where each is right alone, it is that they came together."""
        known = len(self.failures)
        for each in batch:
            self.judge(each[0], lambda e=each: self.run_kept([e]))
        if len(self.failures) == known:
            self.fail(b"".join(stream for stream, _ in batch), "right one by one, but together: %s" % failure)

    def run_kept(self, batch):
        with self.client() as client:
            client.send(b"".join(stream for stream, _ in batch))
            for _, outcomes in batch:
                self.answers_take(client, outcomes[0][0])
            rows.probe(client)

    # ---- streams that do not ----

    def alone_flush(self):
        batch, self.alone = self.alone, []
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(self.client()) for _ in batch]
            for client, (stream, outcomes) in zip(clients, batch):
                with contextlib.suppress(ConnectionError):  # what it says is read below
                    client.send(stream)
                    if any(end != grammar.CLOSED for _, end in outcomes):
                        client.half_close()
            for client, (stream, outcomes) in zip(clients, batch):
                self.judge(stream, lambda c=client, o=outcomes: self.all_take(c, o))

    def all_take(self, client, outcomes):
        """Everything up to the end, which must be one of the outcomes."""
        while client.receive():
            pass
        received, problem = client.buffer, None
        for found, end in outcomes:
            client.buffer = received
            try:
                self.answers_take(client, found)
                self.end_check(client, end)
                return
            except Failure as failure:
                problem = problem or failure
        raise problem

    def end_check(self, client, end):
        """Nothing more; but a request that was not whole may have been refused."""
        if client.buffer and end == grammar.INCOMPLETE:
            answer = client.answer()
            require(400 <= answer.status <= 505, "within a request: %r", answer.head)
        require(not client.buffer, "more came: %s", shown(client.buffer))

    # ---- both ----

    def answers_take(self, client, requests):
        for number, each in enumerate(requests):
            want = self.site.due(each)
            answer = client.answer(want.head_only)
            label = "answer %d" % (number + 1)
            rows.check(label, want, answer, self.server)
            if want.leads_to:
                target = urllib.parse.quote(each.path, errors="surrogateescape")
                rows.check_location(label, target, want.leads_to, answer.field("Location"))
            closes = isinstance(each, grammar.Refusal) or each.closes
            require(closes == answer.closes() or (closes and each.__class__ is grammar.Request and each.minor == 0),
                    "%s: Connection is %r", label, answer.field("Connection"))

    def judge(self, stream, run):
        try:
            run()
        except (Failure, OSError) as failure:
            self.fail(stream, failure)

    def fail(self, stream, problem):
        self.failures.append("%s: %s" % (shown(stream), problem))
        require(len(self.failures) < REPORTED, "no more was tried after %s", self.failures_told())


# ---- the reader itself -------------------------------------------------------------------------

BEYOND_GRAMMAR = {408, 413, 414, 431}  # limits and deadlines are not its affair


@test("the independent reader understands and refuses what the table of exchanges does", per_model=False)
def reader_agrees(_):
    compared = 0
    for row in rows.ROWS:
        wanted = [set(each.statuses) for each in row.answers]
        if wanted and isinstance(row.after, rows.Foreign):
            wanted.append({400, 505})  # what the reader says of another protocol
        if row.server != "plain" or len(row.steps) != 1 or not wanted or any(each & BEYOND_GRAMMAR for each in wanted):
            continue
        text = row.steps[0] if isinstance(row.steps[0], bytes) else row.steps[0].encode("latin-1")
        stream = re.sub(rb"<etag [^>]*>", b'"t"', text)
        outcomes = outcomes_of(stream)
        if outcomes[0][1] == grammar.INCOMPLETE:
            continue  # what is due then is not for the reader to say
        require(any(agrees(found, wanted) for found, _ in outcomes), "%s: %s: the reader finds %s", row.clause, row.name,
                outcomes)
        compared += 1
    require(compared > 1000, "only %d exchanges were compared", compared)


def agrees(found, wanted):
    """Whether it refuses those that are refused, and understands the others."""
    if len(found) != len(wanted):
        return False
    for each, statuses in zip(found, wanted):
        if isinstance(each, grammar.Refusal) and not statuses & set(each.statuses):
            return False
        if not isinstance(each, grammar.Refusal) and statuses <= {400, 417, 501, 505}:
            return False
    return True
