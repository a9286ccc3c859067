"""zcserve --explain: it answers as a running server does, and says why."""

import base64
import os
import re

import rows
import table
from client import STATUS_LINE, Skip, expect, wait_until
from fixtures import site_make
from stage import require, test, write

ONE_REQUEST = re.compile(r"([^\s/]+) (/\S*|\*) HTTP/1\.1\r\n((?:[^\r\n]+\r\n)+)\r\n")
PASSING = {"date", "expires"}  # they depend on the second
BOUNDARY = re.compile("boundary=[0-9a-f]+")  # another one in each process
AT_LEAST = {"sites": 15, "plain": 15, "other": 5, "strict": 5}  # rows that are one request, at least so many
EVERY = {"sites": 4, "plain": 30, "strict": 6}  # of so many rows, one is compared: each takes a process


def explain(stage, config, target, fields=(), *more):
    """Exit code, the explanation, and the lines of the head that it ends with."""
    words = ["-c", config, "--explain", target, *fields, *more]
    code, out, err = stage.setting.run(*words)
    require(code in (0, 1) and err == "", "%r: exit code %%d, it says %%r" % words, code, err)
    why, _, head = out.partition("\n\n")
    return code, why, head.rstrip("\n").split("\n")


def lasting(lines):
    """The field lines that do not depend on the second, and the names of all."""
    fields = [line.partition(": ") for line in lines]
    return [[name, "" if name.lower() in PASSING else BOUNDARY.sub("boundary=", value)] for name, _, value in fields]


def served(server, request, method):
    with server.client() as client:
        client.send(request)
        answer = client.answer(head_only=method == "HEAD")
    return answer.head.decode("latin-1")[:-4].split("\r\n"), answer


def escaped(lines):
    """As --explain prints bytes that are no text."""
    return [re.sub("[\x80-\xff]", lambda match: "\\x%02x" % ord(match[0]), line) for line in lines]


def explained_alike(stage, server, row):
    """Returns False when the row is not one request that a command line can name."""
    request = rows.fill(row.steps[0], server).decode("latin-1") if isinstance(row.steps[0], (str, bytes)) else ""
    match = ONE_REQUEST.fullmatch(request)
    if not match or len(row.steps) > 1 or re.search("[\0\x80-\xff]|(?i:Content-Length|Transfer-Encoding)", request):
        return False
    method, target, fields = match[1], match[2], match[3].split("\r\n")[:-1]
    if "#" in target or not all(re.match(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+:", field) for field in fields):
        return False
    code, why, head = explain(stage, server.configuration, target, fields, "-X", method)
    lines, answer = served(server, request, method)
    require(STATUS_LINE.match(head[0].encode()), "%s: no status line: %r", row.name, head[0])
    expect("%s: the status line" % row.name, lines[0], head[0])
    expect("%s: the fields" % row.name, lasting(escaped(lines[1:])), lasting(head[1:]))
    expect("%s: exit code" % row.name, 0 if answer.status < 400 else 1, code)
    require(all(len(line) <= 80 or " " not in line[20:].strip() for line in why.split("\n")),
            "%s: a line is too wide: %r", row.name, why)
    return True


for _kind, _least in AT_LEAST.items():
    def _alike(stage, kind=_kind, least=_least):
        root = os.path.join(stage.setting.place("explain"), "root")
        os.mkdir(root)
        site_make(root)
        with stage.server(root, {name: value for name, value in table.SERVERS[kind].items()}) as server:
            kept = [row for row in rows.ROWS if row.server == kind and row.after == rows.KEPT]
            same = sum(explained_alike(stage, server, row) for row in kept[::EVERY.get(kind, 1)])
        require(same >= least, "only %d rows were compared", same)
    test("--explain and the server say the same: the rows of %s" % _kind, per_model=False)(_alike)


# ---- what it says ---------------------------------------------------------------------------------

CONFIGURATION = """root = www
compress { codings = br
           least = 16 }
cache { file_max = 2k }
rule "/" { cache_control = "max-age=5" }
site "one.org" {
    hosts = {one.org, "*.one.org"}
    rule "/" { cache_control = "no-cache"
               error_pages = "404 /absent.html" }
    rule "/new/" { cache_control = "no-store" }
    rule "/old/*" { moved = "/new/$1" }
    rule "/app/*" { try_files = {"/$1", "/index.html"} }
    rule "/closed/" { try_files = {"/x", "=403"} }
    rule "/office/" { allow = "192.0.2.0/24"
                      rewrite = "/a.txt" }
    rule "/read/" { methods = GET }
    rule "/all/" { cors = "*"
                   rewrite = "/a.txt" }
}
site "listed.org" { listing = on }
"""

SAYS = (  # the host and path, fields and switches, the exit code, what is said in this order
    ("http://one.org/a.txt", (), 0, 'Site site "one.org" (serve.conf:6): "one.org" is its host one.org',
     'root', 'applies rule "/" (serve.conf:8)', 'cache_control = "no-cache" (serve.conf:8)', 'no rule "/new/"',
     "Path /a.txt, as requested found", "File", "www/a.txt", "200 OK"),
    ("http://x.one.org:81/a.txt#part", (), 0, "(#part is not sent", '"x.one.org:81" is its host *.one.org'),
    ("http://two.org/a.txt", (), 0, 'no site has the host "two.org": what is outside of sites counts',
     'rule "/" (serve.conf:5)', "Cache-Control: max-age=5"),
    ("http://one.org/new/x", (), 1, 'cache_control = "no-cache" (serve.conf:8)', 'rule "/new/" (serve.conf:10)',
     "Path /new/x, as requested not found: No such file or directory", "Error page /absent.html, of the error 404 found",
     "404 Not Found"),
    ("http://one.org/old/a?b", (), 0, 'Redirect by moved of rule "/old/*" (serve.conf:11)', "Location: /new/a?b"),
    ("http://one.org/app/view", (), 0, "/view, path 1 of 2 of try_files", "not found", "/index.html, path 2 of 2", "found"),
    ("http://one.org/closed/x", (), 1, "/x, path 1 of 1 of try_files", "none of the paths is there: =403 counts"),
    ("http://one.org/office/x", (), 1, 'Address refused: allow of rule "/office/" (serve.conf:14) does not name it',
     "403 Forbidden"),
    ("http://one.org/office/x", ("--from", "192.0.2.7"), 0, "(from 192.0.2.7)", "Address allowed by allow"),
    ("http://one.org/read/x", ("-X", "HEAD"), 1, "Method not allowed by methods", "Allow: GET"),
    ("http://one.org/all/x", ("Origin: https://o.org",), 0, "Origin allowed by cors", "Access-Control-Allow-Origin: *"),
    ("/a.txt", ("Host: one.org",), 0, 'site "one.org"'),
    ("/a.txt", ("If-None-Match: *",), 0, "Condition If-None-Match says that the client has it already: 304", "304"),
    ("/a.txt", ("If-Match: \"x\"",), 1, "Condition If-Match does not hold: 412"),
    ("/a.txt", ("Range: bytes=2-3",), 0, "Range 1 part of it bytes 2 to 3", "206"),
    ("/a.txt", ("Range: bytes=2-3", "-X", "HEAD"), 0, "Range ignored: only GET has ranges"),
    ("/a.txt", ("Range: bytes=900-",), 1, "beyond the end of it: 416"),
    ("/page.css", ("Accept-Encoding: gzip, br;q=0.5",), 0, "Codings gzip: no other one is liked as much",
     "identity 100 bytes, accepted as the last choice", "gzip 30 bytes in .gz, accepted with q=1.000: chosen",
     "br the sidecar .br is older than the file", "zstd the sidecar .zst is empty", "a sidecar is sent",
     "Content-Encoding: gzip"),
    ("/page.css", ("Accept-Encoding: identity;q=0",), 0, "Codings identity: none is accepted, and not_acceptable = off"),
    ("/page.css", ("Accept-Encoding: identity;q=0", "-o", "not_acceptable=on"), 1, "not acceptable", "Codings none is accepted",
     "406"),
    ("/a.txt", ("Accept-Encoding: br",), 0, "on the fly one is made for later requests"),
    ("/large.bin", (), 0, "from the file, by sendfile: it is larger than cache.file_max = 2k (serve.conf:4)"),
    ("/a.txt", (), 0, "Content from memory"),
    ("/sub", (), 0, "a directory, of which the path has no slash", "Location: "),
    ("/sub/", (), 1, "forbidden: a directory without an index, and listing = off"),
    ("http://listed.org/sub/", (), 0, "Listing of the directory"),
    ("/.hidden", (), 1, "a name begins with a dot, and hidden = off"),
    ("/.hidden", ("-o", "hidden=on"), 0, "found"),
    ("/out", (), 1, "forbidden: a symbolic link that is absolute or leads out of the root"),
    ("/link", (), 0, "through a symbolic link, which symlinks = beneath allows"),
    ("/link", ("-o", "symlinks=never"), 1, "forbidden: a symbolic link, and symlinks = never"),
    ("/fifo", (), 1, "not found: it is not a regular file"),
    ("/a%00", (), 1, "refused before any rule is asked: no path, a malformed one", "400 Bad Request"),
    ("*", ("-X", "OPTIONS"), 0, "the request is for the server", "204 No Content"),
    ("/a.txt", ("-X", "DELETE"), 1, "405 Method Not Allowed"),
    ("/a.txt", ("X: \033[31m",), 1, "X: \\x1b[31m", "400"),
)


def site(stage):
    place = stage.setting.place("explained")
    root = os.path.join(place, "www")
    os.makedirs(os.path.join(root, "sub"))
    for name, what in (("a.txt", b"a" * 200), ("index.html", b"i"), ("absent.html", b"absent"), (".hidden", b"h"),
                       ("page.css", b"c" * 100), ("page.css.gz", b"g" * 30), ("page.css.br", b"b"), ("page.css.zst", b""),
                       ("large.bin", b"l" * 3000)):
        write(os.path.join(root, name), what)
        os.utime(os.path.join(root, name), (1500000000,) * 2)
    os.utime(os.path.join(root, "page.css.br"), (1400000000,) * 2)
    os.symlink("a.txt", os.path.join(root, "link"))
    os.symlink("/etc/passwd", os.path.join(root, "out"))
    os.mkfifo(os.path.join(root, "fifo"))
    write(os.path.join(place, "serve.conf"), CONFIGURATION.encode())
    return place


@test("--explain says why", per_model=False)
def says(stage):
    place = site(stage)

    def settled():  # what the times of a new file cannot prove is not said of it
        return "one is made for later" in stage.setting.run("-c", "serve.conf", "--explain", "/a.txt", "Accept-Encoding: br", cwd=place)[1]
    wait_until("the times of the files are old enough", settled, stage.seconds(10), 0.2)
    for target, words, wanted, *texts in SAYS:
        code, out, err = stage.setting.run("-c", "serve.conf", "--explain", target, *words, cwd=place)
        expect("%s %s: exit code (%s)" % (target, words, err), wanted, code)
        rest = " ".join(out.split())
        for text in texts:
            _, found, rest = rest.partition(text)
            require(found, "%s %s: %r is not there, in this order: %s", target, words, text, out)


@test("--explain checks names and passwords, and does not print them", per_model=False)
def users(stage):
    place = site(stage)
    path = os.path.join(place, "users")
    write(path, b"me:$6$abcdefgh$ltjgWl6579NluT/Vi1nwEvcil.G5Nbc4NiXZaNGStk8PSwGfQv72N2CKPPrVACtLtip/cZ/1GM/O6IND4WQhG.\n")
    os.chmod(path, 0o600)
    if stage.setting.user is not None:
        os.chown(path, stage.setting.user, stage.setting.user)
    write(os.path.join(place, "serve.conf"), b'root = www\nrule "/" { users = users }\n')
    for pair, wanted, text in ((None, 1, "no name and password"), ("me:secret", 0, "are right"), ("me:wrong", 1, "is wrong")):
        fields = ["Authorization: Basic " + base64.b64encode(pair.encode()).decode()] if pair else []
        code, out, err = stage.setting.run("-c", "serve.conf", "-E", "/a.txt", *fields, cwd=place)
        if "libcrypt" in err:
            raise Skip("no libcrypt here")
        expect("%s: exit code (%s)" % (pair, err), wanted, code)
        require(text in " ".join(out.split()) and "Basic bW" not in out, "%s: it says %r", pair, out)


@test("--explain: what is wrong gets exit code 2 and one reason", per_model=False)
def wrong(stage):
    place = site(stage)
    write(os.path.join(place, "bad.conf"), b'root = nothing\n')
    for words, text in ((["-E", "a.txt"], "needs http://HOST/PATH or /PATH"), (["-E", "http://me@one.org/"], "needs http://"),
                        (["-E", "/a\r\nb"], "two lines"), (["-E", "/", "A: b\nc"], "two lines"),
                        (["-E", "/", "-F", "1.2.3"], "--from needs an IP address"), (["-E", "/", "-X", "A B"], "--method needs"),
                        (["-E", "/", "Content-Length: 1"], "has content"), (["-E"], "argument is missing"),
                        (["-X", "GET"], "only for --explain"), (["-E", "/", "-c", "nothing.conf"], "cannot read nothing.conf"),
                        (["-E", "/", "-c", "bad.conf"], "bad.conf:1: root:"), (["-E", "/", "-o", "a=b"], "unknown option"),
                        (["-E", "/", *["A: b"] * 65], "too many fields")):
        code, out, err = stage.setting.run("-c", "serve.conf", *words, cwd=place)
        expect("%s: exit code (%s)" % (words, err), 2, code)
        require(text in err and out == "", "%s: it says %r and %r", words, out, err)


@test("--explain onto a full disk: 1, and a reason", per_model=False)
def full(stage):
    with open("/dev/full", "wb") as out, stage.setting.program(
            "--explain", "/", stage.site(a_txt=b"a"), stdout=out, stderr=-1) as process:
        err = process.communicate(timeout=stage.seconds(10))[1].decode()
    expect("exit code (%s)" % err, 1, process.returncode)
    require("cannot be written" in err, "it says %r", err)
