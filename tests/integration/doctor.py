"""zcserve doctor: on this machine as every user, on a site where much is wrong, beside a running server."""

import contextlib
import json
import os
import pty
import re
import resource
import socket
import subprocess

from client import Skip, expect
from harness import configuration, user_unused
from schema import check_schema
from stage import require, test, write

LINE = re.compile(r"^(harm|warn|note)  ([a-z_]+) +(\S.*)\. Remedy: (\S.*)$")
LAST = re.compile(r"^(\d+) findings?: (\d+) harm, (\d+) warn, (\d+) note; (\d+) of (\d+) checks, "
                  r"([\d,]+) files in ([\d,]+) directories, \d+\.\d\d s$")


def configured(stage, **options):
    """A configuration file; options as harness.configuration has them."""
    path = os.path.join(stage.setting.place("doctor"), "serve.conf")
    write(path, configuration(options).encode())
    return path


def doctor(stage, *arguments, code=None, **more):
    """What it finds, as JSON that its schema allows."""
    got, out, err = stage.setting.run("doctor", "--json", *arguments, **more)
    require(got in (0, 1) and not err, "exit code %d, it says %r", got, err)
    expect("lines", 1, out.count("\n"))
    found = json.loads(out)
    check_schema("doctor", found)
    expect("exit code", found["exit_code"], got)
    expect("exit code for harm", 1 if found["counts"]["harm"] else 0, got)
    for severity, count in found["counts"].items():
        expect("count of " + severity, count, sum(each["severity"] == severity for each in found["findings"]))
    require(code in (None, got), "exit code %d: %s", got, found["findings"])
    return found


def of(found, check):
    """The severities and problems that a check found."""
    return [(each["severity"], each["problem"]) for each in found["findings"] if each["check"] == check]


@contextlib.contextmanager
def all_rights(stage):
    """Without becoming the tests' own user, which only root does."""
    user, stage.setting.user = stage.setting.user, None
    try:
        yield
    finally:
        stage.setting.user = user


# ---- on this machine ---------------------------------------------------------------------------

@test("doctor runs on this machine: lines, JSON, -v", per_model=False)
def here(stage):
    root = stage.site(a_txt=b"a", b_txt=b"b")
    code, out, err = stage.setting.run("doctor", root)
    require(code in (0, 1) and not err, "exit code %d, it says %r", code, err)
    *lines, last = out.splitlines()
    for line in lines:
        require(LINE.match(line), "a line is %r", line)
    match = LAST.match(last)
    require(match, "the last line is %r", last)
    expect("findings", len(lines), int(match[1]))
    expect("by severity", [sum(line.startswith(each) for line in lines) for each in ("harm", "warn", "note")],
           [int(match[i]) for i in (2, 3, 4)])
    expect("files and directories", ("2", "1"), (match[7], match[8]))
    expect("exit code", 1 if int(match[2]) else 0, code)
    found = doctor(stage, root)
    expect("findings", len(lines), len(found["findings"]))
    expect("checks", int(match[6]), len(found["checks"]))
    expect("roots", ([root], None), (found["roots"], found["configuration"]))
    code, out, _ = stage.setting.run("doctor", "-v", root)
    every = {line.split()[1] for line in out.splitlines()[:-1]}
    expect("checks that are told with -v", {each["name"] for each in found["checks"]}, every)


@test("doctor as root, and as another user with -u", per_model=False)
def as_root(stage):
    if os.geteuid() != 0:
        raise Skip("needs root")
    root = stage.site(a_txt=b"a", secret_txt=b"b")
    os.chmod(os.path.join(root, "secret.txt"), 0o600)
    with all_rights(stage):
        found = doctor(stage, root)
        expect("user", "root", found["user"])
        expect("unreadable", [], of(found, "readable"))
        require(of(found, "user")[0][1].startswith("doctor runs as root"), "it does not say so: %s", found["findings"])
        found = doctor(stage, "-u", str(user_unused()), root, code=1)
        require("secret.txt" in of(found, "readable")[0][1], "it finds %s", found["findings"])
        expect("as the server's user", [], of(found, "own"))
        code, _, err = stage.setting.run("doctor", "-u", "no such user", root)
        expect("exit code (%s)" % err, 2, code)


@test("doctor as a user: another one cannot be asked for", per_model=False)
def as_user(stage):
    root = stage.site(a_txt=b"a")
    if stage.setting.user is None and os.geteuid() == 0:
        raise Skip("the tests have no user")
    code, out, err = stage.setting.run("doctor", "-u", "root", root)
    expect("exit code", 2, code)
    require("only root" in err and not out, "it says %r, %r", out, err)


# ---- where much is wrong -----------------------------------------------------------------------

def bad_site(stage):
    root = stage.site(a_css=b"a" * 100, b_css=b"b" * 100, c_css=b"c" * 100, open_txt=b"o", closed_txt=b"x")
    write(os.path.join(root, "a.css.br"), b"old")
    os.utime(os.path.join(root, "a.css.br"), (1e9, 1e9))
    write(os.path.join(root, "b.css.gz"), b"")
    write(os.path.join(root, "c.css.zst"), b"z" * 100)
    os.chmod(os.path.join(root, "open.txt"), 0o666)
    os.chmod(os.path.join(root, "closed.txt"), 0)
    os.mkdir(os.path.join(root, "private"))
    os.chmod(os.path.join(root, "private"), 0)
    os.symlink("/etc/passwd", os.path.join(root, "absolute"))
    return root


@test("doctor on a bad site: what is wrong with files, addresses and logs", per_model=False)
def bad(stage):
    root = bad_site(stage)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = configured(stage, root=root, listen=["127.0.0.1:%d" % port, "192.0.2.1:8080", "127.0.0.1:1"],
                          access_log="/proc/nonexistent/access.log", error_log=os.path.join(root, "error.log"),
                          backlog=65535, workers=1, **{"cache.size": "1024g"})
        found = doctor(stage, "-c", path, code=1)
    os.chmod(os.path.join(root, "private"), 0o755)
    expect("configuration", path, found["configuration"])
    for check, severity, words in (
            ("readable", "harm", "closed.txt"), ("readable", "harm", "private"), ("owners", "harm", "open.txt"),
            ("sidecars", "warn", "a.css.br"), ("sidecars", "warn", "b.css.gz"), ("sidecars", "warn", "c.css.zst"),
            ("links", "note", "absolute"), ("listen", "harm", "192.0.2.1:8080"),
            ("logs", "harm", "/proc/nonexistent/access.log"), ("logs", "harm", "is below a root"),
            ("privileged", "harm", "127.0.0.1:1"), ("memory", "harm", "1.00 TiB")):
        if check == "privileged" and not is_limited(1):
            continue
        if check == "readable" and stage.setting.user is None and os.geteuid() == 0:
            continue
        require(any(level == severity and words in text for level, text in of(found, check)),
                "%s does not find %s: %s", check, words, of(found, check))
    require(any("127.0.0.1:%d" % port in text for _, text in of(found, "listen")),
            "it does not see that port %d is taken: %s", port, of(found, "listen"))


def is_limited(port):
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as file:
        return port < int(file.read())


@test("doctor tells a limit of descriptors that is too low", per_model=False)
def descriptors(stage):
    path = configured(stage, root=stage.site(a_txt=b"a"), connections=10000, workers=1)
    found = doctor(stage, "-c", path, files=500, code=1)
    require("may open 500 files" in of(found, "descriptors")[0][1], "it finds %s", of(found, "descriptors"))
    found = doctor(stage, "-c", configured(stage, root=stage.site(a_txt=b"a"), connections=10, workers=1,
                                           **{"cache.descriptors": 10}), files=500)
    expect("with enough", [], of(found, "descriptors"))


@test("doctor stops at its limits, and says so", per_model=False)
def limits(stage):
    root = stage.site(**{"f%d_txt" % i: b"a" for i in range(50)})
    found = doctor(stage, "--files", "20", root)
    expect("cut", ("files", 20), (found["survey"]["cut"], found["survey"]["names"]))
    require("--files" in next(each["remedy"] for each in found["findings"] if each["check"] == "survey"), "no remedy")
    found = doctor(stage, "--files", "0", "--seconds", "0", root)
    expect("whole", (None, 50), (found["survey"]["cut"], found["survey"]["files"]))


@test("doctor: names that could control a terminal, and that are not UTF-8", per_model=False)
def hostile_names(stage):
    root = stage.site(a_txt=b"a")
    for name in (b"a\x1b[2J", b"b\xff", "c\u202e".encode()):
        path = os.path.join(os.fsencode(root), name)
        write(path, b"x")
        os.chmod(path, 0o666)
    found = doctor(stage, root, code=1)
    text = of(found, "owners")[0][1]
    require("\\x1b[2J" in text and "b\\xff" in text and "\\xe2\\x80\\xae" in text, "it says %r", text)
    _, out, _ = stage.setting.run("doctor", root)
    require("\x1b" not in out, "it prints %r", out)


@test("doctor changes nothing: neither files nor their times", per_model=False)
def unchanged(stage):
    def state():
        found = {}
        for top, directories, files in os.walk(place):
            for name in (*directories, *files):
                status = os.lstat(os.path.join(top, name))
                found[os.path.join(top, name)] = (status.st_mode, status.st_uid, status.st_size, status.st_mtime_ns,
                                                  status.st_ctime_ns)
        return found
    root = stage.site(a_txt=b"a")
    place = os.path.dirname(root)
    path = configured(stage, root=root, listen=["unix:" + os.path.join(place, "socket"), "127.0.0.1:0"],
                      access_log=os.path.join(place, "access.log"), error_log=os.path.join(place, "error.log"))
    before = state()
    doctor(stage, "-c", path)
    expect("files", before, state())


# ---- beside a running server -------------------------------------------------------------------

@test("doctor beside a running server: its own addresses are no finding, and --pid has its limits")
def beside(stage):
    with stage.server(stage.site(a_txt=b"a"), files=700) as server:
        listen = ["%s:%d" % address for address in server.addresses]
        path = configured(stage, root=stage.site(a_txt=b"a"), listen=listen, connections=10000,
                          model=stage.model.partition("+")[0])
        found = doctor(stage, "-c", path, "--pid", str(server.workers()[0]))
        expect("addresses", [], of(found, "listen"))
        if not stage.is_blocking():
            require("may open 700 files" in of(found, "descriptors")[0][1], "it finds %s", of(found, "descriptors"))
        expect("answer", b"a", server.get("/a.txt").content)


# ---- the command line --------------------------------------------------------------------------

@test("wrong usage of doctor: 2; a wrong configuration: 2; -h: 0", per_model=False)
def usage(stage):
    for arguments in ([], ["a", "b"], ["-Z"], ["-c"], ["--pid", "x", "a"], ["-u", "a", "--pid", "1", "a"]):
        code, out, err = stage.setting.run("doctor", *arguments)
        expect("exit code of %s" % arguments, 2, code)
        require("zcserve doctor -h" in err and not out, "it says %r, %r", out, err)
    for options in ({"lisen": "80"}, {"listen": ["999999"]}):
        code, out, err = stage.setting.run("doctor", "-c", configured(stage, root="/", **options))
        expect("exit code (%s)" % err, 2, code)
        require("serve.conf:" in err and not out, "it says %r, %r", out, err)
    path = configured(stage, root="/")
    with open(path, "a", encoding="ascii") as file:
        file.write("\nsite example.org { root = /nonexistent }\n")
    code, out, err = stage.setting.run("doctor", "-c", path)
    expect("exit code with a site whose root is not there (%s)" % err, 1, code)
    require("root /nonexistent: No such file" in out and not err, "it says %r, %r", out, err)
    code, _, err = stage.setting.run("doctor", "--pid", "2147483647", "/")
    expect("exit code (%s)" % err, 2, code)
    code, out, err = stage.setting.run("doctor", "-h")
    expect("exit code of -h", 0, code)
    require("usage: zcserve doctor" in out and "conntrack" in out and not err, "it says %r, %r", out, err)


@test("doctor: a root that is not there is a finding", per_model=False)
def no_root(stage):
    found = doctor(stage, "/nonexistent/root", code=1)
    require("No such file" in of(found, "root")[0][1], "it finds %s", found["findings"])


@test("doctor: a root that the user may not enter, or not list, is a finding", per_model=False)
def closed_root(stage):
    if stage.setting.user is None and os.geteuid() == 0:
        raise Skip("the tests have no user")
    root = stage.site(a_txt=b"a")
    for mode, severity, words in ((0o400, "harm", "Permission denied"), (0o311, "note", "not list")):
        os.chmod(root, mode)
        try:
            found = of(doctor(stage, root), "root")
        finally:
            os.chmod(root, 0o755)
        require(len(found) == 1 and found[0][0] == severity and words in found[0][1], "it finds %s", found)


@test("doctor: into a file at its size limit: 2 and a reason", per_model=False)
def size_limit(stage):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
    root = stage.site(a_txt=b"a")
    for switches in ([], ["--json"]):
        with open(os.path.join(stage.setting.place("limit"), "out"), "wb") as out:
            run = subprocess.run([stage.setting.binary, "doctor", *switches, root], stdin=subprocess.DEVNULL,
                                 stdout=out, stderr=subprocess.PIPE, text=True, timeout=30, preexec_fn=limit,
                                 check=False)
        expect("exit code (%s)" % run.stderr, 2, run.returncode)
        require("cannot be written" in run.stderr, "it says %r", run.stderr)


@test("doctor on a terminal: progress is cleared again", per_model=False)
def progress(stage):
    root = stage.site(a_txt=b"a")
    ours, theirs = pty.openpty()
    try:
        run = subprocess.run([stage.setting.binary, "doctor", root], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=theirs, timeout=60, check=False)
        said = os.read(ours, 65536)
    finally:
        os.close(ours)
        os.close(theirs)
    require(run.returncode in (0, 1), "exit code %d", run.returncode)
    require(said.startswith(b"\rlooked at 0 names") and said.endswith(b"\r\x1b[K"), "it says %r", said)
    require(run.stdout and b"\r" not in run.stdout, "it prints %r", run.stdout)
