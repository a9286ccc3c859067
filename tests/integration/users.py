"""Users: the Basic scheme against files of users. Rows for each exchange, and tests for what takes time: checks that
wait, are remembered, are forgotten by a reload, and are bounded for each address.
"""

import base64
import contextlib
import ctypes
import os
import socket
import time

import table
from client import expect, expect_content, wait_until
from fixtures import OLD_DATE
from reload import Reloadable
from rows import CLOSED, KEPT, answer, bytewise, clause, get, head_of, ok, part, request, row
from stage import require, test, write
from status import shown

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "users.htpasswd")
CONFIGURATION = """
rule "/sub/" { users = "%(file)s" }
rule "/sub/open/*" { users = off
                     rewrite = "/$1" }
rule "/sub/app/" { try_files = {"$path", "/index.html"} }
rule "/sub/moved/*" { moved = "/$1" }
rule "/sub/denied/" { deny = all }
rule "/sub/get/" { methods = GET }
rule "/sub/cached/*" { cache_control = "no-cache"
                       rewrite = "/$1" }
rule "/sub/never/*" { fields_remove = Cache-Control
                      rewrite = "/$1" }
rule "/sub/cors/*" { cors = "https://x.org"
                     rewrite = "/$1" }
rule "/sub/always/" { fields_set = "X-Site: mine"
                      always = on }
listing = on
site "users.org" { rule "/" { users = "%(file)s" } }
""" % {"file": FILE}

table.SERVERS["users"] = {"": CONFIGURATION}

CHALLENGE = 'Basic realm="zcserve", charset="UTF-8"'


def basic(name, password=None):
    """The field for this pair; each user of FILE has the password NAME-password."""
    password = name + "-password" if password is None else password
    return "Authorization: Basic " + base64.b64encode((name + ":" + password).encode()).decode()


RIGHT = basic("bcrypt")


def asked(**more):
    return answer(401, {"WWW-Authenticate": CHALLENGE}, ["Cache-Control", "Location", "Allow", "ETag"], **more)


def users_row(name, steps, answers, after=KEPT):
    row(name, steps, answers, after, server="users")


def private(path, **more):
    return ok(path, {"Cache-Control": "private"}, ["WWW-Authenticate"], **more)


# ------------------------------------------------------------------------------------------------
clause("RFC 9110 §11.6.1, RFC 7617 §2: who has no credentials is asked for them")

users_row("no field", get("/sub/b.txt"), asked())
users_row("HEAD", request("HEAD", "/sub/b.txt"), asked(head_only=True))
users_row("what is not there looks alike", get("/sub/nothing"), asked())
users_row("a hidden file too", get("/sub/.secret"), asked())
users_row("a directory without its slash", get("/sub/deep"), asked())
users_row("a redirect is not told", get("/sub/moved/x"), asked())
users_row("a listing is not shown", get("/sub/deep/?format=json"), asked())
users_row("an application is not", get("/sub/app/any"), asked())
users_row("a condition is not judged", get("/sub/b.txt", "If-None-Match: *"), asked())
users_row("nor a range", get("/sub/b.txt", "Range: bytes=0-0"), asked())
users_row("OPTIONS", request("OPTIONS", "/sub/b.txt"), asked())
users_row("other paths are open", get("/b.txt"), ok("/b.txt", without=["Cache-Control", "WWW-Authenticate"]))
users_row("an inner rule opens again", get("/sub/open/a.txt"), ok("/a.txt", without=["Cache-Control"]))
users_row("another spelling of the path is the same path", get("/%73ub/./x/../b.txt"), asked())
users_row("another site", request("GET", "/b.txt", host="Host: users.org"), asked())
users_row("fields of rules in a 401, where asked", get("/sub/always/x"), answer(401, {"X-Site": "mine"}))

clause("RFC 9110 §11.6.2, RFC 7617 §2: who has the right ones is answered")

for _name in ("bcrypt", "sha512", "sha256", "yescrypt", "J\u00f6rg"):
    users_row(ascii(_name).strip("'"), get("/sub/b.txt", basic(_name)), private("/sub/b.txt"))
users_row("HEAD", request("HEAD", "/sub/b.txt", RIGHT), head_of("/sub/b.txt", {"Cache-Control": "private"}))
users_row("the scheme in other letters", get("/sub/b.txt", RIGHT.replace("Basic", "bASIC ")), private("/sub/b.txt"))
users_row("304", get("/sub/b.txt", RIGHT, "If-Modified-Since: " + OLD_DATE), answer(304, {"Cache-Control": "private"}))
users_row("206", get("/sub/b.txt", RIGHT, "Range: bytes=1-2"), part("/sub/b.txt", 1, 2, {"Cache-Control": "private"}))
users_row("404", get("/sub/nothing", RIGHT), answer(404, {"Cache-Control": "private"}, ["WWW-Authenticate"]))
users_row("a redirect", get("/sub/moved/x", RIGHT), answer(301, {"Location": "/x", "Cache-Control": "private"}))
users_row("an application", get("/sub/app/any", RIGHT), private("/index.html"))
users_row("OPTIONS", request("OPTIONS", "/sub/b.txt", RIGHT), answer(204, {"Allow": "GET, HEAD, OPTIONS"}))
users_row("another site", request("GET", "/b.txt", RIGHT, host="Host: users.org"), private("/b.txt"))
users_row("where nobody is asked", get("/b.txt", RIGHT), ok("/b.txt", without=["Cache-Control"]))
users_row("wrong ones where nobody is asked", get("/b.txt", basic("x"), basic("y")), ok("/b.txt"))
users_row("a byte at a time", bytewise(get("/sub/b.txt", RIGHT)), private("/sub/b.txt"))
users_row("HTTP/1.0", request("GET", "/sub/b.txt", RIGHT, version="HTTP/1.0"), private("/sub/b.txt"), CLOSED)

clause("RFC 9110 §11.6.2, RFC 7617 §2.1: others are not")

for _label, _field in (
        ("wrong password", basic("bcrypt", "x")), ("empty password", basic("bcrypt", "")), ("empty name", basic("")),
        ("another user's password", basic("bcrypt", "sha512-password")), ("a longer one", basic("bcrypt", "bcrypt-password2")),
        ("unknown name", basic("nobody")), ("another case", basic("Bcrypt", "bcrypt-password")),
        ("a comment is no user", basic("# Users of tests/integration/users.py; each has the password that is the name and")),
        ("a hash is no password", basic("bcrypt", "$2b$04$abcdefghijklmnopqrstuu")),
        ("no base64", "Authorization: Basic ???="), ("no padding", RIGHT.rstrip("=")[:-1]), ("no value", "Authorization: Basic"),
        ("an empty field", "Authorization:"), ("no colon", "Authorization: Basic bm9ib2R5"), ("a NUL", "Authorization: Basic YQA6Yg=="),
        ("a newline", "Authorization: Basic YQo6Yg=="), ("another scheme", RIGHT.replace("Basic", "Bearer")),
        ("Digest", 'Authorization: Digest username="bcrypt", realm="zcserve"'), ("two pairs", RIGHT + ", " + RIGHT),
        ("a name of 256 bytes", basic("n" * 256)), ("a password of 512 bytes", basic("bcrypt", "p" * 512)),
        ("a password of 511 bytes", basic("bcrypt", "p" * 511))):
    users_row(_label, get("/sub/b.txt", _field), asked())
users_row("two fields", get("/sub/b.txt", RIGHT, RIGHT), asked())
users_row("another field", get("/sub/b.txt", RIGHT.replace("Auth", "Proxy-Auth")), asked())

clause("RFC 9110 §15.5.4, §15.5.6, §9.3.7: address and method are judged before")

users_row("an address that is refused", get("/sub/denied/x", RIGHT), answer(403, {}, ["WWW-Authenticate", "Cache-Control"]))
users_row("a method that is refused", request("HEAD", "/sub/get/x"), answer(405, {"Allow": "GET"}, head_only=True))
users_row("a preflight has no credentials",
          request("OPTIONS", "/sub/cors/a.txt", "Origin: https://x.org", "Access-Control-Request-Method: GET",
                  "Access-Control-Request-Headers: authorization"),
          answer(204, {"Access-Control-Allow-Origin": "https://x.org", "Access-Control-Allow-Headers": "*, Authorization"}))
users_row("a script of that origin can read the 401", get("/sub/cors/a.txt", "Origin: https://x.org"),
          answer(401, {"Access-Control-Allow-Origin": "https://x.org", "WWW-Authenticate": CHALLENGE}))

clause("RFC 9111 §3.5, §5.2.2: only this user may keep it, unless a rule says otherwise")

users_row("a rule says otherwise", get("/sub/cached/a.txt", RIGHT), ok("/a.txt", {"Cache-Control": "no-cache"}))
users_row("a rule removes it", get("/sub/never/a.txt", RIGHT), ok("/a.txt", without=["Cache-Control"]))

clause("RFC 9112 §9.3.2, RFC 9110 §11.6.2: each request of a connection has its own credentials")

users_row("pipelined", get("/sub/b.txt", RIGHT) + get("/sub/b.txt") + get("/sub/b.txt", basic("x")) + get("/sub/b.txt", basic("sha512"))
          + get("/b.txt"), [private("/sub/b.txt"), asked(), asked(), private("/sub/b.txt"), ok("/b.txt", without=["Cache-Control"])])
users_row("one after another", [get("/sub/b.txt"), table.Await(), get("/sub/b.txt", RIGHT), table.Await(), get("/sub/b.txt")],
          [asked(), private("/sub/b.txt"), asked()])


# ---- what rows cannot say ----------------------------------------------------------------------

def crypt(password, setting):
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    return library.crypt(password.encode(), setting.encode()).decode()


def bcrypt(password, cost=4):
    return crypt(password, "$2b$%02d$abcdefghijklmnopqrstuu" % cost)


class Users:
    """A file of users, as a stage has it: {name: hash}."""

    def __init__(self, stage, **users):
        self.path = os.path.join(stage.setting.place("users"), "users")
        self.write(**users)

    def write(self, **users):
        write(self.path, "".join("%s:%s\n" % pair for pair in users.items()).encode())
        os.chmod(self.path, 0o644)  # the server may have another user

    def rule(self, path="/in/", more=""):
        return 'rule "%s" { users = "%s" %s }\n' % (path, self.path, more)


def site(stage, **files):
    root = stage.site(**files)
    os.mkdir(os.path.join(root, "in"))
    write(os.path.join(root, "in", "a.txt"), b"inside")
    return root


def status_of(server, name, password, target="/in/a.txt"):
    with server.client(timeout=server.seconds(20)) as client:
        return client.get(target, basic(name, password)).status


def ask_all(server, pairs, target="/in/a.txt"):
    """Asks with each pair, on a connection of its own, at the same time. Returns the statuses."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.client(timeout=server.seconds(30))) for _ in pairs]
        for client, pair in zip(clients, pairs):
            client.send(get(target, basic(*pair)))
        return [client.answer().status for client in clients]


@test("users: a 401 has the page of the site, with its status and what it asks for")
def page(stage):
    root = site(stage, page_html=b"<!DOCTYPE html>who?")
    users = Users(stage, u=bcrypt("p"))
    with stage.server(root, {"": users.rule(more='error_pages = "401 /page.html"')}) as server:
        for fields in ((), (basic("u", "x"),)):
            with server.client() as client:
                got = client.get("/in/a.txt", *fields)
                expect("status", 401, got.status)
                expect_content("page", b"<!DOCTYPE html>who?", got.content)
                expect("challenge", CHALLENGE, got.field("WWW-Authenticate"))
        expect("the right one", 200, status_of(server, "u", "p"))


@test("users: a pair is checked once, and requests that ask at the same time share the check")
def remembered(stage):
    users = Users(stage, u=bcrypt("p", 10), v=bcrypt("p", 10))
    with shown(stage, site(stage), {"": users.rule(), "workers": 1}, at_once=16) as (server, status):
        expect("statuses", [200] * 8, ask_all(server, [("u", "p")] * 8))
        for _ in range(8):
            expect("status", 200, status_of(server, "u", "p"))
        expect("wrong ones", [401] * 8, ask_all(server, [("v", "x")] * 8))
        counters = wait_until("they are counted", lambda: _counted(status, "denied", 8), stage.seconds(10))
        if stage.is_blocking():  # those that ask at the same time have different workers
            require(2 <= counters["checks"] <= 16, "%d checks", counters["checks"])
        else:
            expect("checks", 2, counters["checks"])


def _counted(status, name, least):
    counters = status.json()["total"]["counters"]
    return counters[name] >= least and counters["checks"] > 1 and counters


@test("users: a pair of one file or site answers for no other, whichever was checked first")
def never_for_another(stage):
    one, two = Users(stage, u=bcrypt("one")), Users(stage, u=bcrypt("two"))
    rules = one.rule() + 'site "x" { %s }\n' % two.rule() + 'site "y" { %s %s }\n' % (one.rule("/in/"), two.rule("/in/two/"))
    with stage.server(site(stage), {"": rules}) as server:
        for _ in range(2):
            for host, password, expected in (("test", "one", 200), ("test", "two", 401), ("x", "two", 200), ("x", "one", 401),
                                             ("y", "one", 200), ("y", "two", 401)):
                with server.client() as client:
                    client.send(request("GET", "/in/a.txt", basic("u", password), host="Host: " + host))
                    expect("%s, %s" % (host, password), expected, client.answer().status)
        with server.client() as client:
            realms = []
            for target in ("/in/a.txt", "/in/two/a.txt"):
                client.send(request("GET", target, host="Host: y"))
                realms.append(client.answer().field("WWW-Authenticate"))
            require(realms[0] != realms[1], "two files have one realm: %s", realms)


@test("users: a reload takes another password, and forgets the one before")
def reloaded(stage):
    users = Users(stage, u=bcrypt("old"))
    with Reloadable(stage, site(stage), {"": users.rule()}) as it:
        expect("the old one", 200, status_of(it.server, "u", "old"))
        users.write(u=bcrypt("new"))
        expect("the old one, before the reload", 200, status_of(it.server, "u", "old"))
        it.reload()
        expect("the old one", 401, status_of(it.server, "u", "old"))
        expect("the new one", 200, status_of(it.server, "u", "new"))
        write(users.path, b"u:plain\n")
        reason = it.refused()
        require(":1: this is a plain password" in reason and "htpasswd -B" in reason and "u:plain" not in reason, "%s", reason)
        expect("the new one goes on", 200, status_of(it.server, "u", "new"))


@test("users: a slow check does not keep an event loop from other connections")
def no_stall(stage):
    """While one client waits for a hash that takes more than half a second, another one is served again and again."""
    if stage.is_blocking():
        return
    users = Users(stage, slow=bcrypt("p", 13))
    root = site(stage, a_txt=b"a")
    with stage.server(root, {"": users.rule()}) as server, server.client() as other, \
            server.client(timeout=server.seconds(30)) as client:
        other.get("/a.txt")
        client.send(get("/in/a.txt", basic("slow", "p")))
        client.socket.setblocking(False)
        began, longest, answers = time.monotonic(), 0.0, 0
        while not is_readable(client):
            asked_at = time.monotonic()
            other.get("/a.txt")
            longest = max(longest, time.monotonic() - asked_at)
            answers += 1
            require(asked_at - began < server.seconds(30), "the check does not end")
        took = time.monotonic() - began
        client.socket.settimeout(5)
        expect("status", 200, client.answer().status)
        require(answers >= 20 and longest < took / 2, "%d answers, the slowest took %.3f s, while the check took %.3f s",
                answers, longest, took)


def is_readable(client):
    try:
        return client.socket.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return False


@test("users: more names from one address than may be checked at a time are all checked in the end")
def many_of_one_address(stage):
    names = ["u%d" % number for number in range(8)]
    users = Users(stage, **{name: bcrypt(name, 6) for name in names})
    with stage.server(site(stage), {"": users.rule()}, at_once=16) as server:
        expect("statuses", [200] * 8, ask_all(server, [(name, name) for name in names]))


@test("users: an address that asks with many wrong passwords does not keep out another one")
def flood(stage):
    """Twelve checks of a slow hash from one address; a fast one from another address comes among the first."""
    if stage.is_blocking():
        return
    users = Users(stage, slow=bcrypt("p", 11), fast=bcrypt("p"))
    with stage.server(site(stage), {"": users.rule()}) as server, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.client(timeout=server.seconds(30))) for _ in range(12)]
        for number, client in enumerate(clients):
            client.send(get("/in/a.txt", basic("slow", "wrong%d" % number)))
        port = server.address[1]
        with socket.create_connection((server.address[0], port), server.seconds(30), ("127.0.0.9", 0)) as other:
            other.sendall(get("/in/a.txt", basic("fast", "p")).encode())
            head = other.recv(4096)
        require(head.startswith(b"HTTP/1.1 200"), "%r", head)
        for client in clients:
            client.socket.setblocking(False)
        answered = sum(is_readable(client) for client in clients)
        require(answered <= 8, "%d of 12 slow checks of another address came first", answered)
        for client in clients:
            client.socket.settimeout(server.seconds(30))
            require(client.answer().status in (401, 429), "a check that waited too long is refused in another way")


@test("users: a client that leaves while its password is checked leaves nothing behind")
def leaves(stage):
    users = Users(stage, slow=bcrypt("p", 10))
    with stage.server(site(stage, a_txt=b"a"), {"": users.rule()}) as server:
        for number in range(6):
            with server.client() as client:
                client.send(get("/in/a.txt", basic("slow", "wrong%d" % number)))
                if number % 2:
                    client.reset()
        with server.client(timeout=server.seconds(20)) as client:
            expect("status", 200, client.get("/a.txt").status)
            expect("then", 200, client.get("/in/a.txt", basic("slow", "p")).status)


@test("users: the access log has the name of who was let in, and never a password")
def logged(stage):
    for form, there, absent in (("combined", " - J\\xC3\\xB6rg [", " - - ["), ("json", '"user":"J\u00f6rg"', '"user":null')):
        log = os.path.join(stage.setting.place("log"), "access.log")
        options = {"": 'rule "/in/" { users = "%s" }\n' % FILE, "access_log": log, "log.format": form, "log.interval": "10ms"}
        with stage.server(site(stage), options) as server:
            expect("right", 200, status_of(server, "J\u00f6rg", None))
            expect("wrong", 401, status_of(server, "sha512", "mistaken"))
            wait_until("the lines", lambda: len(lines_of(log)) == 2, server.seconds(10))
        first, second = sorted(lines_of(log), key=lambda line: there not in line)  # of two workers, in any order
        require(there in first and absent in second, "%s%s", first, second)
        require(not any(word in first + second for word in ("password", "mistaken", "sha512", "Basic")), "%s%s", first, second)


def lines_of(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return file.readlines()


@test("users: requests with a right password are limited as others")
def limited(stage):
    options = {"": 'rule "/in/" { users = "%s" }\n' % FILE, "limits.requests_per_second": 1, "limits.burst": 3, "limits.exempt": []}
    with stage.server(site(stage), options) as server, server.client() as client:
        client.send(get("/in/a.txt", RIGHT) * 8)
        found = [client.answer().status for _ in range(8)]
        expect("the burst", [200] * 3, found[:3])
        require(found.count(429) >= 3 and set(found) == {200, 429}, "%s", found)


@test("users: a file that every user of the machine may read is told", per_model=False)
def readable(stage):
    users = Users(stage, u=bcrypt("p"))
    config = os.path.join(stage.setting.place("conf"), "serve.conf")
    write(config, ('listen = "127.0.0.1:0"\nroot = "%s"\n' % site(stage) + users.rule()).encode())
    if stage.setting.user is not None:
        os.chown(users.path, stage.setting.user, -1)
    for mode, told in ((0o644, True), (0o640, False)):
        os.chmod(users.path, mode)
        code, _, err = stage.setting.run("-c", config, "-t")
        require(code == 0, "%s", err)
        expect("told", told, "can be read by every user of this machine" in err)

