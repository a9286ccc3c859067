"""Reverse proxies in front of the server, as they are configured in earnest."""

import contextlib
import http.client
import os
import socket
import subprocess
import tempfile
import time

from client import Failure, expect
from program import program_of

CONTENT = bytes(range(256)) * 1024
NGINX = """daemon off; pid %(place)s/pid; error_log stderr crit; worker_processes 1;
events { worker_connections 256; }
http {
    access_log off; client_body_temp_path %(place)s/b; proxy_temp_path %(place)s/p; fastcgi_temp_path %(place)s/f;
    uwsgi_temp_path %(place)s/u; scgi_temp_path %(place)s/s;
    upstream files { server %(back)s; keepalive 8; }
    server {
        listen 127.0.0.1:%(port)d;
        location /under/ { proxy_pass http://files/; proxy_http_version 1.1; proxy_set_header Connection ""; }
    }
}
"""
HAPROXY = """defaults
    mode http
    timeout connect 5s
    timeout client 10s
    timeout server 10s
frontend front
    bind 127.0.0.1:%(port)d
    http-request replace-path /under/(.*) /\\1
    default_backend back
backend back
    server files %(back)s
"""
CADDY = """{
    admin off
    auto_https off
}
http://127.0.0.1:%(port)d {
    handle_path /under/* {
        reverse_proxy %(back)s
    }
}
"""
PROXIES = {
    "nginx": (NGINX, lambda path, place: ["-c", path, "-p", place, "-e", "stderr"]),
    "haproxy": (HAPROXY, lambda path, _: ["-f", path, "-db"]),
    "caddy": (CADDY, lambda path, _: ["run", "--adapter", "caddyfile", "--config", path]),
}


def prepare(root, _):
    os.makedirs(os.path.join(root, "directory"), exist_ok=True)
    for name in ("front.bin", "directory/index.html"):
        with open(os.path.join(root, name), "wb") as file:
            file.write(CONTENT)


def tests(_, server):
    for name in PROXIES:
        yield name, lambda name=name: go_through(name, "%s:%d" % server.address)


def port_free():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextlib.contextmanager
def proxy(name, back):
    """The proxy, which listens on a free port; gives the port."""
    text, arguments = PROXIES[name]
    with tempfile.TemporaryDirectory(prefix="front-") as place:
        path, port = os.path.join(place, "conf"), port_free()
        with open(path, "w", encoding="ascii") as file:
            file.write(text % {"place": place, "port": port, "back": back})
        process = subprocess.Popen([program_of(name), *arguments(path, place)], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env={**os.environ, "HOME": place, "XDG_DATA_HOME": place, "XDG_CONFIG_HOME": place})
        try:
            listens_wait(process, port)
            yield port
        finally:
            process.terminate()
            process.wait(30)


def listens_wait(process, port):
    until = time.monotonic() + 20
    while True:
        if process.poll() is not None or time.monotonic() > until:
            raise Failure("the proxy does not listen (exit code %s)" % process.poll())
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5):
            return
        time.sleep(0.05)


def go_through(name, back):
    with proxy(name, back) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

        def ask(target, method="GET", **fields):
            connection.request(method, target, headers={each.replace("_", "-"): value for each, value in fields.items()})
            response = connection.getresponse()
            return response, response.read()

        whole, content = ask("/under/front.bin")
        expect("status and content", (200, CONTENT), (whole.status, content))
        head, content = ask("/under/front.bin", "HEAD")
        expect("of HEAD", (200, str(len(CONTENT)), b""), (head.status, head.getheader("Content-Length"), content))
        part, content = ask("/under/front.bin", Range="bytes=1000-99999")
        expect("of a range", (206, CONTENT[1000:100000]), (part.status, content))
        same, content = ask("/under/front.bin", If_None_Match=whole.getheader("ETag"))
        expect("of a condition", (304, b""), (same.status, content))
        absent, _ = ask("/under/nothing")
        expect("of an absent file", 404, absent.status)
        moved, _ = ask("/under/directory?a=b")
        expect("a redirect that stays right below a prefix", (301, "directory/?a=b"),
               (moved.status, moved.getheader("Location")))
        for _ in range(200):
            expect("a kept connection", 200, ask("/under/front.bin")[0].status)
        connection.close()
