"""h11, a reader of HTTP/1.1 that is strict about framing, reads every answer of the integration tests' table: it must
find the same statuses and contents as the client of those tests, and nothing between or behind them.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
# The second is where Debian has h11, which is of Python alone: another Python may run this.
sys.path += [os.path.join(HERE, "..", "integration"), "/usr/lib/python3/dist-packages"]

# pylint: disable=wrong-import-position,unused-import
import rows
import semantics
import table
from client import Failure, Skip
from fixtures import site_make
from harness import Server

try:
    import h11
except ImportError:
    h11 = None


def response_read(raw, head_only):
    """(status, content, what follows) of the response that `raw` begins with."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="HEAD" if head_only else "GET", target="/", headers=[("Host", "test")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(raw)
    status, content = None, b""
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            content += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            return status, content, connection.trailing_data[0]
        else:
            raise Failure("h11 has %r where a response should go on" % (event,))


def row_read(row, raw):
    """Fails where h11 finds something else than the row expects."""
    for number, want in enumerate(row.answers):
        try:
            status, content, raw = response_read(raw, want.head_only)
        except h11.RemoteProtocolError as error:
            raise Failure("answer %d: %s" % (number + 1, error)) from None
        if status not in want.statuses:
            raise Failure("answer %d: h11 reads the status %s" % (number + 1, status))
        if want.content is not None and content != want.content:
            raise Failure("answer %d: h11 reads %d bytes of content" % (number + 1, len(content)))
    foreign = row.after.content if isinstance(row.after, rows.Foreign) else b""
    if raw != foreign:
        raise Failure("h11 finds %d bytes more, not %d" % (len(raw), len(foreign)))


def run(tally, setting, model, _):
    """One model is enough: the integration tests compare what the others send, byte by byte."""
    if h11 is None:
        raise Skip("there is no python3-h11")
    root = os.path.join(setting.place("table"), "root")
    site_make(root)
    with Server(setting, model, root) as server:
        for row in rows.ROWS:
            if row.server != "plain" or not row.answers:
                continue
            problem = None
            try:
                row_read(row, rows.run_row(row, server))
            except (Failure, OSError) as failure:
                problem = str(failure)
            tally.judge("%s: h11: %s: %s" % (model, row.clause, row.name), problem is None, problem, None)
