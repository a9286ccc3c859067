"""The server itself, with its page and two kinds of clients, for the test of the page with real figures.

    ZCSERVE   the binary (build/release/zcserve)
"""

import contextlib
import http.client
import os
import re
import socket
import subprocess

BINARY = os.environ.get("ZCSERVE", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                                                "build", "release", "zcserve"))
CONFIGURATION = """
listen = "127.0.0.1:0"
root = "%s"
workers = 2
model = epoll
status = "127.0.0.1:0"
"""


@contextlib.contextmanager
def serving(directory):
    """A server of two workers; gives its address as (host, port), and that of its page."""
    with open(os.path.join(directory, "index.html"), "w", encoding="ascii") as file:
        file.write("a page\n")
    path = os.path.join(directory, "serve.conf")
    with open(path, "w", encoding="ascii") as file:
        file.write(CONFIGURATION % directory)
    with subprocess.Popen([BINARY, "-c", path], stderr=subprocess.PIPE, text=True) as process:
        try:
            place = page = None
            while not (place and page):
                line = process.stderr.readline()
                if not line:
                    raise AssertionError("it did not start")
                place = place or re.search(r"serving .* at http://([\d.]+):(\d+)/", line)
                page = page or re.search(r"status at (http://\S+)", line)
            yield (place.group(1), int(place.group(2))), page.group(1)
        finally:
            process.terminate()


def visit(place, stop, sent):
    """Asks for the page over and over on one connection, and counts."""
    connection = http.client.HTTPConnection(*place)
    while not stop.is_set():
        connection.request("GET", "/")
        connection.getresponse().read()
        sent.append(1)
    connection.close()


def mistakes(place):
    """Three answers 404 and two requests without a Host, which get 400."""
    connection = http.client.HTTPConnection(*place)
    for _ in range(3):
        connection.request("GET", "/missing")
        connection.getresponse().read()
    connection.close()
    for _ in range(2):
        with socket.create_connection(place) as one:
            one.sendall(b"GET / HTTP/1.1\r\n\r\n")
            while one.recv(4096):
                pass
