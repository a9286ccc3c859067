"""The command line and the configuration file, as an operator uses them."""

import contextlib
import os
import re
import resource
import signal
import socket
import subprocess

from client import Client, Skip, expect
from harness import STARTED, has_ipv6, ipv6_or_skip
from stage import require, test, write

BAD_LINES = (
    ('lisen = "8080"', 2, "unknown option 'lisen' (did you mean 'listen'?)"),
    ('cache { siez = "1m" }', 2, "(did you mean 'size'?)"),
    ('workers = "many"', 2, "workers"),
    ('workers = "99999"', 2, "workers"),
    ('timeouts { head = "10 parsecs" }', 2, "head"),
    ('cache { size = "1q" }', 2, "size"),
    ('listen = "127.0.0.1:99999"', None, "listen"),
    ('listen = "nonsense"', None, "listen"),
    ('model = "magic"', 2, "model"),
    ('hidden = "perhaps"', 2, "hidden"),
    ('index = "web/index.html"', 2, "one name"),
    ('index = {"index.html", ".."}', 2, "one name"),
    ('include("nothing.conf")', 2, "nothing.conf"),
    ('root = "www', 2, ""),
    ('site "a" { rot = "www" }', 2, "unknown option 'rot' (did you mean 'root'?)"),
    ('site "a" { rule "/x/*" { expires = "soon" } }', 2, "rule.expires = 'soon': must be a time"),
    ('site "" { }', 2, "site needs a title"),
    ('site "a" { } site "a" { }', 2, 'site "a" is a duplicate'),
    ('site "a" { rule "/x/*" { users = "passwords" } }', 2, "passwords: No such file or directory"),
    ('site "a" { rule "/x" { moved = "/x" } }', 2, "leads back"),
    ('rule "/x" { fields_set = "Date: now" }', 2, "the server itself writes Date"),
)


def written(stage, *lines):
    place = stage.setting.place("conf")
    os.mkdir(os.path.join(place, "www"))
    path = os.path.join(place, "serve.conf")
    write(path, "".join(line + "\n" for line in lines).encode())
    return path


@test("-t: a good file", per_model=False)
def test_good(stage):
    path = written(stage, 'listen = "127.0.0.1:0"', 'root = "www"')
    code, _, err = stage.setting.run("-t", "-c", path)
    expect("exit code (%s)" % err, 0, code)


for _line, _number, _says in BAD_LINES:
    def _bad(stage, line=_line, number=_number, says=_says):
        path = written(stage, 'root = "www"', line)
        for arguments in (["-t", "-c", path], ["-c", path]):
            code, _, err = stage.setting.run(*arguments)
            expect("exit code (%s)" % err, 78, code)
            where = r"(\S*/)?serve\.conf:%s: " % (r"\d+" if number is None else number)
            require(re.match(where, err) and says in err, "it says %r", err)
    test("a bad line: %s" % _line, per_model=False)(_bad)


@test("every bad line is told, not only the first", per_model=False)
def test_all_bad(stage):
    path = written(stage, 'lisen = "1"', 'rot = "www"')
    code, _, err = stage.setting.run("-t", "-c", path)
    expect("exit code", 78, code)
    require("lisen" in err and "rot" in err, "it says %r", err)


@test("no such file: 78", per_model=False)
def test_absent(stage):
    code, _, err = stage.setting.run("-t", "-c", "/nonexistent/serve.conf")
    expect("exit code", 78, code)
    require("/nonexistent/serve.conf" in err, "it says %r", err)


@test("wrong usage: 2", per_model=False)
def usage(stage):
    for arguments in (["--nonsense"], ["-Z"], ["-p"], ["-p", "x"], ["-p", "70000"], ["a", "b"]):
        code, _, err = stage.setting.run(*arguments)
        expect("exit code of %s" % arguments, 2, code)
        require("zcserve" in err, "it says %r", err)


@test("-h, -v and -V go to standard output, exit code 0", per_model=False)
def help_and_version(stage):
    for switch, says in (("-h", "--config"), ("-v", "zcserve"), ("-V", "zcserve"),
                         ("--help", "--config")):
        code, out, err = stage.setting.run(switch)
        expect("exit code of " + switch, 0, code)
        require(says in out and not err, "%s says %r and %r", switch, out, err)


@test("-T prints what reads back to the same", per_model=False)
def print_and_read(stage):
    path = written(stage, 'root = "www"', 'listen = {"127.0.0.1:0", "[::1]:0"}',
                   'cache { size = "17m" }', 'timeouts { head = "1500ms" }', 'hidden = "on"',
                   'server = "say \\"hi\\""')
    code, first, err = stage.setting.run("-T", "-c", path)
    expect("exit code (%s)" % err, 0, code)
    again = os.path.join(os.path.dirname(path), "again.conf")
    write(again, first.encode())
    code, second, err = stage.setting.run("-T", "-c", again)
    expect("exit code (%s)" % err, 0, code)
    expect("second printing", first, second.replace("again.conf", "serve.conf"))
    require("17m" in first and "1500ms" in first, "it prints %r", first)


@test("-T prints sites and their rules, in order, and they read back", per_model=False)
def print_sites(stage):
    path = written(stage, 'root = "www"', 'site "one" {', 'root = "www"', 'rule "/x/*" { expires = "90s" }', "}",
                   'site "two" { rule "/b" { } rule "/a" { } }')
    code, first, err = stage.setting.run("-T", "-c", path)
    expect("exit code (%s)" % err, 0, code)
    expect("blocks", ['site "one"', 'rule "/x/*"', 'site "two"', 'rule "/b"', 'rule "/a"'],
           re.findall(r'(?m)^ *((?:site|rule) ".*") \{$', first))
    require("expires = 90s" in first and first.count('root = "%s/www"' % os.path.dirname(path)) == 2,
            "it prints %r", first)
    again = os.path.join(os.path.dirname(path), "again.conf")
    write(again, first.encode())
    code, second, err = stage.setting.run("-T", "-c", again)
    expect("exit code (%s)" % err, 0, code)
    expect("second printing", first, second)


@test("a configuration for which there is too little memory: 78, and a reason", per_model=False)
def too_little_memory(stage):
    if stage.setting.is_sanitized():
        raise Skip("a sanitizer reserves more address space than a limit could allow")
    rules = ('rule "/%d" { cache_control = "max-age=%d" }' % (number, number) for number in range(4000))
    path = written(stage, 'site "a" {', *rules, "}")
    ends, mib = set(), 0
    while (0, "") not in ends and mib < 100:
        mib += 1
        run = subprocess.run(["prlimit", "--as=%d" % (mib << 20), stage.setting.binary, "-T", "-c", path],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                             text=True, timeout=30)
        ends.add((run.returncode, run.stderr.strip()))
    require((0, "") in ends and (78, "not enough memory for the configuration") in ends, "it ends with %r", ends)
    # With less memory still, the program cannot be loaded (127, or a signal), or the file not be read.
    others = [end for end in ends if end[0] not in (0, 78, 127) and end[0] >= 0]
    require(not others, "it ends with %r", others)


@test("-T onto a full disk, or into a file at its size limit: 1, and a reason", per_model=False)
def print_nowhere(stage):
    place = stage.setting.place("limit")
    for path, size in (("/dev/full", None), (os.path.join(place, "out"), 100)):
        def limit(size=size):
            if size:
                resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        with open(path, "wb") as out:
            run = subprocess.run([stage.setting.binary, "-T", "."], stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=subprocess.PIPE, text=True, timeout=30, preexec_fn=limit)
        expect("exit code (%s)" % run.stderr, 1, run.returncode)
        require("cannot be written" in run.stderr, "it says %r", run.stderr)


@test("relative paths are relative to the file", per_model=False)
def relative(stage):
    path = written(stage, 'root = "www"', 'listen = "127.0.0.1:0"')
    write(os.path.join(os.path.dirname(path), "www", "a.txt"), b"a")
    with started(stage, "-c", path, cwd="/") as address:
        expect("content", b"a", fetch(stage, address))


@test("zcserve DIR, with a port chosen by the kernel", per_model=False)
def bare(stage):
    root = stage.site(a_txt=b"bare")
    with started(stage, "-p", "0", root) as address:
        expect("host", "127.0.0.1", address[0])
        expect("content", b"bare", fetch(stage, address))
    listen, host = ("[::1]:0", "::1") if has_ipv6() else ("127.0.0.1:0", "127.0.0.1")
    with started(stage, "-l", listen, "-w", "2", "-m", stage.model, root) as address:
        expect("host", host, address[0])
        expect("content", b"bare", fetch(stage, address))
    ipv6_or_skip()


@contextlib.contextmanager
def started(stage, *arguments, **more):
    """The program by its command line alone: its address, from the start line."""
    process = stage.setting.program(*arguments, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.PIPE, text=True, **more)
    try:
        said = ""
        for line in process.stderr:
            said += line
            match = STARTED.search(line)
            if match:
                break
        require(said and match, "no address on stderr: %r", said)
        yield match[1].strip("[]"), int(match[2])
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
        expect("exit code (%s)" % (said + rest), 0, process.wait(stage.seconds(5)))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.stderr.close()
        process.wait()


def fetch(stage, address):
    with Client(address, stage.seconds(5)) as client:
        return client.get("/a.txt").content


@test("the command line wins over the file", per_model=False)
def overrides(stage):
    path = written(stage, 'root = "/nonexistent"', 'listen = "127.0.0.1:1"', 'workers = "7"')
    root = stage.site(a_txt=b"a")
    with started(stage, "-c", path, "-p", "0", "-w", "1", root) as address:
        expect("content", b"a", fetch(stage, address))


@test("a port in use: exit code 1, and a line that names it", per_model=False)
def port_in_use(stage):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, _, err = stage.setting.run("-p", str(port), stage.site(a_txt=b"a"))
    expect("exit code (%s)" % err, 1, code)
    require(str(port) in err, "it says %r", err)


@test("a second server on the same port fails, the first goes on", per_model=False)
def second_server(stage):
    root = stage.site(a_txt=b"a")
    with stage.server(root) as server:
        code, _, err = stage.setting.run("-p", str(server.address[1]), root)
        expect("exit code (%s)" % err, 1, code)
        expect("the first", b"a", server.get("/a.txt").content)


@test("a root that is not there: not 0, and a line that names it", per_model=False)
def no_root(stage):
    code, _, err = stage.setting.run("-p", "0", "/nonexistent/root")
    require(code in (1, 78), "exit code %d", code)
    require("/nonexistent/root" in err, "it says %r", err)


@test("a Unix socket that somebody listens on is not taken away", per_model=False)
def unix_in_use(stage):
    root = stage.site(a_txt=b"a")
    path = os.path.join(stage.setting.place("unix"), "socket")
    with stage.server(root, {"listen": ["unix:" + path]}) as server:
        code, _, err = stage.setting.run("-l", "unix:" + path, root)
        expect("exit code (%s)" % err, 1, code)
        expect("the first", b"a", server.get("/a.txt").content)


@test("an access log that cannot be opened: not 0, and a line that names it", per_model=False)
def bad_log(stage):
    path = written(stage, 'root = "www"', 'listen = "127.0.0.1:0"',
                   'access_log = "/nonexistent/access.log"')
    code, _, err = stage.setting.run("-c", path)
    require(code in (1, 78), "exit code %d", code)
    require("/nonexistent/access.log" in err, "it says %r", err)


@test("the start line says address, model, workers, cache and limits")
def start_line(stage):
    with stage.server(stage.site(a_txt=b"a"), {"workers": 2, "cache.size": "20m"}) as server:
        line = next(line for line in server.lines if STARTED.search(line))
        words = {"prefork": ["32 processes at most", "640 KiB a process"],
                 "threadpool": ["32 threads", "640 KiB a thread"]}
        for word in [stage.model] + words.get(stage.model, ["2 workers", "10240 KiB"]):
            require(word in line, "no %r in %r", word, line)
